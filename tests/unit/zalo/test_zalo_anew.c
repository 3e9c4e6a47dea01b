/* test_zalo_anew.c - a try behind another: what was saved of a text that was approved before is not taken for this one's; what has gone
 * out is told as gone out, whatever fails behind it. */
#include <errno.h>
#include "zalo_scene.h"

#define OLD_TEXT "\"type\":\"normal\",\"title\":\"Khai mạc\",\"description\":\"cũ\""
#define NEW_TEXT "\"type\":\"normal\",\"title\":\"Khai mạc\",\"description\":\"mới\""
#define WORKING  "{\"error\":-214,\"message\":\"Media is being processed\"}"
#define SHOWN    "{\"data\":{\"id\":\"9ab3f077\",\"status\":\"show\"},\"error\":0}"
#define HIDDEN   "{\"data\":{\"id\":\"9ab3f077\",\"status\":\"hide\"},\"error\":0}"
#define STALE    "{\"error\":-220,\"message\":\"Access token has expired\"}"
#define SENT     "{\"data\":{\"message_id\":\"m1\"},\"error\":0}"
#define GROUP    "group:7a1b2c3d4e5f60718293"
#define TWO      ZALO_MAGIC "kind text\nfile f1le 3 application/pdf a.pdf\n\n"
#define TWO_NEW  ZALO_MAGIC "kind text\nfile other 3 application/pdf b.pdf\n\n"

static int setup(void **state)
{
	(void)state;
	int rc = scene_open("poll_ms", "1000", "poll_max_ms", "3000", NULL);

	sh_asset(h, "f1le", "PDF", 3);
	sh_asset(h, "other", "PDX", 3);
	return rc;
}

static void wait_ms(int64_t ms)
{
	sh_advance(h, ms);
	sh_turn(h);
	sh_turn(h);
}

static void at(const char *path)
{
	if (last_call(h)->answered || !strstr(last_call(h)->url, path))
		fail_msg("call %zu goes to %s, not %s", h->n_http, last_call(h)->url, path);
}

static void say(const char *path, const char *body)
{
	at(path);
	answer(h, body);
}

/* What the store has of a delivery behind its tries. */
static struct lt_pair kept[32];
static char kept_text[32][400];
static size_t n_kept;

static void keep(const struct lt_job *job)
{
	for (size_t i = 0; i < h->n_notes; i++) {
		const struct sh_note *n = &h->notes[i];
		if (n->job != job || strcmp(n->what, "save") != 0)
			continue;
		const char *value = strchr(n->text, '=');
		struct lt_str name = { n->text, (size_t)(value - n->text) };
		size_t k = 0;
		while (k < n_kept && !ltc_eq(kept[k].name, name))
			k++;
		(void)snprintf(kept_text[k], sizeof(kept_text[k]), "%s", n->text);
		kept[k].name = (struct lt_str){ kept_text[k], name.n };
		kept[k].value = ltc_z(kept_text[k] + name.n + 1);
		n_kept += k == n_kept;
	}
	size_t left = 0;
	for (size_t i = 0; i < n_kept; i++)
		if (kept[i].value.n != 0)
			kept[left++] = kept[i];
	n_kept = left;
}

static size_t try_of(const char *address, const char *head, const char *text)
{
	size_t op = sh_op(h, ses, address, "REF1", head, 0);
	struct sh_job *j = h->jobs[op];

	j->payload[1] = (struct lt_src){ .bytes = S(text) };
	j->work.payload = j->payload;
	j->work.n_payload = 2;
	j->work.deadline_ms = 0;
	j->work.steps = kept;
	j->work.n_steps = n_kept;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	sh_turn(h);
	return op;
}

static size_t article(const char *text)
{
	return try_of("oa:3300112233445500100", ARTICLE_HEAD "\n", text);
}

static const struct sh_result *over(size_t op)
{
	assert_true(sh_result(h, op)->done);
	keep(&h->jobs[op]->job);
	return sh_result(h, op);
}

