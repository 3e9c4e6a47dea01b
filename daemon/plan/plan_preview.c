/* plan_preview.c - preview, diff and review of a stored revision. Thread: worker, inside a reader's snapshot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "content/diff.h"
#include "plan/plan_internal.h"

#define PREVIEW_ROWS_MAX 100

/* --- preview -------------------------------------------------------------------------------------------------------------------- */

#define CHOICES   4
#define NAMES_MAX 40 /* of one choice that a refusal may name */

/* What may be chosen by: the name that is wanted, and those that there are. */
struct choice {
	const char *key;
	struct str want; /* empty: any */
	bool met;
	size_t n;
	char name[NAMES_MAX][64];
};

static struct choice *choices_new(const cJSON *params)
{
	static const char *const keys[CHOICES] = { "part", "channel", "office", "lang" };
	struct choice *v = x_calloc(CHOICES, sizeof(*v));
	for (size_t i = 0; i < CHOICES; i++) {
		v[i].key = keys[i];
		v[i].want = json_str(params, keys[i]);
		v[i].met = v[i].want.n == 0;
	}
	return v;
}

static bool choice_fits(struct choice *c, struct str value)
{
	bool known = false;
	for (size_t i = 0; i < c->n && !known; i++)
		known = str_eqz(value, c->name[i]);
	if (!known && c->n < NAMES_MAX)
		(void)str_copy(c->name[c->n++], sizeof(c->name[0]), value);
	bool fits = c->want.n == 0 || str_eq(c->want, value);
	c->met = c->met || fits;
	return fits;
}

static bool row_wanted(const struct plan_text *t, const struct prepared_row *row,
	const struct plan_office *o, const struct mf_sender *s, struct choice *v)
{
	const struct mf_part *p = manifest_part(t->m, row->part);
	if (!p || !o || !s)
		return false;
	const struct str is[CHOICES] = { p->name, str_of(chan_kind_name((int)s->kind)),
		str_of(o->code), str_of(row->lang) };
	bool all = true;
	for (size_t i = 0; i < CHOICES; i++)
		all = choice_fits(&v[i], is[i]) && all;
	return all;
}

/* Nothing was found: which name is not there, and which are. */
static int none_wanted(const struct choice *v, const char *code, struct err *e)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 1000);
	for (size_t i = 0; i < CHOICES; i++) {
		if (v[i].met)
			continue;
		for (size_t k = 0; k < v[i].n && b.n < 250; k++)
			buf_addf(&b, "%s%s", k ? ", " : "; there are: ", v[i].name[k]);
		return err_set(e, -ENOENT, "%s has no output of %s '" STR_FMT "'%s%s", code,
			v[i].key, STR_ARG(v[i].want), buf_z(&b),
			v[i].n == NAMES_MAX || b.n >= 250 ? ", ..." : "");
	}
	for (size_t i = 0; i < CHOICES; i++)
		if (v[i].want.n)
			buf_addf(
				&b, "%s%s " STR_FMT, b.n ? ", " : "", v[i].key, STR_ARG(v[i].want));
	return b.n
		? err_set(e, -ENOENT, "%s has no output of all these together: %s", code, buf_z(&b))
		: 0;
}

static cJSON *row_json(const struct plan_text *t, const struct prepared_row *row,
	const struct plan_office *o, const struct mf_sender *s, const struct prepared *made,
	const struct prepared *shown, const char *trouble)
{
	char hex[HASH_HEX];
	cJSON *j = json_obj(), *facts = json_obj();
	json_put_str(j, "part", manifest_part(t->m, row->part)->name);
	json_put_z(j, "channel", chan_kind_name((int)s->kind));
	json_put_z(j, "form", row->form);
	json_put_z(j, "lang", row->lang);
	json_put_z(j, "office", o->code);
	json_put_z(j, "text", shown && shown->preview ? shown->preview : trouble);
	hash_hex(&row->digest, hex);
	json_put_z(j, "digest", hex);
	json_put_i64(j, "bytes", shown ? (int64_t)shown->bytes : 0);
	for (size_t i = 0; shown && i < shown->n_facts; i++)
		json_put_i64(facts, shown->facts[i].name, shown->facts[i].value);
	json_put(j, "facts", facts);
	json_put_bool(j, "as_approved", made && hash_cmp(&made->digest, &row->digest) == 0);
	return j;
}

static const struct mf_sender *sender_by_office(
	const struct mf_part *p, const char *office, const char *channel)
{
	for (size_t i = 0; p && i < p->n_senders; i++)
		if (str_eqz(p->senders[i].office, office) &&
			str_eqz(p->senders[i].channel, channel))
			return &p->senders[i];
	return NULL;
}

