/* in_valgrind.h - for tests of what valgrind does otherwise: it makes a fork of vfork(2), so that what execve said does not come back and
 * the child just ends; and its own memory is counted as the process's. Thread: any. Owns: nothing.
 */
#ifndef LANTOA_TESTS_LIB_IN_VALGRIND_H
#define LANTOA_TESTS_LIB_IN_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool in_valgrind(void) /* tests/valgrind says so */
{
	return getenv("LANTOA_VALGRIND") != NULL;
}

#endif
