/* test_bundle.c - folder to zip to staging to release, and every bundle that must be refused. Files below $TMPDIR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crypt.h"
#include "base/fault.h"
#include "base/file.h"
#include "content/bundle.h"

#define SAMPLE "config/examples/release-ttbc-112"
#define FRONT  "---\ncode: A-1\ntitle: Tin\nto: press\nchannels: [email]\n"
#define TEXT   FRONT "---\nThân bài.\n"

struct place {
	char root[200], zip[260], dir[260];
};

static void place_make(struct place *pl)
{
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(
		pl->root, sizeof(pl->root), "%s/lantoa-bundle-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(pl->root));
	(void)snprintf(pl->zip, sizeof(pl->zip), "%s/in", pl->root);
	(void)snprintf(pl->dir, sizeof(pl->dir), "%s/out", pl->root);
	assert_int_equal(mkdir(pl->dir, 0700), 0);
}

static int setup(void **state)
{
	struct place *pl = calloc(1, sizeof(*pl));
	assert_int_equal(crypt_init(), 0);
	place_make(pl);
	*state = pl;
	return 0;
}

static int teardown(void **state)
{
	struct place *pl = *state;
	int r = dir_remove_tree(pl->root);
	(void)rmdir(pl->root);
	free(pl);
	return r;
}

/* --- writing zips ---------------------------------------------------------------------------------------------------------- */

static locale_t utf8,
	before; /* the packer's, from zip_open to zip_close: the unpacker must do without */

static struct archive *zip_open(const struct place *pl)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	before = uselocale(utf8);
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_zip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(a, "zip:hdrcharset=UTF-8"), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, pl->zip), ARCHIVE_OK);
	return a;
}

static void zip_put(struct archive *a, const char *name, mode_t type, const void *p, size_t n)
{
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname_utf8(e, name);
	archive_entry_set_filetype(e, type);
	archive_entry_set_perm(e, 0644);
	if (type == AE_IFLNK) {
		archive_entry_set_symlink_utf8(e, p);
		n = strlen(p);
	}
	archive_entry_set_size(e, (la_int64_t)n);
	assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
	if (type == AE_IFREG)
		assert_int_equal(archive_write_data(a, p, n), n);
	archive_entry_free(e);
}

static void zip_text(struct archive *a, const char *name, const char *text)
{
	zip_put(a, name, AE_IFREG, text, strlen(text));
}

static void zip_close(struct archive *a)
{
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	(void)uselocale(before);
	freelocale(utf8);
}

static void zip_folder(struct archive *a, const char *folder, const char *prefix)
{
	DIR *d = opendir(folder);
	char path[600], name[600];
	struct stat st;
	assert_non_null(d);
	for (struct dirent *de = readdir(d); de != NULL; de = readdir(d)) {
		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, de->d_name);
		(void)snprintf(name, sizeof(name), "%s%s", prefix, de->d_name);
		assert_int_equal(stat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			strncat(name, "/", sizeof(name) - strlen(name) - 1);
			zip_put(a, name, AE_IFDIR, NULL, 0);
			zip_folder(a, path, name);
			continue;
		}
		struct buf b CLEANUP_BUF;
		buf_init(&b, 4u << 20);
		assert_int_equal(file_read(path, &b, NULL), 0);
		zip_put(a, name, AE_IFREG, b.p, b.n);
	}
	(void)closedir(d);
}

static void write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, p, n), 0);
	assert_int_equal(close(fd), 0);
}

static void put(const struct place *pl, const char *name, const void *p, size_t n)
{
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/%s", pl->dir, name);
	write_file(path, p, n);
}

static void unpack_refused(const struct place *pl, int code, const char *says)
{
	struct err e = { 0 };
	int r = bundle_unpack(pl->zip, "x.zip", pl->dir, NULL, &e);
	if (r != code || strstr(e.text, says) == NULL)
		fail_msg("wanted %d '%s', got %d '%s'", code, says, r, e.text);
}

