/* store_seal.c - digests over finished ranges of attempts, and their proof.
 * Thread: store (sealing), any reader (proving). Owns: seal.
 * Happy path: a release is done -> chunks of at most 2,000 deliveries in contact order -> a row and an audit event each.
 * Failures: sealing stops between two chunks and goes on from what the seals already cover. While an attempt of the release is
 * under way nothing is sealed: the end of the release seals what its parts left.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_engine.h"
#include "store/store_seal.h"

#define SEAL_DELIVERIES 2000
#define SEAL_TEXT       256
#define SEAL_WHAT       "attempts.seal"

struct range {
	int64_t once, first, last, since, at;
	int64_t n; /* attempts */
	struct hash digest;
};

static void put_i64(struct hasher *h, int64_t v)
{
	uint8_t b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
	hasher_add(h, b, sizeof(b));
}

static void seal_text(const struct range *r, char *dst, size_t size)
{
	char hex[HASH_HEX];

	hash_hex(&r->digest, hex);
	(void)snprintf(dst, size,
		"contacts %" PRId64 "-%" PRId64 " numbers %" PRId64 "-%" PRId64 " attempts %" PRId64
		" sha256 %s",
		r->first, r->last, r->since, r->at, r->n, hex);
}

/* Attempts of one delivery in the window, in order of tries. Returns how many, or negative. */
static int64_t digest_delivery(
	struct db *db, struct hasher *h, int64_t id, int64_t contact, const struct range *r)
{
	sqlite3_stmt *st = NULL;
	int64_t n = 0;
	int rc = db_query(db, &st,
		"SELECT try, started, took_ms, outcome, scope, flags, code, said, provider_id, url "
		"FROM attempt WHERE delivery_id = ? AND num > ? AND num <= ? ORDER BY try",
		"iii", id, r->since, r->at);

	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		put_i64(h, id);
		put_i64(h, contact);
		for (int i = 0; i < 6; i++)
			put_i64(h, col_i64(st, i));
		for (int i = 6; i < 10; i++) {
			struct str s = col_str(st, i);
			hasher_add(h, s.p ? "+" : "-", 1);
			hasher_field(h, s.p ? s.p : "", s.n);
		}
		n++;
	}
	return rc < 0 ? rc : n;
}

/* Digest over r->once, contacts r->first .. r->last, at most `max` deliveries and until `stop(ctx)`; r->last becomes the
 * last contact that was taken in. Returns deliveries looked at, or negative. */
static int64_t digest_range(
	struct db *db, struct range *r, int64_t max, bool (*stop)(void *ctx), void *ctx)
{
	sqlite3_stmt *st = NULL;
	struct hasher h;
	int64_t seen = 0, last = r->last;

	hasher_init(&h);
	hasher_field(&h, "lantoa-seal-1", 13);
	int rc = db_query(db, &st,
		"SELECT id, contact_id FROM delivery INDEXED BY delivery_once WHERE once = ? AND "
		"contact_id BETWEEN ? AND ? ORDER BY contact_id LIMIT ?",
		"iiii", r->once, r->first, r->last, max);
	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		int64_t n = digest_delivery(db, &h, col_i64(st, 0), col_i64(st, 1), r);
		if (n < 0) {
			db_reset(st);
			return n;
		}
		r->n += n;
		last = col_i64(st, 1);
		if (++seen % 64 == 0 && stop && stop(ctx)) {
			db_reset(st);
			seen = max; /* not the end of the range */
			break;
		}
	}
	if (rc < 0)
		return rc;
	if (seen == max)
		r->last = last;
	hasher_end(&h, &r->digest);
	return seen;
}

/* --- sealing ---------------------------------------------------------------------------------------------------------- */

static bool chunk_over(void *ctx)
{
	return tx_elapsed_us(ctx) > tx_chunk_us(ctx) / 2;
}

