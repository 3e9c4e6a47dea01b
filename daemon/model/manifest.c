/* manifest.c - canonical bytes of a manifest, both ways, through one description of the order of its fields.
 * Thread: any. Owns: nothing beyond the manifest at hand. Failures: a code; what is read is bounded by its own length first.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "model/manifest.h"

static const char tag[] = "lantoa-manifest";

/* One walk serves both directions: where out is set the fields are written, else they are read. */
struct walk {
	struct buf *out;
	const char *p;
	size_t left;
	int rc;
};

static void put_len(struct walk *w, size_t n)
{
	uint8_t b[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	int rc = buf_add(w->out, b, sizeof(b));
	if (rc < 0)
		w->rc = rc;
}

static bool take(struct walk *w, size_t n, const char **ret)
{
	if (w->rc < 0 || w->left < n) {
		if (w->rc == 0)
			w->rc = -EBADMSG;
		return false;
	}
	*ret = w->p;
	w->p += n;
	w->left -= n;
	return true;
}

static bool take_field(struct walk *w, const char **ret, size_t *ret_n)
{
	const char *b;
	if (!take(w, 4, &b))
		return false;
	size_t n = (size_t)(uint8_t)b[0] << 24 | (size_t)(uint8_t)b[1] << 16 |
		(size_t)(uint8_t)b[2] << 8 | (uint8_t)b[3];
	*ret_n = n;
	return take(w, n, ret);
}

static void walk_bytes(struct walk *w, const void *p, size_t n)
{
	put_len(w, n);
	if (n != 0 && buf_add(w->out, p, n) < 0)
		w->rc = -E2BIG;
}

static void walk_str(struct walk *w, struct str *s)
{
	if (w->rc < 0)
		return;
	if (w->out) {
		walk_bytes(w, s->p, s->n);
		return;
	}
	const char *p;
	size_t n;
	if (take_field(w, &p, &n))
		*s = (struct str){ p, n };
}

static void walk_i64(struct walk *w, int64_t *v)
{
	if (w->rc < 0)
		return;
	uint8_t b[8];
	if (w->out) {
		uint64_t u = (uint64_t)*v;
		for (int i = 7; i >= 0; i--, u >>= 8)
			b[i] = (uint8_t)u;
		walk_bytes(w, b, sizeof(b));
		return;
	}
	const char *p;
	size_t n;
	if (!take_field(w, &p, &n))
		return;
	if (n != 8) {
		w->rc = -EBADMSG;
		return;
	}
	uint64_t u = 0;
	for (int i = 0; i < 8; i++)
		u = u << 8 | (uint8_t)p[i];
	*v = (int64_t)u;
}

static void walk_hash(struct walk *w, struct hash *h)
{
	if (w->rc < 0)
		return;
	if (w->out) {
		walk_bytes(w, h->b, HASH_LEN);
		return;
	}
	const char *p;
	size_t n;
	if (!take_field(w, &p, &n))
		return;
	if (n != HASH_LEN)
		w->rc = -EBADMSG;
	else
		memcpy(h->b, p, HASH_LEN);
}

/* Count of a list; on the way in the array is made, after a look at whether so many items can follow at all. */
static size_t walk_list(struct walk *w, size_t *n, void **arr, size_t item, size_t max)
{
	int64_t count = (int64_t)*n;
	walk_i64(w, &count);
	if (w->rc == 0 && (count < 0 || (uint64_t)count > max))
		w->rc = w->out ? -EINVAL : -EBADMSG;
	if (w->rc < 0)
		return 0;
	if (!w->out) {
		if ((size_t)count > w->left / 4) {
			w->rc = -EBADMSG;
			return 0;
		}
		*arr = count ? x_calloc((size_t)count, item) : NULL;
		*n = (size_t)count;
	}
	return (size_t)count;
}

#define WALK_LIST(w, s, field, n_field, max)                                                     \
	__extension__({                                                                          \
		void *arr_ = (s)->field;                                                         \
		size_t made_ = walk_list((w), &(s)->n_field, &arr_, sizeof(*(s)->field), (max)); \
		(s)->field = arr_;                                                               \
		made_;                                                                           \
	})

static void walk_when(struct walk *w, struct when *t)
{
	int64_t kind = t->kind;
	walk_i64(w, &kind);
	walk_i64(w, &t->ms);
	if (kind < WHEN_NONE || kind > WHEN_AFTER_DURATION)
		w->rc = w->rc ? w->rc : -EBADMSG;
	else
		t->kind = (enum when_kind)kind;
}

static void walk_part_lists(struct walk *w, struct mf_part *p)
{
	size_t n = WALK_LIST(w, p, to, n_to, MANIFEST_NAMES_MAX);
	for (size_t i = 0; i < n; i++) {
		walk_str(w, &p->to[i].name);
		walk_str(w, &p->to[i].rule);
	}
	n = WALK_LIST(w, p, kinds, n_kinds, MANIFEST_NAMES_MAX);
	for (size_t i = 0; i < n; i++)
		walk_i64(w, &p->kinds[i]);
	n = WALK_LIST(w, p, skipped, n_skipped, MANIFEST_NAMES_MAX);
	for (size_t i = 0; i < n; i++)
		walk_str(w, &p->skipped[i]);
	n = WALK_LIST(w, p, senders, n_senders, MANIFEST_SENDERS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct mf_sender *s = &p->senders[i];
		walk_str(w, &s->office);
		walk_i64(w, &s->kind);
		walk_str(w, &s->channel);
		walk_str(w, &s->account);
		walk_str(w, &s->identity);
	}
	walk_i64(w, &p->attach_set);
	n = WALK_LIST(w, p, attach, n_attach, MANIFEST_ASSETS_MAX);
	for (size_t i = 0; i < n; i++)
		walk_i64(w, &p->attach[i]);
}

static void walk_part(struct walk *w, struct mf_part *p)
{
	walk_i64(w, &p->number);
	walk_str(w, &p->name);
	walk_part_lists(w, p);
	walk_when(w, &p->at);
	walk_when(w, &p->embargo);
	walk_when(w, &p->expires);
	int64_t *const numbers[] = { &p->after, &p->signal, &p->needs_link, &p->internal, &p->again,
		&p->window_ms, &p->spread_ms, &p->jitter_ms, &p->late, &p->late_after_ms,
		&p->cost_max, &p->prio };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		walk_i64(w, numbers[i]);
	size_t n = WALK_LIST(w, p, counts, n_counts, KIND_MAX);
	for (size_t i = 0; i < n; i++) {
		walk_i64(w, &p->counts[i].kind);
		walk_i64(w, &p->counts[i].n);
		walk_i64(w, &p->counts[i].listed);
		walk_hash(w, &p->counts[i].list);
	}
}

static void walk_asset(struct walk *w, struct mf_asset *a)
{
	walk_hash(w, &a->hash);
	struct str *const texts[] = { &a->name, &a->type, &a->alt, &a->caption, &a->credit };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		walk_str(w, texts[i]);
	int64_t *const numbers[] = { &a->role, &a->crop, &a->internal, &a->part_only, &a->owner,
		&a->bytes };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		walk_i64(w, numbers[i]);
}

static void walk_head(struct walk *w, struct manifest *m)
{
	walk_str(w, &m->code);
	int64_t *const numbers[] = { &m->year, &m->rev, &m->kind, &m->category, &m->prio };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		walk_i64(w, numbers[i]);
	walk_str(w, &m->campaign);
	walk_str(w, &m->zone_name);
	walk_i64(w, &m->zone_offset_s);
	struct str *const texts[] = { &m->lang, &m->ref_number, &m->ref_date, &m->ref_signer };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		walk_str(w, texts[i]);
}

static void walk_manifest(struct walk *w, struct manifest *m)
{
	walk_head(w, m);
	size_t n = WALK_LIST(w, m, texts, n_texts, MANIFEST_TEXTS_MAX);
	for (size_t i = 0; i < n; i++) {
		walk_str(w, &m->texts[i].what);
		walk_str(w, &m->texts[i].lang);
		walk_str(w, &m->texts[i].value);
	}
	n = WALK_LIST(w, m, assets, n_assets, MANIFEST_ASSETS_MAX);
	for (size_t i = 0; i < n; i++)
		walk_asset(w, &m->assets[i]);
	n = WALK_LIST(w, m, parts, n_parts, PARTS_MAX);
	for (size_t i = 0; i < n; i++)
		walk_part(w, &m->parts[i]);
	n = WALK_LIST(w, m, offices, n_offices, MANIFEST_OFFICES_MAX);
	for (size_t i = 0; i < n; i++) {
		walk_str(w, &m->offices[i].code);
		walk_hash(w, &m->offices[i].vars);
	}
	walk_i64(w, &m->cost);
}

/* --- life ---------------------------------------------------------------------------------------------------------------- */

struct manifest *manifest_new(void)
{
	return x_calloc(1, sizeof(struct manifest));
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_parts && m->parts; i++) {
		struct mf_part *p = &m->parts[i];
		free(p->to);
		free(p->kinds);
		free(p->skipped);
		free(p->senders);
		free(p->attach);
		free(p->counts);
	}
	for (size_t i = 0; i < m->n_own; i++)
		free(m->own[i]);
	free(m->own);
	free(m->texts);
	free(m->assets);
	free(m->parts);
	free(m->offices);
	free(m);
}

