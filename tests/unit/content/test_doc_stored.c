/* test_doc_stored.c - a release stored as text and rebuilt is the same release, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/assert.h"
#include "content/bundle.h"

#define SAMPLE "config/examples/release-ttbc-112"

/* Everything that a manifest is made from, as one text. */
static void dump_pairs(struct buf *b, const struct doc_pairs *p)
{
	for (size_t i = 0; i < p->n; i++)
		(void)buf_addf(b, "pair %s.%s@%d=%s\n", p->v[i].kind, p->v[i].key, p->v[i].line,
			p->v[i].value);
}

static void dump_part(struct buf *b, const struct doc_part *p)
{
	(void)buf_addf(b,
		"part %s@%d at %d/%lld embargo %d/%lld expires %d/%lld after %s/%d go %d link %d int %d again %d\n",
		p->name, p->line, p->at.kind, (long long)p->at.ms, p->embargo.kind,
		(long long)p->embargo.ms, p->expires.kind, (long long)p->expires.ms, p->after,
		p->after_index, p->go_signal, p->needs_link, p->internal, p->again);
	(void)buf_addf(b,
		"  window %lld spread %lld jitter %lld late %d/%lld cost %lld prio %d attach %d:",
		(long long)p->window_ms, (long long)p->spread_ms, (long long)p->jitter_ms, p->late,
		(long long)p->late_after_ms, (long long)p->max_cost, p->priority, p->attach_set);
	for (size_t i = 0; i < p->n_attach; i++)
		(void)buf_addf(b, " %d", p->attach[i]);
	for (size_t i = 0; i < p->n_to; i++)
		(void)buf_addf(b, " to %s", p->to[i]);
	for (size_t i = 0; i < p->n_channels; i++)
		(void)buf_addf(b, " by %s", p->channels[i]);
	(void)buf_addc(b, '\n');
}

static void dump(struct buf *b, const struct release_doc *d)
{
	char hex[HASH_HEX];
	(void)buf_addf(b, "%s|%s|%s|%d|%d|%d|%d|%s|%s|%s|%s|%s|%s|%s|%s|%d\n", d->main_file,
		d->lang, d->code, d->kind, d->category, d->priority, d->priority_set, d->title,
		d->summary, d->link, d->campaign, d->ref_number, d->ref_date, d->ref_signer,
		d->zone.name, d->zone.offset_s);
	(void)buf_addf(b, "front<%s>body@%d<%s>\n", d->front, d->body_line, d->body);
	dump_pairs(b, &d->texts);
	dump_pairs(b, &d->options);
	for (size_t i = 0; i < d->n_assets; i++) {
		const struct doc_asset *a = &d->assets[i];
		hash_hex(&a->hash, hex);
		(void)buf_addf(b, "asset %d %d %d %d %d@%d %s|%s|%s|%s %s %s %llu %ux%u\n", a->role,
			a->crop, a->internal, a->part_only, a->owner, a->line, a->file, a->alt,
			a->caption, a->credit, hex, a->type, (unsigned long long)a->bytes, a->width,
			a->height);
	}
	for (size_t i = 0; i < d->n_parts; i++)
		dump_part(b, &d->parts[i]);
	for (size_t i = 0; i < d->n_variants; i++) {
		const struct doc_variant *v = &d->variants[i];
		(void)buf_addf(b, "variant %s %s|%s|%s|%s@%d<%s><%s>\n", v->lang, v->file, v->title,
			v->summary, v->link, v->body_line, v->front, v->body);
		dump_pairs(b, v->texts);
	}
	for (size_t i = 0; i < d->n_locals; i++)
		(void)buf_addf(b, "local %s %s<%s>\n", d->locals[i].office, d->locals[i].file,
			d->locals[i].text);
	assert_false(b->failed);
}

static size_t rows_of(const struct release_doc *d, struct doc_asset_row *rows)
{
	for (size_t i = 0; i < d->n_assets; i++)
		rows[i] = (struct doc_asset_row){ d->assets[i].hash, d->assets[i].file,
			d->assets[i].type, d->assets[i].bytes, d->assets[i].width,
			d->assets[i].height };
	return d->n_assets;
}

/* Stores and rebuilds twice: the same document and the same strings each time. */
static void round_trip(const struct release_doc *d)
{
	struct doc_stored s = { NULL, NULL, NULL }, again = { NULL, NULL, NULL };
	struct doc_asset_row rows[DOC_ASSETS_MAX];
	struct release_doc *back = NULL;
	struct err e = { 0 };
	struct buf x CLEANUP_BUF, y CLEANUP_BUF;
	buf_init(&x, 8u << 20);
	buf_init(&y, 8u << 20);
	assert_int_equal(release_doc_to_stored(d, &s), 0);
	size_t n = rows_of(d, rows);
	if (release_doc_from_stored(
		    str_of(s.front), str_of(s.body), str_of(s.bodies), rows, n, &back, &e) < 0)
		fail_msg("%s", e.text);
	dump(&x, d);
	dump(&y, back);
	assert_string_equal(buf_z(&x), buf_z(&y));
	assert_int_equal(release_doc_to_stored(back, &again), 0);
	assert_string_equal(s.front, again.front);
	assert_string_equal(s.body, again.body);
	assert_string_equal(s.bodies, again.bodies);
	doc_stored_done(&s);
	doc_stored_done(&again);
	release_doc_free(back);
}

