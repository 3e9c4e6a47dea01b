/* ctl_evidence.c - status, fsck, audit, backup, reload, keys: what shows that it is well, and the few acts of service.
 * Threads: loop; what reads for long runs on a worker with a reader of its own, in short snapshots.
 */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/file.h"
#include "ctl/ctl_internal.h"
#include "model/when.h"
#include "store/store_audit.h"
#include "store/store_backup.h"
#include "store/store_fsck.h"
#include "store/store_release.h"
#include "store/store_secret.h"
#include "store/store_policy.h"
#include "store/store_q_queue.h"
#include "store/store_status.h"

/* --- status ---------------------------------------------------------------------------------------------------------------- */
static void put_store(cJSON *r, struct store *s, const struct store_status *now, int64_t stops)
{
	struct store_stats st;
	char text[300];
	cJSON *o = json_obj();
	store_stats_get(s, &st);
	json_put_i64(o, "transactions", (int64_t)st.transactions);
	json_put_i64(o, "commands", (int64_t)st.commands);
	json_put_i64(o, "tx_max_us", (int64_t)st.tx_us_max);
	json_put_i64(o, "commit_max_us", (int64_t)st.commit_us_max);
	json_put_i64(o, "wal_bytes", (int64_t)st.wal_bytes);
	json_put_i64(o, "queue", (int64_t)st.queue_len);
	json_put_i64(o, "free_bytes", (int64_t)st.free_bytes);
	json_put_bool(o, "under_floor", st.under_floor);
	json_put(r, "store", o);
	cJSON *w = json_arr();
	if (st.under_floor)
		json_add_str(w,
			STR("the disk is nearly full: intake is closed, outcomes are still recorded"));
	if (st.ballast_spent)
		json_add_str(w, STR("the ballast file was spent: make room on the disk"));
	if (log_dropped())
		json_add_str(w, STR("log lines were dropped: nobody reads the log fast enough"));
	if (now->owed) {
		(void)snprintf(text, sizeof(text),
			"approvals are owed after an emergency, of %lld release%s such as %s: `lantoa review %s`",
			(long long)now->owed, now->owed == 1 ? "" : "s", now->owed_first,
			now->owed_first);
		json_add_str(w, str_of(text));
	}
	if (stops) {
		(void)snprintf(text, sizeof(text), "%lld hold%s in force: `lantoa queue` names %s",
			(long long)stops, stops == 1 ? " is" : "s are", stops == 1 ? "it" : "them");
		json_add_str(w, str_of(text));
	}
	json_put(r, "warnings", w);
}

static int count_stop(void *ctx, const struct q_stop *s)
{
	UNUSED(s);
	++*(int64_t *)ctx;
	return 0;
}

static int method_status(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct store_status st;
	cJSON *r = json_obj(), *states = json_obj(), *oldest = json_obj();
	int64_t stops = 0;
	int rc = store_status_read(reader_db(c->reader), &st);
	if (rc == 0)
		rc = q_stops(c->reader, env_wall(c->deps->env), count_stop, &stops);
	for (int i = 0; i < DLV_STATES; i++) {
		json_put_i64(states, dlv_state_name(i), st.count[i]);
		if (st.oldest[i])
			json_put_i64(oldest, dlv_state_name(i), st.oldest[i]);
	}
	json_put_z(r, "version", LANTOA_VERSION);
	json_put_z(r, "mode", c->conf->trial ? "trial" : "live");
	json_put_z(r, "zone", c->conf->zone.name);
	json_put_i64(r, "epoch", store_epoch(c->deps->store));
	json_put_bool(r, "demo", store_is_demo(c->deps->store));
	json_put_i64(r, "intents_open", st.count[DLV_SENDING]);
	json_put(r, "states", states);
	json_put(r, "oldest", oldest);
	json_put_i64(r, "uptime_ms", st.now_ms - c->deps->started_ms);
	json_put_i64(r, "owed", st.owed);
	json_put_i64(r, "stops", stops);
	put_store(r, c->deps->store, &st, stops);
	if (rc)
		return cJSON_Delete(r), err_set(e, rc, "the queue could not be counted");
	*ret = r;
	return 0;
}

/* --- long reads on a worker --------------------------------------------------------------------------------------------------- */
struct long_call {
	struct work work;
	struct ctl_call *call;
	int (*run)(struct long_call *l); /* worker */
	struct store_reader *reader;     /* not begun */
	cJSON *result;
	int rc;
	struct err err;
	cJSON *problems; /* borrowed: part of result */
	bool flag;
	char text[4096];
};

