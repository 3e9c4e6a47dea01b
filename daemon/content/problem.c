/* problem.c - the bounded list of what a check found. Errors are never lost to warnings: a full list gives up its last
 * warning or info for a new error. */
#include "content/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"

void problems_init(struct content_problems *p)
{
	*p = (struct content_problems){ 0 };
	p->v = x_calloc(PROBLEMS_MAX, sizeof(*p->v));
}

void problems_done(struct content_problems *p)
{
	if (p == NULL)
		return;
	free(p->v);
	*p = (struct content_problems){ 0 };
}

/* Where the new one goes, or NULL when the list is full of its betters. */
static struct content_problem *slot_for(struct content_problems *p, enum problem_severity sev)
{
	if (p->n < PROBLEMS_MAX)
		return &p->v[p->n++];
	if (sev != PROBLEM_ERROR)
		return NULL;
	for (size_t i = p->n; i > 0; i--) {
		if (p->v[i - 1].severity == PROBLEM_ERROR)
			continue;
		memmove(&p->v[i - 1], &p->v[i], (p->n - i) * sizeof(*p->v));
		return &p->v[p->n - 1];
	}
	return NULL;
}

static void copy_cut(char *dst, size_t size, const char *src)
{
	struct str s = utf8_cut(str_of(src == NULL ? "" : src), size - 1);
	(void)str_copy(dst, size, s);
}

void problem_add(struct content_problems *p, enum problem_severity sev, const char *file, int line,
	const char *field, const char *fmt, ...)
{
	char text[1200];
	va_list ap;
	REQUIRE(p->v != NULL);
	p->errors += sev == PROBLEM_ERROR;
	p->warnings += sev == PROBLEM_WARNING;
	p->infos += sev == PROBLEM_INFO;
	struct content_problem *c = slot_for(p, sev);
	if (c == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*c = (struct content_problem){ .severity = sev, .line = line };
	copy_cut(c->file, sizeof(c->file), file);
	copy_cut(c->field, sizeof(c->field), field);
	copy_cut(c->text, sizeof(c->text), text);
}

const struct content_problem *problem_find(
	const struct content_problems *p, enum problem_severity sev, const char *part)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].severity == sev && strstr(p->v[i].text, part) != NULL)
			return &p->v[i];
	}
	return NULL;
}

const char *problem_severity_name(enum problem_severity sev)
{
	switch (sev) {
	case PROBLEM_ERROR: return "error";
	case PROBLEM_WARNING: return "warning";
	case PROBLEM_INFO: break;
	}
	return "info";
}

int problem_print(struct buf *b, const struct content_problem *p)
{
	if (p->file[0] != '\0')
		(void)buf_addz(b, p->file);
	if (p->file[0] != '\0' && p->line > 0)
		(void)buf_addf(b, ":%d", p->line);
	if (p->file[0] != '\0')
		(void)buf_addz(b, ": ");
	if (p->field[0] != '\0')
		(void)buf_addf(b, "%s: ", p->field);
	(void)buf_addz(b, p->text);
	return b->failed ? -E2BIG : 0;
}

int problems_err(const struct content_problems *p, int code, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].severity != PROBLEM_ERROR)
			continue;
		struct buf b CLEANUP_BUF;
		buf_init(&b, 1024);
		(void)problem_print(&b, &p->v[i]);
		if (p->errors > 1)
			return err_set(e, code, "%s (and %zu more)", buf_z(&b), p->errors - 1);
		return err_set(e, code, "%s", buf_z(&b));
	}
	return err_set(e, code, "refused");
}
