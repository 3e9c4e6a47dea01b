/* zalo_content.h - what the tests of preparing give to Zalo's adapter: a text with a cover. */
#ifndef TESTS_UNIT_ZALO_ZALO_CONTENT_H
#define TESTS_UNIT_ZALO_ZALO_CONTENT_H

#include "zalo_test.h"

static struct lt_asset cover = { .struct_size = sizeof(cover),
	.role = ROLE_COVER,
	.id = LTC_LIT("c0ver"),
	.content_type = LTC_LIT("image/png"),
	.filename = LTC_LIT("bia.png"),
	.bytes = 50000 };
static const struct lt_asset *only_cover[] = { &cover };

static struct lt_content content(const char *title, const char *summary, const char *body)
{
	return (struct lt_content){ .struct_size = sizeof(struct lt_content),
		.title = S(title),
		.summary = S(summary),
		.body_markdown = S(body),
		.link = LTC_LIT("https://portal.example/ttbc/112"),
		.address_kind = LTC_LIT("oa"),
		.assets = only_cover,
		.n_assets = 1 };
}

static void repeat(char *dst, const char *what, int n)
{
	*dst = 0;
	while (n-- > 0)
		dst = stpcpy(dst, what);
}

#endif
