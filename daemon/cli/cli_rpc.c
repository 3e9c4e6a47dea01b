/* cli_rpc.c - the client side of the control socket: one line out, one line back; files in chunks. Blocking, with deadlines. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/crypt.h"
#include "base/file.h"
#include "cli/cli.h"

#define ANSWER_MAX    (64u << 20)
#define ANSWER_WAIT_S 600
#define CHUNK         (96u << 10) /* the daemon takes more; its loop has other work beside */

static int unreachable(struct cli *c, const char *why)
{
	(void)cli_fail(
		c, EXIT_UNREACHABLE, "no answer from the daemon at %s: %s", c->socket_path, why);
	(void)fputs(
		"        is it running? `systemctl status lantoad`; another socket: --socket PATH or LANTOA_SOCKET\n",
		stderr);
	return EXIT_UNREACHABLE;
}

static int cli_connect(struct cli *c)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	if (c->fd >= 0)
		return 0;
	if (!str_copy(to.sun_path, sizeof(to.sun_path), str_of(c->socket_path)))
		return unreachable(c, "the path is too long");
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to))) {
		int code = unreachable(c, strerror(errno));
		cli_close(c);
		return code;
	}
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	buf_init(&c->in, ANSWER_MAX);
	return 0;
}

void cli_close(struct cli *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	buf_done(&c->in);
}

static int send_line(struct cli *c, const char *line, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = send(c->fd, line + done, n - done, MSG_NOSIGNAL);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EPIPE)
			return 0; /* it has hung up: why stands in what it has sent before, or there is nothing to be read */
		if (k <= 0)
			return unreachable(c, strerror(errno));
		done += (size_t)k;
	}
	return 0;
}

static int read_answer(struct cli *c, cJSON **ret)
{
	struct err e = { 0 };
	for (;;) {
		const char *lf = c->in.n ? memchr(c->in.p, '\n', c->in.n) : NULL;
		if (lf) {
			size_t n = (size_t)(lf - c->in.p);
			int rc = json_parse((struct str){ c->in.p, n }, ANSWER_MAX, ret, &e);
			buf_consume(&c->in, n + 1);
			return rc ? unreachable(c, e.text) : 0;
		}
		char piece[65536];
		ssize_t k = recv(c->fd, piece, sizeof(piece), 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EAGAIN && c->patient)
			continue; /* it is at work: were it gone, so were the connection */
		if (k <= 0 || buf_add(&c->in, piece, (size_t)k))
			return unreachable(c,
				k == 0 ? "the connection was closed"
					: k < 0 && errno == EAGAIN
					? "it has said nothing for ten minutes"
					: k < 0 ? strerror(errno)
						: "the answer is too long");
	}
}

/* For a program as it came; for people without what a terminal would obey. */
static int show_error(struct cli *c, cJSON *error)
{
	static const struct {
		int code, exit;
	} codes[] = { { 1, EXIT_FAILED }, { 2, EXIT_USAGE }, { 3, EXIT_DENIED },
		{ 4, EXIT_NOT_FOUND }, { 6, EXIT_REFUSED }, { 7, EXIT_CONFLICT },
		{ -32602, EXIT_USAGE } };
	int64_t code = json_i64(error, "code", 1);
	const cJSON *data = json_get(error, "data");
	if (c->json)
		cli_print_json(c, error);
	cli_clean(error);
	(void)fprintf(stderr, "lantoa: %s\n", json_z(error, "message", "failed"));
	if (data && !c->json)
		cli_problems(c, json_get(data, "problems"));
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].exit;
	return EXIT_FAILED;
}

static char *request_text(struct cli *c, const char *method, const cJSON *params)
{
	cJSON CLEANUP_JSON *doc = json_obj();
	cJSON *p = params ? cJSON_Duplicate(params, 1) : json_obj();
	if (c->as && !json_has(p, "as"))
		json_put_z(p, "as", c->as);
	if (c->as_key && !json_has(p, "as_key"))
		json_put_z(p, "as_key", c->as_key);
	json_put_z(doc, "jsonrpc", "2.0");
	json_put_i64(doc, "id", ++c->next_id);
	json_put_z(doc, "method", method);
	json_put(doc, "params", p);
	return json_print(doc);
}

static int take_answer(struct cli *c, cJSON **ret)
{
	cJSON CLEANUP_JSON *answer = NULL;
	int code = read_answer(c, &answer);
	if (code)
		return code;
	cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
	if (error)
		return show_error(c, error);
	if (!c->json)
		cli_clean(answer);
	if (ret)
		*ret = cJSON_DetachItemFromObjectCaseSensitive(answer, "result");
	return 0;
}

