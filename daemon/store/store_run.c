/* store_run.c - one turn of the writer: takes what waits, one BEGIN IMMEDIATE, a savepoint a command, one commit.
 * Thread: store (or the caller of store_run). Owns: the transaction at hand.
 * Bounds: outcomes join until 25 ms have gone, intents and control until 32 ms (at least one of each), one bulk chunk; and no
 * more than the log should take at once (store_checkpoint.c). No intent goes before an outcome that was submitted before it.
 * Failures: see store.h. After SQLITE_FULL the ballast is freed and the outcomes are tried once more at once.
 */
#include <string.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/store_engine.h"

struct turn {
	struct list ran;  /* run in the open transaction */
	struct list over; /* finished without it: refused */
	size_t n_ran, n_over;
	bool bulk;  /* a chunk is among them */
	bool sends; /* so are outcomes or intents */
};

static struct store_cmd *cmd_of(struct list *n)
{
	return CONTAINER_OF(n, struct store_cmd, node);
}

/* --- the transaction -------------------------------------------------------------------------------------------------- */

static int sql_run(struct db *db, const char *sql)
{
	return db_exec(db, sql, "");
}

static int tx_begin(struct store *s)
{
	struct store_tx *tx = &s->tx;

	s->w->hit_full = s->w->hit_io = false;
	s->ex->hit_full = s->ex->hit_io = false;
	tx->wall_ms = store_wall(s);
	tx->began_us = tx->cmd_began_us = store_mono_us(s);
	tx->ex_open = tx->ex_in_cmd = tx->scrub = false;
	tx->longest_us = 0;
	if (FAULT("store.begin"))
		return -EBUSY;
	checkpoint_tx_begin(s);
	return sql_run(s->w, "BEGIN IMMEDIATE");
}

static void tx_rollback(struct store *s)
{
	secret_rotate_end(&s->tx, false);
	(void)db_reset_all(s->w);
	if (!sqlite3_get_autocommit(s->w->h))
		(void)sql_run(s->w, "ROLLBACK"); /* a failed one has rolled back by itself */
	(void)db_reset_all(s->ex);
	if (!sqlite3_get_autocommit(s->ex->h))
		(void)sql_run(s->ex, "ROLLBACK");
	s->tx.ex_open = false;
}

/* exchange.db is committed after the main file and may fail alone: its records are evidence, not state. */
static void exchange_commit(struct store *s)
{
	if (!s->tx.ex_open)
		return;
	s->tx.ex_open = false;
	if (sql_run(s->ex, "COMMIT") < 0) {
		(void)db_reset_all(s->ex);
		if (!sqlite3_get_autocommit(s->ex->h))
			(void)sql_run(s->ex, "ROLLBACK");
		pthread_mutex_lock(&s->mu);
		s->st.exchange_dropped++;
		pthread_mutex_unlock(&s->mu);
	}
}

static int tx_commit(struct store *s)
{
	int rc = 0;

	if (FAULT("store.commit"))
		rc = -EBUSY;
	else if (FAULT("store.full")) {
		s->w->hit_full = true;
		rc = -ENOSPC;
	} else if (FAULT("store.fsync")) {
		s->w->hit_io = true;
		rc = -EIO;
	} else {
		rc = sql_run(s->w, "COMMIT");
	}
	if (rc == 0) {
		(void)FAULT("store.committed"); /* a place to be killed at */
		secret_rotate_end(&s->tx, true);
		exchange_commit(s);
		s->scrub = s->scrub || s->tx.scrub;
	}
	return rc;
}

static int heartbeat(struct store *s)
{
	if (s->tx.wall_ms - s->heartbeat_ms < HEARTBEAT_MS && s->tx.wall_ms >= s->heartbeat_ms)
		return 0;
	return db_exec(s->w, "UPDATE meta SET heartbeat = ? WHERE id = 1", "i", s->tx.wall_ms);
}

