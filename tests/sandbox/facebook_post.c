/* facebook_post.c - making and changing: photos, posts, videos; every change a line of the ledger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "facebook.h"

#define DAY_MS INT64_C(86400000)

static cJSON *photos_json(const struct fbx *f, const struct fbx_post *p, bool alts)
{
	cJSON *a = json_arr();

	for (size_t i = 0; i < p->n_photos; i++) {
		const struct fbx_photo *ph = f->photos[p->photos[i]];
		json_add_str(a, str_of(alts ? ph->alt : ph->id));
	}
	return a;
}

void fbx_ledger(struct fbx *f, const char *what, const struct fbx_post *p)
{
	cJSON *o = json_obj();

	json_put_z(o, "t", "fb");
	json_put_z(o, "what", what);
	json_put_z(o, "page", p->page->id);
	json_put_z(o, "post", p->id);
	json_put_z(o, "message", p->message);
	json_put_z(o, "link", p->link);
	json_put(o, "photos", photos_json(f, p, false));
	json_put(o, "alts", photos_json(f, p, true));
	json_put_z(o, "permalink", p->permalink);
	json_put_i64(o, "published_ms", p->live_ms);
	json_put_bool(o, "live", p->live);
	json_put_bool(o, "deleted", p->gone);
	sb_ledger_json(f->s, o);
}

static bool same_content(const struct fbx *f, const struct fbx_post *a, const struct fbx_post *b)
{
	if (a->page != b->page || strcmp(a->message, b->message) || a->n_photos != b->n_photos)
		return false;
	for (size_t i = 0; i < a->n_photos; i++)
		if (strcmp(f->photos[a->photos[i]]->sha, f->photos[b->photos[i]]->sha))
			return false;
	return true;
}

static const struct fbx_post *live_twin(const struct fbx *f, const struct fbx_post *p)
{
	for (size_t i = 0; i < f->n_posts; i++) {
		const struct fbx_post *o = f->posts[i];
		if (o != p && o->live && !o->gone && same_content(f, o, p))
			return o;
	}
	return NULL;
}

void fbx_go_live(struct fbx *f, struct fbx_post *p)
{
	if (p->live)
		return;
	p->live = true;
	p->live_ms = sb_now_ms();
	f->s->taken++;
	bool twice = live_twin(f, p) != NULL;
	f->doubles += twice;
	fbx_ledger(f, twice ? "double" : "live", p);
}

int64_t fbx_now(const struct fbx *f)
{
	return sb_now_ms() + f->clock_ms;
}

void fbx_scheduled(struct fbx *f)
{
	for (size_t i = 0; i < f->n_posts; i++) {
		struct fbx_post *p = f->posts[i];
		if (p->scheduled_ms && !p->live && !p->gone && p->scheduled_ms <= fbx_now(f))
			fbx_go_live(f, p);
	}
}

struct fbx_post *fbx_post_new(struct fbx *f, struct fbx_page *page, struct str message, bool ours)
{
	char id[FBX_ID];

	if (f->n_posts == FBX_POSTS_MAX)
		return NULL;
	struct fbx_post *p = f->posts[f->n_posts++] = x_calloc(1, sizeof(*p));
	fbx_new_id(f, id);
	(void)snprintf(p->id, sizeof(p->id), "%.30s_%.30s", page->id, id);
	(void)snprintf(p->permalink, sizeof(p->permalink),
		"https://www.facebook.com/1009%.40s/posts/%s", page->id + 3, id);
	p->page = page;
	p->message = x_strndup(message.p ? message.p : "", message.n);
	p->link = x_strdup("");
	p->title = x_strdup("");
	p->created_ms = sb_now_ms();
	p->ours = ours;
	return p;
}

/* --- photos ---------------------------------------------------------------------------------------------------------------- */
static bool is_picture(struct str b)
{
	return (b.n > 8 && memcmp(b.p, "\x89PNG\r\n\x1a\n", 8) == 0) ||
		(b.n > 3 && memcmp(b.p, "\xff\xd8\xff", 3) == 0) ||
		(b.n > 6 && memcmp(b.p, "GIF8", 4) == 0) ||
		(b.n > 2 && memcmp(b.p, "BM", 2) == 0) ||
		(b.n > 4 && (memcmp(b.p, "II*\0", 4) == 0 || memcmp(b.p, "MM\0*", 4) == 0));
}

