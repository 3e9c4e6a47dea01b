/* Replies of a relay, in any pieces: cut after each byte they read the same as whole. */
#include <string.h>
#include "../fuzz.h"
#include "email/email_session.h"

/* Whoever is in the words: taken out of them, and never more than there is room for. */
static void hide(const struct email_reply *r)
{
	static const struct lt_str known = { "a.bc@x.vn", 9 };
	const char *at = memchr(r->text, '@', r->n);
	struct lt_str found = { r->text, at != NULL ? (size_t)(at - r->text) + 1 : 0 };
	struct email_reply said;

	email_reply_copy(r, &said);
	email_hide(&said, known);
	MUST(ltc_find((struct lt_str){ said.text, said.n }, known, true) == NULL);
	email_hide(&said, ltc_from(found, found.n > 5 ? found.n - 5 : 0));
	email_hide(&said, (struct lt_str){ 0 });
	MUST(said.n <= EMAIL_REPLY_TEXT_MAX && strlen(said.text) == said.n);
}

static int take(const uint8_t *p, size_t n, size_t piece, int *codes, size_t max, size_t *ret_n)
{
	struct email_parser parser = { 0 };
	size_t at = 0, k = 0;

	while (at < n) {
		size_t m = n - at < piece ? n - at : piece;
		struct lt_str data = { (const char *)p + at, m };
		at += m;
		for (;;) {
			int rc = email_parse(&parser, &data);
			if (rc < 0)
				return rc;
			if (rc == 0)
				break;
			MUST(strlen(parser.cur.text) <= EMAIL_REPLY_TEXT_MAX);
			(void)email_queue_id(&parser.cur);
			hide(&parser.cur);
			if (k < max)
				codes[k] = parser.cur.code;
			k++;
		}
	}
	*ret_n = k;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int a[64], b[64];
	size_t na = 0, nb = 0;
	struct email_caps caps;

	int ra = take(p, n, n ? n : 1, a, 64, &na), rb = take(p, n, 1, b, 64, &nb);
	MUST(ra == rb && (ra < 0 || na == nb));
	for (size_t i = 0; ra == 0 && i < na && i < 64; i++)
		MUST(a[i] == b[i]);
	email_caps_read((struct lt_str){ (const char *)p, n }, &caps);
	return 0;
}
