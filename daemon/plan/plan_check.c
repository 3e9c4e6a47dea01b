/* plan_check.c - everything that the store and the adapters know about a document, collected as problems; then its manifest.
 * Thread: worker, inside a reader's snapshot. Owns: struct checked, freed by check_done. Failures: problems are no failure of
 * check_run; a code means that the check itself could not be made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/log.h"
#include "plan/plan_internal.h"

#define LAST_YEAR_DAYS 90 /* an open release of last year whose newest revision is no older */

bool conf_has_kind(const struct conf *conf, int kind)
{
	for (size_t i = 0; i < conf->n_channels; i++)
		if ((int)conf->channels[i]->kind == kind)
			return true;
	return false;
}

static void check_init(struct checked *c, struct plan *p, struct store_reader *r)
{
	*c = (struct checked){
		.plan = p, .r = r, .db = reader_db(r), .conf = plan_conf(p), .now = env_wall(p->env)
	};
	problems_init(&c->problems);
	buf_init(&c->body, MANIFEST_BYTES_MAX);
	for (size_t i = 0; i < PARTS_MAX; i++)
		audience_sql_init(&c->rule[i]);
	c->vars = maps_new();
}

void check_dir_done(struct checked *c)
{
	if (c->dir &&
		(dir_remove_tree(c->dir) < 0 ||
			rmdir(c->dir) < 0)) /* swept at the next start, too */
		log_line(LOG_WARN, "ev=staging.left dir=%s error=%d", c->dir, errno);
	free(MOVE(c->dir));
}

void check_done(struct checked *c)
{
	size_t at = 0;
	struct str key;
	void *v;
	if (!c->plan)
		return;
	for (size_t i = 0; i < c->n_made; i++)
		prepared_unref(c->made[i].p);
	free(c->made);
	free(c->rows);
	check_casts_done(c);
	manifest_free(c->m);
	resolve_out_free(c->resolved);
	plan_offices_done(&c->offices);
	for (size_t i = 0; i < PARTS_MAX; i++)
		audience_sql_done(&c->rule[i]);
	while (maps_next(c->vars, &at, &key, &v))
		cJSON_Delete(v);
	maps_free(c->vars);
	rend_set_done(&c->rends);
	buf_done(&c->body);
	problems_done(&c->problems);
	release_doc_free(c->doc);
	conf_unref(c->conf);
	check_dir_done(c);
	*c = (struct checked){ 0 };
}

static size_t kind_names(const struct conf *conf, const char **ret, size_t max)
{
	size_t n = 0;
	for (int k = 1; k <= KIND_MAX && n < max; k++)
		if (chan_kind_name(k) && conf_has_kind(conf, k))
			ret[n++] = chan_kind_name(k);
	return n;
}

/* A bundle that does not parse still says what it calls itself: for the audit of its refusal. */
static void peek_code(struct checked *c, const char *name)
{
	struct buf b CLEANUP_BUF;
	char path[4096];
	const char *file = c->problems.n ? c->problems.v[0].file : name;
	buf_init(&b, DOC_TEXT_MAX);
	snprintf(path, sizeof(path), "%s/%s", c->dir, file);
	if (strstr(file, "..") || file_read(path, &b, NULL) < 0)
		return;
	struct str rest = buf_str(&b), line;
	while (rest.p && str_line(&rest, &line)) {
		if (!str_starts(line, "code:"))
			continue;
		struct str code = str_trim((struct str){ line.p + 5, line.n - 5 });
		if (code.n < sizeof(c->code) && !str_has_control(code))
			str_copy(c->code, sizeof(c->code), code);
		return;
	}
}

