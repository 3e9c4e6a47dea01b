/* session.h - what sessions of every adapter have in common.
 * A counting session holds no connection (HTTP, loopback): it gives the host as many slots as its window leaves free, and ends when
 * the host asks for it and the last op is finished. An alarm and a farewell are for sessions that hold connections (SMTP, SMPP):
 * those keep their pools, queues and clocks to themselves, because only the names of these are alike.
 * Thread: loop. Owns: nothing; all of it lies in the adapter's own session. */
#ifndef LANTOA_COMMON_SESSION_H
#define LANTOA_COMMON_SESSION_H

#include "text.h"

struct ltc_session { /* zeroed host memory until ltc_session_start */
	struct lt_inst *inst;
	struct lt_job *job;
	uint32_t window; /* ops at once, as the account's settings say */
	uint32_t limit;  /* ... and as the host does */
	uint32_t held;   /* all of a batch count before the first may be finished */
	bool shutting;
};
/* The first slots are told; the session may end at once only when it is asked to. */
void ltc_session_start(
	struct ltc_session *s, struct lt_inst *inst, struct lt_job *job, uint32_t window);
/* limit, shutdown, cancel. True: the event was one of these, and the session may be gone. */
bool ltc_session_event(struct ltc_session *s, const struct lt_event *ev);
void ltc_session_settle(struct ltc_session *s); /* slots anew; it may be gone when this returns */
void ltc_session_end_op(struct ltc_session *s); /* one less is held, then the same */

/* The host forgets no wake-up, so one is asked for only when it is sooner than the one that stands. */
struct ltc_alarm {
	int64_t at; /* 0: none stands; the adapter clears it when it rings */
};
void ltc_alarm_sooner(int64_t *first, int64_t at); /* the earlier one; 0 is never */
void ltc_alarm_set(struct ltc_alarm *a, const struct lt_host *h, struct lt_job *job, int64_t at,
	uint64_t token);

/* How a session ends when it fails, kept until its last op and connection are gone. */
struct ltc_farewell {
	bool failed;
	struct lt_result result; /* without code and text */
	char code[24], text[240];
};
void ltc_farewell_say(
	struct ltc_farewell *f, const struct lt_result *r, const char *code, const char *text);
struct lt_result ltc_farewell_result(const struct ltc_farewell *f); /* borrows code and text */
/* Finishes the session, accepted when nothing failed. By value: what `f` stood in may be freed already. */
void ltc_farewell_finish(struct ltc_farewell f, const struct lt_host *h, struct lt_job *job);

#endif
