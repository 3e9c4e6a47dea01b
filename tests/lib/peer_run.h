/* peer_run.h - a real loop with a real net for tests, and recorders for what its callbacks bring.
 * Callbacks only record; the test runs the loop until a condition holds, then asserts.
 */
#ifndef LANTOA_TESTS_PEER_RUN_H
#define LANTOA_TESTS_PEER_RUN_H

#include "net/loop.h"
#include "net/net.h"

struct peer_run {
	struct loop *loop;
	struct net *net;
	struct env *env;
};

int peer_run_open(struct peer_run *r);
int peer_run_close(struct peer_run *r); /* 0 only when no handle was left in the loop */
/* Runs the loop until done(arg); false after ms. */
bool peer_run_until(struct peer_run *r, bool (*done)(void *arg), void *arg, int64_t ms);
void peer_run_for(struct peer_run *r, int64_t ms);

struct rec_http {
	int calls;
	enum net_phase phase;
	int status, error_code;
	bool truncated;
	int64_t date_ms;
	size_t n_headers, body_n;
	char body[65536], error[256];
};
void rec_http_done(void *ctx, const struct net_http_res *res);
bool rec_http_called(void *rec);

struct rec_stream {
	struct net *net;      /* may be NULL */
	struct net_stream *s; /* NULL after CLOSED */
	int opens, closes, drains;
	char ehlo[4096], refusal[4096], error[512];
	int error_code, exit_status;
	bool was_open;
	uint64_t flushed, data_n;
	char data[65536]; /* the first bytes */
	void (*on)(struct rec_stream *r,
		const struct net_stream_ev *ev); /* after recording; may be NULL */
	void *arg;
};
void rec_stream_event(void *ctx, const struct net_stream_ev *ev);
bool rec_stream_open(void *rec);
bool rec_stream_closed(void *rec);
bool rec_stream_over(void *rec); /* open or closed */

/* Longest time that the loop let a timer of `every` ms wait beyond its time. */
struct rec_lag {
	struct timer timer;
	struct peer_run *run;
	int64_t due_ms, max_ms;
};
void rec_lag_start(struct rec_lag *l, struct peer_run *r);
int64_t rec_lag_stop(struct rec_lag *l);

#endif
