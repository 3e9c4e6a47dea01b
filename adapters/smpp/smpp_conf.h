/* smpp_conf.h - settings of one SMPP account, read once at open.
 * Thread: any, pure. Owns: nothing; strings are borrowed from the host's settings. */
#ifndef LANTOA_SMPP_CONF_H
#define LANTOA_SMPP_CONF_H

#include "../common/text.h"

#define SMPP_BINDS_MAX    16u
#define SMPP_WINDOW_MAX   500u
#define SMPP_SEGMENTS_MAX 16u /* of one message: the host keeps so many provider ids */

enum smpp_mode { SMPP_TRANSCEIVER = 0, SMPP_TX_RX };
enum smpp_long { SMPP_UDH8 = 0, SMPP_UDH16, SMPP_SAR, SMPP_PAYLOAD };
enum smpp_dlr_id { SMPP_DLR_AUTO = 0, SMPP_DLR_EXACT, SMPP_DLR_HEX_DEC, SMPP_DLR_DEC_HEX };
enum smpp_charset { SMPP_GSM0338 = 0, SMPP_LATIN1, SMPP_ASCII };

struct smpp_conf {
	struct lt_str host, system_id, secret, system_type, range, report_form;
	uint16_t port;
	bool tls;
	enum smpp_mode mode;
	uint32_t binds, window, per_s; /* per_s: segments a second, 0: no limit of its own */
	int32_t connect_ms, bind_ms, response_ms, enquire_ms, enquire_wait_ms, late_ms;
	struct lt_str sender, service_type;
	uint8_t source_ton, source_npi, dest_ton, dest_npi, esm_class, registered;
	bool national, priority, flash, guess_receipts;
	int32_t validity_s; /* 0: none */
	enum smpp_long long_mode;
	enum smpp_dlr_id dlr_id;
	enum smpp_charset charset;
	int zone_min;
};

#define SMPP_N_OWN_KEYS 34
#define SMPP_N_KEYS     (SMPP_N_OWN_KEYS + 16)
extern const struct lt_key smpp_keys[SMPP_N_KEYS];

int smpp_conf_read(
	const struct lt_conf *c, struct smpp_conf *ret, char *err, size_t err_size) LTC_MUST;

#endif
