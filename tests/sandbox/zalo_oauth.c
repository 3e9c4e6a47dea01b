/* zalo_oauth.c - tokens: pairs that rotate, each refresh token good once, and who may call with what.
 * Pair N of an OA is RT-OA-N and AT-OA-N; N is its generation. The first refresh token RT-OA-0 is given by hand.
 * The consent page answers with the address that the browser would be sent to: oa_id, where an administrator would choose, is one
 * more member. Its code is good once, with the verifier of the challenge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "zalo.h"

/* "RT-3300...-7": its OA and generation; NULL: no token of ours. */
static struct zl_oa *token_of(struct zalo_sb *z, const char *prefix, struct str t, int64_t *gen)
{
	struct str rest = t, p, id;

	if (!str_next(&rest, '-', &p) || !str_eqz(p, prefix) || !str_next(&rest, '-', &id) ||
		str_i64(rest, 0, INT32_MAX, gen))
		return NULL;
	return zl_oa_find(z, id);
}

static void oauth_error(struct zalo_sb *z, struct sb_req *q, int64_t error, const char *why)
{
	cJSON *o = json_obj();
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)error);
	if (z->quoted)
		json_put_z(o, "error", text);
	else
		json_put_i64(o, "error", error);
	json_put_z(o, "error_name", why);
	json_put_z(o, "error_reason", why);
	json_put_z(o, "error_description", why);
	json_put_z(o, "ref_doc", "");
	sb_res_json(q, 200, o);
}

static void pair(struct zalo_sb *z, struct sb_req *q, struct zl_oa *oa)
{
	char token[80], life[24];
	cJSON *o = json_obj();

	oa->generation++;
	oa->spent_used = 0;
	oa->access_expires_ms = sb_now_ms() + z->life_ms;
	z->rotations++;
	(void)snprintf(token, sizeof(token), "AT-%s-%lld", oa->id, (long long)oa->generation);
	json_put_z(o, "access_token", token);
	(void)snprintf(token, sizeof(token), "RT-%s-%lld", oa->id, (long long)oa->generation);
	if (!z->no_refresh_token)
		json_put_z(o, "refresh_token", token);
	(void)snprintf(life, sizeof(life), "%lld", (long long)z->expires_in);
	json_put_z(o, "expires_in", life);
	cJSON *line = zl_ledger(oa, "rotation");
	json_put_i64(line, "generation", oa->generation);
	sb_ledger_json(z->s, line);
	sb_res_json(q, 200, o);
}

static void spent(struct zalo_sb *z, struct sb_req *q, struct zl_oa *oa, int64_t gen)
{
	char of[60];

	z->spent++;
	(void)snprintf(of, sizeof(of), "generation %lld", (long long)gen);
	/* one try after a lost answer costs nothing; a second, or one of an older pair, is a fault */
	if (++oa->spent_used > 1 || gen + 1 != oa->generation)
		zl_violation(z, oa, "spent refresh token used again", of);
	if (z->reply_14014)
		oauth_error(z, q, -14014, "Invalid refresh token.");
	else
		sb_res_z(q, 200, "application/json", "");
}

static void refresh(struct zalo_sb *z, struct sb_req *q)
{
	int64_t gen = 0;
	struct zl_oa *oa = token_of(z, "RT", sb_req_field(q, "refresh_token"), &gen);

	if (!oa || gen > oa->generation)
		oauth_error(z, q, -14014, "Invalid refresh token.");
	else if (gen < oa->generation)
		spent(z, q, oa, gen);
	else
		pair(z, q, oa);
}

static void consent_page(struct zalo_sb *z, struct sb_req *q)
{
	struct zl_oa *oa = zl_oa_find(z, sb_req_field(q, "oa_id"));
	struct str challenge = sb_req_field(q, "code_challenge");
	char *to;

	if (!oa || !str_eqz(sb_req_field(q, "app_id"), z->app_id) || challenge.n != 43) {
		sb_res_z(q, 400, "text/plain", "who?");
		return;
	}
	zl_id(z, "C%2B", oa->code, sizeof(oa->code)); /* a '+' that a browser writes like this */
	(void)str_copy(oa->challenge, sizeof(oa->challenge), challenge);
	struct str back = sb_req_field(q, "redirect_uri"), state = sb_req_field(q, "state");
	to = x_asprintf(STR_FMT "?oa_id=%s&code=%s&state=" STR_FMT, STR_ARG(back), oa->id, oa->code,
		STR_ARG(state));
	oa->code[1] = '+';
	memmove(oa->code + 2, oa->code + 4, strlen(oa->code + 4) + 1);
	sb_res_z(q, 200, "text/plain", to);
	free(to);
}

