/* test_text.c - text of short messages: NFC, rendering without diacritics, counting, segments, octets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <utf8proc.h>
#include "common/sms_text.h"

static const struct sms_budget udh8 = { 160, 153, 70, 67 }, udh16 = { 160, 152, 70, 66 };

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, strlen(s) };
}

/* Result of the last call, until the next one. */
static struct ltc_buf out;

static const char *plain(const char *s, enum sms_unmappable how)
{
	ltc_buf_init(&out, SMS_TEXT_MAX * 4);
	int rc = sms_plain(z(s), NULL, how, &out, NULL);
	static char kept[4096];
	(void)snprintf(kept, sizeof(kept), "%s", rc < 0 ? "(refused)" : out.p == NULL ? "" : out.p);
	ltc_buf_done(&out);
	return kept;
}

static struct sms_size measure(const char *s, const struct sms_budget *b, uint32_t reserved)
{
	struct sms_size r = { 0 };

	assert_int_equal(sms_measure(z(s), b, reserved, &r), 0);
	return r;
}

/* text repeated n times; freed by the caller. */
static char *times(const char *s, size_t n)
{
	char *p = malloc(strlen(s) * n + 1);

	p[0] = '\0';
	for (size_t i = 0, len = strlen(s); i < n; i++)
		memcpy(p + i * len, s, len + 1);
	return p;
}

static void vietnamese_without_diacritics_is_what_people_type(void **state)
{
	(void)state;
	assert_string_equal(plain("Từ ngày 01/12, BHXH thành phố Hồ Chí Minh", SMS_REJECT),
		"Tu ngay 01/12, BHXH thanh pho Ho Chi Minh");
	assert_string_equal(plain("đường Đặng Thuỳ Trâm – ðồng Ðà", SMS_REJECT),
		"duong Dang Thuy Tram - dong Da");
	assert_string_equal(plain("ẮẰẲẴẶẤẦẨẪẬẾỀỂỄỆỐỒỔỖỘỚỜỞỠỢỨỪỬỮỰÝỲỶỸỴ", SMS_REJECT),
		"AAAAAAAAAAEEEEEOOOOOOOOOOUUUUUYYYYY");
}

static void the_seven_letters_of_the_alphabet_are_stripped_too(void **state)
{
	(void)state;
	assert_string_equal(plain("à è é ì ò ù É", SMS_REJECT), "a e e i o u E");
}

static void decomposed_letters_are_stripped_as_composed_ones(void **state)
{
	(void)state;
	assert_string_equal(
		plain("tie\xcc\x82\xcc\x81ng Vie\xcc\xa3\xcc\x82t", SMS_REJECT), "tieng Viet");
}

static void punctuation_has_its_map(void **state)
{
	(void)state;
	assert_string_equal(plain("“a” „b‟ ‘c’ d–e—f−g … •h ·i", SMS_REJECT),
		"\"a\" \"b\" 'c' d-e-f-g ... -h -i");
	assert_string_equal(plain("a\xc2\xa0"
				  "b\xe2\x80\x89"
				  "c\xe3\x80\x80"
				  "d\xe2\x80\x8b"
				  "e\xef\xbb\xbf"
				  "f",
				    SMS_REJECT),
		"a b c def");
	assert_string_equal(plain("500.000 ₫ → 1 triệu", SMS_REJECT), "500.000 d -> 1 trieu");
	assert_string_equal(plain("25 m², 30 × 40", SMS_REJECT), "25 m2, 30 x 40");
}

static void signs_of_the_alphabet_stay(void **state)
{
	(void)state;
	assert_string_equal(plain("@ _ $ { } [ ] ~ \\ ^ | € £ ¥ §", SMS_REJECT),
		"@ _ $ { } [ ] ~ \\ ^ | € £ ¥ §");
}

