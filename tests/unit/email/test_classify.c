/* test_classify.c - every row of the shipped outcome table by its note, the reader of such tables, the reply parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mailtest.h"
#include "../../../adapters/email/email_session.h"

#define TABLE "config/outcomes/email.tsv"

static struct ltc_outcomes *rules;

static int load(void **state)
{
	char err[300] = "";

	(void)state;
	int rc = ltc_outcomes_parse(
		mt(shipped_file(TABLE)), TABLE, &email_outcome_words, &rules, err, sizeof(err));
	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err);
	return rc;
}

static int unload(void **state)
{
	(void)state;
	ltc_outcomes_free(rules);
	return 0;
}

struct want {
	const char *phase, *reply;
	unsigned can;
	const char *note;
	int32_t outcome, scope;
	uint32_t flags;
	bool alert;
};
#define F  LT_R_FREE
#define FP (LT_R_FREE | LT_R_PERSON)
static const struct want wants[] = {
	{ "rcpt", "421 4.7.0 busy", 0,
		"the server closes the link or is busy; not the recipient's fault", LT_DEFERRED,
		LT_SCOPE_LANE, F, false },
	{ "final", "421 bye", 0, "the server closes the link or is busy; not the recipient's fault",
		LT_DEFERRED, LT_SCOPE_LANE, F, false },
	{ "mail", "432 4.3.2 Concurrent connections limit exceeded", 0,
		"too many connections of this login", LT_DEFERRED, LT_SCOPE_ACCOUNT, F, false },
	{ "auth", "454 4.7.0 Temporary authentication failure", 0,
		"log-in rate limit or temporary log-in failure", LT_DEFERRED, LT_SCOPE_ACCOUNT, F,
		false },
	{ "greeting", "554 no", 0, "the relay does not talk to this host", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, FP, false },
	{ "greeting", "450 later", 0, "the relay is not ready", LT_DEFERRED, LT_SCOPE_ACCOUNT, F,
		false },
	{ "greeting", "521 no mail here", 0, "the relay refuses this host", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, FP, false },
	{ "greeting", "250 what", 0, "no connection to the relay", LT_DEFERRED, LT_SCOPE_ACCOUNT, F,
		false },
	{ "auth", "451 4.3.0 try later", 0, "log-in fails for now", LT_DEFERRED, LT_SCOPE_ACCOUNT,
		F, false },
	{ "auth", "535 5.7.8 bad credentials", 0, "log-in refused: check user and secret",
		LT_DEFERRED, LT_SCOPE_ACCOUNT, FP, false },
	{ "auth", "250 what", 0, "log-in or TLS is not possible with this relay", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, FP, false },
	{ "mail", "552 5.3.4 too big", 0, "message is larger than the relay takes", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, false },
	{ "mail", "552 too big", 0, "message is larger than the relay takes", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, false },
	{ "mail", "452 4.3.1 disk full", 0, "relay is short of storage", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, F, false },
	{ "mail", "451 4.3.0 oops", 0, "relay cannot take mail now", LT_DEFERRED, LT_SCOPE_ACCOUNT,
		F, false },
	{ "mail", "450 oops", 0, "relay cannot take mail now", LT_DEFERRED, LT_SCOPE_ACCOUNT, F,
		false },
	{ "mail", "530 5.7.0 Authentication required", 0, "log-in needed: check user and secret",
		LT_DEFERRED, LT_SCOPE_ACCOUNT, FP, false },
	{ "mail", "550 5.7.1 sender rejected", 0, "sender is not allowed: check from and log-in",
		LT_DEFERRED, LT_SCOPE_ACCOUNT, FP, false },
	{ "mail", "553 5.7.1 not owned by user", 0, "sender is not owned by this login",
		LT_DEFERRED, LT_SCOPE_ACCOUNT, FP, false },
	{ "mail", "550 no", 0, "sender address refused", LT_DEFERRED, LT_SCOPE_ACCOUNT, FP, false },
	{ "mail", "555 5.5.4 unsupported parameter", 0, "command or parameter not understood",
		LT_REFUSED, LT_SCOPE_RELEASE, 0, false },
	{ "mail", "455 4.5.4 later", 0, "relay cannot take mail now", LT_DEFERRED, LT_SCOPE_ACCOUNT,
		F, false },
	{ "mail", "571 no", 0, "relay refuses the sender", LT_DEFERRED, LT_SCOPE_ACCOUNT, FP,
		false },
	{ "rcpt", "452 4.5.3 too many recipients", EMAIL_CAN_AGAIN,
		"too many recipients: the rest goes into a new transaction now", EMAIL_O_AGAIN,
		LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "452 4.5.3 too many recipients", 0, "relay takes no recipient at all now",
		LT_DEFERRED, LT_SCOPE_TARGET, F, false },
	{ "rcpt", "450 4.7.1 greylisted", 0, "greylisted", LT_DEFERRED, LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "451 4.7.1 greylisted", 0, "greylisted", LT_DEFERRED, LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "452 4.2.2 full", 0, "mailbox full", LT_DEFERRED, LT_SCOPE_TARGET, LT_R_STRIKE,
		false },
	{ "rcpt", "552 5.2.2 full", 0, "mailbox full", LT_DEFERRED, LT_SCOPE_TARGET, LT_R_STRIKE,
		false },
	{ "rcpt", "450 4.2.1 receives too fast", 0, "mailbox busy, or receives too fast",
		LT_DEFERRED, LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "450 4.7.28 rate", 0, "rate limit of the destination", LT_DEFERRED,
		LT_SCOPE_CLASS, F, false },
	{ "rcpt", "451 4.4.1 no answer from host", 0, "destination not reached", LT_DEFERRED,
		LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "451 later", 0, "greylisted or busy", LT_DEFERRED, LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "452 4.3.1 disk full", 0, "relay is short of storage", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, F, false },
	{ "rcpt", "452 hm", 0, "recipient cannot be taken now", LT_DEFERRED, LT_SCOPE_TARGET, 0,
		false },
	{ "rcpt", "452 hm", EMAIL_CAN_AGAIN,
		"too many recipients: the rest goes into a new transaction now", EMAIL_O_AGAIN,
		LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "452 4.2.2 full", EMAIL_CAN_AGAIN, "mailbox full", LT_DEFERRED, LT_SCOPE_TARGET,
		LT_R_STRIKE, false },
	{ "rcpt", "552 hm", EMAIL_CAN_AGAIN,
		"too many recipients, as it was told once: the rest goes into a new transaction now",
		EMAIL_O_AGAIN, LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "552 hm", 0, "over a storage limit, perhaps for now", LT_DEFERRED,
		LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "530 5.7.0 login", 0, "log-in needed: check user and secret", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, FP, false },
	{ "rcpt", "550 5.1.1 no such user", 0, "address does not exist", LT_REFUSED,
		LT_SCOPE_TARGET, LT_R_SUPPRESS, false },
	{ "rcpt", "550 5.1.10 null MX", 0, "address does not exist", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_SUPPRESS, false },
	{ "rcpt", "553 5.1.3 bad syntax", 0, "address does not exist", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_SUPPRESS, false },
	{ "rcpt", "550 5.1.6 moved", 0, "address does not exist", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_SUPPRESS, false },
	{ "rcpt", "550 5.1.2 no such domain", 0, "domain does not exist", LT_REFUSED,
		LT_SCOPE_TARGET, LT_R_SUPPRESS, false },
	{ "rcpt", "550 5.2.1 disabled", 0, "mailbox disabled", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_SUPPRESS, false },
	{ "rcpt", "554 5.7.1 policy", 0, "policy of the destination", LT_REFUSED, LT_SCOPE_TARGET,
		0, true },
	{ "rcpt", "550 5.7.26 unauthenticated", 0, "policy of the destination", LT_REFUSED,
		LT_SCOPE_TARGET, 0, true },
	{ "rcpt", "551 not local", 0, "user is not local", LT_REFUSED, LT_SCOPE_TARGET, LT_R_STRIKE,
		false },
	{ "rcpt", "551 5.1.0 elsewhere", 0, "user is not local", LT_REFUSED, LT_SCOPE_TARGET, 0,
		false },
	{ "rcpt", "553 5.1.8 sender", 0, "address refused", LT_REFUSED, LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "550 no", 0, "refused without enhanced code", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_STRIKE, false },
	{ "rcpt", "501 5.1.3 Bad recipient address syntax", 0,
		"the relay calls the address malformed", LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS,
		false },
	{ "rcpt", "555 5.1.1 no", 0, "the relay calls the address malformed", LT_REFUSED,
		LT_SCOPE_TARGET, LT_R_SUPPRESS, false },
	{ "rcpt", "501 5.1.2 bad domain", 0, "the relay does not take this address", LT_REFUSED,
		LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "501 5.1.7 bad sender", 0, "command or parameter not understood", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, false },
	{ "rcpt", "501 syntax", 0, "command or parameter not understood", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, false },
	{ "rcpt", "503 5.5.1 bad sequence", 0, "command or parameter not understood", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, false },
	{ "rcpt", "552 5.3.4 too big for him", 0, "over a limit of the recipient", LT_REFUSED,
		LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "471 hm", 0, "try again later", LT_DEFERRED, LT_SCOPE_TARGET, 0, false },
	{ "rcpt", "571 hm", 0, "recipient refused", LT_REFUSED, LT_SCOPE_TARGET, 0, false },
	{ "data", "451 4.3.0 later", 0, "relay cannot take the message now", LT_DEFERRED,
		LT_SCOPE_TARGET, 0, false },
	{ "data", "503 5.5.1 no", 0, "command or parameter not understood", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, false },
	{ "data", "550 5.1.1 unknown", EMAIL_CAN_SPLIT, "one of several recipients does not exist",
		EMAIL_O_ONE_BY_ONE, LT_SCOPE_TARGET, 0, false },
	{ "data", "550 5.1.1 unknown", 0, "address does not exist", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_SUPPRESS, false },
	{ "data", "554 5.7.1 spam", 0, "content or reputation refused", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, true },
	{ "data", "554 no", 0, "message refused", LT_REFUSED, LT_SCOPE_TARGET, 0, false },
	{ "final", "452 4.3.1 disk full", 0, "relay is short of storage", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, F, false },
	{ "final", "451 4.3.0 later", 0, "message not taken now", LT_DEFERRED, LT_SCOPE_TARGET, 0,
		false },
	{ "final", "552 5.2.2 full", 0, "mailbox full", LT_DEFERRED, LT_SCOPE_TARGET, LT_R_STRIKE,
		false },
	{ "final", "552 5.3.4 too big", 0, "message is larger than the relay takes", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, false },
	{ "final", "550 5.1.1 unknown", EMAIL_CAN_SPLIT,
		"one of several recipients does not exist: nobody got it", EMAIL_O_ONE_BY_ONE,
		LT_SCOPE_TARGET, 0, false },
	{ "final", "550 5.1.1 unknown", 0, "address does not exist", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_SUPPRESS, false },
	{ "final", "550 5.1.2 domain", 0, "domain does not exist", LT_REFUSED, LT_SCOPE_TARGET,
		LT_R_SUPPRESS, false },
	{ "final", "550 5.1.8 sender", 0, "address refused", LT_REFUSED, LT_SCOPE_TARGET, 0,
		false },
	{ "final", "554 5.6.0 content", 0, "content refused", LT_REFUSED, LT_SCOPE_RELEASE, 0,
		true },
	{ "final", "550 5.7.1 spam", 0, "content or reputation refused", LT_REFUSED,
		LT_SCOPE_RELEASE, 0, true },
	{ "final", "554 no", 0, "message refused", LT_REFUSED, LT_SCOPE_TARGET, 0, false },
};

static void read_reply(const char *text, struct email_reply *ret)
{
	struct email_parser *p = calloc(1, sizeof(*p));
	char line[300];
	(void)snprintf(line, sizeof(line), "%s\r\n", text);
	struct lt_str d = mt(line);

	assert_int_equal(email_parse(p, &d), 1);
	*ret = p->cur;
	free(p);
}

/* The row that decides, found as email_classify finds it. */
static size_t row_of(const struct want *w, const struct email_reply *r)
{
	char code[8];
	size_t from = 0;

	(void)snprintf(code, sizeof(code), "%d", r->code);
	for (;;) {
		const struct ltc_outcome_row *row = ltc_outcomes_find(
			rules, w->phase, mt(code), mt(r->sub), &from);
		if (row == NULL)
			return SIZE_MAX;
		if ((row->outcome == EMAIL_O_AGAIN && !(w->can & EMAIL_CAN_AGAIN)) ||
			(row->outcome == EMAIL_O_ONE_BY_ONE && !(w->can & EMAIL_CAN_SPLIT)))
			continue;
		return from - 1;
	}
}

