/* loopscene.h - a loop of its own for each test: L, and E, its environment. */
#ifndef LANTOA_TESTS_NET_LOOPSCENE_H
#define LANTOA_TESTS_NET_LOOPSCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/loop.h"

static struct loop *L;
static struct env *E;

static int set_up(void **state)
{
	(void)state;
	if (loop_new(&L, NULL) != 0)
		return -1;
	E = loop_env(L);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return loop_free(L);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
