/* doc_text.c - cleans the bytes of an editor's text file, or says where they are wrong. Pure. */
#include "content/doc_text.h"

#include <string.h>

#include "base/utf8.h"
#include "content/markdown.h"

int doc_text_line_at(struct str text, size_t at)
{
	int line = 1;
	for (size_t i = 0; i < at && i < text.n; i++)
		line += text.p[i] == '\n';
	return line;
}

bool doc_text_is_invisible(int32_t cp)
{
	return cp == 0x200b || cp == 0xfeff || cp == 0x00ad || (cp >= 0x202a && cp <= 0x202e) ||
		(cp >= 0x2066 && cp <= 0x2069);
}

bool doc_text_is_control(int32_t cp)
{
	return (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7f && cp < 0xa0);
}

/* Drops the BOM, turns CRLF into LF, refuses other control characters. */
static int copy_plain(struct str raw, const char *file, struct buf *b, struct content_problems *p)
{
	bool invisible = false;
	struct str rest = raw;
	if (rest.n >= 3 && memcmp(rest.p, "\xef\xbb\xbf", 3) == 0) {
		rest.p += 3;
		rest.n -= 3;
	}
	while (rest.n > 0) {
		const char *from = rest.p;
		int32_t cp = 0;
		if (!utf8_next(&rest, &cp))
			return -EILSEQ;
		size_t at = (size_t)(from - raw.p);
		if (cp == '\r' && rest.n > 0 && rest.p[0] == '\n')
			continue;
		if (doc_text_is_control(cp)) {
			problem_add(p, PROBLEM_ERROR, file, doc_text_line_at(raw, at), "",
				"control character U+%04X at byte %zu; delete it", (unsigned)cp,
				at);
			return -EINVAL;
		}
		if (doc_text_is_invisible(cp) && !invisible) {
			invisible = true;
			problem_add(p, PROBLEM_WARNING, file, doc_text_line_at(raw, at), "",
				"invisible character U+%04X; it was pasted along and should be deleted",
				(unsigned)cp);
		}
		(void)buf_add(b, from, (size_t)(rest.p - from));
	}
	return b->failed ? -E2BIG : 0;
}

/* First line that is not NFC. */
static int first_nfd_line(struct str text)
{
	struct str rest = text, line;
	for (int n = 1; str_line(&rest, &line); n++) {
		if (!utf8_is_nfc(line))
			return n;
	}
	return 1;
}

int doc_text_clean(
	struct str raw, const char *file, size_t max, struct buf *ret, struct content_problems *p)
{
	size_t bad = 0;
	struct buf b CLEANUP_BUF;
	buf_init(&b, max);
	if (raw.n > max) {
		problem_add(p, PROBLEM_ERROR, file, 0, "",
			"%zu bytes of text; at most %zu are taken", raw.n, max);
		return -EINVAL;
	}
	if (!utf8_valid(raw, &bad)) {
		problem_add(p, PROBLEM_ERROR, file, doc_text_line_at(raw, bad), "",
			"byte %zu (0x%02X) is not valid UTF-8; save the file as UTF-8 (Unicode)",
			bad, (unsigned)(unsigned char)raw.p[bad]);
		return -EINVAL;
	}
	int r = copy_plain(raw, file, &b, p);
	if (r < 0)
		return r;
	if (utf8_is_nfc(buf_str(&b)))
		return buf_add_str(ret, buf_str(&b));
	problem_add(p, PROBLEM_INFO, file, first_nfd_line(buf_str(&b)), "",
		"letters with separate marks (NFD, as some systems write Vietnamese) were put together (NFC)");
	return utf8_nfc(ret, buf_str(&b));
}

/* --- characters that are written as references ------------------------------------------------------------------------ */

struct reference_look {
	const char *file, *field;
	int line;
	bool control, invisible; /* said once each */
	struct content_problems *p;
};

static void look_at(void *ctx, int line, const char *text)
{
	struct reference_look *l = ctx;
	struct str rest = str_of(text);
	for (int32_t cp = 0; utf8_next(&rest, &cp);) {
		bool control = doc_text_is_control(cp);
		if (control && !l->control)
			problem_add(l->p, PROBLEM_ERROR, l->file, l->line + line - 1, l->field,
				"a reference such as &#%d; makes the control character U+%04X; delete it",
				(int)cp, (unsigned)cp);
		else if (doc_text_is_invisible(cp) && !l->invisible)
			problem_add(l->p, PROBLEM_WARNING, l->file, l->line + line - 1, l->field,
				"a reference such as &#%d; makes the invisible character U+%04X; it should be deleted",
				(int)cp, (unsigned)cp);
		l->control = l->control || control;
		l->invisible = l->invisible || doc_text_is_invisible(cp);
	}
}

void doc_text_references(
	struct str text, const char *file, int line, const char *field, struct content_problems *p)
{
	struct reference_look l = { .file = file, .field = field, .line = line, .p = p };
	struct str rest = text;
	for (int32_t cp = 0; !l.invisible && utf8_next(&rest, &cp);)
		l.invisible = doc_text_is_invisible(cp); /* doc_text_clean has warned of it */
	if (markdown_each_text(text, look_at, &l) < 0)
		problem_add(p, PROBLEM_ERROR, file, line, field, "memory is out");
}

static bool is_fence(struct str line)
{
	while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	return str_eqz(line, "---");
}

int doc_text_split(struct str text, struct doc_split *ret)
{
	struct str rest = text, line;
	if (!str_line(&rest, &line) || !is_fence(line))
		return -ENOENT;
	struct str front = { rest.p, 0 };
	for (int n = 2; rest.n > 0; n++) {
		const char *from = rest.p;
		if (!str_line(&rest, &line))
			break;
		if (is_fence(line)) {
			front.n = (size_t)(from - front.p);
			const char *end = text.p + text.n;
			*ret = (struct doc_split){ front, { rest.n > 0 ? rest.p : end, rest.n }, 2,
				n + 1 };
			return 0;
		}
	}
	return -EINVAL;
}

const char *doc_text_line_fault(struct str s)
{
	struct str rest = s;
	int32_t cp = 0;
	while (utf8_next(&rest, &cp)) {
		if (cp == '\n' || cp == '\r' || cp == 0x85 || cp == 0x2028 || cp == 0x2029)
			return "a line break is not allowed here; write it on one line";
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return "a control character is not allowed here";
	}
	return NULL;
}
