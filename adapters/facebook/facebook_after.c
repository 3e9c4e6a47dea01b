/* facebook_after.c - a post that is live: its permalink, and the drafts whose answers were lost on the way, deleted where they show.
 * Whatever these looks say, the post stays live: every path ends accepted.
 * Thread: loop. Owns: nothing beyond its job. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

void fb_keep_url(struct fb_job *j, struct lt_str url)
{
	if (url.n > 0 && url.n < sizeof(j->url) && !ltc_has_control(url) && ltc_starts(url, "http"))
		(void)snprintf(j->url, sizeof(j->url), "%.*s", (int)url.n, url.p);
}

static int link_send(struct fb_job *j)
{
	return fb_get(j, j->draft, FB_POST_STATE);
}

void fb_video_own(struct fb_job *j)
{
	if (j->video[0] != '\0')
		memcpy(j->draft, j->video, FB_ID_MAX);
}

static void sweep_next(struct fb_job *j);

static bool still_draft(const struct fb_job *j, const struct fb_verdict *v)
{
	return v->class == FB_OK && ltc_json_has(v->body, "is_published") &&
		!ltc_json_true(v->body, "is_published") && j->intended && j->draft_at > 0;
}

/* Facebook took is_published=true and shows a draft: published again after a pause, and at last left to the next try. */
static void not_live(struct fb_job *j)
{
	int64_t wait = fb_pause(j, j->waits);

	if (j->waits++ >= 3 || j->cancelled) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, 0, "draft",
			"Facebook took it and still shows a draft: published again later");
		return;
	}
	j->step = FBS_LIVE;
	j->tries = 0;
	fb_wait(j, wait);
}

void fb_live_over(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_OK)
		fb_keep_url(j, ltc_json_str(v->body, "permalink_url"));
	else
		fb_video_own(j); /* the post of a video was only guessed from its number */
	if (j->n_lost > 0 && v->class == FB_OK)
		fb_go(j, FBS_SWEEP);
	else
		sweep_next(j); /* a draft that was too old to be used */
}

/* Only the words that it is a draft make it untrue that the post is live; no other look at it does. */
static void link_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (still_draft(j, v))
		not_live(j);
	else
		fb_live_over(j, v);
}

static int sweep_send(struct fb_job *j)
{
	bool daily = j->job->kind == LT_J_CHECK || j->job->kind == LT_J_STATS;

	return fb_list_send(
		j, "feed", daily ? fb_there(j) - INT64_C(7) * 86400000 : j->try_at - 600000);
}

static void sweep_over(struct fb_job *j)
{
	if (j->job->kind == LT_J_CHECK)
		fb_check_over(j);
	else if (j->job->kind == LT_J_STATS)
		fb_end(j, LT_ACCEPTED, LT_SCOPE_TARGET, 0, "", "");
	else
		fb_end_ok(j, j->draft);
}

static void sweep_next(struct fb_job *j)
{
	if (j->orphans < j->n_orphan)
		fb_go(j, FBS_SWEEP_DELETE);
	else
		sweep_over(j);
}

static bool is_orphan(const struct fb_job *j, const struct fb_post *p)
{
	char print[FB_PRINT_LEN + 1];

	if (p->published || ltc_eqz(p->id, j->draft))
		return false;
	/* The daily look: what our app made and never published, too old for any try to use it. */
	if (p->ours && p->created_ms > 0 &&
		p->created_ms < fb_there(j) - fb_conf_of(j)->draft_life_ms - 120000)
		return true;
	fb_text_print(p->message, print);
	for (uint32_t i = 0; i < j->n_lost; i++)
		if (fb_post_has_photo(p, ltc_z(j->lost[i])) ||
			(p->ours && strcmp(j->lost[i], print) == 0))
			return true;
	return false;
}

static void sweep_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct fb_post p;

	if (v->class != FB_OK) {
		sweep_over(j);
		return;
	}
	const struct ltc_json *data = ltc_json_get(v->body, "data");
	for (const struct ltc_json *n = ltc_json_first(data);
		n != NULL && j->n_orphan < FB_LOST_MAX; n = ltc_json_next(n))
		if (fb_post_read(j, n, &p) && is_orphan(j, &p) &&
			fb_copy_id(j->orphan[j->n_orphan], p.id))
			j->n_orphan++;
	sweep_next(j);
}

static int sweep_delete_send(struct fb_job *j)
{
	struct fb_send s = {
		.method = "DELETE", .path = j->orphan[j->orphans], .total_ms = fb_conf_of(j)->get_ms
	};
	return fb_send(j, &s);
}

static void sweep_delete_done(struct fb_job *j, const struct fb_verdict *v)
{
	(void)v; /* it goes, or the daily look finds it */
	j->orphans++;
	sweep_next(j);
}

const struct fb_step fb_step_link = { "read", 0, link_send, link_done };
const struct fb_step fb_step_sweep = { "list", 0, sweep_send, sweep_done };
const struct fb_step fb_step_sweep_delete = { "delete", 0, sweep_delete_send, sweep_delete_done };
