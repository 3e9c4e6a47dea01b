/* zalo_json.c - see zalo_json.h. */
#include <string.h>
#include "zalo_json.h"

static const char *blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* Behind the closing quote of the string that starts at p; NULL when it has none. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' && ++p == end)
			return NULL;
	}
	return NULL;
}

static const char *skip_word(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *p) != NULL && *p)
		p++;
	struct lt_str w = { from, (size_t)(p - from) };
	if (ltc_eqz(w, "true") || ltc_eqz(w, "false") || ltc_eqz(w, "null"))
		return p;
	for (size_t i = 0; i < w.n; i++)
		if (strchr("+-.0123456789eE", w.p[i]) == NULL)
			return NULL;
	return w.n > 0 && (w.p[0] == '-' || (w.p[0] >= '0' && w.p[0] <= '9')) ? p : NULL;
}

static const char *skip_value(const char *p, const char *end, int depth);

static const char *skip_group(const char *p, const char *end, int depth)
{
	bool object = *p == '{';
	char close = object ? '}' : ']';

	p = blank(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	while (p < end) {
		if (object) {
			p = *p == '"' ? skip_string(p, end) : NULL;
			p = p == NULL ? NULL : blank(p, end);
			if (p == NULL || p == end || *p != ':')
				return NULL;
			p++;
		}
		p = skip_value(blank(p, end), end, depth + 1);
		p = p == NULL ? NULL : blank(p, end);
		if (p == NULL || p == end)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p != ',')
			return NULL;
		p = blank(p + 1, end);
	}
	return NULL;
}

static const char *skip_value(const char *p, const char *end, int depth)
{
	if (p >= end || depth > ZJ_DEPTH_MAX)
		return NULL;
	if (*p == '{' || *p == '[')
		return skip_group(p, end, depth);
	return *p == '"' ? skip_string(p, end) : skip_word(p, end);
}

bool zj_valid(struct lt_str doc)
{
	const char *end = doc.p + doc.n, *p;

	if (doc.n == 0)
		return false;
	p = skip_value(blank(doc.p, end), end, 0);
	return p != NULL && blank(p, end) == end;
}

bool zj_is_object(struct lt_str raw)
{
	return raw.n > 0 && raw.p[0] == '{';
}

bool zj_is_array(struct lt_str raw)
{
	return raw.n > 0 && raw.p[0] == '[';
}

struct lt_str zj_get(struct lt_str obj, const char *key)
{
	struct lt_str hit = { 0 };
	const char *end, *p;

	if (obj.n == 0)
		return hit;
	end = obj.p + obj.n;
	p = blank(obj.p, end);
	if (p == end || *p != '{')
		return hit;
	p = blank(p + 1, end);
	while (p < end && *p == '"') {
		const char *name = p + 1, *after = skip_string(p, end);
		if (after == NULL)
			return (struct lt_str){ 0 };
		struct lt_str k = { name, (size_t)(after - name) - 1 };
		p = blank(after, end);
		if (p == end || *p != ':')
			return (struct lt_str){ 0 };
		const char *from = blank(p + 1, end);
		p = skip_value(from, end, 0);
		if (p == NULL)
			return (struct lt_str){ 0 };
		if (ltc_eqz(k, key))
			hit = (struct lt_str){ from, (size_t)(p - from) };
		p = blank(p, end);
		if (p == end || *p != ',')
			break;
		p = blank(p + 1, end);
	}
	return hit;
}

bool zj_next(struct lt_str *rest, struct lt_str *ret)
{
	const char *end, *p;

	if (rest->n == 0)
		return false;
	end = rest->p + rest->n;
	p = blank(rest->p, end);
	if (p == end || (*p != '[' && *p != ','))
		return false;
	p = blank(p + 1, end);
	const char *after = skip_value(p, end, 0);
	if (after == NULL)
		return false;
	*ret = (struct lt_str){ p, (size_t)(after - p) };
	*rest = (struct lt_str){ after, (size_t)(end - after) };
	return true;
}

