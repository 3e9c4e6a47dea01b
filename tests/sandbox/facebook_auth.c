/* facebook_auth.c - who asks: tokens, the proof of the app's secret, limits and their headers; errors as the API words them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "facebook.h"

void fbx_error(struct sb_req *q, int status, int64_t code, int64_t sub, const char *message)
{
	cJSON *o = json_obj(), *e = json_obj();

	json_put_z(e, "message", message);
	json_put_z(e, "type", "OAuthException");
	json_put_i64(e, "code", code);
	if (sub)
		json_put_i64(e, "error_subcode", sub);
	json_put_z(e, "fbtrace_id", "AsandboxTrace");
	json_put(o, "error", e);
	fbx_reply(q, status, o);
}

void fbx_ok(struct sb_req *q)
{
	cJSON *o = json_obj();

	json_put_bool(o, "success", true);
	fbx_reply(q, 200, o);
}

static struct str token_of(struct fbx *f, const struct sb_req *q)
{
	struct str h = sb_req_header(q, "Authorization"), t = sb_req_field(q, "access_token");

	if (h.p && str_starts(h, "Bearer "))
		return (struct str){ h.p + 7, h.n - 7 };
	if (t.p && q->query.p && memmem(q->query.p, q->query.n, "access_token", 12)) {
		f->leaks++;
		cJSON *o = json_obj();
		json_put_z(o, "t", "fb_leak");
		json_put_str(o, "path", q->path);
		sb_ledger_json(f->s, o);
	}
	return t;
}

static struct fbx_page *page_of_token(struct fbx *f, struct str t, bool *ret_old)
{
	char text[200];

	*ret_old = false;
	for (size_t i = 0; i < f->n_pages; i++) {
		fbx_token(f, f->pages[i], text);
		if (str_eqz(t, text))
			return f->pages[i];
		size_t n = strlen(f->pages[i]->id);
		if (t.n > 7 + n && str_starts(t, "EAAPage") &&
			memcmp(t.p + 7, f->pages[i]->id, n) == 0) {
			*ret_old = true;
			return f->pages[i];
		}
	}
	return NULL;
}

static bool proof_good(const struct fbx *f, const struct sb_req *q, struct str token)
{
	struct str got = sb_req_field(q, "appsecret_proof"), at = sb_req_field(q, "appsecret_time");
	struct str parts[3] = { token, STR("|"), at };
	uint8_t mac[32];
	char hex[65];

	if (!got.p)
		return !f->need_proof;
	if (mac_raw(1, str_of(f->app_secret), parts, at.p ? 3 : 1, mac, sizeof(mac)) != 32)
		return false;
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	if (at.p) {
		int64_t sec = 0;
		if (str_i64(at, 0, INT64_MAX, &sec) || llabs(sec - sb_now_ms() / 1000) > 300)
			return false;
	}
	return str_eqz(got, hex);
}

static bool no_token(struct fbx *f, struct sb_req *q, struct fbx_page *p)
{
	if (p) {
		f->after_token += p->refused_once;
		p->refused_once = true;
	}
	fbx_error(q, 400, 190,
		!p                     ? 467
			: p->token_sub ? p->token_sub
				       : 460,
		p ? "Error validating access token: session invalidated"
		  : "Invalid OAuth access token.");
	return false;
}

bool fbx_auth(struct fbx *f, struct sb_req *q, struct fbx_caller *ret)
{
	struct str t = token_of(f, q);
	char app[200];
	bool old;

	*ret = (struct fbx_caller){ FBX_NOBODY, NULL };
	(void)snprintf(app, sizeof(app), "%s|%s", f->app_id, f->app_secret);
	if (!t.p || !t.n) {
		fbx_error(q, 400, 2500, 0,
			"An active access token must be used to query information");
		return false;
	}
	if (str_eqz(t, app)) {
		ret->who = FBX_APP;
	} else if (str_eqz(t, f->system_token)) {
		ret->who = FBX_USER;
	} else {
		ret->who = FBX_PAGE;
		/* The page may be new to us, its token not. */
		(void)fbx_page(f, sb_path_segment(q, 1));
		ret->page = page_of_token(f, t, &old);
		if (!ret->page || old || ret->page->revoked)
			return no_token(f, q, ret->page);
	}
	if (!proof_good(f, q, t)) {
		f->proofs_missing++;
		fbx_error(q, 400, 100, 0, "Invalid appsecret_proof provided in the API argument");
		return false;
	}
	if (ret->page)
		ret->page->requests++;
	return true;
}

