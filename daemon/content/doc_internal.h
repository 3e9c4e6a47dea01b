/* doc_internal.h - what the files that parse a release share. Internal to content. */
#ifndef LANTOA_CONTENT_DOC_INTERNAL_H
#define LANTOA_CONTENT_DOC_INTERNAL_H

#include "content/doc_reader.h"

/* doc_front.c: the main front matter into r->doc; false when errors were added. */
void doc_front_read(struct doc_reader *r, const struct yaml_node *map);
bool doc_kind_known(const struct doc_reader *r, struct str kind);
size_t doc_kind_names(const struct doc_reader *r, const char **names, size_t max);

/* doc_pairs.c */
void doc_texts_read(struct doc_reader *r, const struct yaml_node *map, struct doc_pairs *ret);
/* `zalo: {broadcast: no}`: false when the key is no kind. */
bool doc_options_read(struct doc_reader *r, const struct yaml_node *n);

/* doc_asset.c */
struct doc_asset_nodes {
	const struct yaml_node *cover, *images, *attachments, *video;
};
void doc_assets_read(struct doc_reader *r, const struct doc_asset_nodes *n);
int doc_asset_attach(struct doc_reader *r, const struct yaml_node *n,
	const char *field); /* index, or -1 after a problem */

/* doc_part.c */
struct doc_part_in;
struct doc_part_in *doc_part_in_new(struct doc_reader *r); /* in the arena; NULL: memory is out */
bool doc_part_read_key(struct doc_reader *r, const struct yaml_node *n,
	struct doc_part_in *in); /* false: no key of a part */
void doc_parts_read(struct doc_reader *r, const struct yaml_node *parts /* or NULL */,
	struct doc_part_in *single, int single_line);

/* doc_cast.c: the parts that broadcast what the others publish, behind them. Before doc_check_parts. */
void doc_cast_parts(struct doc_reader *r);

/* doc_check.c */
void doc_check_parts(struct doc_reader *r);
void doc_check_texts(struct doc_reader *r);

/* doc_variant.c */
bool doc_lang_ok(struct str s);
void doc_variants_read(struct doc_reader *r);
void doc_locals_read(struct doc_reader *r);

/* doc_warn.c: what editors fear, in one text; offset by its first line. */
void doc_warn_text(
	struct content_problems *p, const char *file, int line, const char *field, struct str text);

/* release_doc.c */
enum {
	DOC_PARSE_REBUILD = 1, /* from the store */
	DOC_PARSE_KEEP = 2     /* with -EINVAL *ret is what could be read, for further checks */
};
int doc_parse(const struct doc_source *src, unsigned how, struct release_doc **ret,
	struct content_problems *p) MUST_CHECK;
/* doc_text_clean into the arena; NULL after a problem. */
const char *doc_clean_into(
	struct doc_reader *r, const struct doc_file *f, size_t max, size_t *ret_n);

#endif
