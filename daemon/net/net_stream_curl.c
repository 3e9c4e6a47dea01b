/* net_stream_curl.c - TCP, TLS, SMTP and SMTPS streams: libcurl connects (CONNECT_ONLY), we move the bytes.
 * Thread: loop. Owns: the easy handle, the poll handle of its socket once it is open.
 * libcurl does names, proxy, TLS, and for SMTP greeting, EHLO, STARTTLS, AUTH, without waiting. It sends no QUIT: a
 * CONNECT_ONLY connection that is removed counts as dead for it. Its socket is read once right after the connect, which
 * ties the connection to its handle, else the next transfer of the multi would close it as unused.
 * TLS: at most one record is offered at a time, so that "again" means that no whole record left; it is retried with the
 * same bytes at the same address.
 */
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "net/net_smtp.h"
#include "net/net_stream.h"

#define TLS_RECORD 16384u
#define PUMP_MAX   (1024u * 1024) /* bytes of one stream in one turn */
#define READS_MAX  8u             /* of NET_RX bytes in one turn */

#define NO_AUTH "log-in is configured, but the server offers no AUTH that we speak"

struct stream_curl {
	CURL *easy;
	bool tls, polled;
	bool choose_auth; /* of the ways to log in that the server offers */
	uv_poll_t *poll;  /* own memory: freed in its close callback */
	int events;
	size_t retry_n; /* TLS: length of the record that waits for room */
	struct net_stream *stream;
	struct task rx_more;
	char errbuf[CURL_ERROR_SIZE];
};

static void stream_curl_poll(struct net_stream *s, int events);

/* --- reading and writing --------------------------------------------------------------------- */

static void stream_curl_fail(struct net_stream *s, CURLcode code)
{
	char text[CURL_ERROR_SIZE];
	net_error_text(text, sizeof(text), code, s->curl->errbuf);
	stream_die(s, net_error_code(code), text);
}

static void stream_curl_read(struct net_stream *s)
{
	for (unsigned i = 0; i < READS_MAX && !s->dead; i++) {
		size_t n = 0;
		CURLcode rc = curl_easy_recv(s->curl->easy, s->nc->rx, NET_RX, &n);
		if (rc == CURLE_AGAIN)
			return;
		if (rc != CURLE_OK) {
			stream_curl_fail(s, rc);
			return;
		}
		if (n == 0) {
			stream_die(s, 0, NULL);
			return;
		}
		stream_progress(s);
		stream_data(s, (struct str){ s->nc->rx, n });
		if (n < NET_RX && !s->curl->tls)
			return; /* the poll tells of more */
	}
	if (!s->dead)
		env_defer(s->nc->env,
			&s->curl->rx_more); /* TLS may hold bytes that the socket does not show */
}

static void stream_curl_on_more(struct task *t)
{
	struct stream_curl *c = CONTAINER_OF(t, struct stream_curl, rx_more);
	if (!c->stream->dead)
		stream_curl_read(c->stream);
}

static void stream_curl_pump(struct net_stream *s)
{
	size_t moved = 0, n = 0;
	const char *p;
	bool again = false;
	while (moved < PUMP_MAX && (n = out_peek(&s->out, &p)) > 0) {
		size_t sent = 0;
		if (s->curl->tls)
			n = s->curl->retry_n > 0 ? s->curl->retry_n
				: n < TLS_RECORD ? n
						 : TLS_RECORD;
		CURLcode rc = curl_easy_send(s->curl->easy, p, n, &sent);
		if (rc == CURLE_OK && sent > 0) {
			s->curl->retry_n = 0;
			out_sent(&s->out, sent);
			moved += sent;
			continue;
		}
		if (rc != CURLE_AGAIN && rc != CURLE_OK) {
			stream_curl_read(s); /* what the peer said before it went */
			if (!s->dead)
				stream_curl_fail(s, rc);
			return;
		}
		s->curl->retry_n =
			n; /* the same bytes again, else a part of them could leave uncounted */
		again = true;
		break;
	}
	if (moved > 0)
		stream_progress(s);
	stream_curl_poll(s, again ? UV_READABLE | UV_WRITABLE : UV_READABLE);
	if (!again && n > 0)
		stream_mark_dirty(s); /* the others first */
	stream_after_write(s);
}

