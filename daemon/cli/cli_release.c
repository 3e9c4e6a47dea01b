/* cli_release.c - releases: submit, check, preview, review, approve, watch, report. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/crypt.h"
#include "base/utf8.h"
#include "cli/cli.h"

#define LOCAL_TEXT_MAX 16384u /* what the daemon takes (plan_act.c) */

static int upload_as(
	struct cli *c, cJSON *params, const char *from, const char *what, const char *to)
{
	char *id = NULL;
	int code = cli_upload(c, json_z(params, from, ""), NULL, what, &id);
	cJSON_DeleteItemFromObjectCaseSensitive(params, from);
	if (!code)
		json_put_z(params, to, id);
	free(id);
	return code;
}

static void show_names(const char *before, const cJSON *list)
{
	const char *sep = before;
	for (const cJSON *v = list ? list->child : NULL; v; v = v->next, sep = ", ")
		(void)printf("%s%s", sep, cJSON_IsString(v) ? v->valuestring : "");
}

static void show_field(const cJSON *p, const char *key, const char *before, const char *behind)
{
	const char *text = json_z(p, key, NULL);
	if (text && *text)
		(void)printf(" · %s%s%s", before, text, behind);
}

/* To whom and when: what an approver answers for beside the text. */
static void show_part_when(const cJSON *p)
{
	const char *after = json_z(p, "after", NULL), *at = json_z(p, "at_text", "");
	(void)printf("  %-10s", json_z(p, "name", ""));
	show_names(" to ", json_get(p, "to"));
	if (after && *after)
		(void)printf(" · after %s", after);
	if (*at && (!after || strcmp(at, after) != 0))
		(void)printf(" · %s%s", strcmp(at, "signal") ? "" : "on a ", at);
	show_field(p, "window_text", "window ", "");
	show_field(p, "spread_text", "spread over ", "");
	show_field(p, "embargo_text", "under embargo until ", "");
	show_field(
		p, "expires_text", "expires ", json_has(p, "expires_ms") ? " after its start" : "");
	if (json_bool(p, "needs_link", false))
		(void)printf(" · once the link answers");
	if (json_bool(p, "again", false))
		(void)printf(" · also to whom another part reaches");
	const char *late = json_z(p, "late", "hold");
	if (strcmp(late, "hold") != 0)
		(void)printf(" · late: %s", late);
	(void)puts(json_bool(p, "internal", false) ? " · internal" : "");
}

static void show_parts(const cJSON *result)
{
	const cJSON *parts = json_get(result, "parts");
	for (const cJSON *p = parts ? parts->child : NULL; p; p = p->next) {
		const cJSON *counts = json_get(p, "counts"), *skipped = json_get(p, "skipped");
		show_part_when(p);
		for (const cJSON *n = counts ? counts->child : NULL; n; n = n->next)
			(void)printf("    %-10s %lld targets in %lld offices\n",
				json_z(n, "channel", ""), (long long)json_i64(n, "targets", 0),
				(long long)json_i64(n, "offices", 0));
		for (const cJSON *s = skipped ? skipped->child : NULL; s; s = s->next)
			(void)printf("    %-10s left out: %s\n", json_z(s, "channel", ""),
				json_z(s, "why", ""));
	}
}

/* What short messages say and cost, office by office. */
static void show_messages(const cJSON *r)
{
	const cJSON *rows = json_get(r, "messages");
	for (const cJSON *m = rows ? rows->child : NULL; m; m = m->next) {
		const char *text = json_z(m, "text", "");
		size_t n = strlen(text);
		while (n > 0 && text[n - 1] == '\n')
			n--;
		if (json_z(m, "backup", NULL))
			(void)printf("  %s · %s · if %s takes over · %s\n    %.*s\n",
				json_z(m, "part", ""), json_z(m, "office", ""),
				json_z(m, "backup", ""), json_z(m, "how", ""), (int)n, text);
		else
			(void)printf("  %s · %s · %lld targets · %s\n    %.*s\n",
				json_z(m, "part", ""), json_z(m, "office", ""),
				(long long)json_i64(m, "targets", 0), json_z(m, "how", ""), (int)n,
				text);
	}
	if (json_i64(r, "cost", 0) > 0)
		(void)printf("  cost %lld đ\n", (long long)json_i64(r, "cost", 0));
}