static void what_has_no_rendering_is_refused_asked_or_dropped(void **state)
{
	struct lt_str bad = { NULL, 0 };

	(void)state;
	assert_string_equal(plain("xin chào 😀!", SMS_REJECT), "(refused)");
	assert_string_equal(plain("xin chào 😀!", SMS_QUESTION), "xin chao ?!");
	assert_string_equal(plain("xin chào 😀!", SMS_DROP), "xin chao !");
	assert_string_equal(plain("中", SMS_QUESTION), "?");
	assert_string_equal(plain("a\x01"
				  "b",
				    SMS_REJECT),
		"(refused)");
	ltc_buf_init(&out, 100);
	assert_int_equal(sms_plain(z("ab😀"), NULL, SMS_REJECT, &out, &bad), -EINVAL);
	assert_int_equal(bad.n, 4);
	assert_memory_equal(bad.p, "😀", 4);
	ltc_buf_done(&out);
}

static void protected_words_stay_as_the_list_says(void **state)
{
	static const struct sms_word list[] = { { { "Đắk Lắk", 11 }, { "Dak Lak", 7 } },
		{ { "Café", 5 }, { "Café", 5 } }, { { "đ", 2 }, { "dong", 4 } } };
	struct sms_words w = { .list = list, .n = 3 };

	(void)state;
	sms_words_index(&w);
	ltc_buf_init(&out, 4000);
	assert_int_equal(sms_plain(z("Tỉnh Đắk Lắk, Café Đắk Lắkx, 5 đ, đường 5đ"), &w, SMS_REJECT,
				 &out, NULL),
		0);
	assert_string_equal(out.p, "Tinh Dak Lak, Café Dak Lakx, 5 dong, duong 5d");
	char *long_text = times("một hai ba bốn năm Café sáu bảy tám ", 60);
	char *want = times("mot hai ba bon nam Café sau bay tam ", 60);
	assert_int_equal(sms_plain(z(long_text), &w, SMS_REJECT, &out, NULL), 0);
	assert_string_equal(out.p, want);
	free(long_text);
	free(want);
	ltc_buf_done(&out);
}

/* Each character of the table against utf8proc: decomposition without marks, where that is one ASCII letter. */
static void the_table_agrees_with_unicode(void **state)
{
	size_t letters = 0;

	(void)state;
	for (int cp = 0xa0; cp < 0x2300; cp++) {
		utf8proc_int32_t d[10];
		utf8proc_uint8_t u[5] = { 0 };
		char want[2] = { 0 };
		int last = 0;
		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		utf8proc_ssize_t n = utf8proc_decompose_char(
			cp, d, 10, UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK, &last);
		if (n != 1 || d[0] == cp || d[0] > 'z' ||
			!((d[0] >= 'a') || (d[0] >= 'A' && d[0] <= 'Z')))
			continue;
		want[0] = (char)d[0];
		(void)utf8proc_encode_char(cp, u);
		assert_string_equal(plain((const char *)u, SMS_REJECT), want);
		letters++;
	}
	assert_true(letters > 300);
}

/* sms_nfc of every single character and of every base with every Vietnamese mark, against utf8proc. */
static void nfc_is_that_of_utf8proc(void **state)
{
	static const int marks[] = { 0x300, 0x301, 0x302, 0x303, 0x306, 0x309, 0x31b, 0x323 };

	(void)state;
	ltc_buf_init(&out, 1000);
	for (int cp = 1; cp < 0x3100; cp++) {
		utf8proc_uint8_t u[16] = { 0 };
		utf8proc_ssize_t n = utf8proc_encode_char(cp, u);
		for (size_t m = 0; m < 9; m++) {
			utf8proc_ssize_t len = n;
			if (m > 0)
				len += utf8proc_encode_char(marks[m - 1], u + n);
			u[len] = 0;
			utf8proc_uint8_t *want = utf8proc_NFC(u);
			assert_int_equal(
				sms_nfc((struct lt_str){ (char *)u, (size_t)len }, &out), 0);
			assert_string_equal(out.p, (char *)want);
			free(want);
		}
	}
	ltc_buf_done(&out);
}

