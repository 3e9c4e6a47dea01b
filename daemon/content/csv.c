/* csv.c - see csv.h. Thread: any. Owns: a read buffer of two records and one decoded record.
 * Happy path: a record without quotes, already in NFC, is split in place and nothing is copied.
 * Failures: a record over 64 KB is skipped to its end of line; a quote that is never closed ends the file.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "content/csv.h"

#define CSV_MAGIC 0x43535631u
#define READ_SIZE (4 * CSV_RECORD_MAX)

struct csv {
	uint32_t magic;
	int fd, line; /* line: of the next byte at `at` */
	char *file;
	char *in; /* READ_SIZE + 1 */
	size_t at, end;
	bool eof, began;
	struct buf text; /* decoded fields, when they cannot be borrowed from `in` */
	struct buf nfc;
	struct str v[CSV_COLUMNS_MAX];
};

struct csv *csv_new(int fd, const char *file)
{
	struct csv *c = x_calloc(1, sizeof(*c));
	*c = (struct csv){ .magic = CSV_MAGIC, .fd = fd, .line = 1, .file = x_strdup(file) };
	c->in = x_calloc(1, READ_SIZE + 1);
	buf_init(&c->text, 2 * CSV_RECORD_MAX);
	buf_init(&c->nfc, 4 * CSV_RECORD_MAX);
	return c;
}

void csv_free(struct csv *c)
{
	if (!c)
		return;
	CHECK_OBJ(c, CSV_MAGIC);
	c->magic = 0;
	buf_done(&c->text);
	buf_done(&c->nfc);
	free(c->file);
	free(c->in);
	free(c);
}

/* Moves what is left to the front and reads more. 0, or a negative code. */
static int fill(struct csv *c, struct err *e)
{
	if (c->at > 0) {
		memmove(c->in, c->in + c->at, c->end - c->at);
		c->end -= c->at;
		c->at = 0;
	}
	while (!c->eof && c->end < READ_SIZE) {
		ssize_t n = read(c->fd, c->in + c->end, READ_SIZE - c->end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -EIO, "%s: cannot be read: %s", c->file, strerror(errno));
		c->eof = n == 0;
		c->end += (size_t)n;
		if (n > 0)
			break;
	}
	if (!c->began && (c->end >= 3 || c->eof)) {
		c->began = true;
		if (c->end >= 3 && !memcmp(c->in, "\xef\xbb\xbf", 3))
			c->at = 3;
	}
	return 0;
}

static int count_lines(const char *p, size_t n)
{
	int lines = 0;
	for (const char *q = p; (q = memchr(q, '\n', n - (size_t)(q - p))) != NULL; q++)
		lines++;
	return lines;
}

/* Behind the closing quote of a field whose text begins at p; NULL: it is not closed before the end. */
static const char *behind_quote(const char *p, const char *end)
{
	while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		if (p + 1 < end && p[1] == '"')
			p += 2;
		else
			return p + 1;
	}
	return NULL;
}

/* Length of the record at `at` with its line end; 0: not whole yet. *ret_open: its last quote is not closed. A quote opens only
 * at the start of a field, so that a stray one spoils no more than its own line. */
static size_t record_len(const struct csv *c, bool *ret_quotes, bool *ret_open)
{
	const char *p = c->in + c->at, *end = c->in + c->end;
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	const char *stop = nl ? nl : end;
	*ret_open = false;
	*ret_quotes = memchr(p, '"', (size_t)(stop - p)) != NULL;
	if (!*ret_quotes)
		return nl ? (size_t)(nl + 1 - p) : c->eof ? (size_t)(end - p) : 0;
	for (const char *q = p; q < end; q++) { /* q: the start of a field */
		if (*q == '"') {
			q = behind_quote(q + 1, end);
			if (!q) {
				*ret_open = true;
				break;
			}
		}
		while (q < end && *q != ',' && *q != '\n')
			q++;
		if (q < end && *q == '\n')
			return (size_t)(q + 1 - p);
	}
	return c->eof ? (size_t)(end - p) : 0;
}

static int bad(const struct csv *c, int line, const char *why, struct err *e)
{
	return err_set(e, -EBADMSG, "%s:%d: %s", c->file, line, why);
}

/* Throws away up to and with the next line end. */
static int skip_line(struct csv *c, struct err *e)
{
	for (;;) {
		const char *nl = memchr(c->in + c->at, '\n', c->end - c->at);
		if (nl) {
			c->at = (size_t)(nl + 1 - c->in);
			c->line++;
			return 0;
		}
		c->at = c->end;
		if (c->eof)
			return 0;
		int rc = fill(c, e);
		if (rc < 0)
			return rc;
	}
}

/* A record that starts with an unclosed quote: with the line it stands in, nothing behind it can be told apart. */
static int unclosed(struct csv *c, struct err *e)
{
	int line = c->line;
	c->at = c->end;
	c->eof = true;
	return bad(c, line, "a quote that is opened here is never closed; reading ends here", e);
}

static int too_long(struct csv *c, bool open, struct err *e)
{
	int line = c->line, rc = skip_line(c, e);
	if (rc < 0)
		return rc;
	return bad(c, line,
		open ? "a quoted field runs over 64 KB; a quote may not be closed"
		     : "the line is over 64 KB; break it up",
		e);
}

