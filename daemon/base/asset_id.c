/* asset_id.c - names of assets and renditions as text, and back. Pure; anything that is not exactly such a name is refused. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/asset_id.h"

#define HEX (HASH_HEX - 1)

static int read_facts(struct str rest, struct asset_id *a)
{
	struct str bytes, box, type, w, h;
	int64_t n = 0, x = 0, y = 0;
	if (str_ends(rest, ":") || !str_next(&rest, ':', &bytes) || !str_next(&rest, ':', &box) ||
		!str_next(&rest, ':', &type) || rest.n || str_ends(box, "x") ||
		!str_next(&box, 'x', &w) || !str_next(&box, 'x', &h) || box.n)
		return -EINVAL;
	if (str_i64(bytes, 1, INT64_MAX, &n) || str_i64(w, 1, UINT32_MAX, &x) ||
		str_i64(h, 1, UINT32_MAX, &y) || (!str_eqz(type, "png") && !str_eqz(type, "jpeg")))
		return -EINVAL;
	a->bytes = (uint64_t)n;
	a->width = (uint32_t)x;
	a->height = (uint32_t)y;
	(void)str_copy(a->type, sizeof(a->type), type);
	return 0;
}

int asset_id_read(struct str text, struct asset_id *ret)
{
	struct asset_id a = { 0 };
	if (!text.p || text.n < HEX || hash_from_hex((struct str){ text.p, HEX }, &a.hash))
		return -EINVAL;
	if (text.n > HEX &&
		(text.p[HEX] != ':' ||
			read_facts((struct str){ text.p + HEX + 1, text.n - HEX - 1 }, &a)))
		return -EINVAL;
	*ret = a;
	return 0;
}

char *asset_id_write(const struct asset_id *a, char *dst)
{
	hash_hex(&a->hash, dst);
	if (a->bytes)
		(void)snprintf(dst + HEX, ASSET_ID_MAX - HEX,
			":%" PRIu64 ":%" PRIu32 "x%" PRIu32 ":%s", a->bytes, a->width, a->height,
			a->type);
	return dst;
}
