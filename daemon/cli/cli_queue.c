/* cli_queue.c - the queue for operators: what waits and why, single deliveries, stops. */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"

#define STOP_COLUMNS "what|What,person|By,since_at|Since|t,until_at|Until|t,except|Except,why|Why"

int cmd_queue(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	char totals[300];
	int code = cli_call(c, cmd->method, params, &r);
	if (code)
		return code;
	cli_show(c, r,
		"channel|Channel,account|Account,class|Class,what|What,waiting|Waiting|n,sending|Sending|n,unknown|Unknown|n,doubt|Doubt|n,held|Held|n,failed|Failed|n,oldest_at|Oldest|t,rate|Rate/s|n,why|Why");
	const cJSON *stops = json_get(r, "stops");
	if (!c->json && !c->quiet) {
		cli_counts(json_get(r, "totals"), totals, sizeof(totals));
		(void)printf("\ntotal: %s\n", totals);
		if (stops && stops->child) {
			(void)puts("\nStopped by people");
			cli_table(c, stops, STOP_COLUMNS);
		}
	}
	return 0;
}

static bool only_digits(const char *s)
{
	return s[0] && strspn(s, "0123456789") == strlen(s);
}

int cmd_delivery(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	const char *named = json_z(params, "delivery", NULL);
	if (named && !only_digits(named)) {
		return cli_fail(
			c, EXIT_USAGE, "'%s' is no delivery: a delivery is a number", named);
	}
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	cli_facts(c, r);
	(void)puts("\nTries");
	cli_table(c, json_get(r, "attempts"),
		"try|Try|n,started_at|Started|t,took_ms|ms|n,outcome|Outcome,scope|Scope,code|Code,said|Said,provider_id|Provider id,url|Link");
	const cJSON *receipts = json_get(r, "receipts"), *exchange = json_get(r, "exchange");
	if (receipts && receipts->child) {
		(void)puts("\nReceipts");
		cli_table(c, receipts, "at|When|t,state|State,code|Code");
	}
	for (const cJSON *x = exchange ? exchange->child : NULL; x; x = x->next)
		(void)printf("\n%s try %lld\n%s\n", json_bool(x, "outward", false) ? ">>>" : "<<<",
			(long long)json_i64(x, "try", 0), json_z(x, "body", json_z(x, "text", "")));
	return 0;
}

static int as_numbers(struct cli *c, cJSON *params, const char *key)
{
	cJSON *in = cJSON_DetachItemFromObjectCaseSensitive(params, key), *out = json_arr();
	int bad = 0;
	for (const cJSON *v = in ? in->child : NULL; v; v = v->next) {
		int64_t d;
		if (str_i64(str_of(v->valuestring), 1, INT64_MAX, &d)) {
			bad = cli_fail(c, EXIT_USAGE, "'%s' is no delivery: a delivery is a number",
				v->valuestring);
		} else {
			json_add(out, cJSON_CreateNumber((double)d));
		}
	}
	cJSON_Delete(in);
	if (out->child)
		json_put(params, key, out);
	else
		cJSON_Delete(out);
	return bad;
}

/* From here on the call names what was shown: while a person thinks, others may come to fit the filter. */
static void name_shown(cJSON *params, cJSON *shown)
{
	static const char *const filters[] = { "release", "part", "office", "channel", "state" };
	cJSON *list = cJSON_DetachItemFromObjectCaseSensitive(shown, "deliveries");
	if (!list)
		return;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(params, filters[i]);
	json_put(params, "deliveries", list);
}

/* Filters touch many: their count and a sample are shown, and the person asked. */
static int confirm_many(struct cli *c, const char *method, cJSON *params, bool *ret_more)
{
	cJSON CLEANUP_JSON *dry = cJSON_Duplicate(params, 1), CLEANUP_JSON *r = NULL;
	char question[200];
	json_put_bool(dry, "dry", true);
	int code = cli_call(c, method, dry, &r);
	if (code)
		return code;
	int64_t n = json_i64(r, "count", 0);
	if (!c->quiet && !c->json)
		cli_table(c, json_get(r, "sample"),
			"delivery|Delivery|n,release|Release,part|Part,office|Office,address|Address,state|State");
	if (!n) {
		return cli_fail(c, EXIT_NOT_FOUND, "no delivery fits");
	}
	*ret_more = json_bool(r, "more", false);
	(void)snprintf(question, sizeof(question), "touch these %lld deliveries%s?", (long long)n,
		*ret_more ? ", the first of more" : "");
	if (!cli_ask(c, question))
		return EXIT_FAILED;
	name_shown(params, r);
	return 0;
}

