/* test_content.c - what an adapter is given for a part: each thing that an editor wrote and that is said to be printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/assert.h"
#include "plan/plan_internal.h"

static struct release_doc *doc_of(const char *front)
{
	struct content_problems p CLEANUP_PROBLEMS;
	struct release_doc *d = NULL;
	struct buf b CLEANUP_BUF;
	static const char en[] = "---\ntitle: News\n---\nOne *two*.\n";
	const struct doc_file variant = { "body.en.md", str_of(en) };
	buf_init(&b, 8192);
	buf_addf(&b,
		"---\ncode: R-1\ntitle: Tin\nto: press\nchannels: [email]\n%s---\nMột *hai*.\n",
		front);
	struct doc_source src = {
		.main = { "release.md", buf_str(&b) }, .variants = &variant, .n_variants = 1
	};
	problems_init(&p);
	if (release_doc_parse(&src, &d, &p) < 0)
		fail_msg("refused: %s", p.v[0].text);
	return d;
}

static struct plan_content *content_of(
	const struct release_doc *d, const char *lang, const struct mf_part *part)
{
	static const struct mf_part plain = { .number = 1 };
	struct plan_content *c = NULL;
	struct err e = { 0 };
	const struct content_ask a = { .doc = d,
		.part = part ? part : &plain,
		.kind = KIND_EMAIL,
		.form = "",
		.lang = lang,
		.office = "ha-noi",
		.local = "" };
	if (plan_content_new(&a, &c, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

static void body_is(const char *front, const char *lang, const char *want)
{
	CLEANUP(release_doc_free) struct release_doc *d = doc_of(front);
	CLEANUP(plan_content_free) struct plan_content *c = content_of(d, lang, NULL);
	const struct lt_content *lt = plan_content_lt(c);
	assert_int_equal(lt->body_markdown.n, strlen(want));
	assert_memory_equal(lt->body_markdown.p, want, strlen(want));
	assert_int_equal(lt->title.p[lt->title.n], '\0'); /* what stands beside it is whole */
	assert_string_equal(lt->title.p, *lang ? "News" : "Tin");
}

static void the_letter_it_comes_from_stands_behind_the_text(void **state)
{
	(void)state;
	body_is("", "", "Một *hai*.\n");
	body_is("ref: {number: 1455/BHXH-TT, date: 23/11/2026, signer: Nguyễn Văn A}\n", "",
		"Một *hai*.\n\n\nVăn bản số 1455/BHXH-TT, ngày 23/11/2026, người ký: Nguyễn Văn A");
	body_is("ref: {date: 2026-11-23}\n", "", "Một *hai*.\n\n\nVăn bản ngày 23/11/2026");
	body_is("ref: {signer: \"*A*\"}\n", "", "Một *hai*.\n\n\nVăn bản, người ký: \\*A\\*");
	body_is("ref: {number: 1455/BHXH-TT, date: 23/11/2026, signer: A}\n", "en",
		"One *two*.\n\n\nOfficial letter No. 1455/BHXH-TT of 2026-11-23, signed by A");
}

/* The words of opt NAME, one after the other. */
static const char *opts_of(const struct lt_content *lt, const char *name, char *dst, size_t size)
{
	size_t n = 0;
	dst[0] = '\0';
	for (size_t i = 0; i < lt->n_opts; i++)
		if (lt->opts[i].name.n == strlen(name) &&
			!memcmp(lt->opts[i].name.p, name, strlen(name)))
			n += (size_t)snprintf(dst + n, size - n, "%.*s ", (int)lt->opts[i].value.n,
				lt->opts[i].value.p);
	return dst;
}

static void the_editors_crop_of_the_cover_reaches_the_adapter(void **state)
{
	static const char *const said[][2] = { { "", "" }, { ", crop: fit", "" },
		{ ", crop: top", "top " }, { ", crop: none", "none " } };
	char front[100], got[100];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		(void)snprintf(
			front, sizeof(front), "cover: {file: a.png, alt: x%s}\n", said[i][0]);
		CLEANUP(release_doc_free) struct release_doc *d = doc_of(front);
		CLEANUP(plan_content_free) struct plan_content *c = content_of(d, "", NULL);
		assert_string_equal(
			opts_of(plan_content_lt(c), "crop", got, sizeof(got)), said[i][1]);
	}
}

/* However many files a part names, each is handed over as a file. */
static void every_file_that_a_part_names_is_attached(void **state)
{
	struct buf front CLEANUP_BUF;
	struct mf_part part = { .number = 1, .attach_set = 1 };
	int64_t attach[DOC_NAMES_MAX];
	char got[8192];
	(void)state;
	buf_init(&front, 8192);
	buf_addz(&front, "attachments: [");
	for (size_t i = 0; i < ARRAY_LEN(attach); i++) {
		buf_addf(&front, "%sf%zu.pdf", i ? ", " : "", i);
		attach[i] = (int64_t)i;
	}
	buf_addz(&front, "]\n");
	CLEANUP(release_doc_free) struct release_doc *d = doc_of(buf_z(&front));
	part.attach = attach;
	part.n_attach = ARRAY_LEN(attach);
	CLEANUP(plan_content_free) struct plan_content *c = content_of(d, "", &part);
	assert_int_equal(plan_content_lt(c)->n_assets, DOC_NAMES_MAX);
	assert_int_equal(strlen(opts_of(plan_content_lt(c), "attach", got, sizeof(got))),
		DOC_NAMES_MAX * (HASH_HEX));
}

/* The Vietnamese one would stand above an English article. */
static void a_variant_without_a_summary_has_none(void **state)
{
	(void)state;
	CLEANUP(release_doc_free) struct release_doc *d = doc_of("summary: Tóm tắt\n");
	CLEANUP(plan_content_free) struct plan_content *vi = content_of(d, "vi", NULL);
	CLEANUP(plan_content_free) struct plan_content *en = content_of(d, "en", NULL);
	assert_string_equal(plan_content_lt(vi)->summary.p, "Tóm tắt");
	assert_int_equal(plan_content_lt(en)->summary.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_letter_it_comes_from_stands_behind_the_text),
		cmocka_unit_test(the_editors_crop_of_the_cover_reaches_the_adapter),
		cmocka_unit_test(every_file_that_a_part_names_is_attached),
		cmocka_unit_test(a_variant_without_a_summary_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
