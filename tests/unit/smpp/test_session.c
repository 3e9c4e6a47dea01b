/* test_session.c - the session against a played SMSC: every case of the contract's "Must-test" list that concerns SMPP, and the
 * faults around it. */
#include "smpp_play.h"

static void a_text_is_sent_accepted_and_has_its_id(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(
		d.sm_good && ltc_eqz(d.sm.dest, "84910000001") && ltc_eqz(d.sm.source, "BHXH VN"));
	assert_true(ltc_eqz(d.sm.message, "Xin chao"));
	assert_int_equal(d.sm.source_ton, 5);
	assert_int_equal(d.sm.dest_ton, 1);
	assert_int_equal(d.sm.registered, 1);
	assert_int_equal(d.sm.esm_class, 0);
	uint32_t ref;
	assert_true(smpp_tlv_u(d.sm.tlvs, SMPP_T_USER_REF, &ref));
	assert_int_equal(p->h->streams[0]->publishing_writes, 1);
	play_ok(p, 0, d.seq, "39f99dd5");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_string_equal(sh_result(p->h, op)->id, "39f99dd5");
	play_free(p);
}

static void a_pdu_split_at_every_byte_is_one_pdu(void **state)
{
	(void)state;
	char b[100];
	for (size_t cut = 0; cut < 21; cut++) {
		struct play *p = play_bound();
		size_t op = play_send(p, "+84910000001", ONE);
		sh_turn(p->h);
		struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
		size_t n = play_make(b, SMPP_SUBMIT_SM | SMPP_RESP, 0, d.seq, "id-1", 5);
		sh_data_n(p->h, 0, b, cut);
		assert_int_equal(sh_result(p->h, op)->done, 0);
		sh_data_n(p->h, 0, b + cut, n - cut);
		assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
		play_free(p);
	}
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	size_t n = play_make(b, SMPP_SUBMIT_SM | SMPP_RESP, 0, d.seq, "id-1", 5);
	for (size_t i = 0; i < n; i++)
		sh_data_n(p->h, 0, b + i, 1);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	play_free(p);
}

static void two_pdus_in_one_read_are_two(void **state)
{
	struct play *p = play_bound();
	size_t a = play_send(p, "+84910000001", ONE), c = play_send(p, "+84910000002", ONE);
	char b[200];

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM), e = play_want(p, 0, SMPP_SUBMIT_SM);
	size_t n = play_make(b, SMPP_SUBMIT_SM | SMPP_RESP, 0, e.seq, "2", 2);
	n += play_make(b + n, SMPP_SUBMIT_SM | SMPP_RESP, 0, d.seq, "1", 2);
	sh_data_n(p->h, 0, b, n);
	assert_string_equal(sh_result(p->h, a)->id, "1");
	assert_string_equal(sh_result(p->h, c)->id, "2");
	play_free(p);
}

static void a_window_of_1_has_one_segment_under_way(void **state)
{
	struct play *p = play_new();
	struct pdu d;

	(void)state;
	sh_conf(p->h, "window", "1");
	play_bind(p);
	assert_int_equal(p->h->slots, 1);
	size_t first = play_send(p, "+84910000001", TWO);
	(void)play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	for (int i = 0; i < 3; i++) {
		d = play_want(p, 0, SMPP_SUBMIT_SM);
		struct pdu more;
		assert_false(play_next(p, 0, &more));
		play_ok(p, 0, d.seq, "x");
	}
	assert_int_equal(play_results(p, first, 2, LT_ACCEPTED), 2);
	assert_int_equal(p->h->slots, 1);
	play_free(p);
}

static void a_window_of_500_is_filled_and_answered_in_any_order(void **state)
{
	struct play *p = play_bound();
	static uint32_t seq[500];
	size_t first = 0;

	(void)state;
	assert_int_equal(p->h->slots, 500);
	for (int i = 0; i < 500; i++) {
		size_t op = play_send(p, "+84910000001", ONE);
		first = i == 0 ? op : first;
	}
	sh_turn(p->h);
	for (int i = 0; i < 500; i++)
		seq[i] = play_want(p, 0, SMPP_SUBMIT_SM).seq;
	assert_int_equal(p->h->slots, 0);
	for (int i = 0; i < 500; i++)
		play_ok(p, 0, seq[(i * 237 + 11) % 500], "x");
	assert_int_equal(play_results(p, first, 500, LT_ACCEPTED), 500);
	assert_int_equal(p->h->slots, 500);
	play_free(p);
}

