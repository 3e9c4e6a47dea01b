/* rules.c - the one reader of scripted faults. Owns: nothing. Failures: a list with a wrong key or value is refused whole. */
#include <stdlib.h>
#include <string.h>
#include "rules.h"

static const char *const pace_keys[] = { "times", "skip", "percent", "delay_ms", NULL };

uint64_t sb_random(struct sandbox *s)
{
	uint64_t x = s->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static bool listed(const char *const *keys, const char *key)
{
	for (size_t i = 0; keys != NULL && keys[i] != NULL; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

int sb_keys_known(const cJSON *o, const char *what, const char *const *keys,
	const char *const *more, struct err *e)
{
	if (!cJSON_IsObject(o))
		return err_set(e, -EINVAL, "%s: an object is needed", what);
	for (const cJSON *k = o->child; k != NULL; k = k->next)
		if (!listed(keys, k->string) && !listed(more, k->string))
			return err_set(e, -EINVAL, "%s: unknown key '%s'", what, k->string);
	return 0;
}

int sb_rule_word(const char *what, const char *key, const char *value, const struct sb_word *known,
	int *ret, struct err *e)
{
	struct buf all CLEANUP_BUF;

	buf_init(&all, 1000);
	for (const struct sb_word *w = known; w->name != NULL; w++) {
		if (strcmp(w->name, value) == 0) {
			*ret = w->value;
			return 0;
		}
		(void)buf_addf(&all, "%s%s", all.n > 0 ? ", " : "", w->name);
	}
	return err_set(e, -EINVAL, "%s: %s '%s' is none of %s", what, key, value, buf_z(&all));
}

int sb_rule_words(
	const char *what, const cJSON *o, const struct sb_choice *v, size_t n, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = sb_rule_word(what, v[i].key, json_z(o, v[i].key, v[i].otherwise), v[i].known,
			v[i].ret, e);
	return rc;
}

static int read_one(const struct sb_rule_kind *k, const cJSON *o, void *rule, struct err *e)
{
	int rc = sb_keys_known(o, k->what, k->keys, pace_keys, e);

	if (rc < 0)
		return rc;
	struct sb_pace *pace = (void *)((char *)rule + k->pace_at);
	*pace = (struct sb_pace){ .times = json_i64(o, "times", 0),
		.skip = json_i64(o, "skip", 0),
		.delay_ms = json_i64(o, "delay_ms", 0),
		.percent = (int)json_i64(o, "percent", 100) };
	return k->parse(o, rule, e);
}

int sb_rules_read(const struct sb_rule_kind *k, const cJSON *arr, size_t have, void **ret,
	size_t *ret_n, struct err *e)
{
	if (!cJSON_IsArray(arr))
		return err_set(e, -EINVAL, "%ss: an array is needed", k->what);
	size_t n = (size_t)cJSON_GetArraySize(arr), done = 0;
	if (have + n > k->max)
		return err_set(e, -E2BIG, "%ss: over %zu", k->what, k->max);
	char *rules = x_calloc(n + 1, k->size);
	const cJSON *it;
	cJSON_ArrayForEach(it, arr)
	{
		int rc = read_one(k, it, rules + done * k->size, e);
		if (rc == 0) {
			done++;
			continue;
		}
		while (k->free != NULL && done > 0)
			k->free(rules + --done * k->size);
		free(rules);
		return rc;
	}
	*ret = rules;
	*ret_n = n;
	return 0;
}

int sb_rules_put(const struct sb_rule_kind *k, const cJSON *arr, bool replace, void *rules,
	size_t *n, struct err *e)
{
	size_t have = replace ? 0 : *n, added;
	void *more;
	int rc = sb_rules_read(k, arr, have, &more, &added, e);

	if (rc < 0)
		return rc;
	memcpy((char *)rules + have * k->size, more, added * k->size);
	*n = have + added;
	free(more);
	return 0;
}

bool sb_pace_acts(struct sandbox *s, struct sb_pace *p)
{
	if (p->times > 0 && p->hits >= p->skip + p->times)
		return false;
	if (p->percent < 100 && (int)(sb_random(s) % 100) >= p->percent)
		return false;
	return p->hits++ >= p->skip;
}
