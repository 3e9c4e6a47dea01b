/* release_doc.h - a parsed release bundle (design 9): every field of the front matter, variants, local texts, assets.
 * Thread: any; a release_doc is immutable after parse or load. All strings are NFC, NUL-terminated, owned by the doc, and
 * "" when absent: never NULL.
 * Failures: all problems are collected with file and line; with one error there is no doc.
 */
#ifndef LANTOA_CONTENT_RELEASE_DOC_H
#define LANTOA_CONTENT_RELEASE_DOC_H

#include "base/crypt.h"
#include "base/json.h"
#include "content/problem.h"
#include "model/state.h"
#include "model/when.h"

#define DOC_FRONT_MAX    (256u << 10) /* bytes of front matter */
#define DOC_TEXT_MAX     (1u << 20)   /* bytes of one Markdown file */
#define DOC_TOTAL_MAX    (16u << 20)  /* all texts of a bundle together */
#define DOC_LINE_MAX     1000         /* bytes of a one-line field */
#define DOC_PARTS_MAX    PARTS_MAX
#define DOC_ASSETS_MAX   64
#define DOC_VARIANTS_MAX 16
#define DOC_LOCALS_MAX   1000
#define DOC_PAIRS_MAX    64 /* texts or options of one document */
#define DOC_NAMES_MAX    32 /* audiences, kinds, attachments of a part */
#define DOC_CODE_MAX     64
#define DOC_NAME_MAX     40 /* part names, kinds */
#define DOC_KINDS_MAX    64

#define DOC_WINDOW_MS  WHEN_HOUR_MS
#define DOC_EXPIRES_MS (48 * WHEN_HOUR_MS)

enum doc_crop { DOC_CROP_FIT = 0, DOC_CROP_TOP = 1, DOC_CROP_NONE = 2 };
enum doc_role {
	DOC_COVER = 1,
	DOC_IMAGE = 2,
	DOC_ATTACHMENT = 3,
	DOC_VIDEO_FILE = 4,
	DOC_POSTER = 5,
	DOC_CAPTIONS = 6
};

const char *doc_crop_name(enum doc_crop v);
const char *doc_role_name(enum doc_role v);

/* text.zalo.title = {"zalo", "title", ...}; text.sms = {"sms", "text", ...}; option zalo.broadcast = {"zalo", "broadcast", "no"} */
struct doc_pair {
	const char *kind, *key, *value;
	int line;
};
struct doc_pairs {
	struct doc_pair v[DOC_PAIRS_MAX];
	size_t n;
};

/* The manifest's order: cover, images, attachments, videos each followed by poster and captions, then what only a part attaches. */
struct doc_asset {
	enum doc_role role;
	enum doc_crop crop; /* cover */
	bool internal;      /* reaches only targets tagged internal */
	bool part_only;     /* named by `attach` of a part and nowhere else */
	int owner;          /* poster, captions: index of their video; else -1 */
	int line;
	const char *
		file; /* path in the bundle, "/" between folders; its last piece is the name that people see */
	const char *alt, *caption, *credit;
	/* known after bundle_load or release_doc_from_stored */
	struct hash hash;
	const char *type; /* "image/png" */
	uint64_t bytes;
	uint32_t width, height; /* 0 when it is no picture */
};

struct doc_part {
	const char *name;
	int line;
	int line_at, line_after, line_embargo, line_expires,
		line_link;             /* where the field stands; else line */
	const char *to[DOC_NAMES_MAX]; /* audiences */
	size_t n_to;
	const char *channels[DOC_NAMES_MAX]; /* kinds */
	size_t n_channels;
	struct when
		at; /* WHEN_NONE: with `after` at once when that is done, with `go: signal` when it is given, else now */
	struct when embargo; /* this part goes out before it, under embargo; WHEN_NONE else */
	struct when
		expires; /* WHEN_AT, or WHEN_AFTER_DURATION counted from the start; default 48 h */
	const char *after; /* name of another part; "" none */
	int after_index;   /* -1 none */
	bool go_signal, needs_link, internal, again;
	bool broadcast; /* made by doc_cast.c: it tells followers of the articles of part `after` */
	int64_t window_ms;                           /* default 1 h */
	int64_t spread_ms, jitter_ms, late_after_ms; /* late_after default 1 h */
	enum late_policy late;                       /* default hold; "drop" is read as skip */
	int64_t max_cost;                            /* -1: not said */
	bool attach_set; /* false: the release's images and attachments, by the channel's habit */
	int attach[DOC_NAMES_MAX]; /* indexes into assets */
	size_t n_attach;
	enum prio priority; /* the release's unless the part says another */
};

