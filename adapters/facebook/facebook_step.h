/* facebook_step.h - one walk over steps: an attempt, a question about one, a recall, a check, a look at the figures.
 * A step sends one request; its answer is read once (facebook_answer.c) and what all steps share is done here: pauses that the
 * provider asks for, one new token, repeats of what may be repeated. The rest is the step's own `done`.
 * What a delivery has reached is saved by name before the next request:
 *   p0 ... p9  "ID MS"        photos, in order, and when they were uploaded
 *   try        "MS PRINT"     the post is about to be made: when, and the fingerprint of its text
 *   of         "PRINT"        text, link, pictures and film that photos, draft and try are of; another one begins anew
 *   draft      "ID MS"        the unpublished post, and when it was made
 *   live       "MS"           it may be live from here on
 *   lost       "ID ID ID"     first photos (or fingerprints) of drafts whose answer was lost
 *   video      "ID SESSION"   chunked upload; `sent` "OFFSET END"; `done` "MS": its publishing step may have taken place
 *   looks      "N MS"         how often a question has looked in vain, and when first
 *   cool       "N"            how often it had to pause because the page posted too fast
 * Times that are compared with Facebook's (`try`) are Facebook's: ours and the difference that its answers show.
 * Thread: loop. Owns: struct fb_job, host memory. */
#ifndef LANTOA_FACEBOOK_STEP_H
#define LANTOA_FACEBOOK_STEP_H

#include "facebook.h"

enum fb_step_id {
	FBS_NONE = 0,
	FBS_GUARD,
	FBS_WARM,
	FBS_PHOTO,
	FBS_DRAFT,
	FBS_LOOK_DRAFT,
	FBS_LIVE,
	FBS_LOOK_LIVE,
	FBS_POST,
	FBS_LOOK_DUP,
	FBS_LOOK_LOST,
	FBS_LOOK_OLD,
	FBS_LINK,
	FBS_SWEEP,
	FBS_SWEEP_DELETE,
	FBS_VIDEO_START,
	FBS_VIDEO_CHUNK,
	FBS_VIDEO_FINISH,
	FBS_VIDEO_STATUS,
	FBS_ASK_POST,
	FBS_ASK_LIST,
	FBS_ASK_PHOTO,
	FBS_ASK_VIDEO,
	FBS_TARGET,
	FBS_DELETE,
	FBS_EDIT,
	FBS_REFRESH,
	FBS_CHECK_BATCH,
	FBS_CHECK_TOKEN,
	FBS_CHECK_PAGE,
	FBS_CHECK_TASKS,
	FBS_CHECK_FEED,
	FBS_STATS,
	FBS_STATS_ONE,
	FBS_STATS_CLICKS,
	FBS_N
};
#define FB_STEP_PUBLISHES  0x1u /* people see it: a lost answer is unknown */
#define FB_STEP_REPEATABLE 0x2u /* but it may be repeated */
#define FB_STEP_CREATES    0x4u /* makes something: never repeated before a look */

struct fb_step {
	const char *phase; /* word in the table of outcomes */
	uint32_t flags;
	int (*send)(struct fb_job *j);
	void (*done)(struct fb_job *j, const struct fb_verdict *v);
};
struct fb_list {          /* a listing under way */
	char after[4096]; /* more than 1,000 characters were seen */
	uint32_t pages;
};

