/* sms_tsv.h - the data tables of the SMS files: rows of tab-separated columns, '#' opens a comment line, first row is the header.
 * Private to the sms_* files. Thread: any, pure. Owns: nothing; columns are borrowed from the table. */
#ifndef LANTOA_COMMON_SMS_TSV_H
#define LANTOA_COMMON_SMS_TSV_H

#include "text.h"

#define SMS_COLUMNS_MAX 8

struct sms_rows {
	struct lt_str rest, col[SMS_COLUMNS_MAX];
	size_t n_cols; /* of this row */
	int line;
	bool headed;
};
/* Next row behind the header; false at the end. */
bool sms_rows_next(struct sms_rows *r);
static inline struct sms_rows sms_rows_of(struct lt_str table)
{
	return (struct sms_rows){ .rest = table };
}
/* The header is as given and each row has as many columns; a table without rows is none. Absent table: sound. */
int sms_rows_check(struct lt_str table, const char *header, char *err, size_t err_size) LTC_MUST;
/* "line N: ..." */
int sms_rows_bad(const struct sms_rows *r, char *err, size_t err_size, const char *what,
	struct lt_str value, const char *right);

#endif
