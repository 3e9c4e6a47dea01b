/* main_asset_push.c - public assets where nobody can reach us: a program of the agency puts each on its own portal and says where.
 * Thread: loop; the program on a worker, one at a time and among the long works: it may take all of its time, and nobody else shall wait
 * for it. Owns: what was pushed since the start, at most PUSHES_MAX, the oldest go first.
 * The address is used only after the portal has given back the same bytes. Failures: logged with the reason, tried again after a
 * minute; meanwhile whoever asks is told to come again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/child.h"
#include "base/log.h"
#include "main_app.h"
#include "store/store_asset.h"

#define PUSHES_MAX  2000
#define PUSH_MS     30000
#define AGAIN_MS    60000
#define GOOD_MS     (INT64_C(24) * 3600000) /* then it is pushed and looked at again */
#define URL_MAX     900
#define FETCH_SLACK 1

enum push_state { PUSH_RUNNING = 0, PUSH_READY = 1, PUSH_FAILED = 2 };
struct push {
	struct list node; /* app->pushes, oldest first */
	struct app *app;
	struct work work;
	struct asset_id id;
	enum push_state state;
	int64_t until_ms; /* monotonic: of ready and failed */
	int64_t bytes;
	int rc;
	struct conf *conf; /* a reference while it runs */
	char url[URL_MAX];
	struct err err;
};

static void push_end(struct push *p, int rc)
{
	char hex[HASH_HEX];
	conf_unref(MOVE(p->conf));
	p->state = rc ? PUSH_FAILED : PUSH_READY;
	p->until_ms = env_mono(p->app->env) + (rc ? AGAIN_MS : GOOD_MS);
	hash_hex(&p->id.hash, hex);
	if (rc)
		log_line(LOG_WARN, "ev=asset.push asset=%.16s why=%s continuing", hex,
			LOG_Q(str_of(p->err.text)));
	else
		log_line(LOG_INFO, "ev=asset.push asset=%.16s bytes=%lld url=%s", hex,
			(long long)p->bytes, LOG_Q(str_of(p->url)));
}

/* --- the program, on a worker ------------------------------------------------------------------------------------------------- */
static bool url_ok(struct str u, bool demo)
{
	if (!u.n || u.n >= URL_MAX || str_has_control(u))
		return false;
	for (size_t i = 0; i < u.n; i++)
		if (u.p[i] == ' ' || u.p[i] == '"' || (unsigned char)u.p[i] >= 0x80)
			return false;
	return str_starts(u, "https://") || (demo && str_starts(u, "http://127.0.0.1"));
}

static int push_run(struct push *p, int fd)
{
	const struct conf_strv *v = &p->conf->push_program;
	const char *argv[CONF_PUSH_MAX + 3], *type = p->id.type[0] ? p->id.type : "octet-stream";
	char name[HASH_HEX + 8], media[40];
	struct buf out CLEANUP_BUF;
	struct child c = {
		.argv = argv, .fd_in = fd, .deadline_ms = PUSH_MS, .out = &out, .cut = &p->app->cut
	};
	size_t n = 0;
	buf_init(&out, 4096);
	for (; n < v->n && n < CONF_PUSH_MAX; n++)
		argv[n] = v->v[n];
	hash_hex(&p->id.hash, name);
	if (p->id.type[0])
		(void)snprintf(name + HASH_HEX - 1, 8, ".%s", strcmp(type, "png") ? "jpg" : "png");
	(void)snprintf(
		media, sizeof(media), "%s/%s", p->id.type[0] ? "image" : "application", type);
	argv[n++] = name;
	argv[n++] = media;
	argv[n] = NULL;
	int rc = child_run(&c, &p->err);
	if (rc)
		return rc;
	if (c.status || c.signo)
		return err_set(&p->err, -EIO, "%s: status %d, signal %d: %.200s", argv[0], c.status,
			c.signo, c.said);
	struct str url = str_trim(buf_str(&out));
	if (!url_ok(url, store_is_demo(p->app->store)))
		return err_set(&p->err, -EINVAL,
			"%s: it has to print one https address and nothing else", argv[0]);
	(void)str_copy(p->url, sizeof(p->url), url);
	return 0;
}

