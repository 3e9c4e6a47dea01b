/* image_head.c - types and dimensions from first bytes. Pure; every read is bounds-checked by at(). */
#include "content/image_head.h"

#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"

static unsigned at(struct str s, size_t i)
{
	return i < s.n ? (unsigned char)s.p[i] : 0;
}

static uint32_t be16(struct str s, size_t i)
{
	return at(s, i) << 8 | at(s, i + 1);
}

static uint32_t be32(struct str s, size_t i)
{
	return be16(s, i) << 16 | be16(s, i + 2);
}

static uint32_t le16(struct str s, size_t i)
{
	return at(s, i) | at(s, i + 1) << 8;
}

static uint32_t le24(struct str s, size_t i)
{
	return le16(s, i) | at(s, i + 2) << 16;
}

static bool has(struct str s, size_t i, const char *bytes, size_t n)
{
	return s.n >= n && i <= s.n - n && memcmp(s.p + i, bytes, n) == 0;
}

static void read_png(struct str s, struct image_head *h)
{
	h->type = MEDIA_PNG;
	if (!has(s, 12, "IHDR", 4) || be32(s, 8) != 13 || s.n < 33)
		return;
	h->width = be32(s, 16);
	h->height = be32(s, 20);
	if (h->width > INT32_MAX || h->height > INT32_MAX)
		h->width = h->height = 0;
}

static void read_gif(struct str s, struct image_head *h)
{
	h->type = MEDIA_GIF;
	if (s.n < 13)
		return;
	/* behind the header and its colours stands a picture, something beside it, or the end */
	size_t i = 13 + ((at(s, 10) & 0x80) ? (size_t)3 << ((at(s, 10) & 7) + 1) : 0);
	if (i < s.n && at(s, i) != 0x2c && at(s, i) != 0x21 && at(s, i) != 0x3b)
		return;
	h->width = le16(s, 6);
	h->height = le16(s, 8);
}

static bool is_sof(unsigned m)
{
	return m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc;
}

/* Walks the segments up to the frame header; where it goes on when the bytes end before it, else 0. */
static size_t read_jpeg(struct str s, struct image_head *h)
{
	size_t i = 2;
	h->type = MEDIA_JPEG;
	while (i + 9 < s.n) {
		if (at(s, i) != 0xff)
			return 0;
		unsigned m = at(s, i + 1);
		if (m == 0xff) {
			i++;
			continue;
		}
		if (m == 0x01 || (m >= 0xd0 && m <= 0xd8)) {
			i += 2;
			continue;
		}
		if (m == 0xd9 || m == 0xda || be16(s, i + 2) < 2)
			return 0;
		if (is_sof(m)) {
			h->height = be16(s, i + 5);
			h->width = be16(s, i + 7);
			return 0;
		}
		i += 2 + be16(s, i + 2);
	}
	return i;
}

static void read_webp(struct str s, struct image_head *h)
{
	h->type = MEDIA_WEBP;
	if (has(s, 12, "VP8X", 4) && s.n >= 30) {
		h->width = le24(s, 24) + 1;
		h->height = le24(s, 27) + 1;
	} else if (has(s, 12, "VP8L", 4) && at(s, 20) == 0x2f && s.n >= 25) {
		h->width = (le16(s, 21) & 0x3fff) + 1;
		h->height = ((at(s, 22) >> 6) | (at(s, 23) << 2) | ((at(s, 24) & 0x0f) << 10)) + 1;
	} else if (has(s, 12, "VP8 ", 4) && has(s, 23, "\x9d\x01\x2a", 3) && s.n >= 30) {
		h->width = le16(s, 26) & 0x3fff;
		h->height = le16(s, 28) & 0x3fff;
	}
}

/* The first entries of an Office file have telling names. */
static enum media_type zip_kind(struct str s)
{
	if (has(s, 30, "mimetypeapplication/vnd.oasis.opendocument", 42))
		return MEDIA_ODF;
	if (memmem(s.p, s.n, "[Content_Types].xml", 19) == NULL)
		return MEDIA_ZIP;
	if (memmem(s.p, s.n, "word/", 5) != NULL)
		return MEDIA_DOCX;
	if (memmem(s.p, s.n, "xl/", 3) != NULL)
		return MEDIA_XLSX;
	return memmem(s.p, s.n, "ppt/", 4) != NULL ? MEDIA_PPTX : MEDIA_ZIP;
}

