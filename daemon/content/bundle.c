/* bundle.c - an unpacked bundle to a release_doc with its assets looked at.
 * Thread: worker. The folder is private and was written by bundle_unpack; links in it are refused all the same.
 * Failures: all problems are collected; an unreadable disk is -EIO. */
#include "content/bundle.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/file.h"
#include "content/doc_internal.h"
#include "content/image_head.h"

#define DEPTH_MAX      8
#define UNUSED_MAX     20 /* files that nobody names, each with a warning */
#define TAIL_BYTES     4096
#define READ_STEP      (256u << 10)
#define MAIN_FILE_NAME "release.md"

struct load {
	const char *dir, *name;
	int dirfd;
	const struct bundle_limits *lim;
	struct content_problems *p;
	char **files; /* owned; sorted */
	size_t n_files, cap;
	struct buf main_text;
	struct buf *texts; /* of variants and locals */
	struct doc_file *variants, *locals;
	size_t n_variants, n_locals, n_texts;
	size_t text_bytes;
	int error;
};

static void load_done(struct load *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		free(l->files[i]);
	for (size_t i = 0; i < l->n_texts; i++)
		buf_done(&l->texts[i]);
	buf_done(&l->main_text);
	free(l->files);
	free(l->texts);
	free(l->variants);
	free(l->locals);
	if (l->dirfd >= 0)
		(void)close(l->dirfd);
}

static void add_file(struct load *l, const char *path)
{
	if (l->n_files == l->lim->entries_max) {
		if (l->error == 0)
			problem_add(l->p, PROBLEM_ERROR, l->name, 0, "",
				"the bundle has more than %u files", l->lim->entries_max);
		l->error = -EINVAL;
		return;
	}
	if (l->n_files == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->files = x_realloc(l->files, l->cap, sizeof(*l->files));
	}
	l->files[l->n_files++] = x_strdup(path);
}

static void list_dir(struct load *l, const char *prefix, int depth);

