/* facebook_check.c - `channel check` of a page: its token inspected, its name read, the task of the login on it; old drafts go. The
 * same look goes before the daily figures: what it finds is in the log and in the facts of the account then.
 * Each question may be refused by itself: what it would have said is then named as not known, and the check goes on.
 * Thread: loop. Owns: nothing beyond its job. Failures: said in words a person can act on. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

#define DAY_MS INT64_C(86400000)

static const char *const scopes_needed[] = { "pages_manage_posts", "pages_read_engagement",
	"pages_show_list" };

static void add_note(struct fb_job *j, const char *text)
{
	size_t n = strlen(j->note);

	(void)snprintf(j->note + n, sizeof(j->note) - n, "%s%s", n > 0 ? "; " : "", text);
}

static void fact(struct fb_job *j, const char *name, int64_t value)
{
	const struct lt_host *h = j->inst->host;

	h->stat(h->ctx, j->job, 0, ltc_z(name), value);
}

static bool daily(const struct fb_job *j)
{
	return j->job->kind == LT_J_STATS;
}

/* Of the daily look only a token that is no good ends the job: figures are read without a right to post. */
static void check_ends(struct fb_job *j, int32_t outcome, uint32_t flags, const char *code,
	const char *text, bool goes_on)
{
	struct fb_inst *fi = j->inst->priv;
	const struct lt_host *h = j->inst->host;

	if (!daily(j)) {
		fb_end(j, outcome, LT_SCOPE_ACCOUNT, flags, code, text);
		return;
	}
	if (outcome != LT_ACCEPTED || strstr(text, "WARNING") != NULL)
		h->log(h->ctx, j->job, outcome != LT_ACCEPTED ? 3 : 4, ltc_z(text));
	if (!goes_on) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_ACCOUNT, 0, code, text);
		return;
	}
	fi->check_next = h->mono_ms(h->ctx) + fb_conf_of(j)->check_hours * 3600000;
	fb_stats_go(j);
}

/* The API documents debug_token as a GET with the token in its address, where no token of ours ever stands: in a batch the same
 * address is part of the body. Where batches are not taken, a POST that says it is a GET; where that is not taken either, the
 * rest is checked and what could not be is said. */
static bool token_known(struct fb_job *j, struct lt_str *ret)
{
	const struct lt_host *h = j->inst->host;

	if (h->secret_get(h->ctx, j->job, fb_conf_of(j)->token, ret, &j->token_version) >= 0 &&
		ret->n > 0)
		return true;
	j->no_token = true; /* there is none yet: derived first */
	return false;
}

static struct lt_str app_head(const struct fb_job *j, char head[48])
{
	struct lt_str id = fb_conf_of(j)->app_id;

	(void)snprintf(head, 48, "%.*s|", (int)id.n, id.p);
	return ltc_z(head);
}

static int check_token_send(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);
	struct lt_str token;
	char head[48];
	struct lt_field f[] = { { .name = LTC_LIT("method"), .src = { .bytes = LTC_LIT("get") } },
		{ .name = LTC_LIT("input_token"), .src = { .secret = c->token } } };

	if (!token_known(j, &token))
		return -LT_E_INVALID;
	struct fb_send s = { .method = "POST",
		.path = "debug_token",
		.body_kind = LT_BODY_FORM,
		.fields = f,
		.n_fields = 2,
		.total_ms = c->get_ms,
		.token = c->app_secret,
		.token_head = app_head(j, head) };
	return fb_send(j, &s);
}

static int check_batch_send(struct fb_job *j)
{
	const struct lt_host *h = j->inst->host;
	struct lt_str token, secret;
	char head[48];

	if (!token_known(j, &token))
		return -LT_E_INVALID;
	bool plain = fb_batch_can_carry(token) &&
		h->secret_get(h->ctx, j->job, fb_conf_of(j)->app_secret, &secret, NULL) >= 0 &&
		fb_batch_can_carry(secret);
	return plain ? fb_batch_inspect(j, app_head(j, head)) : check_token_send(j);
}

static bool has_scope(const struct ltc_json *list, const char *name)
{
	for (const struct ltc_json *s = ltc_json_first(list); s != NULL; s = ltc_json_next(s))
		if (ltc_eqz(ltc_json_text(s), name))
			return true;
	return false;
}

/* Given at all, and not for other pages alone: a grant without target_ids is for all. */
static bool granted(const struct fb_job *j, const struct ltc_json *data, const char *name)
{
	bool all = has_scope(ltc_json_get(data, "scopes"), name);

	for (const struct ltc_json *g = ltc_json_first(ltc_json_get(data, "granular_scopes"));
		g != NULL; g = ltc_json_next(g)) {
		const struct ltc_json *ids = ltc_json_get(g, "target_ids");
		if (!ltc_eqz(ltc_json_str(g, "scope"), name))
			continue;
		if (ltc_json_first(ids) == NULL)
			return true;
		for (const struct ltc_json *id = ltc_json_first(ids); id != NULL;
			id = ltc_json_next(id))
			if (ltc_eq(ltc_json_text(id), fb_conf_of(j)->page))
				return true;
		all = false;
	}
	return all;
}

