/* plan_start.c - a part starts: what was approved is verified, every prepared row of its lots is made again, then the lots open.
 * Threads: verifying on a worker, the rest on the loop. One command opens the equal lots and holds the others, with the reason.
 * Failures: a forged approval or revision holds the part, is audited and logged as an error; a store that cannot be read now
 * means another look later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/log.h"
#include "plan/plan_internal.h"

#define REMAKES_A_SNAPSHOT 64
#define RETRY_MS           1000
#define EQUAL_MAX          256 /* outputs that one start hands to dispatch */
#define EQUAL_BYTES_MAX    (2u << 20)

struct plan_start {
	struct work work;
	struct part_cmd cmd;
	struct plan *p;
	struct plan_active a;
	int64_t now;
	struct hash manifest;
	struct plan_held *held;
	size_t n_held, cap_held, remakes;
	struct plan_equal { /* made again, as approved: for dispatch, which sends them next */
		struct prep_key key;
		struct prepared *prepared;
	} * equal;
	size_t n_equal, equal_bytes;
	bool has_local; /* what is sent is more than what is compared here */
	struct memo_turn turn;
	int64_t mark; /* of its planning, 0: not known */
	struct part_money money;
	bool replan;
	int rc;
	struct err err;
	char why[320];
};

static void hold_lot(struct plan_start *s, int64_t lot_id, const char *why)
{
	if (s->n_held == s->cap_held) {
		s->cap_held = s->cap_held ? 2 * s->cap_held : 16;
		s->held = x_realloc(s->held, s->cap_held, sizeof(*s->held));
	}
	struct plan_held *h = &s->held[s->n_held++];
	h->lot_id = lot_id;
	snprintf(h->why, sizeof(h->why), "%s", why);
}

static void hold_for_money(void *ctx, int64_t lot_id, const char *why)
{
	hold_lot(ctx, lot_id, why);
}

/* "office hotline: was '1900 1', is '1900 2'" of the first variables that differ. */
static void name_difference(
	struct store_reader *r, const struct hash *was, const struct hash *is, struct buf *b)
{
	char *was_text = NULL, *is_text = NULL;
	cJSON *was_json CLEANUP_JSON = NULL, *is_json CLEANUP_JSON = NULL;
	const cJSON *v;
	int told = 0;
	if (vars_get(reader_db(r), was, &was_text) == 0 &&
		vars_get(reader_db(r), is, &is_text) == 0 &&
		json_parse(str_of(was_text), 1u << 20, &was_json, NULL) == 0 &&
		json_parse(str_of(is_text), 1u << 20, &is_json, NULL) == 0) {
		cJSON_ArrayForEach(v, was_json)
		{
			const char *now = json_z(is_json, v->string, "");
			if (!cJSON_IsString(v) || strcmp(v->valuestring, now) == 0 || told == 2)
				continue;
			buf_addf(b, "%soffice %s was '%.40s', is '%.40s'", told ? "; " : "",
				v->string, v->valuestring, now);
			told++;
		}
	}
	free(was_text);
	free(is_text);
	if (!told)
		buf_addz(b, "the variables of the office");
}

static struct prep_key prep_key_of(const struct hash *manifest, const struct prepared_row *row)
{
	struct prep_key key = { .manifest = *manifest,
		.channel_id = row->channel_id,
		.office_id = row->office_id,
		.part = (uint32_t)row->part };
	(void)str_copy(key.form, sizeof(key.form), str_of(row->form));
	(void)str_copy(key.lang, sizeof(key.lang), str_of(row->lang));
	return key;
}

static void keep_equal(struct plan_start *s, const struct prepared_row *row, struct prepared *made)
{
	size_t bytes = prepared_memory(made);
	if (s->n_equal == EQUAL_MAX || s->equal_bytes + bytes > EQUAL_BYTES_MAX || s->has_local)
		return;
	if ((s->n_equal & (s->n_equal - 1)) == 0)
		s->equal = x_realloc(s->equal, s->n_equal ? 2 * s->n_equal : 1, sizeof(*s->equal));
	s->equal[s->n_equal++] = (struct plan_equal){ prep_key_of(&s->manifest, row),
		prepared_ref(made) };
	s->equal_bytes += bytes;
}

/* Makes the row again with what the office says now; "" when it comes out as approved. */
static int row_again(struct plan_start *s, struct store_reader *r, const struct plan_text *t,
	const struct prepared_row *row, const struct plan_office *o, char *why, size_t size)
{
	CLEANUP(prepared_unref) struct prepared *made = NULL;
	struct err e = { 0 };
	struct buf b CLEANUP_BUF;
	buf_init(&b, size - 1);
	int rc = plan_remake(s->p, r, t, row, &o->vars, &s->turn, &made, &e);
	if (rc == -EIO || rc == -ENOMEM)
		return rc;
	*why = '\0';
	if (rc == 0)
		part_money_row(&s->money, made);
	if (rc == 0 && hash_cmp(&made->digest, &row->digest) == 0) {
		keep_equal(s, row, made);
		return 0;
	}
	buf_addz(&b, "changed: ");
	if (rc < 0)
		buf_addf(&b, "%.160s", e.text);
	else if (hash_cmp(&row->vars, &o->vars) != 0)
		name_difference(r, &row->vars, &o->vars, &b);
	else
		buf_addf(&b, "the output (%s, %s) is made differently now", row->form, row->lang);
	str_copy(why, size, buf_str(&b));
	return 0;
}