/* A zip with one further entry is refused so. */
static void entry_refused(
	const struct place *pl, const char *name, mode_t type, const char *data, const char *says)
{
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", TEXT);
	zip_put(a, name, type, data, data == NULL ? 0 : strlen(data));
	zip_close(a);
	unpack_refused(pl, -EINVAL, says);
	assert_int_equal(dir_remove_tree(pl->dir), 0);
	(void)mkdir(pl->dir, 0700);
}

static struct release_doc *load(const struct place *pl, struct content_problems *p)
{
	struct release_doc *d = NULL;
	problems_init(p);
	if (bundle_load(pl->dir, NULL, &d, p) < 0) {
		for (size_t i = 0; i < p->n; i++)
			print_error("%s:%d: [%s] %s\n", p->v[i].file, p->v[i].line, p->v[i].field,
				p->v[i].text);
		fail_msg("refused");
	}
	return d;
}

static void load_refused(const struct place *pl, int line, const char *field, const char *says)
{
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(bundle_load(pl->dir, NULL, &d, &p), -EINVAL);
	assert_null(d);
	const struct content_problem *f = problem_find(&p, PROBLEM_ERROR, says);
	if (f == NULL)
		fail_msg("wanted '%s', got '%s'", says, p.n > 0 ? p.v[0].text : "nothing");
	assert_int_equal(f->line, line);
	assert_string_equal(f->field, field);
}

/* --- pictures by hand ------------------------------------------------------------------------------------------------------- */

static size_t make_png(unsigned char *p, uint32_t w, uint32_t h)
{
	static const unsigned char head[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0,
		13, 'I', 'H', 'D', 'R' };
	memcpy(p, head, 16);
	for (int i = 0; i < 4; i++) {
		p[16 + i] = (unsigned char)(w >> (24 - 8 * i));
		p[20 + i] = (unsigned char)(h >> (24 - 8 * i));
	}
	memset(p + 24, 0, 9);
	memcpy(p + 33, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
	return 45;
}

/* --- tests ------------------------------------------------------------------------------------------------------------------ */

static void check_sample(const struct release_doc *d, const struct content_problems *p)
{
	assert_int_equal(p->errors, 0);
	assert_int_equal(p->warnings, 0);
	assert_string_equal(d->main_file, "release.md");
	assert_string_equal(d->code, "TTBC-2026-112");
	assert_string_equal(d->title, "Năm năm đổi mới truyền thông BHXH, BHYT ở vùng cao");
	assert_string_equal(d->campaign, "ky-hop-2-qh16");
	assert_int_equal(d->n_assets, 3);
	assert_string_equal(d->assets[0].type, "image/png");
	assert_int_equal(d->assets[0].width, 1920);
	assert_int_equal(d->assets[0].height, 1080);
	assert_int_equal(d->assets[0].bytes, 926396);
	assert_int_equal(d->assets[1].width, 1620);
	assert_int_equal(d->assets[2].height, 2025);
	assert_int_equal(d->n_parts, 5);
	static const char *const names[] = { "press", "public", "offices", "duty", "group" };
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(d->parts[i].name, names[i]);
	assert_int_equal(d->parts[0].n_attach, 2);
	assert_int_equal(d->parts[0].embargo.ms, 10000);
	assert_int_equal(d->parts[1].spread_ms, 10000);
	assert_int_equal(d->parts[4].after_index, 1);
	assert_true(d->parts[4].internal);
	assert_int_equal(d->n_variants, 1);
	assert_string_equal(d->variants[0].lang, "en");
	assert_int_equal(d->n_locals, 1);
	assert_string_equal(d->locals[0].office, "dien-bien");
	assert_non_null(strstr(doc_pair_get(&d->texts, "sms", "text"), "{{office.short}}"));
	assert_int_equal(d->body_line, 42);
}

static void the_sample_release_goes_from_folder_through_zip_to_a_document(void **state)
{
	struct place *pl = *state;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	struct err e = { 0 };
	struct archive *a = zip_open(pl);
	zip_folder(a, SAMPLE, "");
	zip_close(a);
	if (bundle_unpack(pl->zip, "x.zip", pl->dir, NULL, &e) < 0)
		fail_msg("%s", e.text);
	struct release_doc *d = load(pl, &p);
	check_sample(d, &p);
	/* the hash is that of the file in the examples */
	struct buf b CLEANUP_BUF;
	struct hash h;
	buf_init(&b, 4u << 20);
	assert_int_equal(file_read(SAMPLE "/cover-16x9.png", &b, NULL), 0);
	hash_bytes(&h, b.p, b.n);
	assert_int_equal(hash_cmp(&h, &d->assets[0].hash), 0);
	release_doc_free(d);
}

static void a_single_top_folder_in_the_zip_is_taken_away(void **state)
{
	struct place *pl = *state;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	struct archive *a = zip_open(pl);
	zip_put(a, "release-ttbc-112/", AE_IFDIR, NULL, 0);
	zip_folder(a, SAMPLE, "release-ttbc-112/");
	zip_text(a, "__MACOSX/._release.md", "x");
	zip_text(a, "release-ttbc-112/.DS_Store", "x");
	zip_close(a);
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, NULL, NULL), 0);
	struct release_doc *d = load(pl, &p);
	check_sample(d, &p);
	release_doc_free(d);
}

