/* test_receipt.c - reports in every form that vendors give them, ids in every way of writing, and the table of statuses. */
#include "smpp/smpp.h"
#include "smpp_play.h"

#define FORM "{stat},{},{},{err},{},{},{id}"
static const struct smpp_conf conf = {
	.guess_receipts = true, .zone_min = 420, .report_form = { FORM, sizeof(FORM) - 1 }
};

static int parse(const char *text, const char *tlvs, size_t n, struct smpp_receipt *r)
{
	struct smpp_sm m = {
		.esm_class = 4, .message = { text, strlen(text) }, .tlvs = { tlvs, n }
	};

	return smpp_receipt_parse(&conf, &m, r);
}

static void every_state_of_the_table_is_known(void **state)
{
	static const struct {
		const char *word;
		uint8_t number;
		int32_t want;
		bool final;
	} table[] = { { "SCHEDULED", 0, LT_RC_TRANSIT, false },
		{ "ENROUTE", 1, LT_RC_TRANSIT, false }, { "DELIVRD", 2, LT_RC_DELIVERED, true },
		{ "EXPIRED", 3, LT_RC_FAILED, true }, { "DELETED", 4, LT_RC_FAILED, true },
		{ "UNDELIV", 5, LT_RC_FAILED, true }, { "ACCEPTD", 6, LT_RC_TRANSIT, false },
		{ "UNKNOWN", 7, LT_RC_LOST, true }, { "REJECTD", 8, LT_RC_FAILED, true },
		{ "SKIPPED", 9, LT_RC_FAILED, true }, { "BUFFRED", 1, LT_RC_TRANSIT, false },
		{ "ACKED", 1, LT_RC_TRANSIT, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct smpp_receipt r;
		char text[100], tlv[5] = { 4, 0x27, 0, 1, (char)table[i].number };
		(void)snprintf(text, sizeof(text), "id:77 stat:%s err:001", table[i].word);
		assert_int_equal(parse(text, NULL, 0, &r), 0);
		assert_int_equal(r.state, table[i].want);
		assert_int_equal(r.final, table[i].final);
		assert_int_equal(parse("id:77 stat:DELIVRD", tlv, 5, &r), 0); /* the TLV wins */
		assert_int_equal(r.state, table[i].want);
	}
}

static void texts_are_read_by_key_never_by_place(void **state)
{
	struct smpp_receipt r;

	(void)state;
	assert_int_equal(
		parse("id:0972660181 sub:001 dlvrd:001 submit date:2611220930 done date:2611220931 "
		      "stat:DELIVRD err:000 text:stat:UNDELIV id:1",
			NULL, 0, &r),
		0);
	assert_true(
		ltc_eqz(r.id, "0972660181") && r.state == LT_RC_DELIVERED && ltc_eqz(r.err, "000"));
	assert_true(r.at_ms == INT64_C(1795314660000)); /* 22/11/2026 09:31 in Viet Nam */
	assert_int_equal(parse("stat:UNDELIV err:0AB id:3f2c-11 Text:", NULL, 0, &r), 0);
	assert_true(ltc_eqz(r.id, "3f2c-11") && r.state == LT_RC_FAILED && ltc_eqz(r.err, "0AB"));
	assert_int_equal(parse("ID:5 STAT:delivrd DONE DATE:20261122093105", NULL, 0, &r), 0);
	assert_true(r.at_ms == INT64_C(1795314665000));
	assert_int_equal(
		parse("DELIVRD,2611220930,2611220931,000,84910000001,BHXH,abc-9", NULL, 0, &r), 0);
	assert_true(ltc_eqz(r.id, "abc-9") && r.state == LT_RC_DELIVERED && ltc_eqz(r.err, "000"));
	assert_true(parse("DELIVRD,2611220930,000", NULL, 0, &r) < 0);
	assert_true(parse("id:5", NULL, 0, &r) < 0);
	assert_true(parse("", NULL, 0, &r) < 0);
	assert_true(parse("id: stat: err:", NULL, 0, &r) < 0);
}

static void a_report_without_keys_is_read_by_the_form_of_its_route(void **state)
{
	static const struct {
		const char *form;
		bool good;
	} forms[] = { { "{stat},{},{},{err},{},{},{id}", true }, { "{id} is {stat}", true },
		{ "{stat}", true }, { "", false }, { "{id}", false }, { "{stat}{id}", false },
		{ "{stat", false }, { "{what} {stat}", false }, { "}{stat}", true } };
	struct smpp_receipt r = { 0 };
	struct lt_str done;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		assert_int_equal(smpp_form_is_good(ltc_z(forms[i].form)), forms[i].good);
	struct lt_str form = ltc_z("[{id}] state={stat};err={err};at={done}.");
	assert_true(smpp_form_read(
		form, ltc_z("[ab-1] state=DELIVRD;err=000;at=2611220931."), &r, &done));
	assert_true(ltc_eqz(r.id, "ab-1") && ltc_eqz(r.stat, "DELIVRD") && ltc_eqz(r.err, "000") &&
		ltc_eqz(done, "2611220931"));
	r = (struct smpp_receipt){ .id = ltc_z("tlv") };
	assert_true(smpp_form_read(form, ltc_z("[ab-1] state=DELIVRD;err=;at=."), &r, &done));
	assert_true(ltc_eqz(r.id, "tlv") && r.err.n == 0 && done.n == 0);
	r = (struct smpp_receipt){ 0 };
	assert_false(smpp_form_read(form, ltc_z("[ab-1] state=DELIVRD"), &r, &done));
	assert_false(smpp_form_read(form, ltc_z("ab-1"), &r, &done));
	assert_false(smpp_form_read(form, ltc_z(""), &r, &done));
	assert_int_equal(r.stat.n, 0);
}

static void the_id_of_the_tlv_wins(void **state)
{
	static const char tlvs[] = "\0\x1e\0\5tlv1\0\4\x27\0\1\2";
	struct smpp_receipt r;

	(void)state;
	assert_int_equal(parse("id:text1 stat:UNDELIV", tlvs, sizeof(tlvs) - 1, &r), 0);
	assert_true(ltc_eqz(r.id, "tlv1") && r.state == LT_RC_DELIVERED);
	assert_int_equal(parse("", tlvs, sizeof(tlvs) - 1, &r), 0);
	assert_true(ltc_eqz(r.id, "tlv1"));
}

static void a_space_behind_a_key_is_no_empty_value(void **state)
{
	struct smpp_receipt r;

	(void)state;
	assert_int_equal(parse("id: 12 sub: 001 stat: DELIVRD err: 000", NULL, 0, &r), 0);
	assert_true(ltc_eqz(r.id, "12") && ltc_eqz(r.err, "000") && r.state == LT_RC_DELIVERED);
	assert_int_equal(parse("id: stat:DELIVRD err:000", NULL, 0, &r), 0);
	assert_int_equal(r.id.n, 0);
	assert_int_equal(parse("id:a:b stat:DELIVRD", NULL, 0, &r), 0);
	assert_true(ltc_eqz(r.id, "a:b"));
}

static bool has(const struct smpp_ids *ids, const char *want)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ltc_eqz(ids->list[i], want))
			return true;
	return false;
}

