/* test_release_doc.c - front matter, parts and checks between fields, with the lines that the errors name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/assert.h"
#include "base/fault.h"
#include "content/release_doc.h"

#define HEAD "---\ncode: TTBC-2026-112\ntitle: Tin\n"
#define PART "to: press\nchannels: [email]\n"
#define TAIL "---\nThân bài.\n"

static const char *const files[] = { "cover.png", "a.png", "b.png", "cong-van.pdf", "clip.mp4",
	"clip.vtt", "in/x.png" };

static int parse(const char *text, struct release_doc **ret, struct content_problems *p)
{
	struct doc_source src = {
		.main = { "release.md", str_of(text) }, .files = files, .n_files = ARRAY_LEN(files)
	};
	problems_init(p);
	return release_doc_parse(&src, ret, p);
}

static struct release_doc *good(const char *text)
{
	struct release_doc *d = NULL;
	struct content_problems p;
	if (parse(text, &d, &p) < 0)
		fail_msg("refused: %s:%d %s: %s", p.v[0].file, p.v[0].line, p.v[0].field,
			p.v[0].text);
	assert_int_equal(p.errors, 0);
	problems_done(&p);
	return d;
}

/* The text is refused with exactly this problem at this line and field. */
static void bad(const char *text, int line, const char *field, const char *says)
{
	struct release_doc *d = NULL;
	struct content_problems p;
	assert_int_equal(parse(text, &d, &p), -EINVAL);
	assert_null(d);
	assert_true(p.errors >= 1);
	const struct content_problem *f = NULL;
	for (size_t i = 0; i < p.n && f == NULL; i++) {
		if (p.v[i].severity == PROBLEM_ERROR && p.v[i].line == line &&
			strcmp(p.v[i].field, field) == 0 && strstr(p.v[i].text, says) != NULL)
			f = &p.v[i];
	}
	if (f == NULL) {
		for (size_t i = 0; i < p.n; i++)
			print_error("%s:%d: [%s] %s\n", p.v[i].file, p.v[i].line, p.v[i].field,
				p.v[i].text);
		fail_msg("wanted line %d [%s] %s", line, field, says);
	}
	assert_string_equal(f->file, "release.md");
	problems_done(&p);
}

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

static void files_must_lie_inside_the_bundle_and_exist(void **state)
{
	(void)state;
	bad(HEAD PART "cover: {file: ../cover.png, alt: x}\n" TAIL, 6, "cover.file",
		"leads outside");
	bad(HEAD PART "cover: {file: a/../../cover.png, alt: x}\n" TAIL, 6, "cover.file",
		"leads outside");
	bad(HEAD PART "cover: {file: /etc/passwd, alt: x}\n" TAIL, 6, "cover.file", "is absolute");
	bad(HEAD PART "cover: {file: \"C:/x.png\", alt: x}\n" TAIL, 6, "cover.file",
		"drive letter");
	bad(HEAD PART "cover: {file: 'a\\b.png', alt: x}\n" TAIL, 6, "cover.file", "backslash");
	bad(HEAD PART "cover: {file: cober.png, alt: x}\n" TAIL, 6, "cover.file",
		"did you mean 'cover.png'?");
	bad(HEAD PART "images:\n  - {file: a.png, alt: x}\n  - {file: zzzzzz.png, alt: x}\n" TAIL,
		8, "images[2].file", "not in the bundle");
	bad(HEAD PART "images: [{alt: x}]\n" TAIL, 6, "images[1].file", "is missing");
	bad(HEAD PART "images: [a.png, a.png]\n" TAIL, 6, "images[2].file", "listed twice");
	bad(HEAD PART "attach: [nope.pdf]\n" TAIL, 6, "attach", "not in the bundle");
	bad(HEAD PART
		"attachments: [{file: cong-van.pdf, internal: true}]\nattach: [cong-van.pdf]\n" TAIL,
		7, "attach", "is internal, this part is not");
	bad(HEAD PART "cover: cover.png\n---\nXem ![ảnh](cover.png)\n\n![x](khac.png)\n", 10, "",
		"'khac.png' is not listed");
}

