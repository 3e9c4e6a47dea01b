/* doc_text.h - one text file of a bundle, made clean: valid UTF-8, no BOM, LF only, no control characters, NFC.
 * Pure and thread-safe. Line numbers do not change by it.
 */
#ifndef LANTOA_CONTENT_DOC_TEXT_H
#define LANTOA_CONTENT_DOC_TEXT_H

#include "base/buf.h"
#include "content/problem.h"

/* Appends the clean text to ret. 0, or -EINVAL with an error in p, -E2BIG when it is over max or memory is out. */
int doc_text_clean(struct str raw, const char *file, size_t max, struct buf *ret,
	struct content_problems *p) MUST_CHECK;

/* Where Markdown makes control characters out of &#27; and its like: an error at their line. Invisible ones: a warning, where text itself has
 * none. For a text that is clean. */
void doc_text_references(
	struct str text, const char *file, int line, const char *field, struct content_problems *p);

/* LF and tab are none. */
bool doc_text_is_control(int32_t cp);
/* Nobody sees it, and some change the order in which a text is read. */
bool doc_text_is_invisible(int32_t cp);

struct doc_split {
	struct str front, body;    /* front without its --- lines; body begins behind the second */
	int front_line, body_line; /* lines of their first lines */
};
/* 0, -ENOENT (no front matter), -EINVAL (the second --- is missing). */
int doc_text_split(struct str text, struct doc_split *ret) MUST_CHECK;
int doc_text_line_at(struct str text, size_t at); /* line of a byte, from 1 */
/* NULL when s may stand in a field of one line, else what is wrong with it. */
const char *doc_text_line_fault(struct str s);

#endif
