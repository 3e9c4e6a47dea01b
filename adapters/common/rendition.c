/* rendition.c - reads the facts in a rendition's id. Pure; an id of another form has none. */
#include <stdbool.h>
#include <string.h>
#include "common/rendition.h"

#define HEX 64

/* A decimal number up to `end`; 0: it is none. *at goes behind the end. */
static uint64_t number(struct lt_str s, size_t *at, char end)
{
	uint64_t v = 0;
	while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9' && v < UINT64_MAX / 16)
		v = v * 10 + (uint64_t)(s.p[(*at)++] - '0');
	return *at < s.n && s.p[(*at)++] == end ? v : 0;
}

int rendition_facts(struct lt_str id, struct rendition_facts *ret)
{
	size_t at = HEX + 1;
	if (!id.p || id.n <= at || id.p[HEX] != ':')
		return -1;
	uint64_t bytes = number(id, &at, ':'), w = number(id, &at, 'x'), h = number(id, &at, ':');
	struct lt_str type = { id.p + at, id.n - at };
	bool png = type.n == 3 && !memcmp(type.p, "png", 3),
	     jpeg = type.n == 4 && !memcmp(type.p, "jpeg", 4);
	if (!bytes || !w || !h || w > UINT32_MAX || h > UINT32_MAX || (!png && !jpeg))
		return -1;
	*ret = (struct rendition_facts){ .bytes = bytes,
		.width = (uint32_t)w,
		.height = (uint32_t)h,
		.content_type = png ? "image/png" : "image/jpeg",
		.ending = png ? "png" : "jpg" };
	return 0;
}