static void times_are_refused_with_line_and_field(void **state)
{
	(void)state;
	bad(HEAD PART "at: 11/23/2026 08:00\n" TAIL, 6, "at", "no month 23");
	bad(HEAD PART "at: 2026-11-23\n" TAIL, 6, "at", "no time of day");
	bad(HEAD PART "window: 0s\n" TAIL, 6, "window", "longer than 0s");
	bad(HEAD PART "spread: 5 minutes\n" TAIL, 6, "spread", "is no duration");
	bad(HEAD PART "go: now\n" TAIL, 6, "go", "unknown word");
	bad(HEAD PART "ref: {date: 20-13-2026}\n" TAIL, 6, "ref.date", "no such day");
	bad(HEAD PART "at: 2026-11-23 08:00\nexpires: 2026-11-23 08:00\n" TAIL, 7,
		"parts.main.expires", "Thứ Hai, 23/11/2026, 08:00 is not after the start");
	bad(HEAD PART "expires: now\n" TAIL, 6, "parts.main.expires", "never start");
	bad(HEAD PART "needs_link: yes\n" TAIL, 6, "parts.main.needs_link", "no link");
	bad(HEAD PART "link: portal.example\n" TAIL, 6, "link", "no web address");
	bad(HEAD PART "max_cost: 1.5\n" TAIL, 6, "max_cost", "is no amount");
	bad(HEAD PART "internal: maybe\n" TAIL, 6, "internal", "neither yes nor no");
}

static void parts_wait_for_parts_that_exist_and_not_in_a_circle(void **state)
{
	(void)state;
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms]}\n  b: {to: x, channels: [sms], after: aa}\n" TAIL,
		6, "parts.b.after", "did you mean 'a'?");
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms], after: b}\n  b: {to: x, channels: [sms], after: c}\n"
		"  c:\n    to: x\n    channels: [sms]\n    after: a\n" TAIL,
		5, "parts.a.after", "circle: a after b after c after a");
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms]}\n  b: {to: x, channels: [sms], after: b}\n" TAIL,
		6, "parts.b.after", "circle: b after b");
	bad(HEAD
		"parts:\n  t: {to: x, channels: [sms], after: a}\n  a: {to: x, channels: [sms], after: b}\n  b: {to: x, channels: [sms], after: a}\n" TAIL,
		6, "parts.a.after", "circle: a after b after a");
	bad(HEAD "parts:\n  A b: {to: x, channels: [sms]}\n" TAIL, 5, "parts",
		"is no name for a part");
	bad(HEAD "parts: {}\n" TAIL, 4, "parts", "must be a map of parts");
	bad(HEAD "parts:\n  a: {to: [x, x], channels: [sms]}\n" TAIL, 5, "parts.a.to",
		"'x' stands here twice");
}

static void a_public_part_never_starts_before_the_embargo(void **state)
{
	(void)state;
	bad(HEAD "parts:\n  press: {to: x, channels: [email], at: now, embargo: 2026-11-23 14:00}\n"
		 "  public:\n    to: x\n    channels: [zalo]\n    at: 2026-11-23 13:59\n" TAIL,
		9, "parts.public.at", "before the embargo of part 'press' ends");
	bad(HEAD
		"parts:\n  press: {to: x, channels: [email], at: now, embargo: 1h}\n  public: {to: x, channels: [zalo], at: 20m}\n" TAIL,
		6, "parts.public.at", "before the embargo");
	bad(HEAD PART "embargo: now\n" TAIL, 6, "parts.main.embargo", "ends at once");
	struct release_doc *d = good(HEAD
		"parts:\n  press: {to: x, channels: [email], at: now, embargo: 2026-11-23 14:00}\n"
		"  inside: {to: x, channels: [zalo], at: 2026-11-23 10:00, internal: true}\n"
		"  public: {to: x, channels: [zalo], at: 2026-11-23 14:00}\n" TAIL);
	release_doc_free(d);
}

