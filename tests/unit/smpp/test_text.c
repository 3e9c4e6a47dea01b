/* test_text.c - texts as segments: alphabets, borders, the four ways of parting, and the fields of submit_sm. */
#include "common/sms_text.h"
#include "smpp_play.h"

static char *payload(const char *coding, int segments, const char *text)
{
	static char b[20000];

	(void)snprintf(b, sizeof(b),
		"lantoa-sms 1\ncoding: %s\nsegments: %d\nunits: 1\ncategory: 1\n\n%s", coding,
		segments, text);
	return b;
}

static void repeat(char *dst, const char *what, int times)
{
	dst[0] = 0;
	for (int i = 0; i < times; i++)
		memcpy(dst + strlen(dst), what, strlen(what) + 1);
}

/* All segments of one text, decoded and joined; each within what goes over the air. */
static void join(struct play *p, int n, char *dst, size_t size)
{
	struct ltc_buf out;

	ltc_buf_init(&out, 20000);
	for (int i = 0; i < n; i++) {
		struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
		struct lt_str m = d.sm.message;
		struct smpp_part part;
		size_t head = 0;
		assert_true(d.sm_good);
		if (m.n == 0)
			assert_true(smpp_tlv_find(d.sm.tlvs, SMPP_T_PAYLOAD, &m));
		else
			assert_true(d.sm.data_coding == 8 ? m.n <= 140 : m.n <= 160);
		if (d.sm.esm_class & 0x40) {
			assert_true(smpp_udh_read(m, &part, &head));
			assert_true(part.seq == i + 1 && part.total == n);
		}
		m = ltc_from(m, head);
		if (d.sm.data_coding == 8) {
			assert_int_equal(m.n % 2, 0);
			unsigned char hi = (unsigned char)m.p[0];
			assert_false(hi >= 0xdc &&
				hi < 0xe0); /* never the second half of a pair first */
			sms_decode_ucs2((const uint8_t *)m.p, m.n, &out);
		} else {
			assert_int_not_equal(m.p[m.n - 1], 0x1b);
			sms_decode_gsm((const uint8_t *)m.p, m.n, &out);
		}
	}
	(void)snprintf(dst, size, "%.*s", (int)out.n, out.p);
	ltc_buf_done(&out);
}

static void whole(const char *mode, const char *coding, int segments, const char *text)
{
	struct play *p = play_new();
	char got[20000];
	struct pdu more;

	sh_conf(p->h, "long_mode", mode);
	sh_conf(p->h, "max_segments", "16");
	play_bind(p);
	(void)play_send(p, "+84910000001", payload(coding, segments, text));
	sh_turn(p->h);
	join(p, strcmp(mode, "payload") == 0 ? 1 : segments, got, sizeof(got));
	assert_string_equal(got, text);
	assert_false(play_next(p, 0, &more));
	play_free(p);
}

static void a_3_segment_ucs2_text_with_emoji_on_the_border_is_whole(void **state)
{
	char text[4000], a[4000];

	(void)state;
	for (int at = 64; at <= 68; at++) { /* the pair lies before, on and behind the border */
		repeat(a, "đ", at);
		(void)snprintf(text, sizeof(text), "%s😀", a);
		repeat(a, "ệ", 130 - at);
		memcpy(text + strlen(text), a, strlen(a) + 1);
		memcpy(text + strlen(text), "🎉cuối", strlen("🎉cuối") + 1);
		whole("udh8", "ucs2", 3, text);
		whole("sar", "ucs2", 3, text);
	}
}

static void a_gsm_text_with_a_euro_at_153_is_whole(void **state)
{
	char text[4000], a[4000];

	(void)state;
	for (int at = 151; at <= 154; at++) {
		repeat(a, "a", at);
		(void)snprintf(text, sizeof(text), "%s€[]{}bbbbbbbbbbbbbb", a);
		whole("udh8", "gsm", 2, text);
		whole("sar", "gsm", 2, text);
	}
}

static void every_way_of_parting_keeps_the_text(void **state)
{
	char text[4000];

	(void)state;
	repeat(text, "Thong bao ", 40);
	whole("udh8", "gsm", 3, text);
	whole("udh16", "gsm", 3, text);
	whole("sar", "gsm", 3, text);
	whole("payload", "gsm", 3, text);
	repeat(text, "Thông báo ", 30);
	whole("payload", "ucs2", 5, text);
}

static void sar_has_no_user_data_header(void **state)
{
	struct play *p = play_new();
	uint32_t ref, total, seq;

	(void)state;
	sh_conf(p->h, "long_mode", "sar");
	play_bind(p);
	(void)play_send(p, "+84910000001", TWO);
	sh_turn(p->h);
	for (uint32_t i = 1; i <= 2; i++) {
		struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
		assert_int_equal(d.sm.esm_class & 0x40, 0);
		assert_true(smpp_tlv_u(d.sm.tlvs, SMPP_T_SAR_REF, &ref));
		assert_true(smpp_tlv_u(d.sm.tlvs, SMPP_T_SAR_TOTAL, &total) && total == 2);
		assert_true(smpp_tlv_u(d.sm.tlvs, SMPP_T_SAR_SEQ, &seq) && seq == i);
	}
	play_free(p);
}

static void two_long_texts_to_one_phone_never_share_a_reference(void **state)
{
	struct play *p = play_bound();
	bool seen[256] = { false };

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct smpp_part part;
		size_t n;
		(void)play_send(p, "+84910000001", TWO);
		sh_turn(p->h);
		struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
		assert_true(smpp_udh_read(a.sm.message, &part, &n));
		assert_false(seen[part.ref]);
		seen[part.ref] = true;
		play_ok(p, 0, a.seq, "x");
		play_ok(p, 0, b.seq, "y");
	}
	play_free(p);
}

