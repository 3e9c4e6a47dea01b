/* conf.c - life of a struct conf, look-ups, secrets, and the checks that tie keys together. Thread: any (read-only), refs are atomic. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/conf_row.h"
#include "base/assert.h"
#include "base/file.h"

#define CONF_MAGIC 0x434f4e46u
#define SECRET_MAX 65536

struct conf *conf_ref(struct conf *c)
{
	CHECK_OBJ(c, CONF_MAGIC);
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

static void free_people(struct conf *c)
{
	for (size_t i = 0; i < c->n_people; i++) {
		free(c->people[i].name);
		free(c->people[i].user);
		free(c->people[i].office);
		free(c->people[i].key_fingerprint);
	}
	free(c->people);
	for (size_t i = 0; i < c->n_steps; i++)
		free(c->steps[i].name);
	free(c->steps);
}

void conf_unref(struct conf *c)
{
	if (!c)
		return;
	CHECK_OBJ(c, CONF_MAGIC);
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free_people(c);
	for (size_t i = 0; i < c->n_channels; i++)
		conf_channel_free(c->channels[i]);
	for (size_t i = 0; i < c->n_routes; i++) {
		free(c->routes[i].office);
		free(c->routes[i].channel);
		free(c->routes[i].account);
	}
	free(c->channels);
	free(c->routes);
	free(c->category_rules);
	conf_money_done(c);
	conf_strv_done(&c->allow_only);
	conf_strv_done(&c->own_domains);
	conf_strv_done(&c->push_program);
	char *const owned[] = { c->path, c->state_dir, c->runtime_dir, c->socket_path,
		c->adapter_dir, c->staging_dir, c->key_file, c->secret_key_file, c->token_mirror,
		c->public_url, c->listen_public, c->listen_private, c->link_proxy, c->link_ca_pem };
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		free(owned[i]);
	c->magic = 0;
	free(c);
}

const struct conf_channel *conf_channel_find(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_channels; i++)
		if (!strcmp(c->channels[i]->name, name))
			return c->channels[i];
	return NULL;
}

const struct conf_account *conf_account_find(const struct conf_channel *ch, const char *name)
{
	for (size_t i = 0; i < ch->n_accounts; i++)
		if (!strcmp(ch->accounts[i]->name, name))
			return ch->accounts[i];
	return NULL;
}

const struct conf_lane *conf_lane_of(const struct conf_channel *ch, const char *class_name)
{
	for (size_t i = 0; i < ch->n_classes; i++)
		if (!strcmp(ch->classes[i].name, class_name))
			return &ch->classes[i].lane;
	return &ch->lane;
}

static const struct conf_route *route_of(
	const struct conf *c, enum chan_kind kind, const char *office)
{
	for (size_t i = 0; i < c->n_routes; i++) {
		const struct conf_route *r = &c->routes[i];
		if (r->kind == kind &&
			(office ? r->office && !strcmp(r->office, office) : !r->office))
			return r;
	}
	return NULL;
}

const struct conf_route *conf_route_find(
	const struct conf *c, enum chan_kind kind, const char *const *codes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_route *r = route_of(c, kind, codes[i]);
		if (r)
			return r;
	}
	return route_of(c, kind, NULL);
}

const struct conf_person *conf_person_by_uid(const struct conf *c, int64_t uid, const char *login)
{
	for (size_t i = 0; i < c->n_people; i++) {
		const struct conf_person *p = &c->people[i];
		if ((p->uid >= 0 && p->uid == uid) || (p->user && login && !strcmp(p->user, login)))
			return p;
	}
	return NULL;
}

const struct conf_person *conf_person_by_name(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_people; i++)
		if (!strcmp(c->people[i].name, name))
			return &c->people[i];
	return NULL;
}

/* Domains have no case, and those of our addresses are written small; what stands before the @ is taken as it is. */
static bool same_address(const char *rule, const char *address)
{
	const char *at = strrchr(rule, '@');
	size_t n = at ? (size_t)(at - rule) : strlen(rule);
	return !strncmp(rule, address, n) && str_ieqz(str_of(address + n), at ? at : "");
}

bool conf_trial_allows(const struct conf *c, const char *address)
{
	if (!c->trial)
		return true;
	for (size_t i = 0; i < c->allow_only.n; i++) {
		const char *rule = c->allow_only.v[i];
		size_t n = strlen(address), m = strlen(rule);
		if (same_address(rule, address) ||
			(m > 1 && rule[m - 1] == '*' && !strncmp(address, rule, m - 1)) ||
			(strchr("@.", rule[0]) && n > m && str_ieqz(str_of(address + n - m), rule)))
			return true;
	}
	return false;
}

static int secret_path(const struct conf_secret *s, char *dst, size_t size, struct err *e)
{
	const char *dir = s->credential ? secure_getenv("CREDENTIALS_DIRECTORY") : "";
	if (!dir)
		return err_set(e, -ENOENT,
			"secret '%s': the service was started without credentials; add LoadCredential=%s:PATH to its unit",
			s->name, s->file);
	struct str whole;
	char *path = s->credential ? x_asprintf("%s/%s", dir, s->file) : x_strdup(s->file);
	whole = str_of(path);
	bool fits = str_copy(dst, size, whole);
	free(path);
	return fits ? 0 : err_set(e, -ENAMETOOLONG, "secret '%s': its path is too long", s->name);
}

