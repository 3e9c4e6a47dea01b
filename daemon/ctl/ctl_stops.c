/* ctl_stops.c - holds of people in force, as queue and show name them. Thread: worker, with a reader. */
#include "ctl/ctl_queue.h"
#include "ctl/ctl_release.h"

static void put_ms(cJSON *o, const char *key, int64_t ms)
{
	if (ms)
		json_put_i64(o, key, ms);
	else
		json_put_z(o, key, NULL);
}

void ctl_stop_put(cJSON *list, const struct q_stop *s)
{
	cJSON *o = json_obj();
	json_put_str(o, "what", s->what);
	json_put_str(o, "person", s->person);
	json_put_str(o, "why", s->why);
	put_ms(o, "since_at", s->at);
	put_ms(o, "until_at", s->until);
	json_put_z(o, "except", s->spares_urgent ? "urgent" : NULL);
	json_add(list, o);
}

struct stops {
	cJSON *list;
	int64_t under;
};

static int on_stop(void *ctx, const struct q_stop *s)
{
	struct stops *x = ctx;
	if (!x->under || !s->office || s->office == x->under)
		ctl_stop_put(x->list, s);
	return 0;
}

/* The caller's own office and what is stopped for all; a hold of another office is not told. */
static int stops_begin(struct ctl_call *c, struct stops *x)
{
	int rc = c->who.office ? q_office_id(c->reader, c->who.office, &x->under) : 0;
	return rc < 0 ? rc : 0;
}

static char *kinds_of(const struct conf *conf)
{
	cJSON *all = json_arr();
	for (size_t i = 0; i < conf->n_channels; i++) {
		cJSON *one = json_arr();
		json_add_str(one, str_of(conf->channels[i]->name));
		json_add(one, cJSON_CreateNumber((double)conf->channels[i]->kind));
		json_add(all, one);
	}
	char *text = cJSON_PrintUnformatted(all);
	cJSON_Delete(all);
	return text;
}

int ctl_release_stops(struct ctl_call *c, int64_t release, cJSON *o)
{
	struct stops x = { .list = json_arr() };
	char *kinds = kinds_of(c->conf);
	int rc = kinds ? stops_begin(c, &x) : -ENOMEM;
	if (rc == 0)
		rc = q_release_stops(
			c->reader, release, kinds, env_wall(c->deps->env), on_stop, &x);
	cJSON_free(kinds);
	json_put(o, "stops", x.list);
	return rc < 0 ? rc : 0;
}

int ctl_scope_stops(struct ctl_call *c, const struct stop_scope *s, cJSON *list)
{
	const struct sq_gate scope = { .release = s->release_id,
		.office = s->office_id,
		.campaign = s->campaign_id,
		.lane = s->lane_id,
		.channel = s->channel_id,
		.part = s->part,
		.kind = s->kind,
		.all = s->all,
		.except_prio = -1 };
	struct stops x = { .list = list };
	char *kinds = kinds_of(c->conf);
	int rc = kinds ? stops_begin(c, &x) : -ENOMEM;
	if (rc == 0)
		rc = q_scope_stops(c->reader, &scope, kinds, env_wall(c->deps->env), on_stop, &x);
	cJSON_free(kinds);
	return rc;
}
