/* smsh_report.c - what vendors push: delivery reports and texts from phones, in a query, a form, JSON or XML.
 * Answered after the commit, as the vendor file says; a forged push is 403, one that cannot be read 400, one that could not be
 * stored 503, so that the vendor sends it again.
 * Thread: loop. Owns: nothing beyond a call. Failures: see above; a status that the map does not know is kept as unknown. */
#include <stdio.h>
#include <string.h>
#include "smsh.h"

#define IDS_MAX 6

static const struct {
	const char *name;
	int32_t state;
	uint32_t final;
} states[] = { { "transit", LT_RC_TRANSIT, 0 }, { "delivered", LT_RC_DELIVERED, 1 },
	{ "failed", LT_RC_FAILED, 1 }, { "seen", LT_RC_SEEN, 1 }, { "unknown", LT_UNKNOWN, 0 } };

static struct lt_str text_of(
	const struct smsh_vendor *v, uint32_t at, const char *key, const struct smsh_answer *a)
{
	return smsh_point_text(v, at, key, &a->doc, a->root);
}

/* Our canonical form of a number of theirs. */
static struct lt_str e164_of(struct lt_str phone, char dst[static 24])
{
	bool local = phone.n > 1 && phone.p[0] == '0';
	struct lt_str digits = phone.n > 0 && (phone.p[0] == '+' || local) ? ltc_from(phone, 1)
									   : phone;

	(void)snprintf(dst, 24, "+%s%.*s", local ? "84" : "", (int)(digits.n < 18 ? digits.n : 18),
		digits.p == NULL ? "" : digits.p);
	return ltc_z(dst);
}

/* Candidates in order: with the mark of the number behind it where ids are shared, then as it stands. */
static uint32_t ids_of(const struct smsh_vars *v, uint32_t at, const struct smsh_answer *a,
	struct lt_str phone, char keep[static 200], struct lt_str ids[static IDS_MAX])
{
	const struct smsh_vendor *ven = &v->si->vendor;
	uint32_t node = smsh_member(&ven->doc, at, "id"), n = 0;
	struct lt_str id = text_of(ven, at, "id", a), key = smsh_v_text(ven, at, "with_phone");
	char e164[24], tag[SMSH_TAG_MAX];

	if (id.n > 0 && id.n < 120 && phone.n > 0 && key.n > 0 &&
		smsh_phone_tag(v, key, e164_of(phone, e164), tag)) {
		int len = snprintf(keep, 200, "%.*s/%s", (int)id.n, id.p, tag);
		ids[n++] = (struct lt_str){ keep, (size_t)len };
	}
	if (node != SMSH_NONE && ven->doc.nodes[node].type == SMSH_ARRAY) {
		for (uint32_t c = ven->doc.nodes[node].first; c != SMSH_NONE && n < IDS_MAX;
			c = ven->doc.nodes[c].next) {
			struct lt_str s = smsh_text_at(&a->doc, a->root, smsh_text(&ven->doc, c));
			if (s.n > 0)
				ids[n++] = s;
		}
	} else if (id.n > 0)
		ids[n++] = id;
	return n;
}

int smsh_report_tell(struct smsh_other *o, uint32_t section, const struct smsh_answer *a,
	const struct lt_item *item, uint64_t token)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	const struct lt_host *h = o->inst->host;
	uint32_t when = smsh_member(&v->doc, section, "when");
	uint32_t hit = smsh_rule_find(v, smsh_member(&v->doc, section, "map"), a);
	struct lt_str ids[IDS_MAX],
		word = hit == SMSH_NONE ? LTC_LIT("unknown") : smsh_v_text(v, hit, "state");
	char keep[200], code[80], text[201];
	struct smsh_vars vars = { .si = si, .host = h, .job = o->job };
	/* at_ms stays 0, no time of the gateway is known: the same again is the same. */
	struct lt_receipt r = { .struct_size = sizeof(r), .ids = ids };

	if (when != SMSH_NONE && !smsh_cond(v, when, a))
		return 1;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (ltc_eqz(word, states[i].name)) {
			r.state = states[i].state;
			r.final = states[i].final;
		}
	if (hit != SMSH_NONE && smsh_v_text(v, hit, "final").n > 0)
		r.final = ltc_eqz(smsh_v_text(v, hit, "final"), "true");
	r.recipient = text_of(v, section, "phone", a);
	r.ref = item != NULL ? item->ref : text_of(v, section, "ref", a);
	if (item != NULL && item->n_ids > 0) {
		ids[0] = item->ids[o->pending < item->n_ids ? o->pending : 0].id;
		r.n_ids = 1;
	} else
		r.n_ids = ids_of(&vars, section, a, r.recipient, keep, ids);
	if (r.n_ids == 0 && r.ref.n == 0)
		return 1;
	smsh_copy(code, sizeof(code), text_of(v, section, "code", a));
	smsh_copy(text, sizeof(text), text_of(v, section, "text", a));
	smsh_mask(code, r.recipient);
	smsh_mask(text, r.recipient);
	r.code = ltc_z(code);
	r.text = ltc_z(text);
	return h->receipt(h->ctx, o->job, &r, token);
}

/* --- the push ---------------------------------------------------------------------------------------------------------------- */
static int answer(struct smsh_other *o, int32_t status, struct lt_str type, struct lt_str body)
{
	const struct lt_host *h = o->inst->host;
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };

	(void)h->reply(h->ctx, o->job, status, type, body);
	return h->finish(h->ctx, o->job, &r);
}

