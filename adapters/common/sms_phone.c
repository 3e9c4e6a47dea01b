/* sms_phone.c - phone numbers after a table of ranges.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL and a sentence that says what would be right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "sms_phone.h"
#include "sms_tsv.h"

static const char header[] = "kind\tprefix\tdigits\tclass\tnote";

static int bad(struct sms_phone *ret, const char *why)
{
	(void)snprintf(ret->why, sizeof(ret->why), "%s", why);
	return -EINVAL;
}

/* A row of this kind whose prefix leads the digits; n_digits 0: any length. The longest prefix wins. */
static bool find(struct lt_str ranges, const char *kind, struct lt_str digits, bool whole,
	struct sms_rows *ret)
{
	struct sms_rows r = sms_rows_of(ranges);
	size_t best = 0;
	int64_t n;

	while (sms_rows_next(&r)) {
		struct lt_str prefix = r.col[1];
		if (!ltc_eqz(r.col[0], kind) || prefix.n <= best || prefix.n > digits.n ||
			memcmp(prefix.p, digits.p, prefix.n) != 0)
			continue;
		if (whole && (ltc_i64(r.col[2], 1, 15, &n) < 0 || (size_t)n != digits.n))
			continue;
		best = prefix.n;
		*ret = r;
	}
	return best > 0;
}

/* Digits of `in`; *ret_plus: it began with +. */
static int digits_of(struct lt_str in, char *dst, size_t size, size_t *ret_n, bool *ret_plus,
	struct sms_phone *ret)
{
	struct lt_str s = ltc_trim(in);
	size_t n = 0;

	*ret_plus = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '+' && n == 0 && !*ret_plus) {
			*ret_plus = true;
			continue;
		}
		if (c == ' ' || c == '.' || c == '-' || c == '(' || c == ')')
			continue;
		if (i + 1 < s.n && c == '\xc2' && s.p[i + 1] == '\xa0') {
			i++; /* a space that does not break */
			continue;
		}
		if (c < '0' || c > '9')
			return bad(ret,
				"a phone number has digits only, such as 0912345678 or +84912345678");
		if (n + 1 >= size)
			return bad(ret, "more than 15 digits: no phone number is that long");
		dst[n++] = c;
	}
	dst[n] = '\0';
	*ret_n = n;
	return n == 0 ? bad(ret, "there is no digit in it") : 0;
}

static void put(char *dst, size_t size, const char *lead, struct lt_str digits)
{
	(void)snprintf(dst, size, "%s%.*s", lead, (int)digits.n, digits.p);
}

static int vietnam(struct lt_str ranges, struct lt_str d, struct sms_phone *ret)
{
	struct sms_rows row;
	char moved[SMS_PHONE_MAX + 1];

	if (find(ranges, "fixed", d, false, &row)) {
		ret->kind = SMS_PHONE_FIXED;
		put(ret->e164, sizeof(ret->e164), "+84", d);
		return d.n == 10 ? 0 : bad(ret, "a landline has 11 digits with its 0");
	}
	if (find(ranges, "old", d, true, &row)) {
		put(ret->old, sizeof(ret->old), "0", d);
		(void)snprintf(moved, sizeof(moved), "%.*s%.*s", (int)row.col[3].n, row.col[3].p,
			(int)(d.n - row.col[1].n), d.p + row.col[1].n);
		d = ltc_z(moved);
	}
	if (find(ranges, "special", d, true, &row))
		ret->kind = SMS_PHONE_SPECIAL;
	else if (find(ranges, "mobile", d, true, &row)) {
		ret->kind = SMS_PHONE_MOBILE;
		ret->class = row.col[3];
	} else if (find(ranges, "mobile", d, false, &row))
		return bad(ret,
			d.n < 9 ? "too short: a mobile number has 10 digits with its 0"
				: "too long: a mobile number has 10 digits with its 0");
	else
		return bad(ret,
			d.n == 10 ? "11 digits, but no mobile range of before 2018 begins so"
				  : "no mobile range of Viet Nam begins so");
	put(ret->e164, sizeof(ret->e164), "+84", d);
	return 0;
}

static int abroad(struct lt_str ranges, struct lt_str d, struct sms_phone *ret)
{
	struct sms_rows row;
	int64_t n;

	if (d.n < 7 || d.n > SMS_PHONE_MAX || d.p[0] == '0')
		return bad(ret, "a number abroad is + country code and number, 7 to 15 digits");
	ret->kind = SMS_PHONE_FOREIGN;
	ret->class = ltc_z("foreign");
	put(ret->e164, sizeof(ret->e164), "+", d);
	if (!find(ranges, "country", d, false, &row))
		return 0;
	ret->class = row.col[3];
	if (ltc_i64(row.col[2], 1, 15, &n) == 0 && d.n > row.col[1].n + (size_t)n)
		return bad(ret, "more digits than numbers of that country have");
	return 0;
}

