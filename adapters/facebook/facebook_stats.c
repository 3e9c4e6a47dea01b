/* facebook_stats.c - the daily look at what was published: reactions, comments, shares, clicks; what is gone or was changed.
 * Posts are read many in one batch, with their clicks; what the batch leaves open is read one by one. A text that differs from the
 * fingerprint kept with the post was changed by somebody. Nothing is ever posted again by this look.
 * Thread: loop. Owns: nothing beyond its job. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

#define FIELDS                                                                           \
	"id,message,is_published,permalink_url,shares,reactions.summary(true).limit(0)," \
	"comments.summary(true).limit(0)"
#define BATCH_TEXT 32768
#define NONE       ((struct lt_str){ NULL, 0 })

static struct lt_str id_of(const struct lt_item *it, uint32_t effect)
{
	for (size_t i = 0; i < it->n_ids; i++)
		if (it->ids[i].effect == effect)
			return it->ids[i].id;
	return (struct lt_str){ NULL, 0 };
}

/* A video whose post never became known goes by an id of its own kind, which has none of a post's fields: is it still there? */
static bool is_post(const char *id)
{
	return strchr(id, '_') != NULL;
}

static const char *fields_of(const char *id)
{
	return is_post(id) ? FIELDS : "id,status";
}

/* Clicks are a question of their own for each post, and fail alone. */
static bool asks_clicks(const struct fb_job *j)
{
	return !j->rebuilt; /* rebuilt: the login has no right on insights */
}

static size_t batch_end(const struct fb_job *j)
{
	size_t many = (size_t)fb_conf_of(j)->stats_batch, room = asks_clicks(j) ? 25 : FB_BATCH_MAX;
	size_t end = (size_t)j->stat_at + (many < room ? many : room);

	return end < j->work->n_items ? end : j->work->n_items;
}

static int stats_send(struct fb_job *j)
{
	struct ltc_buf b LTC_CLEANUP_BUF;
	char id[FB_ID_MAX], path[FB_ID_MAX + 16];

	ltc_buf_init(&b, BATCH_TEXT);
	j->stat_clicks = asks_clicks(j);
	j->stat_end = (int64_t)batch_end(j);
	for (size_t i = (size_t)j->stat_at; i < (size_t)j->stat_end; i++) {
		if (!fb_copy_id(id, id_of(j->work->items[i], 0)))
			continue;
		fb_batch_add(&b, id, "fields", fields_of(id));
		(void)snprintf(path, sizeof(path), "%s/insights", id);
		if (j->stat_clicks && is_post(id))
			fb_batch_add(&b, path, "metric", "post_clicks");
	}
	return fb_batch_send(j, &b);
}

static void receipt(struct fb_job *j, const struct lt_item *it, int32_t state, const char *code,
	struct lt_str text)
{
	const struct lt_host *h = j->inst->host;
	struct lt_str id = id_of(it, 0);
	struct lt_receipt r = { .struct_size = sizeof(r),
		.state = state,
		.n_ids = 1,
		.ids = &id,
		.ref = it->ref,
		.recipient = it->address,
		.code = ltc_z(code),
		.text = text,
		.at_ms = fb_now(j) };

	(void)h->receipt(h->ctx, j->job, &r, 1);
}

static void one_number(struct fb_job *j, const struct lt_item *it, const char *name, int64_t value)
{
	const struct lt_host *h = j->inst->host;

	if (value >= 0)
		h->stat(h->ctx, j->job, it->delivery, ltc_z(name), value);
}

/* {"data":[{"name":"post_clicks","values":[{"value":6}]}]} */
static int64_t clicks_of(const struct ltc_json *answer)
{
	const struct ltc_json *data = ltc_json_first(ltc_json_get(answer, "data"));

	return data == NULL
		? -1
		: ltc_json_int(ltc_json_first(ltc_json_get(data, "values")), "value", -1);
}

static void take(struct fb_job *j, const struct lt_item *it, const struct ltc_json *post)
{
	char print[8 + FB_PRINT_LEN], hex[FB_PRINT_LEN + 1];
	struct lt_str kept = id_of(it, 1), url = ltc_json_str(post, "permalink_url");
	bool no_link = (it->flags & LT_ITEM_NO_LINK) != 0;

	if (ltc_find(id_of(it, 0), LTC_LIT("_"), false) == NULL)
		return; /* a video: it is there */
	const char *at = kept.n > 0 ? memchr(kept.p, '@', kept.n) : NULL;
	if (at != NULL) /* of an unknown that the page feed confirmed: the page behind it */
		kept.n = (size_t)(at - kept.p);
	if (kept.n > 0 && kept.p[kept.n - 1] == '?') {
		no_link = true;
		kept.n--;
	}
	if (no_link && ltc_starts(url, "https://") && url.n <= 200 && !ltc_has_control(url))
		receipt(j, it, LT_RC_LINK, "link", url);
	one_number(j, it, "reactions",
		ltc_json_int(ltc_json_get(ltc_json_get(post, "reactions"), "summary"),
			"total_count", 0));
	one_number(j, it, "comments",
		ltc_json_int(
			ltc_json_get(ltc_json_get(post, "comments"), "summary"), "total_count", 0));
	one_number(j, it, "shares", ltc_json_int(ltc_json_get(post, "shares"), "count", 0));
	if (ltc_json_has(post, "is_published") && !ltc_json_true(post, "is_published")) {
		receipt(j, it, LT_RC_GONE, "unpublished", NONE);
		return;
	}
	fb_text_print(ltc_json_str(post, "message"), hex);
	(void)snprintf(print, sizeof(print), "text:%s", hex);
	if (kept.n > 0 && !ltc_eqz(kept, print))
		receipt(j, it, LT_RC_CHANGED, "text", NONE);
}

