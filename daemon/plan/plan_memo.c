/* plan_memo.c - outputs by what they were made of, so that nothing is made twice while nothing has changed: a submission fills it,
 * the start of a part finds there what it would make again and compare. The key is a hash over the sender and all that the adapter
 * was given; adapters prepare without any other knowledge (adapter.h), so equal keys mean equal outputs.
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

/* The longest unused; n_memo: none is older than the turn. */
static size_t memo_oldest(const struct plan *p, const struct memo_turn *t)
{
	size_t at = p->n_memo;
	for (size_t i = 0; i < p->n_memo; i++)
		if (p->memo[i].used <= t->since &&
			(at == p->n_memo || p->memo[i].used < p->memo[at].used))
			at = i;
	return at;
}

static bool memo_room(struct plan *p, const struct memo_turn *t, size_t bytes)
{
	while (p->n_memo == MEMO_MAX || p->memo_bytes + bytes > MEMO_BYTES) {
		size_t at = memo_oldest(p, t);
		if (at == p->n_memo)
			return false;
		prepared_unref(memo_out(p, at));
	}
	return true;
}

/* What was refused may be taken tomorrow, by another image helper; renditions are looked for each time, since their files may be lost. */
static bool may_keep(const struct prepared *made, size_t bytes)
{
	for (size_t i = 0; i < made->n_problems; i++)
		if (made->problems[i].severity >= 2)
			return false;
	return !made->summary && made->n_renditions == 0 && bytes <= MEMO_BYTES;
}

static struct plan_memo *memo_find(struct plan *p, const struct hash *key)
{
	for (size_t i = 0; i < p->n_memo; i++)
		if (hash_cmp(&p->memo[i].key, key) == 0)
			return &p->memo[i];
	return NULL;
}

struct memo_turn plan_memo_turn(struct plan *p)
{
	pthread_mutex_lock(&p->cache_lock);
	struct memo_turn t = { p->memo_generation, p->cache_clock };
	pthread_mutex_unlock(&p->cache_lock);
	return t;
}

bool plan_memo_holds(struct plan *p, const struct memo_turn *t)
{
	return plan_memo_turn(p).generation == t->generation;
}

void plan_memo_put(
	struct plan *p, const struct memo_turn *t, const struct hash *key, struct prepared *made)
{
	size_t bytes = prepared_memory(made);
	if (!may_keep(made, bytes))
		return;
	pthread_mutex_lock(&p->cache_lock);
	if (t->generation == p->memo_generation && !memo_find(p, key) && memo_room(p, t, bytes)) {
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
