/* test_sample.c - the example release as an editor hands it over, packed as a zip, against a few offices and newsrooms. */
#include <archive.h>
#include <archive_entry.h>
#include "scene.h"
#include "content/rendition.h"

static const char *const files[] = { "release.md", "body.en.md", "cover-16x9.png",
	"infographic-1.png", "infographic-2.png", "local/dien-bien.md" };

static struct archive *zip_open(const char *path)
{
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_zip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	return a;
}

static void zip_add(struct archive *a, const char *name, const char *bytes, size_t n)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (la_int64_t)n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, bytes, n), (la_ssize_t)n);
	archive_entry_free(entry);
}

/* A file of the example release, as `name`. */
static void zip_add_file(struct archive *a, const char *name, const char *file)
{
	char from[200];
	struct buf b CLEANUP_BUF;
	struct err e = { 0 };
	buf_init(&b, 32u << 20);
	snprintf(from, sizeof(from), "config/examples/release-ttbc-112/%s", file);
	if (file_read(from, &b, &e) < 0)
		fail_msg("%s", e.text);
	zip_add(a, name, b.p, b.n);
}

static void pack(const char *path)
{
	struct archive *a = zip_open(path);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		zip_add_file(a, files[i], files[i]);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static int open_sample(void **state)
{
	scene_open(state);
	scene_sql(
		"UPDATE vars SET json=replace(json, '\"hotline\"', '\"address\":\"Street 1\",\"hotline\"')");
	scene_sql(
		"INSERT INTO audience(name, title, rule) VALUES('centre', '', '{\"any\":[{\"tag\":[\"page\"]}],\"not\":[],\"broad\":false}'),"
		"('provinces', '', '{\"any\":[{\"tag\":[\"page\"]}],\"not\":[],\"broad\":false}'),"
		"('duty', '', '{\"any\":[{\"tag\":[\"duty\"]}],\"not\":[],\"broad\":false}'),"
		"('internal', '', '{\"any\":[{\"tag\":[\"internal\"]}],\"not\":[],\"broad\":false}')");
	scene_sql(
		"INSERT INTO campaign(name, title, first, last, prio) VALUES('ky-hop-2-qh16', 'C', %lld, %lld, 1)",
		(long long)TESTENV_WALL_START - 86400000LL,
		(long long)TESTENV_WALL_START + 86400000LL);
	return 0;
}

static int submit_sample(void)
{
	struct actor a = scene_who("lan");
	char path[300];
	int before = sc.answers;
	snprintf(path, sizeof(path), "%s/staging/sample.zip", sc.ts.dir);
	pack(path);
	struct staged s = { .path = path, .name = "release-ttbc-112.zip" };
	plan_submit(sc.p, &s, &a, scene_done, NULL);
	int rc = scene_wait(before);
	if (rc < 0)
		print_message("%s\n", sc.err.text);
	else
		scene_remember();
	return rc;
}

static const cJSON *part_named(const char *name)
{
	const cJSON *p;
	cJSON_ArrayForEach(p, json_get(sc.json, "parts"))
	{
		if (strcmp(json_z(p, "name", ""), name) == 0)
			return p;
	}
	return NULL;
}

static void the_sample_is_taken_and_says_what_it_leaves_out(void **state)
{
	UNUSED(state);
	assert_int_equal(submit_sample(), 0);
	assert_string_equal(sc.release, "TTBC-2026-112@2026");
	assert_int_equal(cJSON_GetArraySize(json_get(sc.json, "parts")), 5);
	assert_int_equal(cJSON_GetArraySize(json_get(part_named("public"), "skipped")), 2);
	assert_int_equal(cJSON_GetArraySize(json_get(part_named("duty"), "skipped")), 1);
	assert_int_equal(json_i64(cJSON_GetArrayItem(json_get(part_named("press"), "counts"), 0),
				 "targets", 0),
		4);
	assert_int_equal(scene_i64("SELECT count(*) FROM asset"), 3);
	assert_int_equal(scene_i64("SELECT count(*) FROM release_asset"), 3);
}

static void the_press_goes_first_and_the_offices_after_the_embargo(void **state)
{
	UNUSED(state);
	assert_int_equal(submit_sample(), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(1000);
	assert_int_equal(scene_part_state("press"), PART_PLANNED);
	assert_int_equal(scene_part_state("public"), PART_DONE);
	assert_int_equal(scene_part_state("offices"), PART_WAITING);
	scene_send_all();
	scene_run(11000);
	assert_int_equal(scene_part_state("offices"), PART_PLANNED);
	scene_send_all();
	scene_run(1000);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_DONE);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 8);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=2"), 0);
}

