/* loopback_recall.c - takes back and edits what was published: by DELETE and PUT at `url`, else in memory, where an address with
 * "stay" in it says that it cannot. Thread: loop. Owns: nothing.
 * Failures: an answer that says neither yes nor no is unknown for an edit; what is asked to go may be asked again. */
#include "loopback.h"

#define PIECES 64

static void say(struct loop_op *op, int32_t outcome, const char *code, const char *text)
{
	loop_op_end(op, outcome, code, text);
}

int loop_recall_start(struct loop_op *op)
{
	const struct lt_host *h = op->session->inst->host;
	const struct loop_inst *li = op->session->inst->priv;
	bool edit = op->job->kind == LT_J_CORRECT, token = li->conf.token_url.n != 0;
	struct lt_field body[PIECES];
	struct lt_pair headers[2] = { { .name = LTC_LIT("X-Ref"),
					      .value = op->work->n_ids ? op->work->ids[0].id
								       : op->work->ref },
		{ .name = LTC_LIT("access_token"), .secret = LTC_LIT("access_token") } };

	if (ltc_find(op->work->address, LTC_LIT("stay"), true) != NULL) {
		say(op, LT_REFUSED, "stays", "the provider leaves it where it is");
		return 0;
	}
	if (li->conf.url.n == 0) {
		say(op, LT_ACCEPTED, "250", "");
		return 0;
	}
	if (op->work->n_payload > PIECES)
		return -LT_E_FULL;
	for (size_t i = 0; i < op->work->n_payload; i++)
		body[i] = (struct lt_field){ .src = op->work->payload[i] };
	struct lt_http_req req = { .struct_size = sizeof(req),
		.flags = LT_PUBLISHES | (edit ? LT_REPEATABLE : 0u),
		.body_kind = edit ? LT_BODY_RAW : LT_BODY_NONE,
		.method = edit ? LTC_LIT("PUT") : LTC_LIT("DELETE"),
		.url = li->conf.url,
		.headers = headers,
		.n_headers = token ? 2 : 1,
		.fields = body,
		.n_fields = edit ? op->work->n_payload : 0,
		.total_ms = 10000,
		.token = LOOP_TOKEN_HTTP };
	return h->http(h->ctx, op->job, &req);
}

void loop_recall_http(struct loop_op *op, const struct lt_http_res *r)
{
	bool answered = r->phase == LT_P_ANSWERED;

	if (answered && r->status >= 200 && r->status < 300)
		say(op, LT_ACCEPTED, "2xx", "");
	else if (answered && r->status == 404 && op->job->kind == LT_J_RECALL)
		say(op, LT_ACCEPTED, "404", "was gone already");
	else if (answered && r->status >= 400 && r->status < 500 && r->status != 401)
		say(op, LT_REFUSED, "4xx", "the provider does not do it");
	else if (r->phase == LT_P_NOT_SENT || (answered && (r->status == 401 || r->status == 503)))
		say(op, LT_DEFERRED, "later", "not taken now");
	else
		say(op, LT_UNKNOWN, "http", "no answer came");
}
