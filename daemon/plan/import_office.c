/* import_office.c - offices from a table: every value, the tree, official order, dates. Thread: worker.
 * Order: siblings by their `order` (runs of digits as numbers), else by Vietnamese collation of the name; `ord` holds the way
 * from the root, so that sorting by it gives the tree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/utf8.h"
#include "model/when.h"
#include "plan/import_internal.h"

static const struct column known[] = { { "code", true }, { "parent", true }, { "order", false },
	{ "region", true }, { "lang", false }, { "valid_from", false }, { "valid_to", false },
	{ "replaced_by", false } };

struct row {
	int line, parent, depth, state; /* state: 0 not looked at, 1 on the way, 2 done */
	int next_at, next_state;        /* its successor, -1 none; as state */
	char *code, *parent_code, *own, *ord, *region, *lang, *vars, *next;
	int64_t from, to;
};
struct read {
	struct importer *im;
	struct table *t;
	struct row *v;
	size_t n, cap;
	struct maps *by_code; /* index + 1 */
	int code, parent, order, region, lang, from, to, next, name;
	int cols[CSV_COLUMNS_MAX];
	size_t n_cols;
	bool dated;
};

#define BAD(rd, ln, field, ...) \
	problem_add(&(rd)->im->problems, PROBLEM_ERROR, (rd)->t->file, (ln), (field), __VA_ARGS__)

static char *dup(struct str s)
{
	return x_strndup(s.p ? s.p : "", s.n);
}

static int index_of(const struct read *r, const char *code)
{
	return (int)(uintptr_t)maps_get(r->by_code, str_of(code)) - 1;
}

/* Digits padded, so that 2 stands before 10; a name by its collation key behind all numbers. */
static char *own_order(struct str order, struct str name)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 4096);
	for (size_t i = 0; i < order.n;) {
		size_t d = 0;
		while (i + d < order.n && order.p[i + d] >= '0' && order.p[i + d] <= '9')
			d++;
		for (size_t k = d; d && k < 6; k++)
			buf_addc(&b, '0');
		buf_add(&b, order.p + i, d ? d : 1);
		i += d ? d : 1;
	}
	if (order.n == 0) {
		struct buf key CLEANUP_BUF;
		char hex[129];
		buf_init(&key, 4096);
		(void)utf8_sort_key(&key, name);
		hex_encode(hex, buf_z(&key), key.n > 64 ? 64 : key.n);
		buf_addf(&b, "~%s", hex);
	}
	return x_strdup(buf_z(&b));
}

static int64_t date_of(struct read *r, int col, bool end)
{
	struct str s = table_get(r->t, col);
	struct civil c = { 0 };
	struct err e;
	if (s.n == 0)
		return 0;
	if (when_parse_date(s, &c, &e) < 0) {
		BAD(r, r->t->line, r->t->col[col],
			"'" STR_FMT "' is no date; write 2026-11-23 or 23/11/2026", STR_ARG(s));
		return 0;
	}
	return civil_to_ms(&c, &r->im->conf->zone) + (end ? WHEN_DAY_MS - 1 : 0);
}

/* `name`, `short`, and the same in other languages. */
static bool is_name(const char *col)
{
	struct str s = str_of(col), word;
	return str_next(&s, '.', &word) && (str_eqz(word, "name") || str_eqz(word, "short"));
}

static struct str first_line(struct str s)
{
	struct str line = s;
	(void)str_line(&s, &line);
	return line;
}

static void check_row(struct read *r, const struct row *o, struct str name)
{
	int line = o->line, before = index_of(r, o->code);
	if (!import_code_ok(str_of(o->code)))
		BAD(r, line, "code", "'%.80s' is no code; use a-z, 0-9 and '-', at most 63",
			o->code);
	else if (before >= 0)
		BAD(r, line, "code", "'%.80s' stands in line %d already", o->code,
			r->v[before].line);
	if (!import_code_ok(str_of(o->region)))
		BAD(r, line, "region", "'%.80s' is no region; use a-z, 0-9 and '-'", o->region);
	if (!import_lang_ok(str_of(o->lang)))
		BAD(r, line, "lang", "'%.40s' is no language; write for example vi or en", o->lang);
	if (name.n == 0)
		BAD(r, line, "name", "the office '%.80s' has no name", o->code);
	if (o->from && o->to && o->to < o->from)
		BAD(r, line, "valid_to", "ends before it begins");
	for (size_t i = 0; i < r->t->n_col; i++) {
		if (r->t->v[i].n > IMPORT_TEXT_MAX)
			BAD(r, line, r->t->col[i], "over %d bytes", IMPORT_TEXT_MAX);
		if (is_name(r->t->col[i]) && str_has_control(r->t->v[i]))
			BAD(r, line, r->t->col[i],
				"'" STR_FMT
				"': a line break; names stand in titles and tables, write it on one line",
				STR_ARG(utf8_cut(first_line(r->t->v[i]), 80)));
	}
}

