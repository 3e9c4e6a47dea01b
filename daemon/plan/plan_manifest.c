/* plan_manifest.c - the manifest of a document: what is written in it, then what was resolved for it.
 * Thread: any. The written half can be made again from the stored revision at any time and must come out equal.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

static void add_text(struct manifest *m, const char *what, const char *lang, const char *value)
{
	if (!*value || m->n_texts == MANIFEST_TEXTS_MAX)
		return;
	if ((m->n_texts & (m->n_texts - 1)) == 0)
		m->texts = x_realloc(m->texts, m->n_texts ? 2 * m->n_texts : 1, sizeof(*m->texts));
	m->texts[m->n_texts++] = (struct mf_text){ manifest_keep(m, str_of(what)), str_of(lang),
		str_of(value) };
}

static void add_pairs(
	struct manifest *m, const char *prefix, const char *lang, const struct doc_pairs *pairs)
{
	for (size_t i = 0; pairs && i < pairs->n; i++) {
		char *what = x_asprintf("%s.%s.%s", prefix, pairs->v[i].kind, pairs->v[i].key);
		add_text(m, what, lang, pairs->v[i].value);
		free(what);
	}
}

static void add_texts(struct manifest *m, const struct release_doc *d)
{
	add_text(m, "title", d->lang, d->title);
	add_text(m, "summary", d->lang, d->summary);
	add_text(m, "link", d->lang, d->link);
	add_text(m, "body", d->lang, d->body);
	add_pairs(m, "text", d->lang, &d->texts);
	add_pairs(m, "option", "", &d->options);
	for (size_t i = 0; i < d->n_variants; i++) {
		const struct doc_variant *v = &d->variants[i];
		add_text(m, "title", v->lang, v->title);
		add_text(m, "summary", v->lang, v->summary);
		add_text(m, "link", v->lang, v->link);
		add_text(m, "body", v->lang, v->body);
		add_pairs(m, "text", v->lang, v->texts);
	}
	for (size_t i = 0; i < d->n_locals; i++) {
		char *what = x_asprintf("local.%s", d->locals[i].office);
		add_text(m, what, "", d->locals[i].text);
		free(what);
	}
}

static void add_assets(struct manifest *m, const struct release_doc *d)
{
	m->n_assets = d->n_assets;
	m->assets = d->n_assets ? x_calloc(d->n_assets, sizeof(*m->assets)) : NULL;
	for (size_t i = 0; i < d->n_assets; i++) {
		const struct doc_asset *a = &d->assets[i];
		m->assets[i] = (struct mf_asset){ .hash = a->hash,
			.name = str_of(a->file),
			.type = str_of(a->type),
			.alt = str_of(a->alt),
			.caption = str_of(a->caption),
			.credit = str_of(a->credit),
			.role = a->role,
			.crop = a->crop,
			.internal = a->internal,
			.part_only = a->part_only,
			.owner = a->owner,
			.bytes = (int64_t)a->bytes };
	}
}

static void add_part(
	struct manifest *m, const struct release_doc *d, size_t i, const uint32_t *numbers)
{
	const struct doc_part *p = &d->parts[i];
	struct mf_part *mp = &m->parts[i];
	*mp = (struct mf_part){ .number = numbers[i],
		.name = str_of(p->name),
		.attach_set = p->attach_set,
		.at = p->at,
		.embargo = p->embargo,
		.expires = p->expires,
		.after = p->after_index >= 0 ? numbers[p->after_index] : 0,
		.signal = p->go_signal,
		.needs_link = p->needs_link,
		.internal = p->internal,
		.again = p->broadcast ? MF_AGAIN_BROADCAST : p->again,
		.window_ms = p->window_ms,
		.spread_ms = p->spread_ms,
		.jitter_ms = p->jitter_ms,
		.late = p->late,
		.late_after_ms = p->late_after_ms,
		.cost_max = p->max_cost,
		.prio = p->priority };
	mp->n_attach = p->n_attach;
	mp->attach = p->n_attach ? x_calloc(p->n_attach, sizeof(*mp->attach)) : NULL;
	for (size_t k = 0; k < p->n_attach; k++)
		mp->attach[k] = p->attach[k];
}

struct manifest *manifest_of_doc(const struct release_doc *d, const char *code, int64_t year,
	int64_t rev, const uint32_t *numbers)
{
	struct manifest *m = manifest_new();
	m->code = manifest_keep(m, str_of(code));
	m->year = year;
	m->rev = rev;
	m->kind = d->kind;
	m->category = d->category;
	m->prio = d->priority;
	m->campaign = str_of(d->campaign);
	m->zone_name = str_of(d->zone.name);
	m->zone_offset_s = d->zone.offset_s;
	m->lang = str_of(d->lang);
	m->ref_number = str_of(d->ref_number);
	m->ref_date = str_of(d->ref_date);
	m->ref_signer = str_of(d->ref_signer);
	add_texts(m, d);
	add_assets(m, d);
	m->n_parts = d->n_parts;
	m->parts = x_calloc(d->n_parts, sizeof(*m->parts));
	for (size_t i = 0; i < d->n_parts; i++)
		add_part(m, d, i, numbers);
	return m;
}

static void copy_strs(struct manifest *m, struct mf_part *to, const struct mf_part *from)
{
	to->n_to = from->n_to;
	to->to = from->n_to ? x_calloc(from->n_to, sizeof(*to->to)) : NULL;
	for (size_t i = 0; i < from->n_to; i++)
		to->to[i] = (struct mf_audience){ manifest_keep(m, from->to[i].name),
			manifest_keep(m, from->to[i].rule) };
	to->n_skipped = from->n_skipped;
	to->skipped = from->n_skipped ? x_calloc(from->n_skipped, sizeof(*to->skipped)) : NULL;
	for (size_t i = 0; i < from->n_skipped; i++)
		to->skipped[i] = manifest_keep(m, from->skipped[i]);
	to->n_senders = from->n_senders;
	to->senders = from->n_senders ? x_calloc(from->n_senders, sizeof(*to->senders)) : NULL;
	for (size_t i = 0; i < from->n_senders; i++) {
		const struct mf_sender *s = &from->senders[i];
		to->senders[i] = (struct mf_sender){ manifest_keep(m, s->office), s->kind,
			manifest_keep(m, s->channel), manifest_keep(m, s->account),
			manifest_keep(m, s->identity) };
	}
}

void manifest_take_resolved(struct manifest *m, const struct manifest *from)
{
	for (size_t i = 0; i < m->n_parts; i++) {
		struct mf_part *to = &m->parts[i];
		const struct mf_part *p = manifest_part(from, to->number);
		if (!p)
			continue;
		copy_strs(m, to, p);
		to->n_kinds = p->n_kinds;
		to->kinds = p->n_kinds ? x_calloc(p->n_kinds, sizeof(*to->kinds)) : NULL;
		for (size_t k = 0; k < p->n_kinds; k++)
			to->kinds[k] = p->kinds[k];
		to->n_counts = p->n_counts;
		to->counts = p->n_counts ? x_calloc(p->n_counts, sizeof(*to->counts)) : NULL;
		for (size_t k = 0; k < p->n_counts; k++)
			to->counts[k] = p->counts[k];
		to->prio = p->prio; /* a campaign's priority may have applied */
	}
	m->prio = from->prio;
	m->n_offices = from->n_offices;
	m->offices = from->n_offices ? x_calloc(from->n_offices, sizeof(*m->offices)) : NULL;
	for (size_t i = 0; i < from->n_offices; i++)
		m->offices[i] = (struct mf_office){ manifest_keep(m, from->offices[i].code),
			from->offices[i].vars };
	m->cost = from->cost;
}

