/* store_audit.c - writes audit rows and their chain, and proves it.
 * Thread: store (writing), any reader (proving). Owns: audit, audit_head.
 * Failures: an event that cannot be written fails the command it belongs to; a field over 4 KiB is refused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/utf8.h"
#include "store/store_audit.h"
#include "store/store_engine.h"
#include "store/store_seal.h"

#define PAGE_ROWS 1000

static void put_u64(struct hasher *h, uint64_t v)
{
	uint8_t b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	hasher_field(h, b, sizeof(b));
}

/* Absent and empty differ. */
static void put_text(struct hasher *h, struct str s)
{
	hasher_field(h, s.p ? "+" : "-", 1);
	hasher_field(h, s.p ? s.p : "", s.n);
}

void audit_genesis(const struct keyring *k, const uint8_t uuid[static 16], struct hash *ret)
{
	struct hasher h;

	mac_init(&h, k, KEY_AUDIT);
	hasher_field(&h, "lantoa-audit-1 genesis", 22);
	hasher_field(&h, uuid, 16);
	mac_end(&h, ret);
}

static void row_hash(const struct keyring *k, const struct hash *before, int64_t seq, int64_t at,
	const struct str f[static 7], struct hash *ret)
{
	struct hasher h;

	mac_init(&h, k, KEY_AUDIT);
	hasher_field(&h, "lantoa-audit-1", 14);
	hasher_field(&h, before->b, HASH_LEN);
	put_u64(&h, (uint64_t)seq);
	put_u64(&h, (uint64_t)at);
	for (int i = 0; i < 7; i++)
		put_text(&h, f[i]);
	mac_end(&h, ret);
}

int store_audit_head(struct db *db, struct audit_head *ret)
{
	sqlite3_stmt *st = NULL;
	struct audit_head head = { 0 };
	int rc = db_query(db, &st, "SELECT seq, hash FROM audit_head WHERE id = 1", "");

	if (rc == 0)
		rc = db_row(db, st);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return -EBADMSG;
	head.seq = col_i64(st, 0);
	bool ok = col_hash(st, 1, &head.hash);
	db_reset(st);
	if (!ok)
		return -EBADMSG;
	*ret = head;
	return 0;
}

static bool field_fits(struct str f)
{
	return f.n <= AUDIT_TEXT_MAX && (!f.p || utf8_valid(f, NULL));
}

int store_audit(struct store_tx *tx, const struct audit_event *ev)
{
	struct db *db = tx->s->w;
	struct audit_head head;
	struct hash hash;
	char room[7][AUDIT_TEXT_MAX];
	struct str f[7] = { str_of(ev->person), str_of(ev->via), str_of(ev->what),
		str_of(ev->subject), str_of(ev->was), str_of(ev->now), str_of(ev->why) };

	REQUIRE(ev->person && ev->person[0] && ev->via && ev->what && ev->subject);
	bool system = strcmp(ev->person, "system") == 0;
	for (int i = 0; i < 7; i++) {
		if (field_fits(f[i]))
			continue;
		if (!system)
			return -EINVAL;
		f[i] = (struct str){ room[i], utf8_mend(room[i], utf8_cut(f[i], AUDIT_TEXT_MAX)) };
	}
	int rc = store_audit_head(db, &head);
	if (rc < 0)
		return rc;
	int64_t seq = head.seq + 1;
	row_hash(tx->s->o.keys, &head.hash, seq, tx->wall_ms, f, &hash);
	rc = db_exec(db,
		"INSERT INTO audit(seq, at, person, via, what, subject, was, now, why, hash) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"iisssssssh", seq, tx->wall_ms, f[0], f[1], f[2], f[3], f[4], f[5], f[6], &hash);
	if (rc == 0)
		rc = db_exec(db, "UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1", "ih", seq,
			&hash);
	return rc;
}

/* --- proving ---------------------------------------------------------------------------------------------------------- */

int audit_head_parse(struct str s, struct audit_head *ret)
{
	struct audit_head head;
	struct str seq, rest = s;

	if (!str_next(&rest, ':', &seq) || str_i64(seq, 1, INT64_MAX, &head.seq) < 0 ||
		hash_from_hex(rest, &head.hash) < 0)
		return -EINVAL;
	*ret = head;
	return 0;
}

struct walk {
	const struct keyring *keys;
	const struct audit_head *asked;
	struct audit_report *rep;
	struct audit_head stored; /* audit_head as it stood when the walk began */
};

static int found(struct audit_report *r, enum audit_fault fault, int64_t seq, const char *text)
{
	r->fault = fault;
	r->at_seq = seq;
	(void)str_copy(r->text, sizeof(r->text), str_of(text));
	return 1;
}

/* Row 1 says in clear which key wrote the chain. */
static bool key_differs(const struct walk *w, const struct str f[static 7])
{
	char ours[32];

	(void)snprintf(ours, sizeof(ours), "key:%08" PRIx32, keyring_id(w->keys));
	return str_eqz(f[2], AUDIT_STORE_CREATE) && !str_eqz(f[3], ours);
}

/* 0 fits, 1 a fault was found. */
static int row_check(struct walk *w, sqlite3_stmt *st)
{
	struct audit_report *r = w->rep;
	struct hash want, have;
	struct str f[7];
	char text[160];
	int64_t seq = col_i64(st, 0);

	for (int i = 0; i < 7; i++)
		f[i] = col_str(st, 2 + i);
	if (seq != r->head.seq + 1) {
		(void)snprintf(text, sizeof(text),
			"audit rows %" PRId64 " to %" PRId64 " are missing", r->head.seq + 1,
			seq - 1);
		return found(r, AUDIT_GAP, r->head.seq + 1, text);
	}
	row_hash(w->keys, &r->head.hash, seq, col_i64(st, 1), f, &want);
	if (!col_hash(st, 9, &have) || hash_cmp(&want, &have) != 0) {
		if (seq == 1 && key_differs(w, f))
			return found(r, AUDIT_WRONG_KEY, seq,
				"the chain was written under another key than the one given");
		(void)snprintf(text, sizeof(text), "audit row %" PRId64 " was changed", seq);
		return found(r, AUDIT_CHANGED, seq, text);
	}
	if (w->asked && w->asked->seq == seq && hash_cmp(&w->asked->hash, &have) != 0) {
		(void)snprintf(text, sizeof(text),
			"audit row %" PRId64 " is not the one whose hash was given: the chain was "
			"written anew from there or before",
			seq);
		return found(r, AUDIT_HEAD, seq, text);
	}
	r->head.seq = seq;
	r->head.hash = have;
	r->rows++;
	return 0;
}

/* One snapshot: 1 more may follow, 0 the end or a fault. */
static int page_check(struct walk *w, struct db *db)
{
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT seq, at, person, via, what, subject, was, now, why, hash FROM audit "
		"WHERE seq > ? ORDER BY seq LIMIT ?",
		"ii", w->rep->head.seq, (int64_t)PAGE_ROWS);

	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		n++;
		if (row_check(w, st)) {
			db_reset(st);
			return 0;
		}
	}
	return rc < 0 ? rc : n == PAGE_ROWS;
}

