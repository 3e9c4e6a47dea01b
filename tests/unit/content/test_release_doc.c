/* test_release_doc.c - what a front matter may hold and how it is written; everything else is refused with its line. */
#include "docscene.h"
#include "base/fault.h"

static void a_release_with_every_field_is_read(void **state)
{
	(void)state;
	struct release_doc *d = good(
		"---\n"
		"code: 1455/BHXH-TĐKT\n"
		"kind: infographic\ncategory: emergency\n"
		"title: \"Một: hai\"\nsummary: Tóm tắt\nlink: https://portal.example/1\n"
		"ref: {number: 1455/BHXH-TT, date: 20/11/2026, signer: Nguyễn Văn A}\n"
		"cover: {file: cover.png, alt: Bìa, crop: top}\n"
		"images:\n  - {file: a.png, alt: Một, caption: Ảnh, credit: TTXVN}\n  - {file: in/x.png, alt: Hai}\n"
		"attachments: [cong-van.pdf]\n"
		"video: [{file: clip.mp4, poster: b.png, captions: clip.vtt, alt: Phim}]\n"
		"campaign: ky-hop-2-qh16\npriority: urgent\n"
		"parts:\n"
		"  press: {to: press, channels: [email], at: now, embargo: 2026-11-23 14:00, attach: [a.png, cong-van.pdf]}\n"
		"  public: {to: [centre, provinces], channels: [zalo, facebook], at: 23/11/2026 14:00, window: 12h, spread: 20m, jitter: 5s, expires: 2026-11-25 18:00, needs_link: yes, late: drop, max_cost: 500000}\n"
		"  duty: {to: duty, channels: sms, after: public, internal: true, again: true, priority: bulk}\n"
		"  vote: {to: press, channels: [email], after: duty, go: signal, late: send, late_after: 2h, attach: b.png}\n"
		"text:\n  sms: \"ngắn\"\n  zalo: {title: Đề mục, description: Mô tả}\n  email: {subject: Chủ đề}\n  radio: |\n    Dòng 1\n    Dòng 2\n"
		"zalo: {broadcast: no}\n"
		"---\nThân bài {{office.hotline}}\n");
	assert_string_equal(d->code, "1455/BHXH-TĐKT");
	assert_int_equal(d->kind, RK_INFOGRAPHIC);
	assert_int_equal(d->category, CAT_EMERGENCY);
	assert_int_equal(d->priority, PRIO_URGENT);
	assert_true(d->priority_set);
	assert_string_equal(d->title, "Một: hai");
	assert_string_equal(d->ref_date, "2026-11-20");
	assert_string_equal(d->campaign, "ky-hop-2-qh16");
	assert_int_equal(d->n_assets, 8);
	static const struct {
		const char *file;
		enum doc_role role;
	} order[] = { { "cover.png", DOC_COVER }, { "a.png", DOC_IMAGE }, { "in/x.png", DOC_IMAGE },
		{ "cong-van.pdf", DOC_ATTACHMENT }, { "clip.mp4", DOC_VIDEO_FILE },
		{ "b.png", DOC_POSTER }, { "clip.vtt", DOC_CAPTIONS } };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_string_equal(d->assets[i].file, order[i].file);
		assert_int_equal(d->assets[i].role, order[i].role);
	}
	assert_int_equal(d->assets[0].crop, DOC_CROP_TOP);
	assert_string_equal(d->assets[1].credit, "TTXVN");
	assert_int_equal(d->assets[5].owner, 4);
	assert_string_equal(doc_asset_name(&d->assets[2]), "x.png");

	assert_int_equal(d->n_parts, 4);
	const struct doc_part *p = &d->parts[0];
	assert_string_equal(p->name, "press");
	assert_int_equal(p->at.kind, WHEN_NOW);
	assert_int_equal(p->embargo.kind, WHEN_AT);
	assert_int_equal(p->window_ms, WHEN_HOUR_MS);
	assert_int_equal(p->expires.ms, 48 * WHEN_HOUR_MS);
	assert_int_equal(p->late, LATE_HOLD);
	assert_int_equal(p->max_cost, -1);
	assert_int_equal(p->n_attach, 2);
	assert_int_equal(p->attach[0], 1);
	assert_int_equal(p->attach[1], 3);
	p = &d->parts[1];
	assert_int_equal(p->n_to, 2);
	assert_string_equal(p->to[1], "provinces");
	assert_string_equal(p->channels[1], "facebook");
	assert_int_equal(p->at.ms, p[-1].embargo.ms);
	assert_int_equal(p->window_ms, 12 * WHEN_HOUR_MS);
	assert_int_equal(p->spread_ms, 20 * WHEN_MINUTE_MS);
	assert_int_equal(p->jitter_ms, 5000);
	assert_int_equal(p->expires.kind, WHEN_AT);
	assert_true(p->needs_link);
	assert_int_equal(p->late, LATE_SKIP);
	assert_int_equal(p->max_cost, 500000);
	assert_false(p->attach_set);
	assert_int_equal(p->priority, PRIO_URGENT);
	p = &d->parts[2];
	assert_int_equal(p->after_index, 1);
	assert_true(p->internal && p->again);
	assert_int_equal(p->priority, PRIO_BULK);
	p = release_doc_part(d, STR("vote"), NULL);
	assert_non_null(p);
	assert_true(p->go_signal);
	assert_int_equal(p->late, LATE_SEND);
	assert_int_equal(p->n_attach, 1);
	assert_int_equal(d->assets[p->attach[0]].role, DOC_ATTACHMENT);
	assert_true(
		d->assets[p->attach[0]]
			.part_only); /* a poster is no attachment: the file is one of this part only */
	assert_string_equal(doc_pair_get(&d->texts, "sms", "text"), "ngắn");
	assert_string_equal(doc_pair_get(&d->texts, "zalo", "title"), "Đề mục");
	assert_string_equal(doc_pair_get(&d->texts, "radio", "text"), "Dòng 1\nDòng 2");
	assert_string_equal(doc_pair_get(&d->options, "zalo", "broadcast"), "no");
	assert_null(doc_pair_get(&d->options, "zalo", "comments"));
	assert_string_equal(d->body, "Thân bài {{office.hotline}}\n");
	assert_int_equal(release_doc_embargo_ms(d, 0), d->parts[0].embargo.ms);
	release_doc_free(d);
}

