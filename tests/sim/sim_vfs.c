/* sim_vfs.c - a thin layer over the default VFS. It remembers what was written since the last sync; at a crash each such write is
 * kept, lost or torn at a 512 byte border. It can refuse to grow files (a full disk) and end the process before or after the
 * n-th operation from now on. Owns: the log of unsynced writes, until the sync or the end of the process.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim.h"

#define SECTOR    512
#define FILES_MAX 16
#define CHUNK     65536 /* the default VFS takes less than 128 KiB at once */

struct vwrite {
	struct vwrite *next, *prev; /* newer ones behind */
	sqlite3_int64 at, old_size;
	int n, n_old;
	uint8_t *bytes, *old;
	bool truncate; /* to `at` */
};
struct vfile {
	sqlite3_file base;
	struct vfile_state *st;
};
struct vfile_state {
	bool used;
	char name[64];
	sqlite3_file *real;
	struct vwrite *first, *last; /* since the last sync */
};
static struct vfile_state files[FILES_MAX];
static sqlite3_vfs *real_vfs, sim_vfs;

static struct vfile_state *of(sqlite3_file *f)
{
	return ((struct vfile *)(void *)f)->st;
}

static void log_drop(struct vfile_state *s)
{
	while (s->first) {
		struct vwrite *w = s->first;
		s->first = w->next;
		free(w->bytes);
		free(w->old);
		free(w);
	}
	s->last = NULL;
}

static int chunk(int n)
{
	return n < CHUNK ? n : CHUNK;
}

/* With what it overwrites, so that it can be taken back. */
static void log_add(struct vfile_state *s, sqlite3_int64 at, const void *p, int n, bool truncate)
{
	struct vwrite *w = x_calloc(1, sizeof(*w));
	(void)s->real->pMethods->xFileSize(s->real, &w->old_size);
	*w = (struct vwrite){
		.prev = s->last, .at = at, .old_size = w->old_size, .n = n, .truncate = truncate
	};
	sqlite3_int64 left = w->old_size - at, most = truncate ? left : n;
	w->n_old = left > 0 ? (int)(left < most ? left : most) : 0;
	if (w->n_old > 0) {
		w->old = x_calloc((size_t)w->n_old, 1);
		for (int i = 0; i < w->n_old; i += CHUNK)
			REQUIRE(s->real->pMethods->xRead(s->real, w->old + i, chunk(w->n_old - i),
					at + i) == SQLITE_OK);
	}
	if (n > 0) {
		w->bytes = x_calloc((size_t)n, 1);
		memcpy(w->bytes, p, (size_t)n);
	}
	if (s->last)
		s->last->next = w;
	else
		s->first = w;
	s->last = w;
}

static void take_back(struct vfile_state *s, const struct vwrite *w)
{
	for (int i = 0; i < w->n_old; i += CHUNK)
		(void)s->real->pMethods->xWrite(
			s->real, w->old + i, chunk(w->n_old - i), w->at + i);
	(void)s->real->pMethods->xTruncate(s->real, w->old_size);
}

static bool doomed(void)
{
	return S->crash_in_ops > 0 && !S->no_crash && --S->crash_in_ops == 0;
}

static void again(struct vfile_state *s, const struct vwrite *w)
{
	const sqlite3_io_methods *m = s->real->pMethods;
	int how = sim_below(3); /* kept, lost, torn */
	if (how == 1)
		return;
	if (w->truncate) {
		if (how == 0)
			(void)m->xTruncate(s->real, w->at);
		return;
	}
	for (int i = 0; i < w->n; i += SECTOR)
		if (how == 0 || sim_chance(500))
			(void)m->xWrite(s->real, w->bytes + i,
				w->n - i < SECTOR ? w->n - i : SECTOR, w->at + i);
}

void sim_vfs_crash(void)
{
	if (!S->p.torn)
		return;
	for (size_t i = 0; i < FILES_MAX; i++) {
		struct vfile_state *s = &files[i];
		if (!s->used)
			continue;
		unsigned n = 0;
		for (const struct vwrite *w = s->last; w; w = w->prev, n++)
			take_back(s, w);
		if (n > 0)
			sim_trace("%s: %u writes were not synced, the first %d at %lld%s of %lld",
				s->name, n, s->first->n, (long long)s->first->at,
				s->first->truncate ? " cut" : "", (long long)s->first->old_size);
		for (const struct vwrite *w = s->first; w; w = w->next)
			again(s, w);
	}
}

