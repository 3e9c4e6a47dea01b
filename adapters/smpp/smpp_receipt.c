/* smpp_receipt.c - delivery reports: found, read whatever the vendor made of Appendix B, and told to the host with every way in
 * which the id may have been written. The server hears "ok" only when the report is stored; it sends again what we could not keep.
 * Order, repeats and reports for nobody are the host's: each report is told as it came.
 * Thread: loop. Owns: nothing. Failures: one that cannot be read is acknowledged and logged, for it would come again for ever. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "smpp.h"

#define DATA_BIT (UINT64_C(1) << 63)

/* --- finding ------------------------------------------------------------------------------------------------------------------ */
static struct lt_str text_of(const struct smpp_sm *m)
{
	struct lt_str v = m->message;

	if (v.n == 0)
		(void)smpp_tlv_find(m->tlvs, SMPP_T_PAYLOAD, &v);
	return v;
}

static char low(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Value behind "key:" where a word begins, up to the next space; absent when there is none. */
static struct lt_str field(struct lt_str text, const char *key)
{
	size_t k = strlen(key);

	for (size_t at = 0; at + k < text.n; at++) {
		size_t i = 0;
		if (at > 0 && text.p[at - 1] != ' ' && text.p[at - 1] != '\n')
			continue;
		while (i < k && low(text.p[at + i]) == key[i])
			i++;
		if (i < k || text.p[at + k] != ':')
			continue;
		struct lt_str v = ltc_from(text, at + k + 1);
		const char *glued = v.p;
		while (v.n > 0 && v.p[0] == ' ')
			v = ltc_from(v, 1);
		for (i = 0;
			i < v.n && v.p[i] != ' ' && v.p[i] != '\n' && v.p[i] != '\r' && v.p[i] != 0;
			i++)
			if (v.p[i] == ':' && v.p != glued)
				return (struct lt_str){ 0 }; /* empty: that is the next key */
		return (struct lt_str){ v.p, i };
	}
	return (struct lt_str){ 0 };
}

/* Without the text at its end, which is the recipient's and may say anything. */
static struct lt_str head_of(struct lt_str text)
{
	const char *p = ltc_find(text, LTC_LIT(" text:"), true);

	if (p != NULL)
		text.n = (size_t)(p - text.p);
	return text;
}

bool smpp_receipt_is(const struct smpp_conf *c, const struct smpp_sm *m)
{
	uint8_t kind = m->esm_class & 0x3c;
	struct lt_str v;

	if (kind == 0x04 || kind == 0x20)
		return true;
	if (smpp_tlv_find(m->tlvs, SMPP_T_RECEIPTED_ID, &v))
		return true;
	struct lt_str text = head_of(text_of(m));
	return c->guess_receipts && field(text, "id").n > 0 && field(text, "stat").n > 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------- */
static const struct {
	const char *word;
	int32_t state;
	bool final;
} words[] = { { "DELIVRD", LT_RC_DELIVERED, true }, { "DELIVERED", LT_RC_DELIVERED, true },
	{ "EXPIRED", LT_RC_FAILED, true }, { "DELETED", LT_RC_FAILED, true },
	{ "UNDELIV", LT_RC_FAILED, true }, { "UNDELIVERABLE", LT_RC_FAILED, true },
	{ "REJECTD", LT_RC_FAILED, true }, { "REJECTED", LT_RC_FAILED, true },
	{ "UNKNOWN", LT_RC_LOST, true }, { "SKIPPED", LT_RC_FAILED, true },
	{ "ACCEPTD", LT_RC_TRANSIT, false }, { "ACCEPTED", LT_RC_TRANSIT, false },
	{ "ENROUTE", LT_RC_TRANSIT, false }, { "BUFFRED", LT_RC_TRANSIT, false },
	{ "BUFFERD", LT_RC_TRANSIT, false }, { "BUFFERED", LT_RC_TRANSIT, false },
	{ "ACKED", LT_RC_TRANSIT, false }, { "SCHEDULED", LT_RC_TRANSIT, false } };
static const char *const by_number[] = { "SCHEDULED", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED",
	"UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED" };

static bool state_of(struct lt_str stat, struct smpp_receipt *r)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (ltc_ieqz(stat, words[i].word)) {
			r->state = words[i].state;
			r->final = words[i].final;
			return true;
		}
	return false;
}

static int two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* YYMMDDhhmm, with ss, or with a year of four digits; 0 when it is none. */
static int64_t time_of(struct lt_str v, int zone_min)
{
	int64_t y;

	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return 0;
	bool long_year = v.n == 14 || (v.n == 12 && two(v.p) == 20 && two(v.p + 2) > 12);
	if (v.n != 10 && v.n != 12 && v.n != 14)
		return 0;
	y = long_year ? two(v.p) * 100 + two(v.p + 2) : 2000 + two(v.p);
	const char *p = v.p + (long_year ? 4 : 2);
	int mo = two(p), d = two(p + 2), h = two(p + 4), mi = two(p + 6);
	int se = v.p + v.n >= p + 10 ? two(p + 8) : 0;
	if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || se > 60)
		return 0;
	y -= mo <= 2;
	int64_t era = y / 400, yoe = y - era * 400,
		doy = (153 * (mo + (mo > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
	return ((days * 24 + h) * 60 + mi - zone_min) * 60000 + se * 1000;
}

int smpp_receipt_parse(const struct smpp_conf *c, const struct smpp_sm *m, struct smpp_receipt *ret)
{
	struct lt_str text = head_of(text_of(m)), tlv;
	struct smpp_receipt r = { .state = LT_UNKNOWN };
	uint32_t number = 0;

	if (smpp_tlv_find(m->tlvs, SMPP_T_RECEIPTED_ID, &tlv)) {
		while (tlv.n > 0 && tlv.p[tlv.n - 1] == 0)
			tlv.n--;
		r.id = tlv;
	}
	struct lt_str id = field(text, "id");
	if (r.id.n == 0)
		r.id = id;
	r.stat = field(text, "stat");
	r.err = field(text, "err");
	r.sub = field(text, "sub");
	r.dlvrd = field(text, "dlvrd");
	r.at_ms = time_of(field(text, "done date"), c->zone_min);
	bool known = state_of(r.stat, &r);
	struct lt_str done = { 0 };
	if (!known && r.stat.n == 0 && smpp_form_read(c->report_form, text, &r, &done)) {
		known = state_of(r.stat, &r);
		r.at_ms = time_of(done, c->zone_min);
	}
	if (smpp_tlv_u(m->tlvs, SMPP_T_STATE, &number) &&
		number < sizeof(by_number) / sizeof(by_number[0])) {
		struct lt_str word = ltc_z(by_number[number]);
		known = state_of(word, &r);
		r.stat = word;
	}
	if (!known)
		return -EINVAL;
	r.id = ltc_trim(r.id);
	*ret = r;
	return 0;
}

/* --- what came ----------------------------------------------------------------------------------------------------------------- */
/* "UNDELIV/005/net3:66": the state, the operator's error, the code of the network (0x0423: its type and a number). */
static void code_of(const struct smpp_sm *m, const struct smpp_receipt *r, char *dst, size_t size)
{
	char net[24] = "";
	struct lt_str v;

	if (smpp_tlv_find(m->tlvs, SMPP_T_NETWORK_ERROR, &v) && v.n == 3)
		(void)snprintf(net, sizeof(net), "/net%u:%u", (unsigned char)v.p[0],
			(unsigned)((unsigned char)v.p[1] << 8 | (unsigned char)v.p[2]));
	(void)snprintf(dst, size, "%.*s%s%.*s%s", (int)(r->stat.n > 20 ? 20 : r->stat.n), r->stat.p,
		r->err.n > 0 ? "/" : "", (int)(r->err.n > 20 ? 20 : r->err.n),
		r->err.p == NULL ? "" : r->err.p, net);
	for (char *p = dst; *p != 0; p++)
		if ((unsigned char)*p < 0x21 || (unsigned char)*p > 0x7e)
			*p = '?';
}

static int tell(struct smpp_session *s, const struct smpp_sm *m, const struct smpp_receipt *r,
	uint64_t token)
{
	struct smpp_ids ids;
	char code[64];
	struct lt_receipt out = { .struct_size = sizeof(out),
		.state = r->state,
		.final = r->final,
		.recipient = m->source,
		.at_ms = r->at_ms };

	code_of(m, r, code, sizeof(code));
	out.code = ltc_z(code);
	out.attempt = smpp_orphan_attempt(s, m, &out);
	if (out.attempt == 0 && smpp_early_keep(s, r->id, &out, token))
		return 0;
	smpp_learn_ids(s, m->source, r->id, &ids);
	out.ids = ids.list;
	out.n_ids = (uint32_t)ids.n;
	if (out.n_ids == 0 && out.attempt == 0)
		return -EINVAL;
	return s->host->receipt(s->host->ctx, s->job, &out, token);
}

uint64_t smpp_receipt_token(const struct smpp_link *l, const struct smpp_header *h)
{
	uint64_t t = (uint64_t)(l->gen & SMPP_GEN_MASK) << SMPP_GEN_SHIFT | h->seq;

	return h->id == SMPP_DATA_SM ? t | DATA_BIT : t;
}

void smpp_deliver(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	struct lt_str body)
{
	struct smpp_receipt r;
	struct smpp_sm m;

	if (smpp_read_sm(body, h->id == SMPP_DATA_SM, &m) < 0) {
		smpp_session_log(s, 4,
			"a deliver_sm of %u bytes that cannot be read: acknowledged and dropped",
			h->length);
		smpp_link_ack(l, h->id, 0, h->seq);
		return;
	}
	if (l->acks >= SMPP_RECEIPTS_MAX) { /* more than we can store at once: later */
		smpp_link_ack(l, h->id, SMPP_RX_T_APPN, h->seq);
		return;
	}
	if (!smpp_receipt_is(&s->si->conf, &m)) {
		smpp_inbound(s, l, h, &m);
		return;
	}
	int rc = smpp_receipt_parse(&s->si->conf, &m, &r);
	if (rc == 0)
		rc = tell(s, &m, &r, smpp_receipt_token(l, h));
	if (rc == 0) {
		l->acks++;
		return;
	}
	s->host->metric(s->host->ctx, s->job, LTC_LIT("reports_unreadable"), 1);
	smpp_session_log(s, 4, "a report without id or state: acknowledged and dropped");
	smpp_link_ack(l, h->id, rc == -EINVAL ? 0 : SMPP_RX_T_APPN, h->seq);
}

void smpp_receipt_saved(struct smpp_session *s, uint64_t token, int32_t error)
{
	uint32_t gen = (uint32_t)(token >> SMPP_GEN_SHIFT) & SMPP_GEN_MASK, seq = (uint32_t)token;

	if (token & SMPP_PART_TOKEN && !(token & DATA_BIT)) {
		smpp_inbound_saved(s, (uint32_t)token, error);
		return;
	}
	for (uint32_t i = 0; i < s->n_links; i++) {
		struct smpp_link *l = &s->links[i];
		if ((l->gen & SMPP_GEN_MASK) != gen || l->state < SMPP_L_BOUND ||
			l->state == SMPP_L_CLOSING)
			continue;
		l->acks -= l->acks > 0;
		smpp_link_ack(l, token & DATA_BIT ? SMPP_DATA_SM : SMPP_DELIVER_SM,
			error < 0 ? SMPP_RX_T_APPN : 0, seq);
	}
}
