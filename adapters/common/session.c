/* session.c - see session.h. Thread: loop. */
#include <stdio.h>
#include "session.h"

void ltc_session_settle(struct ltc_session *s)
{
	const struct lt_host *h = s->inst->host;
	uint32_t window = s->limit < s->window ? s->limit : s->window;
	struct lt_result done = { .struct_size = sizeof(done), .outcome = LT_ACCEPTED };

	if (s->shutting && s->held == 0)
		(void)h->finish(h->ctx, s->job, &done);
	else
		h->slots(h->ctx, s->job, s->shutting || window < s->held ? 0 : window - s->held);
}

void ltc_session_start(
	struct ltc_session *s, struct lt_inst *inst, struct lt_job *job, uint32_t window)
{
	*s = (struct ltc_session){
		.inst = inst, .job = job, .window = window, .limit = UINT32_MAX
	};
	ltc_session_settle(s);
}

bool ltc_session_event(struct ltc_session *s, const struct lt_event *ev)
{
	switch (ev->type) {
	case LT_EV_LIMIT: s->limit = ev->limit; break;
	case LT_EV_SHUTDOWN:
	case LT_EV_CANCEL: s->shutting = true; break;
	default: return false;
	}
	ltc_session_settle(s);
	return true;
}

void ltc_session_end_op(struct ltc_session *s)
{
	s->held--;
	ltc_session_settle(s);
}

void ltc_alarm_sooner(int64_t *first, int64_t at)
{
	if (at > 0 && (*first == 0 || at < *first))
		*first = at;
}

void ltc_alarm_set(struct ltc_alarm *a, const struct lt_host *h, struct lt_job *job, int64_t at,
	uint64_t token)
{
	if (at == 0 || (a->at > 0 && a->at <= at))
		return;
	if (h->wake_at(h->ctx, job, at, token) >= 0)
		a->at = at;
}

void ltc_farewell_say(
	struct ltc_farewell *f, const struct lt_result *r, const char *code, const char *text)
{
	struct lt_str cut = ltc_utf8_cut(ltc_z(text), sizeof(f->text) - 1);

	*f = (struct ltc_farewell){ .failed = true, .result = *r };
	(void)snprintf(f->code, sizeof(f->code), "%s", code);
	(void)snprintf(f->text, sizeof(f->text), "%.*s", (int)cut.n, cut.p);
}

struct lt_result ltc_farewell_result(const struct ltc_farewell *f)
{
	struct lt_result r = f->result;

	r.code = ltc_z(f->code);
	r.text = ltc_z(f->text);
	return r;
}

void ltc_farewell_finish(struct ltc_farewell f, const struct lt_host *h, struct lt_job *job)
{
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };

	if (f.failed)
		r = ltc_farewell_result(&f);
	(void)h->finish(h->ctx, job, &r);
}
