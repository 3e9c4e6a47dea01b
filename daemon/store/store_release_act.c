/* store_release_act.c - short acts on a release: return, go, move, cancel, recalled.
 * Thread: store. Each is an audit event; a refusal is one, too, and no error of the command.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_release.h"

static int refuse(struct release_act_cmd *c, int code)
{
	c->refused = code;
	return code;
}

static int set_state(struct store_tx *tx, struct release_act_cmd *c, int to)
{
	if (!release_may_move(c->release.state, to))
		return refuse(c,
			err_set(&c->why_refused, -EBUSY, "%s is %s and cannot become %s",
				c->release.code, rel_state_name(c->release.state),
				rel_state_name(to)));
	c->release.state = to;
	return db_exec(tx_db(tx), "UPDATE release SET state=? WHERE id=?", "ii", (int64_t)to,
		c->release.id);
}

static int act_return(struct store_tx *tx, struct release_act_cmd *c)
{
	int rc = set_state(tx, c, REL_RETURNED);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE release SET note=CASE WHEN note LIKE 'corrects:%' THEN note ELSE ? END WHERE id=?",
			"ti", c->why, c->release.id);
	if (rc == 0)
		rc = approvals_void(tx, c->release.id, NULL);
	if (rc == 0)
		rc = release_void_unstarted(tx, c->release.id, "void: returned to its author");
	return rc;
}

/* None was named, or one that is not there. */
static int no_part(struct release_act_cmd *c, const char *const *names, size_t n)
{
	char list[300] = "";
	const char *near = *c->part ? str_nearest(str_of(c->part), names, n) : NULL;
	for (size_t i = 0, at = 0; i < n && at < sizeof(list) - 80; i++)
		at += (size_t)snprintf(
			list + at, sizeof(list) - at, "%s%.64s", i ? ", " : "", names[i]);
	if (!*c->part)
		return refuse(c,
			err_set(&c->why_refused, -EINVAL, "which part of %s? say --part: %s",
				c->release.code, list));
	return refuse(c,
		err_set(&c->why_refused, -ENOENT, "%s has no part '%.64s'; %s%s", c->release.code,
			c->part, near ? "did you mean " : "there are: ", near ? near : list));
}

static int find_part(struct store_tx *tx, struct release_act_cmd *c)
{
	struct part_row rows[PARTS_MAX];
	size_t n = 0;
	if (c->release.state != REL_APPROVED && c->release.state != REL_SENDING)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY,
				"%s is %s: its parts move only between approval and end",
				c->release.code, rel_state_name(c->release.state)));
	int rc = part_rows_get(
		tx_db(tx), c->release.id, c->release.rev_approved, rows, PARTS_MAX, &n);
	if (rc < 0)
		return rc;
	const char *names[PARTS_MAX];
	for (size_t i = 0; i < n; i++) {
		names[i] = rows[i].name;
		if (strcmp(rows[i].name, c->part) == 0) {
			c->row = rows[i];
			return 0;
		}
	}
	return no_part(c, names, n);
}

/* Held because the moment was missed or a link did not answer: a person may say "go" until it expires. */
static bool held_for_person(const struct part_row *p)
{
	struct str why = str_of(p->why);
	return p->state == PART_HELD &&
		(str_starts(why, "late:") || str_starts(why, "window:") ||
			str_starts(why, "link:") || str_starts(why, "campaign:"));
}

/* Nobody's word starts a part behind its campaign: it would be held again at once. */
static int in_campaign(struct store_tx *tx, struct release_act_cmd *c, int64_t at)
{
	int64_t last = 0;
	int rc = db_get_i64(tx_db(tx), &last, "SELECT last FROM campaign WHERE id=?", "i",
		c->release.campaign_id);
	if (rc <= 0 || at <= last)
		return rc < 0 ? rc : 0;
	return refuse(c,
		err_set(&c->why_refused, -EBUSY,
			"part %s: the dates of its campaign end before that; import the campaign with a later end first",
			c->row.name));
}

static int may_start(struct release_act_cmd *c, int64_t at)
{
	const struct part_row *p = &c->row;
	if (p->started || (p->state != PART_WAITING && !held_for_person(p)))
		return refuse(c,
			err_set(&c->why_refused, -EBUSY, "part %s is %s%s%s", p->name,
				p->started ? "started already" : part_state_name(p->state),
				*p->why ? ": " : "", p->why));
	if (p->expires && at >= p->expires)
		return refuse(c, err_set(&c->why_refused, -EBUSY, "part %s has expired", p->name));
	if (held_for_person(p) && c->act == ACT_GO)
		return 0;
	if (p->after && !p->signal)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY,
				"part %s was approved to follow another part and starts by itself when nothing of that waits or is sending",
				p->name));
	if (p->signal && c->act == ACT_MOVE)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY,
				"part %s waits for a signal, not for a time: lantoa go %s --part %s",
				p->name, c->release.code, p->name));
	if (at < p->win_from)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY,
				"part %s was approved to start not before its window; that begins in %lld s",
				p->name, (long long)((p->win_from - at + 999) / 1000)));
	if (at > p->win_to && !p->after)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY,
				"part %s: outside its approved window, which ended %lld s before",
				p->name, (long long)((at - p->win_to + 999) / 1000)));
	return 0;
}

