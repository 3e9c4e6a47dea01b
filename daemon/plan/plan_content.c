/* plan_content.c - what an adapter is given for one part, kind, form, language and office: texts with their variables put in.
 * Thread: any, pure. Owns: everything that the lt_content points to, but for the document and the variables (borrowed).
 * Failures: a variable that the office lacks is -EINVAL with file, line, name and the nearest.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "content/markdown.h"
#include "content/template.h"
#include "plan/plan_internal.h"

#define VARS_MAX 128
#define TEXTS_MAX                        \
	(DOC_PAIRS_MAX + DOC_NAMES_MAX + \
		1)               /* all that one document can say, and the cover's crop */
#define VN_MS (7 * WHEN_HOUR_MS) /* UTC+7, no summer time */

struct plan_content {
	struct lt_content c;
	struct buf
		own; /* all rendered texts, one after the other; its maximum is reserved at once so that it never moves */
	struct lt_pair vars[VARS_MAX], texts[TEXTS_MAX], opts[TEXTS_MAX];
	char names[VARS_MAX][80];
	struct lt_asset asset[DOC_ASSETS_MAX];
	const struct lt_asset *assets[DOC_ASSETS_MAX];
	char ids[DOC_ASSETS_MAX][HASH_HEX];
	char form[16], lang[16];
};
struct render {
	const struct content_ask *a;
	struct plan_content *pc;
	const char *lang;              /* of the variant */
	struct str local, local_plain; /* rendered; as plain words for texts that are no Markdown */
	bool plain;
	const char *known[VARS_MAX];
	size_t n_known;
};

static struct lt_str lt_z(const char *z)
{
	return (struct lt_str){ z, strlen(z) };
}

static int lookup(void *ctx, struct str name, struct str *ret)
{
	struct render *r = ctx;
	char key[TEMPLATE_NAME_MAX + 1];
	if (str_eqz(name, "local")) {
		*ret = r->plain ? r->local_plain : r->local;
		return TEMPLATE_FOUND;
	}
	if (str_eqz(name, "office.code")) {
		*ret = str_of(r->a->office);
		return TEMPLATE_FOUND;
	}
	if (!str_starts(name, "office."))
		return -ENOENT;
	if (!str_copy(key, sizeof(key), (struct str){ name.p + 7, name.n - 7 }))
		return -ENOENT;
	*ret = json_str(r->a->vars, key);
	return ret->p && ret->n ? TEMPLATE_FOUND : -ENOENT;
}

/* Appends the rendered text to own; ret points into it. */
static int render(struct render *r, const char *text, bool markdown, const char *file, int line,
	struct lt_str *ret, struct err *e)
{
	struct template_opts o = { .lookup = lookup,
		.ctx = r,
		.lang = r->lang,
		.markdown = markdown,
		.raw_name = markdown ? "local" : NULL,
		.known = r->known,
		.n_known = r->n_known,
		.file = file,
		.first_line = line };
	struct buf *b = &r->pc->own;
	struct buf one CLEANUP_BUF;
	buf_init(&one, 2 * DOC_TEXT_MAX);
	r->plain = !markdown;
	int rc = template_render(str_of(text), &o, &one, e);
	if (rc < 0)
		return rc;
	size_t at = b->n;
	if (b->n + one.n + 2 > b->cap)
		return err_set(e, -E2BIG, "%s: the texts are too long together", file);
	buf_add_str(b, buf_str(&one));
	*ret = (struct lt_str){ b->p + at, one.n };
	return buf_addc(b, '\0');
}

/* Signs of Markdown would be read by everybody where a text is shown as it stands. */
static int plain_local(struct render *r, struct err *e)
{
	struct buf *b = &r->pc->own;
	struct buf plain CLEANUP_BUF;
	buf_init(&plain, 2 * DOC_TEXT_MAX);
	int rc = markdown_to_plain(r->local, &plain);
	struct str s = str_trim(buf_str(&plain));
	if (rc < 0 || b->n + s.n + 1 > b->cap)
		return err_set(e, -E2BIG, "local text: it is too long, or memory is out");
	r->local_plain = (struct str){ b->p + b->n, s.n };
	(void)buf_add_str(b, s);
	return buf_addc(b, '\0');
}

