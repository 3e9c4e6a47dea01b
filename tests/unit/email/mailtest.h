/* mailtest.h - what the tests of the e-mail adapter share: settings of a relay, a release to prepare. */
#ifndef LANTOA_TESTS_MAILTEST_H
#define LANTOA_TESTS_MAILTEST_H

#include <string.h>
#include "../../lib/scripted_host.h"
#include "../../lib/shipped.h"

extern const struct lt_adapter lantoa_adapter;

static inline struct lt_str mt(const char *s)
{
	return (struct lt_str){ s, s == NULL ? 0 : strlen(s) };
}

static inline struct sh *mail_host(void)
{
	struct sh *h = sh_new(&lantoa_adapter);

	sh_conf(h, "host", "relay.example.vn");
	sh_conf(h, "from", "thongbao@bhxh.example.vn");
	sh_conf(h, "from_name", "Bảo hiểm xã hội Việt Nam");
	sh_conf(h, "tls", "none");
	sh_conf(h, "connections", "2");
	return h;
}

#endif
