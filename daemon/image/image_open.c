/* image_open.c - from bytes to 8-bit sRGB: refused by header first, then one of four loaders, never one guessed by the library.
 * Owns: what it returns. Failures: one sentence that a person understands; the library's own words stand in brackets.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "image/image.h"

#define BOMB_FROM  (64ull << 20) /* decoded bytes */
#define BOMB_RATIO 900           /* decoded to packed */

int image_vips_error(int code, const char *what, struct err *e)
{
	char own[120];
	size_t n = 0;
	for (const char *p = vips_error_buffer(); *p && n < sizeof(own) - 1; p++)
		own[n++] = (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p;
	while (n && own[n - 1] == ' ')
		n--;
	own[n] = 0;
	vips_error_clear();
	if (strstr(own, "out of memory") || strstr(own, "nsufficient memory"))
		return err_set(e, IMAGE_NO_MEMORY, "needs more memory than a picture may have");
	return err_set(e, code, "%s%s%s%s", what, n ? " (" : "", own, n ? ")" : "");
}

static int refuse_by_header(const struct image_in *in, struct err *e)
{
	const struct image_head *h = &in->head;
	uint64_t pixels = (uint64_t)h->width * h->height;
	if (!media_is_picture(h->type))
		return err_set(e, IMAGE_NOT_A_PICTURE,
			"is no picture: its content is not PNG, JPEG, WebP or GIF, whatever its name says");
	if (h->broken || !h->width || !h->height)
		return err_set(
			e, IMAGE_BROKEN, "is broken: its header makes no sense or is cut off");
	if (h->width > IMAGE_SIDE_MAX || h->height > IMAGE_SIDE_MAX || pixels > IMAGE_PIXELS_MAX)
		return err_set(e, IMAGE_TOO_LARGE,
			"has %u x %u pixels: at most %u on a side and %llu million in all",
			h->width, h->height, IMAGE_SIDE_MAX, IMAGE_PIXELS_MAX / 1000000);
	if (pixels * 3 > BOMB_FROM && pixels * 3 / BOMB_RATIO > in->bytes.n)
		return err_set(e, IMAGE_TOO_LARGE,
			"is a decompression bomb: %zu bytes would become %llu million pixels",
			in->bytes.n, (unsigned long long)pixels / 1000000);
	return 0;
}

static int load(const struct image_in *in, int shrink, VipsImage **ret)
{
	/* the loaders do not write into the buffer: their argument is not const only by habit */
	union {
		const char *c;
		void *m;
	} p = { .c = in->bytes.p };
	enum media_type t = in->head.type;
	if (t == MEDIA_PNG)
		return vips_pngload_buffer(p.m, in->bytes.n, ret, "access", VIPS_ACCESS_SEQUENTIAL,
			"fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
	if (t == MEDIA_JPEG)
		return vips_jpegload_buffer(p.m, in->bytes.n, ret, "access", VIPS_ACCESS_SEQUENTIAL,
			"shrink", shrink, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
	if (t == MEDIA_WEBP)
		return vips_webpload_buffer(p.m, in->bytes.n, ret, "access", VIPS_ACCESS_SEQUENTIAL,
			"scale", 1.0 / shrink, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
	return vips_gifload_buffer(p.m, in->bytes.n, ret, "access", VIPS_ACCESS_SEQUENTIAL,
		"fail_on", VIPS_FAIL_ON_ERROR, NULL);
}

int image_load(const struct image_in *in, int shrink, VipsImage **ret, struct err *e)
{
	if (load(in, shrink, ret))
		return image_vips_error(IMAGE_BROKEN, "is broken or cut off", e);
	if (vips_image_get_width(*ret) > 0 && vips_image_get_height(*ret) > 0)
		return 0;
	g_object_unref(*ret);
	return err_set(e, IMAGE_BROKEN, "is broken: it has no pixels");
}

int image_look(struct image_in *in, struct err *e)
{
	VipsImage *v = NULL;
	image_head_read(in->bytes, &in->head);
	const struct image_head *h = &in->head;
	int rc = refuse_by_header(in, e);
	if (rc)
		return rc;
	/* a WebP is given its memory when it is opened: as little as can be */
	rc = image_load(in, h->type == MEDIA_WEBP ? 8 : 1, &v, e);
	if (rc)
		return rc;
	uint32_t width = (uint32_t)vips_image_get_width(v),
		 height = (uint32_t)vips_image_get_page_height(v);
	in->frames = vips_image_get_n_pages(v);
	in->orientation = vips_image_get_orientation(v);
	if (h->type != MEDIA_WEBP && (width != h->width || height != h->height))
		rc = err_set(e, IMAGE_BROKEN, "is broken: it says %u x %u pixels and %u x %u",
			h->width, h->height, width, height);
	g_object_unref(v);
	return rc;
}

/* The new picture takes the place of the old one; NULL: it could not be made. */
static int replace(VipsImage **im, VipsImage *next)
{
	if (!next)
		return -1;
	g_object_unref(*im);
	*im = next;
	return 0;
}

static int to_8_bit(VipsImage **im)
{
	VipsImage *next = NULL;
	if (vips_image_get_format(*im) == VIPS_FORMAT_UCHAR)
		return 0;
	if (vips_cast(*im, &next, VIPS_FORMAT_UCHAR, "shift", TRUE, NULL) || replace(im, next))
		return -1;
	next = NULL;
	VipsInterpretation is = vips_image_get_interpretation(*im);
	if (is == VIPS_INTERPRETATION_RGB16)
		is = VIPS_INTERPRETATION_sRGB;
	else if (is == VIPS_INTERPRETATION_GREY16)
		is = VIPS_INTERPRETATION_B_W;
	if (vips_copy(*im, &next, "interpretation", is, NULL))
		return -1;
	return replace(im, next);
}

/* By its own profile where it has one that makes sense; CMYK without one by a usual press. */
static int by_profile(VipsImage **im)
{
	VipsImage *next = NULL;
	bool cmyk = vips_image_get_interpretation(*im) == VIPS_INTERPRETATION_CMYK;
	if (!cmyk && !vips_image_get_typeof(*im, VIPS_META_ICC_NAME))
		return 0;
	if (vips_icc_transform(*im, &next, "srgb", "embedded", TRUE, "input_profile",
		    cmyk ? "cmyk" : "srgb", "intent", VIPS_INTENT_RELATIVE, "depth", 8, NULL)) {
		vips_error_clear(); /* a broken profile is as good as none */
		return 0;
	}
	return replace(im, next);
}

int image_colour(VipsImage *in, VipsImage **ret, struct err *e)
{
	VipsImage *im = in, *next = NULL;
	int rc = to_8_bit(&im);
	rc = rc ? rc : by_profile(&im);
	if (!rc && vips_image_get_interpretation(im) != VIPS_INTERPRETATION_sRGB)
		rc = vips_colourspace(im, &next, VIPS_INTERPRETATION_sRGB, NULL)
			? -1
			: replace(&im, next);
	int bands = rc ? 0 : vips_image_get_bands(im);
	if (rc || bands < 3 || bands > 4 || vips_image_get_format(im) != VIPS_FORMAT_UCHAR) {
		g_object_unref(im);
		return image_vips_error(IMAGE_BROKEN, "has colours that are not understood", e);
	}
	*ret = im;
	return 0;
}