static void one_markdown_file_is_a_bundle(void **state)
{
	struct place *pl = *state;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	write_file(pl->zip, TEXT, strlen(TEXT));
	assert_int_equal(bundle_unpack(pl->zip, "tin.md", pl->dir, NULL, NULL), 0);
	struct release_doc *d = load(pl, &p);
	assert_string_equal(d->code, "A-1");
	assert_string_equal(d->parts[0].name, "main");
	assert_int_equal(p.warnings, 0);
	release_doc_free(d);
}

static void what_is_no_bundle_is_refused(void **state)
{
	struct place *pl = *state;
	struct err e = { 0 };
	write_file(pl->zip, "%PDF-1.7\n", 9);
	unpack_refused(pl, -EINVAL,
		"this is application/pdf; a release is a folder, a zip of it, or one .md file");
	write_file(pl->zip, "", 0);
	unpack_refused(pl, -EINVAL, "is empty");
	write_file(pl->zip, "hello", 5);
	unpack_refused(pl, -EINVAL, "no zip");
	write_file(pl->zip, "PK\3\4 and then nothing of a zip", 31);
	unpack_refused(pl, -EINVAL, "damaged");
	struct archive *a = zip_open(pl);
	zip_close(a);
	unpack_refused(pl, -EINVAL, "zip is empty");
	assert_true(bundle_unpack("/nonexistent/x", "", pl->dir, NULL, &e) < 0);
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(bundle_load(pl->dir, NULL, &d, &p), -EINVAL);
	assert_non_null(problem_find(&p, PROBLEM_ERROR, "no release.md"));
}

static void paths_that_lead_out_of_the_bundle_are_refused(void **state)
{
	struct place *pl = *state;
	char outside[300];
	(void)snprintf(outside, sizeof(outside), "%s/evil.md", pl->root);
	entry_refused(
		pl, "../evil.md", AE_IFREG, "x", "path '../evil.md' leads outside the bundle");
	entry_refused(pl, "a/../../evil.md", AE_IFREG, "x", "leads outside the bundle");
	entry_refused(pl, outside, AE_IFREG, "x", "is absolute");
	entry_refused(pl, "C:\\evil.md", AE_IFREG, "x", "drive letter");
	entry_refused(pl, "a\\..\\evil.md", AE_IFREG, "x", "leads outside");
	entry_refused(pl, "a//b.md", AE_IFREG, "x", "empty folder name");
	entry_refused(pl, "a/b/c/d/e/f/g/h/i.md", AE_IFREG, "x", "too deep");
	assert_int_equal(access(outside, F_OK), -1);
}

