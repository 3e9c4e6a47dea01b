/* conf_load.c - lantoad.yaml and its channels.d: the rows of the top level, people, policy, routes, and the checks of the whole.
 * Thread: start-up or a worker (reads files). A failure leaves nothing behind.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "conf/conf_row.h"
#include "base/assert.h"
#include "base/file.h"
#include "model/when.h"

#define CONF_FILE_MAX (4u << 20)
#define CONF_MAGIC    0x434f4e46u
#define DAY           WHEN_DAY_MS

static int row_zone(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct err why;
	UNUSED(row);
	if (v->kind != YN_SCALAR)
		return conf_bad(cx, v, "a time zone such as Asia/Ho_Chi_Minh belongs here");
	return zone_parse(str_of(v->text), dst, &why) ? conf_bad(cx, v, "%.200s", why.text) : 0;
}

static int row_mode(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	if (v->kind == YN_SCALAR && !strcmp(v->text, "trial"))
		*(bool *)dst = true;
	else if (v->kind == YN_SCALAR && !strcmp(v->text, "live"))
		*(bool *)dst = false;
	else
		return conf_bad(cx, v,
			"the mode is 'live' or 'trial' (trial contacts only addresses on allow_only), not '%.60s'",
			v->kind == YN_SCALAR ? v->text : "");
	return 0;
}

static int row_level(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = { { "error", LOG_ERROR }, { "warn", LOG_WARN }, { "info", LOG_INFO },
		{ "debug", LOG_DEBUG } };
	UNUSED(row);
	for (size_t i = 0; v->kind == YN_SCALAR && i < ARRAY_LEN(levels); i++)
		if (!strcmp(v->text, levels[i].name)) {
			*(enum log_level *)dst = levels[i].level;
			return 0;
		}
	return conf_bad(cx, v, "the log level is error, warn, info or debug, not '%.60s'",
		v->kind == YN_SCALAR ? v->text : "");
}

static int row_roles(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	unsigned *roles = dst;
	size_t n = v->kind == YN_LIST ? v->n : 1;
	if (v->kind == YN_MAP)
		return conf_bad(cx, v,
			"a list of roles belongs here: viewer, editor, approver, operator, admin");
	for (size_t i = 0; i < n; i++) {
		const struct ynode *s = v->kind == YN_LIST ? v->child[i] : v;
		int r = s->kind == YN_SCALAR ? role_parse(str_of(s->text)) : -EINVAL;
		if (r < 0)
			return conf_bad(cx, v,
				"'%.40s' is no role; known are viewer, editor, approver, operator, admin",
				s->kind == YN_SCALAR ? s->text : "");
		*roles |= (unsigned)r;
	}
	return 0;
}

static int row_role(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	*(unsigned *)dst = 0;
	return row_roles(cx, v, dst, row);
}

#define PERSON(k, r, f)                                                    \
	{                                                                  \
		.key = k, .read = r, .at = offsetof(struct conf_person, f) \
	}
static const struct conf_row person_rows[] = {
	PERSON("name", conf_row_str, name),
	PERSON("user", conf_row_str, user),
	{ .key = "uid",
		.read = conf_row_i64,
		.at = offsetof(struct conf_person, uid),
		.min = 0,
		.max = UINT32_MAX },
	PERSON("roles", row_roles, roles),
	PERSON("office", conf_row_str, office),
	PERSON("gateway", conf_row_bool, gateway),
	PERSON("key", conf_row_str, key_fingerprint),
};

static int row_people(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_person **out = dst;
	UNUSED(row);
	if (v->kind != YN_LIST || v->n > CONF_PEOPLE_MAX)
		return conf_bad(cx, v, "a list of at most %d people belongs here", CONF_PEOPLE_MAX);
	*out = x_calloc(v->n + 1, sizeof(**out));
	for (size_t i = 0; i < v->n; i++) {
		struct conf_person *p = &(*out)[i];
		p->uid = -1;
		cx->conf->n_people = i + 1;
		int rc = conf_read_map(cx, v->child[i], person_rows, ARRAY_LEN(person_rows), p);
		if (rc)
			return rc;
		if (!p->name || !p->roles)
			return conf_bad(cx, v->child[i],
				"a person needs a 'name' and at least one of 'roles'");
		rc = conf_name_fits(cx, v->child[i], "person", p->name, CONF_PERSON_MAX);
		if (rc)
			return rc;
		if (!strcmp(p->name, "system"))
			return conf_bad(cx, v->child[i], "the name 'system' is the daemon's own");
		for (size_t k = 0; k < i; k++)
			if (!strcmp((*out)[k].name, p->name) ||
				(p->uid >= 0 && (*out)[k].uid == p->uid) ||
				(p->user && (*out)[k].user && !strcmp(p->user, (*out)[k].user)))
				return conf_bad(cx, v->child[i],
					"person '%.60s': the same name, user or uid stands twice",
					p->name);
	}
	return 0;
}

static int row_steps(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_step **out = dst;
	UNUSED(row);
	static const struct conf_row rows[] = {
		{ .key = "name", .read = conf_row_str, .at = offsetof(struct conf_step, name) },
		{ .key = "role", .read = row_role, .at = offsetof(struct conf_step, role) },
	};
	if (v->kind != YN_LIST || !v->n || v->n > CONF_STEPS_MAX)
		return conf_bad(
			cx, v, "a list of 1 to %d approval steps belongs here", CONF_STEPS_MAX);
	*out = x_calloc(v->n, sizeof(**out));
	for (size_t i = 0; i < v->n; i++) {
		cx->conf->n_steps = i + 1;
		(*out)[i].role = ROLE_APPROVER;
		int rc = conf_read_map(cx, v->child[i], rows, ARRAY_LEN(rows), &(*out)[i]);
		if (rc)
			return rc;
		if (!(*out)[i].name)
			return conf_bad(cx, v->child[i], "an approval step needs a 'name'");
	}
	return 0;
}

static int add_route(
	struct conf_ctx *cx, const struct ynode *v, enum chan_kind kind, const char *office)
{
	struct conf *c = cx->conf;
	const char *slash = v->kind == YN_SCALAR ? strchr(v->text, '/') : NULL;
	if (!slash || slash == v->text || !slash[1] || strchr(slash + 1, '/'))
		return conf_bad(cx, v, "a route leads to channel/account, such as mail/relay");
	if (c->n_routes >= 100000)
		return conf_bad(cx, v, "more than 100,000 routes");
	c->routes = x_realloc(c->routes, c->n_routes + 1, sizeof(*c->routes));
	struct conf_route *r = &c->routes[c->n_routes++];
	r->kind = kind;
	r->office = office ? x_strdup(office) : NULL;
	r->channel = x_strndup(v->text, (size_t)(slash - v->text));
	r->account = x_strdup(slash + 1);
	r->line = v->line;
	return 0;
}

/* routes: {email: {default: mail/relay, offices: {ha-noi: mail/hn}}} or {email: mail/relay} */
static int row_routes(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(dst);
	UNUSED(row);
	if (v->kind != YN_MAP)
		return conf_bad(cx, v, "a map from kind of channel to its routes belongs here");
	for (size_t i = 0; i < v->n; i++) {
		const struct ynode *k = v->child[i];
		int kind = chan_kind_parse(str_of(k->key)), rc = 0;
		if (kind < 0)
			return conf_bad(cx, k,
				"no kind of channel; known are email, sms, facebook, zalo, person, webhook, exec, loopback");
		if (k->kind == YN_SCALAR) {
			rc = add_route(cx, k, (enum chan_kind)kind, NULL);
			if (rc)
				return rc;
			continue;
		}
		for (size_t j = 0; j < k->n && !rc; j++) {
			const struct ynode *w = k->child[j];
			if (k->kind == YN_MAP && !strcmp(w->key, "default"))
				rc = add_route(cx, w, (enum chan_kind)kind, NULL);
			else if (k->kind != YN_MAP || strcmp(w->key, "offices") != 0 ||
				w->kind != YN_MAP)
				rc = conf_bad(cx, w,
					"routes of a kind are 'default' and a map 'offices'");
			else
				for (size_t o = 0; o < w->n && !rc; o++)
					rc = add_route(cx, w->child[o], (enum chan_kind)kind,
						w->child[o]->key);
		}
		if (rc)
			return rc;
	}
	return 0;
}

