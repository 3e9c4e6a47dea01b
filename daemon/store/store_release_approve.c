/* store_release_approve.c - approval: who may, which step, its MAC, and what follows once every step is given.
 * Thread: store; the whole judgement happens inside the transaction, so two approvals at one moment cannot both be the last.
 * Failures: a refusal is an audit event and no error of the command (struct release_approve_cmd.refused).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "model/policy.h"
#include "store/store_internal.h"
#include "store/store_release.h"

struct approving {
	struct store_tx *tx;
	struct db *db;
	struct release_approve_cmd *c;
	struct policy_step steps[POLICY_STEPS_MAX];
	size_t n_steps;
	char for_person[200]; /* who signed, or whose deputy acts; "" none */
	bool put;             /* a manifest that was not there, behind a savepoint */
	int failed;           /* the store's, not a refusal */
	int64_t rev;
};

static int refuse(struct release_approve_cmd *c, int code)
{
	c->refused = code;
	return code;
}

/* Writes down what the new manifest of --diff says, unless it stands already. */
static int put_new_manifest(struct approving *a)
{
	struct release_approve_cmd *c = a->c;
	struct hash h;
	if (!c->new_body.p)
		return 0;
	manifest_hash(c->new_body, &h);
	if (manifest_get(a->db, &h, NULL, NULL, NULL) == 0)
		return 0;
	int rc = db_exec(a->db, "SAVEPOINT judged", "");
	if (rc < 0)
		return rc;
	a->put = true;
	return manifest_put(a->tx, c->release.id, a->rev, &h, c->new_body, c->prepared,
		c->n_prepared, c->contacts, c->n_contacts);
}

static int check_state(struct approving *a)
{
	struct release_approve_cmd *c = a->c;
	int bound = office_bounds(a->db, c->office);
	if (bound < 0)
		return bound;
	if (bound)
		return refuse(c,
			err_set(&c->why_refused, -EPERM,
				"%s belongs to %s and cannot approve a whole release", c->person,
				c->office));
	int s = c->release.state;
	bool more = s == REL_APPROVED || s == REL_SENDING;
	if (s == REL_IN_REVIEW || more)
		return 0;
	if (c->release.owed > 0 &&
		!c->new_body.p) /* an emergency's approvals are owed beyond its end */
		return 0;
	return refuse(c,
		err_set(&c->why_refused, -EBUSY, "%s is %s: there is nothing to approve",
			c->release.code, rel_state_name(s)));
}

static int check_hash(struct approving *a)
{
	struct release_approve_cmd *c = a->c;
	char want[HASH_HEX], got[HASH_HEX], code[MANIFEST_CODE_MAX];
	int rc = manifest_newest(a->db, c->release.id, a->rev, &c->newest, NULL);
	if (rc < 0)
		return rc;
	if (c->by_code) {
		if (!manifest_code_is(&c->newest, str_of(c->code)))
			return refuse(c,
				err_set(&c->why_refused, -ESTALE,
					"the code is '%s', this revision has %s: the paper was signed for another text",
					c->code, manifest_code(&c->newest, code)));
		c->manifest = c->newest;
	}
	if (hash_cmp(&c->manifest, &c->newest) == 0)
		return 0;
	hash_hex(&c->manifest, got);
	hash_hex(&c->newest, want);
	return refuse(c,
		err_set(&c->why_refused, -ESTALE,
			"%s is stale: the newest manifest of revision %lld is %s (%s); look at it again: `lantoa review %s`",
			got, (long long)a->rev, want, manifest_code(&c->newest, code),
			c->release.code));
}

static void read_steps(struct approving *a)
{
	const struct conf *conf = a->c->conf;
	a->n_steps = conf->n_steps < POLICY_STEPS_MAX ? conf->n_steps : POLICY_STEPS_MAX;
	for (size_t i = 0; i < a->n_steps; i++)
		a->steps[i] = (struct policy_step){ conf->steps[i].name,
			conf->steps[i].role ? conf->steps[i].role : (unsigned)ROLE_APPROVER };
	if (a->n_steps == 0)
		a->steps[a->n_steps++] = (struct policy_step){ "approve", ROLE_APPROVER };
}

