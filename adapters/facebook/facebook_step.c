/* facebook_step.c - the walk: sends a step, reads its answer, and does what all steps share.
 * Repeats: what may be repeated is sent again after retry_ms, then six times as long, and so on; a step that creates or publishes
 * is not, its own code looks first. While a page is limited nothing is asked. A token that is no good is derived anew once.
 * Thread: loop. Owns: the job's memory until finish. Failures: a host that takes nothing ends the job honestly. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "facebook_step.h"

#define TOKEN_LATER_MS 15000
#define PROOF_OFF_MS   60000

static const struct fb_step *const steps[FBS_N] = { [FBS_GUARD] = &fb_step_guard,
	[FBS_WARM] = &fb_step_warm,
	[FBS_PHOTO] = &fb_step_photo,
	[FBS_DRAFT] = &fb_step_draft,
	[FBS_LOOK_DRAFT] = &fb_step_look_draft,
	[FBS_LIVE] = &fb_step_live,
	[FBS_LOOK_LIVE] = &fb_step_look_live,
	[FBS_POST] = &fb_step_post,
	[FBS_LOOK_DUP] = &fb_step_look_dup,
	[FBS_LOOK_LOST] = &fb_step_look_lost,
	[FBS_LOOK_OLD] = &fb_step_look_old,
	[FBS_LINK] = &fb_step_link,
	[FBS_SWEEP] = &fb_step_sweep,
	[FBS_SWEEP_DELETE] = &fb_step_sweep_delete,
	[FBS_VIDEO_START] = &fb_step_video_start,
	[FBS_VIDEO_CHUNK] = &fb_step_video_chunk,
	[FBS_VIDEO_FINISH] = &fb_step_video_finish,
	[FBS_VIDEO_STATUS] = &fb_step_video_status,
	[FBS_ASK_POST] = &fb_step_ask_post,
	[FBS_ASK_LIST] = &fb_step_ask_list,
	[FBS_ASK_PHOTO] = &fb_step_ask_photo,
	[FBS_ASK_VIDEO] = &fb_step_ask_video,
	[FBS_TARGET] = &fb_step_target,
	[FBS_DELETE] = &fb_step_delete,
	[FBS_EDIT] = &fb_step_edit,
	[FBS_REFRESH] = &fb_step_refresh,
	[FBS_CHECK_BATCH] = &fb_step_check_batch,
	[FBS_CHECK_TOKEN] = &fb_step_check_token,
	[FBS_CHECK_PAGE] = &fb_step_check_page,
	[FBS_CHECK_TASKS] = &fb_step_check_tasks,
	[FBS_CHECK_FEED] = &fb_step_check_feed,
	[FBS_STATS] = &fb_step_stats,
	[FBS_STATS_ONE] = &fb_step_stats_one,
	[FBS_STATS_CLICKS] = &fb_step_stats_clicks };

const struct fb_conf *fb_conf_of(const struct fb_job *j)
{
	return &((const struct fb_inst *)j->inst->priv)->conf;
}

int64_t fb_now(const struct fb_job *j)
{
	return j->inst->host->wall_ms(j->inst->host->ctx);
}

int64_t fb_there(const struct fb_job *j)
{
	return fb_now(j) + ((const struct fb_inst *)j->inst->priv)->skew_ms;
}

bool fb_copy_id(char dst[static FB_ID_MAX], struct lt_str s)
{
	if (s.n == 0 || s.n >= FB_ID_MAX || ltc_has_control(s))
		return false;
	for (size_t i = 0; i < s.n; i++) /* it becomes part of a path and of a saved list */
		if (strchr(" /?&#%\"\\", s.p[i]) != NULL)
			return false;
	memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return true;
}

void fb_job_init(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)
{
	struct fb_job *j = job->priv;

	memset(j, 0, sizeof(*j));
	j->job = job;
	j->inst = inst;
	j->work = w;
	j->save_token = j->saved_token = FB_SAVE_TOKEN;
}

/* --- ends ------------------------------------------------------------------------------------------------------------------ */
static void settle_session(const struct fb_job *j)
{
	struct ltc_session *s = j->job->session != NULL ? j->job->session->priv : NULL;

	if (s == NULL || s->job == NULL)
		return;
	ltc_session_end_op(s);
}

