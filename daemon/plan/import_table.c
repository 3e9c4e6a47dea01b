/* import_table.c - a file of rows, CSV or YAML, with named columns. Thread: worker. Owns: its descriptor, reader or tree.
 * Failures: a head that does not fit refuses the file at once; a bad row is told and the next one read.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "plan/import_internal.h"

#define YAML_MAX     (16u << 20)
#define YAML_ROW_MAX (256u << 10)
#define ERRORS_MAX   100000

/* "FILE:LINE: text" without what stands in front of the text. */
static const char *bare(const char *text, const char *file)
{
	size_t n = strlen(file);
	const char *p = strncmp(text, file, n) == 0 && text[n] == ':' ? text + n + 1 : text;
	size_t digits = p == text ? 0 : strspn(p, "0123456789");
	return digits && !strncmp(p + digits, ": ", 2) ? p + digits + 2 : p;
}

int table_col(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n_col; i++)
		if (!strcmp(t->col[i], name))
			return (int)i;
	return -1;
}

struct str table_get(const struct table *t, int col)
{
	return col < 0 || !t->v[col].p ? (struct str){ "", 0 } : str_trim(t->v[col]);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		(void)close(t->fd);
	csv_free(t->csv);
	ynode_free(t->yaml);
	for (size_t i = 0; i < t->n_col; i++)
		free(t->col[i]);
	free(t->col);
	free(t->v);
	buf_done(&t->hold);
	free(t);
}

static void col_add(struct table *t, struct str name)
{
	t->col = x_realloc(t->col, t->n_col + 1, sizeof(*t->col));
	t->col[t->n_col++] = x_strndup(name.p, name.n);
}

static bool is_known(const char *name, const struct column *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(known[i].name, name))
			return true;
	return false;
}

