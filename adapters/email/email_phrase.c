/* email_phrase.c - RFC 2047 encoding of a display name, done for every recipient and therefore by hand: no GMime here.
 * Thread: any, pure. Failures: through the buffer. */
#include <string.h>
#include <utf8proc.h>
#include "email_text.h"

#define WORD_BYTES 42 /* B-encoded 56 columns, with frame 68 */
#define LINE_COLS  76

static bool is_atom_text(struct lt_str s)
{
	static const char extra[] = " !#$%&'*+-/=?^_`{|}~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || (c != '\0' && strchr(extra, c) != NULL);
		if (!good)
			return false;
	}
	return true;
}

/* Longest prefix of at most n_max bytes that parts no character from its combining marks. */
static struct lt_str word_cut(struct lt_str s, size_t n_max)
{
	struct lt_str w = ltc_utf8_cut(s, n_max);
	size_t whole = w.n;

	while (w.n > 0 && w.n < s.n) {
		utf8proc_int32_t cp = 0;
		(void)utf8proc_iterate(
			(const utf8proc_uint8_t *)s.p + w.n, (utf8proc_ssize_t)(s.n - w.n), &cp);
		utf8proc_category_t cat = utf8proc_category(cp);
		if (cat != UTF8PROC_CATEGORY_MN && cat != UTF8PROC_CATEGORY_ME)
			break;
		w = ltc_utf8_cut(s, w.n - 1);
	}
	if (w.n == 0) /* nothing but marks: cut between them */
		w.n = whole;
	if (w.n < s.n) /* between two words rather than within one: some readers show the seam */
		for (size_t i = w.n; i > w.n / 2; i--)
			if (w.p[i - 1] == ' ')
				return (struct lt_str){ w.p, i };
	return w;
}

static size_t quoted_len(struct lt_str s)
{
	size_t n = s.n + 2;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '"' || s.p[i] == '\\';
	return n;
}

static void quoted(struct ltc_buf *out, struct lt_str s)
{
	ltc_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			ltc_addc(out, '\\');
		ltc_addc(out, s.p[i]);
	}
	ltc_addc(out, '"');
}

void email_phrase(struct ltc_buf *out, struct lt_str s, size_t col)
{
	char enc[80];

	/* "=?" is encoded: within quotes too there are readers that decode it */
	if (ltc_is_ascii(s) && quoted_len(s) <= 62 && !ltc_has_control(s) &&
		ltc_find(s, LTC_LIT("=?"), false) == NULL) {
		if (is_atom_text(s))
			ltc_adds(out, s);
		else
			quoted(out, s);
		return;
	}
	while (s.n > 0) {
		size_t room = col + 16 > LINE_COLS ? 0 : (LINE_COLS - col - 12) / 4 * 3;
		struct lt_str w = word_cut(s, room > WORD_BYTES ? WORD_BYTES : room < 9 ? 9 : room);
		if (w.n == 0) /* no UTF-8 at all: callers check, but never loop for ever */
			return;
		if (room < 9) {
			ltc_addz(out, "\r\n ");
			col = 1;
			continue;
		}
		size_t n = ltc_base64(enc, w.p, w.n);
		ltc_addz(out, "=?UTF-8?B?");
		ltc_add(out, enc, n);
		ltc_addz(out, "?=");
		s = ltc_from(s, w.n);
		col = LINE_COLS;
	}
}
