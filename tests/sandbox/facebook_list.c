/* facebook_list.c - reading: pages, posts, listings that show things late, numbers, tokens inspected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/assert.h"
#include "facebook.h"

static bool wants(const struct sb_req *q, const char *field)
{
	struct str f = sb_req_field(q, "fields");

	return f.p && memmem(f.p, f.n, field, strlen(field)) != NULL;
}

static void put_time(cJSON *o, const char *key, int64_t ms)
{
	char text[40];
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+0000", &tm);
	json_put_z(o, key, text);
}

static cJSON *target(const char *id)
{
	cJSON *o = json_obj(), *t = json_obj();

	json_put_z(t, "id", id);
	json_put(o, "target", t);
	return o;
}

static cJSON *attachments(const struct fbx *f, const struct fbx_post *p)
{
	cJSON *o = json_obj(), *data = json_arr();

	if (p->n_photos == 1) {
		json_add(data, target(f->photos[p->photos[0]]->id));
	} else if (p->n_photos > 1) {
		cJSON *album = target(p->id), *sub = json_obj(), *list = json_arr();
		for (size_t i = 0; i < p->n_photos; i++)
			json_add(list, target(f->photos[p->photos[i]]->id));
		json_put(sub, "data", list);
		json_put(album, "subattachments", sub);
		json_add(data, album);
	} else if (*p->link) {
		cJSON *a = json_obj();
		json_put_z(a, "unshimmed_url", p->link);
		json_put_z(a, "title", p->title);
		json_add(data, a);
	}
	json_put(o, "data", data);
	return o;
}

static cJSON *count(const char *key, int64_t n)
{
	cJSON *o = json_obj(), *s = json_obj();

	json_put_i64(s, key, n);
	json_put(o, "summary", s);
	return o;
}

static cJSON *post_json(const struct fbx *f, const struct sb_req *q, const struct fbx_post *p)
{
	cJSON *o = json_obj();

	json_put_z(o, "id", p->id);
	if (*p->message)
		json_put_z(o, "message", p->message);
	put_time(o, "created_time", p->live ? p->live_ms : p->created_ms);
	if (!sb_req_field(q, "fields").p)
		return o;
	json_put_bool(o, "is_published", p->live);
	json_put_z(o, "permalink_url", p->permalink);
	if (wants(q, "application") && p->ours) {
		cJSON *app = json_obj();
		json_put_z(app, "id", f->app_id);
		json_put_z(app, "name", "Lantoa");
		json_put(o, "application", app);
	}
	if (wants(q, "attachments"))
		json_put(o, "attachments", attachments(f, p));
	if (wants(q, "reactions"))
		json_put(o, "reactions", count("total_count", p->reactions));
	if (wants(q, "comments"))
		json_put(o, "comments", count("total_count", p->comments));
	if (wants(q, "shares") && p->shares > 0) {
		cJSON *s = json_obj();
		json_put_i64(s, "count", p->shares);
		json_put(o, "shares", s);
	}
	return o;
}

/* One bad field fails the whole call. */
static bool fields_good(const struct fbx *f, struct sb_req *q)
{
	static const char *const gone[] = { "caption", "description", "object_id", "source",
		"likes", "insights" };
	bool bad = f->strict_fields && (wants(q, "unshimmed_url") || wants(q, "fan_count"));

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		bad |= wants(q, gone[i]);
	if (bad)
		fbx_error(q, 400, 100, 0, "(#100) Tried accessing nonexisting field");
	return !bad;
}

void fbx_get_post(struct fbx *f, struct sb_req *q, struct fbx_post *p)
{
	if (fields_good(f, q))
		fbx_reply(q, 200, post_json(f, q, p));
}

/* One metric a call; what the API has retired fails it. */
void fbx_get_insights(struct fbx *f, struct sb_req *q, const struct fbx_post *p)
{
	struct str metric = sb_req_field(q, "metric");

	if (f->no_insights) {
		fbx_error(q, 403, 200, 0, "(#200) This call needs the permission read_insights");
		return;
	}
	if (!str_eqz(metric, "post_clicks")) {
		fbx_error(q, 400, 100, 0, "(#100) The value must be a valid insights metric");
		return;
	}
	cJSON *o = json_obj(), *data = json_arr(), *m = json_obj(), *values = json_arr(),
	      *v = json_obj();
	json_put_i64(v, "value", p->clicks);
	json_add(values, v);
	json_put_z(m, "name", "post_clicks");
	json_put_z(m, "period", "lifetime");
	json_put(m, "values", values);
	json_add(data, m);
	json_put(o, "data", data);
	json_put(o, "paging", json_obj());
	fbx_reply(q, 200, o);
}

