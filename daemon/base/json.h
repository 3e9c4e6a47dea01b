/* json.h - cJSON with its edges taken off: a maximum size and depth, case-sensitive getters, integers kept exact.
 * json_parse quotes whole numbers of more than 15 digits before cJSON turns them into doubles; json_i64 reads both forms.
 * Duplicate keys in an object are refused.
 */
#ifndef LANTOA_BASE_JSON_H
#define LANTOA_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <cjson/cJSON.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 32
#define JSON_NODES_MAX 200000

int json_parse(struct str text, size_t max_bytes, cJSON **ret,
	struct err *e) MUST_CHECK; /* whole text one document; owned */
static inline void cJSON_Delete_p(cJSON **p)
{
	cJSON_Delete(*p);
}
#define CLEANUP_JSON __attribute__((cleanup(cJSON_Delete_p)))

const cJSON *json_get(const cJSON *o, const char *key); /* NULL when absent or o is no object */
struct str json_str(const cJSON *o, const char *key);   /* absent when missing or no string */
const char *json_z(const cJSON *o, const char *key, const char *otherwise);
bool json_bool(const cJSON *o, const char *key, bool otherwise);
int64_t json_i64(
	const cJSON *o, const char *key, int64_t otherwise); /* a number, or a string of digits */
bool json_has(const cJSON *o, const char *key);
/* Building; all abort on memory. */
cJSON *json_obj(void);
cJSON *json_arr(void);
void json_put_str(cJSON *o, const char *key, struct str s); /* absent: null */
void json_put_z(cJSON *o, const char *key, const char *z);  /* NULL: null */
void json_put_i64(cJSON *o, const char *key, int64_t v);    /* over 2^53: as a string of digits */
void json_put_bool(cJSON *o, const char *key, bool v);
void json_put_double(cJSON *o, const char *key, double v);
void json_put(cJSON *o, const char *key, cJSON *v); /* v moved */
void json_add(cJSON *arr, cJSON *v);                /* v moved */
void json_add_str(cJSON *arr, struct str s);
char *json_print(const cJSON *j); /* one line, owned by the caller, free() */
/* JSON text of a string with its quotes, for hand-made lines. */
int json_quote(struct buf *b, struct str s);

#endif
