/* email_render.c - what the reader sees: the HTML page, the plain text beside it, the preview for the approver.
 * Pictures: where the text names them; else the cover above the text, the others below; each with its alt text, caption and credit.
 * Thread: any, pure. Failures: -E2BIG, -ENOMEM. */
#include <errno.h>
#include <string.h>
#include "email_prepare.h"

#define PICTURE_COLS 640u

struct words {
	const char *full_text, *attached, *picture, *credit;
};
static const struct words vietnamese = { "Xem bản đầy đủ", "Tệp kèm theo", "Ảnh", "Nguồn" };
static const struct words english = { "Full text", "Attachments", "Picture", "Credit" };

static const struct words *words_of(const struct email_doc *d)
{
	return ltc_istarts(d->lang, "en") ? &english : &vietnamese;
}

static void url_mark(struct ltc_buf *b, size_t i)
{
	ltc_addc(b, EMAIL_MARK);
	ltc_addc(b, (char)('A' + (int)i));
	ltc_addc(b, EMAIL_MARK);
}

void email_size_text(const struct email_doc *d, struct ltc_buf *out, uint64_t bytes)
{
	uint64_t tenths = (bytes + 50000) / 100000;

	if (bytes < 1000000)
		ltc_addf(out, "%llu kB", (unsigned long long)(bytes + 999) / 1000);
	else
		ltc_addf(out, "%llu%c%llu MB", (unsigned long long)tenths / 10,
			words_of(d) == &english ? '.' : ',', (unsigned long long)tenths % 10);
}

static bool has_scheme(struct lt_str url)
{
	return url.n > 0 && memchr(url.p, ':', url.n) != NULL;
}

static struct lt_str label_of(const struct email_file *f)
{
	return f->a->alt.n > 0 ? f->a->alt : ltc_z(f->name);
}

/* Caption and credit, where there are any. */
static void html_words(const struct email_doc *d, struct ltc_buf *b, const struct email_file *f,
	const char *before, const char *after)
{
	if (f->a->caption.n == 0 && f->a->credit.n == 0)
		return;
	ltc_addz(b, before);
	email_html_escape(b, f->a->caption);
	if (f->a->credit.n > 0) {
		ltc_addf(b, "%s%s: ", f->a->caption.n > 0 ? " &ndash; " : "", words_of(d)->credit);
		email_html_escape(b, f->a->credit);
	}
	ltc_addz(b, after);
}

static void html_img(struct ltc_buf *b, const struct email_file *f, struct lt_str alt)
{
	unsigned w = f->a->width == 0 || f->a->width > PICTURE_COLS ? PICTURE_COLS : f->a->width;

	ltc_addf(b, "<img src=\"cid:%s\" width=\"%u\" alt=\"", f->cid, w);
	email_html_escape(b, alt);
	ltc_addz(b, "\" style=\"max-width:100%;height:auto;border:0\">");
}

/* name (size): URL; a picture's alt text above it. */
static void html_file_link(const struct email_doc *d, struct ltc_buf *b, size_t i)
{
	const struct email_file *f = &d->files[i];

	ltc_addz(b, "<p style=\"margin:16px 0 4px\">");
	if (f->a->alt.n > 0) {
		email_html_escape(b, f->a->alt);
		ltc_addz(b, "<br>\n");
	}
	email_html_escape(b, ltc_z(f->name));
	ltc_addz(b, " (");
	email_size_text(d, b, f->a->bytes);
	ltc_addz(b, "): <a style=\"word-break:break-all\" href=\"");
	url_mark(b, i);
	ltc_addz(b, "\">");
	url_mark(b, i);
	ltc_addz(b, "</a></p>\n");
}

static void html_picture(const struct email_doc *d, struct ltc_buf *b, size_t i)
{
	const struct email_file *f = &d->files[i];

	if (f->in_text)
		return;
	if (f->place == EMAIL_LINKED)
		html_file_link(d, b, i);
	else {
		ltc_addz(b, "<p style=\"margin:16px 0 4px\">");
		html_img(b, f, label_of(f));
		ltc_addz(b, "</p>\n");
	}
	html_words(
		d, b, f, "<p style=\"margin:4px 0 16px;font-size:14px;color:#555555\">", "</p>\n");
}

/* A picture that the text names by its path in the bundle; of this mail, or it is none. */
static void text_picture(void *ctx, struct lt_str url, struct lt_str alt, struct ltc_buf *b)
{
	struct email_doc *d = ctx;
	const char *slash = url.n == 0 ? NULL : memrchr(url.p, '/', url.n);
	struct lt_str name = slash == NULL ? url : ltc_from(url, (size_t)(slash + 1 - url.p));

	for (size_t i = 0; i < d->n_files && !has_scheme(url); i++) {
		struct email_file *f = &d->files[i];
		if (!f->picture || f->place == EMAIL_LINKED || !ltc_eq(f->a->filename, name))
			continue;
		f->in_text = true;
		html_img(b, f, alt.n > 0 ? alt : label_of(f));
		html_words(d, b, f, "<br><span style=\"font-size:14px;color:#555555\">", "</span>");
		return;
	}
}

static void html_link(struct ltc_buf *b, const char *word, struct lt_str url)
{
	ltc_addf(b, "<p>%s: <a href=\"", word);
	email_html_escape(b, url);
	ltc_addz(b, "\">");
	email_html_escape(b, url);
	ltc_addz(b, "</a></p>\n");
}

