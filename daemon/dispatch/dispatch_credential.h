/* dispatch_credential.h - credentials that rotate, in memory: what main wires, and what the files of it share.
 * Thread: loop; dispatch_secrets_read blocks (start-up, or a worker). Values lie in locked memory and are wiped.
 * Order of a rotation: word committed (store_cred_begin) -> one call of the adapter -> new set to the mirror -> committed ->
 * served. The old set is never served after that commit. A set is kept in the plain form of store_queue_secret.h.
 */
#ifndef LANTOA_DISPATCH_DISPATCH_CREDENTIAL_H
#define LANTOA_DISPATCH_DISPATCH_CREDENTIAL_H

#include "dispatch/dispatch.h"
#include "store/store_secret.h"

struct cred_load;

/* What the store and the mirror hold, for every credential of the store and of the configuration. Blocking. */
int dispatch_secrets_read(
	struct store *s, const struct conf *conf, struct cred_load **ret, struct err *e) MUST_CHECK;
void dispatch_secrets_load_free(struct cred_load *l); /* NULL allowed */
/* After dispatch_attach and after each reload: takes what is new in `l`, first values of files, timers. l is owned from here on. */
void dispatch_secrets_bind(struct dispatch *d, struct channels *cs, struct cred_load *l);
/* For channels_opts.secret_get; ctx is the dispatch. */
int dispatch_secret_get(void *ctx, const char *channel, const char *credential, const char *name,
	struct secret **ret, uint64_t *ret_version);

/* A person's consent, in two steps: without a code the page to open, with it the first pair. The request is copied; done comes
 * exactly once, never from inside. */
struct login_request {
	const char *channel, *account;
	struct str code; /* n 0: the first step */
	const char *person, *via;
	/* rc 0: r is the adapter's answer (r->url: the page); version: of the pair that is stored now */
	void (*done)(void *ctx, int rc, const struct err *e, const struct chan_result *r,
		int64_t version);
	void *ctx;
};
void dispatch_login(struct dispatch *d, const struct login_request *r);

struct cred_facts {
	const char *channel, *name; /* borrowed for the visit */
	const char *state; /* "good", "in doubt", ..., "none" where there is no value yet */
	const char *why;   /* what a person should do; "" */
	int64_t version, changed_ms, expires_ms; /* wall; 0: unknown */
	bool warn;                               /* a person should look */
};
void dispatch_credentials(
	struct dispatch *d, void (*visit)(void *ctx, const struct cred_facts *f), void *ctx);

#endif
