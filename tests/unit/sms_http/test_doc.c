/* test_doc.c - the readers of JSON, XML and forms: what they keep, and what they refuse. */
#include <errno.h>
#include "smshtest.h"

static void reads(enum smsh_format f, const char *text, const char *pointer, const char *wanted)
{
	struct smsh_doc d;

	if (smsh_doc_read(&d, f, ltc_z(text)) != 0)
		fail_msg("%s: %s", text, d.why);
	struct lt_str got = smsh_text_at(&d, 0, ltc_z(pointer));
	if (wanted == NULL)
		assert_null(got.p);
	else if (!ltc_eqz(got, wanted))
		fail_msg("%s at %s: '%.*s', wanted '%s'", text, pointer, (int)got.n,
			got.p == NULL ? "" : got.p, wanted);
	smsh_doc_done(&d);
}

static void refuses_n(enum smsh_format f, const char *text, size_t n)
{
	struct smsh_doc d;
	char *exact = malloc(n + 1); /* so that a read behind the end is seen */

	memcpy(exact, text, n);
	char *tight = realloc(exact, n == 0 ? 1 : n);
	if (smsh_doc_read(&d, f, (struct lt_str){ tight, n }) == 0)
		fail_msg("taken: %.*s", (int)n, text);
	assert_int_equal(d.n, 0);
	smsh_doc_done(&d);
	free(tight);
}

static void refuses(enum smsh_format f, const char *text)
{
	refuses_n(f, text, strlen(text));
}

static void json_keeps_numbers_as_text_and_decodes_strings(void **state)
{
	(void)state;
	reads(SMSH_F_JSON, "{\"id\":12345678901234567890123}", "/id", "12345678901234567890123");
	reads(SMSH_F_JSON, "{\"a\":[{\"b\":\"x\"},{\"b\":true}]}", "/a/1/b", "true");
	reads(SMSH_F_JSON, "{\"a/b\":{\"m~n\":1}}", "/a~1b/m~0n", "1");
	reads(SMSH_F_JSON, "{\"\":{\"\":\"e\"}}", "//", NULL);
	reads(SMSH_F_JSON, "\"\\u0110\\u00e0 \\ud83d\\ude00\\n\"", "", "Đà 😀\n");
	reads(SMSH_F_JSON, " \t\r\n{ \"a\" : -1.5e+3 } ", "/a", "-1.5e+3");
	reads(SMSH_F_JSON, "{\"a\":null}", "/a", NULL);
	reads(SMSH_F_JSON, "{\"a\":1}", "/b/c", NULL);
	reads(SMSH_F_JSON, "{\"x\":{\"deep\":{\"token\":\"t\"}}}", "//token", "t");
	reads(SMSH_F_JSON, "{\"x\":{\"deep\":{\"token\":\"t\"}}}", "//deep/token", "t");
	reads(SMSH_F_JSON, "{\"A\":1,\"a\":2}", "/a", "2");
}

