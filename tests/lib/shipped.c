/* shipped.c - see shipped.h. Owns: the texts, until the program ends. */
#include "shipped.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  (1u << 20)
#define FILES_MAX 32

const char *shipped_file(const char *path)
{
	static struct {
		char path[160], *text;
	} kept[FILES_MAX];
	size_t i = 0, n = 0;

	while (i < FILES_MAX && kept[i].text != NULL && strcmp(kept[i].path, path) != 0)
		i++;
	if (i == FILES_MAX) {
		(void)fprintf(stderr, "more than %d shipped files\n", FILES_MAX);
		abort();
	}
	if (kept[i].text != NULL)
		return kept[i].text;
	FILE *f = fopen(path, "re");
	char *p = malloc(FILE_MAX);
	if (f != NULL && p != NULL)
		n = fread(p, 1, FILE_MAX - 1, f);
	if (n == 0 || n == FILE_MAX - 1) {
		(void)fprintf(stderr, "%s cannot be read\n", path);
		abort();
	}
	(void)fclose(f);
	p[n++] = '\0';
	char *fit = realloc(p, n); /* exactly: a read behind its end is seen */
	(void)snprintf(kept[i].path, sizeof(kept[i].path), "%s", path);
	return kept[i].text = fit != NULL ? fit : p;
}
