/* test_bundle.c - folder to zip to staging to release, and what is no bundle. */
#include <pthread.h>
#include "bundlescene.h"

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
	zip_put(a, "__MACOSX/", AE_IFDIR, NULL,
		0); /* as Finder packs: the folder is an entry too */
	zip_put(a, "__MACOSX/release-ttbc-112/", AE_IFDIR, NULL, 0);
	zip_text(a, "__MACOSX/release-ttbc-112/._release.md", "x");
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
	const struct CMUnitTest tests[] = {
		T(the_sample_release_goes_from_folder_through_zip_to_a_document),
		T(a_single_top_folder_in_the_zip_is_taken_away),
		T(one_markdown_file_is_a_bundle),
		T(what_is_no_bundle_is_refused),
		T(decomposed_file_names_meet_their_composed_front_matter),
		T(faults_of_texts_and_of_files_are_told_together),
		T(several_workers_read_bundles_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