/* What somebody may give of a whole release: who belongs to an office below the top gives nothing, on paper and by a deputy neither. */
static int roles_of(struct approving *a, const char *person, unsigned *ret)
{
	const struct conf_person *p = conf_person_by_name(a->c->conf, person);
	int bound = p ? office_bounds(a->db, p->office) : 0;
	*ret = p && !bound ? p->roles : 0;
	return bound < 0 ? bound : 0;
}

/* Whoever enters what was signed on paper answers for it: a reader, or somebody without any role, does not. */
static int check_paper(struct approving *a)
{
	struct release_approve_cmd *c = a->c;
	const unsigned may = ROLE_EDITOR | ROLE_APPROVER | ROLE_OPERATOR | ROLE_ADMIN;
	if (!c->by_code || (c->roles & may))
		return 0;
	return refuse(c,
		err_set(&c->why_refused, -EPERM,
			"%s may not enter an approval on paper; editors, approvers, operators and administrators may",
			c->person));
}

static unsigned roles_wanted(const struct approving *a)
{
	unsigned wanted = 0;
	for (size_t i = 0; i < a->n_steps; i++)
		wanted |= a->steps[i].role;
	return wanted;
}

static int judge_for(struct approving *a, const struct policy_state *s, const char *person,
	unsigned roles, struct policy_verdict *v, struct err *e)
{
	const struct release_approve_cmd *c = a->c;
	const struct policy_ask ask = { .person = c->person,
		.roles = c->roles,
		.for_person = person,
		.for_roles = roles,
		.emergency = c->emergency,
		.paper = c->by_code,
		.why = c->why };
	int rc = policy_judge(s, &ask, v, e);
	if (rc == 0 && person)
		str_copy(a->for_person, sizeof(a->for_person), str_of(person));
	return rc;
}

/* Those whose deputy this person is today, one after the other until one of them may. `rc` and *e: what was said before. */
static int judge_as_deputy(struct approving *a, const struct policy_state *s, int rc,
	struct policy_verdict *v, struct err *e)
{
	bool told = (a->c->roles & roles_wanted(a)) != 0;
	sqlite3_stmt *st;
	int row = db_query(a->db, &st,
		"SELECT person FROM deputy WHERE deputy=?1 AND first<=?2 AND last>=?2 ORDER BY first, person",
		"ti", a->c->person, tx_wall_ms(a->tx));
	while (row >= 0 && rc < 0 && (row = db_row(a->db, st)) == 1) {
		struct err why = { 0 };
		unsigned roles = 0;
		row = roles_of(a, col_z(st, 0), &roles);
		if (row < 0 || !(roles & roles_wanted(a)))
			continue;
		rc = judge_for(a, s, col_z(st, 0), roles, v, &why);
		if (rc < 0 && !told)
			*e = why;
		told = true;
	}
	if (row < 0)
		a->failed = row;
	else
		db_reset(st);
	return rc < 0 ? e->code : 0;
}

/* On paper: the person who signed. Else the one who asks, then those whose deputy this person is. */
static int judge_all(struct approving *a, const struct policy_state *s, struct policy_verdict *v)
{
	struct release_approve_cmd *c = a->c;
	unsigned roles = 0;
	if (c->for_person) {
		a->failed = roles_of(a, c->for_person, &roles);
		return judge_for(a, s, c->for_person, roles, v, &c->why_refused);
	}
	int rc = judge_for(a, s, NULL, 0, v, &c->why_refused);
	return rc < 0 ? judge_as_deputy(a, s, rc, v, &c->why_refused) : rc;
}

