/* store_queue_secret.c - one value out of the set of a rotating credential, which is kept as one sealed secret (store_secret.h).
 * Thread: any. Owns: nothing. Must not know: what a credential opens. Failures: a damaged set has no such value. */
#include <string.h>
#include "store/store_queue_secret.h"

struct str sq_secret_value(struct str plain, const char *name)
{
	while (plain.n > 0) {
		struct str part[2];
		for (int i = 0; i < 2; i++) {
			uint32_t n;
			if (plain.n < sizeof(n))
				return (struct str){ NULL, 0 };
			memcpy(&n, plain.p, sizeof(n));
			if (n > plain.n - sizeof(n))
				return (struct str){ NULL, 0 };
			part[i] = (struct str){ plain.p + sizeof(n), n };
			plain.p += sizeof(n) + n;
			plain.n -= sizeof(n) + n;
		}
		if (str_eqz(part[0], name))
			return part[1];
	}
	return (struct str){ NULL, 0 };
}
