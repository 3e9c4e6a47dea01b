/* smsgw_vendor.c - requests of the vendors, to the letter of what they document: a field that is missing or of another type is
 * answered with an error, not mended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lantoa/adapter.h>
#include "base/crypt.h"
#include "smsgw.h"

#define TEXT_MAX 8192

static struct str none(void)
{
	return (struct str){ 0 };
}

static void say(struct sb_req *q, int status, cJSON *o)
{
	sb_res_json(q, status, o);
}

static cJSON *two(const char *k1, const char *v1, const char *k2, const char *v2)
{
	cJSON *o = json_obj();

	json_put_z(o, k1, v1);
	json_put_z(o, k2, v2);
	return o;
}

/* All of these members are strings with something in them. */
static bool strings(const cJSON *o, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		struct str s = json_str(o, *keys);
		if (s.p == NULL || s.n == 0)
			return false;
	}
	return true;
}

static bool fields(const struct sb_req *q, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (sb_req_field(q, *keys).n == 0)
			return false;
	return true;
}

/* --- eSMS -------------------------------------------------------------------------------------------------------------------- */
static void esms_code(struct sb_req *q, const char *code, const char *id)
{
	cJSON *o = two("CodeResult", code, "CountRegenerate", "0");

	if (id != NULL)
		json_put_z(o, "SMSID", id);
	else
		json_put_z(o, "ErrorMessage", "not taken");
	say(q, 200, o);
}

static void esms_send(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "ApiKey", "SecretKey", "Phone", "Content", "Brandname",
		"SmsType", "IsUnicode", "Sandbox", "RequestId", NULL };
	struct str phone = json_str(q->json, "Phone"), ref = json_str(q->json, "RequestId");
	char id[80];

	if (!strings(q->json, need) || phone.p[0] != '0' || ref.n > 50) {
		esms_code(q, "99", NULL);
		return;
	}
	const char *code = gw_rule(g, "esms", phone);
	if (str_eqz(json_str(q->json, "SecretKey"), "wrong"))
		code = "101";
	else if (code == NULL && gw_seen(g, "esms", ref))
		code = "124";
	if (code != NULL) {
		esms_code(q, code, NULL);
		return;
	}
	g->serial++;
	(void)snprintf(id, sizeof(id), "%08llx-1111-4111-8111-%012llx",
		(unsigned long long)g->serial, (unsigned long long)g->serial * 7919);
	(void)gw_take(g, "esms", phone, json_str(q->json, "Content"), ref, id,
		json_str(q->json, "CallbackUrl"));
	esms_code(q, "100", id);
}

static void esms(struct smsgw *g, struct sb_req *q)
{
	if (sb_path_is(q, "POST", "/esms/MainService.svc/json/SendMultipleMessage_V4_post_json/")) {
		esms_send(g, q);
	} else if (sb_path_is(q, "POST", "/esms/MainService.svc/json/GetBalance_json")) {
		cJSON *o = two("CodeResponse", "100", "UserID", "1");
		json_put_i64(o, "Balance", 1000000);
		say(q, 200, o);
	} else {
		const struct gw_msg *m = gw_find(g, "esms", sb_req_field(q, "RefId"));
		cJSON *o = two("CodeResponse", m != NULL ? "100" : "99", "SendStatus", "5");
		json_put_i64(o, "SendSuccess", m != NULL && !m->failed);
		json_put_i64(o, "SendFailed", m != NULL && m->failed);
		say(q, 200, o);
	}
}

/* --- SpeedSMS ---------------------------------------------------------------------------------------------------------------- */
static void speed_error(struct sb_req *q, const char *code)
{
	cJSON *o = two("status", "error", "code", code);

	json_put_z(o, "message", "not taken");
	say(q, 200, o);
}

