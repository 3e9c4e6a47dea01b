/* facebook_stats.c - the daily look at what was published: reactions, comments, shares, clicks; what is gone or was changed.
 * Posts are read many in one request; where one of them spoils the batch, it is read one by one. A text that differs from the
 * fingerprint kept with the post was changed by somebody. Nothing is ever posted again by this look.
 * Thread: loop. Owns: nothing beyond its job. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

#define FIELDS \
	"id,message,is_published,shares,reactions.summary(true).limit(0),comments.summary(true).limit(0)"
#define CLICKS \
	","    \
	"insights.metric(post_clicks)"
#define IDS_TEXT 8192

static struct lt_str id_of(const struct lt_item *it, uint32_t effect)
{
	for (size_t i = 0; i < it->n_ids; i++)
		if (it->ids[i].effect == effect)
			return it->ids[i].id;
	return (struct lt_str){ NULL, 0 };
}

static struct lt_str fields_of(const struct fb_job *j)
{
	return j->rebuilt ? LTC_LIT(FIELDS)
			  : LTC_LIT(FIELDS CLICKS); /* rebuilt: without insights */
}

static size_t batch_end(const struct fb_job *j)
{
	size_t end = (size_t)j->stat_at + (size_t)fb_conf_of(j)->stats_batch;

	return end < j->work->n_items ? end : j->work->n_items;
}

static int stats_send(struct fb_job *j)
{
	struct ltc_buf ids LTC_CLEANUP_BUF;

	ltc_buf_init(&ids, IDS_TEXT);
	for (size_t i = (size_t)j->stat_at; i < batch_end(j); i++) {
		char id[FB_ID_MAX];
		if (!fb_copy_id(id, id_of(j->work->items[i], 0)))
			continue;
		ltc_addz(&ids, ids.n > 0 ? "," : "");
		ltc_addz(&ids, id);
	}
	struct lt_pair q[] = { { LTC_LIT("ids"), ltc_buf_str(&ids), { NULL, 0 } },
		{ LTC_LIT("fields"), fields_of(j), { NULL, 0 } } };
	struct fb_send s = { .method = "GET",
		.path = "",
		.query = q,
		.n_query = 2,
		.total_ms = fb_conf_of(j)->get_ms };
	return fb_send(j, &s);
}

static void receipt(struct fb_job *j, const struct lt_item *it, int32_t state, const char *code)
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
		.at_ms = fb_now(j) };

	(void)h->receipt(h->ctx, j->job, &r, 1);
}

static void one_number(struct fb_job *j, const struct lt_item *it, const char *name, int64_t value)
{
	const struct lt_host *h = j->inst->host;

	if (value >= 0)
		h->stat(h->ctx, j->job, it->delivery, ltc_z(name), value);
}

static int64_t clicks_of(const struct ltc_json *post)
{
	const struct ltc_json *data = ltc_json_first(
		ltc_json_get(ltc_json_get(post, "insights"), "data"));

	return data == NULL
		? -1
		: ltc_json_int(ltc_json_first(ltc_json_get(data, "values")), "value", -1);
}

static void take(struct fb_job *j, const struct lt_item *it, const struct ltc_json *post)
{
	char print[8 + FB_PRINT_LEN], hex[FB_PRINT_LEN + 1];
	struct lt_str kept = id_of(it, 1);

	one_number(j, it, "reactions",
		ltc_json_int(ltc_json_get(ltc_json_get(post, "reactions"), "summary"),
			"total_count", 0));
	one_number(j, it, "comments",
		ltc_json_int(
			ltc_json_get(ltc_json_get(post, "comments"), "summary"), "total_count", 0));
	one_number(j, it, "shares", ltc_json_int(ltc_json_get(post, "shares"), "count", 0));
	one_number(j, it, "clicks", clicks_of(post));
	if (ltc_json_get(post, "is_published") != NULL && !ltc_json_true(post, "is_published")) {
		receipt(j, it, LT_RC_GONE, "unpublished");
		return;
	}
	fb_text_print(ltc_json_str(post, "message"), hex);
	(void)snprintf(print, sizeof(print), "text:%s", hex);
	if (kept.n > 0 && !ltc_eqz(kept, print))
		receipt(j, it, LT_RC_CHANGED, "text");
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

/* Without rights on insights the whole call fails: asked again without them. */
static bool without_clicks(struct fb_job *j, const struct fb_verdict *v)
{
	if (j->rebuilt || v->class != FB_SAID)
		return false;
	j->rebuilt = true;
	fb_go(j, j->step);
	return true;
}

static void stats_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (without_clicks(j, v))
		return;
	if (v->class == FB_GONE || v->class == FB_SAID) {
		fb_go(j, FBS_STATS_ONE); /* one of them is no more: each by itself */
		return;
	}
	if (v->class != FB_OK) {
		fb_fail(j, v);
		return;
	}
	for (size_t end = batch_end(j); (size_t)j->stat_at < end; j->stat_at++) {
		const struct lt_item *it = j->work->items[j->stat_at];
		char id[FB_ID_MAX];
		const struct ltc_json *post = fb_copy_id(id, id_of(it, 0))
			? ltc_json_get(v->body, id)
			: NULL;
		if (post != NULL)
			take(j, it, post);
	}
	next(j, FBS_STATS);
}

static int one_send(struct fb_job *j)
{
	const struct lt_item *it = j->work->items[j->stat_at];
	struct lt_pair q = { LTC_LIT("fields"), fields_of(j), { NULL, 0 } };

	if (!fb_copy_id(j->draft, id_of(it, 0)))
		return -LT_E_INVALID;
	struct fb_send s = { .method = "GET",
		.path = j->draft,
		.query = &q,
		.n_query = 1,
		.total_ms = fb_conf_of(j)->get_ms };
	return fb_send(j, &s);
}

static void one_done(struct fb_job *j, const struct fb_verdict *v)
{
	const struct lt_item *it = j->work->items[j->stat_at];

	if (without_clicks(j, v))
		return;
	if (v->class == FB_OK)
		take(j, it, v->body);
	else if (v->class == FB_GONE)
		receipt(j, it, LT_RC_GONE, v->code);
	else if (v->class != FB_SAID) {
		fb_fail(j, v);
		return;
	}
	j->stat_at++;
	next(j, j->stat_at % fb_conf_of(j)->stats_batch == 0 ? FBS_STATS : FBS_STATS_ONE);
}

void fb_stats_start(struct fb_job *j)
{
	next(j, FBS_STATS);
}

const struct fb_step fb_step_stats = { "stats", 0, stats_send, stats_done };
const struct fb_step fb_step_stats_one = { "stats", 0, one_send, one_done };
