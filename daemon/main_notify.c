/* main_notify.c - readiness and watchdog for the service manager: one datagram each, as sd_notify(3) describes. Loop thread. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/assert.h"
#include "main_app.h"

void notify_state(const struct app *a, const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = a->notify_path ? strlen(a->notify_path) : 0;
	if (!n || n >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, a->notify_path, n);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	/* Nobody may be listening: that is no failure of ours. */
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	(void)close(fd);
}

static void on_watchdog(struct timer *t)
{
	struct app *a = CONTAINER_OF(t, struct app, watchdog);
	notify_state(a, "WATCHDOG=1");
	timer_set(a->env, t, env_mono(a->env) + a->watchdog_ms);
}

void notify_open(struct app *a)
{
	const char *usec = getenv("WATCHDOG_USEC");
	int64_t us;
	a->notify_path = getenv("NOTIFY_SOCKET");
	timer_init(&a->watchdog, on_watchdog);
	if (!usec || str_i64(str_of(usec), 1000, INT64_MAX, &us))
		return;
	a->watchdog_ms = us / 2000 ? us / 2000 : 1;
	timer_set(a->env, &a->watchdog, env_mono(a->env) + a->watchdog_ms);
}
