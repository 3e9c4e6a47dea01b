/* import_route.c - targets after a reload: who has another route now gets another lane. Thread: loop; pages on a worker.
 * Owns: one page at a time; pairs of lanes, at most MOVES_MAX. What waits already follows by dispatch_reroute; pairs with which an
 * earlier run did not come to an end are told with the new ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "plan/import_internal.h"

#define PAGE      1000
#define MOVES_MAX 4096

struct reroute {
	struct import_opts o;
	struct conf *conf;
	struct channels *cs;
	plan_done_fn *done;
	void *ctx;
	struct work work;
	int rc;
	struct err err;
	int64_t after, changed;
	size_t n_rows, n_set, n_moves;
	struct lane_move *moves; /* owned */
	struct lane_move *old;   /* owned, MOVES_MAX: of an earlier run; NULL once they are taken */
	size_t n_old;
	struct maps *chains; /* office id -> struct chain */
	struct reroute_row rows[PAGE];
	struct reroute_set set[PAGE];
	struct reroute_cmd cmd;
};
struct chain {
	char code[OFFICE_DEPTH_MAX + 1][64];
	size_t n;
};

static const struct chain *chain_of(struct reroute *r, struct db *db, int64_t office_id)
{
	struct str key = { (const char *)&office_id, sizeof(office_id) };
	struct chain *c = maps_get(r->chains, key);
	if (c)
		return c;
	c = x_calloc(1, sizeof(*c));
	int n = office_chain_by_id(db, office_id, c->code, ARRAY_LEN(c->code));
	c->n = n > 0 ? (size_t)n : 0;
	maps_put(r->chains, key, c);
	return c;
}

static int address_of(struct reroute *r, const char *channel, struct str in, struct addr_out *a)
{
	struct err e;
	if (r->o.address)
		return r->o.address(r->o.address_ctx, r->cs, channel, in, a, &e);
	struct channel *c = r->cs ? channels_find(r->cs, channel) : NULL;
	return c ? channel_address(c, in, a, &e) : -ENOENT;
}

static bool page_fits(const struct conf_channel *ch, const struct conf_route *route,
	const struct reroute_row *row)
{
	const struct conf_account *a = conf_account_find(ch, route->account);
	bool page = row->kind == KIND_FACEBOOK || !strncmp(row->address, "oa:", 3);
	return !page || !a || !a->identity || !strcmp(a->identity, row->address);
}

/* What a target's lane should be; nothing when it is that already. */
static void look_at(struct reroute *r, struct db *db, const struct reroute_row *row)
{
	const char *codes[OFFICE_DEPTH_MAX + 1];
	const struct chain *c = chain_of(r, db, row->office_id);
	struct addr_out a = { .class = "" };
	for (size_t i = 0; i < c->n; i++)
		codes[i] = c->code[i];
	const struct conf_route *route = conf_route_find(
		r->conf, (enum chan_kind)row->kind, codes, c->n);
	const struct conf_channel *ch = route ? conf_channel_find(r->conf, route->channel) : NULL;
	struct reroute_set *s = &r->set[r->n_set];
	*s = (struct reroute_set){ .target_id = row->target_id,
		.contact_id = row->contact_id,
		.from_lane = row->lane_id };
	bool some = ch && page_fits(ch, route, row);
	if (some && row->lane_id && !strcmp(row->channel, route->channel) &&
		!strcmp(row->account, route->account))
		return;
	if (!some && !row->lane_id)
		return;
	if (some && address_of(r, route->channel, str_of(row->address), &a) < 0) {
		if (!row->lane_id)
			return; /* the new channel cannot read this address: it goes on waiting */
		some = false;
	}
	s->none = !some;
	if (some) {
		(void)str_copy(s->channel, sizeof(s->channel), str_of(route->channel));
		(void)str_copy(s->adapter, sizeof(s->adapter), str_of(ch->adapter));
		(void)str_copy(s->account, sizeof(s->account), str_of(route->account));
		(void)str_copy(s->class, sizeof(s->class), str_of(a.class));
		(void)str_copy(s->form, sizeof(s->form), str_of(a.form));
		s->kind = row->kind;
		if (!row->lane_id && strcmp(a.canonical, row->address) != 0) {
			(void)str_copy(s->was, sizeof(s->was), str_of(row->address));
			(void)str_copy(s->address, sizeof(s->address), str_of(a.canonical));
		}
	}
	r->n_set++;
}

