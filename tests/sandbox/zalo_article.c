/* zalo_article.c - articles: create and update give a token, pictures are truly fetched by their address, verify tells the id when all
 * is there, then the ledger has what is shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "zalo.h"

struct fetch {
	struct zalo_sb *z;
	struct zl_article *a;
	bool cover;
};

struct zl_article *zl_article_find(struct zalo_sb *z, const struct zl_oa *oa, const char *id)
{
	for (size_t i = 0; i < z->n_article; i++)
		if (z->article[i]->oa == oa && z->article[i]->made &&
			!strcmp(z->article[i]->id, id))
			return z->article[i];
	return NULL;
}

void zl_articles_free(struct zalo_sb *z)
{
	for (size_t i = 0; i < z->n_article; i++) {
		cJSON_Delete(z->article[i]->json);
		free(z->article[i]);
	}
	z->n_article = 0;
}

/* --- pictures ---------------------------------------------------------------------------------------------------------------- */
static int64_t be(const unsigned char *p, int n)
{
	int64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* Type and size by the first bytes; "" when it is neither PNG nor JPEG. */
static const char *picture(struct str b, int64_t *w, int64_t *h)
{
	const unsigned char *p = (const unsigned char *)b.p;

	if (b.n > 24 && !memcmp(p, "\x89PNG", 4)) {
		*w = be(p + 16, 4);
		*h = be(p + 20, 4);
		return "png";
	}
	if (b.n < 4 || p[0] != 0xff || p[1] != 0xd8)
		return "";
	for (size_t i = 2; i + 9 < b.n && p[i] == 0xff; i += 2 + (size_t)be(p + i + 2, 2))
		if (p[i + 1] >= 0xc0 && p[i + 1] <= 0xcf && p[i + 1] != 0xc4 && p[i + 1] != 0xc8 &&
			p[i + 1] != 0xcc) {
			*h = be(p + i + 5, 2);
			*w = be(p + i + 7, 2);
			break;
		}
	return "jpeg";
}

static void shown_now(struct zalo_sb *z, struct zl_article *a)
{
	char hex[65];
	char *body = json_print(json_get(a->json, "body"));
	cJSON *o = zl_ledger(a->oa, "article");

	a->shown = true;
	if (a->told)
		free(body);
	if (a->told) {
		cJSON_Delete(o);
		return;
	}
	a->told = true;
	z->shown++;
	zl_hash(str_of(body ? body : ""), hex);
	free(body);
	json_put_z(o, "id", a->id);
	json_put_z(o, "title", a->title);
	json_put_z(o, "body_hash", hex);
	json_put_z(o, "cover_hash", a->cover_hash);
	json_put_i64(o, "cover_bytes", a->cover_bytes);
	json_put_i64(o, "cover_w", a->cover_w);
	json_put_i64(o, "cover_h", a->cover_h);
	json_put_z(o, "cover_type", a->cover_type);
	json_put_z(o, "link", json_z(a->json, "tracking_link", NULL));
	zl_ledger_end(z, o);
	for (size_t i = 0; i < z->n_article; i++) {
		const struct zl_article *b = z->article[i];
		if (b != a && b->oa == a->oa && b->told && b->shown && !strcmp(b->title, a->title))
			zl_violation(z, a->oa, "article shown twice", a->title);
	}
}

static void fetched_all(struct zalo_sb *z, struct zl_article *a)
{
	if (a->images_left == 0 && !a->media_failed && a->show_wanted && a->made)
		shown_now(z, a);
}

static void on_fetched(void *ctx, int status, struct str type, struct str body)
{
	struct fetch *f = ctx;
	struct zl_article *a = f->a;
	int64_t w = 0, h = 0;
	const char *kind = picture(body, &w, &h);

	(void)type;
	if (status != 200 || body.n > 1048576 || !kind[0])
		a->media_failed = true;
	if (f->cover) {
		zl_hash(body, a->cover_hash);
		a->cover_bytes = (int64_t)body.n;
		a->cover_w = w;
		a->cover_h = h;
		(void)str_copy(a->cover_type, sizeof(a->cover_type), str_of(kind));
	}
	a->images_left--;
	fetched_all(f->z, a);
	free(f);
}

static bool fetch_one(struct zalo_sb *z, struct zl_article *a, const char *url, bool cover)
{
	if (!z->fetch)
		return true;
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return false;
	struct fetch *f = x_calloc(1, sizeof(*f));
	*f = (struct fetch){ z, a, cover };
	a->images_left++;
	if (sb_http_call(z->s, "GET", url, "", str_of(""), 0, on_fetched, f) < 0) {
		a->images_left--;
		a->media_failed = true;
		free(f);
	}
	return true;
}

static const char *fetch_all(struct zalo_sb *z, struct zl_article *a)
{
	const cJSON *cover = json_get(a->json, "cover"), *b;
	int n = 0;

	a->media_failed = false;
	if (!fetch_one(z, a, json_z(cover, "photo_url", ""), true))
		return "photo_url is invalid";
	cJSON_ArrayForEach(b, json_get(a->json, "body"))
	{
		if (strcmp(json_z(b, "type", ""), "image") != 0)
			continue;
		if (++n > (int)ZL_IMAGES_MAX || !fetch_one(z, a, json_z(b, "url", ""), false))
			return "body image url is invalid";
	}
	return NULL;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------- */
static const char *fault(const cJSON *j)
{
	const cJSON *cover = json_get(j, "cover");
	size_t title = zl_chars(json_z(j, "title", "")),
	       about = zl_chars(json_z(j, "description", ""));

	if (!j || strcmp(json_z(j, "type", ""), "normal") != 0)
		return "type accept only 2 value normal and video.";
	if (title == 0 || title >= 150)
		return "title allow 1 to 150 characters";
	if (about >= 300)
		return "description allow 1 to 300 characters";
	if (zl_chars(json_z(j, "author", "")) > 50 || !json_z(j, "author", "")[0])
		return "author value is invalid";
	if (strcmp(json_z(cover, "cover_type", ""), "photo") != 0 ||
		!json_z(cover, "photo_url", "")[0] || !json_z(cover, "status", "")[0])
		return "cover value is invalid";
	if (!cJSON_IsArray(json_get(j, "body")) || cJSON_GetArraySize(json_get(j, "body")) == 0)
		return "body value is invalid";
	return NULL;
}

static void token_out(struct zalo_sb *z, struct sb_req *q, struct zl_article *a)
{
	cJSON *d = json_obj();

	zl_id(z, "Tk", a->token, sizeof(a->token));
	a->polls_left = (int)z->polls;
	json_put_z(d, "token", a->token);
	zl_say(z, q, 0, NULL, d);
}

static bool may_publish(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	if (oa->no_right)
		zl_say(z, q, -223, "The application has not been granted this permission", NULL);
	else if (oa->unverified)
		zl_say(z, q, -221, "Official Account must be verified", NULL);
	else if (oa->articles_left <= 0)
		zl_say(z, q, -223, "OA has reached the article quota", NULL);
	else
		return true;
	return false;
}

static void create(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	const char *bad = fault(q->json);

	if (!may_publish(z, oa, q))
		return;
	if (bad || z->n_article == ZL_ARTICLES_MAX) {
		zl_say(z, q, -201, bad ? bad : "too many", NULL);
		return;
	}
	struct zl_article *a = z->article[z->n_article++] = x_calloc(1, sizeof(*a));
	a->oa = oa;
	a->json = cJSON_Duplicate(q->json, true);
	a->created_ms = a->updated_ms = zl_now(z);
	(void)str_copy(a->title, sizeof(a->title), json_str(q->json, "title"));
	zl_id(z, "", a->id, sizeof(a->id));
	a->show_wanted = !strcmp(json_z(q->json, "status", "hide"), "show");
	a->made = true;
	oa->articles_left--;
	bad = fetch_all(z, a);
	if (bad) {
		a->made = false;
		zl_say(z, q, -201, bad, NULL);
		return;
	}
	token_out(z, q, a);
	fetched_all(z, a);
}

static void update(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	const char *bad = fault(q->json);
	struct zl_article *a = zl_article_find(z, oa, json_z(q->json, "id", ""));

	if (oa->no_right) {
		(void)may_publish(z, oa, q);
		return;
	}
	if (!a || bad) {
		zl_say(z, q, -201, a ? bad : "id is invalid", NULL);
		return;
	}
	cJSON_Delete(a->json);
	a->json = cJSON_Duplicate(q->json, true);
	(void)str_copy(a->title, sizeof(a->title), json_str(q->json, "title"));
	a->updated_ms = zl_now(z);
	a->updating = true;
	a->show_wanted = !strcmp(json_z(q->json, "status", "hide"), "show");
	a->shown = a->shown && a->show_wanted;
	bad = fetch_all(z, a);
	if (bad) {
		zl_say(z, q, -201, bad, NULL);
		return;
	}
	token_out(z, q, a);
	fetched_all(z, a);
}

static void verify(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	struct zl_article *a = NULL;

	for (size_t i = 0; i < z->n_article && !a; i++)
		if (z->article[i]->oa == oa && z->article[i]->token[0] &&
			!strcmp(z->article[i]->token, json_z(q->json, "token", "")))
			a = z->article[i];
	if (!a) {
		zl_say(z, q, -201, "token is invalid", NULL);
	} else if (a->media_failed && a->images_left == 0) {
		if (!a->updating) /* a failed create made nothing; a failed update leaves what was */
			a->made = false;
		zl_say(z, q, -200, "Upload media failed", NULL);
	} else if (a->images_left > 0 || a->polls_left-- > 0) {
		if (z->no_id_while_working)
			zl_say(z, q, 0, NULL, json_obj());
		else
			zl_say(z, q, -214, "Media is being processed", NULL);
	} else {
		cJSON *d = json_obj();
		json_put_z(d, "id", a->id);
		zl_say(z, q, 0, NULL, d);
	}
}

static cJSON *media_json(const struct zl_article *a)
{
	cJSON *o = json_obj();
	char link[80];

	(void)snprintf(link, sizeof(link), "https://officialaccount.me/d?id=%s", a->id);
	json_put_z(o, "id", a->id);
	json_put_z(o, "type", "normal");
	json_put_z(o, "title", a->title);
	json_put_z(o, "status", a->shown ? "show" : "hide");
	json_put_i64(o, "total_view", a->views);
	json_put_i64(o, "total_share", 0);
	json_put_i64(o, "create_date", a->created_ms);
	json_put_i64(o, "update_date", a->updated_ms);
	json_put_z(o, "link_view", link);
	return o;
}

static void slice(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	int64_t offset = 0, limit = 0, total = 0, n = 0;
	struct str type = sb_req_field(q, "type");

	if (!str_eqz(type, "normal") && !str_eqz(type, "video")) {
		zl_say(z, q, -201, "type accept only 2 value normal and video.", NULL);
		return;
	}
	if (str_i64(sb_req_field(q, "offset"), 0, INT32_MAX, &offset) ||
		str_i64(sb_req_field(q, "limit"), 1, 10, &limit)) {
		zl_say(z, q, -201, "maximum limit is 10", NULL);
		return;
	}
	cJSON *d = json_obj(), *list = json_arr();
	for (size_t i = z->n_article; i-- > 0;) {
		const struct zl_article *a = z->article[i];
		if (a->oa != oa || !a->made || str_eqz(type, "video"))
			continue;
		if (total++ >= offset && n < limit) {
			json_add(list, media_json(a));
			n++;
		}
	}
	json_put(d, "medias", list);
	json_put_i64(d, "total", total);
	zl_say(z, q, 0, NULL, d);
}

static void get_detail(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	char id[40];
	(void)str_copy(id, sizeof(id), sb_req_field(q, "id"));
	const struct zl_article *a = zl_article_find(z, oa, id);

	if (!a) {
		zl_say(z, q, -201, "id is invalid", NULL);
		return;
	}
	cJSON *d = cJSON_Duplicate(a->json, true), *m = media_json(a);
	while (m->child) {
		char *key = x_asprintf("%s", m->child->string);
		cJSON_DeleteItemFromObjectCaseSensitive(d, key);
		json_put(d, key, cJSON_DetachItemViaPointer(m, m->child));
		free(key);
	}
	cJSON_Delete(m);
	zl_say(z, q, 0, NULL, d);
}

static void remove_it(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	struct zl_article *a = zl_article_find(z, oa, json_z(q->json, "id", ""));

	if (!a) {
		zl_say(z, q, -201, "id is invalid", NULL);
		return;
	}
	cJSON *o = zl_ledger(oa, "removed");
	json_put_z(o, "id", a->id);
	zl_ledger_end(z, o);
	a->made = a->shown = a->show_wanted = false;
	zl_say(z, q, 0, NULL, NULL);
}

bool zl_articles(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	static const struct {
		const char *method, *path;
		void (*fn)(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q);
	} calls[] = { { "POST", "/v2.0/article/create", create },
		{ "POST", "/v2.0/article/update", update },
		{ "POST", "/v2.0/article/verify", verify },
		{ "POST", "/v2.0/article/remove", remove_it },
		{ "GET", "/v2.0/article/getslice", slice },
		{ "GET", "/v2.0/article/getdetail", get_detail } };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (sb_path_is(q, calls[i].method, calls[i].path)) {
			calls[i].fn(z, oa, q);
			return true;
		}
	return false;
}
