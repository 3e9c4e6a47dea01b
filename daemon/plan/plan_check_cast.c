/* plan_check_cast.c - broadcasts in a check and before an approval: the articles that go with one, and the allowance of each account.
 * Thread: worker, inside a reader's snapshot. Owns: checked.casts.
 * The month is the one in which the articles go out, as far as their time is known. What others have been approved for counts too;
 * when a broadcast goes, the writer counts again (store_queue.c).
 * Failures: problems that name the office and the account; over CASTS_MAX accounts the rest is left to the writer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"
#include "store/store_cast.h"

#define CASTS_MAX 1000
#define TOLD_MAX  5 /* accounts named in problems, the others are counted */

struct cast_line {
	int64_t contact;
	struct cast_limits limits;
	struct cast_used used;
	int64_t from_ms;
	enum cast_over over;
	char office[64], address[160], account[140];
};

/* --- the allowance of one account ---------------------------------------------------------------------------------------------- */

/* 1: known, 0: its route is gone. */
static int line_of(const struct conf *conf, struct db *db, int64_t contact, struct cast_line *ret)
{
	sqlite3_stmt *st;
	struct plan_lane lane;
	int rc = db_query(db, &st,
		"SELECT t.lane_id, o.code, c.address FROM target t JOIN contact c ON c.id=t.contact_id JOIN "
		"office o ON o.id=t.office_id WHERE t.contact_id=? AND t.lane_id>0 ORDER BY o.depth DESC, "
		"o.id LIMIT 1",
		"i", contact);
	*ret = (struct cast_line){ .contact = contact };
	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	int64_t id = col_i64(st, 0);
	str_copy(ret->office, sizeof(ret->office), col_str(st, 1));
	str_copy(ret->address, sizeof(ret->address), col_str(st, 2));
	db_reset(st);
	rc = plan_lane_get(db, id, &lane);
	if (rc < 0)
		return rc;
	const struct conf_channel *ch = conf_channel_find(conf, lane.channel);
	const struct conf_account *a = ch ? conf_account_find(ch, lane.account) : NULL;
	if (!a)
		return 0;
	snprintf(ret->account, sizeof(ret->account), "%s/%s", lane.channel, lane.account);
	ret->limits = conf_broadcasts(ch, a);
	return 1;
}

static int allowance(const struct conf *conf, struct db *db, const struct cast_count *like,
	int64_t at_ms, struct cast_line *l)
{
	struct cast_count ask = *like;
	int rc = line_of(conf, db, like->contact, l);
	if (rc <= 0)
		return rc;
	cast_month(at_ms, l->limits.from_day, &conf->zone, &ask.from_ms, &ask.to_ms);
	l->from_ms = ask.from_ms;
	rc = store_cast_used(db, &ask, &l->used);
	l->over = rc == 0 ? cast_fits(&l->limits, &l->used, ask.campaign != 0, true) : CAST_FITS;
	return rc < 0 ? rc : 1;
}

static int64_t articles_at(
	const struct manifest *m, const struct mf_part *cast, int64_t base_ms, int64_t now)
{
	struct mf_times t;
	const struct mf_part *p = manifest_part(m, cast->after);
	if (!p)
		return now;
	manifest_times(m, p, base_ms, &t);
	return t.has_at && t.at_ms > now ? t.at_ms : now;
}

/* --- articles of other releases -------------------------------------------------------------------------------------------------- */

static void fault(struct checked *c, enum problem_severity severity, int line, const char *field,
	const char *text)
{
	problem_add(&c->problems, severity, c->doc->main_file, line, field, "%s", text);
}

static void find_companions(struct checked *c)
{
	char code[DOC_LINE_MAX], text[400];
	struct release_row r;
	int line = 0;
	for (size_t i = 0; release_doc_with(c->doc, i, code, &line); i++) {
		struct err e = { 0 };
		int rc = release_find(c->db, str_of(code), &r, &e);
		bool twice = false;
		for (size_t k = 0; rc == 0 && k < c->n_companions; k++)
			twice = twice || c->companion[k] == r.id;
		if (rc < 0)
			snprintf(text, sizeof(text), "%.380s", e.text);
		else if (r.id == c->release.id)
			snprintf(text, sizeof(text),
				"'%.60s' is this release itself: its own article always goes first",
				code);
		else if (twice)
			snprintf(text, sizeof(text), "'%.60s' stands here twice", code);
		if (rc < 0 || r.id == c->release.id || twice)
			fault(c, PROBLEM_ERROR, line, "zalo.with", text);
		else if (c->n_companions < BROADCAST_ARTICLES - 1)
			c->companion[c->n_companions++] = r.id;
	}
}