void fbx_get_page(struct fbx *f, struct sb_req *q, struct fbx_page *p, const struct fbx_caller *c)
{
	cJSON *o = json_obj();
	char token[200];

	if (c->who == FBX_PAGE && c->page != p) {
		cJSON_Delete(o);
		fbx_error(q, 403, 10, 0, "(#10) This endpoint requires the page's own token");
		return;
	}
	if (p->revoked && c->who == FBX_USER) {
		cJSON_Delete(o);
		fbx_error(q, 400, 190, 492, "The user does not have a role on this page");
		return;
	}
	if (!fields_good(f, q)) {
		cJSON_Delete(o);
		return;
	}
	json_put_z(o, "id", p->id);
	json_put_z(o, "name", p->name);
	if (wants(q, "fan_count"))
		json_put_i64(o, "fan_count", 1234);
	if (wants(q, "access_token") && !p->no_token) {
		fbx_token(f, p, token);
		json_put_z(o, "access_token", token);
	}
	fbx_reply(q, 200, o);
}

void fbx_get_accounts(struct fbx *f, struct sb_req *q)
{
	cJSON *o = json_obj(), *data = json_arr();

	for (size_t i = 0; i < f->n_pages; i++) {
		const struct fbx_page *p = f->pages[i];
		if (p->unlisted)
			continue;
		cJSON *e = json_obj(), *tasks = json_arr();
		json_put_z(e, "id", p->id);
		json_put_z(e, "name", p->name);
		json_add_str(tasks, STR("ANALYZE"));
		if (!p->no_rights)
			json_add_str(tasks, STR("CREATE_CONTENT"));
		json_put(e, "tasks", tasks);
		json_add(data, e);
	}
	json_put(o, "data", data);
	json_put(o, "paging", json_obj());
	fbx_reply(q, 200, o);
}

void fbx_debug_token(struct fbx *f, struct sb_req *q)
{
	struct str t = sb_req_field(q, "input_token");
	cJSON *o = json_obj(), *d = json_obj(), *scopes = json_arr();
	const struct fbx_page *page = NULL;
	char text[200];

	for (size_t i = 0; i < f->n_pages; i++) {
		fbx_token(f, f->pages[i], text);
		if (str_eqz(t, text))
			page = f->pages[i];
	}
	json_put_z(d, "app_id", f->app_id);
	json_put_z(d, "type", page ? "PAGE" : "USER");
	json_put_bool(d, "is_valid", page && !page->revoked);
	json_put_i64(
		d, "expires_at", f->token_days ? sb_now_ms() / 1000 + f->token_days * 86400 : 0);
	json_put_i64(d, "data_access_expires_at", 0);
	json_add_str(scopes, STR("pages_show_list"));
	json_add_str(scopes, STR("pages_read_engagement"));
	if (!page || !page->no_rights)
		json_add_str(scopes, STR("pages_manage_posts"));
	if (!page || !page->no_feed)
		json_add_str(scopes, STR("pages_read_user_content"));
	json_put(d, "scopes", scopes);
	json_put(o, "data", d);
	fbx_reply(q, 200, o);
}

void fbx_get_video(struct fbx *f, struct sb_req *q, struct fbx_video *v)
{
	cJSON *o = json_obj(), *s = json_obj(), *ph = json_obj();
	char url[160];

	if (f->strict_fields && (wants(q, "permalink_url") || wants(q, "post_id"))) {
		fbx_error(q, 400, 100, 0, "(#100) Tried accessing nonexisting field");
		cJSON_Delete(o);
		cJSON_Delete(s);
		cJSON_Delete(ph);
		return;
	}
	json_put_z(s, "video_status", v->finished ? "ready" : "uploading");
	json_put_z(ph, "status", v->published ? "complete" : "not_started");
	json_put_z(ph, "publish_status", v->published ? "published" : "draft");
	json_put(s, "publishing_phase", ph);
	json_put(o, "status", s);
	json_put_z(o, "id", v->id);
	for (size_t i = 0; wants(q, "post_id") && i < f->n_posts; i++)
		if (!strcmp(f->posts[i]->video, v->id))
			json_put_z(o, "post_id", strchr(f->posts[i]->id, '_') + 1);
	(void)snprintf(url, sizeof(url), "/%s/videos/%s/", v->page->id, v->id);
	json_put_z(o, "permalink_url", url);
	fbx_reply(q, 200, o);
}

