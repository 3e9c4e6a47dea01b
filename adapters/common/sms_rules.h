/* sms_rules.h - what a public body does not write in a short message: links elsewhere, and wording that asks to log in, to pay
 * or to give a code. The wording is data: config/sms/words.tsv, TSV with the header `kind word as note`.
 * kind `refuse`: a text that holds the phrase, in whatever case and with or without diacritics, is refused; `as` is the reason.
 * kind `as`: in a rendering without diacritics the word is written as `as`. kind `keep`: it stays as it is.
 * Thread: any, pure. Owns: nothing but the list made by sms_rules_words. */
#ifndef LANTOA_COMMON_SMS_RULES_H
#define LANTOA_COMMON_SMS_RULES_H

#include "sms_text.h"

#define SMS_WORDS_MAX 2000

/* The first phrase of the table that the text holds; false when none. *ret_phrase, *ret_why: borrowed from the table. */
bool sms_rules_wording(
	struct lt_str table, struct lt_str text, struct lt_str *ret_phrase, struct lt_str *ret_why);
/* The next link at or after *at that leads to none of the domains (spaces between); false when there is none. A link is a
 * word with a scheme, or www., or a name with a known ending and a path or nothing behind it. */
bool sms_rules_link(struct lt_str text, struct lt_str domains, size_t *at, struct lt_str *ret_link);
/* `as` and `keep` rows; the list is the caller's to free(). */
int sms_rules_words(struct lt_str table, struct sms_word **ret, size_t *ret_n) LTC_MUST;
int sms_words_check(struct lt_str table, char *err, size_t err_size) LTC_MUST;

#endif