static int judge(struct approving *a, struct policy_verdict *v)
{
	struct release_approve_cmd *c = a->c;
	struct approval_row *rows = NULL;
	char **authors = NULL;
	size_t n = 0, n_authors = 0;
	int rc = approval_rows_get(a->db, &c->manifest, false, &rows, &n);
	if (rc == 0)
		rc = release_authors_get(a->db, c->release.id, &authors, &n_authors);
	if (rc == 0)
		rc = check_paper(a);
	if (rc == 0) {
		struct policy_given given[64];
		for (size_t i = 0; i < n; i++)
			given[i] = (struct policy_given){ rows[i].step, rows[i].kind,
				rows[i].person, rows[i].for_person };
		const struct policy_state s = { a->steps, a->n_steps, given, n,
			(const char *const *)authors, n_authors };
		rc = judge_all(a, &s, v);
		if (a->failed < 0)
			rc = a->failed;
		else if (rc < 0)
			refuse(c, rc);
		else
			c->why_refused = (struct err){ 0 };
		c->given = (int)n + 1;
	}
	approval_rows_free(rows, n);
	strings_free(authors, n_authors);
	return rc;
}

static int put_approval(struct approving *a, const struct policy_verdict *v)
{
	struct release_approve_cmd *c = a->c;
	struct hash prepared, mac;
	char person[200], for_person[200];
	str_copy(person, sizeof(person), str_of(c->person));
	str_copy(for_person, sizeof(for_person), str_of(a->for_person));
	struct approval_row row = { .step = v->step,
		.kind = (int)v->kind,
		.at = tx_wall_ms(a->tx),
		.manifest = c->manifest,
		.document = c->document,
		.has_document = c->has_document,
		.person = person,
		.for_person = *for_person ? for_person : NULL };
	int rc = prepared_digest_of(a->db, &c->manifest, &prepared);
	if (rc < 0)
		return rc;
	approval_mac(store_keys(tx_store(a->tx)), &row, &prepared, &mac);
	rc = db_exec(a->db,
		"INSERT INTO approval(manifest, step, person, via, kind, for_person, document, why, at, mac) VALUES(?,?,?,?,?,?,?,?,?,?) "
		"ON CONFLICT(manifest, step, person) DO UPDATE SET via=excluded.via, kind=excluded.kind, for_person=excluded.for_person, "
		"document=excluded.document, why=excluded.why, at=excluded.at, voided=NULL, mac=excluded.mac",
		"hittithtih", &c->manifest, (int64_t)row.step, row.person, c->via,
		(int64_t)row.kind, row.for_person, c->has_document ? &c->document : NULL, c->why,
		row.at, &mac);
	return rc;
}

/* Every lot that is not over follows the new manifest: it is planned again, and opens again only when its outputs are made
 * again equal. Rows that were never tried are cleared by planning first; what was sent stays sent. */
static int lots_to_planning(struct approving *a)
{
	return db_exec(a->db,
		"UPDATE lot SET gate=0, manifest=?2, why=NULL WHERE release_id=?1 AND gate IN (0,1,2,5)",
		"ih", a->c->release.id, &a->c->manifest);
}

/* Approved again in the same revision, a part keeps what an operator said inside its window: a time that is not the one the
 * last approval gave it (that is where its window begins) and lies inside the new window, and the signal. */