/* A quoted field from s on (behind its first quote) into text; *rest behind the closing quote. NULL or what is wrong. */
static const char *quoted(struct csv *c, struct str s, struct str *rest)
{
	while (s.n > 0) {
		const char *q = memchr(s.p, '"', s.n);
		size_t n = q ? (size_t)(q - s.p) : s.n;
		buf_add(&c->text, s.p, n);
		s.p += n;
		s.n -= n;
		if (s.n >= 2 && s.p[1] == '"') {
			buf_addc(&c->text, '"');
			s.p += 2;
			s.n -= 2;
			continue;
		}
		if (s.n == 0)
			break;
		*rest = (struct str){ s.p + 1, s.n - 1 };
		return rest->n && rest->p[0] != ','
			? "text behind a closing quote; double the quotes inside a field"
			: NULL;
	}
	return "a quote is not closed";
}

static const char *split_quoted(struct csv *c, struct str rec, size_t *ret_n)
{
	size_t n = 0;
	buf_reset(&c->text);
	if (buf_reserve(&c->text, rec.n + 1) < 0) /* no field moves while others point into it */
		return "no memory for this line";
	for (;;) {
		if (n == CSV_COLUMNS_MAX)
			return "more than 256 columns";
		struct str rest = { rec.p + rec.n, 0 };
		if (rec.n && rec.p[0] == '"') {
			size_t from = c->text.n;
			const char *why = quoted(c, (struct str){ rec.p + 1, rec.n - 1 }, &rest);
			if (why)
				return why;
			c->v[n++] = (struct str){ c->text.p + from, c->text.n - from };
		} else {
			const char *comma = rec.n ? memchr(rec.p, ',', rec.n) : NULL;
			size_t len = comma ? (size_t)(comma - rec.p) : rec.n;
			if (len && memchr(rec.p, '"', len))
				return "a quote inside a field that has none around it; put the whole field in quotes and double those inside";
			c->v[n++] = (struct str){ rec.p, len };
			rest = (struct str){ rec.p + len, rec.n - len };
		}
		*ret_n = n;
		if (rest.n == 0)
			return NULL;
		rec = (struct str){ rest.p + 1, rest.n - 1 };
	}
}

static const char *split_plain(struct csv *c, struct str rec, size_t *ret_n)
{
	size_t n = 0;
	const char *comma;
	do {
		if (n == CSV_COLUMNS_MAX)
			return "more than 256 columns";
		comma = rec.n ? memchr(rec.p, ',', rec.n) : NULL;
		size_t len = comma ? (size_t)(comma - rec.p) : rec.n;
		c->v[n++] = (struct str){ rec.p, len };
		rec = comma ? (struct str){ comma + 1, rec.n - len - 1 } : (struct str){ rec.p, 0 };
	} while (comma);
	*ret_n = n;
	return NULL;
}

/* Control characters, but for line ends and tabs in a quoted field. *ret_plain: ASCII only. */
static bool has_control(struct str s, bool *ret_plain)
{
	unsigned char all = 0;
	bool found = false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		all |= ch;
		if (ch < 0x20 || ch == 0x7f)
			found |= ch != '\n' && ch != '\t' &&
				!(ch == '\r' && i + 1 < s.n && s.p[i + 1] == '\n');
	}
	*ret_plain = (all & 0x80) == 0;
	return found;
}

static const char *into_nfc(struct csv *c, size_t n)
{
	buf_reset(&c->nfc);
	if (buf_reserve(&c->nfc, 3 * CSV_RECORD_MAX) < 0)
		return "no memory for this line";
	for (size_t i = 0; i < n; i++) {
		size_t from = c->nfc.n;
		if (utf8_nfc(&c->nfc, c->v[i]) < 0)
			return "text that grows over 64 KB in NFC";
		if (c->nfc.n > 3 * CSV_RECORD_MAX)
			return "text that grows over 64 KB in NFC";
		c->v[i] = (struct str){ c->nfc.p + from, c->nfc.n - from };
	}
	return NULL;
}

static int take_record(
	struct csv *c, struct str rec, bool quotes, int line, size_t *ret_n, struct err *e)
{
	bool plain = true;
	size_t bad_at = 0;
	if (has_control(rec, &plain))
		return bad(c, line, "a control character; take it out", e);
	if (!plain && !utf8_valid(rec, &bad_at))
		return err_set(e, -EBADMSG,
			"%s:%d: broken UTF-8 at byte %zu of the line (0x%02x); save the file as UTF-8",
			c->file, line, bad_at + 1, (unsigned)(unsigned char)rec.p[bad_at]);
	const char *why = quotes ? split_quoted(c, rec, ret_n) : split_plain(c, rec, ret_n);
	if (!why && !plain)
		why = into_nfc(c, *ret_n);
	return why ? bad(c, line, why, e) : 1;
}

int csv_next(struct csv *c, const struct str **ret_v, size_t *ret_n, int *ret_line, struct err *e)
{
	CHECK_OBJ(c, CSV_MAGIC);
	for (;;) {
		bool quotes = false, open = false;
		size_t len = c->began && c->end > c->at ? record_len(c, &quotes, &open) : 0;
		if (len == 0 && c->end - c->at > CSV_RECORD_MAX + 1)
			return too_long(c, open, e);
		if (len == 0) {
			if (c->eof && c->began && c->at == c->end)
				return 0;
			int rc = fill(c, e);
			if (rc < 0)
				return rc;
			continue;
		}
		if (open)
			return unclosed(c, e);
		if (len > CSV_RECORD_MAX + 2)
			return too_long(c, quotes, e);
		struct str rec = { c->in + c->at, len };
		int line = c->line;
		c->line += count_lines(rec.p, rec.n);
		c->at += len;
		if (rec.n && rec.p[rec.n - 1] == '\n')
			rec.n--;
		if (rec.n && rec.p[rec.n - 1] == '\r')
			rec.n--;
		if (rec.n == 0)
			continue;
		int rc = take_record(c, rec, quotes, line, ret_n, e);
		*ret_line = line;
		*ret_v = c->v;
		return rc;
	}
}
