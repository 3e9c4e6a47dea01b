/* plan_kept.c - outputs that were made again and found equal when their part started, until dispatch asks for them.
 * Without it each of them would be made twice between a signal and the first byte. The key names manifest, part, channel, office,
 * kind of address and language; what dispatch gets bears the digest that it asks for as well.
 * Thread: any, under plan.cache_lock. Owns: one reference each. Bounds: KEPT_MAX and KEPT_BYTES, the longest unused out first.
 */
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

/* Under the lock; the reference goes to the caller. */
static struct prepared *kept_out(struct plan *p, size_t at)
{
	struct prepared *out = p->kept[at].prepared;
	p->kept_bytes -= p->kept[at].bytes;
	p->kept[at] = p->kept[--p->n_kept];
	return out;
}

static size_t kept_oldest(const struct plan *p)
{
	size_t at = 0;
	for (size_t i = 1; i < p->n_kept; i++)
		if (p->kept[i].used < p->kept[at].used)
			at = i;
	return at;
}

static bool key_equal(const struct prep_key *a, const struct prep_key *b)
{
	return a->office_id == b->office_id && a->channel_id == b->channel_id &&
		a->part == b->part && hash_cmp(&a->manifest, &b->manifest) == 0 &&
		strcmp(a->form, b->form) == 0 && strcmp(a->lang, b->lang) == 0;
}

static struct plan_kept *kept_find(struct plan *p, const struct prep_key *key)
{
	for (size_t i = 0; i < p->n_kept; i++)
		if (key_equal(&p->kept[i].key, key))
			return &p->kept[i];
	return NULL;
}

uint64_t plan_kept_generation(struct plan *p)
{
	pthread_mutex_lock(&p->cache_lock);
	uint64_t generation = p->kept_generation;
	pthread_mutex_unlock(&p->cache_lock);
	return generation;
}

void plan_kept_put(
	struct plan *p, uint64_t generation, const struct prep_key *key, struct prepared *made)
{
	size_t bytes = prepared_memory(made);
	if (bytes > KEPT_BYTES)
		return;
	pthread_mutex_lock(&p->cache_lock);
	const struct plan_kept *was = kept_find(p, key);
	if (was) /* it may have become due again with other variables */
		prepared_unref(kept_out(p, (size_t)(was - p->kept)));
	if (generation == p->kept_generation) {
		while (p->n_kept == KEPT_MAX || p->kept_bytes + bytes > KEPT_BYTES)
			prepared_unref(kept_out(p, kept_oldest(p)));
		p->kept[p->n_kept++] = (struct plan_kept){ .key = *key,
			.prepared = prepared_ref(made),
			.bytes = bytes,
			.used = ++p->cache_clock };
		p->kept_bytes += bytes;
	}
	pthread_mutex_unlock(&p->cache_lock);
}

struct prepared *plan_kept_get(
	struct plan *p, const struct prep_key *key, const struct hash *digest)
{
	struct prepared *found = NULL;
	pthread_mutex_lock(&p->cache_lock);
	struct plan_kept *k = kept_find(p, key);
	if (k && hash_cmp(&k->prepared->digest, digest) == 0) {
		k->used = ++p->cache_clock;
		found = prepared_ref(k->prepared);
	}
	pthread_mutex_unlock(&p->cache_lock);
	return found;
}

void plan_kept_drop(struct plan *p)
{
	pthread_mutex_lock(&p->cache_lock);
	p->kept_generation++;
	while (p->n_kept > 0)
		prepared_unref(kept_out(p, p->n_kept - 1));
	pthread_mutex_unlock(&p->cache_lock);
}
