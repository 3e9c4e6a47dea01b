/* zalo_message_make.c - messages to groups and users, template messages to phones, and what is filled in for each recipient.
 * Thread: any, pure. Failures: problems that name the field; a template parameter without a value refuses that recipient. */
#include <stdio.h>
#include <string.h>
#include "../common/rendition.h"
#include "zalo_prepare.h"

#define IMAGE_SPEC "jpeg<=950000B<=1600x1600px"
#define PARAM_MAX  400

static void preview(struct zalo_make *m, struct lt_str text)
{
	if (m->rc >= 0)
		m->rc = m->sink->preview(m->sink->ctx, text);
}

static bool attached(const struct zalo_make *m, const struct lt_asset *a)
{
	for (size_t i = 0; i < m->in->n_opts; i++)
		if (ltc_eqz(m->in->opts[i].name, "attach") && ltc_eq(m->in->opts[i].value, a->id))
			return true;
	return false;
}

static bool document(const struct lt_asset *a)
{
	static const char *const types[] = { "application/pdf", "application/msword",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document", NULL };

	for (size_t i = 0; types[i] != NULL; i++)
		if (ltc_eqz(a->content_type, types[i]))
			return true;
	return false;
}

/* The end of a picture's name fits its type: "bia.png" that became a JPEG is "bia.jpg". `name` lies in dst. */
static struct lt_str named(struct lt_str name, struct lt_str type, char *dst, size_t size)
{
	bool png = ltc_eqz(type, "image/png");
	size_t stem = name.n;

	if (!png && !ltc_eqz(type, "image/jpeg"))
		return name;
	for (size_t i = name.n; i-- > 1 && name.n - i <= 5 && stem == name.n;)
		stem = name.p[i] == '.' ? i : stem;
	struct lt_str end = ltc_from(name, stem);
	if (png ? ltc_ieqz(end, ".png") : ltc_ieqz(end, ".jpg") || ltc_ieqz(end, ".jpeg"))
		return name;
	(void)snprintf(dst + stem, size - stem, "%s", png ? ".png" : ".jpg");
	return ltc_z(dst);
}

/* A fitted picture says its own size and type; of a file they stand in its row. */
static void item_line(
	struct zalo_make *m, const char *word, struct lt_str id, const struct lt_asset *a)
{
	char name[200];
	struct lt_str n = zalo_one_line(a->filename, name, sizeof(name) - 8),
		      type = a->content_type;
	struct rendition_facts f;
	uint64_t bytes = ltc_eq(id, a->id) ? a->bytes : 0;

	if (rendition_facts(id, &f) == 0) {
		bytes = f.bytes;
		type = ltc_z(f.content_type);
	}
	n = named(n, type, name, sizeof(name));

	ltc_addf(&m->out, "%s %.*s %llu %.*s %.*s\n", word, (int)id.n, id.p,
		(unsigned long long)bytes, (int)type.n, type.p, (int)n.n, n.p);
	preview(m, LTC_LIT("["));
	preview(m, n);
	preview(m, LTC_LIT("]\n"));
}

/* The cover goes with the text in one message; what the part attaches follows, each in its own. */
static void items(struct zalo_make *m)
{
	size_t n = 0;
	bool same;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < m->in->n_assets; i++) {
			const struct lt_asset *a = m->in->assets[i];
			bool picture = ltc_starts(a->content_type, "image/");
			bool wanted = pass == 0 ? a->role == ROLE_COVER && picture
						: a->role != ROLE_COVER && attached(m, a);
			if (!wanted)
				continue;
			if (n++ == ZALO_ITEMS_MAX - 1) {
				zalo_problem(m, 2, "attach", "more than %d files to one group",
					ZALO_ITEMS_MAX - 1);
				return;
			}
			if (picture) {
				struct lt_str id = zalo_picture(m, a, IMAGE_SPEC, "images", &same);
				if (id.n != 0)
					item_line(m, "image", id, a);
			} else if (!document(a) || a->bytes > ZALO_FILE_BYTES) {
				zalo_problem(m, 2, "attach",
					"file '%.*s': Zalo takes PDF, DOC and DOCX of at most 5 MB",
					(int)a->filename.n, a->filename.p);
			} else {
				item_line(m, "file", a->id, a);
			}
		}
}