static void long_run(struct work *w)
{
	struct long_call *l = CONTAINER_OF(w, struct long_call, work);
	l->rc = store_reader_get(l->call->deps->store, &l->reader);
	if (l->rc)
		return;
	reader_cut(l->reader, l->call->deps->cut);
	l->rc = l->run(l);
	store_reader_put(l->call->deps->store, l->reader);
}

static void long_done(struct work *w)
{
	struct long_call *l = CONTAINER_OF(w, struct long_call, work);
	ctl_answer(l->call, l->rc, &l->err, l->rc ? NULL : l->result);
	if (l->rc)
		cJSON_Delete(l->result);
	free(l);
}

static struct long_call *long_new(
	struct ctl_call *c, int (*run)(struct long_call *), const char *text, bool flag)
{
	struct long_call *l = x_calloc(1, sizeof(*l));
	l->call = c;
	l->run = run;
	l->flag = flag;
	l->result = json_obj();
	(void)str_copy(l->text, sizeof(l->text), str_of(text ? text : ""));
	l->work = (struct work){ .fn = long_run, .done = long_done };
	return l;
}

static int long_start(
	struct ctl_call *c, int (*run)(struct long_call *), const char *text, bool flag)
{
	env_work(c->deps->env, &long_new(c, run, text, flag)->work);
	return 0;
}

static void on_problem(void *ctx, const struct fsck_problem *p)
{
	struct long_call *l = ctx;
	cJSON *o = json_obj();
	json_put_z(o, "check", p->check);
	json_put_z(o, "subject", p->subject);
	json_put_z(o, "text", p->text);
	json_add(l->problems, o);
}

/* Until the last call has ended nothing else of the daemon stops: sending would go on until the service manager kills it. */
static bool goes_on(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	const struct long_call *l = ctx;
	const _Atomic bool *cut = l->call->deps->cut;
	UNUSED(what);
	UNUSED(done);
	UNUSED(total);
	return !cut || !*cut;
}

static int on_approval(void *ctx, struct store *s, struct db *db, int64_t approval_id)
{
	UNUSED(ctx);
	return approval_verify_row(store_keys(s), db, approval_id);
}

static int on_text(void *ctx, struct store_reader *r, int64_t release_id, int64_t rev,
	const struct manifest *approved, struct str bytes, struct err *e)
{
	UNUSED(ctx);
	return plan_verify_stored(r, release_id, rev, approved, bytes, e);
}

static void put_audit(cJSON *r, const struct audit_report *a)
{
	char hex[HASH_HEX];
	hash_hex(&a->head.hash, hex);
	json_put_i64(r, "seq", a->head.seq);
	json_put_z(r, "hash", hex);
}

static int not_read(struct long_call *l, int rc, const char *what)
{
	if (reader_is_cut(l->reader))
		return err_set(&l->err, -ECANCELED,
			"the daemon is stopping: %s was not checked to its end", what);
	return err_set(&l->err, rc, "%s could not be read: %s", what, strerror(-rc));
}

static int run_fsck(struct long_call *l)
{
	struct fsck_result res = { 0 };
	struct fsck_opts o = { .deep = l->flag,
		.report = on_problem,
		.approval_verify = on_approval,
		.text_verify = on_text,
		.ctx = l };
	cJSON *checked = json_obj();
	l->problems = json_arr();
	json_put(l->result, "problems", l->problems);
	int rc = store_fsck(l->reader, &o, &res);
	json_put_i64(checked, "deliveries", (int64_t)res.deliveries);
	json_put_i64(checked, "lots", (int64_t)res.lots);
	json_put_i64(checked, "releases", (int64_t)res.releases);
	json_put_i64(checked, "approvals", (int64_t)res.approvals);
	json_put_i64(checked, "texts", (int64_t)res.texts);
	json_put_i64(checked, "assets", (int64_t)res.assets);
	json_put_i64(checked, "audit_rows", (int64_t)res.audit_rows);
	json_put(l->result, "checked", checked);
	json_put_bool(l->result, "ok", rc == 0 && res.problems == 0);
	put_audit(l->result, &res.audit);
	return rc ? not_read(l, rc, "the database") : 0;
}

static int method_fsck(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return long_start(c, run_fsck, NULL, json_bool(c->params, "deep", false));
}

