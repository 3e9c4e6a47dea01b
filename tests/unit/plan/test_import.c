/* test_import.c - imports end to end: the samples, the same again, changes, forms of files, who may bring what. */
#include "importscene.h"

static void the_samples_are_36_offices_and_179_targets(void **state)
{
	(void)state;
	samples();
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM office"), 36);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM target WHERE lane_id IS NOT NULL"), 73);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id WHERE c.kind=4"),
		36);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target WHERE flags&2"), 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM audience"), 6);
	assert_int_equal(
		teststore_i64(&ts, "SELECT last-first FROM campaign"), 47LL * 86400000 - 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT depth FROM office WHERE code='dien-bien-muong-ang'"), 2);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE g.name='press'"),
		37);
	char *hotline = teststore_text(&ts,
		"SELECT json_extract(v.json,'$.hotline') FROM office o JOIN vars v ON v.hash=o.vars_hash WHERE o.code='ha-noi'");
	assert_string_equal(hotline, "0200 000 001");
	free(hotline);
}

static void kinds_without_a_channel_are_taken_and_warned_of(void **state)
{
	(void)state;
	assert_int_equal(
		run_path(IMPORT_WHAT_OFFICES, EXAMPLES "offices.csv", "offices.csv", false), 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false), 0);
	char *text = json_print(json_get(answer, "warnings"));
	assert_non_null(strstr(text, "no channel for zalo yet: 36 targets wait for a route"));
	free(text);
}

static void importing_again_changes_nothing(void **state)
{
	(void)state;
	samples();
	assert_int_equal(
		run_path(IMPORT_WHAT_OFFICES, EXAMPLES "offices.csv", "offices.csv", false), 0);
	assert_counts(0, 0, 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false), 0);
	assert_counts(0, 0, 0);
	assert_int_equal(got("rows"), 179);
	assert_int_equal(
		run_path(IMPORT_WHAT_AUDIENCES, EXAMPLES "audiences.yaml", "audiences.yaml", false),
		0);
	assert_counts(0, 0, 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_CAMPAIGNS, EXAMPLES "campaigns.yaml", "campaigns.yaml", false),
		0);
	assert_counts(0, 0, 0);
}

/* The sample with one text replaced. */
static char *edited(const char *path, const char *from, const char *to)
{
	struct buf b CLEANUP_BUF;
	struct err e;
	buf_init(&b, 1u << 20);
	assert_int_equal(file_read(path, &b, &e), 0);
	const char *at = strstr(buf_z(&b), from);
	assert_non_null(at);
	size_t n = (size_t)(at - b.p);
	char *ret = malloc(b.n + strlen(to) + 1);
	assert_non_null(ret);
	memcpy(ret, b.p, n);
	memcpy(ret + n, to, strlen(to));
	memcpy(ret + n + strlen(to), at + strlen(from), b.n - n - strlen(from) + 1);
	return ret;
}

static void a_changed_hotline_is_one_change_and_a_missing_line_is_gone(void **state)
{
	(void)state;
	samples();
	char *text = edited(EXAMPLES "offices.csv", "0200 000 001", "0200 999 999");
	assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "offices.csv", text), 0);
	free(text);
	assert_counts(0, 1, 0);
	text = edited(EXAMPLES "targets.csv",
		"email,news@foreign-press.example,trung-uong,Foreign press,en,press\r\n", "");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "targets.csv", text), 0);
	free(text);
	assert_counts(0, 0, 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target WHERE flags&1"), 1);
	assert_int_equal(
		run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false), 0);
	assert_counts(1, 0, 0);
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "subscribers.csv",
				 "channel,address,office\nemail,x@example.com,ha-noi\n"),
		0);
	assert_counts(1, 0, 0); /* another file: nothing of the first one is gone */
}

static void a_dry_run_counts_and_stores_nothing(void **state)
{
	(void)state;
	struct hash a, b;
	digest(&a);
	assert_int_equal(
		run_path(IMPORT_WHAT_OFFICES, EXAMPLES "offices.csv", "offices.csv", true), 0);
	assert_counts(36, 0, 0);
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

static void bom_and_crlf_are_accepted(void **state)
{
	(void)state;
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.csv",
			"\xef\xbb\xbf"
			"code,parent,order,name,region,hotline\r\nroot,,0,Trung ương,tw,1900\r\nx,root,1,\"X, tỉnh\",bac,\r\n"),
		0);
	assert_counts(2, 0, 0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT json_extract(json,'$.hotline') IS NULL FROM vars v JOIN office o ON o.vars_hash=v.hash WHERE code='x'"),
		1);
}

static void yaml_is_read_like_csv(void **state)
{
	(void)state;
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.yaml",
			"tw: {parent: '', name: Trung ương, region: tw}\nhn: {parent: tw, name: Ha\xcc\x80 No\xcc\xa3\xcc\x82i, region: bac, hotline: '1'}\n"),
		0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM office o JOIN vars v ON v.hash=o.vars_hash WHERE o.code='hn' AND v.json LIKE '%Hà Nội%'"),
		1);
	assert_counts(2, 0, 0);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.yaml",
			"- {channel: email, address: A@x.example, office: hn, tags: [press, duty], lists: [tin]}\n"),
		0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target_tag"), 2);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM list_target"), 1);
}