/* The OA whose code this is, if the verifier belongs to the challenge that its page was opened with. */
static struct zl_oa *code_taken(struct zalo_sb *z, struct str code, struct str verifier)
{
	struct hash h;
	char b64[60];

	hash_bytes(&h, verifier.p, verifier.n);
	(void)base64_encode(b64, sizeof(b64), h.b, sizeof(h.b));
	for (char *p = b64; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '\0' : *p;
	for (size_t i = 0; i < z->n_oa; i++) {
		struct zl_oa *oa = &z->oa[i];
		if (!oa->code[0] || !str_eqz(code, oa->code))
			continue;
		oa->code[0] = '\0';
		return strcmp(oa->challenge, b64) == 0 ? oa : NULL;
	}
	return NULL;
}

static bool proof_good(const struct zalo_sb *z, const struct sb_req *q, struct str token)
{
	uint8_t mac[32];
	char hex[65];

	if (!z->need_proof)
		return true;
	if (mac_raw(1, str_of(z->app_secret), &token, 1, mac, sizeof(mac)) != 32)
		return false;
	hex_encode(hex, mac, sizeof(mac));
	return str_eqz(sb_req_header(q, "appsecret_proof"), hex);
}

bool zl_oauth(struct zalo_sb *z, struct sb_req *q)
{
	if (sb_path_is(q, "GET", "/v4/oa/permission")) {
		consent_page(z, q);
		return true;
	}
	if (!sb_path_is(q, "POST", "/v4/oa/access_token"))
		return false;
	struct str grant = sb_req_field(q, "grant_type"), app = sb_req_field(q, "app_id");
	if (!str_eqz(app, z->app_id))
		oauth_error(z, q, -14002, "app id is invalid");
	else if (z->app_secret[0] && !str_eqz(sb_req_header(q, "secret_key"), z->app_secret))
		oauth_error(z, q, -14004, "secret key is invalid");
	else if (str_eqz(grant, "refresh_token"))
		refresh(z, q);
	else if (str_eqz(grant, "authorization_code")) {
		/* of the page, or one that names its OA: CODE-OA, with any verifier of 43 characters */
		struct str code = sb_req_field(q, "code"),
			   verifier = sb_req_field(q, "code_verifier");
		struct zl_oa *oa = str_starts(code, "CODE-")
			? zl_oa_find(z, (struct str){ code.p + 5, code.n - 5 })
			: code_taken(z, code, verifier);
		if (!oa || verifier.n != 43)
			oauth_error(z, q, -14019, "Invalid code or verifier.");
		else
			pair(z, q, oa);
	} else {
		oauth_error(z, q, -14001, "grant type");
	}
	return true;
}

struct zl_oa *zl_access(struct zalo_sb *z, struct sb_req *q, bool zns)
{
	int64_t gen = 0;
	struct str t = sb_req_header(q, "access_token");
	struct zl_oa *oa = token_of(z, "AT", t, &gen);
	bool fresh = oa && gen == oa->generation && gen > 0;

	if (oa && z->keep_old_access && gen <= oa->generation)
		fresh = true;
	if (memmem(q->target.p, q->target.n, "AT-", 3))
		zl_violation(z, oa, "a token stands in an address", "");
	if (!fresh)
		zl_say(z, q, zns ? -124 : z->old_access, "Access token is invalid", NULL);
	else if (!proof_good(z, q, t))
		zl_say(z, q, zns ? -1241 : -242, "appsecret_proof is wrong", NULL);
	else if (oa->access_expires_ms <= sb_now_ms())
		zl_say(z, q, zns ? -124 : -220, "Access token has expired", NULL);
	else if (oa->disabled)
		zl_say(z, q, -204, "Official Account is disabled", NULL);
	else
		return oa;
	return NULL;
}
