/* plan_memo.c - outputs by what they were made of, so that nothing is made twice while nothing has changed: a submission fills it,
 * the start of a part finds there what it would make again and compare. The key is a hash over the manifest, the sender and all that
 * the adapter was given; adapters prepare without any other knowledge (adapter.h), so equal keys mean equal outputs.
 * Thread: any, under plan.cache_lock. Owns: one reference each. Bounds: MEMO_MAX and MEMO_BYTES, the longest unused out first.
 * A reload empties it: another setting is not part of the key.
 */
#include "plan/plan_internal.h"

/* Under the lock; the reference goes to the caller. */
static struct prepared *memo_out(struct plan *p, size_t at)
{
	struct prepared *out = p->memo[at].prepared;
	p->memo_bytes -= p->memo[at].bytes;
	p->memo[at] = p->memo[--p->n_memo];
	return out;
}

static size_t memo_oldest(const struct plan *p)
{
	size_t at = 0;
	for (size_t i = 1; i < p->n_memo; i++)
		if (p->memo[i].used < p->memo[at].used)
			at = i;
	return at;
}

static struct plan_memo *memo_find(struct plan *p, const struct hash *key)
{
	for (size_t i = 0; i < p->n_memo; i++)
		if (hash_cmp(&p->memo[i].key, key) == 0)
			return &p->memo[i];
	return NULL;
}

uint64_t plan_memo_generation(struct plan *p)
{
	pthread_mutex_lock(&p->cache_lock);
	uint64_t generation = p->memo_generation;
	pthread_mutex_unlock(&p->cache_lock);
	return generation;
}

void plan_memo_put(
	struct plan *p, uint64_t generation, const struct hash *key, struct prepared *made)
{
	size_t bytes = prepared_memory(made);
	if (bytes > MEMO_BYTES || made->n_renditions > 0)
		return;
	pthread_mutex_lock(&p->cache_lock);
	if (generation == p->memo_generation && !memo_find(p, key)) {
		while (p->n_memo == MEMO_MAX || p->memo_bytes + bytes > MEMO_BYTES)
			prepared_unref(memo_out(p, memo_oldest(p)));
		p->memo[p->n_memo++] = (struct plan_memo){ .key = *key,
			.prepared = prepared_ref(made),
			.bytes = bytes,
			.used = ++p->cache_clock };
		p->memo_bytes += bytes;
	}
	pthread_mutex_unlock(&p->cache_lock);
}

struct prepared *plan_memo_get(struct plan *p, const struct hash *key)
{
	struct prepared *found = NULL;
	pthread_mutex_lock(&p->cache_lock);
	struct plan_memo *m = memo_find(p, key);
	if (m) {
		m->used = ++p->cache_clock;
		found = prepared_ref(m->prepared);
	}
	pthread_mutex_unlock(&p->cache_lock);
	return found;
}

void plan_memo_drop(struct plan *p)
{
	pthread_mutex_lock(&p->cache_lock);
	p->memo_generation++;
	while (p->n_memo > 0)
		prepared_unref(memo_out(p, p->n_memo - 1));
	pthread_mutex_unlock(&p->cache_lock);
}
