/* test_allow.c - targets.allow as the control socket answers it: who may, which forms of an address are meant, what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/json.h"
#include "channel/channel.h"
#include "ctl/ctl_office.h"
#include "lib/testenv.h"
#include "lib/teststore.h"

#define ADDRESS "office@x.example"

static struct testenv te;
static struct teststore ts;
static struct conf conf;
static struct conf_channel mail, twin, text, *channels[3];
static int answers, answer_rc;
static struct err answer_err;
static cJSON *answer;
static struct actor who;

/* Stands in for the socket. */
void ctl_answer(struct ctl_call *c, int rc, const struct err *e, cJSON *result)
{
	UNUSED(c);
	answers++;
	answer_rc = rc;
	answer_err = e && rc < 0 ? *e : (struct err){ 0 };
	cJSON_Delete(answer);
	answer = result;
}
int ctl_upload_take(struct ctl_call *c, struct staged *ret, struct err *e)
{
	UNUSED(c);
	UNUSED(ret);
	return err_set(e, -EINVAL, "no upload here");
}
void ctl_mask(const struct ctl_call *c, int kind, struct str address, char *ret, size_t size)
{
	UNUSED(c);
	UNUSED(kind);
	str_copy(ret, size, address);
}
bool ctl_may_see(const struct ctl_call *c, const char *office_code)
{
	UNUSED(office_code);
	return !c->who.office;
}
int ctl_after(const struct ctl_call *c, int64_t *ret, struct err *e)
{
	UNUSED(c);
	UNUSED(e);
	*ret = 0;
	return 0;
}

