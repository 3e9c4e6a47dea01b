/* show.c - the ledger for people and programs: what each mailbox received, and what it received twice.
 * Owns: what it reads. Failures: a ledger that cannot be read; a last line cut off by a crash is left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "base/utf8.h"
#include "sandbox.h"

struct row {
	char *mailbox; /* owned */
	size_t mails, twice, lost;
	cJSON *list; /* owned */
};
struct show {
	struct maps *boxes, *seen;
	struct row **rows; /* owned */
	size_t n, cap, mails, refused, twice;
	const char *only;
};

static struct row *row_of(struct show *s, struct str mailbox)
{
	struct row *r = maps_get(s->boxes, mailbox);

	if (r != NULL)
		return r;
	r = x_calloc(1, sizeof(*r));
	r->mailbox = x_strndup(mailbox.p, mailbox.n);
	r->list = json_arr();
	(void)maps_put(s->boxes, mailbox, r);
	if (s->n == s->cap)
		s->rows = x_realloc(
			s->rows, s->cap = s->cap == 0 ? 64 : s->cap * 2, sizeof(*s->rows));
	s->rows[s->n++] = r;
	return r;
}

static void take_line(struct show *s, struct str line)
{
	cJSON *j CLEANUP_JSON = NULL;
	char key[900];
	static char mark;

	if (json_parse(line, 65536, &j, NULL) < 0)
		return;
	if (strcmp(json_z(j, "t", ""), "refused") == 0)
		s->refused++;
	if (strcmp(json_z(j, "t", ""), "mail") != 0)
		return;
	struct str box = json_str(j, "mailbox");
	if (box.p == NULL || (s->only != NULL && !str_ieqz(box, s->only)))
		return;
	struct row *r = row_of(s, box);
	(void)snprintf(key, sizeof(key), "%s %s", r->mailbox, json_z(j, "message_id", ""));
	if (maps_put(s->seen, str_of(key), &mark) != NULL) {
		r->twice++;
		s->twice++;
	}
	r->mails++;
	r->lost += strcmp(json_z(j, "answer", "yes"), "lost") == 0;
	s->mails++;
	json_add(r->list, MOVE(j));
}

static int by_mailbox(const void *a, const void *b)
{
	return strcmp((*(struct row *const *)a)->mailbox, (*(struct row *const *)b)->mailbox);
}

static void print_json(const struct show *s)
{
	cJSON *o = json_obj(), *boxes = json_arr();

	json_put_i64(o, "mails", (int64_t)s->mails);
	json_put_i64(o, "mailboxes", (int64_t)s->n);
	json_put_i64(o, "twice", (int64_t)s->twice);
	json_put_i64(o, "refused", (int64_t)s->refused);
	for (size_t i = 0; i < s->n; i++) {
		cJSON *b = json_obj();
		json_put_z(b, "mailbox", s->rows[i]->mailbox);
		json_put_i64(b, "twice", (int64_t)s->rows[i]->twice);
		json_put(b, "mails", MOVE(s->rows[i]->list));
		json_add(boxes, b);
	}
	json_put(o, "received", boxes);
	char *text = json_print(o);
	(void)puts(text);
	free(text);
	cJSON_Delete(o);
}

static void print_table(const struct show *s)
{
	size_t wide = 10;

	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->rows[i]->mailbox) > wide)
			wide = strlen(s->rows[i]->mailbox);
	if (wide > 48)
		wide = 48;
	(void)printf(
		"%-*s  %5s  %5s  %s\n", (int)wide, "mailbox", "mails", "twice", "last subject");
	for (size_t i = 0; i < s->n; i++) {
		const struct row *r = s->rows[i];
		const cJSON *last = r->list->child == NULL ? NULL : r->list->child->prev;
		struct str subject = utf8_cut(str_of(json_z(last, "subject", "")), 70);
		(void)printf("%-*.*s  %5zu  %5zu  %.*s%s\n", (int)wide, (int)wide, r->mailbox,
			r->mails, r->twice, (int)subject.n, subject.p == NULL ? "" : subject.p,
			r->lost > 0 ? "  (answer lost)" : "");
	}
	(void)printf("%zu mailboxes, %zu mails, %zu twice, %zu requests refused\n", s->n, s->mails,
		s->twice, s->refused);
}

int sb_show(const char *path, const char *mailbox, bool json)
{
	struct show s = { .boxes = maps_new(), .seen = maps_new(), .only = mailbox };
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (f == NULL)
		(void)fprintf(stderr, "sandbox: %s: %s\n", path, strerror(errno));
	while (f != NULL && (n = getline(&line, &cap, f)) > 0)
		if (line[n - 1] == '\n')
			take_line(&s, (struct str){ line, (size_t)n - 1 });
	free(line);
	if (s.n > 1)
		qsort(s.rows, s.n, sizeof(*s.rows), by_mailbox);
	if (f != NULL && json)
		print_json(&s);
	else if (f != NULL)
		print_table(&s);
	for (size_t i = 0; i < s.n; i++) {
		free(s.rows[i]->mailbox);
		cJSON_Delete(s.rows[i]->list);
		free(s.rows[i]);
	}
	free(s.rows);
	maps_free(s.boxes);
	maps_free(s.seen);
	if (f != NULL)
		(void)fclose(f);
	return f == NULL ? 1 : 0;
}
