/* smpp.h - what the files of the SMPP adapter share: the session of an account (its binds), messages and their segments.
 * Thread: loop. Life: a message is made when its op starts and owns one segment a PDU; a segment waits in the session's queue,
 * then in the window of the link that carries it, then is answered or lost. The op is finished when every segment is settled; a
 * message whose answer may still come stays as a late one until it does, or late_ms is over. */
#ifndef LANTOA_SMPP_H
#define LANTOA_SMPP_H

#include "../common/outcome.h"
#include "../common/session.h"
#include "../common/sms_text.h"
#include "smpp_conf.h"
#include "smpp_pdu.h"

#define SMPP_LINKS_MAX (2u * SMPP_BINDS_MAX)
#define SMPP_BATCH_MAX 128u  /* segments in one write */
#define SMPP_LATE_MAX  8192u /* late messages of a session */
#define SMPP_GHOSTS \
	1024u /* lost messages of an account that a receipt may still name by our reference */
#define SMPP_HELD        256u /* reports that wait for an answer that tells whose they are */
#define SMPP_EARLY       256u /* reports that came before the answer and may be needed without it */
#define SMPP_LEARN_SLOTS 16384u /* of the last answers, for the form of ids in reports */
#define SMPP_RECEIPTS_MAX \
	8192u /* receipts of a link that are not stored yet; more are put off (0x64) */
#define SMPP_RECEIPTS_HOLD 4096u /* so many, and nothing more is submitted until some are stored */
#define SMPP_CTL_MAX       (4u << 20)
#define SMPP_PARTS_MAX     32u /* texts from phones that wait for their other parts */
#define SMPP_PART_N_MAX    8u
#define SMPP_TRIED         32768u
#define SMPP_SAID          4096u /* phones whose last text is remembered */
#define SMPP_RESEND_MAX    5u    /* of one segment whose message is half sent */
#define SMPP_SESSIONS_MAX  16u
#define SMPP_REF_SLOTS     65536u

enum smpp_seg_state {
	SMPP_SEG_QUEUED = 0,
	SMPP_SEG_SENT,
	SMPP_SEG_OK,
	SMPP_SEG_BAD, /* an answer, or proof, that it was not taken: row says what that means */
	SMPP_SEG_LOST /* may have been taken */
};
struct smpp_msg;
struct smpp_link;
struct smpp_seg {
	struct smpp_msg *msg;
	struct smpp_seg *next,
		*prev;          /* in the link's window or its late list, in the order of sending */
	struct smpp_link *link; /* of those lists; NULL: in none */
	uint64_t end;           /* offset behind it in the link's stream */
	int64_t sent_at, not_before; /* not_before: put off until then; 0: not */
	const struct ltc_outcome_row *row;
	uint32_t seq, status, at, n; /* at, n: its bytes of the text */
	uint8_t state, index, resends,
		rounds;   /* rounds: put off so often, resends: those that spent a try */
	bool late, timed; /* timed: it went with a validity period */
	uint64_t nth;     /* of those that its link has sent */
	char id[SMPP_ID_MAX];
};
struct smpp_op { /* priv of an op job */
	struct lt_job *job;
	const struct lt_work *work;
	struct smpp_session *session;
	struct smpp_msg *msg; /* NULL once finished */
};
struct smpp_msg {
	struct smpp_msg *next;               /* in the queue */
	struct smpp_msg *all_next, **all_at; /* every message of the session */
	struct smpp_op *op;                  /* NULL: finished, an answer may still come */
	uint64_t attempt, delivery;
	struct lt_str text; /* borrowed from the payload until finish */
	enum sms_coding coding;
	char dest[24];
	uint32_t try_no;
	uint16_t ref; /* of a longer text */
	uint8_t n, urgent;
	bool queued, late; /* late: counted in n_late */
	bool asked; /* the host is asked whether the rest may still go: nothing is written until it says so */
	struct smpp_seg seg[]; /* n */
};

