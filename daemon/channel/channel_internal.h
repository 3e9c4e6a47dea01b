/* channel_internal.h - what the files of channel/ share. Loop thread but where said otherwise.
 * A job is what the adapter runs: memory of the host with the adapter's priv behind it. Sessions and ops are jobs; an op's job
 * hangs in its session. User callbacks go through the queue of struct channels and run in its task, at the end of the turn.
 */
#ifndef LANTOA_CHANNEL_INTERNAL_H
#define LANTOA_CHANNEL_INTERNAL_H

#include <string.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "channel/channel.h"

#define CHANNELS_MAGIC         0x43484e53u
#define JOB_MAGIC              0x4a4f4231u
#define STREAM_MAGIC           0x53545231u
#define JOB_WAKES_MAX          8
#define JOB_GRACE_MS           2000 /* between CANCEL at the deadline and the end of the session */
#define SESSION_STREAMS_MAX    256
#define ACCOUNT_SESSIONS_MAX   1024
#define SESSION_BACKOFF_MIN_MS 500
#define SESSION_BACKOFF_MAX_MS 60000
#define SESSION_SHUT_MS        300000 /* for a session without ops to go when it is told to */
#define SECRETS_MAX            100
#define ASSET_URL_MAX          1000
#define ROTATED_MAX            16 /* names of a credential that rotates */
#define REFRESH_WAITERS_MAX    4096
#define REFRESH_MS             60000
#define PAUSE_MAX_MS \
	(INT64_C(366) * 86400000) /* no provider asks for more: times are added to it */

struct job_probe;

struct chan_settings { /* checked settings of one account, as the adapter sees them; immutable: any thread */
	struct lt_conf conf;
	struct lt_pair *values, *files;
	size_t n_values, n_files;
};

struct chan_secret {
	const char *name; /* of the conf */
	struct secret *value;
};

struct chan_rotated { /* the newest that was asked for: lent to the adapter until it returns */
	char name[64];
	struct secret *value;
	struct secret *was; /* the one before: an answer on its way may hold it */
	uint64_t version;
};

struct channel {
	struct channels *cs;
	const struct conf_channel *conf;
	void *dl;
	const struct lt_adapter *ad;
	struct lt_inst *inst; /* one an account: accounts differ in settings */
	struct chan_account **accounts;
	size_t n_accounts;
	char *ca_pem, *cert_pem, *key_pem; /* owned text of the conf's files */
	struct net_profile profile;
	size_t open_insts;
	struct secret *hook_secret; /* of the webhook's path; NULL: none */
	uint32_t hooks;             /* webhook jobs under way */
	int64_t refused_until; /* monotonic: the provider takes no calls of the channel before */
};

struct chan_session;

struct chan_account {
	struct channel *ch;
	const struct conf_account *conf;
	struct chan_settings settings;
	struct lt_inst inst;
	struct lt_host host; /* ctx is this account */
	bool inst_open;
	struct chan_secret secrets[SECRETS_MAX];
	size_t n_secrets;
	struct chan_rotated rotated[ROTATED_MAX];
	struct list sessions;            /* idle ones first where they are not shared */
	uint32_t limit, credits, n_open; /* n_open: not shutting down */
	bool dirty, refit;      /* credits to be told; sessions to be fitted to the limit */
	struct list dirty_node; /* cs->dirty */
	char said[200];         /* what it logged last while it was opened */
	int64_t backoff_ms;
	struct timer again;    /* next session after a failure */
	int64_t refused_until; /* as the channel's, of this account */
	void *user;
	size_t ops;
};

struct chan_stream {
	uint32_t magic, id;
	struct job *owner;      /* NULL once it is over */
	struct list node;       /* owner->streams */
	struct net_stream *net; /* NULL once closed */
	uint64_t flushed;       /* final, once closed */
	uint32_t refs;          /* the session's list, and jobs that published on it */
	bool closed;
};

struct job_wake {
	struct timer timer;
	struct job *job;
	uint64_t token;
	bool used;
};

struct job_http {
	struct list node; /* job->https */
	struct job *job;
	struct net_call *call;
	uint64_t token;
	bool publishes, repeatable, secret_answer;
	struct job **whose; /* owned; those it publishes for */
	size_t n_whose;
};

