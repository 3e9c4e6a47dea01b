/* store_checkpoint.c - when the write-ahead log is copied back into the database: between transactions, never in one.
 * Thread: store. Owns: the page counters of the WAL.
 * Policy: PASSIVE once 1,000 pages wait (2,000 while commands wait or may follow), which blocks no reader; TRUNCATE when idle or after an
 * erasure. Readers that overlap for ever would let the WAL grow: over wal_max_bytes new readers wait (at most 500 ms) until
 * it was emptied, and bulk waits as long for the old ones to end. One transaction takes no more than the log has room for.
 * Failures: a full disk only delays; an I/O error kills the store.
 */
#include "base/assert.h"
#include "base/fault.h"
#include "base/metrics.h"
#include "store/store_engine.h"

#define WAL_MAX_DEFAULT (INT64_C(64) << 20)
#define WAL_FRAME       (DB_PAGE + 24)

static int on_commit(void *ctx, sqlite3 *h, const char *name, int pages)
{
	struct store *s = ctx;

	UNUSED(h);
	UNUSED(name);
	if (pages < s->wal_pages)
		s->ckpt_pages = 0; /* the log began anew */
	s->wal_pages = pages;
	return SQLITE_OK;
}

void checkpoint_init(struct store *s)
{
	if (s->o.wal_max_bytes <= 0)
		s->o.wal_max_bytes = WAL_MAX_DEFAULT;
	sqlite3_wal_hook(s->w->h, on_commit, s);
}

static void count(struct store *s, bool copied)
{
	uint64_t bytes = (uint64_t)s->wal_pages * WAL_FRAME;

	pthread_mutex_lock(&s->mu);
	s->st.wal_bytes = bytes;
	if (bytes > s->st.wal_bytes_max)
		s->st.wal_bytes_max = bytes;
	s->st.checkpoints += copied;
	pthread_mutex_unlock(&s->mu);
}

static void pressure_set(struct store *s, bool on)
{
	pthread_mutex_lock(&s->mu);
	on = on && s->backups == 0;
	if (s->pressure && !on)
		pthread_cond_broadcast(&s->readers);
	if (on && !s->pressure)
		s->pressure_us = store_mono_us(s);
	s->pressure = on;
	pthread_mutex_unlock(&s->mu);
}

bool checkpoint_holds_bulk(const struct store *s)
{
	return s->pressure && s->thread_on && !s->stopping && s->readers_began > 0 &&
		store_mono_us(s) - s->pressure_us < READER_PRESSURE_MS * 1000;
}

static int pages_fetched(struct store *s, bool anew)
{
	int hit = 0, miss = 0, high = 0;

	ignored(sqlite3_db_status(s->w->h, SQLITE_DBSTATUS_CACHE_HIT, &hit, &high, anew));
	ignored(sqlite3_db_status(s->w->h, SQLITE_DBSTATUS_CACHE_MISS, &miss, &high, anew));
	return hit + miss;
}

void checkpoint_tx_begin(struct store *s)
{
	(void)pages_fetched(s, true);
}

/* SQLite does not say how many pages it will write at the commit; those it fetched are about as many, mostly more. */
bool checkpoint_tx_full(struct store *s)
{
	int64_t max = s->o.wal_max_bytes / WAL_FRAME, room = 2 * max - s->wal_pages;

	return pages_fetched(s, false) > (room > max / 2 ? room : max / 2);
}

static int run(struct store *s, int mode)
{
	int pages = -1, copied = -1;
	int64_t from = store_mono_us(s);
	int rc = FAULT("store.checkpoint")
		? SQLITE_IOERR_FSYNC
		: sqlite3_wal_checkpoint_v2(s->w->h, NULL, mode, &pages, &copied);

	metric_observe_us(s->ckpt_time, (uint64_t)(store_mono_us(s) - from));
	if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT)
		store_set_dead(s, "the disk failed while the log was copied back");
	if (rc != SQLITE_OK)
		return rc;
	if (pages >= 0)
		s->wal_pages = pages;
	s->ckpt_pages = copied >= 0 ? copied : 0;
	count(s, true);
	return SQLITE_OK;
}

/* Without waiting for readers: 0 when the log is empty now. */
static int truncate_now(struct store *s)
{
	sqlite3_busy_timeout(s->w->h, 0);
	int rc = run(s, SQLITE_CHECKPOINT_TRUNCATE);
	sqlite3_busy_timeout(s->w->h, 2000);
	return rc == SQLITE_OK && s->wal_pages == 0 ? 0 : -EBUSY;
}

static size_t readers_now(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	size_t n = s->readers_began;
	pthread_mutex_unlock(&s->mu);
	return n;
}

void checkpoint_truncate(struct store *s)
{
	bool scrub = s->scrub;

	if (readers_now(s) > 0 && !s->o.exclusive)
		return;
	if (truncate_now(s) < 0)
		return;
	if (scrub) {
		sqlite3_busy_timeout(s->ex->h, 0);
		int rc = sqlite3_wal_checkpoint_v2(
			s->ex->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		sqlite3_busy_timeout(s->ex->h, 2000);
		s->scrub = rc != SQLITE_OK;
	}
	pressure_set(s, s->scrub);
}

void checkpoint_after_commit(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	bool busy = s->q_len[0] + s->q_len[1] + s->q_len[2] > 0;
	pthread_mutex_unlock(&s->mu);
	busy = busy || store_mono_us(s) - s->busy_us < BULK_QUIET_US;
	count(s, false);
	if (s->scrub || (int64_t)s->wal_pages * WAL_FRAME > s->o.wal_max_bytes)
		pressure_set(s, true);
	if (s->wal_pages - s->ckpt_pages >= (busy ? CKPT_PAGES_BUSY : CKPT_PAGES_IDLE))
		(void)run(s, SQLITE_CHECKPOINT_PASSIVE);
	pthread_mutex_lock(&s->mu);
	bool pressure = s->pressure;
	pthread_mutex_unlock(&s->mu);
	if (pressure)
		checkpoint_truncate(s);
}
