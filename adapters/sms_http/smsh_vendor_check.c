/* smsh_vendor_check.c - a vendor file is read strictly: an unknown name, a template that cannot be filled, a pointer that is none
 * or a list of rules that leaves a case open is refused, with its line. Thread: loop, at open. Owns: nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "smsh.h"

struct in {
	struct smsh_vendor *v;
	char *err;
	size_t size;
	bool bad;
};

static void complain(struct in *in, uint32_t node, const char *what, const char *right)
{
	const struct smsh_node *n = &in->v->doc.nodes[node < in->v->doc.n ? node : 0];
	struct lt_str say = n->text.n > 0 ? n->text : n->key;

	if (!in->bad)
		(void)snprintf(in->err, in->size, "vendor file, line %u: %s '%.*s'; %s", n->line,
			what, (int)(say.n > 60 ? 60 : say.n), say.p == NULL ? "" : say.p, right);
	in->bad = true;
}

static bool in_words(struct lt_str s, const char *words)
{
	struct lt_str rest = ltc_z(words), w;

	while (ltc_next(&rest, ' ', &w))
		if (ltc_eq(w, s))
			return true;
	return false;
}

static uint32_t first(const struct in *in, uint32_t node)
{
	return node == SMSH_NONE ? SMSH_NONE : in->v->doc.nodes[node].first;
}

static uint32_t next(const struct in *in, uint32_t node)
{
	return in->v->doc.nodes[node].next;
}

static uint32_t get(const struct in *in, uint32_t object, const char *key)
{
	return smsh_member(&in->v->doc, object, key);
}

/* An object with these members only; false: it is not there. */
static bool object(struct in *in, uint32_t node, const char *keys)
{
	char right[300];

	if (node == SMSH_NONE)
		return false;
	if (in->v->doc.nodes[node].type != SMSH_OBJECT) {
		complain(in, node, "here stands", "an object in { } is wanted");
		return false;
	}
	for (uint32_t c = first(in, node); c != SMSH_NONE; c = next(in, c))
		if (!in_words(in->v->doc.nodes[c].key, keys)) {
			struct lt_str k = in->v->doc.nodes[c].key;
			in->v->doc.nodes[c].text = k; /* the name is what is wrong */
			(void)snprintf(right, sizeof(right), "known here: %s", keys);
			complain(in, c, "unknown name", right);
		}
	return true;
}

static void words(struct in *in, uint32_t object_node, const char *key, const char *list)
{
	uint32_t n = get(in, object_node, key);
	char right[160];

	if (n == SMSH_NONE || in_words(in->v->doc.nodes[n].text, list))
		return;
	(void)snprintf(right, sizeof(right), "one of: %s", list);
	complain(in, n, key, right);
}

static void template(struct in *in, uint32_t node)
{
	char buf[120];

	if (node == SMSH_NONE)
		return;
	const char *why = smsh_template_fault(in->v, in->v->doc.nodes[node].text, buf, sizeof(buf));
	if (why != NULL)
		complain(in, node, "template", why);
}

static void templates(struct in *in, uint32_t node)
{
	if (node == SMSH_NONE)
		return;
	if (in->v->doc.nodes[node].type == SMSH_STRING)
		template(in, node);
	for (uint32_t c = first(in, node); c != SMSH_NONE; c = next(in, c))
		templates(in, c);
}

static void pointer_one(struct in *in, uint32_t node)
{
	const struct smsh_node *n = &in->v->doc.nodes[node];

	if (n->type != SMSH_STRING || (n->text.n > 0 && n->text.p[0] != '/'))
		complain(in, node, "pointer",
			"a JSON Pointer such as /data/tranId, //result, or \"\" for all");
}

static void pointer(struct in *in, uint32_t node)
{
	if (node == SMSH_NONE)
		return;
	if (in->v->doc.nodes[node].type != SMSH_ARRAY) {
		pointer_one(in, node);
		return;
	}
	if (first(in, node) == SMSH_NONE)
		complain(in, node, "an empty list is", "one pointer or more");
	for (uint32_t c = first(in, node); c != SMSH_NONE; c = next(in, c))
		pointer_one(in, c);
}

