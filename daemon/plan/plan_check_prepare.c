/* plan_check_prepare.c - the adapters' word: every part x channel x form x language x office is prepared, problems and cost kept.
 * Thread: worker. Equal inputs are prepared once (by a hash over everything that the adapter is given).
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

struct making {
	struct checked *c;
	struct maps *by_input; /* hash of the inputs -> struct prepared, borrowed from c->made */
	struct maps *told;     /* problems said already */
	size_t cap;
};

const cJSON *check_vars(struct checked *c, const struct hash *h)
{
	struct str key = { (const char *)h->b, HASH_LEN };
	char *text = NULL;
	cJSON *j = maps_get(c->vars, key);
	if (j)
		return j;
	if (vars_get(c->db, h, &text) < 0 || json_parse(str_of(text), 1u << 20, &j, NULL) < 0)
		j = json_obj(); /* an office without variables lacks each of them */
	free(text);
	maps_put(c->vars, key, j);
	return j;
}

struct place {
	char file[200];
	int line;
};

/* "body.en.md: line 8: unknown variable ...": whoever mends it looks there, not at the part. Returns what stands behind it. */
static const char *place_of(const char *text, struct place *ret)
{
	static const char word[] = ": line ";
	const char *at = strstr(text, word);
	int64_t line;
	if (!at || at == text)
		return text;
	struct str file = { text, (size_t)(at - text) };
	struct str number = { at + strlen(word), strspn(at + strlen(word), "0123456789") };
	const char *behind = number.p + number.n;
	if (strncmp(behind, ": ", 2) != 0 || str_i64(number, 1, INT_MAX, &line) < 0 ||
		!str_copy(ret->file, sizeof(ret->file), file))
		return text;
	ret->line = (int)line;
	return behind + 2;
}

/* The same sentence for the same part and field is said once, with its first office. */
static void tell_at(struct making *m, enum problem_severity sev, const struct made *x,
	const char *field, const struct place *where, const char *text)
{
	const struct doc_part *p = &m->c->doc->parts[x->part];
	struct buf key CLEANUP_BUF, of_backup CLEANUP_BUF;
	buf_init(&key, 2048);
	buf_init(&of_backup, 1024);
	if (x->backup) {
		/* What the second gateway cannot take is no fault of the release: it goes through the first, or waits. */
		(void)buf_addf(&of_backup, "%sbackup " STR_FMT "/" STR_FMT ": %s",
			sev == PROBLEM_ERROR ? "will not take over: " : "",
			STR_ARG(x->sender->channel), STR_ARG(x->sender->account), text);
		text = of_backup.failed ? "the backup will not take over" : buf_z(&of_backup);
		sev = sev == PROBLEM_ERROR ? PROBLEM_WARNING : sev;
	}
	buf_addf(&key, "%zu %d %s %s %d %s", x->part, x->kind, field, where->file, where->line,
		text);
	if (maps_put(m->told, buf_str(&key), m))
		return;
	problem_add(&m->c->problems, sev, where->file, where->line, field,
		"%s, part %s, office %s%s%s: %s", chan_kind_name(x->kind), p->name, x->office->code,
		*x->row.lang ? ", " : "", x->row.lang, text);
}

static void tell(struct making *m, enum problem_severity sev, const struct made *x,
	const char *field, const char *text)
{
	struct place at_part = { .line = m->c->doc->parts[x->part].line };
	(void)str_copy(at_part.file, sizeof(at_part.file), str_of(m->c->doc->main_file));
	tell_at(m, sev, x, field, &at_part, text);
}

/* What the texts themselves lack, at its own file and line. */
static void tell_text(struct making *m, const struct made *x, const char *text)
{
	struct place where = { .line = 0 };
	const char *said = place_of(text, &where);
	if (where.line > 0)
		tell_at(m, PROBLEM_ERROR, x, "text", &where, said);
	else
		tell(m, PROBLEM_ERROR, x, "text", text);
}

