/* cli_table.c - results for people: tables as wide as the terminal, times in the configured zone, counts in words. */
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/utf8.h"
#include "cli/cli.h"

#define COLUMNS_MAX 16
#define CELL_MAX    400

struct column {
	char key[40], head[40], type;
	size_t width;
};

static size_t read_columns(const char *spec, struct column *col)
{
	struct str rest = str_of(spec), one, piece;
	size_t n = 0;
	while (n < COLUMNS_MAX && str_next(&rest, ',', &one)) {
		struct column *c = &col[n++];
		*c = (struct column){ .type = 's' };
		if (str_next(&one, '|', &piece))
			(void)str_copy(c->key, sizeof(c->key), piece);
		if (str_next(&one, '|', &piece))
			(void)str_copy(c->head, sizeof(c->head), piece);
		if (one.n)
			c->type = one.p[0];
	}
	return n;
}

static bool turns_line(int32_t cp)
{
	return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

/* In place: nothing that takes a letter's place is longer than it. */
static void clean_text(char *s, bool lines)
{
	struct str rest = str_of(s);
	char *to = s;
	while (rest.n) {
		const char *from = rest.p;
		int32_t cp = 0;
		if (!utf8_next(&rest, &cp)) /* json_parse refuses such texts */
			rest = (struct str){ from + 1, rest.n - 1 };
		size_t n = (size_t)(rest.p - from);
		if (cp == '\r' && rest.n && rest.p[0] == '\n')
			continue;
		if (turns_line(cp))
			memcpy(to, "\xef\xbf\xbd", 3);
		else if ((cp == '\n' || cp == '\t') && !lines)
			*to = ' ';
		else if ((cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7f && cp < 0xa0))
			*to = '?', n = 1;
		else
			memmove(to, from, n);
		to += n;
	}
	*to = 0;
}

void cli_clean(cJSON *j)
{
	bool lines = j->string && (!strcmp(j->string, "text") || !strcmp(j->string, "body"));
	if (cJSON_IsString(j))
		clean_text(j->valuestring, lines);
	for (cJSON *i = j->child; i; i = i->next) {
		if (i->string)
			clean_text(i->string, false);
		cli_clean(i);
	}
}

void cli_time(struct cli *c, int64_t utc_ms, char *dst, size_t size)
{
	time_t t = (time_t)(utc_ms / 1000 + cli_zone(c));
	struct tm tm;
	if (utc_ms <= 0 || !gmtime_r(&t, &tm))
		(void)snprintf(dst, size, "-");
	else
		(void)snprintf(dst, size, "%02d/%02d/%d %02d:%02d:%02d", tm.tm_mday, tm.tm_mon + 1,
			tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

#define CUT "…" /* behind what is not whole: half a name is another name */

static void whole_or_cut(struct str s, char *dst, size_t size)
{
	if (str_copy(dst, size, s))
		return;
	struct str cut = utf8_cut(s, size - sizeof(CUT));
	(void)snprintf(dst, size, STR_FMT CUT, STR_ARG(cut));
}

/* More than any cell takes: what is over is cut there, with its sign. */
#define TEXT_MAX 65536

void cli_counts(const cJSON *counts, char *dst, size_t size)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, TEXT_MAX);
	for (const cJSON *v = counts ? counts->child : NULL; v; v = v->next) {
		int64_t n = cJSON_IsNumber(v) ? (int64_t)v->valuedouble : 0;
		if (n)
			(void)buf_addf(&b, "%s%lld %s", b.n ? ", " : "", (long long)n, v->string);
	}
	whole_or_cut(b.n ? buf_str(&b) : STR("-"), dst, size);
}

static void list_text(const cJSON *v, char *dst, size_t size)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, TEXT_MAX);
	for (const cJSON *i = v ? v->child : NULL; i; i = i->next) {
		char *text = cJSON_IsString(i) ? x_strdup(i->valuestring) : json_print(i);
		(void)buf_addf(&b, "%s%s", b.n ? ", " : "", text);
		free(text);
	}
	whole_or_cut(buf_str(&b), dst, size);
}

