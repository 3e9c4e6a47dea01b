/* json_scan.c - the pre-pass over JSON text: RFC 8259 exactly, within bounds, with long whole numbers put into quotes.
 * Thread: any, pure. Owns nothing. Must not know: cJSON, which is lax where this is strict.
 * Failures: -EINVAL with line and column; -E2BIG over depth or number of values; -ENOMEM.
 */
#include "base/json_internal.h"

#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

#define DIGITS_EXACT_MAX 15u /* what a double keeps whatever the digits are */

struct scan {
	struct str text;
	size_t at;
	size_t nodes;
	unsigned depth;
	struct buf *out;
	size_t copied; /* up to where the text stands in `out` */
	struct err *e;
};

static int scan_value(struct scan *s);

static int scan_fail(struct scan *s, int code, size_t at, const char *what)
{
	size_t line = 1, col = 1;

	for (size_t i = 0; i < at && i < s->text.n; i++) {
		bool lf = s->text.p[i] == '\n';
		line += lf;
		col = lf ? 1 : col + 1;
	}
	return err_set(s->e, code, "JSON line %zu, column %zu: %s", line, col, what);
}

static int peek(const struct scan *s)
{
	return s->at < s->text.n ? (unsigned char)s->text.p[s->at] : -1;
}

static void skip_blanks(struct scan *s)
{
	while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
		s->at++;
}

static bool take(struct scan *s, char c)
{
	if (peek(s) != (unsigned char)c)
		return false;
	s->at++;
	return true;
}

