/* smsh_charset.c - bytes of a gateway that are no UTF-8: Latin-1, or the Vietnamese code page of Windows (its tone marks stay
 * characters of their own behind the letter, as there). 0x80 to 0x9f are read as Windows has them, and never become control
 * characters, for texts of answers are shown on terminals. Thread: any, pure. Owns: nothing. Failures: none; a byte without a
 * meaning becomes U+FFFD. */
#include "smsh_doc.h"

/* The mapping files of the Unicode Consortium: CP1252.TXT from 0x80 on; CP1258.TXT where it is not Latin-1. */
static const uint16_t windows[32] = { 0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
	0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018,
	0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153,
	0xfffd, 0x017e, 0x0178 };
static const struct {
	uint8_t byte;
	uint16_t cp;
} vietnamese[] = { { 0xc3, 0x0102 }, { 0xcc, 0x0300 }, { 0xd0, 0x0110 }, { 0xd2, 0x0309 },
	{ 0xd5, 0x01a0 }, { 0xdd, 0x01af }, { 0xde, 0x0303 }, { 0xe3, 0x0103 }, { 0xec, 0x0301 },
	{ 0xf0, 0x0111 }, { 0xf2, 0x0323 }, { 0xf5, 0x01a1 }, { 0xfd, 0x01b0 }, { 0xfe, 0x20ab } };

enum smsh_charset smsh_charset_of(struct lt_str word)
{
	return ltc_eqz(word, "utf-8")           ? SMSH_C_UTF8
		: ltc_eqz(word, "latin1")       ? SMSH_C_LATIN1
		: ltc_eqz(word, "windows-1258") ? SMSH_C_1258
						: SMSH_C_ANY;
}

bool smsh_charset_other(enum smsh_charset c, struct lt_str text)
{
	return c == SMSH_C_LATIN1 || c == SMSH_C_1258 || (c == SMSH_C_ANY && !ltc_utf8_valid(text));
}

static uint32_t code_point(enum smsh_charset c, uint8_t byte)
{
	if (byte >= 0x80 && byte < 0xa0)
		return windows[byte - 0x80];
	for (size_t i = 0; c == SMSH_C_1258 && i < sizeof(vietnamese) / sizeof(vietnamese[0]); i++)
		if (vietnamese[i].byte == byte)
			return vietnamese[i].cp;
	return byte;
}

size_t smsh_charset_put(char *dst, enum smsh_charset c, struct lt_str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += smsh_utf8_put(dst + n, code_point(c, (uint8_t)text.p[i]));
	return n;
}
