/* net.h - HTTP requests and byte streams as one injected object: libcurl in the daemon (net_curl_new), scripted in tests and
 * simulation. Whoever implements it fills struct net_ops; whoever uses it calls the inline functions below.
 * Thread: loop only. No callback runs before the call that caused it has returned.
 * Memory: everything in a request is copied by the call, the profile too, except sources (moved by the call, also when it
 * fails). What a callback is given is borrowed for that callback.
 * Limits: NET_* below; a request over them fails with -E2BIG or -EINVAL, one too many with -EAGAIN.
 */
#ifndef LANTOA_NET_NET_H
#define LANTOA_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"
#include "base/str.h"

#define NET_CALLS_MAX       1024u /* HTTP requests at once */
#define NET_STREAMS_MAX     1024u
#define NET_HEADERS_MAX     100u
#define NET_SEGS_MAX        4096u /* of one body or one write */
#define NET_FIELDS_MAX      64u
#define NET_URL_MAX         8192u
#define NET_BYTES_MAX       (64u * 1024 * 1024) /* copied bytes of one body or one write, sources apart */
#define NET_ANSWER_MAX      (16u * 1024 * 1024)
#define NET_HIGH_WATER      (1024u * 1024) /* default of net_stream_req.high_water */
#define NET_ANSWER_HEAD_MAX 65536u

/* Bytes that come later, for instance a file slice that a worker reads ahead. The giver fills read, release and length;
 * net fills the rest. `read` copies up to `cap` bytes and returns how many; 0: none now, call net_source_ready() later (never
 * from inside read); negative: broken, the request or stream fails. `release` is called exactly once, after that net never
 * touches the source again; it may come before all bytes were read, and from inside any net call. */
struct net_source {
	ssize_t (*read)(struct net_source *s, void *dst, size_t cap);
	void (*release)(struct net_source *s);
	uint64_t length;                     /* exact number of bytes that it will give */
	void (*ready)(struct net_source *s); /* net's; NULL while nobody waits */
	void *impl;                          /* net's */
};

static inline void net_source_ready(struct net_source *s)
{
	if (s->ready != NULL)
		s->ready(s);
}

struct net_seg {
	struct str bytes;          /* used when source is NULL; copied */
	struct net_source *source; /* moved */
};

/* How to reach one provider. PEM is text, not a path: nothing is read from disk on the loop. */
struct net_profile {
	const char *proxy;            /* URL; NULL: none, whatever the environment says */
	struct str ca_pem;            /* absent: the system's CAs */
	struct str cert_pem, key_pem; /* client certificate; absent: none */
	const char *key_password;     /* or NULL */
	bool bulk; /* publishing requests with a body may use a kept connection */
};

struct net_pair {
	struct str name, value;
};

/* One part of multipart/form-data. */
struct net_field {
	struct str name, filename, content_type; /* filename, content_type may be absent */
	const struct net_seg *segs;
	size_t n_segs;
};

#define NET_PUBLISHES     0x01u /* never sent twice by the library: see net_curl_http.c */
#define NET_SECRET_ANSWER 0x04u /* answer is wiped after the callback */

/* NOT_SENT: not one byte of the request was handed to the kernel. ANSWERED: a final status line arrived (the body may be cut:
 * see error and truncated). All else is MAYBE_SENT. The numbers are LT_P_*. */
enum net_phase { NET_NOT_SENT = 0, NET_MAYBE_SENT = 1, NET_ANSWERED = 2 };

struct net_http_res {
	enum net_phase phase;
	int status; /* 0 unless answered */
	int error_code; /* 0, or -ECANCELED, -ETIMEDOUT, -ECONNREFUSED, -EPROTO (TLS), -EMSGSIZE (truncated), -EIO ... */
	bool truncated;         /* body was longer than answer_max, or ended early */
	int64_t server_date_ms; /* of the Date header; 0 when absent */
	int64_t took_ms;
	const struct net_pair *headers; /* of the final answer */
	size_t n_headers;
	struct str body;
	struct str error; /* absent when all went well; never holds a secret or the URL's query */
};

struct net_http_req {
	struct str method, url;         /* http:// or https://, no user in it */
	const struct net_pair *headers; /* no CR, LF, NUL: -EINVAL */
	size_t n_headers;
	const struct net_seg *body; /* or fields, not both */
	size_t n_body;
	const struct net_field *fields;
	size_t n_fields;
	uint32_t flags;
	size_t answer_max;                 /* 0: 1 MiB; at most NET_ANSWER_MAX */
	int32_t connect_ms, total_ms;      /* 0: 10 s, 60 s */
	const struct net_profile *profile; /* NULL: all defaults */
	bool any_certificate;              /* whoever answers is believed */
	/* Exactly once, also after a cancel. */
	void (*done)(void *ctx, const struct net_http_res *res);
	void *ctx;
};

/* The numbers are those of LT_TCP ... LT_EXEC. */
enum net_kind { NET_TCP = 1, NET_TLS = 2, NET_SMTP = 3, NET_SMTPS = 4, NET_EXEC = 5 };

struct net_stream;

