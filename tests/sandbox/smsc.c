/* smsc.c - the imitated SMSC's connections: PDUs in, answers out, each turn's answers behind its ledger lines.
 * Owns: listener and connections. Failures: a peer that sends what is no SMPP gets generic_nack and is cut off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "smsc.h"

#define OUT_MAX (32u << 20)

static uint32_t get32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

void smsc_put(struct smsc_conn *k, uint32_t id, uint32_t status, uint32_t seq, struct str body)
{
	uint32_t v[] = { (uint32_t)body.n + 16, id, status, seq };

	for (size_t i = 0; i < 4; i++) {
		char b[] = { (char)(v[i] >> 24), (char)(v[i] >> 16), (char)(v[i] >> 8),
			(char)v[i] };
		(void)buf_add(&k->out, b, 4);
	}
	(void)buf_add_str(&k->out, body);
}

/* --- connections --------------------------------------------------------------------------------------------------------------- */
static void conn_gone(uv_handle_t *h)
{
	struct smsc_conn *k = h->data;

	list_del(&k->node);
	k->c->n_conns--;
	buf_done(&k->in);
	buf_done(&k->out);
	free(k);
}

static void link_line(const struct smsc_conn *k, const char *what)
{
	cJSON *o = json_obj();

	json_put_z(o, "t", "sms_link");
	json_put_z(o, "what", what);
	json_put_z(o, "system_id", k->user);
	json_put_i64(o, "role", k->role);
	sb_ledger_json(k->c->s, o);
}

static void conn_close(struct smsc_conn *k, bool reset)
{
	if (k->closing)
		return;
	k->closing = true;
	if (k->role != 0)
		link_line(k, reset ? "cut" : "closed");
	smsc_reports_gone(k->c, k);
	if (reset && uv_tcp_close_reset(&k->tcp, conn_gone) == 0)
		return;
	uv_close((uv_handle_t *)&k->tcp, conn_gone);
}

static struct str cstring(struct str *s, bool *bad)
{
	const char *nul = s->n == 0 ? NULL : memchr(s->p, 0, s->n);

	if (nul == NULL) {
		*bad = true;
		return (struct str){ "", 0 };
	}
	struct str v = { s->p, (size_t)(nul - s->p) };
	*s = (struct str){ nul + 1, s->n - v.n - 1 };
	return v;
}

static uint8_t octet(struct str *s, bool *bad)
{
	if (s->n == 0) {
		*bad = true;
		return 0;
	}
	uint8_t v = (uint8_t)s->p[0];
	*s = (struct str){ s->p + 1, s->n - 1 };
	return v;
}

/* --- bind ---------------------------------------------------------------------------------------------------------------------- */
static void on_bind(struct smsc_conn *k, uint32_t id, uint32_t seq, struct str body)
{
	struct smsc *c = k->c;
	bool bad = false;
	struct str user = cstring(&body, &bad), password = cstring(&body, &bad);
	struct smsc_rule *r = smsc_rule_hit(c, SMSC_AT_BIND, user);
	uint32_t status = 0;

	if (r != NULL && r->what == SMSC_SILENT)
		return;
	if (r != NULL && r->what == SMSC_DROP) {
		k->close_after_flush = true;
		return;
	}
	if (r != NULL)
		status = r->code;
	else if (bad)
		status = 0x0d;
	else if (k->role != 0)
		status = 0x05;
	else if (c->opt.user[0] != 0 && !str_eqz(user, c->opt.user))
		status = 0x0f;
	else if (c->opt.user[0] != 0 && !str_eqz(password, c->opt.password))
		status = 0x0e;
	if (status != 0) { /* as npm smpp has it: no body */
		smsc_put(k, id | 0x80000000u, status, seq, (struct str){ "", 0 });
		k->close_after_flush = true;
		return;
	}
	(void)str_copy(k->user, sizeof(k->user), user);
	k->role = id == 1 ? 1 : id == 2 ? 2 : 3;
	c->binds++;
	smsc_put(k, id | 0x80000000u, 0, seq, (struct str){ "sandbox\0\x02\x10\0\x01\x34", 13 });
	link_line(k, "bound");
}

