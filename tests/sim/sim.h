/* sim.h - the simulation: the real plan, dispatch, store, channel host and adapters on virtual time, providers with a ledger, people, crashes.
 * One run is one seed. The daemon lives in a child process, one child an epoch; a crash is the child's end, with the writes that
 * were not synced lost or torn. All that outlives a crash (ledger, clocks, what people said, the generator) is struct sim in memory
 * shared by parent and children; the parent only waits, so nothing runs side by side and a seed replays to the bit.
 * Thread: one. Failures: a broken promise is written into sim.fail and ends the run.
 */
#ifndef LANTOA_TESTS_SIM_H
#define LANTOA_TESTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/conf.h"
#include "dispatch/dispatch.h"
#include "lib/fakenet.h"
#include "lib/testenv.h"
#include "lib/teststore.h"
#include "plan/plan.h"

#define SIM_CONTACTS   4096
#define SIM_RELEASES   48
#define SIM_LOTS       32768
#define SIM_DELIVERIES 32768
#define SIM_LOST \
	24576 /* ids of the daemon are below; from here on copies that a restore made it forget */
#define SIM_LEAP \
	4096 /* numbers that restore-confirm passes over; in life it is a thousand million: no restore behind more copies */
#define SIM_APPROVALS 256
#define SIM_STOPS     16
#define SIM_LANES     8
#define SIM_SLOTS     2 /* configured channels */
#define SIM_LATER     512
#define SIM_STEPS     65536
#define SIM_OFFICES   5
#define SIM_STARTS    4096

/* What happens to the daemon from outside, as the shrinker counts it: (step, one of these). */
enum sim_event {
	EV_ACT = 0, /* of a person */
	EV_JUMP,
	EV_RELOAD,
	EV_DISK,
	EV_CRASH,
	EV_OUTAGE,    /* the first of two gateways takes no connection for a while */
	EV_BACKUP,    /* by the daemon */
	EV_RESTORE,   /* the newest backup is put in the place of the databases */
	EV_FAULT = 8, /* of a provider: the first one in this step, and so on */
	EV_MAX = 64
};
enum sim_restore {
	RESTORE_NONE = 0,
	RESTORE_PUT,   /* nobody has confirmed it: the daemon must not start */
	RESTORE_ASKED, /* a person confirms; a crash may come between */
};
enum { SIM_EXIT_DONE = 0, SIM_EXIT_CRASH = 10, SIM_EXIT_FAIL = 11 };

struct sim_delivery {             /* as last seen committed, and what the provider made of it */
	bool tried, tried_second; /* where there are two gateways: by which at last */
	bool seen, ever_unknown, ever_doubt, acted, cast; /* cast: a broadcast */
	bool before; /* of a backup that was restored: it may have gone out since */
	uint8_t state;
	uint8_t effects, allowed_more; /* allowed_more: that people declared away */
	uint8_t once,
		once_then; /* effects of requests that must not be repeated; at the last intent */
	uint64_t
		intent_of; /* the manifest of its lot when its intent was committed: what is on its way may be of the one before */
	uint8_t said; /* of SIM_SAID_*: what the provider reported afterwards, and was thanked for */
	int32_t tries;
	int64_t lot, contact;
	unsigned nonce; /* of its newest text */
	int64_t number; /* from SIM_LOST on: the one that it had */
	uint64_t ref;   /* what it is called outside of the house, hashed; 0: not heard yet */
	uint64_t check; /* the last one that saw it */
};
struct sim_lot {
	int64_t release, office, lane, channel;
	int32_t part, gate, prio;
	uint64_t manifest;
	uint64_t
		restored; /* its manifest when a restore held it, until a person lets it go on; else 0 */
};
enum {
	SIM_SAID_DELIVERED = 1,
	SIM_SAID_FAILED = 2,
	SIM_TOLD_DELIVERED = 4,
	SIM_TOLD_FAILED = 8
}; /* told: not yet thanked for */
struct sim_lane {
	int64_t id, channel;
	int slot;
};
struct sim_later { /* what a provider will do by itself; outlives a crash */
	bool used;
	int slot, kind, epoch; /* epoch: handed over in it, and not yet taken; 0: waits */
	int64_t due, delivery;
	uint64_t no;
	char id[48];
};
struct sim_stop {                 /* in force from the return of dispatch_stop_scope on */
	bool on, asked, answered; /* asked: and not yet answered */
	struct stop_scope scope;
	bool cancel;
	int except_prio;
	int64_t until_ms;
};
struct sim_release {
	int revs;
	bool cancelled; /* cancel was answered */
	int template, extra;
};
struct sim_approval { /* a manifest that somebody who may approve has been asked to approve */
	uint8_t hash[32];
	int release;
	unsigned nonce;
};
struct sim_start {
	int64_t lane, mono_ms;
};
struct sim_profile { /* drawn from the seed; 0..1000 are per mille of a step */
	int contacts, releases, crashes, steps;
	int p_fault;       /* of a request */
	int p_act, p_jump; /* of a step */
	bool receipts, torn, disk;
	int rate[2], burst[2], concurrency[2], intents[2];
	int most[2]; /* the highest that concurrency has been: what began under it may be under way still */
	int64_t unknown_max_ms;
	bool assume;
	int word_mix;            /* per mille of contacts with a script of their own */
	int provider[SIM_SLOTS]; /* see sim_providers */
	bool together, poll;     /* providers: recipients share a text; receipts are asked for */
	bool tokens;             /* gateways and pages have access tokens that end */
	bool mirror;             /* of tokens, outside of what a backup holds */
	bool spare;              /* the second channel has a second gateway, where it is loopback */
	int restores;            /* at most */
};