static void ids_are_looked_for_in_every_way_of_writing(void **state)
{
	struct smpp_ids ids;

	(void)state;
	smpp_receipt_ids(SMPP_DLR_AUTO, LTC_LIT("0972660181"), &ids);
	assert_true(ltc_eqz(ids.list[0], "0972660181")); /* as it came, first */
	assert_true(has(&ids, "39f99dd5") && has(&ids, "39F99DD5") && has(&ids, "972660181"));
	smpp_receipt_ids(SMPP_DLR_AUTO, LTC_LIT("39F99DD5"), &ids);
	assert_true(has(&ids, "39f99dd5") && has(&ids, "972660181") && has(&ids, "0972660181"));
	smpp_receipt_ids(SMPP_DLR_AUTO, LTC_LIT("972660181"), &ids);
	assert_true(has(&ids, "0972660181"));
	smpp_receipt_ids(SMPP_DLR_AUTO, LTC_LIT("3F2C-11-UUID"), &ids);
	assert_true(has(&ids, "3f2c-11-uuid"));
	smpp_receipt_ids(SMPP_DLR_EXACT, LTC_LIT("0972660181"), &ids);
	assert_int_equal(ids.n, 1);
	smpp_receipt_ids(SMPP_DLR_HEX_DEC, LTC_LIT("0972660181"), &ids);
	assert_true(ltc_eqz(ids.list[0], "39f99dd5"));
	smpp_receipt_ids(SMPP_DLR_DEC_HEX, LTC_LIT("39f99dd5"), &ids);
	assert_true(ltc_eqz(ids.list[0], "972660181"));
	smpp_receipt_ids(SMPP_DLR_AUTO, LTC_LIT("99999999999999999999999999"), &ids);
	assert_true(ids.n >= 1 && ids.n <= SMPP_IDS_MAX); /* too large for a number: as text */
	smpp_receipt_ids(SMPP_DLR_AUTO, (struct lt_str){ 0 }, &ids);
	assert_int_equal(ids.n, 0);
}