/* What a list of mails shows behind the subject, and the mail itself does not. */
static void html_preheader(const struct email_doc *d, struct ltc_buf *b)
{
	if (d->preheader.n == 0)
		return;
	ltc_addz(b, "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">");
	email_html_escape(b, d->preheader);
	ltc_addz(b, "</div>\n");
}

static int render_html(struct email_doc *d)
{
	struct ltc_buf *b = &d->html;
	struct ltc_buf body LTC_CLEANUP_BUF;

	ltc_buf_init(&body, EMAIL_TEXT_MAX);
	for (size_t i = 0; i < d->n_files; i++)
		d->files[i].in_text = false;
	int rc = 0;
	if (d->own.n > 0)
		email_text_paragraphs(&body, d->own);
	else
		rc = email_text_html(&body, d->content->body_markdown, text_picture, d);
	ltc_addz(b, "<!DOCTYPE html>\n<html lang=\"");
	email_html_escape(b, d->lang);
	ltc_addz(b,
		"\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
	email_html_escape(b, d->content->title);
	ltc_addz(b,
		"</title>\n</head>\n<body style=\"margin:0;padding:16px;font-family:Arial,"
		"Helvetica,sans-serif;font-size:16px;line-height:1.5;color:#1a1a1a\">\n");
	html_preheader(d, b);
	ltc_addz(b, "<div style=\"max-width:640px;margin:0 auto\">\n");
	for (size_t i = 0; i < d->n_files; i++)
		if (d->files[i].picture && d->files[i].above)
			html_picture(d, b, i);
	ltc_addz(b, "<h1 style=\"font-size:22px;line-height:1.3\">");
	email_html_escape(b, d->content->title);
	ltc_addz(b, "</h1>\n");
	ltc_adds(b, ltc_buf_str(&body));
	for (size_t i = 0; i < d->n_files; i++)
		if (d->files[i].picture && !d->files[i].above)
			html_picture(d, b, i);
	for (size_t i = 0; i < d->n_files; i++)
		if (!d->files[i].picture && d->files[i].place == EMAIL_LINKED)
			html_picture(d, b, i);
	if (d->content->link.n > 0)
		html_link(b, words_of(d)->full_text, d->content->link);
	ltc_addz(b, "</div>\n</body>\n</html>\n");
	return rc < 0 ? rc : b->failed ? -E2BIG : 0;
}

static void plain_file(struct email_doc *d, size_t i)
{
	struct ltc_buf *b = &d->plain;
	const struct email_file *f = &d->files[i];

	ltc_addf(b, "[%s: ", f->picture ? words_of(d)->picture : words_of(d)->attached);
	ltc_adds(b, label_of(f));
	ltc_addc(b, ']');
	if (f->place == EMAIL_LINKED) {
		ltc_addf(b, "\n%s (", f->name);
		email_size_text(d, b, f->a->bytes);
		ltc_addz(b, "): ");
		url_mark(b, i);
	}
	if (f->a->caption.n > 0) {
		ltc_addc(b, '\n');
		ltc_adds(b, f->a->caption);
	}
	if (f->a->credit.n > 0) {
		ltc_addf(b, "\n%s: ", words_of(d)->credit);
		ltc_adds(b, f->a->credit);
	}
	ltc_addz(b, "\n\n");
}

static int render_plain(struct email_doc *d)
{
	struct ltc_buf *b = &d->plain;

	ltc_adds(b, d->content->title);
	ltc_addz(b, "\n\n");
	int rc = 0;
	if (d->own.n > 0)
		ltc_adds(b, d->own);
	else
		rc = email_text_plain(b, d->content->body_markdown);
	if (b->n > 0 && b->p[b->n - 1] != '\n')
		ltc_addc(b, '\n');
	ltc_addc(b, '\n');
	for (size_t i = 0; i < d->n_files; i++)
		if (d->files[i].picture || d->files[i].place == EMAIL_LINKED)
			plain_file(d, i);
	if (d->content->link.n > 0) {
		ltc_addf(b, "%s: ", words_of(d)->full_text);
		ltc_adds(b, d->content->link);
		ltc_addc(b, '\n');
	}
	return rc < 0 ? rc : b->failed ? -E2BIG : 0;
}

int email_render(struct email_doc *d)
{
	int rc = render_html(d);
	return rc < 0 ? rc : render_plain(d);
}

static void preview_files(const struct email_doc *d, struct ltc_buf *out)
{
	static const char *const places[] = { "in the text", "attached", "as a link" };

	for (size_t i = 0; i < d->n_files; i++) {
		const struct email_file *f = &d->files[i];
		ltc_addf(out, "  %s (%.*s, %llu KiB, %s)\n", f->name, (int)f->a->content_type.n,
			f->a->content_type.p == NULL ? "" : f->a->content_type.p,
			(unsigned long long)(f->a->bytes + 1023) / 1024, places[f->place]);
	}
}

void email_preview(const struct email_doc *d, struct ltc_buf *out, uint64_t bytes)
{
	struct lt_str text = ltc_buf_str(&d->plain);

	ltc_addz(out, "From: ");
	if (d->conf->from_name.n > 0) {
		ltc_adds(out, d->conf->from_name);
		ltc_addz(out, " <");
	}
	ltc_adds(out, d->conf->from);
	ltc_addf(out, "%s\nTo: %s\nSubject: ", d->conf->from_name.n > 0 ? ">" : "",
		d->conf->personal ? "each recipient alone" : "undisclosed recipients");
	ltc_adds(out, d->subject);
	if (d->preheader.n > 0) {
		ltc_addz(out, "\nPreheader: ");
		ltc_adds(out, d->preheader);
	}
	ltc_addf(out, "\nSize: %llu KiB\n\n", (unsigned long long)(bytes + 1023) / 1024);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != EMAIL_MARK)
			ltc_addc(out, text.p[i]);
		else if (i + 2 < text.n) {
			ltc_addz(out, "(link)");
			i += 2;
		}
	if (d->n_files > 0)
		ltc_addf(out, "\n%s:\n", words_of(d)->attached);
	preview_files(d, out);
}
