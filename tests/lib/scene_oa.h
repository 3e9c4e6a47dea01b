/* scene_oa.h - an official account on the scripted host, not opened yet: unit tests and fuzz targets of the Zalo adapter begin here. */
#ifndef LANTOA_TESTS_SCENE_OA_H
#define LANTOA_TESTS_SCENE_OA_H

#include "scripted_host.h"
#include "shipped.h"
#include "zalo/zalo_prepare.h"

#define ARTICLE_HEAD ZALO_MAGIC "kind oa\ntitle Khai mạc\n"
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
	sh_file(h, "outcomes", shipped_file("config/outcomes/zalo.tsv"));
	sh_secret(h, "access_token", "AT-canary");
	sh_secret(h, "refresh_token", "RT-canary");
	sh_secret(h, "app_secret", "app-canary");
	sh_secret(h, "oa_secret", "oa-canary");
	h->auto_go = true;
	h->wall = 1789000000000;
	return h;
}

/* An op over two pieces, as compose hands them over: sh_op has one, the second is set here. */
static inline size_t article_op(struct sh *h, size_t session, const char *head)
{
	size_t i = sh_op(h, session, "oa:3300112233445500100", "REF1", head, 0);
	struct sh_job *j = h->jobs[i];

	j->payload[1] = (struct lt_src){ .bytes = LTC_LIT(
						 "\"type\":\"normal\",\"title\":\"Khai mạc\"") };
	j->work.payload = j->payload;
	j->work.n_payload = 2;
	j->work.deadline_ms = 0;
	return i;
}

#endif
