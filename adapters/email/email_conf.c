/* email_conf.c - the key table of the e-mail adapter and its reader.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL; the text names the key, the value and what would be right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "../common/settings.h"
#include "email_conf.h"
#include "email_address.h"

const struct lt_key email_keys[EMAIL_N_KEYS] = {
	{ "host", "text", NULL, "name or address of the relay", 0, 0 },
	{ "port", "int", "587", "port of the relay", 0, 0 },
	{ "tls", "enum:none|starttls|implicit", "starttls", "how the link is protected", 0, 0 },
	{ "user", "text", "", "log-in name; empty: no log-in", 0, 0 },
	{ "secret", "secret", "", "name of the secret that holds the password", 0, 0 },
	{ "auth", "enum:auto|plain|login|cram-md5|xoauth2", "auto",
		"how to log in; auto: with TLS PLAIN or LOGIN where offered", 0, 0 },
	{ "ehlo_name", "text", "", "our name in EHLO; default: the domain of `from`", 0, 0 },
	{ "from", "text", NULL, "address in From", 0, 0 },
	{ "from_name", "text", "", "display name in From", 0, 0 },
	{ "reply_to", "text", "", "address in Reply-To: a monitored mailbox", 0, 0 },
	{ "envelope_from", "text", "", "envelope sender; default: `from`", 0, 0 },
	{ "verp_domain", "text", "", "envelope sender becomes b+REF@ this domain", 0, 0 },
	{ "message_id_domain", "text", "", "right side of Message-ID; default: domain of `from`", 0,
		0 },
	{ "connections", "int", "4", "connections to the relay at most, 1 to 64", 0, 0 },
	{ "window", "int", "512", "mails that one session takes at most, 1 to 4096", 0, 0 },
	{ "pipeline_depth", "int", "2",
		"1: one mail at a time on a connection; 2: the next one "
		"behind the dot",
		0, 0 },
	{ "max_rcpt", "int", "50", "recipients in one transaction at most, 1 to 100", 0, 0 },
	{ "max_mails_per_conn", "int", "100", "mails on one connection; 0: no limit", 0, 0 },
	{ "idle_ms", "int", "30000", "an unused connection is closed after so long", 0, 0 },
	{ "connect_ms", "int", "300000", "limit for connect, greeting, TLS and log-in", 0, 0 },
	{ "command_ms", "int", "300000", "wait for the reply to MAIL and RCPT", 0, 0 },
	{ "data_ms", "int", "120000", "wait for the reply to DATA", 0, 0 },
	{ "final_ms", "int", "600000", "wait for the reply behind the dot", 0, 0 },
	{ "size_max", "int", "10485760", "largest whole message in bytes", 0, 0 },
	{ "inline_max_bytes", "int", "7340032",
		"pictures and files in a mail at most, in bytes "
		"before encoding",
		0, 0 },
	{ "links", "bool", "no",
		"yes: files over inline_max_bytes or size_max go as links "
		"under public_url",
		0, 0 },
	{ "links_days", "int", "90", "how long such a link is good, 1 to 400 days", 0, 0 },
	{ "personal", "bool", "yes",
		"yes: To and Message-ID for each recipient; no: one text for "
		"all, undisclosed recipients",
		0, 0 },
	{ "dsn", "bool", "yes", "ask for failure notices where the relay offers DSN", 0, 0 },
	{ "lang", "text", "vi", "language of a release that names none", 0, 0 },
	{ "zone", "text", "+0700", "zone of Date: +0700 or Asia/Ho_Chi_Minh", 0, 0 },
	{ "list_id", "text", "", "List-Id of mails to lists", 0, 0 },
	{ "unsubscribe_mail", "text", "",
		"address that takes refusals by mail, as NAME+TOKEN@DOMAIN in List-Unsubscribe", 0,
		0 },
};

struct lt_str email_conf_file(const struct lt_conf *c, const char *name)
{
	return ltc_pair(c->files, c->n_files, name);
}

static struct lt_str mailbox(struct ltc_settings *in, const char *name, struct lt_str otherwise)
{
	struct lt_str v = ltc_setting_text(in, name);
	struct email_addr a;
	char right[EMAIL_ADDR_MAX + 20];

	if (v.n == 0)
		return otherwise;
	if (email_address_parse(v, &a) < 0)
		ltc_setting_wrong(in, name, v, a.why);
	else if (a.needs_smtputf8)
		ltc_setting_wrong(in, name, v, "an address of ours needs ASCII before the @");
	else if (!ltc_is_ascii(v)) {
		(void)snprintf(right, sizeof(right), "write %s", a.canonical);
		ltc_setting_wrong(in, name, v, right);
	}
	return v;
}

static struct lt_str domain(struct ltc_settings *in, const char *name, struct lt_str otherwise)
{
	struct lt_str v = ltc_setting_text(in, name);

	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '-';
		if (!good) {
			ltc_setting_wrong(
				in, name, v, "a domain name in letters, digits, dot and hyphen");
			return otherwise;
		}
	}
	return v.n == 0 ? otherwise : v;
}

/* Letters, digits, dot, hyphen and underscore: nothing that a header or a URL would have to encode. */
static bool simple_word(struct lt_str v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '.' || c == '-' || c == '_'))
			return false;
	}
	return v.n > 0;
}

