/* cli_channel.c - channels for operators: what each account says of itself, and how a person connects one.
 * A code is read from the terminal or from standard input, so that it need not stand in the list of processes. */
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/crypt.h"
#include "cli/cli.h"

#define CODE_MAX 8192

static void put_fact(struct cli *c, struct buf *b, const cJSON *f)
{
	char when[64];
	struct str name = str_of(f->string);
	int64_t v = (int64_t)f->valuedouble;
	if (str_starts(name, "warn.")) /* a warning is a line of its own, and none is nothing */
		return;
	if (b->n)
		(void)buf_addz(b, ", ");
	if (str_ends(name, "_at_ms") && v > 0) {
		cli_time(c, v, when, sizeof(when));
		(void)buf_addf(b, "%.*s %s", (int)name.n - 6, f->string, when);
	} else {
		(void)buf_addf(b, "%s %lld", f->string, (long long)v);
	}
}

static void put_credential(struct cli *c, struct buf *b, const cJSON *cred)
{
	char when[64] = "";
	int64_t expires = json_i64(cred, "expires_at", 0),
		changed = json_i64(cred, "changed_at", 0);
	(void)buf_addf(b, "%s %s", json_z(cred, "name", ""), json_z(cred, "state", ""));
	if (changed) {
		cli_time(c, changed, when, sizeof(when));
		(void)buf_addf(b, ", since %s", when);
	}
	if (expires) {
		cli_time(c, expires, when, sizeof(when));
		(void)buf_addf(b, ", expires %s", when);
	}
}

/* An account in full: a cut warning is none. */
static void show_account(struct cli *c, const cJSON *row)
{
	struct buf b CLEANUP_BUF;
	const cJSON *facts = json_get(row, "facts"), *warnings = json_get(row, "warnings"),
		    *cred = json_get(row, "credential");
	buf_init(&b, 16384);
	(void)printf("%s/%s: %s%s%s\n", json_z(row, "channel", ""), json_z(row, "account", ""),
		json_bool(row, "ok", false) ? "good" : "NOT GOOD",
		json_z(row, "text", "")[0] ? ", " : "", json_z(row, "text", ""));
	for (const cJSON *f = facts ? facts->child : NULL; f; f = f->next)
		put_fact(c, &b, f);
	if (b.n)
		(void)printf("  %s\n", buf_z(&b));
	buf_reset(&b);
	if (cred && json_has(cred, "name"))
		put_credential(c, &b, cred);
	if (b.n)
		(void)printf("  credential %s\n", buf_z(&b));
	for (const cJSON *w = warnings ? warnings->child : NULL; w; w = w->next)
		(void)printf("  ! %s\n", w->valuestring ? w->valuestring : "");
}

int cmd_channel_check(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	cJSON_DeleteItemFromObjectCaseSensitive(params, "all"); /* without --account it is all */
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code ? code : json_bool(r, "ok", true) ? EXIT_DONE : EXIT_FAILED;
	const cJSON *rows = json_get(r, "rows");
	for (const cJSON *row = rows ? rows->child : NULL; row && !c->quiet; row = row->next)
		show_account(c, row);
	return json_bool(r, "ok", true) ? EXIT_DONE : EXIT_FAILED;
}

/* One line; what is typed is not shown. */
static bool read_code(bool tty, char *dst, size_t size)
{
	struct termios was, hidden;
	bool hide = tty && tcgetattr(STDIN_FILENO, &was) == 0;
	if (hide) {
		hidden = was;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	bool got = fgets(dst, (int)size, stdin) != NULL;
	if (hide) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		(void)fputc('\n', stderr);
	}
	dst[got ? strcspn(dst, "\r\n") : 0] = 0;
	return dst[0] != 0;
}

static int connected(const struct cli *c, const cJSON *r)
{
	if (!c->quiet)
		(void)printf("%s/%s is connected%s%s\n", json_z(r, "channel", ""),
			json_z(r, "account", ""), json_z(r, "text", "")[0] ? ": " : "",
			json_z(r, "text", ""));
	return EXIT_DONE;
}

static int give_code(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	return cli_fetch(c, cmd->method, params, &r, &code) ? connected(c, r) : code;
}

static int typed_code(struct cli *c, const struct cli_cmd *cmd, cJSON *params, bool tty)
{
	char text[CODE_MAX];
	bool got = read_code(tty, text, sizeof(text));
	if (got)
		json_put_z(params, "code", text);
	wipe(text, sizeof(text));
	if (!got) {
		return cli_fail(
			c, tty ? EXIT_FAILED : EXIT_USAGE, "no code was given; nothing is changed");
	}
	return give_code(c, cmd, params);
}

int cmd_channel_login(struct cli *c, const struct cli_cmd *cmd, cJSON *params)
{
	cJSON CLEANUP_JSON *r = NULL;
	int code;
	bool from_stdin = json_bool(params, "code_stdin", false), tty = isatty(STDIN_FILENO) == 1;
	cJSON_DeleteItemFromObjectCaseSensitive(params, "code_stdin");
	if (json_has(params, "code"))
		return give_code(c, cmd, params);
	if (from_stdin)
		return typed_code(c, cmd, params, false);
	if (!cli_fetch(c, cmd->method, params, &r, &code))
		return code;
	if (json_bool(r, "done", false))
		return connected(c, r);
	(void)printf("%s/%s\n", json_z(r, "channel", ""), json_z(r, "account", ""));
	if (json_z(r, "text", "")[0])
		(void)printf("%s\n", json_z(r, "text", ""));
	if (json_z(r, "url", "")[0])
		(void)printf(
			"Open this page as an administrator of the account, and agree:\n\n  %s\n\n",
			json_z(r, "url", ""));
	if (!tty || c->quiet) {
		(void)printf("Then: lantoa channel login %s --account %s --code-stdin\n",
			json_z(r, "channel", ""), json_z(r, "account", ""));
		return EXIT_DONE;
	}
	(void)fprintf(stderr, "Code, or the address that the browser was sent to: ");
	return typed_code(c, cmd, params, true);
}
