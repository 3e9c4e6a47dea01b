/* smsgw.h - the HTTP side of short message gateways in the sandbox: one listener "smsgw", a path a vendor (/esms/..., /twilio/...).
 * What a gateway takes stands in the ledger as {"t":"sms","vendor","to":"+84...","text","id","ref"}; what its report was answered
 * with as {"t":"sms_report"}. Every password is good but the word "wrong"; a token is good when it is the last one given out.
 *
 * Script object and `sandbox ctl` {"cmd":"smsgw", ...} take the same words:
 *  "callback"   where reports go for vendors whose requests name no address
 *  "delay_ms"   between a text and its report; "repeat": how often each report comes; "state": delivered, failed, none
 *  "rules"      [{"vendor":"esms","to":"+84910000101","code":"160","times":1}]: answered with that code of the vendor, not taken
 *  "push"       {"vendor","to","times","forge":"none|id|signature","state"}: reports for the last text to that number, now
 *  "expire"     true: the access token in use is void from now on */
#ifndef LANTOA_SANDBOX_SMSGW_H
#define LANTOA_SANDBOX_SMSGW_H

#include "http.h"

#define GW_MESSAGES_MAX 20000u
#define GW_RULES_MAX    200u
#define GW_SECRET       "geheim" /* what reports are signed with */

struct gw_msg {
	const char *vendor; /* a literal */
	char id[80], to[20], ref[64], callback[400];
	bool failed; /* its report says so */
};
struct gw_rule {
	char vendor[20], to[24], code[24];
	struct sb_pace pace;
};
struct smsgw {
	struct sandbox *s;
	struct gw_msg *msg;
	size_t n;
	struct gw_rule rules[GW_RULES_MAX];
	size_t n_rules;
	char callback[400], state[16];
	int64_t delay_ms, repeat;
	uint64_t serial, token, refresh; /* token, refresh: numbers of the last ones given out */
	bool expired;
};

/* A text that is taken: ledger, and its report in time. to in any form. */
const struct gw_msg *gw_take(struct smsgw *g, const char *vendor, struct str to, struct str text,
	struct str ref, const char *id, struct str callback);
/* Code that a rule wants as answer; NULL: none. */
const char *gw_rule(struct smsgw *g, const char *vendor, struct str to);
bool gw_seen(const struct smsgw *g, const char *vendor, struct str ref);
const struct gw_msg *gw_find(const struct smsgw *g, const char *vendor, struct str id);
void gw_e164(char dst[static 20], struct str to);
/* smsgw_vendor.c: one request of a vendor. */
void gw_serve(struct smsgw *g, struct sb_req *q);
/* smsgw_vietguys.c: both interfaces of VietGuys. Of the second only the exchange of tokens is documented; its send call is here
 * what config/sms/vendors/vietguys-v2.json says, under any path. */
void gw_vietguys(struct smsgw *g, struct sb_req *q);
void gw_vietguys_v2(struct smsgw *g, struct sb_req *q);
/* smsgw_esms_ads.c */
void gw_esms_ads(struct smsgw *g, struct sb_req *q);
/* smsgw_report.c */
void gw_report(struct smsgw *g, const struct gw_msg *m, int64_t delay_ms, const char *state,
	const char *forge);

#endif
