/* sim_zalo_message.c - broadcasts, messages to groups and users, template messages to phones, and the questions about them. None of
 * them may go out a second time, and nothing but a conversation tells afterwards what went out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "base/json.h"
#include "sim_zalo.h"

static cJSON *parsed(const struct fakenet_call *c)
{
	cJSON *j = NULL;
	struct err e;
	if (json_parse(str_of(c->body), 1u << 20, &j, &e))
		sim_fail("a body that is no JSON: %.200s", c->body);
	return j;
}

/* TEMPORARY is their -200: sending failed. */
static bool goes_out(enum fate f)
{
	return f != FATE_NO_LINE && provider_has_effect(f);
}

static const struct zl_article *article_of(const struct zl_state *st, const cJSON *j, int oa)
{
	const cJSON *payload = json_get(json_get(json_get(j, "message"), "attachment"), "payload");
	const cJSON *els = json_get(payload, "elements");
	int no = -1;
	if (cJSON_GetArraySize(els) != 1 ||
		sscanf(json_z(cJSON_GetArrayItem(els, 0), "attachment_id", ""), "A%d", &no) != 1 ||
		no < 0 || no >= st->n_article)
		sim_fail("a broadcast of no article");
	const struct zl_article *a = &st->article[no];
	if (a->oa != oa || !a->shown)
		sim_fail("OA %d broadcasts article %d of OA %d, which is %sshown", oa, no, a->oa,
			a->shown ? "" : "not ");
	return a;
}

static void broadcast(struct zl_state *st, size_t call, const struct fakenet_call *c, int oa)
{
	cJSON *j CLEANUP_JSON = parsed(c);
	const struct zl_article *a = article_of(st, j, oa);
	int64_t id = provider_publish_cast(oa + 1, a->title, strlen(a->title));
	enum fate f = provider_fate();
	bool effect = goes_out(f);
	char data[60];
	sim_trace("broadcast delivery:%lld %s%s", (long long)id, provider_fate_name(f),
		effect ? " effect" : "");
	if (effect)
		provider_effect(id);
	(void)snprintf(data, sizeof(data), "{\"message_id\":\"b%lld\"}", (long long)id);
	zl_say(call, f, -211, data);
}

static struct zl_message *keep(struct zl_state *st, int contact, const char *text, const char *ref)
{
	REQUIRE(st->n_message < ZL_MESSAGES);
	struct zl_message *m = &st->message[st->n_message++];
	*m = (struct zl_message){ .contact = contact, .at_wall = N.te.wall };
	(void)snprintf(m->text, sizeof(m->text), "%s", text);
	(void)snprintf(m->ref, sizeof(m->ref), "%s", ref);
	return m;
}

static void message(struct zl_state *st, size_t call, const struct fakenet_call *c, bool group)
{
	cJSON *j CLEANUP_JSON = parsed(c);
	const char *to = json_z(json_get(j, "recipient"), group ? "group_id" : "user_id", "");
	const char *text = json_z(json_get(j, "message"), "text", "");
	int contact = 0;
	char data[60] = "{}";
	if (sscanf(to, group ? "7a1b2c3d4e5f%8d" : "41029384756%8d", &contact) != 1)
		sim_fail("a message to nobody: %.200s", c->body);
	int64_t id = provider_publish(contact, c->body, strlen(c->body));
	enum fate f = provider_fate();
	bool effect = goes_out(f);
	sim_trace("message delivery:%lld %s%s", (long long)id, provider_fate_name(f),
		effect ? " effect" : "");
	if (effect) {
		(void)keep(st, contact, text, "");
		(void)snprintf(data, sizeof(data), "{\"message_id\":\"m%d\"}", st->n_message);
		provider_effect(id);
	}
	zl_say(call, f, sim_chance(500) ? -230 : -244, data);
}

static void template(int slot, struct zl_state *st, size_t call, const struct fakenet_call *c)
{
	cJSON *j CLEANUP_JSON = parsed(c);
	int contact = 0;
	char data[60] = "{}", no[20];
	if (sscanf(json_z(j, "phone", ""), "8491%7d", &contact) != 1)
		sim_fail("a template message to nobody: %.200s", c->body);
	int64_t id = provider_publish(contact, c->body, strlen(c->body));
	enum fate f = provider_fate();
	bool effect = goes_out(f);
	sim_trace("template delivery:%lld %s%s", (long long)id, provider_fate_name(f),
		effect ? " effect" : "");
	if (effect) {
		(void)keep(st, contact, "", json_z(j, "tracking_id", ""));
		(void)snprintf(data, sizeof(data), "{\"msg_id\":\"z%d\"}", st->n_message);
		(void)snprintf(no, sizeof(no), "%d", st->n_message);
		provider_effect(id);
		if (S->p.receipts && !provider_fault(200))
			for (int i = sim_chance(S->p.p_fault); i >= 0; i--)
				(void)provider_later(slot, SIM_SAID_DELIVERED,
					sim_chance(500) ? sim_below(5000) : sim_below(3600000), id,
					no);
	}
	zl_say(call, f, sim_chance(500) ? -114 : -111, data);
}

