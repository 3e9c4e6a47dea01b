/* manifest_differ.c - what differs between two manifests of one revision, in words: for a person who must find what was edited.
 * Thread: any. Owns: nothing. Looked through only once the canonical bytes are known to differ.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "model/manifest.h"

struct telling {
	char *text;
	size_t size, len, n;
};

static void tell(struct telling *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void tell(struct telling *t, const char *fmt, ...)
{
	char one[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(one, sizeof(one), fmt, ap);
	va_end(ap);
	size_t n = strlen(one), sep = t->n ? 2 : 0;
	if (t->len + sep + n < t->size) { /* what no longer fits is counted all the same */
		memcpy(t->text + t->len, ", ", sep);
		memcpy(t->text + t->len + sep, one, n + 1);
		t->len += sep + n;
	}
	t->n++;
}

/* Names come from the database: a length for printf that keeps one name from filling the sentence. */
static int shown(struct str s)
{
	return s.n < 60 ? (int)s.n : 60;
}

static const char *ptr(struct str s)
{
	return s.p ? s.p : "";
}

/* Numbers of a manifest are int64_t, all of them. */
struct field {
	const char *name;
	size_t at;
};

static void numbers_differ(struct telling *t, const char *where, const void *a, const void *b,
	const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t x, y;
		memcpy(&x, (const char *)a + f[i].at, sizeof(x));
		memcpy(&y, (const char *)b + f[i].at, sizeof(y));
		if (x != y)
			tell(t, "%s%s", where, f[i].name);
	}
}

static void strings_differ(struct telling *t, const char *where, const void *a, const void *b,
	const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str x, y;
		memcpy(&x, (const char *)a + f[i].at, sizeof(x));
		memcpy(&y, (const char *)b + f[i].at, sizeof(y));
		if (!str_eq(x, y))
			tell(t, "%s%s", where, f[i].name);
	}
}

static void head_differs(struct telling *t, const struct manifest *a, const struct manifest *b)
{
	static const struct field numbers[] = {
		{ "year", offsetof(struct manifest, year) },
		{ "kind", offsetof(struct manifest, kind) },
		{ "category", offsetof(struct manifest, category) },
		{ "priority", offsetof(struct manifest, prio) },
		{ "zone", offsetof(struct manifest, zone_offset_s) },
	};
	static const struct field strings[] = {
		{ "code", offsetof(struct manifest, code) },
		{ "campaign", offsetof(struct manifest, campaign) },
		{ "name of the zone", offsetof(struct manifest, zone_name) },
		{ "language", offsetof(struct manifest, lang) },
		{ "ref.number", offsetof(struct manifest, ref_number) },
		{ "ref.date", offsetof(struct manifest, ref_date) },
		{ "ref.signer", offsetof(struct manifest, ref_signer) },
	};

	numbers_differ(t, "", a, b, numbers, ARRAY_LEN(numbers));
	strings_differ(t, "", a, b, strings, ARRAY_LEN(strings));
}

static const struct mf_text *text_find(const struct manifest *m, const struct mf_text *as)
{
	for (size_t i = 0; i < m->n_texts; i++)
		if (str_eq(m->texts[i].what, as->what) && str_eq(m->texts[i].lang, as->lang))
			return &m->texts[i];
	return NULL;
}

static void text_told(struct telling *t, const struct mf_text *x, const char *how)
{
	tell(t, "text '%.*s'%s%.*s%s%s", shown(x->what), ptr(x->what), x->lang.n ? " (" : "",
		shown(x->lang), ptr(x->lang), x->lang.n ? ")" : "", how);
}

static void texts_differ(struct telling *t, const struct manifest *a, const struct manifest *b)
{
	for (size_t i = 0; i < a->n_texts; i++) {
		const struct mf_text *x = text_find(b, &a->texts[i]);
		if (!x)
			text_told(t, &a->texts[i], " is gone");
		else if (!str_eq(x->value, a->texts[i].value))
			text_told(t, &a->texts[i], "");
	}
	for (size_t i = 0; i < b->n_texts; i++)
		if (!text_find(a, &b->texts[i]))
			text_told(t, &b->texts[i], " was added");
}

