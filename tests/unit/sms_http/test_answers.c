/* test_answers.c - every documented answer of every shipped gateway, row by row from answers.tsv. */
#include "smshtest.h"

static const struct {
	const char *name;
	int value;
} outcomes[] = { { "unknown", LT_UNKNOWN }, { "accepted", LT_ACCEPTED }, { "refused", LT_REFUSED },
	{ "deferred", LT_DEFERRED } },
  scopes[] = { { "target", LT_SCOPE_TARGET }, { "release", LT_SCOPE_RELEASE },
	  { "lane", LT_SCOPE_LANE }, { "account", LT_SCOPE_ACCOUNT },
	  { "channel", LT_SCOPE_CHANNEL }, { "class", LT_SCOPE_CLASS } };
static const struct {
	const char *name;
	uint32_t value;
} flags[] = { { "suppress", LT_R_SUPPRESS }, { "strike", LT_R_STRIKE }, { "free", LT_R_FREE },
	{ "person", LT_R_PERSON }, { "duplicate", LT_R_DUPLICATE },
	{ "elsewhere", LT_R_ELSEWHERE } };

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
enum { VENDOR, WHAT, STATUS, HEADER, BODY, OUTCOME, SCOPE, FLAGS, CODE, IDS, N_COLUMNS };

static uint32_t flags_of(char *list)
{
	uint32_t f = 0;

	for (char *save = NULL, *w = strtok_r(list, ",", &save); w != NULL;
		w = strtok_r(NULL, ",", &save)) {
		size_t i = 0;
		while (i < LEN(flags) && strcmp(w, flags[i].name) != 0)
			i++;
		if (i < LEN(flags))
			f |= flags[i].value;
		else if (strcmp(w, "-") != 0)
			fail_msg("no flag has the name '%s'", w);
	}
	return f;
}

static int outcome_of(const char *name)
{
	for (size_t i = 0; i < LEN(outcomes); i++)
		if (strcmp(outcomes[i].name, name) == 0)
			return outcomes[i].value;
	fail_msg("no outcome has the name '%s'", name);
	return -1;
}

static int scope_of(const char *name)
{
	for (size_t i = 0; i < LEN(scopes); i++)
		if (strcmp(scopes[i].name, name) == 0)
			return scopes[i].value;
	fail_msg("no scope has the name '%s'", name);
	return -1;
}

static size_t ids_count(const char *list)
{
	size_t n = strcmp(list, "-") != 0;

	for (const char *p = list; *p != '\0'; p++)
		n += *p == ',';
	return n;
}

static const char *nothing(const char *s)
{
	return strcmp(s, "-") == 0 ? "" : s;
}

/* The gateways that need a token have one: the exchange has tests of its own. */
static void row(struct gate *g, char *col[N_COLUMNS])
{
	size_t op = gate_send(g, "+84912345678", "REF00000000000000001", PAYLOAD_GSM);
	size_t call = g->h->n_http - 1;
	char *value = strchr(col[HEADER], ':');

	if (g->h->n_http == 0 || g->h->http[call].answered)
		fail_msg("%s, %s: no request was made", col[VENDOR], col[WHAT]);
	assert_int_equal(g->h->http[call].flags & LT_PUBLISHES, LT_PUBLISHES);
	if (value != NULL) {
		*value = '\0';
		value += 2;
	}
	gate_answer(g, call, (int32_t)strtol(col[STATUS], NULL, 10),
		value != NULL ? col[HEADER] : NULL, value, col[BODY], 0);
	const struct sh_result *r = sh_result(g->h, op);
	char first[64];
	(void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(nothing(col[IDS]), ","),
		nothing(col[IDS]));
	if (!r->done)
		fail_msg("%s, %s: no result", col[VENDOR], col[WHAT]);
	if (r->outcome != outcome_of(col[OUTCOME]))
		fail_msg("%s, %s: outcome %d, wanted %s (%s)", col[VENDOR], col[WHAT], r->outcome,
			col[OUTCOME], r->text);
	if (r->scope != scope_of(col[SCOPE]))
		fail_msg("%s, %s: scope %d, wanted %s", col[VENDOR], col[WHAT], r->scope,
			col[SCOPE]);
	uint32_t wanted = flags_of(col[FLAGS]);
	if (r->flags != wanted)
		fail_msg("%s, %s: flags %u, wanted %u", col[VENDOR], col[WHAT], r->flags, wanted);
	if (strcmp(r->code, nothing(col[CODE])) != 0)
		fail_msg("%s, %s: code '%s', wanted '%s'", col[VENDOR], col[WHAT], r->code,
			col[CODE]);
	if (r->n_ids != ids_count(col[IDS]) || strcmp(r->id, first) != 0)
		fail_msg("%s, %s: %zu ids, first '%s', wanted '%s'", col[VENDOR], col[WHAT],
			r->n_ids, r->id, col[IDS]);
	if (value != NULL && r->retry_after_ms <= 0)
		fail_msg("%s, %s: the wait that was asked for is not told", col[VENDOR], col[WHAT]);
}

