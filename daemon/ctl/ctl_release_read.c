/* ctl_release_read.c - methods that list: releases, one of them in full, its progress, its report, the calendar.
 * Thread: worker, inside a reader's snapshot. Numbers are counted by the store, never guessed. A person of an office sees the
 * deliveries of that office and those below it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "ctl/ctl_queue_stats.h"
#include "ctl/ctl_release.h"
#include "store/store_q_release.h"

#define LIST_MAX 1000

static size_t limit_of(const struct ctl_call *c, size_t otherwise)
{
	int64_t n = json_i64(c->params, "limit", (int64_t)otherwise);
	return n < 1 ? 1 : n > LIST_MAX ? LIST_MAX : (size_t)n;
}

static cJSON *counts_json(const struct q_counts *n)
{
	cJSON *o = json_obj();
	for (int i = 0; i < DLV_STATES; i++)
		if (n->n[i])
			json_put_i64(o, dlv_state_name(i), n->n[i]);
	return o;
}

static int64_t counts_total(const struct q_counts *n)
{
	int64_t sum = 0;
	for (int i = 0; i < DLV_STATES; i++)
		sum += n->n[i];
	return sum;
}

static void put_time(cJSON *o, const char *key, int64_t ms)
{
	if (ms)
		json_put_i64(o, key, ms);
	else
		json_put_z(o, key, NULL);
}

static void put_part(struct plan *plan, int64_t release_id, cJSON *o, const struct part_row *p,
	const struct part_row *all, size_t n)
{
	char why[200];
	json_put_z(o, "name", p->name);
	json_put_i64(o, "part", p->part);
	json_put_z(o, "state",
		p->state == PART_DONE && strncmp(p->why, "expired", 7) == 0
			? "expired"
			: part_state_name(p->state));
	put_time(o, "at", p->started ? p->started : p->go_at ? p->go_at : p->at);
	put_time(o, "started_at", p->started);
	put_time(o, "expires_at", p->expires);
	bool link = !*p->why && p->state == PART_WAITING &&
		plan_link_why(plan, release_id, p->part, why, sizeof(why));
	json_put_z(o, "why", link ? why : *p->why ? p->why : NULL);
	json_put_bool(o, "signal", p->signal);
	const char *after = NULL;
	for (size_t i = 0; i < n; i++)
		if (all[i].part == p->after)
			after = all[i].name;
	json_put_z(o, "after", after);
	json_put_z(o, "planned", p->planned == 2 ? "yes" : "no");
}

static int parts_json(const struct ctl_call *c, struct db *db, const struct release_row *r,
	bool counts, cJSON **ret)
{
	struct part_row rows[PARTS_MAX];
	size_t n = 0;
	int rc = part_rows_get(
		db, r->id, r->rev_approved ? r->rev_approved : r->rev_newest, rows, PARTS_MAX, &n);
	cJSON *list = json_arr();
	for (size_t i = 0; i < n && rc == 0; i++) {
		cJSON *o = json_obj();
		put_part(c->deps->plan, r->id, o, &rows[i], rows, n);
		struct q_counts q;
		rc = counts ? q_release_counts(db, r->id, (int)rows[i].part, &q) : 0;
		if (rc == 0 && counts) {
			json_put(o, "counts", counts_json(&q));
			json_put_i64(o, "total", counts_total(&q));
		}
		json_add(list, o);
	}
	if (rc < 0)
		cJSON_Delete(list);
	else
		*ret = list;
	return rc;
}

/* What every view of a release begins with. */
static int head_json(const struct ctl_call *c, struct db *db, const struct release_row *r,
	bool counts, cJSON **ret)
{
	char ref[120];
	int64_t submitted = 0;
	struct q_counts q;
	cJSON *parts = NULL;
	int rc = q_release_submitted(db, r->id, &submitted);
	if (rc == 0)
		rc = q_release_counts(db, r->id, -1, &q);
	if (rc == 0)
		rc = parts_json(c, db, r, counts, &parts);
	if (rc < 0)
		return rc;
	cJSON *o = json_obj();
	json_put_z(o, "release", release_ref(r, ref, sizeof(ref)));
	json_put_z(o, "title", r->title);
	json_put_z(o, "state", rel_state_name(r->state));
	json_put_z(o, "kind", release_kind_name(r->kind));
	json_put_z(o, "category", category_name(r->category));
	json_put_z(o, "priority", prio_name(r->prio));
	json_put_i64(o, "rev", r->rev_newest);
	put_time(o, "rev_approved", r->rev_approved);
	json_put_i64(o, "owed", r->owed);
	put_time(o, "submitted_at", submitted);
	put_time(o, "approved_at", r->approved_at);
	json_put(o, "parts", parts);
	json_put(o, "counts", counts_json(&q));
	json_put_i64(o, "total", counts_total(&q));
	*ret = o;
	return 0;
}