static void decomposed_vietnamese_is_counted_composed(void **state)
{
	struct sms_render r = {
		.form = SMS_FORM_ACCENTED, .unicode_allowed = true, .budget = udh8
	};
	struct ltc_buf tmp;
	struct sms_size size;

	(void)state;
	ltc_buf_init(&out, 1000);
	ltc_buf_init(&tmp, 1000);
	assert_int_equal(sms_render(z("tie\xcc\x82\xcc\x81ng"), &r, &out, &tmp, &size, NULL), 0);
	assert_string_equal(out.p, "tiếng");
	assert_int_equal(size.units, 5);
	assert_int_equal(size.coding, SMS_UCS2);
	ltc_buf_done(&out);
	ltc_buf_done(&tmp);
}

static void segments_are_160_and_153_septets_or_70_and_67_units(void **state)
{
	static const struct {
		const char *one;
		size_t n;
		uint32_t segments;
	} rows[] = { { "a", 160, 1 }, { "a", 161, 2 }, { "a", 306, 2 }, { "a", 307, 3 },
		{ "a", 459, 3 }, { "a", 612, 4 }, { "a", 613, 5 }, { "ế", 70, 1 }, { "ế", 71, 2 },
		{ "ế", 134, 2 }, { "ế", 135, 3 }, { "ế", 201, 3 }, { "ế", 268, 4 }, { "ế", 269, 5 },
		{ "€", 80, 1 }, { "€", 81, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *s = times(rows[i].one, rows[i].n);
		assert_int_equal(measure(s, &udh8, 0).segments, rows[i].segments);
		free(s);
	}
	char *s = times("a", 305);
	assert_int_equal(measure(s, &udh16, 0).segments, 3);
	free(s);
	assert_int_equal(measure("", &udh8, 0).segments, 1);
}

static void gsm_text_with_euro_at_153_is_never_parted_within_the_escape_pair(void **state)
{
	struct sms_cut cut[4];
	char text[400] = { 0 };

	(void)state;
	memset(text, 'a', 152); /* the escape would be septet 153, its code 154 */
	memcpy(text + 152, "€", 3);
	memset(text + 155, 'b', 60);
	assert_int_equal(measure(text, &udh8, 0).units, 214);
	assert_int_equal(sms_split(z(text), SMS_GSM, &udh8, 0, cut, 4), 2);
	assert_int_equal(cut[0].units, 152);
	assert_int_equal(cut[1].units, 62);
	assert_int_equal(cut[1].at, 152);
	uint8_t octets[200];
	size_t n;
	assert_int_equal(
		sms_encode_gsm((struct lt_str){ text + cut[1].at, cut[1].n }, octets, 200, &n), 0);
	assert_int_equal(n, 62);
	assert_int_equal(octets[0], 0x1b);
	assert_int_equal(octets[1], 0x65);
	/* And the count follows the greedy fill, not the division: 305 septets, but one is lost. */
	memset(text + 155, 'b', 152);
	assert_int_equal(measure(text, &udh8, 0).units, 306);
	assert_int_equal(measure(text, &udh8, 0).segments, 3);
}

static void three_ucs2_segments_with_emoji_on_the_border_keep_the_pair(void **state)
{
	char *a = times("ế", 66), text[1000];
	struct sms_cut cut[4];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s😀%s😀%s", a, a, "x");
	assert_int_equal(sms_split(z(text), SMS_UCS2, &udh8, 0, cut, 4), 3);
	assert_int_equal(cut[0].units, 66); /* the pair would have been units 67 and 68 */
	assert_int_equal(cut[1].units, 67); /* pair, 65 letters; the last letter moves on */
	for (int i = 0; i < 3; i++) {
		uint8_t o[200];
		size_t n;
		assert_int_equal(
			sms_encode_ucs2((struct lt_str){ text + cut[i].at, cut[i].n }, o, 140, &n),
			0);
		assert_int_equal(n, cut[i].units * 2);
		assert_true((o[0] & 0xfc) != 0xdc);     /* starts with no low half */
		assert_true((o[n - 2] & 0xfc) != 0xd8); /* ends with no high half */
	}
	assert_int_equal(cut[2].at + cut[2].n, strlen(text));
	free(a);
}

static void a_base_keeps_its_combining_mark(void **state)
{
	char *a = times("ế", 66), text[1000];
	struct sms_cut cut[4];

	(void)state;
	(void)snprintf(text, sizeof(text), "%sx\xcc\xa7\xcc\xb1%s", a,
		a); /* x with two marks: no composed form */
	assert_int_equal(sms_split(z(text), SMS_UCS2, &udh8, 0, cut, 4), 3);
	assert_int_equal(cut[0].units, 66);
	assert_memory_equal(text + cut[1].at, "x\xcc\xa7\xcc\xb1", 5);
	(void)snprintf(text, sizeof(text), "%s👩🏽‍⚕️%s", a,
		a); /* a picture of four characters joined */
	assert_int_equal(sms_split(z(text), SMS_UCS2, &udh8, 0, cut, 4), 3);
	assert_int_equal(cut[0].units, 66);
	free(a);
}

static void a_cluster_longer_than_a_segment_is_parted_between_characters(void **state)
{
	char *marks = times("\xcc\xb1", 300), *text = malloc(1000);
	struct sms_cut cut[20];
	uint32_t units = 0;

	(void)state;
	(void)snprintf(text, 1000, "x%s", marks);
	int n = sms_split(z(text), SMS_UCS2, &udh8, 0, cut, 20);
	assert_int_equal(n, 5);
	for (int i = 0; i < n; i++) {
		assert_true(cut[i].units <= 67);
		units += cut[i].units;
	}
	assert_int_equal(units, 301);
	free(marks);
	free(text);
}

static void reserved_units_count_at_the_start(void **state)
{
	char *s = times("a", 122), *t = times("a", 268);
	struct sms_cut cut[4];

	(void)state;
	assert_int_equal(measure(s, &udh8, 38).segments, 1);
	assert_int_equal(measure(t, &udh8, 38).segments, 2);
	assert_int_equal(sms_split(z(t), SMS_GSM, &udh8, 38, cut, 4), 2);
	assert_int_equal(cut[0].units, 115);
	assert_int_equal(cut[1].units, 153);
	struct sms_size size;
	assert_int_equal(sms_measure(z(s), &udh8, 70, &size), -EINVAL);
	free(s);
	free(t);
}

static void shortest_takes_the_accented_text_only_when_it_costs_nothing(void **state)
{
	struct sms_render r = {
		.form = SMS_FORM_SHORTEST, .unicode_allowed = true, .budget = udh8
	};
	struct ltc_buf tmp;
	struct sms_size size;
	char *s = times("Điện Biên ", 8);

	(void)state;
	ltc_buf_init(&out, 1000);
	ltc_buf_init(&tmp, 1000);
	assert_int_equal(sms_render(z("Điện Biên"), &r, &out, &tmp, &size, NULL), 0);
	assert_string_equal(out.p, "Điện Biên");
	assert_int_equal(size.coding, SMS_UCS2);
	assert_int_equal(sms_render(z(s), &r, &out, &tmp, &size, NULL), 0);
	assert_memory_equal(out.p, "Dien Bien ", 10);
	assert_int_equal(size.segments, 1);
	assert_int_equal(size.units, 80);
	r.unicode_allowed = false;
	assert_int_equal(sms_render(z("Điện Biên"), &r, &out, &tmp, &size, NULL), 0);
	assert_string_equal(out.p, "Dien Bien");
	r.unicode_allowed =
		true; /* a picture has no plain form: the accented text is all there is */
	assert_int_equal(sms_render(z("Điện 😀"), &r, &out, &tmp, &size, NULL), 0);
	assert_string_equal(out.p, "Điện 😀");
	assert_int_equal(size.units, 7);
	r.form = SMS_FORM_ACCENTED;
	r.unicode_allowed = false;
	struct lt_str bad;
	assert_int_equal(sms_render(z("è Điện"), &r, &out, &tmp, &size, &bad), -EINVAL);
	assert_memory_equal(bad.p, "Đ", 2);
	free(s);
	ltc_buf_done(&out);
	ltc_buf_done(&tmp);
}

/* Whatever the way (division, fast count, walk), cuts cover the text once, none is over its budget, none could take the next one. */
static void cuts_cover_every_text_and_agree_with_the_count(void **state)
{
	static const char *const parts[] = { "a", "ế", "€", "^", "😀", "x\xcc\xb1", "à", " ", "…",
		"12345678901234567890" };
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[3000];
		struct sms_cut cut[64];
		struct sms_size size;
		size_t n = 0, kinds = 1 + (size_t)round % 10, count = (size_t)round % 400;
		text[0] = '\0';
		for (size_t i = 0; i < count && n < 2900; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s", parts[(seed >> 33) % kinds]);
		}
		struct lt_str s = { text, n };
		assert_int_equal(sms_measure(s, &udh8, 0, &size), 0);
		int k = sms_split(s, size.coding, &udh8, 0, cut, 64);
		assert_int_equal(k, size.segments);
		uint32_t at = 0, units = 0;
		for (int i = 0; i < k; i++) {
			assert_int_equal(cut[i].at, at);
			assert_true(
				cut[i].units <= (k == 1 ? (size.coding == SMS_GSM ? 160u : 70u)
							: (size.coding == SMS_GSM ? 153u : 67u)));
			struct sms_size one;
			assert_int_equal(sms_measure((struct lt_str){ text + cut[i].at, cut[i].n },
						 &udh8, 0, &one),
				0);
			if (one.coding == size.coding)
				assert_int_equal(one.units, cut[i].units);
			at += cut[i].n;
			units += cut[i].units;
		}
		assert_int_equal(at, n);
		assert_int_equal(units, size.units);
	}
}

