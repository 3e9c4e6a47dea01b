/* optout.h - a text that says "no more": the first words of what somebody sent back. Pure, any thread.
 * Case, Vietnamese marks and spaces do not matter. "TC" or "STOP" ends everything; by SMS more may stand behind it, and one
 * word there may name a list ("TC quang-cao"): whoever asks decides whether there is a list of that name, without one it ends
 * everything. In a conversation (chat, mail) only the word alone counts: "hủy hồ sơ thế nào" is a question.
 */
#ifndef LANTOA_MODEL_OPTOUT_H
#define LANTOA_MODEL_OPTOUT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"

#define OPTOUT_LIST_MAX 64

extern const char *const optout_words_default[];
extern const size_t optout_n_words_default;

/* words NULL: the default ones. by_sms: more may stand behind the word. ret_list (may be NULL): the one word behind, lower case
 * without marks; "" where there is none or more than one. */
bool optout_read(struct str text, const char *const *words, size_t n, bool by_sms,
	char ret_list[OPTOUT_LIST_MAX]);

/* A text that says yes to advertising: the words alone. OPTIN_CLEAR names it ("DK QC"), OPTIN_BARE is an answer to a question ("DK",
 * "Y") and means nothing without one. words NULL: the default bare ones. */
enum { OPTIN_NONE = 0, OPTIN_BARE = 1, OPTIN_CLEAR = 2 };
int optin_read(struct str text, const char *const *words, size_t n);

#endif
