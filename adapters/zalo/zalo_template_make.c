/* zalo_template_make.c - template messages to phones: their parameters from a release, filled in for each recipient.
 * Nothing is shortened: a template says itself how much it takes (-130, -112x), and `zns_param_max` says it before.
 * Thread: any, pure. Failures: problems that name the parameter; one that has no value or is too long for a recipient refuses him. */
#include <stdio.h>
#include <string.h>
#include "zalo_prepare.h"

#define NAMED_MAX   60    /* bytes of a name that a problem shows */
#define VALUE_BYTES 8000  /* of a value in the note: more than any parameter may have */
#define NOTE_BYTES  60000 /* the host takes 65,536 */
#define DATA_BYTES  24000 /* template_data of one recipient */

/* Where {NAME} comes from: the release at prepare; at compose the recipient, else the note of prepare. */
struct values {
	const struct zalo_make *release;
	struct lt_str note;
	const struct lt_target *target;
};

/* --- values ------------------------------------------------------------------------------------------------------------------ */
static const char *const names[] = { "title", "summary", "link", "code", "office", "text" };
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static struct lt_str release_value(const struct zalo_make *m, size_t name)
{
	const struct lt_content *in = m->in;
	const struct lt_str all[N_NAMES] = { in->title, in->summary, in->link, in->code, m->office,
		in->text };

	return all[name];
}

static struct lt_str note_value(struct lt_str note, struct lt_str name)
{
	struct lt_str line;

	while (ltc_line(&note, &line))
		if (line.n > name.n && line.p[name.n] == '=' &&
			ltc_eq((struct lt_str){ line.p, name.n }, name))
			return ltc_from(line, name.n + 1);
	return (struct lt_str){ 0 };
}

static struct lt_str value_of(const struct values *v, struct lt_str name)
{
	if (v->target == NULL) {
		for (size_t i = 0; i < N_NAMES; i++)
			if (ltc_eqz(name, names[i]))
				return release_value(v->release, i);
		return (struct lt_str){ 0 };
	}
	if (ltc_eqz(name, "name"))
		return v->target->name;
	for (size_t i = 0; i < v->target->n_vars; i++)
		if (ltc_eq(v->target->vars[i].name, name))
			return v->target->vars[i].value;
	return note_value(v->note, name);
}

/* --- one parameter ----------------------------------------------------------------------------------------------------------- */
struct param {
	struct lt_str name, missing; /* missing: the {NAME} that has no value, the last of them */
	struct ltc_buf value;        /* in one line; what has no value stands as {NAME} */
	size_t chars;                /* of it, without those */
};

/* "Kính gửi {name}" with its values. */
static void expand(struct lt_str form, const struct values *v, struct ltc_buf *out, struct param *p)
{
	size_t kept = 0;

	while (form.n > 0) {
		const char *open = memchr(form.p, '{', form.n);
		size_t n = open == NULL ? form.n : (size_t)(open - form.p);
		ltc_add(out, form.p, n);
		form = ltc_from(form, n);
		const char *close = form.n == 0 ? NULL : memchr(form.p, '}', form.n);
		if (close == NULL) {
			ltc_adds(out, form);
			break;
		}
		struct lt_str whole = { form.p, (size_t)(close - form.p) + 1 };
		struct lt_str name = { form.p + 1, whole.n - 2 };
		struct lt_str value = value_of(v, name);
		if (value.n == 0) {
			p->missing = name;
			kept += zalo_chars(whole);
		}
		ltc_adds(out, value.n == 0 ? whole : value);
		form = ltc_from(form, whole.n);
	}
	zalo_add_one_line(&p->value, ltc_buf_str(out));
	size_t all = zalo_chars(ltc_buf_str(&p->value));
	p->chars = all > kept ? all - kept : 0;
}

/* 1: the next parameter; 0: there is none; negative: it is not written as one, or does not fit in memory. */
static int param_next(struct lt_str *rest, const struct values *v, struct param *p)
{
	struct lt_str one, form;
	struct ltc_buf raw;

	do {
		if (!ltc_next(rest, ';', &one))
			return 0;
		one = ltc_trim(one);
	} while (one.n == 0);
	form = one;
	if (!ltc_next(&form, '=', &p->name) || p->name.n == one.n)
		return -LT_E_INVALID;
	p->name = ltc_trim(p->name);
	p->missing = (struct lt_str){ 0 };
	ltc_buf_reset(&p->value);
	ltc_buf_init(&raw, ZALO_BODY_MAX);
	expand(form, v, &raw, p);
	bool failed = raw.failed || p->value.failed;
	ltc_buf_done(&raw);
	return failed ? -LT_E_FULL : 1;
}

static void problem(struct lt_sink *sink, const char *text)
{
	(void)sink->problem(sink->ctx, 2, LTC_LIT("zns_data"), ltc_z(text));
}

static int shown_length(struct lt_str s)
{
	return (int)ltc_utf8_cut(s, NAMED_MAX).n;
}

static bool too_long(const struct zalo_conf *c, const struct param *p, struct lt_sink *sink)
{
	char text[400];

	if (p->chars <= (size_t)c->zns_param_max)
		return false;
	(void)snprintf(text, sizeof(text),
		"template parameter '%.*s' has %zu characters; at most %lld: shorten what it is made of, or raise zns_param_max if the template takes more",
		shown_length(p->name), p->name.p, p->chars, (long long)c->zns_param_max);
	problem(sink, text);
	return true;
}

static const char wrong_form[] = "is written name=text;name=text";

