/* smsh_template.c - text with {{name|filter|filter:argument}} filled in, as bytes and names of secrets.
 * Thread: loop. Owns: nothing. Failures: a reason in o->why; what was made so far is not used. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "smsh.h"

#define VALUE_MAX (256u * 1024)

void smsh_out_init(struct smsh_out *o)
{
	memset(o, 0, sizeof(*o));
	ltc_buf_init(&o->text, SMSH_BODY_MAX);
}

void smsh_out_done(struct smsh_out *o)
{
	if (o->text.p != NULL)
		explicit_bzero(o->text.p, o->text.n);
	ltc_buf_done(&o->text);
}

struct lt_str smsh_out_str(const struct smsh_out *o)
{
	return ltc_buf_str(&o->text);
}

static int fail(struct smsh_out *o, const char *what, struct lt_str name)
{
	if (o->why[0] == '\0')
		(void)snprintf(o->why, sizeof(o->why), "%s '%.*s'", what,
			(int)(name.n > 60 ? 60 : name.n), name.p == NULL ? "" : name.p);
	return -EINVAL;
}

static int add(struct smsh_out *o, struct lt_str s, enum smsh_esc esc)
{
	size_t before = o->text.n;

	smsh_escape(&o->text, s, esc);
	if (o->text.failed)
		return fail(o, "the request is larger than 1 MiB at", (struct lt_str){ 0 });
	if (o->text.n == before)
		return 0;
	if (o->n > 0 && o->piece[o->n - 1].secret.p == NULL) {
		o->piece[o->n - 1].n += o->text.n - before;
		return 0;
	}
	if (o->n == SMSH_PIECES_MAX)
		return fail(o, "more than 30 secrets in one request, at", s);
	o->piece[o->n++] = (struct smsh_piece){ .at = before, .n = o->text.n - before };
	return 0;
}

/* The host puts it in verbatim, so its characters must be able to stand there. */
static bool secret_fits(struct lt_str s, enum smsh_esc esc)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f)
			return false;
		if (esc == SMSH_E_JSON && (c == '"' || c == '\\'))
			return false;
		if (esc == SMSH_E_XML && strchr("<>&\"'", c) != NULL)
			return false;
		if (esc == SMSH_E_URL && strchr("?#&/%+ ", c) != NULL)
			return false;
	}
	return s.n > 0;
}

/* "secret:A,B": the first of them that there is. */
static int add_secret(
	struct smsh_out *o, const struct smsh_vars *v, struct lt_str names, enum smsh_esc esc)
{
	struct lt_str rest = names, name, value = { 0 };
	uint64_t version;
	bool there = false;

	while (!there && ltc_next(&rest, ',', &name))
		there = v->host->secret_get(v->host->ctx, v->job, name, &value, &version) == 0;
	if (!there)
		return fail(o, "there is no secret", names);
	if (!secret_fits(value, esc))
		return fail(
			o, "characters that cannot stand in the request are in the secret", name);
	if (o->n == SMSH_PIECES_MAX)
		return fail(o, "more than 30 secrets in one request, at", name);
	o->piece[o->n++] = (struct smsh_piece){ .secret = name };
	return 0;
}

/* --- names ------------------------------------------------------------------------------------------------------------------- */
static const char *const names[] = { "text", "sender", "phone", "phone_e164", "phones",
	"request_id", "unicode", "coding", "segments", "units", "category", "template_id", "param",
	"param_no", "callback_url", "now", "now_ms", "nonce", "id", "base", "body", "url",
	"sorted_fields", "path", NULL };

struct lt_str smsh_phone_form(const struct smsh_vars *v, struct lt_str e164, char dst[static 24])
{
	sms_phone_write(e164, v->si->vendor.phone, dst, 24);
	return ltc_z(dst);
}

static void add_phones(const struct smsh_vars *v, struct ltc_buf *b)
{
	char one[24];

	for (size_t i = 0; i < v->n_phones; i++) {
		if (i > 0)
			ltc_addc(b, ',');
		ltc_adds(b, smsh_phone_form(v, v->phones[i], one));
	}
}

