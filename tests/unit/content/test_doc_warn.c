/* test_doc_warn.c - what editors fear is found where it stands, and not where it does not. Also: what a file is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/assert.h"
#include "content/doc_internal.h"
#include "content/image_head.h"

static void warned(const char *text, const char *says, int line)
{
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	doc_warn_text(&p, "release.md", 10, "", str_of(text));
	const struct content_problem *f = problem_find(&p, PROBLEM_WARNING, says);
	if (f == NULL)
		fail_msg("'%s': no warning '%s'", text, says);
	assert_int_equal(f->line, line);
	assert_int_equal(p.errors, 0);
}

static void silent(const char *text)
{
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	doc_warn_text(&p, "release.md", 1, "", str_of(text));
	if (p.n > 0)
		fail_msg("'%s': %s", text, p.v[0].text);
}

static void stamps_of_drafts_and_secrets_are_found(void **state)
{
	(void)state;
	warned("Một\nDỰ THẢO lần 2", "DỰ THẢO", 11);
	warned("(DỰ THẢO)", "DỰ THẢO", 10);
	warned("x\n\nMẬT\n", "MẬT", 12);
	warned("TỐI MẬT", "MẬT", 10);
	warned("**TUYỆT MẬT**", "MẬT", 10);
	warned("TÀI LIỆU MẬT", "MẬT", 10);
	warned("ĐỘ MẬT: B", "MẬT", 10);
	warned("LƯU HÀNH NỘI BỘ", "LƯU HÀNH NỘI BỘ", 10);
	warned("a\nLưu hành nội bộ", "LƯU HÀNH NỘI BỘ", 11);
}

static void words_that_only_hold_the_stamp_are_left_alone(void **state)
{
	(void)state;
	silent("Luật Bảo vệ bí mật nhà nước; góp ý dự thảo Luật BHXH");
	silent("BẢO MẬT THÔNG TIN CÁ NHÂN");
	silent("BÍ MẬT");
	silent("ĐỔI MẬT KHẨU VssID");
	silent("MẬT ONG, MẬT ĐỘ DÂN SỐ");
	silent("mật ong bạc hà");
	silent("");
}

static void placeholders_are_found(void **state)
{
	(void)state;
	warned("số xxx/BHXH", "xxx", 10);
	warned("a\nb\nxxxx", "xxx", 12);
	warned("0900xxx123", "xxx", 10);
	warned("ngày ??? tháng", "???", 10);
	silent("Quốc hội khóa XXXI; có thật không??; maxxxing");
}

static void old_encodings_are_found(void **state)
{
	(void)state;
	warned("B¶o hiÓm x· héi ViÖt Nam th«ng b¸o vÒ viÖc chi tr¶ l­¬ng h­u", "TCVN3", 10);
	warned("Baûo hieåm xaõ hoäi Vieät Nam thoâng baùo veà vieäc chi traû löông höu ñôït naøy",
		"VNI", 10);
	warned("Báº£o hiá»ƒm xÃ£ há»™i Viá»‡t Nam thÃ´ng bÃ¡o", "UTF-8 that was read", 10);
	silent("Bảo hiểm xã hội Việt Nam thông báo về việc chi trả lương hưu đợt này: 37°C, 5 m², 100 km²/người, «trích», ½");
	silent("ĐIỆN BIÊN: HỖ TRỢ NGƯỜI DÂN MUA THẺ BHYT, ĐÃ XÃ HỘI HÓA, CHÃ, BÃ, LÃ");
}

static void a_wrong_weekday_is_told_with_the_right_one(void **state)
{
	(void)state;
	warned("Một\nThứ Hai, ngày 24/11/2026", "24/11/2026 is a Thứ Ba (Tuesday), not Thứ Hai",
		11);
	silent("Thứ Ba, ngày 24/11/2026");
}

static void warnings_of_one_sort_are_few(void **state)
{
	(void)state;
	struct content_problems p CLEANUP_PROBLEMS;
	struct buf b CLEANUP_BUF;
	problems_init(&p);
	buf_init(&b, 1u << 20);
	for (int i = 0; i < 1000; i++)
		(void)buf_addz(&b, "MẬT ??? xxx DỰ THẢO\n");
	doc_warn_text(&p, "release.md", 1, "", buf_str(&b));
	assert_int_equal(p.warnings, 20);
}

static void errors_push_warnings_out_of_a_full_list(void **state)
{
	(void)state;
	struct content_problems p CLEANUP_PROBLEMS;
	struct buf b CLEANUP_BUF;
	problems_init(&p);
	buf_init(&b, 1000);
	for (int i = 0; i < PROBLEMS_MAX + 50; i++)
		problem_add(&p, PROBLEM_WARNING, "a", i, "", "w%d", i);
	for (int i = 0; i < PROBLEMS_MAX + 50; i++)
		problem_add(&p, PROBLEM_ERROR, "b.md", i, "f", "e%d", i);
	assert_int_equal(p.n, PROBLEMS_MAX);
	assert_int_equal(p.errors, PROBLEMS_MAX + 50);
	assert_int_equal(p.warnings, PROBLEMS_MAX + 50);
	for (size_t i = 0; i < p.n; i++)
		assert_int_equal(p.v[i].severity, PROBLEM_ERROR);
	assert_int_equal(problem_print(&b, &p.v[7]), 0);
	assert_string_equal(buf_z(&b), "b.md:7: f: e7");
}

/* --- what a file is ---------------------------------------------------------------------------------------------------------- */

