/* image_jail.c - rlimits and a system call filter. Allowed is what is listed; the rest kills the process (SIGSYS).
 * Failures: a kernel without filters is an error here: the helper then does not run at all.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "image/image_jail.h"

/* Counts every thread of the user, the daemon's own among them: the filter, not this number, is what forbids processes. */
#define THREADS_MAX 4096
#define FILES_MAX   16

int image_limits_set(const struct image_limits *l)
{
	const struct {
		int what;
		rlim_t max;
	} all[] = { { RLIMIT_CORE, 0 }, { RLIMIT_AS, l->memory_bytes }, { RLIMIT_CPU, l->cpu_s },
		{ RLIMIT_FSIZE, l->out_bytes }, { RLIMIT_NOFILE, FILES_MAX },
		{ RLIMIT_NPROC, THREADS_MAX } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct rlimit have, want = { all[i].max, all[i].max };
		if (getrlimit((__rlimit_resource_t)all[i].what, &have))
			return -errno;
		if (have.rlim_max < want.rlim_max)
			want.rlim_cur = want.rlim_max = have.rlim_max;
		if (setrlimit((__rlimit_resource_t)all[i].what, &want))
			return -errno;
	}
	return 0;
}

static const int allowed[] = { SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(dup),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getattr), SCMP_SYS(gettid), SCMP_SYS(getpid),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getrandom),
	SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(restart_syscall), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(membarrier) };
/* Answered, not done: libraries ask and carry on without. */
static const int denied[] = { SCMP_SYS(clone3), SCMP_SYS(sched_setattr),
	SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_setscheduler), SCMP_SYS(ioctl),
	SCMP_SYS(fcntl) };

static int add_plain(scmp_filter_ctx f)
{
	int rc = 0;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !rc; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]) && !rc; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), denied[i], 0);
	return rc;
}

/* Memory that can never be run, threads but no processes, a name for a thread, limits only read, fstat but no path, signals to itself
 * (abort) and to nobody else: the daemon runs as the same user. */
static int add_bounded(scmp_filter_ctx f)
{
	int rc = seccomp_rule_add(
		f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc = rc ? rc
		: seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	rc = rc ? rc
		: seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc = rc ? rc
		: seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
				  CLONE_THREAD | CLONE_VM));
	rc = rc ? rc
		: seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			  SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
	rc = rc ? rc
		: seccomp_rule_add(
			  f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0));
	return rc ? rc
		  : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
			    SCMP_A3(SCMP_CMP_MASKED_EQ, 0x1000 /* AT_EMPTY_PATH */, 0x1000));
}

int image_jail_enter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return -ENOMEM;
	int rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1); /* threads that libraries made */
	rc = rc ? rc : add_plain(f);
	rc = rc ? rc : add_bounded(f);
	rc = rc ? rc : seccomp_load(f);
	seccomp_release(f);
	return rc;
}