static void every_row_of_the_shipped_table_does_what_its_note_says(void **state)
{
	static bool seen[LTC_OUTCOME_ROWS_MAX];
	struct email_verdict v;
	struct email_reply r;

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		const struct want *w = &wants[i];
		read_reply(w->reply, &r);
		size_t row = row_of(w, &r);
		assert_true(row != SIZE_MAX);
		seen[row] = true;
		struct lt_str note = ltc_outcomes_row(rules, row)->note;
		if (!ltc_eqz(note, w->note))
			fail_msg("%s '%s' hit the row '%.*s', not '%s'", w->phase, w->reply,
				(int)note.n, note.p, w->note);
		email_classify(rules, w->phase, &r, w->can, mt("nobody@x.vn"), &v);
		if (v.r.outcome != w->outcome || v.r.scope != w->scope || v.r.flags != w->flags ||
			v.alert != w->alert)
			fail_msg("%s '%s': outcome %d scope %d flags %x alert %d", w->phase,
				w->reply, v.r.outcome, v.r.scope, v.r.flags, v.alert);
	}
	for (size_t i = 0; i < ltc_outcomes_count(rules); i++)
		if (!seen[i])
			fail_msg("no test for line %d of the table",
				ltc_outcomes_row(rules, i)->line);
}

static void every_code_has_an_outcome_in_every_phase(void **state)
{
	static const char *const phases[] = { "greeting", "auth", "mail", "rcpt", "data", "final" };
	struct email_verdict v;
	struct email_reply r;
	char text[20];

	(void)state;
	for (size_t p = 0; p < 6; p++)
		for (int code = 400; code < 600; code++) {
			(void)snprintf(text, sizeof(text), "%d x", code);
			read_reply(text, &r);
			email_classify(rules, phases[p], &r, 0, mt("a@x.vn"), &v);
			assert_true(v.r.outcome == LT_REFUSED || v.r.outcome == LT_DEFERRED);
			if (code < 500)
				assert_int_equal(v.r.outcome, LT_DEFERRED);
		}
}