static int state_of(const char *name)
{
	for (int s = 0; s <= REL_RETURNED; s++)
		if (rel_state_name(s) && strcmp(rel_state_name(s), name) == 0)
			return s;
	return -1;
}

int ctl_release_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	int64_t ids[LIST_MAX + 1];
	size_t n = 0, limit = limit_of(c, 50);
	struct db *db = reader_db(c->reader);
	const char *name = json_z(c->params, "state", NULL);
	int state = name ? state_of(name) : -1;
	if (name && state < 0)
		return err_set(e, -EINVAL, "'%s' is no state of a release", name);
	int64_t after = 0;
	int rc = ctl_after(c, &after, e);
	if (rc < 0)
		return rc;
	rc = q_release_list(db, state, after, limit + 1, ids, &n);
	cJSON *rows = json_arr();
	for (size_t i = 0; i < n && i < limit && rc == 0; i++) {
		struct release_row r;
		cJSON *o = NULL;
		rc = release_get(db, ids[i], &r);
		if (rc == 0)
			rc = head_json(c, db, &r, false, &o);
		if (rc == 0)
			json_add(rows, o);
	}
	if (rc < 0) {
		cJSON_Delete(rows);
		return err_set(e, rc, "the releases could not be read");
	}
	*ret = json_obj();
	json_put(*ret, "rows", rows);
	json_put_bool(*ret, "more", n > limit);
	put_time(*ret, "next", n > limit ? ids[limit - 1] : 0);
	return 0;
}

/* --- people -------------------------------------------------------------------------------------------------------------------------- */

static cJSON *approval_json(const struct approval_row *a)
{
	char hex[HASH_HEX];
	cJSON *o = json_obj();
	json_put_z(o, "person", a->person);
	json_put_z(o, "via", a->via);
	json_put_i64(o, "step", a->step + 1);
	json_put_z(o, "kind", approval_kind_name(a->kind));
	json_put_z(o, "for", a->for_person);
	json_put_z(o, "why", a->why);
	json_put_i64(o, "at", a->at);
	put_time(o, "voided_at", a->voided);
	hash_hex(&a->manifest, hex);
	json_put_z(o, "hash", hex);
	hash_hex(&a->document, hex);
	json_put_z(o, "document", a->has_document ? hex : NULL);
	return o;
}

int ctl_release_people(struct ctl_call *c, struct str release, cJSON *o, struct err *e)
{
	struct db *db = reader_db(c->reader);
	struct release_row r;
	struct hash h;
	struct approval_row *rows = NULL;
	char **authors = NULL;
	size_t n = 0, n_authors = 0;
	int rc = release_find(db, release, &r, e);
	if (rc == 0)
		rc = manifest_newest(db, r.id, r.rev_newest, &h, NULL);
	if (rc == 0)
		rc = approval_rows_get(db, &h, true, &rows, &n);
	if (rc == 0)
		rc = release_authors_get(db, r.id, &authors, &n_authors);
	if (rc == 0) {
		cJSON *list = json_arr();
		for (size_t i = 0; i < n; i++)
			json_add(list, approval_json(&rows[i]));
		json_put(o, "approvals", list);
		list = json_arr();
		for (size_t i = 0; i < n_authors; i++)
			json_add_str(list, str_of(authors[i]));
		json_put(o, "authors", list);
	}
	approval_rows_free(rows, n);
	strings_free(authors, n_authors);
	return rc < 0 && !*e->text ? err_set(e, rc, "the approvals could not be read") : rc;
}

/* --- show --------------------------------------------------------------------------------------------------------------------------- */

static int on_revision(void *ctx, const struct q_revision *r)
{
	char hex[HASH_HEX];
	cJSON *o = json_obj();
	hash_hex(&r->manifest, hex);
	json_put_i64(o, "rev", r->rev);
	json_put_i64(o, "at", r->at);
	json_put_z(o, "person", r->person);
	json_put_z(o, "hash", hex);
	json_add(ctx, o);
	return 0;
}

