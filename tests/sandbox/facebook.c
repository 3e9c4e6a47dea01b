/* facebook.c - the Graph API imitated: its state, its addresses, its life. See facebook.h.
 * Owns: everything, until the sandbox ends. Failures: a full table answers 500, so that a test sees it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "facebook.h"

static struct fbx *the_one; /* one provider of a kind in a sandbox */

static bool number(struct str s, size_t min)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n >= min && s.n < FBX_ID;
}

struct fbx_page *fbx_page(struct fbx *f, struct str id)
{
	for (size_t i = 0; i < f->n_pages; i++)
		if (str_eqz(id, f->pages[i]->id))
			return f->pages[i];
	/* Ids of pages begin with 104 here, those of other things with 122. */
	if (!number(id, 8) || !str_starts(id, "104") || f->n_pages == FBX_PAGES_MAX)
		return NULL;
	struct fbx_page *p = f->pages[f->n_pages++] = x_calloc(1, sizeof(*p));
	(void)str_copy(p->id, sizeof(p->id), id);
	(void)snprintf(p->name, sizeof(p->name), "Trang %s", p->id);
	p->list_delay_ms = -1;
	return p;
}

void fbx_token(const struct fbx *f, const struct fbx_page *p, char ret[200])
{
	(void)snprintf(
		ret, 200, "EAAPage%s%.60sn%lld", p->id, f->system_token, (long long)p->token_no);
}

struct fbx_post *fbx_post(struct fbx *f, struct str id)
{
	for (size_t i = f->n_posts; i > 0; i--)
		if (str_eqz(id, f->posts[i - 1]->id))
			return f->posts[i - 1];
	return NULL;
}

struct fbx_photo *fbx_photo(struct fbx *f, struct str id)
{
	for (size_t i = f->n_photos; i > 0; i--)
		if (str_eqz(id, f->photos[i - 1]->id))
			return f->photos[i - 1];
	return NULL;
}

struct fbx_video *fbx_video(struct fbx *f, struct str id)
{
	for (size_t i = 0; i < f->n_videos; i++)
		if (str_eqz(id, f->videos[i]->id))
			return f->videos[i];
	return NULL;
}

void fbx_new_id(struct fbx *f, char ret[FBX_ID])
{
	(void)snprintf(ret, FBX_ID, "%llu", 122100000000000ull + (unsigned long long)++f->serial);
}

/* --- addresses ------------------------------------------------------------------------------------------------------------- */
static void no_object(struct sb_req *q)
{
	fbx_error(q, 400, 100, 33,
		"Unsupported request. Object does not exist, cannot be loaded due to missing permissions, or does not support this operation");
}

static bool method(const struct sb_req *q, const char *m)
{
	return str_eqz(q->method, m);
}

static void on_page(struct fbx *f, struct sb_req *q, struct fbx_page *p, const struct fbx_caller *c)
{
	struct str edge = sb_path_segment(q, 2);

	if (!edge.p || !edge.n) {
		if (method(q, "GET"))
			fbx_get_page(f, q, p, c);
		else
			no_object(q);
		return;
	}
	if (c->who != FBX_PAGE || c->page != p) {
		fbx_error(q, 403, 200, 0,
			"(#200) Unpublished posts must be posted to a page as the page itself.");
		return;
	}
	if (!fbx_limits(f, q, p))
		return;
	if (method(q, "GET")) {
		fbx_get_list(f, q, p, edge);
		return;
	}
	if (p->no_rights) {
		fbx_error(q, 403, 200, 0,
			"(#200) Subject does not have permission to post, pages_manage_posts is missing");
		return;
	}
	if (str_eqz(edge, "photos"))
		fbx_make_photo(f, q, p);
	else if (str_eqz(edge, "feed"))
		fbx_make_post(f, q, p);
	else if (str_eqz(edge, "videos"))
		fbx_video_step(f, q, p);
	else if (str_eqz(edge, "subscribed_apps")) {
		p->subscribed = str_eqz(sb_req_field(q, "subscribed_fields"), "feed");
		fbx_ok(q);
	} else
		no_object(q);
}

static void on_post(struct fbx *f, struct sb_req *q, struct fbx_post *p, const struct fbx_caller *c)
{
	if (c->who != FBX_PAGE || c->page != p->page || p->gone)
		no_object(q);
	else if (!fbx_limits(f, q, p->page))
		return;
	else if (method(q, "GET") && str_eqz(sb_path_segment(q, 2), "insights"))
		fbx_get_insights(f, q, p);
	else if (method(q, "GET"))
		fbx_get_post(f, q, p);
	else if (method(q, "POST"))
		fbx_change_post(f, q, p);
	else
		fbx_delete_post(f, q, p);
}