/* Log-ins may be locked after several wrong ones. */
static void a_refused_log_in_is_tried_once_a_minute(void **state)
{
	static const char *const rows[][2] = { { "auth", "535 5.7.8 wrong" },
		{ "auth", "250 what" }, { "greeting", "554 no" }, { "greeting", "521 no" } };
	struct email_verdict v;
	struct email_reply r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_reply(rows[i][1], &r);
		email_classify(rules, rows[i][0], &r, 0, mt("a@x.vn"), &v);
		assert_int_equal(v.r.retry_after_ms, 60000);
	}
}

static void the_address_does_not_get_into_the_record(void **state)
{
	struct email_verdict v;
	struct email_reply r;

	(void)state;
	read_reply("550 5.1.1 <Ng.Van.A@X.vn>: Recipient unknown", &r);
	email_classify(rules, "rcpt", &r, 0, mt("ng.van.a@x.vn"), &v);
	assert_string_equal(v.text, "<(address)>: Recipient unknown");
	assert_string_equal(v.code, "550 5.1.1");
}

/* Postfix as relay repeats the words of the host behind it; others name the mailbox alone. */
static void the_address_is_taken_out_wherever_it_stands(void **state)
{
	static const char *const said[][2] = {
		{ "550 5.1.1 <a.b@x.vn>: host mx.x.vn said: 550 5.1.1 <A.B@x.vn>: unknown (in reply to RCPT)",
			"<(address)>: host mx.x.vn said: 550 5.1.1 <(address)>: unknown (in reply to RCPT)" },
		{ "550 5.1.1 a.b@mail.x.vn (expanded from <a.b@x.vn>)",
			"(address)@mail.x.vn (expanded from <(address)>)" },
		{ "550 5.1.1 no mailbox a.b.", "no mailbox (address)." },
		{ "550 5.1.1 a.bc and xa.b are others", "a.bc and xa.b are others" },
		{ "550 5.1.1 a.b", "(address)" },
		{ "550 5.1.1", "" },
	};
	struct email_verdict v;
	struct email_reply r;

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		read_reply(said[i][0], &r);
		email_classify(rules, "rcpt", &r, 0, mt("a.b@x.vn"), &v);
		assert_string_equal(v.text, said[i][1]);
	}
	read_reply("550 5.1.1 no mailbox ab at all", &r); /* says nothing of anybody */
	email_classify(rules, "rcpt", &r, 0, mt("ab@x.vn"), &v);
	assert_string_equal(v.text, "no mailbox ab at all");
}