int check_open(struct plan *p, struct store_reader *r, const struct staged *s, struct checked *c,
	struct err *e)
{
	const char *kinds[KIND_MAX];
	check_init(c, p, r);
	struct str name = str_of(s->name);
	if (name.n > 3 && memcmp(name.p + name.n - 3, ".md", 3) == 0)
		str_copy(c->shown, sizeof(c->shown), name);
	c->dir = x_asprintf("%s.unpacked", s->path);
	int rc = dir_make(c->dir, 0700, e);
	if (rc == 0)
		rc = bundle_unpack(s->path, s->name, c->dir, NULL, e);
	if (rc == -EINVAL || rc == -EFBIG) { /* the bundle's own fault: a problem, not a failure */
		problem_add(&c->problems, PROBLEM_ERROR, s->name, 0, "", "%s", e->text);
		return 0;
	}
	if (rc < 0)
		return rc;
	struct bundle_rules rules = { .zone = &c->conf->zone,
		.kinds = kinds,
		.n_kinds = kind_names(c->conf, kinds, KIND_MAX),
		.name = s->name };
	rc = bundle_load(c->dir, &rules, &c->doc, &c->problems);
	if (rc == -EINVAL && c->problems.errors > 0) {
		peek_code(c, s->name);
		return 0;
	}
	if (rc == 0)
		str_copy(c->code, sizeof(c->code), str_of(c->doc->code));
	return rc < 0 ? err_set(e, rc, "the bundle could not be read") : 0;
}

/* Whoever reviews a text sees what its editor was warned of: DỰ THẢO, a weekday that does not fit its date, and the like. */
static void text_warnings(struct checked *c, int64_t release_id, int64_t rev)
{
	struct revision_text text = { 0 };
	if (revision_get(c->db, release_id, rev, &text) == 0)
		release_doc_stored_warnings(
			str_of(text.front), str_of(text.body), str_of(text.bodies), &c->problems);
	revision_text_done(&text);
}

int check_reopen(struct plan *p, struct store_reader *r, const struct release_row *rel, int64_t rev,
	struct checked *c, struct err *e)
{
	check_init(c, p, r);
	c->release = *rel;
	c->year = rel->year;
	c->rev = rev;
	c->remake = true;
	c->corrects = rel->corrects;
	str_copy(c->code, sizeof(c->code), str_of(rel->code));
	int rc = plan_doc_from_store(r, rel->id, rev, &c->doc, e);
	if (rc == 0)
		text_warnings(c, rel->id, rev);
	return rc;
}

/* --- who it is ------------------------------------------------------------------------------------------------------------------ */

static int find_in_year(struct checked *c, int64_t year)
{
	struct buf ref CLEANUP_BUF;
	buf_init(&ref, 200);
	buf_addf(&ref, "%s@%lld", c->code, (long long)year);
	return release_find(c->db, buf_str(&ref), &c->release, NULL);
}

/* Submitted before the New Year and not over: what comes now is its next revision, not another release beside it. An old one that
 * was left lying does not take the number of this year. */
static int find_of_last_year(struct checked *c, int64_t year)
{
	int64_t at = 0;
	int rc = find_in_year(c, year);
	if (rc == 0)
		rc = db_get_i64(c->db, &at, "SELECT at FROM revision WHERE release_id=? AND rev=?",
			"ii", c->release.id, c->release.rev_newest);
	if (rc < 0)
		return rc;
	if (!release_may_move(c->release.state, REL_IN_REVIEW) ||
		c->now - at > LAST_YEAR_DAYS * WHEN_DAY_MS) {
		c->release = (struct release_row){ 0 };
		return -ENOENT;
	}
	c->year = year;
	problem_add(&c->problems, PROBLEM_WARNING, c->doc->main_file, 0, "code",
		"%s@%lld is %s: this is its revision %lld and no release of %lld; cancel that one first if they are two",
		c->code, (long long)year, rel_state_name(c->release.state),
		(long long)c->release.rev_newest + 1, (long long)year + 1);
	return 0;
}

static int find_release(struct checked *c, struct err *e)
{
	struct civil now;
	if (c->remake)
		return 0;
	civil_from_ms(c->now, &c->conf->zone, &now);
	c->year = now.year;
	c->rev = 1;
	int rc = find_in_year(c, now.year);
	if (rc == -ENOENT)
		rc = find_of_last_year(c, now.year - 1);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return err_set(e, rc, "the store could not be read");
	c->rev = c->release.rev_newest + 1;
	if (c->release.corrects) /* a correction stays one: it goes to those whom the other reached */
		c->corrects = c->release.corrects;
	else if (c->corrects)
		problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, 0, "code",
			"there is a release '%s' already; give the correction a code of its own",
			c->code);
	if (!release_may_move(c->release.state, REL_IN_REVIEW))
		problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, 0, "code",
			"%s is %s already: a new text for those it reached is `lantoa correct`",
			c->code, rel_state_name(c->release.state));
	return 0;
}

