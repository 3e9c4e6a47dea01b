/* test_requests.c - what each shipped gateway is sent, to the letter; filters, typed leaves and secrets of templates. */
#include "smshtest.h"

static void has(const char *vendor, const char *text, const char *needle)
{
	if (text == NULL || strstr(text, needle) == NULL)
		fail_msg("%s: '%s' lacks '%s'", vendor, text == NULL ? "" : text, needle);
}

/* The requests of one text, as the scripted host keeps them. */
static struct sh_http *sent(struct gate *g, const char *vendor, const char *payload)
{
	gate_new(g, vendor);
	sh_secret(g->h, "access_token", "tok-1");
	assert_int_equal(gate_open(g), 0);
	(void)gate_send(g, "+84912345678", "aaaaaaaaaaaadzgsiwka", payload);
	assert_int_equal(g->h->misuse, 0);
	assert_int_equal(g->h->n_http, 1);
	return &g->h->http[0];
}

static void esms_is_sent_strings_only(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "esms", PAYLOAD_UCS2);

	(void)state;
	assert_string_equal(c->method, "POST");
	assert_string_equal(c->url,
		"https://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/");
	has("esms", c->body, "Content-Type: application/json\n");
	has("esms", c->body, "{\"ApiKey\":\"\ngeheim\n");
	has("esms", c->body,
		"\",\"Phone\":\"0912345678\",\"Content\":\"Đã đăng bài \\\"A\\\"\",\"Brandname\":\"BHXH-VN\",\"SmsType\":\"2\","
		"\"IsUnicode\":\"1\",\"Sandbox\":\"0\",\"RequestId\":\"aaaaaaaaaaaadzgsiwka\","
		"\"CallbackUrl\":\"https://lantoa.example/w/sms/abc\"}");
	assert_null(strstr(c->body, "campaignid"));
	gate_free(&g);
}

static void speedsms_is_sent_a_list_and_a_number(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	size_t first = sh_op(g.h, g.session, "+84912345678", "r1", PAYLOAD_GSM, 7);
	(void)sh_op(g.h, g.session, "+84912345679", "r2", PAYLOAD_GSM, 7);
	assert_int_equal(sh_start(g.h, first, 2), 0);
	assert_int_equal(g.h->n_http, 1);
	has("speedsms", g.h->http[0].body, "Authorization: Basic Z2VoZWltOng=\n");
	has("speedsms", g.h->http[0].body,
		"{\"to\":[\"84912345678\",\"84912345679\"],\"content\":\"TTBC-2026-112 da dang & <xong>\",\"sms_type\":3,\"sender\":\"BHXH-VN\"}");
	gate_free(&g);
}

static void vietguys_is_sent_a_form_with_a_lasting_uuid(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "vietguys", PAYLOAD_GSM);

	(void)state;
	assert_int_equal(c->body_kind, LT_BODY_FORM);
	has("vietguys", c->body,
		"u=bhxh\npwd=geheim\nfrom=BHXH-VN\nphone=84912345678\nsms=TTBC-2026-112 da dang & <xong>\n");
	has("vietguys", c->body,
		"bid=00010203-0405-4607-8809-0a0b0c0d0e0f\n"); /* of the scripted digest */
	assert_null(strstr(c->body, "pid="));
	gate_free(&g);
}

static void viettel_is_sent_soap_with_its_text_escaped(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "viettel", PAYLOAD_GSM);

	(void)state;
	has("viettel", c->body, "SOAPAction: \"\"\n");
	has("viettel", c->body,
		"<ReceiverID>84912345678</ReceiverID><ServiceID>BHXH-VN</ServiceID><CommandCode>bulksms</CommandCode>"
		"<Content>TTBC-2026-112 da dang &amp; &lt;xong&gt;</Content><ContentType>0</ContentType>");
	has("viettel", c->body, "<Password>\ngeheim\n");
	gate_free(&g);
}

static void vnpt_is_sent_template_fields_and_never_free_text(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "vnpt", PAYLOAD_GSM);

	(void)state;
	has("vnpt", c->body,
		"\"TEMPLATEID\":\"DUTY-01\",\"PARAMS\":[{\"NUM\":\"1\",\"CONTENT\":\"TTBC-2026-112\"},"
		"{\"NUM\":\"2\",\"CONTENT\":\"BHXH \\\"Hue\\\"\"}]");
	has("vnpt", c->body, "\"MOBILELIST\":\"84912345678\"");
	assert_null(strstr(c->body, "xong"));
	gate_free(&g);
	gate_new(&g, "vnpt");
	assert_int_equal(gate_open(&g), 0);
	size_t op = gate_send(&g, "+84912345678", "r", PAYLOAD_UCS2);
	assert_int_equal(g.h->n_http, 0); /* no template: nothing leaves */
	assert_int_equal(sh_result(g.h, op)->outcome, LT_REFUSED);
	assert_int_equal(sh_result(g.h, op)->scope, LT_SCOPE_RELEASE);
	gate_free(&g);
}

