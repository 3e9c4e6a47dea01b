/* smsc_text.c - what the imitated SMSC understands of a text: alphabets, parts, and one ledger line a message.
 * Owns: texts of which parts are missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "smsc.h"

static const uint16_t gsm[128] = { '@', 0xa3, '$', 0xa5, 0xe8, 0xe9, 0xf9, 0xec, 0xf2, 0xc7, '\n',
	0xd8, 0xf8, '\r', 0xc5, 0xe5, 0x394, '_', 0x3a6, 0x393, 0x39b, 0x3a9, 0x3a0, 0x3a8, 0x3a3,
	0x398, 0x39e, 0, 0xc6, 0xe6, 0xdf, 0xc9, ' ', '!', '"', '#', 0xa4, '%', '&', '\'', '(', ')',
	'*', '+', ',', '-', '.', '/', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';',
	'<', '=', '>', '?', 0xa1, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M',
	'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 0xc4, 0xd6, 0xd1, 0xdc,
	0xa7, 0xbf, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p',
	'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0xe4, 0xf6, 0xf1, 0xfc, 0xe0 };
static const struct {
	uint8_t code;
	uint16_t cp;
} ext[] = { { 0x0a, 0x0c }, { 0x14, '^' }, { 0x28, '{' }, { 0x29, '}' }, { 0x2f, '\\' },
	{ 0x3c, '[' }, { 0x3d, '~' }, { 0x3e, ']' }, { 0x40, '|' }, { 0x65, 0x20ac } };

static void put_utf8(struct buf *b, uint32_t cp)
{
	if (cp < 0x80)
		(void)buf_addc(b, (char)cp);
	else if (cp < 0x800) {
		(void)buf_addc(b, (char)(0xc0 | cp >> 6));
		(void)buf_addc(b, (char)(0x80 | (cp & 63)));
	} else if (cp < 0x10000) {
		(void)buf_addc(b, (char)(0xe0 | cp >> 12));
		(void)buf_addc(b, (char)(0x80 | (cp >> 6 & 63)));
		(void)buf_addc(b, (char)(0x80 | (cp & 63)));
	} else {
		(void)buf_addc(b, (char)(0xf0 | cp >> 18));
		(void)buf_addc(b, (char)(0x80 | (cp >> 12 & 63)));
		(void)buf_addc(b, (char)(0x80 | (cp >> 6 & 63)));
		(void)buf_addc(b, (char)(0x80 | (cp & 63)));
	}
}

static uint32_t get_utf8(struct str *s)
{
	unsigned char c = (unsigned char)s->p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t cp = n == 1 ? c : n == 2 ? c & 31u : n == 3 ? c & 15u : c & 7u;

	for (size_t i = 1; i < n && i < s->n; i++)
		cp = cp << 6 | ((unsigned char)s->p[i] & 63u);
	n = n > s->n ? s->n : n;
	*s = (struct str){ s->p + n, s->n - n };
	return cp;
}

static void decode_ucs2(const unsigned char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t u = (uint32_t)p[i] << 8 | p[i + 1];
		if (u >= 0xd800 && u < 0xdc00 && i + 3 < n) {
			uint32_t v = (uint32_t)p[i + 2] << 8 | p[i + 3];
			if (v >= 0xdc00 && v < 0xe000) {
				u = 0x10000 + ((u - 0xd800) << 10) + (v - 0xdc00);
				i += 2;
			}
		}
		put_utf8(out, u >= 0xd800 && u < 0xe000 ? 0xfffd : u);
	}
	if (n % 2 != 0)
		put_utf8(out, 0xfffd);
}

static void decode_gsm(const unsigned char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t cp = p[i] < 128 ? gsm[p[i]] : 0xfffd;
		if (p[i] == 0x1b && i + 1 < n) {
			i++;
			cp = p[i] < 128 ? gsm[p[i]] : 0xfffd;
			for (size_t k = 0; k < sizeof(ext) / sizeof(ext[0]); k++)
				if (ext[k].code == p[i])
					cp = ext[k].cp;
		}
		put_utf8(out, cp);
	}
}

void smsc_decode(struct str s, uint8_t dcs, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if ((dcs & 0x0f) == 8) {
		decode_ucs2(p, s.n, out);
		return;
	}
	if ((dcs & 0x0f) == 3) {
		for (size_t i = 0; i < s.n; i++)
			put_utf8(out, p[i]);
		return;
	}
	decode_gsm(p, s.n, out);
}

size_t smsc_encode_gsm(struct str s, char *dst, size_t size)
{
	size_t n = 0;

	while (s.n > 0) {
		uint32_t cp = get_utf8(&s);
		size_t k = 0, was = n;
		while (k < 128 && (gsm[k] != cp || k == 27))
			k++;
		if (k < 128 && n < size)
			dst[n++] = (char)k;
		for (size_t x = 0; k == 128 && x < sizeof(ext) / sizeof(ext[0]); x++)
			if (ext[x].cp == cp && n + 1 < size) {
				dst[n++] = 0x1b;
				dst[n++] = (char)ext[x].code;
			}
		if (n == was)
			return 0;
	}
	return n;
}

size_t smsc_encode_ucs2(struct str s, char *dst, size_t size)
{
	size_t n = 0;

	while (s.n > 0 && n + 4 <= size) {
		uint32_t cp = get_utf8(&s);
		if (cp >= 0x10000) {
			uint32_t hi = 0xd800 + ((cp - 0x10000) >> 10);
			dst[n++] = (char)(hi >> 8);
			dst[n++] = (char)hi;
			cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
		}
		dst[n++] = (char)(cp >> 8);
		dst[n++] = (char)cp;
	}
	return n;
}

void smsc_phone(struct str in, char *dst, size_t size)
{
	if (in.n > 0 && in.p[0] == '0')
		(void)snprintf(dst, size, "+84%.*s", (int)(in.n > 20 ? 20 : in.n) - 1, in.p + 1);
	else
		(void)snprintf(dst, size, "%s%.*s", in.n > 0 && in.p[0] == '+' ? "" : "+",
			(int)(in.n > 20 ? 20 : in.n), in.p == NULL ? "" : in.p);
}

/* --- parts ------------------------------------------------------------------------------------------------------------------- */
/* A phone drops what never became whole: a reference of eight bits comes again after 17 minutes (contract sms 1.3: "within minutes"). */
#define PARTIAL_MS (10 * 60000)

