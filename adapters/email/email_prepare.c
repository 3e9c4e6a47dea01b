/* email_prepare.c - checks a release for mail, decides which file goes where, and prepares the message.
 * Deterministic: the same content and settings give the same bytes, because an approval covers them. So boundaries and
 * Content-IDs come from a hash of the content, and nothing here asks for the time.
 * Thread: any, pure. Owns: its buffers until it returns. Failures: problems for the person, -EINVAL; -ENOMEM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "email_prepare.h"

enum { INFO = 0, WARNING = 1, ERROR = 2 };
enum { CATEGORY_ADVERTISING = 4 };
enum { ROLE_COVER = 1, ROLE_IMAGE = 2, ROLE_ATTACHMENT = 3, ROLE_VIDEO = 4 }; /* lt_asset.role */
/* A parameter over some 60 columns is parted by GMime, and a parted one is no plain `filename`. */
enum { ASCII_NAME_MAX = 50, ENDING_MAX = 16 };
enum { SUBJECT_MAX = 400, SIZE_SLACK = 2048 }; /* the headers that compose adds, doubled dots */
struct prep {
	struct email_doc doc;
	struct email_conf conf;
	struct lt_sink *sink;
	bool bad;
};

static void problem(struct prep *p, int severity, const char *field, const char *text)
{
	if (severity == ERROR)
		p->bad = true;
	(void)p->sink->problem(p->sink->ctx, severity, ltc_z(field), ltc_z(text));
}

/* Control characters other than tab and line ends have no place in a text, ours least of all (see EMAIL_MARK). */
static bool text_clean(struct lt_str s, bool lines)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool end = c == '\n' || c == '\t' ||
			(c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n');
		if ((c < 0x20 && !(lines && end)) || c == 0x7f)
			return false;
	}
	return ltc_utf8_valid(s);
}

static void check_text(struct prep *p, const char *field, struct lt_str s, bool lines)
{
	if (!text_clean(s, lines))
		problem(p, ERROR, field,
			lines ? "control characters or broken UTF-8 in the text"
			      : "line breaks, control characters or broken UTF-8; one clean line is needed");
}

static void check_content(struct prep *p, const struct lt_content *c)
{
	p->doc.subject = ltc_pair(c->texts, c->n_texts, "subject");
	if (p->doc.subject.n == 0)
		p->doc.subject = c->title;
	p->doc.preheader = ltc_pair(c->texts, c->n_texts, "preheader");
	p->doc.own = ltc_trim(c->text);
	check_text(p, "subject", p->doc.subject, false);
	check_text(p, "preheader", p->doc.preheader, false);
	check_text(p, "text", p->doc.own, true);
	check_text(p, "title", c->title, false);
	check_text(p, "code", c->code, false);
	check_text(p, "link", c->link, false);
	check_text(p, "lang", c->lang, false);
	check_text(p, "body", c->body_markdown, true);
	if (p->doc.subject.n == 0)
		problem(p, ERROR, "subject", "a mail needs a subject: give the release a title");
	else if (p->doc.subject.n > SUBJECT_MAX)
		problem(p, ERROR, "subject", "the subject is over 400 bytes; shorten it");
	if (ltc_trim(c->body_markdown).n == 0 && p->doc.own.n == 0 && c->n_assets == 0)
		problem(p, ERROR, "body",
			"the mail would be empty: there is no text and no picture");
	if (c->body_markdown.n > EMAIL_TEXT_MAX / 8 || p->doc.own.n > EMAIL_TEXT_MAX / 8)
		problem(p, ERROR, "body", "the text is over 512 KiB");
	/* Contract 2.4: bulk carries the link of its recipient. */
	if (c->category == CATEGORY_ADVERTISING && !p->conf.personal)
		problem(p, ERROR, "category",
			"advertising needs a link of each recipient to unsubscribe, and this channel makes one text for all: set personal: yes");
	p->doc.lang = c->lang.n > 0 ? c->lang : p->conf.lang;
}

static const char *extension(struct lt_str type)
{
	if (ltc_eqz(type, "image/png"))
		return ".png";
	if (ltc_eqz(type, "image/jpeg"))
		return ".jpg";
	return ltc_eqz(type, "application/pdf") ? ".pdf" : "";
}

/* At most n_max bytes: the stem gives way, the ending says what opens the file. */
static void shorten(char *dst, struct lt_str name, size_t n_max)
{
	const char *dot = name.n == 0 ? NULL : memrchr(name.p, '.', name.n);
	struct lt_str end = { 0 };

	if (dot != NULL && dot > name.p && (size_t)(name.p + name.n - dot) <= ENDING_MAX)
		end = ltc_from(name, (size_t)(dot - name.p));
	name.n -= end.n;
	name = ltc_utf8_cut(name, n_max - end.n);
	memcpy(dst, name.p, name.n);
	memcpy(dst + name.n, end.p == NULL ? "" : end.p, end.n);
	dst[name.n + end.n] = '\0';
}