static void add_body(const struct zalo_make *m, struct ltc_buf *text)
{
	struct ltc_buf plain;

	ltc_buf_init(&plain, ZALO_BODY_MAX);
	if (zalo_body_plain(m->in->body_markdown, &plain) == 0)
		zalo_add_unmentioned(text, ltc_buf_str(&plain));
	ltc_buf_done(&plain);
}

static void add_text(struct zalo_make *m, struct ltc_buf *text)
{
	struct lt_str own = m->in->text, room;

	if (own.n != 0) {
		zalo_add_unmentioned(text, own);
		return;
	}
	zalo_add_unmentioned(text, m->in->title);
	if (m->in->summary.n != 0) {
		ltc_addz(text, "\n\n");
		zalo_add_unmentioned(text, m->in->summary);
	}
	room = m->in->link;
	if (room.n != 0) {
		ltc_addz(text, "\n\n");
		ltc_adds(text, room);
	}
	if (text->n == 0)
		add_body(m, text);
}

void zalo_prepare_message(struct zalo_make *m)
{
	struct ltc_buf text;

	ltc_buf_init(&text, 64u << 10);
	add_text(m, &text);
	size_t n = zalo_chars(ltc_buf_str(&text));
	if (n == 0)
		zalo_problem(m, 2, "text.zalo", "a message without a text");
	if (n > ZALO_TEXT_MAX)
		zalo_problem(m, 2, "text.zalo.text",
			"the message has %zu characters; Zalo takes at most %d: write a shorter one under text: {zalo: {text: ...}}",
			n, ZALO_TEXT_MAX);
	preview(m, ltc_buf_str(&text));
	preview(m, LTC_LIT("\n"));
	ltc_addz(&m->out, ZALO_MAGIC "kind text\n");
	items(m);
	ltc_addz(&m->out, "\n");
	zalo_flush_piece(m);
	ltc_adds(&m->out, ltc_buf_str(&text));
	zalo_flush_piece(m);
	ltc_buf_done(&text);
	if (m->rc >= 0)
		m->rc = m->sink->fact(m->sink->ctx, LTC_LIT("characters"), (int64_t)n);
}

/* --- templates --------------------------------------------------------------------------------------------------------------- */
static void note_line(struct ltc_buf *b, const char *name, struct lt_str value)
{
	char one[1000];
	struct lt_str v = zalo_one_line(value, one, sizeof(one));

	ltc_addf(b, "%s=%.*s\n", name, (int)v.n, v.p);
}

