/* heap.c - the third bound of fuzz.h: what lives on the heap at once, counted by the sanitizer's hooks. Over HEAP_MAX ends the program, so that
 * the input is kept like one that crashes. libFuzzer's own corpus lies on the same heap: the bound errs on the strict side.
 * FUZZ_HEAP_MB=1 says another bound, to see it hold. Thread: any. */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "fuzz.h"

/* As in sanitizer/allocator_interface.h, which clang has and gcc has not. */
size_t __sanitizer_get_allocated_size(const volatile void *p);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *p, size_t n),
	void (*on_free)(const volatile void *p));

static atomic_llong
	live; /* what was taken before the hooks were there counts less when it is given back: some KB */
static long long most = FUZZ_HEAP_MAX;

static void on_malloc(const volatile void *p, size_t n)
{
	static const char said[] =
		"ERROR: more lives on the heap at once than the bound of fuzz.h\n";

	(void)p;
	if (atomic_fetch_add_explicit(&live, (long long)n, memory_order_relaxed) + (long long)n >
		most) {
		most = INT64_MAX; /* said once: what reports it takes memory, too */
		(void)!write(2, said, sizeof(said) - 1);
		__builtin_trap();
	}
}

static void on_free(const volatile void *p)
{
	if (p)
		(void)atomic_fetch_sub_explicit(
			&live, (long long)__sanitizer_get_allocated_size(p), memory_order_relaxed);
}

__attribute__((constructor)) static void install(void)
{
	const char *mb = getenv("FUZZ_HEAP_MB");

	if (mb)
		most = strtoll(mb, NULL, 10) << 20;
	if (!__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free))
		abort();
}
