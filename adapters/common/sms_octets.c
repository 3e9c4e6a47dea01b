/* sms_octets.c - text to the octets of the air interface and back: GSM 03.38 septets, UTF-16BE, packed septets.
 * Thread: any, pure. Failures: -EILSEQ broken UTF-8, -EINVAL not in the alphabet, -E2BIG no room. Decoding never fails. */
#include <errno.h>
#include <string.h>
#include "sms_table.h"
#include "sms_text.h"

/* Code of the basic table -> UTF-16; 0x1B is the escape. */
static const uint16_t gsm_basic[128] = { 0x40, 0xa3, 0x24, 0xa5, 0xe8, 0xe9, 0xf9, 0xec, 0xf2, 0xc7,
	0x0a, 0xd8, 0xf8, 0x0d, 0xc5, 0xe5, 0x394, 0x5f, 0x3a6, 0x393, 0x39b, 0x3a9, 0x3a0, 0x3a8,
	0x3a3, 0x398, 0x39e, 0x1b, 0xc6, 0xe6, 0xdf, 0xc9, 0x20, 0x21, 0x22, 0x23, 0xa4, 0x25, 0x26,
	0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35,
	0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0xa1, 0x41, 0x42, 0x43, 0x44,
	0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53,
	0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0xc4, 0xd6, 0xd1, 0xdc, 0xa7, 0xbf, 0x61, 0x62,
	0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71,
	0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0xe4, 0xf6, 0xf1, 0xfc, 0xe0 };

int sms_encode_gsm(struct lt_str text, uint8_t *dst, size_t size, size_t *ret_n)
{
	const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;
	uint32_t cp, what;
	size_t at = 0;

	while (text.n > 0 && p < end) {
		size_t n = sms_next(p, end, &cp, &what);
		uint32_t gsm = what >> 8 & 0xff;
		if (n == 0)
			return -EILSEQ;
		if (gsm == SMS_GSM_NONE)
			return -EINVAL;
		if (at + 1 + (gsm >> 7) > size)
			return -E2BIG;
		if (gsm >= 0x80)
			dst[at++] = 0x1b;
		dst[at++] = (uint8_t)(gsm & 0x7f);
		p += n;
	}
	*ret_n = at;
	return 0;
}

int sms_encode_ucs2(struct lt_str text, uint8_t *dst, size_t size, size_t *ret_n)
{
	const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;
	uint32_t cp, what;
	size_t at = 0;

	while (text.n > 0 && p < end) {
		size_t n = sms_next(p, end, &cp, &what);
		if (n == 0)
			return -EILSEQ;
		if (at + (n == 4 ? 4 : 2) > size)
			return -E2BIG;
		if (n == 4) {
			uint32_t hi = 0xd800 + ((cp - 0x10000) >> 10);
			dst[at++] = (uint8_t)(hi >> 8);
			dst[at++] = (uint8_t)hi;
			cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
		}
		dst[at++] = (uint8_t)(cp >> 8);
		dst[at++] = (uint8_t)cp;
		p += n;
	}
	*ret_n = at;
	return 0;
}

static void add_char(struct ltc_buf *out, uint32_t cp)
{
	char u[4];
	size_t n = 0;

	if (cp < 0x80)
		u[n++] = (char)cp;
	else if (cp < 0x800)
		u[n++] = (char)(0xc0 | cp >> 6);
	else if (cp < 0x10000) {
		u[n++] = (char)(0xe0 | cp >> 12);
		u[n++] = (char)(0x80 | (cp >> 6 & 63));
	} else {
		u[n++] = (char)(0xf0 | cp >> 18);
		u[n++] = (char)(0x80 | (cp >> 12 & 63));
		u[n++] = (char)(0x80 | (cp >> 6 & 63));
	}
	if (cp >= 0x80)
		u[n++] = (char)(0x80 | (cp & 63));
	ltc_add(out, u, n);
}

static uint32_t extension(uint8_t c)
{
	static const struct {
		uint8_t code;
		uint16_t cp;
	} ext[] = { { 0x0a, 0x0c }, { 0x14, '^' }, { 0x28, '{' }, { 0x29, '}' }, { 0x2f, '\\' },
		{ 0x3c, '[' }, { 0x3d, '~' }, { 0x3e, ']' }, { 0x40, '|' }, { 0x65, 0x20ac } };

	for (size_t i = 0; i < sizeof(ext) / sizeof(ext[0]); i++)
		if (ext[i].code == c)
			return ext[i].cp;
	return gsm_basic[c & 0x7f];
}

void sms_decode_gsm(const uint8_t *p, size_t n, struct ltc_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i] & 0x7f;
		if (c != 0x1b)
			add_char(out, gsm_basic[c]);
		else if (++i < n) /* an escape at the end says nothing */
			add_char(out, extension(p[i] & 0x7f));
	}
}

void sms_decode_ucs2(const uint8_t *p, size_t n, struct ltc_buf *out)
{
	for (size_t i = 0; i < n; i += 2) {
		uint32_t c = i + 1 < n ? (uint32_t)p[i] << 8 | p[i + 1] : 0xfffd;
		if ((c & 0xfc00) == 0xd800 && i + 3 < n && (p[i + 2] & 0xfc) == 0xdc) {
			uint32_t lo = (uint32_t)p[i + 2] << 8 | p[i + 3];
			c = 0x10000 + ((c & 0x3ff) << 10 | (lo & 0x3ff));
			i += 2;
		}
		add_char(out, (c & 0xfffff800) == 0xd800 ? 0xfffd : c);
	}
}

size_t sms_pack7(const uint8_t *septets, size_t n, unsigned int fill, uint8_t *dst, size_t size)
{
	size_t bit = fill % 8, octets = (bit + n * 7 + 7) / 8;

	if (octets > size)
		return 0;
	memset(dst, 0, octets);
	for (size_t i = 0; i < n; i++, bit += 7) {
		uint32_t v = (uint32_t)(septets[i] & 0x7f) << (bit % 8);
		dst[bit / 8] |= (uint8_t)v;
		if (v > 0xff)
			dst[bit / 8 + 1] |= (uint8_t)(v >> 8);
	}
	return octets;
}

size_t sms_unpack7(const uint8_t *p, size_t n, unsigned int fill, size_t septets, uint8_t *dst)
{
	size_t bit = fill % 8, i = 0;

	for (; i < septets && bit + 7 <= n * 8; i++, bit += 7) {
		uint32_t v = p[bit / 8];
		if (bit / 8 + 1 < n)
			v |= (uint32_t)p[bit / 8 + 1] << 8;
		dst[i] = (uint8_t)(v >> (bit % 8) & 0x7f);
	}
	return i;
}