static void tell_all(struct making *m, const struct made *x)
{
	static const enum problem_severity sev[] = { PROBLEM_INFO, PROBLEM_WARNING, PROBLEM_ERROR };
	for (size_t i = 0; i < x->p->n_problems; i++) {
		const struct prepared_problem *q = &x->p->problems[i];
		tell(m, sev[q->severity < 0 || q->severity > 2 ? 2 : q->severity], x,
			q->field ? q->field : "", q->text ? q->text : "");
	}
}

static bool refused(const struct prepared *p)
{
	for (size_t i = 0; i < p->n_problems; i++)
		if (p->problems[i].severity >= 2)
			return true;
	return false;
}

static int make_one(struct making *m, struct made *x)
{
	struct checked *c = m->c;
	CLEANUP(plan_content_free) struct plan_content *pc = NULL;
	struct office_chain chain;
	struct err e = { 0 };
	char channel[80], account[80];
	int rc = office_chain_get(c->db, x->office->id, &chain);
	struct content_ask a = { .doc = c->doc,
		.part = &c->m->parts[x->part],
		.kind = x->kind,
		.form = x->row.form,
		.lang = x->row.lang,
		.office = x->office->code,
		.vars = check_vars(c, &x->office->vars),
		.local = core_local(c->doc, &chain),
		.at_ms = plan_part_time(&c->m->parts[x->part], c->now) };
	if (rc == 0)
		rc = plan_content_new(&a, &pc, &e);
	if (rc < 0) {
		tell_text(m, x, e.text);
		return rc;
	}
	plan_content_input(pc, x->sender, &x->input);
	struct str key = { (const char *)x->input.b, HASH_LEN };
	struct prepared *same = maps_get(m->by_input, key);
	if (same) {
		x->p = prepared_ref(same);
		return 0;
	}
	str_copy(channel, sizeof(channel), x->sender->channel);
	str_copy(account, sizeof(account), x->sender->account);
	rc = plan_channel_prepare(
		c->plan, c->r, c, channel, account, plan_content_lt(pc), &x->p, &e);
	if (rc < 0) {
		tell(m, PROBLEM_ERROR, x, "channels",
			*e.text ? e.text : "the adapter refused the text");
		return rc;
	}
	if (!x->backup || !refused(x->p)) /* a refused one of a backup is thrown away */
		maps_put(m->by_input, key, x->p);
	return 0;
}

/* A long text for many offices is as many long outputs: behind a bound only what is asked for later is kept of each. */
static void keep_bounded(struct making *m, struct made *x)
{
	struct checked *c = m->c;
	struct str key = { (const char *)x->input.b, HASH_LEN };
	if (x->p->summary || x->p->refs > 1)
		return; /* another row counts it */
	size_t bytes = prepared_memory(x->p);
	if (c->kept + bytes <= KEPT_BYTES) {
		c->kept += bytes;
		return;
	}
	struct prepared *whole = x->p;
	x->p = prepared_summary(whole, KEPT_PREVIEW);
	c->kept += prepared_memory(x->p);
	if (maps_get(m->by_input, key) == whole)
		(void)maps_put(m->by_input, key, x->p);
	prepared_unref(whole);
}

static const struct mf_sender *sender_of(
	const struct mf_part *p, const char *office, const char *channel)
{
	for (size_t i = 0; i < p->n_senders; i++)
		if (str_eqz(p->senders[i].office, office) &&
			str_eqz(p->senders[i].channel, channel))
			return &p->senders[i];
	return NULL;
}

static struct made *add_made(
	struct making *m, const struct resolve_group *g, const struct plan_lane *lane, bool backup)
{
	struct checked *c = m->c;
	const struct plan_office *o = plan_office_by_id(&c->offices, g->office_id);
	const struct mf_sender *s = o ? sender_of(&c->m->parts[g->part], o->code, lane->channel)
				      : NULL;
	if (!s)
		return NULL;
	for (size_t i = c->n_made;
		i-- > 0;) { /* groups are sorted: lanes of one office stand side by side */
		struct made *x = &c->made[i];
		if (x->part != g->part || x->office != o)
			break;
		if (x->row.channel_id == lane->channel_id && strcmp(x->row.form, g->form) == 0 &&
			strcmp(x->row.lang, g->lang) == 0) {
			x->n += backup ? 0 : g->n;
			x->backup = x->backup && backup;
			return NULL;
		}
	}
	if (c->n_made == RELEASE_PREPARED_MAX)
		return NULL;
	if (c->n_made == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		c->made = x_realloc(c->made, m->cap, sizeof(*c->made));
	}
	struct made *x = &c->made[c->n_made++];
	*x = (struct made){ .part = g->part,
		.kind = g->kind,
		.n = backup ? 0 : g->n,
		.backup = backup,
		.sender = s,
		.office = o,
		.row = { .part = c->number[g->part],
			.channel_id = lane->channel_id,
			.office_id = g->office_id,
			.vars = o->vars } };
	memcpy(x->row.form, g->form, sizeof(x->row.form));
	memcpy(x->row.lang, g->lang, sizeof(x->row.lang));
	return x;
}

