/* doc_asset.c - cover, images, attachments and videos of the front matter, in the manifest's order. Pure. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "content/bundle.h"
#include "content/doc_internal.h"

static const struct doc_word crops[] = { { "fit", DOC_CROP_FIT }, { "top", DOC_CROP_TOP },
	{ "none", DOC_CROP_NONE }, { NULL, 0 } };

/* A file of the bundle by its path in the front matter. */
static void read_file(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	char says[400];
	const char *z = doc_line_of(r, n, k->name, 0);
	if (z == NULL)
		return;
	const char *wrong = bundle_path_fault(str_of(z));
	if (wrong != NULL) {
		doc_fault(r, n, k->name, "path '%.200s' %s", z, wrong);
		return;
	}
	bool found = r->rebuild || r->src->files == NULL;
	for (size_t i = 0; !found && i < r->src->n_files; i++)
		found = strcmp(r->src->files[i], z) == 0;
	if (!found) {
		doc_fault(r, n, k->name, "file '%.200s' is not in the bundle%s", z,
			r->src->n_files == 0 ? " (it has no files)"
					     : doc_suggest(says, sizeof(says), str_of(z),
						       r->src->files, r->src->n_files));
		return;
	}
	*(const char **)dst = z;
}

struct asset_in {
	const char *file, *poster, *captions, *alt, *caption, *credit;
	const struct yaml_node *poster_node, *captions_node;
	int crop;
	bool internal;
};
#define ROW(name, fn, member, arg, limit)                               \
	{                                                               \
		name, fn, offsetof(struct asset_in, member), arg, limit \
	}
static const struct doc_key cover_keys[] = { ROW("file", read_file, file, NULL, 0),
	ROW("alt", doc_read_line, alt, NULL, 0), ROW("crop", doc_read_word, crop, crops, 0),
	ROW("caption", doc_read_line, caption, NULL, 0),
	ROW("credit", doc_read_line, credit, NULL, 0) };
static const struct doc_key image_keys[] = { ROW("file", read_file, file, NULL, 0),
	ROW("alt", doc_read_line, alt, NULL, 0), ROW("caption", doc_read_line, caption, NULL, 0),
	ROW("credit", doc_read_line, credit, NULL, 0),
	ROW("internal", doc_read_bool, internal, NULL, 0) };
static const struct doc_key attachment_keys[] = { ROW("file", read_file, file, NULL, 0),
	ROW("alt", doc_read_line, alt, NULL, 0), ROW("caption", doc_read_line, caption, NULL, 0),
	ROW("internal", doc_read_bool, internal, NULL, 0) };
static const struct doc_key video_keys[] = { ROW("file", read_file, file, NULL, 0),
	ROW("poster", read_file, poster, NULL, 0), ROW("captions", read_file, captions, NULL, 0),
	ROW("alt", doc_read_line, alt, NULL, 0), ROW("caption", doc_read_line, caption, NULL, 0),
	ROW("credit", doc_read_line, credit, NULL, 0),
	ROW("internal", doc_read_bool, internal, NULL, 0) };

static int push_asset(struct doc_reader *r, const struct yaml_node *n, enum doc_role role,
	const char *file, const struct asset_in *in)
{
	struct release_doc *d = r->doc;
	if (d->n_assets == DOC_ASSETS_MAX) {
		doc_fault(r, n, "", "more than %d files in one release", DOC_ASSETS_MAX);
		return -1;
	}
	struct doc_asset *a = &d->assets[d->n_assets];
	*a = (struct doc_asset){ .role = role,
		.owner = -1,
		.line = n->line,
		.file = file,
		.alt = "",
		.caption = "",
		.credit = "",
		.type = "" };
	if (in != NULL) {
		a->crop = (enum doc_crop)in->crop;
		a->internal = in->internal;
		a->alt = in->alt == NULL ? "" : in->alt;
		a->caption = in->caption == NULL ? "" : in->caption;
		a->credit = in->credit == NULL ? "" : in->credit;
	}
	return (int)d->n_assets++;
}

static bool is_listed(const struct release_doc *d, enum doc_role role, const char *file)
{
	for (size_t i = 0; i < d->n_assets; i++) {
		if (d->assets[i].role == role && strcmp(d->assets[i].file, file) == 0)
			return true;
	}
	return false;
}

