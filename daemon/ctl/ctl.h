/* ctl.h - the control socket: JSON-RPC 2.0, one document a line, and the table of methods.
 * Threads: the server is the loop's; a method with CTL_READ runs on a worker with a reader inside one snapshot, returns its result at
 * once; a method with CTL_WRITE runs on the loop and answers later through ctl_answer, exactly once.
 * Rules: at most 64 connections (then who has most gives a silent one to who has fewer), 1 MB a line, 30 s from its first byte to finish a line, 16 calls
 * in flight a connection; peers are known by SO_PEERCRED, their login names read at connect.
 * Method tables live in ctl_release.c, ctl_queue.c, ctl_office.c, ctl_evidence.c; names and shapes: docs/control-protocol.md.
 */
#ifndef LANTOA_CTL_CTL_H
#define LANTOA_CTL_CTL_H

#include <cjson/cJSON.h>
#include "dispatch/dispatch.h"
#include "net/loop.h"
#include "plan/plan.h"
#include "store/store.h"

enum ctl_where { CTL_READ = 1, CTL_WRITE = 2 };

/* Errors of JSON-RPC beyond its own; the exit code of `lantoa` follows: 3 not allowed, 4 not found, 6 refused by a check, 7 conflict. */
enum ctl_code {
	CTL_E_FAILED = 1,
	CTL_E_USAGE = 2,
	CTL_E_DENIED = 3,
	CTL_E_NOT_FOUND = 4,
	CTL_E_REFUSED = 6,
	CTL_E_CONFLICT = 7
};

struct ctl_key_rotated {    /* borrowed for the call */
	const char *file;   /* of the key that seals credentials now */
	const char *former; /* of the one before; NULL: it was the master key */
	uint32_t key_id;
	int64_t sealed; /* credentials */
};
typedef void ctl_key_rotated_fn(
	void *ctx, int rc, const struct err *e, const struct ctl_key_rotated *ret);

struct ctl_deps { /* everything a method may need; owned by main */
	struct env *env;
	struct loop *loop;
	struct store *store;
	int64_t started_ms;
	struct plan *plan;
	struct dispatch *dispatch;
	struct channels **channels; /* the current ones; swapped by reload on the loop thread */
	struct conf *const *conf;
	const bool *stopping;    /* the daemon ends: what takes long ends soon; NULL: never */
	const _Atomic bool *cut; /* the same for workers */
	void *main_ctx;
	void (*reload)(void *main_ctx, const struct actor *who,
		void (*done)(void *ctx, int rc, const struct err *e), void *ctx); /* who: copied */
	void (*routes_look)(
		void *main_ctx); /* an import ended with another configuration than it began with, offices or their targets moved. NULL: none cares */
	void (*targets_changed)(
		void *main_ctx); /* an import is applied: dispatch_targets_changed. NULL: nothing is leased */
	void (*key_rotate)(void *main_ctx, const struct actor *who, ctl_key_rotated_fn *done,
		void *ctx); /* who: copied */
	/* Are assets reached under the public address? done once, later. False: there is none to be asked. NULL: never. */
	bool (*public_check)(void *main_ctx,
		void (*done)(void *ctx, bool ok, const char *url, const char *text), void *ctx);
};

struct ctl_call {
	const struct ctl_deps *deps;
	const struct ctl_method *method;
	const cJSON *params;         /* an object, never NULL; borrowed until answered */
	struct actor who;            /* borrowed until answered */
	const struct conf *conf;     /* a reference for the life of the call */
	struct store_reader *reader; /* CTL_READ only; inside a snapshot */
	bool large; /* CTL_READ: it runs where it may take its time; else -EOVERFLOW lets it run there anew */
	void *own; /* the method's */
};

/* Among the roles: whoever runs as the daemon's own user, and could signal it, may ask as well. */
#define CTL_OWN_USER 0x100u

struct ctl_method {
	const char *name; /* "release.submit" */
	enum ctl_where where;
	unsigned roles; /* any of these bits may call; 0: everyone named in the config */
	/* CTL_READ: fills *ret and returns 0, or a negative code with e. CTL_WRITE: ret and e are NULL, answers by ctl_answer. */
	int (*fn)(struct ctl_call *c, cJSON **ret, struct err *e);
};
/* rc 0: result (moved; NULL means {}). Else an error with text; result, if any, goes into error.data. Codes: -EPERM denied, -ENOENT not
 * found, -EBADMSG refused by a check, -EEXIST/-ESTALE/-EBUSY conflict, -EINVAL usage, others failed. */
void ctl_answer(struct ctl_call *c, int rc, const struct err *e, cJSON *result);
/* The finished upload that params.upload names: path in staging and the name it had. Any thread; borrowed until the call is answered,
 * the file stays as long. -EINVAL when the call names none. */
int ctl_upload_take(struct ctl_call *c, struct staged *ret, struct err *e) MUST_CHECK;

extern const struct ctl_method ctl_release_methods[], ctl_queue_methods[], ctl_office_methods[],
	ctl_evidence_methods[]; /* each ends with a NULL name */

/* The cursor `after` of a list: 0 when absent, -EINVAL when it is none. */
int ctl_after(const struct ctl_call *c, int64_t *ret, struct err *e) MUST_CHECK;
/* May this person see the office (itself or below the person's own)? Worker side. */
bool ctl_may_see(const struct ctl_call *c, const char *office_code);
/* Masked form of an address for people without a role that may see it: "v…g@trung-uong.bhxh.example". */
void ctl_mask(const struct ctl_call *c, int kind, struct str address, char *ret, size_t size);

struct ctl;
struct ctl_opts {
	struct ctl_deps deps;
	const char *socket_path;
	const char *staging_dir;
	bool allow_as; /* demo database: params may carry "as": NAME */
};
int ctl_open(const struct ctl_opts *o, struct ctl **ret, struct err *e) MUST_CHECK;
void ctl_close(struct ctl *c, void (*closed)(void *ctx),
	void *ctx); /* running calls are answered with an error */

void ctl_free(struct ctl *c); /* after closed; NULL allowed */

#endif
