/* bad.c - adapters that the loader must refuse; the test picks one by -DBAD_... */
#include <lantoa/adapter.h>

static int address(const struct lt_conf *c, struct lt_str in, struct lt_sink *s)
{
	(void)c;
	(void)in;
	(void)s;
	return 0;
}
static int prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *s)
{
	(void)c;
	(void)in;
	(void)s;
	return 0;
}
static int compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *s)
{
	(void)c;
	(void)note;
	(void)t;
	(void)hole;
	(void)s;
	return 0;
}
static int open_it(struct lt_inst *i)
{
#ifdef BAD_CRASH
	*(volatile int *)0 = 1;
#endif
#ifdef BAD_EXIT
	extern void _exit(int);
	_exit(3);
#endif
#ifdef BAD_SAYS_NO
	static const char why[] = "port: 99999 is no port";
	i->host->log(i->host->ctx, (struct lt_job *)0, 3, (struct lt_str){ why, sizeof(why) - 1 });
	return -LT_E_INVALID;
#endif
#ifdef ASKS_TIME
	return i->host->wall_ms(i->host->ctx) > 0 && i->host->mono_ms(i->host->ctx) > 0 ? 0 : -1;
#endif
	(void)i;
	return 0;
}
static void close_it(struct lt_inst *i)
{
	(void)i;
}
static int start(
	struct lt_inst *i, struct lt_job *const *j, const struct lt_work *const *w, size_t n)
{
	(void)i;
	(void)j;
	(void)w;
	(void)n;
	return -LT_E_INVALID;
}
static int event(struct lt_inst *i, struct lt_job *j, const struct lt_event *e)
{
	(void)i;
	(void)j;
	(void)e;
	return 0;
}

static const struct lt_key keys[] = {
	{ "host", "text", 0, "name of the relay", 0, 0 },
	{ "port", "int", "25", "its port", 0, 0 },
	{ "wait", "duration", "5s", "patience", 0, 0 },
	{ "tls", "enum:none|starttls", "none", "protection", 0, 0 },
	{ "dsn", "bool", "yes", "notices", 0, 0 },
	{ "password", "secret", "", "name of a secret", 0, 0 },
};

#ifndef BAD_NAME
#define BAD_NAME "bad"
#endif
#ifndef BAD_MAJOR
#define BAD_MAJOR LT_ABI_MAJOR
#endif
#ifndef BAD_MINOR
#define BAD_MINOR LT_ABI_MINOR
#endif
#ifndef BAD_SYMBOL
#define BAD_SYMBOL lantoa_adapter
#endif
#ifndef BAD_SIZE
#define BAD_SIZE sizeof(struct lt_adapter)
#endif
#ifndef BAD_CAPS
#define BAD_CAPS LT_CAP_SHARED_SESSION
#endif
#ifndef BAD_OP_SIZE
#define BAD_OP_SIZE 8
#endif

extern const struct lt_adapter BAD_SYMBOL;
__attribute__((visibility("default"))) const struct lt_adapter BAD_SYMBOL = {
	.abi_major = BAD_MAJOR,
	.abi_minor = BAD_MINOR,
	.struct_size = BAD_SIZE,
	.inst_size = 8,
	.session_size = 8,
	.op_size = BAD_OP_SIZE,
	.other_size = 8,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.caps = BAD_CAPS,
	.name = BAD_NAME,
	.version = "1",
	.keys = keys,
	.address = address,
	.prepare = prepare,
#ifndef BAD_NO_COMPOSE
	.compose = compose,
#endif
	.open = open_it,
	.close = close_it,
	.start = start,
	.event = event,
};
#ifdef BAD_NO_COMPOSE
int (*unused_compose)(const struct lt_conf *, struct lt_str, const struct lt_target *, uint32_t,
	struct lt_sink *) = compose;
#endif
