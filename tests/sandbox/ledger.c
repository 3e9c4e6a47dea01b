/* ledger.c - what was truly published: one JSON line for each mail and recipient, in the kernel before the client hears yes.
 * Owns: the ledger's descriptor and the lines of this turn. Failures: a write error ends the program, because a ledger with holes
 * proves nothing. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/crypt.h"
#include "base/file.h"
#include "base/utf8.h"
#include "http.h"

int64_t sb_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int sb_ledger_open(struct sandbox *s, struct err *e)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/ledger.jsonl", s->dir);
	s->ledger_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (s->ledger_fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	buf_init(&s->ledger, 64u << 20);
	return 0;
}

void sb_ledger_flush(struct sandbox *s)
{
	if (s->ledger.n == 0)
		return;
	if (fd_write_all(s->ledger_fd, s->ledger.p, s->ledger.n) < 0) {
		(void)fprintf(stderr, "sandbox: ledger: %s\n", strerror(errno));
		exit(1);
	}
	buf_reset(&s->ledger);
}

/* Value of a header, unfolded, at most `size` bytes. */
static bool header(struct str content, const char *name, char *dst, size_t size)
{
	size_t n = strlen(name), at = 0, out = 0;
	struct str line, rest = content;

	while (str_line(&rest, &line) && line.n > 0) {
		bool more = line.p[0] == ' ' || line.p[0] == '\t';
		if (at == 0 && line.n > n && line.p[n] == ':' && strncasecmp(line.p, name, n) == 0)
			at = n + 1;
		else if (at == 0 || !more) {
			if (at > 0)
				break;
			continue;
		}
		struct str v = str_trim(
			(struct str){ line.p + (more ? 0 : at), line.n - (more ? 0 : at) });
		if (out > 0 && out + 1 < size)
			dst[out++] = ' ';
		for (size_t i = 0; i < v.n && out + 1 < size; i++)
			dst[out++] = v.p[i];
	}
	dst[out] = '\0';
	return at > 0;
}

static int b64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int hexv(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)toupper((unsigned char)c);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void decode_word(struct buf *out, char enc, const char *p, size_t n)
{
	uint32_t acc = 0;
	int bits = 0;

	for (size_t i = 0; i < n; i++) {
		if (enc == 'B') {
			int v = b64(p[i]);
			if (v < 0)
				continue;
			acc = acc << 6 | (uint32_t)v;
			bits += 6;
			if (bits >= 8) {
				bits -= 8;
				(void)buf_addc(out, (char)(acc >> bits & 0xff));
			}
		} else if (p[i] == '=' && i + 2 < n && hexv(p[i + 1]) >= 0 && hexv(p[i + 2]) >= 0) {
			(void)buf_addc(out, (char)(hexv(p[i + 1]) * 16 + hexv(p[i + 2])));
			i += 2;
		} else
			(void)buf_addc(out, p[i] == '_' ? ' ' : p[i]);
	}
}

/* RFC 2047, UTF-8 words only; the space between two words goes away. */
static void decode_subject(struct buf *out, const char *s)
{
	const char *after = NULL;

	while (*s != '\0') {
		const char *w = strcasestr(s, "=?utf-8?");
		const char *end = w == NULL || w[8] == '\0' || w[9] != '?' ? NULL
									   : strstr(w + 10, "?=");
		if (end == NULL) {
			(void)buf_addz(out, s);
			return;
		}
		bool only_space = after != NULL && strspn(after, " \t") == (size_t)(w - after);
		if (!only_space)
			(void)buf_add(out, s, (size_t)(w - s));
		decode_word(
			out, (char)toupper((unsigned char)w[8]), w + 10, (size_t)(end - w - 10));
		s = after = end + 2;
	}
}

static void store_mail(struct sandbox *s, const char *id, struct str content)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/mails/%s.eml", s->dir, id);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, content.p, content.n) < 0)
		(void)fprintf(stderr, "sandbox: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

void sb_ledger_mail(struct sandbox *s, const struct sb_mail *m, char *ret_id, size_t size)
{
	struct buf subject CLEANUP_BUF;
	char raw[1500], message_id[300], hex[HASH_HEX];
	struct hash h;

	(void)snprintf(ret_id, size, "S%08llu", (unsigned long long)++s->serial);
	buf_init(&subject, 4000);
	if (header(m->content, "Subject", raw, sizeof(raw)))
		decode_subject(&subject, raw);
	if (subject.n > 0 && !utf8_valid(buf_str(&subject), NULL))
		buf_reset(&subject);
	(void)header(m->content, "Message-ID", message_id, sizeof(message_id));
	hash_bytes(&h, m->content.p, m->content.n);
	hash_hex(&h, hex);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		struct buf *b = &s->ledger;
		(void)buf_addf(b, "{\"t\":\"mail\",\"at\":%lld,\"id\":\"%s\",\"mailbox\":",
			(long long)sb_now_ms(), ret_id);
		(void)json_quote(b, m->rcpt[i]);
		(void)buf_addz(b, ",\"message_id\":");
		(void)json_quote(b, str_of(message_id));
		(void)buf_addz(b, ",\"from\":");
		(void)json_quote(b, m->from);
		(void)buf_addz(b, ",\"subject\":");
		(void)json_quote(b, buf_str(&subject));
		(void)buf_addz(b, ",\"params\":");
		(void)json_quote(b, m->params);
		(void)buf_addf(b,
			",\"size\":%zu,\"n_rcpt\":%zu,\"sha256\":\"%s\",\"answer\":\"%s\"}\n",
			m->content.n, m->n_rcpt, hex, m->answer);
		s->taken++;
	}
	if (s->opt.store_mails)
		store_mail(s, ret_id, m->content);
}

void sb_ledger_refused(
	struct sandbox *s, const char *at, struct str mailbox, int code, const char *text)
{
	s->refused++;
	if (!s->opt.log_refused)
		return;
	(void)buf_addf(&s->ledger, "{\"t\":\"refused\",\"at\":%lld,\"phase\":\"%s\",\"mailbox\":",
		(long long)sb_now_ms(), at);
	(void)json_quote(&s->ledger, mailbox);
	(void)buf_addf(&s->ledger, ",\"code\":%d,\"text\":", code);
	(void)json_quote(&s->ledger, str_of(text));
	(void)buf_addz(&s->ledger, "}\n");
}

void sb_ledger_mark(struct sandbox *s, struct str text)
{
	(void)buf_addf(&s->ledger, "{\"t\":\"mark\",\"at\":%lld,\"text\":", (long long)sb_now_ms());
	(void)json_quote(&s->ledger, text);
	(void)buf_addz(&s->ledger, "}\n");
	sb_ledger_flush(s);
}

/* Lines of the other providers. */
void sb_ledger_json(struct sandbox *s, cJSON *moved)
{
	cJSON *o = json_obj();

	json_put_i64(o, "n", (int64_t)++s->serial);
	json_put_i64(o, "at", sb_now_ms());
	while (moved->child != NULL) {
		char *key = x_asprintf("%s", moved->child->string);
		json_put(o, key, cJSON_DetachItemViaPointer(moved, moved->child));
		free(key);
	}
	cJSON_Delete(moved);
	char *text = json_print(o);
	(void)buf_addf(&s->ledger, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}
