/* email_mime.c - the MIME tree, through GMime: mixed { alternative { plain, related { html, pictures } }, attachments }, levels with
 * one child dropped. Pictures and attachments are not read here: a token stands where their base64 goes, and where compose
 * fills in headers and URLs. GMime encodes headers, parameters and text.
 * Thread: any, pure. Owns: its GMime objects until it returns. Failures: -EINVAL, -ENOMEM, -E2BIG. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <gmime/gmime.h>
#include "email_mime.h"

void email_mime_token(const struct email_doc *d, char kind, size_t index, char dst[static 48])
{
	(void)snprintf(dst, 48, "@@%s%c%02u@@", d->id, kind, (unsigned)index % 100);
}

static void init_gmime(void)
{
	g_mime_init();
}

/* Quoted-printable; a mark becomes its token on a line of its own between soft breaks. */
static void encode_text(const struct email_doc *d, struct ltc_buf *out, struct lt_str text)
{
	char token[48];

	while (text.n > 0) {
		const char *m = memchr(text.p, EMAIL_MARK, text.n);
		size_t n = m == NULL ? text.n : (size_t)(m - text.p);
		if (n > 0)
			email_qp(out, (struct lt_str){ text.p, n });
		text = ltc_from(text, n);
		if (m == NULL || text.n < 3)
			break;
		email_mime_token(d, 'U', (size_t)(text.p[1] - 'A'), token);
		ltc_addz(out, token);
		ltc_addz(out, "=\r\n");
		text = ltc_from(text, 3);
	}
}

static void set_content(GMimePart *part, struct lt_str encoded, GMimeContentEncoding enc)
{
	GMimeStream *s = g_mime_stream_mem_new_with_buffer(encoded.p, encoded.n);
	GMimeDataWrapper *w = g_mime_data_wrapper_new_with_stream(s, enc);

	g_mime_part_set_content(part, w);
	g_mime_part_set_content_encoding(part, enc);
	g_object_unref(w);
	g_object_unref(s);
}