static void fill_known(struct render *r)
{
	const cJSON *v;
	r->known[r->n_known++] = "office.code";
	r->known[r->n_known++] = "local";
	cJSON_ArrayForEach(v, r->a->vars)
	{
		size_t i = r->pc->c.n_vars;
		if (i == VARS_MAX - 2 || !v->string || !cJSON_IsString(v))
			continue;
		struct buf b CLEANUP_BUF;
		buf_init(&b, sizeof(r->pc->names[0]));
		buf_addf(&b, "office.%s", v->string);
		if (b.failed)
			continue;
		str_copy(r->pc->names[i], sizeof(r->pc->names[i]), buf_str(&b));
		r->pc->vars[i] = (struct lt_pair){ .name = lt_z(r->pc->names[i]),
			.value = lt_z(v->valuestring) };
		r->known[r->n_known++] = r->pc->names[i];
		r->pc->c.n_vars++;
	}
	r->pc->c.vars = r->pc->vars;
}

/* What an article is made of does not depend on whether it is broadcast. */
static bool is_for(const struct mf_part *p, const struct doc_pair *option)
{
	return p->again == MF_AGAIN_BROADCAST ||
		strcmp(option->kind, chan_kind_name(BROADCAST_KIND)) != 0 ||
		(strcmp(option->key, "broadcast") != 0 && strcmp(option->key, "with") != 0);
}

static int fill_pairs(struct render *r, const struct doc_pairs *from, const char *file,
	struct lt_pair *to, size_t *n, struct err *e)
{
	const char *kind = chan_kind_name(r->a->kind);
	for (size_t i = 0; from && i < from->n && *n < TEXTS_MAX; i++) {
		const struct doc_pair *d = &from->v[i];
		if (strcmp(d->kind, kind) != 0 || (to == r->pc->opts && !is_for(r->a->part, d)))
			continue;
		to[*n] = (struct lt_pair){ .name = lt_z(d->key) };
		int rc = render(r, d->value, false, file, d->line, &to[*n].value, e);
		if (rc < 0)
			return rc;
		if (to == r->pc->texts && strcmp(d->key, "text") == 0)
			r->pc->c.text = to[*n].value;
		++*n;
	}
	return 0;
}

static bool carries(const struct content_ask *a, size_t i)
{
	const struct doc_asset *d = &a->doc->assets[i];
	if (!a->part->attach_set)
		return !d->part_only;
	if (d->role == DOC_COVER)
		return true;
	for (size_t k = 0; k < a->part->n_attach; k++)
		if (a->part->attach[k] == (int64_t)i)
			return true;
	return false;
}

static bool named_by_part(const struct content_ask *a, size_t i)
{
	for (size_t k = 0; a->part->attach_set && k < a->part->n_attach; k++)
		if (a->part->attach[k] == (int64_t)i)
			return true;
	return false;
}

static void fill_assets(struct plan_content *pc, const struct content_ask *a)
{
	for (size_t i = 0; i < a->doc->n_assets; i++) {
		const struct doc_asset *d = &a->doc->assets[i];
		if (!carries(a, i))
			continue;
		size_t n = pc->c.n_assets++;
		hash_hex(&d->hash, pc->ids[n]);
		pc->asset[n] = (struct lt_asset){ .struct_size = sizeof(struct lt_asset),
			.role = (uint32_t)d->role,
			.id = lt_z(pc->ids[n]),
			.content_type = lt_z(d->type),
			.alt = lt_z(d->alt),
			.caption = lt_z(d->caption),
			.credit = lt_z(d->credit),
			.filename = lt_z(doc_asset_name(d)),
			.bytes = d->bytes,
			.width = d->width,
			.height = d->height };
		pc->assets[n] = &pc->asset[n];
		/* What the part names to attach is handed over as a file, also where it is shown as a picture. */
		if (named_by_part(a, i))
			pc->opts[pc->c.n_opts++] = (struct lt_pair){ .name = lt_z("attach"),
				.value = pc->asset[n].id };
		if (d->role == DOC_COVER && d->crop != DOC_CROP_FIT)
			pc->opts[pc->c.n_opts++] = (struct lt_pair){ .name = lt_z("crop"),
				.value = lt_z(doc_crop_name(d->crop)) };
	}
	pc->c.assets = pc->assets;
}