void fb_end_result(struct fb_job *j, struct lt_result *r)
{
	const struct lt_host *h = j->inst->host;
	struct lt_job *job = j->job;
	struct fb_job copy = { .job = job, .inst = j->inst };

	if (j->over)
		return;
	j->over = true;
	r->struct_size = sizeof(*r);
	(void)h->finish(h->ctx, job, r); /* job and priv may be gone from here on */
	settle_session(&copy);
}

void fb_end(struct fb_job *j, int32_t outcome, int32_t scope, uint32_t flags, const char *code,
	const char *text)
{
	struct lt_result r = { .outcome = outcome,
		.scope = scope,
		.flags = flags,
		.code = ltc_z(code),
		.text = ltc_z(text),
		.url = ltc_z(j->url) };

	fb_end_result(j, &r);
}

/* Ids of the effect: 0 the post, 1 the fingerprint of its text, by which a later change is seen; a question mark behind it says that
 * the link is made from the id, because Facebook did not tell the permalink: the figures bring it. */
void fb_end_ok(struct fb_job *j, const char *id)
{
	char print[9 + FB_PRINT_LEN], fallback[FB_ID_MAX + 40];
	struct lt_id ids[2] = { { 0, LT_ACCEPTED, ltc_z(id) }, { 1, LT_ACCEPTED, { NULL, 0 } } };

	(void)snprintf(print, sizeof(print), "text:%s%s", j->print, j->url[0] == '\0' ? "?" : "");
	ids[1].id = ltc_z(print);
	(void)snprintf(fallback, sizeof(fallback), "https://www.facebook.com/%s", id);
	struct lt_result r = { .outcome = LT_ACCEPTED,
		.code = LTC_LIT("live"),
		.url = ltc_z(j->url[0] != '\0' ? j->url : fallback),
		.ids = ids,
		.n_ids = j->print[0] != '\0' ? 2 : 1 };
	fb_end_result(j, &r);
}

void fb_fail(struct fb_job *j, const struct fb_verdict *v)
{
	int32_t outcome = LT_DEFERRED, scope = LT_SCOPE_LANE;
	struct lt_result r = { .outcome = LT_DEFERRED };

	switch (v->class) {
	case FB_RATE:
		outcome = LT_DEFERRED;
		scope = v->scope;
		r.flags = LT_R_FREE;
		break;
	case FB_TOKEN:
		scope = LT_SCOPE_ACCOUNT;
		r.flags = LT_R_FREE | LT_R_PERSON;
		break;
	case FB_GONE:
		outcome = LT_REFUSED;
		scope = LT_SCOPE_TARGET;
		break;
	case FB_SAID:
		outcome = v->outcome;
		scope = v->scope;
		r.flags = v->flags;
		break;
	case FB_OK:
	case FB_NOT_SENT:
	case FB_RETRY:
	case FB_DUP:
	case FB_CURSOR: break;
	}
	r.outcome = j->job->kind == LT_J_RECONCILE ? (int32_t)LT_UNKNOWN : outcome;
	r.scope = scope;
	r.retry_after_ms = v->retry_after_ms;
	r.code = ltc_z(v->code);
	r.text = ltc_z(v->text);
	r.url = ltc_z(j->url);
	fb_end_result(j, &r);
}

/* The post is live; what is still to come are looks, and none of them can take that back. */
static bool is_live(const struct fb_job *j)
{
	return j->step == FBS_LINK ||
		(j->job->kind == LT_J_OP && (j->step == FBS_SWEEP || j->step == FBS_SWEEP_DELETE));
}

static void no_host(struct fb_job *j)
{
	bool asks = j->job->kind == LT_J_RECONCILE || (j->doc.has_video && j->tried_live);

	if (is_live(j)) {
		fb_video_own(j);
		fb_end_ok(j, j->draft);
		return;
	}
	fb_end(j, asks ? LT_UNKNOWN : LT_DEFERRED, LT_SCOPE_LANE, 0, "host",
		"the host did not take it");
}