/* Two channels of mail write addresses in small letters, the one of texts writes numbers with +84. */
struct channel *channels_find(struct channels *cs, const char *name)
{
	UNUSED(cs);
	return (struct channel *)(void *)(strcmp(name, "text") ? &mail : &text);
}
int channel_address(
	const struct channel *c, struct str in, struct addr_out *ret, struct err *reterr)
{
	bool number = (const void *)c == (const void *)&text;
	*ret = (struct addr_out){ .class = "" };
	if ((memchr(in.p, '@', in.n) == NULL) != number)
		return err_set(reterr, -EINVAL, "not of this kind");
	snprintf(ret->canonical, sizeof(ret->canonical), "%s" STR_FMT, number ? "+84" : "",
		STR_ARG((number ? (struct str){ in.p + 1, in.n - 1 } : in)));
	for (char *p = ret->canonical; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	return 0;
}

static struct conf_channel channel_of(const char *name, enum chan_kind kind)
{
	return (struct conf_channel){ .name = (char *)(uintptr_t)name, .kind = kind };
}
static int setup(void **state)
{
	UNUSED(state);
	testenv_init(&te, 1);
	ts.env = &te.env;
	assert_int_equal(teststore_open(&ts), 0);
	mail = channel_of("mail", KIND_EMAIL);
	twin = channel_of("twin", KIND_EMAIL);
	text = channel_of("text", KIND_SMS);
	channels[0] = &mail;
	channels[1] = &twin;
	channels[2] = &text;
	conf = (struct conf){ .channels = channels, .n_channels = 3 };
	who = (struct actor){ "minh", "uid:1", NULL, ROLE_ADMIN };
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	cJSON_Delete(answer);
	answer = NULL;
	teststore_close(&ts);
	testenv_done(&te);
	return 0;
}

static void suppressed(int kind, const char *address, int reason)
{
	char sql[400], hex[HASH_HEX];
	struct hash h;
	store_who(ts.s, kind, str_of(address), &h);
	hash_hex(&h, hex);
	snprintf(sql, sizeof(sql),
		"INSERT INTO suppression(who, list, reason, strikes, since) VALUES (x'%s','',%d,2,77)",
		hex, reason);
	assert_int_equal(teststore_exec(&ts, sql), 0);
}
static int64_t stands(void)
{
	return teststore_i64(&ts, "SELECT count(*) FROM suppression");
}

static const struct ctl_method *method(const char *name)
{
	const struct ctl_method *m = ctl_office_methods;
	while (m->name && strcmp(m->name, name) != 0)
		m++;
	assert_non_null(m->name);
	return m;
}
static int call_of(const char *name, const char *json)
{
	struct err e = { 0 };
	cJSON *params CLEANUP_JSON = NULL, *ret = NULL;
	struct channels *cs = (struct channels *)(void *)&mail;
	struct ctl_deps deps = { .env = &te.env, .store = ts.s, .channels = &cs };
	assert_int_equal(json_parse(str_of(json), 10000, &params, &e), 0);
	struct ctl_call c = { .deps = &deps, .params = params, .who = who, .conf = &conf };
	int before = answers;
	assert_int_equal(method(name)->fn(&c, &ret, &e), 0);
	for (int i = 0; i < 100 && answers == before; i++) {
		testenv_advance(&te, 100);
		(void)store_run(ts.s);
		(void)store_complete(ts.s);
	}
	assert_int_equal(answers, before + 1);
	return answer_rc;
}
static int call(const char *json)
{
	return call_of("targets.allow", json);
}
static void refused(int rc, int expect, const char *words)
{
	if (rc != expect || !strstr(answer_err.text, words))
		fail_msg("%d: %s", rc, answer_err.text);
	assert_null(answer);
}

static void it_is_for_who_may_erase(void **state)
{
	UNUSED(state);
	suppressed(KIND_EMAIL, ADDRESS, SUP_HARD);
	assert_int_equal(method("targets.allow")->roles, method("targets.forget")->roles);
	assert_int_equal(method("targets.allow")->roles, ROLE_ADMIN);
	who.office = "hue";
	refused(call("{\"address\":\"" ADDRESS "\",\"why\":\"x\"}"), -EPERM, "for all offices");
	assert_int_equal(stands(), 1);
}

static void it_needs_a_reason_that_does_not_name_the_address(void **state)
{
	UNUSED(state);
	suppressed(KIND_EMAIL, ADDRESS, SUP_HARD);
	refused(call("{\"address\":\"" ADDRESS "\"}"), -EINVAL, "reason (-m)");
	refused(call("{\"address\":\"" ADDRESS "\",\"why\":\"\"}"), -EINVAL, "reason (-m)");
	refused(call("{\"address\":\"" ADDRESS "\",\"why\":\"Office@X.example is well\"}"), -EINVAL,
		"the reason names the address");
	refused(call_of("targets.forget",
			"{\"address\":\"" ADDRESS "\",\"why\":\"" ADDRESS " asked\"}"),
		-EINVAL, "the reason names the address");
	assert_int_equal(stands(), 1);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM audit WHERE instr(why, '@')>0"), 0);
}

static void what_is_no_address_and_no_kind_is_said(void **state)
{
	UNUSED(state);
	suppressed(KIND_EMAIL, ADDRESS, SUP_HARD);
	refused(call("{\"address\":\"  \",\"why\":\"x\"}"), -EINVAL, "no address");
	refused(call("{\"address\":\"" ADDRESS "\",\"why\":\"x\",\"channel\":\"pigeon\"}"), -EINVAL,
		"'pigeon' is no kind");
	refused(call("{\"address\":\"other@x.example\",\"why\":\"x\"}"), -ENOENT,
		"nothing is suppressed");
	assert_int_equal(stands(), 1);
}

static void it_is_found_however_people_write_it_and_told_in_full(void **state)
{
	UNUSED(state);
	suppressed(KIND_EMAIL, ADDRESS, SUP_HARD);
	assert_int_equal(call("{\"address\":\" Office@X.Example \",\"why\":\"mended\"}"), 0);
	const cJSON *lifted = json_get(answer, "lifted"), *one = cJSON_GetArrayItem(lifted, 0);
	assert_int_equal(cJSON_GetArraySize(lifted), 1); /* two channels of mail, one address */
	assert_string_equal(json_z(one, "channel", ""), "email");
	assert_string_equal(json_z(one, "list", ""), "(all)");
	assert_string_equal(json_z(one, "reason", ""), "hard");
	assert_int_equal(json_i64(one, "strikes", 0), 2);
	assert_int_equal(json_i64(one, "since_at", 0), 77);
	assert_string_equal(json_z(one, "consent", ""), "none");
	assert_false(json_bool(one, "erased", true));
	assert_int_equal(strlen(json_z(one, "who", "")), HASH_HEX - 1);
	assert_true(cJSON_IsArray(json_get(answer, "kept")));
	assert_int_equal(cJSON_GetArraySize(json_get(answer, "kept")), 0);
	assert_int_equal(stands(), 0);
	suppressed(KIND_SMS, "+84912345678", SUP_HARD);
	assert_int_equal(call("{\"address\":\"0912345678\",\"why\":\"mended\"}"), 0);
	assert_int_equal(stands(), 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM audit WHERE what='suppression.remove'"),
		2);
}

static void a_wish_needs_its_own_word(void **state)
{
	UNUSED(state);
	suppressed(KIND_EMAIL, ADDRESS, SUP_COMPLAINT);
	refused(call("{\"address\":\"" ADDRESS "\",\"why\":\"x\"}"), -EBADMSG, "--agreed-again");
	assert_int_equal(stands(), 1);
	assert_int_equal(call("{\"address\":\"" ADDRESS
			      "\",\"why\":\"letter of today\",\"agreed_again\":true}"),
		0);
	assert_int_equal(stands(), 0);
}

static void one_kind_and_one_list_can_be_named(void **state)
{
	UNUSED(state);
	suppressed(KIND_ZALO, "84912345678", SUP_OPT_OUT);
	suppressed(KIND_SMS, "84912345678", SUP_OPT_OUT);
	assert_int_equal(
		call("{\"address\":\"84912345678\",\"why\":\"x\",\"agreed_again\":true,\"channel\":\"zalo\"}"),
		0);
	assert_int_equal(stands(), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(answer, "lifted")), 1);
	refused(call("{\"address\":\"84912345678\",\"why\":\"x\",\"agreed_again\":true,\"list\":\"news\"}"),
		-ENOENT, "nothing is suppressed");
	assert_int_equal(
		call("{\"address\":\"84912345678\",\"why\":\"x\",\"agreed_again\":true,\"list\":\"(all)\"}"),
		0);
	assert_int_equal(stands(), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_is_for_who_may_erase),
		T(it_needs_a_reason_that_does_not_name_the_address),
		T(what_is_no_address_and_no_kind_is_said),
		T(it_is_found_however_people_write_it_and_told_in_full),
		T(a_wish_needs_its_own_word),
		T(one_kind_and_one_list_can_be_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
