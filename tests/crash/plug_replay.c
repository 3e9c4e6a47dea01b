/* plug_replay.c - a state folder as a pulled plug may leave it: plug_replay LOG FROM-DIR TO-DIR CUT SEED [nosync]
 * Plays the first CUT records (CUT -1: all) of the log and writes the folder FROM-DIR, as it would be found, to TO-DIR: what was synced is
 * whole; of what was written since, any subset is lost, and any piece may be torn at a sector. Names count once their folder was synced.
 * nosync: as if no sync had ever been asked for, the build that the test must catch. Prints "RECORDS AT_US". Exit 0, 1 failed, 2 usage. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "plug.h"

#define SECTOR    512u
#define FILES     20000u
#define NAME_MAX_ 4096u

struct bytes {
	char *p;
	size_t n, cap;
};
struct change { /* since the last sync */
	bool cut;
	int64_t off;
	char *p;
	size_t n;
};
struct file {
	uint32_t id;
	struct bytes durable, now;
	struct change *change;
	size_t n_change;
};
struct name_op { /* not yet synced: to gets the file (0: goes away) */
	char *from, *to;
	uint32_t id;
};
struct name {
	char *path;
	uint32_t id;
};

static struct file *files;
static size_t n_files;
static struct name *names; /* durable */
static size_t n_names;
static struct name_op *ops;
static size_t n_ops;
static struct name *folders; /* descriptor's number -> path */
static size_t n_folders;
static uint64_t state;

static void *need(void *p)
{
	if (!p) {
		perror("plug_replay");
		exit(1);
	}
	return p;
}

static uint64_t rnd(void)
{
	uint64_t x = state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void resize(struct bytes *b, size_t n)
{
	if (n > b->cap) {
		b->cap = n * 2 + 4096;
		b->p = need(realloc(b->p, b->cap));
	}
	if (n > b->n)
		memset(b->p + b->n, 0, n - b->n);
	b->n = n;
}

static void at_off(struct bytes *b, int64_t off, const char *p, size_t n)
{
	if ((size_t)off + n > b->n)
		resize(b, (size_t)off + n);
	memcpy(b->p + off, p, n);
}

static struct file *file_of(uint32_t id, bool make)
{
	for (size_t i = n_files; i-- > 0;)
		if (files[i].id == id)
			return &files[i];
	if (!make)
		return NULL;
	if (n_files == FILES)
		exit(1);
	files[n_files] = (struct file){ .id = id };
	return &files[n_files++];
}

static void synced(struct file *f)
{
	f->durable.n = 0;
	resize(&f->durable, f->now.n);
	if (f->now.n)
		memcpy(f->durable.p, f->now.p, f->now.n);
	for (size_t i = 0; i < f->n_change; i++)
		free(f->change[i].p);
	f->n_change = 0;
}

static void changed(struct file *f, bool cut, int64_t off, const char *p, size_t n)
{
	if (cut)
		resize(&f->now, (size_t)off);
	else
		at_off(&f->now, off, p, n);
	f->change = need(realloc(f->change, (f->n_change + 1) * sizeof(*f->change)));
	struct change *c = &f->change[f->n_change++];
	*c = (struct change){ .cut = cut, .off = off, .n = n };
	if (n)
		memcpy(c->p = need(malloc(n)), p, n);
}

static void name_set(const char *path, uint32_t id)
{
	for (size_t i = 0; i < n_names; i++)
		if (strcmp(names[i].path, path) == 0) {
			names[i].id = id;
			return;
		}
	names = need(realloc(names, (n_names + 1) * sizeof(*names)));
	names[n_names++] = (struct name){ need(strdup(path)), id };
}

static uint32_t name_get(const char *path)
{
	for (size_t i = n_ops; i-- > 0;)
		if (strcmp(ops[i].to, path) == 0)
			return ops[i].id;
		else if (ops[i].from && strcmp(ops[i].from, path) == 0)
			return 0;
	for (size_t i = 0; i < n_names; i++)
		if (strcmp(names[i].path, path) == 0)
			return names[i].id;
	return 0;
}

static void op_add(const char *from, const char *to, uint32_t id)
{
	ops = need(realloc(ops, (n_ops + 1) * sizeof(*ops)));
	ops[n_ops++] = (struct name_op){ from ? need(strdup(from)) : NULL, need(strdup(to)), id };
}

static void op_apply(const struct name_op *o)
{
	if (o->from)
		name_set(o->from, 0);
	name_set(o->to, o->id);
}

static bool in_folder(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

static void folder_synced(const char *folder)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_ops; i++)
		if (in_folder(ops[i].to, folder))
			op_apply(&ops[i]);
		else
			ops[kept++] = ops[i];
	n_ops = kept;
}