static int by_key(const void *x, const void *y)
{
	const struct prepared_row *a = x, *b = y;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	if (a->channel_id != b->channel_id)
		return a->channel_id < b->channel_id ? -1 : 1;
	int c = strcmp(a->form, b->form);
	if (c == 0)
		c = strcmp(a->lang, b->lang);
	if (c)
		return c;
	return a->office_id < b->office_id ? -1 : a->office_id > b->office_id;
}

int check_backup_lane(struct checked *c, const struct plan_lane *lane, struct plan_lane *ret)
{
	const struct conf_channel *ch = conf_channel_find(c->conf, lane->channel), *bc = NULL;
	const struct conf_account *b = ch
		? conf_backup_of(c->conf, conf_account_find(ch, lane->account), &bc)
		: NULL;
	if (!b)
		return 0;
	*ret = (struct plan_lane){ 0 };
	(void)str_copy(ret->channel, sizeof(ret->channel), str_of(bc->name));
	(void)str_copy(ret->account, sizeof(ret->account), str_of(b->name));
	return db_get_i64(
		c->db, &ret->channel_id, "SELECT id FROM channel WHERE name=?", "t", ret->channel);
}

/* What would go out if the second gateway takes over, approved with the rest. Without an output nothing is ever moved there. */
static void make_backup(
	struct making *m, const struct resolve_group *g, const struct plan_lane *lane)
{
	struct checked *c = m->c;
	struct plan_lane backup;
	if (check_backup_lane(c, lane, &backup) != 1)
		return;
	struct made *x = add_made(m, g, &backup, true);
	if (!x)
		return;
	bool made = make_one(m, x) == 0;
	if (made)
		tell_all(m, x);
	if (made && !refused(x->p)) {
		x->row.digest = x->p->digest;
		keep_bounded(m, x);
		return;
	}
	prepared_unref(x->p);
	c->n_made--;
}

void check_prepare(struct checked *c)
{
	struct making m = { .c = c, .by_input = maps_new(), .told = maps_new() };
	struct plan_lane lane = { 0 };
	c->turn = plan_memo_turn(c->plan);
	for (size_t i = 0; i < c->resolved->n_groups; i++) {
		const struct resolve_group *g = &c->resolved->groups[i];
		if (lane.id != g->lane_id && plan_lane_get(c->db, g->lane_id, &lane) < 0)
			continue;
		struct made *x = add_made(&m, g, &lane, false);
		if (x && make_one(&m, x) == 0) {
			tell_all(&m, x);
			x->row.digest = x->p->digest;
			keep_bounded(&m, x);
		}
		make_backup(&m, g, &lane);
	}
	if (c->n_made == RELEASE_PREPARED_MAX)
		problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, 0, "parts",
			"over %d different outputs: split the release", RELEASE_PREPARED_MAX);
	maps_free(m.by_input);
	maps_free(m.told);
	check_money(c);
	c->rows = c->n_made ? x_calloc(c->n_made, sizeof(*c->rows)) : NULL;
	for (size_t i = 0; i < c->n_made; i++)
		c->rows[i] = c->made[i].row;
	if (c->n_made)
		qsort(c->rows, c->n_made, sizeof(*c->rows), by_key);
}

void check_remember(const struct checked *c)
{
	for (size_t i = 0; i < c->n_made; i++)
		if (c->made[i].p)
			plan_memo_put(c->plan, &c->turn, &c->made[i].input, c->made[i].p);
}
