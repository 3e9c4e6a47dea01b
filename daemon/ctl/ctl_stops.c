/* ctl_stops.c - holds of people in force, as queue and show name them. Thread: worker, with a reader. */
#include "ctl/ctl_queue.h"
#include "ctl/ctl_release.h"
#include "store/store_access.h"

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

/* The office in "release:R office:CODE", as a stop's scope is written. */
static struct str office_in(struct str what)
{
	struct str rest = what, one;
	while (str_next(&rest, ' ', &one))
		if (str_starts(one, "office:"))
			return (struct str){ one.p + 7, one.n - 7 };
	return (struct str){ 0 };
}

bool ctl_stop_seen(struct ctl_call *c, const struct q_stop *s)
{
	char code[80];
	struct str office = office_in(s->what);
	if (!c->who.office || !s->office || !str_copy(code, sizeof(code), office))
		return !c->who.office || !s->office;
	return ctl_may_see(c, code) ||
		store_office_within(reader_db(c->reader), c->who.office, code);
}

struct stops {
	struct ctl_call *c;
	cJSON *list;
};

static int on_stop(void *ctx, const struct q_stop *s)
{
	struct stops *x = ctx;
	if (ctl_stop_seen(x->c, s))
		ctl_stop_put(x->list, s);
	return 0;
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
	struct stops x = { c, json_arr() };
	char *kinds = kinds_of(c->conf);
	int rc = kinds ? 0 : -ENOMEM;
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
	struct stops x = { c, list };
	char *kinds = kinds_of(c->conf);
	int rc = kinds ? 0 : -ENOMEM;
	if (rc == 0)
		rc = q_scope_stops(c->reader, &scope, kinds, env_wall(c->deps->env), on_stop, &x);
	cJSON_free(kinds);
	return rc;
}
