/* email_reply.c - the reply parser, the EHLO keywords, the queue id.
 * Lenient where servers differ (bare "250", LF alone, lower-case keywords), strict where guessing would lie: a line without a code
 * is no reply, and the caller drops the connection.
 * Thread: loop. Failures: -EPROTO. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "email_reply.h"

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* x.y.z at the start of a line's text. */
static size_t enhanced_len(struct lt_str t)
{
	size_t i = 1, n;

	if (t.n < 5 || t.p[0] < '2' || t.p[0] > '5' || t.p[0] == '3')
		return 0;
	for (int part = 0; part < 2; part++) {
		if (i >= t.n || t.p[i++] != '.')
			return 0;
		for (n = 0; i < t.n && n < 3 && digit(t.p[i]); n++)
			i++;
		if (n == 0)
			return 0;
	}
	return i == t.n || t.p[i] == ' ' || t.p[i] == '\t' ? i : 0;
}

static void add_text(struct email_reply *r, struct lt_str t)
{
	if (r->n > 0 && r->n < EMAIL_REPLY_TEXT_MAX)
		r->text[r->n++] = ' ';
	t = ltc_utf8_cut(t, EMAIL_REPLY_TEXT_MAX - r->n);
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];
		r->text[r->n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	r->text[r->n] = '\0';
}

/* One whole line without its end. 1: reply complete, 0: more lines follow. */
static int take_line(struct email_parser *p, struct lt_str line)
{
	struct email_reply *r = &p->cur;

	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || !digit(line.p[1]) ||
		!digit(line.p[2]) || (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return -EPROTO;
	if (++p->lines > EMAIL_REPLY_LINES_MAX)
		return -EPROTO;
	if (p->lines == 1)
		r->n = 0, r->text[0] = '\0', r->sub[0] = '\0';
	r->code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
	struct lt_str text = ltc_trim(ltc_from(line, 4));
	size_t n = enhanced_len(text);
	if (n > 0 && r->sub[0] == '\0' && text.p[0] == line.p[0] && n < sizeof(r->sub)) {
		memcpy(r->sub, text.p, n);
		r->sub[n] = '\0';
	}
	if (n > 0)
		text = ltc_trim(ltc_from(text, n));
	if (text.n > 0)
		add_text(r, text);
	if (line.n > 3 && line.p[3] == '-')
		return 0;
	p->lines = 0;
	if (r->sub[0] != line.p[0])
		r->sub[0] = '\0';
	return 1;
}

int email_parse(struct email_parser *p, struct lt_str *data)
{
	while (data->n > 0) {
		const char *nl = memchr(data->p, '\n', data->n);
		size_t n = nl == NULL ? data->n : (size_t)(nl - data->p);
		struct lt_str line = { data->p, n };
		*data = ltc_from(*data, nl == NULL ? n : n + 1);
		if (p->line_n > 0 || nl == NULL) {
			size_t room = sizeof(p->line) - p->line_n;
			size_t k = n < room ? n : room;
			memcpy(p->line + p->line_n, line.p, k);
			p->line_n += k;
			line = (struct lt_str){ p->line, p->line_n };
		}
		if (nl == NULL)
			return 0;
		p->line_n = 0;
		if (line.n > sizeof(p->line))
			line.n = sizeof(p->line);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		int rc = take_line(p, line);
		if (rc != 0)
			return rc;
	}
	return 0;
}

struct lt_str email_queue_id(const struct email_reply *r)
{
	static const char *const before[] = { "queued as ", "id=", "queued mail ", "message-id: " };
	struct lt_str t = { r->text, r->n };

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		const char *hit = ltc_find(t, ltc_z(before[i]), true);
		if (hit == NULL)
			continue;
		struct lt_str id = ltc_from(t, (size_t)(hit - t.p) + strlen(before[i]));
		size_t n = 0;
		while (n < id.n && n < 64 && id.p[n] > ' ' && id.p[n] < 0x7f &&
			strchr("()<>,;\"", id.p[n]) == NULL)
			n++;
		while (n > 0 && id.p[n - 1] == '.')
			n--;
		if (n > 0)
			return (struct lt_str){ id.p, n };
	}
	return (struct lt_str){ 0 };
}

void email_caps_read(struct lt_str rest, struct email_caps *ret)
{
	struct lt_str line, word;
	int64_t n = 0;

	*ret = (struct email_caps){ 0 };
	while (ltc_line(&rest, &line)) {
		if (line.n >= 4 && digit(line.p[0]) && (line.p[3] == '-' || line.p[3] == ' '))
			line = ltc_from(line, 4);
		line = ltc_trim(line);
		if (!ltc_next(&line, ' ', &word))
			continue;
		ret->pipelining |= ltc_ieqz(word, "PIPELINING");
		ret->smtputf8 |= ltc_ieqz(word, "SMTPUTF8");
		ret->dsn |= ltc_ieqz(word, "DSN");
		ret->eightbit |= ltc_ieqz(word, "8BITMIME");
		if (!ltc_ieqz(word, "SIZE"))
			continue;
		ret->size = true;
		if (ltc_i64(ltc_trim(line), 0, INT64_MAX, &n) == 0)
			ret->size_max = (uint64_t)n;
	}
}
