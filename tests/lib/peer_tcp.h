/* peer_tcp.h - a scripted TCP server for tests: each accepted connection runs a function in a thread of its own.
 * Serving functions may block, and must not use cmocka's asserts: they write notes into a ledger that the test reads.
 * Always 127.0.0.1 and a free port. TLS by peer_tls() with a certificate made by peer_cert_make().
 */
#ifndef LANTOA_TESTS_PEER_TCP_H
#define LANTOA_TESTS_PEER_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PEER_CONNS_MAX 4096

struct peer;
struct peer_conn;
typedef void peer_serve_fn(struct peer_conn *c, void *ctx);

struct peer *peer_new(peer_serve_fn *serve, void *ctx); /* aborts when it cannot listen */
void peer_free(struct peer *p); /* wakes and joins every thread; NULL allowed */
uint16_t peer_port(const struct peer *p);
unsigned peer_connections(const struct peer *p); /* accepted so far */
/* Certificate and key (PEM files) for peer_tls; borrowed until peer_free. */
void peer_use_cert(struct peer *p, const char *cert_path, const char *key_path);
/* Makes a certificate for localhost and 127.0.0.1, its own CA, valid two days: NAME.pem and NAME.key in dir. */
bool peer_cert_make(const char *dir, const char *name);
/* The same for other names, as openssl writes them: "DNS:a.example,IP:192.0.2.1". */
bool peer_cert_make_for(const char *dir, const char *name, const char *names);

/* How many notes begin with `prefix` ("" counts all). */
unsigned peer_noted(struct peer *p, const char *prefix);
/* The first note that begins with prefix, cut to size; false when there is none. */
bool peer_note_get(struct peer *p, const char *prefix, char *ret, size_t size);

/* For serving functions. false or <= 0: the connection is over. */
void peer_note(struct peer_conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool peer_line(
	struct peer_conn *c, char *line, size_t size); /* without CR LF; longer lines are cut */
ssize_t peer_read(struct peer_conn *c, void *p, size_t n);
bool peer_read_all(struct peer_conn *c, void *p, size_t n);
bool peer_write(struct peer_conn *c, const void *p, size_t n);
bool peer_printf(struct peer_conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool peer_tls(struct peer_conn *c);
void peer_reset(struct peer_conn *c);        /* RST when the function returns */
bool peer_wait(struct peer_conn *c, int ms); /* false when the peer is being freed */
bool peer_wait_noted(
	struct peer_conn *c, const char *prefix, int ms); /* until somebody wrote such a note */
void peer_note_from_test(struct peer *p, const char *text);
unsigned peer_conn_no(const struct peer_conn *c); /* 1 for the first accepted */

#endif