/* What editors put in front of a text is no part of a password; a file in UTF-16 has none that anybody would take. */
static int secret_text(const struct conf_secret *s, const char *path, struct str *v, struct err *e)
{
	if (str_starts(*v, "\xef\xbb\xbf"))
		*v = (struct str){ v->p + 3, v->n - 3 };
	if (v->n >= 4 && str_starts(*v, "\xff\xfe") && !v->p[3])
		return err_set(e, -EINVAL, "secret '%s': '%s' is in UTF-16; save it as UTF-8",
			s->name, path);
	while (v->n && (v->p[v->n - 1] == '\n' || v->p[v->n - 1] == '\r'))
		v->n--;
	return 0;
}

int conf_secret_read(const struct conf_secret *s, struct secret **ret, struct err *e)
{
	char path[4096], raw[SECRET_MAX];
	struct stat st;
	int rc = secret_path(s, path, sizeof(path), e);
	if (rc)
		return rc;
	/* without O_NONBLOCK a named pipe would hang the open */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, -errno, "secret '%s': file '%s' cannot be read: %s", s->name,
			path, strerror(errno));
	ssize_t n = -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		rc = err_set(e, -EINVAL, "secret '%s': '%s' is no regular file", s->name, path);
	else if ((st.st_mode & 077) != 0 && !s->credential)
		rc = err_set(e, -EPERM,
			"secret '%s': '%s' may be read by others (mode %03o); chmod 0600 it",
			s->name, path, (unsigned)(st.st_mode & 0777));
	else
		n = read(fd, raw, sizeof(raw));
	(void)close(fd);
	struct str v = { raw, n > 0 ? (size_t)n : 0 };
	rc = rc ? rc : secret_text(s, path, &v, e);
	if (!rc && (v.n == 0 || n == (ssize_t)sizeof(raw)))
		rc = err_set(e, -EINVAL, "secret '%s': '%s' is empty or over 64 KB", s->name, path);
	if (!rc) {
		*ret = secret_new(v);
		rc = *ret ? 0 : err_set(e, -ENOMEM, "secret '%s': no locked memory left", s->name);
	}
	wipe(raw, sizeof(raw));
	return rc;
}

/* True: the service manager would give it, and gave nothing to whom only looks. */
static bool pass_over(struct conf_ctx *cx, struct conf_secret *s)
{
	s->unseen = cx->unseen && s->credential && !secure_getenv("CREDENTIALS_DIRECTORY");
	if (s->unseen)
		(*cx->unseen)++;
	return s->unseen;
}

static int check_secrets(struct conf_ctx *cx, const char *file, struct conf_secret *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(secret_free) struct secret *value = NULL;
		if (pass_over(cx, &s[i]))
			continue;
		int rc = conf_secret_read(&s[i], &value, cx->e);
		if (rc) {
			err_prefix(cx->e, "%s:%d", file, s[i].line);
			return rc;
		}
	}
	return 0;
}

static int check_all_secrets(struct conf_ctx *cx)
{
	const struct conf *c = cx->conf;
	int rc = 0;
	for (size_t i = 0; i < c->n_channels && !rc; i++) {
		struct conf_channel *ch = c->channels[i];
		if (ch->webhook.secret.name) /* the channel reads it */
			(void)pass_over(cx, &ch->webhook.secret);
		rc = check_secrets(cx, ch->file, ch->secrets, ch->n_secrets);
		for (size_t k = 0; k < ch->n_accounts && !rc; k++)
			rc = check_secrets(
				cx, ch->file, ch->accounts[k]->secrets, ch->accounts[k]->n_secrets);
	}
	return rc;
}

int conf_check_whole(struct conf_ctx *cx)
{
	const struct conf *c = cx->conf;
	for (size_t i = 0; i < c->n_routes; i++) {
		const struct conf_route *r = &c->routes[i];
		const struct conf_channel *ch = conf_channel_find(c, r->channel);
		if (!ch || !conf_account_find(ch, r->account))
			return err_set(cx->e, -EINVAL, "%s:%d: route to '%.60s/%.60s': no such %s",
				cx->file, r->line, r->channel, r->account,
				ch ? "account" : "channel");
		if (ch->kind != r->kind)
			return err_set(cx->e, -EINVAL,
				"%s:%d: route of %s leads to channel '%.60s', which is of kind %s",
				cx->file, r->line, chan_kind_name((int)r->kind), r->channel,
				chan_kind_name((int)ch->kind));
		for (size_t k = 0; k < i; k++)
			if (c->routes[k].kind == r->kind && !c->routes[k].office == !r->office &&
				(!r->office || !strcmp(r->office, c->routes[k].office)))
				return err_set(cx->e, -EINVAL,
					"%s:%d: a second route of %s for %s (first in line %d)",
					cx->file, r->line, chan_kind_name((int)r->kind),
					r->office ? r->office : "all offices", c->routes[k].line);
	}
	if (c->push_program.n > CONF_PUSH_MAX) /* what is behind them would be left out */
		return err_set(cx->e, -EINVAL,
			"%s: push_program: %zu words; its path and arguments are at most %d",
			cx->file, c->push_program.n, CONF_PUSH_MAX);
	if (c->push_assets && (!c->push_program.n || c->push_program.v[0][0] != '/'))
		return err_set(cx->e, -EINVAL,
			"%s: public_assets: push needs push_program: [/path/of/program, arguments]",
			cx->file);
	return check_all_secrets(cx);
}
