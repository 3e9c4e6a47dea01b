/* audience.c - the rule of an audience: read from JSON, checked, written back in one canonical form.
 * Thread: any, pure. Owns: the rule it returns. Bounded by AUDIENCE_CLAUSES_MAX and AUDIENCE_VALUES_MAX.
 * Failures: -EINVAL with the clause, the key and what would be right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"
#include "model/audience.h"

#define VALUE_MAX 200

static const char *const key_names[AK_COUNT] = { [AK_REGION] = "region",
	[AK_OFFICE] = "office",
	[AK_UNDER] = "under",
	[AK_TAG] = "tag",
	[AK_LIST] = "list",
	[AK_LANG] = "lang" };

const char *audience_key_name(enum audience_key k)
{
	return (unsigned)k < AK_COUNT ? key_names[k] : NULL;
}

static void clauses_free(struct audience_clause *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < AK_COUNT; k++) {
			for (size_t v = 0; v < c[i].key[k].n; v++)
				free(c[i].key[k].v[v]);
			free(c[i].key[k].v);
		}
	free(c);
}

void audience_free(struct audience *a)
{
	if (!a)
		return;
	clauses_free(a->any, a->n_any);
	clauses_free(a->not_, a->n_not);
	free(a);
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static int value_add(struct audience_values *v, const cJSON *j, const char *where, const char *key,
	struct err *e)
{
	if (!cJSON_IsString(j))
		return err_set(e, -EINVAL, "%s: '%s' takes a name or a list of names", where, key);
	struct str s = str_trim(str_of(j->valuestring));
	if (s.n == 0 || s.n > VALUE_MAX || str_has_control(s))
		return err_set(e, -EINVAL, "%s: '%s' has an empty, too long or unprintable name",
			where, key);
	if (v->n == AUDIENCE_VALUES_MAX)
		return err_set(e, -E2BIG, "%s: '%s' names more than %d; use a tag or a list", where,
			key, AUDIENCE_VALUES_MAX);
	struct buf b CLEANUP_BUF;
	buf_init(&b, (size_t)4 * VALUE_MAX);
	if (utf8_nfc(&b, s) < 0)
		return err_set(e, -EILSEQ, "%s: '%s' has a name that is not UTF-8", where, key);
	v->v[v->n++] = x_strdup(buf_z(&b));
	return 0;
}

/* Sorted, each name once. */
static void values_settle(struct audience_values *v)
{
	size_t kept = 0;
	if (v->n > 1)
		qsort(v->v, v->n, sizeof(*v->v), by_text);
	for (size_t i = 0; i < v->n; i++) {
		if (kept && !strcmp(v->v[kept - 1], v->v[i]))
			free(v->v[i]);
		else
			v->v[kept++] = v->v[i];
	}
	v->n = kept;
}

static int values_read(struct audience_values *v, const cJSON *j, const char *where,
	const char *key, struct err *e)
{
	int n = cJSON_IsArray(j) ? cJSON_GetArraySize(j) : 1, rc = 0;
	if (n == 0)
		return err_set(
			e, -EINVAL, "%s: '%s' is empty; leave it out or name one", where, key);
	if (v->v)
		return err_set(e, -EINVAL, "%s: '%s' stands there twice", where, key);
	v->v = x_calloc((size_t)(n < AUDIENCE_VALUES_MAX ? n : AUDIENCE_VALUES_MAX), sizeof(*v->v));
	if (!cJSON_IsArray(j))
		return value_add(v, j, where, key, e);
	for (const cJSON *it = j->child; it && rc == 0; it = it->next)
		rc = value_add(v, it, where, key, e);
	if (rc == 0)
		values_settle(v);
	return rc;
}

static int unknown_key(
	const char *where, const char *key, const char *const *known, size_t n, struct err *e)
{
	const char *near = str_nearest(str_of(key), known, n);
	if (near)
		return err_set(e, -EINVAL, "%s: unknown key '%.80s'; did you mean '%s'?", where,
			key, near);
	struct buf b CLEANUP_BUF;
	buf_init(&b, 200);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", known[i]);
	return err_set(e, -EINVAL, "%s: unknown key '%.80s'; known are %s", where, key, buf_z(&b));
}

