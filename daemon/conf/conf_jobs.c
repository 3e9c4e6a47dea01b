/* conf_jobs.c - what a channel does beside sending: webhook, poll, stats, inbound. Thread: any.
 * Failures: every refusal names file, line, key, value and what would be right.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf_row.h"
#include "base/assert.h"
#include "model/when.h"

#define DAY       WHEN_DAY_MS
#define NETS_MAX  200
#define WORDS_MAX 100
#define ROW(k, r, s, f, lo, hi)                                                        \
	{                                                                              \
		.key = k, .read = r, .at = offsetof(struct s, f), .min = lo, .max = hi \
	}

/* --- addresses of peers ------------------------------------------------------------------------------------------------------- */
static int addr_parse(const char *text, uint8_t ret[16], bool *ret_v4)
{
	uint8_t v4[4];
	if (inet_pton(AF_INET, text, v4) == 1) {
		memset(ret, 0, 10);
		ret[10] = ret[11] = 0xff;
		memcpy(ret + 12, v4, 4);
		*ret_v4 = true;
		return 0;
	}
	*ret_v4 = false;
	return inet_pton(AF_INET6, text, ret) == 1 ? 0 : -EINVAL;
}

static int net_parse(struct str s, struct conf_net *ret)
{
	char text[64];
	struct str addr, rest = s;
	int64_t bits = -1;
	bool v4;
	if (!str_next(&rest, '/', &addr) || !str_copy(text, sizeof(text), addr) ||
		addr_parse(text, ret->addr, &v4))
		return -EINVAL;
	bool given = addr.n < s.n;
	if (given && str_i64(rest, 0, v4 ? 32 : 128, &bits))
		return -EINVAL;
	ret->bits = (uint8_t)(!given ? 128 : v4 ? bits + 96 : bits);
	return 0;
}

static bool net_has(const struct conf_net *n, const uint8_t addr[16])
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	if (memcmp(n->addr, addr, whole) != 0)
		return false;
	uint8_t mask = (uint8_t)(0xff00u >> rest);
	return rest == 0 || (n->addr[whole] & mask) == (addr[whole] & mask);
}

bool conf_nets_have(const struct conf_nets *n, const char *address)
{
	uint8_t addr[16];
	bool v4;
	if (addr_parse(address, addr, &v4))
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (net_has(&n->v[i], addr))
			return true;
	return false;
}

static int row_nets(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_nets *out = dst;
	UNUSED(row);
	if (v->kind != YN_LIST || v->n > NETS_MAX)
		return conf_bad(cx, v,
			"a list of at most %d addresses such as 203.0.113.7 or 10.0.0.0/8 belongs here",
			NETS_MAX);
	free(out->v);
	out->v = x_calloc(v->n + 1, sizeof(*out->v));
	out->n = 0;
	for (size_t i = 0; i < v->n; i++) {
		const struct ynode *c = v->child[i];
		if (c->kind != YN_SCALAR || net_parse(str_of(c->text), &out->v[i]))
			return conf_bad(cx, c,
				"'%.60s' is no address such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32",
				c->kind == YN_SCALAR ? c->text : "");
		out->n++;
	}
	return 0;
}

/* --- webhook ------------------------------------------------------------------------------------------------------------------ */
#define WH(k, r, f, lo, hi) ROW(k, r, conf_webhook, f, lo, hi)
static const struct conf_row webhook_rows[] = {
	WH("secret", conf_row_secret, secret, 0, 0),
	WH("allow", row_nets, allow, 0, 0),
	WH("proxies", row_nets, proxies, 0, 0),
	WH("body_max", conf_row_size, body_max_bytes, 256, 1 << 20),
	WH("timeout", conf_row_duration, timeout_ms, 100, 19000),
	WH("at_once", conf_row_u32, at_once, 1, 64),
};

int conf_row_webhook(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	const struct conf_webhook *w = dst;
	UNUSED(row);
	int rc = conf_read_map(cx, v, webhook_rows, ARRAY_LEN(webhook_rows), dst);
	if (!rc && !w->secret.name)
		rc = conf_bad(cx, v,
			"a webhook needs 'secret: {file: PATH}': the part of its address that nobody can guess");
	return rc;
}

