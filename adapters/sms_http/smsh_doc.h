/* smsh_doc.h - what a gateway says, as one kind of tree whatever its notation: JSON, XML, a form or a query.
 * Numbers stay text, so a long message id keeps every digit. Strings are decoded UTF-8 and may hold any byte but NUL.
 * XML: an element is an object named by its local name, its text stands in the node; attributes are members "@name"; the document
 * is an object that holds the root element. DOCTYPE is refused, so there are no entities but the five of XML, and no network.
 * Form and query: an object of strings. By an expression: an object of its groups, "0" the whole match, "1" the first group ...; one
 * that took no part is null.
 * Thread: any, pure. Owns: nodes, the tree of JSON and decoded bytes; keys and texts are borrowed from them or from the input, which must stay.
 * Failures: -EINVAL with line and reason in `why`; -E2BIG past SMSH_NODES_MAX or SMSH_DEPTH_MAX; -ENOMEM. */
#ifndef LANTOA_SMSH_DOC_H
#define LANTOA_SMSH_DOC_H

#include <regex.h>
#include "../common/text.h"

#define SMSH_NODES_MAX 20000u
#define SMSH_DEPTH_MAX 32u
#define SMSH_TEXT_MAX  (1u << 20)
#define SMSH_NONE      UINT32_MAX
#define SMSH_MATCH_MAX 4096u /* bytes that an expression reads */
#define SMSH_GROUPS    9u    /* of an expression that reads */

enum smsh_type { SMSH_NULL, SMSH_BOOL, SMSH_NUMBER, SMSH_STRING, SMSH_ARRAY, SMSH_OBJECT };
enum smsh_format { SMSH_F_NONE, SMSH_F_JSON, SMSH_F_XML, SMSH_F_FORM, SMSH_F_REGEX };
/* ANY: UTF-8 where it is that, else Latin-1 (of a form: each field). */
enum smsh_charset { SMSH_C_UTF8, SMSH_C_ANY, SMSH_C_LATIN1, SMSH_C_1258 };
struct ltc_json;
struct smsh_node {
	enum smsh_type type;
	uint32_t first, last, next, parent; /* SMSH_NONE: none */
	struct lt_str key, text;            /* text of scalars; XML: of an element */
	uint32_t line;
};
struct smsh_doc {
	struct smsh_node *nodes;
	uint32_t n, cap;
	struct ltc_json *json; /* owned; of JSON */
	char *input;           /* owned; the input where it was converted, or matched */
	char *bytes; /* owned; decoded strings of the rest: never more than the input, four times that of a form */
	size_t used;
	enum smsh_charset charset;
	char why[160];
};

/* UTF-8 alone. */
int smsh_doc_read(struct smsh_doc *d, enum smsh_format f, struct lt_str text) LTC_MUST;
int smsh_doc_read_as(
	struct smsh_doc *d, enum smsh_format f, enum smsh_charset c, struct lt_str text) LTC_MUST;
/* By an expression with at most SMSH_GROUPS groups, compiled without REG_NOSUB. */
int smsh_doc_match(
	struct smsh_doc *d, const regex_t *re, enum smsh_charset c, struct lt_str text) LTC_MUST;
void smsh_doc_done(struct smsh_doc *d);

/* RFC 6901 below `from` (0 is the root); "//name" is the first member of that name at any depth. SMSH_NONE: absent. */
uint32_t smsh_at(const struct smsh_doc *d, uint32_t from, struct lt_str pointer);
uint32_t smsh_member(const struct smsh_doc *d, uint32_t object, const char *key);
/* Text of a scalar or of an XML element; absent where there is none. A null is absent. */
struct lt_str smsh_text(const struct smsh_doc *d, uint32_t node);
struct lt_str smsh_text_at(const struct smsh_doc *d, uint32_t from, struct lt_str pointer);
uint32_t smsh_count(const struct smsh_doc *d, uint32_t node);
uint32_t smsh_child(const struct smsh_doc *d, uint32_t node, uint32_t i);

/* For the readers. */
uint32_t smsh_node_add(struct smsh_doc *d, uint32_t parent, enum smsh_type type, uint32_t line);
int smsh_doc_fail(struct smsh_doc *d, uint32_t line, const char *why);
int smsh_json_read(struct smsh_doc *d, struct lt_str text) LTC_MUST;
int smsh_xml_read(struct smsh_doc *d, struct lt_str text) LTC_MUST;
int smsh_form_read(struct smsh_doc *d, struct lt_str text) LTC_MUST;
size_t smsh_utf8_put(char *dst, uint32_t cp);

/* smsh_charset.c. By its name in a vendor file; none: ANY. */
enum smsh_charset smsh_charset_of(struct lt_str word);
/* The text must be converted to be read. */
bool smsh_charset_other(enum smsh_charset c, struct lt_str text);
/* As UTF-8, at most three bytes for each; returns how many. */
size_t smsh_charset_put(char *dst, enum smsh_charset c, struct lt_str text);

#endif
