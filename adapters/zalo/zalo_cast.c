/* zalo_cast.c - a broadcast: it is looked at each of its articles, then it goes out once.
 * The host names the articles in lt_work.ids, in their order; it starts this op only when it knows that they stand. A person may have
 * hidden one since, and a broadcast spends the month's allowance: so each is asked for first.
 * Thread: loop. Owns: its buffers for a call. Failures: an answer lost at the broadcast is unknown and stays so until a person says
 * what became of it; Zalo has no question for it (contract, section 11). */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"

static size_t n_articles(const struct zalo_op *op)
{
	return op->work->n_ids <= ZALO_CAST_MAX ? op->work->n_ids : ZALO_CAST_MAX;
}

static void ask_person(struct zalo_op *op, const char *code, const char *what)
{
	char text[300];

	(void)snprintf(text, sizeof(text),
		"article %.40s %s: put it in order at Zalo, then lantoa retry", op->article, what);
	zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE | LT_R_PERSON, 0, code, text);
}

/* --- the articles ------------------------------------------------------------------------------------------------------------ */
static void look_at(struct zalo_op *op)
{
	struct lt_str id = op->work->ids[op->item].id;

	(void)snprintf(op->article, sizeof(op->article), "%.*s", (int)id.n, id.p);
	zalo_enter(op, ZS_CAST_LOOK);
}

static void look_good(struct zalo_op *op, const struct zalo_answer *a)
{
	char status[16], z[24];

	if (ltc_eqz(ltc_json_copy(ltc_json_get(a->data, "status"), status, sizeof(status)),
		    "hide")) {
		ask_person(op, "hidden", "of this broadcast is hidden");
		return;
	}
	if (++op->item < n_articles(op)) {
		look_at(op);
		return;
	}
	(void)snprintf(
		z, sizeof(z), "%lld", (long long)op->inst->host->wall_ms(op->inst->host->ctx));
	zalo_save(op, "cast", ltc_z(z), ZSAVE_CAST);
}

static bool look_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	if (row->outcome != LT_REFUSED && strcmp(a->code, "-201") != 0)
		return false;
	ask_person(op, a->code, "of this broadcast is not on this OA");
	return true;
}

/* --- the broadcast ------------------------------------------------------------------------------------------------------------ */
static int cast_request(struct zalo_op *op)
{
	struct ltc_buf b;
	int rc;

	ltc_buf_init(&b, 8000);
	ltc_addz(&b, "{\"recipient\":{\"target\":");
	ltc_adds(&b, op->cast);
	ltc_addz(&b,
		"},\"message\":{\"attachment\":{\"type\":\"template\",\"payload\":{\"template_type\":"
		"\"media\",\"elements\":[");
	for (size_t i = 0; i < n_articles(op); i++) {
		ltc_addf(&b, "%s{\"media_type\":\"article\",\"attachment_id\":", i == 0 ? "" : ",");
		ltc_json_add(&b, op->work->ids[i].id);
		ltc_addc(&b, '}');
	}
	ltc_addz(&b, "]}}}}");
	struct zalo_call c = {
		.method = "POST", .path = "/v2.0/oa/message", .json = ltc_buf_str(&b)
	};
	op->cast_sent = true;
	rc = b.failed ? -LT_E_FULL : zalo_op_call(op, &c);
	ltc_buf_done(&b);
	return rc;
}

static void cast_good(struct zalo_op *op, const struct zalo_answer *a)
{
	(void)ltc_json_copy(ltc_json_get(a->data, "message_id"), op->sent[0], sizeof(op->sent[0]));
	if (op->sent[0][0] == '\0') /* contract, section 10: the expected member is checked, too */
		zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, "no-id",
			"the broadcast may have gone out or not (a yes without its id): look in the console");
	else
		zalo_end_good(op);
}

static bool cast_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	char text[300];

	if (row->outcome != LT_UNKNOWN) {
		op->cast_sent = false; /* a definite no */
		return false;
	}
	(void)snprintf(text, sizeof(text),
		"the broadcast may have gone out or not (%.100s): look in the console", a->text);
	zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, a->code, text);
	return true;
}

void zalo_cast_first(struct zalo_op *op)
{
	if (op->work->n_ids == 0 || op->work->n_ids > ZALO_CAST_MAX)
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE | LT_R_PERSON, 0, "articles",
			op->work->n_ids == 0 ? "no article of this broadcast is known"
					     : "a broadcast carries at most five articles");
	else
		look_at(op);
}

const struct zalo_state_row zalo_cast_rows[] = {
	[ZS_CAST_LOOK - ZS_CAST_LOOK] = { "read", NULL, 0, zalo_detail, look_good, look_bad },
	[ZS_CAST - ZS_CAST_LOOK] = { "cast", "broadcast", LT_PUBLISHES, cast_request, cast_good,
		cast_bad },
};
