/* test_api.c - what the listeners serve: the unsubscribe page, assets, metrics and health; and addresses that cannot be had. */
#include <fcntl.h>
#include <unistd.h>
#include "apiscene.h"
#include "../../lib/tmpdir.h"

/* --- unsubscribe ----------------------------------------------------------------------------- */

static void opening_the_link_shows_a_page_and_does_nothing(void **state)
{
	(void)state;
	run("GET", true, "/u/abc-DEF_1.2", NULL, NULL);
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 0);
	assert_non_null(strstr(H.body, "<form method=\"post\">"));
	assert_non_null(strstr(H.body, "Ngừng nhận thư"));
	assert_non_null(strstr(H.body, "Unsubscribe"));
	assert_non_null(strstr(H.body, "BHXH &lt;&amp;&gt; &quot;VN&quot;"));
	assert_null(strstr(H.body, "BHXH <"));
	run("HEAD", true, "/u/abc", NULL, NULL);
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 0);
}

static void one_click_acts_and_is_told_so(void **state)
{
	(void)state;
	run("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 1);
	assert_string_equal(W.token, "abc");
	assert_non_null(strstr(H.body, "Đã ngừng gửi"));
	run("POST", true, "/u/abc?x=1", "multipart/form-data; boundary=b",
		"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n");
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 2);
	assert_string_equal(W.token, "abc");
}

/* RFC 2045: a token needs no quotes, and names of types and parameters have no case; RFC 8058 sends it so. */
static void one_click_is_understood_in_every_form_of_a_form(void **state)
{
	(void)state;
	static const char *const heads[] = {
		"Content-Disposition: form-data; name=List-Unsubscribe",
		"content-disposition: form-data;NAME=List-Unsubscribe; charset=x",
		"Content-Disposition: form-data;\r\n\tName=\"List-Unsubscribe\"",
		"Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\nContent-Type: text/plain"
	};
	static const char *const types[] = { "multipart/form-data; boundary=b",
		"Multipart/Form-Data; boundary=\"b\"" };
	char body[300];
	for (size_t i = 0; i < ARRAY_LEN(heads) * ARRAY_LEN(types); i++) {
		(void)snprintf(body, sizeof(body), "--b\r\n%s\r\n\r\nOne-Click\r\n--b--\r\n",
			heads[i / 2]);
		run("POST", true, "/u/abc", types[i % 2], body);
		assert_int_equal(H.status, 200);
		assert_int_equal(W.calls, i + 1);
	}
}

static void a_form_with_another_field_says_nothing(void **state)
{
	(void)state;
	static const char *const heads[] = { "form-data; filename=List-Unsubscribe",
		"form-data; name=List-Unsubscribed", "form-data; name=\"List-Unsubscribe",
		"form-data; name=\"List-Unsubscribe x\"", "form-data; name=", "form-data; name=\"",
		"form-data; name=List" };
	char body[300];
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		(void)snprintf(body, sizeof(body),
			"--b\r\nContent-Disposition: %s\r\n\r\nOne-Click\r\n--b--\r\n", heads[i]);
		run("POST", true, "/u/abc", "multipart/form-data; boundary=b", body);
		assert_int_equal(H.status, 400);
	}
	assert_int_equal(W.calls, 0);
}

static void two_hundred_comes_only_after_the_commit(void **state)
{
	(void)state;
	W.later = true;
	start("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
	assert_true(peer_run_until(&R, handed_over, NULL, WAIT_MS));
	peer_run_for(&R, 100);
	assert_int_equal(H.calls, 0);
	api_answer_unsubscribed(W.call, 0);
	assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	assert_int_equal(H.status, 200);
}

static void what_is_not_committed_is_not_two_hundred(void **state)
{
	(void)state;
	static const struct {
		int code, status;
	} t[] = { { -ENOENT, 404 }, { -EBADMSG, 404 }, { -EINVAL, 404 }, { -EAGAIN, 503 },
		{ -EIO, 503 }, { -ENOSPC, 503 } };
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		W.code = t[i].code;
		run("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
		assert_int_equal(H.status, t[i].status);
	}
}

static void a_post_without_the_word_does_nothing(void **state)
{
	(void)state;
	static const char *const bodies[] = { "", "x",
		"List-Unsubscribe=", "List-Unsubscribe=One-ClickX",
		"a=List-Unsubscribe=One-Click" };
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		run("POST", true, "/u/abc", FORM, bodies[i]);
		assert_int_equal(H.status, 400);
	}
	run("POST", true, "/u/abc", "multipart/form-data; boundary=b",
		"name=\"List-Unsubscribe\"\r\n\r\nno");
	assert_int_equal(H.status, 400);
	assert_int_equal(W.calls, 0);
}

