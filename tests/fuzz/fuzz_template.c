/* Variables of a text: found, and put in; an escaped value never becomes a variable again. */
#include <string.h>
#include "content/template.h"
#include "fuzz.h"

static int look(void *ctx, struct str name, struct str *ret)
{
	(void)ctx;
	MUST(name.n > 0 && name.n <= TEMPLATE_NAME_MAX + sizeof(".en"));
	*ret = str_of("{{office.hotline}} *b* [x](y)");
	return name.n % 3 == 1 ? TEMPLATE_FOUND : -ENOENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct template_vars v;
	struct str text = { (const char *)p, n };
	struct buf out CLEANUP_BUF;
	struct err e = { 0 };
	const struct template_opts o = {
		.lookup = look, .markdown = true, .raw_name = "local", .lang = "en"
	};

	int rc = template_vars(text, 1, &v, &e);
	if (rc == 0)
		for (size_t i = 0; i < v.n; i++)
			MUST(v.v[i].at + v.v[i].len <= n && v.v[i].line >= 1);
	else
		MUST(e.text[0] != '\0');
	buf_init(&out, 8u << 20);
	rc = template_render(text, &o, &out, &e);
	MUST(rc == 0 || e.text[0] != '\0');
	return 0;
}