static int run_audit_verify(struct long_call *l)
{
	struct audit_head head;
	struct audit_report rep = { 0 };
	bool given = l->text[0] != 0;
	if (given && audit_head_parse(str_of(l->text), &head))
		return err_set(&l->err, -EINVAL,
			"'%.80s' is no head; it looks like 123:0f3a… (64 hexadecimal digits)",
			l->text);
	int rc = store_audit_verify(l->reader, given ? &head : NULL, &rep);
	if (rc)
		return not_read(l, rc, "the record");
	cJSON *problems = json_arr();
	if (rep.fault != AUDIT_OK)
		json_add_str(problems, str_of(rep.text));
	json_put(l->result, "problems", problems);
	json_put_bool(l->result, "ok", rep.fault == AUDIT_OK);
	json_put_i64(l->result, "rows", (int64_t)rep.rows);
	json_put_i64(l->result, "seals", (int64_t)rep.seals);
	put_audit(l->result, &rep);
	return 0;
}

static int method_audit_verify(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return long_start(c, run_audit_verify, json_z(c->params, "head", ""), false);
}

/* A line of mountinfo: number, parent, device, root, mount point, and more. */
static bool private_above(struct str line, const char *dir)
{
	struct str root = { 0 }, at = { 0 };
	for (int i = 0; i < 4; i++)
		if (!str_next(&line, ' ', &root))
			return false;
	return str_next(&line, ' ', &at) && memmem(root.p, root.n, "/systemd-private-", 17) &&
		!strncmp(dir, at.p, at.n) && dir[at.n] == '/';
}

/* /tmp of a service with PrivateTmp= is a folder that is removed when the service stops. */
static bool goes_with_service(const char *dir)
{
	struct buf b CLEANUP_BUF;
	struct err e = { 0 };
	struct str rest, line;
	buf_init(&b, 4u << 20);
	if (file_read("/proc/self/mountinfo", &b, &e) < 0)
		return false;
	rest = buf_str(&b);
	while (str_line(&rest, &line))
		if (private_above(line, dir))
			return true;
	return false;
}

static int run_backup(struct long_call *l)
{
	struct backup_result res = { 0 };
	struct backup_opts o = { .progress = goes_on, .ctx = l };
	if (l->text[0] != '/')
		return err_set(
			&l->err, -EINVAL, "a backup goes into a folder named by its whole path");
	if (goes_with_service(l->text))
		return err_set(&l->err, -EBADMSG,
			"'%.200s' lies in the private temporary folder of the service, which is removed when it stops; "
			"give a folder that stays, such as one in /var/backups/lantoa",
			l->text);
	int rc = store_backup(l->call->deps->store, l->text, &o, &res, &l->err);
	json_put_i64(l->result, "files", (int64_t)res.files);
	json_put_i64(l->result, "bytes", (int64_t)res.bytes);
	return rc;
}

struct backup_note { /* a backup that was made, for the audit; the answer does not wait for it */
	struct store_policy_cmd cmd;
	char *person, *via, *dir;
};

static void backup_noted(struct store_cmd *cmd)
{
	struct backup_note *n = CONTAINER_OF(cmd, struct backup_note, cmd.cmd);
	if (cmd->rc)
		log_line(LOG_WARN, "ev=backup.note_failed rc=%d continuing", cmd->rc);
	free(n->person);
	free(n->via);
	free(n->dir);
	free(n);
}

static void backup_done(struct work *w)
{
	struct long_call *l = CONTAINER_OF(w, struct long_call, work);
	if (l->rc == 0) {
		struct backup_note *n = x_calloc(1, sizeof(*n));
		n->person = x_strdup(l->call->who.person);
		n->via = x_strdup(l->call->who.via);
		n->dir = x_strdup(l->text);
		n->cmd = (struct store_policy_cmd){ .person = n->person,
			.via = n->via,
			.act = "store.backup",
			.why = n->dir,
			.cmd.done = backup_noted };
		store_policy_prepare(&n->cmd);
		store_submit_or_done(l->call->deps->store, &n->cmd.cmd);
	}
	long_done(w);
}

static int method_backup(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	struct long_call *l = long_new(c, run_backup, json_z(c->params, "dir", ""), false);
	l->work.done = backup_done;
	env_work(c->deps->env, &l->work);
	return 0;
}

static int run_config_check(struct long_call *l)
{
	struct conf *fresh = NULL;
	struct err why = { 0 };
	int rc = conf_load(l->call->conf->path, &fresh, &why);
	if (!rc)
		rc = channels_check(fresh, store_is_demo(l->call->deps->store), &why);
	conf_unref(fresh);
	cJSON *problems = json_arr();
	if (rc)
		json_add_str(problems, str_of(why.text));
	json_put(l->result, "problems", problems);
	json_put_bool(l->result, "ok", rc == 0);
	return 0;
}

static int method_config_check(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	return long_start(c, run_config_check, NULL, false);
}