/* Addresses of a kind or language that nothing was approved for. */
static int forms_known(struct store_reader *r, const struct plan_lot_row *lot,
	const struct prepared_row *rows, size_t n, char *why, size_t size)
{
	struct plan_form forms[64];
	size_t n_forms = 0;
	int rc = plan_lot_forms_get(reader_db(r), lot->id, forms, ARRAY_LEN(forms), &n_forms);
	for (size_t i = 0; i < n_forms && rc == 0; i++) {
		size_t k = 0;
		while (k < n &&
			(strcmp(rows[k].form, forms[i].form) != 0 ||
				strcmp(rows[k].lang, forms[i].lang) != 0))
			k++;
		if (k == n) {
			snprintf(why, size,
				"changed: nothing was approved for %s addresses in '%s' of this office",
				forms[i].form, forms[i].lang);
			return 0;
		}
	}
	return rc;
}

static int lot_check(struct plan_start *s, struct store_reader *r, const struct plan_text *t,
	const struct plan_lot_row *lot, const struct plan_offices *offices)
{
	struct prepared_row *rows = NULL;
	size_t n = 0;
	char why[240] = "";
	const struct plan_office *o = plan_office_by_id(offices, lot->office_id);
	int rc = prepared_rows_get(reader_db(r), &t->hash, (int)s->a.part.part, lot->channel_id,
		lot->office_id, &rows, &n);
	if (rc == 0)
		rc = part_money_lot(&s->money, reader_db(r), lot->id);
	if (rc == 0 && !o)
		snprintf(why, sizeof(why), "changed: the office is not there any more");
	for (size_t i = 0; i < n && rc == 0 && !*why; i++, s->remakes++)
		rc = row_again(s, r, t, &rows[i], o, why, sizeof(why));
	if (rc == 0 && !*why)
		rc = forms_known(r, lot, rows, n, why, sizeof(why));
	if (rc == 0 && *why)
		hold_lot(s, lot->id, why);
	else if (rc == 0)
		part_money_end(&s->money, lot->id);
	free(rows);
	return rc;
}

static int lots_check(
	struct plan_start *s, struct store_reader *r, const struct plan_text *t, struct err *e)
{
	struct plan_lot_row *lots = NULL;
	struct plan_offices offices = { 0 };
	size_t n = 0, since = 0;
	int rc = plan_lots_get(reader_db(r), s->a.release.id, s->a.part.part, &lots, &n);
	if (rc == 0)
		rc = plan_offices_get(reader_db(r), s->now, &offices);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = lot_check(s, r, t, &lots[i], &offices);
		if (rc == 0 &&
			s->remakes - since >=
				REMAKES_A_SNAPSHOT) { /* an old snapshot would hold the log back */
			since = s->remakes;
			reader_end(r);
			rc = reader_begin(r);
		}
	}
	free(lots);
	plan_offices_done(&offices);
	return rc < 0 ? err_set(e, rc, "the lots could not be checked") : 0;
}

static int start_check(struct plan_start *s, struct store_reader *r, struct err *e)
{
	struct plan_text *t = NULL;
	int64_t mark = 0;
	int rc = manifest_planned(reader_db(r), s->a.release.id, &s->manifest);
	if (rc < 0)
		return err_set(e, -EAGAIN, "the plan is being made again");
	rc = plan_targets_mark(reader_db(r), &mark);
	if (rc < 0)
		return err_set(e, rc, "the store could not be read");
	s->replan = s->a.part.state == PART_WAITING && s->mark != mark + 1;
	if (s->replan)
		return 0;
	rc = plan_text_get(s->p, r, &s->manifest, &t, e);
	if (rc == 0 && (t->release_id != s->a.release.id || t->rev != s->a.release.rev_approved))
		rc = err_set(e, -EBADMSG,
			"forged: the plan names a manifest of another release or revision");
	if (rc == 0)
		rc = plan_verify(s->p, r, t, e);
	const struct mf_part *part = rc == 0 ? manifest_part(t->m, s->a.part.part) : NULL;
	if (rc == 0 && !part)
		rc = err_set(e, -EBADMSG, "forged: the manifest has no part %u", s->a.part.part);
	if (part) {
		s->cmd.expires = manifest_expires(part, s->now);
		s->has_local = plan_doc_has_local(t->doc);
		rc = lots_check(s, r, t, e);
		if (rc == 0 &&
			part_money_check(&s->money, reader_db(r), part->cost_max, s->now,
				hold_for_money, s) < 0)
			rc = err_set(e, -EAGAIN, "the store could not be read");
	}
	plan_text_put(s->p, t);
	return rc;
}