static void a_response_after_the_timeout_still_settles(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM), e;
	for (int i = 0; i < 70; i++) { /* the line itself is alive */
		sh_advance(p->h, 1000);
		while (play_next(p, 0, &e))
			play_say(p, 0, e.id | SMPP_RESP, 0, e.seq, "", 0);
	}
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_int_equal(p->h->slots, 500); /* no place in the window for ever */
	play_ok(p, 0, d.seq, "late-1");
	const struct sh_note *n = sh_last_note(p->h, "receipt");
	assert_non_null(n);
	assert_int_equal(n->value, LT_ACCEPTED);
	assert_string_equal(n->text, "late-1");
	size_t notes = p->h->n_notes;
	play_ok(p, 0, d.seq, "late-1"); /* and only once */
	assert_ptr_equal(sh_last_note(p->h, "receipt"), n);
	assert_true(p->h->n_notes <= notes + 1);
	play_free(p);
}

static void a_receipt_before_the_response_and_twice_is_told_each_time(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);
	int told = 0;

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_report(p, 0, 21,
		"id:39f99dd5 sub:001 dlvrd:001 submit date:2611220930 done date:2611220931 stat:DELIVRD err:000 text:x");
	play_ok(p, 0, d.seq, "39f99dd5");
	play_report(p, 0, 22, "id:39f99dd5 stat:DELIVRD");
	for (size_t i = 0; i < p->h->n_notes; i++)
		told += strcmp(p->h->notes[i].what, "receipt") == 0 &&
			p->h->notes[i].value == LT_RC_DELIVERED;
	assert_int_equal(told, 2);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	d = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	assert_true(d.seq == 21 && d.status == 0 && d.n == 1);
	d = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	assert_int_equal(d.seq, 22);
	play_free(p);
}

static int kept_error;
static uint64_t kept_token;
static int receipt_kept(void *ctx, struct lt_job *job, const struct lt_receipt *r, uint64_t token)
{
	(void)ctx;
	(void)job;
	(void)r;
	kept_token = token;
	return kept_error;
}

static void a_receipt_is_acknowledged_only_when_it_is_stored(void **state)
{
	struct play *p = play_bound();
	struct lt_event saved = { .struct_size = sizeof(saved), .type = LT_EV_SAVED };
	struct pdu d;

	(void)state;
	p->h->host.receipt = receipt_kept;
	kept_error = 0;
	play_report(p, 0, 5, "id:1 stat:DELIVRD");
	assert_false(play_next(p, 0, &d));
	saved.token = kept_token;
	(void)lantoa_adapter.event(&p->h->inst, &p->h->jobs[p->session]->job, &saved);
	sh_turn(p->h);
	d = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	assert_true(d.seq == 5 && d.status == 0);
	play_report(p, 0, 6, "id:2 stat:DELIVRD");
	saved.token = kept_token;
	saved.error = -5;
	(void)lantoa_adapter.event(&p->h->inst, &p->h->jobs[p->session]->job, &saved);
	sh_turn(p->h);
	d = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	assert_true(d.seq == 6 && d.status == SMPP_RX_T_APPN);
	play_free(p);
}

static void out_of_order_segment_responses_make_one_answer(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", TWO);

	(void)state;
	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	struct smpp_part pa, pb;
	size_t na, nb;
	assert_int_equal(a.sm.esm_class & 0x40, 0x40);
	assert_true(smpp_udh_read(a.sm.message, &pa, &na) && smpp_udh_read(b.sm.message, &pb, &nb));
	assert_true(pa.ref == pb.ref && pa.seq == 1 && pb.seq == 2 && pa.total == 2);
	assert_int_equal(a.sm.message.n, 6 + 153);
	play_ok(p, 0, b.seq, "second");
	assert_false(sh_result(p->h, op)->done);
	play_ok(p, 0, a.seq, "first");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(p->h, op)->n_ids, 2);
	assert_string_equal(sh_result(p->h, op)->id, "first");
	play_free(p);
}