static void show_spent(const cJSON *b, const char *of, const char *what)
{
	char key[40];
	(void)snprintf(key, sizeof(key), "%s_max", of);
	int64_t max = json_i64(b, key, -1);
	(void)snprintf(key, sizeof(key), "%s_spent", of);
	(void)printf(" · %s: %lld", what, (long long)json_i64(b, key, 0));
	if (max >= 0)
		(void)printf(" of %lld", (long long)max);
	(void)printf(" spent");
	(void)snprintf(key, sizeof(key), "%s_planned", of);
	if (json_i64(b, key, 0) > 0)
		(void)printf(", %lld planned", (long long)json_i64(b, key, 0));
}

/* Which accounts broadcast, and what is left of their allowance. */
static void show_broadcasts(const cJSON *r)
{
	const cJSON *rows = json_get(r, "broadcasts");
	for (const cJSON *b = rows ? rows->child : NULL; b; b = b->next) {
		(void)printf("  broadcast · %s · %s · %lld article%s", json_z(b, "office", ""),
			json_z(b, "address", ""), (long long)json_i64(b, "articles", 1),
			json_i64(b, "articles", 1) == 1 ? "" : "s");
		show_spent(b, "month", "this month");
		if (json_has(b, "campaign_spent"))
			show_spent(b, "campaign", "this campaign");
		(void)puts(json_bool(b, "fits", true) ? "" : " · NONE LEFT");
	}
}

static void show_checked(struct cli *c, const cJSON *r)
{
	if (c->json) {
		cli_print_json(c, r);
		return;
	}
	cli_problems(c, json_get(r, "problems"));
	if (c->quiet)
		return;
	(void)printf("%s%s%s\n", json_z(r, "release", json_z(r, "code", "")),
		json_z(r, "title", NULL) ? "  " : "", json_z(r, "title", ""));
	if (json_z(r, "category", NULL))
		(void)printf(
			"%s, priority %s\n", json_z(r, "category", ""), json_z(r, "priority", ""));
	show_parts(r);
	show_broadcasts(r);
	show_messages(r);
	if (json_z(r, "hash", NULL))
		(void)printf("hash %s\ncode %s\n", json_z(r, "hash", ""),
			cJSON_IsString(json_get(r, "short_code")) ? json_z(r, "short_code", "")
								  : json_z(r, "code", ""));
}

int cmd_submit(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = upload_as(c, params, "path", "bundle", "upload");
	if (!code)
		code = cli_call(c, cmd->method, params, &r);
	if (!code)
		show_checked(c, r);
	return code;
}

int cmd_check(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	return cmd_submit(c, cmd, params);
}

static void show_previews(const cJSON *rows)
{
	for (const cJSON *v = rows ? rows->child : NULL; v; v = v->next)
		(void)printf("== %s · %s · %s%s%s · %s%s\n%s\n\n", json_z(v, "part", ""),
			json_z(v, "channel", ""), json_z(v, "form", ""),
			json_z(v, "lang", "")[0] ? " · " : "", json_z(v, "lang", ""),
			json_z(v, "office", ""),
			json_bool(v, "as_approved", true) ? ""
							  : " · NOT AS IT WAS MADE FOR APPROVAL",
			json_z(v, "text", ""));
}

int cmd_preview(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	show_previews(json_get(r, "rows"));
	if (json_bool(r, "more", false))
		(void)fprintf(stderr,
			"lantoa: these are the first %d outputs and there are more: choose by --part, --channel, --office, --lang\n",
			cJSON_GetArraySize(json_get(r, "rows")));
	return 0;
}

int cmd_text(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = cli_call(c, cmd->method, params, &r);
	if (!code && c->json)
		cli_print_json(c, r);
	else if (!code)
		(void)fputs(json_z(r, "text", ""), stdout);
	return code;
}

static void show_approval(struct cli *c, const cJSON *a)
{
	const char *other = json_z(a, "for", NULL);
	int64_t voided = json_i64(a, "voided_at", 0);
	char at[60];
	(void)printf("%s %s%s%s (%s)", voided ? "void    " : "approved", json_z(a, "person", ""),
		other ? " for " : "", other ? other : "", json_z(a, "kind", ""));
	cli_time(c, voided, at, sizeof(at));
	(void)printf("%s%s\n", voided ? ": counts no more since " : "", voided ? at : "");
}

/* An approver answers for every output, also for those that were not printed. */
static void show_rest(const cJSON *r)
{
	int64_t all = json_i64(r, "outputs", 0);
	int n = cJSON_GetArraySize(json_get(r, "previews"));
	if (all > n)
		(void)printf(
			"%d of %lld outputs are shown; the others: lantoa preview %s [--part P] [--channel C] [--office O] [--lang L]\n",
			n, (long long)all, json_z(r, "release", ""));
}

