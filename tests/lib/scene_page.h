/* scene_page.h - a Facebook page on the scripted host, not opened yet: unit tests and fuzz targets of the adapter begin here. */
#ifndef LANTOA_TESTS_SCENE_PAGE_H
#define LANTOA_TESTS_SCENE_PAGE_H

#include <string.h>
#include "scripted_host.h"
#include "shipped.h"

#define PAGE "104200000000017"
extern const struct lt_adapter lantoa_adapter;

/* What the host does with a key of the type "secret": its name stands in the pair. */
static inline void page_secret(struct sh *h, const char *key, const char *name, const char *value)
{
	for (size_t i = 0; i < h->n_values; i++)
		if (h->values[i].name.n == strlen(key) &&
			memcmp(h->values[i].name.p, key, strlen(key)) == 0)
			h->values[i].secret = (struct lt_str){ name, strlen(name) };
	sh_secret(h, name, value);
}

/* As if the key stood nowhere. */
static inline void page_no_secret(struct sh *h, const char *key)
{
	for (size_t i = 0; i < h->n_values; i++)
		if (h->values[i].name.n == strlen(key) &&
			memcmp(h->values[i].name.p, key, strlen(key)) == 0)
			h->values[i].secret = (struct lt_str){ NULL, 0 };
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
	page_secret(h, "app_secret", "app", "s3cret");
	page_secret(h, "system_token", "system", "EAASystem");
	page_secret(h, "verify_token", "verify", "our word");
	sh_secret(h, "access_token", "EAAPage17");
	sh_file(h, "outcomes", shipped_file("config/outcomes/facebook.tsv"));
	return h;
}

#endif