static int row_suppress(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
#define SUP(k, r, f, lo, hi)                                                                       \
	{                                                                                          \
		.key = k, .read = r, .at = offsetof(struct conf, suppress.f), .min = lo, .max = hi \
	}
	static const struct conf_row rows[] = {
		SUP("hard", conf_row_int, hard, 1, 100),
		SUP("mailbox_off", conf_row_int, hard_mailbox_off, 1, 100),
		SUP("domain", conf_row_int, domain, 1, 100),
		SUP("soft", conf_row_int, soft, 1, 1000),
		SUP("mailbox_off_within", conf_row_duration, hard_mailbox_off_ms, 0, 365 * DAY),
		SUP("domain_within", conf_row_duration, domain_ms, 0, 365 * DAY),
		SUP("soft_within", conf_row_duration, soft_ms, 0, 365 * DAY),
	};
	UNUSED(dst);
	return conf_read_map(cx, v, rows, ARRAY_LEN(rows), cx->conf);
}

/* How lantoad itself asks for pages: those of needs_link, and its own public_url. */
static int row_link_check(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	UNUSED(dst);
	static const struct conf_row rows[] = {
		{ .key = "proxy", .read = conf_row_proxy, .at = offsetof(struct conf, link_proxy) },
		{ .key = "ca",
			.read = conf_row_pem_text,
			.at = offsetof(struct conf, link_ca_pem) },
	};
	return conf_read_map(cx, v, rows, ARRAY_LEN(rows), cx->conf);
}

