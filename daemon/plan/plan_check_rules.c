/* plan_check_rules.c - what a check knows beside the adapters: times, embargo, campaign, internal files, links, look-alikes.
 * Thread: worker. Every fault is a problem with part and field.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "content/similar.h"
#include "plan/plan_internal.h"

static void problem(struct checked *c, enum problem_severity sev, size_t part, const char *key,
	const char *text)
{
	const struct doc_part *p = &c->doc->parts[part];
	char field[120];
	snprintf(field, sizeof(field), "parts.%s.%s", p->name, key);
	problem_add(&c->problems, sev, c->doc->main_file, p->line, field, "%s", text);
}

/* --- times ----------------------------------------------------------------------------------------------------------------------- */

static void check_times(struct checked *c, size_t i)
{
	const struct doc_part *p = &c->doc->parts[i];
	const struct mf_part *mp = &c->m->parts[i];
	char text[300], when[WHEN_TEXT_MAX], other[WHEN_TEXT_MAX];
	struct mf_times t;
	manifest_times(c->m, mp, c->now, &t);
	if (p->at.kind == WHEN_AT && p->at.ms < c->now && !c->remake) {
		snprintf(text, sizeof(text), "%s has passed; write a later time, or now",
			when_print(when, sizeof(when), p->at.ms, &c->conf->zone, WHEN_VI));
		problem(c, PROBLEM_ERROR, i, "at", text);
	}
	int64_t start = p->at.kind == WHEN_AT ? p->at.ms : c->now;
	if (p->expires.kind == WHEN_AT && p->expires.ms <= start) {
		snprintf(text, sizeof(text), "it would expire at %s, before it starts at %s",
			when_print_short(when, sizeof(when), p->expires.ms, &c->conf->zone),
			when_print_short(other, sizeof(other), start, &c->conf->zone));
		problem(c, PROBLEM_ERROR, i, "expires", text);
	}
	if (p->embargo.kind == WHEN_AT && p->embargo.ms <= c->now && !c->remake)
		problem(c, PROBLEM_WARNING, i, "embargo", "this embargo has ended already");
	if (p->window_ms > 0 && p->spread_ms > p->window_ms)
		problem(c, PROBLEM_WARNING, i, "spread", "the spread is longer than the window");
}

/* A public part that names a moment before the embargo's end is refused; one that says `now` waits for it. */
static void check_embargo(struct checked *c, size_t i)
{
	const struct doc_part *p = &c->doc->parts[i];
	char text[300], when[WHEN_TEXT_MAX], other[WHEN_TEXT_MAX];
	if (!manifest_part_is_public(&c->m->parts[i]) || c->m->parts[i].n_kinds == 0)
		return;
	int64_t ends = manifest_embargo(c->m, c->now);
	if (ends == INT64_MIN)
		return;
	if (p->at.kind == WHEN_AT && p->at.ms < ends) {
		snprintf(text, sizeof(text),
			"a public part cannot start at %s: the embargo ends at %s",
			when_print_short(when, sizeof(when), p->at.ms, &c->conf->zone),
			when_print_short(other, sizeof(other), ends, &c->conf->zone));
		problem(c, PROBLEM_ERROR, i, "at", text);
	} else if (ends > c->now && (p->at.kind == WHEN_NOW || p->at.kind == WHEN_NONE)) {
		problem(c, PROBLEM_INFO, i, "at", "it waits for the end of the embargo");
	}
}

static void check_campaign(struct checked *c, size_t i)
{
	char text[300], when[WHEN_TEXT_MAX];
	if (!c->campaign_id)
		return;
	struct mf_times t;
	manifest_times(c->m, &c->m->parts[i], c->now, &t);
	int64_t at = t.has_at ? t.at_ms : c->now;
	/* What follows another part or a signal has no time of its own: that the campaign has yet to begin is no fault of it. */
	if ((at >= c->camp_first || !t.has_at) && at <= c->camp_last)
		return;
	snprintf(text, sizeof(text), "%s is outside the dates of campaign '%s'",
		when_print(when, sizeof(when), at, &c->conf->zone, WHEN_VI), c->doc->campaign);
	problem(c, PROBLEM_ERROR, i, "at", text);
}

