/* email_conf.c - the key table of the e-mail adapter and its reader.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL; the text names the key, the value and what would be right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "email_conf.h"
#include "email_address.h"

const struct lt_key email_keys[EMAIL_N_KEYS] = {
	{ "host", "text", NULL, "name or address of the relay", 0, 0 },
	{ "port", "int", "587", "port of the relay", 0, 0 },
	{ "tls", "enum:none|starttls|implicit", "starttls", "how the link is protected", 0, 0 },
	{ "user", "text", "", "log-in name; empty: no log-in", 0, 0 },
	{ "secret", "secret", "", "name of the secret that holds the password", 0, 0 },
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
	{ "connect_ms", "int", "30000", "limit for connect, TLS and log-in", 0, 0 },
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
};

struct lt_str email_conf_file(const struct lt_conf *c, const char *name)
{
	return ltc_pair(c->files, c->n_files, name);
}

static struct lt_str value(const struct lt_conf *c, const char *name)
{
	struct lt_str v = ltc_pair(c->values, c->n_values, name);

	for (uint32_t i = 0; v.n == 0 && i < EMAIL_N_KEYS; i++)
		if (strcmp(email_keys[i].name, name) == 0)
			v = ltc_z(email_keys[i].default_text);
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

/* Any text without control characters. */
static struct lt_str text(struct in *in, const char *name)
{
	struct lt_str v = value(in->c, name);

	if (ltc_has_control(v) || !ltc_utf8_valid(v))
		complain(in, name, v, "text without control characters");
	return v;
}

static struct lt_str mailbox(struct in *in, const char *name, struct lt_str otherwise)
{
	struct lt_str v = text(in, name);
	struct email_addr a;

	if (v.n == 0)
		return otherwise;
	if (email_address_parse(v, &a) < 0)
		complain(in, name, v, a.why);
	return v;
}

static struct lt_str domain(struct in *in, const char *name, struct lt_str otherwise)
{
	struct lt_str v = text(in, name);

	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '-';
		if (!good) {
			complain(in, name, v, "a domain name in letters, digits, dot and hyphen");
			return otherwise;
		}
	}
	return v.n == 0 ? otherwise : v;
}

static void read_relay(struct in *in, struct email_conf *r)
{
	struct lt_str tls = value(in->c, "tls");

	r->host = text(in, "host");
	if (r->host.n == 0)
		complain(in, "host", r->host, "the name of the relay is needed");
	r->port = (uint16_t)number(in, "port", 1, 65535);
	if (ltc_eqz(tls, "none"))
		r->tls = EMAIL_TLS_NONE;
	else if (ltc_eqz(tls, "implicit"))
		r->tls = EMAIL_TLS_IMPLICIT;
	else if (ltc_eqz(tls, "starttls"))
		r->tls = EMAIL_TLS_START;
	else
		complain(in, "tls", tls, "none, starttls or implicit");
	r->user = text(in, "user");
	r->secret = ltc_pair_secret(in->c->values, in->c->n_values, "secret");
	if (r->secret.n == 0)
		r->secret = text(in, "secret");
	r->connections = (uint32_t)number(in, "connections", 1, EMAIL_CONNECTIONS_MAX);
	r->window = (uint32_t)number(in, "window", 1, 4096);
	r->pipeline_depth = (uint32_t)number(in, "pipeline_depth", 1, 2);
	r->max_rcpt = (uint32_t)number(in, "max_rcpt", 1, EMAIL_RCPT_MAX);
	r->max_mails_per_conn = (uint32_t)number(in, "max_mails_per_conn", 0, 1000000000);
	r->idle_ms = (int32_t)number(in, "idle_ms", 100, 3600000);
	r->connect_ms = (int32_t)number(in, "connect_ms", 100, 600000);
	r->command_ms = (int32_t)number(in, "command_ms", 100, 3600000);
	r->data_ms = (int32_t)number(in, "data_ms", 100, 3600000);
	r->final_ms = (int32_t)number(in, "final_ms", 100, 3600000);
}

static void read_message(struct in *in, struct email_conf *r)
{
	r->from = mailbox(in, "from", (struct lt_str){ 0 });
	if (r->from.n == 0) {
		complain(in, "from", r->from, "the address in From is needed");
		return;
	}
	const char *at = memchr(r->from.p, '@', r->from.n);
	struct lt_str own = at == NULL ? r->from : ltc_from(r->from, (size_t)(at - r->from.p) + 1);
	r->ehlo_name = domain(in, "ehlo_name", own);
	r->message_id_domain = domain(in, "message_id_domain", own);
	r->verp_domain = domain(in, "verp_domain", (struct lt_str){ 0 });
	r->envelope_from = mailbox(in, "envelope_from", r->from);
	r->reply_to = mailbox(in, "reply_to", (struct lt_str){ 0 });
	r->from_name = text(in, "from_name");
	r->list_id = text(in, "list_id");
	r->lang = text(in, "lang");
	r->size_max = (uint64_t)number(in, "size_max", 1024, 1073741824);
	r->inline_max_bytes = (uint64_t)number(in, "inline_max_bytes", 0, 1073741824);
	r->links = flag(in, "links");
	r->links_days = (uint32_t)number(in, "links_days", 1, 400);
	r->personal = flag(in, "personal");
	r->dsn = flag(in, "dsn");
	struct lt_str zone = value(in->c, "zone");
	if (ltc_zone_offset(zone, &r->zone_min) < 0)
		complain(in, "zone", zone, "for example +0700, UTC or Asia/Ho_Chi_Minh");
}

int email_conf_read(const struct lt_conf *c, struct email_conf *ret, char *err, size_t err_size)
{
	struct in in = { c, err, err_size, false };
	struct email_conf r = { 0 };

	read_relay(&in, &r);
	if (!in.bad)
		read_message(&in, &r);
	if (in.bad)
		return -EINVAL;
	*ret = r;
	return 0;
}