static void a_release_without_parts_is_one_part_called_main(void **state)
{
	(void)state;
	struct release_doc *d = good(
		HEAD "to: [press]\nchannels: [email]\nat: 20m\nexpires: 1d\n" TAIL);
	assert_int_equal(d->n_parts, 1);
	assert_string_equal(d->parts[0].name, "main");
	assert_string_equal(d->parts[0].to[0], "press");
	assert_int_equal(d->parts[0].at.kind, WHEN_AFTER_DURATION);
	assert_int_equal(d->parts[0].expires.ms, WHEN_DAY_MS);
	assert_int_equal(d->kind, RK_PRESS_RELEASE);
	assert_int_equal(d->category, CAT_PUBLIC_NOTICE);
	assert_int_equal(d->priority, PRIO_NORMAL);
	assert_false(d->priority_set);
	assert_string_equal(d->lang, "vi");
	assert_int_equal(release_doc_embargo_ms(d, 0), INT64_MIN);
	release_doc_free(d);
	bad(HEAD TAIL, 1, "to", "is missing");
	bad(HEAD PART "parts:\n  a: {to: press, channels: [email]}\n" TAIL, 4, "to",
		"stands beside parts");
}

static void what_is_no_front_matter_is_refused(void **state)
{
	(void)state;
	bad("Chỉ có thân bài.\n", 1, "", "no front matter");
	bad("", 1, "", "no front matter");
	bad("---\ncode: A-1\ntitle: x\n", 1, "", "no end");
	bad("---\n---\nThân\n", 1, "code", "is missing");
	bad("---\n---\nThân\n", 1, "title", "is missing");
	bad(HEAD PART "---\n \n", 7, "", "no text below");
}

