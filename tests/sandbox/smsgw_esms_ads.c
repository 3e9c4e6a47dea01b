/* smsgw_esms_ads.c - eSMS, the call for advertising: 30 to 5000 numbers in a request, one SMSID for all of them, the fate of each by asking.
 * Fewer numbers are refused with 99. The names of the list and of the status answer are those of config/sms/vendors/esms-ads.json. */
#include <stdio.h>
#include <string.h>
#include <lantoa/adapter.h>
#include "smsgw.h"

#define FEW  30
#define MANY 5000

static void answer(struct sb_req *q, const char *code, const char *id)
{
	cJSON *o = json_obj();

	json_put_z(o, "CodeResult", code);
	if (id)
		json_put_z(o, "SMSID", id);
	else
		json_put_z(o, "ErrorMessage", "not taken");
	sb_res_json(q, 200, o);
}

static size_t count(struct str list, bool *ret_good)
{
	struct str one;
	size_t n = 0;

	*ret_good = true;
	for (; str_next(&list, ',', &one); n++)
		*ret_good = *ret_good && one.n == 10 && one.p[0] == '0';
	return n;
}

static void send_all(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "ApiKey", "SecretKey", "Phones", "Content", "Brandname",
		"SmsType", "IsUnicode", "Sandbox", "RequestId" };
	struct str list = json_str(q->json, "Phones"), ref = json_str(q->json, "RequestId"), one;
	bool good = true;
	char id[80];
	size_t n = count(list, &good);

	for (size_t i = 0; i < sizeof(need) / sizeof(need[0]); i++)
		good = good && json_str(q->json, need[i]).n > 0;
	const char *code = gw_rule(g, "esms-ads", str_of("*"));
	if (!good || n < FEW || n > MANY || !str_eqz(json_str(q->json, "SmsType"), "1"))
		code = "99";
	else if (!code && gw_seen(g, "esms-ads", ref))
		code = "124";
	if (code) {
		answer(q, code, NULL);
		return;
	}
	g->serial++;
	(void)snprintf(id, sizeof(id), "%08llx-2222-4222-8222-%012llx",
		(unsigned long long)g->serial, (unsigned long long)g->serial * 7919);
	while (str_next(&list, ',', &one))
		(void)gw_take(g, "esms-ads", one, json_str(q->json, "Content"), ref, id,
			(struct str){ 0 });
	answer(q, "100", id);
}

/* Numbers of fewer than 30 come here one by one. */
static void send_one(struct smsgw *g, struct sb_req *q)
{
	struct str phone = json_str(q->json, "Phone"), ref = json_str(q->json, "RequestId");
	const char *code = gw_rule(g, "esms-ads", phone);
	char id[80];

	if (phone.n != 10 || !ref.n || !json_str(q->json, "Content").n)
		code = "99";
	else if (!code && gw_seen(g, "esms-ads", ref))
		code = "124";
	g->serial++;
	(void)snprintf(id, sizeof(id), "%08llx-3333-4333-8333-%012llx",
		(unsigned long long)g->serial, (unsigned long long)g->serial * 7919);
	if (!code)
		(void)gw_take(g, "esms-ads", phone, json_str(q->json, "Content"), ref, id,
			(struct str){ 0 });
	answer(q, code ? code : "100", code ? NULL : id);
}

static void status(struct smsgw *g, struct sb_req *q)
{
	struct str id = sb_req_field(q, "RefId");
	cJSON *o = json_obj(), *list = json_arr();
	char phone[24];

	for (size_t i = 0; i < g->n; i++) {
		const struct gw_msg *m = &g->msg[i];
		if (strcmp(m->vendor, "esms-ads") != 0 || !str_eqz(id, m->id))
			continue;
		cJSON *row = json_obj();
		(void)snprintf(phone, sizeof(phone), "0%s", m->to + 3);
		json_put_z(row, "Phone", phone);
		json_put_bool(row, "IsSent", true);
		json_put_bool(row, "SentResult", !m->failed);
		json_add(list, row);
	}
	json_put_z(o, "CodeResult", "100");
	json_put(o, "ReceiverList", list);
	sb_res_json(q, 200, o);
}

void gw_esms_ads(struct smsgw *g, struct sb_req *q)
{
	if (sb_path_is(
		    q, "POST", "/esms-ads/MainService.svc/json/SendMultipleSMSBrandname_json/")) {
		send_all(g, q);
	} else if (sb_path_is(q, "POST",
			   "/esms-ads/MainService.svc/json/SendMultipleMessage_V4_post_json/")) {
		send_one(g, q);
	} else if (sb_path_is(
			   q, "GET", "/esms-ads/MainService.svc/json/GetSmsReceiverStatus_get")) {
		status(g, q);
	} else {
		cJSON *o = json_obj();
		json_put_z(o, "CodeResponse", "100");
		json_put_i64(o, "Balance", 1000000);
		sb_res_json(q, 200, o);
	}
}