static void fpt_is_sent_base64_and_the_token_in_the_body(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "fpt", PAYLOAD_UCS2);

	(void)state;
	has("fpt", c->body, "{\"access_token\":\"\ntok-1\n");
	has("fpt", c->body, "\"Message\":\"xJDDoyDEkcSDbmcgYsOgaSAiQSI=\"");
	assert_null(strstr(c->body, "Authorization"));
	gate_free(&g);
}

static void stringee_is_sent_a_signed_jwt(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "stringee", PAYLOAD_GSM);
	const struct sh_note *mac = sh_last_note(g.h, "mac");

	(void)state;
	/* {"typ":"JWT","alg":"HS256","cty":"stringee-api;v=1"} */
	has("stringee", c->body,
		"X-STRINGEE-AUTH: eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImN0eSI6InN0cmluZ2VlLWFwaTt2PTEifQ.");
	assert_non_null(mac);
	assert_int_equal(mac->value, LT_MAC_HMAC_SHA256);
	has("stringee", mac->text,
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImN0eSI6InN0cmluZ2VlLWFwaTt2PTEifQ.");
	has("stringee", c->body,
		"{\"sms\":[{\"from\":\"BHXH-VN\",\"to\":\"84912345678\",\"text\":\"TTBC-2026-112 da dang & <xong>\"}]}");
	gate_free(&g);
}

static void twilio_is_sent_a_form_with_e164(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "twilio", PAYLOAD_GSM);

	(void)state;
	assert_string_equal(c->url, "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
	has("twilio", c->body, "Authorization: Basic QUMxOmdlaGVpbQ==\n");
	has("twilio", c->body,
		"To=+84912345678\nFrom=BHXH-VN\nBody=TTBC-2026-112 da dang & <xong>\nStatusCallback=https://lantoa.example/w/sms/abc\n");
	gate_free(&g);
}

static void twilio_is_told_a_sender_or_a_service_never_both(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "twilio");
	sh_conf(g.h, "params", "account_sid=AC1; messaging_service_sid=MG7");
	assert_int_equal(gate_open(&g), 0);
	(void)gate_send(&g, "+84912345678", "r", PAYLOAD_GSM);
	has("twilio", g.h->http[0].body, "To=+84912345678\nMessagingServiceSid=MG7\nBody=");
	assert_null(strstr(g.h->http[0].body, "From="));
	gate_free(&g);
}

static void esms_is_asked_for_many_numbers_in_one_request(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "esms-ads", PAYLOAD_GSM);

	(void)state; /* one number: the call for one */
	assert_string_equal(c->url,
		"https://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/");
	has("esms-ads", c->body, "\"Phone\":\"0912345678\"");
	has("esms-ads", c->body, "\"SmsType\":\"1\"");
	gate_free(&g);
}

static void vonage_is_told_the_coding(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "vonage", PAYLOAD_UCS2);

	(void)state;
	has("vonage", c->body, "api_key=geheim\napi_secret=geheim\nfrom=BHXH-VN\nto=84912345678\n");
	has("vonage", c->body, "type=unicode\nclient-ref=aaaaaaaaaaaadzgsiwka\n");
	gate_free(&g);
	c = sent(&g, "vonage", PAYLOAD_GSM);
	has("vonage", c->body, "type=text\n");
	gate_free(&g);
}

static void kannel_is_asked_by_query_with_our_id_in_the_report_address(void **state)
{
	struct gate g;
	struct sh_http *c = sent(&g, "kannel", PAYLOAD_UCS2);

	(void)state;
	assert_string_equal(c->method, "GET");
	assert_string_equal(c->url, "http://127.0.0.1:13013/cgi-bin/sendsms");
	has("kannel", c->query, "username=bhxh\npassword=geheim\nfrom=BHXH-VN\nto=+84912345678\n");
	has("kannel", c->query, "coding=2\ncharset=UTF-8\ndlr-mask=31\n");
	has("kannel", c->query,
		"dlr-url=https://lantoa.example/w/sms/abc?ref=aaaaaaaaaaaadzgsiwka&status=%d&to=%p&smsc=%i&text=%A\n");
	gate_free(&g);
}

