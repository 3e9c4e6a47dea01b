/* net_curl.h - what the files of the libcurl implementation share. Not for other folders.
 * Thread: loop. One multi for HTTP, one for streams: a transfer of the one never looks at connections of the other.
 */
#ifndef LANTOA_NET_NET_CURL_H
#define LANTOA_NET_NET_CURL_H

#include <curl/curl.h>
#include <uv.h>
#include "base/buf.h"
#include "base/env.h"
#include "base/metrics.h"
#include "net/loop.h"
#include "net/net.h"
#include "net/net_out.h"

#define NET_RX 65536u

struct net_curl;

/* A multi handle in the loop: its sockets as uv_poll_t, its timeout as a struct timer. */
struct net_multi {
	struct net_curl *net;
	CURLM *m;
	struct timer timer;
	struct list socks;
	void (*on_done)(struct net_multi *mu, CURL *easy, CURLcode code);
};

struct net_curl {
	uint32_t magic;
	struct net base;
	struct loop *loop;
	struct env *env;
	struct net_multi http, streams;
	struct list calls, all_streams, execs;
	struct list dirty; /* streams with something to flush at the end of the turn */
	size_t n_calls, n_streams;
	struct task flush;
	bool closing;
	struct {
		struct metric *phase[3];         /* by enum net_phase */
		struct metric *opened, *refused; /* streams */
		struct metric *streams, *calls;  /* now */
	} m;
	char *rx; /* NET_RX bytes, for one read at a time */
};

static inline struct net_curl *net_curl_of(struct net *n)
{
	return CONTAINER_OF(n, struct net_curl, base);
}

/* net_multi.c */
void net_multi_init(struct net_multi *mu, struct net_curl *nc, long conns_max,
	void (*on_done)(struct net_multi *mu, CURL *easy, CURLcode code));
void net_multi_done(struct net_multi *mu); /* no easy handle is left in it */

/* net_common.c */
/* Options that every handle gets: no signals, no environment, TLS rules, profile. */
void net_easy_setup(CURL *easy, const struct net_profile *p, const char *protocols);
void net_easy_any_certificate(CURL *easy); /* the profile's own checks of a proxy stay */
int net_error_code(CURLcode code);
/* Sentence for people: libcurl's words without anything that could hold a query. */
void net_error_text(char *dst, size_t size, CURLcode code, const char *errbuf);
bool net_host_ok(struct str host);
bool net_name_ok(struct str name); /* letters, digits, . - _ */

/* net_curl_http.c */
int net_http_start(struct net *n, const struct net_http_req *req, struct net_call **ret);
void net_http_stop(struct net *n, struct net_call *c);
void net_http_on_done(struct net_multi *mu, CURL *easy, CURLcode code);
void net_http_end_all(struct net_curl *nc);

/* net_stream.c */
int net_stream_start(struct net *n, const struct net_stream_req *req, struct net_stream **ret);
int net_stream_put(struct net *n, struct net_stream *s, const struct net_seg *segs, size_t n_segs,
	uint64_t *ret_end);
uint64_t net_stream_count(struct net *n, const struct net_stream *s);
void net_stream_end(struct net *n, struct net_stream *s, bool reset);
void net_stream_on_flush(struct task *t);
void net_stream_end_all(struct net_curl *nc);
/* net_stream_exec.c */
void net_exec_end_all(
	struct net_curl *nc); /* programs that were told to go and have not gone yet */
/* net_stream_curl.c */
void net_stream_on_done(struct net_multi *mu, CURL *easy, CURLcode code);

#endif
