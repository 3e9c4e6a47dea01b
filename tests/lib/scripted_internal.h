/* scripted_internal.h - between the files of the scripted host. */
#ifndef LANTOA_TESTS_SCRIPTED_INTERNAL_H
#define LANTOA_TESTS_SCRIPTED_INTERNAL_H

#include "scripted_host.h"

void *shi_mem(size_t n); /* zeroed; aborts when there is none */
char *shi_copy(struct lt_str s);
struct lt_str shi_z(const char *s);
void shi_misuse(struct sh *h, const char *text);
struct sh_job *shi_job_of(struct sh *h, struct lt_job *job);
extern const struct lt_host shi_host_table;

#endif