/* Names and values of all fields, by name: what Twilio signs. */
static void add_sorted(const struct smsh_vars *v, struct ltc_buf *b)
{
	const struct smsh_doc *d = v->fields;
	struct lt_str last = { 0 };
	bool first = true;

	for (uint32_t round = 0; d != NULL && round < smsh_count(d, 0); round++) {
		uint32_t best = SMSH_NONE;
		for (uint32_t c = d->nodes[0].first; c != SMSH_NONE; c = d->nodes[c].next) {
			struct lt_str k = d->nodes[c].key, m = { 0 };
			if (best != SMSH_NONE)
				m = d->nodes[best].key;
			size_t n = k.n < last.n ? k.n : last.n;
			int low = n == 0 ? 0 : memcmp(k.p, last.p, n);
			if (!first && (low < 0 || (low == 0 && k.n <= last.n)))
				continue;
			n = k.n < m.n ? k.n : m.n;
			low = n == 0 ? 0 : memcmp(k.p, m.p, n);
			if (best == SMSH_NONE || low < 0 || (low == 0 && k.n < m.n))
				best = c;
		}
		if (best == SMSH_NONE)
			return;
		last = d->nodes[best].key;
		first = false;
		ltc_adds(b, last);
		ltc_adds(b, d->nodes[best].text);
	}
}

static bool of_payload(const struct smsh_vars *v, struct lt_str name, struct ltc_buf *b)
{
	const struct sms_payload *p = v->pay;

	if (p == NULL)
		return false;
	if (ltc_eqz(name, "text"))
		ltc_adds(b, p->text);
	else if (ltc_eqz(name, "unicode"))
		ltc_addc(b, p->coding == SMS_UCS2 ? '1' : '0');
	else if (ltc_eqz(name, "coding"))
		ltc_addz(b, p->coding == SMS_UCS2 ? "ucs2" : "gsm");
	else if (ltc_eqz(name, "segments"))
		ltc_addf(b, "%u", p->segments);
	else if (ltc_eqz(name, "units"))
		ltc_addf(b, "%u", p->units);
	else if (ltc_eqz(name, "category"))
		ltc_addf(b, "%u", p->category);
	else if (ltc_eqz(name, "template_id"))
		ltc_adds(b, p->template_id);
	else if (ltc_eqz(name, "param_no"))
		ltc_addf(b, "%u", v->param_i + 1);
	else if (ltc_eqz(name, "param") && v->param_i < p->n_params)
		ltc_adds(b, p->params[v->param_i]);
	else
		return false;
	return true;
}

static void add_nonce(const struct smsh_vars *v, struct ltc_buf *b)
{
	uint8_t r[16];

	v->host->random(v->host->ctx, r, sizeof(r));
	for (size_t i = 0; i < sizeof(r); i++)
		ltc_addf(b, "%02x", r[i]);
}

/* The vendor is told it whole; here it lives as long as the request is made. */
static bool add_callback(const struct smsh_vars *v, struct ltc_buf *b)
{
	const struct smsh_conf *c = &v->si->conf;
	struct lt_str secret = { 0 };
	uint64_t version;

	ltc_adds(b, c->callback_url);
	if (c->callback_url.n == 0 || c->callback_secret.n == 0)
		return true;
	if (v->host->secret_get(v->host->ctx, v->job, c->callback_secret, &secret, &version) != 0)
		return false;
	ltc_adds(b, secret);
	return true;
}

static bool of_request(const struct smsh_vars *v, struct lt_str name, struct ltc_buf *b)
{
	if (v->request == NULL)
		return false;
	if (ltc_eqz(name, "body"))
		ltc_adds(b, v->request->body);
	else if (ltc_eqz(name, "path"))
		ltc_adds(b, v->request->path);
	else if (ltc_eqz(name, "sorted_fields"))
		add_sorted(v, b);
	else if (ltc_eqz(name, "url")) {
		if (!add_callback(v, b))
			return false;
		if (v->request->query.n > 0) {
			ltc_addc(b, '?');
			ltc_adds(b, v->request->query);
		}
	} else
		return false;
	return true;
}

