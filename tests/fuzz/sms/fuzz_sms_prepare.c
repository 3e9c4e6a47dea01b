/* A release as a short message: what is prepared is read again as it was meant, is within its limits and holds no hole. */
#include <string.h>
#include "../host.h"
#include "common/sms_conf.h"
#include "common/sms_prepare.h"

static const struct lt_key keys[] = { SMS_KEYS };
static const struct lt_adapter adapter = { .abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(adapter),
	.n_keys = SMS_N_KEYS,
	.keys = keys,
	.name = "sms",
	.version = "1",
	.address = sms_address,
	.prepare = sms_prepare,
	.compose = sms_compose };

static void check(const struct sh_made *m, bool unicode)
{
	static struct sms_cut v[SMS_SEGMENTS_MAX];
	struct sms_budget b = SMS_BUDGET_UDH8;
	struct sms_payload q;

	MUST(m->n_holes == 0 && sms_payload_read(fh_made(&m->text), &q) == 0);
	MUST(ltc_utf8_valid(q.text) && q.segments >= 1 && q.segments <= 4);
	MUST(unicode || q.coding == SMS_GSM);
	MUST(sms_split(q.text, q.coding, &b, 0, v, SMS_SEGMENTS_MAX) == (int)q.segments);
	MUST(sh_fact(m, "segments", -1) == (int64_t)q.segments);
	MUST(sh_fact(m, "cost", -1) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const forms[] = { "plain", "accented", "shortest" };
	struct lt_str in = { (const char *)p, n };

	if (!fh_good(p, n) || n == 0 || n > 65536)
		return 0;
	for (uint32_t i = 0; i < 3; i++) {
		struct sh *h = sh_new(&adapter);
		struct sh_made m;
		struct fh_release f;
		sh_conf(h, "sender", "BHXH-VN");
		sh_conf(h, "form", forms[i]);
		sh_conf(h, "unicode_allowed", n % 2 ? "yes" : "no");
		sh_conf(h, "unmappable", p[0] % 2 ? "?" : "drop");
		sh_file(h, "ranges", shipped_file("config/sms/ranges.tsv"));
		sh_file(h, "prices", shipped_file("config/sms/prices.tsv"));
		sh_file(h, "words", shipped_file("config/sms/words.tsv"));
		fh_release(&f, in, 1 + (p[0] & 3));
		f.c.text = f.c.body_markdown;
		sh_made_init(&m, h);
		if (sms_prepare(&h->conf, &f.c, &m.sink) == 0)
			check(&m, n % 2 != 0);
		else
			MUST(m.n_problems > 0);
		MUST(ltc_utf8_valid(fh_made(&m.preview)) && ltc_utf8_valid(fh_made(&m.problems)));
		sh_made_done(&m);
		sh_free(h);
	}
	return 0;
}
