/* test_manifest.c - canonical bytes: golden hash, both directions, damage, code, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "model/manifest.h"

#define HOUR INT64_C(3600000)

static struct manifest *sample(void)
{
	struct manifest *m = manifest_new();
	m->code = STR("TTBC-2026-112");
	m->year = 2026;
	m->rev = 3;
	m->kind = RK_PRESS_RELEASE;
	m->category = CAT_PUBLIC_NOTICE;
	m->prio = PRIO_NORMAL;
	m->campaign = STR("ky-hop-2-qh16");
	m->zone_name = STR("Asia/Ho_Chi_Minh");
	m->zone_offset_s = 25200;
	m->lang = STR("vi");
	m->n_texts = 2;
	m->texts = x_calloc(2, sizeof(*m->texts));
	m->texts[0] = (struct mf_text){ STR("title"), STR("vi"), STR("Năm năm đổi mới") };
	m->texts[1] = (struct mf_text){ STR("body"), STR("vi"), STR("Xin chào\n") };
	m->n_assets = 1;
	m->assets = x_calloc(1, sizeof(*m->assets));
	m->assets[0] = (struct mf_asset){ .name = STR("cover.png"),
		.type = STR("image/png"),
		.alt = STR("Ảnh bìa"),
		.role = 1,
		.owner = -1,
		.bytes = 12 };
	hash_bytes(&m->assets[0].hash, "cover", 5);
	m->n_parts = 2;
	m->parts = x_calloc(2, sizeof(*m->parts));
	struct mf_part *p = &m->parts[0];
	p->number = 1;
	p->name = STR("press");
	p->n_to = 1;
	p->to = x_calloc(1, sizeof(*p->to));
	p->to[0] = (struct mf_audience){ STR("press"),
		STR("{\"any\":[{\"tag\":[\"press\"]}],\"not\":[],\"broad\":false}") };
	p->n_kinds = 1;
	p->kinds = x_calloc(1, sizeof(*p->kinds));
	p->kinds[0] = KIND_EMAIL;
	p->n_senders = 1;
	p->senders = x_calloc(1, sizeof(*p->senders));
	p->senders[0] = (struct mf_sender){ STR("ha-noi"), KIND_EMAIL, STR("mail"), STR("relay"),
		STR("bhxh@example") };
	p->n_counts = 1;
	p->counts = x_calloc(1, sizeof(*p->counts));
	p->counts[0] = (struct mf_count){ .kind = KIND_EMAIL, .n = 37, .listed = 1 };
	hash_bytes(&p->counts[0].list, "list", 4);
	p->at = (struct when){ WHEN_NOW, 0 };
	p->embargo = (struct when){ WHEN_AFTER_DURATION, 2 * HOUR };
	p->expires = (struct when){ WHEN_AFTER_DURATION, 48 * HOUR };
	p->window_ms = HOUR;
	p->cost_max = -1;
	p = &m->parts[1];
	p->number = 2;
	p->name = STR("public");
	p->after = 1;
	p->expires = (struct when){ WHEN_AFTER_DURATION, 48 * HOUR };
	p->window_ms = HOUR;
	p->n_skipped = 1;
	p->skipped = x_calloc(1, sizeof(*p->skipped));
	p->skipped[0] = STR("zalo");
	m->n_offices = 1;
	m->offices = x_calloc(1, sizeof(*m->offices));
	m->offices[0].code = STR("ha-noi");
	return m;
}

static void the_bytes_of_format_1_never_change(void **state)
{
	(void)state;
	CLEANUP(manifest_free) struct manifest *m = sample();
	struct buf b CLEANUP_BUF;
	struct hash h;
	char hex[HASH_HEX], code[MANIFEST_CODE_MAX];
	buf_init(&b, MANIFEST_BYTES_MAX);
	assert_int_equal(manifest_encode(m, &b), 0);
	assert_memory_equal(
		b.p, "lantoa-manifest\0\0\0\0\x08\0\0\0\0\0\0\0\1\0\0\0\x0dTTBC-2026-112", 45);
	manifest_hash(buf_str(&b), &h);
	hash_hex(&h, hex);
	assert_string_equal(
		hex, "c5122e0be5af774bcb44070eda1e566faf830f052f854ae647494a5493776ac6");
	assert_string_equal(manifest_code(&h, code), "yujc-4c7f");
}

/* Everything that a manifest with two of each kind of thing says, by where it stands. */
static struct said {
	struct str *text[200];
	int64_t *number[200];
	struct hash *hash[20];
	struct when *when[20];
	size_t n_text, n_number, n_hash, n_when;
} said;