/* Parts keep their numbers through revisions by name; a new name gets the next number that was never used. */
static int number_parts(struct checked *c, struct err *e)
{
	uint32_t next = 1;
	for (int64_t rev = 1; c->release.id && rev <= c->release.rev_newest; rev++) {
		struct part_row rows[PARTS_MAX];
		size_t n = 0;
		int rc = part_rows_get(c->db, c->release.id, rev, rows, PARTS_MAX, &n);
		if (rc < 0)
			return err_set(e, rc, "the store could not be read");
		for (size_t k = 0; k < n; k++) {
			next = rows[k].part >= next ? rows[k].part + 1 : next;
			for (size_t i = 0; i < c->doc->n_parts; i++)
				if (strcmp(c->doc->parts[i].name, rows[k].name) == 0)
					c->number[i] = rows[k].part;
		}
	}
	for (size_t i = 0; i < c->doc->n_parts; i++)
		if (c->number[i] == 0)
			c->number[i] = next++;
	if (next > PARTS_MAX + 1)
		problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, 0, "parts",
			"over all its revisions a release has at most %u part names; keep the old names",
			PARTS_MAX);
	return 0;
}

static void find_campaign(struct checked *c)
{
	sqlite3_stmt *st;
	if (!*c->doc->campaign)
		return;
	if (db_query(c->db, &st, "SELECT id, first, last, prio FROM campaign WHERE name=?", "t",
		    c->doc->campaign) < 0)
		return;
	if (db_row(c->db, st) != 1) {
		problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, 0, "campaign",
			"there is no campaign '%s'; `lantoa campaigns` lists them",
			c->doc->campaign);
		return;
	}
	c->campaign_id = col_i64(st, 0);
	c->camp_first = col_i64(st, 1);
	c->camp_last = col_i64(st, 2);
	if (!c->doc->priority_set) {
		c->m->prio = col_i64(st, 3);
		for (size_t i = 0; i < c->m->n_parts; i++)
			if (c->m->parts[i].prio == (int64_t)c->doc->priority)
				c->m->parts[i].prio = c->m->prio;
	}
	db_reset(st);
}

/* --- kinds, audiences, resolving --------------------------------------------------------------------------------------------------- */

static void part_field(char *dst, size_t size, const struct doc_part *p, const char *key)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, size);
	buf_addf(&b, "parts.%s.%s", p->name, key);
	str_copy(dst, size, buf_str(&b));
}

static void fill_kinds(struct checked *c, size_t i)
{
	const struct doc_part *p = &c->doc->parts[i];
	struct mf_part *mp = &c->m->parts[i];
	char field[64];
	mp->kinds = x_calloc(DOC_NAMES_MAX, sizeof(*mp->kinds));
	mp->skipped = x_calloc(DOC_NAMES_MAX, sizeof(*mp->skipped));
	for (size_t k = 0; k < p->n_channels; k++) {
		int kind = chan_kind_parse(str_of(p->channels[k]));
		if (p->broadcast && (c->corrects || !conf_has_kind(c->conf, kind))) {
			/* Who got the first one finds the corrected article; the missing kind is said at the articles. */
			mp->skipped[mp->n_skipped++] = manifest_keep(c->m, str_of(p->channels[k]));
			continue;
		}
		if (kind > 0 && conf_has_kind(c->conf, kind)) {
			mp->kinds[mp->n_kinds++] = kind;
			continue;
		}
		mp->skipped[mp->n_skipped++] = manifest_keep(c->m, str_of(p->channels[k]));
		part_field(field, sizeof(field), p, "channels");
		problem_add(&c->problems, PROBLEM_INFO, c->doc->main_file, p->line, field,
			"no channel of kind '%s' is configured: left out%s", p->channels[k],
			p->n_channels == 1 ? ", the part is done at once" : "");
	}
}

