/* metrics.h - numbers for Prometheus: counters, gauges, histograms of time, by name and at most three labels.
 * Thread: any. Getting a series takes a lock and may allocate: get it once and keep the pointer, which stays valid until
 * metrics_reset (tests only). Adding is one atomic. At most METRICS_MAX series: what comes later is counted in
 * lantoa_metrics_refused_total and goes to a series that nobody sees, so callers need no error path.
 * Names: [a-z_][a-z0-9_]*, counters end in _total, times in _seconds. Label values may be any text; never put an address in.
 */
#ifndef LANTOA_BASE_METRICS_H
#define LANTOA_BASE_METRICS_H

#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"

#define METRICS_MAX        8192u /* five a lane, and there may be a thousand lanes */
#define METRICS_LABELS_MAX 3u
#define METRICS_VALUE_MAX  200u               /* bytes of a label's value that are shown */
#define METRICS_TEXT_MAX   (8u * 1024 * 1024) /* a good maximum for the buffer of metrics_print */

enum metric_kind { METRIC_COUNTER = 1, METRIC_GAUGE = 2, METRIC_HISTOGRAM = 3 };
struct metric; /* owned by the registry */

struct metric_label {
	const char *name;
	struct str
		value; /* copied; cut between two letters, what is no UTF-8 mended: one bad byte would cost the whole page */
};

/* The series of that name and those labels; made when new. Never NULL. Asking for a name with another kind is a bug. */
struct metric *metric_get(enum metric_kind kind, const char *name, const char *help,
	const struct metric_label *labels, size_t n_labels);
struct metric *metric_counter(const char *name, const char *help);
struct metric *metric_gauge(const char *name, const char *help);
struct metric *metric_histogram(const char *name, const char *help);

void metric_add(struct metric *m, uint64_t n);   /* counter */
void metric_set(struct metric *m, int64_t v);    /* gauge */
void metric_shift(struct metric *m, int64_t by); /* gauge */
void metric_observe_us(
	struct metric *m, uint64_t us);       /* histogram: microseconds, shown in seconds */
int64_t metric_value(const struct metric *m); /* counter, gauge; observations of a histogram */

/* The text format of Prometheus, families in order of name. 0 or -E2BIG. */
int metrics_print(struct buf *b) MUST_CHECK;
void metrics_reset(void); /* forgets everything: all pointers are gone */

#endif
