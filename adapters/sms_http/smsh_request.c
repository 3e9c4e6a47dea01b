/* smsh_request.c - one call of the vendor file as an HTTP request: address, query, headers, body, log-in.
 * Thread: loop. Owns: what it renders until the host has copied it. Secrets go by name, whole values only where the host joins
 * them (form fields, query and header values), in any place of a json, xml or raw body.
 * Failures: -EINVAL with a reason; nothing was sent then. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include "smsh.h"

#define PAIRS_MAX 40u

struct call {
	struct smsh_out url, query[PAIRS_MAX], head[PAIRS_MAX], body, field[PAIRS_MAX];
	struct lt_pair q[PAIRS_MAX], h[PAIRS_MAX + 2];
	struct lt_field f[SMSH_PIECES_MAX];
	size_t n_q, n_h, n_f, n_query, n_head, n_field;
	struct smsh_out auth;
	char *why;
	size_t size;
};

static int fail(struct call *c, const char *what, const char *why)
{
	(void)snprintf(c->why, c->size, "%s: %s", what, why);
	return -EINVAL;
}

/* Key without the "?" that says: leave it out when empty. */
static bool optional(struct lt_str *key)
{
	if (key->n < 2 || key->p[key->n - 1] != '?')
		return false;
	key->n--;
	return true;
}

/* value, then a secret: what the host can join. */
static int pair_of(struct call *c, struct smsh_out *o, struct lt_str name, struct lt_pair *ret)
{
	*ret = (struct lt_pair){ .name = name };
	if (o->n > 2 ||
		(o->n == 2 && (o->piece[1].secret.p == NULL || o->piece[0].secret.p != NULL)))
		return fail(c, "a secret must stand at the end of", "a query or header value");
	for (size_t i = 0; i < o->n; i++)
		if (o->piece[i].secret.p != NULL)
			ret->secret = o->piece[i].secret;
		else
			ret->value = ltc_buf_str(&o->text);
	if (ret->value.p == NULL)
		ret->value = LTC_LIT("");
	return 0;
}

static int pairs(struct call *c, const struct smsh_vars *v, uint32_t node, struct smsh_out *out,
	size_t *n_out, struct lt_pair *ret, size_t *n_ret, const char *what)
{
	const struct smsh_doc *d = &v->si->vendor.doc;

	if (node == SMSH_NONE)
		return 0;
	for (uint32_t i = d->nodes[node].first; i != SMSH_NONE; i = d->nodes[i].next) {
		struct lt_str key = d->nodes[i].key;
		if (*n_out == PAIRS_MAX)
			return fail(c, what, "more than 40 values");
		struct smsh_out *o = &out[(*n_out)++];
		smsh_out_init(o);
		if (smsh_render(o, v, d->nodes[i].text, SMSH_E_NONE) < 0)
			return fail(c, what, o->why);
		if (optional(&key) && o->n == 0)
			continue;
		if (ret == c->h && ltc_has_control(ltc_buf_str(&o->text)))
			return fail(c, what, "a header with a control character");
		if (pair_of(c, o, key, &ret[*n_ret]) < 0)
			return -EINVAL;
		(*n_ret)++;
	}
	return 0;
}

static int body_form(struct call *c, const struct smsh_vars *v, uint32_t node)
{
	const struct smsh_doc *d = &v->si->vendor.doc;

	for (uint32_t i = d->nodes[node].first; i != SMSH_NONE; i = d->nodes[i].next) {
		struct lt_str key = d->nodes[i].key;
		if (c->n_field == PAIRS_MAX)
			return fail(c, "body", "more than 40 fields");
		struct smsh_out *o = &c->field[c->n_field++];
		smsh_out_init(o);
		if (smsh_render(o, v, d->nodes[i].text, SMSH_E_NONE) < 0)
			return fail(c, "body", o->why);
		if (optional(&key) && o->n == 0)
			continue;
		if (o->n > 1)
			return fail(c, "body", "a secret must be the whole value of a form field");
		struct lt_field *f = &c->f[c->n_f++];
		*f = (struct lt_field){ .name = key };
		if (o->n == 1 && o->piece[0].secret.p != NULL)
			f->src.secret = o->piece[0].secret;
		else
			f->src.bytes = o->n == 1 ? ltc_buf_str(&o->text) : LTC_LIT("");
	}
	return 0;
}

static int body_raw(struct call *c, const struct smsh_vars *v, uint32_t node, struct lt_str type)
{
	const struct smsh_doc *d = &v->si->vendor.doc;
	enum smsh_esc esc = ltc_eqz(type, "xml") ? SMSH_E_XML : SMSH_E_NONE;
	int rc = 0;

	if (ltc_eqz(type, "json"))
		rc = smsh_render_json(&c->body, v, node);
	else if (d->nodes[node].type ==
		SMSH_ARRAY) /* lines, so that a long text can be read in the file */
		for (uint32_t i = d->nodes[node].first; rc == 0 && i != SMSH_NONE;
			i = d->nodes[i].next)
			rc = smsh_render(&c->body, v, d->nodes[i].text, esc);
	else
		rc = smsh_render(&c->body, v, d->nodes[node].text, esc);
	if (rc < 0)
		return fail(c, "body", c->body.why);
	for (size_t i = 0; i < c->body.n; i++) {
		const struct smsh_piece *p = &c->body.piece[i];
		struct lt_field *f = &c->f[c->n_f++];
		*f = (struct lt_field){ .src = { .secret = p->secret } };
		if (p->secret.p == NULL)
			f->src.bytes = (struct lt_str){ c->body.text.p + p->at, p->n };
	}
	return 0;
}

