/* doc_check.c - what the fields of a release say about each other: order of parts, embargo, expiry, variables and pictures
 * in the texts. Pure. What depends on the clock, on offices or on audiences is the plan's to check. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "content/doc_internal.h"
#include "content/doc_text.h"
#include "content/markdown.h"
#include "content/template.h"

static int line_or(int line, const struct doc_part *p)
{
	return line > 0 ? line : p->line;
}

static void fault_at(struct doc_reader *r, const struct doc_part *p, int line, const char *field,
	const char *fmt, ...) PRINTF_LIKE(5, 6);
static void fault_at(struct doc_reader *r, const struct doc_part *p, int line, const char *field,
	const char *fmt, ...)
{
	char text[400], path[96];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(path, sizeof(path), "parts.%.40s.%s", p->name, field);
	problem_add(r->p, PROBLEM_ERROR, r->file, line_or(line, p), path, "%s", text);
}

static void note_at(struct doc_reader *r, const struct doc_part *p, enum problem_severity sev,
	int line, const char *field, const char *text)
{
	char path[96];
	(void)snprintf(path, sizeof(path), "parts.%.40s.%s", p->name, field);
	problem_add(r->p, sev, r->file, line_or(line, p), path, "%s", text);
}

static void resolve_after(struct doc_reader *r, struct doc_part *p)
{
	const struct release_doc *d = r->doc;
	const char *names[DOC_PARTS_MAX];
	char says[400];
	if (p->after[0] == '\0')
		return;
	for (size_t i = 0; i < d->n_parts; i++) {
		names[i] = d->parts[i].name;
		if (strcmp(names[i], p->after) == 0)
			p->after_index = (int)i;
	}
	if (p->after_index < 0)
		fault_at(r, p, p->line_after, "after", "there is no part '%s'%s", p->after,
			doc_suggest(says, sizeof(says), str_of(p->after), names, d->n_parts));
}

/* A part has at most one `after`: a circle is found by walking n steps, and told once, by its first part. */
static void check_circles(struct doc_reader *r)
{
	const struct release_doc *d = r->doc;
	for (size_t i = 0; i < d->n_parts; i++) {
		char chain[300];
		int first = (int)i, at = d->parts[i].after_index;
		int n = snprintf(chain, sizeof(chain), "%s", d->parts[i].name);
		for (size_t steps = 0; at >= 0 && steps < d->n_parts; steps++) {
			if (n > 0 && (size_t)n < sizeof(chain))
				n += snprintf(chain + n, sizeof(chain) - (size_t)n, " after %s",
					d->parts[at].name);
			if (at == (int)i)
				break;
			first = at < first ? at : first;
			at = d->parts[at].after_index;
		}
		if (at == (int)i && first == (int)i)
			fault_at(r, &d->parts[i], d->parts[i].line_after, "after",
				"the parts wait for each other in a circle: %s", chain);
	}
}

static void check_expiry(struct doc_reader *r, const struct doc_part *p)
{
	char at[WHEN_TEXT_MAX], till[WHEN_TEXT_MAX];
	if (p->expires.kind == WHEN_NOW ||
		(p->expires.kind == WHEN_AFTER_DURATION && p->expires.ms == 0))
		fault_at(r, p, p->line_expires, "expires",
			"the part would never start; write a time, or a duration such as 48h");
	else if (p->expires.kind == WHEN_AT && p->at.kind == WHEN_AT && p->expires.ms <= p->at.ms)
		fault_at(r, p, p->line_expires, "expires", "%s is not after the start, %s",
			when_print(till, sizeof(till), p->expires.ms, r->zone, WHEN_VI),
			when_print(at, sizeof(at), p->at.ms, r->zone, WHEN_VI));
	else if (p->expires.kind == WHEN_AFTER_DURATION && p->spread_ms >= p->expires.ms)
		note_at(r, p, PROBLEM_WARNING, p->line_expires, "expires",
			"the part expires before it has spread over all its targets");
	if (p->at.kind == WHEN_AT && p->window_ms > 0 && p->expires.kind == WHEN_AT &&
		p->at.ms + p->window_ms > p->expires.ms)
		note_at(r, p, PROBLEM_INFO, p->line_expires, "expires",
			"the part expires before its window ends");
}

