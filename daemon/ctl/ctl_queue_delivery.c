/* ctl_queue_delivery.c - single deliveries: list, show, retry, resolve, cancel.
 * Threads: reading on a worker, acts on the loop. Owns: its lists until the answer.
 * An act takes ids or filters; with filters at most 10,000 a call, the count says so. A person of an office reaches only it.
 * Failures: what cannot be moved is named with its state; the rest is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl_queue.h"
#include "ctl/ctl_release.h"
#include "ctl/ctl_queue_stats.h"
#include "store/store_exchange.h"

#define ACT_MAX    10000
#define SAMPLE_MAX 10
#define PAGE       1000
#define ID_MAX \
	9007199254740991.0 /* what a number of JSON holds exactly; larger ones come as text */

/* What waits for its address by min_gap: until when, or 0. Something else that holds it back for longer is the reason then. */
static int64_t gap_until(struct ctl_call *c, const struct q_dlv *d)
{
	char channel[64], class[48];

	if (d->state != DLV_WAITING || d->why.n || d->gap_at_ms == 0 ||
		!str_copy(channel, sizeof(channel), d->channel) ||
		!str_copy(class, sizeof(class), d->class))
		return 0;
	const struct conf_channel *ch = conf_channel_find(c->conf, channel);
	int64_t gap = ch ? conf_lane_of(ch, class)->min_gap_ms : 0;
	int64_t until = d->gap_at_ms + gap;
	return gap > 0 && until > env_wall(c->deps->env) && d->due_ms <= until ? until : 0;
}

static void put_why(struct ctl_call *c, const struct q_dlv *d, cJSON *o)
{
	char t[WHEN_TEXT_MAX], why[160];
	int64_t until = gap_until(c, d);

	if (until) {
		snprintf(why, sizeof(why),
			"min_gap: its address got another message, waits until %s",
			when_print_short(t, sizeof(t), until, &c->conf->zone));
		json_put_z(o, "why", why);
		return;
	}
	bool waits = d->broadcast && d->state == DLV_WAITING && !d->why.n;
	json_put_str(o, "why", waits ? STR("article: it goes when its article stands") : d->why);
}

cJSON *ctl_delivery_json(struct ctl_call *c, const struct q_dlv *d)
{
	cJSON *o = json_obj();
	char masked[340], lane[200];

	json_put_i64(o, "delivery", d->id);
	json_put_str(o, "release", d->release);
	json_put_str(o, "part", d->part);
	json_put_str(o, "office", d->office);
	json_put_z(o, "channel", chan_kind_name(d->kind));
	snprintf(lane, sizeof(lane), STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(d->channel),
		STR_ARG(d->account), STR_ARG(d->class));
	json_put_z(o, "lane", lane);
	ctl_mask(c, d->kind, d->address, masked, sizeof(masked));
	json_put_z(o, "address", masked);
	json_put_z(o, "state", dlv_state_name(d->state));
	json_put_i64(o, "tries", d->tries);
	ctl_put_time(o, "due_at", d->state == DLV_WAITING ? d->due_ms : 0);
	put_why(c, d, o);
	json_put_bool(o, "broadcast", d->broadcast);
	return o;
}

struct listing {
	struct ctl_call *c;
	cJSON *rows;
};

static int on_row(void *ctx, const struct q_dlv *d)
{
	struct listing *l = ctx;

	json_add(l->rows, ctl_delivery_json(l->c, d));
	return 0;
}

int ctl_delivery_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct listing l = { c, NULL };
	struct q_filter f;
	char next[48];
	int rc = ctl_filter_read(c, c->reader, &f, e);

	if (rc)
		return rc;
	l.rows = json_arr();
	rc = q_delivery_list(c->reader, &f, on_row, &l, next, sizeof(next));
	if (rc) {
		cJSON_Delete(l.rows);
		return err_set(e, rc,
			rc == -EINVAL ? "'after' is no cursor of this list"
				      : "the queue cannot be read");
	}
	*ret = json_obj();
	json_put(*ret, "rows", l.rows);
	json_put_bool(*ret, "more", next[0] != 0);
	json_put_z(*ret, "next", next[0] ? next : NULL);
	return 0;
}