static bool value_of(const struct smsh_vars *v, struct lt_str name, struct ltc_buf *b)
{
	const struct smsh_conf *c = &v->si->conf;
	struct lt_str given;
	char one[24];

	if (ltc_eqz(name, "phone") && v->phone_i < v->n_phones)
		ltc_adds(b, smsh_phone_form(v, v->phones[v->phone_i], one));
	else if (ltc_eqz(name, "phone_e164") && v->phone_i < v->n_phones)
		ltc_adds(b, v->phones[v->phone_i]);
	else if (ltc_eqz(name, "phones"))
		add_phones(v, b);
	else if (ltc_eqz(name, "request_id"))
		ltc_adds(b, v->ref);
	else if (ltc_eqz(name, "id"))
		ltc_adds(b, v->id);
	else if (ltc_eqz(name, "sender"))
		ltc_adds(b, c->sender);
	else if (ltc_eqz(name, "callback_url"))
		return add_callback(v, b);
	else if (ltc_eqz(name, "base"))
		ltc_adds(b, c->base.n > 0 ? c->base : v->si->vendor.base);
	else if (ltc_eqz(name, "now"))
		ltc_addf(b, "%lld", (long long)(v->host->wall_ms(v->host->ctx) / 1000));
	else if (ltc_eqz(name, "now_ms"))
		ltc_addf(b, "%lld", (long long)v->host->wall_ms(v->host->ctx));
	else if (ltc_eqz(name, "nonce"))
		add_nonce(v, b);
	else if (smsh_param(v->si, name, &given))
		ltc_adds(b, given);
	else
		return of_payload(v, name, b) || of_request(v, name, b);
	return true;
}

/* --- holes ------------------------------------------------------------------------------------------------------------------- */
/* Splits "name|filter:arg|..." ; false when the braces are not closed. */
static bool next_hole(
	struct lt_str *rest, struct lt_str *ret_before, struct lt_str *ret_hole, bool *ret_any)
{
	const char *open = ltc_find(*rest, LTC_LIT("{{"), false);

	*ret_any = open != NULL;
	if (open == NULL) {
		*ret_before = *rest;
		*rest = (struct lt_str){ 0 };
		return true;
	}
	*ret_before = (struct lt_str){ rest->p, (size_t)(open - rest->p) };
	*rest = ltc_from(*rest, ret_before->n + 2);
	const char *close = ltc_find(*rest, LTC_LIT("}}"), false);
	if (close == NULL)
		return false;
	*ret_hole = (struct lt_str){ rest->p, (size_t)(close - rest->p) };
	*rest = ltc_from(*rest, ret_hole->n + 2);
	return true;
}

static void split_filter(struct lt_str f, struct lt_str *ret_name, struct lt_str *ret_arg)
{
	const char *colon = f.n == 0 ? NULL : memchr(f.p, ':', f.n);

	*ret_arg = (struct lt_str){ 0 };
	*ret_name = f;
	if (colon != NULL) {
		ret_name->n = (size_t)(colon - f.p);
		*ret_arg = ltc_from(f, ret_name->n + 1);
	}
}

static int fill_with(struct smsh_out *o, const struct smsh_vars *v, struct lt_str hole,
	enum smsh_esc esc, struct ltc_buf *b)
{
	struct lt_str rest = hole, name, f, f_name, arg;

	if (!ltc_next(&rest, '|', &name))
		return fail(o, "an empty hole", hole);
	if (ltc_starts(name, "secret:"))
		return add_secret(o, v, ltc_from(name, 7), esc);
	if (!value_of(v, name, b))
		return fail(o, "no value for", name);
	while (ltc_next(&rest, '|', &f)) {
		split_filter(f, &f_name, &arg);
		if (!smsh_filter(v, f_name, arg, b))
			return fail(o, "the value does not fit the filter", f);
	}
	if (b->failed)
		return fail(o, "too long a value for", name);
	return add(
		o, ltc_buf_str(b), ltc_eqz(name, "base") && esc == SMSH_E_URL ? SMSH_E_NONE : esc);
}