/* The part, or the first of those it waits for, that names a moment at which `p` would be over already. */
static void check_expiry_after(struct doc_reader *r, const struct doc_part *p)
{
	const struct release_doc *d = r->doc;
	char at[WHEN_TEXT_MAX], till[WHEN_TEXT_MAX];
	if (p->expires.kind != WHEN_AT)
		return;
	when_print(till, sizeof(till), p->expires.ms, r->zone, WHEN_VI);
	int x = p->after_index;
	for (size_t steps = 0; x >= 0 && steps < d->n_parts; steps++, x = d->parts[x].after_index) {
		const struct doc_part *o = &d->parts[x];
		if (o->at.kind != WHEN_AT || o->at.ms < p->expires.ms)
			continue;
		fault_at(r, p, p->line_expires, "expires",
			"%s: it waits for part '%s', which starts %s", till, o->name,
			when_print(at, sizeof(at), o->at.ms, r->zone, WHEN_VI));
		return;
	}
	for (size_t i = 0; i < d->n_parts && !p->internal && p->embargo.kind == WHEN_NONE; i++) {
		const struct doc_part *o = &d->parts[i];
		if (o->embargo.kind != WHEN_AT || o->embargo.ms < p->expires.ms)
			continue;
		fault_at(r, p, p->line_expires, "expires", "%s: the embargo of part '%s' ends %s",
			till, o->name, when_print(at, sizeof(at), o->embargo.ms, r->zone, WHEN_VI));
		return;
	}
}

/* An embargo binds every part that is neither under embargo itself nor internal. */
static void check_embargo(struct doc_reader *r, const struct doc_part *giver)
{
	const struct release_doc *d = r->doc;
	char at[WHEN_TEXT_MAX], till[WHEN_TEXT_MAX];
	if (giver->embargo.kind == WHEN_NONE)
		return;
	if (giver->embargo.kind == WHEN_NOW ||
		(giver->embargo.kind == WHEN_AFTER_DURATION && giver->embargo.ms == 0)) {
		fault_at(r, giver, giver->line_embargo, "embargo",
			"an embargo that ends at once is none; give the time when it ends");
		return;
	}
	for (size_t i = 0; i < d->n_parts; i++) {
		const struct doc_part *p = &d->parts[i];
		if (p->embargo.kind != WHEN_NONE || p->internal ||
			p->at.kind != giver->embargo.kind || p->at.ms >= giver->embargo.ms)
			continue;
		fault_at(r, p, p->line_at, "at",
			"starts %s, before the embargo of part '%s' ends, %s",
			when_print_when(at, sizeof(at), &p->at, r->zone, WHEN_VI), giver->name,
			when_print_when(till, sizeof(till), &giver->embargo, r->zone, WHEN_VI));
	}
}

void doc_check_parts(struct doc_reader *r)
{
	struct release_doc *d = r->doc;
	for (size_t i = 0; i < d->n_parts; i++)
		resolve_after(r, &d->parts[i]);
	check_circles(r);
	for (size_t i = 0; i < d->n_parts; i++) {
		struct doc_part *p = &d->parts[i];
		if (p->broadcast)
			continue; /* its times are those of its articles, which are looked at */
		check_expiry(r, p);
		check_expiry_after(r, p);
		check_embargo(r, p);
		if (p->needs_link && d->link[0] == '\0')
			fault_at(r, p, p->line_link, "needs_link",
				"the release has no link that could be waited for");
		if (d->category == CAT_INTERNAL && !p->internal)
			note_at(r, p, PROBLEM_WARNING, 0, "internal",
				"the release is internal, this part is not; mark it internal: true if nobody else may see it");
	}
}

/* --- texts ----------------------------------------------------------------------------------------------------------------- */

/* Which columns an office has is the plan's to know. */
static bool var_known(struct str name, bool local)
{
	return str_starts(name, "office.") || (!local && str_eqz(name, "local"));
}

struct text_at {
	const char *file, *field;
	int line;
	bool markdown, local, one_line;
};

