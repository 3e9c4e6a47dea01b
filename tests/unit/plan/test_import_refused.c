/* test_import_refused.c - imports that must be refused whole: each problem with its line and field, and not one row changed. */
#include <dirent.h>
#include "importscene.h"

#define O_HEAD "code,parent,order,name,region\n"

static void every_bad_row_of_targets_is_told_and_nothing_is_stored(void **state)
{
	(void)state;
	struct hash a, b;
	samples();
	digest(&a);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv",
			HEAD
			"email,a@x.example,ha-noi,,,\nemail,b@x.example,ha-noy,,,\nemial,c@x.example,ha-noi,,,\n"
			"email,nobody,ha-noi,,,\nemail,d@x.example,ha-noi,,Vietnamese language,\nemail,e@x.example\n"
			"email,A@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(3, "office", "there is no office 'ha-noy'; did you mean 'ha-noi'?");
	assert_problem(4, "channel", "'emial' is no kind of channel; did you mean email");
	assert_problem(5, "address", "no @ in the address");
	assert_problem(6, "lang", "is no language");
	assert_problem(7, "", "2 columns, the first line has 6");
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv",
			HEAD
			"email,a@x.example,ha-noi,,,\nemail,b@x.example,ha-noi,,,\nemail,A@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(4, "address", "stands in line 2 already");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "t.csv",
				 "channel,adress,office\nemail,a@x.example,ha-noi\n"),
		-EBADMSG);
	assert_problem(1, "adress", "did you mean 'address'?");
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv", HEAD "email,\xff\xfe@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(2, NULL, "broken UTF-8");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "t.csv", ""), -EBADMSG);
	assert_problem(1, NULL, "the file is empty");
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv", "channel;address;office\nemail;a@x;ha-noi\n"),
		-EBADMSG);
	assert_problem(1, NULL, "commas, not semicolons");
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
	DIR *d = opendir(store_staging_dir(ts.s));
	assert_non_null(d);
	for (const struct dirent *it; (it = readdir(d)) != NULL;)
		assert_true(strncmp(it->d_name, "import-", 7) != 0);
	closedir(d);
}

static void a_megabyte_line_is_refused_whole(void **state)
{
	(void)state;
	struct hash a, b;
	size_t n = (1u << 20) + 100;
	char *text = malloc(n);
	assert_non_null(text);
	memset(text, 'a', n);
	memcpy(text, HEAD, strlen(HEAD));
	text[n - 1] = '\n';
	samples();
	digest(&a);
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "t.csv", text, n), -EBADMSG);
	free(text);
	assert_problem(2, NULL, "the line is over 64 KB");
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

static void trees_that_are_none_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *rows, *field, *part;
		int line;
	} cases[] = {
		{ "a,,0,A,tw\nb,zz,1,B,bac\n", "parent", "there is no office 'zz' in the file", 3 },
		{ "a,,0,A,tw\nb,c,1,B,bac\nc,b,2,C,bac\n", "parent", "a circle", 4 },
		{ "a,,0,A,tw\na,,1,B,bac\n", "code", "'a' stands in line 2 already", 3 },
		{ "a,,0,A,tw\nb,,1,B,bac\n", "parent", "a tree has one", 3 },
		{ "a,a,0,A,tw\n", "parent", "stands above itself", 2 },
		{ "A b,,0,A,tw\n", "code", "is no code", 2 },
		{ "a,,0,,tw\n", "name", "has no name", 2 },
	};
	struct hash a, b;
	digest(&a);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[300];
		(void)snprintf(text, sizeof(text), O_HEAD "%s", cases[i].rows);
		assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "o.csv", text), -EBADMSG);
		assert_problem(cases[i].line, cases[i].field, cases[i].part);
	}
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.csv", "code,parnet,order,name,region\na,,0,A,tw\n"),
		-EBADMSG);
	assert_problem(1, "parnet", "did you mean 'parent'?");
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

static void what_is_wrong_in_rules_and_campaigns_is_said_with_line_and_value(void **state)
{
	(void)state;
	static const struct {
		int what;
		const char *text;
		int line;
		const char *says;
	} cases[] = {
		{ IMPORT_WHAT_AUDIENCES, "x: {name: X, broad: true}\nx: {name: Y, broad: true}\n",
			2, "key 'x' stands twice" },
		{ IMPORT_WHAT_AUDIENCES, "x: {name: X, broad: true}\n\ty: 1\n", 2, "a tab" },
		{ IMPORT_WHAT_AUDIENCES, "x:\n  name: \"X\\nhash 1234\"\n  broad: true\n", 2,
			"on one line" },
		{ IMPORT_WHAT_CAMPAIGNS, "x:\n  name: X\n  from: 2026-02-30\n  to: 2026-10-20\n", 3,
			"a date such as 2026-10-20, not '2026-02-30'" },
		{ IMPORT_WHAT_CAMPAIGNS,
			"x:\n  from: 2026-02-20\n  to: 2026-10-20\n  priority: high\n", 4,
			"urgent, normal or bulk, not 'high'" },
		{ IMPORT_WHAT_CAMPAIGNS,
			"x:\n  from: 2026-02-20\n  to: 2026-10-20\n  priority: [bulk]\n", 4,
			"urgent, normal or bulk" },
	};
	struct hash a, b;
	digest(&a);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (run_z(cases[i].what, "x.yaml", cases[i].text) != -EBADMSG)
			fail_msg("case %zu is taken", i);
		assert_problem(cases[i].line, NULL, cases[i].says);
	}
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

