/* zalo_list.c - what their listings say of one article. Thread: any, pure. Failures: an entry without an id is passed over. */
#include <string.h>
#include "zalo_op.h"

bool zalo_media_next(struct lt_str *rest, struct zalo_media *ret)
{
	struct lt_str one;

	while (zj_next(rest, &one)) {
		char status[16];
		memset(ret, 0, sizeof(*ret));
		(void)zj_text(zj_get(one, "id"), ret->id, sizeof(ret->id));
		(void)zj_text(zj_get(one, "title"), ret->title, sizeof(ret->title));
		(void)zj_text(zj_get(one, "link_view"), ret->link, sizeof(ret->link));
		ret->shown = ltc_eqz(
			zj_text(zj_get(one, "status"), status, sizeof(status)), "show");
		(void)zj_int(zj_get(one, "create_date"), &ret->created_ms);
		if (ret->created_ms > 0 && ret->created_ms < 100000000000)
			ret->created_ms *= 1000; /* seconds */
		if (ret->id[0] != '\0')
			return true;
	}
	return false;
}

int zalo_detail_mark(const struct zalo_answer *a, struct lt_str ref)
{
	struct lt_str raw = zj_get(a->data, "tracking_link");
	char link[2000];

	if (raw.p == NULL || ref.n == 0)
		return -1;
	struct lt_str s = zj_text(raw, link, sizeof(link));
	const char *at = ltc_find(s, LTC_LIT("lt="), false);
	if (at == NULL)
		return s.n == 0 ? -1 : 0;
	return ltc_eq(ltc_from(s, (size_t)(at - s.p) + 3), ref) ? 1 : 0;
}
