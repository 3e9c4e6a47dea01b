/* doc_stored.c - a release as the three strings of a revision, and back. Pure.
 * The stored form is the text itself: it is parsed again by the same code, so there is no second reader to drift. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "content/doc_internal.h"

#define STORED_FORMAT 1

static cJSON *variants_json(const struct release_doc *d)
{
	cJSON *arr = json_arr();
	for (size_t i = 0; i < d->n_variants; i++) {
		cJSON *o = json_obj();
		json_put_z(o, "file", d->variants[i].file);
		json_put_z(o, "front", d->variants[i].front);
		json_put_z(o, "body", d->variants[i].body);
		json_add(arr, o);
	}
	return arr;
}

static cJSON *locals_json(const struct release_doc *d)
{
	cJSON *arr = json_arr();
	for (size_t i = 0; i < d->n_locals; i++) {
		cJSON *o = json_obj();
		json_put_z(o, "file", d->locals[i].file);
		json_put_z(o, "text", d->locals[i].text);
		json_add(arr, o);
	}
	return arr;
}

int release_doc_to_stored(const struct release_doc *d, struct doc_stored *ret)
{
	cJSON *o CLEANUP_JSON = json_obj();
	struct doc_stored s = { NULL, NULL, NULL };
	json_put_i64(o, "format", STORED_FORMAT);
	json_put_z(o, "main", d->main_file);
	json_put_z(o, "zone", d->zone.name);
	json_put(o, "variants", variants_json(d));
	json_put(o, "locals", locals_json(d));
	s.bodies = json_print(o);
	s.front = strdup(d->front);
	s.body = strdup(d->body);
	if (s.bodies == NULL || s.front == NULL || s.body == NULL) {
		doc_stored_done(&s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

void doc_stored_done(struct doc_stored *s)
{
	if (s == NULL)
		return;
	free(s->front);
	free(s->body);
	free(s->bodies);
	*s = (struct doc_stored){ NULL, NULL, NULL };
}

/* The texts in memory while they are parsed. */
struct texts {
	struct buf main, variant[DOC_VARIANTS_MAX];
	struct doc_file variants[DOC_VARIANTS_MAX];
	struct doc_file *locals;
	size_t n_variants, n_locals;
};

static void texts_free(struct texts *t)
{
	if (t == NULL)
		return;
	buf_done(&t->main);
	for (size_t i = 0; i < t->n_variants; i++)
		buf_done(&t->variant[i]);
	free(t->locals);
	free(t);
}
DEFINE_CLEANUP(texts_free, struct texts *)

static int join(struct buf *b, struct str front, struct str body)
{
	buf_init(b, 3 * DOC_TEXT_MAX);
	(void)buf_addz(b, "---\n");
	(void)buf_add_str(b, front);
	(void)buf_addz(b, "---\n");
	(void)buf_add_str(b, body);
	return b->failed ? -E2BIG : 0;
}

static int load_variants(const cJSON *arr, struct texts *t)
{
	const cJSON *o;
	cJSON_ArrayForEach(o, arr)
	{
		const char *file = json_z(o, "file", NULL);
		if (file == NULL || t->n_variants == DOC_VARIANTS_MAX)
			return -EBADMSG;
		struct buf *b = &t->variant[t->n_variants];
		if (join(b, json_str(o, "front"), json_str(o, "body")) < 0) {
			buf_done(b);
			return -EBADMSG;
		}
		t->variants[t->n_variants++] = (struct doc_file){ file, buf_str(b) };
	}
	return 0;
}

static int load_locals(const cJSON *arr, struct texts *t)
{
	const cJSON *o;
	int n = cJSON_GetArraySize(arr);
	if (n > DOC_LOCALS_MAX)
		return -EBADMSG;
	t->locals = x_calloc((size_t)n + 1, sizeof(*t->locals));
	cJSON_ArrayForEach(o, arr)
	{
		const char *file = json_z(o, "file", NULL);
		if (file == NULL)
			return -EBADMSG;
		t->locals[t->n_locals++] = (struct doc_file){ file, json_str(o, "text") };
	}
	return 0;
}

