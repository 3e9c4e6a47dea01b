/* zalo_prepare.c - what goes to an OA, a group, a user or a phone, once for a release and office: limits, pictures, preview.
 * Thread: any, pure. Owns: its buffers for the call. Failures: told as problems with the field that must change; a sink that is
 * full ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "zalo_prepare.h"

void zalo_flush_piece(struct zalo_make *m)
{
	struct lt_src src = { .bytes = ltc_buf_str(&m->out) };

	if (m->rc >= 0 && m->out.failed)
		m->rc = -LT_E_FULL;
	if (m->rc >= 0 && m->out.n > 0)
		m->rc = m->sink->add(m->sink->ctx, &src);
	ltc_buf_reset(&m->out);
}

void zalo_problem(struct zalo_make *m, int severity, const char *field, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m->trouble |= severity >= 2;
	(void)m->sink->problem(m->sink->ctx, severity, ltc_z(field), ltc_z(text));
}

struct lt_str zalo_text_of(const struct zalo_make *m, const char *name)
{
	return ltc_pair(m->in->texts, m->in->n_texts, name);
}

bool zalo_option(const struct zalo_make *m, const char *name)
{
	struct lt_str v = ltc_pair(m->in->opts, m->in->n_opts, name);

	return ltc_ieqz(v, "yes") || ltc_ieqz(v, "true");
}

static bool fits_as_it_is(const struct lt_asset *a)
{
	return a->bytes > 0 && a->bytes <= ZALO_PICTURE_BYTES &&
		(ltc_eqz(a->content_type, "image/jpeg") || ltc_eqz(a->content_type, "image/png"));
}

struct lt_str zalo_picture(struct zalo_make *m, const struct lt_asset *a, const char *spec,
	const char *what, bool *same)
{
	struct lt_str fitted = { 0 };

	*same = false;
	if (m->sink->need_rendition(m->sink->ctx, a->id, ltc_z(spec), &fitted) >= 0 &&
		fitted.n != 0) {
		*same = ltc_eq(fitted, a->id);
		return fitted;
	}
	if (fits_as_it_is(a)) {
		*same = true;
		return a->id;
	}
	zalo_problem(m, 2, what,
		"picture '%.*s' has %llu bytes; Zalo takes JPEG or PNG of at most 1 MB, and it could not be fitted",
		(int)a->filename.n, a->filename.p == NULL ? "" : a->filename.p,
		(unsigned long long)a->bytes);
	return (struct lt_str){ 0 };
}

static enum zalo_form form_of(struct lt_str kind)
{
	if (ltc_eqz(kind, "oa") || ltc_eqz(kind, "page"))
		return ZALO_OA;
	if (ltc_eqz(kind, "group"))
		return ZALO_GROUP;
	return ltc_eqz(kind, "phone") ? ZALO_PHONE : ZALO_USER;
}

int zalo_prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *sink)
{
	char why[200];
	struct zalo_conf conf;
	struct zalo_make *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -LT_E_FULL;
	if (zalo_conf_read(c, &conf, why, sizeof(why)) < 0) {
		(void)sink->problem(sink->ctx, 2, LTC_LIT("channel"), ltc_z(why));
		free(m);
		return -LT_E_INVALID;
	}
	m->conf = &conf;
	m->in = in;
	m->sink = sink;
	m->title = in->title;
	m->office = ltc_pair(in->vars, in->n_vars, "office.name");
	ltc_buf_init(&m->out, ZALO_BODY_MAX);
	switch (form_of(in->address_kind)) {
	case ZALO_OA:
		if (zalo_option(m, "broadcast"))
			zalo_prepare_cast(m);
		else
			zalo_prepare_article(m);
		break;
	case ZALO_PHONE: zalo_prepare_zns(m); break;
	case ZALO_GROUP:
	case ZALO_USER:
	case ZALO_NONE: zalo_prepare_message(m); break;
	}
	zalo_flush_piece(m);
	ltc_buf_done(&m->out);
	int rc = m->rc;
	free(m);
	return rc;
}
