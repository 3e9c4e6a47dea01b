/* scripted_services.c - the scripted host seen by the adapter: every function of struct lt_host.
 * Owns: everything in struct sh. Failures: memory out ends the test program. */
#include "scripted_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *shi_mem(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL)
		abort();
	return p;
}

char *shi_copy(struct lt_str s)
{
	char *p = shi_mem(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

static void copy_to(char *dst, size_t size, struct lt_str s)
{
	(void)snprintf(dst, size, "%.*s", (int)(s.n < size ? s.n : size), s.p == NULL ? "" : s.p);
}

struct lt_str shi_z(const char *s)
{
	return (struct lt_str){ s, s == NULL ? 0 : strlen(s) };
}

static void add(struct sh_text *t, const void *p, size_t n)
{
	if (t->n + n + 1 > t->cap) {
		t->cap = (t->n + n + 1) * 2;
		t->p = realloc(t->p, t->cap);
		if (t->p == NULL)
			abort();
	}
	if (n > 0)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void shi_misuse(struct sh *h, const char *text)
{
	h->misuse++;
	(void)snprintf(h->misuse_text, sizeof(h->misuse_text), "%s", text);
}

static void note(struct sh *h, const char *what, struct lt_job *job, struct lt_str text, int64_t v)
{
	struct sh_note *n = &h->notes[h->n_notes++ % SH_NOTES_MAX];

	*n = (struct sh_note){ .what = what, .job = job, .value = v };
	copy_to(n->text, sizeof(n->text), text);
}

const struct sh_note *sh_last_note(const struct sh *h, const char *what)
{
	size_t have = h->n_notes < SH_NOTES_MAX ? h->n_notes : SH_NOTES_MAX;

	for (size_t i = 1; i <= have; i++) {
		const struct sh_note *n = &h->notes[(h->n_notes - i) % SH_NOTES_MAX];
		if (strcmp(n->what, what) == 0)
			return n;
	}
	return NULL;
}

struct sh_job *shi_job_of(struct sh *h, struct lt_job *job)
{
	for (size_t i = h->n_jobs; i > 0; i--)
		if (h->jobs[i - 1] != NULL && &h->jobs[i - 1]->job == job)
			return h->jobs[i - 1];
	return NULL;
}

static void queue(struct sh *h, struct lt_job *job, uint32_t type, uint64_t token, int32_t error,
	uint32_t stream)
{
	if (h->n_queue == 1024)
		abort();
	h->queue[h->n_queue++] = (struct sh_event){ job, type, token, error, stream };
}

static void base64_lines(struct sh_text *out, const char *p, size_t n)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = (const unsigned char *)p;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)u[i] << 16 | (i + 1 < n ? (unsigned)u[i + 1] << 8 : 0) |
			(i + 2 < n ? u[i + 2] : 0u);
		char c[4] = { abc[v >> 18], abc[v >> 12 & 63], i + 1 < n ? abc[v >> 6 & 63] : '=',
			i + 2 < n ? abc[v & 63] : '=' };
		add(out, c, 4);
		if (i % 57 == 54 || i + 3 >= n)
			add(out, "\r\n", 2);
	}
}

static int expand(struct sh *h, struct sh_text *out, const struct lt_src *s)
{
	if (s->bytes.p != NULL) {
		add(out, s->bytes.p, s->bytes.n);
		return 0;
	}
	struct lt_str name = s->secret.p != NULL ? s->secret : s->asset;
	struct lt_pair *from = s->secret.p != NULL ? h->secrets : h->assets;
	size_t n = s->secret.p != NULL ? h->n_secrets : h->n_assets;
	for (size_t i = 0; i < n; i++) {
		if (from[i].name.n != name.n || memcmp(from[i].name.p, name.p, name.n) != 0)
			continue;
		struct lt_str v = from[i].value;
		size_t at = s->offset > v.n ? v.n : (size_t)s->offset;
		size_t len = s->length == 0 || s->length > v.n - at ? v.n - at : (size_t)s->length;
		if (s->encode == LT_BASE64_LINES)
			base64_lines(out, v.p + at, len);
		else
			add(out, v.p + at, len);
		return 0;
	}
	return -LT_E_INVALID;
}

/* --- the host's side of the ABI --- */
static int64_t h_wall(void *ctx)
{
	return ((struct sh *)ctx)->wall;
}

static int64_t h_mono(void *ctx)
{
	return ((struct sh *)ctx)->mono;
}