static int read_file_tree(struct conf_ctx *cx, const char *path, struct ynode **ret)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, CONF_FILE_MAX);
	int rc = file_read(path, &b, cx->e);
	return rc ? rc : conf_yaml_parse(path, buf_str(&b), ret, cx->e);
}

static int read_channel_file(struct conf_ctx *cx, const char *path)
{
	CLEANUP(ynode_free) struct ynode *root = NULL;
	struct conf *c = cx->conf;
	struct conf_ctx sub = { .file = path, .conf = c, .e = cx->e };
	struct conf_channel *ch = NULL;
	int rc = read_file_tree(&sub, path, &root);
	if (!rc)
		rc = conf_read_channel(&sub, root, &ch);
	if (rc)
		return rc;
	if (c->n_channels == CONF_CHANNELS_MAX || conf_channel_find(c, ch->name)) {
		rc = err_set(cx->e, -EINVAL, "%s: channel '%s' %s", path, ch->name,
			c->n_channels == CONF_CHANNELS_MAX ? "is one too many (256 at most)"
							   : "stands in another file already");
		conf_channel_free(ch);
		return rc;
	}
	c->channels = x_realloc(c->channels, c->n_channels + 1, sizeof(*c->channels));
	c->channels[c->n_channels++] = ch;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int row_channels_dir(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	char *names[CONF_CHANNELS_MAX + 1], *path = NULL;
	size_t n = 0;
	UNUSED(dst);
	int rc = conf_row_path(cx, v, &path, row);
	DIR *d = rc ? NULL : opendir(path);
	if (!rc && !d)
		rc = conf_bad(cx, v, "folder '%.200s' cannot be read: %s", path, strerror(errno));
	for (struct dirent *e; d && !rc && (e = readdir(d));) {
		bool other_end = str_ends(str_of(e->d_name), ".yml");
		if (e->d_name[0] == '.' || (!other_end && !str_ends(str_of(e->d_name), ".yaml")))
			continue;
		if (other_end)
			rc = conf_bad(cx, v,
				"'%.200s/%.200s' would not be read: the file of a channel ends in .yaml",
				path, e->d_name);
		else if (n > CONF_CHANNELS_MAX)
			rc = conf_bad(cx, v, "more than %d files", CONF_CHANNELS_MAX);
		else
			names[n++] = x_asprintf("%s/%s", path, e->d_name);
	}
	if (d)
		(void)closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		if (!rc)
			rc = read_channel_file(cx, names[i]);
		free(names[i]);
	}
	free(path);
	return rc;
}