static void say_texts(struct str *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		said.text[said.n_text++] = v[i];
}
static void say_numbers(int64_t *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		said.number[said.n_number++] = v[i];
}
#define TEXTS(...) \
	say_texts((struct str *[]){ __VA_ARGS__ }, ARRAY_LEN(((struct str *[]){ __VA_ARGS__ })))
#define NUMBERS(...) \
	say_numbers((int64_t *[]){ __VA_ARGS__ }, ARRAY_LEN(((int64_t *[]){ __VA_ARGS__ })))
#define TWO(s, field)                                          \
	do {                                                   \
		free((s)->field);                              \
		(s)->field = x_calloc(2, sizeof(*(s)->field)); \
		(s)->n_##field = 2;                            \
	} while (0)

static void say_part(struct mf_part *p)
{
	TWO(p, to);
	TWO(p, kinds);
	TWO(p, skipped);
	TWO(p, senders);
	TWO(p, attach);
	TWO(p, counts);
	for (int i = 0; i < 2; i++) {
		struct mf_sender *s = &p->senders[i];
		struct mf_count *c = &p->counts[i];
		TEXTS(&p->to[i].name, &p->to[i].rule, &p->skipped[i], &s->office, &s->channel,
			&s->account, &s->identity);
		NUMBERS(&p->kinds[i], &p->attach[i], &s->kind, &c->kind, &c->n, &c->listed);
		said.hash[said.n_hash++] = &c->list;
	}
	TEXTS(&p->name);
	NUMBERS(&p->number, &p->attach_set, &p->after, &p->signal, &p->needs_link, &p->internal,
		&p->again, &p->window_ms, &p->spread_ms, &p->jitter_ms, &p->late, &p->late_after_ms,
		&p->cost_max, &p->prio);
	said.when[said.n_when++] = &p->at;
	said.when[said.n_when++] = &p->embargo;
	said.when[said.n_when++] = &p->expires;
}

static struct manifest *all_said(void)
{
	struct manifest *m = sample();

	memset(&said, 0, sizeof(said));
	TWO(m, assets);
	TWO(m, offices);
	for (int i = 0; i < 2; i++) {
		struct mf_asset *a = &m->assets[i];
		TEXTS(&m->texts[i].what, &m->texts[i].lang, &m->texts[i].value, &a->name, &a->type,
			&a->alt, &a->caption, &a->credit, &m->offices[i].code);
		NUMBERS(&a->role, &a->crop, &a->internal, &a->part_only, &a->owner, &a->bytes);
		said.hash[said.n_hash++] = &a->hash;
		said.hash[said.n_hash++] = &m->offices[i].vars;
		say_part(&m->parts[i]);
	}
	TEXTS(&m->code, &m->campaign, &m->zone_name, &m->lang, &m->ref_number, &m->ref_date,
		&m->ref_signer);
	NUMBERS(&m->year, &m->rev, &m->kind, &m->category, &m->prio, &m->zone_offset_s, &m->cost);
	return m;
}

/* The bytes after a change are other bytes, and what is read back from them has the change. */
static void differs(const struct manifest *m, struct str before, const char *what, size_t i)
{
	struct buf b CLEANUP_BUF, again CLEANUP_BUF;
	CLEANUP(manifest_free) struct manifest *back = NULL;
	struct err e;

	buf_init(&b, MANIFEST_BYTES_MAX);
	buf_init(&again, MANIFEST_BYTES_MAX);
	assert_int_equal(manifest_encode(m, &b), 0);
	if (str_eq(buf_str(&b), before))
		fail_msg("%s %zu is not in what is approved", what, i);
	assert_int_equal(manifest_decode(buf_str(&b), &back, &e), 0);
	assert_int_equal(manifest_encode(back, &again), 0);
	assert_true(str_eq(buf_str(&b), buf_str(&again)));
}

