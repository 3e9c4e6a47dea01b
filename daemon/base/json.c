/* json.c - parsing, reading and building JSON trees.
 * Thread: any. Owns: nothing; trees are the caller's.
 * Failures: parsing refuses with line and column; building aborts when memory is out, so what comes from outside must be
 * bounded before it gets here.
 */
#include "base/json_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/utf8.h"

#define EXACT_MAX   (1LL << 53)       /* up to here a double holds every whole number */
#define PRINTED_MAX 999999999999999LL /* up to here cJSON prints every digit of it */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int refuse_duplicates_in(const cJSON *o, struct err *e)
{
	size_t n = 0, i = 0;
	int r = 0;

	for (const cJSON *it = o->child; it; it = it->next)
		n++;
	if (n < 2)
		return 0;
	const char **names = calloc(n, sizeof(*names));
	if (!names)
		return err_set(e, -ENOMEM, "JSON: no memory");
	for (const cJSON *it = o->child; it; it = it->next)
		names[i++] = it->string;
	qsort(names, n, sizeof(*names), by_name);
	for (i = 1; i < n && r == 0; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			r = err_set(e, -EINVAL,
				"JSON: the key \"%.100s\" stands twice in one object", names[i]);
	free(names);
	return r;
}

/* As deep as the scan has let through: JSON_DEPTH_MAX. */
static int refuse_duplicates(const cJSON *j, struct err *e)
{
	int r = cJSON_IsObject(j) ? refuse_duplicates_in(j, e) : 0;

	for (const cJSON *it = j->child; it && r == 0; it = it->next)
		r = refuse_duplicates(it, e);
	return r;
}

int json_parse(struct str text, size_t max_bytes, cJSON **ret, struct err *e)
{
	struct buf clean CLEANUP_BUF = { 0 };

	if (text.n > max_bytes)
		return err_set(
			e, -E2BIG, "JSON of %zu bytes; at most %zu are taken", text.n, max_bytes);
	/* each number in quotes has 16 digits or more and gains 2 bytes */
	buf_init(&clean, text.n + text.n / 8 + 2);
	int r = json_scan(text, &clean, e);
	if (r)
		return r;

	const char *end = NULL;
	cJSON *j CLEANUP_JSON = cJSON_ParseWithLengthOpts(buf_z(&clean), clean.n, &end, false);
	if (!j)
		return err_set(e, -ENOMEM, "JSON: no memory for %zu bytes", text.n);
	r = refuse_duplicates(j, e);
	if (r)
		return r;
	*ret = MOVE(j);
	return 0;
}

const cJSON *json_get(const cJSON *o, const char *key)
{
	return cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;
}

struct str json_str(const cJSON *o, const char *key)
{
	return str_of(json_z(o, key, NULL));
}

const char *json_z(const cJSON *o, const char *key, const char *otherwise)
{
	const cJSON *v = json_get(o, key);

	return v && cJSON_IsString(v) && v->valuestring ? v->valuestring : otherwise;
}

bool json_bool(const cJSON *o, const char *key, bool otherwise)
{
	const cJSON *v = json_get(o, key);

	return cJSON_IsBool(v) ? cJSON_IsTrue(v) : otherwise;
}

int64_t json_i64(const cJSON *o, const char *key, int64_t otherwise)
{
	const cJSON *v = json_get(o, key);
	int64_t i;

	if (!v)
		return otherwise;
	if ((cJSON_IsString(v) || cJSON_IsRaw(v)) &&
		str_i64(str_of(v->valuestring), INT64_MIN, INT64_MAX, &i) == 0)
		return i;
	if (!cJSON_IsNumber(v))
		return otherwise;
	double d = v->valuedouble;
	if (!(d >= -(double)EXACT_MAX && d <= (double)EXACT_MAX) || floor(d) < d)
		return otherwise;
	return (int64_t)d;
}

bool json_has(const cJSON *o, const char *key)
{
	return json_get(o, key) != NULL;
}

static cJSON *made(cJSON *j)
{
	REQUIRE(j != NULL);
	return j;
}

cJSON *json_obj(void)
{
	return made(cJSON_CreateObject());
}

cJSON *json_arr(void)
{
	return made(cJSON_CreateArray());
}

void json_put(cJSON *o, const char *key, cJSON *v)
{
	REQUIRE(v != NULL && cJSON_IsObject(o));
	REQUIRE(cJSON_AddItemToObject(o, key, v));
}

void json_add(cJSON *arr, cJSON *v)
{
	REQUIRE(v != NULL && cJSON_IsArray(arr));
	REQUIRE(cJSON_AddItemToArray(arr, v));
}

/* JSON holds UTF-8 only, cJSON no NUL: bytes that are neither become the replacement character. */
static cJSON *string_of(struct str s)
{
	struct buf b CLEANUP_BUF = { 0 };
	int32_t cp;

	if (!s.p)
		return made(cJSON_CreateNull());
	buf_init(&b, 3 * s.n);
	while (s.n) {
		struct str before = s;
		bool good = utf8_next(&s, &cp) && cp != 0;
		if (good) {
			(void)buf_add(&b, before.p, (size_t)(s.p - before.p));
			continue;
		}
		(void)utf8_put(&b, 0xfffd);
		s = (struct str){ before.p + 1, before.n - 1 };
	}
	REQUIRE(!b.failed);
	return made(cJSON_CreateString(buf_z(&b)));
}

void json_put_str(cJSON *o, const char *key, struct str s)
{
	json_put(o, key, string_of(s));
}

void json_put_z(cJSON *o, const char *key, const char *z)
{
	json_put(o, key, string_of(str_of(z)));
}

void json_put_i64(cJSON *o, const char *key, int64_t v)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%lld", (long long)v);
	if (v >= -PRINTED_MAX && v <= PRINTED_MAX)
		json_put(o, key, made(cJSON_CreateNumber((double)v)));
	else if (v >= -EXACT_MAX && v <= EXACT_MAX)
		json_put(o, key, made(cJSON_CreateRaw(digits)));
	else
		json_put_z(o, key, digits);
}

void json_put_bool(cJSON *o, const char *key, bool v)
{
	json_put(o, key, made(cJSON_CreateBool(v)));
}

void json_put_double(cJSON *o, const char *key, double v)
{
	json_put(o, key, made(cJSON_CreateNumber(v)));
}

void json_add_str(cJSON *arr, struct str s)
{
	json_add(arr, string_of(s));
}

char *json_print(const cJSON *j)
{
	char *text = cJSON_PrintUnformatted(j);

	REQUIRE(text != NULL);
	return text;
}

static int quote_one(struct buf *b, struct str *s)
{
	static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	struct str before = *s;
	char c = before.p[0];
	int32_t cp;

	if (!utf8_next(s, &cp)) {
		*s = (struct str){ before.p + 1, before.n - 1 };
		return utf8_put(b, 0xfffd);
	}
	for (size_t i = 0; i < sizeof(shorts) - 1; i += 2)
		if (c == shorts[i])
			return buf_addf(b, "\\%c", shorts[i + 1]);
	if (cp < 0x20 || cp == 0x7f)
		return buf_addf(b, "\\u%04x", (unsigned)cp);
	return buf_add(b, before.p, (size_t)(s->p - before.p));
}

int json_quote(struct buf *b, struct str s)
{
	size_t start = b->n;
	int r = buf_addc(b, '"');

	while (r == 0 && s.n)
		r = quote_one(b, &s);
	if (r == 0)
		r = buf_addc(b, '"');
	if (r && b->p) {
		b->n = start;
		b->p[start] = '\0';
	}
	return r;
}
