/* email_qp.c - quoted-printable (RFC 2045, 6.7) for the text parts: lines of at most 76 columns, CRLF line ends, and nothing that a
 * relay on the way could change: no blank at a line's end, no leading dot, no "From " at a line's start (contract 2.2).
 * Thread: any, pure. Failures: through the buffer. */
#include <string.h>
#include "email_text.h"

#define LINE_COLS 76

static bool plain(unsigned char c)
{
	return (c >= 0x20 && c < 0x7f && c != '=') || c == '\t';
}

static bool at_line_end(struct lt_str s, size_t i)
{
	return i == s.n || s.p[i] == '\n' || (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n');
}

/* May the character stand as it is, at this column? */
static bool stands(struct lt_str s, size_t i, size_t col)
{
	char c = s.p[i];

	if (!plain((unsigned char)c))
		return false;
	if (c == ' ' || c == '\t')
		return !at_line_end(s, i + 1);
	if (col > 0)
		return true;
	return c != '.' && !ltc_starts(ltc_from(s, i), "From ");
}

void email_qp(struct ltc_buf *out, struct lt_str s)
{
	size_t col = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (at_line_end(s, i)) {
			i += s.p[i] == '\r';
			ltc_addz(out, "\r\n");
			col = 0;
			continue;
		}
		/* one column is kept for the soft break */
		if (col + (stands(s, i, col) ? 1 : 3) > LINE_COLS - 1) {
			ltc_addz(out, "=\r\n");
			col = 0;
		}
		if (stands(s, i, col)) {
			ltc_addc(out, s.p[i]);
			col++;
		} else {
			ltc_addf(out, "=%02X", (unsigned char)s.p[i]);
			col += 3;
		}
	}
	if (col > 0)
		ltc_addz(out, "=\r\n");
}