static void unknown_variables_are_refused_at_their_line(void **state)
{
	(void)state;
	bad(HEAD PART "---\nMột\n\nHai {{ofice.hotline}} ba\n", 9, "",
		"unknown variable {{ofice.hotline}}; did you mean 'office.hotline'?");
	bad(HEAD PART "---\n{{lokal}}\n", 7, "", "did you mean 'local'?");
	bad(HEAD PART "---\nMột\n{{office.name\n}}\n", 8, "", "without '}}' in the same line");
	bad(HEAD PART "---\n{{ office name }}\n", 7, "", "no name of a variable");
	bad(HEAD PART "text:\n  sms: \"{{x}}\"\n" TAIL, 7, "text.sms.text",
		"unknown variable {{x}}");
	bad("---\ncode: A-1\ntitle: Tin {{y}}\n" PART TAIL, 3, "title", "unknown variable {{y}}");
	struct release_doc *d = good(
		HEAD PART "---\n{{office.x}} {{target.name}} {{local}} \\{{khong}}\n");
	release_doc_free(d);
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
	(void)state;
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	assert_int_equal(
		parse("---\ncode: 12\ntitle: \"a\\nb\"\nkindd: x\nto: press\nchannels: [fax]\nat: soon\n---\n{{x}}\n",
			&d, &p),
		-EINVAL);
	assert_int_equal(p.errors, 6);
	assert_null(d);
	struct err e = { 0 };
	assert_int_equal(problems_err(&p, -EINVAL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "release.md:2: code: "));
	assert_non_null(strstr(e.text, "(and 5 more)"));
}