static size_t column_split(char *line, char *col[N_COLUMNS])
{
	size_t n = 0;

	for (char *p = line; n < N_COLUMNS; n++) {
		col[n] = p;
		p = strchr(p, '\t');
		if (p == NULL)
			return n + 1;
		*p++ = '\0';
	}
	return n + 1;
}

static void every_documented_answer_has_its_outcome(void **state)
{
	char *all = strdup(shipped_file("tests/unit/sms_http/answers.tsv"));
	char last[40] = "";
	struct gate g = { 0 };
	size_t rows = 0, vendors = 0;

	(void)state;
	for (char *save = NULL, *line = strtok_r(all, "\n", &save); line != NULL;
		line = strtok_r(NULL, "\n", &save)) {
		char *col[N_COLUMNS + 1];
		if (line[0] == '#')
			continue;
		assert_int_equal(column_split(line, col), N_COLUMNS);
		if (strcmp(last, col[VENDOR]) != 0) {
			if (last[0] != '\0')
				gate_free(&g);
			(void)snprintf(last, sizeof(last), "%s", col[VENDOR]);
			gate_new(&g, last);
			sh_secret(g.h, "access_token", "tok");
			assert_int_equal(gate_open(&g), 0);
			vendors++;
		}
		row(&g, col);
		rows++;
	}
	gate_free(&g);
	free(all);
	assert_int_equal(vendors, GATES); /* every shipped one */
	assert_true(rows > 200);
}

static void an_answer_that_was_cut_off_is_not_believed(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	size_t op = gate_send(&g, "+84912345678", "R1", PAYLOAD_GSM);
	gate_answer(&g, 0, 200, NULL, NULL, "{\"CodeResult\":\"100\",\"SMSID\":\"1\"}", 1);
	assert_int_equal(sh_result(g.h, op)->outcome, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(g.h, op)->text, "cut off"));
	op = gate_send(&g, "+84912345678", "R2", PAYLOAD_GSM);
	gate_answer(&g, 1, 429, NULL, NULL, "", 1); /* the status line alone is proof */
	assert_int_equal(sh_result(g.h, op)->outcome, LT_DEFERRED);
	gate_free(&g);
}

static void waits_are_read_in_every_unit(void **state)
{
	static const struct {
		const char *name, *value;
		int64_t ms;
	} waits[] = { { "Retry-After", "7", 7000 }, { "retry-after", " 30 ", 30000 },
		{ "X-Rate-Limit-Reset", "12", 12000 },
		{ "X-Rate-Limit-Reset", "1795395660", 60000 },
		{ "Retry-After", "Mon, 23 Nov 2026 01:01:00 GMT", 60000 },
		{ "Retry-After", "Sun, 22 Nov 2026 23:01:00 GMT", 0 }, { "Retry-After", "-5", 0 },
		{ "Retry-After", "99999999", 86400000 }, { "Retry-After", "soon", 0 } };

	(void)state;
	for (size_t i = 0; i < LEN(waits); i++) {
		struct gate g;
		gate_new(&g, "speedsms");
		assert_int_equal(gate_open(&g), 0);
		size_t op = gate_send(&g, "+84912345678", "R1", PAYLOAD_GSM);
		gate_answer(&g, 0, 429, waits[i].name, waits[i].value, "", 0);
		if (sh_result(g.h, op)->retry_after_ms != waits[i].ms)
			fail_msg("%s: %s is %lld ms", waits[i].name, waits[i].value,
				(long long)sh_result(g.h, op)->retry_after_ms);
		gate_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_documented_answer_has_its_outcome),
		cmocka_unit_test(an_answer_that_was_cut_off_is_not_believed),
		cmocka_unit_test(waits_are_read_in_every_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
