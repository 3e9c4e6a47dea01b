/* main_cli.c - finds the command, reads its options by its row, runs it. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/crypt.h"
#include "base/file.h"
#include "cli/cli.h"

static int usage(struct cli *c, const char *text, const char *what)
{
	(void)cli_fail(c, EXIT_USAGE, "%s%s%s%s", text, what ? " '" : "", what ? what : "",
		what ? "'" : "");
	(void)fputs(
		"        `lantoa help` lists the commands, `lantoa help COMMAND` explains one\n",
		stderr);
	return EXIT_USAGE;
}

/* How many words of the command stand at the front of argv; 0: another command. */
static int words_match(const char *words, char **argv, int argc)
{
	struct str rest = str_of(words), w;
	int n = 0;
	while (str_next(&rest, ' ', &w)) {
		if (n >= argc || !str_eqz(w, argv[n]))
			return 0;
		n++;
	}
	return n;
}

static const struct cli_cmd *find_cmd(char **argv, int argc, int *ret_words)
{
	const struct cli_cmd *best = NULL;
	*ret_words = 0;
	for (size_t i = 0; i < cli_n_cmds; i++) {
		int n = words_match(cli_cmds[i].words, argv, argc);
		if (n > *ret_words) {
			best = &cli_cmds[i];
			*ret_words = n;
		}
	}
	return best;
}

static int put_option(struct cli *c, const struct cli_opt *o, const char *value, cJSON *params)
{
	int64_t n;
	if (o->type != OPT_REPEAT && json_has(params, o->param))
		return usage(c, "this option stands here twice; keep one:", o->name);
	switch (o->type) {
	case OPT_FLAG: json_put_bool(params, o->param, true); break;
	case OPT_TEXT: json_put_z(params, o->param, value); break;
	case OPT_NUMBER:
		if (str_i64(str_of(value), 0, INT64_MAX, &n))
			return usage(c, "not a number:", value);
		json_put_i64(params, o->param, n);
		break;
	case OPT_REPEAT: {
		cJSON *list = cJSON_GetObjectItemCaseSensitive(params, o->param);
		if (!list)
			json_put(params, o->param, list = json_arr());
		json_add_str(list, str_of(value));
		break;
	}
	}
	return 0;
}

