/* smpp_pdu.h - SMPP 3.4 on the wire: frames, the PDUs that an ESME needs, TLVs. Reading never looks behind the given bytes and
 * never copies: strings and values are borrowed from the PDU. Unknown command ids, statuses and TLVs are kept as they came.
 * Thread: any, pure. Owns: nothing. Failures: -EBADMSG for a PDU whose fields do not fit; a reader that fails once stays bad. */
#ifndef LANTOA_SMPP_PDU_H
#define LANTOA_SMPP_PDU_H

#include "../common/text.h"

#define SMPP_HEADER 16u
#define SMPP_PDU_MAX \
	70000u /* 64 KiB of payload and its fields; a longer one means that the stream is lost */
#define SMPP_ID_MAX     65u  /* message_id with its NUL */
#define SMPP_SM_MAX     254u /* octets of short_message that 3.4 allows */
#define SMPP_SEQ_MAX    0x7fffffffu
#define SMPP_RESP       0x80000000u
#define SMPP_TLV_N_MAX  64u /* of one PDU that are looked at */
#define SMPP_TEXT_BYTES 65535u

enum smpp_cmd {
	SMPP_BIND_RX = 0x01,
	SMPP_BIND_TX = 0x02,
	SMPP_QUERY_SM = 0x03,
	SMPP_SUBMIT_SM = 0x04,
	SMPP_DELIVER_SM = 0x05,
	SMPP_UNBIND = 0x06,
	SMPP_BIND_TRX = 0x09,
	SMPP_OUTBIND = 0x0b,
	SMPP_ENQUIRE_LINK = 0x15,
	SMPP_ALERT = 0x102,
	SMPP_DATA_SM = 0x103
};
#define SMPP_GENERIC_NACK 0x80000000u

enum smpp_status {
	SMPP_ROK = 0x00,
	SMPP_RINVCMDLEN = 0x02,
	SMPP_RINVCMDID = 0x03,
	SMPP_RINVBNDSTS = 0x04,
	SMPP_RALYBND = 0x05,
	SMPP_RSYSERR = 0x08,
	SMPP_RMSGQFUL = 0x14,
	SMPP_RSUBMITFAIL = 0x45,
	SMPP_RTHROTTLED = 0x58,
	SMPP_RINVEXPIRY = 0x62,
	SMPP_RX_T_APPN = 0x64
};
enum smpp_tag {
	SMPP_T_RECEIPTED_ID = 0x001e,
	SMPP_T_USER_REF = 0x0204,
	SMPP_T_SAR_REF = 0x020c,
	SMPP_T_SAR_TOTAL = 0x020e,
	SMPP_T_SAR_SEQ = 0x020f,
	SMPP_T_SC_VERSION = 0x0210,
	SMPP_T_NETWORK_ERROR = 0x0423,
	SMPP_T_PAYLOAD = 0x0424,
	SMPP_T_STATE = 0x0427,
	SMPP_T_CONGESTION = 0x0428
};

struct smpp_header {
	uint32_t length, id, status, seq;
};
struct smpp_tlv {
	uint16_t tag;
	struct lt_str value;
};
/* submit_sm, deliver_sm and data_sm; data_sm has no protocol_id ... default_id, message. */
struct smpp_sm {
	struct lt_str service_type, source, dest, schedule, validity, message;
	uint8_t source_ton, source_npi, dest_ton, dest_npi;
	uint8_t esm_class, protocol_id, priority, registered, replace, data_coding, default_id;
	struct lt_str tlvs; /* raw */
};
struct smpp_bind {
	struct lt_str system_id, password, system_type, range;
	uint8_t version, ton, npi;
};

/* Looks for one frame at the start of n bytes. 1: *ret is its header, all of it is there; 0: more bytes are needed (*ret is
 * filled once the header is there); -EBADMSG: length under 16 or over SMPP_PDU_MAX, the stream is lost. */
int smpp_frame(const char *p, size_t n, struct smpp_header *ret) LTC_MUST;

/* Bodies: the bytes behind the header. */
int smpp_read_sm(struct lt_str body, bool data_sm, struct smpp_sm *ret) LTC_MUST;
/* submit_sm_resp, bind_*_resp, data_sm_resp: an id and TLVs; both may be missing, an id without NUL is taken as it is. */
void smpp_read_resp(struct lt_str body, struct lt_str *ret_id, struct lt_str *ret_tlvs);
int smpp_read_bind(struct lt_str body, struct smpp_bind *ret) LTC_MUST;
/* Next TLV; false at the end, or when one runs past it (*ret_bad is set then, the rest is not looked at). */
bool smpp_tlv_next(struct lt_str *rest, struct smpp_tlv *ret, bool *ret_bad);
bool smpp_tlv_find(struct lt_str tlvs, uint16_t tag, struct lt_str *ret); /* the first one */
bool smpp_tlv_u(struct lt_str tlvs, uint16_t tag,
	uint32_t *ret); /* 1 to 4 octets, whatever its length says */

/* Writing: append one PDU. 0, -EINVAL when a string does not fit its field (nothing is cut off), -ENOMEM. */
int smpp_write_empty(struct ltc_buf *b, uint32_t id, uint32_t status, uint32_t seq) LTC_MUST;
int smpp_write_resp(struct ltc_buf *b, uint32_t id, uint32_t status, uint32_t seq,
	struct lt_str message_id) LTC_MUST;
int smpp_write_sm(struct ltc_buf *b, uint32_t id, uint32_t status, uint32_t seq,
	const struct smpp_sm *sm) LTC_MUST;
/* The password is not here: its bytes are spliced in by the host. head: up to and with system_id; tail: behind the password's
 * bytes, its NUL first. password_n: its length. */
int smpp_write_bind(struct ltc_buf *head, struct ltc_buf *tail, uint32_t id, uint32_t seq,
	const struct smpp_bind *v, size_t password_n) LTC_MUST;
void smpp_tlv_add(struct ltc_buf *b, uint16_t tag, const void *p, size_t n);
void smpp_tlv_add_u8(struct ltc_buf *b, uint16_t tag, uint8_t v);
void smpp_tlv_add_u16(struct ltc_buf *b, uint16_t tag, uint16_t v);

/* User data header at the start of a message: part, of, reference. False: none, or one that does not fit. *ret_n: its octets. */
struct smpp_part {
	uint16_t ref;
	uint8_t total, seq;
};
bool smpp_udh_read(struct lt_str message, struct smpp_part *ret, size_t *ret_n);
const char *smpp_status_name(uint32_t status); /* "ESME_RTHROTTLED"; NULL when not in 3.4 or 5.0 */

#endif
