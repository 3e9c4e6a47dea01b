/* api.h - the two HTTP listeners: public (unsubscribe, webhooks, assets; behind a TLS proxy) and private (metrics, health).
 * Thread: loop only. What the pages do is injected; this folder knows no release and no store.
 * A handler gets a struct api_call and answers it once, now or later, by one api_answer*; until then the client waits, and
 * after API_ANSWER_MS it gets a 503 of ours (the late answer is then dropped without harm, also after api_close).
 * Limits: connections, header, body, time per request: API_* below; over them 413, 431, 503, or the connection is closed.
 */
#ifndef LANTOA_API_API_H
#define LANTOA_API_API_H

#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define API_PUBLIC_CONNS  256u
#define API_PRIVATE_CONNS 32u
#define API_HEAD_MAX      32768u         /* request line and headers, per connection */
#define API_REQUEST_MS    30000          /* to receive one whole request */
#define API_IDLE_S        15u            /* nothing read or written */
#define API_ANSWER_MS     20000          /* for a handler to answer */
#define API_BODY_MAX      (1024u * 1024) /* of a webhook, where it says nothing smaller */
#define API_FORM_MAX      4096u          /* of the unsubscribe form */
#define API_TOKEN_MAX     200u
#define API_HEADERS_MAX   64u /* more: 431 */
#define API_WEBHOOKS_MAX  256u

struct api;
struct api_call; /* one request that waits for its answer; moved to the handler, taken back by api_answer* */
struct loop;

struct api_pair {
	struct str name, value;
};

/* Borrowed until the handler returns; a handler that answers later copies what it needs. */
struct api_request {
	struct str method, path, query; /* as sent, not decoded; query without '?' */
	struct str peer;                /* address of the TCP peer, which may be the proxy */
	struct str channel, tail;       /* of a webhook: its CHANNEL; what stands behind SECRET/ */
	struct str body;
	const struct api_pair *headers;
	size_t n_headers;
};

typedef void api_handler(void *ctx, const struct api_request *req, struct api_call *call);

struct api_options {
	const char *public_listen,
		*private_listen;       /* "127.0.0.1:8480", "[::1]:8480"; port 0: any; NULL: off */
	const char *agency;            /* name shown on pages; NULL: none */
	int32_t request_ms, answer_ms; /* 0: API_REQUEST_MS, API_ANSWER_MS */
	void *ctx; /* of the functions below; a NULL function: its pages are 404 */
	/* POST /u/TOKEN with List-Unsubscribe=One-Click: commit, then api_answer_unsubscribed. */
	void (*unsubscribe)(void *ctx, struct str token, struct api_call *call);
	/* GET /a/TOKEN: find the file away from the loop, then api_answer_file, or api_answer with 404. */
	void (*asset)(void *ctx, struct str token, struct api_call *call);
	/* GET /healthz, /readyz: 0 is well; else the reason goes into why. NULL: always well. */
	int (*health)(void *ctx, struct buf *why);
	int (*ready)(void *ctx, struct buf *why);
	void (*metrics)(
		void *ctx); /* called before each /metrics: bring gauges up to date; may be NULL */
};

/* -EADDRINUSE and the like with address and reason. Strings of o are copied. */
int api_open(
	struct loop *l, const struct api_options *o, struct api **ret, struct err *e) MUST_CHECK;
/* Stops listening, cuts what is open; `closed` comes once all handles are gone. NULL a: closed is called at once. */
void api_close(struct api *a, void (*closed)(void *ctx), void *ctx);
uint16_t api_public_port(const struct api *a); /* 0: off */
uint16_t api_private_port(const struct api *a);

/* /w/CHANNEL/SECRET and /w/CHANNEL/SECRET/TAIL -> fn(ctx, ...), any method. channel, secret, TAIL: letters, digits . - _ ; a
 * second one of the same channel replaces the first. body_max 0: API_BODY_MAX. -EINVAL, -E2BIG. */
int api_webhook_set(struct api *a, struct str channel, struct str secret, uint32_t body_max,
	api_handler *fn, void *ctx) MUST_CHECK;
void api_webhook_drop(struct api *a, struct str channel);
void api_webhooks_drop(struct api *a); /* all */
/* Value of a header by its name, in any case; NULL: absent. The last one where `last` and it stands several times. */
const char *api_header(const struct api_request *req, const char *name, struct str *ret);

/* Adds a header to the coming answer; at most 8, ignored beyond and when it holds a control character. */
void api_answer_header(struct api_call *c, const char *name, struct str value);
/* The answer, copied. content_type NULL: text/plain. Exactly one api_answer* per call. */
void api_answer(struct api_call *c, int status, const char *content_type, struct str body);
/* fd moved; read by workers, never on the loop. `size` bytes from its start. */
void api_answer_file(struct api_call *c, int fd, uint64_t size, const char *content_type);
/* code 0: committed, 200 and a page; -ENOENT, -EBADMSG, -EINVAL: no such token, 404; anything else: 503, try again. */
void api_answer_unsubscribed(struct api_call *c, int code);

#endif
