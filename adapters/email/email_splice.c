/* email_splice.c - cuts the built message at its places and hands it to the host: bytes with doubled leading dots, asset slices, holes.
 * Thread: any, pure. Owns: nothing. Failures: what the sink says; -EINVAL when the message is not what SMTP may carry. */
#include <errno.h>
#include <string.h>
#include "email_mime.h"

struct splice {
	const struct email_doc *d;
	struct lt_sink *sink;
	uint64_t bytes, hash;
	bool line_start;
};

static int put(struct splice *s, struct lt_str b)
{
	if (b.n == 0)
		return 0;
	struct lt_src src = { .bytes = b };
	s->bytes += b.n;
	s->hash = ltc_hash(s->hash, b);
	return s->sink->add(s->sink->ctx, &src);
}

static int put_stuffed(struct splice *s, struct lt_str seg)
{
	size_t from = 0;

	for (size_t i = 0; i < seg.n; i++) {
		if (s->line_start && seg.p[i] == '.') {
			int rc = put(s, (struct lt_str){ seg.p + from, i - from });
			rc = rc < 0 ? rc : put(s, LTC_LIT("."));
			if (rc < 0)
				return rc;
			from = i;
		}
		s->line_start = seg.p[i] == '\n';
	}
	return put(s, ltc_from(seg, from));
}

static int put_place(struct splice *s, char kind, size_t index)
{
	if (kind == 'H')
		return s->d->conf->personal ? s->sink->hole(s->sink->ctx, EMAIL_HOLE_HEADERS)
					    : put(s, LTC_LIT("To: undisclosed-recipients:;\r\n"));
	if (index >= s->d->n_files)
		return -EINVAL;
	s->line_start = false;
	if (kind == 'U')
		return s->sink->hole(s->sink->ctx, EMAIL_HOLE_URL + (uint32_t)index);
	const struct lt_asset *a = s->d->files[index].a;
	/* the length is told, so that the host can count the bytes of a payload without the file */
	struct lt_src src = { .asset = a->id, .length = a->bytes, .encode = LT_BASE64_LINES };
	s->bytes += ltc_base64_lines_len(a->bytes);
	s->hash = ltc_hash(s->hash, a->id);
	return s->sink->add(s->sink->ctx, &src);
}

/* No bare CR or LF, no line over 998 octets, no NUL. */
static bool wire_clean(struct lt_str b)
{
	size_t line = 0;

	for (size_t i = 0; i < b.n; i++) {
		char c = b.p[i];
		if (c == '\0' || (c == '\r' && (i + 1 == b.n || b.p[i + 1] != '\n')) ||
			(c == '\n' && (i == 0 || b.p[i - 1] != '\r')))
			return false;
		line = c == '\n' ? 0 : line + 1;
		if (line > 999)
			return false;
	}
	return true;
}

static int splice_all(struct splice *s, struct lt_str rest, struct lt_str prefix)
{
	static const char head[] = "X-Lantoa-Place: ";
	const char *hit;

	while ((hit = ltc_find(rest, prefix, false)) != NULL) {
		struct lt_str before = { rest.p, (size_t)(hit - rest.p) };
		struct lt_str at = ltc_from(rest, before.n + prefix.n);
		if (at.n < 5)
			return -EINVAL;
		size_t skip = prefix.n + 5, drop = sizeof(head) - 1;
		if (at.p[0] == 'H') {
			if (before.n < drop)
				return -EINVAL;
			before.n -= drop;
			skip += 2;
		}
		int rc = put_stuffed(s, before);
		if (rc >= 0)
			rc = put_place(
				s, at.p[0], (size_t)(at.p[1] - '0') * 10 + (size_t)(at.p[2] - '0'));
		if (rc < 0)
			return rc;
		rest = ltc_from(rest, (size_t)(hit - rest.p) + skip);
	}
	return put_stuffed(s, rest);
}

int email_mime_emit(const struct email_doc *d, struct lt_str built, struct lt_sink *sink,
	uint64_t *ret_bytes, uint64_t *ret_hash)
{
	struct splice s = { .d = d, .sink = sink, .hash = LTC_HASH_SEED, .line_start = true };
	char prefix[48];

	if (!wire_clean(built))
		return -EINVAL;
	email_mime_token(d, 'H', 0, prefix);
	prefix[strlen(prefix) - 5] = '\0';
	int rc = splice_all(&s, built, ltc_z(prefix));
	if (rc >= 0 && (built.n < 2 || built.p[built.n - 1] != '\n'))
		rc = put(&s, LTC_LIT("\r\n"));
	if (rc < 0)
		return rc;
	*ret_bytes = s.bytes;
	*ret_hash = s.hash;
	return 0;
}
