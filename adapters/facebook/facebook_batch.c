/* facebook_batch.c - several questions in one request: POST to the version's root with batch=[...], each answer read by itself.
 * Only questions go this way: a publishing call in a batch would share its lost answer with all others (contract, section 9).
 * What may be in no address (a token that is inspected) stands in the body here. The token of the request stands there too, beside
 * the header: section 9 has it as always required.
 * Thread: loop. Owns: nothing beyond its job. Failures: an entry that is null was not answered in time; it is asked by itself. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

/* What stands in a JSON text within a form as it is. */
static bool plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		strchr("-._~", c) != NULL;
}

/* A value of an address: encoded, so that nothing of it means anything to JSON either. */
static void add_value(struct ltc_buf *b, struct lt_str v)
{
	char hex[4];

	for (size_t i = 0; i < v.n; i++) {
		(void)snprintf(hex, sizeof(hex), "%%%02X", (unsigned char)v.p[i]);
		if (v.p[i] != '\0' && plain(v.p[i]))
			ltc_addc(b, v.p[i]);
		else
			ltc_addz(b, hex);
	}
}

void fb_batch_add(struct ltc_buf *b, const char *path, const char *name, const char *value)
{
	ltc_addz(b,
		b->n > 0 ? ",{\"method\":\"GET\",\"relative_url\":\""
			 : "[{\"method\":\"GET\",\"relative_url\":\"");
	ltc_addz(b, path);
	ltc_addz(b, "?");
	ltc_addz(b, name);
	ltc_addz(b, "=");
	add_value(b, ltc_z(value));
	ltc_addz(b, "\"}");
}

int fb_batch_send(struct fb_job *j, struct ltc_buf *b)
{
	const struct fb_conf *c = fb_conf_of(j);

	ltc_addz(b, "]");
	struct lt_field f[] = { { .name = LTC_LIT("access_token"), .src = { .secret = c->token } },
		{ .name = LTC_LIT("include_headers"), .src = { .bytes = LTC_LIT("false") } },
		{ .name = LTC_LIT("batch"), .src = { .bytes = ltc_buf_str(b) } } };

	return b->failed ? -LT_E_FULL : fb_form(j, "", f, 3, 0, c->get_ms);
}

/* One entry of the answer. False: nothing stands there. The tree is the caller's. */
bool fb_batch_read(const struct fb_job *j, const struct ltc_json *entry, const char *phase,
	struct fb_verdict *v, struct ltc_json **ret)
{
	struct lt_http_res r = { .struct_size = sizeof(r),
		.phase = LT_P_ANSWERED,
		.status = (int32_t)ltc_json_int(entry, "code", 0),
		.body = ltc_json_str(entry, "body") };

	*ret = NULL;
	if (r.status < 100 || r.status > 599)
		return false;
	fb_answer_read(j->inst->priv, phase, &r, v, ret);
	v->res = NULL; /* it was ours */
	return true;
}

/* debug_token of the page's token, whose bytes the host puts between two fixed texts. They are not encoded there: false, when they
 * would have to be. */
bool fb_batch_can_carry(struct lt_str secret)
{
	for (size_t i = 0; i < secret.n; i++)
		if (secret.p[i] == '\0' || !plain(secret.p[i]))
			return false;
	return secret.n > 0;
}

int fb_batch_inspect(struct fb_job *j, struct lt_str app_head)
{
	const struct fb_conf *c = fb_conf_of(j);
	char head[80];

	/* access_token=APPID|....&include_headers=false&batch=[{"method":"GET","relative_url":"debug_token?input_token=...."}] */
	(void)snprintf(head, sizeof(head), "access_token=%.*s%%7C", (int)c->app_id.n, c->app_id.p);
	struct lt_field f[] = { { .src = { .bytes = ltc_z(head) } },
		{ .src = { .secret = c->app_secret } },
		{ .src = { .bytes = LTC_LIT(
				   "&include_headers=false&batch=%5B%7B%22method%22%3A%22GET%22%2C%22"
				   "relative_url%22%3A%22debug_token%3Finput_token%3D") } },
		{ .src = { .secret = c->token } }, { .src = { .bytes = LTC_LIT("%22%7D%5D") } } };
	struct fb_send s = { .method = "POST",
		.path = "",
		.body_kind = LT_BODY_RAW,
		.fields = f,
		.n_fields = 5,
		.total_ms = c->get_ms,
		.token = c->app_secret,
		.token_head = app_head };

	return fb_send(j, &s);
}
