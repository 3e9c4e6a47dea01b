/* zalo_answer.c - from an HTTP answer to an outcome, by the table of the configuration.
 * The body speaks first: business errors come with status 200. What is no JSON is told by its status: "http502", "empty200",
 * "lost" when no answer came or not all of it, "unsent" when nothing left. `sub` tells apart what one code means by its text.
 * Thread: loop. Owns: nothing. Failures: a table that leaves something unanswered is refused at open. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "zalo.h"

static const struct ltc_word own_outcomes[] = { { "refresh", ZALO_O_REFRESH },
	{ "poll", ZALO_O_POLL }, { "upload", ZALO_O_UPLOAD }, { "lost", ZALO_O_LOST },
	{ NULL, 0 } };
static const struct ltc_word own_flags[] = { { NULL, 0 } };
/* read: questions. article: hidden draft and its show, both harmless to repeat. cast, message, zns: seen by people. */
static const char *const phases[] = { "read", "article", "verify", "cast", "message", "upload",
	"zns", NULL };
const struct ltc_outcome_words zalo_outcome_words = { own_outcomes, own_flags, phases };

struct hint {
	const char *code, *needle, *sub;
};
/* What their texts say, English and Vietnamese; without regard to case as far as ASCII goes. */
static const struct hint hints[] = {
	{ "-223", "quota", "quota" },
	{ "-223", "hạn mức", "quota" },
	{ "-223", "permission", "right" },
	{ "-223", "quyền", "right" },
	{ "-223", "limit", "quota" },
	{ "-223", "exceed", "quota" },
	{ "-223", "vượt", "quota" },
	{ "-200", "too many failed", "blocked" },
	{ "-200", "media", "media" },
	{ "-200", "photo", "media" },
	{ "-200", "image", "media" },
	{ "-201", "user_id", "who" },
	{ "-201", "group_id", "who" },
	{ "-201", "recipient", "who" },
	{ "-201", "title", "text" },
	{ "-201", "token", "token" },
	{ "-201", "photo", "media" },
	{ "-201", "cover", "media" },
	{ "-201", "file", "media" },
};

static bool letter(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		((unsigned char)c & 0x80) != 0;
}

/* "OA has reached its limit", not "OAuth" and not "oan". */
static bool names_oa(struct lt_str text)
{
	for (size_t i = 0; i + 2 <= text.n; i++) {
		struct lt_str word = { text.p + i, 2 };
		if (ltc_ieqz(word, "oa") && (i == 0 || !letter(text.p[i - 1])) &&
			(i + 2 == text.n || !letter(text.p[i + 2])))
			return true;
	}
	return false;
}

static const char *sub_of(const char *code, struct lt_str text)
{
	if (strcmp(code, "-32") == 0) /* section 0: the text of an OA's own limit names it */
		return names_oa(text) ? "oa" : "";
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strcmp(hints[i].code, code) == 0 &&
			ltc_find(text, ltc_z(hints[i].needle), true) != NULL)
			return hints[i].sub;
	return "";
}

static void no_json(const struct lt_http_res *r, struct zalo_answer *a)
{
	bool empty = ltc_trim(r->body).n == 0;

	if (r->truncated) { /* an empty rest is no empty answer */
		(void)snprintf(a->code, sizeof(a->code), "lost");
		(void)snprintf(a->text, sizeof(a->text),
			"an answer with status %d that was cut off", (int)r->status);
		return;
	}
	(void)snprintf(a->code, sizeof(a->code), "%s%d", empty ? "empty" : "http", (int)r->status);
	(void)snprintf(a->text, sizeof(a->text), "%s with status %d",
		empty ? "an empty answer" : "an answer that is no JSON", (int)r->status);
}

static void copy_text(char *dst, size_t size, struct lt_str s)
{
	s = ltc_utf8_cut(s, size - 1);
	(void)snprintf(dst, size, "%.*s", (int)s.n, s.p == NULL ? "" : s.p);
}

/* Their words go into logs and tables: one line. */
static void clean(char *z)
{
	for (; *z != '\0'; z++) {
		unsigned char c = (unsigned char)*z;
		*z = c < 0x20 || c == 0x7f ? ' ' : *z;
	}
}

void zalo_answer_read(const struct lt_http_res *r, struct zalo_answer *ret)
{
	struct zalo_answer a = { .phase = r->phase, .status = r->status };
	struct lt_str said;
	int64_t code = 0;

	if (r->phase != LT_P_ANSWERED) {
		bool unsent = r->phase == LT_P_NOT_SENT;
		copy_text(a.code, sizeof(a.code), ltc_z(unsent ? "unsent" : "lost"));
		copy_text(a.text, sizeof(a.text),
			r->error.n != 0 ? r->error : ltc_z(unsent ? "not sent" : "no answer came"));
		*ret = a;
		return;
	}
	if (!r->truncated)
		a.tree = ltc_json_parse(r->body, LTC_JSON_ANSWER, NULL);
	if (ltc_json_kind(a.tree) != LTC_JSON_OBJECT) {
		no_json(r, &a);
		*ret = a;
		return;
	}
	a.json = true;
	a.data = ltc_json_get(a.tree, "data");
	said = ltc_json_copy(ltc_json_get(a.tree, "message"), a.text, sizeof(a.text));
	if (said.n == 0)
		(void)ltc_json_copy(
			ltc_json_get(a.tree, "error_description"), a.text, sizeof(a.text));
	clean(a.text);
	if (a.text[0] == '\0')
		(void)ltc_json_copy(ltc_json_get(a.tree, "error_name"), a.text, sizeof(a.text));
	if (ltc_json_i64(ltc_json_get(a.tree, "error"), &code)) {
		(void)snprintf(a.code, sizeof(a.code), "%lld", (long long)code);
		a.good = code == 0 && r->status >= 200 && r->status < 300;
		if (code == 0 && !a.good)
			(void)snprintf(a.code, sizeof(a.code), "http%d", (int)r->status);
	} else {
		(void)snprintf(a.code, sizeof(a.code), "http%d", (int)r->status);
	}
	copy_text(a.sub, sizeof(a.sub), ltc_z(sub_of(a.code, ltc_z(a.text))));
	*ret = a;
}

void zalo_answer_done(struct zalo_answer *a)
{
	ltc_json_free(a->tree);
	a->tree = NULL;
}

const struct ltc_outcome_row *zalo_classify(
	const struct ltc_outcomes *t, const char *phase, const struct zalo_answer *a)
{
	size_t from = 0;

	return ltc_outcomes_find(t, phase, ltc_z(a->code), ltc_z(a->sub), &from);
}

int zalo_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size)
{
	static const char *const last[] = { "-99999", "http599", "empty200", "lost", "unsent" };

	for (const char *const *p = phases; *p != NULL; p++)
		for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
			size_t from = 0;
			if (ltc_outcomes_find(t, *p, ltc_z(last[i]), ltc_z(""), &from) != NULL)
				continue;
			(void)snprintf(err, err_size,
				"outcomes: no row of phase %s catches '%s'; add one with * at its end",
				*p, last[i]);
			return -EINVAL;
		}
	return 0;
}