int release_schedule(struct store_tx *tx, const struct release_row *r, const struct hash *h,
	int64_t base_ms, struct err *e)
{
	CLEANUP(manifest_free) struct manifest *m = NULL;
	struct buf body CLEANUP_BUF;
	buf_init(&body, MANIFEST_BYTES_MAX);
	int64_t rev = 0;
	int rc = manifest_get(tx_db(tx), h, NULL, &rev, &body);
	if (rc == 0)
		rc = manifest_decode(buf_str(&body), &m, e);
	for (size_t i = 0; rc == 0 && i < m->n_parts; i++) {
		const struct mf_part *p = &m->parts[i];
		struct mf_times t;
		manifest_times(m, p, base_ms, &t);
		bool skip = p->n_kinds == 0;
		rc = db_exec(tx_db(tx),
			"UPDATE part SET at=CASE WHEN ?4 THEN iif(ifnull(at<>win_from AND at BETWEEN ?6 AND ?7, 0), at, ?5) END, win_from=?6, win_to=?7, expires=?8, planned=?9, why=?10, state=?11, "
			"started=CASE WHEN ?9=2 THEN ?12 END WHERE release_id=?1 AND rev=?2 AND part=?3 AND started IS NULL AND state<>4",
			"iiiiiiiiitii", r->id, rev, p->number, (int64_t)t.has_at, t.at_ms,
			t.win_from_ms, t.win_to_ms, t.expires_ms, skip ? INT64_C(2) : INT64_C(0),
			!skip ? NULL
				: p->again == MF_AGAIN_BROADCAST && r->corrects
				? "skipped: a correction is not broadcast"
				: "skipped: no channel of its kinds is configured",
			(int64_t)(skip ? PART_DONE : PART_WAITING), base_ms);
		if (rc == 0 && r->rev_approved == rev) /* what a difference held is planned again */
			rc = db_exec(tx_db(tx),
				"UPDATE part SET planned=0, state=1, why=NULL WHERE release_id=? AND rev=? AND part=? AND (state=1 OR (state=3 AND started "
				"IS NOT NULL AND why LIKE 'grew:%'))",
				"iii", r->id, rev, p->number);
	}
	return rc;
}

/* What is corrected goes no further: who has not had it waits for nothing, and reads why. */
static int corrected_end(struct approving *a)
{
	const struct release_row *r = &a->c->release;
	char name[120], why[160];
	int rc = db_exec(a->db, "UPDATE release SET state=6 WHERE id=? AND state IN (3,4)", "i",
		r->corrects);
	if (rc < 0 || db_changes(a->db) == 0)
		return rc;
	(void)snprintf(why, sizeof(why), "corrected by %s", release_ref(r, name, sizeof(name)));
	rc = db_exec(a->db,
		"UPDATE part SET state=?, why=? WHERE release_id=? AND state IN (0,1,3)", "iti",
		(int64_t)PART_CANCELLED, why, r->corrects);
	if (rc == 0)
		rc = db_exec(a->db, "DELETE FROM job WHERE kind=1 AND subject=?", "i", r->corrects);
	if (rc == 0)
		rc = db_exec(a->db,
			"UPDATE lot SET gate=3, why=? WHERE release_id=? AND gate IN (0,1,2,5)",
			"ti", why, r->corrects);
	return rc;
}

static int begin_planning(struct approving *a)
{
	struct release_approve_cmd *c = a->c;
	char hex[HASH_HEX];
	int64_t now = tx_wall_ms(a->tx);
	hash_hex(&c->manifest, hex);
	int rc = approvals_void(a->tx, c->release.id, &c->manifest);
	if (rc == 0)
		rc = lots_to_planning(a);
	if (rc == 0)
		rc = release_schedule(a->tx, &c->release, &c->manifest, now, &c->cmd.err);
	if (rc == 0)
		rc = db_exec(a->db,
			"INSERT INTO job(kind, subject, cursor, next, arg) VALUES(1,?,0,?,?) ON CONFLICT(kind, subject) DO UPDATE SET "
			"cursor=0, next=excluded.next, arg=excluded.arg",
			"iit", c->release.id, now, hex);
	int state = c->release.state == REL_SENDING ? REL_SENDING : REL_APPROVED;
	if (rc == 0)
		rc = db_exec(a->db,
			"UPDATE release SET state=?, rev_approved=?, approved_at=? WHERE id=?",
			"iiii", (int64_t)state, a->rev, now, c->release.id);
	if (rc == 0 && c->release.corrects)
		rc = corrected_end(a);
	c->release.state = state;
	c->planning = rc == 0;
	return rc;
}

