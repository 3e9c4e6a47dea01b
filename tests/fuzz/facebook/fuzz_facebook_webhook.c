/* What Facebook pushes: the query of a subscription, then (behind a line "%%") a body, once signed and once not. Unsigned bytes
 * tell nothing; signed ones are answered and every report names something. */
#include <string.h>
#include "../host.h"
#include "facebook/facebook_step.h"
#include "lib/scene_page.h"

#define SIGNED "sha256=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lt_str body = { (const char *)p, n }, query = fh_part(&body);
	struct lt_pair bad = { .name = LTC_LIT("X-Hub-Signature-256"), .value = query },
		       good = { .name = LTC_LIT("x-hub-signature-256"), .value = LTC_LIT(SIGNED) };
	struct sh *h = page_host();

	MUST(sh_open(h) == 0);
	if (!ltc_eqz(query, SIGNED)) {
		MUST(fh_push(h, "POST", query, &bad, 1, body) == 403);
		MUST(sh_last_note(h, "receipt") == NULL);
	}
	int64_t status = fh_push(h, "GET", query, NULL, 0, body);
	MUST(status == 200 || status == 400 || status == 403);
	if (status == 200)
		MUST(ltc_find(query, LTC_LIT("our"), false) != NULL ||
			ltc_find(query, LTC_LIT("%"), false) != NULL);
	status = fh_push(h, "POST", query, &good, 1, body);
	MUST(status == 200 || status == 400 || status == 503);
	const struct sh_note *r = sh_last_note(h, "receipt");
	MUST(r == NULL || (status != 400 && r->text[0] != '\0'));
	MUST(h->misuse == 0);
	sh_free(h);
	return 0;
}
