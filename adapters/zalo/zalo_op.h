/* zalo_op.h - one delivery (or question about one) as a walk over states. A state makes one call; its answer leads to the next.
 * What must survive a crash is saved before the next call; what people see needs its own intent. */
#ifndef LANTOA_ZALO_OP_H
#define LANTOA_ZALO_OP_H

#include "zalo.h"

#define ZALO_OF_SIZE 17 /* the fingerprint of a payload, with its NUL */

enum zalo_state {
	ZS_NONE = 0,
	/* article */
	ZS_GUARD,        /* the last articles of the OA: is it there already? */
	ZS_GUARD_DETAIL, /* the one with our title: ours or a person's? */
	ZS_CREATE,       /* hidden */
	ZS_FIND,         /* after a lost answer */
	ZS_FIND_DETAIL,
	ZS_VERIFY,
	ZS_SHOW,
	ZS_SHOWN,     /* verify of the update */
	ZS_SHOW_LOOK, /* it gave no token to verify */
	ZS_LINK,      /* where it can be read */
	/* broadcast */
	ZS_CAST_LOOK, /* is each of its articles to be seen? */
	ZS_CAST,
	/* messages */
	ZS_UPLOAD,
	ZS_ANNOUNCE, /* what is tried next is noted, after the pause that groups need */
	ZS_SEND,
	ZS_ZNS,
	/* questions and changes */
	ZS_LOOK,       /* what became of an article, a message */
	ZS_LOOK_TOKEN, /* is its update still being processed? */
	ZS_REMOVE,     /* recall */
	ZS_N
};
enum { /* tokens of save() */
	ZSAVE_BEGUN = 1,
	ZSAVE_TOKEN,
	ZSAVE_ARTICLE,
	ZSAVE_SHOW_TOKEN,
	ZSAVE_SHOWN,
	ZSAVE_LINK,
	ZSAVE_CAST,
	ZSAVE_UPLOADED,
	ZSAVE_TRY,
	ZSAVE_SENT,
	ZSAVE_THEN_END /* finish with what was decided */
};
enum { ZWAKE_STATE = 1 };

struct zalo_item {
	bool image;
	struct lt_str asset, type, name;
	uint64_t bytes; /* 0: by public address */
};
struct zalo_op {
	struct lt_job *job;
	struct ltc_session *session;
	struct lt_inst *inst;
	const struct lt_work *work; /* borrowed until finish */
	enum zalo_form form;
	enum zalo_state state,
		unsure;       /* unsure: the state that the look at a shown article settles */
	struct lt_str target; /* id of the OA, group, user; number */
	struct lt_str head, title, cast, tmpl; /* of the payload */
	bool plain;                            /* payload is a bare text */
	bool calling, stopping, refreshed, uploaded_again, reshown, shown, show_sent, sought;
	bool cast_sent, remade;
	bool other, of_saved; /* other: the steps are of another text than this one (zalo_of.c) */
	bool listed_shown;    /* what the listing says of the article that was found */
	int odd;              /* answers to a poll that say neither yes nor wait */
	uint64_t serial;      /* of the call under way: an answer to an older one is none */
	uint64_t version;     /* of the token that the call used */
	uint32_t flags;       /* of the call under way */
	int64_t begun_ms, found_ms, poll_end, sent_ms; /* sent_ms: the last message, monotonic */
	int page, again, url_waits,
		looked_at; /* looked_at: articles of this page that were not the one */
	size_t n_items, item;
	struct zalo_item items[ZALO_ITEMS_MAX];
	char of[ZALO_OF_SIZE], token[ZALO_TOKEN_MAX], article[ZALO_ID_MAX], attach[ZALO_TOKEN_MAX],
		url[400];
	char sent[ZALO_ITEMS_MAX][ZALO_ID_MAX]; /* ids of messages */
	struct lt_result end;                   /* with ZSAVE_THEN_END */
	char end_code[24], end_text[301];
};

/* zalo_op.c */
void zalo_enter(
	struct zalo_op *op, enum zalo_state st); /* asks for the intent where the state needs one */
void zalo_enter_later(struct zalo_op *op, enum zalo_state st, int64_t wait_ms);
void zalo_refresh(struct zalo_op *op); /* the state is entered again with the new token */
void zalo_save(struct zalo_op *op, const char *name, struct lt_str value, uint64_t token);
struct lt_str zalo_step(const struct zalo_op *op, const char *name);
void zalo_end(struct zalo_op *op, int32_t outcome, int32_t scope, uint32_t flags, int64_t retry_ms,
	const char *code, const char *text);
void zalo_end_row(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a);
/* The same after a step was forgotten, so that a crash between the two leaves it. */
void zalo_end_row_without(struct zalo_op *op, const struct ltc_outcome_row *row,
	const struct zalo_answer *a, const char *step);
