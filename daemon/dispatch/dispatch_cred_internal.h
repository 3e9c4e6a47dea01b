/* dispatch_cred_internal.h - one rotating credential, for dispatch_cred*.c and dispatch_secret.c only. Loop thread. */
#ifndef LANTOA_DISPATCH_DISPATCH_CRED_INTERNAL_H
#define LANTOA_DISPATCH_DISPATCH_CRED_INTERNAL_H

#include "dispatch/dispatch_credential.h"
#include "dispatch/dispatch_internal.h"
#include "store/store_credential.h"

#define CREDS_MAX       4096
#define CRED_SET_MAX    16384 /* bytes of all values of one credential */
#define CRED_WAITS_MAX  64    /* channels of several configurations that ask for the same one */
#define CRED_PUTS_MAX   16
#define CRED_DOUBT_MS   5000 /* before the one more try */
#define CRED_RECHECK_MS (60 * 60 * 1000)
#define CRED_MIN_MS     60000 /* at most CRED_MIN_N rotations in so long */
#define CRED_MIN_N      20
#define CRED_SEED       "host.first" /* hash of the first values that were taken from files */

struct cred_wait { /* channels that may begin a refresh once it is their turn */
	struct list node;
	struct dhost *host;
	uint64_t ticket;
	int64_t pair; /* version, when it asked */
};

struct cred_put { /* a new set on its way: mirror, then store, then memory */
	struct list node;
	struct dcred *c;
	struct dhost *host; /* NULL: of our own */
	uint64_t ticket;
	struct secret *set; /* owned */
	int64_t expires_ms, changed_ms, at_least;
	bool beside;
	char person[128], via[200], why[64];
	struct store_secret_put cmd;
	struct work work;
	struct timer again;
	int mirror_rc;
	char *mirror_dir; /* owned copy */
	int64_t mirror_version;
};

enum cred_phase { CRP_IDLE = 0, CRP_WORD = 1, CRP_CALL = 2 };

struct dcred {
	struct list node; /* d->creds */
	struct dispatch *d;
	char channel[64], name[64];
	int64_t version, expires_ms, changed_ms;
	int64_t pair; /* version of the tokens; a log-in that begins puts its verifier beside them */
	enum cred_state state;
	struct secret *set; /* the newest that is committed; NULL: none */
	char why[200];      /* what a person should do; "" */
	bool parked;        /* its lanes wait for that person */
	bool configured;
	enum cred_phase phase;
	int64_t version_begun;
	struct store_cred_begin word;
	struct list waits;
	size_t n_waits;
	struct list puts;
	size_t n_puts;
	bool putting;
	struct task task;
	struct timer due;
	int64_t not_before_ms; /* wall: no refresh before, after one that was put off */
	unsigned fails;
	int64_t minute_ms;
	unsigned in_minute;
	struct cred_login *login; /* a person's login is under way: no refresh beside it */
};

struct cred_login {
	struct dcred *c;
	struct store_cred_login event;
	struct task task;
	char account[64], person[128], via[200];
	struct secret *code; /* owned; NULL: the first step */
	void (*done)(void *ctx, int rc, const struct err *e, const struct chan_result *r,
		int64_t version);
	void *ctx;
	int64_t version; /* before it */
	int rc;
	struct err err;
	bool begun; /* the adapter has it */
};

struct dcred *cred_find(struct dispatch *d, const char *channel, const char *name);
struct dcred *cred_get(
	struct dispatch *d, const char *channel, const char *name); /* made; NULL: too many */
void cred_schedule(struct dcred *c); /* its timer to when it is due */
void cred_kick(struct dcred *c);
void cred_park(struct dcred *c, const char *why);
void cred_unpark(struct dcred *c);
void cred_gauges(struct dispatch *d);
const char *cred_adapter(const struct dcred *c);

/* dispatch_cred_refresh.c */
void cred_refresh_turn(struct dcred *c);
void cred_mark(struct dcred *c, enum cred_state state, const char *why);

/* dispatch_cred_login.c */
void cred_login_free(struct cred_login *l); /* NULL allowed */

/* dispatch_secret.c */
void cred_put_turn(struct dcred *c);
void cred_mirror_copy(
	struct dcred *c); /* writes what is served now to the mirror, if there is one */
/* Moves `set`. */
struct cred_put *cred_put_new(
	struct dcred *c, struct secret *set, int64_t expires_ms, const char *why);
void cred_put_free(struct cred_put *p);
/* What adapters know as the version of tokens changes with them alone: not when a log-in puts its verifier beside them. */
bool cred_same_tokens(const struct dcred *c, struct str now);
struct str cred_newest(const struct dcred *c); /* with what is on its way */
/* base with the pairs of `set` in it; an empty value takes its name out. NULL: too large. */
struct secret *cred_set_merge(struct str base, const struct lt_pair *set, size_t n);

/* dispatch_mirror.c: blocking, any thread */
struct mirror_set {
	int64_t version, expires_ms, changed_ms;
	struct secret *set; /* owned */
};
int mirror_write(const char *dir, const struct keyring *k, const char *channel, const char *name,
	const struct mirror_set *m, struct err *e) MUST_CHECK;
int mirror_read(const char *dir, const struct keyring *k, const char *channel, const char *name,
	struct mirror_set *ret, struct err *e) MUST_CHECK; /* -ENOENT none; -EBADMSG not ours */

#endif
