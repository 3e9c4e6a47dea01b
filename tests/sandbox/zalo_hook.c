/* zalo_hook.c - events to the client's address, signed as the console says: SHA-256 over app id, body, timestamp, OA secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/crypt.h"
#include "zalo.h"

#define TRIES 5

struct push {
	struct zalo_sb *z;
	char *url, *headers, *body;
	int num;
};

static void on_pushed(void *ctx, int status, struct str type, struct str body)
{
	struct push *p = ctx;
	cJSON *o = zl_ledger(NULL, "hook");
	char headers[400];

	(void)type;
	(void)body;
	json_put_i64(o, "status", status);
	json_put_i64(o, "num_retry", p->num);
	sb_ledger_json(p->z->s, o);
	/* their ladder is 30 s, 5 min ...; here in tenths of a second */
	if (status != 200 && p->num < TRIES) {
		p->num++;
		(void)snprintf(headers, sizeof(headers), "%snum_retry: %d\r\n", p->headers, p->num);
		if (sb_http_call(p->z->s, "POST", p->url, headers, str_of(p->body), 300 * p->num,
			    on_pushed, p) == 0)
			return;
	}
	free(p->url);
	free(p->headers);
	free(p->body);
	free(p);
}

static void sign(const struct zalo_sb *z, struct str body, const char *key, char hex[65])
{
	struct hasher h;
	struct hash r;
	char when[40] = "";
	const char *at = memmem(body.p, body.n, "\"timestamp\":\"", 13);

	if (at)
		(void)snprintf(
			when, sizeof(when), "%.*s", (int)strspn(at + 13, "0123456789"), at + 13);
	hasher_init(&h);
	hasher_add(&h, z->app_id, strlen(z->app_id));
	hasher_add(&h, body.p, body.n);
	hasher_add(&h, when, strlen(when));
	hasher_add(&h, key, strlen(key));
	hasher_end(&h, &r);
	hash_hex(&r, hex);
}

int zl_hook_send(
	struct zalo_sb *z, const char *url, struct str body, const char *how, int64_t delay_ms)
{
	struct push *p = x_calloc(1, sizeof(*p));
	char hex[65];

	sign(z, body, strcmp(how, "forged") == 0 ? "another key" : z->oa_secret, hex);
	for (char *c = hex; strcmp(how, "upper") == 0 && *c; c++)
		*c = *c >= 'a' && *c <= 'f' ? (char)(*c - 32) : *c;
	p->z = z;
	p->url = x_asprintf("%s", url);
	p->body = x_asprintf("%.*s", (int)body.n, body.p);
	p->headers = strcmp(how, "missing") == 0
		? x_asprintf("Content-Type: application/json\r\n")
		: x_asprintf("Content-Type: application/json\r\nX-ZEvent-Signature: %s%s\r\n",
			  strcmp(how, "bare") == 0 ? "" : "mac=", hex);
	int rc = sb_http_call(
		z->s, "POST", url, p->headers, str_of(p->body), delay_ms, on_pushed, p);
	if (rc < 0) {
		free(p->url);
		free(p->headers);
		free(p->body);
		free(p);
	}
	return rc;
}
