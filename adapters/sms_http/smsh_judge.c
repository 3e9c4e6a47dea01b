/* smsh_judge.c - from an answer to an outcome: the classes of the contract, items of a batch, segments of a text.
 * Refused and deferred are claims: only a rule of the vendor file, or a request of which not one byte left, makes them. Where no
 * rule holds the outcome is unknown. Thread: loop, pure. Owns: nothing. */
#include <stdio.h>
#include <string.h>
#include "smsh.h"

static const struct {
	const char *name;
	int32_t outcome, scope;
	uint32_t flags;
	enum smsh_special special;
} classes[] = {
	{ "accepted", LT_ACCEPTED, LT_SCOPE_TARGET, 0, SMSH_S_NONE },
	{ "duplicate", LT_ACCEPTED, LT_SCOPE_TARGET, LT_R_DUPLICATE, SMSH_S_NONE },
	/* Not our id: this one was not taken. Behind a try whose answer was lost it is that one, else a person looks. */
	{ "same_text", LT_REFUSED, LT_SCOPE_TARGET, LT_R_DUPLICATE, SMSH_S_NONE },
	{ "temp", LT_DEFERRED, LT_SCOPE_TARGET, 0, SMSH_S_NONE },
	{ "throttle", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE, SMSH_S_NONE },
	{ "bad_rcpt", LT_REFUSED, LT_SCOPE_TARGET, 0, SMSH_S_NONE },
	{ "bad_msg", LT_REFUSED, LT_SCOPE_RELEASE, 0, SMSH_S_NONE },
	{ "route_down", LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON, SMSH_S_NONE },
	{ "unknown", LT_UNKNOWN, LT_SCOPE_TARGET, 0, SMSH_S_NONE },
	{ "token", LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, SMSH_S_TOKEN },
	{ "items", LT_UNKNOWN, LT_SCOPE_TARGET, 0, SMSH_S_ITEMS },
	{ "segments", LT_UNKNOWN, LT_SCOPE_TARGET, 0, SMSH_S_SEGMENTS },
};
static const struct {
	const char *name;
	uint32_t value;
} scopes[] = { { "target", LT_SCOPE_TARGET }, { "release", LT_SCOPE_RELEASE },
	{ "lane", LT_SCOPE_LANE }, { "account", LT_SCOPE_ACCOUNT }, { "channel", LT_SCOPE_CHANNEL },
	{ "class", LT_SCOPE_CLASS } },
  flags[] = { { "suppress", LT_R_SUPPRESS }, { "strike", LT_R_STRIKE }, { "free", LT_R_FREE },
	  { "person", LT_R_PERSON }, { "elsewhere", LT_R_ELSEWHERE } };

#define LEN(a)       (sizeof(a) / sizeof((a)[0]))
#define UNREACHED_MS 15000 /* pause of an account whose gateway cannot be reached */

bool smsh_class_known(struct lt_str word)
{
	for (size_t i = 0; i < LEN(classes); i++)
		if (ltc_eqz(word, classes[i].name))
			return true;
	return false;
}

void smsh_copy(char *dst, size_t size, struct lt_str s)
{
	struct lt_str cut = ltc_utf8_valid(s) ? ltc_utf8_cut(s, size - 1) : s;
	size_t n = cut.n < size - 1 ? cut.n : size - 1;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)cut.p[i];
		dst[i] = c < 0x20 || c == 0x7f ||
				(cut.p == s.p && !ltc_utf8_valid(cut) && c >= 0x80)
			? '?'
			: cut.p[i];
	}
	dst[n] = '\0';
}

void smsh_verdict_set(struct smsh_verdict *v, int32_t outcome, int32_t scope, uint32_t f,
	const char *code, const char *text)
{
	memset(v, 0, sizeof(*v));
	v->outcome = outcome;
	v->scope = scope;
	v->flags = f;
	smsh_copy(v->code, sizeof(v->code), ltc_z(code));
	smsh_copy(v->text, sizeof(v->text), ltc_z(text));
}

