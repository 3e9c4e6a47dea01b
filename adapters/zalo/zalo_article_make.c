/* zalo_article_make.c - an article from a release: title and description under their limits, a cover, body blocks, a mark in the
 * tracking link by which a lost article is found again.
 * Thread: any, pure. Failures: problems that name the field. */
#include <stdio.h>
#include <string.h>
#include "zalo_prepare.h"

#define COVER_SPEC "jpeg<=950000B<=1600x900px ratio=16:9 crop="
#define IMAGE_SPEC "jpeg<=950000B<=2048x8192px"
#define USED_MAX   64u

void zalo_preview(struct zalo_make *m, const char *label, struct lt_str text)
{
	struct lt_sink *s = m->sink;
	int rc = s->preview(s->ctx, ltc_z(label));

	rc = rc < 0 ? rc : s->preview(s->ctx, text);
	rc = rc < 0 ? rc : s->preview(s->ctx, LTC_LIT("\n"));
	if (m->rc >= 0 && rc < 0)
		m->rc = rc;
}

/* A text that the editor wrote for Zalo is never cut: it is refused. One that we made is shortened. */
static struct lt_str limited(struct zalo_make *m, const char *name, struct lt_str otherwise,
	size_t max, bool may_cut, char *dst, size_t size)
{
	struct lt_str own = zalo_text_of(m, name), s = own.n != 0 ? own : otherwise;
	char field[60];

	s = zalo_one_line(s, dst, size);
	size_t n = zalo_chars(s);
	if (n <= max)
		return s;
	(void)snprintf(field, sizeof(field), "text.zalo.%s", name);
	if (own.n != 0 || !may_cut) {
		zalo_problem(m, 2, field,
			"%s has %zu characters; Zalo takes at most %zu: write a shorter one under text: {zalo: {%s: ...}}",
			name, n, max, name);
		return s;
	}
	zalo_problem(m, 0, field, "%s has %zu characters and is shortened to %zu", name, n, max);
	char cut[4 * ZALO_DESCRIPTION_MAX + 8];
	struct lt_str t = zalo_shorten(s, max, cut, sizeof(cut));
	memcpy(dst, t.p, t.n);
	dst[t.n] = '\0';
	return (struct lt_str){ dst, t.n };
}

static void asset_piece(struct zalo_make *m, struct lt_str id)
{
	struct lt_src src = { .asset = id, .length = 1 };

	zalo_flush_piece(m);
	if (m->rc >= 0)
		m->rc = m->sink->add(m->sink->ctx, &src);
}

static size_t index_of(const struct zalo_make *m, uint32_t role)
{
	for (size_t i = 0; i < m->in->n_assets; i++)
		if (m->in->assets[i]->role == role &&
			ltc_starts(m->in->assets[i]->content_type, "image/"))
			return i;
	return m->in->n_assets;
}

static void cover(struct zalo_make *m)
{
	size_t at = index_of(m, ROLE_COVER);
	bool same;

	if (at == m->in->n_assets && m->conf->image_default)
		at = index_of(m, ROLE_IMAGE);
	if (at == m->in->n_assets) {
		zalo_problem(m, 2, "cover",
			"an article needs a cover: name one under cover: {file: ...} in the release");
		return;
	}
	const struct lt_asset *a = m->in->assets[at];
	char spec[80];
	struct lt_str crop = ltc_pair(m->in->opts, m->in->n_opts, "crop");
	(void)snprintf(spec, sizeof(spec), COVER_SPEC "%s",
		a->role != ROLE_COVER           ? "fit"
			: ltc_eqz(crop, "top")  ? "top"
			: ltc_eqz(crop, "none") ? "none"
						: "fit");
	struct lt_str id = zalo_picture(m, a, spec, "cover", &same);
	if (id.n == 0)
		return;
	ltc_addz(&m->out, ",\"cover\":{\"cover_type\":\"photo\",\"photo_url\":\"");
	asset_piece(m, id);
	ltc_addz(&m->out, "\",\"status\":\"show\"}");
	zalo_preview(m, "Ảnh bìa: ", a->filename);
}

static void block_comma(struct zalo_make *m)
{
	if (!m->first_block)
		ltc_addc(&m->out, ',');
	m->first_block = false;
}

/* As the reader will see it, block for block. */
static void preview_seen(struct zalo_make *m, struct lt_str html)
{
	struct ltc_buf b;

	ltc_buf_init(&b, ZALO_BODY_MAX);
	zalo_add_seen(&b, html);
	zalo_preview(m, "", ltc_trim(ltc_buf_str(&b)));
	ltc_buf_done(&b);
}

