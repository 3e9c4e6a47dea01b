/* plug.h - a record of the log that pluglog.c writes and plug_replay.c plays. Host order: both run on one machine. */
#ifndef LANTOA_TESTS_PLUG_H
#define LANTOA_TESTS_PLUG_H

#include <stdint.h>

struct plug_rec {
	uint32_t
		what; /* C created, O opened (off: its size), d folder opened; W bytes at off; T cut to off; S file synced, D folder
	                * synced; R renamed (two paths); U unlinked */
	uint32_t id;
	int64_t at_us, off; /* wall time behind the call */
	uint64_t n, m;      /* bytes of the first and the second string behind this */
};

#endif