enum smpp_role { SMPP_ROLE_TRX = 0, SMPP_ROLE_TX, SMPP_ROLE_RX };
enum smpp_link_state {
	SMPP_L_DOWN = 0, /* retry_at says when it is opened */
	SMPP_L_OPENING,
	SMPP_L_BINDING,
	SMPP_L_BOUND,
	SMPP_L_DRAINING,  /* the peer has unbound: nothing new, answers are awaited */
	SMPP_L_UNBINDING, /* we have */
	SMPP_L_CLOSING
};
struct smpp_list {
	struct smpp_seg *head, *tail;
	uint32_t n;
};
struct smpp_link {
	enum smpp_link_state state;
	enum smpp_role role;
	uint32_t stream, gen, seq, enquire_seq;
	bool blocked, unbound_by_peer;
	struct smpp_list window, late;
	struct smpp_seg **map; /* owned; by sequence number, open addressing */
	uint32_t map_cap, map_n;
	struct ltc_buf in, ctl, out;
	struct lt_job *jobs[SMPP_BATCH_MAX]; /* of the segments in `out` */
	struct smpp_seg *batch[SMPP_BATCH_MAX];
	uint32_t batch_end[SMPP_BATCH_MAX], n_batch;
	uint64_t sent_n, full_n; /* segments sent; the one that took the last place in the window */
	uint32_t expiries, acks; /* timeouts in a row; receipts that wait for their commit */
	int64_t heard_at, enquired_at, bound_at, deadline, retry_at, backoff_ms;
	uint32_t bind_status;
	bool refused; /* bind_status says why */
	char why[160];
};
struct smpp_ghost {
	uint64_t attempt;
	int64_t at;
	uint16_t ref;
	char dest[24];
};
struct smpp_early {       /* a report that came before its text had an answer */
	uint64_t attempt; /* 0: free */
	int64_t at_ms;
	int32_t state;
	char code[64];
};
struct smpp_held {     /* a report that may be one of two texts until the answer is here */
	int64_t until; /* 0: free */
	uint64_t token;
	uint32_t gen;
	int32_t state;
	bool final;
	int64_t at_ms;
	char code[64], id[72], phone[24];
};
struct smpp_learn {
	uint64_t *owned;  /* SMPP_LEARN_SLOTS: hashes of phone and id of answers */
	uint32_t hits[8]; /* by enum smpp_form */
	bool said[8];
};
struct smpp_text_part { /* a text from a phone that came in parts */
	int64_t until;  /* 0: free; -1: being stored */
	bool kept; /* all that is here was told and acknowledged: for the others, if they come */
	uint32_t gen;
	char source[24], dest[24];
	struct smpp_part part; /* seq: how many are here */
	uint8_t data_coding;
	struct {
		char *owned; /* NULL: not here yet */
		bool told;
		size_t n;
		uint32_t seq; /* of its deliver_sm */
	} got[SMPP_PART_N_MAX];
};
struct smpp_said {                    /* the last text of a phone */
	uint64_t phone, text, before; /* hashes; before: of what it had said until then */
};
struct smpp_tried {         /* a delivery and a status */
	uint32_t tag;       /* 0: free */
	uint16_t try_no, n; /* the last try that ended so, and how many did */
};
struct smpp_inst { /* priv of an instance */
	struct smpp_conf conf;
	struct ltc_outcomes *outcomes;                    /* owned */
	struct smpp_session *sessions[SMPP_SESSIONS_MAX]; /* owned, oldest first */
	uint16_t *refs; /* owned: last reference by a hash of the recipient */
	struct smpp_ghost
		*ghosts; /* owned, SMPP_GHOSTS: they outlive the session whose link was lost */
	struct smpp_early *early; /* owned, SMPP_EARLY */
	struct smpp_said *said;   /* owned, SMPP_SAID */
	struct smpp_tried *tried; /* owned, SMPP_TRIED */
	uint32_t n_ghosts, n_early;
	uint32_t gens;
};
struct smpp_pace {            /* smpp_window.c */
	uint32_t window;      /* now, of one link */
	double per_s, tokens; /* per_s 0: no limit */
	double seen_per_s;
	uint32_t seen;
	int64_t seen_at, filled_at, paused_until, pause_ms, slowed_at, grown_at;
};
struct smpp_session_ref { /* priv of a session job: a session that the host cuts off is freed at close */
	struct smpp_session *s;
};
struct smpp_session {
	struct lt_inst *inst;
	const struct lt_host *host;
	struct smpp_inst *si;
	struct lt_job *job;
	struct smpp_link *links; /* owned, n_links */
	uint32_t n_links, told_slots, n_queued, n_put_off, n_late, next_link;
	struct smpp_msg *head, *tail; /* with segments to be sent: n_queued now, n_put_off later */
	struct smpp_msg *all;
	struct smpp_pace pace;
	struct smpp_held *held; /* owned, SMPP_HELD */
	struct smpp_learn learn;
	uint32_t n_held;
	uint32_t streak;  /* answers of that kind in a row, nothing accepted between them */
	uint64_t id_lens; /* bit n: the server gives ids of n octets that begin with 0 */
	struct smpp_text_part *parts; /* owned, SMPP_PARTS_MAX */
	struct ltc_buf scratch;
	int64_t now, settled_at;
	bool closing, no_validity, over, said_no_id;
	struct ltc_alarm alarm;
	struct ltc_farewell farewell;
};