static uint8_t reference(struct play *p)
{
	struct smpp_part part;
	size_t n;

	(void)play_send(p, "+84910000001", TWO);
	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(smpp_udh_read(a.sm.message, &part, &n));
	play_ok(p, 0, a.seq, "x");
	play_ok(p, 0, b.seq, "y");
	return (uint8_t)part.ref;
}

/* The program is started anew some seconds after its last long text, again and again: 16 minutes, no reference twice. */
static void a_restart_does_not_bring_a_reference_back(void **state)
{
	bool seen[256] = { false };

	(void)state;
	for (int i = 0; i < 240; i++) {
		struct play *p = play_new();
		p->h->wall += INT64_C(4000) * i;
		play_bind(p);
		uint8_t ref = reference(p);
		assert_false(seen[ref]);
		seen[ref] = true;
		play_free(p);
	}
}

static void settings_reach_the_fields(void **state)
{
	struct play *p = play_new();

	(void)state;
	sh_conf(p->h, "sender_type", "shortcode");
	sh_conf(p->h, "sender", "8056");
	sh_conf(p->h, "dest_format", "national_0");
	sh_conf(p->h, "service_type", "CMT");
	sh_conf(p->h, "esm_class", "3");
	sh_conf(p->h, "validity_s", "21600");
	sh_conf(p->h, "priority", "yes");
	sh_conf(p->h, "receipts", "failures");
	sh_conf(p->h, "flash", "yes");
	play_bind(p);
	(void)play_send(p, "+84910000001", payload("gsm", 1, "chao"));
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(ltc_eqz(d.sm.dest, "0910000001") && d.sm.dest_ton == 2 && d.sm.source_ton == 3);
	assert_true(ltc_eqz(d.sm.service_type, "CMT") && d.sm.esm_class == 3);
	assert_true(ltc_eqz(d.sm.validity, "000000060000000R"));
	assert_int_equal(d.sm.priority, 3);
	assert_int_equal(d.sm.registered, 2);
	assert_int_equal(d.sm.data_coding, 0x10);
	play_free(p);
}

/* Type of number 1 says that it is international: a plus is no digit of it. */
static void a_number_as_sender_goes_without_its_plus(void **state)
{
	struct play *p = play_new();

	(void)state;
	sh_conf(p->h, "sender_type", "number");
	sh_conf(p->h, "sender", "+84901234567");
	play_bind(p);
	(void)play_send(p, "+84910000001", payload("gsm", 1, "chao"));
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(ltc_eqz(d.sm.source, "84901234567"));
	assert_true(d.sm.source_ton == 1 && d.sm.source_npi == 1);
	play_free(p);
}

static void a_server_of_latin1_gets_its_octets(void **state)
{
	struct play *p = play_new();

	(void)state;
	sh_conf(p->h, "dcs0_charset", "latin1");
	play_bind(p);
	(void)play_send(p, "+84910000001", payload("gsm", 1, "@_$é{"));
	size_t euro = play_send(p, "+84910000001", payload("gsm", 1, "€"));
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(ltc_eq(d.sm.message, LTC_LIT("@_$\xe9{")));
	assert_int_equal(sh_result(p->h, euro)->outcome, LT_REFUSED); /* refused, not changed */
	assert_int_equal(sh_result(p->h, euro)->scope, LT_SCOPE_RELEASE);
	play_free(p);
}

static void a_payload_of_another_kind_is_refused(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", "From: a@x\r\n\r\nhello");
	struct pdu d;

	(void)state;
	sh_turn(p->h);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_REFUSED);
	assert_false(play_next(p, 0, &d));
	play_free(p);
}

static void wrong_settings_refuse_to_open_with_a_reason(void **state)
{
	static const char *const bad[][3] = { { "window", "501", "window" },
		{ "window", "0", "window" }, { "binds", "17", "binds" },
		{ "system_id", "1234567890123456", "system_id" },
		{ "service_type", "CMTCMT", "service_type" }, { "mode", "both", "mode" },
		{ "sender", "BHXH Việt N", "sender" }, { "sender", "BHXHVIETNAM1", "sender" },
		{ "max_segments", "17", "max_segments" }, { "long_mode", "udh", "long_mode" },
		{ "zone", "Mars", "zone" }, { "port", "70000", "port" } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct play *p = play_new();
		sh_conf(p->h, bad[i][0], bad[i][1]);
		assert_true(sh_open(p->h) < 0);
		const struct sh_note *n = sh_last_note(p->h, "log");
		assert_non_null(n);
		assert_non_null(strstr(n->text, bad[i][2]));
		play_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_3_segment_ucs2_text_with_emoji_on_the_border_is_whole),
		cmocka_unit_test(a_gsm_text_with_a_euro_at_153_is_whole),
		cmocka_unit_test(every_way_of_parting_keeps_the_text),
		cmocka_unit_test(sar_has_no_user_data_header),
		cmocka_unit_test(two_long_texts_to_one_phone_never_share_a_reference),
		cmocka_unit_test(a_restart_does_not_bring_a_reference_back),
		cmocka_unit_test(settings_reach_the_fields),
		cmocka_unit_test(a_number_as_sender_goes_without_its_plus),
		cmocka_unit_test(a_server_of_latin1_gets_its_octets),
		cmocka_unit_test(a_payload_of_another_kind_is_refused),
		cmocka_unit_test(wrong_settings_refuse_to_open_with_a_reason),
	};
	return cmocka_run_group_tests_name("smpp/text", tests, NULL, NULL);
}
