/* test_again.c - a text of which a part is out: when its put-off segment goes again, and when it does not (contract 1.5, 1.9). */
#include "smpp_play.h"

/* A text of two segments; the first is accepted, the second refused with `status`. Returns the op. */
static size_t half_sent(struct play *p, uint32_t status)
{
	size_t op = play_send(p, "+84910000001", TWO);

	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	play_ok(p, 0, a.seq, "first");
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, status, b.seq, "", 0);
	sh_turn(p->h);
	return op;
}

/* Next submit; what the link asks meanwhile is answered. */
static bool next_submit(struct play *p, size_t i, struct pdu *d)
{
	while (play_next(p, i, d)) {
		if (d->id == SMPP_SUBMIT_SM)
			return true;
		assert_int_equal(d->id, SMPP_ENQUIRE_LINK);
		play_say(p, i, SMPP_ENQUIRE_LINK | SMPP_RESP, 0, d->seq, "", 0);
	}
	return false;
}

/* Second by second, and alive; every submit gets `status`. How many came. */
static int refuse_for(struct play *p, int seconds, uint32_t status)
{
	struct pdu d;
	int n = 0;

	for (int i = 0; i < seconds; i++) {
		sh_advance(p->h, 1000);
		while (next_submit(p, 0, &d)) {
			play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, status, d.seq, "", 0);
			n++;
		}
		sh_turn(p->h);
	}
	return n;
}

static void a_segment_that_was_put_off_waits_longer_each_time(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x64);
	struct pdu d;

	(void)state;
	for (int64_t wait = 1000; wait <= 4000; wait *= 2) {
		sh_advance(p->h, wait - 100);
		assert_false(next_submit(p, 0, &d));
		sh_advance(p->h, 200);
		assert_true(next_submit(p, 0, &d));
		assert_false(sh_result(p->h, op)->done);
		play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x64, d.seq, "", 0);
	}
	sh_advance(p->h, 8200);
	assert_true(next_submit(p, 0, &d));
	play_ok(p, 0, d.seq, "second");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(p->h, op)->n_ids, 2);
	play_free(p);
}

static void the_pause_of_the_table_is_kept(void **state)
{
	static const struct {
		uint32_t status;
		int64_t wait;
	} rows[] = { { 0x08, 30000 }, { 0x45, 10000 }, { 0xff, 30000 }, { 0x400, 30000 },
		{ 0x102, 60000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct play *p = play_bound();
		size_t op = half_sent(p, rows[i].status);
		struct pdu d;
		for (int64_t t = 5000; t < rows[i].wait; t += 5000) {
			sh_advance(p->h, 5000);
			assert_false(next_submit(p, 0, &d));
		}
		sh_advance(p->h, 4900);
		assert_false(next_submit(p, 0, &d));
		sh_advance(p->h, 200);
		assert_true(next_submit(p, 0, &d));
		play_ok(p, 0, d.seq, "second");
		assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
		play_free(p);
	}
}

/* One delivery, its n-th try, and what became of it. */
static const struct sh_result *tried(struct play *p, uint32_t try_no, uint32_t status)
{
	size_t op = sh_op(p->h, p->session, "+84910000001", "ref", ONE, 0);
	struct lt_work *w = &p->h->jobs[op]->work;

	w->delivery = 7;
	w->try_no = try_no;
	w->attempt = w->delivery << 8 | try_no;
	assert_int_equal(sh_start(p->h, op, 1), 0);
	sh_turn(p->h);
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, status, play_want(p, 0, SMPP_SUBMIT_SM).seq, "",
		1);
	return sh_result(p->h, op);
}

