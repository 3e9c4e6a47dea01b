/* peerscene.h - the loop of a test (R) and the scripted server that it speaks to (P), for httpscene.h and streamscene.h. */
#ifndef LANTOA_TESTS_NET_PEERSCENE_H
#define LANTOA_TESTS_NET_PEERSCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/net.h"
#include "../../lib/peer_run.h"
#include "../../lib/peer_tcp.h"

static struct peer_run R;
static struct peer *P; /* the test makes it; tear_down frees it */

static inline int peers_open(void)
{
	P = NULL;
	return peer_run_open(&R);
}

static inline int tear_down(void **state)
{
	(void)state;
	int rc = peer_run_close(&R);
	peer_free(P);
	return rc;
}

#endif
