/* api_http.h - one listener on libmicrohttpd and the calls in it. Not for other folders.
 * A call has two owners: its connection, until libmicrohttpd says that the request is over, and its handler, until it
 * answers. It is freed when both have let go.
 */
#ifndef LANTOA_API_API_HTTP_H
#define LANTOA_API_API_HTTP_H

#include <microhttpd.h>
#include <uv.h>
#include "api/api.h"
#include "base/env.h"
#include "net/loop.h"

#define API_ANSWER_HEADERS 8u

struct api_listener;

/* What a listener does with a request: found from its head, run when its body is there. */
struct api_route {
	int status;        /* not 0: answer this at once (404, 405) */
	const char *allow; /* for 405 */
	uint32_t body_max;
	api_handler *fn;
	void *ctx;
	struct str channel, tail; /* of a webhook; they point into the request's path */
};

struct api_call {
	uint32_t magic;
	unsigned refs;
	struct api_listener *listener; /* NULL once the listener is closed */
	struct list node;              /* of the listener's calls, while the connection owns it */
	struct env *env;
	struct MHD_Connection *mc; /* NULL once the request is over */
	struct api_conn *conn;
	char *uri; /* owned; path and query of the request point into it */
	char method[16], peer[64];
	struct buf body;
	struct api_pair headers[API_HEADERS_MAX];
	struct api_request req;
	struct api_route route;
	bool begun, handed_over, suspended, answered;
	bool too_many; /* headers */
	struct timer deadline;
	int status;
	struct MHD_Response *response; /* owned until it is queued */
	struct {
		char *name, *value;
	} extra[API_ANSWER_HEADERS];
	unsigned n_extra;
};

/* A TCP connection, for the time that it may take. */
struct api_conn {
	struct list node;
	int fd;
	bool receiving; /* waits for a request, or is in the middle of one */
	int64_t since_ms;
};

struct api_listener {
	uint32_t magic;
	const char *name; /* "public", "private": for metrics */
	struct env *env;
	struct loop *loop;
	struct MHD_Daemon *daemon;
	uv_poll_t *poll; /* memory of its own, freed in its close callback */
	uint16_t port;
	int32_t request_ms, answer_ms;
	struct timer timer, sweep;
	struct task run;
	struct list calls, conns;
	bool made_room; /* a connection ended during this run of the library */
	struct api_route (*find)(
		void *ctx, const struct api_request *req); /* body is still empty */
	void *ctx;
};

struct api_listener_options {
	const char *name, *address;
	unsigned conns_max;
	int32_t request_ms, answer_ms; /* 0: API_REQUEST_MS, API_ANSWER_MS */
	struct api_route (*find)(void *ctx, const struct api_request *req);
	void *ctx;
};
int api_listener_open(struct loop *l, const struct api_listener_options *o,
	struct api_listener **ret, struct err *e) MUST_CHECK;
/* closed(ctx) when the poll handle is gone; the listener's memory goes there too. */
void api_listener_close(struct api_listener *li, void (*closed)(void *ctx), void *ctx);

/* api_call.c */
struct api_call *api_call_new(struct api_listener *li, struct MHD_Connection *mc, const char *uri);
enum MHD_Result api_call_step(
	struct api_call *c, const char *method, const char *data, size_t *size);
void api_call_over(struct api_call *c); /* the connection lets go */
void api_call_ref(struct api_call *c);
void api_call_unref(struct api_call *c);
void api_call_suspend(struct api_call *c);
void api_call_resume(struct api_call *c);
/* Takes the response; frees it when it comes too late. Releases the handler's hold. */
void api_call_settle(struct api_call *c, int status, struct MHD_Response *response);
void api_call_give_up(
	struct api_call *c, int status); /* answer of our own, the handler keeps its hold */

/* api_file.c: whole, or the range that the request names; ret_status 200, 206, 416 */
struct MHD_Response *api_file_response(struct api_call *c, int fd, uint64_t size, int *ret_status);

/* api_page.c: whole pages, appended */
void api_page_confirm(struct buf *b, const char *agency);
void api_page_done(struct buf *b, const char *agency);
void api_page_unknown(struct buf *b, const char *agency);
void api_page_later(struct buf *b, const char *agency);
void api_html_escape(struct buf *b, struct str s);

/* api_public.c, api_private.c */
struct api_route api_public_find(void *ctx, const struct api_request *req);
struct api_route api_private_find(void *ctx, const struct api_request *req);

struct api_webhook {
	char *channel, *secret;
	uint32_t body_max;
	api_handler *fn;
	void *ctx;
};

struct api {
	uint32_t magic;
	struct api_options o; /* strings owned */
	struct api_listener *public_side, *private_side;
	struct api_webhook hooks[API_WEBHOOKS_MAX];
	size_t n_hooks;
	unsigned closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

bool api_token_ok(struct str s);

#endif
