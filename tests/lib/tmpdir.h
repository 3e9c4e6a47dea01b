/* tmpdir.h - a private folder for one test, under $TMPDIR or /tmp, or in memory where there is /dev/shm. */
#ifndef LANTOA_TESTS_TMPDIR_H
#define LANTOA_TESTS_TMPDIR_H

#include <stddef.h>

char *tmpdir_new(
	void); /* mode 0700; owned path, given back through tmpdir_remove; aborts when it cannot be made */
/* The same where it is fastest, "lantoa-WORD-PID-...": what processes of the same word left that are gone (killed before they could
 * clean up) is removed first. */
char *tmpdir_new_fast(const char *word);
void tmpdir_remove(char *path); /* with all that lies in it; frees path; NULL allowed */
/* "PATH/NAME" in one of a few static buffers, good for the next eight calls. */
const char *tmpdir_path(const char *path, const char *name);

#endif