static void cell_text(
	struct cli *c, const cJSON *row, const struct column *col, char *dst, size_t size)
{
	const cJSON *v = json_get(row, col->key);
	if (!v || cJSON_IsNull(v))
		(void)snprintf(dst, size, " ");
	else if (col->type == 't')
		cli_time(c, json_i64(row, col->key, 0), dst, size);
	else if (col->type == 'c')
		cli_counts(v, dst, size);
	else if (cJSON_IsString(v))
		whole_or_cut(str_of(v->valuestring), dst, size);
	else if (cJSON_IsArray(v))
		list_text(v, dst, size);
	else if (cJSON_IsBool(v))
		(void)snprintf(dst, size, "%s", cJSON_IsTrue(v) ? "yes" : "no");
	else if (cJSON_IsNumber(v) && v->valuedouble != (double)(int64_t)v->valuedouble)
		(void)snprintf(dst, size, "%.1f", v->valuedouble);
	else if (cJSON_IsNumber(v))
		(void)snprintf(dst, size, "%lld", (long long)v->valuedouble);
	else {
		char *text = json_print(v);
		whole_or_cut(str_of(text), dst, size);
		free(text);
	}
}

static const char *state_color(const char *s)
{
	static const struct {
		const char *word, *color;
	} colors[] = { { "failed", "31" }, { "unknown", "35" }, { "doubt", "35" }, { "held", "33" },
		{ "accepted", "32" }, { "delivered", "32" }, { "done", "32" }, { "waiting", "36" },
		{ "sending", "36" }, { "error", "31" }, { "warning", "33" } };
	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		if (!strcmp(s, colors[i].word))
			return colors[i].color;
	return NULL;
}

static void put_cell(const struct cli *c, const char *text, size_t width, bool right, bool last)
{
	struct str s = str_of(text);
	size_t w = utf8_width(s);
	const char *color = c->color ? state_color(text) : NULL;
	bool cut = w > width;
	while (w + cut > width && s.n) {
		s = utf8_cut(s, s.n - 1);
		w = utf8_width(s);
	}
	w += cut;
	if (right)
		(void)printf("%*s", (int)(width - w), "");
	if (color)
		(void)printf("\033[%sm", color);
	(void)fwrite(s.p, 1, s.n, stdout);
	if (cut)
		(void)fputs(CUT, stdout);
	if (color)
		(void)fputs("\033[0m", stdout);
	if (!last)
		(void)printf("%*s", (int)(right ? 2 : width - w + 2), "");
}

/* The widest columns of words give way until the table fits the terminal, half a time or number would be another one; a pipe gets all. */
static void fit(const struct cli *c, struct column *col, size_t n)
{
	for (int guard = 0; c->tty && guard < COLUMNS_MAX * CELL_MAX; guard++) {
		size_t total = 0;
		struct column *widest = NULL;
		for (size_t i = 0; i < n; i++) {
			total += col[i].width + 2;
			if (col[i].type != 't' && col[i].type != 'n' &&
				(!widest || col[i].width > widest->width))
				widest = &col[i];
		}
		if (total <= (size_t)c->width + 2 || !widest || widest->width <= 12)
			return;
		widest->width--;
	}
}

void cli_table(struct cli *c, const cJSON *rows, const char *columns)
{
	struct column col[COLUMNS_MAX];
	char text[CELL_MAX];
	size_t n = read_columns(columns, col);
	for (size_t i = 0; i < n; i++)
		col[i].width = utf8_width(str_of(col[i].head));
	for (const cJSON *r = rows ? rows->child : NULL; r; r = r->next)
		for (size_t i = 0; i < n; i++) {
			cell_text(c, r, &col[i], text, sizeof(text));
			size_t w = utf8_width(str_of(text));
			col[i].width = w > col[i].width ? w : col[i].width;
		}
	fit(c, col, n);
	if (!rows || !rows->child) {
		if (!c->quiet)
			(void)puts("(nothing)");
		return;
	}
	for (size_t i = 0; i < n && !c->quiet; i++)
		put_cell(c, col[i].head, col[i].width, col[i].type == 'n', i + 1 == n);
	if (!c->quiet)
		(void)putchar('\n');
	for (const cJSON *r = rows->child; r; r = r->next) {
		for (size_t i = 0; i < n; i++) {
			cell_text(c, r, &col[i], text, sizeof(text));
			put_cell(c, text, col[i].width, col[i].type == 'n', i + 1 == n);
		}
		(void)putchar('\n');
	}
}

