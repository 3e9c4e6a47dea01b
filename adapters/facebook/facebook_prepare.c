/* facebook_prepare.c - the pure side: which text, pictures, link or video of a release become the post of a page.
 * Deterministic: the same content gives the same bytes, because an approval covers them. No holes: a page is one recipient.
 * Payload: one piece of fields ("KEY LENGTH\n" BYTES "\n"), then the pictures in order as asset slices, then the video.
 * Thread: any, pure. Failures: problems for the person; -LT_E_AGAIN while a rendition is being made. */
#include <stdio.h>
#include <string.h>
#include "facebook.h"

enum { INFO = 0, WARNING = 1, ERROR = 2 };
enum {
	ROLE_COVER = 1,
	ROLE_IMAGE = 2,
	ROLE_ATTACHMENT = 3,
	ROLE_VIDEO = 4,
	ROLE_POSTER = 5,
	ROLE_CAPTIONS = 6
}; /* lt_asset.role */
#define HARD_CHARS  63206u
#define PNG_MAX     1000000u /* above it a PNG may look blurred */
#define ALT_MAX     1000u
#define MAGIC       "fb1\n"
#define VIDEO_BYTES (INT64_C(1500) << 20)

struct prep {
	struct fb_conf conf;
	const struct lt_content *in;
	struct lt_sink *sink;
	struct ltc_buf head;
	struct lt_src photo[FB_PHOTOS_MAX], video;
	struct lt_str alt[FB_PHOTOS_MAX]; /* what a person calls each */
	size_t n_photos;
	bool bad, has_video;
	uint64_t bytes;
};

static void problem(struct prep *p, int severity, const char *field, const char *text)
{
	p->bad |= severity == ERROR;
	(void)p->sink->problem(p->sink->ctx, severity, ltc_z(field), ltc_z(text));
}

static void field(struct prep *p, char key, struct lt_str v)
{
	ltc_addf(&p->head, "%c %zu\n", key, v.n);
	ltc_adds(&p->head, v);
	ltc_addc(&p->head, '\n');
}

int fb_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink)
{
	struct lt_str a = ltc_trim(in);
	int64_t v;

	(void)c;
	if (a.n < 5 || a.n > 18 || ltc_i64(a, 1, INT64_MAX, &v) != 0 || a.p[0] < '1' ||
		a.p[0] > '9') {
		(void)sink->problem(sink->ctx, ERROR, LTC_LIT("address"),
			LTC_LIT("is no page id: the number of the page stands here, such as 104200000000017"));
		return -LT_E_INVALID;
	}
	int rc = sink->tell(sink->ctx, LTC_LIT("address"), a);
	rc = rc < 0 ? rc : sink->tell(sink->ctx, LTC_LIT("class"), LTC_LIT("page"));
	return rc < 0 ? rc : sink->tell(sink->ctx, LTC_LIT("kind"), LTC_LIT("page"));
}

/* --- pictures -------------------------------------------------------------------------------------------------------------- */
static bool fits(const struct prep *p, const struct lt_asset *a)
{
	int64_t side = a->width > a->height ? a->width : a->height;
	bool jpeg = ltc_eqz(a->content_type, "image/jpeg");
	bool png = ltc_eqz(a->content_type, "image/png") && a->bytes < PNG_MAX;

	return (jpeg || png) && (int64_t)a->bytes <= p->conf.photo_max_bytes && side > 0 &&
		side <= p->conf.photo_max_px;
}

static const char *ending(struct lt_str type)
{
	return ltc_eqz(type, "image/png") ? "png" : "jpg";
}

static int photo_source(
	struct prep *p, const struct lt_asset *a, struct lt_src *src, struct lt_str *type)
{
	char spec[120];
	struct lt_str made = a->id;

	*src = (struct lt_src){ .asset = a->id, .length = a->bytes };
	*type = a->content_type;
	if (fits(p, a))
		return 0;
	long long px = p->conf.photo_max_px;
	(void)snprintf(spec, sizeof(spec), "png<=%lldB<=%lldx%lldpx|jpeg<=%lldB<=%lldx%lldpx",
		(long long)(p->conf.photo_max_bytes < PNG_MAX ? p->conf.photo_max_bytes : PNG_MAX),
		px, px, (long long)p->conf.photo_max_bytes, px, px);
	int rc = p->sink->need_rendition(p->sink->ctx, a->id, ltc_z(spec), &made);
	if (rc < 0)
		return rc; /* the host has told why */
	if (!ltc_eq(made, a->id)) {
		*src = (struct lt_src){ .asset = made };
		*type = made.n > 4 && memcmp(made.p + made.n - 4, ":png", 4) == 0
			? LTC_LIT("image/png")
			: LTC_LIT("image/jpeg");
	}
	return 0;
}

