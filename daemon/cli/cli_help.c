/* cli_help.c - help, manual page and completion, all from the one table of commands, so that they cannot disagree. */
#include <string.h>
#include "cli/cli.h"

/* What the program answers without a daemon. */
const struct cli_cmd cli_own[CLI_OWN] = {
	{ "completion", "SHELL=shell", NULL,
		"completion for bash or zsh: eval \"$(lantoa completion bash)\"", NULL, NULL,
		{ { 0 } } },
	{ "help", "[COMMAND]=command", NULL,
		"all commands, or one in full; `help channel` explains all that begin with the word",
		NULL, NULL, { { "--man", "man", OPT_FLAG, "the manual page, for man(1)" } } },
};

static const struct {
	const char *name, *value, *help;
} globals[] = {
	{ "--socket", "PATH",
		"the daemon's control socket (else LANTOA_SOCKET, else /run/lantoa/control.sock)" },
	{ "--json", "",
		"one JSON document with stable keys instead of tables; of a failure its code and message" },
	{ "-q", "", "say only what went wrong" },
	{ "--yes", "", "every question is answered with yes" },
	{ "--as", "NAME",
		"act as this person: for a gateway that has authenticated them, and in a demo database" },
	{ "--as-key", "KEY",
		"with --as: the key by which the gateway knew the person, as the configuration has it" },
};

static void synopsis(FILE *to, const struct cli_cmd *cmd)
{
	struct str rest = str_of(cmd->args), spec, name;
	(void)fprintf(to, "lantoa %s", cmd->words);
	while (cmd->args && str_next(&rest, ' ', &spec))
		if (str_next(&spec, '=', &name))
			(void)fprintf(to, " " STR_FMT, STR_ARG(name));
	if (cmd->opt[0].name)
		(void)fputs(" [options]", to);
}

void cli_help(FILE *to)
{
	(void)fputs("lantoa - releases, their approval, the queue, and the proof afterwards\n\n"
		    "usage: lantoa [OPTIONS] COMMAND ...\n\n",
		to);
	for (size_t i = 0; i < ARRAY_LEN(globals); i++) {
		char left[40];
		(void)snprintf(left, sizeof(left), "%s %s", globals[i].name, globals[i].value);
		(void)fprintf(to, "  %-22s %s\n", left, globals[i].help);
	}
	(void)fputc('\n', to);
	for (size_t i = 0; i < cli_n_cmds; i++)
		(void)fprintf(to, "  %-22s %s\n", cli_cmds[i].words, cli_cmds[i].help);
	for (size_t i = 0; i < CLI_OWN; i++)
		(void)fprintf(to, "  %-22s %s\n", cli_own[i].words, cli_own[i].help);
	(void)fputs(
		"\nHow a release is written: man lantoa-release; files of offices, targets, audiences: man lantoa-import.\n"
		"R is CODE or CODE@YEAR. Times are read as 2026-11-23 08:00, 23/11/2026 08:00 or 08h00 23/11/2026.\n"
		"Exit codes: 0 done, 1 failed, 2 usage, 3 not allowed, 4 not found, 5 daemon unreachable, 6 refused by a check, 7 conflict.\n",
		to);
}

void cli_help_cmd(FILE *to, const struct cli_cmd *cmd)
{
	(void)fputs("usage: ", to);
	synopsis(to, cmd);
	(void)fprintf(to, "\n  %s\n", cmd->help);
	for (size_t i = 0; i < CLI_OPTS_MAX && cmd->opt[i].name; i++) {
		char left[64];
		(void)snprintf(left, sizeof(left), "%s%s", cmd->opt[i].name,
			cmd->opt[i].type == OPT_FLAG             ? ""
				: cmd->opt[i].type == OPT_NUMBER ? " N"
								 : " TEXT");
		(void)fprintf(to, "  %-22s %s\n", left, cmd->opt[i].help);
	}
}

static void roff(const char *s)
{
	for (; *s; s++) {
		if (*s == '-' || *s == '\\')
			(void)putchar('\\');
		(void)putchar(*s);
	}
}

static void man_cmd(const struct cli_cmd *cmd)
{
	struct str rest = str_of(cmd->args), spec, name;
	(void)printf(".TP\n.B lantoa %s", cmd->words);
	while (cmd->args && str_next(&rest, ' ', &spec))
		if (str_next(&spec, '=', &name))
			(void)printf(" " STR_FMT, STR_ARG(name));
	(void)putchar('\n');
	roff(cmd->help);
	(void)putchar('\n');
	for (size_t k = 0; k < CLI_OPTS_MAX && cmd->opt[k].name; k++) {
		(void)fputs(".br\n", stdout);
		roff(cmd->opt[k].name);
		(void)fputs(": ", stdout);
		roff(cmd->opt[k].help);
		(void)putchar('\n');
	}
}

