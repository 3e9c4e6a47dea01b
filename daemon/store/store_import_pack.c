/* store_import_pack.c - rows of an import as bytes: u32 length, fixed fields, eight strings with u32 lengths, host order.
 * Thread: any, pure. Failures: a torn block is seen by its lengths; nothing is read past its end.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_import_internal.h"

struct fixed {
	uint32_t len; /* of all that follows this field */
	uint8_t what, kind, reason, flags;
	int32_t line, lane;
	int64_t office_id;
};
_Static_assert(sizeof(struct fixed) == 24, "layout of a packed row");
#define STRINGS 8

static void strings_of(struct import_row *r, struct str *(*ret)[STRINGS])
{
	struct str *all[STRINGS] = { &r->address, &r->form, &r->class, &r->name, &r->lang, &r->tags,
		&r->lists, &r->vars };
	memcpy(*ret, all, sizeof(all));
}

int import_pack_step(struct buf *b, const struct import_row *row, enum step_do what)
{
	struct import_row r = *row;
	struct str *s[STRINGS];
	size_t from = b->n;
	struct fixed f = { .what = (uint8_t)what,
		.kind = (uint8_t)r.kind,
		.reason = (uint8_t)r.reason,
		.flags = (uint8_t)r.flags,
		.line = r.line,
		.lane = r.lane,
		.office_id = r.office_id };

	strings_of(&r, &s);
	size_t len = sizeof(f) - sizeof(f.len);
	for (size_t i = 0; i < STRINGS; i++)
		len += sizeof(uint32_t) + s[i]->n;
	f.len = (uint32_t)len;
	if (buf_reserve(b, len + sizeof(f.len)) < 0)
		return -E2BIG;
	buf_add(b, &f, sizeof(f));
	for (size_t i = 0; i < STRINGS; i++) {
		uint32_t n = (uint32_t)s[i]->n;
		buf_add(b, &n, sizeof(n));
		if (n)
			buf_add(b, s[i]->p, n);
	}
	REQUIRE(b->n - from == len + sizeof(f.len));
	return 0;
}

int import_pack(struct buf *block, const struct import_row *row)
{
	return import_pack_step(block, row, STEP_PUT);
}

bool import_unpack(struct str *rest, struct import_row *ret, enum step_do *ret_do)
{
	struct fixed f;
	struct str *s[STRINGS];

	if (rest->n < sizeof(f))
		return false;
	memcpy(&f, rest->p, sizeof(f));
	if (rest->n - sizeof(f.len) < f.len || f.len < sizeof(f) - sizeof(f.len))
		return false;
	*ret = (struct import_row){ .line = f.line,
		.kind = f.kind,
		.reason = f.reason,
		.flags = f.flags,
		.lane = f.lane,
		.office_id = f.office_id };
	*ret_do = (enum step_do)f.what;
	const char *p = rest->p + sizeof(f), *end = rest->p + sizeof(f.len) + f.len;
	strings_of(ret, &s);
	for (size_t i = 0; i < STRINGS; i++) {
		uint32_t n;
		if ((size_t)(end - p) < sizeof(n))
			return false;
		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		if ((size_t)(end - p) < n)
			return false;
		*s[i] = (struct str){ p, n };
		p += n;
	}
	*rest = (struct str){ end, rest->n - (size_t)(end - rest->p) };
	return true;
}

size_t import_peek(const char *rec, struct import_row *ret)
{
	struct fixed f;
	uint32_t n;
	memcpy(&f, rec, sizeof(f));
	memcpy(&n, rec + sizeof(f), sizeof(n));
	ret->kind = f.kind;
	ret->line = f.line;
	ret->office_id = f.office_id;
	ret->address = (struct str){ rec + sizeof(f) + sizeof(n),
		n }; /* the first of the strings */
	return sizeof(f.len) + f.len;
}

size_t import_whole(struct str block)
{
	size_t at = 0;
	uint32_t len;
	while (block.n - at >= sizeof(len)) {
		memcpy(&len, block.p + at, sizeof(len));
		if (block.n - at - sizeof(len) < len)
			break;
		at += sizeof(len) + len;
	}
	return at;
}

int names_add(struct stage_names *n, struct str text)
{
	uintptr_t at = (uintptr_t)(n->by_text ? maps_get(n->by_text, text) : NULL);
	if (at)
		return (int)at - 1;
	if (n->n == IMPORT_NAMES_MAX)
		return -E2BIG;
	if (!n->by_text)
		n->by_text = maps_new();
	if (n->n == n->cap) {
		n->cap = n->cap ? 2 * n->cap : 32;
		n->v = x_realloc(n->v, n->cap, sizeof(*n->v));
	}
	n->v[n->n] = (struct stage_name){ .text = x_strndup(text.p ? text.p : "", text.n) };
	n->n++;
	maps_put(n->by_text, text, (void *)(uintptr_t)n->n); /* number + 1, never followed */
	return (int)n->n - 1;
}

int64_t names_id(const struct stage_names *n, struct str text)
{
	uintptr_t at = (uintptr_t)(n->by_text ? maps_get(n->by_text, text) : NULL);
	return at ? n->v[at - 1].id : 0;
}
