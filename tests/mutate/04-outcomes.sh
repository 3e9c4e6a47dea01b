PROMISE=4 WHAT="outcomes of a transaction that failed are dropped"
FILE=daemon/store/store_run.c
FROM='		if (cmd->class == STORE_OUTCOME) {'
TO='		if (cmd->class == STORE_OUTCOME && cmd->rc == 1) {'
CATCH="tests/unit/store/test_engine tests/unit/store/test_space"