struct smsc_partial {
	struct list node;
	int64_t at_ms; /* of its newest part */
	char to[24], user[20];
	int ref, total, have;
	bool lost, wide;
	uint8_t data_coding;
	struct {
		char *p; /* owned */
		size_t n;
		char id[72];
	} seg[SMSC_SEGS_MAX];
};

static void partial_free(struct smsc *c, struct smsc_partial *p)
{
	list_del(&p->node);
	c->n_parts--;
	for (size_t i = 0; i < SMSC_SEGS_MAX; i++)
		free(p->seg[i].p);
	free(p);
}

void smsc_parts_free(struct smsc *c)
{
	LIST_FOR_SAFE(&c->parts, it, nx)
	partial_free(c, CONTAINER_OF(it, struct smsc_partial, node));
}

static cJSON *line(const struct smsc_conn *conn, const struct smsc_sm *m, const char *type)
{
	cJSON *o = json_obj();
	char to[32];

	smsc_phone(m->dest, to, sizeof(to));
	json_put_z(o, "t", type);
	json_put_z(o, "to", to);
	json_put_str(o, "from", m->source);
	json_put_z(o, "system_id", conn->user);
	json_put_z(o, "coding",
		(m->data_coding & 0x0f) == 8           ? "ucs2"
			: (m->data_coding & 0x0f) == 3 ? "latin1"
						       : "gsm");
	json_put_i64(o, "esm_class", m->esm_class);
	json_put_i64(o, "data_coding", m->data_coding);
	json_put_i64(o, "dest_ton", m->dest_ton);
	json_put_i64(o, "source_ton", m->source_ton);
	json_put_i64(o, "registered", m->registered);
	json_put_i64(o, "priority", m->priority);
	json_put_z(o, "validity", m->validity);
	return o;
}

static void whole(struct smsc *c, const struct smsc_conn *conn, const struct smsc_sm *m,
	struct str text, int segments, cJSON *ids, const char *answer)
{
	cJSON *o = line(conn, m, "sms");

	json_put_str(o, "text", text);
	json_put_i64(o, "segments", segments);
	json_put(o, "ids", ids);
	json_put_z(o, "answer", answer);
	c->taken++;
	sb_ledger_json(c->s, o);
}

