/* smpp_status.c - from a command_status to an outcome, by the table of the configuration (config/outcomes/smpp.tsv).
 * Thread: loop. Owns: nothing. Failures: a table without a row for some status is refused at open, so there is always an answer. */
#include <errno.h>
#include <stdio.h>
#include "smpp.h"

static const struct ltc_word own_flags[] = { { "slow", SMPP_F_SLOW }, { "alert", SMPP_F_ALERT },
	{ "no-validity", SMPP_F_NO_VALIDITY }, { "rebind", SMPP_F_REBIND },
	{ "streak", SMPP_F_STREAK }, { NULL, 0 } };
static const char *const phases[] = { "bind", "submit", "link", NULL };
const struct ltc_outcome_words smpp_outcome_words = { NULL, own_flags, phases };

/* As the table writes it: capital hexadecimal digits, two at least. */
static void code_of(uint32_t status, char *dst, size_t size)
{
	(void)snprintf(dst, size, "%02X", status);
}

const struct ltc_outcome_row *smpp_status_row(
	const struct ltc_outcomes *t, const char *phase, uint32_t status, uint32_t try_no)
{
	char code[16], sub[16];
	size_t from = 0;

	code_of(status, code, sizeof(code));
	(void)snprintf(sub, sizeof(sub), "%u", try_no);
	return ltc_outcomes_find(t, phase, ltc_z(code), ltc_z(sub), &from);
}

/* The same for every text: the row of sub "all", where the table has one. */
const struct ltc_outcome_row *smpp_status_all(const struct ltc_outcomes *t, uint32_t status)
{
	char code[16];
	size_t from = 0;

	code_of(status, code, sizeof(code));
	return ltc_outcomes_find(t, "submit", ltc_z(code), LTC_LIT("all"), &from);
}

const struct ltc_outcome_row *smpp_status_word(const struct ltc_outcomes *t, const char *word)
{
	size_t from = 0;

	return ltc_outcomes_find(t, "link", ltc_z(word), (struct lt_str){ "", 0 }, &from);
}

int smpp_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size)
{
	static const char *const words[] = { "connect", "lost", "stopped", "unfit", NULL };

	for (size_t i = 0; i < 2; i++) {
		const struct ltc_outcome_row *r = smpp_status_row(t, phases[i], 0xffffffff, 1000);
		if (r == NULL || r->outcome == LT_ACCEPTED) {
			(void)snprintf(err, err_size,
				"outcomes: no row of phase %s catches every other status; add one with code * at its end",
				phases[i]);
			return -EINVAL;
		}
	}
	for (const char *const *w = words; *w != NULL; w++) {
		if (smpp_status_word(t, *w) != NULL)
			continue;
		(void)snprintf(err, err_size,
			"outcomes: no row of phase link for '%s'; add one, or one with code * at its end",
			*w);
		return -EINVAL;
	}
	for (size_t i = 0; i < ltc_outcomes_count(t); i++) {
		const struct ltc_outcome_row *r = ltc_outcomes_row(t, i);
		if (r->outcome == LT_REFUSED || r->outcome == LT_DEFERRED)
			continue;
		(void)snprintf(err, err_size,
			"outcomes:%d: an error is refused or deferred, nothing else", r->line);
		return -EINVAL;
	}
	return 0;
}

void smpp_status_text(uint32_t status, char *dst, size_t size)
{
	const char *name = smpp_status_name(status);

	(void)snprintf(
		dst, size, "0x%02X%s%s", status, name == NULL ? "" : " ", name == NULL ? "" : name);
}
