/* plan_verify.c - is what the database calls approved what people approved? Asked when a part starts, and by fsck.
 * Thread: worker. The manifest is made again from the stored revision, its approvals' MACs are checked under the key outside
 * the database, and together they must satisfy the policy. Failures: -EBADMSG with the reason; nothing is sent then.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "model/policy.h"
#include "plan/plan_internal.h"

int plan_verify_stored(struct store_reader *r, int64_t release_id, int64_t rev,
	const struct manifest *approved, struct str bytes, struct err *e)
{
	CLEANUP(release_doc_free)
	struct release_doc *doc = NULL; /* from the rows of now, not from the cache */
	CLEANUP(manifest_free) struct manifest *m = NULL;
	struct buf body CLEANUP_BUF;
	uint32_t numbers[PARTS_MAX] = { 0 };
	char differs[300];
	buf_init(&body, MANIFEST_BYTES_MAX);
	int rc = plan_doc_from_store(r, release_id, rev, &doc, e);
	if (rc == -ENOENT || rc == -EBADMSG || rc == -EINVAL) {
		(void)err_prefix(e, "revision %lld cannot be read any more", (long long)rev);
		return -EBADMSG;
	}
	if (rc < 0)
		return rc;
	if (doc->n_parts != approved->n_parts)
		return err_set(e, -EBADMSG,
			"revision %lld has other parts than its manifest: %zu, approved were %zu",
			(long long)rev, doc->n_parts, approved->n_parts);
	for (size_t i = 0; i < doc->n_parts; i++)
		numbers[i] = (uint32_t)approved->parts[i].number;
	char *code = x_strndup(approved->code.p, approved->code.n);
	m = manifest_of_doc(doc, code, approved->year, approved->rev, numbers);
	free(code);
	manifest_take_resolved(m, approved);
	rc = manifest_encode(m, &body);
	if (rc < 0)
		return err_set(e, rc, "the manifest could not be made again");
	if (str_eq(buf_str(&body), bytes))
		return 0;
	size_t n = manifest_differs(approved, m, differs, sizeof(differs));
	return err_set(e, -EBADMSG, "revision %lld is not the one that was approved, %zu %s: %s",
		(long long)rev, n, n == 1 ? "difference" : "differences", differs);
}

static int verify_text(struct store_reader *r, const struct plan_text *t, struct err *e)
{
	int rc = plan_verify_stored(r, t->release_id, t->rev, t->m, t->body, e);
	if (rc == -EBADMSG)
		(void)err_prefix(e, "forged");
	return rc;
}

static int verify_macs(struct plan *p, struct store_reader *r, const struct plan_text *t,
	const struct approval_row *rows, size_t n, struct err *e)
{
	struct hash prepared, mac;
	int rc = prepared_digest_of(reader_db(r), &t->hash, &prepared);
	if (rc < 0)
		return err_set(e, rc, "the prepared outputs could not be read");
	for (size_t i = 0; i < n; i++) {
		approval_mac(store_keys(p->store), &rows[i], &prepared, &mac);
		if (hash_cmp(&mac, &rows[i].mac) != 0)
			return err_set(e, -EBADMSG,
				"forged: the approval of %s does not bear our mark",
				rows[i].person);
	}
	return 0;
}

/* `now` and durations count from the last approval: its time is under the mark, the release's copy of it is not. */
static int verify_time(struct store_reader *r, const struct plan_text *t,
	const struct approval_row *rows, size_t n, struct err *e)
{
	struct release_row rel;
	int64_t last = 0;
	int rc = release_get(reader_db(r), t->release_id, &rel);
	for (size_t i = 0; i < n; i++)
		if (rows[i].kind != APPROVAL_OWED && rows[i].at > last)
			last = rows[i].at;
	if (rc == 0 && rel.approved_at != last)
		rc = err_set(e, -EBADMSG, "forged: the time of the approval was changed");
	return rc;
}

