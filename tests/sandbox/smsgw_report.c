/* smsgw_report.c - delivery reports as each vendor pushes them, again and again until they are answered with 2xx (30 times). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lantoa/adapter.h>
#include "base/crypt.h"
#include "smsgw.h"

#define TRIES_MAX 30
#define AGAIN_MS  500

struct report {
	struct smsgw *g;
	char method[8], url[900], headers[300], body[700];
	const char *vendor;
	char id[80];
	int tries;
	bool forged;
};

static void called(void *ctx, int status, struct str type, struct str body);

static void call(struct report *r, int64_t delay_ms)
{
	if (sb_http_call(r->g->s, r->method, r->url, r->headers, str_of(r->body), delay_ms, called,
		    r) < 0)
		free(r);
}

static void called(void *ctx, int status, struct str type, struct str body)
{
	struct report *r = ctx;
	cJSON *line = json_obj();

	(void)type;
	(void)body;
	json_put_z(line, "t", "sms_report");
	json_put_z(line, "vendor", r->vendor);
	json_put_z(line, "id", r->id);
	json_put_i64(line, "status", status);
	json_put_bool(line, "forged", r->forged);
	sb_ledger_json(r->g->s, line);
	if ((status < 200 || status > 299) && !r->forged && ++r->tries < TRIES_MAX &&
		!r->g->s->stopping)
		call(r, AGAIN_MS);
	else
		free(r);
}

static void encode(char *dst, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n + 4 < size; s++) {
		unsigned char c = (unsigned char)*s;
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			strchr("-._~", c))
			dst[n++] = (char)c;
		else
			n += (size_t)snprintf(dst + n, 4, "%%%02X", c);
	}
	dst[n] = '\0';
}

static void twilio_sign(
	struct report *r, const char *id, const char *to, const char *status, bool forge)
{
	/* the fields in the order of their names, values as they are before coding */
	struct str parts[] = { str_of(r->url), str_of("MessageSid"), str_of(id),
		str_of("MessageStatus"), str_of(status), str_of("To"), str_of(to) };
	uint8_t mac[64];
	char text[100];
	int n = mac_raw(LT_MAC_HMAC_SHA1, str_of(GW_SECRET), parts, 7, mac, sizeof(mac));

	if (forge)
		mac[0] ^= 1;
	(void)base64_encode(text, sizeof(text), mac, n < 0 ? 0 : (size_t)n);
	(void)snprintf(r->headers, sizeof(r->headers),
		"Content-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: %s\r\n",
		text);
}

/* Kannel puts values into the address that it was given. */
static void kannel_fill(struct report *r, const char *tpl, const char *to, bool failed)
{
	size_t n = 0;

	for (; *tpl != '\0' && n + 40 < sizeof(r->url); tpl++) {
		if (*tpl != '%' || tpl[1] == '\0')
			r->url[n++] = *tpl;
		else {
			tpl++;
			n += (size_t)snprintf(r->url + n, sizeof(r->url) - n, "%s",
				*tpl == 'd'           ? (failed ? "2" : "1")
					: *tpl == 'p' ? to
						      : "x");
		}
	}
	r->url[n] = '\0';
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool fill(struct report *r, const struct gw_msg *m, const char *to_url, bool failed,
	bool forge_id, bool forge_sign)
{
	char to[40];
	const char *id = forge_id ? "no-such-id" : m->id, *ref = forge_id ? "NOREF" : m->ref;

	encode(to, sizeof(to), m->to);
	(void)snprintf(r->method, sizeof(r->method), "GET");
	if (is(m->vendor, "esms")) {
		(void)snprintf(r->url, sizeof(r->url),
			"%s?SMSID=%s&SendStatus=5&SendSuccess=%d&SendFailed=%d&RequestId=%s&TypeId=2&telcoid=1&phonenumber=0%s",
			to_url, id, !failed, failed, ref, m->to + 3);
	} else if (is(m->vendor, "speedsms")) {
		(void)snprintf(r->method, sizeof(r->method), "POST");
		(void)snprintf(r->url, sizeof(r->url), "%s", to_url);
		(void)snprintf(
			r->headers, sizeof(r->headers), "Content-Type: application/json\r\n");
		(void)snprintf(r->body, sizeof(r->body),
			"{\"type\":\"report\",\"tranId\":%s,\"phone\":\"%s\",\"status\":%d}",
			forge_id ? "999" : m->id, m->to + 1, failed ? 65 : 0);
	} else if (is(m->vendor, "vietguys")) {
		(void)snprintf(r->url, sizeof(r->url), "%s?msgid=%s&phone=%s&status=%s", to_url, id,
			m->to + 1, failed ? "failed" : "1");
	} else if (is(m->vendor, "twilio")) {
		const char *status = failed ? "undelivered" : "delivered";
		(void)snprintf(r->method, sizeof(r->method), "POST");
		(void)snprintf(r->url, sizeof(r->url), "%s", to_url);
		(void)snprintf(r->body, sizeof(r->body), "MessageSid=%s&MessageStatus=%s&To=%s", id,
			status, to);
		twilio_sign(r, id, m->to, status, forge_sign);
	} else if (is(m->vendor, "vonage")) {
		(void)snprintf(r->url, sizeof(r->url),
			"%s?msisdn=%s&to=BHXH&messageId=%s&status=%s&err-code=0&client-ref=%s",
			to_url, m->to + 1, id, failed ? "failed" : "delivered", ref);
	} else if (is(m->vendor, "kannel")) {
		kannel_fill(r, to_url, to, failed);
	} else
		return false; /* no push is known of this vendor */
	return true;
}

void gw_report(struct smsgw *g, const struct gw_msg *m, int64_t delay_ms, const char *state,
	const char *forge)
{
	struct report *r = calloc(1, sizeof(*r));
	const char *url = m->callback[0] != '\0' ? m->callback : g->callback;

	if (r == NULL || url[0] == '\0') {
		free(r);
		return;
	}
	r->g = g;
	r->vendor = m->vendor;
	r->forged = !is(forge, "none");
	(void)snprintf(r->id, sizeof(r->id), "%s", m->id);
	if (fill(r, m, url, is(state, "failed"), is(forge, "id"), is(forge, "signature")))
		call(r, delay_ms);
	else
		free(r);
}
