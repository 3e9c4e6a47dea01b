/* net_common.c - life of the libcurl implementation, and what requests and streams have in common.
 * Thread: loop. Failures: libcurl's codes become negative errno codes and one sentence.
 */
#include <string.h>
#include "base/assert.h"
#include "net/net_curl.h"

#define NET_MAGIC      0x6e657421u
#define HTTP_CONNS_MAX 256L
#define STREAM_CONNS_MAX \
	(2L * (long)NET_STREAMS_MAX) /* never reached: libcurl must not close a stream to make room */

static const struct net_ops net_curl_ops = {
	.http = net_http_start,
	.http_cancel = net_http_stop,
	.stream_open = net_stream_start,
	.stream_write = net_stream_put,
	.stream_flushed = net_stream_count,
	.stream_close = net_stream_end,
};

static struct metric *net_labelled(
	const char *name, const char *help, const char *label, const char *value)
{
	struct metric_label l = { label, str_of(value) };
	return metric_get(METRIC_COUNTER, name, help, &l, 1);
}

static void net_metrics(struct net_curl *nc)
{
	static const char calls[] = "HTTP requests that ended, by how far they came.";
	static const char opens[] = "Byte streams that were asked for, by what became of it.";
	nc->m.phase[NET_NOT_SENT] = net_labelled(
		"lantoa_net_requests_total", calls, "phase", "not_sent");
	nc->m.phase[NET_MAYBE_SENT] = net_labelled(
		"lantoa_net_requests_total", calls, "phase", "maybe_sent");
	nc->m.phase[NET_ANSWERED] = net_labelled(
		"lantoa_net_requests_total", calls, "phase", "answered");
	nc->m.opened = net_labelled("lantoa_net_stream_opens_total", opens, "result", "open");
	nc->m.refused = net_labelled("lantoa_net_stream_opens_total", opens, "result", "failed");
	nc->m.streams = metric_gauge("lantoa_net_streams", "Byte streams now, opening ones too.");
	nc->m.calls = metric_gauge("lantoa_net_requests", "HTTP requests in flight.");
}

int net_curl_new(struct loop *l, struct net **ret, struct err *e)
{
	if (curl_global_init(CURL_GLOBAL_ALL) != 0)
		return err_set(e, -ENOSYS, "libcurl cannot start");
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	if (v->version_num < 0x075700 || (v->features & CURL_VERSION_ASYNCHDNS) == 0 ||
		(v->features & CURL_VERSION_SSL) == 0)
		return err_set(e, -ENOSYS,
			"libcurl %s: 7.87 or newer with TLS and asynchronous names is needed",
			v->version);
	struct net_curl *nc = x_calloc(1, sizeof(*nc));
	nc->magic = NET_MAGIC;
	nc->base.ops = &net_curl_ops;
	nc->loop = l;
	nc->env = loop_env(l);
	nc->rx = x_calloc(1, NET_RX);
	net_metrics(nc);
	list_init(&nc->calls);
	list_init(&nc->all_streams);
	list_init(&nc->execs);
	list_init(&nc->dirty);
	task_init(&nc->flush, net_stream_on_flush);
	net_multi_init(&nc->http, nc, HTTP_CONNS_MAX, net_http_on_done);
	net_multi_init(&nc->streams, nc, STREAM_CONNS_MAX, net_stream_on_done);
	*ret = &nc->base;
	return 0;
}

void net_curl_free(struct net *n)
{
	if (n == NULL)
		return;
	struct net_curl *nc = net_curl_of(n);
	CHECK_OBJ(nc, NET_MAGIC);
	nc->closing = true;
	net_http_end_all(nc);
	net_stream_end_all(nc);
	net_exec_end_all(nc);
	task_cancel(&nc->flush);
	net_multi_done(&nc->http);
	net_multi_done(&nc->streams);
	nc->magic = 0;
	xfree(nc->rx);
	xfree(nc);
}

static void net_set_blob(CURL *easy, CURLoption opt, struct str s)
{
	union {
		const char *from;
		void *to;
	} p = { .from = s.p }; /* libcurl only reads it */
	struct curl_blob blob = { .data = p.to, .len = s.n, .flags = CURL_BLOB_COPY };
	(void)curl_easy_setopt(easy, opt, &blob);
}

