/* hosted.h - a host with the puppet loaded, for the tests of one folder. */
#ifndef LANTOA_TESTS_HOSTED_H
#define LANTOA_TESTS_HOSTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/puppet.h"

#define SHARED     LT_CAP_SHARED_SESSION
#define SHARED_NOW (LT_CAP_SHARED_SESSION | LT_CAP_INTENT_AT_START | LT_CAP_BATCH)

static inline struct ht *fresh(uint64_t caps)
{
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, caps), 0);
	channel_limit(t->acct, 1000);
	ht_turn(t);
	return t;
}

/* The end of every test: all ops were told exactly once, nothing is left over, no memory either. */
static inline void over(struct ht *t)
{
	assert_int_equal(ht_free(t), 0);
}

static inline void finish_accepted(struct puppet *p, struct lt_job *op)
{
	(void)p;
	(void)puppet_finish(op, LT_ACCEPTED);
}

#endif
