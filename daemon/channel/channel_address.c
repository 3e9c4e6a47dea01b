/* channel_address.c - an address through its adapter, and the sink that takes nothing, from which the others are made.
 * Threads: any worker. Failures: told by the adapter as a problem, else in our words.
 */
#include <string.h>
#include "channel/channel_internal.h"

struct address_sink {
	struct addr_out *out;
	char problem[200];
};

static int address_tell(void *ctx, struct lt_str name, struct lt_str value)
{
	struct address_sink *s = ctx;
	struct str n = s_of(name), v = s_of(value);
	bool fits = true;
	if (str_eqz(n, "address") || str_eqz(n, "canonical"))
		fits = str_copy(s->out->canonical, sizeof(s->out->canonical), v);
	else if (str_eqz(n, "class"))
		fits = str_copy(s->out->class, sizeof(s->out->class), v);
	else if (str_eqz(n, "kind") || str_eqz(n, "form"))
		fits = str_copy(s->out->form, sizeof(s->out->form), v);
	else if (str_eqz(n, "changed"))
		fits = str_copy(s->out->changed, sizeof(s->out->changed), v);
	return fits ? 0 : -LT_E_FULL;
}

static int address_problem(void *ctx, int32_t severity, struct lt_str field, struct lt_str text)
{
	struct address_sink *s = ctx;
	UNUSED(field);
	if (severity >= 2 || !s->problem[0])
		(void)str_copy(s->problem, sizeof(s->problem), s_of(text));
	return 0;
}

static int ignore_src(void *ctx, const struct lt_src *s)
{
	UNUSED(ctx);
	UNUSED(s);
	return 0;
}
static int ignore_hole(void *ctx, uint32_t id)
{
	UNUSED(ctx);
	UNUSED(id);
	return 0;
}
static int ignore_str(void *ctx, struct lt_str s)
{
	UNUSED(ctx);
	UNUSED(s);
	return 0;
}
static int ignore_tell(void *ctx, struct lt_str name, struct lt_str value)
{
	UNUSED(ctx);
	UNUSED(name);
	UNUSED(value);
	return 0;
}
static int ignore_fact(void *ctx, struct lt_str name, int64_t value)
{
	UNUSED(ctx);
	UNUSED(name);
	UNUSED(value);
	return 0;
}
static int ignore_problem(void *ctx, int32_t severity, struct lt_str field, struct lt_str text)
{
	UNUSED(ctx);
	UNUSED(severity);
	UNUSED(field);
	UNUSED(text);
	return 0;
}
static int no_rendition(void *ctx, struct lt_str asset, struct lt_str spec, struct lt_str *ret)
{
	UNUSED(ctx);
	UNUSED(asset);
	UNUSED(spec);
	UNUSED(ret);
	return -LT_E_INVALID; /* an address has no pictures */
}

struct lt_sink sink_base(void *ctx)
{
	return (struct lt_sink){ .struct_size = sizeof(struct lt_sink),
		.ctx = ctx,
		.add = ignore_src,
		.hole = ignore_hole,
		.note = ignore_str,
		.need_rendition = no_rendition,
		.preview = ignore_str,
		.problem = ignore_problem,
		.tell = ignore_tell,
		.fact = ignore_fact };
}

int channel_address(const struct channel *c, struct str in, struct addr_out *ret, struct err *e)
{
	struct addr_out out = { 0 };
	struct address_sink s = { .out = &out };
	struct lt_sink sink = sink_base(&s);
	sink.tell = address_tell;
	sink.problem = address_problem;
	if (in.n == 0 || in.n > 300 || str_has_control(in))
		return err_set(e, -EINVAL,
			"is no address: empty, longer than 300 bytes, or with a control character");
	if (!c->n_accounts)
		return err_set(e, -ENOENT, "channel '%s' has no account", c->conf->name);
	int rc = c->ad->address(&c->accounts[0]->settings.conf, lt_of(in), &sink);
	if (rc < 0 || !out.canonical[0])
		return err_set(e, -EINVAL, "%s",
			s.problem[0] ? s.problem : "is no address that this channel knows");
	*ret = out;
	return 0;
}
