/* crypt_key.c - the master key: its file, its sub-keys, its id.
 * Thread: loaded once by main, shared read-only afterwards. Owns: the locked memory of the keyring.
 * Failures: a file that others may read, of the wrong length or with other characters is refused with what would be right.
 */
#include "base/crypt_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"

#define MASTER_LEN   32
#define KEY_FILE_MAX 128u /* 64 digits, a line end and some room to say that it is too long */
#define KEY_ID_SUB   1000u
#define KEY_CONTEXT  "lantoa.k"

_Static_assert(crypto_kdf_KEYBYTES == MASTER_LEN, "length of the master key");
_Static_assert(sizeof(KEY_CONTEXT) - 1 == crypto_kdf_CONTEXTBYTES, "length of the context");
_Static_assert(KEY_ASSET_URL < KEY_USES, "every use has its sub-key");

static void sub_key(
	uint8_t *ret, size_t n, uint64_t number, const uint8_t master[static MASTER_LEN])
{
	int r = crypto_kdf_derive_from_key(ret, n, number, KEY_CONTEXT, master);

	REQUIRE(r == 0);
}

struct keyring *keyring_of(const uint8_t master[static 32])
{
	size_t size = (sizeof(struct keyring) + 15) / 16 * 16;
	struct keyring *k = sodium_malloc(size);
	uint8_t id[16];

	REQUIRE(k != NULL);
	for (uint64_t use = 0; use < KEY_USES; use++)
		sub_key(k->sub[use], sizeof(k->sub[use]), use, master);
	sub_key(id, sizeof(id), KEY_ID_SUB, master);
	k->id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
	(void)sodium_mprotect_readonly(k);
	return k;
}

void keyring_free(struct keyring *k)
{
	sodium_free(k);
}

uint32_t keyring_id(const struct keyring *k)
{
	return k->id;
}

/* As newer service managers lend a credential: root's, readable by an entry of the ACL, whose mask shows as the bits of group root. */
static bool lent_by_manager(const struct stat *st)
{
	return (st->st_mode & 07777) == 0440 && st->st_uid == 0 && st->st_gid == 0;
}

/* Opens the key file and looks at what it is; returns the descriptor or a negative code. */
static int key_file_open(const char *path, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0) {
		int code = -errno;
		return err_set(e, code,
			"key file '%s': %s; it must be a readable file that holds 64 hex digits",
			path, code == -ELOOP ? "is a symbolic link" : strerror(-code));
	}
	int r = 0;
	if (fstat(fd, &st))
		r = err_set(e, -errno, "key file '%s': %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		r = err_set(e, -EINVAL, "key file '%s' is no regular file", path);
	else if ((st.st_mode & 07777) != 0600 && (st.st_mode & 07777) != 0400 &&
		!lent_by_manager(&st))
		r = err_set(e, -EACCES,
			"key file '%s' has mode %04o; it must be 0600 or 0400, so that nobody else reads it",
			path, (unsigned)(st.st_mode & 07777));
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		r = err_set(e, -EACCES,
			"key file '%s' belongs to user %u; it must belong to the daemon's user (%u) or root",
			path, (unsigned)st.st_uid, (unsigned)geteuid());
	if (r) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* Reads at most `size` bytes; returns how many or a negative code. */
static ssize_t key_file_read(int fd, uint8_t *dst, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, dst + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static int key_parse(
	const char *path, struct str text, uint8_t ret[static MASTER_LEN], struct err *e)
{
	struct str hex = str_trim(text);

	if (text.n == MASTER_LEN)
		memcpy(ret, text.p, MASTER_LEN);
	else if (hex.n != 2 * (size_t)MASTER_LEN)
		return err_set(e, -EINVAL,
			"key file '%s' has %s%zu bytes; it must hold 64 hex digits or 32 raw bytes",
			path, text.n == KEY_FILE_MAX ? "at least " : "", text.n);
	else if (hex_decode(hex, ret, MASTER_LEN, NULL))
		return err_set(e, -EINVAL,
			"key file '%s' has a character that is no hex digit; it must hold 64 hex digits or 32 raw bytes",
			path);
	if (sodium_is_zero(ret, MASTER_LEN))
		return err_set(
			e, -EINVAL, "key file '%s' is all zero; it must hold a random key", path);
	return 0;
}

int keyring_load(const char *path, struct keyring **ret, struct err *e)
{
	uint8_t text[KEY_FILE_MAX], master[MASTER_LEN];
	int fd = key_file_open(path, e);

	if (fd < 0)
		return fd;
	ssize_t n = key_file_read(fd, text, sizeof(text));
	(void)close(fd);
	int r = n < 0 ? err_set(e, (int)n, "key file '%s': %s", path, strerror((int)-n))
		      : key_parse(path, (struct str){ (const char *)text, (size_t)n }, master, e);
	if (r == 0)
		*ret = keyring_of(master);
	wipe(text, sizeof(text));
	wipe(master, sizeof(master));
	return r;
}

/* Written aside and linked into place: the file is whole or not there, and never replaces another. */
int keyring_create(const char *path, struct err *e)
{
	char text[2 * MASTER_LEN + 2];
	uint8_t master[MASTER_LEN];
	char *aside = x_asprintf("%s.%08x", path, (unsigned)randombytes_random());

	randombytes_buf(master, sizeof(master));
	hex_encode(text, master, sizeof(master));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	int r = file_write_durable(aside, (struct str){ text, sizeof(text) - 1 }, 0600, e);
	wipe(text, sizeof(text));
	wipe(master, sizeof(master));
	if (r == 0) {
		if (link(aside, path))
			r = err_set(e, -errno, "key file '%s': %s", path,
				errno == EEXIST ? "exists already; a key is never overwritten"
						: strerror(errno));
		if (unlink(aside) && r == 0)
			r = err_set(e, -errno, "key file '%s': %s", aside, strerror(errno));
		char *slash = strrchr(aside, '/');
		if (slash)
			slash[slash == aside ? 1 : 0] = '\0';
		if (r == 0 && (r = dir_sync(slash ? aside : ".")) != 0)
			(void)err_set(e, r, "key file '%s': %s", path, strerror(-r));
	}
	xfree(aside);
	return r;
}
