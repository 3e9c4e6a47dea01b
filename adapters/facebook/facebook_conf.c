/* facebook_conf.c - settings of a page, read and checked once.
 * Thread: any, pure. Owns: nothing; strings are the host's. Failures: "key: value: what would be right". */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "facebook.h"

const struct lt_key fb_keys[] = {
	{ "page", "text", NULL,
		"id of the page, as digits in quotes; the account's identity is the same", 0, 0 },
	{ "app_id", "text", NULL, "id of the Meta app", 0, 0 },
	{ "app_secret", "secret", NULL, "secret of the app: proofs and webhooks", 0, 0 },
	{ "system_token", "secret", "",
		"token of the system user (or a long user token), from which each page's token is derived",
		0, 0 },
	{ "page_token", "secret", "", "a page token of its own, where none is derived", 0, 0 },
	{ "verify_token", "secret", "", "word of our choice for the subscription of the webhook", 0,
		0 },
	{ "base_url", "text", "https://graph.facebook.com", "address of the Graph API", 0, 0 },
	{ "video_url", "text", "https://graph-video.facebook.com",
		"address for the bytes of videos", 0, 0 },
	{ "version", "text", "v25.0", "version of the API, v23.0 or later", 0, 0 },
	{ "publish_mode", "enum:two_phase|direct", "two_phase",
		"posts with pictures: unpublished first, or at once", 0, 0 },
	{ "publish_mode_text", "enum:two_phase|direct", "two_phase", "posts of text or link", 0,
		0 },
	{ "appsecret_proof", "enum:plain|timed|off", "plain", "form of the proof in each request",
		0, 0 },
	{ "max_message", "int", "5000", "characters of a post", 0, 0 },
	{ "max_photos", "int", "10", "pictures of a post, at most 10", 0, 0 },
	{ "photo_max_bytes", "int", "4000000", "bytes of a picture; larger ones are fitted", 0, 0 },
	{ "photo_max_px", "int", "2048", "longer side of a picture; larger ones are fitted", 0, 0 },
	{ "photo_life_ms", "int", "43200000", "an unpublished photo is used within", 0, 0 },
	{ "draft_life_ms", "int", "21600000", "an unpublished post is used within", 0, 0 },
	{ "guard_hours", "int", "48",
		"posts of the page of so many hours are compared before; 0: not", 0, 0 },
	{ "guard_near", "int", "90",
		"percent of equal neighbouring words from which a text is the same", 0, 0 },
	{ "looks", "int", "3", "looks after which a lost post counts as absent", 0, 0 },
	{ "look_ms", "int", "150000", "least time between two of these looks", 0, 0 },
	{ "retries", "int", "3", "repeats of a step that may be repeated", 0, 0 },
	{ "retry_ms", "int", "5000",
		"pause before the first; each next one is six times longer, 2 minutes at most", 0,
		0 },
	{ "slow_percent", "int", "75", "usage from which the page slows down", 0, 0 },
	{ "slow_ms", "int", "5000", "pause between posts then", 0, 0 },
	{ "pause_percent", "int", "90", "usage from which the page, or all of them, pauses", 0, 0 },
	{ "regain_ms", "int", "900000", "pause where the API names none; doubles up to 4 hours", 0,
		0 },
	{ "connect_ms", "int", "10000", "time to connect", 0, 0 },
	{ "get_ms", "int", "30000", "time for a question", 0, 0 },
	{ "post_ms", "int", "60000", "time for a post", 0, 0 },
	{ "photo_ms", "int", "120000", "time for a photo", 0, 0 },
	{ "chunk_ms", "int", "300000", "time for a piece of a video", 0, 0 },
	{ "video_poll_ms", "int", "60000", "pause between looks at a video", 0, 0 },
	{ "video_poll_max", "int", "600000", "time after which a video is asked for later", 0, 0 },
	{ "stats_batch", "int", "25", "posts in one question for numbers, at most 50", 0, 0 },
	{ "expiry_days", "int", "14", "a token that ends within so many days is a warning", 0, 0 },
};
_Static_assert(
	sizeof(fb_keys) / sizeof(fb_keys[0]) == FB_CONF_KEYS, "facebook.h names their number");

struct in {
	const struct lt_conf *c;
	char *err;
	size_t err_size;
	bool bad;
};

static void complain(struct in *in, const char *key, struct lt_str v, const char *right)
{
	if (!in->bad)
		(void)snprintf(in->err, in->err_size, "%s: '%.*s': %s", key,
			(int)(v.n > 60 ? 60 : v.n), v.n > 0 ? v.p : "", right);
	in->bad = true;
}

static struct lt_str text(const struct in *in, const char *key)
{
	return ltc_pair(in->c->values, in->c->n_values, key);
}

static struct lt_str secret(const struct in *in, const char *key)
{
	return ltc_pair_secret(in->c->values, in->c->n_values, key);
}

static void number(struct in *in, const char *key, int64_t min, int64_t max, int64_t *ret)
{
	char right[80];

	if (ltc_i64(text(in, key), min, max, ret) == 0)
		return;
	(void)snprintf(
		right, sizeof(right), "a number from %lld to %lld", (long long)min, (long long)max);
	complain(in, key, text(in, key), right);
}

