/* host.h - the scripted host of tests/lib for fuzz targets of adapters: shipped data files, answers and pushes of any bytes,
 * a release made of the input. Nothing is shared between two inputs but the files that were read.
 * An input may hold several texts: a line "%%" parts them. */
#ifndef LANTOA_TESTS_FUZZ_HOST_H
#define LANTOA_TESTS_FUZZ_HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "fuzz.h"
#include "lib/scripted_host.h"
#include "lib/shipped.h"

/* What the daemon hands to an adapter as text: UTF-8 without NUL. */
static inline bool fh_good(const uint8_t *p, size_t n)
{
	return ltc_utf8_valid((struct lt_str){ (const char *)p, n }) &&
		(n == 0 || memchr(p, 0, n) == NULL);
}

/* The piece up to the next line "%%", or the rest. */
static inline struct lt_str fh_part(struct lt_str *rest)
{
	struct lt_str one = *rest;

	for (size_t i = 0; i + 3 <= rest->n; i++)
		if ((i == 0 || rest->p[i - 1] == '\n') && memcmp(rest->p + i, "%%\n", 3) == 0) {
			one.n = i > 0 ? i - 1 : 0;
			*rest = ltc_from(*rest, i + 3);
			return one;
		}
	*rest = ltc_from(*rest, rest->n);
	return one;
}

static inline bool fh_in(struct lt_str s, struct lt_str whole)
{
	return s.p == NULL || (s.p >= whole.p && s.p + s.n <= whole.p + whole.n);
}

static inline struct lt_str fh_made(const struct sh_text *t)
{
	return (struct lt_str){ t->p, t->n };
}

/* A request pushed from outside; the reply's status, 0: none yet. */
static inline int64_t fh_push(struct sh *h, const char *method, struct lt_str query,
	const struct lt_pair *headers, size_t n_headers, struct lt_str body)
{
	struct lt_request q = { .struct_size = sizeof(q),
		.method = ltc_z(method),
		.path = LTC_LIT("/w/x/y"),
		.query = query,
		.peer = LTC_LIT("127.0.0.1"),
		.headers = headers,
		.n_headers = n_headers,
		.body = body };
	size_t j = sh_job(h, LT_J_WEBHOOK, NULL);

	h->jobs[j]->work.request = &q;
	int rc = sh_start(h, j, 1);
	sh_turn(h);
	MUST(rc < 0 || sh_result(h, j)->done);
	const struct sh_note *n = sh_last_note(h, "reply");
	return rc < 0 || n == NULL ? 0 : n->value;
}

/* An answer with any body and up to two headers. */
static inline void fh_answer(struct sh *h, size_t call, int32_t status,
	const struct lt_pair *headers, size_t n_headers, struct lt_str body, uint32_t truncated)
{
	struct sh_http *c = &h->http[call];
	struct lt_http_res r = { .struct_size = sizeof(r),
		.status = status,
		.phase = LT_P_ANSWERED,
		.truncated = truncated,
		.headers = headers,
		.n_headers = n_headers,
		.body = body };
	struct lt_event ev = {
		.struct_size = sizeof(ev), .type = LT_EV_HTTP, .token = c->token, .u = &r
	};

	c->answered = true;
	(void)h->adapter->event(&h->inst, c->job, &ev);
	sh_turn(h);
}

/* A release of the input: title, body, then overrides `NAME text` of this kind, each behind a line "%%". With two files. */
struct fh_release {
	struct lt_content c;
	struct lt_asset assets[2];
	const struct lt_asset *list[2];
	struct lt_pair texts[6];
};
static inline void fh_release(struct fh_release *f, struct lt_str in, uint32_t category)
{
	struct lt_str title = fh_part(&in), body = fh_part(&in), name;

	memset(f, 0, sizeof(*f));
	f->assets[0] = (struct lt_asset){ .struct_size = sizeof(f->assets[0]),
		.role = 1,
		.id = LTC_LIT("aa11"),
		.content_type = LTC_LIT("image/png"),
		.alt = title,
		.filename = LTC_LIT("a.png"),
		.bytes = 100,
		.width = 1200,
		.height = 800 };
	f->assets[1] = f->assets[0];
	f->assets[1].role = 3;
	f->assets[1].id = LTC_LIT("bb22");
	f->assets[1].content_type = LTC_LIT("application/pdf");
	f->assets[1].filename = title;
	f->list[0] = &f->assets[0];
	f->list[1] = &f->assets[1];
	f->c = (struct lt_content){ .struct_size = sizeof(f->c),
		.category = category,
		.title = title,
		.body_markdown = body,
		.lang = LTC_LIT("vi"),
		.code = LTC_LIT("TTBC-2026-112"),
		.link = LTC_LIT("https://portal.example/ttbc/112?a=1&b=2"),
		.texts = f->texts,
		.assets = f->list,
		.n_assets = 2,
		.at_ms = 1795395600000LL };
	while (in.n > 0 && f->c.n_texts < 6) {
		struct lt_str one = fh_part(&in);
		if (ltc_next(&one, ' ', &name))
			f->texts[f->c.n_texts++] = (struct lt_pair){ .name = name, .value = one };
	}
}

#endif