static void half_a_text_is_neither_accepted_nor_refused(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", TWO);

	(void)state;
	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	play_ok(p, 0, a.seq, "first");
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x0b, b.seq, "", 0);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_string_equal(sh_result(p->h, op)->code, "part");
	play_free(p);
}

static void a_throttled_segment_goes_again_behind_its_accepted_one(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", TWO);

	(void)state;
	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	play_ok(p, 0, a.seq, "first");
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x58, b.seq, "", 0);
	assert_false(sh_result(p->h, op)->done);
	sh_advance(p->h, 3000);
	struct pdu c = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(ltc_eq(c.sm.message, b.sm.message));
	play_ok(p, 0, c.seq, "second");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	play_free(p);
}

static void a_0x58_storm_pauses_once_and_lowers_the_rate(void **state)
{
	struct play *p = play_bound();
	static uint32_t seq[200];
	size_t first = 0;
	int rates = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		size_t op = play_send(p, "+84910000001", ONE);
		first = i == 0 ? op : first;
	}
	sh_turn(p->h);
	for (int i = 0; i < 200; i++)
		seq[i] = play_want(p, 0, SMPP_SUBMIT_SM).seq;
	for (int i = 0; i < 200; i++)
		play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x58, seq[i], "", 0);
	assert_int_equal(play_results(p, first, 200, LT_DEFERRED), 200);
	assert_int_equal(sh_result(p->h, first)->flags, LT_R_FREE);
	assert_true(sh_result(p->h, first + 199)->retry_after_ms > 0);
	for (size_t i = 0; i < p->h->n_notes && i < SH_NOTES_MAX; i++)
		rates += strcmp(p->h->notes[i].what, "rate") == 0;
	assert_int_equal(rates, 1);
	assert_int_equal(p->h->slots, 0);
	sh_advance(p->h, 1100);
	assert_true(p->h->slots > 0 && p->h->slots < 500);
	play_free(p);
}

/* Second by second; what the link asks is answered. */
static void alive_for(struct play *p, int64_t ms)
{
	struct pdu d;

	for (int64_t t = 0; t < ms; t += 1000) {
		sh_advance(p->h, ms - t < 1000 ? ms - t : 1000);
		while (play_next(p, 0, &d))
			play_say(p, 0, d.id | SMPP_RESP, 0, d.seq, "", 0);
	}
}

/* One text is refused so: what the host is told of the rate. */
static const struct lt_rate *told_less(struct play *p, uint32_t status)
{
	size_t op = play_send(p, "+84910000001", ONE);

	sh_turn(p->h);
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, status, play_want(p, 0, SMPP_SUBMIT_SM).seq, "",
		1);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_DEFERRED);
	return &p->h->rate;
}

/* Contract 1.2: "halve the rate, pause the route 1 s, double the pause up to 60 s, then grow the rate by 10 % a minute". */
static void the_pause_doubles_up_to_a_minute_and_the_rate_comes_back_by_tenths(void **state)
{
	struct play *p = play_new();
	double per_s = 200;

	(void)state;
	sh_conf(p->h, "segments_per_s", "200");
	play_bind(p);
	for (int64_t pause = 1000, i = 0; i < 8; i++) {
		const struct lt_rate *r = told_less(p, 0x58);
		per_s = per_s / 2 < 1 ? 1 : per_s / 2;
		assert_int_equal(r->retry_after_ms, pause);
		assert_int_equal(r->limit, (int)(per_s * 60));
		alive_for(p, pause - 1);
		assert_int_equal(p->h->slots, 0); /* nobody sends in it */
		pause = pause * 2 > 60000 ? 60000 : pause * 2;
		alive_for(p, 1000);
		assert_true(p->h->slots > 0);
	}
	play_free(p);

	p = play_new();
	sh_conf(p->h, "segments_per_s", "200");
	play_bind(p);
	assert_int_equal(told_less(p, 0x58)->limit, 100 * 60);
	alive_for(p,
		3 * 60000 +
			500); /* three minutes: 100 * 1.1 * 1.1 * 1.1, and the pause is forgotten */
	assert_int_equal(told_less(p, 0x58)->limit, (int)(133.1 / 2 * 60));
	assert_int_equal(p->h->rate.retry_after_ms, 1000);
	alive_for(p, 3600000); /* never more than is configured */
	assert_int_equal(told_less(p, 0x58)->limit, 100 * 60);
	play_free(p);

	p = play_bound(); /* a window that was halved, too */
	(void)told_less(p, 0x14);
	alive_for(p, 3600000);
	(void)play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	play_ok(p, 0, play_want(p, 0, SMPP_SUBMIT_SM).seq, "x");
	assert_int_equal(p->h->slots, 500);
	play_free(p);
}