static void a_yaml_file_of_too_many_columns_is_refused(void **state)
{
	struct buf b CLEANUP_BUF;
	(void)state;
	buf_init(&b, 65536);
	(void)buf_addz(&b, "tw: {parent: '', name: X, region: tw}\nhn:\n  parent: tw\n  name: Y\n");
	for (int i = 0; i < 252; i++)
		(void)buf_addf(&b, "  v%d: a\n", i);
	(void)buf_addz(&b, "  region: bac\n  hotline: '1'\n");
	assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "o.yaml", buf_z(&b)), -EBADMSG);
	assert_problem(258, NULL, "more than 256 columns");
}

/* Alt+Enter in a cell. Every title that names the office would be refused, months later, by another person. */
static void a_line_break_in_the_name_of_an_office_is_refused(void **state)
{
	(void)state;
	static const char *const cols[] = { "name", "name.en", "short" };
	struct hash a, b;
	char head[200];
	digest(&a);
	for (size_t i = 0; i < ARRAY_LEN(cols); i++) {
		(void)snprintf(head, sizeof(head),
			"code,parent,order,%s%s,region\na,,0,%s\"One\nBcc: two\",tw\n",
			i ? "name," : "", cols[i], i ? "A," : "");
		assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "o.csv", head), -EBADMSG);
		assert_problem(2, cols[i], "'One': a line break");
	}
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
	assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "o.csv",
				 "code,parent,order,name,region,address\na,,0,A,tw,\"One\nTwo\"\n"),
		0); /* an address may have two lines */
}

#define DATED "code,parent,order,name,region,valid_to,replaced_by\n"
/* Its targets would be gone with it, or move to and fro as long as the daemon lives. */
static void an_office_is_not_its_own_successor_on_any_way(void **state)
{
	(void)state;
	struct hash a, b;
	digest(&a);
	assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "o.csv",
				 DATED "a,,0,A,tw,,\nb,a,1,B,bac,2026-01-31,b\n"),
		-EBADMSG);
	assert_problem(3, "replaced_by", "'b' replaces itself");
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.csv",
			DATED
			"a,,0,A,tw,,\nb,a,1,B,bac,2026-01-31,c\n"
			"c,a,2,C,bac,2026-01-31,d\nd,a,3,D,bac,2026-01-31,b\ne,a,4,E,bac,2026-01-31,b\n"),
		-EBADMSG);
	assert_problem(3, "replaced_by", "replace each other: a circle");
	digest(&b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "o.csv",
				 DATED "a,,0,A,tw,,\nb,a,1,B,bac,2026-01-31,c\n"
				       "c,a,2,C,bac,,a\ne,a,4,E,bac,2026-01-31,b\n"),
		0);
	assert_non_null(
		strstr(json_z(json_get(answer, "warnings")->child, "text", ""), "no last day"));
}

/* What a spreadsheet saves when nobody chose: told what it is, and what to save instead. */
static void a_workbook_and_utf16_are_called_by_their_names(void **state)
{
	(void)state;
	static const char book[] = "PK\3\4\24\0\6\0\10\0\0\0!\0xl/workbook.xml";
	static const char old[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0";
	static const char wide[] = "\xff\xfe"
				   "c\0o\0d\0e\0\t\0";
	assert_int_equal(run_text(IMPORT_WHAT_OFFICES, "o.csv", book, sizeof(book)), -EBADMSG);
	assert_problem(1, NULL, "a workbook of a spreadsheet, not CSV; save it as CSV UTF-8");
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "t.xls", old, sizeof(old)), -EBADMSG);
	assert_problem(1, NULL, "a workbook of a spreadsheet");
	assert_int_equal(run_text(IMPORT_WHAT_OFFICES, "o.csv", wide, sizeof(wide)), -EBADMSG);
	assert_problem(1, NULL, "UTF-16; save it as CSV UTF-8");
}

static void audiences_name_what_nobody_has(void **state)
{
	(void)state;
	samples();
	assert_int_equal(
		run_z(IMPORT_WHAT_AUDIENCES, "a.yaml",
			"x: {name: X, any: [{region: bca}]}\ny: {name: Y, any: [{ofice: ha-noi}]}\nz: {name: Z}\n"),
		-EBADMSG);
	assert_problem(1, "x", "unknown region 'bca'");
	assert_problem(2, "y", "unknown key 'ofice'; did you mean 'office'?");
	assert_problem(3, "z", "broad: true");
	assert_int_equal(run_z(IMPORT_WHAT_AUDIENCES, "a.yaml",
				 "x: {name: X, any: [{tag: new-tag}]}\nall: {broad: true}\n"),
		0);
	assert_counts(2, 0, 6);
	char *text = json_print(json_get(answer, "warnings"));
	assert_non_null(strstr(text, "nothing has tag 'new-tag' yet"));
	free(text);
	assert_int_equal(run_z(IMPORT_WHAT_CAMPAIGNS, "c.yaml",
				 "x: {name: X, from: 2026-12-05, to: 2026-10-20}\n"),
		-EBADMSG);
	assert_problem(1, "x", "ends before it begins");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_bad_row_of_targets_is_told_and_nothing_is_stored),
		T(a_megabyte_line_is_refused_whole),
		T(trees_that_are_none_are_refused),
		T(what_is_wrong_in_rules_and_campaigns_is_said_with_line_and_value),
		T(a_yaml_file_of_too_many_columns_is_refused),
		T(a_line_break_in_the_name_of_an_office_is_refused),
		T(an_office_is_not_its_own_successor_on_any_way),
		T(a_workbook_and_utf16_are_called_by_their_names),
		T(audiences_name_what_nobody_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