static void each_thing_that_is_said_is_in_what_is_approved(void **state)
{
	(void)state;
	CLEANUP(manifest_free) struct manifest *m = all_said();
	struct buf base CLEANUP_BUF;
	buf_init(&base, MANIFEST_BYTES_MAX);
	assert_int_equal(manifest_encode(m, &base), 0);
	for (size_t i = 0; i < said.n_text; i++) {
		struct str was = *said.text[i];
		*said.text[i] = STR("another");
		differs(m, buf_str(&base), "text", i);
		*said.text[i] = was;
	}
	for (size_t i = 0; i < said.n_number; i++) {
		++*said.number[i];
		differs(m, buf_str(&base), "number", i);
		--*said.number[i];
	}
	for (size_t i = 0; i < said.n_hash; i++) {
		said.hash[i]->b[31] ^= 1;
		differs(m, buf_str(&base), "hash", i);
		said.hash[i]->b[31] ^= 1;
	}
	for (size_t i = 0; i < said.n_when; i++) {
		said.when[i]->ms++;
		differs(m, buf_str(&base), "time", i);
		said.when[i]->ms--;
	}
}

static void what_was_written_is_read_back_equal(void **state)
{
	(void)state;
	CLEANUP(manifest_free) struct manifest *m = sample(), *back = NULL;
	struct buf a CLEANUP_BUF, b CLEANUP_BUF;
	struct err e;
	buf_init(&a, MANIFEST_BYTES_MAX);
	buf_init(&b, MANIFEST_BYTES_MAX);
	assert_int_equal(manifest_encode(m, &a), 0);
	assert_int_equal(manifest_decode(buf_str(&a), &back, &e), 0);
	assert_int_equal(manifest_encode(back, &b), 0);
	assert_true(str_eq(buf_str(&a), buf_str(&b)));
	assert_int_equal(back->rev, 3);
	assert_true(str_eqz(manifest_text(back, "title", STR("vi")), "Năm năm đổi mới"));
	assert_true(str_eqz(manifest_sender(&back->parts[0], STR("ha-noi"), KIND_EMAIL)->identity,
		"bhxh@example"));
	assert_int_equal(manifest_count(manifest_part(back, 1), KIND_EMAIL)->n, 37);
	assert_null(manifest_part(back, 3));
}

static void cut_or_damaged_bytes_are_refused(void **state)
{
	(void)state;
	CLEANUP(manifest_free) struct manifest *m = sample();
	struct buf b CLEANUP_BUF;
	struct err e;
	buf_init(&b, MANIFEST_BYTES_MAX);
	assert_int_equal(manifest_encode(m, &b), 0);
	for (size_t n = 0; n < b.n; n++) {
		struct manifest *back = NULL;
		assert_int_equal(manifest_decode((struct str){ b.p, n }, &back, &e), -EBADMSG);
		assert_null(back);
	}
	for (size_t i = 0; i < b.n;
		i++) { /* any byte: refused, or another manifest; never a crash */
		struct manifest *back = NULL;
		b.p[i] = (char)(b.p[i] ^ 0x80);
		if (manifest_decode(buf_str(&b), &back, &e) == 0)
			manifest_free(back);
		b.p[i] = (char)(b.p[i] ^ 0x80);
	}
	buf_addc(&b, 'x');
	struct manifest *back = NULL;
	assert_int_equal(manifest_decode(buf_str(&b), &back, &e), -EBADMSG);
}

static void the_code_is_read_however_it_was_typed(void **state)
{
	(void)state;
	struct hash h;
	char code[MANIFEST_CODE_MAX];
	hash_bytes(&h, "x", 1);
	assert_int_equal(strlen(manifest_code(&h, code)), 9);
	assert_true(manifest_code_is(&h, str_of(code)));
	char loud[20] = "";
	for (size_t i = 0, n = 0; code[i]; i++)
		if (code[i] != '-')
			loud[n++] = (char)(code[i] >= 'a' ? code[i] - 32 : code[i]);
	assert_true(manifest_code_is(&h, str_of(loud)));
	assert_false(manifest_code_is(&h, STR("")));
	assert_false(manifest_code_is(&h, STR("aaaa-aaaa")));
	loud[7] = '\0';
	assert_false(manifest_code_is(&h, str_of(loud)));
}

