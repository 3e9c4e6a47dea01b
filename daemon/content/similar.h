/* similar.h - titles that say the same: for the warning that another release had it. Pure and thread-safe. */
#ifndef LANTOA_CONTENT_SIMILAR_H
#define LANTOA_CONTENT_SIMILAR_H

#include <stdbool.h>
#include "base/str.h"

/* 0 (nothing in common) to 1000 (equal but for case, marks, spaces and punctuation). Only the first 600 bytes count. */
int similar_ratio(struct str a, struct str b);
bool similar_titles(struct str a, struct str b); /* ratio of at least 900 */

#endif
