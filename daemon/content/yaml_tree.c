/* yaml_tree.c - libyaml's events to a strict tree. Pure: all state lives in the builder on the stack. */
#include "content/yaml_tree.h"

#include <string.h>
#include <yaml.h>

#include "base/utf8.h"
#include "content/doc_text.h"

struct builder {
	struct doc_arena *arena;
	struct content_problems *p;
	const char *file;
	struct str text;
	int first_line;
	size_t nodes, depth;
	struct yaml_node *stack[YAML_DEPTH_MAX];
	const char *key; /* waiting for its value; NULL none */
	int key_line;
	struct yaml_node *root;
};

static int fault(struct builder *b, int line, const char *text)
{
	problem_add(b->p, PROBLEM_ERROR, b->file, line, "", "%s", text);
	return -EINVAL;
}

/* libyaml's words for what editors do most. */
static const char *hint(const char *problem, const char *context)
{
	static const struct {
		const char *in, *says;
	} hints[] = {
		{ "mapping values are not allowed",
			"a text that holds ': ' must stand in quotes: title: \"A: b\"" },
		{ "cannot start any token",
			"a text cannot begin with this character, or a tab; put it in quotes, indent with spaces" },
		{ "did not find expected ',' or '}'",
			"in { } the entries are parted by commas; a text that holds a comma must stand in quotes" },
		{ "did not find expected ',' or ']'",
			"in [ ] the entries are parted by commas, and the bracket must be closed" },
		{ "did not find expected key",
			"the indentation does not fit the lines above, or a quote is not closed" },
		{ "could not find expected ':'", "a key needs ': ' and its value behind it" },
		{ "found unexpected end of stream", "a quote is not closed" },
		{ "block sequence entries are not allowed",
			"a list begins on its own line, each entry with '- '" },
		{ "unknown escape character", "in \"...\" a backslash must be written twice" },
	};
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if ((problem != NULL && strstr(problem, hints[i].in) != NULL) ||
			(context != NULL && strstr(context, hints[i].in) != NULL))
			return hints[i].says;
	}
	return "";
}

static int syntax_fault(struct builder *b, const yaml_parser_t *y)
{
	const char *says = hint(y->problem, y->context);
	if (y->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	/* an open quote is told where it was opened, not where the text ends */
	bool open = y->problem != NULL && strstr(y->problem, "unexpected end of stream") != NULL &&
		y->context != NULL;
	size_t at = open ? y->context_mark.line : y->problem_mark.line;
	int line = b->first_line + (int)(at > 1000000 ? 0 : at);
	problem_add(b->p, PROBLEM_ERROR, b->file, line, "",
		"the front matter cannot be read here (%s)%s%s",
		y->problem == NULL ? "YAML error" : y->problem, says[0] == '\0' ? "" : ": ", says);
	return -EINVAL;
}

/* A tab in the indentation is the commonest of all; YAML's own words for it help nobody. */
static int check_tabs(struct builder *b, struct str text)
{
	struct str rest = text, line;
	for (int n = 0; str_line(&rest, &line); n++) {
		for (size_t i = 0; i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'); i++) {
			if (line.p[i] == '\t')
				return fault(b, b->first_line + n,
					"a tab in the indentation; use spaces, two for each level");
		}
	}
	return 0;
}

static const char *text_of(struct builder *b, const yaml_event_t *e, struct str *ret)
{
	struct str s = { (const char *)e->data.scalar.value, e->data.scalar.length };
	struct buf nfc CLEANUP_BUF;
	buf_init(&nfc, 4 * s.n + 16);
	if (!utf8_is_nfc(s) && utf8_nfc(&nfc, s) == 0)
		s = buf_str(&nfc);
	const char *z = doc_arena_str(b->arena, s);
	*ret = (struct str){ z, doc_arena_failed(b->arena) ? 0 : s.n };
	return z;
}

static bool has_key(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next) {
		if (strcmp(c->key, key) == 0)
			return true;
	}
	return false;
}

static int take_key(struct builder *b, const yaml_event_t *e, int line)
{
	struct yaml_node *top = b->stack[b->depth - 1];
	struct str s;
	if (e->type != YAML_SCALAR_EVENT)
		return fault(b, line, "a key must be a plain word");
	const char *key = text_of(b, e, &s);
	if (s.n == 0 || s.n > YAML_KEY_MAX || strlen(key) != s.n)
		return fault(b, line, "a key is empty or too long");
	if (has_key(top, key)) {
		problem_add(b->p, PROBLEM_ERROR, b->file, line, "",
			"'%s' stands here twice; keep one of them", key);
		return -EINVAL;
	}
	b->key = key;
	b->key_line = line;
	return 0;
}