/* --- prepare ----------------------------------------------------------------------------------------------------------------- */
static void note_add(struct zalo_make *m)
{
	struct ltc_buf note, one;

	ltc_buf_init(&note, NOTE_BYTES);
	ltc_buf_init(&one, ZALO_BODY_MAX);
	for (size_t i = 0; i < N_NAMES; i++) {
		ltc_buf_reset(&one);
		zalo_add_one_line(&one, ltc_utf8_cut(release_value(m, i), VALUE_BYTES));
		ltc_addf(&note, "%s=%.*s\n", names[i], (int)one.n, one.p == NULL ? "" : one.p);
	}
	if (m->rc >= 0 && (note.failed || one.failed))
		m->rc = -LT_E_FULL;
	if (m->rc >= 0)
		m->rc = m->sink->note(m->sink->ctx, ltc_buf_str(&note));
	ltc_buf_done(&note);
	ltc_buf_done(&one);
}

static void preview_params(struct zalo_make *m)
{
	struct values v = { .release = m };
	struct lt_str rest = m->conf->zns_data;
	struct param p = { 0 };
	char label[NAMED_MAX + 2];
	int rc;

	ltc_buf_init(&p.value, ZALO_BODY_MAX);
	while ((rc = param_next(&rest, &v, &p)) > 0) {
		(void)snprintf(label, sizeof(label), "%.*s=", shown_length(p.name), p.name.p);
		zalo_preview(m, label, ltc_buf_str(&p.value));
		m->trouble |= too_long(m->conf, &p, m->sink);
	}
	if (rc == -LT_E_INVALID)
		zalo_problem(m, 2, "zns_data", "%s", wrong_form);
	else if (m->rc >= 0)
		m->rc = rc;
	ltc_buf_done(&p.value);
}

void zalo_prepare_zns(struct zalo_make *m)
{
	if (m->conf->zns_template.n == 0)
		zalo_problem(m, 2, "channel",
			"messages to phone numbers need a template: set zns_template and zns_data of the channel");
	if (m->conf->zns_left == 0)
		zalo_problem(m, 2, "channel", "no template message is left today (zns_left: 0)");
	ltc_addf(&m->out, ZALO_MAGIC "kind zns\ntemplate %.*s\ndata ", (int)m->conf->zns_template.n,
		m->conf->zns_template.p);
	zalo_add_one_line(&m->out, m->conf->zns_data); /* what is approved says so, too */
	ltc_addz(&m->out, "\n\n");
	zalo_flush_piece(m);
	note_add(m);
	if (m->rc >= 0)
		m->rc = m->sink->hole(m->sink->ctx, ZALO_HOLE_ZNS);
	char label[120];
	(void)snprintf(label, sizeof(label),
		"Mẫu ZNS %.*s:", (int)ltc_utf8_cut(m->conf->zns_template, 80).n,
		m->conf->zns_template.p == NULL ? "" : m->conf->zns_template.p);
	zalo_preview(m, label, (struct lt_str){ "", 0 });
	preview_params(m);
	if (m->rc >= 0)
		m->rc = m->sink->fact(m->sink->ctx, LTC_LIT("segments"), 1);
}

/* --- compose ----------------------------------------------------------------------------------------------------------------- */
static bool is_missing(const struct param *p, struct lt_sink *sink)
{
	char text[300];

	if (p->missing.n == 0)
		return false;
	(void)snprintf(text, sizeof(text), "template parameter '%.*s' has no value for {%.*s}",
		shown_length(p->name), p->name.p, shown_length(p->missing), p->missing.p);
	problem(sink, text);
	return true;
}

static int fill_zns(const struct zalo_conf *c, const struct values *v, struct lt_sink *sink,
	struct ltc_buf *json, struct param *p)
{
	struct lt_str rest = c->zns_data;
	int rc;

	ltc_addc(json, '{');
	while ((rc = param_next(&rest, v, p)) > 0) {
		if (is_missing(p, sink) || too_long(c, p, sink))
			return -LT_E_INVALID;
		ltc_addz(json, json->n > 1 ? "," : "");
		ltc_json_add(json, p->name);
		ltc_addc(json, ':');
		ltc_json_add(json, ltc_buf_str(&p->value));
	}
	ltc_addc(json, '}');
	if (rc == -LT_E_INVALID)
		problem(sink, wrong_form);
	if (rc < 0)
		return rc;
	if (json->failed) {
		problem(sink, "the parameters of the template are too long together");
		return -LT_E_INVALID;
	}
	struct lt_src src = { .bytes = ltc_buf_str(json) };
	return sink->add(sink->ctx, &src);
}

int zalo_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink)
{
	struct values v = { .note = note, .target = t };
	struct param p = { 0 };
	struct zalo_conf conf;
	struct ltc_buf json;
	char why[200];

	if (hole == ZALO_HOLE_MARK) {
		struct lt_src src = { .bytes = t->ref };
		return t->ref.n == 0 || ltc_has_control(t->ref) ? -LT_E_INVALID
								: sink->add(sink->ctx, &src);
	}
	if (hole != ZALO_HOLE_ZNS || zalo_conf_read(c, &conf, why, sizeof(why)) < 0)
		return -LT_E_INVALID;
	ltc_buf_init(&json, DATA_BYTES);
	ltc_buf_init(&p.value, ZALO_BODY_MAX);
	int rc = fill_zns(&conf, &v, sink, &json, &p);
	ltc_buf_done(&json);
	ltc_buf_done(&p.value);
	return rc;
}
