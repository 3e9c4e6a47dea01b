/* Mail addresses, and the tables of domains and outcomes. */
#include <string.h>
#include "../fuzz.h"
#include "common/outcome.h"
#include "email/email_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct email_addr a;
	struct lt_str in = { (const char *)p, n };

	if (n < 4096 && email_address_parse(in, &a) == 0)
		(void)email_domain_class((struct lt_str){ "gmail\tgmail.com\n", 16 }, in);
	const char *nl = n ? memchr(p, '\n', n) : NULL;
	if (nl != NULL) {
		size_t k = (size_t)(nl - (const char *)p);
		(void)email_domain_class((struct lt_str){ nl + 1, n - k - 1 },
			(struct lt_str){ (const char *)p, k });
		(void)ltc_outcome_match((struct lt_str){ (const char *)p, k },
			(struct lt_str){ nl + 1, n - k - 1 });
	}
	return 0;
}
