/* ctl_office.c - methods of offices, targets, audiences, campaigns and deputies that change something, and their table.
 * Thread: loop; what blocks runs on workers. Owns: one small object a call until it is answered.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "ctl/ctl_office.h"
#include "model/when.h"
#include "plan/import.h"

static void refuse(struct ctl_call *c, int rc, const char *text)
{
	struct err e;
	(void)err_set(&e, rc, "%s", text);
	ctl_answer(c, rc, &e, NULL);
}

/* --- imports ------------------------------------------------------------------------------------------------------------------------ */

/* Removals and suppressions apply from the answer on, to what dispatch has leased already, too. */
static void on_import(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct ctl_call *c = ctx;

	if (rc == 0 && c->deps->targets_changed)
		c->deps->targets_changed(c->deps->main_ctx);
	ctl_answer(c, rc, e, result);
}

/* Routes go by the office and those above it: who has another one now gets another lane. */
static void routes_follow(const struct ctl_call *c, int rc)
{
	if (rc == 0 && c->deps->routes_look)
		c->deps->routes_look(c->deps->main_ctx);
}

static void on_offices(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct ctl_call *c = ctx;

	if (!json_bool(result, "dry", false) &&
		json_i64(result, "changed", 0) + json_i64(result, "added", 0) > 0)
		routes_follow(c, rc);
	on_import(c, rc, e, result);
}

static int import_by(struct ctl_call *c, enum import_what what)
{
	struct staged s;
	struct err e;
	int rc = ctl_upload_take(c, &s, &e);
	if (rc < 0) {
		ctl_answer(c, rc, &e, NULL);
		return 0;
	}
	if (what == IMPORT_WHAT_TARGETS && (!*s.name || str_ends(str_of(s.name), "/"))) {
		refuse(c, -EINVAL,
			"a list of targets needs a name: what an earlier list of the same name brought and this one has no more is gone (--name)");
		return 0;
	}
	if (c->who.office && what != IMPORT_WHAT_TARGETS) {
		refuse(c, -EPERM, "only a person for all offices may import this");
		return 0;
	}
	const struct import_opts o = { .env = c->deps->env,
		.store = c->deps->store,
		.conf = c->conf,
		.conf_now = c->deps->conf,
		.stale = c->deps->routes_look,
		.stale_ctx = c->deps->main_ctx,
		.channels = c->deps->channels,
		.stopping = c->deps->stopping };
	import_run(&o, what, &s, &c->who, json_bool(c->params, "dry", false),
		what == IMPORT_WHAT_OFFICES ? on_offices : on_import, c);
	return 0;
}

static int method_offices_import(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return import_by(c, IMPORT_WHAT_OFFICES);
}

static int method_targets_import(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return import_by(c, IMPORT_WHAT_TARGETS);
}

static int method_audiences_import(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return import_by(c, IMPORT_WHAT_AUDIENCES);
}

static int method_campaigns_import(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return import_by(c, IMPORT_WHAT_CAMPAIGNS);
}

static int method_suppression_import(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return import_by(c, IMPORT_WHAT_SUPPRESSION);
}

static int method_do_not_call_import(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return import_by(c, IMPORT_WHAT_DO_NOT_CALL);
}

/* --- forget --------------------------------------------------------------------------------------------------------------------------- */

#define PLACES_MAX 16

struct forget {
	struct ctl_call *c;
	struct forget_cmd cmd;
	struct timer again;
	struct work work;
	struct channels *cs;
	int rc; /* of what came before the store */
	struct err err;
	int looks;
	size_t n_places;
	char places[PLACES_MAX][256];
};

static void places_run(struct work *w)
{
	struct forget *f = CONTAINER_OF(w, struct forget, work);
	f->n_places = 0;
	for (size_t i = 0; i < f->cmd.n && f->n_places == 0; i++)
		f->n_places = forget_places(
			f->c->deps->store, str_of(f->cmd.v[i].address), f->places, PLACES_MAX);
}

static void forget_answer(struct forget *f)
{
	cJSON *r = json_obj(), *left = json_arr();
	json_put_i64(r, "contacts", f->cmd.ret_contacts);
	json_put_i64(r, "targets", f->cmd.ret_targets);
	json_put_i64(r, "deliveries", f->cmd.ret_deliveries);
	for (size_t i = 0; i < f->n_places; i++)
		json_add_str(left, str_of(f->places[i]));
	json_add_str(left, STR("backups made before now, until their retention ends"));
	json_put(r, "places_left", left);
	ctl_answer(f->c, 0, NULL, r);
	free(f);
}

