/* confscene.h - a folder of its own for a configuration: put("ch/mail.yaml", text), then load_it(&c, &e) reads lantoad.yaml in it. */
#ifndef LANTOA_TESTS_CONF_CONFSCENE_H
#define LANTOA_TESTS_CONF_CONFSCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "base/file.h"
#include "conf/conf.h"
#include "lib/tmpdir.h"

static char *dir; /* with a folder "ch" for channels */

static inline int setup(void **state)
{
	char sub[512];
	struct err e;

	(void)state;
	assert_int_equal(crypt_init(), 0);
	dir = tmpdir_new();
	(void)snprintf(sub, sizeof(sub), "%s/ch", dir);
	assert_int_equal(dir_make(sub, 0700, &e), 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	tmpdir_remove(dir);
	return 0;
}

static inline const char *path_of(const char *name) /* until the next call */
{
	static char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static inline void put(const char *name, const char *text)
{
	struct err e;

	assert_int_equal(file_write_durable(path_of(name), str_of(text), 0600, &e), 0);
}

static inline int load_it(struct conf **ret, struct err *e)
{
	e->text[0] = 0;
	return conf_load(path_of("lantoad.yaml"), ret, e);
}

static inline void expect_refused(const char *what)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	assert_int_equal(load_it(&c, &e), -EINVAL);
	assert_non_null(strstr(e.text, what));
	assert_null(c);
}

#endif
