/* loop_notifier.c - see loop_notifier.h.
 * Bounds: one descriptor and one handle each. Sending is one write: who sends may be interrupted anywhere in it and keeps nobody waiting,
 * for no other write is left out in its favour.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/list.h"
#include "net/loop_notifier.h"

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct notifier *n = CONTAINER_OF(h, struct notifier, uv);
	eventfd_t sent;

	UNUSED(status);
	UNUSED(events);
	if (eventfd_read(n->fd, &sent) == 0) /* before what it was sent for is looked at */
		n->notified(n);
}

int notifier_open(struct notifier *n, uv_loop_t *uv, void (*notified)(struct notifier *n))
{
	n->notified = notified;
	n->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->fd < 0)
		return -errno;
	int rc = uv_poll_init(uv, &n->uv, n->fd);
	if (rc < 0) {
		close(n->fd);
		return rc;
	}
	REQUIRE(uv_poll_start(&n->uv, UV_READABLE, on_poll) == 0);
	return 0;
}

void notifier_send(struct notifier *n)
{
	int saved = errno;

	(void)eventfd_write(n->fd, 1); /* EAGAIN: 2^64 are unread, one is enough */
	errno = saved;
}

void notifier_keeps_alive(struct notifier *n, bool on)
{
	if (on)
		uv_ref((uv_handle_t *)&n->uv);
	else
		uv_unref((uv_handle_t *)&n->uv);
}

static void on_closed(uv_handle_t *h)
{
	struct notifier *n = CONTAINER_OF((uv_poll_t *)h, struct notifier, uv);

	if (n->closed)
		n->closed(n);
}

void notifier_close(struct notifier *n, void (*closed)(struct notifier *n))
{
	n->closed = closed;
	uv_close((uv_handle_t *)&n->uv, on_closed); /* polls no more */
	close(n->fd);
	n->fd = -1;
}