/* The next (once, contact) of the release behind the cursor: 1 found, 0 none. */
static int next_start(struct db *db, const struct store_seal *c, struct range *r)
{
	int64_t end = (c->release_id + 1) * 64 * 16;
	int rc = db_get_i64(db, &r->first,
		"SELECT contact_id FROM delivery INDEXED BY delivery_once WHERE once = ? AND "
		"contact_id > ? ORDER BY contact_id LIMIT 1",
		"ii", c->once, c->contact);

	r->once = c->once;
	if (rc != 0)
		return rc;
	rc = db_get_i64(db, &r->once,
		"SELECT once FROM delivery INDEXED BY delivery_once WHERE once > ? AND once < ? "
		"ORDER BY once LIMIT 1",
		"ii", c->once, end);
	if (rc != 1)
		return rc;
	return db_get_i64(db, &r->first,
		"SELECT contact_id FROM delivery INDEXED BY delivery_once WHERE once = ? ORDER BY "
		"contact_id LIMIT 1",
		"i", r->once);
}

/* What earlier seals cover decides since when this range is open, and where the range must end. */
static int range_bound(struct db *db, struct range *r)
{
	int rc = db_get_i64(db, &r->since,
		"SELECT coalesce(max(at), -1) FROM seal WHERE once = ?1 AND first <= ?2 AND last >= ?2",
		"ii", r->once, r->first);

	if (rc < 0)
		return rc;
	rc = db_get_i64(db, &r->last,
		"SELECT coalesce(min(b), 9223372036854775807) FROM (SELECT last AS b FROM seal WHERE "
		"once = ?1 AND first <= ?2 AND last >= ?2 UNION ALL SELECT first - 1 FROM seal WHERE "
		"once = ?1 AND first > ?2)",
		"ii", r->once, r->first);
	return rc < 0 ? rc : 0;
}

static int seal_write(struct store_tx *tx, const struct range *r)
{
	char subject[48], text[SEAL_TEXT];
	struct audit_head head;

	(void)snprintf(subject, sizeof(subject), "once:%" PRId64, r->once);
	seal_text(r, text, sizeof(text));
	int rc = store_audit(tx,
		&(struct audit_event){ .person = "system",
			.via = "system",
			.what = SEAL_WHAT,
			.subject = subject,
			.now = text });
	if (rc == 0)
		rc = store_audit_head(tx_db(tx), &head);
	if (rc == 0)
		rc = db_exec(tx_db(tx), "INSERT INTO seal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			"iiiiiiih", head.seq, r->once, r->first, r->last, r->since, r->at, r->n,
			&r->digest);
	return rc;
}

/* While an attempt is under way nothing of the release is sealed, so that its seals stay few. */
static int under_way(struct db *db, int64_t release_id)
{
	int64_t one = 0;

	return db_get_i64(db, &one, "SELECT 1 FROM lot WHERE release_id = ? AND n1 > 0 LIMIT 1",
		"i", release_id);
}

static int seal_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_seal *c = CONTAINER_OF(cmd, struct store_seal, cmd);
	/* By numbers and not by time: the clock may be set back. */
	int64_t at = c->at ? c->at : tx_attempt_last(tx);
	struct range r = { .at = at };
	int rc = c->at ? 0 : under_way(tx_db(tx), c->release_id);

	c->more = false;
	c->attempts = 0;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = next_start(tx_db(tx), c, &r);
	if (rc <= 0)
		return rc;
	rc = range_bound(tx_db(tx), &r);
	if (rc < 0)
		return rc;
	int64_t seen = digest_range(tx_db(tx), &r, SEAL_DELIVERIES, chunk_over, tx);
	if (seen < 0)
		return (int)seen;
	rc = r.n > 0 ? seal_write(tx, &r) : 0;
	if (rc < 0)
		return rc;
	c->once = r.once;
	c->contact = r.last;
	c->at = at;
	c->attempts = r.n;
	c->more = true;
	return 0;
}

void store_seal_init(struct store_seal *c, int64_t release_id)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_BULK;
	c->cmd.run = seal_run;
	c->release_id = release_id;
	c->once = release_id * 64 * 16; /* no delivery has kind 0 */
	c->contact = INT64_MAX;
}

