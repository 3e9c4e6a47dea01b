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

/* A text to a group, and a template message to a phone: started. */
static inline size_t group_begin(void)
{
	size_t op = sh_op(h, ses, "group:7a1b2c3d4e5f60718293", "R", ZALO_MAGIC "kind text\n\n", 0);

	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

static inline size_t phone_begin(void)
{
	size_t op = sh_op(
		h, ses, "phone:84900000001", "R2", ZALO_MAGIC "kind zns\ntemplate 420017\n\n", 0);
	struct sh_job *j = h->jobs[op];

	j->payload[1] = (struct lt_src){ .bytes = LTC_LIT("{\"ten\":\"A\"}") };
	j->work.payload = j->payload;
	j->work.n_payload = 2;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

static inline int teardown(void **state)
{
	(void)state;
	return host_over(h);
}

#endif
