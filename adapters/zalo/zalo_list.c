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

bool zalo_list_told(const struct zalo_answer *a)
{
	return ltc_json_kind(ltc_json_get(a->data, "medias")) == LTC_JSON_ARRAY ||
		ltc_json_int(a->data, "total", -1) == 0;
}

/* The value of the last member "lt": ours stands behind what the release's own link has. Absent where there is none. */
static struct lt_str mark_in(struct lt_str link)
{
	struct lt_str found = { 0 };
	const char *at;

	while ((at = ltc_find(link, LTC_LIT("lt="), false)) != NULL) {
		bool member = at > link.p && (at[-1] == '?' || at[-1] == '&');
		link = ltc_from(link, (size_t)(at - link.p) + 3);
		if (member)
			found = link;
	}
	for (size_t i = 0; i < found.n; i++)
		if (found.p[i] == '&' || found.p[i] == '#')
			found.n = i;
	return found;
}

int zalo_detail_mark(const struct zalo_answer *a, struct lt_str ref)
{
	const struct ltc_json *raw = ltc_json_get(a->data, "tracking_link");
	char link[2000];

	if (raw == NULL || ref.n == 0)
		return -1;
	struct lt_str s = ltc_json_copy(raw, link, sizeof(link));
	return s.n == 0 ? -1 : ltc_eq(mark_in(s), ref) ? 1 : 0;
}