static void zeros_that_a_report_lost_are_put_back(void **state)
{
	struct smpp_ids ids = { .n = 0 };

	(void)state;
	smpp_receipt_pad(0, LTC_LIT("42"), &ids); /* nothing is known yet: the usual lengths */
	assert_true(has(&ids, "00000042") && has(&ids, "0000000042") && has(&ids, "000000000042"));
	ids.n = 0;
	smpp_receipt_pad(UINT64_C(1) << 14, LTC_LIT("42"), &ids);
	assert_int_equal(ids.n, 1);
	assert_true(has(&ids, "00000000000042"));
	ids.n = 0;
	smpp_receipt_pad(UINT64_C(1) << 14, LTC_LIT("12345678901234"), &ids);
	assert_int_equal(ids.n, 0);
	smpp_receipt_pad(0, LTC_LIT("uuid-1"), &ids);
	assert_int_equal(ids.n, 0);
}

static void the_length_of_ids_with_zeros_is_learned_from_the_answers(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	(void)play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0, d.seq, "00000000000000042", 18);
	play_report(p, 0, 9, "id:42 stat:DELIVRD");
	assert_memory_equal(p->h->receipt_ids, "00000000000000042 ", 18); /* known: first */
	assert_null(strstr(p->h->receipt_ids, " 000000000042 "));
	play_free(p);
}

/* An answer with `id` to the text of one phone; the report that follows writes it as `report`. */
static void answered(struct play *p, const char *id)
{
	(void)play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_ok(p, 0, d.seq, id);
}

static void the_form_that_hits_is_logged_once_and_offered_as_the_setting(void **state)
{
	struct play *p = play_bound();

	(void)state;
	answered(p, "39f99dd5");
	play_report(p, 0, 9, "id:0972660181 stat:DELIVRD");
	assert_memory_equal(p->h->receipt_ids, "39f99dd5 ", 9);
	const struct sh_note *n = sh_last_note(p->h, "log");
	assert_non_null(n);
	assert_non_null(strstr(n->text, "set dlr_id: resp_hex_dlr_dec"));
	(void)play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	answered(p, "39f99dd6");
	play_report(p, 0, 10, "id:0972660182 stat:DELIVRD");
	assert_ptr_equal(sh_last_note(p->h, "log"), n);
	(void)play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	answered(p, "4711");
	play_report(p, 0, 11, "id:4711 stat:DELIVRD");
	assert_string_equal(p->h->receipt_ids, "4711 "); /* no other way is looked for */
	play_free(p);
}

