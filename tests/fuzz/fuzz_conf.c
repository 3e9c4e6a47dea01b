/* lantoad.yaml: parsed whole or refused with a line. */
#include <stdio.h>
#include <string.h>
#include "conf/conf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	const char *file = fuzz_file(p, n);

	if (file[0] == '\0')
		return 0;
	int rc = conf_load(file, &c, &e);
	MUST((rc == 0) == (c != NULL) && (rc == 0 || e.text[0] != '\0'));
	conf_unref(c);
	return 0;
}