/* Reference, total and number of a segment; its bytes without the header. False: a text of one. */
static bool part_of(const struct smsc_sm *m, struct str *bytes, int *ref, int *total, int *seq)
{
	const unsigned char *u = (const unsigned char *)m->message.p;

	*bytes = m->message;
	if ((m->esm_class & 0x40) && m->message.n > 5 && u[0] == 5 && u[1] == 0 && u[2] == 3) {
		*ref = u[3];
		*total = u[4];
		*seq = u[5];
		*bytes = (struct str){ m->message.p + 6, m->message.n - 6 };
	} else if ((m->esm_class & 0x40) && m->message.n > 6 && u[0] == 6 && u[1] == 8 &&
		u[2] == 4) {
		*ref = u[3] << 8 | u[4];
		*total = u[5];
		*seq = u[6];
		*bytes = (struct str){ m->message.p + 7, m->message.n - 7 };
	} else if (m->sar_total > 1) {
		*ref = m->sar_ref;
		*total = m->sar_total;
		*seq = m->sar_seq;
	} else
		return false;
	return *seq >= 1 && *seq <= *total;
}

static struct smsc_partial *partial_of(
	struct smsc *c, const struct smsc_conn *conn, const struct smsc_sm *m, int ref, int total)
{
	char to[24];

	smsc_phone(m->dest, to, sizeof(to));
	LIST_FOR_SAFE(&c->parts, it, next)
	{
		struct smsc_partial *p = CONTAINER_OF(it, struct smsc_partial, node);
		if (p->ref != ref || p->total != total || strcmp(p->to, to) != 0)
			continue;
		if (sb_now_ms() - p->at_ms < PARTIAL_MS) {
			p->at_ms = sb_now_ms();
			return p;
		}
		partial_free(c, p);
	}
	if (c->n_parts >= SMSC_PARTS_MAX)
		partial_free(c, CONTAINER_OF(c->parts.next, struct smsc_partial, node));
	struct smsc_partial *p = x_calloc(1, sizeof(*p));
	p->at_ms = sb_now_ms();
	p->ref = ref;
	p->total = total;
	p->data_coding = m->data_coding;
	(void)snprintf(p->to, sizeof(p->to), "%s", to);
	(void)snprintf(p->user, sizeof(p->user), "%s", conn->user);
	list_push(&c->parts, &p->node);
	c->n_parts++;
	return p;
}

static void complete(struct smsc *c, const struct smsc_conn *conn, const struct smsc_sm *m,
	struct smsc_partial *p, const char *answer)
{
	struct buf text CLEANUP_BUF;
	cJSON *ids = json_arr();

	buf_init(&text, 1u << 20);
	for (int i = 0; i < p->total; i++) {
		smsc_decode((struct str){ p->seg[i].p, p->seg[i].n }, p->data_coding, &text);
		json_add_str(ids, str_of(p->seg[i].id));
	}
	whole(c, conn, m, buf_str(&text), p->total, ids, p->lost ? "lost" : answer);
	partial_free(c, p);
}

void smsc_take(struct smsc *c, const struct smsc_conn *conn, const struct smsc_sm *m,
	const char *id, const char *answer)
{
	struct buf text CLEANUP_BUF;
	struct str bytes;
	int ref, total, seq;

	c->segments++;
	c->lost += strcmp(answer, "lost") == 0;
	buf_init(&text, 1u << 20);
	if (!part_of(m, &bytes, &ref, &total, &seq)) {
		cJSON *ids = json_arr();
		json_add_str(ids, str_of(id));
		smsc_decode(bytes, m->data_coding, &text);
		whole(c, conn, m, buf_str(&text), 1, ids, answer);
		return;
	}
	cJSON *o = line(conn, m, "sms_part");
	json_put_i64(o, "ref", ref);
	json_put_i64(o, "seq", seq);
	json_put_i64(o, "total", total);
	json_put_z(o, "id", id);
	json_put_z(o, "answer", answer);
	sb_ledger_json(c->s, o);
	struct smsc_partial *p = partial_of(c, conn, m, ref, total);
	if (p->seg[seq - 1].p != NULL) {
		c->again++;
		sb_ledger_json(c->s, line(conn, m, "sms_again"));
		return;
	}
	p->seg[seq - 1].p = x_calloc(1, bytes.n + 1);
	memcpy(p->seg[seq - 1].p, bytes.p, bytes.n);
	p->seg[seq - 1].n = bytes.n;
	(void)snprintf(p->seg[seq - 1].id, sizeof(p->seg[0].id), "%s", id);
	p->lost |= strcmp(answer, "lost") == 0;
	if (++p->have == total)
		complete(c, conn, m, p, answer);
}
