/* facebook_json.h - answers of the Graph API as trees, with its oddities taken off: long integers stay exact, a repeated key is
 * no fault (the usage header repeats them), a missing member is absent.
 * Thread: any, pure. Owns: the tree, until fbj_free. Failures: NULL for what is no JSON or nests deeper than 32. */
#ifndef LANTOA_FACEBOOK_JSON_H
#define LANTOA_FACEBOOK_JSON_H

#include "../common/text.h"

#define FBJ_BYTES_MAX (1u << 20)
#define FBJ_DEPTH_MAX 32

struct fbj; /* opaque: a node */

struct fbj *fbj_parse(struct lt_str text);
void fbj_free(struct fbj *root); /* NULL allowed */
const struct fbj *fbj_get(
	const struct fbj *o, const char *key);               /* NULL: absent, or o is no object */
struct lt_str fbj_str(const struct fbj *o, const char *key); /* text, or a number as it stood */
int64_t fbj_i64(const struct fbj *o, const char *key, int64_t otherwise);
bool fbj_true(const struct fbj *o, const char *key);
const struct fbj *fbj_first(const struct fbj *list); /* of an array or object */
const struct fbj *fbj_next(const struct fbj *node);
struct lt_str fbj_name(const struct fbj *node); /* key of a member */
struct lt_str fbj_text(const struct fbj *node); /* of a text node; else absent */
int64_t fbj_number(const struct fbj *node, int64_t otherwise);
size_t fbj_count(const struct fbj *list);

#endif
