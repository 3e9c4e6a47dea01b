/* sms_conf.c - reads the shared settings of an SMS account, checks its tables, and gives numbers their canonical form.
 * Thread: any, pure. Owns: the list of protected words in struct sms_conf. Failures: -EINVAL and a sentence. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "sms_conf.h"
#include "sms_phone.h"
#include "sms_price.h"
#include "sms_rules.h"
#include "sms_template.h"

static const struct lt_key keys[] = { SMS_KEYS };
_Static_assert(
	sizeof(keys) / sizeof(keys[0]) == SMS_N_KEYS, "SMS_N_KEYS counts the rows of SMS_KEYS");

struct lt_str sms_conf_value(const struct lt_conf *c, const char *name)
{
	struct lt_str v = ltc_pair(c->values, c->n_values, name);

	for (size_t i = 0; v.p == NULL && i < SMS_N_KEYS; i++)
		if (ltc_eqz(ltc_z(name), keys[i].name))
			v = ltc_z(keys[i].default_text);
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
			(int)(v.n > 60 ? 60 : v.n), v.n > 0 ? v.p : "", right);
	in->bad = true;
}

static uint32_t number(struct in *in, const char *name, int64_t min, int64_t max)
{
	struct lt_str v = sms_conf_value(in->c, name);
	char right[60];
	int64_t n = min;

	(void)snprintf(
		right, sizeof(right), "a number from %lld to %lld", (long long)min, (long long)max);
	if (ltc_i64(v, min, max, &n) < 0)
		complain(in, name, v, right);
	return (uint32_t)n;
}

static bool flag(struct in *in, const char *name)
{
	struct lt_str v = sms_conf_value(in->c, name);

	if (ltc_eqz(v, "yes") || ltc_eqz(v, "true"))
		return true;
	if (!ltc_eqz(v, "no") && !ltc_eqz(v, "false"))
		complain(in, name, v, "yes or no");
	return false;
}

/* Place of the value in a list that ends with NULL. */
static int choice(struct in *in, const char *name, const char *const *list, const char *right)
{
	struct lt_str v = sms_conf_value(in->c, name);

	for (int i = 0; list[i] != NULL; i++)
		if (ltc_eqz(v, list[i]))
			return i;
	complain(in, name, v, right);
	return 0;
}

static struct lt_str text(struct in *in, const char *name)
{
	struct lt_str v = sms_conf_value(in->c, name);

	if (ltc_has_control(v) || !ltc_utf8_valid(v))
		complain(in, name, v, "text without control characters");
	return v;
}

const char *sms_sender_fault(struct lt_str sender, struct lt_str type)
{
	size_t digits = 0, others = 0;

	for (size_t i = 0; i < sender.n; i++) {
		char c = sender.p[i];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		bool sign = c == '-' || c == '_' || c == '.' || c == ' ';
		digits += digit;
		others += letter || sign;
		if (!digit && !letter && !sign && !(c == '+' && i == 0))
			return "only A-Z a-z 0-9 - _ . and space, no accents";
	}
	if (ltc_eqz(type, "number"))
		return others == 0 && digits >= 8 && digits <= 15 ? NULL : "8 to 15 digits";
	if (sender.n > 0 && sender.p[0] == '+')
		return "a + only leads a number (sender_type: number)";
	if (ltc_eqz(type, "shortcode"))
		return others == 0 && digits >= 3 && digits <= 8 ? NULL : "3 to 8 digits";
	if (sender.n == 0 || sender.n > 11)
		return "a brandname has 1 to 11 characters";
	if (others == 0)
		return "a brandname is not of digits only (sender_type: shortcode or number)";
	return sender.p[0] == ' ' || sender.p[sender.n - 1] == ' ' ? "no space at its ends" : NULL;
}

static void read_sender(struct in *in, struct sms_conf *r)
{
	static const char *const types[] = { "brandname", "shortcode", "number", NULL };

	r->sender = text(in, "sender");
	r->is_brandname = choice(in, "sender_type", types, "brandname, shortcode or number") == 0;
	const char *fault = sms_sender_fault(r->sender, sms_conf_value(in->c, "sender_type"));
	if (fault != NULL)
		complain(in, "sender", r->sender, fault);
}

static void check_foreign(struct in *in, struct lt_str list)
{
	struct lt_str rest = list, one;

	while (ltc_next(&rest, ' ', &one)) {
		bool good = ltc_eqz(one, "any") || one.n == 0;
		for (size_t i = 1; i < one.n && one.p[0] == '+'; i++)
			good = one.p[i] >= '0' && one.p[i] <= '9' && one.n <= 5;
		if (!good)
			complain(in, "foreign", list,
				"country codes such as +856 +66, a space between, or any");
	}
}

struct sms_budget sms_conf_budget(const struct lt_conf *c)
{
	if (ltc_eqz(ltc_pair(c->values, c->n_values, "long_mode"), "udh16"))
		return SMS_BUDGET_UDH16;
	return SMS_BUDGET_UDH8;
}

