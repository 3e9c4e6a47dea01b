/* The approved manifest: what decodes encodes to the same bytes, so that a hash has one meaning. */
#include <string.h>
#include "fuzz.h"
#include "model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str bytes = { (const char *)p, n };
	struct manifest *m = NULL;
	struct buf out CLEANUP_BUF;
	struct err e = { 0 };

	buf_init(&out, 32u << 20);
	if (manifest_decode(bytes, &m, &e) == 0) {
		MUST(manifest_encode(m, &out) == 0);
		MUST(str_eq(buf_str(&out), bytes));
	} else
		MUST(e.text[0] != '\0');
	manifest_free(m);
	return 0;
}
