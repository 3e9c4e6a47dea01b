/* puppet.c - an adapter whose every move is the test's: built by the test as a shared object, its hooks are set through dlsym. */
#include <lantoa/adapter.h>

struct puppet_hooks {
	int (*address)(const struct lt_conf *, struct lt_str, struct lt_sink *);
	int (*prepare)(const struct lt_conf *, const struct lt_content *, struct lt_sink *);
	int (*compose)(const struct lt_conf *, struct lt_str, const struct lt_target *, uint32_t,
		struct lt_sink *);
	int (*open)(struct lt_inst *);
	void (*close)(struct lt_inst *);
	int (*start)(
		struct lt_inst *, struct lt_job *const *, const struct lt_work *const *, size_t);
	int (*event)(struct lt_inst *, struct lt_job *, const struct lt_event *);
};
__attribute__((visibility("default"))) struct puppet_hooks puppet_hooks;

static int p_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *s)
{
	return puppet_hooks.address ? puppet_hooks.address(c, in, s) : -LT_E_INVALID;
}
static int p_prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	return puppet_hooks.prepare ? puppet_hooks.prepare(c, in, s) : 0;
}
static int p_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *s)
{
	return puppet_hooks.compose ? puppet_hooks.compose(c, note, t, hole, s) : 0;
}
static int p_open(struct lt_inst *i)
{
	return puppet_hooks.open ? puppet_hooks.open(i) : 0;
}
static void p_close(struct lt_inst *i)
{
	if (puppet_hooks.close)
		puppet_hooks.close(i);
}
static int p_start(
	struct lt_inst *i, struct lt_job *const *j, const struct lt_work *const *w, size_t n)
{
	return puppet_hooks.start ? puppet_hooks.start(i, j, w, n) : 0;
}
static int p_event(struct lt_inst *i, struct lt_job *j, const struct lt_event *e)
{
	return puppet_hooks.event ? puppet_hooks.event(i, j, e) : 0;
}

/* Not const: the test chooses the capabilities. */
__attribute__((visibility("default"))) struct lt_adapter lantoa_adapter = {
	.abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(struct lt_adapter),
	.inst_size = 64,
	.session_size = 64,
	.op_size = 64,
	.other_size = 64,
	.caps = LT_CAP_SHARED_SESSION,
	.name = "puppet",
	.version = "1",
	.address = p_address,
	.prepare = p_prepare,
	.compose = p_compose,
	.open = p_open,
	.close = p_close,
	.start = p_start,
	.event = p_event,
};
