/* metrics.c - the registry of metrics.h: a sorted array of pointers under one mutex; values are atomics.
 * Thread: any. Owns: all series, for the life of the process.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/metrics.h"
#include "base/utf8.h"

#define NAME_SIZE    96u
#define HELP_SIZE    160u
#define LABELS_SIZE  1536u
#define HIST_BUCKETS 16u

static const uint64_t hist_le_us[HIST_BUCKETS] = { 50, 100, 250, 500, 1000, 2500, 5000, 10000,
	20000, 50000, 100000, 250000, 500000, 1000000, 5000000, 60000000 };
static const char *const hist_le_text[HIST_BUCKETS] = { "0.00005", "0.0001", "0.00025", "0.0005",
	"0.001", "0.0025", "0.005", "0.01", "0.02", "0.05", "0.1", "0.25", "0.5", "1", "5", "60" };

struct metric {
	char name[NAME_SIZE], help[HELP_SIZE],
		labels[LABELS_SIZE]; /* labels: a="b",c="d" as printed, or "" */
	enum metric_kind kind;
	_Atomic int64_t value;
	_Atomic uint64_t sum_us, bucket[HIST_BUCKETS];
};

static pthread_mutex_t metrics_lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *metrics_all[METRICS_MAX];
static size_t metrics_n;
static struct metric metrics_unseen;
static _Atomic int64_t metrics_refused;

static bool metric_name_ok(const char *s)
{
	if (*s >= '0' && *s <= '9')
		return false;
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return n > 0 && s[n] == '\0' && n < NAME_SIZE;
}

static void metric_label_text(struct buf *b, struct str v)
{
	char text[METRICS_VALUE_MAX];
	size_t n = v.n < sizeof(text) ? v.n : sizeof(text);
	if (n > 0)
		memcpy(text, v.p, n);
	n = utf8_mend(text, (struct str){ text, n });
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (c == '\\' || c == '"')
			buf_addc(b, '\\');
		if (c == '\n')
			buf_addz(b, "\\n");
		else if ((unsigned char)c >= 0x20)
			buf_addc(b, c);
	}
}

/* Fills labels as they will be printed; a label set that is too long is cut to none. */
static void metric_labels(char *dst, const struct metric_label *labels, size_t n)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, LABELS_SIZE - 1);
	REQUIRE(n <= METRICS_LABELS_MAX);
	for (size_t i = 0; i < n; i++) {
		REQUIRE(metric_name_ok(labels[i].name));
		buf_addf(&b, "%s%s=\"", i > 0 ? "," : "", labels[i].name);
		metric_label_text(&b, labels[i].value);
		buf_addc(&b, '"');
	}
	(void)str_copy(dst, LABELS_SIZE, b.failed ? STR("") : buf_str(&b));
}

static int metric_cmp(const struct metric *m, const char *name, const char *labels)
{
	int r = strcmp(m->name, name);
	return r != 0 ? r : strcmp(m->labels, labels);
}

