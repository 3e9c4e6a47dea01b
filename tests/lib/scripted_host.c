/* scripted_host.c - the scripted host seen by the test: jobs, the peer's side of streams and HTTP calls, clocks.
 * Owns: everything in struct sh. Failures: memory out ends the test program. */
#include "scripted_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the test's side --- */
struct sh *sh_new(const struct lt_adapter *a)
{
	struct sh *h = shi_mem(sizeof(*h));

	h->adapter = a;
	h->host = shi_host_table;
	h->host.ctx = h;
	h->wall = 1795395600000LL;
	h->mono = 1000000;
	h->random = 1;
	h->auto_go = true;
	return h;
}

static void pair(struct lt_pair *to, size_t *n, size_t max, struct lt_str name, struct lt_str value)
{
	for (size_t i = 0; i < *n; i++)
		if (to[i].name.n == name.n && memcmp(to[i].name.p, name.p, name.n) == 0) {
			to[i].value = value;
			return;
		}
	if (*n == max)
		abort();
	to[(*n)++] = (struct lt_pair){ .name = name, .value = value };
}

void sh_conf(struct sh *h, const char *name, const char *value)
{
	pair(h->values, &h->n_values, 64, shi_z(name), shi_z(value));
}

void sh_file(struct sh *h, const char *name, const char *text)
{
	pair(h->files, &h->n_files, 8, shi_z(name), shi_z(text));
}

void sh_secret(struct sh *h, const char *name, const char *value)
{
	pair(h->secrets, &h->n_secrets, 16, shi_z(name), shi_z(value));
}

void sh_asset(struct sh *h, const char *id, const char *bytes, size_t n)
{
	pair(h->assets, &h->n_assets, 16, shi_z(id), (struct lt_str){ bytes, n });
}

static void fit_conf(struct sh *h)
{
	h->conf = (struct lt_conf){ .struct_size = sizeof(h->conf),
		.values = h->values,
		.n_values = h->n_values,
		.files = h->files,
		.n_files = h->n_files };
}

int sh_open(struct sh *h)
{
	fit_conf(h);
	h->inst = (struct lt_inst){ .struct_size = sizeof(h->inst),
		.host = &h->host,
		.conf = &h->conf,
		.priv = shi_mem(h->adapter->inst_size + 1) };
	int rc = h->adapter->open(&h->inst);
	if (rc < 0) {
		free(h->inst.priv);
		h->inst.priv = NULL;
	}
	return rc;
}

void sh_free(struct sh *h)
{
	if (h == NULL)
		return;
	if (h->inst.priv != NULL)
		h->adapter->close(&h->inst);
	free(h->inst.priv);
	for (size_t i = 0; i < h->n_jobs; i++) {
		struct sh_job *j = h->jobs[i];
		free(j->job.priv);
		free(j->address);
		free(j->ref);
		free(j->body);
		free(j->credential);
		free(j);
	}
	for (size_t i = 0; i < h->n_streams; i++) {
		free(h->streams[i]->out.p);
		free(h->streams[i]);
	}
	for (size_t i = 0; i < h->n_http; i++) {
		free(h->http[i].url);
		free(h->http[i].body);
		free(h->http[i].query);
		free(h->http[i].whose);
	}
	free(h);
}

size_t sh_job(struct sh *h, uint32_t kind, struct lt_job *session)
{
	const struct lt_adapter *a = h->adapter;
	struct sh_job *j = shi_mem(sizeof(*j));
	size_t size = kind == LT_J_SESSION ? a->session_size
		: kind == LT_J_OP          ? a->op_size
					   : a->other_size;

	if (h->n_jobs == SH_JOBS_MAX)
		abort();
	j->job = (struct lt_job){ .struct_size = sizeof(j->job),
		.kind = kind,
		.id = h->n_jobs + 1,
		.session = session,
		.priv = shi_mem(size + 1) };
	j->work.struct_size = sizeof(j->work);
	j->work.try_no = 1;
	j->work.delivery = j->work.attempt = h->n_jobs + 1;
	j->work.payload = j->payload;
	h->jobs[h->n_jobs] = j;
	return h->n_jobs++;
}