/* Words that were too long to be kept whole may end in the middle of an address. */
static void half_an_address_at_the_end_of_long_words_is_taken_out_too(void **state)
{
	static const char one[] = "tran.thi.mot.cai.ten.that.la.dai.lam@phong-ban.tinh.example.vn";
	struct email_reply *r = calloc(1, sizeof(*r));
	struct email_verdict v;

	(void)state;
	r->code = 550;
	while (r->n + sizeof(one) < EMAIL_REPLY_TEXT_MAX)
		r->n += (size_t)snprintf(r->text + r->n, sizeof(r->text) - r->n, "%s ", one);
	(void)snprintf(r->text + r->n, sizeof(r->text) - r->n, "%s", one);
	r->n = EMAIL_REPLY_TEXT_MAX;
	r->text[r->n] = '\0';
	email_classify(rules, "rcpt", r, 0, mt(one), &v);
	assert_null(strstr(v.text, "tran"));
	assert_non_null(strstr(v.text, "(address) (address)"));
	free(r);
}

static void refuse(const char *text, const char *why)
{
	struct ltc_outcomes *t = NULL;
	char err[300] = "";

	assert_true(ltc_outcomes_parse(
			    mt(text), "x.tsv", &email_outcome_words, &t, err, sizeof(err)) < 0);
	assert_null(t);
	if (strstr(err, why) == NULL)
		fail_msg("'%s' does not say '%s'", err, why);
}