static int on_lot(void *ctx, const struct q_lot *l)
{
	cJSON *o = json_obj();
	json_put_z(o, "part", l->part);
	json_put_z(o, "channel", l->channel);
	json_put_z(o, "account", l->account);
	json_put_z(o, "class", l->class);
	json_put_z(o, "gate", lot_gate_name(l->gate));
	json_put_i64(o, "lots", l->lots);
	json_put_z(o, "why", *l->why ? l->why : NULL);
	json_put(o, "counts", counts_json(&l->counts));
	json_add(ctx, o);
	return 0;
}

static int put_assets(struct db *db, const struct release_row *r, cJSON *o)
{
	struct release_asset_row *rows = NULL;
	size_t n = 0;
	int rc = release_assets_get(db, r->id, r->rev_newest, &rows, &n);
	cJSON *list = json_arr();
	for (size_t i = 0; i < n; i++) {
		char hex[HASH_HEX];
		cJSON *a = json_obj();
		hash_hex(&rows[i].hash, hex);
		json_put_z(a, "name", rows[i].name);
		json_put_z(a, "alt", rows[i].alt);
		json_put_z(a, "type", rows[i].type);
		json_put_i64(a, "bytes", rows[i].bytes);
		json_put_z(a, "hash", hex);
		json_add(list, a);
	}
	json_put(o, "assets", list);
	asset_rows_free(rows, n);
	return rc;
}

static int put_manifest(struct db *db, const struct release_row *r, cJSON *o)
{
	struct hash h;
	char hex[HASH_HEX], code[MANIFEST_CODE_MAX];
	int rc = manifest_newest(db, r->id, r->rev_newest, &h, NULL);
	if (rc < 0)
		return rc;
	hash_hex(&h, hex);
	json_put_z(o, "hash", hex);
	json_put_z(o, "code", manifest_code(&h, code));
	return 0;
}

/* What a person wrote, and which release this one corrects. */
static void put_note(struct db *db, const struct release_row *r, const char *note, cJSON *o)
{
	struct release_row old;
	char ref[120];
	if (r->corrects && release_get(db, r->corrects, &old) == 0)
		json_put_z(o, "corrects", release_ref(&old, ref, sizeof(ref)));
	json_put_z(o, "note", r->corrects ? NULL : note);
}

int ctl_release_show(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct db *db = reader_db(c->reader);
	struct release_row r;
	cJSON *o = NULL, *revisions = json_arr(), *lots = json_arr();
	char *note = NULL;
	int rc = release_find(db, json_str(c->params, "release"), &r, e);
	if (rc == 0)
		rc = head_json(c, db, &r, true, &o);
	if (rc == 0)
		rc = q_revisions(db, r.id, on_revision, revisions);
	if (rc == 0)
		rc = q_lots(db, &r, on_lot, lots);
	if (rc == 0)
		rc = put_assets(db, &r, o);
	if (rc == 0)
		rc = put_manifest(db, &r, o);
	if (rc == 0)
		rc = ctl_release_stops(c, r.id, o);
	if (rc == 0)
		rc = q_release_note(db, r.id, &note);
	if (rc == 0)
		rc = ctl_release_people(c, json_str(c->params, "release"), o, e);
	if (rc < 0) {
		cJSON_Delete(o);
		cJSON_Delete(revisions);
		cJSON_Delete(lots);
		free(note);
		return *e->text ? rc : err_set(e, rc, "the release could not be read");
	}
	json_put(o, "revisions", revisions);
	json_put(o, "lots", lots);
	put_note(db, &r, note, o);
	free(note);
	*ret = o;
	return 0;
}

int ctl_release_watch(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct db *db = reader_db(c->reader);
	struct release_row r;
	int rc = release_find(db, json_str(c->params, "release"), &r, e);
	if (rc < 0)
		return rc;
	rc = head_json(c, db, &r, true, ret);
	if (rc < 0)
		return err_set(e, rc, "the release could not be read");
	json_put_bool(*ret, "done",
		r.state == REL_DONE || r.state == REL_CANCELLED || r.state == REL_RECALLED ||
			r.state == REL_CORRECTED || r.state == REL_RETURNED);
	return 0;
}