static void an_unknown_key_is_refused_with_the_nearest_right_one(void **state)
{
	(void)state;
	bad(HEAD PART "titel: x\n" TAIL, 6, "titel", "did you mean 'title'?");
	bad(HEAD "parts:\n  press:\n    to: press\n    chanels: [email]\n" TAIL, 7,
		"parts.press.chanels", "did you mean 'channels'?");
	bad(HEAD PART "cover: {file: cover.png, atl: x}\n" TAIL, 6, "cover.atl",
		"did you mean 'alt'?");
	bad(HEAD PART "ref: {nomber: 1}\n" TAIL, 6, "ref.nomber", "did you mean 'number'?");
	bad(HEAD PART "text: {zalo: {titel: x}}\n" TAIL, 6, "text.zalo.titel",
		"did you mean 'title'?");
	bad(HEAD PART "text: {zallo: x}\n" TAIL, 6, "text.zallo", "did you mean 'zalo'?");
	bad(HEAD PART "zalo: {brodcast: no}\n" TAIL, 6, "zalo.brodcast",
		"did you mean 'broadcast'?");
	bad(HEAD PART "kind: press_relase\n" TAIL, 6, "kind", "did you mean 'press_release'?");
	bad(HEAD PART "after: x\n" TAIL, 6, "after", "unknown key");
	bad(HEAD "to: press\nchannels: [emial]\n" TAIL, 5, "channels", "did you mean 'email'?");
	bad(HEAD PART "quite_another_thing: 1\n" TAIL, 6, "quite_another_thing", "known are code");
}

static void configured_kinds_are_taken_beside_the_known_ones(void **state)
{
	(void)state;
	static const char *const kinds[] = { "loa-phat-thanh" };
	const char *text = HEAD
		"to: press\nchannels: [loa-phat-thanh]\ntext: {loa-phat-thanh: {voice: nu}}\nloa-phat-thanh: {volume: 3}\n" TAIL;
	struct doc_source src = {
		.main = { "release.md", str_of(text) }, .kinds = kinds, .n_kinds = 1
	};
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(release_doc_parse(&src, &d, &p), 0);
	assert_string_equal(doc_pair_get(&d->texts, "loa-phat-thanh", "voice"), "nu");
	assert_string_equal(doc_pair_get(&d->options, "loa-phat-thanh", "volume"), "3");
	release_doc_free(d);
	bad(text, 5, "channels", "unknown channel kind 'loa-phat-thanh'");
}

static void yaml_beyond_the_plain_subset_is_refused_and_explained(void **state)
{
	(void)state;
	bad(HEAD PART "title: x\n" TAIL, 6, "", "'title' stands here twice");
	bad(HEAD "parts:\n  a: {to: x, channels: [sms]}\n  a: {to: x, channels: [sms]}\n" TAIL, 6,
		"", "'a' stands here twice");
	bad(HEAD PART "summary: &s x\n" TAIL, 6, "", "anchors");
	bad(HEAD PART "summary: *s\n" TAIL, 6, "", "aliases");
	bad(HEAD PART "summary: !!str x\n" TAIL, 6, "", "tags");
	bad(HEAD "parts:\n\tpress: {to: x}\n" TAIL, 5, "", "tab in the indentation");
	bad(HEAD PART "summary: Một: hai\n" TAIL, 6, "", "must stand in quotes");
	bad(HEAD PART "summary: \"không đóng\n" TAIL, 6, "", "a quote is not closed");
	bad(HEAD PART "summary: [a, {b: [c, {d: [e, {f: g}]}]}]\n" TAIL, 6, "",
		"nested too deeply");
	bad(HEAD PART "? [a, b]\n: x\n" TAIL, 6, "", "a key must be a plain word");
	bad("---\n- a\n- b\n---\nThân\n", 2, "", "must be lines of 'key: value'");
	bad(HEAD PART "summary:\n" TAIL, 6, "summary", "has no value");
	bad(HEAD PART "summary: [a]\n" TAIL, 6, "summary", "not a list");
}

