/* smpp_conf.c - the key table of the SMPP adapter and its reader.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL; the text names the key, the value and what would be right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "../common/sms_prepare.h"
#include "smpp_conf.h"

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
	{ "zone", "text", "Asia/Ho_Chi_Minh", "zone of the times in reports", 0, 0 },
};

static struct lt_str value(const struct lt_conf *c, const char *name)
{
	struct lt_str v = ltc_pair(c->values, c->n_values, name);

	for (uint32_t i = 0; v.n == 0 && i < SMPP_N_KEYS; i++)
		if (strcmp(smpp_keys[i].name, name) == 0)
			v = ltc_z(smpp_keys[i].default_text);
	return v;
}

struct in {
	const struct lt_conf *c;
	char *err;
	size_t err_size;
	bool bad;
};

static void complain(struct in *in, const char *name, struct lt_str v, const char *right)
{
	if (!in->bad)
		(void)snprintf(in->err, in->err_size, "%s: '%.*s' is wrong; %s", name,
			(int)(v.n > 80 ? 80 : v.n), v.p == NULL ? "" : v.p, right);
	in->bad = true;
}

static int64_t number(struct in *in, const char *name, int64_t min, int64_t max)
{
	struct lt_str v = value(in->c, name);
	int64_t r = min;
	char right[80];

	(void)snprintf(
		right, sizeof(right), "a number from %lld to %lld", (long long)min, (long long)max);
	if (ltc_i64(v, min, max, &r) < 0)
		complain(in, name, v, right);
	return r;
}

static bool flag(struct in *in, const char *name)
{
	struct lt_str v = value(in->c, name);

	if (ltc_ieqz(v, "yes") || ltc_ieqz(v, "true") || ltc_ieqz(v, "on") || ltc_eqz(v, "1"))
		return true;
	if (!ltc_ieqz(v, "no") && !ltc_ieqz(v, "false") && !ltc_ieqz(v, "off") && !ltc_eqz(v, "0"))
		complain(in, name, v, "yes or no");
	return false;
}

static struct lt_str text(struct in *in, const char *name, size_t max)
{
	struct lt_str v = value(in->c, name);
	char right[80];

	(void)snprintf(right, sizeof(right), "at most %zu ASCII characters", max);
	if (v.n > max || ltc_has_control(v) || !ltc_is_ascii(v))
		complain(in, name, v, right);
	return v;
}

/* Place of a word in the key's enum. */
static int word(struct in *in, const char *name, const char *const *words)
{
	struct lt_str v = value(in->c, name);
	char right[120] = "one of";

	for (int i = 0; words[i] != NULL; i++) {
		if (ltc_eqz(v, words[i]))
			return i;
		size_t n = strlen(right);
		(void)snprintf(right + n, sizeof(right) - n, " %s", words[i]);
	}
	complain(in, name, v, right);
	return 0;
}

static void read_server(struct in *in, struct smpp_conf *r)
{
	static const char *const modes[] = { "transceiver", "transmitter+receiver", NULL };

	r->host = text(in, "host", 253);
	if (r->host.n == 0)
		complain(in, "host", r->host, "the name of the SMSC is needed");
	r->port = (uint16_t)number(in, "port", 1, 65535);
	r->tls = flag(in, "tls");
	r->mode = (enum smpp_mode)word(in, "mode", modes);
	r->system_id = text(in, "system_id", 15);
	if (r->system_id.n == 0)
		complain(in, "system_id", r->system_id, "the log-in name is needed");
	r->secret = ltc_pair_secret(in->c->values, in->c->n_values, "password");
	if (r->secret.n == 0)
		r->secret = value(in->c, "password");
	r->system_type = text(in, "system_type", 12);
	r->range = text(in, "address_range", 40);
	r->binds = (uint32_t)number(in, "binds", 1, SMPP_BINDS_MAX);
	r->window = (uint32_t)number(in, "window", 1, SMPP_WINDOW_MAX);
	r->per_s = (uint32_t)number(in, "segments_per_s", 0, 1000000);
	r->connect_ms = (int32_t)number(in, "connect_ms", 100, 600000);
	r->bind_ms = (int32_t)number(in, "bind_ms", 100, 600000);
	r->response_ms = (int32_t)number(in, "response_ms", 100, 3600000);
	r->late_ms = (int32_t)number(in, "late_ms", 0, 3600000);
	r->enquire_ms = (int32_t)number(in, "enquire_ms", 100, 3600000);
	r->enquire_wait_ms = (int32_t)number(in, "enquire_wait_ms", 100, 3600000);
}

static uint8_t octet(struct in *in, const char *name, uint8_t otherwise)
{
	int64_t v = number(in, name, -1, 255);

	return v < 0 ? otherwise : (uint8_t)v;
}

static void read_addresses(struct in *in, struct smpp_conf *r)
{
	static const char *const formats[] = { "e164_noplus", "national_0", NULL };
	static const char *const senders[] = { "brandname", "shortcode", "number", NULL };
	static const uint8_t tons[] = { 5, 3, 1 }, npis[] = { 0, 0, 1 };
	int kind = word(in, "sender_type", senders);

	r->sender = text(in, "sender", 20);
	r->source_ton = octet(in, "source_ton", tons[kind]);
	r->source_npi = octet(in, "source_npi", npis[kind]);
	r->national = word(in, "dest_format", formats) == 1;
	r->dest_ton = octet(in, "dest_ton", r->national ? 2 : 1);
	r->dest_npi = octet(in, "dest_npi", 1);
}

static void read_message(struct in *in, struct smpp_conf *r)
{
	static const char *const longs[] = { "udh8", "udh16", "sar", "payload", NULL };
	static const char *const ids[] = { "auto", "exact", "resp_hex_dlr_dec", "resp_dec_dlr_hex",
		NULL };
	static const char *const charsets[] = { "gsm0338", "latin1", "ascii", NULL };
	static const char *const reports[] = { "all", "failures", "none", NULL };
	static const uint8_t registered[] = { 1, 2, 0 };

	r->service_type = text(in, "service_type", 5);
	r->esm_class = (uint8_t)number(in, "esm_class", 0, 3);
	r->priority = flag(in, "priority");
	r->validity_s = (int32_t)number(in, "validity_s", 0, 63 * 86400);
	r->registered = registered[word(in, "receipts", reports)];
	r->flash = flag(in, "flash");
	r->charset = (enum smpp_charset)word(in, "dcs0_charset", charsets);
	r->long_mode = (enum smpp_long)word(in, "long_mode", longs);
	r->dlr_id = (enum smpp_dlr_id)word(in, "dlr_id", ids);
	struct lt_str zone = value(in->c, "zone");
	if (ltc_zone_offset(zone, &r->zone_min) < 0)
		complain(in, "zone", zone, "for example +0700, UTC or Asia/Ho_Chi_Minh");
	int64_t segments = number(in, "max_segments", 1, 255);
	if (r->long_mode != SMPP_PAYLOAD && segments > SMPP_SEGMENTS_MAX)
		complain(in, "max_segments", value(in->c, "max_segments"),
			"at most 16 with long_mode udh8, udh16 or sar: so many ids are kept");
}

int smpp_conf_read(const struct lt_conf *c, struct smpp_conf *ret, char *err, size_t err_size)
{
	struct in in = { c, err, err_size, false };
	struct smpp_conf r = { .guess_receipts = true };

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
