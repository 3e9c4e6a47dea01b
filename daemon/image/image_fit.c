/* image_fit.c - the best rendition within a spec: sizes first, then quality 92 down to 60, then smaller.
 * Deterministic: equal bytes, spec and library give equal bytes. Bounds: ENCODES_MAX encodings of one picture.
 * Owns: pictures until it returns; the result is the caller's. Failures: told by image_open.c's words, or that nothing fits.
 */
#include <math.h>
#include <string.h>
#include "base/assert.h"
#include "image/image.h"

#define ENCODES_MAX 48
#define SIDE_MIN    32
#define PNG_LEVEL   6
#define RATIO_SLACK 0.02
#define SHRINK_EXTRA \
	1.35 /* bytes at a good quality to bytes at the lowest: so that a smaller picture is a clean one */

static const int quality[] = { 92, 88, 84, 80, 76, 72, 68, 64, 60 };
/* Bytes at each, as a part of those at the first; measured over drawings and photographs. */
static const double usual[] = { 1, 0.62, 0.53, 0.47, 0.42, 0.38, 0.35, 0.33, 0.31 };
#define QUALITIES ((int)(sizeof(quality) / sizeof(quality[0])))

struct fit {
	struct image_in *in;
	const struct rendition_spec *spec;
	const struct rendition_kind *kind;
	VipsImage *base; /* sRGB in memory, upright, cut, within the kind's sides */
	int encodes;
	struct err *e;
};
struct geometry {   /* all upright */
	int w, h;   /* the whole picture after scaling */
	int cw, ch; /* the canvas */
	int x, y;   /* of the picture in the canvas; negative: cut off */
};

/* --- geometry -------------------------------------------------------------------------------------------------------------- */
static int at_least_1(double v)
{
	return v < 1 ? 1 : (int)v;
}

static int at_most(int v, uint32_t max)
{
	return v > (int)max ? (int)max : v;
}

/* The canvas of a picture of w x h: cut to the ratio, or widened to it. */
static void canvas(const struct rendition_spec *s, double w, double h, double *cw, double *ch)
{
	double want = s->ratio_w ? (double)s->ratio_w / s->ratio_h : w / h;
	bool wide = w / h > want, grow = s->crop == RENDITION_CROP_FIT;
	*cw = wide == grow ? w : h * want;
	*ch = wide == grow ? w / want : h;
}

static int geometry_of(const struct fit *f, double w, double h, struct geometry *g)
{
	const struct rendition_spec *s = f->spec;
	double cw, ch, want = s->ratio_w ? (double)s->ratio_w / s->ratio_h : w / h;
	if (s->crop == RENDITION_CROP_NONE && fabs(w / h - want) > RATIO_SLACK * want)
		return err_set(f->e, IMAGE_NO_FIT,
			"has %.0f x %.0f pixels, which is not %u:%u, and may not be cut", w, h,
			s->ratio_w, s->ratio_h);
	if (s->crop == RENDITION_CROP_NONE) {
		cw = w;
		ch = h;
	} else {
		canvas(s, w, h, &cw, &ch);
	}
	double scale = fmin(1, fmin(f->kind->width / cw, f->kind->height / ch));
	g->w = at_least_1(w * scale + 1e-6);
	g->h = at_least_1(h * scale + 1e-6);
	g->cw = at_most(at_least_1(rint(cw * scale)), f->kind->width);
	g->ch = at_most(at_least_1(rint(ch * scale)), f->kind->height);
	if (!s->ratio_w || s->crop == RENDITION_CROP_NONE) {
		g->cw = g->w;
		g->ch = g->h;
	} else if (s->crop != RENDITION_CROP_FIT) {
		g->cw = g->cw > g->w ? g->w : g->cw;
		g->ch = g->ch > g->h ? g->h : g->ch;
	}
	g->x = (g->cw - g->w) / 2;
	g->y = s->crop == RENDITION_CROP_TOP ? 0 : (g->ch - g->h) / 2;
	return 0;
}

/* --- pictures -------------------------------------------------------------------------------------------------------------- */
static int replace(VipsImage **im, VipsImage *next)
{
	if (!next)
		return -1;
	g_object_unref(*im);
	*im = next;
	return 0;
}

static int resize_plain(VipsImage **im, int w, int h)
{
	VipsImage *next = NULL;
	double x = (double)w / vips_image_get_width(*im),
	       y = (double)h / vips_image_get_height(*im);
	if (vips_resize(*im, &next, x, "vscale", y, NULL))
		return -1;
	return replace(im, next);
}

/* Colours of what cannot be seen must not bleed into edges: premultiplied while it is scaled. */
static int resize_alpha(VipsImage **im, int w, int h)
{
	VipsImage *next = NULL;
	if (vips_premultiply(*im, &next, NULL) || replace(im, next) || resize_plain(im, w, h))
		return -1;
	next = NULL;
	if (vips_unpremultiply(*im, &next, NULL) || replace(im, next))
		return -1;
	next = NULL;
	return vips_cast(*im, &next, VIPS_FORMAT_UCHAR, NULL) ? -1 : replace(im, next);
}