static void h_random(void *ctx, void *buf, size_t n)
{
	struct sh *h = ctx;
	unsigned char *p = buf;

	for (size_t i = 0; i < n; i++) {
		h->random = h->random * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = (unsigned char)(h->random >> 56);
	}
}

static int h_wake(void *ctx, struct lt_job *job, int64_t at, uint64_t token)
{
	struct sh *h = ctx;

	size_t mine = 0;
	if (shi_running(h, job, "a wake of a job that is not running") == NULL)
		return -LT_E_INVALID;
	for (size_t i = 0; i < h->n_wakes; i++) {
		if (h->wakes[i].job == job && h->wakes[i].token == token) {
			h->wakes[i].at = at; /* set anew, as in the daemon */
			return 0;
		}
		mine += h->wakes[i].job == job;
	}
	if (h->n_wakes == 256)
		return -LT_E_FULL;
	if (mine == SH_WAKES_MAX) {
		shi_misuse(h, "more wakes than a job has");
		return -LT_E_FULL;
	}
	h->wakes[h->n_wakes++] = (struct sh_wake){ job, at, token };
	return 0;
}

static int h_finish(void *ctx, struct lt_job *job, const struct lt_result *r)
{
	struct sh *h = ctx;
	struct sh_job *j = shi_job_of(h, job);

	if (j == NULL || j->result.done || !j->started) {
		shi_misuse(h, "finish of a job that is not running");
		return -LT_E_INVALID;
	}
	if (shi_under_way(h, job) && (r->outcome == LT_DEFERRED || r->outcome == LT_REFUSED))
		shi_misuse(h, "not taken, it says, and its request is under way");
	j->result = (struct sh_result){ .done = true,
		.outcome = r->outcome,
		.scope = r->scope,
		.flags = r->flags,
		.retry_after_ms = r->retry_after_ms,
		.n_ids = r->n_ids };
	copy_to(j->result.code, sizeof(j->result.code), r->code);
	copy_to(j->result.text, sizeof(j->result.text), r->text);
	copy_to(j->result.url, sizeof(j->result.url), r->url);
	if (r->n_ids > 0)
		copy_to(j->result.id, sizeof(j->result.id), r->ids[0].id);
	free(job->priv); /* so that a late use is seen by the sanitizer */
	job->priv = NULL;
	for (size_t i = 0; i < h->n_wakes;)
		if (h->wakes[i].job == job)
			h->wakes[i] = h->wakes[--h->n_wakes];
		else
			i++;
	return 0;
}

static int h_intent(void *ctx, struct lt_job *job, struct lt_str step, uint32_t flags)
{
	struct sh *h = ctx;
	struct sh_job *j = shi_running(h, job, "an intent of a job that is not running");

	if (j == NULL || step.n > 100)
		return -LT_E_INVALID;
	if (j->cancelled)
		return -LT_E_NOINTENT;
	note(h, "intent", job, step, flags);
	j->intent_asked = true;
	j->intent_open = false; /* of an earlier step: this one waits for its own commit */
	if (h->auto_go)
		queue(h, job, LT_EV_GO, 0, 0, 0);
	return 0;
}

static int h_save(
	void *ctx, struct lt_job *job, struct lt_str name, struct lt_str value, uint64_t token)
{
	char text[380];

	if (shi_running(ctx, job, "a step of a job that is not running") == NULL)
		return -LT_E_INVALID;
	(void)snprintf(text, sizeof(text), "%.*s=%.*s", (int)name.n, name.p, (int)value.n,
		value.p == NULL ? "" : value.p);
	note(ctx, "save", job, shi_z(text), 0);
	queue(ctx, job, LT_EV_SAVED, token, 0, 0);
	return 0;
}

