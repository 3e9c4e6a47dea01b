/* smsh_doc.c - the tree of an answer: nodes, pointers, forms. Thread: any, pure. Owns: see smsh_doc.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../common/json.h"
#include "smsh_doc.h"

int smsh_doc_fail(struct smsh_doc *d, uint32_t line, const char *why)
{
	if (d->why[0] == '\0')
		(void)snprintf(d->why, sizeof(d->why), "line %u: %s", line, why);
	return -EINVAL;
}

uint32_t smsh_node_add(struct smsh_doc *d, uint32_t parent, enum smsh_type type, uint32_t line)
{
	if (d->n == SMSH_NODES_MAX)
		return SMSH_NONE;
	if (d->n == d->cap) {
		uint32_t cap = d->cap == 0 ? 32 : d->cap * 2;
		struct smsh_node *p = realloc(d->nodes, cap * sizeof(*p));
		if (p == NULL)
			return SMSH_NONE;
		d->nodes = p;
		d->cap = cap;
	}
	uint32_t at = d->n++;
	d->nodes[at] = (struct smsh_node){ .type = type,
		.first = SMSH_NONE,
		.last = SMSH_NONE,
		.next = SMSH_NONE,
		.parent = parent,
		.line = line };
	if (parent != SMSH_NONE) {
		struct smsh_node *p = &d->nodes[parent];
		if (p->last == SMSH_NONE)
			p->first = at;
		else
			d->nodes[p->last].next = at;
		p->last = at;
	}
	return at;
}

size_t smsh_utf8_put(char *dst, uint32_t cp)
{
	if (cp < 0x80) {
		dst[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		dst[0] = (char)(0xc0 | cp >> 6);
		dst[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		dst[0] = (char)(0xe0 | cp >> 12);
		dst[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | cp >> 18);
	dst[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

static struct lt_str form_decode(struct smsh_doc *d, struct lt_str s)
{
	struct lt_str r = { d->bytes + d->used, 0 };

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '+' ? ' ' : s.p[i];
		if (c == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			c = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		}
		if (c != '\0')
			d->bytes[d->used + r.n++] = c;
	}
	d->used += r.n;
	if (!smsh_charset_other(d->charset, r))
		return r;
	struct lt_str own = { d->bytes + d->used, 0 };
	own.n = smsh_charset_put(d->bytes + d->used, d->charset, r);
	d->used += own.n;
	return own;
}

int smsh_form_read(struct smsh_doc *d, struct lt_str text)
{
	struct lt_str rest = text, pair;

	if (smsh_node_add(d, SMSH_NONE, SMSH_OBJECT, 1) == SMSH_NONE)
		return -ENOMEM;
	while (ltc_next(&rest, '&', &pair)) {
		const char *eq = pair.n == 0 ? NULL : memchr(pair.p, '=', pair.n);
		size_t n = eq == NULL ? pair.n : (size_t)(eq - pair.p);
		struct lt_str value = { 0 };
		if (n == 0)
			continue;
		uint32_t at = smsh_node_add(d, 0, SMSH_STRING, 1);
		if (at == SMSH_NONE)
			return -E2BIG;
		d->nodes[at].key = form_decode(d, (struct lt_str){ pair.p, n });
		if (eq != NULL)
			value = ltc_from(pair, n + 1);
		d->nodes[at].text = form_decode(d, value);
		if (!ltc_utf8_valid(d->nodes[at].key) || !ltc_utf8_valid(d->nodes[at].text))
			return smsh_doc_fail(d, 1, "a field is not UTF-8");
	}
	return 0;
}

/* *text becomes UTF-8, ended by a NUL. */
static int convert(struct smsh_doc *d, enum smsh_charset c, struct lt_str *text)
{
	bool other = smsh_charset_other(c, *text);

	d->input = malloc((other ? 3 : 1) * text->n + 1);
	if (d->input == NULL)
		return -ENOMEM;
	if (!other && text->n > 0)
		memcpy(d->input, text->p, text->n);
	size_t n = other ? smsh_charset_put(d->input, c, *text) : text->n;
	d->input[n] = '\0';
	*text = (struct lt_str){ d->input, n };
	return 0;
}

