/* rendition.h - pictures fitted to what a channel takes, by the helper lantoa-image: a process of its own with limits, no files
 * and no network. What comes back is believed by its header only. Threads: any worker; blocking, never the loop.
 * Bounds: RENDITION_HELPERS_MAX helpers at once, each RENDITION_MS, RENDITION_MEMORY of memory and the spec's bytes of output.
 */
#ifndef LANTOA_CONTENT_RENDITION_H
#define LANTOA_CONTENT_RENDITION_H

#include "base/asset_id.h"
#include "base/buf.h"
#include "content/rendition_spec.h"

#define RENDITION_HELPERS_MAX 2
#define RENDITION_MS          30000
#define RENDITION_MEMORY      (1ull << 30) /* address space, libraries included */
#define RENDITION_VERSION_MAX 40

struct renditions;

struct renditions *renditions_new(const char *helper); /* path of lantoa-image; copied */
void renditions_free(struct renditions *r);            /* no call is under way; NULL allowed */

/* What a rendition depends on beside picture and spec: helper and library. Asked once a process. */
int renditions_version(
	struct renditions *r, char ret[static RENDITION_VERSION_MAX], struct err *e) MUST_CHECK;
/* True and ret filled when it is known already: never waits. */
bool renditions_version_known(struct renditions *r, char ret[static RENDITION_VERSION_MAX]);

struct rendition_made {
	struct buf bytes;   /* inited here; buf_done by the caller, also after a failure */
	struct asset_id id; /* hash, bytes, size, type */
	struct image_facts {
		int quality; /* 0: without loss */
		int frames;  /* of the source; more than 1: only the first is kept */
	} facts;
};
/* fd: the picture, read from where it stands. 0; -EBADMSG: refused, e says why in words for people ("is cut off");
 * anything else: the helper failed or is not there, which says nothing about the picture. */
int rendition_make(struct renditions *r, int fd, const char *spec, struct rendition_made *ret,
	struct err *e) MUST_CHECK;

#endif