static int clause_read(struct audience_clause *c, const cJSON *j, const char *where, struct err *e)
{
	if (!cJSON_IsObject(j) || !j->child)
		return err_set(e, -EINVAL,
			"%s: a clause names at least one of region, office, under, tag, list, lang",
			where);
	for (const cJSON *it = j->child; it; it = it->next) {
		int k = 0, rc;
		while (k < AK_COUNT && strcmp(it->string, key_names[k]) != 0)
			k++;
		if (k == AK_COUNT)
			return unknown_key(where, it->string, key_names, AK_COUNT, e);
		rc = values_read(&c->key[k], it, where, it->string, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int clauses_read(struct audience_clause **ret, size_t *ret_n, const cJSON *j,
	const char *name, struct err *e)
{
	char where[40];
	int n = cJSON_IsArray(j) ? cJSON_GetArraySize(j) : 1, rc = 0;
	if (!j || cJSON_IsNull(j) || n == 0)
		return 0;
	if (n > AUDIENCE_CLAUSES_MAX)
		return err_set(e, -E2BIG, "'%s' has %d clauses; at most %d", name, n,
			AUDIENCE_CLAUSES_MAX);
	*ret = x_calloc((size_t)n, sizeof(**ret));
	*ret_n = (size_t)n;
	const cJSON *it = cJSON_IsArray(j) ? j->child : j;
	for (int i = 0; i < n && rc == 0; i++, it = it->next) {
		(void)snprintf(where, sizeof(where), "%s, clause %d", name, i + 1);
		rc = clause_read(&(*ret)[i], it, where, e);
	}
	return rc;
}

static int read_all(struct audience *a, const cJSON *j, struct err *e)
{
	static const char *const keys[] = { "any", "not", "broad" };
	for (const cJSON *it = j->child; it; it = it->next)
		if (strcmp(it->string, "any") != 0 && strcmp(it->string, "not") != 0 &&
			strcmp(it->string, "broad") != 0)
			return unknown_key("the rule", it->string, keys, ARRAY_LEN(keys), e);
	const cJSON *broad = json_get(j, "broad");
	if (broad && !cJSON_IsBool(broad))
		return err_set(e, -EINVAL, "'broad' is true or false%s%.40s",
			cJSON_IsString(broad) ? ", not " : "",
			cJSON_IsString(broad) ? broad->valuestring : "");
	a->broad = json_bool(j, "broad", false);
	int rc = clauses_read(&a->any, &a->n_any, json_get(j, "any"), "any", e);
	if (rc == 0)
		rc = clauses_read(&a->not_, &a->n_not, json_get(j, "not"), "not", e);
	if (rc == 0 && a->n_any == 0 && !a->broad)
		rc = err_set(e, -EINVAL,
			"the rule has no 'any' and would mean everybody; if that is meant, write broad: true");
	if (rc == 0 && a->n_any > 0 && a->broad)
		rc = err_set(e, -EINVAL, "'broad: true' means everybody; leave it or 'any' out");
	return rc;
}

int audience_from_json(const cJSON *j, struct audience **ret, struct err *e)
{
	if (!cJSON_IsObject(j))
		return err_set(e, -EINVAL, "a rule has the keys any, not and broad");
	CLEANUP(audience_free) struct audience *a = x_calloc(1, sizeof(*a));
	int rc = read_all(a, j, e);
	if (rc == 0)
		*ret = MOVE(a);
	return rc;
}

static void clauses_write(struct buf *b, const struct audience_clause *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool first = true;
		buf_addz(b, i ? ",{" : "{");
		for (int k = 0; k < AK_COUNT; k++) {
			if (c[i].key[k].n == 0)
				continue;
			buf_addf(b, "%s\"%s\":[", first ? "" : ",", key_names[k]);
			first = false;
			for (size_t v = 0; v < c[i].key[k].n; v++) {
				if (v)
					buf_addc(b, ',');
				(void)json_quote(b, str_of(c[i].key[k].v[v]));
			}
			buf_addc(b, ']');
		}
		buf_addc(b, '}');
	}
}

int audience_to_json(const struct audience *a, struct buf *ret)
{
	buf_addz(ret, "{\"any\":[");
	clauses_write(ret, a->any, a->n_any);
	buf_addz(ret, "],\"not\":[");
	clauses_write(ret, a->not_, a->n_not);
	buf_addf(ret, "],\"broad\":%s}", a->broad ? "true" : "false");
	return ret->failed ? -E2BIG : 0;
}
