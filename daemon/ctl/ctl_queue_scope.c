/* ctl_queue_scope.c - names of releases, parts, offices, lanes to numbers; hold, resume, pause.
 * Threads: reading on a worker, stopping on the loop. Owns: its request until the answer.
 * Failures: an unknown name is refused with the name; nothing is stopped then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "ctl/ctl_queue.h"
#include "model/when.h"
#include "store/store_release.h"

int ctl_need_why(struct ctl_call *c, struct err *e)
{
	struct str why = json_str(c->params, "why");

	if (str_trim(why).n == 0)
		return err_set(e, -EINVAL, "this needs a reason: why");
	if (why.n > CTL_WHY_MAX)
		return err_set(e, -EINVAL,
			"a reason is kept in %d bytes, this one has %zu (a Vietnamese letter has up to three): say it shorter",
			CTL_WHY_MAX, why.n);
	return 0;
}

/* --- names --------------------------------------------------------------------------------------------------------------- */

static int missing(struct err *e, const char *what, struct str name)
{
	return err_set(e, -ENOENT, "no %s '" STR_FMT "'", what, STR_ARG(name));
}

static int lane_of(struct store_reader *r, struct str s, int64_t *ret, struct err *e)
{
	char part[3][80] = { "", "", "" };
	struct str rest = s, piece;
	int n = 0;

	while (n < 3 && str_next(&rest, '/', &piece))
		(void)str_copy(part[n++], sizeof(part[0]), piece);
	if (n < 2)
		return err_set(e, -EINVAL, "lane '" STR_FMT "': a lane is channel/account/class",
			STR_ARG(s));
	if (strcmp(part[2], "default") == 0)
		part[2][0] = 0;
	int rc = q_lane_id(r, part[0], part[1], part[2], ret);
	return rc < 0 ? rc : rc == 0 ? missing(e, "lane", s) : 0;
}

static int release_of(struct ctl_call *c, struct store_reader *r, int64_t *ret_release,
	int *ret_part, struct err *e)
{
	struct str name = json_str(c->params, "release"), part = json_str(c->params, "part");
	struct release_row row;
	char z[80];
	int64_t no = 0;

	if (!name.n && part.n)
		return err_set(e, -EINVAL, "a part is named with its release");
	if (!name.n)
		return 0;
	int rc = release_find(reader_db(r), name, &row, e);
	if (rc < 0)
		return rc;
	*ret_release = row.id;
	if (!part.n)
		return 0;
	(void)str_copy(z, sizeof(z), part);
	rc = q_part_no(r, row.id, z, &no);
	*ret_part = (int)no;
	return rc < 0 ? rc : rc == 0 ? missing(e, "part", part) : 0;
}

static int by_name(struct ctl_call *c, const char *key, struct store_reader *r,
	int (*find)(struct store_reader *r, const char *name, int64_t *ret), int64_t *ret,
	struct err *e)
{
	struct str s = json_str(c->params, key);
	char z[160];

	if (!s.n)
		return 0;
	(void)str_copy(z, sizeof(z), s);
	int rc = find(r, z, ret);
	return rc < 0 ? rc : rc == 0 ? missing(e, key, s) : 0;
}

/* `channel` may be the name of a channel or of a kind. */
static int channel_of(struct ctl_call *c, struct store_reader *r, int64_t *ret_channel,
	int *ret_kind, struct err *e)
{
	struct str s = json_str(c->params, "channel"), kind = json_str(c->params, "kind");
	char z[160];

	if (kind.n) {
		*ret_kind = chan_kind_parse(kind);
		if (*ret_kind < 0)
			return missing(e, "kind of channel", kind);
	}
	if (!s.n)
		return 0;
	(void)str_copy(z, sizeof(z), s);
	int rc = q_channel_id(r, z, ret_channel);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	int k = chan_kind_parse(s);
	if (k < 0)
		return missing(e, "channel", s);
	*ret_kind = k;
	return 0;
}

