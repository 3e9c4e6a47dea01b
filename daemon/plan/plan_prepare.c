/* plan_prepare.c - prepared outputs made again: for lots that open and for dispatch.
 * Thread: any worker. The core is made with the office's variables as they were approved, or taken from what was made of the very
 * same (plan_memo.c), and compared with the approved digest; a local text with an approval of its own is put in only after that.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

struct conf *plan_conf(struct plan *p)
{
	pthread_rwlock_rdlock(&p->lock);
	struct conf *c = conf_ref(p->conf);
	pthread_rwlock_unlock(&p->lock);
	return c;
}

int office_chain_get(struct db *db, int64_t office_id, struct office_chain *ret)
{
	sqlite3_stmt *st;
	ret->n = 0;
	int rc = db_query(db, &st,
		"WITH RECURSIVE up(id, parent, code, n) AS (SELECT id, parent_id, code, 0 FROM office WHERE id=?1 UNION ALL "
		"SELECT o.id, o.parent_id, o.code, n+1 FROM office o JOIN up ON o.id=up.parent WHERE n<31) SELECT id, code FROM up ORDER BY n",
		"i", office_id);
	if (rc < 0)
		return rc;
	while (ret->n < ARRAY_LEN(ret->id) && (rc = db_row(db, st)) == 1) {
		ret->id[ret->n] = col_i64(st, 0);
		str_copy(ret->code[ret->n], sizeof(ret->code[0]), col_str(st, 1));
		ret->n++;
	}
	db_reset(st);
	return rc < 0 ? rc : 0;
}

const char *core_local(const struct release_doc *d, const struct office_chain *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct doc_local *l = release_doc_local(d, str_of(c->code[i]));
		if (l)
			return l->text;
	}
	return "";
}

struct remake {
	struct plan *p;
	struct store_reader *r;
	const struct plan_text *t;
	const struct prepared_row *row;
	const struct mf_part *part;
	const struct mf_sender *sender;
	struct office_chain chain;
	cJSON *vars;
	struct memo_turn turn;
};

static int remake_find(struct remake *m, const struct hash *vars, struct err *e)
{
	struct db *db = reader_db(m->r);
	char *json = NULL;
	int64_t kind = 0;
	int rc = office_chain_get(db, m->row->office_id, &m->chain);
	m->part = manifest_part(m->t->m, m->row->part);
	if (rc < 0 || m->chain.n == 0 || !m->part)
		return err_set(
			e, rc < 0 ? rc : -ESTALE, "the part or the office is not there any more");
	for (size_t i = 0; i < m->part->n_senders && !m->sender; i++) {
		const struct mf_sender *s = &m->part->senders[i];
		if (!str_eqz(s->office, m->chain.code[0]))
			continue;
		kind = 0;
		char name[80];
		str_copy(name, sizeof(name), s->channel);
		rc = db_get_i64(db, &kind, "SELECT 1 FROM channel WHERE id=? AND name=?", "it",
			m->row->channel_id, name);
		if (rc == 1)
			m->sender = s;
	}
	if (!m->sender)
		return err_set(
			e, -ESTALE, "no sender was approved for office '%s'", m->chain.code[0]);
	rc = vars_get(db, vars, &json);
	if (rc == 0)
		rc = json_parse(str_of(json), 1u << 20, &m->vars, e);
	free(json);
	return rc < 0
		? err_set(e, rc, "the variables of office '%s' could not be read", m->chain.code[0])
		: 0;
}

static int remake_with(struct remake *m, const char *local, struct prepared **ret, struct err *e)
{
	char channel[80], account[80];
	struct hash input;
	CLEANUP(plan_content_free) struct plan_content *c = NULL;
	struct content_ask a = { .doc = m->t->doc,
		.part = m->part,
		.kind = (int)m->sender->kind,
		.form = m->row->form,
		.lang = m->row->lang,
		.office = m->chain.code[0],
		.vars = m->vars,
		.local = local,
		.at_ms = plan_part_time(m->part, env_wall(m->p->env)) };
	str_copy(channel, sizeof(channel), m->sender->channel);
	str_copy(account, sizeof(account), m->sender->account);
	int rc = plan_content_new(&a, &c, e);
	if (rc < 0)
		return rc;
	plan_content_input(c, m->sender, &input);
	*ret = plan_memo_get(m->p, &input);
	if (*ret)
		return 0;
	rc = plan_channel_prepare(m->p, m->r, NULL, channel, account, plan_content_lt(c), ret, e);
	if (rc == 0)
		plan_memo_put(m->p, &m->turn, &input, *ret);
	return rc;
}

int plan_remake(struct plan *p, struct store_reader *r, const struct plan_text *t,
	const struct prepared_row *row, const struct hash *vars, const struct memo_turn *turn,
	struct prepared **ret, struct err *e)
{
	struct remake m = { .p = p, .r = r, .t = t, .row = row, .turn = *turn };
	int rc = remake_find(&m, vars, e);
	if (rc == 0)
		rc = remake_with(&m, core_local(t->doc, &m.chain), ret, e);
	cJSON_Delete(m.vars);
	return rc;
}

/* The approved local text of the nearest office that has one, unless the bundle's stands nearer: 1 found, 0 none. */
static int own_local(struct remake *m, struct local_row *ret, struct err *e)
{
	int64_t started = 0;
	int rc = plan_part_started(
		reader_db(m->r), m->t->release_id, m->t->rev, m->row->part, &started);
	for (size_t i = 0; i < m->chain.n && rc == 0; i++) {
		rc = local_approved_get(reader_db(m->r), m->t->release_id, m->chain.id[i],
			started ? started : INT64_MAX, ret);
		if (rc == 0) {
			struct hash mac, h;
			local_hash(m->t->release_id, ret->office_id, str_of(ret->text), &h);
			local_mac(store_keys(m->p->store), m->t->release_id, ret, &mac);
			if (hash_cmp(&h, &ret->hash) == 0 && hash_cmp(&mac, &ret->mac) == 0)
				return 1;
			return err_set(e, -EBADMSG,
				"forged: the local text of '%s' is not what was approved",
				m->chain.code[i]);
		}
		rc = rc == -ENOENT ? 0 : rc;
		if (release_doc_local(m->t->doc, str_of(m->chain.code[i])))
			return 0;
	}
	return rc;
}

