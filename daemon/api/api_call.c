/* api_call.c - one request: received whole, handed to its handler, suspended until it is answered.
 * Thread: loop. Owns: body, answer. Freed when both the connection and the handler have let go.
 * Failures: too large is 413 (or a cut connection when no length was announced), too many headers 431, no answer in time 503.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "api/api_http.h"
#include "base/assert.h"
#include "base/metrics.h"

#define CALL_MAGIC 0x61706963u

static struct api_call *api_call_check(struct api_call *c)
{
	CHECK_OBJ(c, CALL_MAGIC);
	return c;
}

/* --- life ------------------------------------------------------------------------------------ */

struct api_call *api_call_new(struct api_listener *li, struct MHD_Connection *mc, const char *uri)
{
	struct api_call *c = x_calloc(1, sizeof(*c));
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	c->magic = CALL_MAGIC;
	c->refs = 1;
	c->listener = li;
	c->env = li->env;
	c->mc = mc;
	c->conn = info != NULL ? info->socket_context : NULL;
	c->uri = x_strdup(uri);
	buf_init(&c->body, 0);
	timer_init(&c->deadline, NULL);
	list_push(&li->calls, &c->node);
	return c;
}

void api_call_ref(struct api_call *c)
{
	api_call_check(c)->refs++;
}

void api_call_unref(struct api_call *c)
{
	REQUIRE(api_call_check(c)->refs > 0);
	if (--c->refs > 0)
		return;
	timer_stop(c->env, &c->deadline);
	if (c->response != NULL)
		MHD_destroy_response(c->response);
	for (unsigned i = 0; i < c->n_extra; i++) {
		xfree(c->extra[i].name);
		xfree(c->extra[i].value);
	}
	buf_done(&c->body);
	xfree(c->uri);
	c->magic = 0;
	xfree(c);
}

void api_call_over(struct api_call *c)
{
	api_call_check(c);
	list_del(&c->node);
	timer_stop(c->env, &c->deadline);
	c->mc = NULL;
	c->listener = NULL;
	if (c->conn != NULL) {
		c->conn->receiving = true;
		c->conn->since_ms = env_mono(c->env);
		c->conn = NULL;
	}
	api_call_unref(c);
}

void api_call_suspend(struct api_call *c)
{
	REQUIRE(!c->suspended);
	c->suspended = true;
	MHD_suspend_connection(c->mc);
}

void api_call_resume(struct api_call *c)
{
	if (!c->suspended)
		return;
	c->suspended = false;
	MHD_resume_connection(c->mc);
	env_defer(c->env, &c->listener->run);
}

/* --- answering ------------------------------------------------------------------------------- */

static void api_call_put_answer(struct api_call *c, int status, struct MHD_Response *response)
{
	c->answered = true;
	c->status = status;
	c->response = response;
	timer_stop(c->env, &c->deadline);
	api_call_resume(c);
}

void api_call_settle(struct api_call *c, int status, struct MHD_Response *response)
{
	api_call_check(c);
	if (c->mc == NULL || c->answered)
		MHD_destroy_response(response);
	else
		api_call_put_answer(c, status, response);
	api_call_unref(c);
}

static struct MHD_Response *api_text_response(struct str body)
{
	union {
		const char *from;
		void *to;
	} u = { .from = body.p }; /* copied by MUST_COPY */
	struct MHD_Response *r = MHD_create_response_from_buffer(
		body.n, u.to, MHD_RESPMEM_MUST_COPY);
	REQUIRE(r != NULL);
	return r;
}

void api_call_give_up(struct api_call *c, int status)
{
	api_call_check(c);
	if (!c->answered && c->mc != NULL)
		api_call_put_answer(c, status, api_text_response(STR("try again later\n")));
	else
		api_call_resume(c);
}

static void api_call_on_deadline(struct timer *t)
{
	api_call_give_up(CONTAINER_OF(t, struct api_call, deadline), MHD_HTTP_SERVICE_UNAVAILABLE);
}

static bool api_header_text_ok(struct str s)
{
	return s.n <= 1000 && !str_has_control(s);
}

void api_answer_header(struct api_call *c, const char *name, struct str value)
{
	api_call_check(c);
	if (c->n_extra == API_ANSWER_HEADERS || !api_header_text_ok(value) ||
		!api_header_text_ok(str_of(name)))
		return;
	c->extra[c->n_extra].name = x_strdup(name);
	c->extra[c->n_extra++].value = x_strndup(value.p != NULL ? value.p : "", value.n);
}

void api_answer(struct api_call *c, int status, const char *content_type, struct str body)
{
	struct MHD_Response *r = api_text_response(body);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
		content_type != NULL ? content_type : "text/plain; charset=utf-8");
	api_call_settle(c, status, r);
}

void api_answer_file(struct api_call *c, int fd, uint64_t size, const char *content_type)
{
	int status;
	struct MHD_Response *r = api_file_response(c, fd, size, &status);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	api_call_settle(c, status, r);
}

