/* queuescene.h - a release with two open lots of ten waiting deliveries each, of an office and of one below it. */
#ifndef TESTS_QUEUESCENE_H
#define TESTS_QUEUESCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "base/assert.h"
#include "store/store_q_queue.h"
#include "store/store_queue.h"
#include "tests/lib/teststore.h"

static struct teststore ts;

static void run(const char *sql)
{
	int rc = teststore_exec(&ts, sql);

	if (rc)
		fail_msg("%s: %s", sql, ts.err.text);
}

static int setup(void **state)
{
	char sql[400];

	(void)state;
	assert_int_equal(teststore_open(&ts), 0);
	run("INSERT INTO vars(hash, json) VALUES (x'00','{}')");
	run("INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES "
	    "(1,'top',NULL,0,'0','x','vi',x'00'), (2,'below',1,1,'1','x','vi',x'00')");
	run("INSERT INTO channel(id, name, adapter) VALUES (1,'mail','loopback')");
	run("INSERT INTO account(id, channel_id, name) VALUES (1,1,'relay')");
	run("INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES (1,1,'',0,0,0)");
	run("INSERT INTO release(id, year, code, state, rev_newest, rev_approved, prio, category, kind, "
	    "title) VALUES (1,2026,'R1',2,1,1,1,2,1,'t')");
	run("INSERT INTO manifest(hash, release_id, rev, format, body, made) VALUES "
	    "(zeroblob(32),1,1,1,x'00',0)");
	run("INSERT INTO approval(manifest, step, person, via, kind, at, mac) VALUES "
	    "(zeroblob(32),0,'an','uid:1',0,0,x'00')");
	for (int lot = 1; lot <= 2; lot++) {
		snprintf(sql, sizeof(sql),
			"INSERT INTO lot(id, release_id, part, lane_id, office_id, manifest, gate, prio, "
			"at, expires, n0) VALUES (%d,1,%d,1,%d,zeroblob(32),1,1,%lld,%lld,10)",
			lot, lot, lot, (long long)ts.wall_ms, (long long)ts.wall_ms + 3600000);
		run(sql);
	}
	run("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<20) INSERT INTO "
	    "contact(id, kind, address, form, class) SELECT i, 1, 'a'||i||'@x', 'mailbox', '' FROM k");
	run("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<20) INSERT INTO "
	    "delivery(id, lot_id, contact_id, once, state, tries, due, target_id) SELECT i, "
	    "1+(i>10), i, 1025, 0, 0, (i%3)*1000, i FROM k");
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

static inline void counters_equal_rows(void)
{
	char sql[300];

	for (int s = 0; s < DLV_STATES; s++) {
		snprintf(sql, sizeof(sql),
			"SELECT count(*) FROM lot l WHERE n%d<>(SELECT count(*) FROM delivery d WHERE "
			"d.lot_id=l.id AND d.state=%d)",
			s, s);
		assert_int_equal(teststore_i64(&ts, sql), 0);
	}
}

#endif