struct str manifest_keep(struct manifest *m, struct str s)
{
	if ((m->n_own & (m->n_own + 1)) == 0 || !m->own)
		m->own = x_realloc(m->own, 2 * (m->n_own + 1), sizeof(*m->own));
	char *z = x_calloc(s.n + 1, 1);
	if (s.n)
		memcpy(z, s.p, s.n); /* the bytes of a manifest have zeros in them */
	m->own[m->n_own++] = z;
	return (struct str){ z, s.n };
}

int manifest_encode(const struct manifest *m, struct buf *ret)
{
	struct walk w = { .out = ret };
	struct manifest copy = *m; /* the walk writes only on the way in */
	if (buf_add(ret, tag, sizeof(tag)) < 0)
		return -E2BIG;
	int64_t format = MANIFEST_FORMAT;
	walk_i64(&w, &format);
	walk_manifest(&w, &copy);
	return w.rc;
}

int manifest_decode(struct str bytes, struct manifest **ret, struct err *e)
{
	if (bytes.n < sizeof(tag) || bytes.n > MANIFEST_BYTES_MAX ||
		memcmp(bytes.p, tag, sizeof(tag)) != 0)
		return err_set(e, -EBADMSG, "these bytes are not a manifest");
	CLEANUP(manifest_free) struct manifest *m = manifest_new();
	struct str own = manifest_keep(m, bytes);
	struct walk w = { .p = own.p + sizeof(tag), .left = own.n - sizeof(tag) };
	int64_t format = 0;
	walk_i64(&w, &format);
	if (w.rc == 0 && format != MANIFEST_FORMAT)
		return err_set(e, -EBADMSG, "manifest of format %lld: this version reads format %d",
			(long long)format, MANIFEST_FORMAT);
	walk_manifest(&w, m);
	if (w.rc == 0 && w.left != 0)
		w.rc = -EBADMSG;
	if (w.rc < 0)
		return err_set(e, -EBADMSG, "the manifest is cut or damaged at byte %zu of %zu",
			own.n - w.left, own.n);
	*ret = MOVE(m);
	return 0;
}