static void pointers(struct in *in, uint32_t object_node, const char *keys)
{
	struct lt_str rest = ltc_z(keys), k;
	char z[32];

	while (ltc_next(&rest, ' ', &k)) {
		(void)snprintf(z, sizeof(z), "%.*s", (int)k.n, k.p);
		pointer(in, get(in, object_node, z));
	}
}

static void integer(struct in *in, uint32_t object_node, const char *key)
{
	uint32_t n = get(in, object_node, key);
	int64_t v;

	if (n != SMSH_NONE &&
		ltc_i64(in->v->doc.nodes[n].text, -1000000000000, 1000000000000, &v) != 0)
		complain(in, n, key, "a whole number");
}

static void secret_name(struct in *in, uint32_t object_node, const char *key)
{
	uint32_t n = get(in, object_node, key);

	if (n != SMSH_NONE &&
		(in->v->doc.nodes[n].type != SMSH_STRING || in->v->doc.nodes[n].text.n == 0))
		complain(in, n, key, "the name of a secret");
}

#define COND_KEYS "status at is not exists matches body_matches header min max and any note"

static void condition(struct in *in, uint32_t node)
{
	static const char *const lists[] = { "and", "any" };
	static const char *const values[] = { "is", "not", "exists", "matches", "min", "max" };

	pointers(in, node, "at");
	integer(in, node, "min");
	integer(in, node, "max");
	words(in, node, "exists", "true false");
	for (size_t i = 0; i < 2; i++)
		for (uint32_t c = first(in, get(in, node, lists[i])); c != SMSH_NONE;
			c = next(in, c))
			if (object(in, c, COND_KEYS))
				condition(in, c);
	for (size_t i = 0; i < 6; i++)
		if (get(in, node, values[i]) != SMSH_NONE && get(in, node, "at") == SMSH_NONE &&
			get(in, node, "header") == SMSH_NONE)
			complain(in, get(in, node, values[i]), "a value without",
				"\"at\" or \"header\" beside it");
	if (get(in, node, "status") != SMSH_NONE) {
		struct lt_str s = smsh_v_text(in->v, node, "status");
		for (size_t i = 0; i < s.n; i++)
			if ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '-' && s.p[i] != ',')
				complain(in, get(in, node, "status"), "status",
					"numbers and ranges such as 200-299,429");
	}
}

static bool unconditional(const struct in *in, uint32_t node)
{
	static const char *const conds[] = { "status", "at", "body_matches", "header", "and",
		"any" };

	for (size_t i = 0; i < 6; i++)
		if (get(in, node, conds[i]) != SMSH_NONE)
			return false;
	return true;
}

static void rules(struct in *in, uint32_t node, bool last_needed)
{
	uint32_t last = SMSH_NONE;

	if (node != SMSH_NONE && in->v->doc.nodes[node].type != SMSH_ARRAY) {
		complain(in, node, "rules are", "a list in [ ]");
		return;
	}
	for (uint32_t c = first(in, node); c != SMSH_NONE; c = next(in, c)) {
		if (!object(in, c, COND_KEYS " then scope flags retry_s"))
			return;
		condition(in, c);
		integer(in, c, "retry_s");
		words(in, c, "scope", "target release lane account channel class");
		uint32_t then = get(in, c, "then");
		if (!smsh_class_known(smsh_text(&in->v->doc, then)))
			complain(in, then == SMSH_NONE ? c : then, "then",
				"accepted, duplicate, same_text, temp, throttle, bad_rcpt, bad_msg, route_down, unknown, token, items or segments");
		for (uint32_t f = first(in, get(in, c, "flags")); f != SMSH_NONE; f = next(in, f))
			if (!in_words(in->v->doc.nodes[f].text,
				    "suppress strike free person elsewhere"))
				complain(in, f, "flag",
					"suppress, strike, free, person or elsewhere");
		last = c;
	}
	if (last_needed &&
		(last == SMSH_NONE || !unconditional(in, last) ||
			!ltc_eqz(smsh_v_text(in->v, last, "then"), "unknown")))
		complain(in, last == SMSH_NONE ? 0 : last, "the last rule",
			"must be {\"then\": \"unknown\"} without a condition: what proves nothing is unknown");
}