static void on_object(struct fbx *f, struct sb_req *q, struct str id, const struct fbx_caller *c)
{
	struct fbx_photo *photo = fbx_photo(f, id);
	struct fbx_video *video = fbx_video(f, id);
	struct fbx_post *post = fbx_post(f, id);
	struct fbx_page *page = post || photo || video ? NULL : fbx_page(f, id);

	if (post)
		on_post(f, q, post, c);
	else if (photo && method(q, "DELETE"))
		fbx_delete_photo(f, q, photo);
	else if (video && method(q, "GET"))
		fbx_get_video(f, q, video);
	else if (page)
		on_page(f, q, page, c);
	else
		no_object(q);
}

static void route(struct fbx *f, struct sb_req *q)
{
	struct str version = sb_path_segment(q, 0), first = sb_path_segment(q, 1);
	struct fbx_caller c;

	if (!version.p || version.n < 4 || version.p[0] != 'v') {
		fbx_error(q, 400, 2500, 0, "Unknown path components");
		return;
	}
	if (!fbx_auth(f, q, &c) || !fbx_app_limit(f, q))
		return;
	if ((!first.p || !first.n) && method(q, "POST") && sb_req_field(q, "batch").p)
		fbx_batch(f, q, &c);
	else if ((!first.p || !first.n) && method(q, "POST") && sb_req_field(q, "scrape").p)
		fbx_ok(q);
	else
		fbx_ask(f, q, &c);
}

/* What has an address behind the version. */
void fbx_ask(struct fbx *f, struct sb_req *q, const struct fbx_caller *c)
{
	struct str first = sb_path_segment(q, 1);

	if (!first.p || !first.n)
		fbx_error(q, 400, 2500, 0, "Unknown path components");
	else if (str_eqz(first, "debug_token") && method(q, "GET"))
		fbx_debug_token(f, q);
	else if (str_eqz(first, "me") && str_eqz(sb_path_segment(q, 2), "accounts"))
		fbx_get_accounts(f, q);
	else
		on_object(f, q, first, c);
}

static void on_request(void *ctx, struct sb_req *q)
{
	struct fbx *f = ctx;

	f->requests++;
	fbx_scheduled(f);
	sb_res_header(q, "facebook-api-version", "v25.0");
	if (f->delay_ms > 0)
		sb_res_delay(q, f->delay_ms);
	route(f, q);
}

static int fb_open(struct sandbox *s, const cJSON *script, struct err *e)
{
	struct fbx *f = the_one = x_calloc(1, sizeof(*f));

	f->s = s;
	(void)snprintf(f->app_id, sizeof(f->app_id), "5550001");
	(void)snprintf(f->app_secret, sizeof(f->app_secret), "appsecret-of-the-sandbox");
	(void)snprintf(f->system_token, sizeof(f->system_token), "EAASystem");
	f->photo_life_ms = INT64_C(86400000);
	f->photo_max_bytes = 10000000;
	f->chunk_bytes = 1 << 20;
	f->list_max = 100;
	f->unpublished_in_feed = f->need_proof = true;
	f->fast_ms = 600000;
	int rc = script ? fbx_options(f, script, e) : 0;
	if (rc)
		return rc;
	sb_ctl_add(s, "facebook", fbx_ctl, f);
	return sb_http_listen(s, "facebook", 0, on_request, f, e);
}

static void fb_close(struct sandbox *s)
{
	struct fbx *f = the_one;

	(void)s;
	if (!f)
		return;
	for (size_t i = 0; i < f->n_posts; i++) {
		free(f->posts[i]->message);
		free(f->posts[i]->link);
		free(f->posts[i]->title);
		free(f->posts[i]);
	}
	for (size_t i = 0; i < f->n_photos; i++)
		free(f->photos[i]);
	for (size_t i = 0; i < f->n_videos; i++) {
		free(f->videos[i]->message);
		free(f->videos[i]);
	}
	for (size_t i = 0; i < f->n_pages; i++)
		free(f->pages[i]);
	free(f);
	the_one = NULL;
}

const struct sb_provider sb_provider_facebook = {
	.name = "facebook", .open = fb_open, .close = fb_close
};
