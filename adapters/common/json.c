/* json.c - the tree and its getters.
 * cJSON makes the tree and decodes the strings, as everywhere in this project. What it is lax about, or loses, is done before it in
 * json_scan.c: it turns every number into a double (a provider's id over 2^53 would become another id), takes 01 and control
 * characters, cuts a string at \u0000, passes on what is no UTF-8, and names no line. So numbers reach it as marked strings,
 * and the line of each value is put into its node afterwards, in valueint, which no string, list or word needs.
 * Thread: any, pure. Owns: nothing beside the tree it hands out. */
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "json.h"

static const cJSON *of(const struct ltc_json *n)
{
	return (const cJSON *)(const void *)n;
}

static const struct ltc_json *node(const cJSON *n)
{
	return (const struct ltc_json *)(const void *)n;
}

static bool fail(struct ltc_json_fault *f, uint32_t line, const char *why)
{
	if (f != NULL)
		*f = (struct ltc_json_fault){ line, why };
	return false;
}

/* Each name beside the ones before it. */
static bool members_differ(const cJSON *o, struct ltc_json_fault *f)
{
	uint32_t n = 0;

	for (const cJSON *c = o->child; c != NULL; c = c->next) {
		if (++n > LTC_JSON_MEMBERS_MAX)
			return fail(
				f, (uint32_t)c->valueint, "an object with more than 500 members");
		for (const cJSON *d = o->child; d != c; d = d->next)
			if (strcmp(c->string, d->string) == 0)
				return fail(f, (uint32_t)c->valueint,
					"a member that stands twice in its object");
	}
	return true;
}

/* As deep as the scan has let through. */
static bool settle(cJSON *n, const char **lines, enum ltc_json_mode mode, struct ltc_json_fault *f)
{
	uint32_t line;

	memcpy(&line, *lines, sizeof(line));
	*lines += sizeof(line);
	n->valueint = (int)line;
	for (cJSON *c = n->child; c != NULL; c = c->next)
		if (!settle(c, lines, mode, f))
			return false;
	return mode != LTC_JSON_STRICT || !cJSON_IsObject(n) || members_differ(n, f);
}

static void wipe(cJSON *n)
{
	if (cJSON_IsString(n))
		explicit_bzero(n->valuestring, strlen(n->valuestring));
	for (cJSON *c = n->child; c != NULL; c = c->next)
		wipe(c);
}

static void tree_free(cJSON *root)
{
	if (root != NULL)
		wipe(root);
	cJSON_Delete(root);
}

struct ltc_json *ltc_json_parse(
	struct lt_str text, enum ltc_json_mode mode, struct ltc_json_fault *fault)
{
	struct ltc_buf out LTC_CLEANUP_BUF, lines LTC_CLEANUP_BUF;
	cJSON *root = NULL;

	/* a number gains three bytes, a bad byte two */
	ltc_buf_init(&out, 4 * (size_t)LTC_JSON_BYTES_MAX + 16);
	ltc_buf_init(&lines, LTC_JSON_NODES_MAX * sizeof(uint32_t) + 16);
	if (ltc_json_scan(text, mode, &out, &lines, fault)) {
		if (!out.failed && !lines.failed)
			root = cJSON_ParseWithLength(out.p, out.n + 1);
		const char *at = lines.p;
		if (root == NULL) {
			(void)fail(fault, 1, "no memory");
		} else if (!settle(root, &at, mode, fault)) {
			tree_free(root);
			root = NULL;
		}
	}
	if (out.n > 0)
		explicit_bzero(out.p, out.n);
	return (struct ltc_json *)(void *)root;
}

void ltc_json_free(struct ltc_json *root)
{
	tree_free((cJSON *)(void *)root);
}

static bool is_number(const struct ltc_json *n)
{
	return cJSON_IsString(of(n)) && of(n)->valuestring[0] == LTC_JSON_NUMBER_MARK;
}

enum ltc_json_kind ltc_json_kind(const struct ltc_json *n)
{
	return is_number(n)             ? LTC_JSON_NUMBER
		: cJSON_IsString(of(n)) ? LTC_JSON_STRING
		: cJSON_IsBool(of(n))   ? LTC_JSON_BOOL
		: cJSON_IsArray(of(n))  ? LTC_JSON_ARRAY
		: cJSON_IsObject(of(n)) ? LTC_JSON_OBJECT
					: LTC_JSON_NULL;
}

