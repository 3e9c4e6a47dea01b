/* store_reader.c - a pool of 8 reading connections with snapshots of their own, beside the writer.
 * Threads: any worker; a reader belongs to one thread from get to put. In exclusive mode (simulation) every reader is the
 * writer's connection, and whoever reads is the thread that writes.
 * Failures: a worker waits while all are out; a caller that has no store thread gets -EAGAIN instead.
 */
#include <time.h>
#include "base/assert.h"
#include "store/store_engine.h"

#define READ_FLAGS SQLITE_OPEN_READONLY
#define CUT_STEPS  100000 /* of SQLite's machine, between two looks: about a millisecond */

static int reader_open(struct store *s, struct store_reader *r)
{
	struct err e;

	if (s->o.exclusive) {
		r->db = s->w;
		r->ex = s->ex;
		return 0;
	}
	int rc = db_open(s->db_path, s->vfs, READ_FLAGS, &r->db, &e);
	if (rc == 0)
		rc = db_script(r->db,
			"PRAGMA query_only = ON; PRAGMA cache_size = -2000; PRAGMA mmap_size = 0; "
			"PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 5000",
			&e);
	if (rc < 0) {
		db_close(r->db);
		r->db = NULL;
	}
	return rc;
}

/* mu held; waits at most ms. */
static void wait_readers(struct store *s, long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&s->readers, &s->mu, &t);
}

static struct store_reader *free_slot(struct store *s)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		if (!s->reader[i].out)
			return &s->reader[i];
	return NULL;
}

int store_reader_get(struct store *s, struct store_reader **ret)
{
	struct store_reader *r;
	int rc = 0;

	pthread_mutex_lock(&s->mu);
	while ((r = free_slot(s)) == NULL && s->thread_on)
		wait_readers(s, 1000);
	if (r)
		r->out = true;
	pthread_mutex_unlock(&s->mu);
	if (!r)
		return -EAGAIN;
	r->s = s;
	if (!r->db)
		rc = reader_open(s, r);
	if (rc < 0) {
		store_reader_put(s, r);
		return rc;
	}
	*ret = r;
	return 0;
}

static int on_steps(void *ctx)
{
	return reader_is_cut(ctx);
}

bool reader_is_cut(const struct store_reader *r)
{
	return r->cut && *r->cut;
}

void reader_cut(struct store_reader *r, const _Atomic bool *cut)
{
	bool was = r->cut != NULL;

	r->cut = cut;
	if (r->db && !r->s->o.exclusive && (cut || was))
		sqlite3_progress_handler(
			r->db->h, cut ? CUT_STEPS : 0, cut ? on_steps : NULL, cut ? r : NULL);
}

void store_reader_put(struct store *s, struct store_reader *r)
{
	if (!r)
		return;
	REQUIRE(r->out && !r->began);
	reader_cut(r, NULL);
	pthread_mutex_lock(&s->mu);
	r->out = false;
	pthread_cond_broadcast(&s->readers);
	pthread_mutex_unlock(&s->mu);
}

int reader_begin(struct store_reader *r)
{
	struct store *s = r->s;
	int rc = 0;

	REQUIRE(r->out && !r->began);
	if (reader_is_cut(r))
		return -ECANCELED;
	pthread_mutex_lock(&s->mu);
	for (int waited = 0; s->pressure && s->thread_on && waited < READER_PRESSURE_MS;
		waited += 50)
		wait_readers(s, 50);
	s->readers_began++;
	pthread_mutex_unlock(&s->mu);
	r->began = true;
	if (!s->o.exclusive)
		rc = db_exec(r->db, "BEGIN", "");
	if (rc < 0)
		reader_end(r);
	return rc;
}

void reader_end(struct store_reader *r)
{
	struct store *s = r->s;

	if (!r->began)
		return;
	if (!s->o.exclusive) {
		(void)db_reset_all(r->db);
		if (!sqlite3_get_autocommit(r->db->h))
			ignored(db_exec(r->db, "COMMIT", ""));
		if (r->ex)
			(void)db_reset_all(r->ex);
	}
	r->began = false;
	pthread_mutex_lock(&s->mu);
	s->readers_began--;
	pthread_mutex_unlock(&s->mu);
}

int store_reader_open(struct store *s, struct store_reader **ret)
{
	struct store_reader *r;
	int rc = store_reader_get(s, &r);

	if (rc)
		return rc;
	rc = reader_begin(r);
	if (rc) {
		store_reader_put(s, r);
		return rc;
	}
	*ret = r;
	return 0;
}

void store_reader_close(struct store_reader *r)
{
	reader_end(r);
	store_reader_put(r->s, r);
}

struct db *reader_db(struct store_reader *r)
{
	return r->db;
}

struct db *reader_exchange(struct store_reader *r)
{
	struct err e;

	if (!r->ex && exchange_open(r->s, READ_FLAGS, &r->ex, &e) < 0)
		return NULL;
	return r->ex;
}

struct store *reader_store(struct store_reader *r)
{
	return r->s;
}

void readers_close(struct store *s)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		REQUIRE(!s->reader[i].out); /* a worker still reads */
		if (s->o.exclusive)
			continue;
		db_close(s->reader[i].db);
		db_close(s->reader[i].ex);
	}
}
