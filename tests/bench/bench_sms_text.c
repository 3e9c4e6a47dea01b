/* bench_sms_text.c - rendering and segmentation of Vietnamese short messages of 200 characters, on one core.
 * usage: bench_sms_text [TEXTS]. Prints one JSON line: texts a second for each way.
 *   accented: NFC, measure, segments; plain: NFC, rendering without diacritics, measure, segments; shortest: both, and the choice.
 * Failures: a message and exit 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "common/sms_text.h"

#define TEXTS 64
#define CHARS 200

static const char source[] =
	"Từ ngày 01/12/2026, người tham gia BHXH tự nguyện tại Điện Biên được hỗ trợ thêm mức đóng; mọi thắc mắc xin liên hệ "
	"cơ quan BHXH nơi cư trú hoặc gọi số trực 0200 000 035. Đề nghị kiểm tra thông tin trước khi đến làm thủ tục, mang theo "
	"thẻ căn cước và sổ BHXH; việc giải quyết hoàn toàn miễn phí, không thu bất cứ khoản tiền nào qua điện thoại. ";

static char texts[TEXTS][CHARS * 4];
static struct lt_str text[TEXTS];

static void make_texts(void)
{
	size_t at = 0, len = strlen(source);

	for (int i = 0; i < TEXTS; i++) {
		size_t n = 0, chars = 0;
		while (chars < CHARS) {
			do
				texts[i][n++] = source[at++ % len];
			while (((unsigned char)source[at % len] & 0xc0) == 0x80);
			chars++;
		}
		text[i] = (struct lt_str){ texts[i], n };
		at += 7;
		while (((unsigned char)source[at % len] & 0xc0) == 0x80)
			at++;
	}
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ltc_buf out, tmp;

static uint64_t one(struct lt_str in, enum sms_form form)
{
	struct sms_render r = { .form = form, .unicode_allowed = true, .budget = SMS_BUDGET_UDH8 };
	struct sms_cut cuts[16];
	struct sms_size size;
	int rc = sms_render(in, &r, &out, &tmp, &size, NULL);

	if (rc == 0)
		rc = sms_cuts(ltc_buf_str(&out), &size, &r.budget, 0, cuts, 16);
	if (rc <= 0) {
		fprintf(stderr, "bench_sms_text: a text failed (%d)\n", rc);
		exit(1);
	}
	return (uint64_t)rc + size.units + cuts[rc - 1].at;
}

int main(int argc, char **argv)
{
	static const char *const ways[] = { "accented", "plain", "shortest" };
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	uint64_t sum = 0;

	ltc_buf_init(&out, SMS_TEXT_MAX);
	ltc_buf_init(&tmp, SMS_TEXT_MAX);
	make_texts();
	printf("{\"chars\":%d,\"texts\":%ld", CHARS, count);
	for (int w = 0; w < 3; w++) {
		double t = now();
		for (long i = 0; i < count; i++)
			sum += one(text[i % TEXTS], (enum sms_form)(w + 1));
		t = now() - t;
		printf(",\"%s\":%.0f", ways[w], (double)count / t);
	}
	printf(",\"sum\":%llu}\n", (unsigned long long)sum);
	ltc_buf_done(&out);
	ltc_buf_done(&tmp);
	return 0;
}
