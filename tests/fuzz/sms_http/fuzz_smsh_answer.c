/* Any answer of a gateway to a text, by the rules of each shipped vendor file. First byte: the vendor; second: the HTTP status;
 * the rest is the body. Whatever it says the op ends honestly: with a known outcome, a printable code, and a 200 whose body
 * is cut off proves nothing; a text is not sent a second time. */
#include <string.h>
#include "../host.h"
#include "lib/scene_gate.h"
#include "sms_http/smsh.h"

static void honest(const struct sh_result *r, bool cut, struct lt_str said)
{
	MUST(r->done);
	MUST(r->outcome == LT_UNKNOWN || r->outcome == LT_ACCEPTED || r->outcome == LT_REFUSED ||
		r->outcome == LT_DEFERRED);
	MUST(r->scope >= LT_SCOPE_TARGET && r->scope <= LT_SCOPE_CLASS);
	MUST(ltc_utf8_valid(ltc_z(r->code)) && ltc_utf8_valid(ltc_z(r->text)));
	MUST(!ltc_has_control(ltc_z(r->code)) && !ltc_has_control(ltc_z(r->text)));
	MUST((strstr(r->text, "geheim") == NULL && strstr(r->code, "geheim") == NULL) ||
		ltc_find(said, LTC_LIT("geh"), false) != NULL);
	MUST(r->retry_after_ms >= 0);
	MUST(!cut || r->outcome == LT_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const int statuses[] = { 200, 201, 202, 400, 401, 403, 404, 429, 500, 503 };
	size_t published = 0;

	if (n < 2)
		return 0;
	size_t gate = p[0] % GATES;
	struct sh *h = gate_vendor_host(gate_vendors[gate].name);
	sh_secret(h, "access_token", "geheim");
	MUST(sh_open(h) == 0);
	size_t op = sh_op(h, sh_session(h), "+84912345678", "REF00000000000000001", PAYLOAD_GSM, 0);
	MUST(sh_start(h, op, 1) == 0);
	sh_turn(h);
	bool cut = p[1] & 0x80;
	for (size_t i = 0; i < h->n_http && i < 4 && !sh_result(h, op)->done; i++) {
		if (h->http[i].answered)
			continue;
		bool publishes = h->http[i].flags & LT_PUBLISHES;
		published += publishes; /* again only after a token that was refused */
		MUST(published <= 2);
		MUST(published < 2 || (p[1] & 0x7f) % 10 == 4 || (p[1] & 0x7f) % 10 == 5 || n > 2);
		fh_answer(h, i, publishes || n % 2 ? statuses[(p[1] & 0x7f) % 10] : 200, NULL, 0,
			(struct lt_str){ (const char *)p + 2, n - 2 }, publishes && cut);
		sh_advance(h, 1000);
	}
	if (sh_result(h, op)->done)
		honest(sh_result(h, op), published > 0 && cut && (p[1] & 0x7f) % 10 == 0,
			(struct lt_str){ (const char *)p, n });
	MUST(h->misuse == 0);
	sh_free(h);
	return 0;
}
