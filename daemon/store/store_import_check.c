/* store_import_check.c - a staged import in order, its duplicates found, compared with the store: what is left is to be done.
 * Thread: worker. Owns: nothing.
 * Failures: duplicates are told through ask->problem, up to the caller's patience, and refuse the file.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_import_internal.h"

struct check {
	struct stage *st;
	const struct stage_ask *ask;
	struct compare *cmp;
	struct import_counts n;
	int64_t errors;
	struct import_row last; /* of the row before; its address in last_address */
	struct buf last_address;
	struct buf contact; /* name 0 form 0 class of the contact at hand: its first row decides */
	bool overruled;
	int taken_line; /* the first of them */
};

static bool told(struct check *c, bool error, int line, const char *field, const char *text)
{
	c->errors += error;
	return c->ask->problem(c->ask->ctx, error, line, field, text);
}

/* --- rows of one contact: its name, form and class are those of its first row ------------------------------------------------ */

static struct str contact_part(const struct check *c, int i)
{
	struct str rest = buf_str(&c->contact), one = { "", 0 };
	for (int k = 0; k <= i; k++)
		if (!str_next(&rest, '\0', &one))
			return (struct str){ "", 0 };
	return one;
}

static bool same_contact(const struct check *c, const struct import_row *row)
{
	return c->n.rows > 1 && c->last.kind == row->kind &&
		str_eq(buf_str(&c->last_address), row->address);
}

static int contact_settle(struct check *c, bool first, struct import_row *row)
{
	if (first) {
		buf_reset(&c->contact);
		buf_add_str(&c->contact, row->name);
		buf_addc(&c->contact, '\0');
		buf_add_str(&c->contact, row->form);
		buf_addc(&c->contact, '\0');
		buf_add_str(&c->contact, row->class);
		buf_addc(&c->contact, '\0');
		return c->contact.failed ? -E2BIG : 0;
	}
	struct str name = contact_part(c, 0);
	if (row->name.n && !str_eq(row->name, name) && !c->overruled) {
		char text[200];
		c->overruled = true;
		(void)snprintf(text, sizeof(text),
			"an address has one name; that of line %d is taken (said once)",
			c->last.line);
		if (!told(c, false, row->line, "name", text))
			return -ECANCELED;
	}
	row->name = name;
	row->form = contact_part(c, 1);
	row->class = contact_part(c, 2);
	return 0;
}

static int duplicate(struct check *c, int line)
{
	char text[200];
	(void)snprintf(text, sizeof(text),
		"the same address %sstands in line %d already; leave one of them",
		c->st->what == IMPORT_TARGETS ? "for the same office " : "", c->last.line);
	return told(c, true, line, "address", text) ? 0 : -ECANCELED;
}

static int take(struct check *c, struct import_row *row)
{
	c->n.rows++;
	bool targets = c->st->what == IMPORT_TARGETS, first = !same_contact(c, row);
	if (!first && c->last.office_id == row->office_id)
		return duplicate(c, row->line);
	int rc = targets ? contact_settle(c, first, row) : 0;
	c->last = (struct import_row){
		.kind = row->kind, .line = row->line, .office_id = row->office_id
	};
	buf_reset(&c->last_address);
	buf_add_str(&c->last_address, row->address);
	if (rc < 0 || c->errors)
		return rc;
	rc = targets ? compare_target(c->cmp, row, first, &c->n)
		     : compare_suppression(c->cmp, row, &c->n);
	if (c->n.taken && !c->taken_line)
		c->taken_line = row->line;
	return rc <= 0 ? rc : stage_step(c->st, row, (enum step_do)rc);
}

/* A target has the tags and lists of one file: who is in two loses what the other one said. */
static int taken_tell(struct check *c)
{
	char text[200];
	if (!c->n.taken)
		return 0;
	(void)snprintf(text, sizeof(text),
		"%lld targets came with another file: their tags and lists are those of this one now, and they are gone when it has them no more",
		(long long)c->n.taken);
	return told(c, false, c->taken_line, "tags", text) ? 0 : -ECANCELED;
}

static int sorted_pass(struct check *c)
{
	CLEANUP(rows_merge_close) struct rows_merge *m = NULL;
	struct import_row row;
	int rc = rows_merge_open(&c->st->rows, &m);
	while (rc == 0 && (rc = rows_merge_next(m, &row)) == 1)
		rc = take(c, &row);
	if (rc == 0 && !c->errors)
		rc = taken_tell(c);
	return rc == -ECANCELED ? 0 : rc;
}

int stage_check(
	struct stage *st, const struct stage_ask *ask, struct import_counts *ret, struct err *e)
{
	struct check c = { .st = st, .ask = ask };
	buf_init(&c.last_address, 4096);
	buf_init(&c.contact, 8192);
	int rc = compare_open(st, ask->source, &c.cmp);
	if (rc == 0)
		rc = sorted_pass(&c);
	if (rc == 0 && !c.errors && st->what == IMPORT_TARGETS)
		rc = compare_gone(c.cmp, ask->bound, &c.n);
	compare_close(c.cmp);
	if (rc == 0 && !c.errors)
		rc = stage_seal(st);
	rows_close(&st->rows);
	buf_done(&c.last_address);
	buf_done(&c.contact);
	if (rc < 0)
		return err_set(e, rc, "the import could not be checked: %s", strerror(-rc));
	if (c.errors)
		return err_set(e, -EBADMSG, "the file has %lld duplicates", (long long)c.errors);
	*ret = c.n;
	return 0;
}
