/* make_pictures.c - writes the pictures of test_image into a folder, and a list "name<TAB>good|refused<TAB>width<TAB>height" of
 * what must become of them (upright size; 0 where it does not matter). Real shapes: what people hand in, and what nobody should. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

static const char *dir;
static FILE *list;

static void die(const char *what)
{
	(void)fprintf(stderr, "make_pictures: %s: %s\n", what, vips_error_buffer());
	exit(1);
}

static void expect(const char *name, const char *verdict, int w, int h)
{
	(void)fprintf(list, "%s\t%s\t%d\t%d\n", name, verdict, w, h);
}

static char *path_of(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static void put_bytes(const char *name, const void *p, size_t n, const char *verdict)
{
	char *path = path_of(name);
	FILE *f = fopen(path, "wb");
	if (!f || (n && fwrite(p, 1, n, f) != n) || fclose(f))
		die(path);
	g_free(path);
	expect(name, verdict, 0, 0);
}

static void get_bytes(const char *name, char **p, size_t *n)
{
	char *path = path_of(name);
	if (!g_file_get_contents(path, p, n, NULL))
		die(path);
	g_free(path);
}

/* --- subjects -------------------------------------------------------------------------------------------------------------- */
/* A plain field with rectangles, as an infographic; the upper left corner is red. */
static VipsImage *drawing(int w, int h)
{
	VipsImage *black, *im;
	double field[3] = { 20, 90, 160 };
	unsigned seed = 7;
	if (vips_black(&black, w, h, "bands", 3, NULL) ||
		vips_linear(black, &im, (double[]){ 1, 1, 1 }, field, 3, "uchar", TRUE, NULL))
		die("drawing");
	g_object_unref(black);
	VipsImage *mem = vips_image_copy_memory(im);
	g_object_unref(im);
	for (int i = 0; i < 300; i++) {
		double ink[3];
		for (int k = 0; k < 3; k++)
			ink[k] = (double)((seed = seed * 1103515245u + 12345u) >> 16 & 255);
		int x = (int)((seed = seed * 1103515245u + 12345u) >> 8 & 0xffff) % w;
		int y = (int)((seed = seed * 1103515245u + 12345u) >> 8 & 0xffff) % h;
		if (vips_draw_rect(mem, ink, 3, x, y, w / 12 + 1, h / 25 + 1, "fill", TRUE, NULL))
			die("rect");
	}
	if (vips_draw_rect(mem, (double[]){ 255, 0, 0 }, 3, 0, 0, w / 3 + 1, h / 3 + 1, "fill",
		    TRUE, NULL))
		die("corner");
	if (vips_copy(mem, &im, "interpretation", VIPS_INTERPRETATION_sRGB, NULL))
		die("copy");
	g_object_unref(mem);
	return im;
}

/* Noise over a drawing, as a photograph is hard to pack. */
static VipsImage *photo(int w, int h)
{
	VipsImage *d = drawing(w, h), *n, *n3, *sum, *im;
	if (vips_gaussnoise(&n, w, h, "mean", 0.0, "sigma", 18.0, "seed", 5, NULL) ||
		vips_bandjoin((VipsImage *[]){ n, n, n }, &n3, 3, NULL) ||
		vips_add(d, n3, &sum, NULL) || vips_cast(sum, &im, VIPS_FORMAT_UCHAR, NULL))
		die("photo");
	VipsImage *out;
	if (vips_copy(im, &out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL))
		die("photo");
	g_object_unref(d);
	g_object_unref(n);
	g_object_unref(n3);
	g_object_unref(sum);
	g_object_unref(im);
	return out;
}

static VipsImage *zoomed(VipsImage *in, int by)
{
	VipsImage *im;
	if (vips_zoom(in, &im, by, by, NULL))
		die("zoom");
	g_object_unref(in);
	return im;
}

static VipsImage *grey(VipsImage *in)
{
	VipsImage *im;
	if (vips_colourspace(in, &im, VIPS_INTERPRETATION_B_W, NULL))
		die("grey");
	g_object_unref(in);
	return im;
}

/* Alpha from 0 at the left to 255 at the right; `level` >= 0: the same everywhere. */
static VipsImage *with_alpha(VipsImage *in, int level)
{
	VipsImage *xy, *x, *a, *im;
	double scale = level < 0 ? 256.0 / vips_image_get_width(in) : 0;
	if (vips_xyz(&xy, vips_image_get_width(in), vips_image_get_height(in), NULL) ||
		vips_extract_band(xy, &x, 0, NULL) ||
		vips_linear1(x, &a, scale, level < 0 ? 0.0 : (double)level, "uchar", TRUE, NULL) ||
		vips_bandjoin2(in, a, &im, NULL))
		die("alpha");
	g_object_unref(xy);
	g_object_unref(x);
	g_object_unref(a);
	g_object_unref(in);
	return im;
}

static VipsImage *deep(VipsImage *in)
{
	VipsImage *im, *out;
	bool mono = vips_image_get_bands(in) < 3;
	if (vips_cast(in, &im, VIPS_FORMAT_USHORT, "shift", TRUE, NULL) ||
		vips_copy(im, &out, "interpretation",
			mono ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16, NULL))
		die("deep");
	g_object_unref(in);
	g_object_unref(im);
	return out;
}

