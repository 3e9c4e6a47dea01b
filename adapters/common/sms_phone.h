/* sms_phone.h - phone numbers: E.164 for Viet Nam and abroad, after a table of ranges (config/sms/ranges.tsv).
 * Table: TSV with the header `kind prefix digits class note`; '#' opens a comment line. Prefixes are of the national number
 * without its 0. kind `mobile`: numbers with this prefix and so many digits belong to the operator `class`; the longest prefix
 * wins. kind `old`: an 11-digit number of before 2018; `class` is the new prefix. kind `fixed`: a landline. kind `special`:
 * neither. kind `country`: a country code abroad with its largest number of digits behind it; `class` is its name.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL and a sentence for the person who typed the number. */
#ifndef LANTOA_COMMON_SMS_PHONE_H
#define LANTOA_COMMON_SMS_PHONE_H

#include "text.h"

#define SMS_PHONE_MAX 15 /* digits of E.164 */

enum sms_phone_kind { SMS_PHONE_MOBILE = 1, SMS_PHONE_FIXED, SMS_PHONE_SPECIAL, SMS_PHONE_FOREIGN };
struct sms_phone {
	char e164[SMS_PHONE_MAX + 2]; /* with + */
	char old[SMS_PHONE_MAX +
		2]; /* the 11-digit number that it was converted from, with 0; else empty */
	struct lt_str class; /* operator, country; borrowed from the table */
	enum sms_phone_kind kind;
	char why[160]; /* with a failure */
};
/* Any common writing: spaces . - ( ) are dropped; +84, 0084, 84 and 0 lead to Viet Nam, any other + or 00 abroad. A landline is
 * not refused here: the caller looks at kind. */
int sms_phone_parse(struct lt_str ranges, struct lt_str in, struct sms_phone *ret) LTC_MUST;
/* Is its country in a list such as "+856 +66" or "any"? Numbers of Viet Nam always are. */
bool sms_phone_allowed(const struct sms_phone *p, struct lt_str foreign);
enum sms_phone_form {
	SMS_PHONE_PLUS84,
	SMS_PHONE_84,
	SMS_PHONE_0
}; /* +84912..., 84912..., 0912... (abroad: +856..., 856..., 00856...) */
/* Canonical +... into another form; dst of 24 bytes. */
void sms_phone_write(struct lt_str e164, enum sms_phone_form form, char *dst, size_t size);
/* Whole table; "line N: what is wrong, what would be right". */
int sms_ranges_check(struct lt_str ranges, char *err, size_t err_size) LTC_MUST;
/* The n-th class of operator in the table (each once, in order); absent behind the last. */
struct lt_str sms_ranges_class(struct lt_str ranges, size_t n);

#endif
