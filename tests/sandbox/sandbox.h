/* sandbox.h - providers that cannot be had on this machine, imitated by one program, with a ledger of what was truly published.
 * One thread, one libuv loop. Order of a turn: requests are read, the ledger is written to the kernel, then replies leave: whoever
 * got a yes finds it in the ledger, whatever happens to the client.
 * Loopback only. */
#ifndef LANTOA_SANDBOX_H
#define LANTOA_SANDBOX_H

#include <uv.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

#define SB_RULES_MAX   1000
#define SB_CONNS_MAX   512
#define SB_RCPT_MAX    200
#define SB_LINE_MAX    4096
#define SB_MAIL_MAX    (64u << 20)
#define SB_CONTROL_MAX (1u << 20)
#define SB_FIRST_SEEN  4096 /* greylisted pairs that are remembered */

enum sb_at { SB_AT_CONNECT, SB_AT_EHLO, SB_AT_MAIL, SB_AT_RCPT, SB_AT_DATA, SB_AT_FINAL, SB_AT_N };
enum sb_do {
	SB_REPLY = 1, /* code and text instead of yes */
	SB_GREYLIST, /* 450 4.7.1 until delay_ms after the first try of this sender and recipient */
	SB_DELAY,    /* yes, but delay_ms later */
	SB_SILENT,   /* never a reply; the mail is not taken */
	SB_DROP,     /* close without a reply; the mail is not taken */
	SB_TAKE_DROP, /* the mail is taken and in the ledger, then the link closes: a lost answer */
	SB_TAKE_SILENT, /* the mail is taken, no reply ever */
	SB_CUT_BODY     /* reset in the middle of the body */
};
struct sb_pace { /* how often a rule acts; see rules.h */
	int64_t times, skip, hits, delay_ms;
	int percent; /* 1 to 100 */
};
struct sb_rule {
	enum sb_at at;
	enum sb_do what;
	char match[256]; /* an address, "@domain" or "*" */
	int code;
	char text[256];
	struct sb_pace pace;
};
struct sb_options {
	bool pipelining, lower_case, dsn, smtputf8, store_mails, eightbit, log_refused;
	int64_t size, max_mails, greeting_delay_ms, max_rcpt;
	char user[64], password[64]; /* AUTH demanded when user is set */
	uint64_t seed;
};
struct sb_seen {
	uint64_t hash;
	int64_t at_ms;
};
struct sb_smtp;
struct sb_http;
struct sandbox {
	uv_loop_t loop;
	struct sb_options opt;
	struct sb_rule rules[SB_RULES_MAX];
	size_t n_rules;
	struct sb_seen seen[SB_FIRST_SEEN];
	char dir[400];
	int ledger_fd;
	struct buf ledger; /* lines of this turn */
	uint64_t taken, refused, lost_answers, serial, connections;
	struct sb_smtp *smtp;
	struct sb_http *http; /* NULL until a provider listens */
	uv_pipe_t control;
	uv_prepare_t before_poll; /* end of a turn */
	uv_signal_t sigterm, sigint;
	uint64_t random;
	bool stopping;
};

int64_t sb_now_ms(void);
uint64_t sb_random(struct sandbox *s);

/* smtp_rules.c */
int sb_rules_load(struct sandbox *s, const cJSON *arr, bool replace, struct err *e) MUST_CHECK;
int sb_options_set(struct sandbox *s, const cJSON *obj, struct err *e) MUST_CHECK;
/* The rule that acts at this point for this mailbox (absent: any), already counted; NULL: go on. */
struct sb_rule *sb_rule_hit(struct sandbox *s, enum sb_at at, struct str mailbox);
/* True while sender and recipient are greylisted. */
bool sb_greylisted(struct sandbox *s, const struct sb_rule *r, struct str from, struct str to);

/* ledger.c */
struct sb_mail {
	struct str from, params, content; /* content: without dot-stuffing */
	const struct str *rcpt;
	size_t n_rcpt;
	const char *answer; /* "yes", "lost" */
};
int sb_ledger_open(struct sandbox *s, struct err *e) MUST_CHECK;
void sb_ledger_mail(struct sandbox *s, const struct sb_mail *m, char *ret_id, size_t size);
void sb_ledger_refused(
	struct sandbox *s, const char *at, struct str mailbox, int code, const char *text);
void sb_ledger_mark(struct sandbox *s, struct str text);
void sb_ledger_flush(struct sandbox *s);

/* smtp.c */
int sb_smtp_open(struct sandbox *s, int port, int *ret_port, struct err *e) MUST_CHECK;
void sb_smtp_flush(struct sandbox *s); /* replies of this turn */
void sb_smtp_close(struct sandbox *s);

/* control.c */
int sb_control_open(struct sandbox *s, struct err *e) MUST_CHECK;
int sb_control_send(const char *socket_path, const char *line); /* the `ctl` sub-command */
void sb_control_gone(uv_handle_t *h); /* close callback of a control connection */
void sb_stop(struct sandbox *s);

/* show.c */
int sb_show(const char *ledger_path, const char *mailbox, bool json);

#endif