/* Four hex digits at `at`, or -1. */
static int hex4(struct str text, size_t at)
{
	int v = 0;

	if (text.n < at + 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		char c = text.p[i];
		int digit = c >= '0' && c <= '9' ? c - '0'
			: c >= 'a' && c <= 'f'   ? c - 'a' + 10
			: c >= 'A' && c <= 'F'   ? c - 'A' + 10
						 : -1;
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

/* Behind a backslash and its u. */
static int scan_unicode(struct scan *s)
{
	size_t start = s->at - 2;
	int cp = hex4(s->text, s->at);

	if (cp < 0)
		return scan_fail(s, -EINVAL, start, "\\u wants four hex digits");
	if (cp == 0)
		return scan_fail(s, -EINVAL, start, "\\u0000 is refused: texts hold no NUL");
	s->at += 4;
	if (cp < 0xd800 || cp > 0xdfff)
		return 0;
	int low = cp < 0xdc00 && s->text.n >= s->at + 6 && s->text.p[s->at] == '\\' &&
			s->text.p[s->at + 1] == 'u'
		? hex4(s->text, s->at + 2)
		: -1;
	if (low < 0xdc00 || low > 0xdfff)
		return scan_fail(s, -EINVAL, start, "half of a surrogate pair stands alone");
	s->at += 6;
	return 0;
}

static int scan_string(struct scan *s)
{
	size_t start = s->at++;

	for (;;) {
		int c = peek(s);
		if (c < 0)
			return scan_fail(s, -EINVAL, start, "the string has no closing quote");
		if (c < 0x20)
			return scan_fail(s, -EINVAL, s->at,
				"a control character in a string must be written as an escape");
		s->at++;
		if (c == '"')
			return 0;
		if (c != '\\')
			continue;
		int escaped = peek(s);
		if (escaped < 0 || !strchr("\"\\/bfnrtu", escaped))
			return scan_fail(s, -EINVAL, s->at - 1, "unknown escape in a string");
		s->at++;
		int r = escaped == 'u' ? scan_unicode(s) : 0;
		if (r)
			return r;
	}
}

static size_t scan_digits(struct scan *s)
{
	size_t start = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at - start;
}

static int flush_to(struct scan *s, size_t at)
{
	int r = buf_add(s->out, s->text.p + s->copied, at - s->copied);

	s->copied = at;
	return r;
}

static int scan_number(struct scan *s)
{
	size_t start = s->at;
	bool whole = true, ok;

	(void)take(s, '-');
	bool zero_first = peek(s) == '0';
	size_t digits = scan_digits(s);
	ok = digits == 1 || (digits > 1 && !zero_first);
	if (ok && take(s, '.')) {
		whole = false;
		ok = scan_digits(s) > 0;
	}
	if (ok && (take(s, 'e') || take(s, 'E'))) {
		whole = false;
		if (!take(s, '+'))
			(void)take(s, '-');
		ok = scan_digits(s) > 0;
	}
	if (!ok)
		return scan_fail(s, -EINVAL, start, "not a number as JSON writes it");
	if (s->at - start > 64 && !whole)
		return scan_fail(s, -EINVAL, start, "the number is longer than 64 characters");
	if (!whole || digits <= DIGITS_EXACT_MAX)
		return 0;

	int r = flush_to(s, start);
	if (r == 0)
		r = buf_addc(s->out, '"');
	if (r == 0)
		r = flush_to(s, s->at);
	if (r == 0)
		r = buf_addc(s->out, '"');
	return r ? scan_fail(s, r, start, "no memory") : 0;
}

static int scan_word(struct scan *s, const char *word)
{
	struct str rest = { s->text.p + s->at, s->text.n - s->at };

	if (!str_starts(rest, word))
		return scan_fail(s, -EINVAL, s->at, "expected a value");
	s->at += strlen(word);
	return 0;
}

static int scan_members(struct scan *s, bool object)
{
	char close = object ? '}' : ']';
	int r;

	s->at++;
	skip_blanks(s);
	if (take(s, close))
		return 0;
	for (;;) {
		skip_blanks(s);
		if (object) {
			if (peek(s) != '"')
				return scan_fail(s, -EINVAL, s->at, "expected a key in quotes");
			if ((r = scan_string(s)) != 0)
				return r;
			skip_blanks(s);
			if (!take(s, ':'))
				return scan_fail(s, -EINVAL, s->at, "expected ':' after the key");
			skip_blanks(s);
		}
		if ((r = scan_value(s)) != 0)
			return r;
		skip_blanks(s);
		if (take(s, close))
			return 0;
		if (!take(s, ','))
			return scan_fail(s, -EINVAL, s->at,
				object ? "expected ',' or '}'" : "expected ',' or ']'");
	}
}

static int scan_nested(struct scan *s, bool object)
{
	if (s->depth >= JSON_DEPTH_MAX)
		return scan_fail(s, -E2BIG, s->at, "nested deeper than 32 levels");
	s->depth++;
	int r = scan_members(s, object);
	s->depth--;
	return r;
}

static int scan_value(struct scan *s)
{
	int c = peek(s);

	if (++s->nodes > JSON_NODES_MAX)
		return scan_fail(s, -E2BIG, s->at, "more than 200000 values");
	if (c == '{' || c == '[')
		return scan_nested(s, c == '{');
	if (c == '"')
		return scan_string(s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	return scan_word(s, c == 't' ? "true" : c == 'f' ? "false" : "null");
}

_Static_assert(JSON_DEPTH_MAX == 32 && JSON_NODES_MAX == 200000, "the texts above name them");

int json_scan(struct str text, struct buf *out, struct err *e)
{
	struct scan s = { .text = text, .out = out, .e = e };
	size_t bad_at = 0;

	if (!utf8_valid(text, &bad_at))
		return scan_fail(&s, -EINVAL, bad_at, "bytes that are no UTF-8");
	skip_blanks(&s);
	if (s.at == text.n)
		return scan_fail(&s, -EINVAL, s.at, "expected a value, found nothing");
	int r = scan_value(&s);
	if (r)
		return r;
	skip_blanks(&s);
	if (s.at != text.n)
		return scan_fail(&s, -EINVAL, s.at, "something follows the end of the document");
	r = flush_to(&s, text.n);
	return r ? scan_fail(&s, r, text.n, "no memory") : 0;
}