static void photo_words(struct prep *p, const struct lt_asset *a, struct lt_str type)
{
	struct ltc_buf caption LTC_CLEANUP_BUF;
	char name[40];

	ltc_buf_init(&caption, 8192);
	ltc_adds(&caption, a->caption);
	if (a->credit.n > 0) {
		ltc_addz(&caption, a->caption.n > 0 ? " – " : "");
		ltc_adds(&caption, a->credit);
	}
	if (a->alt.n == 0)
		problem(p, WARNING, "alt", "a picture has no alt text: blind readers get nothing");
	if (fb_text_chars(a->alt) > ALT_MAX)
		problem(p, WARNING, "alt",
			"an alt text is over 1,000 characters: Facebook may cut it");
	(void)snprintf(name, sizeof(name), "photo-%zu.%s", p->n_photos + 1, ending(type));
	field(p, 'a', a->alt);
	field(p, 'k', ltc_buf_str(&caption));
	field(p, 'y', type);
	field(p, 'f', ltc_z(name));
}

static int add_photo(struct prep *p, const struct lt_asset *a)
{
	struct lt_str type;

	if ((int64_t)p->n_photos == p->conf.max_photos || p->n_photos == FB_PHOTOS_MAX) {
		problem(p, ERROR, "images", "more pictures than max_photos allows in one post");
		return 0;
	}
	if (!ltc_utf8_valid(a->alt) || !ltc_utf8_valid(a->caption))
		problem(p, ERROR, "alt", "broken UTF-8 in the words of a picture");
	int rc = photo_source(p, a, &p->photo[p->n_photos], &type);
	if (rc < 0)
		return rc;
	photo_words(p, a, type);
	p->alt[p->n_photos] = a->alt.n > 0 ? a->alt : a->filename;
	p->bytes += a->bytes;
	p->n_photos++;
	return 0;
}

/* A failure is told after all have been asked for, so that all renditions are made at once. */
static int add_photos(struct prep *p, uint32_t role)
{
	int first = 0;

	for (size_t i = 0; i < p->in->n_assets; i++) {
		const struct lt_asset *a = p->in->assets[i];
		if (a->role != role || !ltc_starts(a->content_type, "image/"))
			continue;
		int rc = add_photo(p, a);
		first = first < 0 ? first : rc;
	}
	return first;
}

static bool video_only(const struct lt_content *c)
{
	for (size_t i = 0; i < c->n_assets; i++)
		if (c->assets[i]->role == ROLE_VIDEO)
			return true;
	return false;
}

static void add_video(struct prep *p)
{
	size_t n = 0;
	char bytes[24];

	for (size_t i = 0; i < p->in->n_assets; i++) {
		const struct lt_asset *a = p->in->assets[i];
		if (a->role == ROLE_IMAGE)
			problem(p, WARNING, "images", "beside a video pictures are not posted");
		if (a->role != ROLE_VIDEO || n++ > 0)
			continue;
		if ((int64_t)a->bytes > VIDEO_BYTES || a->bytes == 0)
			problem(p, ERROR, "video", "a video may have 1,500 MB");
		(void)snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)a->bytes);
		p->video = (struct lt_src){ .asset = a->id, .length = a->bytes };
		p->has_video = true;
		p->bytes += a->bytes;
		field(p, 'v', ltc_z(bytes));
		field(p, 'y', a->content_type);
	}
	if (n > 1)
		problem(p, ERROR, "video", "one post takes one video");
}

/* What a post has no place for: said, so that nobody waits for it on the page. */
static void tell_left_out(struct prep *p)
{
	for (size_t i = 0; i < p->in->n_assets; i++) {
		const struct lt_asset *a = p->in->assets[i];
		const char *why = a->role == ROLE_ATTACHMENT
			? "is not posted: a post takes pictures and one video"
			: a->role == ROLE_POSTER ? "is not posted: Facebook picks the still itself"
			: a->role == ROLE_CAPTIONS ? "is not posted: add the subtitles on the page"
						   : NULL;
		char text[400];
		if (why == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "'%.*s' %s",
			(int)(a->filename.n > 255 ? 255 : a->filename.n),
			a->filename.p == NULL ? "" : a->filename.p, why);
		problem(p, a->role == ROLE_CAPTIONS ? WARNING : INFO,
			a->role == ROLE_ATTACHMENT ? "attachments" : "video", text);
	}
}

