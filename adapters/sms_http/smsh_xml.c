/* smsh_xml.c - a small strict reader of XML 1.0 into the tree of smsh_doc.h: elements, attributes, text, CDATA, comments.
 * Left out on purpose: DOCTYPE (refused: no entities of its own, nothing is fetched), encodings but UTF-8, namespaces beyond
 * dropping the prefix. Thread: any, pure. Failures: line and reason. */
#include <errno.h>
#include <string.h>
#include "smsh_doc.h"

struct in {
	struct smsh_doc *d;
	const char *p, *end;
	uint32_t line;
};

static int fail(struct in *in, const char *why)
{
	return smsh_doc_fail(in->d, in->line, why);
}

static bool is(const struct in *in, const char *z)
{
	size_t n = strlen(z);

	return (size_t)(in->end - in->p) >= n && memcmp(in->p, z, n) == 0;
}

static void blank(struct in *in)
{
	for (; in->p < in->end &&
		(*in->p == ' ' || *in->p == '\t' || *in->p == '\r' || *in->p == '\n');
		in->p++)
		in->line += *in->p == '\n';
}

static int skip_to(struct in *in, const char *z)
{
	while (in->p < in->end && !is(in, z))
		in->line += *in->p++ == '\n';
	if (in->p == in->end)
		return fail(in, "it ends inside of markup");
	in->p += strlen(z);
	return 0;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '-' || c == '.' || c == ':' || (unsigned char)c >= 0x80;
}

/* Whole name in *ret_all, without its prefix in *ret_local. */
static int name(struct in *in, struct lt_str *ret_all, struct lt_str *ret_local)
{
	const char *from = in->p, *local = in->p;

	while (in->p < in->end && name_char(*in->p)) {
		local = *in->p == ':' ? in->p + 1 : local;
		in->p++;
	}
	if (in->p == local || (*from >= '0' && *from <= '9') || *from == '-' || *from == '.')
		return fail(in, "a name is missing");
	*ret_all = (struct lt_str){ from, (size_t)(in->p - from) };
	*ret_local = (struct lt_str){ local, (size_t)(in->p - local) };
	return ltc_utf8_valid(*ret_all) ? 0 : fail(in, "a name that is not UTF-8");
}

