/* test_link.c - files that go as links: which ones an adapter asked an address for, what the approval covers of them, and why there may be none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hosted.h"

#define HEX  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX2 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct {
	const char *id[LINKS_MAX + 2];
	size_t n;
	int rc;
} w;

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, s ? strlen(s) : 0 };
}

static int prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	struct lt_src text = { .bytes = z("text") };
	(void)c;
	(void)in;
	int rc = s->add(s->ctx, &text);
	rc |= s->tell(s->ctx, z("something"), z("else"));
	for (size_t i = 0; i < w.n; i++)
		w.rc = s->tell(s->ctx, z("asset_url"), z(w.id[i]));
	return rc;
}

static struct ht *ready(void)
{
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, SHARED), 0);
	puppet.hooks->prepare = prepare;
	memset(&w, 0, sizeof(w));
	return t;
}

/* With a public_url, or without. */
static int make(struct ht *t, const char *url, struct prepared **ret, struct err *e)
{
	const struct lt_asset a = { .struct_size = sizeof(a),
		.id = z(HEX),
		.filename = z("Quyết định.số 1.PDF"),
		.bytes = 5000 };
	const struct lt_asset b = {
		.struct_size = sizeof(b), .id = z(HEX2), .filename = z("a.sh/x"), .bytes = 1
	};
	const struct lt_asset *list[] = { &a, &b };
	struct lt_content c = { .struct_size = sizeof(c), .assets = list, .n_assets = 2 };
	char *kept = t->conf->public_url, mine[40];
	(void)snprintf(mine, sizeof(mine), "%s", url ? url : "");
	t->conf->public_url = url ? mine : NULL;
	int rc = channel_prepare(t->ch, "main", &c, ret, e);
	t->conf->public_url = kept;
	return rc;
}

static void what_was_asked_is_kept_once_with_its_name_and_ending(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	w.id[0] = w.id[2] = HEX;
	w.id[1] = HEX2;
	w.n = 3;
	assert_int_equal(make(t, "https://x.example", &p, &e), 0);
	assert_int_equal(p->n_links, 2);
	assert_string_equal(p->links[0].var, "asset.url." HEX);
	assert_string_equal(p->links[0].ending, ".pdf");
	assert_int_equal(p->links[0].id.hash.b[31], 0xaa);
	assert_string_equal(p->links[1].ending, ""); /* nothing that could steer a path */
	assert_int_equal(p->n_problems, 0);
	prepared_unref(p);
	over(t);
}

static void the_digest_covers_which_files_are_links(void **state)
{
	struct prepared *p[3] = { 0 };
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	for (size_t i = 0; i < 3; i++) {
		w.n = i > 0;
		w.id[0] = i == 1 ? HEX : HEX2;
		assert_int_equal(make(t, "https://x.example", &p[i], &e), 0);
	}
	assert_int_not_equal(hash_cmp(&p[0]->digest, &p[1]->digest), 0);
	assert_int_not_equal(hash_cmp(&p[1]->digest, &p[2]->digest), 0);
	for (size_t i = 0; i < 3; i++)
		prepared_unref(p[i]);
	over(t);
}

static void without_a_public_address_it_is_a_problem(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	(void)state;
	struct ht *t = ready();
	w.id[0] = HEX;
	w.n = 1;
	assert_int_equal(make(t, NULL, &p, &e), 0);
	assert_int_equal(p->n_problems, 1);
	assert_int_equal(p->problems[0].severity, 2);
	assert_non_null(strstr(p->problems[0].text, "no public_url"));
	prepared_unref(p);
	t->conf->push_assets = true;
	assert_int_equal(make(t, "https://x.example", &p, &e), 0);
	t->conf->push_assets = false;
	assert_int_equal(p->n_problems, 1);
	assert_non_null(strstr(p->problems[0].text, "public_assets: push"));
	prepared_unref(p);
	w.n = 0; /* nobody asked: nothing is wrong */
	assert_int_equal(make(t, NULL, &p, &e), 0);
	assert_int_equal(p->n_problems, 0);
	prepared_unref(p);
	over(t);
}

static void what_is_no_asset_or_too_many_is_refused(void **state)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	static char many[LINKS_MAX + 1][HASH_HEX];
	(void)state;
	struct ht *t = ready();
	w.id[0] = "../lantoa.db";
	w.n = 1;
	assert_int_equal(make(t, "https://x.example", &p, &e), 0);
	assert_int_equal(w.rc, -LT_E_INVALID);
	assert_int_equal(p->n_links, 0);
	prepared_unref(p);
	for (size_t i = 0; i <= LINKS_MAX; i++) {
		(void)snprintf(many[i], sizeof(many[i]), "%064zx", i);
		w.id[i] = many[i];
	}
	w.n = LINKS_MAX + 1;
	p = NULL;
	assert_int_equal(make(t, "https://x.example", &p, &e), -E2BIG);
	assert_null(p);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_asked_is_kept_once_with_its_name_and_ending),
		cmocka_unit_test(the_digest_covers_which_files_are_links),
		cmocka_unit_test(without_a_public_address_it_is_a_problem),
		cmocka_unit_test(what_is_no_asset_or_too_many_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
