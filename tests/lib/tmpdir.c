/* tmpdir.c - private folders for tests. Thread: the test's. */
#include "tmpdir.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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