static void fill_rules(struct checked *c, size_t i)
{
	const struct doc_part *p = &c->doc->parts[i];
	struct mf_part *mp = &c->m->parts[i];
	char field[64];
	mp->to = x_calloc(DOC_NAMES_MAX, sizeof(*mp->to));
	part_field(field, sizeof(field), p, "to");
	for (size_t k = 0; k < p->n_to; k++) {
		struct err e = { 0 };
		char *rule = NULL;
		int rc = c->corrects ? 0 : audience_rule_get(c->db, p->to[k], &rule, &e);
		if (c->corrects)
			rule = x_asprintf("{\"reached\":%lld}", (long long)c->corrects);
		if (rc == 0)
			rc = audience_sql_add_rule(c->db, &c->rule[i], str_of(rule), &e);
		if (rc < 0)
			problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, p->line, field,
				"%s", e.text);
		else
			mp->to[mp->n_to++] = (struct mf_audience){ manifest_keep(
									   c->m, str_of(p->to[k])),
				manifest_keep(c->m, str_of(rule)) };
		free(rule);
		if (c->corrects)
			break; /* whom it reached, whatever its audiences are called */
	}
	if (p->broadcast) {
		struct err e = { 0 };
		if (audience_sql_only_form(&c->rule[i], BROADCAST_FORM, &e) < 0)
			problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, p->line, field,
				"%s", e.text);
	}
	if (*c->rule[i].unknown && !p->broadcast)
		problem_add(&c->problems, PROBLEM_WARNING, c->doc->main_file, p->line, field,
			"the audience names what nobody has: %s", c->rule[i].unknown);
}

static int resolve(struct checked *c, struct err *e)
{
	struct resolve_part parts[PARTS_MAX];
	for (size_t i = 0; i < c->doc->n_parts; i++) {
		parts[i] = (struct resolve_part){ .again = c->m->parts[i].again != 0,
			.broadcast = c->doc->parts[i].broadcast,
			.rule = &c->rule[i] };
		for (size_t k = 0; k < c->m->parts[i].n_kinds; k++)
			parts[i].kinds |= BIT(c->m->parts[i].kinds[k]);
	}
	struct resolve_ask ask = { .parts = parts,
		.n_parts = c->doc->n_parts,
		.offices = &c->offices,
		.contacts = true,
		.large = c->large };
	int rc = plan_offices_get(c->db, c->now, &c->offices);
	if (rc < 0)
		return err_set(e, rc, "the offices could not be read");
	return plan_resolve(c->db, &ask, &c->resolved, e);
}

/* There is a way for this office; then it is the addresses that its channel does not take, or pages that are no account of it. */
static const char *routed_to(struct checked *c, int kind, int64_t office_id)
{
	struct office_chain chain;
	const char *codes[ARRAY_LEN(chain.id)];
	if (office_chain_get(c->db, office_id, &chain) < 0)
		return NULL;
	for (size_t i = 0; i < chain.n; i++)
		codes[i] = chain.code[i];
	const struct conf_route *r = conf_route_find(c->conf, (enum chan_kind)kind, codes, chain.n);
	return r ? r->channel : NULL;
}

static void check_counts(struct checked *c, size_t i)
{
	const struct doc_part *p = &c->doc->parts[i];
	char field[64];
	part_field(field, sizeof(field), p, "to");
	for (size_t k = 0; k < c->m->parts[i].n_kinds; k++) {
		int kind = (int)c->m->parts[i].kinds[k];
		const struct resolve_kind *r = &c->resolved->kind[i][kind];
		const struct plan_office *o = plan_office_by_id(&c->offices, r->no_route_office);
		if (r->n == 0)
			problem_add(&c->problems, PROBLEM_WARNING, c->doc->main_file, p->line,
				field, "nobody is reached by %s", chan_kind_name(kind));
		const char *to = r->no_route ? routed_to(c, kind, r->no_route_office) : NULL;
		if (to)
			problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, p->line, field,
				"%lld %s addresses do not go with their route (channel '%s'), first of office '%s': correct them and import them again, or "
				"give a page the account that it is",
				(long long)r->no_route, chan_kind_name(kind), to,
				o ? o->code : "?");
		else if (r->no_route)
			problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, p->line, field,
				"%lld %s addresses have no route, first of office '%s': add it to `routes` of the configuration",
				(long long)r->no_route, chan_kind_name(kind), o ? o->code : "?");
	}
}