#define CHARSETS "utf-8 latin1 windows-1258"

static void needs_at(struct in *in, uint32_t node)
{
	if (get(in, node, "at") == SMSH_NONE)
		complain(in, node, "\"at\" is missing in", "a pointer to the list");
}

static void answer(struct in *in, uint32_t node)
{
	if (!object(in, node,
		    "note format charset pattern rules items segments rejected id code text with_phone"))
		return;
	words(in, node, "format", "json xml form regex none");
	words(in, node, "charset", CHARSETS);
	bool regex = ltc_eqz(smsh_v_text(in->v, node, "format"), "regex");
	if (regex != (get(in, node, "pattern") != SMSH_NONE))
		complain(in, node, "format and pattern of",
			"\"format\": \"regex\" and \"pattern\", an expression, belong together");
	pointers(in, node, "id code text");
	secret_name(in, node, "with_phone");
	rules(in, get(in, node, "rules"), true);
	uint32_t items = get(in, node, "items"), seg = get(in, node, "segments");
	uint32_t rej = get(in, node, "rejected");
	if (object(in, items, "note at phone rules id code text")) {
		needs_at(in, items);
		pointers(in, items, "at phone id code text");
		rules(in, get(in, items, "rules"), true);
	}
	if (object(in, seg, "note at rules id code text")) {
		needs_at(in, seg);
		pointers(in, seg, "at id code text");
		rules(in, get(in, seg, "rules"), true);
	}
	if (object(in, rej, "note at then")) {
		needs_at(in, rej);
		pointers(in, rej, "at");
	}
}

static void call(struct in *in, uint32_t node, const char *more)
{
	char keys[200];

	(void)snprintf(keys, sizeof(keys),
		"note method url query headers type content_type body auth answer%s%s",
		more[0] != '\0' ? " " : "", more);
	if (!object(in, node, keys))
		return;
	words(in, node, "method", "GET POST PUT");
	words(in, node, "type", "json form xml raw none");
	words(in, node, "auth", "true false");
	if (smsh_v_text(in->v, node, "url").n == 0)
		complain(in, node, "url is missing in", "an address such as {{base}}/sms/send");
	template(in, get(in, node, "url"));
	templates(in, get(in, node, "query"));
	templates(in, get(in, node, "headers"));
	templates(in, get(in, node, "body"));
	answer(in, get(in, node, "answer"));
}

static void reports(struct in *in, uint32_t node)
{
	if (!object(in, node, "note array id ref phone code text with_phone when map"))
		return;
	pointers(in, node, "array id ref phone code text");
	secret_name(in, node, "with_phone");
	uint32_t when = get(in, node, "when");
	if (object(in, when, COND_KEYS))
		condition(in, when);
	for (uint32_t c = first(in, get(in, node, "map")); c != SMSH_NONE; c = next(in, c)) {
		if (!object(in, c, COND_KEYS " state final"))
			return;
		condition(in, c);
		words(in, c, "state", "transit delivered failed seen unknown");
		words(in, c, "final", "true false");
		if (get(in, c, "state") == SMSH_NONE)
			complain(in, c, "state is missing in",
				"transit, delivered, failed, seen or unknown");
	}
	if (get(in, node, "map") == SMSH_NONE)
		complain(in, node, "map is missing in", "a list from statuses to states");
}