/* --- words ----------------------------------------------------------------------------------------------------------------- */
/* Title, text, link; or what the editor wrote for Facebook, as it is. */
static int make_message(struct prep *p, struct ltc_buf *m, bool card)
{
	const struct lt_content *c = p->in;
	struct lt_str own = ltc_trim(
		c->text.n > 0 ? c->text : ltc_pair(c->texts, c->n_texts, "text"));

	if (own.n > 0) {
		ltc_adds(m, own);
	} else {
		ltc_adds(m, ltc_trim(c->title));
		if (ltc_trim(c->body_markdown).n > 0) {
			ltc_addz(m, m->n > 0 ? "\n\n" : "");
			int rc = fb_text_plain(m, c->body_markdown);
			if (rc < 0)
				return rc;
		}
	}
	if (c->link.n > 0 && !card && !fb_text_has_link(ltc_buf_str(m), c->link)) {
		ltc_addz(m, m->n > 0 ? "\n\n" : "");
		ltc_adds(m, c->link);
	}
	return m->failed ? -LT_E_FULL : 0;
}

static void check_message(struct prep *p, struct lt_str m)
{
	char text[160];
	size_t n = fb_text_chars(m);

	if (!ltc_utf8_valid(m))
		problem(p, ERROR, "text", "broken UTF-8 in the text of the post");
	for (size_t i = 0; i < m.n; i++)
		if ((unsigned char)m.p[i] < 0x20 && m.p[i] != '\n' && m.p[i] != '\t' &&
			m.p[i] != '\r') {
			problem(p, ERROR, "text", "a control character in the text of the post");
			break;
		}
	if ((int64_t)n > p->conf.max_message || n > HARD_CHARS) {
		(void)snprintf(text, sizeof(text),
			"the post has %zu characters, max_message allows %lld: write a shorter text for facebook",
			n, (long long)p->conf.max_message);
		problem(p, ERROR, "text", text);
	}
	if (ltc_find(p->in->link, LTC_LIT("facebook.com"), true) != NULL)
		problem(p, ERROR, "link", "links to facebook.com are refused by Facebook");
}

static void give_preview(struct prep *p, struct lt_str message, bool card)
{
	struct ltc_buf b LTC_CLEANUP_BUF;
	char line[120];

	ltc_buf_init(&b, FB_TEXT_MAX + 32768);
	ltc_adds(&b, message);
	ltc_addc(&b, '\n');
	if (card) {
		ltc_addz(&b, "[link] ");
		ltc_adds(&b, p->in->link);
		ltc_addc(&b, '\n');
	}
	for (size_t i = 0; i < p->n_photos; i++) {
		ltc_addz(&b, "[picture] ");
		ltc_adds(&b, p->alt[i]);
		ltc_addc(&b, '\n');
	}
	(void)snprintf(line, sizeof(line), "[%zu pictures%s]\n", p->n_photos,
		p->has_video ? ", a video" : "");
	ltc_addz(&b, line);
	(void)p->sink->preview(p->sink->ctx, ltc_buf_str(&b));
}

static int give_pieces(struct prep *p)
{
	struct lt_sink *s = p->sink;
	struct lt_src head = { .bytes = ltc_buf_str(&p->head) };
	int rc = p->head.failed ? -LT_E_FULL : s->add(s->ctx, &head);

	for (size_t i = 0; i < p->n_photos && rc >= 0; i++)
		rc = s->add(s->ctx, &p->photo[i]);
	if (rc >= 0 && p->has_video)
		rc = s->add(s->ctx, &p->video);
	rc = rc < 0 ? rc : s->fact(s->ctx, LTC_LIT("bytes"), (int64_t)(p->head.n + p->bytes));
	return rc < 0 ? rc : s->fact(s->ctx, LTC_LIT("pictures"), (int64_t)p->n_photos);
}

