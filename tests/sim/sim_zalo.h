/* sim_zalo.h - Zalo in the simulation: four Official Accounts, their articles, broadcasts, messages and tokens. Everything stands in
 * memory that outlives a crash of the daemon. */
#ifndef LANTOA_TESTS_SIM_ZALO_H
#define LANTOA_TESTS_SIM_ZALO_H

#include "sim_provider.h"

#define ZL_OAS      4
#define ZL_ARTICLES 6000
#define ZL_MESSAGES 8000
#define ZL_TEXT     600
#define ZL_APP      "1234500000000000001"
#define ZL_SECRET \
	"geheim-geheim-geheim-geheim" /* of the app, the webhook's path and its signature */

struct zl_article { /* "A7" is the seventh, "Tk7" the token that its last create or update gave */
	int oa;
	bool shown, media_bad;
	int64_t made_wall, ready_mono, listed_mono;
	char title[ZL_TEXT], mark[64];
};
struct zl_message { /* "m7", of a phone "z7" */
	int contact;
	int64_t at_wall;
	char text[ZL_TEXT], ref[64];
};
struct zl_oa {
	int generation;      /* of the newest pair: RT-OA-N, AT-OA-N */
	int uses, last_uses; /* tries of the newest refresh token, and of the one before it */
	int spent_uses;      /* of those, how many came after it was spent */
	int lost,
		last_lost; /* of the same two: words of a try that a crash took before the call left */
	int64_t word;      /* the newest that was seen; its number in the audit */
	int doubt; /* pairs to come until a restore is forgotten: the daemon may have one try only, and a person is asked */
	int restored; /* the newest pair at that restore: a later one in the daemon's hand, and it is forgotten, too */
	int known; /* the newest pair that the daemon has called with: stored, and in the mirror where there is one */
	bool broken; /* a person may be asked: it was spent, or a log-in was not heard of */
	int codes, code_used; /* consents given, the newest that was taken */
	int64_t access_until; /* mono */
};
struct zl_state {
	struct zl_oa oa[ZL_OAS];
	int64_t life_ms;
	bool old_access; /* an access token stays good until its time, also when there is a newer one */
	int n_article, n_message, n_upload;
	struct zl_article article[ZL_ARTICLES];
	struct zl_message message[ZL_MESSAGES];
};

/* An answer of the API: data for FATE_OK, SLOW and HALF; `refusal` is their error number for FATE_REFUSED. */
void zl_say(size_t call, enum fate f, int refusal, const char *data);
void zl_error(size_t call, int code, const char *text);

/* sim_zalo_token.c */
void zl_booted(
	int slot); /* the store is open, nothing runs: words whose call never left are counted */
void zl_oauth(struct zl_state *st, size_t call, const struct fakenet_call *c);
/* Whose access token it is; -1: it is not good any more, and that was answered. */
int zl_access(struct zl_state *st, size_t call, const struct fakenet_call *c);
/* A person consents anew where the provider ended a grant; true: something was begun. Nobody else may be asked to. */
bool zl_person(int slot);
/* A restore makes the daemon forget that a token was tried: it may try once more, and may ask a person. */
void zl_restored(int slot);

/* sim_zalo_message.c: true when the request was theirs */
bool zl_message(int slot, size_t call, const struct fakenet_call *c, int oa);
void zl_received(struct sim_later *l); /* the event of a template message that arrived */

#endif
