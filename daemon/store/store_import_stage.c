/* store_import_stage.c - the staging file of an import: the steps that are to be done, in order, then the names they use.
 * Thread: workers, one at a time a stage. Owns: "import-N.todo" in the staging folder, and rows without a name beside it until it
 * is sealed. It is whole or thrown away: an end mark is its last bytes, and it is synced before the store hears of it.
 * Form: MAGIC, packed steps, names (kind, length, text), struct mark. Host order: it never leaves the machine.
 * Failures: a full disk ends the import before anything was stored.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/store_import_internal.h"

#define MAGIC        "LTIMPORT"
#define MAGIC_END    "LTIMPEND"
#define MAGIC_LEN    8
#define NAMES_MAX    (64u << 20) /* bytes: 3 * IMPORT_NAMES_MAX names of 400 are less */
#define STEP_MAX     (4u << 20)
#define SMOOTH_BYTES (INT64_C(1) << 20)

struct mark { /* the last bytes of a sealed file */
	int64_t what, steps, steps_to, names_to;
	char magic[MAGIC_LEN];
};
struct name_head {
	uint32_t what, n;
};

static struct stage *stage_of(struct store *s, enum import_kind what, const char *name)
{
	struct stage *st = x_calloc(1, sizeof(*st));
	st->s = s;
	st->what = what;
	st->rows.out.fd = st->todo.fd = -1;
	(void)str_copy(st->name, sizeof(st->name), str_of(name));
	st->path = x_asprintf("%s/%s", s->staging_dir, st->name);
	buf_init(&st->last_tags, STEP_MAX);
	buf_init(&st->last_lists, STEP_MAX);
	buf_init(&st->todo.b, STEP_MAX);
	return st;
}

static int stage_files(struct stage *st, struct err *e)
{
	CLEANUP(xfree) char *rows = x_asprintf("%s.rows", st->path);
	int rc = rows_open(&st->rows, rows);
	if (rc == 0)
		rc = stage_out_add(&st->todo, MAGIC, MAGIC_LEN);
	return rc < 0 ? err_set(e, rc, "the staging folder cannot be written: %s", strerror(-rc))
		      : 0;
}

int stage_new(struct store *s, enum import_kind what, struct stage **ret, struct err *e)
{
	char name[64];
	for (unsigned i = 1; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "import-%lld-%u.todo", (long long)s->epoch, i);
		struct stage *st = stage_of(s, what, name);
		st->todo.fd = open(st->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (st->todo.fd < 0) {
			int rc = -errno;
			stage_close(st);
			if (rc == -EEXIST)
				continue;
			return err_set(
				e, rc, "the staging folder cannot be written: %s", strerror(-rc));
		}
		int rc = stage_files(st, e);
		if (rc < 0) {
			stage_remove(st);
			return rc;
		}
		*ret = st;
		return 0;
	}
	return err_set(e, -EBUSY, "the staging folder is full of unfinished imports");
}

/* --- opened again ----------------------------------------------------------------------------------------------------------------- */

static int read_at(int fd, void *p, size_t n, int64_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(fd, (char *)p + done, n - done, (off_t)at + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		done += (size_t)got;
	}
	return 0;
}

static int names_load(struct stage *st, struct str all)
{
	struct stage_names *const of[] = { &st->lanes, &st->tags, &st->lists };
	struct name_head h;
	while (all.n >= sizeof(h)) {
		memcpy(&h, all.p, sizeof(h));
		all = (struct str){ all.p + sizeof(h), all.n - sizeof(h) };
		if (h.what >= ARRAY_LEN(of) || h.n > all.n ||
			names_add(of[h.what], (struct str){ all.p, h.n }) < 0)
			return -EBADMSG;
		all = (struct str){ all.p + h.n, all.n - h.n };
	}
	return all.n ? -EBADMSG : 0;
}

static int mark_read(const struct stage *st, struct mark *m)
{
	struct stat s;
	if (fstat(st->todo.fd, &s) < 0)
		return -errno;
	int64_t at = (int64_t)s.st_size - (int64_t)sizeof(*m);
	int rc = at < MAGIC_LEN ? -EBADMSG : read_at(st->todo.fd, m, sizeof(*m), at);
	if (rc < 0)
		return rc;
	bool whole = !memcmp(m->magic, MAGIC_END, MAGIC_LEN) && m->names_to == at &&
		m->steps_to >= MAGIC_LEN && m->steps_to <= at && at - m->steps_to <= NAMES_MAX;
	return whole ? 0 : -EBADMSG;
}

