PROMISE=6 WHAT="the loop thread waits for the disk once a turn"
FILE=daemon/net/loop.c
FROM='	loop_run_tasks(l);
	loop_arm_timer(l);'
TO='	(void)fsync(2);
	loop_run_tasks(l);
	loop_arm_timer(l);'
CATCH="tests/system/test_noblock.sh"