struct job {
	struct lt_job pub; /* first: the adapter's pointer is ours */
	uint32_t magic;
	struct chan_account *acct;
	struct chan_session *session; /* of an op; NULL for jobs beside sessions */
	struct list node;             /* session->ops */
	struct chan_op *op;
	struct lt_work work;
	struct job_wake *wakes; /* JOB_WAKES_MAX, made when first used */
	struct timer deadline;
	struct list https, streams;
	uint32_t n_streams;
	bool finished, cancelled, intent_open, intent_asked;
	bool stopped; /* what is on the wire ends as it may; no further request of it publishes */
	struct refresh *refresh;    /* of LT_J_REFRESH */
	bool late;                  /* over its deadline: told to stop, or cut after JOB_GRACE_MS */
	bool publishing;            /* a publishing byte was handed to net */
	bool sent, sent_repeatable; /* on an earlier stream one may have left */
	uint32_t http_out, http_out_repeatable; /* publishing requests that may have left */
	uint32_t http_open;       /* of http_out: without an answer or its failure yet */
	struct chan_stream *wire; /* stream it published on last */
	uint64_t
		wire_start; /* of its first publishing write there: a byte beyond it may be the one that publishes */
	bool wire_repeatable;
	void (*check_done)(void *ctx, const struct chan_result *r);
	void *check_ctx;
	struct webhook *hook;    /* of LT_J_WEBHOOK; owned */
	void *aside;             /* of LT_J_POLL, LT_J_STATS: what is asked; owned, one block */
	struct job_probe *probe; /* of a check or login; owned */
	uint32_t holds;          /* queue entries and adapter calls that name it */
};

struct chan_session {
	struct job job;   /* first */
	struct list node; /* account->sessions */
	struct list ops;
	uint32_t n_ops, credits, counted; /* counted: its share in the account's credits */
	bool shutting, touched, ended, worked;
	int64_t since_ms;       /* monotonic: when it was opened */
	struct list touch_node; /* cs->touched */
};

/* What goes to the user at the end of the turn. */
enum note_kind {
	NOTE_DONE,
	NOTE_INTENT,
	NOTE_SAVE,
	NOTE_RECEIPT,
	NOTE_INBOUND,
	NOTE_TROUBLE,
	NOTE_CHECK,
	NOTE_RATE,
	NOTE_REPLY,
	NOTE_REFRESHED, /* a refresh is over */
	NOTE_SECRET     /* to a job: the refresh that it waited for is over */
};
#define NOTE_IDS_MAX 24
struct note {
	struct list node;
	enum note_kind kind;
	struct chan_account *acct;
	struct chan_op *op;
	struct job *job; /* NOTE_SECRET */
	int error;
	struct chan_result result;
	struct str name;
	bool repeatable;
	bool whole_channel; /* receipt, inbound of a webhook whose path named no account */
	uint64_t ticket;
	struct lt_receipt receipt;
	struct lt_inbound inbound;
	struct lt_rate rate;
	void (*check_done)(void *ctx, const struct chan_result *r);
	void *check_ctx;
	struct job_probe *probe; /* owned */
	chan_answer_fn
		*answer; /* NOTE_REPLY: error is the status, name the type, result.text the body */
	struct lt_str list[NOTE_IDS_MAX]; /* of a receipt: ways of writing one id */
	struct lt_id ids[16];
	size_t text_n;
	char text[]; /* owns the strings */
};

struct ticket { /* an adapter that waits for a commit, or a refresh that does */
	struct job *job;
	uint64_t token;
	struct refresh *refresh;
};
struct refresh { /* one credential being rotated; whoever asks meanwhile waits for the same one */
	struct list node; /* cs->refreshes */
	struct chan_account *acct;
	struct job *job; /* LT_J_REFRESH; NULL until its intent is committed */
	struct job **waiters;
	size_t n_waiters;
};

