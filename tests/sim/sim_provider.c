/* sim_provider.c - what all providers of the simulation share: who plays which channel, chance, the ledger, answers, what is said later.
 * Owns: the timers of what waits to be said on a stream, until provider_done or the end of the process; copies of bodies, likewise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/assert.h"
#include "base/file.h"
#include "sim_provider.h"

#define SAYINGS_MAX 4096
#define BODIES_MAX  100000

struct saying { /* waits for its time on a stream */
	struct timer timer;
	struct fakenet_stream *s;
	bool cut;
	size_t n;
	char *bytes;
};

extern const struct sim_provider sim_loopback_sms;
const struct sim_provider *const sim_providers[] = { &sim_loopback, &sim_loopback_sms, &sim_email,
	&sim_sms_http, &sim_smpp, &sim_facebook, &sim_zalo, NULL };
static const char *const fates[] = { "ok", "refused", "temporary", "throttled", "no-line",
	"lost-before", "lost-after", "garbage", "broken", "silent", "slow", "half" };
_Static_assert(ARRAY_LEN(fates) == FATE_FATES, "a word for each");

static struct saying *sayings[SAYINGS_MAX];
static char *bodies[BODIES_MAX];
static size_t n_bodies;

/* --- who plays ---------------------------------------------------------------------------------------------------------------------- */

const struct sim_provider *provider_of(int slot)
{
	return sim_providers[S->p.provider[slot]];
}

static int by_name(const char *name, size_t n, int slot)
{
	for (int i = 0; sim_providers[i]; i++) {
		const struct sim_provider *p = sim_providers[i];
		if (strlen(p->name) == n && memcmp(p->name, name, n) == 0 &&
			(slot == 1) == (p->chan_kind == KIND_SMS))
			return i;
	}
	(void)fprintf(
		stderr, "SIM_PROVIDERS: nobody called %.*s plays channel %d\n", (int)n, name, slot);
	exit(2);
}

void provider_draw(void)
{
	const char *say = getenv("SIM_PROVIDERS");
	for (int slot = 0; slot < SIM_SLOTS; slot++) {
		int able[16], n = 0;
		for (int i = 0; sim_providers[i]; i++)
			if ((slot == 1) == (sim_providers[i]->chan_kind == KIND_SMS))
				able[n++] = i;
		S->p.provider[slot] = able[sim_below(n)];
		if (say && say[0]) {
			size_t len = strcspn(say, ",");
			S->p.provider[slot] = by_name(say, len, slot);
			say += len + (say[len] == ',');
		}
		size_t size = provider_of(slot)->state_size;
		S->state[slot] = size ? mmap(NULL, size, PROT_READ | PROT_WRITE,
						MAP_SHARED | MAP_ANONYMOUS, -1, 0)
				      : NULL;
		REQUIRE(S->state[slot] != MAP_FAILED);
		if (provider_of(slot)->begin)
			provider_of(slot)->begin(slot);
	}
}

void provider_file(const char *name, const char *text)
{
	char path[300];
	struct err e;
	(void)snprintf(path, sizeof(path), "%s/%s", S->dir, name);
	if (file_write_durable(path, str_of(text), 0600, &e))
		sim_fail("%s", e.text);
}

/* --- chance --------------------------------------------------------------------------------------------------------------------------- */

enum fate provider_fate(void)
{
	enum fate f = FATE_OK;
	if (!S->final && sim_chance(S->p.p_fault))
		f = (enum fate)sim_below(FATE_FATES);
	return f != FATE_OK && sim_event(EV_FAULT) ? f : FATE_OK;
}

bool provider_fault(int mille_of_faults)
{
	return !S->final && sim_chance(S->p.p_fault) && sim_chance(mille_of_faults) &&
		sim_event(EV_FAULT);
}

bool provider_has_effect(enum fate f)
{
	bool maybe = f == FATE_GARBAGE || f == FATE_BROKEN || f == FATE_SILENT;
	return f == FATE_OK || f == FATE_LOST_AFTER || f == FATE_SLOW || f == FATE_HALF ||
		(maybe && sim_chance(500));
}

