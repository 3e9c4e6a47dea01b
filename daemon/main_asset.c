/* main_asset.c - pictures: the helper that fits them, and assets under the public address /a/TOKEN. Loop thread; files on workers.
 * A token holds the asset's hash, the hour of its end and a MAC over both under a key outside the database: no table, nothing to
 * guess, and nothing but assets can be named. Failures: forged, expired, unknown are all 404; the token is never logged.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "api/api.h"
#include "base/assert.h"
#include "base/log.h"
#include "content/image_head.h"
#include "content/rendition.h"
#include "main_app.h"
#include "store/store_asset.h"

#define HOUR_MS   INT64_C(3600000)
#define MAC_BYTES 16
#define RAW_BYTES (4 + HASH_LEN + MAC_BYTES)
#define SNIFF     4096
#define PROBE     "lantoa public assets\n" /* what the token of no asset (all zero) is answered with */

/* --- the helper ------------------------------------------------------------------------------------------------------------- */
/* lantoa-image lies beside the folder of the adapters: /usr/lib/lantoa. */
void app_renditions_open(struct app *a)
{
	const char *dir = a->conf->adapter_dir, *end = dir + strlen(dir);
	while (end > dir + 1 && end[-1] == '/')
		end--;
	while (end > dir && end[-1] != '/')
		end--;
	char *folder = x_strndup(dir, (size_t)(end - dir)),
	     *path = x_asprintf("%slantoa-image", folder);
	a->renditions = renditions_new(path);
	free(path);
	free(folder);
}

void app_renditions_close(struct app *a)
{
	renditions_free(MOVE(a->renditions));
}

/* --- tokens ------------------------------------------------------------------------------------------------------------------ */
static void token_mac(const struct app *a, const uint8_t *raw, struct str ending, struct hash *ret)
{
	struct hasher h;
	mac_init(&h, store_keys(a->store), KEY_ASSET_URL);
	hasher_field(&h, "asset-url-1", 11);
	hasher_field(&h, raw, 4 + HASH_LEN);
	hasher_field(&h, ending.p, ending.n);
	mac_end(&h, ret);
}

/* The end is a full hour: one asset keeps one address for a while, which caches and retries like. */
static void token_write(const struct app *a, const struct asset_id *id, const char *ending,
	int64_t until_ms, char *dst, size_t size)
{
	uint8_t raw[RAW_BYTES];
	char text[2 * RAW_BYTES];
	struct hash mac;
	uint32_t hour = (uint32_t)((until_ms + HOUR_MS - 1) / HOUR_MS);
	for (int i = 0; i < 4; i++)
		raw[i] = (uint8_t)(hour >> (24 - 8 * i));
	memcpy(raw + 4, id->hash.b, HASH_LEN);
	token_mac(a, raw, str_of(ending), &mac);
	memcpy(raw + 4 + HASH_LEN, mac.b, MAC_BYTES);
	REQUIRE(base32_encode(text, sizeof(text), raw, sizeof(raw)) > 0);
	(void)snprintf(dst, size, "%s%s", text, ending);
}

static int token_read(struct app *a, struct str token, struct hash *ret, int64_t *ret_until_ms)
{
	uint8_t raw[RAW_BYTES + 8];
	size_t n = 0, at = 0;
	struct hash mac, given = { 0 };
	while (at < token.n && token.p[at] != '.')
		at++;
	struct str body = { token.p, at }, ending = { token.p + at, token.n - at };
	if (base32_decode(body, raw, sizeof(raw), &n) || n != RAW_BYTES)
		return -ENOENT;
	token_mac(a, raw, ending, &mac);
	memcpy(given.b, raw + 4 + HASH_LEN, MAC_BYTES);
	memset(mac.b + MAC_BYTES, 0, HASH_LEN - MAC_BYTES);
	uint32_t hour = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 |
		raw[3];
	if (hash_cmp(&mac, &given) != 0 || env_wall(a->env) >= (int64_t)hour * HOUR_MS)
		return -ENOENT;
	memcpy(ret->b, raw + 4, HASH_LEN);
	*ret_until_ms = (int64_t)hour * HOUR_MS;
	return 0;
}

/* Pure: any thread, with a configuration that the caller holds. */
int app_link_url(void *app, const struct conf *conf, const struct asset_id *id, const char *ending,
	int64_t until_ms, char *dst, size_t size)
{
	char token[2 * RAW_BYTES + 8];
	const char *base = conf->public_url;
	if (!base || conf->push_assets)
		return -ENOENT;
	size_t n = strlen(base);
	while (n && base[n - 1] == '/')
		n--;
	token_write(app, id, ending, until_ms, token, sizeof(token));
	int len = snprintf(dst, size, "%.*s/a/%s", (int)n, base, token);
	return len > 0 && (size_t)len < size ? 0 : -E2BIG;
}

static int serve_url(
	struct app *a, const struct asset_id *id, int64_t lives_ms, char *dst, size_t size)
{
	const char *ending = !id->type[0] ? "" : strcmp(id->type, "png") ? ".jpg" : ".png";
	return app_link_url(a, a->conf, id, ending, env_wall(a->env) + lives_ms, dst, size);
}

int app_asset_url(void *app, const struct asset_id *id, int64_t lives_ms, char *dst, size_t size)
{
	struct app *a = app;
	return a->conf->push_assets ? app_push_url(a, id, dst, size)
				    : serve_url(a, id, lives_ms, dst, size);
}

