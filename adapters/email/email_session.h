/* email_session.h - what the SMTP side of the adapter shares: the session of an account (a pool of connections to the relay),
 * its connections, transactions and ops.
 * Thread: loop. Life: a transaction is queued, then the envelope of one connection, then behind the dot, then gone; an op lives
 * in exactly one transaction until it is finished. */
#ifndef LANTOA_EMAIL_SESSION_H
#define LANTOA_EMAIL_SESSION_H

#include "../common/outcome.h"
#include "../common/session.h"
#include "email_conf.h"
#include "email_reply.h"

#define EMAIL_EXPECT_MAX \
	256                 /* replies owed on one connection: two transactions of EMAIL_RCPT_MAX */
#define EMAIL_REQUEUE_MAX 2 /* a lost reused connection is not the mail's fault, but not for ever */
#define EMAIL_DOMAINS     64 /* counters of policy refusals */
#define EMAIL_POOLS_MAX   16 /* sessions of one account at a time, ended ones included */

struct email_inst { /* priv of an instance */
	struct email_conf conf;
	struct ltc_outcomes *outcomes; /* owned */
	/* Memory of sessions, so that what a session cut off by the host leaves behind is freed at close. */
	struct email_tx *all;                      /* owned, linked by all_next */
	struct email_conn *conns[EMAIL_POOLS_MAX]; /* owned, conf.connections each */
};

struct email_tx;
struct email_op { /* priv of an op job */
	struct lt_job *job;
	const struct lt_work *work; /* borrowed until finish */
	struct email_tx *tx;
	int64_t due_at; /* monotonic: a little before the host's deadline; 0: none */
	uint16_t index; /* in tx->rcpt */
	uint8_t requeues;
	bool accepted; /* RCPT was answered 2xx */
	bool again;    /* goes into a new transaction when this one's envelope is done */
};
struct email_tx {
	struct email_tx *next;               /* in the queue or the free list */
	struct email_tx *all_next, **all_at; /* every transaction of the instance */
	struct email_op **rcpt; /* owned if n_max > 1, else &one; NULL: finished or taken away */
	struct email_op *one;
	uint16_t n, n_max, n_live, n_sent,
		n_ok;           /* n_ok: accepted by the server, also those taken away since */
	bool mail_ok, poisoned; /* poisoned: the server accepted a recipient that must not get it */
	bool one_full;          /* a recipient was taken behind one that was to go `again` */
	uint16_t n_again;       /* recipients that are to go `again` */
	bool handed;            /* body and dot are in the connection's output */
	bool written;           /* ... and the host took them */
	uint64_t dot_end;       /* stream offset behind the dot */
};

enum email_what {
	EMAIL_W_MAIL,
	EMAIL_W_RCPT,
	EMAIL_W_DATA,
	EMAIL_W_FINAL,
	EMAIL_W_VOID,
	EMAIL_W_RSET,
	EMAIL_W_QUIT
};
struct email_expect {
	uint8_t what; /* enum email_what */
	uint16_t index;
	struct email_tx *tx;
};
enum email_conn_state {
	EMAIL_C_FREE = 0,
	EMAIL_C_OPENING,
	EMAIL_C_READY,
	EMAIL_C_QUITTING,
	EMAIL_C_CLOSING
};
struct email_conn {
	enum email_conn_state state;
	uint32_t stream;
	struct email_caps caps;
	uint32_t assigned;          /* transactions ever given to this connection */
	uint64_t flushed;           /* bytes of ours that have left, as the host said last */
	struct email_tx *env, *dot; /* whose envelope is open; whose final reply is owed */
	struct email_expect expect[EMAIL_EXPECT_MAX];
	uint16_t exp_head, exp_n,
		exp_sent; /* exp_sent: of those, whose command the host has taken */
	int64_t deadline; /* 0: none */
	struct email_parser in;
	struct lt_src
		*out; /* owned; command pieces hold an offset into cmd until they are flushed */
	size_t out_n, out_cap;
	struct ltc_buf cmd;
	uint64_t after_dot;      /* bytes gathered behind the dot of out_tx */
	struct email_tx *out_tx; /* whose body stands in the output */
	bool blocked;
	char why[120];
};
struct email_domain_count {
	uint64_t hash;
	uint32_t seen, refused;
};
struct email_session { /* priv of a session job */
	struct lt_inst *inst;
	const struct lt_host *host;
	struct email_inst *ei;
	struct lt_job *job;
	struct email_conn *conns;               /* owned, ei->conf.connections */
	struct email_tx *head, *tail, *free_tx; /* queue; owned */
	uint32_t n_queued, n_free, held, limit, max_rcpt, told_slots;
	int64_t now, no_open_until, open_backoff_ms;
	/* Mails that this relay takes on a connection, seen twice in a row: so many, and not more until then; 0: not known. */
	uint32_t mails_seen, mails_max;
	int64_t mails_until;
	int64_t tick_at; /* when the first op is due, or earlier; 0: none */
	bool bound, closing, over;
	struct ltc_alarm alarm;
	struct ltc_farewell farewell;
	struct email_domain_count domains[EMAIL_DOMAINS];
	struct lt_job *whose[EMAIL_RCPT_MAX];
};

