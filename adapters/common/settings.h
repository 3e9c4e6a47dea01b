/* settings.h - the settings of an account, read by name with their bounds. The first wrong one is told as "key: 'value' is wrong; what
 * would be right"; the getters behind it go on with something harmless, and the reader looks at `bad` once, at its end.
 * Thread: any, pure. Owns: nothing; strings are borrowed from the lt_conf or the table of keys. */
#ifndef LANTOA_COMMON_SETTINGS_H
#define LANTOA_COMMON_SETTINGS_H

#include "text.h"

struct ltc_settings {
	const struct lt_conf *conf;
	const struct lt_key *keys; /* the adapter's table: defaults, and the words of an enum */
	size_t n_keys;
	bool empty_is_default; /* else an empty value is meant so: an empty label is no label */
	char *err;
	size_t err_size;
	bool bad;
};
void ltc_setting_wrong(
	struct ltc_settings *s, const char *name, struct lt_str value, const char *right);
/* As the host gave it, else the default of the table; absent when it has none. */
struct lt_str ltc_setting_value(const struct ltc_settings *s, const char *name);
/* Name of the secret that a key of the type "secret" stands for; n 0: none. */
struct lt_str ltc_setting_secret(const struct ltc_settings *s, const char *name);

int64_t ltc_setting_number(struct ltc_settings *s, const char *name, int64_t min, int64_t max);
bool ltc_setting_flag(struct ltc_settings *s, const char *name);
/* Place of the value among the words of the key's type, "enum:A|B|C": number C's enum in that order. */
unsigned ltc_setting_word(struct ltc_settings *s, const char *name);
struct lt_str ltc_setting_text(struct ltc_settings *s, const char *name); /* UTF-8, no controls */
struct lt_str ltc_setting_ascii(struct ltc_settings *s, const char *name, size_t n_max);
struct lt_str ltc_setting_digits(struct ltc_settings *s, const char *name, size_t n_min,
	size_t n_max); /* n_min 0: may be empty */
/* https, or http on this machine only; without the slashes at its end. */
struct lt_str ltc_setting_url(struct ltc_settings *s, const char *name, size_t n_max);
int ltc_setting_zone(struct ltc_settings *s, const char *name); /* minutes east of UTC */

#endif
