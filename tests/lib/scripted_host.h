/* scripted_host.h - the other side of the ABI for unit tests of adapters: records every call, plays the peer from the test, keeps
 * virtual time. No sockets, no threads, no daemon code.
 * Events that an adapter causes (closed streams, go, saved, wake) are queued and delivered by sh_turn, never from inside a call.
 * It gives and refuses what the daemon's host gives and refuses: publishing bytes only behind an intent and never behind a stop, a
 * claim that nothing was taken only when no request of its own is under way, no call for a job that has ended.
 * cmocka's asserts jump, so nothing here asserts: misuse by the adapter is counted in `misuse` with a text, and tests look there. */
#ifndef LANTOA_TESTS_SCRIPTED_HOST_H
#define LANTOA_TESTS_SCRIPTED_HOST_H

#include <stdbool.h>
#include <lantoa/adapter.h>

#define SH_JOBS_MAX    4096
#define SH_STREAMS_MAX 256
#define SH_HTTP_MAX    256
#define SH_NOTES_MAX   512
#define SH_FACTS_MAX   16
#define SH_WAKES_MAX   8   /* of one job, each with a token of its own */
#define SH_WHOSE_MAX   200 /* of one write */

struct sh_text { /* grows; owned by the host */
	char *p;
	size_t n, cap;
};
struct sh_stream {
	struct lt_job *job;
	uint32_t kind;
	char host[128], user[64], secret[64], login[64];
	uint16_t port;
	int32_t connect_ms;
	bool starttls, opened, closing, reset, gone;
	bool refuse_again;  /* the next write gets -LT_E_AGAIN */
	bool hold;          /* writes are taken, but `flushed` stays where it is */
	int fail_write;     /* negative: the next write gets it */
	struct sh_text out; /* everything written, assets expanded */
	size_t read_at;     /* how much of it the test has consumed (sh_sent) */
	uint64_t flushed;
	uint32_t writes, publishing_writes;
};
struct sh_result { /* copy of lt_result */
	bool done;
	int32_t outcome, scope;
	uint32_t flags;
	int64_t retry_after_ms;
	char code[64], text[400], url[200], id[200];
	size_t n_ids;
};
struct sh_job {
	struct lt_job job;
	struct lt_work work;
	struct lt_src payload[8];
	char *address, *ref, *body, *credential; /* owned */
	struct sh_result result;
	bool started, intent_asked, intent_open, cancelled;
};
struct sh_http {
	struct lt_job *job;
	uint64_t token;
	uint32_t flags, body_kind;
	char method[16], *url,
		*body;         /* owned; fields as "name=value\n", headers before an empty line */
	char *query;           /* owned; "name=value\n" */
	struct lt_job **whose; /* owned: for whom it publishes what may not be repeated */
	size_t n_whose;
	bool answered;
};
struct sh_note { /* log, trace, save, receipt, inbound, rate, metric, stat, slots, secret_put */
	const char *what;
	struct lt_job *job;
	char text[400];
	int64_t value;
};
struct sh {
	struct lt_host host;
	struct lt_inst inst;
	struct lt_conf conf;
	const struct lt_adapter *adapter;
	struct lt_pair values[64], files[8], secrets[16], assets[16];
	size_t n_values, n_files, n_secrets, n_assets;
	int64_t wall, mono;
	int64_t limited_ms; /* what the host says of calls of this account */
	int refresh_rc;     /* negative: refresh() is not begun */
	int refresh_error;  /* what a refresh comes to */
	uint64_t random;
	struct sh_job *jobs[SH_JOBS_MAX];
	size_t n_jobs;
	struct sh_stream *streams[SH_STREAMS_MAX];
	size_t n_streams;
	struct sh_http http[SH_HTTP_MAX];
	size_t n_http;
	struct sh_note notes[SH_NOTES_MAX]; /* the last ones, as a ring */
	size_t n_notes;
	char receipt_ids[1200]; /* of the last receipt, each with a space behind it */
	char receipt_code[100], inbound_text[500]; /* of the last ones */
	char receipt_text[200];
	uint64_t receipt_attempt;
	int64_t receipt_at_ms;
	struct lt_rate rate; /* the last one told */
	struct sh_event {    /* queued for sh_turn */
		struct lt_job *job;
		uint32_t type;
		uint64_t token;
		int32_t error;
		uint32_t stream;
	} queue[1024];
	size_t n_queue;
	struct sh_wake {
		struct lt_job *job;
		int64_t at;
		uint64_t token;
	} wakes[256];
	size_t n_wakes;
	uint32_t slots;
	bool auto_go, refuse_streams;
	/* NULL: mac() gives 0, 1, 2 ...; key is the value of the secret it names, or "" */
	void (*digest)(uint32_t alg, const char *key, const void *p, size_t n, uint8_t ret[32]);
	const struct lt_pair *answer_headers; /* of the next answers; borrowed */
	size_t n_answer_headers;
	int64_t answer_date_ms;
	bool answer_truncated; /* the connection broke within the body */
	int assets_again;      /* so many asset_url get -LT_E_AGAIN first */
	int misuse;
	char misuse_text[200];
};

