/* zalo_article.c - the states of an article: guard, create hidden, verify, show, verify.
 * A correction is one more show, of an article that stands.
 * Everything before the show is unseen by people and may be done again; the show may be repeated.
 * Thread: loop. Owns: its buffers for a call. Failures: an answer lost at create leads to the listing, at show to another show. */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"

#define ODD_MAX 2 /* polls that an unknown error is followed by another */

/* {"id":"...",MEMBERS,"status":"show"}; negative: a picture has no public address, or not yet. */
static int article_body(struct zalo_op *op, const char *status, struct ltc_buf *b)
{
	const struct lt_host *h = op->inst->host;

	ltc_addc(b, '{');
	if (op->article[0] != '\0') {
		ltc_addz(b, "\"id\":");
		ltc_json_add(b, ltc_z(op->article));
		ltc_addc(b, ',');
	}
	for (size_t i = 1; i < op->work->n_payload; i++) {
		const struct lt_src *s = &op->work->payload[i];
		struct lt_str url = { 0 };
		if (s->asset.p == NULL) {
			ltc_adds(b, s->bytes);
			continue;
		}
		int rc = h->asset_url(h->ctx, op->job, s->asset, zalo_url_lives_ms(op), &url);
		if (rc < 0 || url.n == 0)
			return rc < 0 ? rc : -LT_E_INVALID;
		ltc_json_add_inner(b, url);
	}
	ltc_addf(b, ",\"status\":\"%s\"}", status);
	return 0;
}

static int send_article(struct zalo_op *op, const char *path, const char *status)
{
	struct ltc_buf b;
	int rc = 0;

	ltc_buf_init(&b, ZALO_BODY_MAX);
	rc = article_body(op, status, &b);
	if (rc < 0) {
		ltc_buf_done(&b);
		zalo_end_no_url(op, rc);
		return 0;
	}
	struct zalo_call c = { .method = "POST", .path = path, .json = ltc_buf_str(&b) };
	rc = b.failed ? -LT_E_FULL : zalo_op_call(op, &c);
	ltc_buf_done(&b);
	return rc;
}

static int post_pair(struct zalo_op *op, const char *path, const char *name, const char *value)
{
	struct ltc_buf b;

	ltc_buf_init(&b, 6 * ZALO_TOKEN_MAX);
	ltc_addf(&b, "{\"%s\":", name);
	ltc_json_add(&b, ltc_z(value));
	ltc_addc(&b, '}');
	struct zalo_call c = { .method = "POST", .path = path, .json = ltc_buf_str(&b) };
	int rc = b.failed ? -LT_E_FULL : zalo_op_call(op, &c);
	ltc_buf_done(&b);
	return rc;
}

/* --- create and find --------------------------------------------------------------------------------------------------------- */
static int create_request(struct zalo_op *op)
{
	op->article[0] = '\0';
	return send_article(op, "/v2.0/article/create", "hide");
}

static void verify_begin(struct zalo_op *op, enum zalo_state st)
{
	int64_t end = zalo_now(op) + zalo_conf_of(op)->poll_max_ms;
	int64_t limit = op->work->deadline_ms - 5000;

	op->poll_end = op->work->deadline_ms > 0 && limit < end ? limit : end;
	op->again = 0;
	zalo_enter_later(op, st, zalo_conf_of(op)->poll_ms);
}

/* All of it, or none: a half of one is nobody's. */
void zalo_token_take(const struct zalo_answer *a, const char *name, char dst[ZALO_TOKEN_MAX])
{
	struct lt_str said = ltc_json_str(a->data, name);

	if (said.n < ZALO_TOKEN_MAX)
		(void)ltc_json_copy(ltc_json_get(a->data, name), dst, ZALO_TOKEN_MAX);
	else
		dst[0] = '\0';
}

static void create_good(struct zalo_op *op, const struct zalo_answer *a)
{
	zalo_token_take(a, "token", op->token);
	if (op->token[0] == '\0')
		zalo_find(op); /* a yes without a token: it may have been made */
	else
		zalo_save(op, "token", ltc_z(op->token), ZSAVE_TOKEN);
}

static bool create_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	if (row->outcome == ZALO_O_LOST)
		zalo_find(op);
	else if (op->sought || row->outcome == LT_UNKNOWN)
		return false; /* this or an earlier one may have been made unseen: it stays looked for */
	else
		zalo_end_row_without(
			op, row, a, "begun"); /* nothing was made: the guard looks again */
	return true;
}

/* --- verify ------------------------------------------------------------------------------------------------------------------ */
int zalo_verify(struct zalo_op *op)
{
	return post_pair(op, "/v2.0/article/verify", "token", op->token);
}

/* No answer of theirs says that it is shown: the article itself may. Not where it was shown before, with another text. */
static bool look_instead(struct zalo_op *op, enum zalo_state unsure)
{
	if (op->stopping || op->other || op->job->kind != LT_J_OP)
		return false;
	op->unsure = unsure;
	zalo_enter(op, ZS_SHOW_LOOK);
	return true;
}