/* --- submit -------------------------------------------------------------------------------------------------------------------- */
static int tlv_u(struct str v)
{
	return v.n == 1    ? (unsigned char)v.p[0]
		: v.n == 2 ? (unsigned char)v.p[0] << 8 | (unsigned char)v.p[1]
			   : -1;
}

static bool read_tlvs(struct str s, struct smsc_sm *m)
{
	m->sar_ref = m->sar_total = m->sar_seq = m->user_ref = -1;
	while (s.n > 0) {
		if (s.n < 4)
			return false;
		const unsigned char *u = (const unsigned char *)s.p;
		size_t n = (size_t)u[2] << 8 | u[3];
		int tag = u[0] << 8 | u[1];
		if (n > s.n - 4)
			return false;
		struct str v = { s.p + 4, n };
		if (tag == 0x0204)
			m->user_ref = tlv_u(v);
		else if (tag == 0x020c)
			m->sar_ref = tlv_u(v);
		else if (tag == 0x020e)
			m->sar_total = tlv_u(v);
		else if (tag == 0x020f)
			m->sar_seq = tlv_u(v);
		else if (tag == 0x0424) {
			m->message = v;
			m->payload = true;
		}
		s = (struct str){ s.p + 4 + n, s.n - 4 - n };
	}
	return true;
}

static bool read_sm(struct str b, struct smsc_sm *m)
{
	bool bad = false;

	*m = (struct smsc_sm){ .message = { "", 0 } };
	(void)cstring(&b, &bad);
	m->source_ton = octet(&b, &bad);
	(void)octet(&b, &bad);
	m->source = cstring(&b, &bad);
	m->dest_ton = octet(&b, &bad);
	(void)octet(&b, &bad);
	m->dest = cstring(&b, &bad);
	m->esm_class = octet(&b, &bad);
	(void)octet(&b, &bad);
	m->priority = octet(&b, &bad);
	(void)cstring(&b, &bad);
	(void)str_copy(m->validity, sizeof(m->validity), cstring(&b, &bad));
	m->registered = octet(&b, &bad);
	(void)octet(&b, &bad);
	m->data_coding = octet(&b, &bad);
	(void)octet(&b, &bad);
	size_t n = octet(&b, &bad);
	if (bad || n > b.n)
		return false;
	m->message = (struct str){ b.p, n };
	return read_tlvs((struct str){ b.p + n, b.n - n }, m);
}

static void make_id(struct smsc *c, char *dst, size_t size)
{
	uint64_t r = sb_random(c->s);

	if (strcmp(c->opt.ids, "hex") == 0)
		(void)snprintf(dst, size, "%llx", (unsigned long long)(0x39f90000u + ++c->last_id));
	else if (strcmp(c->opt.ids, "hex16") == 0)
		(void)snprintf(
			dst, size, "%016llx", (unsigned long long)(0x39f90000u + ++c->last_id));
	else if (strcmp(c->opt.ids, "few") == 0)
		(void)snprintf(dst, size, "%u", (unsigned)(++c->last_id % 7 + 1));
	else if (strcmp(c->opt.ids, "random") == 0)
		(void)snprintf(dst, size, "%016llx", (unsigned long long)r);
	else if (strcmp(c->opt.ids, "uuid") == 0)
		(void)snprintf(dst, size, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(r >> 32),
			(unsigned)(r >> 16 & 0xffff), (unsigned)(r & 0xfff),
			(unsigned)(r >> 4 & 0xfff),
			(unsigned long long)(sb_random(c->s) & 0xffffffffffffu));
	else
		(void)snprintf(dst, size, "%llu", (unsigned long long)++c->last_id);
}

static void refuse(struct smsc_conn *k, uint32_t id, uint32_t status, uint32_t seq)
{
	k->c->refused++;
	k->c->throttled += status == 0x58;
	smsc_put(k, id, status, seq, (struct str){ "", 0 });
}

struct later {
	struct list node; /* of smsc.laters */
	struct smsc_conn *k;
	struct smsc *c;
	uint32_t seq;
	char id[72];
};

static bool still_there(const struct smsc *c, const struct smsc_conn *k)
{
	LIST_FOR(&c->conns, it)
	if (CONTAINER_OF(it, struct smsc_conn, node) == k)
		return !k->closing;
	return false;
}

