/* rules.h - what the scripted faults of every imitated provider share: how a list of rules is read, and how often a rule acts.
 * Keys of every rule: "times" (act so often; 0: always), "skip" (after letting so many pass), "percent" (of the requests that fit),
 * "delay_ms". A list with an unknown key or word is refused whole, naming it; nothing of it is taken. Thread: the sandbox's.
 */
#ifndef LANTOA_SANDBOX_RULES_H
#define LANTOA_SANDBOX_RULES_H

#include "sandbox.h"

struct sb_word { /* a table of these ends with a NULL */
	const char *name;
	int value;
};
struct sb_rule_kind {
	const char *what;        /* for errors: "rule", "http rule" */
	const char *const *keys; /* beside those of every rule; ends with a NULL */
	size_t size, max;        /* of one in bytes; of a list in rules */
	size_t pace_at;          /* offset of its struct sb_pace */
	/* What the keys say, into a zeroed rule. On failure nothing in it is owned. */
	int (*parse)(const cJSON *o, void *rule, struct err *e);
	void (*free)(void *rule); /* NULL: a rule owns nothing */
};

/* The rules of arr, to stand behind `have` others: *ret is an array of *ret_n, owned by the caller. */
int sb_rules_read(const struct sb_rule_kind *k, const cJSON *arr, size_t have, void **ret,
	size_t *ret_n, struct err *e) MUST_CHECK;
/* One of the words of a table; the error names them all. */
int sb_rule_word(const char *what, const char *key, const char *value, const struct sb_word *known,
	int *ret, struct err *e) MUST_CHECK;
/* One of the words for each of several keys, in this order. */
struct sb_choice {
	const char *key, *otherwise; /* where the rule does not say */
	const struct sb_word *known;
	int *ret;
};
int sb_rule_words(const char *what, const cJSON *o, const struct sb_choice *v, size_t n,
	struct err *e) MUST_CHECK;
/* The rules of arr go into an array with room for k->max: in place of its *n, or behind them. On failure nothing is changed. */
int sb_rules_put(const struct sb_rule_kind *k, const cJSON *arr, bool replace, void *rules,
	size_t *n, struct err *e) MUST_CHECK;
/* An object has none but these keys. */
int sb_keys_known(const cJSON *o, const char *what, const char *const *keys,
	const char *const *more, struct err *e) MUST_CHECK;
/* Whether the rule, which fits, acts this time; counted. */
bool sb_pace_acts(struct sandbox *s, struct sb_pace *p);

#endif
