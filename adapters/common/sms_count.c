/* sms_count.c - how long a short message is, and where its segments part.
 * Most texts need no walk: without pairs and marks the greedy count is a division. Only the others are walked cluster by cluster.
 * Thread: any, pure. Failures: -EILSEQ broken UTF-8, -E2BIG too long, -EINVAL not in the alphabet. */
#include <errno.h>
#include <string.h>
#include <utf8proc.h>
#include "sms_table.h"
#include "sms_text.h"

bool sms_gsm_has(uint32_t cp, unsigned int *ret_units)
{
	uint32_t gsm = sms_what_of(cp) >> 8 & 0xff;

	*ret_units = gsm >= 0x80 ? 2 : 1;
	return gsm != SMS_GSM_NONE;
}

/* Does this character belong to the one before it? Characters outside of the table ask utf8proc. */
static bool is_mark(uint32_t cp, uint32_t what)
{
	if (what & SMS_F_MARK)
		return true;
	if (what & SMS_F_STABLE)
		return false;
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);
	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_ME || c == UTF8PROC_CATEGORY_MC;
}

static uint32_t units_of(uint32_t cp, uint32_t what, enum sms_coding coding)
{
	if (coding == SMS_UCS2)
		return cp > 0xffff ? 2 : 1;
	return (what >> 8 & 0xff) >= 0x80 ? 2 : 1;
}

/* Whole text in one look. odd: pairs of UTF-16, marks, or what the table does not know; gsm: all in the alphabet. */
struct survey {
	uint32_t gsm_units, ucs2_units;
	bool gsm, odd;
};

/* Again with care: characters that the table does not know, pairs of UTF-16. */
static int survey_odd(struct lt_str text, struct survey *s)
{
	const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;
	uint32_t cp, what;

	s->ucs2_units = 0;
	while (p < end) {
		size_t n = sms_next(p, end, &cp, &what);
		if (n == 0)
			return -EILSEQ;
		s->ucs2_units += n == 4 ? 2 : 1;
		p += n;
	}
	return 0;
}

static int survey_make(struct lt_str text, struct survey *s)
{
	uint32_t gsm_units = 0, chars = 0, all = SMS_F_STABLE, any = 0, none = 0, broken = 0;
	struct sms_block b;
	size_t off;

	sms_block_init(&b, (const uint8_t *)text.p, text.n);
	while (sms_block_next(&b, &off)) {
		uint64_t m = b.starts & (b.starts - 1);
		for (unsigned int i = 0; m != 0; m &= m - 1) {
			unsigned int j = (unsigned int)__builtin_ctzll(m);
			uint32_t what = sms_what(b.p + i, j - i), gsm = what >> 8 & 0xff;
			broken |= sms_lead_len[b.p[i]] ^ (j - i);
			none |= (gsm + 1) >> 8;
			gsm_units += 1 + (gsm >> 7);
			all &= what;
			any |= what;
			chars++;
			i = j;
		}
	}
	if (broken != 0)
		return -EILSEQ;
	*s = (struct survey){ .gsm_units = gsm_units,
		.ucs2_units = chars,
		.gsm = none == 0,
		.odd = (all & SMS_F_STABLE) == 0 || (any & SMS_F_MARK) != 0 };
	return s->odd ? survey_odd(text, s) : 0;
}

/* One cluster at p: base and what belongs to it, or one character when the cluster is longer than `cap` units. */
static size_t cluster(const uint8_t *p, const uint8_t *end, enum sms_coding coding, uint32_t cap,
	uint32_t *ret_units)
{
	uint32_t cp = 0, what = 0;
	size_t first = sms_next(p, end, &cp, &what), n = first;
	uint32_t first_units = units_of(cp, what, coding), units = first_units;
	bool joined = (what & SMS_F_JOINER) != 0;

	while (n > 0 && p + n < end && units <= cap) {
		size_t k = sms_next(p + n, end, &cp, &what);
		if (k == 0 || (!joined && !is_mark(cp, what)))
			break;
		joined = (what & SMS_F_JOINER) != 0;
		units += units_of(cp, what, coding);
		n += k;
	}
	*ret_units = units > cap ? first_units : units;
	return units > cap ? first : n;
}

/* Greedy fill; cuts may be NULL. The text is known to be sound and of this coding. Returns the count of segments. */
static uint32_t walk(struct lt_str text, enum sms_coding coding, uint32_t many, uint32_t reserved,
	struct sms_cut *cuts, size_t max)
{
	const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;
	struct sms_cut cur = { 0 };
	uint32_t count = 0, used = reserved, units = 0;

