/* facebook_text.c - Markdown by cmark to plain text, fingerprints, and how near two texts are.
 * Thread: any, pure. Owns: nothing. Failures: -ENOMEM, -E2BIG through the buffer; a text longer than FB_WORDS_MAX words is
 * compared by its first ones. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmark.h>
#include <utf8proc.h>
#include "facebook_text.h"

#define DEPTH_MAX 16

/* --- Markdown -------------------------------------------------------------------------------------------------------------- */
struct plain {
	struct ltc_buf *out;
	int depth, number[DEPTH_MAX];
	size_t link_at;
};

static void end_line(struct plain *p, bool gap)
{
	struct ltc_buf *b = p->out;

	if (b->n > 0 && b->p[b->n - 1] != '\n')
		ltc_addc(b, '\n');
	if (gap && b->n > 1 && b->p[b->n - 2] != '\n')
		ltc_addc(b, '\n');
}

static void list_edge(struct plain *p, cmark_node *n, bool enter)
{
	bool ordered = cmark_node_get_list_type(n) == CMARK_ORDERED_LIST;

	end_line(p, !enter && p->depth <= 1);
	p->depth += enter ? 1 : -1;
	if (enter && p->depth <= DEPTH_MAX)
		p->number[p->depth - 1] = ordered ? cmark_node_get_list_start(n) : -1;
}

static void item_start(struct plain *p)
{
	int level = p->depth > DEPTH_MAX ? DEPTH_MAX : p->depth;

	end_line(p, false);
	for (int i = 1; i < level; i++)
		ltc_addz(p->out, "  ");
	if (level > 0 && p->number[level - 1] >= 0)
		ltc_addf(p->out, "%d. ", p->number[level - 1]++);
	else
		ltc_addz(p->out, "• ");
}

static bool tight(cmark_node *n)
{
	cmark_node *item = cmark_node_parent(n), *list = item ? cmark_node_parent(item) : NULL;

	return list && cmark_node_get_type(list) == CMARK_NODE_LIST &&
		cmark_node_get_list_tight(list);
}

static void link_end(struct plain *p, cmark_node *n)
{
	struct lt_str url = ltc_z(cmark_node_get_url(n));
	struct lt_str text = ltc_from(ltc_buf_str(p->out), p->link_at);

	if (url.n == 0 || ltc_eq(url, text))
		return;
	ltc_addz(p->out, " (");
	ltc_adds(p->out, url);
	ltc_addc(p->out, ')');
}

static void leaf(struct plain *p, cmark_node *n, bool enter)
{
	switch ((int)cmark_node_get_type(n)) {
	case CMARK_NODE_TEXT:
	case CMARK_NODE_CODE: ltc_addz(p->out, cmark_node_get_literal(n)); break;
	case CMARK_NODE_SOFTBREAK: ltc_addc(p->out, ' '); break;
	case CMARK_NODE_LINEBREAK: ltc_addc(p->out, '\n'); break;
	case CMARK_NODE_LINK:
		if (enter)
			p->link_at = p->out->n;
		else
			link_end(p, n);
		break;
	default: break;
	}
}

static void visit(struct plain *p, cmark_node *n, bool enter)
{
	switch ((int)cmark_node_get_type(n)) {
	case CMARK_NODE_LIST: list_edge(p, n, enter); break;
	case CMARK_NODE_ITEM:
		if (enter)
			item_start(p);
		break;
	case CMARK_NODE_PARAGRAPH:
	case CMARK_NODE_HEADING:
		if (!enter)
			end_line(p, !tight(n));
		break;
	case CMARK_NODE_CODE_BLOCK:
		ltc_addz(p->out, cmark_node_get_literal(n));
		end_line(p, true);
		break;
	default: leaf(p, n, enter); break;
	}
}