static void processed_later(struct zalo_op *op)
{
	zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, 60000, "-214",
		"the article is still being processed; it is asked for again");
}

static void poll_again(struct zalo_op *op)
{
	if (zalo_now(op) + zalo_conf_of(op)->poll_ms < op->poll_end)
		zalo_enter_later(op, op->state, zalo_conf_of(op)->poll_ms);
	else if (op->state != ZS_SHOWN || !look_instead(op, op->state))
		processed_later(op);
}

static void verify_good(struct zalo_op *op, const struct zalo_answer *a)
{
	char id[ZALO_ID_MAX];

	(void)ltc_json_copy(ltc_json_get(a->data, "id"), id, sizeof(id));
	if (id[0] == '\0') {
		poll_again(op);
		return;
	}
	(void)snprintf(op->article, sizeof(op->article), "%s", id);
	if (op->state == ZS_VERIFY)
		zalo_adopt(op);
	else
		zalo_save(op, "shown", LTC_LIT("yes"), ZSAVE_SHOWN);
}

/* The answer of a definite no: the article was not made, the next try makes a new one with new addresses of pictures. */
static void forget(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	if (op->state == ZS_VERIFY)
		zalo_save(op, "begun", (struct lt_str){ "", 0 }, 0);
	zalo_end_row_without(op, row, a, op->state == ZS_VERIFY ? "token" : "show_token");
}

static bool verify_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	if (row->outcome == ZALO_O_POLL && a->json && strcmp(a->code, "-214") != 0 &&
		op->odd++ >= ODD_MAX) {
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 60000, a->code, a->text);
	} else if (row->outcome == ZALO_O_POLL) {
		poll_again(op);
	} else if (row->outcome == ZALO_O_LOST && op->state == ZS_VERIFY && !op->remade) {
		op->remade = true; /* once a try: each may make another hidden article */
		zalo_find(op);
	} else if (row->outcome == ZALO_O_LOST && op->state == ZS_SHOWN && !op->reshown) {
		op->reshown = true;
		zalo_enter(op, ZS_SHOW);
	} else if (row->outcome == ZALO_O_LOST && op->state == ZS_SHOWN &&
		look_instead(op, ZS_SHOW)) {
		return true;
	} else if (strcmp(a->code, "-200") == 0 || row->outcome == LT_REFUSED ||
		row->outcome == ZALO_O_LOST) {
		forget(op, row, a);
	} else {
		return false;
	}
	return true;
}

/* --- show ------------------------------------------------------------------------------------------------------ */
static int show_request(struct zalo_op *op)
{
	op->show_sent = true;
	return send_article(op, "/v2.0/article/update", "show");
}

static void show_good(struct zalo_op *op, const struct zalo_answer *a)
{
	zalo_token_take(a, "token", op->token);
	if (op->token[0] == '\0' && op->stopping)
		zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, a->code,
			"stopped before the article could be asked whether it is shown");
	else if (op->token[0] == '\0')
		zalo_enter(op, ZS_SHOW_LOOK); /* a yes without a token: the article is asked */
	else
		zalo_save(op, "show_token", ltc_z(op->token), ZSAVE_SHOW_TOKEN);
}

static void show_lost(struct zalo_op *op, const char *code)
{
	zalo_end(op, op->stopping ? LT_UNKNOWN : LT_DEFERRED, LT_SCOPE_TARGET, 0, 15000, code,
		"the article may be shown or not; it is shown again");
}

static void show_look_good(struct zalo_op *op, const struct zalo_answer *a)
{
	if (ltc_eqz(ltc_json_str(a->data, "status"), "show")) {
		zalo_save(op, "shown", LTC_LIT("yes"), ZSAVE_SHOWN);
	} else if (op->unsure == ZS_SHOWN) {
		processed_later(op);
	} else if (op->unsure == ZS_SHOW) {
		show_lost(op, "lost");
	} else if (op->again++ < 2 && !op->stopping) {
		zalo_enter_later(op, ZS_SHOW, 2000);
	} else {
		op->show_sent = false; /* seen: it is not shown */
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 15000, "hidden",
			"the answer was a yes and the article is still hidden; it is shown again");
	}
}

/* The same update again is harmless: a lost answer is followed by another, then by a look, and then by the lane's own schedule. */
static bool show_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	if (row->outcome != ZALO_O_LOST) {
		op->show_sent = false; /* a definite no */
		return false;
	}
	if (op->again++ < 2 && !op->stopping) {
		zalo_enter_later(op, ZS_SHOW, 2000);
		return true;
	}
	if (!look_instead(op, op->state))
		show_lost(op, a->code);
	return true;
}

static void after_link(struct zalo_op *op);

void zalo_link_take(struct zalo_op *op, const struct zalo_answer *a)
{
	static const char *const names[] = { "link_view", "link", "url" };

	for (size_t i = 0; i < 3 && op->url[0] == '\0'; i++)
		(void)ltc_json_copy(ltc_json_get(a->data, names[i]), op->url, sizeof(op->url));
}

static void link_good(struct zalo_op *op, const struct zalo_answer *a)
{
	zalo_link_take(op, a);
	if (op->url[0] != '\0')
		zalo_save(op, "link", ltc_z(op->url), ZSAVE_LINK);
	else
		after_link(op);
}