/* --- listings -------------------------------------------------------------------------------------------------------------- */
static bool shown(const struct fbx *f, const struct fbx_post *p, const struct fbx_page *page,
	bool published_only, int64_t since_ms)
{
	int64_t delay = page->list_delay_ms >= 0 ? page->list_delay_ms : f->list_delay_ms;
	int64_t at = published_only || p->live ? p->live_ms : p->created_ms;

	if (p->page != page || p->gone || (published_only && !p->live))
		return false;
	if (!p->live && !f->unpublished_in_feed)
		return false;
	return at / 1000 * 1000 >= since_ms && sb_now_ms() - at >= delay;
}

/* Cursors are long and mean nothing; `next` holds the token, as the API's does. */
static void cursor_make(size_t at, int64_t page_no, char *ret, size_t size)
{
	size_t n = (size_t)snprintf(ret, size, "QVFI%zuY%lldZ", at, (long long)page_no);

	for (; n + 1 < size; n++)
		ret[n] = "ABCDEFGHIJKLMNOP"[n % 16];
	ret[n] = 0;
}

static bool cursor_read(struct str s, int64_t *ret_at, int64_t *ret_page)
{
	const char *y = memchr(s.p, 'Y', s.n), *z = memchr(s.p, 'Z', s.n);

	return str_starts(s, "QVFI") && y && z && y < z && y - s.p > 4 &&
		!str_i64((struct str){ s.p + 4, (size_t)(y - s.p) - 4 }, 0, 1 << 30, ret_at) &&
		!str_i64((struct str){ y + 1, (size_t)(z - y) - 1 }, 0, 1 << 30, ret_page);
}

static void paging_put(struct fbx *f, cJSON *o, const struct fbx_page *page, struct str edge,
	size_t next, int64_t page_no)
{
	cJSON *paging = json_obj(), *c = json_obj();
	char cursor[1100], token[200], *link = x_calloc(1, 1600);

	cursor_make(next, page_no, cursor, sizeof(cursor));
	json_put_z(c, "after", cursor);
	json_put(paging, "cursors", c);
	if (next < f->n_posts) {
		fbx_token(f, page, token);
		(void)snprintf(link, 1600,
			"https://graph.facebook.com/v25.0/%s/" STR_FMT "?access_token=%s&after=%s",
			page->id, STR_ARG(edge), token, cursor);
		json_put_z(paging, "next", link);
	}
	free(link);
	json_put(o, "paging", paging);
}

void fbx_get_list(struct fbx *f, struct sb_req *q, struct fbx_page *page, struct str edge)
{
	int64_t limit = 25, since = 0, from = 0, page_no = 0;
	bool published = str_eqz(edge, "published_posts");
	struct str after = sb_req_field(q, "after");

	(void)str_i64(sb_req_field(q, "limit"), 1, 100000, &limit);
	(void)str_i64(sb_req_field(q, "since"), 0, INT64_C(1) << 40, &since);
	if (limit > f->list_max) {
		fbx_error(q, 400, 100, 0, "(#100) limit is too large");
		return;
	}
	if (page->no_feed && str_eqz(edge, "feed")) {
		fbx_error(q, 403, 10, 0,
			"(#10) This endpoint requires the 'pages_read_user_content' permission");
		return;
	}
	if (!fields_good(f, q))
		return;
	if (after.n > 5 && !cursor_read(after, &from, &page_no)) {
		fbx_error(q, 400, 100, 0, "Invalid cursors values");
		return;
	}
	cJSON *o = json_obj(), *data = json_arr();
	size_t at = (size_t)from, n = 0;
	bool listed = published || str_eqz(edge, "feed"),
	     scheduled = str_eqz(edge, "scheduled_posts");
	if (page_no < f->empty_pages) { /* nothing here, and more behind it */
		json_put(o, "data", data);
		paging_put(f, o, page, edge, at, page_no + 1);
		fbx_reply(q, 200, o);
		return;
	}
	for (; at < f->n_posts && n < (size_t)limit; at++) { /* newest first */
		const struct fbx_post *p = f->posts[f->n_posts - 1 - at];
		if (scheduled ? p->page != page || p->gone || p->live || !p->scheduled_ms
			      : !listed || !shown(f, p, page, published, since * 1000))
			continue;
		json_add(data, post_json(f, q, p));
		n++;
	}
	json_put(o, "data", data);
	paging_put(f, o, page, edge, at, page_no);
	fbx_reply(q, 200, o);
}