/* No answer: not one byte of the request left, which spends no try (contracts/sms.md 3.2), or it may have been taken. */
void smsh_verdict_lost(struct smsh_verdict *v, const struct lt_http_res *res)
{
	bool unsent = res->phase == LT_P_NOT_SENT;

	if (unsent) {
		smsh_verdict_set(v, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, "not-sent",
			"the gateway could not be reached");
		v->retry_ms = UNREACHED_MS;
	} else
		smsh_verdict_set(
			v, LT_UNKNOWN, LT_SCOPE_LANE, 0, "no-answer", "the answer was lost");
	if (res->error.n > 0)
		smsh_copy(v->text, sizeof(v->text), res->error);
}

static void class_set(struct smsh_verdict *r, struct lt_str word)
{
	for (size_t i = 0; i < LEN(classes); i++)
		if (ltc_eqz(word, classes[i].name)) {
			r->outcome = classes[i].outcome;
			r->scope = classes[i].scope;
			r->flags = classes[i].flags;
			r->special = classes[i].special;
		}
}

static struct lt_str text_of(
	const struct smsh_vendor *v, uint32_t at, const char *key, const struct smsh_answer *a)
{
	return a->read ? smsh_point_text(v, at, key, &a->doc, a->root) : (struct lt_str){ 0 };
}

static void rule_apply(const struct smsh_vendor *v, uint32_t rule, struct smsh_verdict *r)
{
	struct lt_str scope = smsh_v_text(v, rule, "scope"),
		      retry = smsh_v_text(v, rule, "retry_s");
	uint32_t list = smsh_member(&v->doc, rule, "flags");
	int64_t s;

	class_set(r, smsh_v_text(v, rule, "then"));
	for (size_t i = 0; i < LEN(scopes); i++)
		if (ltc_eqz(scope, scopes[i].name))
			r->scope = (int32_t)scopes[i].value;
	if (list != SMSH_NONE)
		for (uint32_t c = v->doc.nodes[list].first; c != SMSH_NONE;
			c = v->doc.nodes[c].next)
			for (size_t i = 0; i < LEN(flags); i++)
				if (ltc_eqz(smsh_text(&v->doc, c), flags[i].name))
					r->flags |= flags[i].value;
	if (retry.n > 0 && ltc_i64(retry, 0, 86400, &s) == 0)
		r->retry_ms = s * 1000;
}

static void words_of(const struct smsh_vendor *v, uint32_t at, const struct smsh_answer *a,
	struct smsh_verdict *r)
{
	struct lt_str code = text_of(v, at, "code", a), text = text_of(v, at, "text", a);

	if (code.n > 0)
		smsh_copy(r->code, sizeof(r->code), code);
	else if (r->code[0] == '\0' && a->res != NULL)
		(void)snprintf(r->code, sizeof(r->code), "HTTP %d", a->res->status);
	if (text.n > 0)
		smsh_copy(r->text, sizeof(r->text), text);
	else if (a->res != NULL && !a->read && r->outcome != LT_ACCEPTED && r->text[0] == '\0')
		(void)snprintf(r->text, sizeof(r->text), "%s",
			a->res->truncated != 0          ? "the answer is too long or was cut off"
				: a->res->body.n == 0   ? "the answer is empty"
				: a->doc.why[0] != '\0' ? a->doc.why
							: "");
}

static void id_of(const struct smsh_vendor *v, uint32_t at, const struct smsh_answer *a,
	struct smsh_verdict *r)
{
	struct lt_str id = text_of(v, at, "id", a);

	if (id.n == 0 || id.n >= sizeof(r->id[0]) || r->n_ids == SMSH_IDS_MAX)
		return;
	smsh_copy(r->id[r->n_ids], sizeof(r->id[0]), id);
	r->id_outcome[r->n_ids++] = (uint32_t)r->outcome;
}

void smsh_judge(const struct smsh_vendor *v, uint32_t at, const struct smsh_answer *a,
	struct smsh_verdict *r)
{
	uint32_t rule = smsh_rule_find(v, smsh_member(&v->doc, at, "rules"), a);

