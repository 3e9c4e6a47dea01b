/* zalo_list.c - what their listings say of one article. Thread: any, pure. Failures: an entry without an id is passed over. */
#include <string.h>
#include "zalo_op.h"

bool zalo_media_next(const struct ltc_json **rest, struct zalo_media *ret)
{
	while (*rest != NULL) {
		const struct ltc_json *one = *rest;
		char status[16];
		*rest = ltc_json_next(one);
		memset(ret, 0, sizeof(*ret));
		(void)ltc_json_copy(ltc_json_get(one, "id"), ret->id, sizeof(ret->id));
		(void)ltc_json_copy(ltc_json_get(one, "title"), ret->title, sizeof(ret->title));
		(void)ltc_json_copy(ltc_json_get(one, "link_view"), ret->link, sizeof(ret->link));
		ret->shown = ltc_eqz(
			ltc_json_copy(ltc_json_get(one, "status"), status, sizeof(status)), "show");
		(void)ltc_json_i64(ltc_json_get(one, "create_date"), &ret->created_ms);
		if (ret->created_ms > 0 && ret->created_ms < 100000000000)
			ret->created_ms *= 1000; /* seconds */
		if (ret->id[0] != '\0')
			return true;
	}
	return false;
}

int zalo_detail_mark(const struct zalo_answer *a, struct lt_str ref)
{
	const struct ltc_json *raw = ltc_json_get(a->data, "tracking_link");
	char link[2000];

	if (raw == NULL || ref.n == 0)
		return -1;
	struct lt_str s = ltc_json_copy(raw, link, sizeof(link));
	const char *at = ltc_find(s, LTC_LIT("lt="), false);
	if (at == NULL)
		return s.n == 0 ? -1 : 0;
	return ltc_eq(ltc_from(s, (size_t)(at - s.p) + 3), ref) ? 1 : 0;
}
