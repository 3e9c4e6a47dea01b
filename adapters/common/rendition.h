/* rendition.h - what the host says of a rendition in its id: "HASH:BYTES:WIDTHxHEIGHT:TYPE" (docs/renditions.md). Pure. */
#ifndef LANTOA_ADAPTERS_COMMON_RENDITION_H
#define LANTOA_ADAPTERS_COMMON_RENDITION_H

#include <lantoa/adapter.h>

struct rendition_facts {
	uint64_t bytes;
	uint32_t width, height;
	const char *content_type, *ending; /* "image/jpeg", "jpg"; literals */
};
/* 0; -1: the id of an asset, or none at all: its facts stand in its lt_asset. */
int rendition_facts(struct lt_str id, struct rendition_facts *ret);

#endif