static int group_add(struct smsh_doc *d, size_t i, struct lt_str text)
{
	static const char digits[] = "0123456789";
	uint32_t at = smsh_node_add(d, 0, text.p == NULL ? SMSH_NULL : SMSH_STRING, 1);

	if (at == SMSH_NONE)
		return -ENOMEM;
	if (!ltc_utf8_valid(text))
		return smsh_doc_fail(d, 1, "a group ends inside of a character");
	d->nodes[at].key = (struct lt_str){ digits + i, 1 };
	d->nodes[at].text = text;
	return 0;
}

int smsh_doc_match(struct smsh_doc *d, const regex_t *re, enum smsh_charset c, struct lt_str text)
{
	regmatch_t g[SMSH_GROUPS + 1];

	*d = (struct smsh_doc){ 0 };
	if (text.n > SMSH_MATCH_MAX)
		return smsh_doc_fail(d, 1, "longer than 4096 bytes"), -E2BIG;
	if (text.n > 0 && memchr(text.p, 0, text.n) != NULL)
		return smsh_doc_fail(d, 1, "a NUL in the text");
	int rc = convert(d, c, &text);
	if (rc == 0 && !ltc_utf8_valid(text))
		rc = smsh_doc_fail(d, 1, "not UTF-8");
	if (rc == 0 && (re == NULL || regexec(re, text.p, SMSH_GROUPS + 1, g, 0) != 0))
		rc = smsh_doc_fail(d, 1, "not of the form that is expected");
	if (rc == 0 && smsh_node_add(d, SMSH_NONE, SMSH_OBJECT, 1) == SMSH_NONE)
		rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i <= SMSH_GROUPS && i <= re->re_nsub; i++) {
		struct lt_str s = { 0 };
		if (g[i].rm_so >= 0)
			s = (struct lt_str){ text.p + g[i].rm_so,
				(size_t)(g[i].rm_eo - g[i].rm_so) };
		rc = group_add(d, i, s);
	}
	if (rc < 0)
		d->n = 0;
	return rc;
}

int smsh_doc_read(struct smsh_doc *d, enum smsh_format f, struct lt_str text)
{
	return smsh_doc_read_as(d, f, SMSH_C_UTF8, text);
}

int smsh_doc_read_as(
	struct smsh_doc *d, enum smsh_format f, enum smsh_charset c, struct lt_str text)
{
	bool form = f == SMSH_F_FORM; /* what is not UTF-8 in it comes to light in its fields */

	*d = (struct smsh_doc){ .charset = c };
	if (text.n > SMSH_TEXT_MAX)
		return smsh_doc_fail(d, 1, "longer than 1 MiB"), -E2BIG;
	if (!form && smsh_charset_other(c, text) && convert(d, c, &text) < 0)
		return -ENOMEM;
	d->bytes = malloc((form && c != SMSH_C_UTF8 ? 4 : 1) * text.n + 8);
	if (d->bytes == NULL)
		return -ENOMEM;
	int rc = f == SMSH_F_JSON  ? smsh_json_read(d, text)
		: f == SMSH_F_XML  ? smsh_xml_read(d, text)
		: f == SMSH_F_FORM ? smsh_form_read(d, text)
				   : -EINVAL;
	if (rc < 0)
		d->n = 0; /* nothing half-read is looked at */
	return rc;
}

void smsh_doc_done(struct smsh_doc *d)
{
	free(d->nodes);
	free(d->bytes);
	free(d->input);
	ltc_json_free(d->json);
	*d = (struct smsh_doc){ 0 };
}

