/* sms_text.c - NFC and the rendering without diacritics, by table; utf8proc is asked only for what the table does not know.
 * Thread: any, pure. Owns: nothing. Failures: -EILSEQ broken UTF-8, -E2BIG too long, -EINVAL a character without rendering. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include "sms_table.h"
#include "sms_text.h"

/* All characters known to be stable under NFC? -1: broken UTF-8. */
static int is_stable(struct lt_str in)
{
	uint32_t all = SMS_F_STABLE, broken = 0;
	struct sms_block b;
	size_t off;

	sms_block_init(&b, (const uint8_t *)in.p, in.n);
	while (sms_block_next(&b, &off)) {
		uint64_t m = b.starts & (b.starts - 1);
		for (unsigned int i = 0; m != 0; m &= m - 1) {
			unsigned int j = (unsigned int)__builtin_ctzll(m);
			all &= sms_what(b.p + i, j - i);
			broken |= sms_lead_len[b.p[i]] ^ (j - i);
			i = j;
		}
	}
	return broken != 0 ? -1 : all != 0;
}

static int compose(struct lt_str in, struct ltc_buf *out)
{
	utf8proc_uint8_t *nfc = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)in.p, (utf8proc_ssize_t)in.n,
		&nfc, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	int rc = n == UTF8PROC_ERROR_NOMEM ? -ENOMEM : n < 0 ? -EILSEQ : 0;

	if (rc == 0)
		ltc_add(out, nfc, (size_t)n);
	free(nfc);
	return rc < 0 ? rc : out->failed ? -E2BIG : 0;
}

int sms_nfc(struct lt_str in, struct ltc_buf *out)
{
	ltc_buf_reset(out);
	if (in.n > SMS_TEXT_MAX)
		return -E2BIG;
	int stable = is_stable(in);
	if (stable < 0)
		return -EILSEQ;
	if (!stable)
		return compose(in, out);
	ltc_adds(out, in);
	return out->failed ? -E2BIG : 0;
}

/* --- protected words ----------------------------------------------------------------------------------------------------- */
void sms_words_index(struct sms_words *w)
{
	memset(w->first, 0, sizeof(w->first));
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].word.n > 0) {
			uint8_t c = (uint8_t)w->list[i].word.p[0];
			w->first[c / 8] |= (uint8_t)(1u << (c % 8));
		}
}

static bool is_letter(uint32_t cp, uint32_t what)
{
	uint32_t c = cp < 0x80 ? cp : what & 0xff;

	if (cp >= 0x80 && (c == SMS_P_NONE || c == SMS_P_KEEP))
		return true;
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool letter_before(const uint8_t *start, const uint8_t *p)
{
	const uint8_t *q = p;
	uint32_t cp, what;

	if (p == start)
		return false;
	do
		q--;
	while (q > start && (*q & 0xc0) == 0x80);
	return sms_next(q, p, &cp, &what) > 0 && is_letter(cp, what);
}

static bool letter_at(const uint8_t *p, const uint8_t *end)
{
	uint32_t cp, what;

	return p < end && sms_next(p, end, &cp, &what) > 0 && is_letter(cp, what);
}

/* The longest protected word that stands here as a whole word. */
static const struct sms_word *word_at(
	const struct sms_words *w, const uint8_t *start, const uint8_t *p, const uint8_t *end)
{
	const struct sms_word *best = NULL;

	if (letter_before(start, p))
		return NULL;
	for (size_t i = 0; i < w->n; i++) {
		struct lt_str s = w->list[i].word;
		if (s.n == 0 || s.n > (size_t)(end - p) || memcmp(s.p, p, s.n) != 0 ||
			letter_at(p + s.n, end))
			continue;
		if (best == NULL || s.n > best->word.n)
			best = &w->list[i];
	}
	return best;
}

/* --- rendering ------------------------------------------------------------------------------------------------------------- */
struct plain {
	const uint8_t *start, *end;
	const struct sms_words *words;
	enum sms_unmappable how;
	struct ltc_buf *out;
	struct lt_str bad;
	uint32_t ext;      /* characters written that take two septets */
	uint32_t none;     /* not 0: a character that is not in the alphabet was read */
	uint32_t chars;    /* read */
	uint32_t all, any; /* flags that all have; that some have */
	bool kept;         /* a character went out as it came: more bytes than septets */
	bool uncounted;    /* something was written that `ext` does not know of */
};

/* A character outside of the table: its compatible decomposition without marks, where that is plain. */
static bool by_unicode(uint32_t cp, struct ltc_buf *out)
{
	utf8proc_int32_t d[20];
	int last = 0;

	if (cp == 0xfeff || (cp >= 0xfe00 && cp <= 0xfe0f))
		return true;
	utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, d, 20,
		UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK, &last);
	if (n <= 0 || n > 20)
		return false;
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (d[i] < 0x20 || d[i] > 0x7e || d[i] == '`')
			return false;
	for (utf8proc_ssize_t i = 0; i < n; i++)
		ltc_addc(out, (char)d[i]);
	return true;
}