static void links_and_devices_are_refused(void **state)
{
	struct place *pl = *state;
	entry_refused(pl, "cover.png", AE_IFLNK, "/etc/passwd", "'cover.png' is a link");
	entry_refused(pl, "dir", AE_IFLNK, "..", "'dir' is a link");
	/* a folder that somebody staged by hand with a link in it */
	char path[600];
	put(pl, "release.md", TEXT, strlen(TEXT));
	(void)snprintf(path, sizeof(path), "%s/cover.png", pl->dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	load_refused(pl, 0, "", "'cover.png' is a link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	load_refused(pl, 0, "", "is no plain file");
}

static void names_that_differ_only_by_case_or_marks_are_one_name(void **state)
{
	struct place *pl = *state;
	entry_refused(pl, "Release.MD", AE_IFREG, "x", "is in the bundle twice");
	entry_refused(pl, "release.md", AE_IFREG, "x", "is in the bundle twice");
	struct archive *a = zip_open(pl);
	zip_text(a, "a\xcc\x89nh.png", "x");    /* NFD */
	zip_text(a, "\xe1\xba\xa3nh.png", "x"); /* NFC */
	zip_close(a);
	unpack_refused(pl, -EINVAL, "is in the bundle twice");
	assert_int_equal(dir_remove_tree(pl->dir), 0);
	a = zip_open(pl);
	zip_text(a, "x", "a file");
	zip_text(a, "x/y", "in a folder of its name");
	zip_close(a);
	struct err e = { 0 };
	assert_true(bundle_unpack(pl->zip, "", pl->dir, NULL, &e) < 0);
	assert_true(e.text[0] != '\0');
}

static void decomposed_file_names_meet_their_composed_front_matter(void **state)
{
	struct place *pl = *state;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	unsigned char png[64];
	size_t n = make_png(png, 8, 8);
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", FRONT "cover: {file: \"Ảnh bìa.png\", alt: Bìa}\n---\nThân.\n");
	zip_put(a,
		"A\xcc\x89nh bi\xcc\x80"
		"a.png",
		AE_IFREG, png, n);
	zip_close(a);
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, NULL, NULL), 0);
	struct release_doc *d = load(pl, &p);
	assert_int_equal(p.warnings, 0);
	assert_int_equal(d->assets[0].width, 8);
	release_doc_free(d);
}

static void a_zip_bomb_is_stopped_while_it_unpacks(void **state)
{
	struct place *pl = *state;
	char *zero = calloc(1, 1u << 20);
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", TEXT);
	for (int i = 0; i < 40; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "bomb%d.bin", i);
		zip_put(a, name, AE_IFREG, zero, 1u << 20);
	}
	zip_close(a);
	free(zero);
	unpack_refused(pl, -EFBIG, "times its size");
}

static void limits_on_sizes_and_counts_hold(void **state)
{
	struct place *pl = *state;
	struct err e = { 0 };
	struct bundle_limits lim = bundle_limits_default;
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", TEXT);
	zip_text(a, "a.txt", "0123456789");
	zip_close(a);
	lim.entries_max = 1;
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, &lim, &e), -EFBIG);
	assert_non_null(strstr(e.text, "more than 1 entries"));
	assert_int_equal(dir_remove_tree(pl->dir), 0);
	lim = bundle_limits_default;
	lim.file_max = 9;
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, &lim, &e), -EFBIG);
	assert_int_equal(dir_remove_tree(pl->dir), 0);
	lim = bundle_limits_default;
	lim.unpacked_max = strlen(TEXT) + 9;
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, &lim, &e), -EFBIG);
	assert_non_null(strstr(e.text, "bytes unpacked"));
	assert_int_equal(dir_remove_tree(pl->dir), 0);
	lim = bundle_limits_default;
	lim.packed_max = 10;
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, &lim, &e), -EFBIG);
	assert_non_null(strstr(e.text, "at most 10"));
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, NULL, &e), 0);
}

static void a_full_disk_ends_the_unpacking_with_its_name(void **state)
{
	struct place *pl = *state;
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", TEXT);
	zip_close(a);
#ifdef LANTOA_FAULTS
	fault_set("bundle.write", 0, 1);
	unpack_refused(pl, -ENOSPC, "No space left");
	fault_clear();
	assert_int_equal(dir_remove_tree(pl->dir), 0);
#endif
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, NULL, NULL), 0);
}