int fb_text_plain(struct ltc_buf *out, struct lt_str markdown)
{
	struct plain p = { .out = out };
	cmark_node *doc = cmark_parse_document(markdown.p == NULL ? "" : markdown.p, markdown.n,
		CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8);
	cmark_iter *it = doc == NULL ? NULL : cmark_iter_new(doc);
	cmark_event_type ev;

	if (it == NULL) {
		cmark_node_free(doc);
		return -ENOMEM;
	}
	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE)
		visit(&p, cmark_iter_get_node(it), ev == CMARK_EVENT_ENTER);
	cmark_iter_free(it);
	cmark_node_free(doc);
	while (out->n > 0 && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == ' '))
		out->n--;
	return out->failed ? -E2BIG : 0;
}

/* --- fingerprints ---------------------------------------------------------------------------------------------------------- */
size_t fb_text_chars(struct lt_str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* Composed, as an approved text is: what people paste, and what an API gives back, may be taken apart. No UTF-8: as it is. */
struct composed {
	struct lt_str s;
	utf8proc_uint8_t *own; /* owned, by free(); NULL: s is the caller's */
};

static struct composed compose(struct lt_str s)
{
	struct composed c = { .s = s };
	utf8proc_ssize_t n = s.n == 0
		? 0
		: utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &c.own,
			  UTF8PROC_STABLE | UTF8PROC_COMPOSE);

	if (n > 0)
		c.s = (struct lt_str){ (const char *)c.own, (size_t)n };
	return c;
}

void fb_text_print(struct lt_str s, char ret[static FB_PRINT_LEN + 1])
{
	struct composed c = compose(ltc_trim(s));
	uint64_t h = LTC_HASH_SEED;

	for (size_t i = 0; i < c.s.n; i++) {
		if (c.s.p[i] == '\r' && i + 1 < c.s.n && c.s.p[i + 1] == '\n')
			continue;
		h = ltc_hash(h, (struct lt_str){ c.s.p + i, 1 });
	}
	free(c.own);
	(void)snprintf(ret, FB_PRINT_LEN + 1, "%016llx", (unsigned long long)h);
}

void fb_text_claim(const char *print, struct lt_str page, char ret[static FB_CLAIM_MAX])
{
	(void)snprintf(ret, FB_CLAIM_MAX, "text:%s@%.*s", print, page.n < 32 ? (int)page.n : 32,
		page.n > 0 ? page.p : "");
}

bool fb_text_same(struct lt_str a, struct lt_str b)
{
	char x[FB_PRINT_LEN + 1], y[FB_PRINT_LEN + 1];

	fb_text_print(a, x);
	fb_text_print(b, y);
	return memcmp(x, y, FB_PRINT_LEN) == 0;
}