#define HEAD "phase\tcode\tsub\toutcome\tscope\tflags\tretry_s\tnote\n"
static void a_wrong_table_is_refused_with_file_and_line(void **state)
{
	(void)state;
	refuse("", "x.tsv:0");
	refuse("# only\n", "the table must not be empty");
	refuse("phase\tcode\n", "x.tsv:1: bad header");
	refuse(HEAD "rcpt\t550\n", "x.tsv:2: too few columns");
	refuse(HEAD
		"# c\nrcpt\t550\t*\trefused\ttarget\t-\t-\tn\nrcptx\t550\t*\trefused\ttarget\t-\t-\tn\n",
		"x.tsv:4: unknown phase 'rcptx'");
	refuse(HEAD "rcpt\t5 0\t*\trefused\ttarget\t-\t-\tn\n", "bad code pattern");
	refuse(HEAD "rcpt\t550\t\trefused\ttarget\t-\t-\tn\n", "bad sub pattern");
	refuse(HEAD "rcpt\t550\t*\tno\ttarget\t-\t-\tn\n", "unknown outcome 'no'");
	refuse(HEAD "rcpt\t550\t*\trefused\tworld\t-\t-\tn\n", "unknown scope 'world'");
	refuse(HEAD "rcpt\t550\t*\trefused\ttarget\tfree,odd\t-\tn\n", "unknown flag 'odd'");
	refuse(HEAD "rcpt\t550\t*\trefused\ttarget\t-\tsoon\tn\n", "bad retry_s 'soon'");
	refuse(HEAD "rcpt\t550\t*\trefused\ttarget\t-\t0\tn\n", "bad retry_s");
	refuse(HEAD "rcpt\t550\t*\trefused\ttarget\t-\t-\tn\tmore\n", "more than 8 columns");
}