static void broken_utf8_is_refused_everywhere(void **state)
{
	static const char *const bad[] = {
		"\x80", "a\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xff", "\xe1\xba",
		"\xe1\xba"
		"a",
		"\xf0\x9f\x98",
		"abc\x80\x80\x80"
		"def",
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
	};
	static const char filler[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789";
	struct sms_render r = {
		.form = SMS_FORM_SHORTEST, .unicode_allowed = true, .budget = udh8, .how = SMS_DROP
	};
	struct ltc_buf tmp;
	struct sms_size size;
	struct sms_cut cut[9];
	uint8_t octets[600];
	size_t n;

	(void)state;
	ltc_buf_init(&out, 1000);
	ltc_buf_init(&tmp, 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t k = 0; k < sizeof(filler); k++) {
			char text[300];
			(void)snprintf(text, sizeof(text), "%s%s", filler + k, bad[i]);
			struct lt_str s = z(text);
			assert_int_equal(sms_nfc(s, &out), -EILSEQ);
			assert_int_equal(sms_plain(s, NULL, SMS_DROP, &out, NULL), -EILSEQ);
			assert_int_equal(sms_measure(s, &udh8, 0, &size), -EILSEQ);
			assert_int_equal(sms_split(s, SMS_UCS2, &udh8, 0, cut, 9), -EILSEQ);
			assert_int_equal(sms_render(s, &r, &out, &tmp, &size, NULL), -EILSEQ);
			assert_int_equal(sms_encode_ucs2(s, octets, sizeof(octets), &n), -EILSEQ);
			assert_int_not_equal(sms_encode_gsm(s, octets, sizeof(octets), &n), 0);
		}
	ltc_buf_done(&out);
	ltc_buf_done(&tmp);
}

static void ten_thousand_characters_are_counted_and_70000_bytes_refused(void **state)
{
	char *s = times("ế", 10000), *t = times("a", 70000);
	struct sms_cut cut[255];
	struct sms_size size;

	(void)state;
	assert_int_equal(measure(s, &udh8, 0).segments, 150);
	assert_int_equal(sms_split(z(s), SMS_UCS2, &udh8, 0, cut, 255), 150);
	assert_int_equal(sms_split(z(s), SMS_UCS2, &udh8, 0, cut, 100), -E2BIG);
	assert_int_equal(sms_measure(z(t), &udh8, 0, &size), -E2BIG);
	free(s);
	free(t);
}

static void octets_go_there_and_back(void **state)
{
	static const char all[] =
		"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
		"\f^{}\\[~]|€";
	static const char uni[] = "Từ 😀 ế";
	uint8_t o[300], packed[300], back[300];
	size_t n;

	(void)state;
	ltc_buf_init(&out, 4000);
	assert_int_equal(sms_encode_gsm(z(all), o, sizeof(o), &n), 0);
	assert_int_equal(n, 127 + 20);
	assert_int_equal(o[0], 0);
	sms_decode_gsm(o, n, &out);
	assert_string_equal(out.p, all);
	for (unsigned int fill = 0; fill < 7; fill++) {
		size_t bytes = sms_pack7(o, n, fill, packed, sizeof(packed));
		assert_int_equal(bytes, (n * 7 + fill + 7) / 8);
		assert_int_equal(sms_unpack7(packed, bytes, fill, n, back), n);
		assert_memory_equal(back, o, n);
	}
	assert_int_equal(
		sms_encode_gsm(z("`"), o, sizeof(o), &n), -EINVAL); /* there is no backtick */
	assert_int_equal(sms_encode_gsm(z("€"), o, 1, &n), -E2BIG);
	ltc_buf_reset(&out);
	assert_int_equal(sms_encode_ucs2(z(uni), o, sizeof(o), &n), 0);
	assert_int_equal(n, 14);
	sms_decode_ucs2(o, n, &out);
	assert_string_equal(out.p, uni);
	ltc_buf_reset(&out);
	sms_decode_ucs2((const uint8_t *)"\xd8\x3d\x00"
					 "a\xde\x00\x00",
		7, &out); /* lone halves, odd length */
	assert_string_equal(out.p,
		"\xef\xbf\xbd"
		"a\xef\xbf\xbd\xef\xbf\xbd");
	ltc_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vietnamese_without_diacritics_is_what_people_type),
		cmocka_unit_test(the_seven_letters_of_the_alphabet_are_stripped_too),
		cmocka_unit_test(decomposed_letters_are_stripped_as_composed_ones),
		cmocka_unit_test(punctuation_has_its_map),
		cmocka_unit_test(signs_of_the_alphabet_stay),
		cmocka_unit_test(what_has_no_rendering_is_refused_asked_or_dropped),
		cmocka_unit_test(protected_words_stay_as_the_list_says),
		cmocka_unit_test(the_table_agrees_with_unicode),
		cmocka_unit_test(nfc_is_that_of_utf8proc),
		cmocka_unit_test(decomposed_vietnamese_is_counted_composed),
		cmocka_unit_test(segments_are_160_and_153_septets_or_70_and_67_units),
		cmocka_unit_test(gsm_text_with_euro_at_153_is_never_parted_within_the_escape_pair),
		cmocka_unit_test(three_ucs2_segments_with_emoji_on_the_border_keep_the_pair),
		cmocka_unit_test(a_base_keeps_its_combining_mark),
		cmocka_unit_test(a_cluster_longer_than_a_segment_is_parted_between_characters),
		cmocka_unit_test(reserved_units_count_at_the_start),
		cmocka_unit_test(shortest_takes_the_accented_text_only_when_it_costs_nothing),
		cmocka_unit_test(cuts_cover_every_text_and_agree_with_the_count),
		cmocka_unit_test(broken_utf8_is_refused_everywhere),
		cmocka_unit_test(ten_thousand_characters_are_counted_and_70000_bytes_refused),
		cmocka_unit_test(octets_go_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