static void each_office_gets_its_own_lines_and_the_english_reader_english(void **state)
{
	UNUSED(state);
	struct err e = { 0 };
	struct actor who = scene_who("minh");
	cJSON *q CLEANUP_JSON = json_obj(), *j CLEANUP_JSON = NULL;
	assert_int_equal(submit_sample(), 0);
	json_put_z(q, "release", "TTBC-2026-112");
	json_put_z(q, "part", "press");
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(plan_preview(sc.p, r, q, &who, &j, &e), 0);
	teststore_reader_end(&sc.ts, r);
	int local = 0, english = 0;
	const cJSON *row;
	cJSON_ArrayForEach(row, json_get(j, "rows"))
	{
		const char *text = json_z(row, "text", "");
		local += strstr(text, "tiếng Mông và tiếng Thái, phủ sóng") != NULL;
		english += strstr(text, "Five years of new ways") != NULL &&
			strstr(text, "The ha-noi office") != NULL;
		assert_null(strstr(text, "{{"));
		assert_non_null(strstr(text, "asset=infographic-1.png"));
	}
	assert_int_equal(cJSON_GetArraySize(json_get(j, "rows")), 4);
	assert_int_equal(local, 2); /* dien-bien, and muong-ang below it */
	assert_int_equal(english, 1);
}

/* The first office of the press has none: its output alone would hide what Điện Biên adds. */
static void a_review_shows_each_text_that_the_bundle_has_for_one_office(void **state)
{
	UNUSED(state);
	int local = 0;
	const cJSON *row;
	assert_int_equal(submit_sample(), 0);
	cJSON_ArrayForEach(row, json_get(sc.json, "previews"))
	{
		bool has = strstr(json_z(row, "text", ""), "tiếng Mông và tiếng Thái, phủ sóng");
		assert_int_equal(has, strcmp(json_z(row, "office", ""), "dien-bien") == 0);
		local += has;
	}
	assert_true(local > 0);
}

/* Says that it made a picture of 10 x 10 out of one of five frames. */
static const char fake_helper[] =
	"#!/bin/sh\n[ \"$1\" = version ] && { echo v1; exit; }\ncat >/dev/null\n"
	"printf '\\211PNG\\r\\n\\032\\n\\0\\0\\0\\015IHDR\\0\\0\\0\\012\\0\\0\\0\\012\\010\\002\\0\\0\\0\\0\\0\\0\\0'\n"
	"echo 'ok quality=0 frames=5' >&2\n";
/* One pixel, twice. */
static const char moving[] = "GIF89a\1\0\1\0\x80\0\0\0\0\0\377\377\377"
			     "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
			     "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;";

static void that_a_picture_moves_is_said_whoever_looks(void **state)
{
	UNUSED(state);
	char path[300];
	struct err e = { 0 };
	struct actor a = scene_who("lan");
	static const char text[] = FRONT("TTBC-1",
		"  press: {to: press, channels: [email], at: now, attach: [dong.gif]}\n") "A\n";
	snprintf(path, sizeof(path), "%s/helper", sc.ts.dir);
	assert_int_equal(file_write_durable(path, STR(fake_helper), 0700, &e), 0);
	scene_plan_end();
	sc.renditions = renditions_new(path);
	sc.spec = "png<=1000000B";
	scene_plan();
	snprintf(path, sizeof(path), "%s/staging/gif.zip", sc.ts.dir);
	struct archive *zip = zip_open(path);
	zip_add(zip, "release.md", text, sizeof(text) - 1);
	zip_add(zip, "dong.gif", moving, sizeof(moving) - 1);
	assert_int_equal(archive_write_free(zip), ARCHIVE_OK);
	struct staged s = { .path = path, .name = "gif.zip" };
	int before = sc.answers;
	plan_submit(sc.p, &s, &a, scene_done, NULL);
	if (scene_wait(before) < 0)
		fail_msg("%s", sc.err.text);
	assert_string_equal(sc.said, "has 5 frames: only the first is shown");
	sc.said[0] = 0;
	cJSON *q CLEANUP_JSON = json_obj(), *j CLEANUP_JSON = NULL;
	json_put_z(q, "release", "TTBC-1");
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(plan_review(sc.p, r, q, &a, true, &j, &e), 0);
	teststore_reader_end(&sc.ts, r);
	assert_string_equal(sc.said, "has several frames: only the first is shown");
	scene_plan_end();
	renditions_free(sc.renditions);
}

