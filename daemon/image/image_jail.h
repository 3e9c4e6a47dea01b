/* image_jail.h - a process that gives up everything but computing on what it has open. Both are for good, and for all threads. */
#ifndef LANTOA_IMAGE_IMAGE_JAIL_H
#define LANTOA_IMAGE_IMAGE_JAIL_H

#include <stdint.h>

struct image_limits {
	uint64_t memory_bytes, out_bytes; /* address space; what may be written to one file */
	uint32_t cpu_s;
};
/* rlimits: before anything is read. 0 or -errno. */
int image_limits_set(const struct image_limits *l) __attribute__((warn_unused_result));
/* System calls beyond computing, reading and writing open descriptors and threads of its own kill the process.
 * No file can be opened, no socket made, no program run. 0 or -errno. */
int image_jail_enter(void) __attribute__((warn_unused_result));

#endif
