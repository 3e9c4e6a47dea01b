/* conf.h - the configuration as structs. Read from YAML, one table row per key, every wrong key or value refused with file,
 * line and the nearest right name. A struct conf is immutable once loaded, shared read-only by all threads, refcounted;
 * a reload makes a new one and swaps it whole, or changes nothing.
 * Durations are milliseconds, sizes bytes, unless a name says otherwise. Strings are owned by the conf, NULL where optional and absent.
 */
#ifndef LANTOA_CONF_CONF_H
#define LANTOA_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/log.h"
#include "base/crypt.h"
#include "model/cast.h"
#include "model/money.h"
#include "model/state.h"
#include "model/zone.h"

#define CONF_CHANNELS_MAX 256
#define CONF_ACCOUNTS_MAX 4096 /* over all channels */
#define CONF_PEOPLE_MAX   1000
#define CONF_STEPS_MAX    8
/* Bytes of names. Whoever works with them has room for so many: a longer one would be cut there, and found by nobody. */
#define CONF_NAME_MAX   63 /* of a channel, an account, a credential, a limit group */
#define CONF_CLASS_MAX  47
#define CONF_PERSON_MAX 79
#define CONF_DRAWS_MAX  8  /* limit groups of an account */
#define CONF_PUSH_MAX   16 /* push_program: its path and arguments */

struct conf_pair {
	char *name, *value;
	int line;
};
struct conf_strv {
	char **v;
	size_t n;
};
/* Allowed hours: minutes of the day in the configured zone, by weekday bits (bit 0 Monday). Empty: always. */
struct conf_hours {
	struct conf_hours_span {
		uint8_t days;
		uint16_t from_min, to_min; /* to > from; to <= 1440 */
	} span[16];
	size_t n;
};
struct conf_person {
	char *name;            /* as audit and approvals show it */
	char *user;            /* login name, or NULL */
	int64_t uid;           /* -1: by user name */
	unsigned roles;        /* enum role bits */
	char *office;          /* sees and changes only it and below; NULL: all */
	bool gateway;          /* may state whom it has authenticated */
	char *key_fingerprint; /* evidence when coming through a gateway */
};
struct conf_step { /* one step of the approval policy */
	char *name;
	unsigned role; /* who may give it; default ROLE_APPROVER */
};

enum conf_unknown_then { UNKNOWN_THEN_DOUBT = 0, UNKNOWN_THEN_ASSUME_ACCEPTED = 1 };

