/* buf.c - growable bytes with a stated maximum.
 * Thread: the owner's. Owns: the bytes, until buf_done or buf_take.
 * Failures: -E2BIG over the maximum, -ENOMEM; every add stands alone, a failed one changes nothing but `failed`.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/fault.h"

#define BUF_FIRST_CAP 64u

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max < PTRDIFF_MAX ? max : PTRDIFF_MAX - 1 };
}

void buf_done(struct buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

static int buf_fail(struct buf *b, int code)
{
	b->failed = true;
	return code;
}

int buf_reserve(struct buf *b, size_t more)
{
	REQUIRE(b->n <= b->max);
	if (more > b->max - b->n)
		return buf_fail(b, -E2BIG);

	size_t need = b->n + more + 1;
	if (need <= b->cap)
		return 0;
	size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;
	while (cap < need)
		cap *= 2; /* cannot run over: need is at most PTRDIFF_MAX */
	if (cap > b->max + 1)
		cap = b->max + 1;

	char *p = FAULT("buf.grow") ? NULL : realloc(b->p, cap);
	if (!p)
		return buf_fail(b, -ENOMEM);
	b->p = p;
	b->cap = cap;
	b->p[b->n] = '\0';
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	int r = buf_reserve(b, n);

	if (r)
		return r;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
	return 0;
}

int buf_add_str(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
}

int buf_addz(struct buf *b, const char *z)
{
	return buf_add(b, z, strlen(z));
}

int buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	int r = 0;
	if (n < 0)
		r = buf_fail(b, -EINVAL);
	else if ((size_t)n < sizeof(small))
		r = buf_add(b, small, (size_t)n);
	else if ((r = buf_reserve(b, (size_t)n)) == 0) {
		(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
	return r;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = buf_vaddf(b, fmt, ap);
	va_end(ap);
	return r;
}

void buf_consume(struct buf *b, size_t n)
{
	REQUIRE(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = '\0';
}

struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p ? b->p : "", b->n };
}

const char *buf_z(const struct buf *b)
{
	return b->p ? b->p : "";
}

char *buf_take(struct buf *b, size_t *ret_n)
{
	char *p = b->p ? b->p : x_calloc(1, 1);

	if (ret_n)
		*ret_n = b->n;
	*b = (struct buf){ .max = b->max };
	return p;
}
