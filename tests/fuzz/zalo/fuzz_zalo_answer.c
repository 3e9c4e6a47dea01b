/* Answers of Zalo to an article or a message, one after the other (parted by lines "%%"; first byte: what is sent, and the first
 * status). Texts are UTF-8 whatever came; every phase of the table has a row for it; the op ends honestly. */
#include <string.h>
#include "../host.h"
#include "lib/scene_oa.h"
#include "zalo/zalo_op.h"

#define CALLS_MAX 24

static void honest(const struct sh_result *r, struct lt_str said)
{
	MUST(r->outcome == LT_UNKNOWN || r->outcome == LT_ACCEPTED || r->outcome == LT_REFUSED ||
		r->outcome == LT_DEFERRED);
	MUST(r->scope >= LT_SCOPE_TARGET && r->scope <= LT_SCOPE_CLASS);
	MUST(ltc_utf8_valid(ltc_z(r->code)) && ltc_utf8_valid(ltc_z(r->text)));
	MUST(!ltc_has_control(ltc_z(r->code)) && !ltc_has_control(ltc_z(r->text)));
	MUST(strstr(r->text, "canary") == NULL || ltc_find(said, LTC_LIT("can"), false) != NULL);
	MUST(r->retry_after_ms >= 0);
}

static void json(struct lt_str s)
{
	static const char *const keys[] = { "error", "data", "message", "id", "medias", "", "a" };
	struct ltc_json *doc = ltc_json_parse(s, LTC_JSON_ANSWER, NULL);
	char dst[64];
	struct ltc_buf b;
	int64_t i;

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		const struct ltc_json *v = ltc_json_get(doc, keys[k]);
		struct lt_str t = ltc_json_copy(v, dst, sizeof(dst));
		MUST(t.p == dst && t.n < sizeof(dst) && dst[t.n] == '\0');
		MUST(ltc_utf8_valid(t) && ltc_utf8_valid(ltc_json_text(v)));
		(void)ltc_json_i64(v, &i);
		for (const struct ltc_json *one = ltc_json_first(v); one != NULL;
			one = ltc_json_next(one))
			MUST(ltc_utf8_valid(ltc_json_text(one)) && ltc_json_line(one) >= 1 &&
				ltc_json_line(one) <= s.n + 1);
	}
	ltc_json_free(doc);
	ltc_buf_init(&b, 8u << 20);
	/* any bytes give a string of JSON that says the same where they were UTF-8 without a NUL */
	ltc_addc(&b, '[');
	ltc_json_add(&b, s);
	ltc_addc(&b, ']');
	if (!b.failed && b.n <= LTC_JSON_BYTES_MAX) {
		bool whole = ltc_utf8_valid(s) && (s.n == 0 || memchr(s.p, 0, s.n) == NULL);
		doc = ltc_json_parse(ltc_buf_str(&b), LTC_JSON_ANSWER, NULL);
		MUST(doc != NULL && ltc_utf8_valid(ltc_buf_str(&b)));
		MUST(!whole || ltc_eq(ltc_json_text(ltc_json_item(doc)), s));
		ltc_json_free(doc);
	}
	ltc_buf_done(&b);
}

static void reads(struct sh *h, struct lt_str body, int status)
{
	static const char *const phases[] = { "create", "show", "verify", "cast", "send", "upload",
		"zns", "list", "detail" };
	struct lt_http_res res = {
		.struct_size = sizeof(res), .status = status, .phase = LT_P_ANSWERED, .body = body
	};
	const struct zalo_inst *zi = h->inst.priv;
	struct zalo_answer a;
	struct zalo_media media;

	zalo_answer_read(&res, &a);
	MUST(ltc_utf8_valid(ltc_z(a.text)) && !ltc_has_control(ltc_z(a.text)));
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		(void)zalo_classify(zi->outcomes, phases[i], &a);
	const struct ltc_json *rest = ltc_json_item(ltc_json_get(a.data, "medias"));
	for (int n = 0; n < 200 && zalo_media_next(&rest, &media); n++)
		MUST(media.id[0] != '\0');
	(void)zalo_detail_mark(&a, LTC_LIT("REF1"));
	zalo_answer_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const int statuses[] = { 200, 400, 403, 500, 200, 429, 401, 200 };

	if (n < 1 || n > 200000)
		return 0;
	struct lt_str all = { (const char *)p + 1, n - 1 }, rest = all;
	struct sh *h = oa_host();
	MUST(sh_open(h) == 0);
	json(all);
	reads(h, all, statuses[p[0] % 8]);
	size_t s = sh_session(h);
	size_t op = p[0] & 8 ? article_op(h, s, ARTICLE_HEAD)
			     : sh_op(h, s, p[0] & 16 ? "group:77" : "user:4102938475610293847",
				       "REF1", "Xin chào", 0);
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
		fh_answer(h, c, i == 0 ? statuses[p[0] % 8] : 200, NULL, 0, fh_part(&rest), 0);
	}
	if (sh_result(h, op)->done)
		honest(sh_result(h, op), all);
	MUST(h->misuse == 0);
	sh_free(h);
	return 0;
}
