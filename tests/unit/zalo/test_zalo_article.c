/* test_zalo_article.c - the walk of an article and of messages, step by step against the scripted host: what is saved before what,
 * what a lost answer leads to, what a person or a token interrupts. */
#include <errno.h>
#include "zalo_scene.h"

#define TOKEN_2 "{\"data\":{\"token\":\"Tk2\"},\"error\":0,\"message\":\"Success\"}"
#define WORKING "{\"error\":-214,\"message\":\"Media is being processed\"}"
#define DETAIL \
	"{\"data\":{\"id\":\"9ab3f077\",\"link_view\":\"https://l/1\",\"status\":\"show\"},\"error\":0}"

static int setup(void **state)
{
	(void)state;
	return scene_open("poll_ms", "1000", "find_wait_ms", "8000", "poll_max_ms", "5000", NULL);
}

static size_t begin(const char *head)
{
	size_t op = article_op(h, ses, head);

	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

static void expect(const char *method, const char *path)
{
	const struct sh_http *c = last_call(h);

	assert_non_null(c);
	assert_string_equal(c->method, method);
	if (!strstr(c->url, path))
		fail_msg("call %zu goes to %s, not %s", h->n_http, c->url, path);
}

static void saved(const char *text)
{
	const struct sh_note *n = sh_last_note(h, "save");

	assert_non_null(n);
	assert_memory_equal(n->text, text, strlen(text));
}

static void wait_ms(int64_t ms)
{
	sh_advance(h, ms);
	sh_turn(h);
	sh_turn(h);
}

static void to_created(void)
{
	expect("GET", "/v2.0/article/getslice");
	answer(h, NONE);
	saved("begun=");
	expect("POST", "/v2.0/article/create");
	assert_non_null(strstr(last_call(h)->body, "\"status\":\"hide\""));
	assert_int_equal(last_call(h)->flags & LT_PUBLISHES, 0);
}

static void to_shown(void)
{
	answer(h, TOKEN);
	saved("token=Tk1");
	wait_ms(1000);
	expect("POST", "/v2.0/article/verify");
	answer(h, WORKING);
	wait_ms(1000);
	answer(h, ID);
	saved("article=9ab3f077");
	expect("POST", "/v2.0/article/update");
	assert_non_null(strstr(last_call(h)->body, "\"status\":\"show\""));
	assert_int_equal(last_call(h)->flags, LT_PUBLISHES | LT_REPEATABLE);
	answer(h, TOKEN_2);
	saved("show_token=Tk2");
	wait_ms(1000);
	answer(h, ID);
	saved("shown=yes");
	expect("GET", "/v2.0/article/getdetail");
	answer(h, DETAIL);
}

static void an_article_is_made_hidden_then_shown(void **state)
{
	(void)state;
	size_t op = begin(ARTICLE_HEAD "\n");
	to_created();
	to_shown();
	assert_true(sh_result(h, op)->done);
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
	assert_string_equal(sh_result(h, op)->id, "9ab3f077");
	assert_string_equal(sh_result(h, op)->url, "https://l/1");
	assert_null(strstr(h->http[1].url, "AT-canary"));
	assert_non_null(strstr(h->http[1].body, "access_token: AT-canary"));
}

static void a_lost_create_is_looked_for_and_found_by_its_mark(void **state)
{
	(void)state;
	size_t op = begin(ARTICLE_HEAD "\n");
	to_created();
	sh_answer(h, h->n_http - 1, LT_P_MAYBE_SENT, 0, "");
	wait_ms(2000);
	expect("GET", "/v2.0/article/getslice");
	answer(h,
		"{\"data\":{\"medias\":[{\"id\":\"77\",\"title\":\"Khai mạc\",\"status\":\"hide\",\"create_date\":1789000000500}]},\"error\":0}");
	expect("GET", "/v2.0/article/getdetail");
	answer(h, "{\"data\":{\"id\":\"77\",\"tracking_link\":\"https://p?lt=REF1\"},\"error\":0}");
	saved("article=77");
	expect("POST", "/v2.0/article/update");
	assert_false(sh_result(h, op)->done);
}

static void a_lost_create_that_is_nowhere_is_made_again(void **state)
{
	(void)state;
	size_t op = begin(ARTICLE_HEAD "\n");
	to_created();
	sh_answer(h, h->n_http - 1, LT_P_MAYBE_SENT, 0, "");
	size_t made = h->n_http;
	for (int i = 0; i < 20 && (h->n_http == made || !strstr(last_call(h)->url, "create"));
		i++) {
		wait_ms(2500);
		if (strstr(last_call(h)->url, "getslice") && !last_call(h)->answered)
			answer(h, NONE);
	}
	expect("POST", "/v2.0/article/create");
	assert_true(h->wall - 1789000000000 >= 8000);
	assert_false(sh_result(h, op)->done);
}

static void what_a_person_posted_is_not_posted_again(void **state)
{
	(void)state;
	size_t op = begin(ARTICLE_HEAD "\n");
	answer(h,
		"{\"data\":{\"medias\":[{\"id\":\"5\",\"title\":\"KHAI mạc \",\"status\":\"show\",\"create_date\":\"1788999000000\",\"link_view\":\"https://l/5\"}]},\"error\":0}");
	expect("GET", "/v2.0/article/getdetail");
	answer(h, "{\"data\":{\"id\":\"5\",\"tracking_link\":\"\"},\"error\":0}");
	saved("guarded=5");
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->flags, LT_R_PERSON | LT_R_FREE);
	assert_string_equal(sh_result(h, op)->url, "https://l/5");
	assert_non_null(strstr(sh_result(h, op)->text, "already there"));
}

