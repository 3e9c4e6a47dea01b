/* store_queue_find.c - which delivery, and which of its effects, a report of the provider is about.
 * Thread: store. Owns: nothing. Must not know: what the report says comes of it (store_queue_receipt.c).
 * An id alone decides nothing where several deliveries have it, for a provider may count anew after a restart or in each session:
 * the phone that the report names decides then (contracts/sms.md 1.4). Two texts to one phone with one id: the one that has this
 * very report already (reports repeat), else the one that went last of those still open, else the one that went last.
 * Failures: a store error; nothing unique is "none". */
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_effect.h"
#include "store/store_queue_find.h"

#define DAY_MS         INT64_C(86400000)
#define DAYS_BACK      8
#define DAYS_BACK_LONG 40 /* for what is told of things that stand for long: seen, gone, changed */
#define HITS_MAX       64 /* of one id, the newest days first */

struct hit {
	int64_t delivery, effect, day;
	int64_t rank,
		started; /* where one of several is chosen: 2 has this report, 1 open, 0 over; its last attempt */
};
struct hits {
	struct hit v[HITS_MAX];
	size_t n;
};

/* Of the refs that there are: days before it need no look, which are most of them where little was sent. */
int sq_find_oldest_day(struct store_tx *tx, struct sq_receipt *c)
{
	int64_t day = 0;
	int rc;

	if (c->account_id)
		rc = db_get_i64(tx_db(tx), &day,
			"SELECT min((SELECT min(day) FROM ref WHERE lane_id=n.id)) FROM lane n WHERE "
			"n.account_id=?",
			"i", c->account_id);
	else
		rc = db_get_i64(tx_db(tx), &day,
			"SELECT min((SELECT min(day) FROM ref WHERE lane_id=n.id)) FROM account a JOIN "
			"lane n ON n.account_id=a.id WHERE a.channel_id=?",
			"i", c->channel_id);
	c->oldest_day = day;
	return rc < 0 ? rc : 0;
}

static int hits_read(struct store_tx *tx, const struct sq_receipt *c, struct str id, int64_t days,
	struct hits *h)
{
	int64_t today = tx_wall_ms(tx) / DAY_MS, first = today - days;
	sqlite3_stmt *st;
	int rc;

	h->n = 0;
	first = c->oldest_day > first ? c->oldest_day : first;
	if (c->account_id)
		rc = db_query(tx_db(tx), &st,
			"WITH RECURSIVE day(d) AS (SELECT ?1 UNION ALL SELECT d-1 FROM day WHERE d>?2) "
			"SELECT r.delivery_id, r.effect, r.day FROM day CROSS JOIN lane n CROSS JOIN ref "
			"r ON r.lane_id=n.id AND r.day=day.d AND r.provider_id=?3 WHERE n.account_id=?4 "
			"LIMIT ?5",
			"iisii", today, first, id, c->account_id, (int64_t)HITS_MAX);
	else
		rc = db_query(tx_db(tx), &st,
			"WITH RECURSIVE day(d) AS (SELECT ?1 UNION ALL SELECT d-1 FROM day WHERE d>?2) "
			"SELECT r.delivery_id, r.effect, r.day FROM day CROSS JOIN account a CROSS JOIN "
			"lane n ON n.account_id=a.id CROSS JOIN ref r ON r.lane_id=n.id AND r.day=day.d "
			"AND r.provider_id=?3 WHERE a.channel_id=?4 LIMIT ?5",
			"iisii", today, first, id, c->channel_id, (int64_t)HITS_MAX);
	while (rc == 0 && h->n < HITS_MAX && (rc = db_row(tx_db(tx), st)) == 1) {
		h->v[h->n++] = (struct hit){
			.delivery = col_i64(st, 0), .effect = col_i64(st, 1), .day = col_i64(st, 2)
		};
		rc = 0;
	}
	if (rc == 0 && h->n == HITS_MAX)
		db_reset(st);
	return rc < 0 ? rc : 0;
}

/* A phone is the same when its last nine digits are: +84912..., 84912..., 0912... */
uint64_t sq_receipt_phone(struct str address)
{
	uint64_t h = STR_HASH_SEED;
	size_t n = 0;

	for (size_t i = address.n; i > 0 && n < 9; i--, n++) {
		const char *c = &address.p[i - 1];
		if (*c < '0' || *c > '9')
			return 0;
		h = str_hash(h, (struct str){ c, 1 });
	}
	return n == 9 ? h : 0;
}

/* 1: the delivery goes to the phone that the report names, or it names none; 0: to another one. */
static int phone_fits(struct store_tx *tx, int64_t delivery, struct str want)
{
	sqlite3_stmt *st;
	char have[20];
	int rc = db_query(tx_db(tx), &st,
		"SELECT c.address FROM delivery d JOIN contact c ON c.id=d.contact_id WHERE d.id=?",
		"i", delivery);

	if (rc == 0)
		rc = db_row(tx_db(tx), st);
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	snprintf(have, sizeof(have), "%016llx",
		(unsigned long long)sq_receipt_phone(col_str(st, 0)));
	db_reset(st);
	return str_eqz(want, have);
}