static int sealed_read(struct stage *st)
{
	struct mark m;
	struct buf names CLEANUP_BUF;
	buf_init(&names, NAMES_MAX);
	int rc = mark_read(st, &m);
	if (rc < 0)
		return rc;
	size_t n = (size_t)(m.names_to - m.steps_to);
	rc = buf_reserve(&names, n + 1);
	if (rc == 0)
		rc = read_at(st->todo.fd, names.p, n, m.steps_to);
	if (rc == 0)
		rc = names_load(st, (struct str){ names.p, n });
	st->what = (enum import_kind)m.what;
	st->steps = m.steps;
	st->steps_to = m.steps_to;
	return rc;
}

int stage_reopen(struct store *s, const char *name, struct stage **ret, struct err *e)
{
	struct stage *st = stage_of(s, IMPORT_TARGETS, name);
	st->todo.fd = open(st->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int rc = st->todo.fd < 0 ? err_set(e, -ENOENT, "the staging file of an import is gone")
				 : sealed_read(st);
	if (rc < 0) {
		stage_close(st);
		return rc == -ENOENT ? rc
				     : err_set(e, rc, "the staging file of an import is not whole");
	}
	*ret = st;
	return 0;
}

static void names_done(struct stage_names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i].text);
	free(n->v);
	maps_free(n->by_text);
}

void stage_close(struct stage *st)
{
	if (!st)
		return;
	rows_close(&st->rows);
	if (st->todo.fd >= 0)
		(void)close(st->todo.fd);
	buf_done(&st->todo.b);
	buf_done(&st->last_tags);
	buf_done(&st->last_lists);
	names_done(&st->lanes);
	names_done(&st->tags);
	names_done(&st->lists);
	free(st->path);
	free(st);
}

void stage_remove(struct stage *st)
{
	if (!st)
		return;
	char *path = MOVE(st->path);
	stage_close(st);
	if (path)
		(void)unlink(path);
	free(path);
}

int stage_lane(struct stage *st, const char *channel, const char *adapter, const char *account,
	const char *class)
{
	const char *const part[] = { channel, adapter, account, class };
	char text[400];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		size_t len = strlen(part[i]);
		if (n + len + 1 > sizeof(text))
			return -E2BIG;
		memcpy(text + n, part[i], len);
		n += len;
		text[n++] = IMPORT_SEP;
	}
	return names_add(&st->lanes, (struct str){ text, n - 1 });
}

