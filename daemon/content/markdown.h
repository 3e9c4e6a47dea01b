/* markdown.h - CommonMark through cmark in safe mode: to readable plain text, to a list of blocks, and its pictures.
 * Pure and thread-safe. Raw HTML is dropped, never passed on. Input: valid UTF-8 of at most DOC_TEXT_MAX bytes.
 */
#ifndef LANTOA_CONTENT_MARKDOWN_H
#define LANTOA_CONTENT_MARKDOWN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define MARKDOWN_BLOCKS_MAX 5000

enum block_kind {
	BLOCK_HEADING = 1,
	BLOCK_PARAGRAPH = 2,
	BLOCK_ITEM = 3,
	BLOCK_IMAGE = 4,
	BLOCK_QUOTE = 5,
	BLOCK_CODE = 6,
	BLOCK_RULE = 7
};
struct block {
	enum block_kind kind;
	int level;  /* heading 1-6; list depth from 1; else 0 */
	int number; /* of an ordered item; 0 else */
	int line;
	char *text; /* owned; plain text of the block; alt text of an image */
	char *url;  /* owned; image only */
};
struct blocks {
	struct block *v;
	size_t n;
};
/* Appends to ret. Lists as "- ", links as "text (url)", emphasis dropped, blocks apart by an empty line. 0, -E2BIG, -ENOMEM. */
int markdown_to_plain(struct str md, struct buf *ret) MUST_CHECK;
int markdown_to_blocks(struct str md, struct blocks *ret) MUST_CHECK; /* 0, -E2BIG, -ENOMEM */
void blocks_done(struct blocks *b);
/* Escapes text so that CommonMark shows it as it is. */
int markdown_escape(struct buf *b, struct str text) MUST_CHECK;
/* Calls fn for each picture; line counts from 1 within md. */
int markdown_each_image(struct str md,
	void (*fn)(void *ctx, int line, const char *url, const char *alt), void *ctx) MUST_CHECK;
/* Calls fn for each text, address and title that a reader or a provider will get, with &#27; and its like resolved. */
int markdown_each_text(
	struct str md, void (*fn)(void *ctx, int line, const char *text), void *ctx) MUST_CHECK;
/* The same for each block and each tag of HTML. */
int markdown_each_html(
	struct str md, void (*fn)(void *ctx, int line, const char *html), void *ctx) MUST_CHECK;

#endif
