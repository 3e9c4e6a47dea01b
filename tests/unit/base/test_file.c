/* test_file.c - files read whole within a maximum, written durably, folders made and emptied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "../../lib/tmpdir.h"

static char *dir;

static int setup(void **state)
{
	(void)state;
	dir = tmpdir_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tmpdir_remove(dir);
	return 0;
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	assert_non_null(d);
	for (struct dirent *it; (it = readdir(d)) != NULL;)
		n += strcmp(it->d_name, ".") && strcmp(it->d_name, "..");
	(void)closedir(d);
	return n;
}

static void assert_content(const char *path, const char *content)
{
	struct buf b CLEANUP_BUF = { 0 };

	buf_init(&b, 1000);
	assert_int_equal(file_read(path, &b, NULL), 0);
	assert_string_equal(buf_z(&b), content);
}

static void a_file_is_written_whole_with_its_mode_and_replaced(void **state)
{
	const char *path = tmpdir_path(dir, "f");
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(file_write_durable(path, STR("one"), 0640, &e), 0);
	assert_content(path, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_write_durable(path, STR(""), 0600, &e), 0);
	assert_content(path, "");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(entries(dir), 1);
}

static void a_file_in_no_folder_is_refused_with_its_name(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(file_write_durable(tmpdir_path(dir, "no/f"), STR("x"), 0600, &e), -ENOENT);
	assert_non_null(strstr(e.text, "no/f"));
	assert_int_equal(file_write_durable(dir, STR("x"), 0600, &e), -EISDIR);
	assert_int_equal(entries(dir), 0);
}

#ifdef LANTOA_FAULTS
static void a_write_that_fails_leaves_the_old_file_and_no_litter(void **state)
{
	static const struct {
		const char *point;
		int code;
		const char *left;
	} rows[] = { { "file.write", -ENOSPC, "old" }, { "file.fsync", -EIO, "old" },
		{ "file.rename", -EIO, "old" }, { "dir.fsync", -EIO, "new" } };
	const char *path = tmpdir_path(dir, "f");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		fault_clear();
		assert_int_equal(file_write_durable(path, STR("old"), 0600, &e), 0);
		fault_set(rows[i].point, 0, 1);
		assert_int_equal(file_write_durable(path, STR("new"), 0600, &e), rows[i].code);
		assert_non_null(strstr(e.text, dir));
		assert_content(path, rows[i].left);
		assert_int_equal(entries(dir), 1);
	}
	fault_clear();
}

static void reading_survives_memory_running_out(void **state)
{
	const char *path = tmpdir_path(dir, "f");
	struct buf b CLEANUP_BUF = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(file_write_durable(path, STR("content"), 0600, &e), 0);
	fault_clear();
	buf_init(&b, 100);
	assert_int_equal(buf_addz(&b, "keep"), 0);
	fault_set("buf.grow", 0, 1);
	assert_int_equal(file_read(path, &b, &e), -ENOMEM);
	assert_string_equal(buf_z(&b), "keep");
	fault_clear();
}
#endif

static void reading_stops_at_the_maximum(void **state)
{
	const char *path = tmpdir_path(dir, "f");
	struct buf b CLEANUP_BUF = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(file_write_durable(path, STR("12345"), 0600, &e), 0);
	buf_init(&b, 5);
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_string_equal(buf_z(&b), "12345");
	struct buf small CLEANUP_BUF = { 0 };
	buf_init(&small, 4);
	assert_int_equal(file_read(path, &small, &e), -E2BIG);
	assert_non_null(strstr(e.text, path));
	assert_non_null(strstr(e.text, "4 bytes"));
	assert_int_equal(small.n, 0);
}

static void a_file_larger_than_one_step_is_read_whole(void **state)
{
	const char *path = tmpdir_path(dir, "f");
	size_t n = 300000;
	char *big = malloc(n);
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < n; i++)
		big[i] = (char)(i * 31 >> 3);
	assert_int_equal(file_write_durable(path, (struct str){ big, n }, 0600, NULL), 0);
	buf_init(&b, 1 << 20);
	assert_int_equal(file_read(path, &b, NULL), 0);
	assert_int_equal(b.n, n);
	assert_memory_equal(b.p, big, n);
	free(big);
}

static void only_regular_files_are_read_and_links_only_where_allowed(void **state)
{
	const char *path = tmpdir_path(dir, "f"), *lnk = tmpdir_path(dir, "link"),
		   *pipe = tmpdir_path(dir, "pipe");
	struct buf b CLEANUP_BUF = { 0 };
	struct err e = { 0 };

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(file_write_durable(path, STR("x"), 0600, &e), 0);
	assert_int_equal(symlink("f", lnk), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(file_read(lnk, &b, &e), 0);
	assert_int_equal(file_read(dir, &b, &e), -EISDIR);
	assert_int_equal(file_read(pipe, &b, &e), -EINVAL); /* and does not hang */
	assert_int_equal(file_read(tmpdir_path(dir, "absent"), &b, &e), -ENOENT);
	assert_non_null(strstr(e.text, "absent"));

	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	buf_reset(&b);
	assert_int_equal(file_read_at(fd, "f", &b, &e), 0);
	assert_int_equal(file_read_at(fd, "link", &b, &e), -ELOOP);
	assert_non_null(strstr(e.text, "symbolic link"));
	assert_int_equal(file_read_at(fd, "pipe", &b, &e), -EINVAL);
	assert_string_equal(buf_z(&b), "x");
	(void)close(fd);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(dir_make(tmpdir_path(dir, "a/b//c/"), 0700, &e), 0);
	assert_int_equal(dir_make(tmpdir_path(dir, "a/b/c"), 0700, &e), 0);
	assert_int_equal(stat(tmpdir_path(dir, "a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(file_write_durable(tmpdir_path(dir, "f"), STR("x"), 0600, &e), 0);
	assert_int_equal(dir_make(tmpdir_path(dir, "f"), 0700, &e), -ENOTDIR);
	assert_int_equal(dir_make(tmpdir_path(dir, "f/g"), 0700, &e), -ENOTDIR);
	assert_non_null(strstr(e.text, "/f'"));
	assert_int_equal(dir_make("", 0700, &e), -EINVAL);
	assert_int_equal(dir_sync(tmpdir_path(dir, "a")), 0);
	assert_int_equal(dir_sync(tmpdir_path(dir, "f")), -ENOTDIR);
}

static void emptying_a_folder_does_not_follow_links(void **state)
{
	const char *tree = tmpdir_path(dir, "tree"), *outside = tmpdir_path(dir, "outside");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(dir_make(tmpdir_path(dir, "tree/a/b/c"), 0700, &e), 0);
	assert_int_equal(dir_make(outside, 0700, &e), 0);
	assert_int_equal(
		file_write_durable(tmpdir_path(dir, "outside/keep"), STR("x"), 0600, &e), 0);
	assert_int_equal(file_write_durable(tmpdir_path(dir, "tree/a/b/f"), STR("x"), 0600, &e), 0);
	assert_int_equal(symlink(outside, tmpdir_path(dir, "tree/a/link")), 0);
	assert_int_equal(symlink(outside, tmpdir_path(dir, "lnk")), 0);

	assert_int_equal(dir_remove_tree(tree), 0);
	assert_int_equal(entries(tree), 0);
	assert_int_equal(entries(outside), 1);
	assert_true(dir_remove_tree(tmpdir_path(dir, "lnk")) < 0);
	assert_int_equal(entries(outside), 1);
	assert_int_equal(dir_remove_tree(tmpdir_path(dir, "absent")), -ENOENT);
}

static void assets_lie_under_two_digits(void **state)
{
	struct hash h;
	char path[128];

	(void)state;
	hash_bytes(&h, "abc", 3);
	asset_path(path, sizeof(path), "/var/a", &h);
	assert_string_equal(
		path, "/var/a/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_closed_descriptor_gives_its_error(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(fd[1], "abc", 3), 0);
	char got[4] = "";
	assert_int_equal(read(fd[0], got, 3), 3);
	assert_string_equal(got, "abc");
	assert_int_equal(fd_write_all(fd[0], "abc", 3), -EBADF);
	assert_int_equal(fd_write_all(fd[0], NULL, 0), 0);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_file_is_written_whole_with_its_mode_and_replaced),
		T(a_file_in_no_folder_is_refused_with_its_name),
#ifdef LANTOA_FAULTS
		T(a_write_that_fails_leaves_the_old_file_and_no_litter),
		T(reading_survives_memory_running_out),
#endif
		T(reading_stops_at_the_maximum),
		T(a_file_larger_than_one_step_is_read_whole),
		T(only_regular_files_are_read_and_links_only_where_allowed),
		T(folders_are_made_with_their_parents),
		T(emptying_a_folder_does_not_follow_links),
		cmocka_unit_test(assets_lie_under_two_digits),
		cmocka_unit_test(a_closed_descriptor_gives_its_error),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