/* A program that writes YAML writes null: "null" was the hotline in the texts of that office. */
static void null_in_yaml_is_an_empty_cell(void **state)
{
	(void)state;
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.yaml",
			"tw: {parent: ~, name: Trung ương, region: tw, hotline: null, fax: 'null'}\n"
			"hn: {parent: tw, name: Hà Nội, region: bac, hotline: '1', fax: Null}\n"),
		0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM office o JOIN vars v ON v.hash=o.vars_hash WHERE o.code='tw' AND json_extract(v.json,'$.fax')='null' "
			"AND coalesce(json_extract(v.json,'$.hotline'),'')=''"),
		1);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM office o JOIN vars v ON v.hash=o.vars_hash WHERE o.code='hn' AND v.json LIKE '%ull%'"),
		0);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.yaml",
			"- {channel: email, address: a@x.example, office: hn, name: ~, tags: [press, null]}\n"),
		0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target_tag"), 1);
	assert_int_equal(run_z(IMPORT_WHAT_AUDIENCES, "a.yaml",
				 "press: {name: null, any: [{tag: press}]}\n"),
		0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM audience WHERE title='press'"), 1);
}

static void a_person_of_an_office_brings_only_its_own(void **state)
{
	(void)state;
	samples();
	bound = "dien-bien";
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "t.csv", HEAD "email,a@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(2, "office", "is not yours");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "targets.csv",
				 HEAD "email,a@x.example,dien-bien-muong-ang,,,\n"),
		0);
	assert_int_equal(got("added"), 1);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN office o ON o.id=t.office_id WHERE t.flags&1 AND o.code NOT LIKE 'dien-bien%'"),
		0);
	assert_true(got("gone") > 0);
}

static void suppressions_are_kept_by_hash_only(void **state)
{
	(void)state;
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nGone@x.example,email,hard\n"),
		0);
	assert_counts(1, 0, 0);
	struct hash who;
	char hex[HASH_HEX], sql[200];
	store_who(ts.s, KIND_EMAIL, STR("gone@x.example"), &who);
	hash_hex(&who, hex);
	(void)snprintf(
		sql, sizeof(sql), "SELECT reason FROM suppression WHERE hex(who)=upper('%s')", hex);
	assert_int_equal(teststore_i64(&ts, sql), SUP_HARD);
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nGone@x.example,email,hard\n"),
		0);
	assert_counts(0, 0, 0);
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nx@x.example,email,because\n"),
		-EBADMSG);
	assert_problem(2, "reason", "is no reason");
}

static int reason_after(const char *rows)
{
	char text[200];
	(void)snprintf(text, sizeof(text), "address,kind,reason\n%s", rows);
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv", text), 0);
	return (int)teststore_i64(&ts, "SELECT reason FROM suppression");
}

/* A bounce is lifted with a reason alone, what the person wants is not. */
static void a_list_of_bounces_does_not_hide_who_wants_nothing(void **state)
{
	(void)state;
	assert_int_equal(reason_after("a@x.example,email,hard\n"), SUP_HARD);
	assert_int_equal(reason_after("a@x.example,email,soft\n"), SUP_SOFT);
	assert_int_equal(reason_after("a@x.example,email,opt_out\n"), SUP_OPT_OUT);
	assert_counts(0, 1, 0);
	assert_int_equal(reason_after("a@x.example,email,hard\n"), SUP_OPT_OUT);
	assert_counts(0, 0, 0);
	assert_int_equal(reason_after("a@x.example,email,complaint\n"), SUP_COMPLAINT);
}

static void the_register_of_refusals_stops_advertising_only(void **state)
{
	(void)state;
	assert_int_equal(
		run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv", "address\n+84912345678\n+84912345679\n"),
		0);
	assert_counts(2, 0, 0);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM suppression WHERE list='" SUPPRESS_ADS
				 "' AND reason=7"),
		2);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM suppression WHERE list=''"), 0);
	assert_int_equal(run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv",
				 "address,kind\nA@x.example,email\n+84912345678,\n"),
		0);
	assert_counts(1, 0, 0);
	assert_int_equal(run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv", "address\n\xff\n"), -EBADMSG);
	assert_int_equal(
		run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv", "phone\n+84912345678\n"), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_samples_are_36_offices_and_179_targets),
		T(kinds_without_a_channel_are_taken_and_warned_of),
		T(importing_again_changes_nothing),
		T(a_changed_hotline_is_one_change_and_a_missing_line_is_gone),
		T(a_dry_run_counts_and_stores_nothing),
		T(bom_and_crlf_are_accepted),
		T(yaml_is_read_like_csv),
		T(null_in_yaml_is_an_empty_cell),
		T(a_person_of_an_office_brings_only_its_own),
		T(suppressions_are_kept_by_hash_only),
		T(a_list_of_bounces_does_not_hide_who_wants_nothing),
		T(the_register_of_refusals_stops_advertising_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
