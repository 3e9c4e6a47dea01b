/* net_multi.c - one libcurl multi handle driven by the loop.
 * Thread: loop. Owns: the multi, one uv_poll_t per socket that libcurl asks about (freed in its close callback).
 * Rule: after every socket_action the finished transfers are collected; libcurl is never called from its own callback.
 */
#include "base/assert.h"
#include "net/net_curl.h"

struct net_sock {
	uv_poll_t poll;
	struct net_multi *mu;
	struct list node;
	curl_socket_t fd;
};

static void net_multi_collect(struct net_multi *mu)
{
	CURLMsg *msg;
	int left;
	while ((msg = curl_multi_info_read(mu->m, &left)) != NULL)
		if (msg->msg == CURLMSG_DONE)
			mu->on_done(mu, msg->easy_handle, msg->data.result);
}

static void net_multi_act(struct net_multi *mu, curl_socket_t fd, int events)
{
	int running;
	(void)curl_multi_socket_action(mu->m, fd, events, &running);
	net_multi_collect(mu);
}

static void net_multi_on_timer(struct timer *t)
{
	net_multi_act(CONTAINER_OF(t, struct net_multi, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void net_multi_on_poll(uv_poll_t *h, int status, int events)
{
	struct net_sock *so = h->data;
	struct loop *l = so->mu->net->loop;
	int what = 0;
	if (status < 0)
		what = CURL_CSELECT_ERR;
	if ((events & UV_READABLE) != 0)
		what |= CURL_CSELECT_IN;
	if ((events & UV_WRITABLE) != 0)
		what |= CURL_CSELECT_OUT;
	net_multi_act(so->mu, so->fd, what);
	loop_ran(l, (uintptr_t)net_multi_on_poll);
}

static void net_sock_closed(uv_handle_t *h)
{
	xfree(h->data);
}

static void net_sock_close(struct net_sock *so)
{
	list_del(&so->node);
	(void)uv_poll_stop(&so->poll);
	uv_close((uv_handle_t *)&so->poll, net_sock_closed);
}

static struct net_sock *net_sock_new(struct net_multi *mu, curl_socket_t fd)
{
	struct net_sock *so = x_calloc(1, sizeof(*so));
	so->mu = mu;
	so->fd = fd;
	so->poll.data = so;
	if (uv_poll_init_socket(loop_uv(mu->net->loop), &so->poll, fd) != 0) {
		xfree(so);
		return NULL;
	}
	list_push(&mu->socks, &so->node);
	return so;
}

static int net_multi_on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
	struct net_multi *mu = ctx;
	struct net_sock *so = assigned;
	UNUSED(easy);
	if (what == CURL_POLL_REMOVE) {
		if (so != NULL) {
			(void)curl_multi_assign(mu->m, fd, NULL);
			net_sock_close(so);
		}
		return 0;
	}
	if (so == NULL) {
		so = net_sock_new(mu, fd);
		if (so == NULL)
			return -1;
		(void)curl_multi_assign(mu->m, fd, so);
	}
	int events = what == CURL_POLL_IN ? UV_READABLE
		: what == CURL_POLL_OUT   ? UV_WRITABLE
					  : UV_READABLE | UV_WRITABLE;
	return uv_poll_start(&so->poll, events, net_multi_on_poll) == 0 ? 0 : -1;
}

static int net_multi_on_timeout(CURLM *m, long ms, void *ctx)
{
	struct net_multi *mu = ctx;
	UNUSED(m);
	if (ms < 0)
		timer_stop(mu->net->env, &mu->timer);
	else
		timer_set(mu->net->env, &mu->timer, env_mono(mu->net->env) + ms);
	return 0;
}

void net_multi_init(struct net_multi *mu, struct net_curl *nc, long conns_max,
	void (*on_done)(struct net_multi *mu, CURL *easy, CURLcode code))
{
	mu->net = nc;
	mu->on_done = on_done;
	list_init(&mu->socks);
	timer_init(&mu->timer, net_multi_on_timer);
	mu->m = curl_multi_init();
	REQUIRE(mu->m != NULL);
	(void)curl_multi_setopt(mu->m, CURLMOPT_SOCKETFUNCTION, net_multi_on_socket);
	(void)curl_multi_setopt(mu->m, CURLMOPT_SOCKETDATA, mu);
	(void)curl_multi_setopt(mu->m, CURLMOPT_TIMERFUNCTION, net_multi_on_timeout);
	(void)curl_multi_setopt(mu->m, CURLMOPT_TIMERDATA, mu);
	(void)curl_multi_setopt(mu->m, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	(void)curl_multi_setopt(mu->m, CURLMOPT_MAXCONNECTS, conns_max);
}

void net_multi_done(struct net_multi *mu)
{
	if (mu->m == NULL)
		return;
	(void)curl_multi_cleanup(mu->m);
	mu->m = NULL;
	timer_stop(mu->net->env, &mu->timer);
	LIST_FOR_SAFE(&mu->socks, it, nx)
	net_sock_close(CONTAINER_OF(it, struct net_sock, node));
}