static int entity(struct in *in)
{
	static const char *const names[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&apos;" };
	static const char chars[] = "<>&\"'";
	char *dst = in->d->bytes;
	uint32_t cp = 0, base = 10;

	for (size_t i = 0; i < 5; i++)
		if (is(in, names[i])) {
			in->p += strlen(names[i]);
			dst[in->d->used++] = chars[i];
			return 0;
		}
	if (!is(in, "&#"))
		return fail(in, "an entity that is not one of the five of XML");
	in->p += 2;
	if (in->p < in->end && *in->p == 'x') {
		base = 16;
		in->p++;
	}
	const char *from = in->p;
	for (; in->p < in->end && *in->p != ';'; in->p++) {
		char c = *in->p;
		uint32_t x = c >= '0' && c <= '9'            ? (uint32_t)(c - '0')
			: base == 16 && c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
			: base == 16 && c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
							     : 99u;
		if (x >= base || in->p - from > 7)
			return fail(in, "a character number that is none");
		cp = cp * base + x;
	}
	if (in->p == in->end || in->p == from || cp == 0 || cp > 0x10ffff ||
		(cp >= 0xd800 && cp < 0xe000))
		return fail(in, "a character number that is none");
	in->p++;
	in->d->used += smsh_utf8_put(dst + in->d->used, cp);
	return 0;
}

static int value(struct in *in, struct lt_str *ret)
{
	size_t at = in->d->used;
	char quote = in->p < in->end ? *in->p : '\0';

	if (quote != '"' && quote != '\'')
		return fail(in, "a value without quotes");
	in->p++;
	while (in->p < in->end && *in->p != quote) {
		if (*in->p == '<')
			return fail(in, "a '<' in a value");
		in->line += *in->p == '\n';
		if (*in->p == '&') {
			if (entity(in) < 0)
				return -EINVAL;
		} else
			in->d->bytes[in->d->used++] = *in->p++;
	}
	if (in->p == in->end)
		return fail(in, "it ends inside of a value");
	in->p++;
	*ret = (struct lt_str){ in->d->bytes + at, in->d->used - at };
	return 0;
}

static int attributes(struct in *in, uint32_t at)
{
	for (;;) {
		struct lt_str all, local, v;
		const char *before = in->p;
		blank(in);
		if (in->p == in->end)
			return fail(in, "it ends inside of a tag");
		if (*in->p == '>' || *in->p == '/')
			return 0;
		if (in->p == before)
			return fail(in, "a space is missing before an attribute");
		if (name(in, &all, &local) < 0)
			return -EINVAL;
		blank(in);
		if (in->p == in->end || *in->p != '=')
			return fail(in, "an attribute without a value");
		in->p++;
		blank(in);
		if (value(in, &v) < 0)
			return -EINVAL;
		if (!ltc_utf8_valid(v))
			return fail(in, "an attribute that is not UTF-8");
		if (v.n > 0 && memchr(v.p, 0, v.n) != NULL)
			return fail(in, "a NUL in an attribute");
		uint32_t c = smsh_node_add(in->d, at, SMSH_STRING, in->line);
		if (c == SMSH_NONE)
			return -E2BIG;
		char *key = in->d->bytes + in->d->used;
		key[0] = '@'; /* the "=" and quotes of the input leave room for it */
		memcpy(key + 1, local.p, local.n);
		in->d->used += local.n + 1;
		in->d->nodes[c].key = (struct lt_str){ key, local.n + 1 };
		in->d->nodes[c].text = v;
	}
}

/* Text up to the next tag is added to the element; bytes of children lie between, so it is moved together. */
static int text(struct in *in, struct lt_str *sum)
{
	size_t at = in->d->used;

	while (in->p < in->end && *in->p != '<') {
		if (*in->p == '\0')
			return fail(in, "a NUL in the text");
		in->line += *in->p == '\n';
		if (*in->p == '&') {
			if (entity(in) < 0)
				return -EINVAL;
		} else
			in->d->bytes[in->d->used++] = *in->p++;
	}
	struct lt_str piece = ltc_trim((struct lt_str){ in->d->bytes + at, in->d->used - at });
	if (piece.n > 0 && sum->n == 0)
		*sum = piece;
	else if (piece.n > 0 && sum->p + sum->n == in->d->bytes + at)
		sum->n = in->d->used - (size_t)(sum->p - in->d->bytes);
	return 0; /* mixed content: the first piece counts */
}

static int cdata(struct in *in, struct lt_str *sum)
{
	size_t at = in->d->used;

	in->p += 9;
	while (in->p < in->end && !is(in, "]]>")) {
		in->line += *in->p == '\n';
		in->d->bytes[in->d->used++] = *in->p++;
	}
	if (in->p == in->end)
		return fail(in, "it ends inside of CDATA");
	in->p += 3;
	if (sum->n == 0)
		*sum = (struct lt_str){ in->d->bytes + at, in->d->used - at };
	else if (sum->p + sum->n == in->d->bytes + at)
		sum->n += in->d->used - at;
	return 0;
}

static int misc(struct in *in, bool *ret_was)
{
	*ret_was = true;
	if (is(in, "<!--")) {
		in->p += 4;
		return skip_to(in, "-->");
	}
	if (is(in, "<?"))
		return skip_to(in, "?>");
	if (is(in, "<!") && !is(in, "<![CDATA["))
		return fail(in, "a DOCTYPE is not taken");
	*ret_was = false;
	return 0;
}

static int element(struct in *in, uint32_t parent, uint32_t depth);

static int content(struct in *in, uint32_t at, struct lt_str all, uint32_t depth)
{
	struct lt_str sum = { 0 }, end_all, end_local;

	for (;;) {
		bool was = false;
		int rc = text(in, &sum);
		if (rc == 0 && in->p == in->end)
			return fail(in, "an element without its end");
		rc = rc < 0 ? rc : misc(in, &was);
		if (rc < 0)
			return rc;
		if (was)
			continue;
		if (is(in, "<![CDATA[")) {
			rc = cdata(in, &sum);
		} else if (is(in, "</")) {
			in->p += 2;
			if (name(in, &end_all, &end_local) < 0 || !ltc_eq(end_all, all))
				return fail(in, "the end of an element has another name");
			blank(in);
			if (in->p == in->end || *in->p++ != '>')
				return fail(in, "a '>' is missing");
			in->d->nodes[at].text = sum.p == NULL ? (struct lt_str){ "", 0 } : sum;
			if (sum.n > 0 && memchr(sum.p, 0, sum.n) != NULL)
				return fail(in, "a NUL in the text");
			return ltc_utf8_valid(sum) ? 0 : fail(in, "a text that is not UTF-8");
		} else
			rc = element(in, at, depth + 1);
		if (rc < 0)
			return rc;
	}
}

static int element(struct in *in, uint32_t parent, uint32_t depth)
{
	struct lt_str all, local;

	if (in->p == in->end || *in->p != '<')
		return fail(in, "not XML");
	if (depth > SMSH_DEPTH_MAX) {
		(void)fail(in, "elements too deep");
		return -E2BIG;
	}
	in->p++;
	if (name(in, &all, &local) < 0)
		return -EINVAL;
	uint32_t at = smsh_node_add(in->d, parent, SMSH_OBJECT, in->line);
	if (at == SMSH_NONE) {
		(void)fail(in, "too many elements");
		return -E2BIG;
	}
	in->d->nodes[at].key = local;
	in->d->nodes[at].text = (struct lt_str){ "", 0 };
	int rc = attributes(in, at);
	if (rc < 0)
		return rc;
	bool empty = *in->p == '/';
	in->p += empty;
	if (in->p == in->end || *in->p++ != '>')
		return fail(in, "a '>' is missing");
	return empty ? 0 : content(in, at, all, depth);
}

int smsh_xml_read(struct smsh_doc *d, struct lt_str text_in)
{
	struct in in = { .d = d,
		.p = text_in.p,
		.end = text_in.p == NULL ? NULL : text_in.p + text_in.n,
		.line = 1 };
	bool was = true;
	int rc = 0;

	if (text_in.n == 0)
		return fail(&in, "it is empty");
	if (ltc_starts(text_in, "\xef\xbb\xbf"))
		in.p += 3;
	if (smsh_node_add(d, SMSH_NONE, SMSH_OBJECT, 1) == SMSH_NONE)
		return -ENOMEM;
	for (blank(&in); rc == 0 && was; blank(&in))
		rc = misc(&in, &was);
	rc = rc < 0 ? rc : element(&in, 0, 1);
	for (was = true; rc == 0 && was;) {
		blank(&in);
		was = false;
		if (in.p < in.end)
			rc = misc(&in, &was);
	}
	if (rc == 0 && in.p < in.end)
		return fail(&in, "something stands behind the root element");
	return rc;
}