static void to_update(void)
{
	say("/article/getslice", NONE);
	say("/article/create", TOKEN);
	wait_ms(1000);
	say("/article/verify", ID);
	at("/article/update");
}

static size_t to_waiting(void)
{
	size_t op = article(OLD_TEXT);

	to_update();
	answer(h, TOKEN);
	for (int i = 0; i < 9 && !sh_result(h, op)->done; i++) {
		wait_ms(1000);
		if (!last_call(h)->answered)
			say(strstr(last_call(h)->url, "verify") ? "/verify" : "/getdetail",
				strstr(last_call(h)->url, "verify") ? WORKING : HIDDEN);
	}
	assert_int_equal(over(op)->outcome, LT_DEFERRED);
	return op;
}

/* --- another text ---------------------------------------------------------------------------------------------------------------- */
static void an_article_that_was_approved_anew_is_shown_with_the_new_text(void **state)
{
	(void)state;
	n_kept = 0;
	(void)to_waiting();
	size_t op = article(OLD_TEXT); /* the same: its update is asked for again */
	wait_ms(1000);
	say("/article/verify", WORKING);
	sh_cancel(h, op);
	sh_turn(h);
	(void)over(op);

	op = article(NEW_TEXT);
	at("/article/update");
	assert_non_null(strstr(last_call(h)->body, "mới"));
	assert_non_null(strstr(last_call(h)->body, "\"id\":\"9ab3f077\""));
	answer(h, TOKEN);
	wait_ms(1000);
	say("/article/verify", ID);
	at("/article/getdetail");
	sh_cancel(h, op); /* it is shown, and its end was lost: nothing is left to do */
	sh_turn(h);
	assert_int_equal(over(op)->outcome, LT_ACCEPTED);

	op = article(NEW_TEXT);
	say("/article/getdetail", SHOWN);
	assert_int_equal(over(op)->outcome, LT_ACCEPTED);
	op = article(OLD_TEXT); /* back to the first one */
	at("/article/update");
	assert_non_null(strstr(last_call(h)->body, "cũ"));
}

static void what_was_uploaded_for_another_text_is_not_sent(void **state)
{
	(void)state;
	n_kept = 0;
	size_t op = try_of(GROUP, ZALO_MAGIC "kind text\nimage f1le 3 image/png a.png\n\n", "Chào");
	say("/upload/image", "{\"data\":{\"attachment_id\":\"old\"},\"error\":0}");
	say("/group/message", "{\"error\":-211,\"message\":\"quota\"}");
	assert_int_equal(over(op)->outcome, LT_DEFERRED);

	op = try_of(GROUP, ZALO_MAGIC "kind text\nimage other 3 image/png a.png\n\n", "Chào");
	say("/upload/image", "{\"data\":{\"attachment_id\":\"new\"},\"error\":0}");
	at("/group/message");
	assert_non_null(strstr(last_call(h)->body, "\"attachment_id\":\"new\""));
	answer(h, SENT);
	assert_int_equal(over(op)->outcome, LT_ACCEPTED);
}

