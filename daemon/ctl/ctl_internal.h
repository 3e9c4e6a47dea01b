/* ctl_internal.h - what the files of ctl/ share: connections, calls, uploads. */
#ifndef LANTOA_CTL_INTERNAL_H
#define LANTOA_CTL_INTERNAL_H

#include <uv.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "ctl/ctl.h"

#define CTL_MAGIC     0x43544c31u
#define CONN_MAGIC    0x434f4e31u
#define CALL_MAGIC    0x43414c31u
#define CTL_CONNS_MAX 64u
#define CTL_LINE_MAX  (1u << 20)
#define CTL_LOOKS_MAX \
	2u /* of the four workers: a directory that does not answer must leave some to what is sent */
#define CTL_CALLS_MAX 16u /* in flight a connection; more are read later */
#define CTL_OUT_MAX \
	(32u << 20) /* answers not yet taken by the peer; over it the connection is cut */
#define CTL_LINE_MS        30000  /* to finish a line that was begun */
#define CTL_IDLE_MS        120000 /* without a call in flight */
#define CTL_UPLOADS_MAX    16u
#define CTL_UPLOADS_OF_ONE 8u     /* of a person: nobody keeps the others from handing over */
#define CTL_UPLOAD_MS      600000 /* abandoned */
#define CTL_CHUNK_MAX      (512u << 10)
#define CTL_ASIDE_BYTES \
	16384u /* a longer line is parsed on a worker: 256 KB took 6 ms of the loop */

struct ctl_upload;

struct ctl {
	uint32_t magic;
	struct ctl_opts o;
	uv_pipe_t server;
	struct list conns;
	unsigned n_conns, n_looking; /* n_looking: whose login name a worker looks up */
	struct list uploads;
	unsigned n_uploads;
	uint64_t upload_seq;
	struct timer upload_timer;
	unsigned handles; /* open handles of the server itself */
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

struct ctl_conn {
	uint32_t magic;
	struct ctl *ctl;
	struct list node;
	uv_pipe_t pipe;
	struct buf in;
	struct timer deadline;
	struct work who_work; /* looks the peer up: name services may wait */
	int64_t uid, pid;
	char login[64];
	unsigned calls;   /* in flight */
	int64_t line_ms;  /* since when a line that is not whole stands here; 0: none does */
	int64_t alive_ms; /* its last byte, or our last answer */
	size_t out_bytes;
	bool known, looking, reading, closing, closed, in_lines;
	bool nameless; /* waits for its turn to be looked up */
	/* a long line that is being parsed; those behind it wait */
	bool parsing;
	struct work parse_work;
	size_t parse_n; /* its bytes, at the front of `in` */
	cJSON *doc;
	int parse_rc;
	struct err parse_err;
};

struct ctl_rpc {
	uint32_t magic;
	struct ctl_call c; /* c.own belongs to the method */
	struct ctl_conn *conn;
	cJSON *doc; /* the request, owned */
	const cJSON *id;
	struct ctl_upload *upload; /* pinned: params.upload */
	struct work work;
	cJSON *result;
	char *line; /* the answer as it is sent, where a worker has made it */
	struct err err;
	int rc;
	bool answered;
	char person[128], via[200], office[64];
};

void ctl_conn_send(struct ctl_conn *c, char *line /* moved */);
void ctl_conn_call_done(struct ctl_conn *c);
int ctl_rpc_parse(struct str line, cJSON **ret, struct err *e) MUST_CHECK; /* any thread */
/* Names as the configuration and the store have them: NFC. Before anything is compared with them. Any thread. */
void ctl_params_compose(cJSON *params);
/* -EINVAL for a parameter that the method would pass over. Any thread. */
int ctl_params_check(const char *method, const cJSON *params, struct err *e) MUST_CHECK;
/* One request from a peer: authorised, begun. doc moved; or what parsing it said. */
void ctl_rpc_begin(struct ctl_conn *c, int rc, cJSON *doc, const struct err *e);
void ctl_uploads_open(struct ctl *c);
void ctl_uploads_close(struct ctl *c);
void ctl_uploads_forget(struct ctl *c,
	const struct ctl_conn *conn); /* the connection is gone: its uploads go too */
int ctl_upload_pin(struct ctl_rpc *r, struct str id, struct err *e) MUST_CHECK;
void ctl_upload_unpin(struct ctl_upload *u); /* NULL allowed */
extern const struct ctl_method ctl_upload_methods[], ctl_base_methods[];

#endif