static struct lt_str list_name(struct ltc_settings *in, const char *name)
{
	struct lt_str v = ltc_setting_text(in, name);

	if (v.n > 0 && (!simple_word(v) || v.n > 200))
		ltc_setting_wrong(in, name, v, "a name such as tin.bhxh.example (RFC 2919)");
	return v;
}

/* "+TOKEN" goes into its local part, which has 64 octets at most. */
static struct lt_str refusal_mailbox(struct ltc_settings *in, const char *name)
{
	struct lt_str v = mailbox(in, name, (struct lt_str){ 0 });
	const char *at = v.n == 0 ? NULL : memchr(v.p, '@', v.n);

	if (at == NULL)
		return (struct lt_str){ 0 };
	struct lt_str local = { v.p, (size_t)(at - v.p) };
	if (!simple_word(local) || local.n > EMAIL_REFUSAL_LOCAL_MAX ||
		!simple_word(ltc_from(v, local.n + 1)))
		ltc_setting_wrong(in, name, v,
			"NAME@DOMAIN, NAME of at most 16 letters, digits, dots, hyphens and underscores");
	return v;
}

/* By the words of `auth`, as libcurl wants them. None: the host chooses of what the relay offers. */
static const char *const login_options[] = { "", "AUTH=PLAIN", "AUTH=LOGIN", "AUTH=CRAM-MD5",
	"AUTH=XOAUTH2" };

static void read_relay(struct ltc_settings *in, struct email_conf *r)
{
	r->host = ltc_setting_text(in, "host");
	if (r->host.n == 0)
		ltc_setting_wrong(in, "host", r->host, "the name of the relay is needed");
	r->port = (uint16_t)ltc_setting_number(in, "port", 1, 65535);
	r->tls = (enum email_tls)ltc_setting_word(in, "tls");
	r->user = ltc_setting_text(in, "user");
	r->secret = ltc_setting_secret(in, "secret");
	r->login_options = ltc_z(login_options[ltc_setting_word(in, "auth")]);
	r->connections = (uint32_t)ltc_setting_number(in, "connections", 1, EMAIL_CONNECTIONS_MAX);
	r->window = (uint32_t)ltc_setting_number(in, "window", 1, 4096);
	r->pipeline_depth = (uint32_t)ltc_setting_number(in, "pipeline_depth", 1, 2);
	r->max_rcpt = (uint32_t)ltc_setting_number(in, "max_rcpt", 1, EMAIL_RCPT_MAX);
	r->max_mails_per_conn = (uint32_t)ltc_setting_number(
		in, "max_mails_per_conn", 0, 1000000000);
	r->idle_ms = (int32_t)ltc_setting_number(in, "idle_ms", 100, 3600000);
	r->connect_ms = (int32_t)ltc_setting_number(in, "connect_ms", 100, 600000);
	r->command_ms = (int32_t)ltc_setting_number(in, "command_ms", 100, 3600000);
	r->data_ms = (int32_t)ltc_setting_number(in, "data_ms", 100, 3600000);
	r->final_ms = (int32_t)ltc_setting_number(in, "final_ms", 100, 3600000);
}

static void read_message(struct ltc_settings *in, struct email_conf *r)
{
	r->from = mailbox(in, "from", (struct lt_str){ 0 });
	if (r->from.n == 0) {
		ltc_setting_wrong(in, "from", r->from, "the address in From is needed");
		return;
	}
	const char *at = memchr(r->from.p, '@', r->from.n);
	struct lt_str own = at == NULL ? r->from : ltc_from(r->from, (size_t)(at - r->from.p) + 1);
	r->ehlo_name = domain(in, "ehlo_name", own);
	r->message_id_domain = domain(in, "message_id_domain", own);
	r->verp_domain = domain(in, "verp_domain", (struct lt_str){ 0 });
	r->envelope_from = mailbox(in, "envelope_from", r->from);
	r->reply_to = mailbox(in, "reply_to", (struct lt_str){ 0 });
	r->from_name = ltc_setting_text(in, "from_name");
	r->list_id = list_name(in, "list_id");
	r->unsubscribe_mail = refusal_mailbox(in, "unsubscribe_mail");
	r->lang = ltc_setting_text(in, "lang");
	r->size_max = (uint64_t)ltc_setting_number(in, "size_max", 1024, 1073741824);
	r->inline_max_bytes = (uint64_t)ltc_setting_number(in, "inline_max_bytes", 0, 1073741824);
	r->links = ltc_setting_flag(in, "links");
	r->links_days = (uint32_t)ltc_setting_number(in, "links_days", 1, 400);
	r->personal = ltc_setting_flag(in, "personal");
	r->dsn = ltc_setting_flag(in, "dsn");
	r->zone_min = ltc_setting_zone(in, "zone");
}

int email_conf_read(const struct lt_conf *c, struct email_conf *ret, char *err, size_t err_size)
{
	struct ltc_settings in = { .conf = c,
		.keys = email_keys,
		.n_keys = EMAIL_N_KEYS,
		.empty_is_default = true,
		.err = err,
		.err_size = err_size };
	struct email_conf r = { 0 };

	read_relay(&in, &r);
	if (!in.bad)
		read_message(&in, &r);
	if (in.bad)
		return -EINVAL;
	*ret = r;
	return 0;
}