static int v_close(sqlite3_file *f)
{
	struct vfile_state *s = of(f);
	int rc = s->real->pMethods->xClose(s->real);
	log_drop(s);
	free(s->real);
	s->used = false;
	return rc;
}
static int v_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return of(f)->real->pMethods->xRead(of(f)->real, p, n, at);
}
static int v_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct vfile_state *s = of(f);
	sqlite3_int64 size = 0;
	bool end = doomed(), after = end && sim_chance(500);
	if (end && !after)
		sim_crash("before a write");
	(void)s->real->pMethods->xFileSize(s->real, &size);
	if (S->disk_full && at + n > size && !S->final)
		return SQLITE_FULL;
	if (S->p.torn)
		log_add(s, at, p, n, false);
	int rc = s->real->pMethods->xWrite(s->real, p, n, at);
	if (after)
		sim_crash("after a write");
	return rc;
}
static int v_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	struct vfile_state *s = of(f);
	if (S->p.torn)
		log_add(s, n, NULL, 0, true);
	return s->real->pMethods->xTruncate(s->real, n);
}
static int v_sync(sqlite3_file *f, int flags)
{
	struct vfile_state *s = of(f);
	bool end = doomed(), after = end && sim_chance(500);
	UNUSED(flags); /* the page cache is memory enough: what is synced is only noted */
	if (end && !after)
		sim_crash("before a sync");
	log_drop(s);
	if (after)
		sim_crash("after a sync");
	return SQLITE_OK;
}
static int v_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return of(f)->real->pMethods->xFileSize(of(f)->real, ret);
}
static int v_lock(sqlite3_file *f, int l)
{
	return of(f)->real->pMethods->xLock(of(f)->real, l);
}
static int v_unlock(sqlite3_file *f, int l)
{
	return of(f)->real->pMethods->xUnlock(of(f)->real, l);
}
static int v_reserved(sqlite3_file *f, int *ret)
{
	return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, ret);
}
static int v_control(sqlite3_file *f, int op, void *arg)
{
	return of(f)->real->pMethods->xFileControl(of(f)->real, op, arg);
}
static int v_sector(sqlite3_file *f)
{
	UNUSED(f);
	return SECTOR;
}
static int v_device(sqlite3_file *f)
{
	UNUSED(f);
	return 0; /* no promise beyond a sector */
}
static const sqlite3_io_methods methods = { .iVersion = 1,
	.xClose = v_close,
	.xRead = v_read,
	.xWrite = v_write,
	.xTruncate = v_truncate,
	.xSync = v_sync,
	.xFileSize = v_size,
	.xLock = v_lock,
	.xUnlock = v_unlock,
	.xCheckReservedLock = v_reserved,
	.xFileControl = v_control,
	.xSectorSize = v_sector,
	.xDeviceCharacteristics = v_device };

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct vfile_state *s = NULL;
	UNUSED(v);
	f->pMethods = NULL;
	for (size_t i = 0; i < FILES_MAX && !s; i++)
		if (!files[i].used)
			s = &files[i];
	REQUIRE(s != NULL);
	*s = (struct vfile_state){ .used = true };
	s->real = x_calloc(1, (size_t)real_vfs->szOsFile);
	int rc = real_vfs->xOpen(real_vfs, name, s->real, flags, ret_flags);
	if (rc != SQLITE_OK) {
		free(s->real);
		s->used = false;
		return rc;
	}
	const char *slash = name ? strrchr(name, '/') : NULL;
	(void)snprintf(s->name, sizeof(s->name), "%s", slash ? slash + 1 : "temporary");
	((struct vfile *)(void *)f)->st = s;
	f->pMethods = &methods;
	return SQLITE_OK;
}

void sim_vfs_register(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	REQUIRE(real_vfs != NULL);
	sim_vfs = *real_vfs;
	sim_vfs.zName = "sim";
	sim_vfs.szOsFile = (int)sizeof(struct vfile);
	sim_vfs.xOpen = v_open;
	REQUIRE(sqlite3_vfs_register(&sim_vfs, 0) == SQLITE_OK);
}