static int no_rendering(struct plain *pl, const uint8_t *p)
{
	uint32_t cp, what;
	size_t n = sms_next(p, pl->end, &cp, &what);

	if (n == 0)
		return -EILSEQ;
	pl->uncounted = true;
	if (cp >= 0x80 && by_unicode(cp, pl->out))
		return 0;
	if (pl->how == SMS_QUESTION)
		ltc_addc(pl->out, '?');
	if (pl->how != SMS_REJECT)
		return 0;
	pl->bad = (struct lt_str){ (const char *)p, n };
	return -EINVAL;
}

/* What is gathered of a block before it goes to the buffer; a character makes three bytes at most. */
struct gather {
	char p[64 * 4];
	size_t n;
};

static void flush(struct plain *pl, struct gather *g)
{
	ltc_add(pl->out, g->p, g->n);
	g->n = 0;
}

/* A character that is not one letter for one letter. at: in the text, n: its length. */
static int plain_odd(struct plain *pl, struct gather *g, const uint8_t *at, size_t n, uint32_t c)
{
	if (c == SMS_P_KEEP) {
		pl->kept = true;
		memcpy(g->p + g->n, at, n);
		g->n += n;
	} else if (c >= SMS_P_MULTI) {
		for (const char *m = sms_multi[c - SMS_P_MULTI]; *m != '\0'; m++)
			g->p[g->n++] = *m;
	} else if (c == SMS_P_NONE) {
		flush(pl, g);
		return no_rendering(pl, at);
	}
	return 0;
}

/* A protected word at `at`: written, and its length; else 0. */
static size_t plain_word(struct plain *pl, struct gather *g, const uint8_t *at)
{
	const struct sms_word *hit = word_at(pl->words, pl->start, at, pl->end);

	if (hit == NULL)
		return 0;
	flush(pl, g);
	ltc_adds(pl->out, hit->as);
	pl->uncounted = true;
	return hit->word.n;
}

/* One block. A protected word ends it: the next one starts behind the word. */
static int plain_block(struct plain *pl, struct sms_block *b, size_t off)
{
	const struct sms_words *w = pl->words;
	uint32_t ext = 0, all = pl->all, any = 0, none = 0, broken = 0;
	uint64_t m = b->starts & (b->starts - 1);
	struct gather g;
	int rc = 0;

	g.n = 0;
	for (unsigned int i = 0; m != 0; m &= m - 1) {
		unsigned int j = (unsigned int)__builtin_ctzll(m);
		uint8_t first = b->p[i];
		uint32_t what = sms_what(b->p + i, j - i), c = what & 0xff;
		broken |= sms_lead_len[first] ^ (j - i);
		if (w != NULL && (w->first[first / 8] >> (first % 8) & 1) != 0) {
			size_t n = plain_word(pl, &g, pl->start + off + i);
			if (n > 0) {
				b->at = pl->start + off + i + n;
				break;
			}
		}
		all &= what;
		any |= what;
		none |= ((what >> 8 & 0xff) + 1) >> 8;
		ext += what >> 19 & 1;
		g.p[g.n] = (char)c;
		if (c - 3 < SMS_P_MULTI - 3)
			g.n++;
		else if (broken != 0)
			break;
		else if ((rc = plain_odd(pl, &g, pl->start + off + i, j - i, c)) < 0)
			break;
		i = j;
	}
	flush(pl, &g);
	pl->ext += ext;
	pl->any |= any;
	pl->none |= none;
	pl->chars += (uint32_t)__builtin_popcountll(b->starts) - 1;
	pl->all = all;
	return broken != 0 ? -EILSEQ : rc;
}

static int plain_run(struct plain *pl)
{
	struct sms_block b;
	size_t off;
	int rc = 0;

	ltc_buf_reset(pl->out);
	pl->all = SMS_F_STABLE;
	pl->ext = pl->any = pl->none = pl->chars = 0;
	pl->uncounted = pl->kept = false;
	sms_block_init(&b, pl->start, (size_t)(pl->end - pl->start));
	while (rc == 0 && sms_block_next(&b, &off))
		rc = plain_block(pl, &b, off);
	return rc < 0 ? rc : pl->out->failed ? -E2BIG : 0;
}

static struct plain plain_of(struct lt_str s, const struct sms_words *words,
	enum sms_unmappable how, struct ltc_buf *out)
{
	const uint8_t *p = s.n > 0 ? (const uint8_t *)s.p : (const uint8_t *)"";

	return (struct plain){ .start = p,
		.end = p + s.n,
		.words = words != NULL && words->n > 0 ? words : NULL,
		.how = how,
		.out = out };
}

int sms_plain(struct lt_str nfc, const struct sms_words *words, enum sms_unmappable how,
	struct ltc_buf *out, struct lt_str *ret_bad)
{
	struct plain pl = plain_of(nfc, words, how, out);
	int rc = nfc.n > SMS_TEXT_MAX ? -E2BIG : plain_run(&pl);

	if (rc == -EINVAL && ret_bad != NULL)
		*ret_bad = pl.bad;
	return rc;
}