/* What may be on the disk of a file that was not synced. */
static void found(const struct file *f, struct bytes *out)
{
	resize(out, 0);
	resize(out, f->durable.n);
	if (f->durable.n)
		memcpy(out->p, f->durable.p, f->durable.n);
	for (size_t i = 0; i < f->n_change; i++) {
		const struct change *c = &f->change[i];
		uint64_t dice = rnd() % 10;
		if (dice < 4)
			continue; /* lost */
		if (c->cut) {
			resize(out, (size_t)c->off);
			continue;
		}
		for (size_t at = 0; at < c->n; at += SECTOR) {
			size_t k = c->n - at < SECTOR ? c->n - at : SECTOR;
			if (dice < 6 && rnd() % 2)
				continue; /* torn */
			at_off(out, c->off + (int64_t)at, c->p + at, k);
		}
	}
}

static void folders_make(char *path)
{
	for (char *s = path + 1; (s = strchr(s, '/')) != NULL; s++) {
		*s = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			perror(path);
		*s = '/';
	}
}

static int write_out(const char *from, const char *to)
{
	struct bytes out = { 0 };
	char path[NAME_MAX_];
	size_t n = strlen(from);

	for (size_t i = 0; i < n_ops; i++) /* names not yet synced: any of them may be there */
		if (rnd() % 2)
			op_apply(&ops[i]);
	for (size_t i = 0; i < n_names; i++) {
		const struct file *f = names[i].id ? file_of(names[i].id, false) : NULL;
		if (!f || strncmp(names[i].path, from, n) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s", to, names[i].path + n);
		folders_make(path);
		found(f, &out);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || (out.n && write(fd, out.p, out.n) != (ssize_t)out.n) ||
			close(fd) < 0) {
			perror(path);
			return 1;
		}
	}
	free(out.p);
	return 0;
}

static void folder_note(uint32_t id, const char *path)
{
	for (size_t i = 0; i < n_folders; i++)
		if (folders[i].id == id)
			return;
	folders = need(realloc(folders, (n_folders + 1) * sizeof(*folders)));
	folders[n_folders++] = (struct name){ need(strdup(path)), id };
}

static void play(const struct plug_rec *r, char *a, const char *b, bool nosync)
{
	struct file *f;

	switch ((char)r->what) {
	case 'C':
		(void)file_of(r->id, true);
		op_add(NULL, a, r->id);
		break;
	case 'd': folder_note(r->id, a); break;
	case 'W': changed(file_of(r->id, true), false, r->off, a, r->n); break;
	case 'T': changed(file_of(r->id, true), true, r->off, NULL, 0); break;
	case 'S':
		f = file_of(r->id, false);
		if (f && !nosync)
			synced(f);
		break;
	case 'D':
		for (size_t i = 0; i < n_folders && !nosync; i++)
			if (folders[i].id == r->id)
				folder_synced(folders[i].path);
		break;
	case 'R': op_add(a, b, name_get(a)); break;
	case 'U': op_add(NULL, a, 0); break;
	default: break; /* O: known already */
	}
}

int main(int argc, char **argv)
{
	struct plug_rec r;
	int64_t last = 0;
	long cut, n = 0;

	if (argc < 6) {
		(void)fputs("usage: plug_replay LOG FROM-DIR TO-DIR CUT SEED [nosync]\n", stderr);
		return 2;
	}
	FILE *in = fopen(argv[1], "rb");
	if (!in) {
		perror(argv[1]);
		return 1;
	}
	cut = strtol(argv[4], NULL, 10);
	state = strtoull(argv[5], NULL, 10);
	files = need(calloc(FILES, sizeof(*files)));
	while ((cut < 0 || n < cut) && fread(&r, sizeof(r), 1, in) == 1) {
		char *a = need(malloc(r.n + 1)), *b = need(malloc(r.m + 1));
		if (fread(a, 1, r.n, in) != r.n || fread(b, 1, r.m, in) != r.m)
			break;
		a[r.n] = b[r.m] = '\0';
		play(&r, a, b, argc > 6);
		free(a);
		free(b);
		last = r.at_us;
		n++;
	}
	(void)fclose(in);
	(void)printf("%ld %lld\n", n, (long long)last);
	return argv[3][0] == '-' ? 0 : write_out(argv[2], argv[3]);
}