#define HEAD(bytes) ((struct str){ bytes, sizeof(bytes) - 1 })

static void files_are_known_by_their_first_bytes(void **state)
{
	(void)state;
	static const struct {
		struct str head;
		enum media_type type;
		uint32_t w, h;
	} rows[] = {
		{ { "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\7\x80\0\0\4\x38\x08\2\0\0\0\0\0\0\0", 33 },
			MEDIA_PNG, 1920, 1080 },
		{ { "GIF89a\x40\1\xf0\0\0\0\0", 13 }, MEDIA_GIF, 320, 240 },
		{ { "\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc2\0\x11\x08\x04\x38\x07\x80\3\1\2\3", 22 },
			MEDIA_JPEG, 1920, 1080 },
		{ { "RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\7\0\x37\4\0", 30 }, MEDIA_WEBP,
			1920, 1080 },
		{ { "RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x7f\xc7\x0d\1", 25 }, MEDIA_WEBP, 1920,
			1080 },
		{ { "RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\1\x2a\x80\7\x38\4", 30 }, MEDIA_WEBP,
			1920, 1080 },
		{ HEAD("%PDF-1.4"), MEDIA_PDF, 0, 0 },
		{ HEAD("PK\3\4....[Content_Types].xml....word/document.xml"), MEDIA_DOCX, 0, 0 },
		{ HEAD("PK\3\4....[Content_Types].xml....xl/workbook.xml"), MEDIA_XLSX, 0, 0 },
		{ HEAD("PK\3\4....a.txt"), MEDIA_ZIP, 0, 0 },
		{ HEAD("\0\0\0\x18"
		       "ftypisom...."),
			MEDIA_MP4, 0, 0 },
		{ HEAD("WEBVTT\n\n"), MEDIA_VTT, 0, 0 },
		{ HEAD("1\n00:00:01,000 --> 00:00:02,000\nx"), MEDIA_SRT, 0, 0 },
		{ HEAD("Chữ thường\n"), MEDIA_TEXT, 0, 0 },
		{ HEAD("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), MEDIA_OLE, 0, 0 },
		{ HEAD("\0\0\0\x18"
		       "ftypheic"),
			MEDIA_HEIF, 0, 0 },
		{ HEAD("\0\0\0\x18"
		       "ftypheix"),
			MEDIA_HEIF, 0, 0 },
		{ HEAD("\0\0\0\x1c"
		       "ftypmsf1"),
			MEDIA_HEIF, 0, 0 },
		{ HEAD("\x7f"
		       "ELF\2\1\1"),
			MEDIA_UNKNOWN, 0, 0 },
		{ HEAD("MZ\x90\0"), MEDIA_UNKNOWN, 0, 0 },
		{ { "", 0 }, MEDIA_UNKNOWN, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_head h;
		image_head_read(rows[i].head, &h);
		assert_int_equal(h.type, rows[i].type);
		assert_int_equal(h.width, rows[i].w);
		assert_int_equal(h.height, rows[i].h);
		assert_false(h.broken);
	}
}

static void a_picture_that_moves_is_told_from_a_still_one(void **state)
{
	(void)state;
#define SCREEN "GIF89a\1\0\1\0\x80\0\0\0\0\0\377\377\377"
#define FRAME  "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
#define NOTE   "\x21\xfe\3abc\0"
	assert_false(image_head_moves(HEAD(SCREEN FRAME ";")));
	assert_false(image_head_moves(HEAD(SCREEN NOTE FRAME NOTE ";")));
	assert_true(image_head_moves(HEAD(SCREEN NOTE FRAME NOTE FRAME ";")));
	assert_true(image_head_moves(HEAD(SCREEN "\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0" FRAME)));
	assert_true(image_head_moves(HEAD("RIFF....WEBPVP8X\x0a\0\0\0\x12\0\0\0\0\0\0\0\0\0")));
	assert_false(image_head_moves(HEAD("RIFF....WEBPVP8X\x0a\0\0\0\x10\0\0\0\0\0\0\0\0\0")));
	assert_false(image_head_moves(HEAD("\xff\xd8\xff\xe0")));
	static const char all[] = SCREEN NOTE FRAME NOTE FRAME ";";
	for (size_t n = 0; n < sizeof(all); n++) { /* cut anywhere, in memory of just that size */
		char *exact = malloc(n + 1);
		memcpy(exact, all, n);
		(void)image_head_moves((struct str){ exact, n });
		free(exact);
	}
}

static void a_head_cut_anywhere_is_read_without_harm(void **state)
{
	(void)state;
	static const char jpeg[] =
		"\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc2\0\x11\x08\x04\x38\x07\x80\3\1\2\3";
	for (size_t n = 0; n < sizeof(jpeg); n++) {
		char *exact = malloc(n + 1);
		struct image_head h;
		memcpy(exact, jpeg, n);
		image_head_read((struct str){ exact, n }, &h);
		assert_true(h.type == MEDIA_JPEG || h.type == MEDIA_UNKNOWN);
		assert_true(h.type != MEDIA_JPEG || h.broken || h.width == 1920);
		free(exact);
	}
	unsigned seed = 3;
	for (int round = 0; round < 3000; round++) {
		static const char *const starts[] = { "\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF89a",
			"RIFF1234WEBPVP8", "PK\3\4", "" };
		const char *start = starts[round % 6];
		size_t n = strlen(start) + (size_t)(round % 50);
		char *p = malloc(n + 1);
		struct image_head h;
		memcpy(p, start, strlen(start));
		for (size_t i = strlen(start); i < n; i++) {
			seed = seed * 1103515245u + 12345u;
			p[i] = (char)(seed >> 16);
		}
		image_head_read((struct str){ p, n }, &h);
		(void)image_head_moves((struct str){ p, n });
		(void)image_head_has_place((struct str){ p, n });
		assert_true(
			!media_is_picture(h.type) || h.broken == (h.width == 0 || h.height == 0));
		free(p);
	}
}

static void names_and_types_are_compared(void **state)
{
	(void)state;
	assert_true(media_fits_name(MEDIA_JPEG, STR("a.JPEG")));
	assert_false(media_fits_name(MEDIA_PNG, STR("a.jpg")));
	assert_true(media_fits_name(MEDIA_PNG, STR("a")));
	assert_true(media_fits_name(MEDIA_TEXT, STR("a.xyz")));
	assert_string_equal(media_type_name(MEDIA_UNKNOWN), "application/octet-stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_of_drafts_and_secrets_are_found),
		cmocka_unit_test(words_that_only_hold_the_stamp_are_left_alone),
		cmocka_unit_test(placeholders_are_found),
		cmocka_unit_test(old_encodings_are_found),
		cmocka_unit_test(a_wrong_weekday_is_told_with_the_right_one),
		cmocka_unit_test(warnings_of_one_sort_are_few),
		cmocka_unit_test(errors_push_warnings_out_of_a_full_list),
		cmocka_unit_test(files_are_known_by_their_first_bytes),
		cmocka_unit_test(a_picture_that_moves_is_told_from_a_still_one),
		cmocka_unit_test(a_head_cut_anywhere_is_read_without_harm),
		cmocka_unit_test(names_and_types_are_compared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