/* --- all in one ------------------------------------------------------------------------------------------------------------ */
/* Length of a text without pairs and marks, all of one unit each. */
static void size_even(
	enum sms_coding coding, uint32_t units, const struct sms_render *r, struct sms_size *ret)
{
	uint32_t one = coding == SMS_GSM ? r->budget.gsm_one : r->budget.ucs2_one;
	uint32_t many = coding == SMS_GSM ? r->budget.gsm_many : r->budget.ucs2_many;

	*ret = (struct sms_size){ coding, units, 1, true };
	if (units + r->reserved > one)
		ret->segments = (units + r->reserved + many - 1) / many;
}

/* *ret_even: `in` is NFC and of even UCS-2, with *accented its length; NULL when nobody asks. */
static int render_plain(struct lt_str in, const struct sms_render *r, struct ltc_buf *out,
	struct ltc_buf *tmp, struct sms_size *ret, struct sms_size *accented, bool *ret_even,
	struct lt_str *ret_bad)
{
	struct plain pl = plain_of(in, r->words, r->how, out);
	int rc = plain_run(&pl);
	bool again = (pl.all & SMS_F_STABLE) == 0 || rc < 0;

	*ret_even = !again && !pl.uncounted && pl.none != 0 && (pl.any & SMS_F_MARK) == 0;
	if (*ret_even)
		size_even(SMS_UCS2, pl.chars, r, accented);
	if (again) { /* once more, from NFC */
		rc = sms_nfc(in, tmp);
		pl = plain_of(ltc_buf_str(tmp), r->words, r->how, out);
		rc = rc < 0 ? rc : plain_run(&pl);
	}
	if (rc == -EINVAL && ret_bad != NULL)
		*ret_bad = pl.bad;
	if (rc < 0)
		return rc;
	if (pl.uncounted || pl.ext > 0 || pl.kept)
		return sms_measure(ltc_buf_str(out), &r->budget, r->reserved, ret);
	size_even(SMS_GSM, (uint32_t)out->n, r, ret);
	return 0;
}

/* The first character that is not in the GSM alphabet. */
static struct lt_str first_foreign(struct lt_str s)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
	uint32_t cp, what;

	while (p < end) {
		size_t n = sms_next(p, end, &cp, &what);
		if (n == 0 || (what >> 8 & 0xff) == SMS_GSM_NONE)
			return (struct lt_str){ (const char *)p, n };
		p += n;
	}
	return (struct lt_str){ NULL, 0 };
}

/* Accented: what measures as even, or as GSM, is NFC already. */
static int render_accented(
	struct lt_str in, const struct sms_render *r, struct ltc_buf *out, struct sms_size *ret)
{
	int rc = sms_measure(in, &r->budget, r->reserved, ret);

	if (rc == 0 && (ret->even || ret->coding == SMS_GSM)) {
		ltc_buf_reset(out);
		ltc_adds(out, in);
		return out->failed ? -E2BIG : 0;
	}
	rc = sms_nfc(in, out);
	return rc < 0 ? rc : sms_measure(ltc_buf_str(out), &r->budget, r->reserved, ret);
}

/* Both, and the one with fewer segments; the accented one when they are equal. */
static int render_shortest(struct lt_str in, const struct sms_render *r, struct ltc_buf *out,
	struct ltc_buf *tmp, struct sms_size *ret, struct lt_str *ret_bad)
{
	struct sms_size plain = { 0 }, accented = { 0 };
	bool even;
	int rc_plain = render_plain(in, r, out, tmp, &plain, &accented, &even, ret_bad);

	if (rc_plain < 0 && rc_plain != -EINVAL)
		return rc_plain;
	int rc = even ? 0 : render_accented(in, r, tmp, &accented);
	bool can = rc == 0 && (accented.coding == SMS_GSM || r->unicode_allowed);
	if (!can || (rc_plain == 0 && accented.segments > plain.segments)) {
		*ret = plain;
		return rc < 0 ? rc : rc_plain;
	}
	ltc_buf_reset(out);
	ltc_adds(out, even ? in : ltc_buf_str(tmp));
	*ret = accented;
	return out->failed ? -E2BIG : 0;
}

int sms_render(struct lt_str in, const struct sms_render *r, struct ltc_buf *out,
	struct ltc_buf *tmp, struct sms_size *ret, struct lt_str *ret_bad)
{
	struct sms_size other;
	bool even;

	ltc_buf_reset(out);
	ltc_buf_reset(tmp);
	if (in.n > SMS_TEXT_MAX)
		return -E2BIG;
	if (r->reserved + 2u > r->budget.ucs2_many || r->budget.gsm_many < r->budget.ucs2_many)
		return -EINVAL;
	if (r->form == SMS_FORM_PLAIN)
		return render_plain(in, r, out, tmp, ret, &other, &even, ret_bad);
	if (r->form == SMS_FORM_SHORTEST)
		return render_shortest(in, r, out, tmp, ret, ret_bad);
	int rc = render_accented(in, r, out, ret);
	if (rc < 0 || ret->coding == SMS_GSM || r->unicode_allowed)
		return rc;
	if (ret_bad != NULL)
		*ret_bad = first_foreign(ltc_buf_str(out));
	return -EINVAL;
}
