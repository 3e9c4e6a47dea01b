/* email_conf.h - the settings of one relay account, read from what the host hands over.
 * Thread: any, pure. Owns: nothing; every string is borrowed from the lt_conf. */
#ifndef LANTOA_EMAIL_CONF_H
#define LANTOA_EMAIL_CONF_H

#include "../common/text.h"

#define EMAIL_CONNECTIONS_MAX   64
#define EMAIL_RCPT_MAX          100
#define EMAIL_REFUSAL_LOCAL_MAX 16 /* with "+" and a token of up to 47 it stays within 64 */

enum email_tls { EMAIL_TLS_NONE, EMAIL_TLS_START, EMAIL_TLS_IMPLICIT };
struct email_conf {
	struct lt_str host, user, secret, login_options, ehlo_name, from, from_name, reply_to,
		envelope_from, verp_domain, message_id_domain, list_id, unsubscribe_mail, lang;
	uint16_t port;
	enum email_tls tls;
	uint32_t connections, max_rcpt, max_mails_per_conn, pipeline_depth, window, links_days;
	int32_t connect_ms, idle_ms, command_ms, data_ms, final_ms;
	uint64_t size_max, inline_max_bytes;
	bool personal, dsn, links;
	int zone_min; /* minutes east of UTC */
};

/* 0, or -EINVAL with "key: what is wrong" in err. */
int email_conf_read(
	const struct lt_conf *c, struct email_conf *ret, char *err, size_t err_size) LTC_MUST;
/* Text of a data table by name; absent when not configured. */
struct lt_str email_conf_file(const struct lt_conf *c, const char *name);
#define EMAIL_N_KEYS 33
extern const struct lt_key email_keys[EMAIL_N_KEYS];

#endif
