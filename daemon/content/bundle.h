/* bundle.h - from a staged file to a release_doc: unpack into a private folder, parse, look at each asset.
 * Thread: worker (blocking file work). Owns: nothing; the staging folder is the caller's, also after a failure
 * (dir_remove_tree). Failures: refused whole; the text says which entry and what would be right.
 */
#ifndef LANTOA_CONTENT_BUNDLE_H
#define LANTOA_CONTENT_BUNDLE_H

#include "content/release_doc.h"

struct bundle_limits {
	uint64_t packed_max, unpacked_max, file_max;
	uint32_t entries_max;
	uint32_t
		ratio_max; /* unpacked over packed bytes, once more than ratio_from bytes came out */
	uint64_t ratio_from;
	uint64_t pixels_max;
};
extern const struct bundle_limits
	bundle_limits_default; /* 256 MB, 512 MB, 64 MB, 2000 entries, 200 : 1 after 8 MB, 100 Mpx */

/* packed: a zip or one .md file; name: what the sender called it ("x.zip", "x.md", "" for standard input), for errors and the
 * name of a single file. dir: exists, empty, private. A single top folder in the zip is taken away. Files are written 0600.
 * 0, -EINVAL (not acceptable), -EFBIG (over a limit), or an errno of the disk. lim NULL: the defaults. */
int bundle_unpack(const char *packed, const char *name, const char *dir,
	const struct bundle_limits *lim, struct err *e) MUST_CHECK;

struct bundle_rules {
	const struct zone *zone;  /* NULL: Vietnam */
	const char *const *kinds; /* configured channel kinds beyond the known; may be NULL */
	size_t n_kinds;
	const struct bundle_limits *limits; /* NULL: the defaults */
	const char *name; /* as in bundle_unpack, for errors about the whole of it; may be NULL */
};
/* Parses the unpacked folder and reads every named asset: type by its first bytes, size, dimensions, SHA-256.
 * The asset with `file` F lies at dir/F. 0, -EINVAL (errors are in p), -ENOMEM, -EIO. */
int bundle_load(const char *dir, const struct bundle_rules *rules, struct release_doc **ret,
	struct content_problems *p) MUST_CHECK;

/* A path inside a bundle that is safe on every system: relative, no "..", no control, no backslash, valid UTF-8, <= 255
 * bytes, <= 8 levels. Returns NULL when good, else what is wrong with it. */
const char *bundle_path_fault(struct str path);

#endif
