/* cli_help.c - help, manual page and completion, all from the one table of commands, so that they cannot disagree. */
#include <string.h>
#include "cli/cli.h"

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
		    "usage: lantoa [--socket PATH] [--json] [-q] [--yes] COMMAND ...\n\n",
		to);
	for (size_t i = 0; i < cli_n_cmds; i++)
		(void)fprintf(to, "  %-22s %s\n", cli_cmds[i].words, cli_cmds[i].help);
	(void)fputs(
		"  completion SHELL       completion for bash or zsh\n"
		"  help [COMMAND]         this page, or one command in full\n\n"
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

void cli_man(void)
{
	(void)printf(
		".\\\" made by `lantoa help --man` from the table of commands\n.TH LANTOA 1 \"\" \"Lantoa %s\" \"Lantoa\"\n",
		LANTOA_VERSION);
	(void)puts(
		".SH NAME\nlantoa \\- releases, their approval, the queue, and the proof afterwards\n.SH SYNOPSIS\n"
		".B lantoa\n[\\-\\-socket PATH] [\\-\\-json] [\\-q] [\\-\\-yes] COMMAND ...\n.SH DESCRIPTION\n"
		"Talks to\n.BR lantoad (8)\nover its control socket. R is CODE or CODE@YEAR; D is the number of a delivery; a lane is channel/account/class.\n"
		"Times are read as 2026\\-11\\-23 08:00, 23/11/2026 08:00 or 08h00 23/11/2026.\n.SH COMMANDS");
	for (size_t i = 0; i < cli_n_cmds; i++) {
		const struct cli_cmd *cmd = &cli_cmds[i];
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
	(void)puts(
		".SH ENVIRONMENT\n.B LANTOA_SOCKET\nthe control socket; NO_COLOR: no colour.\n.SH EXIT STATUS\n"
		"0 done, 1 failed, 2 usage, 3 not allowed, 4 not found, 5 daemon unreachable, 6 refused by a check, 7 conflict.\n"
		".SH SEE ALSO\n.BR lantoad (8),\n.BR lantoad.yaml (5)");
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

static int completion_bash(void)
{
	(void)puts(
		"# bash completion for lantoa: eval \"$(lantoa completion bash)\"\n_lantoa()\n{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} one=${COMP_WORDS[1]} two=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" opts=\"--json -q --yes --help\" key\n"
		"\tlocal words=\"");
	words_lines();
	(void)puts(
		"\"\n\tif [[ $COMP_CWORD -eq 1 ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$(cut -d' ' -f1 <<<\"$words\" | sort -u) help completion\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
		"\tlocal seconds\n\tseconds=$(grep -E \"^$one \" <<<\"$words\" | cut -d' ' -f2)\n"
		"\tif [[ $COMP_CWORD -eq 2 && -n $seconds && $cur != -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$seconds\" -- \"$cur\"))\n\t\t[[ ${#COMPREPLY[@]} -gt 0 ]] && return\n\tfi\n"
		"\tkey=$one\n\tgrep -qx \"$two\" <<<\"$words\" && key=$two\n\tcase $key in");
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
	(void)puts(
		"'help:this page, or one command' 'completion:for bash or zsh')\n\tcase $words[2] in");
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
		"#compdef lantoa\n# zsh completion for lantoa\n_lantoa() {\n\tlocal -a cmds seconds opts\n\tlocal key");
	zsh_words();
	zsh_options();
	(void)puts(
		"\topts+=('--json:one JSON document' '-q:say only what went wrong' '--yes:do not ask' '--help:explain this command')\n"
		"\tif (( CURRENT == 2 )); then\n\t\t_describe command cmds\n"
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