static int on_text(void *ctx, struct lt_str html)
{
	struct zalo_make *m = ctx;

	preview_seen(m, html);
	block_comma(m);
	ltc_addz(&m->out, "{\"type\":\"text\",\"content\":");
	ltc_json_add(&m->out, html);
	ltc_addc(&m->out, '}');
	zalo_flush_piece(m);
	return m->rc;
}

static void caption(struct zalo_make *m, const struct lt_asset *a, struct lt_str alt)
{
	struct lt_str own = a->caption.n != 0 ? a->caption : alt.n != 0 ? alt : a->alt;
	char cut[4 * ZALO_CAPTION_MAX + 8];
	struct ltc_buf line;

	ltc_buf_init(&line, ZALO_BODY_MAX);
	zalo_add_one_line(&line, own);
	size_t n = zalo_chars(ltc_buf_str(&line));
	if (n > ZALO_CAPTION_MAX)
		zalo_problem(m, 0, "images",
			"the caption of '%.*s' has %zu characters and is shortened to %d",
			(int)a->filename.n, a->filename.p == NULL ? "" : a->filename.p, n,
			ZALO_CAPTION_MAX);
	ltc_json_add(&m->out, zalo_shorten(ltc_buf_str(&line), ZALO_CAPTION_MAX, cut, sizeof(cut)));
	ltc_buf_done(&line);
}

