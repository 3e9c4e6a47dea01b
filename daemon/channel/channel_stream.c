/* channel_stream.c - byte streams of a session: opened with the channel's TLS and secrets, written with the re-send guard, closed
 * with the truth about how many bytes reached the kernel. An event of a stream belongs to its session.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "channel/channel_internal.h"

#define SMTP_TCP_MS \
	30000 /* the greeting may take minutes (RFC 5321 4.5.3.2.1), the connection before it does not */

static void stream_put(struct chan_stream *st)
{
	REQUIRE(st->refs > 0);
	if (--st->refs == 0) {
		st->magic = 0;
		free(st);
	}
}

void stream_unref(struct chan_stream *st)
{
	stream_put(st);
}

static void stream_forget(struct chan_stream *st)
{
	struct job *owner = st->owner;
	(void)map64_del(owner->acct->ch->cs->streams, st->id);
	list_del(&st->node);
	owner->n_streams--;
	st->owner = NULL;
	stream_put(st);
}

struct stream_owner { /* ctx of net's callback: outlives the session when that ends first */
	struct chan_stream *st;
	struct channels *cs;
};

static void tell_owner(struct chan_stream *st, const struct net_stream_ev *ev)
{
	static const uint32_t type_of[] = { [NET_EV_OPEN] = LT_EV_OPEN,
		[NET_EV_DATA] = LT_EV_DATA,
		[NET_EV_DRAIN] = LT_EV_DRAIN,
		[NET_EV_CLOSED] = LT_EV_CLOSED };
	struct job *j = st->owner;
	struct lt_stream_ev sev = { .struct_size = sizeof(sev),
		.stream = st->id,
		.flushed = ev->flushed,
		.data = lt_of(ev->data),
		.error = lt_of(ev->error) };
	struct lt_event lev = { .struct_size = sizeof(lev),
		.type = type_of[ev->type],
		.error = ev->type == NET_EV_CLOSED ? ev->error_code : 0,
		.u = &sev };
	if (ev->type == NET_EV_CLOSED && ev->exit_status)
		lev.limit = (uint32_t)ev->exit_status;
	job_touch(j);
	job_event(j, &lev);
}

static void stream_on_event(void *ctx, const struct net_stream_ev *ev)
{
	struct stream_owner *o = ctx;
	struct chan_stream *st = o->st;
	CHECK_OBJ(st, STREAM_MAGIC);
	if (ev->type != NET_EV_CLOSED) {
		if (st->owner)
			tell_owner(st, ev);
		return;
	}
	struct channels *cs = o->cs;
	st->closed = true;
	st->flushed = ev->flushed;
	st->net = NULL;
	if (st->owner)
		tell_owner(st, ev);
	if (st->owner) /* the event may have ended it */
		stream_forget(st);
	stream_put(st); /* net's reference */
	free(o);
	cs->streams_open--;
	channels_closed_if_done(cs);
}

/* In a demo nothing but this machine is ever contacted. */
bool host_is_loopback(struct str host)
{
	char text[64];
	struct in_addr a;
	if (!str_copy(text, sizeof(text), host))
		return false;
	if (!strcmp(text, "localhost") || !strcmp(text, "::1"))
		return true;
	return inet_pton(AF_INET, text, &a) == 1 && (ntohl(a.s_addr) >> 24) == 127;
}

static int loopback_guard(const struct chan_account *a, struct lt_str host)
{
	const struct channels *cs = a->ch->cs;
	return (cs->o.loopback_only || a->ch->conf->loopback_only) && !host_is_loopback(s_of(host))
		? -LT_E_INVALID
		: 0;
}

int stream_open(
	struct chan_account *a, struct job *j, const struct lt_stream_req *given, uint32_t *ret)
{
	struct channels *cs = a->ch->cs;
	struct lt_stream_req in, *req = &in;
	struct str password = { 0 };
	const char *argv[2] = { a->ch->conf->exec, NULL };
	known_copy(&in, sizeof(in), given, given->struct_size);
	if (j->n_streams >= SESSION_STREAMS_MAX || (req->kind == LT_EXEC && !a->ch->conf->exec))
		return -LT_E_INVALID;
	if (req->kind != LT_EXEC && loopback_guard(a, req->host))
		return -LT_E_INVALID;
	if (req->secret.n && account_secret(a, req->secret, &password))
		return -LT_E_INVALID;
	struct chan_stream *st = x_calloc(1, sizeof(*st));
	struct stream_owner *o = x_calloc(1, sizeof(*o));
	*o = (struct stream_owner){ .st = st, .cs = cs };
	st->magic = STREAM_MAGIC;
	st->owner = j;
	st->id = ++cs->stream_seq ? cs->stream_seq : ++cs->stream_seq;
	st->refs = 2; /* the session's and net's */
	struct net_stream_req r = { .kind = (enum net_kind)req->kind,
		.host = s_of(req->host),
		.port = req->port,
		.ehlo_name = s_of(req->ehlo_name),
		.user = s_of(req->user),
		.password = password,
		.login_options = s_of(req->login_options),
		.starttls = req->starttls != 0,
		.connect_ms = req->connect_ms,
		.tcp_ms = req->kind == LT_SMTP || req->kind == LT_SMTPS ? SMTP_TCP_MS : 0,
		.idle_ms = req->idle_ms,
		.profile = &a->ch->profile,
		.any_certificate = any_certificate_here(a->ch) && host_is_loopback(s_of(req->host)),
		.argv = req->kind == LT_EXEC ? argv : NULL,
		.on_event = stream_on_event,
		.ctx = o };
	int rc = net_stream_open(cs->net, &r, &st->net);
	if (rc) {
		free(o);
		free(st);
		return rc == -EAGAIN ? -LT_E_AGAIN : -LT_E_INVALID;
	}
	list_push(&j->streams, &st->node);
	j->n_streams++;
	cs->streams_open++;
	(void)map64_put(cs->streams, st->id, st);
	*ret = st->id;
	return 0;
}

