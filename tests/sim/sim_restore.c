/* sim_restore.c - backups by the daemon's own code, and what a restore from one may lose: rows and words of people younger than it, never
 * what providers have. Until an operator looked what went out since then, or somebody approves anew, nothing of it may leave again; a
 * copy that he lets go a second time is declared away, as with a wrong `absent`. Copies that the daemon forgot stand from SIM_LOST on.
 * Owns: the newest backup (a folder of the run) and what the checks knew when it was made, shared by parent and children.
 * Failures: sim_fail. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "sim_people.h"
#include "sim_provider.h"
#include "store/store_backup.h"
#include "store/store_fence.h"

#define DB_MAX (256u << 20)

struct saved {
	bool there;
	int n_releases, n_approvals;
	int64_t audit_rows, max_id, max_lot;
	struct sim_release release[SIM_RELEASES];
	struct sim_stop stop[SIM_STOPS];
	struct sim_lot lot[ARRAY_LEN(((struct sim *)0)->lot)];
	struct sim_delivery d[SIM_LOST];
};
static struct saved *saved;

void restore_empty(void)
{
	if (!saved) {
		saved = mmap(NULL, sizeof(*saved), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		REQUIRE(saved != MAP_FAILED);
	}
	saved->there = false;
}

static void folder(char *ret, size_t size, const char *name)
{
	(void)snprintf(ret, size, "%s/backup%s", S->dir, name);
}

void restore_backup(void)
{
	struct backup_result res;
	struct err e = { 0 };
	char dir[300];
	folder(dir, sizeof(dir), "");
	int gone = dir_remove_tree(dir);
	REQUIRE(gone == 0 || gone == -ENOENT);
	(void)rmdir(dir);
	bool full = S->disk_full;
	S->disk_full = false; /* it lies on a disk of its own */
	int rc = store_backup(N.ts.s, dir, NULL, &res, &e);
	S->disk_full = full;
	if (rc)
		sim_fail("the backup: %s", e.text);
	saved->there = true;
	saved->n_releases = S->n_releases;
	saved->n_approvals = S->n_approvals;
	saved->audit_rows = S->audit_rows;
	saved->max_id = S->max_id;
	saved->max_lot = S->max_lot;
	memcpy(saved->release, S->release, sizeof(saved->release));
	memcpy(saved->stop, S->stop, sizeof(saved->stop));
	memcpy(saved->lot, S->lot, (size_t)(S->max_lot + 1) * sizeof(S->lot[0]));
	memcpy(saved->d, S->d, (size_t)(S->max_id + 1) * sizeof(S->d[0]));
	S->n_backups++;
	sim_trace("backup: audit %lld, deliveries up to %lld", (long long)S->audit_rows,
		(long long)S->max_id);
}

bool restore_can(void)
{
	return saved->there && S->n_restores < S->p.restores && S->step < S->p.steps / 2 &&
		S->max_id - saved->max_id < SIM_LEAP;
}

/* --- what is forgotten ------------------------------------------------------------------------------------------------------------------- */

/* The provider has it under its old name; a report of it may still come. */
void restore_forget(int64_t id)
{
	int64_t to = SIM_LOST + S->n_forgotten;
	bool room = to < SIM_DELIVERIES;
	if (room) {
		S->d[to] = S->d[id];
		S->d[to].seen = false;
		S->d[to].number = id;
		S->n_forgotten++;
	}
	for (int i = 0; i < SIM_LATER; i++) {
		struct sim_later *l = &S->later[i];
		if (l->used && l->delivery == id && room)
			l->delivery = to;
		else if (l->used && l->delivery == id) {
			l->used = false;
			S->n_later--;
		}
	}
	for (int slot = 0; slot < SIM_SLOTS; slot++)
		if (provider_of(slot)->forgotten)
			provider_of(slot)->forgotten(slot, id, room ? to : 0);
}

/* A row of this backup that went out, was taken out of the plan after an earlier restore, and is there once more. */
static void remember(int64_t id, struct sim_delivery *d)
{
	for (int64_t i = SIM_LOST; i < SIM_LOST + S->n_forgotten; i++) {
		struct sim_delivery *f = &S->d[i];
		if (!f->before || f->number != id || f->contact != d->contact)
			continue;
		d->effects = f->effects;
		d->allowed_more = f->allowed_more;
		d->once = d->once_then = f->once;
		d->ref = f->ref;
		d->nonce = f->nonce;
		*f = (struct sim_delivery){ 0 };
	}
}

