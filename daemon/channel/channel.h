/* channel.h - adapters seen from the daemon: the loader and the other side of the ABI (host services).
 * Threads: channel_address, channel_prepare, channel_compose are pure: any worker. Everything else: loop thread.
 * The host never calls its user back before a call has returned: results come deferred through struct channel_events.
 * It knows neither store nor dispatch: what must be durable goes out through events with a token and comes back by channel_*_done.
 */
#ifndef LANTOA_CHANNEL_CHANNEL_H
#define LANTOA_CHANNEL_CHANNEL_H

#include <lantoa/adapter.h>
#include "base/asset_id.h"
#include "base/env.h"
#include "channel/prepared.h"
#include "conf/conf.h"
#include "net/net.h"

struct channels;
struct channel;      /* one configured channel: adapter + settings */
struct chan_account; /* one account of it: has sessions */
struct chan_op;      /* one op, embedded in the user's object */

struct chan_fact { /* what an adapter says of an account while it is checked */
	char name[64];
	int64_t value;
};
/* Result of an op, copied: valid during the callback only. */
struct chan_result {
	int outcome,
		scope; /* LT_*; after the host's own rule: a publishing step without an answer is LT_UNKNOWN */
	uint32_t flags;
	struct str code, text, url;
	const struct lt_id *ids;
	size_t n_ids;
	int64_t retry_after_ms;
	bool revoked; /* cancelled before any publishing byte: the intent goes back unused */
	bool by_host; /* outcome made by the host (deadline, adapter failure, cut), not claimed by the adapter */
	const struct chan_fact *facts; /* of channel_check */
	size_t n_facts;
};

struct channel_events { /* the user's side; all on the loop thread */
	void *ctx;
	void (*op_done)(void *ctx, struct chan_op *op,
		const struct chan_result *r); /* exactly once per started op */
	void (*op_intent)(void *ctx, struct chan_op *op, struct str step,
		bool repeatable); /* commit, then channel_op_go */
	void (*op_save)(void *ctx, struct chan_op *op, struct str name, struct str value,
		uint64_t ticket); /* commit, then channel_saved */
	void (*credits)(void *ctx, struct chan_account *a,
		uint32_t can_take); /* how many ops may be started now */
	void (*rate)(void *ctx, struct chan_account *a, struct chan_op *op,
		const struct lt_rate *r); /* op NULL: of the account */
	/* Commit, then channel_saved. a NULL: a webhook of the whole channel, which says nothing about the account. */
	void (*receipt)(void *ctx, struct channel *c, struct chan_account *a,
		const struct lt_receipt *r, uint64_t ticket);
	void (*inbound)(void *ctx, struct channel *c, struct chan_account *a,
		const struct lt_inbound *in, uint64_t ticket);
	/* delivery 0: a fact of the account. */
	void (*stat)(void *ctx, struct chan_account *a, uint64_t delivery, struct str name,
		int64_t value);
	void (*trace)(void *ctx, struct chan_op *op, bool outward,
		struct str bytes); /* exchange record; secrets never in it */
	void (*secret_put)(void *ctx, struct channel *c, const char *credential,
		const struct lt_pair *set, size_t n, int64_t expires_ms,
		uint64_t ticket); /* commit encrypted, then channel_saved */
	void (*account_trouble)(void *ctx, struct chan_account *a, int scope, struct str code,
		struct str text, int64_t retry_after_ms); /* session failed without an op */
	/* A credential is about to be rotated: commit that word, then channel_saved; an error: it is not begun. NULL: no credential rotates. */
	void (*refresh_intent)(
		void *ctx, struct channel *c, const char *credential, uint64_t ticket);
	/* That refresh is over, by the adapter's word or the host's; exactly once after an intent that was granted. May be NULL. */
	void (*refresh_over)(
		void *ctx, struct channel *c, const char *credential, const struct chan_result *r);
};

struct chan_op {
	/* set by the user before channel_start, borrowed until op_done */
	uint64_t delivery, attempt, release;
	uint32_t try_no;
	struct str ref, address, credential;
	struct payload *payload; /* owned by the user */
	uint64_t batch_key;
	int64_t deadline_mono_ms, since_wall_ms;
	const struct lt_pair *steps;
	size_t n_steps;
	const struct lt_id *ids; /* reconcile, recall, correct */
	size_t n_ids;
	uint32_t kind; /* LT_J_OP; or LT_J_RECONCILE, LT_J_RECALL, LT_J_CORRECT */
	/* the host's own */
	void *host[4];
};

