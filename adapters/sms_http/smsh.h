/* smsh.h - what the files of the HTTP gateway adapter share.
 * The gateway is described by its vendor file (files: {vendor: ...}), a JSON document that docs/guide-sms-http.md explains; this
 * adapter is only its interpreter. Secrets stand in it by name and go to the host by name: they never enter a buffer of ours, but
 * for the moment that HTTP Basic needs them in base64.
 * Thread: open and all jobs on the loop. Owns: priv of instance, session and jobs (host memory); the parsed vendor file.
 * Failures: a wrong vendor file refuses to open with line, value and what would be right. */
#ifndef LANTOA_SMSH_H
#define LANTOA_SMSH_H

#include <regex.h>
#include "../common/session.h"
#include "../common/sms_phone.h"
#include "../common/sms_prepare.h"
#include "smsh_doc.h"

#define SMSH_ANSWER_MAX  (256u * 1024)
#define SMSH_BATCH_MAX   1000u
#define SMSH_PIECES_MAX  60u
#define SMSH_BODY_MAX    (1u << 20)
#define SMSH_REGEX_MAX   64u
#define SMSH_IDS_MAX     16u /* effects that a result names */
#define SMSH_REPORTS_MAX 1000u

/* --- the vendor file --------------------------------------------------------------------------------------------------------- */
struct smsh_regex {
	uint32_t node; /* where it stands in the file */
	regex_t re;
};
enum smsh_auth { SMSH_A_NONE, SMSH_A_BASIC, SMSH_A_BEARER, SMSH_A_TOKEN, SMSH_A_JWT };
struct smsh_vendor {
	struct smsh_doc doc;
	struct smsh_regex regex[SMSH_REGEX_MAX];
	size_t n_regex;
	uint32_t settings, needs, auth, send, few, ask, receipts, inbound, poll, balance, backoff;
	enum smsh_auth auth_kind;
	bool token_spends; /* its exchange uses up a refresh token; else it may be asked for again at any time */
	enum sms_phone_form phone;
	struct lt_str name, base;
	uint32_t batch_max,
		few_below; /* fewer numbers than this go one by one, by the call `few` */
};
int smsh_vendor_read(struct smsh_vendor *v, struct lt_str text, char *err, size_t size) LTC_MUST;
void smsh_vendor_done(struct smsh_vendor *v);
struct lt_str smsh_v_text(const struct smsh_vendor *v, uint32_t object, const char *key);
const regex_t *smsh_v_regex(const struct smsh_vendor *v, uint32_t node);
/* smsh_vendor_check.c: every name, template, pointer and rule of the file. */
int smsh_vendor_check(struct smsh_vendor *v, char *err, size_t size) LTC_MUST;

struct smsh_conf {
	struct lt_str sender, base, params, callback_url, callback_secret;
	bool insecure;
	int32_t connect_ms, total_ms;
	uint32_t connections, batch;
	int64_t balance_min, balance_every_ms;
	int zone_min;
};
struct smsh_inst {
	struct smsh_conf conf;
	struct smsh_vendor vendor;
};
#define SMSH_N_KEYS (SMS_N_KEYS + 12)
extern const struct lt_key smsh_keys[SMSH_N_KEYS];
int smsh_conf_read(const struct lt_conf *c, struct smsh_conf *ret, char *err, size_t size) LTC_MUST;
/* After the vendor file: parameters that it lacks or does not know, plain http. */
int smsh_conf_fit(const struct smsh_inst *si, char *err, size_t size) LTC_MUST;
/* Value of a parameter: of the channel's `params`, else of the vendor file's settings. */
bool smsh_param(const struct smsh_inst *si, struct lt_str name, struct lt_str *ret);

/* --- templates: text with {{name|filter|filter:argument}} ------------------------------------------------------------------- */
enum smsh_esc { SMSH_E_NONE, SMSH_E_JSON, SMSH_E_XML, SMSH_E_URL };
struct smsh_vars {
	const struct smsh_inst *si;
	const struct lt_host *host;
	struct lt_job *job;
	const struct sms_payload *pay; /* NULL: no text */
	const struct lt_str *phones;   /* canonical */
	size_t n_phones, phone_i;
	struct lt_str ref, id;
	uint32_t param_i;
	/* of a report that is checked */
	const struct lt_request *request;
	const struct smsh_doc *fields;
};
struct smsh_piece {
	size_t at, n; /* in text; or */
	struct lt_str secret;
};
struct smsh_out {
	struct ltc_buf text;
	struct smsh_piece piece[SMSH_PIECES_MAX];
	size_t n;
	char why[160]; /* empty: good */
};
void smsh_out_init(struct smsh_out *o);
void smsh_out_done(struct smsh_out *o); /* wipes */
/* Both return 0, or -EINVAL with the reason in o->why. */
int smsh_render(
	struct smsh_out *o, const struct smsh_vars *v, struct lt_str tpl, enum smsh_esc esc);
