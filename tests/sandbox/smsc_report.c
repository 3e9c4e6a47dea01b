/* smsc_report.c - reports and texts from phones: kept until the ESME has acknowledged them, sent again on its next bind.
 * Owns: the lists of reports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "smsc.h"

static void report_free(struct smsc *c, struct smsc_report *r)
{
	list_del(&r->node);
	c->n_reports--;
	free((void *)(uintptr_t)r->body.p);
	free(r);
}

void smsc_reports_free(struct smsc *c)
{
	LIST_FOR_SAFE(&c->reports, it, nx)
	report_free(c, CONTAINER_OF(it, struct smsc_report, node));
	LIST_FOR_SAFE(&c->sent, it, nx)
	report_free(c, CONTAINER_OF(it, struct smsc_report, node));
}

static struct smsc_report *report_add(struct smsc *c, const char *user, int64_t at)
{
	if (c->n_reports >= SMSC_REPORTS_MAX)
		return NULL;
	struct smsc_report *r = x_calloc(1, sizeof(*r));
	(void)snprintf(r->user, sizeof(r->user), "%s", user);
	r->at = at;
	list_push(&c->reports, &r->node);
	c->n_reports++;
	return r;
}

/* The id as this server writes it in reports: that is where the trouble begins. */
static void report_id(const struct smsc *c, const char *id, char *dst, size_t size)
{
	const char *how = c->opt.report_ids;

	if (strcmp(how, "dec") == 0)
		(void)snprintf(dst, size, "%010llu", strtoull(id, NULL, 16));
	else if (strcmp(how, "hex") == 0)
		(void)snprintf(dst, size, "%llX", strtoull(id, NULL, 10));
	else if (strcmp(how, "padded") == 0)
		(void)snprintf(dst, size, "%010llu", strtoull(id, NULL, 10));
	else if (strcmp(how, "stripped") == 0)
		(void)snprintf(dst, size, "%s", id + strspn(id, "0"));
	else
		(void)snprintf(dst, size, "%s", id);
	for (char *p = dst; strcmp(how, "upper") == 0 && *p != 0; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 32);
}

static void report_fill(
	struct smsc *c, struct smsc_report *r, const struct smsc_sm *m, const char *id)
{
	(void)snprintf(r->from, sizeof(r->from), "%.*s", (int)(m->dest.n > 20 ? 20 : m->dest.n),
		m->dest.p);
	(void)snprintf(r->to, sizeof(r->to), "%.*s", (int)(m->source.n > 20 ? 20 : m->source.n),
		m->source.p);
	report_id(c, id, r->id, sizeof(r->id));
	r->esm_class = 4;
	r->user_ref = m->user_ref < 0 ? 0 : (uint16_t)m->user_ref;
}

static size_t cstr(char *p, const char *z)
{
	size_t n = strlen(z) + 1;

	memcpy(p, z, n);
	return n;
}

static void report_put(struct smsc *c, struct smsc_conn *conn, struct smsc_report *r)
{
	char b[1200], text[255], when[64];
	size_t n = 0, len;
	time_t now = time(NULL) + 7 * 3600;
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)snprintf(when, sizeof(when), "%02d%02d%02d%02d%02d", tm.tm_year % 100, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min);
	if (r->mo)
		len = r->body.n > 250 ? 250 : r->body.n;
	else
		len = (size_t)snprintf(text, sizeof(text),
			"id:%s sub:001 dlvrd:%s submit date:%s done date:%s stat:%s err:%s text:%s",
			r->id, strcmp(c->opt.state, "DELIVRD") == 0 ? "001" : "000", when, when,
			c->opt.state, c->opt.err, c->opt.text ? r->text : "");
	n += cstr(b + n, "");
	b[n++] = 1;
	b[n++] = 1;
	n += cstr(b + n, r->from);
	b[n++] = 5;
	b[n++] = 0;
	n += cstr(b + n, r->to);
	b[n++] = (char)r->esm_class;
	b[n++] = 0;
	b[n++] = 0;
	n += cstr(b + n, "");
	n += cstr(b + n, "");
	b[n++] = 0;
	b[n++] = 0;
	b[n++] = (char)r->data_coding;
	b[n++] = 0;
	b[n++] = (char)len;
	memcpy(b + n, r->mo ? r->body.p : text, len);
	n += len;
	if (c->opt.report_tlv && !r->mo) {
		size_t idn = strlen(r->id) + 1;
		const char head[] = { 0, 0x1e, 0, (char)idn };
		memcpy(b + n, head, 4);
		memcpy(b + n + 4, r->id, idn);
		n += 4 + idn;
		const char state[] = { 0x04, 0x27, 0, 1,
			strcmp(c->opt.state, "DELIVRD") == 0 ? 2 : 5 };
		memcpy(b + n, state, 5);
		n += 5;
	}
	conn->seq = conn->seq >= 0x7fffffff ? 1 : conn->seq + 1;
	r->conn = conn;
	r->seq = conn->seq;
	c->sent_reports += !r->mo;
	smsc_put(conn, 5, 0, conn->seq, (struct str){ b, n });
	list_del(&r->node);
	list_push(&c->sent, &r->node);
}

static struct smsc_conn *receiver_of(struct smsc *c, const char *user)
{
	LIST_FOR(&c->conns, it)
	{
		struct smsc_conn *k = CONTAINER_OF(it, struct smsc_conn, node);
		if ((k->role & 1) && !k->closing && !k->close_after_flush &&
			strcmp(k->user, user) == 0)
			return k;
	}
	return NULL;
}