/* --- poll, stats -------------------------------------------------------------------------------------------------------------- */
#define PO(k, r, f, lo, hi) ROW(k, r, conf_poll, f, lo, hi)
static const struct conf_row poll_rows[] = {
	PO("every", conf_row_duration, every_ms, 100, DAY),
	PO("max_age", conf_row_duration, max_age_ms, 1000, 60 * DAY),
	PO("batch", conf_row_u32, batch, 1, 500),
};

int conf_row_poll(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	const struct conf_poll *p = dst;
	UNUSED(row);
	int rc = conf_read_map(cx, v, poll_rows, ARRAY_LEN(poll_rows), dst);
	if (!rc && !p->every_ms)
		rc = conf_bad(cx, v, "a poll needs 'every', such as 60s");
	return rc;
}

static int row_clock(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct str rest, h, m;
	int64_t hh = 0, mm = 0;
	UNUSED(row);
	rest = str_of(v->kind == YN_SCALAR ? v->text : "");
	if (!str_next(&rest, ':', &h) || !str_next(&rest, ':', &m) || rest.n || m.n != 2 ||
		str_i64(h, 0, 23, &hh) || str_i64(m, 0, 59, &mm))
		return conf_bad(cx, v, "a time of the day such as \"05:30\" belongs here");
	*(int32_t *)dst = (int32_t)(hh * 60 + mm);
	return 0;
}

#define ST(k, r, f, lo, hi) ROW(k, r, conf_stats, f, lo, hi)
static const struct conf_row stats_rows[] = {
	ST("every", conf_row_duration, every_ms, 100, 30 * DAY),
	ST("at", row_clock, at_min, 0, 0),
	ST("for", conf_row_duration, for_ms, 1000, 366 * DAY),
	ST("batch", conf_row_u32, batch, 1, 500),
};

int conf_row_stats(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_stats *s = dst;
	UNUSED(row);
	int rc = conf_read_map(cx, v, stats_rows, ARRAY_LEN(stats_rows), dst);
	if (!rc && s->every_ms && s->at_min >= 0)
		rc = conf_bad(cx, v, "say either 'every' or 'at', not both");
	if (!rc && !s->every_ms)
		s->every_ms = DAY;
	return rc;
}

/* --- inbound ------------------------------------------------------------------------------------------------------------------ */
#define IN(k, r, f, lo, hi) ROW(k, r, conf_inbound, f, lo, hi)
static const struct conf_row inbound_rows[] = {
	IN("keep", conf_row_duration, keep_ms, 1000, 3660 * DAY),
	IN("opt_out", conf_row_strv, opt_out, 0, 0),
	IN("opt_in", conf_row_strv, opt_in, 0, 0),
};

int conf_row_inbound(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_inbound *in = dst;
	const struct ynode *words = ynode_get(v, "opt_out");
	UNUSED(row);
	if (words && words->kind == YN_LIST && words->n > WORDS_MAX)
		return conf_bad(cx, words, "more than %d words", WORDS_MAX);
	int rc = conf_read_map(cx, v, inbound_rows, ARRAY_LEN(inbound_rows), dst);
	in->no_opt_out = !rc && words && !in->opt_out.n;
	return rc;
}

void conf_jobs_default(struct conf_channel *ch)
{
	ch->webhook.body_max_bytes = 256 << 10;
	ch->webhook.timeout_ms = 15000;
	ch->webhook.at_once = 16;
	ch->poll.max_age_ms = 3 * DAY;
	ch->poll.batch = 100;
	ch->stats.at_min = -1;
	ch->stats.for_ms = 30 * DAY;
	ch->stats.batch = 50;
	ch->inbound.keep_ms = 180 * DAY;
}

void conf_jobs_done(struct conf_channel *ch)
{
	free(ch->webhook.secret.name);
	free(ch->webhook.secret.file);
	free(ch->webhook.allow.v);
	free(ch->webhook.proxies.v);
	conf_strv_done(&ch->inbound.opt_out);
	conf_strv_done(&ch->inbound.opt_in);
}
