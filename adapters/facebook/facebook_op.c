/* facebook_op.c - one attempt at one post, from the look at the page to its permalink.
 *   guard -> photos -> draft -> [intent] live -> permalink        two-phase
 *   guard -> photos -> [intent] post -> permalink                 direct
 * Each arrow is saved before the next request. A draft is nothing that people see: when its answer is lost the page is looked
 * at, and what is found is taken; else photos and draft are made anew and the old one is deleted where it shows up later.
 * is_published=true may be repeated. A direct post may not: its lost answer is unknown, and questions settle it.
 * Thread: loop. Owns: nothing beyond its job. Failures: every path ends the job once, through facebook_step.c. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

static void save_time(struct fb_job *j, const char *name, const char *id, int64_t at)
{
	char value[FB_ID_MAX + 24];

	(void)snprintf(
		value, sizeof(value), "%s%s%lld", id, id[0] != '\0' ? " " : "", (long long)at);
	fb_save(j, name, value);
}

static bool two_phase(const struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);

	return (j->doc.n_photos > 0 ? c->mode : c->text_mode) == FB_TWO_PHASE;
}

/* --- photos ---------------------------------------------------------------------------------------------------------------- */
void fb_photos_forget(struct fb_job *j)
{
	char name[8];

	for (uint32_t i = 0; i < FB_PHOTOS_MAX && j->photos[i][0] != '\0'; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		fb_save(j, name, "");
		j->photos[i][0] = '\0';
	}
	j->photo = 0;
}

static bool photos_stale(const struct fb_job *j)
{
	int64_t limit = fb_now(j) - fb_conf_of(j)->photo_life_ms;

	for (size_t i = 0; i < j->doc.n_photos && j->photos[i][0] != '\0'; i++)
		if (j->photo_at[i] < limit)
			return true;
	return false;
}

static int photo_send(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);
	const struct fb_photo *p = &j->doc.photos[j->photo];
	struct lt_field f[4] = { { .name = LTC_LIT("published"),
		.src = { .bytes = LTC_LIT("false") } } };
	char path[64];
	size_t n = 1;

	if (p->alt.n > 0)
		f[n++] = (struct lt_field){ .name = LTC_LIT("alt_text_custom"),
			.src = { .bytes = p->alt } };
	if (p->caption.n > 0)
		f[n++] = (struct lt_field){ .name = LTC_LIT("caption"),
			.src = { .bytes = p->caption } };
	f[n++] = (struct lt_field){ .name = LTC_LIT("source"),
		.filename = p->filename,
		.content_type = p->type,
		.src = *p->src };
	(void)snprintf(path, sizeof(path), "%.*s/photos", (int)c->page.n, c->page.p);
	struct fb_send s = { .method = "POST",
		.path = path,
		.body_kind = LT_BODY_MULTIPART,
		.fields = f,
		.n_fields = n,
		.total_ms = c->photo_ms };
	return fb_send(j, &s);
}

static void make_post(struct fb_job *j);

/* The next photo that is not there yet, or on to the post. */
static void photos_next(struct fb_job *j)
{
	for (j->photo = 0; j->photo < j->doc.n_photos; j->photo++)
		if (j->photos[j->photo][0] == '\0') {
			fb_go(j, FBS_PHOTO);
			return;
		}
	make_post(j);
}

static void photo_done(struct fb_job *j, const struct fb_verdict *v)
{
	char name[8];

	if (v->class == FB_DUP) {
		fb_go(j, FBS_LOOK_DUP);
		return;
	}
	if (v->class != FB_OK) {
		fb_fail(j, v);
		return;
	}
	if (!fb_copy_id(j->photos[j->photo], ltc_json_str(v->body, "id"))) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_LANE, 0, "photo",
			"an answer without the id of the photo");
		return;
	}
	(void)snprintf(name, sizeof(name), "p%u", j->photo);
	j->photo_at[j->photo] = fb_now(j);
	fb_keep_of(j);
	save_time(j, name, j->photos[j->photo], j->photo_at[j->photo]);
	for (j->photo = 0; j->photo < j->doc.n_photos && j->photos[j->photo][0] != '\0';)
		j->photo++;
	if (j->photo < j->doc.n_photos)
		fb_then(j, FBS_PHOTO);
	else
		make_post(j);
}

