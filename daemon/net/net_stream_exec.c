/* net_stream_exec.c - a configured program as a byte stream: our writes are its standard input, its output is DATA.
 * Thread: loop. Owns: the process and its three pipes, in memory of their own that goes when all four handles are closed.
 * The program gets a minimal environment and the root folder. Its end closes the stream with its exit status; the last
 * bytes of its standard error come with CLOSED. Graceful close: end of input, then TERM after a while, then KILL, each to the
 * program and to what it has started: it leads a session of its own.
 */
#include <signal.h>
#include <string.h>
#include "base/assert.h"
#include "net/net_stream.h"

#define EXEC_MAGIC      0x65786563u
#define EXEC_WAIT_MS    30000 /* from end of input to TERM */
#define EXEC_TERM_MS    2000  /* from TERM to KILL */
#define EXEC_LINGER_MS  1000  /* from exit to giving up on its pipes: a grandchild may hold them */
#define EXEC_PUMP_MAX   (1024u * 1024)
#define EXEC_STDERR_MAX 4096u

struct stream_exec {
	uint32_t magic;
	struct env *env;
	char *rx; /* borrowed from net; not used once stopped */
	struct list node;
	struct net_stream *stream; /* NULL once stopped */
	uv_process_t process;
	uv_pipe_t pipe[3];
	uv_write_t write;
	uv_shutdown_t end_input;
	struct timer timer;
	int handles;    /* open ones */
	size_t writing; /* bytes that uv_write holds */
	bool exited, ended[3], input_closed, termed;
	int status;
};

/* --- the end --------------------------------------------------------------------------------- */

static void exec_closed(uv_handle_t *h)
{
	struct stream_exec *x = h->data;
	CHECK_OBJ(x, EXEC_MAGIC);
	if (--x->handles > 0)
		return;
	list_del(&x->node);
	x->magic = 0;
	xfree(x);
}

static void exec_close(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, exec_closed);
}

/* The stream is over when the program has ended and its output is read to the end. */
static void exec_check_over(struct stream_exec *x)
{
	struct net_stream *s = x->stream;
	if (s == NULL || s->dead || !x->exited || !x->ended[1] || !x->ended[2])
		return;
	s->exit_status = x->status;
	s->refusal = buf_str(&s->said);
	stream_die(s, 0, NULL);
}

static void exec_on_exit(uv_process_t *p, int64_t status, int signo)
{
	struct stream_exec *x = p->data;
	CHECK_OBJ(x, EXEC_MAGIC);
	x->exited = true;
	x->status = signo != 0 ? 128 + signo : (int)status;
	timer_stop(x->env, &x->timer);
	if (x->stream == NULL) {
		list_del(&x->node);
		exec_close((uv_handle_t *)p);
		return;
	}
	timer_set(x->env, &x->timer, env_mono(x->env) + EXEC_LINGER_MS);
	exec_check_over(x);
}

/* To the whole group. The program is not reaped before exec_on_exit, so that its number cannot be another's. */
static void exec_signal(const struct stream_exec *x, int signo)
{
	const pid_t leader = uv_process_get_pid(&x->process);
	if (leader > 0)
		(void)kill(-leader, signo);
}

static void exec_on_timer(struct timer *t)
{
	struct stream_exec *x = CONTAINER_OF(t, struct stream_exec, timer);
	if (x->exited) {
		x->ended[1] = x->ended[2] = true;
		exec_check_over(x);
		return;
	}
	exec_signal(x, x->termed ? SIGKILL : SIGTERM);
	x->termed = true;
	timer_set(x->env, &x->timer, env_mono(x->env) + EXEC_TERM_MS);
}

/* CLOSED is reported now; the process is made to go, and the memory goes with its last handle. */
static void exec_stop(struct net_stream *s)
{
	struct stream_exec *x = s->exec;
	if (x == NULL)
		return;
	s->exec = NULL;
	x->stream = NULL;
	timer_stop(x->env, &x->timer);
	for (int i = 0; i < 3; i++)
		exec_close((uv_handle_t *)&x->pipe[i]);
	if (!x->exited)
		exec_signal(x, SIGKILL);
	if (!x->exited)
		return; /* the process handle stays until its end has been seen, so that no zombie is left */
	list_del(&x->node);
	exec_close((uv_handle_t *)&x->process);
}

void net_exec_end_all(struct net_curl *nc)
{
	while (!list_empty(&nc->execs)) {
		struct stream_exec *x = CONTAINER_OF(
			list_pop(&nc->execs), struct stream_exec, node);
		exec_close((uv_handle_t *)&x->process);
	}
}

static void exec_input_ended(uv_shutdown_t *req, int status)
{
	UNUSED(req);
	UNUSED(status);
}

static void exec_finish(struct net_stream *s)
{
	struct stream_exec *x = s->exec;
	if (x->input_closed)
		return;
	x->input_closed = true;
	timer_stop(s->nc->env, &s->timer); /* from here on ours counts */
	(void)uv_shutdown(&x->end_input, (uv_stream_t *)&x->pipe[0], exec_input_ended);
	if (!x->exited)
		timer_set(s->nc->env, &x->timer, env_mono(s->nc->env) + EXEC_WAIT_MS);
}

/* --- moving bytes ---------------------------------------------------------------------------- */

