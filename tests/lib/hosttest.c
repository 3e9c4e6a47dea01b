/* hosttest.c - the host under test and its recording user. See hosttest.h. */
#include "hosttest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "base/file.h"
#include "tmpdir.h"

static struct ht_op *of(struct chan_op *op)
{
	return (struct ht_op *)(void *)op;
}

static void on_done(void *ctx, struct chan_op *op, const struct chan_result *r)
{
	struct ht_op *o = of(op);
	struct ht *t = ctx;

	t->strays += o->done != 0;
	o->done++;
	o->outcome = r->outcome;
	o->scope = r->scope;
	o->flags = r->flags;
	o->retry_after_ms = r->retry_after_ms;
	o->revoked = r->revoked;
	o->by_host = r->by_host;
	o->done_at = t->te.mono;
	o->n_ids = r->n_ids;
	(void)str_copy(o->code, sizeof(o->code), r->code);
	(void)str_copy(o->text, sizeof(o->text), r->text);
	if (r->n_ids != 0)
		(void)str_copy(
			o->id, sizeof(o->id), (struct str){ r->ids[0].id.p, r->ids[0].id.n });
}

static void on_intent(void *ctx, struct chan_op *op, struct str step, bool repeatable)
{
	struct ht_op *o = of(op);
	struct ht *t = ctx;

	(void)repeatable;
	o->intents++;
	(void)str_copy(o->step, sizeof(o->step), step);
	o->intent_waits = t->go == HT_WAIT;
	if (t->go != HT_WAIT)
		channel_op_go(op, t->go == HT_AUTO);
}

static void on_save(
	void *ctx, struct chan_op *op, struct str name, struct str value, uint64_t ticket)
{
	struct ht_op *o = of(op);
	struct ht *t = ctx;

	o->saves++;
	(void)snprintf(o->saved, sizeof(o->saved), "%.20s=%.30s", name.p, value.p ? value.p : "");
	o->save_ticket = ticket;
	if (t->save != HT_WAIT)
		channel_saved(t->cs, ticket, t->save == HT_AUTO ? 0 : -EIO);
}

static void on_credits(void *ctx, struct chan_account *a, uint32_t can_take)
{
	struct ht *t = ctx;

	if (a != t->acct && t->acct != NULL)
		return;
	t->credits = can_take;
	t->credits_told++;
}

static void on_rate(void *ctx, struct chan_account *a, struct chan_op *op, const struct lt_rate *r)
{
	struct ht *t = ctx;

	(void)a;
	(void)r;
	t->rates++;
	t->rate_had_op = op != NULL;
}

static void on_receipt(void *ctx, struct channel *c, struct chan_account *a,
	const struct lt_receipt *r, uint64_t ticket)
{
	struct ht *t = ctx;

	(void)c;
	(void)a;
	if (t->n_receipts < HT_RECEIPTS_MAX) {
		struct ht_receipt *x = &t->receipts[t->n_receipts++];
		*x = (struct ht_receipt){
			.state = r->state, .attempt = r->attempt, .ticket = ticket
		};
		(void)str_copy(x->ref, sizeof(x->ref), (struct str){ r->ref.p, r->ref.n });
		(void)str_copy(x->code, sizeof(x->code), (struct str){ r->code.p, r->code.n });
		if (r->n_ids != 0)
			(void)str_copy(
				x->id, sizeof(x->id), (struct str){ r->ids[0].p, r->ids[0].n });
	}
	if (t->receipt != HT_WAIT)
		channel_saved(t->cs, ticket, t->receipt == HT_AUTO ? 0 : -EIO);
}

static void on_inbound(void *ctx, struct channel *c, struct chan_account *a,
	const struct lt_inbound *in, uint64_t ticket)
{
	struct ht *t = ctx;

	(void)c;
	(void)a;
	(void)in;
	t->inbounds++;
	channel_saved(t->cs, ticket, 0);
}

static void on_stat(
	void *ctx, struct chan_account *a, uint64_t delivery, struct str name, int64_t value)
{
	struct ht *t = ctx;

	(void)a;
	(void)delivery;
	(void)name;
	(void)value;
	t->stats++;
}

static void on_trace(void *ctx, struct chan_op *op, bool outward, struct str bytes)
{
	struct ht *t = ctx;

	(void)op;
	(void)outward;
	t->traces++;
	(void)str_copy(t->trace_last, sizeof(t->trace_last), bytes);
}

static void on_trouble(void *ctx, struct chan_account *a, int scope, struct str code,
	struct str text, int64_t retry_after_ms)
{
	struct ht *t = ctx;

	(void)a;
	(void)retry_after_ms;
	t->troubles++;
	t->trouble_scope = scope;
	(void)str_copy(t->trouble_code, sizeof(t->trouble_code), code);
	(void)str_copy(t->trouble_text, sizeof(t->trouble_text), text);
}

static int on_secret_get(void *ctx, const char *channel, const char *credential, const char *name,
	struct secret **ret, uint64_t *ret_version)
{
	const struct ht *t = ctx;