/* Contract 1.5: so many tries of that status, whatever the tries before it ended with. */
static void tries_with_another_status_do_not_count(void **state)
{
	static const struct {
		uint32_t status, tries;
		int scope;
	} rows[] = { { 0x08, 2, LT_SCOPE_TARGET }, { 0x45, 3, LT_SCOPE_TARGET },
		{ 0xff, 2, LT_SCOPE_RELEASE }, { 0x400, 2, LT_SCOPE_RELEASE } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct play *p = play_bound();
		uint32_t n = 1;
		for (; n <= 4; n++) /* a phone that is off */
			assert_int_equal(tried(p, n, 0x64)->outcome, LT_DEFERRED);
		for (uint32_t k = 0; k < rows[i].tries; k++)
			assert_int_equal(tried(p, n++, rows[i].status)->outcome, LT_DEFERRED);
		assert_int_equal(tried(p, n++, 0x64)->outcome, LT_DEFERRED);
		assert_int_equal(tried(p, n, rows[i].status)->outcome, LT_REFUSED);
		assert_int_equal(sh_result(p->h, p->h->n_jobs - 1)->scope, rows[i].scope);
		play_free(p);
	}
}

/* What the server says of the validity period says nothing of the text, however often it says so: each session learns it anew. */
static void a_validity_period_that_is_refused_is_left_out_at_any_try(void **state)
{
	struct play *p = play_new();

	(void)state;
	sh_conf(p->h, "validity_s", "3600");
	assert_int_equal(sh_open(p->h), 0);
	for (uint32_t n = 1; n <= 6; n++) {
		size_t link = n - 1, op;
		p->session = sh_session(p->h);
		sh_turn(p->h);
		sh_opened(p->h, link, "");
		play_say(p, link, SMPP_BIND_TRX | SMPP_RESP, 0,
			play_want(p, link, SMPP_BIND_TRX).seq, "smsc", 5);
		for (int without = 0; without <= (n == 6); without++) {
			op = sh_op(p->h, p->session, "+84910000001", "ref", ONE, 0);
			p->h->jobs[op]->work.delivery = 7;
			p->h->jobs[op]->work.try_no = n + (uint32_t)without;
			assert_int_equal(sh_start(p->h, op, 1), 0);
			sh_turn(p->h);
			struct pdu d = play_want(p, link, SMPP_SUBMIT_SM);
			assert_int_equal(d.sm.validity.n, without ? 0 : 16);
			play_say(p, link, SMPP_SUBMIT_SM | SMPP_RESP, 0x62, d.seq, "", 1);
			assert_int_equal(
				sh_result(p->h, op)->outcome, without ? LT_REFUSED : LT_DEFERRED);
			assert_int_equal(sh_result(p->h, op)->scope,
				without ? LT_SCOPE_RELEASE : LT_SCOPE_TARGET);
		}
		sh_shutdown(p->h, p->session);
		sh_turn(p->h);
		sh_closed(p->h, link, 0, "", "");
	}
	play_free(p);
}

static void a_segment_that_is_put_off_too_often_leaves_the_text_unknown(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x64);

	(void)state;
	assert_int_equal(refuse_for(p, 40, 0x64), 5);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_string_equal(sh_result(p->h, op)->code, "part");
	assert_non_null(strstr(sh_result(p->h, op)->text, "0x64"));
	assert_int_equal(sh_result(p->h, op)->scope, LT_SCOPE_TARGET);
	play_free(p);
}

/* Throttling spends nothing: pauses of 1, 2, 4 ... 60 s, for as long as the op has time. */
static void a_long_storm_does_not_spend_the_tries_of_a_segment(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x58);
	struct pdu d;

	(void)state;
	assert_true(refuse_for(p, 200, 0x58) > 6);
	assert_false(sh_result(p->h, op)->done);
	for (int i = 0; i < 70 && !sh_result(p->h, op)->done; i++) {
		sh_advance(p->h, 1000);
		if (next_submit(p, 0, &d))
			play_ok(p, 0, d.seq, "second");
	}
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	play_free(p);
}

