/* zalo_look.c - questions about what was sent, taking back, correcting.
 * A broadcast and a template message cannot be asked for: they stay unknown. An article tells its status. A message is looked for
 * in the conversation by its text and time; one that is not found proves nothing.
 * Thread: loop. Owns: its buffers. Failures: a question that fails is unknown, never proof of absence. */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"
#include "zalo_text.h"

#define SLACK_MS 120000

static struct lt_str id_of(const struct zalo_op *op, uint32_t effect)
{
	for (size_t i = 0; i < op->work->n_ids; i++)
		if (op->work->ids[i].effect == effect)
			return op->work->ids[i].id;
	return (struct lt_str){ 0 };
}

static void cannot_tell(struct zalo_op *op, const char *why)
{
	zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, "asked", why);
}

/* --- reconcile --------------------------------------------------------------------------------------------------------------- */
static int detail(struct zalo_op *op)
{
	struct lt_pair q[] = { { .name = LTC_LIT("id"), .value = ltc_z(op->article) } };
	struct zalo_call c = {
		.method = "GET", .path = "/v2.0/article/getdetail", .query = q, .n_query = 1
	};

	return zalo_op_call(op, &c);
}

static int conversation(struct zalo_op *op)
{
	char data[200];
	struct lt_pair user[] = { { .name = LTC_LIT("data") } };
	struct lt_pair group[] = { { .name = LTC_LIT("group_id"), .value = op->target },
		{ .name = LTC_LIT("offset"), .value = LTC_LIT("0") },
		{ .name = LTC_LIT("count"), .value = LTC_LIT("10") } };
	struct zalo_call c = { .method = "GET" };

	if (op->form == ZALO_GROUP) {
		c.path = "/v3.0/oa/group/conversation";
		c.query = group;
		c.n_query = 3;
		return zalo_op_call(op, &c);
	}
	/* their page writes the id as a bare number: all digits, exactly */
	(void)snprintf(data, sizeof(data), "{\"user_id\":%.*s,\"offset\":0,\"count\":10}",
		(int)op->target.n, op->target.p);
	user[0].value = ltc_z(data);
	c.path = "/v2.0/oa/conversation";
	c.query = user;
	c.n_query = 1;
	return zalo_op_call(op, &c);
}

static int look(struct zalo_op *op)
{
	return op->form == ZALO_OA ? detail(op) : conversation(op);
}

/* What they still work on may be shown in a minute, whatever the article says now. Of an update whose answer was lost there is no token to
 * ask by: its time says whether it can be over. */
static bool settled(const struct zalo_op *op)
{
	const struct lt_host *h = op->inst->host;
	int64_t age = h->wall_ms(h->ctx) - op->work->since_ms;

	return zalo_step(op, "show_token").n != 0 || age >= zalo_conf_of(op)->find_wait_ms;
}

static void token_good(struct zalo_op *op, const struct zalo_answer *a)
{
	if (ltc_json_str(a->data, "id").n != 0)
		zalo_enter(op, ZS_LOOK);
	else
		cannot_tell(op, "the article is still being processed");
}

/* Only a definite no to the update is an end of it: then the article says where it stands. */
static bool token_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	if (row->outcome == ZALO_O_POLL)
		cannot_tell(op, "the article is still being processed");
	else if (row->outcome == LT_REFUSED || row->outcome == ZALO_O_LOST ||
		strcmp(a->code, "-200") == 0)
		zalo_enter(op, ZS_LOOK);
	else
		return false;
	return true;
}

static void article_answer(struct zalo_op *op, const struct zalo_answer *a)
{
	char status[16];
	struct lt_str s = ltc_json_copy(ltc_json_get(a->data, "status"), status, sizeof(status));

	zalo_link_take(op, a);
	/* A correction stands where the article has its mark; an update that is done twice harms nobody. */
	if (zalo_step(op, "change").n != 0 && zalo_detail_mark(a, op->work->ref) != 1)
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 0, "absent",
			"the article does not show the correction; it is put there again");
	else if (ltc_eqz(s, "show")) {
		op->shown = true;
		zalo_end(op, LT_ACCEPTED, LT_SCOPE_TARGET, 0, 0, "asked", "the article is shown");
	} else if (ltc_eqz(s, "hide") && !settled(op)) {
		cannot_tell(op, "the article is not shown yet, and its update is young");
	} else if (ltc_eqz(s, "hide")) {
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 0, "absent",
			"the article is not shown");
	} else {
		cannot_tell(op, "the article does not tell whether it is shown");
	}
}

/* A no to the removal is not believed before the article was asked for: behind an answer that was lost the same call is told that there
 * is no such id. */
static void gone(struct zalo_op *op)
{
	zalo_end(op, LT_ACCEPTED, LT_SCOPE_TARGET, 0, 0, "gone",
		"the article is not there any more");
}