static void api_call_count(const struct api_call *c)
{
	char code[16];
	(void)snprintf(code, sizeof(code), "%d", c->status);
	struct metric_label labels[] = { { "listener", str_of(c->listener->name) },
		{ "code", str_of(code) } };
	metric_add(metric_get(METRIC_COUNTER, "lantoa_http_requests_total",
			   "Requests answered by our listeners.", labels, 2),
		1);
}

static enum MHD_Result api_call_queue(struct api_call *c)
{
	struct MHD_Response *r = c->response;
	c->response = NULL;
	for (unsigned i = 0; i < c->n_extra; i++)
		(void)MHD_add_response_header(r, c->extra[i].name, c->extra[i].value);
	(void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (c->conn != NULL) {
		c->conn->receiving = false;
		c->conn->since_ms = env_mono(c->env);
	}
	api_call_count(c);
	enum MHD_Result ok = MHD_queue_response(c->mc, (unsigned)c->status, r);
	MHD_destroy_response(r);
	return ok;
}

/* Answer without a handler. */
static enum MHD_Result api_call_refuse(struct api_call *c, int status, const char *text)
{
	c->answered = true;
	c->status = status;
	c->response = api_text_response(str_of(text));
	return api_call_queue(c);
}

/* --- receiving ------------------------------------------------------------------------------- */

static enum MHD_Result api_on_header(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct api_call *c = ctx;
	UNUSED(kind);
	if (c->req.n_headers == API_HEADERS_MAX) {
		c->too_many = true;
		return MHD_NO;
	}
	c->headers[c->req.n_headers++] = (struct api_pair){ str_of(name),
		str_of(value != NULL ? value : "") };
	return MHD_YES;
}

static void api_call_peer(struct api_call *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		c->mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info == NULL || info->client_addr == NULL)
		return;
	socklen_t len = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
								 : sizeof(struct sockaddr_in);
	(void)getnameinfo(
		info->client_addr, len, c->peer, sizeof(c->peer), NULL, 0, NI_NUMERICHOST);
}

static void api_call_fill(struct api_call *c, const char *method)
{
	const char *mark = strchr(c->uri, '?');
	size_t path_n = mark != NULL ? (size_t)(mark - c->uri) : strlen(c->uri);
	(void)str_copy(c->method, sizeof(c->method), str_of(method));
	api_call_peer(c);
	c->req.method = str_of(c->method);
	c->req.path = (struct str){ c->uri, path_n };
	c->req.query = str_of(mark != NULL ? mark + 1 : "");
	c->req.peer = str_of(c->peer);
	c->req.headers = c->headers;
	(void)MHD_get_connection_values(c->mc, MHD_HEADER_KIND, api_on_header, c);
}

static enum MHD_Result api_call_begin(struct api_call *c, const char *method)
{
	struct str length;
	int64_t n = 0;
	c->begun = true;
	api_call_fill(c, method);
	if (c->too_many) /* what a proxy or a signature says may be among those left out */
		return api_call_refuse(
			c, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header lines\n");
	c->route = c->listener->find(c->listener->ctx, &c->req);
	if (c->route.allow != NULL)
		api_answer_header(c, MHD_HTTP_HEADER_ALLOW, str_of(c->route.allow));
	if (c->route.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		return api_call_refuse(c, c->route.status, "this method is not allowed here\n");
	if (c->route.status != 0)
		return api_call_refuse(c, c->route.status, "nothing here\n");
	buf_init(&c->body, c->route.body_max);
	if (api_header(&c->req, "Content-Length", &length) != NULL &&
		str_i64(length, 0, c->route.body_max, &n) != 0)
		return api_call_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large\n");
	return MHD_YES;
}

static enum MHD_Result api_call_hand_over(struct api_call *c)
{
	c->handed_over = true;
	c->req.body = buf_str(&c->body);
	c->req.channel = c->route.channel;
	c->req.tail = c->route.tail;
	if (c->conn != NULL)
		c->conn->receiving = false;
	api_call_ref(c); /* the handler's */
	c->route.fn(c->route.ctx, &c->req, c);
	if (c->answered)
		return api_call_queue(c);
	timer_init(&c->deadline, api_call_on_deadline);
	timer_set(c->env, &c->deadline, env_mono(c->env) + c->listener->answer_ms);
	api_call_suspend(c);
	return MHD_YES;
}

enum MHD_Result api_call_step(
	struct api_call *c, const char *method, const char *data, size_t *size)
{
	api_call_check(c);
	if (!c->begun)
		return api_call_begin(c, method);
	if (*size > 0) {
		int r = c->handed_over || c->answered ? 0 : buf_add(&c->body, data, *size);
		*size = 0;
		return r == 0 ? MHD_YES
			      : MHD_NO; /* no length was announced and it does not end: cut */
	}
	if (!c->handed_over)
		return api_call_hand_over(c);
	return c->answered && c->response != NULL ? api_call_queue(c) : MHD_YES;
}
