/* facebook.h - the Graph API imitated: what its files share. One thread. Pages exist as soon as they are asked for; their tokens
 * follow from their ids. The ledger has a line ("t":"fb") for everything that came to be or changed, in order.
 * Invariants are counted as it goes: a second live post with the same text and photos on a page (double), a token in an address
 * (leak), a request with a token that was refused before (after_token), a post that lacks a photo (lacking). */
#ifndef LANTOA_SANDBOX_FACEBOOK_H
#define LANTOA_SANDBOX_FACEBOOK_H

#include "http.h"

#define FBX_PAGES_MAX   500
#define FBX_POSTS_MAX   20000
#define FBX_PHOTOS_MAX  100000
#define FBX_VIDEOS_MAX  200
#define FBX_ATTACH_MAX  20
#define FBX_ID          64
#define FBX_MESSAGE_MAX 65536

struct fbx_page {
	char id[FBX_ID], name[80];
	int64_t token_no;  /* a new one makes older tokens void */
	bool revoked;      /* its token is refused with 190/460 */
	bool no_rights;    /* posting is refused with 200 */
	bool no_feed;      /* its token lacks pages_read_user_content */
	bool no_token;     /* its node answers without access_token */
	bool refused_once; /* a 190 was said to this token */
	int64_t token_sub; /* ... with this subcode: 460 reset, 463 expired */
	bool unlisted;     /* not in /me/accounts */
	bool subscribed;   /* its feed goes to the app's webhook */
	int64_t throttle, throttle_code, throttle_minutes; /* next so many requests */
	bool throttle_headers;
	int64_t usage, list_delay_ms; /* -1: as for all */
	uint64_t requests, posts_tried;
};
struct fbx_photo {
	char id[FBX_ID], page[FBX_ID], alt[2100], caption[2100], sha[68];
	int64_t at_ms;
	size_t bytes;
	bool used, gone;
};
struct fbx_post {
	char id[FBX_ID], permalink[160];
	struct fbx_page *page;
	char *message, *link, *title; /* owned */
	int photos[FBX_ATTACH_MAX];   /* indexes */
	size_t n_photos;
	int64_t created_ms, live_ms; /* live_ms 0: never */
	int64_t scheduled_ms;        /* 0: not */
	bool live, gone, ours;       /* ours: made by the app */
	int64_t reactions, comments, shares, clicks;
	char video[FBX_ID];
};
struct fbx_video {
	char id[FBX_ID], session[FBX_ID];
	struct fbx_page *page;
	int64_t size, got, at_ms;
	bool finished, published;
	bool refused;  /* a piece that was not the next one */
	char *message; /* owned */
};
struct fbx {
	struct sandbox *s;
	char app_id[40], app_secret[120], system_token[200];
	struct fbx_page *pages[FBX_PAGES_MAX];
	struct fbx_post *posts[FBX_POSTS_MAX];
	struct fbx_photo *photos[FBX_PHOTOS_MAX];
	struct fbx_video *videos[FBX_VIDEOS_MAX];
	size_t n_pages, n_posts, n_photos, n_videos;
	uint64_t serial, doubles, leaks, after_token, lacking, requests, proofs_missing;
	uint64_t limited; /* calls that were made while the app was limited */
	int64_t app_until, clock_ms, fast_ms, repeat_sub, empty_pages; /* see facebook_ctl.c */
	int64_t delay_ms, list_delay_ms, photo_life_ms, photo_max_bytes, app_usage, chunk_bytes,
		list_max;
	int64_t fast_posts; /* so many in ten minutes, then 368/1390008; 0: any */
	int64_t token_days; /* until the token ends; 0: never */
	bool unpublished_in_feed, refuse_repeats, strict_fields, need_proof, no_insights, no_batch;
};

/* facebook.c */
struct fbx_page *fbx_page(struct fbx *f, struct str id); /* made when it is a number; NULL else */
void fbx_token(const struct fbx *f, const struct fbx_page *p, char ret[200]);
struct fbx_post *fbx_post(struct fbx *f, struct str id);
struct fbx_photo *fbx_photo(struct fbx *f, struct str id);
struct fbx_video *fbx_video(struct fbx *f, struct str id);
void fbx_new_id(struct fbx *f, char ret[FBX_ID]);
/* facebook_auth.c: who asks */
enum fbx_who { FBX_NOBODY, FBX_USER, FBX_APP, FBX_PAGE };
struct fbx_caller {
	enum fbx_who who;
	struct fbx_page *page;
};
/* False: answered with an error. */
bool fbx_auth(struct fbx *f, struct sb_req *q, struct fbx_caller *ret);
bool fbx_limits(struct fbx *f, struct sb_req *q, struct fbx_page *p); /* false: answered */
bool fbx_app_limit(struct fbx *f, struct sb_req *q);                  /* false: answered */
void fbx_error(struct sb_req *q, int status, int64_t code, int64_t sub, const char *message);
void fbx_ok(struct sb_req *q);
void fbx_hook(struct fbx *f, const struct fbx_post *p, const char *verb, const char *url);
/* facebook_batch.c: many questions in one */
void fbx_batch(struct fbx *f, struct sb_req *q, const struct fbx_caller *c);
void fbx_reply(struct sb_req *q, int status, cJSON *o); /* o: owned */
void fbx_header(struct sb_req *q, const char *name, const char *value);
int64_t fbx_now(const struct fbx *f); /* the provider's own clock, for what is scheduled */
void fbx_scheduled(struct fbx *f);    /* goes live when its time has come */
void fbx_ask(struct fbx *f, struct sb_req *q, const struct fbx_caller *c); /* facebook.c */
/* facebook_list.c: reading */
void fbx_get_page(struct fbx *f, struct sb_req *q, struct fbx_page *p, const struct fbx_caller *c);
void fbx_get_post(struct fbx *f, struct sb_req *q, struct fbx_post *p);
void fbx_get_insights(struct fbx *f, struct sb_req *q, const struct fbx_post *p);
void fbx_get_list(struct fbx *f, struct sb_req *q, struct fbx_page *p, struct str edge);
void fbx_get_accounts(struct fbx *f, struct sb_req *q);
void fbx_debug_token(struct fbx *f, struct sb_req *q);
void fbx_get_video(struct fbx *f, struct sb_req *q, struct fbx_video *v);
/* facebook_post.c: making and changing */
void fbx_make_photo(struct fbx *f, struct sb_req *q, struct fbx_page *p);
void fbx_make_post(struct fbx *f, struct sb_req *q, struct fbx_page *p);
void fbx_change_post(struct fbx *f, struct sb_req *q, struct fbx_post *p);
void fbx_delete_post(struct fbx *f, struct sb_req *q, struct fbx_post *p);
void fbx_delete_photo(struct fbx *f, struct sb_req *q, struct fbx_photo *p);
void fbx_video_step(struct fbx *f, struct sb_req *q, struct fbx_page *p);
struct fbx_post *fbx_post_new(struct fbx *f, struct fbx_page *p, struct str message, bool ours);
void fbx_go_live(struct fbx *f, struct fbx_post *p);
void fbx_ledger(struct fbx *f, const char *what, const struct fbx_post *p);
/* facebook_ctl.c */
int fbx_ctl(void *ctx, const cJSON *in, cJSON *ret, struct err *e);
int fbx_options(struct fbx *f, const cJSON *o, struct err *e) MUST_CHECK;

#endif
