/* zalo_find.c - what the OA has already: the guard before an article is made, and the search for one whose answer was lost. An
 * article of ours is known by its mark, the ref at the end of its tracking link; one of the same title without it is a person's.
 * Thread: loop. Owns: nothing. Failures: a listing that cannot be read does not stop the guard for ever, but it stops the search. */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"
#include "zalo_text.h"

#define FIND_SLACK_MS 120000 /* between their clock and ours */
#define LIST_LIMIT    10
#define GUARD_TRIES   6 /* from then on an article is made without the look */

int zalo_list_page(struct zalo_op *op)
{
	char offset[16];
	struct lt_pair q[] = { { .name = LTC_LIT("offset") },
		{ .name = LTC_LIT("limit"), .value = LTC_LIT("10") },
		{ .name = LTC_LIT("type"), .value = LTC_LIT("normal") } };
	struct zalo_call c = {
		.method = "GET", .path = "/v2.0/article/getslice", .query = q, .n_query = 3
	};

	(void)snprintf(offset, sizeof(offset), "%d", op->page * LIST_LIMIT);
	q[0].value = ltc_z(offset);
	return zalo_op_call(op, &c);
}

int zalo_detail(struct zalo_op *op)
{
	struct lt_pair q[] = { { .name = LTC_LIT("id"), .value = ltc_z(op->article) } };
	struct zalo_call c = {
		.method = "GET", .path = "/v2.0/article/getdetail", .query = q, .n_query = 1
	};

	return zalo_op_call(op, &c);
}

/* The first of a page that has our title and was made at or after `from`; its id is taken. -1: no more pages are worth a look. */
static int title_in(struct zalo_op *op, const struct zalo_answer *a, int64_t from, bool shown_only)
{
	const struct ltc_json *rest = ltc_json_item(ltc_json_get(a->data, "medias"));
	struct zalo_media m;
	int n = 0, passed = 0;

	while (zalo_media_next(&rest, &m)) {
		n++;
		if (m.created_ms != 0 && m.created_ms < from)
			continue;
		if (!zalo_same_title(ltc_z(m.title), op->title) || (shown_only && !m.shown))
			continue;
		if (passed++ < op->looked_at)
			continue;
		op->found_ms = m.created_ms;
		op->listed_shown = m.shown;
		(void)snprintf(op->article, sizeof(op->article), "%s", m.id);
		(void)snprintf(op->url, sizeof(op->url), "%s", m.link);
		return 1;
	}
	op->looked_at = 0;
	return n < LIST_LIMIT || ++op->page >= zalo_conf_of(op)->pages ? -1 : 0;
}

/* When this try began, by their clock as far as it is known. */
static int64_t began_there(const struct zalo_op *op)
{
	const struct zalo_inst *zi = op->inst->priv;

	return op->begun_ms + (zi->skew_known ? zi->skew_ms : 0) - FIND_SLACK_MS;
}

/* --- guard ------------------------------------------------------------------------------------------------------------------- */
void zalo_begin(struct zalo_op *op)
{
	char z[24];

	op->article[0] = op->url[0] = op->token[0] = '\0';
	op->begun_ms = op->inst->host->wall_ms(op->inst->host->ctx);
	zalo_of_keep(op);
	(void)snprintf(z, sizeof(z), "%lld", (long long)op->begun_ms);
	zalo_save(op, "begun", ltc_z(z), ZSAVE_BEGUN);
}

static void no_list(struct zalo_op *op, uint32_t flags)
{
	zalo_end(op, LT_DEFERRED, LT_SCOPE_ACCOUNT, flags, 15000, "no-list",
		"a listing of articles without its articles");
}

void zalo_guard_good(struct zalo_op *op, const struct zalo_answer *a)
{
	if (!zalo_list_told(a) && op->work->try_no < GUARD_TRIES) {
		no_list(op, 0);
		return;
	}
	int64_t from = zalo_their_now(op) - zalo_conf_of(op)->guard_hours * 3600000;
	int hit = title_in(op, a, from, true);

	if (hit > 0)
		zalo_enter(op, ZS_GUARD_DETAIL);
	else if (hit < 0)
		zalo_begin(op);
	else
		zalo_enter(op, ZS_GUARD);
}

