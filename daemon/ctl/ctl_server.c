/* ctl_server.c - the control socket: accepts, knows its peers, cuts lines, bounds everything.
 * Threads: loop; on workers the look-up of a peer's login name (a name service may wait) and the parsing of long lines.
 * Failures: a peer that is too many, too slow, too long or silent is closed; others do not notice.
 */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctl/ctl_internal.h"
#include "base/log.h"

static void conn_read_on(struct ctl_conn *c);

static void conn_free_if_done(struct ctl_conn *c)
{
	if (!c->closed || c->calls || c->looking || c->parsing)
		return;
	struct ctl *ctl = c->ctl;
	list_del(&c->node);
	ctl->n_conns--;
	buf_done(&c->in);
	free(c);
	if (ctl->closing && !ctl->n_conns && !ctl->handles)
		ctl->closed(ctl->closed_ctx);
}

static void conn_on_closed(uv_handle_t *h)
{
	struct ctl_conn *c = h->data;
	CHECK_OBJ(c, CONN_MAGIC);
	c->closed = true;
	conn_free_if_done(c);
}

static void conn_close(struct ctl_conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	timer_stop(c->ctl->o.deps.env, &c->deadline);
	ctl_uploads_forget(c->ctl, c);
	uv_close((uv_handle_t *)&c->pipe, conn_on_closed);
}

struct out {
	uv_write_t req;
	struct ctl_conn *conn;
	char *line;
	size_t n;
};

static void conn_on_written(uv_write_t *req, int status)
{
	struct out *o = req->data;
	struct ctl_conn *c = o->conn;
	CHECK_OBJ(c, CONN_MAGIC);
	c->out_bytes -= o->n;
	free(o->line);
	free(o);
	if (status < 0)
		conn_close(c);
}

void ctl_conn_send(struct ctl_conn *c, char *line)
{
	if (c->closing || c->out_bytes > CTL_OUT_MAX) {
		free(line);
		conn_close(c);
		return;
	}
	struct out *o = x_calloc(1, sizeof(*o));
	o->conn = c;
	o->line = line;
	o->n = strlen(line);
	o->req.data = o;
	uv_buf_t b = uv_buf_init(o->line, (unsigned)o->n);
	c->out_bytes += o->n;
	if (uv_write(&o->req, (uv_stream_t *)&c->pipe, &b, 1, conn_on_written)) {
		c->out_bytes -= o->n;
		free(o->line);
		free(o);
		conn_close(c);
	}
}

/* A line has its time from its first byte on, however often another one comes; nobody is hurried while we work for them. */
static void conn_deadline_set(struct ctl_conn *c)
{
	struct env *env = c->ctl->o.deps.env;
	bool busy = c->closing || c->calls || c->parsing;
	c->alive_ms = env_mono(env);
	if (busy || !c->in.n)
		c->line_ms = 0;
	else if (!c->line_ms)
		c->line_ms = c->alive_ms;
	if (busy)
		timer_stop(env, &c->deadline);
	else
		timer_set(env, &c->deadline,
			c->line_ms ? c->line_ms + CTL_LINE_MS : c->alive_ms + CTL_IDLE_MS);
}

static void conn_on_deadline(struct timer *t)
{
	struct ctl_conn *c = CONTAINER_OF(t, struct ctl_conn, deadline);
	log_line(LOG_DEBUG, "ev=ctl.idle uid=%lld", (long long)c->uid);
	conn_close(c);
}

static void conn_refuse(struct ctl_conn *c, const char *text)
{
	ctl_conn_send(c,
		x_asprintf(
			"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"%s\"}}\n",
			text));
	conn_close(c);
}

static void conn_lines(struct ctl_conn *c);

static void parse_run(struct work *w)
{
	struct ctl_conn *c = CONTAINER_OF(w, struct ctl_conn, parse_work);
	struct str line = str_trim((struct str){ c->in.p, c->parse_n });
	c->parse_rc = ctl_rpc_parse(line, &c->doc, &c->parse_err);
}

