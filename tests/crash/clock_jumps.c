/* clock_jumps.c SECONDS - what a thread that only reads the clock of its own CPU time sees of the machine: the longest time that it is
 * charged with between two readings, in microseconds. On a virtual machine that is what the host took, and no program's doing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	int64_t end = now_us(CLOCK_MONOTONIC) +
		1000000 * (argc > 1 ? strtol(argv[1], NULL, 10) : 10);
	int64_t last = now_us(CLOCK_THREAD_CPUTIME_ID), most = 0;

	while (now_us(CLOCK_MONOTONIC) < end) {
		int64_t now = now_us(CLOCK_THREAD_CPUTIME_ID);
		most = now - last > most ? now - last : most;
		last = now;
	}
	printf("%lld\n", (long long)most);
	return 0;
}
