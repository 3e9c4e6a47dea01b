/* doc_warn.c - what editors fear to find in a published text: stamps of drafts, placeholders, old encodings, a weekday
 * that does not fit its date. Warnings only. Pure. */
#include <string.h>

#include <utf8proc.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "content/doc_internal.h"
#include "content/doc_text.h"

#define WARNINGS_PER_TEXT 5 /* of one sort */

struct warn {
	struct content_problems *p;
	const char *file, *field;
	int line;
	struct str text;
};

static void warn_at(const struct warn *w, size_t at, const char *text)
{
	problem_add(w->p, PROBLEM_WARNING, w->file, w->line + doc_text_line_at(w->text, at) - 1,
		w->field, "%s", text);
}

static bool is_letter(int32_t cp)
{
	switch ((int)utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM: return true;
	default: return false;
	}
}

static int32_t cp_before(struct str s, size_t at)
{
	size_t from = at;
	int32_t cp = 0;
	while (from > 0 && ((unsigned char)s.p[from - 1] & 0xc0) == 0x80)
		from--;
	if (from == 0)
		return 0;
	struct str rest = { s.p + from - 1, at - from + 1 };
	return utf8_next(&rest, &cp) ? cp : 0;
}

static int32_t cp_at(struct str s, size_t at)
{
	struct str rest = { s.p + at, s.n - at };
	int32_t cp = 0;
	return utf8_next(&rest, &cp) ? cp : 0;
}

static bool stands_alone(struct str s, size_t at, size_t n)
{
	return !is_letter(cp_before(s, at)) && !is_letter(cp_at(s, at + n));
}

/* The syllable beside a place, over spaces of the same line; empty when there is none. */
static struct str syllable_before(struct str s, size_t at)
{
	while (at > 0 && s.p[at - 1] == ' ')
		at--;
	size_t from = at;
	while (from > 0 && is_letter(cp_before(s, from))) {
		from--;
		while (from > 0 && ((unsigned char)s.p[from] & 0xc0) == 0x80)
			from--;
	}
	return (struct str){ s.p + from, at - from };
}

static struct str syllable_after(struct str s, size_t at)
{
	while (at < s.n && s.p[at] == ' ')
		at++;
	struct str rest = { s.p + at, s.n - at };
	size_t n = 0;
	int32_t cp = 0;
	while (utf8_next(&rest, &cp) && is_letter(cp))
		n = (size_t)(rest.p - (s.p + at));
	return (struct str){ s.p + at, n };
}

static bool is_one_of(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eqz(s, words[i]))
			return true;
	}
	return false;
}

/* MẬT as a stamp, not the syllable of BẢO MẬT, BÍ MẬT, MẬT KHẨU, MẬT ONG ... */
static bool is_stamp(struct str s, size_t at, size_t n)
{
	static const char *const before[] = { "BẢO", "BÍ", "THÂN", "NỒNG", "CHI", "ONG", "ĐƯỜNG" };
	static const char *const after[] = { "KHẨU", "ĐỘ", "ONG", "MÃ", "THIẾT", "DANH", "VỤ",
		"THƯ", "ĐÀM", "NGỌT", "BÁO", "PHỤC", "HIỆU" };
	return !is_one_of(syllable_before(s, at), before, ARRAY_LEN(before)) &&
		!is_one_of(syllable_after(s, at + n), after, ARRAY_LEN(after));
}

static void find_stamp(const struct warn *w, const char *word, const char *says, bool secret)
{
	size_t n = strlen(word), told = 0;
	for (size_t at = 0; at + n <= w->text.n && told < WARNINGS_PER_TEXT;) {
		const char *hit = memmem(w->text.p + at, w->text.n - at, word, n);
		if (hit == NULL)
			return;
		at = (size_t)(hit - w->text.p);
		if (stands_alone(w->text, at, n) && (!secret || is_stamp(w->text, at, n))) {
			warn_at(w, at, says);
			told++;
		}
		at += n;
	}
}

/* The phrase in any case: it is searched in a lower-case copy, lines stay the same. */
static void find_phrase(const struct warn *w, const char *lower, const char *says)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 4 * w->text.n + 16);
	if (utf8_lower(&b, w->text) < 0)
		return;
	const char *hit = memmem(b.p == NULL ? "" : b.p, b.n, lower, strlen(lower));
	if (hit == NULL)
		return;
	int line = doc_text_line_at(buf_str(&b), (size_t)(hit - b.p));
	problem_add(w->p, PROBLEM_WARNING, w->file, w->line + line - 1, w->field, "%s", says);
}

