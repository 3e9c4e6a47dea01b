/* facebook_conf.c - settings of a page, read and checked once.
 * Thread: any, pure. Owns: nothing; strings are the host's. Failures: "key: value: what would be right". */
#include <errno.h>
#include "../common/settings.h"
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
	{ "list_fields", "enum:rich|plain", "rich",
		"rich: titles and links of cards are compared, too, until the API refuses that; plain: not",
		0, 0 },
	{ "warm_link", "enum:no|yes", "no",
		"before this page's post Facebook reads the link anew, once for all pages behind it",
		0, 0 },
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
	{ "cooldowns", "int", "1",
		"pauses of a page that posted too fast (368/1390008) before a person is asked", 0,
		0 },
	{ "check_hours", "int", "20",
		"the token is looked at with the daily figures when so many hours have passed; 0: not",
		0, 0 },
};
_Static_assert(
	sizeof(fb_keys) / sizeof(fb_keys[0]) == FB_CONF_KEYS, "facebook.h names their number");

static void version(struct ltc_settings *in, struct lt_str *ret)
{
	struct lt_str v = ltc_setting_value(in, "version"),
		      major = v.n > 3 ? (struct lt_str){ v.p + 1, v.n - 3 } : v;
	int64_t n = 0;

	if (v.n < 4 || v.n > 6 || v.p[0] != 'v' || v.p[v.n - 2] != '.' ||
		ltc_i64(major, 1, 999, &n) != 0 || n < 23)
		ltc_setting_wrong(in, "version", v, "v23.0 or later, such as v25.0");
	*ret = v;
}

static void read_names(struct ltc_settings *in, struct fb_conf *r)
{
	r->page = ltc_setting_digits(in, "page", 3, 20);
	r->app_id = ltc_setting_digits(in, "app_id", 3, 20);
	r->base_url = ltc_setting_url(in, "base_url", 200);
	r->video_url = ltc_setting_url(in, "video_url", 200);
	version(in, &r->version);
	r->app_secret = ltc_setting_secret(in, "app_secret");
	r->parent = ltc_setting_secret(in, "system_token");
	r->verify_token = ltc_setting_secret(in, "verify_token");
	r->token = ltc_setting_secret(in, "page_token");
	if (r->token.n == 0)
		r->token = LTC_LIT("access_token"); /* of the account's credential */
	if (r->app_secret.n == 0)
		ltc_setting_wrong(
			in, "app_secret", r->app_secret, "the name of the secret is needed");
	r->mode = (enum fb_mode)ltc_setting_word(in, "publish_mode");
	r->text_mode = (enum fb_mode)ltc_setting_word(in, "publish_mode_text");
	r->proof = (enum fb_proof)ltc_setting_word(in, "appsecret_proof");
	r->warm_link = ltc_setting_word(in, "warm_link") != 0;
	r->plain_fields = ltc_setting_word(in, "list_fields") != 0;
}

static void read_times(struct ltc_settings *in, struct fb_conf *r)
{
	const int64_t day = 86400000;

	r->photo_life_ms = ltc_setting_number(in, "photo_life_ms", 1000, day);
	r->draft_life_ms = ltc_setting_number(in, "draft_life_ms", 1000, day);
	r->look_ms = ltc_setting_number(in, "look_ms", 1, day);
	r->retry_ms = ltc_setting_number(in, "retry_ms", 1, 600000);
	r->slow_ms = ltc_setting_number(in, "slow_ms", 1, day);
	r->regain_ms = ltc_setting_number(in, "regain_ms", 1, day);
	r->connect_ms = ltc_setting_number(in, "connect_ms", 10, 600000);
	r->get_ms = ltc_setting_number(in, "get_ms", 10, 600000);
	r->post_ms = ltc_setting_number(in, "post_ms", 10, 600000);
	r->photo_ms = ltc_setting_number(in, "photo_ms", 10, 3600000);
	r->chunk_ms = ltc_setting_number(in, "chunk_ms", 10, 3600000);
	r->video_poll_ms = ltc_setting_number(in, "video_poll_ms", 10, 3600000);
	r->video_poll_max = ltc_setting_number(in, "video_poll_max", 10, day);
}

int fb_conf_read(const struct lt_conf *c, struct fb_conf *ret, char *err, size_t err_size)
{
	struct ltc_settings in = {
		.conf = c, .keys = fb_keys, .n_keys = FB_CONF_KEYS, .err = err, .err_size = err_size
	};
	struct fb_conf r = { .mode = FB_TWO_PHASE };

	read_names(&in, &r);
	read_times(&in, &r);
	r.max_message = ltc_setting_number(&in, "max_message", 100, 63206);
	r.max_photos = ltc_setting_number(&in, "max_photos", 1, FB_PHOTOS_MAX);
	r.photo_max_bytes = ltc_setting_number(&in, "photo_max_bytes", 10000, 10000000);
	r.photo_max_px = ltc_setting_number(&in, "photo_max_px", 100, 16384);
	r.guard_hours = ltc_setting_number(&in, "guard_hours", 0, 720);
	r.guard_near = ltc_setting_number(&in, "guard_near", 50, 100);
	r.looks = ltc_setting_number(&in, "looks", 1, 20);
	r.retries = ltc_setting_number(&in, "retries", 0, FB_RETRIES_MAX);
	r.slow_percent = ltc_setting_number(&in, "slow_percent", 1, 100);
	r.pause_percent = ltc_setting_number(&in, "pause_percent", 1, 100);
	r.stats_batch = ltc_setting_number(&in, "stats_batch", 1, 50);
	r.expiry_days = ltc_setting_number(&in, "expiry_days", 0, 365);
	r.cooldowns = ltc_setting_number(&in, "cooldowns", 0, 30);
	r.check_hours = ltc_setting_number(&in, "check_hours", 0, 720);
	if (in.bad)
		return -EINVAL;
	*ret = r;
	return 0;
}