/* What may be live is not told as stopped; a question that is stopped proves nothing. */
static void stopped(struct fb_job *j)
{
	if (j->step == FBS_VIDEO_FINISH && !j->intended)
		fb_save(j, "done", ""); /* it will not take place */
	if (j->tried_live || j->job->kind == LT_J_RECONCILE)
		fb_end(j, LT_UNKNOWN, LT_SCOPE_TARGET, 0, "stop", "stopped before it could tell");
	else
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, 0, "stop", "stopped before it was live");
}

/* --- going on -------------------------------------------------------------------------------------------------------------- */
/* A token that cannot be had now is no reason to ask a person. */
static void later(struct fb_verdict *v)
{
	v->class = FB_SAID;
	v->outcome = LT_DEFERRED;
	v->scope = LT_SCOPE_ACCOUNT;
	v->flags = LT_R_FREE;
	v->retry_after_ms = TOKEN_LATER_MS;
}

static void ask_token(struct fb_job *j)
{
	struct fb_verdict v = { .class = FB_TOKEN, .code = "token" };

	j->no_token = false;
	if (fb_renew(j))
		return;
	if (j->not_now)
		later(&v);
	(void)snprintf(v.text, sizeof(v.text), "%s",
		j->not_now ? "no page token now"
			   : "there is no page token: log in again, or give this page its token");
	steps[j->step]->done(j, &v);
}

static void send_now(struct fb_job *j)
{
	const struct fb_step *s = steps[j->step];
	int64_t wait;

	if (fb_limited(j->inst, j->job, &wait)) {
		struct fb_verdict v = { .class = FB_RATE,
			.scope = LT_SCOPE_ACCOUNT,
			.retry_after_ms = wait,
			.code = "paused",
			.text = "the page or the app is limited: nothing is sent until then" };
		s->done(j, &v); /* as if Facebook had said so itself */
		return;
	}
	int rc = s->send(j);
	if (j->over)
		return;
	j->out = rc >= 0;
	if (rc < 0 && j->no_token)
		ask_token(j);
	else if (rc == -LT_E_AGAIN)
		fb_wait(j, 200);
	else if (rc < 0)
		no_host(j);
}

void fb_go(struct fb_job *j, enum fb_step_id step)
{
	if (j->cancelled) {
		stopped(j);
		return;
	}
	j->step = step;
	j->tries = 0;
	send_now(j);
}

void fb_wait(struct fb_job *j, int64_t ms)
{
	const struct lt_host *h = j->inst->host;

	if (h->wake_at(h->ctx, j->job, h->mono_ms(h->ctx) + ms, FB_WAKE_RETRY) < 0)
		no_host(j);
}

void fb_save(struct fb_job *j, const char *name, const char *value)
{
	const struct lt_host *h = j->inst->host;

	j->unsaved |= h->save(h->ctx, j->job, ltc_z(name), ltc_z(value), ++j->save_token) < 0;
}

/* All is stored: on, with an intent where people will see it. */
static void proceed(struct fb_job *j, enum fb_step_id next)
{
	const struct lt_host *h = j->inst->host;
	uint32_t flags = steps[next]->flags;

	if (!(flags & FB_STEP_PUBLISHES) || j->intended) {
		fb_go(j, next);
		return;
	}
	j->step = next;
	j->tries = 0;
	if (h->intent(h->ctx, j->job, ltc_z(steps[next]->phase),
		    LT_PUBLISHES | (flags & FB_STEP_REPEATABLE ? LT_REPEATABLE : 0u)) < 0)
		stopped(j);
}

void fb_then(struct fb_job *j, enum fb_step_id step)
{
	if (j->unsaved)
		no_host(j);
	else if (j->save_token == j->saved_token)
		proceed(j, step);
	else
		j->after_save = step;
}

/* A job that is about the page's token itself. */
static bool derives(const struct fb_job *j)
{
	return j->job->kind == LT_J_REFRESH || j->job->kind == LT_J_LOGIN;
}