void zalo_end_no_url(struct zalo_op *op, int rc); /* a picture has no public address */
void zalo_end_good(struct zalo_op *op);
int64_t zalo_their_now(const struct zalo_op *op); /* wall time as the provider has it */
const struct zalo_conf *zalo_conf_of(const struct zalo_op *op);
int64_t zalo_now(const struct zalo_op *op); /* monotonic */
/* The address of a picture names the hour of its end: an hour more by each try makes it another, for one that could not be
 * fetched is not asked for again for a while (contract, section 4). */
int64_t zalo_url_lives_ms(const struct zalo_op *op);

/* zalo_of.c */
bool zalo_of_look(struct zalo_op *op);   /* true: what was saved is of another text */
void zalo_of_keep(struct zalo_op *op);   /* saved once, before the first thing that is made */
bool zalo_of_forget(struct zalo_op *op); /* in the store; true: a message of it has gone out */
void zalo_of_ask(struct zalo_op *op);    /* ends the op: a person decides */
bool zalo_of_text(struct lt_str name);   /* a step that says something about the text */

/* zalo_call.c: one request of the OA or ZNS API with the token by name */
struct zalo_call {
	const char *method, *path; /* path behind the base address */
	bool zns;
	struct lt_str json;            /* body; absent: none */
	const struct lt_field *fields; /* multipart instead */
	size_t n_fields;
	const struct lt_pair *query;
	size_t n_query;
	uint32_t flags;
	uint64_t token;
};
int zalo_call(struct lt_inst *inst, struct lt_job *job, const struct zalo_call *c);
void zalo_note_answer(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r);
int zalo_op_call(struct zalo_op *op, struct zalo_call *c); /* of the op's state */

/* zalo_article.c, zalo_cast.c, zalo_message.c, zalo_look.c: request and good answer of each state; `bad` may handle a row itself: true */
struct zalo_state_row {
	const char *phase, *intent; /* intent NULL: nothing that people see */
	uint32_t flags;
	int (*request)(struct zalo_op *op);
	void (*good)(struct zalo_op *op, const struct zalo_answer *a);
	bool (*bad)(
		struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a);
};
extern const struct zalo_state_row zalo_article_rows[], zalo_cast_rows[], zalo_message_rows[],
	zalo_look_rows[];
const struct zalo_state_row *zalo_state_row(enum zalo_state st);
int zalo_verify(struct zalo_op *op); /* the request, of op->token */
/* Of an article or an upload; empty where it is too long to be kept. */
void zalo_token_take(const struct zalo_answer *a, const char *name, char dst[ZALO_TOKEN_MAX]);
void zalo_link_take(struct zalo_op *op, const struct zalo_answer *a); /* where it can be read */
void zalo_article_first(struct zalo_op *op);
void zalo_article_change(
	struct zalo_op *op); /* correct: op->article becomes what the payload says */
void zalo_article_saved(struct zalo_op *op, uint64_t token);
void zalo_cast_first(struct zalo_op *op); /* zalo_cast.c */
void zalo_message_first(struct zalo_op *op);
size_t zalo_messages(const struct zalo_op *op); /* of a delivery to a group or a user */
struct lt_str zalo_message_url(
	const struct zalo_op *op); /* asset whose public address is sent; absent: none */
void zalo_message_saved(struct zalo_op *op, uint64_t token);
void zalo_look_first(struct zalo_op *op); /* reconcile, recall, correct */

/* zalo_find.c: states before and beside the making of an article */
int zalo_list_page(struct zalo_op *op);
int zalo_detail(struct zalo_op *op);
void zalo_begin(struct zalo_op *op); /* from the start: the word that it is tried, then create */
void zalo_adopt(struct zalo_op *op); /* op->article is ours: saved, then shown */
void zalo_find(struct zalo_op *op);
void zalo_guard_good(struct zalo_op *op, const struct zalo_answer *a);
void zalo_guard_detail_good(struct zalo_op *op, const struct zalo_answer *a);
bool zalo_guard_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a);
void zalo_find_good(struct zalo_op *op, const struct zalo_answer *a);
void zalo_find_detail_good(struct zalo_op *op, const struct zalo_answer *a);

/* zalo_list.c: listings of articles and messages */
struct zalo_media {
	char id[ZALO_ID_MAX], title[1000], link[400];
	bool shown;
	int64_t created_ms; /* 0: not told */
};
bool zalo_list_told(
	const struct zalo_answer *a); /* false: a yes without the list, which proves nothing */
bool zalo_media_next(const struct ltc_json **rest, struct zalo_media *ret);
/* 1: the detail carries our ref; 0: another mark or none where we set one; -1: it does not tell. */
int zalo_detail_mark(const struct zalo_answer *a, struct lt_str ref);

#endif
