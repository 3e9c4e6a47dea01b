/* facebook_guard.c - the look before the first step, and the look after "you posted this already": is our post there, or one that
 * a person made by hand? Ours is taken as it is, another's is held for a person with its link.
 * Thread: loop. Owns: nothing beyond its job. Failures: a listing that is refused lets the delivery wait, never fail. */
#include <stdio.h>
#include "facebook_step.h"

/* This edge is not for us to read, as /feed is not without pages_read_user_content; posting needs no right on it. */
bool fb_list_denied(const struct fb_verdict *v)
{
	return v->class == FB_GONE || (v->class == FB_SAID && !v->cools);
}

/* A listing that is refused says nothing about this post: it waits. */
void fb_list_failed(struct fb_job *j, const struct fb_verdict *v)
{
	struct fb_verdict w = *v;

	if (w.class == FB_GONE || (w.class == FB_SAID && w.outcome != LT_DEFERRED)) {
		w.class = FB_SAID;
		w.outcome = LT_DEFERRED;
		w.scope = LT_SCOPE_LANE;
		w.flags = 0;
	}
	fb_fail(j, &w);
}

static int guard_send(struct fb_job *j)
{
	int64_t since = fb_there(j) - fb_conf_of(j)->guard_hours * 3600000;

	if (j->try_at > 0 && j->try_at - 120000 < since)
		since = j->try_at - 120000;
	return fb_list_send(j, "published_posts", since);
}

static void found_mine(struct fb_job *j, const struct fb_post *p)
{
	fb_keep_url(j, p->url);
	(void)fb_copy_id(j->draft, p->id);
	if (j->print[0] == '\0')
		fb_text_print(j->doc.message, j->print);
	fb_end_ok(j, j->draft);
}

static void found_double(struct fb_job *j, const struct fb_post *p, const char *why)
{
	char id[FB_ID_MAX];

	fb_keep_url(j, p->url);
	if (j->url[0] == '\0' && fb_copy_id(id, p->id))
		(void)snprintf(j->url, sizeof(j->url), "https://www.facebook.com/%s", id);
	fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON, "double", why);
}

/* True when the job has ended: our post is there, or somebody else's. */
static bool guard_look(struct fb_job *j, const struct ltc_json *data)
{
	const char *why;
	struct fb_post p;

	for (const struct ltc_json *n = ltc_json_first(data); n != NULL; n = ltc_json_next(n)) {
		if (!fb_post_read(j, n, &p) || !p.published)
			continue;
		if (fb_post_is_mine(j, &p)) {
			found_mine(j, &p);
			return true;
		}
		if (fb_post_is_double(j, &p, &why)) {
			found_double(j, &p, why);
			return true;
		}
	}
	return false;
}

static void guard_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class != FB_OK) {
		fb_list_failed(j, v);
		return;
	}
	if (guard_look(j, ltc_json_get(v->body, "data")))
		return;
	if (fb_list_more(j, v->body))
		fb_go(j, FBS_GUARD);
	else
		fb_op_begin(j);
}

static int look_dup_send(struct fb_job *j)
{
	return fb_list_send(j, "published_posts", fb_there(j) - INT64_C(48) * 3600000);
}

static void dup_held(struct fb_job *j)
{
	fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON, "dup",
		"Facebook says that the page has this post already; look at the page");
}

/* Where the answer to a draft of ours was lost it is that draft which Facebook has, most likely: lists show it late. */
static void look_lost_next(struct fb_job *j)
{
	if (j->n_lost == 0 || (int64_t)j->dup_looks >= fb_conf_of(j)->retries) {
		dup_held(j);
		return;
	}
	j->step = FBS_LOOK_LOST;
	j->tries = 0;
	fb_wait(j, fb_pause(j, j->dup_looks++));
}

/* Facebook says that it has this already. Ours is accepted, another's is held, and what cannot be seen is for a person. */
static void look_dup_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_OK && guard_look(j, ltc_json_get(v->body, "data")))
		return;
	if (v->class == FB_OK && fb_list_more(j, v->body)) {
		fb_go(j, FBS_LOOK_DUP);
		return;
	}
	if (v->class == FB_RATE || v->class == FB_TOKEN)
		fb_fail(j, v);
	else
		look_lost_next(j);
}

static int look_lost_send(struct fb_job *j)
{
	return fb_list_send(j, "feed", j->try_at - 600000);
}

/* What was published meanwhile is taken as it is, a draft is published. True: found. */
static bool take_lost(struct fb_job *j, const struct ltc_json *data)
{
	struct fb_post p;

	for (const struct ltc_json *n = ltc_json_first(data); n != NULL; n = ltc_json_next(n)) {
		if (!fb_post_read(j, n, &p) || !fb_post_is_mine(j, &p))
			continue;
		if (p.published) {
			found_mine(j, &p);
		} else {
			(void)fb_copy_id(j->draft, p.id);
			fb_draft_keep(j);
		}
		return true;
	}
	return false;
}

static void look_lost_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_OK && take_lost(j, ltc_json_get(v->body, "data")))
		return;
	if (v->class == FB_OK && fb_list_more(j, v->body))
		fb_go(j, FBS_LOOK_LOST);
	else if (v->class == FB_OK)
		look_lost_next(j);
	else if (fb_list_denied(v))
		dup_held(j);
	else
		fb_list_failed(j, v); /* the next try looks for it first */
}

const struct fb_step fb_step_guard = { "list", 0, guard_send, guard_done };
const struct fb_step fb_step_look_lost = { "list", 0, look_lost_send, look_lost_done };
const struct fb_step fb_step_look_dup = { "list", 0, look_dup_send, look_dup_done };
