PROMISE=11 WHAT="bad rows of an import are left out and the rest is applied"
FILE=daemon/plan/import_target.c
FROM='	problem_add(&(im)->problems, PROBLEM_ERROR, (im)->table->file, (im)->table->line, (field), \'
TO='	problem_add(&(im)->problems, PROBLEM_WARNING, (im)->table->file, (im)->table->line, (field), \'
CATCH="tests/unit/plan/test_import_refused"