static void a_secret_never_stands_in_an_address_and_must_fit_its_place(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	sh_secret(g.h, "api_key", "a\"b");
	assert_int_equal(gate_open(&g), 0);
	size_t op = gate_send(&g, "+84912345678", "r", PAYLOAD_GSM);
	assert_int_equal(g.h->n_http, 0);
	assert_int_equal(sh_result(g.h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(g.h, op)->flags, LT_R_FREE | LT_R_PERSON);
	has("esms", sh_result(g.h, op)->text, "api_key");
	assert_null(strstr(sh_result(g.h, op)->text, "a\"b"));
	gate_free(&g);
}

/* --- filters ----------------------------------------------------------------------------------------------------------------- */
static void filtered(const char *filter, const char *in, const char *wanted)
{
	struct smsh_inst si = { .conf = { .zone_min = 420 } };
	struct sh *h = sh_new(&lantoa_adapter);
	struct smsh_vars v = { .si = &si, .host = &h->host };

	sh_secret(h, "key", "geheim");
	struct lt_str name = ltc_z(filter), arg = { 0 };
	const char *colon = strchr(filter, ':');
	struct ltc_buf b;

	if (colon != NULL) {
		name.n = (size_t)(colon - filter);
		arg = ltc_z(colon + 1);
	}
	ltc_buf_init(&b, 100000);
	ltc_addz(&b, in);
	bool good = smsh_filter(&v, name, arg, &b);
	if (good != (wanted != NULL) || (good && !ltc_eqz(ltc_buf_str(&b), wanted)))
		fail_msg("%s of '%s' is '%s'", filter, in, b.p == NULL ? "" : b.p);
	ltc_buf_done(&b);
	sh_free(h);
}

static void filters_do_what_they_say(void **state)
{
	(void)state;
	filtered("url", "a b&ộ~", "a%20b%26%E1%BB%99~");
	filtered("json", "a\"\\\n\x01", "a\\\"\\\\\\n\\u0001");
	filtered("xml", "<a&\"'>", "&lt;a&amp;&quot;&apos;&gt;");
	filtered("base64", "ab", "YWI=");
	filtered("base64url", "\xff\xfe", "__4");
	filtered("hex", "A\xff", "41ff");
	filtered("upper", "aộZ", "AộZ");
	filtered("lower", "AỘZ", "aỘz");
	filtered("local", "+84912345678", "0912345678");
	filtered("84", "+84912345678", "84912345678");
	filtered("e164", "84912345678", "+84912345678");
	filtered("local", "", NULL);
	filtered("plain", "Đã gửi", "Da gui");
	filtered("truncate:3", "ộộộộ", "ộộộ");
	filtered("truncate:0", "a", NULL);
	filtered("map:0=a,1=b", "1", "b");
	filtered("map:0=a", "2", NULL);
	filtered("default:x", "", "x");
	filtered("add:3600", "1000", "4600");
	filtered("add:x", "1000", NULL);
	filtered("date:%Y-%m-%d %H:%M:%S", "1795395600", "2026-11-23 08:00:00");
	filtered("date:", "1", NULL);
	filtered("date:%Y", "x", NULL);
	filtered("uuid", "x", "00010203-0405-4607-8809-0a0b0c0d0e0f");
	filtered("hmac_sha256:key", "x",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
	filtered("hmac_sha256", "x", NULL);
	filtered("nonsense", "x", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(esms_is_sent_strings_only),
		cmocka_unit_test(speedsms_is_sent_a_list_and_a_number),
		cmocka_unit_test(vietguys_is_sent_a_form_with_a_lasting_uuid),
		cmocka_unit_test(viettel_is_sent_soap_with_its_text_escaped),
		cmocka_unit_test(vnpt_is_sent_template_fields_and_never_free_text),
		cmocka_unit_test(fpt_is_sent_base64_and_the_token_in_the_body),
		cmocka_unit_test(stringee_is_sent_a_signed_jwt),
		cmocka_unit_test(twilio_is_sent_a_form_with_e164),
		cmocka_unit_test(twilio_is_told_a_sender_or_a_service_never_both),
		cmocka_unit_test(esms_is_asked_for_many_numbers_in_one_request),
		cmocka_unit_test(vonage_is_told_the_coding),
		cmocka_unit_test(kannel_is_asked_by_query_with_our_id_in_the_report_address),
		cmocka_unit_test(a_secret_never_stands_in_an_address_and_must_fit_its_place),
		cmocka_unit_test(filters_do_what_they_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