/* The ten newest, the newest first. */
static void talk(const struct zl_state *st, size_t call, const struct fakenet_call *c, bool group)
{
	const char *at = strstr(c->url, group ? "7a1b2c3d4e5f" : "41029384756");
	int contact = 0, n = 0;
	if (!at || sscanf(at, group ? "7a1b2c3d4e5f%8d" : "41029384756%8d", &contact) != 1)
		sim_fail("a question about nobody: %s", c->url);
	cJSON *list CLEANUP_JSON = json_arr();
	for (int i = st->n_message; i-- > 0 && n < 10;) {
		const struct zl_message *m = &st->message[i];
		char id[20];
		if (m->contact != contact)
			continue;
		cJSON *o = json_obj();
		(void)snprintf(id, sizeof(id), "m%d", i + 1);
		json_put_i64(o, "src", 0);
		json_put_i64(o, "time", m->at_wall);
		json_put_z(o, "message", m->text);
		json_put_z(o, "message_id", id);
		json_add(list, o);
		n++;
	}
	char *text = json_print(list);
	zl_say(call, provider_fate(), -210, text);
	free(text);
}

static void upload(struct zl_state *st, size_t call)
{
	char data[60];
	(void)snprintf(data, sizeof(data), "{\"attachment_id\":\"u%d\"}", ++st->n_upload);
	zl_say(call, provider_fate(), -201, data);
}

bool zl_message(int slot, size_t call, const struct fakenet_call *c, int oa)
{
	struct zl_state *st = S->state[slot];
	if (strstr(c->url, "/v2.0/oa/message"))
		broadcast(st, call, c, oa);
	else if (strstr(c->url, "/v3.0/oa/group/message"))
		message(st, call, c, true);
	else if (strstr(c->url, "/v3.0/oa/message/cs"))
		message(st, call, c, false);
	else if (strstr(c->url, "/message/template"))
		template(slot, st, call, c);
	else if (strstr(c->url, "/conversation"))
		talk(st, call, c, strstr(c->url, "/group/") != NULL);
	else if (strstr(c->url, "/v2.0/oa/upload/"))
		upload(st, call);
	else
		return false;
	return true;
}

/* --- events -------------------------------------------------------------------------------------------------------------------------- */

static void again(struct sim_later *l)
{
	l->epoch = 0;
	l->due = N.te.mono + 60000;
}

static void on_thanks(void *ctx, int status, struct str type, struct str body)
{
	struct sim_later *l = ctx;
	UNUSED(type);
	UNUSED(body);
	sim_trace("event of delivery:%lld: %d", (long long)l->delivery, status);
	if (status == 200)
		provider_thanked(l);
	else
		again(l);
}

static int account_no(int64_t delivery)
{
	for (int i = 0; i < S->n_lanes; i++)
		if (S->lane[i].id == S->lot[S->d[delivery].lot].lane)
			return i;
	return 0;
}

void zl_received(struct sim_later *l)
{
	const struct zl_state *st = S->state[l->slot];
	struct channel *ch = channels_find(N.channels, "mail");
	struct chan_account *a = ch
		? channel_account(ch, sim_offices[account_no(l->delivery) % ZL_OAS])
		: NULL;
	char body[600], when[30], text[1000], mac[80] = "mac=";
	int no = (int)strtol(l->id, NULL, 10);
	struct hash h;
	(void)snprintf(when, sizeof(when), "%lld", (long long)N.te.wall);
	(void)snprintf(body, sizeof(body),
		"{\"app_id\":\"" ZL_APP
		"\",\"event_name\":\"user_received_message\",\"sender\":{\"id\":\"1\"},\"recipient\":{\"id\":\"2\"},"
		"\"message\":{\"delivery_time\":\"%s\",\"msg_id\":\"z%d\",\"tracking_id\":\"%s\"},\"timestamp\":\"%s\"}",
		when, no, st->message[no - 1].ref, when);
	(void)snprintf(text, sizeof(text), ZL_APP "%s%s" ZL_SECRET, body, when);
	hash_bytes(&h, text, strlen(text));
	hash_hex(&h, mac + 4);
	struct lt_pair head = { .name = { "X-ZEvent-Signature", 18 },
		.value = { mac, strlen(mac) } };
	struct chan_request r = { .method = STR("POST"),
		.path = STR("/w/mail"),
		.peer = STR("203.0.113.7"),
		.body = str_of(body),
		.headers = &head,
		.n_headers = 1 };
	if (!a || channel_webhook(a, true, &r, on_thanks, l))
		again(l);
}
