/* test_image.c - sixty-four pictures as people hand them in, through the real helper: each ends in a rendition within its limits
 * or in a refusal with a reason, and the memory of the one who asks stays where it was. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/child.h"
#include "base/file.h"
#include "content/image_head.h"
#include "content/rendition.h"
#include "lib/in_valgrind.h"

#define PICTURES_MIN 50
/* The promise is 8 MB; a sanitizer's allocator keeps freed blocks of every size for itself. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KB 24576
#else
#define GROWTH_KB 8192
#endif

/* Freed blocks go back at once: what is measured is what is kept. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0:malloc_context_size=2:allocator_release_to_os_interval_ms=0";
}

static const char *const specs[] = { "jpeg<=1000000B<=1600x1600px",
	"png|jpeg<=300000B<=1200x1200px ratio=16:9", "jpeg<=60000B<=800px ratio=1:1 crop=fit" };

static struct {
	char dir[64], build[3900], maker[4000], helper[4000];
	struct renditions *r;
} t;

static int run(const char *const *argv, struct buf *out)
{
	struct child c = { .argv = argv, .fd_in = -1, .deadline_ms = 60000, .out = out };
	struct err e = { 0 };
	int rc = child_run(&c, &e);
	if (rc || c.status || c.signo)
		print_message("%s: rc %d status %d signal %d %s %s\n", argv[0], rc, c.status,
			c.signo, e.text, c.said);
	return rc || c.status || c.signo;
}

static int setup(void **state)
{
	struct buf out CLEANUP_BUF;
	(void)state;
	buf_init(&out, 4096);
	ssize_t n = readlink("/proc/self/exe", t.build, sizeof(t.build) - 1);
	if (n < 0 || crypt_init())
		return -1;
	t.build[n] = 0;
	for (int i = 0; i < 4; i++) /* .../tests/unit/image/test_image */
		*strrchr(t.build, '/') = 0;
	(void)snprintf(t.helper, sizeof(t.helper), "%s/lantoa-image", t.build);
	(void)snprintf(t.maker, sizeof(t.maker), "%s/tests/unit/image/make_pictures", t.build);
	(void)snprintf(t.dir, sizeof(t.dir), "/tmp/lantoa-images-XXXXXX");
	t.r = renditions_new(t.helper);
	return mkdtemp(t.dir) ? run((const char *const[]){ t.maker, t.dir, NULL }, &out) : -1;
}

static int teardown(void **state)
{
	(void)state;
	renditions_free(t.r);
	return dir_remove_tree(t.dir) || rmdir(t.dir);
}

static int fit(const char *name, const char *spec, struct rendition_made *ret, struct err *e)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "%s/%s", t.dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	int rc = rendition_make(t.r, fd, spec, ret, e);
	(void)close(fd);
	return rc;
}

static long anonymous_kb(void)
{
	char line[200];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	(void)fclose(f);
	assert_true(kb > 0);
	return kb;
}

/* --- all of them ------------------------------------------------------------------------------------------------------------ */
static void look_at(const char *name, const char *spec, const struct rendition_made *m)
{
	struct rendition_spec s;
	struct image_head h;
	struct hash have;
	assert_int_equal(rendition_spec_parse(str_of(spec), &s, NULL), 0);
	image_head_read(buf_str(&m->bytes), &h);
	assert_false(h.broken);
	assert_true(h.type == MEDIA_PNG || h.type == MEDIA_JPEG);
	const struct rendition_kind *k = &s.kind[0];
	for (size_t i = 0; i < s.n; i++)
		if ((s.kind[i].format == RENDITION_PNG) == (h.type == MEDIA_PNG))
			k = &s.kind[i];
	if (m->bytes.n > k->bytes || h.width > k->width || h.height > k->height || !h.width ||
		!h.height)
		fail_msg(
			"%s: %zu bytes, %u x %u for %s", name, m->bytes.n, h.width, h.height, spec);
	assert_int_equal(m->id.bytes, m->bytes.n);
	assert_int_equal(m->id.width, h.width);
	assert_int_equal(m->id.height, h.height);
	hash_bytes(&have, m->bytes.p, m->bytes.n);
	assert_int_equal(hash_cmp(&have, &m->id.hash), 0);
}

/* Never larger than the source, and of its shape where no ratio was asked for. */
static void look_at_shape(const char *name, const struct rendition_made *m, unsigned w, unsigned h)
{
	if (!w || !h)
		return;
	double want = (double)w / h, have = (double)m->id.width / m->id.height;
	double slack = want * 0.02 + want / m->id.height + want / m->id.width + 1.0 / m->id.height;
	if (m->id.width > w || m->id.height > h || have - want > slack || want - have > slack)
		fail_msg("%s: %ux%u became %ux%u", name, w, h, m->id.width, m->id.height);
}

