/* smsgw_vietguys.c - VietGuys: the form of its first interface, and the second one with a refresh token that is good once. */
#include <stdio.h>
#include <stdlib.h>
#include "smsgw.h"

static void refuse(struct sb_req *q, int status, int64_t code)
{
	cJSON *o = json_obj();

	json_put_i64(o, "error", code);
	json_put_z(o, "log", "not taken");
	sb_res_json(q, status, o);
}

static void take(struct smsgw *g, struct sb_req *q, const char *vendor, const struct str text[3])
{
	cJSON *o = json_obj();
	char id[24];

	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)++g->serial);
	(void)gw_take(g, vendor, text[0], text[1], text[2], id, (struct str){ 0 });
	json_put_i64(o, "error", 0);
	json_put_z(o, "msgid", id);
	sb_res_json(q, 200, o);
}

void gw_vietguys(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "u", "pwd", "from", "phone", "sms", "bid", "json" };
	struct str phone = sb_req_field(q, "phone");
	const char *code = gw_rule(g, "vietguys", phone);
	bool whole = true;

	for (size_t i = 0; i < sizeof(need) / sizeof(need[0]); i++)
		whole = whole && sb_req_field(q, need[i]).n > 0;
	if (!whole || code != NULL)
		refuse(q, 200, code != NULL ? strtol(code, NULL, 10) : -1);
	else
		take(g, q, "vietguys",
			(const struct str[3]){
				phone, sb_req_field(q, "sms"), sb_req_field(q, "bid") });
}

/* The first refresh token is whatever the agency was given; from then on the last one that stood in an answer, once. */
static void exchange(struct smsgw *g, struct sb_req *q)
{
	struct str given = sb_req_header(q, "Refresh-Token");
	char want[40], access[40];
	cJSON *o, *data;

	(void)snprintf(want, sizeof(want), "vgr-%llu", (unsigned long long)g->refresh);
	if (!given.n || (g->refresh > 0 && !str_eqz(given, want)) ||
		!json_str(q->json, "username").n ||
		!str_eqz(json_str(q->json, "type"), "refresh_token")) {
		refuse(q, 400, -2);
		return;
	}
	(void)snprintf(want, sizeof(want), "vgr-%llu", (unsigned long long)++g->refresh);
	(void)snprintf(access, sizeof(access), "vga-%llu", (unsigned long long)g->refresh);
	g->expired = false;
	o = json_obj();
	data = json_obj();
	json_put_z(data, "access_token", access);
	json_put_z(data, "refresh_token", want);
	json_put_i64(data, "expires_in", 3600);
	json_put_i64(o, "error", 0);
	json_put(o, "data", data);
	sb_res_json(q, 200, o);
}

void gw_vietguys_v2(struct smsgw *g, struct sb_req *q)
{
	char bearer[60];

	if (sb_path_is(q, "POST", "/vietguys-v2/token/v1/refresh")) {
		exchange(g, q);
		return;
	}
	struct str phone = json_str(q->json, "phone"), text = json_str(q->json, "message"),
		   bid = json_str(q->json, "bid");
	const char *code = gw_rule(g, "vietguys-v2", phone);
	(void)snprintf(bearer, sizeof(bearer), "Bearer vga-%llu", (unsigned long long)g->refresh);
	if (g->expired || !str_eqz(sb_req_header(q, "Authorization"), bearer))
		refuse(q, 401, -3);
	else if (code != NULL)
		refuse(q, 200, strtol(code, NULL, 10));
	else if (!phone.n || !text.n || bid.n != 36 || !json_str(q->json, "from").n)
		refuse(q, 200, -1);
	else
		take(g, q, "vietguys-v2", (const struct str[3]){ phone, text, bid });
}
