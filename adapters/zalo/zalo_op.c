/* zalo_op.c - life of an op: states, tokens that must be rotated, waiting, cancelling, and its one end.
 * Thread: loop. Owns: nothing; an op is gone after op_finish, so every function that may end it is called last.
 * Cancel: a call that people could see the effect of is waited for; else the op ends where it is, its steps are saved. */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"
#include "zalo_prepare.h"

#define FAILED_MAX    3 /* tries that -200 is followed by another */
#define HOUR_MS       INT64_C(3600000)
#define LONGER_MAX    100  /* hours that a picture's address lives longer by its try */
#define URL_WAIT_MS   2000 /* a picture that a command puts on the portal */
#define URL_WAITS_MAX 15

static const struct lt_host *host(const struct zalo_op *op)
{
	return op->inst->host;
}

const struct zalo_conf *zalo_conf_of(const struct zalo_op *op)
{
	return &((const struct zalo_inst *)op->inst->priv)->conf;
}

int64_t zalo_now(const struct zalo_op *op)
{
	return host(op)->mono_ms(host(op)->ctx);
}

int64_t zalo_their_now(const struct zalo_op *op)
{
	const struct zalo_inst *zi = op->inst->priv;

	return host(op)->wall_ms(host(op)->ctx) + (zi->skew_known ? zi->skew_ms : 0);
}

int64_t zalo_url_lives_ms(const struct zalo_op *op)
{
	return zalo_conf_of(op)->url_lives_ms + (int64_t)(op->work->try_no % LONGER_MAX) * HOUR_MS;
}

struct lt_str zalo_step(const struct zalo_op *op, const char *name)
{
	bool theirs = op->other && zalo_of_text(ltc_z(name));

	if (theirs)
		return (struct lt_str){ 0 };
	return ltc_pair(op->work->steps, op->work->n_steps, name);
}

/* --- the end ----------------------------------------------------------------------------------------------------------------- */
static size_t ids_of(
	const struct zalo_op *op, int32_t outcome, struct lt_id ids[ZALO_ITEMS_MAX + 2])
{
	size_t n = 0;

	if (op->form == ZALO_OA) {
		/* the articles of a broadcast are others' */
		if (op->article[0] != '\0' && op->cast.n == 0)
			ids[n++] = (struct lt_id){ 0, op->shown ? LT_ACCEPTED : LT_UNKNOWN,
				ltc_z(op->article) };
		if (op->sent[0][0] != '\0' || op->cast_sent)
			ids[n++] = (struct lt_id){
				1, (uint32_t)(op->sent[0][0] != '\0' ? LT_ACCEPTED : outcome),
				op->sent[0][0] != '\0' ? ltc_z(op->sent[0]) : LTC_LIT("broadcast")
			};
		return n;
	}
	for (size_t i = 0; i < ZALO_ITEMS_MAX; i++)
		if (op->sent[i][0] != '\0')
			ids[n++] = (struct lt_id){ (uint32_t)i, LT_ACCEPTED, ltc_z(op->sent[i]) };
	/* The others have their places: a report of one message says nothing of them. */
	for (size_t i = n; n > 0 && i < zalo_messages(op); i++)
		ids[n++] = (struct lt_id){ (uint32_t)i, LT_UNKNOWN, LTC_LIT("") };
	return n;
}

static void op_finish(struct zalo_op *op, struct lt_result *r)
{
	const struct lt_host *h = host(op);
	struct ltc_session *s = op->session;
	struct lt_id ids[ZALO_ITEMS_MAX + 2];

	r->ids = ids;
	r->n_ids = ids_of(op, r->outcome, ids);
	if (r->url.n == 0)
		r->url = ltc_z(op->url);
	(void)h->finish(h->ctx, op->job, r);
	ltc_session_end_op(s);
}

/* Nothing that fails behind it takes back what has gone out: an article that is shown, whose address alone was asked for. */
static bool all_out(const struct zalo_op *op)
{
	return op->shown && op->job->kind != LT_J_RECONCILE;
}

/* The provider's yes to a message came, and its step is not stored: to a next try it would be unsent. */
static bool part_out(const struct zalo_op *op)
{
	return op->job->kind == LT_J_OP && op->form != ZALO_OA && op->item < ZALO_ITEMS_MAX &&
		op->sent[op->item][0] != '\0';
}

