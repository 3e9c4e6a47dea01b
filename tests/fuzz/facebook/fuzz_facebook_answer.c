/* Answers of the Graph API to a post, one after the other (parted by lines "%%"; first byte: the first status; the usage headers
 * are the answer's own text). However it goes: an attempt ends honestly, its texts are clean, and what people see is sent at most
 * once without a look in between. */
#include <string.h>
#include "../host.h"
#include "facebook/facebook_step.h"
#include "lib/scene_page.h"

#define CALLS_MAX 24
#define HEAD      "fb1\nm 9\nXin chao!\nt 3\nTin\nl 26\nhttps://portal.example/ttbc\n"

static void honest(const struct sh_result *r, struct lt_str said)
{
	MUST(r->outcome == LT_UNKNOWN || r->outcome == LT_ACCEPTED || r->outcome == LT_REFUSED ||
		r->outcome == LT_DEFERRED);
	MUST(r->scope >= LT_SCOPE_TARGET && r->scope <= LT_SCOPE_CLASS);
	MUST(ltc_utf8_valid(ltc_z(r->code)) && ltc_utf8_valid(ltc_z(r->text)));
	MUST(!ltc_has_control(ltc_z(r->code)) && !ltc_has_control(ltc_z(r->text)));
	MUST(strstr(r->text, "EAAPage17") == NULL ||
		ltc_find(said, LTC_LIT("EAAPage17"), false) != NULL);
	MUST(r->retry_after_ms >= 0);
}

static void reads(struct sh *h, size_t job, struct lt_str body, int status)
{
	static const char *const phases[] = { "list", "photo", "draft", "live", "post", "read",
		"delete", "edit", "video", "token", "check", "stats" };
	const struct lt_pair heads[] = { { .name = LTC_LIT("X-App-Usage"), .value = body },
		{ .name = LTC_LIT("x-business-use-case-usage"), .value = body } };
	struct lt_http_res res = { .struct_size = sizeof(res),
		.status = status,
		.phase = LT_P_ANSWERED,
		.headers = heads,
		.n_headers = 2,
		.body = body };
	struct fb_verdict v;

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		struct ltc_json *tree = NULL;
		memset(&v, 0, sizeof(v));
		fb_answer_read(h->inst.priv, phases[i], &res, &v, &tree);
		MUST(ltc_utf8_valid(ltc_z(v.text)) && !ltc_has_control(ltc_z(v.text)));
		MUST(v.class != FB_OK || tree != NULL);
		ltc_json_free(tree);
	}
	int64_t regain = fb_rate_read(&h->inst, &h->jobs[job]->job, &res);
	MUST(regain >= 0 && regain <= INT64_C(7) * 24 * 3600 * 1000);
	const struct sh_note *rate = sh_last_note(h, "rate");
	MUST(rate == NULL || rate->value >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const int statuses[] = { 200, 400, 403, 500, 200, 429, 401, 404 };
	size_t published = 0;

	if (n < 1 || n > 200000)
		return 0;
	struct lt_str all = { (const char *)p + 1, n - 1 }, rest = all;
	struct sh *h = page_host();
	MUST(sh_open(h) == 0);
	h->auto_go = true;
	size_t op = sh_op(h, sh_session(h), PAGE, "ref", HEAD, 0);
	reads(h, op, all, statuses[p[0] % 8]);
	MUST(sh_start(h, op, 1) == 0);
	sh_turn(h);
	for (size_t i = 0; i < CALLS_MAX && !sh_result(h, op)->done; i++) {
		size_t c = 0;
		while (c < h->n_http && h->http[c].answered)
			c++;
		if (c == h->n_http) {
			sh_advance(h, 60000);
			continue;
		}
		MUST(strpbrk(h->http[c].url, "\r\n ") == NULL);
		published += (h->http[c].flags & LT_PUBLISHES) &&
			!(h->http[c].flags & LT_REPEATABLE);
		fh_answer(h, c, i == 0 ? statuses[p[0] % 8] : 200, NULL, 0, fh_part(&rest), 0);
	}
	if (sh_result(h, op)->done)
		honest(sh_result(h, op), all);
	MUST(published <= 2);
	MUST(h->misuse == 0);
	sh_free(h);
	return 0;
}
