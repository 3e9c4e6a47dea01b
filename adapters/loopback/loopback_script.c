/* loopback_script.c - what an address asks the loopback adapter to do. Pure.
 * Failures: none; a word that is not known means ok, so that any address can be used. */
#include "loopback.h"

static const struct {
	const char *name;
	enum loop_word word;
} words[] = {
	{ "ok", LOOP_OK },
	{ "refuse", LOOP_REFUSE },
	{ "defer", LOOP_DEFER },
	{ "unknown", LOOP_UNKNOWN },
	{ "slow", LOOP_SLOW },
	{ "steps", LOOP_STEPS },
	{ "silent", LOOP_SILENT },
	{ "hold", LOOP_HOLD },
	{ "dup", LOOP_DUP },
	{ "bounce", LOOP_BOUNCE },
	{ "cut", LOOP_CUT },
};
static const struct {
	const char *name;
	int32_t scope;
} scopes[] = {
	{ "target", LT_SCOPE_TARGET },
	{ "release", LT_SCOPE_RELEASE },
	{ "lane", LT_SCOPE_LANE },
	{ "account", LT_SCOPE_ACCOUNT },
	{ "channel", LT_SCOPE_CHANNEL },
	{ "class", LT_SCOPE_CLASS },
};
static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {
	{ "suppress", LT_R_SUPPRESS },
	{ "strike", LT_R_STRIKE },
	{ "free", LT_R_FREE },
	{ "person", LT_R_PERSON },
};
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void add_word(struct loop_script *s, struct lt_str w)
{
	int64_t n;

	for (size_t i = 0; i < LEN(scopes); i++)
		if (ltc_eqz(w, scopes[i].name))
			s->scope = scopes[i].scope;
	for (size_t i = 0; i < LEN(flags); i++)
		if (ltc_eqz(w, flags[i].name))
			s->flags |= flags[i].flag;
	s->sent |= ltc_eqz(w, "sent");
	s->absent |= ltc_eqz(w, "absent");
	if (ltc_i64(w, 0, 86400000, &n) == 0)
		s->number = n;
}

void loop_script_parse(struct lt_str address, struct loop_script *ret)
{
	struct lt_str rest, w;
	size_t n = 0;

	*ret = (struct loop_script){ .number = -1 };
	while (n < address.n && address.p[n] != '@' && address.p[n] != '+')
		n++;
	rest = (struct lt_str){ address.p, n };
	if (!ltc_next(&rest, '-', &w))
		return;
	for (size_t i = 0; i < LEN(words); i++)
		if (ltc_eqz(w, words[i].name))
			ret->word = words[i].word;
	while (ltc_next(&rest, '-', &w))
		add_word(ret, w);
}