void zalo_end(struct zalo_op *op, int32_t outcome, int32_t scope, uint32_t flags, int64_t retry_ms,
	const char *code, const char *text)
{
	if (outcome != LT_ACCEPTED && all_out(op)) {
		outcome = LT_ACCEPTED;
		scope = LT_SCOPE_TARGET;
		flags = 0;
		retry_ms = 0;
	} else if (outcome != LT_ACCEPTED && part_out(op)) {
		outcome = LT_UNKNOWN;
	}
	bool question = op->job->kind == LT_J_RECONCILE;
	struct lt_result r = { .struct_size = sizeof(r),
		/* of a question deferred would be the proof of absence: a failed one proves nothing */
		.outcome = question && outcome != LT_ACCEPTED && strcmp(code, "absent") != 0
			? LT_UNKNOWN
			: outcome,
		.scope = scope,
		.flags = flags,
		.code = ltc_z(code),
		.text = ltc_z(text),
		.retry_after_ms = retry_ms };

	op_finish(op, &r);
}

void zalo_end_no_url(struct zalo_op *op, int rc)
{
	if (rc == -LT_E_AGAIN)
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, URL_WAIT_MS, "asset",
			"the picture is being put on the portal");
	else
		zalo_end(op, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, 60000, "asset",
			"a picture has no public address: set public_url, see lantoa channel check");
}

void zalo_end_good(struct zalo_op *op)
{
	zalo_end(op, LT_ACCEPTED, LT_SCOPE_TARGET, 0, 0, "0", "");
}

/* -200 is repeated three times (contract, section 10); a wait that costs no try counts as none. */
static bool worn_out(
	const struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	return strcmp(a->code, "-200") == 0 && row->outcome == LT_DEFERRED &&
		row->scope == LT_SCOPE_TARGET && (row->flags & LT_R_FREE) == 0 &&
		op->work->try_no > FAILED_MAX;
}

/* Into op->end. Whether the table's own outcomes are left at this point, something must still be said. */
static void end_as_row(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	int32_t outcome = row->outcome;
	uint32_t flags = row->flags;
	int64_t wait = row->retry_after_ms;
	uint16_t r = 0;

	/* a new token was got and is no better; when none was asked for the next try does that */
	if (outcome == ZALO_O_REFRESH)
		flags |= LT_R_FREE | (op->refreshed ? LT_R_PERSON : 0);
	if (outcome >= ZALO_O_REFRESH)
		outcome = LT_DEFERRED;
	if (worn_out(op, row, a))
		outcome = LT_REFUSED;
	if (wait > 0 && (flags & LT_R_PERSON) == 0) {
		host(op)->random(host(op)->ctx, &r, sizeof(r));
		wait += wait * (r % 256) / 1024; /* so that not all come back at once */
	}
	(void)snprintf(op->end_code, sizeof(op->end_code), "%s", a->code);
	(void)snprintf(op->end_text, sizeof(op->end_text), "%.*s%s%s", (int)row->note.n,
		row->note.p == NULL ? "" : row->note.p, a->text[0] != '\0' ? ": " : "", a->text);
	op->end = (struct lt_result){ .struct_size = sizeof(op->end),
		.outcome = outcome,
		.scope = row->scope,
		.flags = flags,
		.retry_after_ms = wait };
}

void zalo_end_row(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	end_as_row(op, row, a);
	zalo_end(op, op->end.outcome, op->end.scope, op->end.flags, op->end.retry_after_ms,
		op->end_code, op->end_text);
}

void zalo_end_row_without(struct zalo_op *op, const struct ltc_outcome_row *row,
	const struct zalo_answer *a, const char *step)
{
	end_as_row(op, row, a);
	zalo_save(op, step, (struct lt_str){ "", 0 }, ZSAVE_THEN_END);
}

/* --- walking ----------------------------------------------------------------------------------------------------------------- */
const struct zalo_state_row *zalo_state_row(enum zalo_state st)
{
	if (st < ZS_CAST_LOOK)
		return &zalo_article_rows[st];
	if (st < ZS_UPLOAD)
		return &zalo_cast_rows[st - ZS_CAST_LOOK];
	if (st < ZS_LOOK)
		return &zalo_message_rows[st - ZS_UPLOAD];
	return &zalo_look_rows[st - ZS_LOOK];
}

static void not_taken(struct zalo_op *op)
{
	zalo_end(op, LT_DEFERRED, LT_SCOPE_LANE, 0, 0, "host", "the host did not take it");
}

static void request(struct zalo_op *op)
{
	if (zalo_state_row(op->state)->request(op) < 0)
		not_taken(op);
}

