/* log.h - one event per line, `ev=name key=value ...`, through a ring that never blocks the caller.
 * Thread: any. log_line formats on the caller's stack (1 KiB, cut with "...") and puts it into a ring of fixed size; a
 * writer thread moves it to the descriptor. When the ring is full the line is dropped and counted; the count is written as
 * ev=log.dropped when there is room, and log_dropped() gives it to the metrics. Before log_open lines go to nowhere.
 * Values with space, quote, control or non-UTF-8 are quoted and escaped by LOG_STR through log_quote.
 */
#ifndef LANTOA_BASE_LOG_H
#define LANTOA_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

enum log_level {
	LOG_ERROR = 3,
	LOG_WARN = 4,
	LOG_INFO = 6,
	LOG_DEBUG = 7
}; /* syslog's numbers: written as <N> for the journal */

int log_open(int fd, enum log_level max,
	size_t ring_bytes) MUST_CHECK; /* fd borrowed until log_close; starts the writer thread */
void log_close(void);                  /* writes what is left for at most one second, then stops */
void log_level_set(enum log_level max);
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
uint64_t log_dropped(void);
/* Quotes s for a log value into dst; returns dst. */
const char *log_quote(char *dst, size_t size, struct str s);
#define LOG_Q(s) log_quote((char[160]){ 0 }, 160, (s))

#endif
