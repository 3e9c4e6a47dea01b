/* peer_smtp.h - a scripted SMTP server on peer_tcp: what it offers and where it fails is data. Notes each command line as
 * "C: ...", each mail as "mail N" (N bytes of its text), each end as "closed" or "QUIT".
 */
#ifndef LANTOA_TESTS_PEER_SMTP_H
#define LANTOA_TESTS_PEER_SMTP_H

#include "peer_tcp.h"

struct peer_smtp {
	const char *greeting; /* NULL: "220 test ESMTP" */
	const char *ehlo; /* further EHLO lines, each "250-...\r\n"; NULL: PIPELINING and SIZE */
	bool no_ehlo;     /* only HELO is known */
	bool tls;         /* TLS from the first byte */
	bool starttls;    /* offered */
	bool lower_case;  /* keywords and mechanisms of EHLO as "starttls" and "auth plain" */
	bool auth_equals; /* "AUTH=PLAIN", the form of a draft that some still speak */
	bool auth_last;   /* it ends the reply */
	const char *auth; /* "AUTH" line of EHLO such as "PLAIN LOGIN"; NULL: not offered */
	const char *user, *password;       /* PLAIN accepted */
	int greet_after_ms, quit_after_ms; /* delays */
	bool silent;                       /* greets, then never answers */
	const char *
		after_data; /* reply to the dot; NULL "250 2.0.0 queued"; "" : closes without a reply */
};

void peer_smtp_serve(struct peer_conn *c, void *script); /* peer_new(peer_smtp_serve, &script) */

#endif