/* --- what was resolved, from a check ------------------------------------------------------------------------------------------- */

/* Lists up to 10,000 contacts, and together no more rows than one transaction should hold. */
static void take_counts(const struct checked *c, size_t part, int64_t *listed_total)
{
	struct mf_part *p = &c->m->parts[part];
	p->counts = x_calloc(KIND_MAX, sizeof(*p->counts));
	for (size_t k = 0; k < p->n_kinds; k++) {
		const struct resolve_kind *r = &c->resolved->kind[part][p->kinds[k]];
		bool listed = r->n <= MANIFEST_LIST_MAX &&
			*listed_total + r->n <= RELEASE_CONTACTS_MAX;
		*listed_total += listed ? r->n : 0;
		struct mf_count *to = &p->counts[p->n_counts++];
		to->kind = p->kinds[k];
		to->n = r->n;
		to->listed = listed;
		if (listed)
			to->list = r->list;
	}
}

struct contact_key *check_contacts(const struct checked *c, size_t *ret_n)
{
	size_t all = c->resolved->n_contacts, n = 0;
	struct contact_key *rows = all ? x_calloc(all, sizeof(*rows)) : NULL;
	for (size_t i = 0; i < all; i++) {
		const struct contact_key *k = &c->resolved->contacts[i];
		const struct mf_count *count = manifest_count(&c->m->parts[k->part], k->kind);
		if (!count || !count->listed)
			continue;
		rows[n] = *k;
		rows[n++].part = c->number[k->part];
	}
	*ret_n = n;
	return rows;
}

static int by_code(const void *a, const void *b)
{
	return str_cmp(((const struct mf_office *)a)->code, ((const struct mf_office *)b)->code);
}

static void take_offices(struct checked *c)
{
	struct map64 *seen = map64_new();
	struct manifest *m = c->m;
	for (size_t i = 0; i < c->n_made && m->n_offices < MANIFEST_OFFICES_MAX; i++) {
		const struct plan_office *o = c->made[i].office;
		if (map64_put(seen, (uint64_t)o->id, c))
			continue;
		if ((m->n_offices & (m->n_offices - 1)) == 0)
			m->offices = x_realloc(m->offices, m->n_offices ? 2 * m->n_offices : 1,
				sizeof(*m->offices));
		m->offices[m->n_offices++] = (struct mf_office){ str_of(o->code), o->vars };
	}
	map64_free(seen);
	if (m->n_offices)
		qsort(m->offices, m->n_offices, sizeof(*m->offices), by_code);
}

/* c->m has its written half, kinds, rules and senders; here the rest, and the bytes. */
int check_manifest(struct checked *c, struct err *e)
{
	int64_t listed = 0;
	for (size_t i = 0; i < c->m->n_parts; i++)
		take_counts(c, i, &listed);
	take_offices(c);
	c->m->cost = c->cost;
	buf_reset(&c->body);
	int rc = manifest_encode(c->m, &c->body);
	if (rc < 0)
		return err_set(e, rc, "the release is too large for a manifest of %u MB",
			MANIFEST_BYTES_MAX >> 20);
	manifest_hash(buf_str(&c->body), &c->hash);
	return 0;
}
