/* smshtest.h - a gateway opened from its shipped vendor file on the scripted host: what the tests of this folder share. */
#ifndef LANTOA_TESTS_SMSHTEST_H
#define LANTOA_TESTS_SMSHTEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/scripted_host.h"
#include "sms_http/smsh.h"

extern const struct lt_adapter lantoa_adapter;

static inline char *file_text(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *p = calloc(1, 1u << 18);

	if (f == NULL || p == NULL) {
		(void)fprintf(stderr, "%s cannot be read\n", path);
		abort();
	}
	(void)!fread(p, 1, (1u << 18) - 1, f);
	(void)fclose(f);
	return p;
}

struct gate {
	struct sh *h;
	char *vendor, *ranges;
	size_t session;
};

static inline void gate_settings(struct gate *g, const char *vendor)
{
	static const char *const given[][2] = { { "vietguys", "user=bhxh" },
		{ "vietguys-v2", "user=bhxh; send_path=sms/v1/send" },
		{ "viettel", "user=bhxh; cp_code=BHXH" },
		{ "vnpt",
			"label_id=101; contract_id=22; agent_id=33; api_user=bhxh; user_name=bhxh" },
		{ "fpt", "client_id=cid" }, { "stringee", "key_sid=SK1" },
		{ "twilio", "account_sid=AC1" }, { "kannel", "user=bhxh" } };
	static const char *const names[] = { "api_key", "secret_key", "api_token", "password",
		"api_pass", "client_secret", "key_secret", "auth_token", "api_secret",
		"refresh_token" };

	sh_conf(g->h, "sender", "BHXH-VN");
	sh_conf(g->h, "balance_every", "0");
	sh_conf(g->h, "callback_url", "https://lantoa.example/w/sms/abc");
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (strcmp(given[i][0], vendor) == 0)
			sh_conf(g->h, "params", given[i][1]);
	if (strcmp(vendor, "viettel") == 0 || strcmp(vendor, "vnpt") == 0 ||
		strcmp(vendor, "kannel") == 0) {
		sh_conf(g->h, "base", "http://127.0.0.1:13013");
		sh_conf(g->h, "insecure_transport", "yes");
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sh_secret(g->h, names[i], "geheim");
	g->ranges = file_text("config/sms/ranges.tsv");
	sh_file(g->h, "ranges", g->ranges);
}

static inline void gate_new(struct gate *g, const char *vendor)
{
	char path[200];

	memset(g, 0, sizeof(*g));
	g->h = sh_new(&lantoa_adapter);
	(void)snprintf(path, sizeof(path), "config/sms/vendors/%s.json", vendor);
	g->vendor = file_text(path);
	gate_settings(g, vendor);
	sh_file(g->h, "vendor", g->vendor);
}

static inline int gate_open(struct gate *g)
{
	int rc = sh_open(g->h);

	if (rc == 0)
		g->session = sh_session(g->h);
	return rc;
}

static inline void gate_free(struct gate *g)
{
	sh_free(g->h);
	free(g->vendor);
	free(g->ranges);
}

#define PAYLOAD_GSM                                                                           \
	"lantoa-sms 1\ncoding: gsm\nsegments: 1\nunits: 20\ncategory: 3\ntemplate: DUTY-01\n" \
	"param: TTBC-2026-112\nparam: BHXH \"Hue\"\n\nTTBC-2026-112 da dang & <xong>"
#define PAYLOAD_UCS2                                                          \
	"lantoa-sms 1\ncoding: ucs2\nsegments: 1\nunits: 12\ncategory: 3\n\n" \
	"Đã đăng bài \"A\""

static inline size_t gate_send(struct gate *g, const char *to, const char *ref, const char *payload)
{
	size_t op = sh_op(g->h, g->session, to, ref, payload, 0);

	(void)sh_start(g->h, op, 1);
	return op;
}

/* An answer with headers ("Name: value" or NULL). */
static inline void gate_answer(struct gate *g, size_t call, int32_t status, const char *name,
	const char *value, const char *body, uint32_t truncated)
{
	struct sh_http *c = &g->h->http[call];
	struct lt_pair head = { .name = ltc_z(name), .value = ltc_z(value) };
	struct lt_http_res r = { .struct_size = sizeof(r),
		.status = status,
		.phase = LT_P_ANSWERED,
		.truncated = truncated,
		.headers = &head,
		.n_headers = name != NULL,
		.body = ltc_z(body) };
	struct lt_event ev = {
		.struct_size = sizeof(ev), .type = LT_EV_HTTP, .token = c->token, .u = &r
	};

	c->answered = true;
	(void)g->h->adapter->event(&g->h->inst, c->job, &ev);
	sh_turn(g->h);
}

#endif
