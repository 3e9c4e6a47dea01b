/* import_internal.h - what the files of an import share. Worker side unless said. */
#ifndef LANTOA_PLAN_IMPORT_INTERNAL_H
#define LANTOA_PLAN_IMPORT_INTERNAL_H

#include "base/map.h"
#include "conf/conf_yaml.h"
#include "content/csv.h"
#include "content/problem.h"
#include "plan/import.h"
#include "store/store_office.h"

#define IMPORT_TEXT_MAX 2000 /* bytes of one value */

/* --- rows of CSV or YAML ------------------------------------------------------------------------------------------------------- */
struct table {
	char file[96];
	int fd;
	struct csv *csv;
	struct ynode *yaml;
	size_t at; /* next row of yaml */
	const char *key;
	char **col;
	size_t n_col;
	struct str *v;   /* n_col values of the row at hand, borrowed */
	struct buf hold; /* lists of yaml, joined */
	int line;
};
struct column {
	const char *name;
	bool required;
};
/* key: the column that keys of a YAML map stand for. Bad heads are problems; -EBADMSG then. */
int table_open(const struct staged *s, const char *key, const struct column *known, size_t n_known,
	bool further, struct content_problems *p, struct table **ret, struct err *e) MUST_CHECK;
/* 1 a row in t->v, 0 the end. Bad rows become problems and are passed over. */
int table_next(struct table *t, struct content_problems *p, struct err *e) MUST_CHECK;
int table_col(const struct table *t, const char *name); /* -1: none */
struct str table_get(const struct table *t, int col);   /* trimmed; empty when there is none */
void table_free(struct table *t);
DEFINE_CLEANUP(table_free, struct table *)

bool import_lang_ok(struct str s);
bool import_code_ok(struct str s);
/* {"name":"value",...} sorted by name, empty values left out; `take` says which columns. */
int import_vars(struct buf *b, const struct table *t, const int *cols, size_t n);
size_t import_var_cols(const struct table *t, const struct column *known, size_t n_known,
	int *ret); /* sorted by name */

/* --- one import ------------------------------------------------------------------------------------------------------------------- */
struct importer {
	struct import_opts o;
	enum import_what what;
	struct conf *conf;
	struct channels *cs;
	char *path, *name, *source, *person, *via, *office;
	bool dry, hashed; /* hashed: the hash came with the file */
	plan_done_fn *done;
	void *ctx;
	struct content_problems problems;
	struct hash hash;
	struct work work;
	struct timer retry;
	void (*retry_fn)(struct importer *im);
	int (*fn)(struct importer *im); /* on a worker */
	void (*next)(struct importer *im);
	int rc;
	struct err err;
	struct import_counts counts;
	/* small imports */
	struct office_in *offices;
	struct rule_in *rules;
	struct campaign_in *campaigns;
	size_t n;
	struct office_import small;
	/* large ones */
	struct table *table;
	struct stage *stage;
	struct target_parse *parse;
	bool end;
	/* Two blocks, so that two threads work: one is read while the other is stored. */
	struct buf block, other;
	struct work store_work;
	struct err store_err;
	int store_rc;
	bool reading, storing, full; /* full: block holds what the other side shall take */
	int64_t read_cursor;         /* bytes of the steps */
	struct import_begin begin;
	struct import_again again;
	struct import_chunk chunk;
	struct import_finish finish;
	struct import_undo undo;
	struct office_settle settle;
	int64_t import_id;
};
/* import.c. Life: importer_new, steps, then importer_end or importer_left answers and frees it. */
struct importer *importer_new(const struct import_opts *o, plan_done_fn *done, void *ctx);
/* fn on a worker, then next. */
void importer_step(
	struct importer *im, int (*fn)(struct importer *), void (*next)(struct importer *));
/* done is called before this returns where the store does not take it: as if it had run and failed. */
void importer_submit(struct importer *im, struct store_cmd *cmd, void (*done)(struct store_cmd *));
void importer_end(struct importer *im, int rc); /* its staging file goes */
bool importer_refused(
	struct importer *im, const struct store_cmd *cmd); /* false: it was not; else ended */
void importer_left(
	struct importer *im, const struct store_cmd *cmd); /* it stays: the next start goes on */
bool importer_stops(const struct importer *im);            /* the daemon does */
/* What has begun waits for a full disk or queue: true, and fn is called a little later; it looks whether the daemon stops. */
bool importer_waits(struct importer *im, int rc, void (*fn)(struct importer *im));
void importer_read_ahead(struct importer *im); /* the steps from read_cursor on are applied */
int import_offices_read(struct importer *im);
int import_rules_read(struct importer *im);
int import_campaigns_read(struct importer *im);
void import_small_free(struct importer *im);
int import_targets_open(struct importer *im);
int import_targets_slice(struct importer *im); /* the next rows into im->block; sets im->end */
void import_targets_close(struct importer *im);
int import_address(struct importer *im, const char *channel, struct str in, struct addr_out *ret,
	struct err *e);
const char *import_file_name(const char *name); /* for people: what came by a pipe has none */
bool import_problem(void *im, bool error, int line, const char *field, const char *text);

#endif