/* Contract 1.5: the text is accepted, and somebody must know that its reports will fit nothing. */
static void a_server_that_gives_no_ids_is_named_once(void **state)
{
	struct play *p = play_bound();
	size_t logs = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t op = play_send(p, "+84910000001", ONE);
		sh_turn(p->h);
		play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0, play_want(p, 0, SMPP_SUBMIT_SM).seq,
			"", i == 0 ? 0 : 1);
		assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
		assert_int_equal(sh_result(p->h, op)->n_ids, 0);
	}
	for (size_t i = 0; i < p->h->n_notes && i < SH_NOTES_MAX; i++)
		logs += strcmp(p->h->notes[i].what, "log") == 0 &&
			strstr(p->h->notes[i].text, "without an id") != NULL;
	assert_int_equal(logs, 1);
	play_free(p);
}

/* Answers all that was sent. */
static size_t answered(struct play *p)
{
	struct pdu d;
	size_t n = 0;

	while (play_next(p, 0, &d))
		if (d.id == SMPP_SUBMIT_SM) {
			play_ok(p, 0, d.seq, "x");
			n++;
		}
	return n;
}

/* What the contract with the operator allows is not exceeded in any second, the first and the one behind a silence neither: the
 * server would ask for less, and the rate would be halved for minutes. */
static void no_second_has_more_segments_than_allowed(void **state)
{
	struct play *p = play_new();

	(void)state;
	sh_conf(p->h, "segments_per_s", "20");
	play_bind(p);
	for (int burst = 0; burst < 2; burst++) {
		size_t n = 0;
		for (int i = 0; i < 60; i++)
			(void)play_send(p, "+84910000001", ONE);
		sh_turn(p->h);
		for (int t = 0; t < 1000; t++) {
			n += answered(p);
			sh_advance(p->h, 1);
		}
		assert_in_range(n, 18, 21);
		for (int t = 0; t < 10000; t += 10) { /* the rest, and a silence */
			(void)answered(p);
			sh_advance(p->h, 10);
		}
	}
	play_free(p);
}

static void a_full_queue_makes_the_window_smaller(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x14, d.seq, "", 1);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(p->h, op)->flags, LT_R_FREE);
	sh_advance(p->h, 1100);
	assert_true(p->h->slots > 0 && p->h->slots <= 250);
	play_free(p);
}

/* Contract 2.3: whatever the table says of 0x45, of a segment in a full window it means "too many at once". */
static void a_0x45_in_a_full_window_is_throttling(void **state)
{
	struct play *p = play_new();
	static uint32_t seq[10];
	size_t first = 0;

	(void)state;
	sh_conf(p->h, "window", "10");
	play_bind(p);
	for (int i = 0; i < 10; i++) {
		size_t op = play_send(p, "+84910000001", ONE);
		first = i == 0 ? op : first;
	}
	sh_turn(p->h);
	for (int i = 0; i < 10; i++)
		seq[i] = play_want(p, 0, SMPP_SUBMIT_SM).seq;
	play_ok(p, 0, seq[0], "x"); /* the server takes one at a time */
	for (size_t i = 1; i < 10; i++) {
		play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x45, seq[i], "", 1);
		assert_int_equal(sh_result(p->h, first + i)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(p->h, first + i)->scope, LT_SCOPE_LANE);
		assert_int_equal(
			sh_result(p->h, first + i)->flags, LT_R_FREE); /* no try is spent */
	}
	sh_advance(p->h, 1100);
	assert_int_equal(p->h->slots, 5); /* once: the window is half of what it was */
	play_free(p);
}

