/* api_listener.c - libmicrohttpd in the loop: its epoll descriptor in a uv_poll_t, its timeout in a struct timer.
 * Thread: loop. Owns: the daemon object, its listening socket, the poll handle.
 * Failures: an address that cannot be had is told with its reason. A connection that takes too long to say or to hear
 * something is shut down by the sweep, so that no client holds a place for ever.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "api/api_http.h"
#include "base/assert.h"
#include "base/log.h"

#define LISTENER_MAGIC 0x6c697374u
#define SWEEP_MS       1000
#define SEND_MS        600000 /* to send one answer */
#define RUNS_MAX       4u
#define BACKLOG        128

/* --- the wheel ------------------------------------------------------------------------------- */

static void api_listener_turn(struct api_listener *li)
{
	MHD_UNSIGNED_LONG_LONG ms;
	unsigned runs = 0;
	do { /* at its limit the library listens again only in the run after the one that made room */
		li->made_room = false;
		(void)MHD_run(li->daemon);
	} while (li->made_room && ++runs < RUNS_MAX);
	if (MHD_get_timeout(li->daemon, &ms) != MHD_YES)
		timer_stop(li->env, &li->timer);
	else
		timer_set(li->env, &li->timer,
			env_mono(li->env) + (int64_t)(ms < 60000 ? ms : 60000));
}

static void api_on_poll(uv_poll_t *h, int status, int events)
{
	struct api_listener *li = h->data;
	UNUSED(status);
	UNUSED(events);
	CHECK_OBJ(li, LISTENER_MAGIC);
	struct loop *l = li->loop;
	api_listener_turn(li);
	loop_ran(l, (uintptr_t)api_on_poll);
}

static void api_on_timer(struct timer *t)
{
	api_listener_turn(CONTAINER_OF(t, struct api_listener, timer));
}

static void api_on_run(struct task *t)
{
	api_listener_turn(CONTAINER_OF(t, struct api_listener, run));
}

static void api_on_sweep(struct timer *t)
{
	struct api_listener *li = CONTAINER_OF(t, struct api_listener, sweep);
	int64_t now = env_mono(li->env);
	LIST_FOR(&li->conns, it)
	{
		struct api_conn *co = CONTAINER_OF(it, struct api_conn, node);
		if (now - co->since_ms > (co->receiving ? li->request_ms : SEND_MS))
			(void)shutdown(
				co->fd, SHUT_RDWR); /* libmicrohttpd sees the end and cleans up */
	}
	timer_set(li->env, t, now + SWEEP_MS);
	api_listener_turn(li); /* descriptors may have run out and be there again */
}

/* --- callbacks of libmicrohttpd -------------------------------------------------------------- */

static void api_on_conn(void *ctx, struct MHD_Connection *mc, void **socket_ctx,
	enum MHD_ConnectionNotificationCode code)
{
	struct api_listener *li = ctx;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		struct api_conn *old = *socket_ctx;
		li->made_room = true;
		list_del(&old->node);
		xfree(old);
		*socket_ctx = NULL;
		return;
	}
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mc, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct api_conn *co = x_calloc(1, sizeof(*co));
	co->fd = info != NULL ? info->connect_fd : -1;
	co->receiving = true;
	co->since_ms = env_mono(li->env);
	list_push(&li->conns, &co->node);
	*socket_ctx = co;
}

static void *api_on_uri(void *ctx, const char *uri, struct MHD_Connection *mc)
{
	return api_call_new(ctx, mc, uri);
}

static enum MHD_Result api_on_access(void *ctx, struct MHD_Connection *mc, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **call)
{
	UNUSED(ctx);
	UNUSED(mc);
	UNUSED(url);
	UNUSED(version);
	return api_call_step(*call, method, data, size);
}

static void api_on_completed(
	void *ctx, struct MHD_Connection *mc, void **call, enum MHD_RequestTerminationCode code)
{
	UNUSED(ctx);
	UNUSED(mc);
	UNUSED(code);
	if (*call != NULL)
		api_call_over(*call);
	*call = NULL;
}

/* What we pass on is as it was sent. */
static size_t api_on_unescape(void *ctx, struct MHD_Connection *mc, char *s)
{
	UNUSED(ctx);
	UNUSED(mc);
	return strlen(s);
}

__attribute__((format(printf, 2, 0))) static void api_on_log(void *ctx, const char *fmt, va_list ap)
{
	char text[200];
	struct api_listener *li = ctx;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	log_line(LOG_DEBUG, "ev=api.library listener=%s text=%s", li->name,
		LOG_Q(str_trim(str_of(text))));
}

/* --- opening --------------------------------------------------------------------------------- */

static int api_split(const char *address, char *host, size_t size, char *port, size_t port_size)
{
	const char *colon = strrchr(address, ':');
	if (colon == NULL || colon == address)
		return -EINVAL;
	struct str h = { address, (size_t)(colon - address) };
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = (struct str){ h.p + 1, h.n - 2 };
	return str_copy(host, size, h) && str_copy(port, port_size, str_of(colon + 1)) ? 0
										       : -EINVAL;
}