/* smpp_session.c */
int smpp_session_start(struct lt_inst *inst, struct lt_job *job);
int smpp_session_event(struct lt_job *job, const struct lt_event *ev);
void smpp_session_free(struct smpp_session *s); /* out of the instance, and its memory */
/* A link could not be bound, or was lost: the session decides. verdict NULL: it was lost after it had been bound. */
void smpp_session_link_down(struct smpp_session *s, struct smpp_link *l, bool was_bound);
void smpp_session_log(struct smpp_session *s, uint32_t level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* smpp_link.c: one connection */
int smpp_link_open(struct smpp_session *s, struct smpp_link *l);
void smpp_link_event(struct smpp_session *s, struct smpp_link *l, const struct lt_event *ev);
void smpp_link_due(struct smpp_session *s, struct smpp_link *l);
int64_t smpp_link_next(
	const struct smpp_session *s, const struct smpp_link *l); /* 0: nothing due */
void smpp_link_unbind(struct smpp_session *s, struct smpp_link *l);
void smpp_link_reset(struct smpp_session *s, struct smpp_link *l, const char *why);
void smpp_link_close(struct smpp_session *s, struct smpp_link *l, const char *why);
void smpp_link_drain(struct smpp_session *s, struct smpp_link *l, const char *why);
void smpp_link_flush(struct smpp_session *s, struct smpp_link *l);
void smpp_link_done(struct smpp_link *l);
uint32_t smpp_link_seq(struct smpp_link *l);
bool smpp_link_sends(const struct smpp_link *l); /* bound, and may submit */
void smpp_link_ack(struct smpp_link *l, uint32_t id, uint32_t status, uint32_t seq);

/* smpp_input.c: what comes in on a link */
void smpp_link_input(struct smpp_session *s, struct smpp_link *l, struct lt_str data);

/* smpp_window.c: sequence numbers under way, and the pace */
int smpp_window_put(struct smpp_link *l, struct smpp_seg *g) LTC_MUST;
struct smpp_seg *smpp_window_find(const struct smpp_link *l, uint32_t seq);
void smpp_window_remove(struct smpp_seg *g);
void smpp_window_late(
	struct smpp_link *l, struct smpp_seg *g); /* from the window to the late list */
void smpp_pace_init(struct smpp_session *s);
uint32_t smpp_pace_room(struct smpp_session *s, struct smpp_link *l); /* segments that may go now */
void smpp_pace_sent(struct smpp_session *s);
void smpp_pace_good(struct smpp_session *s, uint32_t congestion);
/* The server asks for less: how long to pause. sent_at: when the refused one had been sent. */
int64_t smpp_pace_slow(struct smpp_session *s, int64_t sent_at, uint32_t status);
int64_t smpp_pace_next(const struct smpp_session *s); /* when something may go again; 0: now */
void smpp_pace_slots(struct smpp_session *s);

/* smpp_submit.c: messages, segments and what becomes of them */
int smpp_op_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n);
int smpp_op_event(struct lt_job *job, const struct lt_event *ev);
void smpp_submit_pump(struct smpp_session *s);
void smpp_submit_answer(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	struct lt_str body, bool nack);
void smpp_submit_expired(struct smpp_session *s, struct smpp_seg *g);
void smpp_submit_lost(struct smpp_session *s, struct smpp_link *l, uint64_t flushed);
void smpp_submit_unbatch(struct smpp_session *s, struct smpp_link *l);
/* To the front of the queue, but not sent before `at`. */
void smpp_submit_again(struct smpp_session *s, struct smpp_seg *g, int64_t at);
void smpp_submit_stop(
	struct smpp_session *s, const struct lt_result *r); /* all that has not begun */
