/* smsh_json.c - a strict reader of JSON (RFC 8259) into the tree of smsh_doc.h. A member that stands twice in an object is
 * refused: two readers would disagree about it. Thread: any, pure. Failures: line and reason. */
#include <errno.h>
#include <string.h>
#include "smsh_doc.h"

#define MEMBERS_MAX 500u /* each new one is compared with all before it */

struct in {
	struct smsh_doc *d;
	const char *p, *end;
	uint32_t line, depth;
};

static void blank(struct in *in)
{
	for (; in->p < in->end; in->p++) {
		if (*in->p == '\n')
			in->line++;
		else if (*in->p != ' ' && *in->p != '\t' && *in->p != '\r')
			return;
	}
}

static int fail(struct in *in, const char *why)
{
	return smsh_doc_fail(in->d, in->line, why);
}

static int hex4(struct in *in, uint32_t *ret)
{
	uint32_t v = 0;

	if (in->end - in->p < 4)
		return fail(in, "\\u needs four hexadecimal digits");
	for (int i = 0; i < 4; i++, in->p++) {
		char c = *in->p;
		uint32_t x = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
			: c >= 'a' && c <= 'f'    ? (uint32_t)(c - 'a' + 10)
			: c >= 'A' && c <= 'F'    ? (uint32_t)(c - 'A' + 10)
						  : 16u;
		if (x > 15)
			return fail(in, "\\u needs four hexadecimal digits");
		v = v << 4 | x;
	}
	*ret = v;
	return 0;
}

static int unicode(struct in *in, char *dst, size_t *n)
{
	uint32_t cp, low;
	int rc = hex4(in, &cp);

	if (rc == 0 && cp >= 0xd800 && cp < 0xdc00) {
		if (in->end - in->p < 6 || in->p[0] != '\\' || in->p[1] != 'u')
			return fail(in, "half a surrogate pair");
		in->p += 2;
		rc = hex4(in, &low);
		if (rc == 0 && (low < 0xdc00 || low > 0xdfff))
			return fail(in, "half a surrogate pair");
		cp = rc == 0 ? 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00) : cp;
	} else if (rc == 0 && cp >= 0xdc00 && cp < 0xe000)
		return fail(in, "half a surrogate pair");
	if (rc == 0 && cp == 0)
		return fail(in, "a NUL in a string");
	if (rc == 0)
		*n += smsh_utf8_put(dst + *n, cp);
	return rc;
}

static int escape(struct in *in, char *dst, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = in->p < in->end ? *in->p++ : '\0';
	const char *at = c == '\0' ? NULL : strchr(from, c);

	if (c == 'u')
		return unicode(in, dst, n);
	if (at == NULL)
		return fail(in, "an escape that JSON does not know");
	dst[(*n)++] = to[at - from];
	return 0;
}

static int string(struct in *in, struct lt_str *ret)
{
	char *dst = in->d->bytes + in->d->used;
	size_t n = 0;
	int rc = 0;

	in->p++;
	while (rc == 0 && in->p < in->end && *in->p != '"') {
		char c = *in->p++;
		if (c == '\\')
			rc = escape(in, dst, &n);
		else if ((unsigned char)c < 0x20)
			return fail(in, "a control character in a string");
		else
			dst[n++] = c;
	}
	if (rc < 0)
		return rc;
	if (in->p == in->end)
		return fail(in, "a string without an end");
	in->p++;
	*ret = (struct lt_str){ dst, n };
	in->d->used += n;
	return ltc_utf8_valid(*ret) ? 0 : fail(in, "a string that is not UTF-8");
}

static bool digit(const struct in *in)
{
	return in->p < in->end && *in->p >= '0' && *in->p <= '9';
}

static int number(struct in *in, struct lt_str *ret)
{
	const char *from = in->p;
	bool good;

	in->p += *in->p == '-';
	good = digit(in);
	if (good && *in->p == '0')
		in->p++;
	else
		while (digit(in))
			in->p++;
	if (good && in->p < in->end && *in->p == '.') {
		in->p++;
		good = digit(in);
		while (digit(in))
			in->p++;
	}
	if (good && in->p < in->end && (*in->p == 'e' || *in->p == 'E')) {
		in->p++;
		in->p += in->p < in->end && (*in->p == '+' || *in->p == '-');
		good = digit(in);
		while (digit(in))
			in->p++;
	}
	*ret = (struct lt_str){ from, (size_t)(in->p - from) };
	return good ? 0 : fail(in, "not a JSON value");
}