/* --- report --------------------------------------------------------------------------------------------------------------------------- */

struct report {
	struct ctl_call *c;
	cJSON *rows;
	size_t n, limit;
	int64_t last;
	int state; /* -1: all */
	bool more;
};

static int on_delivery(void *ctx, const struct q_delivery *d)
{
	struct report *p = ctx;
	char masked[340];
	if (p->n == p->limit) {
		p->more = true;
		return 0;
	}
	if (p->state >= 0 && d->state != p->state) {
		p->last = d->id;
		p->n++;
		return 0;
	}
	cJSON *o = json_obj();
	char order[200];
	(void)snprintf(order, sizeof(order), "%02d %.180s", d->part_no, d->office_order);
	json_put_i64(o, "delivery", d->id);
	json_put_z(o, "order", order); /* of parts, in them the official one of offices */
	json_put_z(o, "part", d->part);
	json_put_z(o, "office", d->office);
	json_put_z(o, "channel", chan_kind_name(d->kind));
	json_put_z(o, "lane", d->lane);
	ctl_mask(p->c, d->kind, d->address, masked, sizeof(masked));
	json_put_z(o, "address", masked);
	json_put_z(o, "state", dlv_state_name(d->state));
	json_put_i64(o, "tries", d->tries);
	json_put_z(o, "provider_id", *d->provider_id ? d->provider_id : NULL);
	json_put_z(o, "url", *d->url ? d->url : NULL);
	put_time(o, "at", d->at);
	json_put_z(o, "code", *d->code ? d->code : NULL);
	json_put_z(o, "why",
		*d->why ? d->why
			: *d->said && d->state != DLV_ACCEPTED && d->state != DLV_DELIVERED
			? d->said
			: NULL);
	if (ctl_stats_put(p->c->reader, d->id, o) < 0) {
		cJSON_Delete(o);
		return -EIO;
	}
	json_add(p->rows, o);
	p->last = d->id;
	p->n++;
	return 0;
}

int ctl_release_report(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct db *db = reader_db(c->reader);
	struct release_row r;
	struct str state = json_str(c->params, "state");
	struct report p = { .c = c,
		.rows = json_arr(),
		.limit = limit_of(c, 200),
		.state = state.n ? dlv_state_parse(state) : -1 };
	cJSON *o = NULL;
	int64_t after = 0;
	int rc = release_find(db, json_str(c->params, "release"), &r, e);
	if (rc == 0 && state.n && p.state < 0)
		rc = err_set(e, -EINVAL, "no state '" STR_FMT "'", STR_ARG(state));
	if (rc == 0)
		rc = ctl_after(c, &after, e);
	if (rc == 0)
		rc = head_json(c, db, &r, true, &o);
	if (rc == 0)
		rc = q_deliveries(db, &r, c->who.office, after, p.limit + 1, on_delivery, &p);
	if (rc < 0) {
		cJSON_Delete(o);
		cJSON_Delete(p.rows);
		return *e->text ? rc : err_set(e, rc, "the report could not be read");
	}
	json_put(o, "totals", cJSON_Duplicate(json_get(o, "counts"), true));
	json_put(o, "deliveries", p.rows);
	json_put_bool(o, "more", p.more);
	put_time(o, "next", p.more ? p.last : 0);
	*ret = o;
	return 0;
}

/* --- calendar --------------------------------------------------------------------------------------------------------------------------- */

struct calendar {
	struct db *db;
	cJSON *rows;
};

/* What a time that is none yet means. */
static const char *calendar_note(const struct q_moment *m, char *dst, size_t size)
{
	if (m->fixed)
		return NULL;
	if (!*m->after)
		return "at the latest: it waits for a signal";
	(void)snprintf(dst, size, "not before: it comes after %.62s", m->after);
	return dst;
}