static void line_breaks_in_a_one_line_field_are_refused(void **state)
{
	(void)state;
	bad("---\ncode: A-1\ntitle: \"Một\\r\\nBcc: x@y.example\"\n" PART TAIL, 3, "title",
		"line break");
	bad("---\ncode: A-1\ntitle: |\n  Một\n  Hai\n" PART TAIL, 3, "title", "line break");
	bad(HEAD PART "text:\n  email: {subject: \"a\\nb\"}\n" TAIL, 7, "text.email.subject",
		"line break");
	bad(HEAD PART "text:\n  email:\n    subject: \"a\\rb\"\n" TAIL, 8, "text.email.subject",
		"line break");
	bad(HEAD PART "cover: {file: cover.png, alt: \"a\\Lb\"}\n" TAIL, 6, "cover.alt",
		"line break");
	bad(HEAD PART "summary: \"a\\x01b\"\n" TAIL, 6, "summary", "control character");
	bad(HEAD PART "text: {sms: \"a\\x07b\"}\n" TAIL, 6, "text.sms.text", "control character");
}

static void broken_bytes_are_refused_with_their_place(void **state)
{
	(void)state;
	bad("---\ncode: A-1\ntitle: a\xff\n" PART TAIL, 3, "", "byte 22 (0xFF) is not valid UTF-8");
	bad(HEAD PART "---\nM\xe1\xba", 7, "", "is not valid UTF-8");
	bad(HEAD PART "---\nx\n\x08\n", 8, "", "control character U+0008");
}

static void codes_hold_a_letter_and_nothing_odd(void **state)
{
	(void)state;
	static const struct {
		const char *code, *says;
	} wrong[] = { { "2026-112", "must hold a letter" }, { "A B", "may hold letters" },
		{ "TTBC@2026", "may hold letters" }, { "-A", "must begin" }, { "A/", "must end" },
		{ "A//B", "must begin" }, { "A..B", "holds '..'" }, { "../A", "holds '..'" } };
	char text[400];
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		(void)snprintf(text, sizeof(text), "---\ncode: \"%s\"\ntitle: x\n" PART TAIL,
			wrong[i].code);
		bad(text, 2, "code", wrong[i].says);
	}
	static const char *const right[] = { "TTBC-2026-112", "1455/BHXH-TT", "25/QĐ-BHXH", "A",
		"5a", "NQ_1.2" };
	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		(void)snprintf(
			text, sizeof(text), "---\ncode: \"%s\"\ntitle: x\n" PART TAIL, right[i]);
		struct release_doc *d = good(text);
		assert_string_equal(d->code, right[i]);
		release_doc_free(d);
	}
}

static void decomposed_text_is_composed_and_noted(void **state)
{
	(void)state;
	struct release_doc *d = NULL;
	struct content_problems p;
	/* "Tiếng Việt" with separate marks; BOM and CRLF as some editors write them */
	assert_int_equal(
		parse("\xef\xbb\xbf---\r\ncode: A-1\r\ntitle: Tie\xcc\x82\xcc\x81ng Vie\xcc\xa3\xcc\x82t\r\nto: press\r\nchannels: [email]\r\n---\r\nTho\xcc\x82ng tin\r\n",
			&d, &p),
		0);
	assert_string_equal(d->title, "Tiếng Việt");
	assert_string_equal(d->body, "Thông tin\n");
	const struct content_problem *f = problem_find(&p, PROBLEM_INFO, "NFD");
	assert_non_null(f);
	assert_int_equal(f->line, 3);
	assert_int_equal(p.warnings, 0);
	problems_done(&p);
	release_doc_free(d);
	d = good("---\ncode: A-1\ntitle: \"e\\u0301\"\n" PART TAIL); /* also out of an escape */
	assert_string_equal(d->title, "é");
	release_doc_free(d);
}

