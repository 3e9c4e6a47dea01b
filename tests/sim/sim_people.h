/* sim_people.h - what those who act in the simulation share: a question to the daemon and its answer, who asks, and their acts.
 * A question belongs to the daemon from its call on; people_answered frees it. A crash drops the open ones with the child.
 */
#ifndef LANTOA_TESTS_SIM_PEOPLE_H
#define LANTOA_TESTS_SIM_PEOPLE_H

#include "base/json.h"
#include "sim.h"

struct question {
	int release;
	int stop; /* slot of S->stop; -1: none */
	char what[40];
};

struct question *people_ask(const char *what, int release);
void people_answered(struct question *q, int rc, const struct err *e);
struct actor people_who(const char *name);
int people_any_release(void);         /* 1 .. S->n_releases; 0: there is none */
cJSON *people_params_of(int release); /* owned by the caller */

/* sim_release.c */
void people_submit(int release);
/* sim_picture.c: a zip with this release.md and its cover.png */
void people_bundle_write(const char *path, const char *text);

void people_submit_new(void);
void people_approve(void);
void people_approve_diff(int release); /* what its lots are held for is looked at and approved */
void people_go(int release);
void people_give_back(void);

/* sim_stop.c */
void people_hold(void);
void people_resume(void);
void people_resume_scope(const struct stop_scope *scope);
void people_cancel(void);
bool people_heal_stops(void); /* resumes every stop that stands; true when there was one */

#endif