static void on_saved(struct fb_job *j, const struct lt_event *ev)
{
	enum fb_step_id next = j->after_save;

	if (ev->error < 0) {
		fb_end(j, j->job->kind == LT_J_RECONCILE ? LT_UNKNOWN : LT_DEFERRED, LT_SCOPE_LANE,
			0, "save", "a step could not be stored");
		return;
	}
	if (ev->token > j->saved_token)
		j->saved_token = ev->token;
	if (ev->token != j->save_token)
		return; /* a later one is on its way */
	if (derives(j)) {
		fb_end(j, LT_ACCEPTED, LT_SCOPE_ACCOUNT, 0, "", "");
	} else if (next != FBS_NONE) {
		j->after_save = FBS_NONE;
		proceed(j, next);
	}
}

/* --- answers --------------------------------------------------------------------------------------------------------------- */
int64_t fb_pause(const struct fb_job *j, uint32_t n)
{
	int64_t wait = fb_conf_of(j)->retry_ms;

	for (uint32_t i = 0; i < n && wait < 120000; i++)
		wait *= 6;
	return wait > 120000 ? 120000 : wait;
}

static bool again(struct fb_job *j, const struct fb_verdict *v)
{
	const struct fb_step *s = steps[j->step];
	bool may = v->class == FB_NOT_SENT ||
		(v->class == FB_RETRY &&
			(!(s->flags & (FB_STEP_PUBLISHES | FB_STEP_CREATES)) ||
				(s->flags & FB_STEP_REPEATABLE)));

	if (!may || j->cancelled || (int64_t)j->tries >= fb_conf_of(j)->retries)
		return false;
	fb_wait(j, fb_pause(j, j->tries++));
	return true;
}

static void limited(struct fb_job *j, struct fb_verdict *v, int64_t told_ms)
{
	v->retry_after_ms = v->retry_after_ms > told_ms ? v->retry_after_ms : told_ms;
	v->retry_after_ms = fb_rate_limited(j->inst, j->job, v->retry_after_ms, v->scope);
}

static void version_look(struct fb_job *j, const struct lt_http_res *r)
{
	struct fb_inst *fi = j->inst->priv;
	const struct lt_host *h = j->inst->host;
	char text[160];

	for (size_t i = 0; i < r->n_headers && !fi->told_version; i++) {
		struct lt_str got = r->headers[i].value;
		if (!ltc_ieqz(r->headers[i].name, "facebook-api-version") || got.n > 40 ||
			ltc_eq(got, fi->conf.version))
			continue;
		fi->told_version = true;
		(void)snprintf(text, sizeof(text),
			"answers come from version %.*s, %.*s is configured: it may have ended",
			(int)got.n, got.p, (int)fi->conf.version.n, fi->conf.version.p);
		h->log(h->ctx, j->job, 4, ltc_z(text));
	}
}

#define AGAIN "the pause did not help, look at the page: "
/* A pause that the table names, and the same answer again after it: a person looks (contract, section 15). */
static void cooled(struct fb_job *j, struct fb_verdict *v)
{
	char value[24], said[sizeof(v->text)];

	if (!v->cools || j->job->kind != LT_J_OP)
		return;
	(void)snprintf(value, sizeof(value), "%lld", (long long)++j->cools);
	fb_save(j, "cool", value);
	if (j->cools <= fb_conf_of(j)->cooldowns)
		return;
	struct lt_str rest = ltc_utf8_cut(ltc_z(v->text), sizeof(said) - 1 - strlen(AGAIN));
	(void)snprintf(said, sizeof(said), "%s%.*s", AGAIN, (int)rest.n, rest.p);
	memcpy(v->text, said, sizeof(said));
	v->flags |= LT_R_PERSON;
	v->retry_after_ms = 0;
}

static void clock_look(struct fb_inst *fi, const struct lt_host *h, int64_t server_ms)
{
	int64_t off = server_ms - h->wall_ms(h->ctx);

	if (server_ms > 0) /* it tells whole seconds, and was on its way */
		fi->skew_ms = off > -3000 && off < 3000 ? 0 : off;
}

/* A timed proof of before their clock was known: refused, so nothing was done; once more with their time. */
static bool proof_was_off(struct fb_job *j, const struct fb_verdict *v, int64_t skew_then)
{
	int64_t by = ((const struct fb_inst *)j->inst->priv)->skew_ms - skew_then;

	if (fb_conf_of(j)->proof != FB_PROOF_TIMED || j->retimed || j->cancelled ||
		v->class != FB_SAID || strncmp(v->code, "100", 3) != 0 ||
		(by > -PROOF_OFF_MS && by < PROOF_OFF_MS))
		return false;
	j->retimed = true;
	return true;
}

