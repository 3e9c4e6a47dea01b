/* smsh_conf.c - the key table of the HTTP gateway adapter and its reader.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL; the text names the key, the value and what would be right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "../common/settings.h"
#include "smsh.h"

const struct lt_key smsh_keys[SMSH_N_KEYS] = {
	SMS_KEYS,
	{ "base", "text", "", "start of all addresses; empty: that of the vendor file", 0, 0 },
	{ "params", "text", "", "values for the vendor file: name=value; name=value", 0, 0 },
	{ "callback_url", "text", "",
		"public address of this channel's webhook, for vendors that are told it", 0, 0 },
	{ "callback_secret", "secret", "",
		"name of the secret that ends callback_url: the one of the webhook", 0, 0 },
	{ "insecure_transport", "bool", "no", "yes: plain http is accepted (through a VPN)", 0, 0 },
	{ "connect_ms", "int", "10000", "limit for connect and TLS", 0, 0 },
	{ "total_ms", "int", "40000", "limit for a whole request; below the lane's timeout", 0, 0 },
	{ "connections", "int", "8", "requests at once, 1 to 64", 0, 0 },
	{ "batch", "int", "0", "recipients in one request at most; 0: what the vendor file says", 0,
		0 },
	{ "balance_min", "int", "0", "warn when less is left; 0: never", 0, 0 },
	{ "balance_every", "int", "600",
		"seconds between two looks at the balance while sending; 0: never", 0, 0 },
	{ "zone", "text", "+0700", "zone of dates in requests", 0, 0 },
};

int smsh_conf_read(const struct lt_conf *c, struct smsh_conf *ret, char *err, size_t size)
{
	struct ltc_settings in = {
		.conf = c, .keys = smsh_keys, .n_keys = SMSH_N_KEYS, .err = err, .err_size = size
	};
	struct smsh_conf r = { .sender = ltc_setting_value(&in, "sender"),
		.base = ltc_setting_value(&in, "base"),
		.params = ltc_setting_value(&in, "params"),
		.callback_url = ltc_setting_value(&in, "callback_url"),
		.callback_secret = ltc_setting_secret(&in, "callback_secret") };

	r.insecure = ltc_setting_flag(&in, "insecure_transport");
	r.connect_ms = (int32_t)ltc_setting_number(&in, "connect_ms", 100, 60000);
	r.total_ms = (int32_t)ltc_setting_number(&in, "total_ms", 100, 600000);
	r.connections = (uint32_t)ltc_setting_number(&in, "connections", 1, 64);
	r.batch = (uint32_t)ltc_setting_number(&in, "batch", 0, SMSH_BATCH_MAX);
	r.balance_min = ltc_setting_number(&in, "balance_min", 0, INT64_C(1000000000000));
	r.balance_every_ms = 1000 * ltc_setting_number(&in, "balance_every", 0, 86400);
	r.zone_min = ltc_setting_zone(&in, "zone");
	if (!in.bad && sms_conf_check(c, err, size) < 0)
		in.bad = true;
	if (in.bad)
		return -EINVAL;
	*ret = r;
	return 0;
}

static bool next_param(struct lt_str *rest, struct lt_str *ret_name, struct lt_str *ret_value)
{
	struct lt_str one;

	while (ltc_next(rest, ';', &one)) {
		one = ltc_trim(one);
		if (one.n == 0)
			continue;
		const char *eq = memchr(one.p, '=', one.n);
		*ret_name = one;
		*ret_value = (struct lt_str){ 0 };
		if (eq != NULL) {
			*ret_name = ltc_trim((struct lt_str){ one.p, (size_t)(eq - one.p) });
			*ret_value = ltc_trim(ltc_from(one, (size_t)(eq - one.p) + 1));
		}
		return true;
	}
	return false;
}

bool smsh_param(const struct smsh_inst *si, struct lt_str name, struct lt_str *ret)
{
	const struct smsh_doc *d = &si->vendor.doc;
	struct lt_str rest = si->conf.params, n, v;

	while (next_param(&rest, &n, &v))
		if (ltc_eq(n, name)) {
			*ret = v;
			return true;
		}
	if (si->vendor.settings == SMSH_NONE)
		return false;
	for (uint32_t c = d->nodes[si->vendor.settings].first; c != SMSH_NONE; c = d->nodes[c].next)
		if (ltc_eq(d->nodes[c].key, name)) {
			*ret = smsh_text(d, c);
			return d->nodes[c].type != SMSH_NULL;
		}
	return false;
}

/* Every parameter is known to the vendor file, and every one that it leaves open (null) is given. */
static int fit_params(const struct smsh_inst *si, char *err, size_t size)
{
	const struct smsh_doc *d = &si->vendor.doc;
	struct lt_str rest = si->conf.params, n, v;
	uint32_t set = si->vendor.settings;

	while (next_param(&rest, &n, &v)) {
		bool known = false;
		for (uint32_t c = set == SMSH_NONE ? SMSH_NONE : d->nodes[set].first;
			c != SMSH_NONE; c = d->nodes[c].next)
			known |= ltc_eq(d->nodes[c].key, n);
		if (known)
			continue;
		(void)snprintf(err, size, "params: the vendor file of %.*s has no setting '%.*s'",
			(int)si->vendor.name.n, si->vendor.name.p, (int)(n.n > 60 ? 60 : n.n), n.p);
		return -EINVAL;
	}
	for (uint32_t c = set == SMSH_NONE ? SMSH_NONE : d->nodes[set].first; c != SMSH_NONE;
		c = d->nodes[c].next) {
		if (smsh_param(si, d->nodes[c].key, &v))
			continue;
		(void)snprintf(err, size,
			"params: %.*s needs the value '%.*s', as in params: \"%.*s=...\"",
			(int)si->vendor.name.n, si->vendor.name.p, (int)d->nodes[c].key.n,
			d->nodes[c].key.p, (int)d->nodes[c].key.n, d->nodes[c].key.p);
		return -EINVAL;
	}
	return 0;
}

static bool is_plain(const struct smsh_inst *si, uint32_t call)
{
	struct lt_str url = smsh_v_text(&si->vendor, call, "url");

	return call != SMSH_NONE && ltc_istarts(url, "http:");
}

int smsh_conf_fit(const struct smsh_inst *si, char *err, size_t size)
{
	const struct smsh_vendor *v = &si->vendor;
	struct lt_str base = si->conf.base.n > 0 ? si->conf.base : v->base;

	if (fit_params(si, err, size) < 0)
		return -EINVAL;
	if (!ltc_istarts(base, "http://") && !ltc_istarts(base, "https://")) {
		(void)snprintf(err, size,
			"base: '%.*s' is wrong; an address such as https://api.example/v1 is wanted",
			(int)(base.n > 80 ? 80 : base.n), base.p == NULL ? "" : base.p);
		return -EINVAL;
	}
	if (!si->conf.insecure &&
		(ltc_istarts(base, "http://") || is_plain(si, v->send) || is_plain(si, v->few) ||
			is_plain(si, v->ask) || is_plain(si, v->poll) ||
			is_plain(si, v->balance))) {
		(void)snprintf(err, size,
			"base: '%.*s' is not encrypted; use https, or say insecure_transport: yes where a VPN protects it",
			(int)(base.n > 80 ? 80 : base.n), base.p);
		return -EINVAL;
	}
	return 0;
}
