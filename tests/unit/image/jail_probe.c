/* jail_probe.c - locks itself in as lantoa-image does and then tries one thing. 0: it worked, 3: it was refused politely;
 * killed: the filter or a limit. A program of its own, because the jail has no way out. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include "image/image_jail.h"

static void *nothing(void *p)
{
	return p;
}

static int try_thread(void)
{
	pthread_t t;
	return pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL) ? 3 : 0;
}

static int try_memory(void)
{
	char *p = malloc(512u << 20);
	if (p)
		memset(p, 1, 512u << 20);
	return p ? 0 : 3;
}

static int try_spin(void)
{
	volatile unsigned n = 0;
	for (;;)
		n = n + 1;
	return 0;
}

static int try_flood(void)
{
	static char block[65536];
	for (int i = 0; i < 4096; i++)
		if (write(1, block, sizeof(block)) < 0)
			return 3;
	return 0;
}

static pid_t parent; /* asked before: the jail does not tell */

/* Memory that is writable first, limits that are lifted, a name that is only asked about. */
static int attempt_in_two_steps(const char *what)
{
	if (!strcmp(what, "protect")) {
		void *p = mmap(
			NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC) ? 3 : 0;
	}
	if (!strcmp(what, "stat")) {
		struct stat st;
		return stat("/etc/hostname", &st) < 0 ? 3 : 0;
	}
	if (!strcmp(what, "limit")) {
		struct rlimit l = { 1, 1 };
		return setrlimit(RLIMIT_CPU, &l) < 0 ? 3 : 0;
	}
	if (!strcmp(what, "prctl"))
		return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? 3 : 0;
	return 4;
}

static int attempt(const char *what)
{
	if (!strcmp(what, "write"))
		return write(1, "x", 1) == 1 ? 0 : 3;
	if (!strcmp(what, "thread"))
		return try_thread();
	if (!strcmp(what, "memory"))
		return try_memory();
	if (!strcmp(what, "spin"))
		return try_spin();
	if (!strcmp(what, "flood"))
		return try_flood();
	if (!strcmp(what, "open"))
		return open("/etc/hostname", O_RDONLY | O_CLOEXEC) < 0 ? 3 : 0;
	if (!strcmp(what, "oldopen"))
		return syscall(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY) < 0 ? 3 : 0;
	if (!strcmp(what, "unlink"))
		return unlink("/nonexistent") < 0 ? 3 : 0;
	if (!strcmp(what, "socket"))
		return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 3 : 0;
	if (!strcmp(what, "unix"))
		return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? 3 : 0;
	if (!strcmp(what, "fork"))
		return fork() < 0 ? 3 : 0;
	if (!strcmp(what, "exec"))
		return execl("/bin/true", "true", (char *)NULL) < 0 ? 3 : 0;
	if (!strcmp(what, "kill"))
		return kill(getppid(), 0) < 0 ? 3 : 0;
	if (!strcmp(what, "tgkill"))
		return syscall(SYS_tgkill, parent, parent, 0) < 0 ? 3 : 0;
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "ptrace"))
		return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? 3 : 0;
	if (!strcmp(what, "code"))
		return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
			? 3
			: 0;
	return attempt_in_two_steps(what);
}

int main(int argc, char **argv)
{
	struct image_limits l = { .memory_bytes = 256u << 20, .out_bytes = 1u << 20, .cpu_s = 1 };
	if (argc != 2)
		return 2;
	parent = getppid();
	if (image_limits_set(&l) || image_jail_enter()) {
		(void)fprintf(stderr, "cannot lock itself in\n");
		return 5;
	}
	_exit(attempt(argv[1]));
}