static void parse_done(struct work *w)
{
	struct ctl_conn *c = CONTAINER_OF(w, struct ctl_conn, parse_work);
	CHECK_OBJ(c, CONN_MAGIC);
	c->parsing = false;
	c->line_ms = 0;
	buf_consume(&c->in, c->parse_n + 1);
	if (c->closing) {
		cJSON_Delete(MOVE(c->doc));
		conn_free_if_done(c);
		return;
	}
	ctl_rpc_begin(c, c->parse_rc, MOVE(c->doc), &c->parse_err);
	conn_lines(c);
}

/* A long line stays where it is: nothing is read behind it until it was parsed. */
static void line_begin(struct ctl_conn *c, size_t n)
{
	if (n > CTL_ASIDE_BYTES) {
		c->parse_n = n;
		c->parsing = true;
		c->parse_work = (struct work){ .fn = parse_run, .done = parse_done };
		env_work(c->ctl->o.deps.env, &c->parse_work);
		return;
	}
	char *line = x_strndup(c->in.p, n);
	struct str s = str_trim((struct str){ line, n });
	c->line_ms = 0;
	buf_consume(&c->in, n + 1);
	if (s.n) {
		struct err e = { 0 };
		cJSON *doc = NULL;
		int rc = ctl_rpc_parse(s, &doc, &e);
		ctl_rpc_begin(c, rc, doc, &e);
	}
	free(line);
}

/* Takes whole lines off the front while there is room for calls. */
static void conn_lines(struct ctl_conn *c)
{
	if (c->in_lines)
		return; /* a call that ended at once: the loop below goes on by itself */
	c->in_lines = true;
	while (c->known && !c->closing && !c->parsing && c->calls < CTL_CALLS_MAX) {
		const char *lf = c->in.n ? memchr(c->in.p, '\n', c->in.n) : NULL;
		if (!lf)
			break;
		line_begin(c, (size_t)(lf - c->in.p));
	}
	c->in_lines = false;
	if (!c->closing && !c->parsing && c->in.n > CTL_LINE_MAX && !memchr(c->in.p, '\n', c->in.n))
		conn_refuse(c,
			"a line is over 1 MB; send files by upload.begin, upload.chunk, upload.end");
	if (!c->closing)
		conn_read_on(c);
	conn_deadline_set(c);
}

void ctl_conn_call_done(struct ctl_conn *c)
{
	c->calls--;
	if (c->closing)
		conn_free_if_done(c);
	else
		conn_lines(c);
}

static void conn_on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	static const size_t step = 65536;
	UNUSED(h);
	UNUSED(hint);
	b->base = malloc(step);
	b->len = b->base ? step : 0;
}

static void conn_on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct ctl_conn *c = s->data;
	CHECK_OBJ(c, CONN_MAGIC);
	struct loop *l = c->ctl->o.deps.loop;
	if (n > 0 && buf_add(&c->in, b->base, (size_t)n))
		conn_refuse(c, "too much input at once");
	free(b->base);
	if (c->closing)
		return;
	if (n < 0)
		conn_close(c);
	else if (n > 0)
		conn_lines(c);
	loop_ran(l, (uintptr_t)conn_on_read);
}

/* Reading stops while a whole line waits for a free call: the kernel holds the rest back. */
static void conn_read_on(struct ctl_conn *c)
{
	bool full = c->parsing || c->in.n > CTL_LINE_MAX || (c->calls >= CTL_CALLS_MAX && c->in.n);
	if (full && c->reading)
		(void)uv_read_stop((uv_stream_t *)&c->pipe);
	else if (!full && !c->reading &&
		uv_read_start((uv_stream_t *)&c->pipe, conn_on_alloc, conn_on_read))
		conn_close(c);
	c->reading = !full;
}

