PROMISE=5 WHAT="a lane takes as many lots and rows into memory as wait"
FILE=daemon/dispatch/dispatch_internal.h
FROM='#define D_COPIES_MAX      16384'
TO='#define D_COPIES_MAX      16384000'
CATCH="tests/unit/dispatch/test_limits tests/unit/dispatch/test_flow"
