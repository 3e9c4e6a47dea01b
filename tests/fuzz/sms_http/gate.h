/* gate.h - a shipped gateway on the scripted host, as the fuzz targets of this folder open it. */
#ifndef LANTOA_TESTS_FUZZ_GATE_H
#define LANTOA_TESTS_FUZZ_GATE_H

#include "../host.h"
#include "sms_http/smsh.h"

extern const struct lt_adapter lantoa_adapter;
static const char *const gate_names[] = { "esms", "speedsms", "vietguys", "vietguys-v2", "viettel",
	"vnpt", "fpt", "stringee", "twilio", "vonage", "kannel" };
#define GATES (sizeof(gate_names) / sizeof(gate_names[0]))

static inline const char *gate_file(size_t i)
{
	char path[100];

	(void)snprintf(path, sizeof(path), "config/sms/vendors/%s.json", gate_names[i]);
	return fh_file(path);
}

static inline const char *gate_params(const char *name)
{
	static const char *const given[][2] = { { "vietguys", "user=bhxh" },
		{ "vietguys-v2", "user=bhxh; send_path=sms/v1/send" },
		{ "viettel", "user=bhxh; cp_code=BHXH" },
		{ "vnpt",
			"label_id=101; contract_id=22; agent_id=33; api_user=bhxh; user_name=bhxh" },
		{ "fpt", "client_id=cid" }, { "stringee", "key_sid=SK1" },
		{ "twilio", "account_sid=AC1" }, { "kannel", "user=bhxh" } };

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (strcmp(given[i][0], name) == 0)
			return given[i][1];
	return "";
}

/* Not opened yet. */
static inline struct sh *gate_host(const char *vendor_text, const char *params)
{
	static const char *const names[] = { "api_key", "secret_key", "api_token", "password",
		"api_pass", "client_secret", "key_secret", "auth_token", "api_secret",
		"refresh_token", "access_token" };
	struct sh *h = sh_new(&lantoa_adapter);

	sh_conf(h, "sender", "BHXH-VN");
	sh_conf(h, "balance_every", "0");
	sh_conf(h, "callback_url", "https://lantoa.example/w/sms/abc");
	sh_conf(h, "base", "http://127.0.0.1:13013");
	sh_conf(h, "insecure_transport", "yes");
	if (params[0] != '\0')
		sh_conf(h, "params", params);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sh_secret(h, names[i], "geheim");
	sh_file(h, "ranges", fh_file("config/sms/ranges.tsv"));
	sh_file(h, "vendor", vendor_text);
	return h;
}

#define GATE_PAYLOAD                                                                          \
	"lantoa-sms 1\ncoding: gsm\nsegments: 1\nunits: 20\ncategory: 3\ntemplate: DUTY-01\n" \
	"param: TTBC-2026-112\nparam: BHXH \"Hue\"\n\nTTBC-2026-112 da dang & <xong>"

#endif
