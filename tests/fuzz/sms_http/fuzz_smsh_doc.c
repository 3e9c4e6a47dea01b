/* The notations of gateways in each charset: a tree within its bounds whose texts are UTF-8 without NUL, whose nodes hang together and whose
 * numbers stay as they were written. */
#include <string.h>
#include "../host.h"
#include "sms_http/smsh_doc.h"

static void tree(const struct smsh_doc *d)
{
	MUST(d->n >= 1 && d->n <= SMSH_NODES_MAX);
	for (uint32_t i = 0; i < d->n; i++) {
		const struct smsh_node *v = &d->nodes[i];
		uint32_t depth = 0, kids = 0;
		MUST(i == 0 || (v->parent < i && d->nodes[v->parent].type >= SMSH_ARRAY));
		for (uint32_t up = i; up != 0 && depth <= SMSH_DEPTH_MAX + 1;
			up = d->nodes[up].parent)
			depth++;
		MUST(depth <= SMSH_DEPTH_MAX + 1);
		MUST(ltc_utf8_valid(v->text) && ltc_utf8_valid(v->key));
		MUST(v->text.n == 0 || memchr(v->text.p, 0, v->text.n) == NULL);
		for (uint32_t c = v->first; c != SMSH_NONE; c = d->nodes[c].next) {
			MUST(c > i && c < d->n && d->nodes[c].parent == i);
			kids++;
		}
		MUST(kids == smsh_count(d, i) || v->type < SMSH_ARRAY);
		if (kids > 0)
			MUST(smsh_child(d, i, 0) == v->first &&
				smsh_child(d, i, kids) == SMSH_NONE);
	}
}

static void pointers(const struct smsh_doc *d, struct lt_str pointer)
{
	static const char *const some[] = { "", "/", "/0", "/a/b", "//id", "//CodeResult", "/~0~1",
		"/99999999999999999999" };

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		uint32_t at = smsh_at(d, 0, ltc_z(some[i]));
		MUST(at == SMSH_NONE || at < d->n);
		(void)smsh_text(d, at);
	}
	uint32_t at = smsh_at(d, 0, pointer);
	MUST(at == SMSH_NONE || at < d->n);
}

static int read_as(struct smsh_doc *d, int f, enum smsh_charset c, struct lt_str in)
{
	static regex_t re;
	static bool made;

	if (f != SMSH_F_REGEX)
		return smsh_doc_read_as(d, (enum smsh_format)f, c, in);
	MUST(made || regcomp(&re, "^([A-Z]+)?[ :]*([0-9]*)(.|$)", REG_EXTENDED | REG_NEWLINE) == 0);
	made = true;
	return smsh_doc_match(d, &re, c, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lt_str in = { (const char *)p, n }, rest = in, first = fh_part(&rest);
	struct smsh_doc d;

	for (int f = SMSH_F_JSON; f <= SMSH_F_REGEX; f++)
		for (int c = SMSH_C_UTF8; c <= SMSH_C_1258; c++) {
			int rc = read_as(&d, f, (enum smsh_charset)c, in);
			if (rc == 0) {
				tree(&d);
				pointers(&d, first);
			} else {
				MUST(d.why[0] != '\0' || rc != -22);
			}
			smsh_doc_done(&d);
		}
	return 0;
}
