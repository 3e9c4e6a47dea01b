/* peer_http.h - reads HTTP requests for a serving function of peer_tcp. */
#ifndef LANTOA_TESTS_PEER_HTTP_H
#define LANTOA_TESTS_PEER_HTTP_H

#include "peer_tcp.h"

#define PEER_BODY_MAX (8u * 1024 * 1024)

struct peer_request {
	char method[16], target[1024];
	char head[8192]; /* header lines, each ended by \n */
	char *body;      /* NUL-terminated */
	size_t n;
};

/* Reads one request with its body (Content-Length or chunked) and notes "METHOD target"; false at the end. */
bool peer_http_read(struct peer_conn *c, struct peer_request *ret);
void peer_request_done(struct peer_request *r);
bool peer_http_header(const struct peer_request *r, const char *name, char *ret, size_t size);
bool peer_http_answer(struct peer_conn *c, int status, const char *headers, const char *body);

#endif
