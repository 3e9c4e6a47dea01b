/* ctl_office_read.c - offices, targets, audiences, campaigns, deputies as JSON. Thread: worker, inside one snapshot.
 * A person bound to an office sees it and what is below it, nothing else; addresses are masked as the role allows.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"
#include "ctl/ctl_office.h"
#include "store/store_q_queue.h"

#define LIMIT_MAX 1000

struct out {
	struct ctl_call *c;
	cJSON *rows;
	int64_t limit, next, n;
	int64_t skip;     /* rows of earlier pages, of a list that goes by place */
	bool full;        /* of such a list: there is a row after the last one that has room */
	const char *only; /* code of the one that is shown in full */
};

static int64_t limit_of(const struct ctl_call *c)
{
	int64_t n = json_i64(c->params, "limit", LIMIT_MAX);
	return n < 1 ? 1 : n > LIMIT_MAX ? LIMIT_MAX : n;
}

static void put_time(cJSON *o, const char *key, int64_t ms)
{
	if (ms)
		json_put_i64(o, key, ms);
	else
		json_put(o, key, cJSON_CreateNull());
}

static cJSON *paged(struct out *o)
{
	cJSON *r = json_obj();
	bool more = o->n >= o->limit;
	json_put(r, "rows", o->rows);
	json_put_bool(r, "more", more);
	if (more)
		json_put_i64(r, "next", o->next);
	return r;
}

/* Lists of what stands in a file of its own go by place: `after` is how many rows were shown. Without `limit` they come whole. */
static int listed_begin(struct ctl_call *c, struct out *o, struct err *e)
{
	*o = (struct out){ .c = c,
		.limit = json_has(c->params, "limit") ? limit_of(c) : INT64_MAX };
	int rc = ctl_after(c, &o->skip, e);
	o->next = o->skip;
	o->rows = rc == 0 ? json_arr() : NULL;
	return rc;
}

/* True: the row belongs to the page; else the list goes on unless it is full. */
static bool listed_take(struct out *o)
{
	if (o->skip > 0) {
		o->skip--;
		return false;
	}
	o->full = o->n == o->limit;
	if (o->full)
		return false;
	o->n++;
	o->next++;
	return true;
}

static cJSON *listed(struct out *o)
{
	cJSON *r = json_obj();
	json_put(r, "rows", o->rows);
	json_put_bool(r, "more", o->full);
	if (o->full)
		json_put_i64(r, "next", o->next);
	return r;
}

/* --- offices ---------------------------------------------------------------------------------------------------------------------- */

static cJSON *office_json(const struct office_row *r, bool full)
{
	cJSON *o = json_obj(), *vars = NULL;
	struct err e;
	bool good = json_parse(str_of(r->vars), 1u << 20, &vars, &e) == 0;
	json_put_z(o, "code", r->code);
	json_put_z(o, "parent", r->parent);
	json_put_z(o, "name", good ? json_z(vars, "name", "") : "");
	json_put_z(o, "region", r->region);
	json_put_z(o, "lang", r->lang);
	put_time(o, "valid_from", r->valid_from);
	put_time(o, "valid_to", r->valid_to);
	if (*r->replaced_by)
		json_put_z(o, "replaced_by", r->replaced_by);
	json_put_bool(o, "gone", r->gone);
	json_put_i64(o, "targets", r->targets);
	if (full && good)
		json_put(o, "vars", vars);
	else
		cJSON_Delete(vars);
	return o;
}

static bool on_office(void *ctx, const struct office_row *r)
{
	struct out *o = ctx;
	if (ctl_may_see(o->c, r->code) && listed_take(o))
		json_add(o->rows, office_json(r, o->only != NULL));
	return !o->full;
}

int ctl_offices_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct out o;
	const char *code = json_z(c->params, "code", NULL);
	int rc = listed_begin(c, &o, e);
	if (rc < 0)
		return rc;
	rc = office_list(reader_db(c->reader), code, on_office, &o);
	*ret = listed(&o);
	return rc < 0 ? err_set(e, rc, "the offices could not be read") : 0;
}

static bool on_target(void *ctx, const struct target_row *r);

