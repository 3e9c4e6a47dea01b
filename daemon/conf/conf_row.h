/* conf_row.h - one table row per key: name, how it is read, where it goes. For files in conf/ only. */
#ifndef LANTOA_CONF_ROW_H
#define LANTOA_CONF_ROW_H

#include "conf/conf.h"
#include "conf/conf_yaml.h"

struct conf_ctx {
	const char *file;
	struct conf *conf;
	size_t *unseen; /* conf_load_by_hand: secrets that were not looked at; NULL: all are */
	struct err *e;
};
struct conf_row {
	const char *key;
	int (*read)(
		struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row);
	size_t at;        /* offset of dst in the struct */
	int64_t min, max; /* bounds of numbers; both 0: any */
	size_t at_n;      /* offset of the count that belongs to a list */
};

/* Reads a map by its rows; an unknown key is refused with the nearest right name. */
int conf_read_map(struct conf_ctx *cx, const struct ynode *map, const struct conf_row *rows,
	size_t n, void *dst) MUST_CHECK;
/* Refuses a name of more than `max` bytes at its node; what: "channel". NULL is no name, and fits. */
int conf_name_fits(struct conf_ctx *cx, const struct ynode *v, const char *what, const char *name,
	size_t max) MUST_CHECK;
/* Error at a node: "file:line: key: text". Returns -EINVAL. */
int conf_bad(struct conf_ctx *cx, const struct ynode *v, const char *fmt, ...) PRINTF_LIKE(3, 4);

int conf_row_str(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_path(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* relative to the file, made absolute */
int conf_row_bool(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_i64(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_u32(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_int(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_share(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* 0 .. 1 or percent, double */
int conf_row_duration(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_size(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_rate(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* "50/s", "600/min": double per second */
int conf_row_double(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_hours(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_strv(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_backoff(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* int64_t[16] and a count at at_n from dst's struct */
int conf_row_pairs(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* struct conf_pair * with its count at at_n */
int conf_row_files(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* the same, values are paths */
int conf_row_secrets(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_secret(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* one: {file: PATH} or {credential: NAME} */

/* conf_net.c: listeners, addresses of ours, proxies, PEM files (a key is for us alone). */
int conf_row_listen(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_url(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_proxy(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_pem(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_pem_text(struct conf_ctx *, const struct ynode *, void *,
	const struct conf_row *); /* of a file: its text */
int conf_row_pem_key(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);

/* conf_jobs.c: what a channel does beside sending. */
int conf_row_webhook(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_poll(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_stats(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_inbound(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
void conf_jobs_default(struct conf_channel *ch);
void conf_jobs_done(struct conf_channel *ch);

/* conf_money.c: budgets, and the rules of a category. */
int conf_row_budgets(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
int conf_row_categories(struct conf_ctx *, const struct ynode *, void *, const struct conf_row *);
void conf_money_default(
	struct conf *c); /* what the decree on advertising says, where nothing is configured */
int conf_money_check(struct conf_ctx *cx) MUST_CHECK;
void conf_money_done(struct conf *c);

int conf_read_channel(
	struct conf_ctx *cx, const struct ynode *map, struct conf_channel **ret) MUST_CHECK;
void conf_channel_free(struct conf_channel *ch);
void conf_pairs_free(struct conf_pair *p, size_t n);
void conf_secrets_free(struct conf_secret *s, size_t n);
void conf_strv_done(struct conf_strv *v);
int conf_backup_check(struct conf_ctx *cx) MUST_CHECK; /* conf_backup.c */
int conf_check_whole(struct conf_ctx *cx) MUST_CHECK;  /* what ties several keys together */

#endif
