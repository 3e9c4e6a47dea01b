/* smsh_auth.c - log-in of a request by the vendor file: Basic, a fixed bearer, a token that is exchanged, a signed JWT.
 * Thread: loop. Owns: nothing. Basic needs base64 of the secret: it is in our memory for that moment and wiped; a JWT is signed by
 * the host. Failures: false and the reason. */
#include <stdio.h>
#include <string.h>
#include "smsh.h"

#define BASIC_MAX 600

bool smsh_auth_token_there(const struct smsh_vars *v, uint64_t *ret_version)
{
	struct lt_str value;

	*ret_version = 0;
	return v->si->vendor.auth_kind != SMSH_A_TOKEN ||
		(v->host->secret_get(v->host->ctx, v->job, SMSH_ACCESS, &value, ret_version) == 0 &&
			value.n > 0);
}

static bool fail(char *why, size_t size, const char *text)
{
	(void)snprintf(why, size, "log-in: %s", text);
	return false;
}

/* user:password with the secrets in their places; 0 when it does not fit. */
static size_t plain(const struct smsh_vars *v, const struct smsh_out *o, char *dst, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++) {
		struct lt_str s = { o->text.p + o->piece[i].at, o->piece[i].n };
		uint64_t version;
		if (o->piece[i].secret.p != NULL &&
			v->host->secret_get(
				v->host->ctx, v->job, o->piece[i].secret, &s, &version) != 0)
			return 0;
		if (s.n > size - n)
			return 0;
		if (s.n > 0)
			memcpy(dst + n, s.p, s.n);
		n += s.n;
	}
	return n;
}

static bool basic(const struct smsh_vars *v, struct smsh_out *o, char *why, size_t size)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	char open[BASIC_MAX], coded[BASIC_MAX * 4 / 3 + 8];
	struct smsh_out both;
	size_t n = 0;

	smsh_out_init(&both);
	if (smsh_render(&both, v, smsh_v_text(ven, ven->auth, "user"), SMSH_E_NONE) == 0 &&
		smsh_render(&both, v, LTC_LIT(":"), SMSH_E_NONE) == 0 &&
		smsh_render(&both, v, smsh_v_text(ven, ven->auth, "password"), SMSH_E_NONE) == 0)
		n = plain(v, &both, open, sizeof(open));
	if (n > 0) {
		ltc_addz(&o->text, "Basic ");
		ltc_add(&o->text, coded, ltc_base64(coded, open, n));
		explicit_bzero(coded, sizeof(coded));
		explicit_bzero(open, sizeof(open));
	} else
		(void)fail(why, size,
			both.why[0] != '\0' ? both.why
					    : "user and password are too long or missing");
	smsh_out_done(&both);
	return n > 0;
}

static bool part(
	const struct smsh_vars *v, uint32_t node, struct ltc_buf *dst, char *why, size_t size)
{
	struct smsh_out o;
	bool good;

	smsh_out_init(&o);
	good = smsh_render_json(&o, v, node) == 0;
	for (size_t i = 0; i < o.n; i++)
		good = good && o.piece[i].secret.p == NULL;
	if (good)
		smsh_base64url(dst, o.text.p, o.text.n);
	else
		(void)fail(
			why, size, o.why[0] != '\0' ? o.why : "a secret stands inside of the JWT");
	smsh_out_done(&o);
	return good;
}

static bool jwt(const struct smsh_vars *v, struct smsh_out *o, char *why, size_t size)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	uint32_t head = smsh_member(&ven->doc, ven->auth, "jwt_header");
	uint32_t claims = smsh_member(&ven->doc, ven->auth, "claims");
	struct lt_str prefix = smsh_v_text(ven, ven->auth, "prefix");
	uint8_t mac[64];
	size_t n = sizeof(mac);

	if (head == SMSH_NONE || claims == SMSH_NONE)
		return fail(why, size, "jwt needs \"jwt_header\" and \"claims\"");
	ltc_adds(&o->text, prefix);
	if (!part(v, head, &o->text, why, size))
		return false;
	ltc_addc(&o->text, '.');
	if (!part(v, claims, &o->text, why, size))
		return false;
	struct lt_src src = { .bytes = ltc_from(ltc_buf_str(&o->text), prefix.n) };
	if (v->host->mac(v->host->ctx, v->job, LT_MAC_HMAC_SHA256,
		    smsh_v_text(ven, ven->auth, "secret"), &src, 1, mac, &n) != 0)
		return fail(why, size, "there is no such secret to sign with");
	ltc_addc(&o->text, '.');
	smsh_base64url(&o->text, mac, n);
	return !o->text.failed;
}

bool smsh_auth_add(
	const struct smsh_vars *v, struct smsh_out *o, struct lt_pair *ret, char *why, size_t size)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	struct lt_str header = smsh_v_text(ven, ven->auth, "header");
	uint32_t prefix = smsh_member(&ven->doc, ven->auth, "prefix");

	*ret = (struct lt_pair){ .name = header.n > 0 ? header : LTC_LIT("Authorization") };
	switch (ven->auth_kind) {
	case SMSH_A_NONE: return fail(why, size, "none is needed");
	case SMSH_A_BASIC:
		if (!basic(v, o, why, size))
			return false;
		break;
	case SMSH_A_JWT:
		if (!jwt(v, o, why, size))
			return false;
		break;
	case SMSH_A_BEARER:
	case SMSH_A_TOKEN:
		ret->value = prefix == SMSH_NONE ? LTC_LIT("Bearer ")
						 : smsh_text(&ven->doc, prefix);
		ret->secret = ven->auth_kind == SMSH_A_TOKEN
			? SMSH_ACCESS
			: smsh_v_text(ven, ven->auth, "secret");
		return true;
	}
	ret->value = ltc_buf_str(&o->text);
	return true;
}
