/* outcome.h - provider codes to outcomes, as data: a table under config/outcomes/, editable without a rebuild.
 * Form: TSV with the header `phase code sub outcome scope flags retry_s note`; '#' opens a comment line. The first row that
 * matches wins. A pattern is a comma list of alternatives; in one, `x` stands for one or more digits, a lone `*` for anything
 * (also for nothing), a lone `-` for nothing. Phase `any` matches every phase.
 * Thread: parsed once at open, read-only after. Owns: its rows. Failures: "file:line: what is wrong, what would be right". */
#ifndef LANTOA_COMMON_OUTCOME_H
#define LANTOA_COMMON_OUTCOME_H

#include "text.h"

#define LTC_OUTCOME_ROWS_MAX 2000
#define LTC_OUTCOME_LINE_MAX 1000

struct ltc_word {
	const char *word;
	uint32_t value;
};
struct ltc_outcome_row {
	struct lt_str phase, code, sub, note; /* borrowed from the table */
	int32_t outcome; /* LT_UNKNOWN ... LT_DEFERRED, or one of the adapter's own words */
	int32_t scope;
	uint32_t flags; /* LT_R_*, and the adapter's own words */
	int64_t retry_after_ms;
	int line;
};
struct ltc_outcomes; /* opaque */

/* What an adapter adds to the words: both lists end with a NULL word; own outcomes are >= 16, own flags >= 0x10000. */
struct ltc_outcome_words {
	const struct ltc_word *outcomes, *flags;
	const char *const *phases; /* NULL-terminated; a phase not in it is refused */
};

int ltc_outcomes_parse(struct lt_str text, const char *file, const struct ltc_outcome_words *words,
	struct ltc_outcomes **ret, char *err, size_t err_size) LTC_MUST;
void ltc_outcomes_free(struct ltc_outcomes *t); /* NULL allowed */
size_t ltc_outcomes_count(const struct ltc_outcomes *t);
const struct ltc_outcome_row *ltc_outcomes_row(const struct ltc_outcomes *t, size_t i);
/* First row at or after *from that matches; NULL when none. *from is set behind it, so that a caller whose conditions do not
 * hold for a row asks for the next. */
const struct ltc_outcome_row *ltc_outcomes_find(const struct ltc_outcomes *t, const char *phase,
	struct lt_str code, struct lt_str sub, size_t *from);
bool ltc_outcome_match(struct lt_str pattern, struct lt_str value);

#endif
