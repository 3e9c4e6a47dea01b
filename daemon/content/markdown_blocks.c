/* markdown_blocks.c - CommonMark to a flat list of blocks, for channels that build their own pages. Pure. */
#include "content/markdown.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "content/markdown_internal.h"

#define BLOCK_BYTES_MAX (4u << 20)

struct walk {
	struct blocks out;
	size_t cap;
	int depth, quotes, error;
	int number[MD_DEPTH_MAX + 1]; /* by list depth; 0: bullets */
	bool item_open;               /* the next paragraph is the item's own text */
};

static char *copy(struct walk *w, struct str s)
{
	char *p = FAULT("markdown.copy") ? NULL : malloc(s.n + 1);
	if (p == NULL) {
		w->error = -ENOMEM;
		return NULL;
	}
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

static bool grow(struct walk *w)
{
	size_t cap = w->cap == 0 ? 32 : w->cap * 2;
	if (w->out.n == MARKDOWN_BLOCKS_MAX) {
		w->error = -E2BIG;
		return false;
	}
	if (w->out.n < w->cap)
		return true;
	struct block *v = realloc(w->out.v, cap * sizeof(*v));
	if (v == NULL) {
		w->error = -ENOMEM;
		return false;
	}
	w->out.v = v;
	w->cap = cap;
	return true;
}

static void push(struct walk *w, struct block b, struct str text, struct str url)
{
	if (w->error < 0 || !grow(w))
		return;
	b.text = copy(w, text);
	b.url = url.p == NULL ? NULL : copy(w, url);
	w->out.v[w->out.n++] = b;
}

/* Pictures of a paragraph follow it as blocks of their own. */
static void push_images(struct walk *w, cmark_node *block, int line)
{
	cmark_iter *it = cmark_iter_new(block);
	cmark_event_type ev;
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		if (ev != CMARK_EVENT_ENTER || cmark_node_get_type(n) != CMARK_NODE_IMAGE)
			continue;
		struct buf alt CLEANUP_BUF;
		buf_init(&alt, BLOCK_BYTES_MAX);
		markdown_add_inlines(&alt, n, true);
		const char *url = cmark_node_get_url(n);
		push(w, (struct block){ .kind = BLOCK_IMAGE, .line = line }, buf_str(&alt),
			str_of(url == NULL ? "" : url));
	}
	cmark_iter_free(it);
}

static void push_text(struct walk *w, cmark_node *n, struct block b)
{
	struct buf text CLEANUP_BUF;
	buf_init(&text, BLOCK_BYTES_MAX);
	markdown_add_inlines(&text, n, false);
	if (text.failed)
		w->error = -E2BIG;
	b.line = cmark_node_get_start_line(n);
	if (str_trim(buf_str(&text)).n > 0)
		push(w, b, str_trim(buf_str(&text)), (struct str){ NULL, 0 });
	push_images(w, n, b.line);
}

static int level_of(const struct walk *w)
{
	return w->depth < MD_DEPTH_MAX ? w->depth : MD_DEPTH_MAX;
}

static void enter_paragraph(struct walk *w, cmark_node *n)
{
	struct block b = { .kind = w->quotes > 0 ? BLOCK_QUOTE : BLOCK_PARAGRAPH,
		.level = level_of(w) };
	if (w->item_open) {
		b.kind = BLOCK_ITEM;
		b.number = w->number[level_of(w)] > 0 ? w->number[level_of(w)]++ : 0;
		w->item_open = false;
	}
	push_text(w, n, b);
}

static void enter(struct walk *w, cmark_node *n, cmark_iter *it)
{
	struct block b = { .line = cmark_node_get_start_line(n) };
	const char *code = cmark_node_get_literal(n);
	int start;
	switch ((int)cmark_node_get_type(n)) {
	case CMARK_NODE_LIST:
		w->depth++;
		start = cmark_node_get_list_type(n) == CMARK_ORDERED_LIST
			? cmark_node_get_list_start(n)
			: 0;
		w->number[level_of(w)] = cmark_node_get_list_type(n) == CMARK_ORDERED_LIST &&
				start < 1
			? 1
			: start;
		break;
	case CMARK_NODE_ITEM: w->item_open = true; break;
	case CMARK_NODE_BLOCK_QUOTE: w->quotes++; break;
	case CMARK_NODE_HEADING:
		push_text(w, n,
			(struct block){
				.kind = BLOCK_HEADING, .level = cmark_node_get_heading_level(n) });
		cmark_iter_reset(it, n, CMARK_EVENT_EXIT);
		break;
	case CMARK_NODE_PARAGRAPH:
		enter_paragraph(w, n);
		cmark_iter_reset(it, n, CMARK_EVENT_EXIT);
		break;
	case CMARK_NODE_CODE_BLOCK:
		b.kind = BLOCK_CODE;
		push(w, b, str_of(code == NULL ? "" : code), (struct str){ NULL, 0 });
		break;
	case CMARK_NODE_THEMATIC_BREAK:
		b.kind = BLOCK_RULE;
		push(w, b, STR(""), (struct str){ NULL, 0 });
		break;
	default: break;
	}
}

static void leave(struct walk *w, cmark_node *n)
{
	cmark_node_type t = cmark_node_get_type(n);
	w->depth -= t == CMARK_NODE_LIST;
	w->quotes -= t == CMARK_NODE_BLOCK_QUOTE;
	if (t == CMARK_NODE_ITEM)
		w->item_open = false;
}

int markdown_to_blocks(struct str md, struct blocks *ret)
{
	cmark_node *doc CLEANUP_CMARK = cmark_parse_document(
		md.n == 0 ? "" : md.p, md.n, MD_OPTIONS);
	struct walk w = { .depth = 0 };
	if (doc == NULL)
		return -ENOMEM;
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;
	while (w.error == 0 && (ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		if (ev == CMARK_EVENT_ENTER)
			enter(&w, cmark_iter_get_node(it), it);
		else
			leave(&w, cmark_iter_get_node(it));
	}
	cmark_iter_free(it);
	if (w.error < 0) {
		blocks_done(&w.out);
		return w.error;
	}
	*ret = w.out;
	return 0;
}

void blocks_done(struct blocks *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].text);
		free(b->v[i].url);
	}
	free(b->v);
	*b = (struct blocks){ NULL, 0 };
}
