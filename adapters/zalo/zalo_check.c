/* zalo_check.c - the look at one OA: profile, package, followers, groups, quota of messages and templates. Nothing is sent to anyone.
 * Thread: loop. Owns: nothing. Failures: the first call decides; what a later one cannot tell is left out. */
#include <stdio.h>
#include <string.h>
#include "zalo_other.h"

enum { CHECK_OA = 0, CHECK_QUOTA, CHECK_GROUPS, CHECK_ZNS, CHECK_OVER };

static const struct lt_host *host(const struct lt_inst *inst)
{
	return inst->host;
}

static const struct zalo_conf *conf_of(const struct lt_inst *inst)
{
	return &((const struct zalo_inst *)inst->priv)->conf;
}

static void end(struct lt_inst *inst, struct lt_job *job, int32_t outcome, uint32_t flags,
	const char *code, const char *text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = LT_SCOPE_ACCOUNT,
		.flags = flags,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	(void)host(inst)->finish(host(inst)->ctx, job, &r);
}

static void step(struct lt_inst *inst, struct lt_job *job)
{
	struct zalo_check_job *k = job->priv;
	struct zalo_call c = { .method = "GET", .path = "/v2.0/oa/getoa", .token = ++k->serial };
	struct lt_str ignored;

	if (k->step == CHECK_QUOTA) {
		c.method = "POST";
		c.path = "/v3.0/oa/quota/message";
		c.json = LTC_LIT(
			"{\"quota_owner\":\"OA\",\"product_type\":\"cs\",\"quota_type\":\"sub_quota\"}");
	} else if (k->step == CHECK_GROUPS) {
		zalo_groups_call(&c);
	} else if (k->step == CHECK_ZNS) {
		c.path = "/message/quota";
		c.zns = true;
	}
	if (host(inst)->secret_get(
		    host(inst)->ctx, job, LTC_LIT("access_token"), &ignored, &k->version) < 0) {
		k->version = 0;
		if (k->refreshed ||
			host(inst)->refresh(host(inst)->ctx, job, (struct lt_str){ 0 }, 0) < 0)
			end(inst, job, LT_REFUSED, LT_R_PERSON, "no-token",
				"no access token: log in with lantoa channel login");
		k->refreshed = true;
		return;
	}
	if (zalo_call(inst, job, &c) < 0)
		end(inst, job, LT_DEFERRED, 0, "host", "the host did not take the call");
}

static void next(struct lt_inst *inst, struct lt_job *job)
{
	struct zalo_check_job *k = job->priv;

	k->step++;
	if (k->step == CHECK_ZNS && conf_of(inst)->zns_template.n == 0)
		k->step++;
	if (k->step == CHECK_OVER)
		end(inst, job, LT_ACCEPTED, 0, "0", k->text);
	else
		step(inst, job);
}

static void fact(struct lt_inst *inst, struct lt_job *job, const char *name, int64_t value)
{
	host(inst)->stat(host(inst)->ctx, job, 0, ltc_z(name), value);
}

/* "31/10/2026" in their zone: wall time of its end. */
static int64_t date_ms(struct lt_str s)
{
	struct lt_str d, m;
	int64_t day = 0, month = 0, year = 0;

	if (!ltc_next(&s, '/', &d) || !ltc_next(&s, '/', &m) || ltc_i64(d, 1, 31, &day) < 0 ||
		ltc_i64(m, 1, 12, &month) < 0 || ltc_i64(s, 2000, 9999, &year) < 0)
		return 0;
	/* days since 1970, civil calendar */
	year -= month <= 2;
	int64_t era = year / 400, yoe = year - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
	return days * 86400000 + 86400000 - 7 * 3600000;
}

static void profile(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	struct zalo_check_job *k = job->priv;
	char id[32], name[200], package[80], until[40], verified[8];
	int64_t followers = -1;
	struct lt_str oa = ltc_json_copy(ltc_json_get(a->data, "oaid"), id, sizeof(id));

	if (oa.n == 0)
		oa = ltc_json_copy(ltc_json_get(a->data, "oa_id"), id, sizeof(id));
	(void)ltc_json_copy(ltc_json_get(a->data, "name"), name, sizeof(name));
	(void)ltc_json_copy(ltc_json_get(a->data, "package_name"), package, sizeof(package));
	struct lt_str end_date = ltc_json_copy(
		ltc_json_get(a->data, "package_valid_through_date"), until, sizeof(until));
	bool good = ltc_eqz(
		ltc_json_copy(ltc_json_get(a->data, "is_verified"), verified, sizeof(verified)),
		"true");
	if (ltc_json_i64(ltc_json_get(a->data, "num_follower"), &followers))
		fact(inst, job, "followers", followers);
	fact(inst, job, "warn.not_verified", !good);
	if (date_ms(end_date) > 0)
		fact(inst, job, "package_ends_at_ms", date_ms(end_date));
	(void)snprintf(k->text, sizeof(k->text), "OA %s %s%s%s%s%s%s", id, name,
		package[0] != '\0' ? ", package " : "", package, until[0] != '\0' ? " until " : "",
		until, good ? "" : ", NOT VERIFIED");
	struct lt_str want = conf_of(inst)->oa_id;
	if (want.n != 0 && !ltc_eq(want, oa)) {
		char text[300];
		(void)snprintf(text, sizeof(text),
			"the token belongs to OA %s (%.80s), configured is %.*s: log in as the right OA",
			id, name, (int)want.n, want.p);
		end(inst, job, LT_REFUSED, LT_R_PERSON, "other-oa", text);
		return;
	}
	next(inst, job);
}