static int one(const char *name, const char *verdict, unsigned w, unsigned h, size_t at)
{
	const char *spec = specs[at % ARRAY_LEN(specs)];
	struct rendition_made m = { 0 };
	struct err e = { 0 };
	int rc = fit(name, spec, &m, &e);
	if (rc && rc != -EBADMSG)
		fail_msg("%s: the helper failed: %s", name, e.text);
	if (!strcmp(verdict, rc ? "good" : "refused"))
		fail_msg("%s should be %s: %s", name, verdict, e.text);
	if (rc == 0) {
		look_at(name, spec, &m);
		if (at % ARRAY_LEN(specs) == 0)
			look_at_shape(name, &m, w, h);
	} else if (strstr(e.text, "hostile") || strlen(e.text) < 10) {
		fail_msg("%s: no clear reason: %s", name, e.text);
	}
	buf_done(&m.bytes);
	return rc == 0;
}

static void each_picture_ends_in_a_rendition_or_a_refusal_with_its_reason(void **state)
{
	struct buf list CLEANUP_BUF;
	char path[200], name[80], verdict[20];
	unsigned w, h;
	size_t n = 0, good = 0;
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/list", t.dir);
	buf_init(&list, 65536);
	assert_int_equal(file_read(path, &list, NULL), 0);
	assert_true(one("infographic.png", "good", 1620, 2025, 0));
	long before = anonymous_kb();
	struct str rest = buf_str(&list), line;
	for (; str_line(&rest, &line); n++) {
		char copy[200];
		assert_true(str_copy(copy, sizeof(copy), line));
		assert_int_equal(sscanf(copy, "%79s %19s %u %u", name, verdict, &w, &h), 4);
		good += (size_t)one(name, verdict, w, h, n);
	}
	long grown = anonymous_kb() - before;
	print_message("%zu pictures, %zu renditions, memory grew by %ld kB\n", n, good, grown);
	assert_true(n >= PICTURES_MIN);
	assert_true(grown < GROWTH_KB || in_valgrind()); /* its own memory is counted there */
}

/* --- single things ---------------------------------------------------------------------------------------------------------- */
static void pixel(const struct rendition_made *m, unsigned x, unsigned y, int rgba[static 5])
{
	char path[200], xs[16], ys[16];
	struct buf out CLEANUP_BUF;
	(void)snprintf(path, sizeof(path), "%s/result.%s", t.dir, m->id.type);
	(void)snprintf(xs, sizeof(xs), "%u", x);
	(void)snprintf(ys, sizeof(ys), "%u", y);
	assert_int_equal(file_write_durable(path, buf_str(&m->bytes), 0600, NULL), 0);
	buf_init(&out, 200);
	assert_int_equal(run((const char *const[]){ t.maker, path, xs, ys, NULL }, &out), 0);
	assert_int_equal(sscanf(buf_z(&out), "%d %d %d %d %d", &rgba[0], &rgba[1], &rgba[2],
				 &rgba[3], &rgba[4]),
		5);
}

static bool is_red(const int *p)
{
	return p[0] > 200 && p[1] < 70 && p[2] < 70;
}

static void a_turned_picture_stands_upright_and_tells_nothing_of_its_camera(void **state)
{
	(void)state;
	for (int o = 1; o <= 8; o++) {
		char name[40];
		struct rendition_made m;
		int p[5];
		/* where the stored upper left corner, which is red, has to be */
		bool right = o == 2 || o == 3 || o == 6 || o == 7,
		     low = o == 3 || o == 4 || o == 7 || o == 8;
		(void)snprintf(name, sizeof(name), "turned-%d.jpg", o);
		assert_int_equal(fit(name, "jpeg<=500000B<=1000px", &m, NULL), 0);
		assert_int_equal(m.id.width, o > 4 ? 200 : 400);
		pixel(&m, right ? m.id.width - 6 : 5, low ? m.id.height - 6 : 5, p);
		if (!is_red(p))
			fail_msg("orientation %d: %d %d %d", o, p[0], p[1], p[2]);
		assert_int_equal(p[4], 0);
		buf_done(&m.bytes);
	}
}

static void colours_come_out_as_they_were_meant(void **state)
{
	static const char *const red[] = { "cmyk.jpg", "cmyk-no-profile.jpg", "p3.jpg", "p3.png",
		"deep-rgb.png", "palette.png", "progressive.jpg", "lossless.webp", "moving.gif",
		"camera.jpg" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(red); i++) {
		struct rendition_made m;
		int p[5];
		assert_int_equal(fit(red[i], "jpeg<=4000000B<=1000px", &m, NULL), 0);
		pixel(&m, 8, 8, p);
		if (!is_red(p))
			fail_msg("%s: %d %d %d", red[i], p[0], p[1], p[2]);
		assert_int_equal(p[4], 0);
		buf_done(&m.bytes);
	}
}

static void what_is_transparent_is_white_in_jpeg_and_stays_in_png(void **state)
{
	struct rendition_made m;
	int p[5];
	(void)state;
	assert_int_equal(fit("invisible.png", "jpeg<=500000B<=1000px", &m, NULL), 0);
	pixel(&m, 5, 5, p);
	assert_true(p[0] > 250 && p[1] > 250 && p[2] > 250);
	buf_done(&m.bytes);
	assert_int_equal(fit("alpha.png", "png|jpeg<=4000000B<=600px", &m, NULL), 0);
	assert_string_equal(m.id.type, "png");
	pixel(&m, 1, 300, p);
	assert_true(p[3] < 10);
	pixel(&m, 598, 300, p);
	assert_true(p[3] > 245);
	buf_done(&m.bytes);
}

