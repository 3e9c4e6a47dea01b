/* email_compose.c - what differs for each recipient: To, Date, Message-ID, unsubscribe headers, URLs of linked files.
 * Everything that is the same for all stands in the note of prepare: format, zone, Message-ID domain, List-Id and the address
 * for refusals, then one asset id a line. Called tens of thousands of times a second: no GMime, no settings.
 * Thread: any, pure. Failures: -EINVAL when the target lacks what the hole needs (nothing is added then). */
#include <errno.h>
#include <string.h>
#include "email_prepare.h"
#include "email_address.h"

/* On one line, as folding broke signatures (contract 2.1). */
#define LIST_COLS_MAX 880

struct note {
	int64_t zone_min;
	struct lt_str domain, list_id, refusals, assets;
};

static int note_read(struct lt_str rest, struct note *ret)
{
	struct lt_str line;

	if (!ltc_line(&rest, &line) || !ltc_eqz(line, "1") || !ltc_line(&rest, &line) ||
		ltc_i64(line, -900, 900, &ret->zone_min) < 0 || !ltc_line(&rest, &ret->domain) ||
		!ltc_line(&rest, &line))
		return -EINVAL;
	ret->list_id = ret->refusals = (struct lt_str){ 0 };
	if (ltc_next(&line, ' ', &ret->list_id))
		ret->refusals = line;
	ret->assets = rest;
	return 0;
}

/* Columns in the last line of the buffer. */
static size_t column(const struct ltc_buf *b)
{
	size_t n = 0;

	while (n < b->n && b->p[b->n - 1 - n] != '\n')
		n++;
	return n;
}

static void add_to(struct ltc_buf *b, const struct lt_target *t)
{
	struct lt_str name = t->name;

	if (ltc_has_control(name) || !ltc_utf8_valid(name))
		name.n = 0; /* a name never breaks a mail; the address alone does */
	name = ltc_utf8_cut(ltc_trim(name), 300);
	ltc_addz(b, "To: ");
	if (name.n == 0) {
		ltc_adds(b, t->address);
		ltc_addz(b, "\r\n");
		return;
	}
	email_phrase(b, name, 4);
	/* RFC 2047, 2: no line with an encoded word is longer than 76 columns */
	ltc_addz(b, column(b) + t->address.n + 3 > 76 ? "\r\n <" : " <");
	ltc_adds(b, t->address);
	ltc_addz(b, ">\r\n");
}

static bool url_good(struct lt_str u)
{
	if (u.n < 8 || u.n > 800 || (!ltc_starts(u, "https://") && !ltc_starts(u, "http://")))
		return false;
	for (size_t i = 0; i < u.n; i++)
		if (u.p[i] <= 0x20 || u.p[i] >= 0x7f || strchr("<>\"\\", u.p[i]) != NULL)
			return false;
	return true;
}

/* ", <mailto:NAME+TOKEN@DOMAIN>": the token is the end of the link. RFC 2369; the https form stays first, as RFC 8058 wants it. */
static void add_mailto(struct ltc_buf *b, struct lt_str mailbox, struct lt_str url)
{
	const char *at = memchr(mailbox.p, '@', mailbox.n);
	size_t n = 0;

	while (n < url.n && url.p[url.n - 1 - n] != '/')
		n++;
	if (at == NULL || n == 0 || (size_t)(at - mailbox.p) + 1 + n > 64 ||
		column(b) + mailbox.n + n > LIST_COLS_MAX)
		return;
	struct lt_str token = ltc_from(url, url.n - n);
	for (size_t i = 0; i < token.n; i++)
		if (!((token.p[i] >= 'a' && token.p[i] <= 'z') ||
			    (token.p[i] >= '0' && token.p[i] <= '9')))
			return;
	ltc_addz(b, ", <mailto:");
	ltc_add(b, mailbox.p, (size_t)(at - mailbox.p));
	ltc_addc(b, '+');
	ltc_adds(b, token);
	ltc_add(b, at, mailbox.n - (size_t)(at - mailbox.p));
	ltc_addc(b, '>');
}

static int add_list(struct ltc_buf *b, const struct note *n, const struct lt_target *t)
{
	struct lt_str url = ltc_pair(t->vars, t->n_vars, "unsubscribe.url");

	if (url.n == 0)
		return 0;
	if (!url_good(url))
		return -EINVAL;
	ltc_addz(b, "List-Unsubscribe: <");
	ltc_adds(b, url);
	ltc_addc(b, '>');
	if (n->refusals.n > 0)
		add_mailto(b, n->refusals, url);
	ltc_addz(b, "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
	if (n->list_id.n > 0) {
		ltc_addz(b, "List-Id: <");
		ltc_adds(b, n->list_id);
		ltc_addz(b, ">\r\n");
	}
	return 0;
}

static bool ref_good(struct lt_str ref)
{
	if (ref.n == 0 || ref.n > 64)
		return false;
	for (size_t i = 0; i < ref.n; i++) {
		char c = ref.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

static int fill_headers(struct ltc_buf *b, const struct note *n, const struct lt_target *t)
{
	char date[40];

	if (t->address.n == 0 || t->address.n > EMAIL_ADDR_MAX || ltc_has_control(t->address) ||
		!ref_good(t->ref))
		return -EINVAL;
	ltc_date_rfc5322(date, sizeof(date), t->at_ms, (int)n->zone_min);
	ltc_addz(b, "Date: ");
	ltc_addz(b, date);
	ltc_addz(b, "\r\n");
	add_to(b, t);
	ltc_addz(b, "Message-ID: <");
	ltc_adds(b, t->ref);
	ltc_addc(b, '@');
	ltc_adds(b, n->domain);
	ltc_addz(b, ">\r\n");
	return add_list(b, n, t);
}

/* Quoted-printable in lines of at most 72 columns between soft breaks; a dot never opens a line. */
static int fill_url(
	struct ltc_buf *b, const struct note *n, const struct lt_target *t, uint32_t index)
{
	struct lt_str rest = n->assets, id;
	char name[128];
	size_t col = 0;

	do {
		if (!ltc_line(&rest, &id))
			return -EINVAL;
	} while (index-- > 0);
	if (id.n > 100)
		return -EINVAL;
	memcpy(name, "asset.url.", 10);
	memcpy(name + 10, id.p, id.n);
	name[10 + id.n] = '\0';
	struct lt_str url = ltc_pair(t->vars, t->n_vars, name);
	if (!url_good(url))
		return -EINVAL;
	for (size_t i = 0; i < url.n; i++) {
		char c = url.p[i];
		bool plain = c != '=' && !(col == 0 && c == '.');
		if (plain)
			ltc_addc(b, c);
		else
			ltc_addf(b, "=%02X", (unsigned char)c);
		col += plain ? 1 : 3;
		if (col >= 70 && i + 1 < url.n) {
			ltc_addz(b, "=\r\n");
			col = 0;
		}
	}
	return 0;
}

int email_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink)
{
	struct ltc_buf b LTC_CLEANUP_BUF;
	struct note n;

	(void)c;
	ltc_buf_init(&b, 8192);
	if (note_read(note, &n) < 0)
		return -EINVAL;
	int rc = hole == EMAIL_HOLE_HEADERS ? fill_headers(&b, &n, t)
		: hole >= EMAIL_HOLE_URL    ? fill_url(&b, &n, t, hole - EMAIL_HOLE_URL)
					    : -EINVAL;
	if (rc < 0)
		return rc;
	if (b.failed)
		return -E2BIG;
	struct lt_src src = { .bytes = ltc_buf_str(&b) };
	return sink->add(sink->ctx, &src);
}
