/* bundle_unpack.c - a staged zip or single .md file into a private folder, with libarchive.
 * Thread: worker. Every name is checked before anything is written; every size while it is written: a header may lie.
 * Failures: the first fault ends it; what was written stays for the caller's dir_remove_tree. */
#include "content/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/map.h"
#include "base/utf8.h"
#include "content/image_head.h"

#define MB (1024u * 1024u)

const struct bundle_limits bundle_limits_default = {
	.packed_max = 256 * (uint64_t)MB,
	.unpacked_max = 512 * (uint64_t)MB,
	.file_max = 64 * (uint64_t)MB,
	.entries_max = 2000,
	.ratio_max = 200,
	.ratio_from = 8 * (uint64_t)MB,
	.pixels_max = 100 * UINT64_C(1000000),
};

struct unpack {
	const struct bundle_limits *lim;
	const char *dir;
	int dirfd;
	uint64_t packed, unpacked;
	uint32_t entries;
	struct maps *seen; /* case-folded names */
	struct err *e;
};

/* Folders of the systems that pack; nobody meant to send them. */
static bool is_litter(struct str path)
{
	const char *slash = memrchr(path.p, '/', path.n);
	struct str last = slash == NULL
		? path
		: (struct str){ slash + 1, path.n - (size_t)(slash + 1 - path.p) };
	return str_eqz(path, "__MACOSX") || str_starts(path, "__MACOSX/") ||
		str_eqz(last, ".DS_Store") || str_eqz(last, "Thumbs.db") ||
		str_ieqz(last, "desktop.ini") || str_starts(last, "._");
}

static const char *entry_name(struct archive_entry *en)
{
	const char *z = archive_entry_pathname_utf8(en);
	return z != NULL ? z : archive_entry_pathname(en);
}

/* NFC name without a trailing slash; 0 with *ret, 1 to skip it, or an error. */
static int clean_name(struct unpack *u, struct archive_entry *en, struct buf *ret)
{
	const char *z = entry_name(en);
	if (z == NULL)
		return err_set(u->e, -EINVAL,
			"entry %u of the zip has a name that is not valid UTF-8; pack it again",
			u->entries);
	struct str s = str_of(z);
	if (s.n > 1 && s.p[s.n - 1] == '/' && archive_entry_filetype(en) == AE_IFDIR)
		s.n--;
	const char *wrong = bundle_path_fault(s);
	if (wrong != NULL)
		return err_set(u->e, -EINVAL, "entry %u of the zip: path '%.200s' %s", u->entries,
			utf8_valid(s, NULL) && !str_has_control(s) ? z : "?", wrong);
	if (is_litter(s))
		return 1;
	if (utf8_nfc(ret, s) < 0)
		return err_set(u->e, -EINVAL, "entry %u of the zip: path is too long", u->entries);
	wrong = bundle_path_fault(buf_str(ret));
	return wrong == NULL ? 0
			     : err_set(u->e, -EINVAL, "entry %u of the zip: path '%.200s' %s",
				       u->entries, z, wrong);
}

static int check_entry(struct unpack *u, struct archive_entry *en, const char *name)
{
	int type = (int)archive_entry_filetype(en);
	if (archive_entry_hardlink(en) != NULL || archive_entry_symlink(en) != NULL ||
		type == AE_IFLNK)
		return err_set(u->e, -EINVAL,
			"'%.200s' is a link; put the file itself into the bundle", name);
	if (type != AE_IFREG && type != AE_IFDIR && type != 0)
		return err_set(u->e, -EINVAL, "'%.200s' is no plain file", name);
	if (archive_entry_is_encrypted(en))
		return err_set(u->e, -EINVAL,
			"'%.200s' is protected by a password; pack it without one", name);
	if (archive_entry_size_is_set(en) && (uint64_t)archive_entry_size(en) > u->lim->file_max)
		return err_set(u->e, -EFBIG,
			"'%.200s' has %lld bytes; one file may have at most %llu", name,
			(long long)archive_entry_size(en), (unsigned long long)u->lim->file_max);
	return 0;
}