static void still_there(struct zalo_op *op, const struct zalo_answer *a)
{
	if (ltc_json_str(a->data, "id").n == 0 && ltc_json_str(a->data, "status").n == 0 &&
		ltc_json_str(a->data, "title").n == 0)
		gone(op);
	else
		zalo_end(op, LT_REFUSED, LT_SCOPE_TARGET, 0, 0, op->end_code, op->end_text);
}

static bool no_such_id(const struct zalo_answer *a)
{
	return a->json && (strcmp(a->code, "-201") == 0 || strcmp(a->code, "-210") == 0);
}

static bool look_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	(void)row;
	if (op->job->kind != LT_J_RECALL || !no_such_id(a))
		return false;
	gone(op);
	return true;
}

/* The message of ours that the conversation has: its text hashes to what was noted, and it is not older than the try. */
static bool find_message(
	const struct ltc_json *one, int64_t from, uint64_t hash, char *id, size_t size)
{
	char text[4 * ZALO_TEXT_MAX + 8];

	for (; one != NULL; one = ltc_json_next(one)) {
		int64_t src = 1, at = 0;
		(void)ltc_json_i64(ltc_json_get(one, "src"), &src);
		(void)ltc_json_i64(ltc_json_get(one, "time"), &at);
		struct lt_str t = ltc_json_copy(ltc_json_get(one, "message"), text, sizeof(text));
		if (src != 0 || at < from || ltc_hash(LTC_HASH_SEED, t) != hash)
			continue;
		(void)ltc_json_copy(ltc_json_get(one, "message_id"), id, size);
		if (id[0] != '\0')
			return true;
	}
	return false;
}

/* What announced the message that is asked about: "TIME HASH NUMBER". */
struct tried {
	int64_t at, of; /* of: messages of the delivery; 0: an earlier build did not say */
	uint64_t hash;
};

static bool read_try(struct lt_str step, struct tried *ret)
{
	struct lt_str when, hex = { 0 };

	*ret = (struct tried){ 0 };
	if (!ltc_next(&step, ' ', &when) || ltc_i64(when, 0, INT64_MAX, &ret->at) < 0 ||
		step.n < 16)
		return false;
	hex = (struct lt_str){ step.p, 16 };
	step = ltc_from(step, 16);
	for (size_t i = 0; i < hex.n; i++) {
		char c = hex.p[i];
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
		if (d > 15)
			return false;
		ret->hash = ret->hash << 4 | d;
	}
	return step.n == 0 ||
		(step.p[0] == ' ' && ltc_i64(ltc_from(step, 1), 1, ZALO_ITEMS_MAX, &ret->of) == 0);
}

/* It took place. What stands behind it may not have: then the delivery goes on from this step. */
static void message_found(struct zalo_op *op, int64_t of)
{
	char name[24];

	if ((int64_t)op->item + 1 == of) {
		zalo_end(op, LT_ACCEPTED, LT_SCOPE_TARGET, 0, 0, "asked",
			"the message was found in the conversation");
		return;
	}
	(void)snprintf(op->end_code, sizeof(op->end_code), "absent");
	(void)snprintf(op->end_text, sizeof(op->end_text),
		"the message was found; the delivery goes on behind it");
	op->end = (struct lt_result){ .struct_size = sizeof(op->end), .outcome = LT_DEFERRED };
	(void)snprintf(name, sizeof(name), "sent%zu", op->item);
	zalo_save(op, name, ltc_z(op->sent[op->item]), ZSAVE_THEN_END);
}

static void look_good(struct zalo_op *op, const struct zalo_answer *a)
{
	const struct ltc_json *list = a->data;
	struct tried t;
	char name[24];

	if (ltc_json_kind(list) != LTC_JSON_ARRAY)
		list = ltc_json_get(list, "messages");
	if (op->job->kind == LT_J_RECALL) {
		still_there(op, a);
		return;
	}
	if (op->form == ZALO_OA) {
		article_answer(op, a);
		return;
	}
	(void)snprintf(name, sizeof(name), "try%zu", op->item);
	if (!read_try(zalo_step(op, name), &t) || t.hash == LTC_HASH_SEED ||
		!find_message(ltc_json_item(list), t.at - SLACK_MS, t.hash, op->sent[op->item],
			sizeof(op->sent[0])))
		cannot_tell(op, "not found in the conversation: look there yourself");
	else
		message_found(op, t.of);
}

