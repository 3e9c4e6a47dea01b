/* store.c - opens and closes the store, takes commands, runs them in group commits, hands their completions back.
 * Threads: submit and complete on the loop; run on the store thread or in a caller that has no thread. Owns: the writing
 * connection, the queue, the lock file.
 * Happy path: submit -> queue by class -> one transaction, a savepoint a command -> one commit -> completions.
 * Failures: a command's own refusal rolls back to its savepoint. When the transaction fails, outcomes go back to the front of
 * the queue and everything else is completed with the code. A disk that fails an fsync kills the store (fatal_cb once).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/store_engine.h"

#define QUEUE_MAX_DEFAULT 4096

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t store_wall(const struct store *s)
{
	return s->o.wall_ms ? s->o.wall_ms(s->o.time_ctx) : clock_us(CLOCK_REALTIME) / 1000;
}

int64_t store_mono_us(const struct store *s)
{
	return s->o.mono_us ? s->o.mono_us(s->o.time_ctx) : clock_us(CLOCK_MONOTONIC);
}

/* --- life ------------------------------------------------------------------------------------------------------------- */

static int lock_take(struct store *s, struct err *e)
{
	s->lock_fd = open(s->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_set(e, -errno, "%s: %s", s->lock_path, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, errno == EWOULDBLOCK ? -EBUSY : -errno,
			"%s: another daemon is running on this state folder", s->lock_path);
	return 0;
}

static void paths_make(struct store *s)
{
	s->dir = x_strdup(s->o.state_dir);
	s->db_path = x_asprintf("%s/lantoa.db", s->dir);
	s->ex_path = x_asprintf("%s/exchange.db", s->dir);
	s->assets_dir = x_asprintf("%s/assets", s->dir);
	s->staging_dir = x_asprintf("%s/staging", s->dir);
	s->ballast_path = x_asprintf("%s/ballast", s->dir);
	s->epoch_path = x_asprintf("%s/epoch", s->dir);
	s->lock_path = x_asprintf("%s/lock", s->dir);
	s->vfs = s->o.vfs ? x_strdup(s->o.vfs) : NULL;
	s->o.state_dir = s->dir;
	s->o.vfs = s->vfs;
}

static void sync_init(struct store *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_cond_init(&s->readers, &attr);
	pthread_condattr_destroy(&attr);
}

/* SQLite counts its memory under a mutex at each allocation unless told not to; nobody reads that count. What undoes a command
 * or a statement of many rows stays in memory: the pages it changed, a few hundred; bulk that is alone needs none (store_run.c).
 * Without effect where SQLite is in use already. */
static void engine_init(void)
{
	ignored(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0));
	ignored(sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1));
}

int store_new(const struct store_opts *o, struct store **ret, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *s = x_calloc(1, sizeof(*s));

	(void)pthread_once(&once, engine_init);
	s->bulk_us = s->busy_us = s->sent_us = INT64_MIN / 2; /* long ago */

	REQUIRE(o->keys && o->state_dir);
	s->o = *o;
	s->lock_fd = -1;
	s->tx.s = s;
	s->tx_time = metric_histogram(
		"lantoa_store_tx_seconds", "From BEGIN to the end of the commit.");
	s->ckpt_time = metric_histogram("lantoa_store_checkpoint_seconds",
		"The write-ahead log copied back into the database.");
	if (s->o.queue_max == 0)
		s->o.queue_max = QUEUE_MAX_DEFAULT;
	if (!s->o.secret_keys)
		s->o.secret_keys = s->o.keys;
	for (size_t i = 0; i < ARRAY_LEN(s->q); i++)
		list_init(&s->q[i]);
	list_init(&s->done);
	sync_init(s);
	paths_make(s);
	int rc = s->o.create ? dir_make(s->dir, 0700, e) : 0;
	if (rc == 0 && access(s->dir, F_OK) < 0)
		rc = err_set(e, -ENOENT, "%s: there is no state folder", s->dir);
	if (rc == 0)
		rc = lock_take(s, e);
	if (rc == 0)
		rc = dir_make(s->assets_dir, 0700, e);
	if (rc == 0)
		rc = dir_make(s->staging_dir, 0700, e);
	if (rc < 0) {
		store_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	readers_close(s);
	db_close(s->w);
	db_close(s->ex);
	if (s->lock_fd >= 0)
		close(s->lock_fd); /* gives the lock back; the file stays */
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->readers);
	pthread_mutex_destroy(&s->mu);
	char *const own[] = { s->dir, s->db_path, s->ex_path, s->assets_dir, s->staging_dir,
		s->ballast_path, s->epoch_path, s->lock_path, s->vfs };
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		xfree(own[i]);
	xfree(s);
}