/* Two names that some system cannot tell apart are one name. */
static int check_twin(struct unpack *u, const char *name, bool is_dir)
{
	struct buf low CLEANUP_BUF;
	static char file_mark, dir_mark;
	buf_init(&low, 2048);
	if (utf8_lower(&low, str_of(name)) < 0)
		return err_set(u->e, -EINVAL, "'%.200s' is too long", name);
	const void *old = maps_get(u->seen, buf_str(&low));
	if (old != NULL && !(is_dir && old == &dir_mark))
		return err_set(u->e, -EINVAL,
			"'%.200s' is in the bundle twice (upper and lower case are the same here)",
			name);
	(void)maps_put(u->seen, buf_str(&low), is_dir ? &dir_mark : &file_mark);
	return 0;
}

/* Makes the folders above (and for a folder: itself) below dir; never follows a link: the folder is private and new. */
static int make_dirs(struct unpack *u, const char *name, bool is_dir)
{
	char path[300];
	size_t n = strlen(name);
	if (n >= sizeof(path))
		return err_set(u->e, -EINVAL, "'%.200s' is too long", name);
	for (size_t i = 1; i <= n; i++) {
		if (i < n ? name[i] != '/' : !is_dir)
			continue;
		memcpy(path, name, i);
		path[i] = '\0';
		if (mkdirat(u->dirfd, path, 0700) < 0 && errno != EEXIST)
			return err_set(
				u->e, -errno, "staging folder '%.100s': %s", path, strerror(errno));
	}
	return 0;
}

static int check_sizes(struct unpack *u, const char *name, uint64_t size)
{
	if (size > u->lim->file_max)
		return err_set(u->e, -EFBIG, "'%.200s' is over %llu bytes, the most for one file",
			name, (unsigned long long)u->lim->file_max);
	if (u->unpacked > u->lim->unpacked_max)
		return err_set(u->e, -EFBIG, "the bundle is over %llu bytes unpacked",
			(unsigned long long)u->lim->unpacked_max);
	if (u->unpacked > u->lim->ratio_from && u->unpacked / u->lim->ratio_max > u->packed)
		return err_set(u->e, -EFBIG,
			"the zip unpacks to more than %u times its size: it is no release ('%.200s')",
			u->lim->ratio_max, name);
	return 0;
}

static int copy_data(struct unpack *u, struct archive *a, const char *name, int fd)
{
	char chunk[64 * 1024];
	uint64_t size = 0;
	for (;;) {
		la_ssize_t n = archive_read_data(a, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0)
			return err_set(u->e, -EINVAL, "'%.200s' in the zip is damaged: %.100s",
				name,
				archive_error_string(a) == NULL ? "cannot be read"
								: archive_error_string(a));
		size += (uint64_t)n;
		u->unpacked += (uint64_t)n;
		int r = check_sizes(u, name, size);
		if (r < 0)
			return r;
		r = FAULT("bundle.write") ? -ENOSPC : fd_write_all(fd, chunk, (size_t)n);
		if (r < 0)
			return err_set(u->e, r, "staging file '%.100s': %s", name, strerror(-r));
	}
}

