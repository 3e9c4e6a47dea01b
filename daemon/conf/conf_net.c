/* conf_net.c - values that say how we meet the world: listeners, our own address, proxies, certificates and their keys.
 * Thread: any. Files are looked at when the configuration is read, so that --check and a reload refuse what could not be used.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "base/file.h"
#include "conf/conf_row.h"

#define PEM_MAX (256u << 10)

int conf_row_listen(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int rc = conf_row_str(cx, v, dst, row);
	const char *colon = rc ? NULL : strrchr(v->text, ':');
	int64_t port;
	if (!rc && (!colon || colon == v->text || str_i64(str_of(colon + 1), 0, 65535, &port) != 0))
		rc = conf_bad(cx, v, "'%.60s' is not an address such as 127.0.0.1:8480", v->text);
	return rc;
}

/* What stands behind one of the schemes, without spaces; absent when it is another. */
static struct str behind_scheme(const char *text, const char *const *schemes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(schemes[i]);
		if (!strncasecmp(text, schemes[i], len) && text[len] && text[len] != '/' &&
			!strpbrk(text, " \t"))
			return str_of(text + len);
	}
	return (struct str){ 0 };
}

int conf_row_url(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	static const char *const schemes[] = { "https://", "http://" };
	int rc = conf_row_str(cx, v, dst, row);
	if (!rc && !behind_scheme(v->text, schemes, ARRAY_LEN(schemes)).p)
		rc = conf_bad(cx, v, "'%.80s' is no web address; write https://lantoa.example.vn",
			v->text);
	return rc;
}

static bool others_may_read(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & 077) != 0;
}

/* The message never repeats what may hold a password. */
int conf_row_proxy(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://",
		"socks4://", "socks4a://" };
	int rc = conf_row_str(cx, v, dst, row);
	if (rc)
		return rc;
	bool password = strchr(v->text, '@') != NULL;
	if (!behind_scheme(v->text, schemes, ARRAY_LEN(schemes)).p)
		return conf_bad(cx, v,
			"'%.60s' is no proxy; write http://HOST:PORT, https:, socks5h: or socks5:",
			password ? "(not shown)" : v->text);
	if (password && others_may_read(cx->file))
		return conf_bad(cx, v,
			"a password stands here and others may read this file; chmod 0600 it");
	return 0;
}

static int pem_read(struct conf_ctx *cx, const struct ynode *v, const char *path, bool key)
{
	struct buf b CLEANUP_BUF;
	struct err e = { 0 };
	buf_init(&b, PEM_MAX);
	int rc = file_read(path, &b, &e);
	if (rc == -ENOENT || rc == -EACCES)
		return conf_bad(cx, v, "'%.120s': %s", path, strerror(-rc));
	if (rc)
		return conf_bad(cx, v, "%.160s", e.text);
	bool pem = memmem(b.p ? b.p : "", b.n, "-----BEGIN ", 11) != NULL;
	if (key && b.n)
		wipe(b.p, b.n);
	if (!pem)
		return conf_bad(cx, v, "'%.120s' is no PEM file (-----BEGIN ...-----)", path);
	if (key && others_may_read(path))
		return conf_bad(cx, v, "'%.120s' may be read by others; chmod 0600 it", path);
	return 0;
}

int conf_row_pem(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int rc = conf_row_path(cx, v, dst, row);
	return rc ? rc : pem_read(cx, v, *(char **)dst, false);
}

int conf_row_pem_key(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int rc = conf_row_path(cx, v, dst, row);
	return rc ? rc : pem_read(cx, v, *(char **)dst, true);
}