void manifest_hash(struct str bytes, struct hash *ret)
{
	hash_bytes(ret, bytes.p, bytes.n);
}

const char *manifest_code(const struct hash *h, char *ret)
{
	char all[MANIFEST_CODE_MAX];
	(void)base32_encode(all, sizeof(all), h->b, 5); /* 8 letters: there is room */
	memcpy(ret, all, 4);
	ret[4] = '-';
	memcpy(ret + 5, all + 4, 4);
	ret[9] = '\0';
	return ret;
}

bool manifest_code_is(const struct hash *h, struct str typed)
{
	char want[MANIFEST_CODE_MAX], got[MANIFEST_CODE_MAX];
	size_t n = 0;
	manifest_code(h, want);
	for (size_t i = 0; i < typed.n; i++) {
		char c = typed.p[i];
		if (c == ' ' || c == '-')
			continue;
		if (n == 4)
			got[n++] = '-';
		if (n >= 9)
			return false;
		got[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	return n == 9 && memcmp(want, got, 9) == 0;
}

/* --- look-ups -------------------------------------------------------------------------------------------------------------- */

const struct mf_part *manifest_part(const struct manifest *m, int64_t number)
{
	for (size_t i = 0; i < m->n_parts; i++)
		if (m->parts[i].number == number)
			return &m->parts[i];
	return NULL;
}

const struct mf_count *manifest_count(const struct mf_part *p, int kind)
{
	for (size_t i = 0; i < p->n_counts; i++)
		if (p->counts[i].kind == kind)
			return &p->counts[i];
	return NULL;
}

struct str manifest_text(const struct manifest *m, const char *what, struct str lang)
{
	for (size_t i = 0; i < m->n_texts; i++)
		if (str_eqz(m->texts[i].what, what) && str_eq(m->texts[i].lang, lang))
			return m->texts[i].value;
	return (struct str){ 0 };
}

const struct mf_sender *manifest_sender(const struct mf_part *p, struct str office, int kind)
{
	for (size_t i = 0; i < p->n_senders; i++)
		if (p->senders[i].kind == kind && str_eq(p->senders[i].office, office))
			return &p->senders[i];
	return NULL;
}

/* --- times ------------------------------------------------------------------------------------------------------------------ */

bool manifest_part_is_public(const struct mf_part *p)
{
	return !p->internal && p->embargo.kind == WHEN_NONE;
}

int64_t manifest_embargo(const struct manifest *m, int64_t base_ms)
{
	int64_t latest = INT64_MIN;
	for (size_t i = 0; i < m->n_parts; i++) {
		if (m->parts[i].embargo.kind == WHEN_NONE)
			continue;
		int64_t at = when_resolve(&m->parts[i].embargo, base_ms);
		latest = at > latest ? at : latest;
	}
	return latest;
}

int64_t manifest_expires(const struct mf_part *p, int64_t start_ms)
{
	switch (p->expires.kind) {
	case WHEN_AT: return p->expires.ms;
	case WHEN_AFTER_DURATION: return start_ms + p->expires.ms;
	case WHEN_NONE:
	case WHEN_NOW: break;
	}
	return start_ms + 48 * WHEN_HOUR_MS;
}

static void times_at_depth(const struct manifest *m, const struct mf_part *p, int64_t base_ms,
	struct mf_times *ret, int depth)
{
	*ret = (struct mf_times){ .not_before_ms = INT64_MIN };
	if (manifest_part_is_public(p))
		ret->not_before_ms = manifest_embargo(m, base_ms);
	ret->has_at = p->at.kind != WHEN_NONE || (!p->after && !p->signal);
	ret->at_ms = when_resolve(&p->at, base_ms);
	if (ret->at_ms < ret->not_before_ms)
		ret->at_ms = ret->not_before_ms;
	ret->win_from_ms = ret->at_ms;
	ret->win_to_ms = ret->win_from_ms + p->window_ms;
	int64_t latest = ret->win_to_ms;
	const struct mf_part *x = p->after ? manifest_part(m, p->after) : NULL;
	if (x && depth < (int)PARTS_MAX) {
		struct mf_times t;
		times_at_depth(m, x, base_ms, &t, depth + 1);
		latest = t.expires_ms > latest ? t.expires_ms : latest;
	}
	if (ret->has_at && !p->after && !p->signal)
		latest = ret->at_ms;
	ret->expires_ms = manifest_expires(p, latest);
}

void manifest_times(
	const struct manifest *m, const struct mf_part *p, int64_t base_ms, struct mf_times *ret)
{
	times_at_depth(m, p, base_ms, ret, 0);
}