static void an_older_article_or_a_draft_does_not_count(void **state)
{
	(void)state;
	(void)begin(ARTICLE_HEAD "\n");
	answer(h,
		"{\"data\":{\"medias\":[{\"id\":\"5\",\"title\":\"Khai mạc\",\"status\":\"show\",\"create_date\":1788800000000},"
		"{\"id\":\"6\",\"title\":\"Khai mạc\",\"status\":\"hide\",\"create_date\":1788999999000}]},\"error\":0}");
	expect("POST", "/v2.0/article/create");
}

static void a_stale_token_is_rotated_once_then_a_person_is_asked(void **state)
{
	(void)state;
	size_t op = begin(ARTICLE_HEAD "\n");
	answer(h, "{\"error\":-216,\"message\":\"Access token is invalid\"}");
	assert_non_null(sh_last_note(h, "refresh"));
	expect("GET", "/v2.0/article/getslice");
	assert_int_equal(h->n_http, 2);
	answer(h, "{\"error\":-220,\"message\":\"expired\"}");
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_ACCOUNT);
	assert_int_equal(sh_result(h, op)->flags, LT_R_FREE | LT_R_PERSON);
	assert_int_equal(h->n_http, 2);
}

/* While the channel closes, for one; where a person must log in the host parks the account by itself. */
static void a_token_that_cannot_be_had_now_asks_no_person(void **state)
{
	(void)state;
	static const struct {
		int rc, error, flags;
	} row[] = { { -LT_E_CLOSED, 0, LT_R_FREE }, { -LT_E_FULL, 0, LT_R_FREE },
		{ 0, -EAGAIN, LT_R_FREE }, { 0, -EKEYREJECTED, LT_R_FREE },
		{ -LT_E_INVALID, 0, LT_R_FREE | LT_R_PERSON } };
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t op = begin(ARTICLE_HEAD "\n");
		h->refresh_rc = row[i].rc;
		h->refresh_error = row[i].error;
		answer(h, "{\"error\":-216,\"message\":\"Access token is invalid\"}");
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_ACCOUNT);
		assert_int_equal(sh_result(h, op)->flags, row[i].flags);
	}
}

static void a_failed_picture_forgets_the_draft(void **state)
{
	(void)state;
	size_t op = begin(ARTICLE_HEAD "\n");
	to_created();
	answer(h, TOKEN);
	wait_ms(1000);
	answer(h, "{\"error\":-200,\"message\":\"Upload media failed\"}");
	saved("token=");
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_string_equal(sh_result(h, op)->code, "-200");
}

static void an_article_that_takes_too_long_is_asked_for_later(void **state)
{
	(void)state;
	size_t op = begin(ARTICLE_HEAD "\n");
	to_created();
	answer(h, TOKEN);
	for (int i = 0; i < 12 && !sh_result(h, op)->done; i++) {
		wait_ms(1000);
		if (!last_call(h)->answered)
			answer(h, i % 2 ? WORKING : "{\"data\":{},\"error\":0}");
	}
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->flags, LT_R_FREE);
}

