/* control.c - a Unix socket with one JSON document a line: change the script while it runs, ask for numbers, stop.
 *   {"cmd":"rules","rules":[...]}  replace   {"cmd":"add","rules":[...]}   {"cmd":"clear"}
 *   {"cmd":"http_rules","rules":[...],"replace":true}   and what providers add (http.h)
 *   {"cmd":"options","options":{...}}   {"cmd":"stats"}   {"cmd":"mark","text":"..."}   {"cmd":"stop"}
 * Owns: the socket. Failures: {"ok":false,"error":"..."}; nothing is changed then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/file.h"
#include "http.h"

struct ctl_conn {
	uv_pipe_t pipe;
	struct sandbox *s;
	struct buf in;
};
struct ctl_write {
	uv_write_t req;
	char *bytes; /* owned */
};

static void stats(const struct sandbox *s, cJSON *o)
{
	json_put_bool(o, "ok", true);
	json_put_i64(o, "taken", (int64_t)s->taken);
	json_put_i64(o, "refused", (int64_t)s->refused);
	json_put_i64(o, "lost_answers", (int64_t)s->lost_answers);
	json_put_i64(o, "connections", (int64_t)s->connections);
	cJSON *rules = json_arr();
	for (size_t i = 0; i < s->n_rules; i++) {
		cJSON *r = json_obj();
		json_put_z(r, "match", s->rules[i].match);
		json_put_i64(r, "hits", s->rules[i].pace.hits);
		json_add(rules, r);
	}
	json_put(o, "rules", rules);
}

static int act(struct sandbox *s, const cJSON *in, cJSON *ret, struct err *e)
{
	const char *cmd = json_z(in, "cmd", "");
	int rc = 0;

	if (sb_ctl_call(s, cmd, in, ret, &rc, e))
		return rc;
	if (strcmp(cmd, "http_rules") == 0)
		return sb_http_rules_load(
			s, json_get(in, "rules"), json_bool(in, "replace", true), e);

	if (strcmp(cmd, "rules") == 0 || strcmp(cmd, "add") == 0)
		return sb_rules_load(s, json_get(in, "rules"), cmd[0] == 'r', e);
	if (strcmp(cmd, "options") == 0)
		return sb_options_set(s, json_get(in, "options"), e);
	if (strcmp(cmd, "clear") == 0)
		s->n_rules = 0;
	else if (strcmp(cmd, "mark") == 0)
		sb_ledger_mark(s, json_str(in, "text"));
	else if (strcmp(cmd, "stop") == 0)
		s->stopping = true;
	else if (strcmp(cmd, "stats") != 0)
		return err_set(e, -EINVAL,
			"unknown cmd '%s'; use rules, add, clear, http_rules, options, stats, mark, stop or a provider's own",
			cmd);
	return 0;
}

static void on_written(uv_write_t *req, int status)
{
	struct ctl_write *w = req->data;

	(void)status;
	free(w->bytes);
	free(w);
}

static void answer(struct ctl_conn *c, struct str line)
{
	struct err e = { 0 };
	cJSON *in = NULL, *out = json_obj();
	int rc = json_parse(line, SB_CONTROL_MAX, &in, &e);

	if (rc == 0)
		rc = act(c->s, in, out, &e);
	cJSON_Delete(in);
	if (rc == 0)
		stats(c->s, out);
	else {
		json_put_bool(out, "ok", false);
		json_put_z(out, "error", e.text);
	}
	struct ctl_write *w = x_calloc(1, sizeof(*w));
	char *text = json_print(out);
	w->bytes = x_asprintf("%s\n", text);
	free(text);
	cJSON_Delete(out);
	w->req.data = w;
	uv_buf_t b = uv_buf_init(w->bytes, (unsigned)strlen(w->bytes));
	if (uv_write(&w->req, (uv_stream_t *)&c->pipe, &b, 1, on_written) < 0)
		on_written(&w->req, -1);
	if (c->s->stopping)
		sb_stop(c->s);
}

void sb_control_gone(uv_handle_t *h)
{
	struct ctl_conn *c = h->data;

	buf_done(&c->in);
	free(c);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
	struct ctl_conn *c = h->data;

	(void)hint;
	*ret = uv_buf_init(NULL, 0);
	if (buf_reserve(&c->in, 4096) == 0)
		*ret = uv_buf_init(c->in.p + c->in.n, 4096);
}

static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b)
{
	struct ctl_conn *c = st->data;
	char *nl;

	(void)b;
	if (n < 0) {
		uv_close((uv_handle_t *)st, sb_control_gone);
		return;
	}
	c->in.n += (size_t)n;
	while (c->in.n > 0 && (nl = memchr(c->in.p, '\n', c->in.n)) != NULL) {
		size_t len = (size_t)(nl - c->in.p);
		answer(c, (struct str){ c->in.p, len });
		buf_consume(&c->in, len + 1);
	}
}

static void on_connection(uv_stream_t *l, int status)
{
	struct sandbox *s = l->data;

	if (status < 0)
		return;
	struct ctl_conn *c = x_calloc(1, sizeof(*c));
	c->s = s;
	buf_init(&c->in, SB_CONTROL_MAX);
	(void)uv_pipe_init(&s->loop, &c->pipe, 0);
	c->pipe.data = c;
	if (uv_accept(l, (uv_stream_t *)&c->pipe) < 0 ||
		uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0)
		uv_close((uv_handle_t *)&c->pipe, sb_control_gone);
}

int sb_control_open(struct sandbox *s, struct err *e)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/control.sock", s->dir);
	(void)unlink(path);
	(void)uv_pipe_init(&s->loop, &s->control, 0);
	s->control.data = s;
	int rc = uv_pipe_bind(&s->control, path);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&s->control, 16, on_connection);
	return rc < 0 ? err_set(e, rc, "%s: %s", path, uv_strerror(rc)) : 0;
}

/* One document a line: line ends within it, blanks to JSON, become spaces. */
static int send_line(int fd, const char *text)
{
	char *line = x_strdup(text);

	for (char *p = line; *p; p++)
		*p = *p == '\n' || *p == '\r' ? ' ' : *p;
	int rc = fd_write_all(fd, line, strlen(line));
	free(line);
	return rc < 0 ? rc : fd_write_all(fd, "\n", 1);
}

int sb_control_send(const char *path, const char *line)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char got[65536];
	size_t n = 0;

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path)) {
		(void)fprintf(stderr, "sandbox: %s: path too long\n", path);
		return 1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || send_line(fd, line) < 0) {
		(void)fprintf(stderr, "sandbox: %s: %s\n", path, strerror(errno));
		(void)close(fd);
		return 1;
	}
	while (n + 1 < sizeof(got)) {
		ssize_t k = read(fd, got + n, sizeof(got) - 1 - n);
		if (k <= 0)
			break;
		n += (size_t)k;
		if (got[n - 1] == '\n')
			break;
	}
	got[n] = '\0';
	(void)close(fd);
	(void)fputs(got, stdout);
	return strstr(got, "\"ok\":true") != NULL ? 0 : 1;
}