static void places_done(struct work *w)
{
	struct forget *f = CONTAINER_OF(w, struct forget, work);
	if (f->n_places == 0 || ++f->looks == 20) {
		forget_answer(f);
		return;
	}
	timer_set(f->c->deps->env, &f->again,
		env_mono(f->c->deps->env) + 100); /* the log is emptied when readers allow */
}

static void places_look(struct timer *t)
{
	struct forget *f = CONTAINER_OF(t, struct forget, again);
	f->work = (struct work){ .fn = places_run, .done = places_done };
	env_work(f->c->deps->env, &f->work);
}

static void on_forget(struct store_cmd *cmd)
{
	struct forget *f = CONTAINER_OF(cmd, struct forget, cmd.cmd);
	if (cmd->rc < 0) {
		ctl_answer(f->c, cmd->rc, &cmd->err, NULL);
		free(f);
		return;
	}
	timer_init(&f->again, places_look);
	places_look(&f->again);
}

static void forms_run(struct work *w)
{
	struct forget *f = CONTAINER_OF(w, struct forget, work);
	f->cmd.n = ctl_address_forms(
		f->c->conf, f->cs, json_str(f->c->params, "address"), f->cmd.v, FORGET_MAX);
	f->rc = f->cmd.n ? ctl_reason_check(f->cmd.why, f->cmd.v, f->cmd.n, &f->err)
			 : err_set(&f->err, -EINVAL, "this is no address");
}

static void forms_done(struct work *w)
{
	struct forget *f = CONTAINER_OF(w, struct forget, work);
	forget_prepare(&f->cmd);
	f->cmd.cmd.done = on_forget;
	int rc = f->rc;
	if (rc == 0 && (rc = store_submit(f->c->deps->store, &f->cmd.cmd)) < 0)
		(void)err_set(&f->err, rc, "the store takes nothing now; try again");
	if (rc < 0) {
		ctl_answer(f->c, rc, &f->err, NULL);
		free(f);
	}
}

static int method_targets_forget(struct ctl_call *c, cJSON **ret, struct err *e)
{
	const char *why = json_z(c->params, "why", NULL);
	UNUSED(ret);
	UNUSED(e);
	if (c->who.office || !why || !*why) {
		refuse(c, c->who.office ? -EPERM : -EINVAL,
			c->who.office ? "only a person for all offices may erase an address"
				      : "why? give a reason (-m)");
		return 0;
	}
	struct forget *f = x_calloc(1, sizeof(*f));
	f->c = c;
	f->cs = *c->deps->channels;
	f->cmd.person = c->who.person;
	f->cmd.via = c->who.via;
	f->cmd.why = why;
	f->work = (struct work){ .fn = forms_run, .done = forms_done };
	env_work(c->deps->env, &f->work);
	return 0;
}

/* --- merge, deputies ------------------------------------------------------------------------------------------------------------------ */

static int day_of(const struct ctl_call *c, const char *key, int64_t *ret, struct err *e)
{
	struct civil day = { 0 };
	const char *s = json_z(c->params, key, NULL);
	if (!s)
		return err_set(e, -EINVAL, "'%s' is missing: a date such as 2026-12-01", key);
	int rc = when_parse_date(str_of(s), &day, e);
	if (rc == 0)
		*ret = civil_to_ms(&day, &c->conf->zone);
	return rc;
}

struct merge {
	struct ctl_call *c;
	struct office_merge cmd;
};

static void on_settled(void *ctx, int rc, const struct err *e, cJSON *result)
{
	if (json_i64(result, "changed", 0) > 0)
		routes_follow(ctx, rc);
	cJSON_Delete(result);
	ctl_answer(ctx, rc, e, NULL);
}

static void on_merge(struct store_cmd *cmd)
{
	struct merge *m = CONTAINER_OF(cmd, struct merge, cmd.cmd);
	struct ctl_call *c = m->c;
	int rc = cmd->rc;
	struct err e = cmd->err;
	free(m);
	if (rc < 0) {
		ctl_answer(c, rc, &e, NULL);
		return;
	}
	const struct import_opts o = { .env = c->deps->env,
		.store = c->deps->store,
		.conf = c->conf,
		.channels = c->deps->channels,
		.stopping = c->deps->stopping };
	import_settle(&o, on_settled,
		c); /* moves what is due; what is for a later day is moved on that day (main_upkeep.c) */
}