int cmd_review(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = cli_call(c, cmd->method, params, &r);
	if (code)
		return code;
	if (!c->json && !c->quiet)
		show_previews(json_get(r, "previews"));
	show_checked(c, r);
	if (!c->json && !c->quiet)
		show_rest(r);
	if (!c->json && !c->quiet) {
		const cJSON *authors = json_get(r, "authors"),
			    *approvals = json_get(r, "approvals");
		for (const cJSON *a = authors ? authors->child : NULL; a; a = a->next)
			(void)printf("author   %s\n",
				cJSON_IsString(a) ? a->valuestring : json_z(a, "person", ""));
		for (const cJSON *a = approvals ? approvals->child : NULL; a; a = a->next)
			show_approval(c, a);
		(void)printf("approve exactly this: lantoa approve %s --hash %s\n",
			json_z(params, "release", ""), json_z(r, "hash", ""));
	}
	return 0;
}

int cmd_sheet(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = cli_call(c, cmd->method, params, &r);
	if (code || c->json) {
		if (!code)
			cli_print_json(c, r);
		return code;
	}
	(void)printf("PHIẾU PHÊ DUYỆT / APPROVAL SHEET\n\n%s\n%s\n\n", json_z(r, "release", ""),
		json_z(r, "title", ""));
	show_parts(r);
	show_broadcasts(r);
	(void)printf(
		"\nMã ngắn / short code: %s\nSHA-256: %s\n\nNgười phê duyệt / approved by: ______________________   Ngày / date: ____/____/________\n",
		cJSON_IsString(json_get(r, "short_code")) ? json_z(r, "short_code", "")
							  : json_z(r, "code", ""),
		json_z(r, "hash", ""));
	return 0;
}

int cmd_approve(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = 0;
	if (!json_has(params, "hash") && !json_has(params, "code")) {
		return cli_fail(c, EXIT_USAGE,
			"approve what? `lantoa review %s` shows it and its hash",
			json_z(params, "release", ""));
	}
	if (json_has(params, "code") &&
		(!json_has(params, "for") || !json_has(params, "document"))) {
		return cli_fail(c, EXIT_USAGE,
			"an approval on paper needs all three: --code CODE, --for WHO and --document FILE (a scan of the signed sheet)");
	}
	if (json_has(params, "document"))
		code = upload_as(c, params, "document", "document", "upload");
	if (!code)
		code = cli_call(c, cmd->method, params, &r);
	if (!code)
		cli_show(c, r, NULL);
	return code;
}

int cmd_local_set(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	struct buf text CLEANUP_BUF;
	const char *path = json_z(params, "path", "-");
	FILE *f = strcmp(path, "-") ? fopen(path, "rbe") : stdin;
	char piece[4096];
	buf_init(&text, LOCAL_TEXT_MAX);
	if (!f) {
		return cli_fail(c, EXIT_FAILED, "%s: %s", path, strerror(errno));
	}
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0 && !text.failed;)
		(void)buf_add(&text, piece, n);
	int bad = ferror(f) ? errno : 0;
	if (f != stdin)
		(void)fclose(f);
	if (bad) /* a folder, a disk that fails: what was read is not the text */
		return cli_fail(c, EXIT_FAILED, "%s: %s", path, strerror(bad));
	if (text.failed || !utf8_valid(buf_str(&text), NULL) ||
		(text.n && memchr(text.p, 0, text.n))) {
		return cli_fail(
			c, EXIT_REFUSED, "%s: a local text is UTF-8 of at most 16 KiB", path);
	}
	cJSON_DeleteItemFromObjectCaseSensitive(params, "path");
	json_put_z(params, "text", buf_z(&text));
	int code = cli_call(c, cmd->method, params, &r);
	if (!code)
		cli_show(c, r, NULL);
	return code;
}

static void bar(char *dst, size_t size, int64_t done, int64_t total, int cells)
{
	int full = total ? (int)(done * cells / total) : 0;
	size_t at = 0;
	dst[0] = 0;
	for (int i = 0; i < cells && at + 4 < size; i++)
		at += (size_t)snprintf(dst + at, size - at, "%s", i < full ? "█" : "░");
}

static int64_t settled_of(const cJSON *counts)
{
	static const char *const words[] = { "accepted", "delivered", "failed", "expired",
		"cancelled", "suppressed" };
	int64_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		n += json_i64(counts, words[i], 0);
	return n;
}

