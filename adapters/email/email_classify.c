/* email_classify.c - from a reply and its phase to an outcome, by the table of the configuration.
 * Thread: loop. Owns: nothing. Failures: a table without a row for some reply is refused at open, so there is always an answer. */
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include "email_session.h"

#define TEXT_MAX 240 /* of the relay's words that are kept */

static const struct ltc_word own_outcomes[] = { { "again", EMAIL_O_AGAIN },
	{ "one-by-one", EMAIL_O_ONE_BY_ONE }, { NULL, 0 } };
static const struct ltc_word own_flags[] = { { "alert", EMAIL_F_ALERT }, { NULL, 0 } };
static const char *const phases[] = { "greeting", "auth", "mail", "rcpt", "data", "final", NULL };
const struct ltc_outcome_words email_outcome_words = { own_outcomes, own_flags, phases };

static const struct ltc_outcome_row *pick(const struct ltc_outcomes *t, const char *phase,
	struct lt_str code, struct lt_str sub, unsigned can)
{
	const struct ltc_outcome_row *row;
	size_t from = 0;

	while ((row = ltc_outcomes_find(t, phase, code, sub, &from)) != NULL) {
		if (row->outcome == EMAIL_O_AGAIN && !(can & EMAIL_CAN_AGAIN))
			continue;
		if (row->outcome == EMAIL_O_ONE_BY_ONE && !(can & EMAIL_CAN_SPLIT))
			continue;
		return row;
	}
	return NULL;
}

int email_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size)
{
	static const char *const last[] = { "499", "599" };

	for (const char *const *p = phases; *p != NULL; p++)
		for (size_t i = 0; i < 2; i++) {
			if (pick(t, *p, ltc_z(last[i]), ltc_z(""), 0) != NULL)
				continue;
			(void)snprintf(err, err_size,
				"outcomes: no row of phase %s catches every %cxx; add one at its end",
				*p, last[i][0]);
			return -EINVAL;
		}
	return 0;
}

void email_classify(const struct ltc_outcomes *t, const char *phase,
	const struct email_reply *reply, unsigned can, struct lt_str address,
	struct email_verdict *v)
{
	struct email_reply said;
	char code[8];

	(void)snprintf(code, sizeof(code), "%d", reply->code);
	const struct ltc_outcome_row *row = pick(t, phase, ltc_z(code), ltc_z(reply->sub), can);
	v->r = (struct lt_result){ .struct_size = sizeof(v->r) };
	if (row != NULL) {
		v->r.outcome = row->outcome;
		v->r.scope = row->scope;
		v->r.flags = row->flags & 0xffffu;
		v->r.retry_after_ms = row->retry_after_ms;
		v->alert = (row->flags & EMAIL_F_ALERT) != 0;
	} else { /* only codes that are no refusal get here: 2xx and 3xx out of place */
		v->r.outcome = LT_DEFERRED;
		v->r.scope = LT_SCOPE_ACCOUNT;
		v->alert = false;
	}
	(void)snprintf(v->code, sizeof(v->code), "%s%s%s", code, reply->sub[0] != '\0' ? " " : "",
		reply->sub);
	email_reply_copy(reply, &said);
	email_hide(&said, address);
	struct lt_str text = ltc_utf8_cut((struct lt_str){ said.text, said.n }, TEXT_MAX);
	(void)snprintf(v->text, sizeof(v->text), "%.*s", (int)text.n, text.p);
	v->r.code = ltc_z(v->code);
	v->r.text = ltc_z(v->text);
}
