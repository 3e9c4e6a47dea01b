/* store_queue_gate.h - the text of gate.what: the scope in numbers, then in words. For files of store/ only.
 * "r=12 p=1 o=0 c=0 l=0 h=0 k=0 a=0 | release:TTBC-2026-112@2026 part:press"
 */
#ifndef LANTOA_STORE_STORE_QUEUE_GATE_H
#define LANTOA_STORE_STORE_QUEUE_GATE_H

#include "store/store_queue.h"

void gate_scope_write(const struct sq_scope *s, char *dst, size_t size);
bool gate_scope_read(struct str what, struct sq_gate *ret); /* zeroes *ret first */

#endif
