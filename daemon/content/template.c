/* template.c - finds and fills {{name}}. Pure. A name is office.hotline or local: pieces of letters of any
 * script, digits, - and _, parted by dots. */
#include "content/template.h"

#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"
#include "content/markdown.h"

static bool name_ok(struct str s)
{
	struct str rest = s;
	int32_t cp = 0, last = '.';
	if (s.n == 0 || s.n > TEMPLATE_NAME_MAX)
		return false;
	while (utf8_next(&rest, &cp)) {
		if (cp == '.' && last == '.')
			return false;
		bool ascii = (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
			(cp >= '0' && cp <= '9') || cp == '_' || cp == '-' || cp == '.';
		utf8proc_category_t cat = utf8proc_category(cp);
		if (!ascii && cat != UTF8PROC_CATEGORY_LL && cat != UTF8PROC_CATEGORY_LU &&
			cat != UTF8PROC_CATEGORY_LO)
			return false;
		last = cp;
	}
	return rest.n == 0 && last != '.';
}

struct cursor {
	struct str text;
	size_t at;
	int line; /* of `at`, from first_line */
	const char *file;
};

static int bad(const struct cursor *c, struct err *e, const char *what, struct str s)
{
	const char *file = c->file == NULL ? "" : c->file;
	return err_set(e, -EINVAL, "%s%sline %d: %s '" STR_FMT "'", file,
		file[0] == '\0' ? "" : ": ", c->line, what, STR_ARG(s));
}

/* Is the brace at `at` escaped by an odd number of backslashes? */
static bool escaped(struct str text, size_t at)
{
	size_t n = 0;
	while (n < at && text.p[at - n - 1] == '\\')
		n++;
	return n % 2 == 1;
}

/* Next variable at or after c->at. 1 found, 0 none, -EINVAL bad braces. Leaves c->at at its beginning. */
static int next_var(struct cursor *c, struct template_var *ret, struct err *e)
{
	for (; c->at + 1 < c->text.n; c->at++) {
		const char *p = c->text.p + c->at;
		if (*p == '\n')
			c->line++;
		if (p[0] != '{' || p[1] != '{' || escaped(c->text, c->at))
			continue;
		size_t left = c->text.n - c->at - 2;
		const char *close = memmem(p + 2, left, "}}", 2);
		const char *eol = memchr(p + 2, '\n', left);
		if (close == NULL || (eol != NULL && eol < close)) {
			size_t n = eol == NULL ? left + 2 : (size_t)(eol - p);
			return bad(c, e, "'{{' without '}}' in the same line:",
				(struct str){ p, n > 60 ? 60 : n });
		}
		struct str inside = { p + 2, (size_t)(close - p) - 2 };
		struct str name = str_trim(inside);
		if (!name_ok(name))
			return bad(c, e, "no name of a variable:",
				(struct str){ p, inside.n > 60 ? 60 : inside.n + 4 });
		*ret = (struct template_var){ name, c->line, c->at, inside.n + 4 };
		return 1;
	}
	return 0;
}

int template_vars(struct str text, int first_line, struct template_vars *ret, struct err *e)
{
	struct cursor c = { text, 0, first_line, NULL };
	struct template_var v;
	int r;
	ret->n = 0;
	while ((r = next_var(&c, &v, e)) > 0) {
		if (ret->n == TEMPLATE_VARS_MAX)
			return err_set(e, -E2BIG, "line %d: more than %d variables in one text",
				v.line, TEMPLATE_VARS_MAX);
		ret->v[ret->n++] = v;
		c.at = v.at + v.len;
	}
	return r;
}

bool template_uses(struct str text, const char *name)
{
	struct cursor c = { text, 0, 1, NULL };
	struct template_var v;
	while (next_var(&c, &v, NULL) > 0) {
		if (str_eqz(v.name, name))
			return true;
		c.at = v.at + v.len;
	}
	return false;
}

static int lookup(const struct template_opts *o, struct str name, struct str *ret)
{
	char full[TEMPLATE_NAME_MAX + 24];
	if (o->lang != NULL && o->lang[0] != '\0') {
		int n = snprintf(full, sizeof(full), STR_FMT ".%.20s", STR_ARG(name), o->lang);
		int r = o->lookup(o->ctx, (struct str){ full, (size_t)n }, ret);
		if (r == TEMPLATE_FOUND && ret->n > 0)
			return r;
		char *dash = strrchr(full, '-');
		if (r != TEMPLATE_FOUND && dash != NULL && dash > full + name.n) {
			*dash = '\0';
			r = o->lookup(o->ctx, str_of(full), ret);
			if (r == TEMPLATE_FOUND && ret->n > 0)
				return r;
		}
	}
	return o->lookup(o->ctx, name, ret);
}

static int unknown(const struct template_opts *o, const struct template_var *v, struct err *e)
{
	const char *near = o->known == NULL ? NULL : str_nearest(v->name, o->known, o->n_known);
	const char *file = o->file == NULL ? "" : o->file;
	return err_set(e, -EINVAL, "%s%sline %d: unknown variable {{" STR_FMT "}}%s%s%s", file,
		file[0] == '\0' ? "" : ": ", v->line, STR_ARG(v->name),
		near == NULL ? "" : "; did you mean {{", near == NULL ? "" : near,
		near == NULL ? "" : "}}?");
}

/* Text between variables: \{{ shows {{ ; in Markdown the backslash stays, CommonMark drops it. */
static void add_plain(struct buf *b, struct str s, bool markdown)
{
	while (s.n > 0) {
		const char *p = markdown ? NULL : memmem(s.p, s.n, "\\{{", 3);
		size_t n = p == NULL ? s.n : (size_t)(p - s.p);
		(void)buf_add(b, s.p, n);
		if (p == NULL)
			return;
		(void)buf_addz(b, "{{");
		s.p += n + 3;
		s.n -= n + 3;
	}
}

static int add_value(const struct template_opts *o, const struct template_var *v, struct str value,
	struct buf *b, struct err *e)
{
	bool raw = o->raw_name != NULL && str_eqz(v->name, o->raw_name);
	if (o->markdown && !raw)
		return markdown_escape(b, value);
	if (!raw && memmem(value.p == NULL ? "" : value.p, value.n, "{{", 2) != NULL)
		return err_set(e, -EINVAL, "line %d: the value of {{" STR_FMT "}} holds '{{'",
			v->line, STR_ARG(v->name));
	return buf_add_str(b, value);
}

int template_render(struct str text, const struct template_opts *o, struct buf *ret, struct err *e)
{
	struct cursor c = { text, 0, o->first_line < 1 ? 1 : o->first_line, o->file };
	struct template_var v;
	size_t done = 0;
	int r;
	while ((r = next_var(&c, &v, e)) > 0) {
		struct str value = { "", 0 };
		add_plain(ret, (struct str){ text.p + done, v.at - done }, o->markdown);
		int found = lookup(o, v.name, &value);
		if (found != TEMPLATE_FOUND)
			return unknown(o, &v, e);
		else if (add_value(o, &v, value, ret, e) == -EINVAL)
			return -EINVAL;
		c.at = done = v.at + v.len;
	}
	if (r < 0)
		return r;
	add_plain(ret, (struct str){ text.p + done, text.n - done }, o->markdown);
	if (ret->failed)
		return err_set(e, -E2BIG, "the text is too long: more than %zu bytes", ret->max);
	return 0;
}
