/* test_bundle_hostile.c - zips that would lead out, fill the disk or take a name twice are refused, and so is what is damaged. */
#include "bundlescene.h"

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

#ifdef LANTOA_FAULTS
static void a_full_disk_ends_the_unpacking_with_its_name(void **state)
{
	struct place *pl = *state;
	struct archive *a = zip_open(pl);
	zip_text(a, "release.md", TEXT);
	zip_close(a);
	fault_set("bundle.write", 0, 1);
	unpack_refused(pl, -ENOSPC, "No space left");
	fault_clear();
	assert_int_equal(dir_remove_tree(pl->dir), 0);
	assert_int_equal(bundle_unpack(pl->zip, "", pl->dir, NULL, NULL), 0);
}
#endif

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(paths_that_lead_out_of_the_bundle_are_refused),
		T(links_and_devices_are_refused),
		T(names_that_differ_only_by_case_or_marks_are_one_name),
		T(a_zip_bomb_is_stopped_while_it_unpacks),
		T(limits_on_sizes_and_counts_hold),
#ifdef LANTOA_FAULTS
		T(a_full_disk_ends_the_unpacking_with_its_name),
#endif
		T(a_damaged_zip_is_refused_wherever_it_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
