PROMISE=10 WHAT="what was erased stays in the free pages of the database"
FILE=daemon/store/store_migrate.c
FROM='PRAGMA secure_delete = ON;'
TO='PRAGMA secure_delete = OFF;'
CATCH="tests/unit/store/test_secret tests/system/test_secrets.sh"