static int channel_name(struct db *db, int64_t id, char *ret, size_t size)
{
	int rc = db_get_text(db, ret, size, "SELECT name FROM channel WHERE id=?", "i", id);
	return rc < 0 ? rc : 0;
}

/* Of the office that bounds the person, or below it: 1, else 0. */
static int may_see(struct db *db, const struct plan_office *o, const struct actor *who)
{
	struct office_chain chain;
	if (!who->office || !o)
		return 1;
	int rc = office_chain_get(db, o->id, &chain);
	for (size_t i = 0; i < chain.n && rc == 0; i++)
		rc = strcmp(chain.code[i], who->office) == 0;
	return rc;
}

static int preview_rows(struct plan *p, struct store_reader *r, const struct plan_text *t,
	struct choice *v, const struct actor *who, cJSON *rows, bool *more)
{
	const struct memo_turn turn = plan_memo_turn(p);
	struct prepared_row *all = NULL;
	struct plan_offices offices = { 0 };
	size_t n = 0, given = 0;
	char channel[80];
	int rc = prepared_rows_get(reader_db(r), &t->hash, -1, 0, 0, &all, &n);
	if (rc == 0)
		rc = plan_offices_get(reader_db(r), env_wall(p->env), &offices);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct plan_office *o = plan_office_by_id(&offices, all[i].office_id);
		rc = channel_name(reader_db(r), all[i].channel_id, channel, sizeof(channel));
		const struct mf_sender *s = o
			? sender_by_office(manifest_part(t->m, all[i].part), o->code, channel)
			: NULL;
		int seen = rc < 0 ? rc : may_see(reader_db(r), o, who);
		rc = seen < 0 ? seen : rc;
		if (seen <= 0 || !row_wanted(t, &all[i], o, s, v))
			continue;
		if (given++ == PREVIEW_ROWS_MAX) {
			*more = true;
			break;
		}
		CLEANUP(prepared_unref) struct prepared *made = NULL, *whole = NULL;
		struct err trouble = { 0 };
		int bad = plan_remake(p, r, t, &all[i], &all[i].vars, &turn, &made, &trouble);
		if (bad == 0) /* what the office has had approved since is sent with it */
			bad = plan_remake_local(p, r, t, &all[i], &turn, &whole, &trouble);
		json_add(rows,
			row_json(t, &all[i], o, s, made,
				bad < 0         ? NULL
					: whole ? whole
						: made,
				trouble.text));
	}
	free(all);
	plan_offices_done(&offices);
	return rc;
}

static int newest_text(struct plan *p, struct store_reader *r, const cJSON *params,
	struct release_row *rel, struct plan_text **ret, struct err *e)
{
	struct hash h;
	int rc = release_find(reader_db(r), json_str(params, "release"), rel, e);
	if (rc == 0)
		rc = manifest_newest(reader_db(r), rel->id, rel->rev_newest, &h, NULL);
	return rc < 0 ? rc : plan_text_get(p, r, &h, ret, e);
}

int plan_preview(struct plan *p, struct store_reader *r, const cJSON *params,
	const struct actor *who, cJSON **ret, struct err *e)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	struct release_row rel;
	struct plan_text *t = NULL;
	bool more = false;
	int rc = newest_text(p, r, params, &rel, &t, e);
	if (rc < 0)
		return rc;
	cJSON *rows = json_arr();
	struct choice *v = choices_new(params);
	rc = preview_rows(p, r, t, v, who, rows, &more);
	plan_text_put(p, t);
	if (rc < 0)
		(void)err_set(e, rc, "the outputs could not be read");
	else if (!rows->child)
		rc = none_wanted(v, rel.code, e);
	free(v);
	if (rc < 0) {
		cJSON_Delete(rows);
		return rc;
	}
	*ret = json_obj();
	json_put(*ret, "rows", rows);
	json_put_bool(*ret, "more", more);
	return 0;
}

/* --- diff --------------------------------------------------------------------------------------------------------------------------- */

