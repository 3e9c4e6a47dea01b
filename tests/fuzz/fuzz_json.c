/* JSON of the control protocol and of providers: what parses is printed and parses to the same again. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	cJSON *a = NULL, *b = NULL;
	struct err e = { 0 };
	int rc = json_parse((struct str){ (const char *)p, n }, FUZZ_INPUT_MAX, &a, &e);

	MUST((rc == 0) == (a != NULL) && (rc == 0 || e.text[0] != '\0'));
	if (rc < 0)
		return 0;
	(void)json_i64(a, "id", 0);
	(void)json_str(a, "method");
	(void)json_bool(a, "dry", false);
	/* A fraction beyond 2^53 is printed as a whole number, which is read as its digits: the second round is the fixed point. */
	for (int i = 0; i < 2 && rc == 0; i++) {
		char *text = json_print(a);
		rc = json_parse(str_of(text), 8 * FUZZ_INPUT_MAX, &b, &e);
		if (rc == 0) {
			char *again = json_print(b);
			MUST(i == 0 || strcmp(text, again) == 0);
			free(again);
			cJSON_Delete(a);
			a = b;
		}
		free(text);
	}
	cJSON_Delete(a);
	return 0;
}
