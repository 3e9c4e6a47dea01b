/* plan_kept.c - outputs that were made again and found equal when their part started, until dispatch asks for them.
 * Without it each of them would be made twice between a signal and the first byte. A digest covers all that is sent, so whoever
 * asks for an approved digest of a channel may have what bears it, whichever office it was made for.
 * Thread: any, under plan.cache_lock. Owns: one reference each. Bounds: KEPT_MAX and KEPT_BYTES, the longest unused out first.
 */
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

static struct plan_kept *kept_find(struct plan *p, int64_t channel_id, const struct hash *digest)
{
	for (size_t i = 0; i < p->n_kept; i++)
		if (p->kept[i].channel_id == channel_id &&
			hash_cmp(&p->kept[i].prepared->digest, digest) == 0)
			return &p->kept[i];
	return NULL;
}

void plan_kept_put(struct plan *p, int64_t channel_id, struct prepared *made)
{
	size_t bytes = prepared_memory(made);
	if (bytes > KEPT_BYTES)
		return;
	pthread_mutex_lock(&p->cache_lock);
	struct plan_kept *k = kept_find(p, channel_id, &made->digest);
	while (!k && (p->n_kept == KEPT_MAX || p->kept_bytes + bytes > KEPT_BYTES))
		prepared_unref(kept_out(p, kept_oldest(p)));
	if (!k) {
		k = &p->kept[p->n_kept++];
		*k = (struct plan_kept){
			.channel_id = channel_id, .prepared = prepared_ref(made), .bytes = bytes
		};
		p->kept_bytes += bytes;
	}
	k->used = ++p->cache_clock;
	pthread_mutex_unlock(&p->cache_lock);
}

struct prepared *plan_kept_get(struct plan *p, int64_t channel_id, const struct hash *digest)
{
	struct prepared *found = NULL;
	pthread_mutex_lock(&p->cache_lock);
	struct plan_kept *k = kept_find(p, channel_id, digest);
	if (k) {
		k->used = ++p->cache_clock;
		found = prepared_ref(k->prepared);
	}
	pthread_mutex_unlock(&p->cache_lock);
	return found;
}

void plan_kept_drop(struct plan *p)
{
	pthread_mutex_lock(&p->cache_lock);
	while (p->n_kept > 0)
		prepared_unref(kept_out(p, p->n_kept - 1));
	pthread_mutex_unlock(&p->cache_lock);
}