/* Place of the series, or where it would stand. */
static size_t metric_place(const char *name, const char *labels)
{
	size_t lo = 0, hi = metrics_n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (metric_cmp(metrics_all[mid], name, labels) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct metric *metric_make(
	size_t at, enum metric_kind kind, const char *name, const char *help, const char *labels)
{
	if (metrics_n == METRICS_MAX) {
		metrics_refused++;
		return &metrics_unseen;
	}
	struct metric *m = x_calloc(1, sizeof(*m));
	m->kind = kind;
	(void)str_copy(m->name, sizeof(m->name), str_of(name));
	(void)str_copy(m->help, sizeof(m->help), str_of(help));
	(void)str_copy(m->labels, sizeof(m->labels), str_of(labels));
	for (size_t i = metrics_n; i > at; i--)
		metrics_all[i] = metrics_all[i - 1];
	metrics_all[at] = m;
	metrics_n++;
	return m;
}

struct metric *metric_get(enum metric_kind kind, const char *name, const char *help,
	const struct metric_label *labels, size_t n_labels)
{
	char text[LABELS_SIZE];
	REQUIRE(metric_name_ok(name));
	metric_labels(text, labels, n_labels);
	(void)pthread_mutex_lock(&metrics_lock);
	size_t at = metric_place(name, text);
	struct metric *m = at < metrics_n && metric_cmp(metrics_all[at], name, text) == 0
		? metrics_all[at]
		: metric_make(at, kind, name, help, text);
	REQUIRE(m == &metrics_unseen || m->kind == kind);
	(void)pthread_mutex_unlock(&metrics_lock);
	return m;
}

struct metric *metric_counter(const char *name, const char *help)
{
	return metric_get(METRIC_COUNTER, name, help, NULL, 0);
}

struct metric *metric_gauge(const char *name, const char *help)
{
	return metric_get(METRIC_GAUGE, name, help, NULL, 0);
}

struct metric *metric_histogram(const char *name, const char *help)
{
	return metric_get(METRIC_HISTOGRAM, name, help, NULL, 0);
}

void metric_add(struct metric *m, uint64_t n)
{
	atomic_fetch_add_explicit(&m->value, (int64_t)n, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t v)
{
	atomic_store_explicit(&m->value, v, memory_order_relaxed);
}

void metric_shift(struct metric *m, int64_t by)
{
	atomic_fetch_add_explicit(&m->value, by, memory_order_relaxed);
}

void metric_observe_us(struct metric *m, uint64_t us)
{
	atomic_fetch_add_explicit(&m->value, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->sum_us, us, memory_order_relaxed);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		if (us <= hist_le_us[i]) {
			atomic_fetch_add_explicit(&m->bucket[i], 1, memory_order_relaxed);
			return;
		}
	}
}

int64_t metric_value(const struct metric *m)
{
	return atomic_load_explicit(&m->value, memory_order_relaxed);
}

static void metric_print_histogram(struct buf *b, struct metric *m)
{
	const char *comma = m->labels[0] != '\0' ? "," : "";
	uint64_t below = 0, sum = atomic_load(&m->sum_us);
	uint64_t count = (uint64_t)atomic_load(&m->value);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		below += atomic_load(&m->bucket[i]);
		buf_addf(b, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", m->name, m->labels, comma,
			hist_le_text[i], below);
	}
	if (count < below)
		count = below; /* somebody is observing right now */
	buf_addf(b, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", m->name, m->labels, comma, count);
	const char *open = m->labels[0] != '\0' ? "{" : "",
		   *close = m->labels[0] != '\0' ? "}" : "";
	buf_addf(b, "%s_sum%s%s%s %" PRIu64 ".%06" PRIu64 "\n", m->name, open, m->labels, close,
		sum / 1000000, sum % 1000000);
	buf_addf(b, "%s_count%s%s%s %" PRIu64 "\n", m->name, open, m->labels, close, count);
}

static void metric_print(struct buf *b, struct metric *m)
{
	if (m->kind == METRIC_HISTOGRAM) {
		metric_print_histogram(b, m);
		return;
	}
	if (m->labels[0] != '\0')
		buf_addf(b, "%s{%s} %" PRId64 "\n", m->name, m->labels, metric_value(m));
	else
		buf_addf(b, "%s %" PRId64 "\n", m->name, metric_value(m));
}

int metrics_print(struct buf *b)
{
	static const char *const type[] = { [METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram" };
	const char *family = "";
	(void)pthread_mutex_lock(&metrics_lock);
	for (size_t i = 0; i < metrics_n; i++) {
		struct metric *m = metrics_all[i];
		if (strcmp(m->name, family) != 0)
			buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
				type[m->kind]);
		family = m->name;
		metric_print(b, m);
	}
	(void)pthread_mutex_unlock(&metrics_lock);
	buf_addf(b,
		"# HELP lantoa_metrics_refused_total Series that found no room.\n"
		"# TYPE lantoa_metrics_refused_total counter\nlantoa_metrics_refused_total %" PRId64
		"\n",
		atomic_load(&metrics_refused));
	return b->failed ? -E2BIG : 0;
}

void metrics_reset(void)
{
	(void)pthread_mutex_lock(&metrics_lock);
	for (size_t i = 0; i < metrics_n; i++)
		xfree(metrics_all[i]);
	metrics_n = 0;
	metrics_refused = 0;
	(void)pthread_mutex_unlock(&metrics_lock);
}