/* What is outside of the caller's office is not there for the caller. */
static int bound_of(struct ctl_call *c, struct store_reader *r, int64_t *ret_office, struct err *e)
{
	const char *own = c->who.office;
	struct str want = json_str(c->params, "office");
	char z[80];

	if (!own)
		return 0;
	(void)str_copy(z, sizeof(z), want);
	if (want.n && !ctl_may_see(c, z))
		return err_set(e, -EPERM, "office '%s' is not below yours (%s)", z, own);
	if (want.n)
		return 0;
	int rc = q_office_id(r, own, ret_office);
	return rc < 0 ? rc : rc == 0 ? missing(e, "office", str_of(own)) : 0;
}

static void scope_text(struct ctl_call *c, struct stop_scope *s)
{
	static const char *const keys[] = { "release", "part", "office", "campaign", "lane",
		"channel", "kind" };
	size_t n = 0;

	s->text[0] = 0;
	if (s->all)
		n = (size_t)snprintf(s->text, sizeof(s->text), "all");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct str v = json_str(c->params, keys[i]);
		if (v.n && n + v.n + 16 < sizeof(s->text))
			n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, "%s%s:" STR_FMT,
				n ? " " : "", keys[i], STR_ARG(v));
	}
	if (c->who.office && !json_str(c->params, "office").n && n + 40 < sizeof(s->text))
		snprintf(s->text + n, sizeof(s->text) - n, "%soffice:%.60s", n ? " " : "",
			c->who.office);
}

int ctl_scope_read(
	struct ctl_call *c, struct store_reader *r, struct stop_scope *ret, struct err *e)
{
	struct stop_scope s = { .part = -1, .all = json_bool(c->params, "all", false) };
	struct str lane = json_str(c->params, "lane");
	int rc = release_of(c, r, &s.release_id, &s.part, e);

	if (rc == 0)
		rc = by_name(c, "office", r, q_office_id, &s.office_id, e);
	if (rc == 0)
		rc = by_name(c, "campaign", r, q_campaign_id, &s.campaign_id, e);
	if (rc == 0 && lane.n)
		rc = lane_of(r, lane, &s.lane_id, e);
	if (rc == 0)
		rc = channel_of(c, r, &s.channel_id, &s.kind, e);
	if (rc)
		return rc;
	bool none = !s.release_id && !s.office_id && !s.campaign_id && !s.lane_id &&
		!s.channel_id && !s.kind;
	if (none && !s.all)
		return err_set(e, -EINVAL,
			"say what: release, part, office, campaign, lane, channel, kind, or all");
	if (s.all && !none)
		return err_set(e, -EINVAL, "all stands alone");
	rc = bound_of(c, r, &s.office_id, e);
	if (rc)
		return rc;
	s.all = s.all && !s.office_id;
	scope_text(c, &s);
	*ret = s;
	return 0;
}

static int no_state(struct str state, struct err *e)
{
	const char *all[DLV_STATES];
	struct buf known CLEANUP_BUF;
	buf_init(&known, 400);
	for (int i = 0; i < DLV_STATES; i++) {
		all[i] = dlv_state_name(i);
		buf_addf(&known, "%s%s", i ? ", " : "", all[i]);
	}
	const char *near = str_nearest(state, all, DLV_STATES);
	return err_set(e, -EINVAL, "no state '" STR_FMT "'; %s%s", STR_ARG(utf8_cut(state, 60)),
		near ? "did you mean " : "there are: ", near ? near : buf_z(&known));
}