static void end_check(struct walk *w)
{
	struct audit_report *r = w->rep;
	char text[200];

	if (r->head.seq < w->stored.seq) {
		(void)snprintf(text, sizeof(text),
			"the chain ends at row %" PRId64 ", but %" PRId64
			" were written: rows were "
			"cut off the end",
			r->head.seq, w->stored.seq);
		(void)found(r, AUDIT_TRUNCATED, r->head.seq + 1, text);
	} else if (r->head.seq == w->stored.seq && hash_cmp(&r->head.hash, &w->stored.hash) != 0) {
		(void)found(r, AUDIT_CHANGED, r->head.seq,
			"the stored head does not fit the last audit row");
	} else if (w->asked && w->asked->seq > r->head.seq) {
		(void)snprintf(text, sizeof(text),
			"the chain ends at row %" PRId64 ", but the head given is row %" PRId64
			": rows were cut off the end",
			r->head.seq, w->asked->seq);
		(void)found(r, AUDIT_TRUNCATED, r->head.seq + 1, text);
	}
}

/* The head is read in an earlier or the same snapshot as the rows, so rows written meanwhile are only more. */
static int chain_check(struct walk *w, struct store_reader *rd)
{
	int more = 1;

	audit_genesis(w->keys, store_uuid(reader_store(rd)), &w->rep->head.hash);
	for (bool first = true; more == 1; first = false) {
		int rc = reader_begin(rd);
		if (rc == 0 && first)
			rc = store_audit_head(reader_db(rd), &w->stored);
		more = rc < 0 ? rc : page_check(w, reader_db(rd));
		reader_end(rd);
	}
	if (more == 0 && w->rep->fault == AUDIT_OK)
		end_check(w);
	return more;
}

int store_audit_verify(
	struct store_reader *r, const struct audit_head *head, struct audit_report *ret)
{
	struct walk w = { .keys = reader_store(r)->o.keys, .asked = head, .rep = ret };

	memset(ret, 0, sizeof(*ret));
	int rc = chain_check(&w, r);
	if (rc == 0 && ret->fault == AUDIT_OK)
		rc = store_seal_verify(r, ret);
	if (rc == 0 && ret->fault == AUDIT_OK)
		(void)snprintf(ret->text, sizeof(ret->text),
			"%" PRIu64 " audit rows and %" PRIu64 " seals hold", ret->rows, ret->seals);
	return rc;
}

int store_audit_list(struct store_reader *r, int64_t before, size_t n_max,
	void (*row)(void *ctx, const struct audit_row *row), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st = NULL;
	int n = 0;
	int rc = db_query(db, &st,
		"SELECT seq, at, person, via, what, subject, was, now, why FROM audit "
		"WHERE seq < ? ORDER BY seq DESC LIMIT ?",
		"ii", before > 0 ? before : INT64_MAX, (int64_t)(n_max < 1000 ? n_max : 1000));

	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		struct audit_row a = { col_i64(st, 0), col_i64(st, 1), col_z(st, 2), col_z(st, 3),
			col_z(st, 4), col_z(st, 5), col_z(st, 6), col_z(st, 7), col_z(st, 8) };
		row(ctx, &a);
		n++;
	}
	return rc < 0 ? rc : n;
}