static int revision_whole(
	struct store_reader *r, int64_t release_id, int64_t rev, struct buf *b, struct err *e)
{
	CLEANUP(release_doc_free) struct release_doc *d = NULL;
	int rc = plan_doc_from_store(r, release_id, rev, &d, e);
	if (rc < 0)
		return rc;
	buf_addf(b, "---\n%s\n---\n", d->front);
	buf_addz(b, d->body);
	for (size_t i = 0; i < d->n_variants; i++) {
		buf_addf(b, "\n=== %s\n---\n%s\n---\n", d->variants[i].file, d->variants[i].front);
		buf_addz(b, d->variants[i].body);
	}
	for (size_t i = 0; i < d->n_locals; i++) {
		buf_addf(b, "\n=== %s\n", d->locals[i].file);
		buf_addz(b, d->locals[i].text);
	}
	for (size_t i = 0; i < d->n_assets; i++) {
		char hex[HASH_HEX];
		hash_hex(&d->assets[i].hash, hex);
		buf_addf(b, "\n=== %s %s", d->assets[i].file, hex);
	}
	buf_addc(b, '\n');
	return b->failed ? err_set(e, -E2BIG, "the texts are too long to compare") : 0;
}

int plan_diff(struct plan *p, struct store_reader *r, const cJSON *params, const struct actor *who,
	cJSON **ret, struct err *e)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	UNUSED(who);
	struct release_row rel;
	struct buf a CLEANUP_BUF, b CLEANUP_BUF, text CLEANUP_BUF;
	char from_name[40], to_name[40];
	buf_init(&a, DOC_TOTAL_MAX);
	buf_init(&b, DOC_TOTAL_MAX);
	buf_init(&text, 2 * DOC_TOTAL_MAX);
	int rc = release_find(reader_db(r), json_str(params, "release"), &rel, e);
	if (rc < 0)
		return rc;
	int64_t to = json_i64(params, "to", rel.rev_newest),
		from = json_i64(params, "from", to - 1);
	if (to < 1 || to > rel.rev_newest || from < 0 || from > rel.rev_newest)
		return err_set(e, -ENOENT, "%s has revisions 1 to %lld", rel.code,
			(long long)rel.rev_newest);
	if (from > 0)
		rc = revision_whole(r, rel.id, from, &a, e);
	if (rc == 0)
		rc = revision_whole(r, rel.id, to, &b, e);
	snprintf(from_name, sizeof(from_name), "revision %lld", (long long)from);
	snprintf(to_name, sizeof(to_name), "revision %lld", (long long)to);
	if (rc == 0)
		rc = diff_unified(&text, from_name, buf_str(&a).p ? buf_str(&a) : STR(""), to_name,
			buf_str(&b));
	if (rc < 0)
		return rc;
	*ret = json_obj();
	json_put_str(*ret, "text", (struct str){ buf_z(&text), text.n });
	json_put_i64(*ret, "from", from);
	json_put_i64(*ret, "to", to);
	return 0;
}

/* --- review -------------------------------------------------------------------------------------------------------------------------- */

int plan_review(struct plan *p, struct store_reader *r, const cJSON *params,
	const struct actor *who, bool large, cJSON **ret, struct err *e)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	UNUSED(who);
	struct checked c = { 0 };
	struct release_row rel;
	struct hash newest;
	char hex[HASH_HEX], code[MANIFEST_CODE_MAX], ref[120];
	int rc = release_find(reader_db(r), json_str(params, "release"), &rel, e);
	if (rc == 0)
		rc = manifest_newest(reader_db(r), rel.id, rel.rev_newest, &newest, NULL);
	if (rc == 0)
		rc = check_reopen(p, r, &rel, rel.rev_newest, &c, e);
	c.large = large;
	if (rc == 0)
		rc = check_run(&c, e);
	if (rc == 0) {
		*ret = check_json(&c);
		/* where audience or outputs have changed, what can be approved is what stands here: made again, as --diff would */
		bool changed = hash_cmp(&newest, &c.hash) != 0;
		bool today = changed && c.problems.errors == 0 &&
			(rel.state == REL_IN_REVIEW || rel.state == REL_APPROVED ||
				rel.state == REL_SENDING);
		const struct hash *h = today ? &c.hash : &newest;
		hash_hex(h, hex);
		json_put_z(*ret, "release", release_ref(&rel, ref, sizeof(ref)));
		json_put_i64(*ret, "rev", rel.rev_newest);
		json_put_z(*ret, "state", rel_state_name(rel.state));
		json_put_z(*ret, "hash", hex);
		cJSON_DeleteItemFromObjectCaseSensitive(*ret, "code");
		json_put_z(*ret, "code", manifest_code(h, code));
		json_put_bool(*ret, "changed", changed);
		hash_hex(&newest, hex);
		json_put_z(*ret, "stored_hash", hex);
	}
	check_done(&c);
	return rc;
}
