/* test_crypt.c - published vectors, keys and their files, boxes, encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <lantoa/adapter.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "base/file.h"
#include "../../lib/tmpdir.h"

static const uint8_t master_a[32] = { 1, 2, 3 }, master_b[32] = { 1, 2, 4 };

static void assert_hex(const void *p, size_t n, const char *hex)
{
	char text[129];

	assert_true(n <= 64);
	hex_encode(text, p, n);
	assert_string_equal(text, hex);
}

static void sha256_gives_the_published_values(void **state)
{
	struct hasher h;
	struct hash a, b;

	(void)state;
	hash_bytes(&a, "abc", 3);
	assert_hex(a.b, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_bytes(&a, "", 0);
	assert_hex(a.b, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hasher_init(&h);
	hasher_add(&h, "a", 1);
	hasher_add(&h, "", 0);
	hasher_add(&h, "bc", 2);
	hasher_end(&h, &b);
	hash_bytes(&a, "abc", 3);
	assert_int_equal(hash_cmp(&a, &b), 0);
	b.b[31] ^= 1;
	assert_int_not_equal(hash_cmp(&a, &b), 0);
}

static void fields_cannot_run_into_each_other(void **state)
{
	struct hasher h;
	struct hash a, b;

	(void)state;
	hasher_init(&h);
	hasher_field(&h, "ab", 2);
	hasher_field(&h, "c", 1);
	hasher_end(&h, &a);
	assert_hex(a.b, 32, "601d5476e2ccfe2c87a2bba7a322659734a05749d5b5aa781f513e4912db0d5f");
	hasher_init(&h);
	hasher_field(&h, "a", 1);
	hasher_field(&h, "bc", 2);
	hasher_end(&h, &b);
	assert_int_not_equal(hash_cmp(&a, &b), 0);
}

static void hashes_go_to_hex_and_back(void **state)
{
	struct hash a, b = { { 9 } };
	char hex[HASH_HEX];

	(void)state;
	hash_bytes(&a, "abc", 3);
	hash_hex(&a, hex);
	assert_int_equal(hash_from_hex(str_of(hex), &b), 0);
	assert_int_equal(hash_cmp(&a, &b), 0);
	assert_int_equal(hash_from_hex((struct str){ hex, 63 }, &b), -EINVAL);
	hex[5] = 'g';
	assert_int_equal(hash_from_hex(str_of(hex), &b), -EINVAL);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

static void hex_takes_only_pairs_of_digits_that_fit(void **state)
{
	uint8_t out[4] = { 0 };
	size_t n = 9;

	(void)state;
	assert_int_equal(hex_decode(STR("00fFA0"), out, sizeof(out), &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(out, "\x00\xff\xa0", 3);
	assert_int_equal(hex_decode(STR("abc"), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(hex_decode(STR("0x"), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(hex_decode(STR("0011223344"), out, sizeof(out), &n), -E2BIG);
	assert_int_equal(n, 3);
	assert_int_equal(hex_decode(STR(""), out, 0, &n), 0);
	assert_int_equal(n, 0);
}

static void base32_gives_the_published_values_in_lower_case(void **state)
{
	static const char *const rows[][2] = { { "", "" }, { "f", "my" }, { "fo", "mzxq" },
		{ "foo", "mzxw6" }, { "foob", "mzxw6yq" }, { "fooba", "mzxw6ytb" },
		{ "foobar", "mzxw6ytboi" } };
	char text[32];
	uint8_t out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i][1]);
		assert_int_equal(base32_encode(text, len + 1, rows[i][0], strlen(rows[i][0])), len);
		assert_string_equal(text, rows[i][1]);
		assert_int_equal(base32_encode(text, len, rows[i][0], strlen(rows[i][0])), 0);
		assert_int_equal(base32_decode(str_of(rows[i][1]), out, sizeof(out), &n), 0);
		assert_int_equal(n, strlen(rows[i][0]));
		assert_memory_equal(out, rows[i][0], n);
	}
	assert_int_equal(base32_decode(STR("MZXW6"), out, sizeof(out), &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(base32_decode(STR("mz1w6"), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(base32_decode(STR("m"), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(
		base32_decode(STR("mz"), out, sizeof(out), &n), -EINVAL); /* spare bits set */
	assert_int_equal(base32_decode(STR("mzxw6ytboi"), out, 5, &n), -E2BIG);
}

