/* conf_yaml.c - see conf_yaml.h. Thread: any. One recursive descent over libyaml's events, depth bounded. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "conf/conf_yaml.h"
#include "base/assert.h"
#include "base/utf8.h"

#define DEPTH_MAX 16
#define NODES_MAX 100000
#define TEXT_MAX  (16u << 20)

struct reader {
	yaml_parser_t parser;
	const char *file;
	struct str text;
	size_t nodes;
	struct err *e;
};

static int line_of(struct str text, size_t at)
{
	int line = 1;
	for (size_t i = 0; i < at && i < text.n; i++)
		line += text.p[i] == '\n';
	return line;
}

static int read_event(struct reader *r, yaml_event_t *ev)
{
	if (yaml_parser_parse(&r->parser, ev))
		return 0;
	if (r->parser.error == YAML_READER_ERROR) /* it knows the byte and no line */
		return err_set(r->e, -EINVAL,
			"%s:%d: a character that YAML does not allow, U+%04X; delete it", r->file,
			line_of(r->text, r->parser.problem_offset),
			(unsigned)r->parser.problem_value);
	const char *why = r->parser.problem ? r->parser.problem : "cannot be read";
	int line = (int)r->parser.problem_mark.line + 1;
	if (strstr(why, "cannot start any token"))
		return err_set(r->e, -EINVAL,
			"%s:%d: a tab or a character that YAML does not allow here; indent with spaces",
			r->file, line);
	return err_set(r->e, -EINVAL, "%s:%d: not YAML: %s", r->file, line, why);
}

void ynode_free(struct ynode *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		ynode_free(n->child[i]);
	free(n->child);
	free(n->key);
	free(n->text);
	free(n);
}

static struct ynode *node_new(struct reader *r, enum ynode_kind kind, const yaml_event_t *ev)
{
	struct ynode *n = x_calloc(1, sizeof(*n));
	n->kind = kind;
	n->line = (int)ev->start_mark.line + 1;
	r->nodes++;
	return n;
}

static void node_add(struct ynode *parent, struct ynode *child)
{
	if ((parent->n & (parent->n + 1)) == 0 || parent->n == 0)
		parent->child = x_realloc(parent->child, parent->n * 2 + 2, sizeof(*parent->child));
	parent->child[parent->n++] = child;
	child->up = parent;
}

static int refuse(struct reader *r, const yaml_event_t *ev, const char *why)
{
	return err_set(r->e, -EINVAL, "%s:%d: %s", r->file, (int)ev->start_mark.line + 1, why);
}

static int scalar_text(struct reader *r, const yaml_event_t *ev, char **ret)
{
	if (memchr(ev->data.scalar.value, 0, ev->data.scalar.length))
		return refuse(r, ev, "a NUL byte in a value");
	*ret = x_strndup((const char *)ev->data.scalar.value, ev->data.scalar.length);
	return 0;
}

static int read_node(struct reader *r, yaml_event_t *ev, int depth, struct ynode **ret);

static int read_list(struct reader *r, struct ynode *list, int depth)
{
	for (;;) {
		yaml_event_t ev;
		struct ynode *item = NULL;
		int rc = read_event(r, &ev);
		if (rc)
			return rc;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return 0;
		}
		rc = read_node(r, &ev, depth + 1, &item);
		yaml_event_delete(&ev);
		if (rc)
			return rc;
		node_add(list, item);
	}
}

static int read_key(struct reader *r, const struct ynode *map, const yaml_event_t *ev, char **ret)
{
	if (ev->type != YAML_SCALAR_EVENT)
		return refuse(r, ev, "a key must be a plain text");
	int rc = scalar_text(r, ev, ret);
	if (rc)
		return rc;
	const struct ynode *old = ynode_get(map, *ret);
	if (old) {
		rc = err_set(r->e, -EINVAL, "%s:%d: key '%.60s' stands twice (first in line %d)",
			r->file, (int)ev->start_mark.line + 1, *ret, old->line);
		free(*ret);
	}
	return rc;
}

static int read_map(struct reader *r, struct ynode *map, int depth)
{
	for (;;) {
		yaml_event_t ev;
		char *key = NULL;
		struct ynode *value = NULL;
		int rc = read_event(r, &ev);
		if (rc)
			return rc;
		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			return 0;
		}
		rc = read_key(r, map, &ev, &key);
		yaml_event_delete(&ev);
		if (rc)
			return rc;
		rc = read_event(r, &ev);
		if (!rc) {
			rc = read_node(r, &ev, depth + 1, &value);
			yaml_event_delete(&ev);
		}
		if (rc) {
			free(key);
			return rc;
		}
		value->key = key;
		node_add(map, value);
	}
}