void zalo_groups_call(struct zalo_call *c)
{
	static const struct lt_pair page[] = { { .name = LTC_LIT("offset"), .value = LTC_LIT("0") },
		{ .name = LTC_LIT("count"), .value = LTC_LIT("50") } };

	c->path = "/v3.0/oa/group/getgroupsofoa";
	c->query = page;
	c->n_query = 2;
}

/* Those that take messages; of more than fifty their own number is told. */
void zalo_groups_facts(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	const struct ltc_json *one = ltc_json_item(ltc_json_get(a->data, "groups"));
	int64_t n = 0, total = 0;

	for (int i = 0; i < 50 && one != NULL; one = ltc_json_next(one), i++) {
		struct lt_str status = ltc_json_str(one, "status");
		n += status.n == 0 || ltc_eqz(status, "enabled");
	}
	if (ltc_json_i64(ltc_json_get(a->data, "total"), &total) && total > 50)
		n = total;
	fact(inst, job, "groups", n);
}

void zalo_quota_facts(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	int64_t n = 0;

	if (ltc_json_i64(ltc_json_get(a->data, "remainingQuota"), &n))
		fact(inst, job, "zns_left", n);
	if (ltc_json_i64(ltc_json_get(a->data, "dailyQuota"), &n))
		fact(inst, job, "zns_quota", n);
}

static void quotas(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	const struct zalo_check_job *k = job->priv;
	const struct ltc_json *one = ltc_json_item(a->data);
	int64_t left = 0, sum = 0, n = 0;

	if (k->step == CHECK_GROUPS)
		zalo_groups_facts(inst, job, a);
	else if (k->step == CHECK_ZNS)
		zalo_quota_facts(inst, job, a);
	for (; n < 100 && one != NULL; one = ltc_json_next(one), n++)
		if (ltc_json_i64(ltc_json_get(one, "remain"), &left))
			sum += left;
	if (n > 0)
		fact(inst, job, "quota_left", sum);
	next(inst, job);
}

static void answered(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r)
{
	struct zalo_check_job *k = job->priv;
	const struct zalo_inst *zi = inst->priv;
	struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };

	zalo_note_answer(inst, job, r);
	zalo_answer_read(r, &a);
	if (a.good && k->step == CHECK_OA) {
		int64_t off = zi->skew_ms < 0 ? -zi->skew_ms : zi->skew_ms;
		if (zi->skew_known && off > 120000)
			fact(inst, job, "warn.clock_off_s", off / 1000);
		profile(inst, job, &a);
		return;
	}
	if (a.good) {
		quotas(inst, job, &a);
		return;
	}
	const struct ltc_outcome_row *row = zalo_classify(
		zi->outcomes, k->step == CHECK_ZNS ? "zns" : "read", &a);
	if (row->outcome == ZALO_O_REFRESH && !k->refreshed) {
		k->refreshed = true;
		if (host(inst)->refresh(host(inst)->ctx, job, (struct lt_str){ 0 }, k->version) < 0)
			end(inst, job, LT_REFUSED, LT_R_PERSON, a.code,
				"the access token is not good");
		return;
	}
	if (k->step != CHECK_OA) {
		next(inst, job);
		return;
	}
	char text[300];
	(void)snprintf(text, sizeof(text), "%.*s: %.150s", (int)row->note.n, row->note.p, a.text);
	end(inst, job, row->flags & LT_R_PERSON ? LT_REFUSED : LT_DEFERRED, row->flags, a.code,
		text);
}

int zalo_check_start(struct lt_inst *inst, struct lt_job *job)
{
	step(inst, job);
	return 0;
}

int zalo_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	const struct zalo_check_job *k = job->priv;

	if (ev->type == LT_EV_HTTP && ev->token == k->serial)
		answered(inst, job, ev->u);
	else if (ev->type == LT_EV_SECRET && ev->error == 0)
		step(inst, job);
	else if (ev->type == LT_EV_SECRET)
		end(inst, job, LT_REFUSED, LT_R_PERSON, "token",
			"the token could not be rotated: log in with lantoa channel login");
	return 0;
}
