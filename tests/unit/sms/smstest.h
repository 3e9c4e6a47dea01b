/* smstest.h - what the tests of the SMS helpers share: the shipped tables, an adapter that is nothing but them. */
#ifndef LANTOA_TESTS_SMSTEST_H
#define LANTOA_TESTS_SMSTEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/sms_prepare.h"
#include "lib/scripted_host.h"

static inline struct lt_str st(const char *s)
{
	return (struct lt_str){ s, s == NULL ? 0 : strlen(s) };
}

/* A shipped table; read once, never freed. */
static inline const char *shipped(const char *name)
{
	static char kept[4][65536];
	static const char *names[4];
	size_t i = 0;
	char path[100];

	while (i < 4 && names[i] != NULL && strcmp(names[i], name) != 0)
		i++;
	if (i == 4)
		abort();
	if (names[i] != NULL)
		return kept[i];
	(void)snprintf(path, sizeof(path), "config/sms/%s.tsv", name);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		abort(); /* tests run in the root of the sources */
	size_t n = fread(kept[i], 1, sizeof(kept[i]) - 1, f);
	kept[i][n] = '\0';
	(void)fclose(f);
	names[i] = name;
	return kept[i];
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
