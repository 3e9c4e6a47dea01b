/* What a file is, from its first bytes. */
#include "content/image_head.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct image_head h;

	image_head_read((struct str){ (const char *)p, n }, &h);
	MUST(media_type_name(h.type) != NULL);
	MUST(media_is_picture(h.type) || (h.width == 0 && h.height == 0));
	return 0;
}