/* 16 is 0x10: the id of an older text to the same phone. The report is about the one whose answer is still on its way. */
static void an_early_report_is_not_taken_for_an_older_text_in_another_base(void **state)
{
	struct play *p = play_bound();
	struct pdu d, e;

	(void)state;
	answered(p, "10");
	size_t before = told(p->h);
	(void)play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_report(p, 0, 9, "id:16 stat:DELIVRD");
	assert_int_equal(told(p->h), before); /* whose is it? */
	assert_false(play_next(p, 0, &e));
	play_ok(p, 0, d.seq, "16");
	assert_int_equal(told(p->h), before + 1);
	assert_string_equal(p->h->receipt_ids, "16 ");
	assert_int_equal(play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP).seq, 9);
	play_free(p);
}

static void an_early_report_waits_a_second_at_most(void **state)
{
	struct play *p = play_bound();
	struct pdu e;

	(void)state;
	(void)play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	(void)play_want(p, 0, SMPP_SUBMIT_SM);
	play_report(p, 0, 9, "id:16 stat:DELIVRD");
	sh_advance(p->h, 900);
	assert_false(play_next(p, 0, &e));
	sh_advance(p->h, 200);
	assert_int_equal(play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP).seq, 9);
	assert_memory_equal(p->h->receipt_ids, "16 ", 3);
	play_report(
		p, 0, 10, "id:17 stat:DELIVRD"); /* and when the link goes, it is told at once */
	size_t before = told(p->h);
	sh_closed(p->h, 0, -104, "", "reset");
	assert_int_equal(told(p->h), before + 1);
	play_free(p);
}

static void the_same_report_a_thousand_times_is_answered_a_thousand_times(void **state)
{
	struct play *p = play_bound();

	(void)state;
	answered(p, "4711");
	for (uint32_t i = 0; i < 1000; i++) {
		play_report(p, 0, 100 + i, "id:4711 stat:DELIVRD");
		assert_string_equal(p->h->receipt_ids, "4711 ");
		struct pdu d = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
		assert_true(d.seq == 100 + i && d.status == 0 && d.n == 1 && d.body[0] == 0);
	}
	play_free(p);
}

static void the_code_of_the_network_is_kept(void **state)
{
	struct play *p = play_bound();
	char b[500];

	(void)state;
	sh_data_n(p->h, 0, b,
		play_deliver(b, 8, 4, "84910000001", "id:99 stat:UNDELIV err:005", 26,
			"\x04\x23\0\3\3\0\x42", 7));
	assert_string_equal(p->h->receipt_code, "UNDELIV/005/net3:66");
	play_free(p);
}

static void a_report_is_known_by_class_by_tlv_or_by_its_words(void **state)
{
	struct smpp_sm m = { .message = LTC_LIT("id:7 stat:DELIVRD") };

	(void)state;
	assert_true(smpp_receipt_is(&conf, &m));
	m.message = LTC_LIT("Xin chao, id:7");
	assert_false(smpp_receipt_is(&conf, &m));
	m.esm_class = 0x04;
	assert_true(smpp_receipt_is(&conf, &m));
	m.esm_class = 0x20;
	assert_true(smpp_receipt_is(&conf, &m));
	m.esm_class = 0;
	m.tlvs = (struct lt_str){ "\0\x1e\0\2x\0", 6 };
	assert_true(smpp_receipt_is(&conf, &m));
}

static void a_report_that_cannot_be_read_is_acknowledged_and_dropped(void **state)
{
	static const char *const bad[] = { "id:5", "", "stat:DELIVRD", "\x01\x02\x03" };
	struct play *p = play_bound();

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		play_report(p, 0, 40 + i, bad[i]);
		struct pdu d = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
		assert_true(d.seq == 40 + i && d.status == 0);
	}
	play_say(p, 0, SMPP_DELIVER_SM, 0, 50, "no nul", 6);
	assert_int_equal(play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP).seq, 50);
	assert_null(sh_last_note(p->h, "receipt"));
	play_free(p);
}