static void speed_send(struct smsgw *g, struct sb_req *q)
{
	const cJSON *to = json_get(q->json, "to"), *one;
	struct str text = json_str(q->json, "content");
	char id[24];

	if (!cJSON_IsArray(to) || cJSON_GetArraySize(to) < 1 || cJSON_GetArraySize(to) > 100 ||
		text.n == 0 || !cJSON_IsNumber(json_get(q->json, "sms_type")) ||
		json_str(q->json, "sender").n == 0) {
		speed_error(q, "101");
		return;
	}
	const char *code = gw_rule(g, "speedsms", str_of("*"));
	if (code != NULL) {
		speed_error(q, code);
		return;
	}
	cJSON *bad = json_arr(), *data = json_obj(), *o = two("status", "success", "code", "00");
	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)(9000000000 + ++g->serial));
	cJSON_ArrayForEach(one, to)
	{
		struct str phone = str_of(cJSON_IsString(one) ? one->valuestring : "");
		if (phone.n != 11 || !str_starts(phone, "84") ||
			gw_rule(g, "speedsms", phone) != NULL)
			json_add_str(bad, phone);
		else
			(void)gw_take(g, "speedsms", phone, text, none(), id, none());
	}
	json_put_double(data, "tranId", strtod(id, NULL));
	json_put_i64(data, "totalSMS", cJSON_GetArraySize(to));
	json_put(data, "invalidPhone", bad);
	json_put(o, "data", data);
	say(q, 200, o);
}

static void speed(struct smsgw *g, struct sb_req *q)
{
	if (!str_starts(sb_req_header(q, "Authorization"), "Basic ")) {
		speed_error(q, "007");
	} else if (sb_path_is(q, "POST", "/speedsms/sms/send")) {
		speed_send(g, q);
	} else if (sb_path_is(q, "GET", "/speedsms/user/info")) {
		cJSON *o = two("status", "success", "code", "00"), *data = json_obj();
		json_put_i64(data, "balance", 500000);
		json_put(o, "data", data);
		say(q, 200, o);
	} else {
		struct str id = sb_path_segment(q, 3);
		cJSON *o = two("status", "success", "code", "00"), *data = json_arr();
		for (size_t i = 0; i < g->n; i++) {
			if (strcmp(g->msg[i].vendor, "speedsms") != 0 || !str_eqz(id, g->msg[i].id))
				continue;
			cJSON *row = json_obj();
			json_put_z(row, "phone", g->msg[i].to + 1);
			json_put_i64(row, "status", g->msg[i].failed ? 65 : 0);
			json_add(data, row);
		}
		json_put(o, "data", data);
		say(q, 200, o);
	}
}

/* --- Viettel ----------------------------------------------------------------------------------------------------------------- */
static struct str between(struct str s, const char *open, const char *close)
{
	size_t o = strlen(open), c = strlen(close);

	for (size_t i = 0; i + o <= s.n; i++) {
		if (memcmp(s.p + i, open, o) != 0)
			continue;
		for (size_t k = i + o; k + c <= s.n; k++)
			if (memcmp(s.p + k, close, c) == 0)
				return (struct str){ s.p + i + o, k - i - o };
	}
	return none();
}

static struct str unescape(struct str in, char *dst, size_t size)
{
	static const char *const from[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&apos;" };
	size_t n = 0;

	for (size_t i = 0; i < in.n && n < size; i++) {
		char c = in.p[i];
		for (size_t k = 0; c == '&' && k < 5; k++)
			if (in.n - i >= strlen(from[k]) &&
				memcmp(in.p + i, from[k], strlen(from[k])) == 0) {
				c = "<>&\"'"[k];
				i += strlen(from[k]) - 1;
				break;
			}
		dst[n++] = c;
	}
	return (struct str){ dst, n };
}

static void viettel(struct smsgw *g, struct sb_req *q)
{
	struct str phone = between(q->body, "<ReceiverID>", "</ReceiverID>");
	struct str pass = between(q->body, "<Password>", "</Password>");
	struct str content = between(q->body, "<Content>", "</Content>");
	const char *code = gw_rule(g, "viettel", phone);
	char text[TEXT_MAX], id[24], body[700];
	bool good = phone.n == 11 && pass.n > 0 && content.n > 0 && !str_eqz(pass, "wrong") &&
		between(q->body, "<CPCode>", "</CPCode>").n > 0 &&
		between(q->body, "<ServiceID>", "</ServiceID>").n > 0 &&
		sb_req_header(q, "SOAPAction").p != NULL;

	if (good && code == NULL) {
		(void)snprintf(id, sizeof(id), "V%llu", (unsigned long long)++g->serial);
		(void)gw_take(g, "viettel", phone, unescape(content, text, sizeof(text)), none(),
			id, none());
	}
	(void)snprintf(body, sizeof(body),
		"<?xml version='1.0' encoding='UTF-8'?><S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body>"
		"<ns2:wsCpMtResponse xmlns:ns2=\"http://impl.bulkSms.ws/\"><return><message>%s</message><result>%s</result></return>"
		"</ns2:wsCpMtResponse></S:Body></S:Envelope>",
		good && code == NULL ? "Insert MT_QUEUE: OK" : "not taken",
		good && code == NULL   ? "1"
			: code != NULL ? code
				       : "0");
	sb_res_z(q, 200, "text/xml; charset=utf-8", body);
}

/* --- VNPT -------------------------------------------------------------------------------------------------------------------- */
static void vnpt(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "REQID", "LABELID", "CONTRACTTYPEID", "CONTRACTID",
		"TEMPLATEID", "MOBILELIST", "AGENTID", "APIUSER", "APIPASS", "USERNAME",
		"ISTELCOSUB", "DATACODING", NULL };
	const cJSON *r = json_get(q->json, "RQST"), *p;
	struct str rest = json_str(r, "MOBILELIST"), phone;
	const char *code = gw_rule(g, "vnpt", str_of("*"));
	cJSON *o = json_obj(), *reply = json_obj();
	char text[TEXT_MAX], id[24];
	int n = snprintf(text, sizeof(text), "%s", json_z(r, "TEMPLATEID", ""));