static bool check_scopes(struct fb_job *j, const struct ltc_json *data)
{
	bool all = true;
	char text[100];

	for (size_t i = 0; i < sizeof(scopes_needed) / sizeof(scopes_needed[0]); i++) {
		if (granted(j, data, scopes_needed[i]))
			continue;
		(void)snprintf(text, sizeof(text), "missing permission %s", scopes_needed[i]);
		add_note(j, text);
		all = false;
	}
	fact(j, "warn.permission_missing", !all);
	return all;
}

/* Without them it goes on: behind what matters more, for the note is short. */
static void check_niceties(struct fb_job *j, const struct ltc_json *data)
{
	if (!granted(j, data, "read_insights"))
		add_note(j, "no read_insights: clicks are not counted");
	if (!granted(j, data, "pages_read_user_content"))
		add_note(j, "no pages_read_user_content: lost drafts are not found");
}

static void check_expiry(struct fb_job *j, const struct ltc_json *data)
{
	static const char *const keys[] = { "expires_at", "data_access_expires_at" };
	static const char *const names[] = { "token_expires_at_ms", "data_access_expires_at_ms" };
	char text[80];

	for (size_t i = 0; i < 2; i++) {
		int64_t at = ltc_json_int(data, keys[i], 0) * 1000;
		if (at <= 0)
			continue;
		fact(j, names[i], at);
		int64_t days = (at - fb_now(j)) / DAY_MS;
		if (days < fb_conf_of(j)->expiry_days) {
			(void)snprintf(text, sizeof(text), "WARNING: %s ends in %lld days",
				i == 0 ? "the token" : "access to data", (long long)days);
			add_note(j, text);
		}
	}
}

/* An answer that the next question would get as well. */
static bool stops(const struct fb_verdict *v)
{
	return v->class == FB_RATE || v->class == FB_TOKEN || v->class == FB_NOT_SENT ||
		(v->class == FB_SAID && (v->flags & LT_R_PERSON));
}

static void check_token_done(struct fb_job *j, const struct fb_verdict *v)
{
	const struct ltc_json *data = ltc_json_get(v->body, "data");
	struct lt_str type = ltc_json_str(data, "type");

	if (stops(v)) {
		fb_fail(j, v);
		return;
	}
	if (v->class != FB_OK || data == NULL) {
		add_note(j,
			"the token could not be inspected: its permissions and end are not known");
		j->text_only = true;
		fb_go(j, FBS_CHECK_PAGE);
		return;
	}
	if (!ltc_json_true(data, "is_valid")) {
		if (fb_renew(j))
			return;
		check_ends(j, LT_REFUSED, LT_R_PERSON, "token",
			"the page's token is not valid: it will be derived again, or log in again",
			false);
		return;
	}
	if (!ltc_eq(ltc_json_str(data, "app_id"), fb_conf_of(j)->app_id) &&
		ltc_json_str(data, "app_id").n > 0)
		add_note(j, "the token is another app's");
	if (type.n > 0 && !ltc_eqz(type, "PAGE"))
		add_note(j, "WARNING: this is not a page token: every post will fail with 200");
	j->text_only = check_scopes(j, data);
	check_expiry(j, data);
	check_niceties(j, data);
	fb_go(j, FBS_CHECK_PAGE);
}

static void check_batch_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct fb_verdict one;
	struct ltc_json *body = NULL;
	const struct ltc_json *entry = v->class == FB_OK ? ltc_json_first(v->body) : NULL;

	if (stops(v) || (v->class == FB_OK && ltc_json_has(v->body, "data")))
		check_token_done(j, v);
	else if (entry != NULL && fb_batch_read(j, entry, "check", &one, &body) &&
		(stops(&one) || (one.class == FB_OK && ltc_json_has(one.body, "data"))))
		check_token_done(j, &one);
	else
		fb_go(j, FBS_CHECK_TOKEN);
	ltc_json_free(body);
}

static int check_page_send(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);
	char path[32];

	(void)snprintf(path, sizeof(path), "%.*s", (int)c->page.n, c->page.p);
	return fb_get(j, path, j->few_fields ? "id,name" : "id,name,fan_count");
}

/* Where a word for the webhook is configured the page feed is wanted: its subscription is made anew, which changes nothing where it
 * stands. Without it nothing is lost but time. */
