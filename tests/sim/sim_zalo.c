/* sim_zalo.c - Zalo in the simulation: configuration, who is called, articles. An article is made hidden and worked on for a while, told
 * by a token, then by its id; a listing shows it late. The ledger counts articles that became visible: showing one that is shown
 * changes nothing. The other calls are in sim_zalo_message.c, the tokens in sim_zalo_token.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "sim_zalo.h"

#define LIST_MAX 10

static void conf(int slot, struct buf *b)
{
	UNUSED(slot);
	provider_file("zalo.secret", ZL_SECRET "\n");
	buf_addf(b,
		"settings: {app_id: \"" ZL_APP
		"\", app_secret: app, oa_secret: app, zns_template: \"420017\", zns_data: \"title={title}\",\n"
		"  poll_max_ms: 60000, call_ms: 30000, guard: %s}\n"
		"files: {outcomes: %s/config/outcomes/zalo.tsv}\n"
		"secrets: {app: {file: ../zalo.secret}}\nwebhook: {secret: {file: ../zalo.secret}}\n%saccounts:\n",
		S->p.together ? "yes" : "no", S->root, S->p.poll ? "refresh_lead: 1m\n" : "");
	for (int i = 0; i < ZL_OAS; i++) {
		char name[20], token[20];
		(void)snprintf(name, sizeof(name), "rt-%d.secret", i);
		(void)snprintf(token, sizeof(token), "RT-%d-0\n", i);
		provider_file(name, token);
		buf_addf(b,
			"  - {name: %s, identity: \"oa:330011223344550010%d\", credential: oa-%s, settings: {oa_id: \"330011223344550010%d\"},\n"
			"     secrets: {refresh_token: {file: ../%s}}}\n",
			sim_offices[i], i + 1, sim_offices[i], i + 1, name);
	}
}

static void begin(int slot)
{
	static const int64_t lives[] = { 300000, 3600000, 90000000 };
	struct zl_state *st = S->state[slot];
	st->life_ms = lives[sim_below((int)ARRAY_LEN(lives))];
	st->old_access = sim_chance(300);
}

static const char *form(int contact)
{
	static const char *const forms[] = { "phone", "group", "user", "phone" };
	return contact <= ZL_OAS ? "oa" : forms[contact % 4];
}

static void address(int contact, int office, char *ret, size_t size)
{
	const char *f = form(contact);
	UNUSED(office);
	if (f[0] == 'o')
		(void)snprintf(ret, size, "oa:330011223344550010%d", contact);
	else if (f[0] == 'g')
		(void)snprintf(ret, size, "group:7a1b2c3d4e5f%08d", contact);
	else if (f[0] == 'u')
		(void)snprintf(ret, size, "user:41029384756%08d", contact);
	else
		(void)snprintf(ret, size, "phone:8491%07d", contact);
}

static bool owns(const char *url)
{
	return strstr(url, "openapi.zalo.me") || strstr(url, "oauth.zaloapp.com");
}

/* --- answers ------------------------------------------------------------------------------------------------------------------------- */

void zl_error(size_t call, int code, const char *text)
{
	char body[800];
	bool quoted = code % 2 != 0; /* both forms are seen */
	(void)snprintf(body, sizeof(body), "{\"error\":%s%d%s,\"message\":\"%s; %s\"}",
		quoted ? "\"" : "", code, quoted ? "\"" : "", text, provider_words(false));
	provider_answer(call, 200, body, provider_delay());
}

void zl_say(size_t call, enum fate f, int refusal, const char *data)
{
	struct buf b;
	buf_init(&b, 1u << 20);
	buf_addf(&b, "{\"data\":%s,\"error\":0,\"message\":\"Success\"}", data);
	char *text = x_strndup(b.p, f == FATE_HALF ? b.n / 2 : b.n);
	buf_done(&b);
	switch (f) {
	case FATE_OK:
	case FATE_HALF: provider_answer(call, 200, text, provider_delay()); break;
	case FATE_SLOW: provider_answer(call, 200, text, 3600000); break;
	case FATE_REFUSED: zl_error(call, refusal, "title is refused"); break;
	case FATE_TEMPORARY: zl_error(call, -200, "failed"); break;
	case FATE_THROTTLED:
		zl_error(call, -32, sim_chance(500) ? "app limit" : "limit of OA");
		break;
	case FATE_BROKEN:
		provider_answer(call, 502, "<html>Bad Gateway</html>", provider_delay());
		break;
	case FATE_NO_LINE:
	case FATE_LOST_BEFORE:
	case FATE_LOST_AFTER:
	case FATE_GARBAGE:
	case FATE_SILENT: provider_lose(call, f); break;
	case FATE_FATES: break;
	}
	free(text);
}