static void bounds_are_kept(void **state)
{
	(void)state;
	struct release_doc *d = NULL;
	struct content_problems p;
	struct buf b CLEANUP_BUF;
	buf_init(&b, 8u << 20);
	(void)buf_addz(&b, HEAD "parts:\n");
	for (int i = 0; i < 63; i++)
		(void)buf_addf(&b, "  p%d: {to: x, channels: [sms]}\n", i);
	(void)buf_addz(&b, TAIL);
	bad(buf_z(&b), 5, "parts", "63 parts; at most 62");
	buf_reset(&b);
	(void)buf_addz(&b, "---\ncode: A-1\ntitle: ");
	for (int i = 0; i < 501; i++)
		(void)buf_addc(&b, 'a');
	(void)buf_addz(&b, "\n" PART TAIL);
	bad(buf_z(&b), 3, "title", "501 bytes; at most 500");
	buf_reset(&b);
	(void)buf_addz(&b, HEAD PART "summary: >\n");
	while (b.n < DOC_FRONT_MAX + 200)
		(void)buf_addz(&b, "  x\n");
	(void)buf_addz(&b, TAIL);
	bad(buf_z(&b), 1, "", "the front matter has");
	buf_reset(&b);
	(void)buf_addz(&b, HEAD PART "---\n");
	while (b.n < DOC_TEXT_MAX)
		(void)buf_addz(&b,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
	assert_int_equal(parse(buf_z(&b), &d, &p), -EINVAL);
	assert_non_null(problem_find(&p, PROBLEM_ERROR, "bytes of text; at most"));
	problems_done(&p);
	buf_reset(&b);
	(void)buf_addz(&b, HEAD PART);
	for (int i = 0; i < 300; i++)
		(void)buf_addf(&b, "k%d: 1\n", i);
	(void)buf_addz(&b, TAIL);
	assert_int_equal(parse(buf_z(&b), &d, &p), -EINVAL);
	assert_int_equal(p.errors, 300);
	assert_int_equal(p.n, PROBLEMS_MAX);
	problems_done(&p);
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

static void variants_and_local_texts_have_their_own_files(void **state)
{
	(void)state;
	struct doc_file variants[] = {
		{ "body.zh-Hans.md", STR("---\ntitle: Z\n---\nz\n") },
		{ "body.en.md",
			STR("---\ntitle: News\nsummary: Sum\ntext: {sms: short}\n---\nBody {{office.name}}\n") }
	};
	struct doc_file locals[] = { { "local/son-la.md", STR("Sơn La.\n") },
		{ "local/dien-bien.md", STR("Điện Biên.\n") } };
	struct doc_source src = { .main = { "release.md", STR(HEAD PART TAIL) },
		.variants = variants,
		.n_variants = 2,
		.locals = locals,
		.n_locals = 2 };
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(release_doc_parse(&src, &d, &p), 0);
	assert_int_equal(d->n_variants, 2);
	const struct doc_variant *v = release_doc_variant(d, STR("en-GB"));
	assert_non_null(v);
	assert_string_equal(v->title, "News");
	assert_string_equal(v->body, "Body {{office.name}}\n");
	assert_string_equal(doc_pair_get(v->texts, "sms", "text"), "short");
	assert_null(release_doc_variant(d, STR("fr")));
	assert_string_equal(release_doc_variant(d, STR("zh-Hans"))->title, "Z");
	assert_string_equal(d->locals[0].office, "dien-bien");
	assert_string_equal(release_doc_local(d, STR("son-la"))->text, "Sơn La.\n");
	assert_null(release_doc_local(d, STR("ha-noi")));
	release_doc_free(d);
}

static void faulty_variants_and_local_texts_are_refused_by_file(void **state)
{
	(void)state;
	struct doc_file variants[] = { { "body.en.md", STR("No front matter\n") },
		{ "body.vi.md", STR("---\ntitle: x\n---\nx\n") },
		{ "body.english.md", STR("---\ntitle: x\n---\nx\n") },
		{ "body.fr.md", STR("---\nsummary: x\ncode: A\n---\n\n{{x}}\n") } };
	struct doc_file locals[] = { { "local/ha noi.md", STR("x") },
		{ "local/a.md", STR("---\ntitle: x\n---\nx\n") }, { "local/b.md", STR("  \n") },
		{ "local/c.md", STR("Một\n{{local}}\n") } };
	static const struct {
		const char *file;
		int line;
		const char *says;
	} want[] = { { "body.en.md", 1, "no front matter" }, { "body.vi.md", 0, "already in 'vi'" },
		{ "body.english.md", 0, "is no language" },
		{ "body.fr.md", 3, "unknown key 'code'" },
		{ "body.fr.md", 6, "unknown variable {{x}}" },
		{ "local/ha noi.md", 0, "is no office code" },
		{ "local/a.md", 1, "has no front matter" }, { "local/b.md", 1, "is empty" },
		{ "local/c.md", 2, "cannot hold {{local}}" } };
	struct doc_source src = { .main = { "release.md", STR(HEAD PART TAIL) },
		.variants = variants,
		.n_variants = 4,
		.locals = locals,
		.n_locals = 4 };
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(release_doc_parse(&src, &d, &p), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct content_problem *f = problem_find(&p, PROBLEM_ERROR, want[i].says);
		if (f == NULL)
			fail_msg("not told: %s", want[i].says);
		assert_string_equal(f->file, want[i].file);
		assert_int_equal(f->line, want[i].line);
	}
	assert_int_equal(p.errors, ARRAY_LEN(want));
}

static void memory_that_runs_out_is_an_error_and_leaks_nothing(void **state)
{
	(void)state;
#ifdef LANTOA_FAULTS
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
#endif
}

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
		cmocka_unit_test(files_must_lie_inside_the_bundle_and_exist),
		cmocka_unit_test(times_are_refused_with_line_and_field),
		cmocka_unit_test(parts_wait_for_parts_that_exist_and_not_in_a_circle),
		cmocka_unit_test(a_public_part_never_starts_before_the_embargo),
		cmocka_unit_test(unknown_variables_are_refused_at_their_line),
		cmocka_unit_test(all_that_is_wrong_is_told_at_once),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(decomposed_text_is_composed_and_noted),
		cmocka_unit_test(variants_and_local_texts_have_their_own_files),
		cmocka_unit_test(faulty_variants_and_local_texts_are_refused_by_file),
		cmocka_unit_test(a_mangled_release_is_refused_or_read_without_harm),
		cmocka_unit_test(memory_that_runs_out_is_an_error_and_leaks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
