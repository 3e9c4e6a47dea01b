/* sim_vfs.c - the disk of the simulation: files in memory that parent and children share, so that they outlive a crash and cost no
 * system calls. It remembers what was written since the last sync; at a crash each such write is kept, lost or torn at a 512 byte
 * border. It can refuse to grow files (a full disk) and end the process before or after the n-th operation from now on.
 * Owns: the files, kept from seed to seed (their memory is used again); the log of unsynced writes, until the sync or the end of the
 * process. Bounds: FILES_MAX files of FILE_BYTES.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "sim.h"

#define SECTOR    512
#define FILES_MAX 12
#define FILE_BYTES \
	((sqlite3_int64)192 << 20) /* of address space; memory is taken as it is written */

struct vwrite {
	struct vwrite *next, *prev; /* newer ones behind */
	sqlite3_int64 at, old_size;
	sqlite3_int64 n, n_old;
	uint8_t *bytes, *old; /* bytes: from the file, when it is taken back */
	bool truncate;        /* to `at` */
};
struct vfile {
	sqlite3_file base;
	int no;
};
struct disk_file { /* shared; its bytes begin at no * FILE_BYTES of the second mapping */
	bool used;
	char name[300]; /* path; a temporary file has none */
	sqlite3_int64 size;
};
struct unsynced { /* of this process */
	struct vwrite *first, *last;
};

static struct disk_file *disk;
static uint8_t *bytes;
static struct unsynced unsynced[FILES_MAX];
static sqlite3_vfs sim_vfs;

static int no_of(sqlite3_file *f)
{
	return ((struct vfile *)(void *)f)->no;
}

static uint8_t *at_of(int no, sqlite3_int64 at)
{
	return bytes + no * FILE_BYTES + at;
}

static const char *short_name(int no)
{
	const char *slash = strrchr(disk[no].name, '/');
	return slash ? slash + 1 : "temporary";
}

/* --- what was not synced ----------------------------------------------------------------------------------------------------------- */

static void log_drop(int no)
{
	struct unsynced *u = &unsynced[no];
	while (u->first) {
		struct vwrite *w = u->first;
		u->first = w->next;
		sim_memory_give(w->bytes);
		sim_memory_give(w->old);
		free(w);
	}
	u->last = NULL;
}

static uint8_t *copy_of(const void *p, sqlite3_int64 n)
{
	if (n <= 0)
		return NULL;
	uint8_t *ret = sim_memory_take((size_t)n);
	memcpy(ret, p, (size_t)n);
	return ret;
}

/* No process finds it after a crash: its bytes need not be taken back. */
static bool temporary(int no)
{
	return !disk[no].name[0];
}

/* With what it overwrites, so that it can be taken back. */
static void log_add(int no, sqlite3_int64 at, sqlite3_int64 n, bool truncate)
{
	struct unsynced *u = &unsynced[no];
	struct vwrite *w = x_calloc(1, sizeof(*w));
	sqlite3_int64 size = disk[no].size, left = size - at, most = truncate ? left : n;
	*w = (struct vwrite){
		.prev = u->last, .at = at, .old_size = size, .n = n, .truncate = truncate
	};
	w->n_old = left > 0 ? (left < most ? left : most) : 0;
	w->old = temporary(no) ? NULL : copy_of(at_of(no, at), w->n_old);
	if (u->last)
		u->last->next = w;
	else
		u->first = w;
	u->last = w;
}

static void size_set(int no, sqlite3_int64 size)
{
	struct disk_file *d = &disk[no];
	REQUIRE(size >= 0 && size <= FILE_BYTES);
	if (size > d->size) /* memory of an earlier life */
		memset(at_of(no, d->size), 0, (size_t)(size - d->size));
	d->size = size;
}

static void put(int no, sqlite3_int64 at, const void *p, sqlite3_int64 n)
{
	if (at > disk[no].size)
		size_set(no, at);
	REQUIRE(at + n <= FILE_BYTES);
	(void)*(volatile const uint8_t *)at_of(no, at); /* a read maps the pages around it, too */
	memcpy(at_of(no, at), p, (size_t)n);
	if (at + n > disk[no].size)
		disk[no].size = at + n;
}

