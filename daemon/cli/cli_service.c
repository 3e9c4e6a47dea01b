/* cli_service.c - imports, status, verdicts, the record of acts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"

int cmd_import(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	char *id = NULL;
	const char *path = json_z(params, "path", "-"), *name = json_z(params, "name", NULL);
	int code = cli_upload(c, path, name, "import", &id);
	cJSON_DeleteItemFromObjectCaseSensitive(params, "path");
	cJSON_DeleteItemFromObjectCaseSensitive(params, "name");
	if (!code) {
		json_put_z(params, "upload", id);
		code = cli_call(c, cmd->method, params, &r);
	}
	free(id);
	if (code)
		return code;
	if (c->json) {
		cli_print_json(c, r);
		return 0;
	}
	cli_problems(c, json_get(r, "problems"));
	const cJSON *warnings = json_get(r, "warnings");
	for (const cJSON *w = warnings ? warnings->child : NULL; w; w = w->next)
		(void)fprintf(stderr, "  warning %s\n",
			cJSON_IsString(w) ? w->valuestring : json_z(w, "text", ""));
	if (!c->quiet)
		(void)printf("%lld rows: %lld added, %lld changed, %lld gone%s\n",
			(long long)json_i64(r, "rows", 0), (long long)json_i64(r, "added", 0),
			(long long)json_i64(r, "changed", 0), (long long)json_i64(r, "gone", 0),
			json_bool(params, "dry", false) ? " (nothing stored)" : "");
	return 0;
}

static void say_date(struct cli *c, const cJSON *o, const char *key, const char *says)
{
	char text[64];
	if (!cJSON_IsNumber(json_get(o, key)))
		return;
	cli_time(c, json_i64(o, key, 0), text, sizeof(text));
	(void)printf("%-14s %s\n", says, text);
}

#define TARGET_COLUMNS \
	"channel|Channel,address|Address,office|Office,name|Name,lang|Language,tags|Tags|l,lists|Lists|l,lane|Lane"

int cmd_office_show(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	const cJSON *vars = json_get(r, "vars");
	(void)printf("%-14s %s\n%-14s %s\n%-14s %s\n%-14s %s\n%-14s %s\n", "code",
		json_z(r, "code", ""), "name", json_z(r, "name", ""), "under",
		json_z(r, "parent", ""), "region", json_z(r, "region", ""), "language",
		json_z(r, "lang", ""));
	say_date(c, r, "valid_from", "from");
	say_date(c, r, "valid_to", "until");
	if (json_z(r, "replaced_by", NULL))
		(void)printf("%-14s %s\n", "then", json_z(r, "replaced_by", ""));
	if (json_bool(r, "gone", false))
		(void)puts("it is gone: no release reaches it any more");
	(void)puts("\nVariables");
	for (const cJSON *v = vars ? vars->child : NULL; v; v = v->next)
		(void)printf("  {{office.%s}}  %s\n", v->string,
			cJSON_IsString(v) ? v->valuestring : "");
	(void)puts("\nTargets");
	cli_table(c, json_get(r, "rows"), TARGET_COLUMNS);
	if (json_bool(r, "more", false))
		(void)fprintf(stderr,
			"(there are %lld in all: go on with `lantoa targets --office %s --after %lld`)\n",
			(long long)json_i64(r, "targets", 0), json_z(r, "code", ""),
			(long long)json_i64(r, "next", 0));
	return 0;
}

int cmd_campaign_show(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	(void)printf("%-14s %s\n%-14s %s\n", "name", json_z(r, "name", ""), "title",
		json_z(r, "title", ""));
	say_date(c, r, "from", "from");
	say_date(c, r, "to", "until");
	(void)printf("%-14s %s\n\nReleases\n", "priority", json_z(r, "priority", ""));
	cli_show(c, r, "release|Release,title|Title,state|State,submitted_at|Submitted|t");
	return 0;
}

int cmd_target_show(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	const cJSON *stops = json_get(r, "suppression");
	(void)puts("Targets");
	cli_table(c, json_get(r, "targets"), TARGET_COLUMNS);
	(void)puts("\nSuppressed");
	if (stops && stops->child)
		cli_table(c, stops, "list|List,reason|Reason,since_at|Since|t");
	else
		(void)puts("(no: nothing keeps a release from it)");
	(void)printf("\ndeliveries  %lld\n", (long long)json_i64(r, "deliveries", 0));
	return 0;
}

#define STOP_COLUMNS "channel|Channel,list|List,reason|Reason,since_at|Since|t"

int cmd_target_allow(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	const cJSON *kept = json_get(r, "kept"), *lifted = json_get(r, "lifted");
	if (c->quiet)
		return 0;
	(void)puts("Lifted");
	cli_table(c, lifted, STOP_COLUMNS);
	if (kept && kept->child) {
		(void)puts("\nStill suppressed (only with --agreed-again)");
		cli_table(c, kept, STOP_COLUMNS);
	}
	for (const cJSON *v = lifted ? lifted->child : NULL; v; v = v->next) {
		if (json_bool(v, "erased", false))
			(void)puts(
				"\nThis address was erased: an import brings it back, nothing else.");
		if (!strcmp(json_z(v, "consent", ""), "refused"))
			(void)puts(
				"\nAdvertising stays refused: only the person's own message agrees to it.");
	}
	return 0;
}

int cmd_status(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	char text[300];
	int code;
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	const cJSON *warnings = json_get(r, "warnings");
	cli_counts(json_get(r, "states"), text, sizeof(text));
	(void)printf("lantoad %s, %s mode, up %lld s, epoch %lld\n", json_z(r, "version", ""),
		json_z(r, "mode", ""), (long long)(json_i64(r, "uptime_ms", 0) / 1000),
		(long long)json_i64(r, "epoch", 0));
	(void)printf("deliveries    %s\nopen intents  %lld\n", text,
		(long long)json_i64(r, "intents_open", 0));
	cli_facts(c, json_get(r, "store"));
	for (const cJSON *w = warnings ? warnings->child : NULL; w; w = w->next)
		(void)printf("%swarning%s %s\n", c->color ? "\033[33m" : "",
			c->color ? "\033[0m" : "", cJSON_IsString(w) ? w->valuestring : "");
	return 0;
}

/* On a restored database there is no daemon to ask: it is confirmed on its own machine. */
int cmd_restore_confirm(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = cli_call(c, cmd->method, params, &r);
	if (!code && c->json)
		cli_print_json(c, r);
	else if (!code)
		(void)puts("nothing to confirm: the daemon runs on this database");
	if (code == EXIT_UNREACHABLE)
		(void)fputs(
			"        if its journal says that the database was restored, copied or not used for long: look what went out since then,\n"
			"        and on its machine run `sudo lantoad --restore-confirm --key /etc/lantoa/master.key`; everything open is then held until a person resumes it\n",
			stderr);
	return code;
}

