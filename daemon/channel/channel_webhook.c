/* channel_webhook.c - what a provider calls: one job a request, answered once.
 * Thread: loop. Owns: a copy of the request and of the reply until the job is gone. Must not know: sockets, who listens.
 * A reply waits here for every commit that the job asked for, so that "yes" never comes before the row; what could not be
 * stored makes it a 503, and the provider sends it again.
 * Failures: too many at once is -EBUSY; an adapter that is silent, or ends without a reply, is answered for: 503. */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "channel/channel_internal.h"

#define HEADERS_MAX   64
#define SECRET_MAX    150
#define ANSWER_LATER  503
#define ANSWER_TYPE_Z 100

struct webhook {
	struct job *job;
	struct lt_request req;
	struct lt_pair *headers; /* owned */
	char *text;              /* owned: bytes of the request */
	chan_answer_fn *answer;  /* NULL: it was given */
	void *ctx;
	uint32_t pending; /* commits that it waits for */
	bool any_account, replied, over, failed;
	int status;
	char type[ANSWER_TYPE_Z];
	char *body; /* owned */
	size_t body_n;
};

/* --- what the conf says ------------------------------------------------------------------------------------------------------ */
static bool path_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			    (s.p[i] >= '0' && s.p[i] <= '9') || strchr("-_.", s.p[i])))
			return false;
	return s.n > 0;
}

static int cap_check(const struct channel *c, uint64_t cap, const char *key, struct err *e)
{
	return c->ad->caps & cap ? 0
				 : err_set(e, -EINVAL, "%s: %s: adapter '%s' knows no such thing",
					   c->conf->file, key, c->ad->name);
}

int webhook_secret_read(struct channel *c, struct err *e)
{
	const struct conf_channel *conf = c->conf;
	int rc = 0;
	if (conf->poll.every_ms)
		rc = cap_check(c, LT_CAP_RECEIPTS, "poll", e);
	if (!rc && conf->stats.every_ms)
		rc = cap_check(c, LT_CAP_STATS, "stats", e);
	if (rc || !conf->webhook.secret.name)
		return rc;
	rc = cap_check(c, LT_CAP_WEBHOOK, "webhook", e);
	if (!rc && !path_ok(str_of(conf->name)))
		rc = err_set(e, -EINVAL,
			"%s: webhook: the name '%s' cannot stand in an address; letters, digits, '.', '-' and '_' can",
			conf->file, conf->name);
	if (rc || conf->webhook.secret.unseen)
		return rc;
	rc = conf_secret_read(&conf->webhook.secret, &c->hook_secret, e);
	if (rc)
		return rc;
	struct str s = secret_value(c->hook_secret);
	if (s.n < WEBHOOK_SECRET_MIN || s.n > SECRET_MAX || !path_ok(s))
		return err_set(e, -EINVAL,
			"%s:%d: webhook: secret: %u to %d letters and digits belong in that file; 'openssl rand -hex 24' makes some",
			conf->file, conf->webhook.secret.line, WEBHOOK_SECRET_MIN, SECRET_MAX);
	return 0;
}

struct str channel_webhook_secret(const struct channel *c)
{
	return c->hook_secret ? secret_value(c->hook_secret) : (struct str){ 0 };
}

struct chan_account *channel_account_at(struct channel *c, size_t i)
{
	return i < c->n_accounts ? c->accounts[i] : NULL;
}

/* --- the answer -------------------------------------------------------------------------------------------------------------- */
static void settle(struct webhook *w)
{
	struct channels *cs = w->job->acct->ch->cs;
	bool late = w->over && !w->replied;
	if (!w->answer || (!late && (!w->replied || w->pending)))
		return;
	bool bad = late || (w->failed && w->status < 400);
	size_t body_n = bad ? 0 : w->body_n;
	struct note *n = note_new(cs, NOTE_REPLY, sizeof(w->type) + body_n + 2);
	n->acct = w->job->acct;
	n->error = bad ? ANSWER_LATER : w->status;
	n->name = note_text(n, lt_of(str_of(bad ? "" : w->type)), sizeof(w->type));
	n->result.text = note_bytes(n, (struct lt_str){ body_n ? w->body : "", body_n }, body_n);
	n->answer = MOVE(w->answer);
	n->check_ctx = w->ctx;
	note_send(cs, n);
}