static void json_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[", "{\"a\"", "{\"a\":", "{\"a\":1",
		"{\"a\":1,", "{\"a\":1,}", "[1,]", "{a:1}", "{\"a\" 1}", "tru", "nul", "01", "-",
		"1.", "1e", "+1", ".5", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
		"\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\u0000\"", "\"\x01\"", "\"\xff\"", "1 2",
		"{} x", "<html>502 Bad Gateway</html>", "{\"a\":1,\"a\":2}", "'a'", "NaN",
		"\xef\xbb" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(SMSH_F_JSON, bad[i]);
	refuses_n(SMSH_F_JSON, "{\"a\":\"b\0c\"}", 11);
}

static void nesting_size_and_members_are_bounded(void **state)
{
	char *big = malloc(SMSH_TEXT_MAX + 2), *at = big;
	struct smsh_doc d;

	(void)state;
	memset(big, '[', 1000);
	refuses_n(SMSH_F_JSON, big, 1000);
	memset(big, ' ', SMSH_TEXT_MAX + 1);
	assert_int_equal(
		smsh_doc_read(&d, SMSH_F_JSON, (struct lt_str){ big, SMSH_TEXT_MAX + 1 }), -E2BIG);
	smsh_doc_done(&d);
	*at++ = '[';
	for (int i = 0; i < 30000; i++)
		at += snprintf(at, 16, "1,");
	at += snprintf(at, 16, "1]");
	refuses_n(SMSH_F_JSON, big, (size_t)(at - big));
	at = big;
	*at++ = '{';
	for (int i = 0; i < 600; i++)
		at += snprintf(at, 16, "%s\"m%d\":1", i > 0 ? "," : "", i);
	at += snprintf(at, 16, "}");
	refuses_n(SMSH_F_JSON, big, (size_t)(at - big));
	at = big;
	for (int i = 0; i < 100; i++)
		at += snprintf(at, 16, "<a>");
	refuses_n(SMSH_F_XML, big, (size_t)(at - big));
	free(big);
}

#define SOAP                                                                                                              \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x --><S:Envelope xmlns:S=\"http://s/\">"                        \
	"<S:Body><ns2:wsCpMtResponse xmlns:ns2='urn:b'><return><message>Tin &amp; &#272;&#xe0; <![CDATA[<b>]]></message>" \
	"<result>1</result></return></ns2:wsCpMtResponse></S:Body></S:Envelope>\n"

static void xml_is_found_by_local_names(void **state)
{
	(void)state;
	reads(SMSH_F_XML, SOAP, "/Envelope/Body/wsCpMtResponse/return/result", "1");
	reads(SMSH_F_XML, SOAP, "//result", "1");
	reads(SMSH_F_XML, SOAP, "//nothing", NULL);
	reads(SMSH_F_XML, "<a b='1' c=\"x&lt;y\"/>", "/a/@c", "x<y");
	reads(SMSH_F_XML, "<a><b>1</b><b>2</b></a>", "/a/1", "2");
	reads(SMSH_F_XML, "<a></a>", "/a", "");
	reads(SMSH_F_XML, "<a>  hai ba  </a><!-- end -->", "/a", "hai ba");
}

static void xml_that_is_none_or_dangerous_is_refused(void **state)
{
	static const char *const bad[] = { "", "x", "<a>", "<a", "<a></b>", "<a/><b/>", "<a b=1/>",
		"<a b='1'c='2'/>", "<a b/>", "<a>&nbsp;</a>", "<a>&#0;</a>", "<a>&#xd800;</a>",
		"<a>&#1114112;</a>", "<a>&#;</a>", "<a>&amp</a>",
		"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
		"<!DOCTYPE a [<!ENTITY l \"lol\">]><a/>", "<a><![CDATA[x</a>", "<a><!-- </a>",
		"<1a/>", "<a>\xff</a>", "<a b='<'/>", "{\"a\":1}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(SMSH_F_XML, bad[i]);
}

static void forms_are_decoded(void **state)
{
	(void)state;
	reads(SMSH_F_FORM, "a=1&b=hai+ba%20%C4%90&c", "/b", "hai ba Đ");
	reads(SMSH_F_FORM, "a=1&b=2&c", "/c", "");
	reads(SMSH_F_FORM, "", "/a", NULL);
	reads(SMSH_F_FORM, "a=%zz%4", "/a", "%zz%4");
	reads(SMSH_F_FORM, "a=x%00y", "/a", "xy");
	refuses(SMSH_F_FORM, "a=%ff");
}

static void every_cut_of_an_answer_is_read_or_refused_but_never_beyond_its_end(void **state)
{
	static const char json[] = "{\"a\":[1,\"\\ud83d\\ude00\",{\"b\":null}],\"c\":-1.5e3}";

	(void)state;
	for (size_t n = 0; n < sizeof(json) - 1; n++)
		refuses_n(SMSH_F_JSON, json, n);
	for (size_t n = 0; n + 1 < sizeof(SOAP) - 1; n++)
		refuses_n(SMSH_F_XML, SOAP, n);
}

/* Noise from the pieces of the notations: nothing but an answer of the reader is wanted, under the sanitizers. */
static void noise_does_no_harm(void **state)
{
	static const char *const piece[] = { "{", "}", "[", "]", "\"", ":", ",", "\\u", "d83d", "<",
		"</", ">", "/>", "a", "=", "'", "&", "&#", ";", "<![CDATA[", "]]>", "<!--", "-->",
		"1", "-", ".", "e", "true", "\xc4\x90", "\xff", " ", "\n", "%" };
	uint64_t seed = 12345;
	char text[400];

	(void)state;
	for (int round = 0; round < 60000; round++) {
		size_t n = 0, parts = 1 + (seed >> 33) % 30;
		for (size_t i = 0; i < parts; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			const char *p = piece[(seed >> 33) % (sizeof(piece) / sizeof(piece[0]))];
			memcpy(text + n, p, strlen(p));
			n += strlen(p);
		}
		char *tight = malloc(n);
		memcpy(tight, text, n);
		for (int f = SMSH_F_JSON; f <= SMSH_F_FORM; f++) {
			struct smsh_doc d;
			int rc = smsh_doc_read(
				&d, (enum smsh_format)f, (struct lt_str){ tight, n });
			assert_true(rc == 0 ? d.n > 0 : d.n == 0);
			smsh_doc_done(&d);
		}
		free(tight);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_keeps_numbers_as_text_and_decodes_strings),
		cmocka_unit_test(json_that_is_none_is_refused),
		cmocka_unit_test(nesting_size_and_members_are_bounded),
		cmocka_unit_test(xml_is_found_by_local_names),
		cmocka_unit_test(xml_that_is_none_or_dangerous_is_refused),
		cmocka_unit_test(forms_are_decoded),
		cmocka_unit_test(
			every_cut_of_an_answer_is_read_or_refused_but_never_beyond_its_end),
		cmocka_unit_test(noise_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