static void man_globals(void)
{
	(void)puts(
		".SH OPTIONS\nThey stand before the command; \\-\\-json, \\-q and \\-\\-yes also behind it.");
	for (size_t i = 0; i < ARRAY_LEN(globals); i++) {
		(void)fputs(".TP\n.B ", stdout);
		roff(globals[i].name);
		(void)printf(" %s\n", globals[i].value);
		roff(globals[i].help);
		(void)putchar('\n');
	}
}

void cli_man(void)
{
	(void)printf(
		".\\\" made by `lantoa help --man` from the table of commands\n.TH LANTOA 1 \"\" \"Lantoa %s\" \"Lantoa\"\n",
		LANTOA_VERSION);
	(void)puts(
		".SH NAME\nlantoa \\- releases, their approval, the queue, and the proof afterwards\n.SH SYNOPSIS\n"
		".B lantoa\n[OPTIONS] COMMAND ...\n.SH DESCRIPTION\n"
		"Talks to\n.BR lantoad (8)\nover its control socket. R is CODE or CODE@YEAR; D is the number of a delivery; a lane is channel/account/class.\n"
		"Times are read as 2026\\-11\\-23 08:00, 23/11/2026 08:00 or 08h00 23/11/2026.");
	man_globals();
	(void)puts(".SH COMMANDS");
	for (size_t i = 0; i < cli_n_cmds; i++)
		man_cmd(&cli_cmds[i]);
	for (size_t i = 0; i < CLI_OWN; i++)
		man_cmd(&cli_own[i]);
	(void)puts(
		".SH ENVIRONMENT\n.B LANTOA_SOCKET\nthe control socket; NO_COLOR: no colour.\n.SH EXIT STATUS\n"
		"0 done, 1 failed, 2 usage, 3 not allowed, 4 not found, 5 daemon unreachable, 6 refused by a check, 7 conflict.\n"
		".SH SEE ALSO\n.BR lantoa\\-release (5),\n.BR lantoa\\-import (5),\n.BR lantoad (8),\n.BR lantoad.yaml (5)");
}

static void words_lines(void)
{
	for (size_t i = 0; i < cli_n_cmds; i++)
		(void)puts(cli_cmds[i].words);
}

static void bash_options(void)
{
	for (size_t i = 0; i < cli_n_cmds; i++) {
		if (!cli_cmds[i].opt[0].name)
			continue;
		(void)printf("\t\t'%s') opts=\"", cli_cmds[i].words);
		for (size_t k = 0; k < CLI_OPTS_MAX && cli_cmds[i].opt[k].name; k++)
			(void)printf("%s ", cli_cmds[i].opt[k].name);
		(void)puts("--json -q --yes --help\" ;;");
	}
}

/* Options before the command are passed over, with their values. */
#define GLOBALS "--socket --json -q --yes --as --as-key --help --version"

static int completion_bash(void)
{
	(void)puts(
		"# bash completion for lantoa: eval \"$(lantoa completion bash)\"\n_lantoa()\n{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} opts=\"--json -q --yes --help\" i=1 one two key first rest firsts= seconds= word\n"
		"\tlocal words=\"");
	words_lines();
	for (size_t i = 0; i < CLI_OWN; i++)
		(void)puts(cli_own[i].words);
	(void)puts(
		"\"\n\twhile [[ $i -lt $COMP_CWORD && ${COMP_WORDS[i]} == -* ]]; do\n"
		"\t\tcase ${COMP_WORDS[i]} in --socket | --as | --as-key) ((i++)) ;; esac\n\t\t((i++))\n\tdone\n"
		"\tif [[ $i -gt $COMP_CWORD ]]; then\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\t\treturn\n\tfi\n"
		"\tone=${COMP_WORDS[i]} two=\"${COMP_WORDS[i]} ${COMP_WORDS[i + 1]}\" key=$one\n"
		"\twhile read -r first word rest; do\n\t\tfirsts+=\" $first\"\n"
		"\t\t[[ $first == \"$one\" ]] && seconds+=\" $word\"\n"
		"\t\t[[ \"$first $word\" == \"$two\" ]] && key=$two\n\tdone <<<\"$words\"\n"
		"\tif [[ $COMP_CWORD -eq $i ]]; then\n\t\t[[ $cur == -* ]] && firsts=\"" GLOBALS
		"\"\n"
		"\t\tCOMPREPLY=($(compgen -W \"$(printf '%s\\n' $firsts | sort -u)\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
		"\t[[ $one == completion ]] && seconds=\"bash zsh\"\n\t[[ $one == help ]] && seconds=$firsts\n"
		"\tif [[ $COMP_CWORD -eq $((i + 1)) && -n ${seconds// /} && $cur != -* ]]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"$(printf '%s\\n' $seconds | sort -u)\" -- \"$cur\"))\n\t\t[[ ${#COMPREPLY[@]} -gt 0 ]] && return\n\tfi\n"
		"\tcase $key in");
	bash_options();
	(void)puts(
		"\tesac\n\tif [[ $cur == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\tfi\n}\ncomplete -F _lantoa lantoa");
	return EXIT_DONE;
}

