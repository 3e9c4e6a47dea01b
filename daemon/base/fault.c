/* fault.c - the table of fault points; empty in release builds.
 * Thread: any (one mutex). Owns: a fixed table of names, the page of LANTOA_FAULT_FILE. A point appears in it when it is first set or passed.
 * Failures: a table that is full, or a name that is too long, aborts: both are a test author's errors.
 */
#include "base/fault.h"

#ifdef LANTOA_FAULTS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/str.h"

#define FAULT_POINTS_MAX 128
#define FAULT_NAME_MAX   48
#define FAULT_PAGE       4096
#define FAULT_SEEN_AT    512

struct fault_point {
	char name[FAULT_NAME_MAX];
	int skip, times; /* still to pass, still to fail */
	int kill_skip;   /* -1: never */
	int hits;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault_point points[FAULT_POINTS_MAX];
static size_t points_len;
static char *page; /* of LANTOA_FAULT_FILE; NULL: none */

static struct fault_point *point_find(struct str name, bool make)
{
	for (size_t i = 0; i < points_len; i++)
		if (str_eqz(name, points[i].name))
			return &points[i];
	if (!make)
		return NULL;
	REQUIRE(points_len < FAULT_POINTS_MAX);
	REQUIRE(name.n < FAULT_NAME_MAX);
	struct fault_point *p = &points[points_len++];
	*p = (struct fault_point){ .kill_skip = -1 };
	(void)str_copy(p->name, sizeof(p->name), name);
	return p;
}

/* Next number of "a:b:c"; false when there is none or it is no number. */
static bool spec_number(struct str *spec, int *ret)
{
	struct str piece;
	int64_t v;

	if (!str_next(spec, ':', &piece) || str_i64(piece, 0, 1000000000, &v))
		return false;
	*ret = (int)v;
	return true;
}

static void spec_bad(const char *variable, struct str spec)
{
	(void)fprintf(stderr, "%s: '" STR_FMT "' is ignored: wanted name:number%s\n", variable,
		STR_ARG(spec), strcmp(variable, "LANTOA_KILL") == 0 ? "" : ":number");
}

static void env_read_faults(struct str all)
{
	struct str spec, name;

	while (str_next(&all, ',', &spec)) {
		struct str rest = spec;
		int skip, times;
		if (!str_next(&rest, ':', &name) || name.n == 0 || name.n >= FAULT_NAME_MAX ||
			!spec_number(&rest, &skip) || !spec_number(&rest, &times) || rest.n) {
			spec_bad("LANTOA_FAULT", spec);
			continue;
		}
		struct fault_point *p = point_find(name, true);
		p->skip = skip;
		p->times = times;
	}
}

static void env_read_kills(struct str all)
{
	struct str spec, name;

	while (str_next(&all, ',', &spec)) {
		struct str rest = spec;
		int skip;
		if (!str_next(&rest, ':', &name) || name.n == 0 || name.n >= FAULT_NAME_MAX ||
			!spec_number(&rest, &skip) || rest.n) {
			spec_bad("LANTOA_KILL", spec);
			continue;
		}
		point_find(name, true)->kill_skip = skip;
	}
}

static void page_map(const char *path)
{
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	void *p = mmap(NULL, FAULT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	page = p == MAP_FAILED ? NULL : p;
	(void)close(fd);
}

/* Does this pass fail, by the page? The count lives there: it goes on in the next process, and nothing fails twice. */
static bool page_hit(const char *name)
{
	char kind[16] = "", want[FAULT_NAME_MAX] = "";
	long generation = 0, n = 0, seen = 0, count = 0;
	int fired = 0;

	if (page == NULL || sscanf(page, "%ld %15s %47s %ld", &generation, kind, want, &n) != 4 ||
		strcmp(kind, "point") != 0 || (strcmp(want, "any") != 0 && strcmp(want, name) != 0))
		return false;
	if (sscanf(page + FAULT_SEEN_AT, "%ld %ld %d", &seen, &count, &fired) != 3 ||
		seen != generation)
		count = fired = 0;
	if (fired)
		return false;
	(void)snprintf(page + FAULT_SEEN_AT, FAULT_NAME_MAX + 80, "%ld %ld %d %s\n", generation,
		count + 1, count + 1 == n, name);
	return count + 1 == n;
}

void fault_init(void)
{
	pthread_mutex_lock(&lock);
	env_read_faults(str_of(getenv("LANTOA_FAULT")));
	env_read_kills(str_of(getenv("LANTOA_KILL")));
	page_map(getenv("LANTOA_FAULT_FILE"));
	pthread_mutex_unlock(&lock);
}

void fault_set(const char *name, int skip, int times)
{
	pthread_mutex_lock(&lock);
	struct fault_point *p = point_find(str_of(name), true);
	p->skip = skip;
	p->times = times;
	pthread_mutex_unlock(&lock);
}

void fault_clear(void)
{
	pthread_mutex_lock(&lock);
	points_len = 0;
	pthread_mutex_unlock(&lock);
}

int fault_hits(const char *name)
{
	pthread_mutex_lock(&lock);
	const struct fault_point *p = point_find(str_of(name), false);
	int hits = p ? p->hits : 0;
	pthread_mutex_unlock(&lock);
	return hits;
}

bool fault_hit(const char *name)
{
	bool fail = false;

	pthread_mutex_lock(&lock);
	fail = page_hit(name);
	struct fault_point *p = point_find(str_of(name), true);
	p->hits++;
	if (p->kill_skip == 0)
		(void)kill(getpid(), SIGKILL);
	if (p->kill_skip > 0)
		p->kill_skip--;
	if (p->times > 0) {
		if (p->skip > 0) {
			p->skip--;
		} else {
			p->times--;
			fail = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return fail;
}

#endif
