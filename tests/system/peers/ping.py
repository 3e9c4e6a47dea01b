"""ping.py SOCKET FILE - asks the control socket for its version every 10 ms until SIGTERM; then writes: pings, slow ones, worst ms."""
import signal
import socket
import sys
import time

SLOW = 0.150
done = False


def stop(*_):
    global done
    done = True


signal.signal(signal.SIGTERM, stop)
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(sys.argv[1])
s.settimeout(30)
f = s.makefile("rwb")
n = slow = 0
worst = 0.0
while not done:
    t = time.monotonic()
    try:
        f.write(b'{"jsonrpc":"2.0","id":1,"method":"version"}\n')
        f.flush()
        if not f.readline():
            break
    except OSError:
        slow += 1
        break
    took = time.monotonic() - t
    n += 1
    slow += took > SLOW
    worst = max(worst, took)
    time.sleep(0.01)
with open(sys.argv[2], "w", encoding="ascii") as out:
    out.write(f"{n} {slow} {worst * 1000:.0f}\n")
