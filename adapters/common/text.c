/* text.c - borrowed strings and numbers for adapters.
 * Thread: any, pure. Owns: nothing. Failures: a number out of range, a string that is none. */
#include <errno.h>
#include <string.h>
#include "text.h"

struct lt_str ltc_z(const char *z)
{
	return (struct lt_str){ z, z == NULL ? 0 : strlen(z) };
}

bool ltc_eq(struct lt_str a, struct lt_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool ltc_eqz(struct lt_str a, const char *z)
{
	return ltc_eq(a, ltc_z(z));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool ltc_istarts(struct lt_str s, const char *z)
{
	size_t n = strlen(z);
	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s.p[i]) != lower(z[i]))
			return false;
	return true;
}

bool ltc_ieqz(struct lt_str a, const char *z)
{
	return a.n == strlen(z) && ltc_istarts(a, z);
}

bool ltc_starts(struct lt_str s, const char *z)
{
	size_t n = strlen(z);
	return s.n >= n && (n == 0 || memcmp(s.p, z, n) == 0);
}

struct lt_str ltc_from(struct lt_str s, size_t at)
{
	if (at > s.n)
		at = s.n;
	return (struct lt_str){ s.p == NULL ? NULL : s.p + at, s.n - at };
}

struct lt_str ltc_trim(struct lt_str s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL && s.p[0] != '\0')
		s = ltc_from(s, 1);
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL && s.p[s.n - 1] != '\0')
		s.n--;
	return s;
}

bool ltc_next(struct lt_str *rest, char sep, struct lt_str *ret)
{
	if (rest->n == 0)
		return false;
	const char *at = memchr(rest->p, sep, rest->n);
	size_t n = at == NULL ? rest->n : (size_t)(at - rest->p);
	*ret = (struct lt_str){ rest->p, n };
	*rest = ltc_from(*rest, at == NULL ? n : n + 1);
	return true;
}

bool ltc_line(struct lt_str *rest, struct lt_str *ret)
{
	if (!ltc_next(rest, '\n', ret))
		return false;
	if (ret->n > 0 && ret->p[ret->n - 1] == '\r')
		ret->n--;
	return true;
}

const char *ltc_find(struct lt_str hay, struct lt_str needle, bool icase)
{
	if (needle.n == 0 || hay.n < needle.n)
		return NULL;
	if (!icase)
		return memmem(hay.p, hay.n, needle.p, needle.n);
	for (size_t i = 0; i + needle.n <= hay.n; i++) {
		size_t k = 0;
		while (k < needle.n && lower(hay.p[i + k]) == lower(needle.p[k]))
			k++;
		if (k == needle.n)
			return hay.p + i;
	}
	return NULL;
}

int ltc_i64(struct lt_str s, int64_t min, int64_t max, int64_t *ret)
{
	bool neg = s.n > 0 && s.p[0] == '-';
	uint64_t v = 0;

	if (neg)
		s = ltc_from(s, 1);
	if (s.n == 0 || s.n > 19)
		return s.n == 0 ? -EINVAL : -ERANGE;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (v > INT64_MAX)
		return -ERANGE;
	int64_t r = neg ? -(int64_t)v : (int64_t)v;
	if (r < min || r > max)
		return -ERANGE;
	*ret = r;
	return 0;
}

bool ltc_has_control(struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

bool ltc_is_ascii(struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

size_t ltc_utf8_seq(struct lt_str s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	size_t n;
	uint32_t cp;

	if (s.n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		n = 2, cp = u[0] & 0x1fu;
	else if ((u[0] & 0xf0) == 0xe0)
		n = 3, cp = u[0] & 0x0fu;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		n = 4, cp = u[0] & 0x07u;
	else
		return 0;
	if (s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (u[i] & 0x3fu);
	}
	if ((n == 3 && (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff))) ||
		(n == 4 && (cp < 0x10000 || cp > 0x10ffff)))
		return 0;
	return n;
}

bool ltc_utf8_valid(struct lt_str s)
{
	while (s.n > 0) {
		size_t n = ltc_utf8_seq(s);
		if (n == 0)
			return false;
		s = ltc_from(s, n);
	}
	return true;
}

struct lt_str ltc_utf8_cut(struct lt_str s, size_t n_max)
{
	if (s.n <= n_max)
		return s;
	while (n_max > 0 && ((unsigned char)s.p[n_max] & 0xc0) == 0x80)
		n_max--;
	return (struct lt_str){ s.p, n_max };
}

uint64_t ltc_hash(uint64_t seed, struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		seed = (seed ^ (unsigned char)s.p[i]) * 1099511628211ull;
	return seed;
}

struct lt_str ltc_pair(const struct lt_pair *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (ltc_eqz(p[i].name, name))
			return p[i].value;
	return (struct lt_str){ 0 };
}

struct lt_str ltc_pair_secret(const struct lt_pair *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (ltc_eqz(p[i].name, name))
			return p[i].secret;
	return (struct lt_str){ 0 };
}

size_t ltc_base64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

size_t ltc_base64(char *dst, const void *p, size_t n)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = p;
	char *d = dst;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)u[i] << 16;
		if (i + 1 < n)
			v |= (uint32_t)u[i + 1] << 8;
		if (i + 2 < n)
			v |= u[i + 2];
		*d++ = abc[v >> 18];
		*d++ = abc[v >> 12 & 63];
		*d++ = i + 1 < n ? abc[v >> 6 & 63] : '=';
		*d++ = i + 2 < n ? abc[v & 63] : '=';
	}
	return (size_t)(d - dst);
}

uint64_t ltc_base64_lines_len(uint64_t n)
{
	uint64_t lines = (n + 56) / 57;
	return (n + 2) / 3 * 4 + 2 * lines;
}
