/* doc_variant.c - language variants (body.LANG.md) and local texts (local/CODE.md) of a bundle. Pure. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "content/doc_internal.h"
#include "content/doc_text.h"

/* "en", "zh-Hans", "hmn-VN": two or three letters, then pieces of two to eight letters or digits. */
bool doc_lang_ok(struct str s)
{
	struct str rest = s, piece;
	size_t pieces = 0;
	while (str_next(&rest, '-', &piece)) {
		if (piece.n < 2 || piece.n > (pieces == 0 ? 3u : 8u))
			return false;
		for (size_t i = 0; i < piece.n; i++) {
			char c = piece.p[i];
			bool letter = (c >= 'a' && c <= 'z') ||
				(pieces > 0 && c >= 'A' && c <= 'Z');
			if (!letter && (pieces == 0 || c < '0' || c > '9'))
				return false;
		}
		pieces++;
	}
	return pieces > 0 && s.p[s.n - 1] != '-';
}

/* The middle of "body.en.md" or "local/dien-bien.md". */
static struct str middle(const char *name, const char *before, const char *after)
{
	size_t n = strlen(name), b = strlen(before), a = strlen(after);
	if (n <= a + b || strncmp(name, before, b) != 0 || strcmp(name + n - a, after) != 0)
		return (struct str){ NULL, 0 };
	return (struct str){ name + b, n - a - b };
}

struct variant_in {
	const char *title, *summary, *link;
	const struct yaml_node *text;
};
static const struct doc_key variant_keys[] = {
	{ "title", doc_read_line, offsetof(struct variant_in, title), NULL, 500 },
	{ "summary", doc_read_line, offsetof(struct variant_in, summary), NULL, 2000 },
	{ "link", doc_read_link, offsetof(struct variant_in, link), NULL, 500 },
	{ "text", doc_read_node, offsetof(struct variant_in, text), NULL, 0 },
};

static void variant_front(struct doc_reader *r, const struct yaml_node *map, struct doc_variant *v)
{
	struct variant_in in = { 0 };
	size_t errors = r->p->errors;
	doc_read_map(r, map, variant_keys, ARRAY_LEN(variant_keys), &in, NULL, NULL);
	if (in.title == NULL && r->p->errors == errors)
		problem_add(r->p, PROBLEM_ERROR, r->file, 1, "title",
			"is missing: a variant has a title of its own");
	v->title = in.title == NULL ? "" : in.title;
	v->summary = in.summary == NULL ? "" : in.summary;
	v->link = in.link == NULL ? "" : in.link;
	v->line_title = doc_line_of_key(map, "title", 1);
	v->line_summary = doc_line_of_key(map, "summary", 1);
	v->line_link = doc_line_of_key(map, "link", 1);
	if (in.text != NULL)
		doc_texts_read(r, in.text, v->texts);
}

static void variant_read(
	struct doc_reader *r, const struct doc_file *f, struct str lang, struct doc_variant *v)
{
	size_t n = 0;
	struct doc_split s;
	struct yaml_node *map = NULL;
	const char *text = doc_clean_into(r, f, DOC_TEXT_MAX, &n);
	v->texts = doc_arena_alloc(r->arena, sizeof(*v->texts));
	if (text == NULL || v->texts == NULL)
		return;
	int err = doc_text_split((struct str){ text, n }, &s);
	if (err < 0) {
		problem_add(r->p, PROBLEM_ERROR, r->file, 1, "", "%s",
			err == -ENOENT
				? "no front matter: the file must begin with a line --- and give the variant's title"
				: "the front matter has no end: a second line --- is missing");
		return;
	}
	v->lang = doc_arena_str(r->arena, lang);
	v->file = doc_arena_str(r->arena, str_of(f->name));
	v->front = doc_arena_str(r->arena, s.front);
	v->body = doc_arena_str(r->arena, s.body);
	v->body_line = s.body_line;
	if (str_trim(s.body).n == 0)
		problem_add(
			r->p, PROBLEM_ERROR, r->file, s.body_line, "", "the variant has no text");
	if (yaml_tree_parse(s.front, r->file, s.front_line, r->arena, &map, r->p) == 0)
		variant_front(r, map, v);
}

