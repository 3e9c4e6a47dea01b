/* outbuf.c - the bounded buffer of adapters.
 * Thread: any. Owns: the bytes of the buffer. Failures: see text.h; nothing is ever written past the maximum. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

void ltc_buf_init(struct ltc_buf *b, size_t max)
{
	*b = (struct ltc_buf){ .max = max };
}

void ltc_buf_done(struct ltc_buf *b)
{
	if (b == NULL)
		return;
	free(b->p);
	*b = (struct ltc_buf){ .max = b->max };
}

void ltc_buf_reset(struct ltc_buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}

static bool make_room(struct ltc_buf *b, size_t more)
{
	if (b->failed || more > b->max - b->n) {
		b->failed = true;
		return false;
	}
	if (b->p != NULL && b->n + more < b->cap)
		return true;
	size_t cap = b->cap < 128 ? 256 : b->cap * 2;
	if (cap < b->n + more + 1)
		cap = b->n + more + 1;
	char *p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void ltc_add(struct ltc_buf *b, const void *p, size_t n)
{
	if (!make_room(b, n))
		return;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void ltc_adds(struct ltc_buf *b, struct lt_str s)
{
	ltc_add(b, s.p, s.n);
}

void ltc_addz(struct ltc_buf *b, const char *z)
{
	ltc_add(b, z, strlen(z));
}

void ltc_addc(struct ltc_buf *b, char c)
{
	ltc_add(b, &c, 1);
}

void ltc_addf(struct ltc_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	else if (make_room(b, (size_t)n)) {
		(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

struct lt_str ltc_buf_str(const struct ltc_buf *b)
{
	return (struct lt_str){ b->p == NULL ? "" : b->p, b->n };
}