static void net_easy_profile(CURL *easy, const struct net_profile *p)
{
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, p != NULL && p->proxy != NULL ? p->proxy : "");
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (p == NULL)
		return;
	if (p->ca_pem.p != NULL) {
		net_set_blob(easy, CURLOPT_CAINFO_BLOB, p->ca_pem);
		net_set_blob(easy, CURLOPT_PROXY_CAINFO_BLOB, p->ca_pem);
	}
	if (p->cert_pem.p != NULL) {
		(void)curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
		net_set_blob(easy, CURLOPT_SSLCERT_BLOB, p->cert_pem);
		net_set_blob(
			easy, CURLOPT_SSLKEY_BLOB, p->key_pem.p != NULL ? p->key_pem : p->cert_pem);
		if (p->key_password != NULL)
			(void)curl_easy_setopt(easy, CURLOPT_KEYPASSWD, p->key_password);
	}
}

void net_easy_setup(CURL *easy, const struct net_profile *p, const char *protocols)
{
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(
		easy, CURLOPT_QUICK_EXIT, 1L); /* else ending a transfer waits for its resolver */
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	/* With a folder beside the file libcurl parses all CAs anew for each connection: 30 ms on the loop. */
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, -1L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	net_easy_profile(easy, p);
}

void net_easy_any_certificate(CURL *easy)
{
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

static const struct {
	CURLcode from;
	int to;
} net_codes[] = {
	{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT },
	{ CURLE_COULDNT_CONNECT, -ECONNREFUSED },
	{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH },
	{ CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH },
	{ CURLE_PROXY, -ECONNREFUSED },
	{ CURLE_GOT_NOTHING, -ECONNRESET },
	{ CURLE_SEND_ERROR, -ECONNRESET },
	{ CURLE_RECV_ERROR, -ECONNRESET },
	{ CURLE_PARTIAL_FILE, -ECONNRESET },
	{ CURLE_LOGIN_DENIED, -EACCES },
	{ CURLE_AUTH_ERROR, -EACCES },
	{ CURLE_REMOTE_ACCESS_DENIED, -EREMOTEIO },
	{ CURLE_WEIRD_SERVER_REPLY, -EREMOTEIO },
	{ CURLE_SSL_CONNECT_ERROR, -EPROTO },
	{ CURLE_PEER_FAILED_VERIFICATION, -EPROTO },
	{ CURLE_USE_SSL_FAILED, -EPROTO },
	{ CURLE_SSL_CERTPROBLEM, -EPROTO },
	{ CURLE_SSL_CIPHER, -EPROTO },
	{ CURLE_SSL_CACERT_BADFILE, -EPROTO },
	{ CURLE_SSL_ISSUER_ERROR, -EPROTO },
	{ CURLE_SSL_INVALIDCERTSTATUS, -EPROTO },
	{ CURLE_SSL_PINNEDPUBKEYNOTMATCH, -EPROTO },
	{ CURLE_SSL_CLIENTCERT, -EPROTO },
	{ CURLE_SSL_ENGINE_NOTFOUND, -EPROTO },
	{ CURLE_SSL_ENGINE_SETFAILED, -EPROTO },
	{ CURLE_URL_MALFORMAT, -EINVAL },
	{ CURLE_UNSUPPORTED_PROTOCOL, -EINVAL },
	{ CURLE_OUT_OF_MEMORY, -ENOMEM },
};

int net_error_code(CURLcode code)
{
	if (code == CURLE_OK)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(net_codes); i++)
		if (net_codes[i].from == code)
			return net_codes[i].to;
	return -EIO;
}

void net_error_text(char *dst, size_t size, CURLcode code, const char *errbuf)
{
	bool use = errbuf != NULL && errbuf[0] != '\0' && strchr(errbuf, '?') == NULL;
	struct str s = str_trim(str_of(use ? errbuf : curl_easy_strerror(code)));
	(void)str_copy(dst, size, s);
	for (char *p = dst; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

static bool net_chars_ok(struct str s, const char *also)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9');
		if (!alnum && (c == '\0' || strchr(also, c) == NULL))
			return false;
	}
	return s.n > 0 && s.n <= 253;
}

bool net_host_ok(struct str host)
{
	return net_chars_ok(host, ".-_:");
}

bool net_name_ok(struct str name)
{
	return net_chars_ok(name, ".-_");
}