/* Nobody is let in any more: the account hears of it, and no byte more goes out for this text. */
static void what_needs_a_person_is_told_as_the_accounts_and_not_sent_again(void **state)
{
	static const uint32_t statuses[] = { 0x0e, 0x53, 0x100 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct play *p = play_bound();
		size_t op = half_sent(p, statuses[i]);
		struct pdu d;
		assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
		assert_int_equal(sh_result(p->h, op)->scope, LT_SCOPE_ACCOUNT);
		sh_advance(p->h, 500);
		assert_false(next_submit(p, 0, &d));
		play_free(p);
	}
}

static void a_put_off_segment_holds_up_no_other_text(void **state)
{
	struct play *p = play_new();
	struct pdu d;

	(void)state;
	sh_conf(p->h, "window", "2");
	play_bind(p);
	(void)half_sent(p, 0x08);
	assert_int_equal(p->h->slots, 2);
	size_t op = play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	assert_true(next_submit(p, 0, &d));
	assert_true(ltc_eqz(d.sm.dest, "84910000002"));
	play_ok(p, 0, d.seq, "other");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(p->h->slots, 2);
	play_free(p);
}

/* A wait that ends behind the op's time is no wait. */
static void a_pause_that_is_longer_than_the_op_has_time_ends_it(void **state)
{
	struct play *p = play_bound();
	size_t op = sh_op(p->h, p->session, "+84910000001", "ref", TWO, 0);

	(void)state;
	p->h->jobs[op]->work.deadline_ms = p->h->mono + 20000;
	assert_int_equal(sh_start(p->h, op, 1), 0);
	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	play_ok(p, 0, a.seq, "first");
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x08, b.seq, "", 0);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(p->h, op)->text, "0x08"));
	play_free(p);
}

/* The host may have been told to stop meanwhile: it is asked, and what it stopped is not sent. */
static void the_host_is_asked_before_a_put_off_segment_goes_again(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	p->h->auto_go = false;
	size_t op = half_sent(p, 0x64);
	assert_null(sh_last_note(p->h, "intent"));
	sh_advance(p->h, 1200);
	assert_non_null(sh_last_note(p->h, "intent"));
	assert_false(next_submit(p, 0, &d));
	sh_cancel(p->h, op);
	sh_turn(p->h);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(p->h, op)->text, "0x64"));
	sh_advance(p->h, 20000);
	assert_false(next_submit(p, 0, &d));
	assert_int_equal(p->h->slots, 500);
	play_free(p);
}

static void a_text_that_ends_while_its_segment_waits_leaves_nothing_behind(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	size_t op = half_sent(p, 0x08);
	sh_cancel(p->h, op);
	sh_turn(p->h);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	op = play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	assert_true(next_submit(p, 0, &d));
	play_ok(p, 0, d.seq, "x");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(p->h->slots, 500);
	sh_advance(p->h, 31000);
	assert_null(sh_last_note(p->h, "intent"));
	assert_false(next_submit(p, 0, &d));
	play_free(p);
}

/* Asked earlier, the answer could be old when the pause of the account is over. */
static void the_host_is_asked_when_the_pause_of_the_account_is_over(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	size_t op = half_sent(p, 0x64);
	sh_advance(p->h, 500);
	(void)play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	assert_true(next_submit(p, 0, &d));
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x58, d.seq, "", 0);
	sh_turn(p->h);
	sh_advance(p->h, 900);
	assert_null(sh_last_note(p->h, "intent"));
	sh_advance(p->h, 200);
	assert_non_null(sh_last_note(p->h, "intent"));
	sh_advance(p->h, 1000);
	assert_true(next_submit(p, 0, &d));
	play_ok(p, 0, d.seq, "second");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	play_free(p);
}

static void a_stop_of_the_session_does_not_wait_for_a_put_off_segment(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x08);

	(void)state;
	sh_shutdown(p->h, p->session);
	sh_turn(p->h);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	struct pdu d = play_want(p, 0, SMPP_UNBIND);
	play_say(p, 0, SMPP_UNBIND | SMPP_RESP, 0, d.seq, "", 0);
	sh_advance(p->h, 10);
	assert_true(sh_result(p->h, p->session)->done);
	play_free(p);
}

