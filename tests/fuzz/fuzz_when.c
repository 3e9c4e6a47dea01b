/* Times as people write them: what is read lies in a sane range and a duration is never negative. */
#include "fuzz.h"
#include "model/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str s = { (const char *)p, n };
	const struct zone zone = zone_vietnam();
	struct when w;
	struct weekday_slip slip;
	struct err e = { 0 };
	int64_t ms = 0;

	if (n > 100000)
		return 0;
	if (when_parse(s, &zone, &w, &e) == 0)
		(void)when_resolve(&w, 0);
	if (when_parse_duration(s, &ms, &e) == 0)
		MUST(ms >= 0);
	for (size_t at = 0; when_find_weekday_slip(s, at, &slip);) {
		MUST(slip.at >= at && slip.at + slip.len <= n && slip.len > 0);
		at = slip.at + slip.len;
	}
	return 0;
}
