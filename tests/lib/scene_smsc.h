/* scene_smsc.h - an SMPP account on the scripted host, not opened yet: unit tests and fuzz targets of the adapter begin here. */
#ifndef LANTOA_TESTS_SCENE_SMSC_H
#define LANTOA_TESTS_SCENE_SMSC_H

#include "scripted_host.h"
#include "shipped.h"

#define ONE "lantoa-sms 1\ncoding: gsm\nsegments: 1\nunits: 8\ncategory: 2\n\nXin chao"
extern const struct lt_adapter lantoa_adapter;

static inline struct sh *smsc_host(void)
{
	struct sh *h = sh_new(&lantoa_adapter);

	sh_conf(h, "host", "127.0.0.1");
	sh_conf(h, "system_id", "bhxh");
	sh_conf(h, "sender", "BHXH VN");
	sh_conf(h, "window", "500");
	sh_secret(h, "pw", "bimat77");
	sh_conf(h, "password", "pw");
	sh_file(h, "outcomes", shipped_file("config/outcomes/smpp.tsv"));
	sh_file(h, "ranges", shipped_file("config/sms/ranges.tsv"));
	return h;
}

#endif
