/* zalo_address.c - the four forms of an address: oa:ID, group:ID, user:ID, phone:NUMBER. The canonical form keeps its prefix.
 * Thread: any, pure. Failures: a sentence that says what would be right. */
#include <stdio.h>
#include <string.h>
#include "zalo.h"

static const struct form {
	enum zalo_form form;
	const char *prefix;
	size_t min, max;
	bool hex; /* letters too */
	const char *right;
} forms[] = {
	{ ZALO_OA, "oa:", 6, 20, false, "an OA is written oa: and the digits of its id" },
	{ ZALO_GROUP, "group:", 8, 64, true,
		"a group is written group: and its id from getgroupsofoa (letters and digits)" },
	{ ZALO_USER, "user:", 6, 20, false,
		"a user is written user: and the digits of the id that the webhook told" },
	{ ZALO_PHONE, "phone:", 10, 13, false,
		"a phone is written phone:84 and the rest of a Vietnamese number" },
};

enum zalo_form zalo_form_of(struct lt_str address, struct lt_str *ret_id)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (ltc_starts(address, forms[i].prefix)) {
			if (ret_id != NULL)
				*ret_id = ltc_from(address, strlen(forms[i].prefix));
			return forms[i].form;
		}
	return ZALO_NONE;
}

struct lt_str zalo_form_name(enum zalo_form f)
{
	switch (f) {
	case ZALO_OA: return LTC_LIT("oa");
	case ZALO_GROUP: return LTC_LIT("group");
	case ZALO_USER: return LTC_LIT("user");
	case ZALO_PHONE: return LTC_LIT("phone");
	case ZALO_NONE: break;
	}
	return LTC_LIT("");
}

static int refuse(struct lt_sink *sink, const char *right)
{
	(void)sink->problem(sink->ctx, 2, LTC_LIT("address"), ltc_z(right));
	return -LT_E_INVALID;
}

/* "+84 912 345 678", "0912.345.678", "84912345678" -> "84912345678"; 0 when it is none. */
static size_t phone(struct lt_str in, char out[16])
{
	size_t n = 0;
	char d[24];

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c >= '0' && c <= '9') {
			if (n == sizeof(d))
				return 0;
			d[n++] = c;
		} else if (strchr(" .-", c) == NULL && !(c == '+' && i == 0)) {
			return 0;
		}
	}
	size_t skip = n > 1 && d[0] == '0' && d[1] != '0' ? 1
		: n > 2 && d[0] == '8' && d[1] == '4'     ? 2
							  : 0;
	bool plus = in.n > 0 && in.p[0] == '+';
	/* nine digits behind 84 for mobile numbers, up to ten for old and fixed ones */
	if (skip == 0 || (plus && skip != 2) || n - skip < 9 || n - skip > 10 || d[skip] == '0')
		return 0;
	int len = snprintf(out, 16, "84%.*s", (int)(n - skip), d + skip);
	return (size_t)len;
}

static bool id_good(const struct form *f, struct lt_str id)
{
	if (id.n < f->min || id.n > f->max)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!digit && !(f->hex && letter))
			return false;
	}
	return true;
}

static int tell_all(struct lt_sink *sink, struct lt_str canonical, struct lt_str form)
{
	int rc = sink->tell(sink->ctx, LTC_LIT("address"), canonical);

	rc = rc < 0 ? rc : sink->tell(sink->ctx, LTC_LIT("class"), form);
	return rc < 0 ? rc : sink->tell(sink->ctx, LTC_LIT("kind"), form);
}

int zalo_address(const struct lt_conf *c, struct lt_str in, struct lt_sink *sink)
{
	char canonical[80], number[16];
	struct lt_str a = ltc_trim(in), id;
	enum zalo_form form = zalo_form_of(a, &id);

	(void)c;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *f = &forms[i];
		if (f->form != form)
			continue;
		id = ltc_trim(id);
		if (form == ZALO_PHONE) {
			size_t n = phone(id, number);
			if (n == 0)
				return refuse(sink, f->right);
			id = (struct lt_str){ number, n };
		} else if (!id_good(f, id)) {
			return refuse(sink, f->right);
		}
		int n = snprintf(
			canonical, sizeof(canonical), "%s%.*s", f->prefix, (int)id.n, id.p);
		return tell_all(
			sink, (struct lt_str){ canonical, (size_t)n }, zalo_form_name(form));
	}
	return refuse(sink, "is no Zalo address: write oa:ID, group:ID, user:ID or phone:84...");
}
