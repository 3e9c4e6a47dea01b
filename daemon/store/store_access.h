/* store_access.h - who may see which office. Thread: any with a connection. */
#ifndef LANTOA_STORE_ACCESS_H
#define LANTOA_STORE_ACCESS_H

#include <stdbool.h>
#include "store/store.h"

/* Is `code` the office `ancestor` or below it? False also when it is unknown. */
bool store_office_within(struct db *db, const char *code, const char *ancestor);

#endif
