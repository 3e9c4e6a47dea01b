/* smsh_rule.c - conditions of the vendor file over an answer: HTTP status, values by pointer, expressions.
 * Scalars are compared as text: "100" equals 100. Expressions see at most SUBJECT_MAX bytes.
 * Thread: loop, pure. Owns: the tree of an answer (smsh_answer_done). Failures: what is absent holds for nothing but exists:false. */
#include <string.h>
#include "smsh.h"

#define SUBJECT_MAX  4096u
#define EPOCH_LIKELY 1000000000 /* a number without a unit above this is a time, not a wait */

static enum smsh_format format_of(struct lt_str word)
{
	return ltc_eqz(word, "xml")      ? SMSH_F_XML
		: ltc_eqz(word, "form")  ? SMSH_F_FORM
		: ltc_eqz(word, "regex") ? SMSH_F_REGEX
		: ltc_eqz(word, "none")  ? SMSH_F_NONE
					 : SMSH_F_JSON;
}

/* A body that was cut off is not read: half of it proves nothing. One byte that is not UTF-8 takes nothing from the rest. */
void smsh_answer_read(const struct smsh_vendor *v, uint32_t call, const struct lt_http_res *res,
	struct smsh_answer *ret)
{
	uint32_t at = smsh_member(&v->doc, call, "answer");
	struct lt_str word = smsh_v_text(v, at, "format");

	memset(ret, 0, sizeof(*ret));
	ret->res = res;
	if (word.n == 0)
		word = LTC_LIT("json");
	enum smsh_format f = format_of(word);
	enum smsh_charset c = smsh_charset_of(smsh_v_text(v, at, "charset"));
	if (f == SMSH_F_NONE || res->truncated != 0 || res->body.n == 0)
		return;
	int rc = f == SMSH_F_REGEX
		? smsh_doc_match(&ret->doc, smsh_v_regex(v, smsh_member(&v->doc, at, "pattern")), c,
			  res->body)
		: smsh_doc_read_as(&ret->doc, f, c, res->body);
	ret->read = rc == 0;
}

void smsh_answer_done(struct smsh_answer *a)
{
	smsh_doc_done(&a->doc);
	a->read = false;
}

static bool matches(const regex_t *re, struct lt_str s)
{
	char z[SUBJECT_MAX + 1];
	size_t n = s.n < SUBJECT_MAX ? s.n : SUBJECT_MAX;

	if (re == NULL || s.p == NULL)
		return false;
	memcpy(z, s.p, n);
	z[n] = '\0';
	return regexec(re, z, 0, NULL, 0) == 0;
}

/* "200-299,429" */
static bool status_in(struct lt_str list, int32_t status)
{
	struct lt_str rest = list, one;

	while (ltc_next(&rest, ',', &one)) {
		struct lt_str low = one, high = one;
		const char *dash = memchr(one.p, '-', one.n);
		int64_t a, b;
		if (dash != NULL) {
			low.n = (size_t)(dash - one.p);
			high = ltc_from(one, low.n + 1);
		}
		if (ltc_i64(low, 0, 999, &a) == 0 && ltc_i64(high, 0, 999, &b) == 0 &&
			status >= a && status <= b)
			return true;
	}
	return false;
}

/* The value is one of a list, or the one. */
static bool one_of(const struct smsh_vendor *v, uint32_t node, struct lt_str s)
{
	if (s.p == NULL)
		return false;
	if (v->doc.nodes[node].type != SMSH_ARRAY)
		return ltc_eq(smsh_text(&v->doc, node), s);
	for (uint32_t c = v->doc.nodes[node].first; c != SMSH_NONE; c = v->doc.nodes[c].next)
		if (ltc_eq(smsh_text(&v->doc, c), s))
			return true;
	return false;
}

static bool between(const struct smsh_vendor *v, uint32_t cond, struct lt_str s)
{
	struct lt_str lo = smsh_v_text(v, cond, "min"), hi = smsh_v_text(v, cond, "max");
	int64_t n, a = INT64_MIN, b = INT64_MAX;
	const char *dot = s.n == 0 ? NULL : memchr(s.p, '.', s.n);

	if (dot != NULL)
		s.n = (size_t)(dot - s.p);
	if (lo.n > 0)
		(void)!ltc_i64(lo, INT64_MIN, INT64_MAX, &a);
	if (hi.n > 0)
		(void)!ltc_i64(hi, INT64_MIN, INT64_MAX, &b);
	return ltc_i64(s, INT64_MIN, INT64_MAX, &n) == 0 && n >= a && n <= b;
}