int ctl_filter_read(struct ctl_call *c, struct store_reader *r, struct q_filter *ret, struct err *e)
{
	struct q_filter f = { .part = -1, .state = -1 };
	struct str lane = json_str(c->params, "lane"), state = json_str(c->params, "state");
	int64_t limit = json_i64(c->params, "limit", 100);
	int rc = release_of(c, r, &f.release, &f.part, e);

	if (rc == 0)
		rc = by_name(c, "office", r, q_office_id, &f.office, e);
	if (rc == 0 && lane.n)
		rc = lane_of(r, lane, &f.lane, e);
	if (rc == 0)
		rc = channel_of(c, r, &f.channel, &f.kind, e);
	if (rc == 0 && state.n) {
		f.state = dlv_state_parse(state);
		if (f.state < 0)
			rc = no_state(state, e);
	}
	if (rc == 0)
		rc = bound_of(c, r, &f.under, e);
	if (rc)
		return rc;
	f.limit = limit < 1 ? 1 : limit > 1000 ? 1000 : (size_t)limit;
	const cJSON *after = json_get(c->params, "after");
	if (cJSON_IsNumber(after))
		snprintf(f.after, sizeof(f.after), "%lld",
			(long long)json_i64(c->params, "after", 0));
	else
		(void)str_copy(f.after, sizeof(f.after), json_str(c->params, "after"));
	*ret = f;
	return 0;
}

/* --- stops --------------------------------------------------------------------------------------------------------------- */

struct stopping {
	struct ctl_job j;
	struct stop_request r;
	int64_t lifted;
	cJSON *answer, *stops; /* resume: until what still stands is read */
};

static int read_still(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct stopping *s = CONTAINER_OF(j, struct stopping, j);

	UNUSED(r);
	UNUSED(e);
	return ctl_scope_stops(j->c, &s->r.scope, s->stops);
}

/* It is resumed whatever could be read afterwards: null says that what still stands is not known. */
static void answer_resumed(struct ctl_job *j)
{
	struct stopping *s = CONTAINER_OF(j, struct stopping, j);

	if (j->rc) {
		cJSON_Delete(s->stops);
		s->stops = cJSON_CreateNull();
	}
	json_put_i64(s->answer, "lifted", s->lifted);
	json_put(s->answer, "stops", s->stops);
	ctl_answer(j->c, 0, NULL, s->answer);
	free(s);
}

static void on_stopped(
	void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries, int64_t on_wire)
{
	struct stopping *s = ctx;
	cJSON *o = NULL;

	if (rc == 0) {
		o = json_obj();
		json_put_i64(o, "lots", lots);
		json_put_i64(o, "deliveries", deliveries);
		json_put_i64(o, "on_wire", on_wire);
		json_put_z(o, "scope", s->r.scope.text);
	}
	if (rc == 0 && s->r.verb == STOP_RESUME) {
		plan_on_progress(s->j.c->deps->plan, 0, 0); /* what was held may start now */
		s->answer = o;
		s->stops = json_arr();
		s->j.read = read_still;
		s->j.then = answer_resumed;
		ctl_job_start(&s->j);
		return;
	}
	ctl_answer(s->j.c, rc, e, o);
	free(s);
}

static void stop_now(struct ctl_job *j)
{
	struct stopping *s = CONTAINER_OF(j, struct stopping, j);

	if (j->rc) {
		ctl_answer(j->c, j->rc, &j->e, NULL);
		free(s);
		return;
	}
	s->r.person = j->c->who.person;
	s->r.via = j->c->who.via;
	s->r.why = json_z(j->c->params, "why", "");
	s->r.ret_lifted = &s->lifted;
	s->r.done = on_stopped;
	s->r.ctx = s;
	dispatch_stop_scope(j->c->deps->dispatch, &s->r);
}

static int until_of(struct ctl_call *c, int64_t *ret, struct err *e)
{
	const cJSON *j = json_get(c->params, "until");
	struct when w;

	*ret = 0;
	if (!j || cJSON_IsNull(j))
		return 0;
	if (cJSON_IsNumber(j)) {
		*ret = json_i64(c->params, "until", 0);
	} else {
		int rc = when_parse(json_str(c->params, "until"), &c->conf->zone, &w, e);
		if (rc)
			return rc;
		*ret = when_resolve(&w, env_wall(c->deps->env));
	}
	if (*ret <= env_wall(c->deps->env))
		return err_set(e, -EINVAL, "until is in the past");
	return 0;
}

static int read_scope(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct stopping *s = CONTAINER_OF(j, struct stopping, j);

	return ctl_scope_read(j->c, r, &s->r.scope, e);
}

