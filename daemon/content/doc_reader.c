/* doc_reader.c - typed readers for the front matter's fields. Pure. */
#include "content/doc_reader.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "content/doc_text.h"

#define KEYS_MAX 96

static void add_problem(struct doc_reader *r, enum problem_severity sev, int line,
	const char *field, const char *fmt, va_list ap) PRINTF_LIKE(5, 0);
static void add_problem(struct doc_reader *r, enum problem_severity sev, int line,
	const char *field, const char *fmt, va_list ap)
{
	char text[700], full[160];
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)snprintf(full, sizeof(full), "%s%s", r->path, field);
	problem_add(r->p, sev, r->file, line, full, "%s", text);
}

void doc_fault(
	struct doc_reader *r, const struct yaml_node *n, const char *field, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_problem(r, PROBLEM_ERROR, n->line, field, fmt, ap);
	va_end(ap);
}

void doc_warn(
	struct doc_reader *r, const struct yaml_node *n, const char *field, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_problem(r, PROBLEM_WARNING, n->line, field, fmt, ap);
	va_end(ap);
}

const char *doc_suggest(char *dst, size_t size, struct str s, const char *const *words, size_t n)
{
	const char *near = str_nearest(s, words, n);
	if (near != NULL) {
		(void)snprintf(dst, size, "; did you mean '%s'?", near);
		return dst;
	}
	int at = snprintf(dst, size, "; known are");
	for (size_t i = 0; i < n && at > 0 && (size_t)at + strlen(words[i]) + 8 < size; i++)
		at += snprintf(dst + at, size - (size_t)at, "%s %s", i == 0 ? "" : ",", words[i]);
	return dst;
}

const struct doc_key *doc_find_key(const struct doc_key *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static void refuse_key(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *rows, size_t n_rows)
{
	const char *names[KEYS_MAX];
	char says[400];
	size_t k = 0;
	for (; k < n_rows && k < KEYS_MAX; k++)
		names[k] = rows[k].name;
	struct yaml_node at = { .line = n->key_line };
	doc_fault(r, &at, n->key, "unknown key '%s'%s", n->key,
		doc_suggest(says, sizeof(says), str_of(n->key), names, k));
}

void doc_read_map(struct doc_reader *r, const struct yaml_node *map, const struct doc_key *rows,
	size_t n_rows, void *base, doc_other_fn *other, void *ctx)
{
	REQUIRE(map->type == YAML_MAP);
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next) {
		const struct doc_key *k = doc_find_key(rows, n_rows, c->key);
		if (k != NULL)
			k->read(r, c, k, (char *)base + k->offset);
		else if (other == NULL || !other(r, c, ctx))
			refuse_key(r, c, rows, n_rows);
	}
}

int doc_line_of_key(const struct yaml_node *map, const char *key, int otherwise)
{
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next) {
		if (strcmp(c->key, key) == 0)
			return c->line + (c->block ? 1 : 0);
	}
	return otherwise;
}

bool doc_is_null(const struct yaml_node *n)
{
	return n->type == YAML_TEXT && !n->quoted &&
		(n->text.n == 0 || str_eqz(n->text, "~") || str_eqz(n->text, "null"));
}

bool doc_bool_of(const struct yaml_node *n, bool *ret)
{
	static const struct doc_word words[] = { { "yes", 1 }, { "no", 0 }, { "true", 1 },
		{ "false", 0 } };
	for (size_t i = 0; n->type == YAML_TEXT && i < ARRAY_LEN(words); i++) {
		if (str_ieqz(n->text, words[i].word)) {
			*ret = words[i].value != 0;
			return true;
		}
	}
	return false;
}

bool doc_name_ok(struct str s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!word && (i == 0 || (c != '-' && c != '_' && c != '.')))
			return false;
	}
	return true;
}

static bool want_text(struct doc_reader *r, const struct yaml_node *n, const char *field)
{
	if (n->type != YAML_TEXT) {
		doc_fault(r, n, field, "a text is wanted here, not a %s",
			n->type == YAML_LIST ? "list" : "map");
		return false;
	}
	if (doc_is_null(n) || str_trim(n->text).n == 0) {
		doc_fault(r, n, field, "has no value; give one or delete the line");
		return false;
	}
	return true;
}