void smsc_reports_send(struct smsc *c)
{
	int64_t now = sb_now_ms();
	size_t n = 0;

	LIST_FOR_SAFE(&c->reports, it, nx)
	{
		struct smsc_report *r = CONTAINER_OF(it, struct smsc_report, node);
		struct smsc_conn *k = r->at > now ? NULL : receiver_of(c, r->user);
		if (k == NULL && ++n > 1000)
			break;
		if (k == NULL)
			continue;
		if (k->out.n > 4u << 20)
			break;
		report_put(c, k, r);
	}
}

void smsc_report_new(
	struct smsc *c, const struct smsc_conn *conn, const struct smsc_sm *m, const char *id)
{
	int times = strcmp(c->opt.reports, "double") == 0 ? 2 : 1;

	if ((m->registered & 3) == 0 || strcmp(c->opt.reports, "never") == 0)
		return;
	if ((m->registered & 3) == 2 && strcmp(c->opt.state, "DELIVRD") == 0)
		return;
	for (int i = 0; i < times; i++) {
		struct smsc_report *r = report_add(c, conn->user, sb_now_ms() + c->opt.report_ms);
		if (r == NULL)
			return;
		report_fill(c, r, m, id);
	}
	if (strcmp(c->opt.reports, "before") == 0)
		smsc_reports_send(c); /* it overtakes the answer */
}

/* Reports for ids that nobody was ever given. */
void smsc_reports_flood(struct smsc *c, int64_t n)
{
	LIST_FOR(&c->conns, it)
	{
		const struct smsc_conn *k = CONTAINER_OF(it, struct smsc_conn, node);
		if (!(k->role & 1))
			continue;
		for (int64_t i = 0; i < n; i++) {
			struct smsc_report *r = report_add(c, k->user, 0);
			if (r == NULL)
				return;
			(void)snprintf(
				r->from, sizeof(r->from), "8491%07lld", (long long)(i % 10000000));
			(void)snprintf(r->to, sizeof(r->to), "BHXH");
			(void)snprintf(r->id, sizeof(r->id), "forged-%lld", (long long)i);
			r->esm_class = 4;
		}
		return;
	}
}

static void mo_part(struct smsc *c, const char *user, const cJSON *mo, const char *p, size_t n,
	uint8_t dcs, const char *udh)
{
	struct smsc_report *r = report_add(c, user, 0);

	if (r == NULL)
		return;
	char *own = x_calloc(1, n + 8);
	size_t head = udh == NULL ? 0 : 6;
	if (head > 0)
		memcpy(own, udh, head);
	memcpy(own + head, p, n);
	r->mo = true;
	r->body = (struct str){ own, n + head };
	r->data_coding = dcs;
	r->esm_class = head > 0 ? 0x40 : 0;
	(void)snprintf(r->from, sizeof(r->from), "%.20s", json_z(mo, "from", "84910000000"));
	(void)snprintf(r->to, sizeof(r->to), "%.20s", json_z(mo, "to", "8x56"));
}

int smsc_mo(struct smsc *c, const cJSON *mo, struct err *e)
{
	static uint8_t ref;
	char b[4000];
	uint8_t dcs = 0;
	size_t n = smsc_encode_gsm(json_str(mo, "text"), b, sizeof(b)), max = 153;

	if (n == 0) {
		dcs = 8;
		max = 134;
		n = smsc_encode_ucs2(json_str(mo, "text"), b, sizeof(b));
	}
	LIST_FOR(&c->conns, it)
	{
		const struct smsc_conn *k = CONTAINER_OF(it, struct smsc_conn, node);
		if (!(k->role & 1))
			continue;
		if (n <= (dcs == 8 ? 140u : 160u)) {
			mo_part(c, k->user, mo, b, n, dcs, NULL);
			return 0;
		}
		char total = (char)((n + max - 1) / max);
		ref++;
		for (char i = 0; i < total; i++) {
			const char udh[] = { 5, 0, 3, (char)ref, total, (char)(i + 1) };
			size_t at = (size_t)i * max;
			mo_part(c, k->user, mo, b + at, n - at < max ? n - at : max, dcs, udh);
		}
		return 0;
	}
	return err_set(e, -ENOTCONN, "mo: nobody is bound to receive");
}

void smsc_report_answer(struct smsc *c, struct smsc_conn *conn, uint32_t seq, uint32_t status)
{
	LIST_FOR(&c->sent, it)
	{
		struct smsc_report *r = CONTAINER_OF(it, struct smsc_report, node);
		if (r->conn != conn || r->seq != seq)
			continue;
		if (status != 0) { /* not stored: again in a while */
			r->conn = NULL;
			r->at = sb_now_ms() + 1000;
			list_del(&r->node);
			list_push(&c->reports, &r->node);
			return;
		}
		c->acked += !r->mo;
		c->mo_acked += r->mo;
		report_free(c, r);
		return;
	}
}

void smsc_reports_gone(struct smsc *c, const struct smsc_conn *conn)
{
	LIST_FOR_SAFE(&c->sent, it, nx)
	{
		struct smsc_report *r = CONTAINER_OF(it, struct smsc_report, node);
		if (r->conn != conn)
			continue;
		r->conn = NULL;
		list_del(&r->node);
		list_push(&c->reports, &r->node);
	}
}