/* The daily look also takes away drafts that nobody will use. */
static void over(struct fb_job *j)
{
	j->draft[0] = '\0';
	fb_go(j, FBS_SWEEP);
}

/* Posts that were confirmed without their id (by the page feed) are passed over. */
static void next(struct fb_job *j, enum fb_step_id step)
{
	char id[FB_ID_MAX];

	while ((size_t)j->stat_at < j->work->n_items &&
		!fb_copy_id(id, id_of(j->work->items[j->stat_at], 0)))
		j->stat_at++;
	if ((size_t)j->stat_at < j->work->n_items)
		fb_go(j, step);
	else
		over(j);
}

static void clicks_take(struct fb_job *j, const struct lt_item *it, const struct fb_verdict *v)
{
	if (v->class == FB_OK)
		one_number(j, it, "clicks", clicks_of(v->body));
	else if (v->class == FB_SAID)
		j->rebuilt = true; /* no right, or no such figure: not asked for again today */
}

/* False: this post did not get its answer, and is asked for by itself. */
static bool entry_take(struct fb_job *j, const struct lt_item *it, const struct ltc_json *post,
	const struct ltc_json *clicks)
{
	struct fb_verdict v;
	struct ltc_json *body;
	bool done = fb_batch_read(j, post, "stats", &v, &body) &&
		(v.class == FB_OK || v.class == FB_GONE || v.class == FB_SAID);

	if (done && v.class == FB_OK)
		take(j, it, v.body);
	else if (done && v.class == FB_GONE)
		receipt(j, it, LT_RC_GONE, v.code, NONE);
	ltc_json_free(body);
	if (done && clicks != NULL && fb_batch_read(j, clicks, "stats", &v, &body)) {
		clicks_take(j, it, &v);
		ltc_json_free(body);
	}
	return done;
}

/* Entries keep the order of the questions. */
static void stats_done(struct fb_job *j, const struct fb_verdict *v)
{
	char id[FB_ID_MAX];

	if (v->class == FB_RATE || v->class == FB_TOKEN) {
		fb_fail(j, v);
		return;
	}
	if (v->class != FB_OK) {
		fb_go(j, FBS_STATS_ONE); /* no batches here: each by itself */
		return;
	}
	for (const struct ltc_json *e = ltc_json_first(v->body); j->stat_at < j->stat_end;
		j->stat_at++) {
		const struct lt_item *it = j->work->items[j->stat_at];
		if (!fb_copy_id(id, id_of(it, 0)))
			continue;
		bool two = e != NULL && j->stat_clicks && is_post(id);
		const struct ltc_json *clicks = two ? ltc_json_next(e) : NULL;
		if (e == NULL || !entry_take(j, it, e, clicks)) {
			fb_go(j, FBS_STATS_ONE);
			return;
		}
		e = ltc_json_next(clicks != NULL ? clicks : e);
	}
	next(j, FBS_STATS);
}

static int one_send(struct fb_job *j)
{
	if (!fb_copy_id(j->draft, id_of(j->work->items[j->stat_at], 0)))
		return -LT_E_INVALID;
	return fb_get(j, j->draft, fields_of(j->draft));
}

static void one_over(struct fb_job *j)
{
	j->stat_at++;
	next(j, j->stat_at >= j->stat_end ? FBS_STATS : FBS_STATS_ONE);
}

static void one_done(struct fb_job *j, const struct fb_verdict *v)
{
	const struct lt_item *it = j->work->items[j->stat_at];

	if (v->class == FB_OK)
		take(j, it, v->body);
	else if (v->class == FB_GONE)
		receipt(j, it, LT_RC_GONE, v->code, NONE);
	else if (v->class != FB_SAID) {
		fb_fail(j, v);
		return;
	}
	if (v->class == FB_OK && asks_clicks(j) && is_post(j->draft))
		fb_go(j, FBS_STATS_CLICKS);
	else
		one_over(j);
}

static int clicks_send(struct fb_job *j)
{
	char path[FB_ID_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/insights", j->draft);
	return fb_ask(j, path, "metric", "post_clicks");
}

static void clicks_done(struct fb_job *j, const struct fb_verdict *v)
{
	clicks_take(j, j->work->items[j->stat_at], v);
	one_over(j);
}

void fb_stats_go(struct fb_job *j)
{
	j->list = (struct fb_list){ .after = "" };
	next(j, FBS_STATS);
}

void fb_stats_start(struct fb_job *j)
{
	const struct fb_inst *fi = j->inst->priv;
	const struct lt_host *h = j->inst->host;

	if (fb_conf_of(j)->check_hours > 0 && h->mono_ms(h->ctx) >= fi->check_next)
		fb_check_start(j);
	else
		fb_stats_go(j);
}

const struct fb_step fb_step_stats = { "stats", 0, stats_send, stats_done };
const struct fb_step fb_step_stats_one = { "stats", 0, one_send, one_done };
const struct fb_step fb_step_stats_clicks = { "stats", 0, clicks_send, clicks_done };
