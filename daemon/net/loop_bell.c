/* loop_bell.c - see loop_bell.h.
 * Bounds: one descriptor and one handle each. A ring is one write: who rings may be interrupted anywhere in it and keeps nobody waiting,
 * for no other ring is left out in its favour.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/list.h"
#include "net/loop_bell.h"

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct bell *b = CONTAINER_OF(h, struct bell, uv);
	eventfd_t n;

	UNUSED(status);
	UNUSED(events);
	if (eventfd_read(b->fd, &n) == 0) /* before what was rung for is looked at */
		b->heard(b);
}

int bell_open(struct bell *b, uv_loop_t *uv, void (*heard)(struct bell *b))
{
	b->heard = heard;
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->fd < 0)
		return -errno;
	int rc = uv_poll_init(uv, &b->uv, b->fd);
	if (rc < 0) {
		close(b->fd);
		return rc;
	}
	REQUIRE(uv_poll_start(&b->uv, UV_READABLE, on_poll) == 0);
	return 0;
}

void bell_ring(struct bell *b)
{
	int saved = errno;

	(void)eventfd_write(b->fd, 1); /* EAGAIN: 2^64 rings are unheard, one is enough */
	errno = saved;
}

void bell_keeps_alive(struct bell *b, bool on)
{
	if (on)
		uv_ref((uv_handle_t *)&b->uv);
	else
		uv_unref((uv_handle_t *)&b->uv);
}

static void on_closed(uv_handle_t *h)
{
	struct bell *b = CONTAINER_OF((uv_poll_t *)h, struct bell, uv);

	if (b->closed)
		b->closed(b);
}

void bell_close(struct bell *b, void (*closed)(struct bell *b))
{
	b->closed = closed;
	uv_close((uv_handle_t *)&b->uv, on_closed); /* polls no more */
	close(b->fd);
	b->fd = -1;
}