static int fill(
	struct smsh_out *o, const struct smsh_vars *v, struct lt_str hole, enum smsh_esc esc)
{
	struct ltc_buf b;

	ltc_buf_init(&b, VALUE_MAX);
	int rc = fill_with(o, v, hole, esc, &b);
	if (b.p != NULL)
		explicit_bzero(b.p, b.n);
	ltc_buf_done(&b);
	return rc;
}

int smsh_render(struct smsh_out *o, const struct smsh_vars *v, struct lt_str tpl, enum smsh_esc esc)
{
	struct lt_str rest = tpl, before, hole;
	bool any = true;
	int rc = 0;

	while (rc == 0 && any && (rest.n > 0 || rest.p == tpl.p)) {
		if (!next_hole(&rest, &before, &hole, &any))
			return fail(o, "a {{ without its }} in", tpl);
		/* what the file says outside of holes is as it shall be; only JSON strings were decoded by our reader */
		rc = add(o, before, esc == SMSH_E_JSON ? SMSH_E_JSON : SMSH_E_NONE);
		if (rc == 0 && any)
			rc = fill(o, v, hole, esc);
		if (rest.n == 0)
			break;
	}
	return rc;
}

static bool name_known(const struct smsh_vendor *v, struct lt_str name)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (ltc_eqz(name, names[i]))
			return true;
	if (v->settings != SMSH_NONE)
		for (uint32_t c = v->doc.nodes[v->settings].first; c != SMSH_NONE;
			c = v->doc.nodes[c].next)
			if (ltc_eq(v->doc.nodes[c].key, name))
				return true;
	return false;
}

static const char *fault_of(const struct smsh_vendor *v, struct lt_str hole, char *buf, size_t size)
{
	struct lt_str rest = hole, name, f, f_name, arg;

	if (!ltc_next(&rest, '|', &name) || name.n == 0)
		return "an empty {{}}";
	if (ltc_starts(name, "secret:"))
		return name.n == 7   ? "a secret without a name"
			: rest.n > 0 ? "a secret takes no filter"
				     : NULL;
	if (!name_known(v, name)) {
		(void)snprintf(buf, size,
			"no value has the name '%.*s'; declare it under \"settings\"",
			(int)(name.n > 60 ? 60 : name.n), name.p);
		return buf;
	}
	while (ltc_next(&rest, '|', &f)) {
		split_filter(f, &f_name, &arg);
		if (smsh_filter_known(f_name))
			continue;
		(void)snprintf(buf, size, "there is no filter '%.*s'",
			(int)(f_name.n > 60 ? 60 : f_name.n), f_name.p == NULL ? "" : f_name.p);
		return buf;
	}
	return NULL;
}

const char *smsh_template_fault(
	const struct smsh_vendor *v, struct lt_str tpl, char *buf, size_t size)
{
	struct lt_str rest = tpl, before, hole;
	bool any = true;
	const char *why = NULL;

	while (why == NULL && any && rest.n > 0) {
		if (!next_hole(&rest, &before, &hole, &any))
			return "a {{ without its }}";
		if (any)
			why = fault_of(v, hole, buf, size);
	}
	return why;
}

/* --- JSON -------------------------------------------------------------------------------------------------------------------- */
static int raw(struct smsh_out *o, const char *z)
{
	return add(o, ltc_z(z), SMSH_E_NONE);
}

/* {"$num": "{{...}}"}: a number made from text. */
static int number(struct smsh_out *o, const struct smsh_vars *v, struct lt_str tpl)
{
	size_t from = o->text.n, pieces = o->n;
	int rc = smsh_render(o, v, tpl, SMSH_E_NONE);
	struct lt_str made = ltc_from(ltc_buf_str(&o->text), from);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < made.n; i++)
		if ((made.p[i] < '0' || made.p[i] > '9') && made.p[i] != '.' && made.p[i] != '-')
			return fail(o, "not a number:", made);
	if (made.n == 0 || o->n > pieces + 1)
		return fail(o, "not a number:", tpl);
	return 0;
}

