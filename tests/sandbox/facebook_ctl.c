/* facebook_ctl.c - `sandbox ctl` {"cmd":"facebook","do":...}: options, a page's troubles, posts made and changed by people, webhooks,
 * and the state with its invariants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "facebook.h"

int fbx_options(struct fbx *f, const cJSON *o, struct err *e)
{
	(void)e;
	(void)str_copy(f->app_id, sizeof(f->app_id), str_of(json_z(o, "app_id", f->app_id)));
	(void)str_copy(f->app_secret, sizeof(f->app_secret),
		str_of(json_z(o, "app_secret", f->app_secret)));
	(void)str_copy(f->system_token, sizeof(f->system_token),
		str_of(json_z(o, "system_token", f->system_token)));
	f->delay_ms = json_i64(o, "delay_ms", f->delay_ms);
	f->list_delay_ms = json_i64(o, "list_delay_ms", f->list_delay_ms);
	f->photo_life_ms = json_i64(o, "photo_life_ms", f->photo_life_ms);
	f->photo_max_bytes = json_i64(o, "photo_max_bytes", f->photo_max_bytes);
	f->app_usage = json_i64(o, "app_usage", f->app_usage);
	f->chunk_bytes = json_i64(o, "chunk_bytes", f->chunk_bytes);
	f->fast_posts = json_i64(o, "fast_posts", f->fast_posts);
	f->fast_ms = json_i64(o, "fast_ms", f->fast_ms);
	f->clock_ms = json_i64(
		o, "clock_ms", f->clock_ms); /* so far ahead is the clock of what is scheduled */
	f->repeat_sub = json_i64(o, "repeat_sub", f->repeat_sub); /* 368/1404082 instead of 506 */
	f->empty_pages = json_i64(o, "empty_pages",
		f->empty_pages); /* of each listing, before the first that has something */
	if (json_has(o, "app_throttle_ms"))
		f->app_until = sb_now_ms() + json_i64(o, "app_throttle_ms", 0);
	f->token_days = json_i64(o, "token_days", f->token_days);
	f->unpublished_in_feed = json_bool(o, "unpublished_in_feed", f->unpublished_in_feed);
	f->refuse_repeats = json_bool(o, "refuse_repeats", f->refuse_repeats);
	f->strict_fields = json_bool(o, "strict_fields", f->strict_fields);
	f->need_proof = json_bool(o, "need_proof", f->need_proof);
	f->no_batch = json_bool(o, "no_batch", f->no_batch);
	f->no_insights = json_bool(o, "no_insights", f->no_insights);
	return 0;
}

static int set_page(struct fbx *f, const cJSON *in, struct err *e)
{
	struct fbx_page *p = fbx_page(f, json_str(in, "page"));
	const cJSON *t = json_get(in, "throttle");

	if (!p)
		return err_set(e, -EINVAL, "page: a number that begins with 104 belongs here");
	p->revoked = json_bool(in, "revoked", p->revoked);
	if (!p->revoked)
		p->refused_once = false;
	p->no_rights = json_bool(in, "no_rights", p->no_rights);
	p->no_feed = json_bool(in, "no_feed", p->no_feed);
	p->no_token = json_bool(in, "no_token", p->no_token);
	p->unlisted = json_bool(in, "unlisted", p->unlisted);
	p->token_no = json_i64(in, "token_no", p->token_no);
	p->token_sub = json_i64(in, "token_sub", p->token_sub);
	p->usage = json_i64(in, "usage", p->usage);
	p->list_delay_ms = json_i64(in, "list_delay_ms", p->list_delay_ms);
	if (t) {
		p->throttle = json_i64(t, "times", 1);
		p->throttle_code = json_i64(t, "code", 80001);
		p->throttle_minutes = json_i64(t, "minutes", 0);
		p->throttle_headers = json_bool(t, "headers", true);
	}
	return 0;
}

/* A person posts by hand. */
static int by_hand(struct fbx *f, const cJSON *in, cJSON *ret, struct err *e)
{
	struct fbx_page *page = fbx_page(f, json_str(in, "page"));
	struct fbx_post *p = page ? fbx_post_new(f, page, json_str(in, "message"), false) : NULL;

	if (!p)
		return err_set(e, -EINVAL, "page: a number that begins with 104 belongs here");
	free(p->link);
	p->link = x_strdup(json_z(in, "link", ""));
	free(p->title);
	p->title = x_strdup(json_z(in, "title", ""));
	p->live = true;
	p->live_ms = sb_now_ms() - json_i64(in, "age_ms", 0);
	p->created_ms = p->live_ms;
	fbx_ledger(f, "by-hand", p);
	json_put_z(ret, "post", p->id);
	json_put_z(ret, "permalink", p->permalink);
	return 0;
}

