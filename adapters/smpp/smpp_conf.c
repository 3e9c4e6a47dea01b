/* smpp_conf.c - the key table of the SMPP adapter and its reader.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL; the text names the key, the value and what would be right. */
#include <errno.h>
#include <string.h>
#include "../common/settings.h"
#include "../common/sms_prepare.h"
#include "smpp.h"

_Static_assert(SMPP_N_KEYS == SMPP_N_OWN_KEYS + SMS_N_KEYS, "the table of keys has another length");

const struct lt_key smpp_keys[SMPP_N_KEYS] = {
	SMS_KEYS,
	{ "host", "text", NULL, "name or address of the SMSC", 0, 0 },
	{ "port", "int", "2775", "its port", 0, 0 },
	{ "tls", "bool", "no", "yes: TLS from the start of the connection", 0, 0 },
	{ "mode", "enum:transceiver|transmitter+receiver", "transceiver",
		"one connection for both directions, or two for servers without it", 0, 0 },
	{ "system_id", "text", NULL, "log-in name, at most 15 characters", 0, 0 },
	{ "password", "secret", "",
		"name of the secret that holds the password, at most 8 characters", 0, 0 },
	{ "system_type", "text", "", "at most 12 characters; empty unless the operator names one",
		0, 0 },
	{ "address_range", "text", "", "addresses that a receiver asks for; mostly empty", 0, 0 },
	{ "binds", "int", "1", "binds at the same time, 1 to 16, as the contract allows", 0, 0 },
	{ "window", "int", "10", "submits without an answer on one bind, 1 to 500", 0, 0 },
	{ "segments_per_s", "int", "0", "segments a second over all binds; 0: no limit here", 0,
		0 },
	{ "connect_ms", "int", "10000", "limit for connect and TLS", 0, 0 },
	{ "bind_ms", "int", "30000", "wait for the answer to a bind", 0, 0 },
	{ "response_ms", "int", "60000", "wait for the answer to a submit", 0, 0 },
	{ "late_ms", "int", "600000", "an answer that comes later still settles, for so long", 0,
		0 },
	{ "enquire_ms", "int", "30000", "silence after which the link is asked", 0, 0 },
	{ "enquire_wait_ms", "int", "10000", "no answer to that: the link is dropped", 0, 0 },
	{ "service_type", "text", "", "at most 5 characters, for example CMT", 0, 0 },
	{ "source_ton", "int", "-1", "type of the sender's address; -1: by sender_type", 0, 0 },
	{ "source_npi", "int", "-1", "numbering plan of it; -1: by sender_type", 0, 0 },
	{ "dest_format", "enum:e164_noplus|national_0", "e164_noplus", "84912345678, or 0912345678",
		0, 0 },
	{ "dest_ton", "int", "-1", "type of the recipient's address; -1: by dest_format", 0, 0 },
	{ "dest_npi", "int", "-1", "numbering plan of it; -1: 1", 0, 0 },
	{ "esm_class", "int", "0", "0: the server's own mode; 3: store and forward", 0, 0 },
	{ "priority", "bool", "no", "yes: emergency texts go with priority 3", 0, 0 },
	{ "validity_s", "int", "0", "the operator gives up after so long; 0: it decides itself", 0,
		0 },
	{ "receipts", "enum:all|failures|none", "all", "which reports are asked for", 0, 0 },
	{ "flash", "bool", "no", "yes: shown at once, not kept", 0, 0 },
	{ "dcs0_charset", "enum:gsm0338|latin1|ascii", "gsm0338",
		"what the server means by data coding 0", 0, 0 },
	{ "long_mode", "enum:udh8|udh16|sar|payload", "udh8", "how a longer text is parted", 0, 0 },
	{ "dlr_id", "enum:auto|exact|resp_hex_dlr_dec|resp_dec_dlr_hex", "auto",
		"how the id in a report is written beside that of the answer", 0, 0 },
	{ "guess_receipts", "bool", "yes",
		"no: a text with id: and stat: is a report only where the server marks it as one",
		0, 0 },
	{ "report_form", "text", "{stat},{},{},{err},{},{},{id}",
		"a report without keys: literal text, and {stat} {err} {id} {done} {} where they stand",
		0, 0 },
	{ "zone", "text", "Asia/Ho_Chi_Minh", "zone of the times in reports", 0, 0 },
};

