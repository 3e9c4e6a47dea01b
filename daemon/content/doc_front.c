/* doc_front.c - the main front matter: one row per key. Pure. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "content/doc_internal.h"

static const struct doc_word kind_words[] = { { "press_release", RK_PRESS_RELEASE },
	{ "infographic", RK_INFOGRAPHIC }, { "notice", RK_NOTICE }, { "video", RK_VIDEO },
	{ NULL, 0 } };
static const struct doc_word category_words[] = { { "emergency", CAT_EMERGENCY },
	{ "public_notice", CAT_PUBLIC_NOTICE }, { "internal", CAT_INTERNAL },
	{ "advertising", CAT_ADVERTISING }, { NULL, 0 } };
static const struct doc_word priority_words[] = { { "urgent", PRIO_URGENT },
	{ "normal", PRIO_NORMAL }, { "bulk", PRIO_BULK }, { NULL, 0 } };

struct front {
	int kind, category, priority; /* priority -1: not said */
	const char *code, *title, *summary, *link, *campaign, *lang;
	const char *ref_number, *ref_date, *ref_signer;
	const struct yaml_node *ref, *parts, *text;
	struct doc_asset_nodes assets;
	struct doc_part_in *single;
	const struct yaml_node *first_part_key; /* a part's key on the top level */
};

/* Letters of any script, digits, and - / . _ between them. */
static const char *code_fault(const char *z)
{
	struct str rest = str_of(z);
	int32_t cp = 0, last = '/';
	bool letter = false;
	if (strstr(z, "..") != NULL)
		return "holds '..'";
	while (utf8_next(&rest, &cp)) {
		utf8proc_category_t cat = utf8proc_category(cp);
		bool is_letter = cat == UTF8PROC_CATEGORY_LU || cat == UTF8PROC_CATEGORY_LL ||
			cat == UTF8PROC_CATEGORY_LO;
		bool word = is_letter || (cp >= '0' && cp <= '9');
		if (!word && cp != '-' && cp != '/' && cp != '.' && cp != '_')
			return "may hold letters, digits, and - / . _ between them only";
		if (!word && (last == '/' || last == '-' || last == '.' || last == '_'))
			return "must begin with a letter or digit, and have one between two signs";
		letter = letter || is_letter;
		last = cp;
	}
	if (last == '/' || last == '-' || last == '.' || last == '_')
		return "must end with a letter or digit";
	return letter ? NULL : "must hold a letter: a plain number names a delivery";
}

static void read_code(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	const char *z = doc_line_of(r, n, k->name, DOC_CODE_MAX);
	const char *wrong = z == NULL ? NULL : code_fault(z);
	if (wrong != NULL)
		doc_fault(r, n, k->name,
			"code '%s' %s; write for example TTBC-2026-112 or 1455/BHXH-TT", z, wrong);
	else if (z != NULL)
		*(const char **)dst = z;
}

#define ROW(name, fn, member, arg, limit)                            \
	{                                                            \
		name, fn, offsetof(struct front, member), arg, limit \
	}
static const struct doc_key front_keys[] = {
	ROW("code", read_code, code, NULL, 0),
	ROW("kind", doc_read_word, kind, kind_words, 0),
	ROW("category", doc_read_word, category, category_words, 0),
	ROW("title", doc_read_line, title, NULL, 500),
	ROW("summary", doc_read_line, summary, NULL, 2000),
	ROW("link", doc_read_link, link, NULL, 500),
	ROW("ref", doc_read_node, ref, NULL, 0),
	ROW("cover", doc_read_node, assets.cover, NULL, 0),
	ROW("images", doc_read_node, assets.images, NULL, 0),
	ROW("attachments", doc_read_node, assets.attachments, NULL, 0),
	ROW("video", doc_read_node, assets.video, NULL, 0),
	ROW("campaign", doc_read_name, campaign, NULL, 80),
	ROW("priority", doc_read_word, priority, priority_words, 0),
	ROW("lang", doc_read_line, lang, NULL, 20),
	ROW("parts", doc_read_node, parts, NULL, 0),
	ROW("text", doc_read_node, text, NULL, 0),
};
static const struct doc_key ref_keys[] = {
	ROW("number", doc_read_line, ref_number, NULL, 200),
	ROW("date", doc_read_date, ref_date, NULL, 0),
	ROW("signer", doc_read_line, ref_signer, NULL, 200),
};

