/* net_http.h - parts of a request and of an answer that need no connection: checking, body, headers, dates.
 * Pure but for the random multipart boundary. Not for other folders.
 */
#ifndef LANTOA_NET_NET_HTTP_H
#define LANTOA_NET_NET_HTTP_H

#include <curl/curl.h>
#include "base/env.h"
#include "net/net.h"
#include "net/net_out.h"

int net_http_check(const struct net_http_req *req) MUST_CHECK; /* 0, -EINVAL, -E2BIG */
void net_http_release(const struct net_http_req *req);         /* its sources */
/* Moves the body or the fields into out; adds the Content-Type of a multipart to the list. Sources are taken in any case. */
int net_http_build_body(struct env *e, const struct net_http_req *req, struct net_out *out,
	struct curl_slist **headers) MUST_CHECK;
int net_http_build_headers(const struct net_http_req *req, struct curl_slist **headers) MUST_CHECK;
/* Header lines of the last answer; borrowed from head. Returns how many, at most max. */
size_t net_http_parse_head(struct str head, struct net_pair *ret, size_t max);
int64_t net_http_date(const struct net_pair *headers,
	size_t n); /* milliseconds since 1970, 0 when absent or wrong */

#endif
