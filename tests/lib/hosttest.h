/* hosttest.h - the real host of adapters (daemon/channel) on virtual time and the scripted network, with a user that records.
 * For tests of the host, conformance and simulation. An adapter is loaded from a folder as the daemon does it; the puppet is one
 * whose every move is the test's.
 * Thread: the test's. Callbacks record only; bodies assert. */
#ifndef LANTOA_TESTS_HOSTTEST_H
#define LANTOA_TESTS_HOSTTEST_H

#include "channel/channel.h"
#include "fakenet.h"
#include "testenv.h"

#define HT_RECEIPTS_MAX 1024

enum ht_policy { HT_AUTO = 0, HT_WAIT, HT_REFUSE }; /* answers to intents and saves */

struct ht_op {
	struct chan_op op; /* first */
	struct ht *t;
	char address[200], ref[64];
	struct payload payload;
	struct lt_src src[8];
	int done; /* how often op_done came: must end at 1 */
	int outcome, scope;
	uint32_t flags;
	int64_t retry_after_ms, done_at;
	bool revoked, by_host;
	char code[64], text[210], id[210];
	size_t n_ids;
	int intents, saves;
	char step[110], saved[64];
	bool intent_waits;
	uint64_t save_ticket;
};
struct ht_receipt {
	int state;
	char ref[64], id[64], code[32];
	uint64_t attempt, ticket;
};
struct ht {
	struct testenv te;
	struct fakenet *fn;
	struct conf *conf;
	struct channels *cs;
	struct channel *ch;
	struct chan_account *acct;
	char *dir; /* private folder: conf, secrets, assets, adapters built here */
	struct ht_op **ops;
	size_t n_ops;
	enum ht_policy go, save, receipt;
	uint32_t credits;
	int credits_told, troubles, inbounds, rates, traces, stats, closed;
	int trouble_scope;
	char trouble_code[64], trouble_text[210], trace_last[4200];
	bool rate_had_op;
	struct ht_receipt receipts[HT_RECEIPTS_MAX];
	size_t n_receipts;
	/* the credential that rotates: its one value, and what was asked of us */
	char secret[64];
	uint64_t secret_version, refresh_ticket;
	enum ht_policy refresh;
	int refreshes, secret_puts;
	int refreshes_over, over_outcome; /* told as over, and how */
	int strays;                       /* op_done of an op that was not under way */
};
struct ht_opts {
	const char *adapter_dir; /* NULL: the private folder */
	const char *adapter;
	const char *
		channel_yaml; /* lines behind "name, kind, adapter": settings, accounts, secrets; NULL: one account `main` */
	const char *kind; /* NULL: email */
	bool loopback_only;
};

struct ht *ht_new(void); /* environment, network, folder; nothing loaded */
int ht_load(struct ht *t, const struct ht_opts *o, struct err *e); /* conf and channels */
int ht_conf(struct ht *t, const struct ht_opts *o, struct err *e); /* conf only */
/* Closes (cut at once), frees all; returns how many jobs or ops were left over: 0. */
int ht_free(struct ht *t);
void ht_close(struct ht *t, int64_t drain_ms); /* channels_close; t->closed tells */

struct ht_op *ht_op(struct ht *t, const char *address, const char *body); /* made, not started */
int ht_start(struct ht *t, struct ht_op **ops, size_t n);
struct ht_op *ht_send(
	struct ht *t, const char *address, const char *body); /* made, started; NULL: not taken */
size_t ht_done_count(const struct ht *t, int outcome);        /* ops done with it; -1: any */
bool ht_all_done_once(const struct ht *t);
void ht_turn(struct ht *t);
void ht_wait(struct ht *t, int64_t ms);

/* cc -shared -fPIC SRC -o DIR/NAME.so with up to three further options; 0 or the exit status. Run from the repository root. */
int ht_build(const char *dir, const char *name, const char *src, const char *const *opts);
/* The folder with the built adapters: $B/adapters, else beside this program's build folder. */
const char *ht_adapters(void);
/* Writes an asset file below t->dir/assets; ret: its id in hex (65 bytes). */
void ht_asset(struct ht *t, const void *bytes, size_t n, char *ret_hex);

#endif
