/* smstest.h - what the tests of the SMS helpers share: the shipped tables, an adapter that is nothing but them. */
#ifndef LANTOA_TESTS_SMSTEST_H
#define LANTOA_TESTS_SMSTEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/sms_prepare.h"
#include "lib/scripted_host.h"
#include "lib/shipped.h"

static inline struct lt_str st(const char *s)
{
	return (struct lt_str){ s, s == NULL ? 0 : strlen(s) };
}

static inline const char *shipped(const char *name)
{
	char path[100];

	(void)snprintf(path, sizeof(path), "config/sms/%s.tsv", name);
	return shipped_file(path);
}

/* A host with the settings of a brandname lane; the adapter behind it has nothing but the shared functions. */
static inline struct sh *sms_host(void)
{
	static const struct lt_key keys[] = { SMS_KEYS };
	static const struct lt_adapter adapter = { .abi_major = LT_ABI_MAJOR,
		.abi_minor = LT_ABI_MINOR,
		.struct_size = sizeof(adapter),
		.n_keys = SMS_N_KEYS,
		.keys = keys,
		.name = "sms",
		.version = "1",
		.address = sms_address,
		.prepare = sms_prepare,
		.compose = sms_compose };
	struct sh *h = sh_new(&adapter);

	sh_conf(h, "sender", "BHXH-VN");
	sh_file(h, "ranges", shipped("ranges"));
	sh_file(h, "prices", shipped("prices"));
	sh_file(h, "words", shipped("words"));
	return h;
}

#endif