static bool var_name_ok(const char *z)
{
	size_t n = strspn(z, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
	return n > 0 && n <= 64 && z[n] == '\0' && z[0] >= 'a' && z[0] <= 'z';
}

/* A column nobody knows, where a known one of nearly that name is missing, is a slip and no variable. */
static void head_check(struct table *t, const struct column *known, size_t n, bool further,
	struct content_problems *p)
{
	const char *absent[32];
	size_t n_absent = 0;
	for (size_t i = 0; i < n && n_absent < ARRAY_LEN(absent); i++)
		if (table_col(t, known[i].name) < 0)
			absent[n_absent++] = known[i].name;
	for (size_t i = 0; i < t->n_col; i++) {
		const char *name = t->col[i], *near;
		if (table_col(t, name) != (int)i)
			problem_add(p, PROBLEM_ERROR, t->file, t->line, name,
				"column '%.60s' stands there twice", name);
		if (is_known(name, known, n))
			continue;
		near = str_nearest(str_of(name), absent, n_absent);
		if (near && (strlen(name) > 4 || !further))
			problem_add(p, PROBLEM_ERROR, t->file, t->line, name,
				"unknown column '%.60s'; did you mean '%s'?", name, near);
		else if (!further)
			problem_add(p, PROBLEM_ERROR, t->file, t->line, name,
				"unknown column '%.60s'", name);
		else if (!var_name_ok(name))
			problem_add(p, PROBLEM_ERROR, t->file, t->line, name,
				"'%.60s' cannot be the name of a variable; use a-z, 0-9, '_', '-' and '.'",
				name);
	}
	for (size_t i = 0; i < n; i++)
		if (known[i].required && table_col(t, known[i].name) < 0)
			problem_add(p, PROBLEM_ERROR, t->file, t->line, known[i].name,
				"column '%s' is missing%s", known[i].name,
				t->n_col == 1 && strchr(t->col[0], ';')
					? "; separate columns by commas, not semicolons"
					: "");
}

/* What a spreadsheet saves beside CSV, by its first bytes; its rows would be told one by one as control characters. */
static const char *no_csv(int fd)
{
	unsigned char b[4] = { 0 };
	if (pread(fd, b, sizeof(b), 0) < 2)
		return NULL;
	if (!memcmp(b, "PK\3\4", 4) || !memcmp(b, "\xd0\xcf\x11\xe0", 4))
		return "this is a workbook of a spreadsheet, not CSV; save it as CSV UTF-8";
	if (!memcmp(b, "\xff\xfe", 2) || !memcmp(b, "\xfe\xff", 2))
		return "this text is in UTF-16; save it as CSV UTF-8";
	return NULL;
}

static int csv_head(struct table *t, struct content_problems *p, struct err *e)
{
	const struct str *v = NULL;
	size_t n = 0;
	struct err bad;
	int rc = csv_next(t->csv, &v, &n, &t->line, &bad);
	if (rc == 0)
		problem_add(p, PROBLEM_ERROR, t->file, 1, "",
			"the file is empty; its first line names the columns");
	else if (rc == -EBADMSG)
		problem_add(p, PROBLEM_ERROR, t->file, t->line ? t->line : 1, "", "%s",
			bare(bad.text, t->file));
	else if (rc < 0)
		return err_set(e, rc, "%s", bad.text);
	for (size_t i = 0; rc == 1 && i < n; i++)
		col_add(t, str_trim(v[i]));
	return rc == 1 ? 0 : -EBADMSG;
}

static int yaml_head(struct table *t, struct content_problems *p)
{
	const struct ynode *top = t->yaml;
	t->line = 1;
	if (top->kind == YN_SCALAR) {
		problem_add(p, PROBLEM_ERROR, t->file, top->line, "",
			"the file is a list of rows, or a map from '%s' to rows", t->key);
		return -EBADMSG;
	}
	if (top->kind == YN_MAP)
		col_add(t, str_of(t->key));
	for (size_t i = 0; i < top->n; i++) {
		const struct ynode *row = top->child[i];
		for (size_t k = 0; row->kind == YN_MAP && k < row->n; k++) {
			if (table_col(t, row->child[k]->key) >= 0)
				continue;
			if (t->n_col == CSV_COLUMNS_MAX) {
				problem_add(p, PROBLEM_ERROR, t->file, row->child[k]->line, "",
					"more than %d columns", CSV_COLUMNS_MAX);
				return -EBADMSG;
			}
			col_add(t, str_of(row->child[k]->key));
		}
	}
	return 0;
}

static bool is_yaml(const char *name)
{
	struct str s = str_of(name);
	return str_ends(s, ".yaml") || str_ends(s, ".yml");
}

static int source_open(
	struct table *t, const struct staged *s, struct content_problems *p, struct err *e)
{
	if (is_yaml(s->name)) {
		struct buf text CLEANUP_BUF;
		struct err bad = { 0 };
		buf_init(&text, YAML_MAX);
		int rc = file_read(s->path, &text, e);
		if (rc == 0 && conf_yaml_parse(t->file, buf_str(&text), &t->yaml, &bad) < 0) {
			const char *colon = strchr(bad.text, ':');
			int64_t line = colon ? strtol(colon + 1, NULL, 10) : 0;
			problem_add(p, PROBLEM_ERROR, t->file, (int)line, "", "%s",
				bare(bad.text, t->file));
			return -EBADMSG;
		}
		return rc < 0 ? rc : yaml_head(t, p);
	}
	t->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (t->fd < 0)
		return err_set(e, -errno, "%s: cannot be read: %s", t->file, strerror(errno));
	const char *other = no_csv(t->fd);
	if (other) {
		problem_add(p, PROBLEM_ERROR, t->file, 1, "", "%s", other);
		return -EBADMSG;
	}
	t->csv = csv_new(t->fd, t->file);
	return csv_head(t, p, e);
}

int table_open(const struct staged *s, const char *key, const struct column *known, size_t n_known,
	bool further, struct content_problems *p, struct table **ret, struct err *e)
{
	struct table *t = x_calloc(1, sizeof(*t));
	t->fd = -1;
	t->key = key;
	(void)str_copy(t->file, sizeof(t->file), str_of(import_file_name(s->name)));
	buf_init(&t->hold, 1u << 20);
	int rc = source_open(t, s, p, e);
	if (rc == 0) {
		head_check(t, known, n_known, further, p);
		t->v = x_calloc(t->n_col + 1, sizeof(*t->v));
	}
	if (rc < 0 || p->errors) {
		table_free(t);
		return rc < 0 ? rc : -EBADMSG;
	}
	*ret = t;
	return 0;
}

static int csv_row(struct table *t, struct content_problems *p, struct err *e)
{
	const struct str *v = NULL;
	struct err bad;
	size_t n = 0;
	for (;;) {
		int rc = csv_next(t->csv, &v, &n, &t->line, &bad);
		if (rc == -EBADMSG) {
			const char *colon = strchr(bad.text, ':');
			int line = colon ? (int)strtol(colon + 1, NULL, 10) : t->line;
			problem_add(
				p, PROBLEM_ERROR, t->file, line, "", "%s", bare(bad.text, t->file));
			if (p->errors > ERRORS_MAX)
				return 0;
			continue;
		}
		if (rc <= 0)
			return rc < 0 ? err_set(e, rc, "%s", bad.text) : 0;
		if (n == t->n_col) {
			memcpy(t->v, v, n * sizeof(*v));
			return 1;
		}
		problem_add(p, PROBLEM_ERROR, t->file, t->line, "",
			"%zu columns, the first line has %zu; a comma inside a value needs quotes around it",
			n, t->n_col);
	}
}

/* In NFC behind what is in hold already, which must not move. Null is an empty cell. */
static void yaml_text(struct table *t, int col, const struct ynode *v, struct content_problems *p)
{
	size_t n = ynode_is_null(v) ? 0 : strlen(v->text);
	if (n > IMPORT_TEXT_MAX || t->hold.n + 3 * n + 8 > YAML_ROW_MAX ||
		utf8_nfc(&t->hold, (struct str){ v->text, n }) < 0)
		problem_add(p, PROBLEM_ERROR, t->file, v->line, t->col[col],
			"over %d bytes, or a row over 256 KB", IMPORT_TEXT_MAX);
}

static void yaml_value(struct table *t, int col, const struct ynode *v, struct content_problems *p)
{
	size_t from = t->hold.n;
	if (v->kind == YN_SCALAR)
		yaml_text(t, col, v, p);
	for (size_t i = 0; v->kind != YN_SCALAR && i < v->n; i++) {
		if (v->kind == YN_MAP || v->child[i]->kind != YN_SCALAR) {
			problem_add(p, PROBLEM_ERROR, t->file, v->line, t->col[col],
				"a text or a list of texts is wanted here");
			return;
		}
		if (i)
			buf_addc(&t->hold, ';');
		yaml_text(t, col, v->child[i], p);
	}
	t->v[col] = (struct str){ t->hold.p + from, t->hold.n - from };
}

static int yaml_row(struct table *t, struct content_problems *p)
{
	while (t->at < t->yaml->n) {
		const struct ynode *row = t->yaml->child[t->at++];
		t->line = row->line;
		if (row->kind != YN_MAP) {
			problem_add(p, PROBLEM_ERROR, t->file, row->line, "",
				"a row is a map of columns");
			continue;
		}
		memset(t->v, 0, t->n_col * sizeof(*t->v));
		buf_reset(&t->hold);
		if (buf_reserve(&t->hold, YAML_ROW_MAX) < 0) /* values must not move */
			return -ENOMEM;
		if (row->key)
			t->v[table_col(t, t->key)] = str_of(row->key);
		for (size_t i = 0; i < row->n; i++) {
			int col = table_col(t, row->child[i]->key);
			if (col >= 0)
				yaml_value(t, col, row->child[i], p);
		}
		return 1;
	}
	return 0;
}

int table_next(struct table *t, struct content_problems *p, struct err *e)
{
	return t->csv ? csv_row(t, p, e) : yaml_row(t, p);
}

/* --- values ------------------------------------------------------------------------------------------------------------------------ */

bool import_lang_ok(struct str s)
{
	size_t part = 0, parts = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '-') {
			if (part == 0)
				return false;
			part = 0;
			parts++;
			continue;
		}
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'),
		     digit = c >= '0' && c <= '9';
		if (parts == 0 ? !(c >= 'a' && c <= 'z') || part >= 3
			       : !(alpha || digit) || part >= 8)
			return false;
		part++;
	}
	return s.n >= 2 && s.n <= 35 && part > 0 && (parts > 0 || part >= 2);
}

bool import_code_ok(struct str s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
			    s.p[i] == '-'))
			return false;
	return true;
}

size_t import_var_cols(const struct table *t, const struct column *known, size_t n_known, int *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n_col; i++) {
		if (is_known(t->col[i], known, n_known))
			continue;
		size_t at = n++;
		while (at > 0 && strcmp(t->col[ret[at - 1]], t->col[i]) > 0) {
			ret[at] = ret[at - 1];
			at--;
		}
		ret[at] = (int)i;
	}
	return n;
}

int import_vars(struct buf *b, const struct table *t, const int *cols, size_t n)
{
	bool first = true;
	buf_addc(b, '{');
	for (size_t i = 0; i < n; i++) {
		struct str v = table_get(t, cols[i]);
		if (v.n == 0)
			continue;
		if (!first)
			buf_addc(b, ',');
		first = false;
		(void)json_quote(b, str_of(t->col[cols[i]]));
		buf_addc(b, ':');
		(void)json_quote(b, v);
	}
	buf_addc(b, '}');
	return b->failed ? -E2BIG : 0;
}
