/* email_address.h - one mail address: checks, canonical form, class of its domain.
 * Thread: any, pure. Owns: nothing; the result is held by value. */
#ifndef LANTOA_EMAIL_ADDRESS_H
#define LANTOA_EMAIL_ADDRESS_H

#include "../common/text.h"

#define EMAIL_ADDR_MAX 254

struct email_addr {
	char canonical[EMAIL_ADDR_MAX + 1]; /* local part in NFC @ domain as A-label, lower case */
	size_t local_n;                     /* bytes before the @ */
	bool needs_smtputf8;                /* local part is not ASCII */
	const char *why;                    /* set on failure: what is wrong, for a person */
};
/* 0, or -EINVAL with ret->why. The input is one bare address: no brackets, no display name. */
int email_address_parse(struct lt_str in, struct email_addr *ret) LTC_MUST;
/* Class of a domain by the table of domain groups; "other" when it has none. */
struct lt_str email_domain_class(struct lt_str table, struct lt_str domain);
int email_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink);

#endif
