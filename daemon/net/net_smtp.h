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

/* One line of an opening before libcurl reads it, changed in place and of the same length: libcurl knows the keywords of an EHLO in
 * capitals only, and "AUTH=" not at all, although case says nothing (RFC 5321 4.1.1.1). choose: of the ways to log in those stay
 * that work with a name and a password: none that needs a ticket or a Windows domain (libcurl would try these first, and then no
 * other), and with tls none but PLAIN and LOGIN where one of them is offered, because the challenges need a password that the
 * server has kept in clear. */
void smtp_ehlo_mend(char *line, size_t n, bool tls, bool choose);

#endif
