/* store_q_internal.h - pieces of SQL that the readers of queue and stops share. For files of store/ only. */
#ifndef LANTOA_STORE_Q_INTERNAL_H
#define LANTOA_STORE_Q_INTERNAL_H

/* Is the office of lot l this one or below it? 0: any. n: a parameter, "?3". */
#define UNDER(n)                                                         \
	"(" n "=0 OR l.office_id IN (WITH RECURSIVE u(id) AS (SELECT " n \
	" UNION SELECT o.id FROM office o JOIN u ON o.parent_id=u.id) SELECT id FROM u))"

#endif