static void a_try_goes_on_where_the_last_one_stopped(void **state)
{
	static const struct {
		const char *names[3], *values[3];
		const char *path;
	} rows[] = {
		{ { "begun" }, { "1788999990000" }, "getslice" },
		{ { "begun", "token" }, { "1", "TkX" }, "verify" },
		{ { "token", "article" }, { "TkX", "88" }, "update" },
		{ { "article", "show_token" }, { "88", "TkY" }, "verify" },
		{ { "article", "shown" }, { "88", "yes" }, "getdetail" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t op = article_op(h, ses, ARTICLE_HEAD "\n");
		struct lt_pair steps[3];
		size_t n = 0;
		for (; n < 3 && rows[i].names[n]; n++)
			steps[n] = (struct lt_pair){ .name = S(rows[i].names[n]),
				.value = S(rows[i].values[n]) };
		h->jobs[op]->work.steps = steps;
		h->jobs[op]->work.n_steps = n;
		assert_int_equal(sh_start(h, op, 1), 0);
		for (int k = 0; k < 3; k++)
			sh_turn(h);
		wait_ms(1001);
		if (!strstr(last_call(h)->url, rows[i].path))
			fail_msg("row %zu goes to %s", i, last_call(h)->url);
		sh_cancel(h, op);
		sh_turn(h);
		if (!last_call(h)->answered)
			answer(h, DETAIL);
		sh_turn(h);
		assert_true(sh_result(h, op)->done);
	}
}

static void a_group_message_is_saved_before_and_after(void **state)
{
	(void)state;
	size_t op = sh_op(h, ses, "group:7a1b2c3d4e5f60718293", "REF2",
		ZALO_MAGIC
		"kind text\nimage c0ver 3 image/png bia.png\nfile f1le 3 application/pdf cong van.pdf\n\n",
		0);
	struct sh_job *j = h->jobs[op];
	sh_asset(h, "c0ver", "PNG", 3);
	sh_asset(h, "f1le", "PDF", 3);
	j->payload[1] = (struct lt_src){ .bytes = LTC_LIT("Chào \"nhóm\"") };
	j->work.payload = j->payload;
	j->work.n_payload = 2;
	j->work.deadline_ms = 0;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	expect("POST", "/v2.0/oa/upload/image");
	answer(h, "{\"data\":{\"attachment_id\":\"up1\"},\"error\":0}");
	saved("try0=");
	expect("POST", "/v3.0/oa/group/message");
	assert_non_null(
		strstr(last_call(h)->body, "\"text\":\"Chào \\\"nhóm\\\"\",\"attachment\""));
	assert_non_null(strstr(last_call(h)->body, "\"attachment_id\":\"up1\""));
	answer(h, "{\"error\":-100,\"message\":\"expired\"}");
	expect("POST", "/v2.0/oa/upload/image");
	answer(h, "{\"data\":{\"attachment_id\":\"up2\"},\"error\":0}");
	answer(h, "{\"data\":{\"message_id\":\"m1\"},\"error\":0}");
	expect("POST", "/v2.0/oa/upload/file");
	answer(h, "{\"data\":{\"token\":\"ft\"},\"error\":0}");
	/* section 6: one message a second to a group; until then nothing says that it was tried */
	saved("up1=ft");
	size_t calls = h->n_http;
	wait_ms(900);
	assert_int_equal(h->n_http, calls);
	saved("up1=ft");
	wait_ms(100);
	saved("try1=");
	expect("POST", "/v3.0/oa/group/message");
	sh_answer(h, h->n_http - 1, LT_P_ANSWERED, 502, "<html>");
	sh_turn(h);
	assert_int_equal(sh_result(h, op)->outcome, LT_UNKNOWN);
	/* the second has its place: that the first was received says nothing of it */
	assert_int_equal(sh_result(h, op)->n_ids, 2);
	assert_string_equal(sh_result(h, op)->id, "m1");
}

static void a_group_that_the_oa_left_and_a_phone_without_zalo_are_told(void **state)
{
	(void)state;
	size_t op = group_begin();
	answer(h, "{\"error\":-403,\"message\":\"OA is not in this group\"}");
	assert_int_equal(sh_result(h, op)->flags, LT_R_FREE | LT_R_PERSON);
	op = phone_begin();
	expect("POST", "/message/template");
	assert_non_null(strstr(last_call(h)->body,
		"{\"phone\":\"84900000001\",\"template_id\":\"420017\",\"template_data\":{\"ten\":\"A\"},\"tracking_id\":\"R2\"}"));
	answer(h, "{\"error\":-118,\"message\":\"no account\"}");
	assert_int_equal(sh_result(h, op)->outcome, LT_REFUSED);
	assert_int_equal(sh_result(h, op)->flags, LT_R_SUPPRESS);
}

static void a_question_is_answered_by_what_the_article_tells(void **state)
{
	struct lt_id ids[] = { { 0, 0, LTC_LIT("88") }, { 1, 0, LTC_LIT("broadcast") } };

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		size_t op = article_op(h, ses, ARTICLE_HEAD "\n");
		h->jobs[op]->job.kind = LT_J_RECONCILE;
		h->jobs[op]->work.ids = ids;
		h->jobs[op]->work.n_ids = n;
		assert_int_equal(sh_start(h, op, 1), 0);
		sh_turn(h);
		if (n == 1)
			answer(h, "{\"data\":{\"id\":\"88\",\"status\":\"hide\"},\"error\":0}");
		assert_true(sh_result(h, op)->done);
		assert_int_equal(sh_result(h, op)->outcome, n == 1 ? LT_DEFERRED : LT_UNKNOWN);
	}
	size_t op = article_op(h, ses, ARTICLE_HEAD "\n");
	h->jobs[op]->job.kind = LT_J_RECONCILE;
	h->jobs[op]->work.ids = ids;
	h->jobs[op]->work.n_ids = 1;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	answer(h,
		"{\"data\":{\"id\":\"88\",\"status\":\"show\",\"link\":\"https://l/88\"},\"error\":0}");
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
	assert_string_equal(sh_result(h, op)->url, "https://l/88");
}