const char *provider_fate_name(enum fate f)
{
	return fates[f];
}

int64_t provider_delay(void)
{
	static const int ms[] = { 0, 0, 1, 7, 30, 200, 1500, 9000 };
	return ms[sim_below((int)ARRAY_LEN(ms))];
}

const char *provider_words(bool raw)
{
	static const char *const bit[] = { "thư ", "bị ", "từ ", "chối ", "vì ", "nội dung ",
		"🙂 ", "x", "ộ" };
	static char text[40 * 12 + 1];
	size_t n = 0;
	for (int i = sim_below(40); i > 0; i--) {
		const char *add = bit[sim_below((int)ARRAY_LEN(bit))];
		memcpy(text + n, add, strlen(add));
		n += strlen(add);
	}
	if (raw && n > 0 && sim_chance(200))
		text[sim_below((int)n)] = (char)(0x80 + sim_below(0x80));
	text[n] = 0;
	return text;
}

/* --- the ledger ------------------------------------------------------------------------------------------------------------------------ */

static int64_t publish(int contact, const char *text, size_t n, bool cast)
{
	S->n_requests++;
	int64_t id = check_find(contact, text, n, cast);
	if (!id)
		sim_fail("a text that nobody approved left for contact %d: %.200s", contact, text);
	check_publish(id, text, n);
	return id;
}

int64_t provider_publish(int contact, const char *text, size_t n)
{
	return publish(contact, text, n, false);
}

int64_t provider_publish_cast(int contact, const char *text, size_t n)
{
	return publish(contact, text, n, true);
}

void provider_effect(int64_t id)
{
	S->d[id].once++;
	provider_effect_again(id);
}

void provider_effect_again(int64_t id)
{
	struct sim_delivery *d = &S->d[id];
	S->n_effects++;
	if (d->effects++ > d->allowed_more)
		sim_fail(
			"delivery %lld: %d effects at the provider, %d acts of people allowed more",
			(long long)id, d->effects, d->allowed_more);
}

/* --- requests -------------------------------------------------------------------------------------------------------------------------- */

void provider_answer(size_t call, int status, const char *body, int64_t after_ms)
{
	struct fakenet_answer a = { .status = status, .body = "", .after_ms = after_ms };
	if (body && body[0]) {
		REQUIRE(n_bodies < BODIES_MAX);
		a.body = bodies[n_bodies++] = x_strdup(body);
	}
	fakenet_reply(N.net, call, &a);
}

void provider_lose(size_t call, enum fate f)
{
	struct fakenet_answer a = { .after_ms = provider_delay() };
	struct fakenet_call *c = N.net->calls[call];
	c->arrived = f != FATE_NO_LINE;
	if (f == FATE_SILENT)
		return; /* until the caller has had enough */
	a.how = f == FATE_NO_LINE       ? FAKENET_REFUSED
		: f == FATE_LOST_BEFORE ? FAKENET_LOST_BEFORE
		: f == FATE_LOST_AFTER  ? FAKENET_LOST_AFTER
					: FAKENET_GARBAGE;
	fakenet_reply(N.net, call, &a);
}

bool provider_is_spare(const char *url)
{
	return S->p.spare && strstr(url, ":11/") != NULL;
}

bool provider_is_for_token(const char *url)
{
	return strstr(url, "/v4/oa/access_token") || strstr(url, "/oauth2/token");
}

int provider_slot_of(const char *url)
{
	for (int slot = 0; slot < SIM_SLOTS; slot++) {
		const struct sim_provider *p = provider_of(slot);
		char host[40];
		(void)snprintf(host, sizeof(host), ":%d/", 9 + slot);
		if (p->owns && p->owns(url) &&
			(strcmp(p->adapter, "loopback") != 0 || strstr(url, host) ||
				(slot == 1 && provider_is_spare(url))))
			return slot;
	}
	return -1;
}