static const char *preview_refused(const char *key, const char *value, struct err *e)
{
	struct actor who = scene_who("minh");
	cJSON *q CLEANUP_JSON = json_obj(), *j = NULL;
	json_put_z(q, "release", "TTBC-2026-112");
	json_put_z(q, "part", "press");
	json_put_z(q, key, value);
	struct store_reader *r = teststore_reader(&sc.ts);
	int rc = plan_preview(sc.p, r, q, &who, &j, e);
	teststore_reader_end(&sc.ts, r);
	assert_null(j);
	assert_int_equal(rc, -ENOENT);
	return e->text;
}

static void a_preview_of_what_is_not_there_names_what_is(void **state)
{
	UNUSED(state);
	struct err e = { 0 };
	assert_int_equal(submit_sample(), 0);
	assert_string_equal(preview_refused("channel", "fax", &e),
		"TTBC-2026-112 has no output of channel 'fax'; there are: email");
	assert_non_null(strstr(preview_refused("office", "hanoi", &e),
		"no output of office 'hanoi'; there are: "));
	assert_non_null(strstr(e.text, "dien-bien"));
	assert_non_null(
		strstr(preview_refused("lang", "xx", &e), "no output of lang 'xx'; there are: "));
	assert_non_null(strstr(e.text, "en"));
}

/* Two files of equal bytes with names (and captions) of their own, each for one part. */
static void pack_equal(const char *path)
{
	static const char *const text =
		"---\ncode: TTBC-9\ntitle: T\nimages:\n  - {file: one.png, alt: One, caption: First}\n  - {file: two.png, alt: Two, caption: Second}\n"
		"parts:\n  press: {to: press, channels: [email], at: now, attach: [one.png]}\n"
		"  desk: {to: offices, channels: [email], at: now, attach: [two.png]}\n---\nBody.\n";
	struct archive *a = zip_open(path);
	zip_add(a, "release.md", text, strlen(text));
	zip_add_file(a, "one.png", "infographic-1.png");
	zip_add_file(a, "two.png", "infographic-1.png");
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static void submit_equal(void)
{
	struct actor a = scene_who("lan");
	char path[300];
	int before = sc.answers;
	snprintf(path, sizeof(path), "%s/staging/equal.zip", sc.ts.dir);
	pack_equal(path);
	struct staged s = { .path = path, .name = "equal.zip" };
	plan_submit(sc.p, &s, &a, scene_done, NULL);
	assert_int_equal(scene_wait(before), 0);
	scene_remember();
}

static void part_shows(uint32_t part, const char *what)
{
	struct prep_key key = {
		.part = part, .channel_id = 1, .office_id = 3, .form = "mailbox", .lang = "vi"
	};
	struct prepared *p = NULL;
	struct err e = { 0 };
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(manifest_planned(reader_db(r), 1, &key.manifest), 0);
	assert_int_equal(plan_prepare(sc.p, r, &key, &p, &e), 0);
	teststore_reader_end(&sc.ts, r);
	assert_non_null(strstr(p->preview, what));
	prepared_unref(p);
}

static void equal_files_keep_their_own_names_in_their_parts(void **state)
{
	UNUSED(state);
	submit_equal();
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(scene_open_lots("desk"), 4);
	part_shows(1, "one.png");
	part_shows(2, "two.png");
}

static void equal_files_keep_them_after_a_restart_too(void **state)
{
	UNUSED(state);
	submit_equal();
	scene_plan_end();
	scene_plan();
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(scene_open_lots("desk"), 4);
	part_shows(2, "two.png");
	part_shows(1, "one.png");
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_sample, scene_close)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_sample_is_taken_and_says_what_it_leaves_out),
		T(the_press_goes_first_and_the_offices_after_the_embargo),
		T(each_office_gets_its_own_lines_and_the_english_reader_english),
		T(a_review_shows_each_text_that_the_bundle_has_for_one_office),
		T(that_a_picture_moves_is_said_whoever_looks),
		T(a_preview_of_what_is_not_there_names_what_is),
		T(equal_files_keep_their_own_names_in_their_parts),
		T(equal_files_keep_them_after_a_restart_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
