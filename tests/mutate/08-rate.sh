PROMISE=8 WHAT="the rate of a lane is not heeded"
FILE=daemon/dispatch/dispatch_lane.c
FROM='	return wait == 0;'
TO='	return wait == 0 || l->d;'
CATCH="tests/unit/dispatch/test_limits"
