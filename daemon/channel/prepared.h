/* prepared.h - what an adapter's prepare() made for one part x channel x kind of address x language x office: the skeleton
 * that compose() fills for each recipient. Immutable after prepare; refcounted with atomics; shared by workers.
 * The digest covers every piece, hole, note, rendition, link and fact in order: it is what the approver's approval covers.
 */
#ifndef LANTOA_CHANNEL_PREPARED_H
#define LANTOA_CHANNEL_PREPARED_H

#include <lantoa/adapter.h>
#include "base/asset_id.h"
#include "base/crypt.h"
#include "base/err.h"

#define PREPARED_PIECES_MAX 4096
#define RENDITIONS_MAX      100        /* of one skeleton */
#define LINKS_MAX           32         /* files of one skeleton that go as links */
#define PREPARED_BYTES_MAX  (8u << 20) /* own bytes of one skeleton; asset slices are by reference */

struct prepared_problem {
	int severity; /* 0 info, 1 warning, 2 error */
	char *field, *text;
};
struct prepared {
	int refs;
	bool summary;          /* without pieces: cannot be sent */
	struct lt_src *pieces; /* a piece with .reserved != 0 is a hole: reserved - 1 is its id */
	size_t n_pieces, n_holes;
	uint64_t bytes; /* without holes */
	struct lt_str note;
	char *preview; /* UTF-8 text, NULL: none */
	struct prepared_problem *problems;
	size_t n_problems;
	struct prepared_fact {
		char *name;
		int64_t value;
	} * facts;
	size_t n_facts;
	struct prepared_rendition { /* each asked once; spec and id are the arena's */
		char *asset, *spec, *id;
	} * renditions;
	size_t n_renditions;
	struct prepared_link { /* a file whose public address compose needs, as the target's variable `var` */
		char *var; /* "asset.url.ID"; the arena's */
		struct asset_id id;
		char ending[8]; /* of its file name, with the dot; may be empty */
	} * links;
	size_t n_links;
	uint64_t batch_key; /* 0: each recipient alone */
	struct hash digest;
	void *arena; /* owned bytes behind the pieces */
};
struct prepared *prepared_ref(struct prepared *p);
void prepared_unref(struct prepared *p); /* NULL allowed */
DEFINE_CLEANUP(prepared_unref, struct prepared *)
/* Digest, sizes and facts alone, and a preview of at most so many bytes: what is still asked of an output that is not sent from here. */
struct prepared *prepared_summary(const struct prepared *p, size_t preview_max);
size_t prepared_memory(const struct prepared *p); /* bytes that it keeps, about */
int64_t prepared_fact_get(const struct prepared *p, const char *name, int64_t otherwise);

/* A payload ready for one recipient: pieces of the skeleton and of the filled holes, in order. Keeps the skeleton alive. */
struct payload {
	struct prepared *skeleton; /* a reference; NULL in tests */
	struct lt_src *src;        /* owned array */
	size_t n;
	uint64_t bytes;
	char *own; /* owned bytes of the holes */
};
void payload_free(struct payload *p);
DEFINE_CLEANUP(payload_free, struct payload *)

/* Key of a prepared output. */
struct prep_key {
	struct hash manifest;
	int64_t release_id, rev, channel_id, office_id;
	uint32_t part;
	char form
		[16]; /* kind of address as address() told: "mailbox", "oa", "group", "phone" ... */
	char lang[16]; /* BCP 47; "" the default */
};

#endif