static void read_server(struct ltc_settings *in, struct smpp_conf *r)
{
	r->host = ltc_setting_ascii(in, "host", 253);
	if (r->host.n == 0)
		ltc_setting_wrong(in, "host", r->host, "the name of the SMSC is needed");
	r->port = (uint16_t)ltc_setting_number(in, "port", 1, 65535);
	r->tls = ltc_setting_flag(in, "tls");
	r->mode = (enum smpp_mode)ltc_setting_word(in, "mode");
	r->system_id = ltc_setting_ascii(in, "system_id", 15);
	if (r->system_id.n == 0)
		ltc_setting_wrong(in, "system_id", r->system_id, "the log-in name is needed");
	r->secret = ltc_setting_secret(in, "password");
	r->system_type = ltc_setting_ascii(in, "system_type", 12);
	r->range = ltc_setting_ascii(in, "address_range", 40);
	r->binds = (uint32_t)ltc_setting_number(in, "binds", 1, SMPP_BINDS_MAX);
	r->window = (uint32_t)ltc_setting_number(in, "window", 1, SMPP_WINDOW_MAX);
	r->per_s = (uint32_t)ltc_setting_number(in, "segments_per_s", 0, 1000000);
	r->connect_ms = (int32_t)ltc_setting_number(in, "connect_ms", 100, 600000);
	r->bind_ms = (int32_t)ltc_setting_number(in, "bind_ms", 100, 600000);
	r->response_ms = (int32_t)ltc_setting_number(in, "response_ms", 100, 3600000);
	r->late_ms = (int32_t)ltc_setting_number(in, "late_ms", 0, 3600000);
	r->enquire_ms = (int32_t)ltc_setting_number(in, "enquire_ms", 100, 3600000);
	r->enquire_wait_ms = (int32_t)ltc_setting_number(in, "enquire_wait_ms", 100, 3600000);
}

static uint8_t octet(struct ltc_settings *in, const char *name, uint8_t otherwise)
{
	int64_t v = ltc_setting_number(in, name, -1, 255);

	return v < 0 ? otherwise : (uint8_t)v;
}

static void read_addresses(struct ltc_settings *in, struct smpp_conf *r)
{
	static const uint8_t tons[] = { 5, 3, 1 }, npis[] = { 0, 0, 1 };
	unsigned kind = ltc_setting_word(in, "sender_type");

	r->sender = ltc_setting_ascii(in, "sender", 20);
	if (ltc_starts(r->sender, "+")) /* the type of number says so; a plus is no digit of it */
		r->sender = ltc_from(r->sender, 1);
	r->source_ton = octet(in, "source_ton", tons[kind]);
	r->source_npi = octet(in, "source_npi", npis[kind]);
	r->national = ltc_setting_word(in, "dest_format") == 1;
	r->dest_ton = octet(in, "dest_ton", r->national ? 2 : 1);
	r->dest_npi = octet(in, "dest_npi", 1);
}

static void read_message(struct ltc_settings *in, struct smpp_conf *r)
{
	static const uint8_t registered[] = { 1, 2, 0 };

	r->service_type = ltc_setting_ascii(in, "service_type", 5);
	r->esm_class = (uint8_t)ltc_setting_number(in, "esm_class", 0, 3);
	r->priority = ltc_setting_flag(in, "priority");
	r->validity_s = (int32_t)ltc_setting_number(in, "validity_s", 0, 63 * 86400);
	r->registered = registered[ltc_setting_word(in, "receipts")];
	r->flash = ltc_setting_flag(in, "flash");
	r->charset = (enum smpp_charset)ltc_setting_word(in, "dcs0_charset");
	r->long_mode = (enum smpp_long)ltc_setting_word(in, "long_mode");
	r->dlr_id = (enum smpp_dlr_id)ltc_setting_word(in, "dlr_id");
	r->guess_receipts = ltc_setting_flag(in, "guess_receipts");
	r->zone_min = ltc_setting_zone(in, "zone");
	r->report_form = ltc_setting_value(in, "report_form");
	if (!smpp_form_is_good(r->report_form))
		ltc_setting_wrong(in, "report_form", r->report_form,
			"literal text with {stat} and, where they stand, {err} {id} {done} {}, never two fields side by side");
	int64_t segments = ltc_setting_number(in, "max_segments", 1, 255);
	if (r->long_mode != SMPP_PAYLOAD && segments > SMPP_SEGMENTS_MAX)
		ltc_setting_wrong(in, "max_segments", ltc_setting_value(in, "max_segments"),
			"at most 16 with long_mode udh8, udh16 or sar: so many ids are kept");
}

int smpp_conf_read(const struct lt_conf *c, struct smpp_conf *ret, char *err, size_t err_size)
{
	struct ltc_settings in = { .conf = c,
		.keys = smpp_keys,
		.n_keys = SMPP_N_KEYS,
		.empty_is_default = true,
		.err = err,
		.err_size = err_size };
	struct smpp_conf r = { 0 };

	read_server(&in, &r);
	if (!in.bad)
		read_addresses(&in, &r);
	if (!in.bad)
		read_message(&in, &r);
	if (in.bad)
		return -EINVAL;
	*ret = r;
	return 0;
}