static int names_of(struct stage_names *n, struct str joined, struct buf *last)
{
	struct str one;
	if (str_eq(joined, buf_str(last)))
		return 0;
	buf_reset(last);
	buf_add_str(last, joined);
	while (str_next(&joined, IMPORT_SEP, &one)) {
		int rc = names_add(n, one);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int names_take(struct stage *st, struct str block, struct err *e)
{
	struct import_row r;
	enum step_do what;
	while (block.n > 0) {
		bool whole = import_unpack(&block, &r, &what);
		REQUIRE(whole);
		if (names_of(&st->tags, r.tags, &st->last_tags) < 0 ||
			names_of(&st->lists, r.lists, &st->last_lists) < 0)
			return err_set(e, -E2BIG, "line %d: more than %d different tags or lists",
				r.line, IMPORT_NAMES_MAX);
	}
	return 0;
}

static int unwritable(int rc, struct err *e)
{
	return err_set(e, rc, "the staging file cannot be written: %s",
		rc == -ENOSPC ? "the disk is full" : strerror(-rc));
}

/* What is staged is written up to twice more before the end (longer runs, the steps): said while there is still room for outcomes. */
static int room(const struct stage *st, size_t block, struct err *e)
{
	if (space_has(st->s, 2 * st->rows.out.bytes + (int64_t)block))
		return 0;
	return err_set(e, -ENOSPC,
		"the disk of %s has no room to sort this import and leave free_floor; make room first",
		st->s->dir);
}

int stage_add(struct stage *st, struct str block, struct err *e)
{
	int rc = names_take(st, block, e);
	if (rc == 0)
		rc = room(st, block.n, e);
	if (rc < 0)
		return rc;
	rc = FAULT("import.stage") ? -ENOSPC : rows_add(&st->rows, block);
	return rc < 0 ? unwritable(rc, e) : 0;
}

/* The disk gets the steps as they come: a sync of all of them at the end would hold up the store's commits meanwhile. */
static void steps_smooth(struct stage *st)
{
	int64_t from = st->sent, to = st->todo.bytes, before = from - SMOOTH_BYTES;
	if (to - from < SMOOTH_BYTES)
		return;
	if (before >= 0)
		(void)sync_file_range(st->todo.fd, before, SMOOTH_BYTES,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				SYNC_FILE_RANGE_WAIT_AFTER);
	(void)sync_file_range(st->todo.fd, from, to - from, SYNC_FILE_RANGE_WRITE);
	st->sent = to;
}

int stage_step(struct stage *st, const struct import_row *row, enum step_do what)
{
	size_t from = st->todo.b.n;
	if (from > OUT_BYTES) {
		int rc = stage_out_flush(&st->todo);
		if (rc < 0)
			return rc;
		steps_smooth(st);
		from = 0;
	}
	int rc = import_pack_step(&st->todo.b, row, what);
	if (rc < 0)
		return rc;
	st->todo.bytes += (int64_t)(st->todo.b.n - from);
	st->steps++;
	return 0;
}

static int names_save(struct stage *st)
{
	const struct stage_names *const all[] = { &st->lanes, &st->tags, &st->lists };
	int rc = 0;
	for (size_t w = 0; w < ARRAY_LEN(all); w++)
		for (size_t i = 0; i < all[w]->n && rc == 0; i++) {
			const char *text = all[w]->v[i].text;
			const struct name_head h = { .what = (uint32_t)w,
				.n = (uint32_t)strlen(text) };
			rc = stage_out_add(&st->todo, &h, sizeof(h));
			if (rc == 0)
				rc = stage_out_add(&st->todo, text, h.n);
		}
	return rc;
}

int stage_seal(struct stage *st)
{
	struct mark m = {
		.what = (int64_t)st->what, .steps = st->steps, .steps_to = st->todo.bytes
	};
	int rc = names_save(st);
	m.names_to = st->todo.bytes;
	memcpy(m.magic, MAGIC_END, MAGIC_LEN);
	if (rc == 0)
		rc = stage_out_add(&st->todo, &m, sizeof(m));
	if (rc == 0)
		rc = stage_out_flush(&st->todo);
	if (rc == 0)
		rc = fsync(st->todo.fd) < 0 ? -errno : 0;
	if (rc == 0)
		rc = dir_sync(st->s->staging_dir);
	if (rc == 0)
		st->steps_to = m.steps_to;
	return rc;
}

int stage_read(struct stage *st, int64_t cursor, struct buf *block)
{
	int64_t at = MAGIC_LEN + cursor, left = st->steps_to - at;
	buf_reset(block);
	if (cursor < 0 || left < 0)
		return -EBADMSG;
	size_t n = left < (int64_t)IMPORT_BLOCK_BYTES ? (size_t)left : IMPORT_BLOCK_BYTES;
	int rc = buf_reserve(block, n + 1);
	if (rc == 0)
		rc = read_at(st->todo.fd, block->p, n, at);
	if (rc < 0)
		return rc;
	block->n = import_whole((struct str){ block->p, n });
	block->p[block->n] = '\0';
	return block->n == 0 && n > 0 ? -EBADMSG : 0;
}

/* Left behind by a run that was cut: made before this run raised the epoch. */
static bool is_old(int fd, const char *name, const struct stat *began)
{
	struct stat st;
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		(st.st_mtim.tv_sec < began->st_mtim.tv_sec ||
			(st.st_mtim.tv_sec == began->st_mtim.tv_sec &&
				st.st_mtim.tv_nsec < began->st_mtim.tv_nsec));
}

void import_sweep(struct store *s, const char *keep)
{
	struct stat began;
	DIR *d = stat(s->epoch_path, &began) == 0 ? opendir(s->staging_dir) : NULL;
	if (!d)
		return;
	for (const struct dirent *it; (it = readdir(d)) != NULL;) {
		bool ours = !strncmp(it->d_name, "import-", 7) || !strncmp(it->d_name, "up-", 3) ||
			!strncmp(it->d_name, "asset-", 6);
		if (ours && (!keep || strcmp(it->d_name, keep) != 0) &&
			is_old(dirfd(d), it->d_name, &began))
			(void)unlinkat(dirfd(d), it->d_name, 0);
	}
	(void)closedir(d);
}
