/* email_hide.c - the relay's words without the recipients in them: what is recorded of an attempt is never erased again, an address is.
 * Relays like to repeat the address, some of them twice, some without its domain, and in a shared transaction that of anybody in it.
 * Thread: loop. Owns: nothing. Failures: none; where the words grow over the bound their end is lost. */
#include <string.h>
#include "email_session.h"

#define INSTEAD   "(address)"
#define LOCAL_MIN 3 /* a shorter local part says nothing of anybody, and stands in every sentence */

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(unsigned char)c >= 0x80;
}

static bool stands_at(const struct email_reply *r, size_t at, struct lt_str word)
{
	struct lt_str here = { r->text + at, word.n };

	return word.n > 0 && at + word.n <= r->n && ltc_find(here, word, true) != NULL;
}

static bool alone(const struct email_reply *r, size_t at, size_t n)
{
	return (at == 0 || !in_name(r->text[at - 1])) &&
		(at + n == r->n || !in_name(r->text[at + n]));
}

static void put(struct email_reply *to, const char *p, size_t n)
{
	size_t room = EMAIL_REPLY_TEXT_MAX - to->n;

	n = n < room ? n : room;
	memcpy(to->text + to->n, p, n);
	to->n += n;
}

static void swap(struct email_reply *r, struct email_reply *with)
{
	r->n = ltc_utf8_cut((struct lt_str){ with->text, with->n }, with->n).n;
	memcpy(r->text, with->text, r->n);
	r->text[r->n] = '\0';
}

void email_hide(struct email_reply *r, struct lt_str address)
{
	const char *at = address.n == 0 ? NULL : memrchr(address.p, '@', address.n);
	struct lt_str local = { address.p, at == NULL ? 0 : (size_t)(at - address.p) };
	struct email_reply out;
	size_t i = 0;

	out.n = 0;
	while (i < r->n) {
		size_t n = stands_at(r, i, address) ? address.n
			: local.n >= LOCAL_MIN && stands_at(r, i, local) && alone(r, i, local.n)
			? local.n
			: 0;
		if (n > 0)
			put(&out, INSTEAD, sizeof(INSTEAD) - 1);
		else
			put(&out, r->text + i, 1);
		i += n > 0 ? n : 1;
	}
	swap(r, &out);
}

static bool in_address(char c)
{
	return c != '\0' && strchr(" <>()[],;:\"'", c) == NULL;
}

/* Whatever looks like an address. */
static void hide_any(struct email_reply *r)
{
	struct email_reply out;
	size_t i = 0, n;

	out.n = 0;
	while (i < r->n) {
		for (n = 0; i + n < r->n && in_address(r->text[i + n]); n++)
			;
		if (n == 0)
			put(&out, r->text + i, n = 1);
		else if (memchr(r->text + i, '@', n) != NULL)
			put(&out, INSTEAD, sizeof(INSTEAD) - 1);
		else
			put(&out, r->text + i, n);
		i += n;
	}
	swap(r, &out);
}

void email_reply_copy(const struct email_reply *r, struct email_reply *ret)
{
	ret->code = r->code;
	memcpy(ret->sub, r->sub, sizeof(ret->sub));
	ret->n = r->n;
	if (r->n == EMAIL_REPLY_TEXT_MAX) /* its last word may be half an address */
		while (ret->n > 0 && r->text[ret->n - 1] != ' ')
			ret->n--;
	memcpy(ret->text, r->text, ret->n);
	ret->text[ret->n] = '\0';
}

void email_hide_all(const struct email_tx *tx, const struct email_reply *r, struct email_reply *ret)
{
	email_reply_copy(r, ret);
	for (uint16_t i = 0; i < tx->n; i++)
		if (tx->rcpt[i] != NULL)
			email_hide(ret, tx->rcpt[i]->work->address);
	if (tx->n_live < tx->n) /* somebody has left it already, and his address with him */
		hide_any(ret);
}
