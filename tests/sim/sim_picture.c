/* sim_picture.c - pictures in the simulation. The functions of content/rendition.h are made here instead of those that run the image
 * helper: no process, no decoder, and the same bytes in each run. And the bundle of a release that has a cover.
 * Owns: nothing. Failures: sim_fail. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "content/rendition.h"
#include "sim_people.h"

/* 1600 x 900, head and end alone: nobody here decodes it. */
static const uint8_t cover[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H',
	'D', 'R', 0, 0, 0x06, 0x40, 0, 0, 0x03, 0x84, 8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'I',
	'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82 };
static const uint8_t fitted[] = { 0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0x03, 0x84, 0x06, 0x40, 1, 1,
	0x11, 0, 0xff, 0xd9 };

struct renditions {
	bool asked;
};

struct renditions *renditions_new(const char *helper)
{
	UNUSED(helper);
	return x_calloc(1, sizeof(struct renditions));
}

void renditions_free(struct renditions *r)
{
	free(r);
}

bool renditions_version_known(struct renditions *r, char ret[static RENDITION_VERSION_MAX])
{
	(void)str_copy(ret, RENDITION_VERSION_MAX, STR("simulation"));
	return r->asked;
}

int renditions_version(struct renditions *r, char ret[static RENDITION_VERSION_MAX], struct err *e)
{
	UNUSED(e);
	r->asked = true;
	return renditions_version_known(r, ret) ? 0 : -EIO;
}

int rendition_make(
	struct renditions *r, int fd, const char *spec, struct rendition_made *ret, struct err *e)
{
	UNUSED(r);
	UNUSED(fd);
	UNUSED(spec);
	UNUSED(e);
	*ret = (struct rendition_made){ .facts = { .quality = 90, .frames = 1 } };
	buf_init(&ret->bytes, sizeof(fitted));
	REQUIRE(buf_add(&ret->bytes, fitted, sizeof(fitted)) == 0);
	hash_bytes(&ret->id.hash, fitted, sizeof(fitted));
	ret->id.bytes = sizeof(fitted);
	ret->id.width = 1600;
	ret->id.height = 900;
	(void)str_copy(ret->id.type, sizeof(ret->id.type), STR("jpeg"));
	return 0;
}

static void entry(struct archive *a, const char *name, const void *p, size_t n)
{
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname(e, name);
	archive_entry_set_size(e, (la_int64_t)n);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_mtime(e, TESTENV_WALL_START / 1000, 0);
	REQUIRE(archive_write_header(a, e) == ARCHIVE_OK);
	REQUIRE(archive_write_data(a, p, n) == (la_ssize_t)n);
	archive_entry_free(e);
}

void people_bundle_write(const char *path, const char *text)
{
	struct archive *a = archive_write_new();
	REQUIRE(archive_write_set_format_zip(a) == ARCHIVE_OK &&
		archive_write_set_options(a, "zip:compression=store") == ARCHIVE_OK &&
		archive_write_open_filename(a, path) == ARCHIVE_OK);
	entry(a, "release.md", text, strlen(text));
	entry(a, "cover.png", cover, sizeof(cover));
	REQUIRE(archive_write_close(a) == ARCHIVE_OK);
	(void)archive_write_free(a);
}