/* A person changes or removes one; or its numbers grow. */
static int change(struct fbx *f, const cJSON *in, struct err *e)
{
	struct fbx_post *p = fbx_post(f, json_str(in, "post"));

	if (!p)
		return err_set(e, -ENOENT, "post: there is none of that id");
	if (json_has(in, "message")) {
		free(p->message);
		p->message = x_strdup(json_z(in, "message", ""));
	}
	p->gone = json_bool(in, "gone", p->gone);
	p->reactions = json_i64(in, "reactions", p->reactions);
	p->comments = json_i64(in, "comments", p->comments);
	p->shares = json_i64(in, "shares", p->shares);
	p->clicks = json_i64(in, "clicks", p->clicks);
	return 0;
}

static int hook(struct fbx *f, const cJSON *in, struct err *e)
{
	const struct fbx_post *p = fbx_post(f, json_str(in, "post"));

	for (size_t i = f->n_posts; !p && i > 0; i--)
		if (str_eqz(json_str(in, "page"), f->posts[i - 1]->page->id))
			p = f->posts[i - 1];
	if (!p)
		return err_set(e, -ENOENT, "post or page: there is none of that id");
	fbx_hook(f, p, json_z(in, "verb", "add"), json_z(in, "url", ""));
	return 0;
}

static void state(const struct fbx *f, cJSON *ret)
{
	int64_t live = 0, drafts = 0, photos_live = 0, alts = 0, subscribed = 0;

	for (size_t i = 0; i < f->n_posts; i++) {
		const struct fbx_post *p = f->posts[i];
		if (p->gone || !p->ours)
			continue;
		live += p->live;
		drafts += !p->live;
		for (size_t k = 0; k < p->n_photos && p->live; k++) {
			photos_live++;
			alts += f->photos[p->photos[k]]->alt[0] != 0;
		}
	}
	for (size_t i = 0; i < f->n_pages; i++)
		subscribed += f->pages[i]->subscribed;
	json_put_i64(ret, "subscribed", subscribed);
	json_put_i64(ret, "live", live);
	json_put_i64(ret, "orphans", drafts);
	json_put_i64(ret, "photos_live", photos_live);
	json_put_i64(ret, "alts_live", alts);
	json_put_i64(ret, "photos", (int64_t)f->n_photos);
	int64_t refused = 0;
	for (size_t i = 0; i < f->n_videos; i++)
		refused += f->videos[i]->refused;
	json_put_i64(ret, "videos", (int64_t)f->n_videos);
	json_put_i64(ret, "videos_refused", refused);
	json_put_i64(ret, "doubles", (int64_t)f->doubles);
	json_put_i64(ret, "leaks", (int64_t)f->leaks);
	json_put_i64(ret, "lacking", (int64_t)f->lacking);
	json_put_i64(ret, "after_token", (int64_t)f->after_token);
	json_put_i64(ret, "requests", (int64_t)f->requests);
	json_put_i64(ret, "limited", (int64_t)f->limited);
	json_put_i64(ret, "proofs_missing", (int64_t)f->proofs_missing);
}

static int one_page(struct fbx *f, const cJSON *in, cJSON *ret, struct err *e)
{
	const struct fbx_page *page = fbx_page(f, json_str(in, "page"));
	cJSON *posts = json_arr();
	size_t n = 0;

	if (!page) {
		cJSON_Delete(posts);
		return err_set(e, -EINVAL, "page: a number that begins with 104 belongs here");
	}
	for (size_t i = 0; i < f->n_posts && n < 50; i++) {
		const struct fbx_post *p = f->posts[i];
		if (p->page != page || p->gone)
			continue;
		cJSON *o = json_obj();
		json_put_z(o, "post", p->id);
		json_put_bool(o, "live", p->live);
		json_put_bool(o, "ours", p->ours);
		json_put_i64(o, "photos", (int64_t)p->n_photos);
		json_put_z(o, "permalink", p->permalink);
		json_put_z(o, "message", p->message);
		json_add(posts, o);
		n++;
	}
	json_put(ret, "posts", posts);
	json_put_i64(ret, "requests", (int64_t)page->requests);
	json_put_i64(ret, "posts_tried", (int64_t)page->posts_tried);
	return 0;
}

int fbx_ctl(void *ctx, const cJSON *in, cJSON *ret, struct err *e)
{
	struct fbx *f = ctx;
	const char *what = json_z(in, "do", "");

	if (!strcmp(what, "state")) {
		state(f, ret);
		return 0;
	}
	if (!strcmp(what, "set"))
		return fbx_options(f, in, e);
	if (!strcmp(what, "page"))
		return set_page(f, in, e);
	if (!strcmp(what, "posts"))
		return one_page(f, in, ret, e);
	if (!strcmp(what, "post"))
		return by_hand(f, in, ret, e);
	if (!strcmp(what, "change"))
		return change(f, in, e);
	if (!strcmp(what, "hook"))
		return hook(f, in, e);
	return err_set(e, -EINVAL, "do: state, set, page, posts, post, change or hook");
}
