/* ascii.c - "không dấu": Unicode text to ASCII. Pure. */
#include "content/ascii.h"

#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "base/assert.h"
#include "base/utf8.h"

static const struct {
	int32_t cp;
	const char *ascii;
} table[] = { { 0x110, "D" }, { 0x111, "d" }, { 0xdf, "ss" }, { 0xe6, "ae" }, { 0xc6, "AE" },
	{ 0xf8, "o" }, { 0xd8, "O" }, { 0x142, "l" }, { 0x141, "L" }, { 0xa0, " " },
	{ 0x2018, "'" }, { 0x2019, "'" }, { 0x201a, "'" }, { 0x201c, "\"" }, { 0x201d, "\"" },
	{ 0x201e, "\"" }, { 0xab, "\"" }, { 0xbb, "\"" }, { 0x2010, "-" }, { 0x2011, "-" },
	{ 0x2012, "-" }, { 0x2013, "-" }, { 0x2014, "-" }, { 0x2212, "-" }, { 0x2026, "..." },
	{ 0x2022, "-" }, { 0xb7, "-" }, { 0x2264, "<=" }, { 0x2265, ">=" }, { 0xd7, "x" },
	{ 0xb2, "2" }, { 0xb3, "3" }, { 0x20ab, "d" }, { 0x20ac, "EUR" }, { 0xb0, " do" },
	{ 0x200b, "" }, { 0xfeff, "" }, { 0xad, "" }, { 0x2192, "->" }, { 0x202f, " " },
	{ 0x2009, " " } };

static const char *from_table(int32_t cp)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].cp == cp)
			return table[i].ascii;
	}
	return NULL;
}

static void fold_one(struct buf *b, int32_t cp)
{
	utf8proc_int32_t parts[8];
	const char *z = from_table(cp);
	int bound = 0;
	if (z != NULL) {
		(void)buf_addz(b, z);
		return;
	}
	if (cp < 0x80) {
		(void)buf_addc(b, (char)cp);
		return;
	}
	if (utf8proc_category(cp) == UTF8PROC_CATEGORY_MN)
		return;
	utf8proc_ssize_t n = utf8proc_decompose_char(
		cp, parts, 8, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &bound);
	bool any = false;
	for (utf8proc_ssize_t i = 0; i < n && i < 8; i++) {
		z = from_table(parts[i]);
		if (parts[i] < 0x80)
			(void)buf_addc(b, (char)parts[i]);
		else if (z != NULL)
			(void)buf_addz(b, z);
		any = any || parts[i] < 0x80 || z != NULL;
	}
	if (!any)
		(void)buf_addc(b, '?');
}

int ascii_fold(struct buf *b, struct str text)
{
	struct str rest = text;
	int32_t cp = 0;
	while (rest.n > 0) {
		if (!utf8_next(&rest, &cp))
			return -EILSEQ;
		fold_one(b, cp);
	}
	return b->failed ? -E2BIG : 0;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '.';
}

/* Runs of anything else become one dash; no dash or dot at the ends. */
static size_t squeeze(char *dst, size_t size, struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n && n + 1 < size; i++) {
		char c = name_char(s.p[i]) ? s.p[i] : '-';
		if (n == 0 && (c == '-' || c == '.'))
			continue;
		if (c == '-' && dst[n - 1] == '-')
			continue;
		dst[n++] = c;
	}
	while (n > 0 && (dst[n - 1] == '-' || dst[n - 1] == '.'))
		n--;
	dst[n] = '\0';
	return n;
}

const char *ascii_file_name(char *dst, size_t size, struct str name)
{
	char stem[101], ending[17];
	struct buf b CLEANUP_BUF;
	buf_init(&b, 8192);
	REQUIRE(size > 0);
	if (ascii_fold(&b, utf8_cut(name, 1000)) < 0)
		buf_reset(&b);
	struct str s = buf_str(&b);
	const char *dot = s.n == 0 ? NULL : memrchr(s.p, '.', s.n);
	struct str end = { NULL, 0 };
	if (dot != NULL && dot > s.p && (size_t)(s.p + s.n - dot) <= 10) {
		end = (struct str){ dot + 1, s.n - (size_t)(dot + 1 - s.p) };
		s.n = (size_t)(dot - s.p);
	}
	size_t n_end = squeeze(ending, sizeof(ending), end);
	if (squeeze(stem, sizeof(stem) - n_end - 1, s) == 0)
		(void)str_copy(stem, sizeof(stem), STR("file"));
	(void)snprintf(dst, size, "%s%s%s", stem, n_end > 0 ? "." : "", ending);
	return dst;
}