/* Of a part its own counts; of an office's share those of the rows that were listed (1,000 at most). */
static const cJSON *counts_touched(
	const cJSON *watch, const cJSON *rows, const char *part, bool office, cJSON **ret_sum)
{
	const cJSON *parts = json_get(watch, "parts");
	if (!office && !part)
		return json_get(watch, "counts");
	for (const cJSON *p = parts && !office ? parts->child : NULL; p; p = p->next)
		if (!strcmp(json_z(p, "name", ""), part))
			return json_get(p, "counts");
	*ret_sum = json_obj();
	for (const cJSON *d = rows ? rows->child : NULL; d; d = d->next) {
		const char *state = json_z(d, "state", "");
		int64_t n = json_i64(*ret_sum, state, 0) + 1;
		cJSON_DeleteItemFromObjectCaseSensitive(*ret_sum, state);
		json_put_i64(*ret_sum, state, n);
	}
	return *ret_sum;
}

#define SAMPLE_MAX 10

static void show_sample(struct cli *c, cJSON *rows)
{
	while (cJSON_GetArraySize(rows) > SAMPLE_MAX)
		cJSON_DeleteItemFromArray(rows, SAMPLE_MAX);
	if (rows && rows->child && !c->quiet && !c->json)
		cli_table(c, rows,
			"delivery|Delivery|n,part|Part,office|Office,address|Address,state|State");
}

int cli_ask_release(struct cli *c, const char *verb, const cJSON *params)
{
	cJSON CLEANUP_JSON *of = json_obj(), CLEANUP_JSON *watch = NULL, CLEANUP_JSON *list = NULL,
			   CLEANUP_JSON *sum = NULL;
	const char *part = json_z(params, "part", NULL), *office = json_z(params, "office", NULL);
	char question[500], counts[200];
	json_put_z(of, "release", json_z(params, "release", ""));
	int code = cli_call(c, "release.watch", of, &watch);
	if (code)
		return code;
	if (part)
		json_put_z(of, "part", part);
	if (office)
		json_put_z(of, "office", office);
	json_put_i64(of, "limit", office ? 1000 : SAMPLE_MAX);
	code = cli_call(c, "delivery.list", of, &list);
	if (code)
		return code;
	cJSON *rows = cJSON_GetObjectItemCaseSensitive(list, "rows");
	cli_counts(counts_touched(watch, rows, part, office, &sum), counts, sizeof(counts));
	show_sample(c, rows);
	(void)snprintf(question, sizeof(question), "%s %s%s%s%s%s (%s%s)?", verb,
		json_z(watch, "release", ""), part ? " part " : "", part ? part : "",
		office ? " office " : "", office ? office : "",
		*counts ? counts : "no deliveries yet",
		office && json_bool(list, "more", false) ? ", the first of more" : "");
	return cli_ask(c, question) ? 0 : EXIT_FAILED;
}

/* Which of several words names a release: a release holds a letter, a delivery is digits only. */
static const char *release_among(const cJSON *things)
{
	for (const cJSON *v = things ? things->child : NULL; v; v = v->next)
		if (!only_digits(v->valuestring))
			return v->valuestring;
	return NULL;
}

static bool has_filter(const cJSON *params)
{
	static const char *const filters[] = { "release", "part", "office", "channel", "state" };
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		if (json_has(params, filters[i]))
			return true;
	return false;
}

/* `cancel R` ends a release; `cancel R --part P` and `cancel R --dry` look at its deliveries only, as does `cancel D... | filters`.
 * NULL after a complaint. */
static const char *cancel_method(struct cli *c, cJSON *params)
{
	cJSON CLEANUP_JSON *list = cJSON_DetachItemFromObjectCaseSensitive(params, "things");
	const char *release = release_among(list);
	if (!release) {
		if (list && list->child)
			json_put(params, "deliveries", MOVE(list));
		return "delivery.cancel";
	}
	if (list->child->next || json_has(params, "release")) {
		(void)cli_fail(c, EXIT_USAGE,
			"'%s' stands beside something else: name one release, or deliveries by number, or filters",
			release);
		return NULL;
	}
	bool some = has_filter(params) || json_bool(params, "dry", false);
	json_put_z(params, "release", release);
	return some ? "delivery.cancel" : "release.cancel";
}

/* more: the filter fits more than were named. */
static void show_acted(struct cli *c, cJSON *r, bool more)
{
	if (!c->json &&
		cJSON_IsArray(json_get(
			r, "deliveries"))) /* of a look; the end of a release has their number */
		cJSON_DeleteItemFromObjectCaseSensitive(r, "deliveries");
	if (more) {
		cJSON_DeleteItemFromObjectCaseSensitive(r, "more");
		json_put_bool(r, "more", true);
	}
	cli_show(c, r, NULL);
	if (more)
		(void)fputs("lantoa: more fit than one call takes; run it again\n", stderr);
}