int ctl_office_show(struct ctl_call *c, cJSON **ret, struct err *e)
{
	const char *code = json_z(c->params, "code", NULL);
	if (!code)
		return err_set(e, -EINVAL, "which office? give its code");
	struct out o = { .c = c, .rows = json_arr(), .limit = 2, .only = code };
	int rc = office_list(reader_db(c->reader), code, on_office, &o);
	cJSON *one = cJSON_DetachItemFromArray(o.rows, 0);
	cJSON_Delete(o.rows);
	if (rc < 0 || !one) {
		cJSON_Delete(one);
		return rc < 0
			? err_set(e, rc, "the offices could not be read")
			: err_set(e, -ENOENT,
				  "there is no office '%.64s', or it is not yours to see", code);
	}
	struct out t = { .c = c, .rows = json_arr(), .limit = LIMIT_MAX };
	const struct target_ask ask = { .office = code, .limit = LIMIT_MAX };
	rc = target_list(reader_db(c->reader), &ask, on_target, &t);
	json_put(one, "rows", t.rows);
	json_put_bool(one, "more", t.n >= t.limit);
	put_time(one, "next", t.n >= t.limit ? t.next : 0);
	*ret = one;
	return rc < 0 ? err_set(e, rc, "the targets could not be read") : 0;
}

/* --- targets ---------------------------------------------------------------------------------------------------------------------- */

static void put_names(cJSON *o, const char *key, const char *joined)
{
	cJSON *arr = json_arr();
	struct str rest = str_of(joined), one;
	while (str_next(&rest, ',', &one))
		json_add_str(arr, one);
	json_put(o, key, arr);
}

static cJSON *target_json(const struct ctl_call *c, const struct target_row *r)
{
	char masked[400], lane[200] = "";
	cJSON *o = json_obj();
	ctl_mask(c, r->kind, r->address, masked, sizeof(masked));
	if (*r->channel)
		(void)snprintf(lane, sizeof(lane), "%s/%s%s%s", r->channel, r->account,
			*r->class ? "/" : "", r->class);
	json_put_i64(o, "target", r->id);
	json_put_z(o, "channel", chan_kind_name(r->kind));
	json_put_z(o, "address", masked);
	json_put_z(o, "office", r->office);
	json_put_str(o, "name", r->name.n ? r->name : STR(""));
	json_put_z(o, "lang", r->lang);
	put_names(o, "tags", r->tags);
	put_names(o, "lists", r->lists);
	json_put_z(o, "lane", lane);
	json_put_bool(o, "gone", (r->flags & TARGET_GONE) != 0);
	json_put_bool(o, "internal", (r->flags & TARGET_INTERNAL) != 0);
	return o;
}

static bool on_target(void *ctx, const struct target_row *r)
{
	struct out *o = ctx;
	o->next = r->id;
	o->n++;
	if (ctl_may_see(o->c, r->office))
		json_add(o->rows, target_json(o->c, r));
	return true;
}

int ctl_targets_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	const char *kind = json_z(c->params, "channel", NULL);
	struct out o = { .c = c, .rows = json_arr(), .limit = limit_of(c) };
	struct target_ask ask = { .office = json_z(c->params, "office", NULL),
		.tag = json_z(c->params, "tag", NULL),
		.limit = o.limit };
	int64_t office = 0;
	if (kind && (ask.kind = chan_kind_parse(str_of(kind))) < 0) {
		cJSON_Delete(o.rows);
		return err_set(e, -EINVAL,
			"'%.40s' is no kind of channel; known are email, sms, facebook, zalo",
			kind);
	}
	int rc = ctl_after(c, &ask.after, e);
	if (rc == 0 && ask.office && (rc = q_office_id(c->reader, ask.office, &office)) == 0)
		rc = err_set(e, -ENOENT, "there is no office '%.64s'; `lantoa offices` lists them",
			ask.office);
	if (rc >= 0)
		rc = target_list(reader_db(c->reader), &ask, on_target, &o);
	if (rc < 0 && e->text[0]) {
		cJSON_Delete(o.rows);
		return rc;
	}
	*ret = paged(&o);
	return rc < 0 ? err_set(e, rc, "the targets could not be read") : 0;
}

static bool form_known(const struct forget_one *v, size_t n, int kind, struct str address)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].kind == kind && str_eqz(address, v[i].address))
			return true;
	return false;
}