/* --- senders ------------------------------------------------------------------------------------------------------------------------ */

static const char *identity_of(const struct conf *conf, const char *channel, const char *account)
{
	const struct conf_channel *ch = conf_channel_find(conf, channel);
	const struct conf_account *a = ch ? conf_account_find(ch, account) : NULL;
	return a && a->identity ? a->identity : "";
}

static void add_sender(
	struct checked *c, const struct resolve_group *g, const struct plan_lane *lane)
{
	struct mf_part *p = &c->m->parts[g->part];
	const struct plan_office *o = plan_office_by_id(&c->offices, g->office_id);
	for (size_t i = 0; i < p->n_senders; i++) {
		const struct mf_sender *s = &p->senders[i];
		if (s->kind != g->kind || !str_eqz(s->office, o->code) ||
			!str_eqz(s->channel, lane->channel))
			continue;
		if (!str_eqz(s->account, lane->account))
			problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file,
				c->doc->parts[g->part].line, "",
				"office '%s' has two accounts on channel '%s': one route each, please",
				o->code, lane->channel);
		return;
	}
	if (p->n_senders == MANIFEST_SENDERS_MAX)
		return;
	if ((p->n_senders & (p->n_senders - 1)) == 0)
		p->senders = x_realloc(
			p->senders, p->n_senders ? 2 * p->n_senders : 1, sizeof(*p->senders));
	p->senders[p->n_senders++] = (struct mf_sender){ str_of(o->code), g->kind,
		manifest_keep(c->m, str_of(lane->channel)),
		manifest_keep(c->m, str_of(lane->account)),
		manifest_keep(c->m, str_of(identity_of(c->conf, lane->channel, lane->account))) };
}

static int fill_senders(struct checked *c, struct err *e)
{
	struct plan_lane lane = { 0 }, backup;
	for (size_t i = 0; i < c->resolved->n_groups; i++) {
		const struct resolve_group *g = &c->resolved->groups[i];
		int rc = lane.id == g->lane_id ? 0 : plan_lane_get(c->db, g->lane_id, &lane);
		if (rc < 0)
			return err_set(e, rc, "a lane of the targets could not be read");
		if (!conf_channel_find(c->conf, lane.channel)) {
			problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file,
				c->doc->parts[g->part].line, "",
				"targets still go through channel '%s', which is not configured any more",
				lane.channel);
			continue;
		}
		add_sender(c, g, &lane);
		rc = check_backup_lane(c, &lane, &backup);
		if (rc == 1)
			add_sender(c, g, &backup);
		if (rc < 0)
			return err_set(e, rc, "the backup of a lane could not be read");
	}
	return 0;
}

/* --- all together ------------------------------------------------------------------------------------------------------------------- */

int check_run(struct checked *c, struct err *e)
{
	if (!c->doc)
		return 0; /* the bundle itself was refused: its problems stand */
	int rc = find_release(c, e);
	if (rc == 0)
		rc = number_parts(c, e);
	if (rc < 0)
		return rc;
	c->m = manifest_of_doc(c->doc, c->code, c->year, c->rev, c->number);
	find_campaign(c);
	for (size_t i = 0; i < c->doc->n_parts; i++) {
		fill_kinds(c, i);
		fill_rules(c, i);
	}
	rc = resolve(c, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < c->doc->n_parts; i++)
		check_counts(c, i);
	check_rules(c);
	rc = fill_senders(c, e);
	if (rc == 0)
		check_prepare(c);
	if (rc == 0)
		check_casts(c);
	return rc ? rc : check_manifest(c, e);
}
