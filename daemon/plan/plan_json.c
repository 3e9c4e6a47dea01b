/* plan_json.c - what a check found, as docs/control-protocol.md says. Thread: worker. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

#define PREVIEWS_MAX 40

cJSON *problems_json(const struct content_problems *p)
{
	cJSON *rows = json_arr();
	for (size_t i = 0; i < p->n; i++) {
		cJSON *o = json_obj();
		json_put_z(o, "severity", problem_severity_name(p->v[i].severity));
		json_put_z(o, "file", p->v[i].file);
		json_put_i64(o, "line", p->v[i].line);
		json_put_z(o, "field", p->v[i].field);
		json_put_z(o, "text", p->v[i].text);
		json_add(rows, o);
	}
	return rows;
}

static void put_times(
	const struct checked *c, const struct mf_part *p, const struct doc_part *d, cJSON *o)
{
	char text[WHEN_TEXT_MAX];
	if (p->at.kind == WHEN_AT)
		json_put_i64(o, "at", p->at.ms);
	else
		json_put_z(o, "at", NULL);
	if (p->signal)
		json_put_z(o, "at_text", "signal");
	else if (p->after && p->at.kind == WHEN_NONE)
		json_put(o, "at_text", cJSON_CreateString(d->after));
	else
		json_put_z(o, "at_text",
			when_print_when(text, sizeof(text), &p->at, &c->conf->zone, WHEN_VI));
	json_put_z(o, "after", *d->after ? d->after : NULL);
	json_put_i64(o, "window_ms", p->window_ms);
	json_put_i64(o, "spread_ms", p->spread_ms);
	if (p->embargo.kind != WHEN_NONE)
		json_put_z(o, "embargo_text",
			when_print_when(text, sizeof(text), &p->embargo, &c->conf->zone, WHEN_VI));
	json_put_z(o, "window_text", when_print_duration(text, sizeof(text), p->window_ms));
	if (p->spread_ms)
		json_put_z(o, "spread_text", when_print_duration(text, sizeof(text), p->spread_ms));
	if (p->expires.kind == WHEN_AT) {
		json_put_z(o, "expires_text",
			when_print_when(text, sizeof(text), &p->expires, &c->conf->zone, WHEN_VI));
	} else {
		json_put_z(
			o, "expires_text", when_print_duration(text, sizeof(text), p->expires.ms));
		json_put_i64(o, "expires_ms", p->expires.ms);
	}
	json_put_z(o, "late", late_policy_name((int)p->late));
}

static cJSON *part_json(const struct checked *c, size_t i)
{
	const struct mf_part *p = &c->m->parts[i];
	const struct doc_part *d = &c->doc->parts[i];
	cJSON *o = json_obj(), *list = json_arr();
	json_put_z(o, "name", d->name);
	json_put_i64(o, "part", p->number);
	for (size_t k = 0; k < d->n_channels; k++)
		json_add_str(list, str_of(d->channels[k]));
	json_put(o, "channels", list);
	list = json_arr();
	for (size_t k = 0; k < d->n_to; k++)
		json_add_str(list, str_of(d->to[k]));
	json_put(o, "to", list);
	put_times(c, p, d, o);
	json_put_bool(o, "internal", p->internal != 0);
	json_put_bool(o, "needs_link", p->needs_link != 0);
	json_put_bool(o, "again", d->again);
	list = json_arr();
	for (size_t k = 0; k < p->n_kinds; k++) {
		const struct resolve_kind *r = &c->resolved->kind[i][p->kinds[k]];
		cJSON *row = json_obj();
		json_put_z(row, "channel", chan_kind_name((int)p->kinds[k]));
		json_put_i64(row, "offices", r->offices);
		json_put_i64(row, "targets", r->n);
		json_add(list, row);
	}
	json_put(o, "counts", list);
	list = json_arr();
	for (size_t k = 0; k < p->n_skipped; k++) {
		cJSON *row = json_obj();
		json_put_str(row, "channel", p->skipped[k]);
		json_put_z(row, "why",
			d->broadcast && c->corrects ? "a correction is not broadcast"
						    : "no channel of this kind is configured");
		json_add(list, row);
	}
	json_put(o, "skipped", list);
	json_put_i64(o, "cost", c->part_cost[i]);
	if (d->max_cost >= 0)
		json_put_i64(o, "max_cost", d->max_cost);
	return o;
}

cJSON *made_json(const struct made *x, const struct checked *c, bool whole)
{
	cJSON *o = json_obj();
	char hex[HASH_HEX];
	json_put_z(o, "part", c->doc->parts[x->part].name);
	json_put_z(o, "channel", chan_kind_name(x->kind));
	json_put_z(o, "form", x->row.form);
	json_put_z(o, "lang", x->row.lang);
	json_put_z(o, "office", x->office->code);
	json_put_z(o, "text",
		x->p && x->p->preview ? x->p->preview
			: x->p && x->p->summary
			? "(these outputs are too long to be shown together: preview shows each)"
			: "");
	if (x->backup)
		json_put_str(o, "backup", x->sender->channel);
	if (!whole || !x->p)
		return o;
	hash_hex(&x->row.digest, hex);
	json_put_z(o, "digest", hex);
	json_put_i64(o, "bytes", (int64_t)x->p->bytes);
	json_put_i64(o, "targets", x->n);
	cJSON *facts = json_obj();
	for (size_t i = 0; i < x->p->n_facts; i++)
		json_put_i64(facts, x->p->facts[i].name, x->p->facts[i].value);
	json_put(o, "facts", facts);
	return o;
}

static bool same_sort(const struct made *a, const struct made *b)
{
	return a->p && a->part == b->part && a->kind == b->kind && a->backup == b->backup &&
		strcmp(a->row.form, b->row.form) == 0 && strcmp(a->row.lang, b->row.lang) == 0;
}

/* One of each part, kind, form of address and language, and each office with a text of its own in the bundle. */
static cJSON *previews_json(const struct checked *c)
{
	cJSON *rows = json_arr();
	size_t n = 0;
	for (size_t i = 0; i < c->n_made && n < PREVIEWS_MAX; i++) {
		const struct made *x = &c->made[i];
		bool own = release_doc_local(c->doc, str_of(x->office->code)) != NULL;
		bool seen = !x->p;
		for (size_t k = 0; k < i && !seen && !own; k++)
			seen = same_sort(&c->made[k], x);
		if (seen)
			continue;
		json_add(rows, made_json(x, c, false));
		n++;
	}
	return rows;
}

cJSON *check_json(const struct checked *c)
{
	cJSON *o = json_obj();
	json_put_z(o, "code", c->code);
	json_put_z(o, "title", c->doc ? c->doc->title : "");
	if (c->m) {
		json_put_z(o, "category", category_name((int)c->m->category));
		json_put_z(o, "priority", prio_name((int)c->m->prio));
	}
	json_put(o, "problems", problems_json(&c->problems));
	cJSON *parts = json_arr();
	for (size_t i = 0; c->m && c->resolved && i < c->m->n_parts; i++)
		json_add(parts, part_json(c, i));
	json_put(o, "parts", parts);
	json_put(o, "previews", previews_json(c));
	json_put(o, "messages", messages_json(c));
	json_put(o, "broadcasts", casts_json(c));
	json_put_i64(o, "cost", c->cost);
	json_put_i64(o, "outputs", (int64_t)c->n_made);
	return o;
}
