/* rendition_spec.h - what an adapter asks of a picture, as text: "png<=1000000B|jpeg<=4000000B<=2048x2048px ratio=16:9 crop=top".
 * Alternatives are parted by '|'; limits that an alternative does not name are those of the last one. Pure, thread-safe.
 * The same text is read by the daemon (to refuse it early) and by the helper lantoa-image (docs/renditions.md).
 */
#ifndef LANTOA_CONTENT_RENDITION_SPEC_H
#define LANTOA_CONTENT_RENDITION_SPEC_H

#include "base/err.h"
#include "base/str.h"

#define RENDITION_SPEC_MAX  120
#define RENDITION_BYTES_MAX (32u << 20)
#define RENDITION_SIDE_MAX  16384u
#define RENDITION_KINDS     2

enum rendition_format { RENDITION_PNG = 1, RENDITION_JPEG = 2 };
enum rendition_crop {
	RENDITION_CROP_CENTRE = 0, /* both sides are cut evenly */
	RENDITION_CROP_TOP = 1,    /* the upper edge stays */
	RENDITION_CROP_FIT = 2,    /* nothing is cut: white bars */
	RENDITION_CROP_NONE = 3    /* a picture of another ratio is refused */
};
struct rendition_kind {
	enum rendition_format format;
	uint32_t bytes, width, height; /* greatest */
};
struct rendition_spec {
	struct rendition_kind kind[RENDITION_KINDS]; /* as named, each format once */
	size_t n;
	uint32_t ratio_w, ratio_h; /* 0: any */
	enum rendition_crop crop;
};
int rendition_spec_parse(struct str text, struct rendition_spec *ret, struct err *e) MUST_CHECK;
const char *rendition_format_name(enum rendition_format f); /* "png", "jpeg" */

#endif
