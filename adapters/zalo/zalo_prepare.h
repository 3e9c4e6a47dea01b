/* zalo_prepare.h - the form of a prepared payload, made by prepare and read by the op.
 * First piece: lines "name value", an empty line behind them. What follows depends on `kind`:
 *   oa     the members of an article as JSON without braces; an asset piece stands for its public address
 *   cast   nothing: the articles of a broadcast are lt_work.ids
 *   text   the text of a message, plain
 *   zns    nothing, then the object template_data
 * Lines: kind, title (one line), cast (JSON of the target of a broadcast), image and file (asset bytes type name: messages of
 * their own; bytes 0: by public address). A payload without that first line is a plain text. */
#ifndef LANTOA_ZALO_PREPARE_H
#define LANTOA_ZALO_PREPARE_H

#include "zalo_text.h"

#define ZALO_MAGIC "lantoa-zalo 1\n"
enum { ROLE_COVER = 1, ROLE_IMAGE = 2, ROLE_ATTACHMENT = 3, ROLE_VIDEO = 4 }; /* lt_asset.role */

struct zalo_make { /* one prepare */
	const struct zalo_conf *conf;
	const struct lt_content *in;
	struct lt_sink *sink;
	struct ltc_buf out; /* the piece under construction */
	struct lt_str title, office;
	bool used[64]; /* assets that stand in the body */
	size_t pictures;
	bool first_block, trouble;
	int rc;
};
void zalo_flush_piece(struct zalo_make *m);
void zalo_problem(struct zalo_make *m, int severity, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct lt_str zalo_text_of(const struct zalo_make *m, const char *name); /* override of this kind */
bool zalo_option(const struct zalo_make *m, const char *name);
/* Fits a picture; its id, or absent after a problem. *same: it is the original. */
struct lt_str zalo_picture(struct zalo_make *m, const struct lt_asset *a, const char *spec,
	const char *what, bool *same);
void zalo_preview(struct zalo_make *m, const char *label, struct lt_str text); /* a line */
void zalo_prepare_article(struct zalo_make *m);
void zalo_prepare_cast(struct zalo_make *m);
void zalo_prepare_message(struct zalo_make *m);
void zalo_prepare_zns(struct zalo_make *m);

#endif