static void file_name(struct prep *p, struct email_file *f, size_t no)
{
	struct lt_str name = f->a->filename;
	struct ltc_buf ascii LTC_CLEANUP_BUF;

	check_text(p, "filename", name, false);
	if (name.n > 0)
		shorten(f->name, name, sizeof(f->name) - 1);
	else
		(void)snprintf(
			f->name, sizeof(f->name), "file-%zu%s", no, extension(f->a->content_type));
	for (char *c = f->name; *c != '\0'; c++)
		if (*c == '/' || *c == '\\' || *c == '"')
			*c = '_';
	ltc_buf_init(&ascii, sizeof(f->ascii) - 1);
	email_text_ascii(&ascii, ltc_z(f->name));
	if (ascii.n > 0)
		shorten(f->ascii, ltc_buf_str(&ascii), ASCII_NAME_MAX);
	else
		(void)snprintf(f->ascii, sizeof(f->ascii), "file");
}

static bool asked_for(const struct lt_content *c, struct lt_str id)
{
	for (size_t i = 0; i < c->n_opts; i++)
		if (ltc_eq(c->opts[i].name, LTC_LIT("attach")) && ltc_eq(c->opts[i].value, id))
			return true;
	return false;
}

static void add_file(struct prep *p, const struct lt_asset *a)
{
	struct email_doc *d = &p->doc;

	if (a->role != ROLE_COVER && a->role != ROLE_IMAGE && a->role != ROLE_ATTACHMENT) {
		if (a->role == ROLE_VIDEO)
			problem(p, WARNING, "video",
				"a video is not mailed; readers follow the link");
		return;
	}
	if (d->n_files == EMAIL_FILES_MAX) {
		problem(p, ERROR, "assets", "over 24 pictures and files in one mail");
		return;
	}
	struct email_file *f = &d->files[d->n_files++];
	f->a = a;
	f->picture = a->role != ROLE_ATTACHMENT && ltc_starts(a->content_type, "image/");
	f->above = a->role == ROLE_COVER;
	f->asked = asked_for(d->content, a->id);
	f->place = f->picture ? EMAIL_INLINE : EMAIL_ATTACHED;
	if (f->picture && a->alt.n == 0)
		problem(p, WARNING, "alt",
			"a picture has no alt text: blind readers get its file name");
	check_text(p, "alt", a->alt, false);
	check_text(p, "caption", a->caption, false);
	check_text(p, "credit", a->credit, false);
	file_name(p, f, d->n_files);
}

static void place_files(struct prep *p)
{
	char text[160];

	if (email_place_fit(&p->doc))
		return;
	(void)snprintf(text, sizeof(text),
		"pictures and files are over %llu KiB; use smaller ones, or set links: yes",
		(unsigned long long)p->conf.inline_max_bytes / 1024);
	problem(p, ERROR, "assets", text);
}

static void doc_id(struct prep *p, const struct lt_content *c)
{
	struct email_doc *d = &p->doc;
	uint64_t h[2] = { LTC_HASH_SEED, ltc_hash(LTC_HASH_SEED, LTC_LIT("second")) };

	for (int k = 0; k < 2; k++) {
		const struct lt_str in[] = { d->subject, c->title, c->body_markdown, c->link,
			c->code, d->lang, p->conf.from, p->conf.from_name, p->conf.reply_to };
		for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
			h[k] = ltc_hash(ltc_hash(h[k], LTC_LIT("|")), in[i]);
		if (d->own.n > 0)
			h[k] = ltc_hash(ltc_hash(h[k], LTC_LIT("|text|")), d->own);
		if (d->preheader.n > 0)
			h[k] = ltc_hash(ltc_hash(h[k], LTC_LIT("|preheader|")), d->preheader);
		for (size_t i = 0; i < d->n_files; i++)
			h[k] = ltc_hash(h[k], d->files[i].a->id);
	}
	(void)snprintf(d->id, sizeof(d->id), "%016llx%016llx", (unsigned long long)h[0],
		(unsigned long long)h[1]);
	for (size_t i = 0; i < d->n_files; i++)
		(void)snprintf(d->files[i].cid, sizeof(d->files[i].cid), "img%zu.%s@%.*s", i + 1,
			d->id,
			(int)(p->conf.message_id_domain.n > 80 ? 80 : p->conf.message_id_domain.n),
			p->conf.message_id_domain.p);
}

/* What compose needs: fields in lines, see email_compose.c. */
static int give_note(struct prep *p)
{
	struct ltc_buf note LTC_CLEANUP_BUF;

	ltc_buf_init(&note, 8192);
	ltc_addf(&note, "1\n%d\n", p->conf.zone_min);
	ltc_adds(&note, p->conf.message_id_domain);
	ltc_addc(&note, '\n');
	ltc_adds(&note, p->conf.list_id);
	if (p->conf.unsubscribe_mail.n > 0) {
		ltc_addc(&note, ' ');
		ltc_adds(&note, p->conf.unsubscribe_mail);
	}
	ltc_addc(&note, '\n');
	for (size_t i = 0; i < p->doc.n_files; i++) {
		ltc_adds(&note, p->doc.files[i].a->id);
		ltc_addc(&note, '\n');
	}
	if (note.failed)
		return -E2BIG;
	return p->sink->note(p->sink->ctx, ltc_buf_str(&note));
}