struct calling;
struct channels_opts {
	struct env *env;
	struct net *net;
	const char *assets_dir;
	const struct channel_events *events; /* copied */
	struct calling *
		calling; /* gets the deliveries of the call into an adapter that is under way; NULL: nobody asks */
	bool loopback_only; /* demo: only hosts of this machine are ever contacted */
	/* secrets of credentials that rotate: current value (a copy, the host's from then on) and version; loop thread, must not
	 * block. *ret_version says which version the host has of this name (0: none); where that is the current one, *ret may stay
	 * NULL. The name of the credential itself stands for its main value. NULL: static secrets only */
	int (*secret_get)(void *ctx, const char *channel, const char *credential, const char *name,
		struct secret **ret, uint64_t *ret_version);
	void *secret_ctx;
	/* A public address of an asset, good for lives_ms at least; never waits. 0; -EAGAIN: being made; else there is none.
	 * NULL: never one. */
	int (*asset_url)(
		void *ctx, const struct asset_id *asset, int64_t lives_ms, char *dst, size_t size);
	void *asset_ctx;
};
/* Everything of a configuration that must be read: adapters' libraries, tables, certificates, secrets. A refusal names file and
 * reason. Blocking, any thread (start-up, reload worker); nothing runs yet, and channels_free takes it back. A reference to conf is
 * taken. owner_ok (demo and tests): an adapter folder of the running user is accepted beside root's. */
int channels_read(
	const struct conf *conf, bool owner_ok, struct channels **ret, struct err *e) MUST_CHECK;
/* Once, before the first channels_open: the services that adapters will ask for. Loop thread. */
void channels_bind(struct channels *cs, const struct channels_opts *o);
/* Opens adapters with what was read, `max` further accounts at most (some 0.1 ms of CPU each): 0 all are open, 1 more are left. Loop thread,
 * waits for nothing. After a refusal cs goes to channels_free. */
int channels_open(struct channels *cs, size_t max, struct err *e) MUST_CHECK;
/* Loads every adapter of a configuration and checks its settings, without I/O and without keeping anything: lantoad --check, reload. Blocking. */
int channels_check(const struct conf *c, bool owner_ok, struct err *e) MUST_CHECK;
/* All sessions get SHUTDOWN, ops are drained or cut at the deadline; closed_cb when nothing is left. */
void channels_close(
	struct channels *cs, int64_t deadline_mono_ms, void (*closed_cb)(void *ctx), void *ctx);
void channels_free(struct channels *cs); /* after closed_cb, or when never started */

struct channel *channels_find(struct channels *cs, const char *name);
size_t channels_list(struct channels *cs, struct channel **ret, size_t max);
struct chan_account *channel_account(struct channel *c, const char *name);
const struct conf_channel *channel_conf(const struct channel *c);
uint64_t channel_caps(const struct channel *c);
const char *channel_adapter_version(const struct channel *c);
struct channel *account_channel(const struct chan_account *a);
const char *account_name(const struct chan_account *a);
void account_set_user(struct chan_account *a, void *user); /* dispatch hangs its own object here */
void *account_user(const struct chan_account *a);

/* Pure side. */
struct addr_out {
	char canonical[320], class[40], form[16];
	char changed[24]; /* how it was written before numbers were changed; else empty */
};
int channel_address(
	const struct channel *c, struct str in, struct addr_out *ret, struct err *e) MUST_CHECK;
/* Renditions as the caller has them; for one prepare. */
struct chan_renditions {
	void *ctx;
	/* Never waits. 0: id is written (base/asset_id.h, with its facts), and what people should know of it stands in e, if
	 * anything. -EAGAIN: it has to be made first, outside of
	 * this call: what was prepared is then thrown away and prepared again. -EBADMSG, -EINVAL: refused, e says why
	 * and the adapter goes on with a problem. Anything else fails the prepare. */
	int (*find)(void *ctx, struct str asset, struct str spec, char id[static ASSET_ID_MAX],
		struct err *e);
};
/* renditions NULL: an adapter that needs one then gets an error problem. -EAGAIN: a rendition must be made first. */
int channel_prepare_with(const struct channel *c, const char *account,
	const struct lt_content *content, const struct chan_renditions *renditions,
	struct prepared **ret, struct err *e) MUST_CHECK;
int channel_prepare(const struct channel *c, const char *account, const struct lt_content *content,
	struct prepared **ret, struct err *e) MUST_CHECK; /* without renditions */
int channel_compose(const struct channel *c, const char *account, struct prepared *p,
	const struct lt_target *t, struct payload **ret, struct err *e) MUST_CHECK;

