/* channel_host.c - struct lt_host of one account: thin rows over the services. ctx is the account. Loop thread. */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/metrics.h"
#include "channel/channel_internal.h"

#define SAID_MAX 16384 /* bytes of one record or line in which secrets are looked for */

static struct chan_account *acct(void *ctx)
{
	return ctx;
}

static int64_t h_wall(void *ctx)
{
	return env_wall(acct(ctx)->ch->cs->env);
}

static int64_t h_mono(void *ctx)
{
	return env_mono(acct(ctx)->ch->cs->env);
}

static void h_random(void *ctx, void *p, size_t n)
{
	env_random(acct(ctx)->ch->cs->env, p, n);
}

static int h_wake_at(void *ctx, struct lt_job *pub, int64_t at, uint64_t token)
{
	struct job *j = job_of(pub);
	UNUSED(ctx);
	return j ? job_wake_at(j, at, token) : -LT_E_INVALID;
}

static int h_finish(void *ctx, struct lt_job *pub, const struct lt_result *r)
{
	struct job *j = job_of(pub);
	UNUSED(ctx);
	if (!j || !r)
		return -LT_E_INVALID; /* a second finish, or of a job that was ended: nothing changes */
	if (j->session)
		session_touch(j->session);
	job_end(j, r, false);
	return 0;
}

static int h_intent(void *ctx, struct lt_job *pub, struct lt_str step, uint32_t flags)
{
	struct job *j = job_of(pub);
	struct channels *cs = acct(ctx)->ch->cs;
	if (!j || !j->op || step.n > 100)
		return -LT_E_INVALID;
	if (j->cancelled)
		return -LT_E_NOINTENT;
	j->intent_asked = true;
	j->intent_open = false; /* of an earlier step: this one waits for its own commit */
	struct note *n = note_new(cs, NOTE_INTENT, step.n + 1);
	n->acct = j->acct;
	n->op = j->op;
	n->name = note_text(n, step, 100);
	n->repeatable = (flags & LT_REPEATABLE) != 0;
	note_send(cs, n);
	return 0;
}

static int h_save(
	void *ctx, struct lt_job *pub, struct lt_str name, struct lt_str value, uint64_t token)
{
	struct job *j = job_of(pub);
	struct channels *cs = acct(ctx)->ch->cs;
	if (!j || !j->op || name.n > 200 || value.n > 65536)
		return -LT_E_INVALID;
	struct note *n = note_new(cs, NOTE_SAVE, name.n + value.n + 2);
	n->acct = j->acct;
	n->op = j->op;
	n->name = note_text(n, name, 200);
	n->result.text = note_bytes(n, value, 65536);
	n->ticket = ticket_new(cs, j, token);
	note_send(cs, n);
	return 0;
}

static int h_http(void *ctx, struct lt_job *pub, const struct lt_http_req *req)
{
	struct job *j = job_of(pub);
	return j ? http_start(acct(ctx), j, req) : -LT_E_INVALID;
}

static int h_stream_open(
	void *ctx, struct lt_job *pub, const struct lt_stream_req *req, uint32_t *ret)
{
	struct job *j = job_of(pub);
	return j ? stream_open(acct(ctx), j, req, ret) : -LT_E_INVALID;
}

static int h_stream_write(void *ctx, uint32_t id, const struct lt_src *src, size_t n,
	uint32_t flags, struct lt_job *const *whose, size_t n_whose, uint64_t *ret_end)
{
	return stream_write(acct(ctx)->ch->cs, id, src, n, flags, whose, n_whose, ret_end);
}

static void h_stream_close(void *ctx, uint32_t id, uint32_t reset)
{
	stream_close(acct(ctx)->ch->cs, id, reset != 0);
}

static void h_slots(void *ctx, struct lt_job *pub, uint32_t can_take)
{
	struct job *j = job_of(pub);
	if (!j || j->pub.kind != LT_J_SESSION)
		return;
	struct chan_session *s = CONTAINER_OF(j, struct chan_session, job);
	UNUSED(ctx);
	s->credits = can_take;
	session_count(s);
}

static int h_refresh(void *ctx, struct lt_job *pub, struct lt_str credential, uint64_t version_seen)
{
	struct job *j = job_of(pub);
	UNUSED(ctx);
	return j ? refresh_ask(j, credential, version_seen) : -LT_E_INVALID;
}

static int h_secret_get(void *ctx, struct lt_job *pub, struct lt_str name, struct lt_str *ret,
	uint64_t *ret_version)
{
	struct str v;
	UNUSED(pub);
	if (account_secret_version(acct(ctx), name, &v, ret_version))
		return -LT_E_INVALID;
	*ret = lt_of(v);
	return 0;
}

