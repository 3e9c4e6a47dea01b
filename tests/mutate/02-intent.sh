PROMISE=2 WHAT="the word that a publishing step may start is not written"
FILE=daemon/store/store_queue.c
FROM='		"UPDATE delivery SET state=1, tries=tries+1 WHERE id=? AND state=0 AND tries=? AND "'
TO='		"UPDATE delivery SET state=0, tries=tries+1 WHERE id=? AND state=0 AND tries=? AND "'
CATCH="tests/unit/store/test_queue tests/unit/dispatch/test_flow"
