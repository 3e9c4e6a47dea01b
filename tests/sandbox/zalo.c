/* zalo.c - the imitated Zalo: configuration, routing, what all calls share.
 * Script and ctl: {"app_id","app_secret","oa_secret","oas":["ID",...],"groups":[{"id","oa"}], knobs}; ctl word "zalo" takes the same
 * and {"show":true}, {"oa":{"id":..., "casts_left":0, "disabled":true, ...}}, {"hook":{"url","event":{...},"how":""}},
 * {"console":{"oa","title","shown"}}, {"group":{"id","error"}}, {"user":{"id","ago_ms"}},
 * {"article":{"oa","title"}} answers with its body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "zalo.h"

static struct zalo_sb *the; /* one a program: closed by zalo_close */

int64_t zl_now(const struct zalo_sb *z)
{
	return sb_now_ms() + z->clock_off_ms;
}

void zl_id(struct zalo_sb *z, const char *prefix, char *dst, size_t size)
{
	uint64_t r = ++z->ids * 0x9e3779b97f4a7c15u;

	(void)snprintf(dst, size, "%s%012llx%04llx", prefix,
		(unsigned long long)(r >> 16 & 0xffffffffffffu),
		(unsigned long long)(z->ids & 0xffffu));
}

void zl_hash(struct str bytes, char hex[65])
{
	struct hash h;

	hash_bytes(&h, bytes.p, bytes.n);
	hash_hex(&h, hex);
}

size_t zl_chars(const char *p)
{
	size_t n = 0;

	for (; *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

struct zl_oa *zl_oa_find(struct zalo_sb *z, struct str id)
{
	for (size_t i = 0; i < z->n_oa; i++)
		if (str_eqz(id, z->oa[i].id))
			return &z->oa[i];
	return NULL;
}

cJSON *zl_ledger(const struct zl_oa *oa, const char *kind)
{
	cJSON *o = json_obj();

	json_put_z(o, "t", "zalo");
	json_put_z(o, "kind", kind);
	json_put_z(o, "oa", oa ? oa->id : NULL);
	return o;
}

void zl_ledger_end(struct zalo_sb *z, cJSON *line)
{
	z->s->taken++;
	sb_ledger_json(z->s, line);
}

void zl_violation(struct zalo_sb *z, const struct zl_oa *oa, const char *what, const char *of)
{
	cJSON *o = zl_ledger(oa, "violation");

	z->violations++;
	json_put_z(o, "what", what);
	json_put_z(o, "of", of);
	sb_ledger_json(z->s, o);
}

void zl_say(struct zalo_sb *z, struct sb_req *q, int64_t error, const char *text, cJSON *data)
{
	cJSON *o = json_obj();
	char quoted[24];

	if (data)
		json_put(o, "data", data);
	(void)snprintf(quoted, sizeof(quoted), "%lld", (long long)error);
	if (z->quoted && error)
		json_put_z(o, "error", quoted);
	else
		json_put_i64(o, "error", error);
	if (!z->no_message)
		json_put_z(o, "message", error ? text : "Success");
	sb_res_json(q, error == -209 ? 404 : 200, o);
}

/* Tokens and keys have their places in headers and bodies; an address stands in logs of everybody on the way. */
static void look_for_secrets(struct zalo_sb *z, const struct sb_req *q)
{
	const char *const marks[] = { "AT-", "RT-", z->app_secret, z->oa_secret };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i][0] && memmem(q->target.p, q->target.n, marks[i], strlen(marks[i])))
			zl_violation(z, NULL, "secret in an address", marks[i]);
}

/* Every answer says what is left of the minute. */
static bool over_rate(struct zalo_sb *z, struct sb_req *q)
{
	int64_t minute = sb_now_ms() / 60000;
	char n[24];

	if (z->rate_limit <= 0)
		return false;
	if (minute != z->rate_minute)
		z->rate_used = 0;
	z->rate_minute = minute;
	bool over = z->rate_used >= z->rate_limit;
	z->rate_used += !over;
	(void)snprintf(n, sizeof(n), "%lld", (long long)z->rate_limit);
	sb_res_header(q, "X-RateLimit-Limit", n);
	(void)snprintf(n, sizeof(n), "%lld", (long long)(z->rate_limit - z->rate_used));
	sb_res_header(q, "X-RateLimit-Remain", n);
	if (over)
		zl_say(z, q, -32, "App has reached its limit of calls", NULL);
	return over;
}

static void on_request(void *ctx, struct sb_req *q)
{
	struct zalo_sb *z = ctx;
	bool zns = str_starts(q->path, "/message/") || str_starts(q->path, "/template/");

	z->calls++;
	look_for_secrets(z, q);
	if (z->delay_ms > 0)
		sb_res_delay(q, z->delay_ms);
	if (zl_oauth(z, q) || over_rate(z, q))
		return;
	struct zl_oa *oa = zl_access(z, q, zns);
	if (!oa)
		return;
	if (zl_articles(z, oa, q) || zl_messages(z, oa, q) || zl_zns(z, oa, q))
		return;
	zl_say(z, q, -209, "This api is not supported", NULL);
}