/* "Văn bản số 1455/BHXH-TT, ngày 23/11/2026, người ký: ..." in the language of the text; empty: the release names no letter. */
static void ref_line(const struct release_doc *d, bool vietnamese, struct buf *ret)
{
	const char *date = d->ref_date; /* 2026-11-23 */
	if (!*d->ref_number && !*date && !*d->ref_signer)
		return;
	buf_addz(ret, vietnamese ? "Văn bản" : "Official letter");
	if (*d->ref_number)
		buf_addf(ret, vietnamese ? " số %s" : " No. %s", d->ref_number);
	if (*date && vietnamese)
		buf_addf(ret, "%s ngày %.2s/%.2s/%.4s", *d->ref_number ? "," : "", date + 8,
			date + 5, date);
	else if (*date)
		buf_addf(ret, " of %s", date);
	if (*d->ref_signer)
		buf_addf(ret, vietnamese ? ", người ký: %s" : ", signed by %s", d->ref_signer);
}

/* The letter that a release comes from stands behind its text (design 9: printed where set), as words and never as markup. */
static int add_ref(struct render *r, struct err *e)
{
	struct plan_content *pc = r->pc;
	struct buf *b = &pc->own, line CLEANUP_BUF, md CLEANUP_BUF;
	buf_init(&line, 8 * DOC_LINE_MAX);
	buf_init(&md, 64 * DOC_LINE_MAX);
	ref_line(r->a->doc, strncmp(pc->lang, "en", 2) != 0, &line);
	if (line.n == 0)
		return 0;
	buf_addz(&md, "\n\n");
	if (markdown_escape(&md, buf_str(&line)) < 0 || b->n + md.n + 2 > b->cap)
		return err_set(e, -E2BIG, "ref: the texts are too long together");
	b->n--; /* the body's end */
	buf_add_str(b, buf_str(&md));
	pc->c.body_markdown.n += md.n;
	return buf_addc(b, '\0');
}

/* The bundle's own; one that was set later stands in no file. */
static const char *local_file(const struct content_ask *a)
{
	for (size_t i = 0; i < a->doc->n_locals; i++)
		if (a->doc->locals[i].text == a->local)
			return a->doc->locals[i].file;
	return "local text";
}

static int fill_texts(struct render *r, const struct doc_variant *v, struct err *e)
{
	const struct release_doc *d = r->a->doc;
	struct plan_content *pc = r->pc;
	const char *file = v ? v->file : d->main_file;
	bool own_title = v && *v->title;
	struct lt_str local = { 0 };
	int rc = 0;
	if (*r->a->local) {
		rc = render(r, r->a->local, true, local_file(r->a), 1, &local, e);
		r->local = (struct str){ local.p, local.n };
		rc = rc ? rc : plain_local(r, e);
	}
	if (rc == 0)
		rc = own_title
			? render(r, v->title, false, file, v->line_title, &pc->c.title, e)
			: render(r, d->title, false, d->main_file, d->line_title, &pc->c.title, e);
	if (rc == 0) /* one in another language would stand above this text */
		rc = v ? render(r, v->summary, false, file, v->line_summary, &pc->c.summary, e)
		       : render(r, d->summary, false, file, d->line_summary, &pc->c.summary, e);
	if (rc == 0)
		rc = render(r, v ? v->body : d->body, true, file, v ? v->body_line : d->body_line,
			&pc->c.body_markdown, e);
	if (rc == 0)
		rc = add_ref(r, e);
	if (rc == 0)
		rc = fill_pairs(r, v ? v->texts : &d->texts, file, pc->texts, &pc->c.n_texts, e);
	if (rc == 0)
		rc = fill_pairs(r, &d->options, d->main_file, pc->opts, &pc->c.n_opts, e);
	pc->c.texts = pc->texts;
	pc->c.opts = pc->opts;
	pc->c.link = lt_z(v && *v->link ? v->link : d->link);
	return rc;
}

int64_t plan_part_time(const struct mf_part *p, int64_t now)
{
	return p->at.kind == WHEN_AT && p->at.ms > now ? p->at.ms : now;
}