static int resize(VipsImage **im, int w, int h)
{
	if (vips_image_get_width(*im) == w && vips_image_get_height(*im) == h)
		return 0;
	return vips_image_hasalpha(*im) ? resize_alpha(im, w, h) : resize_plain(im, w, h);
}

static int white_behind(VipsImage **im)
{
	VipsImage *next = NULL;
	VipsArrayDouble *white = vips_array_double_newv(3, 255.0, 255.0, 255.0);
	int rc = 0;
	if (vips_image_hasalpha(*im))
		rc = vips_flatten(*im, &next, "background", white, NULL) ? -1 : replace(im, next);
	vips_area_unref(VIPS_AREA(white));
	return rc;
}

static int into_memory(VipsImage **im)
{
	VipsImage *next = vips_image_copy_memory(*im);
	return replace(im, next);
}

static int upright(VipsImage **im)
{
	VipsImage *next = NULL;
	if (vips_image_get_orientation(*im) <= 1)
		return 0;
	if (vips_autorot(*im, &next, NULL) || replace(im, next))
		return -1;
	return into_memory(im);
}

static int on_canvas(VipsImage **im, const struct geometry *g)
{
	VipsImage *next = NULL;
	if (g->cw == g->w && g->ch == g->h)
		return 0;
	VipsArrayDouble *white = vips_image_hasalpha(*im)
		? vips_array_double_newv(4, 255.0, 255.0, 255.0, 255.0)
		: vips_array_double_newv(3, 255.0, 255.0, 255.0);
	int rc = vips_embed(*im, &next, g->x, g->y, g->cw, g->ch, "extend", VIPS_EXTEND_BACKGROUND,
			 "background", white, NULL)
		? -1
		: replace(im, next);
	vips_area_unref(VIPS_AREA(white));
	return rc ? rc : into_memory(im);
}

/* JPEG and WebP decode at a half, a fourth or an eighth for little; at least twice the wanted size stays for a good filter. */
static int shrink_on_load(const struct fit *f, int from, int to)
{
	enum media_type t = f->in->head.type;
	int shrink = 1;
	while ((t == MEDIA_JPEG || t == MEDIA_WEBP) && shrink < 8 && from / (shrink * 4) >= to)
		shrink *= 2;
	return shrink;
}

static int base_make(struct fit *f)
{
	struct geometry g = { 0 };
	VipsImage *im = NULL;
	int w = (int)f->in->head.width, h = (int)f->in->head.height;
	bool turned = f->in->orientation > 4; /* lies on its side */
	int rc = geometry_of(f, turned ? h : w, turned ? w : h, &g);
	if (!rc)
		rc = image_load(f->in, shrink_on_load(f, w, turned ? g.h : g.w), &im, f->e);
	if (!rc)
		rc = image_colour(im, &im, f->e);
	if (rc)
		return rc;
	if ((f->kind->format == RENDITION_JPEG && white_behind(&im)) ||
		resize(&im, turned ? g.h : g.w, turned ? g.w : g.h) || into_memory(&im) ||
		upright(&im) || on_canvas(&im, &g))
		rc = image_vips_error(IMAGE_BROKEN, "is broken or cut off", f->e);
	if (rc)
		g_object_unref(im);
	else
		f->base = im;
	return rc;
}

/* --- encoding -------------------------------------------------------------------------------------------------------------- */
static int encode(struct fit *f, VipsImage *im, int q, struct image_out *ret)
{
	struct image_out out = { .width = vips_image_get_width(im),
		.height = vips_image_get_height(im),
		.quality = f->kind->format == RENDITION_PNG ? 0 : q,
		.format = f->kind->format };
	int rc = f->kind->format == RENDITION_PNG
		? vips_pngsave_buffer(im, &out.p, &out.n, "compression", PNG_LEVEL, "filter",
			  VIPS_FOREIGN_PNG_FILTER_ALL, "strip", TRUE, NULL)
		: vips_jpegsave_buffer(
			  im, &out.p, &out.n, "Q", q, "strip", TRUE, "optimize_coding", TRUE, NULL);
	f->encodes++;
	if (rc)
		return image_vips_error(IMAGE_TROUBLE, "cannot be encoded", f->e);
	*ret = out;
	return 0;
}

static void out_drop(struct image_out *o)
{
	g_free(o->p);
	*o = (struct image_out){ 0 };
}

/* Tries q; a result that fits takes the place of `best`. 1 fits, 0 does not, else an error below 0. ret_n: its bytes. */
static int probe(struct fit *f, VipsImage *im, int q, struct image_out *best, size_t *ret_n)
{
	struct image_out o = { 0 };
	int rc = encode(f, im, q, &o);
	if (rc)
		return -rc;
	*ret_n = o.n;
	if (o.n > f->kind->bytes) {
		out_drop(&o);
		return 0;
	}
	out_drop(best);
	*best = o;
	return 1;
}

