/* main_secret.c - rotating credentials wired: read before anything is sent, bound to the channels at start and after a reload.
 * Thread: loop; the reading also on the worker of a reload. */
#include "base/assert.h"
#include "dispatch/dispatch_credential.h"
#include "main_app.h"

void app_secrets_opts(struct app *a, struct channels_opts *o)
{
	o->secret_get = dispatch_secret_get;
	o->secret_ctx = a->dispatch;
}

int app_secrets_open(struct app *a, struct err *e)
{
	struct cred_load *l = NULL;
	int rc = dispatch_secrets_read(a->store, a->conf, &l, e);

	if (rc)
		return rc;
	dispatch_secrets_bind(a->dispatch, a->channels, l);
	return 0;
}

int app_secrets_read(struct app *a, const struct conf *conf, struct cred_load **ret, struct err *e)
{
	*ret = NULL;
	return a->store ? dispatch_secrets_read(a->store, conf, ret, e) : 0;
}

void app_secrets_bind(struct app *a, struct cred_load *l)
{
	if (l)
		dispatch_secrets_bind(a->dispatch, a->channels, l);
}

void app_secrets_drop(struct cred_load *l)
{
	dispatch_secrets_load_free(l);
}
