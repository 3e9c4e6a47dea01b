/* Markdown to plain text, to blocks, to its pictures; and a text that was escaped comes out as it went in. */
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "content/markdown.h"
#include "fuzz.h"

static void picture(void *ctx, int line, const char *url, const char *alt)
{
	MUST(line >= 1 && url != NULL && alt != NULL);
	++*(size_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str md = { (const char *)p, n };
	struct buf plain CLEANUP_BUF;
	struct blocks b = { 0 };
	size_t pictures = 0;

	buf_init(&plain, 16u << 20);
	if (!utf8_valid(md, NULL) || memchr(p, 0, n) != NULL)
		return 0;
	if (markdown_to_plain(md, &plain) == 0)
		MUST(utf8_valid(buf_str(&plain), NULL));
	if (markdown_to_blocks(md, &b) == 0) {
		MUST(b.n <= MARKDOWN_BLOCKS_MAX);
		for (size_t i = 0; i < b.n; i++)
			MUST(b.v[i].text == NULL || utf8_valid(str_of(b.v[i].text), NULL));
	}
	blocks_done(&b);
	FUZZ_IGNORE(markdown_each_image(md, picture, &pictures));
	return 0;
}