	while (p < end) {
		size_t n = cluster(p, end, coding, many, &units);
		if (n == 0)
			break;
		if (used + units > many) {
			if (cuts != NULL && count < max)
				cuts[count] = cur;
			count++;
			cur = (struct sms_cut){ .at = cur.at + cur.n };
			used = 0;
		}
		used += units;
		cur.units += units;
		cur.n += (uint32_t)n;
		p += n;
	}
	if (cuts != NULL && count < max)
		cuts[count] = cur;
	return count + 1;
}

/* Where the target-th character behind `at` begins: segments of a text without pairs and marks. */
static uint32_t skip_chars(struct lt_str text, uint32_t at, uint32_t chars)
{
	struct sms_block b;
	size_t off;

	sms_block_init(&b, (const uint8_t *)text.p + at, text.n - at);
	while (sms_block_next(&b, &off)) {
		uint32_t here = (uint32_t)__builtin_popcountll(b.starts) - 1;
		uint64_t m = b.starts;
		if (here <= chars) {
			chars -= here;
			if (chars == 0)
				return at + (uint32_t)off + 63 -
					(uint32_t)__builtin_clzll(b.starts);
			continue;
		}
		while (chars-- > 0)
			m &= m - 1;
		return at + (uint32_t)off + (uint32_t)__builtin_ctzll(m);
	}
	return (uint32_t)text.n;
}

static uint32_t divide(struct lt_str text, const struct sms_size *known, uint32_t many,
	uint32_t reserved, struct sms_cut *cuts, size_t max)
{
	uint32_t at = 0, left = known->units, room = many - reserved, n = 0;

	for (; left > 0 && n < max; n++) {
		uint32_t units = left < room ? left : room;
		uint32_t next = known->units == text.n ? at + units : skip_chars(text, at, units);
		cuts[n] = (struct sms_cut){ at, next - at, units };
		left -= units;
		at = next;
		room = many;
	}
	return left > 0 ? known->segments : n;
}

/* Reserved units have to leave room in the first segment. */
static bool reserved_fits(uint32_t reserved, const struct sms_budget *b)
{
	return b->ucs2_many > 2 && b->gsm_many > 2 && reserved + 2 <= b->ucs2_many;
}

static void size_make(struct lt_str text, enum sms_coding coding, const struct survey *s,
	const struct sms_budget *b, uint32_t reserved, struct sms_size *ret)
{
	uint32_t units = coding == SMS_GSM ? s->gsm_units : s->ucs2_units;
	uint32_t one = coding == SMS_GSM ? b->gsm_one : b->ucs2_one;
	uint32_t many = coding == SMS_GSM ? b->gsm_many : b->ucs2_many;

	ret->coding = coding;
	ret->units = units;
	ret->even = coding == SMS_UCS2 ? !s->odd : s->gsm_units == s->ucs2_units;
	if (units + reserved <= one)
		ret->segments = 1;
	else if (ret->even)
		ret->segments = (units + reserved + many - 1) / many;
	else
		ret->segments = walk(text, coding, many, reserved, NULL, 0);
}

int sms_measure(
	struct lt_str nfc, const struct sms_budget *b, uint32_t reserved, struct sms_size *ret)
{
	struct survey s;

	if (nfc.n > SMS_TEXT_MAX)
		return -E2BIG;
	if (!reserved_fits(reserved, b))
		return -EINVAL;
	int rc = survey_make(nfc, &s);
	if (rc == 0)
		size_make(nfc, s.gsm ? SMS_GSM : SMS_UCS2, &s, b, reserved, ret);
	return rc;
}

int sms_cuts(struct lt_str nfc, const struct sms_size *known, const struct sms_budget *b,
	uint32_t reserved, struct sms_cut *ret, size_t max)
{
	uint32_t many = known->coding == SMS_GSM ? b->gsm_many : b->ucs2_many;

	if (nfc.n > SMS_TEXT_MAX || max == 0)
		return -E2BIG;
	if (known->segments == 1) {
		ret[0] = (struct sms_cut){ 0, (uint32_t)nfc.n, known->units };
		return 1;
	}
	uint32_t n = known->even ? divide(nfc, known, many, reserved, ret, max)
				 : walk(nfc, known->coding, many, reserved, ret, max);
	return n > max ? -E2BIG : (int)n;
}

int sms_split(struct lt_str nfc, enum sms_coding coding, const struct sms_budget *b,
	uint32_t reserved, struct sms_cut *ret, size_t max)
{
	struct sms_size known;
	struct survey s;

	if (nfc.n > SMS_TEXT_MAX)
		return -E2BIG;
	if (!reserved_fits(reserved, b))
		return -EINVAL;
	int rc = survey_make(nfc, &s);
	if (rc < 0)
		return rc;
	if (coding == SMS_GSM && !s.gsm)
		return -EINVAL;
	size_make(nfc, coding, &s, b, reserved, &known);
	return sms_cuts(nfc, &known, b, reserved, ret, max);
}
