/* peer_http.c - see peer_http.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "peer_http.h"

bool peer_http_header(const struct peer_request *r, const char *name, char *ret, size_t size)
{
	size_t len = strlen(name);
	for (const char *p = r->head; *p != '\0'; p = strchr(p, '\n') + 1) {
		if (strncasecmp(p, name, len) != 0 || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " ");
		(void)snprintf(ret, size, "%.*s", (int)strcspn(p, "\n"), p);
		return true;
	}
	return false;
}

static bool peer_http_chunks(struct peer_conn *c, struct peer_request *r)
{
	char line[128];
	for (;;) {
		if (!peer_line(c, line, sizeof(line)))
			return false;
		size_t k = strtoul(line, NULL, 16);
		if (k == 0)
			return peer_line(c, line, sizeof(line));
		if (r->n + k > PEER_BODY_MAX || !peer_read_all(c, r->body + r->n, k) ||
			!peer_line(c, line, sizeof(line)))
			return false;
		r->n += k;
	}
}

static bool peer_http_body(struct peer_conn *c, struct peer_request *r)
{
	char value[64];
	bool ok = true;
	r->body = malloc(PEER_BODY_MAX + 1);
	if (r->body == NULL)
		abort();
	if (peer_http_header(r, "Transfer-Encoding", value, sizeof(value))) {
		ok = peer_http_chunks(c, r);
	} else if (peer_http_header(r, "Content-Length", value, sizeof(value))) {
		r->n = strtoul(value, NULL, 10);
		ok = r->n <= PEER_BODY_MAX && peer_read_all(c, r->body, r->n);
	}
	r->body[ok ? r->n : 0] = '\0';
	return ok;
}

bool peer_http_read(struct peer_conn *c, struct peer_request *ret)
{
	char line[2048];
	memset(ret, 0, sizeof(*ret));
	if (!peer_line(c, line, sizeof(line)) ||
		sscanf(line, "%15s %1023s", ret->method, ret->target) != 2)
		return false;
	size_t n = 0;
	while (peer_line(c, line, sizeof(line))) {
		if (line[0] == '\0') {
			if (!peer_http_body(c, ret)) {
				peer_request_done(ret);
				return false;
			}
			peer_note(c, "%s %s", ret->method, ret->target);
			return true;
		}
		int k = snprintf(ret->head + n, sizeof(ret->head) - n, "%s\n", line);
		if (k < 0 || (size_t)k >= sizeof(ret->head) - n)
			return false;
		n += (size_t)k;
	}
	return false;
}

void peer_request_done(struct peer_request *r)
{
	free(r->body);
	r->body = NULL;
}

bool peer_http_answer(struct peer_conn *c, int status, const char *headers, const char *body)
{
	return peer_printf(c, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status,
		       strlen(body), headers) &&
		peer_write(c, body, strlen(body));
}