static int h_secret_put(void *ctx, struct lt_job *pub, const struct lt_pair *set, size_t n,
	int64_t expires_ms, uint64_t token)
{
	struct job *j = job_of(pub);
	struct chan_account *a = acct(ctx);
	if (!j || !n || n > 16 || !a->conf->credential || !a->ch->cs->ev.secret_put)
		return -LT_E_INVALID;
	a->ch->cs->ev.secret_put(a->ch->cs->ev.ctx, a->ch, a->conf->credential, set, n, expires_ms,
		ticket_new(a->ch->cs, j, token));
	return 0;
}

static int h_mac(void *ctx, struct lt_job *pub, uint32_t alg, struct lt_str key,
	const struct lt_src *src, size_t n, uint8_t *ret, size_t *ret_n)
{
	struct str parts[32], k = { 0 };
	UNUSED(pub);
	if (n > ARRAY_LEN(parts) || (key.n && account_secret(acct(ctx), key, &k)))
		return -LT_E_INVALID;
	for (size_t i = 0; i < n; i++) {
		parts[i] = s_of(src[i].bytes);
		if (src[i].asset.p ||
			(src[i].secret.n && account_secret(acct(ctx), src[i].secret, &parts[i])))
			return -LT_E_INVALID;
	}
	int len = mac_raw(alg, k, parts, n, ret, *ret_n);
	if (len < 0)
		return -LT_E_INVALID;
	*ret_n = (size_t)len;
	return 0;
}

static int h_task(void *ctx, struct lt_job *pub, int64_t deadline_ms, struct lt_str *ret_url)
{
	UNUSED(ctx);
	UNUSED(pub);
	UNUSED(deadline_ms);
	UNUSED(ret_url);
	return -LT_E_INVALID; /* tasks for persons come with the person adapter */
}

static int h_asset_url(
	void *ctx, struct lt_job *pub, struct lt_str asset, int64_t lives_ms, struct lt_str *ret)
{
	return asset_url(acct(ctx), job_of(pub), asset, lives_ms, ret);
}

static int h_receipt(void *ctx, struct lt_job *pub, const struct lt_receipt *in, uint64_t token)
{
	struct job *j = job_of(pub);
	struct channels *cs = acct(ctx)->ch->cs;
	struct lt_receipt r;
	known_copy(&r, sizeof(r), in, in->struct_size);
	if (!j || r.n_ids > ARRAY_LEN(((struct note *)0)->list) || !cs->ev.receipt)
		return -LT_E_INVALID;
	size_t room = r.ref.n + r.recipient.n + r.code.n + r.text.n + 4;
	for (size_t i = 0; i < r.n_ids; i++)
		room += r.ids[i].n + 1;
	if (room > 65536)
		return -LT_E_INVALID;
	struct note *n = note_new(cs, NOTE_RECEIPT, room);
	n->acct = j->acct;
	n->receipt = r;
	n->receipt.ref = lt_of(note_text(n, r.ref, 200));
	n->receipt.recipient = lt_of(note_text(n, r.recipient, 200));
	n->receipt.code = lt_of(note_text(n, r.code, 200));
	n->receipt.text = lt_of(note_text(n, r.text, 200));
	for (size_t i = 0; i < r.n_ids; i++)
		n->list[i] = lt_of(note_text(n, r.ids[i], 200));
	n->receipt.ids = n->list;
	n->whole_channel = webhook_any_account(j);
	n->ticket = ticket_new(cs, j, token);
	note_send(cs, n);
	return 0;
}

static int h_inbound(void *ctx, struct lt_job *pub, const struct lt_inbound *given, uint64_t token)
{
	struct job *j = job_of(pub);
	struct channels *cs = acct(ctx)->ch->cs;
	struct lt_inbound in;
	known_copy(&in, sizeof(in), given, given->struct_size);
	if (!j || in.text.n > 65536 || in.address.n > 300 || in.detail.n > 1000 ||
		in.dedupe.n > 1000 || !cs->ev.inbound)
		return -LT_E_INVALID;
	struct note *n = note_new(
		cs, NOTE_INBOUND, in.text.n + in.address.n + in.detail.n + in.dedupe.n + 4);
	n->acct = j->acct;
	n->inbound = in;
	n->inbound.address = lt_of(note_text(n, in.address, 300));
	n->inbound.text = lt_of(note_text(n, in.text, 65536));
	n->inbound.detail = lt_of(note_text(n, in.detail, 1000));
	n->inbound.dedupe = lt_of(note_text(n, in.dedupe, 1000));
	n->whole_channel = webhook_any_account(j);
	n->ticket = ticket_new(cs, j, token);
	note_send(cs, n);
	return 0;
}

