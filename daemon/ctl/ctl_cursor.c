/* ctl_cursor.c - where a list goes on. Thread: any. */
#include "base/json.h"
#include "ctl/ctl.h"

int ctl_after(const struct ctl_call *c, int64_t *ret, struct err *e)
{
	const cJSON *v = json_get(c->params, "after");
	*ret = 0;
	if (!v || cJSON_IsNull(v))
		return 0;
	*ret = json_i64(c->params, "after", -1);
	if (*ret < 0)
		return err_set(e, -EINVAL,
			"'%.40s' is no cursor of this list: give what 'next' said",
			json_z(c->params, "after", "?"));
	return 0;
}