/* Bytes at the best quality, by those of the source. */
static double expected(const struct fit *f, const VipsImage *im)
{
	const struct image_head *h = &f->in->head;
	double part = (double)vips_image_get_width(im) * vips_image_get_height(im) /
		((double)h->width * h->height);
	return (double)f->in->bytes.n * part *
		(h->type == MEDIA_JPEG || h->type == MEDIA_WEBP ? 1 : 0.33);
}

/* Where it will probably fit. Only a beginning, which saves encodings: what counts is tried, up and down from there. */
static int guess(const struct fit *f, double n)
{
	int at = 0;
	if (n < 1.5 * f->kind->bytes)
		return 0;
	while (at < QUALITIES - 1 && n * usual[at] > f->kind->bytes)
		at++;
	return at;
}

/* The best quality that fits; ret_least: bytes at the lowest when none does. 1, 0 or an error below 0. */
static int search(struct fit *f, VipsImage *im, struct image_out *best, size_t *ret_least)
{
	bool png = f->kind->format == RENDITION_PNG;
	int at = png ? 0 : guess(f, expected(f, im)), fits = png ? 1 : QUALITIES, fails = -1;
	size_t n = 0;
	while (fits - fails > 1) {
		int rc = probe(f, im, quality[at], best, &n);
		if (rc < 0)
			return rc;
		bool first = fails < 0 && fits == QUALITIES;
		*(rc ? &fits : &fails) = at;
		*ret_least = n;
		if (first && !rc && at == 0)
			at = guess(f, fmax((double)n, 1.5 * f->kind->bytes));
		else
			at = rc ? at - 1 : at + 1;
	}
	return best->p != NULL;
}

static int smaller(const VipsImage *base, double scale, VipsImage **ret)
{
	VipsImage *im = NULL, *from;
	union {
		const VipsImage *c;
		VipsImage *m;
	} b = { .c = base };
	from = b.m;
	g_object_ref(from);
	im = from;
	if (resize(&im, at_least_1(vips_image_get_width(from) * scale),
		    at_least_1(vips_image_get_height(from) * scale)) ||
		into_memory(&im)) {
		g_object_unref(im);
		return -1;
	}
	*ret = im;
	return 0;
}

static int fit_kind(struct fit *f, bool may_shrink, struct image_out *best)
{
	double scale = 1;
	size_t n = 0;
	int rc = search(f, f->base, best, &n);
	while (rc == 0 && may_shrink && f->encodes < ENCODES_MAX) {
		VipsImage *im = NULL;
		double extra = f->kind->format == RENDITION_PNG ? 1.05 : SHRINK_EXTRA;
		double step = sqrt((double)f->kind->bytes / ((double)n * extra));
		scale *= fmin(0.9, fmax(0.3, step));
		if (vips_image_get_width(f->base) * scale < SIDE_MIN &&
			vips_image_get_height(f->base) * scale < SIDE_MIN)
			break;
		if (smaller(f->base, scale, &im))
			return -image_vips_error(IMAGE_TROUBLE, "cannot be made smaller", f->e);
		rc = search(f, im, best, &n);
		g_object_unref(im);
	}
	return rc;
}

static bool without_loss(const struct fit *f)
{
	return f->in->head.type == MEDIA_PNG || f->in->head.type == MEDIA_GIF;
}

/* What was drawn stays without loss where that fits; a photograph goes to JPEG first. */
static const struct rendition_kind *kind_at(const struct fit *f, size_t i)
{
	const struct rendition_spec *s = f->spec;
	enum rendition_format first = without_loss(f) ? RENDITION_PNG : RENDITION_JPEG;
	size_t at = s->n > 1 && s->kind[0].format != first ? s->n - 1 - i : i;
	return &s->kind[at];
}

/* A PNG of twice the bytes or more, not made smaller: another PNG is not worth its time where JPEG is allowed as well. */
static bool hopeless(const struct fit *f)
{
	const struct image_head *h = &f->in->head;
	return f->kind->format == RENDITION_PNG && h->type == MEDIA_PNG && !f->spec->ratio_w &&
		f->in->bytes.n / 2 > f->kind->bytes && h->width <= f->kind->width &&
		h->height <= f->kind->height;
}

int image_fit(struct image_in *in, const struct rendition_spec *spec, struct image_out *ret,
	struct err *e)
{
	struct fit f = { .in = in, .spec = spec, .e = e };
	struct image_out best = { 0 };
	int rc = image_look(in, e), got = 0;
	for (size_t i = 0; i < spec->n && !rc && !got; i++) {
		f.kind = kind_at(&f, i);
		if (i < spec->n - 1 && hopeless(&f))
			continue;
		rc = base_make(&f);
		if (rc)
			break;
		got = fit_kind(&f, i == spec->n - 1, &best);
		g_object_unref(f.base);
		rc = got < 0 ? -got : 0;
	}
	if (!rc && !got)
		rc = err_set(e, IMAGE_NO_FIT, "cannot be made to fit %u bytes", f.kind->bytes);
	if (rc)
		out_drop(&best);
	else
		*ret = best;
	return rc;
}
