/* crypt_internal.h - what crypt.c and crypt_key.c share. Not for other modules. */
#ifndef LANTOA_BASE_CRYPT_INTERNAL_H
#define LANTOA_BASE_CRYPT_INTERNAL_H

#include <sodium.h>
#include "base/crypt.h"

#define KEY_USES 8 /* numbers of enum key_use, and 0 which nobody has */

/* Lives in locked memory, read-only once made. The master itself is not kept. */
struct keyring {
	uint8_t sub[KEY_USES][32];
	uint32_t id;
};

#endif
