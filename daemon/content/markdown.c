/* markdown.c - CommonMark to plain text, to blocks, to its pictures; and the escape. Pure: cmark keeps no state. */
#include "content/markdown.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "content/markdown_internal.h"

#define URL_TEXT_MAX 2000

static const char *z_or_empty(const char *z)
{
	return z == NULL ? "" : z;
}

/* Only addresses that a reader could open; javascript: and data: are dropped as cmark's safe mode does. */
static bool url_shown(const char *url)
{
	struct str s = str_of(url);
	return s.n > 0 && s.n <= URL_TEXT_MAX &&
		(str_starts(s, "http://") || str_starts(s, "https://") ||
			str_starts(s, "mailto:") || str_starts(s, "tel:"));
}

static void end_link(struct buf *b, cmark_node *n, size_t from)
{
	const char *url = z_or_empty(cmark_node_get_url(n));
	const char *bare = str_starts(str_of(url), "mailto:") ? url + 7 : url;
	struct str text = { b->p == NULL ? "" : b->p + from, b->n - from };
	if (!url_shown(url) || str_eqz(text, url) || str_eqz(text, bare))
		return;
	(void)buf_addf(b, "%s(%s)", text.n == 0 ? "" : " ", bare);
}

void markdown_add_inlines(struct buf *b, cmark_node *block, bool images)
{
	size_t link_from[MD_DEPTH_MAX];
	size_t links = 0;
	cmark_iter *it = cmark_iter_new(block);
	cmark_event_type ev;
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		cmark_node_type t = cmark_node_get_type(n);
		if (t == CMARK_NODE_TEXT || t == CMARK_NODE_CODE)
			(void)buf_addz(b, z_or_empty(cmark_node_get_literal(n)));
		else if (t == CMARK_NODE_SOFTBREAK)
			(void)buf_addc(b, ' ');
		else if (t == CMARK_NODE_LINEBREAK)
			(void)buf_addc(b, '\n');
		else if (t == CMARK_NODE_LINK && ev == CMARK_EVENT_ENTER && links < MD_DEPTH_MAX)
			link_from[links++] = b->n;
		else if (t == CMARK_NODE_LINK && ev == CMARK_EVENT_EXIT && links > 0)
			end_link(b, n, link_from[--links]);
		else if (t == CMARK_NODE_IMAGE && ev == CMARK_EVENT_ENTER && !images)
			cmark_iter_reset(it, n, CMARK_EVENT_EXIT);
	}
	cmark_iter_free(it);
}

/* --- plain text ------------------------------------------------------------------------------------------------------------ */

struct plain {
	struct buf *b;
	int depth, quotes;        /* of lists; of quotes */
	int number[MD_DEPTH_MAX]; /* next number of the list at this depth; 0: bullets */
	bool tight, first_in_item;
};

static void begin_block(struct plain *p, bool tight)
{
	if (p->b->n > 0)
		(void)buf_addz(p->b, tight ? "\n" : "\n\n");
	for (int i = 0; i < p->quotes; i++)
		(void)buf_addz(p->b, "> ");
}

static void indent(struct plain *p, int levels)
{
	for (int i = 0; i < levels; i++)
		(void)buf_addz(p->b, "  ");
}

static void begin_text_block(struct plain *p)
{
	if (p->first_in_item) {
		p->first_in_item = false;
		return;
	}
	begin_block(p, false);
	indent(p, p->depth);
}

static void begin_item(struct plain *p, cmark_node *n)
{
	int d = p->depth < MD_DEPTH_MAX ? p->depth - 1 : MD_DEPTH_MAX - 1;
	bool first = cmark_node_previous(n) == NULL;
	begin_block(p, first ? p->depth > 1 : p->tight);
	indent(p, p->depth - 1);
	if (p->number[d] > 0)
		(void)buf_addf(p->b, "%d. ", p->number[d]++);
	else
		(void)buf_addz(p->b, "- ");
	p->first_in_item = true;
}

static void begin_list(struct plain *p, cmark_node *n)
{
	int d = p->depth < MD_DEPTH_MAX ? p->depth : MD_DEPTH_MAX - 1;
	bool ordered = cmark_node_get_list_type(n) == CMARK_ORDERED_LIST;
	int start = ordered ? cmark_node_get_list_start(n) : 0;
	p->number[d] = ordered && start < 1 ? 1 : start;
	p->tight = cmark_node_get_list_tight(n) != 0;
	p->depth++;
	p->first_in_item = false;
}

static void add_code(struct plain *p, cmark_node *n)
{
	struct str rest = str_of(z_or_empty(cmark_node_get_literal(n))), line;
	begin_text_block(p);
	for (bool first = true; str_line(&rest, &line); first = false) {
		if (!first)
			(void)buf_addc(p->b, '\n');
		indent(p, p->depth);
		(void)buf_add_str(p->b, line);
	}
}

static void plain_enter(struct plain *p, cmark_node *n, cmark_iter *it)
{
	switch ((int)cmark_node_get_type(n)) {
	case CMARK_NODE_LIST: begin_list(p, n); break;
	case CMARK_NODE_ITEM: begin_item(p, n); break;
	case CMARK_NODE_BLOCK_QUOTE: p->quotes += p->quotes < MD_DEPTH_MAX; break;
	case CMARK_NODE_CODE_BLOCK: add_code(p, n); break;
	case CMARK_NODE_THEMATIC_BREAK:
		begin_text_block(p);
		(void)buf_addz(p->b, "---");
		break;
	case CMARK_NODE_HEADING:
	case CMARK_NODE_PARAGRAPH: {
		struct buf text CLEANUP_BUF;
		buf_init(&text, p->b->max);
		markdown_add_inlines(&text, n, false);
		cmark_iter_reset(it, n, CMARK_EVENT_EXIT);
		if (text.failed)
			p->b->failed = true;
		if (str_trim(buf_str(&text)).n == 0)
			break; /* only a picture */
		begin_text_block(p);
		(void)buf_add_str(p->b, str_trim(buf_str(&text)));
		break;
	}
	default: break;
	}
}

