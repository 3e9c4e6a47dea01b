/* echo.c - the plainest provider: says what it was asked and keeps it in the ledger ("t":"echo"). The sandbox's own test and the
 * webhooks of others talk to it. */
#include <string.h>
#include "base/crypt.h"
#include "http.h"

static cJSON *pairs(const struct sb_field *f, size_t n)
{
	cJSON *a = json_arr();

	for (size_t i = 0; i < n; i++) {
		cJSON *o = json_obj();
		json_put_str(o, "name", f[i].name);
		if (f[i].filename.p == NULL)
			json_put_str(o, "value", f[i].value);
		else {
			json_put_str(o, "filename", f[i].filename);
			json_put_str(o, "type", f[i].type);
			json_put_i64(o, "bytes", (int64_t)f[i].value.n);
		}
		json_add(a, o);
	}
	return a;
}

static void on_request(void *ctx, struct sb_req *q)
{
	struct sandbox *s = ctx;
	cJSON *o = json_obj(), *line = json_obj();

	json_put_str(o, "method", q->method);
	json_put_str(o, "path", q->path);
	json_put_i64(o, "body_bytes", (int64_t)q->body.n);
	json_put(o, "fields", pairs(q->fields, q->n_fields));
	if (q->json != NULL)
		json_put(o, "json", cJSON_Duplicate(q->json, true));
	json_put_z(line, "t", "echo");
	json_put(line, "request", cJSON_Duplicate(o, true));
	sb_ledger_json(s, line);
	s->taken++;
	sb_res_json(q, 200, o);
}

static void on_called(void *ctx, int status, struct str type, struct str body)
{
	struct sandbox *s = ctx;
	cJSON *line = json_obj();

	json_put_z(line, "t", "called");
	json_put_i64(line, "status", status);
	json_put_str(line, "type", type);
	json_put_i64(line, "bytes", (int64_t)body.n);
	sb_ledger_json(s, line);
}

/* {"cmd":"call","method":"POST","url":"http://127.0.0.1:...","headers":"A: b\r\n","body":"...","delay_ms":0} */
static int do_call(void *ctx, const cJSON *in, cJSON *ret, struct err *e)
{
	struct sandbox *s = ctx;
	struct str body = json_str(in, "body");

	(void)ret;
	if (sb_http_call(s, json_z(in, "method", "POST"), json_z(in, "url", ""),
		    json_z(in, "headers", ""), body.p == NULL ? str_of("") : body,
		    json_i64(in, "delay_ms", 0), on_called, s) < 0)
		return err_set(e, -EINVAL, "url: http://127.0.0.1:PORT/... is what can be called");
	return 0;
}

static int echo_open(struct sandbox *s, const cJSON *script, struct err *e)
{
	(void)script;
	sb_ctl_add(s, "call", do_call, s);
	return sb_http_listen(s, "echo", 0, on_request, s, e);
}

const struct sb_provider sb_provider_echo = { .name = "echo", .open = echo_open };