void zalo_prepare_zns(struct zalo_make *m)
{
	struct ltc_buf note;
	struct lt_str rest = m->conf->zns_data, one;

	if (m->conf->zns_template.n == 0)
		zalo_problem(m, 2, "channel",
			"messages to phone numbers need a template: set zns_template and zns_data of the channel");
	if (m->conf->zns_left == 0)
		zalo_problem(m, 2, "channel", "no template message is left today (zns_left: 0)");
	ltc_buf_init(&note, 16000);
	note_line(&note, "title", m->in->title);
	note_line(&note, "summary", m->in->summary);
	note_line(&note, "link", m->in->link);
	note_line(&note, "code", m->in->code);
	note_line(&note, "office", m->office);
	note_line(&note, "text", m->in->text);
	ltc_addf(&m->out, ZALO_MAGIC "kind zns\ntemplate %.*s\n\n", (int)m->conf->zns_template.n,
		m->conf->zns_template.p);
	zalo_flush_piece(m);
	if (m->rc >= 0)
		m->rc = m->sink->note(m->sink->ctx, ltc_buf_str(&note));
	if (m->rc >= 0)
		m->rc = m->sink->hole(m->sink->ctx, ZALO_HOLE_ZNS);
	preview(m, LTC_LIT("Mẫu ZNS "));
	preview(m, m->conf->zns_template);
	preview(m, LTC_LIT(":\n"));
	while (ltc_next(&rest, ';', &one)) {
		preview(m, ltc_trim(one));
		preview(m, LTC_LIT("\n"));
	}
	preview(m, ltc_buf_str(&note));
	ltc_buf_done(&note);
	if (m->rc >= 0)
		m->rc = m->sink->fact(m->sink->ctx, LTC_LIT("segments"), 1);
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

static struct lt_str variable(struct lt_str note, const struct lt_target *t, struct lt_str name)
{
	if (ltc_eqz(name, "name"))
		return t->name;
	for (size_t i = 0; i < t->n_vars; i++)
		if (ltc_eq(t->vars[i].name, name))
			return t->vars[i].value;
	return note_value(note, name);
}

/* "Kính gửi {name}" with its values; false: one is missing. */
static bool expand(struct lt_str form, struct lt_str note, const struct lt_target *t,
	struct ltc_buf *out, struct lt_str *ret_missing)
{
	while (form.n > 0) {
		const char *open = memchr(form.p, '{', form.n);
		size_t n = open == NULL ? form.n : (size_t)(open - form.p);
		ltc_add(out, form.p, n);
		form = ltc_from(form, n);
		const char *close = form.n == 0 ? NULL : memchr(form.p, '}', form.n);
		if (close == NULL) {
			ltc_adds(out, form);
			return true;
		}
		struct lt_str name = { form.p + 1, (size_t)(close - form.p) - 1 };
		struct lt_str value = variable(note, t, name);
		*ret_missing = name;
		if (value.n == 0)
			return false;
		ltc_adds(out, value);
		form = ltc_from(form, name.n + 2);
	}
	return true;
}

static int fill_zns(const struct zalo_conf *c, struct lt_str note, const struct lt_target *t,
	struct lt_sink *sink, struct ltc_buf *json, struct ltc_buf *one)
{
	struct lt_str rest = c->zns_data, param, name, missing = { 0 };
	char text[PARAM_MAX], cut[PARAM_MAX];
	bool first = true;

	ltc_addc(json, '{');
	while (ltc_next(&rest, ';', &param)) {
		param = ltc_trim(param);
		if (param.n == 0)
			continue;
		struct lt_str form = param;
		if (!ltc_next(&form, '=', &name) || name.n == param.n) {
			(void)sink->problem(sink->ctx, 2, LTC_LIT("zns_data"),
				LTC_LIT("is written name=text;name=text"));
			return -LT_E_INVALID;
		}
		ltc_buf_reset(one);
		if (!expand(form, note, t, one, &missing)) {
			(void)snprintf(text, sizeof(text),
				"template parameter '%.*s' has no value for {%.*s}", (int)name.n,
				name.p, (int)missing.n, missing.p);
			(void)sink->problem(sink->ctx, 2, LTC_LIT("zns_data"), ltc_z(text));
			return -LT_E_INVALID;
		}
		ltc_addz(json, first ? "" : ",");
		first = false;
		ltc_json_add(json, ltc_trim(name));
		ltc_addc(json, ':');
		struct lt_str v = zalo_one_line(ltc_buf_str(one), text, sizeof(text));
		ltc_json_add(json, zalo_shorten(v, 90, cut, sizeof(cut)));
	}
	ltc_addc(json, '}');
	struct lt_src src = { .bytes = ltc_buf_str(json) };
	return json->failed ? -LT_E_FULL : sink->add(sink->ctx, &src);
}

int zalo_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink)
{
	struct zalo_conf conf;
	struct ltc_buf json, one;
	char why[200];

	if (hole == ZALO_HOLE_MARK) {
		struct lt_src src = { .bytes = t->ref };
		return t->ref.n == 0 || ltc_has_control(t->ref) ? -LT_E_INVALID
								: sink->add(sink->ctx, &src);
	}
	if (hole != ZALO_HOLE_ZNS || zalo_conf_read(c, &conf, why, sizeof(why)) < 0)
		return -LT_E_INVALID;
	ltc_buf_init(&json, 8000);
	ltc_buf_init(&one, 4000);
	int rc = fill_zns(&conf, note, t, sink, &json, &one);
	ltc_buf_done(&json);
	ltc_buf_done(&one);
	return rc;
}
