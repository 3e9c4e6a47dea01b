/* sms_tsv.c - reads the data tables of the SMS files. Thread: any, pure. Failures: -EINVAL and a sentence with the line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "sms_tsv.h"

#define LINE_MAX_BYTES 4000

bool sms_rows_next(struct sms_rows *r)
{
	struct lt_str line;

	while (ltc_line(&r->rest, &line)) {
		r->line++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!r->headed) {
			r->headed = true;
			continue;
		}
		r->n_cols = 0;
		while (r->n_cols < SMS_COLUMNS_MAX && ltc_next(&line, '\t', &r->col[r->n_cols]))
			r->n_cols++;
		for (size_t i = r->n_cols; i < SMS_COLUMNS_MAX; i++)
			r->col[i] = (struct lt_str){ "", 0 };
		return true;
	}
	return false;
}

int sms_rows_bad(const struct sms_rows *r, char *err, size_t err_size, const char *what,
	struct lt_str value, const char *right)
{
	(void)snprintf(err, err_size, "line %d: %s '%.*s' is wrong; %s", r->line, what,
		(int)(value.n > 60 ? 60 : value.n), value.n > 0 ? value.p : "", right);
	return -EINVAL;
}

static size_t columns(const char *header)
{
	size_t n = 1;

	for (const char *p = header; *p != '\0'; p++)
		n += *p == '\t';
	return n;
}

static int check_header(struct lt_str table, const char *header, char *err, size_t err_size)
{
	struct lt_str rest = table, line;
	int at = 0;

	while (ltc_line(&rest, &line)) {
		at++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (ltc_eqz(line, header))
			return 0;
		break;
	}
	char words[200];
	(void)snprintf(words, sizeof(words), "%s", header);
	for (char *p = words; *p != '\0'; p++)
		*p = *p == '\t' ? ' ' : *p;
	(void)snprintf(err, err_size, "line %d: the first row has to be: %s (one tab between)",
		at == 0 ? 1 : at, words);
	return -EINVAL;
}

int sms_rows_check(struct lt_str table, const char *header, char *err, size_t err_size)
{
	struct sms_rows r = sms_rows_of(table);
	size_t want = columns(header);

	if (table.p == NULL)
		return 0;
	if (!ltc_utf8_valid(table)) {
		(void)snprintf(err, err_size, "the table is not UTF-8");
		return -EINVAL;
	}
	if (check_header(table, header, err, err_size) < 0)
		return -EINVAL;
	while (sms_rows_next(&r)) {
		if (r.n_cols == want)
			continue;
		(void)snprintf(err, err_size,
			"line %d: %zu columns, %zu are needed (one tab between, `-` where there is nothing)",
			r.line, r.n_cols, want);
		return -EINVAL;
	}
	return 0;
}