size_t ctl_address_forms(const struct conf *conf, struct channels *cs, struct str in,
	struct forget_one *ret, size_t max)
{
	size_t n = 0;
	struct buf nfc CLEANUP_BUF;
	struct addr_out a;
	struct err e;
	buf_init(&nfc, 2048);
	in = str_trim(in);
	if (in.n == 0 || in.n > 320 || utf8_nfc(&nfc, in) < 0 || nfc.n > 320)
		return 0;
	for (int k = 1; k <= KIND_MAX && n < max; k++)
		if (chan_kind_name(k)) {
			ret[n].kind = k;
			(void)str_copy(ret[n++].address, sizeof(ret->address), buf_str(&nfc));
		}
	for (size_t i = 0; i < conf->n_channels && n < max && cs; i++) {
		struct channel *ch = channels_find(cs, conf->channels[i]->name);
		if (!ch || channel_address(ch, buf_str(&nfc), &a, &e) < 0 ||
			form_known(ret, n, (int)conf->channels[i]->kind, str_of(a.canonical)))
			continue;
		ret[n].kind = (int)conf->channels[i]->kind;
		(void)str_copy(ret[n++].address, sizeof(ret->address), str_of(a.canonical));
	}
	return n;
}

#define FORM_MIN 6 /* bytes; a shorter one, such as a number of a test, stands in many a sentence */

int ctl_reason_check(const char *why, const struct forget_one *v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(v[i].address) >= FORM_MIN && strcasestr(why, v[i].address))
			return err_set(e, -EINVAL,
				"the reason names the address, and the audit keeps reasons for ever: say it without");
	return 0;
}

struct show {
	struct ctl_call *c;
	cJSON *targets, *suppression;
	bool seen;
};

static bool on_show_target(void *ctx, const struct target_row *r)
{
	struct show *s = ctx;
	if (!ctl_may_see(s->c, r->office))
		return true;
	s->seen = true;
	json_add(s->targets, target_json(s->c, r));
	return true;
}

static bool on_suppression(void *ctx, const struct suppression_row *r)
{
	struct show *s = ctx;
	cJSON *o = json_obj();
	json_put_z(o, "list", *r->list ? r->list : "(all)");
	json_put_z(o, "reason", suppress_reason_name(r->reason));
	json_put_i64(o, "since_at", r->since);
	json_add(s->suppression, o);
	return true;
}

static int show_one(
	struct show *s, const struct forget_one *f, cJSON *contacts, int64_t *deliveries)
{
	struct db *db = reader_db(s->c->reader);
	int64_t id = 0, n = 0;
	struct hash who;
	char hex[HASH_HEX], masked[400];
	store_who(s->c->deps->store, f->kind, str_of(f->address), &who);
	int rc = suppression_list(db, &who, on_suppression, s);
	if (rc == 0)
		rc = contact_find(db, f->kind, str_of(f->address), &id);
	if (rc != 1)
		return rc;
	const struct target_ask ask = { .contact_id = id };
	s->seen = !s->c->who.office;
	rc = target_list(db, &ask, on_show_target, s);
	if (rc == 0 && s->seen)
		rc = contact_deliveries(db, id, f->kind, &n);
	if (rc < 0 || !s->seen)
		return rc;
	*deliveries += n;
	cJSON *o = json_obj();
	ctl_mask(s->c, f->kind, str_of(f->address), masked, sizeof(masked));
	hash_hex(&who, hex);
	json_put_z(o, "channel", chan_kind_name(f->kind));
	json_put_z(o, "address", masked);
	json_put_z(o, "who", hex);
	json_add(contacts, o);
	return 0;
}

int ctl_targets_show(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct forget_one v[FORGET_MAX];
	struct show s = { .c = c, .targets = json_arr(), .suppression = json_arr() };
	cJSON *contacts = json_arr();
	int64_t deliveries = 0;
	int rc = 0;
	size_t n = ctl_address_forms(
		c->conf, *c->deps->channels, json_str(c->params, "address"), v, ARRAY_LEN(v));
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = show_one(&s, &v[i], contacts, &deliveries);
	bool none = !contacts->child && (c->who.office || !s.suppression->child);
	*ret = json_obj();
	json_put(*ret, "contacts", contacts);
	json_put(*ret, "targets", s.targets);
	json_put(*ret, "suppression", s.suppression);
	json_put_i64(*ret, "deliveries", deliveries);
	if (rc == 0 && !none)
		return 0;
	cJSON_Delete(MOVE(*ret)); /* what is not the caller's is told beside an error neither */
	return rc < 0 ? err_set(e, rc, "the address could not be looked up")
		      : err_set(e, -ENOENT, "this address is not known");
}

/* --- the rest ------------------------------------------------------------------------------------------------------------------------ */

