/* email_text.c - Markdown to HTML (cmark in its safe mode) and to plain text that a person likes to read.
 * Thread: any, pure. Failures: -ENOMEM, and -E2BIG through the buffer's maximum. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmark.h>
#include <utf8proc.h>
#include "email_text.h"

#define LIST_DEPTH_MAX 16
#define ALT_MAX        (64u << 10)

static void alt_text(struct ltc_buf *b, cmark_node *image)
{
	cmark_iter *it = cmark_iter_new(image);
	cmark_event_type ev;

	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		cmark_node_type t = cmark_node_get_type(n);
		if (t == CMARK_NODE_TEXT || t == CMARK_NODE_CODE)
			ltc_addz(b, cmark_node_get_literal(n));
		else if (t == CMARK_NODE_SOFTBREAK || t == CMARK_NODE_LINEBREAK)
			ltc_addc(b, ' ');
	}
	cmark_iter_free(it);
}

/* In the place of the image comes what the mail shows there; else its alt text in brackets, as in the plain part. */
static int put_picture(cmark_node *image, email_picture_fn *picture, void *ctx)
{
	struct ltc_buf alt LTC_CLEANUP_BUF;
	struct ltc_buf html LTC_CLEANUP_BUF;
	cmark_node *own = cmark_node_new(CMARK_NODE_CUSTOM_INLINE);

	ltc_buf_init(&alt, ALT_MAX);
	ltc_buf_init(&html, 8 * ALT_MAX);
	alt_text(&alt, image);
	picture(ctx, ltc_z(cmark_node_get_url(image)), ltc_buf_str(&alt), &html);
	if (html.n == 0 && alt.n > 0) {
		ltc_addc(&html, '[');
		email_html_escape(&html, ltc_buf_str(&alt));
		ltc_addc(&html, ']');
	}
	bool done = own != NULL && !alt.failed && !html.failed &&
		cmark_node_set_on_enter(own, html.p == NULL ? "" : html.p) &&
		cmark_node_insert_before(image, own);
	if (!done && own != NULL)
		cmark_node_free(own);
	return done ? 0 : -ENOMEM;
}

static int put_pictures(cmark_node *doc, email_picture_fn *picture, void *ctx)
{
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;
	int rc = 0;

	while (rc == 0 && (ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it);
		if (ev != CMARK_EVENT_ENTER || cmark_node_get_type(n) != CMARK_NODE_IMAGE)
			continue;
		rc = put_picture(n, picture, ctx);
		cmark_iter_reset(
			it, n, CMARK_EVENT_EXIT); /* behind it: it goes, with all below it */
		cmark_node_free(n);
	}
	cmark_iter_free(it);
	return rc;
}

int email_text_html(
	struct ltc_buf *out, struct lt_str markdown, email_picture_fn *picture, void *ctx)
{
	const int options = CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8;
	cmark_node *doc = cmark_parse_document(
		markdown.p == NULL ? "" : markdown.p, markdown.n, options);
	int rc = doc == NULL ? -ENOMEM : put_pictures(doc, picture, ctx);
	char *html = rc == 0 ? cmark_render_html(doc, options) : NULL;

	if (doc != NULL)
		cmark_node_free(doc);
	if (html == NULL)
		return rc < 0 ? rc : -ENOMEM;
	ltc_addz(out, html);
	free(html);
	return out->failed ? -E2BIG : 0;
}

struct plain {
	struct ltc_buf *out;
	int depth; /* lists that we are in */
	int next_no[LIST_DEPTH_MAX];
	size_t link_from; /* where the text of the current link starts */
};

static void end_line(struct plain *p, bool gap)
{
	struct ltc_buf *b = p->out;

	while (b->n > 0 && b->p[b->n - 1] == ' ')
		b->n--;
	if (b->n > 0 && b->p[b->n - 1] != '\n')
		ltc_addc(b, '\n');
	if (gap && b->n > 1 && b->p[b->n - 2] != '\n')
		ltc_addc(b, '\n');
}

static bool in_tight_list(cmark_node *n)
{
	for (cmark_node *p = cmark_node_parent(n); p != NULL; p = cmark_node_parent(p))
		if (cmark_node_get_type(p) == CMARK_NODE_LIST)
			return cmark_node_get_list_tight(p) != 0;
	return false;
}

static void list_edge(struct plain *p, cmark_node *n, bool enter)
{
	if (!enter) {
		if (p->depth > 0)
			p->depth--;
		end_line(p, p->depth == 0);
		return;
	}
	end_line(p, false);
	if (p->depth < LIST_DEPTH_MAX)
		p->next_no[p->depth] = cmark_node_get_list_type(n) == CMARK_ORDERED_LIST
			? cmark_node_get_list_start(n)
			: -1;
	p->depth++;
}

static void item_start(struct plain *p)
{
	int level = p->depth < 1            ? 0
		: p->depth > LIST_DEPTH_MAX ? LIST_DEPTH_MAX - 1
					    : p->depth - 1;

	end_line(p, false);
	for (int i = 0; i < level; i++)
		ltc_addz(p->out, "  ");
	if (p->next_no[level] >= 0)
		ltc_addf(p->out, "%d. ", p->next_no[level]++);
	else
		ltc_addz(p->out, "- ");
}

static void code_block(struct plain *p, const char *text)
{
	struct lt_str rest = ltc_z(text), line;

	end_line(p, true);
	while (ltc_line(&rest, &line)) {
		ltc_addz(p->out, "    ");
		ltc_adds(p->out, line);
		ltc_addc(p->out, '\n');
	}
	end_line(p, true);
}

