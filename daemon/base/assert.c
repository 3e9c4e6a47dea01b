/* assert.c - what happens when a check for programmer errors fails: one line on stderr, then abort.
 * Thread: any. Owns nothing. Must not allocate: the heap may be what is broken.
 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void require_failed(const char *expr, const char *file, int line, const char *func)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "<2>ev=require.failed expr=\"%s\" at=%s:%d func=%s\n",
		expr, file, line, func);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

	if (write(STDERR_FILENO, text, len) < 0) {
		/* nowhere left to say it; the core or the exit status has to do */
	}
	abort();
}
