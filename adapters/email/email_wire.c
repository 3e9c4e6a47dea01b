/* email_wire.c - MAIL and RCPT as text, with the parameters that the relay offers.
 * Nothing that could end a line or a path early ever gets in here: addresses are checked again, whatever the host says.
 * Thread: loop. Failures: through the buffer. */
#include <string.h>
#include "email_session.h"

bool email_wire_address_ok(struct lt_str a)
{
	if (a.n < 3 || a.n > 320 || memchr(a.p, '@', a.n) == NULL)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned char c = (unsigned char)a.p[i];
		if (c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"' || c == '\\')
			return false;
	}
	return ltc_is_ascii(a) || ltc_utf8_valid(a);
}

static void xtext(struct ltc_buf *b, struct lt_str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c > ' ' && c < 0x7f && c != '+' && c != '=')
			ltc_addc(b, (char)c);
		else {
			char esc[3] = { '+', hex[c >> 4], hex[c & 15] };
			ltc_add(b, esc, 3);
		}
	}
}

/* A reference may stand in an address only if it is made of letters, digits and hyphens. */
static bool ref_ok(struct lt_str ref)
{
	for (size_t i = 0; i < ref.n; i++) {
		char c = ref.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-'))
			return false;
	}
	return ref.n > 0 && ref.n <= 60;
}

void email_wire_mail(struct ltc_buf *b, const struct email_conf *c, const struct email_caps *caps,
	const struct lt_work *w, bool shared, bool utf8)
{
	ltc_addz(b, "MAIL FROM:<");
	if (!shared && c->verp_domain.n > 0 && ref_ok(w->ref)) {
		ltc_addz(b, "b+");
		ltc_adds(b, w->ref);
		ltc_addc(b, '@');
		ltc_adds(b, c->verp_domain);
	} else
		ltc_adds(b, c->envelope_from);
	ltc_addc(b, '>');
	if (caps->size && w->payload_bytes > 0)
		ltc_addf(b, " SIZE=%llu", (unsigned long long)w->payload_bytes);
	if (utf8)
		ltc_addz(b, caps->eightbit ? " BODY=8BITMIME SMTPUTF8" : " SMTPUTF8");
	if (caps->dsn && c->dsn) {
		ltc_addz(b, " RET=HDRS");
		if (!shared && w->ref.n > 0 && w->ref.n <= 60) {
			ltc_addz(b, " ENVID=");
			xtext(b, w->ref);
		}
	}
	ltc_addz(b, "\r\n");
}

void email_wire_rcpt(struct ltc_buf *b, const struct email_conf *c, const struct email_caps *caps,
	const struct lt_work *w)
{
	ltc_addz(b, "RCPT TO:<");
	ltc_adds(b, w->address);
	ltc_addc(b, '>');
	if (caps->dsn && c->dsn) {
		ltc_addz(b, " NOTIFY=FAILURE,DELAY");
		if (ltc_is_ascii(w->address)) {
			ltc_addz(b, " ORCPT=rfc822;");
			xtext(b, w->address);
		}
	}
	ltc_addz(b, "\r\n");
}
