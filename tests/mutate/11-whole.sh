PROMISE=11 WHAT="an import with duplicates is applied"
FILE=daemon/store/store_import_check.c
FROM='	c->errors += error;'
TO='	c->errors += error && !c->st;'
CATCH="tests/unit/plan/test_import"
