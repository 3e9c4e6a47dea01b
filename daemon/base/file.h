/* file.h - reading whole small files with a maximum, and writing durably. Blocking: never on the loop thread.
 * file_write_durable: temporary file in the same folder, write, fsync, rename, fsync of the folder.
 */
#ifndef LANTOA_BASE_FILE_H
#define LANTOA_BASE_FILE_H

#include <sys/types.h>
#include "base/buf.h"
#include "base/crypt.h"
#include "base/err.h"

int file_read(const char *path, struct buf *ret /* inited, its max is the limit */,
	struct err *e) MUST_CHECK;
int file_read_at(int dirfd, const char *name, struct buf *ret,
	struct err *e) MUST_CHECK; /* O_NOFOLLOW, regular files only */
int file_write_durable(const char *path, struct str content, mode_t mode, struct err *e) MUST_CHECK;
int dir_make(const char *path, mode_t mode,
	struct err *e) MUST_CHECK; /* with parents; an existing folder is fine */
int dir_sync(const char *path) MUST_CHECK;
int dir_remove_tree(const char *path)
	MUST_CHECK; /* only what lies below; does not follow links; at most 1,000,000 entries */
/* First of all in a program: where the caller has closed descriptor 0, 1 or 2, what is opened next would stand in its place, and what is
 * printed would go there. They become /dev/null, which is only read: what is printed still fails. */
int fd_standard_hold(void) MUST_CHECK;
int fd_write_all(int fd, const void *p, size_t n) MUST_CHECK; /* retries EINTR and short writes */
/* "DIR/ab/cd..." of an asset: two hex digits, then the rest. */
void asset_path(char *dst, size_t size, const char *assets_dir, const struct hash *h);

#endif
