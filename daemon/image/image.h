/* image.h - what the files of lantoa-image share: a short-lived program, one thread of ours, no path, no network.
 * Order: limits, libraries initialised, jail, and only then the first byte of the picture is read.
 * Failures end as one of the codes below and one line of text; the daemon shows that text to people.
 */
#ifndef LANTOA_IMAGE_IMAGE_H
#define LANTOA_IMAGE_IMAGE_H

#include <vips/vips.h>
#include "base/err.h"
#include "content/image_head.h"
#include "content/rendition_spec.h"

#define IMAGE_HELPER_VERSION "1"
#define IMAGE_SIDE_MAX       30000u
#define IMAGE_PIXELS_MAX     100000000ull
#define IMAGE_IN_MAX         (64u << 20)

enum image_exit { /* exit codes: numbered by hand, never reused; the daemon reads them */
	IMAGE_OK = 0,
	IMAGE_USAGE = 2,
	IMAGE_NOT_A_PICTURE = 10,
	IMAGE_TOO_LARGE = 11,
	IMAGE_BROKEN = 12,
	IMAGE_NO_FIT = 13,
	IMAGE_NO_MEMORY = 14,
	IMAGE_TROUBLE = 15
};

struct image_in {
	struct str bytes;
	struct image_head head;
	int frames, orientation; /* as EXIF numbers it; 1: upright */
};
struct image_out {
	void *p; /* g_free */
	size_t n;
	int width, height, quality; /* quality 0: without loss */
	enum rendition_format format;
};
/* image_open.c: refuses by header; ret: header of the picture, nothing decoded. 0 or an image_exit and e. */
int image_look(struct image_in *in, struct err *e) MUST_CHECK;
/* Decoded at 1/shrink (1, 2, 4, 8; PNG and GIF always whole), not turned yet; colours and bands as stored. *ret is owned. */
int image_load(const struct image_in *in, int shrink, VipsImage **ret, struct err *e) MUST_CHECK;
/* To 8-bit sRGB of 3 or 4 bands. `in` is consumed. */
int image_colour(VipsImage *in, VipsImage **ret, struct err *e) MUST_CHECK;
/* The library's own words, cut and cleaned. */
int image_vips_error(int code, const char *what, struct err *e);
/* image_fit.c: the best that the spec allows. */
int image_fit(struct image_in *in, const struct rendition_spec *spec, struct image_out *ret,
	struct err *e) MUST_CHECK;

#endif
