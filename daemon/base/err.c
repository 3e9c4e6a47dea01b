/* err.c - error texts and the allocators that abort.
 * Thread: any. Owns nothing. The text is formatted beside the old one first, so that it may quote it.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"

/* A cut text must not end in half a code point. */
static void text_trim_tail(char *text, size_t len)
{
	size_t i = len;

	while (i > 0 && ((unsigned char)text[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0)
		return;
	unsigned char lead = (unsigned char)text[i - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	if (len - (i - 1) < want)
		text[i - 1] = '\0';
}

static void text_format(char dst[static ERR_TEXT_MAX], const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void text_format(char dst[static ERR_TEXT_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(dst, ERR_TEXT_MAX, fmt, ap);

	if (n < 0)
		dst[0] = '\0';
	else if (n >= ERR_TEXT_MAX)
		text_trim_tail(dst, ERR_TEXT_MAX - 1);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	text_format(text, fmt, ap);
	va_end(ap);
	e->code = code;
	memcpy(e->text, text, sizeof(text));
	return code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (!e)
		return 0;
	va_start(ap, fmt);
	text_format(text, fmt, ap);
	va_end(ap);

	size_t n = strlen(text), old = strnlen(e->text, ERR_TEXT_MAX - 1);
	if (n > ERR_TEXT_MAX - 3)
		n = ERR_TEXT_MAX - 3;
	size_t keep = old < ERR_TEXT_MAX - 1 - n - 2 ? old : ERR_TEXT_MAX - 1 - n - 2;
	memmove(e->text + n + 2, e->text, keep);
	memcpy(e->text, text, n);
	memcpy(e->text + n, ": ", 2);
	e->text[n + 2 + keep] = '\0';
	if (keep < old)
		text_trim_tail(e->text, n + 2 + keep);
	return e->code;
}

void xfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

void *x_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	REQUIRE(p != NULL);
	return p;
}

void *x_realloc(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n ? n : 1, size ? size : 1);

	REQUIRE(q != NULL);
	return q;
}

char *x_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = x_calloc(len + 1, 1);

	memcpy(p, s, len);
	return p;
}

char *x_strdup(const char *s)
{
	return x_strndup(s, strlen(s));
}

char *x_asprintf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&p, fmt, ap);
	va_end(ap);
	REQUIRE(n >= 0 && p != NULL);
	return p;
}