static void count_tx(struct store *s, int64_t changes, int64_t commit_us, size_t commands)
{
	int64_t us = store_mono_us(s) - s->tx.began_us;
	size_t bin = 0;

	while (bin < ARRAY_LEN(s->st.tx_us_hist) - 1 && us >= (INT64_C(64) << bin))
		bin++;
	pthread_mutex_lock(&s->mu);
	s->st.transactions++;
	s->st.commands += commands;
	s->st.rows += (uint64_t)(sqlite3_total_changes64(s->w->h) - changes);
	s->st.tx_us_total += (uint64_t)us;
	if ((uint64_t)us > s->st.tx_us_max) {
		s->st.tx_us_max = (uint64_t)us;
		s->st.tx_max_commit_us = (uint64_t)commit_us;
		s->st.tx_max_cmd_us = (uint64_t)s->tx.longest_us;
		s->st.tx_max_cmd_at = s->tx.longest_at;
	}
	if ((uint64_t)commit_us > s->st.commit_us_max)
		s->st.commit_us_max = (uint64_t)commit_us;
	s->st.tx_us_hist[bin]++;
	pthread_mutex_unlock(&s->mu);
	metric_observe_us(s->tx_time, (uint64_t)us);
}

/* --- a command -------------------------------------------------------------------------------------------------------- */

static int exchange_end_cmd(struct store *s, bool keep)
{
	if (!s->tx.ex_in_cmd)
		return 0;
	s->tx.ex_in_cmd = false;
	(void)db_reset_all(s->ex);
	int rc = keep ? 0 : sql_run(s->ex, "ROLLBACK TO c");
	return rc < 0 ? rc : sql_run(s->ex, "RELEASE c");
}

static void leftovers_reset(struct store *s)
{
	size_t n = db_reset_all(s->w);

	if (n > 0) /* a query left early without db_reset: harmless here, but a mistake */
		log_line(LOG_DEBUG, "ev=store.leftover statements=%zu", n);
}

static int cmd_begin(struct store *s, bool alone)
{
	return alone ? 0 : sql_run(s->w, "SAVEPOINT c");
}

/* Alone: the transaction itself is begun anew where the command failed. */
static int cmd_end(struct store *s, bool alone, bool keep)
{
	int rc = 0;

	if (alone && keep)
		return 0;
	if (!keep)
		rc = sql_run(s->w, alone ? "ROLLBACK" : "ROLLBACK TO c");
	if (rc == 0)
		rc = sql_run(s->w, alone ? "BEGIN IMMEDIATE" : "RELEASE c");
	return rc;
}

/* Runs one command in its savepoint. 0, or the code that ends the whole transaction. alone: nothing ran before it in this
 * transaction, so it needs no savepoint, which would copy each page that it changes. */
static int cmd_run(struct store *s, struct store_cmd *cmd, bool alone)
{
	int rc = cmd_begin(s, alone);

	if (rc < 0)
		return rc;
	cmd->rc = 0;
	cmd->err.code = 0;
	cmd->err.text[0] = '\0';
	s->tx.cmd_began_us = store_mono_us(s);
	s->tx.looked = false;
	int own = cmd->run(&s->tx, cmd);
	int64_t us = store_mono_us(s) - s->tx.cmd_began_us;
	if (us >= s->tx.longest_us) {
		s->tx.longest_us = us;
		s->tx.longest_at = (uintptr_t)cmd->run;
	}
	if (own < 0)
		db_note_last(s->w);
	leftovers_reset(s);
	if (sqlite3_get_autocommit(s->w->h) || s->w->hit_io || s->w->hit_full)
		return own < 0 ? own : -EIO; /* SQLite gave the transaction up, or must not go on */
	rc = cmd_end(s, alone, own >= 0);
	(void)exchange_end_cmd(s, own >= 0);
	cmd->rc = own < 0 ? own : 0;
	if (own < 0 && !cmd->err.text[0])
		err_set(&cmd->err, own, "%s", strerror(-own));
	return rc;
}

/* --- taking ----------------------------------------------------------------------------------------------------------- */

static bool refused_by_space(const struct store *s, const struct store_cmd *cmd)
{
	return s->st.under_floor &&
		(cmd->class == STORE_INTENT || cmd->class == STORE_BULK || cmd->intake);
}

/* An intent takes the slot that an outcome before it freed: where the transaction has no room for that outcome any more, both come
 * with the next one, else more intents would be open in the database than a lane may have. */
static bool outcome_before_intent(struct store *s)
{
	const struct list *o = &s->q[STORE_OUTCOME], *i = &s->q[STORE_INTENT];

	pthread_mutex_lock(&s->mu);
	bool before = !list_empty(o) && !list_empty(i) && cmd_of(o->next)->no < cmd_of(i->next)->no;
	pthread_mutex_unlock(&s->mu);
	return before;
}

