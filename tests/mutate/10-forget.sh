PROMISE=10 WHAT="forgetting does not empty the write-ahead log"
FILE=daemon/store/store_run.c
FROM='		s->scrub = s->scrub || s->tx.scrub;'
TO='		s->scrub = s->scrub && s->tx.scrub;'
CATCH="tests/system/test_secrets.sh"