static int add_row(struct read *r)
{
	struct buf vars CLEANUP_BUF;
	struct str lang = table_get(r->t, r->lang), name = table_get(r->t, r->name);
	if (r->n == OFFICES_MAX) {
		BAD(r, r->t->line, "", "more than %d offices", OFFICES_MAX);
		return 0;
	}
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->v = x_realloc(r->v, r->cap, sizeof(*r->v));
	}
	buf_init(&vars, 1u << 20);
	int rc = import_vars(&vars, r->t, r->cols, r->n_cols);
	struct row o = { .line = r->t->line,
		.parent = -1,
		.code = dup(table_get(r->t, r->code)),
		.parent_code = dup(table_get(r->t, r->parent)),
		.own = own_order(table_get(r->t, r->order), name),
		.region = dup(table_get(r->t, r->region)),
		.lang = dup(lang.n ? lang : STR("vi")),
		.vars = x_strdup(buf_z(&vars)),
		.next = dup(table_get(r->t, r->next)),
		.from = date_of(r, r->from, false),
		.to = date_of(r, r->to, true) };
	check_row(r, &o, name);
	r->v[r->n++] = o;
	if (index_of(r, o.code) < 0)
		maps_put(r->by_code, str_of(o.code), (void *)(uintptr_t)r->n); /* never followed */
	return rc;
}

/* Depth by walking up; a circle is told once, at the row that closes it. */
static void depth_of(struct read *r, int i)
{
	int way[OFFICE_DEPTH_MAX + 2], n = 0;
	while (i >= 0 && r->v[i].state == 0 && n <= OFFICE_DEPTH_MAX) {
		r->v[i].state = 1;
		way[n++] = i;
		i = r->v[i].parent;
	}
	if (i >= 0 && r->v[i].state == 1) {
		BAD(r, r->v[way[n - 1]].line, "parent",
			"'%.64s' and '%.64s' stand above each other: a circle",
			r->v[way[n - 1]].code, r->v[i].code);
	} else if (n > OFFICE_DEPTH_MAX) {
		BAD(r, r->v[way[0]].line, "parent", "more than %d levels", OFFICE_DEPTH_MAX);
	}
	int depth = i >= 0 ? r->v[i].depth + 1 : 0;
	while (n-- > 0) {
		struct row *o = &r->v[way[n]];
		o->state = 2;
		o->depth = depth++;
		if (o->depth > OFFICE_DEPTH_MAX)
			BAD(r, o->line, "parent", "more than %d levels", OFFICE_DEPTH_MAX);
	}
}

static void link_parent(struct read *r, struct row *o, int *root)
{
	if (!*o->parent_code) {
		if (*root >= 0)
			BAD(r, o->line, "parent",
				"'%.64s' has none, but '%.64s' in line %d is the root already; a tree has one",
				o->code, r->v[*root].code, r->v[*root].line);
		else
			*root = (int)(o - r->v);
		return;
	}
	o->parent = index_of(r, o->parent_code);
	if (o->parent < 0) {
		const char *near = NULL;
		for (size_t i = 0; i < r->n && !near; i++) {
			const char *one = r->v[i].code;
			near = str_nearest(str_of(o->parent_code), &one, 1);
		}
		BAD(r, o->line, "parent", "there is no office '%.64s' in the file%s%s%s",
			o->parent_code, near ? "; did you mean '" : "", near ? near : "",
			near ? "'?" : "");
	}
	if (o->parent == (int)(o - r->v))
		BAD(r, o->line, "parent", "'%.64s' stands above itself", o->code);
}

static void link_next(struct read *r, struct row *o)
{
	o->next_at = *o->next ? index_of(r, o->next) : -1;
	if (*o->next && o->next_at < 0)
		BAD(r, o->line, "replaced_by", "there is no office '%.64s' in the file", o->next);
	else if (o->next_at == (int)(o - r->v))
		BAD(r, o->line, "replaced_by", "'%.64s' replaces itself", o->code);
	else if (o->next_at >= 0 && !o->to)
		problem_add(&r->im->problems, PROBLEM_WARNING, r->t->file, o->line, "valid_to",
			"'%.64s' has a successor and no last day: it keeps its targets until it has one",
			o->code);
}