/* OPEN: ready to write; for SMTP `data` holds the lines of the last EHLO reply as they came ("250-SIZE 1000\r\n250 DSN\r\n").
 * DATA: bytes from the peer. DRAIN: after a write was refused with -EAGAIN, there is room again.
 * CLOSED: exactly once for every stream that was opened, the last event; the stream is gone when the callback returns.
 * `error` absent: the stream was closed by us, or by the peer in good order. */
enum net_event { NET_EV_OPEN = 1, NET_EV_DATA = 2, NET_EV_DRAIN = 3, NET_EV_CLOSED = 4 };

struct net_stream_ev {
	enum net_event type;
	struct net_stream *stream;
	uint64_t flushed; /* bytes of our writes that reached the kernel, from the first one on */
	/* CLOSED: the SMTP reply that refused us before OPEN, or the end of the program's stderr, or empty. */
	struct str data;
	struct str error;
	int error_code; /* CLOSED: as in net_http_res; -EACCES when log-in was refused or impossible */
	int exit_status; /* EXEC, CLOSED: exit code, 128 + signal, -1 unknown */
	bool was_open;   /* CLOSED: OPEN had been reported */
};

struct net_stream_req {
	enum net_kind kind;
	struct str host; /* name, IPv4 or IPv6 without brackets */
	uint16_t port;
	struct str ehlo_name;      /* SMTP: ours, letters digits . - */
	struct str user, password; /* SMTP; user absent: no AUTH */
	struct str
		login_options; /* such as "AUTH=PLAIN"; with OAUTH in it the password is the bearer token */
	bool starttls;         /* SMTP: demanded */
	int32_t connect_ms; /* up to OPEN; 0: 30 s */
	int32_t tcp_ms;     /* of it, up to the TCP connection; 0: no limit of its own */
	int32_t idle_ms; /* nothing read and nothing flushed for so long: CLOSED with -ETIMEDOUT; 0: never */
	size_t high_water; /* 0: NET_HIGH_WATER */
	const struct net_profile *profile;
	bool any_certificate;    /* whoever answers is believed */
	const char *const *argv; /* EXEC: argv[0] an absolute path; NULL at the end; at most 64 */
	void (*on_event)(void *ctx, const struct net_stream_ev *ev);
	void *ctx;
};

struct net;
struct net_call;

struct net_ops {
	int (*http)(struct net *n, const struct net_http_req *req, struct net_call **ret);
	void (*http_cancel)(struct net *n, struct net_call *c);
	int (*stream_open)(
		struct net *n, const struct net_stream_req *req, struct net_stream **ret);
	int (*stream_write)(struct net *n, struct net_stream *s, const struct net_seg *segs,
		size_t n_segs, uint64_t *ret_end);
	uint64_t (*stream_flushed)(struct net *n, const struct net_stream *s);
	void (*stream_close)(struct net *n, struct net_stream *s, bool reset);
};

struct net {
	const struct net_ops *ops;
};

/* 0 and a handle that is valid until done() returns; -EINVAL, -E2BIG, -EAGAIN (too many at once). After an error done() does
 * not come. */
static inline int net_http(struct net *n, const struct net_http_req *req, struct net_call **ret)
{
	return n->ops->http(n, req, ret);
}
/* done() follows, with -ECANCELED and the true phase; or with the answer, if that was already there. */
static inline void net_http_cancel(struct net *n, struct net_call *c)
{
	n->ops->http_cancel(n, c);
}
static inline int net_stream_open(
	struct net *n, const struct net_stream_req *req, struct net_stream **ret)
{
	return n->ops->stream_open(n, req, ret);
}
/* Copies the segments behind what is queued; bytes leave at the end of the turn, gathered. Allowed before OPEN (kept until
 * then). *ret_end (may be NULL): offset at which this write ends; it has reached the kernel when flushed >= that.
 * -EAGAIN: over the high-water mark, nothing was taken (sources are released), wait for DRAIN; -EPIPE: closing or closed;
 * -E2BIG. A write into an empty queue is taken whatever its size up to NET_BYTES_MAX. */
static inline int net_stream_write(struct net *n, struct net_stream *s, const struct net_seg *segs,
	size_t n_segs, uint64_t *ret_end)
{
	return n->ops->stream_write(n, s, segs, n_segs, ret_end);
}
static inline uint64_t net_stream_flushed(struct net *n, const struct net_stream *s)
{
	return n->ops->stream_flushed(n, s);
}
/* Graceful: what is queued goes out first (at most for idle_ms, or 30 s). Reset: what is queued is dropped now; not one more
 * byte leaves. CLOSED follows in both cases; after this call no other event comes. Closing twice is allowed, reset wins. */
static inline void net_stream_close(struct net *n, struct net_stream *s, bool reset)
{
	n->ops->stream_close(n, s, reset);
}

/* The real one, on libcurl. Owned; net_curl_free ends everything that is left (callbacks come with -ECANCELED, from inside
 * it) and needs the loop to run once more afterwards to close its handles (loop_free does). */
struct loop;
int net_curl_new(struct loop *l, struct net **ret, struct err *e) MUST_CHECK;
void net_curl_free(struct net *n);

#endif