static bool word(struct in *in, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(in->end - in->p) < n || memcmp(in->p, w, n) != 0)
		return false;
	in->p += n;
	return true;
}

static int value(struct in *in, uint32_t parent, struct lt_str key);

static int twice(struct in *in, uint32_t object, struct lt_str key)
{
	uint32_t n = 0;

	for (uint32_t c = in->d->nodes[object].first; c != SMSH_NONE; c = in->d->nodes[c].next) {
		if (ltc_eq(in->d->nodes[c].key, key))
			return fail(in, "a member that stands twice in its object");
		if (++n == MEMBERS_MAX)
			return fail(in, "an object with more than 500 members");
	}
	return 0;
}

static int members(struct in *in, uint32_t at, bool object)
{
	char close = object ? '}' : ']';
	int rc = 0;

	in->p++;
	blank(in);
	if (in->p < in->end && *in->p == close) {
		in->p++;
		return 0;
	}
	for (;;) {
		struct lt_str key = { 0 };
		blank(in);
		if (object) {
			if (in->p == in->end || *in->p != '"')
				return fail(in, "a member needs a name in quotes");
			rc = string(in, &key);
			rc = rc < 0 ? rc : twice(in, at, key);
			blank(in);
			if (rc == 0 && (in->p == in->end || *in->p++ != ':'))
				return fail(in, "a ':' is missing behind a name");
		}
		rc = rc < 0 ? rc : value(in, at, key);
		if (rc < 0)
			return rc;
		blank(in);
		char c = in->p < in->end ? *in->p++ : '\0';
		if (c == close)
			return 0;
		if (c != ',')
			return fail(
				in, object ? "a ',' or '}' is missing" : "a ',' or ']' is missing");
	}
}

static int value(struct in *in, uint32_t parent, struct lt_str key)
{
	enum smsh_type type = SMSH_NUMBER;
	struct lt_str text = { 0 };
	int rc = 0;

	blank(in);
	if (in->p == in->end)
		return fail(in, "it ends too early");
	const char *from = in->p;
	if (*in->p == '{' || *in->p == '[')
		type = *in->p == '{' ? SMSH_OBJECT : SMSH_ARRAY;
	else if (*in->p == '"')
		type = SMSH_STRING;
	else if (word(in, "true") || word(in, "false"))
		type = SMSH_BOOL;
	else if (word(in, "null"))
		type = SMSH_NULL;
	if (type == SMSH_STRING)
		rc = string(in, &text);
	else if (type == SMSH_NUMBER)
		rc = number(in, &text);
	else if (type == SMSH_BOOL)
		text = (struct lt_str){ from, (size_t)(in->p - from) };
	if (rc < 0)
		return rc;
	uint32_t at = smsh_node_add(in->d, parent, type, in->line);
	if (at == SMSH_NONE || in->depth == SMSH_DEPTH_MAX) {
		(void)fail(in, "too many values, or too deep");
		return -E2BIG;
	}
	in->d->nodes[at].key = key;
	in->d->nodes[at].text = text;
	if (type != SMSH_OBJECT && type != SMSH_ARRAY)
		return 0;
	in->depth++;
	rc = members(in, at, type == SMSH_OBJECT);
	in->depth--;
	return rc;
}

int smsh_json_read(struct smsh_doc *d, struct lt_str text)
{
	struct in in = { .d = d, .p = text.p, .end = text.p == NULL ? NULL : text.p + text.n };

	in.line = 1;
	if (ltc_starts(text, "\xef\xbb\xbf"))
		in.p += 3;
	int rc = value(&in, SMSH_NONE, (struct lt_str){ 0 });
	if (rc < 0)
		return rc;
	blank(&in);
	return in.p == in.end ? 0 : fail(&in, "something stands behind the value");
}