/* Pages are numbers, which begin with no 0; phones have a plus, whoever leaves it out means one. */
static bool is_page(const char *rule, size_t n)
{
	return strspn(rule, "0123456789") == n && rule[0] != '0' &&
		!(n == 11 && str_starts(str_of(rule), "84"));
}

/* What conf_trial_allows can match: an address (of a mailbox, a page, "oa:...", "+84..."), a domain behind @ or a dot, a beginning. */
static bool rule_matches_some(const char *rule)
{
	size_t n = strlen(rule);
	return n > 1 &&
		(rule[n - 1] == '*' || strchr("@.+", rule[0]) || strpbrk(rule, "@:") ||
			is_page(rule, n));
}

static int row_allow_only(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	const struct conf_strv *rules = dst;
	int rc = conf_row_strv(cx, v, dst, row);
	for (size_t i = 0; rc == 0 && i < rules->n; i++) {
		const char *r = rules->v[i];
		if (!rule_matches_some(r))
			rc = conf_bad(cx, v->kind == YN_LIST ? v->child[i] : v,
				"'%.100s' allows nobody: write an address, '@a.example' for the mailboxes of a domain, '.a.example' for those of its "
				"subdomains, or a beginning such as '+8491*' (whom trial is to reach without exception is mode: live)",
				r);
	}
	return rc;
}

/* What conf_own_domain can match: a host and all below it. */
static int row_own_domains(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	const struct conf_strv *domains = dst;
	int rc = conf_row_strv(cx, v, dst, row);
	for (size_t i = 0; rc == 0 && i < domains->n; i++) {
		const char *d = domains->v[i];
		if (strpbrk(d, "/:*@ ") || d[0] == '.' || str_ends(str_of(d), "."))
			rc = conf_bad(cx, v->kind == YN_LIST ? v->child[i] : v,
				"'%.100s' is no domain: write bhxh.example alone, which holds for all below it, too",
				d);
	}
	return rc;
}

static int row_public_assets(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	char *word = NULL;
	int rc = conf_row_str(cx, v, &word, row);
	if (!rc && strcmp(word, "serve") && strcmp(word, "push"))
		rc = conf_bad(cx, v,
			"'%s' is none of serve (under public_url) and push (by push_program)",
			word);
	if (!rc)
		*(bool *)dst = strcmp(word, "push") == 0;
	free(word);
	return rc;
}

#define TOP(k, r, f, lo, hi)                                                              \
	{                                                                                 \
		.key = k, .read = r, .at = offsetof(struct conf, f), .min = lo, .max = hi \
	}
