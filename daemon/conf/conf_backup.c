/* conf_backup.c - the second gateway of an account: who takes over what certainly was not sent. Thread: any.
 * One step only: a backup has none itself, so that a delivery goes to and fro between two accounts and never further. It stands on
 * another channel, because outputs are approved by channel; both are of one kind and stand for nobody in public (no identity).
 */
#include <string.h>
#include "conf/conf_row.h"

const struct conf_account *conf_backup_of(
	const struct conf *c, const struct conf_account *a, const struct conf_channel **ret_channel)
{
	const char *slash = a && a->backup ? strchr(a->backup, '/') : NULL;

	if (!slash)
		return NULL;
	struct str channel = { a->backup, (size_t)(slash - a->backup) };
	for (size_t i = 0; i < c->n_channels; i++) {
		if (!str_eqz(channel, c->channels[i]->name))
			continue;
		*ret_channel = c->channels[i];
		return conf_account_find(c->channels[i], slash + 1);
	}
	return NULL;
}

static int check_one(
	struct conf_ctx *cx, const struct conf_channel *ch, const struct conf_account *a)
{
	const struct conf_channel *bc = NULL;
	const struct conf_account *b = conf_backup_of(cx->conf, a, &bc);

	if (!b)
		return err_set(cx->e, -EINVAL,
			"%s: account '%.60s': backup '%.130s' is no account of a configured channel; "
			"write it as channel/account, such as sms-esms/main",
			ch->file, a->name, a->backup);
	if (bc == ch)
		return err_set(cx->e, -EINVAL,
			"%s: account '%.60s': its backup must be on another channel than '%.60s'",
			ch->file, a->name, ch->name);
	if (ch->kind != KIND_SMS && ch->kind != KIND_EMAIL)
		return err_set(cx->e, -EINVAL,
			"%s: account '%.60s': only sms and email have a backup, a %s does not",
			ch->file, a->name, chan_kind_name((int)ch->kind));
	if (bc->kind != ch->kind)
		return err_set(cx->e, -EINVAL,
			"%s: account '%.60s' is of kind %s, its backup '%.130s' of kind %s: one kind, please",
			ch->file, a->name, chan_kind_name((int)ch->kind), a->backup,
			chan_kind_name((int)bc->kind));
	if (b->backup)
		return err_set(cx->e, -EINVAL,
			"%s: account '%.60s': its backup '%.130s' has a backup of its own; one step only",
			ch->file, a->name, a->backup);
	if (a->identity || b->identity)
		return err_set(cx->e, -EINVAL,
			"%s: account '%.60s': an account with an identity (a page, an OA) has no backup and is none",
			ch->file, a->name);
	return 0;
}

int conf_backup_check(struct conf_ctx *cx)
{
	const struct conf *c = cx->conf;
	int rc = 0;

	for (size_t i = 0; i < c->n_channels && rc == 0; i++) {
		const struct conf_channel *ch = c->channels[i];
		for (size_t k = 0; k < ch->n_accounts && rc == 0; k++)
			if (ch->accounts[k]->backup)
				rc = check_one(cx, ch, ch->accounts[k]);
	}
	return rc;
}
