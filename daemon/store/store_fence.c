/* store_fence.c - the row meta and the file "epoch" beside the database: who may send from it, and since when.
 * Thread: whoever opens the store. Owns: meta, the epoch file.
 * The file is written before the commit that raises the epoch ("raising") and after it ("committed"), so a crash between
 * the two is told apart from a database that was put back. What was copied back into the same file, with the epoch file beside it,
 * is not seen here: the audit head in the journal shows it (audit verify --head).
 * Failures: -EKEYREVOKED with the reason; nothing is changed then.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fault.h"
#include "base/file.h"
#include "store/store_audit.h"
#include "store/store_engine.h"
#include "store/store_fence.h"

#define EPOCH_FILE_MAX 512
#define PLACE_ID       16
#define PLACE_MACHINE  8 /* of these; the rest is of the file */
#define RESTORE_LEAP \
	(INT64_C(1) << 30) /* deliveries planned since a backup; 2^53 is far: JSON holds them */
#define ASK_CONFIRM "check what went out since then, and run lantoad --restore-confirm"

struct epoch_file {
	bool there;
	int64_t committed, raising;
	uint8_t uuid[16];
};
struct meta {
	uint8_t uuid[16], place[PLACE_ID];
	int64_t epoch, heartbeat;
	bool fence, demo;
};

/* Where it is used: eight bytes for the machine, eight for the file. A copy of the whole folder, its epoch file among it, has another
 * number and time of birth; what is moved within its file system keeps both. A file of a simulation has none. */
static void place_id(const struct store *s, uint8_t ret[static PLACE_ID])
{
	struct buf b CLEANUP_BUF = { 0 };
	struct hasher h;
	struct hash id;
	struct statx st = { 0 };
	uint64_t file[3] = { 0 };

	buf_init(&b, 256);
	if (file_read("/etc/machine-id", &b, NULL) < 0)
		buf_reset(&b); /* a machine without one is the same machine as itself */
	struct str text = str_trim(buf_str(&b));
	hasher_init(&h);
	hasher_field(&h, "lantoa machine", 14);
	hasher_field(&h, text.n ? text.p : "", text.n);
	hasher_end(&h, &id);
	memcpy(ret, id.b, PLACE_MACHINE);
	if (statx(AT_FDCWD, s->db_path, 0, STATX_INO | STATX_BTIME, &st) == 0) {
		file[0] = st.stx_ino;
		if (st.stx_mask & STATX_BTIME) { /* the number alone may come again */
			file[1] = (uint64_t)st.stx_btime.tv_sec;
			file[2] = st.stx_btime.tv_nsec;
		}
	}
	hasher_init(&h);
	hasher_field(&h, "lantoa file", 11);
	hasher_field(&h, file, sizeof(file));
	hasher_end(&h, &id);
	memcpy(ret + PLACE_MACHINE, id.b, PLACE_ID - PLACE_MACHINE);
}

static int epoch_file_write(
	const struct store *s, int64_t committed, int64_t raising, struct err *e)
{
	char text[EPOCH_FILE_MAX], uuid[33];

	hex_encode(uuid, s->uuid, 16);
	int n = snprintf(text, sizeof(text), "lantoa-epoch 1 %s %" PRId64 " %" PRId64 "\n", uuid,
		committed, raising);
	return file_write_durable(s->epoch_path, (struct str){ text, (size_t)n }, 0600, e);
}

static int epoch_file_parse(struct str line, struct epoch_file *ret)
{
	struct str word[5] = { 0 }, text = str_trim(line);
	size_t n = 0, len = 0;

	while (n < 5 && str_next(&text, ' ', &word[n]))
		n++;
	if (n != 5 || text.n != 0 || !str_eqz(word[0], "lantoa-epoch") || !str_eqz(word[1], "1"))
		return -EINVAL;
	if (hex_decode(word[2], ret->uuid, 16, &len) < 0 || len != 16)
		return -EINVAL;
	if (str_i64(word[3], 0, INT64_MAX, &ret->committed) < 0)
		return -EINVAL;
	return str_i64(word[4], 0, INT64_MAX, &ret->raising);
}

static int epoch_file_read(const struct store *s, struct epoch_file *ret, struct err *e)
{
	struct buf b CLEANUP_BUF = { 0 };

	memset(ret, 0, sizeof(*ret));
	if (access(s->epoch_path, F_OK) < 0 && errno == ENOENT)
		return 0;
	buf_init(&b, EPOCH_FILE_MAX);
	int rc = file_read(s->epoch_path, &b, e);
	if (rc < 0)
		return rc;
	if (epoch_file_parse(buf_str(&b), ret) < 0)
		return err_set(e, -EKEYREVOKED, "%s: not an epoch file of ours; " ASK_CONFIRM,
			s->epoch_path);
	ret->there = true;
	return 0;
}