static void exec_on_written(uv_write_t *req, int status)
{
	struct stream_exec *x = CONTAINER_OF(req, struct stream_exec, write);
	struct net_stream *s = x->stream;
	size_t n = x->writing;
	x->writing = 0;
	if (s == NULL || s->dead)
		return;
	if (status < 0) {
		exec_check_over(
			x); /* a program that does not read is not an error by itself: its exit tells */
		return;
	}
	out_sent(&s->out, n);
	stream_progress(s);
	stream_mark_dirty(s);
	stream_after_write(s);
}

static void exec_pump(struct net_stream *s)
{
	struct stream_exec *x = s->exec;
	size_t moved = 0, n;
	const char *p;
	while (x->writing == 0 && moved < EXEC_PUMP_MAX && (n = out_peek(&s->out, &p)) > 0) {
		union {
			const char *from;
			char *to;
		} u = { .from = p }; /* uv only reads it */
		uv_buf_t b = uv_buf_init(u.to, (unsigned)n);
		int r = uv_try_write((uv_stream_t *)&x->pipe[0], &b, 1);
		if (r > 0) {
			out_sent(&s->out, (size_t)r);
			moved += (size_t)r;
			continue;
		}
		if (r != UV_EAGAIN ||
			uv_write(&x->write, (uv_stream_t *)&x->pipe[0], &b, 1, exec_on_written) !=
				0)
			break; /* input is gone; its exit comes */
		x->writing = n;
	}
	if (moved > 0)
		stream_progress(s);
	if (moved >= EXEC_PUMP_MAX)
		stream_mark_dirty(s);
	stream_after_write(s);
}

static void exec_on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
	struct stream_exec *x = h->data;
	UNUSED(hint);
	*ret = uv_buf_init(x->rx, NET_RX);
}

static void exec_keep_stderr(struct net_stream *s, const char *p, size_t n)
{
	if (n > EXEC_STDERR_MAX) {
		p += n - EXEC_STDERR_MAX;
		n = EXEC_STDERR_MAX;
	}
	if (s->said.n + n > EXEC_STDERR_MAX)
		buf_consume(&s->said, s->said.n + n - EXEC_STDERR_MAX);
	buf_add(&s->said, p, n);
}

static void exec_on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct stream_exec *x = h->data;
	struct net_stream *s = x->stream;
	int which = h == (uv_stream_t *)&x->pipe[1] ? 1 : 2;
	if (s == NULL || n == 0)
		return;
	if (n < 0) {
		(void)uv_read_stop(h);
		x->ended[which] = true;
		exec_check_over(x);
		return;
	}
	if (s->dead)
		return;
	stream_progress(s);
	if (which == 1)
		stream_data(s, (struct str){ b->base, (size_t)n });
	else
		exec_keep_stderr(s, b->base, (size_t)n);
}

static const struct stream_transport stream_exec_transport = {
	.pump = exec_pump,
	.finish = exec_finish,
	.stop = exec_stop,
};

/* --- opening --------------------------------------------------------------------------------- */

static void exec_on_started(struct task *t)
{
	struct net_stream *s = CONTAINER_OF(t, struct net_stream, started);
	CHECK_OBJ(s, STREAM_MAGIC);
	if (!s->dead)
		stream_opened(s, STR(""));
}

static int exec_spawn(struct stream_exec *x, uv_loop_t *l, const struct net_stream_req *req)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LANG=C.UTF-8",
		    root[] = "/";
	char *env[] = { path, lang, NULL }, *args[EXEC_ARGS_MAX + 1];
	size_t n = 0;
	for (; n < EXEC_ARGS_MAX && req->argv[n] != NULL; n++)
		args[n] = x_strdup(req->argv[n]);
	args[n] = NULL;
	uv_stdio_container_t io[3];
	for (int i = 0; i < 3; i++) {
		io[i].flags = UV_CREATE_PIPE | (i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
		io[i].data.stream = (uv_stream_t *)&x->pipe[i];
	}
	uv_process_options_t o = {
		.exit_cb = exec_on_exit,
		.flags = UV_PROCESS_DETACHED, /* setsid: its number is that of its group */
		.file = args[0],
		.args = args,
		.env = env,
		.cwd = root,
		.stdio_count = 3,
		.stdio = io,
	};
	int r = uv_spawn(l, &x->process, &o);
	for (size_t i = 0; i < n; i++)
		xfree(args[i]);
	return r;
}

int stream_exec_open(struct net_stream *s, const struct net_stream_req *req)
{
	struct stream_exec *x = x_calloc(1, sizeof(*x));
	x->magic = EXEC_MAGIC;
	x->env = s->nc->env;
	x->rx = s->nc->rx;
	list_push(&s->nc->execs, &x->node);
	x->handles = 4;
	timer_init(&x->timer, exec_on_timer);
	for (int i = 0; i < 3; i++) {
		REQUIRE(uv_pipe_init(loop_uv(s->nc->loop), &x->pipe[i], 0) == 0);
		x->pipe[i].data = x;
	}
	x->process.data = x;
	int r = exec_spawn(x, loop_uv(s->nc->loop), req);
	x->process.data = x;
	s->exec = x;
	s->transport = &stream_exec_transport;
	if (r != 0) {
		x->exited = true; /* uv_spawn leaves an inited handle that must be closed */
		exec_stop(s);
		return r;
	}
	x->stream = s;
	(void)uv_read_start((uv_stream_t *)&x->pipe[1], exec_on_alloc, exec_on_read);
	(void)uv_read_start((uv_stream_t *)&x->pipe[2], exec_on_alloc, exec_on_read);
	task_init(&s->started, exec_on_started);
	env_defer(s->nc->env, &s->started);
	return 0;
}
