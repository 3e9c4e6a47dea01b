/* test_bundle_files.c - the files of a bundle are what the release says of them: pictures, attachments, videos. */
#include "bundlescene.h"

static void a_picture_that_is_no_picture_is_refused(void **state)
{
	struct place *pl = *state;
	unsigned char png[64];
	size_t n = make_png(png, 4, 4);
	const char *text = FRONT
		"cover: {file: cover.png, alt: Bìa}\nimages:\n  - {file: a.jpg, alt: Một}\n---\nThân.\n";
	put(pl, "release.md", text, strlen(text));
	put(pl, "cover.png", png, n);
	put(pl, "a.jpg", "<html>404</html>", 16);
	load_refused(pl, 8, "image", "'a.jpg' is no picture (text/plain)");
	put(pl, "a.jpg", "", 0);
	load_refused(pl, 8, "image", "'a.jpg' is empty");
	put(pl, "a.jpg", "\xff\xd8\xff\xe0\0\4ab", 8);
	load_refused(pl, 8, "image", "the file is damaged");
	put(pl, "a.jpg", png, n); /* a picture, by another name */
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	struct release_doc *d = load(pl, &p);
	assert_non_null(problem_find(
		&p, PROBLEM_WARNING, "'a.jpg' is image/png, which its name does not say"));
	release_doc_free(d);
}

static void pictures_that_are_too_large_are_refused_unread(void **state)
{
	struct place *pl = *state;
	unsigned char png[64];
	char path[600];
	const char *text = FRONT "images:\n  - {file: a.png, alt: Một}\n---\nThân.\n";
	put(pl, "release.md", text, strlen(text));
	size_t n = make_png(png, 20000, 20000);
	put(pl, "a.png", png, n);
	load_refused(pl, 7, "image", "20000 x 20000 pixels; at most 100 million");
	n = make_png(png, 4, 4);
	put(pl, "a.png", png, n);
	(void)snprintf(path, sizeof(path), "%s/a.png", pl->dir);
	assert_int_equal(truncate(path, 200L * 1000 * 1000), 0); /* sparse */
	load_refused(pl, 7, "image", "has 200000000 bytes; one file may have at most 67108864");
}

/* Telephones name it .jpg when it is sent on; some brands were taken for a film. */
static void a_picture_in_the_format_of_telephones_is_called_by_its_name(void **state)
{
	struct place *pl = *state;
	static const char heic[] = "\0\0\0\x18"
				   "ftypheic\0\0\0\0mif1heic",
			  heix[] = "\0\0\0\x18"
				   "ftypheix\0\0\0\0mif1heix";
	const char *text = FRONT "images:\n  - {file: a.jpg, alt: Một}\n---\nThân.\n",
		   *film = FRONT "video: c.mp4\n---\nThân.\n";
	put(pl, "release.md", text, strlen(text));
	put(pl, "a.jpg", heic, sizeof(heic) - 1);
	load_refused(pl, 7, "image", "(HEIC, AVIF), whatever its name says; save it as JPEG");
	put(pl, "release.md", film, strlen(film));
	put(pl, "c.mp4", heix, sizeof(heix) - 1);
	load_refused(pl, 6, "video", "(HEIC, AVIF)");
}

/* A picture that was worked on for long carries megabytes of history before its frame header. */
static void a_photograph_with_much_beside_it_has_its_size(void **state)
{
	struct place *pl = *state;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	struct buf b CLEANUP_BUF;
	static char segment[65537];
	const char *text = FRONT "images:\n  - {file: a.jpg, alt: Một}\n---\nThân.\n";
	buf_init(&b, 4u << 20);
	memcpy(segment, "\xff\xe1\xff\xff", 4); /* 65,535 bytes with the length itself */
	buf_add(&b, "\xff\xd8", 2);
	for (int i = 0; i < 40; i++)
		buf_add(&b, segment, sizeof(segment));
	buf_add(&b, "\xff\xc2\0\x11\x08\x04\x38\x07\x80\3\1\2\3\0\0\0\0\0\0", 19);
	buf_add(&b, "\xff\xd9", 2);
	put(pl, "release.md", text, strlen(text));
	put(pl, "a.jpg", b.p, b.n);
	struct release_doc *d = load(pl, &p);
	assert_int_equal(d->assets[0].width, 1920);
	assert_int_equal(d->assets[0].height, 1080);
	release_doc_free(d);
	put(pl, "a.jpg", b.p, b.n - 100000); /* cut off before it */
	load_refused(pl, 7, "image", "the file is damaged");
	memcpy(b.p + b.n - 21, "text", 4); /* no segment where one should be */
	put(pl, "a.jpg", b.p, b.n);
	load_refused(pl, 7, "image", "the file is damaged");
}

