/* markdown_internal.h - shared by the files that walk cmark's tree. */
#ifndef LANTOA_CONTENT_MARKDOWN_INTERNAL_H
#define LANTOA_CONTENT_MARKDOWN_INTERNAL_H

#include <cmark.h>

#include "base/buf.h"

#define MD_OPTIONS    (CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8)
#define MD_DEPTH_MAX  40 /* levels of lists and quotes; deeper ones are shown at this depth */
#define CLEANUP_CMARK __attribute__((cleanup(markdown_free_doc)))

static inline void markdown_free_doc(cmark_node **n)
{
	if (*n != NULL)
		cmark_node_free(*n);
}
/* The inline content of a block as plain text; alt texts of pictures only where `images`. */
void markdown_add_inlines(struct buf *b, cmark_node *block, bool images);

#endif
