/* test_pure.c - prepare, digest, compose, asset slices: what is approved is what goes out, byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "base/utf8.h"
#include "hosted.h"

#define S(z) ((struct lt_str){ (z), sizeof(z) - 1 })

/* What the puppet's prepare adds; changed one part at a time. */
static struct form {
	const char *text, *note, *fact, *secret, *asset;
	uint64_t offset, length;
	uint32_t encode, hole;
	int64_t value;
	bool swap, split;
	size_t long_preview; /* words before the usual one */
} form;

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, s ? strlen(s) : 0 };
}

static int add_text(struct lt_sink *s, const char *text)
{
	struct lt_src src = { .bytes = z(text) };
	return s->add(s->ctx, &src);
}

static int add_asset(struct lt_sink *s)
{
	struct lt_src src = { .asset = z(form.asset),
		.offset = form.offset,
		.length = form.length,
		.encode = form.encode };
	return s->add(s->ctx, &src);
}

static int prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	struct lt_src secret = { .secret = z(form.secret) };
	(void)c;
	(void)in;
	int rc = form.swap ? add_asset(s) : add_text(s, form.text);
	rc |= s->hole(s->ctx, form.hole);
	rc |= form.swap ? add_text(s, form.text) : add_asset(s);
	rc |= form.split ? add_text(s, "en") | add_text(s, "d") : add_text(s, "end");
	rc |= s->add(s->ctx, &secret);
	rc |= s->note(s->ctx, z(form.note));
	rc |= s->fact(s->ctx, z(form.fact), form.value);
	rc |= s->fact(s->ctx, S("batch_key"), (int64_t)rand());
	for (size_t i = 0; i < form.long_preview; i++)
		rc |= s->preview(s->ctx, S("ạaạạạ"));
	rc |= s->preview(s->ctx, S("as people see it"));
	return rc;
}

static int compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *s)
{
	char text[400];
	(void)c;
	(void)snprintf(text, sizeof(text), "<%.*s %u %.*s>", (int)note.n, note.p, hole,
		(int)t->address.n, t->address.p);
	return add_text(s, text) | add_text(s, "!");
}

static const struct form plain = { .text = "Xin chào ",
	.note = "note",
	.fact = "bytes",
	.secret = "token",
	.asset = "aa",
	.length = 10,
	.hole = 3,
	.value = 77 };

static struct ht *ready(void)
{
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, SHARED), 0);
	puppet.hooks->prepare = prepare;
	puppet.hooks->compose = compose;
	form = plain;
	return t;
}

static struct prepared *make(struct ht *t)
{
	struct lt_content c = { .struct_size = sizeof(c) };
	struct prepared *p = NULL;
	struct err e = { 0 };
	int rc = channel_prepare(t->ch, "main", &c, &p, &e);
	assert_string_equal(e.text, "");
	assert_int_equal(rc, 0);
	return p;
}

static void the_digest_is_the_same_for_the_same_output(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct prepared *a = make(t), *b = make(t);
	assert_int_equal(hash_cmp(&a->digest, &b->digest), 0); /* batch_key apart */
	assert_string_equal(a->preview, "as people see it");
	assert_int_equal(prepared_fact_get(a, "bytes", -1), 77);
	assert_int_equal(prepared_fact_get(a, "none", -1), -1);
	prepared_unref(a);
	prepared_unref(b);
	over(t);
}

/* It shows what it can, and is no reason to refuse a text that a channel takes. */
static void a_preview_of_a_long_text_is_cut_and_says_so(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct prepared *shortly = make(t);
	form.long_preview = 100000;
	struct prepared *p = make(t);
	assert_true(strlen(p->preview) > 200000 && strlen(p->preview) < 262144);
	assert_null(strstr(p->preview, "as people see it"));
	const char *end = strstr(p->preview, "\n[... the text goes on");
	assert_non_null(end);
	assert_true(utf8_valid(str_of(p->preview), NULL));
	assert_int_equal(hash_cmp(&p->digest, &shortly->digest), 0);
	prepared_unref(p);
	prepared_unref(shortly);
	over(t);
}

static void a_summary_has_digest_and_facts_and_a_short_preview(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct prepared *p = make(t);
	for (size_t max = 15; max <= 16; max++) {
		struct prepared *s = prepared_summary(p, max);
		assert_true(s->summary);
		assert_int_equal(hash_cmp(&p->digest, &s->digest), 0);
		assert_int_equal(s->bytes, p->bytes);
		assert_int_equal(s->n_pieces, 0);
		assert_int_equal(prepared_fact_get(s, "bytes", -1), 77);
		assert_int_equal(s->preview != NULL, max == 16);
		assert_true(prepared_memory(s) < 3 * 4096);
		prepared_unref(s);
	}
	prepared_unref(p);
	over(t);
}