/* Their targets would move from one to the other and back for ever. */
static void check_nexts(struct read *r, int i)
{
	int k = i;
	for (; k >= 0 && r->v[k].next_state == 0; k = r->v[k].next_at)
		r->v[k].next_state = 1;
	if (k >= 0 && r->v[k].next_state == 1 && r->v[k].next_at != k)
		BAD(r, r->v[k].line, "replaced_by",
			"'%.64s' and '%.64s' replace each other: a circle", r->v[k].code,
			r->v[k].next);
	for (k = i; k >= 0 && r->v[k].next_state == 1; k = r->v[k].next_at)
		r->v[k].next_state = 2;
}

static void check_tree(struct read *r)
{
	int root = -1;
	for (size_t i = 0; i < r->n; i++) {
		link_parent(r, &r->v[i], &root);
		link_next(r, &r->v[i]);
	}
	for (size_t i = 0; i < r->n; i++)
		check_nexts(r, (int)i);
	if (r->n == 0)
		BAD(r, 1, "", "no offices in the file");
	else if (root < 0)
		BAD(r, r->v[0].line, "parent", "no office without a parent: the tree has no root");
	for (size_t i = 0; i < r->n && !r->im->problems.errors; i++)
		depth_of(r, (int)i);
}

static int by_depth(const void *x, const void *y)
{
	const struct office_in *a = x, *b = y;
	return a->depth != b->depth ? a->depth - b->depth : strcmp(a->ord, b->ord);
}

/* ord of the parent first; depth is bounded, and so is this. */
static const char *ord_of(struct read *r, int i)
{
	struct row *o = &r->v[i];
	if (!o->ord)
		o->ord = o->parent < 0 ? x_strdup(o->own)
				       : x_asprintf("%s/%s", ord_of(r, o->parent), o->own);
	return o->ord;
}

static void hand_over(struct read *r)
{
	struct importer *im = r->im;
	im->n = r->n;
	im->offices = x_calloc(r->n, sizeof(*im->offices));
	for (size_t i = 0; i < r->n; i++) {
		struct row *o = &r->v[i];
		(void)ord_of(r, (int)i);
		im->offices[i] = (struct office_in){ .code = x_strdup(o->code),
			.parent = *o->parent_code ? x_strdup(o->parent_code) : NULL,
			.ord = x_strdup(o->ord),
			.region = x_strdup(o->region),
			.lang = x_strdup(o->lang),
			.vars = x_strdup(o->vars),
			.replaced_by = *o->next ? x_strdup(o->next) : NULL,
			.depth = o->depth,
			.dated = r->dated,
			.valid_from = o->from,
			.valid_to = o->to };
	}
	qsort(im->offices, im->n, sizeof(*im->offices), by_depth);
}

static void read_free(struct read *r)
{
	for (size_t i = 0; i < r->n; i++) {
		char *own[] = { r->v[i].code, r->v[i].parent_code, r->v[i].own, r->v[i].ord,
			r->v[i].region, r->v[i].lang, r->v[i].vars, r->v[i].next };
		for (size_t k = 0; k < ARRAY_LEN(own); k++)
			free(own[k]);
	}
	free(r->v);
	maps_free(r->by_code);
	table_free(r->t);
}

int import_offices_read(struct importer *im)
{
	const struct staged s = { .path = im->path, .name = im->name };
	struct read r = { .im = im };
	int rc = table_open(
		&s, "code", known, ARRAY_LEN(known), true, &im->problems, &r.t, &im->err);
	if (rc < 0)
		return rc;
	r.by_code = maps_new();
	r.code = table_col(r.t, "code");
	r.parent = table_col(r.t, "parent");
	r.order = table_col(r.t, "order");
	r.region = table_col(r.t, "region");
	r.lang = table_col(r.t, "lang");
	r.from = table_col(r.t, "valid_from");
	r.to = table_col(r.t, "valid_to");
	r.next = table_col(r.t, "replaced_by");
	r.name = table_col(r.t, "name");
	r.dated = r.from >= 0 || r.to >= 0 || r.next >= 0;
	r.n_cols = import_var_cols(r.t, known, ARRAY_LEN(known), r.cols);
	if (r.name < 0)
		BAD(&r, 1, "name", "column 'name' is missing");
	while (rc == 0 && (rc = table_next(r.t, &im->problems, &im->err)) == 1)
		rc = add_row(&r);
	if (rc == 0)
		check_tree(&r);
	if (rc == 0 && !im->problems.errors)
		hand_over(&r);
	read_free(&r);
	return rc;
}
