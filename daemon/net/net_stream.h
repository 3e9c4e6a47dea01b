/* net_stream.h - one byte stream as its transports see it. Not for other folders.
 * Life: new -> (open) -> dead -> the end task of the same turn reports CLOSED, stops the transport and frees the stream.
 * Transports (libcurl, child process) keep their handles in memory of their own, so that the stream need not wait for them.
 */
#ifndef LANTOA_NET_NET_STREAM_H
#define LANTOA_NET_NET_STREAM_H

#include "net/net_curl.h"

#define STREAM_MAGIC    0x73747265u
#define STREAM_SAID_MAX 32768u
#define EXEC_ARGS_MAX   64u

struct stream_curl;
struct stream_exec;

struct stream_transport {
	bool (*connected)(struct net_stream
			*s); /* the opening is past the TCP connection; needed with tcp_ms */
	void (*pump)(struct net_stream *s);   /* hand to the kernel what it takes */
	void (*finish)(struct net_stream *s); /* graceful close, all is flushed */
	void (*stop)(struct net_stream *s);   /* release everything; no event may follow */
};

struct net_stream {
	uint32_t magic;
	struct net_curl *nc;
	struct list node, dirty;
	enum net_kind kind;
	bool open, was_open;
	bool draining;  /* closed gracefully by its user: only CLOSED is still reported */
	bool finishing; /* all flushed, transport->finish was called */
	bool dead;
	bool want_drain;
	struct net_out out;
	size_t high_water;
	void (*on_event)(void *ctx, const struct net_stream_ev *ev);
	void *ctx;
	int32_t idle_ms;
	int32_t open_ms; /* from began_ms up to OPEN */
	int32_t tcp_ms;  /* from began_ms up to the TCP connection; 0: none, or it is there */
	int64_t began_ms;
	int64_t last_ms;    /* of the last byte in or out */
	struct timer timer; /* opening, idle, draining: whichever applies */
	struct task end, started;
	int error_code, exit_status;
	char error[320];
	struct str refusal; /* for CLOSED: part of said */
	struct buf said;    /* SMTP: all replies up to OPEN; EXEC: end of stderr */
	bool need_auth;
	const struct stream_transport *transport;
	struct stream_curl *curl;
	struct stream_exec *exec;
};

int stream_curl_open(struct net_stream *s, const struct net_stream_req *req) MUST_CHECK;
int stream_exec_open(struct net_stream *s, const struct net_stream_req *req) MUST_CHECK;

/* For transports. */
void stream_opened(struct net_stream *s, struct str data);
void stream_data(struct net_stream *s, struct str data);
void stream_progress(struct net_stream *s);    /* a byte came or went */
void stream_after_write(struct net_stream *s); /* DRAIN, or the end of a graceful close */
void stream_mark_dirty(struct net_stream *s);
void stream_die(struct net_stream *s, int code,
	const char *text); /* code 0: in good order; the first reason stays */

#endif
