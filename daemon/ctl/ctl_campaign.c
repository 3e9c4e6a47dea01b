/* ctl_campaign.c - one campaign and the releases in it. Thread: worker, inside one snapshot. Owns: nothing.
 */
#include <string.h>
#include "base/json.h"
#include "ctl/ctl_office.h"
#include "store/store_q_release.h"
#include "store/store_release.h"

#define ROWS_MAX  1000
#define NAMES_MAX 200

struct look {
	const char *name;
	cJSON *found; /* owned until it is the answer */
	char names[NAMES_MAX][80];
	size_t n;
};

static bool on_campaign(void *ctx, const struct campaign_in *r)
{
	struct look *l = ctx;
	if (l->n < NAMES_MAX)
		(void)str_copy(l->names[l->n++], sizeof(l->names[0]), str_of(r->name));
	if (strcmp(r->name, l->name) != 0)
		return true;
	l->found = json_obj();
	json_put_z(l->found, "name", r->name);
	json_put_z(l->found, "title", r->title);
	json_put_i64(l->found, "from", r->first);
	json_put_i64(l->found, "to", r->last);
	json_put_z(l->found, "priority", prio_name(r->prio));
	return false;
}

static int release_add(struct db *db, int64_t id, cJSON *rows)
{
	struct release_row r;
	char ref[120];
	int64_t submitted = 0;
	int rc = release_get(db, id, &r);
	if (rc == 0)
		rc = q_release_submitted(db, id, &submitted);
	if (rc < 0)
		return rc;
	cJSON *o = json_obj();
	json_put_z(o, "release", release_ref(&r, ref, sizeof(ref)));
	json_put_z(o, "title", r.title);
	json_put_z(o, "state", rel_state_name(r.state));
	json_put_i64(o, "submitted_at", submitted);
	json_add(rows, o);
	return 0;
}

static int releases_put(struct ctl_call *c, const char *name, cJSON *to, struct err *e)
{
	struct db *db = reader_db(c->reader);
	int64_t ids[ROWS_MAX + 1], after = 0, limit = json_i64(c->params, "limit", 50);
	size_t n = 0, max = limit < 1 ? 1 : limit > ROWS_MAX ? ROWS_MAX : (size_t)limit;
	cJSON *rows = json_arr();
	json_put(to, "rows", rows);
	int rc = ctl_after(c, &after, e);
	if (rc < 0)
		return rc;
	rc = campaign_releases(db, name, after, ids, max + 1, &n);
	for (size_t i = 0; i < n && i < max && rc == 0; i++)
		rc = release_add(db, ids[i], rows);
	json_put_bool(to, "more", n > max);
	if (n > max)
		json_put_i64(to, "next", ids[max - 1]);
	return rc < 0 ? err_set(e, rc, "the releases of the campaign could not be read") : 0;
}

static int none_such(const struct look *l, struct err *e)
{
	const char *names[NAMES_MAX];
	for (size_t i = 0; i < l->n; i++)
		names[i] = l->names[i];
	const char *near = str_nearest(str_of(l->name), names, l->n);
	return err_set(e, -ENOENT, "there is no campaign '%.60s'%s%s%s", l->name,
		near ? "; did you mean '" : "; `lantoa campaigns` lists them", near ? near : "",
		near ? "'?" : "");
}

int ctl_campaign_show(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct look l = { .name = json_z(c->params, "name", NULL) };
	if (!l.name)
		return err_set(e, -EINVAL, "which campaign? give its name");
	int rc = campaign_list(reader_db(c->reader), on_campaign, &l);
	if (rc < 0)
		return err_set(e, rc, "the campaigns could not be read");
	if (!l.found)
		return none_such(&l, e);
	rc = releases_put(c, l.name, l.found, e);
	if (rc < 0)
		cJSON_Delete(l.found);
	else
		*ret = l.found;
	return rc;
}
