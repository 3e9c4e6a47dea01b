/* test_pdu.c - the codec: tables of good and broken PDUs, split at every byte, noise. */
#include "smpp_play.h"

static const char submit[] = "\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\7"
			     "CMT\0\5\0BHXH\0\1\1"
			     "84910000001\0\x40\0\0\0\0\1\0\10\0\4\5\0\3\1\2\4\0\2\0\1";

static void a_frame_is_whole_only_with_its_last_byte(void **state)
{
	char b[200];
	struct smpp_header h;
	size_t n = play_make(b, SMPP_ENQUIRE_LINK, 0, 9, "abc", 3);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(smpp_frame(b, i, &h), 0);
	assert_int_equal(smpp_frame(b, n, &h), 1);
	assert_int_equal(h.length, 19);
	assert_int_equal(h.id, SMPP_ENQUIRE_LINK);
	assert_int_equal(h.seq, 9);
}

static void lengths_that_cannot_be_are_refused_at_the_fourth_byte(void **state)
{
	static const char *const bad[] = { "\0\0\0\0", "\0\0\0\10", "\0\0\0\17", "\0\1\x11\x71",
		"\xff\xff\xff\xff", "\x80\0\0\0" };
	static const char good[] = "\0\1\x11\x70";
	struct smpp_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(smpp_frame(bad[i], 4, &h) < 0);
	assert_int_equal(smpp_frame(good, 4, &h), 0);
}

static void inside(struct lt_str s, const char *p, size_t n)
{
	if (s.n > 0)
		assert_true(s.p >= p && s.n <= n && s.p + s.n <= p + n);
}

static void a_body_cut_at_any_byte_is_refused_or_keeps_its_borders(void **state)
{
	struct smpp_sm m;
	const char *body = submit + 16;
	size_t n = sizeof(submit) - 1 - 16, whole = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char *exact = malloc(i + 1); /* so that the sanitizer sees one byte too far */
		assert_non_null(exact);
		memcpy(exact, body, i);
		int rc = smpp_read_sm((struct lt_str){ exact, i }, false, &m);
		if (rc == 0) {
			inside(m.source, exact, i);
			inside(m.dest, exact, i);
			inside(m.validity, exact, i);
			inside(m.message, exact, i);
			inside(m.tlvs, exact, i);
			whole++;
		}
		free(exact);
	}
	assert_int_equal(
		whole, 6); /* its message is there, and of six bytes of TLVs none to five */
}

static void fields_come_out_as_they_went_in(void **state)
{
	struct ltc_buf b, t;
	struct smpp_header h;
	struct smpp_sm out,
		in = { .service_type = LTC_LIT("CMT"),
			.source = LTC_LIT("BHXH VN"),
			.source_ton = 5,
			.dest = LTC_LIT("84910000001"),
			.dest_ton = 1,
			.dest_npi = 1,
			.esm_class = 0x43,
			.priority = 3,
			.validity = LTC_LIT("000000060000000R"),
			.registered = 1,
			.data_coding = 8,
			.message = LTC_LIT("\0x\0y") };

	(void)state;
	ltc_buf_init(&b, 1000);
	ltc_buf_init(&t, 100);
	smpp_tlv_add_u16(&t, SMPP_T_USER_REF, 0x1234);
	smpp_tlv_add(&t, 0x1400, "vendor", 6);
	in.tlvs = ltc_buf_str(&t);
	assert_int_equal(smpp_write_sm(&b, SMPP_SUBMIT_SM, 0, 77, &in), 0);
	assert_int_equal(smpp_frame(b.p, b.n, &h), 1);
	assert_int_equal(h.length, b.n);
	assert_int_equal(smpp_read_sm((struct lt_str){ b.p + 16, b.n - 16 }, false, &out), 0);
	assert_true(ltc_eq(out.source, in.source) && ltc_eq(out.dest, in.dest));
	assert_true(ltc_eq(out.validity, in.validity) && ltc_eq(out.message, in.message));
	assert_int_equal(out.esm_class, 0x43);
	assert_int_equal(out.data_coding, 8);
	uint32_t v = 0;
	struct lt_str vendor;
	assert_true(smpp_tlv_u(out.tlvs, SMPP_T_USER_REF, &v) && v == 0x1234);
	assert_true(smpp_tlv_find(out.tlvs, 0x1400, &vendor) && ltc_eqz(vendor, "vendor"));
	ltc_buf_done(&b);
	ltc_buf_done(&t);
}

static void nothing_is_cut_off_to_make_it_fit(void **state)
{
	struct ltc_buf b, t;
	struct smpp_sm sm = { .source = LTC_LIT("123456789012345678901") };
	struct smpp_bind bind = { .system_id = LTC_LIT("1234567890123456") };

	(void)state;
	ltc_buf_init(&b, 1000);
	ltc_buf_init(&t, 1000);
	assert_true(smpp_write_sm(&b, SMPP_SUBMIT_SM, 0, 1, &sm) < 0);
	assert_int_equal(b.n, 0);
	assert_true(smpp_write_bind(&b, &t, SMPP_BIND_TRX, 1, &bind, 0) < 0);
	bind.system_id = LTC_LIT("bhxh");
	assert_true(smpp_write_bind(&b, &t, SMPP_BIND_TRX, 1, &bind, 9) < 0);
	ltc_buf_done(&b);
	ltc_buf_done(&t);
}

