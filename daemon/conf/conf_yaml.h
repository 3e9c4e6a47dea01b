/* conf_yaml.h - a YAML document as a small tree that knows its lines; on libyaml's events. For conf and for imports in YAML.
 * Refused: anchors, aliases, tags, several documents, duplicate keys, more than 16 levels, 100,000 nodes or max bytes, tabs, bad UTF-8.
 */
#ifndef LANTOA_CONF_YAML_H
#define LANTOA_CONF_YAML_H

#include "base/err.h"
#include <stdbool.h>
#include "base/str.h"

enum ynode_kind { YN_SCALAR = 1, YN_LIST = 2, YN_MAP = 3 };
struct ynode {
	enum ynode_kind kind;
	int line;               /* from 1 */
	bool quoted;            /* scalar in quotes: never null, see ynode_is_null */
	char *key;              /* owned; set when the parent is a map */
	char *text;             /* owned; scalar only, NUL-terminated, no NUL inside */
	struct ynode **child;   /* owned; list items or map values in order */
	const struct ynode *up; /* borrowed: the list or map that it stands in; NULL: the root */
	size_t n;
};

/* file: for messages only. */
int conf_yaml_parse(
	const char *file, struct str text, struct ynode **ret, struct err *e) MUST_CHECK;
void ynode_free(struct ynode *n);
DEFINE_CLEANUP(ynode_free, struct ynode *)
const struct ynode *ynode_get(const struct ynode *map, const char *key); /* NULL when absent */
/* YAML's words for nothing, ~ and null: no text of that name is meant. What is in quotes is a text. */
bool ynode_is_null(const struct ynode *n);
const char *ynode_kind_name(const struct ynode *n); /* "a text", "a list", "a map" */

#endif