/* Asked before the intent: a wait of some seconds must not make a delivery unknown when the daemon ends in it. */
static bool url_awaited(struct zalo_op *op, enum zalo_state st)
{
	int64_t until = zalo_now(op) + URL_WAIT_MS + 5000;
	size_t n = st == ZS_CREATE || st == ZS_SHOW ? op->work->n_payload : 0;
	struct lt_str url, asset = st == ZS_SEND ? zalo_message_url(op) : (struct lt_str){ 0 };
	int64_t lives = zalo_url_lives_ms(op);
	int rc = asset.n == 0 ? 0 : host(op)->asset_url(host(op)->ctx, op->job, asset, lives, &url);

	for (size_t i = 1; i < n && rc == 0; i++)
		if (op->work->payload[i].asset.p != NULL)
			rc = host(op)->asset_url(
				host(op)->ctx, op->job, op->work->payload[i].asset, lives, &url);
	if (rc != -LT_E_AGAIN || op->url_waits == URL_WAITS_MAX || op->stopping ||
		(op->work->deadline_ms > 0 && until > op->work->deadline_ms))
		return false; /* the request tells what is wrong */
	if (op->url_waits++ == 0)
		host(op)->log(host(op)->ctx, op->job, 2,
			LTC_LIT("the picture is being put on the portal"));
	zalo_enter_later(op, st, URL_WAIT_MS);
	return true;
}

void zalo_enter(struct zalo_op *op, enum zalo_state st)
{
	const struct zalo_state_row *row = zalo_state_row(st);
	char name[40];

	op->state = st;
	if (url_awaited(op, st))
		return;
	if (row->intent == NULL) {
		request(op);
		return;
	}
	if (st == ZS_SEND)
		(void)snprintf(name, sizeof(name), "%s%zu", row->intent, op->item);
	else
		(void)snprintf(name, sizeof(name), "%s", row->intent);
	if (host(op)->intent(host(op)->ctx, op->job, ltc_z(name), row->flags) < 0)
		not_taken(op);
}

void zalo_enter_later(struct zalo_op *op, enum zalo_state st, int64_t wait_ms)
{
	op->state = st;
	if (host(op)->wake_at(host(op)->ctx, op->job, zalo_now(op) + wait_ms, ZWAKE_STATE) < 0)
		not_taken(op);
}

void zalo_save(struct zalo_op *op, const char *name, struct lt_str value, uint64_t token)
{
	if (host(op)->save(host(op)->ctx, op->job, ltc_z(name), value, token) < 0)
		not_taken(op);
}

/* The host parks the account itself where a person must log in. */
static void not_now(struct zalo_op *op, int error)
{
	char text[120];

	(void)snprintf(text, sizeof(text),
		"the token could not be rotated (%d); see lantoa channel check", error);
	zalo_end(op, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, zalo_conf_of(op)->retry_ms, "token",
		text);
}

void zalo_refresh(struct zalo_op *op)
{
	op->refreshed = true;
	int rc = host(op)->refresh(host(op)->ctx, op->job, op->work->credential, op->version);
	if (rc == -LT_E_INVALID)
		zalo_end(op, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON, 0, "token",
			"the access token is not good and none can be got: lantoa channel login");
	else if (rc < 0)
		not_now(op, rc);
}

static void answered(struct zalo_op *op, const struct lt_http_res *r)
{
	const struct zalo_state_row *st = zalo_state_row(op->state);
	const struct zalo_inst *zi = op->inst->priv;
	struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };

	op->calling = false;
	zalo_note_answer(op->inst, op->job, r);
	zalo_answer_read(r, &a);
	if (a.good) {
		op->refreshed =
			false; /* the token works: the next call may find it stale once more */
		st->good(op, &a);
		return;
	}
	const struct ltc_outcome_row *row = zalo_classify(zi->outcomes, st->phase, &a);
	if (row->outcome == ZALO_O_REFRESH && !op->refreshed && !op->stopping) {
		zalo_refresh(op);
		return;
	}
	if (st->bad != NULL && st->bad(op, row, &a))
		return;
	zalo_end_row(op, row, &a);
}

static void on_secret(struct zalo_op *op, int32_t error)
{
	if (error == 0)
		zalo_enter(op, op->state);
	else
		not_now(op, error);
}

