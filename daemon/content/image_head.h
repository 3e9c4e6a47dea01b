/* image_head.h - what a file is, from its first bytes: no decoder, no allocation. Pure and thread-safe. */
#ifndef LANTOA_CONTENT_IMAGE_HEAD_H
#define LANTOA_CONTENT_IMAGE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"

#define IMAGE_HEAD_BYTES (1u << 20) /* give as many first bytes as there are, up to this */

enum media_type {
	MEDIA_UNKNOWN = 0,
	MEDIA_PNG = 1,
	MEDIA_JPEG = 2,
	MEDIA_WEBP = 3,
	MEDIA_GIF = 4,
	MEDIA_PDF = 5,
	MEDIA_ZIP = 6,
	MEDIA_DOCX = 7,
	MEDIA_XLSX = 8,
	MEDIA_PPTX = 9,
	MEDIA_MP4 = 10,
	MEDIA_TEXT = 11,
	MEDIA_OLE = 12 /* old Office */,
	MEDIA_VTT = 13,
	MEDIA_SRT = 14,
	MEDIA_ODF = 15,
	MEDIA_HEIF = 16 /* HEIC of a telephone, AVIF: known, and not taken */
};
struct image_head {
	enum media_type type;
	uint32_t width, height; /* 0 when it is no picture, or its header is cut or broken */
	bool broken;            /* begins like a picture, but its header makes no sense */
};
void image_head_read(struct str head, struct image_head *ret);
/* A JPEG whose frame header lies behind these bytes: the place of its next segment, which may be far off. 0: it does not go on. */
size_t image_head_goes_on(struct str head);
/* The EXIF of a JPEG says where it was taken. */
bool image_head_has_place(struct str head);
/* More than one frame, by as many first bytes as are given: a GIF, or a WebP that says so. */
bool image_head_moves(struct str head);
const char *media_type_name(enum media_type t); /* "image/png" */
bool media_is_picture(enum media_type t);
bool media_fits_name(enum media_type t,
	struct str file); /* the name's ending agrees with the type; unknown endings do */

#endif
