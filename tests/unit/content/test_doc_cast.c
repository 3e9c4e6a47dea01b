/* test_doc_cast.c - what `zalo: {broadcast: yes, with: [...]}` makes of the parts of a release, and what is refused. */
#include "docscene.h"

#define PARTS                                                                                                                                             \
	"parts:\n  public: {to: [a, b], channels: [facebook, zalo], at: 2026-11-23 14:00, expires: 5h, spread: 20m, needs_link: yes, priority: urgent}\n" \
	"  press: {to: a, channels: [zalo], at: now, embargo: 2026-11-23 14:00}\n"                                                                        \
	"  group: {to: a, channels: [zalo], after: public, internal: true}\n"                                                                             \
	"  mail: {to: a, channels: [email], after: public}\nlink: https://portal.example/1\n"

static void a_broadcast_is_a_part_behind_each_public_part_with_articles(void **state)
{
	(void)state;
	struct release_doc *d = good(HEAD PARTS "zalo: {broadcast: yes}\n" TAIL);
	assert_int_equal(d->n_parts, 5); /* neither what is under embargo nor what is internal */
	const struct doc_part *p = &d->parts[4];
	assert_string_equal(p->name, "public.broadcast");
	assert_true(p->broadcast);
	assert_string_equal(p->after, "public");
	assert_int_equal(p->after_index, 0);
	assert_int_equal(p->n_channels, 1);
	assert_string_equal(p->channels[0], "zalo");
	assert_int_equal(p->n_to, 2);
	assert_string_equal(p->to[1], "b");
	assert_int_equal(p->at.kind, WHEN_NONE);
	assert_int_equal(p->expires.ms, 5 * WHEN_HOUR_MS);
	assert_int_equal(p->spread_ms, 0);
	assert_int_equal(p->priority, PRIO_URGENT);
	assert_false(p->needs_link);
	for (size_t i = 0; i < 4; i++)
		assert_false(d->parts[i].broadcast);
	release_doc_free(d);
}

static void without_the_word_there_is_none(void **state)
{
	static const char *const options[] = { "", "zalo: {broadcast: no}\n",
		"zalo: {comments: yes}\n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char text[2000];
		(void)snprintf(text, sizeof(text), HEAD PARTS "%s" TAIL, options[i]);
		struct release_doc *d = good(text);
		assert_int_equal(d->n_parts, 4);
		release_doc_free(d);
	}
}

static void further_articles_are_a_list_of_releases(void **state)
{
	char code[DOC_LINE_MAX];
	int line = 0;

	(void)state;
	struct release_doc *d = good(HEAD PARTS
		"zalo:\n  broadcast: yes\n  with: [TTBC-2026-110, 1455/BHXH-TT@2025, A-3, A-4]\n" TAIL);
	assert_string_equal(doc_pair_get(&d->options, "zalo", "with"),
		"TTBC-2026-110, 1455/BHXH-TT@2025, A-3, A-4");
	assert_true(release_doc_with(d, 1, code, &line));
	assert_string_equal(code, "1455/BHXH-TT@2025");
	assert_int_equal(line, 12);
	assert_false(release_doc_with(d, 4, code, &line));
	release_doc_free(d);
	d = good(HEAD PARTS "zalo: {broadcast: yes, with: A-1}\n" TAIL);
	assert_true(release_doc_with(d, 0, code, &line));
	assert_false(release_doc_with(d, 1, code, &line));
	release_doc_free(d);
}

static void what_is_no_broadcast_is_refused_with_its_line(void **state)
{
	(void)state;
	bad(HEAD PARTS "zalo: {broadcast: perhaps}\n" TAIL, 10, "zalo.broadcast",
		"neither yes nor no");
	bad(HEAD PARTS "zalo: {with: [A-1]}\n" TAIL, 10, "zalo.with", "write broadcast: yes");
	bad(HEAD PARTS "zalo: {broadcast: yes, with: [A, B, C, D, E]}\n" TAIL, 10, "zalo.with",
		"at most 5 articles");
	bad(HEAD PARTS "zalo: {broadcast: yes, with: []}\n" TAIL, 10, "zalo.with",
		"codes of releases");
	bad(HEAD PARTS "zalo: {broadcast: yes, with: {a: b}}\n" TAIL, 10, "zalo.with",
		"codes of releases");
	bad(HEAD PARTS "zalo: {broadcast: yes, with: [\"A 1\"]}\n" TAIL, 10, "zalo.with",
		"no code");
	bad(HEAD
		"parts:\n  a.broadcast: {to: a, channels: [email]}\n  a: {to: a, channels: [zalo]}\nzalo: {broadcast: yes}\n" TAIL,
		7, "zalo.broadcast", "is called PART.broadcast");
}

static void a_broadcast_of_nothing_is_said(void **state)
{
	struct release_doc *d = NULL;
	struct content_problems p;

	(void)state;
	assert_int_equal(parse(HEAD PART "zalo: {broadcast: yes}\n" TAIL, &d, &p), 0);
	assert_int_equal(d->n_parts, 1);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.v[0].severity, PROBLEM_WARNING);
	assert_non_null(strstr(p.v[0].text, "nothing is broadcast"));
	problems_done(&p);
	release_doc_free(d);
}

static void too_many_parts_with_their_broadcasts_are_refused(void **state)
{
	struct buf b CLEANUP_BUF;

	(void)state;
	buf_init(&b, 100000);
	(void)buf_addz(&b, HEAD "parts:\n");
	for (int i = 0; i < 32; i++)
		(void)buf_addf(&b, "  p%d: {to: a, channels: [zalo]}\n", i);
	(void)buf_addz(&b, "zalo: {broadcast: yes}\n" TAIL);
	bad(buf_z(&b), 37, "zalo.broadcast", "too many parts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broadcast_is_a_part_behind_each_public_part_with_articles),
		cmocka_unit_test(without_the_word_there_is_none),
		cmocka_unit_test(further_articles_are_a_list_of_releases),
		cmocka_unit_test(what_is_no_broadcast_is_refused_with_its_line),
		cmocka_unit_test(a_broadcast_of_nothing_is_said),
		cmocka_unit_test(too_many_parts_with_their_broadcasts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
