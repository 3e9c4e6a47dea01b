/* sms_conf.h - the shared settings of an SMS account, read. Private to the sms_* files; adapters see sms_prepare.h.
 * Thread: any, pure. Owns: the list of words until sms_conf_done. */
#ifndef LANTOA_COMMON_SMS_CONF_H
#define LANTOA_COMMON_SMS_CONF_H

#include "sms_prepare.h"

#define SMS_RESERVED_MAX 60

struct sms_conf {
	struct lt_str sender, sender_until, gateway, forbidden, foreign, links, ad_label,
		ad_refusal;
	struct lt_str ranges, prices, templates, words; /* tables; absent when not configured */
	bool is_brandname, unicode_allowed, templates_must, templates_warn;
	enum sms_form form;
	enum sms_unmappable unmappable;
	uint32_t max_segments, reserved, reserved_ad;
	uint32_t
		octet_max; /* last character of the server's alphabet for data coding 0; 0: the GSM alphabet */
	struct sms_budget budget;
	struct sms_words protect;
	struct sms_word *list; /* owned */
};
/* 0, or -EINVAL with "key: what is wrong; what would be right" in err, or -ENOMEM. Tables are not checked here. */
int sms_conf_read(
	const struct lt_conf *c, struct sms_conf *ret, char *err, size_t err_size) LTC_MUST;
void sms_conf_done(struct sms_conf *c);
/* Sender by its type: NULL when it is sound, else what would be right. */
const char *sms_sender_fault(struct lt_str sender, struct lt_str type);

#endif
