/* when_weekday.c - finds a weekday in running text that does not fit the date behind it. Pure.
 * Reads "Thứ Hai, ngày 24/11/2026", "thứ 2 (24/11/2026)", "Chủ nhật 22-11-2026", "Monday, 24 November 2026",
 * "ngày 24 tháng 11 năm 2026". Text is NFC; case of the first letters does not matter.
 */
#include "model/when.h"

#include <string.h>
#include <strings.h>

#include "base/assert.h"

struct day_word {
	const char *word;
	int day;
};
/* Longer words before their beginnings. */
static const struct day_word words[] = { { "chủ nhật", 0 }, { "thứ hai", 1 }, { "thứ ba", 2 },
	{ "thứ tư", 3 }, { "thứ năm", 4 }, { "thứ sáu", 5 }, { "thứ bảy", 6 }, { "thứ bẩy", 6 },
	{ "thứ 2", 1 }, { "thứ 3", 2 }, { "thứ 4", 3 }, { "thứ 5", 4 }, { "thứ 6", 5 },
	{ "thứ 7", 6 }, { "sunday", 0 }, { "monday", 1 }, { "tuesday", 2 }, { "wednesday", 3 },
	{ "thursday", 4 }, { "friday", 5 }, { "saturday", 6 } };
static const char *const months[] = { "january", "february", "march", "april", "may", "june",
	"july", "august", "september", "october", "november", "december" };

/* Upper-case forms of the non-ASCII letters that the words hold. */
static const struct {
	const char *upper, *lower;
} letters[] = { { "Ứ", "ứ" }, { "Ủ", "ủ" }, { "Ậ", "ậ" }, { "Ư", "ư" }, { "Ă", "ă" }, { "Á", "á" },
	{ "Ả", "ả" }, { "Ẩ", "ẩ" }, { "À", "à" } };

/* Upper-case letter at p for the lower-case one at *word; moves both on. */
static bool match_upper(const char **p, const char *end, const char **word)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		size_t nl = strlen(letters[i].lower), nu = strlen(letters[i].upper);
		if (strncmp(*word, letters[i].lower, nl) == 0 && (size_t)(end - *p) >= nu &&
			memcmp(*p, letters[i].upper, nu) == 0) {
			*p += nu;
			*word += nl;
			return true;
		}
	}
	return false;
}

/* Matches `word` (lower case) at p in any case; returns the bytes eaten or 0. */
static size_t match(const char *p, const char *end, const char *word)
{
	const char *q = p;
	while (*word != '\0') {
		if (q == end)
			return 0;
		if (match_upper(&q, end, &word))
			continue;
		unsigned char a = (unsigned char)*q, w = (unsigned char)*word;
		if (a >= 'A' && a <= 'Z')
			a = (unsigned char)(a + 32);
		if (a != w)
			return 0;
		q++;
		word++;
	}
	return (size_t)(q - p);
}

static const char *number(const char *p, const char *end, size_t max, int *ret)
{
	size_t n = 0;
	int v = 0;
	while (p + n < end && p[n] >= '0' && p[n] <= '9' && n <= max) {
		v = v * 10 + (p[n] - '0');
		n++;
	}
	if (n == 0 || n > max)
		return NULL;
	*ret = v;
	return p + n;
}

static const char *skip_spaces(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '*' || *p == '_'))
		p++;
	return p;
}

static const char *word_number(
	const char *p, const char *end, const char *word, size_t max, int *ret)
{
	p = skip_spaces(p, end);
	size_t n = match(p, end, word);
	return n == 0 ? NULL : number(skip_spaces(p + n, end), end, max, ret);
}

static const char *month_name(const char *p, const char *end, int *ret)
{
	for (int m = 0; m < 12; m++) {
		size_t n = match(p, end, months[m]);
		if (n > 0) {
			*ret = m + 1;
			return p + n;
		}
	}
	return NULL;
}

/* A date behind a weekday; returns its end or NULL. */
static const char *date_after(const char *p, const char *end, struct civil *c)
{
	const char *q;
	p = skip_spaces(p, end);
	while (p < end && (*p == ',' || *p == '(' || *p == ':'))
		p = skip_spaces(p + 1, end);
	size_t n = match(p, end, "ngày");
	p = skip_spaces(p + n, end);
	const char *dayend = number(p, end, 2, &c->day);
	if (dayend == NULL || dayend == end)
		return NULL;
	if (*dayend == '/' || *dayend == '-' || *dayend == '.') {
		char sep = *dayend;
		q = number(dayend + 1, end, 2, &c->month);
		if (q == NULL || q == end || *q != sep)
			return NULL;
		return number(q + 1, end, 4, &c->year);
	}
	q = word_number(dayend, end, "tháng", 2, &c->month);
	if (q != NULL)
		return word_number(q, end, "năm", 4, &c->year);
	q = month_name(skip_spaces(dayend, end), end, &c->month);
	return q == NULL ? NULL : number(skip_spaces(q, end), end, 4, &c->year);
}

static bool slip_at(
	struct str text, size_t at, const struct day_word *w, size_t len, struct weekday_slip *ret)
{
	struct civil c = { 0 };
	const char *end = text.p + text.n, *p = text.p + at;
	const char *stop = date_after(p + len, end, &c);
	if (stop == NULL || !civil_valid(&c))
		return false;
	c.weekday = civil_weekday(c.year, c.month, c.day);
	if (c.weekday == w->day)
		return false;
	*ret = (struct weekday_slip){ at, (size_t)(stop - p), w->day, c.weekday, c };
	return true;
}

bool when_find_weekday_slip(struct str text, size_t from, struct weekday_slip *ret)
{
	for (size_t i = from; i < text.n; i++) {
		char c = text.p[i];
		if (memchr("cCtTsSmMwWfF", c, 12) == NULL)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(words); k++) {
			size_t n = match(text.p + i, text.p + text.n, words[k].word);
			if (n > 0 && slip_at(text, i, &words[k], n, ret))
				return true;
			if (n > 0)
				break;
		}
	}
	return false;
}
