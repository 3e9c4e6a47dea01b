/* A vendor file of any content: refused with a reason, or it opens; then a text makes a request, and an answer (the second text
 * of the input, behind a line "%%") is judged by its rules. */
#include <string.h>
#include "../host.h"
#include "lib/scene_gate.h"
#include "sms_http/smsh.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lt_str in = { (const char *)p, n };

	if (!fh_good(p, n) || n > 65536)
		return 0;
	struct lt_str file = fh_part(&in), answer = in;
	char *z = calloc(1, file.n + 1);
	MUST(z != NULL);
	if (file.n > 0)
		memcpy(z, file.p, file.n);
	struct sh *h = gate_host(z, NULL, true);
	if (sh_open(h) == 0) {
		size_t op = sh_op(h, sh_session(h), "+84912345678", "REF1", PAYLOAD_GSM, 0);
		FUZZ_IGNORE(sh_start(h, op, 1));
		sh_turn(h);
		for (size_t i = 0; i < h->n_http && i < 4; i++) {
			if (h->http[i].answered)
				continue;
			MUST(strstr(h->http[i].url, "\n") == NULL &&
				strstr(h->http[i].url, "\r") == NULL);
			fh_answer(h, i, 200, NULL, 0, answer, 0);
		}
		struct lt_pair head = { .name = LTC_LIT("Content-Type"),
			.value = LTC_LIT("application/json") };
		(void)fh_push(h, "POST", LTC_LIT("id=1&status=1"), &head, 1, answer);
		MUST(h->misuse == 0);
	}
	sh_free(h);
	free(z);
	return 0;
}
