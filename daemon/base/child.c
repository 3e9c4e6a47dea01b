/* child.c - posix_spawn with two pipes and a deadline. Thread: any worker, blocking. Owns: the process until it is reaped.
 * Failures: whatever happens, the process is dead and reaped and the pipes are closed on return; who is killed dies with all that it
 * has started, which would pile up at every further try.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/child.h"

#define READ_STEP 65536
#define CUT_STEP  50 /* ms between two looks whether it is told to go */

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_it(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* The daemon's workers may have signals blocked or ignored: the program gets them as they are by default. It leads a process group of
 * its own, by which it and its children are killed. */
static int spawn(const struct child *c, int out, int said, pid_t *ret)
{
	char *const env[] = { (char[]){ "LANG=C.UTF-8" }, (char[]){ "PATH=/usr/bin:/bin" }, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, all;
	union {
		const char *const *c;
		char *const *m;
	} argv = { .c = c->argv };
	int rc = posix_spawn_file_actions_init(&fa);
	if (rc)
		return -rc;
	rc = posix_spawnattr_init(&at);
	if (rc) {
		(void)posix_spawn_file_actions_destroy(&fa);
		return -rc;
	}
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	rc = c->fd_in >= 0 ? posix_spawn_file_actions_adddup2(&fa, c->fd_in, 0)
			   : posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&fa, out, 1);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&fa, said, 2);
	rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	rc = rc ? rc : posix_spawnattr_setsigmask(&at, &none);
	rc = rc ? rc : posix_spawnattr_setsigdefault(&at, &all);
	rc = rc ? rc : posix_spawnattr_setpgroup(&at, 0);
	rc = rc ? rc
		: posix_spawnattr_setflags(&at,
			  POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = rc ? rc : posix_spawn(ret, c->argv[0], &fa, &at, argv.m, env);
	(void)posix_spawnattr_destroy(&at);
	(void)posix_spawn_file_actions_destroy(&fa);
	return -rc;
}

/* One read: 1 more may come, 0 the end, else an error. What does not fit: standard error is cut, output is an error. */
static int take(struct child *c, int fd, bool output, char *step)
{
	ssize_t n = read(fd, step, READ_STEP);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	if (n == 0)
		return 0;
	if (output)
		return buf_add(c->out, step, (size_t)n) ? -E2BIG : 1;
	size_t have = strlen(c->said), room = sizeof(c->said) - 1 - have;
	size_t fit = (size_t)n < room ? (size_t)n : room;
	memcpy(c->said + have, step, fit);
	c->said[have + fit] = 0;
	return 1;
}

static bool is_cut(const struct child *c)
{
	return c->cut && *c->cut;
}

static int collect(struct child *c, int *out, int *said, int64_t until)
{
	char *step = x_calloc(1, READ_STEP);
	int rc = 0;
	while ((*out >= 0 || *said >= 0) && rc >= 0) {
		struct pollfd p[2] = { { .fd = *out, .events = POLLIN },
			{ .fd = *said, .events = POLLIN } };
		int64_t left = until - now_ms();
		if (left <= 0 || is_cut(c)) {
			rc = left <= 0 ? -ETIMEDOUT : -ECANCELED;
			break;
		}
		if (poll(p, 2, (int)(c->cut && left > CUT_STEP ? CUT_STEP : left)) < 0 &&
			errno != EINTR)
			rc = -errno;
		for (int i = 0; i < 2 && rc >= 0; i++) {
			int *fd = i ? said : out;
			if (*fd < 0 || !p[i].revents)
				continue;
			rc = take(c, *fd, i == 0, step);
			if (rc == 0)
				close_it(fd);
		}
	}
	xfree(step);
	return rc < 0 ? rc : 0;
}

/* Before it is reaped, so that the number is its own. */
static void kill_all(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
}

/* It has closed its pipes; a program that stays nevertheless is killed at the deadline. */
static int reap(struct child *c, pid_t pid, bool killed, int64_t until)
{
	int status = 0, rc = killed ? -ETIMEDOUT : 0;
	for (;;) {
		pid_t got = waitpid(pid, &status, killed ? 0 : WNOHANG);
		if (got == pid)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got != 0)
			continue;
		if (now_ms() >= until || is_cut(c)) {
			rc = is_cut(c) ? -ECANCELED : -ETIMEDOUT;
			kill_all(pid);
			killed = true;
		} else {
			(void)poll(NULL, 0, 1);
		}
	}
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	c->signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return rc;
}

int child_run(struct child *c, struct err *e)
{
	int out[2] = { -1, -1 }, said[2] = { -1, -1 };
	int64_t until = now_ms() + c->deadline_ms;
	pid_t pid = -1;
	c->said[0] = 0;
	c->status = c->signo = 0;
	int rc = pipe2(out, O_CLOEXEC) || pipe2(said, O_CLOEXEC) ? -errno : 0;
	rc = rc ? rc : spawn(c, out[1], said[1], &pid);
	close_it(&out[1]);
	close_it(&said[1]);
	if (rc) {
		close_it(&out[0]);
		close_it(&said[0]);
		return err_set(e, rc, "%s: cannot be started: %s", c->argv[0], strerror(-rc));
	}
	rc = collect(c, &out[0], &said[0], until);
	close_it(&out[0]);
	close_it(&said[0]);
	if (rc)
		kill_all(pid);
	int over = reap(c, pid, rc != 0, until);
	rc = rc ? rc : over;
	if (rc == -E2BIG)
		return err_set(e, rc, "%s: it wrote more than %zu bytes and was stopped",
			c->argv[0], c->out->max);
	if (rc == -ECANCELED)
		return err_set(e, rc, "%s: it was stopped", c->argv[0]);
	return rc ? err_set(e, rc, "%s: it did not end within %d s and was stopped", c->argv[0],
			    c->deadline_ms / 1000)
		  : 0;
}
