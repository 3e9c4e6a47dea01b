/* similar.c - how alike two titles are: letters and digits only, no marks, no case, then edit distance. Pure. */
#include "content/similar.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "content/ascii.h"

#define SIDE_MAX 600

static size_t normal(char dst[static SIDE_MAX], struct str s)
{
	struct buf b CLEANUP_BUF;
	size_t n = 0;
	buf_init(&b, 4096);
	if (ascii_fold(&b, utf8_cut(s, SIDE_MAX)) < 0)
		return 0;
	for (size_t i = 0; i < b.n && n < SIDE_MAX; i++) {
		char c = b.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			dst[n++] = c;
	}
	return n;
}

static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[SIDE_MAX + 1];
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned swap = diagonal + (a[i - 1] != b[j - 1]);
			unsigned del = row[j] + 1, ins = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = swap < del ? (swap < ins ? swap : ins) : (del < ins ? del : ins);
		}
	}
	return row[m];
}

int similar_ratio(struct str a, struct str b)
{
	char x[SIDE_MAX], y[SIDE_MAX];
	size_t n = normal(x, a), m = normal(y, b);
	size_t longer = n > m ? n : m;
	if (longer == 0 || n == 0 || m == 0)
		return 0;
	return (int)(1000 * (longer - distance(x, n, y, m)) / longer);
}

bool similar_titles(struct str a, struct str b)
{
	return similar_ratio(a, b) >= 900;
}
