/* store_release.h - releases in the database: commands (submit, approve, return, go, move, local texts, states) and the reads that
 * belong to them. Threads: commands as store.h says; reads with whatever connection is at hand (a reader's or a transaction's).
 * Commands borrow everything they point at until done. A refusal that must stand in the audit is no error of the command:
 * cmd.rc is 0 and `refused` holds the code, `why` the sentence.
 */
#ifndef LANTOA_STORE_RELEASE_H
#define LANTOA_STORE_RELEASE_H

#include "base/buf.h"
#include "conf/conf.h"
#include "model/manifest.h"
#include "store/store.h"

#define RELEASE_PREPARED_MAX 50000 /* prepared outputs of one manifest */
#define RELEASE_CONTACTS_MAX 20000 /* approved_contact rows of one manifest */
#define JOB_PLAN \
	1 /* job.kind: planning of a release; subject: its id, arg: "HEX part office lane" */

/* --- rows -------------------------------------------------------------------------------------------------------------------- */
struct release_row {
	int64_t id, year, rev_newest, rev_approved /* 0: none */, campaign_id, approved_at,
		corrects; /* the release that this one corrects; 0: none */
	int state, prio, category, kind, owed;
	char code[80], title[512];
};
struct release_asset_row {
	struct hash hash;
	int64_t bytes, width, height;
	char *name, *alt, *type, *caption, *credit; /* owned */
	int role;
};
struct part_row {
	int64_t release_id, rev, at, started, go_at, win_from, win_to, expires,
		spread_ms; /* 0: absent */
	uint32_t part, after;
	int state, planned, signal, late, slot;
	char name[64], why[320];
};
struct prepared_row {
	uint32_t part;
	int64_t channel_id, office_id;
	char form[16], lang[16];
	struct hash vars, digest;
};
struct approval_row {
	int64_t id, at, voided;
	int step, kind;
	struct hash manifest, document, mac;
	bool has_document;
	char *person, *via, *for_person, *why; /* owned; for_person and why may be NULL */
};
struct contact_key {
	uint32_t part;
	int kind;
	int64_t contact_id;
};

/* R is CODE or CODE@YEAR; the newest year where none is said. -ENOENT with the nearest code. */
int release_find(struct db *db, struct str ref, struct release_row *ret, struct err *e) MUST_CHECK;
int release_get(struct db *db, int64_t id, struct release_row *ret) MUST_CHECK; /* -ENOENT */
/* "release:CODE@YEAR" and "CODE@YEAR"; both return dst. */
const char *release_subject(const struct release_row *r, char *dst, size_t size);
const char *release_ref(const struct release_row *r, char *dst, size_t size);
bool release_may_move(int from, int to);

struct revision_text {
	char *front, *body, *bodies, *person; /* owned */
	int64_t at;
};
int revision_get(
	struct db *db, int64_t release_id, int64_t rev, struct revision_text *ret) MUST_CHECK;
void revision_text_done(struct revision_text *r);
int release_assets_get(struct db *db, int64_t release_id, int64_t rev,
	struct release_asset_row **ret, size_t *ret_n) MUST_CHECK;
void asset_rows_free(struct release_asset_row *a, size_t n);
int part_rows_get(struct db *db, int64_t release_id, int64_t rev, struct part_row *ret, size_t max,
	size_t *ret_n) MUST_CHECK;
/* Newest manifest of a revision, or the one of a hash; body appended to `body` (inited). -ENOENT. */
int manifest_newest(struct db *db, int64_t release_id, int64_t rev, struct hash *ret,
	struct buf *body) MUST_CHECK;
int manifest_get(struct db *db, const struct hash *h, int64_t *ret_release, int64_t *ret_rev,
	struct buf *body) MUST_CHECK;
/* The manifest that planning follows (the last one that was approved whole); -ENOENT. */
int manifest_planned(struct db *db, int64_t release_id, struct hash *ret) MUST_CHECK;
/* Prepared rows in key order; part -1: all; channel_id, office_id 0: all. *ret owned. */
int prepared_rows_get(struct db *db, const struct hash *manifest, int part, int64_t channel_id,
	int64_t office_id, struct prepared_row **ret, size_t *ret_n) MUST_CHECK;
int prepared_digest_of(struct db *db, const struct hash *manifest, struct hash *ret) MUST_CHECK;
int approval_rows_get(struct db *db, const struct hash *manifest, bool with_void,
	struct approval_row **ret, size_t *ret_n) MUST_CHECK;
void approval_rows_free(struct approval_row *a, size_t n);
/* MAC of an approval under KEY_APPROVAL, design 4. */
void approval_mac(const struct keyring *k, const struct approval_row *a,
	const struct hash *prepared, struct hash *ret);
/* Proves one approval row under the key outside the database: for fsck. -EBADMSG: forged; -ENOENT. */
int approval_verify_row(const struct keyring *k, struct db *db, int64_t approval_id) MUST_CHECK;
/* Names of everyone who submitted or edited any revision; owned strings and array, at most max. */
int release_authors_get(struct db *db, int64_t release_id, char ***ret, size_t *ret_n) MUST_CHECK;
void strings_free(char **v, size_t n);

