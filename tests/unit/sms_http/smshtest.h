/* smshtest.h - a gateway opened from its shipped vendor file on the scripted host: what the tests of this folder share. */
#ifndef LANTOA_TESTS_SMSHTEST_H
#define LANTOA_TESTS_SMSHTEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/scene_gate.h"
#include "sms_http/smsh.h"

struct gate {
	struct sh *h;
	size_t session;
};

static inline void gate_new(struct gate *g, const char *vendor)
{
	*g = (struct gate){ .h = gate_vendor_host(vendor) };
}

static inline int gate_open(struct gate *g)
{
	int rc = sh_open(g->h);

	if (rc == 0)
		g->session = sh_session(g->h);
	return rc;
}

static inline void gate_free(struct gate *g)
{
	if (g->h != NULL && g->h->misuse != 0)
		fail_msg("%s", g->h->misuse_text);
	sh_free(g->h);
}

#define PAYLOAD_UCS2                                                          \
	"lantoa-sms 1\ncoding: ucs2\nsegments: 1\nunits: 12\ncategory: 3\n\n" \
	"Đã đăng bài \"A\""

static inline size_t gate_send(struct gate *g, const char *to, const char *ref, const char *payload)
{
	size_t op = sh_op(g->h, g->session, to, ref, payload, 0);

	assert_int_equal(sh_start(g->h, op, 1), 0);
	return op;
}

/* An answer with headers ("Name: value" or NULL). */
static inline void gate_answer(struct gate *g, size_t call, int32_t status, const char *name,
	const char *value, const char *body, uint32_t truncated)
{
	struct lt_pair head = { .name = ltc_z(name), .value = ltc_z(value) };

	assert_true(call < g->h->n_http && !g->h->http[call].answered);
	g->h->answer_headers = &head;
	g->h->n_answer_headers = name != NULL;
	g->h->answer_truncated = truncated != 0;
	sh_answer(g->h, call, LT_P_ANSWERED, status, body);
	g->h->n_answer_headers = 0;
	g->h->answer_truncated = false;
}

static inline size_t gate_notes(const struct sh *h, const char *what)
{
	size_t n = 0, have = h->n_notes < SH_NOTES_MAX ? h->n_notes : SH_NOTES_MAX;

	for (size_t i = 0; i < have; i++)
		n += strcmp(h->notes[i].what, what) == 0;
	return n;
}

#endif
