/* CSV as a stream: ends, every record within its bounds, lines only go up. */
#include <fcntl.h>
#include <unistd.h>
#include "base/utf8.h"
#include "content/csv.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int fd = open(fuzz_file(p, n), O_RDONLY | O_CLOEXEC), line = 0, last = 0, rc;
	const struct str *v;
	size_t k;
	struct err e;

	if (fd < 0)
		return 0;
	struct csv *c = csv_new(fd, "x.csv");
	while ((rc = csv_next(c, &v, &k, &line, &e)) != 0) {
		if (rc == -EBADMSG)
			continue;
		MUST(rc == 1 && k >= 1 && k <= CSV_COLUMNS_MAX && line > last);
		last = line;
		for (size_t i = 0; i < k; i++)
			MUST(v[i].n <= CSV_RECORD_MAX && utf8_valid(v[i], NULL));
	}
	csv_free(c);
	(void)close(fd);
	return 0;
}