static void a_damaged_zip_is_refused_wherever_it_is_cut(void **state)
{
	struct place *pl = *state;
	struct buf b CLEANUP_BUF;
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", TEXT);
	zip_text(a, "a.txt", "some text that is deflated, deflated, deflated");
	zip_close(a);
	buf_init(&b, 1u << 20);
	assert_int_equal(file_read(pl->zip, &b, NULL), 0);
	for (size_t n = 1; n < b.n; n += 7) {
		struct err e = { 0 };
		write_file(pl->zip, b.p, n);
		assert_true(bundle_unpack(pl->zip, "x.zip", pl->dir, NULL, &e) < 0);
		assert_true(e.text[0] != '\0');
		assert_int_equal(dir_remove_tree(pl->dir), 0);
	}
}

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

static void faults_of_texts_and_of_files_are_told_together(void **state)
{
	struct place *pl = *state;
	const char *text = FRONT "titel: x\nimages:\n  - {file: a.png, alt: Một}\n---\n{{x}}\n";
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	put(pl, "release.md", text, strlen(text));
	put(pl, "a.png", "nothing", 7);
	problems_init(&p);
	assert_int_equal(bundle_load(pl->dir, NULL, &d, &p), -EINVAL);
	assert_null(d);
	assert_int_equal(p.errors, 3);
	assert_int_equal(problem_find(&p, PROBLEM_ERROR, "unknown key 'titel'")->line, 6);
	assert_int_equal(problem_find(&p, PROBLEM_ERROR, "unknown variable {{x}}")->line, 10);
	assert_int_equal(problem_find(&p, PROBLEM_ERROR, "is no picture")->line, 8);
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

struct job {
	pthread_t thread;
	char zip[260], dir[300];
	int unpacked, loaded;
	size_t parts;
};

static void *run_job(void *arg)
{
	struct job *j = arg;
	struct content_problems p CLEANUP_PROBLEMS;
	struct release_doc *d = NULL;
	problems_init(&p);
	j->unpacked = bundle_unpack(j->zip, "x.zip", j->dir, NULL, NULL);
	j->loaded = bundle_load(j->dir, NULL, &d, &p);
	j->parts = d == NULL ? 0 : d->n_parts;
	release_doc_free(d);
	return NULL;
}

static void several_workers_read_bundles_at_once(void **state)
{
	struct place *pl = *state;
	struct job jobs[4] = { 0 };
	struct archive *a = zip_open(pl);
	zip_folder(a, SAMPLE, "Tin số 112/");
	zip_close(a);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		(void)snprintf(jobs[i].zip, sizeof(jobs[i].zip), "%s", pl->zip);
		(void)snprintf(jobs[i].dir, sizeof(jobs[i].dir), "%s/%zu", pl->dir, i);
		assert_int_equal(mkdir(jobs[i].dir, 0700), 0);
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		assert_int_equal(jobs[i].unpacked, 0);
		assert_int_equal(jobs[i].loaded, 0);
		assert_int_equal(jobs[i].parts, 5);
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_sample_release_goes_from_folder_through_zip_to_a_document),
		T(a_single_top_folder_in_the_zip_is_taken_away),
		T(one_markdown_file_is_a_bundle),
		T(what_is_no_bundle_is_refused),
		T(paths_that_lead_out_of_the_bundle_are_refused),
		T(links_and_devices_are_refused),
		T(names_that_differ_only_by_case_or_marks_are_one_name),
		T(decomposed_file_names_meet_their_composed_front_matter),
		T(a_zip_bomb_is_stopped_while_it_unpacks),
		T(limits_on_sizes_and_counts_hold),
		T(a_full_disk_ends_the_unpacking_with_its_name),
		T(a_damaged_zip_is_refused_wherever_it_is_cut),
		T(a_picture_that_is_no_picture_is_refused),
		T(pictures_that_are_too_large_are_refused_unread),
		T(attachments_and_videos_are_what_they_say),
		T(faults_of_texts_and_of_files_are_told_together),
		T(the_same_picture_twice_is_warned_of),
		T(several_workers_read_bundles_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