/* --- proving ---------------------------------------------------------------------------------------------------------- */

static int found(struct audit_report *ret, int64_t seq, const char *what)
{
	ret->fault = AUDIT_SEAL;
	ret->at_seq = seq;
	(void)snprintf(ret->text, sizeof(ret->text), "seal %" PRId64 ": %s", seq, what);
	return 0;
}

/* The seal row against its audit row, which the chain protects. 1 equal, 0 not, negative failure. */
static int text_equal(struct db *db, int64_t seq, const struct range *r)
{
	char subject[48], text[SEAL_TEXT];
	int64_t same = 0;

	(void)snprintf(subject, sizeof(subject), "once:%" PRId64, r->once);
	seal_text(r, text, sizeof(text));
	int rc = db_get_i64(db, &same,
		"SELECT what = ? AND subject = ? AND now = ? FROM audit WHERE seq = ?", "ttti",
		SEAL_WHAT, subject, text, seq);
	return rc < 0 ? rc : rc == 1 && same == 1;
}

static int seal_check(
	struct db *db, int64_t seq, const struct range *stored, struct audit_report *ret)
{
	struct range now = *stored;
	int rc = text_equal(db, seq, stored);

	if (rc < 0)
		return rc;
	ret->seals++;
	if (rc == 0)
		return found(ret, seq, "its row is not what the audit says");
	now.n = 0;
	int64_t seen = digest_range(db, &now, INT64_MAX, NULL, NULL);
	if (seen < 0)
		return (int)seen;
	ret->attempts += (uint64_t)now.n;
	if (now.n == 0) {
		ret->seals_pruned++;
		return 0;
	}
	if (now.n != stored->n)
		return found(ret, seq, "the number of its attempts differs");
	if (hash_cmp(&now.digest, &stored->digest) != 0)
		return found(ret, seq, "an attempt in its range was changed");
	return 0;
}

/* 1 a seal was checked (cursor moved), 0 no more. */
static int next_seal(struct db *db, int64_t *seq, struct audit_report *ret)
{
	sqlite3_stmt *st = NULL;
	struct range r = { 0 };
	int rc = db_query(db, &st,
		"SELECT seq, once, first, last, since, at, n, digest FROM seal WHERE seq > ? ORDER BY "
		"seq LIMIT 1",
		"i", *seq);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	*seq = col_i64(st, 0);
	r.once = col_i64(st, 1);
	r.first = col_i64(st, 2);
	r.last = col_i64(st, 3);
	r.since = col_i64(st, 4);
	r.at = col_i64(st, 5);
	r.n = col_i64(st, 6);
	bool ok = col_hash(st, 7, &r.digest);
	db_reset(st);
	if (!ok)
		return found(ret, *seq, "its digest is damaged");
	rc = seal_check(db, *seq, &r, ret);
	return rc < 0 ? rc : 1;
}

/* A seal that the audit names and that is gone. */
static int missing_seal(struct db *db, struct audit_report *ret)
{
	int64_t seq = 0;
	int rc = db_get_i64(db, &seq,
		"SELECT a.seq FROM audit a LEFT JOIN seal s ON s.seq = a.seq WHERE a.what = ? AND "
		"s.seq IS NULL ORDER BY a.seq LIMIT 1",
		"t", SEAL_WHAT);

	return rc == 1 ? found(ret, seq, "the audit names it, and it is gone") : rc;
}

int store_seal_verify(struct store_reader *r, struct audit_report *ret)
{
	int64_t seq = 0;
	int rc = 1;

	while (rc == 1 && ret->fault == AUDIT_OK) {
		rc = reader_begin(r);
		if (rc == 0)
			rc = next_seal(reader_db(r), &seq, ret);
		reader_end(r);
	}
	if (rc < 0 || ret->fault != AUDIT_OK)
		return rc < 0 ? rc : 0;
	rc = reader_begin(r);
	if (rc == 0)
		rc = missing_seal(reader_db(r), ret);
	reader_end(r);
	return rc;
}