/* 'word:help' in single quotes, as _describe wants it. */
static void zsh_item(struct str word, const char *help)
{
	(void)printf("'" STR_FMT ":", STR_ARG(word));
	for (const char *p = help; *p; p++)
		(void)(*p == '\'' ? fputs("'\\''", stdout) : putchar(*p == ':' ? ' ' : *p));
	(void)fputs("' ", stdout);
}

static struct str first_word(const struct cli_cmd *cmd, struct str *ret_rest)
{
	struct str first;
	*ret_rest = str_of(cmd->words);
	(void)str_next(ret_rest, ' ', &first);
	return first;
}

static bool first_of_its_word(size_t i)
{
	struct str rest, one = first_word(&cli_cmds[i], &rest);
	for (size_t k = 0; k < i; k++)
		if (str_eq(first_word(&cli_cmds[k], &rest), one))
			return false;
	return true;
}

static void zsh_words(void)
{
	struct str rest;
	(void)fputs("\tcmds=(", stdout);
	for (size_t i = 0; i < cli_n_cmds; i++) {
		struct str one = first_word(&cli_cmds[i], &rest);
		if (first_of_its_word(i))
			zsh_item(one, rest.n ? "has commands of its own" : cli_cmds[i].help);
	}
	for (size_t i = 0; i < CLI_OWN; i++)
		zsh_item(str_of(cli_own[i].words), cli_own[i].help);
	(void)puts(")\n\tcase $words[2] in");
	for (size_t i = 0; i < cli_n_cmds; i++) {
		struct str one = first_word(&cli_cmds[i], &rest);
		bool open = false;
		for (size_t k = i; first_of_its_word(i) && k < cli_n_cmds; k++) {
			struct str second;
			if (!str_eq(first_word(&cli_cmds[k], &second), one) || !second.n)
				continue;
			if (!open)
				(void)printf("\t\t" STR_FMT ") seconds=(", STR_ARG(one));
			open = true;
			zsh_item(second, cli_cmds[k].help);
		}
		if (open)
			(void)puts(") ;;");
	}
	(void)puts("\tesac");
}

static void zsh_options(void)
{
	(void)puts(
		"\tkey=$words[2]\n\t[[ -n ${seconds[(r)$words[3]:*]} ]] && key=\"$words[2] $words[3]\"\n\tcase $key in");
	for (size_t i = 0; i < cli_n_cmds; i++) {
		if (!cli_cmds[i].opt[0].name)
			continue;
		(void)printf("\t\t'%s') opts=(", cli_cmds[i].words);
		for (size_t k = 0; k < CLI_OPTS_MAX && cli_cmds[i].opt[k].name; k++)
			zsh_item(str_of(cli_cmds[i].opt[k].name), cli_cmds[i].opt[k].help);
		(void)puts(") ;;");
	}
	(void)puts("\tesac");
}

static int completion_zsh(void)
{
	(void)puts(
		"#compdef lantoa\n# zsh completion for lantoa\n_lantoa() {\n\tlocal -a cmds seconds opts\n\tlocal key\n\tlocal -i i=2\n"
		"\twhile (( i < CURRENT )) && [[ $words[i] == -* ]]; do\n"
		"\t\tcase $words[i] in --socket|--as|--as-key) (( i++ )) ;; esac\n\t\t(( i++ ))\n\tdone\n"
		"\tif (( i > CURRENT )); then\n\t\t_files\n\t\treturn\n\tfi\n"
		"\twords=(\"$words[1]\" \"${(@)words[i,-1]}\")\n\t(( CURRENT -= i - 2 ))");
	zsh_words();
	zsh_options();
	(void)puts(
		"\topts+=('--json:one JSON document' '-q:say only what went wrong' '--yes:do not ask' '--help:explain this command')\n"
		"\tif (( CURRENT == 2 )) && [[ $words[2] == -* ]]; then\n\t\tcompadd -- " GLOBALS
		"\n"
		"\telif (( CURRENT == 2 )); then\n\t\t_describe command cmds\n"
		"\telif [[ $words[CURRENT] == -* ]]; then\n\t\t_describe option opts\n"
		"\telse\n\t\t(( CURRENT == 3 && $#seconds )) && _describe command seconds\n\t\t_files\n\tfi\n}\n_lantoa \"$@\"");
	return EXIT_DONE;
}

int cli_completion(const char *shell)
{
	if (!strcmp(shell, "bash"))
		return completion_bash();
	if (!strcmp(shell, "zsh"))
		return completion_zsh();
	(void)fputs(
		"lantoa: completion for which shell? `lantoa completion bash` or `lantoa completion zsh`\n",
		stderr);
	return EXIT_USAGE;
}
