/* conformance.h - how one adapter is described to the suite that every adapter must pass. tests/conformance/adapter_NAME.c fills
 * one struct and registers it before main by CONFORMANCE(); nothing else names the adapters. */
#ifndef LANTOA_CONFORMANCE_H
#define LANTOA_CONFORMANCE_H

#include <stdio.h>
#include "lib/hosttest.h"

enum conf_script { /* what the provider does with an op; by address where the adapter has no peer */
	CF_OK = 0,
	CF_SILENT,       /* got it all, never answers */
	CF_LOST,         /* took it, the connection is cut before the answer */
	CF_CUT_EARLY,    /* the connection is cut before a publishing byte */
	CF_GARBAGE,      /* answers bytes without sense from the start */
	CF_GARBAGE_LATE, /* answers without sense where the outcome should stand */
	CF_SLOW          /* answers after a second */
};
struct conf_case { /* outcome x scope that the adapter knows */
	const char *address;
	int outcome, scope;
	uint32_t flags;
};
struct conformance {
	const char *name, *kind, *channel_yaml;
	void (*prepare)(struct ht *t); /* files beside the configuration; may be NULL */
	/* Plays the provider from then on. NULL: the adapter has none, scripts are addresses only. */
	void (*play)(struct ht *t, enum conf_script script, uint64_t seed);
	size_t (*effects)(struct ht *t,
		const char *address); /* what was truly published to it; NULL: unknown to us */
	const char *(*address)(enum conf_script
			script); /* one that behaves so; NULL: this script does not exist */
	const struct conf_case *cases;
	size_t n_cases;
	const char *const *good_addresses, *const *bad_addresses; /* NULL at the end */
	const char *body; /* payload of an op; NULL: a short mail */
};

void conformance_register(const struct conformance *c);
#define CONFORMANCE(var)                                              \
	__attribute__((constructor)) static void register_##var(void) \
	{                                                             \
		conformance_register(&(var));                         \
	}

#endif