	smsh_verdict_set(r, LT_UNKNOWN, LT_SCOPE_TARGET, 0, "", "");
	if (rule != SMSH_NONE)
		rule_apply(v, rule, r);
	words_of(v, at, a, r);
	if (r->outcome == LT_ACCEPTED)
		id_of(v, at, a, r);
}

/* The id of a segment at its place; a segment that was not taken, or has no id, keeps its place empty: a report about the others says
 * nothing of it. */
static void segment_id(struct smsh_verdict *all, const struct smsh_verdict *one)
{
	if (all->n_ids == SMSH_IDS_MAX)
		return;
	all->id[all->n_ids][0] = '\0';
	if (one->n_ids > 0)
		memcpy(all->id[all->n_ids], one->id[0], sizeof(one->id[0]));
	all->id_outcome[all->n_ids++] = (uint32_t)one->outcome;
}

/* One entry a segment: all taken, or all refused alike; else it is partly out, and that is for a person to see. */
static void segments(
	const struct smsh_vendor *v, uint32_t at, struct smsh_answer *a, struct smsh_verdict *r)
{
	uint32_t seg = smsh_member(&v->doc, at, "segments");
	uint32_t list = a->read ? smsh_point(v, seg, "at", &a->doc, a->root) : SMSH_NONE;
	uint32_t n = smsh_count(&a->doc, list), taken = 0, i = 0;
	struct smsh_verdict all = { 0 }, one;

	if (n == 0)
		return;
	for (uint32_t c = a->doc.nodes[list].first; c != SMSH_NONE; c = a->doc.nodes[c].next, i++) {
		a->root = c;
		smsh_judge(v, seg, a, &one);
		taken += one.outcome == LT_ACCEPTED;
		if (i == 0) {
			all = one;
			all.n_ids = n > 1 ? 0 : one.n_ids;
		} else if (one.outcome != all.outcome && one.outcome != LT_ACCEPTED) {
			smsh_copy(all.code, sizeof(all.code), ltc_z(one.code));
		}
		if (n > 1)
			segment_id(&all, &one);
	}
	a->root = 0;
	*r = all;
	if (taken == 0 && n > 1)
		r->n_ids = 0;
	if (taken > 0 && taken < n) {
		r->outcome = LT_UNKNOWN;
		r->flags = 0;
		r->scope = LT_SCOPE_TARGET;
		(void)snprintf(r->text, sizeof(r->text), "%u of %u segments were taken", taken, n);
	}
}

void smsh_judge_one(
	const struct smsh_vendor *v, uint32_t at, struct smsh_answer *a, struct smsh_verdict *r)
{
	smsh_judge(v, at, a, r);
	if (r->special == SMSH_S_SEGMENTS)
		segments(v, at, a, r);
}

bool smsh_same_phone(struct lt_str a, struct lt_str b)
{
	char da[9] = "", db[9] = "";
	size_t na = 0, nb = 0;

	for (size_t i = a.n; i > 0 && na < sizeof(da); i--)
		if (a.p[i - 1] >= '0' && a.p[i - 1] <= '9')
			da[na++] = a.p[i - 1];
	for (size_t i = b.n; i > 0 && nb < sizeof(db); i--)
		if (b.p[i - 1] >= '0' && b.p[i - 1] <= '9')
			db[nb++] = b.p[i - 1];
	return na == nb && na >= 7 && memcmp(da, db, na) == 0;
}

/* Of several pointers each list counts: a number that stands in one of them was not taken. */
static bool is_rejected(const struct smsh_vars *v, uint32_t rej, const struct smsh_answer *a)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	uint32_t at = smsh_member(&ven->doc, rej, "at"), p = SMSH_NONE;

	while (a->read && (p = smsh_pointer_next(ven, at, p)) != SMSH_NONE) {
		uint32_t list = smsh_at(&a->doc, 0, smsh_text(&ven->doc, p));
		if (list == SMSH_NONE)
			continue;
		for (uint32_t c = a->doc.nodes[list].first; c != SMSH_NONE;
			c = a->doc.nodes[c].next)
			if (smsh_same_phone(smsh_text(&a->doc, c), v->phones[v->phone_i]))
				return true;
	}
	return false;
}