/* What an emergency owes is another person's word; approving once more what has changed since is not that. */
static int check_debt(struct approving *a, const struct policy_verdict *v)
{
	struct release_approve_cmd *c = a->c;
	const char *person = *a->for_person ? a->for_person : c->person;
	int64_t gave = 0;
	if (!c->release.owed || v->kind == APPROVAL_OWED || v->kind == APPROVAL_EMERGENCY)
		return 0;
	int rc = db_get_i64(a->db, &gave,
		"SELECT 1 FROM approval a JOIN manifest m ON m.hash=a.manifest WHERE m.release_id=?1 AND a.kind=?2 AND "
		"(a.person IN (?3,?4) OR a.for_person IN (?3,?4)) LIMIT 1",
		"iitt", c->release.id, (int64_t)APPROVAL_EMERGENCY, c->person, person);
	if (rc <= 0)
		return rc;
	return refuse(c,
		err_set(&c->why_refused, -EPERM,
			"%s gave the emergency approval, and another person's is still owed: that one approves, or once more --emergency -m WHY",
			person));
}

static int audit_approval(struct approving *a, const char *what, const char *now, const char *why)
{
	char subject[160];
	return store_audit(a->tx,
		&(struct audit_event){ .person = a->c->person,
			.via = a->c->via,
			.what = what,
			.subject = release_subject(&a->c->release, subject, sizeof(subject)),
			.now = now,
			.why = why });
}

static int give(struct approving *a)
{
	struct release_approve_cmd *c = a->c;
	struct policy_verdict v = { 0 };
	char now[300], hex[HASH_HEX];
	int rc = judge(a, &v);
	if (rc < 0)
		return rc;
	bool over = c->release.state != REL_IN_REVIEW && c->release.state != REL_APPROVED &&
		c->release.state != REL_SENDING;
	if (over && v.kind != APPROVAL_OWED)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY, "%s is %s: there is nothing to approve",
				c->release.code, rel_state_name(c->release.state)));
	rc = check_debt(a, &v);
	if (rc == 0)
		rc = put_approval(a, &v);
	if (rc < 0)
		return rc;
	if (v.kind != APPROVAL_OWED && v.kind != APPROVAL_EMERGENCY && !v.complete)
		v.owed = c->release.owed; /* until somebody has given all of it */
	c->step = v.step;
	c->steps = (int)a->n_steps;
	c->owed = v.owed;
	c->complete = v.complete;
	str_copy(c->step_name, sizeof(c->step_name),
		str_of((size_t)v.step < a->n_steps ? a->steps[v.step].name : "second person"));
	if (v.complete && v.kind != APPROVAL_OWED)
		rc = begin_planning(a);
	if (rc == 0)
		rc = db_exec(a->db, "UPDATE release SET owed=? WHERE id=?", "ii", (int64_t)v.owed,
			c->release.id);
	hash_hex(&c->manifest, hex);
	snprintf(now, sizeof(now), "manifest %s step %d of %d %s%s%s%s", hex, v.step + 1, c->steps,
		approval_kind_name((int)v.kind), *a->for_person ? " for " : "", a->for_person,
		v.complete ? ", complete" : "");
	return rc ? rc : audit_approval(a, "release.approve", now, c->why);
}

/* Nothing but the audit stays of it: also not the manifest, which would be the newest one, and void the steps that were given. */
static int refused_end(struct approving *a)
{
	int rc = a->put ? db_exec(a->db, "ROLLBACK TO judged", "") : 0;
	return rc ? rc : audit_approval(a, "release.approve.refused", NULL, a->c->why_refused.text);
}

static int approve_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct release_approve_cmd *c = CONTAINER_OF(cmd, struct release_approve_cmd, cmd);
	struct approving a = { .tx = tx, .db = tx_db(tx), .c = c };
	int rc = release_find(a.db, str_of(c->ref), &c->release, &cmd->err);
	if (rc < 0)
		return rc;
	a.rev = c->release.rev_newest;
	read_steps(&a);
	rc = check_state(&a);
	if (rc == 0)
		rc = put_new_manifest(&a);
	if (rc == 0)
		rc = check_hash(&a);
	if (rc == 0)
		rc = give(&a);
	if (c->refused == 0)
		return rc;
	return refused_end(&a);
}

void release_approve_prepare(struct release_approve_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = approve_run;
}