static void a_table_with_a_gap_does_not_open(void **state)
{
	struct ltc_outcomes *t = NULL;
	char err[300] = "";

	(void)state;
	assert_int_equal(ltc_outcomes_parse(mt(HEAD "any\t4xx\t*\tdeferred\ttarget\t-\t-\tn\n"),
				 "x.tsv", &email_outcome_words, &t, err, sizeof(err)),
		0);
	assert_true(email_outcomes_check(t, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "every 5xx"));
	ltc_outcomes_free(t);
}

static void patterns_match_whole_codes_only(void **state)
{
	(void)state;
	assert_true(ltc_outcome_match(mt("4xx"), mt("450")));
	assert_false(ltc_outcome_match(mt("4xx"), mt("550")));
	assert_false(ltc_outcome_match(mt("4xx"), mt("45")));
	assert_true(ltc_outcome_match(mt("5.7.x"), mt("5.7.26")));
	assert_false(ltc_outcome_match(mt("5.7.x"), mt("5.7.")));
	assert_false(ltc_outcome_match(mt("5.7.1"), mt("5.7.10")));
	assert_true(ltc_outcome_match(mt("550,551"), mt("551")));
	assert_false(ltc_outcome_match(mt("550,551"), mt("552")));
	assert_true(ltc_outcome_match(mt("*"), mt("")));
	assert_true(ltc_outcome_match(mt("-"), mt("")));
	assert_false(ltc_outcome_match(mt("-"), mt("5.1.1")));
}

static int parse_all(const char *in, size_t n, size_t step, struct email_reply *out, size_t max)
{
	struct email_parser *p = calloc(1, sizeof(*p));
	size_t got = 0;
	int rc = 0;

	for (size_t at = 0; at < n && rc >= 0; at += step) {
		struct lt_str d = { in + at, n - at < step ? n - at : step };
		while ((rc = email_parse(p, &d)) == 1)
			if (got < max)
				out[got++] = p->cur;
	}
	free(p);
	return rc < 0 ? rc : (int)got;
}