static void link_end(struct plain *p, cmark_node *n)
{
	struct lt_str url = ltc_z(cmark_node_get_url(n));
	struct lt_str text = ltc_from(ltc_buf_str(p->out), p->link_from);

	if (ltc_starts(url, "mailto:"))
		url = ltc_from(url, 7);
	if (url.n == 0 || ltc_eq(url, text))
		return;
	ltc_addz(p->out, " (");
	ltc_adds(p->out, url);
	ltc_addc(p->out, ')');
}

static void plain_inline(struct plain *p, cmark_node *n, bool enter)
{
	cmark_node_type t = cmark_node_get_type(n);

	if (t == CMARK_NODE_TEXT || t == CMARK_NODE_CODE)
		ltc_addz(p->out, cmark_node_get_literal(n));
	else if (t == CMARK_NODE_SOFTBREAK)
		ltc_addc(p->out, ' ');
	else if (t == CMARK_NODE_LINEBREAK)
		ltc_addc(p->out, '\n');
	else if (t == CMARK_NODE_IMAGE && cmark_node_first_child(n) != NULL)
		ltc_addc(p->out, enter ? '[' : ']');
	else if (t == CMARK_NODE_LINK && enter)
		p->link_from = p->out->n;
	else if (t == CMARK_NODE_LINK)
		link_end(p, n);
}

static void plain_node(struct plain *p, cmark_node *n, bool enter)
{
	cmark_node_type t = cmark_node_get_type(n);

	if (t == CMARK_NODE_LIST)
		list_edge(p, n, enter);
	else if (t == CMARK_NODE_ITEM && enter)
		item_start(p);
	else if (t == CMARK_NODE_CODE_BLOCK)
		code_block(p, cmark_node_get_literal(n));
	else if (t == CMARK_NODE_THEMATIC_BREAK) {
		end_line(p, true);
		ltc_addz(p->out, "* * *");
		end_line(p, true);
	} else if (t == CMARK_NODE_BLOCK_QUOTE && enter)
		ltc_addz(p->out, "> ");
	else if (t == CMARK_NODE_HEADING || t == CMARK_NODE_PARAGRAPH) {
		if (!enter)
			end_line(p, !in_tight_list(n));
	} else
		plain_inline(p, n, enter);
}

int email_text_plain(struct ltc_buf *out, struct lt_str markdown)
{
	struct plain p = { .out = out };
	cmark_node *doc = cmark_parse_document(markdown.p == NULL ? "" : markdown.p, markdown.n,
		CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8);

	if (doc == NULL)
		return -ENOMEM;
	cmark_iter *it = cmark_iter_new(doc);
	cmark_event_type ev;
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE)
		plain_node(&p, cmark_iter_get_node(it), ev == CMARK_EVENT_ENTER);
	cmark_iter_free(it);
	cmark_node_free(doc);
	end_line(&p, false);
	while (out->n > 1 && out->p[out->n - 1] == '\n' && out->p[out->n - 2] == '\n')
		out->p[--out->n] = '\0';
	return out->failed ? -E2BIG : 0;
}

void email_html_escape(struct ltc_buf *out, struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '&')
			ltc_addz(out, "&amp;");
		else if (c == '<')
			ltc_addz(out, "&lt;");
		else if (c == '>')
			ltc_addz(out, "&gt;");
		else if (c == '"')
			ltc_addz(out, "&quot;");
		else
			ltc_addc(out, c);
	}
}

void email_text_paragraphs(struct ltc_buf *out, struct lt_str s)
{
	bool open = false;

	for (s = ltc_trim(s); s.n > 0;) {
		const char *end = memchr(s.p, '\n', s.n);
		size_t n = end == NULL ? s.n : (size_t)(end - s.p);
		struct lt_str line = ltc_trim((struct lt_str){ s.p, n });
		if (line.n > 0) {
			ltc_addz(out, open ? "<br>\n" : "<p>");
			email_html_escape(out, line);
		} else if (open) {
			ltc_addz(out, "</p>\n");
		}
		open = line.n > 0;
		s = ltc_from(s, end == NULL ? n : n + 1);
	}
	ltc_addz(out, open ? "</p>\n" : "");
}

/* What stands for a typographic sign (contract of short messages, 2.2); a double quote would end a file name. */
static const char *typographic(utf8proc_int32_t cp)
{
	switch (cp) {
	case 0x2018:
	case 0x2019: return "'";
	case 0x2013:
	case 0x2014:
	case 0x2212:
	case 0x2022:
	case 0xb7: return "-";
	case 0x2026: return "...";
	case 0xa0:
	case 0x2009:
	case 0x202f: return " ";
	case 0x200b:
	case 0x200c:
	case 0x200d:
	case 0xfeff: return "";
	default: return NULL;
	}
}

void email_text_ascii(struct ltc_buf *out, struct lt_str s)
{
	utf8proc_uint8_t *d = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &d,
		UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK);
	utf8proc_ssize_t at = 0;

	while (at < n) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t k = utf8proc_iterate(d + at, n - at, &cp);
		if (k <= 0)
			break;
		at += k;
		const char *sign = typographic(cp);
		if (cp == 0x111 || cp == 0x110)
			ltc_addc(out, cp == 0x111 ? 'd' : 'D');
		else if (sign != NULL)
			ltc_addz(out, sign);
		else if (cp == '"' || cp == '\\' || cp == '/' || cp < 0x20 || cp > 0x7e)
			ltc_addc(out, '_');
		else
			ltc_addc(out, (char)cp);
	}
	free(d);
}
