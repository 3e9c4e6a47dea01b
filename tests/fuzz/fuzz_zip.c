/* A bundle as a file: a zip or Markdown, unpacked into a private folder and loaded. Nothing lands outside the folder. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "content/bundle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct bundle_limits limits = { .packed_max = 1u << 20,
		.unpacked_max = 8u << 20,
		.file_max = 4u << 20,
		.entries_max = 64,
		.ratio_max = 200,
		.ratio_from = 1u << 20,
		.pixels_max = 1u << 20 };
	const struct bundle_rules rules = { .limits = &limits };
	struct content_problems problems;
	struct release_doc *d = NULL;
	struct err e = { 0 };
	const char *dir = fuzz_dir(), *file = fuzz_file(p, n);
	char outside[200];

	if (dir[0] == '\0' || file[0] == '\0')
		return 0;
	problems_init(&problems);
	if (bundle_unpack(file, "x.zip", dir, &limits, &e) == 0 &&
		bundle_load(dir, &rules, &d, &problems) == 0)
		MUST(d != NULL && problems.errors == 0);
	(void)snprintf(outside, sizeof(outside), "%s/../evil", dir);
	MUST(access(outside, F_OK) < 0);
	release_doc_free(d);
	problems_done(&problems);
	return 0;
}
