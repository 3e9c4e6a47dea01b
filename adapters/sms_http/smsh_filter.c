/* smsh_filter.c - what a template may do with a value: encodings, digests, dates, other writings of a number.
 * Thread: loop; pure but for digests, which the host makes (a keyed one with a secret by name). Owns: nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "smsh.h"

#define DIGEST_MAX 64

static const char hex_digits[] = "0123456789abcdef";

void smsh_base64url(struct ltc_buf *dst, const void *p, size_t n)
{
	char *tmp = malloc(ltc_base64_len(n) + 1);

	if (tmp == NULL) {
		dst->failed = true;
		return;
	}
	size_t len = ltc_base64(tmp, p, n);
	while (len > 0 && tmp[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		ltc_addc(dst, tmp[i] == '+' ? '-' : tmp[i] == '/' ? '_' : tmp[i]);
	free(tmp);
}

static void escape_json(struct ltc_buf *dst, unsigned char c)
{
	if (c == '"' || c == '\\') {
		ltc_addc(dst, '\\');
		ltc_addc(dst, (char)c);
	} else if (c == '\n') {
		ltc_addz(dst, "\\n");
	} else if (c < 0x20 || c == 0x7f) {
		ltc_addf(dst, "\\u%04x", c);
	} else
		ltc_addc(dst, (char)c);
}

static void escape_xml(struct ltc_buf *dst, unsigned char c)
{
	static const char from[] = "<>&\"'";
	static const char *const to[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&apos;" };
	const char *at = c == '\0' ? NULL : strchr(from, c);

	if (at != NULL)
		ltc_addz(dst, to[at - from]);
	else if (c >= 0x20 || c == '\n' || c == '\t' || c == '\r')
		ltc_addc(dst, (char)c);
}

static void escape_url(struct ltc_buf *dst, unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("-._~", c) != NULL))
		ltc_addc(dst, (char)c);
	else
		ltc_addf(dst, "%%%02X", c);
}

void smsh_escape(struct ltc_buf *dst, struct lt_str s, enum smsh_esc esc)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		switch (esc) {
		case SMSH_E_JSON: escape_json(dst, c); break;
		case SMSH_E_XML: escape_xml(dst, c); break;
		case SMSH_E_URL: escape_url(dst, c); break;
		case SMSH_E_NONE: ltc_addc(dst, (char)c); break;
		}
	}
}

typedef bool filter_fn(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out);

static bool f_url(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	smsh_escape(out, in, SMSH_E_URL);
	return true;
}

static bool f_json(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	smsh_escape(out, in, SMSH_E_JSON);
	return true;
}

static bool f_xml(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	smsh_escape(out, in, SMSH_E_XML);
	return true;
}

static bool f_base64(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	char *tmp = malloc(ltc_base64_len(in.n) + 1);

	(void)v;
	(void)arg;
	if (tmp == NULL)
		return false;
	ltc_add(out, tmp, ltc_base64(tmp, in.p, in.n));
	free(tmp);
	return true;
}

static bool f_base64url(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	smsh_base64url(out, in.p, in.n);
	return true;
}

static bool f_upper(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	for (size_t i = 0; i < in.n; i++)
		ltc_addc(out, in.p[i] >= 'a' && in.p[i] <= 'z' ? (char)(in.p[i] - 32) : in.p[i]);
	return true;
}

static bool f_lower(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	for (size_t i = 0; i < in.n; i++)
		ltc_addc(out, in.p[i] >= 'A' && in.p[i] <= 'Z' ? (char)(in.p[i] + 32) : in.p[i]);
	return true;
}

static void add_hex(struct ltc_buf *out, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++) {
		ltc_addc(out, hex_digits[b[i] >> 4]);
		ltc_addc(out, hex_digits[b[i] & 15]);
	}
}

static bool f_hex(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	add_hex(out, in.p, in.n);
	return true;
}

static bool digest(const struct smsh_vars *v, uint32_t alg, struct lt_str in, struct lt_str key,
	uint8_t d[static DIGEST_MAX], size_t *n)
{
	struct lt_src src = { .bytes = { in.p == NULL ? "" : in.p, in.n } };

	*n = DIGEST_MAX;
	return v->host != NULL &&
		v->host->mac(v->host->ctx, v->job, alg, key, &src, 1, d, n) == 0 &&
		*n <= DIGEST_MAX;
}

static bool f_sha256(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	uint8_t d[DIGEST_MAX];
	size_t n;

	(void)arg;
	if (!digest(v, LT_MAC_SHA256, in, (struct lt_str){ 0 }, d, &n))
		return false;
	add_hex(out, d, n);
	return true;
}

static bool f_hmac(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	uint8_t d[DIGEST_MAX];
	size_t n;

	if (arg.n == 0 || !digest(v, LT_MAC_HMAC_SHA256, in, arg, d, &n))
		return false;
	add_hex(out, d, n);
	return true;
}

/* 8-4-4-4-12 of a digest, with the marks of version 4: the same for the same value, always. */
static bool f_uuid(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	uint8_t d[DIGEST_MAX];
	size_t n;

	(void)arg;
	if (!digest(v, LT_MAC_SHA256, in, (struct lt_str){ 0 }, d, &n) || n < 16)
		return false;
	d[6] = (uint8_t)(0x40 | (d[6] & 0x0f));
	d[8] = (uint8_t)(0x80 | (d[8] & 0x3f));
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			ltc_addc(out, '-');
		add_hex(out, d + i, 1);
	}
	return true;
}

