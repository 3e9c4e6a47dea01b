/* puppet.h - an adapter in the hands of the test: loaded by the real loader, every entry point a function of the test.
 * The defaults below are an adapter with a shared session of `window` ops that keeps what it is given until the test acts. */
#ifndef LANTOA_TESTS_PUPPET_H
#define LANTOA_TESTS_PUPPET_H

#include "hosttest.h"

#define PUPPET_OPS_MAX 4096

struct puppet_hooks { /* as in testdata/puppet.c */
	int (*address)(const struct lt_conf *, struct lt_str, struct lt_sink *);
	int (*prepare)(const struct lt_conf *, const struct lt_content *, struct lt_sink *);
	int (*compose)(const struct lt_conf *, struct lt_str, const struct lt_target *, uint32_t,
		struct lt_sink *);
	int (*open)(struct lt_inst *);
	void (*close)(struct lt_inst *);
	int (*start)(
		struct lt_inst *, struct lt_job *const *, const struct lt_work *const *, size_t);
	int (*event)(struct lt_inst *, struct lt_job *, const struct lt_event *);
};
struct puppet { /* what the puppet saw; one at a time */
	struct puppet_hooks *hooks;
	struct lt_adapter *vtable;
	const struct lt_host *host;
	struct lt_inst *inst;
	struct lt_job *session; /* the last one started */
	struct lt_job *sessions[64];
	size_t n_sessions;
	struct lt_job *refresh; /* the last LT_J_REFRESH */
	int refreshes;
	struct lt_job *op[PUPPET_OPS_MAX]; /* as started; NULL once the test let it go */
	const struct lt_work *work[PUPPET_OPS_MAX];
	size_t n_ops;
	uint32_t window;
	int start_rc, event_rc; /* what start of ops and events give back */
	uint32_t event_rc_type; /* event_rc only for this type; 0: all */
	int events[16];         /* how many of each type */
	uint64_t last_token;
	int32_t last_error;
	uint32_t last_limit;
	struct lt_job *last_job;
	uint64_t last_flushed;
	uint32_t last_phase;
	int32_t last_status;
	bool finish_on_cancel, finish_on_shutdown;
	void (*on_start)(struct puppet *p, struct lt_job *op); /* further moves of one test */
	void (*on_event)(struct puppet *p, struct lt_job *job, const struct lt_event *ev);
};
extern struct puppet puppet;

/* Builds once a program, sets the capabilities and the defaults, loads it as the channel of t. */
int puppet_load(struct ht *t, uint64_t caps);
int puppet_load_as(struct ht *t, uint64_t caps, const char *channel_yaml);
int puppet_finish(struct lt_job *job, int32_t outcome);
uint32_t puppet_stream(struct lt_job *job); /* opened; 0: refused */
/* Writes bytes that publish for the ops; returns the code of the host. */
int puppet_publish(uint32_t stream, const char *bytes, struct lt_job *const *whose, size_t n,
	uint64_t *ret_end);

#endif
