/* facebook_saved.c - what earlier tries of a delivery had saved, read back; the names stand in facebook_step.h.
 * Thread: loop. Owns: nothing. Failures: a value that cannot be read counts as never saved. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

static struct lt_str word(struct lt_str *rest)
{
	struct lt_str w = { NULL, 0 };

	(void)ltc_next(rest, ' ', &w);
	return w;
}

static int64_t number(struct lt_str *rest)
{
	int64_t v = 0;

	return ltc_i64(word(rest), 0, INT64_MAX, &v) == 0 ? v : 0;
}

static struct lt_str saved(const struct fb_job *j, const char *name)
{
	return ltc_pair(j->work->steps, j->work->n_steps, name);
}

static void restore_photos(struct fb_job *j)
{
	char name[8];

	for (uint32_t i = 0; i < FB_PHOTOS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		struct lt_str s = saved(j, name), id = word(&s);
		if (!fb_copy_id(j->photos[i], id))
			break;
		j->photo_at[i] = number(&s);
	}
}

static void restore_video(struct fb_job *j)
{
	struct lt_str s = saved(j, "video"), id = word(&s);

	if (fb_copy_id(j->video, id) && !fb_copy_id(j->video_session, word(&s)))
		j->video[0] = '\0';
	s = saved(j, "sent");
	j->video_from = number(&s);
	j->video_to = number(&s);
	s = saved(j, "done");
	j->done_at = number(&s);
}

void fb_restore(struct fb_job *j)
{
	struct lt_str s = saved(j, "draft"), id = word(&s);

	restore_photos(j);
	restore_video(j);
	if (fb_copy_id(j->draft, id))
		j->draft_at = number(&s);
	s = saved(j, "try");
	j->try_at = number(&s);
	id = word(&s);
	if (id.n == FB_PRINT_LEN)
		memcpy(j->print, id.p, id.n);
	s = saved(j, "of");
	id = word(&s);
	if (id.n == FB_PRINT_LEN)
		memcpy(j->of, id.p, id.n);
	s = saved(j, "live");
	j->live_at = number(&s);
	s = saved(j, "looks");
	j->looks = number(&s);
	j->looks_at = number(&s);
	s = saved(j, "cool");
	j->cools = number(&s);
	s = saved(j, "lost");
	while (j->n_lost < FB_LOST_MAX && fb_copy_id(j->lost[j->n_lost], word(&s)))
		j->n_lost++;
}

static uint64_t hash_photo(uint64_t h, const struct fb_photo *p)
{
	h = p->src != NULL ? ltc_hash(h, p->src->asset) : h;
	h = ltc_hash(h, LTC_LIT("\n"));
	h = ltc_hash(h, p->alt);
	h = ltc_hash(h, LTC_LIT("\n"));
	return ltc_hash(h, p->caption);
}

static void print_of(const struct fb_doc *d, char ret[static FB_PRINT_LEN + 1])
{
	uint64_t h = ltc_hash(LTC_HASH_SEED, d->message);

	h = ltc_hash(h, d->attach_link ? d->link : LTC_LIT("\n"));
	for (size_t i = 0; i < d->n_photos; i++)
		h = hash_photo(h, &d->photos[i]);
	if (d->has_video)
		h = hash_photo(h, &d->video);
	(void)snprintf(ret, FB_PRINT_LEN + 1, "%016llx", (unsigned long long)h);
}

/* The release was approved with another text or picture meanwhile: its old draft goes, and nothing of it is used. */
static void forget(struct fb_job *j)
{
	static const char *const names[] = { "draft", "live", "try", "video", "sent", "done",
		"looks" };

	if (j->draft[0] != '\0')
		memcpy(j->orphan[j->n_orphan++], j->draft, FB_ID_MAX);
	j->draft[0] = j->video[0] = j->video_session[0] = j->print[0] = '\0';
	j->draft_at = j->live_at = j->try_at = j->looks = j->looks_at = 0;
	j->done_at = j->video_from = j->video_to = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (saved(j, names[i]).n > 0)
			fb_save(j, names[i], "");
	fb_photos_forget(j);
}

/* --- a draft of another text that may be live ---------------------------------------------------------------------------------- */
static int look_old_send(struct fb_job *j)
{
	return fb_get(j, j->draft, FB_POST_STATE);
}

static void look_old_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class != FB_OK && v->class != FB_GONE) {
		fb_fail(j, v);
	} else if (v->class == FB_OK && !ltc_json_has(v->body, "is_published")) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_TARGET, 0, "draft",
			"the answer does not say whether the earlier post is live");
	} else if (v->class == FB_OK && ltc_json_true(v->body, "is_published")) {
		fb_keep_url(j, ltc_json_str(v->body, "permalink_url"));
		fb_end_ok(j, j->draft); /* a second post beside it would be worse */
	} else {
		forget(j);
		fb_op_look(j);
	}
}

const struct fb_step fb_step_look_old = { "read", 0, look_old_send, look_old_done };

bool fb_restore_same(struct fb_job *j)
{
	char now[FB_PRINT_LEN + 1], text[FB_PRINT_LEN + 1];

	print_of(&j->doc, now);
	fb_text_print(j->doc.message, text);
	bool other = j->of[0] != '\0' ? strcmp(j->of, now) != 0
				      : j->print[0] != '\0' && strcmp(j->print, text) != 0;
	j->of_saved = strcmp(j->of, now) == 0;
	memcpy(j->of, now, sizeof(now));
	if (other && j->draft[0] != '\0' && j->live_at > 0) {
		fb_go(j, FBS_LOOK_OLD);
		return false;
	}
	if (other)
		forget(j);
	return true;
}

void fb_keep_of(struct fb_job *j)
{
	if (!j->of_saved)
		fb_save(j, "of", j->of);
	j->of_saved = true;
}
