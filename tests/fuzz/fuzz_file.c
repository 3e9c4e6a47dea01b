/* fuzz_file.c - inputs as files and folders, in one private folder that goes away at exit. */
#include "fuzz.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"

static char top[64], path[80], dir[80];

static void gone(void)
{
	if (top[0] != '\0')
		FUZZ_IGNORE(dir_remove_tree(top));
}

static bool ready(void)
{
	if (top[0] != '\0')
		return true;
	const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	(void)snprintf(top, sizeof(top), "%s/lantoa-fuzz-XXXXXX", shm);
	if (mkdtemp(top) == NULL) {
		top[0] = '\0';
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s/input", top);
	(void)snprintf(dir, sizeof(dir), "%s/dir", top);
	(void)atexit(gone);
	return true;
}

const char *fuzz_file(const uint8_t *p, size_t n)
{
	int fd = ready() ? open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return "";
	bool whole = fd_write_all(fd, p, n) == 0;
	(void)close(fd);
	return whole ? path : "";
}

const char *fuzz_dir(void)
{
	struct err e;

	if (!ready())
		return "";
	FUZZ_IGNORE(dir_remove_tree(dir));
	return dir_make(dir, 0700, &e) < 0 ? "" : dir;
}
