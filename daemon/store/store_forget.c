/* store_forget.c - see store_forget.h. Thread: store; forget_places: worker.
 * Owns: nothing. secure_delete zeroes what is freed, tx_scrub empties the log behind this commit.
 * Failures: an address that is being sent to at this moment, or an import under way: -EBUSY, nothing changed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "model/state.h"
#include "store/store_engine.h"
#include "store/store_exchange.h"
#include "store/store_forget.h"
#include "store/store_queue.h"

#define DELIVERIES_MAX 10000

struct forget {
	struct store_tx *tx;
	struct db *db;
	int64_t contact;
	int kind;
	struct str address;
	int64_t *dlv; /* owned */
	size_t n_dlv;
	struct sq_tally tally;
};

/* Every delivery of a contact, by releases and slots: there is no index of contacts alone. */
static int deliveries_get(struct forget *f)
{
	sqlite3_stmt *q;
	int rc = db_query(f->db, &q,
		"SELECT d.id FROM (SELECT DISTINCT release_id, slot FROM part UNION SELECT id, 63 FROM release) s "
		"CROSS JOIN delivery d ON d.once=(s.release_id*64+s.slot)*16+?2 AND d.contact_id=?1",
		"ii", f->contact, (int64_t)f->kind);
	f->dlv = x_calloc(DELIVERIES_MAX, sizeof(*f->dlv));
	while (rc == 0 && (rc = db_row(f->db, q)) == 1) {
		if (f->n_dlv == DELIVERIES_MAX) {
			db_reset(q);
			return -E2BIG;
		}
		f->dlv[f->n_dlv++] = col_i64(q, 0);
		rc = 0;
	}
	return rc;
}

static int delivery_clear(struct forget *f, int64_t id, struct err *e)
{
	int64_t state = -1, lot = 0;
	int rc = db_get_i64(f->db, &state, "SELECT state FROM delivery WHERE id=?", "i", id);
	if (rc < 0)
		return rc;
	if (state == DLV_SENDING)
		return err_set(e, -EBUSY,
			"a message to this address is on its way at this moment; try again in a minute");
	if (state == DLV_WAITING || state == DLV_HELD) { /* never sent any more */
		enum dlv_state to = dlv_move((enum dlv_state)state,
			state == DLV_WAITING ? DLV_SUPPRESSED : DLV_CANCELLED);
		rc = db_get_i64(f->db, &lot, "SELECT lot_id FROM delivery WHERE id=?", "i", id);
		sq_tally_move(&f->tally, lot, (enum dlv_state)state, to);
		if (rc >= 0)
			rc = db_exec(f->db, "UPDATE delivery SET state=?2 WHERE id=?1", "ii", id,
				(int64_t)to);
	}
	if (rc >= 0)
		rc = store_exchange_forget(f->tx, id);
	if (rc == 0)
		rc = db_exec(f->db, "DELETE FROM step WHERE delivery_id=? AND instr(value, ?)>0",
			"is", id, f->address);
	return rc;
}

static int targets_clear(struct forget *f, int64_t *ret_targets)
{
	int rc = db_exec(f->db,
		"DELETE FROM target_tag WHERE tag_id IN (SELECT id FROM tag) AND target_id IN (SELECT id FROM target WHERE contact_id=?)",
		"i", f->contact);
	if (rc == 0)
		rc = db_exec(f->db,
			"DELETE FROM list_target WHERE list_id IN (SELECT id FROM list) AND target_id IN (SELECT id FROM target WHERE contact_id=?)",
			"i", f->contact);
	if (rc == 0)
		rc = db_exec(f->db,
			"UPDATE target SET flags=1, vars=NULL, lang='', lane_id=NULL WHERE contact_id=?",
			"i", f->contact);
	*ret_targets += rc == 0 ? db_changes(f->db) : 0;
	return rc;
}

static int contact_clear(struct forget *f, const struct hash *who)
{
	char hex[HASH_HEX], tomb[80];
	hash_hex(who, hex);
	(void)snprintf(tomb, sizeof(tomb), "forgotten:%.40s", hex);
	/* the whole hash stays in class: who clicks a link of an old mail refuses for the address that it was */
	int rc = db_exec(f->db, "UPDATE contact SET address=?2, name=NULL, class=?3 WHERE id=?1",
		"itt", f->contact, tomb, hex);
	if (rc ==
		-EEXIST) /* forgotten before, came back, forgotten again: the number tells them apart */
		(void)snprintf(
			tomb, sizeof(tomb), "forgotten:%.40s:%lld", hex, (long long)f->contact);
	if (rc == -EEXIST)
		rc = db_exec(f->db,
			"UPDATE contact SET address=?2, name=NULL, class=?3 WHERE id=?1", "itt",
			f->contact, tomb, hex);
	if (rc == 0)
		rc = db_exec(f->db, "DELETE FROM orphan WHERE instr(body, ?)>0", "s", f->address);
	return rc;
}