int webhook_reply(struct job *j, int32_t status, struct lt_str type, struct lt_str body)
{
	struct webhook *w = j->hook;
	if (!w || w->replied || status < 200 || status > 599 || body.n > WEBHOOK_REPLY_MAX ||
		type.n >= sizeof(w->type) || str_has_control(s_of(type)))
		return -LT_E_INVALID;
	w->replied = true;
	w->status = status;
	(void)str_copy(w->type, sizeof(w->type), s_of(type));
	w->body = x_strndup(body.n ? body.p : "", body.n);
	w->body_n = body.n;
	settle(w);
	return 0;
}

bool webhook_any_account(const struct job *j)
{
	return j->hook && j->hook->any_account;
}

void webhook_ticket(struct job *j)
{
	if (j->hook)
		j->hook->pending++;
}

void webhook_saved(struct job *j, int error)
{
	struct webhook *w = j->hook;
	if (!w)
		return;
	w->pending--;
	w->failed |= error < 0;
	settle(w);
}

void webhook_over(struct job *j)
{
	j->hook->over = true;
	if (!j->hook->replied)
		log_line(LOG_WARN, "ev=webhook.silent ch=%s acct=%s answered=503",
			j->acct->ch->conf->name, j->acct->conf->name);
	settle(j->hook);
}

void webhook_free(struct job *j)
{
	struct webhook *w = j->hook;
	if (!w)
		return;
	j->acct->ch->hooks--;
	j->acct->ch->cs->hooks--;
	free(w->headers);
	free(w->text);
	free(w->body);
	free(w);
	j->hook = NULL;
}

/* --- the request ------------------------------------------------------------------------------------------------------------- */
static struct lt_str put(char **at, struct str s)
{
	char *p = *at;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	*at = p + s.n + 1;
	return (struct lt_str){ p, s.n };
}

static struct webhook *webhook_new(const struct chan_request *r)
{
	struct webhook *w = x_calloc(1, sizeof(*w));
	size_t n = r->n_headers < HEADERS_MAX ? r->n_headers : HEADERS_MAX;
	size_t room = r->method.n + r->path.n + r->query.n + r->peer.n + r->body.n + 5;
	for (size_t i = 0; i < n; i++)
		room += r->headers[i].name.n + r->headers[i].value.n + 2;
	char *at = w->text = x_calloc(1, room);
	w->headers = x_calloc(n + 1, sizeof(*w->headers));
	w->req = (struct lt_request){ .struct_size = sizeof(w->req),
		.method = put(&at, r->method),
		.path = put(&at, r->path),
		.query = put(&at, r->query),
		.peer = put(&at, r->peer),
		.body = put(&at, r->body),
		.headers = w->headers,
		.n_headers = n };
	for (size_t i = 0; i < n; i++)
		w->headers[i] = (struct lt_pair){ .name = put(&at, s_of(r->headers[i].name)),
			.value = put(&at, s_of(r->headers[i].value)) };
	return w;
}

int channel_webhook(struct chan_account *a, bool any_account, const struct chan_request *r,
	chan_answer_fn *answer, void *ctx)
{
	struct channel *c = a->ch;
	struct channels *cs = c->cs;
	if (!(c->ad->caps & LT_CAP_WEBHOOK))
		return -ENOTSUP;
	if (cs->closing || cs->hooks >= WEBHOOKS_MAX || c->hooks >= c->conf->webhook.at_once)
		return -EBUSY;
	struct job *j = job_new(a, LT_J_WEBHOOK, c->ad->other_size, sizeof(struct job));
	struct lt_job *jobs[] = { &j->pub };
	const struct lt_work *works[] = { &j->work };
	struct webhook *w = j->hook = webhook_new(r);
	w->job = j;
	w->any_account = any_account;
	w->answer = answer;
	w->ctx = ctx;
	c->hooks++;
	cs->hooks++;
	j->work = (struct lt_work){ .struct_size = sizeof(j->work),
		.credential = lt_of(str_of(a->conf->credential)),
		.deadline_ms = env_mono(cs->env) + c->conf->webhook.timeout_ms,
		.request = &w->req };
	list_push(&cs->beside, &j->node);
	timer_set(cs->env, &j->deadline, j->work.deadline_ms);
	int rc = jobs_start(a, jobs, works, 1);
	if (rc < 0 && !j->finished)
		job_end_by_rule(j, rc, "the adapter did not take the webhook");
	return 0;
}