static bool empty_value(const struct smsh_vars *v, struct lt_str tpl)
{
	struct smsh_out o;
	bool empty;

	smsh_out_init(&o);
	empty = smsh_render(&o, v, tpl, SMSH_E_NONE) == 0 && o.n == 0;
	smsh_out_done(&o);
	return empty;
}

static int object(struct smsh_out *o, const struct smsh_vars *v, uint32_t node)
{
	const struct smsh_doc *d = &v->si->vendor.doc;
	bool first = true;
	int rc = raw(o, "{");

	for (uint32_t c = d->nodes[node].first; rc == 0 && c != SMSH_NONE; c = d->nodes[c].next) {
		struct lt_str key = d->nodes[c].key;
		if (key.n > 1 && key.p[key.n - 1] == '?') { /* left out when empty */
			key.n--;
			if (empty_value(v, d->nodes[c].text))
				continue;
		}
		rc = raw(o, first ? "\"" : ",\"");
		first = false;
		rc = rc < 0 ? rc : add(o, key, SMSH_E_JSON);
		rc = rc < 0 ? rc : raw(o, "\":");
		rc = rc < 0 ? rc : smsh_render_json(o, v, c);
	}
	return rc < 0 ? rc : raw(o, "}");
}

/* [{"$each": X}]: X for every recipient; [{"$params": X}]: X for every field of the template. */
static int repeated(struct smsh_out *o, const struct smsh_vars *v, uint32_t node, bool params)
{
	struct smsh_vars one = *v;
	size_t n = params ? (v->pay == NULL ? 0 : v->pay->n_params) : v->n_phones;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (params)
			one.param_i = (uint32_t)i;
		else
			one.phone_i = i;
		rc = i == 0 ? 0 : raw(o, ",");
		rc = rc < 0 ? rc : smsh_render_json(o, &one, node);
	}
	return rc;
}

static int array(struct smsh_out *o, const struct smsh_vars *v, uint32_t node)
{
	const struct smsh_doc *d = &v->si->vendor.doc;
	uint32_t each = smsh_member(d, d->nodes[node].first, "$each");
	uint32_t params = smsh_member(d, d->nodes[node].first, "$params");
	int rc = raw(o, "[");

	if (each != SMSH_NONE)
		rc = rc < 0 ? rc : repeated(o, v, each, false);
	else if (params != SMSH_NONE)
		rc = rc < 0 ? rc : repeated(o, v, params, true);
	else
		for (uint32_t c = d->nodes[node].first; rc == 0 && c != SMSH_NONE;
			c = d->nodes[c].next) {
			rc = c == d->nodes[node].first ? 0 : raw(o, ",");
			rc = rc < 0 ? rc : smsh_render_json(o, v, c);
		}
	return rc < 0 ? rc : raw(o, "]");
}

int smsh_render_json(struct smsh_out *o, const struct smsh_vars *v, uint32_t node)
{
	const struct smsh_node *n = &v->si->vendor.doc.nodes[node];
	uint32_t num = smsh_member(&v->si->vendor.doc, node, "$num");
	int rc;

	switch (n->type) {
	case SMSH_STRING:
		rc = raw(o, "\"");
		rc = rc < 0 ? rc : smsh_render(o, v, n->text, SMSH_E_JSON);
		return rc < 0 ? rc : raw(o, "\"");
	case SMSH_OBJECT:
		return num != SMSH_NONE ? number(o, v, smsh_text(&v->si->vendor.doc, num))
					: object(o, v, node);
	case SMSH_ARRAY: return array(o, v, node);
	case SMSH_NULL: return raw(o, "null");
	case SMSH_BOOL:
	case SMSH_NUMBER: return add(o, n->text, SMSH_E_NONE);
	}
	return -EINVAL;
}