static int api_bind(const char *address, const struct addrinfo *ai, int *ret_fd, uint16_t *ret_port,
	struct err *e)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char port[16];
	int one = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0 &&
			getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
			getnameinfo((struct sockaddr *)&sa, len, NULL, 0, port, sizeof(port),
				NI_NUMERICSERV) == 0) {
			int64_t n = 0;
			(void)str_i64(str_of(port), 0, 65535, &n);
			*ret_fd = fd;
			*ret_port = (uint16_t)n;
			return 0;
		}
	}
	int code = -errno;
	if (fd >= 0)
		(void)close(fd);
	return err_set(e, code, "cannot listen on %s: %s", address, strerror(-code));
}

static int api_listen(const char *address, int *ret_fd, uint16_t *ret_port, struct err *e)
{
	char host[64], port[16];
	struct addrinfo *ai = NULL,
			hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				.ai_socktype = SOCK_STREAM };
	if (api_split(address, host, sizeof(host), port, sizeof(port)) != 0 ||
		getaddrinfo(host, port, &hints, &ai) != 0)
		return err_set(e, -EINVAL,
			"'%s' is no address to listen on; right would be 127.0.0.1:8480 or [::1]:8480",
			address);
	int r = api_bind(address, ai, ret_fd, ret_port, e);
	freeaddrinfo(ai);
	return r;
}

static struct MHD_Daemon *api_daemon(struct api_listener *li, int fd, unsigned conns_max)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
		NULL, NULL, api_on_access, li, MHD_OPTION_EXTERNAL_LOGGER, api_on_log, li,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, conns_max,
		MHD_OPTION_CONNECTION_TIMEOUT, API_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)API_HEAD_MAX, MHD_OPTION_URI_LOG_CALLBACK, api_on_uri, li,
		MHD_OPTION_UNESCAPE_CALLBACK, api_on_unescape, li, MHD_OPTION_NOTIFY_CONNECTION,
		api_on_conn, li, MHD_OPTION_NOTIFY_COMPLETED, api_on_completed, li,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static int api_watch(struct api_listener *li, struct loop *l)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		li->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL)
		return -ENOSYS;
	li->poll = x_calloc(1, sizeof(*li->poll));
	int r = uv_poll_init(loop_uv(l), li->poll, info->epoll_fd);
	if (r != 0) {
		xfree(li->poll);
		li->poll = NULL;
		return r;
	}
	li->loop = l;
	li->poll->data = li;
	return uv_poll_start(li->poll, UV_READABLE, api_on_poll);
}

static struct api_listener *api_listener_new(struct loop *l, const struct api_listener_options *o)
{
	struct api_listener *li = x_calloc(1, sizeof(*li));
	li->magic = LISTENER_MAGIC;
	li->name = o->name;
	li->env = loop_env(l);
	li->find = o->find;
	li->ctx = o->ctx;
	li->request_ms = o->request_ms > 0 ? o->request_ms : API_REQUEST_MS;
	li->answer_ms = o->answer_ms > 0 ? o->answer_ms : API_ANSWER_MS;
	list_init(&li->calls);
	list_init(&li->conns);
	timer_init(&li->timer, api_on_timer);
	timer_init(&li->sweep, api_on_sweep);
	task_init(&li->run, api_on_run);
	return li;
}

int api_listener_open(struct loop *l, const struct api_listener_options *o,
	struct api_listener **ret, struct err *e)
{
	int fd = -1;
	uint16_t port = 0;
	int r = api_listen(o->address, &fd, &port, e);
	if (r != 0)
		return r;
	struct api_listener *li = api_listener_new(l, o);
	li->port = port;
	li->daemon = api_daemon(li, fd, o->conns_max);
	if (li->daemon == NULL) {
		(void)close(fd);
		xfree(li);
		return err_set(e, -EIO, "libmicrohttpd does not start on %s", o->address);
	}
	REQUIRE(api_watch(li, l) == 0); /* a fresh descriptor of its own */
	timer_set(li->env, &li->sweep, env_mono(li->env) + SWEEP_MS);
	*ret = li;
	return 0;
}

/* --- closing --------------------------------------------------------------------------------- */

struct api_goodbye {
	uv_poll_t *poll;
	void (*closed)(void *ctx);
	void *ctx;
};

static void api_on_closed(uv_handle_t *h)
{
	struct api_goodbye *g = h->data;
	g->closed(g->ctx);
	xfree(g->poll);
	xfree(g);
}

void api_listener_close(struct api_listener *li, void (*closed)(void *ctx), void *ctx)
{
	CHECK_OBJ(li, LISTENER_MAGIC);
	struct api_goodbye *g = x_calloc(1, sizeof(*g));
	*g = (struct api_goodbye){ li->poll, closed, ctx };
	(void)uv_poll_stop(li->poll);
	li->poll->data = g;
	timer_stop(li->env, &li->timer);
	timer_stop(li->env, &li->sweep);
	LIST_FOR(&li->calls, it) /* stopping with suspended connections is not allowed */
	api_call_give_up(CONTAINER_OF(it, struct api_call, node), MHD_HTTP_SERVICE_UNAVAILABLE);
	MHD_stop_daemon(li->daemon);
	task_cancel(&li->run);
	uv_close((uv_handle_t *)g->poll, api_on_closed);
	REQUIRE(list_empty(&li->calls) && list_empty(&li->conns));
	li->magic = 0;
	xfree(li);
}
