/* utf8.c - validity, normal form, width and cutting of UTF-8 text.
 * Thread: any, pure. Owns nothing. Failures: -EILSEQ for bytes that are no UTF-8 (overlong forms, surrogates and numbers
 * over U+10FFFF are none); what an add could not finish is taken back.
 */
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Length of the code point at s.p, 0 at a bad byte or the end. */
static size_t cp_decode(struct str s, int32_t *ret_cp)
{
	static const int32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (s.n == 0)
		return 0;
	unsigned char c = (unsigned char)s.p[0];
	if (c < 0x80) {
		*ret_cp = c;
		return 1;
	}
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || s.n < len)
		return 0;
	int32_t cp = c & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)s.p[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (next & 0x3f);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return len;
}

bool utf8_next(struct str *rest, int32_t *ret_cp)
{
	size_t len = cp_decode(*rest, ret_cp);

	rest->p += len;
	rest->n -= len;
	return len > 0;
}

bool utf8_valid(struct str s, size_t *ret_bad_at)
{
	struct str rest = s;
	int32_t cp;

	while (utf8_next(&rest, &cp))
		continue;
	if (rest.n == 0)
		return true;
	if (ret_bad_at)
		*ret_bad_at = s.n - rest.n;
	return false;
}

int utf8_put(struct buf *b, int32_t cp)
{
	utf8proc_uint8_t bytes[4];

	if (cp < 0 || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return -EILSEQ;
	utf8proc_ssize_t n = utf8proc_encode_char(cp, bytes);
	return buf_add(b, bytes, (size_t)n);
}

/* Below U+0300, and from U+1E00 to U+1EFF where the letters of Vietnamese stand whole, every character is its own normal form
 * and nothing composes with what stands before it. */
static bool surely_nfc(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0xcc)
			continue;
		if (c != 0xe1 || s.n - i < 3 || ((unsigned char)s.p[i + 1] & 0xfc) != 0xb8)
			return false;
		i += 2;
	}
	return true;
}

/* NFC of valid text, malloc'd; 0, -ENOMEM or -EILSEQ. */
static int nfc_map(struct str s, struct str *ret)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n,
		&out, UTF8PROC_STABLE | UTF8PROC_COMPOSE);

	if (n < 0)
		return n == UTF8PROC_ERROR_NOMEM ? -ENOMEM : -EILSEQ;
	*ret = (struct str){ (const char *)out, (size_t)n };
	return 0;
}

int utf8_nfc(struct buf *b, struct str s)
{
	struct str out;

	if (!utf8_valid(s, NULL))
		return -EILSEQ;
	if (surely_nfc(s))
		return buf_add_str(b, s);
	int r = nfc_map(s, &out);
	if (r)
		return r;
	r = buf_add_str(b, out);
	xfree(out.p);
	return r;
}

bool utf8_is_nfc(struct str s)
{
	struct str out;

	if (!utf8_valid(s, NULL))
		return false;
	if (surely_nfc(s))
		return true;
	if (nfc_map(s, &out))
		return false;
	bool same = str_eq(s, out);
	xfree(out.p);
	return same;
}

size_t utf8_len(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

size_t utf8_width(struct str s)
{
	size_t width = 0;
	int32_t cp;

	while (s.n) {
		if (utf8_next(&s, &cp)) {
			int w = utf8proc_charwidth(cp);
			width += w > 0 ? (size_t)w : 0;
		} else {
			s.p++; /* a bad byte shows as one replacement character */
			s.n--;
			width++;
		}
	}
	return width;
}

struct str utf8_cut(struct str s, size_t n_max)
{
	struct str rest = s;
	utf8proc_int32_t state = 0;
	int32_t before = -1, cp;
	size_t cut = 0;

	if (s.n <= n_max)
		return s;
	/* `cut` follows the last border between two visible characters that lies within n_max */
	while (rest.n && s.n - rest.n <= n_max) {
		size_t at = s.n - rest.n;
		if (!utf8_next(&rest, &cp)) {
			cut = at;
			before = -1;
			state = 0;
			rest.p++;
			rest.n--;
			continue;
		}
		if (before < 0 || utf8proc_grapheme_break_stateful(before, cp, &state))
			cut = at;
		before = cp;
	}
	return (struct str){ s.p, cut };
}

/* The beginning of a code point that wants more bytes than there are. */
static bool is_cut(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t want = c >= 0xf0 && c <= 0xf4 ? 4
		: c >= 0xe0 && c < 0xf0      ? 3
		: c >= 0xc2 && c < 0xe0      ? 2
					     : 0;

	for (size_t i = 1; i < s.n && i < want; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return false;
	return s.n < want;
}

size_t utf8_mend(char *dst, struct str s)
{
	size_t n = 0;
	int32_t cp;

	while (s.n) {
		struct str before = s;
		if (utf8_next(&s, &cp)) {
			memmove(dst + n, before.p, before.n - s.n);
			n += before.n - s.n;
			continue;
		}
		if (is_cut(before))
			break;
		dst[n++] = '?';
		s = (struct str){ before.p + 1, before.n - 1 };
	}
	return n;
}

int utf8_lower(struct buf *b, struct str s)
{
	size_t start = b->n;
	int32_t cp;
	int r = 0;

	while (r == 0 && utf8_next(&s, &cp))
		r = utf8_put(b, utf8proc_tolower(cp));
	if (r == 0 && s.n)
		r = -EILSEQ;
	if (r && b->p) {
		b->n = start;
		b->p[start] = '\0';
	}
	return r;
}