static void plain_exit(struct plain *p, cmark_node *n)
{
	cmark_node_type t = cmark_node_get_type(n);
	if (t == CMARK_NODE_LIST) {
		p->depth--;
		cmark_node *item = cmark_node_parent(n),
			   *list = item == NULL ? NULL : cmark_node_parent(item);
		if (list != NULL && cmark_node_get_type(list) == CMARK_NODE_LIST)
			p->tight = cmark_node_get_list_tight(list) != 0;
	} else if (t == CMARK_NODE_BLOCK_QUOTE && p->quotes > 0) {
		p->quotes--;
	} else if (t == CMARK_NODE_ITEM) {
		p->first_in_item = false;
	}
}

int markdown_to_plain(struct str md, struct buf *ret)
{
	cmark_node *doc CLEANUP_CMARK = cmark_parse_document(
		md.n == 0 ? "" : md.p, md.n, MD_OPTIONS);
	struct buf b CLEANUP_BUF;
	buf_init(&b, ret->max);
	struct plain p = { .b = &b };
	if (doc == NULL)
		return -ENOMEM;
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		if (ev == CMARK_EVENT_ENTER)
			plain_enter(&p, cmark_iter_get_node(it), it);
		else
			plain_exit(&p, cmark_iter_get_node(it));
	}
	cmark_iter_free(it);
	if (b.failed || buf_add_str(ret, buf_str(&b)) < 0)
		return -E2BIG;
	return b.n == 0 ? 0 : buf_addc(ret, '\n');
}

/* --- pictures, HTML and escape ---------------------------------------------------------------------------------------------- */

int markdown_each_image(
	struct str md, void (*fn)(void *ctx, int line, const char *url, const char *alt), void *ctx)
{
	cmark_node *doc CLEANUP_CMARK = cmark_parse_document(
		md.n == 0 ? "" : md.p, md.n, MD_OPTIONS);
	if (doc == NULL)
		return -ENOMEM;
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;
	int line = 1;
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		if (ev == CMARK_EVENT_ENTER && cmark_node_get_start_line(n) > 0)
			line = cmark_node_get_start_line(n);
		if (ev != CMARK_EVENT_ENTER || cmark_node_get_type(n) != CMARK_NODE_IMAGE)
			continue;
		struct buf alt CLEANUP_BUF;
		buf_init(&alt, 4096);
		markdown_add_inlines(&alt, n, true);
		fn(ctx, line, z_or_empty(cmark_node_get_url(n)), buf_z(&alt));
	}
	cmark_iter_free(it);
	return 0;
}

int markdown_each_text(struct str md, void (*fn)(void *ctx, int line, const char *text), void *ctx)
{
	cmark_node *doc CLEANUP_CMARK = cmark_parse_document(
		md.n == 0 ? "" : md.p, md.n, MD_OPTIONS);
	if (doc == NULL)
		return -ENOMEM;
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;
	int line = 1;
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		if (ev != CMARK_EVENT_ENTER)
			continue;
		if (cmark_node_get_start_line(n) > 0)
			line = cmark_node_get_start_line(n);
		fn(ctx, line, z_or_empty(cmark_node_get_literal(n)));
		fn(ctx, line, z_or_empty(cmark_node_get_url(n)));
		fn(ctx, line, z_or_empty(cmark_node_get_title(n)));
	}
	cmark_iter_free(it);
	return 0;
}

int markdown_each_html(struct str md, void (*fn)(void *ctx, int line, const char *html), void *ctx)
{
	cmark_node *doc CLEANUP_CMARK = cmark_parse_document(
		md.n == 0 ? "" : md.p, md.n, MD_OPTIONS);
	if (doc == NULL)
		return -ENOMEM;
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;
	int line = 1;
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		cmark_node_type t = cmark_node_get_type(n);
		if (ev == CMARK_EVENT_ENTER && cmark_node_get_start_line(n) > 0)
			line = cmark_node_get_start_line(n);
		if (t == CMARK_NODE_HTML_BLOCK || t == CMARK_NODE_HTML_INLINE)
			fn(ctx, line, z_or_empty(cmark_node_get_literal(n)));
	}
	cmark_iter_free(it);
	return 0;
}

static bool at_line_start(const struct buf *b)
{
	size_t n = b->n;
	while (n > 0 && b->p[n - 1] == ' ')
		n--;
	return n == 0 || b->p[n - 1] == '\n';
}

/* A value is one run of text: its line breaks become spaces, so that it can begin no block. Signs that make blocks only at
 * the beginning of a line are escaped only there, which keeps telephone numbers readable in the Markdown. */
int markdown_escape(struct buf *b, struct str text)
{
	bool start = at_line_start(b), digits = start;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '\n' || c == '\r' || c == '\t' || c == '\0')
			c = ' ';
		bool special = strchr("\\`*_{}[]<>#|!~&", c) != NULL;
		if (start && strchr("+-=", c) != NULL)
			special = true;
		if (digits && i > 0 && (c == '.' || c == ')'))
			special = true;
		if (special)
			(void)buf_addc(b, '\\');
		(void)buf_addc(b, c);
		start = start && c == ' ';
		digits = digits && c >= '0' && c <= '9';
	}
	return b->failed ? -E2BIG : 0;
}
