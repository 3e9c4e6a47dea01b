/* A release as one Markdown file: front matter, parts, body; what parses is stored and read back the same. */
#include <stdlib.h>
#include <string.h>
#include "content/release_doc.h"
#include "fuzz.h"

static void round_trip(const struct release_doc *d)
{
	struct doc_stored a = { 0 }, b = { 0 };
	struct release_doc *again = NULL;
	struct doc_asset_row rows[DOC_ASSETS_MAX];
	struct err e;

	for (size_t i = 0; i < d->n_assets; i++)
		rows[i] = (struct doc_asset_row){ .hash = d->assets[i].hash,
			.name = d->assets[i].file,
			.type = "image/png",
			.bytes = 1 };
	if (release_doc_to_stored(d, &a) < 0)
		return;
	int rc = release_doc_from_stored(
		str_of(a.front), str_of(a.body), str_of(a.bodies), rows, d->n_assets, &again, &e);
	MUST(rc == 0 || rc == -ENOMEM);
	if (rc == 0 && release_doc_to_stored(again, &b) == 0)
		MUST(strcmp(a.front, b.front) == 0 && strcmp(a.body, b.body) == 0 &&
			strcmp(a.bodies, b.bodies) == 0);
	release_doc_free(again);
	doc_stored_done(&a);
	doc_stored_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct release_doc *d = NULL;
	struct content_problems problems;
	const struct doc_source src = { .main = { .name = "release.md",
						.text = { (const char *)p, n } } };

	problems_init(&problems);
	int rc = release_doc_parse(&src, &d, &problems);
	MUST((rc == 0) == (d != NULL) && (rc != -EINVAL || problems.errors > 0));
	if (rc == 0) {
		MUST(problems.errors == 0 && d->n_parts > 0);
		round_trip(d);
	}
	release_doc_free(d);
	problems_done(&problems);
	return 0;
}
