/* fault.h - fault points of our own, swept by tests: each edge fails once in turn. Compiled out of release builds.
 * Use: if (FAULT("store.commit")) return -EIO;   Test: fault_set("store.commit", skip, 1).
 * A process reads LANTOA_FAULT="name:skip:times,..." and LANTOA_KILL="name:skip" (raise SIGKILL there) at fault_init;
 * both exist only in builds with LANTOA_FAULTS.
 * LANTOA_FAULT_FILE names a page (4096 bytes) through which tests/crash/sweep.sh arms a running process: at its start stands
 * "GENERATION point NAME N", and of the passes of NAME (or of any point, NAME "any") since this generation the N-th fails, once;
 * N 0: none does, they are counted. At offset 512 stands what was seen: "GENERATION COUNT FIRED NAME-OF-POINT".
 */
#ifndef LANTOA_BASE_FAULT_H
#define LANTOA_BASE_FAULT_H

#include <stdbool.h>

#ifdef LANTOA_FAULTS
void fault_init(void);                                 /* reads the environment */
void fault_set(const char *name, int skip, int times); /* let `skip` pass, then fail `times` */
void fault_clear(void);
int fault_hits(const char *name); /* how often the point was passed since fault_clear */
bool fault_hit(const char *name);
#define FAULT(name) fault_hit(name)
#else
#define FAULT(name) (false)
static inline void fault_init(void)
{
}
static inline void fault_clear(void)
{
}
#endif

#endif
