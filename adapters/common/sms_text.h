/* sms_text.h - the text of a short message: NFC, the GSM 03.38 alphabet, UCS-2, rendering without diacritics ("không dấu"),
 * and its cutting into segments.
 * Lengths are counted in *units*: septets for GSM (a character of the extension table has two), UTF-16 code units for UCS-2.
 * Cutting is greedy and parts no escape pair, no surrogate pair and no base from its combining marks (a cluster longer than a
 * whole segment is parted between its characters).
 * Thread: any, pure. Owns: nothing; results lie in the caller's buffers. Failures: -EILSEQ broken UTF-8, -E2BIG too long,
 * -EINVAL a character that the wanted coding lacks. */
#ifndef LANTOA_COMMON_SMS_TEXT_H
#define LANTOA_COMMON_SMS_TEXT_H

#include "text.h"

#define SMS_TEXT_MAX     65536 /* bytes of UTF-8 that any function here looks at */
#define SMS_SEGMENTS_MAX 255   /* what the one-octet counter of a concatenated message can say */

enum sms_coding { SMS_GSM = 0, SMS_UCS2 = 8 }; /* numbers are the data_coding of SMPP */
enum sms_form { SMS_FORM_ACCENTED = 1, SMS_FORM_PLAIN = 2, SMS_FORM_SHORTEST = 3 };
enum sms_unmappable { SMS_REJECT = 0, SMS_QUESTION = 1, SMS_DROP = 2 };

/* Units in a message of one segment, and in each segment of a longer one. */
struct sms_budget {
	uint16_t gsm_one, gsm_many, ucs2_one, ucs2_many;
};
#define SMS_BUDGET_UDH8  ((struct sms_budget){ 160, 153, 70, 67 }) /* also for sar TLVs */
#define SMS_BUDGET_UDH16 ((struct sms_budget){ 160, 152, 70, 66 })

struct sms_size {
	enum sms_coding coding;
	uint32_t units, segments; /* segments: 1 for an empty text; may pass SMS_SEGMENTS_MAX */
	bool even;                /* no pairs and no marks: segments part by division */
};
/* One segment: bytes [at, at + n) of the UTF-8 text. */
struct sms_cut {
	uint32_t at, n, units;
};

/* NFC of `in` into `out` (reset first). Text that is NFC already is copied without a table of Unicode being asked. */
int sms_nfc(struct lt_str in, struct ltc_buf *out) LTC_MUST;

/* A word that rendering without diacritics writes as `as`, whatever its letters; matched as a whole word, case as written. */
struct sms_word {
	struct lt_str word, as; /* word in NFC */
};
struct sms_words {
	const struct sms_word *list;
	size_t n;
	uint8_t first[32]; /* bit of each first byte: made by sms_words_index */
};
void sms_words_index(struct sms_words *w);

/* "không dấu": NFC text into letters and signs of the GSM alphabet without diacritics. `words` may be NULL.
 * -EINVAL with SMS_REJECT: *ret_bad is the first character that has no rendering (ret_bad may be NULL). */
int sms_plain(struct lt_str nfc, const struct sms_words *words, enum sms_unmappable how,
	struct ltc_buf *out, struct lt_str *ret_bad) LTC_MUST;

/* GSM when every character is in the alphabet, else UCS-2; with its length. reserved: units that the operator adds. */
int sms_measure(struct lt_str nfc, const struct sms_budget *b, uint32_t reserved,
	struct sms_size *ret) LTC_MUST;
/* Segments of a text in this coding; at most `max` cuts are written. Returns how many, -E2BIG when there are more,
 * -EINVAL when the text does not fit the coding. An empty text has one empty segment. Reserved units count at the start. */
int sms_split(struct lt_str nfc, enum sms_coding coding, const struct sms_budget *b,
	uint32_t reserved, struct sms_cut *ret, size_t max) LTC_MUST;

/* The same for a text that sms_measure or sms_render has measured with this budget and these reserved units. */
int sms_cuts(struct lt_str nfc, const struct sms_size *known, const struct sms_budget *b,
	uint32_t reserved, struct sms_cut *ret, size_t max) LTC_MUST;

/* All in one: the form that a lane wants, with its length. */
struct sms_render {
	enum sms_form form;
	bool unicode_allowed; /* false: accented text outside of the GSM alphabet is -EINVAL, shortest never takes UCS-2 */
	enum sms_unmappable how;
	const struct sms_words *words; /* may be NULL */
	struct sms_budget budget;
	uint32_t reserved;
};
/* `out` and `tmp` are reset first; the text is in `out`. ret_bad as with sms_plain; may be NULL. */
int sms_render(struct lt_str in, const struct sms_render *r, struct ltc_buf *out,
	struct ltc_buf *tmp, struct sms_size *ret, struct lt_str *ret_bad) LTC_MUST;

/* Octets of a text or of one segment. GSM: one septet an octet, extension as 0x1B + code. UCS-2: UTF-16BE, emoji as pairs.
 * *ret_n: octets written; -E2BIG when `size` does not do. */
int sms_encode_gsm(struct lt_str text, uint8_t *dst, size_t size, size_t *ret_n) LTC_MUST;
int sms_encode_ucs2(struct lt_str text, uint8_t *dst, size_t size, size_t *ret_n) LTC_MUST;
/* What a phone sent, as UTF-8. Septets one an octet; unknown extension codes read as their base character. Broken UTF-16 (odd
 * length, lone surrogate) becomes U+FFFD. */
void sms_decode_gsm(const uint8_t *p, size_t n, struct ltc_buf *out);
void sms_decode_ucs2(const uint8_t *p, size_t n, struct ltc_buf *out);
/* Seven-bit packing and back, for a route whose server wants packed septets; fill: bits before the first septet (UDH). */
size_t sms_pack7(const uint8_t *septets, size_t n, unsigned int fill, uint8_t *dst, size_t size);
size_t sms_unpack7(const uint8_t *p, size_t n, unsigned int fill, size_t septets, uint8_t *dst);

/* True when the character is in the GSM alphabet; *ret_units 1 or 2. */
bool sms_gsm_has(uint32_t cp, unsigned int *ret_units);

#endif
