/* sms_template.h - texts that a carrier has registered for a brandname (config/sms/templates.tsv).
 * Table: TSV with the header `gateway brandname id class status valid_to text note`; '*' as gateway matches all. status: active,
 * pending, rejected, expired. valid_to: YYYY-MM-DD or -. text: `{name}` is a field, \n a line end, \t a tab, \\ a backslash, \{ a brace. A field takes
 * one character or more, no line end, and up to the next fixed text; `{name:N}` at most N characters.
 * Thread: any, pure. Owns: nothing. */
#ifndef LANTOA_COMMON_SMS_TEMPLATE_H
#define LANTOA_COMMON_SMS_TEMPLATE_H

#include "text.h"

#define SMS_FIELDS_MAX 32

struct sms_template_hit {
	bool matched;  /* else: the nearest one, if any (id.p not NULL) */
	bool in_force; /* matched, active, and not over on that day */
	struct lt_str id, class, status, valid_to; /* borrowed from the table */
	struct lt_str fields[SMS_FIELDS_MAX];      /* borrowed from the text */
	uint32_t n_fields;
	struct lt_str want,
		got; /* first word that differs: in the template, in the text; absent at the end of either */
};
/* Templates of this gateway and brandname against a text. today: YYYY-MM-DD, or absent: dates are not looked at. A template
 * whose status is not active or whose time is over matches only when no other does. Returns how many templates apply. */
size_t sms_template_match(struct lt_str table, struct lt_str gateway, struct lt_str brandname,
	struct lt_str today, struct lt_str text, struct sms_template_hit *ret);
int sms_templates_check(struct lt_str table, char *err, size_t err_size) LTC_MUST;

/* YYYY-MM-DD by its form. */
bool sms_is_date(struct lt_str s);

#endif