static void the_sample_release_survives_the_store(void **state)
{
	(void)state;
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(bundle_load(SAMPLE, NULL, &d, &p), 0);
	assert_int_equal(d->n_assets, 3);
	round_trip(d);
	release_doc_free(d);
}

static struct release_doc *parse(const char *text, const struct zone *z)
{
	static const char *const kinds[] = { "loa" };
	struct doc_file locals[] = { { "local/b.md", STR("B \"ngoặc\" \\ {{office.name}}\n") },
		{ "local/a.md", STR("A") } };
	struct doc_file variants[] = {
		{ "body.hmn.md",
			STR("---\ntitle: H\ntext: {zalo: {title: T}}\n---\nh\n\n---\nx\n") },
		{ "body.en.md", STR("---\r\ntitle: E\r\n--- \r\ne\r\n") }
	};
	struct doc_source src = { .main = { "tin.md", str_of(text) },
		.variants = variants,
		.n_variants = 2,
		.locals = locals,
		.n_locals = 2,
		.zone = z,
		.kinds = kinds,
		.n_kinds = 1 };
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	if (release_doc_parse(&src, &d, &p) < 0)
		fail_msg("%d %s", p.v[0].line, p.v[0].text);
	return d;
}

static void every_odd_form_survives_the_store(void **state)
{
	(void)state;
	struct zone z = { "+08:30", 30600 };
	static const char *const texts[] = {
		"---\ncode: A\ntitle: x\nto: [a, b]\nchannels: [loa, sms]\nloa: {volume: 3}\nat: 2026-11-23 08:00\n---\nx",
		"\xef\xbb\xbf---  \r\ncode: A/B\r\ntitle: \"Tie\xcc\x82\xcc\x81ng: 'x'\"\r\nparts: {a: {to: x, channels: [sms], expires: 2026-12-01 00:00, attach: [x.pdf]}, b: {to: x, channels: [email], after: a, attach: [x.pdf, y.pdf]}}\r\ntext:\r\n  sms: |\r\n    một\r\n    hai\r\n---\r\n\r\n\r\nThân\r\n---\r\nvẫn là thân",
		"---\ncode: A\ntitle: x\nto: a\nchannels: email\nvideo: [{file: v.mp4, poster: p.png, captions: c.vtt}]\ncover: c.png\nimages: [c.png]\nattachments: [{file: t.txt, internal: true}]\n---\n\n---\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct release_doc *d = parse(texts[i], i == 0 ? &z : NULL);
		for (size_t k = 0; k < d->n_assets; k++) {
			hash_bytes(&d->assets[k].hash, &k, sizeof(k));
			d->assets[k].type = "image/png";
			d->assets[k].bytes = 100 + k;
		}
		round_trip(d);
		release_doc_free(d);
	}
}

static void damaged_rows_are_refused(void **state)
{
	(void)state;
	struct release_doc *d = parse(
		"---\ncode: A\ntitle: x\nto: a\nchannels: email\ncover: c.png\nzalo: {broadcast: yes}\n---\nThân\n",
		NULL);
	struct release_doc *back = NULL;
	struct doc_stored s = { NULL, NULL, NULL };
	struct doc_asset_row rows[DOC_ASSETS_MAX];
	struct err e = { 0 };
	assert_int_equal(release_doc_to_stored(d, &s), 0);
	(void)rows_of(d, rows);
#define FROM(f, b, o, r, n) \
	release_doc_from_stored(str_of(f), str_of(b), str_of(o), r, n, &back, &e)
	assert_int_equal(FROM(s.front, s.body, s.bodies, rows, 0), -EBADMSG);
	assert_non_null(strstr(e.text, "1 files are named, 0 are stored"));
	rows[0].name = "other.png";
	assert_int_equal(FROM(s.front, s.body, s.bodies, rows, 1), -EBADMSG);
	assert_non_null(strstr(e.text, "not 'c.png'"));
	rows[0].name = "c.png";
	assert_int_equal(FROM("code: A\n", s.body, s.bodies, rows, 1), -EBADMSG);
	assert_non_null(strstr(e.text, "stored release"));
	assert_int_equal(FROM(s.front, s.body, "{}", rows, 1), -EBADMSG);
	assert_int_equal(FROM(s.front, s.body, "{\"format\":1,", rows, 1), -EBADMSG);
	assert_int_equal(
		FROM(s.front, s.body, "{\"format\":2,\"main\":\"a.md\",\"zone\":\"UTC\"}", rows, 1),
		-EBADMSG);
	assert_null(back);
	assert_int_equal(FROM(s.front, s.body, s.bodies, rows, 1), 0);
	release_doc_free(back);
	release_doc_free(d);
	doc_stored_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_release_survives_the_store),
		cmocka_unit_test(every_odd_form_survives_the_store),
		cmocka_unit_test(damaged_rows_are_refused),
	};
	if (crypt_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
