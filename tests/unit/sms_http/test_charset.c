/* test_charset.c - answers and reports that are no UTF-8, and answers that are plain text (contracts/sms.md 3.3: regex, charset). */
#include "json.h"

#define VIETTEL(message)                                                                        \
	"<?xml version=\"1.0\"?><S:Envelope xmlns:S=\"http://s/\"><S:Body><r><return><result>1" \
	"</result><message>" message "</message></return></r></S:Body></S:Envelope>"

static struct sh_result *one_answer(struct gate *g, const char *body)
{
	size_t op = gate_send(g, "+84912345678", "r", PAYLOAD_GSM);

	sh_answer(g->h, g->h->n_http - 1, LT_P_ANSWERED, 200, body);
	assert_true(sh_result(g->h, op)->done);
	return sh_result(g->h, op);
}

static void one_byte_that_is_no_utf8_takes_nothing_from_an_answer(void **state)
{
	static const struct {
		const char *vendor, *body, *id;
	} rows[] = {
		{ "viettel", VIETTEL("Th\xe0nh c\xf4ng"), "" },
		{ "viettel", VIETTEL("a\x9b\xff"), "" },
		{ "esms", "{\"CodeResult\":\"100\",\"SMSID\":\"s-1\",\"ErrorMessage\":\"\xe9\"}",
			"s-1" },
		{ "vonage",
			"{\"messages\":[{\"status\":\"0\",\"message-id\":\"m\",\"x\":\"\x80\"}]}",
			"m" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		gate_new(&g, rows[i].vendor);
		assert_int_equal(gate_open(&g), 0);
		const struct sh_result *r = one_answer(&g, rows[i].body);
		assert_int_equal(r->outcome, LT_ACCEPTED);
		assert_string_equal(r->id, rows[i].id);
		assert_true(ltc_utf8_valid(ltc_z(r->text)));
		gate_free(&g);
	}
	struct gate g;
	gate_new(&g, "viettel");
	assert_int_equal(gate_open(&g), 0);
	assert_string_equal(one_answer(&g, VIETTEL("Th\xe0nh c\xf4ng \x9b"))->text, "Thành công ›");
	assert_string_equal(one_answer(&g, VIETTEL("Thành công"))->text, "Thành công");
	gate_free(&g);
}

#define VENDOR(answer)                                                                             \
	"{'vendor': 'text', 'base': 'https://text.example', 'phone': '84',"                        \
	" 'send': {'url': '{{base}}/s', 'type': 'form', 'body': {'text': '{{text}}'}, 'answer': {" \
	"  " answer " }}}"

static void open_own(struct gate *g, const char *vendor)
{
	*g = (struct gate){ .h = gate_host(json(vendor), NULL, false) };
	if (gate_open(g) != 0)
		fail_msg("%s", sh_last_note(g->h, "log")->text);
}

static void the_file_may_say_in_which_charset_an_answer_is(void **state)
{
	static const struct {
		const char *charset, *body, *text; /* NULL: it is not read */
	} rows[] = {
		{ "utf-8", "{\"r\":0,\"m\":\"\xe9\"}", NULL },
		{ "utf-8", "{\"r\":0,\"m\":\"\xc3\xa9\"}", "é" },
		{ "latin1", "{\"r\":0,\"m\":\"\xc3\xa9\"}", "Ã©" },
		{ "latin1", "{\"r\":0,\"m\":\"\x80 \x81\"}", "€ \xef\xbf\xbd" },
		{ "windows-1258", "{\"r\":0,\"m\":\"\xd0\xe3 g\xfdi \xfe\"}", "Đă gưi ₫" },
		{ "windows-1258", "{\"r\":0,\"m\":\"\xc3\xcc\xd2\"}", "Ă\xcc\x80\xcc\x89" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		char vendor[600];
		(void)snprintf(vendor, sizeof(vendor),
			VENDOR("'charset': '%s', 'text': '/m', 'rules': [{'at': '/r', 'is': '0', "
			       "'then': 'accepted'}, {'then': 'unknown'}]"),
			rows[i].charset);
		open_own(&g, vendor);
		const struct sh_result *r = one_answer(&g, rows[i].body);
		assert_int_equal(r->outcome, rows[i].text == NULL ? LT_UNKNOWN : LT_ACCEPTED);
		if (rows[i].text != NULL)
			assert_string_equal(r->text, rows[i].text);
		gate_free(&g);
	}
}

static void a_plain_text_is_read_by_the_groups_of_an_expression(void **state)
{
	static const struct {
		const char *body;
		int outcome;
		const char *id, *code, *text;
	} rows[] = {
		{ "OK 12345", LT_ACCEPTED, "12345", "OK", "" },
		{ "OK 000123456789012345678\r\n", LT_ACCEPTED, "000123456789012345678", "OK", "" },
		{ "noise\nOK 7\nmore", LT_ACCEPTED, "7", "OK", "" },
		{ "ERR 105 no such number", LT_REFUSED, "", "ERR", "no such number" },
		{ "ERR 105 sai s\xf4", LT_REFUSED, "", "ERR", "sai sô" },
		{ "ERR 500", LT_DEFERRED, "", "ERR", "" },
		{ "ERR 1", LT_UNKNOWN, "", "ERR", "" },
		{ "<html>", LT_UNKNOWN, "", "HTTP 200",
			"line 1: not of the form that is expected" },
		{ "", LT_UNKNOWN, "", "HTTP 200", "the answer is empty" },
	};
	char big[SMSH_MATCH_MAX + 10];
	struct gate g;

	(void)state;
	open_own(&g,
		VENDOR("'format': 'regex', 'pattern': '^(OK|ERR) ([0-9]+)( ([^\\r]*))?', 'code': '/1', "
		       "'id': '/2', 'text': '/4', 'rules': ["
		       "{'at': '/1', 'is': 'OK', 'then': 'accepted'},"
		       "{'at': '/4', 'exists': 'true', 'and': [{'at': '/2', 'is': '105'}], 'then': 'bad_rcpt'},"
		       "{'at': '/2', 'is': '500', 'then': 'temp'}, {'then': 'unknown'}]"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sh_result *r = one_answer(&g, rows[i].body);
		if (r->outcome != rows[i].outcome || strcmp(r->id, rows[i].id) != 0 ||
			strcmp(r->code, rows[i].code) != 0 || strcmp(r->text, rows[i].text) != 0)
			fail_msg("'%s': %d, id '%s', code '%s', text '%s'", rows[i].body,
				r->outcome, r->id, r->code, r->text);
	}
	memset(big, '7', sizeof(big));
	memcpy(big, "OK ", 3);
	big[sizeof(big) - 1] = '\0'; /* an id that a limit would cut */
	assert_int_equal(one_answer(&g, big)->outcome, LT_UNKNOWN);
	gate_free(&g);
}

static void a_group_that_ends_inside_of_a_character_is_not_believed(void **state)
{
	struct gate g;

	(void)state;
	open_own(&g,
		VENDOR("'format': 'regex', 'pattern': '^OK (.)', 'id': '/1', "
		       "'rules': [{'at': '/0', 'exists': 'true', 'then': 'accepted'}, {'then': 'unknown'}]"));
	assert_string_equal(one_answer(&g, "OK a")->id, "a");
	assert_int_equal(one_answer(&g, "OK \xc4\x90")->outcome, LT_UNKNOWN);
	gate_free(&g);
}

static void reports_are_read_alike(void **state)
{
	static const struct {
		const char *method, *query, *type, *body;
	} rows[] = {
		{ "POST", "", "application/json",
			"{\"messageId\":\"0A1\",\"status\":\"delivered\",\"x\":\"\xe9\"}" },
		{ "POST", "", "application/x-www-form-urlencoded",
			"messageId=0A1&status=delivered&x=%e9%9b&y=%c4%90" },
		{ "GET", "messageId=0A1&status=delivered&x=\xe9", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lt_pair head = { .name = ltc_z("Content-Type"),
			.value = ltc_z(rows[i].type) };
		struct lt_request r = { .struct_size = sizeof(r),
			.method = ltc_z(rows[i].method),
			.query = ltc_z(rows[i].query),
			.body = ltc_z(rows[i].body),
			.headers = &head,
			.n_headers = 1 };
		struct gate g;
		gate_new(&g, "vonage");
		assert_int_equal(gate_open(&g), 0);
		size_t j = sh_job(g.h, LT_J_WEBHOOK, NULL);
		g.h->jobs[j]->work.request = &r;
		(void)sh_start(g.h, j, 1);
		sh_turn(g.h);
		assert_int_equal(sh_last_note(g.h, "reply")->value, 200);
		assert_int_equal(sh_last_note(g.h, "receipt")->value, LT_RC_DELIVERED);
		gate_free(&g);
	}
}

static void wrong(const char *answer, const char *needle)
{
	char vendor[900];

	(void)snprintf(vendor, sizeof(vendor), VENDOR("%s"), answer);
	struct gate g = { .h = gate_host(json(vendor), NULL, false) };
	assert_true(gate_open(&g) < 0);
	const char *text = sh_last_note(g.h, "log")->text;
	if (strstr(text, needle) == NULL)
		fail_msg("'%s' lacks '%s'", text, needle);
	gate_free(&g);
}

#define END "'rules': [{'then': 'unknown'}]"
static void a_charset_or_an_expression_that_is_none_is_refused(void **state)
{
	(void)state;
	wrong("'charset': 'tcvn3', " END, "one of: utf-8 latin1 windows-1258");
	wrong("'format': 'regex', " END, "belong together");
	wrong("'format': 'xml', 'pattern': 'a', " END, "belong together");
	wrong("'format': 'regex', 'pattern': '(a', " END, "regular expression");
	wrong("'format': 'regex', 'pattern': '()()()()()()()()()()', " END, "at most 9 groups");
	wrong("'format': 'regex', 'pattern': '(a)\\\\1', " END, "back references");
	wrong("'format': 'text', " END, "json xml form regex none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_byte_that_is_no_utf8_takes_nothing_from_an_answer),
		cmocka_unit_test(the_file_may_say_in_which_charset_an_answer_is),
		cmocka_unit_test(a_plain_text_is_read_by_the_groups_of_an_expression),
		cmocka_unit_test(a_group_that_ends_inside_of_a_character_is_not_believed),
		cmocka_unit_test(reports_are_read_alike),
		cmocka_unit_test(a_charset_or_an_expression_that_is_none_is_refused),
	};
	return cmocka_run_group_tests_name("sms_http/charset", tests, NULL, NULL);
}