struct sh *sh_new(const struct lt_adapter *a);
void sh_free(struct sh *h); /* closes the instance if it was opened */
void sh_conf(
	struct sh *h, const char *name, const char *value); /* strings borrowed until sh_free */
void sh_file(struct sh *h, const char *name, const char *text);
void sh_secret(struct sh *h, const char *name, const char *value);
void sh_asset(struct sh *h, const char *id, const char *bytes, size_t n);
int sh_open(struct sh *h);

size_t sh_job(struct sh *h, uint32_t kind, struct lt_job *session); /* index; started by sh_start */
size_t sh_op(struct sh *h, size_t session, const char *address, const char *ref, const char *body,
	uint64_t batch_key);
int sh_start(struct sh *h, size_t first, size_t n);
size_t sh_session(struct sh *h); /* made and started */
struct sh_result *sh_result(struct sh *h, size_t job);
void sh_cancel(struct sh *h, size_t job);
void sh_limit(struct sh *h, size_t session, uint32_t limit);
void sh_shutdown(struct sh *h, size_t session);

/* The peer's side of stream i. */
void sh_opened(struct sh *h, size_t i, const char *lines);
void sh_data(struct sh *h, size_t i, const char *bytes);
void sh_data_n(struct sh *h, size_t i, const char *bytes, size_t n);
void sh_closed(struct sh *h, size_t i, int32_t error, const char *reply, const char *why);
void sh_drain(struct sh *h, size_t i);
/* What was written since the last call; NUL-terminated, valid until the next write. */
const char *sh_sent(struct sh *h, size_t i);
void sh_answer(struct sh *h, size_t call, uint32_t phase, int32_t status, const char *body);
void sh_turn(struct sh *h); /* delivers what is queued, then BATCH_END to every session */
void sh_advance(struct sh *h, int64_t ms); /* moves the clocks, stopping at each wake */
const struct sh_note *sh_last_note(const struct sh *h, const char *what); /* NULL: none */

/* The pure side. */
struct sh_made {
	struct lt_sink sink;
	struct sh *h;
	struct sh_text text; /* pieces; a hole is "\x02" + id as character + "\x03" */
	struct sh_text note, preview, problems; /* problems: "severity field: text\n" */
	struct sh_text filled;                  /* of one compose */
	char told[8][2][320];
	size_t n_told;
	struct {
		char name[32];
		int64_t value;
	} facts[SH_FACTS_MAX];
	size_t n_facts, n_holes, n_problems;
	bool composing;
};
void sh_made_init(struct sh_made *m, struct sh *h);
void sh_made_done(struct sh_made *m);
const char *sh_told(const struct sh_made *m, const char *name); /* "" when not told */
int64_t sh_fact(const struct sh_made *m, const char *name, int64_t otherwise);
/* All holes filled for one target: the whole message, to be freed. NULL when compose failed. */
char *sh_compose(struct sh_made *m, const struct lt_target *t, size_t *ret_n);

#endif