static void replies_are_the_same_however_they_are_cut(void **state)
{
	static const char in[] =
		"250-2.1.0 one\r\n250 two\r\n250\r\n550-5.1.1 <a@x.vn>:\r\n550-5.1.1 unknown\r\n550 5.1.1 here\r\n"
		"354 go\n250 2.0.0 Ok: queued as 4F2A1B\r\n450 5.1.1 wrong class\r\n550 5.1 short\r\n";
	struct email_reply *r = calloc(10, sizeof(*r));

	(void)state;
	for (size_t step = 1; step <= sizeof(in); step++) {
		assert_int_equal(parse_all(in, sizeof(in) - 1, step, r, 10), 7);
		assert_int_equal(r[0].code, 250);
		assert_string_equal(r[0].sub, "2.1.0");
		assert_string_equal(r[0].text, "one two");
		assert_int_equal(r[1].code, 250);
		assert_string_equal(r[1].text, "");
		assert_int_equal(r[2].code, 550);
		assert_string_equal(r[2].sub, "5.1.1");
		assert_string_equal(r[2].text, "<a@x.vn>: unknown here");
		assert_int_equal(r[3].code, 354);
		assert_true(ltc_eqz(email_queue_id(&r[4]), "4F2A1B"));
		assert_string_equal(r[5].sub, "");
		assert_string_equal(r[6].sub, "");
	}
	free(r);
}

/* Contract 1.4: the enhanced code may stand in any line, and one of another class is passed over. */
static void an_enhanced_code_of_another_class_hides_none_behind_it(void **state)
{
	static const char in[] =
		"550-2.0.0 what follows is from the next host\r\n550-4.7.1 it said\r\n"
		"550-5.1.1 no such user\r\n550 5.7.1 good bye\r\n"
		"450-5.1.1 gone\r\n450 later\r\n";
	struct email_reply r[2];

	(void)state;
	assert_int_equal(parse_all(in, sizeof(in) - 1, 1, r, 2), 2);
	assert_string_equal(r[0].sub, "5.1.1");
	assert_string_equal(r[1].sub, "");
}

static void garbage_is_no_reply(void **state)
{
	static const char *const junk[] = { "hello\r\n", "99 x\r\n", "650 x\r\n", "150 x\r\n",
		"25x y\r\n", "\r\n", "250_x\r\n", "HTTP/1.1 400 Bad\r\n" };
	struct email_reply r[2];

	(void)state;
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		assert_true(parse_all(junk[i], strlen(junk[i]), 100, r, 2) < 0);
}

static void long_replies_are_bounded(void **state)
{
	static char in[200000];
	struct email_reply *r = calloc(2, sizeof(*r));
	size_t n = 0;

	(void)state;
	memset(in, 'x', 100000);
	memcpy(in, "550 ", 4);
	memcpy(in + 100000, "\r\n", 3);
	assert_int_equal(parse_all(in, 100002, 1000, r, 2), 1);
	assert_true(r[0].n <= EMAIL_REPLY_TEXT_MAX);
	for (int i = 0; i < EMAIL_REPLY_LINES_MAX - 1; i++)
		n += (size_t)snprintf(in + n, 40, "250-line %d of many\r\n", i);
	n += (size_t)snprintf(in + n, 40, "250 last\r\n");
	assert_int_equal(parse_all(in, n, 7, r, 2), 1);
	assert_true(r[0].n <= EMAIL_REPLY_TEXT_MAX);
	n = 0;
	for (int i = 0; i < EMAIL_REPLY_LINES_MAX + 1; i++)
		n += (size_t)snprintf(in + n, 40, "250-line %d of many\r\n", i);
	assert_true(parse_all(in, n, 7, r, 2) < 0);
	free(r);
}