uint32_t ltc_json_line(const struct ltc_json *n)
{
	return n == NULL ? 0 : (uint32_t)of(n)->valueint;
}

const struct ltc_json *ltc_json_first(const struct ltc_json *list)
{
	return list == NULL ? NULL : node(of(list)->child);
}

const struct ltc_json *ltc_json_item(const struct ltc_json *list)
{
	return ltc_json_kind(list) == LTC_JSON_ARRAY ? ltc_json_first(list) : NULL;
}

const struct ltc_json *ltc_json_next(const struct ltc_json *n)
{
	return n == NULL ? NULL : node(of(n)->next);
}

struct lt_str ltc_json_name(const struct ltc_json *n)
{
	return ltc_z(n == NULL ? NULL : of(n)->string);
}

const struct ltc_json *ltc_json_get(const struct ltc_json *o, const char *key)
{
	const struct ltc_json *hit = NULL;

	if (ltc_json_kind(o) != LTC_JSON_OBJECT)
		return NULL;
	for (const struct ltc_json *n = ltc_json_first(o); n != NULL; n = ltc_json_next(n))
		if (strcmp(of(n)->string, key) == 0)
			hit = n;
	return hit;
}

bool ltc_json_has(const struct ltc_json *o, const char *key)
{
	return ltc_json_kind(ltc_json_get(o, key)) != LTC_JSON_NULL;
}

struct lt_str ltc_json_text(const struct ltc_json *n)
{
	if (cJSON_IsString(of(n)))
		return ltc_z(of(n)->valuestring + (is_number(n) ? 1 : 0));
	if (cJSON_IsBool(of(n)))
		return ltc_z(cJSON_IsTrue(of(n)) ? "true" : "false");
	return (struct lt_str){ NULL, 0 };
}

struct lt_str ltc_json_copy(const struct ltc_json *n, char *dst, size_t size)
{
	struct lt_str s = ltc_utf8_cut(ltc_json_text(n), size - 1);

	if (s.n > 0)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return (struct lt_str){ dst, s.n };
}

bool ltc_json_i64(const struct ltc_json *n, int64_t *ret)
{
	struct lt_str s = ltc_trim(ltc_json_text(n));

	if (ltc_i64(s, INT64_MIN, INT64_MAX, ret) == 0)
		return true;
	if (!is_number(n) || strpbrk(s.p, ".eE") == NULL)
		return false;
	double d = strtod(s.p, NULL);
	if (!(d >= -9e15 && d <= 9e15))
		return false;
	*ret = (int64_t)d;
	return true;
}

int64_t ltc_json_number(const struct ltc_json *n, int64_t otherwise)
{
	int64_t v;

	return ltc_json_i64(n, &v) ? v : otherwise;
}

struct lt_str ltc_json_str(const struct ltc_json *o, const char *key)
{
	return ltc_json_text(ltc_json_get(o, key));
}

int64_t ltc_json_int(const struct ltc_json *o, const char *key, int64_t otherwise)
{
	return ltc_json_number(ltc_json_get(o, key), otherwise);
}

bool ltc_json_true(const struct ltc_json *o, const char *key)
{
	return ltc_eqz(ltc_json_str(o, key), "true");
}

/* --- building ---------------------------------------------------------------------------------------------------------------- */
void ltc_json_add_inner(struct ltc_buf *b, struct lt_str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t len = ltc_utf8_seq(ltc_from(s, i));
		if (len > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			i += len;
			continue;
		}
		ltc_add(b, s.p + from, i - from);
		if (len == 0)
			ltc_addc(b, '?');
		else if (c == '"' || c == '\\')
			ltc_addf(b, "\\%c", c);
		else if (c == '\n')
			ltc_addz(b, "\\n");
		else
			ltc_addf(b, "\\u%04x", c);
		from = ++i;
	}
	ltc_add(b, s.p == NULL ? "" : s.p + from, s.n - from);
}

void ltc_json_add(struct ltc_buf *b, struct lt_str s)
{
	ltc_addc(b, '"');
	ltc_json_add_inner(b, s);
	ltc_addc(b, '"');
}
