/* fuzz_file.c - inputs as files and folders, in one private folder that goes away at exit, or with the next run after a crash. */
#include "fuzz.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "lib/tmpdir.h"

static char *top, path[300], dir[300];

static void gone(void)
{
	tmpdir_remove(top);
	top = NULL;
}

static void ready(void)
{
	if (top != NULL)
		return;
	top = tmpdir_new_fast("fuzz");
	(void)snprintf(path, sizeof(path), "%s/input", top);
	(void)snprintf(dir, sizeof(dir), "%s/dir", top);
	(void)atexit(gone);
}

const char *fuzz_file(const uint8_t *p, size_t n)
{
	ready();
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return "";
	bool whole = fd_write_all(fd, p, n) == 0;
	(void)close(fd);
	return whole ? path : "";
}

const char *fuzz_dir(void)
{
	struct err e;

	ready();
	FUZZ_IGNORE(dir_remove_tree(dir));
	return dir_make(dir, 0700, &e) < 0 ? "" : dir;
}