static int give_facts(struct prep *p, uint64_t bytes, uint64_t hash)
{
	struct lt_sink *s = p->sink;
	int64_t key = p->conf.personal ? 0 : (int64_t)(hash >> 1);
	int rc = s->fact(s->ctx, LTC_LIT("bytes"), (int64_t)bytes);

	rc = rc < 0 ? rc : s->fact(s->ctx, LTC_LIT("cost"), 0);
	return rc < 0
		? rc
		: s->fact(s->ctx, LTC_LIT("batch_key"), !p->conf.personal && key == 0 ? 1 : key);
}

/* The host puts their addresses into what compose gets; the person hears which files these are. */
static int give_links(struct prep *p)
{
	struct lt_sink *s = p->sink;
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < p->doc.n_files && rc >= 0; i++) {
		const struct email_file *f = &p->doc.files[i];
		char text[320];
		if (f->place != EMAIL_LINKED)
			continue;
		any = true;
		(void)snprintf(text, sizeof(text),
			"'%s' (%llu KiB) goes as a link that is good for %u days", f->name,
			(unsigned long long)(f->a->bytes + 1023) / 1024, p->conf.links_days);
		problem(p, INFO, "assets", text);
		rc = s->tell(s->ctx, LTC_LIT("asset_url"), f->a->id);
	}
	return rc < 0 || !any ? rc : s->fact(s->ctx, LTC_LIT("links_days"), p->conf.links_days);
}

/* Text and message; with links: yes again, until it fits into size_max or nothing is left that could go as a link. */
static int build(struct prep *p, struct ltc_buf *built)
{
	for (;;) {
		ltc_buf_reset(&p->doc.html);
		ltc_buf_reset(&p->doc.plain);
		ltc_buf_reset(built);
		int rc = email_render(&p->doc);
		rc = rc < 0 ? rc : email_mime_build(&p->doc, built);
		if (rc < 0)
			return rc;
		uint64_t bytes = built->n + email_place_bytes(&p->doc) + SIZE_SLACK;
		if (!p->conf.links || bytes <= p->conf.size_max ||
			!email_place_shrink(&p->doc, bytes - p->conf.size_max))
			return 0;
	}
}

static int deliver(struct prep *p)
{
	struct ltc_buf built LTC_CLEANUP_BUF;
	struct ltc_buf preview LTC_CLEANUP_BUF;
	uint64_t bytes = 0, hash = 0;
	char text[120];

	ltc_buf_init(&built, EMAIL_TEXT_MAX);
	ltc_buf_init(&preview, EMAIL_TEXT_MAX);
	int rc = build(p, &built);
	rc = rc < 0 ? rc : email_mime_emit(&p->doc, ltc_buf_str(&built), p->sink, &bytes, &hash);
	if (rc < 0) {
		problem(p, ERROR, "body", "the message could not be built");
		return rc;
	}
	if (bytes + SIZE_SLACK > p->conf.size_max) {
		(void)snprintf(text, sizeof(text),
			"the message has %llu KiB, size_max allows %llu%s",
			(unsigned long long)bytes / 1024,
			(unsigned long long)p->conf.size_max / 1024,
			p->conf.links ? "" : "; use smaller files, or set links: yes");
		problem(p, ERROR, "assets", text);
		return -EINVAL;
	}
	email_preview(&p->doc, &preview, bytes);
	rc = p->sink->preview(p->sink->ctx, ltc_buf_str(&preview));
	rc = rc < 0 ? rc : give_note(p);
	rc = rc < 0 ? rc : give_links(p);
	return rc < 0 ? rc : give_facts(p, bytes, hash);
}

int email_prepare(const struct lt_conf *c, const struct lt_content *content, struct lt_sink *sink)
{
	char err[240];
	int rc = -EINVAL;
	struct prep *p = calloc(1, sizeof(*p)); /* too large for a worker's stack */

	if (p == NULL)
		return -ENOMEM;
	p->sink = sink;
	p->doc.conf = &p->conf;
	p->doc.content = content;
	ltc_buf_init(&p->doc.html, EMAIL_TEXT_MAX);
	ltc_buf_init(&p->doc.plain, EMAIL_TEXT_MAX);
	if (email_conf_read(c, &p->conf, err, sizeof(err)) < 0)
		problem(p, ERROR, "channel", err);
	else {
		check_content(p, content);
		for (size_t i = 0; i < content->n_assets; i++)
			add_file(p, content->assets[i]);
		place_files(p);
		doc_id(p, content);
		rc = p->bad ? -EINVAL : deliver(p);
	}
	ltc_buf_done(&p->doc.html);
	ltc_buf_done(&p->doc.plain);
	free(p);
	return rc;
}
