/* bench_curl_loop.c - the bare peer of the bench: libcurl connects, we speak pipelined SMTP over it in a libuv loop. No store.
 * usage: bench_curl_loop HOST PORT MAILS CONNECTIONS BYTES. Prints {"mails":…,"seconds":…,"rate":…,"cpu_us":…}.
 * Each mail has its own recipient line and To field; the body is one shared block. Failures: a message and exit 1.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <curl/curl.h>
#include <uv.h>

#define CONNS_MAX 64
#define OUT_MAX   16384

enum step {
	STEP_OPEN = 3,
	STEP_FINAL = 1
}; /* replies that stand before the next mail may be written */

struct conn {
	CURL *easy;
	uv_poll_t poll;
	char out[OUT_MAX];
	size_t n, sent;
	int lines;     /* reply lines still to come before the next write */
	bool has_mail; /* DATA was asked for a mail */
	bool line_start, over;
	unsigned long number;
	int events;
};

static struct conn conns[CONNS_MAX];
static unsigned long mails_max, mails_begun, mails_done;
static size_t body_n;
static char *body;
static uv_loop_t loop;

static void die(const char *what)
{
	fprintf(stderr, "bench_curl_loop: %s\n", what);
	exit(1);
}

static void envelope_add(struct conn *c)
{
	c->has_mail = mails_begun < mails_max;
	if (!c->has_mail)
		return;
	c->number = mails_begun++;
	c->n += (size_t)snprintf(c->out + c->n, OUT_MAX - c->n,
		"MAIL FROM:<bench@bhxh.example>\r\nRCPT TO:<p%lu@list.example>\r\nDATA\r\n",
		c->number);
	c->lines += STEP_OPEN;
}

static void on_poll(uv_poll_t *h, int status, int events);

static void want(struct conn *c, int events)
{
	if (c->events != events && uv_poll_start(&c->poll, events, on_poll) != 0)
		die("poll");
	c->events = events;
}

static void flush(struct conn *c)
{
	while (c->sent < c->n) {
		size_t k = 0;
		CURLcode rc = curl_easy_send(c->easy, c->out + c->sent, c->n - c->sent, &k);
		if (rc == CURLE_AGAIN) {
			want(c, UV_READABLE | UV_WRITABLE);
			return;
		}
		if (rc != CURLE_OK)
			die(curl_easy_strerror(rc));
		c->sent += k;
	}
	c->n = c->sent = 0;
	want(c, UV_READABLE);
}

/* The 354 stands: text, dot, and the envelope of the next mail behind it in one write. */
static void next(struct conn *c)
{
	c->lines = 0;
	if (c->has_mail) {
		c->n += (size_t)snprintf(c->out + c->n, OUT_MAX - c->n,
			"To: <p%lu@list.example>\r\nMessage-ID: <%lu@bench.example>\r\n", c->number,
			c->number);
		memcpy(c->out + c->n, body, body_n);
		c->n += body_n;
		c->lines = STEP_FINAL;
	}
	envelope_add(c);
	if (c->lines == 0) {
		c->over = true;
		(void)uv_poll_stop(&c->poll);
		return;
	}
	flush(c);
}

static void reply_bytes(struct conn *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c->line_start && p[i] != '2' && p[i] != '3')
			die("the server refuses");
		c->line_start = p[i] == '\n';
		if (p[i] != '\n')
			continue;
		if (c->lines == STEP_FINAL + STEP_OPEN || (c->lines == STEP_FINAL && !c->has_mail))
			mails_done++;
		c->lines--;
		if (c->lines == 0) {
			next(c);
			return; /* nothing may stand behind the reply that we waited for */
		}
	}
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct conn *c = h->data;
	char in[4096];
	size_t n = 0;

	if (status < 0)
		die("connection");
	if (events & UV_WRITABLE)
		flush(c);
	if (!(events & UV_READABLE))
		return;
	CURLcode rc = curl_easy_recv(c->easy, in, sizeof(in), &n);
	if (rc == CURLE_AGAIN)
		return;
	if (rc != CURLE_OK || n == 0)
		die("the server went");
	reply_bytes(c, in, n);
}

static void connect_all(const char *host, const char *port, int n)
{
	CURLM *m = curl_multi_init();
	char url[300];
	int running = 1, left = n;

	snprintf(url, sizeof(url), "smtp://%s:%s/bench.example", host, port);
	for (int i = 0; i < n; i++) {
		CURL *e = conns[i].easy = curl_easy_init();
		if (!e)
			die("no memory");
		curl_easy_setopt(e, CURLOPT_URL, url);
		curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
		curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(e, CURLOPT_PROXY, "");
		curl_multi_add_handle(m, e);
	}
	while (left > 0) {
		int q;
		CURLMsg *msg;
		if (curl_multi_perform(m, &running) != CURLM_OK)
			die("connect");
		while ((msg = curl_multi_info_read(m, &q)) != NULL) {
			if (msg->data.result != CURLE_OK)
				die(curl_easy_strerror(msg->data.result));
			left--;
		}
		if (left > 0)
			(void)curl_multi_poll(m, NULL, 0, 100, NULL);
	}
}

static void conn_start(struct conn *c)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD || uv_poll_init_socket(&loop, &c->poll, fd) != 0)
		die("socket");
	c->poll.data = c;
	c->line_start = true;
	envelope_add(c);
	if (c->has_mail)
		flush(c);
}

static void body_make(size_t n)
{
	static const char head[] = "From: <bench@bhxh.example>\r\nSubject: bench\r\n\r\n";

	if (n < sizeof(head) + 200 || n > OUT_MAX - 1024)
		die("bytes: 300 to 15000");
	body = calloc(1, n + 8);
	if (!body)
		die("no memory");
	body_n = sizeof(head) - 1;
	memcpy(body, head, body_n);
	while (body_n < n - 80) {
		memset(body + body_n, 'x', 70);
		memcpy(body + body_n + 70, "\r\n", 2);
		body_n += 72;
	}
	memcpy(body + body_n, ".\r\n", 3);
	body_n += 3;
}

int main(int argc, char **argv)
{
	struct rusage ru;

	if (argc != 6)
		die("usage: HOST PORT MAILS CONNECTIONS BYTES");
	mails_max = strtoul(argv[3], NULL, 10);
	int n = (int)strtol(argv[4], NULL, 10);
	if (n < 1 || n > CONNS_MAX || mails_max < 1)
		die("1 to 64 connections, at least one mail");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	body_make(strtoul(argv[5], NULL, 10));
	uv_loop_init(&loop);
	connect_all(argv[1], argv[2], n);
	uint64_t from = uv_hrtime();
	for (int i = 0; i < n; i++)
		conn_start(&conns[i]);
	uv_run(&loop, UV_RUN_DEFAULT);
	double s = (double)(uv_hrtime() - from) / 1e9;
	if (mails_done != mails_max)
		die("not all mails were taken");
	getrusage(RUSAGE_SELF, &ru);
	double cpu = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6 +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
	printf("{\"mails\":%lu,\"seconds\":%.3f,\"rate\":%.0f,\"cpu_us\":%.1f}\n", mails_done, s,
		(double)mails_done / s, cpu / (double)mails_done);
	return 0;
}