static void base64_gives_the_published_values(void **state)
{
	static const char *const rows[][2] = { { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "\xff\xef\xbe", "/+++" } };
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i][1]);
		assert_int_equal(base64_encode(text, len + 1, rows[i][0], strlen(rows[i][0])), len);
		assert_string_equal(text, rows[i][1]);
		assert_int_equal(base64_encode(text, len, rows[i][0], strlen(rows[i][0])), 0);
	}
}

static void base64_is_read_back_and_nothing_else_is_read(void **state)
{
	(void)state;
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v Zg==", "Zm9\n",
		"====", "Zg==Zg==", "Zm9v\xff\xff\xff\xff", "Zm-_", "=g==", "Z===" };
	uint8_t in[300], out[300];
	char text[401];
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 37 + 11);
	for (size_t n = 0; n <= sizeof(in); n++) {
		size_t got = 999, len = base64_encode(text, sizeof(text), in, n);
		assert_int_equal(
			base64_decode((struct str){ text, len }, out, sizeof(out), &got), 0);
		assert_int_equal(got, n);
		assert_memory_equal(out, in, n);
		if (n)
			assert_int_equal(
				base64_decode((struct str){ text, len }, out, n - 1, &got), -E2BIG);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		memset(out, 7, sizeof(out));
		assert_int_equal(base64_decode(str_of(bad[i]), out, sizeof(out), NULL), -EINVAL);
		assert_int_equal(out[0], 7);
	}
}

static void base64_lines_are_76_wide_and_join_at_57_bytes(void **state)
{
	uint8_t in[200];
	char whole[400], parts[400], flat[400];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	assert_int_equal(base64_lines_len(0), 0);
	assert_int_equal(base64_lines(whole, in, 0), 0);
	for (size_t n = 1; n <= sizeof(in); n++) {
		size_t len = base64_lines(whole, in, n), out = 0;
		assert_int_equal(len, base64_lines_len(n));
		size_t first = n > 114 ? 114
			: n > 57       ? 57
				       : 0,
		       len2 = base64_lines(parts, in, first);
		len2 += base64_lines(parts + len2, in + first, n - first);
		assert_int_equal(len2, len);
		assert_memory_equal(parts, whole, len);

		struct str rest = { whole, len }, line;
		while (str_line(&rest, &line)) {
			assert_true(line.n == 76 || rest.n == 0);
			assert_memory_equal(line.p + line.n, "\r\n", 2);
			memcpy(flat + out, line.p, line.n);
			out += line.n;
		}
		char expected[400];
		assert_int_equal(base64_encode(expected, sizeof(expected), in, n), out);
		assert_memory_equal(flat, expected, out);
	}
}

static void each_use_has_its_own_key_and_each_master_its_own_id(void **state)
{
	struct keyring *a = keyring_of(master_a), *again = keyring_of(master_a),
		       *b = keyring_of(master_b);
	struct hash h[KEY_ASSET_URL + 1], other;
	struct hasher mac;

	(void)state;
	for (enum key_use use = KEY_APPROVAL; use <= KEY_ASSET_URL; use++) {
		mac_bytes(a, use, "text", 4, &h[use]);
		for (enum key_use before = KEY_APPROVAL; before < use; before++)
			assert_int_not_equal(hash_cmp(&h[use], &h[before]), 0);
		mac_bytes(again, use, "text", 4, &other);
		assert_int_equal(hash_cmp(&h[use], &other), 0);
		mac_bytes(b, use, "text", 4, &other);
		assert_int_not_equal(hash_cmp(&h[use], &other), 0);
	}
	mac_init(&mac, a, KEY_AUDIT);
	hasher_add(&mac, "te", 2);
	hasher_add(&mac, "xt", 2);
	mac_end(&mac, &other);
	assert_int_equal(hash_cmp(&h[KEY_AUDIT], &other), 0);
	assert_int_equal(keyring_id(a), keyring_id(again));
	assert_int_not_equal(keyring_id(a), keyring_id(b));
	keyring_free(a);
	keyring_free(again);
	keyring_free(b);
	keyring_free(NULL);
}

