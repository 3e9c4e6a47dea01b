/* outcome_suppress.c - which answers count against an address, and how many of them suppress it.
 * Thread: any. Owns: nothing. Failures: none. */
#include "model/outcome.h"

static bool reply_code(struct str code, char first)
{
	return code.n >= 3 && code.p[0] == first && code.p[1] >= '0' && code.p[1] <= '9' &&
		code.p[2] >= '0' && code.p[2] <= '9' && (code.n == 3 || code.p[3] == ' ');
}

/* "450 4.2.0": a mail reply that puts off, but not by policy (4.7.x), which says nothing of the address (contract 3.3). */
static bool mail_put_off(struct str code)
{
	struct str rest = { code.p + 4, code.n > 4 ? code.n - 4 : 0 };

	return reply_code(code, '4') &&
		(code.n < 5 || (str_starts(rest, "4.") && !str_starts(rest, "4.7.")));
}

/* "550": a reply code alone. Nobody says why, so it counts less than "no such user" and more than a full mailbox. */
static bool bare_refusal(struct str code)
{
	return code.n == 3 && reply_code(code, '5');
}

enum suppress_rule suppress_rule_of(unsigned effects, struct str code)
{
	if (effects & OE_STRIKE)
		return bare_refusal(code) ? SR_MAILBOX_OFF : SR_SOFT;
	if ((effects & OE_EXPIRED) && mail_put_off(code))
		return SR_SOFT;
	if (!(effects & OE_SUPPRESS))
		return SR_NONE;
	/* The enhanced code stands anywhere in the text: "550 5.2.1". */
	for (size_t i = 0; i + 5 <= code.n; i++) {
		struct str at = { code.p + i, code.n - i };
		if (i > 0 && code.p[i - 1] != ' ')
			continue;
		if (str_starts(at, "5.2.1"))
			return SR_MAILBOX_OFF;
		if (str_starts(at, "5.1.2") || str_starts(at, "5.4.4"))
			return SR_DOMAIN;
	}
	return SR_HARD;
}

int suppress_limit(enum suppress_rule r, const struct suppress_numbers *n, int64_t *ret_window_ms)
{
	*ret_window_ms = 0;
	switch (r) {
	case SR_HARD: return n->hard;
	case SR_MAILBOX_OFF: *ret_window_ms = n->hard_mailbox_off_ms; return n->hard_mailbox_off;
	case SR_DOMAIN: *ret_window_ms = n->domain_ms; return n->domain;
	case SR_SOFT: *ret_window_ms = n->soft_ms; return n->soft;
	case SR_NONE: break;
	}
	return 0;
}

const char *suppress_rule_word(enum suppress_rule r)
{
	switch (r) {
	case SR_HARD: return "hard";
	case SR_MAILBOX_OFF: return "off";
	case SR_DOMAIN: return "domain";
	case SR_SOFT: return "soft";
	case SR_NONE: break;
	}
	return "";
}

bool suppress_is_wish(int reason)
{
	return reason != SUP_HARD && reason != SUP_SOFT;
}

bool suppress_stops(int reason, enum category category)
{
	return !(category == CAT_EMERGENCY && reason == SUP_SOFT);
}