/* --- internal ------------------------------------------------------------------------------------------------------------------------ */

static const char *internal_file(const struct checked *c, size_t i)
{
	const struct doc_part *p = &c->doc->parts[i];
	for (size_t k = 0; k < c->doc->n_assets; k++) {
		const struct doc_asset *a = &c->doc->assets[k];
		bool carried = !p->attach_set && !a->part_only;
		for (size_t n = 0; n < p->n_attach; n++)
			carried = carried || p->attach[n] == (int)k;
		if (carried && a->internal)
			return a->file;
	}
	return NULL;
}

static void check_internal(struct checked *c, size_t i)
{
	const char *file = internal_file(c, i);
	char text[300];
	if (!c->m->parts[i].internal && !file)
		return;
	for (size_t k = 0; k < c->m->parts[i].n_kinds; k++) {
		const struct resolve_kind *r = &c->resolved->kind[i][c->m->parts[i].kinds[k]];
		const struct plan_office *o = plan_office_by_id(
			&c->offices, r->not_internal_office);
		if (r->not_internal == 0)
			continue;
		snprintf(text, sizeof(text),
			"%s%s%s is internal, but %lld of %lld %s targets are not tagged internal (first: office '%s')",
			file ? "file '" : "the part", file ? file : "", file ? "'" : "",
			(long long)r->not_internal, (long long)r->n,
			chan_kind_name((int)c->m->parts[i].kinds[k]), o ? o->code : "?");
		problem(c, PROBLEM_ERROR, i, file ? "attach" : "internal", text);
	}
}

/* --- local paragraphs ------------------------------------------------------------------------------------------------------------------ */

static const char *office_near(const struct checked *c, const char *code)
{
	const char **all = x_calloc(c->offices.n + 1, sizeof(*all)), *near;
	for (size_t i = 0; i < c->offices.n; i++)
		all[i] = c->offices.v[i].code;
	near = str_nearest(str_of(code), all, c->offices.n);
	free(all);
	return near;
}

/* A paragraph under a misspelt name would be missing where it belongs, and nobody would know. */
static void check_locals(struct checked *c)
{
	const char *near;
	if (c->remake) /* offices may have gone since */
		return;
	for (size_t i = 0; i < c->doc->n_locals; i++) {
		const struct doc_local *l = &c->doc->locals[i];
		if (plan_office_by_code(&c->offices, str_of(l->office)))
			continue;
		near = office_near(c, l->office);
		problem_add(&c->problems, PROBLEM_ERROR, l->file, 0, "",
			"there is no office '%s'%s%s%s", l->office,
			near ? "; did you mean 'local/" : "; `lantoa offices` lists them",
			near ? near : "", near ? ".md'?" : "");
	}
	if (c->doc->n_locals > 0 && !plan_doc_has_local(c->doc))
		problem_add(&c->problems, PROBLEM_WARNING, c->doc->locals[0].file, 0, "",
			"the text says nowhere {{local}}: this paragraph appears nowhere");
}

/* --- links --------------------------------------------------------------------------------------------------------------------------- */

static void check_link(struct checked *c, const char *file, int line, const char *link, bool needed)
{
	struct str host = conf_link_host(str_of(link));
	if (!*link) {
		if (needed)
			problem_add(&c->problems, PROBLEM_ERROR, file, line, "link",
				"a part has needs_link, but the release has no link");
		return;
	}
	if (host.n == 0) {
		problem_add(&c->problems, PROBLEM_ERROR, file, line, "link",
			"'%.100s' is no http or https address", link);
		return;
	}
	if (conf_own_domain(c->conf, host) || (c->conf->own_domains.n == 0 && !needed))
		return;
	problem_add(&c->problems, PROBLEM_ERROR, file, line, "link",
		"'" STR_FMT "' is not among own_domains of the configuration; links go only there",
		STR_ARG(host));
}