int plan_content_new(const struct content_ask *a, struct plan_content **ret, struct err *e)
{
	CLEANUP(plan_content_free) struct plan_content *pc = x_calloc(1, sizeof(*pc));
	const struct doc_variant *v = *a->lang ? release_doc_variant(a->doc, str_of(a->lang))
					       : NULL;
	struct render r = { .a = a,
		.pc = pc,
		.lang = v ? v->lang : NULL,
		.local = STR(""),
		.local_plain = STR("") };
	size_t room = 4 *
			(strlen(a->doc->body) + (v ? strlen(v->body) : 0) + 2 * strlen(a->local)) +
		(512u << 10);
	buf_init(&pc->own, room + 1);
	if (buf_reserve(&pc->own, room) < 0)
		return err_set(e, -ENOMEM, "memory is out");
	str_copy(pc->form, sizeof(pc->form), str_of(a->form));
	str_copy(pc->lang, sizeof(pc->lang), str_of(v ? v->lang : a->doc->lang));
	pc->c = (struct lt_content){ .struct_size = sizeof(struct lt_content),
		.category = (uint32_t)a->doc->category,
		.lang = lt_z(pc->lang),
		.code = lt_z(a->doc->code),
		.address_kind = lt_z(pc->form),
		.at_ms = a->at_ms };
	fill_known(&r);
	fill_assets(pc, a);
	int rc = fill_texts(&r, v, e);
	if (rc < 0)
		return rc;
	*ret = MOVE(pc);
	return 0;
}

void plan_content_free(struct plan_content *c)
{
	if (!c)
		return;
	buf_done(&c->own);
	free(c);
}

const struct lt_content *plan_content_lt(const struct plan_content *c)
{
	return &c->c;
}

static bool pairs_have_local(const struct doc_pairs *p)
{
	bool has = false;
	for (size_t i = 0; p && i < p->n && !has; i++)
		has = template_uses(str_of(p->v[i].value), "local");
	return has;
}

bool plan_doc_has_local(const struct release_doc *d)
{
	bool has = template_uses(str_of(d->body), "local") || pairs_have_local(&d->texts);
	for (size_t i = 0; i < d->n_variants && !has; i++)
		has = template_uses(str_of(d->variants[i].body), "local") ||
			pairs_have_local(d->variants[i].texts);
	return has;
}

static void hash_str(struct hasher *h, struct lt_str s)
{
	hasher_field(h, s.p, s.n);
}

static void hash_pairs(struct hasher *h, const struct lt_pair *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		hash_str(h, p[i].name);
		hash_str(h, p[i].value);
	}
}

/* Equal bytes may stand there twice, with other names and captions. */
static void hash_asset(struct hasher *h, const struct lt_asset *a)
{
	const struct lt_str all[] = { a->id, a->content_type, a->alt, a->caption, a->credit,
		a->filename };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		hash_str(h, all[i]);
	hasher_field(h, &a->role, sizeof(a->role));
	hasher_field(h, &a->bytes, sizeof(a->bytes));
	hasher_field(h, &a->width, sizeof(a->width));
	hasher_field(h, &a->height, sizeof(a->height));
}

void plan_content_input(const struct plan_content *pc, const struct mf_sender *s, struct hash *ret)
{
	const struct lt_content *c = &pc->c;
	int64_t day = (c->at_ms + VN_MS) / WHEN_DAY_MS;
	struct hasher h;
	size_t sizes[] = { c->n_vars, c->n_texts, c->n_opts, c->n_assets };
	hasher_init(&h);
	hasher_field(&h, s->channel.p, s->channel.n);
	hasher_field(&h, s->account.p, s->account.n);
	hasher_field(&h, sizes, sizeof(sizes));
	const struct lt_str all[] = { c->title, c->summary, c->body_markdown, c->text, c->link,
		c->lang, c->code, c->address_kind };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		hash_str(&h, all[i]);
	hasher_field(&h, &c->category, sizeof(c->category));
	hasher_field(&h, &day, sizeof(day));
	hash_pairs(&h, c->vars, c->n_vars);
	hash_pairs(&h, c->texts, c->n_texts);
	hash_pairs(&h, c->opts, c->n_opts);
	for (size_t i = 0; i < c->n_assets; i++)
		hash_asset(&h, c->assets[i]);
	hasher_end(&h, ret);
}