	cJSON_ArrayForEach(p, json_get(r, "PARAMS"))
		n += snprintf(text + n, sizeof(text) - (size_t)n, "|%s", json_z(p, "CONTENT", ""));
	if (!strings(r, need) || strcmp(json_z(r, "name", ""), "send_sms_list") != 0)
		code = "12";
	while (code == NULL && str_next(&rest, ',', &phone)) {
		(void)snprintf(id, sizeof(id), "N%llu", (unsigned long long)++g->serial);
		(void)gw_take(g, "vnpt", phone, (struct str){ text, (size_t)n },
			json_str(r, "REQID"), id, none());
	}
	json_put_z(reply, "name", "send_sms_list");
	json_put_z(reply, "ERROR", code != NULL ? code : "0");
	json_put_z(reply, "ERROR_DESC", code != NULL ? "not taken" : "success");
	json_put(o, "RPLY", reply);
	say(q, 200, o);
}

/* --- FPT --------------------------------------------------------------------------------------------------------------------- */
static void fpt_error(struct sb_req *q, int code)
{
	cJSON *o = json_obj();

	json_put_i64(o, "error", code);
	json_put_z(o, "error_description", "not taken");
	say(q, 400, o);
}

static size_t unbase64(struct str in, char *dst, size_t size)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned v = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.n && in.p[i] != '='; i++) {
		const char *at = strchr(abc, in.p[i]);
		if (at == NULL)
			return 0;
		v = v << 6 | (unsigned)(at - abc);
		bits += 6;
		if (bits >= 8 && n < size) {
			bits -= 8;
			dst[n++] = (char)(v >> bits & 255);
		}
	}
	return n;
}

static void fpt_token(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "grant_type", "client_id", "client_secret", "scope",
		"session_id", NULL };
	char token[40];
	cJSON *o;

	if (!strings(q->json, need) || str_eqz(json_str(q->json, "client_secret"), "wrong")) {
		fpt_error(q, 1008);
		return;
	}
	(void)snprintf(token, sizeof(token), "tok-%llu", (unsigned long long)++g->token);
	g->expired = false;
	o = two("access_token", token, "token_type", "Bearer");
	json_put_i64(o, "expires_in", 3600);
	say(q, 200, o);
}