static int meta_read(struct store *s, struct meta *ret, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = db_query(s->w, &st,
		"SELECT db_uuid, machine, epoch, heartbeat, fence, demo FROM meta WHERE id = 1",
		"");

	if (rc == 0)
		rc = db_row(s->w, st);
	if (rc <= 0)
		return err_set(e, rc < 0 ? rc : -EBADMSG, "%s: its row of identity is missing",
			s->db_path);
	struct str uuid = col_blob(st, 0), machine = col_blob(st, 1);
	if (uuid.n != 16 || machine.n != 16) {
		db_reset(st);
		return err_set(e, -EBADMSG, "%s: its row of identity is damaged", s->db_path);
	}
	memcpy(ret->uuid, uuid.p, 16);
	memcpy(ret->place, machine.p, PLACE_ID);
	ret->epoch = col_i64(st, 2);
	ret->heartbeat = col_i64(st, 3);
	ret->fence = col_i64(st, 4) != 0;
	ret->demo = col_i64(st, 5) != 0;
	db_reset(st);
	return 0;
}

/* --- making ----------------------------------------------------------------------------------------------------------- */

static int meta_insert(struct store_tx *tx, void *arg)
{
	struct store *s = arg;
	uint8_t place[PLACE_ID];
	struct hash genesis;
	char key[32];

	place_id(s, place);
	audit_genesis(s->o.keys, s->uuid, &genesis);
	int rc = db_exec(s->w, "INSERT INTO meta VALUES (1, ?, ?, 0, ?, 0, ?)", "bbii",
		(struct str){ (char *)s->uuid, 16 }, (struct str){ (char *)place, PLACE_ID },
		tx->wall_ms, (int64_t)s->o.demo);
	if (rc == 0)
		rc = db_exec(s->w, "INSERT INTO audit_head VALUES (1, 0, ?)", "h", &genesis);
	if (rc < 0)
		return rc;
	(void)snprintf(key, sizeof(key), "key:%08" PRIx32, keyring_id(s->o.keys));
	return store_audit(tx,
		&(struct audit_event){ .person = "system",
			.via = "system",
			.what = AUDIT_STORE_CREATE,
			.subject = key,
			.now = s->o.demo ? "demo" : NULL });
}

int meta_create(struct store *s, struct err *e)
{
	sqlite3_randomness(sizeof(s->uuid), s->uuid);
	int rc = store_now(s, meta_insert, s);
	return rc < 0
		? err_set(e, rc, "%s: cannot write its first rows: %s", s->db_path, strerror(-rc))
		: 0;
}

/* --- checking --------------------------------------------------------------------------------------------------------- */

static int fence_check(
	const struct store *s, const struct meta *m, const struct epoch_file *f, struct err *e)
{
	uint8_t place[PLACE_ID];
	int64_t after = s->o.fence_after_ms ? s->o.fence_after_ms : FENCE_AFTER_MS;

	place_id(s, place);
	if (m->fence)
		return err_set(e, -EKEYREVOKED,
			"%s is a restored backup: sending from it could repeat what went out; " ASK_CONFIRM,
			s->db_path);
	if (m->epoch == 0 && !f->there)
		return 0; /* died between its making and its first start */
	if (memcmp(m->place, place, PLACE_MACHINE) != 0)
		return err_set(e, -EKEYREVOKED, "%s was last used on another machine; " ASK_CONFIRM,
			s->db_path);
	if (memcmp(m->place, place, PLACE_ID) != 0)
		return err_set(e, -EKEYREVOKED,
			"%s is a copy, or was put back: its file is not the one that was last used; " ASK_CONFIRM,
			s->db_path);
	if (!f->there)
		return err_set(e, -EKEYREVOKED,
			"%s is missing: the database may be a copy; " ASK_CONFIRM, s->epoch_path);
	if (memcmp(m->uuid, f->uuid, 16) != 0)
		return err_set(e, -EKEYREVOKED,
			"%s belongs to another database than %s; " ASK_CONFIRM, s->epoch_path,
			s->db_path);
	if (m->epoch != f->committed && m->epoch != f->raising)
		return err_set(e, -EKEYREVOKED,
			"%s is of epoch %" PRId64 ", the file beside it of %" PRId64
			": an older or newer database was put in its place; " ASK_CONFIRM,
			s->db_path, m->epoch, f->committed);
	if (after > 0 && store_wall(s) - m->heartbeat > after)
		return err_set(e, -EKEYREVOKED,
			"%s was last used %" PRId64 " days ago (fence_after); " ASK_CONFIRM,
			s->db_path, (store_wall(s) - m->heartbeat) / 86400000);
	return 0;
}