static void assets_differ(struct telling *t, const struct manifest *a, const struct manifest *b)
{
	static const struct field numbers[] = {
		{ "role", offsetof(struct mf_asset, role) },
		{ "crop", offsetof(struct mf_asset, crop) },
		{ "internal", offsetof(struct mf_asset, internal) },
		{ "part", offsetof(struct mf_asset, part_only) },
		{ "owner", offsetof(struct mf_asset, owner) },
		{ "size", offsetof(struct mf_asset, bytes) },
	};
	static const struct field strings[] = {
		{ "name", offsetof(struct mf_asset, name) },
		{ "type", offsetof(struct mf_asset, type) },
		{ "alt", offsetof(struct mf_asset, alt) },
		{ "caption", offsetof(struct mf_asset, caption) },
		{ "credit", offsetof(struct mf_asset, credit) },
	};
	char where[100];

	if (a->n_assets != b->n_assets)
		tell(t, "%zu files, approved were %zu", b->n_assets, a->n_assets);
	for (size_t i = 0; i < a->n_assets && i < b->n_assets; i++) {
		const struct mf_asset *x = &a->assets[i];
		(void)snprintf(where, sizeof(where), "file '%.*s': ", shown(x->name), ptr(x->name));
		if (hash_cmp(&x->hash, &b->assets[i].hash) != 0)
			tell(t, "%scontent", where);
		strings_differ(t, where, x, &b->assets[i], strings, ARRAY_LEN(strings));
		numbers_differ(t, where, x, &b->assets[i], numbers, ARRAY_LEN(numbers));
	}
}

static bool when_equal(const struct when *a, const struct when *b)
{
	return a->kind == b->kind && a->ms == b->ms;
}

static void part_differs(struct telling *t, const struct mf_part *a, const struct mf_part *b)
{
	static const struct field numbers[] = {
		{ "after", offsetof(struct mf_part, after) },
		{ "go", offsetof(struct mf_part, signal) },
		{ "needs_link", offsetof(struct mf_part, needs_link) },
		{ "internal", offsetof(struct mf_part, internal) },
		{ "again", offsetof(struct mf_part, again) },
		{ "window", offsetof(struct mf_part, window_ms) },
		{ "spread", offsetof(struct mf_part, spread_ms) },
		{ "jitter", offsetof(struct mf_part, jitter_ms) },
		{ "late", offsetof(struct mf_part, late) },
		{ "late_after", offsetof(struct mf_part, late_after_ms) },
		{ "max_cost", offsetof(struct mf_part, cost_max) },
		{ "priority", offsetof(struct mf_part, prio) },
	};
	char where[100];

	(void)snprintf(where, sizeof(where), "part '%.*s': ", shown(a->name), ptr(a->name));
	if (!str_eq(a->name, b->name))
		tell(t, "%sname", where);
	if (!when_equal(&a->at, &b->at))
		tell(t, "%sat", where);
	if (!when_equal(&a->embargo, &b->embargo))
		tell(t, "%sembargo", where);
	if (!when_equal(&a->expires, &b->expires))
		tell(t, "%sexpires", where);
	numbers_differ(t, where, a, b, numbers, ARRAY_LEN(numbers));
	if (a->attach_set != b->attach_set || a->n_attach != b->n_attach ||
		(a->n_attach &&
			memcmp(a->attach, b->attach, a->n_attach * sizeof(*a->attach)) != 0))
		tell(t, "%sattach", where);
}

size_t manifest_differs(
	const struct manifest *approved, const struct manifest *stored, char *ret, size_t size)
{
	struct telling t = { .text = ret, .size = size };

	REQUIRE(size > 0);
	ret[0] = '\0';
	head_differs(&t, approved, stored);
	texts_differ(&t, approved, stored);
	assets_differ(&t, approved, stored);
	if (approved->n_parts != stored->n_parts)
		tell(&t, "%zu parts, approved were %zu", stored->n_parts, approved->n_parts);
	for (size_t i = 0; i < approved->n_parts && i < stored->n_parts; i++)
		part_differs(&t, &approved->parts[i], &stored->parts[i]);
	if (t.n == 0)
		tell(&t, "the order of its texts");
	return t.n;
}