static void stream_curl_on_poll(uv_poll_t *h, int status, int events)
{
	struct net_stream *s = h->data;
	CHECK_OBJ(s, STREAM_MAGIC);
	if (s->dead)
		return;
	struct loop *l = s->nc->loop;
	if (status < 0 || (events & UV_READABLE) != 0)
		stream_curl_read(s);
	if (!s->dead && (s->curl->events & UV_WRITABLE) != 0)
		stream_curl_pump(s); /* over TLS a write may have waited for a read */
	loop_ran(l, (uintptr_t)stream_curl_on_poll);
}

static void stream_curl_poll(struct net_stream *s, int events)
{
	struct stream_curl *c = s->curl;
	if (c->events == events)
		return;
	c->events = events;
	if (uv_poll_start(c->poll, events, stream_curl_on_poll) != 0)
		stream_die(s, -EIO, "the socket cannot be watched");
}

/* --- the end --------------------------------------------------------------------------------- */

static void stream_curl_finish(struct net_stream *s)
{
	stream_die(s, 0, NULL);
}

static void stream_curl_poll_closed(uv_handle_t *h)
{
	xfree(h);
}

static void stream_curl_stop(struct net_stream *s)
{
	struct stream_curl *c = s->curl;
	if (c == NULL)
		return;
	s->curl = NULL;
	task_cancel(&c->rx_more);
	if (c->polled) {
		(void)uv_poll_stop(c->poll);
		uv_close((uv_handle_t *)c->poll, stream_curl_poll_closed);
	} else {
		xfree(c->poll);
	}
	(void)curl_multi_remove_handle(s->nc->streams.m, c->easy);
	curl_easy_cleanup(c->easy);
	xfree(c);
}

/* libcurl's limit of the connect holds up to the log-in: once there is a connection it is made longer. It is not long from the
 * start, because libcurl gives the first of several addresses a half of it. */
static bool stream_curl_connected(struct net_stream *s)
{
	curl_off_t us = 0;
	if (curl_easy_getinfo(s->curl->easy, CURLINFO_CONNECT_TIME_T, &us) != CURLE_OK || us == 0)
		return false;
	(void)curl_easy_setopt(s->curl->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)s->open_ms);
	return true;
}

static const struct stream_transport stream_curl_transport = {
	.connected = stream_curl_connected,
	.pump = stream_curl_pump,
	.finish = stream_curl_finish,
	.stop = stream_curl_stop,
};

/* --- opening --------------------------------------------------------------------------------- */

static size_t stream_curl_on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct net_stream *s = ctx;
	CHECK_OBJ(s, STREAM_MAGIC);
	if (buf_add(&s->said, p, size * n) != 0)
		return 0;
	smtp_ehlo_mend(
		p, size * n, s->curl->tls, s->curl->choose_auth); /* before libcurl reads it */
	return size * n;
}

static size_t stream_curl_discard(char *p, size_t size, size_t n, void *ctx)
{
	UNUSED(p);
	UNUSED(ctx);
	return size * n;
}

static void stream_curl_refused(struct net_stream *s, CURLcode code)
{
	struct smtp_opening o;
	char text[CURL_ERROR_SIZE];
	smtp_opening_parse(buf_str(&s->said), &o);
	s->refusal = o.last;
	if (code == CURLE_LOGIN_DENIED && str_starts(o.last, "250")) /* nobody was asked */
		(void)snprintf(text, sizeof(text), "%s", NO_AUTH);
	else
		net_error_text(text, sizeof(text), code, s->curl->errbuf);
	stream_die(s, net_error_code(code), text);
}

/* The socket is ours from here on. */
static void stream_curl_ready(struct net_stream *s)
{
	struct stream_curl *c = s->curl;
	curl_socket_t fd = CURL_SOCKET_BAD;
	size_t n = 0;
	struct smtp_opening o = { .ehlo = STR("") };
	CURLcode rc = curl_easy_recv(
		c->easy, s->nc->rx, NET_RX, &n); /* ties the connection to its handle */
	(void)curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD || (rc != CURLE_OK && rc != CURLE_AGAIN)) {
		stream_die(s, -ECONNRESET, "the connection was lost at once");
		return;
	}
	if (s->kind == NET_SMTP || s->kind == NET_SMTPS)
		smtp_opening_parse(buf_str(&s->said), &o);
	if (s->need_auth && !o.logged_in) {
		stream_die(s, -EACCES, NO_AUTH);
		return;
	}
	if (uv_poll_init_socket(loop_uv(s->nc->loop), c->poll, fd) != 0) {
		stream_die(s, -EIO, "the socket cannot be watched");
		return;
	}
	c->polled = true;
	c->poll->data = s;
	stream_curl_poll(s, UV_READABLE);
	stream_opened(s, o.ehlo);
	if (rc == CURLE_OK && n == 0)
		stream_die(s, 0, NULL);
	else if (rc == CURLE_OK)
		stream_data(s, (struct str){ s->nc->rx, n });
}

