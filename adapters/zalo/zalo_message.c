/* zalo_message.c - messages to a group or a user, one after the other, each with its own intent; template messages to phones.
 * Thread: loop. Owns: its buffers for a call. Failures: a message whose answer was lost is unknown, and what follows it waits. */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"

static bool is_group(const struct zalo_op *op)
{
	return op->form == ZALO_GROUP;
}

size_t zalo_messages(const struct zalo_op *op)
{
	if (op->form != ZALO_GROUP && op->form != ZALO_USER)
		return 1;
	/* the first picture shares a message with the text, a file never does */
	bool shared = op->n_items > 0 && op->items[0].image;

	return op->n_items + (shared ? 0 : 1);
}

/* The item of a message; NULL: text alone. */
static const struct zalo_item *item_of(const struct zalo_op *op)
{
	bool shared = op->n_items > 0 && op->items[0].image;

	if (shared)
		return &op->items[op->item];
	return op->item == 0 ? NULL : &op->items[op->item - 1];
}

static void step_name(const struct zalo_op *op, const char *word, char out[24])
{
	(void)snprintf(out, 24, "%s%zu", word, op->item);
}

/* --- the payload's text ------------------------------------------------------------------------------------------------------ */
static void add_text(const struct zalo_op *op, struct ltc_buf *b)
{
	ltc_addc(b, '"');
	for (size_t i = op->plain ? 0 : 1; i < op->work->n_payload; i++)
		ltc_json_add_inner(b, op->work->payload[i].bytes);
	ltc_addc(b, '"');
}

static uint64_t text_hash(const struct zalo_op *op)
{
	uint64_t h = LTC_HASH_SEED;

	if (op->item > 0)
		return h;
	for (size_t i = op->plain ? 0 : 1; i < op->work->n_payload; i++)
		h = ltc_hash(h, op->work->payload[i].bytes);
	return h;
}

/* --- upload ------------------------------------------------------------------------------------------------------------------ */
static int upload_request(struct zalo_op *op)
{
	const struct zalo_item *it = item_of(op);

	if (it == NULL)
		return -LT_E_INVALID; /* a text alone is not uploaded */
	struct lt_field f = { .name = LTC_LIT("file"),
		.filename = it->name,
		.content_type = it->type,
		.src = { .asset = it->asset, .length = it->bytes } };
	struct zalo_call c = { .method = "POST",
		.path = it->image ? "/v2.0/oa/upload/image" : "/v2.0/oa/upload/file",
		.fields = &f,
		.n_fields = 1 };

	return zalo_op_call(op, &c);
}

static void upload_good(struct zalo_op *op, const struct zalo_answer *a)
{
	const struct zalo_item *it = item_of(op);
	char name[24];

	zalo_token_take(a, it != NULL && it->image ? "attachment_id" : "token", op->attach);
	if (op->attach[0] == '\0') {
		zalo_end(op, LT_DEFERRED, LT_SCOPE_TARGET, 0, 60000, "upload",
			"the upload was accepted without an id");
		return;
	}
	step_name(op, "up", name);
	zalo_save(op, name, ltc_z(op->attach), ZSAVE_UPLOADED);
}

/* --- send -------------------------------------------------------------------------------------------------------------------- */
static int add_image(struct zalo_op *op, const struct zalo_item *it, struct ltc_buf *b)
{
	const struct lt_host *h = op->inst->host;
	struct lt_str url = { 0 };

	ltc_addz(b,
		"\"attachment\":{\"type\":\"template\",\"payload\":{\"template_type\":\"media\","
		"\"elements\":[{\"media_type\":\"image\",");
	if (it->bytes != 0) {
		ltc_addz(b, "\"attachment_id\":");
		ltc_json_add(b, ltc_z(op->attach));
	} else {
		int rc = h->asset_url(h->ctx, op->job, it->asset, zalo_url_lives_ms(op), &url);
		if (rc < 0)
			return rc;
		ltc_addz(b, "\"url\":");
		ltc_json_add(b, url);
	}
	ltc_addz(b, "}]}}");
	return 0;
}

struct lt_str zalo_message_url(const struct zalo_op *op)
{
	const struct zalo_item *it = item_of(op);

	return it != NULL && it->image && it->bytes == 0 ? it->asset : (struct lt_str){ 0 };
}