static void usage_headers(struct sb_req *q, const struct fbx *f, const struct fbx_page *p)
{
	char text[400];

	if (f->app_usage > 0) {
		(void)snprintf(text, sizeof(text),
			"{\"call_count\":%lld,\"total_time\":25,\"total_cputime\":25}",
			(long long)f->app_usage);
		fbx_header(q, "X-App-Usage", text);
	}
	if (p->usage > 0) { /* the same key twice, as the API's own sample has it */
		(void)snprintf(text, sizeof(text),
			"{\"%s\":[{\"type\":\"pages\",\"call_count\":%lld,\"total_cputime\":4,\"total_time\":3,"
			"\"estimated_time_to_regain_access\":0}],\"%s\":[{\"type\":\"pages\",\"call_count\":1,"
			"\"total_cputime\":1,\"total_time\":1,\"estimated_time_to_regain_access\":0}]}",
			p->id, (long long)p->usage, p->id);
		fbx_header(q, "X-Business-Use-Case-Usage", text);
	}
}

bool fbx_app_limit(struct fbx *f, struct sb_req *q)
{
	if (sb_now_ms() >= f->app_until)
		return true;
	f->limited++;
	fbx_header(q, "X-App-Usage", "{\"call_count\":100,\"total_time\":25,\"total_cputime\":25}");
	fbx_error(q, f->limited % 2 ? 403 : 400, 4, 0, "(#4) Application request limit reached");
	return false;
}

bool fbx_limits(struct fbx *f, struct sb_req *q, struct fbx_page *p)
{
	char text[300];

	usage_headers(q, f, p);
	if (p->throttle <= 0)
		return true;
	p->throttle--;
	if (p->throttle_headers) {
		(void)snprintf(text, sizeof(text),
			"{\"%s\":[{\"type\":\"pages\",\"call_count\":100,\"total_cputime\":41,\"total_time\":37,"
			"\"estimated_time_to_regain_access\":%lld}]}",
			p->id, (long long)p->throttle_minutes);
		fbx_header(q, "X-Business-Use-Case-Usage", text);
	}
	(void)snprintf(text, sizeof(text), "(#%lld) too many calls to this Page account",
		(long long)p->throttle_code);
	fbx_error(q, p->throttle % 2 ? 403 : 400, p->throttle_code, 0, text);
	return false;
}

/* --- the webhook ----------------------------------------------------------------------------------------------------------- */
static cJSON *hook_body(const struct fbx_post *p, const char *verb)
{
	cJSON *o = json_obj(), *entries = json_arr(), *e = json_obj(), *changes = json_arr(),
	      *c = json_obj(), *v = json_obj(), *from = json_obj();

	json_put_z(v, "item", p->n_photos ? "photo" : "status");
	json_put_z(v, "verb", verb);
	json_put_z(v, "post_id", p->id);
	json_put_i64(v, "published", p->live);
	json_put_i64(v, "created_time", p->live_ms / 1000);
	json_put_z(v, "message", p->message);
	json_put_z(from, "id", p->page->id);
	json_put_z(from, "name", p->page->name);
	json_put(v, "from", from);
	json_put_z(c, "field", "feed");
	json_put(c, "value", v);
	json_add(changes, c);
	json_put_z(e, "id", p->page->id);
	json_put_i64(e, "time", sb_now_ms() / 1000);
	json_put(e, "changes", changes);
	json_add(entries, e);
	json_put_z(o, "object", "page");
	json_put(o, "entry", entries);
	return o;
}

void fbx_hook(struct fbx *f, const struct fbx_post *p, const char *verb, const char *url)
{
	cJSON *o = hook_body(p, verb);
	char *body = json_print(o), headers[200];
	struct str part = str_of(body);
	uint8_t mac[32];
	size_t n = (size_t)snprintf(headers, sizeof(headers),
		"Content-Type: application/json\r\nX-Hub-Signature-256: sha256=");

	REQUIRE(mac_raw(1, str_of(f->app_secret), &part, 1, mac, sizeof(mac)) == 32);
	for (size_t i = 0; i < 32; i++)
		n += (size_t)snprintf(headers + n, sizeof(headers) - n, "%02x", mac[i]);
	(void)snprintf(headers + n, sizeof(headers) - n, "\r\n");
	(void)sb_http_call(f->s, "POST", url, headers, part, 0, NULL, NULL);
	free(body);
	cJSON_Delete(o);
}
