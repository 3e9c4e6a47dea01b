/* page.h - a page on the scripted host, as the fuzz targets of this folder open it. */
#ifndef LANTOA_TESTS_FUZZ_PAGE_H
#define LANTOA_TESTS_FUZZ_PAGE_H

#include "../host.h"
#include "facebook/facebook_step.h"

#define PAGE "104200000000017"
extern const struct lt_adapter lantoa_adapter;

static inline void page_secret(struct sh *h, const char *key, const char *name)
{
	for (size_t i = 0; i < h->n_values; i++)
		if (ltc_eqz(h->values[i].name, key))
			h->values[i].secret = ltc_z(name);
}

static inline struct sh *page_host(void)
{
	struct sh *h = sh_new(&lantoa_adapter);

	for (uint32_t i = 0; i < lantoa_adapter.n_keys; i++) {
		const char *v = lantoa_adapter.keys[i].default_text;
		sh_conf(h, lantoa_adapter.keys[i].name, v != NULL ? v : "");
	}
	sh_conf(h, "page", PAGE);
	sh_conf(h, "app_id", "5550001");
	page_secret(h, "app_secret", "app");
	page_secret(h, "system_token", "system");
	page_secret(h, "verify_token", "verify");
	sh_secret(h, "app", "s3cret");
	sh_secret(h, "system", "EAASystem");
	sh_secret(h, "verify", "our word");
	sh_secret(h, "access_token", "EAAPage17");
	sh_file(h, "outcomes", fh_file("config/outcomes/facebook.tsv"));
	return h;
}

#endif