struct lack {
	int64_t n, first; /* accounts; index of the first in checked.casts */
	char why[200];
};

static void add_lack(struct lack *l, size_t at, const char *why)
{
	if (l->n++ > 0)
		return;
	l->first = (int64_t)at;
	snprintf(l->why, sizeof(l->why), "%.190s", why);
}

static void tell_lack(struct checked *c, const struct lack *l, enum problem_severity severity,
	int line, const char *advice)
{
	char text[500], more[40] = "";
	if (l->n == 0)
		return;
	const struct cast_line *x = &c->casts[l->first];
	if (l->n > 1)
		snprintf(more, sizeof(more), " and %lld more", (long long)l->n - 1);
	snprintf(text, sizeof(text), "%.190s: office %s, %s%s; %s", l->why, x->office, x->address,
		more, advice);
	fault(c, severity, line, "zalo.with", text);
}

/* Every account that broadcasts has the article, and it is to be seen. */
static int check_companion(struct checked *c, int64_t other, const char *code, int line)
{
	struct lack missing = { 0 }, hidden = { 0 }, later = { 0 };
	char text[300];
	int rc = store_cast_anywhere(c->db, other);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		snprintf(text, sizeof(text),
			"article: '%.60s' has none on any account; name releases whose articles are out",
			code);
		fault(c, PROBLEM_ERROR, line, "zalo.with", text);
		return 0;
	}
	for (size_t i = 0; i < c->n_casts; i++) {
		struct cast_articles a;
		rc = store_cast_article(c->db, other, c->casts[i].contact, false, &a);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		if (rc == -ENOENT)
			add_lack(&missing, i, a.why);
		else if (a.verdict == CAST_ASKS)
			add_lack(&hidden, i, a.why);
		else if (a.verdict == CAST_WAITS)
			add_lack(&later, i, a.why);
	}
	tell_lack(c, &missing, PROBLEM_ERROR, line,
		"it is on other accounts only: leave it out, or give these offices a part of their own");
	tell_lack(c, &hidden, PROBLEM_ERROR, line, "leave it out");
	tell_lack(c, &later, PROBLEM_WARNING, line, "the broadcast waits for it");
	return 0;
}

/* --- the check ---------------------------------------------------------------------------------------------------------------------- */

static int line_of_option(const struct checked *c, const char *key)
{
	for (size_t i = 0; i < c->doc->options.n; i++)
		if (strcmp(c->doc->options.v[i].key, key) == 0)
			return c->doc->options.v[i].line;
	return 0;
}

static void tell_over(struct checked *c)
{
	char text[400], how[160];
	int64_t n = 0;
	int line = line_of_option(c, "broadcast");
	for (size_t i = 0; i < c->n_casts; i++) {
		const struct cast_line *l = &c->casts[i];
		if (l->over == CAST_FITS || n++ >= TOLD_MAX)
			continue;
		snprintf(text, sizeof(text),
			"office %s, %s: %s; write broadcast: no, or raise `broadcasts` of account %s",
			l->office, l->address,
			cast_print(how, sizeof(how), l->over, &l->limits, &l->used, l->from_ms,
				&c->conf->zone),
			l->account);
		fault(c, PROBLEM_ERROR, line, "zalo.broadcast", text);
	}
	if (n <= TOLD_MAX)
		return;
	snprintf(text, sizeof(text), "%lld more accounts have no broadcast left",
		(long long)n - TOLD_MAX);
	fault(c, PROBLEM_ERROR, line, "zalo.broadcast", text);
}

static void collect(struct checked *c)
{
	struct cast_count like = { .except = c->release.id, .campaign = c->campaign_id };
	for (size_t i = 0; i < c->resolved->n_contacts; i++) {
		const struct contact_key *k = &c->resolved->contacts[i];
		const struct mf_part *p = &c->m->parts[k->part];
		if (p->again != MF_AGAIN_BROADCAST || p->n_kinds == 0)
			continue;
		c->n_casts_all++;
		if (c->n_casts == CASTS_MAX)
			continue;
		if ((c->n_casts & (c->n_casts - 1)) == 0)
			c->casts = x_realloc(
				c->casts, c->n_casts ? 2 * c->n_casts : 1, sizeof(*c->casts));
		like.contact = k->contact_id;
		int rc = allowance(c->conf, c->db, &like, articles_at(c->m, p, c->now, c->now),
			&c->casts[c->n_casts]);
		c->n_casts += rc == 1;
		if (rc < 0) {
			fault(c, PROBLEM_ERROR, line_of_option(c, "broadcast"), "zalo.broadcast",
				"the store could not be read");
			return;
		}
	}
}

