/* dispatch_jobs.h - what the files of background questions share. Loop thread, but for struct djob between env_work and its
 * done, which the worker fills. */
#ifndef LANTOA_DISPATCH_DISPATCH_JOBS_H
#define LANTOA_DISPATCH_DISPATCH_JOBS_H

#include "dispatch/dispatch_internal.h"
#include "store/store_jobs.h"

#define D_JOBS_TICK_MS     200
#define D_JOBS_LOOK_MS     30000
#define D_JOBS_RUNNING_MAX 4      /* questions at adapters at once */
#define D_JOBS_PAUSE_MS    200    /* between two batches of a round */
#define D_JOBS_TIMEOUT_MS  120000 /* for the adapter to answer one */
#define D_JOBS_RETRY_MS    60000  /* after trouble, doubling up to the interval */
#define D_JOBS_SOON_MS     3000   /* after something became known that figures complete */
#define D_JOBS_IN_VAIN \
	3 /* then the batch is left for the next round: one bad item stops nobody else */
#define D_PRUNE_EVERY_MS 3600000
#define D_PRUNE_PAUSE_MS 50
#define D_SEEN_KEEP_MS   (INT64_C(40) * 86400000)
#define D_REFS_KEEP_MS   (INT64_C(60) * 86400000)
#define D_INBOUND_MAX    1000000

struct djob_item { /* one delivery of a question */
	int64_t delivery, since_ms;
	uint32_t flags; /* LT_ITEM_* */
	char ref[REF_LEN + 1], address[330], text[512];
	struct lt_id ids[SQ_ASK_IDS]; /* in text */
	size_t n_ids;
};
struct djob {             /* polls, or statistics, of one account */
	struct list node; /* djobs->all */
	struct dispatch *d;
	int64_t account;
	bool stats, running, scheduled, more;
	bool asked;                /* in this round */
	bool first;                /* since the start: was there a round lately? */
	int64_t last_ms;           /* ... and when (wall); filled by the worker */
	unsigned in_vain;          /* how often this batch got no answer */
	int64_t next_ms, since_ms; /* wall */
	int64_t trouble_ms;        /* pause after the last trouble; 0: none */
	size_t batch;
	struct sq_ask_cursor at, was; /* was: before the batch that is under way */
	struct djob_item *items;      /* owned, while running: room for batch */
	size_t n;
	int rc; /* of the reading */
};
struct stats_cmd;
struct djobs {
	struct dispatch *d;
	struct list all;
	struct timer timer, prune_timer;
	struct work work;
	struct djob *reading; /* one at a time */
	size_t running;
	struct task flush;
	struct stats_cmd *stats; /* gathered in this turn */
	size_t prune_at;         /* channel of the configuration */
	bool pruning;
};

/* dispatch_jobs_stat.c */
void stats_flush(struct task *t);
void stats_round(struct djob *j); /* it is through: kept with the account's numbers */
/* dispatch_jobs_prune.c */
void prune_init(struct djobs *j);
void prune_kick(struct djobs *j);

#endif