static void a_report_with_our_reference_settles_a_lost_answer(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);
	uint32_t ref;
	char tlv[6], b[500];

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(smpp_tlv_u(d.sm.tlvs, SMPP_T_USER_REF, &ref));
	sh_closed(p->h, 0, -104, "", "reset");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	sh_advance(p->h, 2500);
	sh_opened(p->h, 1, "");
	d = play_want(p, 1, SMPP_BIND_TRX);
	play_say(p, 1, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "s", 2);
	memcpy(tlv, "\2\4\0\2", 4);
	tlv[4] = (char)(ref >> 8);
	tlv[5] = (char)ref;
	sh_data_n(p->h, 1, b,
		play_deliver(b, 8, 4, "84910000001", "id:99 stat:DELIVRD", 18, tlv, sizeof(tlv)));
	assert_int_equal(sh_last_note(p->h, "receipt")->value, LT_RC_DELIVERED);
	assert_int_equal(play_want(p, 1, SMPP_DELIVER_SM | SMPP_RESP).seq, 8);
	play_free(p);
}

/* The answer is lost, and the report was here before we knew that. */
static void a_report_that_came_before_the_loss_settles_it_too(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);
	uint32_t ref;
	char tlv[6], b[500];

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(smpp_tlv_u(d.sm.tlvs, SMPP_T_USER_REF, &ref));
	memcpy(tlv, "\2\4\0\2", 4);
	tlv[4] = (char)(ref >> 8);
	tlv[5] = (char)ref;
	/* another phone, a report that is not final, and the one that counts */
	sh_data_n(p->h, 0, b,
		play_deliver(b, 7, 4, "84910000002", "id:98 stat:UNDELIV", 18, tlv, sizeof(tlv)));
	sh_data_n(p->h, 0, b,
		play_deliver(b, 8, 4, "84910000001", "id:99 stat:ENROUTE", 18, tlv, sizeof(tlv)));
	sh_data_n(p->h, 0, b,
		play_deliver(b, 9, 4, "84910000001", "id:99 stat:DELIVRD", 18, tlv, sizeof(tlv)));
	size_t before = told(p->h);
	sh_closed(p->h, 0, -104, "", "reset");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_int_equal(told(p->h), before + 1);
	assert_int_equal(sh_last_note(p->h, "receipt")->value, LT_RC_DELIVERED);
	play_free(p);
}