static void check_vars(struct doc_reader *r, const struct text_at *t, struct str text)
{
	static const char *const known[] = { "local", "office.name", "office.short",
		"office.hotline", "office.address", "office.code" };
	struct template_vars *vars = x_calloc(1, sizeof(*vars));
	struct err e = { 0 };
	char says[400];
	if (template_vars(text, t->line, vars, &e) < 0) {
		const char *colon = strstr(e.text, ": "); /* the line has its own place */
		int64_t line = t->line;
		if (colon != NULL && str_starts(str_of(e.text), "line "))
			(void)!str_i64((struct str){ e.text + 5, (size_t)(colon - e.text) - 5 }, 1,
				1000000, &line);
		problem_add(r->p, PROBLEM_ERROR, t->file, (int)line, t->field, "%s",
			colon == NULL ? e.text : colon + 2);
	}
	for (size_t i = 0; i < vars->n; i++) {
		const struct template_var *v = &vars->v[i];
		if (var_known(v->name, t->local)) {
			if (t->one_line && str_eqz(v->name, "local"))
				problem_add(r->p, PROBLEM_ERROR, t->file, v->line, t->field,
					"{{local}} is a paragraph and has no place in one line");
			continue;
		}
		if (str_eqz(v->name, "local"))
			problem_add(r->p, PROBLEM_ERROR, t->file, v->line, t->field,
				"a local text cannot hold {{local}}");
		else if (str_starts(v->name, "target."))
			problem_add(r->p, PROBLEM_ERROR, t->file, v->line, t->field,
				"{{" STR_FMT
				"}} is not filled in: one text goes to all of an office; write it without",
				STR_ARG(v->name));
		else
			problem_add(r->p, PROBLEM_ERROR, t->file, v->line, t->field,
				"unknown variable {{" STR_FMT "}}%s", STR_ARG(v->name),
				doc_suggest(says, sizeof(says), v->name, known, ARRAY_LEN(known)));
	}
	xfree(vars);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* As editors write an address: ./ before it, blanks and letters beyond ASCII by their bytes, %20. */
static bool is_address_of(const char *url, const char *file)
{
	if (strcmp(url, file) == 0)
		return true;
	url += strncmp(url, "./", 2) == 0 ? 2 : 0;
	for (; *url != '\0' && *file != '\0'; url++, file++) {
		int c = (unsigned char)*url;
		if (c == '%' && hex_digit(url[1]) >= 0 && hex_digit(url[2]) >= 0) {
			c = hex_digit(url[1]) * 16 + hex_digit(url[2]);
			url += 2;
		}
		if (c != (unsigned char)*file)
			return false;
	}
	return *url == '\0' && *file == '\0';
}

struct image_ctx {
	struct doc_reader *r;
	const struct text_at *t;
};

static void on_image(void *ctx, int line, const char *url, const char *alt)
{
	struct image_ctx *c = ctx;
	struct doc_reader *r = c->r;
	int at = c->t->line + line - 1;
	UNUSED(alt);
	for (size_t i = 0; i < r->doc->n_assets; i++) {
		if (is_address_of(url, r->doc->assets[i].file))
			return;
	}
	if (str_starts(str_of(url), "http://") || str_starts(str_of(url), "https://"))
		problem_add(r->p, PROBLEM_WARNING, c->t->file, at, c->t->field,
			"the picture '%.200s' lies elsewhere and is not fetched; put the file into the bundle",
			url);
	else
		problem_add(r->p, PROBLEM_ERROR, c->t->file, at, c->t->field,
			"the picture '%.200s' is not listed under cover or images", url);
}

#define HTML_TOLD_MAX 5 /* of one text */
#define HTML_SHOWN    60

struct html_ctx {
	struct doc_reader *r;
	const struct text_at *t;
	int told, line;
};

/* Each channel would do something else with it: leave it out with all that is in it, or show it as it is. */
static void on_html(void *ctx, int line, const char *html)
{
	struct html_ctx *c = ctx;
	struct str rest = str_of(html), first = { 0 };
	if (line == c->line || c->told++ >= HTML_TOLD_MAX)
		return; /* the tag that closes it, mostly */
	c->line = line;
	if (!str_line(&rest, &first))
		first = str_of(html);
	problem_add(c->r->p, PROBLEM_ERROR, c->t->file, c->t->line + line - 1, c->t->field,
		"'" STR_FMT
		"' is HTML, which is not taken; write Markdown, or \\< where the sign < is meant",
		STR_ARG(utf8_cut(str_trim(first), HTML_SHOWN)));
}

static void check_text(struct doc_reader *r, struct text_at t, const char *text)
{
	struct str s = str_of(text);
	if (s.n == 0)
		return;
	check_vars(r, &t, s);
	struct image_ctx c = { r, &t };
	struct html_ctx h = { .r = r, .t = &t };
	if (t.markdown &&
		(markdown_each_image(s, on_image, &c) < 0 ||
			markdown_each_html(s, on_html, &h) < 0))
		problem_add(r->p, PROBLEM_ERROR, t.file, t.line, t.field, "memory is out");
	if (t.markdown)
		doc_text_references(s, t.file, t.line, t.field, r->p);
	doc_warn_text(r->p, t.file, t.line, t.field, s);
}

static bool goes_over(const struct release_doc *d, const char *kind)
{
	for (size_t i = 0; i < d->n_parts; i++)
		for (size_t k = 0; k < d->parts[i].n_channels; k++)
			if (strcmp(d->parts[i].channels[k], kind) == 0)
				return true;
	return false;
}

static void check_pairs(struct doc_reader *r, const char *file, const struct doc_pairs *pairs)
{
	char field[96];
	for (size_t i = 0; i < pairs->n; i++) {
		const struct doc_pair *p = &pairs->v[i];
		(void)snprintf(field, sizeof(field), "text.%.40s", p->kind);
		if (!goes_over(r->doc, p->kind) &&
			(i == 0 || strcmp(pairs->v[i - 1].kind, p->kind) != 0))
			problem_add(r->p, PROBLEM_INFO, file, p->line, field,
				"no part goes over %.40s: nobody gets this text", p->kind);
		(void)snprintf(field, sizeof(field), "text.%.40s.%.40s", p->kind, p->key);
		bool one_line = strcmp(p->key, "text") != 0 && strcmp(p->key, "comment") != 0;
		check_text(r, (struct text_at){ file, field, p->line, false, false, one_line },
			p->value);
	}
}

/* What is said of a file is the same for all offices, and goes out as it is written. */
static void check_said(
	struct doc_reader *r, const struct doc_asset *a, const char *field, const char *text)
{
	struct template_vars *vars = x_calloc(1, sizeof(*vars));
	(void)!template_vars(str_of(text), a->line, vars, NULL); /* other braces are meant so */
	for (size_t i = 0; i < vars->n; i++)
		problem_add(r->p, PROBLEM_ERROR, r->file, a->line, field,
			"{{" STR_FMT "}} is not filled in here; write it out, or leave it out",
			STR_ARG(vars->v[i].name));
	xfree(vars);
	doc_warn_text(r->p, r->file, a->line, field, str_of(text));
}

void doc_check_texts(struct doc_reader *r)
{
	const struct release_doc *d = r->doc;
	const char *file = r->file;
	check_text(
		r, (struct text_at){ file, "title", d->line_title, false, false, true }, d->title);
	check_text(r, (struct text_at){ file, "summary", d->line_summary, false, false, true },
		d->summary);
	check_pairs(r, file, &d->texts);
	check_text(r, (struct text_at){ file, "", d->body_line, true, false, false }, d->body);
	for (size_t i = 0; i < d->n_assets; i++) {
		check_said(r, &d->assets[i], "alt", d->assets[i].alt);
		check_said(r, &d->assets[i], "caption", d->assets[i].caption);
		check_said(r, &d->assets[i], "credit", d->assets[i].credit);
	}
	for (size_t i = 0; i < d->n_variants; i++) {
		const struct doc_variant *v = &d->variants[i];
		check_text(r,
			(struct text_at){ v->file, "title", v->line_title, false, false, true },
			v->title);
		check_text(r,
			(struct text_at){ v->file, "summary", v->line_summary, false, false, true },
			v->summary);
		check_pairs(r, v->file, v->texts);
		check_text(r, (struct text_at){ v->file, "", v->body_line, true, false, false },
			v->body);
	}
	for (size_t i = 0; i < d->n_locals; i++)
		check_text(r, (struct text_at){ d->locals[i].file, "", 1, true, true, false },
			d->locals[i].text);
}

int release_doc_local_clean(
	const struct release_doc *d, struct str raw, struct buf *ret, struct err *e)
{
	static const char name[] = "the local text";
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	struct buf b CLEANUP_BUF;
	struct doc_split s;
	problems_init(&p);
	buf_init(&b, 3 * raw.n + 16);
	struct doc_reader r = {
		.p = &p, .file = name, .doc = (struct release_doc *)(uintptr_t)d /* only read */
	};
	int rc = doc_text_clean(raw, name, raw.n, &b, &p);
	if (rc == 0 && doc_text_split(buf_str(&b), &s) == 0)
		problem_add(&p, PROBLEM_ERROR, name, 1, "",
			"a local text has no front matter; delete it, the text alone stays");
	if (rc == 0)
		check_text(&r, (struct text_at){ name, "", 1, true, true, false }, buf_z(&b));
	if (rc == 0 && p.errors == 0)
		rc = buf_add_str(ret, buf_str(&b));
	if (p.errors != 0)
		return problems_err(&p, -EINVAL, e);
	return rc < 0 ? err_set(e, rc, "%s: too long, or memory is out", name) : 0;
}