/* While a person was thinking the daemon has put the silent connection down, or was started anew. Nothing of the next request has left. */
static void drop_closed(struct cli *c)
{
	char byte;
	if (c->fd < 0 || c->in.n)
		return;
	ssize_t k = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (k == 0 || (k < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		cli_close(c);
}

/* What takes as long as there is data: a list of ten million, a backup of a hundred gigabytes. */
static bool takes_long(const char *method)
{
	static const char *const words[] = { "backup", "fsck", "audit.verify", "key.rotate" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(method, words[i]))
			return true;
	return str_ends(str_of(method), ".import");
}

int cli_call(struct cli *c, const char *method, const cJSON *params, cJSON **ret)
{
	c->patient = takes_long(method);
	drop_closed(c);
	int code = cli_connect(c);
	if (code)
		return code;
	char *text = request_text(c, method, params), *line = x_asprintf("%s\n", text);
	code = send_line(c, line, strlen(line));
	free(text);
	free(line);
	return code ? code : take_answer(c, ret);
}

bool cli_fetch(struct cli *c, const char *method, const cJSON *params, cJSON **ret, int *ret_code)
{
	*ret_code = cli_call(c, method, params, ret);
	if (!*ret_code && c->json)
		cli_print_json(c, *ret);
	return !*ret_code && !c->json;
}

int64_t cli_zone(struct cli *c)
{
	cJSON CLEANUP_JSON *v = NULL;
	if (!c->zone_known && cli_call(c, "version", NULL, &v) == 0)
		c->zone_s = json_i64(v, "zone_offset_s", 7 * 3600);
	c->zone_known = true;
	return c->zone_s;
}

static int open_source(const char *path, FILE **ret, struct err *e)
{
	struct stat st;
	if (!strcmp(path, "-")) {
		FILE *t = tmpfile(); /* its length is wanted first */
		char piece[65536];
		for (size_t n; t && (n = fread(piece, 1, sizeof(piece), stdin)) > 0;)
			if (fwrite(piece, 1, n, t) != n)
				return err_set(e, -EIO, "standard input: %s", strerror(errno));
		if (t && (ferror(stdin) || fflush(t)))
			return err_set(e, -EIO, "standard input: %s", strerror(errno));
		*ret = t;
		return t ? 0 : err_set(e, -errno, "temporary file: %s", strerror(errno));
	}
	if (stat(path, &st))
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return cli_pack(path, ret, e);
	*ret = S_ISREG(st.st_mode) ? fopen(path, "rbe") : NULL;
	return *ret
		? 0
		: err_set(e, -EINVAL, "%s: %s", path,
			  S_ISREG(st.st_mode) ? strerror(errno) : "is neither a file nor a folder");
}

/* The request of a chunk: the data goes in behind the other parameters, without a tree around it. */
static int chunk_line(
	struct cli *c, const char *id, int64_t offset, struct str data, struct buf *line)
{
	static char base64[CHUNK * 4 / 3 + 8];
	cJSON CLEANUP_JSON *p = json_obj();
	json_put_z(p, "id", id);
	json_put_i64(p, "offset", offset);
	char *text = request_text(c, "upload.chunk", p);
	size_t n = base64_encode(base64, sizeof(base64), data.p, data.n);
	buf_reset(line);
	buf_add(line, text, strlen(text) - 2); /* without the two closing braces */
	buf_addz(line, ",\"data\":\"");
	buf_add(line, base64, n);
	buf_addz(line, "\"}}\n");
	free(text);
	return line->failed ? EXIT_FAILED : 0;
}

/* A chunk is read and packed while the daemon works on the one before. */
static int send_chunks(struct cli *c, FILE *f, const char *id, struct hasher *h)
{
	static char data[CHUNK];
	struct buf line CLEANUP_BUF;
	int64_t offset = 0;
	int code = 0;
	buf_init(&line, 2 * CHUNK);
	for (size_t n; !code && (n = fread(data, 1, sizeof(data), f)) > 0;) {
		hasher_add(h, data, n);
		code = chunk_line(c, id, offset, (struct str){ data, n }, &line);
		if (!code && offset)
			code = take_answer(c, NULL);
		if (!code)
			code = send_line(c, line.p, line.n);
		offset += (int64_t)n;
		if (c->tty && !c->quiet && !c->json && offset > (64 << 20))
			(void)fprintf(stderr, "\r%lld MB sent", (long long)(offset >> 20));
	}
	if (!code && offset)
		code = take_answer(c, NULL);
	return code ? code : ferror(f) ? EXIT_FAILED : 0;
}

static const char *base_name(const char *path)
{
	size_t n = strlen(path);
	const char *slash = n > 1 ? memrchr(path, '/', n - 1) : NULL;
	return slash ? slash + 1 : path;
}

int cli_upload(struct cli *c, const char *path, const char *name, const char *what, char **ret_id)
{
	struct err e;
	struct hasher h;
	struct hash sum;
	char hex[HASH_HEX];
	FILE *f = NULL;
	if (open_source(path, &f, &e)) {
		return cli_fail(c,
			e.code == -EINVAL || e.code == -E2BIG ? EXIT_REFUSED : EXIT_FAILED, "%s",
			e.text);
	}
	(void)fseeko(f, 0, SEEK_END);
	cJSON CLEANUP_JSON *p = json_obj(), CLEANUP_JSON *begun = NULL,
			   CLEANUP_JSON *end = json_obj();
	json_put_z(p, "name", name ? name : strcmp(path, "-") ? base_name(path) : "");
	json_put_i64(p, "bytes", ftello(f));
	json_put_z(p, "what", what);
	rewind(f);
	hasher_init(&h);
	int code = cli_call(c, "upload.begin", p, &begun);
	if (!code)
		code = send_chunks(c, f, json_z(begun, "id", ""), &h);
	(void)fclose(f);
	if (code)
		return code;
	hasher_end(&h, &sum);
	hash_hex(&sum, hex);
	json_put_z(end, "id", json_z(begun, "id", ""));
	json_put_z(end, "sha256", hex);
	code = cli_call(c, "upload.end", end, NULL);
	if (!code)
		*ret_id = x_strdup(json_z(begun, "id", ""));
	return code;
}
