/* provider.h - what the played providers of the adapter_*.c have in common: files beside the configuration, the script of an HTTP
 * answer, and for streams a ledger of what was truly taken and bytes without sense. */
#ifndef LANTOA_CONFORMANCE_PROVIDER_H
#define LANTOA_CONFORMANCE_PROVIDER_H

#include "conformance.h"

#define PROVIDER_LEDGER_MAX  4096
#define PROVIDER_STREAMS_MAX 256

/* config/NAME as NAME beside the folder of the channel files; and a file of our own. Failures are said on stderr. */
void provider_copy(struct ht *t, const char *name);
void provider_write(struct ht *t, const char *name, const char *text);

/* The next answers of an HTTP API; `late`: what stands in place of a body where the outcome should be, NULL: bytes without sense. */
void provider_answer(
	struct ht *t, enum conf_script script, int status, const char *body, const char *late);

struct provider { /* of a stream protocol */
	struct ht *t;
	enum conf_script script;
	uint64_t seed;
	char ledger[PROVIDER_LEDGER_MAX][128];
	size_t n_ledger;
};
void provider_begin(struct provider *p, struct ht *t, enum conf_script script, uint64_t seed);
void provider_take(struct provider *p, const char *address); /* its text was taken */
size_t provider_taken(const struct provider *p, const char *address);
/* Place of the stream, below PROVIDER_STREAMS_MAX. */
size_t provider_stream(const struct provider *p, const struct fakenet_stream *s);
/* Now and then the stream is cut behind them; `lines`: every other time they end like a line. */
void provider_say_garbage(struct provider *p, struct fakenet_stream *s, bool lines);

#endif
