/* rendition_spec.c - reads the text by which a rendition is asked for. Pure. Failures name what is wrong and what would be right. */
#include <string.h>
#include "content/rendition_spec.h"

#define RATIO_MAX 1000

const char *rendition_format_name(enum rendition_format f)
{
	return f == RENDITION_PNG ? "png" : "jpeg";
}

static int number(struct str s, uint32_t max, uint32_t *ret)
{
	int64_t v = 0;
	int rc = str_i64(s, 1, max, &v);
	if (rc == 0)
		*ret = (uint32_t)v;
	return rc;
}

/* "WxH" or "N": a square of N. */
static int box(struct str s, struct rendition_kind *k)
{
	struct str rest = s, w, h;
	if (!str_next(&rest, 'x', &w) || number(w, RENDITION_SIDE_MAX, &k->width))
		return -EINVAL;
	if (w.n == s.n) {
		k->height = k->width;
		return 0;
	}
	h = (struct str){ s.p + w.n + 1, s.n - w.n - 1 };
	return number(h, RENDITION_SIDE_MAX, &k->height);
}

static int limit(struct str s, struct rendition_kind *k, struct err *e)
{
	if (str_ends(s, "px") && !k->width && !box((struct str){ s.p, s.n - 2 }, k))
		return 0;
	if (str_ends(s, "B") && !k->bytes &&
		!number((struct str){ s.p, s.n - 1 }, RENDITION_BYTES_MAX, &k->bytes))
		return 0;
	return err_set(e, -EINVAL,
		"'" STR_FMT
		"' is no limit: <=BYTESB (at most %u) or <=WIDTHxHEIGHTpx (at most %u), each once",
		STR_ARG(s), RENDITION_BYTES_MAX, RENDITION_SIDE_MAX);
}

static int kind_parse(struct str s, struct rendition_spec *r, struct err *e)
{
	struct rendition_kind k = { 0 };
	size_t at = 0;
	while (at < s.n && s.p[at] != '<')
		at++;
	struct str name = { s.p, at };
	k.format = str_eqz(name, "png") ? RENDITION_PNG : RENDITION_JPEG;
	if (k.format == RENDITION_JPEG && !str_eqz(name, "jpeg"))
		return err_set(e, -EINVAL,
			"'" STR_FMT "' is no format that can be made: jpeg or png", STR_ARG(name));
	for (size_t i = 0; i < r->n; i++)
		if (r->kind[i].format == k.format)
			return err_set(e, -EINVAL, "'" STR_FMT "' is named twice", STR_ARG(name));
	while (at < s.n) {
		if (s.n - at < 3 || s.p[at] != '<' || s.p[at + 1] != '=')
			return err_set(e, -EINVAL, "a limit begins with <=");
		size_t from = at += 2;
		while (at < s.n && s.p[at] != '<')
			at++;
		int rc = limit((struct str){ s.p + from, at - from }, &k, e);
		if (rc)
			return rc;
	}
	r->kind[r->n++] = k;
	return 0;
}

static int ratio_parse(struct str s, struct rendition_spec *r, struct err *e)
{
	struct str rest = s, w, h;
	if (r->ratio_w || str_ends(s, ":") || !str_next(&rest, ':', &w) ||
		!str_next(&rest, ':', &h) || rest.n || number(w, RATIO_MAX, &r->ratio_w) ||
		number(h, RATIO_MAX, &r->ratio_h))
		return err_set(e, -EINVAL,
			"'ratio=" STR_FMT "' is no ratio such as 16:9, named once", STR_ARG(s));
	return 0;
}

static int option_parse(struct str s, struct rendition_spec *r, bool *crop, struct err *e)
{
	static const char *const crops[] = { "centre", "top", "fit", "none" };
	if (str_starts(s, "ratio="))
		return ratio_parse((struct str){ s.p + 6, s.n - 6 }, r, e);
	for (size_t i = 0; str_starts(s, "crop=") && !*crop && i < 4; i++)
		if (str_eqz((struct str){ s.p + 5, s.n - 5 }, crops[i])) {
			r->crop = (enum rendition_crop)i;
			*crop = true;
			return 0;
		}
	return err_set(e, -EINVAL,
		"'" STR_FMT "' is no option: ratio=W:H, crop=centre|top|fit|none, each once",
		STR_ARG(s));
}

static void inherit(struct rendition_spec *r)
{
	const struct rendition_kind *last = &r->kind[r->n - 1];
	for (size_t i = 0; i < r->n; i++) {
		struct rendition_kind *k = &r->kind[i];
		k->bytes = k->bytes ? k->bytes : last->bytes ? last->bytes : RENDITION_BYTES_MAX;
		k->height = k->width ? k->height : last->height ? last->height : RENDITION_SIDE_MAX;
		k->width = k->width ? k->width : last->width ? last->width : RENDITION_SIDE_MAX;
	}
}

int rendition_spec_parse(struct str text, struct rendition_spec *ret, struct err *e)
{
	struct rendition_spec r = { 0 };
	struct str rest = text, word, one;
	bool crop = false;
	int rc = 0;
	if (!text.p || text.n > RENDITION_SPEC_MAX || str_has_control(text) ||
		str_ends(text, " ") || !str_next(&rest, ' ', &word) || !word.n)
		return err_set(e, -EINVAL,
			"a rendition is asked for as jpeg<=1000000B<=1600x1600px, in at most %d bytes",
			RENDITION_SPEC_MAX);
	if (str_ends(word, "|"))
		rc = err_set(e, -EINVAL, "behind the last '|' stands no format");
	while (rc == 0 && str_next(&word, '|', &one))
		rc = kind_parse(one, &r, e);
	while (rc == 0 && str_next(&rest, ' ', &word))
		rc = option_parse(word, &r, &crop, e);
	if (rc == 0 && crop && !r.ratio_w)
		rc = err_set(e, -EINVAL, "crop= needs a ratio=W:H");
	if (rc)
		return rc;
	inherit(&r);
	*ret = r;
	return 0;
}
