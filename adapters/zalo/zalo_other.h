/* zalo_other.h - priv of jobs beside ops: the host gives each of them as much as the largest needs. */
#ifndef LANTOA_ZALO_OTHER_H
#define LANTOA_ZALO_OTHER_H

#include "zalo_op.h"

struct zalo_token_job { /* refresh, login */
	bool calling, linked;
	char verifier[44], url[1000];
};
struct zalo_check_job {
	int step;
	bool refreshed;
	uint64_t serial, version;
	char text[400];
};
struct zalo_ask_job {               /* poll, stats */
	const struct lt_work *work; /* borrowed until finish */
	size_t item,
		articles; /* articles: items that statistics look for; broadcasts and messages are none */
	int page;
	int step; /* of statistics */
	bool refreshed;
	uint64_t serial, version;
};
struct zalo_hook_job {
	int unused;
};

union zalo_other_priv {
	struct zalo_token_job token;
	struct zalo_check_job check;
	struct zalo_ask_job ask;
	struct zalo_hook_job hook;
};

#endif