static void on_later(void *ctx)
{
	struct later *l = ctx;

	if (still_there(l->c, l->k)) {
		l->k->waiting--;
		smsc_put(l->k, 0x80000004u, 0, l->seq, (struct str){ l->id, strlen(l->id) + 1 });
	}
	list_del(&l->node);
	free(l);
}

static void answer_later(struct smsc_conn *k, uint32_t seq, const char *id, int64_t ms)
{
	struct later *l = x_calloc(1, sizeof(*l));

	l->k = k;
	l->c = k->c;
	l->seq = seq;
	(void)snprintf(l->id, sizeof(l->id), "%s", id);
	list_push(&k->c->laters, &l->node);
	k->waiting++;
	sb_later(k->c->s, ms, on_later, l);
}

static bool too_fast(struct smsc *c)
{
	int64_t second = sb_now_ms() / 1000;

	if (second != c->second) {
		c->second = second;
		c->in_second = 0;
	}
	return c->opt.per_s > 0 && (int64_t)++c->in_second > c->opt.per_s;
}

/* A taken one: in the ledger, reported, answered as the rule says. */
static void taken(
	struct smsc_conn *k, const struct smsc_sm *m, uint32_t seq, const struct smsc_rule *r)
{
	struct smsc *c = k->c;
	char id[72];
	bool lost = r != NULL &&
		(r->what == SMSC_TAKE_SILENT || r->what == SMSC_TAKE_DROP ||
			r->what == SMSC_GARBAGE);

	make_id(c, id, sizeof(id));
	smsc_take(c, k, m, id, lost ? "lost" : "yes");
	smsc_report_new(c, k, m, id);
	if (r != NULL && r->what == SMSC_TAKE_DROP)
		k->reset_after_flush = true;
	else if (r != NULL && r->what == SMSC_GARBAGE)
		(void)buf_add(&k->out, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	else if (r != NULL && r->what == SMSC_DELAY)
		answer_later(k, seq, id, r->pace.delay_ms);
	else if (!lost)
		smsc_put(k, 0x80000004u, 0, seq, (struct str){ id, strlen(id) + 1 });
	if (r != NULL && r->what == SMSC_UNBIND)
		smsc_put(k, 6, 0, ++k->seq, (struct str){ "", 0 });
}

static void on_submit(struct smsc_conn *k, uint32_t seq, struct str body)
{
	struct smsc *c = k->c;
	struct smsc_sm m;

	if (!(k->role & 2)) {
		refuse(k, 0x80000004u, 4, seq);
		return;
	}
	if (!read_sm(body, &m)) {
		refuse(k, 0x80000004u, 2, seq);
		return;
	}
	if (c->opt.window > 0 && (int64_t)k->waiting >= c->opt.window) {
		refuse(k, 0x80000004u, (uint32_t)c->opt.window_code, seq);
		return;
	}
	if (too_fast(c)) {
		refuse(k, 0x80000004u, 0x58, seq);
		return;
	}
	struct smsc_rule *r = smsc_rule_hit(c, SMSC_AT_SUBMIT, m.dest);
	if (r != NULL && r->what == SMSC_STATUS)
		refuse(k, 0x80000004u, r->code, seq);
	else if (r != NULL && r->what == SMSC_NACK)
		refuse(k, 0x80000000u, r->code, seq);
	else if (r != NULL && r->what == SMSC_DROP)
		k->reset_after_flush = true;
	else if (r == NULL || r->what != SMSC_SILENT)
		taken(k, &m, seq, r);
}

static void on_pdu(struct smsc_conn *k, uint32_t id, uint32_t status, uint32_t seq, struct str body)
{
	struct smsc_rule *r;

	switch (id) {
	case 1:
	case 2:
	case 9: on_bind(k, id, seq, body); break;
	case 4: on_submit(k, seq, body); break;
	case 6:
		link_line(k, "unbound");
		smsc_put(k, 0x80000006u, 0, seq, (struct str){ "", 0 });
		k->close_after_flush = true;
		break;
	case 0x15:
		r = smsc_rule_hit(k->c, SMSC_AT_ENQUIRE, (struct str){ "", 0 });
		if (r == NULL)
			smsc_put(k, 0x80000015u, 0, seq, (struct str){ "", 0 });
		break;
	case 0x80000005u: smsc_report_answer(k->c, k, seq, status); break;
	case 0x80000006u: k->close_after_flush = true; break;
	case 0x80000015u: break;
	default:
		if (!(id & 0x80000000u))
			smsc_put(k, 0x80000000u, 3, seq, (struct str){ "", 0 });
		break;
	}
}

static void eat(struct smsc_conn *k)
{
	size_t at = 0;

	while (!k->closing && !k->close_after_flush && !k->reset_after_flush &&
		k->in.n - at >= 16) {
		const char *p = k->in.p + at;
		uint32_t n = get32(p);
		if (n < 16 || n > SMSC_PDU_MAX) {
			smsc_put(k, 0x80000000u, 2, 0, (struct str){ "", 0 });
			k->close_after_flush = true;
			break;
		}
		if (k->in.n - at < n)
			break;
		on_pdu(k, get32(p + 4), get32(p + 8), get32(p + 12),
			(struct str){ p + 16, n - 16 });
		at += n;
	}
	if (at > 0 && k->in.n > at)
		memmove(k->in.p, k->in.p + at, k->in.n - at);
	k->in.n -= at;
}

/* --- libuv --------------------------------------------------------------------------------------------------------------------- */
static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	static char room[256 << 10];

