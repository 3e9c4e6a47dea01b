/* sms_price.c - price of a segment from a table. Thread: any, pure. Owns: nothing. */
#include <errno.h>
#include <stdio.h>
#include "sms_price.h"
#include "sms_tsv.h"

static const char header[] = "gateway\tclass\tcategory\tcoding\tdong\tnote";

static bool fits(struct lt_str pattern, struct lt_str value)
{
	return ltc_eqz(pattern, "*") || ltc_eq(pattern, value);
}

/* "350" or "350.5" in thousandths; -1 when it is no price. */
static int64_t thousandths(struct lt_str s)
{
	struct lt_str whole, part;
	int64_t w = 0, p = 0;

	if (!ltc_next(&s, '.', &whole) || ltc_i64(whole, 0, 1000000, &w) < 0)
		return -1;
	part = s;
	if (part.n > 3 || (part.n > 0 && ltc_i64(part, 0, 999, &p) < 0))
		return -1;
	for (size_t i = part.n; part.n > 0 && i < 3; i++)
		p *= 10;
	return w * 1000 + p;
}

int64_t sms_price(struct lt_str table, const struct sms_price_of *of)
{
	struct sms_rows r = sms_rows_of(table);
	struct lt_str coding = ltc_z(of->coding == SMS_GSM ? "gsm" : "ucs2");

	while (sms_rows_next(&r))
		if (fits(r.col[0], of->gateway) && fits(r.col[1], of->class) &&
			fits(r.col[2], of->category) && fits(r.col[3], coding))
			return thousandths(r.col[4]);
	return -1;
}

int sms_prices_check(struct lt_str table, char *err, size_t err_size)
{
	static const char *const categories[] = { "*", "emergency", "public_notice", "internal",
		"advertising" };
	struct sms_rows r = sms_rows_of(table);

	if (sms_rows_check(table, header, err, err_size) < 0)
		return -EINVAL;
	while (sms_rows_next(&r)) {
		bool known = false;
		for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
			known = known || ltc_eqz(r.col[2], categories[i]);
		if (!known)
			return sms_rows_bad(&r, err, err_size, "category", r.col[2],
				"emergency, public_notice, internal, advertising or *");
		if (!ltc_eqz(r.col[3], "*") && !ltc_eqz(r.col[3], "gsm") &&
			!ltc_eqz(r.col[3], "ucs2"))
			return sms_rows_bad(
				&r, err, err_size, "coding", r.col[3], "gsm, ucs2 or *");
		if (thousandths(r.col[4]) < 0)
			return sms_rows_bad(&r, err, err_size, "dong", r.col[4],
				"a price such as 350 or 350.5");
	}
	return 0;
}
