/* image_main.c - lantoa-image SPEC [memory=BYTES] [cpu=SECONDS]: a picture on standard input, its rendition on standard output.
 * Standard error gets one line: "ok type=jpeg width=W height=H bytes=N quality=Q from=png frames=F version=V", or "no TEXT".
 * lantoa-image version prints the version that a rendition depends on. Exit codes: image.h.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/assert.h"
#include "image/image.h"
#include "image/image_jail.h"

#define READ_STEP (1u << 20)

static void version_text(char *dst, size_t size)
{
	(void)snprintf(dst, size, "%s-vips-%d.%d.%d", IMAGE_HELPER_VERSION, vips_version(0),
		vips_version(1), vips_version(2));
}

static int say_no(int code, const struct err *e)
{
	(void)fprintf(stderr, "no %s\n", e->text);
	return code;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* All of standard input; sized at once where it is a file. */
static int read_all(char **ret, size_t *ret_n, struct err *e)
{
	struct stat st;
	size_t cap = READ_STEP, n = 0;
	if (fstat(0, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		cap = (size_t)st.st_size + 1;
	char *p = cap <= (size_t)IMAGE_IN_MAX + 1 ? malloc(cap) : NULL;
	for (;;) {
		if (n == cap && cap <= IMAGE_IN_MAX) {
			char *grown = realloc(p, cap *= 2);
			if (!grown)
				free(p);
			p = grown;
		}
		if (!p || n > IMAGE_IN_MAX)
			break;
		ssize_t got = read(0, p + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(p);
			return err_set(e, IMAGE_TROUBLE, "cannot be read: %s", strerror(errno));
		}
		if (got == 0) {
			*ret = p;
			*ret_n = n;
			return 0;
		}
		n += (size_t)got;
	}
	free(p);
	return err_set(e, IMAGE_TOO_LARGE, "is larger than %u MB", IMAGE_IN_MAX >> 20);
}

/* The library's warnings concern nobody, and its own way to write them asks where they go with calls that the jail forbids. */
static GLogWriterOutput no_log(
	GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer ctx)
{
	UNUSED(level);
	UNUSED(fields);
	UNUSED(n_fields);
	UNUSED(ctx);
	return G_LOG_WRITER_HANDLED;
}

/* Four loaders and two savers, from memory only; no module, no cache, no code made at run time, one thread of work. */
static int library_init(void)
{
	static const char *const open_ones[] = { "VipsForeignLoadPngBuffer",
		"VipsForeignLoadJpegBuffer", "VipsForeignLoadWebpBuffer",
		"VipsForeignLoadNsgifBuffer", "VipsForeignSavePngBuffer",
		"VipsForeignSaveJpegBuffer" };
	if (setenv("VIPSHOME", "/nonexistent", 1) || setenv("VIPS_NOVECTOR", "1", 1) ||
		setenv("VIPS_DISC_THRESHOLD", "64g",
			1) ||              /* no temporary file: memory, or a refusal */
		setenv("TZ", "UTC0", 1) || /* read now, without a file: profiles ask for the time */
		mallopt(M_ARENA_MAX, 1) != 1 ||
		VIPS_INIT("lantoa-image"))
		return -1;
	tzset();
	(void)g_random_int(); /* seeded now: it opens a device for that */
	g_log_set_writer_func(no_log, NULL, NULL);
	vips_concurrency_set(1);
	vips_cache_set_max(0);
	vips_operation_block_set("VipsForeignLoad", TRUE);
	vips_operation_block_set("VipsForeignSave", TRUE);
	for (size_t i = 0; i < ARRAY_LEN(open_ones); i++)
		vips_operation_block_set(open_ones[i], FALSE);
	return 0;
}

static int run(const struct rendition_spec *spec)
{
	static const char *const types[] = { "?", "png", "jpeg", "webp", "gif" };
	struct err e = { 0 };
	struct image_in in = { 0 };
	struct image_out out = { 0 };
	char version[40], *bytes = NULL;
	int rc = read_all(&bytes, &in.bytes.n, &e);
	in.bytes.p = bytes;
	if (!rc)
		rc = image_fit(&in, spec, &out, &e);
	if (rc)
		return say_no(rc, &e);
	if (write_all(1, out.p, out.n))
		return say_no(
			IMAGE_TROUBLE, &(struct err){ .text = "the rendition cannot be written" });
	version_text(version, sizeof(version));
	(void)fprintf(stderr,
		"ok type=%s width=%d height=%d bytes=%zu quality=%d from=%s frames=%d version=%s\n",
		rendition_format_name(out.format), out.width, out.height, out.n, out.quality,
		types[in.head.type], in.frames, version);
	g_free(out.p);
	free(bytes);
	return 0;
}

/* Where memory runs out this process goes, not the daemon beside it. Best effort: not every system lets it be said. */
static void die_first(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "w");
	if (!f)
		return;
	(void)fputs("1000\n", f);
	(void)fclose(f);
}

static int options(int argc, char **argv, struct image_limits *l)
{
	for (int i = 2; i < argc; i++) {
		struct str a = str_of(argv[i]);
		int64_t v = 0;
		if (str_starts(a, "memory=") &&
			!str_i64((struct str){ a.p + 7, a.n - 7 }, 1 << 20, 1ll << 40, &v))
			l->memory_bytes = (uint64_t)v;
		else if (str_starts(a, "cpu=") &&
			!str_i64((struct str){ a.p + 4, a.n - 4 }, 1, 3600, &v))
			l->cpu_s = (uint32_t)v;
		else
			return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct image_limits l = {
		.memory_bytes = 1u << 30, .out_bytes = RENDITION_BYTES_MAX, .cpu_s = 20
	};
	struct rendition_spec spec;
	struct err e = { 0 };
	char version[40];
	if (argc < 2 || options(argc, argv, &l))
		return say_no(IMAGE_USAGE,
			&(struct err){
				.text = "usage: lantoa-image SPEC [memory=BYTES] [cpu=SECONDS]" });
	bool asks = strcmp(argv[1], "version") == 0;
	if (!asks && rendition_spec_parse(str_of(argv[1]), &spec, &e))
		return say_no(IMAGE_USAGE, &e);
	die_first();
	if (image_limits_set(&l) || library_init() || image_jail_enter())
		return say_no(IMAGE_TROUBLE,
			&(struct err){
				.text = "the helper could not lock itself in; nothing was read" });
	if (!asks) {
		int rc = run(&spec);
		(void)fflush(NULL);
		_exit(rc); /* nothing of the libraries runs any more */
	}
	version_text(version, sizeof(version));
	(void)printf("%s\n", version);
	(void)fflush(NULL);
	_exit(0);
}