static void list_entry(struct load *l, int fd, const char *prefix, const char *name, int depth)
{
	char path[600];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s%s", prefix, name);
	const char *wrong = n < 0 || (size_t)n >= sizeof(path) ? "is too long"
							       : bundle_path_fault(str_of(path));
	if (wrong == NULL && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		wrong = strerror(errno);
	else if (wrong == NULL && S_ISLNK(st.st_mode))
		wrong = "is a link; put the file itself into the bundle";
	else if (wrong == NULL && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		wrong = "is no plain file";
	if (wrong != NULL) {
		problem_add(l->p, PROBLEM_ERROR, l->name, 0, "", "'%.200s' %s", path, wrong);
		l->error = -EINVAL;
	} else if (S_ISREG(st.st_mode)) {
		add_file(l, path);
	} else {
		(void)str_copy(path + n, sizeof(path) - (size_t)n, STR("/"));
		list_dir(l, path, depth + 1);
	}
}

static void list_dir(struct load *l, const char *prefix, int depth)
{
	int fd = openat(l->dirfd, prefix[0] == '\0' ? "." : prefix,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL || depth > DEPTH_MAX) {
		problem_add(
			l->p, PROBLEM_ERROR, "", 0, "", "folder '%.200s' cannot be read", prefix);
		l->error = -EIO;
		if (d != NULL)
			(void)closedir(d);
		else if (fd >= 0)
			(void)close(fd);
		return;
	}
	for (struct dirent *de = readdir(d); de != NULL && l->error == 0; de = readdir(d)) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			list_entry(l, fd, prefix, de->d_name, depth);
	}
	(void)closedir(d);
}

static int path_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_variant(struct str f)
{
	return str_starts(f, "body.") && str_ends(f, ".md") && memchr(f.p, '/', f.n) == NULL &&
		f.n > 8;
}

static bool is_local(struct str f)
{
	return str_starts(f, "local/") && str_ends(f, ".md") &&
		memchr(f.p + 6, '/', f.n - 6) == NULL;
}

/* release.md; else the only other .md file on the top level. */
static const char *find_main(struct load *l)
{
	const char *only = NULL;
	size_t n = 0;
	for (size_t i = 0; i < l->n_files; i++) {
		struct str f = str_of(l->files[i]);
		if (str_eqz(f, MAIN_FILE_NAME))
			return l->files[i];
		if (str_ends(f, ".md") && memchr(f.p, '/', f.n) == NULL && !is_variant(f)) {
			only = l->files[i];
			n++;
		}
	}
	if (n == 1)
		return only;
	problem_add(l->p, PROBLEM_ERROR, l->name, 0, "",
		n == 0 ? "the bundle has no release.md"
		       : "the bundle has several .md files and none is called release.md");
	return NULL;
}

static bool read_text(struct load *l, const char *file, struct buf *b)
{
	struct err e = { 0 };
	buf_init(b, DOC_TEXT_MAX);
	int r = file_read_at(l->dirfd, file, b, &e);
	l->text_bytes += b->n;
	if (r == 0 && l->text_bytes > DOC_TOTAL_MAX)
		r = err_set(&e, -E2BIG, "the texts together are over %u bytes", DOC_TOTAL_MAX);
	if (r < 0)
		problem_add(l->p, PROBLEM_ERROR, file, 0, "", "%s", e.text);
	return r == 0;
}

static bool read_texts(struct load *l, const char *main_file)
{
	size_t n = l->n_files + 1;
	l->texts = x_calloc(n, sizeof(*l->texts));
	l->variants = x_calloc(n, sizeof(*l->variants));
	l->locals = x_calloc(n, sizeof(*l->locals));
	bool ok = read_text(l, main_file, &l->main_text);
	for (size_t i = 0; i < l->n_files && ok; i++) {
		const char *file = l->files[i];
		bool variant = is_variant(str_of(file));
		if (strcmp(file, main_file) == 0 || (!variant && !is_local(str_of(file))))
			continue;
		struct buf *b = &l->texts[l->n_texts++];
		ok = read_text(l, file, b);
		struct doc_file f = { file, buf_str(b) };
		if (variant)
			l->variants[l->n_variants++] = f;
		else
			l->locals[l->n_locals++] = f;
	}
	return ok;
}

/* --- assets ---------------------------------------------------------------------------------------------------------------- */

static void asset_fault(
	struct load *l, const struct release_doc *d, const struct doc_asset *a, const char *what)
{
	problem_add(l->p, PROBLEM_ERROR, d->main_file, a->line, doc_role_name(a->role),
		"'%.200s' %s", a->file, what);
}

static void asset_warn(
	struct load *l, const struct release_doc *d, const struct doc_asset *a, const char *what)
{
	problem_add(l->p, PROBLEM_WARNING, d->main_file, a->line, doc_role_name(a->role),
		"'%.200s' %s", a->file, what);
}

#define PNG_CHUNKS_MAX 100000u

enum png_row { PNG_NONE, PNG_WHOLE, PNG_CUT, PNG_BROKEN };
struct look {
	struct buf head;
	enum png_row png;
	char tail[TAIL_BYTES];
	size_t n_tail;
	uint64_t bytes;
	struct hash hash;
};

/* Reads the whole file once: hash, first and last bytes. */
static int look_at(int fd, uint64_t max, struct look *k)
{
	struct hasher h;
	char *chunk = malloc(READ_STEP);
	ssize_t n = chunk == NULL ? -1 : 0;
	hasher_init(&h);
	while (chunk != NULL && (n = read(fd, chunk, READ_STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (k->bytes += (uint64_t)n) > max)
			break;
		hasher_add(&h, chunk, (size_t)n);
		size_t room = k->head.max - k->head.n;
		(void)buf_add(&k->head, chunk, (size_t)n < room ? (size_t)n : room);
	}
	free(chunk);
	hasher_end(&h, &k->hash);
	if (n != 0 || k->head.failed)
		return -EIO;
	off_t from = k->bytes > TAIL_BYTES ? (off_t)(k->bytes - TAIL_BYTES) : 0;
	ssize_t t = pread(fd, k->tail, TAIL_BYTES, from);
	k->n_tail = t < 0 ? 0 : (size_t)t;
	return 0;
}

/* A PNG is a row of chunks (length, type of four letters, bytes, sum) up to IEND; what only begins like one is none. */
static enum png_row png_walk(int fd, uint64_t bytes)
{
	unsigned char c[8];
	uint64_t at = 8;
	for (unsigned n = 0; n < PNG_CHUNKS_MAX; n++) {
		if (at + sizeof(c) > bytes || pread(fd, c, sizeof(c), (off_t)at) != sizeof(c))
			return PNG_CUT;
		for (int i = 4; i < 8; i++)
			if ((c[i] | 0x20) < 'a' || (c[i] | 0x20) > 'z')
				return PNG_BROKEN;
		if (memcmp(c + 4, "IEND", 4) == 0)
			return PNG_WHOLE;
		at += 12 +
			((uint64_t)c[0] << 24 | (uint64_t)c[1] << 16 | (uint64_t)c[2] << 8 | c[3]);
	}
	return PNG_WHOLE; /* who knows */
}

static bool looks_cut(const struct look *k, enum media_type t)
{
	if (t == MEDIA_PNG)
		return k->png == PNG_CUT;
	if (t == MEDIA_JPEG)
		return memmem(k->tail, k->n_tail, "\xff\xd9", 2) == NULL;
	if (t == MEDIA_GIF)
		return memchr(k->tail, ';', k->n_tail) == NULL;
	return false;
}

static void check_picture(struct load *l, const struct release_doc *d, const struct doc_asset *a,
	const struct look *k, const struct image_head *h)
{
	char text[200];
	if (!media_is_picture(h->type)) {
		(void)snprintf(text, sizeof(text),
			"is no picture (%s); PNG, JPEG, WebP and GIF are taken",
			media_type_name(h->type));
		asset_fault(l, d, a, text);
	} else if (h->broken) {
		asset_fault(l, d, a,
			"begins like a picture, but has no width and height: the file is damaged");
	} else if ((uint64_t)h->width * h->height > l->lim->pixels_max) {
		(void)snprintf(text, sizeof(text),
			"has %u x %u pixels; at most %llu million are taken", h->width, h->height,
			(unsigned long long)(l->lim->pixels_max / 1000000));
		asset_fault(l, d, a, text);
	} else if (k->png == PNG_BROKEN) {
		asset_fault(l, d, a,
			"begins like a PNG, and goes on as something else: the file is damaged");
	} else if (looks_cut(k, h->type)) {
		asset_warn(l, d, a, "has no end: the file may have been cut off");
	}
	if (image_head_has_place(buf_str(&k->head)))
		asset_warn(l, d, a,
			"says the place where it was taken, and a mail carries the file as it is; save it without (export it, or remove its properties)");
}

static void check_type(struct load *l, const struct release_doc *d, const struct doc_asset *a,
	const struct look *k, const struct image_head *h)
{
	char text[200];
	bool picture = a->role == DOC_COVER || a->role == DOC_IMAGE || a->role == DOC_POSTER;
	if (k->bytes == 0)
		asset_fault(l, d, a, "is empty");
	else if (h->type == MEDIA_HEIF)
		asset_fault(l, d, a,
			"is a picture in the format of telephones (HEIC, AVIF), whatever its name says; save it as JPEG");
	else if (picture || (media_is_picture(h->type) && a->role == DOC_ATTACHMENT))
		check_picture(l, d, a, k, h);
	else if (a->role == DOC_VIDEO_FILE && h->type != MEDIA_MP4)
		asset_fault(l, d, a, "is no MP4 video");
	else if (a->role == DOC_CAPTIONS && h->type != MEDIA_VTT && h->type != MEDIA_SRT)
		asset_fault(l, d, a, "has no subtitles (WebVTT or SRT)");
	else if (h->type == MEDIA_UNKNOWN)
		asset_fault(l, d, a,
			"is of no known type; PDF, Office files, pictures, MP4, zip and text are taken");
	if (h->type != MEDIA_UNKNOWN && !media_fits_name(h->type, str_of(a->file))) {
		(void)snprintf(text, sizeof(text), "is %s, which its name does not say; rename it",
			media_type_name(h->type));
		asset_warn(l, d, a, text);
	}
}

/* What tools and telephones keep beside a photograph may be longer than the head: its size stands behind that. */
static void look_further(int fd, const struct look *k, struct image_head *h)
{
	char piece[2 + 65536] = "\xff\xd8";
	uint64_t place = image_head_goes_on(buf_str(&k->head));
	for (size_t next = 3; next > 2 && place > 2 && place < k->bytes && h->broken;) {
		ssize_t n = pread(fd, piece + 2, sizeof(piece) - 2, (off_t)place);
		if (n <= 0)
			return;
		struct str s = { piece, (size_t)n + 2 };
		struct image_head here;
		image_head_read(s, &here);
		if (here.type == MEDIA_JPEG && !here.broken)
			*h = here;
		next = image_head_goes_on(s);
		place += next > 2 ? next - 2 : 0;
	}
}

static void load_asset(struct load *l, struct release_doc *d, struct doc_asset *a)
{
	struct look *k = x_calloc(1, sizeof(*k));
	struct stat st;
	struct image_head h;
	char text[200];
	int fd = openat(l->dirfd, a->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	buf_init(&k->head, IMAGE_HEAD_BYTES);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		asset_fault(l, d, a, "cannot be read");
	} else if ((uint64_t)st.st_size > l->lim->file_max) {
		(void)snprintf(text, sizeof(text), "has %lld bytes; one file may have at most %llu",
			(long long)st.st_size, (unsigned long long)l->lim->file_max);
		asset_fault(l, d, a, text);
	} else if (look_at(fd, l->lim->file_max, k) < 0) {
		asset_fault(l, d, a, "cannot be read to its end");
		l->error = -EIO;
	} else {
		image_head_read(buf_str(&k->head), &h);
		if (h.type == MEDIA_JPEG && h.broken)
			look_further(fd, k, &h);
		if (h.type == MEDIA_PNG)
			k->png = png_walk(fd, k->bytes);
		check_type(l, d, a, k, &h);
		a->hash = k->hash;
		a->bytes = k->bytes;
		a->type = media_type_name(h.type);
		a->width = h.width;
		a->height = h.height;
	}
	if (fd >= 0)
		(void)close(fd);
	buf_done(&k->head);
	free(k);
}

static void warn_equal(struct load *l, const struct release_doc *d, size_t i)
{
	const struct doc_asset *a = &d->assets[i];
	for (size_t k = 0; k < i; k++) {
		const struct doc_asset *b = &d->assets[k];
		if (a->role != b->role || a->bytes == 0 || hash_cmp(&a->hash, &b->hash) != 0)
			continue;
		problem_add(l->p, PROBLEM_WARNING, d->main_file, a->line, doc_role_name(a->role),
			"'%.150s' is the same file as '%.150s'", a->file, b->file);
		return;
	}
}

static bool is_named(const struct load *l, const struct release_doc *d, const char *file)
{
	for (size_t i = 0; i < l->n_variants; i++) {
		if (strcmp(l->variants[i].name, file) == 0)
			return true;
	}
	for (size_t i = 0; i < l->n_locals; i++) {
		if (strcmp(l->locals[i].name, file) == 0)
			return true;
	}
	return strcmp(file, d->main_file) == 0 || release_doc_asset(d, str_of(file)) != NULL;
}

static void warn_unused(struct load *l, const struct release_doc *d)
{
	size_t told = 0;
	for (size_t i = 0; i < l->n_files && told < UNUSED_MAX; i++) {
		if (is_named(l, d, l->files[i]))
			continue;
		problem_add(l->p, PROBLEM_WARNING, "", 0, "",
			"'%.200s' is in the bundle, but the release does not name it", l->files[i]);
		told++;
	}
}

static int load_texts(struct load *l, const struct bundle_rules *rules, struct release_doc **ret)
{
	list_dir(l, "", 0);
	if (l->error < 0)
		return l->error;
	if (l->n_files > 1)
		qsort(l->files, l->n_files, sizeof(*l->files), path_cmp);
	const char *main_file = find_main(l);
	if (main_file == NULL || !read_texts(l, main_file))
		return -EINVAL;
	struct doc_source src = { .main = { main_file, buf_str(&l->main_text) },
		.variants = l->variants,
		.n_variants = l->n_variants,
		.locals = l->locals,
		.n_locals = l->n_locals,
		.files = (const char *const *)l->files,
		.n_files = l->n_files };
	if (rules != NULL) {
		src.zone = rules->zone;
		src.kinds = rules->kinds;
		src.n_kinds = rules->n_kinds;
	}
	return doc_parse(&src, DOC_PARSE_KEEP, ret, l->p);
}

int bundle_load(const char *dir, const struct bundle_rules *rules, struct release_doc **ret,
	struct content_problems *p)
{
	struct load l = { .dir = dir,
		.name = rules != NULL && rules->name != NULL ? rules->name : "",
		.lim = rules == NULL || rules->limits == NULL ? &bundle_limits_default
							      : rules->limits,
		.p = p };
	CLEANUP(release_doc_free) struct release_doc *d = NULL;
	size_t errors = p->errors;
	l.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (l.dirfd < 0) {
		problem_add(p, PROBLEM_ERROR, "", 0, "", "the staging folder cannot be opened: %s",
			strerror(errno));
		return -EIO;
	}
	int r = load_texts(&l, rules, &d);
	/* also with errors in the texts: one pass shows all that is wrong */
	for (size_t i = 0; d != NULL && i < d->n_assets; i++) {
		load_asset(&l, d, &d->assets[i]);
		warn_equal(&l, d, i);
	}
	if (d != NULL)
		warn_unused(&l, d);
	if (r == 0 && p->errors != errors)
		r = l.error < 0 ? l.error : -EINVAL;
	load_done(&l);
	if (r == 0)
		*ret = MOVE(d);
	return r;
}