/* --- the link of a card ---------------------------------------------------------------------------------------------------- */
/* Cards are read once and kept by Facebook: one page reads for all, or dozens would call at the website together (contract, section 2).
 * Nothing depends on it. */
static int warm_send(struct fb_job *j)
{
	struct lt_field f[] = { { .name = LTC_LIT("id"), .src = { .bytes = j->doc.link } },
		{ .name = LTC_LIT("scrape"), .src = { .bytes = LTC_LIT("true") } } };

	return fb_form(j, "", f, 2, 0, fb_conf_of(j)->get_ms);
}

static void warm_done(struct fb_job *j, const struct fb_verdict *v)
{
	(void)v;
	make_post(j);
}

/* --- the post -------------------------------------------------------------------------------------------------------------- */
/* When it is tried is stored before it is: a look later knows from when on, and by which text. */
static void make_post(struct fb_job *j)
{
	char value[64];

	if (fb_conf_of(j)->warm_link && j->doc.attach_link && !j->warmed) {
		j->warmed = true;
		fb_then(j, FBS_WARM);
		return;
	}
	fb_text_print(j->doc.message, j->print);
	j->try_at = fb_there(j);
	(void)snprintf(value, sizeof(value), "%lld %s", (long long)j->try_at, j->print);
	fb_keep_of(j);
	fb_save(j, "try", value);
	fb_then(j, two_phase(j) ? FBS_DRAFT : FBS_POST);
}

static int feed_send(struct fb_job *j, bool published, uint32_t flags)
{
	const struct fb_conf *c = fb_conf_of(j);
	struct lt_field f[FB_PHOTOS_MAX + 3];
	char names[FB_PHOTOS_MAX][24], values[FB_PHOTOS_MAX][FB_ID_MAX + 24], path[64];
	size_t n = 0;

	if (j->doc.message.n > 0)
		f[n++] = (struct lt_field){ .name = LTC_LIT("message"),
			.src = { .bytes = j->doc.message } };
	if (j->doc.attach_link)
		f[n++] = (struct lt_field){ .name = LTC_LIT("link"),
			.src = { .bytes = j->doc.link } };
	f[n++] = (struct lt_field){ .name = LTC_LIT("published"),
		.src = { .bytes = published ? LTC_LIT("true") : LTC_LIT("false") } };
	for (size_t i = 0; i < j->doc.n_photos; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "attached_media[%zu]", i);
		(void)snprintf(
			values[i], sizeof(values[i]), "{\"media_fbid\":\"%s\"}", j->photos[i]);
		f[n++] = (struct lt_field){ .name = ltc_z(names[i]),
			.src = { .bytes = ltc_z(values[i]) } };
	}
	(void)snprintf(path, sizeof(path), "%.*s/feed", (int)c->page.n, c->page.p);
	return fb_form(j, path, f, n, flags, c->post_ms);
}

static int draft_send(struct fb_job *j)
{
	return feed_send(j, false, 0);
}

/* Draft and the word that it may be live next, in one commit; then the intent. */
void fb_draft_keep(struct fb_job *j)
{
	j->draft_at = fb_now(j);
	save_time(j, "draft", j->draft, j->draft_at);
	save_time(j, "live", "", j->draft_at);
	fb_then(j, FBS_LIVE);
}