static void digits(struct in *in, const char *key, struct lt_str *ret)
{
	struct lt_str v = text(in, key);
	bool good = v.n >= 3 && v.n <= 20;

	for (size_t i = 0; i < v.n; i++)
		good &= v.p[i] >= '0' && v.p[i] <= '9';
	if (!good)
		complain(in, key, v, "digits only, in quotes");
	*ret = v;
}

static void url(struct in *in, const char *key, struct lt_str *ret)
{
	struct lt_str v = text(in, key);
	bool local = ltc_starts(v, "http://127.0.0.1") || ltc_starts(v, "http://localhost") ||
		ltc_starts(v, "http://[::1]");

	if ((!ltc_starts(v, "https://") && !local) || v.n > 200 || ltc_has_control(v) ||
		memchr(v.p, '?', v.n) != NULL || memchr(v.p, '@', v.n) != NULL)
		complain(in, key, v, "an https address (http for this machine only)");
	while (v.n > 0 && v.p[v.n - 1] == '/')
		v.n--;
	*ret = v;
}

static void version(struct in *in, struct lt_str *ret)
{
	struct lt_str v = text(in, "version"),
		      major = v.n > 3 ? (struct lt_str){ v.p + 1, v.n - 3 } : v;
	int64_t n = 0;

	if (v.n < 4 || v.n > 6 || v.p[0] != 'v' || v.p[v.n - 2] != '.' ||
		ltc_i64(major, 1, 999, &n) != 0 || n < 23)
		complain(in, "version", v, "v23.0 or later, such as v25.0");
	*ret = v;
}

static enum fb_mode mode(const struct in *in, const char *key)
{
	return ltc_eqz(text(in, key), "direct") ? FB_DIRECT : FB_TWO_PHASE;
}

static void read_names(struct in *in, struct fb_conf *r)
{
	struct lt_str p = text(in, "appsecret_proof");

	digits(in, "page", &r->page);
	digits(in, "app_id", &r->app_id);
	url(in, "base_url", &r->base_url);
	url(in, "video_url", &r->video_url);
	version(in, &r->version);
	r->app_secret = secret(in, "app_secret");
	r->parent = secret(in, "system_token");
	r->verify_token = secret(in, "verify_token");
	r->token = secret(in, "page_token");
	if (r->token.n == 0)
		r->token = LTC_LIT("access_token"); /* of the account's credential */
	if (r->app_secret.n == 0)
		complain(in, "app_secret", r->app_secret, "the name of the secret is needed");
	r->mode = mode(in, "publish_mode");
	r->text_mode = mode(in, "publish_mode_text");
	r->proof = ltc_eqz(p, "timed") ? FB_PROOF_TIMED
		: ltc_eqz(p, "off")    ? FB_PROOF_OFF
				       : FB_PROOF_PLAIN;
}

static void read_times(struct in *in, struct fb_conf *r)
{
	const int64_t day = 86400000;

	number(in, "photo_life_ms", 1000, day, &r->photo_life_ms);
	number(in, "draft_life_ms", 1000, day, &r->draft_life_ms);
	number(in, "look_ms", 1, day, &r->look_ms);
	number(in, "retry_ms", 1, 600000, &r->retry_ms);
	number(in, "slow_ms", 1, day, &r->slow_ms);
	number(in, "regain_ms", 1, day, &r->regain_ms);
	number(in, "connect_ms", 10, 600000, &r->connect_ms);
	number(in, "get_ms", 10, 600000, &r->get_ms);
	number(in, "post_ms", 10, 600000, &r->post_ms);
	number(in, "photo_ms", 10, 3600000, &r->photo_ms);
	number(in, "chunk_ms", 10, 3600000, &r->chunk_ms);
	number(in, "video_poll_ms", 10, 3600000, &r->video_poll_ms);
	number(in, "video_poll_max", 10, day, &r->video_poll_max);
}

int fb_conf_read(const struct lt_conf *c, struct fb_conf *ret, char *err, size_t err_size)
{
	struct in in = { c, err, err_size, false };
	struct fb_conf r = { .mode = FB_TWO_PHASE };

	read_names(&in, &r);
	read_times(&in, &r);
	number(&in, "max_message", 100, 63206, &r.max_message);
	number(&in, "max_photos", 1, FB_PHOTOS_MAX, &r.max_photos);
	number(&in, "photo_max_bytes", 10000, 10000000, &r.photo_max_bytes);
	number(&in, "photo_max_px", 100, 16384, &r.photo_max_px);
	number(&in, "guard_hours", 0, 720, &r.guard_hours);
	number(&in, "guard_near", 50, 100, &r.guard_near);
	number(&in, "looks", 1, 20, &r.looks);
	number(&in, "retries", 0, FB_RETRIES_MAX, &r.retries);
	number(&in, "slow_percent", 1, 100, &r.slow_percent);
	number(&in, "pause_percent", 1, 100, &r.pause_percent);
	number(&in, "stats_batch", 1, 50, &r.stats_batch);
	number(&in, "expiry_days", 0, 365, &r.expiry_days);
	if (in.bad)
		return -EINVAL;
	*ret = r;
	return 0;
}
