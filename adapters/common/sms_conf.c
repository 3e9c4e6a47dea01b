/* sms_conf.c - reads the shared settings of an SMS account, checks its tables, and gives numbers their canonical form.
 * Thread: any, pure. Owns: the list of protected words in struct sms_conf. Failures: -EINVAL and a sentence. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "settings.h"
#include "sms_conf.h"
#include "sms_phone.h"
#include "sms_price.h"
#include "sms_rules.h"
#include "sms_template.h"

static const struct lt_key keys[] = { SMS_KEYS };
_Static_assert(
	sizeof(keys) / sizeof(keys[0]) == SMS_N_KEYS, "SMS_N_KEYS counts the rows of SMS_KEYS");

static struct ltc_settings settings(const struct lt_conf *c, char *err, size_t err_size)
{
	return (struct ltc_settings){
		.conf = c, .keys = keys, .n_keys = SMS_N_KEYS, .err = err, .err_size = err_size
	};
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

static void read_sender(struct ltc_settings *in, struct sms_conf *r)
{
	r->sender = ltc_setting_text(in, "sender");
	r->is_brandname = ltc_setting_word(in, "sender_type") == 0;
	const char *fault = sms_sender_fault(r->sender, ltc_setting_value(in, "sender_type"));
	if (fault != NULL)
		ltc_setting_wrong(in, "sender", r->sender, fault);
	r->sender_until = ltc_setting_text(in, "sender_until");
	if (r->sender_until.n > 0 && !sms_is_date(r->sender_until))
		ltc_setting_wrong(in, "sender_until", r->sender_until,
			"the last day of its registration, YYYY-MM-DD");
}

static void check_foreign(struct ltc_settings *in, struct lt_str list)
{
	struct lt_str rest = list, one;

	while (ltc_next(&rest, ' ', &one)) {
		bool good = ltc_eqz(one, "any") || one.n == 0;
		for (size_t i = 1; i < one.n && one.p[0] == '+'; i++)
			good = one.p[i] >= '0' && one.p[i] <= '9' && one.n <= 5;
		if (!good)
			ltc_setting_wrong(in, "foreign", list,
				"country codes such as +856 +66, a space between, or any");
	}
}

struct sms_budget sms_conf_budget(const struct lt_conf *c)
{
	if (ltc_eqz(ltc_pair(c->values, c->n_values, "long_mode"), "udh16"))
		return SMS_BUDGET_UDH16;
	return SMS_BUDGET_UDH8;
}

/* Where the server means another alphabet by data coding 0, it takes characters up to this one only; 0: the GSM alphabet. */
static uint32_t octet_max(const struct lt_conf *c)
{
	struct lt_str charset = ltc_pair(c->values, c->n_values, "dcs0_charset");

	return ltc_eqz(charset, "latin1") ? 0xff : ltc_eqz(charset, "ascii") ? 0x7f : 0;
}

int sms_conf_read(const struct lt_conf *c, struct sms_conf *ret, char *err, size_t err_size)
{
	struct ltc_settings in = settings(c, err, err_size);
	struct sms_conf r = { .budget = sms_conf_budget(c), .octet_max = octet_max(c) };

	read_sender(&in, &r);
	r.gateway = ltc_setting_text(&in, "gateway");
	r.form = (enum sms_form)(ltc_setting_word(&in, "form") + 1);
	r.unicode_allowed = ltc_setting_flag(&in, "unicode_allowed");
	r.unmappable = (enum sms_unmappable)ltc_setting_word(&in, "unmappable");
	r.max_segments = (uint32_t)ltc_setting_number(&in, "max_segments", 1, SMS_SEGMENTS_MAX);
	r.forbidden = ltc_setting_text(&in, "forbidden_chars");
	r.reserved = (uint32_t)ltc_setting_number(&in, "reserved_chars", 0, SMS_RESERVED_MAX);
	r.reserved_ad = (uint32_t)ltc_setting_number(&in, "reserved_chars_ad", 0, SMS_RESERVED_MAX);
	r.foreign = ltc_setting_text(&in, "foreign");
	check_foreign(&in, r.foreign);
	unsigned need = ltc_setting_word(&in, "templates_need");
	r.templates_warn = need == 1;
	r.templates_must = need == 2;
	r.links = ltc_setting_text(&in, "links");
	r.ad_label = ltc_setting_text(&in, "ad_label");
	r.ad_refusal = ltc_setting_text(&in, "ad_refusal");
	r.ranges = ltc_pair(c->files, c->n_files, "ranges");
	r.prices = ltc_pair(c->files, c->n_files, "prices");
	r.templates = ltc_pair(c->files, c->n_files, "templates");
	r.words = ltc_pair(c->files, c->n_files, "words");
	if (r.templates_must && r.templates.p == NULL)
		ltc_setting_wrong(&in, "templates_need", ltc_z("yes"),
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
	struct ltc_settings set = settings(c, NULL, 0);
	char why[160];

	if (ranges.p == NULL)
		return refuse(sink, "the channel has no table of ranges (files: ranges)");
	if (sms_phone_parse(ranges, in, &p) < 0)
		return refuse(sink, p.why);
	if (p.kind == SMS_PHONE_FIXED)
		return refuse(sink, "is a landline: short messages reach mobile numbers only");
	if (p.kind == SMS_PHONE_SPECIAL)
		return refuse(sink, "is a number of machines, not of people");
	if (!sms_phone_allowed(&p, ltc_setting_value(&set, "foreign"))) {
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