static void fpt(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "access_token", "session_id", "BrandName", "Phone",
		"Message", "RequestId", NULL };
	struct str phone = json_str(q->json, "Phone");
	char token[40], text[TEXT_MAX], id[24];

	if (sb_path_is(q, "POST", "/fpt/oauth2/token")) {
		fpt_token(g, q);
		return;
	}
	(void)snprintf(token, sizeof(token), "tok-%llu", (unsigned long long)g->token);
	const char *code = gw_rule(g, "fpt", phone);
	if (!strings(q->json, need)) {
		fpt_error(q, 1001);
	} else if (g->expired || !str_eqz(json_str(q->json, "access_token"), token)) {
		fpt_error(q, 1011);
	} else if (code != NULL) {
		fpt_error(q, (int)strtol(code, NULL, 10));
	} else {
		size_t n = unbase64(json_str(q->json, "Message"), text, sizeof(text));
		cJSON *o = json_obj();
		(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)++g->serial);
		(void)gw_take(g, "fpt", phone, (struct str){ text, n },
			json_str(q->json, "RequestId"), id, none());
		json_put_z(o, "MessageId", id);
		json_put_str(o, "Phone", phone);
		say(q, 200, o);
	}
}

/* --- Stringee ---------------------------------------------------------------------------------------------------------------- */
static bool jwt_good(struct str t)
{
	size_t last = 0;
	uint8_t mac[64];
	char made[100];

	for (size_t i = 0; i < t.n; i++)
		last = t.p[i] == '.' ? i : last;
	struct str head = { t.p, last }, sign = { t.p + last + 1, last == 0 ? 0 : t.n - last - 1 };
	int n = last == 0
		? -1
		: mac_raw(LT_MAC_HMAC_SHA256, str_of(GW_SECRET), &head, 1, mac, sizeof(mac));
	if (n < 0 || base64_encode(made, sizeof(made), mac, (size_t)n) == 0)
		return false;
	for (char *p = made; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '\0' : *p;
	return str_eqz(sign, made);
}

static void stringee(struct smsgw *g, struct sb_req *q)
{
	const cJSON *one, *list = json_get(q->json, "sms");
	cJSON *o = json_obj(), *res = json_arr();
	int64_t sent = 0;
	char id[24];

	if (!jwt_good(sb_req_header(q, "X-STRINGEE-AUTH"))) {
		json_put_i64(o, "r", 6);
		cJSON_Delete(res);
		say(q, 401, o);
		return;
	}
	cJSON_ArrayForEach(one, list)
	{
		static const char *const need[] = { "from", "to", "text", NULL };
		cJSON *row = json_obj();
		struct str to = json_str(one, "to");
		const char *code = strings(one, need) ? gw_rule(g, "stringee", to) : "2";
		if (code == NULL) {
			(void)snprintf(id, sizeof(id), "S%llu", (unsigned long long)++g->serial);
			(void)gw_take(g, "stringee", to, json_str(one, "text"), none(), id, none());
			sent++;
		}
		json_put_i64(row, "r", code == NULL ? 0 : strtol(code, NULL, 10));
		json_put_z(row, "msg", code == NULL ? "Success" : "not taken");
		json_add(res, row);
	}
	json_put_i64(o, "smsSent", sent);
	json_put(o, "result", res);
	say(q, 200, o);
}

/* --- Twilio ------------------------------------------------------------------------------------------------------------------ */
static void twilio_error(struct sb_req *q, int status, int code)
{
	cJSON *o = json_obj();

	json_put_i64(o, "code", code);
	json_put_z(o, "message", "not taken");
	json_put_i64(o, "status", status);
	say(q, status, o);
}

static void twilio(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "To", "From", "Body", NULL };
	struct str to = sb_req_field(q, "To"), last = sb_path_segment(q, 5);
	char id[40];

	if (!str_starts(sb_req_header(q, "Authorization"), "Basic ")) {
		twilio_error(q, 401, 20003);
	} else if (sb_path_is(q, "GET", "/twilio/2010-04-01/Accounts/*/Balance.json")) {
		say(q, 200, two("currency", "USD", "balance", "42.50"));
	} else if (sb_path_is(q, "POST", "/twilio/2010-04-01/Accounts/*/Messages.json")) {
		const char *code = gw_rule(g, "twilio", to);
		if (!fields(q, need) || to.p[0] != '+' || code != NULL) {
			int n = code != NULL ? (int)strtol(code, NULL, 10) : 21211;
			twilio_error(q, n == 20429 ? 429 : 400, n);
			return;
		}
		(void)snprintf(id, sizeof(id), "SM%032llx", (unsigned long long)++g->serial);
		(void)gw_take(g, "twilio", to, sb_req_field(q, "Body"), none(), id,
			sb_req_field(q, "StatusCallback"));
		say(q, 201, two("sid", id, "status", "queued"));
	} else {
		last.n = last.n > 5 ? last.n - 5 : 0; /* .json */
		const struct gw_msg *m = gw_find(g, "twilio", last);
		if (m == NULL)
			twilio_error(q, 404, 20404);
		else
			say(q, 200,
				two("sid", m->id, "status",
					m->failed ? "undelivered" : "delivered"));
	}
}

