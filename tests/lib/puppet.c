/* puppet.c - defaults of the puppet adapter. See puppet.h. */
#include "puppet.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "tmpdir.h"

struct puppet puppet;
static char *home;

static void home_remove(void)
{
	tmpdir_remove(home);
	home = NULL;
}

int puppet_finish(struct lt_job *job, int32_t outcome)
{
	struct lt_result r = { .struct_size = sizeof(r), .outcome = outcome };

	return puppet.host->finish(puppet.host->ctx, job, &r);
}

static int on_open(struct lt_inst *i)
{
	puppet.inst = i;
	puppet.host = i->host;
	return 0;
}

static int on_start(
	struct lt_inst *i, struct lt_job *const *jobs, const struct lt_work *const *w, size_t n)
{
	const struct lt_host *h = i->host;

	puppet.host = h;
	if (jobs[0]->kind == LT_J_SESSION) {
		puppet.session = jobs[0];
		if (puppet.n_sessions < ARRAY_LEN(puppet.sessions))
			puppet.sessions[puppet.n_sessions++] = jobs[0];
		if (puppet.vtable->caps & LT_CAP_SHARED_SESSION)
			h->slots(h->ctx, jobs[0], puppet.window);
	} else if (jobs[0]->kind == LT_J_REFRESH) {
		puppet.refresh = jobs[0];
		puppet.refreshes++;
		return puppet.start_rc;
	} else if (jobs[0]->kind == LT_J_CHECK) {
		return puppet.start_rc;
	} else {
		for (size_t k = 0; k < n; k++) {
			REQUIRE(puppet.n_ops < PUPPET_OPS_MAX);
			puppet.work[puppet.n_ops] = w[k];
			puppet.op[puppet.n_ops++] = jobs[k];
		}
		for (size_t k = 0; k < n && puppet.on_start != NULL; k++)
			puppet.on_start(&puppet, jobs[k]);
		return puppet.start_rc;
	}
	return 0;
}

static int on_event(struct lt_inst *i, struct lt_job *job, const struct lt_event *ev)
{
	(void)i;
	puppet.events[ev->type & 15]++;
	puppet.last_job = job;
	if (ev->type == LT_EV_SAVED || ev->type == LT_EV_SECRET) {
		puppet.last_token = ev->token;
		puppet.last_error = ev->error;
	}
	if (ev->type == LT_EV_LIMIT)
		puppet.last_limit = ev->limit;
	if (ev->type == LT_EV_CLOSED || ev->type == LT_EV_DATA)
		puppet.last_flushed = ((const struct lt_stream_ev *)ev->u)->flushed;
	if (ev->type == LT_EV_HTTP) {
		puppet.last_phase = ((const struct lt_http_res *)ev->u)->phase;
		puppet.last_status = ((const struct lt_http_res *)ev->u)->status;
	}
	if (puppet.on_event != NULL)
		puppet.on_event(&puppet, job, ev);
	else if (ev->type == LT_EV_CANCEL && puppet.finish_on_cancel)
		(void)puppet_finish(job, LT_DEFERRED);
	else if (ev->type == LT_EV_SHUTDOWN && puppet.finish_on_shutdown)
		(void)puppet_finish(job, LT_ACCEPTED);
	return puppet.event_rc_type == 0 || puppet.event_rc_type == ev->type ? puppet.event_rc : 0;
}

static int on_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *s)
{
	static const struct lt_str name = { "address", 7 };

	(void)c;
	return s->tell(s->ctx, name, in);
}

static void build(void)
{
	if (home != NULL)
		return;
	home = tmpdir_new();
	(void)atexit(home_remove);
	REQUIRE(ht_build(home, "puppet", "tests/unit/channel/testdata/puppet.c", NULL) == 0);
	void *dl = dlopen(tmpdir_path(home, "puppet.so"), RTLD_NOW | RTLD_LOCAL);
	REQUIRE(dl != NULL);
	puppet.hooks = dlsym(dl, "puppet_hooks");
	puppet.vtable = dlsym(dl, LT_ADAPTER_SYMBOL);
}

int puppet_load(struct ht *t, uint64_t caps)
{
	return puppet_load_as(t, caps, NULL);
}

int puppet_load_as(struct ht *t, uint64_t caps, const char *channel_yaml)
{
	struct err e = { 0 };

	build();
	struct puppet fresh = { .hooks = puppet.hooks,
		.vtable = puppet.vtable,
		.window = 1000,
		.finish_on_shutdown = true };
	puppet = fresh;
	puppet.vtable->caps = caps;
	*puppet.hooks = (struct puppet_hooks){
		.open = on_open, .start = on_start, .event = on_event, .address = on_address
	};
	struct ht_opts o = {
		.adapter_dir = home, .adapter = "puppet", .channel_yaml = channel_yaml
	};
	return ht_load(t, &o, &e);
}

uint32_t puppet_stream(struct lt_job *job)
{
	struct lt_stream_req r = {
		.struct_size = sizeof(r), .kind = LT_TCP, .host = { "127.0.0.1", 9 }, .port = 25
	};
	uint32_t id = 0;

	return puppet.host->stream_open(puppet.host->ctx, job, &r, &id) == 0 ? id : 0;
}

int puppet_publish(uint32_t stream, const char *bytes, struct lt_job *const *whose, size_t n,
	uint64_t *ret_end)
{
	struct lt_src src = { .bytes = { bytes, strlen(bytes) } };

	return puppet.host->stream_write(
		puppet.host->ctx, stream, &src, 1, LT_PUBLISHES, whose, n, ret_end);
}