struct channels {
	uint32_t magic;
	struct env *env;
	struct net *net;
	struct conf *conf;
	char *assets_dir;
	struct channel_events ev;
	struct channels_opts o;
	struct channel **list;
	size_t n;
	uint64_t job_seq, ticket_seq;
	struct map64 *tickets, *streams;
	uint32_t stream_seq;
	struct list notes, touched, dirty, beside; /* beside: jobs outside of sessions */
	struct list refreshes;
	struct task task;
	unsigned depth;     /* inside an adapter */
	struct list graves; /* jobs to free when nothing is on the stack */
	bool closing;
	struct timer close_timer;
	void (*closed)(void *ctx);
	void *closed_ctx;
	size_t jobs; /* live */
	size_t streams_open;
	size_t slices;                 /* reads of assets under way */
	char asset_url[ASSET_URL_MAX]; /* the last that was asked for: lent until the next */
	size_t hooks;                  /* webhook jobs under way */
};

/* channel_load.c */
int adapter_load(const char *dir, const char *name, bool owner_ok, void **ret_dl,
	const struct lt_adapter **ret, struct err *e) MUST_CHECK;
/* After it was loaded. True: another file lies there now than the one that runs. */
bool adapter_replaced(const char *dir, const char *name);
int account_refused(const struct chan_account *a, struct err *e);
int adapter_probe(const char *dir, const char *name, bool owner_ok, const struct conf_channel *ch,
	struct err *e) MUST_CHECK;
/* channel_conf.c */
int settings_make(const struct lt_adapter *ad, const struct conf_channel *ch,
	const struct conf_account *a, struct chan_settings *ret, struct err *e) MUST_CHECK;
void settings_done(struct chan_settings *s);
int secrets_read(struct chan_account *a, struct err *e) MUST_CHECK;
/* channel_secret.c */
int account_secret(struct chan_account *a, struct lt_str name,
	struct str *ret); /* good until the adapter returns; -ENOENT */
int account_secret_version(
	struct chan_account *a, struct lt_str name, struct str *ret, uint64_t *ret_version);
int refresh_ask(struct job *j, struct lt_str credential, uint64_t version_seen);
void refresh_committed(struct refresh *r, int error); /* the word that it begins */
void refresh_ended(struct job *j, const struct lt_result *r);
void rotated_done(struct chan_account *a);
/* channel_mask.c */
void mask_add(const struct chan_account *a, struct buf *b, struct str s,
	size_t max); /* the first max bytes, secrets left out */
bool mask_finds(const struct chan_account *a, struct str s, size_t max);
/* s itself where no secret stands in it, else its first max bytes without them, in b */
struct lt_str mask_text(const struct chan_account *a, struct buf *b, struct lt_str s, size_t max);
/* channel_probe.c */
void probe_free(struct job_probe *p); /* NULL allowed */
void probe_fact(struct job *j, struct str name, int64_t value);
void probe_rate(struct job *j, const struct lt_rate *r);
void probe_tell(struct note *n); /* NOTE_CHECK */
/* channel_host.c */
void host_fill(struct chan_account *a);
/* channel_job.c */
struct job *job_new(struct chan_account *a, uint32_t kind, size_t priv_size, size_t head_size);
/* Hands jobs to their adapter; its verdict. */
int jobs_start(struct chan_account *a, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n) MUST_CHECK;
void job_event(
	struct job *j, const struct lt_event *ev); /* into the adapter; its failure ends the job */
void job_end(struct job *j, const struct lt_result *r, bool by_host); /* exactly once */
void job_end_by_rule(struct job *j, int code,
	const char *text); /* the host's own word: unknown, or proven not sent */