int sms_conf_read(const struct lt_conf *c, struct sms_conf *ret, char *err, size_t err_size)
{
	static const char *const forms[] = { "accented", "plain", "shortest", NULL };
	static const char *const hows[] = { "reject", "?", "drop", NULL };
	static const char *const needs[] = { "no", "warn", "yes", NULL };
	struct in in = { c, err, err_size, false };
	struct sms_conf r = { .budget = sms_conf_budget(c) };

	read_sender(&in, &r);
	r.gateway = text(&in, "gateway");
	r.form = (enum sms_form)(choice(&in, "form", forms, "accented, plain or shortest") + 1);
	r.unicode_allowed = flag(&in, "unicode_allowed");
	r.unmappable = (enum sms_unmappable)choice(&in, "unmappable", hows, "reject, ? or drop");
	r.max_segments = number(&in, "max_segments", 1, SMS_SEGMENTS_MAX);
	r.forbidden = text(&in, "forbidden_chars");
	r.reserved = number(&in, "reserved_chars", 0, SMS_RESERVED_MAX);
	r.reserved_ad = number(&in, "reserved_chars_ad", 0, SMS_RESERVED_MAX);
	r.foreign = text(&in, "foreign");
	check_foreign(&in, r.foreign);
	int need = choice(&in, "templates_need", needs, "no, warn or yes");
	r.templates_warn = need == 1;
	r.templates_must = need == 2;
	r.links = text(&in, "links");
	r.ad_label = text(&in, "ad_label");
	r.ad_refusal = text(&in, "ad_refusal");
	r.ranges = ltc_pair(c->files, c->n_files, "ranges");
	r.prices = ltc_pair(c->files, c->n_files, "prices");
	r.templates = ltc_pair(c->files, c->n_files, "templates");
	r.words = ltc_pair(c->files, c->n_files, "words");
	if (r.templates_must && r.templates.p == NULL)
		complain(&in, "templates_need", ltc_z("yes"),
			"the table `templates` is needed under files");
	if (in.bad)
		return -EINVAL;
	if (sms_rules_words(r.words, &r.list, &r.protect.n) < 0) {
		(void)snprintf(err, err_size, "no memory");
		return -ENOMEM;
	}
	r.protect.list = r.list;
	sms_words_index(&r.protect);
	*ret = r;
	return 0;
}

void sms_conf_done(struct sms_conf *c)
{
	free(c->list);
	c->list = NULL;
}

int sms_conf_check(const struct lt_conf *c, char *err, size_t err_size)
{
	static const struct {
		const char *name;
		int (*check)(struct lt_str, char *, size_t);
	} tables[] = { { "ranges", sms_ranges_check }, { "prices", sms_prices_check },
		{ "templates", sms_templates_check }, { "words", sms_words_check } };
	struct sms_conf conf;
	char why[300];

	if (sms_conf_read(c, &conf, err, err_size) < 0)
		return -EINVAL;
	bool has_ranges = conf.ranges.p != NULL;
	sms_conf_done(&conf);
	if (!has_ranges) {
		(void)snprintf(err, err_size,
			"files: the table `ranges` is missing; see config/sms/ranges.tsv");
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct lt_str t = ltc_pair(c->files, c->n_files, tables[i].name);
		if (t.p == NULL || tables[i].check(t, why, sizeof(why)) == 0)
			continue;
		(void)snprintf(err, err_size, "table %s, %s", tables[i].name, why);
		return -EINVAL;
	}
	return 0;
}

static int refuse(struct lt_sink *sink, const char *why)
{
	(void)sink->problem(sink->ctx, 2, LTC_LIT("address"), ltc_z(why));
	return -EINVAL;
}

int sms_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink)
{
	struct lt_str ranges = ltc_pair(c->files, c->n_files, "ranges");
	struct sms_phone p;
	char why[160];

	if (ranges.p == NULL)
		return refuse(sink, "the channel has no table of ranges (files: ranges)");
	if (sms_phone_parse(ranges, in, &p) < 0)
		return refuse(sink, p.why);
	if (p.kind == SMS_PHONE_FIXED)
		return refuse(sink, "is a landline: short messages reach mobile numbers only");
	if (p.kind == SMS_PHONE_SPECIAL)
		return refuse(sink, "is a number of machines, not of people");
	if (!sms_phone_allowed(&p, sms_conf_value(c, "foreign"))) {
		(void)snprintf(why, sizeof(why),
			"is a number abroad (%.*s), and the setting foreign of this channel does not name its country",
			(int)p.class.n, p.class.p);
		return refuse(sink, why);
	}
	int rc = sink->tell(sink->ctx, LTC_LIT("address"), ltc_z(p.e164));
	rc = rc < 0 ? rc : sink->tell(sink->ctx, LTC_LIT("class"), p.class);
	rc = rc < 0 ? rc : sink->tell(sink->ctx, LTC_LIT("kind"), LTC_LIT("mobile"));
	if (rc >= 0 && p.old[0] != '\0')
		rc = sink->tell(sink->ctx, LTC_LIT("changed"), ltc_z(p.old));
	return rc < 0 ? rc : 0;
}