static void page_run(struct work *w)
{
	struct reroute *r = CONTAINER_OF(w, struct reroute, work);
	struct store_reader *reader;
	r->n_set = r->n_rows = 0;
	r->rc = store_reader_open(r->o.store, &reader);
	if (r->rc < 0)
		return;
	struct db *db = reader_db(reader);
	if (r->old)
		r->rc = lane_moves_get(db, r->old, MOVES_MAX, &r->n_old);
	if (r->rc == 0)
		r->rc = reroute_page(db, r->after, r->rows, PAGE, &r->n_rows);
	for (size_t i = 0; r->rc == 0 && i < r->n_rows; i++)
		if (!(r->rows[i].flags & TARGET_GONE))
			look_at(r, db, &r->rows[i]);
	store_reader_close(reader);
	if (r->n_rows)
		r->after = r->rows[r->n_rows - 1].target_id;
}

static void move_note(struct reroute *r, int64_t from, int64_t to)
{
	if (!from || !to || from == to)
		return;
	for (size_t i = 0; i < r->n_moves; i++)
		if (r->moves[i].from == from && r->moves[i].to == to)
			return;
	if (r->n_moves == MOVES_MAX) {
		log_line(LOG_WARN, "ev=route.moves_full what waits on lane %lld stays there",
			(long long)from);
		return;
	}
	r->moves = x_realloc(r->moves, r->n_moves + 1, sizeof(*r->moves));
	r->moves[r->n_moves++] = (struct lane_move){ from, to };
}

static void reroute_end(struct reroute *r)
{
	if (r->n_moves && r->o.moved)
		r->o.moved(r->o.moved_ctx, r->moves, r->n_moves);
	cJSON *j = json_obj();
	size_t at = 0;
	struct str key;
	void *value;
	json_put_i64(j, "changed", r->changed);
	if (r->rc < 0 && !r->err.text[0])
		(void)err_set(&r->err, r->rc, "routes could not be looked up again");
	if (r->done)
		r->done(r->ctx, r->rc, &r->err, j);
	else
		cJSON_Delete(j);
	while (maps_next(r->chains, &at, &key, &value))
		free(value);
	maps_free(r->chains);
	conf_unref(r->conf);
	free(r->moves);
	free(r->old);
	free(r);
}

static void page_next(struct reroute *r);

static void on_set(struct store_cmd *cmd)
{
	struct reroute *r = CONTAINER_OF(cmd, struct reroute, cmd.cmd);
	r->rc = cmd->rc;
	r->err = cmd->err;
	r->changed += r->cmd.ret_changed;
	for (size_t i = 0; i < r->n_set && r->rc == 0; i++)
		move_note(r, r->set[i].from_lane, r->set[i].ret_lane);
	if (r->rc < 0 || r->n_rows < PAGE)
		reroute_end(r);
	else
		page_next(r);
}

static void page_done(struct work *w)
{
	struct reroute *r = CONTAINER_OF(w, struct reroute, work);
	for (size_t i = 0; i < r->n_old && r->rc == 0; i++)
		move_note(r, r->old[i].from, r->old[i].to);
	r->n_old = 0;
	free(MOVE(r->old));
	if (r->rc < 0 || (r->n_set == 0 && r->n_rows < PAGE)) {
		reroute_end(r);
		return;
	}
	if (r->n_set == 0) {
		page_next(r);
		return;
	}
	r->cmd = (struct reroute_cmd){ .v = r->set, .n = r->n_set };
	reroute_prepare(&r->cmd);
	r->cmd.cmd.done = on_set;
	int rc = store_submit(r->o.store, &r->cmd.cmd);
	if (rc < 0) {
		r->rc = rc;
		reroute_end(r);
	}
}

static void page_next(struct reroute *r)
{
	if (r->o.stopping && *r->o.stopping) { /* what is left is found again at the next reload */
		r->rc = -ECANCELED;
		reroute_end(r);
		return;
	}
	r->cs = r->o.channels ? *r->o.channels : NULL;
	r->work = (struct work){ .fn = page_run, .done = page_done };
	env_work(r->o.env, &r->work);
}

void import_reroute(const struct import_opts *o, plan_done_fn *done, void *ctx)
{
	struct reroute *r = x_calloc(1, sizeof(*r));
	r->o = *o;
	r->conf = conf_ref((struct conf *)(uintptr_t)o->conf);
	r->done = done;
	r->ctx = ctx;
	r->chains = maps_new();
	r->old = x_calloc(MOVES_MAX, sizeof(*r->old));
	page_next(r);
}