static int h_http(void *ctx, struct lt_job *job, const struct lt_http_req *r)
{
	struct sh *h = ctx;
	struct sh_text body = { 0 };
	struct lt_job *const *whose = r->n_whose > 0 ? r->whose : &job;
	size_t n_whose = r->n_whose > 0 ? r->n_whose : 1;
	bool missing = false;

	if (h->n_http == SH_HTTP_MAX)
		return -LT_E_FULL;
	if (shi_running(h, job, "a request of a job that is not running") == NULL)
		return -LT_E_INVALID;
	if ((r->flags & LT_PUBLISHES) && !shi_may_publish(h, whose, n_whose))
		return -LT_E_NOINTENT;
	for (size_t i = 0; i < r->n_headers; i++) {
		add(&body, r->headers[i].name.p, r->headers[i].name.n);
		add(&body, ": ", 2);
		add(&body, r->headers[i].value.p, r->headers[i].value.n);
		if (r->headers[i].secret.p != NULL) {
			struct lt_src s = { .secret = r->headers[i].secret };
			missing |= expand(h, &body, &s) < 0;
		}
		add(&body, "\n", 1);
	}
	add(&body, "\n", 1);
	for (size_t i = 0; i < r->n_fields; i++) {
		add(&body, r->fields[i].name.p, r->fields[i].name.n);
		add(&body, "=", r->fields[i].name.n > 0);
		if (expand(h, &body, &r->fields[i].src) < 0)
			shi_misuse(h, "a field whose source does not exist");
		add(&body, "\n", 1);
	}
	struct sh_text query = { 0 };
	for (size_t i = 0; i < r->n_query; i++) {
		struct lt_src s = { .secret = r->query[i].secret };
		add(&query, r->query[i].name.p, r->query[i].name.n);
		add(&query, "=", 1);
		add(&query, r->query[i].value.p, r->query[i].value.n);
		if (s.secret.p != NULL && expand(h, &query, &s) < 0)
			shi_misuse(h, "a query value whose source does not exist");
		add(&query, "\n", 1);
	}
	if (missing) { /* a secret that the account does not have: no request */
		free(body.p);
		free(query.p);
		return -LT_E_INVALID;
	}
	struct sh_http *c = &h->http[h->n_http++];
	*c = (struct sh_http){ .job = job,
		.token = r->token,
		.flags = r->flags,
		.body_kind = r->body_kind,
		.url = shi_copy(r->url),
		.body = body.p,
		.query = query.p };
	copy_to(c->method, sizeof(c->method), r->method);
	if ((r->flags & (LT_PUBLISHES | LT_REPEATABLE)) != LT_PUBLISHES)
		return 0;
	c->n_whose = n_whose;
	c->whose = shi_mem(n_whose * sizeof(struct lt_job *));
	memcpy(c->whose, whose, n_whose * sizeof(struct lt_job *));
	return 0;
}

static int h_stream_open(
	void *ctx, struct lt_job *job, const struct lt_stream_req *r, uint32_t *ret)
{
	struct sh *h = ctx;

	if (shi_running(h, job, "a stream of a job that is not running") == NULL)
		return -LT_E_INVALID;
	if (h->refuse_streams || h->n_streams == SH_STREAMS_MAX)
		return -LT_E_FULL;
	struct sh_stream *s = shi_mem(sizeof(*s));
	s->job = job;
	s->kind = r->kind;
	s->port = r->port;
	s->starttls = r->starttls != 0;
	copy_to(s->host, sizeof(s->host), r->host);
	copy_to(s->user, sizeof(s->user), r->user);
	copy_to(s->secret, sizeof(s->secret), r->secret);
	copy_to(s->login, sizeof(s->login), r->login_options);
	s->connect_ms = r->connect_ms;
	h->streams[h->n_streams++] = s;
	*ret = (uint32_t)h->n_streams; /* index + 1: zero is never a stream */
	return 0;
}

static int h_stream_write(void *ctx, uint32_t stream, const struct lt_src *src, size_t n,
	uint32_t flags, struct lt_job *const *whose, size_t n_whose, uint64_t *ret_end)
{
	struct sh *h = ctx;
	struct sh_stream *s = stream >= 1 && stream <= h->n_streams ? h->streams[stream - 1] : NULL;

	if (s == NULL || s->gone || s->closing || !s->opened) {
		shi_misuse(h, "write to a stream that is not open");
		return -LT_E_CLOSED;
	}
	if (s->fail_write < 0)
		return s->fail_write;
	if (s->refuse_again)
		return -LT_E_AGAIN;
	if (n_whose > SH_WHOSE_MAX) {
		shi_misuse(h, "one write for more jobs than the host takes");
		return -LT_E_FULL;
	}
	if ((flags & LT_PUBLISHES) && !shi_may_publish(h, whose, n_whose))
		return -LT_E_NOINTENT;
	for (size_t i = 0; i < n; i++)
		if (expand(h, &s->out, &src[i]) < 0)
			shi_misuse(h, "a source that does not exist");
	s->writes++;
	s->publishing_writes += (flags & LT_PUBLISHES) != 0;
	if (!s->hold)
		s->flushed = s->out.n;
	*ret_end = s->out.n;
	return 0;
}

