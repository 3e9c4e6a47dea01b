/* sim_core.c - the generator, the trace, the profile of a seed, and the parent that starts one child an epoch.
 * Owns: struct sim, shared with the children. Failures: see sim.h; a child that dies by itself is a failure like any other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/log.h"
#include "lib/tmpdir.h"
#include "sim_provider.h"

#define EPOCHS_MAX 400
#ifdef LANTOA_COVERAGE
#define EPOCH_SECONDS 900 /* counting is slow */
#else
#define EPOCH_SECONDS 120
#endif
#define SOAK_STEPS 10000 /* from here on a seed is one of the soak */

struct sim *S;
struct node N;
const char *const sim_offices[4] = { "trung-uong", "ha-noi", "dien-bien", "muong-ang" };

#ifdef LANTOA_COVERAGE
void __gcov_dump(void);
#endif

/* A crash runs no handlers; only what a coverage build has counted is saved. */
_Noreturn void sim_leave(int code)
{
#ifdef LANTOA_COVERAGE
	__gcov_dump();
#endif
	_exit(code);
}

uint64_t sim_random(void)
{
	S->rng ^= S->rng << 13;
	S->rng ^= S->rng >> 7;
	S->rng ^= S->rng << 17;
	return S->rng * 0x2545f4914f6cdd1du;
}

int sim_below(int n)
{
	return n > 1 ? (int)((sim_random() >> 11) % (uint64_t)n) : 0;
}

bool sim_chance(int mille)
{
	return sim_below(1000) < mille;
}

void sim_trace(const char *fmt, ...)
{
	char line[600];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *at; S->dir[0] &&
		(at = strstr(line, S->dir)) != NULL;) /* it has another name each time */
		memset(at, '_', strlen(S->dir));
	for (int i = 0; i < n && i < (int)sizeof(line) - 1; i++)
		S->digest = (S->digest ^ (uint8_t)line[i]) * 1099511628211u;
	if (S->trace)
		(void)fprintf(
			stderr, "%d.%d %lld %s\n", S->epoch, S->step, (long long)S->mono, line);
}

void sim_fail(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = snprintf(S->fail, sizeof(S->fail), "epoch %d step %d at %lld: ", S->epoch, S->step,
		(long long)S->mono);
	(void)vsnprintf(S->fail + n, sizeof(S->fail) - (size_t)n, fmt, ap);
	va_end(ap);
	sim_trace("FAIL %s", S->fail);
	sim_leave(SIM_EXIT_FAIL);
}

void sim_crash(const char *where)
{
	sim_trace("crash %s", where);
	S->crashes++;
	S->crash_in_ops = 0;
	S->no_crash = true;
	sim_vfs_crash();
	sim_leave(SIM_EXIT_CRASH);
}

/* --- randomness of the crypto library: from the seed too, so that a run is the same to the bit ---------------------------------- */
static void rand_buf(void *p, size_t n)
{
	uint8_t *out = p;
	static uint64_t state = 88172645463325252u;
	for (size_t i = 0; i < n; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		out[i] = (uint8_t)(state >> 32);
	}
}
static uint32_t rand_one(void)
{
	uint32_t v;
	rand_buf(&v, sizeof(v));
	return v;
}
static const char *rand_name(void)
{
	return "simulation";
}
static randombytes_implementation rand_impl = {
	.implementation_name = rand_name, .random = rand_one, .buf = rand_buf
};

static uint64_t mixed(uint64_t a, uint64_t b)
{
	uint64_t x = a + 0x9e3779b97f4a7c15u * (b + 1);
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (x ^ x >> 31) | 1;
}

void sim_rng_for(enum sim_event what)
{
	S->rng = mixed(mixed(S->seed, (uint64_t)S->step), (uint64_t)what);
}