static int subscribe_send(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);
	struct lt_field f = { .name = LTC_LIT("subscribed_fields"),
		.src = { .bytes = LTC_LIT("feed") } };
	char path[64];

	(void)snprintf(path, sizeof(path), "%.*s/subscribed_apps", (int)c->page.n, c->page.p);
	return fb_form(j, path, &f, 1, 0, c->get_ms);
}

static void subscribe_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class != FB_OK)
		add_note(j, "the page feed could not be subscribed (pages_manage_metadata?)");
	fb_go(j, FBS_SWEEP);
}

void fb_check_over(struct fb_job *j)
{
	if (!daily(j))
		add_note(j, "the API does not tell the app's mode: it must be Live");
	check_ends(j, j->text_only ? LT_ACCEPTED : LT_REFUSED, 0,
		j->text_only ? "ok" : "permissions", j->note, true);
}

/* The figures look for old drafts themselves, at their end. */
static void check_last(struct fb_job *j)
{
	if (daily(j))
		fb_check_over(j);
	else
		fb_go(j, fb_conf_of(j)->verify_token.n > 0 ? FBS_CHECK_FEED : FBS_SWEEP);
}

static void check_page_done(struct fb_job *j, const struct fb_verdict *v)
{
	char text[100];

	if (v->class == FB_SAID && v->outcome == LT_REFUSED && !j->few_fields) {
		j->few_fields = true; /* the number of followers is a nicety */
		fb_go(j, FBS_CHECK_PAGE);
		return;
	}
	if (v->class != FB_OK) {
		fb_fail(j, v);
		return;
	}
	struct lt_str name = ltc_utf8_cut(ltc_json_str(v->body, "name"), 60);
	if (!ltc_eq(ltc_json_str(v->body, "id"), fb_conf_of(j)->page)) {
		check_ends(
			j, LT_REFUSED, 0, "page", "another page answers than is configured", false);
		return;
	}
	(void)snprintf(text, sizeof(text), "page %.*s", (int)name.n, name.n > 0 ? name.p : "");
	add_note(j, text);
	if (ltc_json_has(v->body, "fan_count"))
		fact(j, "followers", ltc_json_int(v->body, "fan_count", 0));
	if (fb_conf_of(j)->parent.n > 0)
		fb_go(j, FBS_CHECK_TASKS);
	else
		check_last(j);
}

static int check_tasks_send(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);
	struct lt_pair q[] = { { LTC_LIT("fields"), LTC_LIT("id,tasks"), { NULL, 0 } },
		{ LTC_LIT("limit"), LTC_LIT("100"), { NULL, 0 } },
		{ LTC_LIT("after"), ltc_z(j->list.after), { NULL, 0 } } };
	struct fb_send s = { .method = "GET",
		.path = "me/accounts",
		.query = q,
		.n_query = j->list.after[0] != '\0' ? 3 : 2,
		.total_ms = c->get_ms,
		.token = c->parent };

	return fb_send(j, &s);
}

/* The list may lack a page that works by its id: only what it does say counts. */
static void check_tasks_done(struct fb_job *j, const struct fb_verdict *v)
{
	const struct ltc_json *data = ltc_json_get(v->body, "data");

	if (v->class != FB_OK) {
		add_note(j, "the tasks on the page could not be read");
		check_last(j);
		return;
	}
	for (const struct ltc_json *p = ltc_json_first(data); p != NULL; p = ltc_json_next(p)) {
		if (!ltc_eq(ltc_json_str(p, "id"), fb_conf_of(j)->page))
			continue;
		if (!has_scope(ltc_json_get(p, "tasks"), "CREATE_CONTENT")) {
			add_note(j, "the login lacks the task CREATE_CONTENT on this page");
			j->text_only = false;
		}
		fact(j, "warn.task_missing",
			!has_scope(ltc_json_get(p, "tasks"), "CREATE_CONTENT"));
		check_last(j);
		return;
	}
	if (fb_list_more(j, v->body)) {
		fb_go(j, FBS_CHECK_TASKS);
		return;
	}
	add_note(j, "the page is not in the login's list, which may be so");
	check_last(j);
}

void fb_check_start(struct fb_job *j)
{
	fb_go(j, FBS_CHECK_BATCH);
}

/* Never repeated: what it cannot learn, the next question does. */
const struct fb_step fb_step_check_batch = { "check", FB_STEP_CREATES, check_batch_send,
	check_batch_done };
const struct fb_step fb_step_check_token = { "check", 0, check_token_send, check_token_done };
const struct fb_step fb_step_check_page = { "check", 0, check_page_send, check_page_done };
const struct fb_step fb_step_check_tasks = { "check", 0, check_tasks_send, check_tasks_done };
const struct fb_step fb_step_check_feed = { "check", 0, subscribe_send, subscribe_done };
