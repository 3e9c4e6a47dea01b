/* zalo_scene.h - an open account with a session, and the answers that walks are made of: for tests of one walk at a time.
 *   setup: return scene_open("poll_ms", "1000", NULL);   teardown: teardown
 */
#ifndef LANTOA_TESTS_ZALO_SCENE_H
#define LANTOA_TESTS_ZALO_SCENE_H

#include "zalo_test.h"

#define TOKEN "{\"data\":{\"token\":\"Tk1\"},\"error\":0,\"message\":\"Success\"}"
#define ID    "{\"data\":{\"id\":\"9ab3f077\"},\"error\":0,\"message\":\"Success\"}"
#define NONE  "{\"data\":{\"medias\":[],\"total\":0},\"error\":0}"

static struct sh *h;
static size_t ses;

/* Names and values of settings, a NULL behind the last. */
static inline int scene_open(const char *name, ...)
{
	va_list ap;

	h = host_new();
	va_start(ap, name);
	for (; name != NULL; name = va_arg(ap, const char *))
		sh_conf(h, name, va_arg(ap, const char *));
	va_end(ap);
	if (sh_open(h) != 0)
		return -1;
	ses = sh_session(h);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	return host_over(h);
}

#endif
