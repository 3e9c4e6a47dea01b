/* net_smtp.c - reply groups of an SMTP opening: "250-...", "250-...", "250 ..." belong together. Pure. */
#include "base/assert.h"
#include "net/net_smtp.h"

static bool smtp_code(struct str line, int *ret)
{
	if (line.n < 3)
		return false;
	for (int i = 0; i < 3; i++)
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
	*ret = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
	return true;
}

void smtp_opening_parse(struct str said, struct smtp_opening *ret)
{
	struct str rest = said, line;
	const char *begin = NULL;
	*ret = (struct smtp_opening){ .ehlo = STR(""), .last = STR("") };
	while (str_line(&rest, &line)) {
		int code = 0;
		if (begin == NULL)
			begin = line.p;
		if (!smtp_code(line, &code) || (line.n > 3 && line.p[3] == '-'))
			continue;
		const char *end = rest.n > 0 ? rest.p : said.p + said.n;
		ret->last = (struct str){ begin, (size_t)(end - begin) };
		if (code == 250)
			ret->ehlo = ret->last;
		if (code == 235)
			ret->logged_in = true;
		begin = NULL;
	}
}