/* Derived keys outlive releases: were they to change, every stored MAC would look forged. */
static void sub_keys_stay_the_same_for_ever(void **state)
{
	struct keyring *a = keyring_of(master_a);
	struct hash h;

	(void)state;
	mac_bytes(a, KEY_APPROVAL, "text", 4, &h);
	assert_hex(h.b, 8, "af1e9c235fb84b50");
	assert_int_equal(keyring_id(a), 0xe1f37a5e);
	keyring_free(a);
}

static void a_box_opens_only_whole_with_its_key_and_its_data(void **state)
{
	struct keyring *a = keyring_of(master_a), *b = keyring_of(master_b);
	struct str plain = STR("mật khẩu"), ad = STR("account 7");
	uint8_t nonce[BOX_NONCE_LEN], second[BOX_NONCE_LEN], box[64], out[64];
	size_t n = plain.n + BOX_TAG_LEN;
	struct str sealed = { (const char *)box, n };

	(void)state;
	assert_int_equal(box_seal(a, plain, ad, second, box), 0);
	assert_int_equal(box_seal(a, plain, ad, nonce, box), 0);
	assert_memory_not_equal(nonce, second, sizeof(nonce));
	assert_int_equal(box_open(a, sealed, ad, nonce, out), 0);
	assert_memory_equal(out, plain.p, plain.n);
	assert_int_equal(box_open(b, sealed, ad, nonce, out), -EBADMSG);
	assert_int_equal(box_open(a, sealed, STR("account 8"), nonce, out), -EBADMSG);
	assert_int_equal(box_open(a, sealed, ad, second, out), -EBADMSG);
	assert_int_equal(box_open(a, (struct str){ sealed.p, n - 1 }, ad, nonce, out), -EBADMSG);
	assert_int_equal(box_open(a, (struct str){ sealed.p, 3 }, ad, nonce, out), -EBADMSG);
	for (size_t i = 0; i < n; i++) {
		box[i] ^= 1;
		assert_int_equal(box_open(a, sealed, ad, nonce, out), -EBADMSG);
		box[i] ^= 1;
	}
	assert_int_equal(box_open(a, sealed, ad, nonce, out), 0);
	keyring_free(a);
	keyring_free(b);
}

