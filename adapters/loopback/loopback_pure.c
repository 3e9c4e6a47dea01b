/* loopback_pure.c - address, prepare and compose of the loopback adapter: the smallest ones that use every part of the contract.
 * Thread: any, pure. Failures: told to the sink as problems. */
#include <string.h>
#include "loopback.h"

enum { HOLE_TARGET = 1 };

static int tell(struct lt_sink *sink, const char *name, struct lt_str value)
{
	return sink->tell(sink->ctx, ltc_z(name), value);
}

int loop_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink)
{
	char low[320];
	struct lt_str a = ltc_trim(in);
	size_t at = 0;

	(void)c;
	while (at < a.n && a.p[at] != '@')
		at++;
	if (at == 0 || at + 1 >= a.n || a.n >= sizeof(low) || ltc_has_control(a) ||
		memchr(a.p, ' ', a.n) != NULL) {
		(void)sink->problem(
			sink->ctx, 2, LTC_LIT("address"), LTC_LIT("is no address such as ok@loop"));
		return -LT_E_INVALID;
	}
	for (size_t i = 0; i < a.n; i++)
		low[i] = a.p[i] >= 'A' && a.p[i] <= 'Z' ? (char)(a.p[i] + 32) : a.p[i];
	struct lt_str domain = { low + at + 1, a.n - at - 1 };
	if (domain.n > 39)
		domain.n = 39;
	int rc = tell(sink, "address", (struct lt_str){ low, a.n });
	rc = rc < 0 ? rc : tell(sink, "class", domain);
	return rc < 0 ? rc : tell(sink, "kind", LTC_LIT("mailbox"));
}

static int add(struct lt_sink *sink, struct lt_str s)
{
	struct lt_src src = { .bytes = s };

	return s.n == 0 ? 0 : sink->add(sink->ctx, &src);
}

/* With `picture` the rendition, whose size its id says: length 0 is to its end. 0, or 1: not this one, go on. */
static int fit(const struct loop_conf *conf, const struct lt_asset *a, struct lt_sink *sink,
	struct lt_src *src)
{
	if (conf->picture.n == 0 || a->content_type.n < 6 || memcmp(a->content_type.p, "image/", 6))
		return 0;
	src->length = 0;
	return sink->need_rendition(sink->ctx, a->id, conf->picture, &src->asset) < 0;
}

static int add_assets(const struct loop_conf *conf, const struct lt_content *in,
	struct lt_sink *sink, uint64_t *bytes)
{
	for (size_t i = 0; i < in->n_assets; i++) {
		const struct lt_asset *a = in->assets[i];
		struct lt_src src = { .asset = a->id,
			.length = a->bytes,
			.encode = conf->links || conf->picture.n ? LT_RAW : LT_BASE64_LINES };
		if (fit(conf, a, sink, &src) != 0)
			continue;
		int rc = sink->add(sink->ctx, &src);
		if (rc < 0)
			return rc;
		*bytes += a->bytes;
	}
	return 0;
}

int loop_prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *sink)
{
	struct loop_conf conf;
	struct lt_str text = in->text.n != 0 ? in->text : in->body_markdown;
	uint64_t bytes = in->title.n + text.n + 2;
	int rc = loop_conf_read(c, &conf);

	if (in->title.n == 0 && text.n == 0)
		(void)sink->problem(sink->ctx, 2, LTC_LIT("title"),
			LTC_LIT("a release without title and text cannot be sent"));
	if (rc == 0 && conf.personal)
		rc = sink->hole(sink->ctx, HOLE_TARGET);
	rc = rc < 0 ? rc : add(sink, in->title);
	rc = rc < 0 ? rc : add(sink, LTC_LIT("\n\n"));
	rc = rc < 0 ? rc : add(sink, text);
	rc = rc < 0 ? rc : add_assets(&conf, in, sink, &bytes);
	rc = rc < 0 ? rc : sink->note(sink->ctx, in->title);
	rc = rc < 0 ? rc : sink->preview(sink->ctx, in->title);
	rc = rc < 0 ? rc : sink->preview(sink->ctx, LTC_LIT("\n\n"));
	rc = rc < 0 ? rc : sink->preview(sink->ctx, text);
	rc = rc < 0 ? rc : sink->fact(sink->ctx, LTC_LIT("bytes"), (int64_t)bytes);
	return rc < 0 ? rc : sink->fact(sink->ctx, LTC_LIT("segments"), 1);
}

int loop_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink)
{
	(void)c;
	(void)note;
	if (hole != HOLE_TARGET || ltc_has_control(t->address) || ltc_has_control(t->name))
		return -LT_E_INVALID;
	int rc = add(sink, LTC_LIT("To: "));
	rc = rc < 0 ? rc : add(sink, t->name);
	rc = rc < 0 ? rc : add(sink, LTC_LIT(" <"));
	rc = rc < 0 ? rc : add(sink, t->address);
	return rc < 0 ? rc : add(sink, LTC_LIT(">\n"));
}