static struct str phone_of(const struct sq_receipt *c)
{
	const char *at = strrchr(c->ids, '@');

	if (!at || (at != c->ids && at[-1] != '\n') || strlen(at) != SQ_PHONE_LINE)
		return (struct str){ NULL, 0 };
	return (struct str){ at + 1, SQ_PHONE_LINE - 2 };
}

/* Those that cannot be meant go: another delivery than the one that is named, another phone. */
static int hits_fit(
	struct store_tx *tx, const struct sq_receipt *c, struct str phone, struct hits *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		int rc = c->delivery == 0 || c->delivery == h->v[i].delivery;
		if (rc && phone.n)
			rc = phone_fits(tx, h->v[i].delivery, phone);
		if (rc < 0)
			return rc;
		if (rc)
			h->v[n++] = h->v[i];
	}
	h->n = n;
	return 0;
}

bool sq_receipt_dated(const struct sq_receipt *c)
{
	return c->at_given &&
		(c->state == LT_RC_CHANGED || c->state == LT_RC_DELIVERED ||
			c->state == LT_RC_FAILED);
}

static int hit_rank(struct store_tx *tx, const struct sq_receipt *c, struct hit *x)
{
	sqlite3_stmt *st;
	int64_t told = 0;
	int rc = db_query(tx_db(tx), &st,
		"SELECT d.state IN (1,2,8) AND NOT EXISTS(SELECT 1 FROM effect e WHERE e.delivery_id=d.id "
		"AND e.effect=?2 AND e.state IN " EFFECT_OVER
		"), (SELECT max(started) FROM attempt a "
		"WHERE a.delivery_id=d.id) FROM delivery d WHERE d.id=?1",
		"ii", x->delivery, x->effect);

	if (rc == 0)
		rc = db_row(tx_db(tx), st);
	if (rc <= 0)
		return rc;
	x->rank = col_i64(st, 0);
	x->started = col_i64(st, 1);
	db_reset(st);
	rc = db_get_i64(tx_db(tx), &told,
		"SELECT EXISTS(SELECT 1 FROM receipt INDEXED BY receipt_delivery WHERE delivery_id=?1 AND "
		"effect=?2 AND state=?3 AND code IS ?5 AND (?6=0 OR at=?4))",
		"iiiiti", x->delivery, x->effect, (int64_t)c->state, c->at_ms,
		c->code[0] ? c->code : NULL, (int64_t)sq_receipt_dated(c));
	x->rank = told ? 2 : x->rank;
	return rc < 0 ? rc : 0;
}

static bool goes_before(const struct hit *a, const struct hit *b)
{
	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (a->day != b->day)
		return a->day > b->day;
	if (a->started != b->started)
		return a->started > b->started;
	return a->delivery > b->delivery;
}

/* 1: it is chosen; 0: there is none; 2: several deliveries claim it, and the report names no phone. */
static int hits_choose(struct store_tx *tx, const struct sq_receipt *c, bool phone, struct hits *h,
	int64_t *ret_delivery, int64_t *ret_effect)
{
	size_t best = 0;

	if (h->n == 0)
		return 0;
	for (size_t i = 1; i < h->n && !phone; i++)
		if (h->v[i].delivery != h->v[0].delivery)
			return 2;
	for (size_t i = 0; i < h->n && h->n > 1; i++) {
		int rc = hit_rank(tx, c, &h->v[i]);
		if (rc < 0)
			return rc;
		if (goes_before(&h->v[i], &h->v[best]))
			best = i;
	}
	*ret_delivery = h->v[best].delivery;
	*ret_effect = h->v[best].effect;
	return 1;
}

static int find_in_days(struct store_tx *tx, const struct sq_receipt *c, int64_t days,
	int64_t *ret_delivery, int64_t *ret_effect)
{
	struct str rest = str_of(c->ids), id, phone = phone_of(c);
	const char *stop = phone.n ? phone.p - 1 : NULL;
	struct hits h;

	while (str_next(&rest, '\n', &id) && id.p != stop) {
		if (!id.n)
			continue;
		int rc = hits_read(tx, c, id, days, &h);
		rc = rc < 0 ? rc : hits_fit(tx, c, phone, &h);
		rc = rc < 0 ? rc : hits_choose(tx, c, phone.n > 0, &h, ret_delivery, ret_effect);
		if (rc)
			return rc == 2 ? 0 : rc;
	}
	return 0;
}

int sq_find_by_ids(
	struct store_tx *tx, const struct sq_receipt *c, int64_t *ret_delivery, int64_t *ret_effect)
{
	int rc = find_in_days(tx, c, DAYS_BACK, ret_delivery, ret_effect);

	if (rc == 0 && c->state >= LT_RC_SEEN)
		rc = find_in_days(tx, c, DAYS_BACK_LONG, ret_delivery, ret_effect);
	return rc;
}
