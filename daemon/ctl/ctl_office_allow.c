/* ctl_office_allow.c - targets.allow: an address is taken off the list of those that must not be contacted.
 * Thread: loop; the forms of the address are found on a worker. Owns: one object a call until it is answered.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "ctl/ctl_office.h"
#include "store/store_allow.h"
#include "store/store_consent.h"

struct allow {
	struct ctl_call *c;
	struct channels *cs;
	struct work work;
	int rc; /* of what came before the store */
	struct err err;
	struct allow_cmd cmd;
};

static cJSON *entry_json(const struct allow_entry *r)
{
	cJSON *o = json_obj();
	char hex[HASH_HEX];

	hash_hex(&r->who, hex);
	json_put_z(o, "channel", chan_kind_name(r->kind));
	json_put_z(o, "who", hex);
	json_put_z(o, "list", r->list[0] ? r->list : "(all)");
	json_put_z(o, "reason", suppress_reason_name(r->reason));
	json_put_i64(o, "strikes", r->strikes);
	json_put_i64(o, "since_at", r->since);
	json_put_z(o, "consent", consent_state_name(r->consent));
	json_put_bool(o, "erased", r->erased);
	return o;
}

static void on_allowed(struct store_cmd *cmd)
{
	struct allow *a = CONTAINER_OF(cmd, struct allow, cmd.cmd);
	cJSON *r = NULL;

	if (cmd->rc == 0) {
		cJSON *lifted = json_arr(), *kept = json_arr();
		for (size_t i = 0; i < a->cmd.n_ret; i++)
			json_add(a->cmd.ret[i].lifted ? lifted : kept, entry_json(&a->cmd.ret[i]));
		r = json_obj();
		json_put(r, "lifted", lifted);
		json_put(r, "kept", kept);
	}
	ctl_answer(a->c, cmd->rc, &cmd->err, r);
	free(a);
}

/* Only those of this kind, where the call names one. */
static int kind_keep(struct allow *a)
{
	const char *name = json_z(a->c->params, "channel", NULL);
	int kind = name ? chan_kind_parse(str_of(name)) : 0;
	size_t n = 0;

	if (kind < 0)
		return err_set(&a->err, -EINVAL,
			"'%.40s' is no kind of channel; known are email, sms, facebook, zalo",
			name);
	for (size_t i = 0; i < a->cmd.n; i++)
		if (!kind || a->cmd.v[i].kind == kind)
			a->cmd.v[n++] = a->cmd.v[i];
	a->cmd.n = n;
	return n ? 0 : err_set(&a->err, -EINVAL, "this is no address");
}

static void forms_run(struct work *w)
{
	struct allow *a = CONTAINER_OF(w, struct allow, work);

	a->cmd.n = ctl_address_forms(
		a->c->conf, a->cs, json_str(a->c->params, "address"), a->cmd.v, FORGET_MAX);
	a->rc = kind_keep(a);
	if (a->rc == 0)
		a->rc = ctl_reason_check(a->cmd.why, a->cmd.v, a->cmd.n, &a->err);
}

static void forms_done(struct work *w)
{
	struct allow *a = CONTAINER_OF(w, struct allow, work);
	int rc = a->rc;

	allow_prepare(&a->cmd);
	a->cmd.cmd.done = on_allowed;
	if (rc == 0 && (rc = store_submit(a->c->deps->store, &a->cmd.cmd)) < 0)
		(void)err_set(&a->err, rc, "the store takes nothing now; try again");
	if (rc < 0) {
		ctl_answer(a->c, rc, &a->err, NULL);
		free(a);
	}
}

int ctl_targets_allow(struct ctl_call *c, cJSON **ret, struct err *e)
{
	const char *why = json_z(c->params, "why", NULL), *list = json_z(c->params, "list", NULL);
	struct err no = { 0 };

	UNUSED(ret);
	UNUSED(e);
	if (c->who.office || !why || !*why) {
		int rc = c->who.office
			? err_set(&no, -EPERM, "only a person for all offices may allow an address")
			: err_set(&no, -EINVAL, "why? give a reason (-m)");
		ctl_answer(c, rc, &no, NULL);
		return 0;
	}
	struct allow *a = x_calloc(1, sizeof(*a));
	a->c = c;
	a->cs = *c->deps->channels;
	a->cmd.list = list && !strcmp(list, "(all)") ? "" : list;
	a->cmd.agreed = json_bool(c->params, "agreed_again", false);
	a->cmd.person = c->who.person;
	a->cmd.via = c->who.via;
	a->cmd.why = why;
	a->work = (struct work){ .fn = forms_run, .done = forms_done };
	env_work(c->deps->env, &a->work);
	return 0;
}
