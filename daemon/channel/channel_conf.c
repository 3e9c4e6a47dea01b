/* channel_conf.c - an account's settings against the adapter's table of keys: unknown names, wrong types, missing values are
 * refused with file and line; defaults filled. Secrets stay names here, their values lie in locked memory. Blocking (reads files).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "channel/channel_internal.h"
#include "model/when.h"

#define TABLE_MAX         (1u << 20)
#define SETTINGS_TEXT_MAX (8u << 20)

static const struct lt_key *key_find(const struct lt_adapter *ad, const char *name)
{
	for (uint32_t i = 0; i < ad->n_keys; i++)
		if (!strcmp(ad->keys[i].name, name))
			return &ad->keys[i];
	return NULL;
}

static bool in_enum(const char *type, const char *value)
{
	struct str rest = str_of(type + 5), one; /* behind "enum:" */
	while (str_next(&rest, '|', &one))
		if (str_eqz(one, value))
			return true;
	return false;
}

/* Returns what would be right, or NULL when the value fits. */
static const char *type_fault(const struct lt_key *k, const char *v)
{
	int64_t n;
	struct err e;
	if (!strcmp(k->type, "int"))
		return str_i64(str_of(v), INT64_MIN, INT64_MAX, &n) ? "a whole number" : NULL;
	if (!strcmp(k->type, "bool"))
		return strcmp(v, "yes") && strcmp(v, "no") && strcmp(v, "true") &&
				strcmp(v, "false")
			? "yes or no"
			: NULL;
	if (!strcmp(k->type, "duration"))
		return when_parse_duration(str_of(v), &n, &e) ? "a duration such as 30s" : NULL;
	if (!strncmp(k->type, "enum:", 5))
		return in_enum(k->type, v) ? NULL : k->type + 5;
	return NULL; /* text, secret: any */
}

static int check_pair(const struct lt_adapter *ad, const struct conf_channel *ch,
	const struct conf_pair *p, struct err *e)
{
	const char *names[200];
	const struct lt_key *k = key_find(ad, p->name);
	if (!k) {
		for (uint32_t i = 0; i < ad->n_keys; i++)
			names[i] = ad->keys[i].name;
		const char *near = str_nearest(str_of(p->name), names, ad->n_keys);
		return err_set(e, -EINVAL, "%s:%d: adapter '%s' has no setting '%.60s'%s%s%s",
			ch->file, p->line, ad->name, p->name, near ? "; did you mean '" : "",
			near ? near : "", near ? "'?" : "");
	}
	const char *right = type_fault(k, p->value);
	return right ? err_set(e, -EINVAL, "%s:%d: %s: '%.60s' is not %s", ch->file, p->line,
			       p->name, p->value, right)
		     : 0;
}

static const char *value_of(
	const struct conf_channel *ch, const struct conf_account *a, const char *name)
{
	const char *v = NULL;
	for (size_t i = 0; i < ch->n_settings; i++)
		v = strcmp(ch->settings[i].name, name) ? v : ch->settings[i].value;
	for (size_t i = 0; i < a->n_settings; i++)
		v = strcmp(a->settings[i].name, name) ? v : a->settings[i].value;
	return v;
}

static bool secret_known(
	const struct conf_channel *ch, const struct conf_account *a, const char *name)
{
	for (size_t i = 0; i < a->n_secrets; i++)
		if (!strcmp(a->secrets[i].name, name))
			return true;
	for (size_t i = 0; i < ch->n_secrets; i++)
		if (!strcmp(ch->secrets[i].name, name))
			return true;
	return a->credential && !strcmp(a->credential, name);
}

static struct lt_str owned(const char *s)
{
	char *p = x_strdup(s);
	return (struct lt_str){ p, strlen(p) };
}