static int act_go(struct store_tx *tx, struct release_act_cmd *c)
{
	int64_t now = tx_wall_ms(tx);
	int rc = find_part(tx, c);
	if (rc == 0)
		rc = may_start(c, now);
	if (rc == 0)
		rc = in_campaign(tx, c, now);
	if (rc < 0)
		return rc;
	c->row.go_at = now;
	return db_exec(tx_db(tx),
		"UPDATE part SET go_at=?, go_by=?, state=?, why=NULL WHERE release_id=? AND rev=? AND part=?",
		"itiiii", now, c->person, (int64_t)PART_WAITING, c->row.release_id, c->row.rev,
		(int64_t)c->row.part);
}

static int act_move(struct store_tx *tx, struct release_act_cmd *c)
{
	int rc = find_part(tx, c);
	if (rc == 0 && c->at < tx_wall_ms(tx))
		rc = refuse(c, err_set(&c->why_refused, -EINVAL, "that moment has passed"));
	if (rc == 0)
		rc = may_start(c, c->at);
	if (rc == 0)
		rc = in_campaign(tx, c, c->at);
	if (rc < 0)
		return rc;
	c->row.at = c->at;
	rc = db_exec(tx_db(tx),
		"UPDATE part SET at=?, state=?, why=NULL WHERE release_id=? AND rev=? AND part=?",
		"iiiii", c->at, (int64_t)PART_WAITING, c->row.release_id, c->row.rev,
		(int64_t)c->row.part);
	/* What is shown as due counts from the lot's time; those that open get it anew. */
	return rc < 0 ? rc
		      : db_exec(tx_db(tx),
				"UPDATE lot SET at=?1 WHERE release_id=?2 AND part=?3 AND gate=0",
				"iii", c->at, c->row.release_id, (int64_t)c->row.part);
}

/* Lots and their rows are stopped by dispatch; here the release and its parts end, and planning with them. */
static int act_end(struct store_tx *tx, struct release_act_cmd *c, int to)
{
	int rc = set_state(tx, c, to);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE part SET state=?, why=? WHERE release_id=? AND rev=? AND state IN (0,1,3)",
			"itii", (int64_t)PART_CANCELLED,
			to == REL_CANCELLED ? "cancelled" : "recalled", c->release.id,
			c->release.rev_approved ? c->release.rev_approved : c->release.rev_newest);
	if (rc == 0)
		rc = db_exec(tx_db(tx), "DELETE FROM job WHERE kind=1 AND subject=?", "i",
			c->release.id);
	return rc;
}

static int act(struct store_tx *tx, struct release_act_cmd *c)
{
	int bound = office_bounds(tx_db(tx), c->office);
	if (bound < 0)
		return bound;
	if (bound)
		return refuse(c,
			err_set(&c->why_refused, -EPERM,
				"%s belongs to %s and cannot change a whole release", c->person,
				c->office));
	switch (c->act) {
	case ACT_RETURN: return act_return(tx, c);
	case ACT_GO: return act_go(tx, c);
	case ACT_MOVE: return act_move(tx, c);
	case ACT_CANCEL_RELEASE: return act_end(tx, c, REL_CANCELLED);
	case ACT_RECALLED: return act_end(tx, c, REL_RECALLED);
	}
	return -EINVAL;
}

static int act_run(struct store_tx *tx, struct store_cmd *cmd)
{
	static const char *const what[] = { [ACT_RETURN] = "release.return",
		[ACT_GO] = "release.go",
		[ACT_MOVE] = "release.move",
		[ACT_CANCEL_RELEASE] = "release.cancel",
		[ACT_RECALLED] = "release.recall" };
	struct release_act_cmd *c = CONTAINER_OF(cmd, struct release_act_cmd, cmd);
	char subject[220], name[48], was[40], now[80];
	int rc = release_find(tx_db(tx), str_of(c->ref), &c->release, &cmd->err);
	if (rc < 0)
		return rc;
	str_copy(was, sizeof(was), str_of(rel_state_name(c->release.state)));
	rc = act(tx, c);
	if (rc < 0 && c->refused == 0)
		return rc;
	snprintf(name, sizeof(name), "%s%s", what[c->act], c->refused ? ".refused" : "");
	snprintf(now, sizeof(now), "%s", rel_state_name(c->release.state));
	if (c->act == ACT_MOVE)
		snprintf(now, sizeof(now), "at %lld", (long long)c->at);
	release_subject(&c->release, subject, sizeof(subject));
	if (c->part)
		snprintf(subject + strlen(subject), sizeof(subject) - strlen(subject), " part:%s",
			c->part);
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = name,
			.subject = subject,
			.was = was,
			.now = c->refused ? NULL : now,
			.why = c->refused ? c->why_refused.text : c->why });
}

void release_act_prepare(struct release_act_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = act_run;
}

static int note_run(struct store_tx *tx, struct store_cmd *cmd)
{
	const struct release_note_cmd *c = CONTAINER_OF(cmd, struct release_note_cmd, cmd);
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = c->what,
			.subject = c->subject,
			.why = c->why });
}

void release_note_prepare(struct release_note_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = note_run;
}