/* --- the record of acts ------------------------------------------------------------------------------------------------------- */
static void on_audit_row(void *ctx, const struct audit_row *row)
{
	cJSON *o = json_obj();
	json_put_i64(o, "seq", row->seq);
	json_put_i64(o, "at", row->at);
	json_put_z(o, "person", row->person);
	json_put_z(o, "via", row->via);
	json_put_z(o, "what", row->what);
	json_put_z(o, "subject", row->subject);
	json_put_z(o, "was", row->was);
	json_put_z(o, "now", row->now);
	json_put_z(o, "why", row->why);
	json_add(ctx, o);
}

static int method_audit_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	int64_t limit = json_i64(c->params, "limit", 50), after = 0;
	if (c->who.office) /* a row has a subject, no office */
		return err_set(e, -EPERM,
			"the record is of all offices, you belong to %s; a person for all offices may read it",
			c->who.office);
	int rc = ctl_after(c, &after, e);
	if (rc < 0)
		return rc;
	cJSON *rows = json_arr();
	if (limit < 1 || limit > 1000)
		limit = 1000;
	rc = store_audit_list(c->reader, after, (size_t)limit, on_audit_row, rows);
	if (rc < 0)
		return cJSON_Delete(rows), err_set(e, rc, "the record could not be read");
	int n = cJSON_GetArraySize(rows);
	*ret = json_obj();
	if (n)
		json_put_i64(*ret, "next", json_i64(cJSON_GetArrayItem(rows, n - 1), "seq", 0));
	json_put_bool(*ret, "more", n == limit && json_i64(*ret, "next", 1) > 1);
	json_put(*ret, "rows", rows);
	return 0;
}

/* --- acts of service ---------------------------------------------------------------------------------------------------------- */
/* A configuration that is not good is refused by a check, as config.check and lantoad --check say it. */
static void on_reloaded(void *ctx, int rc, const struct err *e)
{
	if (rc && rc != -EBUSY)
		rc = -EBADMSG;
	cJSON *r = rc ? NULL : json_obj();
	if (r)
		json_put_bool(r, "applied", true);
	ctl_answer(ctx, rc, e, r);
}

static int method_reload(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	c->deps->reload(c->deps->main_ctx, &c->who, on_reloaded, c);
	return 0;
}

static void on_key_rotated(void *ctx, int rc, const struct err *e, const struct ctl_key_rotated *k)
{
	cJSON *r = rc ? NULL : json_obj();
	char id[16];
	if (r) {
		(void)snprintf(id, sizeof(id), "%08x", (unsigned)k->key_id);
		json_put_i64(r, "sealed", k->sealed);
		json_put_z(r, "key", id);
		json_put_z(r, "file", k->file);
		if (k->former)
			json_put_z(r, "former_file", k->former);
	}
	ctl_answer(ctx, rc, e, r);
}

static int method_key_rotate(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	c->deps->key_rotate(c->deps->main_ctx, &c->who, on_key_rotated, c);
	return 0;
}

static int method_log_level(struct ctl_call *c, cJSON **ret, struct err *e)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = { { "error", LOG_ERROR }, { "warn", LOG_WARN }, { "info", LOG_INFO },
		{ "debug", LOG_DEBUG } };
	struct str want = json_str(c->params, "level");
	UNUSED(ret);
	UNUSED(e);
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (str_eqz(want, levels[i].name)) {
			log_level_set(levels[i].level);
			log_line(LOG_INFO, "ev=log.level now=%s person=%s", levels[i].name,
				LOG_Q(str_of(c->who.person)));
			ctl_answer(c, 0, NULL, NULL);
			return 0;
		}
	struct err bad;
	(void)err_set(&bad, -EINVAL, "the level is error, warn, info or debug");
	ctl_answer(c, -EINVAL, &bad, NULL);
	return 0;
}

const struct ctl_method ctl_evidence_methods[] = {
	{ "status", CTL_READ, ROLE_VIEWER, method_status },
	{ "fsck", CTL_WRITE, ROLE_OPERATOR | ROLE_ADMIN, method_fsck },
	{ "audit.list", CTL_READ, ROLE_VIEWER, method_audit_list },
	{ "audit.verify", CTL_WRITE, ROLE_OPERATOR | ROLE_ADMIN, method_audit_verify },
	{ "backup", CTL_WRITE, ROLE_ADMIN, method_backup },
	{ "config.check", CTL_WRITE, ROLE_OPERATOR | ROLE_ADMIN, method_config_check },
	{ "reload", CTL_WRITE, ROLE_ADMIN | CTL_OWN_USER, method_reload },
	{ "key.rotate", CTL_WRITE, ROLE_ADMIN, method_key_rotate },
	{ "log.level", CTL_WRITE, ROLE_ADMIN, method_log_level },
	{ 0 },
};