static int read_option(
	struct cli *c, const struct cli_cmd *cmd, int argc, char **argv, int *i, cJSON *params)
{
	const char *a = argv[*i];
	const char *names[CLI_OPTS_MAX];
	size_t n = 0;
	if (!strcmp(a, "--json") || !strcmp(a, "-q") || !strcmp(a, "--yes")) {
		c->json |= !strcmp(a, "--json");
		c->quiet |= !strcmp(a, "-q");
		c->yes |= !strcmp(a, "--yes");
		return 0;
	}
	for (; n < CLI_OPTS_MAX && cmd->opt[n].name; n++) {
		const struct cli_opt *o = &cmd->opt[n];
		size_t len = strlen(o->name);
		names[n] = o->name;
		if (!strcmp(a, o->name)) {
			if (o->type != OPT_FLAG && *i + 1 >= argc)
				return usage(c, "this option needs a value:", a);
			return put_option(c, o, o->type == OPT_FLAG ? NULL : argv[++*i], params);
		}
		if (o->type != OPT_FLAG && !strncmp(a, o->name, len) && a[len] == '=')
			return put_option(c, o, a + len + 1, params);
	}
	const char *near = str_nearest(str_of(a), names, n);
	return cli_fail(c, EXIT_USAGE, "`%s` has no option '%s'%s%s%s", cmd->words, a,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* cmd->args: words "NAME=key", optional "[NAME]=key", several "NAME...=key"; a word without a key stands there as it is. */
static int put_args(struct cli *c, const struct cli_cmd *cmd, char **pos, int n, cJSON *params)
{
	struct str rest = str_of(cmd->args), spec, name;
	int used = 0;
	while (cmd->args && str_next(&rest, ' ', &spec)) {
		(void)str_next(&spec, '=', &name);
		char key[40];
		bool optional = str_starts(name, "["),
		     many = memmem(name.p, name.n, "...", 3) != NULL;
		(void)str_copy(key, sizeof(key), spec);
		if (many) {
			cJSON *list = json_arr();
			while (used < n)
				json_add_str(list, str_of(pos[used++]));
			if (!optional && !list->child) {
				cJSON_Delete(list);
				return usage(c, "something is missing after", cmd->words);
			}
			json_put(params, key, list);
		} else if (!*key && (used >= n || !str_eqz(name, pos[used]))) {
			cli_help_cmd(stderr, cmd);
			return EXIT_USAGE;
		} else if (!*key) {
			used++;
		} else if (used < n) {
			json_put_z(params, key, pos[used++]);
		} else if (!optional) {
			cli_help_cmd(stderr, cmd);
			return EXIT_USAGE;
		}
	}
	return used < n ? usage(c, "too much after the command:", pos[used]) : 0;
}

static int run_cmd(struct cli *c, const struct cli_cmd *cmd, int argc, char **argv)
{
	cJSON CLEANUP_JSON *params = json_obj(), CLEANUP_JSON *result = NULL;
	char *pos[1024];
	int n = 0;
	bool plain = false;
	for (int i = 0; i < argc; i++) {
		if (!plain && !strcmp(argv[i], "--")) {
			plain = true;
		} else if (!plain && argv[i][0] == '-' && argv[i][1]) {
			if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
				cli_help_cmd(stdout, cmd);
				return EXIT_DONE;
			}
			int code = read_option(c, cmd, argc, argv, &i, params);
			if (code)
				return code;
		} else if (n == (int)ARRAY_LEN(pos)) {
			return usage(c, "more than 1024 arguments", NULL);
		} else {
			pos[n++] = argv[i];
		}
	}
	int code = put_args(c, cmd, pos, n, params);
	if (code)
		return code;
	if (cmd->fn)
		return cmd->fn(c, cmd, params);
	code = cli_call(c, cmd->method, params, &result);
	if (!code)
		cli_show(c, result, cmd->columns);
	return code;
}

static int unknown_command(struct cli *c, const char *word)
{
	const char *names[128];
	size_t n = 0;
	for (size_t i = 0; i < cli_n_cmds && n < ARRAY_LEN(names); i++)
		names[n++] = cli_cmds[i].words;
	for (size_t i = 0; i < CLI_OWN && n < ARRAY_LEN(names); i++)
		names[n++] = cli_own[i].words;
	const char *near = str_nearest(str_of(word), names, n);
	if (near)
		return cli_fail(
			c, EXIT_USAGE, "no command '%s'; did you mean `lantoa %s`?", word, near);
	return usage(c, "no command", word);
}

/* All commands that begin with the word are explained: `help channel` is the four of them, `help offices` the list and its three. */
static int help_for(struct cli *c, int argc, char **argv)
{
	int n, told = 0;
	const struct cli_cmd *cmd = argc ? find_cmd(argv, argc, &n) : NULL;
	if (!argc) {
		cli_help(stdout);
	} else if (!strcmp(argv[0], "--man")) {
		cli_man();
	} else if (cmd && n < argc) {
		return usage(c, "too much after the command:", argv[n]);
	} else if (cmd && argc > 1) {
		cli_help_cmd(stdout, cmd);
	} else {
		for (size_t i = 0; i < CLI_OWN && argc == 1; i++)
			if (!strcmp(argv[0], cli_own[i].words)) {
				cli_help_cmd(stdout, &cli_own[i]);
				return EXIT_DONE;
			}
		for (size_t i = 0; i < cli_n_cmds; i++) {
			struct str rest = str_of(cli_cmds[i].words), first;
			if (!str_next(&rest, ' ', &first) || !str_eqz(first, argv[0]))
				continue;
			cli_help_cmd(stdout, &cli_cmds[i]);
			told++;
		}
		return told ? EXIT_DONE : unknown_command(c, argv[0]);
	}
	return EXIT_DONE;
}

/* "--socket PATH" or "--socket=PATH": 1 it was this one, 0 another, -1 after a complaint. */
static int global_value(
	struct cli *c, int argc, char **argv, int *i, const char *name, const char **ret)
{
	const char *a = argv[*i];
	size_t n = strlen(name);
	if (strncmp(a, name, n) != 0 || (a[n] && a[n] != '='))
		return 0;
	if (!a[n] && *i + 1 >= argc)
		return usage(c, "this option needs a value:", a), -1;
	*ret = a[n] ? a + n + 1 : argv[++*i];
	return 1;
}

/* Options before the command. Returns how many words were taken, or -1 after a complaint. */
static int global_options(struct cli *c, int argc, char **argv)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *a = argv[i];
		int took = global_value(c, argc, argv, &i, "--socket", &c->socket_path);
		took = took ? took : global_value(c, argc, argv, &i, "--as", &c->as);
		took = took ? took : global_value(c, argc, argv, &i, "--as-key", &c->as_key);
		if (took < 0)
			return -1;
		if (!strcmp(a, "--json"))
			c->json = true;
		else if (!strcmp(a, "-q"))
			c->quiet = true;
		else if (!strcmp(a, "--yes"))
			c->yes = true;
		else if (!strcmp(a, "--help") || !strcmp(a, "-h") || !strcmp(a, "--version"))
			break;
		else if (!took)
			return usage(c, "no such option:", a), -1;
	}
	return i;
}

/* A report that a full disk has cut is no report. */
static int written(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	(void)fputs("lantoa: the output could not be written; what is there is not all\n", stderr);
	return code ? code : EXIT_FAILED;
}

static int run(struct cli *c, int argc, char **argv)
{
	int words, i = global_options(c, argc, argv);
	if (i < 0)
		return EXIT_USAGE;
	if (i >= argc || !strcmp(argv[i], "help") || !strcmp(argv[i], "--help") ||
		!strcmp(argv[i], "-h"))
		return i >= argc ? (cli_help(stderr), EXIT_USAGE)
				 : help_for(c, argc - i - 1, argv + i + 1);
	if (!strcmp(argv[i], "--version"))
		return printf("lantoa %s\n", LANTOA_VERSION) < 0;
	if (!strcmp(argv[i], "completion"))
		return cli_completion(i + 1 < argc ? argv[i + 1] : "");
	const struct cli_cmd *cmd = find_cmd(argv + i, argc - i, &words);
	if (!cmd)
		return unknown_command(c, argv[i]);
	return run_cmd(c, cmd, argc - i - words, argv + i + words);
}

int main(int argc, char **argv)
{
	const char *env = getenv("LANTOA_SOCKET");
	struct winsize w;
	struct cli c = { .fd = -1,
		.socket_path = env && env[0] ? env : "/run/lantoa/control.sock",
		.width = 100 };
	/* else the control socket is where a text of an editor is printed, and its lines are requests in our name */
	if (fd_standard_hold() || crypt_init())
		return EXIT_FAILED;
	(void)setlocale(LC_CTYPE, "");
	c.tty = isatty(STDOUT_FILENO);
	c.color = c.tty && !getenv("NO_COLOR");
	if (c.tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20)
		c.width = w.ws_col;
	int code = run(&c, argc, argv);
	cli_close(&c);
	for (int i = 1; code == EXIT_USAGE && i < argc; i++)
		c.json |= !strcmp(argv[i], "--json"); /* it may stand behind what was wrong */
	cli_end(&c, code);
	return written(code);
}
