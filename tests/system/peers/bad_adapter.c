/* bad_adapter.c - adapters that must be refused: compiled by test_bad_input.sh, once a fault. */
#include <lantoa/adapter.h>
#include <stdlib.h>
#include <string.h>

#if defined(OTHER_ABI)
#define NAME  "abi"
#define MAJOR 99
#elif defined(NO_FUNCTION)
#define NAME "nofn"
#elif defined(OPEN_FAILS)
#define NAME "openfail"
#elif defined(OPEN_CRASHES)
#define NAME "crash"
#elif defined(OPEN_HANGS_ONCE) /* the path of the file that says that it has */
#include <fcntl.h>
#include <unistd.h>
#define NAME "hang"
#else
#define NAME "nosym"
#endif
#ifndef MAJOR
#define MAJOR LT_ABI_MAJOR
#endif

static int take_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *s)
{
	(void)c;
	return s->tell(s->ctx, (struct lt_str){ "address", 7 }, in);
}
static int prepare(const struct lt_conf *c, const struct lt_content *t, struct lt_sink *s)
{
	(void)c, (void)t, (void)s;
	return 0;
}
static int compose(const struct lt_conf *c, struct lt_str n, const struct lt_target *t, uint32_t h,
	struct lt_sink *s)
{
	(void)c, (void)n, (void)t, (void)h, (void)s;
	return 0;
}
static int open_it(struct lt_inst *i)
{
#if defined(OPEN_FAILS)
	static const char why[] = "muốn mở không được";
	i->host->log(i->host->ctx, NULL, 3, (struct lt_str){ why, sizeof(why) - 1 });
	return -1;
#elif defined(OPEN_CRASHES)
	(void)i;
	abort();
#elif defined(OPEN_HANGS_ONCE)
	(void)i;
	if (open(OPEN_HANGS_ONCE, O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0)
		for (;;)
			pause();
	return 0;
#else
	(void)i;
	return 0;
#endif
}
static void close_it(struct lt_inst *i)
{
	(void)i;
}
static int start(
	struct lt_inst *i, struct lt_job *const *j, const struct lt_work *const *w, size_t n)
{
	(void)i, (void)j, (void)w, (void)n;
	return -1;
}
#ifndef NO_FUNCTION
static int on_event(struct lt_inst *i, struct lt_job *j, const struct lt_event *e)
{
	(void)i, (void)j, (void)e;
	return -1;
}
#else
#define on_event NULL
#endif

extern const struct lt_adapter lantoa_adapter, lantoa_other;
#ifdef NO_SYMBOL
const struct lt_adapter lantoa_other
#else
const struct lt_adapter lantoa_adapter
#endif
	= { .abi_major = MAJOR,
		  .struct_size = sizeof(struct lt_adapter),
		  .name = NAME,
		  .version = "1",
		  .address = take_address,
		  .prepare = prepare,
		  .compose = compose,
		  .open = open_it,
		  .close = close_it,
		  .start = start,
		  .event = on_event };
