/* net_smtp.h - reading the replies that libcurl collected while it opened an SMTP connection. Pure. */
#ifndef LANTOA_NET_NET_SMTP_H
#define LANTOA_NET_NET_SMTP_H

#include <stdbool.h>
#include "base/str.h"

/* All borrowed from the text that was parsed. */
struct smtp_opening {
	struct str
		ehlo; /* lines of the last 250 reply: EHLO's or HELO's; empty when there was none */
	struct str last; /* lines of the last reply */
	bool logged_in;  /* a 235 was seen */
};

void smtp_opening_parse(struct str said, struct smtp_opening *ret);

#endif
