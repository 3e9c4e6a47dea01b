/* json_scan.c - the pass before cJSON: RFC 8259 to the letter and within the bounds of json.h, numbers put into marked strings.
 * Thread: any, pure. Owns: nothing. Must not know: cJSON. Failures: line and reason; a full buffer shows in its own `failed`. */
#include <string.h>
#include "json.h"

#define REPLACEMENT "\xef\xbf\xbd"

struct scan {
	const char *p, *end;
	uint32_t line, depth, n;
	bool strict;
	struct ltc_buf *out, *lines;
	struct ltc_json_fault *fault;
};

static bool fail(struct scan *s, const char *why)
{
	if (s->fault != NULL)
		*s->fault = (struct ltc_json_fault){ s->line, why };
	return false;
}

static int peek(const struct scan *s)
{
	return s->p < s->end ? (unsigned char)*s->p : -1;
}

static void blank(struct scan *s)
{
	for (; s->p < s->end; s->p++) {
		if (*s->p == '\n')
			s->line++;
		else if (*s->p != ' ' && *s->p != '\t' && *s->p != '\r')
			return;
	}
}

static bool take(struct scan *s, char c)
{
	if (peek(s) != (unsigned char)c)
		return false;
	s->p++;
	ltc_addc(s->out, c);
	return true;
}

static bool hex4(const struct scan *s, size_t at, uint32_t *ret)
{
	uint32_t v = 0;

	if ((size_t)(s->end - s->p) < at + 4)
		return false;
	for (size_t i = at; i < at + 4; i++) {
		char c = s->p[i];
		uint32_t x = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
			: c >= 'a' && c <= 'f'    ? (uint32_t)(c - 'a' + 10)
			: c >= 'A' && c <= 'F'    ? (uint32_t)(c - 'A' + 10)
						  : 16u;
		if (x > 15)
			return false;
		v = v << 4 | x;
	}
	*ret = v;
	return true;
}

/* `n` bytes that stand for no letter. */
static bool instead(struct scan *s, size_t n, const char *why)
{
	if (s->strict)
		return fail(s, why);
	s->p += n;
	ltc_addz(s->out, REPLACEMENT);
	return true;
}

static bool copy(struct scan *s, size_t n)
{
	ltc_add(s->out, s->p, n);
	s->p += n;
	return true;
}

/* At the backslash. */
static bool escape(struct scan *s)
{
	char c = s->end - s->p > 1 ? s->p[1] : '\0';
	uint32_t v, low;

	if (c != '\0' && strchr("\"\\/bfnrt", c) != NULL)
		return copy(s, 2);
	if (c != 'u')
		return instead(s, 1, "an escape that JSON does not know");
	if (!hex4(s, 2, &v))
		return instead(s, 2, "\\u needs four hexadecimal digits");
	if (v == 0)
		return instead(s, 6, "a NUL in a string");
	if (v < 0xd800 || v > 0xdfff)
		return copy(s, 6);
	if (v < 0xdc00 && s->end - s->p > 7 && s->p[6] == '\\' && s->p[7] == 'u' &&
		hex4(s, 8, &low) && low >= 0xdc00 && low <= 0xdfff)
		return copy(s, 12);
	return instead(s, 6, "half a surrogate pair");
}

static bool string(struct scan *s)
{
	bool good = true;

	(void)take(s, '"');
	while (good && s->p < s->end && *s->p != '"') {
		struct lt_str rest = { s->p, (size_t)(s->end - s->p) };
		size_t plain = 0;
		while (plain < rest.n && (unsigned char)rest.p[plain] >= 0x20 &&
			(unsigned char)rest.p[plain] < 0x80 && rest.p[plain] != '"' &&
			rest.p[plain] != '\\')
			plain++;
		size_t seq = plain > 0 ? plain : ltc_utf8_seq(rest);
		if (plain == 0 && (unsigned char)rest.p[0] < 0x20)
			return fail(s, "a control character in a string");
		good = plain == 0 && rest.p[0] == '\\' ? escape(s)
			: seq == 0                     ? instead(s, 1, "a string that is not UTF-8")
						       : copy(s, seq);
	}
	if (good && !take(s, '"'))
		return fail(s, "a string without an end");
	return good;
}

static size_t digits(struct scan *s)
{
	const char *from = s->p;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

static bool number(struct scan *s)
{
	const char *from = s->p;

	s->p += peek(s) == '-';
	bool zero = peek(s) == '0';
	size_t n = digits(s);
	bool good = n == 1 || (n > 1 && !zero);
	if (good && peek(s) == '.') {
		s->p++;
		good = digits(s) > 0;
	}
	if (good && (peek(s) == 'e' || peek(s) == 'E')) {
		s->p++;
		s->p += peek(s) == '+' || peek(s) == '-';
		good = digits(s) > 0;
	}
	if (!good)
		return fail(s, "not a JSON value");
	ltc_addc(s->out, '"');
	ltc_addc(s->out, LTC_JSON_NUMBER_MARK);
	ltc_add(s->out, from, (size_t)(s->p - from));
	ltc_addc(s->out, '"');
	return true;
}

static bool word(struct scan *s, const char *w)
{
	struct lt_str rest = { s->p, (size_t)(s->end - s->p) };

	return ltc_starts(rest, w) && copy(s, strlen(w));
}

static bool value(struct scan *s);

static bool members(struct scan *s, bool object)
{
	char close = object ? '}' : ']';

	(void)take(s, object ? '{' : '[');
	blank(s);
	if (take(s, close))
		return true;
	for (;;) {
		blank(s);
		if (object) {
			if (peek(s) != '"')
				return fail(s, "a member needs a name in quotes");
			if (!string(s))
				return false;
			blank(s);
			if (!take(s, ':'))
				return fail(s, "a ':' is missing behind a name");
		}
		if (!value(s))
			return false;
		blank(s);
		if (take(s, close))
			return true;
		if (!take(s, ','))
			return fail(
				s, object ? "a ',' or '}' is missing" : "a ',' or ']' is missing");
	}
}

static bool value(struct scan *s)
{
	blank(s);
	int c = peek(s);
	bool group = c == '{' || c == '[';

	if (c < 0)
		return fail(s, "it ends too early");
	if (++s->n > LTC_JSON_NODES_MAX || (group && s->depth == LTC_JSON_DEPTH_MAX))
		return fail(s, "too many values, or too deep");
	ltc_add(s->lines, &s->line, sizeof(s->line));
	if (c == '"')
		return string(s);
	if (word(s, "true") || word(s, "false") || word(s, "null"))
		return true;
	if (!group)
		return number(s);
	s->depth++;
	bool good = members(s, c == '{');
	s->depth--;
	return good;
}

bool ltc_json_scan(struct lt_str text, enum ltc_json_mode mode, struct ltc_buf *out,
	struct ltc_buf *lines, struct ltc_json_fault *fault)
{
	struct scan s = { .p = text.p,
		.end = text.p == NULL ? NULL : text.p + text.n,
		.line = 1,
		.strict = mode == LTC_JSON_STRICT,
		.out = out,
		.lines = lines,
		.fault = fault };

	if (text.n > LTC_JSON_BYTES_MAX)
		return fail(&s, "longer than 1 MiB");
	blank(&s);
	if (!s.strict && peek(&s) != '{' && peek(&s) != '[')
		return fail(&s, "neither an object nor an array");
	if (!value(&s))
		return false;
	blank(&s);
	return s.p == s.end || fail(&s, "something stands behind the value");
}
