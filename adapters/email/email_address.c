/* email_address.c - canonical form of a mail address.
 * The domain goes through libidn2 (non-transitional, NFC, A-label, lower case), the local part is checked and put into NFC, and
 * keeps its case: only its owner knows what case means there. Quoted local parts are refused: hardly anyone has one, and they
 * are the classic way to smuggle commands.
 * Thread: any, pure. Failures: -EINVAL and a sentence for the person who typed the address. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <idn2.h>
#include <utf8proc.h>
#include "email_address.h"
#include "email_conf.h"

static int bad(struct email_addr *a, const char *why)
{
	a->why = why;
	return -EINVAL;
}

/* Blanks, marks of direction, joiners, controls: two addresses that look the same must not be two contacts. */
static bool is_seen(struct lt_str s)
{
	utf8proc_int32_t cp = 0;

	while (s.n > 0) {
		utf8proc_ssize_t n = utf8proc_iterate(
			(const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &cp);
		if (n <= 0)
			return false;
		utf8proc_category_t cat = utf8proc_category(cp);
		if (cat == UTF8PROC_CATEGORY_CC || cat == UTF8PROC_CATEGORY_CF ||
			cat == UTF8PROC_CATEGORY_ZS || cat == UTF8PROC_CATEGORY_ZL ||
			cat == UTF8PROC_CATEGORY_ZP)
			return false;
		s = ltc_from(s, (size_t)n);
	}
	return true;
}

static int local_part(struct lt_str s, struct email_addr *ret)
{
	static const char specials[] = "()<>[]:;@\\,\" ";
	utf8proc_uint8_t *nfc = NULL;

	if (s.n == 0)
		return bad(ret, "nothing before the @");
	for (size_t i = 0; i < s.n; i++)
		if (memchr(specials, s.p[i], sizeof(specials) - 1) != NULL)
			return bad(ret, "a character before the @ that is not allowed there");
	if (s.p[0] == '.' || s.p[s.n - 1] == '.' || ltc_find(s, LTC_LIT(".."), false) != NULL)
		return bad(ret, "a dot at the start, at the end or twice in a row before the @");
	if (ltc_is_ascii(s)) {
		if (s.n > 64)
			return bad(ret, "more than 64 bytes before the @");
		memcpy(ret->canonical, s.p, s.n);
		ret->local_n = s.n;
		return 0;
	}
	if (!is_seen(s))
		return bad(
			ret, "a character before the @ that nobody can see; type the address anew");
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n,
		&nfc, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	int rc = 0;
	if (n <= 0)
		rc = bad(ret, "broken UTF-8 before the @");
	else if (n > 64)
		rc = bad(ret, "more than 64 bytes before the @");
	else
		memcpy(ret->canonical, nfc, (size_t)n);
	ret->local_n = rc == 0 ? (size_t)n : 0;
	ret->needs_smtputf8 = true;
	free(nfc);
	return rc;
}

static bool domain_shape(const char *d, size_t n)
{
	size_t label = 0, dots = 0;

	for (size_t i = 0; i < n; i++) {
		char c = d[i];
		if (c == '.') {
			if (label == 0 || d[i - 1] == '-')
				return false;
			label = 0;
			dots++;
			continue;
		}
		bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			(c == '-' && label > 0);
		if (!good || ++label > 63)
			return false;
	}
	return dots > 0 && label > 0 && d[n - 1] != '-';
}

/* Nothing for IDNA to do: plain lower-case letters, digits, hyphens and dots without an A-label. */
static bool domain_is_plain(struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return ltc_find(s, LTC_LIT("--"), false) == NULL;
}

static int domain_part(struct lt_str s, struct email_addr *ret)
{
	char in[256], *out = NULL;
	const char *d = in;
	int rc = 0;

	if (s.n == 0 || s.n > 255)
		return bad(ret, s.n == 0 ? "nothing behind the @" : "domain over 255 bytes");
	memcpy(in, s.p, s.n);
	in[s.n] = '\0';
	if (!domain_is_plain(s)) {
		if (idn2_to_ascii_8z(in, &out, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
			return bad(ret, "the domain is not a valid name");
		d = out;
	}
	size_t n = strlen(d);
	if (!domain_shape(d, n))
		rc = bad(ret, "the domain needs labels of letters, digits and hyphens, and a dot");
	else if (ret->local_n + 1 + n > EMAIL_ADDR_MAX)
		rc = bad(ret, "address over 254 bytes");
	else {
		ret->canonical[ret->local_n] = '@';
		memcpy(ret->canonical + ret->local_n + 1, d, n + 1);
	}
	idn2_free(out);
	return rc;
}

int email_address_parse(struct lt_str in, struct email_addr *ret)
{
	*ret = (struct email_addr){ 0 };
	if (in.n == 0)
		return bad(ret, "the address is empty");
	if (in.n > 320)
		return bad(ret, "address over 254 bytes");
	if (ltc_has_control(in))
		return bad(ret, "a control character in the address");
	if (!ltc_utf8_valid(in))
		return bad(ret, "broken UTF-8 in the address");
	const char *at = memchr(in.p, '@', in.n);
	if (at == NULL)
		return bad(ret, "no @ in the address");
	struct lt_str local = { in.p, (size_t)(at - in.p) };
	struct lt_str domain = ltc_from(in, local.n + 1);
	if (memchr(domain.p, '@', domain.n) != NULL)
		return bad(ret, "more than one @ in the address");
	int rc = local_part(local, ret);
	return rc < 0 ? rc : domain_part(domain, ret);
}

struct lt_str email_domain_class(struct lt_str table, struct lt_str domain)
{
	char key[260];

	if (domain.n == 0 || domain.n > 255)
		return LTC_LIT("other");
	key[0] = '\n';
	memcpy(key + 1, domain.p, domain.n);
	key[domain.n + 1] = '\t';
	struct lt_str k = { key, domain.n + 2 };
	const char *hit = ltc_find(table, k, false);
	struct lt_str rest = table, line;
	if (hit != NULL)
		rest = ltc_from(table, (size_t)(hit - table.p) + k.n);
	else if (table.n > k.n && memcmp(table.p, key + 1, k.n - 1) == 0)
		rest = ltc_from(table, k.n - 1);
	else
		return LTC_LIT("other");
	if (!ltc_line(&rest, &line))
		return LTC_LIT("other");
	line = ltc_trim(line);
	return line.n == 0 ? LTC_LIT("other") : line;
}

int email_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink)
{
	struct email_addr a;

	if (email_address_parse(in, &a) < 0) {
		(void)sink->problem(sink->ctx, 2, LTC_LIT("address"), ltc_z(a.why));
		return -EINVAL;
	}
	struct lt_str canon = ltc_z(a.canonical);
	struct lt_str class = email_domain_class(
		email_conf_file(c, "domains"), ltc_from(canon, a.local_n + 1));
	int rc = sink->tell(sink->ctx, LTC_LIT("address"), canon);
	if (rc >= 0)
		rc = sink->tell(sink->ctx, LTC_LIT("class"), class);
	if (rc >= 0)
		rc = sink->tell(sink->ctx, LTC_LIT("kind"), LTC_LIT("mailbox"));
	return rc < 0 ? rc : 0;
}
