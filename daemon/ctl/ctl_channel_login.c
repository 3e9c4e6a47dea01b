/* ctl_channel_login.c - channel.login: which account is meant (by name, by office, or the only one), then two steps: the consent page,
 * and the code that it gave. Threads: offices are read on a worker, the rest on the loop. Owns: struct logging until the answer.
 * Failures: nothing is changed unless a new pair was stored. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl_channel.h"
#include "store/store_office.h"

#define DEPTH_MAX 32
#define CODE_MAX  8192

struct logging {
	struct ctl_job j;
	char channel[64], account[64];
};

static void on_login(
	void *ctx, int rc, const struct err *e, const struct chan_result *r, int64_t version)
{
	struct logging *l = ctx;
	struct ctl_call *c = l->j.c;
	cJSON *o = NULL;

	if (rc == 0) {
		const struct conf_channel *ch = conf_channel_find(c->conf, l->channel);
		const struct conf_account *a = ch ? conf_account_find(ch, l->account) : NULL;
		cJSON *cred = ctl_credential_json(c, l->channel, a ? a->credential : NULL);
		o = json_obj();
		json_put_z(o, "channel", l->channel);
		json_put_z(o, "account", l->account);
		json_put_bool(o, "done", json_str(c->params, "code").n > 0 || r->url.n == 0);
		json_put_str(o, "url", r->url);
		json_put_str(o, "text", r->text);
		json_put_i64(o, "version", version);
		json_put(o, "credential", cred ? cred : cJSON_CreateNull());
	}
	ctl_answer(c, rc, e, o);
	free(l);
}

static int by_office(struct logging *l, struct store_reader *r, const char *office, struct err *e)
{
	const struct conf *conf = l->j.c->conf;
	const struct conf_channel *ch = conf_channel_find(conf, l->channel);
	char code[DEPTH_MAX][64];
	const char *codes[DEPTH_MAX];

	if (!ctl_may_see(l->j.c, office))
		return err_set(e, -EPERM, "office '%s' is not yours", office);
	int n = office_chain_codes(reader_db(r), office, code, DEPTH_MAX);
	if (n <= 0)
		return n < 0 ? n : err_set(e, -ENOENT, "no office '%s'", office);
	for (int i = 0; i < n; i++)
		codes[i] = code[i];
	const struct conf_route *route = conf_route_find(conf, ch->kind, codes, (size_t)n);
	if (!route || strcmp(route->channel, l->channel) != 0)
		return err_set(e, -ENOENT,
			"office '%s' has no account on channel '%s': its route is %s%s%s", office,
			l->channel, route ? route->channel : "missing", route ? "/" : "",
			route ? route->account : "");
	(void)str_copy(l->account, sizeof(l->account), str_of(route->account));
	return 0;
}

static int read_account(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct logging *l = CONTAINER_OF(j, struct logging, j);
	const struct ctl_call *c = j->c;
	const struct conf_channel *ch;
	const char *office = json_z(c->params, "office", NULL),
		   *account = json_z(c->params, "account", NULL);

	(void)str_copy(l->channel, sizeof(l->channel), json_str(c->params, "channel"));
	ch = conf_channel_find(c->conf, l->channel);
	if (!ch)
		return err_set(e, -ENOENT, "no channel '%s'", l->channel);
	if (json_str(c->params, "code").n > CODE_MAX)
		return err_set(e, -EINVAL, "a code has at most %d bytes", CODE_MAX);
	if (office && account)
		return err_set(e, -EINVAL, "say either the office or the account");
	if (office)
		return by_office(l, r, office, e);
	if (c->who.office)
		return err_set(e, -EPERM, "say for which office: --office %s", c->who.office);
	if (!account && ch->n_accounts > 1)
		return err_set(e, -EINVAL,
			"channel '%s' has %zu accounts: say which, --account NAME or --office CODE",
			l->channel, ch->n_accounts);
	(void)str_copy(
		l->account, sizeof(l->account), str_of(account ? account : ch->accounts[0]->name));
	return 0;
}

static void login_now(struct ctl_job *j)
{
	struct logging *l = CONTAINER_OF(j, struct logging, j);

	if (j->rc) {
		ctl_answer(j->c, j->rc, &j->e, NULL);
		free(l);
		return;
	}
	const struct login_request r = { .channel = l->channel,
		.account = l->account,
		.code = str_trim(json_str(j->c->params, "code")),
		.person = j->c->who.person,
		.via = j->c->who.via,
		.done = on_login,
		.ctx = l };
	dispatch_login(j->c->deps->dispatch, &r);
}

int ctl_channel_login(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct logging *l = x_calloc(1, sizeof(*l));

	UNUSED(ret);
	UNUSED(e);
	l->j.c = c;
	l->j.read = read_account;
	l->j.then = login_now;
	ctl_job_start(&l->j);
	return 0;
}
