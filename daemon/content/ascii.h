/* ascii.h - Vietnamese text "không dấu": for file names and fallbacks. Pure and thread-safe. */
#ifndef LANTOA_CONTENT_ASCII_H
#define LANTOA_CONTENT_ASCII_H

#include "base/buf.h"
#include "base/str.h"

/* Đ to D, marks dropped, typographic quotes and dashes to plain ones, what has no ASCII form to "?". Appends. */
int ascii_fold(struct buf *b, struct str text) MUST_CHECK; /* 0, -EILSEQ, -E2BIG */
/* A file name of [A-Za-z0-9._-], at most 100 bytes, its ending kept; "file" when nothing is left. Returns dst. */
const char *ascii_file_name(char *dst, size_t size, struct str name);

#endif