size_t sh_op(struct sh *h, size_t session, const char *address, const char *ref, const char *body,
	uint64_t batch_key)
{
	size_t i = sh_job(h, LT_J_OP, &h->jobs[session]->job);
	struct sh_job *j = h->jobs[i];

	j->address = shi_copy(shi_z(address));
	j->ref = shi_copy(shi_z(ref));
	j->body = shi_copy(shi_z(body));
	j->work.address = shi_z(j->address);
	j->work.ref = shi_z(j->ref);
	j->work.batch_key = batch_key;
	j->payload[0] = (struct lt_src){ .bytes = shi_z(j->body) };
	j->work.n_payload = 1;
	j->work.payload_bytes = strlen(body);
	return i;
}

/* Where the daemon has committed the word before the adapter hears of the job. */
static bool begins_with_intent(const struct lt_adapter *a, uint32_t kind)
{
	return kind == LT_J_RECALL || kind == LT_J_REFRESH || kind == LT_J_LOGIN ||
		((kind == LT_J_OP || kind == LT_J_CORRECT) &&
			(a->caps & LT_CAP_INTENT_AT_START) != 0);
}

int sh_start(struct sh *h, size_t first, size_t n)
{
	struct lt_job **jobs = shi_mem(n * sizeof(struct lt_job *));
	const struct lt_work **works = shi_mem(n * sizeof(struct lt_work *));

	for (size_t i = 0; i < n; i++) {
		h->jobs[first + i]->started = true;
		h->jobs[first + i]->intent_open = begins_with_intent(
			h->adapter, h->jobs[first + i]->job.kind);
		jobs[i] = &h->jobs[first + i]->job;
		works[i] = &h->jobs[first + i]->work;
	}
	if (jobs[0]->kind == LT_J_OP) /* credits are spent by starting, as in the daemon */
		h->slots -= h->slots < n ? h->slots : (uint32_t)n;
	int rc = h->adapter->start(&h->inst, jobs, works, n);
	free(jobs);
	free(works);
	return rc;
}

size_t sh_session(struct sh *h)
{
	size_t i = sh_job(h, LT_J_SESSION, NULL);

	if (sh_start(h, i, 1) < 0)
		shi_misuse(h, "the session did not start");
	return i;
}

struct sh_result *sh_result(struct sh *h, size_t job)
{
	return &h->jobs[job]->result;
}

static void deliver(struct sh *h, struct lt_job *job, uint32_t type, uint64_t token, int32_t error,
	uint32_t limit, const void *u)
{
	struct lt_event ev = { .struct_size = sizeof(ev),
		.type = type,
		.token = token,
		.error = error,
		.limit = limit,
		.u = u };
	struct sh_job *j = shi_job_of(h, job);

	if (j == NULL || !j->started || j->result.done)
		return;
	if (type == LT_EV_GO && !j->intent_asked)
		return;
	if (type == LT_EV_GO) {
		j->intent_asked = false;
		j->intent_open = !j->cancelled;
		ev.type = j->cancelled ? LT_EV_CANCEL : LT_EV_GO;
	}
	(void)h->adapter->event(&h->inst, job, &ev);
}

static void deliver_stream(
	struct sh *h, size_t i, uint32_t type, int32_t error, struct lt_str data, struct lt_str why)
{
	struct sh_stream *s = h->streams[i];
	struct lt_stream_ev u = { .struct_size = sizeof(u),
		.stream = (uint32_t)i + 1,
		.flushed = s->flushed,
		.data = data,
		.error = why };

	deliver(h, s->job, type, 0, error, 0, &u);
}

void sh_cancel(struct sh *h, size_t job)
{
	h->jobs[job]->cancelled = true; /* from here on no publishing byte is taken */
	deliver(h, &h->jobs[job]->job, LT_EV_CANCEL, 0, 0, 0, NULL);
}

void sh_limit(struct sh *h, size_t session, uint32_t limit)
{
	deliver(h, &h->jobs[session]->job, LT_EV_LIMIT, 0, 0, limit, NULL);
}

void sh_shutdown(struct sh *h, size_t session)
{
	deliver(h, &h->jobs[session]->job, LT_EV_SHUTDOWN, 0, 0, 0, NULL);
}