static void raw_macs_give_the_published_values(void **state)
{
	uint8_t out[HASH_LEN];
	char k20[20], k100[100], x200[200];
	struct str hi = STR("Hi There");
	const struct str jefe[2] = { STR("what do ya want "), STR("for nothing?") };
	const struct str halves[2] = { { x200, 77 }, { x200 + 77, 123 } };
	const struct str digest[2] = { STR("app"), STR("data") };

	(void)state;
	memset(k20, 0x0b, sizeof(k20));
	memset(k100, 'k', sizeof(k100));
	memset(x200, 'x', sizeof(x200));
	assert_int_equal(mac_raw(LT_MAC_HMAC_SHA1, (struct str){ k20, 20 }, &hi, 1, out, 20), 20);
	assert_hex(out, 20, "b617318655057264e28bc0b6fb378c8ef146be00");
	assert_int_equal(mac_raw(LT_MAC_HMAC_SHA1, STR("Jefe"), jefe, 2, out, 32), 20);
	assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	assert_int_equal(mac_raw(LT_MAC_HMAC_SHA256, STR("Jefe"), jefe, 2, out, 32), 32);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(
		mac_raw(LT_MAC_HMAC_SHA1, (struct str){ k100, 100 }, halves, 2, out, 32), 20);
	assert_hex(out, 20, "c7d8fef6b243ae82627b31da1592bee3b1c3e7e8");
	assert_int_equal(
		mac_raw(LT_MAC_HMAC_SHA256, (struct str){ k100, 100 }, halves, 2, out, 32), 32);
	assert_hex(out, 32, "e326f00ce14194bb85e2683fe9b1a78851753f77479303f94c2c3cd1998bdda3");
	assert_int_equal(mac_raw(LT_MAC_SHA256, STR("key"), digest, 2, out, 32), 32);
	assert_hex(out, 32, "56c30012c7c1104659467194720bb2debd2a81066b852120294dd7ce0e7e610a");
	assert_int_equal(mac_raw(LT_MAC_HMAC_SHA256, STR("k"), &hi, 1, out, 31), -EINVAL);
	assert_int_equal(mac_raw(LT_MAC_HMAC_SHA1, STR("k"), &hi, 1, out, 19), -EINVAL);
	assert_int_equal(mac_raw(0, STR("k"), &hi, 1, out, 32), -EINVAL);
	assert_int_equal(mac_raw(4, STR("k"), &hi, 1, out, 32), -EINVAL);
	assert_int_equal(mac_raw(LT_MAC_HMAC_SHA1, (struct str){ 0 }, NULL, 0, out, 20), 20);
	assert_hex(out, 20, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

static void key_files_are_made_once_and_loaded(void **state)
{
	char *dir = tmpdir_new();
	const char *path = tmpdir_path(dir, "master.key");
	struct keyring *a = NULL, *b = NULL;
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(keyring_create(path, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(keyring_load(path, &a, &e), 0);
	assert_int_equal(keyring_create(path, &e), -EEXIST);
	assert_non_null(strstr(e.text, "master.key"));
	assert_int_equal(keyring_load(path, &b, &e), 0);
	assert_int_equal(keyring_id(a), keyring_id(b));
	keyring_free(a);
	keyring_free(b);
	assert_int_equal(keyring_create(tmpdir_path(dir, "none/x"), &e), -ENOENT);
	tmpdir_remove(dir);
}

/* Its group bits are the mask of an ACL there; in anybody else's file they are a door. */
static void a_key_with_group_bits_is_taken_only_from_root_and_its_group(void **state)
{
	char *dir = tmpdir_new();
	const char *path = tmpdir_path(dir, "master-key");
	struct keyring *k = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(
		file_write_durable(path,
			STR("0102030000000000000000000000000000000000000000000000000000000000"),
			0440, &e),
		0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 0, 0), 0);
		assert_int_equal(keyring_load(path, &k, &e), 0);
		keyring_free(k);
		k = NULL;
		assert_int_equal(chown(path, 0, 12345), 0);
	}
	assert_int_equal(keyring_load(path, &k, &e), -EACCES);
	assert_null(k);
	tmpdir_remove(dir);
}

static void key_files_that_are_wrong_are_refused_with_what_would_be_right(void **state)
{
	static const char digits[] =
		"0102030000000000000000000000000000000000000000000000000000000000";
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	static const struct {
		const char *content;
		mode_t mode;
		int code;
		const char *says;
	} rows[] = {
		{ digits, 0600, 0, NULL },
		{ digits, 0400, 0, NULL },
		{ "01020300000000000000000000000000000000000000000000000000000000000", 0600,
			-EINVAL, "65 bytes" },
		{ digits, 0640, -EACCES, "0640; it must be 0600 or 0400" },
		{ digits, 0604, -EACCES, "0604" },
		{ digits, 0700, -EACCES, "0700" },
		{ zeros, 0600, -EINVAL, "all zero" },
		{ "", 0600, -EINVAL, "0 bytes; it must hold 64 hex digits or 32 raw bytes" },
		{ "x102030000000000000000000000000000000000000000000000000000000000", 0600, -EINVAL,
			"no hex digit" },
		{ "this text has thirty-two bytes..", 0600, 0, NULL },
	};
	char *dir = tmpdir_new();
	const char *path = tmpdir_path(dir, "key"), *lnk = tmpdir_path(dir, "link");
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct keyring *k = NULL;
		assert_int_equal(
			file_write_durable(path, str_of(rows[i].content), rows[i].mode, &e), 0);
		assert_int_equal(keyring_load(path, &k, &e), rows[i].code);
		if (rows[i].code) {
			assert_null(k);
			assert_non_null(strstr(e.text, path));
			assert_non_null(strstr(e.text, rows[i].says));
		} else {
			assert_non_null(k);
		}
		keyring_free(k);
	}

	struct keyring *k = NULL, *same = keyring_of(master_a);
	assert_int_equal(
		file_write_durable(path,
			STR("  010203"
			    "0000000000000000000000000000000000000000000000000000000000\r\n"),
			0600, &e),
		0);
	assert_int_equal(keyring_load(path, &k, &e), 0);
	assert_int_equal(keyring_id(k), keyring_id(same));
	keyring_free(k);
	keyring_free(same);
	assert_int_equal(symlink(path, lnk), 0);
	assert_int_equal(keyring_load(lnk, &k, &e), -ELOOP);
	assert_int_equal(keyring_load(dir, &k, &e), -EINVAL);
	assert_int_equal(keyring_load(tmpdir_path(dir, "absent"), &k, &e), -ENOENT);
	assert_non_null(strstr(e.text, "absent"));
	tmpdir_remove(dir);
}

static void a_secret_keeps_its_bytes(void **state)
{
	struct secret *s = secret_new((struct str){ "p\0ss", 4 }),
		      *none = secret_new((struct str){ 0 });

	(void)state;
	assert_int_equal(secret_value(s).n, 4);
	assert_memory_equal(secret_value(s).p, "p\0ss", 5);
	assert_int_equal(secret_value(none).n, 0);
	assert_string_equal(secret_value(none).p, "");
	secret_free(s);
	secret_free(none);
	secret_free(NULL);
}

static void wiped_memory_is_zero(void **state)
{
	char p[8] = "secret!";
	static const char zero[8];

	(void)state;
	wipe(p, sizeof(p));
	assert_memory_equal(p, zero, sizeof(p));
}

static int setup(void **state)
{
	(void)state;
	return crypt_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_values),
		cmocka_unit_test(fields_cannot_run_into_each_other),
		cmocka_unit_test(hashes_go_to_hex_and_back),
		cmocka_unit_test(hex_takes_only_pairs_of_digits_that_fit),
		cmocka_unit_test(base32_gives_the_published_values_in_lower_case),
		cmocka_unit_test(base64_gives_the_published_values),
		cmocka_unit_test(base64_is_read_back_and_nothing_else_is_read),
		cmocka_unit_test(base64_lines_are_76_wide_and_join_at_57_bytes),
		cmocka_unit_test(each_use_has_its_own_key_and_each_master_its_own_id),
		cmocka_unit_test(sub_keys_stay_the_same_for_ever),
		cmocka_unit_test(a_box_opens_only_whole_with_its_key_and_its_data),
		cmocka_unit_test(raw_macs_give_the_published_values),
		cmocka_unit_test(key_files_are_made_once_and_loaded),
		cmocka_unit_test(a_key_with_group_bits_is_taken_only_from_root_and_its_group),
		cmocka_unit_test(key_files_that_are_wrong_are_refused_with_what_would_be_right),
		cmocka_unit_test(a_secret_keeps_its_bytes),
		cmocka_unit_test(wiped_memory_is_zero),
	};

	return cmocka_run_group_tests_name("crypt", tests, setup, NULL);
}
