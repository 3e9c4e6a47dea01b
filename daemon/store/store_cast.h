/* store_cast.h - broadcasts: the articles that one goes out with, and how many an account has had.
 * Threads: any that has a connection: a worker's reader, or the writer inside the transaction of an intent.
 * A broadcast is a delivery in ONCE_SLOT_BROADCAST. It waits for the article of its own release to the same contact, and for those
 * of its companions (front matter `with`), each in whatever slot it has.
 */
#ifndef LANTOA_STORE_CAST_H
#define LANTOA_STORE_CAST_H

#include "model/cast.h"
#include "model/state.h"
#include "store/store.h"

#define CAST_IDS_MAX 1024

enum cast_verdict {
	CAST_READY = 1, /* every article stands and has an id */
	CAST_WAITS = 2, /* one is not out yet */
	CAST_NEVER =
		3, /* its own article will not come, or was taken back: there is nothing to tell */
	CAST_ASKS = 4 /* something that a person has to look at */
};
struct cast_articles {
	enum cast_verdict verdict;
	char why[200];          /* not READY: which article, and what about it */
	char ids[CAST_IDS_MAX]; /* READY: "0:id" lines, its own first */
};
int store_cast_articles(struct db *db, int64_t release, int64_t rev, int64_t contact,
	struct cast_articles *ret) MUST_CHECK;
/* The article of one release on that account: READY with its id alone in ids, or what stands in the way.
 * -ENOENT: no delivery of it goes there; why says so, too. own: it is that of the broadcast's own release. */
int store_cast_article(struct db *db, int64_t release, int64_t contact, bool own,
	struct cast_articles *ret) MUST_CHECK;
/* Does the release have an article on any account at all? */
int store_cast_anywhere(struct db *db, int64_t release) MUST_CHECK; /* 1 yes, 0 no */

struct cast_count {
	int64_t contact, except; /* except: a release that is not counted; 0: none */
	int64_t from_ms, to_ms;  /* the month */
	int64_t campaign;        /* 0: none */
};
int store_cast_used(struct db *db, const struct cast_count *ask, struct cast_used *ret) MUST_CHECK;

#endif