static VipsImage *by_profile(VipsImage *in, const char *profile)
{
	VipsImage *im;
	if (vips_icc_transform(in, &im, profile, "input_profile", "srgb", NULL))
		die(profile);
	g_object_unref(in);
	return im;
}

/* --- files ----------------------------------------------------------------------------------------------------------------- */
static void save(
	const char *name, VipsImage *im, const char *options, const char *verdict, int w, int h)
{
	char *path = path_of(name), *whole = g_strconcat(path, options, NULL);
	if (vips_image_write_to_file(im, whole, NULL))
		die(name);
	g_object_unref(im);
	g_free(whole);
	g_free(path);
	expect(name, verdict, w, h);
}

static void cut(const char *name, const char *from, size_t keep_percent, size_t drop)
{
	char *p;
	size_t n;
	get_bytes(from, &p, &n);
	put_bytes(name, p, n * keep_percent / 100 - drop, "refused");
	g_free(p);
}

/* Big-endian size in the header of a PNG. */
static void png_says(const char *name, const char *from, unsigned w, unsigned h)
{
	char *p;
	size_t n;
	get_bytes(from, &p, &n);
	for (int i = 0; i < 4; i++) {
		p[16 + i] = (char)(w >> (24 - 8 * i));
		p[20 + i] = (char)(h >> (24 - 8 * i));
	}
	put_bytes(name, p, n, "refused");
	g_free(p);
}

static void pngs(void)
{
	save("infographic.png", drawing(1620, 2025), "", "good", 1620, 2025);
	save("photo.png", zoomed(photo(600, 400), 3), "[compression=1]", "good", 1800, 1200);
	save("grey.png", grey(drawing(900, 700)), "", "good", 900, 700);
	save("deep-rgb.png", deep(drawing(800, 600)), "", "good", 800, 600);
	save("deep-grey.png", deep(grey(drawing(640, 480))), "", "good", 640, 480);
	save("deep-alpha.png", deep(with_alpha(drawing(500, 400), -1)), "", "good", 500, 400);
	save("palette.png", drawing(500, 600), "[palette]", "good", 500, 600);
	save("palette-alpha.png", with_alpha(drawing(200, 200), -1), "[palette]", "good", 200, 200);
	save("one-bit.png", grey(drawing(700, 900)), "[bitdepth=1]", "good", 700, 900);
	save("alpha.png", with_alpha(drawing(1200, 1200), -1), "", "good", 1200, 1200);
	save("invisible.png", with_alpha(drawing(300, 300), 0), "", "good", 300, 300);
	save("grey-alpha.png", with_alpha(grey(drawing(600, 300)), -1), "", "good", 600, 300);
	save("interlaced.png", photo(900, 1100), "[interlace]", "good", 900, 1100);
	save("pixel.png", drawing(1, 1), "", "good", 1, 1);
	save("icon.png", with_alpha(drawing(16, 16), -1), "", "good", 16, 16);
	save("thread.png", drawing(2, 3000), "", "good", 2, 3000);
	save("wide.png", drawing(20000, 300), "[compression=1]", "good", 20000, 300);
	save("tall.png", drawing(300, 20000), "", "good", 300, 20000);
	save("p3.png", by_profile(drawing(700, 500), "p3"), "", "good", 700, 500);
	cut("half.png", "infographic.png", 50, 0);
	cut("header-only.png", "infographic.png", 0, (size_t)-33);
	png_says("says-60000.png", "grey.png", 60000, 60000);
	png_says("says-108-million.png", "grey.png", 12000, 9000);
	png_says("says-0.png", "grey.png", 0, 700);
	VipsImage *flat;
	if (vips_black(&flat, 29000, 3400, NULL))
		die("bomb");
	save("bomb.png", flat, "[compression=6,filter=none]", "refused", 0, 0);
}

static void jpegs(void)
{
	save("photo.jpg", photo(1200, 900), "[Q=95]", "good", 1200, 900);
	save("progressive.jpg", photo(900, 1200), "[Q=85,interlace]", "good", 900, 1200);
	save("grey.jpg", grey(photo(1000, 800)), "", "good", 1000, 800);
	save("cmyk.jpg", by_profile(photo(900, 600), "cmyk"), "", "good", 900, 600);
	save("cmyk-no-profile.jpg", by_profile(photo(600, 900), "cmyk"), "[strip]", "good", 600,
		900);
	save("p3.jpg", by_profile(photo(800, 800), "p3"), "", "good", 800, 800);
	save("small.jpg", photo(24, 18), "[Q=20]", "good", 24, 18);
	save("camera.jpg", zoomed(photo(1000, 750), 4), "[Q=80]", "good", 4000, 3000);
	for (int o = 1; o <= 8; o++) {
		char name[40];
		VipsImage *im = drawing(400, 200), *own;
		if (vips_copy(im, &own, NULL))
			die("turn");
		vips_image_set_int(own, VIPS_META_ORIENTATION, o);
		vips_image_set_string(own, "exif-ifd2-UserComment", "where it was taken");
		g_object_unref(im);
		(void)snprintf(name, sizeof(name), "turned-%d.jpg", o);
		save(name, own, "[Q=95]", "good", o > 4 ? 200 : 400, o > 4 ? 400 : 200);
	}
	cut("half.jpg", "photo.jpg", 50, 0);
	char *p, *more;
	size_t n;
	get_bytes("grey.jpg", &p, &n);
	more = g_malloc0(n + 5000);
	memcpy(more, p, n);
	put_bytes("tail.jpg", more, n + 5000, "good");
	for (size_t i = 700; i < n; i++)
		p[i] = (char)(i * 2654435761u >> 13);
	put_bytes("rubbish-inside.jpg", p, n, "either");
	g_free(p);
	g_free(more);
}

