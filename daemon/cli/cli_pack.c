/* cli_pack.c - a bundle's folder as a zip: regular files only, links in it are refused and named. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/utf8.h"
#include "cli/cli.h"

#define ENTRIES_MAX 2000

static int add_file(struct archive *a, const FTSENT *f, const char *name, struct err *e)
{
	char piece[65536];
	struct archive_entry *entry = archive_entry_new();
	int fd = open(f->fts_accpath, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	if (fd < 0 || !entry) {
		rc = err_set(e, -errno, "%s: %s", f->fts_path, strerror(errno));
		goto out;
	}
	archive_entry_set_pathname_utf8(entry, name);
	archive_entry_set_size(entry, f->fts_statp->st_size);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	rc = archive_write_header(a, entry);
	for (ssize_t n; !rc && (n = read(fd, piece, sizeof(piece))) != 0;)
		rc = n > 0 && archive_write_data(a, piece, (size_t)n) == n ? 0 : -1;
	if (rc)
		rc = err_set(e, -EIO, "%s: cannot be packed: %s", f->fts_path,
			archive_error_string(a) ? archive_error_string(a) : strerror(errno));
out:
	if (fd >= 0)
		(void)close(fd);
	archive_entry_free(entry);
	return rc;
}

static int walk(struct archive *a, FTS *tree, size_t skip, struct err *e)
{
	int n = 0, rc = 0;
	for (FTSENT *f; !rc && (f = fts_read(tree));) {
		const char *name = f->fts_path + skip;
		if (f->fts_level > 0 && f->fts_name[0] == '.') {
			(void)fts_set(tree, f, FTS_SKIP);
			continue;
		}
		if (f->fts_info == FTS_F && ++n > ENTRIES_MAX)
			rc = err_set(e, -E2BIG, "%s: more than %d files; is it the right folder?",
				f->fts_path, ENTRIES_MAX);
		else if (f->fts_info == FTS_F && !utf8_valid(str_of(name), NULL))
			rc = err_set(e, -EINVAL, "%s: the name is no UTF-8; rename the file",
				f->fts_path);
		else if (f->fts_info == FTS_F)
			rc = add_file(a, f, name, e);
		else if (f->fts_info == FTS_SL || f->fts_info == FTS_SLNONE ||
			f->fts_info == FTS_DEFAULT)
			rc = err_set(e, -EINVAL,
				"%s: is a link or no regular file; put the file itself into the folder",
				f->fts_path);
		else if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS)
			rc = err_set(
				e, -f->fts_errno, "%s: %s", f->fts_path, strerror(f->fts_errno));
	}
	return rc;
}

int cli_pack(const char *folder, FILE **ret, struct err *e)
{
	FILE *f = tmpfile();
	if (!f)
		return err_set(e, -errno, "temporary file: %s", strerror(errno));
	char *root = x_strdup(folder), *const roots[] = { root, NULL };
	for (size_t n = strlen(root); n > 1 && root[n - 1] == '/'; n--)
		root[n - 1] = 0;
	struct archive *a = archive_write_new();
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	int rc = 0;
	if (!tree || archive_write_set_format_zip(a) || archive_write_open_FILE(a, f))
		rc = err_set(e, -EIO, "%s: cannot be packed: %s", folder, strerror(errno));
	if (!rc)
		rc = walk(a, tree, strlen(root) + 1, e);
	if (!rc && archive_write_close(a))
		rc = err_set(e, -EIO, "%s: cannot be packed: %s", folder, archive_error_string(a));
	archive_write_free(a);
	if (tree)
		(void)fts_close(tree);
	free(root);
	if (rc)
		(void)fclose(f);
	else
		*ret = f;
	return rc;
}