uint32_t smsh_child(const struct smsh_doc *d, uint32_t node, uint32_t i)
{
	if (node >= d->n)
		return SMSH_NONE;
	uint32_t at = d->nodes[node].first;
	while (at != SMSH_NONE && i-- > 0)
		at = d->nodes[at].next;
	return at;
}

uint32_t smsh_count(const struct smsh_doc *d, uint32_t node)
{
	uint32_t n = 0;

	if (node >= d->n)
		return 0;
	for (uint32_t c = d->nodes[node].first; c != SMSH_NONE; c = d->nodes[c].next)
		n++;
	return n;
}

/* One step of a pointer: "~1" is "/", "~0" is "~". */
static bool key_is(struct lt_str key, struct lt_str step)
{
	size_t k = 0;

	for (size_t i = 0; i < step.n; i++, k++) {
		char c = step.p[i];
		if (c == '~' && i + 1 < step.n)
			c = step.p[++i] == '1' ? '/' : '~';
		if (k >= key.n || key.p[k] != c)
			return false;
	}
	return k == key.n;
}

static uint32_t step_to(const struct smsh_doc *d, uint32_t from, struct lt_str step)
{
	int64_t i;

	if (d->nodes[from].type == SMSH_OBJECT)
		for (uint32_t c = d->nodes[from].first; c != SMSH_NONE; c = d->nodes[c].next)
			if (key_is(d->nodes[c].key, step))
				return c;
	if (ltc_i64(step, 0, SMSH_NODES_MAX, &i) == 0)
		return smsh_child(d, from, (uint32_t)i);
	return SMSH_NONE;
}

/* Nodes stand in document order, so the ones below `from` follow it. */
static uint32_t anywhere(const struct smsh_doc *d, uint32_t from, struct lt_str name)
{
	for (uint32_t i = from + 1; i < d->n; i++) {
		uint32_t up = d->nodes[i].parent;
		while (up != SMSH_NONE && up > from)
			up = d->nodes[up].parent;
		if (up == from && key_is(d->nodes[i].key, name))
			return i;
	}
	return SMSH_NONE;
}

uint32_t smsh_at(const struct smsh_doc *d, uint32_t from, struct lt_str pointer)
{
	struct lt_str rest = pointer;

	if (from >= d->n)
		return SMSH_NONE;
	if (ltc_starts(rest, "//")) {
		rest = ltc_from(rest, 2);
		const char *slash = rest.n == 0 ? NULL : memchr(rest.p, '/', rest.n);
		size_t n = slash == NULL ? rest.n : (size_t)(slash - rest.p);
		from = anywhere(d, from, (struct lt_str){ rest.p, n });
		rest = ltc_from(rest, n);
	}
	while (from != SMSH_NONE && rest.n > 0) {
		if (rest.p[0] != '/')
			return SMSH_NONE;
		rest = ltc_from(rest, 1);
		const char *slash = rest.n == 0 ? NULL : memchr(rest.p, '/', rest.n);
		size_t n = slash == NULL ? rest.n : (size_t)(slash - rest.p);
		from = step_to(d, from, (struct lt_str){ rest.p, n });
		rest = ltc_from(rest, n);
	}
	return from;
}

uint32_t smsh_member(const struct smsh_doc *d, uint32_t object, const char *key)
{
	if (object >= d->n || d->nodes[object].type != SMSH_OBJECT)
		return SMSH_NONE;
	for (uint32_t c = d->nodes[object].first; c != SMSH_NONE; c = d->nodes[c].next)
		if (ltc_eqz(d->nodes[c].key, key))
			return c;
	return SMSH_NONE;
}

struct lt_str smsh_text(const struct smsh_doc *d, uint32_t node)
{
	if (node >= d->n || d->nodes[node].type == SMSH_NULL)
		return (struct lt_str){ 0 };
	return d->nodes[node].text;
}

struct lt_str smsh_text_at(const struct smsh_doc *d, uint32_t from, struct lt_str pointer)
{
	return smsh_text(d, smsh_at(d, from, pointer));
}
