/* fbtest.h - what the tests of the Facebook adapter share: a page, its provider played call by call, a post with pictures. */
#ifndef LANTOA_TESTS_FBTEST_H
#define LANTOA_TESTS_FBTEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../../adapters/facebook/facebook_step.h"
#include "../../lib/scene_page.h"

#define POST PAGE "_122100000000051"
#define E2 \
	"{\"error\":{\"message\":\"An unexpected error has occurred.\",\"type\":\"OAuthException\",\"code\":2}}"

static inline struct sh *fbt_new(void)
{
	struct sh *h = page_host();

	sh_asset(h, "asset", "\xff\xd8\xffJPEG", 7);
	return h;
}

static inline struct sh *fbt_open(void)
{
	struct sh *h = fbt_new();

	assert_int_equal(sh_open(h), 0);
	return h;
}

/* A post of `n` pictures; the job is started. */
static inline size_t fbt_post(
	struct sh *h, const char *message, size_t n, const struct lt_pair *steps, size_t n_steps)
{
	static char head[4][4096];
	static size_t turn;
	char *b = head[turn++ % 4];
	size_t at = (size_t)snprintf(b, 4096, "fb1\n"), s = sh_session(h);

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(b + at, 4096 - at,
			"a 5\nalt %zu\nk 0\n\ny 10\nimage/jpeg\nf 5\n%zu.jpg\n", i, i);
	const char *const fields[] = { "m", message, "t", "Một tiêu đề dài", "l",
		"https://portal.example/ttbc" };
	for (size_t i = 0; i < 6; i += 2)
		at += (size_t)snprintf(b + at, 4096 - at, "%s %zu\n%s\n", fields[i],
			strlen(fields[i + 1]), fields[i + 1]);
	size_t j = sh_op(h, s, PAGE, "ref", b, 0);
	for (size_t i = 0; i < n; i++)
		h->jobs[j]->payload[h->jobs[j]->work.n_payload++] = (struct lt_src){
			.asset = { "asset", 5 }, .length = 7
		};
	h->jobs[j]->work.steps = steps;
	h->jobs[j]->work.n_steps = n_steps;
	assert_int_equal(sh_start(h, j, 1), 0);
	return j;
}

/* "/PAGE_51" is not "/PAGE_5177", and "/PAGE/feed" no query about a feed. */
static inline bool fbt_ends(const char *url, const char *part)
{
	size_t n = strlen(url), k = strlen(part);

	return n >= k && strcmp(url + n - k, part) == 0;
}

/* The next call must be this one, to what ends so; it is answered 200 with body, or as given. */
static inline struct sh_http *fbt_next(struct sh *h, const char *method, const char *part)
{
	for (size_t i = 0; i < h->n_http; i++)
		if (!h->http[i].answered) {
			if (strcmp(h->http[i].method, method) != 0 ||
				!fbt_ends(h->http[i].url, part))
				fail_msg("%s %s, wanted %s %s", h->http[i].method, h->http[i].url,
					method, part);
			return &h->http[i];
		}
	fail_msg("nothing is asked; wanted %s %s", method, part);
	abort();
}

static inline void fbt_say(
	struct sh *h, const char *method, const char *part, int status, const char *body)
{
	struct sh_http *c = fbt_next(h, method, part);

	sh_answer(h, (size_t)(c - h->http),
		status > 0            ? LT_P_ANSWERED
			: status == 0 ? LT_P_NOT_SENT
				      : LT_P_MAYBE_SENT,
		status > 0 ? status : 0, body);
}

static inline size_t fbt_open_calls(const struct sh *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_http; i++)
		n += !h->http[i].answered;
	return n;
}

static inline void fbt_over(struct sh *h)
{
	if (h->misuse)
		fail_msg("%s", h->misuse_text);
	sh_free(h);
}

/* --- the walk of a post: nothing like it on the page, two photos, the draft, live with its permalink ----------------------------- */
#define EMPTY_LIST "{\"data\":[]}"

static inline void fbt_guard(struct sh *h)
{
	fbt_say(h, "GET", "/" PAGE "/published_posts", 200, EMPTY_LIST);
}

/* A page whose post has passed the guard. */
static inline struct sh *fbt_begun(size_t photos, size_t *ret_job)
{
	struct sh *h = fbt_open();

	*ret_job = fbt_post(h, "Xin chào", photos, NULL, 0);
	fbt_guard(h);
	return h;
}

/* The same answer `n` times, with more than the longest pause behind each. */
static inline void fbt_keeps_saying(
	struct sh *h, const char *method, const char *part, int status, const char *body, int n)
{
	for (int i = 0; i < n; i++) {
		fbt_say(h, method, part, status, body);
		sh_advance(h, 130000);
	}
}

static inline void fbt_photos(struct sh *h)
{
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1221\"}");
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1222\"}");
}

static inline void fbt_draft(struct sh *h)
{
	fbt_say(h, "POST", "/feed", 200, "{\"id\":\"" POST "\"}");
}

static inline void fbt_live(struct sh *h)
{
	fbt_say(h, "POST", "/" POST, 200, "{\"success\":true}");
	fbt_say(h, "GET", "/" POST, 200,
		"{\"id\":\"" POST
		"\",\"is_published\":true,\"permalink_url\":\"https://www.facebook.com/9/posts/51\"}");
}

static inline struct lt_pair fbt_step(const char *name, const char *value)
{
	return (struct lt_pair){ { name, strlen(name) }, { value, strlen(value) }, { NULL, 0 } };
}

static inline struct lt_str fbt_z(const char *s)
{
	return (struct lt_str){ s, strlen(s) };
}

/* A film of ten bytes, in pieces of which the first is asked for. */
static inline size_t fbt_video(struct sh *h)
{
	size_t s = sh_session(h), j;

	sh_asset(h, "video", "0123456789", 10);
	j = sh_op(h, s, PAGE, "r", "fb1\nv 2\n10\ny 9\nvideo/mp4\nm 5\nPhim!\nt 0\n\nl 0\n\n", 0);
	h->jobs[j]->payload[h->jobs[j]->work.n_payload++] = (struct lt_src){
		.asset = fbt_z("video"), .length = 10
	};
	assert_int_equal(sh_start(h, j, 1), 0);
	fbt_guard(h);
	assert_non_null(strstr(fbt_next(h, "POST", "/videos")->body, "file_size=10"));
	fbt_say(h, "POST", "/videos", 200,
		"{\"upload_session_id\":\"7001\",\"video_id\":\"7002\",\"start_offset\":\"0\",\"end_offset\":\"6\"}");
	return j;
}

/* Ended so, and nothing is asked any more. */
static inline void fbt_must_be(struct sh *h, size_t j, int outcome, int scope, uint32_t flags)
{
	struct sh_result *r = sh_result(h, j);

	if (!r->done || r->outcome != outcome || r->scope != scope || r->flags != flags)
		fail_msg("done %d outcome %d scope %d flags %u (%s %s)", r->done, r->outcome,
			r->scope, r->flags, r->code, r->text);
	assert_int_equal(fbt_open_calls(h), 0);
}

#endif