static void auth(struct in *in, uint32_t node)
{
	uint32_t req = get(in, node, "request");

	if (!object(in, node,
		    "note kind user password secret header prefix request token expires lifetime_s refresh "
		    "claims jwt_header"))
		return;
	template(in, get(in, node, "user"));
	template(in, get(in, node, "password"));
	templates(in, get(in, node, "claims"));
	templates(in, get(in, node, "jwt_header"));
	pointers(in, node, "token expires refresh");
	integer(in, node, "lifetime_s");
	if (in->v->auth_kind == SMSH_A_TOKEN &&
		(req == SMSH_NONE || get(in, node, "token") == SMSH_NONE))
		complain(in, node, "auth of kind token", "needs \"request\" and \"token\"");
	if ((in->v->auth_kind == SMSH_A_JWT || in->v->auth_kind == SMSH_A_BEARER) &&
		smsh_v_text(in->v, node, "secret").n == 0)
		complain(in, node, "auth of this kind", "needs \"secret\", the name of a secret");
	call(in, req, "");
}

static void receipts(struct in *in, uint32_t node)
{
	if (!object(in, node, "note format charset verify reply reports"))
		return;
	words(in, node, "charset", CHARSETS);
	words(in, node, "format", "json xml form query auto");
	uint32_t ver = get(in, node, "verify"), rep = get(in, node, "reply");
	if (object(in, ver, "note header field algorithm encoding prefix secret string")) {
		words(in, ver, "algorithm", "hmac_sha256 hmac_sha1 sha256");
		words(in, ver, "encoding", "hex base64");
		template(in, get(in, ver, "string"));
		if (smsh_v_text(in->v, ver, "string").n == 0 ||
			(get(in, ver, "header") == SMSH_NONE && get(in, ver, "field") == SMSH_NONE))
			complain(in, ver, "verify",
				"needs \"string\" and one of \"header\", \"field\"");
		pointers(in, ver, "field");
	}
	if (object(in, rep, "note status type body"))
		integer(in, rep, "status");
	if (get(in, node, "reports") == SMSH_NONE)
		complain(in, node, "receipts", "need \"reports\"");
	reports(in, get(in, node, "reports"));
}

int smsh_vendor_check(struct smsh_vendor *v, char *err, size_t size)
{
	struct in in = { v, err, size, false };

	(void)object(&in, 0,
		"vendor note base phone settings needs batch auth send few ask receipts inbound poll balance backoff");
	if (v->name.n == 0)
		complain(&in, 0, "vendor", "the name of the vendor is missing");
	if (v->send == SMSH_NONE || get(&in, v->send, "answer") == SMSH_NONE)
		complain(&in, 0, "send", "\"send\" with \"answer\" is missing");
	auth(&in, v->auth);
	call(&in, v->send, "");
	call(&in, v->few, "below");
	if (v->few != SMSH_NONE && get(&in, v->few, "answer") == SMSH_NONE)
		complain(&in, v->few, "few", "needs \"answer\", as send does");
	call(&in, v->ask, "");
	call(&in, v->poll, "reports");
	if (v->poll != SMSH_NONE)
		reports(&in, get(&in, v->poll, "reports"));
	call(&in, v->balance, "value");
	if (v->balance != SMSH_NONE) {
		pointers(&in, v->balance, "value");
		if (get(&in, v->balance, "value") == SMSH_NONE)
			complain(&in, v->balance, "balance", "needs \"value\", a pointer");
	}
	receipts(&in, v->receipts);
	if (object(&in, v->inbound, "note when phone text id")) {
		pointers(&in, v->inbound, "phone text id");
		if (object(&in, get(&in, v->inbound, "when"), COND_KEYS))
			condition(&in, get(&in, v->inbound, "when"));
	}
	for (uint32_t c = first(&in, v->backoff); c != SMSH_NONE; c = next(&in, c))
		if (object(&in, c, "note header at unit")) {
			words(&in, c, "unit", "s ms epoch epoch_ms");
			pointers(&in, c, "at");
		}
	return in.bad ? -EINVAL : 0;
}