void net_stream_on_done(struct net_multi *mu, CURL *easy, CURLcode code)
{
	char *priv = NULL;
	UNUSED(mu);
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &priv);
	struct net_stream *s = (struct net_stream *)(void *)priv;
	CHECK_OBJ(s, STREAM_MAGIC);
	if (s->dead || s->was_open)
		return;
	if (code != CURLE_OK)
		stream_curl_refused(s, code);
	else
		stream_curl_ready(s);
}

static void stream_curl_set_url(CURL *easy, const struct net_stream_req *req)
{
	static const char *const scheme[] = {
		[NET_TCP] = "http", [NET_TLS] = "https", [NET_SMTP] = "smtp", [NET_SMTPS] = "smtps"
	};
	char url[1024];
	bool v6 = memchr(req->host.p, ':', req->host.n) != NULL;
	bool smtp = req->kind == NET_SMTP || req->kind == NET_SMTPS;
	(void)snprintf(url, sizeof(url), "%s://%s" STR_FMT "%s:%u/" STR_FMT, scheme[req->kind],
		v6 ? "[" : "", STR_ARG(req->host), v6 ? "]" : "", (unsigned)req->port,
		STR_ARG(smtp ? req->ehlo_name : STR("")));
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
}

static void stream_curl_set_login(CURL *easy, const struct net_stream_req *req)
{
	char *user = x_strndup(req->user.p, req->user.n);
	char *password = x_strndup(req->password.p != NULL ? req->password.p : "", req->password.n);
	(void)curl_easy_setopt(easy, CURLOPT_USERNAME, user);
	if (req->login_options.n > 0) {
		char *o = x_strndup(req->login_options.p, req->login_options.n);
		(void)curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, o);
		if (strstr(o, "OAUTH") != NULL)
			(void)curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, password);
		else
			(void)curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
		xfree(o);
	} else {
		(void)curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
	}
	wipe(password, req->password.n);
	xfree(password);
	xfree(user);
}

static void stream_curl_set_up(struct net_stream *s, const struct net_stream_req *req)
{
	CURL *h = s->curl->easy;
	bool smtp = req->kind == NET_SMTP || req->kind == NET_SMTPS;
	long ms = s->open_ms;
	net_easy_setup(h, req->profile, smtp ? "smtp,smtps" : "http,https");
	if (req->any_certificate)
		net_easy_any_certificate(h);
	stream_curl_set_url(h, req);
	(void)curl_easy_setopt(h, CURLOPT_PRIVATE, s);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, s->curl->errbuf);
	(void)curl_easy_setopt(h, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, s->tcp_ms > 0 ? (long)s->tcp_ms : ms);
	(void)curl_easy_setopt(h, CURLOPT_SERVER_RESPONSE_TIMEOUT, (ms + 999) / 1000);
	(void)curl_easy_setopt(h, CURLOPT_SSL_ENABLE_ALPN, 0L);
	(void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, stream_curl_discard);
	if (!smtp) {
		(void)curl_easy_setopt(h, CURLOPT_HTTPPROXYTUNNEL, 1L);
		return;
	}
	(void)curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, stream_curl_on_header);
	(void)curl_easy_setopt(h, CURLOPT_HEADERDATA, s);
	if (req->starttls)
		(void)curl_easy_setopt(h, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	if (req->user.n > 0)
		stream_curl_set_login(h, req);
}

int stream_curl_open(struct net_stream *s, const struct net_stream_req *req)
{
	struct stream_curl *c = x_calloc(1, sizeof(*c));
	c->easy = curl_easy_init();
	if (c->easy == NULL) {
		xfree(c);
		return -ENOMEM;
	}
	c->poll = x_calloc(1, sizeof(*c->poll));
	c->stream = s;
	c->tls = req->kind == NET_TLS || req->kind == NET_SMTPS ||
		(req->kind == NET_SMTP && req->starttls);
	task_init(&c->rx_more, stream_curl_on_more);
	s->curl = c;
	s->transport = &stream_curl_transport;
	s->need_auth = req->user.n > 0 && (req->kind == NET_SMTP || req->kind == NET_SMTPS);
	c->choose_auth = s->need_auth && req->login_options.n == 0;
	stream_curl_set_up(s, req);
	REQUIRE(curl_multi_add_handle(s->nc->streams.m, c->easy) == CURLM_OK);
	return 0;
}