static void on_http(struct fb_job *j, const struct lt_http_res *r)
{
	const struct fb_step *s = steps[j->step];
	struct fb_inst *fi = j->inst->priv;
	struct fb_verdict v;
	struct ltc_json *body = NULL;
	int64_t skew_then = fi->skew_ms;

	j->out = false;
	version_look(j, r);
	clock_look(fi, j->inst->host, r->server_date_ms);
	int64_t told = fb_rate_read(j->inst, j->job, r);
	fb_answer_read(fi, s->phase, r, &v, &body);
	if (proof_was_off(j, &v, skew_then)) {
		ltc_json_free(body);
		send_now(j);
		return;
	}
	cooled(j, &v);
	if (v.class == FB_OK && fi->limited_step == (uint32_t)j->step)
		fi->limited_n = 0; /* a look that goes through says nothing about posting */
	if (v.class == FB_RATE) {
		fi->limited_step = (uint32_t)j->step;
		limited(j, &v, told);
	}
	if (v.class == FB_TOKEN) {
		(void)snprintf(j->note, sizeof(j->note), "%s: %s", v.code, v.text);
		if (fb_renew(j)) {
			ltc_json_free(body);
			return;
		}
		if (j->not_now)
			later(&v);
	}
	bool listing = strcmp(s->phase, "list") == 0;
	if (!again(j, &v) && !(listing && fb_list_again(j, &v)))
		s->done(j, &v);
	ltc_json_free(body);
}

/* Put off is no reason for a person: where one is needed, the credential itself stops the lane and says why. */
static void on_secret(struct fb_job *j, const struct lt_event *ev)
{
	bool dead = ev->error == -EKEYREJECTED;
	struct fb_verdict v = { .code = "token" };

	later(&v);
	if (dead) {
		v.class = FB_TOKEN;
		v.retry_after_ms = 0;
	}
	if (!j->secret_wait)
		return;
	j->secret_wait = false;
	if (ev->error == 0) {
		send_now(j);
		return;
	}
	(void)snprintf(v.text, sizeof(v.text), "%.120s%s%s", j->note,
		j->note[0] != '\0' ? "; " : "",
		dead ? "no new page token could be had: log in again" : "no new page token yet");
	steps[j->step]->done(j, &v);
}

bool fb_renew(struct fb_job *j)
{
	const struct lt_host *h = j->inst->host;

	if (j->refreshed || j->cancelled || derives(j))
		return false;
	j->refreshed = j->secret_wait = true;
	int rc = h->refresh(h->ctx, j->job, (struct lt_str){ NULL, 0 }, j->token_version);
	if (rc >= 0)
		return true;
	j->secret_wait = false;
	j->not_now = rc != -LT_E_INVALID;
	return false;
}

/* Whoever may be live waits for its answer; the host cuts what takes too long. */
static void on_cancel(struct fb_job *j)
{
	uint32_t flags = j->step == FBS_NONE ? 0 : steps[j->step]->flags;

	j->cancelled = true;
	if (is_live(j)) {
		fb_video_own(j);
		fb_end_ok(j, j->draft);
		return;
	}
	if (j->out && (flags & FB_STEP_PUBLISHES))
		return;
	stopped(j);
}

void fb_job_event(struct fb_job *j, const struct lt_event *ev)
{
	switch (ev->type) {
	case LT_EV_HTTP: on_http(j, ev->u); break;
	case LT_EV_SAVED: on_saved(j, ev); break;
	case LT_EV_SECRET: on_secret(j, ev); break;
	case LT_EV_GO: fb_op_go(j); break;
	case LT_EV_WAKE:
		if (ev->token == FB_WAKE_RETRY)
			send_now(j);
		break;
	case LT_EV_CANCEL: on_cancel(j); break;
	default: break;
	}
}

void fb_op_go(struct fb_job *j)
{
	j->intended = true;
	send_now(j);
}
