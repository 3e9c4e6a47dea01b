/* zalo_text.c - see zalo_text.h: counting, shortening, comparing. */
#include <string.h>
#include "zalo_text.h"

size_t zalo_chars(struct lt_str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static size_t bytes_of(struct lt_str s, size_t chars)
{
	size_t i = 0;

	for (size_t n = 0; i < s.n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) == 0x80)
			continue;
		if (n++ == chars)
			break;
	}
	return i;
}

struct lt_str zalo_shorten(struct lt_str s, size_t max, char *dst, size_t size)
{
	if (zalo_chars(s) <= max)
		return s;
	size_t n = bytes_of(s, max - 1), back = n;
	while (back > n / 2 && s.p[back] != ' ')
		back--;
	if (back > n / 2)
		n = back;
	if (n + 4 > size)
		n = ltc_utf8_cut(s, size - 4).n;
	memcpy(dst, s.p, n);
	memcpy(dst + n, "…", 4);
	return (struct lt_str){ dst, n + 3 };
}

struct lt_str zalo_one_line(struct lt_str s, char *dst, size_t size)
{
	size_t n = 0;
	bool gap = false;

	s = ltc_utf8_cut(s, size - 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c == 0x7f) {
			gap = n > 0;
			continue;
		}
		if (gap && n + 1 < size)
			dst[n++] = ' ';
		gap = false;
		if (n + 1 < size)
			dst[n++] = (char)c;
	}
	dst[n] = '\0';
	return (struct lt_str){ dst, n };
}

void zalo_add_one_line(struct ltc_buf *b, struct lt_str s)
{
	bool gap = false, begun = false;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c == 0x7f) {
			gap = begun;
			continue;
		}
		if (gap)
			ltc_addc(b, ' ');
		ltc_addc(b, s.p[i]);
		gap = false;
		begun = true;
	}
}

bool zalo_same_title(struct lt_str a, struct lt_str b)
{
	char x[1024], y[1024];
	struct lt_str p = zalo_one_line(a, x, sizeof(x)), q = zalo_one_line(b, y, sizeof(y));

	return p.n == q.n && p.n > 0 && ltc_istarts(p, y);
}

void zalo_add_html(struct ltc_buf *b, struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '<')
			ltc_addz(b, "&lt;");
		else if (s.p[i] == '>')
			ltc_addz(b, "&gt;");
		else if (s.p[i] == '&')
			ltc_addz(b, "&amp;");
		else
			ltc_addc(b, s.p[i]);
}

void zalo_add_seen(struct ltc_buf *b, struct lt_str html)
{
	static const char *const seen[][2] = { { "</p>", "\n" }, { "<p>", "" }, { "<b>", "" },
		{ "</b>", "" }, { "<i>", "" }, { "</i>", "" }, { "&nbsp;", " " }, { "&lt;", "<" },
		{ "&gt;", ">" }, { "&amp;", "&" } };

	while (html.n > 0) {
		size_t i = 0;
		while (i < sizeof(seen) / sizeof(seen[0]) && !ltc_starts(html, seen[i][0]))
			i++;
		if (i == sizeof(seen) / sizeof(seen[0])) {
			ltc_addc(b, html.p[0]);
			html = ltc_from(html, 1);
		} else {
			ltc_addz(b, seen[i][1]);
			html = ltc_from(html, strlen(seen[i][0]));
		}
	}
}

void zalo_add_unmentioned(struct ltc_buf *b, struct lt_str s)
{
	const char *at;

	while ((at = ltc_find(s, LTC_LIT("[@"), false)) != NULL) {
		size_t n = (size_t)(at - s.p);
		ltc_add(b, s.p, n);
		ltc_addz(b, "(@");
		s = ltc_from(s, n + 2);
		/* its bracket too, so that nothing looks half */
		const char *end = memchr(s.p, ']', s.n);
		if (end != NULL) {
			ltc_add(b, s.p, (size_t)(end - s.p));
			ltc_addc(b, ')');
			s = ltc_from(s, (size_t)(end - s.p) + 1);
		}
	}
	ltc_adds(b, s);
}