void doc_variants_read(struct doc_reader *r)
{
	const struct doc_source *src = r->src;
	struct release_doc *d = r->doc;
	const char *file = r->file;
	if (src->n_variants > DOC_VARIANTS_MAX) {
		problem_add(r->p, PROBLEM_ERROR, "", 0, "", "more than %d language variants",
			DOC_VARIANTS_MAX);
		return;
	}
	d->variants = doc_arena_alloc(r->arena, (src->n_variants + 1) * sizeof(*d->variants));
	for (size_t i = 0; d->variants != NULL && i < src->n_variants; i++) {
		struct str lang = middle(src->variants[i].name, "body.", ".md");
		struct doc_variant *v = &d->variants[d->n_variants];
		r->file = src->variants[i].name;
		if (lang.p == NULL || !doc_lang_ok(lang)) {
			problem_add(r->p, PROBLEM_ERROR, r->file, 0, "",
				"'" STR_FMT "' is no language; a variant is called body.en.md",
				STR_ARG(lang));
			continue;
		}
		if (str_eqz(lang, d->lang)) {
			problem_add(r->p, PROBLEM_ERROR, r->file, 0, "",
				"the main text is already in '%s'", d->lang);
			continue;
		}
		*v = (struct doc_variant){ .lang = "",
			.file = "",
			.title = "",
			.summary = "",
			.link = "",
			.body = "",
			.front = "" };
		d->n_variants++;
		variant_read(r, &src->variants[i], lang, v);
	}
	r->file = file;
}

static int local_cmp(const void *a, const void *b)
{
	const struct doc_local *x = a, *y = b;
	return strcmp(x->office, y->office);
}

static void local_read(struct doc_reader *r, const struct doc_file *f)
{
	struct release_doc *d = r->doc;
	struct doc_split s;
	struct str office = middle(f->name, "local/", ".md");
	size_t n = 0;
	if (office.p == NULL || !doc_name_ok(office, 80) ||
		memchr(office.p, '.', office.n) != NULL) {
		problem_add(r->p, PROBLEM_ERROR, f->name, 0, "",
			"'" STR_FMT
			"' is no office code; a local text is called local/dien-bien.md",
			STR_ARG(office));
		return;
	}
	const char *text = doc_clean_into(r, f, DOC_TEXT_MAX, &n);
	if (text == NULL)
		return;
	if (doc_text_split((struct str){ text, n }, &s) == 0)
		problem_add(r->p, PROBLEM_ERROR, f->name, 1, "",
			"a local text has no front matter; delete it, the text alone stays");
	if (str_trim((struct str){ text, n }).n == 0)
		problem_add(r->p, PROBLEM_ERROR, f->name, 1, "",
			"the local text is empty; delete the file");
	d->locals[d->n_locals++] = (struct doc_local){ doc_arena_str(r->arena, office),
		doc_arena_str(r->arena, str_of(f->name)), text };
}

void doc_locals_read(struct doc_reader *r)
{
	const struct doc_source *src = r->src;
	struct release_doc *d = r->doc;
	const char *file = r->file;
	if (src->n_locals > DOC_LOCALS_MAX) {
		problem_add(
			r->p, PROBLEM_ERROR, "", 0, "", "more than %d local texts", DOC_LOCALS_MAX);
		return;
	}
	d->locals = doc_arena_alloc(r->arena, (src->n_locals + 1) * sizeof(*d->locals));
	for (size_t i = 0; d->locals != NULL && i < src->n_locals; i++) {
		r->file = src->locals[i].name;
		local_read(r, &src->locals[i]);
	}
	r->file = file;
	if (d->locals != NULL && d->n_locals > 1)
		qsort(d->locals, d->n_locals, sizeof(*d->locals), local_cmp);
}
