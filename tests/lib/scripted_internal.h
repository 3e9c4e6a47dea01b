/* scripted_internal.h - between the files of the scripted host. */
#ifndef LANTOA_TESTS_SCRIPTED_INTERNAL_H
#define LANTOA_TESTS_SCRIPTED_INTERNAL_H

#include "scripted_host.h"

void *shi_mem(size_t n); /* zeroed; aborts when there is none */
char *shi_copy(struct lt_str s);
struct lt_str shi_z(const char *s);
void shi_misuse(struct sh *h, const char *text);
struct sh_job *shi_job_of(struct sh *h, struct lt_job *job);
/* The job, when it runs; NULL and a misuse with that text when it does not. */
struct sh_job *shi_running(struct sh *h, struct lt_job *job, const char *what);
/* Every one of them may publish now: its intent is committed, and nobody has stopped it. */
bool shi_may_publish(struct sh *h, struct lt_job *const *whose, size_t n);
/* A request of its own that nobody may repeat has no answer yet. */
bool shi_under_way(const struct sh *h, const struct lt_job *job);
extern const struct lt_host shi_host_table;

#endif