static void reconcile_article(struct zalo_op *op)
{
	struct lt_str id = id_of(op, 0);

	if (id_of(op, 1).n != 0 || zalo_step(op, "cast").n != 0) {
		cannot_tell(op,
			"a broadcast cannot be asked for: look in the OA's console, then resolve");
		return;
	}
	if (id.n == 0)
		id = zalo_step(op, "article");
	if (id.n == 0)
		id = zalo_step(op, "change");
	if (id.n == 0) {
		cannot_tell(op, "no id of the article is known");
		return;
	}
	struct lt_str token = zalo_step(op, "show_token");
	(void)snprintf(op->article, sizeof(op->article), "%.*s", (int)id.n, id.p);
	(void)snprintf(
		op->token, sizeof(op->token), "%.*s", (int)token.n, token.p == NULL ? "" : token.p);
	zalo_enter(op, token.n != 0 ? ZS_LOOK_TOKEN : ZS_LOOK);
}

static void reconcile_message(struct zalo_op *op)
{
	char name[24];

	for (op->item = 0; op->item < ZALO_ITEMS_MAX; op->item++) {
		(void)snprintf(name, sizeof(name), "sent%zu", op->item);
		struct lt_str id = zalo_step(op, name);
		if (id.n == 0)
			break;
		(void)snprintf(op->sent[op->item], ZALO_ID_MAX, "%.*s", (int)id.n, id.p);
	}
	(void)snprintf(name, sizeof(name), "try%zu", op->item);
	if (op->item < ZALO_ITEMS_MAX && zalo_step(op, name).n != 0)
		zalo_enter(op, ZS_LOOK);
	else if (op->item > 0)
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 0, "absent",
			"the messages before are sent, the next was not begun");
	else
		cannot_tell(op, "what was tried is not known");
}

/* --- recall and correct ------------------------------------------------------------------------------------------------------ */
static int remove_request(struct zalo_op *op)
{
	struct ltc_buf b;

	ltc_buf_init(&b, 400);
	ltc_addz(&b, "{\"id\":");
	ltc_json_add(&b, ltc_z(op->article));
	ltc_addc(&b, '}');
	struct zalo_call c = {
		.method = "POST", .path = "/v2.0/article/remove", .json = ltc_buf_str(&b)
	};
	int rc = zalo_op_call(op, &c);
	ltc_buf_done(&b);
	return rc;
}

static void done_good(struct zalo_op *op, const struct zalo_answer *a)
{
	(void)a;
	zalo_end_good(op);
}

static bool remove_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	if (row->outcome == LT_REFUSED && no_such_id(a) && !op->stopping) {
		(void)snprintf(op->end_code, sizeof(op->end_code), "%s", a->code);
		(void)snprintf(op->end_text, sizeof(op->end_text), "%s", a->text);
		zalo_enter(op, ZS_LOOK);
		return true;
	}
	if (row->outcome != ZALO_O_LOST)
		return false;
	zalo_end(
		op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 15000, a->code, "no answer; it is done again");
	return true;
}

static void change_first(struct zalo_op *op)
{
	bool correct = op->job->kind == LT_J_CORRECT;

	struct lt_str id = id_of(op, 0);

	if (zalo_step(op, "cast").n != 0) {
		zalo_end(op, LT_REFUSED, LT_SCOPE_TARGET, 0, 0, "cannot",
			"a broadcast has reached people and cannot be taken back");
		return;
	}
	if (op->form != ZALO_OA || id.n == 0) {
		zalo_end(op, LT_REFUSED, LT_SCOPE_TARGET, 0, 0, "cannot",
			op->form == ZALO_OA
				? "no article of this delivery is known"
				: "a message cannot be taken back or changed: send another one");
		return;
	}
	if (correct && op->plain) {
		zalo_end(op, LT_REFUSED, LT_SCOPE_TARGET, 0, 0, "cannot",
			"this text was not made for an article");
		return;
	}
	(void)snprintf(op->article, sizeof(op->article), "%.*s", (int)id.n, id.p);
	if (correct)
		zalo_article_change(op);
	else
		zalo_enter(op, ZS_REMOVE);
}

void zalo_look_first(struct zalo_op *op)
{
	if (op->job->kind == LT_J_RECALL || op->job->kind == LT_J_CORRECT)
		change_first(op);
	else if (op->form == ZALO_OA)
		reconcile_article(op);
	else if (op->form == ZALO_PHONE || op->form == ZALO_NONE)
		cannot_tell(op,
			"a template message cannot be asked for: its receipt tells, or a person");
	else
		reconcile_message(op);
}

const struct zalo_state_row zalo_look_rows[] = {
	[ZS_LOOK - ZS_LOOK] = { "read", NULL, 0, look, look_good, look_bad },
	[ZS_LOOK_TOKEN - ZS_LOOK] = { "verify", NULL, 0, zalo_verify, token_good, token_bad },
	[ZS_REMOVE - ZS_LOOK] = { "article", "remove", LT_PUBLISHES | LT_REPEATABLE, remove_request,
		done_good, remove_bad },
};