static VipsImage *frames(int w, int h, int n)
{
	VipsImage *tall = drawing(w, h * n), *im;
	if (vips_copy(tall, &im, NULL))
		die("frames");
	vips_image_set_int(im, VIPS_META_PAGE_HEIGHT, h);
	g_object_unref(tall);
	return im;
}

static void others(void)
{
	save("lossy.webp", photo(700, 500), "[Q=80]", "good", 700, 500);
	save("lossless.webp", drawing(500, 700), "[lossless]", "good", 500, 700);
	save("large.webp", zoomed(drawing(700, 600), 10), "[Q=60,effort=0]", "good", 7000, 6000);
	save("alpha.webp", with_alpha(drawing(500, 500), -1), "[Q=70]", "good", 500, 500);
	save("moving.webp", frames(320, 200, 4), "[lossless]", "good", 320, 200);
	cut("half.webp", "lossy.webp", 50, 0);
	save("still.gif", drawing(500, 300), "", "good", 500, 300);
	save("moving.gif", frames(300, 240, 5), "", "good", 300, 240);
	save("clear.gif", with_alpha(drawing(200, 200), -1), "", "good", 200, 200);
	cut("stump.gif", "still.gif", 0, (size_t)-12);
	save("scan.tif", drawing(300, 300), "", "refused", 0, 0);
}

static void no_pictures(void)
{
	static const char text[] = "Thong tin bao chi: day khong phai la anh.\n";
	static const char html[] = "<!DOCTYPE html><html><body><h1>404</h1></body></html>";
	static const char svg[] =
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"10\"></svg>";
	static const char pdf[] = "%PDF-1.7\n1 0 obj\n<<>>\nendobj\n";
	static const char bmp[] =
		"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0";
	char *zeros = g_malloc0(1 << 20), *noise = g_malloc(65536);
	put_bytes("text.png", text, sizeof(text) - 1, "refused");
	put_bytes("page.jpg", html, sizeof(html) - 1, "refused");
	put_bytes("drawing.svg", svg, sizeof(svg) - 1, "refused");
	put_bytes("paper.jpg", pdf, sizeof(pdf) - 1, "refused");
	put_bytes("paint.png", bmp, sizeof(bmp) - 1, "refused");
	put_bytes("empty.png", "", 0, "refused");
	put_bytes("zeros.jpg", zeros, 1 << 20, "refused");
	for (size_t i = 0; i < 65536; i++)
		noise[i] = (char)(i * 2654435761u >> 11);
	memcpy(noise, "\x89PNG\r\n\x1a\n", 8);
	put_bytes("noise.png", noise, 65536, "refused");
	memcpy(noise, "GIF89a", 6);
	put_bytes("noise.gif", noise, 65536, "either");
	memcpy(noise, "\xff\xd8\xff\xe0", 4);
	put_bytes("noise.jpg", noise, 65536, "refused");
	g_free(zeros);
	g_free(noise);
}

/* "R G B A metadata" of one pixel of a finished rendition: A 255 where it has no alpha; metadata: EXIF, profile or comment fields. */
static int pixel(const char *file, int x, int y)
{
	double *v, rgba[4] = { 0, 0, 0, 255 };
	int n, extra = 0;
	VipsImage *im = vips_image_new_from_file(file, NULL);
	if (!im || vips_getpoint(im, &v, &n, x, y, NULL) || n > 4)
		die(file);
	for (int i = 0; i < n; i++)
		rgba[i] = v[i];
	extra = vips_image_get_typeof(im, VIPS_META_EXIF_NAME) != 0 ||
		vips_image_get_typeof(im, VIPS_META_ICC_NAME) != 0 ||
		vips_image_get_typeof(im, VIPS_META_XMP_NAME) != 0;
	(void)printf("%.0f %.0f %.0f %.0f %d\n", rgba[0], rgba[1], rgba[2], rgba[3], extra);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || VIPS_INIT("make_pictures"))
		return 2;
	if (argc == 4)
		return pixel(
			argv[1], (int)strtol(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
	vips_cache_set_max(0);
	dir = argv[1];
	char *path = path_of("list");
	list = fopen(path, "w");
	if (!list)
		die(path);
	pngs();
	jpegs();
	others();
	no_pictures();
	if (fclose(list))
		die(path);
	g_free(path);
	vips_shutdown();
	return 0;
}