static struct store_cmd *take_one(struct store *s, enum store_class class)
{
	struct store_cmd *cmd = NULL;

	pthread_mutex_lock(&s->mu);
	struct list *n = list_pop(&s->q[class]);
	if (n) {
		s->q_len[class]--;
		cmd = cmd_of(n);
	}
	pthread_mutex_unlock(&s->mu);
	return cmd;
}

/* Runs commands of one class until the transaction is limit_us old or full; at least one. Negative ends the transaction. */
static int class_run(
	struct store *s, struct turn *t, enum store_class class, int64_t limit_us, size_t max)
{
	struct store_cmd *cmd;

	for (size_t n = 0; n < max; n++) {
		if (n > 0 &&
			(store_mono_us(s) - s->tx.began_us > limit_us || checkpoint_tx_full(s)))
			return 0;
		if (class == STORE_INTENT && outcome_before_intent(s))
			return 0;
		if ((cmd = take_one(s, class)) == NULL)
			return 0;
		if (refused_by_space(s, cmd)) {
			cmd->rc = space_refuse(s, &cmd->err);
			list_push(&t->over, &cmd->node);
			t->n_over++;
			continue;
		}
		list_push(&t->ran, &cmd->node);
		t->n_ran++;
		int rc = cmd_run(s, cmd, class == STORE_BULK && t->n_ran == 1);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What somebody waits for does not wait for a chunk of bulk as well: that has a transaction of its own, unless it waited long. */
static int bulk_run(struct store *s, struct turn *t)
{
	int64_t now = store_mono_us(s);

	if (t->n_ran > 0)
		s->busy_us = now;
	pthread_mutex_lock(&s->mu);
	bool held = t->n_ran > 0 && checkpoint_holds_bulk(s);
	pthread_mutex_unlock(&s->mu);
	if (held)
		return 0;
	if (t->n_ran > 0 && now - s->bulk_us < BULK_APART_US)
		return 0;
	if (store_mono_us(s) - s->tx.began_us > TX_BULK_US && s->bulk_skips < BULK_SKIPS_MAX) {
		s->bulk_skips++;
		return 0;
	}
	s->bulk_skips = 0;
	size_t before = t->n_ran;
	int rc = class_run(s, t, STORE_BULK, 0, 1);
	s->bulk_us = store_mono_us(s);
	t->bulk = t->n_ran > before;
	return rc;
}

static int all_run(struct store *s, struct turn *t)
{
	int rc = class_run(s, t, STORE_OUTCOME, TX_TAKE_US, SIZE_MAX);

	if (rc == 0)
		rc = class_run(s, t, STORE_INTENT, TX_LAST_US, SIZE_MAX);
	t->sends = t->n_ran > 0;
	if (rc == 0)
		rc = class_run(s, t, STORE_CONTROL, TX_LAST_US, SIZE_MAX);
	if (rc == 0)
		rc = bulk_run(s, t);
	if (rc == 0)
		rc = heartbeat(s);
	return rc;
}

/* --- ending ----------------------------------------------------------------------------------------------------------- */

static void finish(struct store *s, struct turn *t, bool stuck)
{
	struct list *n;

	pthread_mutex_lock(&s->mu);
	while ((n = list_pop(&t->ran)) != NULL)
		list_push(&s->done, n);
	while ((n = list_pop(&t->over)) != NULL)
		list_push(&s->done, n);
	s->done_len += t->n_ran + t->n_over;
	s->stuck = stuck && s->q_len[STORE_OUTCOME] > 0; /* try again a little later */
	pthread_mutex_unlock(&s->mu);
	if (s->wake && t->n_ran + t->n_over > 0) /* before a checkpoint, which nobody waits for */
		s->wake(s->wake_ctx);
}

/* Outcomes go back to the front, in order; the rest is told the code. Returns outcomes kept. */
static size_t turn_fail(struct store *s, struct turn *t, int rc)
{
	size_t kept = 0;
	struct list rest;

	list_init(&rest);
	while (!list_empty(&t->ran)) {
		struct list *n = t->ran.prev; /* from the end, so that the front keeps its order */
		struct store_cmd *cmd = cmd_of(n);
		list_del(n);
		if (cmd->class == STORE_OUTCOME) {
			pthread_mutex_lock(&s->mu);
			list_push_front(&s->q[STORE_OUTCOME], n);
			s->q_len[STORE_OUTCOME]++;
			pthread_mutex_unlock(&s->mu);
			kept++;
			t->n_ran--;
			continue;
		}
		if (cmd->rc == 0) {
			cmd->rc = rc;
			if (rc == -ENOSPC)
				(void)space_refuse(s, &cmd->err);
			else
				err_set(&cmd->err, rc, "the transaction could not be written: %s",
					strerror(-rc));
		}
		list_push_front(&rest, n);
	}
	struct list *n;
	while ((n = list_pop(&rest)) != NULL)
		list_push(&t->ran, n);
	return kept;
}

static void died(struct store *s, int rc)
{
	log_line(LOG_DEBUG, "ev=store.dead code=%d", rc);
	store_set_dead(s,
		rc == -EBADMSG
			? "the database file is damaged"
			: "the disk failed to take a write; the database cannot be trusted any more");
}

/* One transaction over what waits. 0 committed; else its code, the turn sorted out, kept outcomes counted. */
static int turn_run(struct store *s, struct turn *t, bool outcomes_only, size_t *ret_kept)
{
	int64_t changes = sqlite3_total_changes64(s->w->h), commit_us = 0;
	int rc = tx_begin(s);

	*ret_kept = 0;
	if (rc == 0)
		rc = outcomes_only ? class_run(s, t, STORE_OUTCOME, TX_TAKE_US, SIZE_MAX)
				   : all_run(s, t);
	if (rc == 0) {
		int64_t from = store_mono_us(s);
		rc = tx_commit(s);
		commit_us = store_mono_us(s) - from;
	}
	if (rc == 0) {
		if (s->tx.wall_ms - s->heartbeat_ms >= HEARTBEAT_MS ||
			s->tx.wall_ms < s->heartbeat_ms)
			s->heartbeat_ms = s->tx.wall_ms;
		count_tx(s, changes, commit_us, t->n_ran);
		int64_t over = store_mono_us(s); /* what follows comes after the commit */
		if (t->n_ran > (size_t)t->bulk)
			s->busy_us = over;
		if (t->sends)
			s->sent_us = over;
		if (t->bulk) {
			s->bulk_us = over;
			s->bulk_commit_us += (commit_us - s->bulk_commit_us) / 4; /* a mean */
		}
		return 0;
	}
	bool full = s->w->hit_full, io = s->w->hit_io;
	tx_rollback(s);
	pthread_mutex_lock(&s->mu);
	s->st.tx_failed++;
	pthread_mutex_unlock(&s->mu);
	if (full && !io)
		rc = -ENOSPC;
	*ret_kept = turn_fail(s, t, rc);
	if (io)
		died(s, rc);
	return rc;
}

/* BEGIN itself failed: what waits was not taken; intents and control must hear it all the same. */
static void waiting_fail(struct store *s, struct turn *t, int rc)
{
	struct store_cmd *cmd;

	for (int c = STORE_INTENT; c <= STORE_BULK; c++)
		while ((cmd = take_one(s, (enum store_class)c)) != NULL) {
			cmd->rc = err_set(&cmd->err, rc, "the database cannot be written now: %s",
				strerror(-rc));
			list_push(&t->over, &cmd->node);
			t->n_over++;
		}
}

static bool nothing_waits(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	bool none = s->q_len[0] + s->q_len[1] + s->q_len[2] + s->q_len[3] == 0;
	pthread_mutex_unlock(&s->mu);
	return none;
}

size_t store_run(struct store *s)
{
	struct turn t = { .n_ran = 0 };
	size_t kept = 0;

	list_init(&t.ran);
	list_init(&t.over);
	if (nothing_waits(s))
		return 0;
	if (s->dead) {
		waiting_fail(s, &t, -EIO);
		finish(s, &t, false);
		return t.n_over;
	}
	space_check(s, false);
	int rc = turn_run(s, &t, false, &kept);
	if (rc == -ENOSPC && !s->dead) {
		space_check(s, true);
		if (ballast_spend(s) && kept > 0)
			rc = turn_run(s, &t, true, &kept);
	}
	if (rc < 0 && t.n_ran + t.n_over == 0 && kept == 0)
		waiting_fail(s, &t, rc);
	size_t n = t.n_ran + t.n_over;
	finish(s, &t, rc < 0);
	if (rc == 0)
		checkpoint_after_commit(s);
	if (s->st.ballast_spent && !s->st.under_floor && s->o.ballast_bytes > 0)
		ballast_make(s);
	return n;
}

/* --- the engine's own transactions --------------------------------------------------------------------------------------- */

int store_now(struct store *s, int (*fn)(struct store_tx *tx, void *arg), void *arg)
{
	struct store_tx *tx = &s->tx;

	s->w->hit_full = s->w->hit_io = false;
	tx->wall_ms = store_wall(s);
	tx->began_us = tx->cmd_began_us = store_mono_us(s);
	tx->ex_open = tx->ex_in_cmd = false;
	int rc = sql_run(s->w, "BEGIN IMMEDIATE");
	if (rc < 0)
		return rc;
	rc = fn(tx, arg);
	(void)db_reset_all(s->w);
	if (rc == 0)
		rc = sql_run(s->w, "COMMIT");
	if (rc < 0 && !sqlite3_get_autocommit(s->w->h))
		(void)sql_run(s->w, "ROLLBACK");
	return rc;
}

static int heartbeat_now(struct store_tx *tx, void *arg)
{
	UNUSED(arg);
	return db_exec(tx->s->w, "UPDATE meta SET heartbeat = ? WHERE id = 1", "i", tx->wall_ms);
}

void store_idle(struct store *s)
{
	int64_t now = store_wall(s);

	if (s->dead)
		return;
	space_check(s, false);
	ballast_make(s);
	if (!s->st.under_floor &&
		(now - s->heartbeat_ms >= HEARTBEAT_MS || now < s->heartbeat_ms)) {
		if (store_now(s, heartbeat_now, NULL) == 0)
			s->heartbeat_ms = now;
		if (s->w->hit_io) {
			died(s, -EIO);
			return;
		}
	}
	if (s->wal_pages > 0 || s->scrub)
		checkpoint_truncate(s);
}

/* --- the transaction for commands ------------------------------------------------------------------------------------------ */

struct db *tx_db(struct store_tx *tx)
{
	return tx->s->w;
}

struct store *tx_store(struct store_tx *tx)
{
	return tx->s;
}

int64_t tx_wall_ms(struct store_tx *tx)
{
	return tx->wall_ms;
}

int64_t tx_attempt_last(const struct store_tx *tx)
{
	return tx->s->epoch << 40 | tx->s->attempts;
}

int64_t tx_attempt_next(struct store_tx *tx)
{
	tx->s->attempts++;
	return tx_attempt_last(tx);
}

int64_t tx_elapsed_us(struct store_tx *tx)
{
	return store_mono_us(tx->s) - tx->cmd_began_us;
}

static bool waited_for(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	bool waits = s->q_len[STORE_OUTCOME] + s->q_len[STORE_INTENT] + s->q_len[STORE_CONTROL] > 0;
	pthread_mutex_unlock(&s->mu);
	return waits;
}

int64_t tx_chunk_us(struct store_tx *tx)
{
	bool busy = store_mono_us(tx->s) - tx->s->busy_us < BUSY_US;
	bool waited = tx->looked && waited_for(tx->s);
	tx->looked = true;
	int64_t us = waited ? TX_CHUNK_WAITED_US : busy ? TX_CHUNK_BUSY_US : TX_CHUNK_US;
	int64_t over = tx->s->bulk_commit_us - TX_COMMIT_US;

	if (over <= 0)
		return us;
	return us - over > us / 3 ? us - over : us / 3;
}

struct db *tx_exchange(struct store_tx *tx)
{
	struct store *s = tx->s;

	if (s->st.under_floor || FAULT("store.exchange"))
		return NULL;
	if (!tx->ex_open && sql_run(s->ex, "BEGIN IMMEDIATE") < 0)
		return NULL;
	tx->ex_open = true;
	if (!tx->ex_in_cmd && sql_run(s->ex, "SAVEPOINT c") < 0)
		return NULL;
	tx->ex_in_cmd = true;
	return s->ex;
}

void tx_scrub(struct store_tx *tx)
{
	tx->scrub = true;
}