static int message_body(struct zalo_op *op, struct ltc_buf *b)
{
	const struct zalo_item *it = item_of(op);

	ltc_addf(b, "{\"recipient\":{\"%s\":", is_group(op) ? "group_id" : "user_id");
	ltc_json_add(b, op->target);
	ltc_addz(b, "},\"message\":{");
	if (op->item == 0) {
		ltc_addz(b, "\"text\":");
		add_text(op, b);
		if (it != NULL)
			ltc_addc(b, ',');
	}
	int rc = it != NULL && it->image ? add_image(op, it, b) : 0;
	if (rc < 0)
		return rc;
	if (it != NULL && !it->image) {
		ltc_addz(b, "\"attachment\":{\"type\":\"file\",\"payload\":{\"token\":");
		ltc_json_add(b, ltc_z(op->attach));
		ltc_addz(b, "}}");
	}
	ltc_addz(b, "}}");
	return 0;
}

static int send_request(struct zalo_op *op)
{
	struct ltc_buf b;
	int rc = 0;

	ltc_buf_init(&b, 64u << 10);
	int no_url = message_body(op, &b);
	if (no_url == 0) {
		struct zalo_call c = { .method = "POST",
			.path = is_group(op) ? "/v3.0/oa/group/message" : "/v3.0/oa/message/cs",
			.json = ltc_buf_str(&b) };
		rc = b.failed ? -LT_E_FULL : zalo_op_call(op, &c);
	} else {
		zalo_end_no_url(op, no_url);
	}
	ltc_buf_done(&b);
	return rc;
}

static void next_message(struct zalo_op *op);

static void quota_told(struct zalo_op *op, const struct zalo_answer *a)
{
	const struct lt_host *h = op->inst->host;
	const struct ltc_json *q = ltc_json_get(a->data, "quota");
	int64_t left = 0;

	if (ltc_json_i64(ltc_json_get(q, "remain"), &left) ||
		ltc_json_i64(ltc_json_get(q, "remainingQuota"), &left))
		h->stat(h->ctx, op->job, 0, LTC_LIT("quota_left"), left);
}

static void send_good(struct zalo_op *op, const struct zalo_answer *a)
{
	char *id = op->sent[op->item], name[24];

	(void)ltc_json_copy(ltc_json_get(a->data, "message_id"), id, ZALO_ID_MAX);
	quota_told(op, a);
	op->sent_ms = zalo_now(op);
	if (id[0] == '\0') { /* contract, section 10: the expected member is checked, too */
		zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, "no-id",
			"the message may have gone out or not: a yes without its id");
		return;
	}
	if (op->item + 1 == zalo_messages(op)) {
		zalo_end_good(op);
		return;
	}
	step_name(op, "sent", name);
	zalo_save(op, name, ltc_z(id), ZSAVE_SENT);
}

static bool send_bad(
	struct zalo_op *op, const struct ltc_outcome_row *row, const struct zalo_answer *a)
{
	const struct zalo_item *it = item_of(op);
	char name[24];

	if (row->outcome == ZALO_O_UPLOAD && !op->uploaded_again && it != NULL && it->bytes != 0) {
		op->uploaded_again = true;
		zalo_enter(op, ZS_UPLOAD);
		return true;
	}
	if (row->outcome == LT_UNKNOWN)
		return false;
	if (op->item == 0 || zalo_messages(op) == 1)
		return false;
	/* a definite no: the word that it was tried goes, or a later question would look for it */
	step_name(op, "try", name);
	zalo_end_row_without(op, row, a, name);
	return true;
}

/* --- templates --------------------------------------------------------------------------------------------------------------- */
static int zns_request(struct zalo_op *op)
{
	const struct zalo_conf *conf = zalo_conf_of(op);
	struct ltc_buf b;

	ltc_buf_init(&b, 32000);
	ltc_addz(&b, "{\"phone\":");
	ltc_json_add(&b, op->target);
	ltc_addz(&b, ",\"template_id\":");
	ltc_json_add(&b, op->tmpl.n != 0 ? op->tmpl : conf->zns_template);
	ltc_addz(&b, ",\"template_data\":");
	if (op->plain)
		ltc_addz(&b, "{}");
	for (size_t i = 1; !op->plain && i < op->work->n_payload; i++)
		ltc_adds(&b, op->work->payload[i].bytes);
	ltc_addz(&b, ",\"tracking_id\":");
	ltc_json_add(&b,
		(struct lt_str){ op->work->ref.p, op->work->ref.n > 48 ? 48 : op->work->ref.n });
	if (ltc_eqz(conf->zns_mode, "development"))
		ltc_addz(&b, ",\"mode\":\"development\"");
	ltc_addc(&b, '}');
	struct zalo_call c = {
		.method = "POST", .path = "/message/template", .zns = true, .json = ltc_buf_str(&b)
	};
	int rc = b.failed ? -LT_E_FULL : zalo_op_call(op, &c);
	ltc_buf_done(&b);
	return rc;
}