/* Dispatch side. */
/* Starts n ops of one batch key (n > 1 only with LT_CAP_BATCH). Intents of adapters with LT_CAP_INTENT_AT_START are committed by the
 * caller before. 0, or -EAGAIN (no session or credit: nothing started). */
int channel_start(struct chan_account *a, struct chan_op **ops, size_t n) MUST_CHECK;
void channel_op_go(struct chan_op *op,
	bool go); /* answer to op_intent: true after the commit; false: stopped, LT_EV_CANCEL */
void channel_op_cancel(
	struct chan_op *op); /* stop before the next publishing byte; op_done follows, honestly */
/* Answer to save, receipt, inbound, secret_put, refresh_intent. False: nobody waits for it any more. */
bool channel_saved(struct channels *cs, uint64_t ticket, int error);
void channel_limit(struct chan_account *a,
	uint32_t
		ops); /* how many ops dispatch will keep there: sessions open or close to fit; 0: let go */
/* How many publishing bytes-in-flight ops of this account the kernel already may have: what a stop cannot take back. */
size_t channel_ops_on_wire(struct chan_account *a);
bool channel_op_on_wire(const struct chan_op *op);
/* A stop met it on the wire: it goes on to its end, but what it asks for from now on must not publish, not even once more. */
void channel_op_stop(struct chan_op *op);
/* --- channel_jobs.c: questions about many deliveries ------------------------------------------------------------------------- */
struct chan_item { /* borrowed for the call */
	uint64_t delivery;
	uint32_t flags; /* LT_ITEM_* */
	struct str ref, address;
	const struct lt_id *ids;
	size_t n_ids;
	int64_t since_ms; /* wall: when it was sent */
};
/* LT_J_POLL or LT_J_STATS: what is learnt comes by the events receipt and stat; then done, never inside this call. -ENOTSUP: the
 * adapter does not know it; -EBUSY: closing. */
int channel_ask(struct chan_account *a, uint32_t kind, const struct chan_item *items, size_t n,
	int64_t timeout_ms, void (*done)(void *ctx, const struct chan_result *r),
	void *ctx) MUST_CHECK;

/* --- channel_webhook.c: what a provider calls ------------------------------------------------------------------------------- */
#define WEBHOOKS_MAX \
	64 /* under way at once, over all channels; `at_once` bounds each channel below it */
#define WEBHOOK_REPLY_MAX  65536u
#define WEBHOOK_SECRET_MIN 24u
struct chan_request {                               /* borrowed for the call */
	struct str method, path, query, peer, body; /* path: without its secret */
	const struct lt_pair *headers;
	size_t n_headers;
};
typedef void chan_answer_fn(void *ctx, int status, struct str content_type, struct str body);
/* A job of `a`; with `any_account` (the path named none) what it reports is looked up in all accounts of the channel. `answer`
 * comes once, never inside this call, and not before everything that the job reported is committed: the adapter's reply, or
 * 503 when that could not be stored, or when the adapter ended or was silent past the timeout. -EBUSY: too many at once, or
 * closing; -ENOTSUP: the adapter takes none. */
int channel_webhook(struct chan_account *a, bool any_account, const struct chan_request *r,
	chan_answer_fn *answer, void *ctx) MUST_CHECK;
struct str channel_webhook_secret(
	const struct channel *c); /* of the path; empty: none configured */
struct chan_account *channel_account_at(struct channel *c, size_t i); /* NULL: no more */

/* Rotates a credential of the channel although nobody asked (it will expire soon). 0; -ENOENT no account has it; -EAGAIN closing or under way. */
int channel_refresh(struct channel *c, const char *credential) MUST_CHECK;
/* First values of a rotating credential among the secrets of files: `refresh_token` and `access_token` of an account, or one
 * of the credential's own name. They are never handed to the adapter, only the newest that was stored is. False: none. */
bool channel_secret_first(
	struct channel *c, const char *credential, const char *name, struct str *ret);
/* Probe of an account (LT_J_CHECK): answer text and facts by callback, exactly once, never from inside. */
void channel_check(
	struct chan_account *a, void (*done)(void *ctx, const struct chan_result *r), void *ctx);
/* A person's consent (LT_J_LOGIN). Without a code: the consent page comes in r->url. With one it is exchanged for the first pair. The
 * code is copied into locked memory. */
void channel_login(struct chan_account *a, struct str code,
	void (*done)(void *ctx, const struct chan_result *r), void *ctx);

#endif