void check_casts(struct checked *c)
{
	char code[DOC_LINE_MAX];
	size_t n = 0;
	int line = 0;
	if (c->corrects)
		return;
	find_companions(c);
	collect(c);
	tell_over(c);
	for (size_t i = 0; release_doc_with(c->doc, i, code, &line); i++) {
		struct release_row r;
		if (n == c->n_companions || release_find(c->db, str_of(code), &r, NULL) < 0 ||
			r.id != c->companion[n])
			continue;
		if (check_companion(c, c->companion[n++], code, line) < 0)
			fault(c, PROBLEM_ERROR, line, "zalo.with", "the store could not be read");
	}
	if (c->n_casts_all)
		problem_add(&c->problems, PROBLEM_INFO, c->doc->main_file,
			line_of_option(c, "broadcast"), "zalo.broadcast",
			"%zu accounts broadcast %zu article%s to their followers: it cannot be taken back",
			c->n_casts_all, c->n_companions + 1, c->n_companions ? "s" : "");
}

void check_casts_done(struct checked *c)
{
	free(c->casts);
	c->casts = NULL;
	c->n_casts = 0;
}

static void put_max(cJSON *o, const char *key, int64_t max)
{
	if (max >= 0)
		json_put_i64(o, key, max);
	else
		json_put_z(o, key, NULL);
}

cJSON *casts_json(const struct checked *c)
{
	cJSON *rows = json_arr();
	for (size_t i = 0; i < c->n_casts; i++) {
		const struct cast_line *l = &c->casts[i];
		cJSON *o = json_obj();
		json_put_z(o, "office", l->office);
		json_put_z(o, "account", l->account);
		json_put_z(o, "address", l->address);
		json_put_i64(o, "articles", (int64_t)c->n_companions + 1);
		json_put_i64(o, "month_from", l->from_ms);
		json_put_i64(o, "month_spent", l->used.month);
		json_put_i64(o, "month_planned", l->used.month_planned);
		put_max(o, "month_max", l->limits.month);
		if (c->campaign_id) {
			json_put_i64(o, "campaign_spent", l->used.campaign);
			json_put_i64(o, "campaign_planned", l->used.campaign_planned);
			put_max(o, "campaign_max", l->limits.campaign);
		}
		json_put_bool(o, "fits", l->over == CAST_FITS);
		json_add(rows, o);
	}
	return rows;
}

/* --- before an approval ---------------------------------------------------------------------------------------------------------------- */

static int contacts_allowed(const struct conf *conf, struct db *db, const struct cast_count *like,
	const struct hash *manifest, const struct mf_part *p, int64_t at_ms, struct err *e)
{
	sqlite3_stmt *st;
	char how[160];
	struct cast_count ask = *like;
	int rc = db_query(db, &st,
		"SELECT contact_id FROM approved_contact WHERE manifest=? AND part=? AND kind=? LIMIT ?",
		"hiii", manifest, p->number, (int64_t)BROADCAST_KIND, (int64_t)CASTS_MAX);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct cast_line l;
		ask.contact = col_i64(st, 0);
		rc = allowance(conf, db, &ask, at_ms, &l);
		if (rc == 1 && l.over != CAST_FITS)
			rc = err_set(e, -EBADMSG,
				"no broadcast is left: office %s, %s: %s; `lantoa check` shows all",
				l.office, l.address,
				cast_print(how, sizeof(how), l.over, &l.limits, &l.used, l.from_ms,
					&conf->zone));
		if (rc < 0) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

int casts_allowed(struct plan *p, struct db *db, const struct release_row *rel,
	const struct hash *manifest, struct err *e)
{
	CLEANUP(manifest_free) struct manifest *m = NULL;
	struct buf body CLEANUP_BUF;
	struct conf *conf = plan_conf(p);
	int64_t now = env_wall(p->env);
	struct cast_count like = { .except = rel->id, .campaign = rel->campaign_id };
	buf_init(&body, MANIFEST_BYTES_MAX);
	int rc = manifest_get(db, manifest, NULL, NULL, &body);
	if (rc == 0)
		rc = manifest_decode(buf_str(&body), &m, e);
	for (size_t i = 0; rc == 0 && i < m->n_parts; i++) {
		const struct mf_part *x = &m->parts[i];
		if (x->again == MF_AGAIN_BROADCAST && x->n_kinds > 0)
			rc = contacts_allowed(
				conf, db, &like, manifest, x, articles_at(m, x, now, now), e);
	}
	conf_unref(conf);
	return rc;
}
