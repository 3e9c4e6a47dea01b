/* zalo_conf.c - the key table of the Zalo adapter and its reader.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL; the text names the key, the value and what would be right. */
#include <errno.h>
#include <stdio.h>
#include "../common/settings.h"
#include "zalo.h"

const struct lt_key zalo_keys[ZALO_N_KEYS] = {
	{ "app_id", "text", NULL, "id of the app in the developer console, digits", 0, 0 },
	{ "oa_id", "text", "", "id of the OA; default: whatever the token belongs to", 0, 0 },
	{ "app_secret", "secret", "app_secret",
		"name of the secret that holds the app's secret key", 0, 0 },
	{ "oa_secret", "secret", "",
		"name of the secret that holds the OA secret key of the webhook page", 0, 0 },
	{ "verifier", "secret", "",
		"name of the secret that holds the verifier of the console's consent link; empty: a new one for each log-in",
		0, 0 },
	{ "proof", "bool", "no", "yes: send appsecret_proof with every call", 0, 0 },
	{ "redirect_uri", "text", "", "callback address as it stands in the console, to the letter",
		0, 0 },
	{ "base_url", "text", "https://openapi.zalo.me", "where the OA and article API are", 0, 0 },
	{ "zns_base_url", "text", "https://business.openapi.zalo.me", "where template messages are",
		0, 0 },
	{ "oauth_base_url", "text", "https://oauth.zaloapp.com", "where tokens are given out", 0,
		0 },
	{ "author", "text", "", "author of articles; default: the office's name", 0, 0 },
	{ "comment", "bool", "no", "yes: people may comment articles", 0, 0 },
	{ "images_max", "int", "20", "pictures in one article at most, 1 to 50", 0, 0 },
	{ "cover_default", "bool", "yes", "yes: without a cover the first picture is taken", 0, 0 },
	{ "guard", "bool", "yes", "yes: look for the same title before an article is made", 0, 0 },
	{ "guard_hours", "int", "48", "how far back that look goes, 1 to 720", 0, 0 },
	{ "guard_pages", "int", "3", "pages of ten articles that are read for it, 1 to 20", 0, 0 },
	{ "broadcast_ages", "text", "", "ages of a broadcast, codes such as 2,3,4; empty: all", 0,
		0 },
	{ "broadcast_cities", "text", "", "cities of a broadcast, codes such as 9,57; empty: all",
		0, 0 },
	{ "broadcast_gender", "text", "", "0 all, 1 men, 2 women; empty: all", 0, 0 },
	{ "zns_template", "text", "", "template id of messages to phone numbers", 0, 0 },
	{ "zns_data", "text", "title={title};link={link}",
		"parameters of the template: name=text;... with {title}, {link}, {code}, {summary}, {name} and {COLUMN}",
		0, 0 },
	{ "zns_param_max", "int", "200",
		"characters of one parameter of the template at most, 1 to 1000: what the template takes",
		0, 0 },
	{ "zns_mode", "enum:normal|development", "normal",
		"development: template messages reach only admins of the app", 0, 0 },
	{ "zns_left", "int", "-1", "template messages left today; -1: not known", 0, 0 },
	{ "window", "int", "8", "deliveries of one OA at once, 1 to 256", 0, 0 },
	{ "group_pause_ms", "int", "1000", "pause between two messages to one group, 0 to 60000", 0,
		0 },
	{ "connect_ms", "int", "15000", "limit for connect and TLS", 0, 0 },
	{ "call_ms", "int", "60000", "limit for one call", 0, 0 },
	{ "poll_ms", "int", "3000", "pause between two questions whether an article is ready", 0,
		0 },
	{ "poll_max_ms", "int", "600000",
		"an article that is not ready by then is asked for again later", 0, 0 },
	{ "find_wait_ms", "int", "45000",
		"after a lost answer: so long until an article that is not listed counts as not made",
		0, 0 },
	{ "url_lives_h", "int", "72", "hours that a picture's public address is good, 1 to 720", 0,
		0 },
	{ "retry_ms", "int", "5000", "pause after a token that could not be rotated", 0, 0 },
};

