/* hex.c - bytes as text: hexadecimal, base32, base64. Declared in crypt.h.
 * Thread: any, pure. Owns nothing. Failures: -EINVAL for anything that is not exactly the form, -E2BIG when it does not fit;
 * outputs stay untouched then.
 */
#include "base/crypt.h"

#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void hex_encode(char *dst, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = p;

	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[in[i] >> 4];
		dst[2 * i + 1] = digits[in[i] & 15];
	}
	dst[2 * n] = '\0';
}

int hex_decode(struct str hex, void *dst, size_t dst_len, size_t *ret_n)
{
	uint8_t *out = dst;

	if (hex.n % 2)
		return -EINVAL;
	for (size_t i = 0; i < hex.n; i++)
		if (hex_digit(hex.p[i]) < 0)
			return -EINVAL;
	if (hex.n / 2 > dst_len)
		return -E2BIG;
	for (size_t i = 0; i < hex.n / 2; i++)
		out[i] = (uint8_t)((unsigned)hex_digit(hex.p[2 * i]) << 4 |
			(unsigned)hex_digit(hex.p[2 * i + 1]));
	if (ret_n)
		*ret_n = hex.n / 2;
	return 0;
}

size_t base32_encode(char *dst, size_t size, const void *p, size_t n)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	const uint8_t *in = p;
	size_t len = n / 5 * 8 + (n % 5 * 8 + 4) / 5, out = 0;
	uint32_t held = 0;
	unsigned bits = 0;

	if (size < len + 1)
		return 0;
	for (size_t i = 0; i < n; i++) {
		held = held << 8 | in[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			dst[out++] = alphabet[held >> bits & 31];
		}
	}
	if (bits)
		dst[out++] = alphabet[held << (5 - bits) & 31];
	dst[out] = '\0';
	return out;
}

static int base32_digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

int base32_decode(struct str s, void *dst, size_t dst_len, size_t *ret_n)
{
	size_t n = s.n / 8 * 5 + s.n % 8 * 5 / 8, out = 0;
	unsigned spare = (unsigned)(s.n * 5 - n * 8), bits = 0;
	uint32_t held = 0;

	for (size_t i = 0; i < s.n; i++)
		if (base32_digit(s.p[i]) < 0)
			return -EINVAL;
	/* no whole digit may be spare, and spare bits must be zero: one text for one value */
	if (spare >= 5 || (s.n && ((unsigned)base32_digit(s.p[s.n - 1]) & ((1u << spare) - 1))))
		return -EINVAL;
	if (n > dst_len)
		return -E2BIG;
	for (size_t i = 0; i < s.n; i++) {
		held = held << 5 | (uint32_t)base32_digit(s.p[i]);
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			((uint8_t *)dst)[out++] = (uint8_t)(held >> bits);
		}
	}
	if (ret_n)
		*ret_n = n;
	return 0;
}

static const char base64_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Writes 4 * ceil(n / 3) characters, no NUL. */
static size_t base64_run(char *dst, const uint8_t *in, size_t n)
{
	const char *alphabet = base64_alphabet;
	char *out = dst;

	for (; n >= 3; n -= 3, in += 3) {
		uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = alphabet[v >> 6 & 63];
		*out++ = alphabet[v & 63];
	}
	if (n) {
		uint32_t v = (uint32_t)in[0] << 16 | (n == 2 ? (uint32_t)in[1] << 8 : 0);
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = n == 2 ? alphabet[v >> 6 & 63] : '=';
		*out++ = '=';
	}
	return (size_t)(out - dst);
}

size_t base64_encode(char *dst, size_t size, const void *p, size_t n)
{
	if (n > SIZE_MAX / 2 || size < (n + 2) / 3 * 4 + 1)
		return 0;
	size_t len = base64_run(dst, p, n);
	dst[len] = '\0';
	return len;
}

#define BASE64_NONE 0xff

/* The padding's length, or -1: a length that is none, or spare bits that are not zero (one text for one value). */
static int base64_padding(struct str s, const uint8_t value[static 256])
{
	if (s.n % 4)
		return -1;
	int pad = s.n && s.p[s.n - 1] == '=' ? 1 + (s.p[s.n - 2] == '=') : 0;
	if (pad && (value[(uint8_t)s.p[s.n - 1 - (size_t)pad]] & ((1u << 2 * pad) - 1)))
		return -1;
	return pad;
}

int base64_decode(struct str s, void *dst, size_t dst_len, size_t *ret_n)
{
	uint8_t value[256], *out = dst, all = 0;

	memset(value, BASE64_NONE, sizeof(value));
	for (uint8_t i = 0; i < 64; i++)
		value[(uint8_t)base64_alphabet[i]] = i;
	int pad = base64_padding(s, value);
	if (pad < 0)
		return -EINVAL;
	size_t digits = s.n - (size_t)pad, n = digits / 4 * 3 + (pad ? 3 - (size_t)pad : 0);
	for (size_t i = 0; i < digits; i++)
		all |= value[(uint8_t)s.p[i]];
	if (all > 63)
		return -EINVAL;
	if (n > dst_len)
		return -E2BIG;
	const uint8_t *in = (const uint8_t *)s.p;
	for (size_t i = 0; i + 4 <= digits; i += 4, in += 4) {
		uint32_t v = (uint32_t)value[in[0]] << 18 | (uint32_t)value[in[1]] << 12 |
			(uint32_t)value[in[2]] << 6 | value[in[3]];
		*out++ = (uint8_t)(v >> 16);
		*out++ = (uint8_t)(v >> 8);
		*out++ = (uint8_t)v;
	}
	if (pad)
		*out++ = (uint8_t)(value[in[0]] << 2 | value[in[1]] >> 4);
	if (pad == 1)
		*out++ = (uint8_t)(value[in[1]] << 4 | value[in[2]] >> 2);
	if (ret_n)
		*ret_n = n;
	return 0;
}

size_t base64_lines_len(size_t n)
{
	return (n + 2) / 3 * 4 + (n + 56) / 57 * 2;
}

size_t base64_lines(char *dst, const void *p, size_t n)
{
	const uint8_t *in = p;
	char *out = dst;

	while (n) {
		size_t take = n < 57 ? n : 57;
		out += base64_run(out, in, take);
		*out++ = '\r';
		*out++ = '\n';
		in += take;
		n -= take;
	}
	return (size_t)(out - dst);
}