static int method_offices_merge(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct merge *m = x_calloc(1, sizeof(*m));
	struct err why = { 0 };
	UNUSED(ret);
	UNUSED(e);
	m->c = c;
	m->cmd.old = json_z(c->params, "old", NULL);
	m->cmd.into = json_z(c->params, "into", NULL);
	m->cmd.person = c->who.person;
	m->cmd.via = c->who.via;
	int rc = m->cmd.old && m->cmd.into
		? day_of(c, "on", &m->cmd.on, &why)
		: err_set(&why, -EINVAL, "which office into which? give old and into");
	if (rc == 0 && c->who.office)
		rc = err_set(&why, -EPERM, "only a person for all offices may merge them");
	office_merge_prepare(&m->cmd);
	m->cmd.cmd.done = on_merge;
	if (rc == 0)
		rc = store_submit(c->deps->store, &m->cmd.cmd);
	if (rc < 0) {
		ctl_answer(c, rc, &why, NULL);
		free(m);
	}
	return 0;
}

struct deputy {
	struct ctl_call *c;
	struct deputy_add cmd;
};

static void on_deputy(struct store_cmd *cmd)
{
	struct deputy *d = CONTAINER_OF(cmd, struct deputy, cmd.cmd);
	ctl_answer(d->c, cmd->rc, &cmd->err, NULL);
	free(d);
}

static int method_deputy_add(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct deputy *d = x_calloc(1, sizeof(*d));
	struct err why = { 0 };
	UNUSED(ret);
	UNUSED(e);
	d->c = c;
	d->cmd.person = c->who.person;
	d->cmd.via = c->who.via;
	d->cmd.deputy = json_z(c->params, "deputy", NULL);
	int rc = d->cmd.deputy && conf_person_by_name(c->conf, d->cmd.deputy)
		? day_of(c, "from", &d->cmd.first, &why)
		: err_set(&why, -ENOENT, "nobody named '%.60s' stands in the configuration",
			  d->cmd.deputy ? d->cmd.deputy : "");
	if (rc == 0)
		rc = day_of(c, "to", &d->cmd.last, &why);
	d->cmd.last += WHEN_DAY_MS - 1; /* the last day counts whole */
	if (rc == 0 && d->cmd.last < d->cmd.first)
		rc = err_set(&why, -EINVAL, "it would end before it begins");
	if (rc == 0 && !strcmp(d->cmd.deputy, d->cmd.person))
		rc = err_set(&why, -EINVAL, "nobody is their own deputy");
	deputy_add_prepare(&d->cmd);
	d->cmd.cmd.done = on_deputy;
	if (rc == 0)
		rc = store_submit(c->deps->store, &d->cmd.cmd);
	if (rc < 0) {
		ctl_answer(c, rc, &why, NULL);
		free(d);
	}
	return 0;
}

const struct ctl_method ctl_office_methods[] = {
	{ "offices.import", CTL_WRITE, ROLE_ADMIN | ROLE_OPERATOR, method_offices_import },
	{ "targets.import", CTL_WRITE, ROLE_ADMIN | ROLE_OPERATOR, method_targets_import },
	{ "audiences.import", CTL_WRITE, ROLE_ADMIN | ROLE_OPERATOR, method_audiences_import },
	{ "campaigns.import", CTL_WRITE, ROLE_ADMIN | ROLE_OPERATOR, method_campaigns_import },
	{ "suppression.import", CTL_WRITE, ROLE_ADMIN | ROLE_OPERATOR, method_suppression_import },
	{ "do_not_call.import", CTL_WRITE, ROLE_ADMIN | ROLE_OPERATOR, method_do_not_call_import },
	{ "offices.list", CTL_READ, ROLE_VIEWER, ctl_offices_list },
	{ "office.show", CTL_READ, ROLE_VIEWER, ctl_office_show },
	{ "targets.list", CTL_READ, ROLE_VIEWER, ctl_targets_list },
	{ "targets.show", CTL_READ, ROLE_VIEWER, ctl_targets_show },
	{ "targets.forget", CTL_WRITE, ROLE_ADMIN, method_targets_forget },
	{ "targets.allow", CTL_WRITE, ROLE_ADMIN, ctl_targets_allow },
	{ "audiences.list", CTL_READ, ROLE_VIEWER, ctl_audiences_list },
	{ "audience.show", CTL_READ, ROLE_VIEWER, ctl_audience_show },
	{ "campaigns.list", CTL_READ, ROLE_VIEWER, ctl_campaigns_list },
	{ "campaign.show", CTL_READ, ROLE_VIEWER, ctl_campaign_show },
	{ "offices.merge", CTL_WRITE, ROLE_ADMIN, method_offices_merge },
	{ "deputy.add", CTL_WRITE, ROLE_APPROVER, method_deputy_add },
	{ "deputy.list", CTL_READ, ROLE_VIEWER, ctl_deputy_list },
	{ 0 },
};