static const struct sb_field *file_part(const struct sb_req *q)
{
	for (size_t i = 0; i < q->n_fields; i++)
		if (q->fields[i].filename.p)
			return &q->fields[i];
	return NULL;
}

void fbx_make_photo(struct fbx *f, struct sb_req *q, struct fbx_page *page)
{
	const struct sb_field *file = file_part(q);
	bool published = !str_eqz(sb_req_field(q, "published"), "false");
	struct hash h;
	cJSON *o = json_obj();

	if (!file || !is_picture(file->value)) {
		cJSON_Delete(o);
		fbx_error(q, 400, 324, 0, "(#324) Missing or invalid image file");
		return;
	}
	if ((int64_t)file->value.n > f->photo_max_bytes || f->n_photos == FBX_PHOTOS_MAX) {
		cJSON_Delete(o);
		fbx_error(q, 400, 100, 1366046, "Invalid parameter");
		return;
	}
	struct fbx_photo *p = f->photos[f->n_photos++] = x_calloc(1, sizeof(*p));
	fbx_new_id(f, p->id);
	(void)snprintf(p->page, sizeof(p->page), "%s", page->id);
	(void)str_copy(p->alt, sizeof(p->alt), sb_req_field(q, "alt_text_custom"));
	(void)str_copy(p->caption, sizeof(p->caption), sb_req_field(q, "caption"));
	hash_bytes(&h, file->value.p, file->value.n);
	hash_hex(&h, p->sha);
	p->bytes = file->value.n;
	p->at_ms = sb_now_ms();
	json_put_z(o, "id", p->id);
	if (published) {
		struct fbx_post *post = fbx_post_new(f, page, sb_req_field(q, "caption"), true);
		REQUIRE(post != NULL);
		post->photos[post->n_photos++] = (int)f->n_photos - 1;
		p->used = true;
		fbx_go_live(f, post);
		json_put_z(o, "post_id", post->id);
	}
	cJSON *line = json_obj();
	json_put_z(line, "t", "fb");
	json_put_z(line, "what", "photo");
	json_put_z(line, "page", page->id);
	json_put_z(line, "photo", p->id);
	json_put_z(line, "alt", p->alt);
	json_put_z(line, "sha256", p->sha);
	json_put_i64(line, "bytes", (int64_t)p->bytes);
	sb_ledger_json(f->s, line);
	fbx_reply(q, 200, o);
}

void fbx_delete_photo(struct fbx *f, struct sb_req *q, struct fbx_photo *p)
{
	(void)f;
	if (p->used || p->gone) {
		fbx_error(q, 400, 100, 33, "Unsupported delete request. Object does not exist");
		return;
	}
	p->gone = true;
	fbx_ok(q);
}

/* --- posts ----------------------------------------------------------------------------------------------------------------- */
static int photo_of(struct fbx *f, struct str json)
{
	CLEANUP_JSON cJSON *o = NULL;
	struct err e;

	if (json_parse(json, 1000, &o, &e))
		return -1;
	struct str id = json_str(o, "media_fbid");
	for (size_t i = 0; i < f->n_photos; i++) {
		const struct fbx_photo *p = f->photos[i];
		if (str_eqz(id, p->id))
			return p->gone || sb_now_ms() - p->at_ms > f->photo_life_ms ? -1 : (int)i;
	}
	return -1;
}

static bool attach_one(struct fbx *f, struct fbx_post *p, int at)
{
	if (at < 0 || p->n_photos == FBX_ATTACH_MAX || strcmp(f->photos[at]->page, p->page->id))
		return false;
	f->photos[at]->used = true;
	p->photos[p->n_photos++] = at;
	return true;
}

