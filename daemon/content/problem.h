/* problem.h - what a check found, each with severity, file, line, field and a sentence for people. Bounded.
 * Owner: the caller, who inits and frees. Pure, one thread at a time.
 */
#ifndef LANTOA_CONTENT_PROBLEM_H
#define LANTOA_CONTENT_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"

#define PROBLEMS_MAX 200

enum problem_severity { PROBLEM_ERROR = 1, PROBLEM_WARNING = 2, PROBLEM_INFO = 3 };

struct content_problem {
	enum problem_severity severity;
	int line; /* 0: the file or the bundle as a whole */
	char file[96];
	char field[64]; /* "parts.public.at"; "" when none */
	char text[320];
};
struct content_problems {
	struct content_problem
		*v; /* owned; errors push warnings and infos out when the list is full */
	size_t n, errors, warnings, infos; /* counted, also beyond PROBLEMS_MAX */
};

void problems_init(struct content_problems *p);
void problems_done(struct content_problems *p); /* NULL allowed */
#define CLEANUP_PROBLEMS __attribute__((cleanup(problems_done)))
void problem_add(struct content_problems *p, enum problem_severity sev, const char *file, int line,
	const char *field, const char *fmt, ...) PRINTF_LIKE(6, 7);
/* The first one whose text holds `part`, or NULL. */
const struct content_problem *problem_find(
	const struct content_problems *p, enum problem_severity sev, const char *part);
const char *problem_severity_name(enum problem_severity sev); /* "error", "warning", "info" */
/* "release.md:12: parts.public.at: ..." */
int problem_print(struct buf *b, const struct content_problem *p);
/* The first error as struct err with `code`, and how many more there are. Returns code. */
int problems_err(const struct content_problems *p, int code, struct err *e);

#endif