struct fb_job {
	struct lt_job *job;
	struct lt_inst *inst;
	const struct lt_work *work; /* borrowed until finish */
	struct fb_doc doc;
	enum fb_step_id step, after_save;
	uint32_t tries, waits, restarts, photo, orphans, n_orphan, flags, dup_looks;
	uint64_t save_token, saved_token; /* of the last save, and of the last one that is stored */
	bool out, over, refreshed, cancelled, intended, tried_live, rebuilt, dup, text_only,
		asked_person;
	bool no_token, secret_wait, not_now, unsaved, stat_clicks, asked_feed, few_fields,
		no_post_id, warmed, live_again, gone_once, retimed;
	uint64_t token_version;
	char photos[FB_PHOTOS_MAX][FB_ID_MAX];
	int64_t photo_at[FB_PHOTOS_MAX];
	char draft[FB_ID_MAX], lost[FB_LOST_MAX][FB_ID_MAX], orphan[FB_LOST_MAX][FB_ID_MAX];
	uint32_t n_lost;
	struct fb_verdict said; /* to is_published=true, without body and res */
	int64_t draft_at, live_at, try_at, looks_at, looks, done_at, video_from, video_to, cools;
	char video[FB_ID_MAX], video_session[FB_ID_MAX];
	char print[FB_PRINT_LEN + 1], of[FB_PRINT_LEN + 1], url[400];
	bool of_saved;
	char note[201];            /* of a check: what was found so far */
	int64_t stat_at, stat_end; /* item that is looked at, end of the batch */
	struct fb_list list;
};
enum { FB_WAKE_RETRY = 1, FB_SAVE_TOKEN = 100 };

/* facebook.c */

/* facebook_step.c */
void fb_job_init(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w);
void fb_go(struct fb_job *j, enum fb_step_id step); /* sends it, or ends the job */
void fb_job_event(struct fb_job *j, const struct lt_event *ev);
void fb_fail(struct fb_job *j, const struct fb_verdict *v); /* ends the job as the answer says */
void fb_end(struct fb_job *j, int32_t outcome, int32_t scope, uint32_t flags, const char *code,
	const char *text);
void fb_end_ok(struct fb_job *j, const char *id); /* accepted, with fingerprint and link */
void fb_end_result(struct fb_job *j, struct lt_result *r);
void fb_save(struct fb_job *j, const char *name, const char *value); /* empty: forgotten */
/* What follows when all that was saved is stored; the last thing that a caller does. */
void fb_then(struct fb_job *j, enum fb_step_id step);
bool fb_renew(struct fb_job
		*j); /* a new page token is on its way; once a job, then the step is sent again */
void fb_wait(struct fb_job *j, int64_t ms);           /* the step is sent again then */
int64_t fb_pause(const struct fb_job *j, uint32_t n); /* before the n-th repeat, from 0 */
const struct fb_conf *fb_conf_of(const struct fb_job *j);
int64_t fb_now(const struct fb_job *j);                       /* wall */
int64_t fb_there(const struct fb_job *j);                     /* wall, by Facebook's clock */
bool fb_copy_id(char dst[static FB_ID_MAX], struct lt_str s); /* false: too long, or no id */
void fb_restore(struct fb_job *j);                            /* what earlier tries had saved */
/* Of an op: with its doc; what was saved of another text or other pictures is forgotten, its draft left to the sweep. */
bool fb_restore_same(struct fb_job *j); /* false: that draft may be live, it is looked at first */
void fb_op_look(struct fb_job *j);      /* from the guard on */
void fb_keep_of(struct fb_job *j);      /* saved once, beside the first thing that is made */

/* facebook_request.c */
struct fb_send {
	const char *method, *path; /* behind the version */
	const struct lt_pair *query;
	size_t n_query;
	uint32_t body_kind, flags;
	const struct lt_field *fields;
	size_t n_fields;
	int64_t total_ms;
	struct lt_str token;      /* name of the secret; absent: the page's */
	struct lt_str token_head; /* before it: "APPID|" */
	bool video, secret_answer;
};
int fb_send(struct fb_job *j, const struct fb_send *s);
#define FB_POST_STATE "id,is_published,permalink_url"
int fb_get(struct fb_job *j, const char *id, const char *fields); /* one object */
int fb_ask(struct fb_job *j, const char *path, const char *name, const char *value);
int fb_form(struct fb_job *j, const char *path, const struct lt_field *f, size_t n, uint32_t flags,
	int64_t total_ms);