/* Contract 1.5, row by row: the class of each code. */
static void every_status_of_the_contract_has_its_outcome(void **state)
{
	static const struct {
		const char *codes;
		int32_t outcome, scope;
		uint32_t flags;
	} table[] = { { "1 43 C0 C1 C2 C3 C4 104 2 3", LT_REFUSED, LT_SCOPE_RELEASE, SMPP_F_ALERT },
		{ "4 5", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE | SMPP_F_REBIND },
		{ "6 7 15 42 53 54 63", LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON | SMPP_F_ALERT },
		{ "8", LT_DEFERRED, LT_SCOPE_TARGET, SMPP_F_STREAK },
		{ "45 64 FF 400 4FF 9 7FFFFFFF", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
		{ "A 48 49", LT_REFUSED, LT_SCOPE_RELEASE, SMPP_F_ALERT | SMPP_F_STREAK },
		{ "B", LT_REFUSED, LT_SCOPE_TARGET, LT_R_ELSEWHERE },
		{ "50 51 65 66 FE", LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ "C 11 13 67 33 34 40 44 55 61", LT_REFUSED, LT_SCOPE_RELEASE, SMPP_F_ALERT },
		{ "D E F", LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON | SMPP_F_ALERT },
		{ "14 58", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE | SMPP_F_SLOW },
		{ "62", LT_DEFERRED, LT_SCOPE_TARGET, SMPP_F_NO_VALIDITY },
		{ "100 101 103", LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON | SMPP_F_ALERT },
		{ "102", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE } };
	const char *text = shipped_file("config/outcomes/smpp.tsv");
	char err[300] = "";
	struct ltc_outcomes *t = NULL;

	(void)state;
	assert_int_equal(ltc_outcomes_parse(ltc_z(text), "smpp.tsv", &smpp_outcome_words, &t, err,
				 sizeof(err)),
		0);
	assert_int_equal(smpp_outcomes_check(t, err, sizeof(err)), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct lt_str rest = ltc_z(table[i].codes), one;
		while (ltc_next(&rest, ' ', &one)) {
			char z[20];
			(void)snprintf(z, sizeof(z), "%.*s", (int)one.n, one.p);
			const struct ltc_outcome_row *r = smpp_status_row(
				t, "submit", (uint32_t)strtoul(z, NULL, 16), 1);
			assert_non_null(r);
			if (r->outcome != table[i].outcome || r->scope != table[i].scope ||
				r->flags != table[i].flags)
				fail_msg("status %s: outcome %d scope %d flags %x", z, r->outcome,
					r->scope, r->flags);
		}
	}
	ltc_outcomes_free(t);
}

/* What the table says of a bind (contract 1.1), of a later try, of every text (try 0), and where there is no answer at all. */
static void a_bind_a_later_try_and_a_lost_link_have_their_outcome_and_pause(void **state)
{
#define ASKS (LT_R_FREE | LT_R_PERSON | SMPP_F_ALERT)
	static const struct {
		const char *phase, *codes;
		uint32_t try_no;
		int32_t outcome, scope;
		uint32_t flags;
		int64_t pause;
	} table[] = { { "bind", "D E F 53", 1, LT_DEFERRED, LT_SCOPE_ACCOUNT, ASKS, 60000 },
		{ "bind", "3 4 FF 400", 1, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | SMPP_F_ALERT,
			60000 },
		{ "bind", "5 8 14 58 64", 1, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, 30000 },
		{ "submit", "4", 1, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE | SMPP_F_REBIND, 1000 },
		{ "submit", "5", 1, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE | SMPP_F_REBIND, 30000 },
		{ "submit", "8", 2, LT_DEFERRED, LT_SCOPE_TARGET, SMPP_F_STREAK, 30000 },
		{ "submit", "8", 3, LT_REFUSED, LT_SCOPE_TARGET, SMPP_F_ALERT | SMPP_F_STREAK, 0 },
		{ "submit", "8", 0, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE | SMPP_F_ALERT, 60000 },
		{ "submit", "A 48 49", 0, LT_DEFERRED, LT_SCOPE_ACCOUNT, ASKS, 0 },
		{ "submit", "D E F", 1, LT_DEFERRED, LT_SCOPE_ACCOUNT, ASKS, 60000 },
		{ "submit", "45", 3, LT_DEFERRED, LT_SCOPE_TARGET, 0, 10000 },
		{ "submit", "45", 4, LT_REFUSED, LT_SCOPE_TARGET, 0, 0 },
		{ "submit", "62", 2, LT_DEFERRED, LT_SCOPE_TARGET, SMPP_F_NO_VALIDITY, 1000 },
		{ "submit", "62", 3, LT_REFUSED, LT_SCOPE_RELEASE, SMPP_F_ALERT, 0 },
		{ "submit", "102", 9, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE, 60000 },
		{ "submit", "FF 400 4FF 9", 2, LT_DEFERRED, LT_SCOPE_TARGET, 0, 30000 },
		{ "submit", "FF 400 4FF 9", 3, LT_REFUSED, LT_SCOPE_RELEASE, SMPP_F_ALERT, 0 },
		{ "link", "connect", 1, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, 0 },
		{ "link", "lost", 1, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE, 1000 },
		{ "link", "stopped", 1, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, 0 },
		{ "link", "unfit", 1, LT_REFUSED, LT_SCOPE_RELEASE, SMPP_F_ALERT, 0 } };
	char err[300] = "";
	struct ltc_outcomes *t = NULL;

	(void)state;
	assert_int_equal(ltc_outcomes_parse(ltc_z(shipped_file("config/outcomes/smpp.tsv")),
				 "smpp.tsv", &smpp_outcome_words, &t, err, sizeof(err)),
		0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct lt_str rest = ltc_z(table[i].codes), one;
		while (ltc_next(&rest, ' ', &one)) {
			char z[20];
			(void)snprintf(z, sizeof(z), "%.*s", (int)one.n, one.p);
			uint32_t status = (uint32_t)strtoul(z, NULL, 16);
			const struct ltc_outcome_row *r = strcmp(table[i].phase, "link") == 0
				? smpp_status_word(t, z)
				: table[i].try_no == 0
				? smpp_status_all(t, status)
				: smpp_status_row(t, table[i].phase, status, table[i].try_no);
			assert_non_null(r);
			if (r->outcome != table[i].outcome || r->scope != table[i].scope ||
				r->flags != table[i].flags || r->retry_after_ms != table[i].pause)
				fail_msg("%s %s, try %u: outcome %d scope %d flags %x, %lld ms",
					table[i].phase, z, table[i].try_no, r->outcome, r->scope,
					r->flags, (long long)r->retry_after_ms);
		}
	}
	ltc_outcomes_free(t);
}

static void every_row_of_the_table_is_reached(void **state)
{
	const char *text = shipped_file("config/outcomes/smpp.tsv");
	char err[300] = "";
	struct ltc_outcomes *t = NULL;
	static bool hit[LTC_OUTCOME_ROWS_MAX];

	(void)state;
	assert_int_equal(ltc_outcomes_parse(ltc_z(text), "smpp.tsv", &smpp_outcome_words, &t, err,
				 sizeof(err)),
		0);
	for (size_t i = 0; i < ltc_outcomes_count(t); i++) {
		const struct ltc_outcome_row *r = ltc_outcomes_row(t, i);
		for (uint32_t s = 1; s < 0x500; s++)
			for (uint32_t n = 1; n < 5; n++)
				hit[i] |= smpp_status_row(t, "submit", s, n) == r ||
					smpp_status_all(t, s) == r ||
					smpp_status_row(t, "bind", s, n) == r;
		hit[i] |= smpp_status_word(t, "connect") == r || smpp_status_word(t, "lost") == r ||
			smpp_status_word(t, "stopped") == r || smpp_status_word(t, "unfit") == r;
		if (!hit[i])
			fail_msg("smpp.tsv:%d is never reached", r->line);
	}
	ltc_outcomes_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_of_the_table_is_known),
		cmocka_unit_test(texts_are_read_by_key_never_by_place),
		cmocka_unit_test(a_report_without_keys_is_read_by_the_form_of_its_route),
		cmocka_unit_test(the_id_of_the_tlv_wins),
		cmocka_unit_test(ids_are_looked_for_in_every_way_of_writing),
		cmocka_unit_test(the_form_that_hits_is_logged_once_and_offered_as_the_setting),
		cmocka_unit_test(an_early_report_is_not_taken_for_an_older_text_in_another_base),
		cmocka_unit_test(an_early_report_waits_a_second_at_most),
		cmocka_unit_test(the_same_report_a_thousand_times_is_answered_a_thousand_times),
		cmocka_unit_test(the_code_of_the_network_is_kept),
		cmocka_unit_test(a_report_is_known_by_class_by_tlv_or_by_its_words),
		cmocka_unit_test(a_report_that_cannot_be_read_is_acknowledged_and_dropped),
		cmocka_unit_test(a_report_with_our_reference_settles_a_lost_answer),
		cmocka_unit_test(a_report_that_came_before_the_loss_settles_it_too),
		cmocka_unit_test(a_space_behind_a_key_is_no_empty_value),
		cmocka_unit_test(zeros_that_a_report_lost_are_put_back),
		cmocka_unit_test(the_length_of_ids_with_zeros_is_learned_from_the_answers),
		cmocka_unit_test(every_status_of_the_contract_has_its_outcome),
		cmocka_unit_test(a_bind_a_later_try_and_a_lost_link_have_their_outcome_and_pause),
		cmocka_unit_test(every_row_of_the_table_is_reached),
	};
	return cmocka_run_group_tests_name("smpp/receipt", tests, NULL, NULL);
}