int smsh_render_json(struct smsh_out *o, const struct smsh_vars *v, uint32_t node);
struct lt_str smsh_out_str(const struct smsh_out *o); /* without secrets only */
/* Whether a template can be read: names, filters, braces. NULL, or what is wrong. */
const char *smsh_template_fault(
	const struct smsh_vendor *v, struct lt_str tpl, char *buf, size_t size);
/* smsh_filter.c: one filter over *b; false: no such filter or a wrong argument. host NULL: only the name is checked. */
bool smsh_filter(
	const struct smsh_vars *v, struct lt_str name, struct lt_str arg, struct ltc_buf *b);
bool smsh_filter_known(struct lt_str name);
void smsh_escape(struct ltc_buf *dst, struct lt_str s, enum smsh_esc esc);
void smsh_base64url(struct ltc_buf *dst, const void *p, size_t n);
struct lt_str smsh_phone_form(const struct smsh_vars *v, struct lt_str e164, char dst[static 24]);

/* --- requests ---------------------------------------------------------------------------------------------------------------- */
struct smsh_send {
	uint32_t node;  /* the call of the vendor file */
	uint32_t flags; /* LT_PUBLISHES, LT_SECRET_ANSWER */
	bool auth;      /* with the log-in of the vendor file */
	uint64_t token;
	struct lt_job *const *whose;
	size_t n_whose;
};
/* 0; -EINVAL: it cannot be made, why says so, nothing was sent; or what the host said, below -EINVAL's range. */
int smsh_request(
	const struct smsh_vars *v, const struct smsh_send *s, char *why, size_t size) LTC_MUST;
/* Log-in headers; false with o->why. */
bool smsh_auth_add(
	const struct smsh_vars *v, struct smsh_out *o, struct lt_pair *ret, char *why, size_t size);
/* Kind token: the set of the account's credential holds these two. */
#define SMSH_ACCESS  LTC_LIT("access_token")
#define SMSH_REFRESH LTC_LIT("refresh_token")
bool smsh_auth_token_there(const struct smsh_vars *v, uint64_t *ret_version);

/* --- answers ----------------------------------------------------------------------------------------------------------------- */
enum smsh_special { SMSH_S_NONE, SMSH_S_ITEMS, SMSH_S_SEGMENTS, SMSH_S_TOKEN };
struct smsh_verdict {
	int32_t outcome, scope;
	uint32_t flags;
	int64_t retry_ms;
	enum smsh_special special;
	char code[80], text[201];
	char id[SMSH_IDS_MAX][120];
	uint32_t id_outcome[SMSH_IDS_MAX];
	size_t n_ids;
};
struct smsh_answer {                   /* what rules look at */
	const struct lt_http_res *res; /* NULL: a report */
	struct smsh_doc doc;
	bool read;     /* doc is good */
	uint32_t root; /* of an item */
};
void smsh_answer_read(const struct smsh_vendor *v, uint32_t call, const struct lt_http_res *res,
	struct smsh_answer *ret);
void smsh_answer_done(struct smsh_answer *a);
/* A pointer of the vendor file, or a list of them: its first one (before: SMSH_NONE) or the next; SMSH_NONE: no more. */
uint32_t smsh_pointer_next(const struct smsh_vendor *v, uint32_t at, uint32_t before);
/* The file has one there that is not empty. */
bool smsh_points(const struct smsh_vendor *v, uint32_t object, const char *key);
/* Where the first that leads to something leads, below `from`; SMSH_NONE: none does. */
uint32_t smsh_point(const struct smsh_vendor *v, uint32_t object, const char *key,
	const struct smsh_doc *d, uint32_t from);
/* Text of the first that has one. */
struct lt_str smsh_point_text(const struct smsh_vendor *v, uint32_t object, const char *key,
	const struct smsh_doc *d, uint32_t from);