struct doc_variant {
	const char *lang, *file; /* "en", "body.en.md" */
	const char *title, *summary, *link, *body;
	struct doc_pairs *texts;
	int line_title, line_summary, line_link;
	int body_line;     /* line of the body's first line in its file */
	const char *front; /* as stored */
};
struct doc_local {
	const char *office, *file, *text;
};

struct doc_arena;
struct release_doc {
	struct doc_arena *arena; /* owns every string */
	const char *main_file;   /* "release.md" */
	const char *lang;        /* "vi" unless said */
	const char *code;
	enum release_kind kind;
	enum category category;
	enum prio priority;
	bool priority_set; /* else a campaign's priority may apply */
	const char *title, *summary, *link, *campaign;
	int line_title, line_summary, line_link;
	const char *ref_number, *ref_date, *ref_signer; /* ref_date as 2026-11-23 */
	const char *front, *body; /* normalised, front without its --- lines */
	int body_line;
	struct doc_pairs texts, options;
	struct doc_asset assets[DOC_ASSETS_MAX];
	size_t n_assets;
	struct doc_part *parts; /* never empty */
	size_t n_parts;
	struct doc_variant *variants;
	size_t n_variants;
	struct doc_local *locals; /* sorted by office code */
	size_t n_locals;
	struct zone zone; /* in which its times were read */
};

/* What is parsed: texts in memory, so that it may come from a folder, one file or the store. All borrowed for the call. */
struct doc_file {
	const char *name; /* "body.en.md", "local/dien-bien.md" */
	struct str text;
};
struct doc_source {
	struct doc_file main;
	const struct doc_file *variants; /* body.LANG.md */
	size_t n_variants;
	const struct doc_file *locals; /* local/CODE.md */
	size_t n_locals;
	const char *const *
		files; /* names of all files of the bundle; NULL: not known, existence is not checked */
	size_t n_files;
	const struct zone *zone;  /* NULL: Vietnam */
	const char *const *kinds; /* further channel kinds that are configured; may be NULL */
	size_t n_kinds;
};

/* 0, -EINVAL (errors are in p), -ENOMEM. p must be inited; warnings and infos are added on success, too. */
int release_doc_parse(const struct doc_source *src, struct release_doc **ret,
	struct content_problems *p) MUST_CHECK;
void release_doc_free(struct release_doc *d); /* NULL allowed */
/* A text that an office sets for this release by itself, as one of the bundle: cleaned, in NFC, appended to ret, or -EINVAL. */
int release_doc_local_clean(
	const struct release_doc *d, struct str raw, struct buf *ret, struct err *e) MUST_CHECK;
DEFINE_CLEANUP(release_doc_free, struct release_doc *)

/* --- round trip: revision.front, revision.body, revision.bodies and rows of release_asset + asset ------------------------- */
struct doc_stored {
	char *front, *body, *bodies; /* owned; bodies is JSON: main file, zone, variants, locals */
};
struct doc_asset_row { /* release_asset joined with asset, ordered by pos; borrowed */
	struct hash hash;
	const char *name, *type;
	uint64_t bytes;
	uint32_t width, height;
};
int release_doc_to_stored(
	const struct release_doc *d, struct doc_stored *ret) MUST_CHECK; /* 0, -ENOMEM */
void doc_stored_done(struct doc_stored *s);
/* Rebuilds the same doc; -EBADMSG with a text when the stored strings or the rows do not fit each other. */
int release_doc_from_stored(struct str front, struct str body, struct str bodies,
	const struct doc_asset_row *rows, size_t n_rows, struct release_doc **ret,
	struct err *e) MUST_CHECK;
/* What the texts were warned of when they came in, for whoever sees them later. No errors: rules may be stricter by now. */
void release_doc_stored_warnings(
	struct str front, struct str body, struct str bodies, struct content_problems *ret);

/* --- look-ups ------------------------------------------------------------------------------------------------------------- */
const struct doc_part *release_doc_part(
	const struct release_doc *d, struct str name, int *ret_index); /* NULL: none */
const struct doc_asset *release_doc_asset(const struct release_doc *d, struct str file);
const struct doc_variant *release_doc_variant(const struct release_doc *d,
	struct str lang); /* exact, then its primary subtag; NULL: the main text */
const struct doc_local *release_doc_local(const struct release_doc *d, struct str office);
const char *doc_pair_get(
	const struct doc_pairs *p, const char *kind, const char *key); /* NULL: not said */
/* The further releases of `zalo: {with: [...]}`, one after the other; ret of DOC_LINE_MAX. False: no more. */
bool release_doc_with(const struct release_doc *d, size_t i, char *ret, int *ret_line);
/* When the latest embargo of the release ends, the last approval being at base_ms; INT64_MIN when it has none. */
int64_t release_doc_embargo_ms(const struct release_doc *d, int64_t base_ms);
const char *doc_asset_name(const struct doc_asset *a); /* last piece of its path */

#endif
