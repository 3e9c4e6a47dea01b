/* Phone numbers: what is canonical is its own canonical form, in each way of writing it; and the tables that decide it. */
#include <string.h>
#include "../host.h"
#include "common/sms_phone.h"
#include "common/sms_price.h"
#include "common/sms_rules.h"
#include "common/sms_template.h"

static void number(struct lt_str ranges, struct lt_str in)
{
	struct sms_phone a, b;
	char written[24];

	if (sms_phone_parse(ranges, in, &a) < 0) {
		MUST(a.why[0] != '\0');
		return;
	}
	struct lt_str e164 = ltc_z(a.e164);
	MUST(e164.n >= 2 && e164.n <= SMS_PHONE_MAX + 1 && e164.p[0] == '+');
	for (size_t i = 1; i < e164.n; i++)
		MUST(e164.p[i] >= '0' && e164.p[i] <= '9');
	MUST(sms_phone_parse(ranges, e164, &b) == 0 && strcmp(a.e164, b.e164) == 0);
	MUST(a.kind == b.kind && ltc_eq(a.class, b.class) && b.old[0] == '\0');
	for (int f = SMS_PHONE_PLUS84; f <= SMS_PHONE_0; f++) {
		sms_phone_write(e164, (enum sms_phone_form)f, written, sizeof(written));
		MUST(written[0] != '\0');
		if (f == SMS_PHONE_84 && a.kind == SMS_PHONE_FOREIGN)
			continue; /* without + only the gateway knows that it is abroad */
		MUST(sms_phone_parse(ranges, ltc_z(written), &b) == 0 &&
			strcmp(a.e164, b.e164) == 0);
	}
	(void)sms_phone_allowed(&a, LTC_LIT("+856 +66"));
}

static void tables(struct lt_str table, struct lt_str text)
{
	static struct sms_template_hit hit;
	struct sms_word *words = NULL;
	struct lt_str phrase, why, link;
	char err[400];
	size_t n = 0, at = 0;
	struct sms_price_of of = { LTC_LIT("esms"), LTC_LIT("viettel"), LTC_LIT("emergency"),
		SMS_GSM };

	if (sms_ranges_check(table, err, sizeof(err)) == 0) {
		number(table, text);
		for (size_t i = 0; sms_ranges_class(table, i).p != NULL; i++)
			MUST(i < table.n);
	}
	if (sms_prices_check(table, err, sizeof(err)) == 0)
		MUST(sms_price(table, &of) >= -1);
	if (sms_templates_check(table, err, sizeof(err)) == 0) {
		(void)sms_template_match(
			table, LTC_LIT("esms"), LTC_LIT("BHXH"), LTC_LIT("2026-11-22"), text, &hit);
		MUST(hit.n_fields <= SMS_FIELDS_MAX);
		for (uint32_t i = 0; hit.matched && i < hit.n_fields; i++)
			MUST(hit.fields[i].n > 0 && fh_in(hit.fields[i], text));
	}
	if (sms_words_check(table, err, sizeof(err)) == 0) {
		if (sms_rules_words(table, &words, &n) == 0)
			MUST(n <= SMS_WORDS_MAX);
		free(words);
		if (sms_rules_wording(table, text, &phrase, &why))
			MUST(fh_in(phrase, table) && fh_in(why, table));
	}
	for (size_t was = 0; sms_rules_link(text, LTC_LIT("bhxh.gov.vn"), &at, &link); was = at)
		MUST(at > was && fh_in(link, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lt_str in = { (const char *)p, n }, first;

	if (n > 65536)
		return 0;
	first = fh_part(&in);
	number(ltc_z(shipped_file("config/sms/ranges.tsv")), first);
	if (fh_good(p, n))
		tables(in, first);
	return 0;
}