static void zns_good(struct zalo_op *op, const struct zalo_answer *a)
{
	(void)ltc_json_copy(ltc_json_get(a->data, "msg_id"), op->sent[0], sizeof(op->sent[0]));
	quota_told(op, a);
	if (op->sent[0][0] == '\0')
		zalo_end(op, LT_UNKNOWN, LT_SCOPE_TARGET, 0, 0, "no-id",
			"the message may have gone out or not: a yes without its id");
	else
		zalo_end_good(op);
}

/* --- one after the other ----------------------------------------------------------------------------------------------------- */
/* Groups take one message a second (contract, section 6); whoever dies while it waits has begun nothing. */
static void announce(struct zalo_op *op)
{
	int64_t wait = op->sent_ms + zalo_conf_of(op)->group_pause_ms - zalo_now(op);

	if (is_group(op) && op->sent_ms != 0 && wait > 0)
		zalo_enter_later(op, ZS_ANNOUNCE, wait);
	else
		zalo_enter(op, ZS_ANNOUNCE);
}

/* What is tried, and of how many messages it is one, so that a question after a crash can look for it and knows the last. */
static int announce_now(struct zalo_op *op)
{
	char name[24], value[80];

	step_name(op, "try", name);
	(void)snprintf(value, sizeof(value), "%lld %016llx %zu", (long long)zalo_their_now(op),
		(unsigned long long)text_hash(op), zalo_messages(op));
	zalo_save(op, name, ltc_z(value), ZSAVE_TRY);
	return 0;
}

static void prepare_message(struct zalo_op *op)
{
	const struct zalo_item *it = item_of(op);
	char name[24];

	op->attach[0] = '\0';
	step_name(op, "up", name);
	struct lt_str up = zalo_step(op, name);
	if (it == NULL || it->bytes == 0) {
		announce(op);
	} else if (up.n != 0) {
		(void)snprintf(op->attach, sizeof(op->attach), "%.*s", (int)up.n, up.p);
		announce(op);
	} else {
		zalo_enter(op, ZS_UPLOAD);
	}
}

static void next_message(struct zalo_op *op)
{
	char name[24];

	for (; op->item < zalo_messages(op); op->item++) {
		step_name(op, "sent", name);
		struct lt_str id = zalo_step(op, name);
		if (id.n == 0 && op->sent[op->item][0] == '\0')
			break;
		if (id.n != 0)
			(void)snprintf(op->sent[op->item], ZALO_ID_MAX, "%.*s", (int)id.n, id.p);
	}
	if (op->item < zalo_messages(op))
		prepare_message(op);
	else
		zalo_end_good(op);
}

void zalo_message_saved(struct zalo_op *op, uint64_t token)
{
	switch (token) {
	case ZSAVE_UPLOADED: announce(op); break;
	case ZSAVE_TRY: zalo_enter(op, ZS_SEND); break;
	case ZSAVE_SENT: next_message(op); break;
	default: break;
	}
}

void zalo_message_first(struct zalo_op *op)
{
	if (op->form == ZALO_PHONE) {
		zalo_enter(op, ZS_ZNS);
		return;
	}
	if (zalo_of_look(op) && zalo_of_forget(op)) {
		zalo_of_ask(op);
		return;
	}
	if (op->n_items > 0 || op->other) /* a text alone leaves nothing that another could take */
		zalo_of_keep(op);
	next_message(op);
}

const struct zalo_state_row zalo_message_rows[] = {
	[ZS_UPLOAD - ZS_UPLOAD] = { "upload", NULL, 0, upload_request, upload_good, NULL },
	[ZS_ANNOUNCE - ZS_UPLOAD] = { "message", NULL, 0, announce_now, NULL, NULL },
	[ZS_SEND - ZS_UPLOAD] = { "message", "message", LT_PUBLISHES, send_request, send_good,
		send_bad },
	[ZS_ZNS - ZS_UPLOAD] = { "zns", "template", LT_PUBLISHES, zns_request, zns_good, NULL },
};
