/* zalo_test.h - a scripted host with the adapter in it, as the unit tests of the Zalo adapter need it. */
#ifndef LANTOA_TESTS_ZALO_TEST_H
#define LANTOA_TESTS_ZALO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/scripted_host.h"
#include "zalo/zalo_op.h"
#include "zalo/zalo_prepare.h"

extern const struct lt_adapter lantoa_adapter;

static char *table_text;

static inline void table_read(void)
{
	FILE *f = fopen("config/outcomes/zalo.tsv", "rb");

	assert_non_null(f);
	if (!table_text)
		table_text = calloc(1, 1u << 18);
	size_t n = fread(table_text, 1, (1u << 18) - 1, f);
	table_text[n] = 0;
	(void)fclose(f);
}

static inline struct sh *host_new(void)
{
	struct sh *h = sh_new(&lantoa_adapter);

	table_read();
	sh_conf(h, "app_id", "1234500000000000001");
	sh_conf(h, "base_url", "http://127.0.0.1:9");
	sh_conf(h, "zns_base_url", "http://127.0.0.1:9");
	sh_conf(h, "oauth_base_url", "http://127.0.0.1:9");
	sh_conf(h, "oa_secret", "oa_secret");
	sh_conf(h, "author", "Ban Truyền thông");
	sh_conf(h, "zns_template", "420017");
	sh_file(h, "outcomes", table_text);
	sh_secret(h, "access_token", "AT-canary");
	sh_secret(h, "refresh_token", "RT-canary");
	sh_secret(h, "app_secret", "app-canary");
	sh_secret(h, "oa_secret", "oa-canary");
	h->auto_go = true;
	h->wall = 1789000000000;
	return h;
}

static inline int made_by(struct sh *h, struct sh_made *m, const struct lt_content *in)
{
	sh_made_init(m, h);
	return lantoa_adapter.prepare(&h->conf, in, &m->sink);
}

#define S(z)         ((struct lt_str){ (z), strlen(z) })
#define ARTICLE_HEAD ZALO_MAGIC "kind oa\ntitle Khai mạc\n"
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

/* The last call; there is one. */
static inline struct sh_http *last_call(struct sh *h)
{
	if (h->n_http == 0)
		abort();
	return &h->http[h->n_http - 1];
}

static inline void answer(struct sh *h, const char *body)
{
	sh_answer(h, h->n_http - 1, LT_P_ANSWERED, 200, body);
	sh_turn(h);
	sh_turn(h);
}

#endif