	(void)channel;
	(void)credential;
	if (t->secret_version == 0 || strcmp(name, "oa") != 0)
		return -ENOENT;
	*ret = secret_new(str_of(t->secret));
	*ret_version = t->secret_version;
	return *ret != NULL ? 0 : -ENOMEM;
}

static void on_secret_put(void *ctx, struct channel *c, const char *credential,
	const struct lt_pair *set, size_t n, int64_t expires_ms, uint64_t ticket)
{
	struct ht *t = ctx;

	(void)c;
	(void)credential;
	(void)expires_ms;
	t->secret_puts++;
	if (n != 0)
		(void)str_copy(t->secret, sizeof(t->secret),
			(struct str){ set[0].value.p, set[0].value.n });
	t->secret_version++;
	channel_saved(t->cs, ticket, 0);
}

static void on_refresh(void *ctx, struct channel *c, const char *credential, uint64_t ticket)
{
	struct ht *t = ctx;

	(void)c;
	(void)credential;
	t->refreshes++;
	t->refresh_ticket = ticket;
	if (t->refresh != HT_WAIT)
		channel_saved(t->cs, ticket, t->refresh == HT_AUTO ? 0 : -EIO);
}

static void on_refresh_over(
	void *ctx, struct channel *c, const char *credential, const struct chan_result *r)
{
	struct ht *t = ctx;

	(void)c;
	(void)credential;
	t->refreshes_over++;
	t->over_outcome = r->outcome;
}

struct ht *ht_new(void)
{
	struct ht *t = x_calloc(1, sizeof(*t));

	REQUIRE(crypt_init() == 0);
	testenv_init(&t->te, 7);
	t->fn = fakenet_new(&t->te.env);
	t->dir = tmpdir_new();
	return t;
}

static void put(const char *path, const char *text)
{
	struct err e;

	REQUIRE(file_write_durable(path, str_of(text), 0600, &e) == 0);
}

int ht_conf(struct ht *t, const struct ht_opts *o, struct err *e)
{
	char *top = x_asprintf("timezone: Asia/Ho_Chi_Minh\nkey_file: master.key\nmode: trial\n"
			       "allow_only: [\"@a.example\"]\nadapter_dir: %s\n"
			       "people:\n  - {name: B, user: b, roles: [editor, viewer]}\n"
			       "routes: {%s: chan/main}\nchannels_dir: ch\n",
		o->adapter_dir != NULL ? o->adapter_dir : t->dir,
		o->kind != NULL ? o->kind : "email");
	char *chan = x_asprintf("name: chan\nkind: %s\nadapter: %s\n%s",
		o->kind != NULL ? o->kind : "email", o->adapter,
		o->channel_yaml != NULL ? o->channel_yaml : "accounts: [{name: main}]\n");
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/ch", t->dir);
	REQUIRE(dir_make(path, 0700, e) == 0);
	put(tmpdir_path(t->dir, "lantoad.yaml"), top);
	(void)snprintf(path, sizeof(path), "%s/ch/chan.yaml", t->dir);
	put(path, chan);
	free(top);
	free(chan);
	(void)snprintf(path, sizeof(path), "%s/lantoad.yaml", t->dir);
	conf_unref(t->conf);
	t->conf = NULL;
	return conf_load(path, &t->conf, e);
}

int ht_load(struct ht *t, const struct ht_opts *o, struct err *e)
{
	char assets[600];
	int rc = ht_conf(t, o, e);

	if (rc != 0)
		return rc;
	(void)snprintf(assets, sizeof(assets), "%s/assets", t->dir);
	struct channel_events ev = { .ctx = t,
		.op_done = on_done,
		.op_intent = on_intent,
		.op_save = on_save,
		.credits = on_credits,
		.rate = on_rate,
		.receipt = on_receipt,
		.inbound = on_inbound,
		.stat = on_stat,
		.trace = on_trace,
		.secret_put = on_secret_put,
		.refresh_intent = on_refresh,
		.refresh_over = on_refresh_over,
		.account_trouble = on_trouble };
	struct channels_opts co = { .env = &t->te.env,
		.net = &t->fn->net,
		.assets_dir = assets,
		.events = &ev,
		.secret_get = on_secret_get,
		.secret_ctx = t,
		.loopback_only = o->loopback_only };
	rc = channels_read(t->conf, true, &t->cs, e);
	if (rc != 0)
		return rc;
	channels_bind(t->cs, &co);
	rc = channels_open(t->cs, SIZE_MAX, e);
	if (rc != 0)
		return rc;
	t->ch = channels_find(t->cs, "chan");
	t->acct = channel_account(t->ch, "main");
	return 0;
}

static void on_closed(void *ctx)
{
	((struct ht *)ctx)->closed++;
}

void ht_close(struct ht *t, int64_t drain_ms)
{
	channels_close(t->cs, t->te.mono + drain_ms, on_closed, t);
}

