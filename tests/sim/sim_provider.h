/* sim_provider.h - one provider of the simulation: it answers requests and byte streams of the scripted network, and keeps a ledger of
 * what was truly published. Whether an effect took place is decided when the bytes are seen, in memory that outlives a crash.
 * Thread: the simulation's. All chance comes from the seed. A connection and what waits to be said on it die with the process, as
 * sockets do; what a provider will report later (struct sim_later) lives on, and is said again until it was taken.
 */
#ifndef LANTOA_TESTS_SIM_PROVIDER_H
#define LANTOA_TESTS_SIM_PROVIDER_H

#include "sim.h"

enum fate { /* of one publishing request or command */
	FATE_OK = 0,
	FATE_REFUSED,
	FATE_TEMPORARY,
	FATE_THROTTLED,
	FATE_NO_LINE,     /* the connection is refused: not one byte leaves */
	FATE_LOST_BEFORE, /* bytes left, no effect, no answer */
	FATE_LOST_AFTER,  /* the effect took place, the answer was lost */
	FATE_GARBAGE,
	FATE_BROKEN, /* the provider says that something is wrong with itself */
	FATE_SILENT,
	FATE_SLOW, /* answers after an hour */
	FATE_HALF, /* a piece of the answer, then the rest or the end */
	FATE_FATES
};

struct sim_provider {
	const char *name, *kind, *adapter;
	int chan_kind;                       /* enum chan_kind */
	const char *form;                    /* of its addresses */
	const char *(*form_of)(int contact); /* where they have several forms; else NULL */
	int timeout_s;                       /* of a lane; 0: 20 */
	bool per_office;                     /* an account an office; else one, `relay` */
	bool people;   /* beside the offices' own addresses there are others */
	bool pictures; /* its releases are bundles with a cover */
	bool names_ref; /* reports name our ref: also that of a copy whose answer was lost finds it */
	size_t state_size;       /* of what outlives a crash; zeroed at the beginning of a seed */
	void (*begin)(int slot); /* of a seed: what is drawn for its state; may be NULL */
	/* What stands between `adapter:` and `lane:`. */
	void (*conf)(int slot, struct buf *b);
	void (*address)(int contact, int office, char *ret, size_t size);
	bool (*owns)(const char *url);
	void (*http)(int slot, size_t call, struct fakenet_call *c);
	uint16_t port;    /* of its streams; 0: none */
	size_t conn_size; /* of a connection's own memory, a struct sim_conn first */
	const char *greeting;
	void (*stream)(int slot, struct fakenet_stream *s, struct str fresh);
	/* A restore made the daemon forget a copy that went out: its number is `to` from now on (0: none). May be NULL. */
	void (*forgotten)(int slot, int64_t id, int64_t to);
	void (*booted)(int slot);         /* the store is open, and nothing runs yet; may be NULL */
	void (*restored)(int slot);       /* the daemon is put back; may be NULL */
	void (*due)(struct sim_later *l); /* something that it said it would do */
	/* A person does what this provider asks for; true: something was begun. May be NULL. */
	bool (*person)(int slot);
};
extern const struct sim_provider sim_loopback, sim_sms_http, sim_email, sim_smpp, sim_facebook,
	sim_zalo;
/* The table that sim_profile.provider counts in. */
extern const struct sim_provider *const sim_providers[];
const struct sim_provider *provider_of(int slot);
int provider_slot_of(const char *url);   /* whose address this is; -1: nobody's */
bool provider_is_spare(const char *url); /* slot 1's second gateway */
/* A request for a token: never sent twice, as a post is, but nobody's message and in nobody's lane. */
bool provider_is_for_token(const char *url);
/* Draws who plays each slot; SIM_PROVIDERS=a,b says it instead. Called once a seed. */
void provider_draw(void);

struct sim_conn { /* first in a connection's memory */
	int slot;
	int64_t say_at; /* not before: what is said stays in order */
};

enum fate provider_fate(void); /* FATE_OK where nothing goes wrong, and at the end */
bool provider_fault(
	int mille_of_faults); /* a further thing goes wrong, so many times in a thousand faults */
bool provider_has_effect(enum fate f);
const char *provider_fate_name(enum fate f);
int64_t provider_delay(void);
/* Publishing bytes for this contact have left; `text` is all of them. Checks that they may. Returns the delivery. */
int64_t provider_publish(int contact, const char *text, size_t n);
int64_t provider_publish_cast(
	int contact, const char *text, size_t n); /* a broadcast of such a text */
/* The ledger: this delivery was published once more. */
void provider_effect(int64_t delivery);
void provider_effect_again(int64_t delivery); /* by a request that may be repeated as it is */
/* HTTP: status and body for FATE_OK are the caller's; the rest as `fate` says. `body` is copied. */
void provider_answer(size_t call, int status, const char *body, int64_t after_ms);
void provider_lose(size_t call, enum fate f);
/* Streams: said after `ms`, behind all that was said before. */
void provider_say(struct fakenet_stream *s, const void *p, size_t n, int64_t ms);
void provider_say_anyhow(
	struct fakenet_stream *s, const void *p, size_t n, int64_t ms); /* others may overtake it */
void provider_cut(struct fakenet_stream *s, int64_t ms);
void provider_say_garbage(struct fakenet_stream *s, int64_t ms);
/* Something to do by itself, some time; false: too many, it is forgotten (a receipt that never comes). */
bool provider_later(int slot, int kind, int64_t after_ms, int64_t delivery, const char *id);
/* One or two, now or late, as the seed says, that `delivery` arrived or failed. Kinds are SIM_SAID_*. */
void provider_report(int slot, int64_t delivery, const char *id);
/* It was taken: never said again. */
void provider_thanked(struct sim_later *l);
/* The value behind `name` in "a=b&c=d" or "\"a\":\"b\"": copied. False: not there. */
bool provider_field(const char *in, const char *name, char *ret, size_t size);
/* What a provider adds to a refusal: of any length, so that whoever cuts it meets the middle of a letter; `raw`: now and then a byte of
 * another code. Until the next call. */
const char *provider_words(bool raw);
void provider_file(const char *name, const char *text); /* into the folder of the run */

#endif
