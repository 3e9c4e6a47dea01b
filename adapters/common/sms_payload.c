/* sms_payload.c - the payload that sms_prepare makes, taken apart again. Form: see sms_prepare.h.
 * Thread: any, pure. Owns: nothing. Failures: -EINVAL: not one of ours. */
#include <errno.h>
#include "sms_prepare.h"

static struct lt_str value_of(struct lt_str line, const char *name)
{
	struct lt_str none = { NULL, 0 };
	size_t n = ltc_z(name).n;

	if (!ltc_starts(line, name) || line.n < n + 2 || line.p[n] != ':' || line.p[n + 1] != ' ')
		return none;
	return ltc_from(line, n + 2);
}

static int take(struct sms_payload *p, struct lt_str line)
{
	struct lt_str v;
	int64_t n;

	if ((v = value_of(line, "coding")).p != NULL) {
		p->coding = ltc_eqz(v, "gsm") ? SMS_GSM : SMS_UCS2;
		return ltc_eqz(v, "gsm") || ltc_eqz(v, "ucs2") ? 0 : -EINVAL;
	}
	if ((v = value_of(line, "template")).p != NULL)
		p->template_id = v;
	else if ((v = value_of(line, "param")).p != NULL && p->n_params < SMS_PARAMS_MAX)
		p->params[p->n_params++] = v;
	else if ((v = value_of(line, "segments")).p != NULL &&
		ltc_i64(v, 1, SMS_SEGMENTS_MAX, &n) == 0)
		p->segments = (uint32_t)n;
	else if ((v = value_of(line, "units")).p != NULL && ltc_i64(v, 0, SMS_TEXT_MAX, &n) == 0)
		p->units = (uint32_t)n;
	else if ((v = value_of(line, "category")).p != NULL && ltc_i64(v, 0, 100, &n) == 0)
		p->category = (uint32_t)n;
	else
		return -EINVAL;
	return 0;
}

int sms_payload_read(struct lt_str payload, struct sms_payload *ret)
{
	struct sms_payload p = { .segments = 0 };
	struct lt_str rest = payload, line;

	if (!ltc_next(&rest, '\n', &line) || !ltc_eqz(line, "lantoa-sms 1"))
		return -EINVAL;
	while (ltc_next(&rest, '\n', &line)) {
		if (line.n == 0) {
			p.text = rest;
			if (p.segments == 0 || !ltc_utf8_valid(rest))
				return -EINVAL;
			*ret = p;
			return 0;
		}
		if (take(&p, line) < 0)
			return -EINVAL;
	}
	return -EINVAL;
}

int sms_payload_of(const struct lt_work *w, struct ltc_buf *join, struct sms_payload *ret)
{
	for (size_t i = 0; i < w->n_payload; i++)
		if (w->payload[i].asset.p != NULL || w->payload[i].secret.p != NULL)
			return -EINVAL;
	if (w->n_payload == 1)
		return sms_payload_read(w->payload[0].bytes, ret);
	ltc_buf_reset(join);
	for (size_t i = 0; i < w->n_payload; i++)
		ltc_adds(join, w->payload[i].bytes);
	return join->failed ? -EINVAL : sms_payload_read(ltc_buf_str(join), ret);
}
