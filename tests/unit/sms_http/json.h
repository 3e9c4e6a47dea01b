/* json.h - JSON of tests written with ' for ". */
#ifndef LANTOA_TESTS_SMSH_JSON_H
#define LANTOA_TESTS_SMSH_JSON_H

#include "smshtest.h"

/* In a buffer of its own, until the next call. */
static inline const char *json(const char *text)
{
	static char buf[8000];
	size_t n = strlen(text);

	assert_true(n < sizeof(buf));
	for (size_t i = 0; i <= n; i++)
		buf[i] = text[i] == '\'' ? '"' : text[i];
	return buf;
}

#endif