static void a_ratio_is_cut_above_or_filled_up_or_refused_as_asked(void **state)
{
	struct rendition_made m;
	struct err e = { 0 };
	int p[5];
	(void)state;
	assert_int_equal(
		fit("infographic.png", "jpeg<=1000000B<=1600px ratio=16:9 crop=top", &m, NULL), 0);
	assert_int_equal(m.id.width, 1600);
	assert_int_equal(m.id.height, 900);
	pixel(&m, 10, 10, p);
	assert_true(is_red(p)); /* the upper edge is there */
	buf_done(&m.bytes);
	assert_int_equal(
		fit("infographic.png", "jpeg<=1000000B<=1600px ratio=16:9 crop=fit", &m, NULL), 0);
	assert_int_equal(m.id.width, 1600);
	assert_int_equal(m.id.height, 900);
	pixel(&m, 10, 10, p);
	assert_true(p[0] > 250 && p[1] > 250 && p[2] > 250); /* a white bar */
	buf_done(&m.bytes);
	assert_int_equal(
		fit("infographic.png", "jpeg<=1000000B<=1600px ratio=16:9 crop=none", &m, &e),
		-EBADMSG);
	assert_non_null(strstr(e.text, "16:9"));
	buf_done(&m.bytes);
}

static void equal_requests_give_equal_bytes(void **state)
{
	struct rendition_made a, b;
	(void)state;
	assert_int_equal(fit("photo.jpg", specs[0], &a, NULL), 0);
	assert_int_equal(fit("photo.jpg", specs[0], &b, NULL), 0);
	assert_int_equal(hash_cmp(&a.id.hash, &b.id.hash), 0);
	assert_true(a.facts.quality >= 60 && a.facts.quality <= 92);
	buf_done(&a.bytes);
	buf_done(&b.bytes);
}

static void an_animated_picture_says_how_many_frames_it_had(void **state)
{
	struct rendition_made m;
	(void)state;
	assert_int_equal(fit("moving.gif", "png<=1000000B", &m, NULL), 0);
	assert_int_equal(m.facts.frames, 5);
	assert_int_equal(m.id.height, 240);
	buf_done(&m.bytes);
}

static void a_limit_that_cannot_be_met_is_said(void **state)
{
	struct rendition_made m;
	struct err e = { 0 };
	(void)state;
	assert_int_equal(fit("photo.jpg", "jpeg<=100B", &m, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "cannot be made to fit 100 bytes"));
	buf_done(&m.bytes);
}

static void a_helper_that_lies_or_is_not_there_is_an_error_and_no_refusal(void **state)
{
	static const char lying[] =
		"#!/bin/sh\nprintf 'GIF89a'; echo 'ok quality=1 frames=1' >&2\n";
	char path[200];
	struct err e = { 0 };
	struct rendition_made m;
	(void)state;
	struct renditions *good = t.r, *bad;
	(void)snprintf(path, sizeof(path), "%s/liar", t.dir);
	assert_int_equal(file_write_durable(path, STR(lying), 0700, NULL), 0);
	t.r = bad = renditions_new(path);
	assert_int_equal(fit("photo.jpg", specs[0], &m, &e), -EIO);
	assert_non_null(strstr(e.text, "not what was asked"));
	buf_done(&m.bytes);
	renditions_free(bad);
	t.r = bad = renditions_new("/nonexistent/lantoa-image");
	assert_int_equal(fit("photo.jpg", specs[0], &m, &e), in_valgrind() ? -EIO : -ENOENT);
	buf_done(&m.bytes);
	renditions_free(bad);
	t.r = good;
}

static void the_version_names_helper_and_library(void **state)
{
	char v[RENDITION_VERSION_MAX];
	(void)state;
	assert_int_equal(renditions_version(t.r, v, NULL), 0);
	assert_non_null(strstr(v, "-vips-8."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_picture_ends_in_a_rendition_or_a_refusal_with_its_reason),
		cmocka_unit_test(a_turned_picture_stands_upright_and_tells_nothing_of_its_camera),
		cmocka_unit_test(colours_come_out_as_they_were_meant),
		cmocka_unit_test(what_is_transparent_is_white_in_jpeg_and_stays_in_png),
		cmocka_unit_test(a_ratio_is_cut_above_or_filled_up_or_refused_as_asked),
		cmocka_unit_test(equal_requests_give_equal_bytes),
		cmocka_unit_test(an_animated_picture_says_how_many_frames_it_had),
		cmocka_unit_test(a_limit_that_cannot_be_met_is_said),
		cmocka_unit_test(a_helper_that_lies_or_is_not_there_is_an_error_and_no_refusal),
		cmocka_unit_test(the_version_names_helper_and_library),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