/* --- one ----------------------------------------------------------------------------------------------------------------- */

static int on_one(void *ctx, const struct q_dlv *d)
{
	struct listing *l = ctx;

	l->rows = ctl_delivery_json(l->c, d);
	return 0;
}

static int on_attempt(void *ctx, const struct q_attempt *a)
{
	cJSON *o = json_obj();

	json_put_i64(o, "try", a->try_no);
	json_put_i64(o, "started_at", a->started_ms);
	json_put_i64(o, "took_ms", a->took_ms);
	json_put_z(o, "outcome", outcome_name(a->outcome));
	json_put_z(o, "scope", scope_name(a->scope));
	json_put_str(o, "code", a->code);
	json_put_str(o, "said", a->said);
	json_put_str(o, "provider_id", a->provider_id);
	json_put_str(o, "url", a->url);
	json_add(ctx, o);
	return 0;
}

static const char *receipt_name(int64_t state)
{
	static const char *const names[] = { "transit", "delivered", "failed", "seen", "lost",
		"gone", "changed" };

	if (state >= LT_RC_TRANSIT && state <= LT_RC_CHANGED)
		return names[state - LT_RC_TRANSIT];
	return outcome_name((int)state);
}

static int on_effect(void *ctx, const struct q_fact *f)
{
	cJSON *o = json_obj();

	json_put_i64(o, "effect", f->a);
	json_put_z(o, "state", receipt_name(f->b));
	json_put_str(o, "provider_id", f->name);
	json_add(ctx, o);
	return 0;
}

static int on_receipt(void *ctx, const struct q_fact *f)
{
	cJSON *o = json_obj();

	json_put_i64(o, "effect", f->a);
	json_put_z(o, "state", receipt_name(f->b));
	json_put_i64(o, "at", f->at_ms);
	json_put_str(o, "code", f->name);
	json_add(ctx, o);
	return 0;
}

static int on_step(void *ctx, const struct q_fact *f)
{
	cJSON *o = json_obj();

	json_put_str(o, "name", f->name);
	json_put_str(o, "value", f->value);
	json_add(ctx, o);
	return 0;
}

static void on_exchange(void *ctx, const struct exchange_rec *x)
{
	cJSON *o = json_obj();

	json_put_i64(o, "try", x->try_no);
	json_put_i64(o, "at", x->at);
	json_put_bool(o, "outward", x->outward);
	json_put_str(o, "body", x->body);
	json_add(ctx, o);
}

static int put_cast_why(struct ctl_call *c, int64_t id, cJSON *o)
{
	char why[200];
	int rc = q_cast_why(c->reader, id, why, sizeof(why));

	if (rc == 0 && why[0]) {
		cJSON_DeleteItemFromObjectCaseSensitive(o, "why");
		json_put_z(o, "why", why);
	}
	return rc;
}

/* Said as it came: a number that is none of ours must not come back as another. */
static int no_delivery_id(const cJSON *v, struct err *e)
{
	char *said = v ? cJSON_PrintUnformatted(v) : NULL;
	int rc = err_set(e, -EINVAL, "a delivery is a whole number from 1, not %.40s",
		said ? said : "nothing");
	cJSON_free(said);
	return rc;
}

int ctl_delivery_show(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct listing l = { c, NULL };
	struct q_filter f;
	int64_t id = json_i64(c->params, "delivery", 0);
	int rc = id > 0 ? ctl_filter_read(c, c->reader, &f, e)
			: no_delivery_id(json_get(c->params, "delivery"), e);

	if (rc == 0)
		rc = q_delivery_one(c->reader, id, f.under, on_one, &l);
	if (rc < 0)
		return e->text[0] ? rc : err_set(e, rc, "the delivery cannot be read");
	if (rc == 0)
		return err_set(e, -ENOENT, "no delivery %lld", (long long)id);
	cJSON *o = l.rows, *attempts = json_arr(), *effects = json_arr(), *receipts = json_arr(),
	      *steps = json_arr(), *exchange = json_arr();
	json_put(o, "attempts", attempts);
	json_put(o, "effects", effects);
	json_put(o, "receipts", receipts);
	json_put(o, "steps", steps);
	json_put(o, "exchange", exchange);
	rc = put_cast_why(c, id, o);
	if (rc == 0)
		rc = q_attempts(c->reader, id, on_attempt, attempts);
	if (rc == 0)
		rc = q_effects(c->reader, id, on_effect, effects);
	if (rc == 0)
		rc = q_receipts(c->reader, id, on_receipt, receipts);
	if (rc == 0)
		rc = q_steps(c->reader, id, on_step, steps);
	if (rc == 0)
		rc = ctl_stats_put(c->reader, id, o);
	if (rc == 0)
		rc = ctl_recall_put(c->reader, id, o);
	if (rc == 0 && (c->who.roles & (ROLE_OPERATOR | ROLE_ADMIN)))
		rc = store_exchange_list(c->reader, id, on_exchange, exchange);
	if (rc < 0) {
		cJSON_Delete(o);
		return err_set(e, rc, "the delivery cannot be read");
	}
	*ret = o;
	return 0;
}

