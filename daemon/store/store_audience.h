/* store_audience.h - rules of audiences as SQL: a predicate over target (alias t), and where possible a short way to it.
 * Thread: whoever holds the connection. Names are turned into row numbers when the rule is compiled, so the text holds numbers
 * only (and languages, which are checked to be nothing but letters, digits and dashes). For files in store/ only.
 *
 *   struct audience_sql a;  audience_sql_init(&a);
 *   rc = audience_sql_named(db, &a, names, n, &err);       or audience_sql_add(db, &a, rule, &err) as often as wanted: they are ORed
 *   "SELECT ... FROM target t JOIN contact c ON c.id = t.contact_id WHERE " AUDIENCE_TARGET_SEEN " AND " audience_sql_where(&a)
 *   where a.driven:  "SELECT ... FROM (" audience_sql_driver(&a) ") d CROSS JOIN target t ON t.id = d.id WHERE ..."
 */
#ifndef LANTOA_STORE_AUDIENCE_H
#define LANTOA_STORE_AUDIENCE_H

#include "base/buf.h"
#include "model/audience.h"
#include "store/store_internal.h"

#define AUDIENCE_SQL_MAX (4u << 20)
/* A target (alias t) that counts: not gone, and not of an import that is still being applied (see store_import.h). */
#define AUDIENCE_TARGET_SEEN \
	"((t.flags & 1) = 0 AND ((t.flags & 4) = 0 OR NOT EXISTS(SELECT 1 FROM job j WHERE j.kind=2 AND j.subject=t.seen_import)))"

struct audience_sql {
	struct buf where, driver;
	bool driven; /* every clause names a tag, a list or offices: driver lists candidate target ids */
	size_t rules;
	char unknown
		[200]; /* names of tags, lists and offices that no row has, for a warning; "" none */
};
void audience_sql_init(struct audience_sql *a);
void audience_sql_done(struct audience_sql *a); /* NULL allowed */
int audience_sql_add(struct db *db, struct audience_sql *a, const struct audience *rule,
	struct err *e) MUST_CHECK;
/* Narrows all rules that were added to contacts of this form; the last call before the text is used. */
int audience_sql_only_form(struct audience_sql *a, const char *form, struct err *e) MUST_CHECK;
/* A rule as stored: JSON of model/audience.h, or {"reached":RELEASE_ID}: whom that release reached, or may have. */
int audience_sql_add_rule(
	struct db *db, struct audience_sql *a, struct str rule, struct err *e) MUST_CHECK;
/* Audiences by name; -ENOENT names the one that is not there and the nearest. */
int audience_sql_named(struct db *db, struct audience_sql *a, const char *const *names, size_t n,
	struct err *e) MUST_CHECK;
const char *audience_sql_where(
	const struct audience_sql *a); /* parenthesised; "0" without a rule */
const char *audience_sql_driver(
	const struct audience_sql *a); /* a select of one column, id; NULL when not driven */
/* The stored rule of a name: owned. 0 or -ENOENT. */
int audience_rule_get(struct db *db, const char *name, char **ret, struct err *e) MUST_CHECK;

#endif