/* What a lane obeys. Defaults of the channel; `classes` may override single values. */
struct conf_lane {
	double rate_per_s;    /* 0: no limit of its own */
	double burst;         /* so many at once after a pause */
	uint32_t concurrency; /* ceiling for adaptive concurrency */
	uint32_t intents_max; /* <= 1024 */
	struct conf_hours hours;
	int64_t min_gap_ms; /* between two deliveries to one contact */
	uint32_t tries_max;
	int64_t max_age_ms;
	int64_t backoff_ms[16]; /* base of each retry; full jitter on top; the last one repeats */
	size_t n_backoff;
	int64_t urgent_backoff_ms[16]; /* for emergency category and urgent priority */
	size_t n_urgent_backoff;
	int64_t op_timeout_ms;
	int64_t receipt_wait_ms; /* 0: lane has no receipts */
	int64_t unknown_max_ms;
	int64_t unknown_max_urgent_ms; /* of emergency category and urgent priority; 0: as unknown_max */
	int64_t ask_every_ms;          /* reconciliation pause, doubling */
	enum conf_unknown_then unknown_then;
	uint32_t breaker_failures; /* lane troubles in a row that open the breaker */
	int64_t breaker_pause_ms, breaker_pause_max_ms;
	bool bulk;                  /* exchange record only for outcomes other than accepted */
	struct money_limits limits; /* of each lane; used up: it waits for the next day or month */
};
struct conf_class {
	char *name;
	struct conf_lane lane;
};
struct conf_secret { /* a named secret: where it comes from, never its value */
	char *name;
	char *file; /* 0600/0400, or $CREDENTIALS_DIRECTORY/name when `credential` */
	bool credential;
	bool unseen; /* conf_load_by_hand: it cannot be read here; adapters are opened without it */
	int line;
};
struct conf_tls {
	char *ca_file, *cert_file, *key_file;
	bool insecure_loopback; /* accept any certificate, loopback hosts only */
};
struct conf_limit_group { /* a bucket that several lanes draw from */
	char *name;
	double rate_per_s, burst;
};
struct conf_net { /* addresses of peers: one, or a block such as 10.0.0.0/8; IPv4 as ::ffff:a.b.c.d */
	uint8_t addr[16], bits;
};
struct conf_nets {
	struct conf_net *v;
	size_t n;
};
struct conf_webhook { /* what the provider calls: /w/CHANNEL/SECRET[/ACCOUNT] of the public listener */
	struct conf_secret secret; /* of the path; name NULL: the channel has no webhook */
	struct conf_nets allow;    /* who may call; empty: anybody who knows the path */
	struct conf_nets proxies;  /* whose X-Forwarded-For names the caller */
	int64_t body_max_bytes;
	int64_t timeout_ms; /* for the adapter to reply, else 503 */
	uint32_t at_once;   /* jobs under way; over it 503 */
};
struct conf_poll {          /* receipts by asking */
	int64_t every_ms;   /* 0: never */
	int64_t max_age_ms; /* accepted deliveries older than this are not asked about any more */
	uint32_t batch;
};
struct conf_stats {       /* numbers of what was published */
	int64_t every_ms; /* 0: never */
	int32_t at_min; /* minute of the day in the configured zone, instead of `every`; -1: none */
	int64_t for_ms; /* how long after it was published a thing is looked at */
	uint32_t batch;
};
struct conf_inbound {    /* what people and providers send to us */
	int64_t keep_ms; /* their texts are kept so long */
	/* words that mean yes to a question whether advertising may come; none given: those of optin_read */
	struct conf_strv opt_in;
	struct conf_strv
		opt_out; /* words that mean "no more"; none given: those of optout_words_default */
	bool no_opt_out; /* `opt_out: []`: texts are never read as an opt-out */
};
struct conf_account {
	char *name;
	char *identity; /* page id, "oa:…", relay login: must equal a page or oa address that routes here */
	char *credential;           /* name of the rotating credential, NULL: none */
	struct conf_pair *settings; /* override the channel's */
	size_t n_settings;
	struct conf_secret *secrets;
	size_t n_secrets;
	struct conf_strv limit_groups;
	char *backup; /* "channel/account" that takes over what certainly was not sent; NULL: none */
	int64_t backup_after_ms; /* so long without an acceptance and in trouble, until it does */
	struct cast_limits broadcasts; /* ask conf_broadcasts; as written + 1, 0: the channel's */
};
struct conf_channel {
	char *file; /* for messages */
	char *name;
	enum chan_kind kind;
	char *adapter;
	struct conf_pair *
		settings; /* adapter keys; checked against the adapter's table at load of the adapter */
	size_t n_settings;
	struct conf_pair *
		files; /* data tables: name -> path (relative to the file that names it, made absolute) */
	size_t n_files;
	struct conf_secret *secrets;
	size_t n_secrets;
	struct conf_account **accounts;
	size_t n_accounts;
	struct conf_lane lane;
	struct conf_class *classes;
	size_t n_classes;
	struct conf_limit_group *groups;
	size_t n_groups;
	struct conf_tls tls;
	char *proxy;
	char *exec; /* program of LT_EXEC streams */
	struct conf_webhook webhook;
	struct conf_poll poll;
	struct conf_stats stats;
	struct conf_inbound inbound;
	struct conf_hours broadcast_hours; /* beside the hours of the lane */
	struct cast_limits broadcasts;     /* of each account, likewise; 0: not said */
	int64_t exchange_keep_ms;
	bool correct_edit; /* a correction edits what stands, where the adapter can; else it is a message of its own */
	int64_t refresh_lead_ms; /* a rotating credential is refreshed so long before it expires; 0: a fifth of its life */
	bool loopback_only; /* set for every channel of a demo database */
};
struct conf_route { /* (kind, office) -> (channel, account); office NULL: the kind's default */
	enum chan_kind kind;
	char *office, *channel, *account;
	int line;
};
struct conf_category_rule {
	enum category category;
	struct conf_hours hours;
	uint32_t
		per_recipient; /* at most so many to one recipient of a kind within per_window_ms; 0: no limit */
	int64_t per_window_ms;
	bool consent; /* only to who has agreed; a message that asks ([DKQC]) to everybody else, once */
	int64_t consent_in_ms; /* a bare yes counts as the answer for so long */
};
/* Money and messages of a scope; the first that is used up stops what it covers. */
struct conf_budget {
	char *channel, *account, *class, *office,
		*campaign; /* NULL: any; an office with all below it */
	struct money_limits limits;
	bool waits, waits_set; /* else: used up, it is held for a person */
	char *name;            /* "office dien-bien" */
	int line;
};

