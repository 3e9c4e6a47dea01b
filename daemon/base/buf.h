/* buf.h - growable bytes with a stated maximum; the only home for sizes that come from outside.
 * Owner frees with buf_done. After a failed add the buffer is unchanged and `failed` stays set, so a chain of adds
 * may be checked once at its end.
 */
#ifndef LANTOA_BASE_BUF_H
#define LANTOA_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p; /* owned; always NUL-terminated once not NULL */
	size_t n, cap, max;
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* b may be zeroed or NULL */
void buf_reset(struct buf *b); /* keeps the memory and max, clears `failed` */
int buf_reserve(struct buf *b, size_t more)
	MUST_CHECK; /* 0, -E2BIG over max, -ENOMEM; memory failing is fault point "buf.grow" */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_add_str(struct buf *b, struct str s);
int buf_addz(struct buf *b, const char *z);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
int buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_consume(struct buf *b, size_t n); /* drops n bytes from the front */
struct str buf_str(const struct buf *b);
const char *buf_z(const struct buf *b);       /* "" when empty */
char *buf_take(struct buf *b, size_t *ret_n); /* moves the bytes out; NUL-terminated; b is reset */
static inline void buf_done_p(struct buf *b)
{
	buf_done(b);
}
/* struct buf b CLEANUP_BUF; */
#define CLEANUP_BUF __attribute__((cleanup(buf_done_p)))

#endif