int ht_free(struct ht *t)
{
	int left = 0;

	if (t->cs != NULL) {
		if (t->closed == 0)
			ht_close(t, 0);
		for (int i = 0; i < 100 && t->closed == 0; i++)
			testenv_advance(&t->te, 1000);
		left = t->closed == 1 && ht_all_done_once(t) ? 0 : 1;
		if (t->closed == 1)
			channels_free(t->cs);
	}
	testenv_settle(&t->te);
	fakenet_free(t->fn);
	testenv_done(&t->te);
	conf_unref(t->conf);
	for (size_t i = 0; i < t->n_ops; i++)
		free(t->ops[i]);
	free(t->ops);
	tmpdir_remove(t->dir);
	free(t);
	return left;
}

struct ht_op *ht_op(struct ht *t, const char *address, const char *body)
{
	struct ht_op *o = x_calloc(1, sizeof(*o));

	if ((t->n_ops & (t->n_ops - 1)) == 0)
		t->ops = x_realloc(
			t->ops, t->n_ops != 0 ? t->n_ops * 2 : 1, sizeof(struct ht_op *));
	t->ops[t->n_ops++] = o;
	o->t = t;
	(void)snprintf(o->address, sizeof(o->address), "%s", address);
	(void)snprintf(o->ref, sizeof(o->ref), "ref-%zu", t->n_ops);
	o->src[0] = (struct lt_src){ .bytes = { body, strlen(body) } };
	o->payload = (struct payload){ .src = o->src, .n = 1, .bytes = strlen(body) };
	o->op = (struct chan_op){ .delivery = t->n_ops,
		.attempt = 1000 + t->n_ops,
		.try_no = 1,
		.ref = str_of(o->ref),
		.address = str_of(o->address),
		.payload = &o->payload,
		.kind = LT_J_OP,
		.deadline_mono_ms = t->te.mono + 60000,
		.since_wall_ms = t->te.wall };
	o->outcome = -1;
	return o;
}

int ht_start(struct ht *t, struct ht_op **ops, size_t n)
{
	struct chan_op **list = x_calloc(n, sizeof(struct chan_op *));

	for (size_t i = 0; i < n; i++)
		list[i] = &ops[i]->op;
	int rc = channel_start(t->acct, list, n);
	free(list);
	for (size_t i = 0; i < n && rc != 0; i++)
		ops[i]->done = -1; /* never under way */
	return rc;
}

struct ht_op *ht_send(struct ht *t, const char *address, const char *body)
{
	struct ht_op *o = ht_op(t, address, body);

	return ht_start(t, &o, 1) == 0 ? o : NULL;
}

size_t ht_done_count(const struct ht *t, int outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_ops; i++)
		n += t->ops[i]->done > 0 && (outcome < 0 || t->ops[i]->outcome == outcome);
	return n;
}

bool ht_all_done_once(const struct ht *t)
{
	for (size_t i = 0; i < t->n_ops; i++)
		if (t->ops[i]->done != 1 && t->ops[i]->done != -1)
			return false;
	return t->strays == 0;
}

void ht_turn(struct ht *t)
{
	testenv_settle(&t->te);
}

void ht_wait(struct ht *t, int64_t ms)
{
	testenv_advance(&t->te, ms);
}

int ht_build(const char *dir, const char *name, const char *src, const char *const *opts)
{
	char out[600];
	int status = -1;

	(void)snprintf(out, sizeof(out), "%s/%s.so", dir, name);
	pid_t pid = fork();
	if (pid == 0) {
		const char *argv[16] = { "cc", "-shared", "-fPIC", "-Iinclude", "-o", out, src };
		for (size_t i = 0; opts != NULL && opts[i] != NULL && i < 8; i++)
			argv[7 + i] = opts[i];
		(void)execvp("cc", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *ht_adapters(void)
{
	static char path[4200];
	const char *b = getenv("B");
	char self[4096];

	if (b != NULL && b[0] != 0) {
		char *full = realpath(b, NULL);
		(void)snprintf(path, sizeof(path), "%s/adapters", full != NULL ? full : b);
		free(full);
		return path;
	}
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = 0;
	char *at = strstr(self, "/tests/");
	for (char *next = at; next != NULL; next = strstr(next + 1, "/tests/"))
		at = next;
	if (at != NULL)
		*at = 0;
	(void)snprintf(path, sizeof(path), "%s/adapters", self);
	return path;
}

void ht_asset(struct ht *t, const void *bytes, size_t n, char *ret_hex)
{
	struct hash h;
	struct err e;
	char path[600], folder[600], root[600];

	hash_bytes(&h, bytes, n);
	hash_hex(&h, ret_hex);
	(void)snprintf(root, sizeof(root), "%s/assets", t->dir);
	asset_path(path, sizeof(path), root, &h);
	(void)snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = 0;
	REQUIRE(dir_make(folder, 0700, &e) == 0);
	REQUIRE(file_write_durable(path, (struct str){ bytes, n }, 0600, &e) == 0);
}