static int read_node(struct reader *r, yaml_event_t *ev, int depth, struct ynode **ret)
{
	if (depth > DEPTH_MAX)
		return refuse(r, ev, "nested more than 16 levels deep");
	if (r->nodes >= NODES_MAX)
		return refuse(r, ev, "more than 100,000 values");
	struct ynode *n = NULL;
	int rc = 0;
	switch ((int)ev->type) {
	case YAML_SCALAR_EVENT:
		if (ev->data.scalar.anchor || ev->data.scalar.tag)
			return refuse(r, ev, "anchors and tags are not used here");
		n = node_new(r, YN_SCALAR, ev);
		n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		rc = scalar_text(r, ev, &n->text);
		break;
	case YAML_SEQUENCE_START_EVENT:
		if (ev->data.sequence_start.anchor || ev->data.sequence_start.tag)
			return refuse(r, ev, "anchors and tags are not used here");
		n = node_new(r, YN_LIST, ev);
		rc = read_list(r, n, depth);
		break;
	case YAML_MAPPING_START_EVENT:
		if (ev->data.mapping_start.anchor || ev->data.mapping_start.tag)
			return refuse(r, ev, "anchors and tags are not used here");
		n = node_new(r, YN_MAP, ev);
		rc = read_map(r, n, depth);
		break;
	case YAML_ALIAS_EVENT:
		return refuse(r, ev, "aliases are not used here: write the value out");
	default: return refuse(r, ev, "unexpected end of the document");
	}
	if (rc)
		ynode_free(n);
	else
		*ret = n;
	return rc;
}

static int read_document(struct reader *r, struct ynode **ret)
{
	struct ynode *root = NULL;
	for (int i = 0; i < 8; i++) {
		yaml_event_t ev;
		int rc = read_event(r, &ev);
		if (rc)
			goto fail;
		int type = (int)ev.type;
		if (type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&ev);
			*ret = root;
			return 0;
		}
		if (type == YAML_DOCUMENT_START_EVENT && root) {
			(void)refuse(r, &ev, "a second document in one file");
			rc = -EINVAL;
		} else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
			type != YAML_DOCUMENT_END_EVENT) {
			rc = read_node(r, &ev, 0, &root);
		}
		yaml_event_delete(&ev);
		if (rc)
			goto fail;
	}
fail:
	ynode_free(root);
	return -EINVAL;
}

int conf_yaml_parse(const char *file, struct str text, struct ynode **ret, struct err *e)
{
	struct reader r = { .file = file, .e = e };
	size_t bad = 0;
	if (text.n > TEXT_MAX)
		return err_set(
			e, -EFBIG, "%s: over 16 MB; a file of this kind is never so large", file);
	if (!utf8_valid(text, &bad))
		return err_set(e, -EILSEQ, "%s:%d: not UTF-8 at byte %zu; save the file as UTF-8",
			file, line_of(text, bad), bad);
	if (str_starts(text, "\xef\xbb\xbf"))
		text = (struct str){ text.p + 3, text.n - 3 };
	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	r.text = text;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	struct ynode *root = NULL;
	int rc = read_document(&r, &root);
	yaml_parser_delete(&r.parser);
	if (!rc && !root) {
		root = x_calloc(1, sizeof(*root)); /* an empty file is an empty map */
		root->kind = YN_MAP;
		root->line = 1;
	}
	if (!rc)
		*ret = root;
	return rc;
}

const struct ynode *ynode_get(const struct ynode *map, const char *key)
{
	if (!map || map->kind != YN_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->child[i]->key, key) == 0)
			return map->child[i];
	return NULL;
}

bool ynode_is_null(const struct ynode *n)
{
	static const char *const words[] = { "~", "null", "Null", "NULL" };
	for (size_t i = 0; n->kind == YN_SCALAR && !n->quoted && i < ARRAY_LEN(words); i++)
		if (!strcmp(n->text, words[i]))
			return true;
	return false;
}

const char *ynode_kind_name(const struct ynode *n)
{
	return n->kind == YN_SCALAR ? "a text" : n->kind == YN_LIST ? "a list" : "a map";
}