	(void)h;
	(void)hint;
	*b = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b)
{
	struct smsc_conn *k = st->data;

	if (n < 0) {
		conn_close(k, false);
		return;
	}
	(void)buf_add(&k->in, b->base, (size_t)n);
	eat(k);
}

static void on_connect(uv_stream_t *st, int status)
{
	struct smsc *c = st->data;

	if (status < 0)
		return;
	struct smsc_conn *k = x_calloc(1, sizeof(*k));
	k->c = c;
	k->tcp.data = k;
	buf_init(&k->in, 8u << 20);
	buf_init(&k->out, OUT_MAX);
	list_push(&c->conns, &k->node);
	c->n_conns++;
	(void)uv_tcp_init(&c->s->loop, &k->tcp);
	if (uv_accept(st, (uv_stream_t *)&k->tcp) < 0 || c->n_conns > SMSC_CONNS_MAX) {
		conn_close(k, true);
		return;
	}
	(void)uv_tcp_nodelay(&k->tcp, 1);
	(void)uv_read_start((uv_stream_t *)&k->tcp, on_alloc, on_read);
}

struct out {
	uv_write_t req;
	char *bytes; /* owned */
};

static void on_written(uv_write_t *req, int status)
{
	struct out *o = req->data;

	(void)status;
	free(o->bytes);
	free(o);
}

/* Answers of the turn in the opposite order: PDUs are parted by their lengths. */
static void reverse(struct buf *b)
{
	char *copy = x_calloc(1, b->n + 1);
	size_t at = 0, to = b->n;

	memcpy(copy, b->p, b->n);
	while (at + 16 <= b->n) {
		size_t n = get32(copy + at);
		if (n < 16 || n > b->n - at)
			break;
		to -= n;
		memcpy(b->p + to, copy + at, n);
		at += n;
	}
	free(copy);
}

static void conn_flush(struct smsc_conn *k)
{
	if (k->closing)
		return;
	if (k->out.n > 0) {
		struct out *o = x_calloc(1, sizeof(*o));
		if (k->c->opt.reversed)
			reverse(&k->out);
		o->bytes = x_calloc(1, k->out.n);
		memcpy(o->bytes, k->out.p, k->out.n);
		o->req.data = o;
		uv_buf_t b = uv_buf_init(o->bytes, (unsigned)k->out.n);
		k->out.n = 0;
		if (uv_write(&o->req, (uv_stream_t *)&k->tcp, &b, 1, on_written) < 0) {
			free(o->bytes);
			free(o);
			conn_close(k, true);
		}
	}
	if (k->reset_after_flush)
		conn_close(k, true);
	else if (k->close_after_flush)
		conn_close(k, false);
}