/* A row of the scope `target` is about this post alone: when it is said to the last repeat, the post is refused. */
static void lost_draft(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->scope == LT_SCOPE_TARGET && v->res->phase == LT_P_ANSWERED &&
		j->waits >= (uint32_t)fb_conf_of(j)->retries) {
		fb_save(j, "try", "");
		fb_end(j, LT_REFUSED, LT_SCOPE_TARGET, 0, v->code, v->text);
		return;
	}
	j->step = FBS_LOOK_DRAFT;
	j->tries = 0;
	fb_wait(j, fb_pause(j, j->waits));
}

static void draft_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_RETRY) { /* perhaps it is there; a look at once would come too early */
		lost_draft(j, v);
	} else if (v->class == FB_DUP) {
		fb_go(j, FBS_LOOK_DUP);
	} else if (v->class != FB_OK) {
		fb_save(j, "try", ""); /* known: nothing was made */
		fb_fail(j, v);
	} else if (!fb_copy_id(j->draft, ltc_json_str(v->body, "id"))) {
		fb_go(j, FBS_LOOK_DRAFT);
	} else {
		fb_draft_keep(j);
	}
}

/* --- a lost draft ---------------------------------------------------------------------------------------------------------- */
static int look_draft_send(struct fb_job *j)
{
	return fb_list_send(j, "feed", j->try_at - 120000);
}

static void remember_lost(struct fb_job *j)
{
	char value[FB_LOST_MAX * FB_ID_MAX + 8] = "";
	size_t n = 0;
	const char *key = j->doc.n_photos > 0 ? j->photos[0] : j->print;

	if (key[0] == '\0')
		return;
	if (j->n_lost == FB_LOST_MAX)
		memmove(j->lost[0], j->lost[1], (FB_LOST_MAX - 1) * FB_ID_MAX);
	else
		j->n_lost++;
	(void)snprintf(j->lost[j->n_lost - 1], FB_ID_MAX, "%s", key);
	for (uint32_t i = 0; i < j->n_lost; i++)
		n += (size_t)snprintf(
			value + n, sizeof(value) - n, "%s%s", i > 0 ? " " : "", j->lost[i]);
	fb_save(j, "lost", value);
}

/* Nothing there, or not yet: photos and draft anew, since nobody knows whether a photo may be attached twice. */
static void draft_anew(struct fb_job *j)
{
	if (j->waits++ >= (uint32_t)fb_conf_of(j)->retries) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_LANE, 0, "draft",
			"the answer to the draft was lost again and again");
		return;
	}
	remember_lost(j);
	if (j->doc.n_photos == 0) {
		fb_then(j, FBS_DRAFT);
		return;
	}
	fb_photos_forget(j);
	fb_then(j, FBS_PHOTO);
}

static void look_draft_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct fb_post p;

	if (fb_list_denied(v)) { /* a right that posting does not need: as if it were not listed */
		draft_anew(j);
		return;
	}
	if (v->class != FB_OK) { /* the next try looks again: "try" is stored, "draft" is not */
		fb_list_failed(j, v);
		return;
	}
	const struct ltc_json *data = ltc_json_get(v->body, "data");
	for (const struct ltc_json *n = ltc_json_first(data); n != NULL; n = ltc_json_next(n)) {
		if (!fb_post_read(j, n, &p) || !fb_post_is_mine(j, &p) || p.published)
			continue;
		(void)fb_copy_id(j->draft, p.id);
		fb_draft_keep(j);
		return;
	}
	if (fb_list_more(j, v->body))
		fb_go(j, FBS_LOOK_DRAFT);
	else
		draft_anew(j);
}

/* --- direct ---------------------------------------------------------------------------------------------------------------- */
static int post_send(struct fb_job *j)
{
	return feed_send(j, true, LT_PUBLISHES);
}

