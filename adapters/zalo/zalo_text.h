/* zalo_text.h - characters, not bytes; and the walk from Markdown to the body blocks of an article.
 * Thread: any, pure. Owns: nothing but the buffers given. Failures: a buffer that is full says so itself. */
#ifndef LANTOA_ZALO_TEXT_H
#define LANTOA_ZALO_TEXT_H

#include "zalo.h"

size_t zalo_chars(struct lt_str s);
/* At most `max` characters, cut at a space where there is one near, with an ellipsis; s itself when it fits. dst: 4 * max + 4 bytes. */
struct lt_str zalo_shorten(struct lt_str s, size_t max, char *dst, size_t size);
/* One line: runs of blanks and control characters become one space. */
struct lt_str zalo_one_line(struct lt_str s, char *dst, size_t size);
void zalo_add_one_line(struct ltc_buf *b, struct lt_str s); /* the same, however long */
/* Equal to a reader: case of ASCII, blanks and their number do not count. */
bool zalo_same_title(struct lt_str a, struct lt_str b);
/* "[@id]" would call people in a group: it is broken up. */
void zalo_add_unmentioned(struct ltc_buf *b, struct lt_str s);

void zalo_add_html(struct ltc_buf *b, struct lt_str s); /* <, > and & as entities */
/* What a reader sees of <p>, <b>, <i> and our entities: a line a paragraph. */
void zalo_add_seen(struct ltc_buf *b, struct lt_str html);

/* Blocks of a body as they are found: text is HTML of <p>, <b>, <i>; image is the name of a file of the release. */
struct zalo_blocks {
	void *ctx;
	int (*text)(void *ctx, struct lt_str html);
	int (*image)(void *ctx, struct lt_str file, struct lt_str alt);
};
/* Negative: a block was refused, or -LT_E_FULL. */
int zalo_body_walk(struct lt_str markdown, const struct zalo_blocks *to);
/* The same as plain text, for previews and messages. */
int zalo_body_plain(struct lt_str markdown, struct ltc_buf *out);

#endif
