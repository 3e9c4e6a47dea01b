/* ctl_base.c - what every method file needs: who may see which office, masked addresses, and the method `version`. */
#include <string.h>
#include "base/utf8.h"
#include "ctl/ctl_internal.h"
#include "store/store_access.h"

bool ctl_may_see(const struct ctl_call *c, const char *office_code)
{
	return !c->who.office ||
		store_office_within(reader_db(c->reader), office_code, c->who.office);
}

/* The first letter of s; of its last one the place. */
static struct str first_letter(struct str s)
{
	struct str rest = s;
	int32_t cp;
	return utf8_next(&rest, &cp) ? (struct str){ s.p, s.n - rest.n } : (struct str){ "", 0 };
}

static struct str last_letter(struct str s)
{
	size_t at = s.n ? s.n - 1 : 0;
	while (at > 0 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
		at--;
	return (struct str){ s.p + at, s.n - at };
}

/* First and, where it has more than two, last letter of the local part stay, the domain stays; numbers keep their last three digits. */
void ctl_mask(const struct ctl_call *c, int kind, struct str address, char *ret, size_t size)
{
	const char *at = address.n ? memchr(address.p, '@', address.n) : NULL;
	if (c->who.roles & (ROLE_OPERATOR | ROLE_ADMIN)) {
		(void)str_copy(ret, size, address);
	} else if (kind == KIND_EMAIL && at) {
		struct str local = { address.p, (size_t)(at - address.p) };
		struct str first = first_letter(local),
			   last = utf8_len(local) > 2 ? last_letter(local) : STR("");
		(void)snprintf(ret, size, STR_FMT "…" STR_FMT "%.*s", STR_ARG(first), STR_ARG(last),
			(int)(address.n - local.n), at);
	} else if (kind == KIND_FACEBOOK ||
		(kind == KIND_ZALO &&
			(str_starts(address, "oa:") || str_starts(address, "group:")))) {
		(void)str_copy(ret, size, address); /* public pages are no personal data */
	} else if (address.n > 4) {
		(void)snprintf(ret, size, "…%.*s", 3, address.p + address.n - 3);
	} else {
		(void)snprintf(ret, size, "…");
	}
}

static int method_version(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(e);
	*ret = json_obj();
	json_put_z(*ret, "version", LANTOA_VERSION);
	json_put_z(*ret, "zone", c->conf->zone.name);
	json_put_i64(*ret, "zone_offset_s", c->conf->zone.offset_s);
	json_put_i64(*ret, "abi_major", LT_ABI_MAJOR);
	json_put_i64(*ret, "abi_minor", LT_ABI_MINOR);
	return 0;
}

const struct ctl_method ctl_base_methods[] = {
	{ "version", CTL_READ, 0, method_version },
	{ 0 },
};