static void start_work(struct work *w)
{
	struct plan_start *s = CONTAINER_OF(w, struct plan_start, work);
	struct store_reader *r;
	s->rc = store_reader_open(s->p->store, &r);
	if (s->rc)
		return;
	s->rc = start_check(s, r, &s->err);
	store_reader_close(r);
}

static uint64_t part_key(const struct plan_active *a)
{
	return (uint64_t)a->release.id * 64 + a->part.part;
}

static void equal_free(struct plan_start *s)
{
	for (size_t i = 0; i < s->n_equal; i++)
		prepared_unref(s->equal[i].prepared);
	free(MOVE(s->equal));
	s->n_equal = 0;
}

static void start_free(struct plan_start *s)
{
	struct plan *p = s->p;
	equal_free(s);
	map64_del(p->starting, part_key(&s->a));
	free(s->held);
	part_money_done(&s->money);
	free(s);
	plan_idle(p);
}

static void start_told(struct store_cmd *cmd)
{
	struct plan_start *s = CONTAINER_OF(cmd, struct plan_start, cmd.cmd);
	struct plan *p = s->p;
	if (cmd->rc < 0)
		log_line(LOG_WARN, "ev=part.start release=%lld part=%u error=%s",
			(long long)s->a.release.id, s->a.part.part, LOG_Q(str_of(cmd->err.text)));
	else if (!s->cmd.stale && s->cmd.act == PART_ACT_OPEN)
		log_line(LOG_INFO, "ev=part.start release=%s part=%s lots=%lld held=%zu",
			s->a.release.code, s->a.part.name, (long long)s->cmd.ret_opened, s->n_held);
	if (cmd->rc == 0 && s->cmd.act == PART_ACT_REPLAN)
		p->last_scan = 0; /* the part's time has come: the next look is not one of many */
	bool opened = cmd->rc == 0 && !s->cmd.stale && s->cmd.act == PART_ACT_OPEN;
	start_free(s);
	if (opened && p->o.on_lots_open && !p->stopping)
		p->o.on_lots_open(p->o.ctx);
	plan_scan(p);
}

/* What was made under settings that a reload has replaced meanwhile is not: dispatch has it made again. */
static void hand_over(struct plan_start *s)
{
	struct plan *p = s->p;
	bool may = s->cmd.act == PART_ACT_OPEN && p->o.on_prepared && !p->stopping &&
		plan_memo_holds(p, &s->turn);
	for (size_t i = 0; may && i < s->n_equal; i++)
		p->o.on_prepared(p->o.ctx, &s->equal[i].key, s->equal[i].prepared);
	equal_free(s);
}

static void start_done(struct work *w)
{
	struct plan_start *s = CONTAINER_OF(w, struct plan_start, work);
	struct plan *p = s->p;
	s->cmd.cmd.done = start_told;
	s->cmd.release_id = s->a.release.id;
	s->cmd.rev = s->a.release.rev_approved;
	s->cmd.part = s->a.part.part;
	s->cmd.manifest = s->manifest;
	s->cmd.start = s->now;
	s->cmd.act = PART_ACT_OPEN;
	s->cmd.held = s->held;
	s->cmd.n_held = s->n_held;
	if (s->rc == 0 && s->replan) {
		s->cmd.act = PART_ACT_REPLAN;
	} else if (s->rc == -EBADMSG) {
		log_line(LOG_ERROR, "ev=part.forged release=%s part=%s why=%s", s->a.release.code,
			s->a.part.name, LOG_Q(str_of(s->err.text)));
		snprintf(s->why, sizeof(s->why), "%.300s", s->err.text);
		s->cmd.act = PART_ACT_HOLD;
		s->cmd.why = s->why;
		s->cmd.what = "part.refused";
	} else if (s->rc < 0) {
		log_line(LOG_WARN, "ev=part.check release=%s part=%s error=%s", s->a.release.code,
			s->a.part.name, LOG_Q(str_of(s->err.text)));
		start_free(s);
		if (!p->stopping)
			timer_set(p->env, &p->timer, env_mono(p->env) + RETRY_MS);
		return;
	}
	hand_over(s);
	part_cmd_prepare(&s->cmd);
	if (p->stopping || store_submit(p->store, &s->cmd.cmd) < 0) {
		start_free(s);
		if (!p->stopping)
			timer_set(p->env, &p->timer, env_mono(p->env) + RETRY_MS);
	}
}

void plan_start_part(struct plan *p, const struct plan_active *a, int64_t start_ms)
{
	if (map64_get(p->starting, part_key(a)) || map64_count(p->starting) >= START_QUEUE_MAX)
		return;
	struct plan_start *s = x_calloc(1, sizeof(*s));
	s->p = p;
	s->a = *a;
	s->now = start_ms;
	s->turn = plan_memo_turn(p);
	s->mark = (int64_t)(uintptr_t)map64_get(p->marks, part_key(a));
	s->work.fn = start_work;
	s->work.done = start_done;
	map64_put(p->starting, part_key(a), s);
	plan_busy(p);
	env_hurry(p->env);
	env_work(p->env, &s->work);
}