/* "2,3,4": codes from 0 to `max`, as they are sent: without white space between. */
static struct lt_str codes(struct ltc_settings *in, const char *name, int64_t max, size_t n_max)
{
	struct lt_str v = ltc_setting_text(in, name), rest = v, one;
	size_t n = 0;
	char right[100];

	(void)snprintf(right, sizeof(right), "%s from 0 to %lld%s",
		n_max == 1 ? "one number" : "numbers", (long long)max,
		n_max == 1 ? "" : " with commas and no blanks between, such as 2,3");
	while (ltc_next(&rest, ',', &one)) {
		int64_t value;
		if (ltc_i64(one, 0, max, &value) < 0 || ++n > n_max)
			ltc_setting_wrong(in, name, v, right);
	}
	return v;
}

static void read_people(struct ltc_settings *in, struct zalo_conf *r)
{
	r->app_id = ltc_setting_digits(in, "app_id", 1, 20);
	r->oa_id = ltc_setting_digits(in, "oa_id", 0, 20);
	r->app_secret = ltc_setting_secret(in, "app_secret");
	r->oa_secret = ltc_setting_secret(in, "oa_secret");
	r->verifier = ltc_setting_secret(in, "verifier");
	r->proof = ltc_setting_flag(in, "proof");
	r->redirect_uri = ltc_setting_text(in, "redirect_uri");
	r->base_oa = ltc_setting_url(in, "base_url", 300);
	r->base_zns = ltc_setting_url(in, "zns_base_url", 300);
	r->base_oauth = ltc_setting_url(in, "oauth_base_url", 300);
	r->author = ltc_setting_text(in, "author");
	r->comment = ltc_setting_flag(in, "comment");
	r->image_default = ltc_setting_flag(in, "cover_default");
	r->guard = ltc_setting_flag(in, "guard");
	r->ages = codes(in, "broadcast_ages", 7, 8);
	r->cities = codes(in, "broadcast_cities", 999, 100); /* they change: whatever Zalo has */
	r->gender = codes(in, "broadcast_gender", 2, 1);
	r->zns_template = ltc_setting_text(in, "zns_template");
	r->zns_data = ltc_setting_text(in, "zns_data");
	r->zns_mode = ltc_setting_text(in, "zns_mode");
}

static void read_numbers(struct ltc_settings *in, struct zalo_conf *r)
{
	r->images_max = ltc_setting_number(in, "images_max", 1, 50);
	r->guard_hours = ltc_setting_number(in, "guard_hours", 1, 720);
	r->pages = ltc_setting_number(in, "guard_pages", 1, 20);
	r->zns_left = ltc_setting_number(in, "zns_left", -1, 100000000);
	r->zns_param_max = ltc_setting_number(in, "zns_param_max", 1, 1000);
	r->window = ltc_setting_number(in, "window", 1, 256);
	r->group_pause_ms = ltc_setting_number(in, "group_pause_ms", 0, 60000);
	r->connect_ms = ltc_setting_number(in, "connect_ms", 100, 600000);
	r->call_ms = ltc_setting_number(in, "call_ms", 100, 600000);
	r->poll_ms = ltc_setting_number(in, "poll_ms", 10, 600000);
	r->poll_max_ms = ltc_setting_number(in, "poll_max_ms", 100, 3600000);
	r->find_wait_ms = ltc_setting_number(in, "find_wait_ms", 0, 3600000);
	r->url_lives_ms = ltc_setting_number(in, "url_lives_h", 1, 720) * 3600000;
	r->retry_ms = ltc_setting_number(in, "retry_ms", 100, 3600000);
}

int zalo_conf_read(const struct lt_conf *c, struct zalo_conf *ret, char *err, size_t err_size)
{
	struct ltc_settings in = { .conf = c,
		.keys = zalo_keys,
		.n_keys = ZALO_N_KEYS,
		.empty_is_default = true,
		.err = err,
		.err_size = err_size };
	struct zalo_conf r = { 0 };

	read_people(&in, &r);
	read_numbers(&in, &r);
	if (in.bad)
		return -EINVAL;
	*ret = r;
	return 0;
}
