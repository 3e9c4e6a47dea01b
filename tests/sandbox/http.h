/* http.h - the HTTP side of the sandbox: a small HTTP/1.1 server and client that providers stand on, with faults by script.
 * A provider is a table of listeners; it answers requests and writes the ledger, and knows nothing of faults: rules stand
 * before it (the request is lost, nothing happened) or behind it (it happened, the answer is lost or spoiled).
 * Answers of a turn leave after the ledger of that turn is in the kernel (sb_http_flush).
 * Limits: SB_HTTP_* below; a client over them is answered 413 or 431, or cut off. Loopback only, no TLS. */
#ifndef LANTOA_SANDBOX_HTTP_H
#define LANTOA_SANDBOX_HTTP_H

#include "sandbox.h"

#define SB_HTTP_CONNS_MAX   512u
#define SB_HTTP_BODY_MAX    (64u << 20)
#define SB_HTTP_HEAD_MAX    65536u
#define SB_HTTP_FIELDS_MAX  256u
#define SB_HTTP_HEADERS_MAX 64u
#define SB_HTTP_SERVERS_MAX 16u
#define SB_HTTP_RULES_MAX   500u
#define SB_HTTP_CALLS_MAX   2000u /* outgoing, waiting included */

struct sb_field {
	struct str name, value;    /* decoded; value may hold any byte */
	struct str filename, type; /* of a multipart part; else absent */
};
/* One request; lives until it is answered. Strings are NUL-free slices, decoded where it says so. */
struct sb_req {
	struct sandbox *s;
	struct str method, target, path,
		query;   /* target as sent; path decoded, without the query; query as sent */
	struct str body; /* raw, chunks joined */
	const struct sb_field *headers; /* names as sent: compare by sb_req_header */
	size_t n_headers;
	const struct sb_field *fields; /* query first, then form or multipart body, in order */
	size_t n_fields;
	const cJSON *json;  /* the body, where its type says JSON and it parses; else NULL */
	const char *server; /* name of the listener */
	uint64_t serial;    /* over all listeners, from 1 */
	void *host;         /* the server's own */
};
typedef void sb_http_handler(void *ctx, struct sb_req *q);

/* A listener on 127.0.0.1; port 0: any. Its port stands in ready.json under `name`. */
int sb_http_listen(struct sandbox *s, const char *name, int port, sb_http_handler *fn, void *ctx,
	struct err *e) MUST_CHECK;
int sb_http_port(struct sandbox *s, const char *name); /* 0: none of that name */

/* Absent (p NULL) where there is none; header names without regard to case. */
struct str sb_req_header(const struct sb_req *q, const char *name);
struct str sb_req_field(const struct sb_req *q, const char *name);
const struct sb_field *sb_req_part(const struct sb_req *q, const char *name);
bool sb_path_is(
	const struct sb_req *q, const char *method, const char *glob); /* see the rules below */
/* The n-th segment of the path, from 0; absent behind the end. */
struct str sb_path_segment(const struct sb_req *q, size_t n);

/* Exactly one of these ends a request, at once or later (delay_ms before the answer leaves: see sb_res_delay). */
void sb_res_header(
	struct sb_req *q, const char *name, const char *value); /* at most 16, before sb_res */
void sb_res_delay(struct sb_req *q, int64_t ms);                /* before sb_res */
void sb_res(struct sb_req *q, int status, const char *type, struct str body);
void sb_res_z(struct sb_req *q, int status, const char *type, const char *body);
void sb_res_json(struct sb_req *q, int status, cJSON *moved);

/* A line of the ledger: "n" (serial) and "at" (ms) are put in front. */
void sb_ledger_json(struct sandbox *s, cJSON *moved);

/* Outgoing request, away from everything else (webhooks, reports, fetching of pictures): http://127.0.0.1:PORT/... only. done gets
 * status 0 when there was no answer; body borrowed. fn may be NULL. method and headers ("Name: value\r\n" joined) are copied. */
typedef void sb_call_done(void *ctx, int status, struct str type, struct str body);
int sb_http_call(struct sandbox *s, const char *method, const char *url, const char *headers,
	struct str body, int64_t delay_ms, sb_call_done *fn, void *ctx);

/* Faults of all providers; `sandbox ctl` {"cmd":"http_rules","rules":[...],"replace":true} and "http_rules" of the script:
 *  {"server":"facebook","method":"POST","match":GLOB OVER THE PATH,"has":"text anywhere in target, headers or body",
 *   "do":"reply|delay|silent|drop|reset","when":"before|after","code":502,"type":"text/html","body":"...","headers":{"X":"y"},
 *   "half":true,"trickle_ms":0,"times":1,"skip":0,"percent":100,"delay_ms":0}
 * In a glob a star stands for any text within a segment, two stars for any text.
 * when before (default): the provider never sees the request; after: it does all it would, then its answer is replaced.
 * do reply: code, type, body, headers (without code the provider's own answer stays); half: Content-Length says all of it, half of
 * it comes, then the link closes; trickle_ms: 32 bytes of it at a time, with so long a pause between; delay: delay_ms before the answer, which stays; silent: never an answer; drop: close without
 * one; reset: RST. Of several rules the first that fits acts. */
int sb_http_rules_load(struct sandbox *s, const cJSON *arr, bool replace, struct err *e) MUST_CHECK;

/* Extra duties of providers: `sandbox ctl` {"cmd":"NAME", ...} goes to the provider's function; ret is the answer's object. */
typedef int sb_ctl_fn(void *ctx, const cJSON *in, cJSON *ret, struct err *e);
void sb_ctl_add(struct sandbox *s, const char *name, sb_ctl_fn *fn, void *ctx);
/* A timer of a provider: fn(ctx) once, delay_ms later. */
void sb_later(struct sandbox *s, int64_t delay_ms, void (*fn)(void *ctx), void *ctx);

/* sandbox.c's side */
void sb_http_flush(struct sandbox *s);
void sb_http_ports(struct sandbox *s, cJSON *into);
void sb_http_close(struct sandbox *s); /* then the loop runs, then: */
void sb_http_free(struct sandbox *s);
bool sb_ctl_call(struct sandbox *s, const char *name, const cJSON *in, cJSON *ret, int *rc,
	struct err *e); /* false: nobody's */

/* Providers: each opens its listeners, registers its ctl words, and reads its own object of the script ("facebook": {...}; NULL: none).
 * providers.c lists them. */
struct sb_provider {
	const char *name;
	int (*open)(struct sandbox *s, const cJSON *script, struct err *e);
	void (*close)(struct sandbox *s); /* may be NULL */
	/* of one that listens by itself, or NULL: its port, and its output of this turn, behind the ledger */
	int (*port)(struct sandbox *s);
	void (*flush)(struct sandbox *s);
};
extern const struct sb_provider sb_provider_echo, sb_provider_smsc, sb_provider_smsgw,
	sb_provider_facebook, sb_provider_zalo;
int sb_providers_open(struct sandbox *s, const cJSON *script, struct err *e) MUST_CHECK;
void sb_providers_close(struct sandbox *s);
void sb_providers_flush(struct sandbox *s);
void sb_providers_ports(struct sandbox *s, cJSON *into);

#endif
