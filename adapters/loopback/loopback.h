/* loopback.h - what the files of the loopback adapter share.
 * Thread: the script and the pure side anywhere; the rest on the loop. Owns: priv of instance, session and op, all host memory. */
#ifndef LANTOA_LOOPBACK_H
#define LANTOA_LOOPBACK_H

#include "../common/session.h"

/* What an address asks for: "WORD[-MORE]...[+ANYTHING]@loop", for instance ok, refuse-release, defer-2, slow-50, unknown-sent. */
enum loop_word {
	LOOP_OK = 0,
	LOOP_REFUSE,
	LOOP_DEFER,   /* -N: that many tries, then ok */
	LOOP_UNKNOWN, /* -sent, -absent: what reconciliation will say */
	LOOP_SLOW,    /* -N: answers after N ms */
	LOOP_STEPS,   /* two saved steps, an intent, then published */
	LOOP_SILENT,  /* sent, and never an answer */
	LOOP_HOLD,    /* a person must act */
	LOOP_DUP,     /* the provider had it already */
	LOOP_BOUNCE,  /* accepted, later a receipt of failure */
	LOOP_CUT      /* the session dies with everything that hangs in it */
};
struct loop_script {
	enum loop_word word;
	int32_t scope;
	uint32_t flags;
	int64_t number; /* -1: none was given */
	bool sent, absent;
};
void loop_script_parse(struct lt_str address, struct loop_script *ret);

struct loop_conf {
	int64_t latency_ms, window;
	bool receipts, personal, links;
	struct lt_str url, token_url, picture;
};
struct loop_inst {
	struct loop_conf conf;
};
struct loop_op {
	struct lt_job *job;
	struct ltc_session *session;
	const struct lt_work *work; /* borrowed until finish */
	struct loop_script script;
	bool sent;        /* bytes may have left, or the script pretends so */
	bool renewed;     /* its token was not taken once: a second time ends it */
	uint64_t version; /* of the token that it carried */
};
struct loop_token { /* refresh, login, check */
	struct lt_inst *inst;
	struct lt_job *job;
	const struct lt_work *work;
};

/* A job beside sending: webhook, poll, statistics. A webhook's body is a script, a line each:
 *   receipt STATE ID [AT_MS]           STATE transit, delivered, failed, seen, lost, gone, changed; ID is our ref
 *   in KIND ADDRESS|- DEDUPE|- [TEXT]  KIND text, opt_out, complaint, join, leave, quota, revoked
 *   wait MS | silent | reply STATUS    how it is answered; a GET with ?challenge=X is answered with X
 * A poll reports the state that the address names (ok-delivered@loop), statistics gone and changed, and views (ok-42@loop). */
struct loop_aside {
	struct lt_inst *inst;
	struct lt_job *job;
	const struct lt_work *work;
	uint32_t pending; /* commits it waits for */
	int32_t status;
	bool started, failed, silent, waiting;
};

enum { LOOP_TOKEN_ANSWER = 1, LOOP_TOKEN_PHOTO = 2, LOOP_TOKEN_DRAFT = 3, LOOP_TOKEN_HTTP = 4 };

extern const struct lt_key loop_keys[];
extern const uint32_t loop_n_keys;
int loop_conf_read(const struct lt_conf *c, struct loop_conf *ret);

/* loopback_pure.c */
int loop_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink);
int loop_prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *sink);
int loop_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink);
/* loopback_secret.c */
int loop_token_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work);
int loop_token_event(struct lt_job *job, const struct lt_event *ev);
/* loopback_recall.c */
int loop_recall_start(struct loop_op *op);
void loop_recall_http(struct loop_op *op, const struct lt_http_res *r);
/* loopback_op.c */
void loop_op_end(struct loop_op *op, int32_t outcome, const char *code, const char *text);
void loop_ops_start(struct lt_job *const *jobs, const struct lt_work *const *works, size_t n);
int loop_op_event(struct lt_job *job, const struct lt_event *ev);
/* loopback_jobs.c */
void loop_aside_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work);
int loop_aside_event(struct lt_job *job, const struct lt_event *ev);

#endif
