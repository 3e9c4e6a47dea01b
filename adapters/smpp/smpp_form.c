/* smpp_form.c - reports whose text has no keys, read by a form that the configuration gives for the route (contract sms.md 1.4: a group of
 * operators sends "status,time,time,error,dest,orig,ref"). A form is literal text with fields in braces; a field takes what stands up to
 * the literal behind it, the last one all that is left. "{}" is a field that nobody needs.
 * Thread: any, pure. Failures: a text that does not fit says so and sets nothing. */
#include <string.h>
#include "smpp.h"

#define NAME_MAX_LEN 8

/* The literal up to the next brace. */
static struct lt_str literal_of(struct lt_str form)
{
	const char *p = form.n > 0 ? memchr(form.p, '{', form.n) : NULL;

	return (struct lt_str){ form.p, p != NULL ? (size_t)(p - form.p) : form.n };
}

/* The field at the beginning; its name goes to *ret. False: there is none, or it is not closed. */
static bool field_next(struct lt_str *form, struct lt_str *ret)
{
	const char *end = form->n > 0 && form->p[0] == '{' ? memchr(form->p, '}', form->n) : NULL;

	if (end == NULL)
		return false;
	*ret = (struct lt_str){ form->p + 1, (size_t)(end - form->p) - 1 };
	*form = ltc_from(*form, (size_t)(end - form->p) + 1);
	return true;
}

static struct lt_str *place_of(
	struct smpp_receipt *r, struct lt_str *done, struct lt_str *none, struct lt_str name)
{
	if (name.n == 0)
		return none;
	if (ltc_eqz(name, "stat"))
		return &r->stat;
	if (ltc_eqz(name, "err"))
		return &r->err;
	if (ltc_eqz(name, "id"))
		return &r->id;
	if (ltc_eqz(name, "done"))
		return done;
	return NULL;
}

bool smpp_form_is_good(struct lt_str form)
{
	struct smpp_receipt r = { 0 };
	struct lt_str none, done, name;
	bool stat = false;

	while (form.n > 0) {
		form = ltc_from(form, literal_of(form).n);
		if (form.n == 0)
			break;
		if (!field_next(&form, &name) || name.n > NAME_MAX_LEN ||
			place_of(&r, &done, &none, name) == NULL)
			return false;
		if (form.n > 0 && form.p[0] == '{')
			return false; /* where would the first one end? */
		stat = stat || ltc_eqz(name, "stat");
	}
	return stat;
}

bool smpp_form_read(
	struct lt_str form, struct lt_str text, struct smpp_receipt *ret, struct lt_str *ret_done)
{
	struct smpp_receipt r = { 0 };
	struct lt_str none = { 0 }, done = { 0 }, name;

	while (form.n > 0) {
		struct lt_str lit = literal_of(form);
		if (text.n < lit.n || (lit.n > 0 && memcmp(text.p, lit.p, lit.n) != 0))
			return false;
		text = ltc_from(text, lit.n);
		form = ltc_from(form, lit.n);
		if (form.n == 0 || !field_next(&form, &name))
			break;
		lit = literal_of(form);
		const char *p = lit.n > 0 ? ltc_find(text, lit, false) : text.p + text.n;
		struct lt_str *dst = place_of(&r, &done, &none, name);
		if (p == NULL || dst == NULL)
			return false;
		*dst = ltc_trim((struct lt_str){ text.p, (size_t)(p - text.p) });
		text = ltc_from(text, (size_t)(p - text.p));
	}
	ret->stat = r.stat;
	ret->err = r.err;
	if (ret->id.n == 0)
		ret->id = r.id;
	*ret_done = done;
	return r.stat.n > 0;
}