const char *doc_line_of(
	struct doc_reader *r, const struct yaml_node *n, const char *field, size_t max)
{
	if (!want_text(r, n, field))
		return NULL;
	const char *wrong = doc_text_line_fault(n->text);
	if (wrong != NULL) {
		doc_fault(r, n, field, "%s", wrong);
		return NULL;
	}
	struct str s = str_trim(n->text);
	if (max == 0)
		max = DOC_LINE_MAX;
	if (s.n > max) {
		doc_fault(r, n, field, "%zu bytes; at most %zu", s.n, max);
		return NULL;
	}
	return doc_arena_str(r->arena, s);
}

void doc_read_line(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	const char *z = doc_line_of(r, n, k->name, k->limit);
	if (z != NULL)
		*(const char **)dst = z;
}

/* 0: none. */
static int32_t first_control(struct str s)
{
	int32_t cp = 0;
	while (utf8_next(&s, &cp))
		if (doc_text_is_control(cp))
			return cp;
	return 0;
}

/* Several lines: control characters other than LF and tab are refused also when they came as \x escapes. */
void doc_read_text(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	if (!want_text(r, n, k->name))
		return;
	int32_t cp = r->rebuild ? 0 : first_control(n->text);
	if (cp != 0) {
		doc_fault(r, n, k->name, "control character U+%04X is not allowed here",
			(unsigned)cp);
		return;
	}
	size_t max = k->limit == 0 ? DOC_FRONT_MAX : k->limit;
	if (n->text.n > max) {
		doc_fault(r, n, k->name, "%zu bytes; at most %zu", n->text.n, max);
		return;
	}
	*(const char **)dst = doc_arena_str(r->arena, str_trim(n->text));
}

void doc_read_bool(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	if (!doc_bool_of(n, dst))
		doc_fault(r, n, k->name, "'" STR_FMT "' is neither yes nor no", STR_ARG(n->text));
}

void doc_read_word(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	const char *names[32];
	char says[300];
	const struct doc_word *w = k->arg;
	size_t c = 0;
	if (!want_text(r, n, k->name))
		return;
	for (; c < ARRAY_LEN(names) && w[c].word != NULL; c++) {
		if (str_eqz(n->text, w[c].word)) {
			*(int *)dst = w[c].value;
			return;
		}
		names[c] = w[c].word;
	}
	doc_fault(r, n, k->name, "unknown word '" STR_FMT "'%s", STR_ARG(n->text),
		doc_suggest(says, sizeof(says), n->text, names, c));
}

void doc_read_duration(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	struct err e = { 0 };
	if (want_text(r, n, k->name) && when_parse_duration(n->text, dst, &e) < 0)
		doc_fault(r, n, k->name, "%s", e.text);
}

void doc_read_when(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	struct err e = { 0 };
	if (want_text(r, n, k->name) && when_parse(n->text, r->zone, dst, &e) < 0)
		doc_fault(r, n, k->name, "%s", e.text);
}

void doc_read_date(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	struct err e = { 0 };
	struct civil c;
	char text[WHEN_TEXT_MAX];
	if (!want_text(r, n, k->name))
		return;
	if (when_parse_date(n->text, &c, &e) < 0) {
		doc_fault(r, n, k->name, "%s", e.text);
		return;
	}
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02d", c.year, c.month, c.day);
	*(const char **)dst = doc_arena_str(r->arena, str_of(text));
}

void doc_read_link(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	const char *z = doc_line_of(r, n, k->name, k->limit);
	if (z == NULL)
		return;
	struct str s = str_of(z);
	size_t scheme = str_starts(s, "https://") ? 8 : str_starts(s, "http://") ? 7 : 0;
	if (scheme == 0 || s.n == scheme || strpbrk(z, " \t\"<>\\^`{|}") != NULL) {
		doc_fault(r, n, k->name, "'" STR_FMT "' is no web address; write https://...",
			STR_ARG(s));
		return;
	}
	if (scheme == 7)
		doc_warn(r, n, k->name, "'" STR_FMT "' is not https", STR_ARG(s));
	*(const char **)dst = z;
}

void doc_read_name(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	size_t max = k->limit == 0 ? DOC_NAME_MAX : k->limit;
	const char *z = doc_line_of(r, n, k->name, 0);
	if (z == NULL)
		return;
	if (!doc_name_ok(str_of(z), max)) {
		doc_fault(r, n, k->name,
			"'%.100s' is no name: a-z, 0-9, - and _ only, at most %zu characters", z,
			max);
		return;
	}
	*(const char **)dst = z;
}

void doc_read_node(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	UNUSED(r);
	UNUSED(k);
	*(const struct yaml_node **)dst = n;
}