bool smsh_cond(const struct smsh_vendor *v, uint32_t cond, const struct smsh_answer *a);
/* First rule of the list that holds; SMSH_NONE: none. */
uint32_t smsh_rule_find(const struct smsh_vendor *v, uint32_t rules, const struct smsh_answer *a);
bool smsh_class_known(struct lt_str word);
/* The verdict of an answer by the rules that stand at `at` (an "answer" object, its items or segments). */
void smsh_judge(const struct smsh_vendor *v, uint32_t at, const struct smsh_answer *a,
	struct smsh_verdict *ret);
/* One text, one recipient: segments looked at. */
void smsh_judge_one(
	const struct smsh_vendor *v, uint32_t at, struct smsh_answer *a, struct smsh_verdict *ret);
/* Recipient i of n: its item, or whether it stands in the list of rejected numbers. */
void smsh_judge_of(const struct smsh_vars *v, uint32_t at, struct smsh_answer *a,
	const struct smsh_verdict *whole, struct smsh_verdict *ret);
void smsh_verdict_lost(struct smsh_verdict *ret, const struct lt_http_res *res);
void smsh_verdict_set(struct smsh_verdict *v, int32_t outcome, int32_t scope, uint32_t flags,
	const char *code, const char *text);
int64_t smsh_backoff(const struct smsh_vars *v, const struct smsh_answer *a);
#define SMSH_TAG_MAX 17
bool smsh_phone_tag(const struct smsh_vars *v, struct lt_str key, struct lt_str e164,
	char dst[static SMSH_TAG_MAX]);
void smsh_mask(char *text, struct lt_str phone);
bool smsh_same_phone(struct lt_str a, struct lt_str b); /* last nine digits */
/* Copies without control characters, cut at a code point. */
void smsh_copy(char *dst, size_t size, struct lt_str s);

/* --- jobs -------------------------------------------------------------------------------------------------------------------- */
struct smsh_session {
	struct ltc_session count;
	bool asking;
	int64_t asked_ms; /* balance */
};
enum smsh_state { SMSH_NEW = 0, SMSH_TOKEN, SMSH_SENT };
struct smsh_op {
	struct lt_job *job;
	struct smsh_session *session;
	const struct lt_work *work; /* borrowed until finish */
	struct smsh_op *next;       /* of the same request */
	struct smsh_op *lead;       /* the one that asks; itself there */
	struct smsh_op *rest; /* of the lead: too few for one request, they follow one by one */
	enum smsh_state state;
	uint32_t n;             /* of the lead: how many share the request */
	uint64_t version;       /* of the token that was used */
	bool refreshed, cancel; /* token was refreshed once; told to stop */
};
struct smsh_other { /* refresh, check, poll, webhook, reconcile: the largest decides */
	struct lt_job *job;
	struct lt_inst *inst;
	const struct lt_work *work;
	struct smsh_session *session; /* reconcile */
	size_t at, pending;
	uint64_t version;
	bool refreshed, failed, over;
};
enum {
	SMSH_T_SEND = 1,
	SMSH_T_TOKEN = 2,
	SMSH_T_BALANCE = 3,
	SMSH_T_ASK = 4,
	SMSH_T_POLL = 5,
	SMSH_T_WAKE = 6,
	SMSH_T_REPORT = 100
};

/* smsh_op.c */
int smsh_ops_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n);
int smsh_op_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
void smsh_session_settle(struct smsh_session *s);
/* smsh_refresh.c */
int smsh_refresh_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work);
int smsh_refresh_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
/* smsh_check.c: balance, as a check and of the session. */
int smsh_check_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work);
int smsh_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
void smsh_balance_ask(struct smsh_session *s);
void smsh_balance_event(struct smsh_session *s, const struct lt_event *ev);
/* smsh_ask.c: reconcile and poll. */
int smsh_ask_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work);
int smsh_ask_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
int smsh_poll_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work);
int smsh_poll_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
/* smsh_report.c: pushed receipts and inbound texts; and one report of either kind told to the host. */
int smsh_report_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work);
int smsh_report_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
/* Tells one report at a->root by the map of `section`; 0 told, 1 nothing to tell, <0 the host does not take it. */
int smsh_report_tell(struct smsh_other *o, uint32_t section, const struct smsh_answer *a,
	const struct lt_item *item, uint64_t token);
/* smsh_verify.c: signature and address of a push; NULL good, else why not. */
const char *smsh_verify(const struct smsh_vars *v, uint32_t section);

#endif
