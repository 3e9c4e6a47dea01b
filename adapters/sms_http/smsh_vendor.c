/* smsh_vendor.c - the vendor file as a tree with its sections found and its regular expressions made.
 * Thread: loop, once at open; read-only after. Owns: the tree and the expressions; strings are borrowed from the file's text.
 * Failures: -EINVAL; line, value and what would be right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "smsh.h"

#define FEW_MAX 100

#define PATTERN_MAX 200u

struct lt_str smsh_v_text(const struct smsh_vendor *v, uint32_t object, const char *key)
{
	return smsh_text(&v->doc, smsh_member(&v->doc, object, key));
}

const regex_t *smsh_v_regex(const struct smsh_vendor *v, uint32_t node)
{
	for (size_t i = 0; i < v->n_regex; i++)
		if (v->regex[i].node == node)
			return &v->regex[i].re;
	return NULL;
}

static int fail(const struct smsh_vendor *v, uint32_t node, const char *what, const char *right,
	char *err, size_t size)
{
	const struct smsh_node *n = &v->doc.nodes[node < v->doc.n ? node : 0];

	(void)snprintf(err, size, "vendor file, line %u: %s '%.*s'; %s", n->line, what,
		(int)(n->text.n > 60 ? 60 : n->text.n), n->text.p == NULL ? "" : n->text.p, right);
	return -EINVAL;
}

/* Back references and large repetitions are what makes a POSIX expression slow or large. */
static const char *pattern_fault(struct lt_str p)
{
	if (p.n == 0 || p.n > PATTERN_MAX)
		return "an expression of 1 to 200 bytes";
	for (size_t i = 0; i + 1 < p.n; i++) {
		if (p.p[i] == '\\' && p.p[i + 1] >= '1' && p.p[i + 1] <= '9')
			return "an expression without back references";
		if (p.p[i] == '\\')
			i++;
		else if (p.p[i] == '{')
			return "an expression without counted repetitions";
	}
	return NULL;
}

/* `reads`: its groups are what an answer is read into. */
static int regex_add(struct smsh_vendor *v, uint32_t node, bool reads, char *err, size_t size)
{
	struct lt_str p = v->doc.nodes[node].text;
	const char *why = pattern_fault(p);
	char z[PATTERN_MAX + 1];

	if (why == NULL && v->n_regex == SMSH_REGEX_MAX)
		why = "at most 64 expressions in a file";
	if (why != NULL)
		return fail(v, node, "expression", why, err, size);
	memcpy(z, p.p, p.n);
	z[p.n] = '\0';
	struct smsh_regex *r = &v->regex[v->n_regex];
	if (regcomp(&r->re, z, REG_EXTENDED | REG_NEWLINE | (reads ? 0 : REG_NOSUB)) != 0)
		return fail(
			v, node, "expression", "a POSIX extended regular expression", err, size);
	v->n_regex++;
	r->node = node;
	return reads && r->re.re_nsub > SMSH_GROUPS
		? fail(v, node, "expression", "at most 9 groups", err, size)
		: 0;
}

static int regexes(struct smsh_vendor *v, char *err, size_t size)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < v->doc.n; i++) {
		const struct smsh_node *n = &v->doc.nodes[i];
		bool reads = ltc_eqz(n->key, "pattern") && n->parent != SMSH_NONE &&
			ltc_eqz(v->doc.nodes[n->parent].key, "answer");
		if (reads || ltc_eqz(n->key, "matches") || ltc_eqz(n->key, "body_matches"))
			rc = regex_add(v, i, reads, err, size);
	}
	return rc;
}

static int read_phone(struct smsh_vendor *v, char *err, size_t size)
{
	struct lt_str p = smsh_v_text(v, 0, "phone");

	if (ltc_eqz(p, "0"))
		v->phone = SMS_PHONE_0;
	else if (ltc_eqz(p, "84"))
		v->phone = SMS_PHONE_84;
	else if (ltc_eqz(p, "+84"))
		v->phone = SMS_PHONE_PLUS84;
	else
		return fail(v, smsh_member(&v->doc, 0, "phone"), "phone is",
			"\"0\", \"84\" or \"+84\"", err, size);
	return 0;
}

static bool says(struct lt_str text, const char *what)
{
	return text.n > 0 && memmem(text.p, text.n, what, strlen(what)) != NULL;
}