static int on_moment(void *ctx, const struct q_moment *m)
{
	struct calendar *k = ctx;
	char ref[120];
	struct hash h;
	struct buf body CLEANUP_BUF;
	CLEANUP(manifest_free) struct manifest *man = NULL;
	cJSON *o = json_obj(), *channels = json_arr();
	char note[120];
	buf_init(&body, MANIFEST_BYTES_MAX);
	json_put_i64(o, "at", m->at);
	json_put_z(o, "release", release_ref(&m->release, ref, sizeof(ref)));
	json_put_z(o, "title", m->release.title);
	json_put_z(o, "part", m->part);
	json_put_z(o, "state", part_state_name(m->state));
	json_put_bool(o, "fixed", m->fixed);
	json_put_z(o, "note", calendar_note(m, note, sizeof(note)));
	if (manifest_newest(k->db, m->release.id, m->release.rev_approved, &h, &body) == 0 &&
		manifest_decode(buf_str(&body), &man, NULL) == 0)
		for (size_t i = 0; i < man->n_parts; i++)
			for (size_t n = 0;
				n < man->parts[i].n_kinds && str_eqz(man->parts[i].name, m->part);
				n++)
				json_add_str(channels,
					str_of(chan_kind_name((int)man->parts[i].kinds[n])));
	json_put(o, "channels", channels);
	json_add(k->rows, o);
	return 0;
}

int ctl_release_calendar(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct calendar k = { reader_db(c->reader), json_arr() };
	int64_t days = json_i64(c->params, "days", 14), now = env_wall(c->deps->env);
	days = days < 1 ? 1 : days > 400 ? 400 : days;
	int rc = q_calendar(k.db, now - 86400000, now + days * 86400000, on_moment, &k);
	if (rc < 0) {
		cJSON_Delete(k.rows);
		return err_set(e, rc, "the calendar could not be read");
	}
	*ret = json_obj();
	json_put(*ret, "rows", k.rows);
	json_put_bool(*ret, "more", false);
	json_put_z(*ret, "next", NULL);
	return 0;
}

/* --- recall ------------------------------------------------------------------------------------------------------------------------------ */

struct recall {
	struct work work;
	struct ctl_call *c;
	cJSON *result;
	struct q_reached rows[KIND_MAX];
	size_t n;
	int rc;
};

static void recall_work(struct work *w)
{
	struct recall *x = CONTAINER_OF(w, struct recall, work);
	struct store_reader *r;
	x->rc = store_reader_open(x->c->deps->store, &r);
	if (x->rc)
		return;
	x->rc = q_reached(
		reader_db(r), json_i64(x->result, "release_id", 0), x->rows, KIND_MAX, &x->n);
	store_reader_close(r);
}

/* What was stopped in time is counted, what is asked back too; the rest is said as it is. */
static void recall_done(struct work *w)
{
	struct recall *x = CONTAINER_OF(w, struct recall, work);
	struct err e = { 0 };
	cJSON *rows = json_arr();
	for (size_t i = 0; i < x->n; i++) {
		const struct q_reached *k = &x->rows[i];
		bool mail = k->kind == KIND_EMAIL;
		cJSON *o = json_obj();
		int64_t asked = json_i64(
			json_get(x->result, "asked_by"), chan_kind_name(k->kind), 0);
		int64_t cannot = k->reached + k->unknown - asked;
		json_put_z(o, "channel", chan_kind_name(k->kind));
		json_put_i64(o, "done", 0);
		json_put_i64(o, "asked", asked);
		json_put_i64(o, "stopped", k->waiting);
		json_put_i64(o, "cannot", cannot > 0 ? cannot : 0);
		json_put_i64(o, "unknown", k->unknown);
		json_put_z(o, "why",
			cannot <= 0 && asked
				? "it is being taken back; `lantoa recalls` shows what came of each"
				: k->reached + k->unknown == 0 ? NULL
				: mail
				? "an e-mail that was sent cannot be taken back; `lantoa correct` sends a correction to exactly those it reached or may have reached"
				: k->kind == BROADCAST_KIND
				? "what a broadcast or a message has told people stays with them; `lantoa correct` puts the correction into the articles, or sends one"
				: "this channel cannot take back by itself; `lantoa correct` sends a correction to exactly those it reached or may have reached");
		json_add(rows, o);
	}
	json_put(x->result, "channels", rows);
	if (x->rc < 0)
		err_set(&e, x->rc, "it is stopped, but what had gone out could not be counted");
	ctl_answer(x->c, x->rc, x->rc < 0 ? &e : NULL, x->result);
	free(x);
}

void ctl_recall_answer(struct ctl_call *c, cJSON *result)
{
	struct recall *x = x_calloc(1, sizeof(*x));
	x->c = c;
	x->result = result;
	x->work.fn = recall_work;
	x->work.done = recall_done;
	env_work(c->deps->env, &x->work);
}
