/* loopback_jobs.c - jobs beside sending: webhook, poll, statistics. What they report is scripted: by the body of a webhook, by the
 * address of a delivery (loopback.h). Thread: loop. Owns: nothing; a job is gone after finish.
 * Failures: what the host could not store is told to the caller as 503; a line that is not understood as 400. */
#include <string.h>
#include "loopback.h"

#define LINES_MAX 64
enum { TOKEN_SAVED = 1, TOKEN_WAKE = 2 };

static const struct {
	const char *name;
	int32_t state;
	uint32_t final;
} states[] = {
	{ "transit", LT_RC_TRANSIT, 0 },
	{ "delivered", LT_RC_DELIVERED, 1 },
	{ "failed", LT_RC_FAILED, 1 },
	{ "seen", LT_RC_SEEN, 1 },
	{ "lost", LT_RC_LOST, 1 },
	{ "gone", LT_RC_GONE, 1 },
	{ "changed", LT_RC_CHANGED, 0 },
};
static const struct {
	const char *name;
	uint32_t kind;
} kinds[] = {
	{ "text", LT_IN_TEXT },
	{ "opt_out", LT_IN_OPT_OUT },
	{ "complaint", LT_IN_COMPLAINT },
	{ "join", LT_IN_JOIN },
	{ "leave", LT_IN_LEAVE },
	{ "quota", LT_IN_QUOTA },
	{ "revoked", LT_IN_REVOKED },
};
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static int state_of(struct lt_str word, struct lt_receipt *ret)
{
	for (size_t i = 0; i < LEN(states); i++)
		if (ltc_eqz(word, states[i].name)) {
			ret->state = states[i].state;
			ret->final = states[i].final;
			return 0;
		}
	return -LT_E_INVALID;
}

/* --- the end ---------------------------------------------------------------------------------------------------------------- */
static void over(struct loop_aside *a)
{
	const struct lt_host *h = a->inst->host;
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };
	int32_t status = a->failed ? 503 : a->status;
	struct lt_str text = a->failed ? LTC_LIT("not stored\n")
		: status == 400        ? LTC_LIT("not understood\n")
				       : LTC_LIT("saved\n");

	if (a->work->request)
		(void)h->reply(h->ctx, a->job, status, LTC_LIT("text/plain"), text);
	(void)h->finish(h->ctx, a->job, &r);
}

static void settle(struct loop_aside *a)
{
	if (!a->started || a->pending != 0 || a->silent || a->waiting)
		return;
	over(a);
}

static void asked(struct loop_aside *a, int rc)
{
	if (rc == 0)
		a->pending++;
	else
		a->failed = true;
}

/* --- webhook ------------------------------------------------------------------------------------------------------------------ */
/* receipt STATE ID [AT_MS] */
static bool line_receipt(struct loop_aside *a, struct lt_str rest)
{
	const struct lt_host *h = a->inst->host;
	struct lt_str word, id;
	struct lt_receipt rc = { .struct_size = sizeof(rc), .ids = &id, .n_ids = 1 };

	if (!ltc_next(&rest, ' ', &word) || state_of(word, &rc) != 0 || !ltc_next(&rest, ' ', &id))
		return false;
	if (rest.n != 0 && ltc_i64(rest, 0, INT64_MAX, &rc.at_ms) != 0)
		return false;
	asked(a, h->receipt(h->ctx, a->job, &rc, TOKEN_SAVED));
	return true;
}

/* in KIND ADDRESS|- DEDUPE|- [TEXT] */
static bool line_inbound(struct loop_aside *a, struct lt_str rest)
{
	const struct lt_host *h = a->inst->host;
	struct lt_str word;
	struct lt_inbound in = { .struct_size = sizeof(in), .at_ms = h->wall_ms(h->ctx) };

	if (!ltc_next(&rest, ' ', &word) || !ltc_next(&rest, ' ', &in.address) ||
		!ltc_next(&rest, ' ', &in.dedupe))
		return false;
	for (size_t i = 0; i < LEN(kinds); i++)
		if (ltc_eqz(word, kinds[i].name))
			in.kind = kinds[i].kind;
	if (ltc_eqz(in.address, "-"))
		in.address = (struct lt_str){ 0 };
	if (ltc_eqz(in.dedupe, "-"))
		in.dedupe = (struct lt_str){ 0 };
	*(in.kind == LT_IN_TEXT ? &in.text : &in.detail) = rest;
	if (in.kind == 0)
		return false;
	asked(a, h->inbound(h->ctx, a->job, &in, TOKEN_SAVED));
	return true;
}

