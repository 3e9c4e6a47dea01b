/* hello.c - a whole adapter in one file: posts each text to one address. Start from here.
 *
 * It has no socket, clock, thread or file of its own: events come in, requests and outcomes go out, and the host does the rest.
 * What it must never do is say more than it knows. Accepted: the provider said so. Refused: it said no. Deferred: it is proven
 * that nothing was taken. Everything else is unknown, and the host asks a person before it would send again. */
#include <string.h>
#include <lantoa/adapter.h>

#define LIT(s)                     \
	{                          \
		(s), sizeof(s) - 1 \
	}
#define PIECES 64 /* of a text at most */

static struct lt_str str(const char *z)
{
	struct lt_str s = { z, strlen(z) };
	return s;
}

static struct lt_str setting(const struct lt_conf *c, const char *name)
{
	struct lt_str none = { NULL, 0 };
	size_t i;
	for (i = 0; i < c->n_values; i++)
		if (c->values[i].name.n == strlen(name) &&
			memcmp(c->values[i].name.p, name, strlen(name)) == 0)
			return c->values[i].secret.p ? c->values[i].secret : c->values[i].value;
	return none;
}

/* --- pure side: any thread, no host ------------------------------------------------------------------------------------- */

/* The canonical form of an address, its destination class and its kind. Here: digits, as phone numbers are. */
static int hello_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink)
{
	size_t i;
	(void)c;
	for (i = 0; i < in.n; i++)
		if (in.p[i] < '0' || in.p[i] > '9')
			break;
	if (in.n == 0 || i < in.n) {
		sink->problem(
			sink->ctx, 2, str("address"), str("has other characters than digits"));
		return -LT_E_INVALID;
	}
	sink->tell(sink->ctx, str("address"), in);
	sink->tell(sink->ctx, str("class"), str("default"));
	return sink->tell(sink->ctx, str("kind"), str("phone"));
}

/* Once for a release and language and office: pieces, and holes for what differs between recipients. */
static int hello_prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *sink)
{
	struct lt_src text = { LIT(""), { NULL, 0 }, { NULL, 0 }, 0, 0, 0, 0 };
	int rc;
	(void)c;
	text.bytes = in->text.n ? in->text : in->summary.n ? in->summary : in->title;
	if (text.bytes.n == 0) {
		sink->problem(sink->ctx, 2, str("text"), str("there is no text to send"));
		return 0;
	}
	sink->preview(sink->ctx, text.bytes);
	rc = sink->hole(sink->ctx, 1); /* compose puts the recipient here */
	if (rc == 0)
		rc = sink->add(sink->ctx, &text);
	return rc;
}

static int hello_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink)
{
	struct lt_src piece = { LIT("to: "), { NULL, 0 }, { NULL, 0 }, 0, 0, 0, 0 };
	int rc = sink->add(sink->ctx, &piece);
	(void)c;
	(void)note;
	(void)hole;
	piece.bytes = t->address;
	if (rc == 0)
		rc = sink->add(sink->ctx, &piece);
	piece.bytes = str("\n\n");
	return rc == 0 ? sink->add(sink->ctx, &piece) : rc;
}

/* --- the loop: every function returns at once --------------------------------------------------------------------------- */
struct session { /* one request at a time: without LT_CAP_SHARED_SESSION each op has a session of its own */
	int busy;  /* its op is under way */
	int going; /* told to end: once the op has its answer */
};

static int finish(struct lt_inst *inst, struct lt_job *job, int32_t outcome, int32_t scope,
	uint32_t flags, const char *text)
{
	struct lt_result r;
	memset(&r, 0, sizeof(r)); /* a forgotten outcome is unknown */
	r.struct_size = sizeof(r);
	r.outcome = outcome;
	r.scope = scope;
	r.flags = flags;
	r.text = str(text);
	return inst->host->finish(inst->host->ctx, job, &r);
}

static int hello_open(struct lt_inst *inst)
{
	struct lt_str url = setting(inst->conf, "url");
	if (url.n > 7 && memcmp(url.p, "http", 4) == 0)
		return 0;
	inst->host->log(inst->host->ctx, NULL, 3,
		str("url: an address that begins with http:// or https:// belongs here"));
	return -LT_E_INVALID;
}

static void hello_close(struct lt_inst *inst)
{
	(void)inst;
}