static void push_video_extras(
	struct doc_reader *r, const struct yaml_node *n, int video, const struct asset_in *in)
{
	struct asset_in bare = { .internal = in->internal };
	int i = in->poster == NULL ? -1 : push_asset(r, n, DOC_POSTER, in->poster, &bare);
	if (i >= 0)
		r->doc->assets[i].owner = video;
	i = in->captions == NULL ? -1 : push_asset(r, n, DOC_CAPTIONS, in->captions, &bare);
	if (i >= 0)
		r->doc->assets[i].owner = video;
}

static void read_one(struct doc_reader *r, const struct yaml_node *n, const char *field,
	enum doc_role role, const struct doc_key *rows, size_t n_rows)
{
	struct asset_in in = { 0 };
	size_t len = strlen(r->path), errors = r->p->errors;
	(void)snprintf(r->path + len, sizeof(r->path) - len, "%s.", field);
	if (n->type == YAML_MAP)
		doc_read_map(r, n, rows, n_rows, &in, NULL, NULL);
	else if (n->type == YAML_TEXT)
		read_file(r, n, &rows[0], &in.file);
	else
		doc_fault(r, n, "file", "a file name or {file: ..., alt: ...} is wanted here");
	if (in.file == NULL && r->p->errors == errors)
		doc_fault(r, n, "file", "is missing");
	if (in.file != NULL && is_listed(r->doc, role, in.file)) {
		doc_fault(r, n, "file", "'%.200s' is listed twice", in.file);
		in.file = NULL;
	}
	if (in.file != NULL) {
		bool picture = role == DOC_COVER || role == DOC_IMAGE;
		if (picture && in.alt == NULL && !r->rebuild)
			doc_warn(r, n, "alt",
				"'%.200s' has no alt text; people who cannot see it get nothing",
				in.file);
		int i = push_asset(r, n, role, in.file, &in);
		if (i >= 0 && role == DOC_VIDEO_FILE)
			push_video_extras(r, n, i, &in);
	}
	r->path[len] = '\0';
}

static void read_list(struct doc_reader *r, const struct yaml_node *list, const char *field,
	enum doc_role role, const struct doc_key *rows, size_t n_rows)
{
	char name[48];
	int i = 1;
	if (list->type != YAML_LIST) {
		read_one(r, list, field, role, rows, n_rows);
		return;
	}
	for (const struct yaml_node *c = list->first;
		c != NULL && r->doc->n_assets < DOC_ASSETS_MAX; c = c->next) {
		(void)snprintf(name, sizeof(name), "%s[%d]", field, i++);
		read_one(r, c, name, role, rows, n_rows);
	}
	if (list->n > DOC_ASSETS_MAX)
		doc_fault(r, list, field, "more than %d files in one release", DOC_ASSETS_MAX);
}

void doc_assets_read(struct doc_reader *r, const struct doc_asset_nodes *n)
{
	if (n->cover != NULL)
		read_one(r, n->cover, "cover", DOC_COVER, cover_keys, ARRAY_LEN(cover_keys));
	if (n->images != NULL)
		read_list(r, n->images, "images", DOC_IMAGE, image_keys, ARRAY_LEN(image_keys));
	if (n->attachments != NULL)
		read_list(r, n->attachments, "attachments", DOC_ATTACHMENT, attachment_keys,
			ARRAY_LEN(attachment_keys));
	if (n->video != NULL)
		read_list(r, n->video, "video", DOC_VIDEO_FILE, video_keys, ARRAY_LEN(video_keys));
}

int doc_asset_attach(struct doc_reader *r, const struct yaml_node *n, const char *field)
{
	static const enum doc_role order[] = { DOC_ATTACHMENT, DOC_IMAGE, DOC_COVER,
		DOC_VIDEO_FILE };
	struct doc_key k = { .name = field };
	const char *file = NULL;
	struct release_doc *d = r->doc;
	read_file(r, n, &k, &file);
	if (file == NULL)
		return -1;
	for (size_t o = 0; o < ARRAY_LEN(order); o++) {
		for (size_t i = 0; i < d->n_assets; i++) {
			if (d->assets[i].role == order[o] && strcmp(d->assets[i].file, file) == 0)
				return (int)i;
		}
	}
	int i = push_asset(r, n, DOC_ATTACHMENT, file, NULL);
	if (i >= 0)
		d->assets[i].part_only = true;
	return i;
}