/* Indexed form fields, or an array of a JSON body. */
static bool attach(struct fbx *f, const struct sb_req *q, struct fbx_post *p)
{
	const cJSON *one, *list = q->json ? json_get(q->json, "attached_media") : NULL;

	cJSON_ArrayForEach(one, list)
	{
		char *text = json_print(one);
		bool good = attach_one(f, p, photo_of(f, str_of(text)));
		free(text);
		if (!good)
			return false;
	}
	for (size_t i = 0; i < FBX_ATTACH_MAX; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "attached_media[%zu]", i);
		struct str v = sb_req_field(q, name);
		if (!v.p)
			break;
		if (!attach_one(f, p, photo_of(f, v)))
			return false;
	}
	return true;
}

static void put_text(char **dst, struct str s)
{
	free(*dst);
	*dst = x_strndup(s.p ? s.p : "", s.n);
}

/* Posts of the page in the last ten minutes, or fast_ms. */
static int64_t recent(const struct fbx *f, const struct fbx_page *page)
{
	int64_t n = 0;

	for (size_t i = 0; i < f->n_posts; i++)
		n += f->posts[i]->page == page && f->posts[i]->ours &&
			sb_now_ms() - f->posts[i]->created_ms < f->fast_ms;
	return n;
}

/* A field of a form, or of a JSON body; number, if not NULL: where a number is written. */
static struct str given(const struct sb_req *q, const char *name, char *number)
{
	struct str form = sb_req_field(q, name);
	const cJSON *v = q->json ? json_get(q->json, name) : NULL;

	if (form.p || !v)
		return form;
	if (cJSON_IsBool(v))
		return str_of(cJSON_IsTrue(v) ? "true" : "false");
	if (!cJSON_IsNumber(v) || !number)
		return json_str(q->json, name);
	(void)snprintf(number, 24, "%.0f", v->valuedouble);
	return str_of(number);
}

void fbx_make_post(struct fbx *f, struct sb_req *q, struct fbx_page *page)
{
	char number[24];
	struct str message = given(q, "message", NULL), link = given(q, "link", NULL);
	bool published = !str_eqz(given(q, "published", NULL), "false");
	bool media = sb_req_field(q, "attached_media[0]").p != NULL ||
		(q->json && json_get(q->json, "attached_media"));
	struct str when = given(q, "scheduled_publish_time", number);
	int64_t at = 0;

	page->posts_tried++;
	if (when.p &&
		(published || str_i64(when, 1, INT64_C(1) << 40, &at) ||
			at * 1000 < fbx_now(f) + 600000 || at * 1000 > fbx_now(f) + 75 * DAY_MS)) {
		fbx_error(q, 400, 100, 0,
			"(#100) scheduled_publish_time: with published=false, 10 minutes to 75 days ahead");
		return;
	}
	if (f->fast_posts > 0 && recent(f, page) >= f->fast_posts) {
		fbx_error(q, 400, 368, 1390008,
			"It looks like you were misusing this feature by going too fast");
		return;
	}
	if (!message.p && !link.p && !media) {
		fbx_error(q, 400, 197, 0, "The post is empty");
		return;
	}
	if (link.p && memmem(link.p, link.n, "facebook.com", 12)) {
		fbx_error(q, 400, 200, 1609008, "Cannot post Facebook.com links");
		return;
	}
	struct fbx_post *p = fbx_post_new(f, page, message, true);
	if (!p || !attach(f, q, p)) {
		if (p)
			p->gone = true;
		f->lacking++;
		fbx_error(q, p ? 400 : 500, p ? 100 : 1, p ? 33 : 0,
			"Invalid parameter: attached_media");
		return;
	}
	put_text(&p->link, link);
	if (published && f->refuse_repeats && live_twin(f, p)) {
		p->gone = true;
		fbx_error(q, 400, f->repeat_sub ? 368 : 506, f->repeat_sub,
			"Duplicate status message");
		return;
	}
	p->scheduled_ms = at * 1000;
	if (published)
		fbx_go_live(f, p);
	else
		fbx_ledger(f, at ? "scheduled" : "draft", p);
	cJSON *o = json_obj();
	json_put_z(o, "id", p->id);
	json_put_bool(o, "post_supports_client_mutation_id", true);
	fbx_reply(q, 200, o);
}

