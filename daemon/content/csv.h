/* csv.h - a strict reader of CSV: RFC 4180 with commas, as a stream. UTF-8 is checked, text comes out in NFC; a BOM and CRLF
 * are accepted, as Excel writes them.
 * Thread: any, one at a time. Memory: one record. A bad record is told with its line and reading goes on behind it, so that one
 * pass names every bad line.
 */
#ifndef LANTOA_CONTENT_CSV_H
#define LANTOA_CONTENT_CSV_H

#include "base/err.h"
#include "base/str.h"

#define CSV_RECORD_MAX  65536 /* bytes of one record */
#define CSV_COLUMNS_MAX 256

struct csv;
/* fd borrowed; file: for messages, copied. */
struct csv *csv_new(int fd, const char *file);
void csv_free(struct csv *c); /* NULL allowed */
DEFINE_CLEANUP(csv_free, struct csv *)
/* 1: a record, its fields borrowed until the next call, *ret_line the line it begins in (from 1). 0: the end. -EBADMSG: this
 * record is bad, e says why, the next call reads on. Other codes: the file cannot be read. Empty lines are passed over. */
int csv_next(struct csv *c, const struct str **ret_v, size_t *ret_n, int *ret_line,
	struct err *e) MUST_CHECK;

#endif
