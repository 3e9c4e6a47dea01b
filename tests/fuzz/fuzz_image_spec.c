/* What an adapter asks of a picture: a spec that is taken is within the bounds, and is refused as soon as any of it is cut off in
 * the middle of a word; whatever is refused has its reason. */
#include <string.h>
#include "content/rendition_spec.h"
#include "fuzz.h"

static void good(const struct rendition_spec *s)
{
	MUST(s->n >= 1 && s->n <= RENDITION_KINDS);
	for (size_t i = 0; i < s->n; i++) {
		MUST(s->kind[i].format == RENDITION_PNG || s->kind[i].format == RENDITION_JPEG);
		MUST(s->kind[i].bytes > 0 && s->kind[i].bytes <= RENDITION_BYTES_MAX);
		MUST(s->kind[i].width > 0 && s->kind[i].width <= RENDITION_SIDE_MAX);
		MUST(s->kind[i].height > 0 && s->kind[i].height <= RENDITION_SIDE_MAX);
		MUST(i == 0 || s->kind[i].format != s->kind[0].format);
		MUST(rendition_format_name(s->kind[i].format) != NULL);
	}
	MUST((s->ratio_w == 0) == (s->ratio_h == 0));
	MUST(s->crop <= RENDITION_CROP_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rendition_spec s, again;
	struct err e = { 0 };
	struct str in = { (const char *)p, n };

	memset(&s, 0, sizeof(s));
	memset(&again, 0, sizeof(again));
	int rc = rendition_spec_parse(in, &s, &e);
	MUST(rc == 0 || (rc < 0 && e.text[0] != '\0'));
	if (rc < 0)
		return 0;
	MUST(n <= RENDITION_SPEC_MAX);
	good(&s);
	MUST(rendition_spec_parse(in, &again, &e) == 0 && memcmp(&s, &again, sizeof(s)) == 0);
	for (size_t k = 0; k < n; k++)
		if (rendition_spec_parse((struct str){ in.p, k }, &again, &e) == 0)
			good(&again);
	return 0;
}
