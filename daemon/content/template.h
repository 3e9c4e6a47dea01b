/* template.h - {{office.hotline}}, {{local}}: which variables a text uses, and putting their values in.
 * Pure and thread-safe. Rendering comes before Markdown; values are escaped for it where the text is Markdown, so that a
 * value can never become markup. A backslash before the braces, \{{, shows them as they are.
 */
#ifndef LANTOA_CONTENT_TEMPLATE_H
#define LANTOA_CONTENT_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define TEMPLATE_VARS_MAX 200 /* uses in one text */
#define TEMPLATE_NAME_MAX 80

struct template_var {
	struct str name; /* borrowed from the text: "office.hotline" */
	int line;        /* from 1 within the text */
	size_t at, len;  /* bytes of the whole {{ ... }} */
};
struct template_vars {
	struct template_var v[TEMPLATE_VARS_MAX];
	size_t n;
};
/* 0, or -EINVAL with a text that names the line (first_line is the text's first line in its file), -E2BIG too many. */
int template_vars(
	struct str text, int first_line, struct template_vars *ret, struct err *e) MUST_CHECK;
bool template_uses(struct str text, const char *name);

enum { TEMPLATE_FOUND = 0 };
/* TEMPLATE_FOUND with *ret (borrowed until the next call; empty is fine), or -ENOENT. */
typedef int template_lookup_fn(void *ctx, struct str name, struct str *ret);
struct template_opts {
	template_lookup_fn *lookup;
	void *ctx;
	const char *lang; /* "en": name.en is asked for first, then name; NULL or "" : name only */
	bool markdown; /* values are escaped for Markdown; raw_name is not: it is Markdown itself */
	const char *raw_name;     /* e.g. "local"; may be NULL */
	const char *const *known; /* for "did you mean"; may be NULL */
	size_t n_known;
	const char *file; /* for errors; may be NULL */
	int first_line;   /* for errors */
};
/* Appends the rendered text to ret. -EINVAL unknown variable or bad braces (e names file, line, name, the nearest), -E2BIG. */
int template_render(
	struct str text, const struct template_opts *o, struct buf *ret, struct err *e) MUST_CHECK;

#endif