static int key_check(struct store *s, struct err *e)
{
	char ours[32], theirs[32];
	int rc = db_get_text(s->w, theirs, sizeof(theirs),
		"SELECT subject FROM audit WHERE seq = 1 AND what = ?", "t", AUDIT_STORE_CREATE);

	if (rc < 0)
		return err_set(e, rc, "%s: %s", s->db_path, db_message(s->w));
	(void)snprintf(ours, sizeof(ours), "key:%08" PRIx32, keyring_id(s->o.keys));
	if (theirs[0] && strcmp(ours, theirs) != 0)
		return err_set(e, -EKEYREJECTED,
			"%s was made under %s, the key given is %s: give the key file that "
			"belongs to this database",
			s->db_path, theirs, ours);
	return 0;
}

/* --- raising ---------------------------------------------------------------------------------------------------------- */

static int meta_raise(struct store_tx *tx, void *arg)
{
	const int64_t *epoch = arg;
	uint8_t place[PLACE_ID];

	place_id(tx->s, place);
	return db_exec(tx->s->w,
		"UPDATE meta SET epoch = ?, machine = ?, heartbeat = ?, fence = 0 WHERE id = 1",
		"ibi", *epoch, (struct str){ (char *)place, PLACE_ID }, tx->wall_ms);
}

static int epoch_raise(struct store *s, int64_t from, int64_t to,
	int (*fn)(struct store_tx *tx, void *arg), void *arg, struct err *e)
{
	int rc = epoch_file_write(s, from, to, e);

	if (rc < 0)
		return rc;
	(void)FAULT("store.epoch.raising"); /* a place to be killed at */
	rc = store_now(s, fn, arg);
	if (rc < 0)
		return err_set(e, rc, "%s: cannot raise its epoch: %s", s->db_path, strerror(-rc));
	(void)FAULT("store.epoch.raised");
	rc = epoch_file_write(s, to, to, e);
	if (rc == 0) {
		s->epoch = to;
		s->heartbeat_ms = store_wall(s);
	}
	return rc;
}

int fence_check_and_raise(struct store *s, struct err *e)
{
	struct meta m = { 0 };
	struct epoch_file f;
	int rc = meta_read(s, &m, e);

	if (rc == 0)
		rc = key_check(s, e);
	if (rc == 0)
		rc = epoch_file_read(s, &f, e);
	if (rc == 0)
		rc = fence_check(s, &m, &f, e);
	if (rc < 0)
		return rc;
	memcpy(s->uuid, m.uuid, 16);
	s->demo = m.demo;
	int64_t to = m.epoch + 1;
	return epoch_raise(s, m.epoch, to, meta_raise, &to, e);
}

/* --- a person confirms -------------------------------------------------------------------------------------------------- */

struct confirm {
	int64_t epoch, held;
	const char *person, *via, *why;
};

#define RESTORED "restored: check what went out since the backup"

static int confirm_hold(struct store_tx *tx, struct confirm *c)
{
	struct db *db = tx->s->w;
	/* 0 planning and 1 open become 2 held, and what was held for another reason may have been let go and sent since:
	 * 0 waiting and 1 planned become 3 held; releases 2 approved, 3 sending */
	int rc = db_exec(db,
		"UPDATE lot SET why = CASE WHEN gate < 2 OR ifnull(why, '') = '' THEN ?1 WHEN why LIKE 'restored:%' "
		"THEN why ELSE ?1 || '; before: ' || why END, gate = 2 WHERE gate IN (0, 1, 2)",
		"t", RESTORED);

	c->held = db_changes(db);
	if (rc == 0)
		rc = db_exec(db,
			"UPDATE part SET state = 3, why = ? WHERE state IN (0, 1) AND EXISTS (SELECT 1 "
			"FROM release r WHERE r.id = part.release_id AND r.rev_approved = part.rev "
			"AND r.state IN (2, 3))",
			"t", RESTORED);
	/* 0 good that expires and 1 rotating: the provider may have given a newer pair since */
	if (rc == 0)
		rc = db_exec(db,
			"UPDATE credential SET state = 2, changed = ? WHERE state = 1 OR (state = 0 "
			"AND expires IS NOT NULL)",
			"i", tx->wall_ms);
	return rc;
}

