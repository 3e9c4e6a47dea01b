/* driver.c - runs a corpus through a fuzz target without libFuzzer: driver FILE|FOLDER... As a test it says TAP: one line an input,
 * with the bounds of fuzz.h. A target that crashes takes the driver with it: the line with its name is the last. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "fuzz.h"

#define SECONDS_MAX 1.0
/* Sanitizers are slower and larger: theirs is a looser bound, libFuzzer holds the strict one. */
#ifdef LANTOA_FAULTS
#define SLOWER 5
#else
#define SLOWER 1
#endif

static int n, bad;

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *p = NULL;
	size_t got = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > FUZZ_INPUT_MAX) {
		(void)printf("not ok %d - %s: cannot be read, or is over 1 MB\n", ++n, path);
		bad++;
		return;
	}
	p = malloc(
		(size_t)st.st_size + 1); /* exactly as large as the input: a step past it is seen */
	p = realloc(p, (size_t)st.st_size ? (size_t)st.st_size : 1);
	for (ssize_t k;
		got < (size_t)st.st_size && (k = read(fd, p + got, (size_t)st.st_size - got)) > 0;)
		got += (size_t)k;
	(void)close(fd);
	(void)fprintf(stderr, "# %s\n", path);
	double from = now();
	(void)LLVMFuzzerTestOneInput(p, got);
	double took = now() - from;
	free(p);
	bool ok = took <= SECONDS_MAX * SLOWER;
	bad += !ok;
	(void)printf("%s %d - %s\n", ok ? "ok" : "not ok", ++n, path);
	if (!ok)
		(void)printf("# took %.2f s\n", took);
	(void)fflush(stdout);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void run(const char *path)
{
	struct dirent **v = NULL;
	int k = scandir(path, &v, NULL, by_name);
	char one[4096];

	if (k < 0) {
		run_file(path);
		return;
	}
	for (int i = 0; i < k; i++) {
		(void)snprintf(one, sizeof(one), "%s/%s", path, v[i]->d_name);
		if (v[i]->d_name[0] != '.')
			run_file(one);
		free(v[i]);
	}
	free(v);
}

int main(int argc, char **argv)
{
	struct rusage u;

	for (int i = 1; i < argc; i++)
		run(argv[i]);
	(void)getrusage(RUSAGE_SELF, &u);
	bool small = u.ru_maxrss <= 256 * 1024 * SLOWER;
	bad += !small;
	(void)printf("%s %d - memory at its highest: %ld MB\n1..%d\n", small ? "ok" : "not ok",
		n + 1, u.ru_maxrss / 1024, n + 1);
	return bad > 0 || n == 0;
}