void smpp_msg_forget(struct smpp_session *s, struct smpp_msg *m);
bool smpp_submit_open(const struct smpp_session *s); /* an op is under way */

/* smpp_put_off.c: segments that go again behind accepted ones */
/* All of this text that may go again waits for its time. False: one of them does not. */
bool smpp_put_off(struct smpp_session *s, struct smpp_msg *m);
void smpp_put_off_due(struct smpp_session *s);
int64_t smpp_put_off_next(const struct smpp_session *s); /* 0: nothing waits for a time */
void smpp_submit_uncount(struct smpp_session *s, struct smpp_seg *g); /* it is queued no more */

/* smpp_settle.c: from segments to the outcome of an op */
void smpp_msg_settle(struct smpp_session *s, struct smpp_msg *m);
void smpp_msg_finish(struct smpp_session *s, struct smpp_msg *m, const struct lt_result *r);
void smpp_msg_late(struct smpp_session *s, struct smpp_msg *m);

/* smpp_encode.c: a segment as submit_sm */
int smpp_encode_seg(struct smpp_session *s, const struct smpp_seg *g, uint32_t seq,
	struct ltc_buf *out) LTC_MUST;
void smpp_encode_refs_start(struct smpp_inst *si, int64_t wall_ms);
uint16_t smpp_encode_ref(struct smpp_inst *si, struct lt_str dest, int64_t wall_ms);

/* smpp_status.c */
extern const struct ltc_outcome_words smpp_outcome_words;
#define SMPP_F_SLOW        0x10000u /* the server asks for less */
#define SMPP_F_ALERT       0x20000u
#define SMPP_F_NO_VALIDITY 0x40000u /* again, without a validity period */
#define SMPP_F_REBIND      0x80000u
#define SMPP_F_STREAK \
	0x100000u /* many in a row are not about one text: then the row of sub "all" counts */
int smpp_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size) LTC_MUST;
/* Never NULL on a table that was checked. phase: "bind", "submit", "link"; link's code is a word. */
const struct ltc_outcome_row *smpp_status_row(
	const struct ltc_outcomes *t, const char *phase, uint32_t status, uint32_t try_no);
const struct ltc_outcome_row *smpp_status_all(const struct ltc_outcomes *t, uint32_t status);
const struct ltc_outcome_row *smpp_status_word(const struct ltc_outcomes *t, const char *word);
void smpp_status_text(uint32_t status, char *dst, size_t size); /* "58 ESME_RTHROTTLED" */

/* smpp_tries.c: 1 for the first try of this delivery that ends with this status */
uint32_t smpp_tries_count(struct smpp_inst *si, const struct smpp_msg *m, uint32_t status);

/* smpp_receipt.c: reports */
struct smpp_receipt { /* strings borrowed from the PDU */
	struct lt_str id, stat, err, sub, dlvrd;
	int32_t state; /* LT_RC_* */
	bool final;
	int64_t at_ms;
};
bool smpp_receipt_is(const struct smpp_conf *c, const struct smpp_sm *m);
int smpp_receipt_parse(
	const struct smpp_conf *c, const struct smpp_sm *m, struct smpp_receipt *ret) LTC_MUST;
/* smpp_form.c: reports without keys. */
bool smpp_form_is_good(struct lt_str form);
bool smpp_form_read(struct lt_str form, struct lt_str text, struct smpp_receipt *ret,
	struct lt_str *ret_done) LTC_MUST; /* an id that is there already stays */
#define SMPP_IDS_MAX \
	24u /* the host takes so many for a report; an id of six digits makes as many */
