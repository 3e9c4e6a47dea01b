/* smsh_verify.c - is a pushed report the vendor's? The signature is made anew by the host, over the text that the vendor file
 * describes, and compared in constant time. Who may call at all is the host's matter (webhook: allow).
 * Thread: loop. Owns: nothing. Failures: the reason; nothing of a forged report is looked at further. */
#include <string.h>
#include "smsh.h"

#define MAC_MAX 64

static struct lt_str header_of(const struct lt_request *r, struct lt_str name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (r->headers[i].name.n == name.n &&
			strncasecmp(r->headers[i].name.p, name.p, name.n) == 0)
			return r->headers[i].value;
	return (struct lt_str){ 0 };
}

static bool same(struct lt_str given, const char *made, size_t n, bool fold)
{
	unsigned diff = given.n != n;

	for (size_t i = 0; i < n && i < given.n; i++) {
		char c = given.p[i];
		if (fold && c >= 'A' && c <= 'F')
			c = (char)(c + 32);
		diff |= (unsigned char)(c ^ made[i]);
	}
	return diff == 0;
}

static bool mac_matches(
	const struct smsh_vars *v, uint32_t at, struct lt_str signed_text, struct lt_str given)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	struct lt_str alg = smsh_v_text(ven, at, "algorithm");
	bool base64 = ltc_eqz(smsh_v_text(ven, at, "encoding"), "base64");
	struct lt_src src = { .bytes = {
				      signed_text.p == NULL ? "" : signed_text.p, signed_text.n } };
	uint32_t a = ltc_eqz(alg, "hmac_sha1") ? LT_MAC_HMAC_SHA1
		: ltc_eqz(alg, "sha256")       ? LT_MAC_SHA256
					       : LT_MAC_HMAC_SHA256;
	uint8_t mac[MAC_MAX];
	char text[MAC_MAX * 2 + 4];
	size_t n = sizeof(mac), len = 0;

	if (v->host->mac(v->host->ctx, v->job, a, smsh_v_text(ven, at, "secret"), &src, 1, mac,
		    &n) != 0 ||
		n > sizeof(mac))
		return false;
	if (base64)
		len = ltc_base64(text, mac, n);
	else
		for (size_t i = 0; i < n; i++) {
			text[len++] = "0123456789abcdef"[mac[i] >> 4];
			text[len++] = "0123456789abcdef"[mac[i] & 15];
		}
	return same(given, text, len, !base64);
}

const char *smsh_verify(const struct smsh_vars *v, uint32_t section)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	uint32_t at = smsh_member(&ven->doc, section, "verify");
	struct lt_str head = smsh_v_text(ven, at, "header"),
		      prefix = smsh_v_text(ven, at, "prefix");
	struct lt_str given = { 0 };
	const char *why = NULL;
	struct smsh_out o;

	if (at == SMSH_NONE)
		return NULL;
	if (head.n > 0)
		given = header_of(v->request, head);
	else if (v->fields != NULL)
		given = smsh_point_text(ven, at, "field", v->fields, 0);
	if (given.n == 0)
		return "it is not signed";
	if (prefix.n > 0) {
		if (given.n < prefix.n || memcmp(given.p, prefix.p, prefix.n) != 0)
			return "its signature has another form";
		given = ltc_from(given, prefix.n);
	}
	smsh_out_init(&o);
	if (smsh_render(&o, v, smsh_v_text(ven, at, "string"), SMSH_E_NONE) < 0)
		why = "what is signed cannot be made";
	else if (!mac_matches(v, at, smsh_out_str(&o), given))
		why = "its signature is wrong";
	smsh_out_done(&o);
	return why;
}