/* The number behind all that were given, and a leap. */
static int id_behind(struct store *s, const char *sql, int64_t leap, int64_t *ret)
{
	int64_t max = 0;
	int rc = db_get_i64(s->w, &max, sql, "");

	if (rc < 0)
		return rc;
	if (max > INT64_MAX - leap)
		return -EOVERFLOW;
	*ret = max + leap;
	return 0;
}

/* Who unsubscribes says by the number of the contact and of the list who it is: the links in mails that went out since the backup are
 * nobody else's. A contact and a list that are nobody's (no kind, no name that a file can have) hold the highest numbers. */
static int links_leap(struct store *s, int64_t leap)
{
	int64_t id = 0;
	int rc = id_behind(s, "SELECT ifnull(max(id), 0) FROM contact", leap, &id);

	if (rc == 0)
		rc = db_exec(
			s->w, "DELETE FROM contact WHERE kind = 0 AND address = 'restored'", "");
	if (rc == 0)
		rc = db_exec(s->w,
			"INSERT INTO contact(id, kind, address, form, class) VALUES (?, 0, 'restored', '', '')",
			"i", id);
	if (rc == 0)
		rc = id_behind(s, "SELECT ifnull(max(id), 0) FROM list", leap, &id);
	if (rc == 0)
		rc = db_exec(s->w, "DELETE FROM list WHERE name = '; restored'", "");
	return rc == 0
		? db_exec(s->w, "INSERT INTO list(id, name) VALUES (?, '; restored')", "i", id)
		: rc;
}

int delivery_number_hold(struct db *db, int64_t id)
{
	int rc = db_exec(db, "DELETE FROM delivery WHERE once = 0 AND contact_id = 0", "");

	return rc < 0
		? rc
		: db_exec(db,
			  "INSERT INTO delivery(id, lot_id, contact_id, once, state, tries, due, target_id) "
			  "VALUES (?, 0, 0, 0, 6, 0, 0, 0)",
			  "i", id);
}

/* Numbers that were given since the backup went out as names of other copies: a provider that is told one of them again takes the
 * copy for one that it has, and a late report would be another one's. */
static int ids_leap(struct store *s)
{
	int64_t id = 0, leap = s->o.restore_leap;
	uint16_t by = 0; /* the same backup may be restored twice: not to the same numbers */

	sqlite3_randomness(sizeof(by), &by);
	if (leap <= 0)
		leap = RESTORE_LEAP * (1 + by % 4096);
	int rc = links_leap(s, leap);

	if (rc == 0)
		rc = id_behind(s, "SELECT ifnull(max(id), 0) FROM delivery", leap, &id);
	return rc < 0 ? rc : delivery_number_hold(s->w, id);
}

static int confirm_run(struct store_tx *tx, void *arg)
{
	struct confirm *c = arg;
	char now[64];
	int rc = meta_raise(tx, &c->epoch);

	if (rc == 0)
		rc = confirm_hold(tx, c);
	if (rc == 0)
		rc = ids_leap(tx->s);
	if (rc < 0)
		return rc;
	(void)snprintf(now, sizeof(now), "epoch:%" PRId64 " lots_held:%" PRId64, c->epoch, c->held);
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = "store.restore_confirm",
			.subject = "store",
			.now = now,
			.why = c->why });
}

static int confirm_opened(struct store *s, struct confirm *c, struct err *e)
{
	struct meta m = { 0 };
	struct epoch_file f;
	bool made = false;
	int rc = writer_open(s, &made, e);

	if (rc == 0)
		rc = meta_read(s, &m, e);
	if (rc == 0)
		rc = key_check(s, e);
	if (rc < 0)
		return rc;
	if (epoch_file_read(s, &f, NULL) < 0)
		memset(&f, 0,
			sizeof(f)); /* what stands there counts for nothing: it is written anew */
	memcpy(s->uuid, m.uuid, 16);
	c->epoch = (m.epoch > f.raising ? m.epoch : f.raising) + 1;
	/* the file names only the new epoch, so dying before the commit leaves the database refused */
	return epoch_raise(s, c->epoch, c->epoch, confirm_run, c, e);
}

int store_restore_confirm(const struct store_opts *o, const char *person, const char *via,
	const char *why, int64_t *ret_held, struct err *e)
{
	struct store_opts opts = *o;
	struct store *s = NULL;
	struct confirm c = { .person = person, .via = via, .why = why };

	if (!person || !person[0] || !why || !why[0])
		return err_set(e, -EINVAL, "a person and a reason are needed to confirm a restore");
	opts.create = false;
	int rc = store_new(&opts, &s, e);
	if (rc < 0)
		return rc;
	rc = confirm_opened(s, &c, e);
	store_free(s);
	if (rc == 0 && ret_held)
		*ret_held = c.held;
	return rc;
}
