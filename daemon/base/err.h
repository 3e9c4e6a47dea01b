/* err.h - error text for people, and the two ownership helpers of the house style.
 * A function returns 0 or a negative errno-style code; where a person will read the reason it also fills a struct err.
 * Outputs stay untouched on failure.
 */
#ifndef LANTOA_BASE_ERR_H
#define LANTOA_BASE_ERR_H

#include <errno.h>
#include <stddef.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)       __attribute__((cleanup(fn##_p)))
/* DEFINE_CLEANUP(buf_free, struct buf *) makes buf_free_p for CLEANUP(buf_free). */
#define DEFINE_CLEANUP(fn, type)           \
	static inline void fn##_p(type *p) \
	{                                  \
		fn(*p);                    \
	}
#define MOVE(p)                             \
	__extension__({                     \
		__typeof__(p) moved_ = (p); \
		(p) = NULL;                 \
		moved_;                     \
	})

#define ERR_TEXT_MAX 512

struct err {
	int code;                /* 0 or negative errno-style code */
	char text[ERR_TEXT_MAX]; /* one sentence; names file, line, value and what would be right */
};

/* Sets code and text; e may be NULL. Returns code, so that `return err_set(e, -EINVAL, ...)` works. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts "prefix: " before the text that is already there. Returns e->code. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Plain free for CLEANUP(xfree). */
void xfree(const void *p);
static inline void xfree_p(void *pp)
{
	xfree(*(void **)pp);
}

/* Small fixed bookkeeping: aborts when memory is out (the store is our recovery). Never for sizes from outside. */
void *x_calloc(size_t n, size_t size) __attribute__((returns_nonnull, malloc));
void *x_realloc(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *x_strdup(const char *s) __attribute__((returns_nonnull));
char *x_strndup(const char *s, size_t n) __attribute__((returns_nonnull));
char *x_asprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));

#endif
