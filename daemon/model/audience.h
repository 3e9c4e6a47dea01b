/* audience.h - the rule of an audience, its canonical JSON form, and nothing else; resolving it is SQL (store_office). Pure.
 * Clauses of `any` are ORed, keys in a clause ANDed, values of a key ORed; `not` clauses take away. Without `any` it needs broad.
 */
#ifndef LANTOA_MODEL_AUDIENCE_H
#define LANTOA_MODEL_AUDIENCE_H

#include <stdbool.h>
#include <cjson/cJSON.h>
#include "base/buf.h"
#include "base/err.h"

#define AUDIENCE_CLAUSES_MAX 32
#define AUDIENCE_VALUES_MAX  256

enum audience_key { AK_REGION, AK_OFFICE, AK_UNDER, AK_TAG, AK_LIST, AK_LANG, AK_COUNT };
struct audience_values {
	char **v;
	size_t n;
};
struct audience_clause {
	struct audience_values key[AK_COUNT];
};
struct audience {
	struct audience_clause *any, *not_;
	size_t n_any, n_not;
	bool broad;
};
int audience_from_json(const cJSON *j, struct audience **ret, struct err *e)
	MUST_CHECK; /* {"any":[{"region":["bac"],"tag":["page"]}],"not":[],"broad":false}; a lone string is a list of one */
int audience_to_json(const struct audience *a,
	struct buf *ret) MUST_CHECK; /* canonical: keys in enum order, values sorted, NFC */
void audience_free(struct audience *a);
DEFINE_CLEANUP(audience_free, struct audience *)
const char *audience_key_name(enum audience_key k);

#endif