static int verify_policy(struct plan *p, struct store_reader *r, const struct plan_text *t,
	const struct approval_row *rows, size_t n, struct err *e)
{
	struct policy_step steps[POLICY_STEPS_MAX] = { { "approve", ROLE_APPROVER } };
	struct policy_given given[64];
	char **authors = NULL;
	size_t n_authors = 0, n_steps = 0;
	int rc = release_authors_get(reader_db(r), t->release_id, &authors, &n_authors);
	struct conf *conf = plan_conf(p);
	for (size_t i = 0; i < conf->n_steps && i < POLICY_STEPS_MAX; i++)
		steps[n_steps++] = (struct policy_step){ conf->steps[i].name,
			conf->steps[i].role ? conf->steps[i].role : (unsigned)ROLE_APPROVER };
	for (size_t i = 0; i < n; i++) {
		given[i] = (struct policy_given){ rows[i].step, rows[i].kind, rows[i].person,
			rows[i].for_person };
		for (size_t k = 0; k < n_authors && rc == 0; k++)
			if (strcmp(authors[k], rows[i].person) == 0 ||
				(rows[i].for_person && strcmp(authors[k], rows[i].for_person) == 0))
				rc = err_set(e, -EBADMSG,
					"forged: %s is an author and cannot have approved",
					authors[k]);
	}
	struct policy_state s = { steps, n_steps ? n_steps : 1, given, n,
		(const char *const *)authors, n_authors };
	if (rc == 0 && !policy_complete(&s, NULL))
		rc = err_set(e, -EBADMSG, "not approved: steps of the approval policy are missing");
	conf_unref(conf);
	strings_free(authors, n_authors);
	return rc;
}

int plan_verify(struct plan *p, struct store_reader *r, const struct plan_text *t, struct err *e)
{
	struct approval_row *rows = NULL;
	size_t n = 0;
	int rc = verify_text(r, t, e);
	if (rc < 0)
		return rc;
	rc = approval_rows_get(reader_db(r), &t->hash, false, &rows, &n);
	if (rc < 0)
		return err_set(e, rc, "the approvals could not be read");
	rc = verify_macs(p, r, t, rows, n, e);
	if (rc == 0)
		rc = verify_time(r, t, rows, n, e);
	if (rc == 0)
		rc = verify_policy(p, r, t, rows, n, e);
	approval_rows_free(rows, n);
	return rc;
}

static int verify_manifest(
	struct plan *p, struct store_reader *r, const struct hash *h, bool planned, struct err *e)
{
	struct plan_text *t = NULL;
	struct approval_row *rows = NULL;
	size_t n = 0;
	int rc = plan_text_get(p, r, h, &t, e);
	if (rc == 0)
		rc = approval_rows_get(reader_db(r), h, true, &rows, &n);
	if (rc == 0)
		rc = verify_macs(p, r, t, rows, n, e);
	if (rc == 0 && planned)
		rc = plan_verify(p, r, t, e);
	approval_rows_free(rows, n);
	plan_text_put(p, t);
	return rc;
}

int plan_verify_approvals(struct plan *p, struct store_reader *r, int64_t release_id, struct err *e)
{
	struct db *db = reader_db(r);
	struct hash all[64], planned = { { 0 } };
	sqlite3_stmt *st;
	struct release_row rel;
	size_t n = 0;
	int rc = release_get(db, release_id, &rel);
	if (rc < 0)
		return err_set(e, rc, "there is no such release");
	bool has = manifest_planned(db, release_id, &planned) == 0 &&
		(rel.state == REL_APPROVED || rel.state == REL_SENDING);
	rc = db_query(db, &st,
		"SELECT DISTINCT m.hash FROM manifest m JOIN approval a ON a.manifest=m.hash WHERE m.release_id=? LIMIT 64",
		"i", release_id);
	if (rc < 0)
		return err_set(e, rc, "the manifests could not be read");
	while (n < ARRAY_LEN(all) && (rc = db_row(db, st)) == 1)
		if (col_hash(st, 0, &all[n]))
			n++;
	db_reset(st);
	for (size_t i = 0; i < n && rc >= 0; i++)
		rc = verify_manifest(p, r, &all[i], has && hash_cmp(&all[i], &planned) == 0, e);
	return rc < 0 ? rc : 0;
}
