/* test_ids.c - ids with zeros in front, in the base that the answer did not have (contract 1.4). */
#include "smpp/smpp.h"
#include "smpp_play.h"

static bool has(const struct smpp_ids *ids, const char *want)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ltc_eqz(ids->list[i], want))
			return true;
	return false;
}

static void all_of(enum smpp_dlr_id how, uint64_t lens, const char *id, struct smpp_ids *ret)
{
	smpp_receipt_ids(how, ltc_z(id), ret);
	smpp_receipt_pad_all(how, lens, ltc_z(id), ret);
}

/* The last report was told with `want` as its first id. */
static void wants_first(const struct play *p, const char *want)
{
	size_t n = strlen(want);

	if (strncmp(p->h->receipt_ids, want, n) != 0 || p->h->receipt_ids[n] != ' ')
		fail_msg("%s is not the first of: %s", want, p->h->receipt_ids);
}

static const struct {
	const char *answer, *report, *dlr_id;
} pairs[] = {
	{ "0000000039f90001", "972619777", "resp_hex_dlr_dec" },
	{ "0000000039F90001", "972619777", "resp_hex_dlr_dec" },
	{ "0000000039f90001", "0972619777", "resp_hex_dlr_dec" },
	{ "000039f90001", "972619777", "resp_hex_dlr_dec" },
	{ "0039f90001", "972619777", "resp_hex_dlr_dec" },
	{ "000972619777", "39f90001", "resp_dec_dlr_hex" },
	{ "0000000972619777", "39F90001", "resp_dec_dlr_hex" },
	{ "0000000972619777", "0000000039f90001", "resp_dec_dlr_hex" },
};

static void padded_answers_are_found_from_reports_in_the_other_base(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct play *p = play_new();
		sh_conf(p->h, "dlr_id", i % 2 == 0 ? "auto" : pairs[i / 2].dlr_id);
		play_bind(p);
		(void)play_send(p, "+84910000001", ONE);
		sh_turn(p->h);
		char text[80];
		play_ok(p, 0, play_want(p, 0, SMPP_SUBMIT_SM).seq, pairs[i / 2].answer);
		(void)snprintf(text, sizeof(text), "id:%s stat:DELIVRD", pairs[i / 2].report);
		play_report(p, 0, 9, text);
		if (i % 2 == 0)
			wants_first(p, pairs[i / 2].answer);
		else if (strstr(p->h->receipt_ids, pairs[i / 2].answer) == NULL)
			fail_msg("%s is not in: %s", pairs[i / 2].answer, p->h->receipt_ids);
		play_free(p);
	}
}

/* Behind a restart no answer has told a length yet: the usual ones are tried. */
static void before_the_first_answer_the_usual_lengths_are_tried(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct smpp_ids ids;
		all_of(SMPP_DLR_AUTO, 0, pairs[i].report, &ids);
		if (!has(&ids, pairs[i].answer))
			fail_msg("%s does not lead to %s", pairs[i].report, pairs[i].answer);
		assert_true(ltc_eqz(ids.list[0], pairs[i].report));
	}
}

static void a_length_that_is_known_is_the_only_one(void **state)
{
	struct smpp_ids ids;

	(void)state;
	all_of(SMPP_DLR_HEX_DEC, UINT64_C(1) << 14, "972619777", &ids);
	assert_true(has(&ids, "00000039f90001") && has(&ids, "00000039F90001"));
	assert_false(has(&ids, "0000000039f90001"));
	all_of(SMPP_DLR_EXACT, UINT64_C(1) << 14, "972619777", &ids);
	assert_int_equal(ids.n, 1);
	all_of(SMPP_DLR_HEX_DEC, UINT64_C(1) << 14, "39f90001", &ids);
	assert_int_equal(ids.n, 1); /* not a decimal number: as it came */
	all_of(SMPP_DLR_AUTO, UINT64_C(1) << 8, "0000000000f90001", &ids);
	assert_true(has(&ids, "00f90001")); /* fewer zeros, but not none */
}

/* The most that one report can lead to: everything that may be meant is in it, and the host takes so many. */
static void the_list_is_long_enough_for_the_worst_id(void **state)
{
	static const char *const worst[] = { "123456", "000123456", "000000123456", "7", "42",
		"1e240f", "1E240f", "18446744073709551615", "99999999999999999999999999" };
	struct smpp_ids ids;

	(void)state;
	for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
		all_of(SMPP_DLR_AUTO, 0, worst[i], &ids);
		assert_true(ids.n <= SMPP_IDS_MAX);
		for (size_t k = 0; k < ids.n; k++)
			for (size_t j = 0; j < k; j++)
				assert_false(ltc_eq(ids.list[j], ids.list[k]));
	}
	all_of(SMPP_DLR_AUTO, 0, "123456", &ids);
	assert_true(has(&ids, "0000000000000001e240") && has(&ids, "0000000000000001E240") &&
		has(&ids, "00000000000001193046") && has(&ids, "00000000000000123456"));
	all_of(SMPP_DLR_AUTO, 0, "000000123456", &ids);
	assert_true(has(&ids, "00000000000001193046") && has(&ids, "0000000000123456"));
}

static void a_server_whose_reports_are_as_its_answers_is_asked_no_other_way(void **state)
{
	struct play *p = play_bound();
	char id[24], text[80];

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		(void)snprintf(id, sizeof(id), "%016u", 4711 + i);
		(void)play_send(p, "+84910000001", ONE);
		sh_turn(p->h);
		play_ok(p, 0, play_want(p, 0, SMPP_SUBMIT_SM).seq, id);
		(void)snprintf(text, sizeof(text), "id:%s stat:DELIVRD", id);
		play_report(p, 0, 100 + i, text);
		assert_int_equal(play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP).seq, 100 + i);
	}
	play_report(p, 0, 999, "id:0000000000009999 stat:DELIVRD");
	assert_null(strstr(p->h->receipt_ids, "270f")); /* 9999 in the other base */
	play_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(padded_answers_are_found_from_reports_in_the_other_base),
		cmocka_unit_test(before_the_first_answer_the_usual_lengths_are_tried),
		cmocka_unit_test(a_length_that_is_known_is_the_only_one),
		cmocka_unit_test(the_list_is_long_enough_for_the_worst_id),
		cmocka_unit_test(a_server_whose_reports_are_as_its_answers_is_asked_no_other_way),
	};
	return cmocka_run_group_tests_name("smpp/ids", tests, NULL, NULL);
}