bool restore_adopt(struct sim_delivery *d, int64_t contact, unsigned nonce)
{
	for (int64_t i = SIM_LOST; i < SIM_LOST + S->n_forgotten; i++) {
		struct sim_delivery *f = &S->d[i];
		if (f->contact != contact || f->nonce != nonce || !f->effects)
			continue;
		d->effects += f->effects;
		f->effects = 0;
		return true;
	}
	return false;
}

/* What the provider made of it stays; reports that were taken since are to be had no more. */
static void go_back(int64_t id)
{
	struct sim_delivery was = id <= saved->max_id ? saved->d[id] : (struct sim_delivery){ 0 };
	const struct sim_delivery *is = &S->d[id];
	struct sim_delivery d = { 0 };
	bool same = was.seen && is->seen && was.contact == is->contact; /* its lot may be another */
	if (same) {
		d = *is;
		d.said = was.said | (is->said & (SIM_TOLD_DELIVERED | SIM_TOLD_FAILED));
		d.said |= (uint8_t)((is->said & SIM_SAID_DELIVERED ? SIM_TOLD_DELIVERED : 0) |
			(is->said & SIM_SAID_FAILED ? SIM_TOLD_FAILED : 0));
		d.once_then = d.once;
		d.intent_of = was.intent_of;
	} else if (is->effects) {
		restore_forget(id);
	}
	d.seen = d.before = was.seen;
	d.cast = was.cast;
	d.state = was.state;
	d.tries = was.tries;
	d.lot = was.lot;
	d.contact = was.contact;
	if (was.seen && !same)
		remember(id, &d);
	if (was.seen && saved->lot[was.lot].gate == LOT_VOID)
		d.allowed_more = d.effects; /* only another approval lets it go */
	S->d[id] = d;
}

static void stops_go_back(void)
{
	for (int i = 0; i < SIM_STOPS; i++) {
		struct sim_stop *s = &S->stop[i];
		*s = saved->stop[i];
		s->on &= s->answered && (!s->until_ms || s->until_ms > N.te.wall);
		s->asked = false;
	}
}

static void world_goes_back(void)
{
	int64_t last = S->max_id > saved->max_id ? S->max_id : saved->max_id;
	for (int64_t id = 1; id <= last; id++)
		go_back(id);
	for (int64_t i = 0; i <= S->max_lot; i++)
		S->lot[i] = i <= saved->max_lot ? saved->lot[i] : (struct sim_lot){ 0 };
	for (int64_t i = 0; i <= S->max_lot; i++)
		S->lot[i].restored = S->lot[i].release ? S->lot[i].manifest : 0;
	memcpy(S->release, saved->release, sizeof(S->release));
	stops_go_back();
	S->n_releases = saved->n_releases;
	S->n_approvals = saved->n_approvals;
	S->audit_rows = saved->audit_rows;
	S->max_id = saved->max_id;
	S->n_start = 0; /* what left since then is not counted by anybody */
}

/* --- the files --------------------------------------------------------------------------------------------------------------------------- */

static void file_put_back(const char *name)
{
	struct buf b;
	struct err e;
	char from[300], to[300];
	folder(from, sizeof(from), name);
	(void)snprintf(to, sizeof(to), "%s/state%s", S->dir, name);
	buf_init(&b, DB_MAX);
	if (file_read(from, &b, &e))
		sim_fail("%s", e.text);
	sim_vfs_put(to, b.p, b.n);
	buf_done(&b);
}

void restore_put(void)
{
	struct backup_result res;
	struct err e = { 0 };
	char path[300];
	folder(path, sizeof(path), "");
	if (store_backup_verify(path, &res, &e))
		sim_fail("the backup is not whole: %s", e.text);
	file_put_back("/lantoa.db");
	file_put_back("/exchange.db");
	bool other = sim_chance(300); /* into a folder that had no epoch */
	(void)snprintf(path, sizeof(path), "%s/state/epoch", S->dir);
	if (other)
		(void)unlink(path);
	sim_trace("restore: audit %lld>%lld, deliveries %lld>%lld%s", (long long)S->audit_rows,
		(long long)saved->audit_rows, (long long)S->max_id, (long long)saved->max_id,
		other ? ", no epoch" : "");
	world_goes_back();
	saved->there = false; /* once: the gap of numbers is drawn, and is the same here */
	for (int slot = 0; slot < SIM_SLOTS; slot++)
		if (provider_of(slot)->restored)
			provider_of(slot)->restored(slot);
	S->restoring = RESTORE_PUT;
	S->n_restores++;
	S->crashes++;
	S->crash_in_ops = 0;
	S->no_crash = true;
	S->disk_full = false;
	sim_leave(SIM_EXIT_CRASH);
}

