/* channel_mask.c - what a provider says is kept and told without the secrets that it says back: a link to the next page that holds the token,
 * an error that repeats a password. Known are the secrets of the account's files and of its credential, the value before the last
 * change too: an answer may be older than the change. A value counts in whatever way it is written: plainly, percent-encoded, in
 * JSON's escapes, cut off where the text ends, or cut short by whoever told it (MASK_PART bytes are no chance).
 * Thread: loop. Owns: nothing. Failures: none; a secret shorter than MASK_MIN is no secret and would blacken everything. */
#include "channel/channel_internal.h"

#define MASK_MIN  4 /* bytes */
#define MASK_PART 16
#define MASK      "***"

static int nibble(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

static bool hex_is(const char *p, size_t n, char c)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (nibble(p[i]) < 0)
			return false;
		v = v * 16 + nibble(p[i]);
	}
	return v == (unsigned char)c;
}

/* Bytes in which s begins with c, however it is written; 0: it does not. */
static size_t begins(struct str s, char c)
{
	if (!s.n)
		return 0;
	if (s.p[0] == c)
		return 1;
	if (s.p[0] == '%' && s.n >= 3 && hex_is(s.p + 1, 2, c))
		return 3;
	if (s.p[0] == '\\' && s.n >= 6 && s.p[1] == 'u' && hex_is(s.p + 2, 4, c))
		return 6;
	if (s.p[0] == '\\' && s.n >= 2 && s.p[1] == c)
		return 2;
	return s.p[0] == '+' && c == ' ' ? 1 : 0;
}

static bool cut_off(struct str rest)
{
	return !rest.n || (rest.n < 6 && (*rest.p == '%' || *rest.p == '\\'));
}

/* Bytes of the secret at the beginning of s; 0: it does not stand there. */
static size_t stands(struct str s, struct str secret)
{
	size_t at = 0;

	if (secret.n < MASK_MIN)
		return 0;
	for (size_t i = 0; i < secret.n; i++) {
		struct str rest = { s.p + at, s.n - at };
		size_t n = begins(rest, secret.p[i]);
		if (!n) /* cut off by the end, perhaps in the middle of an escape */
			return i >= MASK_MIN && cut_off(rest) ? s.n : i >= MASK_PART ? at : 0;
		at += n;
	}
	return at;
}

/* The longest one that stands there. */
static size_t secret_at(const struct chan_account *a, struct str s)
{
	size_t max = 0, n;

	for (size_t i = 0; i < a->n_secrets; i++)
		if ((n = stands(s, secret_value(a->secrets[i].value))) > max)
			max = n;
	for (size_t i = 0; i < ROTATED_MAX; i++) {
		const struct chan_rotated *r = &a->rotated[i];
		if (r->value && (n = stands(s, secret_value(r->value))) > max)
			max = n;
		if (r->was && (n = stands(s, secret_value(r->was))) > max)
			max = n;
	}
	return max;
}

bool mask_finds(const struct chan_account *a, struct str s, size_t max)
{
	for (size_t at = 0; at < s.n && at < max; at++)
		if (secret_at(a, (struct str){ s.p + at, s.n - at }))
			return true;
	return false;
}

void mask_add(const struct chan_account *a, struct buf *b, struct str s, size_t max)
{
	size_t from = 0, at = 0;

	while (at < s.n && at < max) {
		size_t n = secret_at(a, (struct str){ s.p + at, s.n - at });
		if (!n) {
			at++;
			continue;
		}
		(void)buf_add(b, s.p + from, at - from);
		(void)buf_addz(b, MASK);
		from = at += n;
	}
	if (from < at)
		(void)buf_add(b, s.p + from, at - from);
}

struct lt_str mask_text(const struct chan_account *a, struct buf *b, struct lt_str s, size_t max)
{
	if (!s.p || !mask_finds(a, s_of(s), max))
		return s;
	mask_add(a, b, s_of(s), max);
	return lt_of(buf_str(b));
}
