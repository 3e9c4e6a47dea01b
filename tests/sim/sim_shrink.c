/* sim_shrink.c - the shortest story of a failing seed: delta debugging (Zeller and Hildebrandt) over what happens from outside. A run is
 * given the events that it may have; whatever else it draws is left out. The failure must stay the same but for its numbers.
 * Owns: its lists until it returns. Bound: SHRINK_RUNS runs, then what was reached is printed.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim.h"

#define SHRINK_RUNS 600
#define EVENTS_MAX  100000

struct one {
	int step;
	unsigned bit;
};
static struct {
	uint64_t seed;
	int steps, runs;
	char want[700]; /* the failure, without numbers */
	struct one *ev; /* those that are still thought to be needed */
	size_t n;
} job;

/* Behind "epoch 1 step 2 at 3: ", letters only. */
static void shape(const char *fail, char *ret, size_t size)
{
	const char *at = strstr(fail, ": ");
	size_t n = 0;
	for (at = at ? at + 2 : fail; *at && n < size - 1; at++)
		if (!isdigit((unsigned char)*at) && *at != '-')
			ret[n++] = *at;
	ret[n] = 0;
}

static char *text_of_events(const struct one *ev, size_t n)
{
	struct buf b;
	uint64_t bits = 0;
	buf_init(&b, 4u << 20);
	for (size_t i = 0; i < n; i++) {
		bits |= UINT64_C(1) << ev[i].bit;
		if (i + 1 < n && ev[i + 1].step == ev[i].step)
			continue;
		buf_addf(&b, "%s%d.%llx", b.n ? " " : "", ev[i].step, (unsigned long long)bits);
		bits = 0;
	}
	char *ret = x_strdup(b.n ? buf_str(&b).p : "0.0");
	ret[b.n ? b.n : 3] = 0;
	buf_done(&b);
	return ret;
}

static bool fails_with(const struct one *ev, size_t n)
{
	char got[sizeof(job.want)], *kept = text_of_events(ev, n);
	int rc = sim_run_kept(job.seed, job.steps, false, kept);
	job.runs++;
	free(kept);
	if (rc == 0)
		return false;
	shape(S->fail, got, sizeof(got));
	return strcmp(got, job.want) == 0;
}

/* Those that happened in the run that is over. */
static void collect(void)
{
	job.n = 0;
	for (int step = 0; step <= S->step; step++)
		for (unsigned bit = 0; bit < EV_MAX && job.n < EVENTS_MAX; bit++)
			if (S->happened[step] >> bit & 1 &&
				(!S->only_kept || S->kept[step] >> bit & 1))
				job.ev[job.n++] = (struct one){ step, bit };
}

/* Without one of `parts` pieces: true when it was not needed. */
static bool drop_piece(size_t parts, size_t at)
{
	size_t from = job.n * at / parts, to = job.n * (at + 1) / parts, n = 0;
	struct one *less = x_calloc(job.n + 1, sizeof(*less));
	for (size_t i = 0; i < job.n; i++)
		if (i < from || i >= to)
			less[n++] = job.ev[i];
	bool still = n < job.n && fails_with(less, n);
	if (still)
		collect(); /* what did not happen any more is out too */
	free(less);
	return still;
}

static void reduce(void)
{
	size_t parts = 2;
	while (job.n > 0 && job.runs < SHRINK_RUNS) {
		bool less = false;
		for (size_t at = parts; at-- > 0 && !less && job.runs < SHRINK_RUNS;)
			less = drop_piece(parts, at);
		if (less)
			parts = parts > 2 ? parts - 1 : 2;
		else if (parts >= job.n)
			return;
		else
			parts = parts * 2 < job.n ? parts * 2 : job.n;
	}
}

static void tell(void)
{
	static const char *const words[] = { "a person acts", "the clock jumps", "reload",
		"the disk is full", "crash", "a gateway is down", "a backup is made",
		"the backup is put back" };
	char *kept = text_of_events(job.ev, job.n);
	const char *who = getenv("SIM_PROVIDERS");
	(void)printf("%zu events are needed (%d runs):\n", job.n, job.runs);
	for (size_t i = 0; i < job.n; i++)
		(void)printf("  step %d: %s\n", job.ev[i].step,
			job.ev[i].bit < EV_FAULT ? words[job.ev[i].bit] : "a provider's fault");
	(void)printf(
		"again: SIM_SEED=%llu SIM_STEPS=%d SIM_KEPT='%s'%s%s SIM_TRACE=1 build/…/tests/sim/test_sim\n",
		(unsigned long long)job.seed, job.steps, kept, who ? " SIM_PROVIDERS=" : "",
		who ? who : "");
	free(kept);
}

int sim_shrink(uint64_t seed, int steps)
{
	job.seed = seed;
	job.steps = steps;
	if (sim_run_seed(seed, steps, false) == 0) {
		(void)printf("seed %llu does not fail\n", (unsigned long long)seed);
		return 0;
	}
	shape(S->fail, job.want, sizeof(job.want));
	job.ev = x_calloc(EVENTS_MAX, sizeof(*job.ev));
	collect();
	(void)printf("seed %llu: %s\n%zu events\n", (unsigned long long)seed, S->fail, job.n);
	reduce();
	if (fails_with(job.ev, job.n))
		(void)printf("%s\n", S->fail);
	tell();
	free(job.ev);
	return 1;
}
