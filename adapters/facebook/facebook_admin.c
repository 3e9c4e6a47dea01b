/* facebook_admin.c - what is not sending: taking a post back, correcting its text, deriving the page's token.
 * Thread: loop. Owns: nothing beyond its job. Failures: said in words a person can act on; a post that is gone already counts as
 * taken back. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

#define DAY_MS INT64_C(86400000)

/* --- recall and correct ---------------------------------------------------------------------------------------------------- */
/* By its id; else, where the page feed confirmed it without us hearing the id, by what an unknown keeps: photos and fingerprint. */
static bool target_of(struct fb_job *j)
{
	size_t n = 0;

	fb_restore(j);
	for (size_t i = 0; i < j->work->n_ids; i++) {
		const struct lt_id *id = &j->work->ids[i];
		if (id->effect == 0 && fb_copy_id(j->draft, id->id))
			return true;
		if (id->effect >= 2 && n < FB_PHOTOS_MAX)
			n += fb_copy_id(j->photos[n], id->id);
	}
	return j->draft[0] != '\0';
}

static void admin_intent(struct fb_job *j)
{
	const struct lt_host *h = j->inst->host;
	bool recall = j->job->kind == LT_J_RECALL;

	j->step = recall ? FBS_DELETE : FBS_EDIT;
	j->tries = 0;
	if (h->intent(h->ctx, j->job, recall ? LTC_LIT("recall") : LTC_LIT("correct"),
		    LT_PUBLISHES | LT_REPEATABLE) < 0)
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, 0, "stop",
			"stopped before anything was changed");
}

static void no_target(struct fb_job *j)
{
	fb_end(j, LT_REFUSED, LT_SCOPE_TARGET, 0, "id",
		"nobody knows which post it is: a person does it by hand");
}

static void admin_begin(struct fb_job *j)
{
	if (target_of(j))
		admin_intent(j);
	else if (j->photos[0][0] != '\0' || j->try_at > 0)
		fb_go(j, FBS_TARGET);
	else
		no_target(j);
}

static int target_send(struct fb_job *j)
{
	int64_t since = j->try_at > 0 ? j->try_at - 120000 : fb_now(j) - INT64_C(30) * DAY_MS;

	return fb_list_send(j, "published_posts", since);
}

static void target_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct fb_post p;

	if (v->class != FB_OK) {
		fb_list_failed(j, v);
		return;
	}
	const struct ltc_json *data = ltc_json_get(v->body, "data");
	for (const struct ltc_json *n = ltc_json_first(data); n != NULL; n = ltc_json_next(n)) {
		if (!fb_post_read(j, n, &p) || !p.published || !fb_post_is_mine(j, &p))
			continue;
		(void)fb_copy_id(j->draft, p.id);
		admin_intent(j);
		return;
	}
	if (fb_list_more(j, v->body))
		fb_go(j, FBS_TARGET);
	else
		no_target(j);
}

static int delete_send(struct fb_job *j)
{
	struct fb_send s = { .method = "DELETE",
		.path = j->draft,
		.flags = LT_PUBLISHES | LT_REPEATABLE,
		.total_ms = fb_conf_of(j)->get_ms };

	return fb_send(j, &s);
}

static void delete_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_OK)
		fb_end(j, LT_ACCEPTED, LT_SCOPE_TARGET, 0, "deleted", "the post was deleted");
	else if (v->class == FB_GONE)
		fb_end(j, LT_ACCEPTED, LT_SCOPE_TARGET, 0, v->code,
			"the post was gone already, or is not this app's to see");
	else
		fb_fail(j, v);
}

static int edit_send(struct fb_job *j)
{
	struct lt_field f = { .name = LTC_LIT("message"), .src = { .bytes = j->doc.message } };

	return fb_form(j, j->draft, &f, 1, LT_PUBLISHES | LT_REPEATABLE, fb_conf_of(j)->post_ms);
}