#define WATCH_LINE_S 2

static void watch_line(struct cli *c, const cJSON *r)
{
	const cJSON *counts = json_get(r, "counts");
	int64_t total = json_i64(r, "total", 0), done = settled_of(counts);
	char cells[200], words[300], line[600];
	bar(cells, sizeof(cells), done, total, c->width < 80 ? c->width / 4 : 30);
	cli_counts(counts, words, sizeof(words));
	(void)snprintf(line, sizeof(line), "%s %lld/%lld  %s", cells, (long long)done,
		(long long)total, words);
	struct str s = str_of(line);
	while (c->tty && utf8_width(s) >= (size_t)c->width) /* what wraps cannot be drawn anew */
		s = utf8_cut(s, s.n - 1);
	(void)printf("%s" STR_FMT "%s", c->tty ? "\r\033[K" : "", STR_ARG(s), c->tty ? "" : "\n");
	(void)fflush(stdout);
}

int cmd_watch(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	char last[400] = "";
	time_t start = time(NULL), said = 0;
	int64_t timeout = json_i64(params, "timeout", -1); /* 0: one look */
	for (;;) {
		cJSON CLEANUP_JSON *r = NULL;
		char now[400];
		int code = cli_call(c, cmd->method, params, &r);
		if (code)
			return code;
		bool done = json_bool(r, "done", false),
		     late = timeout >= 0 && time(NULL) - start >= timeout;
		cli_counts(json_get(r, "counts"), now, sizeof(now));
		/* In a file or a pipe every change would be a line: there one every two seconds tells enough. */
		bool due = c->tty || time(NULL) - said >= WATCH_LINE_S;
		if (!c->json && !c->quiet && ((due && strcmp(now, last) != 0) || done)) {
			watch_line(c, r);
			said = time(NULL);
			(void)str_copy(last, sizeof(last), str_of(now));
		}
		if (done || late) {
			if (c->tty && !c->json && !c->quiet)
				(void)putchar('\n');
			if (c->json)
				cli_print_json(c, r);
			if (!done)
				(void)fprintf(stderr, "lantoa: not done after %lld s; state %s\n",
					(long long)timeout, json_z(r, "state", ""));
			return done ? EXIT_DONE : EXIT_FAILED;
		}
		if (!cli_pause(150))
			return EXIT_FAILED;
	}
}

static int by_order(const void *x, const void *y)
{
	static const char *const keys[] = { "order", "channel", "address" };
	const cJSON *a = *(const cJSON *const *)x, *b = *(const cJSON *const *)y;
	int cmp = 0;
	for (size_t i = 0; i < ARRAY_LEN(keys) && cmp == 0; i++)
		cmp = strcmp(json_z(a, keys[i], ""), json_z(b, keys[i], ""));
	return cmp;
}

/* Pages come as they are stored: people read parts in order, offices in their official one. */
static void report_sort(cJSON *rows)
{
	size_t n = rows ? (size_t)cJSON_GetArraySize(rows) : 0, i = 0;
	if (n < 2)
		return;
	cJSON **v = x_calloc(n, sizeof(*v));
	while (rows->child)
		v[i++] = cJSON_DetachItemViaPointer(rows, rows->child);
	qsort(v, n, sizeof(*v), by_order);
	for (i = 0; i < n; i++)
		json_add(rows, v[i]);
	free(v);
}

/* All pages of a report as one document. */
static int whole_report(struct cli *c, const char *method, cJSON *params, cJSON **ret)
{
	cJSON *whole = NULL;
	for (int page = 0; page < 100000; page++) {
		cJSON CLEANUP_JSON *r = NULL;
		int code = cli_call(c, method, params, &r);
		if (code) {
			cJSON_Delete(whole);
			return code;
		}
		cJSON *next = cJSON_DetachItemFromObjectCaseSensitive(r, "next");
		bool more = json_bool(r, "more", false) && next;
		if (!whole) {
			whole = cJSON_Duplicate(r, 1);
		} else {
			cJSON *rows = cJSON_GetObjectItemCaseSensitive(r, "deliveries"),
			      *all = cJSON_GetObjectItemCaseSensitive(whole, "deliveries");
			for (cJSON *d; rows && all && (d = rows->child);)
				json_add(all, cJSON_DetachItemViaPointer(rows, d));
		}
		cJSON_DeleteItemFromObjectCaseSensitive(params, "after");
		if (more)
			json_put(params, "after", next);
		else {
			cJSON_Delete(next);
			break;
		}
	}
	cJSON_DeleteItemFromObjectCaseSensitive(whole, "more");
	report_sort(cJSON_GetObjectItemCaseSensitive(whole, "deliveries"));
	*ret = whole;
	return 0;
}

