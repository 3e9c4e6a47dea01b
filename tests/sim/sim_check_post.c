/* sim_check_post.c - the promises at each post of a provider: approved, not stopped, within rates and hours, once. Owns: nothing; it
 * judges by what sim_check.c has seen. The scope of a stop is written here a second time, from the design and not from the daemon.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim_provider.h"

bool check_under(int64_t office, int64_t top)
{
	static const int parent[SIM_OFFICES] = { 0, 0, 1, 1, 3 };
	for (int64_t o = office; o > 0 && o < SIM_OFFICES; o = parent[o])
		if (o == top)
			return true;
	return false;
}

static bool covers(const struct sim_stop *s, const struct sim_lot *l)
{
	const struct stop_scope *c = &s->scope;
	if (!s->on || (s->until_ms && N.te.wall >= s->until_ms))
		return false;
	if (s->except_prio >= 0 && l->prio <= s->except_prio)
		return false;
	return (!c->release_id || c->release_id == l->release) &&
		(c->part < 0 || c->part == l->part) &&
		(!c->office_id || check_under(l->office, c->office_id)) &&
		(!c->lane_id || c->lane_id == l->lane) &&
		(!c->channel_id || c->channel_id == l->channel);
}

/* Every token in the text, for it may stand in a title and in a body: one release only. Its 0 stands in no ref (base32). */
static unsigned nonce_of(const char *text, size_t n)
{
	unsigned found = 0, one;
	for (const char *at = text; (at = memmem(at, n - (size_t)(at - text), "z0q", 3)) != NULL;
		at++) {
		char digits[16] = "";
		size_t left = n - (size_t)(at + 3 - text);
		memcpy(digits, at + 3, left < 12 ? left : 12);
		char *end = digits + strspn(digits, "0123456789");
		if (end == digits || strncmp(end, "q0z", 3) != 0)
			continue;
		one = (unsigned)strtoul(digits, NULL, 10);
		if (found && one != found)
			sim_fail("texts %u and %u left in one", found, one);
		found = one;
	}
	return found;
}

/* A broadcast tells of the article that stands: its text may be that of an earlier approval of the release. */
static bool is_approved(unsigned nonce, const struct sim_delivery *d)
{
	int release = 0;
	for (int i = 0; i < S->n_approvals; i++) {
		if (S->approval[i].nonce != nonce)
			continue;
		release = S->approval[i].release;
		if (check_covers_lot(&S->approval[i], d))
			return true;
	}
	for (int i = 0; i < S->n_approvals && d->cast && release; i++)
		if (S->approval[i].release == release && check_covers_lot(&S->approval[i], d))
			return true;
	return false;
}

int64_t check_find(int contact, const char *text, size_t n, bool cast)
{
	unsigned nonce = nonce_of(text, n);
	int64_t found = 0;
	for (int64_t id = 1; id <= S->max_id; id++) {
		const struct sim_delivery *d = &S->d[id];
		if (!d->seen || d->contact != contact || d->cast != cast || !is_approved(nonce, d))
			continue;
		if (found)
			sim_fail("deliveries %lld and %lld are the same", (long long)found,
				(long long)id);
		found = id;
	}
	return found;
}

int check_slot_of(int64_t id)
{
	return S->contact_slot[S->d[id].contact];
}

static void check_approved(int64_t id, const struct sim_delivery *d, const char *text, size_t n)
{
	const struct sim_lot *l = &S->lot[d->lot];
	unsigned nonce = nonce_of(text, n);
	if (!nonce)
		sim_fail("delivery %lld: a text that nobody wrote left", (long long)id);
	if (!is_approved(nonce, d))
		sim_fail("delivery %lld of release %lld: text %u left and nobody approved it",
			(long long)id, (long long)l->release, nonce);
}

