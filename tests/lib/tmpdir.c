/* tmpdir.c - private folders for tests. Thread: the test's. */
#include "tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/err.h"
#include "base/file.h"

char *tmpdir_new(void)
{
	const char *base = getenv("TMPDIR");
	char *path = x_asprintf("%s/lantoa-test-XXXXXX", base && *base ? base : "/tmp");

	REQUIRE(mkdtemp(path) != NULL);
	return path;
}

/* Of one that is gone; somebody else may be cleaning up too. A name with a dot is kept on purpose. */
static void sweep_one(const char *base, const char *name, const char *prefix)
{
	size_t n = strlen(prefix);
	char *end, path[PATH_MAX];
	long pid = strncmp(name, prefix, n) == 0 ? strtol(name + n, &end, 10) : 0;

	if (pid <= 0 || *end != '-' || strchr(name, '.') != NULL || kill((pid_t)pid, 0) == 0 ||
		errno != ESRCH)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", base, name);
	if (dir_remove_tree(path) == 0)
		(void)rmdir(path);
}

char *tmpdir_new_fast(const char *word)
{
	const char *own = getenv("TMPDIR");
	const char *base = own && *own ? own : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *prefix = x_asprintf("lantoa-%s-", word);
	DIR *d = opendir(base);

	for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
		sweep_one(base, e->d_name, prefix);
	if (d)
		(void)closedir(d);
	char *path = x_asprintf("%s/%s%07ld-XXXXXX", base, prefix, (long)getpid());
	free(prefix);
	REQUIRE(mkdtemp(path) != NULL);
	return path;
}

void tmpdir_remove(char *path)
{
	if (!path)
		return;
	REQUIRE(dir_remove_tree(path) == 0);
	REQUIRE(rmdir(path) == 0);
	free(path);
}

const char *tmpdir_path(const char *path, const char *name)
{
	static char names[8][PATH_MAX];
	static unsigned next;
	char *dst = names[next++ % ARRAY_LEN(names)];
	int n = snprintf(dst, PATH_MAX, "%s/%s", path, name);

	REQUIRE(n > 0 && n < PATH_MAX);
	return dst;
}