/* Section 4: an update is asked for by its token until it is done. What is still processed is hidden now and shown in a minute: a stop
 * in between must not be told as absence. */
static void an_article_whose_update_is_processed_is_not_absent(void **state)
{
	static const struct {
		const char *verify;
		bool asks;
		int outcome;
	} rows[] = { { WORKING, false, LT_UNKNOWN },
		{ "{\"data\":{},\"error\":0}", false, LT_UNKNOWN }, { "<html>", false, LT_UNKNOWN },
		{ ID, true, LT_DEFERRED },
		{ "{\"error\":-200,\"message\":\"Upload media failed\"}", true, LT_DEFERRED },
		{ "{\"error\":-201,\"message\":\"token is invalid\"}", true, LT_DEFERRED },
		{ "{\"error\":-32,\"message\":\"limit\"}", false, LT_UNKNOWN } };
	static const struct lt_pair steps[] = { { LTC_LIT("article"), LTC_LIT("88"), { NULL, 0 } },
		{ LTC_LIT("show_token"), LTC_LIT("Tk2"), { NULL, 0 } } };

	(void)state;
	for (size_t i = 0; i <= sizeof(rows) / sizeof(rows[0]); i++) {
		bool lost = i == sizeof(rows) / sizeof(rows[0]); /* no token: its answer was lost */
		size_t op = article_op(h, ses, ARTICLE_HEAD "\n");
		h->jobs[op]->job.kind = LT_J_RECONCILE;
		h->jobs[op]->work.steps = steps;
		h->jobs[op]->work.n_steps = lost ? 1 : 2;
		h->jobs[op]->work.since_ms = h->wall - 1000;
		assert_int_equal(sh_start(h, op, 1), 0);
		sh_turn(h);
		if (!lost) {
			expect("POST", "/v2.0/article/verify");
			assert_non_null(strstr(last_call(h)->body, "Tk2"));
			answer(h, rows[i].verify);
		}
		if (lost || rows[i].asks) {
			expect("GET", "/v2.0/article/getdetail");
			answer(h, "{\"data\":{\"id\":\"88\",\"status\":\"hide\"},\"error\":0}");
		}
		assert_true(sh_result(h, op)->done);
		assert_int_equal(sh_result(h, op)->outcome, lost ? LT_UNKNOWN : rows[i].outcome);
	}
}

