/* sms_price.h - what a segment costs: a table by gateway, operator, category and coding (config/sms/prices.tsv).
 * Table: TSV with the header `gateway class category coding dong note`; `*` matches anything; the first row that matches wins.
 * dong: price of one segment in đồng, decimals allowed up to 3 places. No row: no price, and check says so.
 * Thread: any, pure. Owns: nothing. */
#ifndef LANTOA_COMMON_SMS_PRICE_H
#define LANTOA_COMMON_SMS_PRICE_H

#include "sms_text.h"

struct sms_price_of {
	struct lt_str gateway, class,
		category; /* category by its word: emergency, public_notice, internal, advertising */
	enum sms_coding coding;
};
/* Price of one segment in thousandths of a đồng; -1 when no row matches. */
int64_t sms_price(struct lt_str table, const struct sms_price_of *of);
int sms_prices_check(struct lt_str table, char *err, size_t err_size) LTC_MUST;

#endif