static void h_stream_close(void *ctx, uint32_t stream, uint32_t reset)
{
	struct sh *h = ctx;
	struct sh_stream *s = stream >= 1 && stream <= h->n_streams ? h->streams[stream - 1] : NULL;

	if (s == NULL || s->gone || s->closing)
		return;
	s->closing = true;
	s->reset = reset != 0;
	if (!reset)
		s->flushed = s->out.n;
	queue(h, s->job, LT_EV_CLOSED, 0, 0, stream);
}

static void h_slots(void *ctx, struct lt_job *job, uint32_t n)
{
	((struct sh *)ctx)->slots = n;
	note(ctx, "slots", job, shi_z(""), n);
}

static int h_refresh(void *ctx, struct lt_job *job, struct lt_str credential, uint64_t version)
{
	const struct sh *h = ctx;

	if (shi_running(ctx, job, "a refresh for a job that is not running") == NULL)
		return -LT_E_INVALID;
	note(ctx, "refresh", job, credential, (int64_t)version);
	if (h->refresh_rc == 0)
		queue(ctx, job, LT_EV_SECRET, 0, h->refresh_error, 0);
	return h->refresh_rc;
}

static int h_secret_get(void *ctx, struct lt_job *job, struct lt_str name, struct lt_str *ret,
	uint64_t *ret_version)
{
	struct sh *h = ctx;

	(void)job;
	for (size_t i = 0; i < h->n_secrets; i++)
		if (h->secrets[i].name.n == name.n &&
			memcmp(h->secrets[i].name.p, name.p, name.n) == 0) {
			*ret = h->secrets[i].value;
			if (ret_version != NULL)
				*ret_version = 1;
			return 0;
		}
	return -LT_E_INVALID;
}

static int h_secret_put(void *ctx, struct lt_job *job, const struct lt_pair *set, size_t n,
	int64_t expires, uint64_t token)
{
	if (shi_running(ctx, job, "credentials of a job that is not running") == NULL || n == 0 ||
		n > 16)
		return -LT_E_INVALID;
	for (size_t i = 0; i < n; i++)
		note(ctx, "secret_put", job, set[i].name, expires);
	queue(ctx, job, LT_EV_SAVED, token, 0, 0);
	return 0;
}

static int h_mac(void *ctx, struct lt_job *job, uint32_t alg, struct lt_str key,
	const struct lt_src *src, size_t n, uint8_t *ret, size_t *ret_n)
{
	struct sh_text t = { 0 };

	for (size_t i = 0; i < n; i++)
		if (expand(ctx, &t, &src[i]) < 0)
			shi_misuse(ctx, "mac over a source that does not exist");
	note(ctx, "mac", job, (struct lt_str){ t.p, t.n }, alg);
	struct sh *h = ctx;
	struct sh_text k = { 0 };
	struct lt_src secret = { .secret = key };
	if (key.n > 0 && expand(h, &k, &secret) < 0) {
		free(t.p);
		return -LT_E_INVALID; /* as the daemon answers: a name may come from a vendor file */
	}
	for (size_t i = 0; i < 32; i++)
		ret[i] = (uint8_t)i;
	if (h->digest != NULL)
		h->digest(alg, k.p == NULL ? "" : k.p, t.p == NULL ? "" : t.p, t.n, ret);
	free(k.p);
	*ret_n = 32;
	free(t.p);
	return 0;
}

static int h_task(void *ctx, struct lt_job *job, int64_t deadline, struct lt_str *ret)
{
	note(ctx, "task", job, shi_z(""), deadline);
	*ret = shi_z("https://lantoa.example/t/1");
	return 0;
}

static int h_asset_url(
	void *ctx, struct lt_job *job, struct lt_str asset, int64_t lives, struct lt_str *ret)
{
	struct sh *h = ctx;

	note(ctx, "asset_url", job, asset, lives);
	if (h->assets_again > 0) {
		h->assets_again--;
		return -LT_E_AGAIN;
	}
	*ret = shi_z("https://lantoa.example/a/1");
	return 0;
}

