/* facebook.h - what the files of the Facebook adapter share.
 * One account is one page. Every piece of work is a walk over steps (facebook_step.h): a step sends one request and says what
 * its answer means; what all answers have in common (limits, tokens, retries) is in facebook_step.c alone.
 * Thread: loop, but for the pure side. Owns: priv of instance, session and jobs, all host memory. */
#ifndef LANTOA_FACEBOOK_H
#define LANTOA_FACEBOOK_H

#include "../common/outcome.h"
#include "../common/text.h"
#include "../common/json.h"
#include "../common/session.h"
#include "facebook_text.h"

#define FB_PHOTOS_MAX  10
#define FB_RETRIES_MAX 8
#define FB_ID_MAX      192 /* bytes of an id with its NUL: what the host keeps of one */
#define FB_LOST_MAX    3   /* drafts whose answer was lost, that are remembered */
#define FB_PAGES_MAX   10  /* of one listing; some may be empty */

enum fb_mode { FB_TWO_PHASE = 0, FB_DIRECT = 1 };
enum fb_proof { FB_PROOF_PLAIN = 0, FB_PROOF_TIMED = 1, FB_PROOF_OFF = 2 };

struct fb_conf { /* strings of the host's, good while the instance is */
	struct lt_str base_url, video_url, version, page, app_id;
	struct lt_str token, parent, app_secret, verify_token; /* names of secrets */
	enum fb_mode mode, text_mode;
	enum fb_proof proof;
	bool plain_fields, warm_link;
	int64_t max_message, max_photos, photo_max_bytes, photo_max_px, photo_life_ms;
	int64_t guard_hours, guard_near, looks, look_ms, retries, retry_ms, draft_life_ms;
	int64_t slow_percent, pause_percent, slow_ms, regain_ms;
	int64_t connect_ms, get_ms, post_ms, photo_ms, chunk_ms, video_poll_ms, video_poll_max;
	int64_t stats_batch, expiry_days, cooldowns, check_hours;
};
enum { FB_CONF_KEYS = 41 };
extern const struct lt_key fb_keys[];
int fb_conf_read(const struct lt_conf *c, struct fb_conf *ret, char *err, size_t err_size);

struct fb_job;
struct fb_inst {
	struct fb_conf conf;
	struct ltc_outcomes *outcomes; /* owned */
	int64_t limited_until;         /* monotonic: no request of this page before */
	uint32_t limited_n;            /* in a row, without a word of the provider for how long */
	uint32_t
		limited_step; /* enum fb_step_id that met the last one: only its success ends the row */
	bool plain_fields; /* the API refused the richer fields of a listing: ask for the basic ones */
	bool told_version; /* the warning stands in the log */
	int64_t skew_ms;   /* Facebook's clock minus ours, as its last answer showed it */
	int64_t check_next; /* monotonic: the look at the token that goes with the daily figures; 0: due */
};
/* What an answer means: the row of the table, or what the transport proves. */
enum fb_class {
	FB_OK = 0,
	FB_NOT_SENT, /* not one byte left */
	FB_RETRY,    /* perhaps done, perhaps not: on a step that publishes this is unknown */
	FB_RATE,
	FB_TOKEN,
	FB_DUP,
	FB_GONE,
	FB_CURSOR,
	FB_SAID /* refused or deferred, as the row says */
};
struct fb_verdict {
	enum fb_class class;
	int32_t outcome, scope;
	uint32_t flags;
	bool cools; /* FB_SAID: a pause that a person ends when it did not help */
	int64_t retry_after_ms;
	char code[40], text[201];
	const struct ltc_json *body; /* of FB_OK, borrowed for the call */
	const struct lt_http_res *res;
};
extern const struct ltc_outcome_words fb_outcome_words;
int fb_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size);
/* Reads an answer; *ret_body is the tree, to be freed. `phase` is the step's word in the table. */
void fb_answer_read(const struct fb_inst *fi, const char *phase, const struct lt_http_res *r,
	struct fb_verdict *v, struct ltc_json **ret_body);

/* Usage headers, told to the host; sets the instance's own pause. Returns the regain time in ms that they name, or 0. */
int64_t fb_rate_read(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r);
/* A throttle without a header doubles its pause. */
int64_t fb_rate_limited(struct lt_inst *inst, struct lt_job *job, int64_t told_ms, int32_t scope);
/* This page, or the whole app: nothing is sent for *ret_ms. */
bool fb_limited(struct lt_inst *inst, struct lt_job *job, int64_t *ret_ms);

/* The content of a post as the payload carries it. */
struct fb_photo {
	const struct lt_src *src; /* borrowed from the work */
	struct lt_str alt, caption, type, filename;
};
struct fb_doc {
	struct lt_str message, title, link;
	bool attach_link; /* as a card; else the text has it */
	struct fb_photo photos[FB_PHOTOS_MAX];
	size_t n_photos;
	struct fb_photo video;
	bool has_video;
	uint64_t video_bytes;
};
int fb_doc_read(const struct lt_work *w, struct fb_doc *ret); /* -LT_E_INVALID */

/* The pure side: facebook_prepare.c. */
int fb_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink);
int fb_prepare(const struct lt_conf *c, const struct lt_content *content, struct lt_sink *sink);
int fb_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink);

/* facebook_webhook.c */
int fb_webhook_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w);

#endif
