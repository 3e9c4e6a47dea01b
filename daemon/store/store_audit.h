/* store_audit.h - the chain of audit events: every row carries MAC(key, previous hash, canonical row), keyed outside the
 * database. Row 1 names the key; the head (number and hash of the last row) is in table audit_head and, published by main,
 * in the journal, where a truncation that also rewrote the head shows.
 * Threads: store_audit (store.h) in a transaction; the rest on a reader, one snapshot per 1,000 rows.
 */
#ifndef LANTOA_STORE_STORE_AUDIT_H
#define LANTOA_STORE_STORE_AUDIT_H

#include "store/store.h"

#define AUDIT_STORE_CREATE "store.create" /* what of row 1; its subject is "key:ID" */
/* Bytes of one field. What a person says is refused when it is longer, or no UTF-8, and never cut; of what the system does, the words of
 * a provider are mended instead: an outcome that could not be told could not be committed. */
#define AUDIT_TEXT_MAX 4096

struct audit_head {
	int64_t seq; /* 0: no row yet */
	struct hash hash;
};

/* What stands in audit_head. On the store thread pass tx_db, on a reader reader_db. 0 or a failure. */
int store_audit_head(struct db *db, struct audit_head *ret) MUST_CHECK;

enum audit_fault {
	AUDIT_OK = 0,
	AUDIT_CHANGED =
		1, /* a row does not fit the one before it: it, or the row before, was changed */
	AUDIT_GAP = 2,       /* numbers missing in between */
	AUDIT_TRUNCATED = 3, /* rows missing at the end */
	AUDIT_WRONG_KEY = 4, /* the key given did not write this chain */
	AUDIT_HEAD = 5,      /* the row named by the given head has another hash */
	AUDIT_SEAL = 6       /* a seal or its attempts do not fit what the audit says */
};

struct audit_report {
	uint64_t rows, seals, attempts; /* looked at */
	uint64_t seals_pruned;   /* seals whose attempts are gone as a whole: nothing to compare */
	struct audit_head head;  /* last row that fits */
	enum audit_fault fault;  /* the first that was found */
	int64_t at_seq;          /* where */
	char text[ERR_TEXT_MAX]; /* one sentence for people */
};

/* Walks the whole chain, then the seals. head (NULL: none) is what the journal said once: that row must exist with that hash.
 * 0 with the report filled (fault tells the verdict), or negative when the database could not be read. The reader must not
 * have begun. */
int store_audit_verify(
	struct store_reader *r, const struct audit_head *head, struct audit_report *ret) MUST_CHECK;
/* "SEQ:HASH" of the journal. */
int audit_head_parse(struct str s, struct audit_head *ret) MUST_CHECK;

/* Rows for `lantoa audit`: newest first, below `before` (0: from the end); returns how many, at most n_max; fields are
 * borrowed until the callback returns. */
struct audit_row {
	int64_t seq, at;
	const char *person, *via, *what, *subject, *was, *now,
		*why; /* the last three "" when absent */
};
int store_audit_list(struct store_reader *r, int64_t before, size_t n_max,
	void (*row)(void *ctx, const struct audit_row *row), void *ctx) MUST_CHECK;

/* For the engine: hash before row 1. */
void audit_genesis(const struct keyring *k, const uint8_t uuid[static 16], struct hash *ret);

#endif