/* --- configuration ------------------------------------------------------------------------------------------------------------ */
static struct zl_oa *oa_add(struct zalo_sb *z, struct str id)
{
	struct zl_oa *oa = zl_oa_find(z, id);

	if (oa || z->n_oa == ZL_OAS_MAX)
		return oa;
	oa = &z->oa[z->n_oa++];
	*oa = (struct zl_oa){ .followers = 1000 + (int64_t)z->n_oa,
		.casts_left = z->casts_left,
		.casts_day_left = 1000000,
		.uploads_left = 5000,
		.zns_left = 1000000,
		.articles_left = 1000000 };
	(void)str_copy(oa->id, sizeof(oa->id), id);
	return oa;
}

static void oa_set(struct zl_oa *oa, const cJSON *in)
{
	oa->casts_left = json_i64(in, "casts_left", oa->casts_left);
	oa->casts_day_left = json_i64(in, "casts_day_left", oa->casts_day_left);
	oa->uploads_left = json_i64(in, "uploads_left", oa->uploads_left);
	oa->zns_left = json_i64(in, "zns_left", oa->zns_left);
	oa->articles_left = json_i64(in, "articles_left", oa->articles_left);
	oa->followers = json_i64(in, "followers", oa->followers);
	oa->disabled = json_bool(in, "disabled", oa->disabled);
	oa->no_right = json_bool(in, "no_right", oa->no_right);
	oa->unverified = json_bool(in, "unverified", oa->unverified);
	if (json_bool(in, "expire", false))
		oa->access_expires_ms = 0;
}

static void put(char *dst, size_t size, const cJSON *in, const char *key)
{
	struct str v = json_str(in, key);

	if (v.p)
		(void)str_copy(dst, size, v);
}

static void knobs(struct zalo_sb *z, const cJSON *in)
{
	z->casts_left = json_i64(in, "casts_left", z->casts_left);
	z->life_ms = json_i64(in, "life_ms", z->life_ms);
	z->expires_in = json_i64(in, "expires_in", z->expires_in);
	z->polls = json_i64(in, "polls", z->polls);
	z->delay_ms = json_i64(in, "delay_ms", z->delay_ms);
	z->receipts_ms = json_i64(in, "receipts_ms", z->receipts_ms);
	z->clock_off_ms = json_i64(in, "clock_off_ms", z->clock_off_ms);
	z->upload_life_ms = json_i64(in, "upload_life_ms", z->upload_life_ms);
	z->old_access = json_i64(in, "old_access", z->old_access);
	z->rate_limit = json_i64(in, "rate_limit", z->rate_limit);
	if (json_has(in, "rate_limit"))
		z->rate_used = 0;
	z->no_message = json_bool(in, "no_message", z->no_message);
	z->need_proof = json_bool(in, "need_proof", z->need_proof);
	z->fetch = json_bool(in, "fetch", z->fetch);
	z->any_user = json_bool(in, "any_user", z->any_user);
	z->night = json_bool(in, "night", z->night);
	z->reply_14014 = json_bool(in, "consumed_14014", z->reply_14014);
	z->no_refresh_token = json_bool(in, "no_refresh_token", z->no_refresh_token);
	z->quoted = json_bool(in, "quoted", z->quoted);
	z->no_id_while_working = json_bool(in, "no_id_while_working", z->no_id_while_working);
	z->keep_old_access = json_bool(in, "keep_old_access", z->keep_old_access);
	put(z->app_id, sizeof(z->app_id), in, "app_id");
	put(z->app_secret, sizeof(z->app_secret), in, "app_secret");
	put(z->oa_secret, sizeof(z->oa_secret), in, "oa_secret");
	put(z->hook_url, sizeof(z->hook_url), in, "hook_url");
}

static void group_set(struct zalo_sb *z, const cJSON *in)
{
	for (size_t i = 0; in && i < z->n_group; i++)
		if (!strcmp(z->group[i].id, json_z(in, "id", "")))
			z->group[i].error = json_i64(in, "error", 0);
}

static void user_set(struct zalo_sb *z, const cJSON *in)
{
	size_t i = 0;

	while (in && i < z->n_user && strcmp(z->user[i].id, json_z(in, "id", "")) != 0)
		i++;
	if (!in || i == ZL_USERS_MAX)
		return;
	z->n_user += i == z->n_user;
	put(z->user[i].id, sizeof(z->user[i].id), in, "id");
	z->user[i].talked_ms = zl_now(z) - json_i64(in, "ago_ms", 0);
}

