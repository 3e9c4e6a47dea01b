/* zalo.h - what the files of the imitated Zalo share. One app, many OAs, their articles, groups, users, tokens.
 * Everything that people would see stands in the ledger as "t":"zalo"; what a correct client never does stands there as
 * "kind":"violation" (`sandbox ctl {"cmd":"zalo","show":true}` counts them). Thread: the sandbox's. Owns: its tables. */
#ifndef LANTOA_SANDBOX_ZALO_H
#define LANTOA_SANDBOX_ZALO_H

#include "http.h"

#define ZL_OAS_MAX      64u
#define ZL_ARTICLES_MAX 60000u
#define ZL_GROUPS_MAX   64u
#define ZL_UPLOADS_MAX  4000u
#define ZL_MESSAGES_MAX 40000u
#define ZL_IMAGES_MAX   60u
#define ZL_USERS_MAX    32u

struct zl_oa {
	char id[24];
	int64_t generation; /* of the pair: RT-ID-N, AT-ID-N */
	int64_t access_expires_ms;
	int spent_used; /* how often the last spent refresh token came back */
	int64_t followers, casts_left, casts_day_left, zns_left, articles_left, uploads_left;
	char code[40], challenge[64]; /* given out by the consent page: single use */
	bool disabled, no_right, unverified;
};
struct zl_article {
	struct zl_oa *oa;
	char id[24], token[40], title[1100];
	cJSON *json;                /* members as sent */
	bool shown, made, updating; /* made: verify may tell the id */
	bool show_wanted, told;
	int polls_left, images_left, broadcasts;
	bool media_failed;
	char cover_hash[65];
	int64_t cover_bytes, cover_w, cover_h;
	char cover_type[16];
	int64_t created_ms, updated_ms, views;
};
struct zl_message {
	struct zl_oa *oa;
	char id[24], to[80], text[2100], tracking[64];
	bool group, image, file;
	int64_t at_ms;
};
struct zl_upload {
	char id[40];
	bool file;
	int64_t at_ms;
};
struct zalo_sb {
	struct sandbox *s;
	char app_id[24], app_secret[80], oa_secret[80], hook_url[300];
	struct zl_oa oa[ZL_OAS_MAX];
	size_t n_oa;
	struct zl_article *article[ZL_ARTICLES_MAX]; /* owned */
	size_t n_article;
	struct zl_message *message[ZL_MESSAGES_MAX]; /* owned */
	size_t n_message;
	struct zl_upload upload[ZL_UPLOADS_MAX];
	size_t n_upload;
	struct {
		char id[80];
		char oa[24];
		int64_t error; /* 0: it takes messages; else what every one is answered with */
	} group[ZL_GROUPS_MAX];
	size_t n_group;
	struct { /* whose last talk with an OA is known; the others talked just now */
		char id[24];
		int64_t talked_ms;
	} user[ZL_USERS_MAX];
	size_t n_user;
	/* knobs */
	int64_t casts_left; /* of an OA that is new */
	int64_t life_ms, expires_in, polls, delay_ms, clock_off_ms, receipts_ms;
	int64_t upload_life_ms;
	int64_t rate_limit, rate_minute, rate_used; /* calls of the app a minute; 0: any number */
	int64_t old_access; /* error of an access token that another ended */
	bool no_message, need_proof;
	bool fetch, any_user, night, reply_14014, no_refresh_token, quoted, no_id_while_working;
	bool keep_old_access; /* a new pair does not end the old access token */
	int64_t violations, rotations, spent, casts, shown, calls;
	uint64_t ids;
};

/* zalo.c */
int64_t zl_now(const struct zalo_sb *z); /* with the clock's offset */
void zl_id(struct zalo_sb *z, const char *prefix, char *dst, size_t size);
void zl_say(
	struct zalo_sb *z, struct sb_req *q, int64_t error, const char *text, cJSON *data_moved);
cJSON *zl_ledger(const struct zl_oa *oa, const char *kind); /* a line begun */
void zl_ledger_end(struct zalo_sb *z, cJSON *line);
void zl_violation(struct zalo_sb *z, const struct zl_oa *oa, const char *what, const char *of);
struct zl_oa *zl_oa_find(struct zalo_sb *z, struct str id);
void zl_hash(struct str bytes, char hex[65]);
size_t zl_chars(const char *z);

/* each answers or says that the path is not its own */
bool zl_oauth(struct zalo_sb *z, struct sb_req *q);                      /* zalo_oauth.c */
struct zl_oa *zl_access(struct zalo_sb *z, struct sb_req *q, bool zns);  /* NULL: answered */
bool zl_articles(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q); /* zalo_article.c */
struct zl_article *zl_article_find(struct zalo_sb *z, const struct zl_oa *oa, const char *id);
void zl_articles_free(struct zalo_sb *z);
bool zl_messages(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q); /* zalo_message.c */
bool zl_zns(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q);
/* zalo_hook.c: an event, signed as `how` says: "" well, "forged", "missing", "upper", "bare" (no mac=) */
int zl_hook_send(
	struct zalo_sb *z, const char *url, struct str body, const char *how, int64_t delay_ms);

#endif