struct smpp_ids {
	struct lt_str list[SMPP_IDS_MAX];
	size_t n;
	char text[SMPP_IDS_MAX][72];
};
/* smpp_ids.c */
enum smpp_form { /* how a report writes the id of its answer */
	SMPP_FORM_NONE = 0,
	SMPP_FORM_EXACT,
	SMPP_FORM_CLOSE, /* other letters, other zeros */
	SMPP_FORM_HEX_DEC,
	SMPP_FORM_DEC_HEX,
	SMPP_FORMS
};
void smpp_receipt_ids(enum smpp_dlr_id how, struct lt_str id, struct smpp_ids *ret);
void smpp_ids_near(struct lt_str id, struct smpp_ids *ret); /* in no other base */
enum smpp_form smpp_ids_form(struct lt_str report, struct lt_str answer);
bool smpp_ids_two_ways(struct lt_str id); /* it could be a number in either base */
void smpp_deliver(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	struct lt_str body);
#define SMPP_PART_TOKEN (UINT64_C(1) << 62)
#define SMPP_GEN_SHIFT  32
#define SMPP_GEN_MASK   0x0fffffffu
uint64_t smpp_receipt_token(const struct smpp_link *l, const struct smpp_header *h);
void smpp_receipt_saved(struct smpp_session *s, uint64_t token, int32_t error);

/* smpp_learn.c: which way it is, from the answers of this session */
bool smpp_learn_init(struct smpp_session *s) LTC_MUST;
void smpp_learn_done(struct smpp_session *s);
void smpp_learn_answer(struct smpp_session *s, struct lt_str phone, struct lt_str id);
bool smpp_learn_known(const struct smpp_session *s, struct lt_str phone, struct lt_str id);
bool smpp_learn_exact(
	const struct smpp_session *s); /* reports have come as the answers often enough */
void smpp_learn_ids(
	struct smpp_session *s, struct lt_str phone, struct lt_str id, struct smpp_ids *ret);
const char *smpp_learn_setting(
	const struct smpp_session *s); /* of dlr_id; NULL: nothing seen yet */

/* smpp_early.c: reports that came before the answer of their text */
/* True: it is told later, with the same token. out: without ids. */
bool smpp_early_keep(
	struct smpp_session *s, struct lt_str id, const struct lt_receipt *out, uint64_t token);
void smpp_early_answered(struct smpp_session *s, struct lt_str phone, struct lt_str id);
void smpp_early_due(struct smpp_session *s);
int64_t smpp_early_next(const struct smpp_session *s);
void smpp_early_gone(struct smpp_session *s, uint32_t gen); /* the link that they came on */

/* Adds ways of writing with zeros in front. lens: bit n where the server gave an id of n octets that begins with 0. */
void smpp_receipt_pad(uint64_t lens, struct lt_str id, struct smpp_ids *ret);
/* The same for what smpp_receipt_ids() made of the id: it may have lost its zeros and its base. */
void smpp_receipt_pad_all(
	enum smpp_dlr_id how, uint64_t lens, struct lt_str id, struct smpp_ids *ret);

/* smpp_orphan.c: texts whose answer never came, by our own reference */
static inline uint16_t smpp_user_ref(uint64_t attempt, uint32_t segment)
{
	return (uint16_t)((attempt >> 8) * 16 + segment);
}
bool smpp_same_phone(const char *ours, struct lt_str theirs);
void smpp_orphan_add(struct smpp_session *s, uint64_t attempt, const char *dest);
/* The attempt that this report settles, or 0; one that may be needed later is kept. */
uint64_t smpp_orphan_attempt(
	struct smpp_session *s, const struct smpp_sm *m, const struct lt_receipt *r);

/* smpp_inbound.c: texts from phones */
void smpp_inbound(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	const struct smpp_sm *m);
void smpp_inbound_drop(struct smpp_text_part *p); /* its memory */
void smpp_inbound_saved(struct smpp_session *s, uint32_t slot, int32_t error);
void smpp_inbound_due(struct smpp_session *s);
int64_t smpp_inbound_next(const struct smpp_session *s);
void smpp_inbound_gone(struct smpp_session *s, uint32_t gen); /* the link that they came on */

/* smpp_check.c: probe of an account */
struct smpp_check {
	uint32_t stream, skip; /* skip: octets of a body that nobody reads */
	char in[SMPP_HEADER];
	size_t n;
	bool bound;
};
int smpp_check_start(struct lt_inst *inst, struct lt_job *job);
int smpp_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
/* Writes a bind; also used by links. */
int smpp_bind_write(const struct lt_host *h, struct lt_job *job, const struct smpp_conf *c,
	uint32_t stream, uint32_t cmd, uint32_t seq);

#endif