static void times_count_from_the_last_approval(void **state)
{
	(void)state;
	CLEANUP(manifest_free) struct manifest *m = sample();
	struct mf_times t;
	manifest_times(m, &m->parts[0], 1000, &t);
	assert_true(t.has_at);
	assert_int_equal(t.at_ms, 1000); /* it goes out before the embargo that it carries */
	assert_int_equal(t.win_to_ms, 1000 + HOUR);
	assert_int_equal(t.expires_ms, 1000 + 48 * HOUR);
	manifest_times(m, &m->parts[1], 1000, &t);
	assert_false(t.has_at);
	assert_int_equal(t.not_before_ms, 1000 + 2 * HOUR);
	assert_int_equal(t.expires_ms, 1000 + 96 * HOUR); /* after the other one's end */
	m->parts[1].internal = 1;
	manifest_times(m, &m->parts[1], 1000, &t);
	assert_true(t.not_before_ms < 0);
	m->parts[1].after = 0;
	m->parts[1].internal = 0;
	m->parts[1].at = (struct when){ WHEN_AT, 5 * HOUR };
	manifest_times(m, &m->parts[1], 1000, &t);
	assert_int_equal(t.at_ms, 5 * HOUR);
	assert_int_equal(manifest_expires(&m->parts[1], 7 * HOUR), 55 * HOUR);
}

/* One change at a time is named alone; together they are all counted, and what fits is named. */
static void what_differs_is_named(void **state)
{
	(void)state;
	char text[300], little[24];
	CLEANUP(manifest_free) struct manifest *all = sample();
	CLEANUP(manifest_free) struct manifest *was = sample();
	static const char *const names[] = { "category", "campaign", "text 'title' (vi)",
		"file 'cover.png': content", "file 'cover.png': alt", "part 'press': expires",
		"part 'public': after", "part 'public': name" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(manifest_free) struct manifest *one = sample();
		struct manifest *const to[] = { one, all };
		for (size_t k = 0; k < 2; k++)
			switch (i) {
			case 0: to[k]->category = CAT_INTERNAL; break;
			case 1: to[k]->campaign = STR("other"); break;
			case 2: to[k]->texts[0].value = STR("Other"); break;
			case 3: to[k]->assets[0].hash.b[31] ^= 1; break;
			case 4: to[k]->assets[0].alt = STR(""); break;
			case 5: to[k]->parts[0].expires.ms++; break;
			case 6: to[k]->parts[1].after = 0; break;
			default: to[k]->parts[1].name = STR("duty"); break;
			}
		assert_int_equal(manifest_differs(was, one, text, sizeof(text)), 1);
		assert_string_equal(text, names[i]);
	}
	assert_int_equal(manifest_differs(was, all, text, sizeof(text)), ARRAY_LEN(names));
	assert_non_null(strstr(text, ", part 'public': name"));
	assert_int_equal(manifest_differs(was, all, little, sizeof(little)), ARRAY_LEN(names));
	assert_string_equal(little, "category, campaign");
	all->n_texts = 1; /* the body */
	assert_int_equal(manifest_differs(was, all, text, sizeof(text)), ARRAY_LEN(names) + 1);
	assert_non_null(strstr(text, "text 'body' (vi) is gone"));
	assert_int_equal(manifest_differs(all, was, text, sizeof(text)), ARRAY_LEN(names) + 1);
	assert_non_null(strstr(text, "text 'body' (vi) was added"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_of_format_1_never_change),
		cmocka_unit_test(each_thing_that_is_said_is_in_what_is_approved),
		cmocka_unit_test(what_was_written_is_read_back_equal),
		cmocka_unit_test(cut_or_damaged_bytes_are_refused),
		cmocka_unit_test(the_code_is_read_however_it_was_typed),
		cmocka_unit_test(times_count_from_the_last_approval),
		cmocka_unit_test(what_differs_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
