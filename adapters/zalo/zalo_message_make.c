/* zalo_message_make.c - messages to groups and users from a release. Thread: any, pure. Failures: problems that name the field. */
#include <stdio.h>
#include <string.h>
#include "../common/rendition.h"
#include "zalo_prepare.h"

#define IMAGE_SPEC "jpeg<=950000B<=1600x1600px"

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
