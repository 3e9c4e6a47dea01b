/* calling.c - a mapped page that names what is under way. */
#include "base/calling.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int page_map(int fd, struct calling **ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	if (ftruncate(fd, sizeof(struct calling)) < 0)
		return -errno;
	/* a page that the disk has no room for would be a signal at its first word */
	int rc = posix_fallocate(fd, 0, sizeof(struct calling));
	if (rc != 0)
		return -rc;
	void *p = mmap(NULL, sizeof(struct calling), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
}

int calling_open(const char *path, struct calling **ret, struct calling *ret_was, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? -errno : page_map(fd, ret);

	if (rc < 0 && fd >= 0)
		(void)close(fd); /* else it holds the lock until the process ends */
	if (rc == -EADDRINUSE)
		return err_set(e, rc,
			"%s: another daemon is running on this runtime folder; give each a runtime_dir of its own",
			path);
	if (rc < 0)
		return err_set(e, rc, "%s: %s; it notes which delivery an adapter works on", path,
			strerror(-rc));
	*ret_was = **ret;
	if (ret_was->n > CALLING_MAX)
		ret_was->n = 0; /* not ours */
	calling_end(*ret);
	return 0;
}

void calling_begin(struct calling *c, const int64_t *item, size_t n)
{
	if (n > CALLING_MAX)
		n = CALLING_MAX;
	memcpy(c->item, item, n * sizeof(*item));
	atomic_signal_fence(memory_order_seq_cst);
	c->n = n;
	atomic_signal_fence(memory_order_seq_cst);
}

void calling_end(struct calling *c)
{
	atomic_signal_fence(memory_order_seq_cst);
	c->n = 0;
	atomic_signal_fence(memory_order_seq_cst);
}
