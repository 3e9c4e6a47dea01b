/* bundlescene.h - a place below $TMPDIR for a bundle, zips written entry by entry, pictures by hand; unpacked and loaded or refused.
 *   a = zip_open(pl); zip_text(a, name, text); zip_close(a);   unpack_refused(pl, code, says);   d = load(pl, &problems);
 */
#ifndef LANTOA_TESTS_CONTENT_BUNDLESCENE_H
#define LANTOA_TESTS_CONTENT_BUNDLESCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crypt.h"
#include "base/fault.h"
#include "base/file.h"
#include "content/bundle.h"

#define SAMPLE "config/examples/release-ttbc-112"
#define FRONT  "---\ncode: A-1\ntitle: Tin\nto: press\nchannels: [email]\n"
#define TEXT   FRONT "---\nThân bài.\n"

struct place {
	char root[200], zip[260], dir[260];
};

static inline void place_make(struct place *pl)
{
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(
		pl->root, sizeof(pl->root), "%s/lantoa-bundle-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(pl->root));
	(void)snprintf(pl->zip, sizeof(pl->zip), "%s/in", pl->root);
	(void)snprintf(pl->dir, sizeof(pl->dir), "%s/out", pl->root);
	assert_int_equal(mkdir(pl->dir, 0700), 0);
}

static inline int setup(void **state)
{
	struct place *pl = calloc(1, sizeof(*pl));
	assert_int_equal(crypt_init(), 0);
	place_make(pl);
	*state = pl;
	return 0;
}

static inline int teardown(void **state)
{
	struct place *pl = *state;
	int r = dir_remove_tree(pl->root);
	(void)rmdir(pl->root);
	free(pl);
	return r;
}

/* --- writing zips ---------------------------------------------------------------------------------------------------------- */

static locale_t utf8,
	before; /* the packer's, from zip_open to zip_close: the unpacker must do without */

static inline struct archive *zip_open(const struct place *pl)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	before = uselocale(utf8);
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_zip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(a, "zip:hdrcharset=UTF-8"), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, pl->zip), ARCHIVE_OK);
	return a;
}

static inline void zip_put(
	struct archive *a, const char *name, mode_t type, const void *p, size_t n)
{
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname_utf8(e, name);
	archive_entry_set_filetype(e, type);
	archive_entry_set_perm(e, 0644);
	if (type == AE_IFLNK) {
		archive_entry_set_symlink_utf8(e, p);
		n = strlen(p);
	}
	archive_entry_set_size(e, (la_int64_t)n);
	assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
	if (type == AE_IFREG)
		assert_int_equal(archive_write_data(a, p, n), n);
	archive_entry_free(e);
}

static inline void zip_text(struct archive *a, const char *name, const char *text)
{
	zip_put(a, name, AE_IFREG, text, strlen(text));
}

static inline void zip_close(struct archive *a)
{
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	(void)uselocale(before);
	freelocale(utf8);
}

static inline void zip_folder(struct archive *a, const char *folder, const char *prefix)
{
	DIR *d = opendir(folder);
	char path[600], name[600];
	struct stat st;
	assert_non_null(d);
	for (struct dirent *de = readdir(d); de != NULL; de = readdir(d)) {
		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, de->d_name);
		(void)snprintf(name, sizeof(name), "%s%s", prefix, de->d_name);
		assert_int_equal(stat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			strncat(name, "/", sizeof(name) - strlen(name) - 1);
			zip_put(a, name, AE_IFDIR, NULL, 0);
			zip_folder(a, path, name);
			continue;
		}
		struct buf b CLEANUP_BUF;
		buf_init(&b, 4u << 20);
		assert_int_equal(file_read(path, &b, NULL), 0);
		zip_put(a, name, AE_IFREG, b.p, b.n);
	}
	(void)closedir(d);
}

static inline void write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, p, n), 0);
	assert_int_equal(close(fd), 0);
}

static inline void put(const struct place *pl, const char *name, const void *p, size_t n)
{
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/%s", pl->dir, name);
	write_file(path, p, n);
}

static inline void unpack_refused(const struct place *pl, int code, const char *says)
{
	struct err e = { 0 };
	int r = bundle_unpack(pl->zip, "x.zip", pl->dir, NULL, &e);
	if (r != code || strstr(e.text, says) == NULL)
		fail_msg("wanted %d '%s', got %d '%s'", code, says, r, e.text);
}

/* A zip with one further entry is refused so. */
static inline void entry_refused(
	const struct place *pl, const char *name, mode_t type, const char *data, const char *says)
{
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", TEXT);
	zip_put(a, name, type, data, data == NULL ? 0 : strlen(data));
	zip_close(a);
	unpack_refused(pl, -EINVAL, says);
	assert_int_equal(dir_remove_tree(pl->dir), 0);
	(void)mkdir(pl->dir, 0700);
}

static inline struct release_doc *load(const struct place *pl, struct content_problems *p)
{
	struct release_doc *d = NULL;
	problems_init(p);
	if (bundle_load(pl->dir, NULL, &d, p) < 0) {
		for (size_t i = 0; i < p->n; i++)
			print_error("%s:%d: [%s] %s\n", p->v[i].file, p->v[i].line, p->v[i].field,
				p->v[i].text);
		fail_msg("refused");
	}
	return d;
}

static inline void load_refused(
	const struct place *pl, int line, const char *field, const char *says)
{
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(bundle_load(pl->dir, NULL, &d, &p), -EINVAL);
	assert_null(d);
	const struct content_problem *f = problem_find(&p, PROBLEM_ERROR, says);
	if (f == NULL)
		fail_msg("wanted '%s', got '%s'", says, p.n > 0 ? p.v[0].text : "nothing");
	assert_int_equal(f->line, line);
	assert_string_equal(f->field, field);
}

/* --- pictures by hand ------------------------------------------------------------------------------------------------------- */

static inline size_t make_png(unsigned char *p, uint32_t w, uint32_t h)
{
	static const unsigned char head[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0,
		13, 'I', 'H', 'D', 'R' };
	memcpy(p, head, 16);
	for (int i = 0; i < 4; i++) {
		p[16 + i] = (unsigned char)(w >> (24 - 8 * i));
		p[20 + i] = (unsigned char)(h >> (24 - 8 * i));
	}
	memset(p + 24, 0, 9);
	memcpy(p + 33, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
	return 45;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