static bool on_rule(void *ctx, const struct rule_in *r)
{
	struct out *o = ctx;
	cJSON *row = json_obj();
	json_put_z(row, "name", r->name);
	json_put_z(row, "title", r->title);
	json_put_z(row, "rule", r->rule);
	json_add(o->rows, row);
	return true;
}

static bool on_listed_rule(void *ctx, const struct rule_in *r)
{
	struct out *o = ctx;
	if (listed_take(o))
		on_rule(o, r);
	return !o->full;
}

int ctl_audiences_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct out o;
	int rc = listed_begin(c, &o, e);
	if (rc < 0)
		return rc;
	rc = audience_list(reader_db(c->reader), on_listed_rule, &o);
	*ret = listed(&o);
	return rc < 0 ? err_set(e, rc, "the audiences could not be read") : 0;
}

static bool on_count(void *ctx, const struct audience_count *r)
{
	struct out *o = ctx;
	cJSON *row = json_obj();
	json_put_z(row, "channel", chan_kind_name(r->kind));
	json_put_z(row, "region", r->region);
	json_put_i64(row, "n", r->n);
	json_add(o->rows, row);
	return true;
}

static bool on_find_rule(void *ctx, const struct rule_in *r)
{
	struct out *o = ctx;
	if (strcmp(r->name, o->only) != 0)
		return true;
	o->n++;
	on_rule(o, r);
	return false;
}

int ctl_audience_show(struct ctl_call *c, cJSON **ret, struct err *e)
{
	const char *name = json_z(c->params, "name", NULL);
	struct db *db = reader_db(c->reader);
	if (!name)
		return err_set(e, -EINVAL, "which audience? give its name");
	struct out rule = { .c = c, .rows = json_arr(), .only = name },
		   counts = { .c = c, .rows = json_arr() },
		   targets = { .c = c, .rows = json_arr(), .limit = limit_of(c) };
	int64_t after = 0, now = env_wall(c->deps->env);
	int rc = ctl_after(c, &after, e);
	if (rc == 0)
		rc = audience_counts(db, name, now, on_count, &counts, e);
	if (rc == 0)
		rc = audience_targets(db, name, now, after, targets.limit, on_target, &targets, e);
	if (rc == 0)
		rc = audience_list(db, on_find_rule, &rule);
	cJSON *r = paged(&targets), *one = cJSON_DetachItemFromArray(rule.rows, 0), *j = NULL;
	struct err ignored_err;
	json_put(r, "counts", counts.rows);
	json_put_z(r, "name", name);
	json_put_z(r, "title", json_z(one, "title", ""));
	if (one && json_parse(json_str(one, "rule"), 1u << 20, &j, &ignored_err) == 0)
		json_put(r, "rule", j);
	cJSON_Delete(one);
	cJSON_Delete(rule.rows);
	*ret = r;
	return rc;
}

static bool on_campaign(void *ctx, const struct campaign_in *r)
{
	struct out *o = ctx;
	if (!listed_take(o))
		return !o->full;
	cJSON *row = json_obj();
	json_put_z(row, "name", r->name);
	json_put_z(row, "title", r->title);
	json_put_i64(row, "from", r->first);
	json_put_i64(row, "to", r->last);
	json_put_z(row, "priority", prio_name(r->prio));
	json_add(o->rows, row);
	return true;
}

int ctl_campaigns_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct out o;
	int rc = listed_begin(c, &o, e);
	if (rc < 0)
		return rc;
	rc = campaign_list(reader_db(c->reader), on_campaign, &o);
	*ret = listed(&o);
	return rc < 0 ? err_set(e, rc, "the campaigns could not be read") : 0;
}

static bool on_deputy(void *ctx, const struct deputy_row *r)
{
	struct out *o = ctx;
	if (!listed_take(o))
		return !o->full;
	cJSON *row = json_obj();
	json_put_z(row, "person", r->person);
	json_put_z(row, "deputy", r->deputy);
	json_put_i64(row, "from", r->first);
	json_put_i64(row, "to", r->last);
	json_add(o->rows, row);
	return true;
}

int ctl_deputy_list(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct out o;
	int rc = listed_begin(c, &o, e);
	if (rc < 0)
		return rc;
	rc = deputy_list(reader_db(c->reader), on_deputy, &o);
	*ret = listed(&o);
	return rc < 0 ? err_set(e, rc, "the deputies could not be read") : 0;
}
