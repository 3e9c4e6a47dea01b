/* fuzz.h - what the fuzz targets share. A target is one file, tests/fuzz/fuzz_NAME.c (it sees the whole daemon) or
 * tests/fuzz/ADAPTER/fuzz_NAME.c (it sees that adapter and adapters/common; ADAPTER "sms": common alone).
 * `make fuzz TIME=60 [TARGET=NAME]` runs it under libFuzzer with sanitizers; `make test` runs its corpus, tests/fuzz/corpus/NAME,
 * through driver.c: a crash that was found is added there and stays a regression test.
 * Bounds that both hold: 1 MB of input, one second, 256 MB. */
#ifndef LANTOA_TESTS_FUZZ_H
#define LANTOA_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_INPUT_MAX (1u << 20)
#define FUZZ_HEAP_MAX  (256ll << 20) /* alive at once; heap.c counts in builds with sanitizers */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
/* A file that holds exactly these bytes, for interfaces that take a path: rewritten by each call, "" on failure. */
const char *fuzz_file(const uint8_t *p, size_t n);
/* An empty private folder; emptied again by each call. */
const char *fuzz_dir(void);
#define FUZZ_IGNORE(call)         \
	do {                      \
		if ((call) < 0) { \
		}                 \
	} while (0)
/* What must hold whatever the input is: ends the program. */
#define MUST(cond)                        \
	do {                              \
		if (!(cond))              \
			__builtin_trap(); \
	} while (0)

#endif
