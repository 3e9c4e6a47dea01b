/* facebook_live.c - the step that makes a draft public, and the look at it when its answer says no.
 * is_published=true may be repeated. A no to it is not believed by itself: "unsupported request" was answered to posts that
 * appeared (contract, section 14), so the post is read by its id. Live: done. A draft: a no that is about the draft stands, else it
 * is published again. Only a GET that finds nothing, and finds nothing again after a pause, says that the draft is gone.
 * Thread: loop. Owns: nothing beyond its job. Failures: where the look fails the next try begins with one. */
#include <string.h>
#include "facebook_step.h"

static int live_send(struct fb_job *j)
{
	struct lt_field f = { .name = LTC_LIT("is_published"),
		.src = { .bytes = LTC_LIT("true") } };
	int rc = fb_form(j, j->draft, &f, 1, LT_PUBLISHES | LT_REPEATABLE, fb_conf_of(j)->post_ms);

	j->tried_live |= rc >= 0;
	return rc;
}

static void live_done(struct fb_job *j, const struct fb_verdict *v)
{
	bool no = v->class == FB_GONE || v->class == FB_DUP ||
		(v->class == FB_SAID && v->outcome == LT_REFUSED);

	j->live_again |= j->tries > 0; /* an earlier one may have been taken */
	if (v->class == FB_OK && j->cancelled) {
		fb_end_ok(j, j->draft);
	} else if (v->class == FB_OK) {
		fb_go(j, FBS_LINK);
	} else if (no) {
		j->said = *v;
		j->said.body = NULL; /* borrowed for this call */
		j->said.res = NULL;
		fb_go(j, FBS_LOOK_LIVE);
	} else {
		fb_fail(j, v);
	}
}

static int look_live_send(struct fb_job *j)
{
	return fb_get(j, j->draft, FB_POST_STATE);
}

/* The draft is gone. Before it could have been live: begin anew, once. After: somebody took it away, or it was never there. The
 * first such answer may come from a place that the draft has not reached yet. */
static void draft_gone(struct fb_job *j, const struct fb_verdict *v)
{
	bool fresh = j->live_at == 0; /* not of an earlier try */

	if (!fresh || j->live_again || j->rebuilt || j->said.class != FB_GONE) {
		j->url[0] = '\0';
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON, v->code,
			"the post that was made is gone: look at the page, then resolve or retry");
		return;
	}
	if (!j->gone_once) {
		j->gone_once = true;
		fb_wait(j, fb_pause(j, 0));
		return;
	}
	j->rebuilt = true;
	j->draft[0] = '\0';
	fb_save(j, "draft", "");
	fb_save(j, "live", "");
	fb_photos_forget(j);
	fb_then(j, j->doc.n_photos > 0 ? FBS_PHOTO : FBS_DRAFT);
}

static void still_draft(struct fb_job *j)
{
	int64_t wait = fb_pause(j, j->waits);

	if (j->said.class == FB_DUP) {
		fb_go(j, FBS_LOOK_DUP);
	} else if (j->said.class == FB_SAID) {
		fb_fail(j, &j->said);
	} else if ((int64_t)j->waits++ >= fb_conf_of(j)->retries) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, 0, j->said.code,
			"Facebook has the draft and does not publish it: tried again later");
	} else {
		j->live_again = true;
		j->step = FBS_LIVE;
		j->tries = 0;
		fb_wait(j, wait);
	}
}

static void look_live_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_GONE)
		draft_gone(j, v);
	else if (v->class != FB_OK)
		fb_list_failed(j, v); /* waits, whatever was said: what is saved leads back here */
	else if (!ltc_json_has(v->body, "is_published"))
		fb_end(j, LT_UNKNOWN, LT_SCOPE_TARGET, 0, j->said.code,
			"the answer does not say whether it is live");
	else if (ltc_json_true(v->body, "is_published"))
		fb_live_over(j, v);
	else
		still_draft(j);
}

const struct fb_step fb_step_live = { "live", FB_STEP_PUBLISHES | FB_STEP_REPEATABLE, live_send,
	live_done };
const struct fb_step fb_step_look_live = { "read", 0, look_live_send, look_live_done };