static int body(struct call *c, const struct smsh_vars *v, uint32_t node, struct lt_http_req *req)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	uint32_t b = smsh_member(&ven->doc, node, "body");
	struct lt_str type = smsh_v_text(ven, node, "type"),
		      ct = smsh_v_text(ven, node, "content_type");
	int rc = 0;

	if (b == SMSH_NONE || ltc_eqz(type, "none"))
		return 0;
	if (ltc_eqz(type, "form")) {
		req->body_kind = LT_BODY_FORM;
		rc = body_form(c, v, b);
		ct = ct.n > 0 ? ct : LTC_LIT("application/x-www-form-urlencoded");
	} else {
		req->body_kind = LT_BODY_RAW;
		rc = body_raw(c, v, b, type);
		if (ct.n == 0)
			ct = ltc_eqz(type, "json")     ? LTC_LIT("application/json")
				: ltc_eqz(type, "xml") ? LTC_LIT("text/xml; charset=utf-8")
						       : LTC_LIT("text/plain; charset=utf-8");
	}
	c->h[c->n_h++] = (struct lt_pair){ .name = LTC_LIT("Content-Type"), .value = ct };
	req->fields = c->f;
	req->n_fields = c->n_f;
	return rc;
}

static int make(struct call *c, const struct smsh_vars *v, const struct smsh_send *s,
	struct lt_http_req *req)
{
	const struct smsh_vendor *ven = &v->si->vendor;
	const struct smsh_doc *d = &ven->doc;
	struct lt_str method = smsh_v_text(ven, s->node, "method");
	bool auth = s->auth && !ltc_eqz(smsh_v_text(ven, s->node, "auth"), "false");
	int rc = 0;

	if (smsh_render(&c->url, v, smsh_v_text(ven, s->node, "url"), SMSH_E_URL) < 0)
		return fail(c, "url", c->url.why);
	for (size_t i = 0; i < c->url.n; i++)
		if (c->url.piece[i].secret.p != NULL)
			return fail(c, "url",
				"a secret stands in it; put it into \"query\" if the vendor insists");
	rc = pairs(c, v, smsh_member(d, s->node, "query"), c->query, &c->n_query, c->q, &c->n_q,
		"query");
	rc = rc < 0 ? rc
		    : pairs(c, v, smsh_member(d, s->node, "headers"), c->head, &c->n_head, c->h,
			      &c->n_h, "headers");
	rc = rc < 0 ? rc : body(c, v, s->node, req);
	if (rc == 0 && auth && ven->auth_kind != SMSH_A_NONE) {
		if (!smsh_auth_add(v, &c->auth, &c->h[c->n_h], c->why, c->size))
			return -EINVAL;
		c->n_h++;
	}
	req->method = method.n > 0 ? method : LTC_LIT("POST");
	req->url = smsh_out_str(&c->url);
	req->query = c->q;
	req->n_query = c->n_q;
	req->headers = c->h;
	req->n_headers = c->n_h;
	return rc;
}

static void call_done(struct call *c)
{
	smsh_out_done(&c->url);
	smsh_out_done(&c->body);
	smsh_out_done(&c->auth);
	for (size_t i = 0; i < c->n_query; i++)
		smsh_out_done(&c->query[i]);
	for (size_t i = 0; i < c->n_head; i++)
		smsh_out_done(&c->head[i]);
	for (size_t i = 0; i < c->n_field; i++)
		smsh_out_done(&c->field[i]);
	free(c);
}

int smsh_request(const struct smsh_vars *v, const struct smsh_send *s, char *why, size_t size)
{
	const struct smsh_conf *conf = &v->si->conf;
	struct call *c = calloc(1, sizeof(*c));
	struct lt_http_req req = { .struct_size = sizeof(req),
		.flags = s->flags,
		.answer_max = SMSH_ANSWER_MAX,
		.connect_ms = conf->connect_ms,
		.total_ms = conf->total_ms,
		.token = s->token,
		.whose = s->whose,
		.n_whose = s->n_whose };

	if (c == NULL) {
		(void)snprintf(why, size, "no memory");
		return -EINVAL;
	}
	c->why = why;
	c->size = size;
	smsh_out_init(&c->url);
	smsh_out_init(&c->body);
	smsh_out_init(&c->auth);
	int rc = make(c, v, s, &req);
	if (rc == 0) {
		rc = v->host->http(v->host->ctx, v->job, &req);
		if (rc < 0)
			(void)snprintf(why, size, "the host does not take the request (%d)", rc);
	}
	call_done(c);
	return rc;
}