static void edit_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_OK) {
		fb_text_print(j->doc.message, j->print);
		fb_go(j, FBS_LINK);
	} else if (v->class == FB_SAID && v->outcome == LT_DEFERRED &&
		strncmp(v->code, "200", 3) == 0) {
		fb_end(j, LT_REFUSED, LT_SCOPE_TARGET, 0, v->code,
			"only the app that made a post may change it: a person corrects this one");
	} else {
		fb_fail(j, v);
	}
}

/* --- the page's token ------------------------------------------------------------------------------------------------------ */
static int refresh_send(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);
	struct lt_pair q = { LTC_LIT("fields"), LTC_LIT("id,name,access_token"), { NULL, 0 } };
	char path[32];

	(void)snprintf(path, sizeof(path), "%.*s", (int)c->page.n, c->page.p);
	struct fb_send s = { .method = "GET",
		.path = path,
		.query = &q,
		.n_query = 1,
		.total_ms = c->get_ms,
		.token = c->parent,
		.secret_answer = true };
	return fb_send(j, &s);
}

static void refresh_person(struct fb_job *j, const char *code, const char *text)
{
	fb_end(j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_PERSON, code, text);
}

/* A GET spends nothing: what was lost is asked again. */
static void refresh_done(struct fb_job *j, const struct fb_verdict *v)
{
	const struct lt_host *h = j->inst->host;

	if (v->class == FB_TOKEN || (v->class == FB_SAID && (v->flags & LT_R_PERSON))) {
		refresh_person(j, v->code, v->text);
		return;
	}
	if (v->class == FB_GONE || v->class == FB_SAID) {
		refresh_person(j, v->code,
			"the page cannot be read with this login: is it assigned to it?");
		return;
	}
	if (v->class != FB_OK) {
		fb_fail(j, v);
		return;
	}
	struct lt_str token = ltc_json_str(v->body, "access_token");
	if (token.n == 0 || token.n > 4096) {
		refresh_person(j, "no-token",
			"the page answers without its token: the login has no task on this page");
		return;
	}
	struct lt_pair set = { .name = LTC_LIT("access_token"), .value = token };
	if (h->secret_put(h->ctx, j->job, &set, 1, 0, ++j->save_token) < 0)
		fb_end(j, LT_DEFERRED, LT_SCOPE_ACCOUNT, 0, "host",
			"the token could not be stored");
	else
		j->after_save = FBS_NONE;
}

void fb_admin_start(struct fb_job *j)
{
	switch (j->job->kind) {
	case LT_J_RECALL: admin_begin(j); break;
	case LT_J_CORRECT: /* the text alone, or a whole post of which only the text can be changed */
		if (fb_doc_read(j->work, &j->doc) < 0)
			j->doc.message = ltc_trim(j->work->text);
		if (j->doc.message.n == 0)
			fb_end(j, LT_REFUSED, LT_SCOPE_TARGET, 0, "text",
				"a correction needs a text");
		else
			admin_begin(j);
		break;
	case LT_J_LOGIN: /* nothing but the page's token, derived once more */
	case LT_J_REFRESH:
		if (ltc_trim(j->work->text).n > 0)
			fb_end(j, LT_REFUSED, LT_SCOPE_ACCOUNT, 0, "code",
				"a page takes no code: put the new token of the system user into its file, reload, and run the command without one");
		else if (fb_conf_of(j)->parent.n == 0)
			refresh_person(j, "login",
				"no system_token is configured to derive the page's token from");
		else
			fb_go(j, FBS_REFRESH);
		break;
	default: fb_check_start(j); break;
	}
}

const struct fb_step fb_step_target = { "list", 0, target_send, target_done };
const struct fb_step fb_step_delete = { "delete", FB_STEP_PUBLISHES | FB_STEP_REPEATABLE,
	delete_send, delete_done };
const struct fb_step fb_step_edit = { "edit", FB_STEP_PUBLISHES | FB_STEP_REPEATABLE, edit_send,
	edit_done };
const struct fb_step fb_step_refresh = { "token", 0, refresh_send, refresh_done };