/* The address is for reports only: without it nothing is missing. */
static bool link_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	(void)row;
	(void)a;
	after_link(op);
	return true;
}

static void after_shown(struct zalo_op *op)
{
	op->shown = true;
	if (op->url[0] == '\0' && !op->stopping)
		zalo_enter(op, ZS_LINK);
	else
		after_link(op);
}

static void after_link(struct zalo_op *op)
{
	if (op->stopping)
		zalo_end(op, LT_ACCEPTED, LT_SCOPE_TARGET, 0, 0, "stop", "");
	else
		zalo_end_good(op);
}

void zalo_article_saved(struct zalo_op *op, uint64_t token)
{
	switch (token) {
	case ZSAVE_BEGUN: zalo_enter(op, ZS_CREATE); break;
	case ZSAVE_TOKEN: verify_begin(op, ZS_VERIFY); break;
	case ZSAVE_ARTICLE:
		op->again = 0;
		zalo_enter(op, ZS_SHOW);
		break;
	case ZSAVE_SHOW_TOKEN: verify_begin(op, ZS_SHOWN); break;
	case ZSAVE_SHOWN: after_shown(op); break;
	case ZSAVE_LINK: after_link(op); break;
	default: break;
	}
}

static void copy(char *dst, size_t size, struct lt_str s)
{
	(void)snprintf(dst, size, "%.*s", (int)s.n, s.p == NULL ? "" : s.p);
}

/* Where an earlier try stopped. */
void zalo_article_first(struct zalo_op *op)
{
	if (zalo_of_look(op))
		(void)zalo_of_forget(op);
	struct lt_str token = zalo_step(op, "token"), shown = zalo_step(op, "show_token");
	if (op->other)
		zalo_of_keep(op);

	copy(op->article, sizeof(op->article), zalo_step(op, "article"));
	copy(op->url, sizeof(op->url), zalo_step(op, "link"));
	if (zalo_step(op, "shown").n != 0) {
		after_shown(op);
	} else if (shown.n != 0 && op->article[0] != '\0') {
		op->show_sent = true;
		copy(op->token, sizeof(op->token), shown);
		verify_begin(op, ZS_SHOWN);
	} else if (op->article[0] != '\0') {
		zalo_enter(op, ZS_SHOW);
	} else if (token.n != 0) {
		copy(op->token, sizeof(op->token), token);
		if (ltc_i64(zalo_step(op, "begun"), 0, INT64_MAX, &op->begun_ms) < 0)
			op->begun_ms = 0;
		verify_begin(op, ZS_VERIFY);
	} else if (ltc_i64(zalo_step(op, "begun"), 1, INT64_MAX, &op->begun_ms) == 0) {
		zalo_find(op);
	} else if (zalo_conf_of(op)->guard && zalo_step(op, "guarded").n == 0) {
		zalo_enter(op, ZS_GUARD);
	} else {
		zalo_begin(op);
	}
}

/* The article that stands gets the payload of the correction by the same update that shows one. The step says to a later question that this is a correction, and of which article. */
void zalo_article_change(struct zalo_op *op)
{
	if (zalo_of_look(op))
		(void)zalo_of_forget(op);
	struct lt_str shown = zalo_step(op, "show_token");

	copy(op->url, sizeof(op->url), zalo_step(op, "link"));
	if (zalo_step(op, "shown").n != 0) {
		after_shown(op);
	} else if (shown.n != 0) {
		op->show_sent = true;
		copy(op->token, sizeof(op->token), shown);
		verify_begin(op, ZS_SHOWN);
	} else {
		zalo_of_keep(op);
		zalo_save(op, "change", ltc_z(op->article), ZSAVE_ARTICLE);
	}
}

const struct zalo_state_row zalo_article_rows[] = {
	[ZS_NONE] = { 0 },
	[ZS_GUARD] = { "read", NULL, 0, zalo_list_page, zalo_guard_good, zalo_guard_bad },
	[ZS_GUARD_DETAIL] = { "read", NULL, 0, zalo_detail, zalo_guard_detail_good, NULL },
	[ZS_CREATE] = { "article", NULL, 0, create_request, create_good, create_bad },
	[ZS_FIND] = { "read", NULL, 0, zalo_list_page, zalo_find_good, NULL },
	[ZS_FIND_DETAIL] = { "read", NULL, 0, zalo_detail, zalo_find_detail_good, NULL },
	[ZS_VERIFY] = { "verify", NULL, 0, zalo_verify, verify_good, verify_bad },
	[ZS_SHOW] = { "article", "show", LT_PUBLISHES | LT_REPEATABLE, show_request, show_good,
		show_bad },
	[ZS_SHOWN] = { "verify", NULL, 0, zalo_verify, verify_good, verify_bad },
	[ZS_SHOW_LOOK] = { "read", NULL, 0, zalo_detail, show_look_good, NULL },
	[ZS_LINK] = { "read", NULL, 0, zalo_detail, link_good, link_bad },
};