/* --- a lane is one of several of its account: two of its three words are no name -------------------------------------------- */

struct siblings {
	struct str channel, account;
	struct buf names;
	size_t n;
};

static void on_sibling(void *ctx, const struct dispatch_lane_facts *f)
{
	struct siblings *x = ctx;

	if (!str_eqz(x->channel, f->channel) || !str_eqz(x->account, f->account))
		return;
	x->n++;
	if (x->names.n < 150)
		(void)buf_addf(&x->names, "%s%s/%s/%s", x->names.n ? ", " : "", f->channel,
			f->account, f->class[0] ? f->class : "default");
	else if (x->names.n < 160)
		(void)buf_addz(&x->names, ", ...");
}

static int lane_whole(struct ctl_call *c, struct err *e)
{
	struct str lane = json_str(c->params, "lane"), rest = lane, more = { 0 };
	struct siblings x = { .n = 0 };
	int rc = 0;

	if (!lane.n || !str_next(&rest, '/', &x.channel) || !str_next(&rest, '/', &x.account))
		return 0;
	if (str_next(&rest, '/', &more) && rest.n)
		return err_set(e, -EINVAL, "lane '" STR_FMT "': a lane is channel/account/class",
			STR_ARG(lane));
	if (more.p || str_ends(lane, "/"))
		return 0;
	buf_init(&x.names, 400);
	dispatch_lanes(c->deps->dispatch, on_sibling, &x);
	if (x.n > 1)
		rc = err_set(e, -EINVAL,
			"'" STR_FMT "' has %zu lanes: name one (%s), or the channel", STR_ARG(lane),
			x.n, buf_z(&x.names));
	buf_done(&x.names);
	return rc;
}

static int stop_begin(struct ctl_call *c, enum stop_verb verb)
{
	struct stopping *s = x_calloc(1, sizeof(*s));
	struct str except = json_str(c->params, "except");
	struct err e = { 0 };
	int rc = ctl_need_why(c, &e);

	s->j.c = c;
	s->j.read = read_scope;
	s->j.then = stop_now;
	s->r.verb = verb;
	s->r.except_prio = -1;
	if (rc == 0)
		rc = lane_whole(c, &e);
	if (rc == 0 && verb != STOP_RESUME)
		rc = until_of(c, &s->r.until_ms, &e);
	if (rc == 0 && verb == STOP_RESUME && (json_has(c->params, "until") || except.n))
		rc = err_set(&e, -EINVAL,
			"%s belongs to a hold; what is resumed goes on now, until the next hold",
			except.n ? "except" : "until");
	else if (rc == 0 && except.n) {
		if (!str_eqz(except, "urgent"))
			rc = err_set(&e, -EINVAL, "except may only be: urgent");
		s->r.except_prio = PRIO_URGENT;
	}
	if (rc == 0 && (verb == STOP_PAUSE || verb == STOP_RESUME) && c->who.office &&
		(json_has(c->params, "lane") || json_has(c->params, "channel")))
		rc = err_set(
			&e, -EPERM, "a channel belongs to all offices, you to %s", c->who.office);
	if (rc) {
		ctl_answer(c, rc, &e, NULL);
		free(s);
		return 0;
	}
	ctl_job_start(&s->j);
	return 0;
}

int ctl_queue_hold(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return stop_begin(c, STOP_HOLD);
}

int ctl_queue_resume(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return stop_begin(c, STOP_RESUME);
}

static int channel_stop(struct ctl_call *c, enum stop_verb verb)
{
	struct err e = { 0 };

	if (!json_str(c->params, "lane").n && !json_str(c->params, "channel").n) {
		int rc = err_set(
			&e, -EINVAL, "say which: channel, or lane (channel/account/class)");
		ctl_answer(c, rc, &e, NULL);
		return 0;
	}
	return stop_begin(c, verb);
}

int ctl_channel_pause(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return channel_stop(c, STOP_PAUSE);
}

int ctl_channel_resume(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return channel_stop(c, STOP_RESUME);
}