struct sim {
	uint64_t seed, rng, digest;
	struct sim_profile p;
	int64_t wall, mono;
	int64_t wall_jumped; /* forward, in all */
	uint64_t env_seed;
	int epoch, step, crashes, conf_gen;
	bool final, no_crash, ended;
	int crash_in_ops; /* 0: none; else the how many-th disk operation from now on */
	bool disk_full;
	int64_t disk_full_until;
	/* world */
	int n_contacts, n_releases, n_approvals, n_stops, n_lots, n_lanes;
	struct sim_release release[SIM_RELEASES];
	struct sim_approval approval[SIM_APPROVALS];
	struct sim_stop stop[SIM_STOPS];
	struct sim_lot lot[SIM_LOTS]; /* by id, up to max_lot */
	struct sim_delivery d[SIM_DELIVERIES];
	struct sim_lane lane[SIM_LANES];
	uint8_t contact_slot[SIM_CONTACTS + 1];
	struct sim_later later[SIM_LATER];
	int n_later;            /* used */
	void *state[SIM_SLOTS]; /* of the providers, shared like this */
	/* The shrinker's: bits of enum sim_event by step. */
	uint64_t happened[SIM_STEPS], kept[SIM_STEPS];
	bool only_kept;
	int faults; /* in this step */
	unsigned next_nonce, next_upload;
	struct sim_start start[SIM_STARTS]; /* ring, for the rates */
	uint64_t n_start;
	int64_t audit_rows, max_id, max_lot, n_deliveries; /* n_deliveries: that stand at the end */
	uint64_t checks;
	int64_t open_intents; /* at the crash */
	int64_t outage_until; /* mono */
	int64_t spare_lane;
	uint64_t n_spare; /* posts of the second gateway */
	/* counts, for the line that a run prints */
	uint64_t n_effects, n_requests, n_commits, n_acts, n_unknown, n_lost, n_fulls;
	uint64_t n_told, n_thanked; /* receipts */
	int n_backups, n_restores;
	uint64_t n_again; /* copies that a person sent again, or took out, after a restore */
	enum sim_restore restoring;
	int64_t n_forgotten; /* copies from SIM_LOST on */
	char dir[128], build[400], root[200];
	bool trace;
	char fail[700];
};
extern struct sim *S;
extern const char *const sim_offices[4];

/* What lives in the child: everything that a crash drops. */
struct renditions;
struct node {
	struct testenv te;
	struct renditions *renditions;
	struct teststore ts;
	struct fakenet *net;
	struct conf *conf;
	struct channels *channels;
	struct dispatch *dispatch;
	struct plan *plan;
	size_t seen_calls, seen_streams;
	uint64_t told; /* things that providers did by themselves, in this epoch */
	int busy;      /* questions to the daemon that wait for their answer */
	bool stopped[3];
	int closing; /* old channels that still drain */
};
extern struct node N;

