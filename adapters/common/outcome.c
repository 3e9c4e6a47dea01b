/* outcome.c - reader of outcome tables.
 * Thread: parse anywhere, find anywhere (read-only). Owns: one copy of the text, the rows point into it.
 * Failures: every one names file, line, value and what would be right; nothing is half-read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "outcome.h"

struct ltc_outcomes {
	char *text;                   /* owned */
	struct ltc_outcome_row *rows; /* owned */
	size_t n, cap;
};
struct reader {
	struct ltc_outcomes *t;
	const struct ltc_outcome_words *words;
	const char *file;
	int line;
	char *err;
	size_t err_size;
};
enum { COL_PHASE, COL_CODE, COL_SUB, COL_OUTCOME, COL_SCOPE, COL_FLAGS, COL_RETRY, COL_NOTE, COLS };
static const char *const col_names[COLS] = { "phase", "code", "sub", "outcome", "scope", "flags",
	"retry_s", "note" };
static const struct ltc_word outcome_words[] = { { "unknown", LT_UNKNOWN },
	{ "accepted", LT_ACCEPTED }, { "refused", LT_REFUSED }, { "deferred", LT_DEFERRED },
	{ NULL, 0 } };
static const struct ltc_word scope_words[] = { { "target", LT_SCOPE_TARGET },
	{ "release", LT_SCOPE_RELEASE }, { "lane", LT_SCOPE_LANE }, { "account", LT_SCOPE_ACCOUNT },
	{ "channel", LT_SCOPE_CHANNEL }, { "class", LT_SCOPE_CLASS }, { NULL, 0 } };
static const struct ltc_word flag_words[] = { { "suppress", LT_R_SUPPRESS },
	{ "strike", LT_R_STRIKE }, { "free", LT_R_FREE }, { "person", LT_R_PERSON },
	{ "duplicate", LT_R_DUPLICATE }, { "elsewhere", LT_R_ELSEWHERE }, { NULL, 0 } };

static int fail(const struct reader *r, const char *what, struct lt_str value, const char *right)
{
	(void)snprintf(r->err, r->err_size, "%s:%d: %s '%.*s'; %s", r->file, r->line, what,
		(int)(value.n > 60 ? 60 : value.n), value.p == NULL ? "" : value.p, right);
	return -EINVAL;
}

static const struct ltc_word *word_find(
	const struct ltc_word *own, const struct ltc_word *common, struct lt_str s)
{
	for (const struct ltc_word *w = common; w->word != NULL; w++)
		if (ltc_eqz(s, w->word))
			return w;
	for (const struct ltc_word *w = own; w != NULL && w->word != NULL; w++)
		if (ltc_eqz(s, w->word))
			return w;
	return NULL;
}

static int parse_flags(const struct reader *r, struct lt_str s, uint32_t *ret)
{
	struct lt_str one;
	*ret = 0;
	if (ltc_eqz(s, "-"))
		return 0;
	while (ltc_next(&s, ',', &one)) {
		const struct ltc_word *w = word_find(r->words->flags, flag_words, ltc_trim(one));
		if (w == NULL)
			return fail(r, "unknown flag", one,
				"use suppress, strike, free, person, duplicate, elsewhere or -");
		*ret |= w->value;
	}
	return 0;
}

static bool phase_known(const struct reader *r, struct lt_str s)
{
	if (ltc_eqz(s, "any"))
		return true;
	for (const char *const *p = r->words->phases; *p != NULL; p++)
		if (ltc_eqz(s, *p))
			return true;
	return false;
}

static bool pattern_good(struct lt_str s)
{
	if (s.n == 0 || s.p[s.n - 1] == ',' || s.p[0] == ',')
		return false;
	return memchr(s.p, ' ', s.n) == NULL;
}

static int parse_row(struct reader *r, struct lt_str line)
{
	struct lt_str col[COLS] = { { 0 } }, one;
	struct ltc_outcome_row row = { .line = r->line };
	size_t n = 0;
	int64_t retry = 0;

	while (ltc_next(&line, '\t', &one)) {
		if (n == COLS)
			return fail(r, "more than 8 columns at", one, "separate with one tab each");
		col[n++] = ltc_trim(one);
	}
	if (n < COLS - 1)
		return fail(r, "too few columns in row", col[0],
			"phase code sub outcome scope flags retry_s note, tabs between");
	if (!phase_known(r, col[COL_PHASE]))
		return fail(r, "unknown phase", col[COL_PHASE], "see the top of the file");
	if (!pattern_good(col[COL_CODE]))
		return fail(
			r, "bad code pattern", col[COL_CODE], "for example 550, 4xx, 550,551 or *");
	if (!pattern_good(col[COL_SUB]))
		return fail(r, "bad sub pattern", col[COL_SUB], "for example 5.1.1, 4.7.x, - or *");
	const struct ltc_word *o = word_find(r->words->outcomes, outcome_words, col[COL_OUTCOME]);
	if (o == NULL)
		return fail(r, "unknown outcome", col[COL_OUTCOME],
			"use accepted, refused, deferred or unknown");
	const struct ltc_word *s = word_find(NULL, scope_words, col[COL_SCOPE]);
	if (s == NULL)
		return fail(r, "unknown scope", col[COL_SCOPE],
			"use target, release, lane, account, channel or class");
	if (parse_flags(r, col[COL_FLAGS], &row.flags) < 0)
		return -EINVAL;
	if (!ltc_eqz(col[COL_RETRY], "-") && ltc_i64(col[COL_RETRY], 1, 604800, &retry) < 0)
		return fail(r, "bad retry_s", col[COL_RETRY], "seconds from 1 to 604800, or -");
	row.phase = col[COL_PHASE];
	row.code = col[COL_CODE];
	row.sub = col[COL_SUB];
	row.note = col[COL_NOTE];
	row.outcome = (int32_t)o->value;
	row.scope = (int32_t)s->value;
	row.retry_after_ms = retry * 1000;
	r->t->rows[r->t->n++] = row;
	return 0;
}