/* A mail carries it as it is; who opens it sees nothing. */
static void what_only_begins_like_a_picture_is_refused(void **state)
{
	struct place *pl = *state;
	static const char text[] = FRONT "images:\n  - {file: a.png, alt: Một}\n---\nThân.\n";
#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\7\x80\0\0\4\x38\x08\2\0\0\0\0\0\0\0"
	static const struct {
		struct str bytes;
		bool taken, warned;
	} rows[] = {
		{ STR(PNG_HEAD "this is no picture at all"
			       "\0\0\0\0IEND\xae\x42\x60\x82"),
			false, false },
		{ STR("GIF89a\5\0\5\0\0\0\0hello"), false, false },
		{ STR(PNG_HEAD "\0\0\0\3IDATabc\0\0\0\0\0\0\0\0IEND\xae\x42\x60\x82"), true,
			false },
		{ STR(PNG_HEAD "\0\0\1\0IDATabc\0\0\0\0\0\0\0\0IEND\xae\x42\x60\x82"), true, true },
		{ STR("GIF89a\5\0\5\0\0\0\0\x21\xf9"), true, true },
	};
	put(pl, "release.md", text, strlen(text));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct content_problems p CLEANUP_PROBLEMS = { 0 };
		put(pl, "a.png", rows[i].bytes.p, rows[i].bytes.n);
		if (!rows[i].taken) {
			load_refused(pl, 7, "image", "the file is damaged");
			continue;
		}
		release_doc_free(load(pl, &p));
		assert_true((problem_find(&p, PROBLEM_WARNING, "has no end") != NULL) ==
			rows[i].warned);
	}
}

/* Renditions lose it, but a mail carries the file as it is. */
static void a_photograph_that_tells_its_place_is_warned_of(void **state)
{
	struct place *pl = *state;
	const char *text = FRONT "images:\n  - {file: a.jpg, alt: Một}\n---\nThân.\n";
#define EXIF_OF(tag, order, star, at, n)                              \
	"\xff\xd8\xff\xe1\0\x22"                                      \
	"Exif\0\0" order star at n tag "\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\xff\xc0\0\x11\x08\x04\x38\x07\x80\3\1\2\3\0\0\0\0\0\0\xff\xd9"
	static const struct {
		struct str bytes;
		bool place;
	} rows[] = {
		{ STR(EXIF_OF("\x25\x88", "II", "*\0", "\x08\0\0\0", "\1\0")), true },
		{ STR(EXIF_OF("\x88\x25", "MM", "\0*", "\0\0\0\x08", "\0\1")), true },
		{ STR(EXIF_OF("\x12\1", "II", "*\0", "\x08\0\0\0", "\1\0")), false },
		{ STR(EXIF_OF("\x25\x88", "II", "*\0", "\xff\xff\xff\xff", "\1\0")), false },
		{ STR(EXIF_OF("\x25\x88", "XX", "*\0", "\x08\0\0\0", "\1\0")), false },
	};
	put(pl, "release.md", text, strlen(text));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct content_problems p CLEANUP_PROBLEMS = { 0 };
		put(pl, "a.jpg", rows[i].bytes.p, rows[i].bytes.n);
		struct release_doc *d = load(pl, &p);
		assert_int_equal(d->assets[0].width, 1920);
		assert_int_equal(
			problem_find(&p, PROBLEM_WARNING, "the place where it was taken") != NULL,
			rows[i].place);
		release_doc_free(d);
	}
}

static void attachments_and_videos_are_what_they_say(void **state)
{
	struct place *pl = *state;
	const char *text = FRONT
		"attachments: [a.pdf, b.bin]\nvideo: {file: c.mp4, captions: c.vtt}\n---\nThân.\n";
	put(pl, "release.md", text, strlen(text));
	put(pl, "a.pdf", "%PDF-1.7", 8);
	put(pl, "b.bin", "\0\1\2\3", 4);
	put(pl, "c.mp4",
		"\0\0\0\x18"
		"ftypisom",
		12);
	put(pl, "c.vtt", "WEBVTT\n", 7);
	load_refused(pl, 6, "attachment", "'b.bin' is of no known type");
	put(pl, "b.bin", "text", 4);
	put(pl, "c.mp4", "%PDF-1.7", 8);
	load_refused(pl, 7, "video", "is no MP4 video");
	put(pl, "c.mp4",
		"\0\0\0\x18"
		"ftypisom",
		12);
	put(pl, "c.vtt", "hello", 5);
	load_refused(pl, 7, "captions", "has no subtitles");
	put(pl, "c.vtt", "WEBVTT\n", 7);
	put(pl, "unused.txt", "x", 1);
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	struct release_doc *d = load(pl, &p);
	assert_non_null(problem_find(&p, PROBLEM_WARNING,
		"'unused.txt' is in the bundle, but the release does not name it"));
	assert_string_equal(d->assets[0].type, "application/pdf");
	release_doc_free(d);
}

static void the_same_picture_twice_is_warned_of(void **state)
{
	struct place *pl = *state;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	unsigned char png[64];
	size_t n = make_png(png, 4, 4);
	const char *text = FRONT "images:\n  - {file: a.png, alt: Một}\n  - b.png\n---\nThân.\n";
	put(pl, "release.md", text, strlen(text));
	put(pl, "a.png", png, n);
	put(pl, "b.png", png, n);
	struct release_doc *d = load(pl, &p);
	assert_non_null(problem_find(&p, PROBLEM_WARNING, "'b.png' is the same file as 'a.png'"));
	assert_int_equal(problem_find(&p, PROBLEM_WARNING, "'b.png' has no alt text")->line, 8);
	release_doc_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_picture_that_is_no_picture_is_refused),
		T(what_only_begins_like_a_picture_is_refused),
		T(pictures_that_are_too_large_are_refused_unread),
		T(a_picture_in_the_format_of_telephones_is_called_by_its_name),
		T(a_photograph_with_much_beside_it_has_its_size),
		T(a_photograph_that_tells_its_place_is_warned_of),
		T(attachments_and_videos_are_what_they_say),
		T(the_same_picture_twice_is_warned_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