/* --- acts ---------------------------------------------------------------------------------------------------------------- */

struct acting {
	struct ctl_job j;
	enum act_verb verb;
	int default_state;
	int64_t *ids; /* owned, room for ACT_MAX */
	size_t n;
	bool more;
	cJSON *sample, *seen; /* owned; seen: all numbers, where it is dry */
};

static int on_touch(void *ctx, const struct q_dlv *d)
{
	struct acting *a = ctx;

	if (a->n == ACT_MAX) {
		a->more = true;
		return 0;
	}
	if (a->n < SAMPLE_MAX)
		json_add(a->sample, ctl_delivery_json(a->j.c, d));
	a->ids[a->n++] = d->id;
	return 0;
}

static int read_ids(struct acting *a, struct store_reader *r, int64_t under, struct err *e)
{
	const cJSON *list = json_get(a->j.c->params, "deliveries");

	for (const cJSON *it = list->child; it; it = it->next) {
		int64_t id = 0;
		if (cJSON_IsNumber(it) && it->valuedouble >= 1 && it->valuedouble <= ID_MAX)
			id = (int64_t)it->valuedouble;
		else if (cJSON_IsString(it))
			(void)str_i64(str_of(it->valuestring), 1, INT64_MAX, &id);
		if (id == 0 || (cJSON_IsNumber(it) && (double)id != it->valuedouble))
			return no_delivery_id(it, e);
		int rc = q_delivery_one(r, id, under, on_touch, a);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return err_set(e, -ENOENT, "no delivery %lld", (long long)id);
		if (a->more)
			return err_set(e, -EINVAL, "at most %d deliveries in one call", ACT_MAX);
	}
	return 0;
}

static int read_some(struct acting *a, struct store_reader *r, struct err *e)
{
	struct ctl_job *j = &a->j;
	struct q_filter f;
	char next[48];
	int rc = ctl_filter_read(j->c, r, &f, e);

	if (rc)
		return rc;
	if (cJSON_IsArray(json_get(j->c->params, "deliveries"))) {
		if (f.release || f.office || f.channel || f.kind || f.lane || f.state >= 0)
			return err_set(e, -EINVAL,
				"deliveries by number or filters, not both: a filter would not narrow the numbers");
		return read_ids(a, r, f.under, e);
	}
	if (!f.release && !f.office && !f.channel && !f.kind && !f.lane && f.state < 0)
		return err_set(e, -EINVAL,
			"say which: deliveries, or a filter (release, part, office, channel, state)");
	if (f.state < 0)
		f.state = a->default_state;
	f.limit = PAGE;
	do {
		rc = q_delivery_list(r, &f, on_touch, a, next, sizeof(next));
		memcpy(f.after, next, sizeof(f.after));
	} while (rc == 0 && next[0] && a->n < ACT_MAX);
	a->more = a->more || (rc == 0 && next[0] != 0);
	return rc;
}

/* Who only looks gets the numbers, so that what was looked at can be named. */
static cJSON *ids_json(const struct acting *a)
{
	cJSON *list = json_arr();

	for (size_t i = 0; i < a->n; i++)
		if (a->ids[i] <= (int64_t)ID_MAX)
			json_add(list, cJSON_CreateNumber((double)a->ids[i]));
	return list;
}