static int fill_values(const struct lt_adapter *ad, const struct conf_channel *ch,
	const struct conf_account *a, struct chan_settings *s, struct err *e)
{
	s->values = x_calloc(ad->n_keys + 1, sizeof(*s->values));
	for (uint32_t i = 0; i < ad->n_keys; i++) {
		const struct lt_key *k = &ad->keys[i];
		const char *v = value_of(ch, a, k->name);
		if (!v)
			v = k->default_text;
		if (!v)
			return err_set(e, -EINVAL,
				"%s: account '%s': adapter '%s' needs the setting '%s' (%s)",
				ch->file, a->name, ad->name, k->name, k->help ? k->help : k->type);
		if (!strcmp(k->type, "secret") && v[0] && !secret_known(ch, a, v))
			return err_set(e, -EINVAL,
				"%s: account '%s': setting '%s' names the secret '%.60s', which stands under no 'secrets'",
				ch->file, a->name, k->name, v);
		struct lt_pair *p = &s->values[s->n_values++];
		p->name = owned(k->name);
		if (!strcmp(k->type, "secret"))
			p->secret = owned(v);
		else
			p->value = owned(v);
	}
	return 0;
}

static int fill_files(const struct conf_channel *ch, struct chan_settings *s, struct err *e)
{
	s->files = x_calloc(ch->n_files + 1, sizeof(*s->files));
	for (size_t i = 0; i < ch->n_files; i++) {
		struct buf b;
		buf_init(&b, TABLE_MAX);
		int rc = file_read(ch->files[i].value, &b, e);
		if (rc) {
			buf_done(&b);
			return err_prefix(e, "%s:%d", ch->file, ch->files[i].line);
		}
		struct lt_pair *p = &s->files[s->n_files++];
		p->name = owned(ch->files[i].name);
		size_t n;
		char *text = buf_take(&b, &n);
		p->value = (struct lt_str){ text ? text : x_strdup(""), n };
	}
	return 0;
}

int settings_make(const struct lt_adapter *ad, const struct conf_channel *ch,
	const struct conf_account *a, struct chan_settings *ret, struct err *e)
{
	struct chan_settings s = { 0 };
	int rc = 0;
	for (size_t i = 0; i < ch->n_settings && !rc; i++)
		rc = check_pair(ad, ch, &ch->settings[i], e);
	for (size_t i = 0; i < a->n_settings && !rc; i++)
		rc = check_pair(ad, ch, &a->settings[i], e);
	if (!rc)
		rc = fill_values(ad, ch, a, &s, e);
	if (!rc)
		rc = fill_files(ch, &s, e);
	if (rc) {
		settings_done(&s);
		return rc;
	}
	s.conf = (struct lt_conf){ .struct_size = sizeof(s.conf),
		.values = s.values,
		.n_values = s.n_values,
		.files = s.files,
		.n_files = s.n_files };
	*ret = s;
	return 0;
}

static void pairs_free(struct lt_pair *p, size_t n)
{
	for (size_t i = 0; p && i < n; i++) {
		xfree(p[i].name.p);
		xfree(p[i].value.p);
		xfree(p[i].secret.p);
	}
	free(p);
}

void settings_done(struct chan_settings *s)
{
	pairs_free(s->values, s->n_values);
	pairs_free(s->files, s->n_files);
	*s = (struct chan_settings){ 0 };
}

static int read_all(struct chan_account *a, const struct conf_secret *s, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (a->n_secrets == SECRETS_MAX)
			return err_set(e, -E2BIG, "account '%s': more than %d secrets",
				a->conf->name, SECRETS_MAX);
		if (s[i].unseen)
			continue;
		struct chan_secret *cs = &a->secrets[a->n_secrets];
		int rc = conf_secret_read(&s[i], &cs->value, e);
		if (rc)
			return rc;
		cs->name = s[i].name;
		a->n_secrets++;
	}
	return 0;
}

/* The account's own first: they win over the channel's. */
int secrets_read(struct chan_account *a, struct err *e)
{
	int rc = read_all(a, a->conf->secrets, a->conf->n_secrets, e);
	return rc ? rc : read_all(a, a->ch->conf->secrets, a->ch->conf->n_secrets, e);
}
