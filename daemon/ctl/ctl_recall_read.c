/* ctl_recall_read.c - a recall as JSON, beside the delivery that it belongs to. Worker. */
#include "ctl/ctl_queue.h"
#include "ctl/ctl_release.h"

cJSON *ctl_recall_json(const struct recall_row *x)
{
	cJSON *o = json_obj();

	json_put_z(o, "state", recall_state_name(x->state));
	ctl_put_time(o, "asked_at", x->asked_ms);
	ctl_put_time(o, "at", x->at_ms);
	json_put_i64(o, "tries", x->tries);
	json_put_str(o, "code", x->code);
	json_put_str(o, "said", x->said);
	return o;
}

static int on_one(void *ctx, const struct recall_row *x)
{
	json_put(ctx, "recall", ctl_recall_json(x));
	return 0;
}

int ctl_recall_put(struct store_reader *r, int64_t delivery, cJSON *o)
{
	int rc = store_recall_one(r, delivery, on_one, o);

	return rc < 0 ? rc : 0;
}
