/* docscene.h - a release in one text: good(text) is read without a problem, bad(text, line, field, says) is refused there.
 *   HEAD, PART and TAIL are a front matter and body that are right.
 */
#ifndef LANTOA_TESTS_CONTENT_DOCSCENE_H
#define LANTOA_TESTS_CONTENT_DOCSCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/assert.h"
#include "content/release_doc.h"

#define HEAD "---\ncode: TTBC-2026-112\ntitle: Tin\n"
#define PART "to: press\nchannels: [email]\n"
#define TAIL "---\nThân bài.\n"

static const char *const files[] = { "cover.png", "a.png", "b.png", "cong-van.pdf", "clip.mp4",
	"clip.vtt", "in/x.png" };

static inline int parse(const char *text, struct release_doc **ret, struct content_problems *p)
{
	struct doc_source src = {
		.main = { "release.md", str_of(text) }, .files = files, .n_files = ARRAY_LEN(files)
	};
	problems_init(p);
	return release_doc_parse(&src, ret, p);
}

static inline struct release_doc *good(const char *text)
{
	struct release_doc *d = NULL;
	struct content_problems p;
	if (parse(text, &d, &p) < 0)
		fail_msg("refused: %s:%d %s: %s", p.v[0].file, p.v[0].line, p.v[0].field,
			p.v[0].text);
	assert_int_equal(p.errors, 0);
	problems_done(&p);
	return d;
}

/* The text is refused with exactly this problem at this line and field. */
static inline void bad(const char *text, int line, const char *field, const char *says)
{
	struct release_doc *d = NULL;
	struct content_problems p;
	assert_int_equal(parse(text, &d, &p), -EINVAL);
	assert_null(d);
	assert_true(p.errors >= 1);
	const struct content_problem *f = NULL;
	for (size_t i = 0; i < p.n && f == NULL; i++) {
		if (p.v[i].severity == PROBLEM_ERROR && p.v[i].line == line &&
			strcmp(p.v[i].field, field) == 0 && strstr(p.v[i].text, says) != NULL)
			f = &p.v[i];
	}
	if (f == NULL) {
		for (size_t i = 0; i < p.n; i++)
			print_error("%s:%d: [%s] %s\n", p.v[i].file, p.v[i].line, p.v[i].field,
				p.v[i].text);
		fail_msg("wanted line %d [%s] %s", line, field, says);
	}
	assert_string_equal(f->file, "release.md");
	problems_done(&p);
}

#endif