/* Is anything known of what became of it after it was published? */
static bool has_later(const cJSON *rows)
{
	for (const cJSON *d = rows ? rows->child : NULL; d; d = d->next) {
		const cJSON *stats = json_get(d, "stats"), *fate = json_get(d, "fate");
		if ((stats && stats->child) || (fate && cJSON_IsString(fate)))
			return true;
	}
	return false;
}

static void show_count(const cJSON *row, const char *key, const char *says)
{
	if (json_i64(row, key, 0) > 0)
		(void)printf(", %lld %s", (long long)json_i64(row, key, 0), says);
}

int cmd_recall(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	if (!json_has(params, "why")) {
		return cli_fail(c, EXIT_USAGE, "this needs a reason: -m WHY");
	}
	int code = cli_ask_release(c, "recall", params);
	if (code || !cli_fetch(c, cmd->method, params, &r, &code) || c->quiet)
		return code;
	const cJSON *rows = json_get(r, "channels");
	(void)printf(
		"%s: %lld that waited are stopped; %lld may still arrive: the network already has them\n",
		json_z(r, "release", ""), (long long)json_i64(r, "deliveries", 0),
		(long long)json_i64(r, "on_wire", 0));
	for (const cJSON *v = rows ? rows->child : NULL; v; v = v->next) {
		(void)printf("  %-10s %lld asked back", json_z(v, "channel", ""),
			(long long)json_i64(v, "asked", 0));
		show_count(v, "cannot", "cannot be taken back");
		show_count(v, "unknown", "of them nobody knows whether they arrived");
		(void)printf("%s%s\n", json_z(v, "why", NULL) ? ": " : "", json_z(v, "why", ""));
	}
	return 0;
}

/* A release is done when every report has come or its time is over: what was only accepted stays so. */
static void say_no_receipt(const cJSON *report)
{
	const cJSON *rows = json_get(report, "deliveries");
	if (strcmp(json_z(report, "state", ""), "done") != 0)
		return;
	for (cJSON *d = rows ? rows->child : NULL; d; d = d->next) {
		if (strcmp(json_z(d, "state", ""), "accepted") != 0)
			continue;
		cJSON_DeleteItemFromObjectCaseSensitive(d, "state");
		json_put_z(d, "state", "accepted, no receipt");
	}
}

int cmd_report(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	char totals[300];
	int code = whole_report(c, cmd->method, params, &r);
	if (code)
		return code;
	if (c->json) {
		cli_print_json(c, r);
		return 0;
	}
	say_no_receipt(r);
	cli_counts(json_get(r, "totals"), totals, sizeof(totals));
	if (!c->quiet)
		(void)printf("%s  %s\nstate %s: %s\n\n", json_z(r, "release", ""),
			json_z(r, "title", ""), json_z(r, "state", ""), totals);
	cli_table(c, json_get(r, "deliveries"),
		has_later(json_get(r, "deliveries"))
			? "part|Part,office|Office,channel|Channel,address|Address,state|State,tries|Tries|n,at|When|t,provider_id|Provider id,url|Link,stats|Numbers|c,fate|Later,fate_at|Seen|t,why|Why"
			: "part|Part,office|Office,channel|Channel,address|Address,state|State,tries|Tries|n,at|When|t,provider_id|Provider id,url|Link,why|Why");
	return 0;
}

int cmd_show(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	cli_facts(c, r);
	(void)puts("\nParts");
	cli_table(c, json_get(r, "parts"),
		"name|Part,state|State,at|At|t,why|Why,counts|Deliveries|c");
	(void)puts("\nRevisions");
	cli_table(c, json_get(r, "revisions"), "rev|Rev|n,person|Who,at|When|t,hash|Hash");
	(void)puts("\nApprovals");
	cli_table(c, json_get(r, "approvals"),
		"step|Step|n,person|Who,for|For,kind|Kind,at|When|t,voided_at|Void since|t,hash|Hash,why|Why");
	const cJSON *stops = json_get(r, "stops");
	if (stops && stops->child) {
		(void)puts("\nStopped by people");
		cli_table(c, stops,
			"what|What,person|By,since_at|Since|t,until_at|Until|t,except|Except,why|Why");
	}
	return 0;
}