/* --- serving ----------------------------------------------------------------------------------------------------------------- */
struct serving {
	struct work work;
	struct app *app;
	struct api_call *call;
	struct hash hash;
	int64_t until_ms, bytes;
	int fd, rc;
	enum media_type type;
};

static void serving_open(struct work *w)
{
	struct serving *s = CONTAINER_OF(w, struct serving, work);
	struct image_head head;
	char first[SNIFF];
	s->rc = store_asset_open(s->app->store, &s->hash, &s->fd, &s->bytes);
	if (s->rc)
		return;
	ssize_t n = pread(s->fd, first, sizeof(first), 0);
	image_head_read((struct str){ first, n > 0 ? (size_t)n : 0 }, &head);
	s->type = head.type;
}

static void serving_done(struct work *w)
{
	struct serving *s = CONTAINER_OF(w, struct serving, work);
	char text[120], hex[HASH_HEX];
	app_reader_over(s->app);
	if (s->rc) {
		api_answer(s->call, 404, NULL, STR("not found\n"));
		free(s);
		return;
	}
	int64_t left = (s->until_ms - env_wall(s->app->env)) / 1000;
	hash_hex(&s->hash, hex);
	(void)snprintf(text, sizeof(text), "public, max-age=%lld, immutable",
		(long long)(left > 0 ? left : 0));
	api_answer_header(s->call, "Cache-Control", str_of(text));
	(void)snprintf(text, sizeof(text), "\"%s\"", hex);
	api_answer_header(s->call, "ETag", str_of(text));
	api_answer_header(s->call, "Content-Security-Policy", STR("default-src 'none'"));
	if (!media_is_picture(s->type))
		api_answer_header(s->call, "Content-Disposition", STR("attachment"));
	const char *type = s->type == MEDIA_UNKNOWN ? "application/octet-stream"
						    : media_type_name(s->type);
	api_answer_file(s->call, s->fd, (uint64_t)s->bytes, type);
	free(s);
}

void app_asset_serve(void *app, struct str token, struct api_call *call)
{
	struct app *a = app;
	struct serving *s = x_calloc(1, sizeof(*s));
	*s = (struct serving){ .work = { .fn = serving_open, .done = serving_done },
		.app = a,
		.call = call,
		.fd = -1 };
	if (token_read(a, token, &s->hash, &s->until_ms)) {
		free(s);
		api_answer(call, 404, NULL, STR("not found\n"));
		return;
	}
	if (hash_cmp(&s->hash, &(struct hash){ 0 }) == 0) {
		free(s);
		api_answer_header(call, "Cache-Control", STR("no-store"));
		api_answer(call, 200, NULL, STR(PROBE));
		return;
	}
	app_reader_began(a);
	env_work(a->env, &s->work);
}

/* --- is it reached? ------------------------------------------------------------------------------------------------------------ */
struct probing {
	struct conf *conf; /* what its profile points into */
	struct net_profile profile;
	void (*done)(void *ctx, bool ok, const char *url, const char *text);
	void *ctx;
	struct task task; /* when it could not be asked */
	char url[300];
};

static void on_probe(void *ctx, const struct net_http_res *r)
{
	struct probing *p = ctx;
	char text[400];
	bool ok = r->phase == NET_ANSWERED && r->status == 200 && str_eqz(r->body, PROBE);
	if (ok)
		(void)snprintf(text, sizeof(text),
			"pictures are reached under it, seen from this machine");
	else if (r->phase == NET_ANSWERED)
		(void)snprintf(text, sizeof(text),
			"answers %d, but not with our page: the proxy has to hand /a/ on to listen_public",
			(int)r->status);
	else
		(void)snprintf(text, sizeof(text), "does not answer: " STR_FMT, STR_ARG(r->error));
	p->done(p->ctx, ok, p->url, text);
	conf_unref(p->conf);
	free(p);
}

static void on_not_asked(struct task *t)
{
	struct probing *p = CONTAINER_OF(t, struct probing, task);
	p->done(p->ctx, false, p->url, "cannot be asked: it is no http or https address");
	conf_unref(p->conf);
	free(p);
}

bool app_public_check(
	void *app, void (*done)(void *ctx, bool ok, const char *url, const char *text), void *ctx)
{
	struct app *a = app;
	char url[600];
	struct net_call *call;
	const struct asset_id none = { 0 };
	if (!a->conf->public_url || a->conf->push_assets ||
		serve_url(a, &none, HOUR_MS, url, sizeof(url)))
		return false;
	struct probing *p = x_calloc(1, sizeof(*p));
	p->conf = conf_ref(a->conf);
	p->profile = app_link_profile(p->conf);
	p->done = done;
	p->ctx = ctx;
	(void)str_copy(p->url, sizeof(p->url), str_of(a->conf->public_url));
	struct net_http_req req = { .method = STR("GET"),
		.url = str_of(url),
		.answer_max = SNIFF,
		.connect_ms = 5000,
		.total_ms = 15000,
		.profile = &p->profile,
		.done = on_probe,
		.ctx = p };
	if (net_http(a->net, &req, &call)) {
		task_init(&p->task, on_not_asked);
		env_defer(a->env, &p->task);
	}
	return true;
}