static void wrong_paths_and_methods_are_refused(void **state)
{
	(void)state;
	static const char *const paths[] = { "/", "/u/", "/u/a/b", "/u/a%20b", "/u/%2e%2e",
		"/U/abc", "/metrics", "/healthz", "/w/sms-1", "/a/" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		run("GET", true, paths[i], NULL, NULL);
		assert_int_equal(H.status, 404);
	}
	run("PUT", true, "/u/abc", NULL, "x");
	assert_int_equal(H.status, 405);
	run("DELETE", true, "/a/abc", NULL, NULL);
	assert_int_equal(H.status, 405);
	assert_int_equal(W.calls, 0);
}

static void a_form_that_is_too_large_is_413(void **state)
{
	(void)state;
	static char big[API_FORM_MAX + 2];
	memset(big, 'x', API_FORM_MAX + 1);
	run("POST", true, "/u/abc", FORM, big);
	assert_int_equal(H.status, 413);
	assert_int_equal(W.calls, 0);
}

/* --- assets ---------------------------------------------------------------------------------- */

static void make_file(const char *path, size_t n)
{
	char *p = malloc(n);
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 % 251);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	free(p);
	W.fd = fd;
	W.size = n;
}

static bool file_bytes_ok(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != (char)(i * 7 % 251))
			return false;
	return true;
}

static void an_asset_is_served_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 5000, 131072, 131073, 3000000 };
	char *dir = tmpdir_new();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		make_file(tmpdir_path(dir, "a.png"), sizes[i]);
		run("GET", true, "/a/tok", NULL, NULL);
		assert_int_equal(H.status, 200);
		assert_int_equal(H.body_n, sizes[i]);
		size_t n = H.body_n < sizeof(H.body) - 1 ? H.body_n : sizeof(H.body) - 1;
		assert_true(file_bytes_ok(H.body, n));
	}
	W.fd = -1;
	run("GET", true, "/a/tok", NULL, NULL);
	assert_int_equal(H.status, 404);
	tmpdir_remove(dir);
}

static void an_asset_that_became_shorter_is_not_taken_for_whole(void **state)
{
	(void)state;
	char *dir = tmpdir_new();
	make_file(tmpdir_path(dir, "a.png"), 200000);
	W.size = 400000;
	start("GET", true, "/a/tok", NULL, NULL);
	assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	assert_true(H.truncated);
	tmpdir_remove(dir);
}

/* --- private --------------------------------------------------------------------------------- */

static void metrics_are_refreshed_and_printed(void **state)
{
	(void)state;
	run("GET", true, "/u/abc", NULL, NULL);
	run("GET", false, "/metrics", NULL, NULL);
	assert_int_equal(H.status, 200);
	assert_int_equal(W.refreshed, 1);
	assert_non_null(strstr(H.body, "\nlantoa_test_depth 42\n"));
	assert_non_null(
		strstr(H.body, "lantoa_http_requests_total{listener=\"public\",code=\"200\"} 1\n"));
}

static void health_tells_the_reason(void **state)
{
	(void)state;
	run("GET", false, "/healthz", NULL, NULL);
	assert_int_equal(H.status, 200);
	W.health = -EIO;
	run("GET", false, "/healthz", NULL, NULL);
	assert_int_equal(H.status, 503);
	assert_string_equal(H.body, "the store does not answer\n");
	run("GET", false, "/readyz", NULL, NULL);
	assert_int_equal(H.status, 503);
	run("POST", false, "/readyz", FORM, "");
	assert_int_equal(H.status, 405);
	run("GET", false, "/u/abc", NULL, NULL); /* public pages are not here */
	assert_int_equal(H.status, 404);
}

/* --- opening --------------------------------------------------------------------------------- */

static void an_address_that_cannot_be_had_is_told(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct api *b;
	char taken[64];
	struct api_options o = { .public_listen = "localhost:80" };
	assert_int_equal(api_open(R.loop, &o, &b, &e), -EINVAL);
	assert_non_null(strstr(e.text, "'localhost:80'"));
	assert_non_null(strstr(e.text, "127.0.0.1:8480"));
	(void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", api_public_port(A));
	o.public_listen = "127.0.0.1:0";
	o.private_listen = taken;
	assert_int_equal(api_open(R.loop, &o, &b, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, taken));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(opening_the_link_shows_a_page_and_does_nothing),
		T(one_click_acts_and_is_told_so),
		T(one_click_is_understood_in_every_form_of_a_form),
		T(a_form_with_another_field_says_nothing),
		T(two_hundred_comes_only_after_the_commit),
		T(what_is_not_committed_is_not_two_hundred),
		T(a_post_without_the_word_does_nothing),
		T(wrong_paths_and_methods_are_refused),
		T(a_form_that_is_too_large_is_413),
		T(an_asset_is_served_whole),
		T(an_asset_that_became_shorter_is_not_taken_for_whole),
		T(metrics_are_refreshed_and_printed),
		T(health_tells_the_reason),
		T(an_address_that_cannot_be_had_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