static void a_segment_whose_time_came_while_the_link_was_down_goes_on_the_next(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x64);

	(void)state;
	sh_closed(p->h, 0, -104, "", "reset");
	sh_advance(p->h, 2500);
	assert_int_equal(p->h->n_streams, 2);
	for (size_t i = 0; i < p->h->n_wakes; i++) /* and nothing turns round meanwhile */
		assert_true(p->h->wakes[i].at > p->h->mono);
	sh_opened(p->h, 1, "");
	struct pdu d = play_want(p, 1, SMPP_BIND_TRX);
	play_say(p, 1, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "smsc", 5);
	sh_turn(p->h);
	assert_true(next_submit(p, 1, &d));
	play_ok(p, 1, d.seq, "second");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	play_free(p);
}

/* --- chance ------------------------------------------------------------------------------------------------------------------ */
#define TEXTS 12

struct chance {
	struct play *p;
	uint64_t seed;
	size_t first, link; /* link: the newest stream */
	bool taken[TEXTS][2];
	struct { /* under way on the newest stream */
		uint32_t seq;
		uint8_t text, part;
	} open[64];
	size_t n_open;
};

static uint32_t below(struct chance *c, uint32_t n)
{
	c->seed = c->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(c->seed >> 33) % n;
}

static void note_submit(struct chance *c, const struct pdu *d)
{
	struct smpp_part part;
	size_t head;

	assert_true(smpp_udh_read(d->sm.message, &part, &head));
	uint8_t text = (uint8_t)strtoul(d->sm.dest.p + d->sm.dest.n - 2, NULL, 10);
	assert_false(c->taken[text][part.seq - 1]); /* what was taken never goes again */
	assert_true(c->n_open < 64);
	c->open[c->n_open].seq = d->seq;
	c->open[c->n_open].text = text;
	c->open[c->n_open++].part = (uint8_t)(part.seq - 1);
}

static void listen_to(struct chance *c)
{
	struct pdu d;

	while (play_next(c->p, c->link, &d)) {
		if (d.id == SMPP_SUBMIT_SM)
			note_submit(c, &d);
		else if (!(d.id & SMPP_RESP))
			play_say(c->p, c->link, d.id | SMPP_RESP, 0, d.seq, "", 1);
	}
}

static void answer_one(struct chance *c)
{
	static const uint32_t statuses[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x64, 0x64, 0x64, 0x58, 0x14,
		0x45, 0x08, 0x102, 0x0b, 0x0a, 0x62, 0x53, 0xff, 0x04 };
	uint32_t status = statuses[below(c, sizeof(statuses) / sizeof(statuses[0]))];

	if (c->n_open == 0)
		return;
	size_t at = below(c, (uint32_t)c->n_open);
	uint32_t seq = c->open[at].seq;
	c->taken[c->open[at].text][c->open[at].part] |= status == 0;
	c->open[at] = c->open[--c->n_open];
	play_say(c->p, c->link, SMPP_SUBMIT_SM | SMPP_RESP, status, seq, "x", status == 0 ? 2 : 0);
}

static void new_link(struct chance *c)
{
	for (int i = 0; i < 90 && c->p->h->n_streams == c->link + 1; i++)
		sh_advance(c->p->h, 1000);
	assert_int_equal(c->p->h->n_streams, c->link + 2);
	c->link++;
	c->n_open = 0;
	sh_opened(c->p->h, c->link, "");
}