static const struct conf_row top_rows[] = {
	TOP("timezone", row_zone, zone, 0, 0),
	TOP("state_dir", conf_row_path, state_dir, 0, 0),
	TOP("runtime_dir", conf_row_path, runtime_dir, 0, 0),
	TOP("socket", conf_row_path, socket_path, 0, 0),
	TOP("adapter_dir", conf_row_path, adapter_dir, 0, 0),
	TOP("key_file", conf_row_path, key_file, 0, 0),
	TOP("key_credential", conf_row_bool, key_credential, 0, 0),
	TOP("secret_key_file", conf_row_path, secret_key_file, 0, 0),
	TOP("token_mirror", conf_row_path, token_mirror, 0, 0),
	TOP("mode", row_mode, trial, 0, 0),
	TOP("allow_only", row_allow_only, allow_only, 0, 0),
	TOP("public_url", conf_row_url, public_url, 0, 0),
	TOP("public_assets", row_public_assets, push_assets, 0, 0),
	TOP("push_program", conf_row_strv, push_program, 0, 0),
	TOP("own_domains", row_own_domains, own_domains, 0, 0),
	TOP("link_check", row_link_check, link_proxy, 0, 0),
	TOP("listen_public", conf_row_listen, listen_public, 0, 0),
	TOP("listen_private", conf_row_listen, listen_private, 0, 0),
	TOP("log_level", row_level, log_level, 0, 0),
	TOP("people", row_people, people, 0, 0),
	TOP("approval", row_steps, steps, 0, 0),
	TOP("categories", conf_row_categories, category_rules, 0, 0),
	TOP("budgets", conf_row_budgets, budgets, 0, 0),
	TOP("routes", row_routes, routes, 0, 0),
	TOP("free_floor", conf_row_size, free_floor_bytes, 0, INT64_C(1) << 44),
	TOP("ballast", conf_row_size, ballast_bytes, 0, INT64_C(1) << 34),
	TOP("wal_max", conf_row_size, wal_max_bytes, 1 << 20, INT64_C(1) << 34),
	TOP("fence_after", conf_row_duration, fence_after_ms, 3600000, 366 * DAY),
	TOP("exchange_keep", conf_row_duration, exchange_keep_ms, 0, 3660 * DAY),
	TOP("growth_percent", conf_row_i64, growth_percent, 0, 1000),
	TOP("growth_count", conf_row_i64, growth_count, 0, 1000000),
	TOP("similar_days", conf_row_i64, similar_days, 0, 365),
	TOP("suppress_after", row_suppress, suppress, 0, 0),
	TOP("urgent_share", conf_row_share, urgent_share, 0, 0),
	TOP("channels_dir", row_channels_dir, channels, 0, 0),
};

static void conf_defaults(struct conf *c)
{
	c->zone = zone_vietnam();
	c->log_level = LOG_INFO;
	c->free_floor_bytes = INT64_C(512) << 20;
	c->ballast_bytes = INT64_C(64) << 20;
	c->wal_max_bytes = INT64_C(64) << 20;
	c->exchange_keep_ms = 90 * DAY;
	c->fence_after_ms = 7 * DAY;
	c->growth_percent = 5;
	c->growth_count = 20;
	c->similar_days = 7;
	c->suppress.hard = 1;
	c->suppress.hard_mailbox_off = 2;
	c->suppress.hard_mailbox_off_ms = 7 * DAY;
	c->suppress.domain = 3;
	c->suppress.domain_ms = 3 * DAY;
	c->suppress.soft = 5;
	c->suppress.soft_ms = 30 * DAY;
	c->urgent_share = 0.8;
}

static char *in_dir(const char *dir, const char *name)
{
	return x_asprintf("%s/%s", dir, name);
}

/* The next part of a path; "//" and "/./" are one slash. */
static struct str path_part(const char **at)
{
	const char *p = *at;
	while (*p == '/' || (*p == '.' && (p[1] == '/' || !p[1])))
		p++;
	struct str part = { p, strcspn(p, "/") };
	*at = p + part.n;
	return part;
}

/* By their names: what a link or ".." leads to is not looked at. */
static bool lies_in(const char *path, const char *dir)
{
	bool same = (*path == '/') == (*dir == '/');
	for (struct str d; same && (d = path_part(&dir)).n;)
		same = str_eq(d, path_part(&path));
	return same;
}