static void take(struct zalo_sb *z, const cJSON *in)
{
	const cJSON *one;

	knobs(z, in);
	cJSON_ArrayForEach(one, json_get(in, "oas"))
	{
		if (cJSON_IsString(one))
			(void)oa_add(z, str_of(one->valuestring));
	}
	cJSON_ArrayForEach(one, json_get(in, "groups"))
	{
		if (z->n_group == ZL_GROUPS_MAX)
			break;
		put(z->group[z->n_group].id, sizeof(z->group[0].id), one, "id");
		put(z->group[z->n_group].oa, sizeof(z->group[0].oa), one, "oa");
		z->n_group++;
	}
	if (json_bool(in, "leave_groups", false))
		z->n_group = 0;
	group_set(z, json_get(in, "group"));
	user_set(z, json_get(in, "user"));
	const cJSON *set = json_get(in, "oa");
	struct zl_oa *oa = set ? oa_add(z, json_str(set, "id")) : NULL;
	if (oa)
		oa_set(oa, set);
}

static void show(const struct zalo_sb *z, cJSON *ret)
{
	json_put_i64(ret, "violations", z->violations);
	json_put_i64(ret, "rotations", z->rotations);
	json_put_i64(ret, "spent", z->spent);
	json_put_i64(ret, "broadcasts", z->casts);
	json_put_i64(ret, "shown", z->shown);
	json_put_i64(ret, "articles", (int64_t)z->n_article);
	json_put_i64(ret, "messages", (int64_t)z->n_message);
	json_put_i64(ret, "calls", z->calls);
}

/* An article posted by a person, or by another program. */
static void by_hand(struct zalo_sb *z, const cJSON *in)
{
	struct zl_oa *oa = zl_oa_find(z, json_str(in, "oa"));

	if (!oa || z->n_article == ZL_ARTICLES_MAX)
		return;
	struct zl_article *a = z->article[z->n_article++] = x_calloc(1, sizeof(*a));
	cJSON *block = json_obj(), *body = json_arr();
	json_put_z(block, "type", "text");
	json_put_z(block, "content", "by hand");
	json_add(body, block);
	a->oa = oa;
	a->json = json_obj();
	json_put(a->json, "body", body);
	a->shown = a->made = a->told = true;
	a->created_ms = a->updated_ms = zl_now(z) - json_i64(in, "ago_ms", 60000);
	zl_id(z, "h", a->id, sizeof(a->id));
	put(a->title, sizeof(a->title), in, "title");
}

/* A person hides an article in the console, or shows it again. */
static void set_shown(struct zalo_sb *z, const cJSON *in)
{
	for (size_t i = 0; i < z->n_article; i++) {
		struct zl_article *a = z->article[i];
		if (!strcmp(a->oa->id, json_z(in, "oa", "")) &&
			!strcmp(a->title, json_z(in, "title", "")))
			a->shown = json_bool(in, "shown", false);
	}
}

static void show_article(const struct zalo_sb *z, const cJSON *in, cJSON *ret)
{
	for (size_t i = 0; in && i < z->n_article; i++) {
		const struct zl_article *a = z->article[i];
		if (strcmp(a->oa->id, json_z(in, "oa", "")) != 0 ||
			strcmp(a->title, json_z(in, "title", "")) != 0)
			continue;
		json_put(ret, "body", cJSON_Duplicate(json_get(a->json, "body"), true));
		return;
	}
}

static int on_ctl(void *ctx, const cJSON *in, cJSON *ret, struct err *e)
{
	struct zalo_sb *z = ctx;
	const cJSON *hook = json_get(in, "hook"), *hand = json_get(in, "by_hand");

	take(z, in);
	if (hand)
		by_hand(z, hand);
	if (json_has(in, "console"))
		set_shown(z, json_get(in, "console"));
	show_article(z, json_get(in, "article"), ret);
	if (json_bool(in, "show", false))
		show(z, ret);
	if (!hook)
		return 0;
	char *text = json_print(json_get(hook, "event"));
	int rc = zl_hook_send(z, json_z(hook, "url", z->hook_url), str_of(text ? text : "{}"),
		json_z(hook, "how", ""), json_i64(hook, "delay_ms", 0));
	free(text);
	return rc < 0 ? err_set(e, -EINVAL, "hook: url is http://127.0.0.1:PORT/...") : 0;
}

static int zalo_open(struct sandbox *s, const cJSON *script, struct err *e)
{
	struct zalo_sb *z = the = x_calloc(1, sizeof(*z));

	z->s = s;
	z->casts_left = 4;
	z->expires_in = 90000;
	z->life_ms = 90000000;
	z->upload_life_ms = INT64_C(7) * 86400000;
	z->old_access = -216;
	z->polls = 1;
	z->fetch = z->any_user = true;
	(void)str_copy(z->app_id, sizeof(z->app_id), str_of("1234500000000000001"));
	if (script)
		take(z, script);
	sb_ctl_add(s, "zalo", on_ctl, z);
	return sb_http_listen(s, "zalo", 0, on_request, z, e);
}

static void zalo_close(struct sandbox *s)
{
	struct zalo_sb *z = the;

	(void)s;
	if (!z)
		return;
	zl_articles_free(z);
	for (size_t i = 0; i < z->n_message; i++)
		free(z->message[i]);
	free(z);
	the = NULL;
}

const struct sb_provider sb_provider_zalo = {
	.name = "zalo", .open = zalo_open, .close = zalo_close
};