bool sim_event(enum sim_event what)
{
	static const char *const words[] = { "act", "jump", "reload", "disk", "crash", "outage",
		"backup", "restore" };
	unsigned bit = what;
	if (what == EV_FAULT) {
		int more = S->faults < EV_MAX - 1 - EV_FAULT ? S->faults++ : S->faults;
		bit += (unsigned)more;
	}
	S->happened[S->step] |= UINT64_C(1) << bit;
	if (S->only_kept && !(S->kept[S->step] >> bit & 1))
		return false;
	sim_trace("event %d.%u %s", S->step, bit, bit < EV_FAULT ? words[bit] : "fault");
	return true;
}

/* --- a seed ------------------------------------------------------------------------------------------------------------------------ */

static int pick(const int *v, size_t n)
{
	return v[sim_below((int)n)];
}
#define PICK(...) pick((const int[]){ __VA_ARGS__ }, ARRAY_LEN(((const int[]){ __VA_ARGS__ })))

void sim_profile_draw(int steps)
{
	struct sim_profile *p = &S->p;
	bool calm = sim_chance(150);
	p->steps = steps;
	p->contacts = PICK(5, 20, 60, 150);
	p->releases = PICK(1, 2, 4, 8);
	if (steps >= SOAK_STEPS) { /* 2,000 deliveries or more */
		static const int sizes[][2] = { { 810, 5 }, { 460, 9 }, { 300, 14 } };
		int at = sim_below((int)ARRAY_LEN(sizes));
		p->contacts = sizes[at][0];
		p->releases = sizes[at][1];
	}
	p->crashes = steps >= SOAK_STEPS ? 20 + sim_below(6) : calm ? 0 : PICK(1, 3, 6, 12);
	p->p_fault = calm ? 0 : PICK(0, 50, 200, 500);
	p->p_act = PICK(30, 60, 120);
	p->p_jump = calm ? 0 : PICK(0, 0, 2, 5);
	p->receipts = sim_chance(400);
	p->torn = sim_chance(600);
	p->disk = !calm && sim_chance(200);
	for (int i = 0; i < 2; i++) {
		p->rate[i] = PICK(0, 0, 1, 5, 50);
		p->burst[i] = PICK(1, 3, 10);
		p->concurrency[i] = p->most[i] = PICK(1, 2, 8, 64);
		p->intents[i] = PICK(1, 4, 64, 256);
	}
	p->unknown_max_ms = PICK(60000, 1800000, 86400000);
	p->assume = sim_chance(200);
	p->word_mix = calm ? 0 : PICK(0, 100, 400);
	p->together = sim_chance(500);
	p->poll = sim_chance(300);
	provider_draw();
	/* These draw nothing: other seeds tell the stories they told. */
	p->tokens = (S->seed * 0x9e3779b97f4a7c15u >> 62) == 1;
	p->mirror = (S->seed * 0xd6e8feb86659fd93u >> 62) == 1;
	p->restores = calm || sim_chance(250) ? 0 : 2;
	p->spare = !calm && provider_of(1)->owns == sim_loopback.owns && sim_chance(600);
}

static void place_make(void)
{
	char *path = tmpdir_new_fast("sim");
	REQUIRE(strlen(path) < sizeof(S->dir));
	(void)snprintf(S->dir, sizeof(S->dir), "%s", path);
	free(path);
}

/* A state that is kept has a name that the next run does not sweep away. */
static void place_done(bool keep)
{
	char kept[sizeof(S->dir) + 8];
	if (keep) {
		sim_vfs_keep();
		(void)snprintf(kept, sizeof(kept), "%s.kept", S->dir);
		(void)fprintf(
			stderr, "state kept in %s\n", rename(S->dir, kept) == 0 ? kept : S->dir);
		return;
	}
	int gone = dir_remove_tree(S->dir);
	REQUIRE(gone == 0 || gone == -ENOENT); /* somebody may clean shared memory meanwhile */
	(void)rmdir(S->dir);
}

static void build_find(void)
{
	const char *b = getenv("B");
	char exe[400];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	REQUIRE(n > 0);
	exe[n] = 0;
	for (int up = 0; up < 3; up++) { /* BUILD/tests/sim/test_sim */
		char *slash = strrchr(exe, '/');
		REQUIRE(slash != NULL);
		*slash = 0;
	}
	if (b && b[0] == '/')
		(void)snprintf(exe, sizeof(exe), "%s", b);
	(void)snprintf(S->build, sizeof(S->build), "%s", exe);
}

