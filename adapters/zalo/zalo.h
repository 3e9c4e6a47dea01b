/* zalo.h - what the files of the Zalo Official Account adapter share.
 * One channel is one app, one account of it is one OA. A delivery to `oa:` makes an article (effect 0), or it is a
 * broadcast of articles that stand (effect 1), as its payload says; `group:` and `user:` get messages, `phone:` a template message.
 * Happy path of an article: look whether people posted it, create hidden, ask until it has an id, show it, ask again.
 * Threads: the pure side anywhere, the rest on the loop. Owns: priv of instance, session and jobs, all host memory. */
#ifndef LANTOA_ZALO_H
#define LANTOA_ZALO_H

#include "../common/outcome.h"
#include "../common/json.h"
#include "../common/session.h"

#define ZALO_TITLE_MAX       149 /* characters; 150 is refused, whatever the manual says */
#define ZALO_DESCRIPTION_MAX 299
#define ZALO_AUTHOR_MAX      50
#define ZALO_TEXT_MAX        2000 /* of a message */
#define ZALO_CAPTION_MAX     200
#define ZALO_PICTURE_BYTES   1000000u
#define ZALO_FILE_BYTES      5000000u
#define ZALO_CAST_MAX        5  /* articles of one broadcast */
#define ZALO_ITEMS_MAX       10 /* messages of one delivery to a group or user */
#define ZALO_BODY_MAX        (1u << 20)
#define ZALO_ANSWER_MAX      (512 << 10)
#define ZALO_ID_MAX          100
#define ZALO_TOKEN_MAX       1000 /* with its NUL: what the host keeps as a step */

enum zalo_form { ZALO_NONE = 0, ZALO_OA, ZALO_GROUP, ZALO_USER, ZALO_PHONE };

struct zalo_conf {
	struct lt_str base_oa, base_zns, base_oauth, app_id, oa_id;
	struct lt_str app_secret, oa_secret, verifier; /* names of secrets; absent: none */
	struct lt_str redirect_uri, author, ages, cities, gender, zns_template, zns_data, zns_mode;
	bool comment, proof, image_default, guard;
	int64_t window, connect_ms, call_ms, poll_ms, poll_max_ms, find_wait_ms, guard_hours, pages;
	int64_t images_max, zns_left, zns_param_max, url_lives_ms, retry_ms, group_pause_ms;
};
struct zalo_inst {
	struct zalo_conf conf;
	struct ltc_outcomes *outcomes;
	int64_t skew_ms; /* their clock minus ours, by the last Date that was seen */
	bool skew_known;
};
/* --- answers and what they mean (zalo_answer.c) --- */
enum { ZALO_O_REFRESH = 16, ZALO_O_POLL = 17, ZALO_O_UPLOAD = 18, ZALO_O_LOST = 19 };
extern const struct ltc_outcome_words zalo_outcome_words;
struct zalo_answer {
	uint32_t phase; /* LT_P_* */
	int32_t status;
	bool json, good;             /* good: error 0 */
	struct ltc_json *tree;       /* owned; NULL where it is no JSON */
	const struct ltc_json *data; /* absent where there is none */
	char code[24], sub[12], text[201];
};
void zalo_answer_read(const struct lt_http_res *r, struct zalo_answer *ret);
void zalo_answer_done(struct zalo_answer *a);
#define ZALO_CLEANUP_ANSWER __attribute__((cleanup(zalo_answer_done)))
/* The row of the table; never NULL (a table without a last row for every phase is refused at open). */
const struct ltc_outcome_row *zalo_classify(
	const struct ltc_outcomes *t, const char *phase, const struct zalo_answer *a);
int zalo_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size) LTC_MUST;

/* --- configuration (zalo_conf.c) --- */
#define ZALO_N_KEYS 34u
extern const struct lt_key zalo_keys[ZALO_N_KEYS];
int zalo_conf_read(
	const struct lt_conf *c, struct zalo_conf *ret, char *err, size_t err_size) LTC_MUST;

/* --- the pure side --- */
int zalo_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink);
int zalo_prepare(const struct lt_conf *c, const struct lt_content *in, struct lt_sink *sink);
int zalo_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink);
enum { ZALO_HOLE_MARK = 1, ZALO_HOLE_ZNS = 2 };
enum zalo_form zalo_form_of(struct lt_str address, struct lt_str *ret_id); /* canonical ones */
struct lt_str zalo_form_name(enum zalo_form f);

/* --- jobs --- */
int zalo_op_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n);
int zalo_op_event(struct lt_job *job, const struct lt_event *ev);
int zalo_token_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w);
int zalo_token_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
int zalo_check_start(struct lt_inst *inst, struct lt_job *job);
int zalo_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
int zalo_ask_start(
	struct lt_inst *inst, struct lt_job *job, const struct lt_work *w); /* poll, stats */
int zalo_ask_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev);
int zalo_webhook(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w);
struct zalo_call;
void zalo_groups_call(struct zalo_call *c); /* the groups of the OA, the first fifty */
void zalo_groups_facts(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a);
void zalo_quota_facts(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a);
union zalo_other_priv; /* zalo_other.h: the largest of them */

#endif