/* Posts under way at a slot's provider, or at its second gateway; those that are over are forgotten, so that a long run looks at few. */
static int posts_live(int slot, bool spare)
{
	static size_t live[SIM_STARTS], n, seen;
	size_t kept = 0;
	int found = 0;
	for (; seen < N.net->n_calls && n < SIM_STARTS; seen++)
		if ((N.net->calls[seen]->flags & NET_PUBLISHES) &&
			!provider_is_for_token(N.net->calls[seen]->url))
			live[n++] = seen;
	for (size_t i = 0; i < n; i++) {
		const struct fakenet_call *c = N.net->calls[live[i]];
		if (c->done || c->cancelled)
			continue;
		live[kept++] = live[i];
		found += provider_slot_of(c->url) == slot && provider_is_spare(c->url) == spare;
	}
	n = kept;
	return found;
}

/* Each account has one lane, and each office one account where the provider has several. */
static void check_at_once(int slot, bool spare)
{
	int live = posts_live(slot, spare),
	    max = S->p.most[slot] * (provider_of(slot)->per_office ? SIM_OFFICES - 1 : 1);
	if (live > max)
		sim_fail("%d posts at once at %s%s, %d allowed", live, provider_of(slot)->name,
			spare ? "'s second gateway" : "", max);
}

static void check_limits(const struct sim_lot *l, int lane)
{
	check_at_once(lane, false);
	if (S->p.spare && lane == 1)
		check_at_once(lane, true);
	S->start[S->n_start++ % SIM_STARTS] = (struct sim_start){ .lane = l->lane,
		.mono_ms = N.te.mono };
	static const int64_t spans[] = { 1000, 10000, 60000, 600000 };
	for (size_t k = 0; k < ARRAY_LEN(spans) && S->p.rate[lane]; k++) {
		int64_t n = 0;
		for (uint64_t i = S->n_start; i > 0 && S->n_start - i < SIM_STARTS; i--) {
			const struct sim_start *s = &S->start[(i - 1) % SIM_STARTS];
			if (N.te.mono - s->mono_ms >= spans[k])
				break;
			n += s->lane == l->lane;
		}
		int64_t may = S->p.burst[lane] + S->p.intents[lane] +
			S->p.rate[lane] * (spans[k] / 1000) +
			S->wall_jumped * S->p.rate[lane] / 1000;
		if (n > may)
			sim_fail("%lld posts in %lld ms on a lane of %d/s", (long long)n,
				(long long)spans[k], S->p.rate[lane]);
	}
}

void check_publish(int64_t id, const char *text, size_t n)
{
	if (id <= 0 || id >= SIM_DELIVERIES || !S->d[id].seen)
		sim_fail("a post for delivery %lld, which is not there", (long long)id);
	const struct sim_delivery *d = &S->d[id];
	const struct sim_lot *l = &S->lot[d->lot];
	if (d->state != DLV_SENDING)
		sim_fail("delivery %lld is posted in state %d: no intent is committed",
			(long long)id, d->state);
	for (int i = 0; i < SIM_STOPS; i++)
		if (covers(&S->stop[i], l))
			sim_fail(
				"delivery %lld (release %lld part %d office %lld lane %lld) is posted after stop %d: %s",
				(long long)id, (long long)l->release, l->part, (long long)l->office,
				(long long)l->lane, i, S->stop[i].scope.text);
	if (l->restored)
		sim_fail(
			"delivery %lld (lot %lld) is posted and nobody looked what went out since the backup",
			(long long)id, (long long)d->lot);
	S->d[id].nonce = nonce_of(text, n);
	check_approved(id, d, text, n);
	check_limits(l, check_slot_of(id));
}

void check_gateway(int64_t id, bool second)
{
	struct sim_delivery *d = &S->d[id];
	if ((S->lot[d->lot].lane == S->spare_lane) != second)
		sim_fail("delivery %lld goes over the %s gateway and is of lane %lld",
			(long long)id, second ? "second" : "first", (long long)S->lot[d->lot].lane);
	S->n_spare += second;
	/* Absence that a provider proved, or a person declared, lets it go: then nobody has it. */
	if (d->tried && d->tried_second != second && d->effects > d->allowed_more)
		sim_fail("delivery %lld goes over the other gateway, and the one before has it",
			(long long)id);
	d->tried = true;
	d->tried_second = second;
}