/* Push mode: a command puts the picture on the portal, which takes some seconds. */
static void a_picture_that_is_being_put_on_the_portal_is_waited_for(void **state)
{
	size_t op = sh_op(h, ses, "oa:3300112233445500100", "REF1", ARTICLE_HEAD "\n", 0);
	struct sh_job *j = h->jobs[op];

	(void)state;
	j->payload[1] = (struct lt_src){ .bytes = LTC_LIT("\"cover\":{\"photo_url\":\"") };
	j->payload[2] = (struct lt_src){ .asset = LTC_LIT("a1"), .length = 1 };
	j->payload[3] = (struct lt_src){ .bytes = LTC_LIT("\"}") };
	j->work.payload = j->payload;
	j->work.n_payload = 4;
	j->work.deadline_ms = 0;
	h->assets_again = 3;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	answer(h, NONE);
	size_t calls = h->n_http;
	assert_string_equal(sh_last_note(h, "log")->text, "the picture is being put on the portal");
	wait_ms(2000);
	wait_ms(2000);
	assert_int_equal(h->n_http, calls);
	assert_false(sh_result(h, op)->done);
	wait_ms(2000);
	expect("POST", "/v2.0/article/create");
	assert_non_null(strstr(last_call(h)->body, "https://lantoa.example/a/1"));
	/* it never comes: put off with the words, the next try begins where this one stopped */
	h->assets_again = 100;
	answer(h, TOKEN);
	wait_ms(1000);
	answer(h, ID);
	assert_false(h->jobs[op]->intent_open);
	for (int i = 0; i < 20 && !sh_result(h, op)->done; i++)
		wait_ms(2000);
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->flags, LT_R_FREE);
	assert_int_equal(sh_result(h, op)->retry_after_ms, 2000);
	assert_string_equal(sh_result(h, op)->text, "the picture is being put on the portal");
}

static size_t begin_change(const struct lt_id *id, uint32_t kind, const char *head)
{
	size_t op = article_op(h, ses, head);

	h->jobs[op]->job.kind = kind;
	h->jobs[op]->work.ids = id;
	h->jobs[op]->work.n_ids = 1;
	return op;
}

static void an_article_is_removed_by_its_id(void **state)
{
	struct lt_id id = { 0, 0, LTC_LIT("88") };

	(void)state;
	size_t op = begin_change(&id, LT_J_RECALL, ARTICLE_HEAD "\n");
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	expect("POST", "/v2.0/article/remove");
	answer(h, "{\"error\":0}");
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
}

/* The first removal took place and its answer was lost: to the second there is no such article. A no about one that is there stands. */
static void an_article_that_is_gone_already_is_taken_back(void **state)
{
	static const struct {
		const char *detail;
		int outcome;
		const char *code;
	} rows[] = { { "{\"error\":-201,\"message\":\"id is invalid\"}", LT_ACCEPTED, "gone" },
		{ "{\"error\":0,\"message\":\"Success\"}", LT_ACCEPTED, "gone" },
		{ "{\"data\":{\"id\":\"88\",\"status\":\"show\"},\"error\":0}", LT_REFUSED,
			"-201" },
		{ "{\"error\":-32,\"message\":\"limit\"}", LT_DEFERRED, "-32" },
		{ "<html>", LT_DEFERRED, "http200" } };
	struct lt_id id = { 0, 0, LTC_LIT("88") };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t op = begin_change(&id, LT_J_RECALL, ARTICLE_HEAD "\n");
		assert_int_equal(sh_start(h, op, 1), 0);
		sh_turn(h);
		answer(h, "{\"error\":-201,\"message\":\"id is invalid\"}");
		expect("GET", "/v2.0/article/getdetail");
		answer(h, rows[i].detail);
		assert_int_equal(sh_result(h, op)->outcome, rows[i].outcome);
		assert_string_equal(sh_result(h, op)->code, rows[i].code);
	}
}

