/* str.c - operations on borrowed byte strings.
 * Thread: any, pure. Owns nothing. An absent string counts as empty everywhere, except that it stays absent when trimmed.
 */
#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define NEAREST_LEN_MAX      64u /* longer names get no suggestion */
#define NEAREST_DISTANCE_MAX 3u

struct str str_of(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eqz(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

bool str_ieqz(struct str a, const char *z)
{
	size_t n = z ? strlen(z) : 0;

	if (a.n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char x = a.p[i], y = z[i];
		if (x >= 'A' && x <= 'Z')
			x = (char)(x + 32);
		if (y >= 'A' && y <= 'Z')
			y = (char)(y + 32);
		if (x != y)
			return false;
	}
	return true;
}

bool str_starts(struct str s, const char *z)
{
	size_t n = strlen(z);

	return n == 0 || (s.n >= n && memcmp(s.p, z, n) == 0);
}

bool str_ends(struct str s, const char *z)
{
	size_t n = strlen(z);

	return n == 0 || (s.n >= n && memcmp(s.p + s.n - n, z, n) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_next(struct str *rest, char sep, struct str *ret_piece)
{
	if (rest->n == 0)
		return false;
	const char *at = memchr(rest->p, sep, rest->n);
	size_t n = at ? (size_t)(at - rest->p) : rest->n;
	size_t used = at ? n + 1 : n;

	*ret_piece = (struct str){ rest->p, n };
	rest->p += used;
	rest->n -= used;
	return true;
}

bool str_line(struct str *rest, struct str *ret_line)
{
	struct str line;

	if (!str_next(rest, '\n', &line))
		return false;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	*ret_line = line;
	return true;
}

int str_i64(struct str s, int64_t min, int64_t max, int64_t *ret)
{
	size_t i = s.n && s.p[0] == '-' ? 1 : 0;
	bool negative = i == 1, over = false;
	uint64_t v = 0;

	if (i == s.n)
		return -EINVAL;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			over = true;
		else
			v = v * 10 + digit;
	}
	if (over || v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return -ERANGE;

	int64_t r = negative ? (v ? -(int64_t)(v - 1) - 1 : 0) : (int64_t)v;
	if (r < min || r > max)
		return -ERANGE;
	*ret = r;
	return 0;
}

bool str_copy(char *dst, size_t size, struct str s)
{
	if (size == 0)
		return false;
	size_t n = s.n < size - 1 ? s.n : size - 1;

	if (n)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
	return n == s.n;
}

uint64_t str_hash(uint64_t seed, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		seed = (seed ^ (unsigned char)s.p[i]) * 1099511628211ull;
	return seed;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	if (r)
		return r;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* Insertions, deletions, changes; both at most NEAREST_LEN_MAX. */
static size_t edit_distance(struct str a, struct str b)
{
	size_t row[NEAREST_LEN_MAX + 1];

	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
			size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			diagonal = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[b.n];
}

const char *str_nearest(struct str s, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t best_distance = NEAREST_DISTANCE_MAX + 1;

	if (s.n > NEAREST_LEN_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct str c = str_of(candidates[i]);
		if (c.n > NEAREST_LEN_MAX)
			continue;
		size_t d = edit_distance(s, c);
		/* two names with nothing in common are not near, however short they are */
		if (d < best_distance && d < (s.n > c.n ? s.n : c.n)) {
			best_distance = d;
			best = candidates[i];
		}
	}
	return best;
}

bool str_has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}