static int h_reply(
	void *ctx, struct lt_job *pub, int32_t status, struct lt_str type, struct lt_str body)
{
	struct job *j = job_of(pub);
	UNUSED(ctx);
	return j ? webhook_reply(j, status, type, body) : -LT_E_INVALID;
}

/* A call was refused: all jobs of that scope can know it before they make theirs. */
static void refused_note(struct chan_account *a, const struct lt_rate *r)
{
	int64_t until = env_mono(a->ch->cs->env) + r->retry_after_ms;
	int64_t *at = r->scope == LT_SCOPE_CHANNEL ? &a->ch->refused_until
		: r->scope == LT_SCOPE_ACCOUNT     ? &a->refused_until
						   : NULL;
	if (at && r->congestion >= LT_RATE_REFUSED && r->retry_after_ms > 0 && until > *at)
		*at = until;
}

static int64_t h_limited_ms(void *ctx, struct lt_job *pub)
{
	const struct chan_account *a = acct(ctx);
	int64_t until = a->refused_until > a->ch->refused_until ? a->refused_until
								: a->ch->refused_until;
	int64_t left = until - env_mono(a->ch->cs->env);
	UNUSED(pub);
	return left > 0 ? left : 0;
}

static void h_rate(void *ctx, struct lt_job *pub, const struct lt_rate *given)
{
	struct job *j = job_of(pub);
	struct channels *cs = acct(ctx)->ch->cs;
	struct lt_rate r;
	known_copy(&r, sizeof(r), given, given->struct_size);
	r.retry_after_ms = sane_pause(r.retry_after_ms);
	if (j)
		refused_note(acct(ctx), &r);
	if (j && j->probe)
		probe_rate(j, &r);
	if (!j || !cs->ev.rate)
		return;
	struct note *n = note_new(cs, NOTE_RATE, 0);
	n->acct = j->acct;
	n->op = j->op;
	n->rate = r;
	note_send(cs, n);
}

static void h_stat(
	void *ctx, struct lt_job *pub, uint64_t delivery, struct lt_str name, int64_t value)
{
	const struct channel_events *ev = &acct(ctx)->ch->cs->ev;
	struct job *j = job_of(pub);
	if (j && j->probe && !delivery)
		probe_fact(j, s_of(name), value);
	/* A webhook of a whole channel does not say whose number it is. */
	if (!delivery && j && webhook_any_account(j) && acct(ctx)->ch->n_accounts > 1)
		return;
	if (ev->stat && name.n && !str_has_control(s_of(name)))
		ev->stat(ev->ctx, acct(ctx), delivery, s_of(name), value);
}

static void h_trace(void *ctx, struct lt_job *pub, uint32_t outward, struct lt_str bytes)
{
	const struct channel_events *ev = &acct(ctx)->ch->cs->ev;
	struct job *j = job_of(pub);
	if (!j || !j->op || !ev->trace)
		return;
	struct buf b CLEANUP_BUF;
	buf_init(&b, 2 * SAID_MAX);
	ev->trace(ev->ctx, j->op, outward != 0, s_of(mask_text(j->acct, &b, bytes, SAID_MAX)));
}

static void h_log(void *ctx, struct lt_job *pub, uint32_t level, struct lt_str text)
{
	struct chan_account *a = ctx;
	struct buf b CLEANUP_BUF;
	UNUSED(pub);
	buf_init(&b, 2 * SAID_MAX);
	text = mask_text(a, &b, text, SAID_MAX);
	enum log_level l = level <= LOG_ERROR ? LOG_ERROR
		: level <= LOG_WARN           ? LOG_WARN
		: level <= LOG_INFO           ? LOG_INFO
					      : LOG_DEBUG;
	if (!a->inst_open)
		(void)str_copy(a->said, sizeof(a->said), s_of(text)); /* the reason of a refusal */
	log_line(l, "ev=adapter.says ch=%s acct=%s text=%s", a->ch->conf->name, a->conf->name,
		LOG_Q(s_of(text)));
}

static void h_metric(void *ctx, struct lt_job *pub, struct lt_str name, int64_t add)
{
	const struct chan_account *a = ctx;
	struct metric_label labels[] = { { "channel", str_of(a->ch->conf->name) },
		{ "account", str_of(a->conf->name) }, { "name", s_of(name) } };
	UNUSED(pub);
	if (add > 0)
		metric_add(metric_get(METRIC_COUNTER, "lantoa_adapter_events_total",
				   "What adapters count, by their own names.", labels,
				   ARRAY_LEN(labels)),
			(uint64_t)add);
}

void host_fill(struct chan_account *a)
{
	a->host = (struct lt_host){ .struct_size = sizeof(a->host),
		.abi_minor = LT_ABI_MINOR,
		.ctx = a,
		.wall_ms = h_wall,
		.mono_ms = h_mono,
		.random = h_random,
		.wake_at = h_wake_at,
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
}