static int prepare(struct prep *p)
{
	struct ltc_buf message LTC_CLEANUP_BUF;
	bool video = video_only(p->in);
	int made = 0;

	ltc_buf_init(&message, FB_TEXT_MAX);
	if (!video)
		made = add_photos(p, ROLE_IMAGE);
	if (!video && p->n_photos == 0 && made == 0 && p->in->link.n == 0)
		made = add_photos(p, ROLE_COVER);
	if (video)
		add_video(p);
	tell_left_out(p);
	bool card = p->in->link.n > 0 && p->n_photos == 0 && !video && made == 0;
	int rc = make_message(p, &message, card);
	struct lt_str text = ltc_trim(ltc_buf_str(&message));
	check_message(p, text);
	if (text.n == 0 && p->n_photos == 0 && !video)
		problem(p, ERROR, "text", "the post would be empty: give it a text or a picture");
	if (made == -LT_E_AGAIN || rc < 0)
		return rc < 0 ? rc : made;
	field(p, 'm', text);
	field(p, 't', ltc_trim(p->in->title));
	field(p, 'l', p->in->link);
	if (card)
		field(p, 'c', LTC_LIT("1"));
	give_preview(p, text, card);
	return give_pieces(p);
}

int fb_prepare(const struct lt_conf *c, const struct lt_content *content, struct lt_sink *sink)
{
	struct prep p = { .in = content, .sink = sink };
	char err[200];

	if (fb_conf_read(c, &p.conf, err, sizeof(err)) < 0)
		return -LT_E_INVALID;
	ltc_buf_init(&p.head, 2 * FB_TEXT_MAX);
	ltc_addz(&p.head, MAGIC);
	int rc = prepare(&p);
	ltc_buf_done(&p.head);
	return rc;
}

int fb_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink)
{
	(void)c;
	(void)note;
	(void)t;
	(void)hole;
	(void)sink;
	return -LT_E_INVALID; /* there are no holes */
}

/* --- the way back: a payload as a post ------------------------------------------------------------------------------------- */
static bool next_field(struct lt_str *rest, char *key, struct lt_str *v)
{
	struct lt_str line;
	int64_t n;

	if (rest->n == 0 || !ltc_line(rest, &line) || line.n < 3 || line.p[1] != ' ' ||
		ltc_i64(ltc_from(line, 2), 0, FB_TEXT_MAX, &n) != 0 || (size_t)n + 1 > rest->n)
		return false;
	*key = line.p[0];
	*v = (struct lt_str){ rest->p, (size_t)n };
	*rest = ltc_from(*rest, (size_t)n + 1);
	return true;
}

static int read_head(struct lt_str head, struct fb_doc *d)
{
	struct lt_str v;
	struct fb_photo *now = NULL;
	char key;
	int64_t n;

	while (next_field(&head, &key, &v)) {
		switch (key) {
		case 'm': d->message = v; break;
		case 't': d->title = v; break;
		case 'l': d->link = v; break;
		case 'c': d->attach_link = true; break;
		case 'a':
			if (d->n_photos == FB_PHOTOS_MAX)
				return -LT_E_INVALID;
			now = &d->photos[d->n_photos++];
			now->alt = v;
			break;
		case 'v':
			d->has_video = ltc_i64(v, 1, INT64_MAX, &n) == 0;
			d->video_bytes = d->has_video ? (uint64_t)n : 0;
			now = &d->video;
			break;
		case 'k':
		case 'y':
		case 'f':
			if (now == NULL)
				return -LT_E_INVALID;
			*(key == 'k'                 ? &now->caption
					: key == 'y' ? &now->type
						     : &now->filename) = v;
			break;
		default: break;
		}
	}
	return head.n == 0 ? 0 : -LT_E_INVALID;
}

int fb_doc_read(const struct lt_work *w, struct fb_doc *ret)
{
	struct lt_str head = { NULL, 0 };
	size_t n = 0;

	*ret = (struct fb_doc){ .n_photos = 0 };
	if (w->n_payload > 0)
		head = w->payload[0].bytes;
	if (!ltc_starts(head, MAGIC)) { /* a bare text is a post of that text */
		ret->message = ltc_trim(head);
		return ret->message.n > 0 && w->n_payload == 1 ? 0 : -LT_E_INVALID;
	}
	int rc = read_head(ltc_from(head, strlen(MAGIC)), ret);
	for (size_t i = 1; i < w->n_payload && rc == 0; i++) {
		const struct lt_src *s = &w->payload[i];
		if (s->asset.n == 0)
			return -LT_E_INVALID;
		if (n < ret->n_photos)
			ret->photos[n++].src = s;
		else if (ret->has_video && ret->video.src == NULL)
			ret->video.src = s;
		else
			return -LT_E_INVALID;
	}
	if (rc < 0 || n != ret->n_photos || (ret->has_video && ret->video.src == NULL))
		return -LT_E_INVALID;
	return ret->message.n > 0 || n > 0 || ret->has_video || ret->link.n > 0 ? 0 : -LT_E_INVALID;
}