static void the_digest_feels_every_part(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct prepared *first = make(t);
	struct form other[12];
	for (size_t i = 0; i < 12; i++)
		other[i] = plain;
	other[0].text = "Xin chao ";
	other[1].note = "Note";
	other[2].fact = "Bytes";
	other[3].secret = "Token";
	other[4].asset = "ab";
	other[5].offset = 1;
	other[6].length = 11;
	other[7].encode = LT_BASE64_LINES;
	other[8].hole = 4;
	other[9].value = 78;
	other[10].swap = true;
	other[11].split = true;
	for (size_t i = 0; i < 12; i++) {
		form = other[i];
		struct prepared *p = make(t);
		if (hash_cmp(&first->digest, &p->digest) == 0)
			fail_msg("change %zu is not felt", i);
		prepared_unref(p);
	}
	prepared_unref(first);
	over(t);
}

static void compose_fills_the_holes_in_their_places(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct prepared *p = make(t);
	struct lt_target target = { .struct_size = sizeof(target), .address = S("an@x") };
	struct payload *out = NULL;
	struct err e = { 0 };
	char text[200] = "";
	assert_int_equal(channel_compose(t->ch, "main", p, &target, &out, &e), 0);
	uint64_t bytes = 0;
	for (size_t i = 0; i < out->n; i++) {
		const struct lt_src *s = &out->src[i];
		bytes += s->asset.p ? s->length : s->bytes.n;
		if (s->bytes.n)
			(void)strncat(text, s->bytes.p, s->bytes.n);
		if (s->asset.p)
			(void)strncat(text, "[asset]", 8);
		assert_int_equal(s->reserved, 0);
	}
	assert_string_equal(text, "Xin chào <note 3 an@x>![asset]end");
	assert_int_equal(out->bytes, bytes);
	prepared_unref(p); /* the payload keeps the skeleton */
	assert_memory_equal(out->src[0].bytes.p, "Xin", 3);
	payload_free(out);
	over(t);
}

static int prepare_no_hole(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	(void)c;
	(void)in;
	return add_text(s, form.text);
}

static void only_texts_without_holes_may_be_shared(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct prepared *personal = make(t);
	assert_int_equal(personal->batch_key, 0);
	prepared_unref(personal);
	puppet.hooks->prepare = prepare_no_hole;
	struct prepared *a = make(t), *b = make(t);
	form.text = "Khác";
	struct prepared *c = make(t);
	assert_int_not_equal(a->batch_key, 0);
	assert_int_equal(a->batch_key, b->batch_key);
	assert_int_not_equal(a->batch_key, c->batch_key);
	prepared_unref(a);
	prepared_unref(b);
	prepared_unref(c);
	over(t);
}

static int prepare_too_much(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	(void)c;
	(void)in;
	int rc = 0;
	for (int i = 0; i < 100000 && rc == 0; i++)
		rc = add_text(s, form.text);
	return 0; /* does not care */
}

static int fails(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	(void)c;
	(void)in;
	(void)s;
	return -LT_E_INVALID;
}

static void an_output_without_bound_is_refused(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct lt_content c = { .struct_size = sizeof(c) };
	struct prepared *p = NULL;
	struct err e = { 0 };
	puppet.hooks->prepare = prepare_too_much;
	assert_int_equal(channel_prepare(t->ch, "main", &c, &p, &e), -E2BIG);
	puppet.hooks->prepare = fails;
	assert_int_equal(channel_prepare(t->ch, "main", &c, &p, &e), -EIO);
	assert_int_equal(channel_prepare(t->ch, "nobody", &c, &p, &e), -ENOENT);
	assert_null(p);
	over(t);
}

static int compose_too_much(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *s)
{
	(void)c;
	(void)note;
	(void)t;
	(void)hole;
	int rc = 0;
	for (int i = 0; i < 1000000 && rc == 0; i++)
		rc = add_text(s, "0123456789");
	return 0;
}

static size_t smuggled;
static int compose_smuggles(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *s)
{
	const struct lt_src of[] = { { .secret = S("token") }, { .asset = S("aa"), .length = 10 } };
	(void)c;
	(void)note;
	(void)t;
	(void)hole;
	return s->add(s->ctx, &of[smuggled]);
}

static void a_hole_takes_only_bounded_bytes(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct prepared *p = make(t);
	struct lt_target target = { .struct_size = sizeof(target), .address = S("an@x") };
	struct payload *out = NULL;
	struct err e = { 0 };
	puppet.hooks->compose = compose_too_much;
	assert_int_equal(channel_compose(t->ch, "main", p, &target, &out, &e), -E2BIG);
	puppet.hooks->compose = compose_smuggles; /* not approved: secrets and files in a hole */
	for (smuggled = 0; smuggled < 2; smuggled++)
		assert_int_equal(channel_compose(t->ch, "main", p, &target, &out, &e), -E2BIG);
	assert_null(out);
	prepared_unref(p);
	over(t);
}