/* By number where the item names one, else by order if there are as many as were asked for. */
static uint32_t item_of(const struct smsh_vars *v, uint32_t items, const struct smsh_answer *a)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	uint32_t list = a->read ? smsh_point(ven, items, "at", &a->doc, 0) : SMSH_NONE;

	if (list == SMSH_NONE)
		return SMSH_NONE;
	if (!smsh_points(ven, items, "phone"))
		return smsh_count(&a->doc, list) == v->n_phones
			? smsh_child(&a->doc, list, (uint32_t)v->phone_i)
			: SMSH_NONE;
	for (uint32_t c = a->doc.nodes[list].first; c != SMSH_NONE; c = a->doc.nodes[c].next)
		if (smsh_same_phone(smsh_point_text(ven, items, "phone", &a->doc, c),
			    v->phones[v->phone_i]))
			return c;
	return SMSH_NONE;
}

/* Numbers stand in no id, for ids stand in logs: a keyed digest tells those apart that share an id. */
bool smsh_phone_tag(const struct smsh_vars *v, struct lt_str key, struct lt_str e164,
	char dst[static SMSH_TAG_MAX])
{
	struct lt_src src = { .bytes = e164 };
	uint8_t mac[64];
	size_t n = sizeof(mac);

	if (v->host->mac(v->host->ctx, v->job, LT_MAC_HMAC_SHA256, key, &src, 1, mac, &n) != 0 ||
		n < 8)
		return false;
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(dst + 2 * i, 3, "%02x", mac[i]);
	return true;
}

static void with_phone(const struct smsh_vars *v, struct lt_str key, struct smsh_verdict *r)
{
	size_t n = strlen(r->id[0]);
	char tag[SMSH_TAG_MAX];

	if (r->n_ids == 1 && smsh_phone_tag(v, key, v->phones[v->phone_i], tag))
		(void)snprintf(r->id[0] + n, sizeof(r->id[0]) - n, "/%s", tag);
}

/* The gateway likes to repeat the number; it does not belong into records. */
void smsh_mask(char *text, struct lt_str phone)
{
	for (char *p = text; *p != '\0';) {
		size_t n = strspn(p, "0123456789");
		if (n >= 9 && smsh_same_phone((struct lt_str){ p, n }, phone))
			memset(p, '*', n);
		p += n + (p[n] != '\0');
	}
}

void smsh_judge_of(const struct smsh_vars *v, uint32_t at, struct smsh_answer *a,
	const struct smsh_verdict *whole, struct smsh_verdict *r)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	uint32_t items = smsh_member(&ven->doc, at, "items"),
		 rej = smsh_member(&ven->doc, at, "rejected");

	*r = *whole;
	if (whole->special == SMSH_S_ITEMS) {
		uint32_t item = item_of(v, items, a);
		smsh_verdict_set(r, LT_UNKNOWN, LT_SCOPE_TARGET, 0, "no-item",
			"the answer does not name this number");
		if (item == SMSH_NONE)
			return;
		a->root = item;
		smsh_judge(ven, items, a, r);
		a->root = 0;
	}
	if (r->outcome == LT_ACCEPTED && rej != SMSH_NONE && is_rejected(v, rej, a)) {
		struct lt_str then = smsh_v_text(ven, rej, "then");
		smsh_verdict_set(r, LT_REFUSED, LT_SCOPE_TARGET, 0, "rejected-number",
			"the gateway rejected this number");
		if (then.n > 0)
			class_set(r, then);
		return;
	}
	if (smsh_v_text(ven, at, "with_phone").n > 0)
		with_phone(v, smsh_v_text(ven, at, "with_phone"), r);
}
