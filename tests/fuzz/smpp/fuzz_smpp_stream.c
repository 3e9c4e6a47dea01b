/* What a server says on a bound link with three texts under way: at once or byte by byte, the same texts are settled the same way
 * and the same reports are told. Nothing is written that is no PDU. */
#include <string.h>
#include "../host.h"
#include "lib/scene_smsc.h"
#include "smpp/smpp_pdu.h"

#define OPS 3

struct seen {
	struct sh_result r[OPS];
	size_t receipts, inbound, written;
	bool closing;
};

static struct sh *bound(size_t *ret_session)
{
	static const char resp[] = { 0, 0, 0, 21, (char)0x80, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 's',
		'm', 's', 'c', 0 };
	struct sh *h = smsc_host();

	MUST(sh_open(h) == 0);
	*ret_session = sh_session(h);
	sh_turn(h);
	sh_opened(h, 0, "");
	sh_data_n(h, 0, resp, sizeof(resp));
	return h;
}

static void count(const struct sh *h, struct seen *s)
{
	for (size_t i = 0; i < h->n_notes && i < SH_NOTES_MAX; i++) {
		s->receipts += strcmp(h->notes[i].what, "receipt") == 0;
		s->inbound += strcmp(h->notes[i].what, "inbound") == 0;
	}
}

static void written(const struct sh_stream *s)
{
	struct smpp_header h;
	size_t at = 0;

	while (at < s->out.n) {
		MUST(smpp_frame(s->out.p + at, s->out.n - at, &h) == 1);
		at += h.length;
	}
}

static void run(const uint8_t *p, size_t n, size_t piece, struct seen *ret)
{
	static const char *const to[OPS] = { "+84912345678", "+84912345679", "+84912345670" };
	size_t session, op[OPS];
	struct sh *h = bound(&session);

	for (size_t i = 0; i < OPS; i++) {
		op[i] = sh_op(h, session, to[i], "ref", ONE, 0);
		FUZZ_IGNORE(sh_start(h, op[i], 1));
	}
	sh_turn(h);
	for (size_t at = 0; at < n; at += piece)
		sh_data_n(h, 0, (const char *)p + at, n - at < piece ? n - at : piece);
	sh_turn(h);
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < OPS; i++)
		ret->r[i] = *sh_result(h, op[i]);
	count(h, ret);
	written(h->streams[0]);
	ret->closing = h->streams[0]->closing || h->streams[0]->gone;
	ret->written = h->streams[0]->out.n;
	MUST(h->misuse == 0);
	sh_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct seen a, b;

	if (n > 4096)
		return 0;
	run(p, n, n ? n : 1, &a);
	run(p, n, 1, &b);
	MUST(a.closing == b.closing && a.receipts == b.receipts && a.inbound == b.inbound);
	for (size_t i = 0; i < OPS; i++) {
		MUST(a.r[i].done == b.r[i].done && a.r[i].outcome == b.r[i].outcome);
		MUST(a.r[i].scope == b.r[i].scope && strcmp(a.r[i].code, b.r[i].code) == 0);
		MUST(a.r[i].n_ids == b.r[i].n_ids && strcmp(a.r[i].id, b.r[i].id) == 0);
	}
	return 0;
}
