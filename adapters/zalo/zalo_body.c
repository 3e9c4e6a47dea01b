/* zalo_body.c - Markdown to the blocks of an article: cmark parses, this walks. Their text takes <p>, <b>, <i> and no more that is
 * sure, so headings become bold, items get a bullet, tables lines, and HTML of the author stays visible text.
 * Thread: any, pure. Owns: the tree and its buffer for the call. Failures: a text over the bounds is -LT_E_FULL. */
#include <cmark.h>
#include <string.h>
#include "zalo_text.h"

#define BLOCK_MAX 20000 /* bytes of one text block; a longer one is told in several */
#define TAGS_MAX  8     /* <b> and <i> within each other; deeper ones are not shown */

struct walk {
	const struct zalo_blocks *to; /* NULL: plain text into out */
	struct ltc_buf out;
	int depth;            /* of lists */
	int item[8];          /* next number of an ordered list; 0: a bullet */
	bool opened, bullet;  /* a <p> stands open; a bullet is owed */
	char tags[TAGS_MAX];  /* 'b' and 'i' that hold now, outermost first */
	int n_tags, too_deep; /* too_deep: those that found no place */
	bool row, gap;        /* a line of a table; white space is owed */
	int bars;             /* bars of that line that are owed */
	int rc;
};

static void add_html(struct walk *w, struct lt_str s)
{
	if (w->to == NULL)
		ltc_adds(&w->out, s);
	else
		zalo_add_html(&w->out, s);
}

static void tag(struct walk *w, const char *before, char name)
{
	if (w->to != NULL)
		ltc_addf(&w->out, "%s%c>", before, name);
}

static void flush(struct walk *w)
{
	if (w->to == NULL || w->rc < 0)
		return;
	if (w->out.failed)
		w->rc = -LT_E_FULL;
	else if (w->out.n > 0)
		w->rc = w->to->text(w->to->ctx, ltc_buf_str(&w->out));
	ltc_buf_reset(&w->out);
}

static void bullet(struct walk *w)
{
	w->bullet = false;
	int level = w->depth < 1 ? 0 : w->depth > 8 ? 7 : w->depth - 1;
	for (int i = 0; i < level; i++)
		ltc_addz(&w->out, w->to != NULL ? "&nbsp;&nbsp;" : "  ");
	if (w->item[level] > 0)
		ltc_addf(&w->out, "%d. ", w->item[level]++);
	else
		ltc_addz(&w->out, level == 0 ? "• " : "– ");
}

/* Only where a text comes, so that none stands empty; with what is bold or italic at this place. */
static void para_open(struct walk *w)
{
	if (w->opened)
		return;
	w->opened = true;
	tag(w, "<", 'p');
	if (w->bullet)
		bullet(w);
	for (int i = 0; i < w->n_tags; i++)
		tag(w, "<", w->tags[i]);
}

static void para_close(struct walk *w)
{
	w->row = w->gap = false;
	w->bars = 0;
	if (!w->opened)
		return;
	w->opened = false;
	for (int i = w->n_tags; i-- > 0;)
		tag(w, "</", w->tags[i]);
	tag(w, "</", 'p');
	if (w->to == NULL)
		ltc_addc(&w->out, '\n');
	if (w->out.n > BLOCK_MAX)
		flush(w);
}

/* "| a | *b* |" -> "a – *b*": what parts two cells is written when the next has something. */
static void cell_begin(struct walk *w)
{
	para_open(w);
	for (; w->bars > 0; w->bars--, w->gap = false)
		ltc_addz(&w->out, " – ");
	if (w->gap)
		ltc_addc(&w->out, ' ');
	w->gap = false;
}

static void tag_begin(struct walk *w, char name)
{
	if (w->n_tags == TAGS_MAX) {
		w->too_deep++;
		return;
	}
	if (w->opened)
		cell_begin(w);
	w->tags[w->n_tags++] = name;
	if (w->opened)
		tag(w, "<", name);
}

static void tag_end(struct walk *w)
{
	if (w->too_deep > 0) {
		w->too_deep--;
		return;
	}
	char name = w->tags[--w->n_tags];
	if (w->opened)
		tag(w, "</", name);
}

/* The line of dashes below the head of a table. */
static bool is_rule(struct lt_str line)
{
	struct lt_str s = ltc_trim(line);
	bool dash = false;

	if (s.n < 2 || s.p[0] != '|')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (memchr("|-: ", s.p[i], 4) == NULL)
			return false;
		dash = dash || s.p[i] == '-';
	}
	return dash;
}

static void row_text(struct walk *w, struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' || s.p[i] == '|') {
			w->bars += s.p[i] == '|';
			w->gap = s.p[i] == ' ' && w->bars == 0 && w->opened;
			continue;
		}
		cell_begin(w);
		add_html(w, (struct lt_str){ s.p + i, 1 });
	}
}

static void text(struct walk *w, struct lt_str s)
{
	while (!w->opened && s.n > 0 && s.p[0] == ' ')
		s = ltc_from(s, 1);
	if (s.n == 0 || (!w->opened && is_rule(s)))
		return;
	if (!w->opened && ltc_starts(ltc_trim(s), "|")) {
		w->row = true;
		w->bars = -1; /* the first bar parts nothing */
	}
	if (w->row) {
		row_text(w, s);
		return;
	}
	para_open(w);
	add_html(w, s);
}

static void lines(struct walk *w, struct lt_str s)
{
	struct lt_str line;

	while (ltc_line(&s, &line)) {
		if (ltc_trim(line).n == 0)
			continue;
		para_open(w);
		add_html(w, line);
		para_close(w);
	}
}