/* A run of at least three of the same sign that stands alone. */
static void find_run(const struct warn *w, char c, const char *says)
{
	size_t told = 0;
	for (size_t i = 0; i < w->text.n && told < WARNINGS_PER_TEXT;) {
		size_t n = 0;
		while (i + n < w->text.n && w->text.p[i + n] == c)
			n++;
		if (n >= 3 && (c == '?' || stands_alone(w->text, i, n))) {
			warn_at(w, i, says);
			told++;
		}
		i += n == 0 ? 1 : n;
	}
}

static bool ascii_letter(int32_t cp)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
}

struct old_counts {
	size_t tcvn, vni,
		twice; /* signs inside words; letters no Vietnamese word has; UTF-8 read as Latin-1 */
	size_t tcvn_at, vni_at, twice_at;
};

static void count_sign(struct old_counts *c, int32_t before, int32_t cp, int32_t after, size_t at)
{
	static const int32_t vni[] = { 0xf1, 0xe5, 0xe4, 0xeb, 0xef, 0xf6, 0xfb, 0xf8, 0xe6, 0xd1,
		0xc5, 0xc4, 0xcb, 0xcf, 0xd6, 0xdb, 0xd8,
		0xc6 }; /* ñ å ä ë ï ö û ø æ and their capitals */
	bool in_word = ascii_letter(before) && ascii_letter(after);
	if (cp >= 0xa1 && cp <= 0xbf && in_word && c->tcvn++ == 0)
		c->tcvn_at = at;
	if ((cp == 0xc3 || cp == 0xe1 || cp == 0xc4 || cp == 0xc6) &&
		((after >= 0xa0 && after <= 0xbf) || (after >= 0x2010 && after <= 0x2030)) &&
		c->twice++ == 0)
		c->twice_at = at;
	for (size_t i = 0; i < ARRAY_LEN(vni); i++) {
		if (cp == vni[i] && (ascii_letter(before) || ascii_letter(after)) && c->vni++ == 0)
			c->vni_at = at;
	}
}

static void find_old_encoding(const struct warn *w)
{
	struct old_counts c = { 0 };
	struct str rest = w->text;
	int32_t before = 0, cp = 0, after = 0;
	size_t at = 0;
	if (!utf8_next(&rest, &cp))
		return;
	for (;;) {
		size_t next_at = (size_t)(rest.p - w->text.p);
		bool more = utf8_next(&rest, &after);
		count_sign(&c, before, cp, more ? after : 0, at);
		if (!more)
			break;
		before = cp;
		cp = after;
		at = next_at;
	}
	if (c.twice >= 3)
		warn_at(w, c.twice_at,
			"looks like UTF-8 that was read as another encoding (Ã¡, á»); copy the text again");
	else if (c.tcvn >= 3)
		warn_at(w, c.tcvn_at,
			"looks like the old encoding TCVN3 (ABC); convert the text to Unicode");
	else if (c.vni >= 4)
		warn_at(w, c.vni_at,
			"looks like the old encoding VNI; convert the text to Unicode");
}

static void find_weekdays(const struct warn *w)
{
	struct weekday_slip s;
	size_t at = 0;
	for (size_t told = 0; told < WARNINGS_PER_TEXT && when_find_weekday_slip(w->text, at, &s);
		told++) {
		problem_add(w->p, PROBLEM_WARNING, w->file,
			w->line + doc_text_line_at(w->text, s.at) - 1, w->field,
			"%02d/%02d/%04d is a %s (%s), not %s", s.date.day, s.date.month,
			s.date.year, when_weekday_name(s.is, WHEN_VI),
			when_weekday_name(s.is, WHEN_EN), when_weekday_name(s.said, WHEN_VI));
		at = s.at + s.len;
	}
}

void doc_warn_text(
	struct content_problems *p, const char *file, int line, const char *field, struct str text)
{
	const struct warn w = { p, file, field, line, text };
	if (text.n == 0)
		return;
	find_stamp(&w, "DỰ THẢO", "holds the stamp DỰ THẢO (draft)", false);
	find_stamp(&w, "MẬT", "holds the stamp MẬT (secret)", true);
	find_phrase(
		&w, "lưu hành nội bộ", "holds the stamp LƯU HÀNH NỘI BỘ (internal circulation)");
	find_run(&w, 'x', "holds a placeholder xxx");
	find_run(&w, '?', "holds a placeholder ???");
	find_old_encoding(&w);
	find_weekdays(&w);
}