/* email_session.c: queue, pool, time */
int email_session_start(struct lt_inst *inst, struct lt_job *job);
int email_session_event(struct email_session *s, const struct lt_event *ev);
int email_op_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n);
int email_op_event(struct lt_job *job, const struct lt_event *ev);
void email_queue_front(struct email_session *s, struct email_tx *tx);
void email_conns_free(struct email_conn *conns, uint32_t n); /* NULL allowed */

/* email_tx.c: transactions and ops */
struct email_tx *email_tx_new(struct email_session *s, size_t n);
void email_tx_add(struct email_tx *tx, struct email_op *op);
void email_tx_free(struct email_session *s, struct email_tx *tx); /* no live op left */
void email_tx_drop(struct email_tx *tx);                          /* its memory */
void email_tx_requeue(
	struct email_session *s, struct email_tx *tx); /* live ops, to the front; tx is gone */
void email_tx_split(struct email_session *s, struct email_tx *tx,
	bool all); /* `again` ops (or all accepted, one by one) to the front */
void email_op_finish(struct email_session *s, struct email_op *op, const struct lt_result *r);
/* Finishes every live op (only_accepted: those whose RCPT was accepted) alike. */
void email_tx_finish(struct email_session *s, struct email_tx *tx, int32_t outcome, int32_t scope,
	uint32_t flags, const char *code, const char *text);

/* email_classify.c */
extern const struct ltc_outcome_words email_outcome_words;
enum { EMAIL_O_AGAIN = 16, EMAIL_O_ONE_BY_ONE = 17 };
#define EMAIL_F_ALERT 0x10000u
enum { EMAIL_CAN_AGAIN = 1, EMAIL_CAN_SPLIT = 2 };
struct email_verdict {
	struct lt_result r;
	bool alert;
	char code[24], text[300];
};
int email_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size) LTC_MUST;
/* email_hide.c: the relay's words without who they are about */
void email_reply_copy(const struct email_reply *r, struct email_reply *ret); /* whole words only */
void email_hide(struct email_reply *r, struct lt_str address);
/* A copy without anybody of the transaction: for what is told of several recipients. */
void email_hide_all(
	const struct email_tx *tx, const struct email_reply *r, struct email_reply *ret);
/* Fills v->r with pointers into v. `can`: which of the adapter's own outcomes make sense now. address: taken out of the text. */
void email_classify(const struct ltc_outcomes *t, const char *phase,
	const struct email_reply *reply, unsigned can, struct lt_str address,
	struct email_verdict *v);

/* email_wire.c: command text */
bool email_wire_address_ok(struct lt_str a);
void email_wire_mail(struct ltc_buf *b, const struct email_conf *c, const struct email_caps *caps,
	const struct lt_work *w, bool shared, bool utf8);
void email_wire_rcpt(struct ltc_buf *b, const struct email_conf *c, const struct email_caps *caps,
	const struct lt_work *w);

/* email_conn.c: one connection */
struct lt_stream_req email_stream_req(const struct email_conf *f);
int email_conn_open(struct email_session *s, struct email_conn *c);
void email_conn_event(struct email_session *s, struct email_conn *c, const struct lt_event *ev);
bool email_conn_takes(const struct email_session *s, const struct email_conn *c, bool idle_only);
void email_conn_assign(struct email_session *s, struct email_conn *c, struct email_tx *tx);
void email_conn_flush(struct email_session *s, struct email_conn *c);
void email_conn_quit(struct email_session *s, struct email_conn *c);
void email_conn_timeout(struct email_session *s, struct email_conn *c);
void email_conn_reset(struct email_session *s, struct email_conn *c, const char *why);
void email_conn_deadline(struct email_session *s, struct email_conn *c);
/* Called by the connection when it could not be opened: the session decides. */
void email_session_no_connection(
	struct email_session *s, int error, const struct lt_stream_ev *ev, const char *why);
/* The connection has carried as many mails as it may. */
bool email_conn_is_old(const struct email_session *s, const struct email_conn *c);
/* What ended an opening was the log-in or TLS, not the way to the relay. */
bool email_is_login(int error);
/* email_step.c: what a reply means for the transaction */
void email_step(struct email_session *s, struct email_conn *c, struct email_expect e,
	const struct email_reply *r);
void email_conn_expect(
	struct email_conn *c, enum email_what what, uint16_t index, struct email_tx *tx);
void email_conn_cmd(struct email_conn *c, const char *z);
int email_conn_body(struct email_session *s, struct email_conn *c, struct email_tx *tx);

/* email_check.c: probe of an account */
int email_check_start(struct lt_inst *inst, struct lt_job *job);
int email_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
#define EMAIL_CHECK_SIZE 16 /* priv of a check job */

#endif
