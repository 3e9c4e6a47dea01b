/* diff.h - line diff of two texts, unified style, bounded in time and size. Pure and thread-safe. */
#ifndef LANTOA_CONTENT_DIFF_H
#define LANTOA_CONTENT_DIFF_H

#include "base/buf.h"
#include "base/str.h"

#define DIFF_LINES_MAX \
	20000 /* of one side; more, or more than DIFF_EDITS_MAX edits: all old lines, then all new ones */
#define DIFF_EDITS_MAX 1500
#define DIFF_CONTEXT   3

/* Appends "--- a", "+++ b" and hunks; nothing when the texts are equal. 0, -E2BIG (out is full), -ENOMEM. */
int diff_unified(struct buf *out, const char *name_a, struct str a, const char *name_b,
	struct str b) MUST_CHECK;

#endif
