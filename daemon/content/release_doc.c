/* release_doc.c - parses a release from its texts and answers look-ups. Pure; the doc owns one arena with all strings.
 * Happy path: clean text, split, YAML tree, fields, variants, locals, cross checks. One error anywhere: no doc. */
#include "content/release_doc.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "content/doc_internal.h"
#include "content/doc_text.h"

#define ARENA_MAX (DOC_TOTAL_MAX * 3u) /* texts, their tree, and the tables */

const char *doc_crop_name(enum doc_crop v)
{
	static const char *const names[] = { "fit", "top", "none" };
	return (size_t)v < ARRAY_LEN(names) ? names[v] : "?";
}

const char *doc_role_name(enum doc_role v)
{
	static const char *const names[] = { "?", "cover", "image", "attachment", "video", "poster",
		"captions" };
	return (size_t)v < ARRAY_LEN(names) ? names[v] : "?";
}

const char *doc_clean_into(
	struct doc_reader *r, const struct doc_file *f, size_t max, size_t *ret_n)
{
	struct buf b CLEANUP_BUF;
	if (r->rebuild)
		max *= 3; /* NFC may have made it longer than what came in */
	buf_init(&b, 3 * max + 16);
	size_t errors = r->p->errors;
	if (doc_text_clean(f->text, f->name, max, &b, r->p) < 0) {
		if (r->p->errors == errors)
			problem_add(r->p, PROBLEM_ERROR, f->name, 0, "",
				"cannot be read: too long, or memory is out");
		return NULL;
	}
	const char *z = doc_arena_str(r->arena, buf_str(&b));
	if (doc_arena_failed(r->arena))
		return NULL;
	*ret_n = b.n;
	return z;
}

static bool total_ok(struct doc_reader *r)
{
	const struct doc_source *s = r->src;
	size_t sum = s->main.text.n;
	for (size_t i = 0; i < s->n_variants && sum <= DOC_TOTAL_MAX; i++)
		sum += s->variants[i].text.n;
	for (size_t i = 0; i < s->n_locals && sum <= DOC_TOTAL_MAX; i++)
		sum += s->locals[i].text.n;
	if (sum <= DOC_TOTAL_MAX)
		return true;
	problem_add(r->p, PROBLEM_ERROR, r->file, 0, "", "the texts together are over %u bytes",
		DOC_TOTAL_MAX);
	return false;
}

static bool split_main(struct doc_reader *r, const char *text, size_t n, struct doc_split *ret)
{
	int err = doc_text_split((struct str){ text, n }, ret);
	if (err == -ENOENT)
		problem_add(r->p, PROBLEM_ERROR, r->file, 1, "",
			"no front matter: the file must begin with a line ---, then code, title and so on, then a line ---");
	else if (err < 0)
		problem_add(r->p, PROBLEM_ERROR, r->file, 1, "",
			"the front matter has no end: a second line --- is missing");
	else if (ret->front.n > DOC_FRONT_MAX)
		problem_add(r->p, PROBLEM_ERROR, r->file, 1, "",
			"the front matter has %zu bytes; at most %u", ret->front.n, DOC_FRONT_MAX);
	return err == 0 && ret->front.n <= DOC_FRONT_MAX;
}

static void parse_main(struct doc_reader *r)
{
	struct release_doc *d = r->doc;
	struct doc_split s;
	struct yaml_node *map = NULL;
	size_t n = 0;
	const char *text = doc_clean_into(r, &r->src->main, DOC_TEXT_MAX, &n);
	if (text == NULL || !split_main(r, text, n, &s))
		return;
	d->front = doc_arena_str(r->arena, s.front);
	d->body = doc_arena_str(r->arena, s.body);
	d->body_line = s.body_line;
	if (str_trim(s.body).n == 0)
		problem_add(r->p, PROBLEM_ERROR, r->file, s.body_line, "",
			"the release has no text below its front matter");
	if (yaml_tree_parse(s.front, r->file, s.front_line, r->arena, &map, r->p) == 0)
		doc_front_read(r, map);
}

static int variant_cmp(const void *a, const void *b)
{
	const struct doc_variant *x = a, *y = b;
	return strcmp(x->lang, y->lang);
}

static void parse_all(struct doc_reader *r)
{
	struct release_doc *d = r->doc;
	if (!total_ok(r))
		return;
	parse_main(r);
	doc_variants_read(r);
	doc_locals_read(r);
	if (d->variants != NULL && d->n_variants > 1)
		qsort(d->variants, d->n_variants, sizeof(*d->variants), variant_cmp);
	if (doc_arena_failed(r->arena))
		return;
	if (d->parts != NULL) {
		doc_cast_parts(r);
		doc_check_parts(r);
	}
	if (!r->rebuild && d->body != NULL)
		doc_check_texts(r);
}