static void a_group_that_has_a_part_of_another_text_is_for_a_person(void **state)
{
	(void)state;
	n_kept = 0;
	size_t op = try_of(GROUP, TWO, "Họp 14h");
	say("/group/message", SENT);
	say("/upload/file", "{\"error\":-211,\"message\":\"quota\"}");
	assert_int_equal(over(op)->outcome, LT_DEFERRED);

	op = try_of(GROUP, TWO_NEW, "Họp 15h");
	assert_int_equal(over(op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_TARGET);
	assert_int_equal(sh_result(h, op)->flags, LT_R_FREE | LT_R_PERSON);
	assert_non_null(strstr(sh_result(h, op)->text, "an earlier text"));

	op = try_of(
		GROUP, TWO_NEW, "Họp 15h"); /* the person's word: this one, from its beginning */
	at("/group/message");
	assert_non_null(strstr(last_call(h)->body, "15h"));
	answer(h, SENT);
	at("/upload/file");
}

/* --- what has gone out ------------------------------------------------------------------------------------------------------------ */
/* An OA that answers no update, or never says that one is done, has the article shown all the same. Not told from the older text's by a
 * look at whether it is shown. */
static void an_update_without_a_last_word_is_settled_by_the_article(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool shown = i % 2 == 0, lost = i < 2;
		n_kept = 0;
		size_t op = article(OLD_TEXT);
		to_update();
		for (int k = 0; k < 3 && lost; k++) {
			at("/article/update");
			sh_answer(h, h->n_http - 1, LT_P_MAYBE_SENT, 0, "");
			wait_ms(2000);
		}
		if (!lost)
			answer(h, TOKEN);
		for (int k = 0; k < 9 && !strstr(last_call(h)->url, "getdetail"); k++) {
			wait_ms(1000);
			if (!last_call(h)->answered)
				say("/article/verify", WORKING);
		}
		say("/article/getdetail", shown ? SHOWN : HIDDEN);
		if (shown)
			say("/article/getdetail", SHOWN); /* its address */
		assert_int_equal(over(op)->outcome, shown ? LT_ACCEPTED : LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->flags, shown || lost ? 0 : LT_R_FREE);
	}
}

static void an_article_that_is_shown_stays_shown_when_its_address_cannot_be_asked_for(void **state)
{
	static const int refresh[][2] = { { 0, -EAGAIN }, { 0, -EKEYREJECTED },
		{ -LT_E_INVALID, 0 }, { -LT_E_CLOSED, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(refresh) / sizeof(refresh[0]); i++) {
		n_kept = 0;
		size_t op = article(OLD_TEXT);
		to_update();
		answer(h, TOKEN);
		wait_ms(1000);
		say("/article/verify", ID);
		h->refresh_rc = refresh[i][0];
		h->refresh_error = refresh[i][1];
		say("/article/getdetail", STALE);
		assert_int_equal(over(op)->outcome, LT_ACCEPTED);
		assert_string_equal(sh_result(h, op)->id, "9ab3f077");
		h->refresh_rc = h->refresh_error = 0;
	}
}

/* The answer alone: what it makes the adapter ask for is not done yet. */
static void only_answer(const char *body)
{
	struct sh_http *c = last_call(h);
	struct lt_http_res r = {
		.struct_size = sizeof(r), .phase = LT_P_ANSWERED, .status = 200, .body = ltc_z(body)
	};
	struct lt_event ev = {
		.struct_size = sizeof(ev), .type = LT_EV_HTTP, .token = c->token, .u = &r
	};

	c->answered = true;
	assert_int_equal(h->adapter->event(&h->inst, c->job, &ev), 0);
}

/* Between the provider's yes to the first of two messages and the commit of that word. */
static void a_stop_behind_the_first_message_does_not_call_it_unsent(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		n_kept = 0;
		size_t op = try_of(GROUP, TWO, "Họp 14h");
		at("/group/message");
		only_answer(SENT);
		if (how == 0)
			sh_cancel(h, op);
		else
			for (size_t i = 0; i < h->n_queue; i++)
				h->queue[i].error = h->queue[i].type == LT_EV_SAVED ? -EIO : 0;
		sh_turn(h);
		sh_turn(h);
		assert_int_equal(over(op)->outcome, LT_UNKNOWN);
		assert_string_equal(sh_result(h, op)->id, "m1");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_article_that_was_approved_anew_is_shown_with_the_new_text, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_was_uploaded_for_another_text_is_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_group_that_has_a_part_of_another_text_is_for_a_person, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_update_without_a_last_word_is_settled_by_the_article, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_article_that_is_shown_stays_shown_when_its_address_cannot_be_asked_for,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_stop_behind_the_first_message_does_not_call_it_unsent, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