/* facebook_batch.c: questions in one request; the buffer is empty before the first */
#define FB_BATCH_MAX 50 /* operations of one batch (contract, section 9) */
void fb_batch_add(struct ltc_buf *b, const char *path, const char *name, const char *value);
int fb_batch_send(struct fb_job *j, struct ltc_buf *b);
bool fb_batch_read(const struct fb_job *j, const struct ltc_json *entry, const char *phase,
	struct fb_verdict *v, struct ltc_json **ret); /* false: not answered; *ret is to be freed */
bool fb_batch_can_carry(struct lt_str secret);
int fb_batch_inspect(struct fb_job *j, struct lt_str app_head);

/* facebook_find.c: listings */
int fb_list_send(struct fb_job *j, const char *edge, int64_t since_ms);
bool fb_list_again(struct fb_job *j, const struct fb_verdict *v); /* sent again, otherwise */
/* The next page of the listing follows (true), or this was the last. */
bool fb_list_more(struct fb_job *j, const struct ltc_json *body);
struct fb_post { /* one entry, borrowed from the answer */
	struct lt_str id, message, url;
	int64_t created_ms;
	bool published, ours; /* by our app */
	const struct ltc_json *node;
};
bool fb_post_read(const struct fb_job *j, const struct ltc_json *node, struct fb_post *ret);
bool fb_post_has_photo(const struct fb_post *p, struct lt_str id);
bool fb_post_is_mine(const struct fb_job *j,
	const struct fb_post *p); /* holds our photos, or is our text of our app and time */
bool fb_post_is_double(const struct fb_job *j, const struct fb_post *p, const char **ret_why);
int64_t fb_time_read(struct lt_str s); /* wall ms; 0: none */

/* facebook_op.c, facebook_live.c, facebook_guard.c, facebook_after.c, facebook_video.c, facebook_ask.c, facebook_admin.c, facebook_stats.c */
void fb_op_begin(struct fb_job *j); /* behind the guard: where earlier tries had come to */
void fb_check_start(struct fb_job *j);
void fb_check_over(struct fb_job *j);
void fb_live_over(
	struct fb_job *j, const struct fb_verdict *v); /* it is live: link and lost drafts */
void fb_keep_url(struct fb_job *j, struct lt_str url);
void fb_list_failed(struct fb_job *j, const struct fb_verdict *v);
bool fb_list_denied(const struct fb_verdict *v);
void fb_draft_keep(struct fb_job *j); /* j->draft is ours: saved, and live next */
void fb_op_start(struct fb_job *j);
void fb_op_go(struct fb_job *j); /* intent granted */
void fb_ask_start(struct fb_job *j);
void fb_admin_start(struct fb_job *j);
void fb_stats_start(struct fb_job *j);
void fb_stats_go(struct fb_job *j);      /* behind the look at the token */
void fb_video_begin(struct fb_job *j);   /* behind the guard, as fb_op_begin */
void fb_video_own(struct fb_job *j);     /* a video of which no post is known goes by its own id */
void fb_photos_forget(struct fb_job *j); /* saved, in memory and in the store */
extern const struct fb_step fb_step_look_lost, fb_step_warm, fb_step_guard, fb_step_photo,
	fb_step_draft, fb_step_look_draft, fb_step_live, fb_step_look_live, fb_step_post,
	fb_step_look_dup, fb_step_look_old, fb_step_link, fb_step_sweep, fb_step_sweep_delete,
	fb_step_video_start, fb_step_video_chunk, fb_step_video_finish, fb_step_video_status,
	fb_step_ask_post, fb_step_ask_list, fb_step_ask_photo, fb_step_ask_video, fb_step_target,
	fb_step_delete, fb_step_edit, fb_step_refresh, fb_step_check_token, fb_step_check_page,
	fb_step_check_tasks, fb_step_check_feed, fb_step_stats, fb_step_stats_one,
	fb_step_stats_clicks, fb_step_check_batch;

#endif
