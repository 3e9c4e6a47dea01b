/* A release as a post: its message is UTF-8 within the bound, the payload is read back as it was made; texts and links that are
 * compared are equal to themselves, whatever order they are given in. */
#include <string.h>
#include "../host.h"
#include "facebook/facebook_step.h"
#include "lib/scene_page.h"

static void texts(struct lt_str a, struct lt_str b)
{
	char one[FB_PRINT_LEN + 1], two[FB_PRINT_LEN + 1];
	struct ltc_buf plain, again;

	MUST(fb_text_same(a, a));
	MUST(fb_text_same_line(a, b) == fb_text_same_line(b, a));
	MUST(fb_text_same(a, b) == fb_text_same(b, a) && fb_link_same(a, b) == fb_link_same(b, a));
	MUST(fb_text_near(a, b) == fb_text_near(b, a));
	int near = fb_text_near(a, b);
	MUST(near >= 0 && near <= 100);
	fb_text_print(a, one);
	fb_text_print(b, two);
	MUST(!fb_text_same(a, b) || strcmp(one, two) == 0);
	(void)fb_text_has_link(a, b);
	MUST(fh_in(fb_text_first_line(a), a));
	ltc_buf_init(&plain, FB_TEXT_MAX);
	ltc_buf_init(&again, FB_TEXT_MAX);
	if (fb_text_plain(&plain, a) == 0)
		MUST(ltc_utf8_valid(ltc_buf_str(&plain)));
	ltc_buf_done(&plain);
	ltc_buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lt_str in = { (const char *)p, n };
	struct fh_release f;
	struct sh_made m;
	struct fb_doc doc;

	if (!fh_good(p, n) || n > 65536)
		return 0;
	struct sh *h = page_host();
	fh_release(&f, in, 2);
	if (f.c.body_markdown.n < 4000)
		texts(f.c.body_markdown, f.c.title);
	sh_asset(h, "aa11", "\xff\xd8\xff", 3);
	sh_asset(h, "bb22", "%PDF", 4);
	sh_made_init(&m, h);
	int rc = lantoa_adapter.prepare(&h->conf, &f.c, &m.sink);
	MUST(ltc_utf8_valid(fh_made(&m.preview)));
	if (rc >= 0 && strncmp(m.problems.p, "2", 1) != 0 && strstr(m.problems.p, "\n2") == NULL) {
		struct lt_src src = { .bytes = { m.text.p, m.text.n } };
		struct lt_work w = { .struct_size = sizeof(w), .payload = &src, .n_payload = 1 };
		/* the file's bytes stand in the text here, so only what has no file is read back */
		if (fb_doc_read(&w, &doc) == 0)
			MUST(ltc_utf8_valid(doc.message) && fb_text_chars(doc.message) <= 63206);
	}
	sh_made_done(&m);
	sh_free(h);
	return 0;
}
