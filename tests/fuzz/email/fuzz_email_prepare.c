/* A release as a mail: lines end with CRLF and keep to 998 bytes, headers hold no line that the text brought along, the body no
 * bare dot line; two times the same bytes; a filled mail has no hole left. */
#include <string.h>
#include "../host.h"

extern const struct lt_adapter lantoa_adapter;

static void mail(const char *p, size_t n)
{
	size_t line = 0;
	bool head = true;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			MUST(i > 0 && p[i - 1] == '\r');
			if (line == 1)
				head = false;
			line = 0;
			continue;
		}
		MUST(p[i] != '\r' || (i + 1 < n && p[i + 1] == '\n'));
		MUST(p[i] != '\0' && ++line <= 999);
		MUST(!head || (unsigned char)p[i] < 0x80 || (unsigned char)p[i] >= 0x80);
	}
	MUST(!head);
}

static void headers(const char *p)
{
	static const char *const once[] = {
		"\r\nSubject:", "\r\nFrom:", "\r\nTo:", "\r\nDate:", "\r\nMessage-ID:", "\r\nBcc:"
	};
	const char *end = strstr(p, "\r\n\r\n");

	MUST(end != NULL);
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		size_t found = 0;
		for (const char *q = p; (q = strcasestr(q, once[i])) != NULL && q < end; q++)
			found++;
		MUST(found <= (i == 5 ? 0u : 1u));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lt_str in = { (const char *)p, n };
	struct sh_made m, again;
	struct fh_release f;
	size_t len = 0;

	if (!fh_good(p, n) || n > 65536)
		return 0;
	struct sh *h = sh_new(&lantoa_adapter);
	sh_conf(h, "host", "relay.example.vn");
	sh_conf(h, "from", "thongbao@bhxh.example.vn");
	sh_conf(h, "from_name", "Bảo hiểm xã hội Việt Nam");
	sh_conf(h, "tls", "none");
	sh_asset(h, "aa11", "\x89PNG", 4);
	sh_asset(h, "bb22", "%PDF", 4);
	fh_release(&f, in, 2);
	f.assets[0].bytes = f.assets[1].bytes = 4;
	sh_made_init(&m, h);
	sh_made_init(&again, h);
	int rc = lantoa_adapter.prepare(&h->conf, &f.c, &m.sink);
	MUST(rc == lantoa_adapter.prepare(&h->conf, &f.c, &again.sink));
	MUST(ltc_eq(fh_made(&m.text), fh_made(&again.text)));
	MUST(ltc_utf8_valid(fh_made(&m.preview)));
	if (rc >= 0 && m.text.n > 0 && f.c.title.n < 200) {
		struct lt_target t = { .struct_size = sizeof(t),
			.address = LTC_LIT("toasoan@bao.example.vn"),
			.name = f.c.title,
			.lang = LTC_LIT("vi"),
			.ref = LTC_LIT("r-77"),
			.at_ms = 1795395600000LL };
		char *whole = sh_compose(&m, &t, &len);
		if (whole != NULL) {
			mail(whole, len);
			headers(whole);
		}
		free(whole);
	}
	sh_made_done(&m);
	sh_made_done(&again);
	sh_free(h);
	return 0;
}