/* Pieces of replies in any order: what is read as one is one, and the same wherever the bytes were cut. */
static void random_bytes_never_break_the_parser(void **state)
{
	static const char *const pieces[] = { "250", "550", "4", "2.1.0", "5.1.1", " ", "-", ".",
		"\r\n", "\r\n", "\r\n250 ", "\r\n450-", "\n", "\r", "x", "\xff", "\xc4\x90", "9",
		"<a@x.vn>" };
	char in[400];
	struct email_reply r[4], again[4];
	unsigned seed = 7, read = 0, refused = 0;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		size_t n = (size_t)snprintf(in, sizeof(in), "%s", round % 2 ? "250 " : "");
		while (n < 60 + (size_t)round % 300) {
			seed = seed * 1103515245u + 12345u;
			const char *p = pieces[(seed >> 16) % (sizeof(pieces) / sizeof(pieces[0]))];
			memcpy(in + n, p, strlen(p));
			n += strlen(p);
		}
		memset(r, 0, sizeof(r));
		memset(again, 0, sizeof(again));
		int got = parse_all(in, n, 1 + (size_t)(round % 50), r, 4);
		assert_int_equal(parse_all(in, n, 1, again, 4), got);
		for (int i = 0; i < 4 && r[i].code != 0; i++) {
			assert_in_range(r[i].code, 200, 599);
			assert_true(r[i].sub[0] == '\0' || r[i].sub[0] == '0' + r[i].code / 100);
			assert_true(r[i].n <= EMAIL_REPLY_TEXT_MAX && strlen(r[i].text) == r[i].n);
			assert_false(ltc_has_control((struct lt_str){ r[i].text, r[i].n }));
			assert_int_equal(r[i].code, again[i].code);
			assert_string_equal(r[i].sub, again[i].sub);
			assert_string_equal(r[i].text, again[i].text);
		}
		read += r[0].code != 0;
		refused += got < 0;
	}
	if (read < 100 || refused < 100)
		fail_msg("%u read, %u refused", read, refused);
}

static void queue_ids_are_found_in_many_dialects(void **state)
{
	static const char *const said[][2] = { { "250 2.0.0 Ok: queued as 4F2A1B", "4F2A1B" },
		{ "250 OK id=1rXyZ-000abc-1Q", "1rXyZ-000abc-1Q" },
		{ "250 2.6.0 message accepted id=A.B-1.", "A.B-1" }, { "250 Ok", "" },
		{ "250", "" } };
	struct email_reply r;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		read_reply(said[i][0], &r);
		struct lt_str id = email_queue_id(&r);
		assert_true(ltc_eqz(id, said[i][1]));
	}
}

static void keywords_count_in_any_case_and_form(void **state)
{
	struct email_caps c;

	(void)state;
	email_caps_read(
		mt("250-relay.x\r\n250-pipelining\r\n250-Size 1000\r\n250-dsn\r\n250 smtputf8\r\n"),
		&c);
	assert_true(c.pipelining && c.size && c.dsn && c.smtputf8 && !c.eightbit);
	assert_int_equal(c.size_max, 1000);
	email_caps_read(mt("PIPELINING\n8BITMIME\nSIZE\n"), &c);
	assert_true(c.pipelining && c.eightbit && c.size && !c.dsn);
	assert_int_equal(c.size_max, 0);
	email_caps_read(mt(""), &c);
	assert_false(c.pipelining);
	email_caps_read(mt("250-XPIPELINING\r\n250 PIPELINING2\r\n"), &c);
	assert_false(c.pipelining);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_shipped_table_does_what_its_note_says),
		cmocka_unit_test(every_code_has_an_outcome_in_every_phase),
		cmocka_unit_test(a_refused_log_in_is_tried_once_a_minute),
		cmocka_unit_test(the_address_does_not_get_into_the_record),
		cmocka_unit_test(the_address_is_taken_out_wherever_it_stands),
		cmocka_unit_test(half_an_address_at_the_end_of_long_words_is_taken_out_too),
		cmocka_unit_test(a_wrong_table_is_refused_with_file_and_line),
		cmocka_unit_test(a_table_with_a_gap_does_not_open),
		cmocka_unit_test(patterns_match_whole_codes_only),
		cmocka_unit_test(replies_are_the_same_however_they_are_cut),
		cmocka_unit_test(an_enhanced_code_of_another_class_hides_none_behind_it),
		cmocka_unit_test(garbage_is_no_reply),
		cmocka_unit_test(long_replies_are_bounded),
		cmocka_unit_test(random_bytes_never_break_the_parser),
		cmocka_unit_test(queue_ids_are_found_in_many_dialects),
		cmocka_unit_test(keywords_count_in_any_case_and_form),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