static struct lt_str header_of(const struct smsh_answer *a, struct lt_str name)
{
	for (size_t i = 0; a->res != NULL && i < a->res->n_headers; i++) {
		struct lt_str h = a->res->headers[i].name;
		if (h.n == name.n && strncasecmp(h.p, name.p, h.n) == 0)
			return a->res->headers[i].value;
	}
	return (struct lt_str){ 0 };
}

/* --- pointers of the file: one, or a list of them ------------------------------------------------------------------------------ */
uint32_t smsh_pointer_next(const struct smsh_vendor *v, uint32_t at, uint32_t before)
{
	if (at == SMSH_NONE)
		return SMSH_NONE;
	if (v->doc.nodes[at].type == SMSH_ARRAY)
		return before == SMSH_NONE ? v->doc.nodes[at].first : v->doc.nodes[before].next;
	return before == SMSH_NONE ? at : SMSH_NONE;
}

bool smsh_points(const struct smsh_vendor *v, uint32_t object, const char *key)
{
	uint32_t at = smsh_member(&v->doc, object, key);

	return smsh_pointer_next(v, at, SMSH_NONE) != SMSH_NONE &&
		(v->doc.nodes[at].type == SMSH_ARRAY || v->doc.nodes[at].text.n > 0);
}

uint32_t smsh_point(const struct smsh_vendor *v, uint32_t object, const char *key,
	const struct smsh_doc *d, uint32_t from)
{
	uint32_t at = smsh_member(&v->doc, object, key), p = SMSH_NONE;

	while ((p = smsh_pointer_next(v, at, p)) != SMSH_NONE) {
		uint32_t hit = smsh_at(d, from, smsh_text(&v->doc, p));
		if (hit != SMSH_NONE && d->nodes[hit].type != SMSH_NULL)
			return hit;
	}
	return SMSH_NONE;
}

struct lt_str smsh_point_text(const struct smsh_vendor *v, uint32_t object, const char *key,
	const struct smsh_doc *d, uint32_t from)
{
	uint32_t at = smsh_member(&v->doc, object, key), p = SMSH_NONE;
	struct lt_str s = { 0 };

	while (s.n == 0 && (p = smsh_pointer_next(v, at, p)) != SMSH_NONE)
		s = smsh_text_at(d, from, smsh_text(&v->doc, p));
	return s;
}

static bool value_holds(const struct smsh_vendor *v, uint32_t cond, const struct smsh_answer *a)
{
	const struct smsh_doc *d = &v->doc;
	uint32_t at = smsh_member(d, cond, "at"), head = smsh_member(d, cond, "header"), hit;
	uint32_t is = smsh_member(d, cond, "is"), no = smsh_member(d, cond, "not");
	uint32_t re = smsh_member(d, cond, "matches"), ex = smsh_member(d, cond, "exists");
	struct lt_str s = { 0 };
	bool there = false;

	if (at == SMSH_NONE && head == SMSH_NONE)
		return true;
	if (head != SMSH_NONE) {
		s = header_of(a, smsh_text(d, head));
		there = s.p != NULL;
	} else {
		hit = a->read ? smsh_point(v, cond, "at", &a->doc, a->root) : SMSH_NONE;
		there = hit != SMSH_NONE;
		s = smsh_text(&a->doc, hit);
	}
	if (ex != SMSH_NONE)
		return there == ltc_eqz(smsh_text(d, ex), "true") && (a->read || head != SMSH_NONE);
	if (!there)
		return false;
	if (is != SMSH_NONE && !one_of(v, is, s))
		return false;
	if (no != SMSH_NONE && one_of(v, no, s))
		return false;
	if (re != SMSH_NONE && !matches(smsh_v_regex(v, re), s))
		return false;
	if (smsh_member(d, cond, "min") != SMSH_NONE || smsh_member(d, cond, "max") != SMSH_NONE)
		return between(v, cond, s);
	return true;
}

bool smsh_cond(const struct smsh_vendor *v, uint32_t cond, const struct smsh_answer *a)
{
	const struct smsh_doc *d = &v->doc;
	uint32_t status = smsh_member(d, cond, "status"),
		 body = smsh_member(d, cond, "body_matches");
	uint32_t and = smsh_member(d, cond, "and"), any = smsh_member(d, cond, "any");

	if (status != SMSH_NONE &&
		(a->res == NULL || !status_in(smsh_text(d, status), a->res->status)))
		return false;
	if (body != SMSH_NONE &&
		(a->res == NULL || a->res->truncated != 0 ||
			!matches(smsh_v_regex(v, body), a->res->body)))
		return false;
	if (!value_holds(v, cond, a))
		return false;
	if (and != SMSH_NONE)
		for (uint32_t c = d->nodes[and].first; c != SMSH_NONE; c = d->nodes[c].next)
			if (!smsh_cond(v, c, a))
				return false;
	if (any == SMSH_NONE)
		return true;
	for (uint32_t c = d->nodes[any].first; c != SMSH_NONE; c = d->nodes[c].next)
		if (smsh_cond(v, c, a))
			return true;
	return false;
}