/* --- articles ------------------------------------------------------------------------------------------------------------------------ */

static struct zl_article *article(struct zl_state *st, const char *id, const char *prefix, int oa)
{
	char *end;
	size_t n = strlen(prefix);
	if (strncmp(id, prefix, n) != 0)
		return NULL;
	long no = strtol(id + n, &end, 10);
	if (*end || no < 0 || no >= st->n_article || st->article[no].oa != oa)
		return NULL;
	return &st->article[no];
}

static cJSON *parsed(const struct fakenet_call *c)
{
	cJSON *j = NULL;
	struct err e;
	if (json_parse(str_of(c->body), 1u << 20, &j, &e))
		sim_fail("a body that is no JSON: %.200s", c->body);
	return j;
}

static void read_article(struct zl_article *a, const cJSON *j)
{
	static const int work_ms[] = { 0, 2000, 10000, 90000 };
	const char *link = json_z(j, "tracking_link", ""), *mark = strstr(link, "lt=");
	(void)snprintf(a->title, sizeof(a->title), "%s", json_z(j, "title", ""));
	(void)snprintf(a->mark, sizeof(a->mark), "%s", mark ? mark : "");
	a->ready_mono = N.te.mono + work_ms[sim_below((int)ARRAY_LEN(work_ms))];
	a->media_bad = provider_fault(100);
	if (!json_z(json_get(j, "cover"), "photo_url", "")[0])
		sim_fail("an article without a cover");
}

static void token_said(struct zl_state *st, size_t call, enum fate f, const struct zl_article *a)
{
	char data[60];
	(void)snprintf(data, sizeof(data), "{\"token\":\"Tk%d\"}", (int)(a - st->article));
	zl_say(call, f, -201, data);
}

static void create(struct zl_state *st, size_t call, const struct fakenet_call *c, int oa)
{
	static const int list_ms[] = { 0, 0, 5000, 30000 };
	cJSON *j CLEANUP_JSON = parsed(c);
	struct zl_article *a = &st->article[st->n_article];
	enum fate f = provider_fate();
	bool effect = f != FATE_NO_LINE && provider_has_effect(f);
	REQUIRE(st->n_article < ZL_ARTICLES - 1);
	if (strcmp(json_z(j, "status", ""), "hide") != 0)
		sim_fail("an article is made and not hidden");
	*a = (struct zl_article){ .oa = oa,
		.made_wall = N.te.wall,
		.listed_mono = N.te.mono + list_ms[sim_below((int)ARRAY_LEN(list_ms))] };
	read_article(a, j);
	sim_trace("article %d of OA %d %s%s", st->n_article, oa, provider_fate_name(f),
		effect ? " effect" : "");
	st->n_article += effect;
	token_said(st, call, f, a);
}

static void show(struct zl_state *st, size_t call, const struct fakenet_call *c, int oa)
{
	cJSON *j CLEANUP_JSON = parsed(c);
	struct zl_article *a = article(st, json_z(j, "id", ""), "A", oa);
	if (!a || strcmp(json_z(j, "status", ""), "show") != 0)
		sim_fail("an update of no article: %.200s", c->body);
	int64_t id = provider_publish(oa + 1, c->body, strlen(c->body));
	enum fate f = provider_fate();
	bool takes = f != FATE_NO_LINE && provider_has_effect(f);
	if (takes)
		read_article(a, j);
	bool effect = takes && !a->media_bad && !a->shown;
	sim_trace("show %d delivery:%lld %s%s", (int)(a - st->article), (long long)id,
		provider_fate_name(f), effect ? " effect" : "");
	a->shown |= effect;
	if (effect)
		provider_effect_again(id);
	token_said(st, call, f, a);
}

