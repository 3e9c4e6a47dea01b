/* zalo_cast_make.c - a broadcast from a release: whom it goes to. Which articles it carries the host says when it goes.
 * Thread: any, pure. Failures: those of the sink. */
#include "zalo_prepare.h"

static void cast_member(struct ltc_buf *b, const char *name, struct lt_str codes)
{
	if (codes.n == 0)
		return;
	ltc_addf(b, "%s\"%s\":", b->n > 0 && b->p[b->n - 1] != '{' ? "," : "", name);
	ltc_json_add(b, codes);
}

void zalo_prepare_cast(struct zalo_make *m)
{
	const struct zalo_conf *c = m->conf;
	struct lt_str with = ltc_pair(m->in->opts, m->in->n_opts, "with");

	ltc_addz(&m->out, ZALO_MAGIC "kind cast\ncast {");
	cast_member(&m->out, "gender", c->gender);
	cast_member(&m->out, "ages", c->ages);
	cast_member(&m->out, "cities", c->cities);
	ltc_addz(&m->out, "}\n\n");
	zalo_preview(m, "Gửi tới người quan tâm (broadcast): ", m->title);
	if (with.n != 0)
		zalo_preview(m, "cùng với bài của: ", with);
	if (m->rc >= 0)
		m->rc = m->sink->fact(m->sink->ctx, LTC_LIT("broadcast"), 1);
}
