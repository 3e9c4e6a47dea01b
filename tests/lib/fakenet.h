/* fakenet.h - a scripted struct net on virtual time: the network of unit tests, conformance and simulation. No sockets.
 * Requests take the next answer of the script that was queued for them (fakenet_answer), or wait for the test (fakenet_reply).
 * Streams are played by the test: opened, fed, cut, or by a peer function that is called with what was flushed.
 * How much of a write reaches the "kernel" is under control: all at the end of the turn (default), or as far as allowed.
 * Thread: the test's. Callbacks come from the environment's queue, never from inside a call. Owns: all it copied; the ledger
 * of what arrived is good until fakenet_free. */
#ifndef LANTOA_TESTS_FAKENET_H
#define LANTOA_TESTS_FAKENET_H

#include "base/buf.h"
#include "base/env.h"
#include "net/net.h"

#define FAKENET_CALLS_MAX   100000
#define FAKENET_STREAMS_MAX 10000

enum fakenet_how {
	FAKENET_ANSWER = 0,  /* arrived and answered */
	FAKENET_REFUSED,     /* no connection: not sent */
	FAKENET_LOST_BEFORE, /* some bytes left, no effect, no answer */
	FAKENET_LOST_AFTER,  /* the effect took place, the answer was lost */
	FAKENET_GARBAGE      /* an answer that is none */
};
struct fakenet_answer {
	enum fakenet_how how;
	int status;
	const char *body;
	int64_t after_ms;
	int times; /* 0: for ever */
};
struct fakenet_call {                        /* the ledger of requests, in order */
	char *method, *url, *headers, *body; /* owned; headers as "name: value\n" */
	uint32_t flags;
	bool arrived, effect, done, cancelled;
	/* its own */
	struct fakenet *fn;
	struct net_call *handle;
	struct fakenet_answer answer;
	bool scripted;
	struct timer timer;
	void (*cb)(void *ctx, const struct net_http_res *r);
	void *ctx;
	struct net_source *sources[NET_FIELDS_MAX];
	size_t n_sources;
};
struct fakenet_stream {
	struct net_stream *handle;
	struct fakenet *fn;
	char host[128], user[64], password[64];
	enum net_kind kind;
	uint16_t port;
	bool opened, closing, reset, gone, starttls;
	bool hold;      /* nothing is flushed until it is cleared, or up to `allow` */
	uint64_t allow; /* with hold: bytes that may be flushed in all */
	uint64_t written, flushed;
	size_t high_water;
	bool refused;     /* a write got -EAGAIN: owes a DRAIN */
	struct buf wire;  /* flushed: what the peer got */
	struct buf queue; /* not flushed */
	size_t seen;      /* how much of wire the peer function has consumed */
	void *peer_state; /* for the peer function */
	void (*cb)(void *ctx, const struct net_stream_ev *ev);
	void *ctx;
	struct task task;
	struct buf in;                    /* to be told as DATA */
	char *open_lines, *reply, *error; /* owned */
	int error_code;
	bool tell_open, tell_closed;
	struct fakenet_seg {
		struct str bytes;
		struct net_source *source;
		char *own;
	} * pend; /* writes whose sources are not read yet */
	size_t n_pend, cap_pend;
};
struct fakenet {
	struct net net; /* first */
	struct env *env;
	struct fakenet_call **calls;
	size_t n_calls;
	struct fakenet_stream **streams;
	size_t n_streams;
	struct fakenet_answer answers[64];
	size_t n_answers;
	struct fakenet_answer otherwise; /* when the script is used up; only if has_otherwise */
	bool has_otherwise;
	bool hold_new;       /* streams start with hold set */
	bool refuse_streams; /* stream_open gives -EAGAIN */
	int connect_error;   /* negative: new streams are closed with it before they open */
	/* plays the peer: called after bytes were flushed, and once when opened (n 0); it may call fakenet_say, fakenet_cut */
	void (*peer)(void *arg, struct fakenet_stream *s, struct str fresh);
	void *peer_arg;
	const char *
		open_lines; /* a stream opens by itself at the end of the turn with these; NULL: the test opens it */
	uint64_t publishing_calls;
};

struct fakenet *fakenet_new(struct env *env);
void fakenet_free(
	struct fakenet *f); /* everything must be over, or it is ended as by net_curl_free */
void fakenet_script(struct fakenet *f, const struct fakenet_answer *a); /* copied, body borrowed */
void fakenet_reply(
	struct fakenet *f, size_t call, const struct fakenet_answer *a); /* to one that waits */

void fakenet_open(struct fakenet_stream *s, const char *lines);
void fakenet_say(struct fakenet_stream *s, const char *bytes);
void fakenet_say_n(struct fakenet_stream *s, const void *bytes, size_t n);
/* error_code 0: closed by the peer in good order. What was not flushed is lost. */
void fakenet_cut(struct fakenet_stream *s, int error_code, const char *why);
void fakenet_allow(struct fakenet_stream *s, uint64_t bytes_in_all); /* with hold */
void fakenet_release(struct fakenet_stream *s);                      /* no hold any more */

#endif
