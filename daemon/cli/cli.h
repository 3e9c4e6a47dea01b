/* cli.h - `lantoa`: one connection, one call after the other, tables for people, JSON for programs. Single thread, blocking.
 * Knows the control protocol (docs/control-protocol.md) and nothing else of the daemon.
 * Exit codes: 0 done, 1 failed, 2 usage, 3 not allowed, 4 not found, 5 daemon unreachable, 6 refused by a check, 7 conflict.
 */
#ifndef LANTOA_CLI_CLI_H
#define LANTOA_CLI_CLI_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include "base/assert.h"
#include "base/err.h"
#include "base/json.h"

enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DENIED = 3,
	EXIT_NOT_FOUND = 4,
	EXIT_UNREACHABLE = 5,
	EXIT_REFUSED = 6,
	EXIT_CONFLICT = 7
};

struct cli {
	const char *socket_path, *as, *as_key;
	int fd;
	int64_t next_id;
	struct buf in;
	bool json, quiet, yes, tty, color;
	bool patient; /* the call under way may take hours */
	int width;
	int64_t zone_s;
	bool zone_known;
	bool said;        /* a document for a program */
	char failed[600]; /* what cli_fail said last */
};

enum cli_opt_type { OPT_TEXT, OPT_FLAG, OPT_NUMBER, OPT_REPEAT };
struct cli_opt {
	const char *name;  /* "--part" or "-m" */
	const char *param; /* key in params */
	enum cli_opt_type type;
	const char *help;
};
#define CLI_OPTS_MAX 14

struct cli_cmd {
	const char *words; /* "offices import" */
	const char *
		args; /* positional: "R=release", "D...=deliveries", "[FILE]=file", "into"; NULL: none */
	const char *method;
	const char *help;
	/* NULL: call the method, show the result by `columns` */
	int (*fn)(struct cli *c, const struct cli_cmd *cmd, cJSON *params);
	const char *
		columns; /* "key|Heading|type ..." joined by commas; types: s text, t time, n number, l list, c counts */
	struct cli_opt opt[CLI_OPTS_MAX];
};

/* cli_rpc.c. Errors are printed; the return value is an exit code. */
int cli_call(struct cli *c, const char *method, const cJSON *params, cJSON **ret);
/* Calls, and with --json prints the answer; true when the caller is to show it. *ret_code: what to exit with else. */
bool cli_fetch(struct cli *c, const char *method, const cJSON *params, cJSON **ret, int *ret_code);
int cli_upload(struct cli *c, const char *path /* "-": standard input; a folder is packed */,
	const char *name /* NULL: the file's */, const char *what, char **ret_id);
void cli_close(struct cli *c);
int64_t cli_zone(struct cli *c);

/* cli_pack.c: a folder as a zip in an unlinked temporary file, rewound. */
int cli_pack(const char *folder, FILE **ret, struct err *e) MUST_CHECK;

/* cli_table.c */
/* What was stored by others goes to a terminal: control characters and marks that turn the direction of a line become visible, and
 * only what is a text of its own (text, body) keeps its line breaks. */
void cli_clean(cJSON *j);
void cli_show(
	struct cli *c, const cJSON *result, const char *columns); /* rows by columns, or --json */
void cli_table(struct cli *c, const cJSON *rows, const char *columns);
void cli_facts(struct cli *c, const cJSON *object); /* key: value lines of what is no list */
void cli_time(struct cli *c, int64_t utc_ms, char *dst, size_t size);
void cli_counts(const cJSON *counts, char *dst,
	size_t size); /* {"waiting":3,"sending":1} -> "3 waiting, 1 sending" */
void cli_print_json(struct cli *c, const cJSON *j);
/* Says it to people and keeps it for cli_end; returns code. */
int cli_fail(struct cli *c, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A program that asked for --json gets a document also where nothing but people were told: {"code":exit code,"message":...}. */
void cli_end(struct cli *c, int code);
void cli_problems(struct cli *c, const cJSON *problems);
bool cli_ask(
	struct cli *c, const char *question); /* true with --yes; false when it is no terminal */
/* Between two questions; false when nobody reads our output any more. SIGPIPE need not say so: a service's is ignored. */
bool cli_pause(int ms);
/* cli_queue.c: shows what of a release (params: release, part, office) is touched, and asks; 0 or an exit code. */
int cli_ask_release(struct cli *c, const char *verb, const cJSON *params);

/* Commands that need more than one call or a special face. */
int cmd_submit(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_check(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_preview(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_text(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_review(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_sheet(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_approve(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_watch(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_recall(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_report(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_show(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_local_set(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_queue(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_delivery(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_act(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_stop(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_channel_check(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_channel_login(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_channels(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_import(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_office_show(struct cli *c, const struct cli_cmd *cmd, cJSON *params);
int cmd_campaign_show(struct cli *c, const struct cli_cmd *cmd, cJSON *params);
int cmd_target_show(struct cli *c, const struct cli_cmd *cmd, cJSON *params);
int cmd_target_allow(struct cli *c, const struct cli_cmd *cmd, cJSON *params);
int cmd_restore_confirm(struct cli *c, const struct cli_cmd *cmd, cJSON *params);
int cmd_status(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_verdict(struct cli *, const struct cli_cmd *, cJSON *);
int cmd_audit_follow(struct cli *, const struct cli_cmd *, cJSON *);

extern const struct cli_cmd cli_cmds[];
extern const size_t cli_n_cmds;

/* cli_help.c */
#define CLI_OWN 2
extern const struct cli_cmd cli_own[CLI_OWN]; /* completion and help: no fn, no method */
void cli_help(FILE *to);
void cli_help_cmd(FILE *to, const struct cli_cmd *cmd);
void cli_man(void);
int cli_completion(const char *shell);

#endif