/* Seconds since 1970 in the zone of the channel, by a strftime form. */
static bool f_date(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	char form[64], text[128];
	int64_t s;
	struct tm tm;

	if (arg.n == 0 || arg.n >= sizeof(form) || ltc_i64(in, 0, INT64_C(99999999999), &s) != 0)
		return false;
	memcpy(form, arg.p, arg.n);
	form[arg.n] = '\0';
	time_t t = (time_t)(s + v->si->conf.zone_min * 60);
	if (gmtime_r(&t, &tm) == NULL)
		return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	size_t n = strftime(text, sizeof(text), form, &tm);
#pragma GCC diagnostic pop
	ltc_add(out, text, n);
	return n > 0;
}

static bool phone(struct lt_str in, enum sms_phone_form form, struct ltc_buf *out)
{
	char e164[24], text[24];

	if (in.n == 0 || in.n + 2 > sizeof(e164))
		return false;
	(void)snprintf(e164, sizeof(e164), "%s%.*s", in.p[0] == '+' ? "" : "+", (int)in.n, in.p);
	sms_phone_write(ltc_z(e164), form, text, sizeof(text));
	ltc_addz(out, text);
	return text[0] != '\0';
}

static bool f_e164(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	return phone(in, SMS_PHONE_PLUS84, out);
}

static bool f_plain84(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	return phone(in, SMS_PHONE_84, out);
}

static bool f_local(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	(void)arg;
	return phone(in, SMS_PHONE_0, out);
}

static bool f_plain(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	LTC_CLEANUP_BUF struct ltc_buf b;

	(void)v;
	(void)arg;
	ltc_buf_init(&b, SMS_TEXT_MAX * 4);
	if (sms_plain(in, NULL, SMS_QUESTION, &b, NULL) < 0)
		return false;
	ltc_adds(out, ltc_buf_str(&b));
	return !b.failed;
}

/* Characters, not bytes. */
static bool f_truncate(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	int64_t max;
	size_t n = 0, chars = 0;

	(void)v;
	if (ltc_i64(arg, 1, 100000, &max) != 0)
		return false;
	while (n < in.n) {
		if (((unsigned char)in.p[n] & 0xc0) != 0x80 && (int64_t)chars++ == max)
			break;
		n++;
	}
	ltc_add(out, in.p, n);
	return true;
}

/* map:0=text,1=unicode */
static bool f_map(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	struct lt_str rest = arg, one;

	(void)v;
	while (ltc_next(&rest, ',', &one)) {
		const char *eq = one.n == 0 ? NULL : memchr(one.p, '=', one.n);
		size_t n = eq == NULL ? 0 : (size_t)(eq - one.p);
		if (eq == NULL || !ltc_eq((struct lt_str){ one.p, n }, in))
			continue;
		ltc_adds(out, ltc_from(one, n + 1));
		return true;
	}
	return false;
}

static bool f_default(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	(void)v;
	ltc_adds(out, in.n == 0 ? arg : in);
	return true;
}

/* unless:PARAMETER: nothing where that value is given */
static bool f_unless(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	struct lt_str other = { 0 };

	if (!smsh_param(v->si, arg, &other) || other.n == 0)
		ltc_adds(out, in);
	return arg.n > 0;
}

/* add:3600 */
static bool f_add(
	const struct smsh_vars *v, struct lt_str in, struct lt_str arg, struct ltc_buf *out)
{
	int64_t a, b;

	(void)v;
	if (ltc_i64(in, 0, INT64_C(9999999999999), &a) != 0 ||
		ltc_i64(arg, -100000000, 100000000, &b) != 0)
		return false;
	ltc_addf(out, "%lld", (long long)(a + b));
	return true;
}

static const struct {
	const char *name;
	filter_fn *fn;
} filters[] = { { "url", f_url }, { "urlencode", f_url }, { "json", f_json }, { "xml", f_xml },
	{ "base64", f_base64 }, { "base64url", f_base64url }, { "upper", f_upper },
	{ "lower", f_lower }, { "hex", f_hex }, { "sha256", f_sha256 }, { "hmac_sha256", f_hmac },
	{ "uuid", f_uuid }, { "date", f_date }, { "e164", f_e164 }, { "plus", f_e164 },
	{ "84", f_plain84 }, { "local", f_local }, { "plain", f_plain }, { "truncate", f_truncate },
	{ "map", f_map }, { "default", f_default }, { "add", f_add }, { "unless", f_unless } };

#define N_FILTERS (sizeof(filters) / sizeof(filters[0]))

bool smsh_filter_known(struct lt_str name)
{
	for (size_t i = 0; i < N_FILTERS; i++)
		if (ltc_eqz(name, filters[i].name))
			return true;
	return false;
}

bool smsh_filter(
	const struct smsh_vars *v, struct lt_str name, struct lt_str arg, struct ltc_buf *b)
{
	struct ltc_buf out;
	bool good = false;

	ltc_buf_init(&out, b->max);
	for (size_t i = 0; i < N_FILTERS; i++)
		if (ltc_eqz(name, filters[i].name))
			good = filters[i].fn(v, ltc_buf_str(b), arg, &out);
	good = good && !out.failed;
	ltc_buf_done(b);
	*b = out;
	return good;
}