/* --- Vonage ------------------------------------------------------------------------------------------------------------------ */
static size_t vonage_segments(struct str text, bool unicode)
{
	size_t units = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		units += (c & 0xc0) != 0x80;
		units += c >= 0xf0; /* a pair */
	}
	size_t one = unicode ? 70 : 160, many = unicode ? 67 : 153;
	return units <= one ? 1 : (units + many - 1) / many;
}

static void vonage(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "api_key", "api_secret", "from", "to", "text", "type",
		NULL };
	struct str to = sb_req_field(q, "to"), text = sb_req_field(q, "text");
	const char *code = fields(q, need) ? gw_rule(g, "vonage", to) : "2";
	cJSON *o = json_obj(), *list = json_arr();
	size_t n = code != NULL
		? 1
		: vonage_segments(text, str_eqz(sb_req_field(q, "type"), "unicode"));
	char id[40];

	if (sb_path_is(q, "GET", "/vonage/account/get-balance")) {
		cJSON_Delete(list);
		json_put_double(o, "value", 12.5);
		say(q, 200, o);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		cJSON *row = json_obj();
		json_put_str(row, "to", to);
		json_put_z(row, "status", code != NULL ? code : "0");
		if (code == NULL) {
			struct str all = i == 0
				? text
				: str_of(""); /* the text once; a line and a report for each segment */
			(void)snprintf(
				id, sizeof(id), "0A%014llX", (unsigned long long)++g->serial);
			(void)gw_take(g, "vonage", to, all, sb_req_field(q, "client-ref"), id,
				sb_req_field(q, "callback"));
			json_put_z(row, "message-id", id);
		}
		json_add(list, row);
	}
	json_put_i64(o, "message-count", (int64_t)n);
	json_put(o, "messages", list);
	say(q, 200, o);
}

/* --- Kannel ------------------------------------------------------------------------------------------------------------------ */
static void kannel(struct smsgw *g, struct sb_req *q)
{
	static const char *const need[] = { "username", "password", "from", "to", "text", "coding",
		"charset", NULL };
	struct str to = sb_req_field(q, "to");
	const char *code = gw_rule(g, "kannel", to);
	char id[24];

	if (str_eqz(sb_req_field(q, "password"), "wrong")) {
		sb_res_z(q, 403, "text/html", "Authorization failed for sendsms");
	} else if (!fields(q, need)) {
		sb_res_z(q, 400, "text/html", "Missing or invalid value");
	} else if (code != NULL) {
		sb_res_z(q, (int)strtol(code, NULL, 10), "text/html", "not taken");
	} else {
		(void)snprintf(id, sizeof(id), "K%llu", (unsigned long long)++g->serial);
		(void)gw_take(g, "kannel", to, sb_req_field(q, "text"), none(), id,
			sb_req_field(q, "dlr-url"));
		sb_res_z(q, 202, "text/html", "0: Accepted for delivery");
	}
}

static const struct {
	const char *name;
	void (*fn)(struct smsgw *g, struct sb_req *q);
} vendors[] = { { "esms", esms }, { "esms-ads", gw_esms_ads }, { "speedsms", speed },
	{ "vietguys", gw_vietguys }, { "vietguys-v2", gw_vietguys_v2 }, { "viettel", viettel },
	{ "vnpt", vnpt }, { "fpt", fpt }, { "stringee", stringee }, { "twilio", twilio },
	{ "vonage", vonage }, { "kannel", kannel } };

void gw_serve(struct smsgw *g, struct sb_req *q)
{
	struct str name = sb_path_segment(q, 0);

	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
		if (str_eqz(name, vendors[i].name)) {
			vendors[i].fn(g, q);
			return;
		}
	sb_res_z(q, 404, "text/plain", "no such gateway\n");
}