static int fill_assets(
	struct release_doc *d, const struct doc_asset_row *rows, size_t n, struct err *e)
{
	if (n != d->n_assets)
		return err_set(e, -EBADMSG,
			"stored release %s: %zu files are named, %zu are stored", d->code,
			d->n_assets, n);
	for (size_t i = 0; i < n; i++) {
		struct doc_asset *a = &d->assets[i];
		if (strcmp(a->file, rows[i].name) != 0)
			return err_set(e, -EBADMSG, "stored release %s: file %zu is '%s', not '%s'",
				d->code, i, rows[i].name, a->file);
		a->hash = rows[i].hash;
		a->type = doc_arena_str(d->arena, str_of(rows[i].type));
		a->bytes = rows[i].bytes;
		a->width = rows[i].width;
		a->height = rows[i].height;
	}
	return doc_arena_failed(d->arena) ? err_set(e, -ENOMEM, "memory is out") : 0;
}

static int parse_stored(const cJSON *o, struct str front, struct str body, struct texts *t,
	unsigned how, struct release_doc **ret, struct content_problems *p, struct err *e)
{
	struct zone z;
	const char *main_file = json_z(o, "main", NULL);
	if (json_i64(o, "format", 0) != STORED_FORMAT || main_file == NULL)
		return err_set(e, -EBADMSG, "stored release: unknown format");
	if (zone_parse(json_str(o, "zone"), &z, e) < 0)
		return err_set(e, -EBADMSG, "stored release: unknown zone");
	if (join(&t->main, front, body) < 0 || load_variants(json_get(o, "variants"), t) < 0 ||
		load_locals(json_get(o, "locals"), t) < 0)
		return err_set(e, -EBADMSG, "stored release: its texts are damaged or too long");
	struct doc_source src = { .main = { main_file, buf_str(&t->main) },
		.variants = t->variants,
		.n_variants = t->n_variants,
		.locals = t->locals,
		.n_locals = t->n_locals,
		.zone = &z };
	int r = doc_parse(&src, how, ret, p);
	if (r == -EINVAL) {
		(void)problems_err(p, -EBADMSG, e);
		return err_prefix(e, "stored release");
	}
	return r < 0 ? err_set(e, r, "stored release: memory is out") : 0;
}

static int read_stored(struct str bodies, cJSON **ret, struct err *e)
{
	int r = json_parse(bodies, 2 * DOC_TOTAL_MAX, ret, e);
	if (r >= 0)
		return 0;
	if (e != NULL)
		e->code = -EBADMSG;
	(void)err_prefix(e, "stored release");
	return r == -ENOMEM ? r : -EBADMSG;
}

int release_doc_from_stored(struct str front, struct str body, struct str bodies,
	const struct doc_asset_row *rows, size_t n_rows, struct release_doc **ret, struct err *e)
{
	cJSON *o CLEANUP_JSON = NULL;
	CLEANUP(texts_free) struct texts *t = x_calloc(1, sizeof(*t));
	CLEANUP(release_doc_free) struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	problems_init(&p);
	int r = read_stored(bodies, &o, e);
	if (r == 0)
		r = parse_stored(o, front, body, t, DOC_PARSE_REBUILD, &d, &p, e);
	if (r == 0)
		r = fill_assets(d, rows, n_rows, e);
	if (r < 0)
		return r;
	*ret = MOVE(d);
	return 0;
}

void release_doc_stored_warnings(
	struct str front, struct str body, struct str bodies, struct content_problems *ret)
{
	cJSON *o CLEANUP_JSON = NULL;
	CLEANUP(texts_free) struct texts *t = x_calloc(1, sizeof(*t));
	CLEANUP(release_doc_free) struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS = { 0 };
	problems_init(&p);
	if (read_stored(bodies, &o, NULL) == 0)
		(void)!parse_stored(o, front, body, t, DOC_PARSE_KEEP, &d, &p, NULL);
	for (size_t i = 0; i < p.n; i++)
		if (p.v[i].severity != PROBLEM_ERROR)
			problem_add(ret, p.v[i].severity, p.v[i].file, p.v[i].line, p.v[i].field,
				"%s", p.v[i].text);
}