static void check_text_links(struct checked *c, const char *file, const char *text)
{
	if (c->conf->own_domains.n == 0)
		return;
	for (const char *at = strstr(text, "http"); at; at = strstr(at + 4, "http")) {
		struct str host = conf_link_host(str_of(at));
		if (host.n == 0 || conf_own_domain(c->conf, host))
			continue;
		problem_add(&c->problems, PROBLEM_WARNING, file, 0, "",
			"a link goes to '" STR_FMT "', which is not one of our own domains",
			STR_ARG(host));
		return;
	}
}

static void check_links(struct checked *c)
{
	bool needed = false;
	for (size_t i = 0; i < c->doc->n_parts; i++)
		needed = needed || c->doc->parts[i].needs_link;
	check_link(c, c->doc->main_file, c->doc->line_link, c->doc->link, needed);
	check_text_links(c, c->doc->main_file, c->doc->body);
	for (size_t i = 0; i < c->doc->n_variants; i++) {
		if (*c->doc->variants[i].link)
			check_link(c, c->doc->variants[i].file, c->doc->variants[i].line_link,
				c->doc->variants[i].link, false);
		check_text_links(c, c->doc->variants[i].file, c->doc->variants[i].body);
	}
}

/* --- look-alikes ----------------------------------------------------------------------------------------------------------------------- */

/* "Thông báo 12" is not "Thông báo 13", however alike they are. */
static bool same_digits(struct str a, struct str b)
{
	size_t i = 0, k = 0;
	for (;;) {
		while (i < a.n && (a.p[i] < '0' || a.p[i] > '9'))
			i++;
		while (k < b.n && (b.p[k] < '0' || b.p[k] > '9'))
			k++;
		if (i == a.n || k == b.n)
			return i == a.n && k == b.n;
		if (a.p[i++] != b.p[k++])
			return false;
	}
}

static void check_titles(struct checked *c, int64_t since)
{
	sqlite3_stmt *st;
	if (db_query(c->db, &st,
		    "SELECT r.code, r.title FROM release r WHERE r.id<>?1 AND r.id<>?2 AND EXISTS(SELECT 1 FROM revision v WHERE v.release_id=r.id AND "
		    "v.at>=?3) ORDER BY r.id DESC LIMIT 500",
		    "iii", c->release.id, c->corrects, since) < 0)
		return;
	while (db_row(c->db, st) == 1)
		if (similar_titles(col_str(st, 1), str_of(c->doc->title)) &&
			same_digits(col_str(st, 1), str_of(c->doc->title)))
			problem_add(&c->problems, PROBLEM_WARNING, c->doc->main_file, 0, "title",
				"%s of these days has the same title", col_z(st, 0));
}

static void check_pictures(struct checked *c, int64_t since)
{
	for (size_t i = 0; i < c->doc->n_assets; i++) {
		const struct doc_asset *a = &c->doc->assets[i];
		sqlite3_stmt *st;
		if (db_query(c->db, &st,
			    "SELECT r.code FROM release_asset x JOIN release r ON r.id=x.release_id JOIN revision v ON v.release_id=x.release_id AND "
			    "v.rev=x.rev WHERE x.asset=?1 AND x.release_id<>?2 AND x.release_id<>?3 AND v.at>=?4 LIMIT 1",
			    "hiii", &a->hash, c->release.id, c->corrects, since) < 0)
			return;
		if (db_row(c->db, st) != 1)
			continue;
		problem_add(&c->problems, PROBLEM_WARNING, c->doc->main_file, a->line, "images",
			"'%s' was in %s of these days already", a->file, col_z(st, 0));
		db_reset(st);
	}
}

void check_rules(struct checked *c)
{
	int64_t since = c->now - c->conf->similar_days * WHEN_DAY_MS;
	for (size_t i = 0; i < c->doc->n_parts; i++) {
		check_times(c, i);
		check_embargo(c, i);
		check_campaign(c, i);
		check_internal(c, i);
	}
	check_locals(c);
	check_links(c);
	check_titles(c, since);
	check_pictures(c, since);
}
