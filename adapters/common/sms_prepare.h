/* sms_prepare.h - what every SMS adapter shares: settings, address, prepare, compose, and the payload that they make.
 *
 * An adapter puts SMS_KEYS into its table of keys and its vtable functions call the ones below:
 *
 *     static const struct lt_key keys[] = { SMS_KEYS, { "host", "text", NULL, "...", 0, 0 }, ... };
 *     address = sms_address, prepare = sms_prepare, compose = sms_compose; open() asks sms_conf_check().
 *
 * Data tables (channel file, `files:`): ranges (needed), prices, templates, words. See config/sms/.
 *
 * Payload: one piece without holes, equal for all recipients of an office. Lines up to an empty one, then the text:
 *
 *     lantoa-sms 1
 *     coding: gsm            gsm | ucs2
 *     segments: 2
 *     units: 171             septets or UTF-16 code units of the text below, reserved ones not counted
 *     category: 2            LT category of the release: 1 emergency, 2 public notice, 3 internal, 4 advertising
 *     template: BHXH-07      only when a registered template matched and has an id
 *     param: Điện Biên       its fields in order, zero or more
 *                            (empty line)
 *     TEXT                   UTF-8, NFC, exactly as it goes out, label and refusal text included
 *
 * sms_payload_read() takes it apart; then sms_split() and sms_encode_gsm()/sms_encode_ucs2() from sms_text.h make octets.
 *
 * Facts: bytes (octets on the air), segments, cost (đồng for one recipient at the dearest operator), cost.CLASS (đồng for
 * one recipient of that operator; CLASS as address() tells it).
 * Thread: any, pure. Failures: problems told to the sink, -EINVAL; -ENOMEM. */
#ifndef LANTOA_COMMON_SMS_PREPARE_H
#define LANTOA_COMMON_SMS_PREPARE_H

#include "sms_text.h"

#define SMS_PARAMS_MAX 32

/* Rows for the adapter's table of keys; SMS_N_KEYS of them. */
#define SMS_KEYS                                                                                          \
	{ "sender", "text", NULL, "brandname, short code or number that the message comes from",          \
		0, 0 },                                                                                   \
		{ "sender_type", "enum:brandname|shortcode|number", "brandname",                          \
			"brandname: at most 11 of A-Z a-z 0-9 space - _ .; shortcode and number: digits", \
			0, 0 },                                                                           \
		{ "sender_until", "text", "",                                                             \
			"last day of the brandname's registration, YYYY-MM-DD", 0, 0 },                   \
		{ "gateway", "text", "", "name of this gateway in the price and template tables",         \
			0, 0 },                                                                           \
		{ "form", "enum:accented|plain|shortest", "plain",                                        \
			"accented: as written; plain: without diacritics; shortest: fewer segments wins", \
			0, 0 },                                                                           \
		{ "unicode_allowed", "bool", "yes", "no: the gateway takes the GSM alphabet only",        \
			0, 0 },                                                                           \
		{ "unmappable", "enum:reject|?|drop", "reject",                                           \
			"a character that has no plain form: refuse the text, put ?, leave it out",       \
			0, 0 },                                                                           \
		{ "max_segments", "int", "4", "longest text in segments, 1 to 255", 0, 0 },               \
		{ "forbidden_chars", "text", "", "characters that the gateway refuses", 0, 0 },           \
		{ "reserved_chars", "int", "0", "units that the operator adds to each text", 0,           \
			0 },                                                                              \
		{ "reserved_chars_ad", "int", "0", "units that it adds to an advertising text", 0,        \
			0 },                                                                              \
		{ "foreign", "text", "",                                                                  \
			"country codes such as +856 +66 that the gateway serves; any: all", 0,            \
			0 },                                                                              \
		{ "templates_need", "enum:no|warn|yes", "no",                                             \
			"yes: a text that matches no registered template is refused", 0, 0 },             \
		{ "links", "text", "",                                                                    \
			"domains of our own that a text may link to; none when empty", 0, 0 },            \
		{ "ad_label", "text", "[QC]",                                                             \
			"first words of an advertising text; empty: operator adds it", 0, 0 },            \
	{                                                                                                 \
		"ad_refusal", "text", "", "last words of an advertising text: how to refuse more",        \
			0, 0                                                                              \
	}
#define SMS_N_KEYS 16

struct sms_payload {
	enum sms_coding coding;
	uint32_t segments, units, category, n_params;
	struct lt_str template_id, params[SMS_PARAMS_MAX], text; /* borrowed from the payload */
};
/* 0, or -EINVAL when it is none of ours. */
int sms_payload_read(struct lt_str payload, struct sms_payload *ret) LTC_MUST;
/* The payload of an op as one string: lt_work.payload usually is one piece and is borrowed; else it is joined in `join`. */
int sms_payload_of(const struct lt_work *w, struct ltc_buf *join, struct sms_payload *ret) LTC_MUST;

/* Budget by the setting `long_mode` of the adapter, if it has one: udh16 takes one unit more, all others count as udh8. */
struct sms_budget sms_conf_budget(const struct lt_conf *c);
/* Settings and tables are sound; else -EINVAL and one sentence with file, line and what would be right. For open(). */
int sms_conf_check(const struct lt_conf *c, char *err, size_t err_size) LTC_MUST;
/* The three pure functions of the vtable. address() tells address (+84912345678), class (viettel, vinaphone ..., foreign) and
 * kind "mobile"; a number that was converted from its 11-digit form before 2018 also tells `changed` (the old number). */
int sms_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink);
int sms_prepare(const struct lt_conf *c, const struct lt_content *content, struct lt_sink *sink);
int sms_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink);

#endif