static void strings_without_nul_are_refused(void **state)
{
	char body[300];
	struct smpp_sm m;
	struct smpp_bind bind;

	(void)state;
	memset(body, 'a', sizeof(body));
	assert_true(smpp_read_sm((struct lt_str){ body, sizeof(body) }, false, &m) < 0);
	assert_true(smpp_read_sm((struct lt_str){ body, sizeof(body) }, true, &m) < 0);
	assert_true(smpp_read_bind((struct lt_str){ body, sizeof(body) }, &bind) < 0);
	assert_true(smpp_read_sm((struct lt_str){ NULL, 0 }, false, &m) < 0);
}

static void tlvs_that_run_past_the_end_stop_the_walk(void **state)
{
	static const char tlvs[] = "\4\x27\0\1\2\4\x24\xff\xff\1\2";
	struct lt_str rest = { tlvs, sizeof(tlvs) - 1 }, v;
	struct smpp_tlv t;
	bool bad = false;
	uint32_t state_no = 0;

	(void)state;
	assert_true(smpp_tlv_next(&rest, &t, &bad) && t.tag == SMPP_T_STATE && !bad);
	assert_false(smpp_tlv_next(&rest, &t, &bad));
	assert_true(bad);
	rest = (struct lt_str){ tlvs, sizeof(tlvs) - 1 };
	assert_true(smpp_tlv_u(rest, SMPP_T_STATE, &state_no) && state_no == 2);
	assert_false(smpp_tlv_find(rest, SMPP_T_PAYLOAD, &v));
}

static void an_answer_may_have_no_body_no_nul_or_tlvs(void **state)
{
	struct lt_str id, tlvs;

	(void)state;
	smpp_read_resp((struct lt_str){ NULL, 0 }, &id, &tlvs);
	assert_int_equal(id.n, 0);
	smpp_read_resp((struct lt_str){ "", 1 }, &id, &tlvs);
	assert_int_equal(id.n, 0);
	smpp_read_resp((struct lt_str){ "39f9", 4 }, &id, &tlvs);
	assert_true(ltc_eqz(id, "39f9"));
	smpp_read_resp((struct lt_str){ "39f9\0\4\x28\0\1\x5a", 10 }, &id, &tlvs);
	uint32_t v = 0;
	assert_true(ltc_eqz(id, "39f9") && smpp_tlv_u(tlvs, SMPP_T_CONGESTION, &v) && v == 90);
}

static void user_data_headers_are_read_in_both_forms(void **state)
{
	struct smpp_part part;
	size_t n;

	(void)state;
	assert_true(smpp_udh_read((struct lt_str){ "\5\0\3\xab\2\1hi", 8 }, &part, &n));
	assert_true(part.ref == 0xab && part.total == 2 && part.seq == 1 && n == 6);
	assert_true(smpp_udh_read((struct lt_str){ "\6\10\4\1\2\3\2hi", 9 }, &part, &n));
	assert_true(part.ref == 0x102 && part.total == 3 && part.seq == 2 && n == 7);
	assert_false(smpp_udh_read((struct lt_str){ "\x40\0\3\1\2\1", 6 }, &part, &n));
	assert_false(smpp_udh_read((struct lt_str){ "\5\0\x7f\1\2\1", 6 }, &part, &n));
	assert_false(smpp_udh_read((struct lt_str){ "\5\0\3\1\2\3", 6 }, &part, &n));
}

static void noise_is_read_without_harm(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t n = (size_t)(i % 120);
		char *p = malloc(n + 1);
		struct smpp_sm m;
		struct smpp_bind v;
		struct smpp_part part;
		struct lt_str id, tlvs, found;
		assert_non_null(p);
		for (size_t k = 0; k < n; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			p[k] = (char)(seed >> (i % 3 == 0 ? 60 : 56));
		}
		struct lt_str body = { p, n };
		(void)!smpp_read_sm(body, i % 2 == 0, &m);
		(void)!smpp_read_bind(body, &v);
		smpp_read_resp(body, &id, &tlvs);
		(void)smpp_tlv_find(tlvs, 7, &found);
		(void)smpp_udh_read(body, &part, &n);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_whole_only_with_its_last_byte),
		cmocka_unit_test(lengths_that_cannot_be_are_refused_at_the_fourth_byte),
		cmocka_unit_test(a_body_cut_at_any_byte_is_refused_or_keeps_its_borders),
		cmocka_unit_test(fields_come_out_as_they_went_in),
		cmocka_unit_test(nothing_is_cut_off_to_make_it_fit),
		cmocka_unit_test(strings_without_nul_are_refused),
		cmocka_unit_test(tlvs_that_run_past_the_end_stop_the_walk),
		cmocka_unit_test(an_answer_may_have_no_body_no_nul_or_tlvs),
		cmocka_unit_test(user_data_headers_are_read_in_both_forms),
		cmocka_unit_test(noise_is_read_without_harm),
	};
	return cmocka_run_group_tests_name("smpp/pdu", tests, NULL, NULL);
}