bool job_maybe_published(const struct job *j);
int64_t sane_pause(int64_t ms);
void job_published_on(struct job *j, struct chan_stream *st, uint64_t start, bool repeatable);
void job_free_later(struct job *j);
int job_wake_at(struct job *j, int64_t at, uint64_t token);
struct job *job_of(struct lt_job *j); /* NULL when it is none of ours or is over */
void job_unref_wire(struct job *j);
uint64_t ticket_new(struct channels *cs, struct job *j, uint64_t token);
struct note *note_new(struct channels *cs, enum note_kind kind, size_t text_max);
struct str note_bytes(struct note *n, struct lt_str s, size_t cut);
/* What a provider said comes through here: as UTF-8, whatever the provider takes for it. */
struct str note_text(struct note *n, struct lt_str s, size_t cut);
void note_send(struct channels *cs, struct note *n);
void channels_kick(struct channels *cs);
void channels_turn(struct task *t);
/* channel_session.c */
void session_touch(struct chan_session *s);
void job_touch(struct job *j); /* its session, if it has one */
void session_ended(struct chan_session *s, const struct lt_result *r);
void account_sessions(struct chan_account *a); /* opens or closes to fit the limit */
void session_count(struct chan_session *s);    /* its share in the account's credits anew */
void account_dirty(struct chan_account *a);
void account_turn(struct chan_account *a); /* end of the turn: fits sessions, tells credits */
void account_init(struct chan_account *a);
void session_shutdown(struct chan_session *s);
void session_overdue(struct chan_session *s); /* it was told to go some time ago */
void channels_closed_if_done(struct channels *cs);
/* channel_stream.c */
int stream_open(
	struct chan_account *a, struct job *j, const struct lt_stream_req *req, uint32_t *ret);
int stream_write(struct channels *cs, uint32_t id, const struct lt_src *src, size_t n,
	uint32_t flags, struct lt_job *const *whose, size_t n_whose, uint64_t *ret_end);
void stream_close(struct channels *cs, uint32_t id, bool reset);
void streams_drop(struct job *j); /* reset what is left; no event reaches the adapter any more */
void stream_unref(struct chan_stream *st);
/* channel_webhook.c */
int webhook_secret_read(
	struct channel *c, struct err *e) MUST_CHECK; /* checks what the conf says of it */
int webhook_reply(struct job *j, int32_t status, struct lt_str type, struct lt_str body);
bool webhook_any_account(const struct job *j);
void webhook_ticket(struct job *j); /* it waits for one more commit */
void webhook_saved(struct job *j, int error);
void webhook_over(struct job *j); /* the job has ended */
void webhook_free(struct job *j);
/* channel_jobs.c */
void asks_cut(struct channels *cs);
/* channel_http.c */
int http_start(struct chan_account *a, struct job *j, const struct lt_http_req *req);
void http_cancel_all(struct job *j);
/* channel_address.c: a sink that takes nothing */
struct lt_sink sink_base(void *ctx);
/* channel_asset.c */
int asset_url(struct chan_account *a, struct job *j, struct lt_str asset, int64_t lives_ms,
	struct lt_str *ret);
struct arena;
/* The skeleton needs the address of this asset; each is kept once. 0, -LT_E_INVALID, -LT_E_FULL. */
int prepared_link_add(
	struct prepared *p, struct arena *a, const struct lt_content *content, struct lt_str asset);
const char *links_refused(const struct conf *c); /* why no file can go as a link; NULL: it can */
/* channel_slice.c: asset slices as sources for net, read ahead on workers */
struct net_source *slice_new(struct channels *cs, struct lt_str asset, uint64_t offset,
	uint64_t length, uint32_t encode, int *ret_rc);
/* segs: n entries; sources among them are owned by the caller until handed to net */
int srcs_to_segs(struct chan_account *a, const struct lt_src *src, size_t n, struct net_seg *segs);
void segs_release(struct net_seg *segs, size_t n);
/* 0; or -LT_E_NOINTENT, and those that had no right to publish are ended. */
int publishing_check(struct job *const *whose, size_t n);
bool host_is_loopback(struct str host);
bool url_is_loopback(struct str url);
/* `insecure_loopback`: this machine may show any certificate; not where a proxy says which machine that is. */
static inline bool any_certificate_here(const struct channel *c)
{
	return c->conf->tls.insecure_loopback && !c->conf->proxy;
}

/* The bytes that both sides know of a struct that the other side gave. */
static inline void known_copy(void *dst, size_t size, const void *src, uint32_t src_size)
{
	memset(dst, 0, size);
	memcpy(dst, src, src_size < size ? src_size : size);
	memcpy(dst, &(uint32_t){ (uint32_t)size }, sizeof(uint32_t));
}

static inline struct str s_of(struct lt_str s)
{
	return (struct str){ s.p, s.n };
}
static inline struct lt_str lt_of(struct str s)
{
	return (struct lt_str){ s.p, s.n };
}

#endif