/* The vendor's own wording, once everything is stored. */
static int settle(struct smsh_other *o)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	uint32_t rep = smsh_member(&v->doc, v->receipts, "reply");
	struct lt_str type = smsh_v_text(v, rep, "type"), body = smsh_v_text(v, rep, "body");
	int64_t status = 200;

	if (!o->over || o->pending > 0)
		return 0;
	if (o->failed)
		return answer(o, 503, LTC_LIT("text/plain"), LTC_LIT("not stored\n"));
	if (rep != SMSH_NONE)
		(void)!ltc_i64(smsh_v_text(v, rep, "status"), 200, 299, &status);
	return answer(o, (int32_t)status, type.n > 0 ? type : LTC_LIT("text/plain"),
		body.p != NULL ? body : LTC_LIT("OK"));
}

static void told(struct smsh_other *o, int rc)
{
	if (rc == 0)
		o->pending++;
	else if (rc < 0)
		o->failed = true;
}

static struct lt_str content_type(const struct lt_request *r)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (ltc_ieqz(r->headers[i].name, "Content-Type"))
			return r->headers[i].value;
	return (struct lt_str){ 0 };
}

/* Where the report stands: as the file says, else by method and type. */
static int read_push(const struct smsh_vendor *v, const struct lt_request *r, struct smsh_answer *a)
{
	struct lt_str f = smsh_v_text(v, v->receipts, "format"), ct = content_type(r);
	bool any = f.n == 0 || ltc_eqz(f, "auto");
	enum smsh_charset c = smsh_charset_of(smsh_v_text(v, v->receipts, "charset"));

	memset(a, 0, sizeof(*a));
	int rc = ltc_eqz(f, "query") || (any && (ltc_eqz(r->method, "GET") || r->body.n == 0))
		? smsh_doc_read_as(&a->doc, SMSH_F_FORM, c, r->query)
		: ltc_eqz(f, "json") || (any && ltc_istarts(ct, "application/json"))
		? smsh_doc_read_as(&a->doc, SMSH_F_JSON, c, r->body)
		: ltc_eqz(f, "xml") ||
			(any && (ltc_istarts(ct, "text/xml") || ltc_istarts(ct, "application/xml")))
		? smsh_doc_read_as(&a->doc, SMSH_F_XML, c, r->body)
		: smsh_doc_read_as(&a->doc, SMSH_F_FORM, c, r->body);
	a->read = rc == 0;
	return rc;
}

static void tell_inbound(struct smsh_other *o, const struct smsh_answer *a)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	const struct lt_host *h = o->inst->host;
	struct lt_inbound in = {
		.struct_size = sizeof(in), .kind = LT_IN_TEXT, .at_ms = h->wall_ms(h->ctx)
	};
	struct lt_str phone = text_of(v, v->inbound, "phone", a);
	char e164[24];

	in.text = text_of(v, v->inbound, "text", a);
	in.dedupe = text_of(v, v->inbound, "id", a);
	in.address = e164_of(phone, e164);
	told(o, h->inbound(h->ctx, o->job, &in, SMSH_T_REPORT));
}

static int tell_all(struct smsh_other *o, struct smsh_answer *a)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	uint32_t section = smsh_member(&v->doc, v->receipts, "reports");
	uint32_t when = smsh_member(&v->doc, v->inbound, "when"), n = 0;
	uint32_t at = smsh_points(v, section, "array") ? smsh_point(v, section, "array", &a->doc, 0)
						       : 0;

	if (v->inbound != SMSH_NONE && (when == SMSH_NONE || smsh_cond(v, when, a))) {
		tell_inbound(o, a);
		return 0;
	}
	if (at == SMSH_NONE)
		return -1;
	if (a->doc.nodes[at].type != SMSH_ARRAY) {
		a->root = at;
		told(o, smsh_report_tell(o, section, a, NULL, SMSH_T_REPORT));
		return 0;
	}
	for (uint32_t c = a->doc.nodes[at].first; c != SMSH_NONE; c = a->doc.nodes[c].next) {
		if (++n > SMSH_REPORTS_MAX)
			return -1;
		a->root = c;
		told(o, smsh_report_tell(o, section, a, NULL, SMSH_T_REPORT));
	}
	return 0;
}

int smsh_report_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work)
{
	const struct smsh_inst *si = inst->priv;
	struct smsh_other *o = job->priv;
	struct smsh_answer a;
	struct smsh_vars v = { .si = si, .host = inst->host, .job = job, .request = work->request };
	const char *why = NULL;

	*o = (struct smsh_other){ .job = job, .inst = inst, .work = work };
	if (si->vendor.receipts == SMSH_NONE)
		return answer(
			o, 404, LTC_LIT("text/plain"), LTC_LIT("this gateway pushes nothing\n"));
	if (read_push(&si->vendor, work->request, &a) < 0)
		why = a.doc.why[0] != '\0' ? "it cannot be read" : "no memory";
	v.fields = a.read ? &a.doc : NULL;
	const char *forged = smsh_verify(&v, si->vendor.receipts);
	int rc = 0;
	if (forged != NULL) {
		inst->host->log(inst->host->ctx, job, 4, ltc_z(forged));
		rc = answer(o, 403, LTC_LIT("text/plain"), LTC_LIT("not signed by the gateway\n"));
	} else if (why != NULL || tell_all(o, &a) < 0) {
		rc = answer(o, 400, LTC_LIT("text/plain"), LTC_LIT("not understood\n"));
	} else {
		o->over = true;
		rc = settle(o);
	}
	smsh_answer_done(&a);
	return rc < 0 ? 0 : rc;
}

int smsh_report_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	struct smsh_other *o = job->priv;

	(void)inst;
	if (ev->type != LT_EV_SAVED || ev->token != SMSH_T_REPORT)
		return 0;
	o->pending--;
	o->failed |= ev->error < 0;
	(void)settle(o);
	return 0;
}
