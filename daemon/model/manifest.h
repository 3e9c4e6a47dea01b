/* manifest.h - what people approve: the canonical bytes of one revision, their SHA-256 and its short code.
 * Format 1: a tag, then fields in fixed order, each as a length of 4 bytes big-endian and its bytes; numbers are 8 bytes
 * big-endian, lists a count and then their items. No JSON, no YAML. The order stands once, in manifest.c, for both directions.
 * Pure; any thread. Strings of a manifest are borrowed: from whoever fills it, from manifest_keep, or from its own copy of
 * the bytes after manifest_decode.
 */
#ifndef LANTOA_MODEL_MANIFEST_H
#define LANTOA_MODEL_MANIFEST_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/crypt.h"
#include "base/err.h"
#include "base/str.h"
#include "model/state.h"
#include "model/when.h"

#define MANIFEST_FORMAT      1
#define MANIFEST_BYTES_MAX   (48u << 20)
#define MANIFEST_TEXTS_MAX   4096
#define MANIFEST_ASSETS_MAX  64
#define MANIFEST_OFFICES_MAX 20000
#define MANIFEST_SENDERS_MAX 20000
#define MANIFEST_NAMES_MAX   32
#define MANIFEST_LIST_MAX \
	10000 /* contacts of a part and channel kind whose list is approved by digest */
#define MANIFEST_CODE_MAX 16

struct mf_text { /* "title", "summary", "link", "body", "text.sms.text", "option.zalo.broadcast", "local.dien-bien" */
	struct str what, lang, value;
};
struct mf_asset {
	struct hash hash;
	struct str name, type, alt, caption, credit;
	int64_t role, crop, internal, part_only, owner, bytes;
};
struct mf_audience {
	struct str name, rule; /* canonical JSON of model/audience.h */
};
struct mf_sender { /* who speaks for an office on a kind of channel */
	struct str office;
	int64_t kind;
	struct str channel, account, identity;
};
struct mf_count {
	int64_t kind, n;
	int64_t listed; /* 1: at most MANIFEST_LIST_MAX contacts, and `list` is the digest of their sorted list */
	struct hash list; /* zero when not listed */
};
#define MF_AGAIN_BROADCAST \
	2 /* mf_part.again: tells followers of the articles of the part `after`; slot 63 */
struct mf_part {
	int64_t number; /* 1..PARTS_MAX; stays with the name through revisions */
	struct str name;
	struct mf_audience *to;
	size_t n_to;
	int64_t *kinds; /* enum chan_kind, of configured channels only */
	size_t n_kinds;
	struct str *skipped; /* kinds named by the part that have no configured channel */
	size_t n_skipped;
	struct mf_sender *senders;
	size_t n_senders;
	int64_t attach_set;
	int64_t *attach; /* indexes into assets */
	size_t n_attach;
	struct when at, embargo, expires;
	int64_t after; /* number of another part; 0 none */
	int64_t signal, needs_link, internal, again;
	int64_t window_ms, spread_ms, jitter_ms, late, late_after_ms, cost_max, prio;
	struct mf_count *counts;
	size_t n_counts;
};
struct mf_office {
	struct str code;
	struct hash vars;
};
struct manifest {
	struct str code;
	int64_t year, rev, kind, category, prio;
	struct str campaign, zone_name;
	int64_t zone_offset_s;
	struct str lang, ref_number, ref_date, ref_signer;
	struct mf_text *texts;
	size_t n_texts;
	struct mf_asset *assets;
	size_t n_assets;
	struct mf_part *parts;
	size_t n_parts;
	struct mf_office *offices;
	size_t n_offices;
	int64_t cost; /* as counted at the check; the ceilings stand with the parts */
	char **own;
	size_t n_own;
};

struct manifest *manifest_new(void);
void manifest_free(struct manifest *m); /* arrays and kept strings; NULL allowed */
DEFINE_CLEANUP(manifest_free, struct manifest *)
/* A copy that lives as long as the manifest. */
struct str manifest_keep(struct manifest *m, struct str s);
/* Appends the canonical bytes. 0, -E2BIG, -EINVAL (a number of list items over its maximum). */
int manifest_encode(const struct manifest *m, struct buf *ret) MUST_CHECK;
/* Reads them back; -EBADMSG with the reason when they are not a manifest of a known format. */
int manifest_decode(struct str bytes, struct manifest **ret, struct err *e) MUST_CHECK;
void manifest_hash(struct str bytes, struct hash *ret);
/* What differs in what an editor wrote, named for a person: "text 'body' (vi), part 'press': spread". Only for two whose bytes
 * differ. Names that do not fit into `size` are left out; returns how many there are. */
size_t manifest_differs(
	const struct manifest *approved, const struct manifest *stored, char *ret, size_t size);
/* The first 40 bits in base32, in two groups: "k5x2-mqaa". ret of MANIFEST_CODE_MAX. */
const char *manifest_code(const struct hash *h, char *ret);
/* The same code however a person typed it: case, spaces and dashes do not count. */
bool manifest_code_is(const struct hash *h, struct str typed);

const struct mf_part *manifest_part(const struct manifest *m, int64_t number);
const struct mf_count *manifest_count(const struct mf_part *p, int kind);
struct str manifest_text(
	const struct manifest *m, const char *what, struct str lang); /* absent when not there */
const struct mf_sender *manifest_sender(const struct mf_part *p, struct str office, int kind);

/* The times of a part when the last approval was at base_ms. */
struct mf_times {
	bool has_at;           /* false: it waits for another part or a signal */
	int64_t at_ms;         /* not before the embargo where it holds */
	int64_t not_before_ms; /* end of the embargo for a public part; INT64_MIN else */
	int64_t win_from_ms, win_to_ms;
	int64_t expires_ms; /* the latest moment, if it has not started; manifest_expires tells it for a start */
};
void manifest_times(
	const struct manifest *m, const struct mf_part *p, int64_t base_ms, struct mf_times *ret);
int64_t manifest_expires(const struct mf_part *p, int64_t start_ms);
/* A part that anybody may read: not marked internal, and not sent out ahead under an embargo of its own. */
bool manifest_part_is_public(const struct mf_part *p);
/* When the latest embargo ends; INT64_MIN: none. */
int64_t manifest_embargo(const struct manifest *m, int64_t base_ms);

#endif
