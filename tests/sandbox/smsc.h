/* smsc.h - an SMSC that speaks SMPP 3.4, imitated: takes texts into the ledger, answers and reports as its script says.
 * Script ("smsc": {...}) and `sandbox ctl` {"cmd":"smsc", ...}: "options": {...} and "rules": [...] ("replace": true empties the
 * list first); "do": "cut" resets all links, "unbind" sends unbind on them, "stall": true stops reading, "flood": N sends N reports
 * for ids that nobody has, "mo": {"from","to","text"} sends a text from a phone (in parts when it is long). The answer has numbers.
 * Rule: {"match": "*" or the end of a number, "at": "bind"|"submit"|"enquire", "do": ..., "code": 88, "times", "skip", "percent",
 *   "delay_ms"}; the first that fits acts. do: "status" (code; not taken), "nack" (generic_nack, code), "silent" (not taken, no answer), "take_silent"
 *   (taken, no answer), "drop" (link closes, not taken), "take_drop" (taken, then the link closes: a lost answer), "delay" (taken,
 *   answered delay_ms later), "unbind" (taken and answered, then the server unbinds), "garbage" (taken, bytes without sense).
 * Options: user, password; window (over it: window_code, default 0x14); per_s (over it: 0x58); ids: dec, hex, hex16 (zeros in front), random, uuid, few (1 to 7
 *   and again: a server that counts anew);
 *   reports: after, before, double, never; report_ms; report_ids: same, upper, dec, stripped, padded; report_tlv; state: DELIVRD ...; err;
 *   order: fifo, reversed (answers of one turn); text: keep the text in reports.
 * Ledger: {"t":"sms"} once a message, with all its segments; {"t":"sms_part"} for each segment of a longer one; {"t":"sms_again"}
 * for a segment that had come already; {"t":"sms_link"} for binds and ends. Thread: the sandbox's. */
#ifndef LANTOA_SANDBOX_SMSC_H
#define LANTOA_SANDBOX_SMSC_H

#include "base/list.h"
#include "http.h"

#define SMSC_CONNS_MAX   256u
#define SMSC_RULES_MAX   200u
#define SMSC_PDU_MAX     70000u
#define SMSC_PARTS_MAX   20000u
#define SMSC_REPORTS_MAX 2000000u
#define SMSC_SEGS_MAX    255u

enum smsc_do {
	SMSC_STATUS = 1,
	SMSC_NACK,
	SMSC_SILENT,
	SMSC_TAKE_SILENT,
	SMSC_DROP,
	SMSC_TAKE_DROP,
	SMSC_DELAY,
	SMSC_UNBIND,
	SMSC_GARBAGE
};
enum smsc_at { SMSC_AT_BIND, SMSC_AT_SUBMIT, SMSC_AT_ENQUIRE, SMSC_AT_N };
struct smsc_rule {
	enum smsc_at at;
	enum smsc_do what;
	char match[32];
	uint32_t code;
	struct sb_pace pace;
};
struct smsc_options {
	char user[20], password[20], ids[12], reports[12], report_ids[12], state[20], err[12];
	int64_t window, window_code, per_s, report_ms;
	bool report_tlv, reversed, text;
};
struct smsc_conn {
	uv_tcp_t tcp;
	struct list node;
	struct smsc *c;
	struct buf in, out;
	char user[20];
	uint32_t seq, waiting; /* waiting: submits whose answer is held back */
	size_t answers;        /* of this turn, in out: for `reversed` */
	int role;              /* 0 not bound, 1 receiver, 2 transmitter, 3 both */
	bool closing, close_after_flush, reset_after_flush, stalled;
};
struct smsc_report {
	struct list node;
	struct smsc_conn *conn; /* it was sent there and waits for its answer; NULL: not sent */
	uint32_t seq;
	int64_t at;
	char user[20], from[24], to[24], id[72], text[24];
	bool mo;
	uint8_t esm_class, data_coding;
	struct str body; /* owned, of a text from a phone */
	uint16_t user_ref;
};
struct smsc_sm { /* a submit_sm, parsed */
	struct str source, dest, message;
	uint8_t esm_class, data_coding, registered, source_ton, dest_ton, priority;
	char validity[20];
	int sar_ref, sar_total, sar_seq; /* -1: none */
	int user_ref;
	bool payload;
};
struct smsc {
	struct sandbox *s;
	uv_tcp_t listener;
	int port;
	struct list conns, reports, sent;
	size_t n_conns, n_reports;
	struct smsc_rule rules[SMSC_RULES_MAX];
	size_t n_rules;
	struct smsc_options opt;
	struct list parts, laters; /* struct smsc_partial; answers that wait */
	size_t n_parts;
	uint64_t taken, segments, refused, throttled, lost, sent_reports, acked, binds, mo_acked,
		again;
	uint64_t last_id;
	int64_t second;
	uint64_t in_second;
	bool timer_set;
};

/* smsc_text.c */
void smsc_decode(struct str octets, uint8_t data_coding, struct buf *out); /* to UTF-8 */
size_t smsc_encode_gsm(struct str utf8, char *dst, size_t size); /* 0: not in the alphabet */
size_t smsc_encode_ucs2(struct str utf8, char *dst, size_t size);
/* One segment taken under this id: to the ledger when the whole text is here. */
void smsc_take(struct smsc *c, const struct smsc_conn *conn, const struct smsc_sm *m,
	const char *id, const char *answer);
void smsc_parts_free(struct smsc *c);
void smsc_phone(struct str in, char *dst, size_t size); /* +84... */

/* smsc_rules.c */
int smsc_script(struct smsc *c, const cJSON *in, struct err *e) MUST_CHECK;
struct smsc_rule *smsc_rule_hit(struct smsc *c, enum smsc_at at, struct str dest);
void smsc_stats(const struct smsc *c, cJSON *ret);

/* smsc_report.c */
void smsc_report_new(
	struct smsc *c, const struct smsc_conn *conn, const struct smsc_sm *m, const char *id);
void smsc_reports_flood(struct smsc *c, int64_t n);
int smsc_mo(struct smsc *c, const cJSON *mo, struct err *e) MUST_CHECK;
void smsc_reports_send(struct smsc *c);
void smsc_report_answer(struct smsc *c, struct smsc_conn *conn, uint32_t seq, uint32_t status);
void smsc_reports_gone(struct smsc *c, const struct smsc_conn *conn); /* to be sent again */
void smsc_reports_free(struct smsc *c);

/* smsc.c */
void smsc_put(struct smsc_conn *conn, uint32_t id, uint32_t status, uint32_t seq, struct str body);

#endif
