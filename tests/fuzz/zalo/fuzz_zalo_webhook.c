/* What Zalo pushes: a body, once unsigned and once signed. Unsigned bytes tell nothing; signed ones are answered, and what is told
 * is UTF-8. */
#include <string.h>
#include "../host.h"
#include "lib/scene_oa.h"
#include "zalo/zalo_op.h"

#define SIGNED "mac=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lt_str body = { (const char *)p, n };
	struct lt_pair good = { .name = LTC_LIT("x-zevent-signature"), .value = LTC_LIT(SIGNED) };
	struct lt_pair bad = { .name = LTC_LIT("X-ZEvent-Signature"), .value = LTC_LIT("mac=00") };
	static const char *const what[] = { "receipt", "inbound" };
	struct sh *h = oa_host();

	MUST(sh_open(h) == 0);
	int64_t status = fh_push(h, "POST", (struct lt_str){ 0 }, &bad, 1, body);
	MUST(status == 200 || status == 413);
	MUST(sh_last_note(h, "receipt") == NULL && sh_last_note(h, "inbound") == NULL);
	status = fh_push(h, "POST", (struct lt_str){ 0 }, &good, 1, body);
	MUST(status == 200 || status == 413 || status == 503);
	for (size_t i = 0; i < 2; i++) {
		const struct sh_note *k = sh_last_note(h, what[i]);
		MUST(k == NULL || !ltc_utf8_valid(body) || strlen(k->text) == sizeof(k->text) - 1 ||
			ltc_utf8_valid(ltc_z(k->text)));
	}
	MUST(h->misuse == 0);
	sh_free(h);
	return 0;
}
