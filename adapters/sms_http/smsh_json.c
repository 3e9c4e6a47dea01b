/* smsh_json.c - JSON as nodes of smsh_doc.h, so that one pointer finds its place in every notation. Read strictly: gateways and vendor
 * files are told line and reason. Thread: any, pure. Owns: nothing; keys and texts are the tree's, which the document keeps. */
#include <errno.h>
#include "../common/json.h"
#include "smsh_doc.h"

static const enum smsh_type types[] = { [LTC_JSON_NULL] = SMSH_NULL,
	[LTC_JSON_BOOL] = SMSH_BOOL,
	[LTC_JSON_NUMBER] = SMSH_NUMBER,
	[LTC_JSON_STRING] = SMSH_STRING,
	[LTC_JSON_ARRAY] = SMSH_ARRAY,
	[LTC_JSON_OBJECT] = SMSH_OBJECT };

static int add(struct smsh_doc *d, const struct ltc_json *n, uint32_t parent)
{
	uint32_t line = ltc_json_line(n);
	uint32_t at = smsh_node_add(d, parent, types[ltc_json_kind(n)], line);

	if (at == SMSH_NONE)
		return smsh_doc_fail(d, line, "too many values"), -E2BIG;
	d->nodes[at].key = ltc_json_name(n);
	d->nodes[at].text = ltc_json_text(n);
	for (const struct ltc_json *c = ltc_json_first(n); c != NULL; c = ltc_json_next(c)) {
		int rc = add(d, c, at);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int smsh_json_read(struct smsh_doc *d, struct lt_str text)
{
	struct ltc_json_fault fault = { 0 };

	if (ltc_starts(text, "\xef\xbb\xbf"))
		text = ltc_from(text, 3);
	d->json = ltc_json_parse(text, LTC_JSON_STRICT, &fault);
	return d->json == NULL ? smsh_doc_fail(d, fault.line, fault.why)
			       : add(d, d->json, SMSH_NONE);
}