int store_open(const struct store_opts *o, struct store **ret, struct err *e)
{
	struct store *s = NULL;
	bool made = false;
	int rc = store_new(o, &s, e);

	if (rc < 0)
		return rc;
	space_for_start(s);
	rc = writer_open(s, &made, e);
	if (rc == 0)
		rc = exchange_open(s, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &s->ex, e);
	if (rc == 0 && made)
		rc = meta_create(s, e);
	if (rc == 0)
		rc = fence_check_and_raise(s, e);
	if (rc == 0)
		rc = secret_key_settle(s);
	if (rc < 0) {
		store_free(s);
		return rc;
	}
	checkpoint_init(s);
	space_check(s, true);
	ballast_make(s);
	*ret = s;
	return 0;
}

/* Whatever was never run is told so; completions run here, on the closing thread. */
static void queue_cancel(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; i < ARRAY_LEN(s->q); i++) {
		struct list *n;
		while ((n = list_pop(&s->q[i])) != NULL) {
			struct store_cmd *cmd = CONTAINER_OF(n, struct store_cmd, node);
			cmd->rc = err_set(&cmd->err, -ECANCELED,
				"the store was closed before this was written");
			list_push(&s->done, n);
		}
		s->q_len[i] = 0;
	}
	pthread_mutex_unlock(&s->mu);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_thread_stop(s);
	for (int i = 0; i < 1000 && store_run(s) > 0; i++)
		;
	queue_cancel(s);
	while (store_complete(s) > 0)
		queue_cancel(s);
	if (!s->dead)
		checkpoint_truncate(s);
	store_free(s);
}

void store_drop(struct store *s)
{
	if (!s)
		return;
	REQUIRE(!s->thread_on);
	sqlite3_db_config(s->w->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(s->ex->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	store_free(s);
}

void store_set_dead(struct store *s, const char *why)
{
	pthread_mutex_lock(&s->mu);
	bool first = !s->dead;
	s->dead = true;
	pthread_mutex_unlock(&s->mu);
	if (first && s->o.fatal_cb)
		s->o.fatal_cb(s->o.fatal_ctx, why);
}

/* --- the queue -------------------------------------------------------------------------------------------------------- */

int store_submit(struct store *s, struct store_cmd *cmd)
{
	int rc = 0;

	REQUIRE(cmd->run && cmd->class <= STORE_BULK);
	pthread_mutex_lock(&s->mu);
	if (s->dead && cmd->class != STORE_OUTCOME) {
		rc = -EIO;
	} else if (cmd->class != STORE_OUTCOME &&
		s->q_len[STORE_INTENT] + s->q_len[STORE_CONTROL] + s->q_len[STORE_BULK] >=
			s->o.queue_max) {
		rc = -EAGAIN;
	} else {
		cmd->no = ++s->submitted;
		list_push(&s->q[cmd->class], &cmd->node);
		s->q_len[cmd->class]++;
		pthread_cond_signal(&s->work);
	}
	pthread_mutex_unlock(&s->mu);
	return rc;
}

void store_submit_or_done(struct store *s, struct store_cmd *cmd)
{
	int rc = store_submit(s, cmd); /* from here on the command is the store's */

	if (rc == 0)
		return;
	cmd->rc = rc;
	cmd->done(cmd);
}

size_t store_complete(struct store *s)
{
	struct list ready, *n;
	size_t ran = 0;

	list_init(&ready);
	pthread_mutex_lock(&s->mu);
	while ((n = list_pop(&s->done)) != NULL)
		list_push(&ready, n);
	s->done_len = 0;
	pthread_mutex_unlock(&s->mu);
	while ((n = list_pop(&ready)) != NULL) {
		struct store_cmd *cmd = CONTAINER_OF(n, struct store_cmd, node);
		ran++;
		if (cmd->done)
			cmd->done(cmd); /* may free it, may submit again */
	}
	return ran;
}

/* --- facts ------------------------------------------------------------------------------------------------------------ */

int64_t store_epoch(const struct store *s)
{
	return s->epoch;
}

bool store_is_demo(const struct store *s)
{
	return s->demo;
}

const uint8_t *store_uuid(const struct store *s)
{
	return s->uuid;
}

const char *store_assets_dir(const struct store *s)
{
	return s->assets_dir;
}

const char *store_staging_dir(const struct store *s)
{
	return s->staging_dir;
}

const struct keyring *store_keys(const struct store *s)
{
	return s->o.keys;
}

void store_stats_get(struct store *s, struct store_stats *ret)
{
	pthread_mutex_lock(&s->mu);
	*ret = s->st;
	ret->queue_len = s->q_len[0] + s->q_len[1] + s->q_len[2] + s->q_len[3];
	ret->dead = s->dead;
	pthread_mutex_unlock(&s->mu);
}

void store_who(const struct store *s, int kind, struct str address, struct hash *ret)
{
	struct hasher h;
	uint8_t k[4] = { (uint8_t)((unsigned)kind >> 24), (uint8_t)((unsigned)kind >> 16),
		(uint8_t)((unsigned)kind >> 8), (uint8_t)kind };

	mac_init(&h, s->o.keys, KEY_PERSONAL);
	hasher_field(&h, "lantoa-who-1", 12);
	hasher_field(&h, k, sizeof(k));
	hasher_field(&h, address.p ? address.p : "", address.n);
	mac_end(&h, ret);
}
