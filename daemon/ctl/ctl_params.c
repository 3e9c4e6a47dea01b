/* ctl_params.c - what the parameters of a request may be, before its method reads them.
 * Thread: any. Owns: nothing.
 * A name that is empty, or no text, would be passed over, and the method would take more than was meant: all offices in place of one, the act
 * itself in place of a look. So would a parameter that an act does not know.
 * Failures: refused as usage, with the parameter; nothing is done then. */
#include <string.h>
#include "base/utf8.h"
#include "ctl/ctl_internal.h"

#define NAME_MAX_BYTES 1024 /* longer ones name nothing */

/* What narrows, and the reason: never empty. */
static const char *const names[] = { "release", "part", "office", "campaign", "lane", "channel",
	"kind", "account", "state", "lang", "list", "tag", "as", "why" };
static const char *const texts[] = { "except", "how", "link", "hash", "code", "for", "at",
	"address", "text", "head", "dir", "level", "name", "old", "into", "on", "deputy", "upload",
	"as_key" };
static const char *const flags[] = { "all", "dry", "deep", "diff", "emergency", "by_office",
	"agreed_again" };

/* All that an act takes. What only looks may be told more than it knows. */
#define TOUCHED "deliveries release part office channel kind lane state why dry "
#define SCOPE   "release part office campaign lane channel kind all until except why "
static const struct {
	const char *method, *takes;
} acts[] = {
	{ "delivery.retry", TOUCHED },
	{ "delivery.cancel", TOUCHED },
	{ "delivery.resolve", TOUCHED "how link " },
	{ "queue.hold", SCOPE },
	{ "queue.resume", SCOPE },
	{ "channel.pause", "channel lane why " },
	{ "channel.resume", "channel lane why " },
	{ "release.recall", "release part office why " },
};

/* Vietnamese keyboards write either form, and both look alike: "nobody named X" beside an X that stands there. People behind an approval are
 * compared by their names, so that one who is named in the other form must not be another one. */
static void compose(cJSON *params, const char *key)
{
	cJSON *v = cJSON_GetObjectItemCaseSensitive(params, key);
	struct buf nfc CLEANUP_BUF;
	struct str s = str_of(cJSON_IsString(v) ? v->valuestring : NULL);
	buf_init(&nfc, 3 * (size_t)NAME_MAX_BYTES);
	if (s.n == 0 || s.n > NAME_MAX_BYTES || utf8_is_nfc(s) || utf8_nfc(&nfc, s) < 0)
		return;
	REQUIRE(cJSON_SetValuestring(v, buf_z(&nfc)) != NULL);
}

void ctl_params_compose(cJSON *params)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		compose(params, names[i]);
	compose(params, "for");
	compose(params, "deputy");
}

static const cJSON *given(const cJSON *params, const char *key)
{
	const cJSON *v = json_get(params, key);
	return v && !cJSON_IsNull(v) ? v : NULL;
}

static int names_check(const cJSON *params, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const cJSON *v = given(params, names[i]);
		if (v && !cJSON_IsString(v))
			return err_set(e, -EINVAL,
				"'%s' is a name, written as text: \"%s\": \"...\"", names[i],
				names[i]);
		if (v && str_trim(str_of(v->valuestring)).n == 0)
			return err_set(e, -EINVAL,
				"'%s' is there but empty: name one, or leave it out", names[i]);
	}
	return 0;
}

static int types_check(const cJSON *params, struct err *e)
{
	const cJSON *list = given(params, "deliveries");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const cJSON *v = given(params, texts[i]);
		if (v && !cJSON_IsString(v))
			return err_set(e, -EINVAL, "'%s' is a text", texts[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		const cJSON *v = given(params, flags[i]);
		if (v && !cJSON_IsBool(v))
			return err_set(e, -EINVAL, "'%s' is true or false", flags[i]);
	}
	return list && !cJSON_IsArray(list)
		? err_set(e, -EINVAL, "'deliveries' is a list of numbers, also of one: [12]")
		: 0;
}

static bool takes(const char *list, const char *key)
{
	struct str rest = str_of(list), one;
	while (str_next(&rest, ' ', &one))
		if (str_eqz(one, key))
			return true;
	return !strcmp(key, "as") || !strcmp(key, "as_key");
}

int ctl_params_check(const char *method, const cJSON *params, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		for (const cJSON *v = strcmp(method, acts[i].method) ? NULL : params->child; v;
			v = v->next)
			if (!takes(acts[i].takes, v->string))
				return err_set(e, -EINVAL, "%s takes no '%.40s'; it takes: %s",
					method, v->string, acts[i].takes);
	int rc = names_check(params, e);
	return rc ? rc : types_check(params, e);
}