static int write_entry(struct unpack *u, struct archive *a, const char *name)
{
	int fd = openat(u->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(u->e, -errno, "staging file '%.100s': %s", name, strerror(errno));
	int r = copy_data(u, a, name, fd);
	if (close(fd) < 0 && r == 0)
		r = err_set(u->e, -errno, "staging file '%.100s': %s", name, strerror(errno));
	return r;
}

static int take_entry(struct unpack *u, struct archive *a, struct archive_entry *en)
{
	struct buf name CLEANUP_BUF;
	buf_init(&name, 1024);
	if (++u->entries > u->lim->entries_max)
		return err_set(
			u->e, -EFBIG, "the zip has more than %u entries", u->lim->entries_max);
	int r = clean_name(u, en, &name);
	if (r != 0)
		return r < 0 ? r : 0;
	bool is_dir = archive_entry_filetype(en) == AE_IFDIR;
	r = check_entry(u, en, buf_z(&name));
	if (r == 0)
		r = check_twin(u, buf_z(&name), is_dir);
	if (r == 0)
		r = make_dirs(u, buf_z(&name), is_dir);
	if (r == 0 && !is_dir)
		r = write_entry(u, a, buf_z(&name));
	return r;
}

/* libarchive turns the times in a header with mktime(), whose zone is the process's: one thread at a time. */
static pthread_mutex_t header_lock = PTHREAD_MUTEX_INITIALIZER;

static int next_header(struct archive *a, struct archive_entry **ret)
{
	(void)pthread_mutex_lock(&header_lock);
	int r = archive_read_next_header(a, ret);
	(void)pthread_mutex_unlock(&header_lock);
	return r;
}

static int walk_zip(struct unpack *u, struct archive *a)
{
	for (;;) {
		struct archive_entry *en;
		int r = next_header(a, &en);
		if (r == ARCHIVE_EOF)
			return u->entries == 0 ? err_set(u->e, -EINVAL, "the zip is empty") : 0;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return err_set(u->e, -EINVAL, "the zip is damaged: %.150s",
				archive_error_string(a) == NULL ? "cannot be read"
								: archive_error_string(a));
		r = take_entry(u, a, en);
		if (r < 0)
			return r;
	}
}

static int unpack_zip(struct unpack *u, const char *packed)
{
	struct archive *a = archive_read_new();
	int r = -ENOMEM;
	if (a == NULL)
		return err_set(u->e, r, "memory is out");
	u->seen = maps_new();
	if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK)
		r = err_set(u->e, -ENOSYS, "this build cannot read zip files");
	else if (archive_read_open_filename(a, packed, 64 * 1024) != ARCHIVE_OK)
		r = err_set(u->e, -EINVAL, "the zip is damaged: %.150s",
			archive_error_string(a) == NULL ? "cannot be read"
							: archive_error_string(a));
	else
		r = walk_zip(u, a);
	maps_free(u->seen);
	(void)archive_read_free(a);
	return r;
}

/* libarchive reads names through the locale's character set, and a daemon runs in "C": this thread alone sees UTF-8. */
static int unpack_zip_utf8(struct unpack *u, const char *packed, struct str head)
{
	if (head.p[2] == 5)
		return err_set(u->e, -EINVAL, "the zip is empty");
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (utf8 == (locale_t)0)
		return err_set(u->e, -ENOSYS,
			"the system has no locale C.UTF-8: names in a zip cannot be read");
	locale_t before = uselocale(utf8);
	int r = unpack_zip(u, packed);
	(void)uselocale(before);
	freelocale(utf8);
	return r;
}

/* --- a single top folder ---------------------------------------------------------------------------------------------------- */

#define TOP_MOVED ".\001top" /* no entry can have this name */

/* The name of the only entry of the folder, or false when there is none or another one. */
static bool only_entry(int dirfd, char *dst, size_t size)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;
	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	for (struct dirent *de = readdir(d); de != NULL && n < 2; de = readdir(d)) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		(void)str_copy(dst, size, str_of(de->d_name));
		n++;
	}
	(void)closedir(d);
	return n == 1;
}

