/* dispatch_log.c - one line ends every attempt; bulk lanes say only what was not accepted, and a summary each second.
 * Thread: loop. Owns: nothing. Addresses never; the provider's words are cut and quoted. */
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define SUMMARY_MS 1000

void lane_metrics_bind(struct dlane *l)
{
	struct metric_label lane[3] = { { "channel", str_of(l->acct->chan->name) },
		{ "account", str_of(l->acct->name) }, { "class", str_of(l->class) } };
	struct metric_label out[3] = { lane[0], lane[1], { "outcome", STR("") } };

	if (l->m_open)
		return;
	l->m_open = metric_get(METRIC_GAUGE, "lantoa_intents_open",
		"Intents committed or under way, by lane", lane, 3);
	l->m_ready = metric_get(METRIC_GAUGE, "lantoa_ready_copies",
		"Composed copies that wait for their turn, by lane", lane, 3);
	l->m_send = metric_get(METRIC_HISTOGRAM, "lantoa_send_seconds",
		"From the start of an attempt to its answer", lane, 1);
	for (int i = 0; i < 4; i++) {
		out[2].value = str_of(outcome_name(i));
		l->m_outcome[i] = metric_get(METRIC_COUNTER, "lantoa_attempts_total",
			"Attempts that have ended, by account and outcome", out, 3);
	}
}

void log_lane_summary(struct dlane *l, int64_t now_ms)
{
	uint64_t v[4] = { l->done, l->deferred, l->refused, l->unknown };

	if (now_ms - l->told_ms < SUMMARY_MS)
		return;
	log_line(LOG_INFO,
		"ev=lane.summary ch=%s acct=%s class=%s accepted=%llu deferred=%llu refused=%llu "
		"unknown=%llu in_flight=%u intents=%u ms=%lld",
		l->acct->chan->name, l->acct->name, l->class,
		(unsigned long long)(v[0] - l->told_at[0]),
		(unsigned long long)(v[1] - l->told_at[1]),
		(unsigned long long)(v[2] - l->told_at[2]),
		(unsigned long long)(v[3] - l->told_at[3]), l->in_flight, l->intents,
		(long long)(now_ms - l->told_ms));
	for (int i = 0; i < 4; i++)
		l->told_at[i] = v[i];
	l->told_ms = now_ms;
}

void log_attempt(struct dcopy *c, const struct chan_result *r, const struct outcome_out *o)
{
	struct dlane *l = c->lot->lane;
	int64_t now = env_mono(c->d->o.env);

	if (r->outcome >= 0 && r->outcome < 4)
		metric_add(l->m_outcome[r->outcome], 1);
	metric_observe_us(l->m_send, (uint64_t)(now - c->on_ms) * 1000);
	if (lane_rules(l)->bulk) {
		if (l->told_ms == 0)
			l->told_ms = now;
		log_lane_summary(l, now);
		if (r->outcome == LT_ACCEPTED)
			return;
	}
	struct str id = c->out.n_ids ? (struct str){ c->ids[0].id.p, c->ids[0].id.n }
				     : (struct str){ "", 0 };
	log_line(o->effects & OE_ALERT ? LOG_WARN : LOG_INFO,
		"ev=attempt.done msg=%lld att=%llu ch=%s acct=%s try=%u outcome=%s scope=%s code=%s "
		"provider_id=%s to=%s queue_ms=%lld wait_ms=%lld send_ms=%lld%s",
		(long long)c->op.delivery, (unsigned long long)c->op.attempt, l->acct->chan->name,
		l->acct->name, c->op.try_no, outcome_name(r->outcome), scope_name(r->scope),
		LOG_Q(c->out.code), LOG_Q(id), dlv_state_name((int)o->to),
		(long long)(c->intent_ms - c->leased_ms), (long long)(c->on_ms - c->intent_ms),
		(long long)(now - c->on_ms), o->effects & OE_ALERT ? " continuing" : "");
}