static void verify(struct zl_state *st, size_t call, const struct fakenet_call *c, int oa)
{
	cJSON *j CLEANUP_JSON = parsed(c);
	struct zl_article *a = article(st, json_z(j, "token", ""), "Tk", oa);
	char data[60] = "{}";
	if (!a || provider_fault(50)) {
		zl_error(call, -201, "token is invalid");
	} else if (N.te.mono < a->ready_mono && sim_chance(700)) {
		zl_error(call, -214, "Media is being processed");
	} else if (N.te.mono >= a->ready_mono && a->media_bad) {
		/* so often as it is asked, until another update: the answer may be lost in a crash */
		zl_error(call, -200, "Upload media failed");
	} else {
		if (N.te.mono >= a->ready_mono)
			(void)snprintf(
				data, sizeof(data), "{\"id\":\"A%d\"}", (int)(a - st->article));
		zl_say(call, provider_fate(), -201, data);
	}
}

static cJSON *article_json(const struct zl_state *st, const struct zl_article *a)
{
	cJSON *o = json_obj();
	char id[20], link[200];
	(void)snprintf(id, sizeof(id), "A%d", (int)(a - st->article));
	(void)snprintf(link, sizeof(link), "https://portal.example/x?%s", a->mark);
	json_put_z(o, "id", id);
	json_put_z(o, "title", a->title);
	json_put_z(o, "status", a->shown ? "show" : "hide");
	json_put_i64(o, "create_date", a->made_wall);
	json_put_z(o, "link_view", "https://officialaccount.me/d?id=1");
	if (a->mark[0])
		json_put_z(o, "tracking_link", link);
	return o;
}

static void slice(const struct zl_state *st, size_t call, const struct fakenet_call *c, int oa)
{
	char text[20] = "0";
	int skip, n = 0;
	cJSON *d CLEANUP_JSON = json_obj(), *list = json_arr();
	(void)provider_field(c->url, "offset", text, sizeof(text));
	skip = (int)strtol(text, NULL, 10);
	for (int i = st->n_article; i-- > 0 && n < LIST_MAX;) {
		const struct zl_article *a = &st->article[i];
		if (a->oa != oa || N.te.mono < a->listed_mono || skip-- > 0)
			continue;
		json_add(list, article_json(st, a));
		n++;
	}
	json_put(d, "medias", list);
	char *out = json_print(d);
	zl_say(call, provider_fate(), -210, out);
	free(out);
}

static void detail(struct zl_state *st, size_t call, const struct fakenet_call *c, int oa)
{
	char id[40] = "";
	(void)provider_field(c->url, "id", id, sizeof(id));
	const struct zl_article *a = article(st, id, "A", oa);
	if (!a) {
		zl_error(call, -201, "id is invalid");
		return;
	}
	cJSON *o CLEANUP_JSON = article_json(st, a);
	char *out = json_print(o);
	zl_say(call, provider_fate(), -210, out);
	free(out);
}

static void http(int slot, size_t call, struct fakenet_call *c)
{
	struct zl_state *st = S->state[slot];
	if (provider_is_for_token(c->url)) {
		zl_oauth(st, call, c);
		return;
	}
	int oa = zl_access(st, call, c);
	if (oa < 0)
		return;
	if (strstr(c->url, "/article/create"))
		create(st, call, c, oa);
	else if (strstr(c->url, "/article/update"))
		show(st, call, c, oa);
	else if (strstr(c->url, "/article/verify"))
		verify(st, call, c, oa);
	else if (strstr(c->url, "/article/getslice"))
		slice(st, call, c, oa);
	else if (strstr(c->url, "/article/getdetail"))
		detail(st, call, c, oa);
	else if (!zl_message(slot, call, c, oa))
		zl_error(call, -209, "This api is not supported");
}

const struct sim_provider sim_zalo = { .name = "zalo",
	.kind = "zalo",
	.adapter = "zalo",
	.chan_kind = KIND_ZALO,
	.per_office = true,
	.people = true,
	.pictures = true,
	.timeout_s = 900,
	.state_size = sizeof(struct zl_state),
	.begin = begin,
	.conf = conf,
	.form_of = form,
	.address = address,
	.owns = owns,
	.http = http,
	.booted = zl_booted,
	.restored = zl_restored,
	.due = zl_received,
	.person = zl_person };