static void request(size_t i, struct fakenet_call *c)
{
	int slot = provider_slot_of(c->url);
	if (slot < 0)
		sim_fail("a request to nobody: %s %s", c->method, c->url);
	provider_of(slot)->http(slot, i, c);
}

/* --- streams --------------------------------------------------------------------------------------------------------------------------- */

static void saying_drop(struct saying *w)
{
	timer_stop(&N.te.env, &w->timer);
	free(w->bytes);
	free(w);
}

static void on_say(struct timer *t)
{
	struct saying *w = CONTAINER_OF(t, struct saying, timer);
	for (size_t i = 0; i < SAYINGS_MAX; i++)
		if (sayings[i] == w)
			sayings[i] = NULL;
	sim_trace("said %.*s%s%s", (int)(w->n < 40 ? w->n : 40), w->bytes, w->cut ? "cut" : "",
		w->s->gone ? " to nobody" : "");
	if (!w->s->gone && w->n)
		fakenet_say_n(w->s, w->bytes, w->n);
	if (!w->s->gone && w->cut)
		fakenet_cut(w->s, sim_chance(500) ? -ECONNRESET : 0, "the peer went away");
	saying_drop(w);
}

static void say_later(struct fakenet_stream *s, const void *p, size_t n, bool cut,
	int64_t *not_before, int64_t ms)
{
	size_t at = 0;
	while (at < SAYINGS_MAX && sayings[at])
		at++;
	if (at == SAYINGS_MAX)
		sim_fail("too much waits to be said");
	struct saying *w = sayings[at] = x_calloc(1, sizeof(*w));
	w->s = s;
	w->cut = cut;
	w->n = n;
	w->bytes = x_calloc(n + 1, 1);
	if (n)
		memcpy(w->bytes, p, n);
	if (*not_before < N.te.mono + ms)
		*not_before = N.te.mono + ms;
	timer_init(&w->timer, on_say);
	timer_set(&N.te.env, &w->timer, *not_before);
}

void provider_say(struct fakenet_stream *s, const void *p, size_t n, int64_t ms)
{
	struct sim_conn *c = s->peer_state;
	say_later(s, p, n, false, &c->say_at, ms);
}

void provider_say_anyhow(struct fakenet_stream *s, const void *p, size_t n, int64_t ms)
{
	int64_t at = 0;
	say_later(s, p, n, false, &at, ms);
}

void provider_cut(struct fakenet_stream *s, int64_t ms)
{
	struct sim_conn *c = s->peer_state;
	say_later(s, NULL, 0, true, &c->say_at, ms);
}

void provider_say_garbage(struct fakenet_stream *s, int64_t ms)
{
	char bytes[40];
	size_t n = 1 + (size_t)sim_below((int)sizeof(bytes));
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)sim_random();
	if (sim_chance(500))
		bytes[n - 1] = '\n';
	provider_say(s, bytes, n, ms);
}

static void peer(void *arg, struct fakenet_stream *s, struct str fresh)
{
	const struct sim_conn *c = s->peer_state;
	UNUSED(arg);
	if (fresh.n)
		provider_of(c->slot)->stream(c->slot, s, fresh);
}

static void stream_new(struct fakenet_stream *s)
{
	for (int slot = 0; slot < SIM_SLOTS; slot++) {
		const struct sim_provider *p = provider_of(slot);
		if (p->port != s->port)
			continue;
		struct sim_conn *c = x_calloc(1, p->conn_size);
		c->slot = slot;
		s->peer_state = c;
		bool none = provider_fault(300);
		sim_trace("connection to %s%s", p->name, none ? " refused" : "");
		if (none)
			fakenet_cut(s, -ECONNREFUSED, "connection refused");
		else
			fakenet_open(s, p->greeting);
		return;
	}
	sim_fail("a connection to nobody: %s port %d", s->host, s->port);
}

/* --- what providers do by themselves ------------------------------------------------------------------------------------------------- */