static struct smsc *the; /* one a sandbox */

static void on_tick(void *ctx)
{
	((struct smsc *)ctx)->timer_set = false; /* the end of this turn looks at the reports */
}

static void flush(struct sandbox *s)
{
	(void)s;
	if (the == NULL)
		return;
	smsc_reports_send(the);
	sb_ledger_flush(the->s);
	LIST_FOR_SAFE(&the->conns, it, nx)
	conn_flush(CONTAINER_OF(it, struct smsc_conn, node));
	if (!list_empty(&the->reports) && !the->timer_set) {
		the->timer_set = true;
		sb_later(the->s, 20, on_tick, the);
	}
}

static void each_link(struct smsc *c, const char *what)
{
	LIST_FOR_SAFE(&c->conns, it, nx)
	{
		struct smsc_conn *k = CONTAINER_OF(it, struct smsc_conn, node);
		if (strcmp(what, "unbind") == 0)
			smsc_put(k, 6, 0, ++k->seq, (struct str){ "", 0 });
		else
			conn_close(k, true);
	}
}

static void stall(struct smsc *c, bool on)
{
	LIST_FOR(&c->conns, it)
	{
		struct smsc_conn *k = CONTAINER_OF(it, struct smsc_conn, node);
		if (on && !k->stalled)
			(void)uv_read_stop((uv_stream_t *)&k->tcp);
		else if (!on && k->stalled)
			(void)uv_read_start((uv_stream_t *)&k->tcp, on_alloc, on_read);
		k->stalled = on;
	}
}

static int on_ctl(void *ctx, const cJSON *in, cJSON *ret, struct err *e)
{
	struct smsc *c = ctx;
	int rc = smsc_script(c, in, e);

	if (rc == 0 && json_has(in, "mo"))
		rc = smsc_mo(c, json_get(in, "mo"), e);
	if (rc < 0)
		return rc;
	if (json_has(in, "do"))
		each_link(c, json_z(in, "do", ""));
	if (json_has(in, "stall"))
		stall(c, json_bool(in, "stall", false));
	smsc_reports_flood(c, json_i64(in, "flood", 0));
	smsc_stats(c, ret);
	return 0;
}

static int open_smsc(struct sandbox *s, const cJSON *script, struct err *e)
{
	struct smsc *c = x_calloc(1, sizeof(*c));
	struct sockaddr_in at;
	int n = sizeof(at);

	c->s = s;
	list_init(&c->conns);
	list_init(&c->reports);
	list_init(&c->sent);
	list_init(&c->parts);
	list_init(&c->laters);
	c->opt = (struct smsc_options){ .ids = "dec",
		.reports = "after",
		.report_ids = "same",
		.state = "DELIVRD",
		.err = "000",
		.window_code = 0x14 };
	the = c;
	c->listener.data = c;
	(void)uv_tcp_init(&s->loop, &c->listener);
	(void)uv_ip4_addr("127.0.0.1", (int)json_i64(script, "port", 0), &at);
	int rc = uv_tcp_bind(&c->listener, (const struct sockaddr *)&at, 0);
	rc = rc < 0 ? rc : uv_listen((uv_stream_t *)&c->listener, 128, on_connect);
	rc = rc < 0 ? rc : uv_tcp_getsockname(&c->listener, (struct sockaddr *)&at, &n);
	if (rc < 0)
		return err_set(e, rc, "listen: %s", uv_strerror(rc));
	c->port = ntohs(at.sin_port);
	sb_ctl_add(s, "smsc", on_ctl, c);
	return script == NULL ? 0 : smsc_script(c, script, e);
}

static void close_smsc(struct sandbox *s)
{
	(void)s;
	uv_close((uv_handle_t *)&the->listener, NULL);
	LIST_FOR_SAFE(&the->conns, it, nx)
	conn_close(CONTAINER_OF(it, struct smsc_conn, node), false);
	smsc_reports_free(the);
	smsc_parts_free(the);
}

static int port_of(struct sandbox *s)
{
	(void)s;
	return the->port;
}

const struct sb_provider sb_provider_smsc = {
	.name = "smsc", .open = open_smsc, .close = close_smsc, .port = port_of, .flush = flush
};
