/* Answers of Zalo to an article or a message, one after the other (parted by lines "%%"; first byte: what is sent, and the first
 * status). Read in place: nothing outside the answer; every phase of the table has a row for it; the op ends honestly. */
#include <string.h>
#include "oa.h"

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
	char dst[64];
	struct ltc_buf b;
	struct lt_str v, one;
	int64_t i;

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		v = zj_get(s, keys[k]);
		MUST(fh_in(v, s));
		struct lt_str t = zj_text(v, dst, sizeof(dst));
		MUST(t.p == NULL || (t.n < sizeof(dst) && dst[t.n] == '\0'));
		MUST(ltc_utf8_valid(t) || !ltc_utf8_valid(v));
		(void)zj_int(v, &i);
		for (size_t n = 0; n < 1000 && zj_next(&v, &one); n++)
			MUST(fh_in(one, s));
	}
	ltc_buf_init(&b, 8u << 20);
	zj_add(&b,
		s); /* any bytes give a string of JSON that says the same where they were UTF-8 */
	MUST(b.failed || (zj_valid(ltc_buf_str(&b)) && ltc_utf8_valid(ltc_buf_str(&b))));
	if (!b.failed && s.n < 4000 && ltc_utf8_valid(s) && (s.n == 0 || !memchr(s.p, 0, s.n))) {
		char back[4096];
		MUST(ltc_eq(zj_text(ltc_buf_str(&b), back, sizeof(back)), s));
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
	MUST(fh_in(a.data, body));
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		(void)zalo_classify(zi->outcomes, phases[i], &a);
	struct lt_str rest = zj_get(a.data, "medias");
	for (int n = 0; n < 200 && zalo_media_next(&rest, &media); n++)
		MUST(media.id[0] != '\0');
	(void)zalo_detail_mark(&a, LTC_LIT("REF1"));
}

static size_t article(struct sh *h, size_t session)
{
	size_t i = sh_op(h, session, "oa:3300112233445500100", "REF1",
		ZALO_MAGIC "kind oa\ntitle Khai mạc\n", 0);
	struct sh_job *j = h->jobs[i];

	j->payload[1] = (struct lt_src){ .bytes = LTC_LIT(
						 "\"type\":\"normal\",\"title\":\"Khai mạc\"") };
	j->work.payload = j->payload;
	j->work.n_payload = 2;
	return i;
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
	size_t op = p[0] & 8 ? article(h, s)
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
