/* smtptest.h - the relay played by the test: fixtures of a session with one, two or ten connections, checks of outcomes. */
#ifndef LANTOA_TESTS_SMTPTEST_H
#define LANTOA_TESTS_SMTPTEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mailtest.h"

#define PIPE "250-relay\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250 ENHANCEDSTATUSCODES\r\n"
#define LOCK "250-relay\r\n250 SIZE 100000\r\n"
#define BODY "Subject: x\r\n\r\nbody\r\n"
#define OK3  "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"

struct fix {
	struct sh *h;
	size_t s; /* session */
};

static inline int setup_with(
	void **state, const char *connections, const char *key, const char *value)
{
	struct fix *f = calloc(1, sizeof(*f));

	f->h = mail_host();
	sh_file(f->h, "outcomes", shipped_file("config/outcomes/email.tsv"));
	sh_conf(f->h, "connections", connections);
	if (key != NULL)
		sh_conf(f->h, key, value);
	if (sh_open(f->h) < 0)
		return -1;
	f->s = sh_session(f->h);
	*state = f;
	return 0;
}

static inline int one(void **state)
{
	return setup_with(state, "1", NULL, NULL);
}

static inline int two(void **state)
{
	return setup_with(state, "2", NULL, NULL);
}

static inline int ten(void **state)
{
	return setup_with(state, "10", NULL, NULL);
}

static inline int old_after_two(void **state)
{
	return setup_with(state, "1", "max_mails_per_conn", "2");
}

static inline int verp(void **state)
{
	return setup_with(state, "1", "verp_domain", "bounces.example.vn");
}

static inline int teardown(void **state)
{
	struct fix *f = *state;
	int misuse = f->h->misuse;

	if (misuse > 0)
		(void)fprintf(stderr, "misuse: %s\n", f->h->misuse_text);
	if (!sh_result(f->h, f->s)->done) { /* leaves nothing behind */
		sh_shutdown(f->h, f->s);
		for (size_t i = 0; i < f->h->n_streams; i++)
			sh_closed(f->h, i, 0, NULL, NULL);
		sh_advance(f->h, 3600000);
	}
	bool over = sh_result(f->h, f->s)->done;
	sh_free(f->h);
	free(f);
	return misuse > 0 || !over ? -1 : 0;
}

static inline size_t op(struct fix *f, const char *address)
{
	char ref[32];

	(void)snprintf(ref, sizeof(ref), "ref%zu", f->h->n_jobs);
	size_t i = sh_op(f->h, f->s, address, ref, BODY, 0);
	assert_int_equal(sh_start(f->h, i, 1), 0);
	sh_turn(f->h);
	return i;
}

static inline void is(struct fix *f, size_t i, int outcome, int scope, uint32_t flags)
{
	struct sh_result *r = sh_result(f->h, i);

	assert_true(r->done);
	if (r->outcome != outcome || r->scope != scope || r->flags != flags)
		fail_msg("outcome %d scope %d flags %x code '%s' text '%s'", r->outcome, r->scope,
			r->flags, r->code, r->text);
}

static inline void pending(struct fix *f, size_t i)
{
	assert_false(sh_result(f->h, i)->done);
}

/* Six recipients of one text on a relay that mixes its answers. */
static inline void batch(struct fix *f, size_t *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char a[32], r[32];
		(void)snprintf(a, sizeof(a), "u%zu@x.vn", i);
		(void)snprintf(r, sizeof(r), "r%zu", i);
		ops[i] = sh_op(f->h, f->s, a, r, BODY, 77);
	}
	assert_int_equal(sh_start(f->h, ops[0], n), 0);
	sh_turn(f->h);
}

#endif
