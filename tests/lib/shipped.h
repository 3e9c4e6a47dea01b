/* shipped.h - files of the tree as text, for unit tests and fuzz targets, which run in the root of the sources. */
#ifndef LANTOA_TESTS_SHIPPED_H
#define LANTOA_TESTS_SHIPPED_H

/* Read once and kept for good; ends the program when it cannot be read. Main thread only. */
const char *shipped_file(const char *path);

#endif