static int conf_fill(struct conf *c, struct err *e)
{
	if (!c->state_dir)
		c->state_dir = x_strdup("/var/lib/lantoa");
	if (!c->runtime_dir)
		c->runtime_dir = x_strdup("/run/lantoa");
	if (!c->socket_path)
		c->socket_path = in_dir(c->runtime_dir, "control.sock");
	if (!c->adapter_dir)
		c->adapter_dir = x_strdup("/usr/lib/lantoa/adapters");
	c->staging_dir = in_dir(c->state_dir, "staging");
	if (!c->steps) {
		c->steps = x_calloc(1, sizeof(*c->steps));
		c->steps[0] = (struct conf_step){ .name = x_strdup("approve"),
			.role = ROLE_APPROVER };
		c->n_steps = 1;
	}
	conf_money_default(c);
	if (c->key_file && c->key_credential)
		return err_set(e, -EINVAL,
			"%s: the master key comes from 'key_file' or from 'key_credential', not from both",
			c->path);
	if (!c->key_file && !c->key_credential)
		return err_set(e, -EINVAL,
			"%s: say where the master key is: 'key_file: PATH' (made by lantoad --make-key) or 'key_credential: yes'",
			c->path);
	if (c->listen_public && c->listen_private && !strcmp(c->listen_public, c->listen_private) &&
		!str_ends(str_of(c->listen_public), ":0"))
		return err_set(e, -EINVAL,
			"%s: listen_public and listen_private are both %s; each needs a port of its own",
			c->path, c->listen_public);
	struct sockaddr_un sock;
	if (strlen(c->socket_path) >= sizeof(sock.sun_path))
		return err_set(e, -EINVAL,
			"%s: the control socket '%.160s' has a path of %zu bytes, at most %zu can be; give 'socket' or 'runtime_dir' a shorter one",
			c->path, c->socket_path, strlen(c->socket_path), sizeof(sock.sun_path) - 1);
	if (c->secret_key_file && lies_in(c->secret_key_file, c->state_dir))
		return err_set(e, -EINVAL,
			"%s: secret_key_file '%s' lies in the state folder, beside what it seals; give it a folder of its own",
			c->path, c->secret_key_file);
	if (c->token_mirror && lies_in(c->token_mirror, c->state_dir))
		return err_set(e, -EINVAL,
			"%s: token_mirror '%s' lies in the state folder, and would be restored with what it is to outlive; give it a folder of its own",
			c->path, c->token_mirror);
	return 0;
}

/* Whoever names who may be contacted, and forgets the mode, would reach everybody. */
static int check_mode(struct conf_ctx *cx, const struct ynode *root)
{
	const struct ynode *only = ynode_get(root, "allow_only");
	if (!only || ynode_get(root, "mode"))
		return 0;
	return conf_bad(cx, only,
		"it holds in trial mode only, and without 'mode' it is live: say 'mode: trial', or 'mode: live' and everybody is contacted");
}

static int load(const char *path, struct conf **ret, size_t *unseen, struct err *e)
{
	CLEANUP(conf_unref) struct conf *c = x_calloc(1, sizeof(*c));
	CLEANUP(ynode_free) struct ynode *root = NULL;
	struct conf_ctx cx = { .file = path, .conf = c, .unseen = unseen, .e = e };
	c->magic = CONF_MAGIC;
	c->refs = 1;
	c->path = x_strdup(path);
	conf_defaults(c);
	int rc = read_file_tree(&cx, path, &root);
	if (!rc)
		rc = conf_read_map(&cx, root, top_rows, ARRAY_LEN(top_rows), c);
	if (!rc)
		rc = check_mode(&cx, root);
	if (!rc)
		rc = conf_fill(c, e);
	if (!rc)
		rc = conf_check_whole(&cx);
	if (!rc)
		rc = conf_money_check(&cx);
	if (!rc)
		rc = conf_backup_check(&cx);
	if (rc)
		return rc;
	*ret = MOVE(c);
	return 0;
}

int conf_load(const char *path, struct conf **ret, struct err *e)
{
	return load(path, ret, NULL, e);
}

int conf_load_by_hand(const char *path, struct conf **ret, size_t *ret_unseen, struct err *e)
{
	*ret_unseen = 0;
	return load(path, ret, ret_unseen, e);
}