/* One request publishes one text. The intent is there already (LT_CAP_INTENT_AT_START). */
static int post(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)
{
	struct lt_field body[PIECES];
	struct lt_pair headers[2];
	struct lt_http_req req;
	struct session *s = job->session->priv;
	size_t i;
	int rc;
	if (w->n_payload > PIECES)
		return -LT_E_FULL; /* the job ends, and as nothing was sent it is deferred */
	memset(body, 0, sizeof(body));
	memset(headers, 0, sizeof(headers));
	memset(&req, 0, sizeof(req));
	for (i = 0; i < w->n_payload; i++)
		body[i].src = w->payload[i];
	headers[0].name = str(
		"X-Reference"); /* the same for every try: a provider that honours it sends once */
	headers[0].value = w->ref;
	headers[1].name = str("Authorization");
	headers[1].value = str("Bearer ");
	headers[1].secret = setting(
		inst->conf, "token"); /* only its name: the host puts the value in */
	req.struct_size = sizeof(req);
	req.flags = LT_PUBLISHES;
	req.method = str("POST");
	req.url = setting(inst->conf, "url");
	req.headers = headers;
	req.n_headers = headers[1].secret.n ? 2 : 1;
	req.body_kind = LT_BODY_RAW;
	req.fields = body;
	req.n_fields = w->n_payload;
	req.total_ms = 30000;
	rc = inst->host->http(inst->host->ctx, job, &req);
	s->busy = rc == 0;
	return rc;
}

static int hello_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	(void)n; /* without LT_CAP_BATCH it is 1 */
	switch (jobs[0]->kind) {
	case LT_J_SESSION: return 0; /* nothing to keep open between requests */
	case LT_J_OP: return post(inst, jobs[0], works[0]);
	case LT_J_CHECK:
		return finish(inst, jobs[0], LT_ACCEPTED, 0, 0,
			"the settings are good; nothing was sent");
	default: return -LT_E_INVALID;
	}
}

static int answer(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r)
{
	if (r->phase == LT_P_NOT_SENT)
		return finish(inst, job, LT_DEFERRED, LT_SCOPE_LANE, 0, "no connection");
	if (r->phase == LT_P_MAYBE_SENT)
		return finish(inst, job, LT_UNKNOWN, LT_SCOPE_TARGET, 0, "no answer came");
	if (r->status >= 200 && r->status < 300)
		return finish(inst, job, LT_ACCEPTED, LT_SCOPE_TARGET, 0, "");
	if (r->status == 401 || r->status == 403) /* says nothing about who was written to */
		return finish(inst, job, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_PERSON,
			"the token is not taken");
	if (r->status == 429)
		return finish(
			inst, job, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE, "told to slow down");
	if (r->status >= 400 && r->status < 500 && r->status != 408)
		return finish(inst, job, LT_REFUSED, LT_SCOPE_TARGET, 0, "refused");
	return finish(inst, job, LT_UNKNOWN, LT_SCOPE_TARGET, 0,
		"an answer that says neither yes nor no");
}

/* A session that ends takes its op along, whose answer is then lost: so it waits for that. */
static int end_session(struct lt_inst *inst, struct lt_job *session)
{
	struct session *s = session->priv;
	s->going = 1;
	return s->busy ? 0 : finish(inst, session, LT_ACCEPTED, 0, 0, "");
}

static int hello_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	struct lt_job *session = job->session; /* the job is gone behind finish() */
	struct session *s;
	int rc;
	if (job->kind == LT_J_SESSION)
		return ev->type == LT_EV_SHUTDOWN ? end_session(inst, job) : 0;
	if (ev->type != LT_EV_HTTP)
		return 0; /* a cancel comes too late: the request is under way, and its answer tells the truth */
	rc = answer(inst, job, ev->u);
	s = session->priv;
	s->busy = 0;
	return s->going ? end_session(inst, session) : rc;
}

static const struct lt_key keys[] = {
	{ "url", "text", NULL, "texts are posted to this address", 0, 0 }, /* NULL: must be given */
	{ "token", "secret", "", "name of the secret that is sent as bearer token", 0, 0 },
};

extern const struct lt_adapter lantoa_adapter;
__attribute__((visibility("default")))
const struct lt_adapter lantoa_adapter = { LT_ABI_MAJOR, LT_ABI_MINOR, sizeof(struct lt_adapter), 0,
	sizeof(struct session), 0, 0, /* private bytes of instance, session, op and other jobs */
	sizeof(keys) / sizeof(keys[0]), LT_CAP_INTENT_AT_START, "hello", "1.0", keys, hello_address,
	hello_prepare, hello_compose, hello_open, hello_close, hello_start, hello_event };