static void something_happens(struct chance *c)
{
	struct sh *h = c->p->h;
	size_t op = c->first + below(c, TEXTS);

	switch (below(c, 40)) {
	case 0: sh_closed(h, c->link, -104, "", "reset"); break;
	case 1:
		if (!sh_result(h, op)->done)
			sh_cancel(h, op);
		break;
	case 2: sh_advance(h, 5000 + below(c, 20000)); break;
	case 3:
	case 4:
	case 5: sh_advance(h, below(c, 3000)); break;
	default: answer_one(c); break;
	}
	sh_turn(h);
	if (h->streams[c->link]->gone || h->streams[c->link]->closing)
		new_link(c);
	listen_to(c);
}

static uint32_t done_of(const struct chance *c)
{
	return play_results(c->p, c->first, TEXTS, LT_ACCEPTED) +
		play_results(c->p, c->first, TEXTS, LT_UNKNOWN) +
		play_results(c->p, c->first, TEXTS, LT_REFUSED) +
		play_results(c->p, c->first, TEXTS, LT_DEFERRED);
}

static void story(uint64_t seed, uint32_t ends[4])
{
	struct chance c = { .p = play_new(), .seed = seed * 7919 };

	sh_conf(c.p->h, "window", seed % 3 == 0 ? "2" : "10");
	sh_conf(c.p->h, "segments_per_s", seed % 2 == 0 ? "3" : "0");
	play_bind(c.p);
	for (int i = 0; i < TEXTS; i++) {
		char to[20];
		(void)snprintf(to, sizeof(to), "+849100000%02d", i);
		size_t op = sh_op(c.p->h, c.p->session, to, "ref", TWO, 0);
		c.first = i == 0 ? op : c.first;
		assert_int_equal(sh_start(c.p->h, op, 1), 0);
	}
	sh_turn(c.p->h);
	listen_to(&c);
	for (int i = 0; i < 3000 && done_of(&c) < TEXTS; i++)
		something_happens(&c);
	assert_int_equal(done_of(&c), TEXTS); /* nothing hangs */
	for (size_t i = 0; i < TEXTS; i++) {
		int32_t end = sh_result(c.p->h, c.first + i)->outcome;
		ends[end]++;
		assert_true(end != LT_ACCEPTED || (c.taken[i][0] && c.taken[i][1]));
		assert_true((end != LT_REFUSED && end != LT_DEFERRED) ||
			(!c.taken[i][0] && !c.taken[i][1]));
	}
	sh_turn(c.p->h);
	play_free(c.p);
}

static void whatever_happens_no_part_that_was_taken_goes_again(void **state)
{
	uint32_t ends[4] = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++)
		story(seed, ends);
	for (size_t i = 0; i < 4; i++)
		assert_true(ends[i] > 20); /* each end is reached */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_that_was_put_off_waits_longer_each_time),
		cmocka_unit_test(the_pause_of_the_table_is_kept),
		cmocka_unit_test(tries_with_another_status_do_not_count),
		cmocka_unit_test(a_validity_period_that_is_refused_is_left_out_at_any_try),
		cmocka_unit_test(a_segment_that_is_put_off_too_often_leaves_the_text_unknown),
		cmocka_unit_test(a_long_storm_does_not_spend_the_tries_of_a_segment),
		cmocka_unit_test(what_needs_a_person_is_told_as_the_accounts_and_not_sent_again),
		cmocka_unit_test(a_put_off_segment_holds_up_no_other_text),
		cmocka_unit_test(a_pause_that_is_longer_than_the_op_has_time_ends_it),
		cmocka_unit_test(the_host_is_asked_before_a_put_off_segment_goes_again),
		cmocka_unit_test(a_text_that_ends_while_its_segment_waits_leaves_nothing_behind),
		cmocka_unit_test(the_host_is_asked_when_the_pause_of_the_account_is_over),
		cmocka_unit_test(a_stop_of_the_session_does_not_wait_for_a_put_off_segment),
		cmocka_unit_test(
			a_segment_whose_time_came_while_the_link_was_down_goes_on_the_next),
		cmocka_unit_test(whatever_happens_no_part_that_was_taken_goes_again),
	};
	return cmocka_run_group_tests_name("smpp/again", tests, NULL, NULL);
}