void cli_facts(struct cli *c, const cJSON *object)
{
	char text[CELL_MAX];
	for (const cJSON *v = object ? object->child : NULL; v; v = v->next) {
		struct column col = {
			.type = str_ends(str_of(v->string), "_at") || !strcmp(v->string, "at") ? 't'
				: cJSON_IsObject(v)                                            ? 'c'
											       : 's'
		};
		if (cJSON_IsArray(v) && v->child && cJSON_IsObject(v->child))
			continue;
		(void)str_copy(col.key, sizeof(col.key), str_of(v->string));
		cell_text(c, object, &col, text, sizeof(text));
		(void)printf("%-14s %s\n", v->string,
			cJSON_IsString(v) && col.type == 's' ? v->valuestring : text);
	}
}

void cli_print_json(struct cli *c, const cJSON *j)
{
	c->said = true;
	char *text = json_print(j);
	(void)puts(text);
	free(text);
}

static void say_more(const cJSON *next)
{
	char *text = next && !cJSON_IsString(next) ? cJSON_PrintUnformatted(next) : NULL;
	const char *at = text ? text : next ? next->valuestring : NULL;
	(void)fprintf(
		stderr, "(there are more%s%s)\n", at ? ": go on with --after " : "", at ? at : "");
	cJSON_free(text);
}

void cli_show(struct cli *c, const cJSON *result, const char *columns)
{
	if (c->json) {
		cli_print_json(c, result);
		return;
	}
	const cJSON *rows = json_get(result, "rows");
	if (columns && rows)
		cli_table(c, rows, columns);
	else if (!c->quiet)
		cli_facts(c, result);
	if (json_bool(result, "more", false) && !c->quiet)
		say_more(json_get(result, "next"));
}

void cli_problems(struct cli *c, const cJSON *problems)
{
	for (const cJSON *p = problems ? problems->child : NULL; p; p = p->next) {
		const char *sev = json_z(p, "severity", "error"), *file = json_z(p, "file", ""),
			   *field = json_z(p, "field", "");
		const char *color = c->color ? state_color(sev) : NULL;
		int64_t line = json_i64(p, "line", 0);
		(void)fprintf(stderr, "  %s%s%s%s ", color ? "\033[" : "", color ? color : "",
			color ? "m" : "", sev);
		(void)fputs(color ? "\033[0m" : "", stderr);
		if (line)
			(void)fprintf(stderr, "%s:%lld: ", file, (long long)line);
		else if (file[0])
			(void)fprintf(stderr, "%s: ", file);
		(void)fprintf(
			stderr, "%s%s%s\n", field, field[0] ? ": " : "", json_z(p, "text", ""));
	}
}

int cli_fail(struct cli *c, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(c->failed, sizeof(c->failed), fmt, ap);
	va_end(ap);
	clean_text(c->failed, false); /* names of files in a folder that somebody else made */
	(void)fprintf(stderr, "lantoa: %s\n", c->failed);
	return code;
}

void cli_end(struct cli *c, int code)
{
	cJSON CLEANUP_JSON *error = json_obj();
	if (!c->json || c->said || !code)
		return;
	json_put_i64(error, "code", code);
	json_put_z(error, "message", c->failed[0] ? c->failed : "not as it has to be written");
	cli_print_json(c, error);
}

/* Whole words: "chưa" and "cancel" begin as "có" does, and mean the opposite. */
static bool is_yes(const char *line)
{
	static const char *const words[] = { "y", "yes", "có", "co" };
	struct buf lower CLEANUP_BUF, whole CLEANUP_BUF;
	buf_init(&lower, 200);
	buf_init(&whole, 200);
	if (utf8_nfc(&whole, str_trim(str_of(line))) || utf8_lower(&lower, buf_str(&whole)))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eqz(buf_str(&lower), words[i]))
			return true;
	return false;
}

bool cli_ask(struct cli *c, const char *question)
{
	char answer[32] = "";
	if (c->yes)
		return true;
	if (!c->tty || !isatty(STDIN_FILENO)) {
		(void)cli_fail(c, 0, "%s; say --yes to do it without being asked", question);
		return false;
	}
	(void)fprintf(stderr, "%s [y/N] ", question);
	bool yes = fgets(answer, sizeof(answer), stdin) && is_yes(answer);
	if (!yes)
		(void)cli_fail(c, 0, "nothing is done: the answer was not yes");
	return yes;
}

bool cli_pause(int ms)
{
	struct pollfd out = {
		.fd = STDOUT_FILENO
	}; /* without events: only that the other end is gone */
	return !ferror(stdout) && poll(&out, 1, ms) <= 0;
}