/* It is there already: a person decides. What was seen is remembered, so that after that word it goes on. */
static void already_there(struct zalo_op *op)
{
	char url[sizeof(op->url)];

	(void)snprintf(url, sizeof(url), "%s", op->url);
	(void)snprintf(op->end_code, sizeof(op->end_code), "already-there");
	(void)snprintf(op->end_text, sizeof(op->end_text),
		"already there: an article with this title was posted by somebody else (%s)", url);
	op->end = (struct lt_result){ .struct_size = sizeof(op->end),
		.outcome = LT_DEFERRED,
		.scope = LT_SCOPE_TARGET,
		.flags = LT_R_PERSON | LT_R_FREE };
	struct lt_str seen = ltc_z(op->article);
	char id[ZALO_ID_MAX];
	(void)snprintf(id, sizeof(id), "%.*s", (int)seen.n, seen.p);
	op->article[0] = '\0';
	zalo_save(op, "guarded", ltc_z(id), ZSAVE_THEN_END);
}

void zalo_adopt(struct zalo_op *op)
{
	zalo_of_keep(op);
	zalo_save(op, "article", ltc_z(op->article), ZSAVE_ARTICLE);
}

void zalo_guard_detail_good(struct zalo_op *op, const struct zalo_answer *a)
{
	if (zalo_detail_mark(a, op->work->ref) == 1)
		zalo_adopt(op);
	else
		already_there(op);
}

/* A listing that cannot be read must not stop the news for ever: after some tries it goes on without the look. */
bool zalo_guard_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	bool person = (row->flags & LT_R_PERSON) != 0 || row->outcome == ZALO_O_REFRESH;

	if (person || op->work->try_no < GUARD_TRIES || strcmp(a->code, "-32") == 0)
		return false;
	zalo_begin(op);
	return true;
}

void zalo_find(struct zalo_op *op)
{
	op->sought = true;
	op->page = op->looked_at = 0;
	op->article[0] = op->url[0] = '\0';
	zalo_enter_later(op, ZS_FIND, zalo_conf_of(op)->find_wait_ms / 8 + 1);
}

void zalo_find_good(struct zalo_op *op, const struct zalo_answer *a)
{
	if (!zalo_list_told(a)) {
		no_list(op, LT_R_FREE);
		return;
	}
	int64_t now = op->inst->host->wall_ms(op->inst->host->ctx);
	/* clocks may be off: what is older is looked at too, and told by its mark */
	int64_t from = began_there(op) - zalo_conf_of(op)->guard_hours * 3600000;
	int hit = title_in(op, a, from, false);

	if (hit > 0) {
		zalo_enter(op, ZS_FIND_DETAIL);
	} else if (hit == 0) {
		zalo_enter(op, ZS_FIND);
	} else if (now - op->begun_ms < zalo_conf_of(op)->find_wait_ms && now >= op->begun_ms) {
		op->page = 0; /* it may not be listed yet */
		zalo_enter_later(op, ZS_FIND, zalo_conf_of(op)->find_wait_ms / 4 + 1);
	} else {
		zalo_begin(op); /* not made: once more, hidden */
	}
}

/* Not told by a mark: ours is hidden as long as we look for it, what people see is a person's. */
static bool unmarked_ours(const struct zalo_op *op, const struct zalo_answer *a)
{
	return !op->listed_shown && !ltc_eqz(ltc_json_str(a->data, "status"), "show");
}

void zalo_find_detail_good(struct zalo_op *op, const struct zalo_answer *a)
{
	int mark = zalo_detail_mark(a, op->work->ref);
	bool since = op->found_ms == 0 || op->found_ms >= began_there(op);
	bool decided = zalo_step(op, "guarded").n != 0; /* to post it beside somebody else's */

	if (mark == 1 || (mark < 0 && since && unmarked_ours(op, a))) {
		zalo_adopt(op);
	} else if (since && !decided) {
		already_there(op);
	} else { /* an older one of the same title, or one that was decided about: the next */
		op->looked_at++;
		op->article[0] = op->url[0] = '\0';
		zalo_enter(op, ZS_FIND);
	}
}