static struct release_doc *doc_new(const struct doc_source *src)
{
	struct release_doc *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->arena = doc_arena_new(ARENA_MAX);
	if (d->arena == NULL) {
		free(d);
		return NULL;
	}
	d->main_file = doc_arena_str(d->arena, str_of(src->main.name));
	d->zone = src->zone == NULL ? zone_vietnam() : *src->zone;
	d->lang = d->code = d->title = d->summary = d->link = d->campaign = "";
	d->ref_number = d->ref_date = d->ref_signer = d->front = d->body = "";
	return d;
}

int doc_parse(const struct doc_source *src, unsigned how, struct release_doc **ret,
	struct content_problems *p)
{
	CLEANUP(release_doc_free) struct release_doc *d = doc_new(src);
	size_t errors = p->errors;
	if (d == NULL)
		return -ENOMEM;
	struct doc_reader r = { .arena = d->arena,
		.p = p,
		.file = d->main_file,
		.zone = &d->zone,
		.src = src,
		.doc = d,
		.rebuild = (how & DOC_PARSE_REBUILD) != 0 };
	parse_all(&r);
	if (doc_arena_failed(d->arena)) {
		problem_add(p, PROBLEM_ERROR, d->main_file, 0, "",
			"memory is out, or the release is too large");
		return -ENOMEM;
	}
	if (p->errors != errors) {
		if ((how & DOC_PARSE_KEEP) != 0)
			*ret = MOVE(d);
		return -EINVAL;
	}
	*ret = MOVE(d);
	return 0;
}

int release_doc_parse(
	const struct doc_source *src, struct release_doc **ret, struct content_problems *p)
{
	return doc_parse(src, 0, ret, p);
}

void release_doc_free(struct release_doc *d)
{
	if (d == NULL)
		return;
	doc_arena_free(d->arena);
	free(d);
}

/* --- look-ups -------------------------------------------------------------------------------------------------------------- */

const struct doc_part *release_doc_part(
	const struct release_doc *d, struct str name, int *ret_index)
{
	for (size_t i = 0; i < d->n_parts; i++) {
		if (!str_eqz(name, d->parts[i].name))
			continue;
		if (ret_index != NULL)
			*ret_index = (int)i;
		return &d->parts[i];
	}
	return NULL;
}

const struct doc_asset *release_doc_asset(const struct release_doc *d, struct str file)
{
	for (size_t i = 0; i < d->n_assets; i++) {
		if (str_eqz(file, d->assets[i].file))
			return &d->assets[i];
	}
	return NULL;
}

const struct doc_variant *release_doc_variant(const struct release_doc *d, struct str lang)
{
	struct str primary = lang;
	for (size_t i = 0; i < d->n_variants; i++) {
		if (str_eqz(lang, d->variants[i].lang))
			return &d->variants[i];
	}
	const char *dash = lang.n == 0 ? NULL : memchr(lang.p, '-', lang.n);
	if (dash == NULL)
		return NULL;
	primary.n = (size_t)(dash - lang.p);
	for (size_t i = 0; i < d->n_variants; i++) {
		if (str_eqz(primary, d->variants[i].lang))
			return &d->variants[i];
	}
	return NULL;
}

const struct doc_local *release_doc_local(const struct release_doc *d, struct str office)
{
	for (size_t i = 0; i < d->n_locals; i++) {
		if (str_eqz(office, d->locals[i].office))
			return &d->locals[i];
	}
	return NULL;
}

const char *doc_pair_get(const struct doc_pairs *p, const char *kind, const char *key)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].kind, kind) == 0 && strcmp(p->v[i].key, key) == 0)
			return p->v[i].value;
	}
	return NULL;
}

int64_t release_doc_embargo_ms(const struct release_doc *d, int64_t base_ms)
{
	int64_t last = INT64_MIN;
	for (size_t i = 0; i < d->n_parts; i++) {
		const struct when *w = &d->parts[i].embargo;
		int64_t ms = w->kind == WHEN_NONE ? INT64_MIN : when_resolve(w, base_ms);
		last = ms > last ? ms : last;
	}
	return last;
}

const char *doc_asset_name(const struct doc_asset *a)
{
	const char *slash = strrchr(a->file, '/');
	return slash == NULL ? a->file : slash + 1;
}
