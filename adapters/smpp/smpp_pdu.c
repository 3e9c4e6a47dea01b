/* smpp_pdu.c - the codec of SMPP 3.4. See the header for what it promises.
 * Thread: any, pure. Owns: nothing. Failures: -EBADMSG reading, -EINVAL or -ENOMEM writing. */
#include <errno.h>
#include <string.h>
#include "smpp_pdu.h"

static uint32_t get32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

int smpp_frame(const char *p, size_t n, struct smpp_header *ret)
{
	if (n >= 4) {
		uint32_t length = get32(p);
		if (length < SMPP_HEADER || length > SMPP_PDU_MAX)
			return -EBADMSG; /* without waiting for the rest of a header */
	}
	if (n < SMPP_HEADER)
		return 0;
	*ret = (struct smpp_header){ get32(p), get32(p + 4), get32(p + 8), get32(p + 12) };
	return n >= ret->length;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */
struct reader {
	struct lt_str in;
	size_t at;
	bool bad;
};

static uint8_t octet(struct reader *r)
{
	if (r->bad || r->at >= r->in.n) {
		r->bad = true;
		return 0;
	}
	return (uint8_t)r->in.p[r->at++];
}

/* Any length up to the NUL: servers are generous with the limits of the standard. */
static struct lt_str cstring(struct reader *r)
{
	if (r->bad || r->at >= r->in.n) {
		r->bad = true;
		return (struct lt_str){ 0 };
	}
	const char *from = r->in.p + r->at, *nul = memchr(from, 0, r->in.n - r->at);
	if (nul == NULL) {
		r->bad = true;
		return (struct lt_str){ 0 };
	}
	r->at += (size_t)(nul - from) + 1;
	return (struct lt_str){ from, (size_t)(nul - from) };
}

static struct lt_str octets(struct reader *r, size_t n)
{
	if (r->bad || n > r->in.n - r->at) {
		r->bad = true;
		return (struct lt_str){ 0 };
	}
	struct lt_str v = { r->in.p == NULL ? "" : r->in.p + r->at, n };
	r->at += n;
	return v;
}

int smpp_read_sm(struct lt_str body, bool data_sm, struct smpp_sm *ret)
{
	struct reader r = { .in = body };
	struct smpp_sm m = { 0 };

	m.service_type = cstring(&r);
	m.source_ton = octet(&r);
	m.source_npi = octet(&r);
	m.source = cstring(&r);
	m.dest_ton = octet(&r);
	m.dest_npi = octet(&r);
	m.dest = cstring(&r);
	m.esm_class = octet(&r);
	if (data_sm) {
		m.registered = octet(&r);
		m.data_coding = octet(&r);
	} else {
		m.protocol_id = octet(&r);
		m.priority = octet(&r);
		m.schedule = cstring(&r);
		m.validity = cstring(&r);
		m.registered = octet(&r);
		m.replace = octet(&r);
		m.data_coding = octet(&r);
		m.default_id = octet(&r);
		m.message = octets(&r, octet(&r));
	}
	if (r.bad)
		return -EBADMSG;
	m.tlvs = ltc_from(body, r.at);
	*ret = m;
	return 0;
}

void smpp_read_resp(struct lt_str body, struct lt_str *ret_id, struct lt_str *ret_tlvs)
{
	const char *nul = body.n == 0 ? NULL : memchr(body.p, 0, body.n);

	*ret_id = body;
	*ret_tlvs = (struct lt_str){ 0 };
	if (body.n == 0)
		*ret_id = (struct lt_str){ 0 };
	if (nul == NULL)
		return;
	ret_id->n = (size_t)(nul - body.p);
	*ret_tlvs = ltc_from(body, ret_id->n + 1);
}

int smpp_read_bind(struct lt_str body, struct smpp_bind *ret)
{
	struct reader r = { .in = body };
	struct smpp_bind v;

	v.system_id = cstring(&r);
	v.password = cstring(&r);
	v.system_type = cstring(&r);
	v.version = octet(&r);
	v.ton = octet(&r);
	v.npi = octet(&r);
	v.range = cstring(&r);
	if (r.bad)
		return -EBADMSG;
	*ret = v;
	return 0;
}

bool smpp_tlv_next(struct lt_str *rest, struct smpp_tlv *ret, bool *ret_bad)
{
	if (rest->n == 0)
		return false;
	if (rest->n < 4) {
		*ret_bad = true;
		return false;
	}
	const unsigned char *u = (const unsigned char *)rest->p;
	size_t n = (size_t)u[2] << 8 | u[3];
	if (n > rest->n - 4) {
		*ret_bad = true;
		return false;
	}
	*ret = (struct smpp_tlv){ (uint16_t)(u[0] << 8 | u[1]), { rest->p + 4, n } };
	*rest = ltc_from(*rest, n + 4);
	return true;
}

bool smpp_tlv_find(struct lt_str tlvs, uint16_t tag, struct lt_str *ret)
{
	struct smpp_tlv t;
	bool bad = false;

	for (uint32_t i = 0; i < SMPP_TLV_N_MAX && smpp_tlv_next(&tlvs, &t, &bad); i++)
		if (t.tag == tag) {
			*ret = t.value;
			return true;
		}
	return false;
}

bool smpp_tlv_u(struct lt_str tlvs, uint16_t tag, uint32_t *ret)
{
	struct lt_str v;
	uint32_t n = 0;

	if (!smpp_tlv_find(tlvs, tag, &v) || v.n == 0 || v.n > 4)
		return false;
	for (size_t i = 0; i < v.n; i++)
		n = n << 8 | (unsigned char)v.p[i];
	*ret = n;
	return true;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */
static void put32(struct ltc_buf *b, uint32_t v)
{
	char p[4] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v };

	ltc_add(b, p, sizeof(p));
}

static void put_header(
	struct ltc_buf *b, uint32_t length, uint32_t id, uint32_t status, uint32_t seq)
{
	put32(b, length);
	put32(b, id);
	put32(b, status);
	put32(b, seq);
}

static void set_length(struct ltc_buf *b, size_t from)
{
	size_t n = b->n - from;

	if (b->failed || n < SMPP_HEADER)
		return;
	for (int i = 0; i < 4; i++)
		b->p[from + (size_t)i] = (char)(n >> (24 - 8 * i));
}

/* max: octets with the NUL. */
static bool put_cstring(struct ltc_buf *b, struct lt_str s, size_t max)
{
	if (s.n + 1 > max || (s.n > 0 && memchr(s.p, 0, s.n) != NULL))
		return false;
	ltc_adds(b, s);
	ltc_addc(b, 0);
	return true;
}

static int written(struct ltc_buf *b, size_t from, bool good)
{
	if (good && !b->failed) {
		set_length(b, from);
		return 0;
	}
	if (b->failed)
		return -ENOMEM;
	b->n = from;
	return -EINVAL;
}

int smpp_write_empty(struct ltc_buf *b, uint32_t id, uint32_t status, uint32_t seq)
{
	put_header(b, SMPP_HEADER, id, status, seq);
	return b->failed ? -ENOMEM : 0;
}

int smpp_write_resp(
	struct ltc_buf *b, uint32_t id, uint32_t status, uint32_t seq, struct lt_str message_id)
{
	size_t from = b->n;

	put_header(b, 0, id, status, seq);
	return written(b, from, put_cstring(b, message_id, SMPP_ID_MAX));
}

int smpp_write_sm(
	struct ltc_buf *b, uint32_t id, uint32_t status, uint32_t seq, const struct smpp_sm *m)
{
	size_t from = b->n;
	bool good = m->message.n <= 255 && m->tlvs.n < SMPP_PDU_MAX - 1000;

	put_header(b, 0, id, status, seq);
	good = good && put_cstring(b, m->service_type, 6);
	ltc_addc(b, (char)m->source_ton);
	ltc_addc(b, (char)m->source_npi);
	good = good && put_cstring(b, m->source, 21);
	ltc_addc(b, (char)m->dest_ton);
	ltc_addc(b, (char)m->dest_npi);
	good = good && put_cstring(b, m->dest, 21);
	ltc_addc(b, (char)m->esm_class);
	ltc_addc(b, (char)m->protocol_id);
	ltc_addc(b, (char)m->priority);
	good = good && put_cstring(b, m->schedule, 17);
	good = good && put_cstring(b, m->validity, 17);
	ltc_addc(b, (char)m->registered);
	ltc_addc(b, (char)m->replace);
	ltc_addc(b, (char)m->data_coding);
	ltc_addc(b, (char)m->default_id);
	ltc_addc(b, (char)m->message.n);
	ltc_adds(b, m->message);
	ltc_adds(b, m->tlvs);
	return written(b, from, good);
}

int smpp_write_bind(struct ltc_buf *head, struct ltc_buf *tail, uint32_t id, uint32_t seq,
	const struct smpp_bind *v, size_t password_n)
{
	size_t from = head->n;

	if (password_n > 8)
		return -EINVAL;
	put_header(head, 0, id, 0, seq);
	bool good = put_cstring(head, v->system_id, 16);
	size_t tail_from = tail->n;
	ltc_addc(tail, 0); /* of the password */
	good = good && put_cstring(tail, v->system_type, 13);
	ltc_addc(tail, (char)v->version);
	ltc_addc(tail, (char)v->ton);
	ltc_addc(tail, (char)v->npi);
	good = good && put_cstring(tail, v->range, 41);
	if (tail->failed)
		return -ENOMEM;
	int rc = written(head, from, good);
	size_t n = head->n - from + password_n + tail->n - tail_from;
	for (int i = 0; rc == 0 && i < 4; i++)
		head->p[from + (size_t)i] = (char)(n >> (24 - 8 * i));
	return rc;
}

void smpp_tlv_add(struct ltc_buf *b, uint16_t tag, const void *p, size_t n)
{
	char head[4] = { (char)(tag >> 8), (char)tag, (char)(n >> 8), (char)n };

	if (n > 0xffff) {
		b->failed = true;
		return;
	}
	ltc_add(b, head, sizeof(head));
	ltc_add(b, p, n);
}

void smpp_tlv_add_u8(struct ltc_buf *b, uint16_t tag, uint8_t v)
{
	smpp_tlv_add(b, tag, &v, 1);
}

void smpp_tlv_add_u16(struct ltc_buf *b, uint16_t tag, uint16_t v)
{
	uint8_t p[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	smpp_tlv_add(b, tag, p, sizeof(p));
}

/* --- user data header --------------------------------------------------------------------------------------------------------- */
bool smpp_udh_read(struct lt_str m, struct smpp_part *ret, size_t *ret_n)
{
	const unsigned char *u = (const unsigned char *)m.p;
	struct smpp_part part = { 0, 1, 1 };

	if (m.n < 1 || (size_t)u[0] + 1 > m.n)
		return false;
	size_t end = (size_t)u[0] + 1;
	for (size_t at = 1; at + 2 <= end;) {
		size_t n = u[at + 1], v = at + 2;
		if (v + n > end)
			return false;
		if (u[at] == 0 && n == 3)
			part = (struct smpp_part){ u[v], u[v + 1], u[v + 2] };
		else if (u[at] == 8 && n == 4)
			part = (struct smpp_part){ (uint16_t)(u[v] << 8 | u[v + 1]), u[v + 2],
				u[v + 3] };
		at = v + n;
	}
	if (part.total == 0 || part.seq == 0 || part.seq > part.total)
		return false;
	*ret = part;
	*ret_n = end;
	return true;
}

static const struct {
	uint32_t status;
	const char *name;
} names[] = { { 0x00, "ESME_ROK" }, { 0x01, "ESME_RINVMSGLEN" }, { 0x02, "ESME_RINVCMDLEN" },
	{ 0x03, "ESME_RINVCMDID" }, { 0x04, "ESME_RINVBNDSTS" }, { 0x05, "ESME_RALYBND" },
	{ 0x06, "ESME_RINVPRTFLG" }, { 0x07, "ESME_RINVREGDLVFLG" }, { 0x08, "ESME_RSYSERR" },
	{ 0x0a, "ESME_RINVSRCADR" }, { 0x0b, "ESME_RINVDSTADR" }, { 0x0c, "ESME_RINVMSGID" },
	{ 0x0d, "ESME_RBINDFAIL" }, { 0x0e, "ESME_RINVPASWD" }, { 0x0f, "ESME_RINVSYSID" },
	{ 0x11, "ESME_RCANCELFAIL" }, { 0x13, "ESME_RREPLACEFAIL" }, { 0x14, "ESME_RMSGQFUL" },
	{ 0x15, "ESME_RINVSERTYP" }, { 0x33, "ESME_RINVNUMDESTS" }, { 0x34, "ESME_RINVDLNAME" },
	{ 0x40, "ESME_RINVDESTFLAG" }, { 0x42, "ESME_RINVSUBREP" }, { 0x43, "ESME_RINVESMCLASS" },
	{ 0x44, "ESME_RCNTSUBDL" }, { 0x45, "ESME_RSUBMITFAIL" }, { 0x48, "ESME_RINVSRCTON" },
	{ 0x49, "ESME_RINVSRCNPI" }, { 0x50, "ESME_RINVDSTTON" }, { 0x51, "ESME_RINVDSTNPI" },
	{ 0x53, "ESME_RINVSYSTYP" }, { 0x54, "ESME_RINVREPFLAG" }, { 0x55, "ESME_RINVNUMMSGS" },
	{ 0x58, "ESME_RTHROTTLED" }, { 0x61, "ESME_RINVSCHED" }, { 0x62, "ESME_RINVEXPIRY" },
	{ 0x63, "ESME_RINVDFTMSGID" }, { 0x64, "ESME_RX_T_APPN" }, { 0x65, "ESME_RX_P_APPN" },
	{ 0x66, "ESME_RX_R_APPN" }, { 0x67, "ESME_RQUERYFAIL" }, { 0xc0, "ESME_RINVOPTPARSTREAM" },
	{ 0xc1, "ESME_ROPTPARNOTALLWD" }, { 0xc2, "ESME_RINVPARLEN" },
	{ 0xc3, "ESME_RMISSINGOPTPARAM" }, { 0xc4, "ESME_RINVOPTPARAMVAL" },
	{ 0xfe, "ESME_RDELIVERYFAILURE" }, { 0xff, "ESME_RUNKNOWNERR" },
	{ 0x100, "ESME_RSERTYPUNAUTH" }, { 0x101, "ESME_RPROHIBITED" },
	{ 0x102, "ESME_RSERTYPUNAVAIL" }, { 0x103, "ESME_RSERTYPDENIED" },
	{ 0x104, "ESME_RINVDCS" } };

const char *smpp_status_name(uint32_t status)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].status == status)
			return names[i].name;
	return NULL;
}
