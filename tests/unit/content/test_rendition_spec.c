/* test_rendition_spec.c - the words by which an adapter asks for a picture, and the names of what it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/asset_id.h"
#include "base/assert.h"
#include "content/rendition_spec.h"

static struct rendition_spec good(const char *text)
{
	struct rendition_spec s = { 0 };
	struct err e = { 0 };
	if (rendition_spec_parse(str_of(text), &s, &e))
		fail_msg("%s: %s", text, e.text);
	return s;
}

static void limits_are_read_in_any_order(void **state)
{
	(void)state;
	struct rendition_spec s = good("jpeg<=1000000B<=1600x1200px");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.kind[0].format, RENDITION_JPEG);
	assert_int_equal(s.kind[0].bytes, 1000000);
	assert_int_equal(s.kind[0].width, 1600);
	assert_int_equal(s.kind[0].height, 1200);
	s = good("jpeg<=1600px<=1000000B");
	assert_int_equal(s.kind[0].width, 1600);
	assert_int_equal(s.kind[0].height, 1600);
	assert_int_equal(s.kind[0].bytes, 1000000);
	s = good("png");
	assert_int_equal(s.kind[0].bytes, RENDITION_BYTES_MAX);
	assert_int_equal(s.kind[0].width, RENDITION_SIDE_MAX);
}

static void an_alternative_takes_the_limits_of_the_last_where_it_has_none(void **state)
{
	(void)state;
	struct rendition_spec s = good("png<=1000000B|jpeg<=4000000B<=2048px");
	assert_int_equal(s.n, 2);
	assert_int_equal(s.kind[0].format, RENDITION_PNG);
	assert_int_equal(s.kind[0].bytes, 1000000);
	assert_int_equal(s.kind[0].width, 2048);
	assert_int_equal(s.kind[1].bytes, 4000000);
	s = good("jpeg|png<=500000B<=800x600px");
	assert_int_equal(s.kind[0].bytes, 500000);
	assert_int_equal(s.kind[0].height, 600);
}

static void ratio_and_crop_are_options(void **state)
{
	(void)state;
	struct rendition_spec s = good("jpeg<=1000000B ratio=16:9");
	assert_int_equal(s.ratio_w, 16);
	assert_int_equal(s.ratio_h, 9);
	assert_int_equal(s.crop, RENDITION_CROP_CENTRE);
	assert_int_equal(good("jpeg crop=top ratio=1:1").crop, RENDITION_CROP_TOP);
	assert_int_equal(good("jpeg ratio=4:3 crop=fit").crop, RENDITION_CROP_FIT);
	assert_int_equal(good("jpeg ratio=4:3 crop=none").crop, RENDITION_CROP_NONE);
}

static void everything_else_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = { "", " ", "gif", "jpeg<", "jpeg<=", "jpeg<=B", "jpeg<=0B",
		"jpeg<=1000000", "jpeg<=99999999999B", "jpeg<=-1B", "jpeg<=0x0px", "jpeg<=1600xpx",
		"jpeg<=x1600px", "jpeg<=1x2x3px", "jpeg<=99999px", "jpeg<=1B<=2B", "jpeg|jpeg",
		"jpeg|", "|jpeg", "jpeg=1B", "jpeg ratio=16", "jpeg ratio=0:1", "jpeg ratio=1:2:3",
		"jpeg ratio=1:2:", "jpeg ", "jpeg ratio=1:1 ratio=1:1", "jpeg crop=top",
		"jpeg ratio=1:1 crop=left", "jpeg ratio=1:1 crop=top crop=top", "jpeg  ratio=1:1",
		"jpeg quality=9", "JPEG", "jpeg\n" };
	char longest[RENDITION_SPEC_MAX + 20];
	struct rendition_spec s;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		if (rendition_spec_parse(str_of(bad[i]), &s, &e) != -EINVAL || !e.text[0])
			fail_msg("'%s' is taken", bad[i]);
	}
	memset(longest, ' ', sizeof(longest));
	memcpy(longest, "jpeg", 4);
	assert_int_equal(
		rendition_spec_parse((struct str){ longest, sizeof(longest) }, &s, NULL), -EINVAL);
}

static void an_id_says_what_a_rendition_is_and_comes_back_the_same(void **state)
{
	struct asset_id a = { .bytes = 812345, .width = 1600, .height = 2000, .type = "jpeg" }, b;
	char text[ASSET_ID_MAX], again[ASSET_ID_MAX];
	(void)state;
	hash_bytes(&a.hash, "x", 1);
	asset_id_write(&a, text);
	assert_string_equal(text + 64, ":812345:1600x2000:jpeg");
	assert_int_equal(asset_id_read(str_of(text), &b), 0);
	assert_string_equal(asset_id_write(&b, again), text);
	text[64] = 0;
	assert_int_equal(asset_id_read(str_of(text), &b), 0);
	assert_int_equal(b.bytes, 0);
}

static void an_id_that_is_none_is_refused(void **state)
{
	static const char *const tails[] = { ":", ":1", ":1:2x3", ":1:2x3:gif", ":0:2x3:png",
		":1:2:png", ":1:2x:png", ":1:2x3:png:", "1:2x3:png", ":1:2x3x4:png",
		":-1:2x3:png" };
	struct asset_id a;
	char text[200];
	(void)state;
	memset(text, 'a', 64);
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		(void)str_copy(text + 64, 100, str_of(tails[i]));
		if (asset_id_read(str_of(text), &a) != -EINVAL)
			fail_msg("'%s' is taken", tails[i]);
	}
	text[63] = 0;
	assert_int_equal(asset_id_read(str_of(text), &a), -EINVAL);
	assert_int_equal(asset_id_read((struct str){ 0 }, &a), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read_in_any_order),
		cmocka_unit_test(an_alternative_takes_the_limits_of_the_last_where_it_has_none),
		cmocka_unit_test(ratio_and_crop_are_options),
		cmocka_unit_test(everything_else_is_refused_with_a_reason),
		cmocka_unit_test(an_id_says_what_a_rendition_is_and_comes_back_the_same),
		cmocka_unit_test(an_id_that_is_none_is_refused),
	};
	return crypt_init() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