static bool is_subtitle_time(struct str s)
{
	return memmem(s.p, s.n, " --> ", 5) != NULL;
}

/* Text: valid UTF-8 but for a cut last letter, no control characters. */
static enum media_type text_kind(struct str s)
{
	size_t bad = 0;
	if (s.n == 0)
		return MEDIA_UNKNOWN;
	if (!utf8_valid(s, &bad) && (s.n < IMAGE_HEAD_BYTES || s.n - bad > 3))
		return MEDIA_UNKNOWN;
	for (size_t i = 0; i < s.n; i++) {
		unsigned c = at(s, i);
		if (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f')
			return MEDIA_UNKNOWN;
	}
	if (has(s, 0, "WEBVTT", 6) || has(s, 0, "\xef\xbb\xbfWEBVTT", 9))
		return MEDIA_VTT;
	return is_subtitle_time(s) ? MEDIA_SRT : MEDIA_TEXT;
}

static bool is_heif(struct str s)
{
	static const char *const brands[] = { "heic", "heix", "heim", "heis", "hevc", "hevx",
		"hevm", "hevs", "mif1", "mif2", "msf1", "avif", "avis" };
	for (size_t i = 0; i < ARRAY_LEN(brands); i++)
		if (has(s, 8, brands[i], 4))
			return true;
	return false;
}

void image_head_read(struct str s, struct image_head *ret)
{
	struct image_head h = { MEDIA_UNKNOWN, 0, 0, false };
	if (has(s, 0, "\x89PNG\r\n\x1a\n", 8))
		read_png(s, &h);
	else if (has(s, 0, "\xff\xd8\xff", 3))
		(void)read_jpeg(s, &h);
	else if (has(s, 0, "GIF87a", 6) || has(s, 0, "GIF89a", 6))
		read_gif(s, &h);
	else if (has(s, 0, "RIFF", 4) && has(s, 8, "WEBP", 4))
		read_webp(s, &h);
	else if (has(s, 0, "%PDF-", 5))
		h.type = MEDIA_PDF;
	else if (has(s, 0, "PK\3\4", 4))
		h.type = zip_kind(s);
	else if (has(s, 4, "ftyp", 4))
		h.type = is_heif(s) ? MEDIA_HEIF : MEDIA_MP4;
	else if (has(s, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8))
		h.type = MEDIA_OLE;
	else
		h.type = text_kind(s);
	h.broken = media_is_picture(h.type) && (h.width == 0 || h.height == 0);
	*ret = h;
}

size_t image_head_goes_on(struct str s)
{
	struct image_head h = { MEDIA_UNKNOWN, 0, 0, false };
	return has(s, 0, "\xff\xd8\xff", 3) ? read_jpeg(s, &h) : 0;
}

#define EXIF_ENTRIES_MAX 200
#define EXIF_GPS         0x8825

/* The first directory of a TIFF, in either order of bytes. */
static bool tiff_has_place(struct str t)
{
	bool little = has(t, 0, "II*\0", 4);
	if (!little && !has(t, 0, "MM\0*", 4))
		return false;
	size_t ifd = little ? le16(t, 4) | (size_t)le16(t, 6) << 16 : be32(t, 4);
	if (ifd > t.n)
		return false;
	uint32_t n = little ? le16(t, ifd) : be16(t, ifd);
	for (size_t i = 0; i < n && i < EXIF_ENTRIES_MAX; i++) {
		size_t entry = ifd + 2 + 12 * i;
		if ((little ? le16(t, entry) : be16(t, entry)) == EXIF_GPS)
			return true;
	}
	return false;
}

bool image_head_has_place(struct str s)
{
	if (!has(s, 0, "\xff\xd8\xff", 3))
		return false;
	for (size_t i = 2;
		i + 10 < s.n && at(s, i) == 0xff && at(s, i + 1) >= 0xe0 && at(s, i + 1) <= 0xef;) {
		size_t n = be16(s, i + 2);
		if (n < 2)
			return false;
		if (at(s, i + 1) == 0xe1 && has(s, i + 4, "Exif\0\0", 6)) {
			struct str t = { s.p + i + 10, s.n - i - 10 };
			t.n = n >= 8 && t.n > n - 8 ? n - 8 : t.n;
			return tiff_has_place(t);
		}
		i += 2 + n;
	}
	return false;
}

/* Behind the last of a chain of blocks that begins at i. */
static size_t gif_skip(struct str s, size_t i)
{
	while (i < s.n && at(s, i) != 0)
		i += at(s, i) + 1;
	return i + 1;
}

static size_t gif_colours(unsigned flags)
{
	return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

static bool gif_moves(struct str s)
{
	size_t frames = 0;
	for (size_t i = 13 + gif_colours(at(s, 10)); i < s.n && frames < 2;) {
		if (has(s, i, "\x21\xff\x0bNETSCAPE2.0", 14))
			return true; /* how often it is shown again */
		if (at(s, i) == 0x21) {
			i = gif_skip(s, i + 2);
		} else if (at(s, i) == 0x2c) {
			frames++;
			i = gif_skip(s, i + 11 + gif_colours(at(s, i + 9)));
		} else {
			break;
		}
	}
	return frames > 1;
}

bool image_head_moves(struct str s)
{
	if (has(s, 0, "GIF87a", 6) || has(s, 0, "GIF89a", 6))
		return gif_moves(s);
	return has(s, 0, "RIFF", 4) && has(s, 8, "WEBPVP8X", 8) && (at(s, 20) & 2) != 0;
}

bool media_is_picture(enum media_type t)
{
	return t == MEDIA_PNG || t == MEDIA_JPEG || t == MEDIA_WEBP || t == MEDIA_GIF;
}

static const struct media_row {
	enum media_type type;
	const char *name;
	const char *endings[4];
} media_rows[] = {
	{ MEDIA_PNG, "image/png", { ".png" } },
	{ MEDIA_JPEG, "image/jpeg", { ".jpg", ".jpeg", ".jpe" } },
	{ MEDIA_WEBP, "image/webp", { ".webp" } },
	{ MEDIA_GIF, "image/gif", { ".gif" } },
	{ MEDIA_PDF, "application/pdf", { ".pdf" } },
	{ MEDIA_ZIP, "application/zip", { ".zip" } },
	{ MEDIA_DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		{ ".docx" } },
	{ MEDIA_XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		{ ".xlsx" } },
	{ MEDIA_PPTX, "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		{ ".pptx" } },
	{ MEDIA_MP4, "video/mp4", { ".mp4", ".m4v", ".mov" } },
	{ MEDIA_TEXT, "text/plain", { ".txt", ".md", ".csv" } },
	{ MEDIA_OLE, "application/x-ole-storage", { ".doc", ".xls", ".ppt" } },
	{ MEDIA_VTT, "text/vtt", { ".vtt" } },
	{ MEDIA_SRT, "application/x-subrip", { ".srt" } },
	{ MEDIA_ODF, "application/vnd.oasis.opendocument.text", { ".odt", ".ods", ".odp" } },
	{ MEDIA_HEIF, "image/heif", { ".heic", ".heif", ".avif" } },
};

const char *media_type_name(enum media_type t)
{
	for (size_t i = 0; i < ARRAY_LEN(media_rows); i++) {
		if (media_rows[i].type == t)
			return media_rows[i].name;
	}
	return "application/octet-stream";
}

static bool ends_nocase(struct str s, const char *end)
{
	size_t n = strlen(end);
	return s.n > n && str_ieqz((struct str){ s.p + s.n - n, n }, end);
}

bool media_fits_name(enum media_type t, struct str file)
{
	bool known = false;
	for (size_t i = 0; i < ARRAY_LEN(media_rows); i++) {
		for (size_t k = 0; k < 4 && media_rows[i].endings[k] != NULL; k++) {
			if (!ends_nocase(file, media_rows[i].endings[k]))
				continue;
			if (media_rows[i].type == t)
				return true;
			known = true;
		}
	}
	return !known;
}