static void a_0x45_with_room_in_the_window_is_about_the_text(void **state)
{
	struct play *p = play_new();
	size_t op[3];
	uint32_t seq[3];

	(void)state;
	sh_conf(p->h, "window", "3");
	play_bind(p);
	for (int round = 0; round < 2;
		round++) { /* a window that was full before is not full for ever */
		for (int i = 0; i < 3; i++) {
			op[i] = play_send(p, "+84910000001", ONE);
			sh_turn(p->h);
			seq[i] = play_want(p, 0, SMPP_SUBMIT_SM).seq;
			if (round == 1)
				break;
		}
		for (int i = 0; i < 3 && round == 0; i++)
			play_ok(p, 0, seq[i], "x");
	}
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x45, seq[0], "", 1);
	assert_int_equal(sh_result(p->h, op[0])->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(p->h, op[0])->scope, LT_SCOPE_TARGET); /* a try is spent */
	assert_int_equal(sh_result(p->h, op[0])->flags, 0);
	play_free(p);
}

static size_t refused(struct play *p, uint32_t status)
{
	size_t op = play_send(p, "+84910000001", ONE);

	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, status, d.seq, "", 1);
	return op;
}

static void a_sender_that_is_refused_for_every_text_holds_the_account(void **state)
{
	struct play *p = play_bound();
	size_t op;

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(sh_result(p->h, refused(p, 0x0a))->scope, LT_SCOPE_RELEASE);
	op = play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	play_ok(p, 0, play_want(p, 0, SMPP_SUBMIT_SM).seq, "x"); /* one goes: it is about texts */
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	for (int i = 0; i < 9; i++)
		assert_int_equal(sh_result(p->h, refused(p, 0x0a))->scope, LT_SCOPE_RELEASE);
	op = refused(p, 0x0a);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(p->h, op)->scope, LT_SCOPE_ACCOUNT);
	assert_int_equal(sh_result(p->h, op)->flags, LT_R_FREE | LT_R_PERSON);
	play_free(p);
}

static void a_server_that_is_ill_burns_no_list(void **state)
{
	struct play *p = play_bound();

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(sh_result(p->h, refused(p, 0x08))->scope, LT_SCOPE_TARGET);
	size_t op = refused(p, 0x08);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(p->h, op)->scope, LT_SCOPE_LANE);
	assert_int_equal(sh_result(p->h, op)->flags, LT_R_FREE);
	play_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_sent_accepted_and_has_its_id),
		cmocka_unit_test(a_pdu_split_at_every_byte_is_one_pdu),
		cmocka_unit_test(two_pdus_in_one_read_are_two),
		cmocka_unit_test(a_window_of_1_has_one_segment_under_way),
		cmocka_unit_test(a_window_of_500_is_filled_and_answered_in_any_order),
		cmocka_unit_test(a_response_after_the_timeout_still_settles),
		cmocka_unit_test(a_receipt_before_the_response_and_twice_is_told_each_time),
		cmocka_unit_test(a_receipt_is_acknowledged_only_when_it_is_stored),
		cmocka_unit_test(out_of_order_segment_responses_make_one_answer),
		cmocka_unit_test(half_a_text_is_neither_accepted_nor_refused),
		cmocka_unit_test(a_throttled_segment_goes_again_behind_its_accepted_one),
		cmocka_unit_test(a_0x58_storm_pauses_once_and_lowers_the_rate),
		cmocka_unit_test(
			the_pause_doubles_up_to_a_minute_and_the_rate_comes_back_by_tenths),
		cmocka_unit_test(a_server_that_gives_no_ids_is_named_once),
		cmocka_unit_test(no_second_has_more_segments_than_allowed),
		cmocka_unit_test(a_full_queue_makes_the_window_smaller),
		cmocka_unit_test(a_0x45_in_a_full_window_is_throttling),
		cmocka_unit_test(a_0x45_with_room_in_the_window_is_about_the_text),
		cmocka_unit_test(a_sender_that_is_refused_for_every_text_holds_the_account),
		cmocka_unit_test(a_server_that_is_ill_burns_no_list),
	};
	return cmocka_run_group_tests_name("smpp/session", tests, NULL, NULL);
}