static int h_receipt(void *ctx, struct lt_job *job, const struct lt_receipt *r, uint64_t token)
{
	struct sh *h = ctx;

	if (shi_running(ctx, job, "a receipt of a job that is not running") == NULL)
		return -LT_E_INVALID;
	if (r->n_ids > 24) {
		shi_misuse(h, "more ids than a receipt has");
		return -LT_E_INVALID;
	}
	note(ctx, "receipt", job, r->n_ids > 0 ? r->ids[0] : r->ref, r->state);
	h->receipt_ids[0] = 0;
	h->receipt_attempt = r->attempt;
	h->receipt_at_ms = r->at_ms;
	(void)snprintf(h->receipt_code, sizeof(h->receipt_code), "%.*s", (int)r->code.n,
		r->code.n > 0 ? r->code.p : "");
	(void)snprintf(h->receipt_text, sizeof(h->receipt_text), "%.*s", (int)r->text.n,
		r->text.n ? r->text.p : "");
	for (uint32_t i = 0; i < r->n_ids; i++) {
		size_t n = strlen(h->receipt_ids);
		(void)snprintf(h->receipt_ids + n, sizeof(h->receipt_ids) - n, "%.*s ",
			(int)r->ids[i].n, r->ids[i].p);
	}
	queue(ctx, job, LT_EV_SAVED, token, 0, 0);
	return 0;
}

static int h_inbound(void *ctx, struct lt_job *job, const struct lt_inbound *in, uint64_t token)
{
	struct sh *h = ctx;

	if (shi_running(ctx, job, "an inbound text of a job that is not running") == NULL ||
		in->text.n > 65536 || in->address.n > 300 || in->detail.n > 1000 ||
		in->dedupe.n > 1000)
		return -LT_E_INVALID;
	note(ctx, "inbound.detail", job, in->detail, in->kind);
	note(ctx, "inbound.dedupe", job, in->dedupe, in->kind);
	note(ctx, "inbound", job, in->address, in->kind);
	(void)snprintf(h->inbound_text, sizeof(h->inbound_text), "%.*s", (int)in->text.n,
		in->text.n > 0 ? in->text.p : "");
	queue(ctx, job, LT_EV_SAVED, token, 0, 0);
	return 0;
}

static int h_reply(
	void *ctx, struct lt_job *job, int32_t status, struct lt_str type, struct lt_str body)
{
	(void)type;
	if (shi_running(ctx, job, "a reply of a job that is not running") == NULL)
		return -LT_E_INVALID;
	note(ctx, "reply", job, body, status);
	return 0;
}

static void h_rate(void *ctx, struct lt_job *job, const struct lt_rate *r)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "%d of %d, wait %lld", (int)r->remaining, (int)r->limit,
		(long long)r->retry_after_ms);
	note(ctx, "rate", job, shi_z(text), r->scope);
	((struct sh *)ctx)->rate = *r;
}

static void h_stat(void *ctx, struct lt_job *job, uint64_t delivery, struct lt_str name, int64_t v)
{
	(void)delivery;
	note(ctx, "stat", job, name, v);
}

static void h_trace(void *ctx, struct lt_job *job, uint32_t outward, struct lt_str s)
{
	note(ctx, "trace", job, s, outward);
}

static void h_log(void *ctx, struct lt_job *job, uint32_t level, struct lt_str s)
{
	note(ctx, "log", job, s, level);
}

static void h_metric(void *ctx, struct lt_job *job, struct lt_str name, int64_t v)
{
	note(ctx, "metric", job, name, v);
}

static int64_t h_limited_ms(void *ctx, struct lt_job *job)
{
	(void)job;
	return ((struct sh *)ctx)->limited_ms;
}

const struct lt_host shi_host_table = { .struct_size = sizeof(shi_host_table),
	.abi_minor = LT_ABI_MINOR,
	.wall_ms = h_wall,
	.mono_ms = h_mono,
	.random = h_random,
	.wake_at = h_wake,
	.finish = h_finish,
	.intent = h_intent,
	.save = h_save,
	.http = h_http,
	.stream_open = h_stream_open,
	.stream_write = h_stream_write,
	.stream_close = h_stream_close,
	.slots = h_slots,
	.refresh = h_refresh,
	.secret_get = h_secret_get,
	.secret_put = h_secret_put,
	.mac = h_mac,
	.task = h_task,
	.asset_url = h_asset_url,
	.receipt = h_receipt,
	.inbound = h_inbound,
	.reply = h_reply,
	.rate = h_rate,
	.stat = h_stat,
	.trace = h_trace,
	.log = h_log,
	.metric = h_metric,
	.limited_ms = h_limited_ms };
