/* yaml_tree.h - front matter as a small tree with line numbers. A strict subset of YAML: no anchors, aliases, tags,
 * several documents, keys that are no plain text, or duplicate keys. Pure and thread-safe.
 * Maximum: YAML_NODES_MAX nodes, YAML_DEPTH_MAX levels.
 */
#ifndef LANTOA_CONTENT_YAML_TREE_H
#define LANTOA_CONTENT_YAML_TREE_H

#include "content/doc_arena.h"
#include "content/problem.h"

#define YAML_NODES_MAX 10000
#define YAML_DEPTH_MAX 6
#define YAML_KEY_MAX   80

enum yaml_node_type { YAML_TEXT = 1, YAML_LIST = 2, YAML_MAP = 3 };
struct yaml_node {
	enum yaml_node_type type;
	bool quoted; /* in quotes or a block: never a null */
	bool block;  /* | or >: its first line of text stands on the line below */
	int line;
	const char *key; /* in a map; else "" */
	int key_line;
	struct str text; /* NFC, NUL-terminated */
	struct yaml_node *first, *last, *next;
	size_t n; /* children */
};
/* 0 with *ret in the arena (an empty text gives an empty map), -EINVAL with an error in p, -ENOMEM. */
int yaml_tree_parse(struct str text, const char *file, int first_line, struct doc_arena *a,
	struct yaml_node **ret, struct content_problems *p) MUST_CHECK;

#endif
