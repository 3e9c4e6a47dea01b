/* credscene.h - a scene with one rotating credential, "oa", of one account: its first value, asking, the adapter's new pair and end. */
#ifndef LANTOA_TESTS_DISPATCH_CREDSCENE_H
#define LANTOA_TESTS_DISPATCH_CREDSCENE_H

#include "scene.h"
#include "dispatch/dispatch_credential.h"

#define OA "oa"

static char oa_name[] = OA;

static inline void bind_now(void)
{
	struct cred_load *l = NULL;
	struct err e = { 0 };

	assert_int_equal(dispatch_secrets_read(sc.ts.s, &sc.conf, &l, &e), 0);
	dispatch_secrets_bind(sc.d, (struct channels *)&fake, l);
	scene_settle();
}

static inline void open_with(const char *first)
{
	scene_open(1);
	sc.acct[0].credential = oa_name;
	fake.first = first;
	scene_start();
	bind_now();
}

static inline void restart(void)
{
	const char *first = fake.first;

	scene_crash();
	scene_dispatch();
	fake.first = first;
	bind_now(); /* before anything is sent, as at a start */
	scene_start();
}

/* Also what a stop waits for. */
static inline void close_all(void)
{
	scene_close();
}

static inline const char *value(const char *name)
{
	static char text[200];
	struct secret *s = NULL;
	uint64_t version = 0;

	text[0] = 0;
	if (dispatch_secret_get(sc.d, "mail", OA, name, &s, &version) == 0)
		(void)str_copy(text, sizeof(text), secret_value(s));
	secret_free(s);
	return text;
}

static inline int ask(void)
{
	uint64_t before = fake.n_saved;

	fake.saved_rc = 1;
	fake.ev.refresh_intent(fake.ev.ctx, &fake.ch[0], OA, 77);
	assert_int_equal(fake.n_saved, before); /* never from inside the call */
	scene_settle();
	assert_int_equal(fake.n_saved, before + 1);
	return fake.saved_rc;
}

static inline void put(const char *refresh, const char *access, int64_t life_ms)
{
	const struct lt_pair v[] = {
		{ .name = { "refresh_token", 13 }, .value = { refresh, strlen(refresh) } },
		{ .name = { "access_token", 12 }, .value = { access, strlen(access) } },
	};
	int64_t now = env_wall(&sc.te.env);

	fake.ev.secret_put(fake.ev.ctx, &fake.ch[0], OA, v, 2, life_ms ? now + life_ms : 0, 78);
}

static inline void over(int outcome)
{
	const struct chan_result r = { .outcome = outcome, .text = STR("says the provider") };

	fake.ev.refresh_over(fake.ev.ctx, &fake.ch[0], OA, &r);
	scene_settle();
}

static inline int64_t stored_state(void)
{
	return scene_i64("SELECT state FROM credential WHERE name='oa'");
}

static inline void on_lane(void *ctx, const struct dispatch_lane_facts *f)
{
	if (f->lane_id == 1)
		(void)str_copy(ctx, 120, str_of(f->why));
}

static inline const char *lane_says(void)
{
	static char why[120];

	why[0] = 0;
	dispatch_lanes(sc.d, on_lane, why);
	return why;
}

#endif