static void on_saved(struct zalo_op *op, const struct lt_event *ev)
{
	if (ev->error < 0) {
		zalo_end(op, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE, 0, "save",
			"a step could not be stored");
		return;
	}
	if (ev->token == ZSAVE_THEN_END) {
		struct lt_result r = op->end;
		r.code = ltc_z(op->end_code);
		r.text = ltc_z(op->end_text);
		op_finish(op, &r);
	} else if (ev->token == ZSAVE_CAST) {
		zalo_enter(op, ZS_CAST);
	} else if (op->form == ZALO_OA) {
		zalo_article_saved(op, ev->token);
	} else {
		zalo_message_saved(op, ev->token);
	}
}

static void on_cancel(struct zalo_op *op)
{
	op->stopping = true;
	if (op->calling && (op->flags & LT_PUBLISHES) != 0)
		return; /* its answer says what became of it */
	if (op->show_sent && !op->shown)
		zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, "stop",
			"stopped while the article was being shown");
	else if (op->shown)
		zalo_end(op, LT_ACCEPTED, LT_SCOPE_TARGET, 0, 0, "stop", "");
	else if (op->sent[0][0] != '\0' && op->item > 0)
		zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, "stop",
			"stopped between two messages");
	else
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 0, "stop",
			"stopped before it was published");
}

int zalo_op_event(struct lt_job *job, const struct lt_event *ev)
{
	struct zalo_op *op = job->priv;

	switch (ev->type) {
	case LT_EV_HTTP:
		if (op->calling && ev->token == op->serial)
			answered(op, ev->u);
		break;
	case LT_EV_GO: request(op); break;
	case LT_EV_SAVED: on_saved(op, ev); break;
	case LT_EV_SECRET: on_secret(op, ev->error); break;
	case LT_EV_WAKE: zalo_enter(op, op->state); break;
	case LT_EV_CANCEL: on_cancel(op); break;
	default: break;
	}
	return 0;
}

/* --- the payload ------------------------------------------------------------------------------------------------------------- */
static void read_item(struct zalo_op *op, struct lt_str line, bool image)
{
	struct zalo_item *it = &op->items[op->n_items];
	struct lt_str bytes;
	int64_t n = 0;

	if (op->n_items == ZALO_ITEMS_MAX - 1 || !ltc_next(&line, ' ', &it->asset) ||
		!ltc_next(&line, ' ', &bytes) || !ltc_next(&line, ' ', &it->type) ||
		ltc_i64(bytes, 0, INT32_MAX, &n) < 0)
		return;
	it->image = image;
	it->bytes = (uint64_t)n;
	it->name = line;
	op->n_items++;
}

static void read_head(struct zalo_op *op)
{
	struct lt_str rest = op->work->n_payload > 0 ? op->work->payload[0].bytes
						     : (struct lt_str){ 0 },
		      line;

	op->plain = !ltc_starts(rest, ZALO_MAGIC);
	if (op->plain)
		return;
	op->head = rest;
	while (ltc_line(&rest, &line) && line.n > 0) {
		if (ltc_starts(line, "title "))
			op->title = ltc_from(line, 6);
		else if (ltc_starts(line, "cast "))
			op->cast = ltc_from(line, 5);
		else if (ltc_starts(line, "template "))
			op->tmpl = ltc_from(line, 9);
		else if (ltc_starts(line, "image ") || ltc_starts(line, "file "))
			read_item(op, ltc_from(line, line.p[0] == 'i' ? 6 : 5), line.p[0] == 'i');
	}
}

static void first_move(struct zalo_op *op)
{
	if (op->job->kind != LT_J_OP)
		zalo_look_first(op);
	else if (op->form == ZALO_OA && op->cast.n != 0)
		zalo_cast_first(op);
	else if (op->form == ZALO_OA && !op->plain)
		zalo_article_first(op);
	else if (op->form == ZALO_NONE || op->form == ZALO_OA)
		zalo_end(op, LT_REFUSED, LT_SCOPE_TARGET, 0, 0, "address",
			"this text was not made for this address");
	else
		zalo_message_first(op);
}

/* All of a batch are held before the first may be finished: slots() tells the window that is free. */
int zalo_op_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	struct ltc_session *s = jobs[0]->session->priv;

	s->held += (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct zalo_op *op = jobs[i]->priv;
		*op = (struct zalo_op){
			.job = jobs[i], .session = s, .inst = inst, .work = works[i]
		};
		op->form = zalo_form_of(works[i]->address, &op->target);
		read_head(op);
		first_move(op);
	}
	return 0;
}
