/* test_rendition.c - an adapter asks for pictures that fit: what is at hand, what must be made first, what is refused; the digest
 * covers all of them and sizes are known to the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "hosted.h"

#define HEX  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX2 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SPEC "jpeg<=1000000B"

static struct {
	int rc, asked, said;
	const char *id, *note;
	bool use; /* stands in the payload */
	char got[ASSET_ID_MAX];
} w;

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, s ? strlen(s) : 0 };
}

static int prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	struct lt_str id = { 0 };
	struct lt_src text = { .bytes = z("text") }, whole = { .asset = in->assets[0]->id };
	(void)c;
	for (int i = 0; i < 2; i++) /* asked twice: answered alike */
		w.said = s->need_rendition(s->ctx, in->assets[0]->id, z(SPEC), &id);
	int rc = s->add(s->ctx, &text) | s->add(s->ctx, &whole) | s->preview(s->ctx, z("text"));
	if (w.said == 0) {
		struct lt_src src = { .asset = id };
		(void)snprintf(w.got, sizeof(w.got), "%.*s", (int)id.n, id.p);
		rc |= w.use ? s->add(s->ctx, &src) : 0;
	}
	return rc;
}

static int find(
	void *ctx, struct str asset, struct str spec, char id[static ASSET_ID_MAX], struct err *e)
{
	(void)ctx;
	w.asked++;
	assert_true(str_eqz(asset, HEX));
	assert_true(str_eqz(spec, SPEC));
	if (w.rc)
		return err_set(e, w.rc, "is broken");
	(void)snprintf(id, ASSET_ID_MAX, "%s", w.id);
	if (w.note)
		(void)err_set(e, 0, "%s", w.note);
	return 0;
}

static struct ht *ready(void)
{
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, SHARED), 0);
	puppet.hooks->prepare = prepare;
	memset(&w, 0, sizeof(w));
	w.id = HEX2 ":812345:1600x2000:jpeg";
	return t;
}

static int make(struct ht *t, bool with, struct prepared **ret, struct err *e)
{
	const struct chan_renditions rs = { .find = find };
	const struct lt_asset a = { .struct_size = sizeof(a),
		.id = z(HEX),
		.filename = z("bia.png"),
		.content_type = z("image/png"),
		.bytes = 5000 };
	const struct lt_asset *list[] = { &a };
	struct lt_content c = { .struct_size = sizeof(c), .assets = list, .n_assets = 1 };
	return channel_prepare_with(t->ch, "main", &c, with ? &rs : NULL, ret, e);
}

static void a_rendition_at_hand_is_named_and_its_size_is_known(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	w.use = true;
	assert_int_equal(make(t, true, &p, &e), 0);
	assert_int_equal(w.asked, 1);
	assert_string_equal(w.got, w.id);
	assert_int_equal(p->n_renditions, 1);
	assert_int_equal(p->n_pieces, 3);
	assert_int_equal(p->pieces[1].length, 5000); /* of the asset: said by the content */
	assert_int_equal(p->pieces[2].length, 812345);
	assert_int_equal(p->bytes, 4 + 5000 + 812345);
	assert_non_null(strstr(p->preview, "[bia.png: jpeg, 1600 x 2000, 813 kB]"));
	prepared_unref(p);
	over(t);
}

static void the_digest_covers_a_rendition_even_if_it_goes_by_link(void **state)
{
	struct prepared *a = NULL, *b = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	assert_int_equal(make(t, true, &a, &e), 0);
	w.id = HEX ":812345:1600x2000:jpeg";
	assert_int_equal(make(t, true, &b, &e), 0);
	assert_int_equal(a->n_pieces, b->n_pieces);
	assert_int_not_equal(hash_cmp(&a->digest, &b->digest), 0);
	prepared_unref(a);
	prepared_unref(b);
	over(t);
}

static void what_must_be_made_first_throws_the_prepare_away(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	w.rc = -EAGAIN;
	assert_int_equal(make(t, true, &p, &e), -EAGAIN);
	assert_int_equal(w.said, -LT_E_AGAIN);
	assert_null(p);
	over(t);
}

static void a_refused_picture_is_a_problem_that_names_it(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	w.rc = -EBADMSG;
	assert_int_equal(make(t, true, &p, &e), 0);
	assert_int_equal(w.said, -LT_E_INVALID);
	assert_true(p->n_problems >= 1);
	assert_int_equal(p->problems[0].severity, 2);
	assert_non_null(strstr(p->problems[0].text, "picture 'bia.png' is broken"));
	assert_non_null(strstr(p->problems[0].text, SPEC));
	prepared_unref(p);
	over(t);
}

static void what_people_should_know_of_it_is_a_warning(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	w.note = "has 5 frames: only the first is shown";
	assert_int_equal(make(t, true, &p, &e), 0);
	assert_int_equal(p->n_problems, 1);
	assert_int_equal(p->problems[0].severity, 1);
	assert_non_null(strstr(p->problems[0].text, "'bia.png' has 5 frames"));
	prepared_unref(p);
	over(t);
}

static void a_helper_that_fails_fails_the_prepare(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	w.rc = -EIO;
	assert_int_equal(make(t, true, &p, &e), -EIO);
	assert_null(p);
	over(t);
}

static void without_a_helper_every_picture_is_refused(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	assert_int_equal(make(t, false, &p, &e), 0);
	assert_int_equal(w.said, -LT_E_INVALID);
	assert_int_equal(p->problems[0].severity, 2);
	prepared_unref(p);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rendition_at_hand_is_named_and_its_size_is_known),
		cmocka_unit_test(the_digest_covers_a_rendition_even_if_it_goes_by_link),
		cmocka_unit_test(what_must_be_made_first_throws_the_prepare_away),
		cmocka_unit_test(a_refused_picture_is_a_problem_that_names_it),
		cmocka_unit_test(what_people_should_know_of_it_is_a_warning),
		cmocka_unit_test(a_helper_that_fails_fails_the_prepare),
		cmocka_unit_test(without_a_helper_every_picture_is_refused),
	};
	return crypt_init() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