/* --- nearness -------------------------------------------------------------------------------------------------------------- */
/* The next word folded to a hash; false at the end. A word is letters and digits; all else parts words. */
static bool next_word(struct lt_str *s, uint64_t *ret)
{
	uint64_t h = LTC_HASH_SEED;
	bool any = false;

	while (s->n > 0) {
		utf8proc_int32_t c = 0;
		utf8proc_ssize_t n = utf8proc_iterate(
			(const utf8proc_uint8_t *)s->p, (utf8proc_ssize_t)s->n, &c);
		*s = ltc_from(*s, n > 0 ? (size_t)n : 1);
		utf8proc_category_t k = n > 0 ? utf8proc_category(c) : UTF8PROC_CATEGORY_ZS;
		bool in = (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO);
		if (!in && any)
			break;
		if (!in)
			continue;
		utf8proc_int32_t low = utf8proc_tolower(c);
		h = ltc_hash(h, (struct lt_str){ (const char *)&low, sizeof(low) });
		any = true;
	}
	*ret = h;
	return any;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Hashes of neighbouring words, sorted; a single word stands for itself. */
static size_t pairs_of(struct lt_str s, uint64_t *v)
{
	uint64_t last = 0, w;
	size_t n = 0, words = 0;

	while (n < FB_WORDS_MAX && next_word(&s, &w)) {
		if (words++ > 0)
			v[n++] = last * 31 + w;
		last = w;
	}
	if (words == 1)
		v[n++] = last;
	qsort(v, n, sizeof(*v), by_number);
	return n;
}

int fb_text_near(struct lt_str a, struct lt_str b)
{
	uint64_t *v = malloc(2 * FB_WORDS_MAX * sizeof(*v));
	size_t i = 0, k = 0, same = 0;

	if (v == NULL)
		return 0;
	uint64_t *w = v + FB_WORDS_MAX;
	struct composed x = compose(a), y = compose(b);
	size_t n = pairs_of(x.s, v), m = pairs_of(y.s, w);
	while (i < n && k < m) {
		if (v[i] == w[k]) {
			same++;
			i++;
			k++;
		} else if (v[i] < w[k]) {
			i++;
		} else {
			k++;
		}
	}
	free(x.own);
	free(y.own);
	free(v);
	return n + m == 0 ? 0 : (int)(200 * same / (n + m));
}

static bool same_words(struct lt_str a, struct lt_str b)
{
	uint64_t x, y;
	bool any = false;

	for (;;) {
		bool more = next_word(&a, &x), too = next_word(&b, &y);
		if (!more || !too)
			return any && more == too;
		if (x != y)
			return false;
		any = true;
	}
}

bool fb_text_same_line(struct lt_str a, struct lt_str b)
{
	struct composed x = compose(a), y = compose(b);
	bool same = same_words(x.s, y.s);

	free(x.own);
	free(y.own);
	return same;
}

struct lt_str fb_text_first_line(struct lt_str s)
{
	struct lt_str line = { NULL, 0 };

	s = ltc_trim(s);
	(void)ltc_line(&s, &line);
	return ltc_trim(line);
}

/* --- links ----------------------------------------------------------------------------------------------------------------- */
static struct lt_str link_core(struct lt_str s)
{
	static const char *const before[] = { "https://", "http://", "www." };

	for (size_t i = 0; i < 3; i++)
		if (ltc_istarts(s, before[i]))
			s = ltc_from(s, strlen(before[i]));
	const char *hash = s.n ? memchr(s.p, '#', s.n) : NULL;
	if (hash != NULL)
		s.n = (size_t)(hash - s.p);
	return s;
}

static bool tracking(struct lt_str pair)
{
	return ltc_istarts(pair, "utm_") || ltc_istarts(pair, "fbclid=");
}

static void link_norm(struct ltc_buf *out, struct lt_str s)
{
	struct lt_str path = link_core(s), query = { NULL, 0 }, one;
	const char *q = path.n ? memchr(path.p, '?', path.n) : NULL;
	bool first = true;

	if (q != NULL) {
		query = ltc_from(path, (size_t)(q - path.p) + 1);
		path.n = (size_t)(q - path.p);
	}
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	ltc_adds(out, path);
	for (size_t i = 0; i < out->n && out->p[i] != '/'; i++)
		if (out->p[i] >= 'A' && out->p[i] <= 'Z')
			out->p[i] = (char)(out->p[i] + 32);
	while (ltc_next(&query, '&', &one)) {
		if (one.n == 0 || tracking(one))
			continue;
		ltc_addc(out, first ? '?' : '&');
		ltc_adds(out, one);
		first = false;
	}
}

bool fb_link_same(struct lt_str a, struct lt_str b)
{
	struct ltc_buf x LTC_CLEANUP_BUF;
	struct ltc_buf y LTC_CLEANUP_BUF;

	ltc_buf_init(&x, 4096);
	ltc_buf_init(&y, 4096);
	link_norm(&x, a);
	link_norm(&y, b);
	return x.n > 0 && !x.failed && !y.failed && ltc_eq(ltc_buf_str(&x), ltc_buf_str(&y));
}

bool fb_text_has_link(struct lt_str text, struct lt_str link)
{
	if (link.n == 0)
		return false;
	for (size_t i = 0; i + 8 < text.n; i++) {
		struct lt_str at = ltc_from(text, i);
		if (!ltc_istarts(at, "http://") && !ltc_istarts(at, "https://"))
			continue;
		size_t n = 0;
		while (n < at.n && (unsigned char)at.p[n] > ' ')
			n++;
		struct lt_str url = { at.p, n };
		while (url.n > 0 && strchr(".,;:!?)\"'", url.p[url.n - 1]) != NULL)
			url.n--;
		if (fb_link_same(url, link))
			return true;
		i += n;
	}
	return false;
}
