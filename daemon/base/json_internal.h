/* json_internal.h - what json.c and json_scan.c share. Not for other modules. */
#ifndef LANTOA_BASE_JSON_INTERNAL_H
#define LANTOA_BASE_JSON_INTERNAL_H

#include "base/json.h"

/* Checks `text` against the whole grammar and our bounds; appends it to `out`, whole numbers of more than 15 digits in quotes. */
int json_scan(struct str text, struct buf *out, struct err *e) MUST_CHECK;

#endif