int srcs_to_segs(struct chan_account *a, const struct lt_src *src, size_t n, struct net_seg *segs)
{
	for (size_t i = 0; i < n; i++) {
		int rc = 0;
		segs[i] = (struct net_seg){ .bytes = s_of(src[i].bytes) };
		if (src[i].secret.p) {
			rc = account_secret(a, src[i].secret, &segs[i].bytes);
		} else if (src[i].asset.p) {
			segs[i].bytes = (struct str){ 0 };
			segs[i].source = slice_new(a->ch->cs, src[i].asset, src[i].offset,
				src[i].length, src[i].encode, &rc);
		}
		if (rc) {
			segs_release(segs, i);
			return -LT_E_INVALID;
		}
	}
	return 0;
}

void segs_release(struct net_seg *segs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (segs[i].source)
			segs[i].source->release(segs[i].source);
}

#define WHOSE_MAX 200

static bool may_publish(const struct job *j)
{
	return !j->finished && !j->cancelled && j->intent_open;
}

/* -LT_E_NOINTENT ends the jobs that had no right to publish: the adapter is told by the code and by their end. */
int publishing_check(struct job *const *whose, size_t n)
{
	bool good = n > 0;
	for (size_t i = 0; i < n; i++)
		good = good && whose[i] && may_publish(whose[i]);
	for (size_t i = 0; i < n && !good; i++) {
		struct job *j = whose[i];
		if (j && !j->finished && !may_publish(j))
			job_end_by_rule(j, -LT_E_NOINTENT,
				j->cancelled ? "stopped before it was published"
					     : "publishing without an intent");
	}
	return good ? 0 : -LT_E_NOINTENT;
}

int stream_write(struct channels *cs, uint32_t id, const struct lt_src *src, size_t n,
	uint32_t flags, struct lt_job *const *whose, size_t n_whose, uint64_t *ret_end)
{
	struct chan_stream *st = map64_get(cs->streams, id);
	struct net_seg few[64], *segs = few;
	struct job *jobs[WHOSE_MAX];
	uint64_t end = 0;
	if (!st || st->closed || !st->owner)
		return -LT_E_CLOSED;
	if (n > NET_SEGS_MAX || n_whose > WHOSE_MAX)
		return -LT_E_FULL;
	for (size_t i = 0; i < n_whose; i++)
		jobs[i] = job_of(whose[i]);
	if ((flags & LT_PUBLISHES) && publishing_check(jobs, n_whose))
		return -LT_E_NOINTENT;
	if (n > ARRAY_LEN(few))
		segs = x_calloc(n, sizeof(*segs));
	int rc = srcs_to_segs(st->owner->acct, src, n, segs);
	uint64_t bytes = 0; /* counted before: net takes the sources */
	for (size_t i = 0; i < n && !rc; i++)
		bytes += segs[i].source ? segs[i].source->length : segs[i].bytes.n;
	if (!rc) {
		rc = net_stream_write(cs->net, st->net, segs, n, &end);
		rc = rc == -EAGAIN     ? -LT_E_AGAIN
			: rc == -EPIPE ? -LT_E_CLOSED
			: rc           ? -LT_E_FULL
				       : 0;
	}
	if (segs != few)
		free(segs);
	if (rc)
		return rc;
	for (size_t i = 0; i < n_whose && (flags & LT_PUBLISHES); i++)
		job_published_on(jobs[i], st, end - bytes, (flags & LT_REPEATABLE) != 0);
	if (ret_end)
		*ret_end = end;
	return 0;
}

void stream_close(struct channels *cs, uint32_t id, bool reset)
{
	struct chan_stream *st = map64_get(cs->streams, id);
	if (st && st->net)
		net_stream_close(cs->net, st->net, reset);
}

void streams_drop(struct job *j)
{
	struct channels *cs = j->acct->ch->cs;
	LIST_FOR_SAFE(&j->streams, it, nx)
	{
		struct chan_stream *st = CONTAINER_OF(it, struct chan_stream, node);
		if (st->net)
			net_stream_close(cs->net, st->net, true);
		stream_forget(st);
	}
}
