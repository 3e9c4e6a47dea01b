/* test_secret.c - secrets in files and credentials: who may read them, and how they are written. */
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "confgood.h"

/* A person at a terminal has no credentials of the service manager: such secrets are counted, and a daemon goes on to refuse them. */
static void a_secret_of_the_service_manager_is_not_looked_at_by_hand(void **state)
{
	(void)state;
	char text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	size_t unseen = 99;
	put("lantoad.yaml", top_good);
	assert_int_equal(conf_load_by_hand(path_of("lantoad.yaml"), &c, &unseen, &e), 0);
	assert_int_equal(unseen, 0);
	conf_unref(MOVE(c));
	(void)snprintf(text, sizeof(text),
		"%ssecrets: {password: {credential: relay-pw}, other: {credential: relay-other}}\nwebhook: {secret: {credential: hook}}\n",
		mail_good);
	put("ch/mail.yaml", text);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(load_it(&c, &e), -ENOENT);
	assert_non_null(strstr(e.text, "add LoadCredential=relay-pw:PATH"));
	assert_int_equal(conf_load_by_hand(path_of("lantoad.yaml"), &c, &unseen, &e), 0);
	assert_int_equal(unseen, 3);
	conf_unref(MOVE(c));
	/* Under the service manager they are looked at, as files always are. */
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_int_equal(conf_load_by_hand(path_of("lantoad.yaml"), &c, &unseen, &e), -ENOENT);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	(void)snprintf(text, sizeof(text), "%ssecrets: {password: {file: none.pw}}\n", mail_good);
	put("ch/mail.yaml", text);
	assert_int_equal(conf_load_by_hand(path_of("lantoad.yaml"), &c, &unseen, &e), -ENOENT);
	assert_null(c);
}

/* As make install and tmpfiles leave it: root's, and read by the group of the service. */
static void a_password_of_a_proxy_stands_where_no_stranger_reads(void **state)
{
	(void)state;
	char text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	(void)snprintf(text, sizeof(text), "%sproxy: http://u:geheim@127.0.0.1:3128\n", mail_good);
	put("ch/mail.yaml", text);
	assert_int_equal(chmod(path_of("ch/mail.yaml"), 0644), 0);
	assert_int_equal(load_it(&c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "mail.yaml:9: proxy: "));
	assert_null(strstr(e.text, "geheim"));
	assert_int_equal(chmod(path_of("ch/mail.yaml"), 0640), 0);
	assert_int_equal(load_it(&c, &e), 0);
	conf_unref(c);
	if (geteuid() != 0) /* only root may give it to a group that is not ours */
		return;
	assert_int_equal(chown(path_of("ch/mail.yaml"), 4711, 4712), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path_of("lantoad.yaml"), 0644), 0);
	assert_int_equal(chmod(path_of("ch"), 0755), 0);
	assert_int_equal(seteuid(4711), 0);
	int rc = load_it(&c, &e);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, -EINVAL);
	assert_non_null(strstr(e.text, "chmod 0640"));
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
	static const char password[] = "ch/relay.pw";
	(void)state;
	char text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	(void)snprintf(text, sizeof(text), "%ssecrets: {password: {file: relay.pw}}\n", mail_good);
	put("lantoad.yaml", top_good);
	put("ch/mail.yaml", text);
	put(password, "hunter2\n");
	assert_int_equal(chmod(path_of(password), 0644), 0);
	assert_int_equal(load_it(&c, &e), -EPERM);
	assert_non_null(strstr(e.text, "chmod 0600"));
	assert_null(strstr(e.text, "hunter2"));
	assert_int_equal(chmod(path_of(password), 0600), 0);
	assert_int_equal(load_it(&c, &e), 0);
	struct secret *s = NULL;
	assert_int_equal(conf_secret_read(&c->channels[0]->secrets[0], &s, &e), 0);
	assert_true(str_eqz(secret_value(s), "hunter2"));
	secret_free(s);
	conf_unref(MOVE(c));
	/* as an editor of Windows saves it */
	put(password, "\xef\xbb\xbfhunter2\r\n");
	assert_int_equal(load_it(&c, &e), 0);
	assert_int_equal(conf_secret_read(&c->channels[0]->secrets[0], &s, &e), 0);
	assert_true(str_eqz(secret_value(s), "hunter2"));
	secret_free(s);
	conf_unref(MOVE(c));
	assert_int_equal(
		file_write_durable(path_of(password), STR("\xff\xfeh\0u\0\r\0\n\0"), 0600, &e), 0);
	assert_int_equal(load_it(&c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is in UTF-16"));
	put(password, "\r\n");
	assert_int_equal(load_it(&c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is empty"));
	assert_int_equal(unlink(path_of(password)), 0);
	assert_int_equal(mkfifo(path_of(password), 0600), 0);
	(void)alarm(20); /* nobody will ever write into it */
	assert_int_equal(load_it(&c, &e), -EINVAL);
	(void)alarm(0);
	assert_non_null(strstr(e.text, "no regular file"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_good, teardown)
	const struct CMUnitTest tests[] = {
		T(a_secret_of_the_service_manager_is_not_looked_at_by_hand),
		T(a_password_of_a_proxy_stands_where_no_stranger_reads),
		T(a_secret_that_others_may_read_is_refused),
	};
#undef T
	return cmocka_run_group_tests(tests, NULL, NULL);
}