static void take_back(int no, struct vwrite *w)
{
	if (temporary(no))
		return;
	w->bytes = copy_of(at_of(no, w->at), w->n);
	if (w->n_old > 0)
		put(no, w->at, w->old, w->n_old);
	size_set(no, w->old_size);
}

static bool doomed(void)
{
	return S->crash_in_ops > 0 && !S->no_crash && --S->crash_in_ops == 0;
}

static void again(int no, const struct vwrite *w)
{
	int how = sim_below(3); /* kept, lost, torn */
	if (how == 1)
		return;
	if (w->truncate) {
		if (how == 0 && !temporary(no))
			size_set(no, w->at);
		return;
	}
	for (sqlite3_int64 i = 0; i < w->n; i += SECTOR)
		if ((how == 0 || sim_chance(500)) && !temporary(no)) /* drawn all the same */
			put(no, w->at + i, w->bytes + i, w->n - i < SECTOR ? w->n - i : SECTOR);
}

void sim_vfs_crash(void)
{
	if (!S->p.torn)
		return;
	for (int no = 0; no < FILES_MAX; no++) {
		const struct unsynced *u = &unsynced[no];
		unsigned n = 0;
		for (struct vwrite *w = u->last; w; w = w->prev, n++)
			take_back(no, w);
		if (n > 0)
			sim_trace("%s: %u writes were not synced, the first %lld at %lld%s of %lld",
				short_name(no), n, (long long)u->first->n, (long long)u->first->at,
				u->first->truncate ? " cut" : "", (long long)u->first->old_size);
		for (const struct vwrite *w = u->first; w; w = w->next)
			again(no, w);
	}
}

/* --- a file --------------------------------------------------------------------------------------------------------------------------- */

static int v_close(sqlite3_file *f)
{
	int no = no_of(f);
	log_drop(no);
	if (!disk[no].name[0])
		disk[no].used = false;
	return SQLITE_OK;
}
static int v_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	int no = no_of(f);
	sqlite3_int64 there = disk[no].size - at;
	if (there >= n) {
		memcpy(p, at_of(no, at), (size_t)n);
		return SQLITE_OK;
	}
	memset(p, 0, (size_t)n);
	if (there > 0)
		memcpy(p, at_of(no, at), (size_t)there);
	return SQLITE_IOERR_SHORT_READ;
}
static int v_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int no = no_of(f);
	bool end = doomed(), after = end && sim_chance(500);
	if (end && !after)
		sim_crash("before a write");
	if (at + n > FILE_BYTES || (S->disk_full && at + n > disk[no].size && !S->final))
		return SQLITE_FULL;
	if (S->p.torn)
		log_add(no, at, n, false);
	put(no, at, p, n);
	if (after)
		sim_crash("after a write");
	return SQLITE_OK;
}
static int v_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	int no = no_of(f);
	if (n >= disk[no].size)
		return SQLITE_OK;
	if (S->p.torn)
		log_add(no, n, 0, true);
	size_set(no, n);
	return SQLITE_OK;
}
static int v_sync(sqlite3_file *f, int flags)
{
	bool end = doomed(), after = end && sim_chance(500);
	UNUSED(flags);
	if (end && !after)
		sim_crash("before a sync");
	log_drop(no_of(f));
	if (after)
		sim_crash("after a sync");
	return SQLITE_OK;
}
static int v_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	*ret = disk[no_of(f)].size;
	return SQLITE_OK;
}
/* One process, one connection: nobody else could hold a lock. */
static int v_lock(sqlite3_file *f, int l)
{
	UNUSED(f);
	UNUSED(l);
	return SQLITE_OK;
}
static int v_reserved(sqlite3_file *f, int *ret)
{
	UNUSED(f);
	*ret = 0;
	return SQLITE_OK;
}
static int v_control(sqlite3_file *f, int op, void *arg)
{
	UNUSED(f);
	UNUSED(op);
	UNUSED(arg);
	return SQLITE_NOTFOUND;
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
	.xUnlock = v_lock,
	.xCheckReservedLock = v_reserved,
	.xFileControl = v_control,
	.xSectorSize = v_sector,
	.xDeviceCharacteristics = v_device };

/* --- the folder ------------------------------------------------------------------------------------------------------------------------ */