/* Mapped once and never called here: each child finds them as they were loaded, without the linker's work. */
static void adapters_map(void)
{
	glob_t found = { 0 };
	char path[500];
	(void)snprintf(path, sizeof(path), "%s/adapters/*.so", S->build);
	REQUIRE(glob(path, 0, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		REQUIRE(dlopen(found.gl_pathv[i], RTLD_NOW | RTLD_LOCAL) != NULL);
	globfree(&found);
}

_Noreturn static void child(void)
{
	(void)alarm(EPOCH_SECONDS);
	(void)mallopt(
		M_MMAP_THRESHOLD, 1 << 30); /* memory is kept: taking it anew costs page faults */
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	(void)mallopt(M_TOP_PAD, 4 << 20);
	if (S->trace && getenv("SIM_LOG")) /* the daemon's own log beside the trace */
		REQUIRE(log_open(STDERR_FILENO, LOG_DEBUG, 8u << 20) == 0);
	sim_memory_register();
	sim_vfs_register();
	node_boot();
	while (S->step < S->p.steps)
		node_turn();
	node_final();
	sim_leave(SIM_EXIT_DONE);
}

static int epoch(void)
{
	int status = 0;
	(void)fflush(NULL);
	pid_t pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0)
		child();
	while (waitpid(pid, &status, 0) < 0)
		REQUIRE(errno == EINTR);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SIM_EXIT_DONE)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == SIM_EXIT_CRASH)
		return 1;
	if (!S->fail[0])
		(void)snprintf(S->fail, sizeof(S->fail),
			"epoch %d step %d: the process died (status %#x)", S->epoch, S->step,
			(unsigned)status);
	return -1;
}

int sim_run_seed(uint64_t seed, int steps, bool trace)
{
	return sim_run_kept(seed, steps, trace, NULL);
}

static void kept_read(const char *text)
{
	S->only_kept = text != NULL;
	for (char *end; text && *text; text = end) {
		unsigned long step = strtoul(text, &end, 10);
		REQUIRE(*end == '.' && step < SIM_STEPS); /* STEP.BITS ... */
		S->kept[step] = strtoull(end + 1, &end, 16);
		end += strspn(end, " ");
	}
}

int sim_run_kept(uint64_t seed, int steps, bool trace, const char *kept)
{
	bool first = !S;
	if (first) {
		S = mmap(NULL, sizeof(*S), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			0);
		REQUIRE(S != MAP_FAILED);
		REQUIRE(randombytes_set_implementation(&rand_impl) == 0);
		REQUIRE(crypt_init() == 0);
	}
	memset(S, 0, sizeof(*S));
	S->seed = seed;
	S->trace = trace;
	kept_read(kept);
	REQUIRE(steps < SIM_STEPS);
	S->rng = (seed + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	S->rng ^= S->rng >> 31;
	S->rng |= 1;
	S->digest = 1469598103934665603u;
	S->wall = TESTENV_WALL_START;
	S->mono = TESTENV_MONO_START;
	REQUIRE(getcwd(S->root, sizeof(S->root)) !=
		NULL); /* the data files of adapters lie below it */
	sim_profile_draw(steps);
	build_find();
	if (first)
		adapters_map();
	place_make();
	sim_memory_empty();
	sim_vfs_empty();
	restore_empty();
	int rc = 1;
	for (S->epoch = 1; rc == 1 && S->epoch < EPOCHS_MAX; S->epoch++)
		rc = epoch();
	if (rc == 1)
		(void)snprintf(S->fail, sizeof(S->fail), "it never came to an end");
	place_done(rc != 0 && getenv("SIM_KEEP") != NULL);
	for (int i = 0; i < SIM_SLOTS; i++)
		if (S->state[i])
			(void)munmap(S->state[i], provider_of(i)->state_size);
	return rc == 0 ? 0 : 1;
}
