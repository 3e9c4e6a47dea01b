/* plan_text.c - stored revisions parsed, with their manifests: a cache of at most TEXT_CACHE.
 * Thread: any worker; entries are immutable and counted under plan.cache_lock. Failures: what is stored does not parse or fit.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

int plan_doc_from_store(struct store_reader *r, int64_t release_id, int64_t rev,
	struct release_doc **ret, struct err *e)
{
	struct revision_text text = { 0 };
	struct release_asset_row *assets = NULL;
	struct doc_asset_row rows[MANIFEST_ASSETS_MAX];
	size_t n = 0;
	int rc = revision_get(reader_db(r), release_id, rev, &text);
	if (rc == 0)
		rc = release_assets_get(reader_db(r), release_id, rev, &assets, &n);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct doc_asset_row){ .hash = assets[i].hash,
			.name = assets[i].name,
			.type = assets[i].type,
			.bytes = (uint64_t)assets[i].bytes,
			.width = (uint32_t)assets[i].width,
			.height = (uint32_t)assets[i].height };
	if (rc == 0)
		rc = release_doc_from_stored(str_of(text.front), str_of(text.body),
			str_of(text.bodies), rows, n, ret, e);
	else
		err_set(e, rc, "revision %lld could not be read", (long long)rev);
	revision_text_done(&text);
	asset_rows_free(assets, n);
	return rc;
}

static void text_free(struct plan_text *t)
{
	release_doc_free(t->doc);
	manifest_free(t->m);
	free(t);
}

static struct plan_text *cache_find(struct plan *p, const struct hash *h)
{
	struct plan_text *found = NULL;
	pthread_mutex_lock(&p->cache_lock);
	for (size_t i = 0; i < TEXT_CACHE && !found; i++)
		if (p->cache[i] && memcmp(&p->cache[i]->hash, h, sizeof(*h)) == 0)
			found = p->cache[i];
	if (found) {
		found->refs++;
		found->used = ++p->cache_clock;
	}
	pthread_mutex_unlock(&p->cache_lock);
	return found;
}

/* Takes the place of the one that was used longest ago; the cache holds one reference. */
static void cache_put(struct plan *p, struct plan_text *t)
{
	struct plan_text *out;
	size_t at = 0;
	pthread_mutex_lock(&p->cache_lock);
	for (size_t i = 0; i < TEXT_CACHE; i++) {
		if (!p->cache[i]) {
			at = i;
			break;
		}
		if (p->cache[i]->used < p->cache[at]->used)
			at = i;
	}
	out = p->cache[at];
	t->refs++;
	t->used = ++p->cache_clock;
	p->cache[at] = t;
	pthread_mutex_unlock(&p->cache_lock);
	plan_text_put(p, out);
}

static int text_load(
	struct store_reader *r, const struct hash *h, struct plan_text *t, struct err *e)
{
	struct buf body CLEANUP_BUF;
	buf_init(&body, MANIFEST_BYTES_MAX);
	struct hash is;
	int rc = manifest_get(reader_db(r), h, &t->release_id, &t->rev, &body);
	if (rc < 0)
		return err_set(e, rc, "there is no such manifest");
	manifest_hash(buf_str(&body), &is);
	if (hash_cmp(&is, h) != 0)
		return err_set(e, -EBADMSG,
			"forged: the stored manifest is not the one that its hash names");
	rc = manifest_decode(buf_str(&body), &t->m, e);
	if (rc == 0)
		rc = plan_doc_from_store(r, t->release_id, t->rev, &t->doc, e);
	if (rc == 0)
		t->body = (struct str){ t->m->own[0], body.n };
	return rc;
}

int plan_text_get(struct plan *p, struct store_reader *r, const struct hash *h,
	struct plan_text **ret, struct err *e)
{
	struct plan_text *t = cache_find(p, h);
	if (!t) {
		t = x_calloc(1, sizeof(*t));
		t->refs = 1;
		t->hash = *h;
		int rc = text_load(r, h, t, e);
		if (rc < 0) {
			text_free(t);
			return rc;
		}
		cache_put(p, t);
	}
	*ret = t;
	return 0;
}

void plan_text_put(struct plan *p, struct plan_text *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&p->cache_lock);
	REQUIRE(t->refs > 0);
	bool last = --t->refs == 0;
	pthread_mutex_unlock(&p->cache_lock);
	if (last)
		text_free(t);
}
