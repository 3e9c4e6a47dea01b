/* facebook_ask.c - did an attempt whose answer was lost take place? Asked by what was saved before it was sent.
 * A post that is known by its id is read. Else the page's posts since then are looked through for our photos, or for our text of
 * our app. "Not found" is believed only after `looks` looks spread over time, and only with photos that the API lets go again: a
 * photo that a post uses cannot be deleted. A text or link without a match stays unknown, for a person.
 * Thread: loop. Owns: nothing beyond its job. Failures: whatever cannot be asked stays unknown. */
#include <stdio.h>
#include "facebook_step.h"

static void unknown(struct fb_job *j, const char *code, const char *text)
{
	fb_end(j, LT_UNKNOWN, LT_SCOPE_TARGET, 0, code, text);
}

/* --- the post by its id ---------------------------------------------------------------------------------------------------- */
static int post_send(struct fb_job *j)
{
	return fb_get(j, j->draft, FB_POST_STATE);
}

static void post_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_GONE) {
		unknown(j, v->code, "the post that was made is gone: a person looks");
	} else if (v->class != FB_OK) {
		fb_fail(j, v);
	} else if (!ltc_json_has(v->body, "is_published")) {
		unknown(j, "asked", "the answer does not say whether it is live");
	} else if (ltc_json_true(v->body, "is_published")) {
		fb_keep_url(j, ltc_json_str(v->body, "permalink_url"));
		fb_end_ok(j, j->draft);
	} else { /* proven: it is there and not live; the next try makes it so */
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, "draft",
			"made, and not live yet");
	}
}

/* --- the list -------------------------------------------------------------------------------------------------------------- */
static int list_send(struct fb_job *j)
{
	return fb_list_send(j, j->asked_feed ? "feed" : "published_posts", j->try_at - 120000);
}

/* On no list: the photos have the last word. */
static void absent(struct fb_job *j)
{
	if (j->photos[0][0] == '\0')
		unknown(j, "absent?", "not on the page after all looks: a person decides");
	else
		fb_then(j, FBS_ASK_PHOTO);
}

static void not_found(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);
	char value[48];

	j->looks += !j->asked_feed;
	if (j->looks_at == 0)
		j->looks_at = fb_now(j);
	(void)snprintf(
		value, sizeof(value), "%lld %lld", (long long)j->looks, (long long)j->looks_at);
	fb_save(j, "looks", value);
	bool enough = j->looks >= c->looks &&
		fb_now(j) - j->looks_at >= c->look_ms * (c->looks - 1);
	if (!enough)
		unknown(j, "looked", "not on the page yet; looked at again");
	else if (!j->asked_feed) { /* before absence is believed, the other list too */
		j->asked_feed = true;
		fb_go(j, FBS_ASK_LIST);
	} else
		absent(j);
}

static void list_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct fb_post p;

	if (j->asked_feed && fb_list_denied(v)) { /* it was the second list, for more certainty */
		absent(j);
		return;
	}
	if (v->class != FB_OK) {
		fb_fail(j, v);
		return;
	}
	const struct ltc_json *data = ltc_json_get(v->body, "data");
	if (data == NULL) {
		unknown(j, "asked", "a listing that cannot be read");
		return;
	}
	for (const struct ltc_json *n = ltc_json_first(data); n != NULL; n = ltc_json_next(n)) {
		if (!fb_post_read(j, n, &p) || !p.published || !fb_post_is_mine(j, &p))
			continue;
		fb_keep_url(j, p.url);
		(void)fb_copy_id(j->draft, p.id);
		fb_end_ok(j, j->draft);
		return;
	}
	if (fb_list_more(j, v->body))
		fb_go(j, FBS_ASK_LIST);
	else
		not_found(j);
}

/* --- the photo ------------------------------------------------------------------------------------------------------------- */
static int photo_send(struct fb_job *j)
{
	struct fb_send s = {
		.method = "DELETE", .path = j->photos[0], .total_ms = fb_conf_of(j)->get_ms
	};

	return fb_send(j, &s);
}

static void photo_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_OK && ltc_json_true(v->body, "success")) {
		fb_photos_forget(j);
		fb_save(j, "try", "");
		fb_save(j, "looks", "");
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, "absent",
			"not on the page after all looks, and its photo was free");
	} else if (v->class == FB_GONE) {
		unknown(j, v->code,
			"not on the page, and its photo is used or gone: a person looks");
	} else {
		fb_fail(j, v);
	}
}

void fb_ask_start(struct fb_job *j)
{
	fb_restore(j);
	if (j->video[0] != '\0' && j->done_at > 0)
		fb_go(j, FBS_ASK_VIDEO);
	else if (j->draft[0] != '\0')
		fb_go(j, FBS_ASK_POST);
	else if (j->try_at > 0)
		fb_go(j, FBS_ASK_LIST);
	else
		unknown(j, "asked", "nothing was kept that could be asked for");
}

const struct fb_step fb_step_ask_post = { "read", 0, post_send, post_done };
const struct fb_step fb_step_ask_list = { "list", 0, list_send, list_done };
const struct fb_step fb_step_ask_photo = { "delete", FB_STEP_CREATES, photo_send, photo_done };