size_t doc_kind_names(const struct doc_reader *r, const char **names, size_t max)
{
	size_t n = 0;
	for (int k = 1; k <= KIND_MAX && n < max; k++) {
		const char *z = chan_kind_name(k);
		if (z != NULL)
			names[n++] = z;
	}
	for (size_t i = 0; i < r->src->n_kinds && n < max; i++)
		names[n++] = r->src->kinds[i];
	return n;
}

bool doc_kind_known(const struct doc_reader *r, struct str kind)
{
	const char *names[DOC_KINDS_MAX];
	size_t n = doc_kind_names(r, names, DOC_KINDS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (str_eqz(kind, names[i]))
			return true;
	}
	return r->rebuild && doc_name_ok(kind, DOC_NAME_MAX);
}

static bool other_key(struct doc_reader *r, const struct yaml_node *n, void *ctx)
{
	struct front *f = ctx;
	if (doc_part_read_key(r, n, f->single)) {
		if (f->first_part_key == NULL)
			f->first_part_key = n;
		return true;
	}
	return doc_options_read(r, n);
}

static void read_ref(struct doc_reader *r, struct front *f)
{
	if (f->ref == NULL)
		return;
	if (f->ref->type != YAML_MAP) {
		doc_fault(r, f->ref, "ref",
			"must be a map: ref: {number: ..., date: ..., signer: ...}");
		return;
	}
	(void)snprintf(r->path, sizeof(r->path), "ref.");
	doc_read_map(r, f->ref, ref_keys, ARRAY_LEN(ref_keys), f, NULL, NULL);
	r->path[0] = '\0';
}

static const char *or_empty(const char *z)
{
	return z == NULL ? "" : z;
}

static void fill_doc(struct release_doc *d, const struct front *f)
{
	d->code = or_empty(f->code);
	d->kind = (enum release_kind)f->kind;
	d->category = (enum category)f->category;
	d->priority_set = f->priority >= 0;
	d->priority = d->priority_set ? (enum prio)f->priority : PRIO_NORMAL;
	d->title = or_empty(f->title);
	d->summary = or_empty(f->summary);
	d->link = or_empty(f->link);
	d->campaign = or_empty(f->campaign);
	d->lang = f->lang == NULL ? "vi" : f->lang;
	d->ref_number = or_empty(f->ref_number);
	d->ref_date = or_empty(f->ref_date);
	d->ref_signer = or_empty(f->ref_signer);
}

static void want_key(
	struct doc_reader *r, const struct yaml_node *map, const char *key, const char *what)
{
	struct yaml_node at = { .line = 1 };
	if (doc_line_of_key(map, key, 0) ==
		0) /* else it is said, perhaps wrongly: that has its own problem */
		doc_fault(r, &at, key, "is missing: %s", what);
}

void doc_front_read(struct doc_reader *r, const struct yaml_node *map)
{
	struct front f = {
		.kind = RK_PRESS_RELEASE, .category = CAT_PUBLIC_NOTICE, .priority = -1
	};
	f.single = doc_part_in_new(r);
	if (f.single == NULL)
		return;
	doc_read_map(r, map, front_keys, ARRAY_LEN(front_keys), &f, other_key, &f);
	want_key(r, map, "code", "such as TTBC-2026-112");
	want_key(r, map, "title", "every release has one");
	read_ref(r, &f);
	if (f.lang != NULL && !doc_lang_ok(str_of(f.lang))) {
		struct yaml_node at = { .line = doc_line_of_key(map, "lang", 1) };
		doc_fault(
			r, &at, "lang", "'%s' is no language; write for example vi or en", f.lang);
	}
	fill_doc(r->doc, &f);
	r->doc->line_title = doc_line_of_key(map, "title", 1);
	r->doc->line_summary = doc_line_of_key(map, "summary", 1);
	r->doc->line_link = doc_line_of_key(map, "link", 1);
	doc_assets_read(r, &f.assets);
	if (f.text != NULL)
		doc_texts_read(r, f.text, &r->doc->texts);
	if (f.parts != NULL && f.first_part_key != NULL)
		doc_fault(r, f.first_part_key, f.first_part_key->key,
			"stands beside parts; it belongs into one of them");
	doc_parts_read(r, f.parts, f.single, f.first_part_key == NULL ? 1 : f.first_part_key->line);
}
