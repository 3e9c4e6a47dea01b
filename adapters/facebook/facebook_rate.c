/* facebook_rate.c - the usage headers: how full each limit is, told to the host by scope, and the page's own pause.
 * X-App-Usage is the app's: all pages. X-Page-Usage and X-Business-Use-Case-Usage are the page's; the latter repeats keys and
 * names minutes until access comes back. A throttle without a header doubles its pause from regain_ms up to four hours.
 * Thread: loop. Owns: nothing; the pause is in struct fb_inst. Failures: a header that cannot be read counts as absent. */
#include <stddef.h>
#include "facebook.h"

#define REGAIN_MAX_MS (INT64_C(4) * 3600 * 1000)
#define DAY_MS        (INT64_C(24) * 3600 * 1000)

static int64_t worst_of(const struct ltc_json *o)
{
	static const char *const keys[] = { "call_count", "total_time", "total_cputime" };
	int64_t worst = 0;

	for (size_t i = 0; i < 3; i++) {
		int64_t v = ltc_json_int(o, keys[i], 0);
		worst = v > worst ? v : worst;
	}
	return worst;
}

static struct lt_str header(const struct lt_http_res *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (ltc_ieqz(r->headers[i].name, name))
			return r->headers[i].value;
	return (struct lt_str){ NULL, 0 };
}

static void pause_page(struct lt_inst *inst, int64_t ms)
{
	struct fb_inst *fi = inst->priv;
	int64_t until = inst->host->mono_ms(inst->host->ctx) + ms;

	if (until > fi->limited_until)
		fi->limited_until = until;
}

/* Our own pause is this page's; what another page heard of the app stands with the host. */
bool fb_limited(struct lt_inst *inst, struct lt_job *job, int64_t *ret_ms)
{
	const struct fb_inst *fi = inst->priv;
	const struct lt_host *h = inst->host;
	int64_t mine = fi->limited_until - h->mono_ms(h->ctx), told = 0;

	if (h->struct_size >= offsetof(struct lt_host, limited_ms) + sizeof(h->limited_ms))
		told = h->limited_ms(h->ctx, job);
	*ret_ms = mine > told ? mine : told;
	return *ret_ms > 0;
}

/* Tells one counter. The work under way goes on: only what comes next is slowed down. */
static void tell(
	struct lt_inst *inst, struct lt_job *job, int32_t scope, int64_t percent, int64_t regain_ms)
{
	const struct fb_conf *c = &((const struct fb_inst *)inst->priv)->conf;
	struct lt_rate rate = { .struct_size = sizeof(rate),
		.scope = (uint32_t)scope,
		.used_percent = (int32_t)(percent > 1000 ? 1000 : percent) };

	if (percent <= 0 && regain_ms <= 0)
		return;
	if (regain_ms > 0)
		rate.retry_after_ms = regain_ms;
	else if (percent >= c->pause_percent)
		rate.retry_after_ms = c->regain_ms;
	else if (percent >= c->slow_percent)
		rate.retry_after_ms = c->slow_ms;
	if (percent >= c->slow_percent)
		rate.congestion = 1;
	inst->host->rate(inst->host->ctx, job, &rate);
}

static int64_t business(struct lt_inst *inst, struct lt_job *job, const struct ltc_json *o)
{
	int64_t regain = 0, percent = 0;

	for (const struct ltc_json *k = ltc_json_first(o); k != NULL; k = ltc_json_next(k))
		for (const struct ltc_json *e = ltc_json_first(k); e != NULL;
			e = ltc_json_next(e)) {
			int64_t minutes = ltc_json_int(e, "estimated_time_to_regain_access", 0);
			int64_t worst = worst_of(e);
			if (!ltc_eqz(ltc_json_str(e, "type"), "pages") &&
				ltc_json_str(e, "type").n != 0)
				continue;
			regain = minutes > regain ? minutes : regain;
			percent = worst > percent ? worst : percent;
		}
	regain = regain > 7 * 24 * 60 ? 7 * 24 * 60 : regain;
	tell(inst, job, LT_SCOPE_ACCOUNT, percent, regain * 60000);
	if (regain > 0)
		pause_page(inst, regain * 60000);
	return regain * 60000;
}

int64_t fb_rate_read(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r)
{
	static const struct {
		const char *name;
		int32_t scope;
	} simple[] = { { "x-app-usage", LT_SCOPE_CHANNEL }, { "x-page-usage", LT_SCOPE_ACCOUNT } };
	int64_t regain = 0;

	for (size_t i = 0; i < 2; i++) {
		struct ltc_json *o = ltc_json_parse(
			header(r, simple[i].name), LTC_JSON_ANSWER, NULL);
		if (o != NULL)
			tell(inst, job, simple[i].scope, worst_of(o), 0);
		ltc_json_free(o);
	}
	struct ltc_json *o = ltc_json_parse(
		header(r, "x-business-use-case-usage"), LTC_JSON_ANSWER, NULL);
	if (o != NULL)
		regain = business(inst, job, o);
	ltc_json_free(o);
	return regain;
}

int64_t fb_rate_limited(struct lt_inst *inst, struct lt_job *job, int64_t told_ms, int32_t scope)
{
	struct fb_inst *fi = inst->priv;
	int64_t ms = told_ms;
	struct lt_rate rate = {
		.struct_size = sizeof(rate), .scope = (uint32_t)scope, .congestion = LT_RATE_REFUSED
	};

	if (ms <= 0) {
		ms = fi->conf.regain_ms;
		for (uint32_t i = 0; i < fi->limited_n && ms < REGAIN_MAX_MS; i++)
			ms *= 2;
		fi->limited_n += fi->limited_n < 16;
		ms = ms > REGAIN_MAX_MS ? REGAIN_MAX_MS : ms;
	}
	ms = ms > 7 * DAY_MS ? 7 * DAY_MS : ms;
	pause_page(inst, ms);
	rate.retry_after_ms = ms;
	inst->host->rate(inst->host->ctx, job, &rate);
	return ms;
}