static bool line_one(struct loop_aside *a, struct lt_str line)
{
	const struct lt_host *h = a->inst->host;
	struct lt_str word;
	int64_t n = 0;

	if (!ltc_next(&line, ' ', &word))
		return true;
	if (ltc_eqz(word, "receipt"))
		return line_receipt(a, line);
	if (ltc_eqz(word, "in"))
		return line_inbound(a, line);
	a->silent |= ltc_eqz(word, "silent");
	if (ltc_eqz(word, "wait") && ltc_i64(line, 0, 3600000, &n) == 0)
		a->waiting = h->wake_at(h->ctx, a->job, h->mono_ms(h->ctx) + n, TOKEN_WAKE) == 0;
	else if (ltc_eqz(word, "reply") && ltc_i64(line, 200, 599, &n) == 0)
		a->status = (int32_t)n;
	else
		return ltc_eqz(word, "silent");
	return true;
}

/* GET ...?challenge=X is answered with X: consoles of providers ask like that before they call. */
static bool challenge(struct loop_aside *a)
{
	const struct lt_host *h = a->inst->host;
	struct lt_str rest = a->work->request->query, piece;
	struct lt_result ok = { .struct_size = sizeof(ok), .outcome = LT_ACCEPTED };

	while (ltc_next(&rest, '&', &piece)) {
		if (!ltc_starts(piece, "challenge="))
			continue;
		(void)h->reply(h->ctx, a->job, 200, LTC_LIT("text/plain"), ltc_from(piece, 10));
		(void)h->finish(h->ctx, a->job, &ok);
		return true;
	}
	return false;
}

static void webhook(struct loop_aside *a)
{
	struct lt_str rest = a->work->request->body, line;

	a->status = 200;
	if (ltc_eqz(a->work->request->method, "GET") && challenge(a))
		return;
	for (int i = 0; i < LINES_MAX && ltc_line(&rest, &line); i++)
		if (!line_one(a, ltc_trim(line)))
			a->status = 400;
	a->started = true;
	settle(a);
}

/* --- poll and statistics ------------------------------------------------------------------------------------------------------ */
/* The first word of the address that names a state: ok-delivered, ok-failed, ok-gone ... */
static bool item_state(struct lt_str address, bool later, struct lt_receipt *ret)
{
	struct lt_str word;
	size_t n = 0;

	while (n < address.n && address.p[n] != '@' && address.p[n] != '+')
		n++;
	struct lt_str rest = { address.p, n };
	while (ltc_next(&rest, '-', &word))
		if (state_of(word, ret) == 0 &&
			(ret->state == LT_RC_GONE || ret->state == LT_RC_CHANGED) == later)
			return true;
	return false;
}

static void item_report(struct loop_aside *a, const struct lt_item *it, bool later)
{
	const struct lt_host *h = a->inst->host;
	struct lt_receipt rc = {
		.struct_size = sizeof(rc), .ids = &it->ref, .n_ids = 1, .ref = it->ref
	};

	if (item_state(it->address, later, &rc))
		asked(a, h->receipt(h->ctx, a->job, &rc, TOKEN_SAVED));
}

/* Views as the address has them: ok-42 was seen 42 times. */
static void item_stat(struct loop_aside *a, const struct lt_item *it)
{
	const struct lt_host *h = a->inst->host;
	struct loop_script s;

	loop_script_parse(it->address, &s);
	h->stat(h->ctx, a->job, it->delivery, LTC_LIT("views"), s.number >= 0 ? s.number : 0);
}

void loop_aside_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work)
{
	const struct lt_host *h = inst->host;
	struct loop_aside *a = job->priv;

	*a = (struct loop_aside){ .inst = inst, .job = job, .work = work };
	if (job->kind == LT_J_WEBHOOK) {
		webhook(a);
		return;
	}
	for (size_t i = 0; i < work->n_items; i++) {
		item_report(a, work->items[i], job->kind == LT_J_STATS);
		if (job->kind == LT_J_STATS)
			item_stat(a, work->items[i]);
	}
	if (job->kind == LT_J_STATS) {
		h->stat(h->ctx, job, 0, LTC_LIT("followers"), 1234);
		h->stat(h->ctx, job, 0, LTC_LIT("quota"), 5);
	}
	a->started = true;
	settle(a);
}

int loop_aside_event(struct lt_job *job, const struct lt_event *ev)
{
	struct loop_aside *a = job->priv;

	if (ev->type == LT_EV_SAVED && ev->token == TOKEN_SAVED) {
		a->pending--;
		a->failed |= ev->error < 0;
	} else if (ev->type == LT_EV_WAKE) {
		a->waiting = false;
	} else {
		return 0;
	}
	settle(a);
	return 0;
}
