/* store_secret.h - credentials at rest: one row a credential, its newest version sealed with (id, name, version) as
 * associated data under the key of store_opts.secret_keys, which never lies in the database or a backup.
 * A rotated pair is committed here before anyone uses it. Values are borrowed, never logged; the caller wipes its copy.
 */
#ifndef LANTOA_STORE_STORE_SECRET_H
#define LANTOA_STORE_STORE_SECRET_H

#include "store/store.h"

#define SECRET_MAX 65536 /* bytes of one value */

enum cred_state {
	CRED_GOOD = 0,
	CRED_ROTATING = 1, /* the word that a refresh begins is committed, its end is not */
	CRED_DOUBT =
		2, /* the answer of a refresh was lost: one more try with the old pair is allowed */
	CRED_DEAD = 3, /* a person must log in anew */
	CRED_AGAIN = 4 /* that one more try is under way */
};
const char *cred_state_name(int s);

struct cred_info {
	int64_t id, version;
	int64_t expires; /* UTC ms, 0: never */
	int64_t changed; /* UTC ms of this version */
	enum cred_state state;
	uint32_t key_id;
};

/* Commits a new version. class STORE_OUTCOME for a refreshed pair (the provider has it already), else STORE_CONTROL.
 * -ENOENT: no such channel in the store; -EALREADY: if_version is not the newest any more; -E2BIG. */
struct store_secret_put {
	struct store_cmd cmd;
	const char *channel, *name; /* borrowed until done */
	const char *adapter;        /* a channel that has no row yet gets one; NULL: -ENOENT */
	struct str value;           /* borrowed until done */
	int64_t expires;            /* 0: never */
	int64_t changed;            /* 0: now */
	int64_t at_least;           /* its version is not under this one (from a mirror) */
	bool beside;        /* a value beside the pair (of a login begun): state and times stay */
	int64_t if_version; /* 0: whatever is there; else only over this version */
	const char *person, *via, *why; /* for the audit; NULL: "system" */
	struct cred_info info;          /* out */
};
void store_secret_put_init(struct store_secret_put *c, enum store_class class);
/* The same inside another command's run; c->cmd.err gets the text. */
int store_secret_put_in(struct store_tx *tx, struct store_secret_put *c) MUST_CHECK;

/* The row of a credential, made (version 0, no value) when it is missing. -ENOENT: no such channel and adapter is NULL. */
int store_secret_row(struct store_tx *tx, const char *channel, const char *adapter,
	const char *name, struct cred_info *ret) MUST_CHECK;

/* Marks the newest version (rotating while a refresh is under way, in doubt, dead). Audited. -ENOENT. */
struct store_secret_mark {
	struct store_cmd cmd;
	const char *channel, *name;
	enum cred_state state;
	const char *person, *via, *why;
};
void store_secret_mark_init(struct store_secret_mark *c, enum store_class class);

/* Opens the newest version; on any connection (tx_db, reader_db). 0; -ENOENT; -EKEYREJECTED: sealed under another key;
 * -EBADMSG: the row was changed. ret_info may be NULL; *ret owned (secret_free). */
int store_secret_get(struct store *s, struct db *db, const char *channel, const char *name,
	struct secret **ret, struct cred_info *ret_info) MUST_CHECK;

/* All of them, by channel and name; strings borrowed for the call. Returns how many. */
int store_secret_list(struct db *db,
	void (*row)(void *ctx, const char *channel, const char *name, const struct cred_info *i),
	void *ctx) MUST_CHECK;

/* The key that seals now: store_opts.secret_keys, or secret_next when its rotation was committed, or what a later rotation put. */
const struct keyring *store_secret_key(struct store *s);

/* Seals every credential under `to`, all in one transaction, and makes it the key from that commit on. Life: the new key
 * file is written durably first, then this command, then (rc 0 in done) the old key file may go; the keyring of the old one
 * stays until the store is closed. At most 10,000 credentials. */
struct store_secret_rotate {
	struct store_cmd cmd;
	const struct keyring *to; /* borrowed for the life of the store */
	const char *person, *via, *why;
	int64_t sealed; /* out */
};
void store_secret_rotate_init(struct store_secret_rotate *c, const struct keyring *to);

#endif