void fbx_change_post(struct fbx *f, struct sb_req *q, struct fbx_post *p)
{
	struct str message = sb_req_field(q, "message");

	if (p->page->no_rights || !p->ours) {
		fbx_error(q, 403, 200, 0,
			"(#200) Permissions error: only the app that made a post may change it");
		return;
	}
	if (message.p) {
		put_text(&p->message, message);
		fbx_ledger(f, "edit", p);
	}
	if (str_eqz(sb_req_field(q, "is_published"), "true"))
		fbx_go_live(f, p);
	fbx_ok(q);
}

void fbx_delete_post(struct fbx *f, struct sb_req *q, struct fbx_post *p)
{
	p->gone = true;
	fbx_ledger(f, "delete", p);
	fbx_ok(q);
}

/* --- video ----------------------------------------------------------------------------------------------------------------- */
static void offsets(struct fbx *f, const struct fbx_video *v, cJSON *o)
{
	char text[32];
	int64_t to = v->got + f->chunk_bytes < v->size ? v->got + f->chunk_bytes : v->size;

	(void)snprintf(text, sizeof(text), "%lld", (long long)v->got);
	json_put_z(o, "start_offset", text);
	(void)snprintf(text, sizeof(text), "%lld", (long long)to);
	json_put_z(o, "end_offset", text);
}

static void video_begin(struct fbx *f, struct sb_req *q, struct fbx_page *page)
{
	cJSON *o = json_obj();
	int64_t size = 0;

	if (f->n_videos == FBX_VIDEOS_MAX ||
		str_i64(sb_req_field(q, "file_size"), 1, INT64_C(2000000000), &size)) {
		cJSON_Delete(o);
		fbx_error(q, 400, 382, 0, "The video file is too small");
		return;
	}
	struct fbx_video *v = f->videos[f->n_videos++] = x_calloc(1, sizeof(*v));
	fbx_new_id(f, v->id);
	fbx_new_id(f, v->session);
	v->page = page;
	v->size = size;
	v->message = x_strdup("");
	json_put_z(o, "upload_session_id", v->session);
	json_put_z(o, "video_id", v->id);
	offsets(f, v, o);
	fbx_reply(q, 200, o);
}

static void video_finish(struct fbx *f, struct sb_req *q, struct fbx_video *v)
{
	if (v->got != v->size) {
		fbx_error(q, 400, 6000, 1363030, "The upload is not complete");
		return;
	}
	if (!v->published) {
		struct fbx_post *p = fbx_post_new(f, v->page, sb_req_field(q, "description"), true);
		REQUIRE(p != NULL);
		(void)snprintf(p->video, sizeof(p->video), "%s", v->id);
		v->finished = v->published = true;
		v->at_ms = sb_now_ms();
		fbx_go_live(f, p);
	}
	fbx_ok(q);
}

void fbx_video_step(struct fbx *f, struct sb_req *q, struct fbx_page *page)
{
	struct str phase = sb_req_field(q, "upload_phase"),
		   session = sb_req_field(q, "upload_session_id");
	const struct sb_field *part = file_part(q);
	struct fbx_video *v = NULL;
	int64_t at = -1;

	if (str_eqz(phase, "start")) {
		video_begin(f, q, page);
		return;
	}
	for (size_t i = 0; i < f->n_videos; i++)
		if (str_eqz(session, f->videos[i]->session) && f->videos[i]->page == page)
			v = f->videos[i];
	if (!v) {
		fbx_error(q, 400, 100, 33, "No such upload session");
	} else if (str_eqz(phase, "finish")) {
		video_finish(f, q, v);
	} else if (!part || str_i64(sb_req_field(q, "start_offset"), 0, v->size, &at) ||
		at != v->got || at + (int64_t)part->value.n > v->size) {
		v->refused = true;
		fbx_error(q, 400, 6001, 1363037,
			"There was a problem uploading your video: wrong offset");
	} else {
		v->got += (int64_t)part->value.n;
		cJSON *o = json_obj();
		offsets(f, v, o);
		fbx_reply(q, 200, o);
	}
}
