/* Texts of short messages: NFC, plain and cut. Segments keep to their budget, give the text again when they are joined, part no
 * escape pair, surrogate pair or mark; rendering without diacritics is its own image; octets decode to what was encoded. */
#include <errno.h>
#include <string.h>
#include <utf8proc.h>
#include "../host.h"
#include "common/sms_text.h"

static bool is_mark(uint32_t cp)
{
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);

	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_ME || c == UTF8PROC_CATEGORY_MC;
}

static uint32_t first(struct lt_str s)
{
	const unsigned char *u = (const unsigned char *)s.p;

	if (s.n == 0)
		return 0;
	return u[0] < 0x80    ? u[0]
		: u[0] < 0xe0 ? (uint32_t)(u[0] & 31) << 6 | (u[1] & 63)
		: u[0] < 0xf0
		? (uint32_t)(u[0] & 15) << 12 | (uint32_t)(u[1] & 63) << 6 | (u[2] & 63)
		: (uint32_t)(u[0] & 7) << 18 | (uint32_t)(u[1] & 63) << 12 |
			(uint32_t)(u[2] & 63) << 6 | (u[3] & 63);
}

static size_t before(struct lt_str text, size_t at)
{
	do
		at--;
	while (at > 0 && ((unsigned char)text.p[at] & 0xc0) == 0x80);
	return at;
}

/* Units of the marks and joined characters around `at`, with their base: what may be parted only where it fits no segment. */
static uint32_t cluster(struct lt_str text, size_t at, enum sms_coding coding)
{
	uint32_t units = 0;
	bool joined = false;

	while (at > 0 &&
		(is_mark(first(ltc_from(text, at))) || first(ltc_from(text, at)) == 0x200d ||
			first(ltc_from(text, before(text, at))) == 0x200d))
		at = before(text, at);
	for (bool base = true; at < text.n; base = false) {
		uint32_t cp = first(ltc_from(text, at));
		if (!base && !joined && !is_mark(cp) && cp != 0x200d)
			break;
		joined = cp == 0x200d;
		units += coding == SMS_UCS2 && cp > 0xffff ? 2 : 1;
		at += cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	}
	return units;
}

static void octets(struct lt_str seg, enum sms_coding coding, uint32_t units)
{
	static uint8_t out[1024], packed[1024], back7[1024];
	struct ltc_buf back;
	size_t n = 0;

	ltc_buf_init(&back, 1u << 16);
	if (coding == SMS_GSM) {
		MUST(sms_encode_gsm(seg, out, sizeof(out), &n) == 0 && n == units);
		sms_decode_gsm(out, n, &back);
		for (unsigned fill = 0; fill < 7; fill++) {
			size_t k = sms_pack7(out, n, fill, packed, sizeof(packed));
			MUST(sms_unpack7(packed, k, fill, n, back7) == n &&
				memcmp(out, back7, n) == 0);
		}
	} else {
		MUST(sms_encode_ucs2(seg, out, sizeof(out), &n) == 0 && n == 2u * units);
		sms_decode_ucs2(out, n, &back);
	}
	MUST(ltc_eq(ltc_buf_str(&back), seg));
	ltc_buf_done(&back);
}

static void cut(struct lt_str text, enum sms_coding coding, const struct sms_budget *b)
{
	static struct sms_cut v[SMS_SEGMENTS_MAX];
	struct sms_size size;
	int n = sms_split(text, coding, b, 0, v, SMS_SEGMENTS_MAX);
	uint32_t one = coding == SMS_GSM ? b->gsm_one : b->ucs2_one,
		 many = coding == SMS_GSM ? b->gsm_many : b->ucs2_many, at = 0;

	MUST(n != 0);
	if (n < 0)
		return;
	for (int i = 0; i < n; i++) {
		struct lt_str seg = { text.p + v[i].at, v[i].n };
		MUST(v[i].at == at && v[i].units <= (n == 1 ? one : many));
		MUST(ltc_utf8_valid(seg));
		MUST(v[i].n > 0 || n == 1);
		octets(seg, coding, v[i].units);
		if (i > 0 && is_mark(first(seg)))
			MUST(cluster(text, at, coding) > many);
		at += v[i].n;
	}
	MUST(at == text.n);
	MUST(sms_measure(text, b, 0, &size) == 0);
	if (size.coding == coding) {
		MUST(size.segments == (uint32_t)n);
		static struct sms_cut w[SMS_SEGMENTS_MAX];
		MUST(sms_cuts(text, &size, b, 0, w, SMS_SEGMENTS_MAX) == n &&
			memcmp(v, w, (size_t)n * sizeof(v[0])) == 0);
	}
}

static void plain(struct lt_str nfc)
{
	struct ltc_buf a, b;
	struct lt_str bad;
	struct sms_size size;

	ltc_buf_init(&a, 1u << 20);
	ltc_buf_init(&b, 1u << 20);
	for (int how = SMS_REJECT; how <= SMS_DROP; how++) {
		ltc_buf_reset(&a);
		int rc = sms_plain(nfc, NULL, (enum sms_unmappable)how, &a, &bad);
		MUST(rc == 0 || (how == SMS_REJECT && rc == -EINVAL && fh_in(bad, nfc)) ||
			rc == -E2BIG);
		if (rc < 0)
			continue;
		ltc_buf_reset(&b);
		MUST(sms_plain(ltc_buf_str(&a), NULL, SMS_REJECT, &b, NULL) == 0);
		MUST(ltc_eq(ltc_buf_str(&a), ltc_buf_str(&b)));
		MUST(sms_measure(ltc_buf_str(&a), &SMS_BUDGET_UDH8, 0, &size) == 0 &&
			size.coding == SMS_GSM);
	}
	ltc_buf_done(&a);
	ltc_buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct sms_budget b8 = { 160, 153, 70, 67 }, b16 = { 160, 152, 70, 66 };
	struct lt_str in = { (const char *)p, n };
	struct ltc_buf a, b, seven;

	ltc_buf_init(&a, 1u << 20);
	ltc_buf_init(&b, 1u << 20);
	ltc_buf_init(&seven, 1u << 22);
	if (n < 20000) { /* what a phone sent: any octets give UTF-8 */
		sms_decode_gsm(p, n, &seven);
		sms_decode_ucs2(p, n, &seven);
		MUST(ltc_utf8_valid(ltc_buf_str(&seven)));
	}
	int rc = sms_nfc(in, &a);
	MUST((rc == -EILSEQ) == !ltc_utf8_valid(in) || rc == -E2BIG);
	if (rc == 0) {
		struct lt_str nfc = ltc_buf_str(&a);
		MUST(sms_nfc(nfc, &b) == 0 || nfc.n > SMS_TEXT_MAX);
		MUST(nfc.n > SMS_TEXT_MAX || ltc_eq(nfc, ltc_buf_str(&b)));
		if (nfc.n < 30000) {
			cut(nfc, SMS_GSM, &b8);
			cut(nfc, SMS_UCS2, &b8);
			cut(nfc, SMS_UCS2, &b16);
			plain(nfc);
		}
	}
	ltc_buf_done(&a);
	ltc_buf_done(&b);
	ltc_buf_done(&seven);
	return 0;
}