static struct lt_str literal(cmark_node *n)
{
	return ltc_z(cmark_node_get_literal(n));
}

static void image(struct walk *w, cmark_node *n)
{
	char alt[4 * ZALO_CAPTION_MAX + 8] = "";
	cmark_node *c = cmark_node_first_child(n);
	struct lt_str a = c != NULL && cmark_node_get_type(c) == CMARK_NODE_TEXT ? literal(c)
										 : ltc_z("");
	struct lt_str one = zalo_one_line(a, alt, sizeof(alt));

	para_close(w);
	if (w->to == NULL)
		return;
	flush(w);
	if (w->rc >= 0)
		w->rc = w->to->image(w->to->ctx, ltc_z(cmark_node_get_url(n)), one);
}

static void leave_link(struct walk *w, cmark_node *n)
{
	struct lt_str url = ltc_z(cmark_node_get_url(n));
	cmark_node *c = cmark_node_first_child(n);
	struct lt_str shown = c != NULL && cmark_node_get_type(c) == CMARK_NODE_TEXT ? literal(c)
										     : ltc_z("");

	if (url.n == 0 || ltc_eq(url, shown))
		return;
	para_open(w);
	ltc_addz(&w->out, " (");
	add_html(w, url);
	ltc_addc(&w->out, ')');
}

static void list(struct walk *w, cmark_node *n, bool enter)
{
	if (!enter) {
		w->depth--;
		return;
	}
	if (w->depth < 8)
		w->item[w->depth] = cmark_node_get_list_type(n) == CMARK_ORDERED_LIST
			? cmark_node_get_list_start(n) > 0 ? cmark_node_get_list_start(n) : 1
			: 0;
	w->depth++;
}

static void line_end(struct walk *w, cmark_node *n)
{
	cmark_node *next = cmark_node_next(n);
	bool row = next != NULL && cmark_node_get_type(next) == CMARK_NODE_TEXT &&
		ltc_starts(literal(next), "|");

	if (row || w->row || cmark_node_get_type(n) == CMARK_NODE_LINEBREAK)
		para_close(w);
	else if (w->opened)
		ltc_addc(&w->out, ' ');
}

/* True: its children are done with. */
static bool node(struct walk *w, cmark_node *n, bool enter)
{
	switch (cmark_node_get_type(n)) {
	case CMARK_NODE_PARAGRAPH:
		if (!enter)
			para_close(w);
		break;
	case CMARK_NODE_HEADING:
		if (enter) {
			tag_begin(w, 'b');
		} else {
			para_close(w);
			tag_end(w);
		}
		break;
	case CMARK_NODE_LIST:
		para_close(w);
		list(w, n, enter);
		break;
	case CMARK_NODE_ITEM:
		para_close(w);
		w->bullet = enter;
		break;
	case CMARK_NODE_TEXT: text(w, literal(n)); break;
	case CMARK_NODE_CODE:
	case CMARK_NODE_HTML_INLINE:
		cell_begin(w);
		add_html(w, literal(n));
		break;
	case CMARK_NODE_CODE_BLOCK:
	case CMARK_NODE_HTML_BLOCK: lines(w, literal(n)); break;
	case CMARK_NODE_SOFTBREAK:
	case CMARK_NODE_LINEBREAK: line_end(w, n); break;
	case CMARK_NODE_EMPH:
	case CMARK_NODE_STRONG:
		if (enter)
			tag_begin(w, cmark_node_get_type(n) == CMARK_NODE_EMPH ? 'i' : 'b');
		else
			tag_end(w);
		break;
	case CMARK_NODE_LINK:
		if (!enter)
			leave_link(w, n);
		break;
	case CMARK_NODE_IMAGE:
		if (enter)
			image(w, n);
		return enter;
	case CMARK_NODE_NONE:
	case CMARK_NODE_DOCUMENT:
	case CMARK_NODE_BLOCK_QUOTE:
	case CMARK_NODE_CUSTOM_BLOCK:
	case CMARK_NODE_CUSTOM_INLINE:
	case CMARK_NODE_THEMATIC_BREAK: break;
	}
	return false;
}

static void walk_tree(struct walk *w, cmark_node *doc)
{
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;

	while (w->rc >= 0 && (ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		if (node(w, n, ev == CMARK_EVENT_ENTER))
			cmark_iter_reset(it, n, CMARK_EVENT_EXIT);
	}
	cmark_iter_free(it);
	para_close(w);
}

static int walk_run(struct lt_str markdown, struct walk *w)
{
	cmark_node *doc = cmark_parse_document(
		markdown.p == NULL ? "" : markdown.p, markdown.n, CMARK_OPT_DEFAULT);

	if (doc == NULL)
		return -LT_E_FULL;
	walk_tree(w, doc);
	cmark_node_free(doc);
	return w->rc;
}

int zalo_body_walk(struct lt_str markdown, const struct zalo_blocks *to)
{
	struct walk w = { .to = to };

	ltc_buf_init(&w.out, ZALO_BODY_MAX);
	(void)walk_run(markdown, &w);
	flush(&w);
	ltc_buf_done(&w.out);
	return w.rc;
}

int zalo_body_plain(struct lt_str markdown, struct ltc_buf *out)
{
	struct walk w = { 0 };

	ltc_buf_init(&w.out, ZALO_BODY_MAX);
	(void)walk_run(markdown, &w);
	ltc_adds(out, ltc_buf_str(&w.out));
	int rc = w.out.failed || out->failed ? -LT_E_FULL : w.rc;
	ltc_buf_done(&w.out);
	return rc;
}
