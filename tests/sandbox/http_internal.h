/* http_internal.h - shared by the files of the sandbox's HTTP side: connections, rules, timers. */
#ifndef LANTOA_SANDBOX_HTTP_INTERNAL_H
#define LANTOA_SANDBOX_HTTP_INTERNAL_H

#include "base/list.h"
#include "http.h"

#define SB_RES_HEADERS_MAX 16

enum sb_fault { SB_F_NONE, SB_F_REPLY, SB_F_DELAY, SB_F_SILENT, SB_F_DROP, SB_F_RESET };
struct sb_http_rule {
	enum sb_fault what;
	bool after, half;
	char server[32], method[16], match[256], has[256], type[100];
	char *body;    /* owned; NULL: none */
	char *headers; /* owned; whole lines; NULL: none */
	int code;
	int64_t trickle_ms;
	struct sb_pace pace;
};
struct sb_http_server {
	uv_tcp_t tcp;
	struct sandbox *s;
	char name[32];
	int port;
	sb_http_handler *fn;
	void *ctx;
};
struct sb_hconn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct list node;
	struct sb_http_server *srv;
	struct buf in, out; /* out leaves at the end of the turn */
	struct buf arena; /* decoded texts of the request: addresses are fixed by one reservation */
	struct sb_req q;
	struct sb_field headers[SB_HTTP_HEADERS_MAX], fields[SB_HTTP_FIELDS_MAX];
	cJSON *json;
	char *res_headers;                /* owned; whole lines */
	const struct sb_http_rule *fault; /* acts on the coming answer */
	int64_t delay_ms, trickle_ms;     /* trickle: between two pieces of the answer; 0: whole */
	size_t used;                      /* bytes of `in` that this request took */
	int handles;
	bool busy, keep, closing, close_after, reset_after, said_continue, waiting, deaf;
};
struct sb_http {
	struct sb_http_server server[SB_HTTP_SERVERS_MAX];
	size_t n_servers, n_conns, n_rules, n_calls, n_ctl;
	struct list conns, calls, timers;
	struct sb_http_rule rule[SB_HTTP_RULES_MAX];
	uint64_t serial;
	struct {
		char name[32];
		sb_ctl_fn *fn;
		void *ctx;
	} ctl[32];
};
struct sb_http *sb_http_of(struct sandbox *s); /* made at the first use */

/* http_parse.c: 1 whole request taken apart into c->q, 0 more bytes are needed, else the negative status to answer with. */
int sb_http_parse(struct sb_hconn *c);
bool sb_http_wants_continue(const struct sb_hconn *c);
/* http_rules.c: the rule for this request, before or after; counted. */
const struct sb_http_rule *sb_http_rule_hit(struct sb_http *h, const struct sb_req *q, bool after);
bool sb_glob(struct str glob, struct str text);
void sb_http_rules_free(struct sb_http *h);
/* http_call.c */
void sb_http_calls_close(struct sandbox *s);

#endif