int plan_remake_local(struct plan *p, struct store_reader *r, const struct plan_text *t,
	const struct prepared_row *row, const struct memo_turn *turn, struct prepared **ret,
	struct err *e)
{
	struct remake m = { .p = p, .r = r, .t = t, .row = row, .turn = *turn };
	struct local_row local = { 0 };
	int rc = plan_doc_has_local(t->doc) ? remake_find(&m, &row->vars, e) : 0;
	if (rc == 0 && m.part)
		rc = own_local(&m, &local, e);
	if (rc == 1) {
		rc = remake_with(&m, local.text, ret, e);
		rc = rc < 0 ? rc : 1;
	}
	local_row_done(&local);
	cJSON_Delete(m.vars);
	return rc;
}

static int compare(const struct prepared *made, const struct prepared_row *row, struct err *e)
{
	if (hash_cmp(&made->digest, &row->digest) == 0)
		return 0;
	return err_set(e, -ESTALE, "changed: the output is not the one that was approved");
}

static int prepare_row(struct plan *p, struct store_reader *r, const struct prepared_row *row,
	const struct plan_text *t, struct prepared **ret, struct err *e)
{
	struct remake m = { .p = p, .r = r, .t = t, .row = row, .turn = plan_memo_turn(p) };
	struct local_row local = { 0 };
	CLEANUP(prepared_unref) struct prepared *core = NULL, *whole = NULL;
	int rc = remake_find(&m, &row->vars, e);
	if (rc == 0)
		rc = remake_with(&m, core_local(t->doc, &m.chain), &core, e);
	if (rc == 0)
		rc = compare(core, row, e);
	if (rc == 0 && plan_doc_has_local(t->doc))
		rc = own_local(&m, &local, e);
	if (rc == 1)
		rc = remake_with(&m, local.text, &whole, e);
	local_row_done(&local);
	cJSON_Delete(m.vars);
	if (rc == 0)
		*ret = whole ? MOVE(whole) : MOVE(core);
	return rc;
}

int plan_prepare(void *plan, struct store_reader *r, const struct prep_key *key,
	struct prepared **ret, struct err *e)
{
	struct plan *p = plan;
	CHECK_OBJ(p, PLAN_MAGIC);
	struct plan_text *t = NULL;
	struct prepared_row *rows = NULL;
	size_t n = 0, at = 0;
	int rc = plan_text_get(p, r, &key->manifest, &t, e);
	if (rc == 0)
		rc = prepared_rows_get(reader_db(r), &key->manifest, (int)key->part,
			key->channel_id, key->office_id, &rows, &n);
	while (rc == 0 && at < n &&
		(strcmp(rows[at].form, key->form) != 0 || strcmp(rows[at].lang, key->lang) != 0))
		at++;
	if (rc == 0 && at == n)
		rc = err_set(e, -ESTALE,
			"changed: nothing was approved for %s addresses in '%s' here", key->form,
			key->lang);
	if (rc == 0)
		rc = prepare_row(p, r, &rows[at], t, ret, e);
	free(rows);
	plan_text_put(p, t);
	return rc;
}