/* fsck, audit verify, config check: good or a list of what is not. */
int cmd_verdict(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code = cli_call(c, cmd->method, params, &r);
	if (code)
		return code;
	bool ok = json_bool(r, "ok", false);
	if (c->json) {
		cli_print_json(c, r);
		return ok ? EXIT_DONE : EXIT_REFUSED;
	}
	const cJSON *problems = json_get(r, "problems");
	for (const cJSON *p = problems ? problems->child : NULL; p; p = p->next) {
		const char *subject = json_z(p, "subject", "");
		(void)printf("  %s%s%s\n", subject, *subject ? ": " : "",
			cJSON_IsString(p) ? p->valuestring : json_z(p, "text", ""));
	}
	if (!c->quiet && json_get(r, "checked"))
		cli_facts(c, json_get(r, "checked"));
	if (!c->quiet && json_has(r, "seq"))
		(void)printf(
			"head %lld:%s\n", (long long)json_i64(r, "seq", 0), json_z(r, "hash", ""));
	(void)puts(ok ? "clean" : "NOT CLEAN");
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static void show_act(struct cli *c, const cJSON *v)
{
	char when[64];
	if (c->json) {
		cli_print_json(c, v);
		return;
	}
	cli_time(c, json_i64(v, "at", 0), when, sizeof(when));
	(void)printf("%s %s %s %s%s%s\n", when, json_z(v, "person", ""), json_z(v, "what", ""),
		json_z(v, "subject", ""), json_z(v, "why", "")[0] ? " – " : "",
		json_z(v, "why", ""));
}

#define LOG_FIRST 200
#define LOG_PAGES 1000 /* of 1000 acts: more between two looks is more than anybody reads */

/* Acts newer than `last`, newest first, over as many pages as they fill; without one the newest page. */
static int acts_since(
	struct cli *c, const struct cli_cmd *cmd, cJSON *params, int64_t last, cJSON *all)
{
	bool more = true;
	int code = 0;
	json_put_i64(params, "limit", last ? 1000 : LOG_FIRST);
	for (int page = 0; more && !code && page < LOG_PAGES; page++) {
		cJSON CLEANUP_JSON *r = NULL;
		code = cli_call(c, cmd->method, params, &r);
		more = last && json_bool(r, "more", false);
		cJSON *rows = cJSON_GetObjectItemCaseSensitive(r, "rows");
		for (cJSON *v; rows && (v = rows->child);) {
			more = more && json_i64(v, "seq", 0) > last;
			json_add(all, cJSON_DetachItemViaPointer(rows, v));
		}
		cJSON_DeleteItemFromObjectCaseSensitive(params, "after");
		if (more)
			json_put_i64(params, "after", json_i64(r, "next", 0));
	}
	cJSON_DeleteItemFromObjectCaseSensitive(params, "limit");
	cJSON_DeleteItemFromObjectCaseSensitive(params, "after");
	return code;
}

/* What is newer than the last one shown is printed, oldest first. */
int cmd_audit_follow(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	bool follow = json_bool(params, "follow", false);
	int64_t last = 0;
	cJSON_DeleteItemFromObjectCaseSensitive(params, "follow");
	for (;;) {
		cJSON CLEANUP_JSON *all = json_arr();
		int code = acts_since(c, cmd, params, last, all);
		if (code)
			return code;
		/* a list of cJSON knows its end */
		for (const cJSON *v = all->child ? all->child->prev : NULL; v;
			v = v == all->child ? NULL : v->prev) {
			if (json_i64(v, "seq", 0) <= last)
				continue;
			last = json_i64(v, "seq", 0);
			show_act(c, v);
		}
		(void)fflush(stdout);
		if (!follow)
			return 0;
		if (!cli_pause(500))
			return EXIT_FAILED;
	}
}