/* sim_core.c */
uint64_t sim_random(void);
int sim_below(int n);       /* 0 .. n-1 */
bool sim_chance(int mille); /* true in so many of a thousand */
void sim_trace(const char *fmt, ...) PRINTF_LIKE(1, 2);
_Noreturn void sim_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
_Noreturn void sim_crash(const char *where);
_Noreturn void sim_leave(int code); /* no handler runs */
void sim_profile_draw(int steps);
/* A generator of its own for each (step, what): what is left out does not change what the others draw. */
void sim_rng_for(enum sim_event what);
/* It is about to happen; false: the shrinker leaves it out. */
bool sim_event(enum sim_event what);
/* One seed from the beginning to the end: 0, or 1 with S->fail. Forks. */
int sim_run_seed(uint64_t seed, int steps, bool trace);
/* The same with nothing from outside but `kept`: struct sim.kept as text, "STEP.BITS STEP.BITS ..." in hex. NULL: all. */
int sim_run_kept(uint64_t seed, int steps, bool trace, const char *kept);

/* sim_shrink.c: a failing seed with fewer and fewer events, as long as it fails in the same way. 1, or 0 when it does not fail. */
int sim_shrink(uint64_t seed, int steps);

/* sim_memory.c: the memory of SQLite. */
void sim_memory_empty(void);     /* by the parent, before each seed */
void sim_memory_register(void);  /* by a child, before SQLite is in use */
void *sim_memory_take(size_t n); /* of the same; what is in it is undefined */
void sim_memory_give(void *p);   /* NULL too */

/* sim_vfs.c: files whose unsynced writes are lost or torn by sim_vfs_crash. */
void sim_vfs_empty(void); /* by the parent, before each seed: no files */
void sim_vfs_keep(void);  /* they are written where their names say, to be looked at */
void sim_vfs_register(void);
void sim_vfs_crash(void);
/* This file, whole, and none of the logs beside it. */
void sim_vfs_put(const char *name, const void *p, size_t n);

/* sim_node.c */
void node_boot(void);
void node_turn(void);  /* one step of the world */
void node_final(void); /* everything is healed; runs until all is settled; then a graceful end */
void node_conf_write(void);
void node_commit(void);
void node_settle(void);

/* sim_provider.c; the rest of it is in sim_provider.h */
void provider_boot(void);
void provider_poll(
	void); /* what came since the last call is answered or not; what is due is said */
void provider_done(void);

/* sim_restore.c */
void restore_empty(void); /* by the parent, before each seed: no backup */
void restore_backup(void);
bool restore_can(void);
_Noreturn void restore_put(
	void); /* the databases are those of the newest backup; the daemon is gone */
void restore_confirm(const struct store_opts *o);
/* An operator wants these lots to go on: he looks at the providers first. False: he has something else to do before. */
bool restore_looked(const struct stop_scope *scope);
void restore_forget(int64_t delivery);
void restore_anew(int64_t lot); /* somebody has approved its text anew, after the restore */
/* A copy of this text to this contact that was forgotten becomes this one; false: there is none. */
bool restore_adopt(struct sim_delivery *d, int64_t contact, unsigned nonce);
/* Another copy went out under this name: it may not be used for a second one. Hears the name of `delivery`. */
void restore_ref(int64_t delivery, const char *ref, size_t n);

/* sim_people.c */
void people_act(void);
bool people_heal(void); /* resumes and approves what is held; true when something was done */

/* sim_world.c */
void people_setup_rows(void);

/* sim_check.c */
void check_commit(void);
void check_full(const char *when);
void check_end(void);
/* In what its lot is approved for now, or was when the intent was committed: an approval of a newer text does not call back what is
 * on its way. */
bool check_covers_lot(const struct sim_approval *p, const struct sim_delivery *d);

/* sim_check_post.c */
bool check_under(int64_t office, int64_t top);
/* Publishing bytes have left: the delivery, and all that was said to be public. */
void check_publish(int64_t delivery, const char *text, size_t n);
/* The delivery of this text to this contact, or its broadcast; 0: nobody approved such a text. */
int64_t check_find(int contact, const char *text, size_t n, bool cast);
int check_slot_of(int64_t delivery);
/* A gateway is about to send it, the first or the second: only what is of its lane, and never what the other has. */
void check_gateway(int64_t delivery, bool second);

#endif