static void picture_block(struct zalo_make *m, size_t at, struct lt_str alt)
{
	const struct lt_asset *a = m->in->assets[at];
	bool same;

	if (at < USED_MAX)
		m->used[at] = true;
	if (++m->pictures > (size_t)m->conf->images_max) {
		if (m->pictures == (size_t)m->conf->images_max + 1)
			zalo_problem(m, 2, "images",
				"more than %lld pictures in one article: take some out, or raise images_max of the channel",
				(long long)m->conf->images_max);
		return;
	}
	struct lt_str id = zalo_picture(m, a, IMAGE_SPEC, "images", &same);
	if (id.n == 0)
		return;
	block_comma(m);
	ltc_addz(&m->out, "{\"type\":\"image\",\"url\":\"");
	asset_piece(m, id);
	ltc_addz(&m->out, "\",\"caption\":");
	caption(m, a, alt);
	ltc_addc(&m->out, '}');
	zalo_preview(m, "[Ảnh] ", a->filename);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* The text has a file's place in the bundle, with %20 and the like; an asset has the last piece of it as its name. */
static bool is_address_of(struct lt_str at, struct lt_str name)
{
	size_t n = 0, i = at.n;

	if (ltc_eq(at, name))
		return true;
	while (i > 0 && at.p[i - 1] != '/')
		i--;
	for (; i < at.n && n < name.n; i++, n++) {
		int c = (unsigned char)at.p[i];
		if (c == '%' && at.n - i > 2 && hex_digit(at.p[i + 1]) >= 0 &&
			hex_digit(at.p[i + 2]) >= 0) {
			c = hex_digit(at.p[i + 1]) * 16 + hex_digit(at.p[i + 2]);
			i += 2;
		}
		if (c != (unsigned char)name.p[n])
			return false;
	}
	return i == at.n && n == name.n;
}

static int on_image(void *ctx, struct lt_str file, struct lt_str alt)
{
	struct zalo_make *m = ctx;
	const struct lt_asset *first = NULL;
	size_t at = 0;

	for (size_t i = 0; i < m->in->n_assets; i++) {
		const struct lt_asset *a = m->in->assets[i];
		if (!is_address_of(file, a->filename) || !ltc_starts(a->content_type, "image/"))
			continue;
		if (first != NULL && !ltc_eq(first->id, a->id)) {
			zalo_problem(m, 1, "images",
				"two pictures are called '%.*s': they stand behind the text; give them names of their own",
				(int)a->filename.n, a->filename.p);
			return m->rc;
		}
		at = first == NULL ? i : at;
		first = first == NULL ? a : first;
	}
	if (first != NULL) {
		picture_block(m, at, alt);
		return m->rc;
	}
	zalo_problem(m, 1, "images", "the text shows '%.*s', which is no picture of this release",
		(int)(file.n > 80 ? 80 : file.n), file.p == NULL ? "" : file.p);
	return m->rc;
}

/* A paragraph that is no Markdown: what it says is no HTML either. */
static void paragraph(struct zalo_make *m, const char *label, struct lt_str text)
{
	struct ltc_buf b;

	ltc_buf_init(&b, 16000);
	ltc_addf(&b, "<p>%s", label);
	zalo_add_html(&b, text);
	ltc_addz(&b, "</p>");
	(void)on_text(m, ltc_buf_str(&b));
	ltc_buf_done(&b);
}

static void body(struct zalo_make *m, struct lt_str description)
{
	const struct zalo_blocks to = { m, on_text, on_image };
	int rc;

	m->first_block = true;
	ltc_addz(&m->out, ",\"body\":[");
	rc = zalo_body_walk(m->in->body_markdown, &to);
	if (m->rc >= 0 && rc < 0)
		m->rc = rc;
	if (m->first_block && description.n != 0)
		paragraph(m, "", description);
	for (size_t i = 0; i < m->in->n_assets; i++)
		if (m->in->assets[i]->role == ROLE_IMAGE && (i >= USED_MAX || !m->used[i]) &&
			ltc_starts(m->in->assets[i]->content_type, "image/"))
			picture_block(m, i, (struct lt_str){ 0 });
	if (m->in->link.n != 0)
		paragraph(m, "Xem thêm: ", m->in->link);
	ltc_addc(&m->out, ']');
	if (m->first_block)
		zalo_problem(m, 2, "body", "an article without a text and without pictures");
}

/* The link that views are counted by; its end is the ref of the delivery, so that the article can be told from another's. */
static void tracking(struct zalo_make *m)
{
	struct lt_str link = m->in->link;
	const char *fragment = link.n == 0 ? NULL : memchr(link.p, '#', link.n);

	if (fragment != NULL)
		link.n = (size_t)(fragment - link.p);
	if (link.n == 0)
		return;
	ltc_addz(&m->out, ",\"tracking_link\":\"");
	ltc_json_add_inner(&m->out, link);
	ltc_addz(&m->out, memchr(link.p, '?', link.n) != NULL ? "&" : "?");
	ltc_addz(&m->out, "utm_source=zalo&utm_medium=oa&lt=");
	zalo_flush_piece(m);
	if (m->rc >= 0)
		m->rc = m->sink->hole(m->sink->ctx, ZALO_HOLE_MARK);
	ltc_addc(&m->out, '"');
}

static void member(struct zalo_make *m, const char *name, struct lt_str value)
{
	ltc_addf(&m->out, ",\"%s\":", name);
	ltc_json_add(&m->out, value);
}

/* What an article has no place for: said, so that nobody waits for it there. */
static void tell_left_out(struct zalo_make *m)
{
	for (size_t i = 0; i < m->in->n_assets; i++) {
		const struct lt_asset *a = m->in->assets[i];
		if (a->role != ROLE_ATTACHMENT && a->role != ROLE_VIDEO)
			continue;
		zalo_problem(m, a->role == ROLE_VIDEO ? 1 : 0,
			a->role == ROLE_VIDEO ? "video" : "attachments",
			"'%.*s' is not in the article, which takes text and pictures: readers follow the link",
			(int)(a->filename.n > 255 ? 255 : a->filename.n),
			a->filename.p == NULL ? "" : a->filename.p);
	}
}

void zalo_prepare_article(struct zalo_make *m)
{
	char title[2000], about[4000], author[400];
	bool comment = m->conf->comment;
	struct lt_str by = m->conf->author.n != 0 ? m->conf->author : m->office;
	struct lt_str said = ltc_pair(m->in->opts, m->in->n_opts, "comments");

	if (said.n != 0)
		comment = ltc_ieqz(said, "yes");
	struct lt_str t = limited(
		m, "title", m->in->title, ZALO_TITLE_MAX, false, title, sizeof(title));
	struct lt_str d = limited(m, "description", m->in->summary.n != 0 ? m->in->summary : t,
		ZALO_DESCRIPTION_MAX, true, about, sizeof(about));
	struct lt_str a = limited(
		m, "author", by.n != 0 ? by : t, ZALO_AUTHOR_MAX, true, author, sizeof(author));
	if (t.n == 0)
		zalo_problem(m, 2, "title", "an article needs a title");
	ltc_addf(&m->out, ZALO_MAGIC "kind oa\ntitle %.*s\n", (int)t.n, t.p);
	zalo_preview(m, "", t);
	zalo_preview(m, "", d);
	ltc_addz(&m->out, "\n");
	zalo_flush_piece(m);
	ltc_addz(&m->out, "\"type\":\"normal\"");
	member(m, "title", t);
	member(m, "author", a);
	member(m, "description", d);
	cover(m);
	body(m, d);
	tell_left_out(m);
	tracking(m);
	member(m, "comment", comment ? LTC_LIT("show") : LTC_LIT("hide"));
	if (m->rc >= 0)
		m->rc = m->sink->fact(m->sink->ctx, LTC_LIT("pictures"), (int64_t)m->pictures);
}