static void push_work(struct work *w)
{
	struct push *p = CONTAINER_OF(w, struct push, work);
	int fd = -1;
	p->rc = store_asset_open(p->app->store, &p->id.hash, &fd, &p->bytes);
	if (p->rc) {
		err_set(&p->err, p->rc, "the asset's file cannot be opened");
		return;
	}
	p->rc = push_run(p, fd);
	(void)close(fd);
}

/* --- the same bytes from outside ------------------------------------------------------------------------------------------------ */
static void push_fetched(void *ctx, const struct net_http_res *r)
{
	struct push *p = ctx;
	struct hash have;
	if (r->phase != NET_ANSWERED || r->status != 200) {
		push_end(p,
			err_set(&p->err, -EIO, "%.300s answers %d " STR_FMT, p->url, (int)r->status,
				STR_ARG(r->error)));
		return;
	}
	hash_bytes(&have, r->body.p, r->body.n);
	if (r->truncated || hash_cmp(&have, &p->id.hash) != 0)
		push_end(p,
			err_set(&p->err, -EBADMSG, "%.300s gives other bytes than were pushed",
				p->url));
	else
		push_end(p, 0);
}

static void push_done(struct work *w)
{
	struct push *p = CONTAINER_OF(w, struct push, work);
	struct net_call *call;
	p->app->pushing = false;
	app_reader_over(p->app);
	if (p->rc || p->app->stopping) {
		push_end(p, p->rc ? p->rc : err_set(&p->err, -ECANCELED, "stopping"));
		return;
	}
	struct net_http_req req = { .method = STR("GET"),
		.url = str_of(p->url),
		.answer_max = (size_t)p->bytes + FETCH_SLACK,
		.connect_ms = 10000,
		.total_ms = 60000,
		.done = push_fetched,
		.ctx = p };
	int rc = net_http(p->app->net, &req, &call);
	if (rc)
		push_end(p, err_set(&p->err, rc, "%.300s cannot be asked", p->url));
}

/* --- life ----------------------------------------------------------------------------------------------------------------------- */
static void push_begin(struct push *p)
{
	p->state = PUSH_RUNNING;
	p->conf = conf_ref(p->app->conf);
	p->err = (struct err){ 0 };
	p->work = (struct work){ .fn = push_work, .done = push_done, .weight = WORK_BULK };
	p->app->pushing = true;
	app_reader_began(p->app);
	env_work(p->app->env, &p->work);
}

static struct push *push_new(struct app *a, const struct asset_id *id)
{
	if (!a->pushes.next)
		list_init(&a->pushes);
	if (a->n_pushes == PUSHES_MAX) {
		struct push *old = CONTAINER_OF(a->pushes.next, struct push, node);
		if (old->state == PUSH_RUNNING)
			return NULL;
		list_del(&old->node);
		free(old);
		a->n_pushes--;
	}
	struct push *p = x_calloc(1, sizeof(*p));
	p->app = a;
	p->id = *id;
	list_push(&a->pushes, &p->node);
	a->n_pushes++;
	return p;
}

int app_push_url(struct app *a, const struct asset_id *id, char *dst, size_t size)
{
	struct push *p = NULL;
	for (struct list *n = a->pushes.next; n && n != &a->pushes && !p; n = n->next) {
		struct push *x = CONTAINER_OF(n, struct push, node);
		p = hash_cmp(&x->id.hash, &id->hash) == 0 ? x : NULL;
	}
	bool over = p && p->state != PUSH_RUNNING && env_mono(a->env) >= p->until_ms;
	if (p && p->state == PUSH_READY && !over)
		return str_copy(dst, size, str_of(p->url)) ? 0 : -E2BIG;
	if (a->stopping || a->pushing || (!p && !(p = push_new(a, id))))
		return -EAGAIN;
	if (over || (p->state == PUSH_RUNNING && !p->conf))
		push_begin(p);
	return -EAGAIN;
}

void app_pushes_free(struct app *a)
{
	while (a->pushes.next && !list_empty(&a->pushes)) {
		struct push *p = CONTAINER_OF(a->pushes.next, struct push, node);
		list_del(&p->node);
		conf_unref(p->conf);
		free(p);
	}
}