static GMimeObject *text_part(const struct email_doc *d, const char *subtype, struct lt_str text)
{
	struct ltc_buf qp LTC_CLEANUP_BUF;
	GMimePart *part = g_mime_part_new_with_type("text", subtype);

	ltc_buf_init(&qp, 4 * EMAIL_TEXT_MAX);
	encode_text(d, &qp, text);
	g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
	set_content(part, ltc_buf_str(&qp), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	if (qp.failed) {
		g_object_unref(part);
		return NULL;
	}
	return GMIME_OBJECT(part);
}

/* "image/png" in two; anything odd becomes application/octet-stream. */
static void split_type(struct lt_str type, char *major, char *minor, size_t size)
{
	const char *slash = type.n == 0 ? NULL : memchr(type.p, '/', type.n);
	size_t n = slash == NULL ? 0 : (size_t)(slash - type.p);
	bool good = n > 0 && n < size && type.n - n - 1 > 0 && type.n - n - 1 < size;

	for (size_t i = 0; good && i < type.n; i++) {
		char c = type.p[i];
		good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("/.+-", c) != NULL;
	}
	if (!good) {
		(void)snprintf(major, size, "application");
		(void)snprintf(minor, size, "octet-stream");
		return;
	}
	(void)snprintf(major, size, "%.*s", (int)n, type.p);
	(void)snprintf(minor, size, "%.*s", (int)(type.n - n - 1), slash + 1);
}

/* The name of the parameter that becomes the ASCII `filename` beside the extended one; as long as that word. */
static void fallback_param(const struct email_doc *d, char dst[static 9])
{
	(void)snprintf(dst, 9, "x%.7s", d->id);
}

static GMimeObject *file_part(const struct email_doc *d, size_t i)
{
	const struct email_file *f = &d->files[i];
	char major[64], minor[80], token[48], param[9];

	split_type(f->a->content_type, major, minor, sizeof(major));
	GMimePart *part = g_mime_part_new_with_type(major, minor);
	GMimeObject *o = GMIME_OBJECT(part);
	/* a bundle takes texts in UTF-8 only */
	if (strcmp(major, "text") == 0)
		g_mime_object_set_content_type_parameter(o, "charset", "utf-8");
	email_mime_token(d, 'A', i, token);
	set_content(part, ltc_z(token), GMIME_CONTENT_ENCODING_BASE64);
	GMimeContentDisposition *disp = g_mime_content_disposition_new();
	g_mime_content_disposition_set_disposition(
		disp, f->place == EMAIL_INLINE && !f->asked ? "inline" : "attachment");
	/* the extended form first: readers that keep the first of two get the true name */
	g_mime_content_disposition_set_parameter(disp, "filename", f->name);
	if (strcmp(f->name, f->ascii) != 0) {
		fallback_param(d, param);
		g_mime_content_disposition_set_parameter(disp, param, f->ascii);
	}
	g_mime_object_set_content_disposition(o, disp);
	g_object_unref(disp);
	if (f->place == EMAIL_INLINE)
		g_mime_object_set_content_id(o, f->cid);
	return o;
}

/* As short as the contract allows, so that its parameter fits into a line. */
#define BOUNDARY_ID 24
static void boundary_name(const struct email_doc *d, int no, char dst[static 48])
{
	(void)snprintf(dst, 48, "lt%d%.*s", no, BOUNDARY_ID, d->id);
}

static GMimeMultipart *multipart(const struct email_doc *d, const char *subtype, int no)
{
	GMimeMultipart *m = g_mime_multipart_new_with_subtype(subtype);
	char boundary[48];

	boundary_name(d, no, boundary);
	g_mime_multipart_set_boundary(m, boundary);
	return m;
}

/* Puts `first` and the files of one place into a multipart; without such files it is `first` alone. */
static GMimeObject *with_files(const struct email_doc *d, GMimeObject *first,
	enum email_place place, const char *subtype, int no)
{
	GMimeMultipart *m = NULL;

	for (size_t i = 0; i < d->n_files; i++) {
		if (d->files[i].place != place)
			continue;
		if (m == NULL) {
			m = multipart(d, subtype, no);
			g_mime_multipart_add(m, first);
			g_object_unref(first);
		}
		GMimeObject *part = file_part(d, i);
		g_mime_multipart_add(m, part);
		g_object_unref(part);
	}
	return m == NULL ? first : GMIME_OBJECT(m);
}

static GMimeObject *body_tree(const struct email_doc *d)
{
	GMimeObject *plain = text_part(d, "plain", ltc_buf_str(&d->plain));
	GMimeObject *html = text_part(d, "html", ltc_buf_str(&d->html));

	if (plain == NULL || html == NULL) {
		g_clear_object(&plain);
		g_clear_object(&html);
		return NULL;
	}
	GMimeObject *rel = with_files(d, html, EMAIL_INLINE, "related", 3);
	if (rel != html)
		g_mime_object_set_content_type_parameter(rel, "type", "text/html");
	GMimeMultipart *alt = multipart(d, "alternative", 2);
	g_mime_multipart_add(alt, plain);
	g_mime_multipart_add(alt, rel);
	g_object_unref(plain);
	g_object_unref(rel);
	return with_files(d, GMIME_OBJECT(alt), EMAIL_ATTACHED, "mixed", 1);
}

static void add_header(GMimeMessage *m, const char *name, struct lt_str value)
{
	char *z = g_strndup(value.p == NULL ? "" : value.p, value.n);

	g_mime_object_append_header(GMIME_OBJECT(m), name, z, "utf-8");
	g_free(z);
}

static void shared_headers(const struct email_doc *d, GMimeMessage *m)
{
	char id[400];

	(void)snprintf(id, sizeof(id), "<%s@%.*s>", d->id, (int)d->conf->message_id_domain.n,
		d->conf->message_id_domain.p);
	g_mime_object_append_header(GMIME_OBJECT(m), "Message-ID", id, "utf-8");
}

static void headers(const struct email_doc *d, GMimeMessage *m)
{
	char *name = g_strndup(
		d->conf->from_name.p == NULL ? "" : d->conf->from_name.p, d->conf->from_name.n);
	char *from = g_strndup(d->conf->from.p, d->conf->from.n);
	char *subject = g_strndup(d->subject.p, d->subject.n);
	char token[48];

	g_mime_message_add_mailbox(m, GMIME_ADDRESS_TYPE_FROM, name[0] == '\0' ? NULL : name, from);
	email_mime_token(d, 'H', 0, token);
	add_header(m, "X-Lantoa-Place", ltc_z(token));
	g_mime_message_set_subject(m, subject, "utf-8");
	if (d->conf->reply_to.n > 0) {
		char *reply = g_strndup(d->conf->reply_to.p, d->conf->reply_to.n);
		g_mime_message_add_mailbox(m, GMIME_ADDRESS_TYPE_REPLY_TO, NULL, reply);
		g_free(reply);
	}
	if (!d->conf->personal)
		shared_headers(d, m);
	add_header(m, "Auto-Submitted", LTC_LIT("auto-generated"));
	add_header(m, "X-Auto-Response-Suppress", LTC_LIT("All"));
	if (d->content->code.n > 0)
		add_header(m, "X-Lantoa-Release", d->content->code);
	if (d->lang.n > 0)
		add_header(m, "Content-Language", d->lang);
	g_free(name);
	g_free(from);
	g_free(subject);
}

/* x1234567= becomes filename=, so that both forms of a name stand in one header. */
static void fix_file_names(const struct email_doc *d, struct ltc_buf *b)
{
	char param[9], with_eq[10];

	fallback_param(d, param);
	(void)snprintf(with_eq, sizeof(with_eq), "%s=", param);
	struct lt_str rest = ltc_buf_str(b);
	const char *hit;
	while ((hit = ltc_find(rest, ltc_z(with_eq), false)) != NULL) {
		size_t at = (size_t)(hit - b->p);
		memcpy(b->p + at, "filename", 8);
		rest = ltc_from(ltc_buf_str(b), at + 9);
	}
}

/* GMime quotes a boundary only where it must; some readers want the quotes (contract 2.2). */
static void quote_boundaries(const struct email_doc *d, struct lt_str in, struct ltc_buf *out)
{
	static const char name[] = "boundary=";
	char boundary[48];
	const char *hit;

	while ((hit = ltc_find(in, LTC_LIT("boundary=lt"), false)) != NULL) {
		struct lt_str value = ltc_from(in, (size_t)(hit - in.p) + sizeof(name) - 1);
		ltc_add(out, in.p, (size_t)(value.p - in.p));
		in = value;
		boundary_name(d, value.n > 2 ? value.p[2] - '0' : 0, boundary);
		if (!ltc_starts(value, boundary))
			continue; /* a text that only looks so */
		ltc_addf(out, "\"%s\"", boundary);
		in = ltc_from(value, strlen(boundary));
	}
	ltc_adds(out, in);
}

static void write_out(GMimeMessage *m, struct ltc_buf *ret)
{
	GMimeFormatOptions *fo = g_mime_format_options_new();
	GMimeStream *mem = g_mime_stream_mem_new();

	g_mime_format_options_set_newline_format(fo, GMIME_NEWLINE_FORMAT_DOS);
	g_mime_format_options_set_param_encoding_method(fo, GMIME_PARAM_ENCODING_METHOD_RFC2231);
	(void)g_mime_object_write_to_stream(GMIME_OBJECT(m), fo, mem);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
	ltc_add(ret, bytes->data, bytes->len);
	g_object_unref(mem);
	g_mime_format_options_free(fo);
}

int email_mime_build(const struct email_doc *d, struct ltc_buf *ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, init_gmime);
	GMimeObject *body = body_tree(d);
	if (body == NULL)
		return -E2BIG;
	GMimeMessage *m = g_mime_message_new(FALSE);
	headers(d, m);
	g_mime_message_set_mime_part(m, body);
	g_object_unref(body);
	struct ltc_buf raw LTC_CLEANUP_BUF;
	ltc_buf_init(&raw, EMAIL_TEXT_MAX);
	write_out(m, &raw);
	g_object_unref(m);
	quote_boundaries(d, ltc_buf_str(&raw), ret);
	fix_file_names(d, ret);
	return ret->failed || raw.failed ? -E2BIG : 0;
}