/* What this address sent to us, on channels of that kind or not: 1 when there was something. */
static int inbound_clear(struct forget *f)
{
	int rc = db_exec(f->db, "DELETE FROM inbound WHERE address=?", "s", f->address);
	return rc ? rc : db_changes(f->db) > 0;
}

static int forget_audit(struct store_tx *tx, const struct forget_cmd *c, const struct hash *who)
{
	char hex[HASH_HEX], subject[HASH_HEX + 20];
	hash_hex(who, hex);
	(void)snprintf(subject, sizeof(subject), "contact:%s", hex);
	const struct audit_event ev = { .person = c->person,
		.via = c->via,
		.what = "targets.forget",
		.subject = subject,
		.why = c->why };
	return store_audit(tx, &ev);
}

static int forget_contact(struct store_tx *tx, struct forget_cmd *c, const struct forget_one *one)
{
	struct forget f = {
		.tx = tx, .db = tx_db(tx), .kind = one->kind, .address = str_of(one->address)
	};
	struct hash who;
	int known = 0;
	int rc = db_get_i64(f.db, &f.contact, "SELECT id FROM contact WHERE kind=? AND address=?",
		"it", (int64_t)one->kind, one->address);
	if (rc >= 0)
		known = inbound_clear(&f);
	if (known < 0 || rc < 0)
		return known < 0 ? known : rc;
	if (rc != 1 && !known)
		return 0;
	store_who(tx_store(tx), one->kind, f.address, &who);
	if (rc != 1) { /* only wrote to us: no contact, no deliveries */
		c->ret_contacts++;
		return forget_audit(tx, c, &who);
	}
	rc = deliveries_get(&f);
	sq_tally_init(&f.tally);
	for (size_t i = 0; i < f.n_dlv && rc == 0; i++)
		rc = delivery_clear(&f, f.dlv[i], &c->cmd.err);
	if (rc == 0)
		rc = sq_tally_write(&f.tally, tx);
	sq_tally_done(&f.tally);
	if (rc == 0)
		rc = targets_clear(&f, &c->ret_targets);
	if (rc == 0)
		rc = contact_clear(&f, &who);
	c->ret_contacts += rc == 0;
	c->ret_deliveries += (int64_t)f.n_dlv;
	free(f.dlv);
	return rc < 0 ? rc : forget_audit(tx, c, &who);
}

static int forget_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct forget_cmd *c = CONTAINER_OF(cmd, struct forget_cmd, cmd);
	int64_t busy = 0;
	c->ret_contacts = c->ret_targets = c->ret_deliveries = 0;
	int rc = db_get_i64(tx_db(tx), &busy, "SELECT 1 FROM job WHERE kind=2 LIMIT 1", "");
	if (rc == 1)
		return err_set(
			&cmd->err, -EBUSY, "an import is being applied; try again when it is done");
	for (size_t i = 0; i < c->n && rc >= 0; i++)
		rc = forget_contact(tx, c, &c->v[i]);
	if (rc < 0)
		return rc;
	if (c->ret_contacts == 0)
		return err_set(&cmd->err, -ENOENT, "this address is not known");
	tx_scrub(tx);
	return 0;
}

void forget_prepare(struct forget_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = forget_run;
}

/* --- what is left where --------------------------------------------------------------------------------------------------------------- */

static bool file_holds(int dirfd, const char *name, struct str bytes)
{
	char buf[(1u << 16) + 400];
	size_t have = 0;
	bool found = false;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	for (;;) {
		ssize_t n = read(fd, buf + have, sizeof(buf) - have);
		if (n <= 0)
			break;
		have += (size_t)n;
		found = memmem(buf, have, bytes.p, bytes.n) != NULL;
		if (found)
			break;
		size_t keep = have < bytes.n - 1 ? have : bytes.n - 1;
		memmove(buf, buf + have - keep, keep);
		have = keep;
	}
	(void)close(fd);
	return found;
}

static void scan_dir(const char *path, struct str bytes, char (*ret)[256], size_t max, size_t *n)
{
	DIR *d = opendir(path);
	if (!d)
		return;
	for (const struct dirent *it; *n < max && (it = readdir(d)) != NULL;) {
		struct stat st;
		if (fstatat(dirfd(d), it->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode))
			continue;
		if (file_holds(dirfd(d), it->d_name, bytes))
			(void)snprintf(ret[(*n)++], 256, "%.150s/%.100s", path, it->d_name);
	}
	(void)closedir(d);
}

size_t forget_places(const struct store *s, struct str address, char (*ret)[256], size_t max)
{
	size_t n = 0;
	if (address.n == 0 || address.n > 320)
		return 0;
	scan_dir(s->dir, address, ret, max, &n);
	scan_dir(s->staging_dir, address, ret, max, &n);
	return n;
}