int sms_phone_parse(struct lt_str ranges, struct lt_str in, struct sms_phone *ret)
{
	char digits[SMS_PHONE_MAX + 4];
	bool plus;
	size_t n = 0;

	*ret = (struct sms_phone){ 0 };
	if (digits_of(in, digits, sizeof(digits), &n, &plus, ret) < 0)
		return -EINVAL;
	struct lt_str d = { digits, n };
	if (!plus && ltc_starts(d, "00")) {
		plus = true;
		d = ltc_from(d, 2);
	}
	if (plus && !ltc_starts(d, "84"))
		return abroad(ranges, d, ret);
	if (plus || (ltc_starts(d, "84") && (d.n == 11 || d.n == 12))) {
		d = ltc_from(d, 2);
		if (ltc_starts(d, "0")) /* +84 (0) 912 ... */
			d = ltc_from(d, 1);
	} else if (ltc_starts(d, "0"))
		d = ltc_from(d, 1);
	else
		return bad(ret,
			"begins neither with 0 nor with +84; a spreadsheet may have dropped the 0");
	return vietnam(ranges, d, ret);
}

bool sms_phone_allowed(const struct sms_phone *p, struct lt_str foreign)
{
	struct lt_str one, e164 = ltc_z(p->e164);

	if (p->kind != SMS_PHONE_FOREIGN)
		return true;
	while (ltc_next(&foreign, ' ', &one)) {
		if (ltc_eqz(one, "any"))
			return true;
		if (one.n > 1 && e164.n > one.n && memcmp(one.p, e164.p, one.n) == 0)
			return true;
	}
	return false;
}

void sms_phone_write(struct lt_str e164, enum sms_phone_form form, char *dst, size_t size)
{
	struct lt_str d = ltc_starts(e164, "+") ? ltc_from(e164, 1) : e164;
	bool vn = ltc_starts(d, "84");

	if (form == SMS_PHONE_PLUS84)
		put(dst, size, "+", d);
	else if (form == SMS_PHONE_84)
		put(dst, size, "", d);
	else
		put(dst, size, vn ? "0" : "00", vn ? ltc_from(d, 2) : d);
}

struct lt_str sms_ranges_class(struct lt_str ranges, size_t n)
{
	struct sms_rows r = sms_rows_of(ranges);
	struct lt_str seen[64];
	size_t n_seen = 0;

	while (n_seen < 64 && sms_rows_next(&r)) {
		bool known = !ltc_eqz(r.col[0], "mobile") && !ltc_eqz(r.col[0], "country");
		for (size_t i = 0; i < n_seen && !known; i++)
			known = ltc_eq(seen[i], r.col[3]);
		if (known)
			continue;
		if (n_seen == n)
			return r.col[3];
		seen[n_seen++] = r.col[3];
	}
	return (struct lt_str){ NULL, 0 };
}

static bool all_digits(struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0 && s.n <= 10;
}

static bool is_class(struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
			    s.p[i] == '-'))
			return false;
	return s.n > 0 && s.n <= 30;
}

int sms_ranges_check(struct lt_str ranges, char *err, size_t err_size)
{
	static const char *const kinds[] = { "mobile", "old", "special", "fixed", "country" };
	struct sms_rows r = sms_rows_of(ranges);
	size_t mobiles = 0;
	int64_t n;

	if (sms_rows_check(ranges, header, err, err_size) < 0)
		return -EINVAL;
	while (sms_rows_next(&r)) {
		bool known = false;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			known = known || ltc_eqz(r.col[0], kinds[i]);
		if (!known)
			return sms_rows_bad(&r, err, err_size, "kind", r.col[0],
				"mobile, old, special, fixed or country");
		if (!all_digits(r.col[1]))
			return sms_rows_bad(&r, err, err_size, "prefix", r.col[1],
				"digits without the leading 0");
		if (ltc_i64(r.col[2], 1, 15, &n) < 0 ||
			(size_t)n < r.col[1].n - (ltc_eqz(r.col[0], "country") ? r.col[1].n : 0))
			return sms_rows_bad(&r, err, err_size, "digits", r.col[2],
				"a number from 1 to 15, not less than the prefix has");
		if ((ltc_eqz(r.col[0], "mobile") || ltc_eqz(r.col[0], "country")) &&
			!is_class(r.col[3]))
			return sms_rows_bad(
				&r, err, err_size, "class", r.col[3], "a name of a-z 0-9 and -");
		if (ltc_eqz(r.col[0], "old") && !all_digits(r.col[3]))
			return sms_rows_bad(&r, err, err_size, "class", r.col[3],
				"the prefix that took its place");
		mobiles += ltc_eqz(r.col[0], "mobile");
	}
	if (mobiles > 0)
		return 0;
	(void)snprintf(err, err_size, "no row of kind mobile; see config/sms/ranges.tsv");
	return -EINVAL;
}