bool provider_later(int slot, int kind, int64_t after_ms, int64_t delivery, const char *id)
{
	for (int i = 0; i < SIM_LATER; i++) {
		struct sim_later *l = &S->later[i];
		if (l->used)
			continue;
		S->n_later++;
		*l = (struct sim_later){ .used = true,
			.slot = slot,
			.kind = kind,
			.due = N.te.mono + after_ms,
			.delivery = delivery,
			.no = ++S->n_told };
		(void)snprintf(l->id, sizeof(l->id), "%s", id);
		return true;
	}
	return false;
}

void provider_report(int slot, int64_t delivery, const char *id)
{
	static const int64_t when[] = { 0, 0, 300, 5000, 5000, 60000, 3600000 };
	int kind = sim_chance(850) ? SIM_SAID_DELIVERED : SIM_SAID_FAILED;
	int n = provider_fault(200) ? 0 : 1 + sim_chance(S->p.p_fault);
	if (!S->p.receipts)
		return;
	for (int i = 0; i < n; i++)
		(void)provider_later(
			slot, kind, when[sim_below((int)ARRAY_LEN(when))], delivery, id);
}

void provider_thanked(struct sim_later *l)
{
	struct sim_delivery *d = &S->d[l->delivery];
	/* Of a copy that waits since a restore it is written beside the state, for the person who looks what went out. */
	if (l->delivery > 0 && d->before && d->state == DLV_WAITING)
		d->said |= l->kind == SIM_SAID_DELIVERED ? SIM_TOLD_DELIVERED : SIM_TOLD_FAILED;
	else if (l->delivery > 0)
		d->said |= (uint8_t)l->kind;
	S->n_thanked++;
	S->n_later--;
	l->used = false;
}

static void due(struct sim_later *l)
{
	if (!l->used || l->epoch == S->epoch || l->due > N.te.mono)
		return;
	l->epoch = S->epoch;
	N.told++;
	if (l->delivery > 0)
		S->d[l->delivery].said |= l->kind == SIM_SAID_DELIVERED ? SIM_TOLD_DELIVERED
									: SIM_TOLD_FAILED;
	sim_trace("%s reports %d of delivery:%lld", provider_of(l->slot)->name, l->kind,
		(long long)l->delivery);
	provider_of(l->slot)->due(l);
}

void provider_poll(void)
{
	for (; N.seen_streams < N.net->n_streams; N.seen_streams++)
		stream_new(N.net->streams[N.seen_streams]);
	for (; N.seen_calls < N.net->n_calls; N.seen_calls++)
		if (!N.net->calls[N.seen_calls]->cancelled) /* else the kernel never had it */
			request(N.seen_calls, N.net->calls[N.seen_calls]);
	for (int i = 0, left = S->n_later; i < SIM_LATER && left > 0; i++)
		if (S->later[i].used) {
			left--;
			due(&S->later[i]);
		}
}

void provider_boot(void)
{
	N.net->peer = peer;
	for (int slot = 0; slot < SIM_SLOTS; slot++)
		if (provider_of(slot)->booted)
			provider_of(slot)->booted(slot);
}

void provider_done(void)
{
	for (size_t i = 0; i < SAYINGS_MAX; i++)
		if (sayings[i])
			saying_drop(sayings[i]);
	for (size_t i = 0; i < n_bodies; i++)
		free(bodies[i]);
	for (size_t i = 0; i < N.net->n_streams; i++)
		free(N.net->streams[i]->peer_state);
}

bool provider_field(const char *in, const char *name, char *ret, size_t size)
{
	size_t n = strlen(name);
	for (const char *at = in; (at = strstr(at, name)) != NULL; at += n) {
		const char *p = at + n;
		if (at > in && strchr("\"&?\n", at[-1]) == NULL)
			continue;
		bool json = p[0] == '"';
		p += json ? strspn(p, "\": ") : 1;
		if (!json && at[n] != '=')
			continue;
		size_t len = strcspn(p, json ? "\",}" : "&\n");
		(void)snprintf(ret, size, "%.*s", (int)len, p);
		return true;
	}
	return false;
}