struct conf {
	uint32_t magic;
	int refs;
	char *path;
	struct zone zone;
	char *state_dir, *runtime_dir, *socket_path, *adapter_dir, *staging_dir;
	char *key_file; /* master key; or a systemd credential of the name "master-key" */
	bool key_credential;
	char *secret_key_file; /* key that seals credentials, made by `key rotate`; NULL: the master key seals them for good */
	char *token_mirror; /* folder that gets a sealed copy of each rotated credential; NULL: none */
	bool trial;
	struct conf_strv
		allow_only; /* trial mode: addresses, "@domain" or ".domain" suffixes, "+8491*" beginnings; only these are contacted */
	char *public_url;   /* unsubscribe, assets, webhooks as the world sees them; NULL: none */
	bool push_assets; /* public assets go to push_program, which says their address; else we serve them under public_url */
	struct conf_strv push_program; /* path and arguments */
	struct conf_strv own_domains;  /* links of texts and `link:` may go only here */
	char *link_proxy,
		*link_ca_pem; /* how lantoad itself asks for pages; a URL, a PEM text; NULL: directly, the system's CAs */
	char *listen_public, *listen_private; /* "127.0.0.1:8480"; NULL: off; port 0: any */
	enum log_level log_level;
	struct conf_person *people;
	size_t n_people;
	struct conf_step *steps; /* approval policy; default: one step "approve" by an approver */
	size_t n_steps;
	struct conf_category_rule *category_rules;
	size_t n_category_rules;
	struct conf_budget *budgets;
	size_t n_budgets;
	struct conf_channel **channels;
	size_t n_channels;
	struct conf_route *routes;
	size_t n_routes;
	/* store */
	int64_t free_floor_bytes, ballast_bytes, wal_max_bytes, exchange_keep_ms, fence_after_ms;
	/* rules */
	int64_t growth_percent,
		growth_count; /* audience growth that holds a part: over both (5, 20) */
	int64_t similar_days; /* a title or picture equal to another release of these days is warned of (7) */
	struct {
		int hard, hard_mailbox_off, domain, soft;
		int64_t hard_mailbox_off_ms, domain_ms, soft_ms;
	} suppress;          /* contract e-mail 3.3 */
	double urgent_share; /* of a lane; 0.8 */
};

/* Loads path and channels.d beside it (key channels_dir). 0 or a negative code with the reason in e. */
int conf_load(const char *path, struct conf **ret, struct err *e) MUST_CHECK;
/* The same for a person at a terminal: secrets that only the service manager gives are not looked at where it gave none; *ret_unseen
 * says how many. Such a configuration is for no daemon. */
int conf_load_by_hand(
	const char *path, struct conf **ret, size_t *ret_unseen, struct err *e) MUST_CHECK;
struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c); /* NULL allowed */
/* conf_link.c. Host of an http or https address at the beginning of s, absent: it is none; with all that stands before the path where
 * that is not plainly a host. conf_own_domain: it is one of own_domains or below one. */
struct str conf_link_host(struct str s);
bool conf_own_domain(const struct conf *c, struct str host);
DEFINE_CLEANUP(conf_unref, struct conf *)
const struct conf_channel *conf_channel_find(const struct conf *c, const char *name);
/* What an account of the channel may broadcast; from_day is always said. */
struct cast_limits conf_broadcasts(const struct conf_channel *ch, const struct conf_account *a);
const struct conf_account *conf_account_find(const struct conf_channel *ch, const char *name);
/* The lane settings of a class of a channel: the class's own, else the channel's. */
const struct conf_lane *conf_lane_of(const struct conf_channel *ch, const char *class_name);
/* Who takes over from this account, NULL: nobody. conf_backup.c. */
const struct conf_account *conf_backup_of(const struct conf *c, const struct conf_account *a,
	const struct conf_channel **ret_channel);
/* Nearest ancestor first: codes[0] is the office itself, then its parents. NULL when no route exists. */
const struct conf_route *conf_route_find(
	const struct conf *c, enum chan_kind kind, const char *const *codes, size_t n);
const struct conf_person *conf_person_by_uid(
	const struct conf *c, int64_t uid, const char *login); /* NULL: stranger */
const struct conf_person *conf_person_by_name(const struct conf *c, const char *name);
bool conf_trial_allows(const struct conf *c, const char *address); /* true when not in trial mode */
const struct conf_category_rule *conf_category_find(
	const struct conf *c, int category); /* NULL: no rule */
/* The rules in force as one line, for the audit; conf_policy.c. */
struct buf;
void conf_policy_text(const struct conf *c, struct buf *b);
/* Is this address (text, IPv4 or IPv6) one of them? Nothing is one of none. conf_jobs.c. */
bool conf_nets_have(const struct conf_nets *n, const char *address);
/* Reads the value of a secret (blocking, worker or start-up only): mode and owner checked. */
int conf_secret_read(const struct conf_secret *s, struct secret **ret, struct err *e) MUST_CHECK;

#endif
