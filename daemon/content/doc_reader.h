/* doc_reader.h - reads a map of the front matter by a table of keys into a struct. Every reader adds a problem with file,
 * line and field, and goes on, so that one pass shows all that is wrong. Internal to content; pure.
 */
#ifndef LANTOA_CONTENT_DOC_READER_H
#define LANTOA_CONTENT_DOC_READER_H

#include "content/doc_arena.h"
#include "content/problem.h"
#include "content/release_doc.h"
#include "content/yaml_tree.h"

struct doc_reader {
	struct doc_arena *arena;
	struct content_problems *p;
	const char *file;
	const struct zone *zone;
	const struct doc_source *src;
	struct release_doc *doc;
	bool rebuild;  /* from the store: no look at files, kinds are taken as they are */
	char path[64]; /* "parts.public."; what stands before a field's name */
};

struct doc_key;
typedef void doc_read_fn(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst);
struct doc_key {
	const char *name;
	doc_read_fn *read;
	size_t offset;   /* of the member in the struct that is filled */
	const void *arg; /* for the reader: table of words, ... */
	size_t limit;    /* for the reader: most bytes, or most entries */
};
struct doc_word { /* a word of an enum; the table ends with NULL */
	const char *word;
	int value;
};

/* Fills base by the rows. A key without row goes to `other`; when that is NULL or says false, it is refused with the
 * nearest right name. */
typedef bool doc_other_fn(struct doc_reader *r, const struct yaml_node *n, void *ctx);
void doc_read_map(struct doc_reader *r, const struct yaml_node *map, const struct doc_key *rows,
	size_t n_rows, void *base, doc_other_fn *other, void *ctx);
const struct doc_key *doc_find_key(const struct doc_key *rows, size_t n, const char *name);

doc_read_fn
	doc_read_line; /* const char *: one line of at most limit (0: DOC_LINE_MAX) bytes, trimmed, not empty */
doc_read_fn doc_read_text; /* const char *: several lines */
doc_read_fn doc_read_bool;
doc_read_fn doc_read_word;     /* int: arg is a table of struct doc_word */
doc_read_fn doc_read_duration; /* int64_t ms */
doc_read_fn doc_read_when;     /* struct when */
doc_read_fn doc_read_date;     /* const char *, as 2026-11-23 */
doc_read_fn doc_read_link;     /* const char *: http or https */
doc_read_fn doc_read_name;     /* const char *: a-z 0-9 - _ */
doc_read_fn doc_read_node;     /* const struct yaml_node *: read later */

/* Line of the text behind a key; `otherwise` when the map has no such key. */
int doc_line_of_key(const struct yaml_node *map, const char *key, int otherwise);
bool doc_is_null(const struct yaml_node *n);
bool doc_bool_of(const struct yaml_node *n, bool *ret); /* yes/no/true/false */
bool doc_name_ok(struct str s, size_t max);
/* One text node as a clean line; NULL after a problem. */
const char *doc_line_of(
	struct doc_reader *r, const struct yaml_node *n, const char *field, size_t max);
void doc_fault(struct doc_reader *r, const struct yaml_node *n, const char *field, const char *fmt,
	...) PRINTF_LIKE(4, 5);
void doc_warn(struct doc_reader *r, const struct yaml_node *n, const char *field, const char *fmt,
	...) PRINTF_LIKE(4, 5);
/* "; did you mean 'x'?" or "; known are a, b, c" into dst; returns dst. */
const char *doc_suggest(char *dst, size_t size, struct str s, const char *const *words, size_t n);

#endif