void sh_opened(struct sh *h, size_t i, const char *lines)
{
	h->streams[i]->opened = true;
	deliver_stream(h, i, LT_EV_OPEN, 0, shi_z(lines), shi_z(NULL));
	sh_turn(h);
}

void sh_data_n(struct sh *h, size_t i, const char *bytes, size_t n)
{
	struct sh_stream *s = h->streams[i];

	if (s->gone || s->closing)
		return;
	deliver_stream(h, i, LT_EV_DATA, 0, (struct lt_str){ bytes, n }, shi_z(NULL));
	sh_turn(h);
}

void sh_data(struct sh *h, size_t i, const char *bytes)
{
	sh_data_n(h, i, bytes, strlen(bytes));
}

void sh_closed(struct sh *h, size_t i, int32_t error, const char *reply, const char *why)
{
	struct sh_stream *s = h->streams[i];

	if (s->gone || s->closing)
		return;
	s->gone = true;
	deliver_stream(h, i, LT_EV_CLOSED, error, shi_z(reply), shi_z(why));
	sh_turn(h);
}

void sh_drain(struct sh *h, size_t i)
{
	h->streams[i]->refuse_again = false;
	deliver_stream(h, i, LT_EV_DRAIN, 0, shi_z(NULL), shi_z(NULL));
	sh_turn(h);
}

const char *sh_sent(struct sh *h, size_t i)
{
	struct sh_stream *s = h->streams[i];
	const char *p = s->out.p == NULL ? "" : s->out.p + s->read_at;

	s->read_at = s->out.n;
	return p;
}

void sh_answer(struct sh *h, size_t call, uint32_t phase, int32_t status, const char *body)
{
	struct sh_http *c = &h->http[call];
	struct lt_http_res r = { .struct_size = sizeof(r),
		.status = status,
		.phase = phase,
		.truncated = h->answer_truncated,
		.body = shi_z(body),
		.headers = h->answer_headers,
		.n_headers = h->n_answer_headers,
		.server_date_ms = h->answer_date_ms,
		.error = phase == LT_P_ANSWERED ? shi_z(NULL) : shi_z("connection lost") };

	if (c->job == NULL || c->answered) {
		shi_misuse(h, "the test answers a call that nobody waits with");
		return;
	}
	c->answered = true;
	deliver(h, c->job, LT_EV_HTTP, c->token, 0, 0, &r);
	sh_turn(h);
}

void sh_turn(struct sh *h)
{
	for (int round = 0; round < 100 && h->n_queue > 0; round++) {
		struct sh_event ev = h->queue[0];
		memmove(h->queue, h->queue + 1, --h->n_queue * sizeof(h->queue[0]));
		if (ev.type == LT_EV_CLOSED) {
			h->streams[ev.stream - 1]->gone = true;
			deliver_stream(h, ev.stream - 1, LT_EV_CLOSED, 0, shi_z(NULL), shi_z(NULL));
		} else
			deliver(h, ev.job, ev.type, ev.token, ev.error, 0, NULL);
	}
	size_t before = h->n_queue;
	for (size_t i = 0; i < h->n_jobs; i++)
		if (h->jobs[i]->job.kind == LT_J_SESSION)
			deliver(h, &h->jobs[i]->job, LT_EV_BATCH_END, 0, 0, 0, NULL);
	if (h->n_queue > before)
		sh_turn(h);
}

void sh_advance(struct sh *h, int64_t ms)
{
	int64_t end = h->mono + ms;

	for (int round = 0; round < 10000; round++) {
		size_t first = h->n_wakes;
		for (size_t i = 0; i < h->n_wakes; i++)
			if (h->wakes[i].at <= end &&
				(first == h->n_wakes || h->wakes[i].at < h->wakes[first].at))
				first = i;
		if (first == h->n_wakes)
			break;
		struct sh_wake w = h->wakes[first];
		h->wakes[first] = h->wakes[--h->n_wakes];
		if (w.at > h->mono) {
			h->wall += w.at - h->mono;
			h->mono = w.at;
		}
		deliver(h, w.job, LT_EV_WAKE, w.token, 0, 0, NULL);
		sh_turn(h);
	}
	h->wall += end - h->mono;
	h->mono = end;
}
