/* test_yaml.c - YAML as the configuration and imports read it: its limits, and where a mistake stands. */
#include "conf/conf_yaml.h"
#include "confscene.h"

static void yaml_beyond_its_limits_is_refused(void **state)
{
	struct ynode *n = NULL;
	struct err e = { 0 };
	char deep[200];
	(void)state;
	memset(deep, '[', 100);
	deep[100] = 0;
	assert_true(conf_yaml_parse("x", str_of(deep), &n, &e) < 0);
	assert_non_null(strstr(e.text, "16 levels"));
	assert_true(conf_yaml_parse("x", str_of("a: \xff\xfe"), &n, &e) == -EILSEQ);
	assert_true(conf_yaml_parse("x", str_of("a: 1\n---\nb: 2\n"), &n, &e) < 0);
	assert_true(conf_yaml_parse("x", str_of("a: *b\n"), &n, &e) < 0);
	/* libyaml reads ahead: of what it cannot read it knows the byte alone */
	assert_true(conf_yaml_parse("x",
			    str_of("\xef\xbb\xbf"
				   "a: 1\r\nb: \"Đ\"\nc: x\x0by\n"),
			    &n, &e) < 0);
	assert_non_null(strstr(e.text, "x:3: "));
	assert_non_null(strstr(e.text, "U+000B"));
	assert_int_equal(conf_yaml_parse("x", str_of(""), &n, &e), 0);
	assert_int_equal(n->n, 0);
	ynode_free(n);
	assert_int_equal(conf_yaml_parse("x",
				 str_of("\xef\xbb\xbf"
					"a: [1, {b: c}]\r\n"),
				 &n, &e),
		0);
	assert_string_equal(ynode_get(n, "a")->child[1]->child[0]->key, "b");
	ynode_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(yaml_beyond_its_limits_is_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
