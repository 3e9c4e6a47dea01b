/* oa.h - an official account on the scripted host, as the fuzz targets of this folder open it. */
#ifndef LANTOA_TESTS_FUZZ_OA_H
#define LANTOA_TESTS_FUZZ_OA_H

#include "../host.h"
#include "zalo/zalo_op.h"
#include "zalo/zalo_prepare.h"

extern const struct lt_adapter lantoa_adapter;

static inline struct sh *oa_host(void)
{
	struct sh *h = sh_new(&lantoa_adapter);

	sh_conf(h, "app_id", "1234500000000000001");
	sh_conf(h, "base_url", "http://127.0.0.1:9");
	sh_conf(h, "zns_base_url", "http://127.0.0.1:9");
	sh_conf(h, "oauth_base_url", "http://127.0.0.1:9");
	sh_conf(h, "oa_secret", "oa_secret");
	sh_conf(h, "author", "Ban Truyền thông");
	sh_conf(h, "zns_template", "420017");
	sh_file(h, "outcomes", fh_file("config/outcomes/zalo.tsv"));
	sh_secret(h, "access_token", "AT-canary");
	sh_secret(h, "refresh_token", "RT-canary");
	sh_secret(h, "app_secret", "app-canary");
	sh_secret(h, "oa_secret", "oa-canary");
	h->auto_go = true;
	h->wall = 1789000000000;
	return h;
}

#endif
