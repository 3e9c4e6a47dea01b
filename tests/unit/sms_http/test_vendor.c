/* test_vendor.c - the shipped vendor files are sound, and a wrong one is refused with its line and what would be right. */
#include "smshtest.h"

static const char *const shipped[] = { "esms", "esms-ads", "speedsms", "vietguys", "vietguys-v2",
	"viettel", "vnpt", "fpt", "stringee", "twilio", "vonage", "kannel" };

static void every_shipped_vendor_file_opens(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
		struct gate g;
		gate_new(&g, shipped[i]);
		if (gate_open(&g) != 0)
			fail_msg("%s: %s", shipped[i], sh_last_note(g.h, "log")->text);
		assert_int_equal(g.h->misuse, 0);
		gate_free(&g);
	}
}

static void said(const char *vendor, const char *needle)
{
	struct gate g;

	gate_new(&g, "esms");
	sh_file(g.h, "vendor", vendor);
	assert_true(gate_open(&g) < 0);
	const char *text = sh_last_note(g.h, "log")->text;
	if (strstr(text, needle) == NULL)
		fail_msg("'%s' lacks '%s'", text, needle);
	gate_free(&g);
}

#define HEAD "{\"vendor\":\"x\",\"base\":\"https://x.example\",\"phone\":\"84\",\n"
#define SEND(rules)                                                                                                       \
	"\"send\":{\"url\":\"{{base}}/s\",\"type\":\"json\",\"body\":{\"a\":\"{{text}}\"},\n\"answer\":{\"rules\":" rules \
	"}}"
#define GOOD SEND("[{\"then\":\"unknown\"}]")

static void a_wrong_vendor_file_is_refused_with_line_value_and_what_is_right(void **state)
{
	(void)state;
	said("", "vendor file is needed");
	said("{", "line 1");
	said("[1,\n2", "line 2");
	said("{\"vendor\":\"x\",\n\"phone\":\"85\"}",
		"line 2: phone is '85'; \"0\", \"84\" or \"+84\"");
	said(HEAD "\"sned\":{}}", "unknown name 'sned'");
	said(HEAD "\"note\":\"\"}", "\"send\" with \"answer\" is missing");
	said(HEAD SEND("[{\"at\":\"/a\",\"is\":\"1\",\"then\":\"accepted\"}]") "}",
		"must be {\"then\": \"unknown\"}");
	said(HEAD SEND("[{\"then\":\"accepted\"}]") "}", "must be {\"then\": \"unknown\"}");
	said(HEAD SEND("[{\"at\":\"a\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"JSON Pointer");
	said(HEAD SEND("[{\"at\":[],\"is\":\"1\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"one pointer or more");
	said(HEAD SEND(
		     "[{\"at\":[[\"/a\"]],\"is\":\"1\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"JSON Pointer");
	said(HEAD
		"\"send\":{\"url\":\"{{base}}\",\"answer\":{\"rejected\":{\"then\":\"bad_rcpt\"},\"rules\":[{\"then\":\"unknown\"}]}}}",
		"a pointer to the list");
	said(HEAD SEND(
		     "[{\"at\":\"/a\",\"matches\":\"(a\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"regular expression");
	said(HEAD SEND(
		     "[{\"at\":\"/a\",\"matches\":\"(a)\\\\1\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"back references");
	said(HEAD SEND(
		     "[{\"at\":\"/a\",\"matches\":\"a{9}{9}\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"counted repetitions");
	said(HEAD SEND("[{\"status\":\"4xx\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"200-299,429");
	said(HEAD SEND("[{\"is\":\"1\",\"then\":\"temp\"},{\"then\":\"unknown\"}]") "}",
		"\"at\" or \"header\" beside it");
	said(HEAD SEND("[{\"at\":\"/a\",\"then\":\"ok\"},{\"then\":\"unknown\"}]") "}",
		"then 'ok'; accepted, duplicate");
	said(HEAD
		"\"send\":{\"url\":\"{{base}}\",\"answer\":{\"with_phone\":true,\"rules\":[{\"then\":\"unknown\"}]}}}",
		"with_phone 'true'; the name of a secret");
	said(HEAD
		"\"send\":{\"url\":\"{{bose}}\",\"answer\":{\"rules\":[{\"then\":\"unknown\"}]}}}",
		"no value has the name 'bose'");
	said(HEAD
		"\"send\":{\"url\":\"{{base|leet}}\",\"answer\":{\"rules\":[{\"then\":\"unknown\"}]}}}",
		"there is no filter 'leet'");
	said(HEAD "\"send\":{\"url\":\"{{base\",\"answer\":{\"rules\":[{\"then\":\"unknown\"}]}}}",
		"{{ without its }}");
	said(HEAD "\"batch\":0," GOOD "}", "batch is '0'; a number from 1 to 1000");
	said(HEAD "\"auth\":{\"kind\":\"magic\"}," GOOD "}", "none, basic, bearer, token or jwt");
	said(HEAD "\"auth\":{\"kind\":\"token\"}," GOOD "}", "needs \"request\" and \"token\"");
	said(HEAD
		"\"receipts\":{\"reports\":{\"map\":[{\"at\":\"/a\",\"is\":\"1\",\"state\":\"ok\"}]}}," GOOD
		"}",
		"one of: transit");
	said(HEAD "\"settings\":{\"contract\":null}," GOOD "}", "needs the value 'contract'");
	said(HEAD "\"phone\":\"84\"," GOOD "}", "twice");
}

static void open_with(const char *key, const char *value, const char *needle)
{
	struct gate g;

	gate_new(&g, "esms");
	sh_conf(g.h, key, value);
	assert_true(gate_open(&g) < 0);
	const char *text = sh_last_note(g.h, "log")->text;
	if (strstr(text, needle) == NULL)
		fail_msg("'%s' lacks '%s'", text, needle);
	gate_free(&g);
}

static void a_wrong_setting_is_refused(void **state)
{
	(void)state;
	open_with("base", "http://rest.esms.example", "is not encrypted");
	open_with("base", "ftp://rest.esms.example", "https://api.example/v1");
	open_with("params", "colour=red", "has no setting 'colour'");
	open_with("connections", "0", "from 1 to 64");
	open_with("zone", "Mars", "offset");
	open_with("sender", "TWELVE-CHARS", "");
}

static void plain_http_is_said_aloud_when_allowed(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "kannel");
	assert_int_equal(gate_open(&g), 0);
	assert_non_null(strstr(sh_last_note(g.h, "log")->text, "unencrypted"));
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shipped_vendor_file_opens),
		cmocka_unit_test(a_wrong_vendor_file_is_refused_with_line_value_and_what_is_right),
		cmocka_unit_test(a_wrong_setting_is_refused),
		cmocka_unit_test(plain_http_is_said_aloud_when_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
