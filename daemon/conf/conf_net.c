/* conf_net.c - values that say how we meet the world: listeners, our own address, proxies, certificates and their keys.
 * Thread: any. Files are looked at when the configuration is read, so that --check and a reload refuse what could not be used.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "base/file.h"
#include "conf/conf_row.h"

#define PEM_MAX (256u << 10)

/* A numeric address and a port, as the listeners take them: for a name somebody would have to be asked. */
static bool can_listen(const char *text)
{
	char host[64];
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai = NULL;
	int64_t port;
	const char *colon = strrchr(text, ':');
	if (!colon || colon == text || str_i64(str_of(colon + 1), 0, 65535, &port) != 0)
		return false;
	struct str h = { text, (size_t)(colon - text) };
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = (struct str){ h.p + 1, h.n - 2 };
	if (!str_copy(host, sizeof(host), h) || getaddrinfo(host, NULL, &hints, &ai) != 0)
		return false;
	freeaddrinfo(ai);
	return true;
}

int conf_row_listen(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int rc = conf_row_str(cx, v, dst, row);
	if (!rc && !can_listen(v->text))
		rc = conf_bad(cx, v,
			"'%.60s' is no address to listen on; write 127.0.0.1:8480, 0.0.0.0:8480 or [::1]:8480",
			v->text);
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

/* Paths are put behind it: a slash at its end would stand there twice, and what we print would lead nowhere. */
int conf_row_url(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	static const char *const schemes[] = { "https://", "http://" };
	char **url = dst;
	int rc = conf_row_str(cx, v, dst, row);
	if (!rc &&
		(!behind_scheme(v->text, schemes, ARRAY_LEN(schemes)).p || strpbrk(v->text, "?#")))
		rc = conf_bad(cx, v, "'%.80s' is no web address; write https://lantoa.example.vn",
			v->text);
	for (size_t n = rc ? 0 : strlen(*url); n > 0 && (*url)[n - 1] == '/'; n--)
		(*url)[n - 1] = '\0';
	return rc;
}

static bool others_may_read(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & 077) != 0;
}

/* A configuration is root's, and the group that the service runs in reads it: as it is installed, and as tmpfiles puts it right at each
 * boot. Root, who looks at it by hand, has another group, and looks once more as the service. */
static bool strangers_may_read(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	bool ours = geteuid() == 0 || st.st_gid == getegid();
	return (st.st_mode & (ours ? 07 : 077)) != 0;
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
	if (password && strangers_may_read(cx->file))
		return conf_bad(cx, v,
			"a password stands here and others may read this file; chmod 0640 it, of the group of the service");
	return 0;
}

static int pem_read(
	struct conf_ctx *cx, const struct ynode *v, const char *path, bool key, char **ret_text)
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
	if (ret_text)
		*ret_text = x_strndup(b.p, b.n);
	return 0;
}

int conf_row_pem(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int rc = conf_row_path(cx, v, dst, row);
	return rc ? rc : pem_read(cx, v, *(char **)dst, false, NULL);
}

int conf_row_pem_text(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	char *path = NULL;
	int rc = conf_row_path(cx, v, &path, row);
	rc = rc ? rc : pem_read(cx, v, path, false, dst);
	free(path);
	return rc;
}

int conf_row_pem_key(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int rc = conf_row_path(cx, v, dst, row);
	return rc ? rc : pem_read(cx, v, *(char **)dst, true, NULL);
}