/* Some text of `from` or below names the refresh token. */
static bool names_refresh(const struct smsh_vendor *v, uint32_t from)
{
	for (uint32_t i = 0; i < v->doc.n; i++) {
		uint32_t up = i;
		if (!says(v->doc.nodes[i].text, "secret:refresh_token"))
			continue;
		while (up != SMSH_NONE && up != from)
			up = v->doc.nodes[up].parent;
		if (up == from)
			return true;
	}
	return false;
}

static int read_auth(struct smsh_vendor *v, char *err, size_t size)
{
	static const char *const kinds[] = { "none", "basic", "bearer", "token", "jwt" };
	struct lt_str k = smsh_v_text(v, v->auth, "kind");

	if (v->auth == SMSH_NONE)
		return 0;
	for (size_t i = 0; i < 5; i++)
		if (ltc_eqz(k, kinds[i])) {
			v->auth_kind = (enum smsh_auth)i;
			v->token_spends = smsh_points(v, v->auth, "refresh") ||
				names_refresh(v, v->auth);
			return 0;
		}
	return fail(v, smsh_member(&v->doc, v->auth, "kind"), "auth.kind is",
		"none, basic, bearer, token or jwt", err, size);
}

static int read_batch(struct smsh_vendor *v, char *err, size_t size)
{
	uint32_t batch = smsh_member(&v->doc, 0, "batch");
	int64_t n = 1;

	if (batch != SMSH_NONE && ltc_i64(smsh_text(&v->doc, batch), 1, SMSH_BATCH_MAX, &n) != 0)
		return fail(v, batch, "batch is", "a number from 1 to 1000", err, size);
	v->batch_max = (uint32_t)n;
	return 0;
}

static int read_few(struct smsh_vendor *v, char *err, size_t size)
{
	uint32_t below = smsh_member(&v->doc, v->few, "below");
	int64_t n = 0;

	if (v->few == SMSH_NONE)
		return 0;
	if (below == SMSH_NONE || ltc_i64(smsh_text(&v->doc, below), 2, FEW_MAX, &n) != 0)
		return fail(v, below == SMSH_NONE ? v->few : below, "few.below is",
			"a number from 2 to 100: fewer numbers than that go one by one", err, size);
	v->few_below = (uint32_t)n;
	return 0;
}

static void sections(struct smsh_vendor *v)
{
	v->settings = smsh_member(&v->doc, 0, "settings");
	v->needs = smsh_member(&v->doc, 0, "needs");
	v->auth = smsh_member(&v->doc, 0, "auth");
	v->send = smsh_member(&v->doc, 0, "send");
	v->few = smsh_member(&v->doc, 0, "few");
	v->ask = smsh_member(&v->doc, 0, "ask");
	v->receipts = smsh_member(&v->doc, 0, "receipts");
	v->inbound = smsh_member(&v->doc, 0, "inbound");
	v->poll = smsh_member(&v->doc, 0, "poll");
	v->balance = smsh_member(&v->doc, 0, "balance");
	v->backoff = smsh_member(&v->doc, 0, "backoff");
	v->name = smsh_v_text(v, 0, "vendor");
	v->base = smsh_v_text(v, 0, "base");
}

int smsh_vendor_read(struct smsh_vendor *v, struct lt_str text, char *err, size_t size)
{
	memset(v, 0, sizeof(*v));
	if (text.n == 0) {
		(void)snprintf(err, size,
			"files: a vendor file is needed, such as {vendor: ../sms/vendors/esms.json}");
		return -EINVAL;
	}
	int rc = smsh_doc_read(&v->doc, SMSH_F_JSON, text);
	if (rc < 0) {
		(void)snprintf(err, size, "vendor file, %s", v->doc.why);
		smsh_vendor_done(v);
		return -EINVAL;
	}
	sections(v);
	rc = read_phone(v, err, size);
	rc = rc < 0 ? rc : read_auth(v, err, size);
	rc = rc < 0 ? rc : read_batch(v, err, size);
	rc = rc < 0 ? rc : read_few(v, err, size);
	rc = rc < 0 ? rc : regexes(v, err, size);
	rc = rc < 0 ? rc : smsh_vendor_check(v, err, size);
	if (rc < 0)
		smsh_vendor_done(v);
	return rc;
}

void smsh_vendor_done(struct smsh_vendor *v)
{
	while (v->n_regex > 0)
		regfree(&v->regex[--v->n_regex].re);
	smsh_doc_done(&v->doc);
}
