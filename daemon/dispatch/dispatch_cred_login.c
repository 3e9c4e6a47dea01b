/* dispatch_cred_login.c - a person connects an account: the act is audited, the adapter makes the consent page or exchanges the
 * code, the pair is committed like any other. Thread: loop. Owns: struct cred_login, the code in locked memory.
 * Failures: said to the person; the stored pair stays as it was unless a new one was committed. */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_cred_internal.h"

void cred_login_free(struct cred_login *l)
{
	if (!l)
		return;
	task_cancel(&l->task);
	secret_free(l->code);
	free(l);
}

static void login_over(
	struct cred_login *l, int rc, const struct err *e, const struct chan_result *r)
{
	struct dcred *c = l->c;
	struct dispatch *d = c ? c->d : NULL;

	if (c && c->login == l) {
		c->login = NULL;
		cred_schedule(c);
		cred_kick(c);
	}
	l->done(l->ctx, rc, e, r, c ? c->version : 0);
	cred_login_free(l);
	if (d)
		cmd_end(d);
}

static void on_answer(void *ctx, const struct chan_result *r)
{
	struct cred_login *l = ctx;
	struct dcred *c = l->c;
	struct err e = { 0 };
	int rc = 0;

	if (r->outcome != LT_ACCEPTED)
		rc = err_set(&e, -EBADMSG, "not logged in: " STR_FMT "%s" STR_FMT, STR_ARG(r->text),
			r->code.n ? ", code " : "", STR_ARG(r->code));
	else if ((l->code || !r->url.n) && c->version == l->version && list_empty(&c->puts))
		rc = err_set(&e, -EBADMSG, "not logged in: the adapter stored no pair");
	log_line(rc ? LOG_WARN : LOG_INFO,
		"ev=credential.login ch=%s credential=%s person=%s step=%s outcome=%d", c->channel,
		c->name, l->person, l->code ? "code" : "consent", r->outcome);
	login_over(l, rc, rc ? &e : NULL, r);
}

static void on_event(struct store_cmd *cmd)
{
	struct cred_login *l = CONTAINER_OF(cmd, struct cred_login, event.cmd);
	struct dcred *c = l->c;
	struct channel *ch = c->d->channels ? channels_find(c->d->channels, c->channel) : NULL;
	struct chan_account *a = ch ? channel_account(ch, l->account) : NULL;
	struct err e = cmd->err;

	if (cmd->rc || !a || c->d->stopping) {
		if (!cmd->rc)
			(void)err_set(&e, -EBUSY, "the channel is not there any more");
		login_over(l, cmd->rc ? cmd->rc : -EBUSY, &e, NULL);
		return;
	}
	l->begun = true;
	channel_login(a, l->code ? secret_value(l->code) : (struct str){ NULL, 0 }, on_answer, l);
}

static void on_refused(struct task *t)
{
	struct cred_login *l = CONTAINER_OF(t, struct cred_login, task);

	login_over(l, l->rc, &l->err, NULL);
}

static int login_check(struct dispatch *d, const struct login_request *r, struct cred_login *l)
{
	const struct conf_channel *ch = conf_channel_find(d->conf, r->channel);
	const struct conf_account *a = ch ? conf_account_find(ch, r->account) : NULL;

	if (!a)
		return err_set(&l->err, -ENOENT, "no channel '%s' with account '%s'", r->channel,
			r->account);
	if (!a->credential)
		return err_set(&l->err, -EINVAL,
			"account '%s/%s' names no 'credential:': there is nothing to log in",
			r->channel, r->account);
	struct dcred *c = cred_get(d, r->channel, a->credential);
	if (!c || d->stopping)
		return err_set(&l->err, -EBUSY, "not now");
	if (c->login || c->phase != CRP_IDLE || !list_empty(&c->puts))
		return err_set(&l->err, -EBUSY,
			"credential '%s' is being %s: try again in a moment", a->credential,
			c->login ? "logged in by somebody else" : "refreshed");
	l->c = c;
	return 0;
}

void dispatch_login(struct dispatch *d, const struct login_request *r)
{
	struct cred_login *l = x_calloc(1, sizeof(*l));

	l->done = r->done;
	l->ctx = r->ctx;
	task_init(&l->task, on_refused);
	(void)str_copy(l->account, sizeof(l->account), str_of(r->account));
	(void)str_copy(l->person, sizeof(l->person), str_of(r->person));
	(void)str_copy(l->via, sizeof(l->via), str_of(r->via));
	if (r->code.n)
		l->code = secret_new(r->code);
	l->rc = login_check(d, r, l);
	if (l->rc) {
		env_defer(d->o.env, &l->task);
		return;
	}
	struct dcred *c = l->c;
	c->login = l;
	l->version = c->version;
	cmd_begin(d);
	store_cred_login_init(&l->event);
	l->event.channel = c->channel;
	l->event.name = c->name;
	l->event.person = l->person;
	l->event.via = l->via;
	l->event.now = l->code ? "gives the code" : "asks for the consent page";
	l->event.cmd.done = on_event;
	int sent = store_submit(d->o.store, &l->event.cmd);
	if (sent) {
		l->rc = err_set(&l->err, sent, "the store takes nothing now (%d)", sent);
		env_defer(d->o.env, &l->task);
	}
}
