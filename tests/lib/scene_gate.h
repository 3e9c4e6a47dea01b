/* scene_gate.h - an SMS gateway on the scripted host, not opened yet: unit tests and fuzz targets of the HTTP gateway adapter begin
 * here. Every secret is "geheim"; the settings of each shipped vendor file are in the table. */
#ifndef LANTOA_TESTS_SCENE_GATE_H
#define LANTOA_TESTS_SCENE_GATE_H

#include <stdio.h>
#include <string.h>
#include "scripted_host.h"
#include "shipped.h"

extern const struct lt_adapter lantoa_adapter;

static const struct gate_vendor {
	const char *name, *params; /* NULL: none are needed */
	bool own_base;             /* the file names no address */
} gate_vendors[] = { { "esms", NULL, false }, { "esms-ads", NULL, false },
	{ "speedsms", NULL, false }, { "vietguys", "user=bhxh", false },
	{ "vietguys-v2", "user=bhxh; send_path=sms/v1/send", false },
	{ "viettel", "user=bhxh; cp_code=BHXH", true },
	{ "vnpt", "label_id=101; contract_id=22; agent_id=33; api_user=bhxh; user_name=bhxh",
		true },
	{ "fpt", "client_id=cid", false }, { "stringee", "key_sid=SK1", false },
	{ "twilio", "account_sid=AC1", false }, { "vonage", NULL, false },
	{ "kannel", "user=bhxh", true } };
#define GATES (sizeof(gate_vendors) / sizeof(gate_vendors[0]))

static inline const char *gate_file(const char *vendor)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "config/sms/vendors/%s.json", vendor);
	return shipped_file(path);
}

/* A vendor file of any kind behind a base of its own. */
static inline struct sh *gate_host(const char *vendor_text, const char *params, bool own_base)
{
	static const char *const secrets[] = { "api_key", "secret_key", "api_token", "password",
		"api_pass", "client_secret", "key_secret", "auth_token", "api_secret",
		"refresh_token" };
	struct sh *h = sh_new(&lantoa_adapter);

	sh_conf(h, "sender", "BHXH-VN");
	sh_conf(h, "balance_every", "0");
	sh_conf(h, "callback_url", "https://lantoa.example/w/sms/abc");
	if (own_base) {
		sh_conf(h, "base", "http://127.0.0.1:13013");
		sh_conf(h, "insecure_transport", "yes");
	}
	if (params != NULL)
		sh_conf(h, "params", params);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		sh_secret(h, secrets[i], "geheim");
	sh_file(h, "ranges", shipped_file("config/sms/ranges.tsv"));
	sh_file(h, "vendor", vendor_text);
	return h;
}

/* As it is shipped. */
static inline struct sh *gate_vendor_host(const char *vendor)
{
	const struct gate_vendor none = { .name = vendor }, *v = &none;

	for (size_t i = 0; i < GATES; i++)
		if (strcmp(gate_vendors[i].name, vendor) == 0)
			v = &gate_vendors[i];
	return gate_host(gate_file(vendor), v->params, v->own_base);
}

#define PAYLOAD_GSM                                                                           \
	"lantoa-sms 1\ncoding: gsm\nsegments: 1\nunits: 20\ncategory: 3\ntemplate: DUTY-01\n" \
	"param: TTBC-2026-112\nparam: BHXH \"Hue\"\n\nTTBC-2026-112 da dang & <xong>"

#endif