/* Ids by which a webhook or a question finds it again: the photos and the fingerprint of the text on this page. */
static void post_unknown(struct fb_job *j, const struct fb_verdict *v)
{
	struct lt_id ids[FB_PHOTOS_MAX + 1];
	char print[FB_CLAIM_MAX];
	size_t n = 0;

	fb_text_claim(j->print, fb_conf_of(j)->page, print);
	ids[n++] = (struct lt_id){ 1, LT_UNKNOWN, ltc_z(print) };
	for (size_t i = 0; i < j->doc.n_photos; i++)
		ids[n++] = (struct lt_id){ (uint32_t)(2 + i), LT_UNKNOWN, ltc_z(j->photos[i]) };
	struct lt_result r = { .outcome = LT_UNKNOWN,
		.code = ltc_z(v->code),
		.text = ltc_z(v->text),
		.ids = ids,
		.n_ids = n };
	fb_end_result(j, &r);
}

static void post_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct lt_str id = ltc_json_str(v->body, "id");

	if (v->class == FB_OK && fb_copy_id(j->draft, id)) {
		if (j->cancelled)
			fb_end_ok(j, j->draft);
		else
			fb_go(j, FBS_LINK);
	} else if (v->class == FB_OK || v->class == FB_RETRY || v->class == FB_GONE) {
		post_unknown(j,
			v); /* "unsupported" was said of posts that appeared (contract, section 14) */
	} else if (v->class == FB_DUP) {
		fb_go(j, FBS_LOOK_DUP);
	} else {
		fb_fail(j, v);
	}
}

/* --- start ------------------------------------------------------------------------------------------------------------------ */
/* What earlier tries have reached decides where to begin. */
void fb_op_begin(struct fb_job *j)
{
	bool old = j->draft[0] != '\0' && j->draft_at < fb_now(j) - fb_conf_of(j)->draft_life_ms;

	if (j->doc.has_video) {
		fb_video_begin(j);
		return;
	}
	if (j->draft[0] != '\0' && !old) {
		save_time(j, "live", "", fb_now(j));
		fb_then(j, FBS_LIVE);
		return;
	}
	if (old || photos_stale(j)) {
		if (old)
			memcpy(j->orphan[j->n_orphan++], j->draft, FB_ID_MAX);
		j->draft[0] = '\0';
		fb_save(j, "draft", "");
		fb_save(j, "live", "");
		fb_photos_forget(j);
		if (j->doc.n_photos == 0)
			make_post(j);
		else
			fb_then(j, FBS_PHOTO);
		return;
	}
	if (j->try_at > 0 && two_phase(j))
		fb_go(j, FBS_LOOK_DRAFT); /* it ended between request and answer */
	else
		photos_next(j);
}

void fb_op_look(struct fb_job *j)
{
	if (fb_conf_of(j)->guard_hours == 0 && j->try_at == 0)
		fb_op_begin(j);
	else
		fb_go(j, FBS_GUARD);
}

void fb_op_start(struct fb_job *j)
{
	const struct fb_conf *c = fb_conf_of(j);

	if (!ltc_eq(j->work->address, c->page)) {
		fb_end(j, LT_REFUSED, LT_SCOPE_TARGET, 0, "page",
			"the address is another page than the account's: check routes and identity");
		return;
	}
	if (fb_doc_read(j->work, &j->doc) < 0) {
		fb_end(j, LT_REFUSED, LT_SCOPE_RELEASE, 0, "payload", "the post cannot be read");
		return;
	}
	fb_restore(j);
	if (fb_restore_same(j))
		fb_op_look(j);
}

/* Never repeated: "creates" is what the walk calls that. */
const struct fb_step fb_step_warm = { "check", FB_STEP_CREATES, warm_send, warm_done };
const struct fb_step fb_step_photo = { "photo", 0, photo_send, photo_done };
const struct fb_step fb_step_draft = { "draft", FB_STEP_CREATES, draft_send, draft_done };
const struct fb_step fb_step_look_draft = { "list", 0, look_draft_send, look_draft_done };
const struct fb_step fb_step_post = { "post", FB_STEP_PUBLISHES | FB_STEP_CREATES, post_send,
	post_done };