static int parse_header(struct reader *r, struct lt_str line)
{
	struct lt_str one;
	for (size_t i = 0; i < COLS; i++)
		if (!ltc_next(&line, '\t', &one) || !ltc_eqz(ltc_trim(one), col_names[i]))
			return fail(r, "bad header at", one,
				"phase code sub outcome scope flags retry_s note, tabs between");
	return 0;
}

static int parse_lines(struct reader *r, struct lt_str rest)
{
	struct lt_str line;
	bool header = false;

	while (ltc_line(&rest, &line)) {
		r->line++;
		if (ltc_trim(line).n == 0 || line.p[0] == '#')
			continue;
		if (line.n > LTC_OUTCOME_LINE_MAX)
			return fail(r, "line too long", line, "at most 1000 bytes");
		int rc = header ? 0 : parse_header(r, line);
		if (rc == 0 && header && r->t->n == r->t->cap)
			return fail(r, "too many rows at", line, "at most 2000");
		if (rc == 0 && header)
			rc = parse_row(r, line);
		if (rc < 0)
			return rc;
		header = true;
	}
	if (r->t->n == 0)
		return fail(r, "no rows in", ltc_z(r->file), "the table must not be empty");
	return 0;
}

int ltc_outcomes_parse(struct lt_str text, const char *file, const struct ltc_outcome_words *words,
	struct ltc_outcomes **ret, char *err, size_t err_size)
{
	struct ltc_outcomes *t = calloc(1, sizeof(*t));
	struct reader r = { t, words, file, 0, err, err_size };
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	if (t == NULL)
		return -ENOMEM;
	t->cap = lines < LTC_OUTCOME_ROWS_MAX ? lines : LTC_OUTCOME_ROWS_MAX;
	t->rows = calloc(t->cap, sizeof(*t->rows));
	t->text = malloc(text.n + 1);
	if (t->rows == NULL || t->text == NULL) {
		ltc_outcomes_free(t);
		return -ENOMEM;
	}
	if (text.n > 0)
		memcpy(t->text, text.p, text.n);
	int rc = parse_lines(&r, (struct lt_str){ t->text, text.n });
	if (rc < 0) {
		ltc_outcomes_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

void ltc_outcomes_free(struct ltc_outcomes *t)
{
	if (t == NULL)
		return;
	free(t->rows);
	free(t->text);
	free(t);
}

size_t ltc_outcomes_count(const struct ltc_outcomes *t)
{
	return t->n;
}

const struct ltc_outcome_row *ltc_outcomes_row(const struct ltc_outcomes *t, size_t i)
{
	return i < t->n ? &t->rows[i] : NULL;
}

static bool match_one(struct lt_str pat, struct lt_str v)
{
	size_t i = 0;

	if (ltc_eqz(pat, "*"))
		return true;
	if (ltc_eqz(pat, "-"))
		return v.n == 0;
	for (size_t k = 0; k < pat.n; k++) {
		if (pat.p[k] != 'x') {
			if (i >= v.n || v.p[i++] != pat.p[k])
				return false;
			continue;
		}
		bool last = k + 1 == pat.n || pat.p[k + 1] != 'x';
		if (i >= v.n || v.p[i] < '0' || v.p[i] > '9')
			return false;
		i++;
		while (last && i < v.n && v.p[i] >= '0' && v.p[i] <= '9')
			i++;
	}
	return i == v.n;
}

bool ltc_outcome_match(struct lt_str pattern, struct lt_str value)
{
	struct lt_str one;
	while (ltc_next(&pattern, ',', &one))
		if (match_one(one, value))
			return true;
	return false;
}

const struct ltc_outcome_row *ltc_outcomes_find(const struct ltc_outcomes *t, const char *phase,
	struct lt_str code, struct lt_str sub, size_t *from)
{
	for (size_t i = *from; i < t->n; i++) {
		const struct ltc_outcome_row *r = &t->rows[i];
		if (!ltc_eqz(r->phase, "any") && !ltc_eqz(r->phase, phase))
			continue;
		if (ltc_outcome_match(r->code, code) && ltc_outcome_match(r->sub, sub)) {
			*from = i + 1;
			return r;
		}
	}
	*from = t->n;
	return NULL;
}