/* --- submit -------------------------------------------------------------------------------------------------------------------- */
struct submit_part {
	uint32_t number;
	const char *name;
	int64_t spread_ms, cost_max; /* cost_max < 0: none */
	int late, slot, signal;
	uint32_t after;
};
struct submit_asset {
	struct hash hash;
	int64_t bytes, width, height;
	const char *name, *type, *alt, *caption, *credit;
	int role;
};
struct rendition_row; /* store_rendition.h */
struct release_submit_cmd {
	struct store_cmd cmd;
	const char *person, *via, *code, *title, *front, *body, *bodies;
	const char *why; /* of a correction, for the audit; NULL: not said */
	int64_t year, expect_id,
		rev; /* expect_id 0: a release that is not there yet; rev: the new one */
	int64_t campaign_id, corrects; /* 0: none; corrects: the release that this one corrects */
	int prio, category, kind;
	const struct submit_part *parts;
	size_t n_parts;
	const int64_t *companions; /* releases whose articles go with the broadcast */
	size_t n_companions;
	const struct submit_asset *assets;
	size_t n_assets;
	const struct rendition_row *renditions; /* their files are durable */
	size_t n_renditions;
	struct hash manifest;
	struct str manifest_body;
	const struct prepared_row *prepared;
	size_t n_prepared;
	const struct contact_key *contacts;
	size_t n_contacts;
	int64_t ret_id;
	void *own;
};
void release_submit_prepare(
	struct release_submit_cmd *c); /* class and run; done stays the caller's */

/* --- approve ------------------------------------------------------------------------------------------------------------------- */
struct release_approve_cmd {
	struct store_cmd cmd;
	const char *ref, *person, *via, *why, *for_person;
	const char *office; /* bounds the person; NULL: none */
	unsigned roles;
	struct hash manifest; /* what the person says to approve */
	const char *code; /* instead of the hash: the short code, with for_person and document */
	bool by_code, emergency, has_document;
	struct hash document;
	const struct conf *conf;
	/* diff: a further manifest of the same revision, put down in the same transaction before it is judged; NULL body: none */
	struct str new_body;
	const struct prepared_row *prepared;
	size_t n_prepared;
	const struct contact_key *contacts;
	size_t n_contacts;
	/* answer */
	int refused;
	struct err why_refused;
	struct release_row release;
	struct hash newest;
	int step, steps, owed, given;
	bool complete, planning; /* planning: a plan job stands */
	char step_name[64];
	void *own;
};
void release_approve_prepare(struct release_approve_cmd *c);

/* --- short acts ---------------------------------------------------------------------------------------------------------------- */
enum release_act {
	ACT_RETURN = 1,
	ACT_GO = 2,
	ACT_MOVE = 3,
	ACT_CANCEL_RELEASE = 4,
	ACT_RECALLED = 5
};
struct release_act_cmd {
	struct store_cmd cmd;
	enum release_act act;
	const char *ref, *part, *person, *via, *why;
	const char *
		office; /* bounds the actor: an office's person changes no whole release; NULL: none */
	int64_t at;
	int refused;
	struct err why_refused;
	struct release_row release;
	struct part_row row;
	void *own;
};
void release_act_prepare(struct release_act_cmd *c);

/* Nothing but an audit event: of what was refused before it came to the store. */
struct release_note_cmd {
	struct store_cmd cmd;
	const char *person, *via, *what, *subject, *why;
};
void release_note_prepare(struct release_note_cmd *c);

/* --- local texts --------------------------------------------------------------------------------------------------------------- */
struct local_row {
	int64_t office_id, rev, at, approved_at;
	char *text, *person, *approved_by; /* owned */
	struct hash hash, mac;
	bool approved;
};
struct local_cmd {
	struct store_cmd cmd;
	bool approve;
	const char *ref, *office, *text, *person, *via;
	unsigned roles;
	const char *bound; /* the actor's office, NULL: all */
	struct hash hash;  /* approve: what is approved; set: answer */
	int refused;
	struct err why_refused;
	int64_t ret_release, ret_office, ret_rev;
	void *own;
};
void local_prepare(struct local_cmd *c);
void local_row_done(struct local_row *r);
/* Newest approved local text of the office itself whose approval came before `before_ms`; -ENOENT. */
int local_approved_get(struct db *db, int64_t release_id, int64_t office_id, int64_t before_ms,
	struct local_row *ret) MUST_CHECK;
/* Every local text of a release: `text` its hash fits, `mac` its approval (if any) bears our mark. For fsck. */
int local_rows_verify(const struct keyring *k, struct db *db, int64_t release_id,
	void (*row)(void *ctx, const struct local_row *r, const char *office, bool text, bool mac),
	void *ctx) MUST_CHECK;
void local_mac(
	const struct keyring *k, int64_t release_id, const struct local_row *r, struct hash *ret);
void local_hash(int64_t release_id, int64_t office_id, struct str text, struct hash *ret);

/* Does belonging to this office keep a person from changing whole releases? Not at the top of the tree. NULL: no office. */
int office_bounds(struct db *db, const char *office) MUST_CHECK; /* 1 yes, 0 no */

/* --- for the files of this topic ------------------------------------------------------------------------------------------------ */
int manifest_put(struct store_tx *tx, int64_t release_id, int64_t rev, const struct hash *h,
	struct str body, const struct prepared_row *prepared, size_t n_prepared,
	const struct contact_key *contacts, size_t n_contacts) MUST_CHECK;
/* Lots of parts that have not started become void, the plan job goes; planning clears their rows before it begins again. */
int release_void_unstarted(struct store_tx *tx, int64_t release_id, const char *why) MUST_CHECK;
int approvals_void(struct store_tx *tx, int64_t release_id, const struct hash *except) MUST_CHECK;
int release_schedule(struct store_tx *tx, const struct release_row *r, const struct hash *h,
	int64_t base_ms, struct err *e) MUST_CHECK;

#endif