static struct yaml_node *new_node(struct builder *b, enum yaml_node_type type, int line)
{
	struct yaml_node *n = doc_arena_alloc(b->arena, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->type = type;
	n->line = line;
	n->key = b->key == NULL ? "" : b->key;
	n->key_line = b->key == NULL ? line : b->key_line;
	n->text = (struct str){ "", 0 };
	b->key = NULL;
	if (b->depth == 0) {
		b->root = n;
		return n;
	}
	struct yaml_node *top = b->stack[b->depth - 1];
	if (top->last == NULL)
		top->first = n;
	else
		top->last->next = n;
	top->last = n;
	top->n++;
	return n;
}

static int refuse_extras(struct builder *b, const yaml_event_t *e, int line)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
	}
	if (anchor != NULL)
		return fault(b, line,
			"anchors (&name) are not taken; a text that begins with & must stand in quotes");
	if (tag != NULL)
		return fault(b, line,
			"tags (!name) are not taken; a text that begins with ! must stand in quotes");
	return 0;
}

/* An escape such as \u202e makes what the file itself does not hold: whoever reads the file has been told of that already. */
static void warn_invisible(struct builder *b, const struct yaml_node *n)
{
	struct str rest = n->text;
	const char *from = rest.p;
	for (int32_t cp = 0; utf8_next(&rest, &cp); from = rest.p) {
		size_t len = (size_t)(rest.p - from);
		if (!doc_text_is_invisible(cp) || memmem(b->text.p, b->text.n, from, len) != NULL)
			continue;
		problem_add(b->p, PROBLEM_WARNING, b->file, n->line, n->key,
			"an escape makes the invisible character U+%04X; it should be deleted",
			(unsigned)cp);
		return;
	}
}

static int take_value(struct builder *b, const yaml_event_t *e, int line)
{
	enum yaml_node_type type = e->type == YAML_SCALAR_EVENT ? YAML_TEXT
		: e->type == YAML_SEQUENCE_START_EVENT          ? YAML_LIST
								: YAML_MAP;
	int r = refuse_extras(b, e, line);
	if (r < 0)
		return r;
	if (++b->nodes > YAML_NODES_MAX)
		return fault(b, line, "too many entries in the front matter");
	if (type != YAML_TEXT && b->depth == YAML_DEPTH_MAX)
		return fault(b, line, "lists and maps are nested too deeply");
	if (b->depth > 0 && b->stack[b->depth - 1]->type == YAML_MAP && b->key == NULL)
		return take_key(b, e, line);
	struct yaml_node *n = new_node(b, type, line);
	if (n == NULL)
		return -ENOMEM;
	if (type != YAML_TEXT) {
		b->stack[b->depth++] = n;
		return 0;
	}
	yaml_scalar_style_t style = e->data.scalar.style;
	(void)text_of(b, e, &n->text);
	n->quoted = style != YAML_PLAIN_SCALAR_STYLE;
	n->block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
	if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		warn_invisible(b, n);
	if (strlen(n->text.p) != n->text.n)
		return doc_arena_failed(b->arena)
			? -ENOMEM
			: fault(b, line, "a NUL character is not allowed");
	return 0;
}

/* 1 at the end of the stream. */
static int take_event(struct builder *b, const yaml_event_t *e)
{
	int line = b->first_line + (int)e->start_mark.line;
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->root != NULL)
			return fault(b, line,
				"a second document begins here; there is only one front matter");
		if (e->data.document_start.version_directive != NULL ||
			e->data.document_start.tag_directives.start !=
				e->data.document_start.tag_directives.end)
			return fault(b, line, "directives (%...) are not taken");
		return 0;
	case YAML_ALIAS_EVENT:
		return fault(b, line,
			"aliases (*name) are not taken; a text that begins with * must stand in quotes");
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT: return take_value(b, e, line);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: b->depth--; return 0;
	case YAML_STREAM_END_EVENT: return 1;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT: break;
	}
	return 0;
}

static int run_parser(struct builder *b, yaml_parser_t *y)
{
	for (;;) {
		yaml_event_t e;
		if (!yaml_parser_parse(y, &e))
			return syntax_fault(b, y);
		int r = take_event(b, &e);
		yaml_event_delete(&e);
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

int yaml_tree_parse(struct str text, const char *file, int first_line, struct doc_arena *a,
	struct yaml_node **ret, struct content_problems *p)
{
	struct builder b = {
		.arena = a, .p = p, .file = file, .text = text, .first_line = first_line
	};
	yaml_parser_t y;
	int r = check_tabs(&b, text);
	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&y))
		return -ENOMEM;
	yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y, (const unsigned char *)text.p, text.n);
	r = run_parser(&b, &y);
	yaml_parser_delete(&y);
	if (r == 0 && doc_arena_failed(a))
		r = -ENOMEM;
	if (r < 0)
		return r;
	if (b.root == NULL)
		b.root = new_node(&b, YAML_MAP, first_line);
	if (b.root == NULL)
		return -ENOMEM;
	if (b.root->type != YAML_MAP)
		return fault(&b, b.root->line, "the front matter must be lines of 'key: value'");
	*ret = b.root;
	return 0;
}