static int find(const char *name)
{
	for (int no = 0; no < FILES_MAX; no++)
		if (disk[no].used && strcmp(disk[no].name, name) == 0)
			return no;
	return -1;
}

static int make(const char *name)
{
	int no = 0;
	while (no < FILES_MAX && disk[no].used)
		no++;
	REQUIRE(no < FILES_MAX && strlen(name) < sizeof(disk[no].name));
	disk[no] = (struct disk_file){ .used = true };
	(void)snprintf(disk[no].name, sizeof(disk[no].name), "%s", name);
	return no;
}

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct vfile *file = (struct vfile *)(void *)f;
	UNUSED(v);
	f->pMethods = NULL;
	file->no = name ? find(name) : make("");
	if (file->no < 0 && !(flags & SQLITE_OPEN_CREATE))
		return SQLITE_CANTOPEN;
	if (file->no < 0)
		file->no = make(name);
	if (ret_flags)
		*ret_flags = flags;
	f->pMethods = &methods;
	return SQLITE_OK;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	int no = find(name);
	UNUSED(v);
	UNUSED(sync_dir);
	if (no < 0)
		return SQLITE_IOERR_DELETE_NOENT;
	log_drop(no);
	disk[no].used = false;
	return SQLITE_OK;
}

void sim_vfs_put(const char *name, const void *p, size_t n)
{
	static const char *const beside[] = { "-wal", "-shm", "-journal" };
	char other[320];
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		(void)snprintf(other, sizeof(other), "%s%s", name, beside[i]);
		int no = find(other);
		if (no >= 0)
			disk[no].used = false;
	}
	int no = find(name);
	REQUIRE(no >= 0);
	disk[no].size = 0;
	put(no, 0, p, (sqlite3_int64)n);
}

static int v_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	int no = find(name);
	UNUSED(v);
	*ret = no >= 0 && (flags != SQLITE_ACCESS_EXISTS || disk[no].size > 0);
	return SQLITE_OK;
}

static int v_full(sqlite3_vfs *v, const char *name, int n, char *ret)
{
	UNUSED(v);
	(void)snprintf(ret, (size_t)n, "%s", name);
	return SQLITE_OK;
}

static void *shared(size_t n)
{
	void *p = mmap(
		NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(p != MAP_FAILED);
	return p;
}

void sim_vfs_empty(void)
{
	if (!disk) {
		disk = shared(FILES_MAX * sizeof(*disk));
		bytes = shared((size_t)(FILES_MAX * FILE_BYTES));
		(void)madvise(bytes, (size_t)(FILES_MAX * FILE_BYTES), MADV_HUGEPAGE);
	}
	memset(disk, 0, FILES_MAX * sizeof(*disk));
}

void sim_vfs_keep(void)
{
	for (int no = 0; no < FILES_MAX; no++) {
		int fd = disk[no].used && disk[no].name[0]
			? open(disk[no].name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
			: -1;
		if (fd < 0)
			continue;
		if (fd_write_all(fd, at_of(no, 0), (size_t)disk[no].size))
			(void)fprintf(stderr, "%s is not whole\n", disk[no].name);
		(void)close(fd);
	}
}

void sim_vfs_register(void)
{
	const sqlite3_vfs *real = sqlite3_vfs_find(NULL);
	REQUIRE(real != NULL);
	for (int no = 0; no < FILES_MAX; no++)
		disk[no].used &= disk[no].name[0] !=
			'\0'; /* temporary ones went with their process */
	/* SQLite's own randomness (the name of a database, salts) from the seed too, for each start another */
	(void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED,
		(int)((S->seed * 400 + (uint64_t)S->epoch) & 0x3fffffff) + 1, (sqlite3 *)NULL);
	sqlite3_randomness(0, NULL); /* begin anew with it */
	sim_vfs = *real;
	sim_vfs.zName = "sim";
	sim_vfs.szOsFile = (int)sizeof(struct vfile);
	sim_vfs.mxPathname = 290;
	sim_vfs.xOpen = v_open;
	sim_vfs.xDelete = v_delete;
	sim_vfs.xAccess = v_access;
	sim_vfs.xFullPathname = v_full;
	REQUIRE(sqlite3_vfs_register(&sim_vfs, 0) == SQLITE_OK);
}