static int move_up(struct unpack *u, int topfd)
{
	char name[300];
	/* one at a time from the beginning: a folder must not be listed while it changes */
	for (uint32_t i = 0; i <= u->lim->entries_max; i++) {
		int fd = openat(topfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *d = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *de;
		if (d == NULL) {
			if (fd >= 0)
				(void)close(fd);
			return -EIO;
		}
		do
			de = readdir(d);
		while (de != NULL &&
			(strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0));
		if (de != NULL)
			(void)str_copy(name, sizeof(name), str_of(de->d_name));
		(void)closedir(d);
		if (de == NULL)
			return 0;
		if (renameat(topfd, name, u->dirfd, name) < 0)
			return -errno;
	}
	return -E2BIG;
}

static int flatten_top(struct unpack *u)
{
	char name[300];
	struct stat st;
	if (!only_entry(u->dirfd, name, sizeof(name)) ||
		fstatat(u->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	int r = renameat(u->dirfd, name, u->dirfd, TOP_MOVED) < 0 ? -errno : 0;
	int topfd = r < 0
		? -1
		: openat(u->dirfd, TOP_MOVED, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (topfd >= 0) {
		r = move_up(u, topfd);
		(void)close(topfd);
		if (r == 0 && unlinkat(u->dirfd, TOP_MOVED, AT_REMOVEDIR) < 0)
			r = -errno;
	} else if (r == 0) {
		r = -errno;
	}
	return r < 0 ? err_set(u->e, r, "staging folder: %s", strerror(-r)) : 0;
}

/* --- one Markdown file ----------------------------------------------------------------------------------------------------- */

static bool is_zip(struct str head)
{
	return head.n >= 4 &&
		(memcmp(head.p, "PK\3\4", 4) == 0 || memcmp(head.p, "PK\5\6", 4) == 0);
}

static int unpack_text(struct unpack *u, const char *packed, struct str head, const char *name)
{
	struct image_head what;
	struct buf b CLEANUP_BUF;
	buf_init(&b, DOC_TEXT_MAX + 1);
	image_head_read(head, &what);
	if (what.type != MEDIA_UNKNOWN && what.type != MEDIA_TEXT)
		return err_set(u->e, -EINVAL,
			"%s%sthis is %s; a release is a folder, a zip of it, or one .md file", name,
			name[0] == '\0' ? "" : ": ", media_type_name(what.type));
	if (u->packed > DOC_TEXT_MAX || str_ends(str_of(name), ".zip"))
		return err_set(u->e, -EINVAL, "%s%sthis is no zip, and no text of at most %u bytes",
			name, name[0] == '\0' ? "" : ": ", DOC_TEXT_MAX);
	int r = file_read(packed, &b, u->e);
	if (r < 0)
		return r;
	int fd = openat(
		u->dirfd, "release.md", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(u->e, -errno, "staging file: %s", strerror(errno));
	r = fd_write_all(fd, b.p, b.n);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r < 0 ? err_set(u->e, r, "staging file: %s", strerror(-r)) : 0;
}

static int read_head(struct unpack *u, const char *packed, char *head, size_t size, size_t *ret_n)
{
	struct stat st;
	int fd = open(packed, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(u->e, -errno, "staged bundle: %s", strerror(errno));
	ssize_t n = fstat(fd, &st) < 0 ? -1 : read(fd, head, size);
	int r = n < 0 ? err_set(u->e, -errno, "staged bundle: %s", strerror(errno)) : 0;
	(void)close(fd);
	if (r < 0)
		return r;
	u->packed = (uint64_t)st.st_size;
	*ret_n = (size_t)n;
	if (u->packed > u->lim->packed_max)
		return err_set(u->e, -EFBIG, "the bundle has %llu bytes; at most %llu are taken",
			(unsigned long long)u->packed, (unsigned long long)u->lim->packed_max);
	return n == 0 ? err_set(u->e, -EINVAL, "the bundle is empty") : 0;
}

int bundle_unpack(const char *packed, const char *name, const char *dir,
	const struct bundle_limits *lim, struct err *e)
{
	char head[512];
	size_t n = 0;
	struct unpack u = { .lim = lim == NULL ? &bundle_limits_default : lim, .dir = dir, .e = e };
	int r = read_head(&u, packed, head, sizeof(head), &n);
	if (r < 0)
		return r;
	u.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (u.dirfd < 0)
		return err_set(e, -errno, "staging folder: %s", strerror(errno));
	struct str s = { head, n };
	bool zip = is_zip(s);
	r = zip ? unpack_zip_utf8(&u, packed, s)
		: unpack_text(&u, packed, s, name == NULL ? "" : name);
	if (r == 0 && zip)
		r = flatten_top(&u);
	(void)close(u.dirfd);
	return r;
}
