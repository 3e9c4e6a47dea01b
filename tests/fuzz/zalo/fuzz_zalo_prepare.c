/* A release for an account, a group and a number: blocks of an article are JSON, tags are of the three that are allowed and closed,
 * titles within their length; a group is never called by name. */
#include <string.h>
#include "../host.h"
#include "lib/scene_oa.h"
#include "zalo/zalo_op.h"

/* Each tag is closed by its own, paragraphs stand in nothing, and none of them is empty. */
static int block_text(void *ctx, struct lt_str html)
{
	static const char *const tags[] = { "<p>", "</p>", "<b>", "</b>", "<i>", "</i>" };
	char stack[32];
	size_t depth = 0;

	++*(size_t *)ctx;
	MUST(ltc_utf8_valid(html) && ltc_trim(html).n > 0);
	MUST(ltc_find(html, LTC_LIT("<p></p>"), false) == NULL);
	for (size_t i = 0; i < html.n; i++) {
		if (html.p[i] != '<')
			continue;
		struct lt_str rest = ltc_from(html, i);
		size_t k = 0;
		while (k < sizeof(tags) / sizeof(tags[0]) && !ltc_starts(rest, tags[k]))
			k++;
		MUST(k < sizeof(tags) / sizeof(tags[0]) && depth < sizeof(stack));
		if (k % 2 == 0) {
			MUST((k == 0) == (depth == 0));
			stack[depth++] = tags[k][1];
		} else {
			MUST(depth > 0 && stack[depth - 1] == tags[k][2]);
			depth--;
		}
	}
	MUST(depth == 0);
	return 0;
}

static int block_image(void *ctx, struct lt_str file, struct lt_str alt)
{
	++*(size_t *)ctx;
	MUST(ltc_utf8_valid(file) && ltc_utf8_valid(alt));
	return 0;
}

static void texts(struct lt_str s)
{
	struct ltc_buf b;
	size_t blocks = 0;
	char dst[4 * ZALO_TITLE_MAX + 4], line[8192];
	const struct zalo_blocks to = { &blocks, block_text, block_image };

	struct lt_str cut = zalo_shorten(s, ZALO_TITLE_MAX, dst, sizeof(dst));
	MUST(ltc_utf8_valid(cut) && zalo_chars(cut) <= ZALO_TITLE_MAX);
	if (s.n < sizeof(line) - 1) {
		struct lt_str one = zalo_one_line(s, line, sizeof(line));
		MUST(ltc_utf8_valid(one) && !ltc_has_control(one));
		MUST(ltc_trim(one).n == 0 || zalo_same_title(one, one));
	}
	ltc_buf_init(&b, 1u << 20);
	zalo_add_unmentioned(&b, s);
	MUST(b.failed || ltc_find(ltc_buf_str(&b), LTC_LIT("[@"), false) == NULL);
	ltc_buf_reset(&b);
	(void)zalo_body_walk(s, &to);
	if (zalo_body_plain(s, &b) == 0)
		MUST(ltc_utf8_valid(ltc_buf_str(&b)));
	ltc_buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const kinds[] = { "oa", "group", "user", "phone" };
	struct lt_str in = { (const char *)p, n };

	if (!fh_good(p, n) || n > 65536)
		return 0;
	for (size_t i = 0; i < 4; i++) {
		struct sh *h = oa_host();
		struct sh_made m;
		struct fh_release f;
		fh_release(&f, in, 2);
		f.c.address_kind = ltc_z(kinds[i]);
		if (i == 0)
			texts(f.c.body_markdown);
		sh_asset(h, "aa11", "\x89PNG", 4);
		sh_asset(h, "bb22", "%PDF", 4);
		sh_made_init(&m, h);
		(void)lantoa_adapter.prepare(&h->conf, &f.c, &m.sink);
		MUST(ltc_utf8_valid(fh_made(&m.preview)) && m.n_holes <= 8);
		sh_made_done(&m);
		sh_free(h);
	}
	return 0;
}
