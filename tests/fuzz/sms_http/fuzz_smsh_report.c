/* What a gateway pushes, by each shipped vendor file. First byte: the vendor; the query behind it up to a line "%%", then the body.
 * It is answered, and what is told has an id and a known state; the same push tells the same again. */
#include <string.h>
#include "../host.h"
#include "lib/scene_gate.h"
#include "sms_http/smsh.h"

static size_t told(const struct sh *h, const char *what)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_notes && i < SH_NOTES_MAX; i++)
		n += strcmp(h->notes[i].what, what) == 0;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n < 1 || n > 100000)
		return 0;
	size_t gate = p[0] % GATES;
	struct lt_str body = { (const char *)p + 1, n - 1 }, query = fh_part(&body);
	const char *const types[] = { "application/json", "application/x-www-form-urlencoded",
		"text/xml" };
	struct lt_pair head = { .name = LTC_LIT("Content-Type"), .value = ltc_z(types[n % 3]) };
	struct sh *h = gate_vendor_host(gate_vendors[gate].name);
	sh_secret(h, "access_token", "geheim");

	MUST(sh_open(h) == 0);
	int64_t one = fh_push(h, "POST", query, &head, 1, body);
	MUST(one == 0 || (one >= 200 && one < 600));
	size_t receipts = told(h, "receipt");
	int64_t two = fh_push(h, "POST", query, &head, 1, body);
	MUST(one == two);
	MUST(receipts > SH_NOTES_MAX / 4 || told(h, "receipt") == 2 * receipts);
	(void)fh_push(h, "GET", query, NULL, 0, (struct lt_str){ 0 });
	MUST(h->misuse == 0);
	sh_free(h);
	return 0;
}