static void who_run(struct work *w)
{
	struct ctl_conn *c = CONTAINER_OF(w, struct ctl_conn, who_work);
	struct passwd pw, *found = NULL;
	char space[4096];
	if (getpwuid_r((uid_t)c->uid, &pw, space, sizeof(space), &found) == 0 && found)
		(void)str_copy(c->login, sizeof(c->login), str_of(pw.pw_name));
}

static void who_next(struct ctl *ctl);

static void who_done(struct work *w)
{
	struct ctl_conn *c = CONTAINER_OF(w, struct ctl_conn, who_work);
	CHECK_OBJ(c, CONN_MAGIC);
	c->looking = false;
	c->known = true;
	c->ctl->n_looking--;
	who_next(c->ctl);
	if (c->closing)
		conn_free_if_done(c);
	else
		conn_lines(c);
}

static void who_next(struct ctl *ctl)
{
	LIST_FOR(&ctl->conns, it)
	{
		struct ctl_conn *c = CONTAINER_OF(it, struct ctl_conn, node);
		if (ctl->n_looking == CTL_LOOKS_MAX)
			return;
		if (!c->nameless || c->closing)
			continue;
		c->nameless = false;
		c->looking = true;
		ctl->n_looking++;
		c->who_work = (struct work){ .fn = who_run, .done = who_done };
		env_work(ctl->o.deps.env, &c->who_work);
	}
}

static int conn_peer(struct ctl_conn *c)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);
	uv_os_fd_t fd;
	if (uv_fileno((uv_handle_t *)&c->pipe, &fd) ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n))
		return -EIO;
	c->uid = (int64_t)cred.uid;
	c->pid = cred.pid;
	return 0;
}

struct crowd {
	unsigned own, most; /* connections of the newcomer's user, and of the user who has most */
	struct ctl_conn
		*idle; /* of the latter: the one that has been silent for longest; NULL: none is */
};

static unsigned conns_open(const struct ctl *ctl)
{
	unsigned n = 0;
	LIST_FOR(&ctl->conns, it)
	n += !CONTAINER_OF(it, struct ctl_conn, node)->closing;
	return n;
}

static unsigned conns_of(const struct ctl *ctl, int64_t uid)
{
	unsigned n = 0;
	LIST_FOR(&ctl->conns, it)
	{
		const struct ctl_conn *c = CONTAINER_OF(it, struct ctl_conn, node);
		n += !c->closing && c->uid == uid;
	}
	return n;
}

static struct crowd crowd_look(const struct ctl *ctl, int64_t uid)
{
	struct crowd r = { .own = conns_of(ctl, uid) };
	LIST_FOR(&ctl->conns, it)
	{
		struct ctl_conn *c = CONTAINER_OF(it, struct ctl_conn, node);
		if (c->closing)
			continue;
		unsigned n = conns_of(ctl, c->uid);
		if (n > r.most)
			r = (struct crowd){ .own = r.own, .most = n };
		if (n == r.most && !c->calls && !c->parsing &&
			(!r.idle || c->alive_ms < r.idle->alive_ms))
			r.idle = c;
	}
	return r;
}

/* Everybody reaches the socket: one user's connections must not keep an operator from a stop. With all places taken, who has most of them gives a
 * silent one to who has fewer. */
static bool place_made(struct ctl *ctl, const struct ctl_conn *for_whom)
{
	struct crowd r = crowd_look(ctl, for_whom->uid);
	if (r.own >= r.most || !r.idle)
		return false;
	log_line(LOG_WARN, "ev=ctl.crowded uid=%lld connections=%u continuing",
		(long long)r.idle->uid, r.most);
	conn_close(r.idle);
	return true;
}