/* Behind the first word a crash may come before or after the commit: then the daemon starts or it does not. */
void restore_confirm(const struct store_opts *o)
{
	struct err e = { 0 };
	int64_t held = 0;
	struct store *s = NULL;
	int rc = store_open(o, &s, &e);
	if (rc == 0 && S->restoring == RESTORE_PUT)
		sim_fail("the daemon starts on a restored database that nobody confirmed");
	if (rc == 0)
		store_close(s);
	else if (rc != -EKEYREVOKED)
		sim_fail("a restored database is refused with %d: %s", rc, e.text);
	if (rc != 0) {
		bool first = S->restoring == RESTORE_PUT;
		S->restoring = RESTORE_ASKED;
		S->no_crash = false;
		S->crash_in_ops = first && sim_chance(400) ? 1 + sim_below(12) : 0;
		rc = store_restore_confirm(o, "oanh", "command line", "restore-confirm", &held, &e);
		if (rc)
			sim_fail("restore-confirm: %s", e.text);
		S->crash_in_ops = 0;
		S->no_crash = true;
		sim_trace("restore confirmed, %lld lots held", (long long)held);
	}
	S->restoring = RESTORE_NONE;
}

/* --- what people do about it ------------------------------------------------------------------------------------------------------------- */

static bool lifts(const struct stop_scope *s, const struct sim_lot *l)
{
	if (!l->restored || s->lane_id || s->channel_id || (!s->release_id && !s->office_id))
		return false;
	return (!s->release_id || s->release_id == l->release) &&
		(s->part < 0 || s->part == l->part) &&
		(!s->office_id || check_under(l->office, s->office_id));
}

static void on_cancelled(void *ctx, int rc, const struct err *e, size_t changed, size_t refused)
{
	sim_trace("changed=%zu refused=%zu", changed, refused);
	people_answered(ctx, rc, e);
}

static void take_out(const int64_t *ids, size_t n)
{
	struct act_request r = { .verb = ACT_CANCEL,
		.deliveries = ids,
		.n = n,
		.person = "oanh",
		.via = "uid:1000",
		.why = "it went out since the backup",
		.done = on_cancelled,
		.ctx = people_ask("take out", 0) };
	sim_trace("take out %zu from delivery:%lld on", n, (long long)ids[0]);
	dispatch_act(N.dispatch, &r);
}

bool restore_looked(const struct stop_scope *scope)
{
	static int64_t there[SIM_LOST];
	size_t n = 0;
	bool careless = sim_chance(200);
	for (int64_t id = 1; id <= S->max_id && S->n_restores > 0; id++) {
		struct sim_delivery *d = &S->d[id];
		if (!d->seen || !lifts(scope, &S->lot[d->lot]))
			continue;
		if (d->state == DLV_SENDING) /* of before: settled first */
			return false;
		if (d->state != DLV_WAITING || d->effects <= d->allowed_more)
			continue;
		if (careless)
			d->allowed_more = d->effects;
		else
			there[n++] = id;
		S->n_again++;
	}
	if (n > 0) {
		take_out(there, n);
		return false;
	}
	for (int64_t i = 0; i <= S->max_lot; i++)
		if (lifts(scope, &S->lot[i]))
			S->lot[i].restored = 0;
	return true;
}

void restore_anew(int64_t lot)
{
	for (int64_t id = 1; id <= S->max_id; id++) {
		struct sim_delivery *d = &S->d[id];
		if (d->seen && d->lot == lot && d->effects > d->allowed_more)
			d->allowed_more = d->effects;
	}
}

/* --- names ------------------------------------------------------------------------------------------------------------------------------- */

void restore_ref(int64_t delivery, const char *ref, size_t n)
{
	struct sim_delivery *d = &S->d[delivery];
	uint64_t h = 1469598103934665603u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)ref[i]) * 1099511628211u;
	if (d->ref == h)
		return;
	if (d->ref)
		sim_fail("delivery %lld has another name than before: %.*s", (long long)delivery,
			(int)n, ref);
	for (int64_t i = SIM_LOST; i < SIM_LOST + S->n_forgotten; i++)
		if (S->d[i].ref == h)
			sim_fail(
				"delivery %lld has the name %.*s, under which another copy went out before the restore",
				(long long)delivery, (int)n, ref);
	d->ref = h;
}