static void an_address_is_told_or_refused_with_a_reason(void **state)
{
	(void)state;
	struct ht *t = ready();
	struct addr_out a;
	struct err e = { 0 };
	assert_int_equal(channel_address(t->ch, STR("an@x"), &a, &e), 0);
	assert_string_equal(a.canonical, "an@x");
	assert_true(channel_address(t->ch, STR(""), &a, &e) < 0);
	assert_true(channel_address(t->ch, STR("a\nb"), &a, &e) < 0);
	assert_int_not_equal(e.text[0], 0);
	over(t);
}

/* --- slices -------------------------------------------------------------------------------------------------------------- */
static void a_slice_in_base64_is_the_base64_of_the_file(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 56, 57, 58, 175103, 175104, 175105, 350208, 700001 };
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct ht *t = fresh(SHARED_NOW);
		char *file = malloc(sizes[k]), hex[HASH_HEX];
		char *want = malloc(base64_lines_len(sizes[k]) + 1);
		for (size_t i = 0; i < sizes[k]; i++)
			file[i] = (char)(i * 7 + i / 251);
		ht_asset(t, file, sizes[k], hex);
		size_t n = base64_lines(want, file, sizes[k]);
		struct ht_op *o = ht_send(t, "a@x", "1");
		uint32_t id = puppet_stream(puppet.session);
		struct lt_src src[3] = { { .bytes = S("before|") },
			{ .asset = z(hex), .length = sizes[k], .encode = LT_BASE64_LINES },
			{ .bytes = S("|after") } };
		uint64_t end = 0;
		fakenet_open(t->fn->streams[0], "");
		assert_int_equal(puppet.host->stream_write(puppet.host->ctx, id, src, 3,
					 LT_PUBLISHES, &puppet.op[0], 1, &end),
			0);
		ht_turn(t);
		const struct buf *wire = &t->fn->streams[0]->wire;
		assert_int_equal(wire->n, n + 13);
		assert_int_equal(end, n + 13);
		assert_memory_equal(wire->p, "before|", 7);
		assert_memory_equal(wire->p + 7, want, n);
		assert_memory_equal(wire->p + 7 + n, "|after", 6);
		(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
		ht_turn(t);
		assert_int_equal(o->done, 1);
		free(file);
		free(want);
		over(t);
	}
}

static void a_file_that_is_shorter_than_its_row_breaks_the_stream(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	char hex[HASH_HEX];
	ht_asset(t, "short", 5, hex);
	struct ht_op *o = ht_send(t, "a@x", "1");
	uint32_t id = puppet_stream(puppet.session);
	struct lt_src src = { .asset = z(hex), .length = 500 };
	fakenet_open(t->fn->streams[0], "");
	assert_int_equal(puppet.host->stream_write(puppet.host->ctx, id, &src, 1, LT_PUBLISHES,
				 &puppet.op[0], 1, NULL),
		0);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_CLOSED], 1);
	assert_int_equal(t->fn->streams[0]->wire.n, 0);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	over(t);
}

static void a_slice_of_no_known_asset_is_refused_at_the_write(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	(void)ht_send(t, "a@x", "1");
	uint32_t id = puppet_stream(puppet.session);
	struct lt_src bad[2] = { { .asset = S("../../etc/passwd"), .length = 5 },
		{ .asset = S("aa"), .length = 0 } };
	for (int i = 0; i < 2; i++)
		assert_int_equal(puppet.host->stream_write(puppet.host->ctx, id, &bad[i], 1,
					 LT_PUBLISHES, &puppet.op[0], 1, NULL),
			-LT_E_INVALID);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_is_the_same_for_the_same_output),
		cmocka_unit_test(a_preview_of_a_long_text_is_cut_and_says_so),
		cmocka_unit_test(a_summary_has_digest_and_facts_and_a_short_preview),
		cmocka_unit_test(the_digest_feels_every_part),
		cmocka_unit_test(compose_fills_the_holes_in_their_places),
		cmocka_unit_test(only_texts_without_holes_may_be_shared),
		cmocka_unit_test(an_output_without_bound_is_refused),
		cmocka_unit_test(a_hole_takes_only_bounded_bytes),
		cmocka_unit_test(an_address_is_told_or_refused_with_a_reason),
		cmocka_unit_test(a_slice_in_base64_is_the_base64_of_the_file),
		cmocka_unit_test(a_file_that_is_shorter_than_its_row_breaks_the_stream),
		cmocka_unit_test(a_slice_of_no_known_asset_is_refused_at_the_write),
	};
	return cmocka_run_group_tests_name("channel_pure", tests, NULL, NULL);
}