static void server_on_connection(uv_stream_t *s, int status)
{
	struct ctl *ctl = s->data;
	CHECK_OBJ(ctl, CTL_MAGIC);
	if (status < 0 || ctl->closing)
		return;
	struct ctl_conn *c = x_calloc(1, sizeof(*c));
	c->magic = CONN_MAGIC;
	c->ctl = ctl;
	list_push(&ctl->conns, &c->node);
	ctl->n_conns++;
	buf_init(&c->in, CTL_LINE_MAX + 131072);
	timer_init(&c->deadline, conn_on_deadline);
	REQUIRE(uv_pipe_init(loop_uv(ctl->o.deps.loop), &c->pipe, 0) == 0);
	c->pipe.data = c;
	if (uv_accept(s, (uv_stream_t *)&c->pipe) || conn_peer(c)) {
		conn_close(c);
		return;
	}
	if (conns_open(ctl) > CTL_CONNS_MAX && !place_made(ctl, c)) {
		conn_refuse(c, "too many connections (64); try again");
		return;
	}
	/* Whom the configuration names by number needs no name: such a person gives a stop also while the name service does not answer. */
	c->known = conf_person_by_uid(*ctl->o.deps.conf, c->uid, NULL) != NULL;
	c->nameless = !c->known;
	who_next(ctl);
	conn_read_on(c);
	conn_deadline_set(c);
}

/* The store's lock says that no other daemon lives in our state folder; one of another folder may have been given the same socket. */
static int nobody_answers(const char *path, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	if (!str_copy(to.sun_path, sizeof(to.sun_path), str_of(path)))
		return 0; /* bind says what is wrong */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, -errno, "control socket '%s': %s", path, strerror(errno));
	bool taken = !connect(fd, (struct sockaddr *)&to, sizeof(to)) || errno == EAGAIN;
	(void)close(fd);
	return taken
		? err_set(e, -EADDRINUSE,
			  "control socket '%s': another daemon answers there; give each a runtime_dir or socket of its own",
			  path)
		: 0;
}

int ctl_open(const struct ctl_opts *o, struct ctl **ret, struct err *e)
{
	struct ctl *c = x_calloc(1, sizeof(*c));
	c->magic = CTL_MAGIC;
	c->o = *o;
	list_init(&c->conns);
	list_init(&c->uploads);
	REQUIRE(uv_pipe_init(loop_uv(o->deps.loop), &c->server, 0) == 0);
	c->server.data = c;
	c->handles = 1;
	ctl_uploads_open(c);
	*ret = c; /* also after a failure: ctl_close must close its handle */
	int rc = nobody_answers(o->socket_path, e);
	if (rc)
		return rc;
	(void)unlink(o->socket_path);
	rc = uv_pipe_bind(&c->server, o->socket_path);
	if (!rc &&
		chmod(o->socket_path,
			0666)) /* who may do what is decided by the people of the config */
		rc = -errno;
	if (!rc)
		rc = uv_listen((uv_stream_t *)&c->server, 128, server_on_connection);
	return rc ? err_set(e, rc, "control socket '%s': %s", o->socket_path, uv_strerror(rc)) : 0;
}

static void server_on_closed(uv_handle_t *h)
{
	struct ctl *c = h->data;
	CHECK_OBJ(c, CTL_MAGIC);
	c->handles--;
	if (!c->n_conns && !c->handles)
		c->closed(c->closed_ctx);
}

void ctl_close(struct ctl *c, void (*closed)(void *ctx), void *ctx)
{
	CHECK_OBJ(c, CTL_MAGIC);
	c->closing = true;
	c->closed = closed;
	c->closed_ctx = ctx;
	ctl_uploads_close(c);
	LIST_FOR_SAFE(&c->conns, it, nx)
	conn_close(CONTAINER_OF(it, struct ctl_conn, node));
	(void)unlink(c->o.socket_path);
	uv_close((uv_handle_t *)&c->server, server_on_closed);
}

void ctl_free(struct ctl *c)
{
	if (c) {
		REQUIRE(!c->n_conns && !c->handles);
		c->magic = 0;
		free(c);
	}
}