static int read_touched(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct acting *a = CONTAINER_OF(j, struct acting, j);
	int rc = read_some(a, r, e);

	if (rc == 0 && json_bool(j->c->params, "dry", false))
		a->seen = ids_json(a);
	return rc;
}

static cJSON *act_json(struct acting *a)
{
	cJSON *o = json_obj();

	json_put_i64(o, "count", (int64_t)a->n);
	json_put_bool(o, "more", a->more);
	json_put(o, "sample", MOVE(a->sample));
	return o;
}

static void acting_free(struct acting *a)
{
	cJSON_Delete(a->sample);
	cJSON_Delete(a->seen);
	free(a->ids);
	free(a);
}

static void on_acted(void *ctx, int rc, const struct err *e, size_t changed, size_t refused)
{
	struct acting *a = ctx;
	cJSON *o = act_json(a), *list = json_arr();
	struct str rest = str_of(rc == 0 && e ? e->text : ""), one;

	json_put_i64(o, "changed", (int64_t)changed);
	while (str_next(&rest, ';', &one))
		json_add_str(list, str_trim(one));
	json_put(o, "refused", list);
	json_put_i64(o, "refused_count", (int64_t)refused);
	struct err none = { 0 };
	if (rc == 0 && changed == 0 && refused > 0)
		rc = err_set(&none, -EBUSY, "nothing was changed: %s", e ? e->text : "");
	ctl_answer(a->j.c, rc, none.code ? &none : e, o);
	acting_free(a);
}

static void act_now(struct ctl_job *j)
{
	struct acting *a = CONTAINER_OF(j, struct acting, j);
	struct ctl_call *c = j->c;

	if (j->rc || json_bool(c->params, "dry", false)) {
		cJSON *o = j->rc ? NULL : act_json(a);
		if (o)
			json_put(o, "deliveries", MOVE(a->seen));
		ctl_answer(c, j->rc, j->rc ? &j->e : NULL, o);
		acting_free(a);
		return;
	}
	struct act_request r = { .verb = a->verb,
		.deliveries = a->ids,
		.n = a->n,
		.link = json_z(c->params, "link", NULL),
		.person = c->who.person,
		.via = c->who.via,
		.why = json_z(c->params, "why", ""),
		.done = on_acted,
		.ctx = a };
	dispatch_act(c->deps->dispatch, &r);
}

static int act_begin(struct ctl_call *c, enum act_verb verb, int default_state)
{
	struct acting *a = x_calloc(1, sizeof(*a));
	struct err e = { 0 };

	int rc = json_bool(c->params, "dry", false) ? 0 : ctl_need_why(c, &e);
	if (rc == 0 && json_str(c->params, "link").n > CTL_WHY_MAX)
		rc = err_set(&e, -EINVAL, "a link has at most %d bytes", CTL_WHY_MAX);
	if (rc) {
		free(a);
		ctl_answer(c, e.code, &e, NULL);
		return 0;
	}
	a->j.c = c;
	a->j.read = read_touched;
	a->j.then = act_now;
	a->verb = verb;
	a->default_state = default_state;
	a->ids = x_calloc(ACT_MAX, sizeof(*a->ids));
	a->sample = json_arr();
	ctl_job_start(&a->j);
	return 0;
}

int ctl_delivery_retry(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return act_begin(c, ACT_RETRY, DLV_FAILED);
}

int ctl_delivery_cancel(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return act_begin(c, ACT_CANCEL, DLV_WAITING);
}

int ctl_delivery_resolve(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct str how = json_str(c->params, "how");
	struct err bad = { 0 };
	int rc = 0;

	UNUSED(ret);
	UNUSED(e);
	if (!str_eqz(how, "sent") && !str_eqz(how, "absent") && !str_eqz(how, "drop"))
		rc = err_set(&bad, -EINVAL, "how is one of: sent, absent, drop");
	if (rc) {
		ctl_answer(c, rc, &bad, NULL);
		return 0;
	}
	return act_begin(c,
		str_eqz(how, "sent")           ? ACT_RESOLVE_SENT
			: str_eqz(how, "drop") ? ACT_RESOLVE_DROP
					       : ACT_RESOLVE_ABSENT,
		DLV_UNKNOWN);
}