static bool names_status(const struct smsh_vendor *v, uint32_t cond)
{
	static const char *const lists[] = { "and", "any" };
	const struct smsh_doc *d = &v->doc;

	if (smsh_member(d, cond, "status") != SMSH_NONE)
		return true;
	for (size_t i = 0; i < 2; i++) {
		uint32_t list = smsh_member(d, cond, lists[i]);
		for (uint32_t c = list == SMSH_NONE ? SMSH_NONE : d->nodes[list].first;
			c != SMSH_NONE; c = d->nodes[c].next)
			if (names_status(v, c))
				return true;
	}
	return false;
}

/* What stumbled may have taken the text first, whatever its body says (contract 3.2): of a 5xx only a rule that names the status is believed. */
uint32_t smsh_rule_find(const struct smsh_vendor *v, uint32_t rules, const struct smsh_answer *a)
{
	bool stumbled = a->res != NULL && a->res->status >= 500;

	if (rules == SMSH_NONE)
		return SMSH_NONE;
	for (uint32_t c = v->doc.nodes[rules].first; c != SMSH_NONE; c = v->doc.nodes[c].next)
		if ((!stumbled || names_status(v, c)) && smsh_cond(v, c, a))
			return c;
	return SMSH_NONE;
}

/* --- waits ------------------------------------------------------------------------------------------------------------------- */
/* "Sun, 22 Nov 2026 09:30:00 GMT" in seconds since 1970; -1. */
static int64_t http_date(struct lt_str s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t d, y, h, m, sec;
	int mon = -1;

	if (s.n != 29 || !ltc_eqz(ltc_from(s, 25), " GMT"))
		return -1;
	for (int i = 0; i < 12; i++)
		mon = memcmp(s.p + 8, months + 3 * i, 3) == 0 ? i + 1 : mon;
	if (mon < 0 || ltc_i64((struct lt_str){ s.p + 5, 2 }, 1, 31, &d) != 0 ||
		ltc_i64((struct lt_str){ s.p + 12, 4 }, 1970, 9999, &y) != 0 ||
		ltc_i64((struct lt_str){ s.p + 17, 2 }, 0, 23, &h) != 0 ||
		ltc_i64((struct lt_str){ s.p + 20, 2 }, 0, 59, &m) != 0 ||
		ltc_i64((struct lt_str){ s.p + 23, 2 }, 0, 60, &sec) != 0)
		return -1;
	y -= mon <= 2;
	int64_t era = y / 400, yoe = y - era * 400, mp = (mon + 9) % 12;
	int64_t doy = (153 * mp + 2) / 5 + d - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return (era * 146097 + doe - 719468) * 86400 + h * 3600 + m * 60 + sec;
}

static int64_t wait_of(const struct smsh_vars *v, struct lt_str s, struct lt_str unit)
{
	int64_t now = v->host->wall_ms(v->host->ctx), n, wait = 0;

	s = ltc_trim(s);
	if (ltc_i64(s, 0, INT64_C(9999999999999), &n) != 0) {
		n = http_date(s);
		wait = n < 0 ? 0 : n * 1000 - now;
	} else if (ltc_eqz(unit, "ms")) {
		wait = n;
	} else if (ltc_eqz(unit, "epoch") || (unit.n == 0 && n > EPOCH_LIKELY)) {
		wait = n * 1000 - now;
	} else if (ltc_eqz(unit, "epoch_ms")) {
		wait = n - now;
	} else
		wait = n * 1000;
	return wait < 0 ? 0 : wait > 86400000 ? 86400000 : wait;
}

/* What the answer asks for, in the order of the file; Retry-After always counts. 0: it asks for nothing. At most a day. */
int64_t smsh_backoff(const struct smsh_vars *v, const struct smsh_answer *a)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	struct lt_str retry = header_of(a, LTC_LIT("Retry-After"));
	int64_t wait = 0;

	if (ven->backoff != SMSH_NONE)
		for (uint32_t c = ven->doc.nodes[ven->backoff].first; wait == 0 && c != SMSH_NONE;
			c = ven->doc.nodes[c].next) {
			struct lt_str head = smsh_v_text(ven, c, "header"), s = { 0 };
			if (head.n > 0)
				s = header_of(a, head);
			else if (a->read)
				s = smsh_point_text(ven, c, "at", &a->doc, a->root);
			if (s.n > 0)
				wait = wait_of(v, s, smsh_v_text(ven, c, "unit"));
		}
	return wait == 0 && retry.n > 0 ? wait_of(v, retry, LTC_LIT("s")) : wait;
}