static void a_correction_puts_its_own_payload_into_the_article_and_tells_nobody_twice(void **state)
{
	struct lt_id id = { 0, 0, LTC_LIT("88") };

	(void)state;
	size_t op = begin_change(&id, LT_J_CORRECT, ARTICLE_HEAD "\n");
	h->jobs[op]->payload[1] = (struct lt_src){
		.bytes = LTC_LIT(
			"\"type\":\"normal\",\"title\":\"Đúng\",\"description\":\"Mới\",\"body\":[]")
	};
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	saved("change=88");
	expect("POST", "/v2.0/article/update");
	assert_int_equal(last_call(h)->flags, LT_PUBLISHES | LT_REPEATABLE);
	assert_non_null(strstr(last_call(h)->body,
		"{\"id\":\"88\",\"type\":\"normal\",\"title\":\"Đúng\",\"description\":\"Mới\",\"body\":[],\"status\":\"show\"}"));
	answer(h, TOKEN_2);
	saved("show_token=Tk2");
	wait_ms(1000);
	expect("POST", "/v2.0/article/verify");
	answer(h, "{\"data\":{\"id\":\"88\"},\"error\":0}");
	expect("GET", "/v2.0/article/getdetail");
	answer(h, DETAIL);
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(h, op)->n_ids, 1);
	assert_string_equal(sh_result(h, op)->id, "88");
}

static void a_correction_of_a_message_or_without_an_article_is_refused(void **state)
{
	struct lt_id id = { 0, 0, LTC_LIT("88") };
	size_t op = sh_op(h, ses, "group:1a2b3c4d5e", "REF1", "Bản đúng", 0);

	(void)state;
	h->jobs[op]->job.kind = LT_J_CORRECT;
	h->jobs[op]->work.ids = &id;
	h->jobs[op]->work.n_ids = 1;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	assert_int_equal(sh_result(h, op)->outcome, LT_REFUSED);
	id.id = (struct lt_str){ NULL, 0 };
	op = begin_change(&id, LT_J_CORRECT, ARTICLE_HEAD "\n");
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	assert_int_equal(sh_result(h, op)->outcome, LT_REFUSED);
	assert_int_equal(h->n_http, 0);
}

/* The old article is shown all the time: only the mark of the correction says that it took place. */
static void a_lost_correction_is_known_by_its_mark(void **state)
{
	static const char *const marks[] = { "REF1", "OLDER" };
	struct lt_id id = { 0, 0, LTC_LIT("88") };
	char body[300];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct lt_pair step = { LTC_LIT("change"), LTC_LIT("88"), { NULL, 0 } };
		size_t op = begin_change(&id, LT_J_RECONCILE, ARTICLE_HEAD "\n");
		h->jobs[op]->work.steps = &step;
		h->jobs[op]->work.n_steps = 1;
		assert_int_equal(sh_start(h, op, 1), 0);
		sh_turn(h);
		expect("GET", "/v2.0/article/getdetail");
		(void)snprintf(body, sizeof(body),
			"{\"data\":{\"id\":\"88\",\"status\":\"show\",\"tracking_link\":\"https://p/?lt=%s\"},\"error\":0}",
			marks[i]);
		answer(h, body);
		assert_int_equal(sh_result(h, op)->outcome, i == 0 ? LT_ACCEPTED : LT_DEFERRED);
	}
}

int main(void)
{
#define T1(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T1(an_article_is_made_hidden_then_shown),
		T1(a_lost_create_is_looked_for_and_found_by_its_mark),
		T1(a_lost_create_that_is_nowhere_is_made_again),
		T1(what_a_person_posted_is_not_posted_again),
		T1(an_older_article_or_a_draft_does_not_count),
		T1(a_stale_token_is_rotated_once_then_a_person_is_asked),
		T1(a_token_that_cannot_be_had_now_asks_no_person),
		T1(a_failed_picture_forgets_the_draft),
		T1(an_article_that_takes_too_long_is_asked_for_later),
		T1(a_try_goes_on_where_the_last_one_stopped),
		T1(a_group_message_is_saved_before_and_after),
		T1(a_group_that_the_oa_left_and_a_phone_without_zalo_are_told),
		T1(a_question_is_answered_by_what_the_article_tells),
		T1(an_article_whose_update_is_processed_is_not_absent),
		T1(a_picture_that_is_being_put_on_the_portal_is_waited_for),
		T1(an_article_is_removed_by_its_id),
		T1(an_article_that_is_gone_already_is_taken_back),
		T1(a_correction_puts_its_own_payload_into_the_article_and_tells_nobody_twice),
		T1(a_correction_of_a_message_or_without_an_article_is_refused),
		T1(a_lost_correction_is_known_by_its_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
