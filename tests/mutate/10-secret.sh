PROMISE=10 WHAT="a secret file that others may read is taken"
FILE=daemon/conf/conf.c
FROM='	else if ((st.st_mode & 077) != 0 && !s->credential)'
TO='	else if ((st.st_mode & 077) != 0 && !s->credential && !s->name)'
CATCH="tests/unit/conf/test_secret"