/* --- text ------------------------------------------------------------------------------------------------------------------- */
static int hex4(const char *p, const char *end, uint32_t *ret)
{
	uint32_t v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		uint32_t d = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
			: c >= 'a' && c <= 'f'    ? (uint32_t)(c - 'a' + 10)
			: c >= 'A' && c <= 'F'    ? (uint32_t)(c - 'A' + 10)
						  : 16;
		if (d == 16)
			return -1;
		v = v << 4 | d;
	}
	*ret = v;
	return 0;
}

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	out[0] = (char)(lead[n] | c);
	return n;
}

/* What the escape at *p (behind the backslash) stands for; *p is moved behind it. */
static uint32_t unescape(const char **p, const char *end)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	char c = *(*p)++;
	const char *at = c == '\0' ? NULL : strchr(names, c);
	uint32_t v, low;

	if (at != NULL)
		return (uint32_t)(unsigned char)values[at - names];
	if (c != 'u' || hex4(*p, end, &v) < 0)
		return 0xfffd;
	*p += 4;
	if (v < 0xd800 || v > 0xdfff)
		return v == 0 ? 0xfffd : v;
	if (v < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' &&
		hex4(*p + 2, end, &low) == 0 && low >= 0xdc00 && low <= 0xdfff) {
		*p += 6;
		return 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
	}
	return 0xfffd;
}

struct lt_str zj_text(struct lt_str raw, char *dst, size_t size)
{
	size_t n = 0;

	dst[0] = '\0';
	if (raw.n == 0 || raw.p[0] == '{' || raw.p[0] == '[' || ltc_eqz(raw, "null"))
		return (struct lt_str){ dst, 0 };
	bool quoted = raw.p[0] == '"';
	const char *p = raw.p + (quoted ? 1 : 0), *end = raw.p + raw.n - (quoted ? 1 : 0);
	while (p < end) {
		char out[4] = { *p };
		size_t len = 1;
		if (quoted && *p == '\\' && p + 1 < end) {
			p++;
			len = encode(unescape(&p, end), out);
		} else {
			p++;
		}
		if (n + len >= size)
			break;
		memcpy(dst + n, out, len);
		n += len;
	}
	size_t whole = n; /* a code point that did not fit goes whole */
	for (int i = 0; i < 3 && !ltc_utf8_valid((struct lt_str){ dst, whole }) && whole > 0; i++)
		whole--;
	n = ltc_utf8_valid((struct lt_str){ dst, whole }) ? whole : n;
	dst[n] = '\0';
	return (struct lt_str){ dst, n };
}

bool zj_int(struct lt_str raw, int64_t *ret)
{
	char z[24];
	struct lt_str s = zj_text(raw, z, sizeof(z));

	if (raw.n > sizeof(z) + 1)
		return false;
	return ltc_i64(ltc_trim(s), INT64_MIN, INT64_MAX, ret) == 0;
}

void zj_add_inner(struct ltc_buf *b, struct lt_str s)
{
	static const char digits[] = "0123456789abcdef";
	size_t from = 0;

	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
		bool good = c < 0x80 ||
			(c >= 0xc2 && i + len <= s.n &&
				ltc_utf8_valid((struct lt_str){ s.p + i, len }));
		if (good && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			i += len;
			continue;
		}
		ltc_add(b, s.p + from, i - from);
		if (!good)
			ltc_addc(b, '?');
		else if (c == '"' || c == '\\')
			ltc_addf(b, "\\%c", c);
		else if (c == '\n')
			ltc_addz(b, "\\n");
		else
			ltc_addf(b, "\\u00%c%c", digits[c >> 4], digits[c & 15]);
		from = ++i;
	}
	ltc_add(b, s.p == NULL ? "" : s.p + from, s.n - from);
}

void zj_add(struct ltc_buf *b, struct lt_str s)
{
	ltc_addc(b, '"');
	zj_add_inner(b, s);
	ltc_addc(b, '"');
}
