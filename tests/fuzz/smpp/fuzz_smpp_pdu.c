/* SMPP PDUs: framed at any cut as whole, read within their bounds, written again as they were read; receipts and their ids. */
#include <string.h>
#include "../host.h"
#include "smpp/smpp.h"

static void frames(const uint8_t *p, size_t n)
{
	struct smpp_header h = { 0 };
	uint32_t length = n < 4
		? 0
		: (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	bool lost = length < SMPP_HEADER || length > SMPP_PDU_MAX;

	for (size_t k = 0; k <= n && k <= length + 2u && k < 4096; k++) {
		int want = k < 4 ? 0 : lost ? -1 : k >= length;
		int rc = smpp_frame((const char *)p, k, &h);
		MUST((rc < 0 ? -1 : rc) == want);
		MUST(rc != 1 || h.length == length);
	}
}

static bool same(const struct smpp_sm *a, const struct smpp_sm *b)
{
	return ltc_eq(a->service_type, b->service_type) && ltc_eq(a->source, b->source) &&
		ltc_eq(a->dest, b->dest) && ltc_eq(a->schedule, b->schedule) &&
		ltc_eq(a->validity, b->validity) && ltc_eq(a->message, b->message) &&
		ltc_eq(a->tlvs, b->tlvs) && a->source_ton == b->source_ton &&
		a->source_npi == b->source_npi && a->dest_ton == b->dest_ton &&
		a->dest_npi == b->dest_npi && a->esm_class == b->esm_class &&
		a->protocol_id == b->protocol_id && a->priority == b->priority &&
		a->registered == b->registered && a->replace == b->replace &&
		a->data_coding == b->data_coding && a->default_id == b->default_id;
}

static void again(const struct smpp_sm *m)
{
	struct ltc_buf b;
	struct smpp_header h;
	struct smpp_sm back;

	ltc_buf_init(&b, 1u << 20);
	if (smpp_write_sm(&b, SMPP_DELIVER_SM, 7, 9, m) == 0) {
		MUST(smpp_frame(b.p, b.n, &h) == 1 && h.length == b.n && h.seq == 9);
		MUST(smpp_read_sm((struct lt_str){ b.p + SMPP_HEADER, b.n - SMPP_HEADER }, false,
			     &back) == 0);
		MUST(same(m, &back));
	} else {
		MUST(b.n == 0);
	}
	ltc_buf_done(&b);
}

static void tlvs(struct lt_str all)
{
	struct lt_str rest = all, found;
	struct smpp_tlv t;
	bool bad = false;
	size_t sum = 0;
	uint32_t u;

	while (smpp_tlv_next(&rest, &t, &bad)) {
		MUST(fh_in(t.value, all));
		sum += 4 + t.value.n;
	}
	MUST(bad || sum == all.n);
	static const uint16_t tags[] = { SMPP_T_RECEIPTED_ID, SMPP_T_STATE, SMPP_T_PAYLOAD,
		SMPP_T_CONGESTION, SMPP_T_USER_REF, 0 };
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (smpp_tlv_find(all, tags[i], &found))
			MUST(fh_in(found, all));
		(void)smpp_tlv_u(all, tags[i], &u);
	}
}

static void receipts(const struct smpp_sm *m)
{
	static const char form[] = "{stat},{},{done},{err},{},{},{id}";
	static const struct smpp_conf c = {
		.guess_receipts = true, .zone_min = 420, .report_form = { form, sizeof(form) - 1 }
	};
	struct smpp_receipt r;
	struct smpp_ids ids;

	(void)smpp_receipt_is(&c, m);
	if (smpp_receipt_parse(&c, m, &r) < 0)
		return;
	for (int how = SMPP_DLR_AUTO; how <= SMPP_DLR_DEC_HEX; how++) {
		smpp_receipt_ids((enum smpp_dlr_id)how, r.id, &ids);
		smpp_receipt_pad_all((enum smpp_dlr_id)how,
			r.id.n % 3 == 0 ? UINT64_MAX : r.id.n % 3 - 1, r.id, &ids);
		MUST(ids.n <= SMPP_IDS_MAX);
		for (size_t i = 0; i < ids.n; i++) {
			MUST(ids.list[i].n > 0 && ids.list[i].n < sizeof(ids.text[0]));
			for (size_t j = 0; j < i; j++)
				MUST(!ltc_eq(ids.list[i], ids.list[j]));
		}
	}
}

static void bodies(struct lt_str body)
{
	struct smpp_sm m;
	struct smpp_bind bind;
	struct smpp_part part;
	struct lt_str id, rest;
	size_t used = 0;

	for (int data = 0; data < 2; data++)
		if (smpp_read_sm(body, data != 0, &m) == 0) {
			const struct lt_str all[] = { m.service_type, m.source, m.dest, m.schedule,
				m.validity, m.message, m.tlvs };
			for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
				MUST(all[i].n == 0 || fh_in(all[i], body));
				MUST(i > 4 || all[i].n == 0 ||
					memchr(all[i].p, 0, all[i].n) == NULL);
			}
			again(&m);
			tlvs(m.tlvs);
			receipts(&m);
			if (smpp_udh_read(m.message, &part, &used))
				MUST(used <= m.message.n && part.seq >= 1 &&
					part.seq <= part.total);
		}
	smpp_read_resp(body, &id, &rest);
	MUST((id.n == 0 || fh_in(id, body)) && (rest.n == 0 || fh_in(rest, body)));
	tlvs(rest);
	if (smpp_read_bind(body, &bind) == 0)
		MUST(fh_in(bind.system_id, body) && fh_in(bind.password, body) &&
			fh_in(bind.range, body));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct smpp_header h;

	frames(p, n);
	for (size_t at = 0; at < n && smpp_frame((const char *)p + at, n - at, &h) == 1;
		at += h.length)
		bodies((struct lt_str){
			(const char *)p + at + SMPP_HEADER, h.length - SMPP_HEADER });
	return 0;
}