#ifdef LANTOA_FAULTS
static void memory_that_runs_out_is_an_error_and_leaks_nothing(void **state)
{
	(void)state;
	struct buf b CLEANUP_BUF;
	buf_init(&b, 4u << 20);
	(void)buf_addz(&b, HEAD PART "---\n");
	for (int i = 0; i < 4000; i++)
		(void)buf_addz(&b, "Một dòng chữ trong thân bài của bản tin.\n");
	for (int skip = 0; skip < 3; skip++) {
		struct release_doc *d = NULL;
		struct content_problems p;
		fault_set("doc.arena", skip, 1);
		assert_int_equal(parse(buf_z(&b), &d, &p), -ENOMEM);
		assert_null(d);
		problems_done(&p);
	}
	fault_clear();
}
#endif

/* Bytes turned, dropped and doubled at random: refused or read, never a crash, and never an error without words. */
static void a_mangled_release_is_refused_or_read_without_harm(void **state)
{
	(void)state;
	static const char text[] = HEAD
		"cover: {file: cover.png, alt: \"Bìa: một\", crop: top}\nparts:\n  a: {to: [x, y], channels: [email], at: 2026-11-23 08:00}\n"
		"  b:\n    to: x\n    channels: [sms]\n    after: a\ntext:\n  sms: \"{{office.name}}\"\n  radio: |\n    một\n---\n"
		"Thân **đậm** {{local}} ![a](cover.png)\n\n- Thứ Hai, 24/11/2026 MẬT ???\n";
	unsigned seed = 11;
	size_t refused = 0;
	for (int round = 0; round < 3000; round++) {
		char *m = malloc(sizeof(text) + 8);
		size_t n = sizeof(text) - 1;
		memcpy(m, text, n);
		for (int k = 0; k < 1 + round % 4; k++) {
			seed = seed * 1103515245u + 12345u;
			size_t at = (seed >> 8) % n;
			if (seed % 3 == 0)
				m[at] = (char)(seed >> 20);
			else if (seed % 3 == 1)
				memmove(m + at, m + at + 1, --n - at);
			else
				m[at] = "{}[]:-#&*!|>'\"%@`,? \n\t"[(seed >> 20) % 22];
		}
		struct doc_source src = { .main = { "release.md", { m, n } },
			.files = files,
			.n_files = ARRAY_LEN(files) };
		struct release_doc *d = NULL;
		struct content_problems p;
		problems_init(&p);
		int r = release_doc_parse(&src, &d, &p);
		assert_true(r == 0 ? d != NULL && p.errors == 0
				   : r == -EINVAL && d == NULL && p.errors > 0 &&
					p.v[0].text[0] != '\0');
		refused += r < 0;
		problems_done(&p);
		release_doc_free(d);
		free(m);
	}
	assert_true(refused > 300 && refused < 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_with_every_field_is_read),
		cmocka_unit_test(a_release_without_parts_is_one_part_called_main),
		cmocka_unit_test(what_is_no_front_matter_is_refused),
		cmocka_unit_test(an_unknown_key_is_refused_with_the_nearest_right_one),
		cmocka_unit_test(configured_kinds_are_taken_beside_the_known_ones),
		cmocka_unit_test(yaml_beyond_the_plain_subset_is_refused_and_explained),
		cmocka_unit_test(line_breaks_in_a_one_line_field_are_refused),
		cmocka_unit_test(broken_bytes_are_refused_with_their_place),
		cmocka_unit_test(codes_hold_a_letter_and_nothing_odd),
		cmocka_unit_test(decomposed_text_is_composed_and_noted),
		cmocka_unit_test(a_mangled_release_is_refused_or_read_without_harm),
#ifdef LANTOA_FAULTS
		cmocka_unit_test(memory_that_runs_out_is_an_error_and_leaks_nothing),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
