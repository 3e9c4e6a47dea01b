/* facebook_json.c - reader of the Graph API's JSON over cJSON, by its case-sensitive getters only.
 * Long integers are quoted before cJSON would round them. Thread: any, pure. Owns: nothing beside the tree it hands out. */
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "facebook_json.h"

static const cJSON *of(const struct fbj *n)
{
	return (const cJSON *)(const void *)n;
}

static const struct fbj *node(const cJSON *n)
{
	return (const struct fbj *)(const void *)n;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A run of 16 or more digits that is a whole number gets quotes; depth is counted on the way. */
static bool quote_long(struct lt_str in, struct ltc_buf *out)
{
	bool text = false;
	int depth = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (text) {
			ltc_addc(out, c);
			if (c == '\\' && i + 1 < in.n)
				ltc_addc(out, in.p[++i]);
			else if (c == '"')
				text = false;
			continue;
		}
		size_t n = i + (c == '-');
		while (n < in.n && digit(in.p[n]))
			n++;
		if (n - i > 16 &&
			!(n < in.n && (in.p[n] == '.' || in.p[n] == 'e' || in.p[n] == 'E'))) {
			ltc_addc(out, '"');
			ltc_add(out, in.p + i, n - i);
			ltc_addc(out, '"');
			i = n - 1;
			continue;
		}
		if (n > i + (c == '-')) {
			ltc_add(out, in.p + i, n - i);
			i = n - 1;
			continue;
		}
		text = c == '"';
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		if (depth > FBJ_DEPTH_MAX)
			return false;
		ltc_addc(out, c);
	}
	return !out->failed && !text && depth == 0;
}

struct fbj *fbj_parse(struct lt_str text)
{
	struct ltc_buf b LTC_CLEANUP_BUF;
	const char *end = NULL;

	ltc_buf_init(&b, 2 * FBJ_BYTES_MAX);
	text = ltc_trim(text);
	if (text.n == 0 || text.n > FBJ_BYTES_MAX || memchr(text.p, '\0', text.n) != NULL ||
		(text.p[0] != '{' && text.p[0] != '[') || !quote_long(text, &b))
		return NULL;
	cJSON *root = cJSON_ParseWithLengthOpts(b.p, b.n + 1, &end, 0);
	if (root != NULL && ltc_trim(ltc_z(end)).n != 0) {
		cJSON_Delete(root);
		return NULL;
	}
	return (struct fbj *)(void *)root;
}

void fbj_free(struct fbj *root)
{
	cJSON_Delete((cJSON *)(void *)root);
}

const struct fbj *fbj_get(const struct fbj *o, const char *key)
{
	return o == NULL || !cJSON_IsObject(of(o))
		? NULL
		: node(cJSON_GetObjectItemCaseSensitive(of(o), key));
}

struct lt_str fbj_text(const struct fbj *n)
{
	return n != NULL && cJSON_IsString(of(n)) ? ltc_z(of(n)->valuestring)
						  : (struct lt_str){ NULL, 0 };
}

struct lt_str fbj_str(const struct fbj *o, const char *key)
{
	return fbj_text(fbj_get(o, key));
}

int64_t fbj_number(const struct fbj *n, int64_t otherwise)
{
	int64_t v;

	if (n == NULL)
		return otherwise;
	if (cJSON_IsNumber(of(n)))
		return of(n)->valuedouble >= -9e15 && of(n)->valuedouble <= 9e15
			? (int64_t)of(n)->valuedouble
			: otherwise;
	if (cJSON_IsString(of(n)) &&
		ltc_i64(ltc_z(of(n)->valuestring), INT64_MIN, INT64_MAX, &v) == 0)
		return v;
	return otherwise;
}

int64_t fbj_i64(const struct fbj *o, const char *key, int64_t otherwise)
{
	return fbj_number(fbj_get(o, key), otherwise);
}

bool fbj_true(const struct fbj *o, const char *key)
{
	const struct fbj *n = fbj_get(o, key);

	return n != NULL && (cJSON_IsTrue(of(n)) || ltc_eqz(fbj_text(n), "true"));
}

const struct fbj *fbj_first(const struct fbj *list)
{
	return list != NULL && (cJSON_IsArray(of(list)) || cJSON_IsObject(of(list)))
		? node(of(list)->child)
		: NULL;
}

const struct fbj *fbj_next(const struct fbj *n)
{
	return node(of(n)->next);
}

struct lt_str fbj_name(const struct fbj *n)
{
	return ltc_z(of(n)->string);
}

size_t fbj_count(const struct fbj *list)
{
	size_t n = 0;

	for (const struct fbj *i = fbj_first(list); i != NULL; i = fbj_next(i))
		n++;
	return n;
}
