/* peer_smtp.c - see peer_smtp.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "peer_smtp.h"

static int b64_value(char c)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c != '\0' ? strchr(set, c) : NULL;
	return p != NULL ? (int)(p - set) : -1;
}

static size_t b64_decode(const char *s, char *ret, size_t size)
{
	unsigned acc = 0, bits = 0;
	size_t n = 0;
	for (; b64_value(*s) >= 0 && n < size; s++) {
		acc = acc << 6 | (unsigned)b64_value(*s);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			ret[n++] = (char)(acc >> bits & 0xff);
		}
	}
	return n;
}

static bool smtp_auth(struct peer_conn *c, const struct peer_smtp *sc, const char *line)
{
	char want[256], got[512], more[512];
	int k = snprintf(want, sizeof(want), "%c%s%c%s", 0, sc->user ? sc->user : "", 0,
		sc->password ? sc->password : "");
	const char *arg = strncasecmp(line, "AUTH PLAIN ", 11) == 0 ? line + 11 : NULL;
	if (strcasecmp(line, "AUTH PLAIN") == 0) {
		if (!peer_printf(c, "334 \r\n") || !peer_line(c, more, sizeof(more)))
			return false;
		arg = more;
	}
	if (strcasecmp(line, "AUTH GSSAPI") == 0) /* and now a ticket */
		return peer_printf(c, "334 \r\n") && peer_line(c, more, sizeof(more)) &&
			peer_printf(c, "535 5.7.8 no ticket\r\n");
	if (arg == NULL)
		return peer_printf(c, "504 5.5.4 only PLAIN\r\n");
	size_t n = b64_decode(arg, got, sizeof(got));
	if (n == (size_t)k && memcmp(got, want, n) == 0)
		return peer_printf(c, "235 2.7.0 welcome\r\n");
	return peer_printf(c, "535 5.7.8 wrong name or password\r\n");
}

static bool smtp_ehlo(struct peer_conn *c, const struct peer_smtp *sc, bool in_tls)
{
	char lines[1000], auth[300] = "";
	if (sc->auth != NULL)
		(void)snprintf(auth, sizeof(auth), "250%sAUTH%s%s\r\n", sc->auth_last ? " " : "-",
			sc->auth_equals ? "=" : " ", sc->auth);
	(void)snprintf(lines, sizeof(lines), "%s%s%s250%s8BITMIME\r\n%s",
		sc->ehlo != NULL ? sc->ehlo : "250-PIPELINING\r\n250-SIZE 1000000\r\n",
		sc->starttls && !in_tls ? "250-STARTTLS\r\n" : "", sc->auth_last ? "" : auth,
		sc->auth_last ? "-" : " ", sc->auth_last ? auth : "");
	for (char *p = lines; sc->lower_case && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return peer_printf(c, "250-test greets you\r\n%s", lines);
}

static bool smtp_data(struct peer_conn *c, const struct peer_smtp *sc)
{
	static __thread char line[65536];
	size_t n = 0;
	if (!peer_printf(c, "354 go ahead\r\n"))
		return false;
	while (peer_line(c, line, sizeof(line))) {
		if (strcmp(line, ".") == 0) {
			peer_note(c, "mail %zu", n);
			if (sc->after_data != NULL && sc->after_data[0] == '\0')
				return false;
			return peer_printf(c, "%s\r\n",
				sc->after_data != NULL ? sc->after_data : "250 2.0.0 queued");
		}
		n += strlen(line) + 2;
	}
	return false;
}

static bool smtp_command(
	struct peer_conn *c, const struct peer_smtp *sc, const char *line, bool *in_tls)
{
	if (strncasecmp(line, "EHLO", 4) == 0 && sc->no_ehlo)
		return peer_printf(c, "502 5.5.2 never heard of it\r\n");
	if (strncasecmp(line, "EHLO", 4) == 0)
		return smtp_ehlo(c, sc, *in_tls);
	if (strncasecmp(line, "HELO", 4) == 0)
		return peer_printf(c, "250 test\r\n");
	if (strcasecmp(line, "STARTTLS") == 0 && sc->starttls) {
		*in_tls = true;
		return peer_printf(c, "220 ready\r\n") && peer_tls(c);
	}
	if (strncasecmp(line, "AUTH", 4) == 0)
		return smtp_auth(c, sc, line);
	if (strncasecmp(line, "MAIL", 4) == 0 || strncasecmp(line, "RCPT", 4) == 0 ||
		strcasecmp(line, "RSET") == 0)
		return peer_printf(c, "250 2.1.0 fine\r\n");
	if (strcasecmp(line, "DATA") == 0)
		return smtp_data(c, sc);
	if (strcasecmp(line, "QUIT") == 0) {
		peer_note(c, "QUIT");
		if (sc->quit_after_ms > 0)
			(void)peer_wait(c, sc->quit_after_ms);
		(void)peer_printf(c, "221 bye\r\n");
		return false;
	}
	return peer_printf(c, "500 5.5.2 what?\r\n");
}

void peer_smtp_serve(struct peer_conn *c, void *script)
{
	const struct peer_smtp *sc = script;
	char line[2048];
	bool in_tls = sc->tls;
	if (sc->tls && !peer_tls(c))
		return;
	if (sc->greet_after_ms > 0 && !peer_wait(c, sc->greet_after_ms))
		return;
	if (!peer_printf(c, "%s\r\n", sc->greeting != NULL ? sc->greeting : "220 test ESMTP"))
		return;
	while (peer_line(c, line, sizeof(line))) {
		peer_note(c, "C: %s", line);
		if (sc->silent)
			continue;
		if (!smtp_command(c, sc, line, &in_tls))
			return;
	}
	peer_note(c, "closed");
}
