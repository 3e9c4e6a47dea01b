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
	s = saved(j, "live");
	j->live_at = number(&s);
	s = saved(j, "looks");
	j->looks = number(&s);
	j->looks_at = number(&s);
	s = saved(j, "lost");
	while (j->n_lost < FB_LOST_MAX && fb_copy_id(j->lost[j->n_lost], word(&s)))
		j->n_lost++;
}