int cmd_act(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	const char *method = cmd->method ? cmd->method : cancel_method(c, params);
	if (!method)
		return EXIT_USAGE;
	bool release = !strcmp(method, "release.cancel"), more = false;
	int code = release ? 0 : as_numbers(c, params, "deliveries");
	if (code)
		return code;
	if (!release && json_has(params, "deliveries") && has_filter(params)) {
		return cli_fail(c, EXIT_USAGE,
			"deliveries by number or filters, not both: a filter would not narrow the numbers");
	}
	if (!json_has(params, "why") && !json_bool(params, "dry", false)) {
		return cli_fail(c, EXIT_USAGE, "this needs a reason: -m WHY");
	}
	if (release)
		code = cli_ask_release(c, "cancel", params);
	else if (!json_has(params, "deliveries") && !json_bool(params, "dry", false))
		code = confirm_many(c, method, params, &more);
	if (!code)
		code = cli_call(c, method, params, &r);
	if (!code)
		show_acted(c, r, more);
	return code;
}

static int show_resumed(struct cli *c, const cJSON *r)
{
	const cJSON *stops = json_get(r, "stops");
	bool still = stops && stops->child, lifted = json_i64(r, "lifted", 0) > 0;
	if (c->json) {
		cli_print_json(c, r);
	} else if (!c->quiet) {
		if (lifted)
			(void)printf("%lld lots, %lld deliveries go on\n",
				(long long)json_i64(r, "lots", 0),
				(long long)json_i64(r, "deliveries", 0));
		if (still) {
			(void)puts("Still stopped by people");
			cli_table(c, stops, STOP_COLUMNS);
		}
	}
	if (lifted)
		return EXIT_DONE;
	return cli_fail(c, EXIT_CONFLICT, "nothing was lifted: %s",
		still ? "no hold was given for this scope; resume those that stand as they were given"
		      : "no hold stands here; `lantoa channels` says what a lane waits for, `lantoa show` what a release does");
}

int cmd_stop(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	if (!json_has(params, "why")) {
		return cli_fail(c, EXIT_USAGE, "this needs a reason: -m WHY");
	}
	const char *name = json_z(params, "channel", NULL);
	if (name && strchr(name, '/') && !json_has(params, "lane")) {
		json_put_z(params, "lane", name);
		cJSON_DeleteItemFromObjectCaseSensitive(params, "channel");
	}
	int code = cli_call(c, cmd->method, params, &r);
	if (code)
		return code;
	if (json_has(r, "lifted"))
		return show_resumed(c, r);
	if (c->json)
		cli_print_json(c, r);
	else if (!c->quiet)
		(void)printf(
			"%lld lots, %lld deliveries; %lld may still arrive: the network already has them\n",
			(long long)json_i64(r, "lots", 0), (long long)json_i64(r, "deliveries", 0),
			(long long)json_i64(r, "on_wire", 0));
	return 0;
}

int cmd_channels(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = cli_call(c, cmd->method, params, &r);
	if (code)
		return code;
	if (c->json || json_bool(params, "by_office", false)) {
		cli_show(c, r,
			"office|Office,kind|Kind,channel|Channel,account|Account,targets|Targets|n");
		return 0;
	}
	const cJSON *rows = json_get(r, "rows");
	for (const cJSON *ch = rows ? rows->child : NULL; ch; ch = ch->next) {
		const cJSON *accounts = json_get(ch, "accounts");
		(void)printf("%s (%s, adapter %s %s)\n", json_z(ch, "channel", ""),
			json_z(ch, "kind", ""), json_z(ch, "adapter", ""),
			json_z(ch, "version", ""));
		for (const cJSON *a = accounts ? accounts->child : NULL; a; a = a->next) {
			const cJSON *cred = json_get(a, "credential");
			(void)printf(" %s%s%s%s%s\n", json_z(a, "account", ""),
				cred ? "  credential " : "", json_z(cred, "name", ""),
				cred ? ": " : "", json_z(cred, "state", ""));
			if (json_get(a, "stats") && json_get(a, "stats")->child) {
				char text[300];
				cli_counts(json_get(a, "stats"), text, sizeof(text));
				(void)printf("  numbers: %s\n", text);
			}
			cli_table(c, json_get(a, "lanes"),
				"class|  Class,gate|Gate,in_flight|In flight|n,concurrency|Slots|n,intents|Intents|n,rate|Rate/s|n,breaker|Breaker,next_at|Next|t,why|Why");
		}
	}
	return 0;
}
