PROMISE=4 WHAT="intents of an earlier start are forgotten"
FILE=daemon/store/store_queue_recover.c
FROM='"UPDATE delivery SET state=?, tries=max(tries-1,0) WHERE id=? AND state=1"'
TO='"UPDATE delivery SET state=?, tries=max(tries-1,0) WHERE id=? AND state=99"'
CATCH="tests/unit/store/test_queue tests/unit/dispatch/test_crash"
